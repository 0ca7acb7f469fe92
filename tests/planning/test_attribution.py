"""compare --explain: each input's part of a headline's difference, and the plan's own headlines again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import cleanhub as ch
from cleanhub.core.errors import InputError
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import DriverChoice, Scenario
from cleanhub.planning.attribution import Attribution, attribute
from cleanhub.planning.reopen import hub_behind

METRIC = "hub_emissions_2045"


@pytest.fixture(scope="module")
def scenario(small_hub: Hub) -> Scenario:
    return ch.load_scenario(str(small_hub.meta["default_scenario"]), small_hub)


@pytest.fixture(scope="module")
def other(scenario: Scenario) -> Scenario:
    """Two inputs changed: trucks drive more, and their makers must sell more without emissions."""
    return scenario.model_copy(
        update={
            "name": "other",
            "zero_emission_sales": not scenario.zero_emission_sales,
            "drivers": {**scenario.drivers, "price_diesel": DriverChoice(scale=2.0)},
        }
    )


@pytest.fixture(scope="module")
def found(small_hub: Hub, scenario: Scenario, other: Scenario) -> Attribution:
    return attribute((small_hub, scenario, 0), (small_hub, other, 0), METRIC)


def test_both_ends_are_the_headlines_of_whole_plans(
    found: Attribution, small_hub: Hub, scenario: Scenario
) -> None:
    card = ch.plan(small_hub, scenario).scorecard.set_index("metric")["value"]
    assert found.a == pytest.approx(card[METRIC], rel=1e-9)
    assert found.b != found.a


def test_the_inputs_are_named_and_names_of_scenarios_are_none(found: Attribution) -> None:
    assert {"drivers.price_diesel", "zero_emission_sales"} <= set(found.inputs["input"])
    assert set(found.inputs["input"]) <= {"drivers.price_diesel", "zero_emission_sales", "chargers"}


def test_parts_and_rest_add_up_to_the_difference(found: Attribution) -> None:
    assert found.inputs["part"].sum() + found.rest == pytest.approx(found.difference)
    assert list(found.inputs["part"].abs()) == sorted(found.inputs["part"].abs(), reverse=True)


def test_one_input_explains_all_of_its_own_difference(small_hub: Hub, scenario: Scenario) -> None:
    dearer = scenario.model_copy(update={"drivers": {"price_diesel": DriverChoice(scale=2.0)}})
    dearer = dearer.model_copy(update={"freight": dearer.freight.model_copy(update={"serve": False})})
    as_it_is = scenario.model_copy(update={"freight": dearer.freight, "drivers": {}})
    only = attribute((small_hub, as_it_is, 0), (small_hub, dearer, 0), METRIC)
    assert list(only.inputs["input"]) == ["drivers.price_diesel"]
    assert only.inputs["share"].iloc[0] == pytest.approx(1.0)
    assert only.rest == pytest.approx(0.0, abs=1e-6)


def test_a_changed_cell_of_the_hub_is_named_with_both_values(
    small_hub_folder: Path, small_hub: Hub, scenario: Scenario, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(small_hub_folder, tmp_path / small_hub_folder.name))
    rows = pd.read_csv(folder / "drivers.csv", dtype=str, keep_default_na=False)
    at = rows.index[rows["driver"] == "price_diesel"][-1]
    old = rows.loc[at, "value"]
    for column in ("low", "value", "high"):
        rows.loc[at, column] = "9.5"
    rows.to_csv(folder / "drivers.csv", index=False)
    edited = ch.load_hub(folder)
    off = scenario.model_copy(update={"freight": scenario.freight.model_copy(update={"serve": False})})
    only = attribute((small_hub, off, 0), (edited, off, 0), METRIC)
    (row,) = only.inputs.to_dict("records")
    assert row["input"] == "drivers.csv: price_diesel"
    assert float(old) != 9.5
    with pytest.raises(InputError, match="not the file that plan"):
        hub_behind(
            ch.Plan(
                scenario=off,
                seed=0,
                tables={},
                hub_name=edited.name,
                hub_title="",
                hashes={"hub/drivers.csv": "other"},
                versions={"cleanhub": "0"},
                pending={},
            ),
            folder,
        )


def test_what_no_path_can_tell_is_refused_with_what_can(small_hub: Hub, scenario: Scenario) -> None:
    with pytest.raises(InputError, match="hub_emissions_YEAR"):
        attribute((small_hub, scenario, 0), (small_hub, scenario, 0), "charging_peak")


def test_plans_of_other_years_are_refused(small_hub: Hub, scenario: Scenario) -> None:
    shorter = scenario.model_copy(update={"end_year": scenario.end_year - 1})
    with pytest.raises(InputError, match="end_year"):
        attribute((small_hub, scenario, 0), (small_hub, shorter, 0), METRIC)
