"""credits.csv: facts that a cell states, one of driver and policy, every fault with its place."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.core.errors import FaultList
from cleanhub.hub.credits import CreditFact, credit_facts, paid_quantity, reach_ends, reach_of
from cleanhub.hub.library import load_library
from cleanhub.hub.package import Hub, check_hub

Write = Callable[[Path, str, list[dict[str, Any]]], None]
STORED = {"credit": "stored", "name": "Stored", "basis": "captured_co2"}
LAW = {**STORED, "policy": "45q", "facts": "co2_stored=100000"}
PRICED = {**STORED, "driver": "co2_transport_storage", "years_paid": 12}


def read(text: str) -> tuple[tuple[CreditFact, ...], FaultList]:
    faults = FaultList()
    return credit_facts(text, 7, load_library(), faults), faults


@pytest.fixture
def faults(tiny: Path, write_table: Write) -> Callable[..., list[tuple[int | None, str | None, str]]]:
    """Row, column and what of every fault of a small hub with these credits."""

    def found(*rows: dict[str, Any]) -> list[tuple[int | None, str | None, str]]:
        write_table(tiny, "credits", list(rows))
        return [(fault.row, fault.column, fault.what) for fault in check_hub(tiny).faults]

    return found


# ---------------------------------------------------------------- facts


def test_facts_are_read_as_their_codelist_says() -> None:
    text = (
        " prevailing_wage = yes; co2_use=storage;fleet_size=10 ; acquired_on=2026-03-01;domestic_content=no;"
    )
    facts, faults = read(text)
    assert not faults.faults
    assert {fact.name: fact.value for fact in facts} == {
        "prevailing_wage": True,
        "co2_use": "storage",
        "fleet_size": 10.0,
        "acquired_on": dt.date(2026, 3, 1),
        "domestic_content": False,
    }
    assert not any(fact.is_quantity or fact.driver for fact in facts)


def test_a_number_may_move_with_a_driver_and_a_quantity_states_its_amount() -> None:
    facts, faults = read("electricity_heavy_truck=1e6;fuel_ci_g_per_mj=81@grid_emission_factor")
    assert not faults.faults
    assert facts == (
        CreditFact("electricity_heavy_truck", 1e6, is_quantity=True),
        CreditFact("fuel_ci_g_per_mj", 81.0, "grid_emission_factor"),
    )


def test_no_text_is_no_fact() -> None:
    assert read("")[0] == read(" ; ;")[0] == ()


@pytest.mark.parametrize(
    ("text", "what", "allowed"),
    [
        ("prevailing_wage", "not a fact", "name=value"),
        ("wages=yes", "unknown fact", "prevailing_wage"),
        ("=yes", "unknown fact", "prevailing_wage"),
        ("prevailing_wage=1", "not a value of prevailing_wage", "yes or no"),
        ("prevailing_wage=yes@cement_demand", "not a value of prevailing_wage", "yes or no"),
        ("fleet_size=many", "not a value of fleet_size", "a number"),
        ("fleet_size=nan", "not a value of fleet_size", "a number"),
        ("fleet_size=inf", "not a value of fleet_size", "a number"),
        ("fleet_size=", "not a value of fleet_size", "a number"),
        ("acquired_on=spring", "not a value of acquired_on", "a date"),
        ("co2_use=", "not a value of co2_use", "a word"),
        ("co2_stored=yes", "not a value of co2_stored", "a number above 0"),
        ("co2_stored=0", "out of range", "a number above 0"),
        ("co2_stored=-5", "out of range", "a number above 0"),
        ("fleet_size=1;fleet_size=2", "fact stated twice", "each once"),
    ],
)
def test_every_word_that_is_no_fact_is_a_fault_of_its_line(text: str, what: str, allowed: str) -> None:
    (fault,) = read(text)[1].faults
    assert (fault.file, fault.row, fault.column, fault.what) == ("credits.csv", 7, "facts", what)
    assert allowed in fault.allowed


def test_all_faults_of_a_cell_come_at_once() -> None:
    facts, faults = read("a=1;prevailing_wage=yes;b;fleet_size=x")
    assert [fact.name for fact in facts] == ["prevailing_wage"]
    assert len(faults.faults) == 3


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_comes_back_as_it_was_written(number: float) -> None:
    (fact,), faults = read(f"fuel_ci_g_per_mj={number!r}")
    assert not faults.faults
    assert fact.value == number


@pytest.mark.parametrize(
    ("text", "quantities", "paid"),
    [
        ("", ("hydrogen",), "hydrogen"),
        ("co2_stored=5", ("co2_stored", "co2_utilised"), "co2_stored"),
        ("", ("co2_stored", "co2_utilised"), ""),
        ("hydrogen=5", ("co2_stored", "co2_utilised"), ""),
        ("co2_stored=5;co2_utilised=5", ("co2_stored", "co2_utilised"), ""),
        ("", (), ""),
    ],
)
def test_what_is_paid_for_is_stated_or_the_only_one(
    text: str, quantities: tuple[str, ...], paid: str
) -> None:
    assert paid_quantity(read(text)[0], quantities) == paid


def test_reach_is_all_unless_given() -> None:
    empty = {"reach_low": float("nan"), "reach": float("nan"), "reach_high": float("nan")}
    assert (reach_of(empty), reach_ends(empty)) == (1.0, (1.0, 1.0))
    given_one = {**empty, "reach": 0.25}
    assert (reach_of(given_one), reach_ends(given_one)) == (0.25, (0.25, 0.25))
    assert reach_ends({**given_one, "reach_low": 0.0, "reach_high": 1.0}) == (0.0, 1.0)


# ---------------------------------------------------------------- rows


def test_a_credit_with_a_policy_or_a_driver_is_right(faults: Callable[..., Any]) -> None:
    assert faults(LAW, {**PRICED, "credit": "priced"}) == []


@pytest.mark.parametrize(
    ("row", "column", "what"),
    [
        ({**LAW, "driver": "co2_transport_storage"}, "driver+policy", "one of the two"),
        ({**STORED, "years_paid": 12}, "driver+policy", "one of the two"),
        ({**PRICED, "years_paid": ""}, "years_paid", "missing value"),
        ({**PRICED, "facts": "prevailing_wage=yes"}, "facts", "facts without a policy"),
        ({**LAW, "policy": "45qq"}, "policy", "no such policy"),
        ({**LAW, "facts": "co2_stored=1;manna=yes"}, "facts", "unknown fact"),
        ({**LAW, "facts": "prevailing_wage=yes"}, "facts", "not clear what is paid for"),
        ({**LAW, "facts": "hydrogen=1"}, "facts", "not clear what is paid for"),
        ({**LAW, "policy": "sb-596", "facts": ""}, "facts", "not clear what is paid for"),
        ({**LAW, "reach": 1.5}, "reach", "out of range"),
        ({**LAW, "reach": -0.1}, "reach", "out of range"),
        ({**LAW, "reach": 0.2, "reach_low": 0.3}, "reach_low+reach+reach_high", "range does not hold"),
    ],
)
def test_a_wrong_row_is_told_with_its_place(
    faults: Callable[..., Any], row: dict[str, Any], column: str, what: str
) -> None:
    found = faults({**LAW, "credit": "right"}, row)
    assert [(line, name) for line, name, _ in found] == [(3, column)]
    assert what in found[0][2]


def test_exclusions_between_two_policies_stand_with_the_policies(faults: Callable[..., Any]) -> None:
    made = {**LAW, "credit": "made", "policy": "45v", "facts": "", "basis": "product", "excludes": "stored"}
    ((line, column, what),) = faults(LAW, made)
    assert (line, column) == (3, "excludes")
    assert "stands with the policies" in what
    assert faults({**PRICED, "excludes": "made"}, {**made, "excludes": "stored"}) == []


def test_a_policy_of_the_hubs_own_folder_is_known(tiny: Path, faults: Callable[..., Any]) -> None:
    row = {**LAW, "policy": "harbour-bonus"}
    assert faults(row)
    (tiny / "policies").mkdir()
    (tiny / "policies" / "harbour-bonus.yaml").write_text("policy: harbour-bonus\n", encoding="utf-8")
    assert faults(row) == []


def test_a_driver_that_moves_a_fact_and_is_not_there_is_a_note(tiny: Path, write_table: Write) -> None:
    write_table(tiny, "credits", [{**LAW, "facts": "co2_stored=1;fuel_ci_g_per_mj=8@moonlight"}])
    found = check_hub(tiny)
    assert not found.faults
    (note,) = found.notes
    assert (note.file, note.row, note.column, note.found) == ("credits.csv", 2, "facts", "moonlight")


def test_a_table_without_the_new_columns_still_loads(tiny: Path) -> None:
    names = ["credit", "name", "driver", "basis", "sector", "technology", "years_paid", "excludes"]
    names += ["source_id", "confidence", "note"]
    row = {**PRICED, "source_id": "example", "confidence": "assumed"}
    with (tiny / "credits.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, names, restval="")
        writer.writeheader()
        writer.writerow(row)
    assert check_hub(tiny).faults == []


# ---------------------------------------------------------------- California


def test_no_credit_of_california_repeats_an_amount_or_a_year_of_a_policy(california: Hub) -> None:
    credits = california.tables["credits"]
    assert (credits["policy"] != "").all()
    assert (credits["driver"] == "").all()
    assert not california.tables["drivers"]["kind"].eq("credit").any()
    years = california.library.tables["policies"].set_index("policy")["years_paid"]
    limited = credits[credits["policy"].map(years).notna()]
    assert pd.isna(limited["years_paid"]).all()
