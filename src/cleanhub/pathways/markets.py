"""Markets that meet a demand: who runs how much, what is retired, what is built.

Plants of a market run between its least and its highest utilisation, the cheapest first.
What all of them cannot make calls for new plants; plants that fall due while the market can
do without them are not renewed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleanhub.pathways.choice import bands, score, unit_range
from cleanhub.pathways.learning import after_learning
from cleanhub.pathways.limits import Counters
from cleanhub.pathways.problem import Problem
from cleanhub.pathways.state import State

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
ENOUGH = 1e-9
"""Share of a demand below which what is missing is rounding."""


def dispatch(least: FloatArray, most: FloatArray, cost: FloatArray, demand: float) -> FloatArray:
    """Production of each plant, (n,): all at ``least``, then up to ``most``, the cheapest first.

    ``least``, ``most`` and yearly ``cost`` per unit (n,). Where even the least load of all plants
    is too much, all run at the same lower load.
    """
    total = float(least.sum())
    if demand <= total:
        return least * (demand / total if total > 0 else 0.0)
    order = np.argsort(cost, kind="stable")
    room = (most - least)[order]
    before = np.cumsum(room) - room
    raised = np.clip(demand - total - before, 0.0, room)
    made = least.copy()
    made[order] += raised
    return made


def dispatch_within(
    state: State, counters: Counters, market: int, t: int, demand: float, others: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Rows of a market and what each makes in year position ``t``, within the hard caps.

    ``others`` is what everything else uses of the limits, (Q,). What a cap does not leave room
    for is taken from the dearest plants that need it and made by those that do not, if they can.
    """
    problem, markets = state.problem, state.problem.markets
    rows = state.of_market(market)
    rows = rows[state.capacity[rows, t] > 0]
    run, capacity = state.run[rows, t], state.capacity[rows, t]
    cost = problem.costs.yearly[int(markets.region[market]), run, t]
    least, most = capacity * float(markets.low[market]), capacity * float(markets.high[market])
    made = dispatch(least, most, cost, demand)
    for q in np.flatnonzero(counters.flow & counters.hard & ~counters.floor & counters.markets[:, market]):
        weight = counters.weight[q, run]
        over = float(others[q] + weight @ made - counters.allowed(t)[q] + counters.before(t)[q])
        if not np.isfinite(over) or over <= ENOUGH * max(abs(float(others[q])), 1.0) or not weight.any():
            continue
        dearest = np.lexsort((rows, -cost))
        dearest = dearest[weight[dearest] > 0]
        held = (weight * made)[dearest]
        cut = np.clip(over - (np.cumsum(held) - held), 0.0, held)
        most = most.copy()
        most[dearest] = np.minimum(most[dearest], made[dearest] - cut / weight[dearest])
        most[weight > 0] = np.minimum(most[weight > 0], made[weight > 0])
        made = dispatch(np.minimum(least, most), most, cost, demand)
    return rows, _run_for_floors(
        counters, market, t, run, np.minimum(least, most), most, cost, demand, others
    )


def _run_for_floors(
    counters: Counters,
    market: int,
    t: int,
    run: IntArray,
    least: FloatArray,
    most: FloatArray,
    cost: FloatArray,
    demand: float,
    others: FloatArray,
) -> FloatArray:
    """Production of each plant where hard floors make some run that are not the cheapest."""
    made = dispatch(least, most, cost, demand)
    for q in np.flatnonzero(counters.flow & counters.hard & counters.floor & counters.markets[:, market]):
        weight = counters.weight[q, run]
        short = float(counters.allowed(t)[q] - counters.before(t)[q] - others[q] - weight @ made)
        if not np.isfinite(short) or short <= 0 or not weight.any():
            continue
        cheapest = np.argsort(cost, kind="stable")
        cheapest = cheapest[weight[cheapest] > 0]
        room = (weight * (most - made))[cheapest]
        raised = np.clip(short - (np.cumsum(room) - room), 0.0, room)
        least = least.copy()
        least[cheapest] = np.maximum(least[cheapest], made[cheapest] + raised / weight[cheapest])
        made = dispatch(least, most, cost, demand)
    return made


def market_demand(problem: Problem, market: int, t: int, use: FloatArray) -> float:
    """Demand of a market in year position ``t``, its carrier's ``use`` (G, C) by others included."""
    markets = problem.markets
    wanted = float(markets.demand[market, t])
    carrier = int(markets.carrier[market])
    if carrier >= 0:
        taken = float(markets.takes[market] @ use[:, carrier])
        wanted += taken * float(markets.per_carrier[market])
    return wanted


def retire(state: State, market: int, t: int, demand: float, due: IntArray) -> None:
    """Retire the dearest plants of ``due`` that the market can do without in year position ``t``.

    Plants that are not due are retired too once the least load of all exceeds demand.
    """
    problem = state.problem
    markets = problem.markets
    rows = state.of_market(market)
    rows = rows[state.capacity[rows, t] > 0]
    total = float(state.capacity[rows, t].sum())
    spare = total * float(markets.high[market]) - demand
    mine = due[np.isin(due, rows)]
    gone = _dearest(state, mine, t, spare, float(markets.high[market]))
    left = rows[~np.isin(rows, gone)]
    spare = float(state.capacity[left, t].sum()) * float(markets.low[market]) - demand
    gone = np.concatenate([gone, _dearest(state, left, t, spare, float(markets.low[market]))])
    if not len(gone):
        return
    own = state.run[gone, t]
    lost = np.where(np.isin(gone, mine), 0.0, state.stranded(gone, own, t))
    none = np.full(len(gone), -1, dtype=np.int64)
    zero = np.zeros(len(gone))
    state.changes.add(
        gone, t, own, none, ["retired"] * len(gone), state.capacity[gone, t], zero, zero + np.nan, lost
    )
    state.capacity[gone, t] = 0.0
    state.run[gone, t] = -1
    state.closes[gone] = int(problem.years[t]) - 1


def _dearest(state: State, rows: IntArray, t: int, spare: float, load: float) -> IntArray:
    """The dearest of ``rows`` whose joint capacity at ``load`` fits into what is to spare."""
    if spare <= 0 or not len(rows):
        return rows[:0]
    cost = _running(state.problem, state.market[rows], state.run[rows, t], t)
    order = rows[np.lexsort((rows, -cost))]
    held = np.cumsum(state.capacity[order, t] * load)
    return order[held <= spare * (1.0 + ENOUGH)]


def _running(problem: Problem, market: IntArray, run: IntArray, t: int) -> FloatArray:
    region = problem.markets.region[market]
    return np.asarray(problem.costs.yearly[region, run, t], dtype=np.float64)


def build(
    state: State,
    counters: Counters,
    market: int,
    t: int,
    demand: float,
    multiplier: FloatArray,
    flow_now: FloatArray,
    generator: np.random.Generator,
) -> FloatArray:
    """Build what the market lacks in year position ``t``; what flows the new plants add, (Q,).

    The best option is built as often as the limits allow, then the next best. Nothing is
    built of what no option may make: the demand stays unmet.
    """
    problem, markets = state.problem, state.problem.markets
    rows = state.of_market(market)
    high = float(markets.high[market])
    missing = demand - float(state.capacity[rows, t].sum()) * high
    added = np.zeros(len(counters.limits))
    size = float(markets.plant_capacity[market])
    if missing <= ENOUGH * max(demand, 1e-12) or size <= 0 or not markets.new_plants[market]:
        return added
    wanted = int(np.ceil(missing / (size * high) - 1e-9))
    options, costs = _offers(problem, market, t, multiplier, high)
    open_to = np.isfinite(costs)
    while wanted > 0 and open_to.any():
        wanted_first = _for_floors(counters, market, t, options, open_to, flow_now + added)
        ranked = np.where(wanted_first if wanted_first.any() else open_to, costs, np.inf)
        pick = _pick(problem, ranked, options, generator)
        option = int(options[pick])
        one = counters.need(
            np.array([market]), np.array([-1]), np.array([option]), np.array([size * high]), np.array([size])
        )[0]
        left = counters.left(t, flow_now + added)
        with np.errstate(divide="ignore", invalid="ignore"):
            fits = np.where(one > 0, np.floor(left / np.where(one > 0, one, 1.0) + 1e-9), np.inf)
        most = float(fits.min(initial=np.inf))
        draws = problem.rule.name == "mpp" or problem.rule.spread > 0
        step = 1 if draws or wanted_first.any() else wanted
        number = int(min(step, most))
        if number < step:
            _refuse(counters, t, ranked, pick, one, left, size * high)
            open_to[pick] = False
        if number > 0:
            _erect(state, market, option, number, size, t, multiplier)
            counters.count(t, one[None, :] * number)
            added += np.where(counters.flow, one * number, 0.0)
            wanted -= number
    return added


def _offers(
    problem: Problem, market: int, t: int, multiplier: FloatArray, high: float
) -> tuple[IntArray, FloatArray]:
    """Technologies that a new plant may run and their full cost per unit, both (n,)."""
    markets, tech = problem.markets, problem.tech
    region = int(markets.region[market])
    offered = markets.offered[market] & problem.costs.priced[region]
    offered &= tech.earliest <= int(problem.years[t])
    options = np.flatnonzero(offered)
    charge = after_learning(tech.capital_charge, tech.capital_charge_added, multiplier)
    full = problem.costs.running[region, options, t] + charge[options] / high
    return options, np.asarray(full, dtype=np.float64)


def _for_floors(
    counters: Counters,
    market: int,
    t: int,
    options: IntArray,
    open_to: NDArray[np.bool_],
    flow_now: FloatArray,
) -> NDArray[np.bool_]:
    """Which options help to meet a floor that is not met yet, (n,)."""
    short = counters.short(t, flow_now)
    helping = np.zeros(len(options), dtype=bool)
    for q in np.flatnonzero(short > 0):
        if counters.markets[q, market]:
            helping |= counters.weight[q, options] > 0
    return helping & open_to


def _pick(problem: Problem, costs: FloatArray, options: IntArray, generator: np.random.Generator) -> int:
    """Position of the option that the rule takes for a new plant."""
    rule = problem.rule
    direct = problem.tech.direct[options]
    if rule.name == "lowest_emissions":
        least = direct[np.isfinite(costs)].min()
        return int(np.where(direct <= least + 1e-12, costs, np.inf).argmin())
    if rule.name == "mpp":
        open_to = np.isfinite(costs)
        raw = rule.cost_weight * unit_range(costs, open_to) + rule.emission_weight * unit_range(
            direct, open_to
        )
        rank = np.where(open_to, bands(raw, costs, open_to, rule.cost_band), np.inf)
        return int(generator.choice(np.flatnonzero(rank == rank.min())))
    scores = score(rule, costs[None, :], direct, np.zeros(1, dtype=np.int64), generator)
    return int(scores[0].argmin())


def _refuse(
    counters: Counters,
    t: int,
    costs: FloatArray,
    pick: int,
    one: FloatArray,
    left: FloatArray,
    made: float,
) -> None:
    """Record what the refused plant would have saved against the next best one, per unit."""
    others = np.delete(costs, pick)
    next_best = float(others.min(initial=np.inf))
    worth = (next_best - float(costs[pick])) * made if np.isfinite(next_best) else 0.0
    short = (one > 0) & (left < one)
    refused = np.zeros(len(one))
    refused[short] = np.maximum(worth, 0.0) / one[short]
    counters.refuse(t, refused)


def _erect(
    state: State, market: int, option: int, number: int, size: float, t: int, multiplier: FloatArray
) -> None:
    problem = state.problem
    year = int(problem.years[t])
    name = problem.markets.name[market]
    first = state.numbered.get((market, year), 0) + 1
    state.numbered[market, year] = first + number - 1
    names = [f"{name} {year}-{first + i}" for i in range(number)]
    rows = state.add(market, option, number, size, t, names)
    tech = problem.tech
    each = float(after_learning(tech.capex, tech.capex_added, multiplier)[option]) * size
    spent = np.full(number, each)
    state.capex[rows, t] = spent
    state.changes.add(
        rows,
        t,
        np.full(number, -1, dtype=np.int64),
        np.full(number, option, dtype=np.int64),
        ["new"] * number,
        np.full(number, size),
        spent,
        np.full(number, np.nan),
        np.zeros(number),
    )


def commit(state: State, market: int, option: int, capacity: float, t: int, name: str, spent: float) -> None:
    """Build a plant that is committed, whatever the limits say."""
    rows = state.add(market, option, 1, capacity, t, [name])
    state.capex[rows, t] = spent
    state.changes.add(
        rows,
        t,
        np.array([-1]),
        np.array([option]),
        ["committed"],
        np.array([capacity]),
        np.array([spent]),
        np.array([np.nan]),
        np.zeros(1),
    )
