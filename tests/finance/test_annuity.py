"""Time value of money: closed forms, and levelised prices against their definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.finance.annuity import annuity_factor, capital_recovery_factor, levelised_prices

RATES = st.floats(0.001, 0.5)
PRICES = st.lists(st.floats(-500, 500), min_size=1, max_size=79)


def naive_levelised(prices: list[float], rate: float, life: int, decision: int) -> float:
    """The price that, paid every year of the life, has the present value of the path."""
    worth = paid = 0.0
    for year in range(1, life + 1):
        price = prices[min(decision + year, len(prices) - 1)]
        worth += price / (1 + rate) ** year
        paid += 1 / (1 + rate) ** year
    return worth / paid


@given(rate=RATES, years=st.integers(1, 60))
def test_an_annuity_is_the_sum_of_its_discounted_payments(rate: float, years: int) -> None:
    by_hand = sum((1 + rate) ** -year for year in range(1, years + 1))
    assert annuity_factor(rate, years) == pytest.approx(by_hand, rel=1e-9)


@given(rate=RATES, years=st.integers(1, 60))
def test_capital_recovery_has_the_textbook_form(rate: float, years: int) -> None:
    grown = (1 + rate) ** years
    assert capital_recovery_factor(rate, years) == pytest.approx(rate * grown / (grown - 1), rel=1e-9)


def test_published_factors_are_met() -> None:
    assert capital_recovery_factor(0.08, 20) == pytest.approx(0.101852, abs=5e-7)
    assert capital_recovery_factor(0.07, 30) == pytest.approx(0.080586, abs=5e-7)
    assert annuity_factor(0.05, 10) == pytest.approx(7.721735, abs=5e-7)


def test_without_interest_capital_is_paid_back_in_equal_parts() -> None:
    years = np.array([1, 4, 25])
    np.testing.assert_array_equal(capital_recovery_factor(0.0, years), [1.0, 0.25, 0.04])
    np.testing.assert_array_equal(annuity_factor(0.0, years), years)


@given(years=st.integers(1, 60))
def test_a_vanishing_rate_tends_to_no_rate(years: int) -> None:
    assert annuity_factor(1e-12, years) == pytest.approx(years, rel=1e-9)


def test_the_factor_of_no_rate_does_not_alias_its_argument() -> None:
    years = np.array([10.0])
    annuity_factor(0.0, years)[0] = -1
    assert years[0] == 10.0


@given(rate=st.one_of(st.just(0.0), RATES), life=st.integers(1, 59))
def test_a_longer_life_never_costs_more_a_year(rate: float, life: int) -> None:
    assert capital_recovery_factor(rate, life + 1) <= capital_recovery_factor(rate, life)


@settings(max_examples=60)
@given(prices=PRICES, rate=st.one_of(st.just(0.0), RATES), lives=st.lists(st.integers(1, 60), min_size=1))
def test_levelised_prices_follow_their_definition(prices: list[float], rate: float, lives: list[int]) -> None:
    got = levelised_prices(np.array(prices), rate, np.array(lives))
    wanted = [[naive_levelised(prices, rate, life, s) for s in range(len(prices))] for life in lives]
    np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-7)


def test_the_last_years_of_a_long_path_are_as_exact_as_the_first() -> None:
    prices = np.linspace(10, 90, 79)
    late = levelised_prices(prices, 0.5, np.array([3]))[0, 70]
    assert late == pytest.approx(naive_levelised(list(prices), 0.5, 3, 70), rel=1e-12)


@given(price=st.floats(-1e4, 1e4), rate=st.floats(0, 0.5), life=st.integers(1, 60))
def test_a_constant_price_is_its_own_level(price: float, rate: float, life: int) -> None:
    got = levelised_prices(np.full(7, price), rate, np.array([life]))
    np.testing.assert_allclose(got, price, rtol=1e-9, atol=1e-9)


@given(prices=PRICES, rate=st.floats(0, 0.5), life=st.integers(1, 60))
def test_a_level_lies_between_the_extremes_of_the_years_ahead(
    prices: list[float], rate: float, life: int
) -> None:
    got = levelised_prices(np.array(prices), rate, np.array([life]))[0]
    for decision, value in enumerate(got):
        ahead = prices[decision + 1 : decision + 1 + life] or prices[-1:]
        assert min(ahead) - 1e-6 <= value <= max(ahead) + 1e-6


def test_beyond_the_last_year_the_last_price_holds() -> None:
    prices = np.array([10.0, 20.0, 30.0])
    got = levelised_prices(prices, 0.1, np.array([5]))[0]
    assert got[-1] == pytest.approx(30.0)
    longer = np.concatenate([prices, np.full(10, 30.0)])
    np.testing.assert_allclose(got, levelised_prices(longer, 0.1, np.array([5]))[0, :3])


def test_the_price_of_the_decision_year_itself_is_not_paid() -> None:
    got = levelised_prices(np.array([1e9, 7.0, 7.0]), 0.08, np.array([4]))[0]
    assert got[0] == pytest.approx(7.0)


@pytest.mark.parametrize("leading", [(), (3,), (2, 3)])
def test_shapes_are_lives_by_series_by_years(leading: tuple[int, ...]) -> None:
    prices = np.random.default_rng(1).uniform(1, 2, (*leading, 6))
    got = levelised_prices(prices, 0.08, np.array([20, 10]))
    assert got.shape == (2, *leading, 6)
    flat, series = got.reshape(2, -1, 6), prices.reshape(-1, 6)
    for s, one in enumerate(series):
        np.testing.assert_allclose(flat[:, s], levelised_prices(one, 0.08, np.array([20, 10])))
