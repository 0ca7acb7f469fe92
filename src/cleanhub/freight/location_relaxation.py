"""The p-median's Lagrangian bound: assignment relaxed, sites priced, sites and arcs ruled out.

With a price u_i for serving customer i (Cornuejols, Fisher and Nemhauser 1977)

    bound(u) = sum_i u_i + the p smallest of  r_j = sum_i min(0, c_ij - u_i)

no choice of p sites costs less than bound(u). Prices climb by subgradients. A site j outside the p
smallest can be in a choice better than the best known only if bound + r_j - r_(p) stays below it;
likewise a site within them can be missing, and customer i can go to j, at c_ij - u_i more.
What fails that test is dropped, for good and for all nodes below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.freight.location_interchange import greedy_sites, interchange, two_nearest

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

ROOT_STEPS = 600
LEAST_STEP = 0.02
AIM = 1.01
"""Steps aim a little above the best known cost, so that they do not die before the bound is met."""
MEMORY = 0.3
"""Share of the last direction in the next one, which damps the zigzag."""


@dataclass
class Climb:
    """The best bound of a climb with its prices (C,), site prices (S,) and mean openness of sites (S,)."""

    bound: float
    price: FloatArray
    reduced: FloatArray
    openness: FloatArray
    step: float


@dataclass
class Root:
    """What is left of a p-median after its root bound.

    ``sites`` (L,) are the positions that may still be in a better choice; ``cost`` (L, C)
    their rows; ``chosen`` (P,) positions in the whole problem, ``best`` their cost.
    """

    sites: IntArray
    cost: FloatArray
    climb: Climb
    chosen: IntArray
    best: float


def climb(
    cost: FloatArray,
    forced: int,
    count: int,
    price: FloatArray,
    goal: tuple[float, float],
    steps: int,
    step: float,
) -> Climb:
    """Climb with the first ``forced`` rows open and the ``count`` best of the others free to open.

    ``goal`` is the best known cost and the bound from which on nothing better can be found.
    """
    best, enough = goal
    total = forced + count
    openness = np.zeros(len(cost))
    found = Climb(-np.inf, price, np.zeros(len(cost)), openness, step)
    direction, stalled = np.zeros(0), 0
    chosen = np.arange(total)
    for number in range(steps):
        below = np.minimum(cost - price, 0.0)
        reduced = below.sum(axis=1)
        if forced + count < len(cost) and count:
            chosen[forced:] = forced + np.argpartition(reduced[forced:], count - 1)[:count]
        bound = float(price.sum() + reduced[chosen].sum())
        openness *= 0.9 if number else 0.0
        openness[chosen] += 0.1 if number else 1.0
        if bound > found.bound + 1e-7 * abs(bound):
            found.bound, found.price, found.reduced, stalled = bound, price, reduced, 0
        else:
            stalled += 1
        if found.bound > enough or step < LEAST_STEP:
            break
        if stalled >= 8:
            step, stalled, price, direction = step / 2.0, 0, found.price, np.zeros(0)
            continue
        slope = 1.0 - np.count_nonzero(below[chosen], axis=0)
        direction = slope if not len(direction) else (1.0 - MEMORY) * slope + MEMORY * direction
        length = float(direction @ direction)
        if length < 1e-12:
            break
        price = price + step * (AIM * best - bound) / length * direction
    found.step = step
    return found


def may_open(found: Climb, forced: int, count: int, enough: float) -> tuple[BoolArray, BoolArray]:
    """Of the free rows: which may be in a better choice, and which must be, each (S - forced,)."""
    free = found.reduced[forced:]
    order = np.sort(free)
    last = order[count - 1] if count else -np.inf
    after = order[count] if len(order) > count else np.inf
    may = found.bound + free - last <= enough
    must = (free <= last) & (found.bound + after - free > enough)
    return may, must


def may_serve(found: Climb, cost: FloatArray, count: int, enough: float) -> BoolArray:
    """Which site may serve which customer in a choice better than the best known, (S, C)."""
    last = np.sort(found.reduced)[count - 1]
    more = np.maximum(found.reduced - last, 0.0)
    return np.asarray(found.bound + more[:, None] + np.maximum(cost - found.price, 0.0) <= enough)


def relax(cost: FloatArray, count: int, better: float) -> Root:
    """Start choice, root bound and the sites that are left.

    ``better`` is how much a choice must be better to matter (1 for whole-number costs).
    """
    chosen, best = interchange(cost, greedy_sites(cost, count))
    _, first, second = two_nearest(cost, chosen)
    sites, live = np.arange(len(cost)), cost
    price = (first + np.minimum(second, first + 2.0 * first.mean() + 1.0)) / 2.0
    step, done = 1.0, 0
    while True:
        found = climb(live, 0, count, price, (best, best - better), 40, step)
        price, step, done = found.price, found.step, done + 40
        order = np.argsort(found.reduced, kind="stable")[:count]
        value = float(live[order].min(axis=0).sum())
        if value < best * 1.02 and done <= 400:
            swapped, value = interchange(live, order, 5)
            if value < best:
                chosen, best = sites[swapped], value
        may, _ = may_open(found, 0, count, best - better)
        over = found.bound > best - better or step < LEAST_STEP or done >= ROOT_STEPS
        if int(may.sum()) <= count or over:
            return Root(sites, live, found, chosen, best)
        if int(may.sum()) < 0.9 * len(sites):
            sites, live = sites[may], live[may]
