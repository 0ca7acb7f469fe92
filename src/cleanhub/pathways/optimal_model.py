"""The linear programme of a problem, in arrays.

Columns are plants flowing through networks (:mod:`cleanhub.pathways.optimal_network`), production
and unmet demand of the markets that meet one, vehicles bought and what they do, and the sums of the
cumulative limits. Rows keep plants, capacity, demand, vehicles and hard limits. Every row is
in units near one: plants, shares of a market's reference, shares of a fleet's demand.

What the programme allows beyond a path of whole plants: fractions of plants; plants of a market
that meets a demand may stand idle below their least load in any year; vehicles of one class may
be used unevenly. Each of these only lowers the cost, so the optimum bounds every such path.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cleanhub.core.programme import Matrix
from cleanhub.pathways.optimal_cost import Accounts, purchase
from cleanhub.pathways.optimal_groups import Block, build_blocks
from cleanhub.pathways.optimal_network import BUILD, CHANGE, STAND, Network
from cleanhub.pathways.problem import ADDED, COUNT, SHARE, BoolArray, FloatArray, IntArray, Limit
from cleanhub.pathways.vehicles import AGES, VehicleClass

SCALE = 1e4
"""The largest cost of a column, in the units that the solver sees."""


@dataclass(frozen=True)
class Making:
    """Production columns of one technology of a market, and the credit they earn.

    ``entry`` is the year position since which the credit is earned (-1: none); ``start`` the first
    year position of the columns and rows, which follow each other from ``column`` and ``row`` on.
    """

    market: int
    tech: int
    entry: int
    start: int
    column: int
    row: int


@dataclass(frozen=True)
class FleetColumns:
    """Columns of one vehicle class: ``bought`` and ``driven`` (P, T), -1 where there are none."""

    bought: IntArray
    driven: IntArray
    unit_bought: float
    unit_driven: float


@dataclass
class Model:
    """A linear programme with the names of its parts.

    ``cost`` times ``scale`` is in dollars. ``limit_rows`` (Q, T) are the rows of the limits (-1: none),
    ``limit_unit`` (Q, T) what one unit of such a row is in the limit's unit, or of product where the
    limit is a share of what ``asked`` (Q, T) columns hold (-1: none). ``demand_rows`` (M, T),
    ``unmet`` columns (M, T), ``reference`` of each market (M,).
    ``groups`` names what may conflict: (rows, columns) that are let go when it is dropped.
    """

    accounts: Accounts
    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    integer: BoolArray
    row_lower: FloatArray
    row_upper: FloatArray
    matrix: Matrix
    scale: float
    offset: float
    blocks: list[Block]
    making: list[Making]
    fleets: list[FleetColumns]
    reference: FloatArray
    unmet: IntArray
    limit_rows: IntArray
    limit_unit: FloatArray
    asked: IntArray
    groups: dict[tuple[str, str], tuple[IntArray, IntArray]] = field(default_factory=dict)


def build_model(accounts: Accounts, whole_plants: bool = False) -> Model:
    """The programme of ``accounts.problem``; ``whole_plants`` lets plants change only whole."""
    return _Builder(accounts, whole_plants).model()


class _Builder:
    """Collects columns, rows and entries; one method for each part of the programme."""

    def __init__(self, accounts: Accounts, whole_plants: bool) -> None:
        self.accounts, self.problem = accounts, accounts.problem
        self.whole = whole_plants
        self.count = len(self.problem.years)
        self.cost: list[FloatArray] = []
        self.lower: list[FloatArray] = []
        self.upper: list[FloatArray] = []
        self.integer: list[BoolArray] = []
        self.row_lower: list[FloatArray] = []
        self.row_upper: list[FloatArray] = []
        self.entries: list[tuple[IntArray, IntArray, FloatArray]] = []
        self.columns = self.rows = 0
        self.groups: dict[tuple[str, str], tuple[IntArray, IntArray]] = {}
        self.making: list[Making] = []
        self.fleets: list[FleetColumns] = []
        self.flow_cache: dict[tuple[int | None, int | None], list[tuple[IntArray, FloatArray]]] = {}
        self.change_cache: dict[int, list[tuple[Limit, IntArray, FloatArray]]] = {}

    def model(self) -> Model:
        problem, markets = self.problem, self.problem.markets
        self.reference = self._references()
        self.blocks = build_blocks(self.accounts, self.whole)
        meets = np.flatnonzero(markets.meets_demand)
        shape = (len(markets.name), self.count)
        self.demand_rows, self.unmet = np.full(shape, -1), np.full(shape, -1)
        for m in meets:
            self.demand_rows[m] = self._add_rows(*[markets.demand[m] / self.reference[m]] * 2)
            self.unmet[m] = self._add_columns(
                self.accounts.discount * self.accounts.penalty[m] * self.reference[m]
            )
            self._put(self.demand_rows[m], self.unmet[m], np.ones(self.count))
        self._add_limits()
        for block in self.blocks:
            self._add_block(block)
        for m in meets:
            self._add_making(int(m))
        offset = sum(self._add_fleet(v, cls) for v, cls in enumerate(problem.vehicles))
        return self._finish(offset)

    # ------------------------------------------------------------ pieces

    def _add_columns(
        self, cost: FloatArray, lower: FloatArray | None = None, upper: FloatArray | None = None
    ) -> IntArray:
        size = len(cost)
        self.cost.append(cost)
        self.lower.append(np.zeros(size) if lower is None else lower)
        self.upper.append(np.full(size, np.inf) if upper is None else upper)
        self.integer.append(np.zeros(size, dtype=bool))
        self.columns += size
        return np.arange(self.columns - size, self.columns)

    def _add_rows(self, lower: FloatArray, upper: FloatArray) -> IntArray:
        self.row_lower.append(np.asarray(lower, dtype=np.float64))
        self.row_upper.append(np.asarray(upper, dtype=np.float64))
        self.rows += len(lower)
        return np.arange(self.rows - len(lower), self.rows)

    def _put(self, rows: IntArray, columns: IntArray, values: FloatArray) -> None:
        rows, columns, values = np.broadcast_arrays(rows, columns, values)
        self.entries.append((rows.ravel(), columns.ravel(), values.ravel()))

    def _name(self, kind: str, name: str, rows: IntArray, columns: IntArray) -> None:
        old = self.groups.get((kind, name))
        none = np.zeros(0, dtype=np.int64)
        before = old if old is not None else (none, none)
        self.groups[kind, name] = (
            np.concatenate([before[0], rows]).astype(np.int64),
            np.concatenate([before[1], columns]).astype(np.int64),
        )

    def _references(self) -> FloatArray:
        """An amount of product by which a market's columns and rows are counted, (M,)."""
        markets, plants = self.problem.markets, self.problem.plants
        capacity = np.bincount(plants.market, plants.capacity, minlength=len(markets.name))
        most = np.maximum(markets.demand.max(axis=1, initial=0.0), capacity[: len(markets.name)])
        most = np.maximum(most, markets.plant_capacity)
        return np.where(most > 0, most, 1.0)

    # ------------------------------------------------------------ limits

    def _add_limits(self) -> None:
        """Rows of the hard limits, still empty; a cumulative one carries its sum from year to year.

        What is used before any choice can take effect is given, and held to no limit.
        """
        problem = self.problem
        shape = (len(problem.limits), self.count)
        self.limit_rows, self.flow_rows = np.full(shape, -1), np.full(shape, -1)
        self.asked_rows, self.asked = np.full(shape, -1), np.full(shape, -1)
        self.limit_unit = np.ones(shape)
        none = np.zeros(0, dtype=np.int64)
        for q, limit in enumerate(problem.limits):
            at = np.flatnonzero(np.isfinite(limit.value))
            if not limit.hard or not len(at):
                continue
            is_share = limit.quantity == SHARE
            self.limit_unit[q] = unit = self._unit(limit, limit.value[at])
            bound = np.zeros(len(at)) if is_share else limit.value[at] / unit
            free = np.full(len(at), np.inf)
            given = problem.years[at] < problem.first_choice
            least = np.where(given, -np.inf, bound) if limit.floor else -free
            most = free if limit.floor else np.where(given, np.inf, bound)
            rows = self._add_rows(least, most)
            self.limit_rows[q, at] = self.flow_rows[q, at] = rows
            self._name("limit", limit.name, rows, none)
            if is_share:
                self._add_asked(q, limit, at, rows)
            elif limit.cumulative:
                self.flow_rows[q, at] = sums = self._add_rows(np.zeros(len(at)), np.zeros(len(at)))
                total = self._add_columns(np.zeros(len(at)), -free, free)
                self._put(rows, total, np.ones(len(at)))
                self._put(sums, total, -np.ones(len(at)))
                joined = np.flatnonzero(np.diff(at) == 1)
                self._put(sums[joined + 1], total[joined], np.ones(len(joined)))

    def _add_asked(self, q: int, limit: Limit, at: IntArray, rows: IntArray) -> None:
        """A share is one of all that its markets are asked for: columns for that, made or unmet."""
        markets, plants, unit = self.problem.markets, self.problem.plants, float(self.limit_unit[q, 0])
        unlisted = (plants.start < 0) & limit.markets[plants.market] & ~markets.meets_demand[plants.market]
        made = -plants.made[unlisted].sum(axis=0)[at] / unit
        self.asked_rows[q, at] = sums = self._add_rows(made, made)
        free = np.full(len(at), np.inf)
        self.asked[q, at] = total = self._add_columns(np.zeros(len(at)), -free, free)
        self._put(sums, total, -np.ones(len(at)))
        self._put(rows, total, -limit.value[at])
        for m in np.flatnonzero(limit.markets & markets.meets_demand):
            self._put(sums, self.unmet[m, at], np.full(len(at), self.reference[m] / unit))

    def _unit(self, limit: Limit, value: FloatArray) -> float:
        """What a row of the limit is counted in: its largest value, or else what its markets could use."""
        most = float(np.abs(value).max()) if limit.quantity != SHARE else 0.0
        if most > 0:
            return most
        size = float(self.reference[limit.markets].max(initial=0.0))
        return max(float(np.abs(limit.weight).max(initial=0.0)) * size, 1e-9) if size > 0 else 1.0

    def _flows(self, market: int | None, cohort: int | None) -> list[tuple[IntArray, FloatArray]]:
        """Rows (T,) that production enters, and the weight of a unit of each technology (K,).

        They are the flow limits that count the market or vehicle class, and the demand of the
        markets that supply what it uses.
        """
        if (market, cohort) in self.flow_cache:
            return self.flow_cache[market, cohort]
        problem, markets, tech = self.problem, self.problem.markets, self.problem.tech
        out = self.flow_cache[market, cohort] = []
        for q, limit in enumerate(problem.limits):
            mine = limit.markets[market] if market is not None else limit.cohorts[cohort]
            if limit.is_flow and mine and (self.flow_rows[q] >= 0).any():
                scale = 1.0
                if cohort is not None and limit.quantity == "emissions":
                    scale = problem.vehicles[cohort].scale
                out.append((self.flow_rows[q], limit.weight * scale / self.limit_unit[q, 0]))
            if market is not None and mine and (self.asked_rows[q] >= 0).any():
                out.append((self.asked_rows[q], np.ones(len(tech.names)) / self.limit_unit[q, 0]))
        region = int(markets.region[market]) if market is not None else -1
        if cohort is not None:
            region = problem.vehicles[cohort].region
        for m in np.flatnonzero((markets.carrier >= 0) & markets.meets_demand):
            if m != market and markets.takes[m, region] > 0:
                share = markets.takes[m, region] * markets.per_carrier[m] / self.reference[m]
                out.append((self.demand_rows[m], -tech.inputs[:, markets.carrier[m]] * share))
        return out

    def _change_limits(self, market: int) -> list[tuple[Limit, IntArray, FloatArray]]:
        """Limits that count changes in a market: the limit, its rows (T,), weight of each technology."""
        if market in self.change_cache:
            return self.change_cache[market]
        out = self.change_cache[market] = []
        for q, limit in enumerate(self.problem.limits):
            if limit.quantity in (ADDED, COUNT) and limit.markets[market] and (self.flow_rows[q] >= 0).any():
                weight = limit.weight if limit.quantity == ADDED else (limit.weight > 0).astype(float)
                out.append((limit, self.flow_rows[q], weight / self.limit_unit[q, 0]))
        return out

    # ------------------------------------------------------------ plants

    def _add_block(self, block: Block) -> None:
        network, groups = block.network, block.groups
        m, size = network.market, network.columns
        dispatched = bool(self.problem.markets.meets_demand[m])
        amount = block.product if not dispatched else np.repeat(block.size[:, None], self.count, axis=1)
        worth = network.spent * self.accounts.worth[network.tech]
        weight = worth if dispatched else worth + self._running(network)
        given = (network.event <= BUILD)[None, :] & ~np.isnan(block.flow)[:, None]
        lower = np.where(given, block.flow[:, None], 0.0)
        upper = np.where(given, block.flow[:, None], np.inf)
        block.first = self.columns
        self._add_columns((amount @ weight.T).ravel(), lower.ravel(), upper.ravel())
        if self.whole and not dispatched:
            self.integer[-1] = np.tile(network.event == CHANGE, groups)
        nodes = groups * network.nodes
        spare = np.inf if dispatched else 0.0
        rows = self._add_rows(np.zeros(nodes), np.full(nodes, spare)).reshape(groups, network.nodes)
        for node, sign in ((network.target, 1.0), (network.origin, -1.0)):
            j = np.flatnonzero(node >= 0)
            if len(j):
                self._put(rows[:, node[j]], block.columns(j), np.full((1, 1), sign))
        if not dispatched:
            self._enter_flows(block, size)
        self._enter_changes(block, amount)
        self._name_block(block, dispatched)

    def _running(self, network: Network) -> FloatArray:
        """Discounted running cost less credit per unit of product by column and year, (J, T)."""
        m = network.market
        yearly = self.accounts.yearly[m, network.tech]
        if (network.entry >= 0).any():
            yearly = yearly - self._credit(network.entry, network.tech, m)
        return np.asarray(yearly * self.accounts.discount * network.covers)

    def _credit(self, entry: IntArray, tech: IntArray, market: int) -> FloatArray:
        """Credit per unit of those that entered in ``entry``, by year, (len, T)."""
        problem = self.problem
        t = np.arange(self.count)[None, :]
        since = entry[:, None]
        earning = (since >= 0) & (t >= since) & (t < since + problem.rule.horizon)
        worth = problem.costs.credits[problem.markets.region[market], tech, np.maximum(entry, 0)]
        return np.where(earning, worth[:, None], 0.0)

    def _enter_flows(self, block: Block, size: int) -> None:
        network = block.network
        for rows, weight in self._flows(network.market, None):
            j, t = np.nonzero(network.covers & (weight[network.tech] != 0)[:, None] & (rows >= 0)[None, :])
            if len(j):
                values = block.product[:, t] * weight[network.tech[j]][None, :]
                self._put(rows[t][None, :], block.columns(j), values)

    def _enter_changes(self, block: Block, amount: FloatArray) -> None:
        """Changes count, and new plants where capacity does; committed plants do not."""
        network = block.network
        if not self._change_limits(network.market):
            return
        changing = np.flatnonzero(network.event == CHANGE)
        built = np.flatnonzero(network.event == BUILD) if not block.added else changing[:0]
        for limit, rows, weight in self._change_limits(network.market):
            j = np.concatenate([changing, built]) if limit.quantity == ADDED else changing
            j = j[(weight[network.tech[j]] != 0) & (rows[network.start[j]] >= 0)]
            if len(j):
                each = amount[:, network.start[j]] if limit.quantity == ADDED else np.ones((1, len(j)))
                values = each * weight[network.tech[j]][None, :]
                self._put(rows[network.start[j]][None, :], block.columns(j), values)

    def _name_block(self, block: Block, dispatched: bool) -> None:
        none = np.zeros(0, dtype=np.int64)
        first = np.flatnonzero(block.network.event <= BUILD)
        if block.added:
            for group, members in enumerate(block.members):
                names = sorted(self.problem.additions[int(n)][4] for n in members)
                more = f" and {len(names) - 1} more" if len(names) > 1 else ""
                self._name("committed addition", names[0] + more, none, block.columns(first)[group])
        elif not dispatched and (block.network.event[first] == STAND).all():
            name = str(self.problem.markets.name[block.network.market])
            self._name("production", name, none, block.columns(first).ravel())

    def _add_making(self, market: int) -> None:
        """Production of a market's technologies, held to the capacity that stands."""
        problem = self.problem
        mine = [block for block in self.blocks if block.network.market == market]
        keys = sorted({key for block in mine for key in _chains(block.network)})
        reference, high = self.reference[market], float(problem.markets.high[market])
        first: dict[tuple[int, int], int] = {}
        begins = np.full(len(problem.tech.names), self.count)
        for block in mine:
            np.minimum.at(begins, block.network.tech, block.network.start)
        for tech, entry in keys:
            start = max(entry, 0) if entry >= 0 else int(begins[tech])
            t = np.arange(start, self.count)
            yearly = self.accounts.yearly[market, tech]
            credit = self._credit(np.array([entry]), np.array([tech]), market)[0]
            columns = self._add_columns(((yearly - credit) * self.accounts.discount)[t] * reference)
            rows = self._add_rows(np.full(len(t), -np.inf), np.zeros(len(t)))
            self._put(rows, columns, np.ones(len(t)))
            self._put(self.demand_rows[market, t], columns, np.ones(len(t)))
            for limited, weight in self._flows(market, None):
                entering = limited[t] >= 0
                if weight[tech] != 0 and entering.any():
                    value = np.full(int(entering.sum()), weight[tech] * reference)
                    self._put(limited[t[entering]], columns[entering], value)
            first[tech, entry] = int(rows[0]) - start
            self.making.append(Making(market, tech, entry, start, int(columns[0]), int(rows[0])))
        for block in mine:
            network = block.network
            base = np.array([first[key] for key in _chains(network)], dtype=np.int64)[network.chain]
            j, t = np.nonzero(network.covers)
            values = np.repeat(-high * block.size[:, None] / reference, len(j), axis=1)
            self._put((base[j] + t)[None, :], block.columns(j), values)

    # ------------------------------------------------------------ vehicles

    def _add_fleet(self, v: int, cls: VehicleClass) -> float:
        """Purchases and activity of one vehicle class; cost of what stands at the start."""
        accounts, tech = self.accounts, self.problem.tech
        number, count = len(cls.options), self.count
        unit_driven = max(float(cls.demand.max()), 1e-9)
        unit_bought = unit_driven / float(cls.mileage[0])
        left = survival(cls, count)
        start = ageing(cls, count)
        can = (start * cls.mileage).sum(axis=2)
        fixed = np.where(tech.is_vehicle, tech.fixed, 0.0)[cls.options]
        ahead = np.array([float(accounts.discount[t:] @ left[: count - t]) for t in range(count)])
        cost = purchase(accounts, cls) + fixed[:, None] * ahead[None, :]
        ready = self._offered(cls)
        bought = np.full((number, count), -1)
        bought[ready] = self._add_columns(cost[ready] * unit_bought)
        driving = accounts.driving[v] * accounts.discount * unit_driven
        driven = self._add_columns(driving.ravel()).reshape(number, count)
        rows = self._add_rows(np.full(number * count, -np.inf), (can / unit_driven).ravel())
        rows = rows.reshape(number, count)
        self._put(rows, driven, np.ones((1, 1)))
        p, s = np.nonzero(ready)
        age = np.arange(count)
        reach = left[:count] * cls.mileage[:count] * unit_bought / unit_driven
        at = s[:, None] + age[None, :]
        i, a = np.nonzero((at < count) & (reach > 0)[None, :])
        self._put(rows[p[i], at[i, a]], bought[p[i], s[i]], -reach[a])
        wanted = cls.demand.copy()
        wanted[0] = min(wanted[0], float(can[:, 0].sum()) * (1.0 - 1e-12))
        served = self._add_rows(wanted / unit_driven, wanted / unit_driven)
        self._put(served[None, :], driven, np.ones((1, 1)))
        none = np.zeros(0, dtype=np.int64)
        self._name("activity", cls.asset_id, served, none)
        self._sales_floor(cls, bought)
        self._sales_cap(cls, bought)
        for limited, weight in self._flows(None, v):
            k, t = np.nonzero((weight[cls.options] != 0)[:, None] & (limited >= 0)[None, :])
            self._put(limited[t], driven[k, t], weight[cls.options][k] * unit_driven)
        self.fleets.append(FleetColumns(bought, driven, unit_bought, unit_driven))
        return float(accounts.discount @ (start.sum(axis=2) * fixed[:, None]).sum(axis=0))

    def _offered(self, cls: VehicleClass) -> BoolArray:
        """Which option can be bought when, (P, T): none in the first year, then the incumbent, then all."""
        years = self.problem.years
        tech = self.problem.tech
        ready: BoolArray = np.asarray(tech.earliest[cls.options][:, None] <= years[None, :])
        ready[0] = True
        if len(tech.latest):  # what is no longer sold is not bought while anything else is
            still: BoolArray = np.asarray(tech.latest[cls.options][:, None] >= years[None, :])
            sold: BoolArray = np.logical_and(ready, still)
            some: BoolArray = np.any(sold, axis=0, keepdims=True)
            ready = np.where(some, sold, ready)
        free = years >= self.problem.first_purchase
        incumbent = np.arange(len(cls.options)) == 0
        ready = np.array(ready & np.logical_or(free[None, :], incumbent[:, None]), dtype=bool)
        ready[0] |= ~free
        ready[:, 0] = False
        return np.asarray(ready)

    def _sales_floor(self, cls: VehicleClass, bought: IntArray) -> None:
        zero = self.problem.tech.direct[cls.options] <= 0
        there = bought >= 0
        years = np.flatnonzero(
            (cls.sales_floor > 0)
            & (zero[:, None] & there).any(axis=0)
            & there.any(axis=0)
            & (self.problem.years >= self.problem.first_purchase)
        )
        if not len(years):
            return
        rows = np.full(self.count, -1)
        rows[years] = self._add_rows(np.zeros(len(years)), np.full(len(years), np.inf))
        p, t = np.nonzero(there & (rows >= 0)[None, :])
        floor = cls.sales_floor if cls.sales_cap is None else np.minimum(cls.sales_floor, cls.sales_cap)
        self._put(rows[t], bought[p, t], zero[p].astype(float) - floor[t])
        self._name("zero-emission sales", cls.asset_id, rows[years], np.zeros(0, dtype=np.int64))

    def _sales_cap(self, cls: VehicleClass, bought: IntArray) -> None:
        """At most so large a share of purchases is without tailpipe emissions, where others are sold."""
        if cls.sales_cap is None:
            return
        zero = self.problem.tech.direct[cls.options] <= 0
        there = bought >= 0
        bound = (zero[:, None] & there).any(axis=0) & (~zero[:, None] & there).any(axis=0)
        years = np.flatnonzero(bound & (self.problem.years >= self.problem.first_purchase))
        rows = np.full(self.count, -1)
        rows[years] = self._add_rows(np.full(len(years), -np.inf), np.zeros(len(years)))
        p, t = np.nonzero(there & (rows >= 0)[None, :])
        self._put(rows[t], bought[p, t], zero[p].astype(float) - cls.sales_cap[t])
        self._name("zero-emission sales at most", cls.asset_id, rows[years], np.zeros(0, dtype=np.int64))

    # ------------------------------------------------------------ the end

    def _finish(self, offset: float) -> Model:
        cost = np.concatenate([*self.cost, np.zeros(0)])
        most = float(np.abs(cost).max(initial=0.0))
        scale = 2.0 ** np.round(np.log2(most / SCALE)) if most > 0 else 1.0
        row, column, value = (
            np.concatenate(
                [np.zeros(0, dtype=np.int64) if i < 2 else np.zeros(0), *(e[i] for e in self.entries)]
            )
            for i in range(3)
        )
        kept = value != 0
        shape = self.rows, self.columns
        matrix = Matrix.of(row[kept].astype(np.int64), column[kept].astype(np.int64), value[kept], shape)
        return Model(
            accounts=self.accounts,
            cost=cost / scale,
            lower=np.concatenate([*self.lower, np.zeros(0)]),
            upper=np.concatenate([*self.upper, np.zeros(0)]),
            integer=np.concatenate([*self.integer, np.zeros(0, dtype=bool)]),
            row_lower=np.concatenate([*self.row_lower, np.zeros(0)]),
            row_upper=np.concatenate([*self.row_upper, np.zeros(0)]),
            matrix=matrix,
            scale=float(scale),
            offset=offset,
            blocks=self.blocks,
            making=self.making,
            fleets=self.fleets,
            reference=self.reference,
            unmet=self.unmet,
            limit_rows=self.limit_rows,
            limit_unit=self.limit_unit,
            asked=self.asked,
            groups=self.groups,
        )


def _chains(network: Network) -> list[tuple[int, int]]:
    """Technology and credit year of each chain."""
    return [(tech, entry) for tech, entry in network.chains.tolist()]


def survival(cls: VehicleClass, count: int) -> FloatArray:
    """Share of vehicles bought that still run after so many years, (count,)."""
    keep = cls.keep[: max(count - 1, 0)]
    return np.concatenate([[1.0], np.cumprod(keep)])[:count]


def ageing(cls: VehicleClass, count: int) -> FloatArray:
    """Vehicles of the starting stock by option, year and age, (P, T, AGES)."""
    out = np.zeros((len(cls.options), count, AGES))
    out[:, 0] = cls.stock
    for t in range(1, count):
        out[:, t, 1:] = (out[:, t - 1] * cls.keep)[:, :-1]
    return out
