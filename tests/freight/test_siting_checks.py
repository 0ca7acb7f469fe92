"""Every fault of a siting problem is named, all at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from siting_cases import small_case

from cleanhub.core.errors import InputError
from cleanhub.freight.problem import SitingProblem
from cleanhub.freight.siting import solve_siting
from cleanhub.freight.siting_checks import NAMED, check_problem


def faults(problem: SitingProblem) -> dict[str, list[str]]:
    """The lines of the faults by column."""
    with pytest.raises(InputError) as error:
        check_problem(problem)
    assert error.value.exit_code == 2
    out: dict[str, list[str]] = {}
    for fault in error.value.faults:
        out.setdefault(str(fault.column), []).append(fault.line())
    return out


def test_good_problems_pass() -> None:
    for seed in range(5):
        check_problem(small_case(seed))


def test_a_site_without_a_substation_is_named() -> None:
    problem = small_case(0)
    sites = replace(problem.sites, substation=np.array([0, -1, 1]))
    (line,) = faults(replace(problem, sites=sites))["sites.substation"]
    assert "s1" in line
    assert "found -1" in line
    with pytest.raises(InputError):
        solve_siting(replace(problem, sites=sites))


def test_negative_trucks_are_named_with_their_place() -> None:
    problem = small_case(0)
    trucks = problem.trucks.copy()
    trucks[2, 1] = -5.0
    (line,) = faults(replace(problem, trucks=trucks))["trucks"]
    assert "[2, 1]" in line
    assert "-5" in line


def test_many_faults_are_told_together_and_long_lists_cut() -> None:
    problem = small_case(0, groups=9)
    sites = replace(
        problem.sites,
        name=np.array(["a", "a", "b"], dtype=object),
        least_use=np.array([0.0, 1.5, np.nan]),
        plug_kw=np.array([0.0, 150.0, 150.0]),
    )
    grid = replace(problem.grid, headroom_kw=np.array([-1.0, 5.0]), coincidence=0.0)
    found = faults(
        replace(
            problem,
            sites=sites,
            grid=grid,
            kwh=np.full(9, np.nan),
            pair_site=np.full_like(problem.pair_site, 7),
            objective="beauty",
            equity_share=2.0,
            plug_life=0.0,
        )
    )
    assert set(found) == {
        "sites.name", "sites.least_use", "sites.plug_kw", "grid.headroom_kw", "grid.coincidence", "kwh",
        "pair_site", "objective", "equity_share", "plug_life",
    }  # fmt: skip
    assert len(found["kwh"]) == NAMED + 1
    assert "4 more" in " ".join(found["kwh"])


def test_shapes_come_first() -> None:
    problem = small_case(0)
    found = faults(replace(problem, wanted=np.ones(5), kwh=np.full(4, -1.0)))
    assert list(found) == ["wanted"]
    assert "(2,)" in found["wanted"][0]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"years": np.array([2030, 2028])}, "years"),
        ({"span": np.array([0.0, 1.0])}, "span"),
        ({"budget_usd": np.array([np.nan, 1.0])}, "budget_usd"),
        ({"worth_usd_per_kwh": np.inf}, "worth_usd_per_kwh"),
        ({"worth_usd_per_kwh": np.nan}, "worth_usd_per_kwh"),
        ({"discount_rate": -0.1}, "discount_rate"),
        ({"battery_kwh": np.array([-1.0, 1.0])}, "battery_kwh"),
        ({"working_days": 400.0}, "working_days"),
    ],
)
def test_single_faults(change: dict[str, object], column: str) -> None:
    assert list(faults(replace(small_case(0), **change))) == [column]


def test_no_years_is_a_fault() -> None:
    problem = small_case(0)
    none = np.zeros(0)
    empty = replace(
        problem,
        years=np.zeros(0, dtype=np.int64),
        span=none,
        trucks=np.zeros((4, 0)),
        wanted=none,
        battery_kwh=none,
        budget_usd=none,
    )
    assert list(faults(empty)) == ["years"]


def test_an_unbounded_worth_is_fine_where_cost_does_not_lead() -> None:
    problem = replace(small_case(0), objective="electric_miles", worth_usd_per_kwh=np.inf)
    check_problem(problem)
    assert np.isfinite(solve_siting(problem).objective)
