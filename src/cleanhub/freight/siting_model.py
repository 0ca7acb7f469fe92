"""The programme behind charger siting, in arrays that the solver takes as they are.

Columns: truck-days served by pair and year (J, T), new plugs that stand (S, T), whether a site is open
(S, T; only where opening costs something) and whether a grid tier serves (U, K, T). Only columns that
can be other than zero exist. Energy is in MWh a day, power in MW and money in millions of USD, so that
entries are near one. The model page (docs/models/siting.md) writes it out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cleanhub.core.programme import Matrix
from cleanhub.finance.annuity import capital_recovery_factor
from cleanhub.freight.problem import (
    HOME,
    BoolArray,
    FloatArray,
    IntArray,
    SitingProblem,
)

TIE_BREAK = 1e-3
"""Weight of cost where another objective leads: the net worth of serving all truck-days counts as
this share of the greatest benefit."""
MILLION = 1e6
THOUSAND = 1e3


@dataclass(frozen=True)
class Terms:
    """What a problem's columns are worth and how large they can be, before any row is made.

    ``usable`` (J, T) says which pairs can serve; ``energy_mwh`` (J,) per truck-day; ``value`` (J, T) the
    objective of a truck-day; ``standing`` (S, T) plugs that stand without the plan; ``room`` (S, T) how many
    new plugs can be of use; ``opens`` (S,) whether opening costs; ``plug_cost``, ``open_cost`` (S, T) and
    ``tier_cost`` (U, K, T) the objective's loss for each year they stand; ``ready`` (U, K, T) whether a tier
    can serve; ``net`` (J, T) the worth of a truck-day less its energy [million USD], ``scale`` what the
    solver counts for a million USD and ``unit`` what one of the solver's counts is in the objective's own
    unit.
    """

    usable: BoolArray
    energy_mwh: FloatArray
    net: FloatArray
    value: FloatArray
    standing: FloatArray
    room: FloatArray
    opens: BoolArray
    plug_cost: FloatArray
    open_cost: FloatArray
    tier_cost: FloatArray
    ready: BoolArray
    scale: float
    unit: float


@dataclass(frozen=True)
class Model:
    """A mixed-integer programme whose objective ``gain`` is made large.

    ``flow`` (J, T), ``plugs`` (S, T), ``opens`` (S, T) and ``tiers`` (U, K, T) are positions of columns, -1
    where there is none. ``integer`` marks the opens and tiers, which are 0 or 1.
    """

    problem: SitingProblem
    terms: Terms
    gain: FloatArray
    lower: FloatArray
    upper: FloatArray
    integer: BoolArray
    row_lower: FloatArray
    row_upper: FloatArray
    matrix: Matrix
    flow: IntArray
    plugs: IntArray
    opens: IntArray
    tiers: IntArray

    def worth(self, values: FloatArray) -> float:
        """The objective of ``values`` of the columns, in one order of adding whatever the machine.

        A product of vectors would wake the threads of the library behind it, which then wait busily.
        """
        return float((self.gain * values).sum())

    def within(self, lower: FloatArray, upper: FloatArray) -> Model:
        """The same programme with other bounds on its columns."""
        return replace(self, lower=lower, upper=upper)


def year_weights(problem: SitingProblem) -> FloatArray:
    """How much each decided year counts, (T,): the years it stands for, discounted to the first year."""
    return np.asarray(
        problem.span * (1.0 + problem.discount_rate) ** -(problem.years - problem.years[0]), dtype=np.float64
    )


def standing_plugs(problem: SitingProblem) -> FloatArray:
    """Plugs that stand without the plan, (S, T)."""
    sites = problem.sites
    return np.asarray(
        np.where(problem.years[None, :] >= sites.open_year[:, None], sites.open_plugs[:, None], 0.0),
        dtype=np.float64,
    )


def home_share(problem: SitingProblem) -> FloatArray:
    """Share of a truck-day that one battery covers and that may be charged at home, (G, T)."""
    kwh = np.maximum(problem.kwh, 1e-9)[:, None]
    return np.asarray(np.minimum(1.0, problem.battery_kwh[None, :] / kwh), dtype=np.float64)


def in_range(problem: SitingProblem) -> BoolArray:
    """Whether the battery lets a truck-day be electric at all, (G, T)."""
    need = problem.kwh[:, None]
    if np.isinf(problem.batteries_most):
        return np.ones((len(problem.kwh), len(problem.years)), dtype=bool)
    return np.asarray(need <= problem.batteries_most * problem.battery_kwh[None, :] * (1 + 1e-12), dtype=bool)


def opening_costs(problem: SitingProblem) -> BoolArray:
    """Sites whose opening costs something: those where nothing stands, now or later, (S,)."""
    return np.asarray((problem.sites.open_plugs <= 0) & (problem.sites.fixed_usd > 0), dtype=bool)


def build_terms(
    problem: SitingProblem, running: FloatArray | None = None, use: FloatArray | None = None
) -> Terms:
    """Worth, sizes and costs of every possible column of ``problem``.

    Where ``running`` (S, T) is given, those plugs run, free of cost, and nothing new can be built. ``use``
    (S,) takes the place of :func:`plugs_of_use`.
    """
    sites = problem.sites
    weight = year_weights(problem)
    group, site = problem.pair_group, problem.pair_site
    need = problem.kwh[group]
    energy = need + problem.pair_extra_kwh
    spent = sites.usd_per_kwh[site] * energy
    affordable = (need > 0) & (spent <= problem.worth_usd_per_kwh * np.maximum(need, 1e-12) * (1 + 1e-12))
    standing = standing_plugs(problem) if running is None else running
    ready = _ready(problem) if running is None else np.zeros_like(_ready(problem))
    room = _room(problem, ready) if running is None else np.zeros_like(running)
    can_be = (standing > 0) | (room > 0)
    open_pair = affordable[:, None] & can_be[site] & in_range(problem)[group]
    usable = open_pair & (problem.trucks[group] > 0) & (problem.wanted > 0)[None, :]
    use = plugs_of_use(problem) if use is None else use
    room = np.minimum(room, use[:, None])
    worth = problem.worth_usd_per_kwh if np.isfinite(problem.worth_usd_per_kwh) else 0.0
    net = (worth * need - spent) * problem.working_days / MILLION
    net = np.where(usable, net[:, None] * weight[None, :], 0.0)
    ahead = sites.priority[site][:, None]
    cost = _capital(problem, weight)
    if problem.objective == "cost":
        value, scale, unit = np.where(net > 0, net * ahead, net), 1.0, MILLION
    else:
        benefit = {
            "electric_miles": problem.km,
            "co2e": problem.co2e_t,
            "diesel_pm_exposure": problem.pm_people,
        }[problem.objective][group]
        whole = np.where(usable, (benefit * problem.working_days)[:, None] * weight[None, :], 0.0) * ahead
        unit, scale = _measure(problem, whole, net)
        value = whole / unit + scale * net
    return Terms(
        usable=usable,
        energy_mwh=energy / THOUSAND,
        net=net,
        value=value,
        standing=standing,
        room=room,
        opens=opening_costs(problem),
        plug_cost=cost[0] * scale,
        open_cost=cost[1] * scale,
        tier_cost=cost[2] * scale,
        ready=ready,
        scale=scale,
        unit=unit,
    )


def _ready(problem: SitingProblem) -> BoolArray:
    """Whether each tier can serve in each year, (U, K, T): real, and ready with all tiers before it."""
    grid = problem.grid
    real = grid.tier_kw > 0
    since = np.maximum.accumulate(np.where(real, grid.tier_ready, 0), axis=1)
    return np.asarray(real[:, :, None] & (since[:, :, None] <= problem.years[None, None, :]), dtype=bool)


def _room(problem: SitingProblem, ready: BoolArray) -> FloatArray:
    """New plugs that a site has ground and power for, (S, T), all tiers that can serve at work."""
    sites, grid = problem.sites, problem.grid
    may_grow = ~sites.forbidden[:, None] & (problem.years[None, :] >= sites.earliest[:, None])
    power = grid.headroom_kw[:, None] + np.where(ready, grid.tier_kw[:, :, None], 0.0).sum(axis=1)
    ground = np.where(may_grow, (sites.plugs_most - sites.open_plugs)[:, None], 0.0)
    one = np.maximum(grid.coincidence * sites.plug_kw, 1e-9)[:, None]
    return np.asarray(np.maximum(np.minimum(ground, power[sites.substation] / one), 0.0), dtype=np.float64)


def plugs_of_use(problem: SitingProblem) -> FloatArray:
    """New plugs of a site beyond which none is ever of use, (S,): what all its groups could take."""
    energy = problem.kwh[problem.pair_group] + problem.pair_extra_kwh
    trucks = np.minimum(problem.trucks, problem.wanted[None, :]) * in_range(problem)
    asked = trucks[problem.pair_group] * energy[:, None]
    by_site = np.zeros((len(problem.sites.name), len(problem.years)))
    np.add.at(by_site, problem.pair_site, asked)
    per_plug = np.maximum(problem.sites.kwh_per_plug, 1e-9)
    return np.asarray(np.ceil(by_site.max(axis=1, initial=0.0) / per_plug - 1e-9), dtype=np.float64)


def _capital(problem: SitingProblem, weight: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Yearly cost of plugs (S, T), openings (S, T) and tiers (U, K, T) while they stand [million USD]."""
    sites, rate = problem.sites, problem.discount_rate
    plug_rate = float(capital_recovery_factor(rate, problem.plug_life)) + sites.yearly_share
    grid_rate = float(capital_recovery_factor(rate, problem.grid_life))
    return (
        (sites.usd_per_plug * plug_rate)[:, None] * weight / MILLION,
        (sites.fixed_usd * plug_rate)[:, None] * weight / MILLION,
        problem.grid.tier_usd[:, :, None] * grid_rate * weight / MILLION,
    )


def _measure(problem: SitingProblem, whole: FloatArray, net: FloatArray) -> tuple[float, float]:
    """The unit in which all of the benefit is 1000, and what a million USD counts beside it."""

    def most(value: FloatArray) -> float:
        best = np.zeros(problem.trucks.shape)
        np.maximum.at(best, problem.pair_group, value)
        return float((best * problem.trucks).sum())

    benefit, money = most(whole), most(np.abs(net))
    unit = benefit / THOUSAND if benefit > 0 else 1.0
    return unit, TIE_BREAK * THOUSAND / money if money > 0 else TIE_BREAK


class _Builder:
    """Collects columns, rows and entries; one method for each part of the programme."""

    def __init__(self, problem: SitingProblem, terms: Terms) -> None:
        self.problem, self.terms = problem, terms
        self.columns: list[tuple[FloatArray, FloatArray, BoolArray]] = []
        self.bounds: list[tuple[FloatArray, FloatArray]] = []
        self.entries: list[tuple[IntArray, IntArray, FloatArray]] = []
        self.width = self.height = 0

    def add_columns(
        self, mask: BoolArray, gain: FloatArray, upper: FloatArray, whole: bool = False
    ) -> IntArray:
        """Columns where ``mask`` holds; gives their positions in its shape, -1 elsewhere."""
        where = np.full(mask.shape, -1, dtype=np.int64)
        count = int(mask.sum())
        where[mask] = np.arange(self.width, self.width + count)
        self.columns.append((gain[mask], upper[mask], np.full(count, whole)))
        self.width += count
        return where

    def add_rows(self, lower: FloatArray | float, upper: FloatArray | float, count: int) -> IntArray:
        """``count`` rows within bounds; gives their positions."""
        self.bounds.append((np.broadcast_to(lower, count), np.broadcast_to(upper, count)))
        self.height += count
        return np.arange(self.height - count, self.height)

    def put(self, rows: IntArray, columns: IntArray, values: FloatArray | float) -> None:
        """Entries of the matrix; those without a row or a column (-1) are left out."""
        rows, columns, values = np.broadcast_arrays(rows, columns, values)
        keep = (rows >= 0) & (columns >= 0) & (values != 0)
        self.entries.append((rows[keep], columns[keep], values[keep]))

    def place(self, mask: BoolArray, lower: FloatArray | float, upper: FloatArray | float) -> IntArray:
        """Rows where ``mask`` holds; bounds are arrays of its shape or one number."""
        where = np.full(mask.shape, -1, dtype=np.int64)
        low, high = (np.broadcast_to(bound, mask.shape)[mask] for bound in (lower, upper))
        where[mask] = self.add_rows(low, high, int(mask.sum()))
        return where


def build_model(problem: SitingProblem, terms: Terms | None = None) -> Model:
    """The programme of ``problem``."""
    terms = build_terms(problem) if terms is None else terms
    make = _Builder(problem, terms)
    sites, shape = problem.sites, terms.ready.shape
    trucks = problem.trucks[problem.pair_group]
    flow = make.add_columns(terms.usable, terms.value, np.minimum(trucks, problem.wanted[None, :]))
    grows = terms.room > 0
    plugs = make.add_columns(grows, -terms.plug_cost, terms.room)
    ones = np.ones(grows.shape)
    opens = make.add_columns(grows & terms.opens[:, None], -terms.open_cost, ones, whole=True)
    tiers = make.add_columns(terms.ready, -terms.tier_cost, np.ones(shape), whole=True)
    _serve(make, flow)
    _capacity(make, flow, plugs)
    only_if_open = make.place(opens >= 0, -np.inf, 0.0)
    make.put(only_if_open, plugs, 1.0)
    make.put(only_if_open, opens, -terms.room)
    _least_use(make, flow, plugs)
    for columns in (plugs, opens, tiers):
        _never_back(make, columns)
    _tiers_in_order(make, tiers)
    _grid(make, plugs, tiers)
    _budget(make, plugs, opens, tiers)
    _equity(make, flow, sites.disadvantaged[problem.pair_site])
    gain, upper, integer = (np.concatenate(part) for part in zip(*make.columns, strict=True))
    row_lower, row_upper = (np.concatenate(part) for part in zip(*make.bounds, strict=True))
    rows, columns, values = (np.concatenate(part) for part in zip(*make.entries, strict=True))
    matrix = Matrix.of(rows, columns, values, (make.height, make.width))
    return Model(
        problem, terms, gain, np.zeros(make.width), upper, integer, row_lower, row_upper, matrix,
        flow, plugs, opens, tiers,
    )  # fmt: skip


def _serve(make: _Builder, flow: IntArray) -> None:
    """No group is served beyond its trucks, nor all beyond what is wanted; home covers one battery."""
    problem = make.problem
    group = problem.pair_group
    has = np.zeros(problem.trucks.shape, dtype=bool)
    np.logical_or.at(has, group, flow >= 0)
    make.put(make.place(has, -np.inf, problem.trucks)[group], flow, 1.0)
    wanted = make.place(np.asarray(has.any(axis=0)), -np.inf, problem.wanted)
    make.put(wanted[None, :], flow, 1.0)
    at_home = (problem.pair_kind == HOME)[:, None]
    share = home_share(problem)
    some_home = np.zeros_like(has)
    np.logical_or.at(some_home, group, (flow >= 0) & at_home)
    rows = make.place(some_home & (share < 1.0), -np.inf, 0.0)[group]
    make.put(rows, flow, np.where(at_home, 1.0 - share[group], -share[group]))


def _capacity(make: _Builder, flow: IntArray, plugs: IntArray) -> None:
    """The energy of a site keeps within what its plugs deliver."""
    problem, terms = make.problem, make.terms
    site, per_plug = problem.pair_site, problem.sites.kwh_per_plug[:, None] / THOUSAND
    has = np.zeros(terms.standing.shape, dtype=bool)
    np.logical_or.at(has, site, flow >= 0)
    rows = make.place(has, -np.inf, per_plug * terms.standing)
    make.put(rows[site], flow, terms.energy_mwh[:, None])
    make.put(rows, plugs, -per_plug)


def _least_use(make: _Builder, flow: IntArray, plugs: IntArray) -> None:
    """New plugs are used enough from the decided year after they first stand."""
    problem, terms = make.problem, make.terms
    before = np.concatenate([np.full((len(plugs), 1), -1), plugs[:, :-1]], axis=1)
    least = (problem.sites.least_use * problem.sites.kwh_per_plug / THOUSAND)[:, None]
    rows = make.place((before >= 0) & (least > 0), 0.0, np.inf)
    make.put(rows[problem.pair_site], flow, terms.energy_mwh[:, None])
    make.put(rows, before, -least)


def _never_back(make: _Builder, columns: IntArray) -> None:
    """What stands in one year stands in the next."""
    earlier, later = columns[..., :-1], columns[..., 1:]
    rows = make.place(earlier >= 0, 0.0, np.inf)
    make.put(rows, later, 1.0)
    make.put(rows, earlier, -1.0)


def _tiers_in_order(make: _Builder, tiers: IntArray) -> None:
    """A tier serves only after the real tiers before it."""
    previous = np.full(tiers.shape[::2], -1, dtype=np.int64)
    for k in range(tiers.shape[1]):
        real = (make.problem.grid.tier_kw[:, k] > 0)[:, None]
        rows = make.place((previous >= 0) & (tiers[:, k] >= 0), 0.0, np.inf)
        make.put(rows, previous, 1.0)
        make.put(rows, tiers[:, k], -1.0)
        previous = np.where(real, tiers[:, k], previous)


def _grid(make: _Builder, plugs: IntArray, tiers: IntArray) -> None:
    """The power of the new plugs of a substation keeps within its headroom and the tiers that serve."""
    sites, grid = make.problem.sites, make.problem.grid
    has = np.zeros(tiers.shape[::2], dtype=bool)
    np.logical_or.at(has, sites.substation, plugs >= 0)
    rows = make.place(
        has & np.isfinite(grid.headroom_kw)[:, None], -np.inf, grid.headroom_kw[:, None] / THOUSAND
    )
    make.put(rows[sites.substation], plugs, (grid.coincidence * sites.plug_kw / THOUSAND)[:, None])
    make.put(rows[:, None, :], tiers, -grid.tier_kw[:, :, None] / THOUSAND)


def _budget(make: _Builder, plugs: IntArray, opens: IntArray, tiers: IntArray) -> None:
    """All capital spent up to a year keeps within its budget."""
    sites, grid, budget = make.problem.sites, make.problem.grid, make.problem.budget_usd
    rows = make.place(np.isfinite(budget), -np.inf, budget / MILLION)
    make.put(rows[None, :], plugs, sites.usd_per_plug[:, None] / MILLION)
    make.put(rows[None, :], opens, sites.fixed_usd[:, None] / MILLION)
    make.put(rows[None, None, :], tiers, grid.tier_usd[:, :, None] / MILLION)


def _equity(make: _Builder, flow: IntArray, disadvantaged: BoolArray) -> None:
    """The least share of each year's energy at sites of disadvantaged tracts."""
    share = make.problem.equity_share
    if share <= 0:
        return
    rows = make.place(np.asarray((flow >= 0).any(axis=0)), 0.0, np.inf)
    make.put(rows[None, :], flow, (make.terms.energy_mwh * (disadvantaged - share))[:, None])
