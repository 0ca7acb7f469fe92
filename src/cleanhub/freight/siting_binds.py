"""What keeps trucks from going electric in each year: range, plugs, grid or cost.

Each limit in turn is lifted, all others stay; what is then served tells what the limit holds back.
Openings and upgrades may be fractions here, so the figures lean to the hopeful side, alike for all limits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cleanhub.freight.problem import FloatArray, SitingPlan, SitingProblem, TextArray
from cleanhub.freight.siting_checks import check_problem
from cleanhub.freight.siting_model import Model, build_model, build_terms, in_range
from cleanhub.freight.siting_search import at
from cleanhub.freight.siting_solver import Programme

LIMITS = ("range", "plugs", "grid", "cost")
NOTHING = "nothing"
SEVERAL = "several"
SERVED = 0.995
"""A year in which this share of what is wanted is served is bound by nothing."""
GAINED = 1e-3
"""A limit binds only when lifting it adds this share of what is wanted."""


@dataclass(frozen=True)
class Binding:
    """What binds in each year.

    ``wanted`` and ``served`` (T,) truck-days per day, served by the plan; ``relaxed`` (T,) by the same
    problem with fractions of openings; ``served_without`` (T,) for each of :data:`LIMITS` lifted, never less
    than ``relaxed``; ``binds`` (T,) the limit whose lifting adds most, or ``nothing``; where no single limit
    adds anything though trucks are left, ``several``. After the last year in which trucks are left, all
    figures are what is served.
    """

    wanted: FloatArray
    served: FloatArray
    relaxed: FloatArray
    served_without: dict[str, FloatArray]
    binds: TextArray


def what_binds(problem: SitingProblem, plan: SitingPlan) -> Binding:
    """Which limit binds in each year of ``problem``, whose plan is ``plan``.

    Lifted are: *range*, what a battery covers and how many may be needed; *plugs*, the plugs that fit, the
    use that new ones must reach and the first year of each site; *grid*, headroom and tiers; *cost*, the
    budget, what charging may cost and all capital. No-go sites stay closed and the share of disadvantaged
    tracts holds. Raises ``InputError`` as :func:`~cleanhub.freight.siting.solve_siting` does.
    """
    check_problem(problem)
    wanted = np.minimum(problem.wanted, problem.trucks.sum(axis=0))
    served = plan.served.sum(axis=0)
    short = np.flatnonzero(served < SERVED * wanted)
    count = int(short[-1]) + 1 if len(short) else 0
    relaxed = served.copy()
    without = {name: served.copy() for name in LIMITS}
    if count:
        early = _years(problem, 0, count)
        relaxed[:count] = _served(build_model(early))
        for name, value in _lifted(early).items():
            without[name][:count] = np.maximum(value, relaxed[:count])
    more = np.array([without[name] for name in LIMITS]) - relaxed
    most = np.argmax(more, axis=0)
    binds = np.array([LIMITS[i] for i in most], dtype=object)
    binds[more.max(axis=0) <= GAINED * wanted] = SEVERAL
    binds[served >= SERVED * wanted] = NOTHING
    return Binding(wanted, served, relaxed, without, binds)


def what_could_be(problem: SitingProblem) -> Binding:
    """What could be charged in each year if all trucks wanted it, and which limit then binds.

    Years are looked at one by one, as if each were the only one: what an earlier year builds or spends
    is not counted against a later one; nor does it matter what is ``wanted``. ``served`` is ``relaxed``
    here: of the choices with the largest objective, openings in fractions.
    """
    check_problem(problem)
    total = problem.trucks.sum(axis=0)
    count = len(problem.years)
    relaxed, binds = np.zeros(count), np.full(count, NOTHING, dtype=object)
    without = {name: np.zeros(count) for name in LIMITS}
    for t in range(count):
        one = replace(_years(problem, t, t + 1), wanted=total[t : t + 1], span=np.ones(1))
        relaxed[t] = _served(build_model(one))[0]
        short = relaxed[t] < SERVED * total[t]
        more = {name: float(value[0]) for name, value in _lifted(one).items()} if short else {}
        for name in LIMITS:
            without[name][t] = max(more.get(name, 0.0), relaxed[t])
        if short:
            best = max(LIMITS, key=lambda name: without[name][t])
            gained = without[best][t] - relaxed[t]
            binds[t] = best if gained > GAINED * total[t] else SEVERAL
    return Binding(total, relaxed, relaxed, without, binds)


def _lifted(problem: SitingProblem) -> dict[str, FloatArray]:
    """Truck-days per day served without each limit, (T,)."""
    return {
        "range": _served(build_model(_any_range(problem))),
        "plugs": _served(build_model(_any_plugs(problem))),
        "grid": _served(build_model(_any_grid(problem))),
        "cost": _served(_any_cost(problem)),
    }


def _years(problem: SitingProblem, first: int, end: int) -> SitingProblem:
    """The problem of the decided years from position ``first`` until ``end`` alone."""
    by_year = ("years", "span", "wanted", "battery_kwh", "budget_usd")
    cut = {name: getattr(problem, name)[first:end] for name in by_year}
    return replace(problem, trucks=problem.trucks[:, first:end], **cut)


def reachable(problem: SitingProblem) -> FloatArray:
    """Truck-days per day whose energy keeps within the batteries allowed, (T,)."""
    return np.asarray((problem.trucks * in_range(problem)).sum(axis=0), dtype=np.float64)


def _served(model: Model) -> FloatArray:
    """Truck-days per day that the relaxation serves, (T,)."""
    programme = Programme(model)
    if len(model.gain):
        programme.relax()
    return np.asarray(at(model.flow, programme.values).sum(axis=0), dtype=np.float64)


def _any_range(problem: SitingProblem) -> SitingProblem:
    far = float(problem.kwh.max(initial=0.0)) + 1.0
    return replace(problem, battery_kwh=np.maximum(problem.battery_kwh, far), batteries_most=np.inf)


def _any_plugs(problem: SitingProblem) -> SitingProblem:
    sites = problem.sites
    count = len(sites.name)
    return replace(
        problem,
        sites=replace(
            sites,
            plugs_most=np.full(count, 1e9),
            earliest=np.zeros(count, dtype=np.int64),
            least_use=np.zeros(count),
        ),
    )


def _any_grid(problem: SitingProblem) -> SitingProblem:
    grid = problem.grid
    return replace(problem, grid=replace(grid, headroom_kw=np.full(len(grid.name), np.inf)))


def _any_cost(problem: SitingProblem) -> Model:
    """The programme that serves as many truck-days as it can, whatever that costs."""
    free = replace(
        problem,
        worth_usd_per_kwh=np.inf,
        budget_usd=np.full(len(problem.years), np.inf),
        objective="electric_miles",
    )
    model = build_model(free, build_terms(free))
    gain = np.zeros(len(model.gain))
    gain[model.flow[model.flow >= 0]] = 1.0
    return replace(model, gain=gain)
