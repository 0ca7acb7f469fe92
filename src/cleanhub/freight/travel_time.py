"""Time under way by hour of departure, from the time on a free road.

Traffic slows every road by the same factor, which holds for an hour of the day (local time). A truck
that is under way when the hour ends goes on at the next hour's speed, so that who leaves first
arrives first (Ichoua, Gendreau, Potvin: Vehicle dispatching with time-dependent travel
times, European Journal of Operational Research 144, 2003). Roads are not told apart: a congested
freeway and a free one differ only in the speeds that a user's own road file gives.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
HOURS = 24
MINUTES_PER_DAY = 1440.0


def _ones() -> FloatArray:
    return np.ones(HOURS)


@dataclass(frozen=True)
class DayProfile:
    """How fast trucks go and when they leave, each by hour of the day, shape (24,).

    ``slowdown`` is the time a road takes in that hour over its time when free (1: free);
    ``departures`` the weight of trips that leave in the hour (any scale). Raises ``ValueError``
    where a slowdown is not above 0 or the weights are not those of at least one trip.
    """

    slowdown: FloatArray = field(default_factory=_ones)
    departures: FloatArray = field(default_factory=_ones)

    def __post_init__(self) -> None:
        for name, values in (("slowdown", self.slowdown), ("departures", self.departures)):
            if np.shape(values) != (HOURS,) or not np.isfinite(values).all():
                raise ValueError(f"{name} takes {HOURS} finite numbers")
        if (self.slowdown <= 0).any():
            raise ValueError("slowdown is above 0")
        if (self.departures < 0).any() or not self.departures.any():
            raise ValueError("departures are weights, not all 0")


def minutes_under_way(free_minutes: ArrayLike, hour: ArrayLike, slowdown: FloatArray) -> FloatArray:
    """Time that a trip takes when it leaves at ``hour`` [min].

    ``free_minutes`` [min] is the time on a free road and ``hour`` [h] the hour of departure (17.5 is half
    past five; any number, taken round the clock); they broadcast. ``slowdown`` (24,) as in
    :class:`DayProfile`. What is out of reach (inf) stays so.
    """
    free = np.asarray(free_minutes, dtype=np.float64)
    start = np.mod(np.asarray(hour, dtype=np.float64), HOURS) * 60
    edges = 60.0 * np.arange(HOURS + 1)
    progress = np.concatenate([[0.0], np.cumsum(60.0 / slowdown)])  # free minutes covered since midnight
    reached = np.interp(start, edges, progress) + np.where(np.isfinite(free), free, 0.0)
    days, rest = np.divmod(reached, progress[-1])
    arrival = days * MINUTES_PER_DAY + np.interp(rest, progress, edges)
    return np.asarray(np.where(np.isfinite(free), arrival - start, free), dtype=np.float64)


def minutes_by_hour(free_minutes: ArrayLike, slowdown: FloatArray) -> FloatArray:
    """Time for a departure at each full hour, one axis of 24 behind the shape given [min]."""
    free = np.asarray(free_minutes, dtype=np.float64)
    return minutes_under_way(free[..., None], np.arange(HOURS), slowdown)


def mean_minutes(free_minutes: ArrayLike, profile: DayProfile) -> FloatArray:
    """Mean time over the departures of the day, in the shape given [min].

    Who leaves in an hour leaves, on average, in the middle of it.
    """
    free = np.asarray(free_minutes, dtype=np.float64)
    weight = profile.departures / profile.departures.sum()
    total = np.zeros_like(free)
    for hour in np.flatnonzero(weight):  # at most 24 passes, one matrix in memory
        total += weight[hour] * minutes_under_way(free, hour + 0.5, profile.slowdown)
    return total
