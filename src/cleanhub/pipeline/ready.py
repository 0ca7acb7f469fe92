"""When projects could decide if their money were no question, and what they wait for longest.

The finance gate refuses a project whose credit is lost, so the draws in which a project decides are those
in which no deadline was missed. Whether a date can be kept is therefore asked of all that must close
beside the finance gate and the policies.

Shapes: N nodes, D draws; without a simulation D is 1 and every time is a median.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cleanhub.pipeline.order import FINANCE
from cleanhub.pipeline.problem import (
    GATE,
    SHARED,
    STAGE,
    FloatArray,
    Graph,
    IntArray,
    Projects,
    Setting,
    Simulation,
)

_MONEY = (FINANCE, "policy_deadline")


@dataclass(frozen=True)
class Ready:
    """Times of nodes and who they belong to.

    ``time`` (N, D) in years after ``as_of``, infinity for never; ``in_service`` (P, D) as simulated, ``None``
    for medians.
    """

    graph: Graph
    projects: Projects
    as_of: float
    time: FloatArray
    in_service: FloatArray | None = None

    @property
    def simulated(self) -> bool:
        """Whether there are draws."""
        return self.in_service is not None

    def place(self, project_id: str) -> int | None:
        """Position of a live project; ``None`` where it is not there or its decision is not open."""
        found = np.flatnonzero((self.projects.id == project_id) & self.projects.live)
        return int(found[0]) if len(found) and self.projects.decision[found[0]] >= 0 else None

    def waits(self, project: int) -> list[int]:
        """Nodes that the decision waits for, and those that its money waits for, but for the money itself."""
        graph = self.graph
        decision = int(self.projects.decision[project])
        first = list(map(int, graph.before[graph.after == decision]))
        money = [node for node in first if graph.gate[node] in _MONEY]
        behind = [int(one) for node in money for one in graph.before[graph.after == node]]
        return sorted({node for node in (*first, *behind) if graph.gate[node] not in _MONEY})

    def decision(self, project: int) -> FloatArray:
        """Time at which all of them have closed, (D,)."""
        waits = self.waits(project)
        if not waits:
            return np.zeros(self.time.shape[1])
        return np.asarray(self.time[waits].max(axis=0))

    def building(self, project: int) -> float:
        """Median years from decision to service."""
        service = int(self.projects.service[project])
        return float(self.graph.years[service, 1]) if service >= 0 else 0.0

    def longest(self, project: int, draws: IntArray) -> int | None:
        """The link on the critical path that takes longest by itself in the draws given, by position.

        ``draws`` are positions of draws. From what closes last, back to what that waited for last, and
        so on; of gates, stages and shared nodes on that path the one of the greatest median time.
        """
        path, node = [], _last(self.time, self.waits(project), draws)
        while node is not None:
            path.append(node)
            node = _last(self.time, list(map(int, self.graph.before[self.graph.after == node])), draws)
        own = {
            node: float(np.median(self._alone(node, draws)))
            for node in path
            if self.graph.kind[node] in (GATE, STAGE, SHARED) and not self.graph.done[node]
        }
        return max(own, key=lambda node: (own[node], -node)) if own else None

    def _alone(self, node: int, draws: IntArray) -> FloatArray:
        before = self.graph.before[self.graph.after == node]
        begin = np.zeros(len(draws))
        if len(before):
            choose = np.min if self.graph.any_of[node] else np.max
            begin = np.asarray(choose(self.time[before][:, draws], axis=0))
        end = self.time[node][draws]
        return np.asarray(np.subtract(end, begin, out=np.full(len(draws), np.inf), where=np.isfinite(begin)))


def _last(time: FloatArray, nodes: Sequence[int], draws: IntArray) -> int | None:
    """The node that is most often the last one to close, ``None`` without nodes that take time."""
    if not len(nodes) or not len(draws):
        return None
    closes = time[np.asarray(nodes)][:, draws]
    of = np.where(np.isfinite(closes), closes, -1.0)
    if of.max() <= 0.0:
        return None
    return int(nodes[int(np.bincount(of.argmax(axis=0), minlength=len(nodes)).argmax())])


def ready(
    simulation: Simulation | None = None,
    graph: Graph | None = None,
    projects: Projects | None = None,
    setting: Setting | None = None,
) -> Ready | None:
    """From a simulation; else medians of a graph; ``None`` without either."""
    if simulation is not None:
        return Ready(
            simulation.graph,
            simulation.projects,
            simulation.setting.as_of,
            simulation.time,
            simulation.in_service,
        )
    if graph is None or projects is None or setting is None:
        return None
    return Ready(graph, projects, setting.as_of, median_times(graph)[:, None])


def median_times(graph: Graph) -> FloatArray:
    """When each node closes if all takes its median time and nothing fails, (N,) [yr after as_of]."""
    time = np.zeros(len(graph))
    for node in range(len(graph)):
        before = graph.before[graph.after == node]
        begin = 0.0
        if len(before):
            begin = float(time[before].min() if graph.any_of[node] else time[before].max())
        closes = max(begin + float(graph.years[node, 1]), float(graph.earliest[node]))
        time[node] = 0.0 if graph.done[node] else closes
    return time
