"""What binds is the one thing that was made scarce."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from siting_cases import one_site, small_case

from cleanhub.core.errors import InputError
from cleanhub.freight.problem import SitingProblem
from cleanhub.freight.siting import solve_siting
from cleanhub.freight.siting_binds import LIMITS, reachable, what_binds, what_could_be


def ample() -> SitingProblem:
    """A site that can serve all that is wanted, with nothing scarce."""
    return one_site(wanted=np.array([10.0]))


def binding(problem: SitingProblem) -> tuple[str, float]:
    found = what_binds(problem, solve_siting(problem, 1e-6))
    return found.binds[0], float(found.served[0])


def test_nothing_binds_where_all_is_served() -> None:
    assert binding(ample()) == ("nothing", pytest.approx(10.0))


def test_nothing_binds_where_fewer_trucks_stand_than_are_wanted() -> None:
    assert binding(one_site(wanted=np.array([50.0])))[0] == "nothing"


def test_range_binds() -> None:
    assert binding(replace(ample(), battery_kwh=np.array([140.0]))) == ("range", 0.0)
    at_home = replace(ample(), battery_kwh=np.array([200.0]), pair_kind=np.array([0]))
    assert binding(at_home) == ("range", 0.0)


def test_plugs_bind() -> None:
    problem = ample()
    few = replace(problem, sites=replace(problem.sites, plugs_most=np.array([2.0])))
    found = what_binds(few, solve_siting(few, 1e-6))
    assert found.binds.tolist() == ["plugs"]
    assert found.relaxed == pytest.approx([4.0])
    assert found.served_without["plugs"] == pytest.approx([10.0])
    assert found.served_without["range"] == pytest.approx([4.0])
    late = replace(problem, sites=replace(problem.sites, earliest=np.array([2040])))
    assert binding(late) == ("plugs", 0.0)


def test_the_grid_binds() -> None:
    problem = ample()
    weak = replace(
        problem.grid, headroom_kw=np.array([300.0]), tier_ready=np.array([[2040]]), coincidence=1.0
    )
    assert binding(replace(problem, grid=weak)) == ("grid", pytest.approx(4.0))


def test_cost_binds() -> None:
    problem = ample()
    assert binding(replace(problem, worth_usd_per_kwh=0.2)) == ("cost", 0.0)
    assert binding(replace(problem, budget_usd=np.array([50e3]))) == ("cost", 0.0)
    dear = replace(problem.sites, usd_per_plug=np.array([5e6]))
    assert binding(replace(problem, sites=dear)) == ("cost", 0.0)


def test_two_limits_that_each_hold_everything_are_several() -> None:
    problem = ample()
    weak = replace(problem.grid, headroom_kw=np.zeros(1), tier_ready=np.array([[2040]]))
    short = replace(problem, grid=weak, battery_kwh=np.array([100.0]))
    assert binding(short) == ("several", 0.0)


def test_lifting_never_takes_away_and_years_are_told_apart() -> None:
    for seed in range(4):
        problem = small_case(seed, groups=8, sites=6, years=3)
        found = what_binds(problem, solve_siting(problem, 0.01))
        assert set(found.served_without) == set(LIMITS)
        for value in found.served_without.values():
            assert (value >= found.relaxed - 1e-9).all()
            assert (value <= found.wanted * (1 + 1e-6)).all()
        assert found.binds.shape == (3,)


def test_what_a_battery_reaches() -> None:
    problem = small_case(0)
    reach = problem.kwh[:, None] <= 2.0 * problem.battery_kwh
    assert reachable(problem) == pytest.approx((problem.trucks * reach).sum(axis=0))
    assert reachable(replace(problem, batteries_most=np.inf)) == pytest.approx(problem.trucks.sum(axis=0))


def test_a_faulty_problem_is_refused() -> None:
    problem = ample()
    plan = solve_siting(problem)
    with pytest.raises(InputError, match="trucks"):
        what_binds(replace(problem, trucks=-problem.trucks), plan)


def test_what_could_be_is_what_a_plan_for_all_trucks_serves_in_each_year_alone() -> None:
    for seed in range(4):
        problem = small_case(seed, groups=8, sites=6, years=3)
        found = what_could_be(problem)
        total = problem.trucks.sum(axis=0)
        for t in range(3):
            cut = {name: getattr(problem, name)[t : t + 1] for name in ("years", "battery_kwh", "budget_usd")}
            alone = replace(
                problem, trucks=problem.trucks[:, t : t + 1], wanted=total[t : t + 1], span=np.ones(1), **cut
            )
            best = solve_siting(alone, 1e-6)
            expected = what_binds(alone, best)
            if expected.relaxed[0] < 0.995 * total[t]:
                assert found.relaxed[t] == pytest.approx(expected.relaxed[0])
                for name in LIMITS:
                    assert found.served_without[name][t] == pytest.approx(expected.served_without[name][0])


def test_nothing_keeps_trucks_from_what_could_be_where_all_have_room() -> None:
    found = what_could_be(one_site(wanted=np.array([0.0])))
    assert found.binds.tolist() == ["nothing"]
    assert found.relaxed == pytest.approx(found.wanted)
