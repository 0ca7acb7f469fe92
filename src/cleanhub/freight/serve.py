"""Chargers for the trucks that are wanted: one pass of the coupling, and the plan tables of freight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cleanhub.core.tables import conform
from cleanhub.finance.annuity import capital_recovery_factor
from cleanhub.freight.case import FreightCase
from cleanhub.freight.charging_model import SHAPE
from cleanhub.freight.charging_schedule import (
    Schedule,
    Windows,
    merge_windows,
    schedule_charging,
    substation_load,
)
from cleanhub.freight.charging_windows import time_at_base
from cleanhub.freight.flows import road_flow
from cleanhub.freight.problem import HOME, FloatArray, SitingPlan, SitingProblem
from cleanhub.freight.site_figures import OWN
from cleanhub.freight.site_power import SiteOptions
from cleanhub.freight.siting import relative_gap, solve_siting
from cleanhub.freight.siting_binds import Binding, what_could_be
from cleanhub.freight.siting_model import opening_costs, standing_plugs
from cleanhub.freight.tariffs import Tariffs, tariffs_for
from cleanhub.hub.plan_tables import PLAN_TABLES

GAP = 0.03
"""Gap at which the choice of sites inside a plan ends."""
NODES = 20
"""Nodes of the search after which it ends inside a plan, whatever the gap."""
LEAST_KWH = 1e-6
"""Energy of a day below which a group does not charge at a site: what a solver leaves behind."""


@dataclass(frozen=True)
class Served:
    """What chargers can do for the trucks that are wanted, at the decided years (T,).

    ``share`` of the activity that is served and ``usd_per_kwh`` at the plug, capital of sites and
    plugs included (the grid's is the utility's), NaN where nothing is charged.
    """

    siting: SitingPlan
    share: FloatArray
    usd_per_kwh: FloatArray

    @property
    def problem(self) -> SitingProblem:
        """The problem that was solved."""
        return self.siting.problem

    @property
    def notes(self) -> tuple[str, ...]:
        """How far the choice of sites may be from the best for these trucks."""
        gap = relative_gap(self.siting.objective, self.siting.free_bound)
        return (
            f"freight: no choice of sites is worth more than {gap:.2%} above this one",
            *self.siting.notes,
        )


def serve_trucks(
    case: FreightCase, activity_km: FloatArray, share: FloatArray, before: Served | None = None
) -> Served:
    """Site chargers for the ``share`` (T,) of a yearly activity (T,) [km] that is wanted electric.

    After a pass ``before`` sites and works stay as they were chosen and only plugs and use are found
    anew.
    """
    problem = case.problem(activity_km, share)
    if before is None:
        plan = solve_siting(problem, gap=GAP, nodes=NODES)
    else:
        plan = solve_siting(problem, gap=GAP, nodes=0, fixed=before.siting)
    return served_by(plan)


def served_by(plan: SitingPlan) -> Served:
    """What the chargers of a plan do, as shares of the activity, and their price.

    Plugs never go: as many trucks as they serve in one year they can serve in the next, if so many are
    wanted, whichever of equal choices the solver took.
    """
    total = plan.problem.trucks.sum(axis=0)
    served = plan.served.sum(axis=0)
    served = np.maximum(served, np.minimum(np.maximum.accumulate(served), plan.problem.wanted))
    done = np.divide(served, total, out=np.zeros_like(total), where=total > 0)
    return Served(plan, done, mean_price(plan))


def yearly_energy(plan: SitingPlan) -> FloatArray:
    """Energy delivered by site and year, (S, T) [kWh/yr]."""
    problem = plan.problem
    out = np.zeros((len(problem.sites.name), len(problem.years)))
    np.add.at(out, problem.pair_site, plan.delivered)
    return out * problem.working_days


def site_capital(plan: SitingPlan) -> FloatArray:
    """Capital that stands at each site in each year, new plugs and opening, (S, T) [USD].

    A site that stands already is not opened again.
    """
    problem, sites = plan.problem, plan.problem.sites
    new = np.maximum(plan.plugs - standing_plugs(problem), 0.0)
    opened = (plan.opened > 0)[:, None] & (problem.years[None, :] >= plan.opened[:, None])
    fixed = np.where(opening_costs(problem), sites.fixed_usd, 0.0)
    return np.asarray(new * sites.usd_per_plug[:, None] + opened * fixed[:, None])


def site_price(plan: SitingPlan) -> FloatArray:
    """What a kWh costs at each site, its own capital and upkeep included, (S, T) [USD/kWh]; NaN unused."""
    problem, sites = plan.problem, plan.problem.sites
    energy = yearly_energy(plan)
    recovery = float(capital_recovery_factor(problem.discount_rate, problem.plug_life))
    yearly = site_capital(plan) * (recovery + sites.yearly_share[:, None])
    added = np.divide(yearly, energy, out=np.full_like(energy, np.nan), where=energy > 0)
    return np.asarray(sites.usd_per_kwh[:, None] + added)


def mean_price(plan: SitingPlan) -> FloatArray:
    """Mean price over all that is charged, by year (T,) [USD/kWh]; NaN where nothing is."""
    energy = yearly_energy(plan)
    paid = np.nansum(np.where(energy > 0, site_price(plan), 0.0) * energy, axis=0)
    total = energy.sum(axis=0)
    return np.asarray(np.divide(paid, total, out=np.full_like(total, np.nan), where=total > 0))


# ---------------------------------------------------------------- load


def windows_of(case: FreightCase, plan: SitingPlan, t: int) -> Windows:
    """When trucks stand at the plugs in year position ``t``.

    In their own yards from the end of their day to the start of the next. At shared and public sites they
    come spread over the hours of the kind of site (rows ``charging_from`` and ``charging_hours``): each
    group stands for many truck-days that start at other times, and plugs are booked.
    """
    problem, sites = plan.problem, case.sites
    used = np.flatnonzero((plan.delivered[:, t] > LEAST_KWH) & (plan.plugs[problem.pair_site, t] > 0))
    group, site, kwh = problem.pair_group[used], problem.pair_site[used], plan.delivered[used, t]
    back, rest = time_at_base(case.truck_days)
    names = list(sites.kind[site])
    start = np.array([case.figures.value("charging_from", kind, "h") for kind in names])
    hours = np.array([case.figures.value("charging_hours", kind, "h") for kind in names])
    home = (problem.pair_kind[used] == HOME) & (sites.kind[site] == OWN)
    power = plan.plugs[site, t] * mean_plug_kw(case)[site]
    need = np.divide(kwh, power, out=np.zeros_like(kwh), where=power > 0)
    hours = np.where(home, np.maximum(rest[group], need), hours)
    return Windows(site, kwh, np.where(home, back[group], start), np.minimum(hours, 24.0), power)


def mean_plug_kw(case: FreightCase) -> FloatArray:
    """Power of a plug over a whole charge, (S,) [kW]: trucks take less towards its end."""
    return np.asarray(case.sites.plug_kw * case.figures.value("charging_power_share"), dtype=np.float64)


def power_and_tariffs(case: FreightCase, plan: SitingPlan, t: int) -> tuple[FloatArray, Tariffs]:
    """Power of the plugs of each site in year position ``t``, (S,) [kW], and the tariff it pays there."""
    power = plan.plugs[:, t] * mean_plug_kw(case)
    year, least = int(plan.problem.years[t]), np.maximum(power, 1.0)
    return power, tariffs_for(case.hub, case.operators, least, year, case.figures, case.drivers)


def schedule_of(
    case: FreightCase,
    plan: SitingPlan,
    t: int,
    options: SiteOptions | None = None,
    carbon: FloatArray | None = None,
) -> Schedule:
    """The hourly charging of every site in year position ``t``, at least cost within the grid's room.

    ``options`` and ``carbon`` as for :func:`~cleanhub.freight.charging_schedule.schedule_charging`.
    """
    power, tariffs = power_and_tariffs(case, plan, t)
    return schedule_charging(
        merge_windows(windows_of(case, plan, t)),
        power,
        tariffs,
        case.working_days,
        options=options,
        carbon=carbon,
        substation=case.sites.substation,
        limit_kw=room_kw(plan)[:, t],
    )


def room_kw(plan: SitingPlan) -> FloatArray:
    """What each substation can serve of charging in each year, (U, T) [kW].

    Headroom, works that are ready, and the plugs that stand already: those are part of today's load.
    """
    grid, sites, years = plan.problem.grid, plan.problem.sites, plan.problem.years
    built = (plan.tiers[:, :, None] > 0) & (plan.tiers[:, :, None] <= years[None, None, :])
    standing = np.zeros((len(grid.name), len(years)))
    np.add.at(standing, sites.substation, standing_plugs(plan.problem) * sites.plug_kw[:, None])
    return np.asarray(grid.headroom_kw[:, None] + standing + (built * grid.tier_kw[:, :, None]).sum(axis=1))


# ---------------------------------------------------------------- tables


def freight_tables(
    case: FreightCase,
    served: Served,
    wanted: FloatArray,
    residual: FloatArray,
    could: Binding | None = None,
) -> dict[str, pd.DataFrame]:
    """The plan tables of freight.

    ``wanted`` (T,) is the share of the activity that buyers want electric, chargers aside;
    ``residual`` (T,) by how much trucks and chargers still differ; ``could`` is
    :func:`~cleanhub.freight.siting_binds.what_could_be` of the same activity, found here unless given.
    """
    plan = served.siting
    could = what_could_be(plan.problem) if could is None else could
    last = len(plan.problem.years) - 1
    none = np.zeros((0, *SHAPE))
    years = range(len(plan.problem.years))
    hourly = [schedule_of(case, plan, t).grid if len(case.sites.name) else none for t in years]
    total, given = plan.problem.trucks.sum(axis=0), plan.served[:, last]
    electric = np.divide(given, plan.problem.trucks[:, last], out=np.zeros_like(given), where=given > 0)
    load = substation_table(case, plan, hourly)
    frames = {
        "truck_charging": truck_charging(served, wanted * total, residual, load, could),
        "chargers": chargers_table(case, plan),
        "charging_capital": capital_table(case, plan),
        "road_flow": road_flow(case.network, case.ways, electric),
        "site_load": load,
        "site_use": site_use(plan, hourly[last].max(axis=(1, 2))),
        "grid_upgrades": upgrades_table(case, plan),
    }
    return {name: conform(frame, PLAN_TABLES[name]) for name, frame in frames.items()}


def truck_charging(
    served: Served, wanted: FloatArray, residual: FloatArray, load: pd.DataFrame, found: Binding
) -> pd.DataFrame:
    """What share of drayage can be charged by year and what binds."""
    problem, plan = served.problem, served.siting
    total = problem.trucks.sum(axis=0)
    peak = load.groupby(["year", "hour"])["kw"].sum().groupby("year").max().reindex(problem.years).fillna(0.0)
    return pd.DataFrame(
        {
            "year": problem.years,
            "trucks": total,
            "wanted": wanted,
            "served": plan.served.sum(axis=0),
            "most": np.maximum(found.relaxed, plan.served.sum(axis=0)),
            "binds": found.binds,
            "without_range": found.served_without["range"],
            "without_plugs": found.served_without["plugs"],
            "without_grid": found.served_without["grid"],
            "without_cost": found.served_without["cost"],
            "usd_per_kwh": served.usd_per_kwh,
            "peak_kw": peak.to_numpy(float),
            "residual": residual,
        }
    )


def chargers_table(case: FreightCase, plan: SitingPlan) -> pd.DataFrame:
    """Sites that stand or open, as they are in the last decided year."""
    problem, sites, grid = plan.problem, case.sites, case.grid
    last = len(problem.years) - 1
    shown = np.flatnonzero((plan.plugs[:, last] > 1e-6) | (plan.opened > 0))
    energy = yearly_energy(plan)[:, last] / problem.working_days
    could = plan.plugs[:, last] * sites.plug_kw * 24.0
    used = np.divide(energy, could, out=np.zeros_like(energy), where=could > 0)
    stands = sites.open_plugs > 0
    year = np.where(stands, sites.open_year, plan.opened)
    tiers = [_largest_tier(case, plan, int(u)) for u in sites.substation]
    frame = pd.DataFrame(
        {
            "site_id": sites.name,
            "name": sites.title,
            "lat": sites.lat,
            "lon": sites.lon,
            "kind": sites.kind,
            "status": np.where(stands & (year <= case.scenario.as_of.year), "open", "planned"),
            "year_energised": year,
            "plugs": plan.plugs[:, last],
            "kw": plan.plugs[:, last] * sites.plug_kw,
            "kwh_per_day": energy,
            "utilisation": used,
            "substation": grid.name[sites.substation],
            "grid_tier": tiers,
            "capex_usd": site_capital(plan)[:, last],
            "usd_per_kwh": site_price(plan)[:, last],
            "disadvantaged": sites.disadvantaged,
            "survival": np.nan,
            "asked_by": sites.asked_by,
            "confidence": "assumed",
        }
    ).iloc[shown]
    return frame.sort_values(["year_energised", "kw", "site_id"], ascending=[True, False, True])


def _largest_tier(case: FreightCase, plan: SitingPlan, substation: int) -> str:
    built = np.flatnonzero(plan.tiers[substation] > 0)
    return str(case.grid.tier[built[-1]]) if len(built) else ""


def capital_table(case: FreightCase, plan: SitingPlan) -> pd.DataFrame:
    """Capital of each decided year by item and payer.

    The front of the meter and works at substations are the utility's, who recovers them from its
    customers; the rest is the site owner's.
    """
    sites, capital = case.sites, site_capital(plan)
    front = case.figures.value("front_of_meter", unit="USD")
    opened = plan.opened[:, None] == plan.problem.years[None, :]
    opened &= opening_costs(plan.problem)[:, None]
    utility = (opened * np.minimum(front, sites.fixed_usd)[:, None]).sum(axis=0)
    works = (opened * sites.fixed_usd[:, None]).sum(axis=0) - utility
    spent = np.diff(capital, axis=1, prepend=0.0).sum(axis=0)
    rows = []
    for t, year in enumerate(plan.problem.years):
        items = [
            ("sites", "site_owner", works[t]),
            ("sites", "utility", utility[t]),
            ("plugs", "site_owner", spent[t] - works[t] - utility[t]),
            ("grid", "utility", plan.grid_usd[t]),
        ]
        rows += [(year, item, payer, max(value, 0.0)) for item, payer, value in items if value > 0.5]
    return pd.DataFrame(rows, columns=["year", "item", "payer", "value_usd"])


def substation_table(case: FreightCase, plan: SitingPlan, hourly: list[FloatArray]) -> pd.DataFrame:
    """Load by substation, year and hour: the largest of the seasons and kinds of day.

    ``hourly`` is that of the sites in each year, (S, 2, 2, 24) [kW].
    """
    count = len(case.grid.name)
    years = [substation_load(one, case.sites.substation, count).max(axis=(1, 2)) for one in hourly]
    kw = np.stack(years, axis=1)
    u, t, h = np.nonzero(np.broadcast_to(kw.sum(axis=2, keepdims=True) > 0, kw.shape))
    return pd.DataFrame(
        {"substation": case.grid.name[u], "year": plan.problem.years[t], "hour": h, "kw": kw[u, t, h]}
    )


def site_use(plan: SitingPlan, hourly: FloatArray) -> pd.DataFrame:
    """Load and use of each site by hour in the last decided year."""
    sites = plan.problem.sites
    power = plan.plugs[:, -1] * sites.plug_kw
    s, h = np.nonzero((hourly.sum(axis=1) > 0)[:, None] & np.ones((1, 24), dtype=bool))
    kw = hourly[s, h]
    use = np.divide(kw, power[s], out=np.zeros_like(kw), where=power[s] > 0)
    year = int(plan.problem.years[-1])
    return pd.DataFrame({"site_id": sites.name[s], "year": year, "hour": h, "kw": kw, "utilisation": use})


def upgrades_table(case: FreightCase, plan: SitingPlan) -> pd.DataFrame:
    """Works at substations with the year in which they must begin."""
    grid = case.grid
    u, k = np.nonzero(plan.tiers > 0)
    lead = grid.tier_ready[u, k] - case.scenario.as_of.year
    ready = plan.tiers[u, k]
    rows = case.hub.tables["infrastructure"].set_index("infrastructure_id")
    utility = [str(rows["operator"].get(name, "")) for name in grid.name[u]]
    return pd.DataFrame(
        {
            "substation": grid.name[u],
            "name": grid.title[u],
            "utility": utility,
            "tier": grid.tier[k],
            "kw": grid.tier_kw[u, k],
            "cost_usd": grid.tier_usd[u, k],
            "start": np.maximum(ready - lead, case.scenario.as_of.year),
            "ready": ready,
            "headroom_kw": grid.headroom_kw[u],
            "headroom_confidence": grid.headroom_confidence[u],
        }
    )
