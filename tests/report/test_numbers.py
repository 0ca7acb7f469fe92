"""Numbers are shown with sensible digits, separators and units."""

from __future__ import annotations

import math

import pytest

from cleanhub.report import numbers
from cleanhub.report.numbers import scale_for


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (0.5, "0.5"),
        (45.678, "45.7"),
        (999.6, "1,000"),
        (9.996, "10"),
        (1234.0, "1,230"),
        (371_214.0, "371,000"),
        (-2.5, "−2.5"),
        (0.00012345, "0.000123"),
        (0.000012345, "1.23 × 10^−5"),
        (-0.00001, "−1 × 10^−5"),
    ],
)
def test_number(value: float | None, shown: str) -> None:
    assert numbers.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (1_460_000.4, "1,460,000"), (-3.0, "−3"), (0.0, "0")],
)
def test_count_keeps_every_digit(value: float | None, shown: str) -> None:
    assert numbers.count(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0.62, "62\u00a0%"), (0.995, "99.5\u00a0%"), (1.0, "100\u00a0%"), (0.0123, "1.2\u00a0%")],
)
def test_percent(value: float | None, shown: str) -> None:
    assert numbers.percent(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (4.52e4, "45.2\u00a0kt"),
        (3.71e8, "371\u00a0Mt"),
        (999_900.0, "1\u00a0Mt"),
        (310.0, "310\u00a0t"),
        (-2e6, "−2\u00a0Mt"),
    ],
)
def test_tonnes(value: float | None, shown: str) -> None:
    assert numbers.tonnes(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (12_000.0, "$12,000"),
        (3.4e8, "$340\u00a0million"),
        (1.25e9, "$1.25\u00a0billion"),
        (-3e6, "−$3\u00a0million"),
        (999_999_999.0, "$1\u00a0billion"),
    ],
)
def test_money(value: float | None, shown: str) -> None:
    assert numbers.money(value) == shown


@pytest.mark.parametrize(
    ("values", "unit", "shown"),
    [
        ([4.12e7, 3.3e7], "t CO2e/yr", "41.2\u00a0Mt CO₂e per year"),
        ([4.12e7], "t CO2e", "41.2\u00a0Mt CO₂e"),
        ([12.4], "Mt CO2/yr", "12.4\u00a0Mt CO₂ per year"),
        ([500.0], "t", "500\u00a0t"),
        ([5e6], "t CO2e/yr at the old rate", "5\u00a0Mt CO₂e per year at the old rate"),
        ([2.145e11], "USD of 2024", "$214\u00a0billion"),
        ([3e6], "USD/yr", "$3\u00a0million per year"),
        ([14.0], "billion USD", "$14\u00a0billion"),
        ([0.87, 1.0], "1", "87\u00a0%"),
        ([17.0], "1", "17"),
        ([50.5], "%", "50.5\u00a0%"),
        ([48211.0], "trucks", "48,211\u00a0trucks"),
        ([87.4], "USD/t CO2e", "87.4\u00a0USD/t CO₂e"),
        ([None], "plants", "–"),
    ],
)
def test_scale(values: list[float | None], unit: str, shown: str) -> None:
    scale = numbers.scale_for(values, unit)
    assert scale.full(values[0]) == shown


def test_a_range_shares_one_scale() -> None:
    scale = numbers.scale_for([8e5, 3e6], "t CO2e")
    assert (scale.show(8e5), scale.show(3e6), scale.unit) == ("0.8", "3", "Mt CO₂e")


def test_a_price_year_in_the_unit_is_kept() -> None:
    assert numbers.scale_for([1e9], "USD of 2022").currency == "USD of 2022"
    assert numbers.scale_for([1e9], "t").currency == ""


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("t CO2e", 1.0),
        ("kt", 1e3),
        ("Mt CO2/yr", 1e6),
        ("t CO2e/MWh", None),
        ("USD", None),
        ("t CO2 per unit", None),
    ],
)
def test_tonne_factor(unit: str, factor: float | None) -> None:
    assert numbers.tonne_factor(unit) == factor


def test_a_long_unit_says_money_and_year_in_that_order() -> None:
    assert scale_for([3e9], "USD/yr").long_unit == "billion USD per year"
    assert scale_for([3e9], "USD of 2024").long_unit == "billion USD of 2024"
    assert scale_for([3e6], "t CO2e/yr").long_unit == scale_for([3e6], "t CO2e/yr").unit
