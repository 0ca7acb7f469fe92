"""What projects wait for beyond their own gates: stores, pipes, hydrogen, grid, chargers, policies.

Rows of the library's ``link_rules`` say which projects need what, at which of their gates, and who can
supply it. Of each kind of link the first rule that fits a project holds; a rule that names no supplier
and no chance says that the project waits for nothing. Nothing is listed by hand: take a project out of
the hub, and its links are gone.

Who supplies:

- a supplier that the project has an agreement with (``supplied_by``), where it fits the rule;
- else every project of the rule's role and sector, and every row of infrastructure of its kind, within
  reach: **any** of them is enough;
- for a rule that names infrastructure alone (a substation, a port): the **nearest** within reach;
- else a provider nobody has named yet, one for all projects of a county, with the rule's chance and time.

A supplier that is a project is waited for at its entry into service. A store that operates has room for
its agreements first, then for those furthest in their stage; who finds no room waits for more of it.
Projects with the same set of suppliers share one node: it is one link, however many wait for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.schema import PROPOSED
from cleanhub.pipeline.gates import service_id
from cleanhub.pipeline.link_nodes import (
    PIPE,
    Links,
    Maker,
    Route,
    all_users,
    pipe_nodes,
    pipe_route,
    policy_nodes,
    supply_node,
)
from cleanhub.pipeline.link_rules import Rule, first_rules, read_link_rules
from cleanhub.pipeline.nodes import Draft
from cleanhub.pipeline.problem import BoolArray
from cleanhub.pipeline.stages import PROGRAMME, Given
from cleanhub.pipeline.suppliers import Supplier

STORE = "store"


@dataclass
class _Wait:
    """One project that needs one kind of link: the rule, who can supply it, who it has agreed with."""

    project: int
    rule: Rule
    suppliers: list[Supplier]
    agreed: bool
    missing: str = ""  # a supplier it has agreed with that is no project of the hub


def draft_links(
    hub: Hub,
    scenario: Scenario,
    given: Given,
    draft: Draft,
    answers: Mapping[str, Sequence[str]] | None = None,
    without_evidence: bool = False,
) -> Links:
    """Add to ``draft`` the shared nodes that its projects wait for, and the edges to them.

    Parameters
    ----------
    draft
        Nodes of the projects as :func:`cleanhub.pipeline.gates.draft_gates` makes them; changed in place.
    answers
        Policies that pay each project, by project (none: no policy nodes).
    without_evidence
        Know no agreement and no infrastructure: only projects that could supply, and providers nobody
        has named.

    A name in ``supplied_by`` that is no project of the hub counts as a provider of that name, with the
    chance of the rule (:func:`cleanhub.pipeline.graph.build_graph` refuses it unless told otherwise).

    Raises :class:`~cleanhub.core.errors.InputError` with every rule that cannot be used.
    """
    maker = Maker(hub, scenario, given, draft, not without_evidence)
    rules = first_rules(read_link_rules(hub), given, _waiting(given))
    waits = [
        _wait(maker, p, rule)
        for p, kinds in enumerate(rules)
        for kind, rule in kinds.items()
        if kind != PIPE and not rule.idle and maker.open(p, rule.gate)
    ]
    _rest_of_agreements(maker, rules)
    room = _room(maker, [one for one in waits if one.rule.kind == STORE])
    routes: dict[str, list[Route]] = {}
    for one in waits:
        chosen = _chosen(one, room)
        pipe = rules[one.project].get(PIPE) if one.rule.kind == STORE else None
        if pipe is not None and not pipe.idle:
            pipe_route(maker, one.project, chosen, pipe, routes)
        maker.wait(
            one.project, one.rule.gate, [supply_node(maker, one.project, one.rule, chosen, one.missing)]
        )
    pipe_nodes(maker, routes)
    policy_nodes(maker, answers or {})
    maker.links.users = all_users(maker)
    return maker.links


def _waiting(given: Given) -> BoolArray:
    """Projects that can wait for a link: live, and no programme that has parts, (P,)."""
    return np.asarray(given.live & ~((given.role == PROGRAMME) & given.has_parts), dtype=bool)


# ---------------------------------------------------------------- who supplies whom


def _wait(maker: Maker, project: int, rule: Rule) -> _Wait:
    """Who can supply what one project needs: those it has agreed with, else those within reach."""
    suppliers = maker.suppliers
    if rule.has_projects:
        position = suppliers.position
        known = [position[name] for name in maker.agreed[project] if name in position]
        fitting = [s for s in known if suppliers.fits(rule)[s]]
        standing = [s for s in fitting if not maker.given.ended[s]]
        if standing:
            return _Wait(project, rule, [suppliers.of_project(s, project) for s in standing], True)
        if fitting:
            ended = ", ".join(str(maker.given.id[s]) for s in fitting)
            text = f"{maker.given.id[project]}: its supplier {ended} has ended; it waits for any within reach"
            maker.links.notes.append(text)
        missing = [name for name in maker.agreed[project] if name not in position]
        if missing and not known:
            return _Wait(project, rule, [], True, missing[0])
    return _Wait(project, rule, suppliers.within_reach(project, rule), False)


def _rest_of_agreements(maker: Maker, rules: Sequence[Mapping[str, Rule]]) -> None:
    """Agreements that no rule speaks of: the decision waits for that supplier to be in service."""
    given, suppliers = maker.given, maker.suppliers
    for p in np.flatnonzero(_waiting(given)).tolist():
        asked = [rule for rule in rules[p].values() if rule.has_projects]
        for name in maker.agreed[p]:
            s = suppliers.position.get(name, -1)
            if s == p or (s < 0 and asked) or any(suppliers.fits(rule)[s] for rule in asked):
                continue
            if s < 0 or given.ended[s]:
                why = "is no project of the hub" if s < 0 else "has ended"
                maker.links.notes.append(
                    f"{given.id[p]}: its supplier {name} {why}; no rule says what it gave"
                )
            else:
                maker.wait(p, "", [service_id(name)])


def _room(maker: Maker, waits: Sequence[_Wait]) -> dict[tuple[int, str], bool]:
    """Whether a store that operates has room for each project that could use it, by project and store.

    Stores whose yearly capacity is not published have room for all.
    """
    given, position = maker.given, maker.suppliers.position
    left = {
        supplier.name: float(maker.flow[position[supplier.name]])
        for one in waits
        for supplier in one.suppliers
        if supplier.done and supplier.is_project and maker.flow[position[supplier.name]] > 0
    }
    for p in np.flatnonzero(given.past_fid):
        for name in maker.agreed[p]:
            if name in left and p != position[name]:
                left[name] -= float(maker.flow[p])
    found: dict[tuple[int, str], bool] = {}

    def rank(one: _Wait) -> tuple[bool, int, int]:
        stage = str(given.stage[one.project])
        return (not one.agreed, -(PROPOSED.index(stage) if stage in PROPOSED else 0), one.project)

    for one in sorted(waits, key=rank):
        served = False
        for supplier in sorted(one.suppliers, key=lambda s: (s.km, s.name)):
            if supplier.name not in left:
                continue
            fits = served or maker.flow[one.project] <= left[supplier.name]
            found[one.project, supplier.name] = fits
            if fits and not served:
                left[supplier.name] -= float(maker.flow[one.project])
                served = True
    return found


def _chosen(one: _Wait, room: Mapping[tuple[int, str], bool]) -> list[tuple[Supplier, bool]]:
    """Suppliers that count for one project, each with whether it is full.

    What is there already, with room, is enough: then it is the nearest of those alone.
    """
    every = [(supplier, not room.get((one.project, supplier.name), True)) for supplier in one.suppliers]
    there = [(supplier, full) for supplier, full in every if supplier.done and not full]
    return [min(there, key=lambda pair: (pair[0].km, pair[0].name))] if there else every
