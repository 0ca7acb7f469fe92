"""Who must decide what by when: the dates of those who wait, taken back along what they wait for.

The backward pass of the critical path method (Kelley and Walker 1959) on median years: a project that
is to be in service by a date needs its decision by that date less its construction, each gate by the
date of the decision, what a gate waits for by that date less the gate's own years, and so on; where
several wait for one link the earliest date holds. Where one of several alternatives is enough, the
date goes to the one that the plan counts on: that which comes first in most draws.

Dates are the published years of service that are still to come, and the last dates of policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from cleanhub.core.tables import conform
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.pipeline.missing import Evaluated, middle, needed_policies, open_links
from cleanhub.pipeline.problem import POLICY, FloatArray, Graph, IntArray, Projects
from cleanhub.pipeline.reach import predecessors, touched_by

At = Literal["decision", "service"]
"""What a deadline is about."""
_SAME = 1e-9  # years; less than a second


@dataclass(frozen=True)
class Deadline:
    """Last date of a policy for a project: for its decision (begin of construction) or its service.

    ``project`` is the project's identifier, ``time`` in years after as_of, ``policy`` the name that
    readers know it by.
    """

    project: str
    at: At
    time: float
    policy: str


@dataclass(frozen=True)
class Date:
    """A date that a node must keep, years after as_of, and whose it is in words."""

    node: int
    time: float
    words: str


@dataclass(frozen=True)
class Backward:
    """Latest times at which nodes must have closed for all dates to hold, and whose date it is.

    ``latest`` is (N,) in years after as_of, infinity where no date is at stake; ``whose`` the place of
    the date in ``dates``, -1 for none.
    """

    latest: FloatArray
    whose: IntArray
    dates: tuple[Date, ...]


def dates_of(projects: Projects, as_of: float, deadlines: Iterable[Deadline] = ()) -> tuple[Date, ...]:
    """Dates still to come of projects that are not ended, and of policies for projects that are live.

    A published year of service that has passed is no date: nobody can be asked to keep it.
    ``ValueError`` for a deadline of a project that there is none of.
    """
    found = []
    coming = ~projects.ended & (projects.service >= 0) & (projects.online > 0.0)
    for project in map(int, np.flatnonzero(coming)):
        year = int(as_of + projects.online[project])
        words = f"{projects.id[project]} is to be in service in {year} (published)"
        found.append(Date(int(projects.service[project]), float(projects.online[project]), words))
    position = {str(name): place for place, name in enumerate(projects.id)}
    for one in deadlines:
        if one.project not in position:
            raise ValueError(f"deadline of {one.policy} for {one.project}: there is no such project")
        place = position[one.project]
        node = int((projects.decision if one.at == "decision" else projects.service)[place])
        if projects.live[place] and node >= 0:
            verb = "must begin construction" if one.at == "decision" else "must be in service"
            words = f"{one.project} {verb} before {_month(as_of + one.time)} for {one.policy}"
            found.append(Date(node, one.time, words))
    return tuple(found)


def counted_on(graph: Graph, time: FloatArray) -> list[IntArray]:
    """What each node waits for in the plan: all of it, or the alternative that is first in most draws.

    ``time`` is that of the simulation, (N, D). Among alternatives that come first as often as each
    other, and where none ever comes, the first in the graph's order.
    """
    found = predecessors(graph)
    for node in np.flatnonzero(graph.any_of):
        before = found[node]
        if len(before) > 1:
            times = time[before]
            first = times.argmin(axis=0)[np.isfinite(times.min(axis=0))]
            often = np.bincount(first, minlength=len(before)).argmax()
            found[node] = before[often : often + 1]
    return found


def backward(years: FloatArray, before: Sequence[IntArray], dates: Sequence[Date]) -> Backward:
    """The backward pass.

    Parameters
    ----------
    years
        Years that each node takes once it can begin, (N,).
    before
        What each node waits for, in an order in which each node comes after what it waits for.
    dates
        Dates to be kept; of several that bind a node alike, the first is named.
    """
    latest, whose = np.full(len(years), np.inf), np.full(len(years), -1, dtype=np.int64)
    for place, date in enumerate(dates):
        if date.time < latest[date.node]:
            latest[date.node], whose[date.node] = date.time, place
    for node in range(len(years) - 1, -1, -1):
        start = latest[node] - years[node]
        sooner = before[node][start < latest[before[node]]]
        latest[sooner], whose[sooner] = start, whose[node]
    return Backward(latest, whose, tuple(dates))


def coordination_table(
    run: Evaluated, links: pd.DataFrame, deadlines: Iterable[Deadline] = ()
) -> pd.DataFrame:
    """Plan table ``coordination``: a timeline for each actor, what it must begin first on top.

    Parameters
    ----------
    run
        Drawn worlds and when everything closes in them.
    links
        Plan table ``links``, for the tonnes.
    deadlines
        Last dates of policies.
    """
    graph, projects, as_of = run.world.graph, run.world.projects, run.world.setting.as_of
    time = run.times.time
    open_ = open_links(graph, projects)
    passed = backward(graph.years[:, 1], counted_on(graph, time), dates_of(projects, as_of, deadlines))
    waiting = _waiting(run, open_)
    tonnes = links.set_index("link_id")["blocked_co2e_t"]
    rows = []
    for place, link in enumerate(map(int, open_)):
        who = waiting[:, place]
        needed = passed.latest[link] + as_of if np.isfinite(passed.latest[link]) else np.nan
        expected = middle(time[link], as_of)
        late = expected - needed
        fits = None if np.isnan(needed) else bool(late <= _SAME)
        rows.append(
            {
                "actor": graph.actor[link],
                "link_id": graph.id[link],
                "action": graph.action[link],
                "projects": ";".join(sorted(projects.id[who])),
                "decide_by": needed - graph.years[link, 1],
                "needed_by": needed,
                "expected": expected,
                "late_years": late,
                "fits": fits,
                "because": _because(graph, projects, passed, link, who, late, as_of),
                "blocked_co2e_t": float(tonnes[graph.id[link]]),
            }
        )
    table = PLAN_TABLES["coordination"]
    frame = pd.DataFrame(rows, columns=table.names)
    frame = frame.sort_values(["actor", "decide_by", "link_id"], kind="stable")
    return conform(frame.assign(order=np.arange(len(frame))), table)


def _waiting(run: Evaluated, links: IntArray) -> np.ndarray:
    """Projects that are not ended and wait for each link, with or without alternatives, (P, L)."""
    graph, projects = run.world.graph, run.world.projects
    touched = touched_by(graph, links)
    waiting = np.zeros((len(projects), len(links)), dtype=bool)
    some = projects.service >= 0
    waiting[some] = touched[projects.service[some]]
    needed = needed_policies(run.world, run.times)
    for place, link in enumerate(map(int, links)):
        if link in needed:
            waiting[:, place] |= needed[link].any(axis=1)
    waiting[projects.ended] = False
    return waiting


def _because(
    graph: Graph,
    projects: Projects,
    passed: Backward,
    link: int,
    who: np.ndarray,
    late: float,
    as_of: float,
) -> str:
    """Whose date it is and whether it holds; or why there is none."""
    if passed.whose[link] >= 0:
        words = passed.dates[passed.whose[link]].words
        if np.isnan(late):
            return f"{words}; it closes in no draw"
        if passed.latest[link] - graph.years[link, 1] < -_SAME:
            words += f"; it should have begun before {_month(as_of)}"
        return f"{words}; it comes {late:.1f} years too late" if late > _SAME else words
    if graph.kind[link] == POLICY:
        return "in force; it must stay so until those who count on it have decided"
    dated = who & (projects.online > 0.0)
    if dated.any():
        return f"{';'.join(sorted(projects.id[dated]))} can take another that is expected first"
    gone = who & (projects.online <= 0.0)
    if gone.any():
        year = int(as_of + projects.online[gone].max())
        return f"the published date of {';'.join(sorted(projects.id[gone]))} has passed ({year} or before)"
    return "nobody who waits has published a date"


def _month(year: float) -> str:
    """A year with decimals as ``2027-12``."""
    months = round((year - int(year)) * 12)
    return f"{int(year) + months // 12}-{months % 12 + 1:02d}"
