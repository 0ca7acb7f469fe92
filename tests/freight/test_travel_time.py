"""Time by hour of departure against hand-computed trips and the properties that make it believable."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.freight.travel_time import (
    HOURS,
    DayProfile,
    mean_minutes,
    minutes_by_hour,
    minutes_under_way,
)

RUSH = np.ones(HOURS)
RUSH[7:9] = 2.0  # from seven to nine everything takes twice as long
slowdowns = st.lists(st.floats(0.5, 4.0), min_size=HOURS, max_size=HOURS).map(np.array)


def test_a_free_day_takes_the_free_time() -> None:
    assert minutes_under_way(37.5, 13.2, np.ones(HOURS)) == pytest.approx(37.5)


@pytest.mark.parametrize(
    ("free", "hour", "expected"),
    [
        (30.0, 7.0, 60.0),  # all of it in the rush
        (60.0, 7.0, 120.0),  # exactly fills the rush: 120 min at half speed
        (90.0, 7.0, 150.0),  # 60 free minutes take 120, the last 30 are free
        (30.0, 6.75, 45.0),  # a quarter of an hour free, then 15 min that take 30
        (30.0, 8.75, 37.5),  # 15 min of clock cover 7.5, the other 22.5 are free
        (30.0, 9.0, 30.0),
        (30.0, 31.0, 60.0),  # 31 h is seven in the morning
        (30.0, -17.0, 60.0),
        (0.0, 8.0, 0.0),
    ],
)
def test_hand_computed_trips(free: float, hour: float, expected: float) -> None:
    assert minutes_under_way(free, hour, RUSH) == pytest.approx(expected)


def test_trips_run_past_midnight_and_for_days() -> None:
    # A full day of RUSH covers 22 h x 60 + 2 h x 30 = 1,380 free minutes.
    assert minutes_under_way(1380.0, 3.0, RUSH) == pytest.approx(1440.0)
    assert minutes_under_way(3 * 1380.0, 7.5, RUSH) == pytest.approx(3 * 1440.0)


def test_a_night_trip_that_just_meets_the_rush() -> None:
    # 23:00 to 07:00 are 480 free minutes; what is left takes twice as long.
    assert minutes_under_way(479.0, 23.0, RUSH) == pytest.approx(479.0)
    assert minutes_under_way(481.0, 23.0, RUSH) == pytest.approx(482.0)


@given(slowdowns, st.floats(0, 2000), st.floats(0, 24), st.floats(0, 24))
def test_who_leaves_first_arrives_first(slowdown: np.ndarray, free: float, one: float, other: float) -> None:
    early, late = sorted((one, other))
    first = early * 60 + minutes_under_way(free, early, slowdown)
    second = late * 60 + minutes_under_way(free, late, slowdown)
    assert first <= second + 1e-6


@given(slowdowns, st.floats(0, 3000), st.floats(0, 24))
def test_time_lies_between_the_best_and_the_worst_hour(
    slowdown: np.ndarray, free: float, hour: float
) -> None:
    minutes = float(minutes_under_way(free, hour, slowdown))
    assert free * slowdown.min() - 1e-6 <= minutes <= free * slowdown.max() + 1e-6


@given(slowdowns, st.floats(0, 600), st.floats(0, 600), st.floats(0, 24))
def test_a_trip_in_two_parts_takes_as_long(
    slowdown: np.ndarray, first: float, second: float, hour: float
) -> None:
    one = float(minutes_under_way(first, hour, slowdown))
    two = float(minutes_under_way(second, hour + one / 60, slowdown))
    assert one + two == pytest.approx(float(minutes_under_way(first + second, hour, slowdown)), abs=1e-6)


def test_shapes_broadcast_and_what_is_out_of_reach_stays_so() -> None:
    free = np.array([[10.0, np.inf], [20.0, 30.0]])
    by_hour = minutes_by_hour(free, RUSH)
    assert by_hour.shape == (2, 2, HOURS)
    assert by_hour[0, 0, 7] == pytest.approx(20.0)
    assert np.isinf(by_hour[0, 1]).all()
    assert mean_minutes(free, DayProfile(RUSH)).shape == (2, 2)
    assert np.isinf(mean_minutes(free, DayProfile(RUSH))[0, 1])


def test_the_mean_follows_the_departures() -> None:
    at_eight = np.zeros(HOURS)
    at_eight[7] = 5.0
    assert mean_minutes(10.0, DayProfile(RUSH, at_eight)) == pytest.approx(20.0)
    half = at_eight.copy()
    half[12] = 5.0
    assert mean_minutes(10.0, DayProfile(RUSH, half)) == pytest.approx(15.0)
    assert mean_minutes(10.0, DayProfile(RUSH, half * 7)) == pytest.approx(15.0)  # any scale


def test_a_mean_of_no_slowdown_is_the_free_time() -> None:
    assert mean_minutes(np.array([0.0, 12.5, 700.0]), DayProfile()) == pytest.approx([0.0, 12.5, 700.0])


@pytest.mark.parametrize(
    ("slowdown", "departures", "word"),
    [
        (np.ones(23), np.ones(24), "slowdown"),
        (np.zeros(24), np.ones(24), "above 0"),
        (np.full(24, np.nan), np.ones(24), "finite"),
        (np.ones(24), np.zeros(24), "not all 0"),
        (np.ones(24), -np.ones(24), "weights"),
        (np.ones(24), np.full(24, np.inf), "departures"),
    ],
)
def test_impossible_days_are_refused(slowdown: np.ndarray, departures: np.ndarray, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        DayProfile(slowdown, departures)
