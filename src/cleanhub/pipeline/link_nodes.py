"""Nodes of what projects share: suppliers, any of several, pipes, policies; and who waits for them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cleanhub.core.units import factor
from cleanhub.hub.package import Hub
from cleanhub.hub.parameters import End, Parameters
from cleanhub.hub.scenario import Scenario
from cleanhub.pipeline.gates import decision_id, gate_id, service_id
from cleanhub.pipeline.link_rules import Rule
from cleanhub.pipeline.nodes import NAN, Draft, Node
from cleanhub.pipeline.problem import POLICY, SHARED, FloatArray
from cleanhub.pipeline.stages import Given, listed
from cleanhub.pipeline.suppliers import Supplier, Suppliers, slug

PIPE = "pipe"
NONE_NEAR = "none-near"
ROOM = "room"
_SHOWN = 3  # suppliers that a description or an identifier names before it counts the rest
_CO2 = "co2"
_ENDS: tuple[End, End, End] = ("low", "value", "high")


@dataclass
class Links:
    """What the links add to the nodes and edges of a draft.

    Attributes
    ----------
    policies
        Policy nodes of the policies that pay each project, by project: whether it can do without them
        is judged with its money, so nothing waits for them.
    users
        Projects that wait for each shared node or supplier, by node, in the order of the hub's table.
    notes
        What a reader must know.
    """

    policies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    users: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Maker:
    """Nodes and edges of one draft while its links are made."""

    def __init__(self, hub: Hub, scenario: Scenario, given: Given, draft: Draft, evidence: bool) -> None:
        self.hub, self.given, self.draft, self.evidence = hub, given, draft, evidence
        self.parameters = Parameters(hub, "pipeline_parameters", price_year=scenario.price_year)
        self.suppliers = Suppliers(hub, given, draft, evidence)
        self.links = Links()
        self.users: dict[str, dict[str, None]] = {}
        table = hub.tables["projects"]
        self.county = ["" if pd.isna(cell) else str(cell) for cell in table["county"]]
        self.agreed = [listed(cell) if evidence else [] for cell in table["supplied_by"]]
        self.flow = co2_flows(hub)
        self._words: dict[str, str] = {}

    def wait(self, project: int, gate: str, nodes: Iterable[str]) -> None:
        """Let a project wait for ``nodes``: at the gate, or at its decision where it has no such gate."""
        project_id = str(self.given.id[project])
        after = gate_id(project_id, gate)
        if after not in self.draft.nodes:
            after = decision_id(project_id)
        if after not in self.draft.nodes or self.draft.nodes[after].done:
            return
        for node in nodes:
            self.draft.wait(after, [node])
            self.users.setdefault(node, {})[project_id] = None

    def words_of(self, kind: str) -> str:
        """A kind of link in words."""
        if kind not in self._words:
            self._words[kind] = self.hub.library.meaning("link_kind", kind)
        return self._words[kind]

    def open(self, project: int, gate: str) -> bool:
        """Whether what a project needs at a gate is still to come: passed gates wait for nothing."""
        node = self.draft.nodes.get(gate_id(str(self.given.id[project]), gate))
        return node is None or not node.done

    def shared(self, node: Node) -> str:
        """Add a shared node unless it is there; its identifier."""
        if node.id not in self.draft.nodes:
            self.draft.add(node)
        return node.id

    def by_rule(self, rule: Rule, name: str, what: str, *, done: bool = False, cost: float = NAN) -> str:
        """A shared node with the chance and time of its rule; its identifier."""
        years = (0.0, 0.0, 0.0) if done else rule.years
        low, chance, high = (1.0, 1.0, 1.0) if done else rule.chances
        return self.shared(
            Node(
                id=f"{rule.kind}:{name}",
                kind=SHARED,
                link_kind=rule.kind,
                what=what,
                actor=rule.text("actor"),
                action="none: it is there" if done else rule.text("action"),
                barrier=rule.text("barrier"),
                rule=rule.name,
                confidence=rule.text("confidence"),
                done=done,
                p_pass=chance,
                p_low=low,
                p_high=high,
                fixed=True,
                years=years,
                cost=cost,
            )
        )


def co2_flows(hub: Hub) -> FloatArray:
    """CO2 that each project would bring to a store, or could take as one, (P,) [t/yr]; 0 unknown.

    Its capacity where that counts CO2 by the year, else the tonnes it expects to cut or remove.
    """
    table = hub.tables["projects"]
    flows = np.array(table["co2e_t_per_year"].astype("Float64").fillna(0.0), dtype=np.float64)
    counted = (table["capacity_of"] == _CO2).to_numpy(bool) & table["capacity"].notna().to_numpy(bool)
    for p in np.flatnonzero(counted):
        row = table.iloc[p]
        try:
            flows[p] = float(row["capacity"]) * factor(str(row["capacity_unit"]), "t/yr")
        except ValueError:  # what it can hold in all (Mt) says nothing of a year
            continue
    return flows


@dataclass(frozen=True)
class Route:
    """Need of one project for a pipe: how long [km], by which rule, and the pipe in words."""

    km: float
    rule: Rule
    words: str


def supply_node(
    maker: Maker, project: int, rule: Rule, chosen: Sequence[tuple[Supplier, bool]], missing: str = ""
) -> str:
    """The node that a project waits for: one supplier, any of several, or a provider not named yet.

    ``chosen`` are those who can supply, each with whether it is full; ``missing`` the name of one that
    is agreed and is no project of the hub.
    """
    kind = maker.words_of(rule.kind)
    if not chosen and missing:
        what = f"{kind} of {missing}, which is no project of the hub"
        return maker.by_rule(rule, slug(missing), what)
    if not chosen:
        area = maker.suppliers.area(project, maker.county[project])
        words = f"{kind} for {area}: none is known within reach"
        return maker.by_rule(rule, f"{NONE_NEAR}:{slug(area)}", words)
    found: dict[str, Supplier] = {}
    for supplier, full in chosen:
        if full:
            node = _more_room(maker, rule, supplier)
        elif supplier.is_project:
            node = service_id(supplier.name)
        else:
            node = maker.by_rule(rule, slug(supplier.name), f"{kind}: {supplier.words}", done=supplier.done)
        found[node] = supplier
    return next(iter(found)) if len(found) == 1 else _any_of(maker, rule, kind, found)


def _more_room(maker: Maker, rule: Rule, supplier: Supplier) -> str:
    """The node for more room at a store that operates and is full, by the rows ``more_room``."""
    figures = maker.parameters
    years = [figures.value("more_room", "years", "yr", end) for end in _ENDS]
    return maker.shared(
        Node(
            id=f"{rule.kind}:{slug(supplier.name)}:{ROOM}",
            kind=SHARED,
            link_kind=rule.kind,
            what=f"more room at {supplier.words}",
            actor=rule.text("actor"),
            action="obtain the permit for more wells and open them",
            barrier=rule.text("barrier"),
            rule=rule.name,
            confidence=str(figures.rows.loc[("more_room", "chance"), "confidence"]),
            p_pass=figures.value("more_room", "chance"),
            fixed=True,
            years=(years[0], years[1], years[2]),
        )
    )


def _any_of(maker: Maker, rule: Rule, kind: str, found: Mapping[str, Supplier]) -> str:
    """One node for a set of suppliers of which any is enough, shared by all who have the same set."""
    nodes = sorted(found, key=lambda node: (found[node].name, node))
    words = [("more room at " if node.endswith(f":{ROOM}") else "") + found[node].words for node in nodes]
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    names = [slug(found[node].name) + (f":{ROOM}" if node.endswith(f":{ROOM}") else "") for node in nodes]
    if len(names) > _SHOWN:
        rest = hashlib.sha256("+".join(names).encode()).hexdigest()[:8]
        names = [*names[: _SHOWN - 1], f"{len(names) - _SHOWN + 1}-more-{rest}"]
    node = Node(
        id=f"{rule.kind}:any:{'+'.join(names)}",
        kind=SHARED,
        link_kind=rule.kind,
        what=f"{kind}: any of {', '.join(words[:_SHOWN])}{more}",
        actor=rule.text("actor"),
        action=rule.text("action"),
        barrier=rule.text("barrier"),
        rule=rule.name,
        confidence=rule.text("confidence"),
        fixed=True,
        any_of=True,
    )
    if node.id not in maker.draft.nodes:
        maker.draft.add(node)
        maker.draft.wait(node.id, nodes)
    return node.id


def all_users(maker: Maker) -> dict[str, tuple[str, ...]]:
    """Projects that wait for each node, directly or as one of several that would do, in the hub's order."""
    users = {node: set(names) for node, names in maker.users.items()}
    for before, after in maker.draft.edges:
        if after in users and maker.draft.nodes[after].any_of:
            users.setdefault(before, set()).update(users[after])
    order = maker.suppliers.position
    return {node: tuple(sorted(users[node], key=order.__getitem__)) for node in sorted(users)}


def pipe_route(
    maker: Maker,
    project: int,
    chosen: Sequence[tuple[Supplier, bool]],
    pipe: Rule,
    routes: dict[str, list[Route]],
) -> None:
    """Let a project wait for the pipe to its store (the nearest of several), where it needs one."""
    if not maker.open(project, pipe.gate):
        return
    nearest = min((supplier for supplier, _ in chosen), key=lambda s: (s.km, s.name), default=None)
    if nearest is not None and not nearest.km > pipe.within_km:
        return
    area = maker.suppliers.area(project, maker.county[project])
    store, to, km = NONE_NEAR, "a store not named yet", NAN
    if nearest is not None:
        store, to, km = slug(nearest.name), nearest.words, nearest.km
    name = f"{store}:{slug(area)}"
    routes.setdefault(name, []).append(Route(km, pipe, f"CO2 pipe from {area} to {to}"))
    maker.wait(project, pipe.gate, [f"{PIPE}:{name}"])


def pipe_nodes(maker: Maker, routes: Mapping[str, Sequence[Route]]) -> None:
    """A node for each pipe, as long as its furthest user needs; its capital is shared by all of them."""
    for name, users in sorted(routes.items()):
        known = [one.km for one in users if np.isfinite(one.km)]
        cost = NAN
        if known and maker.parameters.has("link_capital", PIPE):
            cost = max(known) * maker.parameters.value("link_capital", PIPE, "USD/km")
        length = f" (about {max(known):.0f} km)" if known else ""
        maker.by_rule(users[0].rule, name, users[0].words + length, cost=cost)


def policy_nodes(maker: Maker, answers: Mapping[str, Sequence[str]]) -> None:
    """A node for each policy that pays a live project: in force today, kept or repealed."""
    given, names = maker.given, maker.hub.library.tables["policies"].set_index("policy")["name"]
    live = {str(given.id[p]) for p in np.flatnonzero(given.live)}
    for project_id in sorted(live & set(answers)):
        if answers[project_id]:
            nodes = (f"{POLICY}:{policy}" for policy in dict.fromkeys(answers[project_id]))
            maker.links.policies[project_id] = tuple(nodes)
    figures = maker.parameters
    for node in sorted({node for nodes in maker.links.policies.values() for node in nodes}):
        policy = node.split(":", 1)[1]
        title = str(names.get(policy, policy))
        item = policy if figures.has("policy_kept", policy) else ""
        known = figures.has("policy_kept", item)
        if not known:
            maker.links.notes.append(f"{title}: no row policy_kept says how likely it is kept; taken as kept")
        maker.draft.add(
            Node(
                id=node,
                kind=POLICY,
                link_kind=POLICY,
                what=title,
                actor="legislature",
                action=f"keep {title} in force",
                barrier="policy",
                confidence=str(figures.rows["confidence"][("policy_kept", item)]) if known else "assumed",
                p_pass=figures.value("policy_kept", item) if known else 1.0,
                fixed=True,
            )
        )
