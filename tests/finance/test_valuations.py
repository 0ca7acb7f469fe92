"""First valuations of projects: by hand, whatever the unit, and the reason where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cleanhub.finance.technologies import Technologies, build_technologies, unit_costs
from cleanhub.finance.valuations import valuations_table
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.series import Drivers

Row = Callable[..., float]
MOTE = {
    "project_id": "mote",
    "technology": "hydrogen_biomass_capture",
    "capacity": 20_000.0,
    "capacity_unit": "t/yr",
    "capacity_of": "hydrogen",
    "capex_usd": 100e6,
    "capex_year": 2021,
    "role": "supplies",
    "role_secondary": "abates",
    "co2e_t_per_year": 350_000.0,
    "confidence": "seen",
}
KILN_CAPTURE = {
    "project_id": "capture",
    "technology": "cement_amine_capture",
    "capacity": 950_000.0,
    "capacity_unit": "t/yr",
    "capacity_of": "co2",
    "capex_usd": 891e6,
    "capex_year": 2024,
    "role": "abates",
    "co2e_t_per_year": 900_000.0,
}
EMPTY = {
    "technology": "",
    "capacity": np.nan,
    "capacity_unit": "",
    "capacity_of": "",
    "capex_usd": np.nan,
    "capex_year": pd.NA,
    "role": "abates",
    "role_secondary": "",
    "co2e_t_per_year": np.nan,
    "confidence": "derived",
}


@pytest.fixture(scope="module")
def valued(
    tech: Technologies, market: Callable[..., Drivers], scenario: Scenario
) -> Callable[..., pd.DataFrame]:
    """The valuations of the given projects at flat prices, indexed by project."""

    def value(*projects: dict[str, Any], **prices: Any) -> pd.DataFrame:
        rows = pd.DataFrame([{**EMPTY, **project} for project in projects])
        drivers = market(scenario, prices, projects=rows)
        costs = unit_costs(tech, drivers, 3)
        return valuations_table(drivers.hub, scenario, tech, costs, drivers).set_index("project_id")

    return value


def recovery(years: int) -> float:
    return 0.08 / (1 - 1.08**-years)


def mote_running(row: Row) -> float:
    name = "hydrogen_biomass_capture"
    return (
        row(name, "fixed_opex", "USD/(t/yr)/yr")
        + row(name, "input", "t/t", "biomass") * 80.0
        + row(name, "input", "MWh/t", "electricity") * 100.0
        + row(name, "input", "GJ/t", "natural_gas") * 8.0
        + row(name, "captured_biogenic", "t/t") * 40.0
    )


# ---------------------------------------------------------------- by hand


def test_a_hydrogen_plant_by_hand(
    valued: Callable[..., pd.DataFrame], row: Row, dollars_2024: Callable[[str, int], float]
) -> None:
    got = valued(MOTE).loc["mote"]
    capital = 100e6 * dollars_2024("USD", 2021)
    by_hand = capital * recovery(25) / 20_000 + mote_running(row)
    assert got["levelised_cost"] == pytest.approx(by_hand, rel=1e-9)
    assert got["unit"] == "USD/t"
    assert got["status"] == "valued"
    assert got["price_gap"] == pytest.approx(by_hand - 2000)
    assert got["abatement_cost"] == pytest.approx((by_hand - 2000) * 20_000 / 350_000)
    assert got["archetype_fields"] == "running cost;inputs;lifetime"
    assert got["confidence"] == "assumed", "it rests on the library too"


def test_where_no_capital_is_published_the_library_gives_it(
    valued: Callable[..., pd.DataFrame], row: Row
) -> None:
    got = valued({**MOTE, "capex_usd": np.nan}).loc["mote"]
    capital = row("hydrogen_biomass_capture", "capex", "EUR/(t/yr)")
    assert got["levelised_cost"] == pytest.approx(capital * recovery(25) + mote_running(row), rel=1e-9)
    assert got["archetype_fields"] == "capital;running cost;inputs;lifetime"


def test_a_capture_project_is_valued_per_tonne_captured(
    valued: Callable[..., pd.DataFrame], row: Row
) -> None:
    name = "cement_amine_capture"
    got = valued(KILN_CAPTURE).loc["capture"]
    own_capital = row(name, "capture_capex", "USD/(t/yr)")
    by_hand = (
        891e6 / 950_000 * recovery(25)
        + own_capital * row(name, "capture_fixed_opex_share", "1/yr")
        + row(name, "capture_input", "GJ/t", "natural_gas") * 8.0
        + row(name, "capture_input", "MWh/t", "electricity") * 100.0
        + 40.0
    )
    assert got["unit"] == "USD/t CO2 captured"
    assert got["levelised_cost"] == pytest.approx(by_hand, rel=1e-9)
    assert got["abatement_cost"] == pytest.approx(by_hand * 950_000 / 900_000, rel=1e-9)
    assert np.isnan(got["price_gap"])


def test_neither_the_carbon_price_nor_credits_are_inside_a_cost_per_tonne(
    valued: Callable[..., pd.DataFrame],
) -> None:
    plain = valued(KILN_CAPTURE)["levelised_cost"]
    dear = valued(KILN_CAPTURE, carbon=(500.0, "USD/t"))["levelised_cost"]
    assert dear["capture"] == pytest.approx(plain["capture"], rel=1e-9)


# ---------------------------------------------------------------- units and scale


@pytest.mark.parametrize(
    ("capacity", "unit"),
    [(20.0, "kt/yr"), (20e6, "kg/yr"), (20_000 / 365.25, "t/d"), (20_000 * 2204.62262185, "lb/yr")],
)
def test_a_capacity_in_another_unit_costs_the_same(
    valued: Callable[..., pd.DataFrame], capacity: float, unit: str
) -> None:
    plain = valued(MOTE).loc["mote"]
    other = valued({**MOTE, "capacity": capacity, "capacity_unit": unit}).loc["mote"]
    for column in ("levelised_cost", "abatement_cost", "price_gap"):
        assert other[column] == pytest.approx(plain[column], rel=1e-6), column
    assert other["unit"] == plain["unit"]


def test_twice_the_plant_for_twice_the_money_costs_the_same_a_tonne(
    valued: Callable[..., pd.DataFrame],
) -> None:
    double = {**MOTE, "project_id": "double", "capacity": 40_000.0, "capex_usd": 200e6}
    got = valued(MOTE, double)["levelised_cost"]
    assert got["double"] == pytest.approx(got["mote"])


def test_charging_power_is_valued_per_kilowatt_and_year(
    valued: Callable[..., pd.DataFrame], row: Row
) -> None:
    depot = {
        "project_id": "depot",
        "technology": "truck_charging_depot",
        "capacity": 7.0,
        "capacity_unit": "MW",
        "capacity_of": "charging_power",
        "role": "enables",
    }
    got = valued(depot).loc["depot"]
    capital = row("truck_charging_depot", "capex", "USD/kW")
    yearly = capital * (recovery(15) + row("truck_charging_depot", "fixed_opex_share", "1/yr"))
    assert got["levelised_cost"] == pytest.approx(yearly, rel=1e-9)
    assert got["unit"] == "USD/(kW/yr)"


# ---------------------------------------------------------------- not valuable, because


def test_an_umbrella_is_never_valued(valued: Callable[..., pd.DataFrame]) -> None:
    got = valued({**MOTE, "role": "programme"}).loc["mote"]
    assert got["status"] == "not valuable, because it is an umbrella over other projects"
    assert np.isnan(got["levelised_cost"])
    assert np.isnan(got["abatement_cost"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"capacity": np.nan}, "its capacity is not published"),
        ({"capacity": 0.0}, "its capacity is not published"),
        ({"technology": ""}, "the library has no technology that fits it"),
        ({"technology": "perpetual_motion"}, "the library has no technology that fits it"),
        (
            {"technology": "", "capacity": np.nan},
            "the library has no technology that fits it; its capacity is not published",
        ),
        ({"capacity_of": "steam"}, "its capacity counts steam, the technology makes hydrogen"),
        ({"capacity_of": ""}, "its capacity counts something else, the technology makes hydrogen"),
        (
            {"capacity_unit": "MW"},
            "its yearly output in t does not follow from a capacity in MW",
        ),
    ],
)
def test_what_is_missing_is_said(
    valued: Callable[..., pd.DataFrame], change: dict[str, Any], reason: str
) -> None:
    got = valued({**MOTE, **change}).loc["mote"]
    assert got["status"] == f"not valuable, because {reason}"
    assert np.isnan(got["levelised_cost"])
    assert got["unit"] == ""
    assert got["archetype_fields"] == ""
    assert got["co2e_t_per_year"] == 350_000, "its tonnes are known all the same"


def test_tonnes_are_carried_only_by_what_abates(valued: Callable[..., pd.DataFrame]) -> None:
    got = valued({**MOTE, "role_secondary": ""}).loc["mote"]
    assert np.isnan(got["co2e_t_per_year"])
    assert np.isnan(got["abatement_cost"])
    assert got["status"] == "valued"


# ---------------------------------------------------------------- California


@pytest.fixture(scope="module")
def californias(california: Hub, california_baseline: Scenario) -> pd.DataFrame:
    tech = build_technologies(california.library, california_baseline)
    drivers = Drivers(california, california_baseline, np.arange(2022, 2051))
    costs = unit_costs(tech, drivers, california_baseline.decision.lead_time)
    return valuations_table(california, california_baseline, tech, costs, drivers)


def test_every_project_of_california_has_one_row_and_one_verdict(
    californias: pd.DataFrame, california: Hub
) -> None:
    projects = california.tables["projects"]
    assert sorted(californias["project_id"]) == sorted(projects["project_id"])
    is_valued = californias["status"] == "valued"
    refused = californias["status"].str.startswith("not valuable, because ")
    assert (is_valued ^ refused).all()
    assert 10 <= is_valued.sum() < len(californias)
    np.testing.assert_array_equal(californias["levelised_cost"].notna(), is_valued)
    np.testing.assert_array_equal(californias["unit"] != "", is_valued)
    np.testing.assert_array_equal(californias["confidence"] != "", is_valued)


def test_no_programme_of_california_is_valued(californias: pd.DataFrame, california: Hub) -> None:
    projects = california.tables["projects"]
    umbrellas = set(projects.loc[projects["role"] == "programme", "project_id"])
    assert umbrellas
    assert (californias.loc[californias["project_id"].isin(umbrellas), "status"] != "valued").all()


def test_what_the_cash_flow_engine_will_say_is_left_open(californias: pd.DataFrame) -> None:
    assert californias[["npv_usd", "irr", "min_dscr"]].isna().all(axis=None)
    assert set(californias["case"]) == {"first_estimate"}


def test_costs_are_of_a_believable_size(californias: pd.DataFrame) -> None:
    by_unit = californias[californias["status"] == "valued"].groupby("unit")["levelised_cost"]
    believable = {
        "USD/t": (200, 25_000),  # hydrogen and removed CO2
        "USD/t CO2 captured": (50, 400),
        "USD/gal": (2, 10),
        "USD/(kW/yr)": (50, 400),
    }
    for unit, costs in by_unit:
        low, high = believable[str(unit)]
        assert costs.between(low, high).all(), unit
