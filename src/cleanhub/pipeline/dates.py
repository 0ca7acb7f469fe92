"""Dates of projects that cannot be: what data alone contradicts is a fault, what has slipped a note.

A published year of service that has passed without the plant is common and refuses nothing. What
cannot be is a plant in service before it was announced, or before the only one it is agreed to be
supplied by.
"""

from __future__ import annotations

import numpy as np

from cleanhub.core.errors import FaultList
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.schema import PROPOSED
from cleanhub.pipeline.nodes import Draft
from cleanhub.pipeline.stages import Given, listed

FILE = "projects.csv"


def check_dates(hub: Hub, scenario: Scenario, given: Given, faults: FaultList) -> list[str]:
    """Add to ``faults`` the dates of projects that cannot be; gives notes on those that have slipped."""
    table = hub.tables["projects"]
    announced = table["announced_year"].astype("Float64").to_numpy(float, na_value=np.nan)
    online = table["online_year"].astype("Float64").to_numpy(float, na_value=np.nan)
    for p in np.flatnonzero(online < announced):
        what = f"{given.id[p]}: impossible date: in service before it was announced"
        allowed = f"{announced[p]:.0f} (announced_year) or later"
        faults.add(
            FILE, int(given.line[p]), "online_year", what=what, found=f"{online[p]:.0f}", allowed=allowed
        )
    position = {str(name): at for at, name in enumerate(given.id)}
    for user, cell in enumerate(table["supplied_by"]):
        suppliers = [position[name] for name in listed(cell) if name in position and position[name] != user]
        if suppliers:
            _check_suppliers(
                table["stage"].to_numpy(object), scenario, given, user, suppliers, online, faults
            )
    late = np.flatnonzero(given.live & (online < scenario.as_of.year))
    names = [f"{given.id[p]} ({online[p]:.0f})" for p in late]
    return [f"published year of service is past and has slipped: {', '.join(names)}"] if names else []


def _check_suppliers(
    stage: np.ndarray,
    scenario: Scenario,
    given: Given,
    p: int,
    suppliers: list[int],
    online: np.ndarray,
    faults: FaultList,
) -> None:
    """Faults of one project against all of those that are agreed to supply it."""
    names = ", ".join(str(given.id[s]) for s in suppliers)
    path, line = f"{given.id[p]} -> {names}", int(given.line[p])
    if stage[p] == "operating":
        never = [s for s in suppliers if stage[s] in (*PROPOSED, "shelved", "cancelled")]
        if len(never) == len(suppliers):
            stages = ", ".join(f"{given.id[s]} {stage[s]}" for s in suppliers)
            what = f"{path}: impossible: it operates, and none of its suppliers has ever been in service"
            faults.add(FILE, line, "supplied_by", what=what, found=stages, allowed="a supplier in service")
            return
    first = min(online[s] if np.isfinite(online[s]) else -np.inf for s in suppliers)
    slipped = not given.past_fid[p] and online[p] < scenario.as_of.year
    if online[p] < first and not slipped:
        what = f"{path}: impossible date: in service before its supplier"
        found = f"{online[p]:.0f}, the supplier {first:.0f}"
        faults.add(FILE, line, "online_year", what=what, found=found, allowed=f"{first:.0f} or later")


def check_nodes(given: Given, draft: Draft) -> list[str]:
    """Notes on projects that are to be in service before the first day on which they could decide."""
    online = {str(name): float(year) for name, year in zip(given.id, given.online, strict=True)}
    first: dict[str, float] = {}
    for node in draft.nodes.values():
        if node.project_id and not node.done:
            first[node.project_id] = max(first.get(node.project_id, 0.0), node.earliest)
    return [
        f"{project}: to be in service {online[project]:.1f} years after as_of, but a gate cannot close "
        f"before {earliest:.1f}"
        for project, earliest in sorted(first.items())
        if 0.0 < online[project] < earliest
    ]
