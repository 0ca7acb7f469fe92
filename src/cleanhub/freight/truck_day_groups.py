"""Groups of like truck-days: few enough for the siting problem, sums kept.

Truck-days are points (base, farthest stop, distance, start, number of shifts). The group of widest spread is
cut in two at its mean along its widest coordinate, again and again, until there are as many groups
as wanted (divisive clustering by the variance that a cut removes). The member nearest to a group's
mean stands for it: its legs, stretched so that distance and hours are the group's own.
"""

from __future__ import annotations

import heapq

import numpy as np

from cleanhub.freight.problem import FloatArray, IntArray, TruckDays, Zones

KM_PER_DEGREE = 111.195
DISTANCE_WEIGHT = 1.0
START_WEIGHT_KM = 2.0
"""Kilometres that an hour's difference in the start counts as."""
SHIFT_WEIGHT_KM = 1000.0
"""The same for a shift more: groups never mix them before all else is alike."""


def group_truck_days(days: TruckDays, zones: Zones, most: int) -> tuple[TruckDays, IntArray]:
    """At most ``most`` groups, and the group of each truck-day given.

    Trucks, truck-kilometres and truck-hours under way add up to those given. Groups are ordered by base, then
    distance. With ``most`` at or above the number of truck-days each stays as it is.
    """
    count = len(days.trucks)
    if count <= most or most < 1:
        return days, np.arange(count, dtype=np.int64)
    points = _points(days, zones)
    return _ordered(days, points, _split(points, days.trucks, most))


def group_by_label(days: TruckDays, zones: Zones, label: IntArray) -> TruckDays:
    """Groups by a given ``label`` (G,), numbers from 0 without gaps, in the order of the labels."""
    chosen = _medoids(_points(days, zones), days.trucks, label)
    trucks = np.bincount(label, weights=days.trucks).astype(np.float64)
    return _grouped(days, label, chosen, trucks)


def merge_small_groups(
    days: TruckDays, zones: Zones, label: IntArray, truck: IntArray, least_trucks: int
) -> IntArray:
    """Labels (G,) without gaps such that each group has at least ``least_trucks`` different trucks.

    The smallest group joins the one whose mean is nearest, until none is too small or one is left.
    """
    points = _points(days, zones)
    label = np.unique(label, return_inverse=True)[1].astype(np.int64)
    while True:
        count = int(label.max(initial=-1)) + 1
        pairs = np.unique(np.column_stack([label, truck]), axis=0)
        trucks = np.bincount(pairs[:, 0], minlength=count)
        small = int(np.argmin(trucks)) if count else 0
        if count <= 1 or trucks[small] >= least_trucks:
            return label
        total = np.bincount(label, weights=days.trucks)
        mean = np.column_stack([np.bincount(label, weights=days.trucks * c) / total for c in points.T])
        off = ((mean - mean[small]) ** 2).sum(axis=1)
        off[small] = np.inf
        label[label == small] = int(np.argmin(off))
        label = np.unique(label, return_inverse=True)[1].astype(np.int64)


def _ordered(days: TruckDays, points: FloatArray, label: IntArray) -> tuple[TruckDays, IntArray]:
    """Groups ordered by base, then distance, and the group of each truck-day."""
    chosen = _medoids(points, days.trucks, label)
    km = days.km
    trucks: FloatArray = np.bincount(label, weights=days.trucks).astype(np.float64)
    order = np.lexsort((km[chosen], days.home[chosen]))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    label, chosen, trucks = rank[label], chosen[order], trucks[order]
    return _grouped(days, label, chosen, trucks), label


def _points(days: TruckDays, zones: Zones) -> FloatArray:
    """Coordinates of truck-days in kilometres, (G, 7)."""
    shrink = np.cos(np.radians(float(np.mean(zones.lat))))
    first = np.searchsorted(days.leg_group, np.arange(len(days.trucks)))
    apart = np.hypot(
        zones.lat[days.leg_to] - zones.lat[days.home[days.leg_group]],
        (zones.lon[days.leg_to] - zones.lon[days.home[days.leg_group]]) * shrink,
    )
    order = np.lexsort((apart, days.leg_group))
    farthest = days.leg_to[order][np.append(first[1:], len(order)) - 1]
    place = [
        axis[where] * KM_PER_DEGREE * scale
        for where in (days.home, farthest)
        for axis, scale in ((zones.lat, 1.0), (zones.lon, shrink))
    ]
    start = days.leg_start[first] * START_WEIGHT_KM
    return np.column_stack([*place, days.km * DISTANCE_WEIGHT, start, days.shifts * SHIFT_WEIGHT_KM])


def _split(points: FloatArray, weight: FloatArray, most: int) -> IntArray:
    """Group of each point, (G,), by divisive clustering."""
    label = np.zeros(len(points), dtype=np.int64)
    heap: list[tuple[float, int, int, IntArray]] = []

    def push(number: int, members: IntArray) -> None:
        mine, w = points[members], weight[members][:, None]
        mean = (mine * w).sum(axis=0) / w.sum()
        squares = ((mine - mean) ** 2 * w).sum(axis=0)
        axis = int(np.argmax(squares))
        if squares[axis] > 0:
            heapq.heappush(heap, (-float(squares[axis]), number, axis, members))

    push(0, np.arange(len(points)))
    made = 1
    while made < most and heap:
        _, number, axis, members = heapq.heappop(heap)
        w, values = weight[members], points[members, axis]
        upper = values > (values * w).sum() / w.sum()
        if upper.all() or not upper.any():  # equal but for rounding
            continue
        label[members[upper]] = made
        push(number, members[~upper])
        push(made, members[upper])
        made += 1
    return label


def _medoids(points: FloatArray, weight: FloatArray, label: IntArray) -> IntArray:
    """The member of each group nearest to its mean, the first of equals."""
    total = np.bincount(label, weights=weight)
    mean = np.column_stack([np.bincount(label, weights=weight * column) / total for column in points.T])
    off = ((points - mean[label]) ** 2).sum(axis=1)
    order = np.lexsort((np.arange(len(label)), off, label))
    return np.asarray(order[np.searchsorted(label[order], np.arange(len(total)))], dtype=np.int64)


def _grouped(days: TruckDays, label: IntArray, chosen: IntArray, trucks: FloatArray) -> TruckDays:
    count = len(days.trucks)
    first = np.searchsorted(days.leg_group, np.arange(count + 1))
    number = first[chosen + 1] - first[chosen]
    inside = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    leg = np.repeat(first[chosen], number) + inside
    group = np.repeat(np.arange(len(chosen)), number)
    stretched = []
    for values in (days.leg_km, days.leg_hours):
        own = np.bincount(days.leg_group, weights=values, minlength=count)
        mean = np.bincount(label, weights=own * days.trucks) / trucks
        ratio = np.divide(mean, own[chosen], out=np.ones_like(mean), where=own[chosen] > 0)
        stretched.append(values[leg] * ratio[group])
    return TruckDays(
        trucks=trucks,
        home=days.home[chosen],
        shifts=days.shifts[chosen],
        leg_group=group,
        leg_from=days.leg_from[leg],
        leg_to=days.leg_to[leg],
        leg_load=days.leg_load[leg],
        leg_km=stretched[0],
        leg_hours=stretched[1],
        leg_start=days.leg_start[leg],
        leg_dwell=days.leg_dwell[leg],
    )
