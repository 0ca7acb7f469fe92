"""Whose are the tonnes that several links had to close for: Shapley values of links, by sampled orders.

In each draw a project that came through needed certain links: all of them, and one of several where
a node takes any of its alternatives. Put all open links in a random order; the one that completes
what the project needed gets its tonnes of that draw. The mean over orders and draws is the Shapley
value of the game in which a set of links is worth the tonnes of the projects that come through when
only these close. What a draw gives is shared out whole, so the values sum to the expected tonnes of
the projects that wait for any open link, whatever orders are drawn.

Where a project needed no alternatives every link is as often the last: equal shares, with no
sampling. Draws that left the same alternatives are taken together: orders are drawn once a pattern.
An alternative counts as one where it would have closed in time; that the project would then have come
later, with fewer tonnes, or with another value of its finance gate, is left out.

Shapes: P projects, N nodes, D draws, R random orders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cleanhub.pipeline.draws import stream
from cleanhub.pipeline.problem import BoolArray, FloatArray, Graph, IntArray
from cleanhub.pipeline.reach import ancestors, predecessors

ORDERS = 1024
"""Random orders for each pattern of alternatives: a standard error of at most 1.6 % of its tonnes."""

_SAME_TIME = 1e-9


@dataclass(frozen=True)
class Realised:
    """What came of the draws, as far as sharing needs it.

    Attributes
    ----------
    time, years
        Time at which each node closes (infinity: never), and the years it takes by itself, (N, D).
    limit
        Time after which it is of no use that a node closes, (D,), for nodes that have one: the time at
        which a project is given up for its decision, the end of the target year for its service.
    tonnes
        Tonnes of each project, (P, D).
    decision, service
        Nodes of each project, (P,).
    needed
        By node of a policy: projects whose finance gate would fail without it, (P, D).
    """

    time: FloatArray
    years: FloatArray
    limit: Mapping[int, FloatArray]
    tonnes: FloatArray
    decision: IntArray
    service: IntArray
    needed: Mapping[int, BoolArray] = field(default_factory=dict)


@dataclass(frozen=True)
class _Part:
    """What one project waits for: its nodes in order, and which columns of a pattern they ask.

    ``edges`` has the column of each pair (alternative, node that takes any); ``policies`` the columns
    of each decision, with the node of the policy.
    """

    nodes: IntArray
    edges: dict[tuple[int, int], int]
    policies: dict[int, list[tuple[int, int]]]


def shapley_values(
    graph: Graph, realised: Realised, players: BoolArray, seed: int = 0, orders: int = ORDERS
) -> FloatArray:
    """Expected tonnes that are each player's, (N,) [t CO2e]; nothing for nodes that are no players.

    ``players`` are the open links, (N,) bool. The same seed gives the same values, and the place of a
    link in the orders is drawn by its own name: a link more does not move the draws of the others.
    """
    found = np.zeros(len(graph))
    before = predecessors(graph)
    keys = _Keys(graph, seed, orders)
    draws = realised.tonnes.shape[1]
    for project in np.flatnonzero(realised.tonnes.any(axis=1)):
        came = np.flatnonzero(realised.tonnes[project] > 0)
        part, asked = _patterns(graph, realised, before, int(realised.service[project]), came)
        weights = realised.tonnes[project, came] / draws
        for pattern, weight in zip(*_distinct(asked, weights), strict=True):
            _share(found, weight, _Needs(graph, before, part, pattern, players), keys)
    return found


class _Keys:
    """Places of links in random orders: a uniform number for each link and order, (R,), by its name."""

    def __init__(self, graph: Graph, seed: int, orders: int) -> None:
        self.graph, self.seed, self.orders = graph, seed, orders
        self._drawn: dict[int, FloatArray] = {}

    def of(self, node: int) -> FloatArray:
        if node not in self._drawn:
            self._drawn[node] = stream(self.seed, f"order:{self.graph.id[node]}").random(self.orders)
        return self._drawn[node]


def _patterns(
    graph: Graph, realised: Realised, before: Sequence[IntArray], service: int, came: IntArray
) -> tuple[_Part, BoolArray]:
    """What a project waits for; which alternatives and policies counted in its draws, (draws, columns)."""
    nodes = ancestors(before, service)
    columns: list[BoolArray] = []
    edges: dict[tuple[int, int], int] = {}
    policies: dict[int, list[tuple[int, int]]] = {}
    choosing = [int(node) for node in nodes if graph.any_of[node] and len(before[node]) > 1]
    latest = _latest(graph, realised, before, nodes, came) if choosing else {}
    for node in choosing:
        times = realised.time[np.ix_(before[node], came)]
        in_time = times + realised.years[node, came] <= latest[node] + _SAME_TIME
        in_time |= times == times.min(axis=0)  # the one that was taken was in time, whatever rounding says
        for place, one in enumerate(map(int, before[node])):
            edges[one, node] = len(columns)
            columns.append(in_time[place])
    decided = {int(node): project for project, node in enumerate(realised.decision)}
    for node in map(int, nodes):
        for policy, needed in realised.needed.items():
            if node in decided and needed[decided[node], came].any():
                policies.setdefault(node, []).append((policy, len(columns)))
                columns.append(needed[decided[node], came])
    asked = np.array(columns, dtype=bool).reshape(len(columns), len(came)).T
    return _Part(nodes, edges, policies), asked


def _latest(
    graph: Graph, realised: Realised, before: Sequence[IntArray], nodes: IntArray, came: IntArray
) -> dict[int, FloatArray]:
    """Time by which each node must have closed for the project to come all the same, (draws,)."""
    never = np.full(len(came), np.inf)
    latest = {int(node): never for node in nodes}
    for node in map(int, nodes[::-1]):
        if node in realised.limit:
            latest[node] = np.minimum(latest[node], realised.limit[node][came])
        start = latest[node] - realised.years[node, came]
        for one in map(int, before[node]):
            latest[one] = np.minimum(latest[one], start)
    return latest


def _distinct(asked: BoolArray, weights: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Patterns that occur, (K, columns), and the tonnes of the draws that have them, (K,)."""
    if not asked.shape[1]:
        return asked[:1], np.array([weights.sum()])
    packed = np.packbits(asked, axis=1)
    _, first, which = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    total = np.bincount(which.ravel(), weights=weights, minlength=len(first))
    return asked[first], total.astype(np.float64, copy=False)


class _Needs:
    """What a project needed in the draws of one pattern: links it needed surely, nodes that had a choice."""

    def __init__(
        self, graph: Graph, before: Sequence[IntArray], part: _Part, pattern: BoolArray, players: BoolArray
    ) -> None:
        self.players = players
        self.part = part
        self.before = {
            int(node): [
                one
                for one in map(int, before[node])
                if (one, int(node)) not in part.edges or pattern[part.edges[one, int(node)]]
            ]
            for node in part.nodes
        }
        self.choosing = {node for node, some in self.before.items() if graph.any_of[node] and len(some) > 1}
        self.policies = {
            node: [policy for policy, column in asked if pattern[column]]
            for node, asked in part.policies.items()
        }
        self.nodes = self._reached(through_choices=True)
        self.all = self._links(self.nodes)
        self.sure = self._links(self._reached(through_choices=False))

    def own(self, node: int) -> list[int]:
        """Players that a node needs of itself: the link that it is, the policies its finance needs."""
        return [*([node] if self.players[node] else []), *self.policies.get(node, [])]

    def _reached(self, through_choices: bool) -> list[int]:
        last = int(self.part.nodes[-1])
        found, open_ = {last}, [last]
        while open_:
            node = open_.pop()
            if node in self.choosing and not through_choices:
                continue
            for one in self.before[node]:
                if one not in found:
                    found.add(one)
                    open_.append(one)
        return sorted(found)

    def _links(self, nodes: Sequence[int]) -> list[int]:
        return sorted({link for node in nodes for link in self.own(node)})


def _share(found: FloatArray, weight: float, needs: _Needs, keys: _Keys) -> None:
    """Add to ``found`` the tonnes of one pattern, to those who come last in an order."""
    if not needs.all:
        return  # it waits for nothing: nobody's
    if len(needs.all) == len(needs.sure):
        found[needs.sure] += weight / len(needs.sure)
        return
    last = _completing(needs, keys)
    drawn = np.array([keys.of(link) for link in needs.all])
    counts = (drawn == last).sum(axis=1) * (weight / keys.orders)
    sure = np.isin(needs.all, needs.sure)
    if sure.any():
        counts[sure] = counts[sure].mean()  # each is as often last as any other of them
    found[needs.all] += counts


def _completing(needs: _Needs, keys: _Keys) -> FloatArray:
    """Place in each order at which the project has all it needs, (R,): maxima, minima over alternatives."""
    place: dict[int, FloatArray] = {}
    nothing = np.full(keys.orders, -1.0)
    for node in needs.nodes:
        some = [place[one] for one in needs.before[node]]
        if some:
            start = np.minimum.reduce(some) if node in needs.choosing else np.maximum.reduce(some)
        else:
            start = nothing
        place[node] = np.maximum.reduce([start, *(keys.of(link) for link in needs.own(node))])
    return place[needs.nodes[-1]]
