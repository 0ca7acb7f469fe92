"""Figures as people state them: units, price years, ranges, limits, draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError
from scipy.stats import norm

from cleanhub.core.file_model import FileModel
from cleanhub.finance.figures import Z90, Figure, Measure, Resolved, Values, measured, resolve
from cleanhub.hub.library import Library


class _Holder(FileModel):
    share: measured("1", 0.0, 1.0)  # type: ignore[valid-type]


def _share(given: Any) -> Figure:
    found: Figure = _Holder.model_validate({"share": given}).share
    return found


def _read(
    library: Library, counted: str, least: float = -np.inf, most: float = np.inf, **stated: Any
) -> Resolved:
    measure = Measure(counted, least, most)
    return resolve("here", Figure(**stated), measure, library.price_index, 2024)


# ---------------------------------------------------------------- stating


@pytest.mark.parametrize("given", [0.5, {"value": 0.5}, {"value": 0.5, "low": 0.4, "high": 0.6}])
def test_bare_and_full(given: Any) -> None:
    assert _share(given).value == 0.5


def test_whole_numbers_are_numbers() -> None:
    assert _share({"value": 1, "low": 0, "high": 1}).low == 0.0
    assert isinstance(_share(1).value, float)


@pytest.mark.parametrize(
    "given",
    [
        True,
        {"value": True},
        {"value": 0.5, "low": False},
        "0.5",
        {"value": "0.5"},
        float("nan"),
        float("inf"),
        {"value": float("nan")},
        {"value": 0.5, "low": 0.6},
        {"value": 0.5, "high": 0.4},
        {"value": 0.5, "lo": 0.4},
        {"low": 0.4, "high": 0.6},
        {"value": 0.5, "confidence": "sure"},
        {"value": 0.5, "currency_year": 1066},
        None,
        [0.5],
    ],
)
def test_what_is_no_figure(given: Any) -> None:
    with pytest.raises(ValidationError):
        _share(given)


def test_a_figure_cannot_be_changed() -> None:
    figure = _share(0.5)
    assert isinstance(figure, BaseModel)
    with pytest.raises(ValidationError):
        figure.value = 0.6  # type: ignore[misc]


# ---------------------------------------------------------------- reading


def test_units_are_converted(library: Library) -> None:
    found = _read(library, "kg/yr", value=20.0, low=18.0, high=21.0, unit="t/yr")
    assert (found.value, found.low, found.high) == pytest.approx((20_000.0, 18_000.0, 21_000.0))
    assert _read(library, "1", value=7.0, unit="%").value == pytest.approx(0.07)
    assert _read(library, "1/yr", value=7.0, unit="%/yr").value == pytest.approx(0.07)


def test_money_is_moved_to_the_price_year(library: Library) -> None:
    index = library.price_index
    found = _read(library, "USD", value=2.0, unit="MUSD", currency_year=2012)
    assert found.value == pytest.approx(2e6 * index.to_dollars("USD", 2012, 2024))
    assert found.value > 2e6
    euros = _read(library, "USD/kg", value=3.0, unit="EUR/kg", currency_year=2020)
    assert euros.value == pytest.approx(3.0 * index.to_dollars("EUR", 2020, 2024))
    assert _read(library, "USD", value=2.0, unit="MUSD").value == 2e6  # the case's own price year


@pytest.mark.parametrize(
    ("unit", "stated", "words"),
    [
        ("kg/yr", {"value": 1.0, "unit": "MWh/yr"}, "cannot convert MWh/yr to kg/yr"),
        ("USD", {"value": 1.0, "unit": "kg"}, "cannot convert"),
        ("kg", {"value": 1.0, "currency_year": 2020}, "a price year belongs to money"),
        ("1", {"value": 1.2}, "from 0 to 1"),
        ("1", {"value": 0.5, "high": 1.2}, "from 0 to 1"),
        ("1", {"value": 0.5, "low": -0.2}, "from 0 to 1"),
        ("1", {"value": 150.0, "unit": "%"}, "found 1.5"),
    ],
)
def test_what_cannot_be_read_says_why(
    library: Library, unit: str, stated: dict[str, Any], words: str
) -> None:
    limits = (0.0, 1.0) if unit == "1" else (-np.inf, np.inf)
    with pytest.raises(ValueError, match=words):
        _read(library, unit, *limits, **stated)


# ---------------------------------------------------------------- draws


def test_percentiles_are_kept(library: Library) -> None:
    found = _read(library, "1", 0.0, 10.0, value=2.0, low=1.5, high=4.0)
    np.testing.assert_allclose(found.at(np.array([-Z90, 0.0, Z90])), [1.5, 2.0, 4.0])
    draws = norm.ppf((np.arange(100_000) + 0.5) / 100_000)
    np.testing.assert_allclose(np.quantile(found.at(draws), [0.1, 0.5, 0.9]), [1.5, 2.0, 4.0], rtol=1e-4)


def test_draws_rise_with_z_and_stay_inside_limits(library: Library) -> None:
    found = _read(library, "1", 0.0, 1.0, value=0.9, low=0.6, high=0.98)
    drawn = found.at(np.linspace(-6.0, 6.0, 500))
    assert np.all(np.diff(drawn) >= 0)
    assert drawn.min() == 0.0
    assert drawn.max() == 1.0


def test_a_figure_without_range_does_not_move(library: Library) -> None:
    found = _read(library, "1", value=0.3)
    assert not found.uncertain
    assert np.all(found.at(np.array([-3.0, 3.0])) == 0.3)
    assert _read(library, "1", value=0.3, high=0.4).uncertain


# ---------------------------------------------------------------- values


def _values(library: Library) -> Values:
    return Values(
        {"a": _read(library, "1", value=0.3, low=0.1, high=0.4), "b": _read(library, "1", value=2.0)}
    )


def test_values_by_path(library: Library) -> None:
    values = _values(library)
    assert float(values("a")) == 0.3
    assert values("a").shape == ()
    assert float(values.get("c", 7.0)) == 7.0
    assert values.has("b")
    assert not values.has("c")
    with pytest.raises(KeyError):
        values("c")


def test_replaced_values(library: Library) -> None:
    values = _values(library).with_values(a=np.array([1.0, 2.0, 3.0]))
    assert values.count == 3
    np.testing.assert_array_equal(values("a"), [1.0, 2.0, 3.0])
    assert float(values("b")) == 2.0
    assert float(_values(library)("a")) == 0.3  # the first stays as it was
    assert float(_values(library).at_ends({"a": "low", "nowhere": "high"})("a")) == 0.1
