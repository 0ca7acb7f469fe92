"""Branch and bound on the p-median's sites, with the Lagrangian bound at every node.

Depth first: at a node prices climb for a while, sites are opened and closed by their reduced
prices, and a site that was open most of the time, not always, is branched on, open first. Small p
with a gap at the root is its ground: there a linear programme per node is many times slower.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cleanhub.freight.location_interchange import interchange
from cleanhub.freight.location_relaxation import Climb, Root, climb, may_open
from cleanhub.freight.location_solver import NODE_LIMIT, OPTIMAL, TIME_LIMIT, Stops

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

NODE_STEPS, NODE_ROUNDS = 30, 2
BRANCH_AT = 0.7
"""The site branched on was open in about this share of the last steps: fewest nodes of the shares tried."""


@dataclass
class Tree:
    """State of the search: the best choice (P,) in the whole problem, its cost, bound and nodes."""

    root: Root
    count: int
    better: float
    chosen: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    best: float = np.inf
    bound: float = -np.inf
    nodes: int = 0
    status: str = OPTIMAL

    def __post_init__(self) -> None:
        self.chosen, self.best = self.root.chosen, self.root.best

    @property
    def enough(self) -> float:
        """The bound from which on a node holds nothing better."""
        return self.best - self.better


@dataclass
class _Node:
    bound: float
    opened: IntArray
    free: IntArray
    price: FloatArray


def search(root: Root, count: int, better: float, stops: Stops) -> Tree:
    """Search until the best choice is proved or a stop is met."""
    tree = Tree(root, count, better)
    everything = np.arange(len(root.sites))
    stack = [_Node(root.climb.bound, everything[:0], everything, root.climb.price)]
    while stack:
        if tree.nodes >= stops.nodes or stops.left <= 0.0:
            tree.status = NODE_LIMIT if tree.nodes >= stops.nodes else TIME_LIMIT
            tree.bound = min(tree.enough, *(node.bound for node in stack))
            return tree
        node = stack.pop()
        if node.bound <= tree.enough:
            tree.nodes += 1
            stack += _expand(tree, node)
    tree.bound = tree.enough
    return tree


def _expand(tree: Tree, node: _Node) -> list[_Node]:
    """The two nodes below, or none when this one is done."""
    cost = tree.root.cost
    opened, free, price = node.opened, node.free, node.price
    step, rounds = (1.0, 2 * NODE_ROUNDS) if tree.nodes == 1 else (0.6, NODE_ROUNDS)
    found, openness = None, np.zeros(len(free))
    for _ in range(rounds):
        left = tree.count - len(opened)
        if left == 0 or len(free) <= left:
            _weigh(tree, opened if left == 0 else np.concatenate([opened, free]), 0)
            return []
        rows = cost[np.concatenate([opened, free])]
        found = climb(rows, len(opened), left, price, (tree.best, tree.enough), NODE_STEPS, step)
        if found.bound > tree.enough:
            return []
        price, step = found.price, found.step
        may, must = may_open(found, len(opened), left, tree.enough)
        _weigh(tree, np.concatenate([opened, _cheapest(found, len(opened), left, free)]), 3)
        openness = found.openness[len(opened) :]
        stay = may & ~must
        opened, free, openness = np.concatenate([opened, free[must]]), free[stay], openness[stay]
    left = tree.count - len(opened)
    if left <= 0 or len(free) <= left:
        _weigh(tree, opened[: tree.count] if left <= 0 else np.concatenate([opened, free]), 0)
        return []
    bound = max(node.bound, found.bound if found else node.bound)
    pick = int(np.abs(openness - BRANCH_AT).argmin())
    others = np.delete(free, pick)
    return [
        _Node(bound, opened, others, price),
        _Node(bound, np.append(opened, free[pick]), others, price),
    ]


def _cheapest(found: Climb, forced: int, left: int, free: IntArray) -> IntArray:
    return np.asarray(free[np.argpartition(found.reduced[forced:], left - 1)[:left]])


def _weigh(tree: Tree, rows: IntArray, swaps: int) -> None:
    """Take the choice of these rows when it is better; a good one is first improved by swaps."""
    if len(rows) != tree.count:
        return
    value = float(tree.root.cost[rows].min(axis=0).sum())
    if swaps and value < tree.best:
        rows, value = interchange(tree.root.cost, rows, swaps)
    if value < tree.best:
        tree.best, tree.chosen = value, np.sort(tree.root.sites[rows])
