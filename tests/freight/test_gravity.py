"""The gravity model against closed forms, brute force and its own properties."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from cleanhub.core.errors import InputError
from cleanhub.freight.gravity import (
    Margin,
    calibrate_gravity,
    fit_margins,
    flows_by_length,
    gravity_flows,
)

ORIGIN = np.array([60.0, 40.0])
BAND = np.array([0, 0, 1, 1, 1])
TOTAL = np.array([30.0, 70.0])
WEIGHT = np.array([1.0, 2.0, 5.0, 3.0, 2.0])
COST = np.array([[3.0, 9.0, 40.0, 60.0, 80.0], [5.0, 8.0, 45.0, 55.0, 90.0]])


def test_margins_are_met() -> None:
    fit = gravity_flows(ORIGIN, BAND, TOTAL, WEIGHT, COST, 0.03)
    assert fit.converged
    np.testing.assert_allclose(fit.flow.sum(axis=1), ORIGIN, rtol=1e-8)
    np.testing.assert_allclose([fit.flow[:, :2].sum(), fit.flow[:, 2:].sum()], TOTAL, rtol=1e-8)


def test_without_deterrence_a_class_is_shared_by_size() -> None:
    """Closed form at beta = 0: T_ij = O_i D_b w_j / (sum O, sum of w in b)."""
    flow = gravity_flows(ORIGIN, BAND, TOTAL, WEIGHT, COST, 0.0).flow
    by_size = np.array([1 / 3, 2 / 3, 0.5, 0.3, 0.2]) * TOTAL[BAND]
    np.testing.assert_allclose(flow, np.outer(ORIGIN / 100, by_size), rtol=1e-9)


def test_one_terminal_has_a_closed_form() -> None:
    """With one origin the flow to j is D_b w_j exp(-beta c_j) over its sum in b."""
    beta, cost = 0.05, COST[:1]
    pull = WEIGHT * np.exp(-beta * cost[0])
    expected = TOTAL[BAND] * pull / np.array([pull[:2].sum(), pull[2:].sum()])[BAND]
    flow = gravity_flows(np.array([100.0]), BAND, TOTAL, WEIGHT, cost, beta).flow
    np.testing.assert_allclose(flow[0], expected, rtol=1e-9)


def test_no_other_flows_have_more_entropy() -> None:
    """A general solver that maximises entropy under the same totals and mean cost finds the same flows."""
    found = calibrate_gravity(ORIGIN, BAND, TOTAL, np.ones(5), COST, 42.0)
    shape = COST.shape

    def negative_entropy(x: np.ndarray) -> float:
        return float((x * (np.log(np.maximum(x, 1e-12)) - 1)).sum())

    limits = [
        {"type": "eq", "fun": lambda x, i=i: x.reshape(shape)[i].sum() - ORIGIN[i]} for i in range(2)
    ] + [
        {"type": "eq", "fun": lambda x: x.reshape(shape)[:, :2].sum() - TOTAL[0]},
        {"type": "eq", "fun": lambda x: (x.reshape(shape) * COST).sum() / 100 - 42.0},
    ]
    start = np.outer(ORIGIN / 100, TOTAL[BAND] / np.array([2.0, 3.0])[BAND]).ravel()
    best = minimize(
        negative_entropy,
        start,
        constraints=limits,
        bounds=[(1e-9, None)] * 10,
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    )
    assert best.success
    np.testing.assert_allclose(found.fit.flow.ravel(), best.x, atol=2e-3)


def test_the_mean_cost_falls_as_beta_grows() -> None:
    def mean(beta: float) -> float:
        flow = gravity_flows(ORIGIN, BAND, TOTAL, WEIGHT, COST, beta).flow
        return float((flow * COST).sum() / 100)

    means = [mean(beta) for beta in (-0.2, -0.05, 0.0, 0.05, 0.2, 1.0)]
    assert all(np.diff(means) < 0)


@pytest.mark.parametrize("target", [36.0, 42.0, 50.0])
def test_beta_meets_the_mean(target: float) -> None:
    found = calibrate_gravity(ORIGIN, BAND, TOTAL, WEIGHT, COST, target)
    assert found.reached
    assert found.mean_cost == pytest.approx(target, abs=1e-6)
    assert found.range[0] < target < found.range[1]


@pytest.mark.parametrize(("target", "sign"), [(1.0, 1), (500.0, -1)])
def test_a_mean_out_of_reach_is_told(target: float, sign: int) -> None:
    found = calibrate_gravity(ORIGIN, BAND, TOTAL, WEIGHT, COST, target)
    assert not found.reached
    assert np.sign(found.beta) == sign
    nearest = found.range[0] if sign > 0 else found.range[1]
    assert found.mean_cost == pytest.approx(nearest, rel=1e-9)


def test_no_target_leaves_size_alone() -> None:
    found = calibrate_gravity(ORIGIN, BAND, TOTAL, WEIGHT, COST, None)
    assert found.reached
    assert found.beta == 0
    np.testing.assert_allclose(found.fit.flow, gravity_flows(ORIGIN, BAND, TOTAL, WEIGHT, COST, 0.0).flow)


def test_a_place_without_size_gets_no_trips() -> None:
    weight = np.array([1.0, 2.0, 0.0, 3.0, 2.0])
    found = calibrate_gravity(ORIGIN, BAND, TOTAL, weight, COST, 50.0)
    assert (found.fit.flow[:, 2] == 0).all()
    assert found.fit.flow.sum() == pytest.approx(100)


def test_bins_of_length_are_met() -> None:
    edges, share = np.array([0.0, 10.0, 50.0, 100.0]), np.array([0.2, 0.5, 0.3])
    one = np.zeros(5, dtype=np.int64)
    fit = flows_by_length(ORIGIN, one, np.array([100.0]), WEIGHT, COST, edges, share)
    assert fit.converged
    inside = [fit.flow[(low <= COST) & (high > COST)].sum() for low, high in pairwise(edges)]
    np.testing.assert_allclose(inside, 100 * share, rtol=1e-7)
    np.testing.assert_allclose(fit.flow.sum(axis=1), ORIGIN, rtol=1e-7)


def test_bins_that_contradict_the_classes_do_not_converge() -> None:
    edges, share = np.array([0.0, 10.0, 100.0]), np.array([0.9, 0.1])
    fit = flows_by_length(ORIGIN, BAND, TOTAL, WEIGHT, COST, edges, share)
    assert not fit.converged
    assert fit.residual > 0.1


def test_a_table_is_fitted_to_two_margins_by_hand() -> None:
    """[[1, 2], [3, 4]] to rows 5, 5 and columns 4, 6: odds ratio 4/6 is kept; a solves a quadratic."""
    prior = np.array([[1.0, 2.0], [3.0, 4.0]])
    rows, columns = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    fit = fit_margins(prior, [Margin(rows, np.array([5.0, 5.0])), Margin(columns, np.array([4.0, 6.0]))])
    a = fit.flow[0, 0]
    assert a * (1 + a) / ((5 - a) * (4 - a)) == pytest.approx(2 / 3, rel=1e-7)
    assert fit.flow[1, 1] == pytest.approx(1 + a, rel=1e-7)


def test_cells_outside_a_margin_stay_free() -> None:
    fit = fit_margins(np.array([1.0, 1.0, 7.0]), [Margin(np.array([0, 0, -1]), np.array([4.0]))])
    np.testing.assert_allclose(fit.flow, [2.0, 2.0, 7.0])


def test_no_trips_give_no_flows() -> None:
    fit = gravity_flows(np.zeros(2), BAND, np.zeros(2), WEIGHT, COST, 0.1)
    assert fit.converged
    assert (fit.flow == 0).all()


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        gravity_flows(np.array([-5.0, 40.0]), BAND, TOTAL, np.array([0.0, 0.0, 1.0, 1.0, 1.0]), COST, 0.0)
    text = str(caught.value)
    assert "different sums" in text
    assert "negative volume" in text
    assert "no place of any size" in text
    assert caught.value.exit_code == 2


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(InputError, match="size of a destination"):
        gravity_flows(ORIGIN, BAND, TOTAL, -WEIGHT, COST, 0.0)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 5),
    st.integers(2, 9),
    st.floats(-0.05, 0.05),
    st.integers(0, 2**31),
)
def test_margins_hold_for_any_table(origins: int, places: int, beta: float, seed: int) -> None:
    draw = np.random.default_rng(seed)
    band = np.arange(places) % 2
    origin = draw.uniform(1, 50, origins)
    total = draw.dirichlet([1.0, 1.0]) * origin.sum()
    fit = gravity_flows(
        origin, band, total, draw.uniform(0.1, 5, places), draw.uniform(1, 300, (origins, places)), beta
    )
    np.testing.assert_allclose(fit.flow.sum(axis=1), origin, rtol=1e-6)
    np.testing.assert_allclose(np.bincount(band, weights=fit.flow.sum(axis=0)), total, rtol=1e-6)
