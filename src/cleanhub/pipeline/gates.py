"""The nodes of each project by itself: its gates, its engineering, its decision, its service.

Which gates a project must pass, after which others and with what chance and time, are rows of the
library's ``gate_rules``: for each gate the first rule that fits the project holds, even one that says
that the gate is not needed. What gates wait for beyond their project (stores, pipes, substations ...)
is added by :mod:`cleanhub.pipeline.links`.

A gate that is published as passed keeps the chance it had: that it was passed is evidence on its
project. Its time is 0. A gate that is under way waits for no other gate of its project, and takes what is
left of its time, given that it has not closed yet (:mod:`cleanhub.pipeline.ranges`); its chance stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList
from cleanhub.hub.package import Hub
from cleanhub.hub.parameters import End, Parameters
from cleanhub.hub.scenario import Scenario
from cleanhub.pipeline.nodes import Draft, Node
from cleanhub.pipeline.problem import DECISION, GATE, SERVICE, STAGE
from cleanhub.pipeline.ranges import left_after
from cleanhub.pipeline.stages import ENGINEERING, PROGRAMME, Given, by_sector, listed

FILE = "gate_rules.csv"
CONCEPT = "concept"
STEPS = (CONCEPT, *ENGINEERING)
"""Stages with a time of their own; ``concept`` only where a project still is one."""
_ENDS: tuple[End, End, End] = ("low", "value", "high")
_PUBLISHED = "published as passed; no rule asks for it"


def gate_id(project_id: str, gate: str) -> str:
    """Identifier of a gate's node."""
    return f"gate:{project_id}:{gate}"


def stage_id(project_id: str, stage: str) -> str:
    """Identifier of the node of an engineering stage."""
    return f"stage:{project_id}:{stage}"


def decision_id(project_id: str) -> str:
    """Identifier of the node of a final investment decision."""
    return f"decision:{project_id}"


def service_id(project_id: str) -> str:
    """Identifier of the node of entry into service."""
    return f"service:{project_id}"


@dataclass(frozen=True)
class Need:
    """The rule by which a project must pass a gate; what it says, as a mapping of its columns."""

    gate: str
    rule: Mapping[str, object]

    @property
    def needed(self) -> bool:
        """Whether the rule asks for the gate; one with ``needed`` at no says that it is not needed."""
        return self.text("needed") not in ("no", "False")

    def number(self, column: str) -> float:
        """A figure of the rule."""
        return float(str(self.rule[column]))

    def text(self, column: str) -> str:
        """A word of the rule; empty where it says none."""
        value = self.rule.get(column)
        return "" if value is None or pd.isna(value) else str(value)  # type: ignore[call-overload]


def read_gate_rules(hub: Hub) -> list[dict[str, object]]:
    """The rules in the order of the table.

    Raises :class:`~cleanhub.core.errors.InputError` with every rule that names an unknown gate or
    stage in ``after``, waits for itself, or has a range that does not hold its value.
    """
    table, faults = hub.library.tables["gate_rules"], FaultList()
    known = set(hub.library.codelists["gate"]) | set(STEPS)
    for line, row in table.iterrows():
        at = int(str(line))
        for code in listed(row["after"]):
            if code not in known:
                what, allowed = f"rule {row['rule']}: unknown gate or stage", ", ".join(sorted(known))
                faults.add(FILE, at, "after", what=what, found=code, allowed=allowed)
            elif code == row["gate"]:
                faults.add(
                    FILE, at, "after", what=f"rule {row['rule']}: a gate cannot wait for itself", found=code
                )
        for low, value, high in (("p_low", "p_pass", "p_high"), ("years_low", "years", "years_high")):
            if not row[low] <= row[value] <= row[high]:
                faults.add(
                    FILE,
                    at,
                    f"{low}+{value}+{high}",
                    what=f"rule {row['rule']}: range does not hold its value",
                    found=f"{row[low]}, {row[value]}, {row[high]}",
                    allowed="low <= value <= high",
                )
    faults.raise_if_any("gates of projects")
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def gates_needed(hub: Hub, given: Given) -> list[dict[str, Need]]:
    """For each project the gates it must pass with the rule that says so, in the order of the codelist.

    The first rule of a gate that fits a project holds, even when it says that the gate is not needed.
    """
    codes = hub.library.tables["codelists"]
    order = list(codes.loc[codes["list"] == "gate", "code"])
    found: list[dict[str, Need]] = [{} for _ in range(len(given))]
    for rule in read_gate_rules(hub):
        need = Need(str(rule["gate"]), rule)
        for p in (int(one) for one in np.flatnonzero(given.fits(rule))):
            found[p].setdefault(need.gate, need)
    return [{gate: needs[gate] for gate in order if gate in needs and needs[gate].needed} for needs in found]


def draft_gates(hub: Hub, scenario: Scenario, given: Given, without_evidence: bool = False) -> Draft:
    """Nodes and edges of every project that has not ended.

    A live project has its open and passed gates, the engineering stages that are left, a decision that
    waits for all of them, and a service node. A project past its decision has that decision done, its
    service, and the gates that are published as passed. A programme with parts has a decision and a
    service alone: they are those of the first of its parts.

    Parameters
    ----------
    without_evidence
        Take no gate as passed, whatever ``given`` says.
    """
    parameters = Parameters(hub, "pipeline_parameters", price_year=scenario.price_year)
    draft = Draft()
    needed = gates_needed(hub, given)
    for p in (int(one) for one in np.flatnonzero(~given.ended)):
        done = frozenset() if without_evidence else given.gates_done[p]
        umbrella = given.role[p] == PROGRAMME and bool(given.has_parts[p])
        needs = {} if umbrella else needed[p]
        before = len(draft.nodes)
        if given.past_fid[p]:
            _gate_nodes(hub, given, p, {gate: needs[gate] for gate in needs if gate in done}, done, draft)
        else:
            _gate_nodes(hub, given, p, needs, done, draft)
            draft.notes += [
                f"{given.id[p]}: gate {gate} is under way, and no rule asks for it: it counts for nothing"
                for gate in sorted(given.gates_begun[p].keys() - needs.keys() - done)
            ]
            _stage_nodes(given, p, parameters, draft, idle=umbrella)
            _edges(given, p, needs, draft, own=list(draft.nodes)[before:])
        _ends(given, p, parameters, draft)
    return draft


def _gate_nodes(
    hub: Hub, given: Given, p: int, needs: Mapping[str, Need], done: frozenset[str], draft: Draft
) -> None:
    """Nodes of the gates that are needed, and of those that are passed though no rule asks for them."""
    project_id, name = str(given.id[p]), str(given.name[p])
    for gate, need in needs.items():
        years = left_after(
            given.gates_begun[p].get(gate, 0.0),
            *(need.number(column) for column in ("years_low", "years", "years_high")),
        )
        words = need.text("permit") or hub.library.meaning("gate", gate)
        passed = gate in done
        draft.add(
            Node(
                id=gate_id(project_id, gate),
                kind=GATE,
                project_id=project_id,
                gate=gate,
                link_kind="gate",
                what=f"{name}: {words}",
                actor=need.text("actor"),
                action=need.text("action"),
                barrier=need.text("barrier"),
                rule=need.text("rule"),
                confidence=need.text("confidence"),
                done=passed,
                p_pass=need.number("p_pass"),
                p_low=need.number("p_low"),
                p_high=need.number("p_high"),
                years=(0.0, 0.0, 0.0) if passed else years,
            )
        )
    for gate in sorted(done - needs.keys()):
        draft.add(
            Node(
                id=gate_id(project_id, gate),
                kind=GATE,
                project_id=project_id,
                gate=gate,
                link_kind="gate",
                what=f"{name}: {hub.library.meaning('gate', gate)} ({_PUBLISHED})",
                actor="developer",
                action="none: it is passed",
                barrier="other",
                confidence="seen",
                done=True,
                fixed=True,
            )
        )


def _stage_nodes(given: Given, p: int, parameters: Parameters, draft: Draft, idle: bool) -> None:
    """Nodes of the stages up to the decision: those behind are done, the present one is half over."""
    if idle:
        return
    project_id, sector, now = str(given.id[p]), str(given.sector[p]), str(given.stage[p])
    at = STEPS.index(now) if now in STEPS else -1
    steps = STEPS if now == CONCEPT else ENGINEERING
    for before, stage in zip(("", *steps), steps, strict=False):
        left = 0.5 if stage == now else 1.0
        done = at >= 0 and STEPS.index(stage) < at
        low, middle, high = (
            0.0 if done else left * by_sector(parameters, "stage_years", sector, stage, end) for end in _ENDS
        )
        draft.add(
            Node(
                id=stage_id(project_id, stage),
                kind=STAGE,
                project_id=project_id,
                what=f"{given.name[p]}: {stage.replace('_', '-')}",
                actor="developer",
                action="pay for engineering and finish it",
                barrier="foak_capital",
                done=done,
                fixed=True,
                years=(low, middle, high),
            )
        )
        if before:
            draft.wait(stage_id(project_id, stage), [stage_id(project_id, before)])


def _edges(given: Given, p: int, needs: Mapping[str, Need], draft: Draft, own: list[str]) -> None:
    """Order of the gates of one project; the decision waits for all of its ``own`` nodes."""
    project_id = str(given.id[p])
    for gate, need in needs.items():
        if gate in given.gates_begun[p]:
            continue
        names = [
            stage_id(project_id, code) if code in STEPS else gate_id(project_id, code)
            for code in listed(need.rule.get("after"))
        ]
        draft.wait(gate_id(project_id, gate), [name for name in names if name in draft.nodes])
    draft.wait(decision_id(project_id), own)


def _ends(given: Given, p: int, parameters: Parameters, draft: Draft) -> None:
    """Decision and service of one project, and that service waits for the decision."""
    project_id, name = str(given.id[p]), str(given.name[p])
    draft.add(
        Node(
            id=decision_id(project_id),
            kind=DECISION,
            project_id=project_id,
            what=f"{name}: final investment decision",
            actor="developer",
            action="decide",
            barrier="other",
            done=bool(given.past_fid[p]),
            fixed=True,
        )
    )
    operating = given.stage[p] == "operating"
    draft.add(
        Node(
            id=service_id(project_id),
            kind=SERVICE,
            project_id=project_id,
            what=f"{name}: entry into service",
            actor="developer",
            action="build it",
            barrier="other",
            done=operating,
            fixed=True,
            years=(0.0, 0.0, 0.0) if operating else _construction(given, p, parameters),
        )
    )
    draft.wait(service_id(project_id), [decision_id(project_id)])


def _construction(given: Given, p: int, parameters: Parameters) -> tuple[float, float, float]:
    """Years from decision (or from as_of, where it is being built) to service: tenth, median, ninetieth.

    A project in construction has the time to its published year of service left, with the spread of
    its sector; where that year is past or unknown, half of its sector's time.
    """
    sector = str(given.sector[p])
    low, middle, high = (by_sector(parameters, "construction_years", sector, which=end) for end in _ENDS)
    if given.stage[p] != "construction":
        return low, middle, high
    ahead = float(given.online[p])
    scale = ahead / middle if ahead > 0 and middle > 0 else 0.5
    return low * scale, middle * scale, high * scale
