"""What support changes in worlds that are drawn already: the same draws, other thresholds, times and money.

Support adds to the log-odds of a gate, so its chance ``p`` becomes ``expit(logit(p) + log(odds))`` while
what is drawn for it stays: a draw that passed still passes (common random numbers). Time saved makes a node
quicker in every draw. Where a project's money is judged by its value, odds act on its hurdle: the
chance ``F`` that a sponsor accepts the value of the draw moves by the odds, which is the hurdle read at
``u / (u + odds (1 - u))`` in place of the uniform number ``u``. Capital that is paid for it lowers the
capital that is valued, by a fixed sum (a share of the estimate, not of what it comes to); the odds of an
instrument that pays capital do not count on top there.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from cleanhub.pipeline.draws import FinanceGate, World, log_odds, uniform
from cleanhub.pipeline.evaluate import Change, Times, changed, evaluate, tonnes_cut
from cleanhub.pipeline.financing import ShareOfLink, ValueGate, base_capital, inverse, shares_of
from cleanhub.pipeline.order import FINANCE
from cleanhub.pipeline.problem import GATE, STAGE, BoolArray, FloatArray, Graph, IntArray
from cleanhub.pipeline.support_instruments import Instrument, Uplift

REMEMBERED = 64
"""Values of projects in all draws that are kept to be used again."""


@dataclass(frozen=True)
class Help:
    """What one package does, whatever share of its odds is caused.

    Attributes
    ----------
    odds, times
        Nodes whose odds and whose years it moves, each with the instrument.
    capital
        Projects whose capital it pays a share of, with the share [1].
    links
        Shared nodes whose capital it pays a share of, with the share [1].
    """

    odds: tuple[tuple[int, Instrument], ...] = ()
    times: tuple[tuple[int, Instrument], ...] = ()
    capital: tuple[tuple[int, float], ...] = ()
    links: tuple[tuple[int, float], ...] = ()

    def __add__(self, other: Help) -> Help:
        return Help(
            self.odds + other.odds,
            self.times + other.times,
            self.capital + other.capital,
            self.links + other.links,
        )


@dataclass
class Memory:
    """What judges of the same worlds need again and again: the last :data:`REMEMBERED` values are kept."""

    values: OrderedDict[bytes, list[tuple[FloatArray, FloatArray]]] = field(default_factory=OrderedDict)
    uniforms: dict[int, FloatArray] = field(default_factory=dict)


@dataclass
class HelpedGate(ValueGate):
    """A judge whose hurdles have moved for some projects: ``log_odds`` by position, number or (D,).

    ``memory`` belongs to worlds of one seed, price and judge.
    """

    log_odds: Mapping[int, FloatArray] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory, repr=False)

    @cached_property
    def known(self) -> BoolArray:
        """As :attr:`ValueGate.known`, found once."""
        return super().known

    def hurdles(self, project: int, seed: int, draws: int) -> FloatArray:
        """As :meth:`ValueGate.hurdles`, the odds of accepting a value moved. A strict hurdle has no odds."""
        if self.hurdle == "strict":
            return super().hurdles(project, seed, draws)
        if project not in self.memory.uniforms:
            self.memory.uniforms[project] = uniform(seed, f"hurdle:{self.projects.id[project]}", draws)
        u = self.memory.uniforms[project]
        if project in self.log_odds:
            u = expit(logit(u) - self.log_odds[project])
        return np.minimum(inverse(self.accepted, u), 0.0)

    def along_delay(
        self, project: int, state: IntArray, capital: FloatArray, price: FloatArray
    ) -> list[tuple[FloatArray, FloatArray]]:
        """As :meth:`ValueGate.along_delay`; hurdles play no part in it, so most packages ask for the same."""
        words = (str(project).encode(), state.tobytes(), np.asarray(capital).tobytes())
        key = hashlib.sha256(b"|".join(words)).digest()
        values = self.memory.values
        if key not in values:
            values[key] = super().along_delay(project, state, capital, price)
            if len(values) > REMEMBERED:
                values.popitem(last=False)
        values.move_to_end(key)
        return values[key]


@dataclass(frozen=True)
class Ground:
    """Worlds without support, and what it takes to change them.

    Attributes
    ----------
    world, times
        As drawn, tonnes counted to the year asked for.
    odds
        What each draw brings to the log-odds of each open node that can fail, (D,) by node.
    uplift
        Points of the share of odds taken as caused.
    share
        The share, a number or (D,).
    weights
        Weight of each project's tonnes, (P,) [1].
    memory
        What its judges remember.
    """

    world: World
    times: Times
    odds: Mapping[int, FloatArray]
    uplift: Uplift
    share: FloatArray
    weights: FloatArray
    memory: Memory = field(default_factory=Memory, repr=False)

    def at(self, share: ArrayLike) -> Ground:
        """The same worlds with another share of the odds taken as caused."""
        return replace(self, share=np.asarray(share, dtype=np.float64))

    @cached_property
    def judged(self) -> dict[int, int]:
        """Projects whose money is judged by value, by the node of their finance gate."""
        world, judge = self.world, self.world.finance
        if judge is None:
            return {}
        known = judge.known
        return {
            gate: world.order.decides[node]
            for node, gate in world.order.judged.items()
            if known[world.order.decides[node]]
        }

    @cached_property
    def shares(self) -> dict[int, list[ShareOfLink]]:
        """Shared links with a cost that each project judged by value waits for."""
        return {project: shares_of(self.world, project) for project in self.judged.values()}

    @cached_property
    def sharers(self) -> dict[int, IntArray]:
        """Nodes of decision of those who pay more or less when a project comes through, by project."""
        found: dict[int, set[int]] = {}
        for project, shares in self.shares.items():
            for user in {int(user) for share in shares for user in share.users}:
                found.setdefault(user, set()).add(int(self.world.projects.decision[project]))
        return {user: np.array(sorted(nodes), dtype=np.int64) for user, nodes in found.items()}

    @cached_property
    def estimate(self) -> FloatArray:
        """Capital as estimated, (P,) [USD]: of the valuation, else as published; NaN for none."""
        judge, projects = self.world.finance, self.world.projects
        found = projects.capital.copy()
        if isinstance(judge, ValueGate):
            for project in self.judged.values():
                found[project] = base_capital(judge.grids[str(projects.id[project])])
        return found


def ground_of(
    world: World, times: Times, uplift: Uplift, share: ArrayLike, by: int, weights: FloatArray | None = None
) -> Ground:
    """Worlds to support, from those of a simulation, with tonnes counted to the end of the year ``by``."""
    setting = replace(world.setting, target_year=by)
    world = replace(world, setting=setting)
    odds = log_odds(world.graph, world.projects, setting, world.chance, world.draws, world.seed)
    everyone = np.arange(len(world.projects))
    times = replace(times, tonnes=tonnes_cut(world, everyone, times.in_service))
    plain = np.ones(len(everyone)) if weights is None else np.asarray(weights, dtype=np.float64)
    return Ground(world, times, odds, uplift, np.asarray(share, dtype=np.float64), plain)


# ---------------------------------------------------------------- what support adds


def added(ground: Ground, helps: Iterable[Help]) -> float:
    """Expected weighted tonnes that support adds to the end of the year asked for [t CO2e]."""
    return float(added_by_draw(ground, helps).mean())


def added_by_draw(ground: Ground, helps: Iterable[Help]) -> FloatArray:
    """The same in each draw, (D,) [t CO2e]."""
    change = change_by(ground, helps)
    more = change.tonnes - ground.times.tonnes[change.projects]
    return np.asarray(ground.weights[change.projects] @ more)


def change_by(ground: Ground, helps: Iterable[Help]) -> Change:
    """What support alters; only what depends on it is looked at."""
    helps = list(helps)
    world = helped_world(ground, helps)
    return changed(world, ground.times, later=dict.fromkeys(_touched(ground, helps), 0.0))


def times_with(ground: Ground, helps: Iterable[Help]) -> Times:
    """All times with support."""
    return evaluate(helped_world(ground, list(helps)))


def helped_world(ground: Ground, helps: Sequence[Help]) -> World:
    """The worlds with support, everything drawn as it was."""
    world = ground.world
    moved: dict[int, FloatArray] = {}
    for node, instrument in (one for help_ in helps for one in help_.odds):
        more = ground.uplift.log_odds(instrument, ground.share)
        moved[node] = moved.get(node, np.zeros(())) + more
    closes = world.closes.copy()
    for node, more in moved.items():
        if node in ground.odds and node not in ground.judged and np.any(more):
            closes[node] = ground.odds[node] + more > -logit(world.chance[node])
    graph = _with_cheaper_links(ground, helps)
    capital = _capital(ground, helps, replace(world, graph=graph))
    log_odds = {ground.judged[node]: more for node, more in moved.items() if node in ground.judged}
    return replace(
        world,
        graph=graph,
        closes=closes,
        years=_years(ground, helps),
        capital=capital,
        ready=_ready(ground, closes, moved),
        finance=_judge(ground, log_odds),
    )


def _years(ground: Ground, helps: Sequence[Help]) -> FloatArray:
    times = [one for help_ in helps for one in help_.times if one[1].years_cut > 0.0]
    if not times:
        return ground.world.years
    years = ground.world.years.copy()
    for node, instrument in times:
        years[node] *= 1.0 - instrument.years_cut * ground.share
    return years


def _ready(ground: Ground, closes: BoolArray, moved: Mapping[int, FloatArray]) -> BoolArray:
    """Whether every gate but finance passes, where gates have moved (see ``World.ready``)."""
    graph = ground.world.graph
    ready = ground.world.ready.copy()
    counted = ((graph.kind == GATE) | (graph.kind == STAGE)) & (graph.gate != FINANCE)
    for project in {int(graph.project[node]) for node in moved if graph.project[node] >= 0}:
        ready[project] = closes[counted & (graph.project == project)].all(axis=0)
    return ready


def _judge(ground: Ground, log_odds: Mapping[int, FloatArray]) -> FinanceGate | None:
    """The judge with hurdles moved. One that knows no hurdles stays as it is."""
    judge = ground.world.finance
    if not isinstance(judge, ValueGate):
        return judge
    return HelpedGate(
        judge.projects,
        judge.grids,
        judge.hurdle,
        judge.accepted,
        judge.kept,
        log_odds=log_odds,
        memory=ground.memory,
    )


def _with_cheaper_links(ground: Ground, helps: Sequence[Help]) -> Graph:
    links = [one for help_ in helps for one in help_.links]
    graph = ground.world.graph
    if not links:
        return graph
    cost = graph.cost.copy()
    for node, share in links:
        cost[node] *= 1.0 - share
    return replace(graph, cost=cost)


def _capital(ground: Ground, helps: Sequence[Help], cheaper: World) -> FloatArray:
    """Final over estimated capital less what support pays of it, (P, D) [1]."""
    world = ground.world
    paid: dict[int, float] = {}
    for project, share in (one for help_ in helps for one in help_.capital):
        paid[project] = paid.get(project, 0.0) + share
    if cheaper.graph is not world.graph:
        for project, shares in ground.shares.items():
            saved = _planned(shares) - _planned(shares_of(cheaper, project))
            if saved > 0.0:
                paid[project] = paid.get(project, 0.0) + saved / ground.estimate[project]
    if not paid:
        return world.capital
    capital = world.capital.copy()
    for project, share in paid.items():
        capital[project] = np.maximum(capital[project] - share * _unit(world, project), 0.0)
    return capital


def _planned(shares: Sequence[ShareOfLink]) -> float:
    """What a project pays of shared links if all who could use them come [USD]."""
    return sum(share.weight * share.cost / max(len(share.users), 1) for share in shares)


def _unit(world: World, project: int) -> float:
    """What the factor on capital is when it comes out as valued: see :func:`financing.own_factor`."""
    judge, name = world.finance, str(world.projects.id[project])
    if isinstance(judge, ValueGate) and name in judge.grids and judge.grids[name].expected_growth > 1.0:
        return float(world.setting.capital_growth[1])
    return 1.0


def _touched(ground: Ground, helps: Sequence[Help]) -> list[int]:
    """Nodes to look at again: those helped, and decisions whose money has changed."""
    graph, projects = ground.world.graph, ground.world.projects
    nodes = {node for help_ in helps for node, _ in (*help_.odds, *help_.times)}
    for project in {int(graph.project[node]) for node in nodes if graph.project[node] >= 0}:
        nodes.update(map(int, ground.sharers.get(project, ())))
    for help_ in helps:
        nodes.update(int(projects.decision[project]) for project, _ in help_.capital)
        if help_.links:
            nodes.update(int(projects.decision[project]) for project in ground.shares)
    return sorted(nodes)
