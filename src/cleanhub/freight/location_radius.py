"""The p-median as a mixed-integer programme, in three forms over the arcs that are left.

*classical* (ReVelle and Swain 1970): x_ij <= y_j for each arc, sum_j x_ij = 1.
*radius* (Cornuejols, Nemhauser and Wolsey 1980): customer i is farther than its k-th distance, z_ik,
unless a site within it is open: z_ik + sum of y within D_k >= 1.
*incremental* (Elloumi 2010): the same with each row holding only the sites at exactly D_k:
z_ik + sum of y at D_k >= z_i,k-1, so that there are no more entries than arcs.

All three have the same bound without whole numbers. With many ties (graph distances) the incremental
form has far fewer columns than arcs; without ties the classical form is the smaller.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleanhub.freight.location_solver import Programme, stacked

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

FORMS = ("classical", "radius", "incremental")


def choose_form(cost: FloatArray, arcs: BoolArray) -> str:
    """The form that suits the ties: incremental when there are three arcs to two levels, else classical."""
    levels = sum(len(np.unique(column[kept])) for column, kept in zip(cost.T, arcs.T, strict=True))
    return "incremental" if 3 * levels <= 2 * int(arcs.sum()) else "classical"


def median_programme(cost: FloatArray, arcs: BoolArray, count: int, form: str) -> tuple[Programme, float]:
    """The programme over ``arcs`` (S, C), whose first S columns say which sites open, and its constant.

    Every customer has at least one arc.
    """
    customer, site = np.nonzero(arcs.T)
    value = cost[site, customer]
    order = np.lexsort((site, value, customer))
    customer, site, value = customer[order], site[order], value[order]
    make = _classical if form == "classical" else _levels
    return make(len(cost), customer, site, value, count, form == "radius")


def _classical(
    sites: int,
    customer: NDArray[np.intp],
    site: NDArray[np.intp],
    value: FloatArray,
    count: int,
    _: bool,
) -> tuple[Programme, float]:
    arcs, served = len(value), int(customer.max()) + 1
    each, ones = np.arange(arcs), np.ones(arcs)
    matrix = stacked(
        [
            (np.zeros(sites, dtype=np.intp), np.arange(sites), np.ones(sites)),
            (1 + customer, sites + each, ones),
            (1 + served + each, sites + each, ones),
            (1 + served + each, site, -ones),
        ],
        (1 + served + arcs, sites + arcs),
    )
    programme = Programme(
        cost=np.concatenate([np.zeros(sites), value]),
        lower=np.zeros(sites + arcs),
        upper=np.ones(sites + arcs),
        integer=np.arange(sites + arcs) < sites,
        matrix=matrix,
        row_lower=np.concatenate([[count], np.ones(served), np.full(arcs, -np.inf)]),
        row_upper=np.concatenate([[count], np.ones(served), np.zeros(arcs)]),
    )
    return programme, 0.0


def _levels(
    sites: int,
    customer: NDArray[np.intp],
    site: NDArray[np.intp],
    value: FloatArray,
    count: int,
    cumulative: bool,
) -> tuple[Programme, float]:
    new_customer = np.diff(customer, prepend=-1) != 0
    new_level = new_customer | (np.diff(value, prepend=np.nan) != 0)
    level = np.cumsum(new_level) - 1
    owner, distance = customer[new_level], value[new_level]
    levels = len(owner)
    first, last = np.diff(owner, prepend=-1) != 0, np.diff(owner, append=-1) != 0
    # the farthest level of a customer needs no column: something within it must be open
    column = sites + np.cumsum(~last) - 1
    farther = np.flatnonzero(~last)
    rows = [
        (np.zeros(sites, dtype=np.intp), np.arange(sites), np.ones(sites)),
        (1 + farther, column[farther], np.ones(len(farther))),
    ]
    if cumulative:
        rows.append(_within(level, site, np.flatnonzero(first), levels))
        right = np.ones(levels)
    else:
        after = np.flatnonzero(~first)
        rows.append((1 + level, site, np.ones(len(level))))
        rows.append((1 + after, column[after - 1], -np.ones(len(after))))
        right = first.astype(np.float64)
    columns = sites + len(farther)
    programme = Programme(
        cost=np.concatenate([np.zeros(sites), (np.append(distance[1:], 0.0) - distance)[farther]]),
        lower=np.zeros(columns),
        upper=np.ones(columns),
        integer=np.arange(columns) < sites,
        matrix=stacked(rows, (1 + levels, columns)),
        row_lower=np.concatenate([[count], right]),
        row_upper=np.concatenate([[count], np.full(levels, np.inf)]),
    )
    return programme, float(distance[first].sum())


def _within(
    level: NDArray[np.intp], site: NDArray[np.intp], first: NDArray[np.intp], levels: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], FloatArray]:
    """Triplets of the rows that hold all sites of a customer up to a level."""
    begin = np.searchsorted(level, first)  # the first arc of each customer
    start = begin[np.searchsorted(first, np.arange(levels), side="right") - 1]
    size = np.searchsorted(level, np.arange(levels), side="right") - start
    row = np.repeat(np.arange(levels), size)
    entry = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size) + np.repeat(start, size)
    return 1 + row, site[entry], np.ones(len(row))
