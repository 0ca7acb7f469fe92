"""Trucks and chargers agree: bounds, prices, the residual, and hubs without freight."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_hub import edit

from cleanhub.core.errors import InputError
from cleanhub.core.memory import remembering
from cleanhub.core.tables import conform
from cleanhub.freight.serve import serve_trucks
from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario, load_scenario
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.engine import run_pathway
from cleanhub.pathways.results import truck_fleet_table
from cleanhub.pathways.tables import path_tables
from cleanhub.planning.charging import (
    CARRIER,
    MOST_PASSES,
    TABLES,
    TOLERANCE,
    Coupled,
    charging_tables,
    fleet_of,
    with_chargers,
)
from cleanhub.planning.plan import Plan

LAST = 2036
DRAYAGE = "trucks-drayage"
BATTERY = "truck_class8_day_battery"
LIMIT = f"charging_{DRAYAGE}"


@pytest.fixture(scope="module")
def scenario(small_hub: Hub) -> Scenario:
    return load_scenario("net-zero-2045", small_hub).model_copy(update={"end_year": LAST})


@pytest.fixture(scope="module")
def path(small_hub: Hub, scenario: Scenario) -> Pathway:
    return run_pathway(small_hub, scenario)


@pytest.fixture(scope="module")
def coupled(path: Pathway) -> Coupled:
    return with_chargers(path)


@pytest.fixture(scope="module")
def tables(coupled: Coupled) -> dict[str, pd.DataFrame]:
    return charging_tables(coupled)


def freight(scenario: Scenario, **changed: Any) -> Scenario:
    return scenario.model_copy(update={"freight": scenario.freight.model_copy(update=changed)})


def with_freight(path: Pathway, **changed: Any) -> Coupled:
    """The coupling of a path under other choices of freight, which do not touch the path before it."""
    return with_chargers(dataclasses.replace(path, scenario=freight(path.scenario, **changed)))


def with_table(hub: Hub, name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Hub:
    return dataclasses.replace(hub, tables={**hub.tables, name: change(hub.tables[name])})


def drayage(path: Pathway, powertrain: str = BATTERY) -> pd.DataFrame:
    """Rows of drayage trucks by year."""
    table = truck_fleet_table(path)
    return table[(table["class"] == DRAYAGE) & (table["powertrain"] == powertrain)].set_index("year")


def battery_share(coupled: Coupled) -> pd.Series[float]:
    """Share of drayage that needs a charger, by year."""
    path = coupled.path
    assert coupled.case is not None
    fleet = fleet_of(path, coupled.case)
    driven = path.walked.vehicles[fleet.v].distance
    return pd.Series(driven[fleet.needs].sum(axis=0) / driven.sum(axis=0), path.years)


# ---------------------------------------------------------------- agreement


def test_trucks_and_chargers_agree_or_it_is_said_that_they_do_not(coupled: Coupled) -> None:
    assert coupled.agreed == bool(coupled.residual.max() <= TOLERANCE)
    word = "agree" if coupled.agreed else "do not agree"
    assert f"trucks and chargers {word} after {coupled.passes} passes" in coupled.notes[0]
    assert f"{coupled.residual.max():.2%}" in coupled.notes[0]
    assert coupled.agreed  # the small hub settles


def test_what_does_not_agree_ends_after_the_most_passes_and_says_so(
    path: Pathway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a tolerance that nothing can meet all passes are made, and none but these."""
    made: list[int] = []

    def counted(*args: Any) -> Any:
        made.append(1)
        return serve_trucks(*args)

    monkeypatch.setattr("cleanhub.planning.charging.TOLERANCE", -1.0)
    monkeypatch.setattr("cleanhub.freight.serve.serve_trucks", counted)
    never = with_chargers(path)
    assert len(made) == never.passes == MOST_PASSES
    assert not never.agreed
    assert f"do not agree after {MOST_PASSES} passes" in never.notes[0]


def test_a_tolerance_that_anything_meets_ends_after_one_pass(
    path: Pathway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cleanhub.planning.charging.TOLERANCE", 10.0)
    assert with_chargers(path).passes == 1


def test_the_residual_is_the_difference_of_trucks_and_chargers(
    coupled: Coupled, tables: dict[str, pd.DataFrame]
) -> None:
    assert coupled.case is not None
    assert coupled.served is not None
    now = battery_share(coupled)[coupled.case.years].to_numpy()
    differ = np.abs(now - coupled.served.share) / now.max()
    assert coupled.residual == pytest.approx(differ, abs=1e-12)
    table = tables["truck_charging"]
    assert table["residual"].to_numpy() == pytest.approx(differ, abs=1e-12)


def test_battery_trucks_never_exceed_what_is_served(coupled: Coupled) -> None:
    assert coupled.served is not None
    assert coupled.case is not None
    most = coupled.charging[0].most
    bound = np.isfinite(most)
    assert bound.any()
    share = battery_share(coupled)
    total = fleet_of(coupled.path, coupled.case).demand
    used = share.to_numpy() * total
    assert (used[bound] <= most[bound] * (1 + TOLERANCE)).all()
    over = coupled.path.years[bound & (used > most * (1 + 1e-9))]
    assert (drayage(coupled.path)["purchases"].loc[over] == 0).all()  # those that stand already stay
    decided = np.isin(coupled.path.years, coupled.case.years)
    assert most[bound & decided] / total[bound & decided] == pytest.approx(
        coupled.served.share[bound[decided]], rel=1e-9
    )


def test_a_bound_stands_among_the_limits_and_is_kept(coupled: Coupled) -> None:
    limits = path_tables(coupled.path)["limits"]
    mine = limits[limits["limit"] == LIMIT].set_index("year")
    assert len(mine)
    assert (mine["used"] <= mine["value"] * (1 + TOLERANCE)).all()
    assert (mine["violation"] <= TOLERANCE * mine["value"]).all()
    assert (mine["used"] >= 0.99 * mine["value"]).any()  # it binds
    share = battery_share(coupled)
    assert mine["used"].to_numpy() == pytest.approx(
        (share * total_activity(coupled))[mine.index].to_numpy(), rel=1e-6
    )


def total_activity(coupled: Coupled) -> pd.Series[float]:
    assert coupled.case is not None
    return pd.Series(fleet_of(coupled.path, coupled.case).demand, coupled.path.years)


def test_where_chargers_bind_more_are_wanted_than_served(tables: dict[str, pd.DataFrame]) -> None:
    table = tables["truck_charging"]
    assert (table["served"] < table["wanted"]).any()
    assert (table["served"] <= table["wanted"] * (1 + TOLERANCE)).all()


def test_the_same_seed_gives_the_same_bytes(tables: dict[str, pd.DataFrame], path: Pathway) -> None:
    with remembering(fresh=True):
        again = charging_tables(with_chargers(path))
    assert tuple(tables) == TABLES
    for name, frame in tables.items():
        assert frame.to_csv() == again[name].to_csv(), name
        pd.testing.assert_frame_equal(frame, conform(frame, PLAN_TABLES[name]))


# ---------------------------------------------------------------- more or fewer chargers


def test_without_freight_the_trucks_are_those_of_the_path_alone(
    small_hub: Hub, scenario: Scenario, path: Pathway
) -> None:
    lifted = freight(scenario, serve=False)
    coupled = with_chargers(run_pathway(small_hub, lifted))
    assert coupled.case is None
    assert not coupled.notes
    assert coupled.charging == ()
    alone = path_tables(path)
    for name, frame in path_tables(coupled.path).items():
        assert frame.to_csv() == alone[name].to_csv(), name
    for name, frame in charging_tables(coupled).items():
        assert frame.empty
        pd.testing.assert_frame_equal(frame, conform(frame, PLAN_TABLES[name]))


def test_with_zero_chargers_no_battery_truck_appears(small_hub: Hub, scenario: Scenario) -> None:
    hub = with_table(small_hub, "infrastructure", lambda t: t[t["kind"] != "depot"])
    path = run_pathway(hub, freight(scenario, headroom=0.0, lead_time_added=30))
    wanted = drayage(path)
    assert wanted["purchases"].sum() > 0  # buyers would
    coupled = with_chargers(path)
    found = drayage(coupled.path)
    future = found.index >= scenario.as_of.year
    assert (found.loc[future, "purchases"] == 0).all()
    assert (found.loc[found.index > scenario.as_of.year, "trucks"] <= found["trucks"].iloc[0] + 1e-9).all()
    assert coupled.served is not None
    assert (coupled.served.share == 0).all()
    tables = charging_tables(coupled)
    assert tables["chargers"].empty
    assert (tables["truck_charging"]["served"] == 0).all()
    assert (tables["truck_charging"]["wanted"] > 0).any()
    others = truck_fleet_table(coupled.path)
    same = truck_fleet_table(path)
    sleepers = others["class"] == "trucks-class8-sleeper"
    assert sleepers.any()
    assert others[sleepers]["trucks"].sum() == pytest.approx(same[sleepers]["trucks"].sum(), rel=0.01)


def test_without_a_site_the_price_is_that_of_the_hub(small_hub: Hub, scenario: Scenario) -> None:
    hub = with_table(small_hub, "infrastructure", lambda t: t[t["kind"] != "substation"])
    coupled = with_chargers(run_pathway(hub, scenario))
    assert np.isnan(coupled.charging[0].price).all()
    assert drayage(coupled.path)["purchases"].sum() == 0
    assert charging_tables(coupled)["chargers"].empty


def test_ten_years_more_of_lead_time_never_give_more_battery_trucks(path: Pathway) -> None:
    soon, late = (with_freight(path, headroom=0.3, lead_time_added=n) for n in (0.0, 10.0))
    assert soon.case is not None
    assert late.served is not None
    assert not (late.served.siting.tiers > 0).any()
    before, after = drayage(soon.path)["trucks"], drayage(late.path)["trucks"]
    assert after.iloc[-1] < before.iloc[-1]
    assert after.sum() <= before.sum() * (1 + 0.03)


def test_no_charger_is_energised_before_its_site_or_its_grid(
    coupled: Coupled, tables: dict[str, pd.DataFrame]
) -> None:
    assert coupled.case is not None
    earliest = dict(zip(coupled.case.sites.name, coupled.case.sites.earliest, strict=True))
    planned = tables["chargers"][tables["chargers"]["status"] == "planned"]
    assert len(planned)
    assert all(y >= earliest[n] for n, y in zip(planned["site_id"], planned["year_energised"], strict=True))
    ready = dict(zip(coupled.case.grid.tier, coupled.case.grid.tier_ready[0], strict=True))
    works = tables["grid_upgrades"]
    assert len(works)
    assert all(y >= ready[k] for k, y in zip(works["tier"], works["ready"], strict=True))


# ---------------------------------------------------------------- price


def test_the_delivered_price_is_in_what_a_truck_costs(coupled: Coupled, path: Pathway) -> None:
    assert coupled.case is not None
    fleet = fleet_of(path, coupled.case)
    cheap, dear = (fleet.at_price(np.full(len(coupled.case.years), usd)) for usd in (0.10, 0.60))
    tco = [drayage(one)["tco_usd_per_mile"] for one in (cheap, dear)]
    later = tco[0].index >= coupled.case.years[0]
    assert (tco[1][later] > tco[0][later]).all()
    diesel = [drayage(one, "truck_class8_day_diesel")["tco_usd_per_mile"] for one in (cheap, dear)]
    assert diesel[0].to_numpy() == pytest.approx(diesel[1].to_numpy(), rel=1e-9)
    assert fleet.share(dear).sum() < fleet.share(cheap).sum()


def test_a_dollar_per_kwh_costs_a_mile_what_the_truck_takes_of_it(coupled: Coupled, path: Pathway) -> None:
    assert coupled.case is not None
    fleet, years = fleet_of(path, coupled.case), len(coupled.case.years)
    one, two = (fleet.at_price(np.full(years, usd)) for usd in (0.2, 0.4))
    step = drayage(two)["tco_usd_per_mile"] - drayage(one)["tco_usd_per_mile"]
    per_kwh = step.iloc[-1] / 0.2  # kWh at the plug of a mile, discounted like the miles
    assert 1.5 < per_kwh < 3.5
    k = list(path.tech.names).index(BATTERY)
    carrier = list(path.tech.carriers).index(CARRIER)
    at_grid = path.tech.inputs[k, carrier]
    assert per_kwh == pytest.approx(at_grid * fleet.per_carrier, rel=0.35)


def test_a_dearer_tariff_makes_charging_and_the_truck_dearer(
    small_hub: Hub, scenario: Scenario, coupled: Coupled
) -> None:
    def twice(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(**{end: table[end] * 2.0 for end in ("low", "value", "high")})

    dear = with_chargers(run_pathway(with_table(small_hub, "tariffs", twice), scenario))
    assert dear.case is not None
    assert coupled.case is not None
    assert dear.case.first_price > coupled.case.first_price * 1.2
    tco = [drayage(one.path)["tco_usd_per_mile"].loc[2030] for one in (coupled, dear)]
    assert tco[1] > tco[0]


# ---------------------------------------------------------------- hubs of other kinds


@pytest.mark.parametrize(
    ("table", "keep"),
    [
        ("cohorts", lambda t: t[t["duty_cycle"] != "drayage"]),
        ("infrastructure", lambda t: t[t["kind"] != "terminal"]),
    ],
)
def test_a_hub_without_drayage_or_terminals_has_empty_tables(
    small_hub: Hub,
    scenario: Scenario,
    table: str,
    keep: Callable[[pd.DataFrame], pd.DataFrame],
) -> None:
    path = run_pathway(with_table(small_hub, table, keep), scenario)
    coupled = with_chargers(path)
    assert coupled.case is None
    assert coupled.path is path
    for name, frame in charging_tables(coupled).items():
        assert frame.empty
        assert list(frame.columns) == list(PLAN_TABLES[name].names)


def test_a_hub_under_another_name_with_half_its_rows_is_served(
    small_hub_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    shutil.copytree(small_hub_folder, folder)
    text = (folder / "datapackage.json").read_text(encoding="utf-8")
    name = '"name": "california"'
    assert name in text
    text = text.replace(name, '"name": "elsewhere"', 1).replace('"roads": "california-arizona-nevada",', "")
    (folder / "datapackage.json").write_text(text, encoding="utf-8")
    for table in ("warehouse_clusters", "tracts"):
        edit(folder, table, lambda t: t.iloc[::2])
    edit(folder, "infrastructure", lambda t: t[~t["kind"].isin(["rail_yard", "depot"])])
    edit(folder, "truck_registry", lambda t: t.iloc[:0])
    edit(folder, "freight_places", lambda t: t.iloc[:0])
    hub = load_hub(folder)
    assert hub.name == "elsewhere"
    chosen = load_scenario("net-zero-2045", hub).model_copy(update={"end_year": 2032})
    coupled = with_chargers(run_pathway(hub, chosen))
    tables = charging_tables(coupled)
    assert len(tables["chargers"])
    assert len(tables["road_flow"])
    assert coupled.residual.max() <= TOLERANCE


def test_faults_of_the_freight_reach_the_planner(small_hub: Hub, scenario: Scenario) -> None:
    def doubled(table: pd.DataFrame) -> pd.DataFrame:
        row = table[table["duty_cycle"] == "drayage"].assign(asset_id="trucks-second")
        return pd.concat([table, row.set_index(pd.Index([99], name="line"))])

    path = run_pathway(with_table(small_hub, "cohorts", doubled), scenario)
    with pytest.raises(InputError) as error:
        with_chargers(path)
    assert error.value.exit_code == 2
    assert "trucks-second" in str(error.value)
    assert "row 99" in str(error.value)


# ---------------------------------------------------------------- California


@pytest.mark.parametrize("name", ["baseline", "net_zero"])
def test_the_plan_of_california_holds_the_chargers_of_its_trucks(
    name: str, request: pytest.FixtureRequest
) -> None:
    plan: Plan = request.getfixturevalue(name)
    charging, chargers = plan.table("truck_charging").set_index("year"), plan.table("chargers")
    trucks = plan.table("truck_fleet")
    battery = trucks[(trucks["class"] == DRAYAGE) & (trucks["powertrain"] == BATTERY)].set_index("year")
    assert charging["residual"].max() <= TOLERANCE or any("do not agree" in note for note in plan.notes)
    assert (charging["served"] <= charging["trucks"]).all()
    assert (charging["served"].diff().dropna() > 0).all()
    assert (battery["trucks"].loc[charging.index] > 0).all()
    assert chargers["utilisation"].between(0, 1).all()
    planned = chargers[chargers["status"] == "planned"]
    assert (planned["year_energised"] > plan.scenario.as_of.year).all()
    capital = plan.table("charging_capital")["value_usd"].sum()
    works = plan.table("grid_upgrades")["cost_usd"].sum()
    assert capital == pytest.approx(chargers["capex_usd"].sum() + works, rel=1e-6)
    assert any("trucks and chargers" in note for note in plan.notes)
