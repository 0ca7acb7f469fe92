"""Capacitated facility location: fixed costs, limited sites, customers split or each served by one site.

    minimise  sum_j f_j y_j + sum_ij c_ij x_ij
    with      sum_j x_ij = 1,   sum_i d_i x_ij <= s_j y_j,   x_ij <= y_j,   sum_j s_j y_j >= sum_i d_i

x_ij is the share of customer i served from site j at cost c_ij for the whole customer; with a single
source it is 0 or 1 (Holmberg, Ronnqvist and Yuan 1999). The rows x_ij <= y_j follow from the capacities
for whole y, yet make the bound strong. The search goes outwards from that bound
(``location_solver.solve_near_bound``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.core.errors import RunError
from cleanhub.freight.location import Location, ended_as, relative_gap
from cleanhub.freight.location_median import whole_step
from cleanhub.freight.location_solver import Programme, Stops, solve_near_bound, stacked

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Facilities:
    """A capacitated location problem.

    ``cost`` (S, C) of serving each customer wholly from each site (``inf``: cannot), ``demand`` (C,),
    ``capacity`` (S,) in the unit of demand, ``fixed`` (S,) cost of opening; ``single_source``
    when a customer may not be split.
    """

    cost: FloatArray
    demand: FloatArray
    capacity: FloatArray
    fixed: FloatArray
    single_source: bool = False


def solve_capacitated(problem: Facilities, stops: Stops | None = None) -> Location:
    """Choose sites and who serves whom at the least total cost.

    Raises
    ------
    RunError
        When no choice serves every customer, or none was found before a stop.
    """
    stops = (stops or Stops()).start()
    model = "single-source" if problem.single_source else "capacitated"
    _check_enough(problem, model)
    programme, arcs = _programme(problem)
    step = whole_step(np.concatenate([problem.cost[arcs], problem.fixed])) if problem.single_source else 0.0
    answer = solve_near_bound(programme, stops, step)
    if not len(answer.values):
        raise RunError(
            f"{model}: the sites cannot serve every customer"
            if answer.status == "optimal"
            else f"{model}: no solution was found before the {answer.status}"
        )
    sites, customers = problem.cost.shape
    chosen = np.flatnonzero(answer.values[:sites] > 0.5)
    shares = np.zeros((sites, customers))
    shares[arcs] = np.maximum(answer.values[sites:], 0.0)
    objective = float(problem.fixed[chosen].sum() + (np.where(arcs, problem.cost, 0.0) * shares).sum())
    bound = min(objective, answer.bound)
    if objective - bound < step * (1.0 - 1e-6):
        bound = objective
    gap = relative_gap(objective, bound)
    return Location(
        model=model,
        sense="min",
        objective=objective,
        bound=objective if gap == 0.0 else bound,
        gap=gap,
        chosen=np.asarray(chosen, dtype=np.int64),
        assignment=np.asarray(shares.argmax(axis=0), dtype=np.int64),
        status=ended_as(answer.status, gap, stops),
        served=shares.sum(axis=0),
        method="HiGHS, strong form, outwards from the bound",
        seconds=stops.elapsed,
        shares=shares,
    )


def _check_enough(problem: Facilities, model: str) -> None:
    wanted, most = math.fsum(problem.demand), math.fsum(problem.capacity)
    if wanted > most * (1.0 + 1e-9):
        raise RunError(f"{model}: all sites together hold {most:g}, the customers ask for {wanted:g}")


def _programme(problem: Facilities) -> tuple[Programme, BoolArray]:
    """Columns: sites, then the arcs (S, C) by site."""
    sites, customers = problem.cost.shape
    arcs = np.isfinite(problem.cost)
    if problem.single_source:
        arcs &= problem.demand[None, :] <= problem.capacity[:, None]
    site, customer = np.nonzero(arcs)
    count = len(site)
    each, ones, place = np.arange(count), np.ones(count), np.arange(sites)
    strong = 1 + customers + sites
    matrix = stacked(
        [
            (np.zeros(sites, dtype=np.intp), place, problem.capacity),
            (1 + customer, sites + each, ones),
            (1 + customers + site, sites + each, problem.demand[customer]),
            (1 + customers + place, place, -problem.capacity),
            (strong + each, sites + each, ones),
            (strong + each, site, -ones),
        ],
        (strong + count, sites + count),
    )
    total = float(problem.demand.sum())
    integer = np.ones(sites + count, dtype=bool)
    integer[sites:] = problem.single_source
    programme = Programme(
        cost=np.concatenate([problem.fixed, problem.cost[arcs]]),
        lower=np.zeros(sites + count),
        upper=np.ones(sites + count),
        integer=integer,
        matrix=matrix,
        row_lower=np.concatenate([[total], np.ones(customers), np.full(sites + count, -np.inf)]),
        row_upper=np.concatenate([[np.inf], np.ones(customers), np.zeros(sites + count)]),
    )
    return programme, arcs
