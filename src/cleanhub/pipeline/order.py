"""Who waits for whom, by node: the edges of a graph grouped, and the nodes of projects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from cleanhub.pipeline.problem import GATE, BoolArray, Graph, IntArray, Projects

FINANCE, POLICY_DEADLINE = "finance", "policy_deadline"
"""Code of the gate that is judged in the draw where a valuation is at hand."""
PROGRAMME = "programme"
"""Role of a project that is an umbrella over others."""


@dataclass(frozen=True)
class Order:
    """Edges and nodes of projects.

    Attributes
    ----------
    before, after
        What each node waits for, what waits for it; N arrays of positions.
    decides
        Live project that decides at a node, by node. A programme with parts decides at none: its
        decision is the first of its parts'.
    judged
        Finance gate of such a project, by the node of its decision.
    first_of
        Parts of each programme that has some, deepest programmes first, by position of the programme.
    umbrella
        Whether some project is part of it, (P,).
    """

    before: tuple[IntArray, ...]
    after: tuple[IntArray, ...]
    decides: Mapping[int, int]
    judged: Mapping[int, int]
    first_of: Mapping[int, IntArray]
    umbrella: BoolArray

    def dependants(self, nodes: Iterable[int]) -> list[int]:
        """The nodes and all that depend on them, in an order in which each comes after what it waits for."""
        found = {int(node) for node in nodes}
        waiting = list(found)
        while waiting:
            new = {int(one) for one in self.after[waiting.pop()]} - found
            found |= new
            waiting.extend(new)
        return sorted(found)


def order_of(graph: Graph, projects: Projects) -> Order:
    """The edges of a graph by node."""
    umbrella = np.zeros(len(projects), dtype=bool)
    umbrella[projects.umbrella[projects.umbrella >= 0]] = True
    first_of = _parts(projects, umbrella)
    live = np.flatnonzero(projects.live & (projects.decision >= 0))
    decides = {int(projects.decision[one]): int(one) for one in live if int(one) not in first_of}
    finance = np.flatnonzero((graph.kind == GATE) & (graph.gate == FINANCE))
    gates = {int(graph.project[node]): int(node) for node in finance}
    return Order(
        before=_grouped(graph.after, graph.before, len(graph)),
        after=_grouped(graph.before, graph.after, len(graph)),
        decides=decides,
        judged={node: gates[project] for node, project in decides.items() if project in gates},
        first_of=first_of,
        umbrella=umbrella,
    )


def _parts(projects: Projects, umbrella: BoolArray) -> dict[int, IntArray]:
    depth = np.zeros(len(projects), dtype=int)
    above = projects.umbrella.copy()
    while np.any(above >= 0):
        depth += above >= 0
        above = np.where(above >= 0, projects.umbrella[above], -1)
    programmes = np.flatnonzero(umbrella & (projects.role == PROGRAMME))
    programmes = programmes[np.argsort(-depth[programmes], kind="stable")]
    return {int(one): np.flatnonzero(projects.umbrella == one) for one in programmes}


def _grouped(by: IntArray, what: IntArray, count: int) -> tuple[IntArray, ...]:
    order = np.argsort(by, kind="stable")
    return tuple(np.split(what[order], np.searchsorted(by[order], np.arange(1, count))))[:count]
