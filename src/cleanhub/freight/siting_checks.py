"""What can be wrong with a siting problem, all of it at once.

A truck-day that no battery can carry is no fault: it is left unserved.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cleanhub.core.errors import FaultList
from cleanhub.freight.problem import HOME, OBJECTIVES, PUBLIC, SitingProblem

FILE = "siting problem"
NAMED = 5
"""How many of the faulty entries of one array are named."""


def check_problem(problem: SitingProblem) -> None:
    """Raise ``InputError`` that lists every fault of ``problem``."""
    faults = FaultList()
    if _shapes_fit(problem, faults):
        _check_years(problem, faults)
        _check_demand(problem, faults)
        _check_pairs(problem, faults)
        _check_sites(problem, faults)
        _check_grid(problem, faults)
        _check_terms(problem, faults)
    faults.raise_if_any("the siting problem")


def _shapes_fit(problem: SitingProblem, faults: FaultList) -> bool:
    sites, grid = problem.sites, problem.grid
    years, groups, pairs = len(problem.years), len(problem.kwh), len(problem.pair_group)
    count, stations, tiers = len(sites.name), len(grid.name), len(grid.tier)
    asked: dict[str, tuple[NDArray[np.generic], tuple[int, ...]]] = {
        "trucks": (problem.trucks, (groups, years)),
    }
    for name in ("span", "wanted", "battery_kwh", "budget_usd"):
        asked[name] = (getattr(problem, name), (years,))
    for name in ("km", "co2e_t", "pm_people"):
        asked[name] = (getattr(problem, name), (groups,))
    for name in ("pair_site", "pair_kind", "pair_extra_kwh"):
        asked[name] = (getattr(problem, name), (pairs,))
    for name in (field for field in vars(sites) if field != "name"):
        asked[f"sites.{name}"] = (getattr(sites, name), (count,))
    for name in ("title", "lat", "lon", "headroom_kw", "headroom_confidence"):
        asked[f"grid.{name}"] = (getattr(grid, name), (stations,))
    for name in ("tier_kw", "tier_usd", "tier_ready"):
        asked[f"grid.{name}"] = (getattr(grid, name), (stations, tiers))
    for name, (array, shape) in asked.items():
        if np.shape(array) != shape:
            faults.add(FILE, column=name, what="has another shape", found=np.shape(array), allowed=str(shape))
    return not faults.faults


def _say(
    faults: FaultList,
    field: str,
    bad: ArrayLike,
    values: ArrayLike,
    allowed: str,
    names: Iterable[object] | None = None,
) -> None:
    """One fault for each of the first entries where ``bad`` holds, and one for how many more there are."""
    wrong, found = np.asarray(bad), np.asarray(values)
    where = np.argwhere(wrong)
    labels = None if names is None else list(names)
    for index in where[:NAMED]:
        place = tuple(int(i) for i in index)
        of = f" of {labels[place[0]]}" if labels is not None else (f" at {list(place)}" if place else "")
        faults.add(FILE, column=field, what=f"out of range{of}", found=found[place], allowed=allowed)
    if len(where) > NAMED:
        faults.add(FILE, column=field, what="out of range elsewhere too", found=f"{len(where) - NAMED} more")


def _negative(values: ArrayLike, infinite: bool = False) -> NDArray[np.bool_]:
    array = np.asarray(values, dtype=np.float64)
    bad = ~(array >= 0)
    return np.asarray(bad if infinite else bad | ~np.isfinite(array), dtype=bool)


def _check_years(problem: SitingProblem, faults: FaultList) -> None:
    if not len(problem.years):
        faults.add(FILE, column="years", what="no year to decide on", allowed="one or more")
    if (np.diff(problem.years) <= 0).any():
        faults.add(FILE, column="years", what="not in rising order", found=list(problem.years))
    _say(faults, "span", _negative(problem.span) | (problem.span == 0), problem.span, "more than 0")
    _say(faults, "budget_usd", _negative(problem.budget_usd, True), problem.budget_usd, "0 or more")


def _check_demand(problem: SitingProblem, faults: FaultList) -> None:
    for name in ("trucks", "wanted", "kwh", "km", "co2e_t", "pm_people", "battery_kwh"):
        values = getattr(problem, name)
        _say(faults, name, _negative(values, infinite=name == "battery_kwh"), values, "0 or more")


def _check_pairs(problem: SitingProblem, faults: FaultList) -> None:
    group, site, kind = problem.pair_group, problem.pair_site, problem.pair_kind
    groups, sites = len(problem.kwh), len(problem.sites.name)
    _say(faults, "pair_group", (group < 0) | (group >= groups), group, f"0 to {groups - 1}")
    _say(faults, "pair_site", (site < 0) | (site >= sites), site, f"0 to {sites - 1}")
    _say(faults, "pair_kind", ~np.isin(kind, (HOME, PUBLIC)), kind, f"{HOME} or {PUBLIC}")
    extra = problem.pair_extra_kwh
    _say(faults, "pair_extra_kwh", _negative(extra), extra, "0 or more")


def _check_sites(problem: SitingProblem, faults: FaultList) -> None:
    sites, stations = problem.sites, len(problem.grid.name)
    names = list(sites.name)
    for name in sorted({str(name) for name in names if names.count(name) > 1}):
        faults.add(FILE, column="sites.name", what="duplicate", found=name)
    no_station = (sites.substation < 0) | (sites.substation >= stations)
    allowed = f"a substation, 0 to {stations - 1}"
    _say(faults, "sites.substation", no_station, sites.substation, allowed, names)
    for name in ("plug_kw", "kwh_per_plug", "priority"):
        values = getattr(sites, name)
        _say(faults, f"sites.{name}", _negative(values) | (values == 0), values, "more than 0", names)
    for name in ("plugs_most", "open_plugs", "fixed_usd", "usd_per_plug", "yearly_share"):
        values = getattr(sites, name)
        _say(faults, f"sites.{name}", _negative(values), values, "0 or more", names)
    least = sites.least_use
    _say(faults, "sites.least_use", _negative(least) | (least > 1), least, "0 to 1", names)
    price = sites.usd_per_kwh
    _say(faults, "sites.usd_per_kwh", ~np.isfinite(price), price, "a number", names)


def _check_grid(problem: SitingProblem, faults: FaultList) -> None:
    grid = problem.grid
    names = list(grid.name)
    _say(faults, "grid.headroom_kw", _negative(grid.headroom_kw, True), grid.headroom_kw, "0 or more", names)
    for name in ("tier_kw", "tier_usd"):
        values = getattr(grid, name)
        _say(faults, f"grid.{name}", _negative(values), values, "0 or more", names)
    if not 0 < grid.coincidence <= 1:
        faults.add(
            FILE, column="grid.coincidence", what="out of range", found=grid.coincidence, allowed="0 to 1"
        )


def _check_terms(problem: SitingProblem, faults: FaultList) -> None:
    if problem.objective not in OBJECTIVES:
        found, allowed = problem.objective, ", ".join(OBJECTIVES)
        faults.add(FILE, column="objective", what="unknown", found=found, allowed=allowed)
    if problem.objective == "cost" and not np.isfinite(problem.worth_usd_per_kwh):
        faults.add(
            FILE, column="worth_usd_per_kwh", what="has no end under objective cost", allowed="a number"
        )
    for name, low, high in (
        ("equity_share", 0.0, 1.0),
        ("discount_rate", 0.0, 1.0),
        ("worth_usd_per_kwh", 0.0, np.inf),
        ("batteries_most", 0.0, np.inf),
        ("working_days", 0.0, 366.0),
    ):
        value = getattr(problem, name)
        if not low <= value <= high:
            faults.add(FILE, column=name, what="out of range", found=value, allowed=f"{low:g} to {high:g}")
    for name in ("plug_life", "grid_life"):
        value = getattr(problem, name)
        if not value > 0:
            faults.add(FILE, column=name, what="out of range", found=value, allowed="more than 0")
