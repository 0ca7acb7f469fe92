"""The shared solver of the Mission Possible Partnership, repeated with its own rules and defects.

One pathway is: take switches out that may not happen and rank what is left
(:mod:`cleanhub.pathways.mpp_ranking`), then go through the years (:func:`run_faithful`): dispatch the
stack (:mod:`cleanhub.pathways.mpp_stack`), write it down, close plants, switch plants, build plants.
State is columns (one entry per asset), tables are integer codes, limits are counters that change by
the one asset in question; every draw comes from one generator. Capacity and production are in Mt a
year, costs in USD per t or per t of yearly capacity, emission factors in t per t, budgets in Gt. What
the rules leave open, and what these modules do there, is told in ``docs/models/mpp-faithful.md``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList, RunError
from cleanhub.hub.mpp_settings import MppPathway, MppSettings
from cleanhub.pathways.mpp_ranking import RankedSwitches, rank_switches
from cleanhub.pathways.mpp_stack import MppLimits, MppStack, initial_stack
from cleanhub.pathways.mpp_tables import (
    INITIAL,
    NEWBUILD,
    RENOVATION,
    BoolArray,
    FloatArray,
    IntArray,
    MppTables,
)

# --- one year ------------------------------------------------------------------------------------


def _dispatch(tables: MppTables, settings: MppSettings, stack: MppStack, year: int) -> None:
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
    stack: MppStack
    limits: MppLimits
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
        *(initial_stack(tables, settings), MppLimits(tables, settings, pathway)),
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


def _photograph(stack: MppStack, year: int) -> FloatArray:
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
