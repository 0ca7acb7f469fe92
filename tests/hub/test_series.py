"""Drivers as arrays by year: interpolation, ranges, money, units, confidence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.scenario import DriverChoice, Scenario, load_scenario
from cleanhub.hub.series import (
    CONFIDENCE_ORDER,
    Drivers,
    confidence_ranks,
    confidence_words,
    sum_by,
    weakest,
)

YEARS = np.arange(2020, 2036)
PRICE = {"driver": "p", "kind": "price", "unit": "USD/MWh", "currency_year": 2024, "confidence": "seen"}
BASE: list[dict[str, Any]] = [
    {**PRICE, "year": 2022, "low": 8, "value": 10, "high": 20},
    {**PRICE, "year": 2030, "value": 50, "confidence": "recalled"},
    {**PRICE, "driver": "q", "year": 2025, "value": 7},
    {"driver": "index", "kind": "activity", "year": 2022, "value": 4, "unit": "1", "confidence": "seen"},
    {"driver": "index", "kind": "activity", "year": 2032, "value": 8, "unit": "1", "confidence": "seen"},
]
Make = Callable[..., Drivers]


def scenario(price_year: int = 2024, **choices: DriverChoice) -> Scenario:
    return Scenario(name="x", title="X", as_of=dt.date(2026, 1, 1), price_year=price_year, drivers=choices)


@pytest.fixture
def make(tiny: Path, write_table: Callable[[Path, str, list[dict[str, Any]]], None]) -> Make:
    """Drivers of a small hub with the rows of ``BASE`` and ``more``, under ``chosen``."""
    (tiny / "scenarios" / "baseline.yaml").write_text(
        "name: baseline\ntitle: T\nas_of: 2026-01-01\n", encoding="utf-8"
    )

    def maker(chosen: Scenario | None = None, more: list[dict[str, Any]] | None = None) -> Drivers:
        write_table(tiny, "drivers", [*BASE, *(more or [])])
        return Drivers(load_hub(tiny), chosen or scenario(), YEARS)

    return maker


def at(values: np.ndarray, *years: int) -> list[Any]:
    return [values[list(YEARS).index(year)] for year in years]


def test_years_between_are_interpolated_and_the_ends_are_flat(make: Make) -> None:
    values = make().series("p").values
    assert at(values, 2020, 2022, 2024, 2026, 2030, 2035) == [10, 10, 20, 30, 50, 50]


@pytest.mark.parametrize(("end", "value"), [("low", 8), ("value", 10), ("high", 20)])
def test_the_ends_of_a_range_and_the_value_where_there_is_none(make: Make, end: Any, value: float) -> None:
    values = make(scenario(p=DriverChoice(range=end))).series("p").values
    assert at(values, 2022, 2030) == [value, 50]


def test_both_ends_at_once_enclose_the_value(make: Make) -> None:
    low, mid, high = (
        make(one).series("p").values
        for one in (scenario().with_range("low"), scenario(), scenario().with_range("high"))
    )
    assert (low <= mid).all()
    assert (mid <= high).all()


def test_a_scale_multiplies(make: Make) -> None:
    scaled = make(scenario(p=DriverChoice(scale=1.5))).series("p").values
    np.testing.assert_allclose(scaled, make().series("p").values * 1.5)


def test_a_delay_brings_every_value_later(make: Make) -> None:
    late = make(scenario(p=DriverChoice(delay_years=2))).series("p").values
    assert at(late, 2024, 2026, 2028, 2032) == [10, 20, 30, 50]
    early = make(scenario(p=DriverChoice(delay_years=-2))).series("p").values
    assert at(early, 2022, 2028) == [20, 50]


def test_drivers_tell_whose_rows_were_read(make: Make) -> None:
    drivers = make(scenario(p=DriverChoice(use="q")))
    assert drivers.read == frozenset()
    drivers.series("p")
    drivers.for_region("somewhere").series("index")
    assert drivers.read == {"q", "index"}


def test_another_drivers_rows_may_stand_in(make: Make) -> None:
    series = make(scenario(p=DriverChoice(use="q"))).series("p")
    assert series.name == "p"
    assert set(series.values) == {7}


def test_a_driver_that_is_not_there(make: Make) -> None:
    drivers = make()
    assert not drivers.has("nothing")
    with pytest.raises(KeyError):
        drivers.series("nothing")


# ---------------------------------------------------------------- index


def test_an_index_is_1_in_its_base_year(make: Make) -> None:
    index = make().index("index", 2022)
    assert at(index.values, 2022, 2027, 2032) == [1, 1.5, 2]
    assert index.unit == "1"


@pytest.mark.parametrize("name", ["", "nothing"])
def test_a_missing_driver_is_constant_and_assumed(make: Make, name: str) -> None:
    index = make().index(name, 2022)
    assert set(index.values) == {1}
    assert set(index.confidence) == {"assumed"}
    assert index.source_ids == ()


def test_an_index_of_a_driver_that_begins_at_nothing_is_constant(make: Make) -> None:
    zero = {"driver": "zero", "kind": "activity", "unit": "1", "year": 2022, "value": 0}
    assert set(make(more=[zero]).index("zero", 2022).values) == {1}


# ---------------------------------------------------------------- money and units


def test_money_is_moved_to_the_price_year(make: Make) -> None:
    old = {**PRICE, "driver": "old", "year": 2025, "value": 100, "currency_year": 2020}
    drivers = make(more=[old])
    # deflator of library/price_index.csv: 105.361 in 2020, 125.225 in 2024
    assert drivers.series("old").values[0] == pytest.approx(100 * 125.225 / 105.361)
    assert drivers.series("old").unit == "USD/MWh"


def test_euros_become_dollars(make: Make) -> None:
    euro = {**PRICE, "driver": "euro", "year": 2025, "value": 100, "unit": "EUR/MWh", "currency_year": 2020}
    series = make(more=[euro]).series("euro")
    assert series.unit == "USD/MWh"
    assert series.values[0] == pytest.approx(100 / 0.87683 * 125.225 / 105.361)


def test_money_without_a_price_year_is_of_its_own_year(make: Make) -> None:
    own = {**PRICE, "driver": "own", "year": 2022, "value": 100, "currency_year": ""}
    assert make(more=[own]).series("own").values[0] == pytest.approx(100 * 125.225 / 118.026)


def test_what_is_not_money_does_not_move_with_the_price_year(make: Make) -> None:
    np.testing.assert_array_equal(
        make(scenario(2005)).series("index").values, make(scenario(2024)).series("index").values
    )


def test_a_series_may_be_asked_for_in_another_unit(make: Make) -> None:
    series = make().series("p", "USD/GJ")
    assert series.unit == "USD/GJ"
    np.testing.assert_allclose(series.values, make().series("p").values / 3.6)
    with pytest.raises(ValueError, match="cannot convert"):
        make().series("p", "USD/t")


def test_the_unit_a_driver_is_written_in_does_not_matter(make: Make) -> None:
    rows = [{**row, "driver": "gj", "unit": "USD/GJ"} for row in BASE[:2]]
    for row in rows:
        row.update({key: row[key] / 3.6 for key in ("low", "value", "high") if key in row})
    drivers = make(more=rows)
    np.testing.assert_allclose(drivers.series("gj", "USD/MWh").values, drivers.series("p").values)


# ---------------------------------------------------------------- confidence


def test_a_year_is_as_weak_as_the_rows_it_rests_on(make: Make) -> None:
    words = make().series("p").confidence
    assert at(words, 2020, 2022, 2023, 2030) == ["seen", "seen", "recalled", "recalled"]


def test_a_value_carried_beyond_the_last_row_is_assumed(make: Make) -> None:
    assert at(make().series("p").confidence, 2031, 2035) == ["assumed", "assumed"]


def test_the_weakest_of_several() -> None:
    assert weakest(["seen", "recalled", "derived"]) == "recalled"
    assert weakest([]) == "seen"
    assert weakest(pd.Series(["assumed", "seen"])) == "assumed"


@given(st.lists(st.sampled_from(CONFIDENCE_ORDER), min_size=1))
def test_ranks_and_words_are_the_same_thing(words: list[str]) -> None:
    ranks = confidence_ranks(np.array(words, dtype=object))
    assert list(confidence_words(ranks)) == words
    assert CONFIDENCE_ORDER[ranks.max()] == weakest(words)


def test_an_unknown_word_ranks_weakest() -> None:
    assert list(confidence_ranks(pd.Series(["seen", "guessed", ""]))) == [0, 3, 3]


def test_a_sum_is_as_weak_as_its_weakest_part() -> None:
    frame = pd.DataFrame(
        {"k": ["b", "a", "a"], "v": [1.0, 2.0, 3.0], "confidence": ["seen", "derived", "recalled"]}
    )
    assert sum_by(frame, ["k"], "v").to_dict("list") == {
        "k": ["a", "b"],
        "v": [5.0, 1.0],
        "confidence": ["recalled", "seen"],
    }


def test_every_driver_of_california_is_finite_in_every_year(california: Hub) -> None:
    years = np.arange(2000, 2051)
    drivers = Drivers(california, scenario(), years)
    for name in california.tables["drivers"]["driver"].unique():
        series = drivers.series(name)
        assert np.isfinite(series.values).all(), name
        assert len(series.values) == len(series.confidence) == len(years)
        assert series.source_ids, name


def test_a_scale_moves_an_index_after_its_base_year() -> None:
    hub = load_hub("california")
    plain = load_scenario("baseline", hub)
    halved = plain.model_copy(update={"drivers": {**plain.drivers, "cement_demand": DriverChoice(scale=0.5)}})
    years = np.arange(2022, 2051)
    one = Drivers(hub, plain, years).index("cement_demand", 2022).values
    two = Drivers(hub, halved, years).index("cement_demand", 2022).values
    assert two[0] == one[0] == 1.0
    assert two[1:] == pytest.approx(one[1:] * 0.5)
