"""Levelised cost, cost of ownership and NPV against closed forms and cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.finance.levelised import (
    carbon_cost_additions,
    carbon_cost_path,
    cost_of_ownership,
    discount_sum,
    levelised_cost,
    npv_of_costs,
)

YEARS = np.arange(2020, 2051)


def test_thirty_years_at_eight_percent_are_31_terms() -> None:
    assert discount_sum(0.08, 30) == pytest.approx(12.2578, abs=5e-5)
    assert discount_sum(0.0, 30) == 31.0
    assert discount_sum(0.08, 0) == 1.0


@given(st.floats(0.001, 0.5), st.integers(0, 60))
def test_discount_sum_is_the_geometric_series(rate: float, life: int) -> None:
    ratio = 1 / (1 + rate)
    assert discount_sum(rate, life) == pytest.approx((1 - ratio ** (life + 1)) / (1 - ratio), rel=1e-9)


@pytest.mark.parametrize(("rate", "life"), [(-1.0, 5), (-2.0, 5), (0.08, -1)])
def test_impossible_rates_and_lives_are_refused(rate: float, life: int) -> None:
    with pytest.raises(ValueError, match="rate must be above -1"):
        discount_sum(rate, life)


def test_npv_by_hand_over_three_terms() -> None:
    # at 10 %: year 0 sees 100, 121, 121 x (1, 1/1.1, 1/1.21) = 100 + 110 + 100; year 1 sees 121 three times
    found = npv_of_costs([100.0, 121.0], 0.10, 2)
    np.testing.assert_allclose(found, [310.0, 121.0 + 110.0 + 100.0])


def test_costs_stay_at_the_last_year() -> None:
    rising = np.linspace(10.0, 40.0, len(YEARS))
    found = npv_of_costs(rising, 0.08, 30)
    assert found.shape == rising.shape
    assert found[-1] == pytest.approx(40.0 * discount_sum(0.08, 30))
    by_hand = sum(rising[min(10 + k, 30)] / 1.08**k for k in range(31))
    assert found[10] == pytest.approx(by_hand)


def test_npv_takes_many_rows_at_once() -> None:
    rows = np.arange(12.0).reshape(2, 2, 3)
    found = npv_of_costs(rows, 0.05, 4)
    for place in np.ndindex(2, 2):
        np.testing.assert_allclose(found[place], npv_of_costs(rows[place], 0.05, 4))


def test_levelised_cost_of_flat_costs() -> None:
    running = npv_of_costs(np.full(31, 200.0 * 0.95 + 50.0), 0.08, 30)
    total = running + 1000.0
    by_hand = 200 + (50 + 1000 / 12.257783343127473) / 0.95
    np.testing.assert_allclose(levelised_cost(total, 0.08, 30, 0.95), by_hand)


def test_cost_of_ownership_divides_by_life_without_discounting() -> None:
    assert cost_of_ownership(2850.0, 30, 0.95) == pytest.approx(100.0)
    # so the two differ by life over discounted years: 30 / 12.2578
    ratio = levelised_cost(1.0, 0.08, 30, 0.95) / cost_of_ownership(1.0, 30, 0.95)
    assert ratio == pytest.approx(2.447424, abs=1e-6)


@pytest.mark.parametrize(("life", "factor"), [(0, 0.95), (30, 0.0), (30, -1.0)])
def test_a_cost_per_tonne_needs_tonnes(life: int, factor: float) -> None:
    with pytest.raises(ValueError, match="capacity factor above zero"):
        cost_of_ownership(1.0, life, factor)


def test_levelised_cost_needs_tonnes_too() -> None:
    with pytest.raises(ValueError, match="capacity factor above zero"):
        levelised_cost(1.0, 0.08, 30, 0.0)


def test_carbon_cost_is_a_line_between_two_years() -> None:
    path = carbon_cost_path(YEARS, 2025, 2035, 100.0)
    assert path[0] == 0.0
    assert path[YEARS == 2025] == 0.0
    assert path[YEARS == 2030] == pytest.approx(50.0)
    assert path[YEARS == 2035] == pytest.approx(100.0)
    assert path[-1] == pytest.approx(100.0)


def test_a_line_without_length_is_a_step() -> None:
    path = carbon_cost_path([2024, 2025, 2026], 2025, 2025, 80.0)
    np.testing.assert_array_equal(path, [0.0, 0.0, 80.0])


@pytest.mark.parametrize(("end", "final"), [(2035, -1.0), (2020, 10.0)])
def test_impossible_carbon_costs_are_refused(end: int, final: float) -> None:
    with pytest.raises(ValueError, match="carbon cost"):
        carbon_cost_path(YEARS, 2025, end, final)


def test_carbon_cost_addition_of_a_flat_price_is_emissions_by_price() -> None:
    # constant 2 t/t at 50 USD/t: NPV = 100 D; / (0.95 D) = 105.263; / (30 x 0.95) = 43.0098
    lcox, tco = carbon_cost_additions(np.full(31, 2.0), np.full(31, 50.0), 0.08, 30, 0.95)
    np.testing.assert_allclose(lcox, 100 / 0.95)
    np.testing.assert_allclose(tco, 100 * 12.257783343127473 / 28.5)


def test_carbon_cost_addition_of_a_ramp_in_closed_form() -> None:
    price = carbon_cost_path(YEARS, 2025, 2050, 250.0)
    emitted = np.full(31, 1.7)
    lcox, _ = carbon_cost_additions(emitted, price, 0.08, 30, 0.95)
    for decided in (2020, 2033, 2050):
        paid = sum(1.7 * 10 * max(min(decided + k, 2050) - 2025, 0) / 1.08**k for k in range(31))
        assert lcox[decided - 2020] == pytest.approx(paid / (0.95 * discount_sum(0.08, 30)))


@given(st.floats(0, 500), st.floats(0, 1))
def test_a_dearer_carbon_price_never_adds_less(price: float, more: float) -> None:
    low, _ = carbon_cost_additions(np.ones(5), np.full(5, price), 0.08, 10, 0.9)
    high, _ = carbon_cost_additions(np.ones(5), np.full(5, price + more), 0.08, 10, 0.9)
    assert (high >= low).all()
