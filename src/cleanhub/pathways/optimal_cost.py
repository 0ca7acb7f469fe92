"""One accounting of what a path costs, for the optimum and for any other path alike.

The system cost of a path is

    J = sum over years t of d_t x (production x yearly cost - credits + vehicles + unmet x penalty)
      + capital,    d_t = (1 + r) ** -(years[t] - years[0]).

Capital spent in year t on a technology of lifetime L becomes L equal yearly payments from t on,
of which those up to the last year count; they run on when the plant is given up earlier. The
capital of what stands at the start is sunk. A carrier that a market of the hub supplies costs
its users nothing here: its supplier's cost stands for it. Committed projects at plants are
the same in every path and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.finance.annuity import capital_recovery_factor
from cleanhub.pathways.learning import after_learning
from cleanhub.pathways.problem import SHARE, FloatArray, Path, Problem
from cleanhub.pathways.vehicles import VehicleClass

PENALTY_TIMES = 10.0
"""Unmet demand costs this many times the dearest option, so that it is the last resort."""
TOLERANCE = 1e-6
"""A limit counts as broken when it is passed by more than this share of its value."""


@dataclass(frozen=True)
class Broken:
    """A hard limit that a path breaks in a year: what it used and what is allowed, in its unit."""

    limit: str
    year: int
    used: float
    allowed: float


@dataclass(frozen=True)
class SystemCost:
    """Discounted cost of a path [USD of the price year, worth of the first year].

    ``items`` by name: production, credits (negative), capital, vehicles, unmet; ``by_year`` the same
    by year, discounted (T,), where capital stands in the year in which it is spent; ``broken`` the
    hard limits that the path does not keep.
    """

    items: dict[str, float]
    by_year: dict[str, FloatArray]
    broken: tuple[Broken, ...]

    @property
    def total(self) -> float:
        """Sum of the items."""
        return sum(self.items.values())


class Accounts:
    """Weights that turn amounts of a path into system cost.

    ``discount`` d_t (T,); ``worth`` of one dollar of capital spent on each technology in each year
    (K, T); ``full``, ``part`` and ``renewal``: capital of a new plant or rebuild, of a retrofit off
    the cycle, and of keeping on when due [USD per unit], learning included (K, T); ``yearly`` cost
    of a unit by market (M, K, T); ``driving`` cost of a unit of activity of each vehicle class, a
    list of (P, T); ``penalty`` of a unit of unmet demand by market (M,).
    """

    def __init__(self, problem: Problem, multiplier: FloatArray | None = None) -> None:
        tech, rule, count = problem.tech, problem.rule, len(problem.years)
        rate = rule.discount_rate
        ones = np.ones((len(tech.names), count))
        self.problem = problem
        self.multiplier = ones if multiplier is None else np.asarray(multiplier, dtype=np.float64)
        self.discount: FloatArray = (1.0 + rate) ** -(problem.years - problem.years[0]).astype(np.float64)
        self.worth = capital_worth(tech.lifetime, rate, self.discount)
        self.full = full_capital(problem, self.multiplier)
        self.part: FloatArray = tech.capex_added[:, None] * self.multiplier
        kept = (tech.capex - tech.capex_added)[:, None]
        self.renewal: FloatArray = np.where(tech.base[:, None] >= 0, kept, self.full)
        self.supplied = _supplied(problem)
        self.yearly = self._yearly()
        self.driving = [self._driving(cls) for cls in problem.vehicles]
        self.penalty = self._penalty()

    def _yearly(self) -> FloatArray:
        """Cost of a unit of product by market, carriers of other markets of the hub for nothing."""
        costs, markets = self.problem.costs, self.problem.markets
        out = costs.yearly[markets.region]
        for m in np.flatnonzero(markets.carrier >= 0):
            c = int(markets.carrier[m])
            share = markets.takes[m, markets.region].copy()
            share[m] = 0.0
            users = np.flatnonzero(share > 0)
            use = self.problem.tech.inputs[:, c][None, :, None] * costs.prices[markets.region[users], :, c]
            out[users] -= share[users, None, None] * use
        return np.asarray(out)

    def _driving(self, cls: VehicleClass) -> FloatArray:
        """Cost of a unit of activity, (P, T); tonnes are those of the inventory."""
        costs, tech, g, options = self.problem.costs, self.problem.tech, cls.region, cls.options
        paid = tech.inputs[options] * np.maximum(1.0 - self.supplied[:, g], 0.0)
        energy = np.einsum("pc,pct->pt", paid, costs.prices[g, options])
        tonnes = (tech.direct[options] * cls.scale)[:, None] * costs.carbon_price[g]
        stored = tech.captured[options][:, None] * costs.storage_price[g]
        credit = costs.yearly_credit[g, options]
        charged = cls.chargers.cost if cls.chargers else 0.0
        return np.asarray(tech.variable[options][:, None] + energy + tonnes + stored - credit + charged)

    def _penalty(self) -> FloatArray:
        tech, costs, markets = self.problem.tech, self.problem.costs, self.problem.markets
        rate = self.problem.rule.discount_rate
        charge = tech.capex * capital_recovery_factor(rate, np.maximum(tech.lifetime, 1))
        dearest = np.abs(costs.yearly).max(axis=2, initial=0.0) + charge * np.maximum(
            self.multiplier.max(axis=1), 1.0
        )
        out = np.zeros(len(markets.name))
        for m in range(len(out)):
            plants = self.problem.plants.start[self.problem.plants.market == m]
            mine = markets.offered[m].copy()
            mine[plants[plants >= 0]] = True
            mine |= (self.problem.kinds[mine] > 0).any(axis=0)
            mine &= ~tech.is_vehicle
            out[m] = PENALTY_TIMES * float(dearest[markets.region[m], mine].max(initial=0.0))
        return np.where(out > 0, out, max(PENALTY_TIMES, float(out.max(initial=0.0))))


def capital_worth(lifetime: NDArray[np.int64], rate: float, discount: FloatArray) -> FloatArray:
    """Discounted payments up to the last year for one dollar of capital spent in each year, (K, T)."""
    life = np.maximum(lifetime, 1)
    count = len(discount)
    upto = np.concatenate([[0.0], np.cumsum(discount)])
    start = np.arange(count)
    end = np.minimum(start[None, :] + life[:, None], count)
    paid = upto[end] - upto[start][None, :]
    return np.asarray(capital_recovery_factor(rate, life)[:, None] * paid)


def _supplied(problem: Problem) -> FloatArray:
    """Share of each carrier's use that markets of the hub supply, by region, (C, G)."""
    markets = problem.markets
    out = np.zeros((len(problem.tech.carriers), len(problem.regions)))
    for m in np.flatnonzero(markets.carrier >= 0):
        out[markets.carrier[m]] += markets.takes[m]
    return out


def cost_of(problem: Problem, path: Path, multiplier: FloatArray | None = None) -> SystemCost:
    """System cost of ``path``, whatever rule it came from.

    Parameters
    ----------
    problem
        What the path was decided on.
    path
        Its state by row and year, with its capital at its own multiplier.
    multiplier
        Share of today's capital by technology and year (K, T); that of the path unless given.
    """
    accounts = Accounts(problem, path.multiplier if multiplier is None else multiplier)
    rows, known = np.maximum(path.run, 0), path.run >= 0
    position = np.arange(len(problem.years))[None, :]
    d = accounts.discount
    unit = accounts.yearly[path.market[:, None], rows, position]
    cost = np.where(known, unit * path.production, 0.0)
    paid = path.capex if multiplier is None else path.capex * _repriced(problem, path, multiplier)
    spent = np.where(known, paid * accounts.worth[rows, position], 0.0)
    missed = accounts.penalty[:, None] * path.unmet * problem.markets.meets_demand[:, None]
    by_year = {
        "production": d * cost.sum(axis=0),
        "credits": -d * (path.credits * path.production).sum(axis=0),
        "capital": spent.sum(axis=0),
        "vehicles": vehicle_cost(accounts, path.vehicles),
        "unmet": d * missed.sum(axis=0),
    }
    items = {name: float(values.sum()) for name, values in by_year.items()}
    return SystemCost(items, by_year, broken_limits(problem, path))


def full_capital(problem: Problem, multiplier: FloatArray) -> FloatArray:
    """Capital of each technology built whole, by year (K, T): what it adds to its base is learnt."""
    tech = problem.tech
    return after_learning(tech.capex[:, None], tech.capex_added[:, None], multiplier)


def _repriced(problem: Problem, path: Path, multiplier: FloatArray) -> FloatArray:
    """Capital at another multiplier relative to that of the path, by row and year (R, T).

    Exact where a row has one investment in a year, as plants that are never split do.
    """
    tech, changes = problem.tech, path.changes
    k, position = np.maximum(path.run, 0), np.arange(path.run.shape[1])[None, :]
    entered = np.zeros(path.run.shape)
    arrived = np.array(changes.after, dtype=np.int64) >= 0
    at = np.array(changes.row, dtype=np.int64)[arrived], np.array(changes.t, dtype=np.int64)[arrived]
    np.add.at(entered, at, np.array(changes.capex)[arrived])
    only_part = np.zeros(path.run.shape, dtype=bool)
    only_part[at] = np.array(changes.kind, dtype=object)[arrived] == "retrofit"
    only_part &= path.capex <= entered * (1.0 + TOLERANCE)
    old, new = full_capital(problem, path.multiplier), full_capital(problem, multiplier)
    whole = np.divide(new, old, out=np.ones_like(old), where=old > 0)
    share = np.divide(multiplier, path.multiplier, out=np.ones_like(old), where=path.multiplier > 0)
    renewed = (entered == 0) & (tech.base[k] >= 0)
    ratio = np.where(only_part, share[k, position], whole[k, position])
    return np.where(renewed, 1.0, ratio)


def vehicle_cost(accounts: Accounts, vehicles: list[VehicleClass]) -> FloatArray:
    """Discounted cost of the vehicles by year, (T,): purchase, fixed cost and driving."""
    problem, tech = accounts.problem, accounts.problem.tech
    out = np.zeros(len(problem.years))
    for cls, driving in zip(vehicles, accounts.driving, strict=True):
        fixed = cls.vehicles * np.where(tech.is_vehicle, tech.fixed, 0.0)[cls.options][:, None]
        yearly = fixed + cls.distance * driving
        out += accounts.discount * yearly.sum(axis=0)
        out += (cls.bought * purchase(accounts, cls)).sum(axis=0)
    return out


def purchase(accounts: Accounts, cls: VehicleClass) -> FloatArray:
    """Worth of the payments for one vehicle bought, by option and year (P, T): capital less credit."""
    problem, options = accounts.problem, cls.options
    price = problem.tech.capex[options][:, None] * accounts.multiplier[options]
    paid = np.maximum(price - problem.costs.vehicle_credit[cls.region, options], 0.0)
    return np.asarray(paid * accounts.worth[options])


def broken_limits(problem: Problem, path: Path) -> tuple[Broken, ...]:
    """Hard limits that ``path`` does not keep, by name and year, from the first year of choice."""
    out = []
    for limit, used in zip(problem.limits, path.used, strict=True):
        if not limit.hard:
            continue
        allowed = limit.value * path.asked(limit.markets) if limit.quantity == SHARE else limit.value
        over = (allowed - used) if limit.floor else (used - allowed)
        broken = over > TOLERANCE * np.maximum(np.abs(allowed), 1e-9)
        out += [
            Broken(limit.name, int(problem.years[t]), float(used[t]), float(allowed[t]))
            for t in np.flatnonzero(broken & ~np.isnan(allowed) & (problem.years >= problem.first_choice))
        ]
    return tuple(out)
