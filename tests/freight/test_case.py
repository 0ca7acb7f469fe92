"""The freight of a hub before chargers are chosen: what it takes up, what it refuses, what scales it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_hub import CANDIDATES

from cleanhub.core.errors import InputError
from cleanhub.finance.annuity import capital_recovery_factor
from cleanhub.freight.case import CHEAPER, FreightCase, decided_years, prepare_freight
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario, load_scenario

LAST = 2036


@pytest.fixture(scope="module")
def scenario(small_hub: Hub) -> Scenario:
    return load_scenario("net-zero-2045", small_hub).model_copy(update={"end_year": LAST})


@pytest.fixture(scope="module")
def case(small_hub: Hub, scenario: Scenario) -> FreightCase:
    return made(small_hub, scenario)


def made(hub: Hub, scenario: Scenario, **more: Any) -> FreightCase:
    found = prepare_freight(hub, scenario, **more)
    assert found is not None
    return found


def freight(scenario: Scenario, **changed: Any) -> Scenario:
    return scenario.model_copy(update={"freight": scenario.freight.model_copy(update=changed)})


def with_table(hub: Hub, name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Hub:
    return dataclasses.replace(hub, tables={**hub.tables, name: change(hub.tables[name])})


def added(table: pd.DataFrame, *rows: dict[str, Any]) -> pd.DataFrame:
    """``table`` with rows that repeat its first one but for what they say."""
    first = dict.fromkeys(table.columns) if table.empty else table.iloc[0].to_dict()
    new = pd.DataFrame([first | row for row in rows], columns=table.columns).astype(table.dtypes.to_dict())
    new.index = pd.RangeIndex(len(table) + 2, len(table) + 2 + len(new), name="line")
    return new if table.empty else pd.concat([table, new])


# ---------------------------------------------------------------- what it is


def test_the_small_hub_is_what_its_rows_say(case: FreightCase) -> None:
    kinds = pd.Series(case.zones.kind).value_counts()
    assert kinds["terminal"] == 3
    assert kinds["rail_yard"] == 3
    assert kinds["cluster"] == 8
    assert list(case.grid.title) == ["Hinson", "Laguna Bell", "Harbor GS / Q", "Mira Loma"]
    assert len(case.sites.name) == CANDIDATES
    assert case.asset_id == "trucks-drayage"
    assert case.fleet_size == 24_000


def test_sites_that_are_left_out_are_told(small_hub: Hub, scenario: Scenario, case: FreightCase) -> None:
    place = {"place_id": "far", "name": "Far", "lat": 34.9, "lon": -117.02}
    far = with_table(small_hub, "freight_places", lambda t: added(t, place))
    new = set(made(far, scenario).notes) - set(case.notes)
    assert any("public-far (Far)" in note and "left out" in note for note in new)


def test_every_site_hangs_on_a_substation_and_every_group_can_charge(case: FreightCase) -> None:
    assert (case.sites.substation >= 0).all()
    assert (case.sites.substation < len(case.grid.name)).all()
    assert set(case.pairs.group) == set(range(len(case.kwh)))
    assert len(case.co2e_t) == len(case.pm_people) == len(case.kwh)
    assert (case.kwh > 0).all()
    assert (case.co2e_t > 0).all()
    assert (case.pm_people >= 0).all()


def test_no_new_plug_may_serve_before_the_day_of_the_plan(case: FreightCase, scenario: Scenario) -> None:
    assert (case.sites.earliest > scenario.as_of.year).all()
    assert (case.grid.tier_ready > scenario.as_of.year).all()
    stands = case.sites.open_plugs > 0
    assert list(case.sites.open_year[stands]) == [2023]


def test_the_same_seed_gives_the_same_truck_days_and_another_one_others(
    case: FreightCase, small_hub: Hub, scenario: Scenario
) -> None:
    again, other = made(small_hub, scenario), made(small_hub, scenario, seed=7)
    for name in (field.name for field in dataclasses.fields(case.truck_days)):
        first, second = getattr(case.truck_days, name), getattr(again.truck_days, name)
        assert first.tobytes() == second.tobytes()
    assert again.kwh.tobytes() == case.kwh.tobytes()
    assert other.truck_days.leg_km.tobytes() != case.truck_days.leg_km.tobytes()
    assert other.truck_days.trucks.sum() == pytest.approx(case.truck_days.trucks.sum(), rel=0.05)


# ---------------------------------------------------------------- years


def years_of(as_of: str, end: int) -> list[int]:
    day = dt.date.fromisoformat(as_of)
    scenario = Scenario(name="x", title="x", as_of=day, end_year=end, price_year=2024)
    return decided_years(scenario).tolist()


def test_decided_years_are_close_at_first_and_end_with_the_scenario() -> None:
    assert years_of("2026-06-01", 2050) == [2026, 2027, 2028, 2030, 2032, 2035, 2040, 2045, 2050]
    assert years_of("2026-06-01", 2036) == [2026, 2027, 2028, 2030, 2032, 2035, 2036]
    assert years_of("2026-06-01", 2030) == [2026, 2027, 2028, 2030]
    assert years_of("2025-01-01", 2045) == [2025, 2026, 2027, 2029, 2031, 2034, 2039, 2044, 2045]


def test_years_given_are_those_decided(small_hub: Hub, scenario: Scenario) -> None:
    years = np.arange(2028, 2031)
    found = made(small_hub, scenario, years=years)
    share = np.full(3, 0.1)
    problem = found.problem(np.full(3, 1e9), share)
    assert problem.years.tolist() == [2028, 2029, 2030]
    assert problem.span.tolist() == [1.0, 1.0, 1.0]


# ---------------------------------------------------------------- the problem


def test_truck_days_drive_the_activity_that_is_asked_for(case: FreightCase) -> None:
    count = len(case.years)
    activity, share = np.linspace(1.0e9, 1.5e9, count), np.linspace(0.0, 0.6, count)
    problem = case.problem(activity, share)
    driven = case.truck_days.km @ problem.trucks * case.working_days
    assert driven == pytest.approx(activity, rel=1e-12)
    assert problem.wanted == pytest.approx(share * problem.trucks.sum(axis=0), rel=1e-12)
    assert problem.span.sum() == LAST - 2026 + 1
    assert (problem.trucks[:, 1] / problem.trucks[:, 0]).std() == pytest.approx(0.0, abs=1e-12)


def test_choices_of_the_scenario_reach_the_problem(small_hub: Hub, scenario: Scenario) -> None:
    chosen = freight(scenario, budget_usd=5e6, equity_share=0.4, objective="co2e")
    found = made(small_hub, chosen)
    problem = found.problem(np.full(len(found.years), 1e9), np.zeros(len(found.years)))
    assert (problem.budget_usd == 5e6).all()
    assert problem.equity_share == 0.4
    assert problem.objective == "co2e"
    assert problem.discount_rate == chosen.decision.discount_rate
    free = made(small_hub, scenario).problem(np.full(len(found.years), 1e9), np.zeros(len(found.years)))
    assert np.isinf(free.budget_usd).all()
    assert free.objective == "cost"


def test_headroom_that_is_assumed_scales_and_that_of_a_utility_stays(
    small_hub: Hub, scenario: Scenario, case: FreightCase
) -> None:
    row = {"infrastructure_id": "substation-hinson", "value": 12.0, "unit": "MW", "confidence": "seen"}
    row |= {"low": np.nan, "high": np.nan, "source_id": "cleanhub-assumption", "note": ""}
    known = with_table(small_hub, "grid_headroom", lambda t: added(t, row))
    found = made(known, freight(scenario, headroom=0.25)).grid
    hinson = list(found.name).index("substation-hinson")
    assert found.headroom_kw[hinson] == 12_000.0
    others = np.arange(len(found.name)) != hinson
    assert found.headroom_kw[others] == pytest.approx(0.25 * case.grid.headroom_kw[others])
    assert (found.headroom_confidence[others] == "assumed").all()


def test_lead_time_added_moves_every_tier_by_so_many_years(
    small_hub: Hub, scenario: Scenario, case: FreightCase
) -> None:
    later = made(small_hub, freight(scenario, lead_time_added=10)).grid
    assert (later.tier_ready - case.grid.tier_ready == 10).all()
    assert later.headroom_kw.tolist() == case.grid.headroom_kw.tolist()


def test_the_first_price_is_that_of_the_cheaper_sites(case: FreightCase) -> None:
    sites = case.sites
    rate, life = case.scenario.decision.discount_rate, case.figures.value("plug_life", unit="yr")
    each = []
    for s in range(len(sites.name)):
        capital = sites.usd_per_plug[s] + sites.fixed_usd[s] / max(sites.plugs_most[s], 1.0)
        yearly = capital * (sites.yearly_share[s] + float(capital_recovery_factor(rate, life)))
        each.append(sites.usd_per_kwh[s] + yearly / (sites.kwh_per_plug[s] * case.working_days))
    assert case.first_price == pytest.approx(np.quantile(each, CHEAPER), rel=1e-12)
    assert min(each) <= case.first_price <= max(each)


# ---------------------------------------------------------------- other hubs


def test_moving_one_cluster_20_km_moves_the_truck_days_and_the_sites(
    small_hub: Hub, scenario: Scenario, case: FreightCase
) -> None:
    def moved(table: pd.DataFrame) -> pd.DataFrame:
        out = table.copy()
        out.loc[out["cluster"] == "Fontana", "lon"] += 20.0 / (111.32 * np.cos(np.radians(34.0)))
        return out

    found = made(with_table(small_hub, "warehouse_clusters", moved), scenario)
    assert found.mean_km != case.mean_km
    was, now = (
        dict(zip(one.sites.name, zip(one.sites.lat, one.sites.lon, strict=True), strict=True))
        for one in (case, found)
    )
    assert now["shared-cluster-fontana"] != was["shared-cluster-fontana"]
    assert now["shared-cluster-carson"] == was["shared-cluster-carson"]
    roads = [{n for n in names if n.startswith("road-")} for names in (was, now)]
    assert roads[0] != roads[1]


def test_a_hub_without_drayage_terminals_or_destinations_has_no_freight(
    small_hub: Hub, scenario: Scenario
) -> None:
    no_cohort = with_table(small_hub, "cohorts", lambda t: t[t["duty_cycle"] != "drayage"])
    assert prepare_freight(no_cohort, scenario) is None
    no_port = with_table(small_hub, "infrastructure", lambda t: t[t["kind"] != "terminal"])
    assert prepare_freight(no_port, scenario) is None
    nowhere = with_table(small_hub, "infrastructure", lambda t: t[t["kind"] != "rail_yard"])
    nowhere = with_table(nowhere, "warehouse_clusters", lambda t: t.iloc[:0])
    nowhere = with_table(nowhere, "freight_places", lambda t: t.iloc[:0])
    assert prepare_freight(nowhere, scenario) is None


def test_a_hub_without_substations_has_no_sites_and_says_which_were_left_out(
    small_hub: Hub, scenario: Scenario
) -> None:
    bare = with_table(small_hub, "infrastructure", lambda t: t[t["kind"] != "substation"])
    found = made(bare, scenario)
    assert len(found.sites.name) == 0
    assert np.isnan(found.first_price)
    assert any("left out" in note and "none" in note and "more like this)" in note for note in found.notes)


def test_a_hub_without_roads_runs_on_straight_lines_and_says_so(small_hub: Hub, scenario: Scenario) -> None:
    meta = {key: value for key, value in small_hub.meta.items() if key != "roads"}
    found = made(dataclasses.replace(small_hub, meta=meta), scenario)
    assert len(found.sites.name)
    assert "straight" in found.network.name.lower()


# ---------------------------------------------------------------- bad input


def faults_of(hub: Hub, scenario: Scenario) -> list[str]:
    """What the freight of ``hub`` is refused for, one line each."""
    with pytest.raises(InputError) as error:
        prepare_freight(hub, scenario)
    return [fault.line() for fault in error.value.faults]


def test_a_second_drayage_cohort_is_named(small_hub: Hub, scenario: Scenario) -> None:
    def two(table: pd.DataFrame) -> pd.DataFrame:
        drayage = table[table["duty_cycle"] == "drayage"].iloc[0].to_dict()
        return added(table, drayage | {"asset_id": "trucks-two"}, drayage | {"asset_id": "trucks-three"})

    lines = faults_of(with_table(small_hub, "cohorts", two), scenario)
    assert len(lines) == 2
    assert "cohorts.csv" in lines[0]
    assert "second drayage cohort" in lines[0]
    assert "trucks-two" in lines[0]
    assert "trucks-three" in lines[1]


def test_truck_stops_beyond_every_substation_are_all_named(small_hub: Hub, scenario: Scenario) -> None:
    stops = (
        {"place_id": "stop-needles", "name": "Needles", "kind": "truck_stop", "lat": 34.84, "lon": -114.61},
        {"place_id": "stop-blythe", "name": "Blythe", "kind": "truck_stop", "lat": 33.61, "lon": -114.59},
        {"place_id": "stop-carson", "name": "Carson", "kind": "truck_stop", "lat": 33.83, "lon": -118.24},
    )
    lines = faults_of(with_table(small_hub, "freight_places", lambda t: added(t, *stops)), scenario)
    assert len(lines) == 2
    assert all("freight_places.csv" in line and "has no substation" in line for line in lines)
    assert "stop-needles" in lines[0]
    assert "stop-blythe" in lines[1]
    near = made(with_table(small_hub, "freight_places", lambda t: added(t, stops[2])), scenario)
    assert "stop-carson" in set(near.sites.name)


def test_places_off_the_roads_are_all_named(small_hub: Hub, scenario: Scenario) -> None:
    at_sea = ({"place_id": "reef", "name": "Reef", "lat": 32.0, "lon": -122.0},)
    hub = with_table(small_hub, "freight_places", lambda t: added(t, *at_sea))

    def adrift(table: pd.DataFrame) -> pd.DataFrame:
        out = table.copy()
        out.loc[out["cluster"] == "Chino", ["lat", "lon"]] = 31.0, -123.0
        return out

    lines = faults_of(with_table(hub, "warehouse_clusters", adrift), scenario)
    assert len(lines) == 2
    assert "freight_places.csv" in lines[0]
    assert "reef (Reef) is off the roads" in lines[0]
    assert "warehouse_clusters.csv" in lines[1]
    assert "cluster-chino" in lines[1]


def test_headroom_faults_are_listed_together(small_hub: Hub, scenario: Scenario) -> None:
    good = {"low": np.nan, "high": np.nan, "source_id": "x", "note": "", "confidence": "seen"}
    rows = (
        good | {"infrastructure_id": "substation-hinson", "value": -5.0, "unit": "MW"},
        good | {"infrastructure_id": "substation-nowhere", "value": 5.0, "unit": "MW"},
    )
    with pytest.raises(InputError) as error:
        prepare_freight(with_table(small_hub, "grid_headroom", lambda t: added(t, *rows)), scenario)
    text = "\n".join(fault.line() for fault in error.value.faults)
    assert "-5" in text
    assert "substation-nowhere" in text
