"""Closed forms of laws: figures worked by hand, boundaries of tiers, and the properties they must have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.hub.library import load_library
from cleanhub.policy.formulas import (
    combined_tax_rate,
    declining_rate,
    free_allocation,
    lcfs_credits,
    tier_rate,
)

POSITIVE = st.floats(0.1, 200)
INTENSITY = st.floats(-300, 300)


# ---------------------------------------------------------------- fuel credits


def test_a_kilowatt_hour_into_a_heavy_truck() -> None:
    # (80 - 81/5) g/MJ x 3.6 MJ x 5 = 1148.4 g
    assert float(lcfs_credits(80.0, 81.0, 3.6, 5.0, 1.0)) == pytest.approx(1.1484e-3, rel=1e-14)


def test_diesel_owes_a_deficit() -> None:
    # (80 - 105) g/MJ x 134 MJ/gal x 1000 gal = -3.35 t
    assert float(lcfs_credits(80.0, 105.0, 134.0, 1.0, 1000.0)) == pytest.approx(-3.35, rel=1e-14)


@given(INTENSITY, INTENSITY, POSITIVE, st.floats(0.5, 6), st.floats(0, 1e6), st.floats(0, 10))
def test_credits_are_linear_in_quantity(
    benchmark: float, intensity: float, density: float, ratio: float, quantity: float, times: float
) -> None:
    once = float(lcfs_credits(benchmark, intensity, density, ratio, quantity))
    more = float(lcfs_credits(benchmark, intensity, density, ratio, quantity * times))
    assert more == pytest.approx(once * times, rel=1e-9, abs=1e-12)


@given(st.floats(1, 120), st.floats(0, 200), POSITIVE, st.floats(0.5, 6))
def test_credits_are_antisymmetric_around_the_break_even_intensity(
    benchmark: float, away: float, density: float, ratio: float
) -> None:
    even = benchmark * ratio
    below = float(lcfs_credits(benchmark, even - away, density, ratio, 1e3))
    above = float(lcfs_credits(benchmark, even + away, density, ratio, 1e3))
    assert below == pytest.approx(-above, rel=1e-9, abs=1e-9)
    assert below >= -1e-9
    assert float(lcfs_credits(benchmark, even, density, ratio, 1e3)) == pytest.approx(0.0, abs=1e-9)


def test_fuels_side_by_side_equal_fuels_alone() -> None:
    intensity, ratio = np.array([0.0, 81.0, -110.0]), np.array([5.0, 5.0, 1.9])
    together = lcfs_credits(80.0, intensity, 3.6, ratio, [[1.0], [2.0]])
    assert together.shape == (2, 3)
    assert together[1, 2] == float(lcfs_credits(80.0, -110.0, 3.6, 1.9, 2.0))


@pytest.mark.parametrize("ratio", [0.0, -1.0])
def test_an_efficiency_ratio_is_above_zero(ratio: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        lcfs_credits(80.0, 80.0, 3.6, ratio, 1.0)


# ---------------------------------------------------------------- tiers


STARTS, RATES = [-np.inf, 1.0, 2.0, 3.5], [9.0, 4.0, 2.0, 1.0]


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_a_lower_bound_belongs_to_its_tier(tier: int) -> None:
    bound = STARTS[tier]
    assert float(tier_rate(bound, STARTS, RATES)) == RATES[tier]
    assert float(tier_rate(np.nextafter(bound, -np.inf), STARTS, RATES)) == RATES[tier - 1]
    assert float(tier_rate(np.nextafter(bound, np.inf), STARTS, RATES)) == RATES[tier]


def test_tiers_hold_to_both_ends() -> None:
    found = tier_rate([[-1e9, -np.inf], [1e9, np.inf]], STARTS, RATES)
    assert found.tolist() == [[9.0, 9.0], [1.0, 1.0]]


def test_what_is_not_known_lies_in_no_tier() -> None:
    found = tier_rate([np.nan, 1.0], STARTS, RATES)
    assert np.isnan(found[0])
    assert found[1] == 4.0


def test_one_tier_is_one_rate() -> None:
    assert tier_rate([-1.0, 5.0], [-np.inf], [7.0]).tolist() == [7.0, 7.0]


@pytest.mark.parametrize(
    ("starts", "rates"),
    [
        ([0.0, 1.0], [1.0, 2.0]),
        ([-np.inf, 2.0, 1.0], [1.0, 2.0, 3.0]),
        ([-np.inf, 1.0, 1.0], [1.0, 2.0, 3.0]),
        ([-np.inf, 1.0], [1.0]),
        ([], []),
        ([-np.inf, np.nan], [1.0, 2.0]),
    ],
)
def test_tiers_that_do_not_rise_are_refused(starts: list[float], rates: list[float]) -> None:
    with pytest.raises(ValueError, match="tier"):
        tier_rate(0.5, starts, rates)


def test_the_hydrogen_tiers_of_the_library_at_every_boundary() -> None:
    table = load_library().tables["policy_values"]
    rows = table[(table["policy"] == "45v") & (table["item"] == "rate") & (table["selector"] == "")]
    rows = rows.sort_values("tier_from", na_position="first")
    starts = rows["tier_from"].fillna(-np.inf).to_numpy(float)
    just_below = np.nextafter(starts[1:], -np.inf)
    assert tier_rate(starts[1:], starts, rows["value"]).tolist() == rows["value"].tolist()[1:]
    assert tier_rate(just_below, starts, rows["value"]).tolist() == rows["value"].tolist()[:-1]


# ---------------------------------------------------------------- declining rate


@pytest.mark.parametrize(
    ("emission", "paid"),
    [(-20.0, 2.0), (0.0, 2.0), (10.0, 1.5), (20.0, 1.0), (39.0, 0.05), (40.0, 0.0), (55.0, 0.0)],
)
def test_a_declining_rate_by_hand(emission: float, paid: float) -> None:
    assert float(declining_rate(emission, 40.0, 2.0)) == pytest.approx(paid, rel=1e-12, abs=0)


@given(st.floats(-100, 200), st.floats(0, 100), st.floats(1, 100), st.floats(0, 5))
def test_a_declining_rate_never_rises_and_stays_in_its_bounds(
    emission: float, more: float, reference: float, maximum: float
) -> None:
    here = float(declining_rate(emission, reference, maximum))
    assert 0.0 <= here <= maximum
    assert float(declining_rate(emission + more, reference, maximum)) <= here + 1e-12


@pytest.mark.parametrize("reference", [0.0, -50.0])
def test_a_reference_rate_is_above_zero(reference: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        declining_rate(10.0, reference, 1.0)


# ---------------------------------------------------------------- allocation and tax


def test_allocation_by_hand() -> None:
    assert float(free_allocation(2000.0, 0.5, 1.0, 0.9)) == pytest.approx(900.0, rel=1e-14)


def test_allocation_falls_with_the_cap_alone() -> None:
    cap = np.array([1.0, 0.9, 0.8])
    given_ = free_allocation(1e6, 0.7, 1.0, cap)
    assert np.all(np.diff(given_) < 0)
    assert given_ / cap == pytest.approx([7e5] * 3)


def test_state_tax_is_deducted_from_federal_income() -> None:
    # of 100: state takes 10, federal 20 % of the 90 that are left
    assert float(combined_tax_rate(0.2, 0.1)) == pytest.approx(0.28, rel=1e-14)


@given(st.floats(0, 1), st.floats(0, 1))
def test_two_taxes_take_more_than_one_and_never_more_than_all(federal: float, state: float) -> None:
    both = float(combined_tax_rate(federal, state))
    assert max(federal, state) - 1e-12 <= both <= min(federal + state, 1.0) + 1e-12
    assert both == pytest.approx(float(combined_tax_rate(state, federal)), abs=1e-12)
