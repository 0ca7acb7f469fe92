"""Nothing of fewer than five trucks leaves, and what is withheld is counted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.freight.problem import Trips, TruckDays, Zones
from cleanhub.freight.trip_privacy import different_trucks, private_pairs, private_trips, private_truck_days
from cleanhub.freight.user_trips import UserTrips, UserTruckDays

LON = np.array([-118.30, -118.00, -117.50, -117.95])


def _zones() -> Zones:
    name = np.array(["port", "yard", "inland", "own-1"], dtype=object)
    kind = np.array(["terminal", "cluster", "cluster", "cluster"], dtype=object)
    return Zones(name, name, kind, np.full(4, 34.0), LON, np.ones(4), np.full(4, "", dtype=object))


def _user(days: TruckDays, truck: list[int]) -> UserTruckDays:
    label = np.array([f"SECRET-{t}" for t in truck], dtype=object)
    return UserTruckDays(_zones(), days, np.array(truck, dtype=np.int64), label)


SHORT = [(1, 0, 30.0, 1.03), (0, 1, 30.0, 0.0)]
LONG = [(1, 2, 60.0, 1.0), (2, 1, 60.0, 0.0)]


def test_trucks_are_counted_once() -> None:
    key, truck = np.array([0, 0, 0, 1, 2, 2]), np.array([7, 7, 8, 7, 1, 2])
    np.testing.assert_array_equal(different_trucks(key, truck, 4), [2, 1, 2, 0])


def test_fewer_than_five_trucks_leave_nothing(make_days: Callable[..., TruckDays]) -> None:
    user = _user(make_days(*[(1.0, 1, SHORT)] * 8), [0, 1, 2, 3] * 2)
    groups, label, _, withheld = private_truck_days(user, 10)
    assert len(groups.trucks) == 0
    assert (label == -1).all()
    assert withheld == pytest.approx(8.0)


def test_every_group_has_five_trucks_and_sums_are_kept(make_days: Callable[..., TruckDays]) -> None:
    user = _user(make_days(*[(1.0, 1, SHORT)] * 6, *[(1.0, 1, LONG)] * 7), list(range(13)))
    groups, label, merged, withheld = private_truck_days(user, 10)
    assert merged == 0
    assert withheld == 0
    for g in range(len(groups.trucks)):
        assert len(set(user.truck[label == g])) >= 5
    assert len(groups.trucks) == 2
    assert groups.trucks.sum() == pytest.approx(13.0)
    assert (groups.km * groups.trucks).sum() == pytest.approx(user.days.km.sum())


def test_a_place_of_few_trucks_becomes_the_nearest_of_many(make_days: Callable[..., TruckDays]) -> None:
    own = [(1, 3, 8.0, 1.0), (3, 1, 8.0, 0.0)]
    user = _user(make_days(*[(1.0, 1, SHORT)] * 6, *[(1.0, 1, own)] * 2), list(range(8)))
    groups, _, merged, _ = private_truck_days(user, 10)
    assert merged == 1
    assert 3 not in set(groups.leg_from) | set(groups.leg_to) | set(groups.home)
    assert groups.trucks.sum() == pytest.approx(8.0)
    assert (groups.km * groups.trucks).sum() == pytest.approx(user.days.km.sum())


def test_clock_times_are_rounded(make_days: Callable[..., TruckDays]) -> None:
    user = _user(make_days(*[(1.0, 1, SHORT)] * 6), list(range(6)))
    user.days.leg_start[:] = 23.87
    groups = private_truck_days(user, 10)[0]
    np.testing.assert_allclose(groups.leg_start, 0.0)
    np.testing.assert_allclose(groups.leg_dwell * 2, np.round(groups.leg_dwell * 2))


def test_pairs_of_few_trucks_are_withheld_and_counted(make_days: Callable[..., TruckDays]) -> None:
    user = _user(make_days(*[(1.0, 1, SHORT)] * 5, *[(1.0, 1, LONG)] * 4), list(range(9)))
    pairs, hidden, trips = private_pairs(user)
    assert sorted(zip(pairs["origin"], pairs["destination"], strict=True)) == [
        ("port", "yard"),
        ("yard", "port"),
    ]
    assert pairs["trips_per_day"].tolist() == [5.0, 5.0]
    assert hidden == 2
    assert trips == pytest.approx(8.0)


def test_pairs_of_a_trip_table_need_trucks_or_many_trips() -> None:
    trips = Trips(np.array([0, 0]), np.array([1, 2]), np.array([30.0, 12.0]))
    user = UserTrips(_zones(), trips, np.array([7.5, 3.0]))
    pairs, hidden, withheld = private_pairs(user)
    assert pairs["destination"].tolist() == ["yard"]
    assert (hidden, withheld) == (1, 12.0)


def test_trips_to_places_of_few_trucks_are_merged_or_withheld() -> None:
    trips = Trips(np.array([0, 0, 0]), np.array([1, 2, 3]), np.array([30.0, 12.0, 6.0]))
    user = UserTrips(_zones(), trips, np.array([8.0, 5.0, 2.0]))
    left, merged, withheld = private_trips(user)
    assert merged == 1  # own-1, 5 km from the yard, becomes the yard
    np.testing.assert_array_equal(left.destination, [1, 2])
    np.testing.assert_allclose(left.per_day, [36.0, 12.0])
    assert withheld == 0
    none, merged, withheld = private_trips(UserTrips(_zones(), trips, np.ones(3)))
    assert len(none.per_day) == 0
    assert (merged, withheld) == (4, 48.0)


def test_names_of_trucks_do_not_show(make_days: Callable[..., TruckDays]) -> None:
    user = _user(make_days(*[(1.0, 1, SHORT)] * 6), list(range(6)))
    assert "SECRET" not in repr(user)
    assert "SECRET" not in repr(private_truck_days(user, 10))
    assert "SECRET" not in private_pairs(user)[0].to_csv()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**31))
def test_no_group_and_no_place_has_fewer_than_five(count: int, trucks: int, most: int, seed: int) -> None:
    """Whatever the file: groups, and places that an example tour names, stand for five trucks or more."""
    draw = np.random.default_rng(seed)
    legs = draw.integers(1, 4, count)
    group = np.repeat(np.arange(count), legs)
    places = draw.integers(0, 4, (2, len(group)))
    days = TruckDays(
        trucks=np.ones(count),
        home=draw.integers(0, 4, count),
        shifts=draw.integers(1, 3, count),
        leg_group=group,
        leg_from=places[0],
        leg_to=places[1],
        leg_load=np.zeros(len(group), dtype=np.int64),
        leg_km=draw.uniform(1, 90, len(group)),
        leg_hours=draw.uniform(0.1, 2, len(group)),
        leg_start=draw.uniform(0, 24, len(group)),
        leg_dwell=draw.uniform(0, 3, len(group)),
    )
    user = _user(days, draw.integers(0, trucks, count).tolist())
    groups, label, _, withheld = private_truck_days(user, most)
    assert groups.trucks.sum() + withheld == pytest.approx(count)
    for g in range(len(groups.trucks)):
        assert len(set(user.truck[label == g])) >= 5
    known = np.concatenate([days.leg_from, days.leg_to, days.home])
    who = user.truck[np.concatenate([group, group, np.arange(count)])]
    enough = different_trucks(known, who, 4) >= 5
    assert enough[np.concatenate([groups.leg_from, groups.leg_to, groups.home])].all()
