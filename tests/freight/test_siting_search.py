"""The parts of the search: what tightens cuts off no plan, bounds hold, whole plugs fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from siting_cases import breaches, one_site, small_case

from cleanhub.freight.problem import SitingProblem
from cleanhub.freight.siting import made_plan, programme_of, solve_siting
from cleanhub.freight.siting_cuts import tighten
from cleanhub.freight.siting_model import (
    build_model,
    build_terms,
    home_share,
    in_range,
    opening_costs,
    plugs_of_use,
    standing_plugs,
    year_weights,
)
from cleanhub.freight.siting_search import (
    at,
    dive,
    needed_tiers,
    settle,
    whole_columns,
    whole_plugs,
    with_plugs,
    within_budget,
)
from cleanhub.freight.siting_solver import Programme, Rows, solve_whole, with_rows


def middling(seed: int) -> SitingProblem:
    """Larger than one can try by hand, with tiers that all must use."""
    problem = small_case(seed, groups=10, sites=8, stations=2, tiers=2, years=3, worth_usd_per_kwh=0.8)
    return replace(problem, grid=replace(problem.grid, headroom_kw=problem.grid.headroom_kw * 0.3))


# --- tightening ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_tightening_lowers_the_bound_and_cuts_off_no_plan(seed: int) -> None:
    problem = middling(seed)
    programme = Programme(build_model(problem))
    assert programme.relax()
    loose = programme.value
    tighten(programme, 20, 0.0)
    best = solve_whole(build_model(problem), 0.0, 10_000)
    assert best.values is not None
    value = float(programme.model.gain @ best.values)
    assert value <= programme.value + 1e-6
    assert programme.value <= loose + 1e-9
    extra = programme.model.matrix @ best.values - programme.model.row_upper
    assert extra.max() <= 1e-6


def test_tightening_closes_much_of_the_gap() -> None:
    closed = []
    for seed in range(8):
        problem = middling(seed)
        programme = Programme(build_model(problem))
        programme.relax()
        loose = programme.value
        tighten(programme, 20, 0.0)
        best = solve_siting(problem, 1e-9, whole=False).objective / programme.model.terms.unit
        closed.append((loose - programme.value) / max(loose - best, 1e-9))
    assert np.mean(closed) > 0.15
    assert max(closed) > 0.8


@pytest.mark.parametrize("seed", range(6))
def test_the_bound_is_that_of_the_relaxation_and_holds_for_any_row_values(seed: int) -> None:
    programme = Programme(build_model(middling(seed)))
    programme.relax()
    assert programme.bound() == pytest.approx(programme.value, rel=1e-7)
    programme.solver.setOptionValue("simplex_iteration_limit", 15)
    programme.solver.clearSolver()
    programme.solver.run()
    assert programme.bound() >= programme.value - 1e-9


# --- the solver ----------------------------------------------------------------------------------


def test_rows_join_and_hold() -> None:
    model = build_model(one_site())
    column = int(model.flow[0, 0])
    one = Rows(np.array([0]), np.array([column]), np.array([1.0]), np.array([4.0]))
    two = Rows.join([one, replace(one, upper=np.array([3.0]))])
    assert two.upper.tolist() == [4.0, 3.0]
    assert two.row.tolist() == [0, 1]
    programme = Programme(model)
    programme.add(two)
    programme.relax()
    assert programme.values[column] == pytest.approx(3.0)
    again = Programme(with_rows(model, two))
    again.relax()
    assert again.value == pytest.approx(programme.value)
    assert with_rows(model, Rows.join([])).matrix.shape == model.matrix.shape


def test_bounds_that_nothing_fits_are_told() -> None:
    model = build_model(one_site())
    programme = Programme(model)
    assert programme.relax()
    lower = model.lower.copy()
    lower[model.flow[0, 0]] = 11.0
    programme.set_bounds(lower, np.maximum(model.upper, lower))
    assert not programme.relax()


def test_bounds_that_are_put_back_give_the_value_back() -> None:
    model = build_model(one_site())
    programme = Programme(model)
    assert programme.relax()
    free = programme.value
    upper = model.upper.copy()
    upper[model.plugs[model.plugs >= 0]] = 0.0
    programme.set_bounds(model.lower, upper)
    upper[:] = 0.0  # the caller's array is its own: what the solver was told stays
    assert programme.relax()
    assert programme.value < free
    programme.set_bounds(model.lower, model.upper)
    assert programme.relax()
    assert programme.value == pytest.approx(free)


# --- from fractions to whole ---------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_a_dive_ends_with_whole_openings_that_fit(seed: int) -> None:
    problem = middling(seed)
    problem = replace(problem, budget_usd=np.array([2e6, 5e6, 8e6])) if seed % 2 else problem
    model = build_model(problem)
    programme = Programme(model)
    programme.relax()
    values = dive(programme, model.lower, model.upper)
    assert values is not None
    share = values[model.integer]
    np.testing.assert_allclose(share, np.round(share), atol=1e-5)
    plan = made_plan(model, settle(model, values), np.inf, "dive")
    assert breaches(plan) == []


def test_settling_keeps_only_what_is_needed() -> None:
    problem = middling(1)
    model = build_model(problem)
    values = np.zeros(len(model.gain))
    values[model.integer] = 1.0
    empty = settle(model, values)
    assert (empty == 0.0).all()
    plan = solve_siting(problem, 1e-6)
    assert plan.objective >= 0


def test_needed_tiers_by_hand() -> None:
    problem = one_site()
    grid = replace(
        problem.grid,
        tier=np.array(["a", "b", "c"], dtype=object),
        headroom_kw=np.array([300.0]),
        tier_kw=np.array([[150.0, 0.0, 600.0]]),
        tier_usd=np.zeros((1, 3)),
        tier_ready=np.full((1, 3), 2026),
        coincidence=1.0,
    )
    model = build_model(replace(problem, grid=grid))
    for plugs, tiers in ((2.0, [0, 0, 0]), (3.0, [1, 0, 0]), (4.0, [1, 0, 1])):
        assert needed_tiers(model, np.array([[plugs]]))[0, :, 0].tolist() == tiers


@pytest.mark.parametrize("seed", range(8))
def test_whole_plugs_are_near_and_fit_grid_and_budget(seed: int) -> None:
    problem = middling(seed)
    problem = replace(problem, budget_usd=np.array([2e6, 5e6, 8e6]) if seed % 2 else problem.budget_usd)
    model = programme_of(problem, whole=True)
    best = solve_whole(model, 1e-6, 10_000).values
    assert best is not None
    plugs, rounded = at(model.plugs, best), whole_plugs(model, best)
    assert (rounded == np.round(rounded)).all()
    assert (np.abs(rounded - plugs) < 1.0 + 1e-6).all()
    assert (np.diff(rounded, axis=1) >= 0).all()
    found = with_plugs(Programme(model), best, rounded)
    if found is not None:
        assert within_budget(model, found)
        assert breaches(made_plan(model, settle(model, found), np.inf, "rounded")) == []


def test_over_budget_is_seen() -> None:
    model = build_model(one_site(budget_usd=np.array([150e3])))
    values = np.zeros(len(model.gain))
    values[model.plugs[0, 0]] = 7.0
    assert within_budget(model, values)
    values[model.opens[0, 0]] = 1.0
    assert not within_budget(model, values)


def test_whole_columns_are_openings_tiers_and_plugs() -> None:
    model = build_model(middling(0))
    whole = whole_columns(model)
    assert whole.sum() == model.integer.sum() + (model.plugs >= 0).sum()
    assert not whole[model.flow[model.flow >= 0]].any()


# --- the programme -------------------------------------------------------------------------------


def test_years_count_for_their_span_and_their_distance() -> None:
    problem = small_case(0, span=np.array([1.0, 3.0]), discount_rate=0.1)
    assert year_weights(problem) == pytest.approx([1.0, 3.0 / 1.21])


def test_what_stands_and_what_a_battery_covers() -> None:
    problem = small_case(0)
    sites = replace(problem.sites, open_plugs=np.array([2.0, 0.0, 4.0]), open_year=np.array([2020, 0, 2028]))
    problem = replace(problem, sites=sites)
    assert standing_plugs(problem).tolist() == [[2, 2], [0, 0], [0, 4]]
    assert opening_costs(problem).tolist() == [False, True, False]
    share = home_share(replace(problem, kwh=np.array([100.0, 400.0, 200.0, 800.0])))
    assert share[:, 0] == pytest.approx([1.0, 0.5, 1.0, 0.25])
    reach = in_range(replace(problem, kwh=np.array([100.0, 400.0, 401.0, 800.0])))
    assert reach[:, 0].tolist() == [True, True, False, False]


def test_no_more_plugs_than_can_be_of_use() -> None:
    assert plugs_of_use(one_site()).tolist() == [5.0]
    assert plugs_of_use(one_site(wanted=np.array([3.0]))).tolist() == [2.0]
    assert build_terms(one_site()).room.tolist() == [[5.0]]


def test_running_plugs_need_no_openings() -> None:
    terms = build_terms(one_site(), running=np.array([[3.0]]))
    model = build_model(one_site(), terms)
    assert not model.integer.any()
    assert (model.plugs < 0).all()
    programme = Programme(model)
    programme.relax()
    assert programme.values[model.flow[0, 0]] == pytest.approx(6.0)


def test_charging_that_costs_more_than_diesel_is_left_out() -> None:
    dear = one_site(pair_extra_kwh=np.array([301.0]))
    assert not build_terms(dear).usable.any()
    assert build_terms(replace(dear, pair_extra_kwh=np.array([299.0]))).usable.all()
