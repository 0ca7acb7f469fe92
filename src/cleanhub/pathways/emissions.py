"""Plan table ``emissions``: history from the inventory, then the path, by branch, scope and gas.

Scope 1 in CO2 equivalent is what plants, cohorts and the rest emit. Methane, nitrous oxide
and carbon dioxide stand beside it in tonnes of the gas: of technologies that state them as
they state them, else in the shares that the branch had in the inventory's last year. Scope 2
is grid power times its factor, scope 3 what making and bringing the carriers emits.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.core.tables import conform
from cleanhub.hub.inventory import beside_total, cohort_history, rest_history, scope_pairs, site_history
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.series import CONFIDENCE_ORDER, Series, confidence_ranks, confidence_words, sum_by
from cleanhub.pathways.assemble import Pathway

FloatArray = NDArray[np.float64]
GRID_FACTOR = "grid_emission_factor"
SPLIT_GASES = ("ch4", "n2o")
_BRANCH = ["inventory_sector", "sector"]
_KEEP = ["year", *_BRANCH, "asset_kind", "scope", "boundary", "gas"]
_UNEXPLAINED = 1e-6
"""Share of a branch by which its stacks may exceed its inventory before it is a fault."""


def emissions_table(pathway: Pathway) -> pd.DataFrame:
    """Plan table ``emissions``.

    Raises :class:`~cleanhub.core.errors.InputError` when the stacks of a branch emit more in
    the base year than its inventory holds.
    """
    hub = pathway.hub
    rest = _rest_without_stacks(pathway)
    parts = [*_history_parts(pathway, rest), *_projected_parts(pathway, rest)]
    frame = pd.concat([part for part in parts if len(part)], ignore_index=True)
    frame = sum_by(frame, _KEEP, "value")
    frame = frame[frame["value"] != 0].reset_index(drop=True)
    frame = pd.concat([frame, _gases(pathway, frame)], ignore_index=True)
    scope = scope_pairs(hub)
    pairs = zip(frame["inventory_sector"], frame["sector"], strict=True)
    frame["hub_scope"] = [pair in scope for pair in pairs]
    frame["unit"] = np.where(frame["gas"] == "co2e", "t CO2e/yr", "t/yr")
    frame["gwp"] = hub.gwp
    frame["status"] = np.where(frame["year"] <= hub.base_year, "history", "projected")
    return conform(frame, PLAN_TABLES["emissions"])


# ---------------------------------------------------------------- history


def stack_tonnes(pathway: Pathway) -> pd.DataFrame:
    """Tonnes of the stacks in the base year by branch: inventory_sector, sector, co2e_t."""
    path, markets = pathway.walked, pathway.problem.markets
    stack = np.flatnonzero(path.plant >= len(pathway.sites.asset_id))
    frame = pd.DataFrame(
        {
            "inventory_sector": markets.inventory_sector[path.market[stack]],
            "sector": markets.sector[path.market[stack]],
            "co2e_t": path.emissions[stack, 0],
        }
    )
    return frame.groupby(_BRANCH, as_index=False)[["co2e_t"]].sum()


def _rest_without_stacks(pathway: Pathway) -> pd.DataFrame:
    """The rest by branch and year, less what the stacks emit in the base year."""
    rest = rest_history(pathway.hub)
    stacks = stack_tonnes(pathway)
    if stacks.empty:
        return rest
    faults = FaultList()
    base = pathway.hub.base_year
    for _, row in stacks.iterrows():
        mine = (rest["year"] == base) & (rest["inventory_sector"] == row["inventory_sector"])
        mine &= rest["sector"] == row["sector"]
        held = float(rest.loc[mine, "co2e_t"].sum())
        if row["co2e_t"] > held * (1.0 + _UNEXPLAINED) + 1.0:
            faults.add(
                "stacks.csv",
                what=f"stacks of {row['sector']} emit more than the inventory holds",
                found=f"{row['co2e_t']:.0f} t in {base}",
                allowed=f"at most {held:.0f} t",
            )
        rest.loc[mine, "co2e_t"] = np.maximum(held - float(row["co2e_t"]), 0.0)
    faults.raise_if_any("stacks")
    return rest


def _history_parts(pathway: Pathway, rest: pd.DataFrame) -> Iterable[pd.DataFrame]:
    hub = pathway.hub
    years = set(rest["year"])
    for kind, rows in (
        ("site", site_history(hub)),
        ("cohort", _whole_categories(pathway, cohort_history(hub))),
        ("rest", rest),
    ):
        inside = rows[rows["year"].isin(years) & (rows["year"] <= hub.base_year)]
        yield _part(inside, kind, "included")
    stacks = stack_tonnes(pathway)
    yield _part(stacks.assign(year=hub.base_year, confidence="derived"), "site", "included")
    beside = beside_total(hub)
    for boundary, rows in beside[beside["year"] <= hub.base_year].groupby("boundary", sort=True):
        yield _part(rows, "rest", str(boundary))


def _whole_categories(pathway: Pathway, rows: pd.DataFrame) -> pd.DataFrame:
    """Cohort rows; where the classes share out a whole category their sum is as good as it."""
    cohorts = pathway.hub.tables["cohorts"].set_index("asset_id")
    shares = cohorts.groupby(["inventory_sector", "category"])["category_share"].transform("sum")
    whole = rows["asset_id"].map(shares).to_numpy(float) > 1.0 - 1e-6
    return rows.assign(confidence=np.where(whole, "derived", rows["confidence"]))


def _part(rows: pd.DataFrame, kind: str, boundary: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "year": rows["year"],
            "inventory_sector": rows["inventory_sector"],
            "sector": rows["sector"],
            "asset_kind": kind,
            "scope": 1,
            "boundary": boundary,
            "gas": "co2e",
            "value": rows["co2e_t"],
            "confidence": rows["confidence"],
        }
    )


# ---------------------------------------------------------------- the path


def _projected_parts(pathway: Pathway, rest: pd.DataFrame) -> Iterable[pd.DataFrame]:
    path, tech = pathway.walked, pathway.tech
    yield _plants_part(pathway, path.emissions)
    for cls in path.vehicles:
        tonnes = (cls.distance * tech.direct[cls.options][:, None]).sum(axis=0) * cls.scale
        yield _years_part(pathway, cls.inventory_sector, cls.sector, "cohort", tonnes, cls.confidence)
    for row, tonnes, confidence in idle_cohorts(pathway):
        yield _years_part(
            pathway, str(row["inventory_sector"]), str(row["sector"]), "cohort", tonnes, confidence
        )
    base = pathway.hub.base_year
    for _, row in rest[rest["year"] == base].iterrows():
        yield _moved_by_driver(pathway, row, "included")
    beside = beside_total(pathway.hub)
    beside = beside[(beside["year"] == base) & (beside["boundary"] == "excluded")]
    for _, row in beside.iterrows():
        yield _moved_by_driver(pathway, row, "excluded")
    yield from _indirect_parts(pathway)


def plant_confidence(pathway: Pathway) -> NDArray[np.int64]:
    """Rank of the weakest input of each row and year of the path, (R, T).

    A reported site that runs what it started with rests on its driver; every other plant on
    its market's demand and on its technology too.
    """
    path, sites = pathway.walked, pathway.sites
    demand = confidence_ranks(_demand_confidence(pathway))
    rank = demand[path.market]
    site = (path.plant >= 0) & (path.plant < len(sites.asset_id))
    outside = site & ~pathway.problem.markets.meets_demand[path.market]
    rank[outside] = confidence_ranks(sites.driver_confidence[path.plant[outside]])
    start = np.where(path.plant >= 0, pathway.problem.plants.start[np.maximum(path.plant, 0)], -2)
    changed = (path.run != start[:, None]) | ~site[:, None]
    tech_rank = confidence_ranks(pathway.tech.confidence)[np.maximum(path.run, 0)]
    rank = np.where(changed, np.maximum(rank, tech_rank), rank)
    reported = site[:, None] & (pathway.years <= sites.last_year)[None, :]
    return np.where(reported, 0, rank)


def _demand_confidence(pathway: Pathway) -> NDArray[np.object_]:
    """Confidence of each market's demand by year, (M, T); derived where it has none."""
    markets, hub = pathway.problem.markets, pathway.hub
    out = np.full((len(markets.name), len(pathway.years)), "derived", dtype=object)
    regions = pathway.problem.regions
    for m, (_, row) in enumerate(hub.tables["markets"].iterrows()):
        drivers = pathway.drivers.for_region(regions[int(markets.region[m])])
        out[m] = drivers.series(str(row["demand_driver"])).confidence
    return out


def _plants_part(pathway: Pathway, tonnes: FloatArray, scope: int = 1, at_least: int = 0) -> pd.DataFrame:
    path, markets = pathway.walked, pathway.problem.markets
    later = pathway.years > pathway.hub.base_year
    held = tonnes[:, later]
    row, year = np.nonzero(held)
    market = path.market[row]
    rank = np.maximum(plant_confidence(pathway)[:, later][row, year], at_least)
    return pd.DataFrame(
        {
            "year": pathway.years[later][year],
            "inventory_sector": markets.inventory_sector[market],
            "sector": markets.sector[market],
            "asset_kind": "site",
            "scope": scope,
            "boundary": "included",
            "gas": "co2e",
            "value": held[row, year],
            "confidence": confidence_words(rank),
        }
    )


def _years_part(
    pathway: Pathway,
    inventory_sector: str,
    sector: str,
    kind: str,
    tonnes: FloatArray,
    confidence: NDArray[np.object_],
    boundary: str = "included",
    scope: int = 1,
) -> pd.DataFrame:
    later = pathway.years > pathway.hub.base_year
    return pd.DataFrame(
        {
            "year": pathway.years[later],
            "inventory_sector": inventory_sector,
            "sector": sector,
            "asset_kind": kind,
            "scope": scope,
            "boundary": boundary,
            "gas": "co2e",
            "value": tonnes[later],
            "confidence": confidence[later],
        }
    )


def _moved_by_driver(pathway: Pathway, row: pd.Series, boundary: str) -> pd.DataFrame:
    index = _driver_index(pathway, str(row["inventory_sector"]), str(row["sector"]))
    return _years_part(
        pathway,
        str(row["inventory_sector"]),
        str(row["sector"]),
        "rest",
        float(row["co2e_t"]) * index.values,
        index.confidence,
        boundary,
    )


def _driver_index(pathway: Pathway, inventory_sector: str, sector: str) -> Series:
    branches = pathway.hub.tables["branches"]
    rows = branches[(branches["inventory_sector"] == inventory_sector) & (branches["sector"] == sector)]
    name = str(rows["driver"].iloc[0]) if len(rows) else ""
    return pathway.drivers.index(name, pathway.hub.base_year)


def idle_cohorts(pathway: Pathway) -> Iterable[tuple[pd.Series, FloatArray, NDArray[np.object_]]]:
    """Cohort classes without a vehicle stock, with their tonnes by year and confidence."""
    moving = {cls.asset_id for cls in pathway.problem.vehicles}
    history = cohort_history(pathway.hub)
    base = history[history["year"] == pathway.hub.base_year].set_index("asset_id")["co2e_t"]
    for _, row in pathway.hub.tables["cohorts"].iterrows():
        if row["asset_id"] in moving or row["asset_id"] not in base.index:
            continue
        index = _driver_index(pathway, str(row["inventory_sector"]), str(row["sector"]))
        yield row, float(base[row["asset_id"]]) * index.values, index.confidence


# ---------------------------------------------------------------- scopes 2 and 3


def _indirect_parts(pathway: Pathway) -> Iterable[pd.DataFrame]:
    path, tech = pathway.walked, pathway.tech
    grid = _grid_factors(pathway)
    where = np.flatnonzero(tech.carriers == "electricity")
    derived = CONFIDENCE_ORDER.index("derived")
    run = np.maximum(path.run, 0)
    made = np.where(path.run >= 0, path.production, 0.0)
    if len(where):
        factors, words = grid
        region = pathway.problem.markets.region[path.market]
        power = tech.inputs[:, where[0]]
        rank = int(confidence_ranks(words).max(initial=0))
        yield _plants_part(pathway, power[run] * made * factors[region], 2, max(derived, rank))
        for cls in path.vehicles:
            taken = (cls.distance * power[cls.options][:, None]).sum(axis=0) * factors[cls.region]
            worse = np.array(
                [max(word, "derived", key=CONFIDENCE_ORDER.index) for word in words], dtype=object
            )
            yield _years_part(pathway, cls.inventory_sector, cls.sector, "cohort", taken, worse, scope=2)
    upstream = tech.inputs @ tech.upstream
    if upstream.any():
        yield _plants_part(pathway, upstream[run] * made, 3, CONFIDENCE_ORDER.index("recalled"))
        for cls in path.vehicles:
            tonnes = (cls.distance * upstream[cls.options][:, None]).sum(axis=0)
            words = np.full(len(pathway.years), "recalled", dtype=object)
            yield _years_part(pathway, cls.inventory_sector, cls.sector, "cohort", tonnes, words, scope=3)


def _grid_factors(pathway: Pathway) -> tuple[FloatArray, NDArray[np.object_]]:
    """Emissions per unit of grid power by region and year, (G, T), and the confidence by year."""
    tech, regions = pathway.tech, pathway.problem.regions
    where = np.flatnonzero(tech.carriers == "electricity")
    factors = np.zeros((len(regions), len(pathway.years)))
    words = np.full(len(pathway.years), "derived", dtype=object)
    for g, region in enumerate(regions):
        drivers = pathway.drivers.for_region(region)
        if len(where) and drivers.has(GRID_FACTOR):
            factors[g] = drivers.series(GRID_FACTOR, f"t/({tech.carrier_units[where[0]]})").values
            words = drivers.series(GRID_FACTOR).confidence
    return factors, words


# ---------------------------------------------------------------- gases


def _gases(pathway: Pathway, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows in tonnes of each gas for every scope 1 row of the inventory's boundary.

    ``frame`` holds the CO2-equivalent rows. Carbon dioxide is what is left after the others.
    """
    rows = frame[(frame["scope"] == 1) & (frame["boundary"] == "included")]
    gwp = _gwp(pathway.hub)
    shares = _gas_shares(pathway.hub)
    base = pathway.hub.base_year
    stated = _stated_gases(pathway)
    keys = list(zip(rows["inventory_sector"], rows["sector"], rows["year"].clip(upper=base), strict=True))
    left = rows["value"].to_numpy(float).copy()
    parts = []
    for gas, potential in gwp.items():
        share = np.array([shares.get((gas, *key), 0.0) for key in keys])
        tonnes = rows["value"].to_numpy(float) * share / potential
        own = stated.get(gas, {})
        lookup = zip(rows["inventory_sector"], rows["sector"], rows["asset_kind"], rows["year"], strict=True)
        exact = np.array([own.get(key, np.nan) for key in lookup])
        tonnes = np.where(np.isnan(exact), tonnes, exact)
        tonnes = np.minimum(tonnes, np.maximum(left, 0.0) / potential)
        left -= tonnes * potential
        parts.append(rows.assign(gas=gas, value=tonnes))
    other = np.array([shares.get(("other", *key), 0.0) for key in keys]) * rows["value"].to_numpy(float)
    parts.append(rows.assign(gas="co2", value=np.maximum(left - other, 0.0)))
    out = pd.concat(parts, ignore_index=True)
    later = out["year"] > base
    words = np.array(CONFIDENCE_ORDER, dtype=object)
    rank = np.maximum(
        confidence_ranks(out["confidence"]), np.where(later, CONFIDENCE_ORDER.index("derived"), 0)
    )
    out["confidence"] = words[np.maximum(rank, CONFIDENCE_ORDER.index("derived"))]
    return out[out["value"] > 0]


def _gwp(hub: Hub) -> dict[str, float]:
    table = hub.library.tables["gwp"]
    rows = table[(table["gwp_set"] == hub.gwp) & table["gas"].isin(SPLIT_GASES)]
    return dict(zip(rows["gas"], rows["value"].astype(float), strict=True))


def _gas_shares(hub: Hub) -> dict[tuple[str, str, str, int], float]:
    """Share of each gas in the CO2 equivalent of a branch and inventory year; the rest is other."""
    inventory = hub.tables["inventory"]
    rows = inventory[(inventory["boundary"] == "included") & inventory["year"].notna()]
    group = [*_BRANCH, "year"]
    gas = rows["gas"].where(rows["gas"].isin([*SPLIT_GASES, "co2", "co2e"]), "other")
    by_gas = rows.assign(gas=gas).groupby([*group, "gas"], as_index=False)[["co2e_t"]].sum()
    share = by_gas["co2e_t"] / by_gas.groupby(group)["co2e_t"].transform("sum")
    keys = zip(by_gas["gas"], by_gas["inventory_sector"], by_gas["sector"], by_gas["year"], strict=True)
    found = ((str(g), str(one), str(two), int(year)) for g, one, two, year in keys)
    return {key: float(value) for key, value in zip(found, share, strict=True) if np.isfinite(value)}


def _stated_gases(pathway: Pathway) -> dict[str, dict[tuple[str, str, str, int], float]]:
    """Tonnes of gases that technologies state, by gas, branch, kind and projected year."""
    path, tech, markets = pathway.walked, pathway.tech, pathway.problem.markets
    out: dict[str, dict[tuple[str, str, str, int], float]] = {}
    later = np.flatnonzero(pathway.years > pathway.hub.base_year)
    for gas, each in (("ch4", tech.direct_ch4), ("n2o", tech.direct_n2o)):
        found: dict[tuple[str, str, str, int], float] = {}
        if not each.any():
            continue
        tonnes = np.where(path.run >= 0, each[np.maximum(path.run, 0)], 0.0) * path.production
        for m in np.unique(path.market[(tonnes > 0).any(axis=1)]):
            total = tonnes[path.market == m].sum(axis=0)
            _add(found, (markets.inventory_sector[m], markets.sector[m], "site"), pathway.years, total, later)
        for cls in path.vehicles:
            total = (cls.distance * each[cls.options][:, None]).sum(axis=0) * cls.scale
            if total.any():
                key = (cls.inventory_sector, cls.sector, "cohort")
                _add(found, key, pathway.years, total, later)
        out[gas] = found
    return out


def _add(
    found: dict[tuple[str, str, str, int], float],
    key: tuple[str, str, str],
    years: NDArray[np.int64],
    total: FloatArray,
    later: NDArray[np.int64],
) -> None:
    for t in later:
        place = (*key, int(years[t]))
        found[place] = found.get(place, 0.0) + float(total[t])
