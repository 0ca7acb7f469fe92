"""Start solutions of the p-median: greedy addition, then Teitz and Bart's interchange on whole arrays.

The interchange weighs all pairs of a site to open and a site to close at once (Whitaker 1983;
Resende and Werneck 2007): the profit of a pair is what opening gains, less what closing loses,
plus what both together give back. ``cost`` is (S, C): weight times distance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LEAST_PROFIT = 1e-9
"""Least relative profit of a swap: below it, rounding could make swaps go in circles."""


def greedy_sites(cost: FloatArray, count: int) -> IntArray:
    """Open ``count`` sites one by one, each the one that lowers the cost most, (P,)."""
    chosen: list[int] = []
    nearest = np.full(cost.shape[1], 2.0 * float(cost.max(initial=0.0)) + 1.0)
    for _ in range(count):
        gain = np.maximum(nearest - cost, 0.0).sum(axis=1)
        gain[chosen] = -1.0
        best = int(gain.argmax())
        chosen.append(best)
        nearest = np.minimum(nearest, cost[best])
    return np.array(sorted(chosen), dtype=np.int64)


def two_nearest(cost: FloatArray, sites: IntArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """Position in ``sites`` of each customer's nearest, its cost, and that of the second, each (C,).

    With one site the second costs more than anything in the matrix.
    """
    rows = cost[sites]
    columns = np.arange(rows.shape[1])
    nearest = rows.argmin(axis=0)
    first = rows[nearest, columns]
    if len(sites) == 1:
        return nearest, first, np.full(len(first), 2.0 * float(cost.max(initial=0.0)) + 1.0)
    rows[nearest, columns] = np.inf
    return nearest, first, rows.min(axis=0)


def interchange(cost: FloatArray, sites: IntArray, most: int = 10_000) -> tuple[IntArray, float]:
    """Swap the best pair of sites until no swap pays or ``most`` are made: sites (P,) and their cost."""
    sites = np.array(sites, dtype=np.int64)
    count = len(sites)
    for _ in range(most):
        nearest, first, second = two_nearest(cost, sites)
        gain = np.maximum(first - cost, 0.0).sum(axis=1)
        loss = np.bincount(nearest, weights=second - first, minlength=count)
        profit = gain[:, None] - loss[None, :] + _given_back(cost, nearest, first, second, count)
        profit[sites] = -1.0
        opened, closed = divmod(int(profit.argmax()), count)
        if profit[opened, closed] <= LEAST_PROFIT * max(1.0, float(first.sum())):
            break
        sites[closed] = opened
    sites.sort()
    return sites, float(cost[sites].min(axis=0).sum())


def _given_back(
    cost: FloatArray, nearest: IntArray, first: FloatArray, second: FloatArray, count: int
) -> FloatArray:
    """Loss of closing each site that opening another makes good, (S, P)."""
    order = np.argsort(nearest, kind="stable")
    part = np.maximum(second[order] - np.maximum(cost[:, order], first[order]), 0.0)
    filled = np.flatnonzero(np.bincount(nearest, minlength=count))
    starts = np.searchsorted(nearest[order], filled)
    back = np.zeros((len(cost), count))
    back[:, filled] = np.add.reduceat(part, starts, axis=1)
    return back
