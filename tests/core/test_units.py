"""Units: closed forms, invariance, and refusal of what is no unit."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.core.units import DEFINITIONS, convert, factor, is_unit


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("MWh", "GJ", 3.6),
        ("PJ", "GJ", 1e6),
        ("mmBtu", "GJ", 1.055056),  # the Btu of ISO 31-4, as the library notes use it
        ("bbl", "gal", 42),  # a barrel of oil, not of beer
        ("gal", "m3", 0.003785411784),  # US liquid gallon
        ("Mgal/yr", "gal/yr", 1e6),
        ("Mcf", "m3", 28.316846592),
        ("mi", "km", 1.609344),
        ("kWh/mi", "kWh/km", 1 / 1.609344),
        ("t", "kg", 1000),
        ("kt", "t", 1000),  # a kilotonne, not a knot
        ("kt CO2e/yr", "t CO2e/yr", 1000),
        ("Mt CO2e", "t CO2e", 1e6),
        ("t CO2e", "t", 1),
        ("g CO2e/MJ", "t CO2e/GJ", 1e-3),
        ("t/d", "t/yr", 365.25),
        ("%", "1", 0.01),
        ("yr", "d", 365.25),
        ("USD/MWh", "USD/GJ", 1 / 3.6),
        ("USD/gal", "USD/bbl", 42),
        ("kUSD", "USD", 1000),
        ("truck", "vehicle", 1),
        ("MWe", "kW", 1000),
        ("m2", "m**2", 1),
        ("ug/m3", "g/m3", 1e-6),
    ],
)
def test_closed_forms(source: str, target: str, expected: float) -> None:
    assert factor(source, target) == pytest.approx(expected, rel=1e-9)
    assert factor(target, source) == pytest.approx(1 / expected, rel=1e-9)


SAME_DIMENSION = [
    ("GJ", "MWh", "kWh", "mmBtu", "PJ", "MJ"),
    ("t", "kg", "g", "kt", "Mt CO2e"),
    ("t/yr", "t/d", "kg/yr", "kt/yr"),
    ("m3", "gal", "bbl", "Mcf"),
    ("km", "mi", "m"),
    ("USD/GJ", "USD/MWh", "USD/mmBtu", "USD/kWh"),
]
VALUES = st.lists(st.floats(-1e12, 1e12, allow_subnormal=False), min_size=1, max_size=20)


@given(st.sampled_from(SAME_DIMENSION), st.data(), VALUES)
def test_a_total_does_not_depend_on_the_unit_it_is_counted_in(
    units: tuple[str, ...], data: st.DataObject, values: list[float]
) -> None:
    a, b, c = (data.draw(st.sampled_from(units)) for _ in range(3))
    there = convert(values, a, b)
    assert np.allclose(convert(there, b, a), values, rtol=1e-12)
    assert np.allclose(convert(there, b, c), convert(values, a, c), rtol=1e-12)
    total = math.fsum(values)
    scale = max(abs(value) for value in values) * factor(a, b)
    assert math.fsum(there) == pytest.approx(total * factor(a, b), rel=1e-9, abs=1e-9 * scale)


def test_conversion_keeps_the_shape_and_the_gaps() -> None:
    out = convert([[1.0, np.nan], [0.0, 2.0]], "t", "kg")
    np.testing.assert_array_equal(out, [[1000, np.nan], [0, 2000]])


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("t", "GJ"),
        ("kW", "kWh"),
        ("EUR", "USD"),  # core/money moves money, not the registry
        ("TEU", "vehicle"),
        ("t", "t/yr"),
        ("t", "tonnne"),
        ("degC", "kelvin"),  # no factor does it
    ],
)
def test_what_no_factor_converts_is_refused(source: str, target: str) -> None:
    with pytest.raises(ValueError, match="cannot convert"):
        factor(source, target)


@pytest.mark.parametrize("text", ["1", "t CO2e/MWh", "USD/(t/yr)/yr", "µg/m3", "m**2", "t*km", "TEU"])
def test_units(text: str) -> None:
    assert is_unit(text)


@pytest.mark.parametrize(
    "text", ["tonnne", "USD/tt", "5", "2 t", "t/", "(t", "t;t", "__import__('os')", "t\n", "'", "t" * 500]
)
def test_what_is_no_unit(text: str) -> None:
    assert not is_unit(text)


@pytest.mark.parametrize("text", ["9**9**9**9", "m**9**9**9", "9⁹⁹⁹⁹⁹⁹⁹⁹", "(9**9)**(9**9)", "m**99999999"])
def test_a_unit_is_never_a_sum_to_work_out(text: str) -> None:
    code = f"from cleanhub.core.units import is_unit; raise SystemExit(is_unit({text!r}))"
    assert subprocess.run([sys.executable, "-c", code], timeout=20, check=False).returncode == 0


@given(st.text(max_size=12))
def test_any_text_is_a_unit_or_not_and_raises_nothing(text: str) -> None:
    assert is_unit(text) in (True, False)


def test_our_own_definitions_stay_few() -> None:
    assert len(DEFINITIONS.read_text(encoding="utf-8").splitlines()) < 40


def test_comparing_units_does_not_build_the_registry() -> None:
    code = (
        "import sys; from cleanhub.core.units import factor, is_unit;"
        "assert factor('t', 't') == 1 and is_unit('1'); assert 'pint' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
