"""Money between years and currencies, by hand from the library's own index."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.core.money import CURRENCIES, PriceIndex, currency_of, in_dollars
from cleanhub.hub.library import load_library

YEARS = st.integers(2000, 2025)
# As printed in library/price_index.csv (deflator: 2017 = 100; EUR per USD).
DEFLATOR = {2020: 105.361, 2022: 118.026, 2024: 125.225}
EUR_PER_USD = {2020: 0.87683, 2022: 0.95177}


@pytest.fixture(scope="module")
def index() -> PriceIndex:
    return load_library().price_index


@given(YEARS)
def test_a_dollar_of_a_year_is_a_dollar_of_that_year(year: int) -> None:
    assert load_library().price_index.to_dollars("USD", year, year) == 1


@given(YEARS, YEARS)
def test_there_and_back_is_the_same_money(a: int, b: int) -> None:
    index = load_library().price_index
    assert index.to_dollars("USD", a, b) * index.to_dollars("USD", b, a) == pytest.approx(1, rel=1e-12)


@given(YEARS, YEARS, YEARS)
def test_a_stop_on_the_way_changes_nothing(a: int, b: int, c: int) -> None:
    index = load_library().price_index
    by_way = index.to_dollars("USD", a, b) * index.to_dollars("USD", b, c)
    assert by_way == pytest.approx(index.to_dollars("USD", a, c), rel=1e-12)


@pytest.mark.parametrize(("year", "price_year"), [(2020, 2024), (2022, 2024), (2024, 2020)])
def test_deflation_by_hand(index: PriceIndex, year: int, price_year: int) -> None:
    by_hand = DEFLATOR[price_year] / DEFLATOR[year]
    assert index.to_dollars("USD", year, price_year) == pytest.approx(by_hand, rel=1e-12)


def test_euros_change_at_their_own_year_and_then_move() -> None:
    index = load_library().price_index
    by_hand = 100 / 0.87683 * 125.225 / 105.361  # EUR 100 of 2020 in USD of 2024
    assert 100 * index.to_dollars("EUR", 2020, 2024) == pytest.approx(by_hand, rel=1e-12)
    assert by_hand == pytest.approx(135.548, abs=0.001)
    assert index.to_dollars("EUR", 2022, 2022) == pytest.approx(1 / EUR_PER_USD[2022], rel=1e-12)


def test_every_currency_of_the_code_is_in_the_index(index: PriceIndex) -> None:
    for currency in CURRENCIES:
        assert index.to_dollars(currency, 2022, 2022) > 0


def test_years_beyond_the_index_use_its_nearest(index: PriceIndex) -> None:
    last = index.last_year()
    assert index.to_dollars("USD", last + 20, last) == 1
    assert index.to_dollars("USD", 1950, 2000) == 1


def test_the_order_of_the_rows_does_not_matter(index: PriceIndex) -> None:
    shuffled = PriceIndex(index.frame.sample(frac=1, random_state=1))
    assert shuffled.to_dollars("EUR", 2012, 2021) == index.to_dollars("EUR", 2012, 2021)


def test_an_unknown_currency_is_refused() -> None:
    index = PriceIndex(pd.DataFrame({"series": ["usd_gdp_deflator"], "year": [2020], "value": [100.0]}))
    with pytest.raises(ValueError, match="no series XAU"):
        index.to_dollars("XAU", 2020, 2020)


@pytest.mark.parametrize(
    ("unit", "currency", "dollars"),
    [
        ("EUR/(t/yr)", "EUR", "USD/(t/yr)"),
        ("USD/MWh", "USD", "USD/MWh"),
        ("kEUR/t", "EUR", "kUSD/t"),
        ("MUSD", "USD", "MUSD"),
        ("t/yr", None, "t/yr"),
        ("EUROPE", None, "EUROPE"),
    ],
)
def test_the_currency_named_in_a_unit(unit: str, currency: str | None, dollars: str) -> None:
    assert currency_of(unit) == currency
    assert in_dollars(unit) == dollars
