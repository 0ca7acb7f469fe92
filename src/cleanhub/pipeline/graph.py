"""Gates, links and policies of a hub joined to one graph, checked, ordered and turned into arrays.

What cannot be is refused, every fault at once and each naming the path: a cycle, a link to a project
that is not there, dates that contradict each other. The order of nodes is that of Kahn, ties by
identifier: the same data gives the same arrays.

References
----------
.. [1] Kahn (1962), Topological sorting of large networks, Communications of the ACM 5(11).
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Literal

import numpy as np

from cleanhub.core.errors import FaultList
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.pipeline.cycles import MOST, cycle_paths
from cleanhub.pipeline.dates import check_dates, check_nodes
from cleanhub.pipeline.gates import decision_id, draft_gates, service_id
from cleanhub.pipeline.links import draft_links
from cleanhub.pipeline.nodes import Draft, Node
from cleanhub.pipeline.problem import Graph, Projects
from cleanhub.pipeline.stages import Given, listed, read_projects

FILE = "projects.csv"
Dangling = Literal["error", "note"]


@dataclass(frozen=True)
class Pipeline:
    """Projects of a hub and the graph of what they wait for.

    Attributes
    ----------
    projects, graph
        As arrays; ``projects.decision`` and ``.service`` are -1 for projects that have ended.
    policies
        Positions of the policy nodes of the policies that pay each project, by project.
    users
        Positions of the projects that wait for each shared node or supplier, by position of the node.
    given
        The projects with what rules ask for (words, second roles, gates that are passed).
    notes
        What a reader must know about the data.
    """

    projects: Projects
    graph: Graph
    policies: Mapping[str, tuple[int, ...]]
    users: Mapping[int, tuple[int, ...]]
    given: Given
    notes: tuple[str, ...]

    @cached_property
    def position(self) -> dict[str, int]:
        """Position of each node by its identifier."""
        return {str(name): at for at, name in enumerate(self.graph.id)}


def build_graph(
    hub: Hub,
    scenario: Scenario,
    answers: Mapping[str, Sequence[str]] | None = None,
    without_evidence: bool = False,
    dangling: Dangling = "error",
) -> Pipeline:
    """The pipeline of a hub at the scenario's ``as_of`` date.

    Parameters
    ----------
    answers
        Policies that pay each project, by project (none: no policy nodes).
    without_evidence
        The population that the simulation is calibrated on: every project that is no programme is
        announced, no gate is passed, no agreement and no infrastructure is known. Its data is not
        checked again.
    dangling
        ``error`` refuses a ``supplied_by`` or ``part_of`` that names no project of the hub; ``note`` tells it
        and takes the supplier as one of that name who is no project (a hub that was cut down still plans).

    Raises :class:`~cleanhub.core.errors.InputError` with every cycle, dangling link and impossible date.
    """
    faults = FaultList()
    given, notes = read_projects(hub, scenario, without_evidence)
    if not without_evidence:
        notes = notes + _check_references(hub, given, dangling, faults)
        _check_umbrellas(hub, given, faults)
        notes += check_dates(hub, scenario, given, faults)
    draft = draft_gates(hub, scenario, given, without_evidence)
    links = draft_links(hub, scenario, given, draft, answers, without_evidence)
    notes = [*notes, *draft.notes, *links.notes, *check_nodes(given, draft)]
    projects, graph = assemble(given, draft, faults)
    position = {str(name): at for at, name in enumerate(graph.id)}
    place = {str(name): at for at, name in enumerate(given.id)}
    return Pipeline(
        projects=projects,
        graph=graph,
        policies={p: tuple(position[node] for node in nodes) for p, nodes in links.policies.items()},
        users={
            position[node]: tuple(place[user] for user in users)
            for node, users in links.users.items()
            if node in position
        },
        given=given,
        notes=tuple(notes),
    )


def assemble(given: Given, draft: Draft, faults: FaultList | None = None) -> tuple[Projects, Graph]:
    """Projects and graph as arrays from the nodes and edges of a draft.

    ``faults`` are those found before; they are raised with the cycles of the draft as one
    :class:`~cleanhub.core.errors.InputError`. An edge to a node that is not there is a mistake of the
    caller (``ValueError``).
    """
    faults = faults if faults is not None else FaultList()
    unknown = sorted({node for edge in draft.edges for node in edge} - draft.nodes.keys())
    if unknown:
        raise ValueError(f"edges name nodes that are not there: {', '.join(unknown[:5])}")
    edges = sorted(set(draft.edges))
    _check_cycles(given, draft, edges, faults)
    faults.raise_if_any("pipeline")
    order = _ordered(draft.nodes, edges)
    at = {node: place for place, node in enumerate(order)}
    graph = _arrays(given, [draft.nodes[node] for node in order], edges, at)
    decision = np.array([at.get(decision_id(str(name)), -1) for name in given.id], dtype=np.int64)
    service = np.array([at.get(service_id(str(name)), -1) for name in given.id], dtype=np.int64)
    return given.placed(decision, service), graph


# ---------------------------------------------------------------- checks


def _check_references(hub: Hub, given: Given, dangling: Dangling, faults: FaultList) -> list[str]:
    """Links to projects that are not there, or to itself; notes where they are let pass."""
    known, notes = set(given.id), []
    table = hub.tables["projects"]
    for column in ("supplied_by", "part_of"):
        for p, cell in enumerate(table[column]):
            for name in listed(cell):
                path, line = f"{given.id[p]} -> {name}", int(given.line[p])
                if name == given.id[p]:
                    faults.add(
                        FILE, line, column, what=f"{path}: cycle: a project that waits for itself", found=name
                    )
                elif name not in known and dangling == "error":
                    what = f"{path}: dangling link: no such project"
                    faults.add(
                        FILE, line, column, what=what, found=name, allowed="a project_id of projects.csv"
                    )
                elif name not in known:
                    notes.append(f"{path}: {column} names no project of the hub")
    return notes


def _check_umbrellas(hub: Hub, given: Given, faults: FaultList) -> None:
    """Cycles of ``part_of``: a programme that is a part of its own part."""
    parts = [
        (str(umbrella), str(part))
        for part, umbrella in zip(given.id, hub.tables["projects"]["part_of"], strict=True)
        if umbrella in set(given.id) and umbrella != part
    ]
    _add_cycles(
        cycle_paths([str(name) for name in given.id], parts, str), given, "part_of", "part of", faults
    )


def _check_cycles(given: Given, draft: Draft, edges: Sequence[tuple[str, str]], faults: FaultList) -> None:
    def owner(node: str) -> str:
        return draft.nodes[node].project_id or node

    _add_cycles(cycle_paths(list(draft.nodes), edges, owner), given, "supplied_by", "waits for", faults)


def _add_cycles(paths: Sequence[str], given: Given, column: str, word: str, faults: FaultList) -> None:
    lines = {str(name): int(line) for name, line in zip(given.id, given.line, strict=True)}
    for path in paths[:MOST]:
        steps = path.split(" -> ")
        first = next((step for step in steps if step in lines), "")
        what = f"{path}: cycle (read: {word})"
        faults.add(
            FILE, lines.get(first), column, what=what, found=f"{len(steps) - 1} steps", allowed="no cycle"
        )
    if len(paths) > MOST:
        faults.add(FILE, None, column, what="more cycles than are listed", found=f"over {MOST}")


# ---------------------------------------------------------------- order and arrays


def _ordered(nodes: Mapping[str, Node], edges: Sequence[tuple[str, str]]) -> list[str]:
    """Nodes so that each comes after those it waits for; of those that could come next the first by name."""
    waiting = dict.fromkeys(nodes, 0)
    followers: dict[str, list[str]] = {}
    for before, after in edges:
        waiting[after] += 1
        followers.setdefault(before, []).append(after)
    ready = [node for node, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    order = []
    while ready:
        node = heapq.heappop(ready)
        order.append(node)
        for after in followers.get(node, ()):
            waiting[after] -= 1
            if waiting[after] == 0:
                heapq.heappush(ready, after)
    return order


def _arrays(
    given: Given, nodes: Sequence[Node], edges: Sequence[tuple[str, str]], at: Mapping[str, int]
) -> Graph:
    place = {str(name): p for p, name in enumerate(given.id)}
    values: dict[str, np.ndarray] = {}
    for one in fields(Graph):
        if one.name in ("project", "before", "after"):
            continue
        cells = [getattr(node, one.name) for node in nodes]
        kind = {"TextArray": object, "BoolArray": np.bool_, "FloatArray": np.float64}[str(one.type)]
        values[one.name] = np.array(cells, dtype=kind).reshape((len(nodes), 3) if one.name == "years" else -1)
    pairs = np.array(sorted((at[after], at[before]) for before, after in edges), dtype=np.int64).reshape(
        -1, 2
    )
    return Graph(
        project=np.array([place.get(node.project_id, -1) for node in nodes], dtype=np.int64),
        before=pairs[:, 1],
        after=pairs[:, 0],
        **values,
    )
