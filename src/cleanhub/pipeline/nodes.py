"""Nodes and edges by name, as rules make them; :mod:`cleanhub.pipeline.graph` turns them into arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

NAN = float("nan")


@dataclass(frozen=True)
class Node:
    """One thing that must close; fields as in :class:`~cleanhub.pipeline.problem.Graph`."""

    id: str
    kind: str
    project_id: str = ""
    gate: str = ""
    link_kind: str = ""
    what: str = ""
    actor: str = ""
    action: str = ""
    barrier: str = ""
    rule: str = ""
    confidence: str = "assumed"
    done: bool = False
    p_pass: float = 1.0
    p_low: float = NAN
    p_high: float = NAN
    fixed: bool = False
    years: tuple[float, float, float] = (0.0, 0.0, 0.0)
    earliest: float = 0.0
    any_of: bool = False
    cost: float = NAN


@dataclass
class Draft:
    """Nodes by id, edges as pairs (before, after) of ids, and notes for the reader."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, node: Node) -> None:
        """Add a node; the same id twice is a mistake of the caller (``ValueError``)."""
        if node.id in self.nodes:
            raise ValueError(f"node {node.id} is there already")
        self.nodes[node.id] = node

    def wait(self, after: str, before: Iterable[str]) -> None:
        """Let ``after`` wait for each of ``before``."""
        self.edges.extend((one, after) for one in before)
