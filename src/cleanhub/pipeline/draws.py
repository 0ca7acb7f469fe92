"""Draws of everything uncertain in a pipeline: what passes, how long it takes, what is given up.

Each gate has a standard normal latent ``sqrt(a) Z + sqrt(b) Y + sqrt(1 - a - b) e``: ``Z`` belongs to
its project, ``Y`` to its kind of gate, ``e`` to itself; the gate passes where the latent exceeds the
threshold of its chance (Gaussian copula with two factors, Vasicek 1987). Gates that are done are
evidence on ``Z``: the density of ``Z`` becomes ``phi(z) prod_g P(g passes | z)``. It is drawn by its
inverse distribution from the uniform number that would have been used without evidence; since each
factor rises with ``z``, evidence never lowers ``Z`` in any draw.

A rule states its chance with a range. In each world the chance of a rule is drawn once, for all its nodes, so
that sums over projects carry what is not known of it. Evidence is read with the stated chance.

Every random stream is made of the seed and the name of its thing, and is stratified (Latin
hypercube, McKay, Beckman, Conover 1979): a project that is added leaves the draws of all others.
When things close follows in :mod:`cleanhub.pipeline.evaluate`. The special functions are loaded where they
are needed: that is slow, and most draws are remembered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from cleanhub.core.memory import remembered
from cleanhub.pipeline.order import FINANCE, POLICY_DEADLINE, PROGRAMME, Order, order_of
from cleanhub.pipeline.problem import (
    GATE,
    POLICY,
    SERVICE,
    STAGE,
    BoolArray,
    FloatArray,
    Graph,
    Projects,
    Setting,
)
from cleanhub.pipeline.ranges import spread

_GRID = np.linspace(-6.0, 6.0, 201)


class FinanceGate(Protocol):
    """Judges, draw by draw, whether a project finds its money."""

    @property
    def known(self) -> BoolArray:
        """Projects it can judge, (P,); the ``finance`` gate of the others passes by its own chance."""
        ...

    def passes(self, project: int, decided: FloatArray, world: World) -> BoolArray:
        """Whether the project at this position is financed if it decides at these times, (D,).

        ``decided`` is finite, in years after as_of, shape (D,); draws in which another gate fails are
        given the time 0 and the answer there does not count. ``world.capital``, ``world.price``,
        ``world.in_force`` and ``world.ready`` hold what else the answer may rest on.
        """
        ...


@dataclass(frozen=True)
class World:
    """What was drawn; nothing here knows what waits for what.

    Attributes
    ----------
    closes
        Whether a node passes by itself, (N, D).
    years
        Years that it takes once it can begin, (N, D); 0 where it is done.
    given_up
        Years after as_of at which a live project is given up, (P, D); infinity for the others.
    capital, price
        Final over estimated capital, price of the product over the central one, (P, D) [1].
    in_force
        Whether each policy stays in force, by the id of its node, each (D,).
    ready
        Whether every gate of the project but its finance passes by itself, (P, D): who would share the
        cost of what is shared.
    chance
        Chance of each node after the shift of calibration, (N,); as its rule states it, whatever the range.
    order
        Who waits for whom.
    finance
        Judge of the finance gates; none: each passes by its own chance.
    """

    graph: Graph
    projects: Projects
    setting: Setting
    seed: int
    closes: BoolArray
    years: FloatArray
    given_up: FloatArray
    capital: FloatArray
    price: FloatArray
    in_force: Mapping[str, BoolArray]
    ready: BoolArray
    chance: FloatArray
    order: Order
    finance: FinanceGate | None = None

    @property
    def draws(self) -> int:
        """Number of draws D."""
        return int(self.closes.shape[1])

    @cached_property
    def judged(self) -> Mapping[int, int]:
        """Finance gates that the judge can judge, by the node of the decision."""
        if self.finance is None:
            return {}
        known, decides = self.finance.known, self.order.decides
        return {node: gate for node, gate in self.order.judged.items() if known[decides[node]]}

    @cached_property
    def own_tonnes(self) -> FloatArray:
        """Tonnes a year of each project itself, (P,) [t CO2e/yr]: none for programmes and umbrellas."""
        over = self.order.umbrella | (self.projects.role == PROGRAMME)
        return np.where(over, 0.0, np.nan_to_num(self.projects.tonnes))


def draw(
    graph: Graph,
    projects: Projects,
    setting: Setting,
    draws: int,
    seed: int = 0,
    *,
    shift: float = 0.0,
    finance: FinanceGate | None = None,
) -> World:
    """Draw ``draws`` worlds; the same seed gives the same bytes.

    Parameters
    ----------
    shift
        Added to the log-odds of every gate and stage that is not ``fixed`` (see
        :mod:`cleanhub.pipeline.calibrate`).
    finance
        Judge of the finance gates, kept in the world.
    """
    chance = judged_chances(graph, setting, shift, finance)
    odds = log_odds(graph, projects, setting, chance, draws, seed)
    return world_of(graph, projects, setting, chance, odds, draws, seed, finance)


def remembered_draw(
    graph: Graph,
    projects: Projects,
    setting: Setting,
    draws: int,
    seed: int,
    shift: float,
    finance: FinanceGate | None,
) -> World:
    """As :func:`draw`, and remembered: worlds rest on no capital, and of the judge on whom it knows alone."""
    unpriced = projects.unpriced
    known = None if finance is None else finance.known

    def make() -> World:
        chance = judged_chances(graph, setting, shift, finance)
        odds = log_odds(graph, unpriced, setting, chance, draws, seed)
        return world_of(graph, unpriced, setting, chance, odds, draws, seed)

    world = remembered("draws", (graph, unpriced, setting, shift, known, draws, seed), make)
    return replace(world, graph=graph, projects=projects, finance=finance)


def world_of(
    graph: Graph,
    projects: Projects,
    setting: Setting,
    chance: FloatArray,
    odds: Mapping[int, FloatArray],
    draws: int,
    seed: int,
    finance: FinanceGate | None = None,
) -> World:
    """The world of log-odds that are drawn already (see :func:`log_odds`), with the chances (N,)."""
    closes = closing(chance, odds, draws)
    return World(
        graph=graph,
        projects=projects,
        setting=setting,
        seed=seed,
        closes=closes,
        years=durations(graph, draws, seed),
        given_up=given_up(projects, setting, draws, seed),
        capital=_factors("capital", setting.capital_growth, projects, setting, draws, seed),
        price=_factors("price", setting.price_spread, projects, setting, draws, seed),
        in_force={str(graph.id[node]): closes[node] for node in np.flatnonzero(graph.kind == POLICY)},
        ready=_ready(graph, projects, closes),
        chance=chance,
        order=order_of(graph, projects),
        finance=finance,
    )


# ---------------------------------------------------------------- streams


def stream(seed: int, name: str) -> np.random.Generator:
    """Random numbers of one thing: of the seed and its name, whatever else is drawn."""
    words = np.frombuffer(hashlib.sha256(name.encode()).digest()[:16], dtype=np.uint32)
    return np.random.default_rng([seed, *map(int, words)])


def uniform(seed: int, name: str, draws: int) -> FloatArray:
    """Stratified uniform numbers inside (0, 1), (D,): one in each of D equal parts, in random order."""
    random = stream(seed, name)
    return np.asarray((random.permutation(draws) + np.clip(random.random(draws), 1e-12, 1.0 - 1e-12)) / draws)


def normal(seed: int, name: str, draws: int) -> FloatArray:
    """Stratified standard normal numbers, (D,)."""
    from scipy.special import ndtri

    return np.asarray(ndtri(uniform(seed, name, draws)))


# ---------------------------------------------------------------- what passes


def chances(graph: Graph, setting: Setting, shift: float = 0.0) -> FloatArray:
    """Chance of each node, (N,): log-odds of gates and stages that are not fixed moved by ``shift``.

    Entry into service has the chance ``completion`` unless the node says another one.
    """
    from scipy.special import expit, logit

    moved = ~graph.fixed & _staged(graph)
    found = np.where(moved, expit(logit(graph.p_pass) + shift), graph.p_pass)
    plain = (graph.kind == SERVICE) & ~graph.done & (graph.p_pass >= 1.0)
    return np.asarray(np.where(plain, setting.completion, found))


def judged_chances(graph: Graph, setting: Setting, shift: float, finance: FinanceGate | None) -> FloatArray:
    """Chance of each node where ``finance`` judges, (N,); as :func:`chances` without it."""
    chance = chances(graph, setting, shift)
    return chance if finance is None else _dates_judged(graph, finance.known, chance)


def _dates_judged(graph: Graph, known: BoolArray, chance: FloatArray) -> FloatArray:
    """Chances (N,) where a missed date of a policy is judged once: by the value lost, not by its gate too."""
    judged = (graph.gate == POLICY_DEADLINE) & (graph.project >= 0) & ~graph.done
    judged &= known[np.maximum(graph.project, 0)]
    return np.where(judged, 1.0, chance)


def _staged(graph: Graph) -> BoolArray:
    return np.asarray(((graph.kind == GATE) | (graph.kind == STAGE)) & (graph.project >= 0))


def log_odds(
    graph: Graph,
    projects: Projects,
    setting: Setting,
    chance: FloatArray,
    draws: int,
    seed: int,
    *,
    apart: bool = False,
) -> dict[int, FloatArray]:
    """What each draw brings to the log-odds of each open node that can fail, by its position, each (D,).

    A node passes where this and the log-odds of its chance exceed 0 together (:func:`closing`): the latent
    ``x`` brings ``log(Phi(x) / Phi(-x))``, and the chance of its rule in that draw what :func:`_doubt` says.

    Parameters
    ----------
    chance
        Chances (N,) that the evidence of gates that are done is read with.
    apart
        Draw what gates of one kind and of one rule have in common for each gate by itself. A project has a
        kind and a rule once, so its chance is the same, and the mean over projects has less noise.
    """
    from scipy.special import log_ndtr

    doubts: dict[str, FloatArray] = {}
    found = _latents(graph, projects, setting, chance, draws, seed, apart)
    for node, latent in found.items():
        of = str(graph.id[node] if apart else graph.rule[node])
        if of not in doubts:
            doubts[of] = _doubt(graph, node, uniform(seed, f"chance:{of}", draws))
        found[node] = log_ndtr(latent) - log_ndtr(-latent) + doubts[of]
    return found


def _doubt(graph: Graph, node: int, u: FloatArray) -> FloatArray:
    """Log-odds by which the chance of a node differs in each draw from the one its rule states, (D,).

    In one half of the draws it is anywhere between the low end and the value, in the other between the value
    and the high end, as the uniform numbers ``u`` (D,) say.
    """
    from scipy.special import logit

    low, value, high = graph.p_low[node], graph.p_pass[node], graph.p_high[node]
    if not low < high or not 0.0 < value < 1.0:
        return np.zeros(len(u))
    return np.asarray(logit(np.interp(u, (0.0, 0.5, 1.0), (low, value, high))) - logit(value))


def _latents(
    graph: Graph,
    projects: Projects,
    setting: Setting,
    chance: FloatArray,
    draws: int,
    seed: int,
    apart: bool,
) -> dict[int, FloatArray]:
    """Standard normal latent of each open node that can fail, by its position, each (D,).

    Gates and stages share parts with their project and their kind; entry into service, shared nodes
    and policies stand alone.
    """
    common_project, common_gate = setting.common_project, setting.common_gate
    if min(common_project, common_gate, 1.0 - common_project - common_gate) < 0.0:
        raise ValueError("common shares of gates must be at least 0 and together at most 1")
    if apart:
        common_gate = 0.0
    staged = _staged(graph)
    of_project: dict[int, FloatArray] = {}
    of_kind: dict[str, FloatArray] = {}
    found: dict[int, FloatArray] = {}
    for node in np.flatnonzero(~graph.done & (chance < 1.0)):
        own = normal(seed, f"passes:{graph.id[node]}", draws)
        if staged[node]:
            project, kind = int(graph.project[node]), str(graph.gate[node] or graph.kind[node])
            if project not in of_project:
                done = np.flatnonzero(staged & graph.done & (graph.project == project))
                u = uniform(seed, f"project:{projects.id[project]}", draws)
                of_project[project] = posterior(u, chance[done], common_project)
            own *= np.sqrt(1.0 - common_project - common_gate)
            own += np.sqrt(common_project) * of_project[project]
            if common_gate > 0.0:
                if kind not in of_kind:
                    of_kind[kind] = normal(seed, f"kind:{kind}", draws)
                own += np.sqrt(common_gate) * of_kind[kind]
        found[int(node)] = own
    return found


def posterior(u: FloatArray, done: FloatArray, common: float) -> FloatArray:
    """A project's common part given that gates with the chances ``done`` (G,) are done, at uniforms ``u``.

    ``common`` is its share of the variance of a gate; with nothing done a standard normal variable.
    The chance that a gate passes given z is ``Phi((Phi^-1(p) + sqrt(a) z) / sqrt(1 - a))``.
    """
    from scipy.special import log_ndtr, ndtri

    logs = -0.5 * _GRID**2
    if 0.0 < common < 1.0:
        level = ndtri(np.clip(done, 1e-12, 1.0))[:, None]
        logs = logs + log_ndtr((level + np.sqrt(common) * _GRID) / np.sqrt(1.0 - common)).sum(axis=0)
    density = np.exp(logs - logs.max())
    below = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    return np.interp(u, below / below[-1], _GRID)


def closing(chance: FloatArray, odds: Mapping[int, FloatArray], draws: int) -> BoolArray:
    """Whether each node passes by itself, (N, D): nothing to fail, or its log-odds exceed 0 in the draw."""
    from scipy.special import logit

    against = -logit(chance)
    closes = np.ones((len(chance), draws), dtype=bool)
    for node, values in odds.items():
        closes[node] = values > against[node]
    return closes


def _ready(graph: Graph, projects: Projects, closes: BoolArray) -> BoolArray:
    ready = np.repeat((~projects.ended)[:, None], closes.shape[1], axis=1)
    for node in np.flatnonzero(_staged(graph) & (graph.gate != FINANCE)):
        ready[graph.project[node]] &= closes[node]
    return ready


# ---------------------------------------------------------------- how long, how dear


def durations(graph: Graph, draws: int, seed: int) -> FloatArray:
    """Years that each node takes, (N, D); 0 where it is done, the median where there is no spread."""
    years = np.zeros((len(graph), draws))
    for node in np.flatnonzero(~graph.done):
        low, middle, high = graph.years[node]
        if low == middle == high:
            years[node] = middle
        else:
            years[node] = spread(normal(seed, f"years:{graph.id[node]}", draws), low, middle, high)
    return years


def given_up(projects: Projects, setting: Setting, draws: int, seed: int) -> FloatArray:
    """Years after as_of at which live projects are given up, (P, D), exponential; infinity for the others."""
    times = np.full((len(projects), draws), np.inf)
    if setting.drop_hazard > 0.0:
        for project in np.flatnonzero(projects.live):
            u = uniform(seed, f"given up:{projects.id[project]}", draws)
            with np.errstate(over="ignore"):  # a hazard close to none: never
                times[project] = -np.log(u) / setting.drop_hazard
    return times


def _factors(
    name: str, points: FloatArray, projects: Projects, setting: Setting, draws: int, seed: int
) -> FloatArray:
    """One factor for each project and draw, (P, D): a part that the hub has in common, a part of its own."""
    low, middle, high = (float(point) for point in points)
    if low == middle == high:
        return np.full((len(projects), draws), middle)
    common = np.sqrt(setting.common_gate) * normal(seed, f"{name}:all", draws)
    own = np.sqrt(1.0 - setting.common_gate)
    rows = [own * normal(seed, f"{name}:{project}", draws) + common for project in projects.id]
    return spread(np.asarray(rows).reshape(len(projects), draws), low, middle, high)
