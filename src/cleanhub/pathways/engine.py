"""The year loop: plants and vehicles of all sectors move together, one year at a time.

Each year the vehicles age and are bought, plants fall due, are retired, changed and built,
and every market is served; what one sector uses of hydrogen, ammonia or fuel is what another
must make in the same year, and what any of them deploys makes the next one cheaper for all.
:func:`walk` moves a :class:`~cleanhub.pathways.problem.Problem`; :func:`run_pathway` makes one
of a hub and a scenario first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cleanhub.hub.inventory import History
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.pathways import markets as market_moves
from cleanhub.pathways.assemble import Pathway, assemble
from cleanhub.pathways.charging import Charging, with_charging
from cleanhub.pathways.choice import Needs, grant, meet_floors, option_costs, score
from cleanhub.pathways.learning import after_learning, capital_multiplier
from cleanhub.pathways.limits import Counters
from cleanhub.pathways.problem import KINDS, REBUILD, RETROFIT, Path, Problem
from cleanhub.pathways.state import State
from cleanhub.pathways.vehicles import VehicleClass, step_vehicles

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Progress = Callable[[int, int], None]


def run_pathway(
    hub: Hub,
    scenario: Scenario,
    progress: Progress | None = None,
    seed: int = 0,
    charging: Sequence[Charging] = (),
    history: History | None = None,
) -> Pathway:
    """The path of ``hub`` under ``scenario``, decided by the rule that the scenario names.

    ``progress`` is called with (year position, number of years) after each year; ``seed``
    is that of rules that draw; ``charging`` bounds classes of vehicles where freight has
    found what can be charged; ``history`` is that of ``hub`` where it was read before.
    """
    return follow(assemble(hub, scenario, seed, history), progress, charging)


def follow(pathway: Pathway, progress: Progress | None = None, charging: Sequence[Charging] = ()) -> Pathway:
    """Walk the years of an assembled ``pathway`` under ``charging``; the one given is left as it is."""
    pathway = replace(pathway, problem=with_charging(pathway.problem, charging), path=None, optimum=None)
    scenario = pathway.scenario
    if scenario.decision.rule == "optimal":
        from cleanhub.pathways.optimal import solve_optimal

        first = walk(replace(pathway.problem, rule=replace(pathway.problem.rule, name="least_cost")))
        pathway.optimum = solve_optimal(pathway.problem, first.multiplier)
        pathway.path = pathway.optimum.path
        if progress:
            progress(len(pathway.problem.years), len(pathway.problem.years))
        return pathway
    pathway.path = walk(pathway.problem, progress)
    return pathway


def walk(problem: Problem, progress: Progress | None = None) -> Path:
    """Walk the years of ``problem`` with its rule. The problem itself is not changed."""
    return _Walk(problem).all_years(progress)


class _Walk:
    """One walk through the years: the state, the counters and what is accounted on the way."""

    def __init__(self, problem: Problem) -> None:
        count = len(problem.years)
        self.problem = problem
        self.state = State(problem)
        self.counters = Counters(problem.limits, count)
        self.generator = np.random.default_rng(problem.rule.seed)
        self.vehicles: list[VehicleClass] = deepcopy(problem.vehicles)
        self.unmet = np.zeros((len(problem.markets.name), count))
        self.multiplier = np.ones((len(problem.tech.names), count))
        self.deployed = np.zeros((len(problem.learning.names), count))
        self.order = _order(problem)
        self.last_use: tuple[FloatArray, FloatArray] | None = None
        demand = problem.markets.demand
        given = np.array([self._given(m) for m in range(len(problem.markets.name))]).reshape(-1, count)
        for q in np.flatnonzero(self.counters.share):
            counted = problem.limits[q].markets
            meets = problem.markets.meets_demand
            self.counters.total[q] = demand[counted & meets].sum(axis=0) + given[counted & ~meets].sum(axis=0)

    def _given(self, market: int) -> FloatArray:
        return np.asarray(self.problem.plants.made[self.problem.plants.market == market].sum(axis=0))

    def all_years(self, progress: Progress | None) -> Path:
        problem, state = self.problem, self.state
        for t in range(len(problem.years)):
            self._year(t)
            if progress:
                progress(t + 1, len(problem.years))
        rows = state.rows
        return Path(
            problem=problem,
            names=np.array(state.names, dtype=object),
            plant=state.plant[:rows],
            market=state.market[:rows],
            run=state.run[:rows],
            capacity=state.capacity[:rows],
            production=state.production[:rows],
            capex=state.capex[:rows],
            changes=state.changes,
            used=self.counters.used,
            shadow=self.counters.shadow,
            unmet=self.unmet,
            multiplier=self.multiplier,
            deployed=self.deployed,
            vehicles=self.vehicles,
        )

    # ------------------------------------------------------------ one year

    def _year(self, t: int) -> None:
        problem, state = self.problem, self.state
        year = int(problem.years[t])
        first_change = len(state.changes.t)
        if t:
            state.carry(t)
            self.deployed[:, t] = self.deployed[:, t - 1]
            self.multiplier[:, t] = capital_multiplier(problem.learning, self.deployed[:, t - 1], t)
        self._vehicles(t, year)
        self._share_totals(t)
        if year > problem.last_reported and t:
            self._commitments(t, year)
            self._renew(t, year)
            self._decide(t, year)
        self._serve(t, year)
        self.last_use = self._use(t), self._use(t, own_markets=False)
        self.counters.close(t, self._flows(t, served=True))
        if t:
            self._deploy(t, first_change)

    def _vehicles(self, t: int, year: int) -> None:
        problem = self.problem
        base, first = int(problem.years[0]), problem.first_purchase
        for cls in self.vehicles:
            step_vehicles(cls, t, year, base, first, problem.rule, problem.tech, self.multiplier[:, t])

    def _share_totals(self, t: int) -> None:
        """A share is one of all that its markets are asked for: what carriers supply is part of it."""
        markets = self.problem.markets
        if not self.counters.share.any():
            return
        use = self._use(t, own_markets=False)
        if self.last_use is not None:  # what plants of markets use is known for last year alone
            whole, beside_markets = self.last_use
            use = use + whole - beside_markets
        supplied = np.flatnonzero(markets.meets_demand & (markets.carrier >= 0))
        more = np.zeros(len(markets.name))
        for m in supplied:
            asked = market_moves.market_demand(self.problem, int(m), t, use)
            more[m] = asked - float(markets.demand[m, t])
        for q in np.flatnonzero(self.counters.share):
            self.counters.total[q, t] += float(more[self.problem.limits[q].markets].sum())

    def _commitments(self, t: int, year: int) -> None:
        for when, market, option, capacity, name in self.problem.additions:
            if when == year:
                spent = self._capex(np.array([option]), t)[0] * capacity
                market_moves.commit(self.state, market, option, capacity, t, name, float(spent))

    def _capex(self, options: IntArray, t: int) -> FloatArray:
        """Full capital of ``options`` in year position ``t`` [USD per unit of capacity]."""
        tech = self.problem.tech
        return after_learning(tech.capex[options], tech.capex_added[options], self.multiplier[options, t])

    def _renew(self, t: int, year: int) -> None:
        """Owners of plants that fall due put in what keeps them running, or let them go."""
        state, tech = self.state, self.problem.tech
        is_open, due = state.is_open(t), state.is_due(t)
        falling = np.flatnonzero(is_open & due)
        if year >= self.problem.first_choice:
            nothing = np.zeros((len(self.problem.regions), len(tech.carriers)))
            used = self.last_use[0] if self.last_use else nothing
            for market in self.order:
                if self.problem.markets.meets_demand[market]:
                    wanted = market_moves.market_demand(self.problem, market, t, used)
                    market_moves.retire(state, market, t, wanted, falling)
        falling = falling[state.capacity[falling, t] > 0]
        own = state.run[falling, t]
        renewal = np.where(tech.base[own] >= 0, tech.capex[own] - tech.capex_added[own], self._capex(own, t))
        state.capex[falling, t] = renewal * self._size(falling, t)
        state.renewed[falling] = year

    def _size(self, rows: IntArray, t: int) -> FloatArray:
        """What capital is counted on: yearly product where it is given, else capacity."""
        state = self.state
        held, made = state.capacity[rows, t], state.production[rows, t]
        return np.asarray(np.where(state.dispatched[rows], held, made), dtype=np.float64)

    def _decide(self, t: int, year: int) -> None:
        problem, state = self.problem, self.state
        if year < problem.first_choice:
            return
        open_now = state.is_open(t) & (state.built[: state.rows] < year)
        due = state.is_due(t)
        who = np.flatnonzero(open_now & (due | problem.rule.reinvest_early))
        who = who[(problem.kinds[state.run[who, t]] > 0).any(axis=1)]
        if len(who):
            self._choose(t, year, who, due[who])

    def _choose(self, t: int, year: int, who: IntArray, due: NDArray[np.bool_]) -> None:
        problem, state, tech = self.problem, self.state, self.problem.tech
        own = state.run[who, t]
        cols = np.flatnonzero(
            np.isin(np.arange(len(tech.names)), own) | (problem.kinds[np.unique(own)] > 0).any(axis=0)
        )
        mine = np.searchsorted(cols, own)
        region = problem.markets.region[state.market[who]]
        kinds = problem.kinds[own][:, cols]
        size = self._product(who, t)
        allowed = (kinds > 0) & problem.costs.priced[region][:, cols] & (tech.earliest[cols][None, :] <= year)
        allowed &= (size * tech.direct[own])[:, None] >= tech.minimum_site_t[cols][None, :]
        allowed[np.arange(len(who)), mine] = True
        times = self.multiplier[cols, t]
        added = tech.capital_charge_added[cols] * times
        charge = after_learning(tech.capital_charge[cols], tech.capital_charge_added[cols], times)
        running = problem.costs.running[region[:, None], cols[None, :], t]
        load = np.where(state.dispatched[who], problem.markets.high[state.market[who]], 1.0)[:, None]
        cost = option_costs(running, charge / load, added / load, mine, due, kinds == RETROFIT, allowed)
        scores = score(problem.rule, cost, tech.direct[cols], mine, self.generator)
        flow_now = self._flows(t)
        needs = self._needs(who, cols, size, t, flow_now)
        by_score = problem.rule.name == "mpp"
        granted = grant(scores, cost, mine, size, needs, by_score)
        short = self._short(who, mine, granted.choice, needs, t, flow_now)
        if short.any():
            granted = meet_floors(granted, cost, mine, size, needs, short)
        self.counters.refuse(t, granted.refused)
        moved = np.flatnonzero(granted.choice != mine)
        if len(moved):
            saving = cost[moved, mine[moved]] - cost[moved, granted.choice[moved]]
            self._switch(t, year, who[moved], cols[granted.choice[moved]], due[moved], saving)

    def _product(self, rows: IntArray, t: int) -> FloatArray:
        """Yearly product of ``rows`` before the year's markets are served."""
        state = self.state
        before, now = state.production[rows, max(t - 1, 0)], state.production[rows, t]
        return np.asarray(np.where(state.dispatched[rows], before, now), dtype=np.float64)

    def _needs(self, who: IntArray, cols: IntArray, size: FloatArray, t: int, flow_now: FloatArray) -> Needs:
        counters, state = self.counters, self.state
        capacity = self._size(who, t)
        scale = np.where(
            counters.flow[None, :],
            size[:, None],
            np.where(counters.added[None, :], capacity[:, None], 1.0),
        )
        scale = scale * counters.markets[:, state.market[who]].T
        weight = counters.weight[:, cols]
        counting = ~counters.flow & ~counters.added
        weight = np.where(counting[:, None], (weight > 0).astype(float), weight)
        return Needs(weight, counters.flow.astype(float), scale, counters.left(t, flow_now))

    def _short(
        self, who: IntArray, own: IntArray, choice: IntArray, needs: Needs, t: int, flow_now: FloatArray
    ) -> FloatArray:
        short = self.counters.short(t, flow_now)
        if short.any():
            moved = (choice != own)[:, None]
            short = np.maximum(short - np.where(moved, needs.of(own, choice), 0.0).sum(axis=0), 0.0)
        return short

    def _switch(
        self, t: int, year: int, rows: IntArray, to: IntArray, due: NDArray[np.bool_], saving: FloatArray
    ) -> None:
        problem, state, tech = self.problem, self.state, self.problem.tech
        before = state.run[rows, t].copy()
        kind = problem.kinds[before, to]
        size = self._size(rows, t)
        counted = self.counters.need(state.market[rows], before, to, self._product(rows, t), size)
        self.counters.count(t, counted)
        early = (kind == REBUILD) & ~due
        lost = np.where(early, state.stranded(rows, before, t), 0.0)
        full = self._capex(to, t)
        part = tech.capex_added[to] * self.multiplier[to, t]
        spent = np.where((kind == RETROFIT) & ~due, part, full) * size
        state.capex[rows, t] = spent
        state.run[rows, t] = to
        state.renewed[rows] = np.where((kind == REBUILD) | due, year, state.renewed[rows])
        marginal = np.where(kind == RETROFIT, part, full) * size
        names = [KINDS[int(one)] for one in kind]
        state.changes.add(rows, t, before, to, names, size, marginal, saving, lost)

    # ------------------------------------------------------------ serving demand

    def _serve(self, t: int, year: int) -> None:
        problem, state = self.problem, self.state
        markets = problem.markets
        flow_now = self._flows(t)
        use = self._use(t, own_markets=False)
        for market in self.order:
            if not markets.meets_demand[market]:
                continue
            demand = market_moves.market_demand(problem, market, t, use)
            rows, made = self._serve_market(market, t, year, demand, flow_now)
            missing = demand - float(made.sum())
            self.unmet[market, t] = missing if missing > market_moves.ENOUGH * demand else 0.0
            region = int(markets.region[market])
            use[region] += problem.tech.inputs[state.run[rows, t]].T @ made

    def _serve_market(
        self, market: int, t: int, year: int, demand: float, flow_now: FloatArray
    ) -> tuple[IntArray, FloatArray]:
        """Build for one market and dispatch its plants; rows and production. Moves ``flow_now``.

        What caps keep existing plants from making calls for a second round of new plants, which
        the caps leave room for.
        """
        state, counters = self.state, self.counters
        high = float(self.problem.markets.high[market])
        may_build = year >= self.problem.first_choice
        wanted = demand
        for _ in range(2):
            if may_build:
                times = self.multiplier[:, t]
                flow_now += market_moves.build(
                    state, counters, market, t, wanted, times, flow_now, self.generator
                )
            rows = state.of_market(market)
            guess = np.where(state.capacity[rows, t] > 0, self._product(rows, t), 0.0)
            new = (state.built[rows] == year) & (guess == 0)
            guess = np.where(new, state.capacity[rows, t] * high, guess)
            others = flow_now - counters.flows(state.market[rows], state.run[rows, t], guess)
            rows, made = market_moves.dispatch_within(state, counters, market, t, demand, others)
            missing = demand - float(made.sum())
            missing = max(missing, self._floor_gap(market, t, rows, made, others))
            if missing <= market_moves.ENOUGH * demand or not may_build:
                break
            wanted = float(state.capacity[rows, t].sum()) * high + missing
        state.production[rows, t] = made
        flow_now[:] = others + counters.flows(state.market[rows], state.run[rows, t], made)
        return rows, made

    def _floor_gap(self, market: int, t: int, rows: IntArray, made: FloatArray, others: FloatArray) -> float:
        """Product by which hard floors are missed that new plants of this market could help to meet."""
        counters, problem = self.counters, self.problem
        offered = problem.markets.offered[market] & (problem.tech.earliest <= int(problem.years[t]))
        now = others + counters.flows(self.state.market[rows], self.state.run[rows, t], made)
        short = counters.short(t, now)
        gap = 0.0
        for q in np.flatnonzero((short > 0) & counters.flow & counters.markets[:, market]):
            best = float(counters.weight[q, offered].max(initial=0.0))
            gap = max(gap, float(short[q]) / best) if best > 0 else gap
        return gap

    def _use(self, t: int, own_markets: bool = True) -> FloatArray:
        """Use of carriers by region in year position ``t``, (G, C).

        Without ``own_markets`` only plants outside demand-meeting markets and vehicles count.
        """
        problem, state = self.problem, self.state
        rows = np.arange(state.rows)
        counted = (state.run[rows, t] >= 0) & (state.production[rows, t] > 0)
        if not own_markets:
            counted &= ~state.dispatched[rows]
        rows = rows[counted]
        regions = problem.markets.region[state.market[rows]]
        shape = (len(problem.regions), len(problem.tech.names))
        cell = regions * shape[1] + state.run[rows, t]
        made = np.bincount(cell, state.production[rows, t], shape[0] * shape[1]).reshape(shape)
        use = made @ problem.tech.inputs
        for cls in self.vehicles:
            use[cls.region] += problem.tech.inputs[cls.options].T @ cls.distance[:, t]
        return np.asarray(use)

    def _flows(self, t: int, served: bool = False) -> FloatArray:
        """Use of the flow limits in year position ``t``, (Q,).

        Before the markets are ``served`` their plants count with what they made last year.
        """
        state = self.state
        rows = np.arange(state.rows)
        made = state.production[rows, t] if served else self._product(rows, t)
        made = np.where(state.capacity[rows, t] > 0, made, 0.0)
        flows = self.counters.flows(state.market[rows], state.run[rows, t], made)
        return flows + self.counters.vehicle_flows(self.vehicles, t)

    def _deploy(self, t: int, first_change: int) -> None:
        """Add what the year's changes and purchases deployed of the components."""
        problem, changes = self.problem, self.state.changes
        if not len(problem.learning.names):
            return
        amount = problem.learning.amount
        after = np.array(changes.after[first_change:], dtype=np.int64)
        capacity = np.array(changes.capacity[first_change:])
        built = after >= 0
        self.deployed[:, t] += amount[after[built]].T @ capacity[built]
        for cls in self.vehicles:
            self.deployed[:, t] += amount[cls.options].T @ cls.bought[:, t]


def _order(problem: Problem) -> list[int]:
    """Markets in the order they are served: those that supply others after those they supply."""
    markets, tech = problem.markets, problem.tech
    count = len(markets.name)
    users: dict[int, set[int]] = {m: set() for m in range(count)}
    for supplier in range(count):
        carrier = int(markets.carrier[supplier])
        if carrier < 0:
            continue
        takers = tech.inputs[:, carrier] > 0
        for other in range(count):
            if other != supplier and (markets.offered[other] & takers).any():
                users[supplier].add(other)
    done: list[int] = []
    while len(done) < count:
        ready = [m for m in range(count) if m not in done and users[m] <= set(done)]
        left = [m for m in range(count) if m not in done]
        done += ready or left[:1]
    return done
