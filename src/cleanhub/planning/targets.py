"""Milestones and sector budgets: metrics of a path, and where it stands against the hub's targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.tables import conform
from cleanhub.core.units import factor
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.series import Drivers, weakest
from cleanhub.pathways import emissions, results
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.emissions import GRID_FACTOR

AT_LEAST = frozenset(
    {
        "zero_emission_sales_share",
        "zero_emission_fleet_share",
        "zero_emission_trucks",
        "co2_captured",
        "plants_changed",
    }
)


TARGET_YEAR = 2045
"""Year of the headlines that name none in their key; the last year of a shorter path."""


@dataclass(frozen=True)
class PathTables:
    """The tables of one run that metrics are read from; without ``drivers`` none of them is measured."""

    emissions: pd.DataFrame
    assets: pd.DataFrame
    switches: pd.DataFrame
    truck_fleet: pd.DataFrame
    drivers: Drivers | None
    zero_emission: frozenset[str]

    @cached_property
    def counted(self) -> pd.DataFrame:
        """The rows of scope 1 inside the inventory in CO2 equivalent: what totals are made of."""
        rows = self.emissions
        return rows[(rows["scope"] == 1) & (rows["boundary"] == "included") & (rows["gas"] == "co2e")]

    @cached_property
    def _columns(self) -> dict[str, NDArray[Any]]:
        """Columns of :attr:`counted` as arrays: many small sums are read off them."""
        kinds = {"year": np.int64, "value": np.float64, "hub_scope": np.bool_}
        names = ("year", "value", "hub_scope", "sector", "asset_kind")
        return {name: self.counted[name].to_numpy(kinds.get(name, object)) for name in names}

    @cached_property
    def _by_year(self) -> dict[tuple[bool, str, bool], pd.Series]:
        return {}

    def included(self, hub_scope: bool = False, sector: str = "", rest: bool = True) -> pd.Series:
        """Scope 1 tonnes inside the inventory by year; without ``rest`` of plants and vehicles alone."""
        key = (hub_scope, sector, rest)
        if key not in self._by_year:
            rows = self._columns
            mine = rows["hub_scope"] | (not hub_scope)
            if sector:
                mine &= rows["sector"] == sector
            if not rest:
                mine &= rows["asset_kind"] != "rest"
            tonnes = pd.Series(rows["value"][mine], rows["year"][mine])
            self._by_year[key] = tonnes.groupby(level=0).sum()
        return self._by_year[key]

    def tonnes_in(self, year: int, hub_scope: bool) -> NDArray[np.float64]:
        """The rows of :attr:`counted` in a year, of the hub's programme alone or all [t CO2e/yr]."""
        rows = self._columns
        return np.asarray(rows["value"][(rows["year"] == year) & (rows["hub_scope"] | (not hub_scope))])

    def assets_in(self, year: int, asset_id: str = "", **words: str) -> pd.DataFrame:
        """Rows of :attr:`assets` in a year, of one asset and of what ``words`` say of other columns."""
        mine = np.flatnonzero((self.assets["year"] == year).to_numpy(bool))
        for name, word in {"asset_id": asset_id, **words}.items():
            if word:
                mine = mine[self.assets[name].to_numpy(object)[mine] == word]
        return self.assets.take(mine)


def tables_of(path: Pathway, made: Mapping[str, pd.DataFrame] | None = None) -> PathTables:
    """The tables of a walked path that metrics are read from.

    ``made`` holds the plan tables where they are at hand. Without it there is what headlines are
    measured by and no more: the emissions of totals, and the assets of :data:`TARGET_YEAR`.
    """
    zero_emission = frozenset(path.tech.names[path.tech.is_vehicle & (path.tech.direct <= 0)])
    if made is not None:
        assets, switches, fleet = made["assets"], made["switches"], made["truck_fleet"]
        return PathTables(made["emissions"], assets, switches, fleet, path.drivers, zero_emission)
    return PathTables(
        emissions.counted_emissions(path),
        results.assets_table(path, only=min(TARGET_YEAR, path.scenario.end_year)),
        results.switches_table(path),
        results.truck_fleet_table(path),
        None,
        zero_emission,
    )


def measure(
    tables: PathTables,
    metric: str,
    sector: str,
    year: int,
    base_year: int | None,
    cohort: str = "",
    asset: str = "",
) -> tuple[float, str]:
    """Value of a target metric on the path and its unit; NaN when it cannot be measured.

    ``cohort`` limits truck metrics to classes, ;-separated; ``asset`` the change of intensity to one site.
    """
    if metric in ("hub_emissions", "state_emissions", "sector_emissions"):
        series = tables.included(metric == "hub_emissions", sector)
        return float(series.get(year, np.nan)), "t CO2e/yr"
    if metric == "emission_intensity_change":
        now, then = (_intensity(tables, sector, one, asset) for one in (year, base_year or year))
        return (now / then - 1.0) * 100.0 if then > 0 else float("nan"), "%"
    if metric.startswith("zero_emission"):
        return _truck_metric(tables, metric, year, cohort)
    if metric == "co2_captured":
        captured = tables.assets["captured_t"][(tables.assets["year"] == year).to_numpy(bool)]
        return float(captured.sum()) if len(captured) else float("nan"), "t/yr"
    if metric == "plants_changed":
        rows = tables.switches
        rows = rows[rows["kind"].isin(["retrofit", "rebuild"]) & (rows["year"] <= year)]
        return float(rows["asset_id"].nunique()), "1"
    if metric == "grid_emission_factor" and tables.drivers and tables.drivers.has(GRID_FACTOR):
        grid = tables.drivers.series(GRID_FACTOR, "t CO2e/MWh")
        return float(np.interp(year, grid.years, grid.values)), "t CO2e/MWh"
    return float("nan"), ""


def _truck_metric(tables: PathTables, metric: str, year: int, cohort: str) -> tuple[float, str]:
    fleet = tables.truck_fleet[tables.truck_fleet["year"] == year]
    if cohort:
        fleet = fleet[fleet["class"].isin([part.strip() for part in cohort.split(";")])]
    if fleet.empty:
        return float("nan"), ""
    zero = fleet["powertrain"].isin(tables.zero_emission)
    if metric == "zero_emission_trucks":
        return float(fleet.loc[zero, "trucks"].sum()), "vehicle"
    counted = "purchases" if metric == "zero_emission_sales_share" else "trucks"
    total = float(fleet[counted].sum())
    share = float(fleet.loc[zero, counted].sum()) / total if total > 0 else float("nan")
    return share * 100.0, "%"


def _intensity(tables: PathTables, sector: str, year: int, asset: str) -> float:
    rows = tables.assets_in(year, asset, sector=sector, asset_kind="site")
    made = float(rows["production"].sum())
    return float(rows["co2e_t"].sum()) / made if made > 0 else float("nan")


def milestones_table(hub: Hub, scenario: Scenario, tables: PathTables) -> pd.DataFrame:
    """Plan table ``milestones``: every target of the hub and the path's value for it."""
    rows = []
    for target in hub.tables["targets"].to_dict("records"):
        metric, year = str(target["metric"]), int(target["year"])
        base = int(target["base_year"]) if pd.notna(target["base_year"]) else None
        note = str(target["note"])
        value, unit = measure(tables, metric, str(target["sector"]), year, base, str(target["cohort"]))
        if year > scenario.end_year:
            value, note = float("nan"), "after the last year of the path"
        wanted = float(target["value"])
        if unit and np.isfinite(value):
            value = value * factor(unit, str(target["unit"]))
        met = ""
        if np.isfinite(value):
            slack = 1e-9 * max(abs(wanted), 1.0)
            good = value >= wanted - slack if metric in AT_LEAST else value <= wanted + slack
            met = "yes" if good else "no"
        rows.append(
            (
                target["target"],
                target["name"],
                year,
                value,
                wanted,
                target["unit"],
                met,
                target["source_id"],
                target["confidence"],
                note,
            )
        )
    return conform(pd.DataFrame(rows, columns=PLAN_TABLES["milestones"].names), PLAN_TABLES["milestones"])


# ---------------------------------------------------------------- budgets


def budgets_table(hub: Hub, scenario: Scenario, tables: PathTables) -> pd.DataFrame:
    """Plan table ``budgets``: the sectors' carbon budgets, or lines to the hub's last target.

    A limit on the emissions of a sector over all years is its budget, whether the scenario
    enforces it or not. A hub without any such limit is measured against straight lines to its
    last emission target.
    """
    rows = _declared_budgets(hub, scenario, tables) or _target_lines(hub, scenario, tables)
    table = PLAN_TABLES["budgets"]
    return conform(pd.DataFrame(rows, columns=table.names), table)


def _declared_budgets(hub: Hub, scenario: Scenario, tables: PathTables) -> list[tuple[object, ...]]:
    """Cumulative limits on the emissions of one sector, against what its plants and vehicles emit."""
    limits = hub.tables["limits"]
    mine = (limits["quantity"] == "emissions") & (limits["period"] == "cumulative") & (limits["sector"] != "")
    for column in ("product", "technology", "region"):
        mine &= limits[column] == ""
    rows: list[tuple[object, ...]] = []
    found = limits[mine & limits["year"].notna() & (limits["kind"] != "floor")]
    for sector, lines in found.sort_values("year").groupby("sector", sort=True):
        lines = lines[lines["limit"] == sorted(set(lines["limit"]))[0]]
        choice = scenario.limit_choice(str(lines["limit"].iloc[0]))
        end = choice.range if choice.range in lines else "value"
        scales = [factor(str(unit), "t") * choice.scale for unit in lines["unit"]]
        values = lines[end].fillna(lines["value"]).to_numpy(float) * np.array(scales)
        at = lines["year"].to_numpy(int)
        first = int(at[0]) if len(at) > 1 else hub.base_year
        last = min(int(at[-1]), scenario.end_year)
        budget = float(np.interp(last, at, values))
        used, over = _spent(tables.included(False, str(sector), rest=False), first, last, budget)
        how = f"limit {lines['limit'].iloc[0]} ({lines['source_id'].iloc[-1]}), of plants and vehicles"
        how += ", counted and not enforced" if _is_soft(lines, choice.off, choice.hard) else ""
        confidence = weakest(lines["confidence"])
        rows.append((sector, budget, used, "t CO2e", first, last, over, how, confidence))
    return rows


def _is_soft(lines: pd.DataFrame, off: bool, hard: bool | None) -> bool:
    if off or hard is not None:
        return off or not hard
    return bool((lines["hard"].fillna(True) == False).any())  # noqa: E712  (a nullable column)


def _spent(tonnes: pd.Series, first: int, last: int, budget: float) -> tuple[float, object]:
    """Tonnes emitted from ``first`` to ``last``, and the year in which they pass ``budget``."""
    years = np.arange(first, last + 1)
    total = np.cumsum(tonnes.reindex(years).fillna(0.0).to_numpy(float))
    over = np.flatnonzero(total > budget * (1.0 + 1e-9))
    return float(total[-1]) if len(total) else 0.0, int(years[over[0]]) if len(over) else pd.NA


def _target_lines(hub: Hub, scenario: Scenario, tables: PathTables) -> list[tuple[object, ...]]:
    """Each covered sector on a straight line to the hub's last target.

    The line runs from the base year's tonnes to the same share of them that the hub's last
    emission target is of the hub's base year. Without such a target there is no budget.
    """
    targets = hub.tables["targets"]
    aims = targets[(targets["metric"] == "hub_emissions") & (targets["year"] <= scenario.end_year)]
    base = float(tables.included(True).get(hub.base_year, 0.0))
    if aims.empty or base <= 0:
        return []
    aim = aims.sort_values("year").iloc[-1]
    last, first = int(aim["year"]), scenario.as_of.year
    left = float(aim["value"]) * factor(str(aim["unit"]), "t CO2e/yr") / base
    years = np.arange(first, last + 1)
    line = 1.0 + (left - 1.0) * np.clip((years - hub.base_year) / (last - hub.base_year), 0.0, 1.0)
    rows: list[tuple[object, ...]] = []
    inside = tables.emissions["hub_scope"].to_numpy(bool)
    for sector in sorted(set(tables.emissions["sector"].to_numpy(object)[inside])):
        path = tables.included(True, sector)
        start = float(path.get(hub.base_year, 0.0))
        if start <= 0:
            continue
        budget = float((line * start).sum())
        used, over = _spent(path, first, last, budget)
        how = f"straight line from {hub.base_year} to {left:.0%} of it in {last} ({aim['target']})"
        confidence = weakest([str(aim["confidence"]), "derived"])
        rows.append((sector, budget, used, "t CO2e", first, last, over, how, confidence))
    return rows
