"""Times by three points: their percentiles come out, and what is left of them after a while."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from cleanhub.pipeline.ranges import Z90, left_after, spread

EVEN = ndtri((np.arange(100_000) + 0.5) / 100_000)
YEARS = st.just(0.0) | st.floats(0.01, 20.0)


def test_durations_have_the_percentiles_they_are_given_by():
    for low, middle, high in ((1.0, 2.0, 6.0), (0.0, 1.0, 3.0), (0.0, 0.0, 4.0), (2.0, 2.0, 5.0)):
        drawn = spread(EVEN, low, middle, high)
        assert np.percentile(drawn, [10, 50, 90]) == pytest.approx([low, middle, high], abs=1e-3)
        assert np.all(np.diff(drawn) >= 0.0)
        assert drawn.min() >= 0.0
    symmetric = spread(EVEN, 1.0, 2.0, 4.0)
    sigma = np.log(2.0) / ndtri(0.9)
    assert symmetric.mean() == pytest.approx(2.0 * np.exp(sigma**2 / 2.0), rel=1e-3)  # lognormal


@pytest.mark.parametrize(
    "points", [(1.0, 2.0, 6.0), (0.0, 1.0, 3.0), (0.0, 0.0, 4.0), (2.0, 2.0, 5.0), (0.5, 4.0, 4.5)]
)
@pytest.mark.parametrize("age", [0.0, 0.3, 1.0, 2.5, 4.0])
def test_what_is_left_is_that_of_the_draws_that_have_not_ended(
    points: tuple[float, float, float], age: float
) -> None:
    drawn = spread(EVEN, *points)
    left = drawn[drawn > age] - age if age else drawn
    assert left_after(age, *points) == pytest.approx(np.percentile(left, [10, 50, 90]), abs=5e-3)


def test_nothing_spent_changes_nothing() -> None:
    assert left_after(0.0, 1.0, 2.0, 6.0) == (1.0, 2.0, 6.0)


def test_a_time_without_spread_is_counted_down_to_nothing() -> None:
    assert left_after(0.5, 2.0, 2.0, 2.0) == pytest.approx((1.5, 1.5, 1.5))
    assert left_after(3.0, 2.0, 2.0, 2.0) == (0.0, 0.0, 0.0)


def test_whoever_has_waited_long_has_learnt_that_it_is_slow() -> None:
    """Half of the median is spent, more than half of it is left; long after the slowest tenth it grows."""
    early, late, later = (left_after(age, 2.0, 4.0, 7.0)[1] for age in (2.0, 7.0, 40.0))
    assert 2.0 < early < 4.0
    assert late < early
    assert later > late


@given(st.tuples(YEARS, YEARS, YEARS).map(sorted), st.floats(0.0, 60.0))
def test_what_is_left_is_a_range_of_times(points: list[float], age: float) -> None:
    left = left_after(age, *points)
    assert all(math.isfinite(one) and one >= 0.0 for one in left)
    assert list(left) == pytest.approx(sorted(left))


def test_the_ninetieth_percentile_is_that_of_the_standard_normal() -> None:
    assert float(ndtri(0.9)) == Z90
