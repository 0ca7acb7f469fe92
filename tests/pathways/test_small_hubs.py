"""Other hubs than California whole: empty ones, cut ones, and one branch worked by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleanhub as ch
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario, load_scenario

KILN = {
    "asset_id": "kiln",
    "name": "Kiln",
    "lat": 0.5,
    "lon": 0.5,
    "sector": "cement",
    "inventory_sector": "Industry",
    "product": "clinker",
}


def totals(run: Any, kind: str | None = None) -> pd.Series:
    frame = run.included
    frame = frame if kind is None else frame[frame["asset_kind"] == kind]
    return frame.groupby("year")["value"].sum()


def baseline(hub: Hub, **changes: Any) -> Scenario:
    return load_scenario("baseline", hub).model_copy(update=changes)


# ---------------------------------------------------------------- hubs without something


def test_a_new_hub_has_its_plant_and_its_rest(tiny: Callable[..., Hub], run_of: Any) -> None:
    hub = tiny()
    run = run_of(hub, baseline(hub))
    assert totals(run, "site")[2022] == 800_000
    assert totals(run, "rest")[2022] == pytest.approx(200_000)
    assert totals(run)[2022] == pytest.approx(1_000_000)


@pytest.mark.parametrize("kept", [(), ("facilities",), ("facility_emissions",)])
def test_a_hub_without_sites_trucks_and_projects_is_all_rest(
    tiny: Callable[..., Hub], run_of: Any, kept: tuple[str, ...]
) -> None:
    gone = {name: [] for name in ("facilities", "facility_emissions") if name not in kept}
    hub = tiny(gone)
    assert hub.tables["cohorts"].empty
    assert hub.tables["projects"].empty
    run = run_of(hub, baseline(hub))
    np.testing.assert_allclose(totals(run), 1_000_000)
    assert set(run.emissions["asset_kind"]) == {"rest"}
    for name in ("assets", "switches", "energy", "costs", "trucks", "sectors"):
        assert run.tables()[name].empty, name
    assert ch.plan(hub, "baseline").table("valuations").empty


def test_a_hub_whose_only_site_reports_nothing_any_more_is_all_rest(
    tiny: Callable[..., Hub], run_of: Any
) -> None:
    hub = tiny({"facility_emissions": [{"asset_id": "example-plant", "year": 2022, "co2e_t": 0}]})
    run = run_of(hub, baseline(hub))
    assert set(run.emissions["asset_kind"]) == {"rest"}
    assert not len(run.path.sites.asset_id)


# ---------------------------------------------------------------- one branch by hand


@settings(max_examples=8, deadline=None)
@given(scale=st.floats(0.05, 1.0))
def test_activity_moves_sites_and_rest_in_proportion(
    two_kilns: Hub, changed: Callable[..., Hub], run_of: Any, scale: float
) -> None:
    rows = two_kilns.tables["drivers"]
    later = (rows["driver"] == "cement_demand") & (rows["year"] > 2022)
    assert later.any()
    hub = changed(two_kilns, drivers=rows.assign(value=rows["value"].where(~later, rows["value"] * scale)))
    slow = load_scenario("baseline", hub).decision.model_copy(update={"lead_time": 15})
    one, other = (run_of(h, baseline(h, decision=slow)) for h in (two_kilns, hub))
    for kind in ("site", "rest"):
        before, after = totals(one, kind), totals(other, kind)
        np.testing.assert_allclose(after.loc[2023:2040], before.loc[2023:2040] * scale)
        assert after[2022] == before[2022]


@pytest.fixture(scope="module")
def two_kilns(tiny: Callable[..., Hub]) -> Hub:
    """Two kilns and a rest, whose demand steps from 2022 to 2023 and is flat from then on."""
    hub = tiny(
        {
            "facilities": [KILN, {**KILN, "asset_id": "second", "name": "Second"}],
            "facility_emissions": [
                {"asset_id": name, "year": 2022, "co2e_t": tonnes}
                for name, tonnes in (("kiln", 500_000), ("second", 300_000))
            ],
        }
    )
    rows = hub.tables["drivers"]
    demand = rows[rows["driver"] == "cement_demand"]
    step = demand.iloc[:1].assign(year=pd.array([2023], dtype="Int64"))
    hub.tables["drivers"] = pd.concat([rows, step])
    return hub


def test_a_kiln_changes_when_capture_pays_and_is_counted_in_every_table(
    two_kilns: Hub, changed: Callable[..., Hub], run_of: Any
) -> None:
    rows = two_kilns.tables["drivers"]
    dear = rows.assign(value=rows["value"].where(rows["driver"] != "carbon_price", 400.0))
    run = run_of(changed(two_kilns, drivers=dear), baseline(two_kilns))
    moved = run.switches[run.switches["kind"].isin(["retrofit", "rebuild"])]
    assert set(moved["asset_id"]) == {"kiln", "second"}
    assert (moved["abated_t_per_year"] > 0).all()
    fall = totals(run, "site")[2022] - totals(run, "site")[2050]
    assert fall == pytest.approx(moved["abated_t_per_year"].sum())
    assert run.assets.loc[run.assets["year"] == 2050, "captured_t"].sum() > 0
    cheap = rows.assign(value=rows["value"].where(rows["driver"] != "carbon_price", 0.0))
    still = run_of(changed(two_kilns, drivers=cheap), baseline(two_kilns))
    assert not still.assets["captured_t"].any()


def test_before_a_decision_can_take_effect_nothing_changes(two_kilns: Hub, run_of: Any) -> None:
    frozen = baseline(two_kilns, end_year=2030)
    late = frozen.decision.model_copy(update={"lead_time": 15})
    run = run_of(two_kilns, frozen.model_copy(update={"decision": late}))
    assert run.switches.empty
    np.testing.assert_allclose(totals(run), 1_000_000)


# ---------------------------------------------------------------- California cut down


@pytest.fixture(scope="module")
def plant(california: Hub) -> str:
    """The largest cement plant of California."""
    rows = california.tables["facilities"]
    cement = set(rows.loc[rows["product"] == "clinker", "asset_id"])
    reported = california.tables["facility_emissions"]
    return str(reported[reported["asset_id"].isin(cement)].groupby("asset_id")["co2e_t"].sum().idxmax())


@pytest.mark.parametrize("tables", [("facilities",), ("facilities", "facility_emissions", "projects")])
def test_a_plant_taken_out_of_a_hub_takes_its_tonnes_along_and_the_rest_rises_equally(
    copied: Callable[..., Hub], run: Callable[[str], Any], run_of: Any, plant: str, tables: tuple[str, ...]
) -> None:
    whole = run("baseline")
    hub = copied({name: lambda row: row["asset_id"] == plant for name in tables})
    without = run_of(hub, baseline(hub))
    theirs = whole.assets[(whole.assets["asset_id"] == plant) & (whole.assets["year"] <= 2022)]
    theirs = theirs.set_index("year")["co2e_t"]
    assert theirs.max() > 1e6
    assert plant not in set(without.assets["asset_id"])
    industry = [
        one.included[one.included["inventory_sector"] == "Industrial"]
        .pivot_table(index="year", columns="asset_kind", values="value", aggfunc="sum")
        .loc[2000:2022]
        .fillna(0.0)
        for one in (whole, without)
    ]
    lost = theirs.reindex(range(2000, 2023)).fillna(0.0)
    np.testing.assert_allclose(industry[0]["site"] - industry[1]["site"], lost, atol=1e-3)
    np.testing.assert_allclose(industry[1]["rest"] - industry[0]["rest"], lost, atol=1e-3)
    np.testing.assert_allclose(industry[0].sum(axis=1), industry[1].sum(axis=1), rtol=1e-12)


def test_half_of_the_sites_plan_and_the_inventory_is_still_the_inventory(
    copied: Callable[..., Hub], run: Callable[[str], Any], california: Hub
) -> None:
    gone = set(california.tables["facilities"]["asset_id"].iloc[::2])
    hub = copied({"facilities": lambda row: row["asset_id"] in gone})
    assert 100 < len(hub.tables["facilities"]) < len(california.tables["facilities"]) * 0.6
    plan = ch.plan(hub, baseline(hub, end_year=2035))
    frame = plan.table("emissions")
    frame = frame[(frame["scope"] == 1) & (frame["boundary"] == "included") & (frame["year"] <= 2022)]
    frame = frame[frame["gas"] == "co2e"]
    whole = totals(run("baseline"))
    np.testing.assert_allclose(frame.groupby("year")["value"].sum(), whole.loc[:2022], rtol=1e-9)
    assert not gone & set(plan.table("assets")["asset_id"])
    assert len(plan.table("switches"))
