"""Reading a hub's ``tariffs.csv``: schedules of a utility, their versions, and a version as a tariff.

A schedule has versions, one per year of effect, of which those that are assumed stand apart. A
version that sets a price for every hour is whole; the others can only amend one that is.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.core.money import currency_of, in_dollars
from cleanhub.core.units import factor
from cleanhub.freight.figures import Figures
from cleanhub.freight.tariff_arrays import DAYS, HOURS, MONTHS, Demand, FloatArray, Tariff
from cleanhub.hub.series import weakest

IntArray = NDArray[np.int64]

FILE = "tariffs.csv"
ENERGY = {"energy", "base energy", "energy incl. adjustments", "all-in average energy"}
ADDED = {"energy cost adjustment"}
BASE, ALL_IN = "base energy", "all-in average energy"
DEMAND = {
    "facilities demand",
    "demand",
    "time-related demand",
    "facilities charge",
    "electric subsidy adjustment",
    "reliability cost adjustment",
    "subscription",
    "demand (monthly+annual)",
}
FIXED = {"customer charge", "service charge"}
UNITS = {
    **dict.fromkeys(ENERGY | ADDED, "USD/kWh"),
    **dict.fromkeys(DEMAND, "USD/kW/month"),
    **dict.fromkeys(FIXED, "USD/month"),
}
_MONTH = {name: k for k, name in enumerate(calendar.month_abbr[1:])}
_SPAN = re.compile(r"\((\w{3})-(\w{3})\)")
_HOURS = re.compile(r"(\d\d)-(\d\d)")
_SIZE = re.compile(r"(?:(\d+)-(\d+)|<=(\d+)|>(\d+)) ?kW")
_YEAR = re.compile(r"(?:19|20)\d\d")
_WHOLE_YEAR = {"", "all", "all year"}
_ALL_HOURS = {"", "all", "all-hours average", "average", "maximum"}


@dataclass(frozen=True)
class TariffRow:
    """One row of the table.

    ``amount`` is in the unit of its component (:data:`UNITS`), in dollars of the price year; 0 for a
    component that no bill here has. ``months`` and ``where`` (an index into (12, 2, 24)) are ``None``
    where the row does not say which. ``rest``: it stands for the hours that no other row names.
    """

    schedule: str
    component: str
    year: int
    confidence: str
    amount: float
    months: IntArray | None
    where: tuple[NDArray[np.intp], ...] | None
    rest: bool


@dataclass(frozen=True)
class Version:
    """Rows of one schedule from one year of effect; ``year`` is 0 where they tell none."""

    year: int
    rows: tuple[TariffRow, ...]

    @cached_property
    def confidence(self) -> str:
        """The weakest of the rows."""
        return weakest([row.confidence for row in self.rows])

    def of(self, components: set[str]) -> list[TariffRow]:
        """Rows of these components."""
        return [row for row in self.rows if row.component in components]

    @cached_property
    def energy(self) -> FloatArray:
        """Energy price without adjustments, (12, 2, 24) [USD/kWh]; NaN where no row says."""
        out = np.full((MONTHS, len(DAYS), HOURS), np.nan)
        weight, total = np.zeros_like(out), np.zeros_like(out)
        rows = self.of(ENERGY)
        for row in rows:
            if not row.rest and row.where is not None:
                total[row.where] += row.amount
                weight[row.where] += 1.0
        np.divide(total, weight, out=out, where=weight > 0)
        for row in rows:
            if row.rest and row.months is not None:
                block = out[row.months]
                out[row.months] = np.where(np.isnan(block), row.amount, block)
        return out

    @cached_property
    def whole(self) -> bool:
        """Whether energy rows set a price for every hour, adjustments included."""
        if any(row.component == BASE for row in self.rows) and not self.of(ADDED):
            return False
        return not bool(np.isnan(self.energy).any())

    @cached_property
    def demand(self) -> tuple[Demand, ...]:
        """Charges on the largest load."""
        charges = []
        for row in self.of(DEMAND):
            if row.amount > 0 and row.months is not None and row.where is not None:
                counts = np.zeros((MONTHS, len(DAYS), HOURS), dtype=bool)
                counts[row.where] = True
                usd = np.zeros(MONTHS)
                usd[row.months] = row.amount
                charges.append(Demand(row.component, usd, counts))
        return tuple(charges)

    @property
    def fixed(self) -> float:
        """Charges on every customer [USD/month]."""
        return float(sum(row.amount for row in self.of(FIXED)))

    def tariff(self, utility: str, code: str) -> Tariff:
        """A whole version as a tariff."""
        low, high = _sizes(self.rows[0].schedule)
        gaps = [f"{code}: prices of {self.year}, {self.confidence}"] if self.year else []
        if self.of({ALL_IN}):
            gaps.append(f"{code}: one mean price that includes demand charges")
        return Tariff(
            utility=utility,
            schedule=code,
            effective=self.year,
            energy=self.energy + sum(row.amount for row in self.of(ADDED)),
            demand=self.demand,
            fixed=self.fixed,
            confidence=self.confidence,
            least_kw=low,
            most_kw=high,
            gaps=tuple(gaps),
        )

    def amending(self, tariff: Tariff) -> Tariff:
        """The tariff with the demand and customer charges of this newer version, which is not whole."""
        out = tariff
        if self.of(DEMAND):
            out = replace(out, demand=self.demand)
        if self.of(FIXED):
            out = replace(out, fixed=self.fixed)
        if self.of(ENERGY):
            gap = f"{tariff.schedule}: energy prices of {self.year} do not cover every hour and are not used"
            out = replace(out, gaps=(*out.gaps, gap))
        return out


@dataclass(frozen=True)
class Schedule:
    """A schedule of a utility with its versions, the oldest first.

    ``whole`` are those that set every hour, assumed steps of a phase-in moved behind the last year for
    which a published row says that charges had not begun; ``partial`` the published others.
    """

    code: str
    whole: tuple[Version, ...]
    partial: tuple[Version, ...]


def read_schedules(table: pd.DataFrame, utility: str, figures: Figures) -> list[Schedule]:
    """Schedules of a utility, money in dollars of the figures' price year at their end of the range.

    Raises :class:`~cleanhub.core.errors.InputError` listing every unit that does not fit.
    """
    mine = table[(table["utility"] == utility) & table["value"].notna()]
    faults = FaultList()
    lines = zip(mine.index, mine.to_dict("records"), strict=True)
    rows = [_row(line, row, figures, faults) for line, row in lines]
    faults.raise_if_any("tariffs")
    by_code: dict[str, list[TariffRow]] = {}
    for one in rows:
        by_code.setdefault(_code(one.schedule), []).append(one)
    zero = [r.year for r in rows if r.component in DEMAND and r.amount == 0 and r.confidence == "seen"]
    uncharged_until = max(zero, default=0)
    found = []
    for code, own in by_code.items():
        versions = _versions(own)
        partial = tuple(v for v in versions if not v.whole and v.confidence == "seen")
        found.append(Schedule(code, _phased_in([v for v in versions if v.whole], uncharged_until), partial))
    return found


def year_of(effective: object) -> int:
    """The year in the words of ``effective`` (``2025-06-01``); 0 where there is none."""
    match = _YEAR.search(str(effective))
    return int(match[0]) if match else 0


def _row(line: object, row: dict[Any, Any], figures: Figures, faults: FaultList) -> TariffRow:
    months = _months(str(row["season"]))
    return TariffRow(
        schedule=str(row["schedule"]),
        component=str(row["component"]),
        year=year_of(row["effective"]),
        confidence=str(row["confidence"]),
        amount=_amount(line, row, figures, faults),
        months=months,
        where=_where(row, months),
        rest=str(row["hours"]) == "other" or ";" in str(row["days"]),
    )


def _amount(line: object, row: dict[Any, Any], figures: Figures, faults: FaultList) -> float:
    target = UNITS.get(str(row["component"]))
    if target is None:
        return 0.0
    end = row[figures.end]
    value = float(row["value"] if pd.isna(end) else end)
    unit = str(row["unit"])
    currency = currency_of(unit)
    if currency:
        year = int(row["currency_year"]) if pd.notna(row["currency_year"]) else figures.price_year
        value *= figures.index.to_dollars(currency, min(year, figures.index.last_year()), figures.price_year)
    try:
        return value * factor(in_dollars(unit), target)
    except ValueError:
        what = f"unit does not fit {row['component']}"
        faults.add(FILE, int(str(line)), "unit", what=what, found=unit, allowed=target)
        return 0.0


def _code(schedule: str) -> str:
    """Name of a schedule without its sizes: ``TOU-EV-8``, ``TOU-8 Option D (secondary)``."""
    name, _, inside = schedule.partition(" (")
    parts = [part.strip() for part in inside.removesuffix(")").split(",")]
    kept = ", ".join(part for part in parts if part and not _SIZE.search(part))
    return f"{name} ({kept})" if kept else name


def _versions(rows: Sequence[TariffRow]) -> list[Version]:
    """Versions of a schedule, the oldest first; of one year the published rows come last."""
    groups: dict[tuple[int, bool], list[TariffRow]] = {}
    for row in rows:
        groups.setdefault((row.year, row.confidence != "assumed"), []).append(row)
    return [Version(key[0], tuple(groups[key])) for key in sorted(groups)]


def _phased_in(versions: list[Version], uncharged_until: int) -> tuple[Version, ...]:
    """Assumed steps of a phase-in, moved behind the last year in which charges had not begun."""
    known = [v for v in versions if v.confidence != "assumed"]
    steps = [v for v in versions if v.confidence == "assumed"]
    if not known or not steps:
        return tuple(versions)
    late = max(0, uncharged_until + 1 - steps[0].year)
    return (*known, *(replace(v, year=v.year + late) for v in steps))


def _where(row: dict[Any, Any], months: IntArray | None) -> tuple[NDArray[np.intp], ...] | None:
    """Cells of a row, as an index into (12, 2, 24); ``None`` when it does not say which."""
    named = str(row["period"]) not in _ALL_HOURS
    if months is None or (named and not str(row["hours"])):
        return None
    days = str(row["days"])
    which = [0] if days == "weekdays" else [1] if days.startswith("weekends") else [0, 1]
    spans = _HOURS.findall(str(row["hours"]))
    hours = np.arange(HOURS) if not spans else np.concatenate([np.arange(int(a), int(b)) for a, b in spans])
    return np.ix_(months, np.array(which), hours)


def _months(season: str) -> IntArray | None:
    """Months that a season names, the first 0; ``None`` when its name cannot be read."""
    match = _SPAN.search(season)
    if match is None or match[1] not in _MONTH or match[2] not in _MONTH:
        return np.arange(MONTHS) if season in _WHOLE_YEAR else None
    first, last = _MONTH[match[1]], _MONTH[match[2]]
    return np.asarray((np.arange((last - first) % MONTHS + 1) + first) % MONTHS)


def _sizes(schedule: str) -> tuple[float, float]:
    """Sizes of site that a schedule's name gives: above the first, up to the second [kW]."""
    match = _SIZE.search(schedule)
    if match is None:
        return 0.0, np.inf
    low, high, most, least = match.groups()
    if low:
        return float(low), float(high)
    return (0.0, float(most)) if most else (float(least), np.inf)
