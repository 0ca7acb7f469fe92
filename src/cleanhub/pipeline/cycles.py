"""Cycles in who waits for whom: each elementary cycle once, as a path that a reader can follow."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

Name = TypeVar("Name", bound=Hashable)
MOST = 100
"""Cycles that are told; a hub with more is told that there are more."""


def knots(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Sets of nodes that wait for each other (strong components of more than one node, or a loop)."""
    at = {node: place for place, node in enumerate(nodes)}
    pairs = sorted({(at[before], at[after]) for before, after in edges})
    loops = {first for first, second in pairs if first == second}
    if not _left_waiting(pairs):
        return []
    from scipy.sparse import csr_array  # slow to import, and few graphs have a cycle
    from scipy.sparse.csgraph import connected_components

    tail, head = np.array(pairs, dtype=np.int64).T
    graph = csr_array((np.ones(len(pairs)), (tail, head)), shape=(len(nodes), len(nodes)))
    count, label = connected_components(graph, directed=True, connection="strong")
    size = np.bincount(label, minlength=count)
    found: dict[int, list[str]] = {}
    for place, node in enumerate(nodes):
        if size[label[place]] > 1 or place in loops:
            found.setdefault(int(label[place]), []).append(node)
    return list(found.values())


def _left_waiting(pairs: Iterable[tuple[int, int]]) -> set[int]:
    """Nodes that never come if each comes after all it waits for: those on a cycle or behind one."""
    waits: dict[int, int] = {}
    followers: dict[int, list[int]] = {}
    for before, after in pairs:
        waits.setdefault(before, 0)
        waits[after] = waits.get(after, 0) + 1
        followers.setdefault(before, []).append(after)
    free = [node for node, count in waits.items() if count == 0]
    while free:
        node = free.pop()
        del waits[node]
        for after in followers.get(node, ()):
            waits[after] -= 1
            if waits[after] == 0:
                free.append(after)
    return set(waits)


def elementary_cycles(after: Mapping[str, Sequence[str]], most: int = MOST) -> list[list[str]]:
    """Elementary cycles of a small graph, each once, beginning at its first name in order of text.

    ``after`` maps each node to those that wait for it. At most ``most`` are found.
    """
    found: list[list[str]] = []
    for start in sorted(after):
        stack: list[tuple[list[str], list[str]]] = [([start], sorted(set(after[start]), reverse=True))]
        while stack and len(found) < most:
            path, rest = stack[-1]
            if not rest:
                stack.pop()
                continue
            step = rest.pop()
            if step == start:
                found.append(list(path))
            elif step > start and step not in path:
                stack.append(([*path, step], sorted(set(after.get(step, ())), reverse=True)))
    return found


def cycle_paths(
    nodes: Sequence[str],
    edges: Sequence[tuple[str, str]],
    owner: Callable[[str], str],
    most: int = MOST,
) -> list[str]:
    """Every cycle as ``A -> B -> A``, read *A waits for B*.

    Nodes of one project are one step, named by ``owner``; a cycle inside one project is told node by
    node.
    """
    paths: list[str] = []
    for knot in knots(nodes, edges):
        inside = set(knot)
        kept = [(before, after) for before, after in edges if before in inside and after in inside]
        name = owner if len({owner(node) for node in knot}) > 1 else str
        waits: dict[str, list[str]] = {}
        for before, after in kept:
            if name(before) != name(after) or before == after:
                waits.setdefault(name(after), []).append(name(before))
                waits.setdefault(name(before), [])
        found = elementary_cycles(waits, most + 1 - len(paths))
        paths += [" -> ".join([*cycle, cycle[0]]) for cycle in found]
    return paths
