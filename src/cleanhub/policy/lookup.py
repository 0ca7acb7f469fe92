"""What a policy's values are for one applicant: which rows apply, in which year, at which index.

An applicant has *tags*: sector, technology, product, the quantities above zero, the facts that
are yes and the words that facts hold. A row applies when the applicant has every tag of its
selector (and none that stands after ``!``); among rows of one item the one with most tags, then
the latest ``in_service_from``, counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cleanhub.core.money import PriceIndex
from cleanhub.policy.applicant import Applicant
from cleanhub.policy.book import Policy, PolicyValue

FloatArray = NDArray[np.float64]
FIRST_YEAR = 1980  # of the table of the deflator; earlier years count as this one


@dataclass(frozen=True)
class Band:
    """Central, low and high values, each shape (T,)."""

    value: FloatArray
    low: FloatArray
    high: FloatArray

    def __mul__(self, factor: float | FloatArray | Band) -> Band:
        """The band times a factor, or end by end times another band."""
        if isinstance(factor, Band):
            return Band(self.value * factor.value, self.low * factor.low, self.high * factor.high)
        return Band(self.value * factor, self.low * factor, self.high * factor)

    def __add__(self, other: Band) -> Band:
        """End by end."""
        return Band(self.value + other.value, self.low + other.low, self.high + other.high)

    @staticmethod
    def of(value: float, size: int) -> Band:
        """The same number in every year."""
        each = np.full(size, float(value))
        return Band(each, each, each)


@dataclass(frozen=True)
class Index:
    """Growth of amounts by the deflator, beyond its last year by ``inflation`` [1/yr]."""

    prices: PriceIndex
    inflation: float

    @cached_property
    def _known(self) -> FloatArray:
        """Deflator from :data:`FIRST_YEAR` to the last year of the index, that year as 1."""
        last = self.prices.last_year()
        return np.array([self.prices.to_dollars("USD", last, y) for y in range(FIRST_YEAR, last + 1)])

    def level(self, years: NDArray[np.int64]) -> FloatArray:
        """Deflator of each year over that of the last year of the index, shape (T,)."""
        last = FIRST_YEAR + len(self._known) - 1
        known = self._known[np.clip(years, FIRST_YEAR, last) - FIRST_YEAR]
        return np.asarray(known * (1.0 + self.inflation) ** np.maximum(years - last, 0), dtype=np.float64)

    def factor(self, years: NDArray[np.int64], base: int, lag: int = 0) -> FloatArray:
        """Index of ``years - lag`` over that of ``base``, never below 1, shape (T,)."""
        base_level = self.level(np.array([base]))[0]
        return np.asarray(np.maximum(self.level(years - lag) / base_level, 1.0), dtype=np.float64)


def tags_of(applicant: Applicant) -> frozenset[str]:
    """Everything that selectors may ask of an applicant."""
    words: set[str] = {applicant.sector, applicant.technology, applicant.product}
    words |= {name for name, amount in applicant.quantities.items() if np.any(np.asarray(amount) > 0)}
    for name, fact in applicant.facts.items():
        if fact is True:
            words.add(name)
        elif isinstance(fact, str):
            words.add(fact)
    return frozenset(words - {""})


def tags_match(wanted: Iterable[str], tags: frozenset[str]) -> bool:
    """Whether an applicant with ``tags`` meets a selector."""
    return all((tag[1:] not in tags) if tag.startswith("!") else (tag in tags) for tag in wanted)


@dataclass(frozen=True)
class Figures:
    """The values of one policy for one applicant; every band has the shape of ``years``, (T,).

    ``used`` gathers the confidence words of the rows that were read.
    """

    policy: Policy
    tags: frozenset[str]
    years: NDArray[np.int64]
    in_service: dt.date | None
    index: Index
    used: set[str] = field(default_factory=set, compare=False)

    def band(self, item: str, *also: str, years: NDArray[np.int64] | None = None) -> Band | None:
        """The item in each year; ``None`` where no row applies. ``also`` adds tags for this question."""
        rows = self._most_specific(item, self.tags | set(also))
        return self._by_year(rows, self.years if years is None else years) if rows else None

    def number(self, item: str, *also: str) -> float | None:
        """The central value of an item that is the same in every year."""
        rows = self._most_specific(item, self.tags | set(also))
        return self._at(rows[0])[0] if rows else None

    def every(self, item: str) -> list[tuple[PolicyValue, Band]]:
        """Every row of an item that applies (multipliers and uplifts add to each other)."""
        rows = [row for row in self._applying(item, self.tags) if row.year is None]
        return [(row, self._by_year([row], self.years)) for row in rows]

    def tiers(self, item: str) -> tuple[FloatArray, list[Band]]:
        """Lower bounds of the tiers, rising from minus infinity, and the band of each."""
        rows: dict[float, PolicyValue] = {}
        for row in self._applying(item, self.tags):
            bound = -np.inf if row.tier_from is None else row.tier_from
            if bound not in rows or len(row.tags) > len(rows[bound].tags):
                rows[bound] = row
        bounds = sorted(rows)
        return np.array(bounds), [self._by_year([rows[bound]], self.years) for bound in bounds]

    def terms(self) -> dict[str, float]:
        """Every value that applies, by item, year and tier: ``share``, ``target 2035``."""
        found: dict[str, tuple[int, float]] = {}
        for item in dict.fromkeys(row.item for row in self.policy.values):
            for row in self._applying(item, self.tags):
                words = [item]
                words += [str(row.year)] if row.year is not None else []
                words += [f"from {row.tier_from:g}"] if row.tier_from is not None else []
                name = " ".join(words)
                if name not in found or len(row.tags) > found[name][0]:
                    found[name] = (len(row.tags), self._at(row)[0])
        return {name: value for name, (_, value) in found.items()}

    def _applying(self, item: str, tags: frozenset[str]) -> list[PolicyValue]:
        rows = self.policy.by_item.get(item, ())
        fits = {wanted: tags_match(wanted, tags) for wanted in {row.tags for row in rows}}
        return [
            row
            for row in rows
            if fits[row.tags]
            and (
                row.in_service_from is None
                or (self.in_service is not None and self.in_service >= row.in_service_from)
            )
        ]

    def _most_specific(self, item: str, tags: frozenset[str]) -> list[PolicyValue]:
        rows = self._applying(item, tags)
        if not rows:
            return []
        best = max((len(row.tags), row.in_service_from or dt.date.min) for row in rows)
        return [row for row in rows if (len(row.tags), row.in_service_from or dt.date.min) == best]

    def _at(self, row: PolicyValue) -> tuple[float, float, float]:
        """Central, low and high of a row, the scenario's end of the range taken."""
        self.used.add(row.confidence)
        central = {"low": row.low, "value": row.value, "high": row.high}[self.policy.choice.range]
        return central, row.low, row.high

    def _by_year(self, rows: Sequence[PolicyValue], years: NDArray[np.int64]) -> Band:
        """Rows of one item by year: interpolated between years, held (and indexed) beyond the last."""
        rows = sorted(rows, key=lambda row: row.year or 0)
        last = rows[-1]
        ends = np.array([self._at(row) for row in rows])
        if last.year is None:
            found = np.tile(ends[-1], (len(years), 1))
            growth = self._growth(last, years)
        else:
            points = np.array([row.year for row in rows], dtype=float)
            found = np.column_stack([np.interp(years, points, ends[:, k]) for k in range(3)])
            growth = np.where(years >= last.year, self._growth(last, years), 1.0)
        return Band(found[:, 0] * growth, found[:, 1] * growth, found[:, 2] * growth)

    def _growth(self, row: PolicyValue, years: NDArray[np.int64]) -> FloatArray:
        if row.indexed_from is None:
            return np.ones(len(years))
        return self.index.factor(years, row.indexed_from, row.index_lag)
