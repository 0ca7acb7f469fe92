"""Missing links: what is lost if one never closes, or closes a year later, and whose the tonnes are.

Every figure is of the same draws as the simulation. With V the tonnes that all projects cut to the end
of the target year, a link i that never closes blocks ``E[V] - E[V | i never closes]``: on independent
links its chance times its value-weighted Birnbaum importance. What is blocked does not add up (two
gates of one project both block all of it); Shapley values do (:mod:`cleanhub.pipeline.shapley`).

Open links are gates of live projects, shared infrastructure and policies that are not done yet. A
policy is needed in a draw by those whose finance gate fails when it is taken away.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd

from cleanhub.core.tables import conform
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.pipeline.draws import World
from cleanhub.pipeline.evaluate import Times, changed
from cleanhub.pipeline.problem import (
    GATE,
    POLICY,
    SHARED,
    BoolArray,
    FloatArray,
    Graph,
    IntArray,
    Projects,
    Setting,
)
from cleanhub.pipeline.reach import predecessors, stopped_by
from cleanhub.pipeline.shapley import ORDERS, Realised, shapley_values


class Evaluated(Protocol):
    """Drawn worlds and when everything closes in them."""

    @property
    def world(self) -> World:
        """What was drawn."""
        ...

    @property
    def times(self) -> Times:
        """When everything closes."""
        ...


# ---------------------------------------------------------------- which links, and what each stops


def open_links(graph: Graph, projects: Projects) -> IntArray:
    """Positions of nodes that are open links, (L,), in the order of the graph."""
    gate = (graph.kind == GATE) & (graph.project >= 0)
    gate[gate] = projects.live[graph.project[gate]]
    return np.flatnonzero(~graph.done & (gate | (graph.kind == SHARED) | (graph.kind == POLICY)))


def junctions(graph: Graph) -> BoolArray:
    """Nodes that close of themselves when one of those they wait for does, (N,).

    They take no time and cannot fail, so there is nothing at them to do: "any store within reach".
    They are listed, and block what waits for them, but have no share of tonnes.
    """
    waits = np.array([len(before) > 0 for before in predecessors(graph)], dtype=bool)
    return np.asarray((graph.kind == SHARED) & waits & (graph.p_pass >= 1.0) & ~graph.years.any(axis=1))


def blocked_projects(world: World, links: IntArray, needed: Mapping[int, BoolArray]) -> BoolArray:
    """Which projects cannot decide, or not come into service, without each link, (P, L).

    For a policy: those whose finance gate fails without it in some draw (see :func:`needed_policies`).
    """
    projects = world.projects
    stopped = stopped_by(world.graph, links)
    blocked = np.zeros((len(projects), len(links)), dtype=bool)
    for nodes in (projects.decision, projects.service):
        some = nodes >= 0
        blocked[some] |= stopped[nodes[some]]
    blocked[projects.ended] = False
    for place, link in enumerate(map(int, links)):
        if link in needed:
            blocked[:, place] |= needed[link].any(axis=1)
    return blocked


def needed_policies(world: World, times: Times) -> dict[int, BoolArray]:
    """For each policy that is a node: projects that decide with it and not without it, (P, D), by node."""
    found = {}
    for node in map(int, np.flatnonzero((world.graph.kind == POLICY) & ~world.graph.done)):
        change = changed(world, times, never=(node,))
        needed = np.zeros(times.decided.shape, dtype=bool)
        needed[change.projects] = np.isfinite(times.decided[change.projects]) & ~np.isfinite(change.decided)
        found[node] = needed
    return found


# ---------------------------------------------------------------- tonnes


def lost_tonnes(
    world: World, times: Times, never: Collection[int] = (), later: Mapping[int, float] | None = None
) -> float:
    """Expected tonnes lost if some links never close or take years longer, all else as drawn [t CO2e].

    Below 0 only where coming later helps (a price or a credit that is better then).
    """
    change = changed(world, times, never, later)
    return float((times.tonnes[change.projects] - change.tonnes).sum()) / world.draws


def shared_tonnes(
    world: World, times: Times, needed: Mapping[int, BoolArray], orders: int = ORDERS
) -> FloatArray:
    """Shapley value of each node, (N,) [t CO2e]: nothing for what is no open link.

    They sum to the expected tonnes of projects that still wait for an open link.
    """
    graph, projects = world.graph, world.projects
    players = np.zeros(len(graph), dtype=bool)
    players[open_links(graph, projects)] = True
    players &= ~junctions(graph)
    live = np.flatnonzero(projects.live & (projects.decision >= 0))
    limit = {int(projects.decision[project]): world.given_up[project] for project in live}
    end = np.full(world.draws, end_of_target(world.setting))
    limit |= {int(node): end for node in projects.service[projects.tonnes > 0]}
    realised = Realised(
        times.time, world.years, limit, times.tonnes, projects.decision, projects.service, needed
    )
    return shapley_values(graph, realised, players, world.seed, orders)


def end_of_target(setting: Setting) -> float:
    """End of the target year, years after as_of."""
    return setting.target_year + 1.0 - setting.as_of


# ---------------------------------------------------------------- tables


def links_table(run: Evaluated, orders: int = ORDERS) -> pd.DataFrame:
    """Plan table ``links``: every open link, those that block most tonnes first, then those that are urgent.

    ``orders`` is the number of random orders of Shapley values where projects have alternatives.
    Shares are of the tonnes of projects that wait for an open link; with none of these they are 0.
    """
    world, times = run.world, run.times
    graph, projects, setting = world.graph, world.projects, world.setting
    links = open_links(graph, projects)
    needed = needed_policies(world, times)
    blocked = blocked_projects(world, links, needed)
    shared = shared_tonnes(world, times, needed, orders)
    waiting = shared.sum()
    rows = []
    for place, link in enumerate(map(int, links)):
        closing = closes_in(run, link)
        who = projects.id[blocked[:, place]]
        rows.append(
            {
                "link_id": graph.id[link],
                "kind": graph.link_kind[link] or graph.kind[link],
                "description": describe(graph, projects, link),
                "actor": graph.actor[link],
                "action": graph.action[link],
                "barrier": graph.barrier[link],
                "project_id": projects.id[graph.project[link]] if graph.kind[link] == GATE else "",
                "p_closes": float((closing <= setting.last_year + 1.0 - setting.as_of).mean()),
                "p50": middle(closing, setting.as_of),
                "blocked_co2e_t": lost_tonnes(world, times, never=(link,)),
                "per_year_of_delay_t": lost_tonnes(world, times, later={link: 1.0}),
                "shapley_share": shared[link] / waiting if waiting > 0.0 else 0.0,
                "shapley_co2e_t": shared[link],
                "projects_blocked": len(who),
                "projects": ";".join(sorted(who)),
                "cost_usd": graph.cost[link],
                "confidence": graph.confidence[link],
            }
        )
    table = PLAN_TABLES["links"]
    rows.sort(key=_urgency)
    frame = pd.DataFrame(rows, columns=table.names)
    return conform(frame.assign(order=np.arange(len(rows))), table)


def _urgency(row: Mapping[str, Any]) -> tuple[float, float, str]:
    """Most tonnes first; of those that block the same, the one of which a year of delay costs most."""
    return -float(row["blocked_co2e_t"]), -float(row["per_year_of_delay_t"]), str(row["link_id"])


def closes_in(run: Evaluated, link: int) -> FloatArray:
    """When a link closes, (D,); a gate only while its project has not been given up."""
    time: FloatArray = run.times.time[link]
    project = run.world.graph.project[link]
    if run.world.graph.kind[link] != GATE or project < 0:
        return time
    return np.asarray(np.where(time < run.world.given_up[project], time, np.inf))


def describe(graph: Graph, projects: Projects, link: int) -> str:
    """A link in words, with the name of the project whose gate it is."""
    words = str(graph.what[link]) or str(graph.id[link])
    name = str(projects.name[graph.project[link]]) if graph.kind[link] == GATE else ""
    return words if words.startswith(name) else f"{name}: {words}"


def middle(time: FloatArray, as_of: float) -> float:
    """Median calendar year of those draws in which something comes at all; NaN if in none."""
    comes = time[np.isfinite(time)]
    return float(np.median(comes)) + as_of if len(comes) else float("nan")
