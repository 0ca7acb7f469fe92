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


def _groups(table: pd.DataFrame) -> dict[tuple[str, str], pd.DataFrame]:
    """Rows of each driver and region."""
    return {(str(key[0]), str(key[1])): rows for key, rows in table.groupby(["driver", "region"], sort=False)}


class Drivers:
    """The hub's drivers under one scenario's choices, as arrays over ``years``."""

    def __init__(
        self,
        hub: Hub,
        scenario: Scenario,
        years: NDArray[np.int64],
        region: str = "",
        groups: dict[tuple[str, str], pd.DataFrame] | None = None,
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

    def _rows(self, name: str) -> pd.DataFrame | None:
        own = self._groups.get((name, self.region))
        return self._groups.get((name, "")) if own is None else own

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
        rows = rows[rows["year"].notna() & rows["value"].notna()].sort_values("year")
        if rows.empty:
            raise KeyError(name)
        values = rows["value"].to_numpy(float)
        if choice.range != "value":
            end = rows[choice.range].to_numpy(float)
            values = np.where(np.isnan(end), values, end)
        values = values * self._scale(rows, unit) * choice.scale
        at = rows["year"].to_numpy(float)
        ranks = confidence_ranks(rows["confidence"])
        after = np.clip(np.searchsorted(at, self.years, side="left"), 0, len(at) - 1)
        before = np.clip(np.searchsorted(at, self.years, side="right") - 1, 0, len(at) - 1)
        rank = np.maximum(ranks[after], ranks[before])
        rank = np.where(self.years > at[-1], len(CONFIDENCE_ORDER) - 1, rank)
        return Series(
            name,
            self.years,
            np.interp(self.years, at, values),
            unit or in_dollars(str(rows["unit"].iloc[0])),
            confidence_words(rank),
            tuple(sorted(set(rows["source_id"]))),
        )

    def _scale(self, rows: pd.DataFrame, unit: str) -> FloatArray:
        index = self.hub.library.price_index
        scales = np.ones(len(rows))
        units = rows["unit"].to_numpy(object)
        years = rows["currency_year"]
        for position, (text, own) in enumerate(zip(units, years, strict=True)):
            currency = currency_of(str(text))
            scale = 1.0
            if currency:
                year = int(own) if pd.notna(own) else int(rows["year"].iloc[position])
                scale = index.to_dollars(currency, min(year, index.last_year()), self.scenario.price_year)
            source = in_dollars(str(text))
            target = unit or in_dollars(str(units[0]))
            scales[position] = scale * factor(source, target)
        return scales
