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
    adds anything though trucks are left, ``several``.
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
    relaxed = _served(build_model(problem))
    without = {
        "range": _served(build_model(_any_range(problem))),
        "plugs": _served(build_model(_any_plugs(problem))),
        "grid": _served(build_model(_any_grid(problem))),
        "cost": _served(_any_cost(problem)),
    }
    without = {name: np.maximum(value, relaxed) for name, value in without.items()}
    more = np.array([without[name] for name in LIMITS]) - relaxed
    most = np.argmax(more, axis=0)
    binds = np.array([LIMITS[i] for i in most], dtype=object)
    binds[more.max(axis=0) <= GAINED * wanted] = "several"
    binds[served >= SERVED * wanted] = NOTHING
    return Binding(wanted, served, relaxed, without, binds)


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
