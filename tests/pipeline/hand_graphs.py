"""Small pipelines written by hand: projects, nodes in order, edges; everything else a plain default."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cleanhub.pipeline.nodes import Node
from cleanhub.pipeline.problem import DECISION, GATE, SERVICE, Graph, Projects, Setting

TEXTS = ("id", "kind", "link_kind", "gate", "what", "actor", "action", "barrier", "rule", "confidence")


@dataclass(frozen=True)
class One:
    """One project: what a test wants to say about it."""

    id: str
    role: str = "abates"
    stage: str = "announced"
    tonnes: float = 1.0
    capital: float = np.nan
    public: float = np.nan
    online: float = np.nan
    life: float = 20.0
    part_of: str = ""
    sector: str = "cement"


@dataclass
class Hand:
    """Nodes in an order in which each comes after what it waits for."""

    projects: list[One] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    edges: list[tuple[str, str]] = field(default_factory=list)

    def project(self, one: One, waits: Iterable[str], build: float = 1.0) -> Hand:
        """Add a project that decides when ``waits`` have closed and then builds for some years."""
        self.projects.append(one)
        past = one.stage in ("fid", "construction", "operating")
        decision, service = f"decision:{one.id}", f"service:{one.id}"
        self.nodes.append(Node(decision, DECISION, one.id, done=past))
        self.nodes.append(
            Node(service, SERVICE, one.id, done=one.stage == "operating", years=(build, build, build))
        )
        self.edges += [(wait, decision) for wait in waits] + [(decision, service)]
        return self

    def gate(self, project: str, code: str, p: float = 1.0, after: Sequence[str] = (), **more: Any) -> Hand:
        """Add a gate of a project (which is added later)."""
        return self.node(Node(f"gate:{project}:{code}", GATE, project, code, p_pass=p, **more), after)

    def node(self, node: Node, after: Sequence[str] = ()) -> Hand:
        """Add any node."""
        self.nodes.append(node)
        self.edges += [(one, node.id) for one in after]
        return self

    def build(self) -> tuple[Graph, Projects]:
        """The arrays."""
        place = {one.id: number for number, one in enumerate(self.projects)}
        at = {node.id: number for number, node in enumerate(self.nodes)}
        pairs = sorted((at[after], at[before]) for before, after in self.edges)
        graph = Graph(
            **{name: _text(getattr(node, name) for node in self.nodes) for name in TEXTS},
            project=np.array([place.get(node.project_id, -1) for node in self.nodes], dtype=np.int64),
            done=np.array([node.done for node in self.nodes], dtype=bool),
            p_pass=np.array([node.p_pass for node in self.nodes], dtype=float),
            p_low=np.array([node.p_low for node in self.nodes], dtype=float),
            p_high=np.array([node.p_high for node in self.nodes], dtype=float),
            fixed=np.array([node.fixed for node in self.nodes], dtype=bool),
            years=np.array([node.years for node in self.nodes], dtype=float).reshape(-1, 3),
            earliest=np.array([node.earliest for node in self.nodes], dtype=float),
            any_of=np.array([node.any_of for node in self.nodes], dtype=bool),
            before=np.array([before for _, before in pairs], dtype=np.int64),
            after=np.array([after for after, _ in pairs], dtype=np.int64),
            cost=np.array([node.cost for node in self.nodes], dtype=float),
        )
        return graph, self._projects(place, at)

    def _projects(self, place: dict[str, int], at: dict[str, int]) -> Projects:
        ones = self.projects
        stage = _text(one.stage for one in ones)
        return Projects(
            id=_text(one.id for one in ones),
            name=_text(one.id.title() for one in ones),
            sector=_text(one.sector for one in ones),
            role=_text(one.role for one in ones),
            stage=stage,
            stage_basis=_text("asserted" for _ in ones),
            past_fid=np.isin(stage, ["fid", "construction", "operating"]),
            ended=np.isin(stage, ["cancelled", "closed", "shelved"]),
            umbrella=np.array([place.get(one.part_of, -1) for one in ones], dtype=np.int64),
            tonnes=np.array([one.tonnes for one in ones], dtype=float),
            capital=np.array([one.capital for one in ones], dtype=float),
            public=np.array([one.public for one in ones], dtype=float),
            online=np.array([one.online for one in ones], dtype=float),
            life=np.array([one.life for one in ones], dtype=float),
            decision=np.array([at.get(f"decision:{one.id}", -1) for one in ones], dtype=np.int64),
            service=np.array([at.get(f"service:{one.id}", -1) for one in ones], dtype=np.int64),
        )


def setting(**changes: Any) -> Setting:
    """A setting in which nothing is common, nothing is given up and everything decided is built."""
    values: dict[str, Any] = {
        "as_of": 2026.0,
        "base": 2026,
        "last_year": 2050,
        "target_year": 2045,
        "drop_hazard": 0.0,
        "ever": 0.2,
        "hazard": 0.03,
        "common_project": 0.0,
        "common_gate": 0.0,
        "completion": 1.0,
        "capital_growth": np.ones(3),
        "price_spread": np.ones(3),
    }
    return Setting(**{**values, **changes})


def _text(words: Iterable[str]) -> np.ndarray[Any, np.dtype[np.object_]]:
    return np.array(list(words), dtype=object)
