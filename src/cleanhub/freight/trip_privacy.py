"""What of a user's own trips may leave: aggregates of five or more different trucks.

Places that fewer trucks use are merged into the nearest that enough use; groups of truck-days with
fewer trucks into the most alike; pairs of places with fewer are withheld. Each function says how many
were merged or withheld. Roads are withheld by :func:`cleanhub.freight.flows.private_road_flow`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from cleanhub.freight.flows import LEAST_TRUCKS
from cleanhub.freight.near import Nearby
from cleanhub.freight.problem import FloatArray, IntArray, Trips, TruckDays, Zones
from cleanhub.freight.tours import no_truck_days
from cleanhub.freight.truck_day_groups import group_by_label, group_truck_days, merge_small_groups
from cleanhub.freight.user_trips import UserTrips, UserTruckDays

ROUNDED_HOURS = 0.5
"""Clock times of a group's example tour are rounded to this."""


def different_trucks(key: IntArray, truck: IntArray, count: int) -> IntArray:
    """How many different trucks have each of ``count`` keys, (count,), from rows of both, (n,)."""
    most = int(truck.max(initial=0)) + 1
    once = np.unique(key * most + truck)
    return np.bincount(once // most, minlength=count).astype(np.int64)


def private_truck_days(
    user: UserTruckDays, most: int, least_trucks: int = LEAST_TRUCKS
) -> tuple[TruckDays, IntArray, int, float]:
    """Groups of truck-days that may leave.

    Returns them, the group of each truck-day (G,) (-1: withheld), how many places were merged into
    others, and the truck-days a day withheld (all, when the file has fewer than ``least_trucks``
    trucks). The example tour of a group stops only at places that enough trucks use, at times rounded
    to half hours.
    """
    days = user.days
    count = len(days.trucks)
    if len(np.unique(user.truck)) < least_trucks:
        return no_truck_days(), np.full(count, -1, dtype=np.int64), 0, float(days.trucks.sum())
    to, merged = _coarse_places(user, least_trucks)
    if to is None:
        return no_truck_days(), np.full(count, -1, dtype=np.int64), merged, float(days.trucks.sum())
    coarse = replace(days, home=to[days.home], leg_from=to[days.leg_from], leg_to=to[days.leg_to])
    label = group_truck_days(coarse, user.zones, max(min(most, count // least_trucks), 1))[1]
    label = merge_small_groups(coarse, user.zones, label, user.truck, least_trucks)
    groups = group_by_label(coarse, user.zones, label)
    rounded = {
        name: np.round(getattr(groups, name) / ROUNDED_HOURS) * ROUNDED_HOURS
        for name in ("leg_start", "leg_dwell")
    }
    rounded["leg_start"] = np.mod(rounded["leg_start"], 24.0)
    return replace(groups, **rounded), label, merged, 0.0


def private_pairs(
    user: UserTruckDays | UserTrips, least_trucks: int = LEAST_TRUCKS
) -> tuple[pd.DataFrame, int, float]:
    """Trips a day by pair of places (origin, destination, trips_per_day).

    Returns only pairs that at least ``least_trucks`` different trucks drive, how many pairs are
    withheld, and the trips a day on them.
    """
    zones = user.zones
    count = max(len(zones.name), 1)
    if isinstance(user, UserTrips):
        code = user.trips.origin * count + user.trips.destination
        trucks, per_day = user.trucks, user.trips.per_day
    else:
        days = user.days
        moves = days.leg_from != days.leg_to
        group = days.leg_group[moves]
        code, of = np.unique(days.leg_from[moves] * count + days.leg_to[moves], return_inverse=True)
        per_day = np.bincount(of, weights=days.trucks[group], minlength=len(code)).astype(np.float64)
        trucks = different_trucks(of, user.truck[group], len(code)).astype(np.float64)
    shown = trucks >= least_trucks
    pairs = pd.DataFrame(
        {
            "origin": zones.name[code[shown] // count],
            "destination": zones.name[code[shown] % count],
            "trips_per_day": per_day[shown],
        }
    )
    return pairs, int((~shown).sum()), float(per_day[~shown].sum())


def private_trips(user: UserTrips, least_trucks: int = LEAST_TRUCKS) -> tuple[Trips, int, float]:
    """Trips that may leave: pairs of at least ``least_trucks`` trucks, after merging places that fewer use.

    Returns them, how many places were merged, and the trips a day withheld.
    """
    zones, trips = user.zones, user.trips
    count = len(zones.name)
    known = np.zeros(count)
    for end in (trips.origin, trips.destination):
        known = np.maximum(known, np.bincount(end, weights=user.trucks, minlength=count))
    to, merged = _nearest_known(zones, known, least_trucks, np.concatenate([trips.origin, trips.destination]))
    if to is None:
        return (
            Trips(trips.origin[:0], trips.destination[:0], trips.per_day[:0]),
            merged,
            float(trips.per_day.sum()),
        )
    code, of = np.unique(to[trips.origin] * count + to[trips.destination], return_inverse=True)
    per_day = np.bincount(of, weights=trips.per_day, minlength=len(code))
    trucks = np.bincount(of, weights=user.trucks, minlength=len(code))
    shown = (trucks >= least_trucks) & (code // count != code % count)
    left = Trips(code[shown] // count, code[shown] % count, per_day[shown])
    return left, merged, float(per_day[~shown].sum())


def _coarse_places(user: UserTruckDays, least: int) -> tuple[IntArray | None, int]:
    """For each zone the one that stands for it, (Z,); None when no place has enough trucks."""
    days, count = user.days, len(user.zones.name)
    key = np.concatenate([days.leg_from, days.leg_to, days.home])
    group = np.concatenate([days.leg_group, days.leg_group, np.arange(len(days.home))])
    known = different_trucks(key, user.truck[group], count)
    return _nearest_known(user.zones, known, least, key)


def _nearest_known(
    zones: Zones, trucks: FloatArray | IntArray, least: int, used: IntArray
) -> tuple[IntArray | None, int]:
    places = np.unique(used)
    enough = np.flatnonzero(trucks >= least)
    few = places[trucks[places] < least]
    if not len(enough):
        return None, len(places)
    to = np.arange(len(zones.name), dtype=np.int64)
    near = Nearby(zones.lat[enough], zones.lon[enough]).nearest(zones.lat[few], zones.lon[few])[0]
    to[few] = enough[near]
    return to, len(few)
