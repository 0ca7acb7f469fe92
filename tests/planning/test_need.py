"""Plants and vehicles that a path needs, counted by hand on small tables and on California."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import cleanhub as ch
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.pathways.engine import run_pathway
from cleanhub.planning.need import (
    expected_decisions,
    project_need_table,
    vehicles_bought,
)
from cleanhub.planning.plan import Plan


def switches(*rows: tuple[int, str, str, str, float], sector: str = "lime") -> pd.DataFrame:
    """Rows (year, asset, to technology, kind, capital) of table ``switches``."""
    frame = pd.DataFrame(rows, columns=["year", "asset_id", "to_technology", "kind", "capex_usd"])
    return frame.assign(sector=sector, from_technology="")


def need(
    hub: Hub, table: pd.DataFrame, bought: pd.DataFrame | None = None, expected: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The table; without ``bought`` no vehicle is, without ``expected`` no decision."""
    scenario = ch.load_scenario("baseline", hub)
    bought = pd.DataFrame(columns=["year", "sector", "vehicles", "capex_usd"]) if bought is None else bought
    columns = ["sector", "year", "unit", "fid_expected"]
    expected = pd.DataFrame(columns=columns) if expected is None else expected
    found = project_need_table(hub, scenario, table, bought, expected)
    assert list(found.columns) == PLAN_TABLES["project_need"].names
    return found


def of(found: pd.DataFrame, sector: str, unit: str, year: int) -> Any:
    rows = found[(found["sector"] == sector) & (found["unit"] == unit) & (found["year"] == year)]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.fixture
def bare(hub: Hub) -> Hub:
    """California without a project."""
    from dataclasses import replace

    return replace(hub, tables={**hub.tables, "projects": hub.tables["projects"].iloc[:0]})


def clean_and_usual(hub: Hub) -> tuple[str, str]:
    table = hub.library.tables["technologies"]
    clean = table[table["classification"] == "end_state"]["technology"].iloc[0]
    return str(clean), str(table[table["classification"] == "initial"]["technology"].iloc[0])


def test_changes_and_cleaner_new_plants_count_once_each(bare: Hub) -> None:
    clean, usual = clean_and_usual(bare)
    table = switches(
        (2029, "a", clean, "retrofit", 10.0),
        (2034, "a", clean, "rebuild", 90.0),
        (2031, "b", clean, "new", 30.0),
        (2031, "c", usual, "new", 500.0),
        (2033, "d", "", "retired", 0.0),
        (2030, "e", "", "closure", 0.0),
        (2030, "f", clean, "committed", 70.0),
    )
    found = need(bare, table)
    assert of(found, "lime", "plants", 2030)["plants_needed"] == 1
    row = of(found, "lime", "plants", 2035)
    assert row["plants_needed"] == 2
    assert row["gap"] == 2
    assert row["capital_gap_usd"] == pytest.approx(2 * 20.0)  # mean of the first change of each plant


def projects_of(hub: Hub, *rows: dict[str, Any]) -> Hub:
    """The hub with these projects alone, each laid on its first one."""
    from dataclasses import replace

    usual: dict[str, Any] = {
        "sector": "lime", "role": "abates", "role_secondary": "", "stage": "announced", "online_year": pd.NA,
        "capacity": float("nan"), "capacity_unit": "", "capacity_of": "", "part_of": "",
    }  # fmt: skip
    first = hub.tables["projects"].iloc[0].to_dict()
    frame = pd.DataFrame([{**first, **usual, **row} for row in rows], columns=hub.tables["projects"].columns)
    frame["online_year"] = frame["online_year"].astype("Int64")
    return replace(hub, tables={**hub.tables, "projects": frame})


def chances(*rows: tuple[str, int, str, float]) -> pd.DataFrame:
    """Rows (project, year, stage, probability) of table ``stage_years``."""
    return pd.DataFrame(rows, columns=["project_id", "year", "stage", "probability"])


SIX: tuple[dict[str, Any], ...] = (
    {"project_id": "a"},
    {"project_id": "b", "role": "supplies"},
    {"project_id": "store", "role": "stores"},
    {"project_id": "umbrella", "role": "programme"},
    {"project_id": "old", "stage": "operating", "online_year": 2015},
    {"project_id": "trucks", "sector": "trucking", "capacity": 500.0, "capacity_of": "vehicles"},
    {"project_id": "depot", "sector": "trucking", "capacity": 9.0, "capacity_of": "charging_power"},
)


def test_expected_decisions_are_chances_times_what_projects_bring(hub: Hub) -> None:
    six = projects_of(hub, *SIX)
    table = chances(
        ("a", 2030, "fid", 0.1), ("a", 2030, "construction", 0.2), ("a", 2030, "announced", 0.7),
        ("b", 2030, "operating", 0.25), ("b", 2030, "cancelled", 0.75),
        ("a", 2035, "operating", 0.5), ("b", 2035, "operating", 0.3),
        ("store", 2030, "fid", 1.0), ("umbrella", 2030, "fid", 1.0), ("old", 2030, "operating", 1.0),
        ("trucks", 2030, "fid", 0.2), ("depot", 2030, "fid", 0.9),
    )  # fmt: skip
    found = expected_decisions(six, table, hub.base_year)
    amounts = found.set_index(["sector", "year", "unit"])["fid_expected"].to_dict()
    assert amounts == pytest.approx(
        {
            ("lime", 2030, "plants"): 0.55,
            ("lime", 2035, "plants"): 0.8,
            ("trucking", 2030, "vehicles"): 100.0,
        }
    )


def test_expected_decisions_close_the_gap_in_their_sector_and_year(bare: Hub) -> None:
    clean, _ = clean_and_usual(bare)
    table = switches((2029, "a", clean, "retrofit", 10.0), (2034, "b", clean, "retrofit", 30.0))
    expected = pd.DataFrame(
        {"sector": ["lime", "lime", "glass"], "year": [2030, 2034, 2030], "fid_expected": [0.25, 0.5, 9.0]}
    ).assign(unit="plants")
    found = need(bare, table, expected=expected)
    row = of(found, "lime", "plants", 2030)
    assert (row["fid_expected"], row["gap"], row["capital_gap_usd"]) == pytest.approx((0.25, 0.75, 15.0))
    row = of(found, "lime", "plants", 2040)  # the latest figure holds on
    assert (row["fid_expected"], row["gap"]) == pytest.approx((0.5, 1.5))
    glass = of(found, "glass", "plants", 2030)
    assert (glass["plants_needed"], glass["fid_expected"], glass["gap"]) == (0, 9, 0)
    assert "simulated" in row["source"]


def test_expected_trucks_close_the_gap_of_trucks_and_their_capital(bare: Hub) -> None:
    bought = pd.DataFrame(
        {"year": [2029, 2033], "sector": "trucking", "vehicles": [400.0, 600.0], "capex_usd": [4e7, 9e7]}
    )
    expected = pd.DataFrame(
        {"sector": ["trucking"], "year": [2030], "unit": ["vehicles"], "fid_expected": [100.0]}
    )
    found = need(bare, switches(), bought, expected)
    row = of(found, "trucking", "vehicles", 2030)
    assert (row["gap"], row["capital_gap_usd"]) == pytest.approx((300.0, 3e7))
    row = of(found, "trucking", "vehicles", 2035)
    assert (row["gap"], row["capital_gap_usd"]) == pytest.approx((900.0, 0.9 * 13e7))
    assert set(found["unit"]) == {"vehicles"}


def test_vehicles_are_a_line_of_their_own_and_add_up(bare: Hub) -> None:
    bought = pd.DataFrame(
        {
            "year": [2026, 2030, 2031, 2030],
            "sector": ["trucking", "trucking", "trucking", "shipping"],
            "vehicles": [5.0, 7.0, 100.0, 2.0],
            "capex_usd": [50.0, 70.0, 1.0, 9.0],
        }
    )
    found = need(bare, switches(), bought)
    row = of(found, "trucking", "vehicles", 2030)
    assert (row["plants_needed"], row["fid_expected"], row["gap"], row["capital_gap_usd"]) == (12, 0, 12, 120)
    assert of(found, "trucking", "vehicles", 2035)["gap"] == 112
    assert of(found, "shipping", "vehicles", 2030)["gap"] == 2
    assert set(found["unit"]) == {"vehicles"}


def test_nothing_needed_and_nothing_planned_is_an_empty_table(bare: Hub) -> None:
    assert need(bare, switches()).empty


def test_vehicles_bought_are_those_of_the_path(hub: Hub) -> None:
    pathway = run_pathway(hub, ch.load_scenario("net-zero-2045", hub))
    found = vehicles_bought(pathway)
    table = hub.library.tables["technologies"]
    usual = set(table.loc[table["classification"] == "initial", "technology"])
    total = sum(
        float(cls.bought[p].sum())
        for cls in pathway.walked.vehicles
        for p, option in enumerate(cls.options)
        if pathway.tech.names[option] not in usual
    )
    assert found["vehicles"].sum() == pytest.approx(total)
    assert total > 0
    assert (found.loc[found["vehicles"] > 0, "capex_usd"] > 0).all()


def test_californias_trucks_are_in_the_table(net_zero: Plan) -> None:
    found = net_zero.table("project_need")
    row = of(found, "trucking", "vehicles", 2045)
    assert row["plants_needed"] > 100_000
    assert (
        found.groupby(["sector", "unit"])["plants_needed"].apply(lambda s: s.is_monotonic_increasing)
    ).all()
