"""Flow refuelling: p stations that let the most flow make its round trip (Kuby and Lim 2005).

A vehicle of range R leaves its origin with half a tank, follows its path to the destination and back,
fills up at every station on the way, and must be back with at least half a tank, so that the trip can be
repeated; a station at the origin fills the tank at both. A flow counts when no stretch of the
round trip is out of reach. The programme is the arc-cover path-cover one (Capar, Kuby, Leon and Tsai
2013): for each stretch of the round trip, a station among the stops from which its end can still be reached.

    maximise  sum_q f_q z_q   with, for each stretch,   z_q <= sum of y_k over the stops k that cover it
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.freight.location import Location, ended_as, relative_gap
from cleanhub.freight.location_median import whole_step
from cleanhub.freight.location_solver import Programme, Stops, solve_programme, stacked

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

SLACK = 1e-9
"""Relative slack on ranges, so that sums of lengths that just fit do fit."""


@dataclass(frozen=True)
class FlowPaths:
    """Flows and their shortest paths.

    ``flow`` (Q,) in any unit; the stops of all paths one after the other, each path's in order:
    ``stop`` (L,) position of the node, ``along`` (L,) length from the path's origin, in the unit of
    the range; ``start`` (Q + 1,) where each path begins in them. ``sites`` counts the nodes.
    """

    flow: FloatArray
    stop: IntArray
    along: FloatArray
    start: IntArray
    sites: int

    def path(self, number: int) -> tuple[IntArray, FloatArray]:
        """Nodes and lengths along path ``number``."""
        part = slice(int(self.start[number]), int(self.start[number + 1]))
        return self.stop[part], self.along[part]


def covering_sets(nodes: IntArray, along: FloatArray, reach: float) -> list[IntArray]:
    """For each stretch of a path's round trip that needs one: the nodes of which one must be a station.

    Sets that hold another of them are left out, for they follow from it. An empty set says that the
    trip cannot be made at all.
    """
    fits = reach * (1.0 + SLACK)
    length = float(along[-1])
    tour = np.concatenate([along, 2.0 * length - along[-2::-1]])
    stops = np.concatenate([nodes, nodes[-2::-1]])
    sets = [frozenset(nodes[along <= fits / 2.0].tolist())]  # the last stop before home leaves half a tank
    for number in range(1, len(tour)):
        if tour[number] > fits / 2.0:  # before that the half tank of the start will do
            within = tour[number] - tour[:number] <= fits
            sets.append(frozenset(stops[:number][within].tolist()))
    least = [one for one in set(sets) if not any(other < one for other in sets)]
    return [np.array(sorted(one), dtype=np.int64) for one in sorted(least, key=sorted)]


def completes(nodes: IntArray, along: FloatArray, reach: float, stations: BoolArray) -> bool:
    """Drive the round trip: whether a vehicle gets home with half a tank, and never runs dry before.

    ``stations`` (S,) says where stations are. A check on :func:`covering_sets`, by another road.
    """
    fits = reach * (1.0 + SLACK)
    length = float(along[-1])
    tour = np.concatenate([along, 2.0 * length - along[-2::-1]])
    stops = np.concatenate([nodes, nodes[-2::-1]])
    tank = fits if stations[nodes[0]] else fits / 2.0
    for number in range(1, len(tour)):
        tank -= tour[number] - tour[number - 1]
        if tank < 0.0:
            return False
        if stations[stops[number]]:
            tank = fits
    return bool(tank >= fits / 2.0)


def solve_flow_refuelling(
    paths: FlowPaths,
    reach: float,
    count: int | None = None,
    site_cost: FloatArray | None = None,
    budget: float = np.inf,
    stops: Stops | None = None,
) -> Location:
    """Choose stations that let the most flow make its round trip.

    ``reach`` is the range on a full tank or battery, in the unit of the lengths; ``count`` the
    most stations (none: as many as ``budget`` buys at ``site_cost`` (S,), each 1 without). ``assignment``
    of the answer is -1 throughout: a flow uses several stations.
    """
    stops = (stops or Stops()).start()
    groups = _grouped(paths, reach)
    worth = np.array([value for _, value in groups])
    cost = np.ones(paths.sites) if site_cost is None else site_cost
    programme = _programme([sets for sets, _ in groups], worth, paths.sites, count, cost, budget)
    answer = solve_programme(programme, stops, start=np.zeros(len(programme.cost)))
    chosen = np.flatnonzero(answer.values[: paths.sites] > 0.5)
    stations = np.zeros(paths.sites, dtype=bool)
    stations[chosen] = True
    served = np.array(
        [completes(*paths.path(q), reach, stations) for q in range(len(paths.flow))], dtype=bool
    )
    objective, bound = float(paths.flow[served].sum()), min(-answer.bound, float(worth.sum()))
    if bound - objective < whole_step(paths.flow) * (1.0 - 1e-6):
        bound = objective
    gap = relative_gap(objective, max(bound, objective))
    return Location(
        model="frlm",
        sense="max",
        objective=objective,
        bound=objective if gap == 0.0 else bound,
        gap=gap,
        chosen=np.asarray(chosen, dtype=np.int64),
        assignment=np.full(len(paths.flow), -1),
        status=ended_as(answer.status, gap, stops),
        served=served.astype(np.float64),
        method="HiGHS, arc cover",
        seconds=stops.elapsed,
    )


def _grouped(paths: FlowPaths, reach: float) -> list[tuple[list[IntArray], float]]:
    """Flows that need the same sets are one; those that cannot be served are left out."""
    groups: dict[tuple[tuple[int, ...], ...], float] = {}
    for number in range(len(paths.flow)):
        sets = covering_sets(*paths.path(number), reach)
        if paths.flow[number] > 0 and all(len(one) for one in sets):
            key = tuple(tuple(one.tolist()) for one in sets)
            groups[key] = groups.get(key, 0.0) + float(paths.flow[number])
    return [([np.array(one, dtype=np.int64) for one in key], value) for key, value in sorted(groups.items())]


def _programme(
    sets: list[list[IntArray]],
    worth: FloatArray,
    sites: int,
    count: int | None,
    cost: FloatArray,
    budget: float,
) -> Programme:
    flat = [(group, one) for group, needed in enumerate(sets) for one in needed]
    owner = np.array([group for group, _ in flat], dtype=np.intp)
    sizes = np.array([len(one) for _, one in flat], dtype=np.intp)
    members = np.concatenate([np.zeros(0, dtype=np.int64), *(one for _, one in flat)])
    place, rows = np.arange(sites), np.arange(len(flat))
    matrix = stacked(
        [
            (np.zeros(sites, dtype=np.intp), place, np.ones(sites)),
            (np.ones(sites, dtype=np.intp), place, cost),
            (2 + np.repeat(rows, sizes), members, np.ones(len(members))),
            (2 + rows, sites + owner, -np.ones(len(flat))),
        ],
        (2 + len(flat), sites + len(sets)),
    )
    integer = np.ones(sites + len(sets), dtype=bool)
    integer[sites:] = False
    return Programme(
        cost=np.concatenate([np.zeros(sites), -worth]),
        lower=np.zeros(sites + len(sets)),
        upper=np.ones(sites + len(sets)),
        integer=integer,
        matrix=matrix,
        row_lower=np.concatenate([[-np.inf, -np.inf], np.zeros(len(flat))]),
        row_upper=np.concatenate([[sites if count is None else count, budget], np.full(len(flat), np.inf)]),
    )
