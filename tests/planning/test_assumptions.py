"""The list of assumptions: every weak number that the plan uses, with its range and its headlines."""

from __future__ import annotations

import pandas as pd
import pytest

import cleanhub as ch
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario
from cleanhub.planning.assumptions import COLUMNS, FEEDS, assumptions_table
from cleanhub.planning.provenance import inputs_table

METRICS = {
    "hub_emissions_2022": 2022,
    "hub_emissions_2045": 2045,
    "charging_peak": 2035,
    "decisions_expected": 2030,
}


@pytest.fixture(scope="module")
def scenario(small_hub: Hub) -> Scenario:
    return ch.load_scenario(str(small_hub.meta["default_scenario"]), small_hub)


@pytest.fixture(scope="module")
def found(small_hub: Hub, scenario: Scenario) -> pd.DataFrame:
    card = pd.DataFrame({"metric": list(METRICS), "year": pd.array(list(METRICS.values()), dtype="Int64")})
    return assumptions_table(small_hub, scenario, card)


def test_only_recalled_and_assumed_numbers_are_listed_each_with_its_source(
    found: pd.DataFrame, small_hub: Hub
) -> None:
    assert list(found.columns) == COLUMNS
    assert set(found["confidence"]) == {"recalled", "assumed"}
    assert (found["source"] != "").all()
    assert set(found["source_id"]) <= set(small_hub.sources()["source_id"])


def test_a_row_carries_the_range_of_the_library(found: pd.DataFrame, small_hub: Hub) -> None:
    listed = found[found["table"] == "technology_parameters"].iloc[0]
    own = small_hub.library.tables["technology_parameters"]
    technology, parameter, *_ = listed["key"].split("/")
    (row,) = own[(own["technology"] == technology) & (own["parameter"] == parameter)].to_dict("records")
    assert (listed["low"], listed["value"], listed["high"]) == (row["low"], row["value"], row["high"])
    gates = found[(found["table"] == "gate_rules") & found["key"].str.endswith("/p_pass")]
    assert (gates["low"] <= gates["value"]).all()
    assert (gates["value"] <= gates["high"]).all()


def test_what_the_plan_cannot_use_is_left_out(found: pd.DataFrame, small_hub: Hub) -> None:
    drivers = set(found.loc[found["table"] == "drivers", "key"].str.split("@").str[0])
    assert "food_output" in drivers
    assert "carbon_price_ceiling" not in drivers
    every = inputs_table(small_hub)
    technologies = every[every["table"] == "technology_parameters"]["key"].str.split("/").str[0]
    listed = set(found.loc[found["table"] == "technology_parameters", "key"].str.split("/").str[0])
    assert listed < set(technologies)
    assert not any(name.startswith("steel") for name in listed)


def test_headlines_follow_the_table_and_the_past_moves_with_no_driver(found: pd.DataFrame) -> None:
    fed = found.groupby("table")["headlines"].first()
    assert fed["drivers"] == "hub_emissions_2045;decisions_expected"
    assert fed["gate_rules"] == "decisions_expected"
    assert "charging_peak" in fed["freight_parameters"]
    assert "hub_emissions_2022" not in ";".join(fed.drop("cohorts", errors="ignore"))


def test_tables_and_beginnings_of_headlines_exist(small_hub: Hub) -> None:
    known = set(inputs_table(small_hub)["table"])
    shared = set(small_hub.tables) | set(small_hub.library.tables)
    assert set(FEEDS) <= known | shared
    assert "provenance" in PLAN_TABLES
