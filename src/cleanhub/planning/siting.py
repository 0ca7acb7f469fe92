"""Siting chargers as a job of its own: years one by one, a small gap, robustness, what people asked."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.freight.case import FreightCase, prepare_freight
from cleanhub.freight.community import community_report
from cleanhub.freight.problem import Sites, SitingPlan, SitingProblem
from cleanhub.freight.serve import Served, freight_tables, served_by
from cleanhub.freight.siting import solve_siting
from cleanhub.freight.siting_robust import RobustPlan, Survival, rank_survival, solve_robust
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.pathways.engine import run_pathway
from cleanhub.planning.charging import fleet_of
from cleanhub.planning.charging_ways import OwnPower, charging_ways

FloatArray = NDArray[np.float64]
SPREAD = (0.5, 1.5)
"""Factors on headroom and on demand whose combinations, beside none, a robust choice is made for."""
ROBUST_GAP = 0.05
ROBUST_NODES = 1
"""Nodes of the search for a robust choice: without any none is found."""


@dataclass(frozen=True)
class SitingChoice:
    """How chargers are sited: see the options of ``cleanhub freight site``.

    ``wanted`` is the share of drayage that shall be electric in the last year, reached on a straight line
    from today's; ``None`` takes what buyers of the scenario want at the price of the charger. ``ways``
    compares ways to charge in the last year; ``own_power`` does, too, with panels and storage at the sites.
    """

    first: int = 2025
    last: int = 2035
    wanted: float | None = None
    gap: float = 0.01
    nodes: int = 10_000
    seconds: float | None = None
    survival: bool = False
    robust: Literal["", "regret", "cvar"] = ""
    ways: bool = False
    own_power: OwnPower | None = None


@dataclass(frozen=True)
class Sited:
    """What was chosen, with its tables and, where asked for, how well the choice holds."""

    case: FreightCase
    served: Served
    tables: dict[str, pd.DataFrame]
    community: pd.DataFrame
    survival: Survival | None = None
    robust: RobustPlan | None = None
    ways: pd.DataFrame | None = None

    @property
    def plan(self) -> SitingPlan:
        """The plan of sites."""
        return self.served.siting


def site_chargers(hub: Hub, scenario: Scenario, choice: SitingChoice, seed: int = 0) -> Sited:
    """Chargers for the drayage of ``hub`` from ``choice.first`` to ``choice.last``, year by year.

    Raises :class:`~cleanhub.core.errors.InputError` for a hub without drayage and for its faults.
    """
    years = np.arange(choice.first, choice.last + 1)
    case = prepare_freight(hub, scenario, seed, years)
    if case is None:
        faults = FaultList()
        faults.add(
            "cohorts.csv", None, "duty_cycle", what=f"hub {hub.name} has no drayage with terminals",
            allowed="a cohort with duty_cycle drayage, terminals in infrastructure.csv, warehouse clusters",
        )  # fmt: skip
        faults.raise_if_any("freight site")
        raise AssertionError
    path = run_pathway(hub, scenario, seed=seed)
    fleet = fleet_of(path, case)
    share = fleet.share(fleet.at_price(np.full(len(years), case.first_price)))
    if choice.wanted is not None:
        share = np.interp(years, [choice.first, choice.last], [min(share[0], choice.wanted), choice.wanted])
    problem = case.problem(fleet.activity_km, share)
    plan = solve_siting(problem, gap=choice.gap, nodes=choice.nodes, seconds=choice.seconds)
    served = served_by(plan)
    survival = rank_survival(problem, plan) if choice.survival else None
    tables = freight_tables(case, served, share, np.zeros(len(years)))
    if survival is not None:
        tables["chargers"] = with_survival(tables["chargers"], survival, problem)
    robust = _robust(problem, choice.robust) if choice.robust else None
    community = community_report(hub, plan, scenario.as_of)
    ways = charging_ways(case, plan, choice.own_power) if choice.ways or choice.own_power else None
    return Sited(case, served, tables, community, survival, robust, ways)


def with_survival(chargers: pd.DataFrame, survival: Survival, problem: SitingProblem) -> pd.DataFrame:
    """Table ``chargers`` with the share of the tests that choose each planned site."""
    share = (survival.places > 0).mean(axis=0)
    by_name = dict(zip(problem.sites.name, np.where(survival.chosen, share, np.nan), strict=True))
    return chargers.assign(survival=[by_name[name] for name in chargers["site_id"]])


def _robust(problem: SitingProblem, measure: Literal["regret", "cvar"]) -> RobustPlan:
    """One choice for combinations of headroom and demand.

    All cases are solved together, so years are few and sites are those that stand or that a case alone
    would open: the bound holds among these.
    """
    cases = spread_cases(coarser(problem))
    alone = [solve_siting(case, gap=ROBUST_GAP, nodes=0) for case in cases]
    wanted = np.any([plan.opened > 0 for plan in alone], axis=0) | (problem.sites.open_plugs > 0)
    few = [with_sites(case, np.flatnonzero(wanted)) for case in cases]
    return solve_robust(few, measure, gap=ROBUST_GAP, nodes=ROBUST_NODES)


def spread_cases(problem: SitingProblem) -> list[SitingProblem]:
    """The problem as it is, and with the low and high of headroom and of demand in all pairs."""
    low, high = SPREAD
    pairs = [(1.0, 1.0), *itertools.product((low, high), repeat=2)]
    return [
        replace(
            problem,
            grid=replace(problem.grid, headroom_kw=problem.grid.headroom_kw * headroom),
            trucks=problem.trucks * demand,
            wanted=problem.wanted * demand,
        )
        for headroom, demand in pairs
    ]


def with_sites(problem: SitingProblem, keep: NDArray[np.int64]) -> SitingProblem:
    """The problem with the sites at positions ``keep`` alone, in their order, and the pairs that use them."""
    place = np.full(len(problem.sites.name), -1, dtype=np.int64)
    place[keep] = np.arange(len(keep))
    used = np.flatnonzero(place[problem.pair_site] >= 0)
    columns = {field.name: getattr(problem.sites, field.name)[keep] for field in fields(problem.sites)}
    return replace(
        problem,
        sites=Sites(**columns),
        pair_group=problem.pair_group[used],
        pair_site=place[problem.pair_site[used]],
        pair_kind=problem.pair_kind[used],
        pair_extra_kwh=problem.pair_extra_kwh[used],
    )


def coarser(problem: SitingProblem, count: int = 3) -> SitingProblem:
    """The problem at ``count`` of its years, each standing for those until the next."""
    at = np.unique(np.linspace(0, len(problem.years) - 1, count).round().astype(np.int64))
    end = int(problem.years[-1] + problem.span[-1])
    return replace(
        problem,
        years=problem.years[at],
        span=np.diff(np.append(problem.years[at], end)).astype(np.float64),
        trucks=problem.trucks[:, at],
        wanted=problem.wanted[at],
        battery_kwh=problem.battery_kwh[at],
        budget_usd=problem.budget_usd[at],
    )
