"""Readiness: what is missing comes critical first, levels and the count table, the weakest of three legs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.core.errors import InputError
from cleanhub.finance.readiness import (
    LEGS,
    ChecklistItem,
    adoption_level,
    adoption_readiness,
    fid_readiness,
    on_leg_scale,
    programme_reading,
    readiness_level,
)
from cleanhub.hub.library import load_library

LIBRARY = load_library()
CHECKLIST = LIBRARY.tables["fid_checklist"]
ITEMS = [str(item) for item in CHECKLIST["item"]]
CRITICAL = {str(item) for item in CHECKLIST.loc[CHECKLIST["critical"].astype(bool), "item"]}
DIMENSIONS = [str(one) for one in LIBRARY.tables["arl_dimensions"]["dimension"]]
TODAY = dt.date(2026, 6, 1)


def done(*items: str) -> list[ChecklistItem]:
    return [ChecklistItem(item, "done", evidence=f"file of {item}") for item in items]


# ---------------------------------------------------------------- checklist before FID


def test_everything_done_is_ready() -> None:
    found = fid_readiness(done(*ITEMS), LIBRARY)
    assert found.ready
    assert found.missing == ()
    assert found.closed == found.total == len(ITEMS)


def test_a_case_that_states_nothing_misses_everything() -> None:
    found = fid_readiness([], LIBRARY)
    assert not found.ready
    assert {one.item for one in found.missing} == set(ITEMS)
    assert {one.because for one in found.missing} == {"not stated"}
    assert found.critical_missing == len(CRITICAL)


def test_the_critical_path_comes_first_in_the_order_of_closing() -> None:
    missing = fid_readiness([], LIBRARY).missing
    flags = [one.critical for one in missing]
    assert flags == sorted(flags, reverse=True)
    order = dict(zip(CHECKLIST["item"], CHECKLIST["sequence"], strict=True))
    for wanted in (True, False):
        sequence = [order[one.item] for one in missing if one.critical is wanted]
        assert sequence == sorted(sequence)


@pytest.mark.parametrize("item", sorted(CRITICAL))
def test_each_critical_item_alone_stops_the_decision(item: str) -> None:
    found = fid_readiness(done(*(one for one in ITEMS if one != item)), LIBRARY)
    assert not found.ready
    assert [one.item for one in found.missing] == [item]
    assert found.missing[0].done_when


@pytest.mark.parametrize("item", sorted(set(ITEMS) - CRITICAL))
def test_other_items_are_missing_but_do_not_stop_it(item: str) -> None:
    found = fid_readiness(done(*(one for one in ITEMS if one != item)), LIBRARY)
    assert found.ready
    assert [one.item for one in found.missing] == [item]
    assert found.by_group() == {found.missing[0].group: 1}


@pytest.mark.parametrize(
    ("state", "because"),
    [
        (ChecklistItem("debt_term_sheet", "done"), "no evidence named"),
        (ChecklistItem("debt_term_sheet", "done", evidence="  "), "no evidence named"),
        (ChecklistItem("debt_term_sheet", "not_applicable"), "no reason named why it does not apply"),
        (ChecklistItem("debt_term_sheet", "open"), "not begun"),
        (ChecklistItem("debt_term_sheet", "in_progress", date=TODAY), "under way"),
        (
            ChecklistItem("debt_term_sheet", "in_progress", date=dt.date(2026, 5, 31)),
            "under way, overdue since 2026-05-31",
        ),
        (
            ChecklistItem("debt_term_sheet", "done", evidence="draft", date=dt.date(2026, 6, 2)),
            "done only on 2026-06-02",
        ),
    ],
)
def test_why_an_item_is_open(state: ChecklistItem, because: str) -> None:
    others = done(*(one for one in ITEMS if one != "debt_term_sheet"))
    found = fid_readiness([*others, state], LIBRARY, as_of=TODAY)
    assert [one.because for one in found.missing] == [because]


def test_an_item_with_evidence_on_the_day_is_closed() -> None:
    state = ChecklistItem("debt_term_sheet", "done", evidence="signed", date=TODAY)
    others = done(*(one for one in ITEMS if one != "debt_term_sheet"))
    assert fid_readiness([*others, state], LIBRARY, as_of=TODAY).ready
    reason = ChecklistItem("debt_term_sheet", "not_applicable", evidence="paid for by equity alone")
    assert fid_readiness([*others, reason], LIBRARY, as_of=TODAY).ready


def test_what_is_missing_says_who_and_when() -> None:
    state = ChecklistItem("air_permit", "in_progress", owner="developer", date=dt.date(2027, 3, 1))
    [one] = [one for one in fid_readiness([state], LIBRARY, TODAY).missing if one.item == "air_permit"]
    assert (one.owner, one.date, one.gate, one.critical) == (
        "developer",
        dt.date(2027, 3, 1),
        "permit",
        True,
    )


def test_faults_of_a_checklist_come_together() -> None:
    items = [
        *done("site_control", "site_control"),
        ChecklistItem("colour", "done"),
        ChecklistItem("air_permit", "nearly"),
    ]
    with pytest.raises(InputError) as caught:
        fid_readiness(items, LIBRARY, file="case.yaml")
    assert {(fault.file, fault.column, fault.what) for fault in caught.value.faults} == {
        ("case.yaml", "site_control", "duplicate item"),
        ("case.yaml", "colour", "no such item"),
        ("case.yaml", "air_permit.status", "unknown status"),
    }


def test_the_checklist_covers_every_group() -> None:
    assert set(CHECKLIST["group"]) == LIBRARY.codelists["fid_group"]
    assert CHECKLIST["sequence"].is_unique
    assert {"offtake", "permit", "finance", "epc", "interconnection"} <= set(CHECKLIST["gate"])


# ---------------------------------------------------------------- levels


@pytest.mark.parametrize(("scale", "highest"), [("trl", 9), ("crl", 6), ("arl", 9)])
def test_each_scale_has_every_level(scale: str, highest: int) -> None:
    found = [readiness_level(LIBRARY, scale, level) for level in range(1, highest + 1)]
    assert all(one.highest == highest and one.name and one.definition for one in found)
    for level in (0, highest + 1):
        with pytest.raises(ValueError, match=f"levels are 1 to {highest}"):
            readiness_level(LIBRARY, scale, level)


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="no readiness scale mrl"):
        readiness_level(LIBRARY, "mrl", 1)


def test_adoption_bands_are_three_levels_each() -> None:
    bands = [readiness_level(LIBRARY, "arl", level).name for level in range(1, 10)]
    assert bands == ["low"] * 3 + ["medium"] * 3 + ["high"] * 3


# ---------------------------------------------------------------- adoption readiness


LOOKUP = LIBRARY.tables["arl_lookup"]


@pytest.mark.parametrize(
    ("medium", "high", "level"), [(0, 0, 9), (1, 0, 8), (0, 3, 5), (4, 1, 6), (6, 2, 3), (0, 4, 3), (8, 8, 1)]
)
def test_levels_of_the_count_table(medium: int, high: int, level: int) -> None:
    assert int(adoption_level(LOOKUP, medium, high)) == level


def test_more_risk_is_never_more_ready() -> None:
    medium, high = np.meshgrid(np.arange(18), np.arange(18), indexing="ij")
    grid = adoption_level(LOOKUP, medium, high)
    assert np.all(np.diff(grid, axis=0) <= 0)
    assert np.all(np.diff(grid, axis=1) <= 0)
    assert np.all((grid >= 1) & (grid <= 9))


def test_the_last_row_and_column_hold_for_more() -> None:
    assert adoption_level(LOOKUP, [8, 9, 17], 0).tolist() == [1, 1, 1]
    assert adoption_level(LOOKUP, 0, [8, 9, 17]).tolist() == [1, 1, 1]


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        adoption_level(LOOKUP, -1, 0)


def test_a_table_with_a_hole_is_refused() -> None:
    holed = LOOKUP[(LOOKUP["n_medium"] != 2) | (LOOKUP["n_high"] != 3)]
    assert int(adoption_level(holed, 2, 2)) == 6
    with pytest.raises(ValueError, match="no row"):
        adoption_level(holed, 2, 3)


def test_ratings_become_a_level_and_name_what_lowers_it() -> None:
    ratings = dict.fromkeys(DIMENSIONS, "low") | {
        "A1": "high", "C1": "high", "C3": "medium", "D2": "medium", "D3": "medium", "B2": "not_applicable",
    }  # fmt: skip
    found = adoption_readiness(ratings, LIBRARY)
    assert (found.n_medium, found.n_high, found.level, found.band) == (3, 2, 5, "medium")
    assert found.high == ("A1", "C1")
    assert found.medium == ("C3", "D2", "D3")
    assert found.not_rated == ()


def test_what_is_not_rated_counts_as_high_risk() -> None:
    ratings = dict.fromkeys(DIMENSIONS[:-1], "low")
    found = adoption_readiness(ratings, LIBRARY)
    assert found.not_rated == (DIMENSIONS[-1],)
    assert (found.n_high, found.level) == (1, 8)
    assert adoption_readiness({}, LIBRARY).level == 1


def test_a_user_may_bring_another_table() -> None:
    kinder = LOOKUP.assign(level=9)
    assert adoption_readiness({}, LIBRARY, kinder).band == "high"


def test_faults_of_ratings_come_together() -> None:
    with pytest.raises(InputError) as caught:
        adoption_readiness({"Z9": "low", "A1": "bad"}, LIBRARY, file="case.yaml")
    assert {(fault.column, fault.what) for fault in caught.value.faults} == {
        ("Z9", "no such dimension"),
        ("A1", "unknown rating"),
    }


def test_there_are_seventeen_dimensions_in_four_areas() -> None:
    assert len(DIMENSIONS) == 17
    assert set(LIBRARY.tables["arl_dimensions"]["area"]) == LIBRARY.codelists["arl_area"]


# ---------------------------------------------------------------- three legs


LEG = st.floats(0, 1)


@given(LEG, LEG, LEG)
def test_a_reading_is_the_weakest_leg(market: float, technology: float, capital: float) -> None:
    found = programme_reading(market, technology, capital)
    assert float(found.level) == min(market, technology, capital)
    assert found.binding.any()


@given(LEG, LEG, LEG, LEG)
def test_strengthening_what_does_not_bind_changes_nothing(a: float, b: float, c: float, more: float) -> None:
    legs = np.array([a, b, c])
    strongest = int(legs.argmax())
    if (legs == legs.min()).sum() == 3:
        return
    raised = legs.copy()
    raised[strongest] = max(legs[strongest], more)
    assert float(programme_reading(*raised).level) == float(programme_reading(*legs).level)


def test_a_reading_is_not_a_sum() -> None:
    assert float(programme_reading(1.0, 1.0, 0.0).level) == 0.0


def test_which_leg_binds() -> None:
    found = programme_reading([0.9, 0.2, 0.5], [0.5, 0.8, 0.5], 0.6)
    assert found.level.tolist() == [0.5, 0.2, 0.5]
    assert found.binds() == ["ready_technology", "market_driver", "market_driver; ready_technology"]
    assert found.legs.shape == (3, len(LEGS))


def test_a_leg_that_is_not_known_gives_no_reading() -> None:
    found = programme_reading(np.nan, 0.5, 0.5)
    assert np.isnan(found.level)
    assert found.binds() == [""]


def test_a_leg_outside_the_scale_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="market_driver, risk_tolerant_capital: a leg lies from 0 to 1"):
        programme_reading(1.2, 0.5, -0.1)


def test_other_scales_are_brought_to_that_of_the_legs() -> None:
    assert on_leg_scale([1, 5, 9], 1, 9).tolist() == [0.0, 0.5, 1.0]
    assert float(on_leg_scale(6, 1, 6)) == 1.0
    for level in (0, 10, np.nan):
        with pytest.raises(ValueError, match="from 1 to 9"):
            on_leg_scale(level, 1, 9)
    with pytest.raises(ValueError, match="from 9 to 1"):
        on_leg_scale(5, 9, 1)


# ---------------------------------------------------------------- what the docs say


@pytest.fixture(scope="module")
def page() -> str:
    path = Path(__file__).resolve().parents[2] / "docs" / "models" / "readiness.md"
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("medium", [0, 2, 4, 6, 8])
def test_the_docs_show_the_count_table_as_the_library_has_it(page: str, medium: int) -> None:
    levels = " | ".join(str(int(adoption_level(LOOKUP, medium, high))) for high in range(6))
    assert f"| {medium} | {levels} |" in page


def test_the_docs_count_items_and_groups(page: str) -> None:
    assert f"{len(ITEMS)} items in {CHECKLIST['group'].nunique()} groups" in page


def test_the_example_of_the_docs_runs(page: str) -> None:
    code = page.split("```python\n")[1].split("```", maxsplit=1)[0]
    names: dict[str, Any] = {}
    exec(code, names)
    assert not names["found"].ready
    assert "site_control" not in {one.item for one in names["found"].missing}


def test_the_docs_name_every_status(page: str) -> None:
    assert all(f"`{status}`" in page for status in LIBRARY.codelists["item_status"])
