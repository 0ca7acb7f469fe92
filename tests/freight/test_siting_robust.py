"""One choice for several futures: exact on small cases; how much of a choice outlives other assumptions."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from siting_cases import PlainLP, breaches, small_case

from cleanhub.core.errors import InputError
from cleanhub.freight.problem import SitingProblem
from cleanhub.freight.siting import solve_siting
from cleanhub.freight.siting_robust import rank_survival, solve_robust

EXACT = 1e-7


def futures(seed: int, years: int = 1) -> list[SitingProblem]:
    """Three scenarios: as told, few trucks, little headroom; small enough to try all plugs."""
    problem = small_case(seed, groups=3, sites=2, stations=1, years=years)
    sites = replace(
        problem.sites,
        plugs_most=np.array([4.0, 3.0]),
        least_use=np.zeros(2),
        open_plugs=np.zeros(2),
        open_year=np.zeros(2, dtype=np.int64),
        earliest=np.full(2, problem.years[0]),
        fixed_usd=np.array([2e5, 4e5]),
        forbidden=np.zeros(2, dtype=bool),
    )
    problem = replace(problem, sites=sites, worth_usd_per_kwh=0.7)
    few = replace(problem, trucks=problem.trucks * 0.1, wanted=problem.wanted * 0.1)
    grid = replace(
        problem.grid, headroom_kw=problem.grid.headroom_kw * 0.3, tier_usd=problem.grid.tier_usd * 2
    )
    return [problem, few, replace(problem, grid=grid)]


def values_of_all(problems: list[SitingProblem]) -> np.ndarray:
    """The objective of every number of plugs (rows) in every scenario (columns), the best tiers taken."""
    most = [range(int(n) + 1) for n in problems[0].sites.plugs_most]
    never = len(problems[0].years)
    out = []
    for plugs in itertools.product(*most):
        line = []
        for problem in problems:
            lp = PlainLP(problem, whole=False)
            opened = tuple(0 if n else never for n in plugs)
            fixed = np.array(plugs, dtype=float)[:, None]
            starts = [
                t for t in (0, never) if t == never or problem.grid.tier_ready[0, 0] <= problem.years[0]
            ]
            line.append(max(lp.value(opened, ((start,),), fixed) for start in starts))
        out.append(line)
    return np.array(out)


@pytest.mark.parametrize("seed", range(5))
def test_no_choice_has_a_smaller_largest_regret(seed: int) -> None:
    problems = futures(seed)
    value = values_of_all(problems)
    best = value.max(axis=0)
    least = (best - value).max(axis=1).min()
    found = solve_robust(problems, "regret", gap=EXACT)
    assert found.best == pytest.approx(best, rel=1e-6, abs=1.0)
    assert found.value == pytest.approx(least, rel=1e-5, abs=2.0)
    assert found.bound == pytest.approx(least, rel=1e-5, abs=2.0)
    assert found.regret.max() <= found.value + 2.0
    assert all(breaches(plan) == [] for plan in found.plans)


@pytest.mark.parametrize("tail", [0.3, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_no_choice_has_a_larger_mean_of_the_tail(seed: int, tail: float) -> None:
    problems = futures(seed)
    share = np.array([0.5, 0.3, 0.2])
    value = values_of_all(problems)
    value = value[np.isfinite(value).all(axis=1)]
    order = np.argsort(value, axis=1)
    ranked, weight = np.take_along_axis(value, order, 1), share[order]
    before = np.cumsum(weight, axis=1) - weight
    taken = np.clip(tail - before, 0.0, weight)
    most = ((ranked * taken).sum(axis=1) / tail).max()
    found = solve_robust(problems, "cvar", tail=tail, weights=list(share), gap=EXACT)
    assert found.value == pytest.approx(most, rel=1e-5, abs=2.0)
    assert found.bound >= found.value - 2.0


def test_the_shared_years_are_alike_and_later_ones_may_differ() -> None:
    problems = futures(2, years=2)
    near = int(problems[0].years[0])
    both = solve_robust(problems, "cvar", tail=1.0, gap=EXACT)
    some = solve_robust(problems, "cvar", tail=1.0, shared_until=near, gap=EXACT)
    for plan in both.plans[1:]:
        np.testing.assert_allclose(plan.plugs, both.plans[0].plugs, atol=1e-6)
    for plan in some.plans[1:]:
        np.testing.assert_allclose(plan.plugs[:, 0], some.plans[0].plugs[:, 0], atol=1e-6)
    assert some.value >= both.value - 1.0
    assert np.mean(some.best) >= some.value - 1.0


def test_one_scenario_has_nothing_to_regret() -> None:
    problem = futures(1)[0]
    found = solve_robust([problem], gap=EXACT)
    assert found.value == pytest.approx(0.0, abs=2.0)
    assert found.plans[0].objective == pytest.approx(solve_siting(problem, EXACT).objective, rel=1e-6)


def test_scenarios_that_do_not_belong_together_are_all_told() -> None:
    problems = futures(1)
    with pytest.raises(InputError, match="no scenario"):
        solve_robust([])
    other = replace(problems[1], objective="co2e", years=problems[1].years + 1)
    with pytest.raises(InputError) as error:
        solve_robust([problems[0], other], tail=0.0, weights=[1.0])
    columns = {fault.column for fault in error.value.faults}
    assert columns == {"objective", "years", "tail", "weights"}


# --- rank survival -------------------------------------------------------------------------------


def test_nothing_changes_when_nothing_is_changed() -> None:
    problem = small_case(9, groups=8, sites=6, years=3)
    plan = solve_siting(problem, 0.03, nodes=0)
    same = rank_survival(problem, plan, factors=(1.0,), top=3)
    assert same.case == ("headroom x 1", "demand x 1")
    assert same.share == same.top_share == 1.0
    assert (same.places == same.place).all()
    assert (same.order == 1.0).all()


def test_without_demand_no_site_survives() -> None:
    problem = small_case(9, groups=8, sites=6, years=3)
    plan = solve_siting(problem, 0.03, nodes=0)
    gone = rank_survival(problem, plan, factors=(0.0, 1.0))
    assert gone.case[2] == "demand x 0"
    assert gone.share_by_case[2] == 0.0
    assert gone.share == gone.top_share == 0.0
    assert gone.share_by_case[1] == 1.0


def test_places_go_from_one_up_by_energy() -> None:
    problem = small_case(9, groups=8, sites=6, years=3)
    plan = solve_siting(problem, 1e-6)
    found = rank_survival(problem, plan)
    chosen = np.flatnonzero(plan.opened)
    assert (found.chosen == (plan.opened > 0)).all()
    assert sorted(found.place[chosen]) == list(range(1, len(chosen) + 1))
    weight = problem.span * 1.08 ** -(problem.years - problem.years[0])
    energy = np.bincount(problem.pair_site, plan.delivered @ weight, minlength=6)[chosen]
    assert (np.diff(energy[np.argsort(found.place[chosen])]) <= 0).all()
    assert 0.0 <= found.share <= found.share_by_case.min() <= 1.0


def test_a_plan_that_chose_nothing_is_no_fault() -> None:
    problem = small_case(4)
    plan = solve_siting(replace(problem, wanted=np.zeros(2)))
    found = rank_survival(plan.problem, plan)
    assert found.share == 0.0
    assert (found.order == 1.0).all()
