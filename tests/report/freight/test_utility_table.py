"""The table for the utility: load by substation, year and hour, and each work once."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

from cleanhub.report.context import Context
from cleanhub.report.utility_table import utility_csv


def table(context: Context) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(utility_csv(context))))


def row_of(context: Context, substation: str, year: int) -> dict[str, str]:
    (found,) = (row for row in table(context) if (row["substation"], row["year"]) == (substation, str(year)))
    return found


def test_each_substation_and_year_is_one_row(freight: Context) -> None:
    keys = [(row["substation"], int(row["year"])) for row in table(freight)]
    assert len(keys) == len(set(keys)) == 3 * 11
    assert keys[:2] == [("fixture-north", 2025), ("fixture-north", 2026)]


def test_the_peak_is_the_largest_of_its_24_hours(freight: Context) -> None:
    row = row_of(freight, "fixture-north", 2027)  # 9 MW, fullest at 2 o'clock
    assert (row["peak_mw"], row["hour_of_peak"], row["mw_02"]) == ("9.0", "02:00", "9.0")
    assert row["mw_14"] == "0.0"


def test_its_confidence_is_the_weakest_of_the_sites_that_stand(freight: Context) -> None:
    found = [row_of(freight, "fixture-north", year)["load_confidence"] for year in (2027, 2028, 2035)]
    assert found == ["seen", "derived", "assumed"]  # the open yard, site 3 from 2028, site 9 from 2032


def test_works_stand_in_the_year_from_which_they_serve(freight: Context) -> None:
    row = row_of(freight, "fixture-south", 2032)
    assert (row["works"], row["works_add_mw"]) == ("transformer", "28.0")
    assert (row["start"], row["ready"], row["cost_million_usd_2024"]) == ("2027", "2032", "30.0")
    assert (row["headroom_mw"], row["headroom_confidence"]) == ("5.0", "assumed")
    assert row["utility"] == "Fixture Edison"
    assert row_of(freight, "fixture-south", 2031)["works"] == ""


def test_works_add_up_to_those_of_the_plan(freight: Context, freight_plan: Any) -> None:
    rows = [row for row in table(freight) if row["works"]]
    frame = freight_plan.tables["grid_upgrades"]
    assert sum(float(row["works_add_mw"]) for row in rows) == pytest.approx(frame["kw"].sum() / 1e3)
    money = sum(float(row["cost_million_usd_2024"]) for row in rows)
    assert money == pytest.approx(frame["cost_usd"].sum() / 1e6)


def test_works_of_one_year_share_a_row(make_freight: Callable[..., Any], freight: Context) -> None:
    rows = [{**row, "ready": 2032} for row in freight.rows("grid_upgrades")]
    row = row_of(Context(make_freight(grid_upgrades=rows)), "fixture-south", 2032)
    assert row["works"] == "feeder + transformer"
    assert (row["works_add_mw"], row["cost_million_usd_2024"]) == ("38.0", "36.0")


def test_works_without_any_load_are_still_told(make_freight: Callable[..., Any]) -> None:
    rows = table(Context(make_freight(site_load=[])))
    assert [(row["works"], row["year"], row["peak_mw"]) for row in rows] == [
        ("feeder", "2028", ""), ("feeder", "2029", ""), ("transformer", "2032", ""),
    ]  # fmt: skip


def test_place_and_operator_come_from_the_hub(make_freight: Callable[..., Any]) -> None:
    plan = make_freight()
    frame = plan.hub.tables["infrastructure"]
    mine = frame.iloc[:1].assign(
        infrastructure_id="fixture-east", name="East", operator="Fixture Power", lat=33.5, lon=-118.25
    )
    plan.hub.tables["infrastructure"] = mine
    row = row_of(Context(plan), "fixture-east", 2035)
    assert (row["name"], row["utility"], row["lat"], row["lon"]) == (
        "East",
        "Fixture Power",
        "33.5",
        "-118.25",
    )


@pytest.mark.parametrize("name", ['=HYPERLINK("x")', "+1", "-1", "@sum", 'Comma, "quote"', "Line\nbreak"])
def test_names_are_text_to_a_spreadsheet(
    name: str, make_freight: Callable[..., Any], freight: Context
) -> None:
    rows = [{**row, "name": name} for row in freight.rows("grid_upgrades")]
    found = row_of(Context(make_freight(grid_upgrades=rows)), "fixture-south", 2032)["name"]
    assert found == (f"'{name}" if name[0] in "=+-@" else name)


def test_no_load_and_no_works_give_the_heading_alone(make_freight: Callable[..., Any]) -> None:
    assert table(Context(make_freight(grid_upgrades=[], site_load=[]))) == []
