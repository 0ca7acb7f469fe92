"""Groups of like truck-days: sums kept, likes together, small groups merged."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.freight.problem import TruckDays, Zones
from cleanhub.freight.truck_day_groups import group_by_label, group_truck_days, merge_small_groups

LAT, LON = np.array([33.75, 33.80, 34.05, 34.10]), np.array([-118.25, -118.20, -117.50, -117.30])


def _zones() -> Zones:
    name = np.array(list("pabc"), dtype=object)
    kind = np.array(["terminal", "cluster", "cluster", "cluster"], dtype=object)
    return Zones(name, name, kind, LAT, LON, np.ones(4), np.full(4, "", dtype=object))


def _days(seed: int, count: int) -> TruckDays:
    """Truck-days of two or three legs with made-up distance, weight and hour."""
    draw = np.random.default_rng(seed)
    legs = draw.integers(2, 4, count)
    group = np.repeat(np.arange(count), legs)
    km = draw.uniform(5, 100, len(group))
    return TruckDays(
        trucks=draw.uniform(0.5, 3.0, count),
        home=draw.integers(1, 4, count),
        shifts=draw.integers(1, 3, count),
        leg_group=group,
        leg_from=draw.integers(0, 4, len(group)),
        leg_to=draw.integers(0, 4, len(group)),
        leg_load=draw.integers(0, 4, len(group)),
        leg_km=km,
        leg_hours=km / 60,
        leg_start=draw.uniform(0, 24, len(group)),
        leg_dwell=draw.uniform(0, 2, len(group)),
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 30), st.integers(0, 2**31))
def test_sums_are_kept_exactly(count: int, most: int, seed: int) -> None:
    days = _days(seed, count)
    groups, label = group_truck_days(days, _zones(), most)
    assert len(groups.trucks) <= max(most, 1) or count <= most
    assert groups.trucks.sum() == pytest.approx(days.trucks.sum(), rel=1e-12)
    assert (groups.km * groups.trucks).sum() == pytest.approx((days.km * days.trucks).sum(), rel=1e-12)
    hours = np.bincount(days.leg_group, weights=days.leg_hours) * days.trucks
    grouped = np.bincount(groups.leg_group, weights=groups.leg_hours) * groups.trucks
    assert grouped.sum() == pytest.approx(hours.sum(), rel=1e-12)
    np.testing.assert_allclose(np.bincount(label, weights=days.trucks), groups.trucks)


@settings(max_examples=20, deadline=None)
@given(st.integers(20, 60), st.integers(5, 15), st.integers(0, 2**31))
def test_the_example_of_a_group_is_one_of_it(count: int, most: int, seed: int) -> None:
    days = _days(seed, count)
    groups, label = group_truck_days(days, _zones(), most)
    assert set(label) == set(range(len(groups.trucks)))
    for g in range(len(groups.trucks)):
        legs = groups.leg_to[groups.leg_group == g].tolist()
        members = [days.leg_to[days.leg_group == d].tolist() for d in np.flatnonzero(label == g)]
        assert legs in members


def test_one_and_two_shifts_never_mix_while_groups_are_left() -> None:
    days = _days(5, 80)
    _, label = group_truck_days(days, _zones(), 12)
    for g in range(12):
        assert len(set(days.shifts[label == g])) == 1


def test_few_truck_days_stay_as_they_are() -> None:
    days = _days(1, 7)
    groups, label = group_truck_days(days, _zones(), 7)
    assert groups is days
    np.testing.assert_array_equal(label, np.arange(7))


def test_equal_truck_days_become_one_group(make_days: Callable[..., TruckDays]) -> None:
    days = make_days(*[(2.0, 1, [(1, 0, 10.0, 1.0), (0, 1, 10.0, 0.0)])] * 9)
    groups, label = group_truck_days(days, _zones(), 4)
    np.testing.assert_allclose(groups.trucks, [18.0])
    np.testing.assert_allclose(groups.km, [20.0])
    assert set(label) == {0}


def test_near_and_far_are_told_apart_first(make_days: Callable[..., TruckDays]) -> None:
    near = (1.0, 1, [(1, 0, 10.0, 1.0), (0, 1, 10.0, 0.0)])
    far = (1.0, 1, [(1, 0, 10.0, 1.0), (0, 3, 120.0, 1.0), (3, 1, 120.0, 0.0)])
    days = make_days(near, far, near, far, near)
    groups, label = group_truck_days(days, _zones(), 2)
    assert label.tolist() == [0, 1, 0, 1, 0]
    np.testing.assert_allclose(groups.trucks, [3.0, 2.0])
    np.testing.assert_allclose(groups.km, [20.0, 250.0])


def test_groups_are_ordered_by_base_then_distance() -> None:
    groups, _ = group_truck_days(_days(3, 60), _zones(), 15)
    order = np.lexsort((np.arange(len(groups.home)), groups.home))
    np.testing.assert_array_equal(order, np.arange(len(order)))


def test_a_given_label_makes_the_groups() -> None:
    days = _days(9, 6)
    label = np.array([0, 1, 0, 1, 0, 1])
    groups = group_by_label(days, _zones(), label)
    np.testing.assert_allclose(groups.trucks, np.bincount(label, weights=days.trucks))
    mean = np.bincount(label, weights=days.km * days.trucks) / groups.trucks
    np.testing.assert_allclose(groups.km, mean)


def test_groups_of_few_trucks_join_the_most_alike(make_days: Callable[..., TruckDays]) -> None:
    near = [(1.0, 1, [(1, 0, 10.0 + n / 10, 1.0)]) for n in range(5)]
    middle = [(1.0, 1, [(1, 0, 14.0, 1.0)])]
    far = [(1.0, 1, [(1, 0, 300.0 + n, 1.0)]) for n in range(5)]
    days = make_days(*near, *middle, *far)
    label = np.array([0] * 5 + [1] + [2] * 5)
    merged = merge_small_groups(days, _zones(), label, np.arange(11), 5)
    assert merged.tolist() == [0] * 6 + [1] * 5


def test_one_truck_on_many_days_is_still_one(make_days: Callable[..., TruckDays]) -> None:
    days = make_days(*[(1.0, 1, [(1, 0, 10.0 * (n + 1), 1.0)]) for n in range(12)])
    truck = np.array([0] * 6 + [1, 2, 3, 4, 5, 6])
    merged = merge_small_groups(days, _zones(), np.array([0] * 6 + [1] * 6), truck, 5)
    assert set(merged) == {0}  # six truck-days of one truck are no aggregate
