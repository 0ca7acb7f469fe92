"""Tags, tiers, interpolation and indexation."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.hub.library import Library
from cleanhub.policy.applicant import Applicant
from cleanhub.policy.book import Policy, PolicyBook, PolicyValue
from cleanhub.policy.lookup import Band, Figures, Index, tags_match, tags_of

ROW = PolicyValue(
    item="rate", tags=(), tier_from=None, year=None, in_service_from=None, low=1.0, value=2.0, high=3.0,
    unit="USD/t", indexed_from=None, index_lag=0, source_id="x", confidence="seen", note="",
)  # fmt: skip


@pytest.fixture
def index(library: Library) -> Index:
    return Index(library.price_index, 0.02)


def figures(
    book: PolicyBook, index: Index, *rows: PolicyValue, tags: str = "", service: str = "2030-01-01"
) -> Figures:
    policy: Policy = replace(book.policies["45q"], values=rows)
    years = np.arange(2024, 2032, dtype=np.int64)
    return Figures(policy, frozenset(tags.split()), years, dt.date.fromisoformat(service), index)


def test_tags_of_an_applicant() -> None:
    one = Applicant(
        "a",
        frozenset(),
        "cement",
        "kiln",
        "clinker",
        years=np.array([2030]),
        quantities={"co2_stored": np.array([1.0]), "fuel": np.array([0.0])},
        facts={"drayage": True, "public_body": False, "co2_use": "eor", "loan_usd": 1.0},
    )
    assert tags_of(one) == {"cement", "kiln", "clinker", "co2_stored", "drayage", "eor"}


@pytest.mark.parametrize(
    ("wanted", "met"),
    [("", True), ("a", True), ("a+b", True), ("c", False), ("!c", True), ("!a", False), ("a+!c", True)],
)
def test_selectors(wanted: str, met: bool) -> None:
    assert tags_match([tag for tag in wanted.split("+") if tag], frozenset({"a", "b"})) is met


def test_the_row_with_most_tags_counts(book: PolicyBook, index: Index) -> None:
    rows = (ROW, replace(ROW, tags=("a",), value=5.0), replace(ROW, tags=("a", "b"), value=7.0))
    assert figures(book, index, *rows).number("rate") == 2.0
    assert figures(book, index, *rows, tags="a").number("rate") == 5.0
    assert figures(book, index, *rows, tags="a b").number("rate") == 7.0
    assert figures(book, index, *rows[1:]).number("rate") is None


def test_rows_by_day_of_service(book: PolicyBook, index: Index) -> None:
    rows = (ROW, replace(ROW, in_service_from=dt.date(2025, 7, 5), value=9.0))
    assert figures(book, index, *rows, service="2025-07-04").number("rate") == 2.0
    assert figures(book, index, *rows, service="2025-07-05").number("rate") == 9.0


def test_years_are_interpolated_and_held(book: PolicyBook, index: Index) -> None:
    rows = (replace(ROW, year=2026, value=10.0), replace(ROW, year=2028, value=20.0))
    band = figures(book, index, *rows).band("rate")
    assert band is not None
    assert band.value.tolist() == [10, 10, 10, 15, 20, 20, 20, 20]


def test_what_is_indexed_grows_after_its_last_year(book: PolicyBook, index: Index, library: Library) -> None:
    last = library.price_index.last_year()
    rows = (replace(ROW, year=2024, value=8.0), replace(ROW, year=last, value=10.0, indexed_from=last))
    found = figures(book, index, *rows)
    band = found.band("rate", years=np.array([2024, last, last + 1, last + 5]))
    assert band is not None
    np.testing.assert_allclose(band.value, [8, 10, 10.2, 10 * 1.02**5])


def test_index_by_hand(index: Index, library: Library) -> None:
    last = library.price_index.last_year()
    years = np.array([last - 3, last, last + 2])
    expected = [
        max(library.price_index.to_dollars("USD", 2022, min(int(y) - 1, last)), 1)
        * 1.02 ** max(int(y) - 1 - last, 0)
        for y in years
    ]
    np.testing.assert_allclose(index.factor(years, 2022, 1), expected)


@given(base=st.integers(2000, 2040), year=st.integers(1990, 2080), inflation=st.floats(0, 0.2))
def test_the_index_never_falls_below_one_and_never_falls(base: int, year: int, inflation: float) -> None:
    from cleanhub.hub.library import load_library

    one = Index(load_library().price_index, inflation)
    now, later = one.factor(np.array([year, year + 1]), base)
    assert now >= 1
    assert later >= now - 1e-12


def test_the_range_follows_the_scenario(book: PolicyBook, index: Index) -> None:
    found = figures(book, index, ROW)
    for end, value in (("low", 1.0), ("value", 2.0), ("high", 3.0)):
        choice = found.policy.choice.model_copy(update={"range": end})
        assert replace(found, policy=replace(found.policy, choice=choice)).number("rate") == value


def test_tiers_rise_and_prefer_the_more_specific(book: PolicyBook, index: Index) -> None:
    rows = (ROW, replace(ROW, tier_from=5.0, value=4.0), replace(ROW, tier_from=5.0, value=6.0, tags=("a",)))
    bounds, bands = figures(book, index, *rows, tags="a").tiers("rate")
    assert bounds.tolist() == [-np.inf, 5.0]
    assert [band.value[0] for band in bands] == [2.0, 6.0]


def test_terms_are_named_by_item_year_and_tier(book: PolicyBook, index: Index) -> None:
    rows = (
        replace(ROW, item="target", year=2035, value=0.4),
        replace(ROW, item="limit", value=1.0, tags=("other",)),
        replace(ROW, item="share", tier_from=5.0, value=0.7),
    )
    assert figures(book, index, *rows).terms() == {"target 2035": 0.4, "share from 5": 0.7}


def test_confidence_of_what_was_read(book: PolicyBook, index: Index) -> None:
    found = figures(book, index, ROW, replace(ROW, item="price", confidence="assumed"))
    found.band("rate")
    assert found.used == {"seen"}
    found.number("price")
    assert found.used == {"seen", "assumed"}


def test_bands_multiply_and_add_end_by_end() -> None:
    one = Band(np.array([2.0]), np.array([1.0]), np.array([3.0]))
    assert [float(end[0]) for end in ((one * one).value, (one * one).low, (one * 2).high)] == [4, 1, 6]
    both = one + Band.of(1, 1)
    assert [float(end[0]) for end in (both.value, both.low, both.high)] == [3, 2, 4]
