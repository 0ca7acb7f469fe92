"""Rates of return with one root, several and none; payback; modified rates: closed forms, plugging back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.finance.returns import (
    all_rates_of_return,
    internal_rate_of_return,
    modified_rate_of_return,
    payback_year,
    present_value,
)

some = settings(max_examples=80, deadline=None, derandomize=True)


def _one(*flows: float) -> np.ndarray:
    return np.array(flows, dtype=float)[:, None]


def _from_rates(*rates: float) -> np.ndarray:
    """A stream that is worth nothing at exactly these rates: the product of (-(1 + r) v + 1) in v."""
    polynomial = np.array([1.0])
    for rate in rates:
        polynomial = np.convolve(polynomial, [1.0, -(1.0 + rate)])
    # coefficients by rising power of (1 + r): the last year first
    return polynomial


# ---------------------------------------------------------------- present value


def test_present_value_by_hand() -> None:
    assert present_value(_one(-100.0, 60.0, 60.0), 0.1)[0] == pytest.approx(-100 + 60 / 1.1 + 60 / 1.21)


def test_present_value_at_nothing_is_the_sum() -> None:
    flows = np.random.default_rng(0).normal(size=(12, 5))
    np.testing.assert_allclose(present_value(flows, 0.0), flows.sum(axis=0), rtol=1e-12)


def test_present_value_takes_a_rate_for_each_case() -> None:
    flows = np.repeat(_one(-100.0, 110.0), 2, axis=1)
    np.testing.assert_allclose(present_value(flows, np.array([0.1, 0.0])), [0.0, 10.0], atol=1e-12)


# ---------------------------------------------------------------- internal rate of return


@pytest.mark.parametrize("rate", [-0.4, -0.03, 0.0, 0.05, 0.1, 0.37, 3.0, 15.0])
def test_one_payment_back(rate: float) -> None:
    flows = _one(-100.0, 0.0, 0.0, 100.0 * (1 + rate) ** 3)
    assert internal_rate_of_return(flows)[0] == pytest.approx(rate, abs=1e-10)
    assert all_rates_of_return(flows[:, 0]) == pytest.approx([rate], abs=1e-9)


def test_annuity() -> None:
    payment = 1000.0 * 0.08 / (1 - 1.08**-20)
    flows = _one(-1000.0, *[payment] * 20)
    assert internal_rate_of_return(flows)[0] == pytest.approx(0.08, rel=1e-12)


@some
@given(st.integers(0, 10**6))
def test_every_root_is_worth_nothing(seed: int) -> None:
    random = np.random.default_rng(seed)
    building, life = int(random.integers(1, 5)), int(random.integers(5, 30))
    flows = np.concatenate([-random.uniform(1, 100, (building, 9)), random.uniform(-5, 40, (life, 9))])
    found = internal_rate_of_return(flows)
    known = ~np.isnan(found)
    scale = np.abs(flows).sum(axis=0)
    back = present_value(flows[:, known], found[known])
    # near -95 % late years are blown up without bound: judge against the flows at that rate
    weight = present_value(np.abs(flows[:, known]), found[known])
    assert np.all(np.abs(back) <= 1e-9 * np.maximum(weight, scale[known]))
    for case in range(9):
        roots = all_rates_of_return(flows[:, case])
        if known[case] and found[case] > -0.9:
            assert min(abs(root - found[case]) for root in roots) < 1e-6
        for root in roots:
            weight = present_value(np.abs(flows[:, [case]]), root)[0]
            assert abs(present_value(flows[:, [case]], root)[0]) < 1e-6 * weight


def test_flows_of_any_size_have_their_rates() -> None:
    assert all_rates_of_return(np.array([-1e308, 1.1e308, 1e-300])) == pytest.approx([0.1], abs=1e-9)
    assert all_rates_of_return(np.array([-1.0, np.inf])) == []
    assert all_rates_of_return(np.array([np.nan, 1.0])) == []


def test_known_stream_with_two_roots() -> None:
    """-100, 230, -132: 10 % and 20 %. Value is a gain between them, and turns to a loss at 20 %."""
    flows = _one(-100.0, 230.0, -132.0)
    assert all_rates_of_return(flows[:, 0]) == pytest.approx([0.1, 0.2], abs=1e-9)
    assert present_value(flows, 0.15)[0] > 0
    assert internal_rate_of_return(flows)[0] == pytest.approx(0.2, abs=1e-9)


@pytest.mark.parametrize("rates", [(0.05, 0.3), (-0.2, 0.1, 0.6), (0.1, 0.2, 0.3), (0.02, 0.5, 1.5)])
def test_streams_made_from_their_roots(rates: tuple[float, ...]) -> None:
    assert all_rates_of_return(1000.0 * _from_rates(*rates)) == pytest.approx(sorted(rates), abs=1e-6)


def test_roots_far_below_nothing_are_found_by_both() -> None:
    flows = _one(-50.0, *[-10.0] * 18, 1.76)  # a little salvage after years of loss
    [root] = all_rates_of_return(flows[:, 0])
    assert -0.95 < root < -0.7
    assert internal_rate_of_return(flows)[0] == pytest.approx(root, abs=1e-8)


def test_a_double_root_is_one_root() -> None:
    found = all_rates_of_return(np.array([-100.0, 220.0, -121.0]))
    assert found == pytest.approx([0.1], abs=1e-6)


@pytest.mark.parametrize(
    "flows",
    [
        (-100.0, 50.0, -100.0),  # never a gain
        (-1.0, -2.0, -3.0),
        (1.0, 2.0, 3.0),
        (0.0, 0.0, 0.0),
        (-100.0, 1e-9),  # worth nothing only below -95 %
    ],
)
def test_streams_without_a_root(flows: tuple[float, ...]) -> None:
    assert np.isnan(internal_rate_of_return(_one(*flows))[0])
    assert all_rates_of_return(np.array(flows)) == []


def test_a_loan_seen_by_its_borrower_has_a_rate_but_no_return() -> None:
    """Value rises with the rate: no gain turns to loss, yet the root is there to be seen."""
    flows = _one(100.0, -60.0, -60.0)
    assert np.isnan(internal_rate_of_return(flows)[0])
    [rate] = all_rates_of_return(flows[:, 0])
    assert present_value(flows, rate)[0] == pytest.approx(0.0, abs=1e-9)


def test_years_without_flow_before_and_after_change_nothing() -> None:
    plain = all_rates_of_return(np.array([-100.0, 230.0, -132.0]))
    assert all_rates_of_return(np.array([0.0, 0.0, -100.0, 230.0, -132.0, 0.0])) == pytest.approx(plain)
    padded = _one(0.0, -100.0, 60.0, 60.0, 0.0)
    assert internal_rate_of_return(padded)[0] == pytest.approx(
        internal_rate_of_return(_one(-100.0, 60.0, 60.0))[0], rel=1e-10
    )


def test_money_unit_does_not_matter() -> None:
    flows = np.concatenate([-np.ones((2, 4)), np.random.default_rng(3).uniform(0, 1, (10, 4))])
    for scale in (1e-6, 1e9):
        np.testing.assert_allclose(
            internal_rate_of_return(flows * scale), internal_rate_of_return(flows), rtol=1e-9, atol=1e-12
        )


def test_no_rate_depends_on_the_cases_beside_it() -> None:
    random = np.random.default_rng(4)
    flows = np.concatenate([-random.uniform(1, 100, (3, 50)), random.uniform(-5, 40, (20, 50))])
    whole = internal_rate_of_return(flows)
    for part in (slice(0, 1), slice(7, 9), slice(10, 47)):
        np.testing.assert_array_equal(internal_rate_of_return(flows[:, part]), whole[part])


# ---------------------------------------------------------------- modified rate


def test_modified_rate_by_hand() -> None:
    """Paid 120 (100 and 22 a year later at 10 %), earned 50 x 1.2 + 100 after three years: by definition."""
    flows = _one(-100.0, -22.0, 50.0, 100.0)
    found = modified_rate_of_return(flows, 0.1, 0.2)[0]
    assert found == pytest.approx((160.0 / 120.0) ** (1 / 3) - 1, rel=1e-12)


def test_modified_rate_is_the_internal_one_at_itself() -> None:
    flows = _one(-100.0, 30.0, 40.0, 50.0, 10.0)
    rate = internal_rate_of_return(flows)[0]
    assert modified_rate_of_return(flows, rate, rate)[0] == pytest.approx(rate, rel=1e-9)


@some
@given(st.floats(0.01, 0.5), st.integers(0, 10**6))
def test_modified_rate_tells_gain_from_loss(rate: float, seed: int) -> None:
    """It passes the rate it is reckoned at exactly where present value is positive."""
    flows = np.random.default_rng(seed).normal(5.0, 60.0, (12, 7))
    found = modified_rate_of_return(flows, rate, rate)
    np.testing.assert_array_equal(found > rate, present_value(flows, rate) > 0)


@pytest.mark.parametrize("flows", [(1.0, 2.0), (-1.0, -2.0), (0.0, 0.0)])
def test_no_modified_rate_without_both_signs(flows: tuple[float, ...]) -> None:
    assert np.isnan(modified_rate_of_return(_one(*flows), 0.1, 0.1)[0])


# ---------------------------------------------------------------- payback


@pytest.mark.parametrize(
    ("flows", "years"),
    [
        ((-100.0, 50.0, 50.0), 2.0),
        ((-100.0, 40.0, 40.0, 40.0), 2.5),
        ((-50.0, -50.0, 25.0, 100.0), 2.75),
        ((-100.0, 150.0, -100.0, 100.0), 2.5),  # for good, not the first time
        ((10.0, 5.0), 0.0),
        ((-100.0, 10.0, 10.0), np.nan),
        ((-100.0, 120.0, -30.0), np.nan),
    ],
)
def test_payback(flows: tuple[float, ...], years: float) -> None:
    assert payback_year(_one(*flows))[0] == pytest.approx(years, nan_ok=True)


def test_payback_of_many_cases_is_that_of_each() -> None:
    flows = np.concatenate([-np.ones((1, 30)), np.random.default_rng(5).uniform(-0.1, 0.3, (15, 30))])
    alone = [payback_year(flows[:, [case]])[0] for case in range(30)]
    np.testing.assert_array_equal(payback_year(flows), alone)
