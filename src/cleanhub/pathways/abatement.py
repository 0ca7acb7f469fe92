"""What each measure cuts against the path on which no technology changes, and at what cost.

The frozen path starts alike and must meet the same demand; no plant switches, and whatever is
built or bought new is the incumbent. A measure is a technology in a sector and region. In
each cell (a market, a vehicle class, or a plant outside any market) technologies that make
more than on the frozen path take the place of those that make less: each of them cuts the
tonnes of what it replaces less its own. What is made more or less in all stands as a line
without technology, so that the measures sum to the difference of the two paths. Only scope 1
is counted, and only plants and vehicles whose technology is in the library.

Costs are those of the years in which owners decided: full cost of the new technology less full
cost of what it replaces, new, per tonne. Capital that an early replacement gives up is in plan
table ``stranded``; carriers are bought at the hub's prices.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.tables import conform
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.engine import walk
from cleanhub.pathways.problem import NEVER, Path, Problem
from cleanhub.pathways.unit_cost import plant_costs, vehicle_costs, with_policy, without_policy
from cleanhub.pathways.vehicles import VehicleClass

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FAR_YEAR = 2050
"""Year that is shown besides the hub's target years, where the path reaches it."""
ACTIVITY = "more or less is made"
SMALL = 1e-9
"""Share of a quantity below which a difference is rounding."""
LEAST_T = 1e-3
"""Tonnes a year below which a measure is rounding."""


def frozen_problem(problem: Problem) -> Problem:
    """``problem`` without switches, limits or free purchases: what is new is the incumbent.

    Committed plants and projects stay. A market without any plant at the start builds what the
    library takes as usual for its product, or else what it may.
    """
    markets, tech, plants = problem.markets, problem.tech, problem.plants
    offered = markets.offered.copy()
    priced = problem.costs.priced.copy()
    for m in np.flatnonzero(markets.meets_demand):
        mine = (plants.market == m) & (plants.start >= 0)
        usual = offered[m] & tech.is_default
        if mine.any() and plants.capacity[mine].sum() > 0:
            leading = int(np.bincount(plants.start[mine], plants.capacity[mine]).argmax())
        elif usual.any():
            leading = int(np.flatnonzero(usual)[0])
        else:
            continue
        offered[m] = np.arange(len(tech.names)) == leading
        priced[markets.region[m], leading] = True
    return replace(
        problem,
        kinds=np.zeros_like(problem.kinds),
        markets=replace(markets, offered=offered),
        costs=replace(problem.costs, priced=priced),
        rule=replace(problem.rule, name="least_cost", spread=0.0),
        first_purchase=NEVER,
        limits=[],
    )


@dataclass(frozen=True)
class Measure:
    """Tonnes cut in a year by one technology (-1: more or less is made) of one sector and region.

    ``usd`` and ``usd_with_policy`` are what it costs in that year [USD/yr]; NaN where it cannot be said.
    """

    sector: str
    region: int
    technology: int
    tonnes: float
    usd: float
    usd_with_policy: float


class Prices:
    """What units cost on a path without policy and with it: the same in whichever year they are asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.views = (without_policy(path.problem), with_policy(path.problem))
        self.new_plants = cache(self._new_plants)
        self.vehicles = cache(self._vehicles)

    def _new_plants(self, view: int, region: int, load: float) -> FloatArray:
        """Cost per unit of new plants, (K, T) [USD]."""
        path = self.path
        return plant_costs(path.problem, self.views[view], path.multiplier, region, load).new

    def _vehicles(self, v: int) -> list[FloatArray]:
        """Cost per unit of the vehicle class ``v`` in each view, (P, T) [USD]."""
        path = self.path
        cls = path.vehicles[v]
        return [vehicle_costs(path.problem, running, path.multiplier, cls) for running in self.views]


def measures(path: Path, frozen: Path, t: int, prices: Prices | None = None) -> list[Measure]:
    """Every measure in year position ``t``, by sector, region and technology.

    ``prices`` are those of ``path``, where several years are asked for.
    """
    prices = prices or Prices(path)
    found: dict[tuple[str, int, int], FloatArray] = {}
    _plants(path, frozen, t, prices, found)
    for v in range(len(path.vehicles)):
        _vehicles(path, frozen, v, t, prices, found)
    return [
        Measure(sector, region, k, float(total[0]), float(total[1]), float(total[2]))
        for (sector, region, k), total in sorted(found.items())
        if abs(total[0]) > LEAST_T
    ]


@dataclass(frozen=True)
class Swap:
    """What replaces what: gains and losses of production by cell and technology, (cells, K).

    ``lost_t`` tonnes per unit of what is replaced, by cell; ``tonnes`` cut by each gain,
    (cells, K); ``rest`` tonnes cut because less is made, by cell.
    """

    gain: FloatArray
    loss: FloatArray
    tonnes: FloatArray
    rest: FloatArray


def swap(made: FloatArray, made_frozen: FloatArray, tonnes: FloatArray, tonnes_frozen: FloatArray) -> Swap:
    """Match what is made more with what is made less; all arrays (cells, K)."""
    change, emitted = made - made_frozen, tonnes - tonnes_frozen
    size = np.maximum(made, made_frozen).max(axis=1, initial=0.0)[:, None]
    gain = np.where(change > SMALL * size, change, 0.0)
    loss = np.where(change < -SMALL * size, -change, 0.0)
    lost = -np.where(loss > 0, emitted, 0.0).sum(axis=1)
    given_up = loss.sum(axis=1)
    usual = np.divide(
        tonnes_frozen.sum(axis=1),
        made_frozen.sum(axis=1),
        out=np.zeros(len(made)),
        where=made_frozen.sum(axis=1) > 0,
    )
    each = np.divide(lost, given_up, out=usual, where=given_up > 0)[:, None]
    cut = np.where(gain > 0, gain * each - emitted, 0.0)
    rest = -emitted.sum(axis=1) - cut.sum(axis=1)
    return Swap(gain, loss, cut, rest)


def _add(
    found: dict[tuple[str, int, int], FloatArray], key: tuple[str, int, int], amounts: FloatArray
) -> None:
    found[key] = found.get(key, np.zeros(3)) + amounts


# ---------------------------------------------------------------- plants


def _cells(path: Path) -> tuple[IntArray, IntArray]:
    """Cell of each row, (R,), and the market of each cell.

    A market that meets demand is one cell; plants outside of those are one for each market and
    technology that they started with.
    """
    markets, plants = path.problem.markets, path.problem.plants
    number = len(path.problem.tech.names) + 1
    pairs, code = np.unique(plants.market * number + plants.start + 1, return_inverse=True)
    first = np.maximum(path.plant, 0)
    own = len(markets.name) + (code[first] if len(code) else np.zeros(len(first), dtype=np.int64))
    cell = np.where(markets.meets_demand[path.market], path.market, own)
    return cell, np.concatenate([np.arange(len(markets.name)), pairs // number])


def _by_cell(path: Path, t: int, cells: int) -> tuple[FloatArray, FloatArray]:
    """Production and tonnes by cell and technology, each (cells, K + 1); the last has no technology."""
    shape = (cells, len(path.problem.tech.names) + 1)
    made, tonnes = np.zeros(shape), np.zeros(shape)
    at = (_cells(path)[0], path.run[:, t])
    np.add.at(made, at, path.production[:, t])
    np.add.at(tonnes, at, path.emissions[:, t])
    return made, tonnes


def _plants(
    path: Path,
    frozen: Path,
    t: int,
    prices: Prices,
    found: dict[tuple[str, int, int], FloatArray],
) -> None:
    markets = path.problem.markets
    _, market_of = _cells(path)
    if not len(market_of):
        return
    made, tonnes = _by_cell(path, t, len(market_of))
    made_frozen, tonnes_frozen = _by_cell(frozen, t, len(market_of))
    one = swap(made, made_frozen, tonnes, tonnes_frozen)
    extra = _extra_costs(path, t, one, market_of, prices)
    for cell, k in np.argwhere(one.gain > 0):
        m = market_of[cell]
        key = (str(markets.sector[m]), int(markets.region[m]), int(k))
        _add(found, key, np.array([one.tonnes[cell, k], *extra[:, cell, k]]))
    for cell in np.flatnonzero(np.abs(one.rest) > LEAST_T):
        m = market_of[cell]
        _add(
            found,
            (str(markets.sector[m]), int(markets.region[m]), -1),
            np.array([one.rest[cell], np.nan, np.nan]),
        )


def _extra_costs(path: Path, t: int, one: Swap, market_of: IntArray, prices: Prices) -> FloatArray:
    """What the gains cost more than what they replace, by view, cell and technology, (2, cells, K + 1)."""
    problem, markets = path.problem, path.problem.markets
    share = np.divide(
        one.loss, one.loss.sum(axis=1, keepdims=True), out=np.zeros_like(one.loss), where=one.loss > 0
    )
    unknown = share[:, -1] > 0
    since = _decided(path, t)
    cells, _ = _cells(path)
    out = np.full((2, *one.gain.shape), np.nan)
    loads = np.array([_load(problem, m) for m in market_of])
    regions = markets.region[market_of]
    for region, load in sorted(set(zip(regions.tolist(), loads.tolist(), strict=True))):
        mine = (regions == region) & (loads == load)
        for view in range(len(prices.views)):
            new = prices.new_plants(view, region, load)
            for cell, k in np.argwhere((one.gain > 0) & mine[:, None] & ~unknown[:, None]):
                if k == len(problem.tech.names) or not share[cell].any():
                    continue
                rows = np.flatnonzero((cells == cell) & (path.run[:, t] == k) & (path.production[:, t] > 0))
                changed = rows[since[rows] > 0]
                rows = changed if len(changed) else rows
                at = np.where(since[rows] > 0, since[rows], t)
                weight = path.production[rows, t] / path.production[rows, t].sum()
                gap = new[k, at] - share[cell, :-1] @ new[:, at]
                out[view, cell, k] = one.gain[cell, k] * float(gap @ weight)
    return out


def _load(problem: Problem, market: int) -> float:
    high = float(problem.markets.high[market])
    return high if problem.markets.meets_demand[market] and high > 0 else 1.0


def _decided(path: Path, t: int) -> IntArray:
    """Year position in which each row took up what it runs in ``t``; 0 for what it began with, (R,)."""
    same = (path.run[:, : t + 1] == path.run[:, t : t + 1]) & (path.capacity[:, : t + 1] > 0)
    broken = np.where(same, -1, np.arange(t + 1)[None, :]).max(axis=1, initial=-1)
    return np.asarray(np.minimum(broken + 1, t), dtype=np.int64)


# ---------------------------------------------------------------- vehicles


def _vehicles(
    path: Path,
    frozen: Path,
    v: int,
    t: int,
    prices: Prices,
    found: dict[tuple[str, int, int], FloatArray],
) -> None:
    cls, before = path.vehicles[v], frozen.vehicles[v]
    tech = path.problem.tech
    each = tech.direct[cls.options] * cls.scale
    made, kept = cls.distance[None, :, t], before.distance[None, :, t]
    one = swap(made, kept, made * each, kept * each)
    bought = _bought_by(path, cls, t)
    share = np.divide(one.loss[0], one.loss.sum(), out=np.zeros(len(each)), where=one.loss[0] > 0)
    costs = prices.vehicles(v)
    for p in np.flatnonzero(one.gain[0] > 0):
        gaps = [float((cost[p] - share @ cost) @ bought[p]) if share.any() else np.nan for cost in costs]
        amounts = np.array([one.tonnes[0, p], *(one.gain[0, p] * gap for gap in gaps)])
        _add(found, (cls.sector, cls.region, int(cls.options[p])), amounts)
    if abs(one.rest[0]) > LEAST_T:
        _add(found, (cls.sector, cls.region, -1), np.array([one.rest[0], np.nan, np.nan]))


def _bought_by(path: Path, cls: VehicleClass, t: int) -> FloatArray:
    """When the vehicles of each option were bought, as shares of the purchases of one life, (P, T)."""
    life = np.maximum(path.problem.tech.lifetime[cls.options], 1)
    at = np.arange(cls.bought.shape[1])
    recent = (at[None, :] <= t) & (at[None, :] > t - life[:, None])
    bought = np.where(recent, cls.bought, 0.0)
    total = bought.sum(axis=1, keepdims=True)
    now = (at == t)[None, :].astype(float)
    return np.where(total > 0, bought / np.where(total > 0, total, 1.0), now)


# ---------------------------------------------------------------- the table


def abatement_cost_table(pathway: Pathway) -> pd.DataFrame:
    """Plan table ``abatement_cost`` for the hub's target years, 2050 and the last year of the path."""
    table = PLAN_TABLES["abatement_cost"]
    frozen = walk(frozen_problem(pathway.problem))
    prices = Prices(pathway.walked)
    rows: list[dict[str, object]] = []
    for year in shown_years(pathway):
        t = year - int(pathway.years[0])
        rows += _rows(pathway, year, measures(pathway.walked, frozen, t, prices))
    return conform(pd.DataFrame(rows, columns=table.names), table)


def shown_years(pathway: Pathway) -> list[int]:
    """Years of the hub's emission targets, 2050 and the last year, as far as the path reaches."""
    targets = pathway.hub.tables["targets"]
    aims = targets[targets["metric"].isin(["hub_emissions", "state_emissions"])]["year"]
    first, last = pathway.hub.base_year, int(pathway.years[-1])
    return sorted(year for year in {*(int(y) for y in aims), FAR_YEAR, last} if first < year <= last)


def _rows(pathway: Pathway, year: int, found: list[Measure]) -> list[dict[str, object]]:
    frame = pd.DataFrame([_line(pathway, year, one) for one in found])
    if frame.empty:
        return []
    frame = frame.sort_values(["usd_per_t", "measure"], kind="stable", na_position="last")
    costed = frame["usd_per_t"].notna()
    frame["cumulative_t"] = frame["co2e_t"].where(costed).cumsum()
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _line(pathway: Pathway, year: int, one: Measure) -> dict[str, object]:
    region = pathway.problem.regions[one.region]
    name = str(pathway.tech.names[one.technology]) if one.technology >= 0 else ""
    cuts = one.tonnes > 0 and one.technology >= 0
    note = ""
    if one.technology < 0:
        note = "not the amount of the frozen path: other sectors use more or less, or demand is unmet"
    elif not cuts:
        note = "emits more than what it replaces: no cost per tonne"
    elif not np.isfinite(one.usd):
        note = "takes the place of nothing whose cost is known"
    return {
        "measure": " | ".join(part for part in (name or ACTIVITY, one.sector, region) if part),
        "year": year,
        "sector": one.sector,
        "region": region,
        "technology": name,
        "co2e_t": one.tonnes,
        "usd_per_t": one.usd / one.tonnes if cuts else np.nan,
        "usd_per_t_with_policy": one.usd_with_policy / one.tonnes if cuts else np.nan,
        "note": note,
    }
