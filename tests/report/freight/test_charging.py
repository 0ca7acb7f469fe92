"""What is read of the charging tables: phases, order of sites, loads, weak shares, attribution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cleanhub.report import charging
from cleanhub.report.charging import Phase
from cleanhub.report.context import Context


@pytest.mark.parametrize(
    ("years", "expected"),
    [
        ([], []),
        ([2030], [(2030, 2030)]),
        ([2027, 2028], [(2027, 2027), (2028, 2028)]),
        (range(2027, 2036), [(2027, 2029), (2030, 2032), (2033, 2035)]),
        (range(2025, 2036), [(2025, 2028), (2029, 2032), (2033, 2035)]),
        ([2035, 2027], [(2027, 2031), (2032, 2035)]),
    ],
)
def test_phases_cut_the_years_into_about_equal_runs(years: Any, expected: list[tuple[int, int]]) -> None:
    found = charging.phases(years)
    assert [(one.first, one.last) for one in found] == expected
    assert [one.number for one in found] == list(range(1, len(expected) + 1))


@pytest.mark.parametrize("first", [2024, 2026])
@pytest.mark.parametrize("span", range(1, 30))
def test_every_year_belongs_to_one_phase(first: int, span: int) -> None:
    years = range(first, first + span)
    found = charging.phases(years)
    covered = [year for one in found for year in range(one.first, one.last + 1)]
    assert covered == list(years)
    lengths = [one.last - one.first + 1 for one in found]
    assert max(lengths) - min(lengths) <= 1


def test_labels_of_phases() -> None:
    assert Phase(0, 0, 0).label == "Open already"
    assert Phase(1, 2027, 2027).label == "Phase 1, 2027"
    assert Phase(2, 2028, 2030).label == "Phase 2, 2028 to 2030"


def test_sites_are_numbered_by_opening_and_power(freight: Context) -> None:
    found = charging.sites(freight)
    assert [site.number for site in found] == list(range(1, 14))
    assert found[0].row["status"] == "open"
    assert found[0].phase.number == 0
    assert found[0].megawatts == 3.0
    keys = [(int(s.row["year_energised"]), -s.megawatts) for s in found[1:]]
    assert keys == sorted(keys)
    assert {site.phase.number for site in found[1:]} == {1, 2, 3}
    for site in found[1:]:
        assert site.phase.first <= int(site.row["year_energised"]) <= site.phase.last


def test_an_open_site_never_opens_again(make_freight: Callable[..., Any], freight: Context) -> None:
    rows = [{**site.row, "status": "open"} for site in charging.sites(freight)]
    context = Context(make_freight(chargers=rows))
    assert charging.planned_sites(context) == []
    assert {site.phase.number for site in charging.sites(context)} == {0}


def test_shares_are_percent_of_the_truck_days_of_the_year(freight: Context) -> None:
    rows = charging.year_rows(freight)
    assert [int(row["year"]) for row in rows] == list(range(2025, 2036))
    assert charging.share_of(rows[0], "served") == pytest.approx(10.0)
    assert charging.share_of(rows[-1], "most") == pytest.approx(75.0)
    assert charging.share_of({"trucks": 0.0, "served": 0.0}, "served") == 0.0


def test_peaks_are_the_largest_hour(freight: Context) -> None:
    peaks = charging.peak_loads(freight)
    assert len(peaks) == 33
    assert peaks["fixture-north", 2035] == pytest.approx(33_000.0)
    assert peaks["fixture-east", 2025] == pytest.approx(1000.0)
    assert charging.busiest(peaks) == ["fixture-north", "fixture-south", "fixture-east"]


@pytest.mark.parametrize(
    ("count", "most", "expected"),
    [(3, 7, [0, 1, 2]), (11, 3, [0, 5, 10]), (11, 2, [0, 10]), (4, 4, [0, 1, 2, 3])],
)
def test_chosen_years_keep_first_and_last(count: int, most: int, expected: list[int]) -> None:
    assert charging.chosen_years(range(count), most) == expected


def test_weak_share_weighs_by_the_given_column() -> None:
    rows = [
        {"kw": 30.0, "confidence": "seen"},
        {"kw": 10.0, "confidence": "assumed"},
        {"kw": 20.0, "confidence": "recalled"},
        {"kw": 40.0, "confidence": "derived"},
    ]
    assert charging.weak_share(rows, "kw", "confidence") == pytest.approx(0.3)
    assert not charging.is_illustrative(0.3)
    assert charging.is_illustrative(0.3001)
    assert charging.weak_share([], "kw", "confidence") == 0.0


def test_attribution_follows_the_licence_of_the_rows(
    make_freight: Callable[..., Any], freight: Context
) -> None:
    assert charging.attribution(freight) == "roads © OpenStreetMap contributors, ODbL"
    row = dict(freight.rows("road_flow")[0])
    own = Context(make_freight(road_flow=[{**row, "licence": "own survey"}]))
    assert charging.attribution(own) == "roads: licence own survey"
    assert charging.attribution(Context(make_freight(road_flow=[]))) == ""


def test_substations_are_named_by_works_then_hub_then_id(freight: Context) -> None:
    names = charging.substation_names(freight)
    assert charging.substation(names, "fixture-south") == "Fixture South"
    assert charging.substation(names, "I1") == "Port <A>"
    assert charging.substation(names, "not-known") == "Not known"


def test_works_are_in_order_of_their_start(freight: Context) -> None:
    assert [int(row["start"]) for row in charging.works(freight)] == [2026, 2027, 2027]


def test_a_plan_without_charging_has_none(make_plan: Callable[..., Any], declared: tuple[str, ...]) -> None:
    assert set(declared) == set(charging.TABLES)
    assert not charging.has_charging(Context(make_plan()))
