"""Limits that nobody can meet together are named, and no more of them than needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from problems import Cap, Fleet, Market, Plant, Tech, build_problem

from cleanhub.core.errors import InputError
from cleanhub.pathways.optimal import ConflictError, cost_of, solve_optimal
from cleanhub.pathways.problem import Problem

OPTIONS = [
    Tech("old", capex=100, direct=1.0, variable=10, cycle=5, lifetime=5),
    Tech("capture", capex=160, capex_added=60, base="old", direct=0.1, captured=0.9, cycle=5, lifetime=5),
    Tech("clean", capex=150, inputs={"power": 1}, cycle=4, lifetime=8),
    Tech("diesel", vehicle=True, capex=100, direct=1, variable=1, lifetime=5),
    Tech("electric", vehicle=True, capex=150, inputs={"power": 0.1}, lifetime=5),
]
SWITCHES = {
    ("old", "capture"): "retrofit",
    ("old", "clean"): "rebuild",
    ("diesel", "electric"): "rebuild",
}


def problem_with(limits: Sequence[Cap], fleets: Sequence[Fleet] = (), **more: object) -> Problem:
    return build_problem(
        OPTIONS,
        [Plant("old", 3.0, last_investment=2020), Plant("old", 2.0, last_investment=2021)],
        switches=SWITCHES,
        limits=limits,
        fleets=fleets,
        last=2034,
        **more,  # type: ignore[arg-type]
    )


def conflict(problem: Problem) -> ConflictError:
    with pytest.raises(ConflictError) as caught:
        solve_optimal(problem)
    return caught.value


def late(value: float) -> np.ndarray:
    """A value in the last year alone."""
    return np.where(np.arange(10) == 9, value, np.nan)


TONNES = Cap("tonnes", "emissions", late(1.0), "direct")
NO_STORAGE = Cap("storage", "co2_storage", 0.0, "captured")
NO_POWER = Cap("power", "carrier_use", 0.0, {"clean": 1.0})
WIDE = Cap("wide", "emissions", 1e9, "direct")


def test_limits_that_can_be_met_raise_nothing() -> None:
    assert solve_optimal(problem_with([TONNES, NO_STORAGE, WIDE])).objective > 0


def test_the_limits_that_conflict_are_named_and_no_others() -> None:
    error = conflict(problem_with([TONNES, NO_STORAGE, NO_POWER, WIDE]))
    assert error.names == ["power", "steel", "storage", "tonnes"]
    assert len(error.sets) == 1


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_without_any_one_of_them_the_rest_can_be_met(gone: int) -> None:
    limits = [TONNES, NO_STORAGE, NO_POWER]
    del limits[gone]
    assert solve_optimal(problem_with([*limits, WIDE])).objective > 0


def test_a_limit_that_is_soft_is_in_no_conflict() -> None:
    soft = replace(NO_POWER, hard=False)
    assert solve_optimal(problem_with([TONNES, NO_STORAGE, soft])).path.used[2].max() > 0


def test_it_is_an_input_error_with_one_line_for_each_name() -> None:
    error = conflict(problem_with([TONNES, NO_STORAGE, NO_POWER]))
    assert isinstance(error, InputError)
    assert error.exit_code == 2
    lines = str(error).splitlines()
    assert len(lines) == 1 + 4
    assert any(
        line.strip().startswith("limits.csv: limit tonnes cannot be met together with") for line in lines
    )
    assert all("allowed" in line for line in lines[1:])


def test_a_limit_before_any_choice_conflicts_with_what_the_plants_make() -> None:
    error = conflict(problem_with([Cap("now", "emissions", 1.0, "direct")]))
    assert error.sets == [[("limit", "now"), ("production", "steel")]]


def test_a_floor_above_what_there_is_conflicts() -> None:
    floor = Cap("all clean", "production_share", late(1.0), {"clean": 1.0}, floor=True)
    error = conflict(problem_with([floor, NO_POWER]))
    assert error.names == ["all clean", "power", "steel"]  # no steel would be wholly clean too


def test_a_sales_rule_that_power_does_not_allow_is_named() -> None:
    fleet = Fleet(["diesel", "electric"], 100.0, mileage=10, life=5, sales_floor=0.5, name="vans")
    cap = Cap("charging", "carrier_use", 0.0, {"electric": 0.1}, markets=[])
    assert solve_optimal(problem_with([cap], [replace(fleet, sales_floor=0.0)])).objective > 0
    stays_parked = solve_optimal(problem_with([cap], [fleet], carbon_price=0.0))
    assert stays_parked.path.vehicles[0].distance[1].max() == pytest.approx(0.0, abs=1e-6)
    tonnes = Cap("tailpipe", "emissions", late(10.0), {"diesel": 1.0}, markets=[])
    error = conflict(problem_with([cap, tonnes], [fleet]))
    assert error.names == ["charging", "tailpipe", "vans"]
    assert ("activity", "vans") in error.sets[0]


def test_independent_conflicts_are_all_named() -> None:
    fleet = Fleet(["diesel", "electric"], 100.0, mileage=10, life=5, name="vans")
    charging = Cap("charging", "carrier_use", 0.0, {"electric": 0.1}, markets=[])
    tailpipe = Cap("tailpipe", "emissions", late(10.0), {"diesel": 1.0}, markets=[])
    steel = replace(TONNES, name="works", weight={"old": 1.0, "capture": 0.1}, cohorts=False)
    error = conflict(problem_with([charging, tailpipe, steel, NO_POWER, NO_STORAGE], [fleet]))
    named = [sorted(name for kind, name in one if kind == "limit") for one in error.sets]
    assert sorted(named) == [["charging", "tailpipe"], ["power", "storage", "works"]]


def test_a_committed_addition_that_a_limit_forbids_is_named() -> None:
    options = [Tech("reformer", capex=10, direct=1.0, captured=1.0, lifetime=10, cycle=50)]
    must = Cap("run it", "production_share", late(0.5), {"reformer": 1.0}, floor=True)
    none = Cap("no carbon", "co2_storage", 0.0, "captured")
    problem = build_problem(
        options,
        markets=[Market("hydrogen", demand=4.0, offered=["reformer"], plant_capacity=1.0)],
        limits=[none, must],
        additions=[(2027, 0, 0, 1.0, "project x")],
        last=2034,
    )
    assert conflict(problem).names == ["no carbon", "run it"]


def test_demand_that_cannot_be_met_is_no_conflict() -> None:
    options = [Tech("reformer", capex=10, direct=1.0, lifetime=10, cycle=50)]
    problem = build_problem(
        options,
        markets=[Market("hydrogen", demand=4.0, offered=["reformer"], plant_capacity=1.0)],
        limits=[Cap("no tonnes", "emissions", 0.0, "direct")],
        last=2034,
    )
    assert solve_optimal(problem).path.unmet[0] == pytest.approx(4.0)


def test_the_first_year_and_the_value_that_could_be_kept_are_told() -> None:
    tonnes = Cap("now", "emissions", np.array([9.0, 9, 4, 4, 9, 9, 9, 9, 9, 9]), "direct")
    late_clean = problem_with([tonnes], first_choice=2027)
    none = late_clean.tech.earliest.copy()
    none[:] = np.where(late_clean.tech.direct < late_clean.tech.direct.max(), 2030, none)
    error = conflict(replace(late_clean, tech=replace(late_clean.tech, earliest=none)))
    assert error.gives == {("limit", "now"): "4 1/yr in 2027, where at least 5 can be kept"}
    floor = Cap("half", "production_share", late(0.5), {"clean": 1.0}, floor=True, unit="1")
    told = conflict(problem_with([floor, NO_POWER])).gives
    assert told["limit", "half"] == "0.5 1 in 2034, where at most 0 can be kept"


def test_what_is_used_before_any_choice_conflicts_with_nothing() -> None:
    tonnes = Cap("now", "emissions", np.array([9.0, 9, 4, 4, 9, 9, 9, 9, 9, 9]), "direct")
    problem = problem_with([tonnes], first_choice=2030)
    best = solve_optimal(problem)
    assert best.path.used[0, 2] > 4.0, "the table of limits shows it"
    assert not cost_of(problem, best.path).broken


def test_the_same_conflict_is_told_the_same_way() -> None:
    one, other = (conflict(problem_with([TONNES, NO_STORAGE, NO_POWER])) for _ in range(2))
    assert str(one) == str(other)


def capped(most: float, limits: Sequence[Cap] = ()) -> Problem:
    """Trucks of which at most a share may be electric each year, though electric ones are cheaper."""
    fleet = Fleet(("diesel", "electric"), demand=10.0, mileage=1.0, life=5)
    problem = problem_with(limits, [fleet], carbon_price=100.0)
    trucks = replace(problem.vehicles[0], sales_cap=np.full(len(problem.years), most))
    return replace(problem, vehicles=[trucks])


def test_no_more_are_bought_than_supply_allows() -> None:
    free, bound = solve_optimal(capped(1.0)), solve_optimal(capped(0.25))
    bought = bound.path.vehicles[0].bought
    share = bought[1, 1:].sum() / bought[:, 1:].sum()
    assert free.path.vehicles[0].bought[0, 1:].sum() == pytest.approx(0.0, abs=1e-6)
    assert share == pytest.approx(0.25)
    assert bound.objective > free.objective


def test_a_bound_on_supply_that_a_limit_contradicts_is_named() -> None:
    few = Cap("no diesel", "emissions", late(0.5), {"diesel": 1.0})
    assert solve_optimal(capped(1.0, [few])).path.used[0, -1] <= 0.5 + 1e-9
    (found,) = conflict(capped(0.0, [few])).sets
    assert ("zero-emission sales at most", "trucks") in found
    assert ("limit", "no diesel") in found


def test_what_is_no_longer_sold_is_not_bought() -> None:
    problem = capped(0.0)
    ends = np.where(problem.tech.is_vehicle & (problem.tech.direct > 0), 2028, 9999)
    gone = replace(problem, tech=replace(problem.tech, latest=ends))
    gone.vehicles[0] = replace(gone.vehicles[0], sales_cap=None)
    bought = solve_optimal(gone).path.vehicles[0].bought
    assert not bought[0, gone.years > 2028].any()
    assert bought[1, gone.years > 2028].sum() > 0
