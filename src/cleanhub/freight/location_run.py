"""Solve a location file by the model that is asked for, after checking that file and options fit it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cleanhub.core.errors import FaultList
from cleanhub.freight.location import Location
from cleanhub.freight.location_capacity import Facilities, solve_capacitated
from cleanhub.freight.location_cover import solve_covering
from cleanhub.freight.location_files import LocationFile
from cleanhub.freight.location_median import AUTO, MEDIAN_FORMS, solve_p_median
from cleanhub.freight.location_refuelling import solve_flow_refuelling
from cleanhub.freight.location_solver import Stops

MODELS = ("p-median", "mclp", "capacitated", "single-source", "frlm")


@dataclass(frozen=True)
class Choices:
    """Options of a run.

    ``count`` sites (``--p``), ``reach`` (``--range``, in the unit of the file's lengths), ``budget`` (in
    the unit of the sites' costs), when to stop, and the ``form`` of the p-median.
    """

    count: int | None = None
    reach: float | None = None
    budget: float | None = None
    stops: Stops = field(default_factory=Stops)
    form: str = AUTO


def solve_location(model: str, given: LocationFile, choices: Choices) -> Location:
    """Solve ``given`` by ``model``, one of :data:`MODELS`.

    Raises
    ------
    InputError
        Naming everything in which file and options do not fit the model.
    RunError
        When there is no solution, or none was found before a stop.
    """
    own = given.count if choices.budget is None else None
    count = own if choices.count is None else choices.count
    _check(model, given, choices, count)
    stops, budget = choices.stops.start(), np.inf if choices.budget is None else choices.budget
    if model == "p-median":
        assert count is not None
        return solve_p_median(given.distance, given.weight, count, stops, choices.form)
    if model == "mclp":
        assert choices.reach is not None
        covers = given.distance <= choices.reach
        return solve_covering(covers, given.weight, count, given.fixed, budget, stops)
    if model == "frlm":
        assert choices.reach is not None
        assert given.paths is not None
        return solve_flow_refuelling(given.paths, choices.reach, count, None, budget, stops)
    assert given.demand is not None
    assert given.capacity is not None
    assert given.fixed is not None
    reach = np.isfinite(given.distance)
    cost = np.where(reach, np.where(reach, given.distance, 0.0) * given.weight, np.inf)
    single = model == "single-source"
    return solve_capacitated(Facilities(cost, given.demand, given.capacity, given.fixed, single), stops)


def _check(model: str, given: LocationFile, choices: Choices, count: int | None) -> None:
    faults = FaultList()
    if model not in MODELS:
        faults.add("MODEL", what="no such model", found=model, allowed=", ".join(MODELS))
        faults.raise_if_any("freight locate")
    if (model == "frlm") != (given.paths is not None):
        layouts = "paths" if model == "frlm" else "pmed, matrix or points"
        layouts = "cap, holmberg, matrix or points" if model in MODELS[2:4] else layouts
        faults.add(given.name, what=f"layout {given.layout} does not fit {model}", allowed=layouts)
    if choices.form not in MEDIAN_FORMS:
        faults.add("--form", what="no such form", found=choices.form, allowed=", ".join(MEDIAN_FORMS))
    elif choices.form != AUTO and model != "p-median":
        faults.add("--form", what=f"{model} has one form", found=choices.form)
    if model in ("p-median", "mclp") and not given.weight.sum() > 0.0:
        faults.add(given.name, None, "weight", what="no customer has a weight above 0")
    _check_count(model, given, choices, count, faults)
    _check_numbers(model, choices, faults)
    if model in ("capacitated", "single-source") and given.paths is None:
        for name, values in (
            ("demand", given.demand),
            ("capacity", given.capacity),
            ("fixed_cost", given.fixed),
        ):
            if values is None:
                faults.add(given.name, None, name, what=f"{model} needs it and the file has none")
    faults.raise_if_any("freight locate")


def _check_count(
    model: str, given: LocationFile, choices: Choices, count: int | None, faults: FaultList
) -> None:
    most = len(given.sites)
    if model in ("capacitated", "single-source"):
        if choices.count is not None:
            faults.add("--p", what=f"{model} decides itself how many sites to open", found=choices.count)
        return
    if count is None and (model == "p-median" or choices.budget is None):
        asked = f"1 to {most}" + ("" if model == "p-median" else ", or a --budget")
        faults.add("--p", what=f"{model} needs the number of sites", allowed=asked)
    if count is not None and not 1 <= count <= most:
        faults.add("--p", what="number of sites out of range", found=count, allowed=f"1 to {most}")


def _check_numbers(model: str, choices: Choices, faults: FaultList) -> None:
    by_range = model in ("mclp", "frlm")
    if by_range and choices.reach is None:
        faults.add("--range", what=f"{model} needs it", allowed="a length in the file's unit")
    if not by_range and choices.reach is not None:
        faults.add("--range", what=f"{model} has no range", found=choices.reach)
    if not by_range and choices.budget is not None:
        faults.add("--budget", what=f"{model} has no budget", found=choices.budget)
    for option, value in (
        ("--range", choices.reach),
        ("--budget", choices.budget),
        ("--gap", choices.stops.gap),
    ):
        if value is not None and not (value >= 0.0 and np.isfinite(value)):
            faults.add(option, what="out of range", found=value, allowed="0 or more")
    if not choices.stops.seconds >= 0.0:
        faults.add("--seconds", what="out of range", found=choices.stops.seconds, allowed="0 or more")
    if choices.stops.nodes < 0:
        faults.add("--nodes", what="out of range", found=choices.stops.nodes, allowed="0 or more")
