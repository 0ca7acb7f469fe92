"""Plants and vehicles that a path needs, counted by hand on small tables and on California."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import cleanhub as ch
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.pathways.engine import run_pathway
from cleanhub.planning.need import project_need_table, vehicles_bought
from cleanhub.planning.plan import Plan


def switches(*rows: tuple[int, str, str, str, float], sector: str = "lime") -> pd.DataFrame:
    """Rows (year, asset, to technology, kind, capital) of table ``switches``."""
    frame = pd.DataFrame(rows, columns=["year", "asset_id", "to_technology", "kind", "capex_usd"])
    return frame.assign(sector=sector, from_technology="")


def need(hub: Hub, table: pd.DataFrame, bought: pd.DataFrame | None = None) -> pd.DataFrame:
    scenario = ch.load_scenario("baseline", hub)
    found = project_need_table(hub, scenario, table, hub.base_year, bought)
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


def test_a_project_past_fid_takes_a_plant_off_the_gap(hub: Hub) -> None:
    from dataclasses import replace

    projects = hub.tables["projects"]
    one = projects.iloc[:1].assign(
        sector="lime", role="abates", role_secondary="", stage="construction", online_year=2028
    )
    small = replace(hub, tables={**hub.tables, "projects": one})
    clean, _ = clean_and_usual(hub)
    found = need(small, switches((2029, "a", clean, "retrofit", 10.0), (2029, "b", clean, "retrofit", 30.0)))
    row = of(found, "lime", "plants", 2030)
    assert (row["plants_needed"], row["fid_expected"], row["gap"]) == (2, 1, 1)
    assert row["capital_gap_usd"] == pytest.approx(20.0)


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
    assert need(bare, switches(), pd.DataFrame(columns=["year", "sector", "vehicles", "capex_usd"])).empty


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
