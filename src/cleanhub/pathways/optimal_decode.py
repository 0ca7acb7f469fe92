"""From the values of the programme's columns to a path.

A plant that is never split is one row, as in the year loop. A split plant has one row for each
chain: technology, and the year of a change that earned a credit. Fractions of a group are spread
evenly over its plants.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cleanhub.finance.ownership import total_cost_of_ownership
from cleanhub.pathways.learning import after_learning
from cleanhub.pathways.limits import Counters
from cleanhub.pathways.optimal_cost import Accounts
from cleanhub.pathways.optimal_groups import Block
from cleanhub.pathways.optimal_model import FleetColumns, Model, ageing, survival
from cleanhub.pathways.optimal_network import BUILD, CHANGE, Network
from cleanhub.pathways.problem import (
    KINDS,
    REBUILD,
    RETROFIT,
    Changes,
    FloatArray,
    IntArray,
    Path,
    Problem,
)
from cleanhub.pathways.vehicles import AGES, VehicleClass

Loads = dict[tuple[int, int, int], tuple[FloatArray, FloatArray]]
SMALL = 1e-7
"""Shares of a plant below this are rounding of the solver."""


@dataclass
class _Row:
    """One row of the path while it is put together.

    ``key`` is market, technology and credit year of a row of one chain; ``arrived`` and ``moved`` the
    capacity that changed to and from it by year (T,); ``end`` the year position of its closing.
    """

    name: str
    plant: int
    market: int
    size: float
    run: IntArray
    capacity: FloatArray
    production: FloatArray
    capex: FloatArray
    end: int = 0
    key: tuple[int, int, int] | None = None
    arrived: FloatArray = field(init=False)
    moved: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.arrived = np.zeros(len(self.run))
        self.moved = np.zeros(len(self.run))


@dataclass
class _Event:
    """One change: where from, where to, how much of how many plants."""

    row: int
    t: int
    before: int
    after: int
    kind: str
    share: float
    size: float
    capex: float
    saving: float
    stranded: float
    plants: float


@dataclass
class _Decoded:
    rows: list[_Row] = field(default_factory=list)
    events: list[_Event] = field(default_factory=list)


def decode(model: Model, values: FloatArray, shadow: FloatArray) -> Path:
    """The path that ``values`` of the columns stand for; ``shadow`` is handed through (Q, T)."""
    problem = model.accounts.problem
    out = _Decoded()
    load = _loads(model, values)
    _unlisted(problem, out)
    for block in model.blocks:
        _decode_block(model, block, values, load, out)
    _retire(model, out)
    out.events.sort(key=lambda event: (event.t, event.row, event.before, event.after))
    vehicles = [
        _decode_fleet(model.accounts, cls, columns, values)
        for cls, columns in zip(problem.vehicles, model.fleets, strict=True)
    ]
    return _path(model, values, shadow, out, vehicles)


def _unlisted(problem: Problem, out: _Decoded) -> None:
    """Plants without a technology of the library: they keep on as they are."""
    count = len(problem.years)
    for n in np.flatnonzero(problem.plants.start < 0).tolist():
        capacity = np.full(count, float(problem.plants.capacity[n]))
        out.rows.append(
            _Row(
                name=str(problem.plants.asset_id[n]),
                plant=n,
                market=int(problem.plants.market[n]),
                size=float(problem.plants.capacity[n]),
                run=np.full(count, -1),
                capacity=capacity,
                production=problem.plants.made[n].copy(),
                capex=np.zeros(count),
            )
        )


def _loads(model: Model, values: FloatArray) -> Loads:
    """Production and standing capacity of each (market, technology, credit year), both (T,)."""
    count = len(model.accounts.problem.years)
    out = {}
    for making in model.making:
        made = np.zeros(count)
        size = count - making.start
        made[making.start :] = np.maximum(values[making.column : making.column + size], 0.0)
        out[making.market, making.tech, making.entry] = (
            made * model.reference[making.market],
            np.zeros(count),
        )
    for block in model.blocks:
        network = block.network
        if not model.accounts.problem.markets.meets_demand[network.market]:
            continue
        flows = _flows(block, values)
        stands = (flows * block.size[:, None]).sum(axis=0)[:, None] * network.covers
        for j, key in enumerate(zip(network.tech.tolist(), network.entry.tolist(), strict=True)):
            out[network.market, *key][1][:] += stands[j]
    return out


def _flows(block: Block, values: FloatArray) -> FloatArray:
    """Plants in each column of each group, (G, J), what is rounding taken off."""
    size = block.groups * block.network.columns
    flows = values[block.first : block.first + size].reshape(block.groups, block.network.columns)
    plants = np.where(np.isnan(block.flow), 1.0, block.flow)
    return np.where(flows < SMALL * plants[:, None], 0.0, flows)


# ---------------------------------------------------------------- plants


def _decode_block(
    model: Model,
    block: Block,
    values: FloatArray,
    load: Loads,
    out: _Decoded,
) -> None:
    problem, network = model.accounts.problem, block.network
    dispatched = bool(problem.markets.meets_demand[network.market])
    flows = _flows(block, values)
    chains = network.chains
    covers = network.covers.astype(float)
    if not dispatched:
        covers[network.end >= network.end.max(), network.end.max() :] = 1.0
    for group in range(block.groups):
        plants = 1.0 if np.isnan(block.flow[group]) else block.flow[group]
        share = flows[group] / plants
        if not share.any():
            continue
        stands = np.zeros((len(chains), covers.shape[1]))
        spent = np.zeros_like(stands)
        for j in np.flatnonzero(share).tolist():
            stands[network.chain[j]] += share[j] * covers[j]
            spent[network.chain[j]] += share[j] * network.spent[j]
        whole = not dispatched and bool((stands.max(axis=0) > 1.0 - 1e-6).all())
        for member in _members(problem, block, group):
            rows = _add_rows(problem, block, member, chains, stands, spent, whole, load, out)
            _add_events(model.accounts, block, member, share, rows, out)


@dataclass(frozen=True)
class _Member:
    name: str
    plant: int
    size: float
    made: FloatArray


def _members(problem: Problem, block: Block, group: int) -> list[_Member]:
    """The plants that a group's flow is spread over; one that stands for all that are built."""
    plants, count = problem.plants, len(problem.years)
    none = np.zeros(count)
    if block.added:
        return [
            _Member(str(problem.additions[n][4]), -1, float(block.size[group]), none)
            for n in block.members[group].tolist()
        ]
    if not block.members:
        year = int(problem.years[block.network.start.min()])
        name = f"{problem.markets.name[block.network.market]} {year}"
        return [_Member(name, -1, float(block.size[group]), none)]
    return [
        _Member(str(plants.asset_id[n]), n, float(plants.capacity[n]), plants.made[n])
        for n in block.members[group].tolist()
    ]


def _add_rows(
    problem: Problem,
    block: Block,
    member: _Member,
    chains: IntArray,
    stands: FloatArray,
    spent: FloatArray,
    whole: bool,
    load: Loads,
    out: _Decoded,
) -> dict[tuple[int, int], int]:
    """Rows of one plant; the row of each chain (technology, credit year)."""
    market, count = block.network.market, stands.shape[1]
    dispatched = bool(problem.markets.meets_demand[market])
    size = np.full(count, member.size) if dispatched else member.made
    used = np.flatnonzero(stands.max(axis=1) > 0).tolist()
    keys = [(int(chains[c, 0]), int(chains[c, 1])) for c in used]
    first = len(out.rows)
    common: dict[str, Any] = {"name": member.name, "plant": member.plant, "market": market}
    common |= {"size": member.size, "end": int(block.network.end.max(initial=0))}
    if whole:
        run = chains[stands.argmax(axis=0), 0]
        capacity = np.full(count, member.size)
        capex = spent.sum(axis=0) * size
        out.rows.append(
            _Row(run=run, capacity=capacity, production=member.made.copy(), capex=capex, **common)
        )
        return dict.fromkeys(keys, first)
    for c, (tech, entry) in zip(used, keys, strict=True):
        standing = stands[c] * member.size
        production = stands[c] * member.made
        if dispatched:
            made, total = load[market, tech, entry]
            production = standing * np.divide(made, total, out=np.zeros(count), where=total > 0)
        run = np.where(stands[c] > 0, tech, -1)
        out.rows.append(
            _Row(
                run=run,
                capacity=standing,
                production=production,
                capex=spent[c] * size,
                key=(market, tech, entry),
                **common,
            )
        )
    return {key: first + i for i, key in enumerate(keys)}


def _add_events(
    accounts: Accounts,
    block: Block,
    member: _Member,
    share: FloatArray,
    rows: dict[tuple[int, int], int],
    out: _Decoded,
) -> None:
    """Changes and new plants of one plant; ``rows`` tells the row of each chain."""
    problem, network = accounts.problem, block.network
    dispatched = bool(problem.markets.meets_demand[network.market])
    for j in np.flatnonzero((share > 0) & ((network.event == CHANGE) | (network.event == BUILD))).tolist():
        t, k, before = int(network.start[j]), int(network.tech[j]), int(network.before[j])
        part, built = float(share[j]), network.event[j] == BUILD
        size = part * (member.size if dispatched else float(member.made[t]))
        code = REBUILD if built else int(problem.kinds[before, k])
        kind = ("committed" if block.added else "new") if built else KINDS[code]
        unit = float(accounts.part[k, t] if code == RETROFIT else accounts.full[k, t])
        saving, lost = np.nan, 0.0
        if not built:
            saving = _saving(accounts, network, j)
            if code == REBUILD:
                lost = size * _stranded(accounts.problem, member.plant, network, j)
        row = rows[k, int(network.entry[j])]
        out.events.append(_Event(row, t, before, k, kind, part, size, unit * size, saving, lost, part))
        if not built:
            out.rows[rows[before, int(network.left[j])]].moved[t] += part * member.size
        out.rows[row].arrived[t] += part * member.size


def _saving(accounts: Accounts, network: Network, j: int) -> float:
    """What a change saves per unit against keeping on, as owners reckon it [USD per unit]."""
    problem, tech = accounts.problem, accounts.problem.tech
    t, k, before, market = int(network.start[j]), int(network.tech[j]), int(network.before[j]), network.market
    running = problem.costs.running[int(problem.markets.region[market]), :, t]
    load = float(problem.markets.high[market]) if problem.markets.meets_demand[market] else 1.0
    added = tech.capital_charge_added * accounts.multiplier[:, t]
    charge = after_learning(tech.capital_charge, tech.capital_charge_added, accounts.multiplier[:, t])
    kept = float(charge[before]) if network.due[j] else 0.0
    paid = float(added[k] if network.partial[j] else charge[k])
    return float(running[before] - running[k]) + (kept - paid) / max(load, 1e-9)


def _stranded(problem: Problem, plant: int, network: Network, j: int) -> float:
    """Capital of what is replaced that is not yet written off, straight line [USD per unit]."""
    tech, year, before = problem.tech, int(problem.years[network.start[j]]), int(network.before[j])
    if network.due[j]:
        return 0.0
    cycle = max(int(tech.cycle[before]), 1)
    renewed = year - (year - network.invested) % cycle
    if network.left[j] >= 0:
        renewed = max(renewed, int(problem.years[network.left[j]]))
    left = 1.0 - (year - renewed) / max(int(tech.lifetime[before]), 1)
    return float(tech.capex[before]) * min(max(left, 0.0), 1.0)


# ---------------------------------------------------------------- retirement


def _retire(model: Model, out: _Decoded) -> None:
    """Take from markets that meet a demand the capacity that is never needed again.

    Backwards through the years: what stands next year stood this year, what left for another
    technology stood before, and what produces now stands now.
    """
    problem = model.accounts.problem
    by_key: dict[tuple[int, int, int], list[int]] = {}
    for position, row in enumerate(out.rows):
        if problem.markets.meets_demand[row.market] and row.key is not None:
            by_key.setdefault(row.key, []).append(position)
    for (market, tech, _), positions in by_key.items():
        rows = [out.rows[position] for position in positions]
        standing = np.array([row.capacity for row in rows])
        arrived, moved = np.array([row.arrived for row in rows]), np.array([row.moved for row in rows])
        produced = np.array([row.production for row in rows]).sum(axis=0)
        high = max(float(problem.markets.high[market]), 1e-12)
        capacity = _needed(standing, arrived, moved, produced / high)
        for position, row, kept in zip(positions, rows, capacity, strict=True):
            row.run = np.where(kept > 0, tech, -1)
            before = np.concatenate([[0.0], kept[:-1]])
            gone = before + row.arrived - row.moved - kept
            for t in np.flatnonzero(gone > SMALL * max(float(standing.max()), 1e-12)).tolist():
                kind = "closed" if t == row.end else "retired"
                share = float(gone[t]) / row.size if row.size > 0 else 0.0
                out.events.append(
                    _Event(position, t, tech, -1, kind, share, float(gone[t]), 0.0, np.nan, 0.0, 0.0)
                )
            row.capacity = kept
    for positions in by_key.values():
        _share_out(out, positions)


def _needed(standing: FloatArray, arrived: FloatArray, moved: FloatArray, need: FloatArray) -> FloatArray:
    """Capacity of each row that is needed in a year or later, (R, T); never more than stands."""
    count = standing.shape[1]
    out = np.zeros_like(standing)
    later = np.zeros(len(standing))
    for t in range(count - 1, -1, -1):
        if t + 1 < count:
            later = np.maximum(out[:, t + 1] - arrived[:, t + 1], 0.0) + moved[:, t + 1]
        kept = np.minimum(later, standing[:, t])
        short = float(need[t]) - float(kept.sum())
        room = standing[:, t] - kept
        if short > 0 and room.sum() > 0:
            kept = kept + room * min(short / float(room.sum()), 1.0)
        out[:, t] = kept
    return out


def _share_out(out: _Decoded, positions: list[int]) -> None:
    """Spread the production of a technology over the capacity that is left of it."""
    rows = [out.rows[position] for position in positions]
    capacity = np.array([row.capacity for row in rows])
    produced = np.array([row.production for row in rows]).sum(axis=0)
    total = capacity.sum(axis=0)
    use = np.divide(produced, total, out=np.zeros_like(total), where=total > 0)
    for row, own in zip(rows, capacity, strict=True):
        row.production = own * use


# ---------------------------------------------------------------- vehicles


def _decode_fleet(
    accounts: Accounts, cls: VehicleClass, columns: FleetColumns, values: FloatArray
) -> VehicleClass:
    """A copy of a class with what is bought, what stands and what is driven."""
    count = len(accounts.problem.years)
    out = deepcopy(cls)
    known = columns.bought >= 0
    out.bought = np.zeros(known.shape)
    out.bought[known] = np.maximum(values[columns.bought[known]], 0.0) * columns.unit_bought
    out.distance = np.maximum(values[columns.driven], 0.0) * columns.unit_driven
    left = survival(cls, count)
    age = np.arange(count)[None, :] - np.arange(count)[:, None]
    kept = np.where(age >= 0, left[np.maximum(age, 0)], 0.0)
    stock = ageing(cls, count)
    out.vehicles = stock.sum(axis=2) + out.bought @ kept
    out.stock = stock[:, -1].copy()
    ages = min(count, AGES)
    out.stock[:, :ages] += (out.bought * left[::-1])[:, ::-1][:, :ages]
    zero = accounts.problem.tech.direct[cls.options] <= 0
    total = out.bought.sum(axis=0)
    out.zero_share = np.divide(out.bought[zero].sum(axis=0), total, out=np.zeros(count), where=total > 0)
    for t in range(count):
        out.tco[:, t] = total_cost_of_ownership(
            accounts.problem.tech,
            cls.options,
            cls.running[:, t],
            cls.vehicle_credit[:, t],
            cls.yearly_activity,
            accounts.multiplier[:, t],
        )
    return out


# ---------------------------------------------------------------- the path


def _path(
    model: Model, values: FloatArray, shadow: FloatArray, out: _Decoded, vehicles: list[VehicleClass]
) -> Path:
    problem, count = model.accounts.problem, len(model.accounts.problem.years)
    rows = out.rows

    def stacked(name: str) -> FloatArray:
        return np.array([getattr(row, name) for row in rows], dtype=np.float64).reshape(len(rows), count)

    unmet = np.zeros(model.unmet.shape)
    served = model.unmet >= 0
    unmet[served] = np.maximum(values[model.unmet[served]], 0.0)
    path = Path(
        problem=problem,
        names=np.array([row.name for row in rows], dtype=object),
        plant=np.array([row.plant for row in rows], dtype=np.int64),
        market=np.array([row.market for row in rows], dtype=np.int64),
        run=np.array([row.run for row in rows], dtype=np.int64).reshape(len(rows), count),
        capacity=stacked("capacity"),
        production=stacked("production"),
        capex=stacked("capex"),
        changes=_changes(out.events),
        used=np.zeros((len(problem.limits), count)),
        shadow=shadow,
        unmet=unmet * model.reference[:, None],
        multiplier=model.accounts.multiplier,
        deployed=_deployed(problem, out.events, vehicles),
        vehicles=vehicles,
    )
    path.used[:] = _used(path, out.events)
    return path


def _changes(events: list[_Event]) -> Changes:
    return Changes(
        row=[e.row for e in events],
        t=[e.t for e in events],
        before=[e.before for e in events],
        after=[e.after for e in events],
        kind=[e.kind for e in events],
        share=[e.share for e in events],
        capacity=[e.size for e in events],
        capex=[e.capex for e in events],
        saving=[e.saving for e in events],
        stranded=[e.stranded for e in events],
    )


def _deployed(problem: Problem, events: list[_Event], vehicles: list[VehicleClass]) -> FloatArray:
    """Cumulative deployment of the components by changes, new plants and purchases, (B, T)."""
    amount = problem.learning.amount
    added = np.zeros((amount.shape[1], len(problem.years)))
    built = [event for event in events if event.after >= 0]
    np.add.at(
        added.T,
        np.array([event.t for event in built], dtype=np.int64),
        amount[np.array([event.after for event in built], dtype=np.int64)]
        * np.array([event.size for event in built])[:, None],
    )
    for cls in vehicles:
        added += amount[cls.options].T @ cls.bought
    return np.cumsum(added, axis=1)


def _used(path: Path, events: list[_Event]) -> FloatArray:
    """Use of every limit, (Q, T), counted as the year loop counts it."""
    problem = path.problem
    counters = Counters(problem.limits, len(problem.years))
    for event in events:
        if event.after < 0 or event.kind == "committed":
            continue
        weight = counters.weight[:, event.after]
        changed = event.plants if event.before >= 0 else 0.0
        each = np.where(counters.added, weight * event.size, (weight > 0) * changed)
        counted = counters.markets[:, path.market[event.row]] & ~counters.flow
        counters.changes[:, event.t] += np.where(counted, each, 0.0)
    for t in range(len(problem.years)):
        flows = counters.flows(path.market, path.run[:, t], path.production[:, t])
        counters.close(t, flows + counters.vehicle_flows(path.vehicles, t))
    return counters.used
