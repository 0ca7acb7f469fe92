"""The reported sites in columns: what each makes in every year before any of them changes.

State is arrays over sites (N), technologies (K) and years (T). A site's yearly product
is its base tonnes divided by the direct emissions per unit of the technology it runs, so
that its emissions in the last reported year are exactly what it reported. Sites whose
sector has no technology in the library keep their intensity and follow their driver.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.finance.technologies import Technologies
from cleanhub.hub.inventory import History, branch_drivers
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.schema import PAST_FID
from cleanhub.hub.series import Drivers

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
CLOSED = 9999


@dataclass
class Sites:
    """All sites of a hub that still report, in columns.

    ``start`` is the technology of the last reported year (-1: none in the library);
    ``base_t`` the tonnes of that year (N,); ``unit_intensity`` the direct emissions per
    unit of the starting technology, 1 where there is none (N,); ``best_t`` the tonnes of its best
    year; ``reinvestment_year`` one in which its equipment falls due; ``activity`` production
    relative to the last reported year (N, T); ``committed_t`` tonnes cut by committed
    projects (N, T); ``driver_confidence`` that of what moves it, by year (N, T); ``unmet`` what
    each branch's driver asks for and what its sites can make, by "inventory sector|sector", each (T,).
    """

    asset_id: NDArray[np.object_]
    inventory_sector: NDArray[np.object_]
    sector: NDArray[np.object_]
    start: IntArray
    base_t: FloatArray
    best_t: FloatArray
    unit_intensity: FloatArray
    closed_year: IntArray
    reinvestment_year: IntArray
    activity: FloatArray
    committed_t: FloatArray
    driver_confidence: NDArray[np.object_]
    last_year: int
    unmet: dict[str, tuple[FloatArray, FloatArray]]

    @property
    def production(self) -> FloatArray:
        """Yearly product, shape (N, T), in the product unit of the starting technology."""
        return (self.base_t / self.unit_intensity)[:, None] * self.activity


def build_sites(
    hub: Hub, scenario: Scenario, tech: Technologies, drivers: Drivers, history: History
) -> Sites:
    """Columns of all sites that reported in the last reported year."""
    reported = history.sites
    last_year = int(reported["year"].max()) if len(reported) else hub.base_year
    now = reported[(reported["year"] == last_year) & (reported["co2e_t"] > 0)]
    best = reported.groupby("asset_id")["co2e_t"].max()
    table = hub.tables["facilities"].merge(now[["asset_id", "co2e_t"]], on="asset_id", how="inner")
    table = table.sort_values("asset_id", kind="stable").reset_index(drop=True)
    start = starting_technology(table, tech)
    intensity = np.where(start >= 0, tech.direct[np.maximum(start, 0)], 1.0)
    start = np.where(intensity > 0, start, -1)
    intensity = np.where(intensity > 0, intensity, 1.0)
    base_t = table["co2e_t"].to_numpy(float)
    count = len(drivers.years)
    sites = Sites(
        asset_id=table["asset_id"].to_numpy(object),
        inventory_sector=table["inventory_sector"].to_numpy(object),
        sector=table["sector"].to_numpy(object),
        start=start,
        base_t=base_t,
        best_t=np.maximum(best.reindex(table["asset_id"]).to_numpy(float), base_t),
        unit_intensity=intensity,
        closed_year=_years(table["closed_year"], CLOSED),
        reinvestment_year=_reinvestment(table, start, tech),
        activity=np.zeros((len(table), count)),
        committed_t=np.zeros((len(table), count)),
        driver_confidence=np.full((len(table), count), "assumed", dtype=object),
        last_year=last_year,
        unmet={},
    )
    _set_activity(sites, hub, drivers)
    if scenario.programme:
        _commit(sites, hub, drivers.years)
    return sites


def starting_technology(table: pd.DataFrame, tech: Technologies) -> IntArray:
    """Technology that each row of ``facilities`` is taken to run: its own, else the usual one; -1: none."""
    rows = zip(table["technology"], table["sector"], table["product"], strict=True)
    usual: dict[tuple[str, ...], int] = {}
    out = []
    for name, sector, product in rows:
        key = (name,) if name else (sector, product)
        if key not in usual:
            usual[key] = tech.find(name) if name else tech.default_for(sector, product)
        out.append(usual[key])
    return np.array(out, dtype=np.int64)


def _years(column: pd.Series, missing: int) -> IntArray:
    return column.astype("Float64").fillna(missing).to_numpy(float).astype(np.int64)


def _reinvestment(table: pd.DataFrame, start: IntArray, tech: Technologies) -> IntArray:
    """The known year, else one spread over the cycle by a stable hash of the site's id."""
    cycle = np.where(start >= 0, tech.cycle[np.maximum(start, 0)], 20)
    spread = np.array([zlib.crc32(str(name).encode()) for name in table["asset_id"]], dtype=np.int64)
    assumed = 2000 + spread % np.maximum(cycle, 1)
    return np.where(table["reinvestment_year"].notna(), _years(table["reinvestment_year"], 0), assumed)


def _set_activity(sites: Sites, hub: Hub, drivers: Drivers) -> None:
    """Spread each branch's activity over its open sites.

    Plants that make a product of the library go up to their best year on record; what is
    beyond that is unmet. Other sites (landfills, mines) simply follow their driver.
    """
    driver_of = branch_drivers(hub)
    years = drivers.years
    for pair in sorted(set(zip(sites.inventory_sector, sites.sector, strict=True))):
        mine = np.flatnonzero((sites.inventory_sector == pair[0]) & (sites.sector == pair[1]))
        index = drivers.index(driver_of.get(pair, ""), sites.last_year)
        is_open = years[None, :] <= sites.closed_year[mine][:, None]
        base = sites.base_t[mine][:, None]
        wanted = index.values * base.sum()
        running = (base * is_open).sum(axis=0)
        scale = np.divide(wanted, running, out=np.zeros(len(years)), where=running > 0)
        cap = np.where(sites.start[mine] >= 0, sites.best_t[mine] / sites.base_t[mine], np.inf)[:, None]
        sites.activity[mine] = np.where(is_open, np.minimum(scale[None, :], cap), 0.0)
        sites.driver_confidence[mine] = index.confidence
        made = (sites.activity[mine] * base).sum(axis=0)
        sites.unmet[f"{pair[0]}|{pair[1]}"] = (wanted, made)


def _commit(sites: Sites, hub: Hub, years: IntArray) -> None:
    """Tonnes cut by projects past the final investment decision, from their first year on."""
    projects = hub.tables["projects"]
    built = projects[
        projects["stage"].isin(PAST_FID)
        & (projects["asset_id"] != "")
        & projects["co2e_t_per_year"].notna()
        & ((projects["role"] == "abates") | (projects["role_secondary"] == "abates"))
        & (projects["online_year"].astype("Float64").fillna(0) > sites.last_year)
    ]
    position = {name: n for n, name in enumerate(sites.asset_id)}
    for _, row in built.iterrows():
        n = position.get(row["asset_id"])
        if n is not None:
            sites.committed_t[n, years >= int(row["online_year"])] += float(row["co2e_t_per_year"])
