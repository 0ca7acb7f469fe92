"""Figures that people state: a number with its range, unit, price year, source and confidence.

A case file may give a bare number or a mapping. Every field of a case declares the unit it is
counted in, the values it can take and which end of its range is the bad one; this module
reads what was stated into that unit and the case's price year.

``low`` and ``high`` are read as the 10th and 90th percentile, ``value`` as the median. A draw
``z`` of a standard normal variable is taken to the figure by two straight lines through these
three points, so percentiles are kept exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from cleanhub.core.file_model import FileModel
from cleanhub.core.money import PriceIndex, currency_of, in_dollars
from cleanhub.core.units import factor

FloatArray = NDArray[np.float64]
Confidence = Literal["seen", "derived", "recalled", "assumed"]
End = Literal["low", "high"]
Z90 = NormalDist().inv_cdf(0.9)
"""Standard normal value of the 90th percentile."""


class Figure(FileModel):
    """One number as stated."""

    value: float
    """Central value (median)."""
    low: float | None = None
    """10th percentile."""
    high: float | None = None
    """90th percentile."""
    unit: str | None = None
    """Unit it is stated in; none: the field's own."""
    currency_year: int | None = Field(None, ge=1970, le=2100)
    """Price year of money; none: the case's price year."""
    source: str = ""
    """Where it comes from."""
    confidence: Confidence = "assumed"
    """How far it can be trusted."""
    note: str = ""
    """What a reader must know."""

    @model_validator(mode="after")
    def _in_order(self) -> Figure:
        low = self.value if self.low is None else self.low
        high = self.value if self.high is None else self.high
        if not low <= self.value <= high:
            raise ValueError(f"low <= value <= high; found {low:g}, {self.value:g}, {high:g}")
        return self


def as_figure(given: Any) -> Any:
    """A bare number as a figure; anything else is left for the model to judge."""
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return {"value": float(given)}
    if isinstance(given, dict):
        return {
            key: float(item)
            if key in ("value", "low", "high") and isinstance(item, int) and not isinstance(item, bool)
            else item
            for key, item in given.items()
        }
    return given


Stated = Annotated[Figure, BeforeValidator(as_figure)]
"""Type of a field that holds a figure whose unit depends on what it counts."""


@dataclass(frozen=True)
class Measure:
    """What a field counts: unit (``{unit}`` is the product's), least, most, the bad end of a range."""

    unit: str
    least: float = -np.inf
    most: float = np.inf
    bad: End | None = None


def measured(unit: str, least: float = -np.inf, most: float = np.inf, bad: End | None = None) -> Any:
    """Type of a field that holds a :class:`Figure` counted in ``unit``."""
    return Annotated[Figure, BeforeValidator(as_figure), Measure(unit, least, most, bad)]


@dataclass(frozen=True)
class Resolved:
    """A figure in its field's unit and the case's price year, with its limits."""

    path: str
    value: float
    low: float
    high: float
    unit: str
    measure: Measure
    figure: Figure

    @property
    def uncertain(self) -> bool:
        """Whether a range was given."""
        return self.low < self.value or self.high > self.value

    def at(self, z: FloatArray) -> FloatArray:
        """The figure at standard normal draws ``z``, kept inside its limits."""
        step = np.where(z > 0, self.high - self.value, self.value - self.low) / Z90
        return np.clip(self.value + step * z, self.measure.least, self.measure.most)


def resolve(path: str, figure: Figure, measure: Measure, index: PriceIndex, price_year: int) -> Resolved:
    """Read ``figure`` into the unit of ``measure`` and dollars of ``price_year``.

    Raises ``ValueError`` in words when the unit does not fit or a value is out of its limits.
    """
    stated = figure.unit or measure.unit
    currency = currency_of(stated)
    scale = factor(in_dollars(stated), measure.unit)
    if currency is not None:
        scale *= index.to_dollars(currency, figure.currency_year or price_year, price_year)
    elif figure.currency_year is not None:
        raise ValueError(f"a price year belongs to money, not to {stated}")
    low = figure.value if figure.low is None else figure.low
    high = figure.value if figure.high is None else figure.high
    ends = sorted((low * scale, high * scale))
    for number in (figure.value * scale, *ends):
        if not measure.least <= number <= measure.most:
            raise ValueError(f"from {measure.least:g} to {measure.most:g} {measure.unit}; found {number:.6g}")
    return Resolved(path, figure.value * scale, ends[0], ends[1], measure.unit, measure, figure)


@dataclass(frozen=True)
class Values:
    """The numbers of one or many readings of a case, by path.

    ``replaced`` holds numbers that stand in place of the central ones: arrays of shape (N,)
    or single numbers.
    """

    figures: Mapping[str, Resolved]
    replaced: Mapping[str, FloatArray | float] = field(default_factory=dict)

    def __call__(self, path: str) -> FloatArray:
        """The number or numbers at ``path``, shape () or (N,). Raises ``KeyError`` for an unknown path."""
        found = self.replaced.get(path)
        return np.asarray(self.figures[path].value if found is None else found, dtype=np.float64)

    def has(self, path: str) -> bool:
        """Whether the case states ``path``."""
        return path in self.figures or path in self.replaced

    def get(self, path: str, default: float) -> FloatArray:
        """The number at ``path``, or ``default`` where the case does not state it."""
        return self(path) if self.has(path) else np.asarray(default, dtype=np.float64)

    def with_values(self, **changes: Any) -> Values:
        """The same with further numbers replaced; keys are paths."""
        return Values(self.figures, {**self.replaced, **changes})

    def at_ends(self, paths: Mapping[str, End]) -> Values:
        """The same with the figures named at the ends named; others as they are."""
        ends = {path: getattr(self.figures[path], end) for path, end in paths.items() if path in self.figures}
        return Values(self.figures, {**self.replaced, **ends})

    @property
    def count(self) -> int:
        """How many readings there are (1 where every number is single)."""
        sizes = [np.size(value) for value in self.replaced.values()]
        return max(sizes, default=1)
