"""Siting chargers as a job of its own: years one by one, what is wanted, survival, robust choices."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cleanhub.core.errors import InputError
from cleanhub.core.tables import conform
from cleanhub.freight.serve import yearly_energy
from cleanhub.freight.siting_model import standing_plugs
from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario, load_scenario
from cleanhub.planning.charging_ways import OwnPower, charging_ways
from cleanhub.planning.siting import (
    Sited,
    SitingChoice,
    coarser,
    site_chargers,
    spread_cases,
    with_sites,
)

QUICK = SitingChoice(2025, 2035, wanted=0.3, gap=0.05, nodes=0)
SHORT = SitingChoice(2026, 2030, wanted=0.15, gap=0.05, nodes=0)


@pytest.fixture(scope="module")
def scenario(small_hub: Hub) -> Scenario:
    return load_scenario("net-zero-2045", small_hub).model_copy(update={"end_year": 2036})


@pytest.fixture(scope="module")
def sited(small_hub: Hub, scenario: Scenario) -> Sited:
    return site_chargers(small_hub, scenario, QUICK)


@pytest.fixture(scope="module")
def short(small_hub: Hub, scenario: Scenario) -> Sited:
    return site_chargers(small_hub, scenario, SHORT)


def freight(scenario: Scenario, **changed: Any) -> Scenario:
    return scenario.model_copy(update={"freight": scenario.freight.model_copy(update=changed)})


def test_every_year_is_decided_and_every_table_is_as_declared(sited: Sited) -> None:
    assert sited.plan.problem.years.tolist() == list(range(2025, 2036))
    assert (sited.plan.problem.span == 1.0).all()
    assert sited.tables["truck_charging"]["year"].tolist() == list(range(2025, 2036))
    for name, frame in sited.tables.items():
        pd.testing.assert_frame_equal(frame, conform(frame, PLAN_TABLES[name]))
    assert sited.survival is None
    assert sited.robust is None


def test_what_is_wanted_rises_on_a_straight_line_to_the_share_asked_for(sited: Sited) -> None:
    problem = sited.plan.problem
    share = problem.wanted / problem.trucks.sum(axis=0)
    assert share[-1] == pytest.approx(0.3)
    assert np.diff(share) == pytest.approx(np.full(10, (share[-1] - share[0]) / 10))
    assert (np.diff(share) > 0).all()


def test_without_a_share_asked_for_buyers_say_what_is_wanted(small_hub: Hub, scenario: Scenario) -> None:
    choice = SitingChoice(2026, 2029, gap=0.1, nodes=0)
    free, ruled = (
        site_chargers(small_hub, scenario.model_copy(update=update), choice).plan.problem.wanted
        for update in ({"zero_emission_sales": False, "credits": ()}, {"zero_emission_sales": True})
    )
    assert (free <= ruled + 1e-9).all()
    assert free[-1] < ruled[-1]
    assert (np.diff(ruled) > 0).all()


def test_ways_to_charge_are_ordered_as_they_must_be(short: Sited) -> None:
    case, plan = short.case, short.plan
    two = charging_ways(case, plan).set_index("way")
    assert list(two.index) == ["at once", "best hours"]
    assert two.loc["best hours", "usd_per_year"] < two.loc["at once", "usd_per_year"]
    assert two.loc["best hours", "over_room_kw"] == pytest.approx(0.0, abs=1e-3)
    sold = two["usd_per_year"] / two["usd_per_kwh"] + two["unserved_kwh_per_year"]
    served = yearly_energy(plan)[:, -1].sum()
    assert sold.tolist() == pytest.approx([served, served], rel=1e-6)
    assert not two[["panels_kw", "storage_kwh"]].to_numpy().any()
    three = charging_ways(case, plan, OwnPower(panels_kw=500.0)).set_index("way")
    pd.testing.assert_frame_equal(three.loc[two.index], two)
    own = three.loc["own power"]
    assert own["usd_per_year"] <= two.loc["best hours", "usd_per_year"] * (1 + 1e-9)
    used = int((plan.plugs[:, -1] > 0).sum())
    assert 0 < own["panels_kw"] <= 500.0 * used
    assert own["storage_kwh"] == 0
    assert own["co2_t_per_year"] < two.loc["best hours", "co2_t_per_year"]


def test_nothing_new_serves_before_it_can_be_built(sited: Sited) -> None:
    plan, years = sited.plan, sited.plan.problem.years
    sites, grid = plan.problem.sites, plan.problem.grid
    new = plan.plugs - standing_plugs(plan.problem)
    assert new[years[None, :] < sites.earliest[:, None]].max(initial=0.0) == 0.0
    assert (sites.earliest > sited.case.scenario.as_of.year).all()
    built = plan.tiers > 0
    assert (plan.tiers[built] >= grid.tier_ready[built]).all()
    opened = plan.opened[plan.opened > 0]
    assert len(opened)
    assert (opened >= sites.earliest.min()).all()
    assert (np.diff(plan.plugs, axis=1) >= -1e-9).all()


def test_the_bound_lies_above_the_plan_and_the_gap_is_between_them(sited: Sited) -> None:
    plan = sited.plan
    assert plan.bound >= plan.objective > 0
    assert plan.gap == pytest.approx((plan.bound - plan.objective) / plan.objective, rel=1e-6)
    assert plan.gap <= QUICK.gap or plan.status == "limit"


def test_a_budget_bounds_all_capital_and_more_serves_no_fewer(
    small_hub: Hub, scenario: Scenario, short: Sited
) -> None:
    total = float(short.plan.capex_usd.sum() + short.plan.grid_usd.sum())
    plans = [short.plan]
    for part in (0.4, 0.0):
        plans.append(site_chargers(small_hub, freight(scenario, budget_usd=part * total), SHORT).plan)
        assert plans[-1].capex_usd.sum() + plans[-1].grid_usd.sum() <= part * total * (1 + 1e-6) + 1.0
        assert plans[-1].objective <= plans[-2].bound * (1 + 1e-9)
    assert not (plans[-1].opened > 0).any()
    assert plans[1].delivered.sum() < plans[0].delivered.sum()


def test_ten_years_more_of_lead_time_never_serve_more(small_hub: Hub, scenario: Scenario) -> None:
    choice = SitingChoice(2032, 2035, wanted=0.5, gap=0.05, nodes=0)
    soon, late = (
        site_chargers(small_hub, freight(scenario, lead_time_added=n, headroom=0.3), choice).plan
        for n in (0, 10)
    )
    assert (soon.tiers > 0).any()
    assert not (late.tiers > 0).any()
    assert late.objective <= soon.bound * (1 + 1e-9)
    assert late.served[:, -1].sum() < soon.served[:, -1].sum()
    assert late.served.sum() <= soon.served.sum() * (1 + QUICK.gap)


def test_moving_one_cluster_20_km_moves_flows_and_sites(
    small_hub: Hub, scenario: Scenario, short: Sited
) -> None:
    table = small_hub.tables["warehouse_clusters"].copy()
    table.loc[table["cluster"] == "Fontana", "lon"] += 20.0 / (111.32 * np.cos(np.radians(34.07)))
    hub = dataclasses.replace(small_hub, tables={**small_hub.tables, "warehouse_clusters": table})
    moved = site_chargers(hub, scenario, SHORT)
    flows = [one.tables["road_flow"].set_index("arc_id")["trucks_per_day"] for one in (short, moved)]
    both = flows[0].index.intersection(flows[1].index)
    assert len(both)
    assert not np.allclose(flows[0][both], flows[1][both])
    assert set(flows[0].index) != set(flows[1].index)
    places = [
        set(zip(t["lat"], t["lon"], strict=True)) for t in (one.tables["chargers"] for one in (short, moved))
    ]
    assert places[0] != places[1]


def test_the_same_seed_gives_the_same_bytes(small_hub: Hub, scenario: Scenario, short: Sited) -> None:
    again = site_chargers(small_hub, scenario, SHORT)
    for name, frame in again.tables.items():
        assert frame.to_csv() == short.tables[name].to_csv(), name
    other = site_chargers(small_hub, scenario, SHORT, seed=5)
    assert other.tables["road_flow"].to_csv() != short.tables["road_flow"].to_csv()


def test_what_people_asked_for_is_answered_area_by_area(small_hub: Hub, scenario: Scenario) -> None:
    columns = small_hub.tables["community_areas"].columns
    blank = dict.fromkeys(columns, "")
    rows = [
        blank | {"area_id": "a", "name": "Carson", "kind": "priority", "asked_by": "Residents"},
        blank | {"area_id": "b", "name": "Fontana", "kind": "no_go", "asked_by": "School"},
    ]
    table = pd.DataFrame(rows, columns=columns).set_index(pd.RangeIndex(2, 4, name="line"))
    table = table.assign(lat=[33.836, 34.074], lon=[-118.264, -117.458], radius_km=4.0, asked_on=None)
    hub = dataclasses.replace(small_hub, tables={**small_hub.tables, "community_areas": table})
    found = site_chargers(hub, scenario, SHORT)
    report = found.community.set_index("area_id")
    assert report.loc["b", "opened"] == 0
    assert report.loc["b", "refused"] == report.loc["b", "sites"] > 0
    assert report.loc["a", "refused"] == 0
    plan = found.plan
    inside = plan.problem.sites.asked_by == "Residents"
    assert report.loc["a", "opened"] == int((plan.opened[inside] > 0).sum())
    assert (plan.problem.sites.priority[inside] > 1).all()


# ---------------------------------------------------------------- how well it holds


def test_coarser_years_stand_for_all_of_them(sited: Sited) -> None:
    few = coarser(sited.plan.problem, 3)
    assert few.years.tolist() == [2025, 2030, 2035]
    assert few.span.tolist() == [5.0, 5.0, 1.0]
    assert few.trucks.shape == (len(few.kwh), 3)
    assert few.wanted == pytest.approx(sited.plan.problem.wanted[[0, 5, 10]])
    whole = coarser(sited.plan.problem, 11)
    assert whole.years.tolist() == sited.plan.problem.years.tolist()
    assert whole.span == pytest.approx(sited.plan.problem.span)


def test_survival_is_told_for_the_sites_that_open(small_hub: Hub, scenario: Scenario) -> None:
    choice = SitingChoice(2027, 2030, wanted=0.1, gap=0.1, nodes=0, survival=True)
    found = site_chargers(small_hub, scenario, choice)
    assert found.survival is not None
    assert 0.0 <= found.survival.share <= 1.0
    chargers = found.tables["chargers"].set_index("site_id")
    opened = set(found.plan.problem.sites.name[found.plan.opened > 0])
    assert set(chargers.index[chargers["survival"].notna()]) == opened
    assert chargers["survival"].dropna().between(0, 1).all()


def test_fewer_sites_keep_their_own_columns_and_pairs(sited: Sited) -> None:
    problem = sited.plan.problem
    keep = np.flatnonzero(np.arange(len(problem.sites.name)) % 3 == 0)
    few = with_sites(problem, keep)
    assert few.sites.name.tolist() == problem.sites.name[keep].tolist()
    assert few.sites.plugs_most == pytest.approx(problem.sites.plugs_most[keep])

    def pairs(one: Any) -> set[tuple[Any, ...]]:
        names = one.sites.name[one.pair_site]
        return set(zip(names, one.pair_group, one.pair_kind, one.pair_extra_kwh, strict=True))

    kept = {pair for pair in pairs(problem) if pair[0] in set(few.sites.name)}
    assert pairs(few) == kept
    assert 0 < len(kept) < len(pairs(problem))


def test_cases_spread_headroom_and_demand_in_all_pairs(sited: Sited) -> None:
    problem = sited.plan.problem
    cases = spread_cases(problem)
    factors = {
        (
            float(case.grid.headroom_kw.sum() / problem.grid.headroom_kw.sum()),
            float(case.wanted.sum() / problem.wanted.sum()),
        )
        for case in cases
    }
    assert factors == {(1.0, 1.0), (0.5, 0.5), (0.5, 1.5), (1.5, 0.5), (1.5, 1.5)}


@pytest.mark.slow
@pytest.mark.parametrize("measure", ["regret", "cvar"])
def test_one_choice_for_all_cases_lies_within_its_bound(
    small_hub: Hub, scenario: Scenario, measure: str
) -> None:
    choice = SitingChoice(2027, 2028, wanted=0.03, gap=0.1, nodes=0, robust=measure)
    robust = site_chargers(small_hub, scenario, choice).robust
    assert robust is not None
    assert len(robust.plans) == 5
    assert robust.gap >= 0
    assert (robust.regret >= -1e-6 * np.abs(robust.best)).all()
    first = robust.plans[0]
    for other in robust.plans[1:]:
        assert (other.opened == first.opened).all()
        assert other.plugs == pytest.approx(first.plugs)
        asked, given = other.problem.wanted, other.served.sum(axis=0)
        assert (given <= asked * (1 + 1e-6)).all()


# ---------------------------------------------------------------- bad input


def test_a_hub_without_drayage_is_refused() -> None:
    world = load_hub("global")
    with pytest.raises(InputError, match="no drayage with terminals") as error:
        site_chargers(world, load_scenario(str(world.meta["default_scenario"]), world), QUICK)
    assert error.value.exit_code == 2


def test_energy_of_the_last_year_is_that_of_the_chargers(sited: Sited) -> None:
    per_day = yearly_energy(sited.plan)[:, -1].sum() / sited.plan.problem.working_days
    assert sited.tables["chargers"]["kwh_per_day"].sum() == pytest.approx(per_day, rel=1e-9)
