"""Small location problems and their answers by trying every choice of sites."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.optimize import linprog

Array = np.ndarray[Any, Any]


def choices(sites: int, count: int) -> Iterator[Array]:
    """Every choice of ``count`` of ``sites``."""
    for one in itertools.combinations(range(sites), count):
        yield np.array(one)


def least_median(distance: Array, weight: Array, count: int) -> float:
    """The p-median's optimum (inf: no choice reaches every customer)."""
    kept = weight > 0
    cost = distance[:, kept]
    return min(float(weight[kept] @ cost[one].min(axis=0)) for one in choices(len(distance), count))


def most_covered(covers: Array, weight: Array, cost: Array, count: int, budget: float) -> float:
    """The most weight that at most ``count`` sites within the budget cover."""
    return max(
        float(weight[covers[one].any(axis=0)].sum()) if len(one) else 0.0
        for size in range(count + 1)
        for one in choices(len(covers), size)
        if cost[one.astype(int)].sum() <= budget + 1e-9
    )


def least_split(cost: Array, demand: Array, capacity: Array, fixed: Array) -> float:
    """The capacitated optimum by a transport problem for each choice of sites."""
    sites, customers = cost.shape
    best = np.inf
    for size in range(1, sites + 1):
        for one in choices(sites, size):
            if capacity[one].sum() < demand.sum() - 1e-9:
                continue
            equal = np.tile(np.eye(customers), size)
            within = np.kron(np.eye(size), demand)
            answer = linprog(
                cost[one].ravel(),
                A_ub=within,
                b_ub=capacity[one],
                A_eq=equal,
                b_eq=np.ones(customers),
                bounds=(0, 1),
            )
            if answer.success:
                best = min(best, float(fixed[one].sum() + answer.fun))
    return best


def least_single(cost: Array, demand: Array, capacity: Array, fixed: Array) -> float:
    """The single-source optimum by trying every assignment."""
    sites, customers = cost.shape
    best = np.inf
    for to in itertools.product(range(sites), repeat=customers):
        used = np.bincount(to, weights=demand, minlength=sites)
        if np.all(used <= capacity + 1e-9):
            value = cost[list(to), np.arange(customers)].sum() + fixed[np.unique(to)].sum()
            best = min(best, float(value))
    return best
