"""Buyers beside projects: every status, premiums by hand, evidence for gates, faults, the packaged rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cleanhub.core.errors import InputError
from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario, load_scenario
from cleanhub.pipeline.offtake import check_offtakers, offtake_done, offtake_table

NUMBERS = ["low", "value", "high", "premium_low", "premium", "premium_high"]
YEARS = ["currency_year", "first_year", "last_year"]
BUYER: dict[str, Any] = {
    "offtaker_id": "one", "name": "A buyer", "kind": "industry", "product": "hydrogen", "low": np.nan,
    "value": 500.0, "high": np.nan, "unit": "t/yr", "premium_low": np.nan, "premium": np.nan,
    "premium_high": np.nan, "premium_unit": "", "currency_year": pd.NA, "first_year": pd.NA,
    "last_year": pd.NA, "project_id": "", "binding": False, "source_id": "s", "confidence": "seen",
    "note": "",
}  # fmt: skip
PROJECT: dict[str, Any] = {
    "project_id": "H", "name": "Plant", "sector": "hydrogen", "technology": "", "technology_text": "",
    "capacity": 1000.0, "capacity_unit": "t/yr", "capacity_of": "hydrogen", "online_year": 2030,
    "stage": "announced", "role": "supplies", "role_secondary": "", "part_of": "", "confidence": "seen",
}  # fmt: skip


@pytest.fixture(scope="module")
def california() -> Hub:
    return load_hub("california")


@pytest.fixture(scope="module")
def scenario(california: Hub) -> Scenario:
    return load_scenario("baseline", california)


def hub_of(hub: Hub, projects: list[dict[str, Any]], buyers: list[dict[str, Any]]) -> Hub:
    """The hub with these projects and buyers alone."""
    first = hub.tables["projects"].iloc[0].to_dict()
    table = pd.DataFrame(
        [{**first, **PROJECT, **row} for row in projects], columns=hub.tables["projects"].columns
    )
    columns = hub.library.tables["offtakers"].columns
    rows = pd.DataFrame([{**BUYER, **row} for row in buyers], columns=columns)
    rows[NUMBERS] = rows[NUMBERS].astype(float)
    rows[YEARS] = rows[YEARS].astype("Int64")
    library = replace(hub.library, tables={**hub.library.tables, "offtakers": rows.iloc[:0]})
    return replace(hub, tables={**hub.tables, "projects": table, "offtakers": rows}, library=library)


def worth(*rows: tuple[str, float, str, str]) -> pd.DataFrame:
    """Rows (project, price gap, unit, archetype) of table ``valuations``, both cases."""
    lines = [
        (name, case, gap, unit, kind)
        for name, gap, unit, kind in rows
        for case in ("sponsor_p50", "lender_p90")
    ]
    frame = pd.DataFrame(lines, columns=["project_id", "case", "price_gap", "unit", "archetype"])
    frame.loc[frame["case"] == "lender_p90", "price_gap"] *= 10.0
    return frame


def found(
    hub: Hub,
    scenario: Scenario,
    valuations: pd.DataFrame | None = None,
    online: dict[str, float] | None = None,
) -> pd.DataFrame:
    frame = offtake_table(hub, scenario, worth() if valuations is None else valuations, online)
    assert list(frame.columns) == PLAN_TABLES["offtake"].names
    return frame


@pytest.mark.parametrize(
    ("buyer", "project", "status", "share"),
    [
        ({}, {}, "too_little", 0.5),
        ({"value": 2.0, "unit": "kt/yr"}, {}, "match", 1.0),
        ({"value": 5000.0, "last_year": 2029}, {}, "too_late", 1.0),
        ({"value": 5000.0, "last_year": 2030}, {}, "match", 1.0),
        ({}, {"capacity": np.nan}, "match", np.nan),
        ({}, {"capacity_unit": "MW"}, "match", np.nan),
        ({"project_id": "H", "binding": True, "last_year": 2026}, {}, "bound", 0.5),
        ({"project_id": "H", "binding": True}, {"stage": "cancelled"}, "bound", 0.5),
        ({"project_id": "H"}, {}, "too_little", 0.5),
    ],
)
def test_status_of_one_buyer_and_one_project(
    california: Hub,
    scenario: Scenario,
    buyer: dict[str, Any],
    project: dict[str, Any],
    status: str,
    share: float,
) -> None:
    row = found(hub_of(california, [project], [buyer]), scenario).iloc[0]
    assert (row["status"], row["project_id"]) == (status, "H")
    assert row["share_of_output"] == pytest.approx(share, nan_ok=True)


@pytest.mark.parametrize(
    ("buyer", "project", "why"),
    [
        ({"product": "ammonia"}, {}, "no live project"),
        ({}, {"stage": "operating"}, "no live project"),
        ({}, {"stage": "shelved"}, "no live project"),
        ({}, {"role": "programme"}, "no live project"),
        ({"project_id": "X"}, {}, "no project X"),
        ({"project_id": "H"}, {"stage": "construction"}, "past its decision"),
        ({"project_id": "H"}, {"stage": "cancelled"}, "ended"),
        ({"project_id": "H", "product": "ammonia"}, {}, "another product"),
        ({"product": "co2"}, {"capacity_of": "co2", "sector": "cement"}, "no live project"),
    ],
)
def test_a_buyer_without_a_project_has_one_row_that_says_why(
    california: Hub, scenario: Scenario, buyer: dict[str, Any], project: dict[str, Any], why: str
) -> None:
    frame = found(hub_of(california, [project], [buyer]), scenario)
    assert frame[["status", "project_id"]].to_numpy().tolist() == [["no_project", ""]]
    assert why in frame["because"].iloc[0]


def test_removal_is_sold_by_projects_of_removal(california: Hub, scenario: Scenario) -> None:
    projects = [
        {"project_id": "air", "sector": "cdr", "capacity_of": "co2"},
        {"project_id": "kiln", "sector": "cement", "capacity_of": "co2"},
        {"project_id": "store", "sector": "co2_storage", "capacity_of": "co2"},
    ]
    frame = found(hub_of(california, projects, [{"product": "co2", "kind": "removal_buyer"}]), scenario)
    assert frame["project_id"].tolist() == ["air"]


def test_the_product_is_that_of_the_technology(california: Hub, scenario: Scenario) -> None:
    kiln = {"technology": "cement_clay_capture", "sector": "cement", "capacity_of": "co2"}
    row = found(hub_of(california, [kiln], [{"product": "clinker"}]), scenario).iloc[0]
    assert np.isnan(row["output"])  # its capacity counts captured CO2


def test_the_premium_against_the_price_gap(california: Hub, scenario: Scenario) -> None:
    price_year = scenario.price_year
    buyer = {"premium": 2.0, "premium_unit": "USD/kg", "currency_year": price_year}
    hub = hub_of(california, [{}], [buyer, {**buyer, "offtaker_id": "two", "premium": 1.4}])
    rows = found(hub, scenario, worth(("H", 1500.0, "USD/t", ""))).set_index("offtaker_id")
    assert rows["needed_premium"].tolist() == pytest.approx([1.5, 1.5])  # sponsor's gap, in USD/kg
    assert rows["covers"].tolist() == [True, False]
    assert set(rows["premium_unit"]) == {"USD/kg"}
    assert pd.isna(found(hub, scenario).iloc[0]["covers"])  # no value, no answer


def test_premiums_are_moved_to_the_price_year(california: Hub, scenario: Scenario) -> None:
    buyer = {"premium": 1.0, "premium_unit": "EUR/kg", "currency_year": 2020}
    row = found(hub_of(california, [{}], [buyer]), scenario).iloc[0]
    rate = california.library.price_index.to_dollars("EUR", 2020, scenario.price_year)
    assert row["premium"] == pytest.approx(rate)
    assert row["premium_unit"] == "USD/kg"


def test_jet_fuel_is_a_part_of_what_a_plant_makes(california: Hub, scenario: Scenario) -> None:
    from cleanhub.finance.cases import load_archetype

    part = load_archetype("saf-hefa", california.library).figures["production.by_products.saf"].value
    plant = {
        "technology": "fuels_hefa", "sector": "fuels", "capacity": 100.0, "capacity_unit": "Mgal/yr",
        "capacity_of": "renewable_fuel",
    }  # fmt: skip
    buyer = {
        "product": "jet_fuel",
        "value": 10.0,
        "unit": "Mgal/yr",
        "premium": 1.0,
        "premium_unit": "USD/gal",
    }
    hub = hub_of(california, [plant], [{**buyer, "currency_year": scenario.price_year}])
    row = found(hub, scenario, worth(("H", 0.5, "USD/gal", "saf-hefa"))).iloc[0]
    assert row["output"] == pytest.approx(100.0 * part)
    assert row["needed_premium"] == pytest.approx(0.5 / part)
    assert row["covers"] == (0.5 / part <= 1.0)
    assert (
        found(hub, scenario).iloc[0]["status"] == "no_project"
    )  # without an archetype nothing says it makes any


def test_simulated_dates_take_the_place_of_published_ones(california: Hub, scenario: Scenario) -> None:
    hub = hub_of(california, [{}], [{"value": 5000.0, "last_year": 2031}])
    assert found(hub, scenario).iloc[0]["status"] == "match"
    assert found(hub, scenario, online={"H": 2032.4}).iloc[0]["status"] == "too_late"
    assert found(hub, scenario, online={"H": 2031.9}).iloc[0]["status"] == "match"
    assert found(hub, scenario, online={"H": np.nan}).iloc[0]["status"] == "match"
    past = hub_of(california, [{"online_year": 2020}], [{"value": 5000.0, "last_year": 2025}])
    late = scenario.model_copy(update={"as_of": dt.date(2026, 6, 1)})
    assert found(past, late).iloc[0]["status"] == "too_late"  # not before the as-of date


def test_contracts_that_bind_close_gates_and_letters_do_not(california: Hub) -> None:
    buyers: list[dict[str, Any]] = [
        {"project_id": "H", "binding": True},
        {"offtaker_id": "two", "project_id": "B", "binding": False},
        {"offtaker_id": "three", "project_id": "elsewhere", "binding": True},
    ]
    hub = hub_of(california, [{}, {"project_id": "B"}], buyers)
    assert offtake_done(hub) == {"H"}


def test_every_fault_is_told_at_once(california: Hub) -> None:
    buyers: list[dict[str, Any]] = [
        {"offtaker_id": "a", "binding": True},
        {"offtaker_id": "b", "premium": 1.0},
        {"offtaker_id": "c", "premium": 1.0, "premium_low": 2.0, "premium_unit": "USD/t"},
        {"offtaker_id": "d", "first_year": 2030, "last_year": 2029},
        {"offtaker_id": "e", "value": -1.0},
    ]
    with pytest.raises(InputError) as error:
        check_offtakers(hub_of(california, [{}], buyers))
    assert [fault.column for fault in error.value.faults] == [
        "project_id", "premium_unit", "premium", "last_year", "value",
    ]  # fmt: skip


def test_a_row_of_the_hub_takes_the_librarys_place(california: Hub, scenario: Scenario) -> None:
    hub = hub_of(california, [{}], [{"offtaker_id": "frontier"}])
    frame = found(replace(hub, library=california.library), scenario)
    assert frame.loc[frame["offtaker_id"] == "frontier", "product"].tolist() == ["hydrogen"]
    assert len(frame) == len(california.library.tables["offtakers"])


def test_the_packaged_buyers(california: Hub, scenario: Scenario) -> None:
    frame = found(california, scenario)
    assert set(frame["status"]) >= {"too_little", "no_project", "match"}
    assert frame["name"].str.contains("Buy Clean").any()
    removal = frame[frame["kind"] == "removal_buyer"]
    sectors = california.tables["projects"].set_index("project_id")["sector"]
    assert (removal["project_id"].map(sectors) == "cdr").all()
    assert offtake_done(california) <= set(california.tables["projects"]["project_id"])
    world = load_hub("global")
    empty = found(world, load_scenario("baseline", world))
    assert set(empty["status"]) == {"no_project"}
