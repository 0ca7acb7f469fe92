"""Who could be supported with what, and what each adds: marginal values and synergies by simulation.

A candidate is a live project that tonnes depend on (its own, or those of projects that wait for it), or
an open shared link. A programme with parts is none: its parts are. The value of a package is the expected
tonnes with it less those without, on the same draws; that of a store or supplier counts what its users
gain. Two packages whose candidates bring the same tonnes add more or less together than alone: the
difference is their synergy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from cleanhub.pipeline.missing import describe, junctions, open_links
from cleanhub.pipeline.order import FINANCE
from cleanhub.pipeline.problem import GATE, SHARED, STAGE
from cleanhub.pipeline.support_choice import SupportProblem
from cleanhub.pipeline.support_effects import Ground, Help, added
from cleanhub.pipeline.support_instruments import PUBLIC, SHARED_INSTRUMENT, Instrument

COMBINED = 3
"""How many instruments, those that add most to a project alone, are also tried in pairs and together."""
MOST_PACKAGES = 8
"""Most packages that are kept for a candidate."""
COUNTED = ("programme", "philanthropy", PUBLIC)
"""Payers whose money is budgeted; what buyers and owners pay is not."""


@dataclass(frozen=True)
class Candidate:
    """A project (``project`` at least 0) or shared link (``node`` at least 0) that could be supported."""

    id: str
    name: str
    project: int = -1
    node: int = -1


@dataclass(frozen=True)
class Package:
    """Instruments for one candidate.

    Attributes
    ----------
    candidate
        Its position.
    instruments
        Names, in the order of the library.
    help
        What they do.
    slot
        Whether it takes a place.
    cost
        Low, middle, high cost [USD].
    paid
        Middle cost by payer [USD].
    value
        Expected tonnes that it adds alone [t CO2e].
    """

    candidate: int
    instruments: tuple[str, ...]
    help: Help
    slot: bool
    cost: tuple[float, float, float]
    paid: Mapping[str, float]
    value: float


@dataclass(frozen=True)
class Offers:
    """All that could be chosen: candidates, packages (K), synergies of pairs of packages (S).

    ``pairs`` (S, 2) are positions of packages, ``extra`` (S,) what both add over the sum [t CO2e]; ``notes``
    says what could not be offered.
    """

    candidates: tuple[Candidate, ...]
    packages: tuple[Package, ...]
    pairs: tuple[tuple[int, int], ...]
    extra: tuple[float, ...]
    notes: tuple[str, ...]


def find_candidates(ground: Ground) -> tuple[Candidate, ...]:
    """Live projects and open shared links that tonnes depend on, projects first, by identifier.

    A shared link that closes of itself with others is none.
    """
    graph, projects, order = ground.world.graph, ground.world.projects, ground.world.order
    found = []
    for project in np.flatnonzero(projects.live & (projects.decision >= 0)):
        one = Candidate(str(projects.id[project]), str(projects.name[project]), project=int(project))
        if int(project) not in order.first_of and beneficiaries(ground, one):
            found.append(one)
    through = junctions(graph)
    for node in open_links(graph, projects):
        if graph.kind[node] == SHARED and not through[node]:
            words = describe(graph, projects, int(node))
            one = Candidate(str(graph.id[node]), words, node=int(node))
            if beneficiaries(ground, one):
                found.append(one)
    return tuple(sorted(found, key=lambda one: (one.project < 0, one.id)))


def beneficiaries(ground: Ground, candidate: Candidate) -> frozenset[int]:
    """Projects with tonnes that wait for a candidate in any way, itself among them."""
    world = ground.world
    start = [candidate.node] if candidate.node >= 0 else _open_nodes(ground, candidate.project)
    nodes = world.order.dependants(start)
    weighted = world.own_tonnes * ground.weights
    reached = np.isin(world.projects.service, nodes) & (weighted > 0.0) & world.projects.live
    return frozenset(map(int, np.flatnonzero(reached)))


def _open_nodes(ground: Ground, project: int) -> list[int]:
    """Open gates and stages of a project."""
    graph = ground.world.graph
    own = (graph.project == project) & ~graph.done & ((graph.kind == GATE) | (graph.kind == STAGE))
    return [int(node) for node in np.flatnonzero(own)]


# ---------------------------------------------------------------- packages


def help_of(ground: Ground, candidate: Candidate, instrument: Instrument) -> Help | None:
    """What an instrument does for a candidate; none where it has nothing to act on.

    Engineering stages are helped by instruments that help all gates. An instrument that pays capital is none
    where the capital is not known, except for a shared link, which it still helps to close.
    """
    graph = ground.world.graph
    if (candidate.node >= 0) != (instrument.name == SHARED_INSTRUMENT):
        return None
    if candidate.node >= 0:
        known = instrument.capital_share > 0.0 and np.isfinite(graph.cost[candidate.node])
        links = ((candidate.node, instrument.capital_share),) if known else ()
        acts = ((candidate.node, instrument),)
        return Help(acts, acts, links=links)
    nodes = _open_nodes(ground, candidate.project)
    gates = [n for n in nodes if graph.kind[n] == GATE and instrument.helps(str(graph.gate[n]))]
    stages = [n for n in nodes if graph.kind[n] == STAGE and not instrument.gates]
    pays = instrument.capital_share > 0.0
    if not gates or (pays and not np.isfinite(ground.estimate[candidate.project])):
        return None
    valued = pays and any(node in ground.judged for node in gates)
    odds = [n for n in gates if not (valued and graph.gate[n] == FINANCE)]
    return Help(
        odds=tuple((node, instrument) for node in odds),
        times=tuple((node, instrument) for node in [*gates, *stages]),
        capital=((candidate.project, instrument.capital_share),) if pays else (),
    )


def make_offers(ground: Ground, instruments: Sequence[Instrument]) -> Offers:
    """Candidates, their packages with values, and the synergies of packages that bring the same tonnes.

    Every instrument alone; the :data:`COMBINED` that add most, in pairs and together. Packages that add
    nothing are left out, as are those that another package of the candidate beats in cost and value, and
    all but the :data:`MOST_PACKAGES` that add most.
    """
    candidates = find_candidates(ground)
    packages: list[Package] = []
    unknown = []
    for place, candidate in enumerate(candidates):
        helps = {one.name: help_of(ground, candidate, one) for one in instruments}
        if candidate.project >= 0 and not np.isfinite(ground.estimate[candidate.project]):
            unknown.append(candidate.id)
        offered = [one for one in instruments if helps[one.name] is not None]
        singles = [_package(ground, place, candidate, [one]) for one in offered]
        best = sorted(zip(singles, offered, strict=True), key=lambda pair: -pair[0].value)[:COMBINED]
        joined = [one for one in offered if any(one is other for _, other in best)]
        more = [
            _package(ground, place, candidate, list(some))
            for size in range(2, len(joined) + 1)
            for some in combinations(joined, size)
        ]
        packages += _worth_having([*singles, *more])
    pairs = _synergies(ground, candidates, packages)
    notes = []
    if unknown and any(one.capital_share > 0.0 and one.name != SHARED_INSTRUMENT for one in instruments):
        notes.append(f"no share of capital is offered where none is known: {', '.join(unknown)}")
    return Offers(candidates, tuple(packages), tuple(pairs), tuple(pairs.values()), tuple(notes))


def _package(ground: Ground, place: int, candidate: Candidate, instruments: Sequence[Instrument]) -> Package:
    help_ = sum((help_of(ground, candidate, one) or Help() for one in instruments), Help())
    graph = ground.world.graph
    estimate = graph.cost[candidate.node] if candidate.node >= 0 else ground.estimate[candidate.project]
    cost = np.zeros(3)
    paid: dict[str, float] = {}
    for one in instruments:
        capital = one.capital_share * estimate if one.capital_share > 0.0 and np.isfinite(estimate) else 0.0
        own = np.array(one.cost) + capital
        cost += own
        paid[one.payer] = paid.get(one.payer, 0.0) + float(own[1])
    return Package(
        candidate=place,
        instruments=tuple(one.name for one in instruments),
        help=help_,
        slot=any(one.takes_slot for one in instruments),
        cost=(float(cost[0]), float(cost[1]), float(cost[2])),
        paid=paid,
        value=added(ground, [help_]),
    )


def _worth_having(packages: Iterable[Package]) -> list[Package]:
    """Packages that add something and that no other beats, cheapest first."""
    some = [one for one in packages if one.value > 0.0]
    kept: list[Package] = []
    for one in sorted(some, key=lambda package: (-package.value, package.cost[1], package.slot)):
        if not any(_no_dearer(better, one) for better in kept):
            kept.append(one)
    return sorted(kept[:MOST_PACKAGES], key=lambda package: (package.cost[1], package.instruments))


def _no_dearer(better: Package, than: Package) -> bool:
    payers = {*better.paid, *than.paid}
    cheaper = all(better.paid.get(payer, 0.0) <= than.paid.get(payer, 0.0) for payer in payers)
    return cheaper and better.slot <= than.slot


def _synergies(
    ground: Ground, candidates: Sequence[Candidate], packages: Sequence[Package]
) -> dict[tuple[int, int], float]:
    """What pairs of packages add together over the sum, where their candidates bring the same tonnes."""
    reached = [beneficiaries(ground, one) for one in candidates]
    found = {}
    for a, b in combinations(range(len(packages)), 2):
        one, other = packages[a], packages[b]
        if one.candidate == other.candidate or not reached[one.candidate] & reached[other.candidate]:
            continue
        both = added(ground, [one.help, other.help])
        extra = both - one.value - other.value
        if extra != 0.0:
            found[a, b] = extra
    return found


# ---------------------------------------------------------------- the choice


def problem_of(offers: Offers, slots: int, budget: float, public: float | None = None) -> SupportProblem:
    """The choice among offers within slots and money [USD].

    ``budget`` is the programme's and foundations' money; public money is counted in ``public`` where that is
    given, else in ``budget`` too. What buyers and owners pay is in neither.
    """
    payers = COUNTED if public is None else COUNTED[:2]
    cost = [sum(one.paid.get(payer, 0.0) for payer in payers) for one in offers.packages]
    apart = [0.0 if public is None else one.paid.get(PUBLIC, 0.0) for one in offers.packages]
    return SupportProblem(
        candidate=np.array([one.candidate for one in offers.packages], dtype=np.int64),
        value=np.array([one.value for one in offers.packages], dtype=np.float64),
        cost=np.array(cost, dtype=np.float64),
        public=np.array(apart, dtype=np.float64),
        slot=np.array([one.slot for one in offers.packages], dtype=bool),
        pairs=np.array(offers.pairs, dtype=np.int64).reshape(-1, 2),
        extra=np.array(offers.extra, dtype=np.float64),
        slots=slots,
        budget=budget,
        public_budget=np.inf if public is None else public,
    )
