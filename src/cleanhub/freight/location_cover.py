"""Maximal covering: sites that have as much weight as possible within their radius (Church and ReVelle 1974).

    maximise  sum_i w_i z_i   with   z_i <= sum of y_j over sites j that cover i,   and
    sum_j y_j <= p,   sum_j k_j y_j <= budget,   or both

Customers covered by the same sites are one. The rest is HiGHS.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleanhub.freight.location import Location, ended_as, relative_gap
from cleanhub.freight.location_median import whole_step
from cleanhub.freight.location_solver import Programme, Stops, solve_programme, stacked

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def solve_covering(
    covers: BoolArray,
    weight: FloatArray,
    count: int | None = None,
    site_cost: FloatArray | None = None,
    budget: float = np.inf,
    stops: Stops | None = None,
) -> Location:
    """Choose sites that cover the most weight.

    Parameters
    ----------
    covers
        Which site covers which customer, (S, C).
    weight
        Worth of covering each customer, (C,), not negative.
    count
        Most sites to open; none: as many as the budget buys.
    site_cost, budget
        Cost of each site (S,) and what may be spent, in the same unit; without costs each is 1.
    stops
        When to end early; proved optimal without.
    """
    stops = (stops or Stops()).start()
    sites, customers = covers.shape
    cost = np.ones(sites) if site_cost is None else site_cost
    reached = covers.any(axis=0) & (weight > 0)
    pattern, member = np.unique(covers[:, reached], axis=1, return_inverse=True)
    worth = np.bincount(np.ravel(member), weight[reached], pattern.shape[1]).astype(np.float64)
    programme = _programme(pattern, worth, count, cost, budget)
    answer = solve_programme(programme, stops, start=np.zeros(len(programme.cost)))
    chosen = np.flatnonzero(answer.values[:sites] > 0.5)
    served = covers[chosen].any(axis=0) if len(chosen) else np.zeros(customers, dtype=bool)
    objective = float(weight[served].sum())
    bound = min(-answer.bound, float(worth.sum()))
    return _as_location(objective, bound, whole_step(weight), chosen, covers, answer.status, stops)


def _programme(
    pattern: BoolArray, worth: FloatArray, count: int | None, cost: FloatArray, budget: float
) -> Programme:
    sites, groups = pattern.shape
    site, group = np.nonzero(pattern)
    place, each = np.arange(sites), np.arange(groups)
    matrix = stacked(
        [
            (np.zeros(sites, dtype=np.intp), place, np.ones(sites)),
            (np.ones(sites, dtype=np.intp), place, cost),
            (2 + group, site, np.ones(len(site))),
            (2 + each, sites + each, -np.ones(groups)),
        ],
        (2 + groups, sites + groups),
    )
    integer = np.ones(sites + groups, dtype=bool)
    integer[sites:] = False
    return Programme(
        cost=np.concatenate([np.zeros(sites), -worth]),
        lower=np.zeros(sites + groups),
        upper=np.ones(sites + groups),
        integer=integer,
        matrix=matrix,
        row_lower=np.concatenate([[-np.inf, -np.inf], np.zeros(groups)]),
        row_upper=np.concatenate([[sites if count is None else count, budget], np.full(groups, np.inf)]),
    )


def _as_location(
    objective: float,
    bound: float,
    step: float,
    chosen: NDArray[np.intp],
    covers: BoolArray,
    status: str,
    stops: Stops,
) -> Location:
    bound = max(bound, objective)
    if bound - objective < step * (1.0 - 1e-6):  # a better choice would be better by a whole step
        bound = objective
    gap = relative_gap(objective, bound)
    served = covers[chosen].any(axis=0) if len(chosen) else np.zeros(covers.shape[1], dtype=bool)
    first = (
        chosen[covers[chosen].argmax(axis=0)] if len(chosen) else np.zeros(covers.shape[1], dtype=np.int64)
    )
    return Location(
        model="mclp",
        sense="max",
        objective=objective,
        bound=objective if gap == 0.0 else bound,
        gap=gap,
        chosen=np.asarray(chosen, dtype=np.int64),
        assignment=np.where(served, first, -1),
        status=ended_as(status, gap, stops),
        served=np.asarray(served, dtype=np.float64),
        method="HiGHS",
        seconds=stops.elapsed,
    )
