"""California's published totals, held to the figures the issue states (Mt CO2e of 2022, GWP set AR4)."""

from __future__ import annotations

from typing import Any

import pytest

from cleanhub.hub.package import Hub
from cleanhub.hub.summary import summarise


def close(value: float) -> Any:
    """Within 0.05 Mt or 0.5 %, whichever is wider."""
    return pytest.approx(value, rel=0.005, abs=0.05)


@pytest.fixture(scope="module")
def summary(california: Hub) -> dict[str, Any]:
    return summarise(california)


@pytest.fixture(scope="module")
def figures(summary: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {figure["metric"]: figure for figure in summary["figures"]}


# ---------------------------------------------------------------- EPA GHGRP: sites


def test_industry_is_50_Mt_at_149_emitting_of_151_reporting_sites(figures: dict[str, Any]) -> None:
    assert figures["industry_emissions"]["value"] == close(50.0)
    assert figures["industry_sites_emitting"]["value"] == 149
    assert figures["industry_sites_reporting"]["value"] == 151
    assert figures["industry_emissions"]["year"] == 2022


def test_all_sites_are_91_5_Mt(figures: dict[str, Any]) -> None:
    assert figures["site_emissions"]["value"] == close(91.5)


@pytest.mark.parametrize(("sector", "mt"), [("refining", 26.0), ("cement", 7.5), ("hydrogen", 5.7)])
def test_sites_by_sector(summary: dict[str, Any], sector: str, mt: float) -> None:
    (row,) = [row for row in summary["sectors"] if row["sector"] == sector]
    assert row["mt_co2e"] == close(mt)


def test_the_sectors_add_up_to_all_sites(summary: dict[str, Any], figures: dict[str, Any]) -> None:
    total = sum(row["mt_co2e"] for row in summary["sectors"])
    assert total == pytest.approx(figures["site_emissions"]["value"], abs=1e-4)


# ---------------------------------------------------------------- CARB: the inventory


@pytest.mark.parametrize(
    ("sector", "mt"),
    [
        ("Industrial", 83.55),
        ("Electricity Generation (In State)", 41.99),
        ("Electricity Generation (Imports)", 17.55),
        ("Transportation", 143.60),
        ("Commercial", 25.02),
        ("Residential", 30.66),
        ("Agriculture", 29.83),
    ],
)
def test_level_1_totals(summary: dict[str, Any], sector: str, mt: float) -> None:
    (row,) = [
        row
        for row in summary["inventory"]
        if row["inventory_sector"] == sector and row["boundary"] == "included"
    ]
    assert row["mt_co2e"] == pytest.approx(mt, abs=0.01)


def test_the_inventory_is_372_2_Mt_in_seven_sectors(summary: dict[str, Any], figures: dict[str, Any]) -> None:
    included = [row["mt_co2e"] for row in summary["inventory"] if row["boundary"] == "included"]
    assert len(included) == 7
    assert sum(included) == pytest.approx(figures["inventory_total"]["value"], abs=1e-4)
    assert figures["inventory_total"]["value"] == close(372.2)


@pytest.mark.parametrize(("sector", "mt"), [("aviation", 28.1), ("shipping", 9.6), ("military", 2.3)])
def test_what_the_inventory_excludes(california: Hub, sector: str, mt: float) -> None:
    rows = california.tables["inventory"].query("year == 2022 and boundary == 'excluded'")
    assert rows.loc[rows["sector"] == sector, "co2e_t"].sum() / 1e6 == close(mt)


# ---------------------------------------------------------------- the hub's scope


def test_the_hub_covers_118_5_Mt_or_31_8_percent(figures: dict[str, Any]) -> None:
    assert figures["hub_scope"]["value"] == close(118.5)
    assert figures["hub_share"]["value"] == pytest.approx(31.8, abs=0.05)


def test_without_waste_it_covers_29_1_percent(figures: dict[str, Any]) -> None:
    assert figures["hub_share_without_waste"]["value"] == pytest.approx(29.1, abs=0.05)


# ---------------------------------------------------------------- summary


def test_every_figure_has_unit_source_and_confidence(summary: dict[str, Any], california: Hub) -> None:
    known = set(california.sources()["source_id"])
    for figure in summary["figures"]:
        assert figure["unit"], figure["metric"]
        assert figure["sources"], figure["metric"]
        assert set(figure["sources"]) <= known
        assert figure["confidence"] in ("seen", "derived", "recalled", "assumed")
    yearless = {figure["metric"] for figure in summary["figures"] if figure["year"] is None}
    assert yearless == {"sites", "people", "people_disadvantaged"}


def test_the_summary_counts_the_rows_of_every_table(summary: dict[str, Any], california: Hub) -> None:
    assert summary["tables"] == {name: len(frame) for name, frame in california.tables.items()}
    assert summary["projects"]["listed"] == len(california.tables["projects"])
    assert sum(summary["projects"]["by_stage"].values()) == summary["projects"]["listed"]
    for table, words in summary["confidence"].items():
        assert sum(words.values()) == len(california.tables[table])


def test_the_summary_lists_scenarios_and_what_the_programme_says(summary: dict[str, Any]) -> None:
    assert "baseline" in summary["scenarios"]
    assert all(fact["sources"] and fact["unit"] for fact in summary["programme"])
