"""Sites, cohorts and rest: they add up to the published inventory, by hand and for all of California."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.hub.inventory import (
    beside_total,
    cohort_history,
    inventory_total,
    rest_history,
    scope_pairs,
    site_history,
)
from cleanhub.hub.new import new_hub
from cleanhub.hub.package import Hub, load_hub

Write = Callable[[Path, str, list[dict[str, Any]]], None]
LEVEL_1 = ["inventory_sector", "year"]


def line(sector: str, tonnes: float, **change: Any) -> dict[str, Any]:
    base = {"year": 2022, "inventory_sector": "Industry", "category": sector, "gas": "co2"}
    return {**base, "sector": sector, "boundary": "included", "co2e_t": tonnes, **change}


def site(name: str, sector: str) -> dict[str, Any]:
    place = {"name": name, "lat": 0.2, "lon": 0.7, "inventory_sector": "Industry"}
    return {"asset_id": name, "sector": sector, **place}


def report(name: str, tonnes: float, year: int = 2022) -> dict[str, Any]:
    return {"asset_id": name, "year": year, "co2e_t": tonnes}


@pytest.fixture
def by_hand(tiny: Path, write_table: Write) -> Hub:
    """Industry 200 t: cement 100, power 60 (cogeneration, booked apart), food 40.

    A kiln reports 130 t, 30 t more than its line, and a cannery 10 t.
    """
    write_table(tiny, "inventory", [line("cement", 100), line("power", 60), line("food", 40)])
    write_table(tiny, "facilities", [site("kiln", "cement"), site("cannery", "food")])
    write_table(tiny, "facility_emissions", [report("kiln", 130), report("cannery", 10)])
    return load_hub(tiny)


def rest_by_sector(hub: Hub, year: int = 2022) -> dict[str, float]:
    rest = rest_history(hub)
    return rest[rest["year"] == year].set_index("sector")["co2e_t"].to_dict()


def test_an_excess_is_taken_out_of_the_other_lines_in_proportion(by_hand: Hub) -> None:
    # Before: cement 100 - 130 = -30, power 60, food 40 - 10 = 30. The 30 t come out of 60 : 30.
    assert rest_by_sector(by_hand) == pytest.approx({"cement": 0, "power": 60 - 20, "food": 30 - 10})
    assert rest_history(by_hand)["overrun_t"].tolist() == [0, 0, 0]


def test_removing_a_site_raises_the_rest_by_its_tonnes(by_hand: Hub, write_table: Write) -> None:
    before = sum(rest_by_sector(by_hand).values())
    write_table(by_hand.path, "facilities", [site("kiln", "cement")])
    after = rest_by_sector(load_hub(by_hand.path))
    assert sum(after.values()) - before == pytest.approx(10)
    assert after == pytest.approx({"cement": 0, "power": 60 - 18, "food": 40 - 12})


def test_what_sites_hold_beyond_the_whole_sector_is_told_as_overrun(by_hand: Hub, write_table: Write) -> None:
    write_table(by_hand.path, "facility_emissions", [report("kiln", 250), report("cannery", 10)])
    rest = rest_history(load_hub(by_hand.path))
    assert rest["co2e_t"].tolist() == [0, 0, 0]
    assert rest["overrun_t"].tolist() == [60, 60, 60], "260 reported, 200 published"


def test_an_excess_never_crosses_into_another_level_1_sector(by_hand: Hub, write_table: Write) -> None:
    other = line("buildings", 500, inventory_sector="Residential")
    write_table(by_hand.path, "inventory", [line("cement", 100), other])
    assert rest_by_sector(load_hub(by_hand.path))["buildings"] == 500


def test_a_site_without_an_inventory_line_is_an_excess(by_hand: Hub, write_table: Write) -> None:
    write_table(by_hand.path, "inventory", [line("cement", 160)])
    assert rest_by_sector(load_hub(by_hand.path)) == pytest.approx({"cement": 20, "food": 0})


def test_a_cohort_takes_its_share_of_one_category(by_hand: Hub, write_table: Write) -> None:
    truck = {"asset_id": "trucks", "name": "Trucks", "sector": "trucking", "inventory_sector": "Industry"}
    write_table(by_hand.path, "cohorts", [{**truck, "category": "Heavy", "category_share": 0.25}])
    lines = [line("trucking", 80, category="Heavy"), line("trucking", 20, category="Light")]
    write_table(by_hand.path, "inventory", [*lines, line("trucking", 8, category="Heavy", gas="ch4")])
    hub = load_hub(by_hand.path)
    assert cohort_history(hub)["co2e_t"].tolist() == [pytest.approx((80 + 8) * 0.25)]
    assert site_history(hub)["asset_id"].tolist() == ["cannery", "kiln"]


def test_reports_of_unlisted_sites_and_of_no_site_are_left_out(by_hand: Hub, write_table: Write) -> None:
    rows = [report("kiln", 130), report("ghost", 99), {**report("", 50)}]
    write_table(by_hand.path, "facility_emissions", rows)
    assert site_history(load_hub(by_hand.path))["co2e_t"].sum() == 130


def test_years_outside_the_inventory_make_no_rest(by_hand: Hub, write_table: Write) -> None:
    write_table(by_hand.path, "facility_emissions", [report("kiln", 90, 2022), report("kiln", 80, 2023)])
    assert set(rest_history(load_hub(by_hand.path))["year"]) == {2022}


def test_a_hub_without_sites_is_all_rest(by_hand: Hub, write_table: Write) -> None:
    for table in ("facilities", "facility_emissions", "cohorts"):
        write_table(by_hand.path, table, [])
    assert rest_by_sector(load_hub(by_hand.path)) == {"cement": 100, "power": 60, "food": 40}


def test_what_is_excluded_or_biogenic_stands_beside_the_total(by_hand: Hub, write_table: Write) -> None:
    lines = [
        line("cement", 100),
        line("aviation", 7, boundary="excluded"),
        line("food", 3, boundary="biogenic"),
    ]
    write_table(by_hand.path, "inventory", lines)
    hub = load_hub(by_hand.path)
    assert inventory_total(hub, 2022) == 100
    assert inventory_total(hub, 1990) == 0
    beside = beside_total(hub).set_index("boundary")["co2e_t"].to_dict()
    assert beside == {"excluded": 7, "biogenic": 3}


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    return load_hub(new_hub("blank", tmp_path_factory.mktemp("hub")))


TONNES = st.floats(0, 1e9, allow_subnormal=False)
SECTORS = ["cement", "power", "food"]


@settings(max_examples=25)
@given(lines=st.lists(TONNES, min_size=3, max_size=3), sites=st.lists(TONNES, min_size=3, max_size=3))
def test_sites_and_rest_make_the_published_total_whatever_the_split(
    blank: Hub, lines: list[float], sites: list[float]
) -> None:
    def frame(rows: list[dict[str, Any]], name: str) -> pd.DataFrame:
        made = pd.DataFrame(rows).assign(confidence="seen", source_id="example")
        return made.astype({"year": "Int64"}) if "year" in made else made

    tables = {
        **blank.tables,
        "inventory": frame([line(s, t) for s, t in zip(SECTORS, lines, strict=True)], "inventory"),
        "facilities": frame([site(s, s) for s in SECTORS], "facilities"),
        "facility_emissions": frame([report(s, t) for s, t in zip(SECTORS, sites, strict=True)], "reports"),
    }
    rest = rest_history(dataclasses.replace(blank, tables=tables))
    overrun = max(sum(sites) - sum(lines), 0)
    assert (rest["co2e_t"] >= 0).all()
    total = rest["co2e_t"].sum() + sum(sites)
    assert total == pytest.approx(sum(lines) + overrun, rel=1e-9, abs=1e-3)
    assert rest["overrun_t"].iloc[0] == pytest.approx(overrun, rel=1e-9, abs=1e-3)


# ---------------------------------------------------------------- California


def test_california_adds_up_in_every_year_and_level_1_sector(california: Hub) -> None:
    inventory = california.tables["inventory"].query("boundary == 'included'")
    published = inventory.astype({"year": int}).groupby(LEVEL_1)["co2e_t"].sum()
    assert len(published.index.unique("year")) == 23
    parts = [site_history(california), cohort_history(california), rest_history(california)]
    found = pd.concat(parts).groupby(LEVEL_1)["co2e_t"].sum()
    found = found[found.index.get_level_values("year").isin(published.index.unique("year"))]
    pd.testing.assert_series_equal(found.sort_index(), published.sort_index(), rtol=1e-9)


def test_california_has_no_negative_rest_and_no_overrun(california: Hub) -> None:
    rest = rest_history(california)
    assert (rest["co2e_t"] >= 0).all()
    assert (rest["overrun_t"] == 0).all()


def test_removing_any_californian_site_raises_the_rest_equally(california: Hub) -> None:
    reports = site_history(california).query("year == 2022").set_index("asset_id")["co2e_t"]
    before = rest_history(california).query("year == 2022")["co2e_t"].sum()
    facilities = california.tables["facilities"]
    for asset in [reports.idxmax(), *reports.sample(3, random_state=0).index]:
        tables = {**california.tables, "facilities": facilities[facilities["asset_id"] != asset]}
        after = rest_history(dataclasses.replace(california, tables=tables)).query("year == 2022")
        assert after["co2e_t"].sum() - before == pytest.approx(reports[asset], rel=1e-9), asset


def test_the_scope_of_the_hub_is_what_its_branches_say(california: Hub) -> None:
    scope = scope_pairs(california)
    assert ("Industrial", "refining") in scope
    assert not {pair for pair in scope if pair[1] in ("agriculture", "buildings", "power_imports")}
