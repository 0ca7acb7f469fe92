"""The year loop: sites and vehicles move together, one year at a time.

:func:`run_pathway` builds the columns, walks the years once and returns the state by
year. Turning that state into plan tables is the business of :mod:`cleanhub.pathways.results`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.core.units import factor
from cleanhub.finance.technologies import Technologies, UnitCosts, build_technologies, unit_costs
from cleanhub.hub.library import Library
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.series import Drivers
from cleanhub.pathways.choice import grant, score
from cleanhub.pathways.sites import Sites, build_sites, due_years
from cleanhub.pathways.vehicles import VehicleClass, build_vehicles, step_vehicles

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass
class Pathway:
    """State of a whole path: what every site runs in every year, and every vehicle class.

    ``run`` is the technology by site and year (N, T), ``switched`` whether it changed in
    that year, ``capex`` the capital spent (N, T) [USD]; ``limits`` holds, by limit, the
    allowed value, what was used and the best saving refused per unit, each shape (T,).
    """

    hub: Hub
    scenario: Scenario
    years: IntArray
    tech: Technologies
    costs: UnitCosts
    drivers: Drivers
    kinds: NDArray[np.object_]
    sites: Sites
    run: IntArray
    capex: FloatArray
    saving: FloatArray
    vehicles: list[VehicleClass]
    limits: dict[str, tuple[FloatArray, FloatArray, FloatArray, str]]
    first_choice_year: int

    @property
    def site_emissions(self) -> FloatArray:
        """Scope 1 tonnes by site and year, shape (N, T).

        A committed project cuts tonnes while its site runs what it started with: once the
        site has changed, the change stands for the project.
        """
        direct = np.where(self.run >= 0, self.tech.direct[np.maximum(self.run, 0)], 1.0)
        committed = np.where(self.run == self.sites.start[:, None], self.sites.committed_t, 0.0)
        return np.maximum(self.sites.production * direct - committed, 0.0)

    @property
    def site_captured(self) -> FloatArray:
        """CO2 captured for storage by site and year, shape (N, T) [t]."""
        held = np.where(self.run >= 0, self.tech.captured[np.maximum(self.run, 0)], 0.0)
        return np.asarray(self.sites.production * held, dtype=np.float64)

    def site_captured_at(self, t: int) -> float:
        """CO2 captured for storage by all sites in year position ``t`` [t]."""
        now = self.run[:, t]
        held = np.where(now >= 0, self.tech.captured[np.maximum(now, 0)], 0.0)
        size = self.sites.base_t / self.sites.unit_intensity * self.sites.activity[:, t]
        return float((held * size).sum())


def run_pathway(hub: Hub, scenario: Scenario, progress: Callable[[int, int], None] | None = None) -> Pathway:
    """Walk the years from the base year to the scenario's end year.

    ``progress`` is called with (year position, number of years) after each year.
    """
    years = np.arange(hub.base_year, scenario.end_year + 1)
    drivers = Drivers(hub, scenario, years)
    tech = build_technologies(hub.library, scenario)
    costs = unit_costs(tech, drivers, scenario.decision.lead_time)
    kinds = switch_kinds(hub.library, tech)
    kinds[:, ~costs.priced] = ""
    sites = build_sites(hub, scenario, tech, drivers)
    vehicles = build_vehicles(hub, scenario, tech, costs, drivers, kinds != "")
    count, number = len(years), len(sites.asset_id)
    path = Pathway(
        hub=hub,
        scenario=scenario,
        years=years,
        tech=tech,
        costs=costs,
        drivers=drivers,
        kinds=kinds,
        sites=sites,
        run=np.repeat(sites.start[:, None], count, axis=1),
        capex=np.zeros((number, count)),
        saving=np.zeros((number, count)),
        vehicles=vehicles,
        limits=_limits(hub, scenario, years),
        first_choice_year=scenario.as_of.year + scenario.decision.lead_time,
    )
    for t, year in enumerate(years):
        _step_sites(path, t, int(year))
        for cls in vehicles:
            step_vehicles(cls, t, int(year), hub.base_year, scenario.as_of.year, scenario, tech)
        if progress:
            progress(t + 1, count)
    return path


def switch_kinds(library: Library, tech: Technologies) -> NDArray[np.object_]:
    """Kind of every allowed switch, shape (K, K); empty where the library allows none."""
    kinds = np.full((len(tech.names), len(tech.names)), "", dtype=object)
    table = library.tables["switches"]
    position = {name: k for k, name in enumerate(tech.names)}
    for _, row in table.iterrows():
        kinds[position[row["from_technology"]], position[row["to_technology"]]] = row["kind"]
    return kinds


def _step_sites(path: Pathway, t: int, year: int) -> None:
    sites, tech, scenario = path.sites, path.tech, path.scenario
    if t == 0 or not len(sites.asset_id):
        return
    path.run[:, t] = path.run[:, t - 1]
    own = path.run[:, t]
    is_open = (year <= sites.closed_year) & (own >= 0)
    due = due_years(sites, np.where(own >= 0, tech.cycle[np.maximum(own, 0)], 1), path.years[t : t + 1])[:, 0]
    if year <= sites.last_year:
        return
    renew = is_open & due
    renewal = np.where(tech.base >= 0, tech.capex - tech.capex_added, tech.capex)
    path.capex[renew, t] = renewal[own[renew]] * sites.production[renew, t]
    if year < path.first_choice_year:
        _use_storage(path, t)
        return
    who = np.flatnonzero(is_open & (due | scenario.decision.reinvest_early))
    if len(who):
        _decide(path, t, year, who, due[who])
    _use_storage(path, t)


def _decide(path: Pathway, t: int, year: int, who: IntArray, on_cycle: NDArray[np.bool_]) -> None:
    sites, tech, costs = path.sites, path.tech, path.costs
    own = path.run[who, t].copy()
    allowed = (path.kinds[own] != "") & (tech.earliest[None, :] <= year)
    emitted = sites.production[who, t] * tech.direct[own]
    allowed &= emitted[:, None] >= tech.minimum_site_t[None, :]
    allowed[np.arange(len(who)), own] = True
    retrofit = path.kinds[own] == "retrofit"
    scores, cost = score(
        path.scenario.decision.rule,
        costs.running[:, t],
        tech.capital_charge,
        tech.direct,
        own,
        on_cycle,
        allowed,
        tech.capital_charge_added,
        retrofit,
    )
    size = sites.production[who, t]
    left = {name: _left(path, name, t) for name in ("co2_storage", "switches_per_year")}
    granted = grant(scores, cost, own, size, tech.captured, left["co2_storage"], left["switches_per_year"])
    moved = np.flatnonzero(granted.choice != own)
    to, site = granted.choice[moved], who[moved]
    path.run[site, t] = to
    added = np.where(retrofit[moved, to] & ~on_cycle[moved], tech.capex_added[to], tech.capex[to])
    path.capex[site, t] = added * size[moved]
    path.saving[site, t] = cost[moved, own[moved]] - cost[moved, to]
    for _, used, refused, quantity in path.limits.values():
        if quantity == "switches_per_year":
            used[t] = len(moved)
        refused[t] = granted.refused.get(quantity, 0.0)


def _left(path: Pathway, quantity: str, t: int) -> float:
    """What the tightest limit on ``quantity`` still allows in year ``t``."""
    left = np.inf
    for value, _, _, of in path.limits.values():
        if of == quantity:
            used = float(path.site_captured_at(t)) if quantity == "co2_storage" else 0.0
            left = min(left, float(value[t]) - used)
    return max(left, 0.0)


def _use_storage(path: Pathway, t: int) -> None:
    for limit in path.limits.values():
        if limit[3] == "co2_storage":
            limit[1][t] = path.site_captured_at(t)


LIMIT_UNITS = {"co2_storage": "t/yr", "switches_per_year": "1/yr"}
"""Unit in which each limited quantity is counted."""


def _limits(
    hub: Hub, scenario: Scenario, years: IntArray
) -> dict[str, tuple[FloatArray, FloatArray, FloatArray, str]]:
    """Value, use and refused saving of every limit that is not lifted.

    Raises ``InputError`` when the unit of a limit does not fit what it limits.
    """
    limits = {}
    faults = FaultList()
    for name, rows in hub.tables["limits"].groupby("limit", sort=True):
        choice = scenario.limit_choice(str(name))
        if choice.off:
            continue
        rows = rows[rows["year"].notna()].sort_values("year")
        quantity = str(rows["quantity"].iloc[0])
        unit = LIMIT_UNITS[quantity]
        scales = np.ones(len(rows))
        for position, (line, row) in enumerate(rows.iterrows()):
            try:
                scales[position] = factor(str(row["unit"]), unit)
            except ValueError:
                what = f"unit does not fit {quantity}"
                faults.add("limits.csv", int(str(line)), "unit", what=what, found=row["unit"], allowed=unit)
        chosen = rows[choice.range].fillna(rows["value"]).to_numpy(float) * scales
        value = np.interp(years, rows["year"].to_numpy(float), chosen) * choice.scale
        limits[str(name)] = (value, np.zeros(len(years)), np.zeros(len(years)), quantity)
    faults.raise_if_any("limits")
    return limits
