"""Who waits for whom in a graph, through any number of steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cleanhub.pipeline.problem import BoolArray, Graph, IntArray


def predecessors(graph: Graph) -> list[IntArray]:
    """For each node those that it still waits for; none for a node that is done."""
    ends = np.searchsorted(graph.after, np.arange(len(graph) + 1))
    none = np.empty(0, dtype=np.int64)
    return [
        none if graph.done[node] else graph.before[ends[node] : ends[node + 1]] for node in range(len(graph))
    ]


def ancestors(before: Sequence[IntArray], node: int) -> IntArray:
    """The node and everything it waits for, in the order of the graph."""
    found, open_ = {node}, [node]
    while open_:
        for one in map(int, before[open_.pop()]):
            if one not in found:
                found.add(one)
                open_.append(one)
    return np.array(sorted(found), dtype=np.int64)


def stopped_by(graph: Graph, links: IntArray) -> BoolArray:
    """Which nodes cannot close if one link never does, (N, L).

    A node that takes any of its alternatives stops when all of them do.
    """
    stopped = np.zeros((len(graph), len(links)), dtype=bool)
    stopped[links, np.arange(len(links))] = True
    for node, before in enumerate(predecessors(graph)):
        if len(before):
            reached = stopped[before]
            stopped[node] |= reached.all(axis=0) if graph.any_of[node] else reached.any(axis=0)
    return stopped


def touched_by(graph: Graph, links: IntArray) -> BoolArray:
    """Which nodes wait for one link in any way, (N, L), the link itself with them."""
    touched = np.zeros((len(graph), len(links)), dtype=bool)
    touched[links, np.arange(len(links))] = True
    for node, before in enumerate(predecessors(graph)):
        if len(before):
            touched[node] |= touched[before].any(axis=0)
    return touched
