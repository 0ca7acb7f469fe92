"""Drivers as arrays by year, in the units and price year that a scenario asks for.

Rows between years are interpolated linearly; before the first and after the last row the
nearest value holds. Each series keeps the weakest confidence among the rows it used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.money import currency_of, in_dollars
from cleanhub.core.units import factor
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario

FloatArray = NDArray[np.float64]

CONFIDENCE_ORDER = ("seen", "derived", "recalled", "assumed")
_WORDS = pd.Index(CONFIDENCE_ORDER, dtype=object)


def weakest(confidences: list[str] | pd.Series) -> str:
    """The weakest of several confidences (``seen`` when there is none)."""
    ranks = [CONFIDENCE_ORDER.index(str(one)) for one in confidences]
    return CONFIDENCE_ORDER[max(ranks, default=0)]


def confidence_ranks(words: pd.Series | NDArray[np.object_]) -> NDArray[np.int64]:
    """Position of each confidence in :data:`CONFIDENCE_ORDER` (0 the strongest), same shape."""
    values = np.asarray(words, dtype=object)
    ranks = _WORDS.get_indexer(pd.Index(values.ravel(), dtype=object))
    return np.where(ranks < 0, len(CONFIDENCE_ORDER) - 1, ranks).astype(np.int64).reshape(values.shape)


def confidence_words(ranks: NDArray[np.int64]) -> NDArray[np.object_]:
    """The confidence at each rank, same shape."""
    return np.array(CONFIDENCE_ORDER, dtype=object)[ranks]


def sum_by(frame: pd.DataFrame, keys: list[str], value: str) -> pd.DataFrame:
    """Sum ``value`` by ``keys``, with the weakest confidence of each group."""
    work = frame[[*keys, value]].assign(_rank=confidence_ranks(frame["confidence"]))
    out = work.groupby(keys, as_index=False, sort=True).agg({value: "sum", "_rank": "max"})
    out["confidence"] = confidence_words(out.pop("_rank").to_numpy(np.int64))
    return out


@dataclass(frozen=True)
class Series:
    """A driver over the years of a plan: values (one per year), unit and confidence.

    ``confidence`` holds one word per year: that of the weakest row the year's value rests
    on; a value carried beyond the last row is ``assumed``.
    """

    name: str
    years: NDArray[np.int64]
    values: FloatArray
    unit: str
    confidence: NDArray[np.object_]
    source_ids: tuple[str, ...]


@dataclass(frozen=True)
class _Rows:
    """The rows of one driver in one region, by year; ``ends`` are value, low and high, blank as NaN."""

    years: FloatArray
    ends: dict[str, FloatArray]
    units: NDArray[np.object_]
    currency_years: FloatArray
    ranks: NDArray[np.int64]
    source_ids: NDArray[np.object_]


def _groups(table: pd.DataFrame) -> dict[tuple[str, str], _Rows]:
    """Rows of each driver and region that have a year and a value."""
    table = table[table["year"].notna() & table["value"].notna()]
    table = table.sort_values(["driver", "region", "year"], kind="stable")
    columns = {name: table[name].to_numpy(float) for name in ("year", "low", "value", "high")}
    currency = np.asarray(table["currency_year"].to_numpy(float, na_value=np.nan), dtype=np.float64)
    units, sources = table["unit"].to_numpy(object), table["source_id"].to_numpy(object)
    ranks = confidence_ranks(table["confidence"])
    names, regions = table["driver"].to_numpy(object), table["region"].to_numpy(object)
    starts = np.flatnonzero((names[1:] != names[:-1]) | (regions[1:] != regions[:-1])) + 1
    found = {}
    for at in np.split(np.arange(len(table)), starts) if len(table) else []:
        ends = {name: columns[name][at] for name in ("low", "value", "high")}
        rows = _Rows(columns["year"][at], ends, units[at], currency[at], ranks[at], sources[at])
        found[str(names[at[0]]), str(regions[at[0]])] = rows
    return found


class Drivers:
    """The hub's drivers under one scenario's choices, as arrays over ``years``."""

    def __init__(
        self,
        hub: Hub,
        scenario: Scenario,
        years: NDArray[np.int64],
        region: str = "",
        groups: dict[tuple[str, str], _Rows] | None = None,
    ) -> None:
        self.hub = hub
        self.scenario = scenario
        self.years = years
        self.region = region
        self._groups = _groups(hub.tables["drivers"]) if groups is None else groups
        self._regions: dict[str, Drivers] = {region: self}
        self._cache: dict[tuple[str, str], Series] = {}

    def for_region(self, region: str) -> Drivers:
        """The same drivers where the rows of ``region`` go before those of the whole hub."""
        if region not in self._regions:
            self._regions[region] = Drivers(self.hub, self.scenario, self.years, region, self._groups)
            self._regions[region]._regions = self._regions
        return self._regions[region]

    def _rows(self, name: str) -> _Rows | None:
        own = self._groups.get((name, self.region))
        return self._groups.get((name, "")) if own is None else own

    @property
    def read(self) -> frozenset[str]:
        """Names of the drivers whose rows were read so far, of any region."""
        asked = {name for one in self._regions.values() for name, _ in one._cache}
        return frozenset(self.scenario.driver_choice(name).use or name for name in asked)

    def has(self, name: str) -> bool:
        """Whether the hub has rows for ``name``."""
        return self._rows(name) is not None

    def series(self, name: str, unit: str = "") -> Series:
        """The driver ``name`` in ``unit`` (its own unit, with money in dollars, when empty).

        Raises ``KeyError`` when the hub has no such driver.
        """
        key = (name, unit)
        if key not in self._cache:
            self._cache[key] = self._build(name, unit)
        return self._cache[key]

    def index(self, name: str, base_year: int) -> Series:
        """The driver divided by its value in ``base_year`` (1 throughout when it is empty).

        A scenario's ``scale`` moves the years after ``base_year``, which itself stays 1. A
        driver that the hub does not have is constant and ``assumed``.
        """
        if not name or not self.has(name):
            ones = np.ones(len(self.years))
            assumed = np.full(len(self.years), "assumed", dtype=object)
            return Series(name, self.years, ones, "1", assumed, ())
        series = self.series(name)
        base = float(np.interp(base_year, self.years, series.values))
        values = series.values / base if base > 0 else np.ones(len(self.years))
        scale = self.scenario.driver_choice(name).scale
        values = np.where(self.years > base_year, values * scale, values)
        return Series(name, self.years, values, "1", series.confidence, series.source_ids)

    def _build(self, name: str, unit: str) -> Series:
        choice = self.scenario.driver_choice(name)
        found = self._rows(choice.use) if choice.use else None
        rows = self._rows(name) if found is None else found
        if rows is None:
            raise KeyError(name)
        values = rows.ends["value"]
        if choice.range != "value":
            end = rows.ends[choice.range]
            values = np.where(np.isnan(end), values, end)
        values = values * self._scale(rows, unit) * choice.scale
        at, ranks = rows.years + choice.delay_years, rows.ranks
        after = np.clip(np.searchsorted(at, self.years, side="left"), 0, len(at) - 1)
        before = np.clip(np.searchsorted(at, self.years, side="right") - 1, 0, len(at) - 1)
        rank = np.maximum(ranks[after], ranks[before])
        rank = np.where(self.years > at[-1], len(CONFIDENCE_ORDER) - 1, rank)
        return Series(
            name,
            self.years,
            np.interp(self.years, at, values),
            unit or in_dollars(str(rows.units[0])),
            confidence_words(rank),
            tuple(sorted(set(rows.source_ids))),
        )

    def _scale(self, rows: _Rows, unit: str) -> FloatArray:
        """What turns each row's own unit and price year into ``unit`` (empty: the first row's) and ours."""
        index = self.hub.library.price_index
        target = unit or in_dollars(str(rows.units[0]))
        scales = np.ones(len(rows.years))
        for position, text in enumerate(rows.units):
            currency = currency_of(str(text))
            if currency:
                own = rows.currency_years[position]
                year = min(int(rows.years[position] if np.isnan(own) else own), index.last_year())
                scales[position] = index.to_dollars(currency, year, self.scenario.price_year)
            scales[position] *= factor(in_dollars(str(text)), target)
        return scales
