"""The p-median: p sites from which customers, each served by the nearest, are at the least weighted distance.

Exact. First a start choice (``location_interchange``) and the Lagrangian bound, which rules out most
sites and arcs (``location_relaxation``). What is left goes to branch and bound with that bound at each
node (``location_tree``; few sites to choose, a gap at the root) or to HiGHS (``location_radius``; many
sites to choose, hardly a gap). HiGHS is first asked for a choice within a small
distance of the bound: few arcs survive that test, and a choice found there is the best of all; if
there is none, the distance is doubled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.core.errors import RunError
from cleanhub.freight.location import Location, ended_as, relative_gap
from cleanhub.freight.location_radius import FORMS, choose_form, median_programme
from cleanhub.freight.location_relaxation import Root, may_serve, relax
from cleanhub.freight.location_solver import OPTIMAL, Stops, solve_programme
from cleanhub.freight.location_tree import Tree, search

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

AUTO, TREE = "auto", "tree"
MEDIAN_FORMS = (AUTO, TREE, *FORMS)
MOST_BY_TREE = 25
"""From how many sites on a linear programme is the better way: measured in benchmarks/location_optima.py."""
FIRST_DISTANCE = 0.1
"""Share of the distance between bound and best known cost that HiGHS is asked for first."""


@dataclass
class _Found:
    """The best choice so far in the whole problem, its cost and the bound."""

    chosen: IntArray
    best: float
    bound: float
    status: str
    method: str
    nodes: int = 0


def solve_p_median(
    distance: FloatArray, weight: FloatArray, count: int, stops: Stops | None = None, form: str = AUTO
) -> Location:
    """Choose ``count`` of S sites to serve C customers at the least weighted distance.

    Parameters
    ----------
    distance
        Distance or cost of serving each customer once from each site, (S, C); not negative, ``inf``
        where a site cannot serve.
    weight
        How often each customer is served, (C,), not negative.
    count
        Sites to open, 1 to S.
    stops
        When to end early; proved optimal without.
    form
        ``auto``, ``tree``, or a form of the programme for HiGHS (``classical``, ``radius``,
        ``incremental``).

    Raises
    ------
    RunError
        When ``count`` sites cannot reach every customer, or none was found before a stop that can.
    """
    stops = (stops or Stops()).start()
    cost, barred = weighted_cost(distance, weight)
    step = whole_step(cost)
    better = step * (1.0 - 1e-6) if step else 0.0
    root = relax(cost, count, max(better, 1e-9 * float(cost.min(axis=0).sum())))
    better = max(better, stops.gap * max(root.climb.bound, 0.0), 1e-10 * root.best)
    by_tree = form == TREE or (form == AUTO and count <= MOST_BY_TREE)
    if root.climb.bound > root.best - better:
        found = _Found(root.chosen, root.best, root.best - better, OPTIMAL, "Lagrangian bound")
    elif by_tree:
        tree = search(root, count, better, stops)
        found = _Found(
            tree.chosen, tree.best, tree.bound, tree.status, "Lagrangian branch and bound", tree.nodes
        )
    else:
        found = _by_programme(root, count, better, stops, form)
    if found.best >= barred:
        raise RunError(f"{count} sites were not found that reach every customer")
    return _as_location(distance, weight, found, max(step, 0.0), stops)


def weighted_cost(distance: FloatArray, weight: FloatArray) -> tuple[FloatArray, float]:
    """Weight times distance (S, C) of customers with a weight, and the cost of a customer out of reach.

    That cost is more than any choice that reaches all can cost.
    """
    kept = weight > 0
    reach = np.isfinite(distance[:, kept])
    cost = np.where(reach, distance[:, kept], 0.0) * weight[kept]
    barred = 1.0 + math.ceil(float(cost.max(axis=0, initial=0.0).sum()))
    return np.ascontiguousarray(np.where(reach, cost, barred)), barred


def whole_step(cost: FloatArray) -> float:
    """Greatest common divisor of whole-number costs: two choices differ by at least this; 0 if not whole."""
    if not cost.size or cost.max() > 2.0**40 or np.any(cost != np.rint(cost)):
        return 0.0
    return float(np.gcd.reduce(np.unique(cost).astype(np.int64)))


def _by_programme(root: Root, count: int, better: float, stops: Stops, form: str) -> _Found:
    found = _Found(root.chosen, root.best, root.climb.bound, OPTIMAL, "")
    target = root.climb.bound + max(FIRST_DISTANCE * (root.best - root.climb.bound), better)
    while True:
        target = min(target, found.best - better)
        arcs = may_serve(root.climb, root.cost, count, target + 1e-9 * abs(target))
        kept = arcs.any(axis=1)
        if arcs.any(axis=0).all() and int(kept.sum()) >= count:
            cost, arcs = root.cost[kept], arcs[kept]
            shape = choose_form(cost, arcs) if form in (AUTO, TREE) else form
            found.method = f"HiGHS, {shape} form"
            programme, constant = median_programme(cost, arcs, count, shape)
            answer = solve_programme(
                programme, stops, cutoff=target - constant + 1e-6 * max(1.0, abs(target))
            )
            if len(answer.values):
                rows = np.argsort(-answer.values[: len(cost)], kind="stable")[:count]
                value = float(cost[rows].min(axis=0).sum())
                if value < found.best:
                    found.best, found.chosen = value, np.sort(root.sites[kept][rows])
            found.status = answer.status
            if answer.status != OPTIMAL:
                found.bound = max(found.bound, min(answer.bound + constant, target))
                return found
        found.bound = max(found.bound, min(target, found.best))
        if found.best <= target + better or target >= found.best - better * 1.000001:
            found.bound = max(found.bound, found.best - better)
            return found
        target = root.climb.bound + 2.0 * (target - root.climb.bound)


def _as_location(
    distance: FloatArray, weight: FloatArray, found: _Found | Tree, step: float, stops: Stops
) -> Location:
    rows = distance[found.chosen]
    nearest = rows.argmin(axis=0)
    objective = float(weight @ np.where(weight > 0, rows.min(axis=0), 0.0))
    bound = min(objective, found.bound)
    if objective - bound < step:  # a better choice would be better by a whole step
        bound = objective
    gap = relative_gap(objective, bound)
    if gap == 0.0:
        bound = objective
    return Location(
        model="p-median",
        sense="min",
        objective=objective,
        bound=bound,
        gap=gap,
        chosen=np.asarray(found.chosen, dtype=np.int64),
        assignment=np.asarray(found.chosen[nearest], dtype=np.int64),
        status=ended_as(found.status, gap, stops),
        served=np.isfinite(rows.min(axis=0)).astype(np.float64),
        method=getattr(found, "method", ""),
        nodes=found.nodes,
        seconds=stops.elapsed,
    )
