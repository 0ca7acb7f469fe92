"""One pass of freight: what chargers serve, what it costs, and that the tables add up."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from siting_cases import bound_of

from cleanhub.core.tables import conform
from cleanhub.finance.annuity import capital_recovery_factor
from cleanhub.freight.case import FreightCase, prepare_freight
from cleanhub.freight.problem import FloatArray, SitingPlan
from cleanhub.freight.serve import (
    GAP,
    Served,
    freight_tables,
    mean_price,
    room_kw,
    schedule_of,
    serve_trucks,
    served_by,
    site_capital,
    site_price,
    yearly_energy,
)
from cleanhub.freight.siting import relative_gap
from cleanhub.freight.siting_model import standing_plugs
from cleanhub.freight.tariff_arrays import DAYS_OF_MONTH, SEASON_MONTHS
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario, load_scenario

LAST = 2035
MILES = 912e6 * 1.609344
NEW = 1e-6


@dataclasses.dataclass(frozen=True)
class Run:
    """A case, what was asked of it and what came of it."""

    case: FreightCase
    share: FloatArray
    served: Served
    tables: dict[str, pd.DataFrame]

    @property
    def plan(self) -> SitingPlan:
        return self.served.siting


@pytest.fixture(scope="module")
def scenario(small_hub: Hub) -> Scenario:
    return load_scenario("net-zero-2045", small_hub).model_copy(update={"end_year": LAST})


@pytest.fixture(scope="module")
def case(small_hub: Hub, scenario: Scenario) -> FreightCase:
    return made(small_hub, scenario)


@pytest.fixture(scope="module")
def run(case: FreightCase) -> Run:
    served = serve_trucks(case, *asked(case))
    share = asked(case)[1]
    return Run(case, share, served, tables_of(case, served))


def made(hub: Hub, scenario: Scenario, seed: int = 0, **changed: Any) -> FreightCase:
    chosen = scenario.model_copy(update={"freight": scenario.freight.model_copy(update=changed)})
    found = prepare_freight(hub, chosen, seed)
    assert found is not None
    return found


def asked(case: FreightCase) -> tuple[FloatArray, FloatArray]:
    """Today's distance, and a share of it that is electric from 1 % to 40 %."""
    count = len(case.years)
    return np.full(count, MILES), np.interp(case.years, [case.years[0], LAST], [0.01, 0.40])


def tables_of(case: FreightCase, served: Served) -> dict[str, pd.DataFrame]:
    return freight_tables(case, served, asked(case)[1], np.zeros(len(case.years)))


def with_table(hub: Hub, name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Hub:
    return dataclasses.replace(hub, tables={**hub.tables, name: change(hub.tables[name])})


def new_plugs(plan: SitingPlan) -> FloatArray:
    return plan.plugs - standing_plugs(plan.problem)


# ---------------------------------------------------------------- conservation


def test_every_table_is_as_declared(run: Run) -> None:
    for name, frame in run.tables.items():
        pd.testing.assert_frame_equal(frame, conform(frame, PLAN_TABLES[name]))
        assert not frame.duplicated(list(PLAN_TABLES[name].key)).any(), name
    assert len(run.tables) == 7


def test_the_gap_is_kept_and_told(run: Run) -> None:
    assert run.plan.gap <= GAP
    assert run.plan.bound >= run.plan.objective
    told = relative_gap(run.plan.objective, bound_of(run.plan.problem))
    assert told >= run.plan.gap - 1e-9, "the relaxation bounds less closely than the search"
    assert f"{told:.2%}" in run.served.notes[0]


def test_energy_of_the_chargers_is_that_of_the_truck_days_served(run: Run) -> None:
    problem, plan = run.plan.problem, run.plan
    last = len(problem.years) - 1
    used = plan.delivered[:, last] > 0
    extra = problem.pair_extra_kwh[used] / (
        problem.kwh[problem.pair_group[used]] + problem.pair_extra_kwh[used]
    )
    truck_days = float(problem.kwh @ plan.served[:, last])
    detours = float(plan.delivered[used, last] @ extra)
    chargers = run.tables["chargers"]["kwh_per_day"].sum()
    assert chargers == pytest.approx(truck_days + detours, rel=1e-6)
    assert detours < 0.1 * truck_days


def test_no_group_is_served_beyond_its_trucks_and_no_year_beyond_what_is_wanted(run: Run) -> None:
    problem, plan = run.plan.problem, run.plan
    assert (plan.served <= problem.trucks * (1 + 1e-6) + 1e-9).all()
    assert (plan.served.sum(axis=0) <= problem.wanted * (1 + 1e-6)).all()
    able = np.minimum(np.maximum.accumulate(plan.served.sum(axis=0)), problem.wanted)  # plugs never go
    able = np.maximum(able, plan.served.sum(axis=0))
    assert run.served.share == pytest.approx(able / problem.trucks.sum(axis=0))
    charging = run.tables["truck_charging"]
    assert charging["served"].to_numpy() == pytest.approx(plan.served.sum(axis=0))
    assert (charging["served"] <= charging["wanted"] * (1 + 1e-6)).all()
    assert (charging["most"] >= charging["served"] * (1 - 1e-6)).all()
    assert charging["trucks"].to_numpy() * run.case.mean_km * run.case.working_days == pytest.approx(MILES)


def test_lifting_a_limit_never_serves_fewer(run: Run) -> None:
    charging = run.tables["truck_charging"]
    for name in ("range", "plugs", "grid", "cost"):
        assert (charging[f"without_{name}"] >= charging["most"] * (1 - 1e-6)).all()
        assert (charging[f"without_{name}"] <= charging["trucks"] * (1 + 1e-6)).all()


def test_use_of_plugs_lies_between_none_and_all(run: Run) -> None:
    chargers, hourly = run.tables["chargers"], run.tables["site_use"]
    assert chargers["utilisation"].between(0, 1).all()
    assert hourly["utilisation"].between(0, 1 + 1e-9).all()
    energy = chargers.set_index("site_id")
    assert energy["utilisation"].to_numpy() == pytest.approx(energy["kwh_per_day"] / (24 * energy["kw"]))
    assert set(hourly["site_id"]) == set(energy.index[energy["kwh_per_day"] > 0])
    assert (hourly.groupby("site_id")["hour"].nunique() == 24).all()


def test_the_hours_of_a_site_add_up_to_its_energy_over_the_year(run: Run) -> None:
    for t in (2, len(run.case.years) - 1):
        found = schedule_of(run.case, run.plan, t)
        days = SEASON_MONTHS[:, None, None] * DAYS_OF_MONTH[None, :, None]
        charged = (found.grid * days).sum(axis=(1, 2, 3))
        wanted = yearly_energy(run.plan)[:, t]
        assert charged + found.unserved_kwh == pytest.approx(wanted, rel=1e-3, abs=1.0)
        assert found.unserved_kwh.sum() <= 1e-3 * wanted.sum()


def test_no_substation_bears_more_than_it_has_room_for(run: Run) -> None:
    room = pd.DataFrame(room_kw(run.plan), run.case.grid.name, run.case.years)
    load = run.tables["site_load"]
    assert len(load)
    allowed = np.array([room.loc[u, y] for u, y in zip(load["substation"], load["year"], strict=True)])
    assert (load["kw"] <= allowed * (1 + 1e-6) + 1e-3).all()


def test_plugs_keep_the_limits_of_their_substation(run: Run) -> None:
    grid, sites = run.case.grid, run.case.sites
    asked_kw = np.zeros((len(grid.name), len(run.case.years)))
    np.add.at(asked_kw, sites.substation, grid.coincidence * new_plugs(run.plan) * sites.plug_kw[:, None])
    standing = np.zeros_like(asked_kw)
    np.add.at(standing, sites.substation, standing_plugs(run.plan.problem) * sites.plug_kw[:, None])
    assert (asked_kw <= room_kw(run.plan) - standing + 1e-3).all()


def test_room_grows_only_by_works_in_their_year(run: Run) -> None:
    room, grid = room_kw(run.plan), run.case.grid
    standing = np.zeros_like(room)
    np.add.at(
        standing,
        run.case.sites.substation,
        standing_plugs(run.plan.problem) * run.case.sites.plug_kw[:, None],
    )
    expected = grid.headroom_kw[:, None] + standing
    for u, k in zip(*np.nonzero(run.plan.tiers), strict=True):
        expected[u] += np.where(run.case.years >= run.plan.tiers[u, k], grid.tier_kw[u, k], 0.0)
    assert room == pytest.approx(expected)


# ---------------------------------------------------------------- money


def test_capital_by_payer_is_that_of_the_sites_and_the_works(run: Run) -> None:
    tables, plan = run.tables, run.plan
    capital = tables["charging_capital"].groupby("item")["value_usd"].sum()
    on_site = capital["sites"] + capital["plugs"]
    assert on_site == pytest.approx(tables["chargers"]["capex_usd"].sum(), rel=1e-6)
    assert on_site == pytest.approx(plan.capex_usd.sum(), rel=1e-6)
    assert capital.get("grid", 0.0) == pytest.approx(tables["grid_upgrades"]["cost_usd"].sum(), abs=10)
    assert plan.grid_usd.sum() == pytest.approx(capital.get("grid", 0.0), abs=10)
    by_year = (
        tables["charging_capital"].groupby("year")["value_usd"].sum().reindex(run.case.years).fillna(0.0)
    )
    assert by_year.to_numpy() == pytest.approx(plan.capex_usd + plan.grid_usd, rel=1e-6, abs=10)


def test_the_utility_pays_the_grid_and_the_front_of_the_meter(run: Run) -> None:
    rows = run.tables["charging_capital"]
    assert set(rows[rows["item"] == "grid"]["payer"]) <= {"utility"}
    assert set(rows[rows["item"] == "plugs"]["payer"]) == {"site_owner"}
    utility = rows[(rows["item"] == "sites") & (rows["payer"] == "utility")]["value_usd"].sum()
    front = run.case.figures.value("front_of_meter", unit="USD")
    opened = run.case.sites.fixed_usd[(run.plan.opened > 0) & (run.case.sites.open_plugs <= 0)]
    assert utility == pytest.approx(np.minimum(opened, front).sum(), rel=1e-6)


def test_the_price_of_a_site_carries_its_own_capital(run: Run) -> None:
    plan, sites, t = run.plan, run.case.sites, len(run.case.years) - 1
    energy, problem = yearly_energy(plan), plan.problem
    s = int(np.argmax(energy[:, t]))
    new = plan.plugs[s, t] - (sites.open_plugs[s] if sites.open_year[s] <= LAST else 0.0)
    capital = new * sites.usd_per_plug[s] + (sites.fixed_usd[s] if plan.opened[s] else 0.0)
    assert site_capital(plan)[s, t] == pytest.approx(capital)
    yearly = capital * (
        float(capital_recovery_factor(problem.discount_rate, problem.plug_life)) + sites.yearly_share[s]
    )
    assert site_price(plan)[s, t] == pytest.approx(sites.usd_per_kwh[s] + yearly / energy[s, t])
    assert np.isnan(site_price(plan)[energy[:, t] == 0, t]).all()


def test_the_mean_price_lies_between_those_of_its_sites(run: Run) -> None:
    each, mean, energy = site_price(run.plan), mean_price(run.plan), yearly_energy(run.plan)
    for t in np.flatnonzero(energy.sum(axis=0) > 0):
        assert np.nanmin(each[:, t]) - 1e-9 <= mean[t] <= np.nanmax(each[:, t]) + 1e-9
        assert mean[t] == pytest.approx(np.nansum(each[:, t] * energy[:, t]) / energy[:, t].sum())
    assert run.tables["truck_charging"]["usd_per_kwh"].to_numpy() == pytest.approx(mean, nan_ok=True)


# ---------------------------------------------------------------- dates


def test_no_charger_serves_before_its_site_and_no_works_before_their_lead_time(run: Run) -> None:
    plan, years, sites, grid = run.plan, run.case.years, run.case.sites, run.case.grid
    early = years[None, :] < sites.earliest[:, None]
    assert new_plugs(plan)[early].max(initial=0.0) <= NEW
    built = plan.tiers > 0
    assert built.any()
    assert (plan.tiers[built] >= grid.tier_ready[built]).all()
    chargers = run.tables["chargers"].set_index("site_id")
    planned = chargers[chargers["status"] == "planned"]
    at = {name: s for s, name in enumerate(sites.name)}
    assert len(planned)
    assert all(row["year_energised"] >= sites.earliest[at[name]] for name, row in planned.iterrows())
    works = run.tables["grid_upgrades"]
    assert (works["start"] >= run.case.scenario.as_of.year).all()
    assert (works["ready"] > works["start"]).all()
    assert (works["utility"] != "").all()


def test_works_at_a_substation_come_in_their_order(run: Run) -> None:
    tiers = run.plan.tiers
    for k in range(1, tiers.shape[1]):
        after = tiers[:, k] > 0
        assert (tiers[after, k - 1] > 0).all()
        assert (tiers[after, k - 1] <= tiers[after, k]).all()


def test_ten_years_more_of_lead_time_give_fewer_chargers_and_never_more_trucks(
    small_hub: Hub, scenario: Scenario
) -> None:
    before, after = (solved(small_hub, scenario, headroom=0.3, lead_time_added=n).siting for n in (0.0, 10.0))
    assert (before.tiers > 0).any()
    assert not (after.tiers > 0).any()  # none is ready by 2035
    weight = before.problem.span
    assert weight @ after.served.sum(axis=0) <= weight @ before.served.sum(axis=0) * (1 + GAP)
    assert after.served[:, -1].sum() < before.served[:, -1].sum()
    assert after.plugs[:, -1].sum() < before.plugs[:, -1].sum()
    assert after.objective <= before.bound * (1 + 1e-9)


# ---------------------------------------------------------------- choices


def solved(small_hub: Hub, scenario: Scenario, **changed: Any) -> Served:
    case = made(small_hub, scenario, **changed)
    return serve_trucks(case, *asked(case))


def test_more_budget_never_worsens_the_objective_beyond_the_gap(
    small_hub: Hub, scenario: Scenario, run: Run
) -> None:
    total = float(run.plan.capex_usd.sum() + run.plan.grid_usd.sum())
    plans = [solved(small_hub, scenario, budget_usd=part * total).siting for part in (0.0, 0.2, 0.6)] + [
        run.plan
    ]
    spent = [float(plan.capex_usd.sum() + plan.grid_usd.sum()) for plan in plans]
    for part, used in zip((0.0, 0.2, 0.6), spent, strict=False):
        assert used <= part * total * (1 + 1e-6) + 1.0
    for less, more in itertools.pairwise(plans):
        assert less.objective <= more.bound * (1 + 1e-9)
        assert more.objective >= less.objective * (1 - more.gap) - 1e-6
    nothing = plans[0]
    assert not (nothing.opened > 0).any()
    assert not (nothing.tiers > 0).any()
    assert new_plugs(nothing).max() <= NEW
    assert nothing.served.sum() > 0  # the depot that stands still serves


def test_the_share_of_disadvantaged_tracts_holds_in_every_year(small_hub: Hub, scenario: Scenario) -> None:
    case = made(small_hub, scenario)
    few = np.arange(len(case.sites.name)) % 5 == 0
    sites = dataclasses.replace(case.sites, disadvantaged=few)
    free = serve_trucks(dataclasses.replace(case, sites=sites), *asked(case)).siting
    assert share_of(free, few).min() < 0.5
    fair = case.scenario.model_copy(
        update={"freight": case.scenario.freight.model_copy(update={"equity_share": 0.5})}
    )
    bound = serve_trucks(dataclasses.replace(case, sites=sites, scenario=fair), *asked(case)).siting
    assert share_of(bound, few).min() >= 0.5 - 1e-6
    assert bound.objective <= free.bound * (1 + 1e-9)
    assert bound.served.sum() > 0


def share_of(plan: SitingPlan, where: np.ndarray[Any, Any]) -> FloatArray:
    energy = yearly_energy(plan)
    total = energy.sum(axis=0)
    return np.asarray(energy[where].sum(axis=0)[total > 0] / total[total > 0])


@pytest.mark.parametrize("objective", ["electric_miles", "co2e", "diesel_pm_exposure"])
def test_each_objective_gains_most_of_its_own_kind(
    small_hub: Hub, scenario: Scenario, run: Run, objective: str
) -> None:
    total = float(run.plan.capex_usd.sum() + run.plan.grid_usd.sum())
    budget = 0.3 * total
    mine = solved(small_hub, scenario, objective=objective, budget_usd=budget).siting
    cost = solved(small_hub, scenario, budget_usd=budget).siting
    assert benefit(mine, objective) >= benefit(cost, objective) * (1 - GAP)
    assert mine.problem.objective == objective


def benefit(plan: SitingPlan, objective: str) -> float:
    """Discounted benefit of what is served, in the objective's own measure."""
    problem = plan.problem
    each = {"electric_miles": problem.km, "co2e": problem.co2e_t, "diesel_pm_exposure": problem.pm_people}
    weight = problem.span / (1 + problem.discount_rate) ** (problem.years - problem.years[0])
    return float(each[objective] @ plan.served @ weight)


def test_a_no_go_area_stays_empty_and_who_asked_is_told(small_hub: Hub, scenario: Scenario, run: Run) -> None:
    opened = run.tables["chargers"][run.tables["chargers"]["status"] == "planned"]
    first = opened.iloc[0]
    row = {
        "area_id": "no-chargers", "name": "No chargers", "kind": "no_go", "lat": first["lat"],
        "lon": first["lon"], "radius_km": 5.0, "asked_by": "Neighbours", "asked_on": "2025-05-01",
    }  # fmt: skip
    area = pd.DataFrame([row], columns=small_hub.tables["community_areas"].columns)
    hub = with_table(small_hub, "community_areas", lambda t: area.set_index(pd.RangeIndex(2, 3, name="line")))
    case = made(hub, scenario)
    plan = serve_trucks(case, *asked(case)).siting
    inside = case.sites.forbidden
    assert first["site_id"] in set(case.sites.name[inside])
    assert new_plugs(plan)[inside].max() <= NEW
    assert (case.sites.asked_by[inside] == "Neighbours").all()
    assert plan.objective <= run.plan.bound * (1 + 1e-9)


# ---------------------------------------------------------------- nothing to serve


def test_without_any_candidate_the_tables_are_empty_and_nothing_is_served(
    small_hub: Hub, scenario: Scenario
) -> None:
    bare = with_table(small_hub, "infrastructure", lambda t: t[t["kind"] != "substation"])
    case = made(bare, scenario)
    served = serve_trucks(case, *asked(case))
    assert served.share.tolist() == [0.0] * len(case.years)
    assert np.isnan(served.usd_per_kwh).all()
    tables = tables_of(case, served)
    for name in ("chargers", "charging_capital", "site_load", "site_use", "grid_upgrades"):
        assert tables[name].empty
        assert list(tables[name].columns) == list(PLAN_TABLES[name].names)
    assert (tables["truck_charging"]["served"] == 0).all()
    assert len(tables["road_flow"])
    assert (tables["road_flow"]["ze_trucks_per_day"] == 0).all()


def test_without_headroom_and_works_only_what_stands_serves(small_hub: Hub, scenario: Scenario) -> None:
    served = solved(small_hub, scenario, headroom=0.0, lead_time_added=30)
    plan = served.siting
    assert new_plugs(plan).max() <= NEW
    at = np.unique(plan.problem.pair_site[plan.delivered.sum(axis=1) > 0])
    assert set(plan.problem.sites.name[at]) == {"depot-wattev-port-of-long-beach"}
    assert (plan.capex_usd == 0).all()


# ---------------------------------------------------------------- flows, passes, bytes


def test_electric_trucks_on_the_road_are_those_served(run: Run) -> None:
    flow = run.tables["road_flow"]
    assert (flow["ze_trucks_per_day"] <= flow["trucks_per_day"] * (1 + 1e-9)).all()
    km = run.case.network.length_km[flow["arc_id"]]
    share = float(flow["ze_trucks_per_day"] @ km / (flow["trucks_per_day"] @ km))
    problem = run.plan.problem
    expected = problem.km @ run.plan.served[:, -1] / (problem.km @ problem.trucks[:, -1])
    assert share == pytest.approx(float(expected), rel=0.05)
    assert set(flow["licence"]) == {run.case.network.licence}


def test_a_second_pass_keeps_the_sites_and_the_works(run: Run) -> None:
    activity, share = asked(run.case)
    again = serve_trucks(run.case, activity, 0.8 * share, run.served)
    assert (again.siting.opened[again.siting.opened > 0] >= 0).all()
    chosen = run.plan.opened > 0
    assert not (again.siting.opened[~chosen & (run.case.sites.open_plugs <= 0)] > 0).any()
    assert (again.siting.tiers == run.plan.tiers).all()
    assert again.siting.served.sum() <= run.plan.served.sum()
    same = serve_trucks(run.case, activity, share, run.served)
    assert same.siting.objective >= run.plan.objective * (1 - GAP)


def test_the_same_plan_gives_the_same_bytes_and_another_seed_another_road_flow(
    small_hub: Hub, scenario: Scenario, run: Run
) -> None:
    again = made(small_hub, scenario)
    tables = tables_of(again, serve_trucks(again, *asked(again)))
    for name, frame in tables.items():
        assert frame.to_csv() == run.tables[name].to_csv(), name
    other = made(small_hub, scenario, seed=3)
    served = served_by(serve_trucks(other, *asked(other)).siting)
    assert tables_of(other, served)["road_flow"].to_csv() != run.tables["road_flow"].to_csv()
