"""When trucks can charge: windows of the charging schedule from truck-days and a siting plan.

At its home base a truck can charge from the end of its day to the start of the next. On its way it
charges in the stop at which half of the day's distance is behind it, for as long as its energy takes,
and a little more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleanhub.freight.charging_schedule import Windows
from cleanhub.freight.energy import leg_places
from cleanhub.freight.problem import HOME, TruckDays

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DAY = 24.0
SLACK = 1.05
"""Least time of a window over the time its energy takes at full power."""


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


def time_on_the_way(truck_days: TruckDays) -> FloatArray:
    """Hour at which trucks of each group reach the stop after half of their distance, shape (G,) [h]."""
    total = truck_days.km
    before = np.cumsum(truck_days.leg_km)
    group = truck_days.leg_group
    within = before - (np.cumsum(total) - total)[group]
    halfway = np.flatnonzero(within >= 0.5 * total[group] - 1e-9)
    out = np.zeros(len(total))
    legs = halfway[::-1]  # the first leg past the middle is written last and stays
    out[group[legs]] = np.mod(truck_days.leg_start[legs] + truck_days.leg_hours[legs], DAY)
    return out


def plan_windows(
    truck_days: TruckDays,
    pair_group: IntArray,
    pair_site: IntArray,
    pair_kind: IntArray,
    delivered: FloatArray,
    kwh_per_truck: FloatArray,
    truck_kw: FloatArray,
    stay: float = 1.25,
) -> Windows:
    """Windows of what a plan delivers.

    Parameters
    ----------
    truck_days
        Groups of truck-days.
    pair_group, pair_site, pair_kind
        Pairs of the siting problem, shape (J,).
    delivered
        Energy of each pair on a working day, shape (J,) [kWh]; pairs without any are left out.
    kwh_per_truck
        Energy that one truck takes there, shape (J,) [kWh].
    truck_kw
        Mean power of a truck at a plug of each site, shape (S,) [kW].
    stay
        Time of a stop on the way over the time that charging takes [-].

    Returns
    -------
    Windows
        In the order of the pairs. A window is never shorter than its energy needs at that power.
    """
    used = np.flatnonzero(delivered > 0)
    group, site = pair_group[used], pair_site[used]
    energy = np.maximum(kwh_per_truck[used], 1e-9)
    power = truck_kw[site]
    taken = energy / power
    back, at_base = time_at_base(truck_days)
    home = pair_kind[used] == HOME
    start = np.where(home, back[group], time_on_the_way(truck_days)[group])
    hours = np.where(home, at_base[group], taken * stay)
    return Windows(
        site=site,
        kwh=delivered[used],
        start=start,
        hours=np.minimum(np.maximum(hours, taken * SLACK), DAY),
        kw=delivered[used] / energy * power,
    )


def _ends(truck_days: TruckDays) -> tuple[IntArray, IntArray]:
    """First and last leg of every group that has legs."""
    place = leg_places(truck_days)
    first = np.flatnonzero(place == 0)
    last = np.append(first[1:], len(place))[: len(first)] - 1
    return first, last
