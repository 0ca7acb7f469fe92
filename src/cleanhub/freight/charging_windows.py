"""When trucks stand at their home base, where they can charge from the end of a day to the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleanhub.freight.energy import leg_places
from cleanhub.freight.problem import TruckDays

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DAY = 24.0


def time_at_base(truck_days: TruckDays) -> tuple[FloatArray, FloatArray]:
    """Hour at which trucks of each group are back, and hours until they leave again, each (G,) [h].

    A day that would last 24 hours or more leaves no time.
    """
    groups = len(truck_days.trucks)
    first, last = _ends(truck_days)
    busy = truck_days.leg_hours + truck_days.leg_dwell
    away = np.bincount(truck_days.leg_group, weights=busy, minlength=groups).astype(np.float64)
    away[truck_days.leg_group[last]] -= truck_days.leg_dwell[last]
    start = np.zeros(groups)
    start[truck_days.leg_group[first]] = truck_days.leg_start[first]
    return np.mod(start + away, DAY), np.maximum(DAY - away, 0.0)


def _ends(truck_days: TruckDays) -> tuple[IntArray, IntArray]:
    """First and last leg of every group that has legs."""
    place = leg_places(truck_days)
    first = np.flatnonzero(place == 0)
    last = np.append(first[1:], len(place))[: len(first)] - 1
    return first, last
