"""The shared solver of the Mission Possible Partnership, repeated with its own rules and defects.

One pathway is: take switches out that may not happen (:func:`force`), rank what is left for each year
(:func:`rank_switches`), then go through the years (:func:`run_faithful`): dispatch the stack, write it
down, close plants, switch plants, build plants. State is columns (one entry per asset), tables are
integer codes, limits are counters that change by the one asset in question; every draw comes from one
generator. Capacity and production are in Mt a year, costs in USD per t or per t of yearly capacity,
emission factors in t per t, budgets in Gt. What the rules leave open, and what this module does there,
is told in ``docs/models/mpp-faithful.md``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList, RunError
from cleanhub.hub.mpp_settings import MppPathway, MppSettings
from cleanhub.pathways.mpp_tables import (
    DECOMMISSION,
    END_STATE,
    GREENFIELD,
    INITIAL,
    NEWBUILD,
    RENOVATION,
    TRANSITION,
    BoolArray,
    FloatArray,
    IntArray,
    MppTables,
    SwitchTable,
    codes_of,
)

RANK_TYPES: dict[str, tuple[int, ...]] = {
    "decommission": (DECOMMISSION,),
    "greenfield": (GREENFIELD,),
    "brownfield": (RENOVATION, NEWBUILD),
}
_SMALLEST_CLIPPED = (1e-2, 1e-6)  # what a delta of zero, and one below zero, count as in the histogram


# --- which switches there are, and in what order -------------------------------------------------


def force(tables: MppTables, settings: MppSettings, pathway: MppPathway) -> BoolArray:
    """Mask of the switches that may happen at all (implicit forcing), one entry per switch."""
    switches, forcing = tables.switches, settings.forcing
    names = (*tables.technologies, "")
    place = (switches.product, switches.region)
    before = tables.classification[(*place, switches.origin, switches.year)]
    after = tables.classification[(*place, switches.destination, switches.year)]
    kept = ~((before > after) & (after >= 0))  # no way back from a better class
    if forcing.no_end_state_to_end_state:
        kept &= ~((before == END_STATE) & (after == END_STATE))
    years = tables.years[switches.year]
    kept &= years >= tables.maturity[(*place, switches.destination, switches.year)]
    dropped = np.isin(names, forcing.dropped_technologies)
    kept &= ~(dropped[switches.destination] | dropped[switches.origin])
    no_renovation = np.isin(names, forcing.dropped_renovations)
    kept &= ~(no_renovation[switches.destination] & (switches.kind == RENOVATION))
    for destination, origin in forcing.restricted_origin.items():
        to = np.array([destination in name for name in names])[switches.destination]
        fits = np.array([origin in name for name in names])[switches.origin]
        kept &= ~to | fits
    if pathway.moratorium:
        kept &= (years < forcing.moratorium_year) | (after != INITIAL)
        kept &= (years < forcing.moratorium_year + forcing.transitional_years) | (after != TRANSITION)
    return np.asarray(kept, dtype=bool)


def emission_deltas(tables: MppTables, switches: SwitchTable, kinds: Iterable[str]) -> FloatArray:
    """Emissions of origin less destination, summed over ``kinds`` [t/t]; nothing emits nothing."""
    factors = tables.co2(kinds)
    place = (switches.product, switches.region)
    origin = factors[(*place, switches.origin, switches.year)]
    return np.asarray(origin - factors[(*place, switches.destination, switches.year)], dtype=float)


def _minmax(values: FloatArray) -> FloatArray:
    """Values stretched over 0 to 1; 0 where they are all the same."""
    low, high = (values.min(), values.max()) if len(values) else (0.0, 0.0)
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def bin_ranks(
    cost: FloatArray, delta: FloatArray, weights: tuple[float, float], uncertainty: float
) -> FloatArray:
    """Ranks of one year's switches by bins of a relative cost uncertainty; 1 is best, ties are wanted.

    The weighted sum of normalised cost and of the normalised negative emission delta is cut into equal
    bins, as many as there are steps of ``uncertainty`` x the cheapest cost between cheapest and dearest.
    The dearest falls in a bin of its own. Without a range the weighted sum itself is the rank.
    """
    raw = weights[0] * _minmax(cost) + weights[1] * _minmax(-delta)
    if not len(cost):
        return raw
    low, high = float(cost.min()), float(cost.max())
    if low < 0:
        low, high = low + 2 * abs(low), high + 2 * abs(low)
    step = uncertainty * low
    if high == low or step == 0 or raw.max() == raw.min():
        return raw
    edges = np.histogram_bin_edges(raw, bins=max(int((high - low) / step), 1))
    return np.digitize(raw, edges).astype(float)


def sorted_ranks(cost: FloatArray, delta: FloatArray, weights: tuple[float, float]) -> FloatArray:
    """Ranks of one year's switches by position in the sorted weighted sum, 0 first: no ties."""
    order = np.argsort(weights[0] * _minmax(cost) + weights[1] * _minmax(-delta), kind="stable")
    ranks = np.empty(len(order))
    ranks[order] = np.arange(len(order))
    return ranks


def histogram_ranks(cost: FloatArray, delta: FloatArray, pathway: MppPathway) -> FloatArray:
    """Ranks over the whole horizon by cheapness and abatement, or by cost per tonne abated.

    Deltas of zero and below count as 0.01 and 0.000001: new plants, whose delta is never above zero,
    are told apart only by emitting or not (a defect kept).
    """
    clipped = np.where(delta > 0, delta, np.where(delta == 0, *_SMALLEST_CLIPPED))
    if pathway.ranking == "cost_per_tonne":
        return _minmax(cost / clipped)
    return -(pathway.emissions * _minmax(clipped) + pathway.cost * (1.0 - _minmax(cost)))


@dataclass(frozen=True)
class RankedSwitches:
    """The switches of one rank type that may happen, with their ranks (smaller is better)."""

    switches: SwitchTable
    rows: IntArray
    rank: FloatArray

    def of_year(self, year: int) -> NDArray[np.intp]:
        """Positions of a year's switches."""
        return np.flatnonzero(self.switches.year == year)


def rank_switches(tables: MppTables, settings: MppSettings, pathway: MppPathway) -> dict[str, RankedSwitches]:
    """Force and rank all switches; ``rows`` are row numbers of ``technology_transitions``."""
    allowed = force(tables, settings, pathway)
    weights = (pathway.cost, pathway.emissions)
    ranked = {}
    for name, kinds in RANK_TYPES.items():
        rows = np.flatnonzero(allowed & np.isin(tables.switches.kind, kinds))
        switches = tables.switches.take(rows)
        cost = np.nan_to_num(switches.lcox if settings.ranking.cost == "lcox" else switches.tco)
        delta = emission_deltas(tables, switches, settings.ranking.emissions)
        rank = np.zeros(len(rows))
        if pathway.ranking in ("histogram", "cost_per_tonne"):
            rank = histogram_ranks(cost, delta, pathway)
        else:
            for year in range(len(tables.years)):
                now = np.flatnonzero(switches.year == year)
                if pathway.ranking == "sorted":
                    rank[now] = sorted_ranks(cost[now], delta[now], weights)
                else:
                    uncertainty = settings.ranking.relative_uncertainty
                    rank[now] = bin_ranks(cost[now], delta[now], weights, uncertainty)
        ranked[name] = RankedSwitches(switches, rows, rank)
    return ranked


# --- the stack of assets and its counters ---------------------------------------------------------


@dataclass
class _Stack:
    """Assets in columns of which the first ``count`` are used; closed ones have ``active`` false."""

    product: IntArray
    region: IntArray
    technology: IntArray
    capacity: FloatArray
    utilisation: FloatArray
    commissioned: FloatArray
    retrofitted: BoolArray
    greenfield: BoolArray
    ppa_allowed: BoolArray
    active: BoolArray
    count: int

    def add(self, product: int, region: int, technology: int, capacity: float, use: float, year: int) -> None:
        """A new plant."""
        if self.count == len(self.product):
            for name, column in vars(self).items():
                if isinstance(column, np.ndarray):
                    setattr(self, name, np.concatenate([column, np.zeros_like(column)]))
        new = (product, region, technology, capacity, use, year, False, True, True, True)
        for name, value in zip(list(vars(self))[:-1], new, strict=True):
            getattr(self, name)[self.count] = value
        self.count += 1

    def live(self) -> NDArray[np.intp]:
        """Positions of the assets that stand."""
        return np.flatnonzero(self.active[: self.count])

    def production(self, assets: NDArray[np.intp]) -> FloatArray:
        """Production of the chosen assets [Mt/yr]."""
        return np.asarray(self.capacity[assets] * self.utilisation[assets], dtype=float)


def _initial_stack(tables: MppTables, settings: MppSettings) -> _Stack:
    """The stack of the first year: rows split into typical plants (rounded up), or one asset a row."""
    frame = tables.initial_stack
    product = codes_of(frame["product"], tables.products)
    capacity = frame["annual_production_capacity"].to_numpy(float)
    copies = np.ones(len(frame), dtype=np.int64)
    if settings.initial_stack == "regional":
        typical = np.array([settings.products[name].plant_capacity for name in tables.products])[product]
        copies, capacity = np.ceil(capacity / typical).astype(np.int64), typical
        use = frame["average_cuf"].to_numpy(float)
        year = settings.first_year - frame["average_age"].to_numpy(float)
    else:
        use, year = frame["capacity_factor"].to_numpy(float), frame["year"].to_numpy(float)
    ppa = frame["ppa_allowed"].to_numpy(bool) if "ppa_allowed" in frame else np.ones(len(frame), dtype=bool)
    rows = np.repeat(np.arange(len(frame)), copies)
    off = np.zeros(len(rows), dtype=bool)
    return _Stack(
        product[rows],
        codes_of(frame["region"], tables.regions)[rows],
        codes_of(frame["technology"], tables.technologies)[rows],
        *(capacity[rows], use[rows], year[rows], off, off.copy(), ppa[rows], ~off, len(rows)),
    )


class _Limits:
    """Counters of the next year's stack, and which limit one more change would break."""

    def __init__(self, tables: MppTables, settings: MppSettings, pathway: MppPathway) -> None:
        self.on = frozenset(pathway.limits)
        self.settings = settings
        self.tables = tables
        self.captured = tables.factor("co2_scope1_captured")
        self.emitted = tables.co2(("co2_scope1", "co2_scope2"))
        shared = settings.demand_share.technologies if settings.demand_share else ()
        self.shared = np.isin(tables.technologies, shared)
        self.uses_electrolysers: BoolArray = np.asarray(tables.electrolyser_gw.any(axis=(0, 1, 3)))
        self.classes = tables.classification
        self.year = 0

    def start(self, year: int, stack: _Stack) -> None:
        """Count stack t + 1, which is still equal to stack t (``year`` is t, from the first)."""
        live, tables = stack.live(), self.tables
        place = (stack.product[live], stack.region[live], stack.technology[live])
        made = stack.production(live)
        self.year = year
        self.captured_before = float(made @ self.captured[(*place, year)])
        self.captured_after = float(made @ self.captured[(*place, year + 1)])
        self.emitted_after = float(made @ self.emitted[(*place, year + 1)])
        power = tables.electrolyser_gw
        self.power_before = float(stack.capacity[live] @ power[(*place, year)])
        self.power_after = float(stack.capacity[live] @ power[(*place, year + 1)])
        self.shares = np.zeros((len(tables.products), len(tables.technologies)))
        np.add.at(self.shares, (place[0], place[2]), stack.capacity[live])
        self.counts_before = np.bincount(place[2], minlength=len(tables.technologies))
        self.counts_after = self.counts_before.copy()
        self.made = np.zeros((len(tables.products), len(tables.regions)))
        np.add.at(self.made, place[:2], made)

    def count(
        self, sign: int, product: int, region: int, technology: int, capacity: float, use: float
    ) -> None:
        """Take one asset into the counters (``sign`` 1) or out of them (-1)."""
        place = (product, region, technology, self.year + 1)
        made = sign * capacity * use
        self.captured_after += made * float(self.captured[place])
        self.emitted_after += made * float(self.emitted[place])
        self.power_after += sign * capacity * float(self.tables.electrolyser_gw[place])
        self.shares[product, technology] += sign * capacity
        self.counts_after[technology] += sign
        self.made[product, region] += made

    def broken(self, technology: int, greenfield: bool) -> str:
        """The first limit that the counted stack breaks, for a change to ``technology``; or nothing."""
        limits, year, settings = self.tables.annual_limits, self.year, self.settings
        if "carbon_budget" in self.on and greenfield and not self.within_budget():
            return "carbon_budget"
        if "rampup" in self.on and self.counts_after[technology] - self.counts_before[technology] > (
            self._rampup(technology)
        ):
            return "rampup"
        # new plants are never checked against storage: a defect kept
        looked_at = not greenfield or settings.new_plants_keep_co2_storage
        stored = self.captured_after - self.captured_before
        if "co2_storage" in self.on and looked_at and stored > limits["co2_storage"][year]:
            return "co2_storage"
        if "electrolysers" in self.on and self._short_of_electrolysers(technology):
            return "electrolysers"
        return "demand_share" if "demand_share" in self.on and self._shared_too_much() else ""

    def _shared_too_much(self) -> bool:
        """Whether technologies with a demand share serve more than it of a product's demand."""
        rule = self.settings.demand_share
        if rule is None or self._year() > rule.until:
            return False
        served = self.shares[:, self.shared].sum(axis=1) * self.settings.new_plant_utilisation
        return bool(np.any(served > rule.maximum * self.tables.world_demand[:, self.year]))

    def _short_of_electrolysers(self, technology: int) -> bool:
        """Whether the limit stops this technology: all of them before the first electrolyser stands."""
        if self.power_before == 0:
            return True
        added = self.power_after - self.power_before
        limit = self.tables.annual_limits["electrolysers"][self.year]
        return bool(self.uses_electrolysers[technology] and added > limit)

    def within_budget(self) -> bool:
        """Whether next year's stack keeps the carbon budget, both rounded to 10 Mt."""
        limit = float(self.tables.annual_limits["carbon_budget"][self.year + 1])
        return limit == math.inf or round(self.emitted_after / 1e3, 2) <= round(limit, 2)

    def _year(self) -> int:
        return int(self.tables.years[self.year])

    def _rampup(self, technology: int) -> float:
        rule = self.settings.rampup
        found = self.classes[:, :, technology, self.year].max()
        since = self._year() - int(self.tables.maturity[:, :, technology, self.year].max())
        if rule is None or found not in (TRANSITION, END_STATE) or not 0 <= since < rule.years:
            return math.inf
        return round(rule.assets * (1.0 + rule.growth) ** since)


# --- one year ------------------------------------------------------------------------------------


def _dispatch(tables: MppTables, settings: MppSettings, stack: _Stack, year: int) -> None:
    """Raise utilisation of the cheapest until demand is met, or lower that of the dearest to it."""
    upper, lower = settings.dispatch.upper, settings.dispatch.lower
    live = stack.live()
    for product in range(len(tables.products)):
        mine = live[stack.product[live] == product]
        surplus = float(stack.production(mine).sum()) - float(tables.world_demand[product, year])
        bound = upper if surplus < 0 else lower
        use = stack.utilisation[mine]
        mine = mine[use < bound] if surplus < 0 else mine[use > bound]
        cost = tables.dispatch_cost[product, stack.region[mine], stack.technology[mine], year]
        mine = mine[np.argsort(cost if surplus < 0 else -cost, kind="stable")]
        moved = np.cumsum(np.abs(bound - stack.utilisation[mine]) * stack.capacity[mine])
        needed = int(np.searchsorted(moved, abs(surplus))) + 1 if surplus else 0
        stack.utilisation[mine[:needed]] = bound


@dataclass
class _Run:
    """What one pathway's year loop works on."""

    tables: MppTables
    settings: MppSettings
    pathway: MppPathway
    ranked: dict[str, RankedSwitches]
    random: np.random.Generator
    stack: _Stack
    limits: _Limits
    parent: IntArray
    banned: BoolArray
    transitions: list[tuple[int, str, int, int, int, int, float]] = field(default_factory=list)
    shortfalls: list[tuple[int, int, float]] = field(default_factory=list)

    def drawn(self, name: str, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """``rows`` of a ranked table, best first; the best of equal rank come in random order."""
        return rows[np.lexsort((self.random.random(len(rows)), self.ranked[name].rank[rows]))]


def _decommission(run: _Run, year: int) -> None:
    """Close plants that hardly run and are due, while more is made than wanted."""
    stack, limits = run.stack, run.limits
    table = run.ranked["decommission"]
    for product in range(len(run.tables.products)):
        surplus = limits.made[product].sum() - run.tables.world_demand[product, year]
        while surplus > 0:
            due = stack.live()
            due = due[(stack.product[due] == product) & _is_due(run, due, year, closing=True)]
            rows = table.of_year(year)
            rows = rows[table.switches.product[rows] == product]
            chosen = -1
            for row in run.drawn("decommission", rows) if len(due) else ():
                fits = due[
                    (stack.region[due] == table.switches.region[row])
                    & (stack.technology[due] == table.switches.origin[row])
                ]
                if len(fits):
                    chosen = int(fits[run.random.integers(len(fits))])
                    break
            if chosen < 0:
                break
            region, technology = int(stack.region[chosen]), int(stack.technology[chosen])
            capacity, use = float(stack.capacity[chosen]), float(stack.utilisation[chosen])
            stack.active[chosen] = False
            limits.count(-1, product, region, technology, capacity, use)
            nothing = len(run.tables.technologies)
            run.transitions.append((year, "decommission", product, region, technology, nothing, capacity))
            surplus -= capacity * use


def _is_due(run: _Run, assets: NDArray[np.intp], year: int, closing: bool) -> BoolArray:
    use, bound = run.stack.utilisation[assets], run.settings.decommission_utilisation
    age = run.tables.years[year] - run.stack.commissioned[assets]
    return np.asarray((use <= bound if closing else use > bound) & (age >= run.settings.investment_cycle))


def _brownfield(run: _Run, year: int) -> None:
    """Switch standing plants, best switches first, up to a share of them (and one more: a defect kept).

    Each switch is drawn once a year. Plants never switched and plants that are due are two lists, so a
    plant can stand in both and switch twice.
    """
    settings, limits, live = run.settings, run.limits, run.stack.live()
    share = settings.renovation_share * len(live)
    most = math.ceil(share) if settings.renovation_share_rounded == "up" else math.floor(share)
    listed = _Listed(run, live, year)
    table = run.ranked["brownfield"].switches
    blocked: set[int] = set()
    switched = 0
    for row in run.drawn("brownfield", _brownfield_rows(run, year)):
        if switched > most or (run.pathway.stop_within_budget and limits.within_budget()):
            return
        place = int(table.product[row]), int(table.region[row]), int(table.origin[row])
        destination = int(table.destination[row])
        chosen = -1 if destination in blocked else listed.draw(place, destination)
        if chosen < 0:
            continue
        capacity, use = float(run.stack.capacity[chosen]), float(run.stack.utilisation[chosen])
        limits.count(-1, *place, capacity, use)
        limits.count(1, *place[:2], destination, capacity, use)
        broken = limits.broken(destination, greenfield=False)
        if broken and settings.dropped_on_violation == "destination":
            blocked.add(destination)
        if broken and not settings.broken_switch_still_happens:
            limits.count(-1, *place[:2], destination, capacity, use)
            limits.count(1, *place, capacity, use)
            continue
        run.stack.technology[chosen] = destination
        run.stack.retrofitted[chosen] |= bool(table.kind[row] == RENOVATION)
        run.transitions.append((year, "brownfield", *place, destination, capacity))
        listed.move(chosen, place, destination, strike=not broken)
        switched += not broken


class _Listed:
    """Candidates of a year by product, region and technology; a plant may stand in the list twice."""

    def __init__(self, run: _Run, live: NDArray[np.intp], year: int) -> None:
        stack = run.stack
        self.run = run
        due = live[_is_due(run, live, year, closing=False)]
        self.by_place: dict[tuple[int, int, int], list[int]] = {}
        for asset in np.concatenate([live[~stack.retrofitted[live]], due]).tolist():
            self.by_place.setdefault(self._place(asset), []).append(asset)
        word = run.settings.ppa_word
        self.needs_ppa = [bool(word) and str(word) in name for name in run.tables.technologies]

    def _place(self, asset: int) -> tuple[int, int, int]:
        stack = self.run.stack
        return int(stack.product[asset]), int(stack.region[asset]), int(stack.technology[asset])

    def draw(self, place: tuple[int, int, int], destination: int) -> int:
        """A random candidate that can switch to ``destination``, or -1."""
        found = self.by_place.get(place, [])
        if self.needs_ppa[destination]:
            found = [asset for asset in found if self.run.stack.ppa_allowed[asset]]
        return found[self.run.random.integers(len(found))] if found else -1

    def move(self, asset: int, place: tuple[int, int, int], destination: int, strike: bool) -> None:
        """List a plant that has switched under its new technology, one listing less if ``strike``."""
        found = self.by_place[place]
        times = found.count(asset)
        self.by_place[place] = [other for other in found if other != asset]
        self.by_place.setdefault((*place[:2], destination), []).extend([asset] * (times - strike))


def _brownfield_rows(run: _Run, year: int) -> NDArray[np.intp]:
    """A year's brownfield switches less those that are banned, too early, or not cheaper by enough."""
    table, pathway = run.ranked["brownfield"].switches, run.pathway
    rows = run.ranked["brownfield"].of_year(year)
    place = (table.product[rows], table.region[rows])
    kept = ~run.banned[table.region[rows], table.destination[rows]]
    if pathway.lcox_improvement is not None:
        before = run.tables.newbuild_lcox[(*place, table.origin[rows], year)]
        after = run.tables.newbuild_lcox[(*place, table.destination[rows], year)]
        kept &= after < (1.0 - pathway.lcox_improvement) * before
    for kind, first in ((RENOVATION, pathway.first_renovation), (NEWBUILD, pathway.first_newbuild)):
        if first is not None and run.tables.years[year] < first:
            kept &= table.kind[rows] != kind
    return rows[kept]


def _greenfield(run: _Run, year: int) -> None:
    """Build plants, product by product: announced ones, then what regions and then the world need."""
    for product, name in enumerate(run.tables.products):
        for region, technology, capacity in run.tables.pipeline.get((product, year), ()):
            _build(run, year, product, region, technology, capacity)
        builder = _Builder(run, year, product, name)
        builder.serve_regions()
        builder.serve_world()


def _build(run: _Run, year: int, product: int, region: int, technology: int, capacity: float) -> None:
    use = run.settings.new_plant_utilisation
    run.stack.add(product, region, technology, capacity, use, int(run.tables.years[year]) + 1)
    run.limits.count(1, product, region, technology, capacity, use)
    nothing = len(run.tables.technologies)
    run.transitions.append((year, "greenfield", product, region, nothing, technology, capacity))


class _Builder:
    """New plants of one product in one year."""

    def __init__(self, run: _Run, year: int, product: int, name: str) -> None:
        self.run, self.year, self.product = run, year, product
        self.capacity = run.settings.products[name].plant_capacity
        self.demand_year = min(year + run.settings.demand_year_offset, len(run.tables.years) - 1)
        self.target = float(run.tables.world_demand[product, self.demand_year])
        table = run.ranked["greenfield"]
        rows = table.of_year(year)
        rows = rows[table.switches.product[rows] == product]
        destination, region = table.switches.destination[rows], table.switches.region[rows]
        kept = ~run.banned[region, destination]
        if name in run.settings.no_initial_for:
            kept &= run.tables.classification[product, region, destination, year] != INITIAL
        rows = rows[kept]
        rows = rows[np.argsort(table.rank[rows], kind="stable")]
        switches = table.switches
        self.rows = [
            (float(table.rank[row]), int(switches.region[row]), int(switches.destination[row]))
            for row in rows
        ]
        self.room = self._room()

    def _room(self) -> IntArray | None:
        """How many more plants of this product each region may get; ``None`` without a cap.

        The cap counts the new plants of all products, but only this product's missing production, in
        plants of the base product's size.
        """
        run = self.run
        if run.settings.regional_cap is None:
            return None
        stack, live = run.stack, run.stack.live()
        new = live[stack.greenfield[live]]
        mine = np.bincount(run.parent[stack.region[new]], minlength=len(run.tables.regions))
        missing = self.target - float(run.limits.made[self.product].sum())
        required = math.ceil(missing / run.settings.cap_plant_capacity)
        return np.asarray(math.ceil(run.settings.regional_cap * (len(new) + required)) - mine)

    def serve_regions(self) -> None:
        """Plants that a region lacks to make its share of its own demand of the decision's year."""
        run, settings = self.run, self.run.settings
        for name, share in settings.regional_share.items():
            if name not in run.tables.regions:
                continue
            region = run.tables.regions.index(name)
            wanted = share * float(run.tables.demand[self.product, region, self.year])
            made = float(run.limits.made[self.product, run.parent == region].sum())
            if round(made, 2) >= round(wanted, 2):  # compared as the solver does, to 10 kt
                continue
            for _ in range(math.ceil((wanted - made) / self.capacity)):
                if not self._one(partial(self._is_in, region)):
                    break

    def serve_world(self) -> None:
        """Plants until the world's demand is met, or no switch is left."""
        while True:
            missing = self.target - float(self.run.limits.made[self.product].sum())
            if missing <= 0:
                return
            if not self._one(lambda _: True):
                self.run.shortfalls.append((self.year, self.product, missing))
                return

    def _is_in(self, parent: int, region: int) -> bool:
        return int(self.run.parent[region]) == parent

    def _one(self, allowed: Callable[[int], bool]) -> bool:
        """Build one plant by the best switch that keeps the limits; those that break one are dropped."""
        run = self.run
        use = run.settings.new_plant_utilisation
        while True:
            best = list(self._best(allowed))
            if not best:
                return False
            region, technology = best[run.random.integers(len(best))]
            run.limits.count(1, self.product, region, technology, self.capacity, use)
            broken = run.limits.broken(technology, greenfield=True)
            run.limits.count(-1, self.product, region, technology, self.capacity, use)
            if not broken:
                _build(run, self.year, self.product, region, technology, self.capacity)
                if self.room is not None:
                    self.room[run.parent[region]] -= 1
                return True
            self.rows = [row for row in self.rows if row[2] != technology]

    def _best(self, allowed: Callable[[int], bool]) -> Iterator[tuple[int, int]]:
        best = math.nan
        for rank, region, technology in self.rows:
            if rank > best:
                return
            if self.room is not None and self.room[self.run.parent[region]] <= 0:
                continue
            if allowed(region):
                best = rank
                yield region, technology


# --- a pathway ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MppResult:
    """What a pathway gives: the stack by year (after dispatch, before decisions), and its decisions."""

    mix_by_region: pd.DataFrame
    emissions: pd.DataFrame
    transitions: pd.DataFrame
    shortfalls: pd.DataFrame
    ranked: dict[str, RankedSwitches]

    @property
    def mix(self) -> pd.DataFrame:
        """Production and capacity [Mt/yr] and assets by product, technology and year."""
        keys = ["product", "technology", "year"]
        total = self.mix_by_region.groupby(keys, as_index=False, sort=True).sum(numeric_only=True)
        return total.rename(
            columns={
                "annual_production_volume": "annual_production_volume_Mt",
                "annual_production_capacity": "annual_production_capacity_Mt",
            }
        )


def write_result(result: MppResult, folder: Path) -> list[Path]:
    """Write the mix, the emissions, the mix by region and the decisions as CSV into ``folder``."""
    tables = {
        "technology_mix_by_year": result.mix,
        "emissions_by_year_Mt": result.emissions,
        "technology_mix_by_region_year": result.mix_by_region.drop(
            columns=["annual_production_capacity", "n_assets"]
        ),
        "transitions": result.transitions,
    }
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            paths.append(folder / f"{name}.csv")
            table.to_csv(paths[-1], index=False, lineterminator="\n")
    except OSError as error:
        raise RunError(f"cannot write {folder}: {error.strerror}") from error
    return paths


def run_faithful(tables: MppTables, settings: MppSettings, name: str, seed: int) -> MppResult:
    """Run one pathway of ``settings.pathways`` through all years with one random generator."""
    if name not in settings.pathways:
        faults = FaultList()
        allowed = ", ".join(settings.pathways)
        faults.add("--pathway", what="no such pathway", found=name, allowed=allowed)
        faults.raise_if_any(f"{settings.sector}")
    pathway = settings.pathways[name]
    ranked = rank_switches(tables, settings, pathway)
    regions = tables.regions
    parents = [settings.subregions.get(region, region) for region in regions]
    banned = np.zeros((len(regions), len(tables.technologies) + 1), dtype=bool)
    for region, technologies in settings.bans.items():
        if region in regions:
            banned[regions.index(region), :-1] = np.isin(tables.technologies, technologies)
    run = _Run(
        *(tables, settings, pathway, ranked, np.random.default_rng(seed)),
        *(_initial_stack(tables, settings), _Limits(tables, settings, pathway)),
        np.array([regions.index(parent) if parent in regions else k for k, parent in enumerate(parents)]),
        banned,
    )
    seen = []
    for year in range(len(tables.years)):
        _dispatch(tables, settings, run.stack, year)
        seen.append(_photograph(run.stack, year))
        if year + 1 < len(tables.years):
            run.limits.start(year, run.stack)
            _decommission(run, year)
            _brownfield(run, year)
            _greenfield(run, year)
    return _result(run, np.concatenate(seen, axis=1), ranked)


def _photograph(stack: _Stack, year: int) -> FloatArray:
    """The stack as numbers: product, region, technology, year, production, capacity."""
    live = stack.live()
    codes = (stack.product[live], stack.region[live], stack.technology[live], np.full(len(live), year))
    return np.array([*codes, stack.production(live), stack.capacity[live]], dtype=float)


def _result(run: _Run, seen: FloatArray, ranked: dict[str, RankedSwitches]) -> MppResult:
    tables = run.tables
    shape = (len(tables.products), len(tables.regions), len(tables.technologies), len(tables.years))
    place = tuple(seen[:4].astype(np.int64))
    flat = np.ravel_multi_index(place, shape)
    size = int(np.prod(shape))
    made = np.bincount(flat, seen[4], size).reshape(shape)
    capacity = np.bincount(flat, seen[5], size).reshape(shape)
    assets = np.bincount(flat, minlength=size).reshape(shape)
    product, region, technology, year = np.nonzero(assets)
    at = (product, region, technology, year)
    mix = pd.DataFrame(
        {
            "product": np.array(tables.products, dtype=object)[product],
            "region": np.array(tables.regions, dtype=object)[region],
            "technology": np.array(tables.technologies, dtype=object)[technology],
            "year": tables.years[year],
            "annual_production_volume": made[at],
            "annual_production_capacity": capacity[at],
            "n_assets": assets[at],
        }
    )
    totals = np.einsum("prty,kprty->kpy", made, tables.factors[:, :, :, :-1])
    columns = {
        "product": np.repeat(np.array(tables.products, dtype=object), shape[3]),
        "year": np.tile(tables.years, shape[0]),
        **{name: totals[k].ravel() for k, name in enumerate(tables.emission_kinds)},
    }
    by_words = ["product", "region", "technology", "year"]
    mix = mix.sort_values(by_words, ignore_index=True)
    emissions = pd.DataFrame(columns).sort_values(["product", "year"], ignore_index=True)
    return MppResult(mix, emissions, *_decisions(run), ranked)


def _decisions(run: _Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    tables = run.tables
    names = (*tables.technologies, "")
    rows = [
        {
            "year_first_visible": int(tables.years[year]) + 1,
            "type": kind,
            "product": tables.products[product],
            "region": tables.regions[region],
            "technology_origin": names[origin] or "New-build",
            "technology_destination": names[destination] or "Decommissioned",
            "capacity_Mt": capacity,
        }
        for year, kind, product, region, origin, destination, capacity in run.transitions
    ]
    short = [
        {"year": int(tables.years[year]) + 1, "product": tables.products[product], "shortfall_Mt": missing}
        for year, product, missing in run.shortfalls
    ]
    columns = ["year_first_visible", "type", "product", "region", "technology_origin"]
    columns += ["technology_destination", "capacity_Mt"]
    return (
        pd.DataFrame(rows, columns=columns),
        pd.DataFrame(short, columns=["year", "product", "shortfall_Mt"]),
    )
