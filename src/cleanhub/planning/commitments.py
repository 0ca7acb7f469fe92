"""Who promised what by when, and where the path stands: the plan table ``commitments``.

Promises are rows of the library's table ``commitments`` (the sectors' platforms and their members)
and of the hub's (ports, state, companies with sites in it); a hub's row takes the place of the
library's with the same identifier. A promise is compared only with what it is about:

- a row with an ``asset_id`` is put to that site or cohort;
- any other row of the hub is put to the hub's whole sector (all sectors where it names none);
- a row of the library is about the world: a count (ships, trucks, plants) is compared on a hub that
  covers the world; elsewhere the hub's part of it is shown and no gap. A share is compared on
  such a hub too; elsewhere the path's own share is shown beside it;
- a row of a member (the actor is not the platform) is about one company, or about what members
  buy: the sector's figure is shown beside it and no gap.

What counts as zero-emission fuel, as a low-carbon product or as such a ship is what the library's
``breakthroughs`` count for the same sector: see :mod:`cleanhub.pathways.breakthroughs`.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList
from cleanhub.core.tables import conform
from cleanhub.core.units import factor
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.rows_in_force import rows_in_force
from cleanhub.hub.series import weakest
from cleanhub.pathways import emissions, results
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.breakthroughs import ALL_SECTORS, OF_THE_WORLD, Measured, Meter
from cleanhub.planning.targets import PathTables, measure

AT_MOST = frozenset({"net_zero"})
"""Metrics whose promise is kept from above."""
SINCE_BASE = frozenset({"emissions_cut", "intensity_cut"})
"""Metrics that need a base year."""
LIKE_A_BREAKTHROUGH = {
    "zero_emission_fuel_share": "energy_share",
    "saf_share": "production_share",
    "low_carbon_share": "production_share",
    "sales_share": "sales_share",
    "ships": "vehicles",
    "trucks": "vehicles",
    "plants": "plants",
}
"""Metrics that a breakthrough of the same sector says how to count."""
COUNTS = frozenset(name for name, metric in LIKE_A_BREAKTHROUGH.items() if metric in OF_THE_WORLD)
"""Metrics that are numbers of things: a hub's are a part of the world's."""
UNITS = {
    "emissions_cut": "%",
    "intensity_cut": "%",
    "net_zero": "t CO2e/yr",
    "truck_share": "%",
    "equipment_share": "%",
    "trucks": "vehicle",
    "ships": "vehicle",
    "plants": "1",
}
"""Unit in which a metric is measured; ``%`` for all others."""
NO_GAP_ELSEWHERE = "it is about the whole world, of which the hub is a part: no gap"
NO_GAP_MEMBER = "a promise of one company or of what members buy; shown is the whole sector: no gap"


Promise = dict[Hashable, Any]
"""A row of the table of promises."""


@dataclass(frozen=True)
class Reached:
    """What the path shows for one promise: value [unit], of what, and why there is none (empty: there is)."""

    value: float
    unit: str = ""
    of: str = ""
    why_not: str = ""


def commitment_rows(hub: Hub) -> pd.DataFrame:
    """The promises that hold for a hub, as :func:`~cleanhub.hub.rows_in_force.rows_in_force` gives them."""
    return rows_in_force(hub, "commitments", "commitment_id")


def check_commitments(hub: Hub) -> None:
    """Raise :class:`~cleanhub.core.errors.InputError` with every promise that cannot be read as it stands."""
    _check(commitment_rows(hub).to_dict("records"))


def _check(rows: list[Promise]) -> None:
    """Raise :class:`~cleanhub.core.errors.InputError` with every one of ``rows`` that cannot be read."""
    faults = FaultList()
    for row in rows:
        file, line, metric = str(row["file"]), int(row["line"]), str(row["metric"])
        unit = UNITS.get(metric, "%")
        try:
            factor(unit, str(row["unit"]))
        except ValueError:
            faults.add(
                file, line, "unit", what=f"{metric} is not in this unit", found=row["unit"], allowed=unit
            )
        has_base = not pd.isna(row["base_year"])
        if metric in SINCE_BASE and not has_base:
            faults.add(file, line, "base_year", what="missing year", allowed=f"a year, as {metric} needs one")
        if has_base and int(row["base_year"]) >= int(row["year"]):
            faults.add(
                file, line, "base_year", what="base year not before the year", found=row["base_year"],
                allowed=f"before {row['year']}",
            )  # fmt: skip
        if metric in LIKE_A_BREAKTHROUGH and metric not in COUNTS and not row["sector"]:
            faults.add(
                file, line, "sector", what="missing sector", allowed=f"a sector, as {metric} is of one"
            )
    faults.raise_if_any("commitments")


def commitments_table(
    pathway: Pathway, tables: PathTables | None = None, at: int | None = None
) -> pd.DataFrame:
    """Plan table ``commitments``: every promise against the path.

    Parameters
    ----------
    pathway
        A walked path.
    tables
        Its tables as :func:`path_tables_of` gives them, where they are at hand.
    at
        Year in which the path is read, for all rows; the year of each promise when ``None``. A gap then is
        what is still short of the promise in that year.

    ``gap`` is in the unit of the promise and positive where the path falls short (for ``net_zero``: the
    tonnes left). ``share_of_target`` is the hub's number over the promised one [1], for counts alone.

    Raises
    ------
    InputError
        Promises that cannot be read; all are listed.
    """
    promises = commitment_rows(pathway.hub).to_dict("records")
    _check(promises)
    reader = _Reader(pathway, tables or path_tables_of(pathway))
    rows = [_row(reader, row, at) for row in promises]
    frame = pd.DataFrame(rows, columns=PLAN_TABLES["commitments"].names)
    return conform(frame, PLAN_TABLES["commitments"])


def path_tables_of(pathway: Pathway) -> PathTables:
    """The tables that metrics are read from, built from the path alone."""
    tech = pathway.tech
    return PathTables(
        emissions.emissions_table(pathway),
        results.assets_table(pathway),
        results.switches_table(pathway),
        results.truck_fleet_table(pathway),
        pathway.drivers,
        frozenset(tech.names[tech.is_vehicle & (tech.direct <= 0)]),
    )


# ---------------------------------------------------------------- one promise


def _row(reader: _Reader, row: Promise, at: int | None) -> dict[str, object]:
    due, metric = int(row["year"]), str(row["metric"])
    year = due if at is None else at
    found = reader.reached(row, year)
    value, wanted, unit = found.value, float(row["value"]), str(row["unit"])
    if found.unit and np.isfinite(value):
        value *= factor(found.unit, unit)
    gap = share = np.nan
    why = found.why_not or _why_no_gap(reader, row)
    if np.isfinite(value):
        if not why:
            gap = value - wanted if metric in AT_MOST else wanted - value
        if metric in COUNTS and wanted > 0 and not _of_member(row):
            share = value / wanted
    notes = [why or f"compared with {found.of}"]
    if why and np.isfinite(value):
        notes.append(f"shown: {found.of}")
    if year != due and np.isfinite(value):
        notes.append(f"the path as it stands in {year}; due in {due}")
    if row["note"]:
        notes.append(str(row["note"]))
    return {
        "commitment_id": row["commitment_id"],
        "actor": row["actor"],
        "platform": row["platform"],
        "sector": row["sector"],
        "metric": metric,
        "year": due,
        "target": wanted,
        "pathway": value,
        "gap": gap,
        "share_of_target": share,
        "unit": unit,
        "how": "; ".join(notes),
        "confidence": weakest([str(row["confidence"]), "derived"]),
        "source_id": row["source_id"],
    }


def _of_member(row: Promise) -> bool:
    return bool(row["platform"]) and row["actor"] != row["platform"] and not row["asset_id"]


def _why_no_gap(reader: _Reader, row: Promise) -> str:
    if _of_member(row):
        return NO_GAP_MEMBER
    return "" if row["own"] or row["asset_id"] or reader.whole_world else NO_GAP_ELSEWHERE


class _Reader:
    """Reads promises off one path."""

    def __init__(self, pathway: Pathway, tables: PathTables) -> None:
        self.pathway = pathway
        self.tables = tables
        self.meter = Meter(pathway)
        given = pathway.hub.tables
        self.known = set(given["facilities"]["asset_id"]) | set(given["cohorts"]["asset_id"])
        self.assets = tables.assets["asset_id"].to_numpy(object)
        self.counted = cache(self._counted)
        self.whole_world = pathway.hub.meta.get("covers") == "world"

    def reached(self, row: Promise, year: int) -> Reached:
        """What the path shows for a promise in ``year``."""
        if year > self.pathway.scenario.end_year:
            return Reached(np.nan, why_not="after the last year of the path")
        metric = str(row["metric"])
        if row["asset_id"] and row["asset_id"] not in self.known:  # a hub that was cut down is still a hub
            return Reached(np.nan, why_not=f"the hub has no site or cohort {row['asset_id']}")
        if metric in ("emissions_cut", "net_zero"):
            return self._tonnes(row, year)
        if metric == "intensity_cut":
            return self._intensity(row, year)
        if metric == "truck_share" or (metric == "trucks" and row["asset_id"]):
            return self._trucks(row, year)
        if metric in LIKE_A_BREAKTHROUGH:
            return self._like_a_breakthrough(row, year)
        return Reached(np.nan, why_not="the path has no such equipment")

    def _tonnes(self, row: Promise, year: int) -> Reached:
        """Scope 1 tonnes in a year [t CO2e/yr], or their cut since the base year [%]."""
        series, of = self._series(row)
        if year not in series.index:
            return Reached(np.nan, why_not="the path has no such emissions")
        now = float(series[year])
        if row["metric"] == "net_zero":
            return Reached(now, "t CO2e/yr", f"scope 1 emissions of {of}, removals elsewhere not counted")
        base = int(row["base_year"])
        if base not in series.index or series[base] <= 0:
            return Reached(np.nan, why_not=f"no emissions of {of} are known for {base}")
        return Reached((1.0 - now / float(series[base])) * 100.0, "%", f"scope 1 emissions of {of}")

    def _series(self, row: Promise) -> tuple[pd.Series, str]:
        if row["asset_id"]:
            return self._of_asset(str(row["asset_id"])), str(row["asset_id"])
        sector = str(row["sector"])
        return self.tables.included(
            False, sector
        ), f"the sector {sector}" if sector else "the whole inventory"

    def _of_asset(self, asset: str) -> pd.Series:
        """Scope 1 tonnes of a site or cohort by year."""
        mine = np.flatnonzero(self.assets == asset)
        assets = self.tables.assets
        tonnes = pd.Series(assets["co2e_t"].to_numpy()[mine], assets["year"].to_numpy(np.int64)[mine])
        return tonnes if tonnes.index.is_unique else tonnes.groupby(level=0).sum()

    def _intensity(self, row: Promise, year: int) -> Reached:
        """Cut of the tonnes per unit of product since the base year [%]."""
        base, sector, asset = int(row["base_year"]), str(row["sector"]), str(row["asset_id"])
        value, unit = measure(self.tables, "emission_intensity_change", sector, year, base, asset=asset)
        if not np.isfinite(value):
            return Reached(np.nan, why_not=f"no tonnes per unit of product are known for {base} and {year}")
        of = asset or f"the sites of {sector}"
        return Reached(-value, unit, f"scope 1 tonnes per unit of product of {of}")

    def _trucks(self, row: Promise, year: int) -> Reached:
        """Zero-emission trucks on the road, or their share [%]; of a cohort or of all trucks."""
        cohorts = self.pathway.hub.tables["cohorts"]
        own = (
            [str(row["asset_id"])]
            if row["asset_id"]
            else list(cohorts["asset_id"][cohorts["sector"] == row["sector"]])
        )
        metric = "zero_emission_trucks" if row["metric"] == "trucks" else "zero_emission_fleet_share"
        value, unit = measure(self.tables, metric, "", year, None, ";".join(own) or "-")
        if not np.isfinite(value):
            return Reached(np.nan, why_not="the path has no such trucks")
        return Reached(value, unit, f"trucks on the road: {', '.join(own)}")

    def _like_a_breakthrough(self, row: Promise, year: int) -> Reached:
        metric, sector = LIKE_A_BREAKTHROUGH[str(row["metric"])], str(row["sector"]) or ALL_SECTORS
        if sector != ALL_SECTORS and sector not in self.meter.sectors:
            return Reached(np.nan, why_not=f"the path has no {sector}")
        name, found = self.counted(metric, sector)
        if not name:
            return Reached(np.nan, why_not=f"no breakthrough of {sector} says what counts")
        first = int(self.pathway.years[0])
        if found.why_not or year < first:
            return Reached(np.nan, why_not=found.why_not or "before the first year of the path")
        of = f"what breakthrough {name} counts"
        return Reached(float(found.values[year - first]), found.unit, of)

    def _counted(self, metric: str, sector: str) -> tuple[str, Measured]:
        """The first breakthrough of a metric and sector (empty: there is none) and what it counts."""
        lines = self.pathway.hub.library.tables["breakthroughs"]
        lines = lines[(lines["metric"] == metric) & (lines["sector"] == sector)]
        if lines.empty:
            return "", Measured(np.empty(0), "")
        return str(lines["breakthrough"].iloc[0]), self.meter.measure(lines.iloc[0])
