"""Siting is exact on small cases, keeps every rule on larger ones, and answers change the way it must."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from siting_cases import best_by_trying, bound_of, breaches, one_site, small_case, worth_of

from cleanhub.core.errors import InputError
from cleanhub.freight.problem import HOME, OBJECTIVES, PUBLIC, SitingPlan, SitingProblem
from cleanhub.freight.siting import assign, made_plan, programme_of, relative_gap, solve_siting

EXACT = 1e-9


def limited(seed: int) -> SitingProblem:
    """A small case; some with a share for disadvantaged tracts, some with a budget."""
    problem = small_case(seed, equity_share=0.3 if seed % 3 == 1 else 0.0)
    return replace(problem, budget_usd=np.array([1.5e6, 4e6])) if seed % 4 == 2 else problem


# --- exact ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(16))
def test_no_choice_of_openings_is_better(seed: int) -> None:
    problem = limited(seed)
    plan = solve_siting(problem, EXACT, whole=False)
    assert plan.objective == pytest.approx(best_by_trying(problem), rel=1e-6, abs=1.0)
    assert plan.gap == 0.0
    assert breaches(plan) == []
    assert worth_of(plan) == pytest.approx(plan.objective, rel=1e-6, abs=1.0)


@pytest.mark.parametrize("seed", range(8))
def test_no_choice_of_openings_and_whole_plugs_is_better(seed: int) -> None:
    problem = limited(seed)
    plan = solve_siting(problem, EXACT)
    assert plan.objective == pytest.approx(best_by_trying(problem, whole=True), rel=1e-6, abs=1.0)
    assert plan.gap == 0.0
    assert breaches(plan) == []
    np.testing.assert_allclose(plan.plugs, np.round(plan.plugs), atol=1e-9)


def test_two_tiers_in_order_are_exact_too() -> None:
    problem = small_case(3, sites=2, stations=1, tiers=2)
    grid = replace(problem.grid, headroom_kw=np.array([100.0]), tier_kw=np.array([[300.0, 4000.0]]))
    problem = replace(problem, grid=grid)
    plan = solve_siting(problem, EXACT, whole=False)
    assert plan.objective == pytest.approx(best_by_trying(problem), rel=1e-6, abs=1.0)
    assert breaches(plan) == []


def test_one_site_by_hand() -> None:
    # 10 truck-days of 300 kWh at a site with plugs of 600 kWh a day: 5 plugs, 3,000 kWh
    problem = one_site()
    plan = solve_siting(problem, EXACT)
    assert plan.plugs.tolist() == [[5.0]]
    assert plan.delivered.sum() == pytest.approx(3000.0)
    benefit = 290 * 3000 * (0.60 - 0.30)
    capital = 100_000 + 5 * 20_000
    assert plan.objective == pytest.approx(benefit - capital * (0.1 + 0.03))
    assert plan.capex_usd.tolist() == [capital]
    assert plan.grid_usd.tolist() == [0.0]
    assert plan.opened.tolist() == [2030]


def test_the_way_there_costs_energy_and_saves_nothing() -> None:
    problem = one_site()
    farther = replace(problem, pair_extra_kwh=np.array([60.0]))
    near, far = solve_siting(problem, EXACT), solve_siting(farther, EXACT)
    assert far.delivered.sum() == pytest.approx(3600.0)
    # 360 kWh at 0.30 USD, of which 300 are worth 0.60; one more plug
    benefit = 290 * 10 * (300 * 0.60 - 360 * 0.30)
    assert far.objective == pytest.approx(benefit - (100_000 + 6 * 20_000) * 0.13)
    assert far.objective < near.objective


def test_the_home_base_covers_one_battery() -> None:
    problem = one_site(battery_kwh=np.array([200.0]), pair_kind=np.array([HOME]))
    assert solve_siting(problem, EXACT).served.sum() == 0.0
    both = replace(
        problem,
        pair_group=np.array([0, 0]),
        pair_site=np.array([0, 0]),
        pair_kind=np.array([HOME, PUBLIC]),
        pair_extra_kwh=np.array([0.0, 90.0]),
    )
    plan = solve_siting(both, EXACT, whole=False)
    assert plan.served.sum() == pytest.approx(10.0)
    assert (plan.delivered[0, 0] / 300) == pytest.approx(10 * 2 / 3)
    assert solve_siting(replace(both, batteries_most=1.4), EXACT).served.sum() == 0.0


# --- the way answers change ----------------------------------------------------------------------


def later_grid(problem: SitingProblem, years: int) -> SitingProblem:
    return replace(problem, grid=replace(problem.grid, tier_ready=problem.grid.tier_ready + years))


def tight(seed: int, **other: object) -> SitingProblem:
    """A case in which nearly all power must come from tiers."""
    problem = small_case(seed, groups=8, sites=6, stations=2, years=3, **other)
    grid = replace(
        problem.grid, headroom_kw=problem.grid.headroom_kw * 0.2, tier_kw=problem.grid.tier_kw + 2e3
    )
    return replace(problem, grid=grid, worth_usd_per_kwh=0.8)


@pytest.mark.parametrize("seed", [0, 1, 2, 5])
def test_ten_more_years_of_lead_time_give_later_chargers_and_no_more_trucks(seed: int) -> None:
    problem = tight(seed, objective="electric_miles")
    problem = replace(problem, km=np.ones_like(problem.km), span=np.ones(3), discount_rate=0.0)
    now, later = (solve_siting(case, 1e-6) for case in (problem, later_grid(problem, 10)))
    assert later.served.sum() <= now.served.sum() * (1 + 2e-3)
    assert (later.tiers == 0).all()
    assert (later.plugs.sum(axis=0) <= now.plugs.sum(axis=0) + 1e-6).all()
    assert later.plugs.sum() < now.plugs.sum()


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("seed", [1, 4])
def test_more_budget_never_worsens(objective: str, seed: int) -> None:
    problem = tight(seed, objective=objective)
    found = [
        solve_siting(replace(problem, budget_usd=np.full(3, usd)), EXACT)
        for usd in (0.0, 2e6, 5e6, 1e7, np.inf)
    ]
    for poor, rich in itertools.pairwise(found):
        assert rich.bound >= poor.objective * (1 - 1e-9)
        assert rich.objective >= poor.objective * (1 - rich.gap - 1e-9)
    assert found[0].capex_usd.sum() == 0.0
    assert found[-1].objective > found[1].objective
    assert all(breaches(plan) == [] for plan in found)


def test_a_worse_discounted_start_is_no_reason_to_refuse_budget() -> None:
    problem = tight(4)
    early = replace(problem, budget_usd=np.array([4e6, 4e6, 4e6]))
    late = replace(problem, budget_usd=np.array([0.0, 0.0, 4e6]))
    assert solve_siting(early, EXACT).objective >= solve_siting(late, EXACT).objective


@pytest.mark.parametrize("seed", range(4))
def test_no_charger_before_its_time(seed: int) -> None:
    problem = tight(seed)
    waits = replace(problem.sites, earliest=np.full(6, problem.years[1]))
    plan = solve_siting(replace(problem, sites=waits), 1e-6)
    stand = problem.sites.open_plugs * (problem.sites.open_year > 0)
    assert (plan.plugs[:, 0] == stand).all()
    assert plan.plugs[:, 1].sum() > stand.sum()
    serving = plan.tiers > 0
    assert (plan.tiers[serving] >= problem.grid.tier_ready[serving]).all()
    assert breaches(plan) == []


def test_electric_miles_beat_those_of_every_other_objective() -> None:
    problem = replace(tight(1), budget_usd=np.full(3, 4e6))
    weight = problem.span * 1.08 ** -(problem.years - problem.years[0])
    unit = np.ones(6)
    problem = replace(problem, sites=replace(problem.sites, priority=unit))
    for objective, each in (("electric_miles", problem.km), ("diesel_pm_exposure", problem.pm_people)):
        reached = {}
        for name in OBJECTIVES:
            plan = solve_siting(replace(problem, objective=name), EXACT)
            reached[name] = float((each @ plan.served) @ weight)
        assert reached[objective] >= max(reached.values()) * (1 - 2e-3)
        assert reached[objective] > reached["cost"]


def test_cost_breaks_ties_of_another_objective() -> None:
    problem = one_site(objective="electric_miles")
    sites = problem.sites
    two = {
        name: np.concatenate([getattr(sites, name)] * 2)
        for name in vars(sites)
        if name not in {"name", "fixed_usd"}
    }
    sites = replace(
        sites, name=np.array(["dear", "cheap"], dtype=object), fixed_usd=np.array([9e5, 1e5]), **two
    )
    problem = replace(
        problem,
        sites=sites,
        pair_group=np.array([0, 0]),
        pair_site=np.array([0, 1]),
        pair_kind=np.array([PUBLIC, PUBLIC]),
        pair_extra_kwh=np.zeros(2),
    )
    assert solve_siting(problem, EXACT).plugs[:, 0].tolist() == [0.0, 5.0]


def test_the_share_of_disadvantaged_tracts_holds() -> None:
    problem = tight(2)
    fair = solve_siting(replace(problem, equity_share=0.9), EXACT)
    at = problem.sites.disadvantaged[problem.pair_site]
    assert (fair.delivered[at].sum(axis=0) >= 0.9 * fair.delivered.sum(axis=0) - 1e-6).all()
    assert fair.objective <= solve_siting(problem, EXACT).objective + 1e-6


def test_a_forbidden_site_stays_closed_and_a_priority_site_comes_first() -> None:
    problem = tight(0)
    plan = solve_siting(problem, EXACT)
    first = int(np.argmax(plan.plugs[:, -1] - problem.sites.open_plugs))
    no_go = problem.sites.forbidden.copy()
    no_go[first] = True
    without = solve_siting(replace(problem, sites=replace(problem.sites, forbidden=no_go)), EXACT)
    assert without.opened[first] == 0
    least = int(np.argmin(np.where(problem.sites.forbidden, np.inf, plan.plugs[:, -1])))
    ahead = problem.sites.priority.copy()
    ahead[least] = 3.0
    wanted = solve_siting(replace(problem, sites=replace(problem.sites, priority=ahead)), EXACT)
    assert (
        wanted.delivered[problem.pair_site == least].sum() > plan.delivered[problem.pair_site == least].sum()
    )


# --- edges ---------------------------------------------------------------------------------------


def test_no_candidates_is_a_plan_that_serves_nobody() -> None:
    problem = small_case(0)
    none = np.zeros(0, dtype=np.int64)
    sites = replace(problem.sites, **{name: value[:0] for name, value in vars(problem.sites).items()})
    problem = replace(
        problem, sites=sites, pair_group=none, pair_site=none, pair_kind=none, pair_extra_kwh=np.zeros(0)
    )
    for case in (problem, replace(problem, grid=replace(problem.grid, tier_kw=np.zeros((2, 1))))):
        plan = solve_siting(case)
        assert plan.served.sum() == plan.objective == plan.gap == 0.0
        assert plan.plugs.shape == (0, 2)
        assert plan.delivered.shape == (0, 2)
        assert assign(case, plan).served.sum() == 0.0


def test_no_substations_at_all() -> None:
    problem = small_case(0)
    none = np.zeros(0, dtype=np.int64)
    empty = {name: value[:0] for name, value in vars(problem.sites).items()}
    grid = {
        name: value[:0] for name, value in vars(problem.grid).items() if name not in {"tier", "coincidence"}
    }
    problem = replace(
        problem,
        sites=replace(problem.sites, **empty),
        grid=replace(problem.grid, tier=problem.grid.tier[:0], **{**grid, **{
            name: np.zeros((0, 0)) for name in ("tier_kw", "tier_usd", "tier_ready")}}),
        pair_group=none, pair_site=none, pair_kind=none, pair_extra_kwh=np.zeros(0),
    )  # fmt: skip
    assert solve_siting(problem).served.sum() == 0.0


def test_a_truck_day_beyond_any_battery_is_left_unserved() -> None:
    problem = one_site(battery_kwh=np.array([140.0]))
    plan = solve_siting(problem)
    assert plan.served.sum() == 0.0
    assert plan.plugs.sum() == plan.gap == 0.0


def test_the_same_problem_gives_the_same_bytes() -> None:
    problem = tight(3)
    one, two = (solve_siting(problem, 0.01) for _ in range(2))
    for name in ("plugs", "opened", "tiers", "delivered", "served", "capex_usd", "grid_usd"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()
    assert (one.objective, one.bound) == (two.objective, two.bound)


def test_without_nodes_the_gap_is_told_and_the_bound_holds() -> None:
    for seed in range(6):
        problem = tight(seed)
        rough, exact = solve_siting(problem, EXACT, nodes=0), solve_siting(problem, EXACT)
        assert rough.objective <= exact.objective + 1.0
        assert rough.bound >= exact.objective - 1.0
        assert rough.gap == pytest.approx(relative_gap(rough.objective, rough.bound))
        assert breaches(rough) == []


def test_relative_gap() -> None:
    assert relative_gap(100.0, 101.0) == pytest.approx(0.01)
    assert relative_gap(0.0, 0.0) == 0.0
    assert relative_gap(0.0, 5.0) == 1.0
    assert relative_gap(5.0, 4.0) == 0.0


# --- fixed, start, assign ------------------------------------------------------------------------


def test_a_fixed_plan_keeps_its_openings_and_gives_the_same_again() -> None:
    problem = tight(1)
    plan = solve_siting(problem, EXACT)
    again = solve_siting(problem, EXACT, fixed=plan)
    assert again.objective == pytest.approx(plan.objective, rel=1e-6)
    less = replace(problem, trucks=problem.trucks * 0.5, wanted=problem.wanted * 0.5)
    kept = solve_siting(less, EXACT, fixed=plan)
    assert set(np.flatnonzero(kept.opened)) <= set(np.flatnonzero(plan.opened))
    assert (kept.tiers == plan.tiers).all()
    assert kept.objective <= solve_siting(less, EXACT).objective + 1.0


def test_fixed_openings_that_break_the_budget_are_told() -> None:
    problem = tight(1)
    plan = solve_siting(problem, EXACT)
    poor = solve_siting(replace(problem, budget_usd=np.ones(3)), fixed=plan)
    assert poor.status == "nothing fits what is fixed"
    assert poor.served.sum() == 0.0


def test_a_start_of_other_years_is_never_made_worse() -> None:
    problem = tight(1)
    coarse = replace(
        problem,
        years=problem.years[[0, 2]],
        span=np.array([2.0, 4.0]),
        trucks=problem.trucks[:, [0, 2]],
        wanted=problem.wanted[[0, 2]],
        battery_kwh=problem.battery_kwh[[0, 2]],
        budget_usd=problem.budget_usd[[0, 2]],
    )
    start = solve_siting(coarse, EXACT)
    plan = solve_siting(problem, EXACT, nodes=0, start=start)
    assert plan.objective >= solve_siting(problem, EXACT, nodes=0, fixed=start).objective * (1 - 1e-9)


def test_assign_serves_what_the_plan_serves_and_no_less() -> None:
    for seed in range(6):
        plan = solve_siting(tight(seed), 1e-6)
        found = assign(plan.problem, plan)
        assert found.served.sum() >= plan.served.sum() * (1 - 1e-6)
        assert found.capex_usd == pytest.approx(plan.capex_usd)
        assert found.grid_usd == pytest.approx(plan.grid_usd)
        assert (found.plugs == plan.plugs).all()
        assert [line for line in breaches(found) if "hardly used" not in line] == []


def test_assign_follows_demand_and_headroom() -> None:
    plan = solve_siting(tight(1), 1e-6)
    problem = plan.problem
    none = assign(replace(problem, wanted=np.zeros(3)), plan)
    assert none.served.sum() == 0.0
    few = assign(replace(problem, wanted=np.full(3, 1.0)), plan)
    assert few.served.sum(axis=0) == pytest.approx([1.0, 1.0, 1.0])
    dark = replace(problem.grid, headroom_kw=np.zeros(2), tier_kw=np.full((2, 1), 1e-6))
    left = assign(replace(problem, grid=dark), plan).delivered.sum(axis=0)
    most = float(problem.sites.open_plugs @ problem.sites.kwh_per_plug)
    assert (left <= most + 1e-3).all()


def test_assign_takes_the_plugs_of_the_last_decided_year() -> None:
    plan = solve_siting(tight(1), 1e-6)
    problem = plan.problem
    between = replace(problem, years=problem.years + 1)
    found = assign(between, plan)
    assert (found.plugs == plan.plugs).all()
    before = replace(problem, years=problem.years - 10)
    assert assign(before, plan).plugs[:, 0].sum() == 0.0


def test_a_plan_for_other_sites_is_refused() -> None:
    plan = solve_siting(tight(1), nodes=0)
    other = small_case(1)
    for use in (lambda: assign(other, plan), lambda: solve_siting(other, fixed=plan)):
        with pytest.raises(InputError, match="sites"):
            use()


def test_an_empty_solution_is_an_empty_plan() -> None:
    model = programme_of(small_case(0))
    plan = made_plan(model, np.zeros(len(model.gain)), 5.0, "made")
    assert isinstance(plan, SitingPlan)
    assert plan.objective == 0.0
    assert plan.bound == 5.0 * model.terms.unit
    assert plan.opened.tolist() == [0, 0, 0]


def test_no_plan_exceeds_the_bound_of_the_relaxation() -> None:
    for seed in range(6):
        problem = small_case(seed)
        best = solve_siting(problem, 1e-6)
        assert best.objective <= bound_of(problem) * (1 + 1e-9) + 1e-6
        assert bound_of(problem) <= best.objective * 1.5 + 1.0, "and it is no bound out of sight"
    nobody = replace(small_case(0), wanted=np.zeros(len(small_case(0).years)))
    assert bound_of(nobody) == pytest.approx(0.0)
    assert solve_siting(nobody).free_bound == pytest.approx(0.0)


def test_the_free_bound_is_that_of_the_relaxation_whatever_is_fixed() -> None:
    for seed in range(6):
        problem = tight(seed)
        plan = solve_siting(problem, 0.03)
        assert plan.free_bound == pytest.approx(bound_of(problem), rel=1e-9)
        more = replace(problem, trucks=problem.trucks * 1.2, wanted=problem.wanted * 1.1)
        kept = solve_siting(more, 0.03, nodes=0, fixed=plan)
        assert kept.free_bound == pytest.approx(bound_of(more), rel=1e-9)
        assert kept.free_bound >= kept.bound * (1 - 1e-9)
    poor = replace(problem, budget_usd=np.ones(3))
    assert solve_siting(poor, fixed=plan).free_bound == pytest.approx(bound_of(poor), rel=1e-9)
