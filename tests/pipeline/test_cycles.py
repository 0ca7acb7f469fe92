"""Elementary cycles against a search of every closed path."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.pipeline.cycles import cycle_paths, elementary_cycles, knots

NAMES = "abcde"
Edges = set[tuple[str, str]]
EDGES = st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=14)


def by_search(edges: Edges) -> set[tuple[str, ...]]:
    """Every elementary cycle, beginning at its first name, found by trying every order of every set."""
    found = set()
    for size in range(1, len(NAMES) + 1):
        for path in permutations(NAMES, size):
            closed = zip(path, (*path[1:], path[0]), strict=True)
            if path[0] == min(path) and all(edge in edges for edge in closed):
                found.add(path)
    return found


def followers(edges: Edges) -> dict[str, list[str]]:
    return {name: [after for before, after in sorted(edges) if before == name] for name in NAMES}


@settings(max_examples=150, deadline=None)
@given(edges=EDGES)
def test_each_elementary_cycle_once(edges: Edges) -> None:
    found = [tuple(cycle) for cycle in elementary_cycles(followers(edges), most=10_000)]
    assert len(found) == len(set(found))
    assert set(found) == by_search(edges)


@settings(max_examples=150, deadline=None)
@given(edges=EDGES)
def test_knots_are_where_the_cycles_are(edges: Edges) -> None:
    inside = {name for knot in knots(list(NAMES), edges) for name in knot}
    assert inside == {name for cycle in by_search(edges) for name in cycle}


def test_no_more_than_asked_for() -> None:
    everyone = {(one, other) for one in NAMES for other in NAMES if one != other}
    assert len(elementary_cycles(followers(everyone), most=7)) == 7


def test_nodes_of_one_owner_are_one_step() -> None:
    # B's gate waits for A's service, A's gate for B's service; read: A waits for B
    edges = [("A1", "A2"), ("A2", "B1"), ("B1", "B2"), ("B2", "A1"), ("x", "A1")]
    nodes = ["A1", "A2", "B1", "B2", "x"]
    assert cycle_paths(nodes, edges, lambda node: node[0]) == ["A -> B -> A"]
    assert cycle_paths(nodes, edges[:3], lambda node: node[0]) == []
