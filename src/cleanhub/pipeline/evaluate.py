"""When everything closes in each drawn world, and what follows for decisions, service and tonnes.

A node can begin when all it waits for has closed (or one of them, where one is enough), closes after
its own years, not before its earliest date, and never (infinity) if it fails by itself. A decision
holds if it comes before the project is given up and its money is found. One evaluation goes through
the nodes in order, all draws at once; :func:`changed` goes through what depends on a few nodes only.

How finance is judged: :class:`~cleanhub.pipeline.draws.FinanceGate`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from cleanhub.pipeline.draws import World
from cleanhub.pipeline.problem import POLICY, FloatArray, IntArray, Projects

OPERATING = "operating"


@dataclass(frozen=True)
class Times:
    """Times in years after as_of, infinity for never; as in :class:`~cleanhub.pipeline.problem.Simulation`.

    ``time`` (N, D); ``decided``, ``in_service`` and ``tonnes`` [t CO2e] (P, D).
    """

    time: FloatArray
    decided: FloatArray
    in_service: FloatArray
    tonnes: FloatArray


@dataclass(frozen=True)
class Change:
    """What a change of a few nodes alters; everything else is as it was.

    ``time`` of each node that was looked at again, each (D,); ``projects`` (K,) positions of the projects
    it can reach, with their ``decided``, ``in_service`` and ``tonnes`` (K, D). Programmes whose parts are
    among them are not: they carry no tonnes.
    """

    time: Mapping[int, FloatArray]
    projects: IntArray
    decided: FloatArray
    in_service: FloatArray
    tonnes: FloatArray


class _Rows(Protocol):
    """Times by node, each (D,): an array, or new rows over an array."""

    def __getitem__(self, node: int) -> FloatArray: ...

    def __setitem__(self, node: int, values: FloatArray) -> None: ...


class _Over:
    """Rows over an array that stays as it is."""

    def __init__(self, base: FloatArray) -> None:
        self.base = base
        self.new: dict[int, FloatArray] = {}

    def __getitem__(self, node: int) -> FloatArray:
        return self.new[node] if node in self.new else np.asarray(self.base[node])

    def __setitem__(self, node: int, values: FloatArray) -> None:
        self.new[node] = values


# ---------------------------------------------------------------- all of it, or what a change reaches


def evaluate(world: World, never: Collection[int] = (), later: Mapping[int, float] | None = None) -> Times:
    """Times of all nodes and projects.

    Parameters
    ----------
    never
        Nodes that never close, whatever was drawn; a policy among them is in force in no draw.
    later
        Years that open nodes take longer, by node.
    """
    time = np.empty((len(world.graph), world.draws))
    _run(_without(world, never), range(len(world.graph)), time, never, later or {})
    everyone = np.arange(len(world.projects))
    decided, in_service = _of_projects(world, everyone, time)
    return _finished(world, time, decided, in_service, tonnes_cut(world, everyone, in_service))


def changed(
    world: World, base: Times, never: Collection[int] = (), later: Mapping[int, float] | None = None
) -> Change:
    """What differs from ``base`` if nodes never close or take longer (as in :func:`evaluate`).

    Only nodes that depend on them are looked at, so the cost is that of a few rows. The tonnes lost are
    ``base.tonnes[change.projects] - change.tonnes``.
    """
    order = world.order
    started = {int(node) for node in (*never, *(later or {}))}
    judged = world.judged
    if any(world.graph.kind[node] == POLICY for node in started):
        started |= set(judged)
    nodes = order.dependants(started)
    nodes = sorted({*nodes, *(judged[node] for node in nodes if node in judged)})
    rows = _Over(base.time)
    _run(_without(world, never), nodes, rows, never, later or {})
    projects = world.projects
    looked_at = np.zeros(len(world.graph) + 1, dtype=bool)  # the last stands for no node
    looked_at[nodes] = True
    reached = looked_at[projects.decision] | looked_at[projects.service]
    reached[list(order.first_of)] = False
    places = np.flatnonzero(reached)
    decided, in_service = _of_projects(world, places, rows)
    return Change(rows.new, places, decided, in_service, tonnes_cut(world, places, in_service))


# ---------------------------------------------------------------- nodes


def _run(
    world: World, nodes: Iterable[int], time: _Rows, never: Collection[int], later: Mapping[int, float]
) -> None:
    """Fill the times of nodes, in order; a finance gate that is judged is filled in with its decision."""
    judged = world.judged
    finance = set(judged.values())
    for node in nodes:
        values = _closes(world, node, time, never, later, by_itself=node not in finance)
        project = world.order.decides.get(node)
        if project is not None:
            if node in judged:
                ok = _financed(world, project, values)
                values = np.where(ok, values, np.inf)
                time[judged[node]] = np.where(ok, time[judged[node]], np.inf)
            values = np.where(values < world.given_up[project], values, np.inf)
        time[node] = values


def _closes(
    world: World, node: int, time: _Rows, never: Collection[int], later: Mapping[int, float], by_itself: bool
) -> FloatArray:
    """Time of one node from those of what it waits for, (D,)."""
    graph = world.graph
    if node in never:
        return np.full(world.draws, np.inf)
    if graph.done[node]:
        return np.zeros(world.draws)
    values: FloatArray = world.years[node]
    if node in later:
        values = values + later[node]
    waits = world.order.before[node]
    if len(waits):
        choose = np.minimum if graph.any_of[node] else np.maximum
        begin = time[int(waits[0])]
        for one in waits[1:]:
            begin = choose(begin, time[int(one)])
        values = values + begin
    if graph.earliest[node] > 0.0:
        values = np.maximum(values, graph.earliest[node])
    return np.where(world.closes[node], values, np.inf) if by_itself else values


def _financed(world: World, project: int, decided: FloatArray) -> FloatArray:
    reached = np.isfinite(decided)
    if world.finance is None or not reached.any():
        return reached
    return np.asarray(reached & world.finance.passes(project, np.where(reached, decided, 0.0), world))


def _without(world: World, never: Collection[int]) -> World:
    """The world as judges of finance see it: policies among ``never`` are in force in no draw."""
    ended = [str(world.graph.id[node]) for node in never if world.graph.kind[node] == POLICY]
    if not ended:
        return world
    nothing = np.zeros(world.draws, dtype=bool)
    return replace(world, in_force={**world.in_force, **dict.fromkeys(ended, nothing)})


# ---------------------------------------------------------------- projects


def _of_projects(world: World, places: IntArray, time: _Rows) -> tuple[FloatArray, FloatArray]:
    """Times of decision and of service of the projects at ``places``, (K, D) each."""
    projects = world.projects
    decided = np.full((len(places), world.draws), np.inf)
    in_service = decided.copy()
    for row, project in enumerate(places):
        decision, service = int(projects.decision[project]), int(projects.service[project])
        if projects.ended[project]:
            continue
        if projects.past_fid[project]:
            decided[row] = 0.0
        elif decision >= 0:
            decided[row] = time[decision]
        if service >= 0:
            in_service[row] = time[service]
        if projects.stage[project] == OPERATING and (service < 0 or world.graph.done[service]):
            in_service[row] = np.fmin(projects.online[project], 0.0)
    return decided, in_service


def _finished(
    world: World, time: FloatArray, decided: FloatArray, in_service: FloatArray, tonnes: FloatArray
) -> Times:
    """Let programmes decide with the first of their parts (in place)."""
    projects = world.projects
    for programme, parts in world.order.first_of.items():
        if not projects.live[programme]:
            continue
        decided[programme] = decided[parts].min(axis=0)
        in_service[programme] = in_service[parts].min(axis=0)
        for nodes, values in ((projects.decision, decided), (projects.service, in_service)):
            if nodes[programme] >= 0:
                time[nodes[programme]] = values[programme]
    return Times(time, decided, in_service, tonnes)


def tonnes_cut(world: World, places: IntArray, in_service: FloatArray) -> FloatArray:
    """Tonnes that projects at ``places`` cut from as_of to the end of the target year, (K, D) [t CO2e].

    Tonnes a year times years in service, at most those of its life; none for programmes and umbrellas.
    """
    end = world.setting.target_year + 1 - world.setting.as_of
    years = years_in_service(world.projects, places, in_service, 0.0, end)
    return np.asarray(world.own_tonnes[places, None] * years)


def years_in_service(
    projects: Projects, places: IntArray, in_service: FloatArray, start: float, end: float
) -> FloatArray:
    """Years between two times that projects at ``places`` are in service, (K, D)."""
    life = np.where(np.isnan(projects.life), np.inf, projects.life)[places, None]
    until = np.minimum(in_service + life, end)
    with np.errstate(invalid="ignore"):
        years = until - np.maximum(in_service, start)
    return np.where(np.isfinite(in_service), np.maximum(years, 0.0), 0.0)
