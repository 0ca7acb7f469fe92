"""Electricity tariffs as arrays by month, kind of day and hour, from the rows of a hub's ``tariffs.csv``.

A schedule has versions, one per year of effect. For a year the latest version that covers every
hour counts; newer rows that cover less still set its demand and customer charges. Published
versions go before recalled and assumed ones. Versions that are assumed steps of a phase-in wait
until the years after the last one for which a published row says that charges had not begun.
What the rows leave open is filled and listed in ``gaps``.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.core.money import currency_of, in_dollars
from cleanhub.core.units import factor
from cleanhub.freight.figures import Figures
from cleanhub.hub.package import Hub
from cleanhub.hub.series import CONFIDENCE_ORDER, Drivers, weakest

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

FILE = "tariffs.csv"
MONTHS, DAYS, HOURS = 12, ("weekday", "weekend"), 24
HOURS_OF_MONTH = 365 * 24 / 12
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
_MONTH = {name: k for k, name in enumerate(calendar.month_abbr[1:])}
_SPAN = re.compile(r"\((\w{3})-(\w{3})\)")
_HOURS = re.compile(r"(\d\d)-(\d\d)")
_SIZE = re.compile(r"(?:(\d+)-(\d+)|<=(\d+)|>(\d+)) ?kW")
_YEAR = re.compile(r"(?:19|20)\d\d")
_WHOLE_YEAR = {"", "all", "all year"}
_ALL_HOURS = {"", "all", "all-hours average", "average", "maximum"}


@dataclass(frozen=True)
class Demand:
    """A charge on the largest load of each month in the hours it counts.

    ``usd_per_kw`` (12,) by month [USD/kW/month], ``counts`` (12, 2, 24) the hours; all hours: a
    facilities charge or a subscription.
    """

    name: str
    usd_per_kw: FloatArray
    counts: BoolArray


@dataclass(frozen=True)
class Tariff:
    """A tariff of one year, in dollars of the figures' price year.

    ``energy`` (12, 2, 24) by month, kind of day (:data:`DAYS`) and hour [USD/kWh]; ``demand`` charges;
    ``fixed`` [USD/month]; ``effective`` year of the version in use and ``confidence`` its weakest
    row; ``least_kw`` to ``most_kw`` the size of site it is for; ``gaps`` what the rows left open.
    """

    utility: str
    schedule: str
    effective: int
    energy: FloatArray
    demand: tuple[Demand, ...]
    fixed: float
    confidence: str
    least_kw: float = 0.0
    most_kw: float = np.inf
    sources: tuple[str, ...] = ()
    gaps: tuple[str, ...] = field(default=())

    @property
    def usd_per_kw_month(self) -> float:
        """Demand charges of a load that is even over all hours, mean of the year [USD/kW/month]."""
        return float(sum(charge.usd_per_kw.mean() for charge in self.demand))

    @property
    def mean_energy(self) -> float:
        """Energy price of a load that is even over the year [USD/kWh]; five days in seven are weekdays."""
        return float(self.energy.mean(axis=(0, 2)) @ np.array([5.0, 2.0]) / 7.0)


def tariff_for(
    hub: Hub,
    utility: str,
    site_kw: float,
    year: int,
    figures: Figures,
    drivers: Drivers | None = None,
    schedule: str = "",
) -> Tariff:
    """The tariff of a site of ``site_kw`` in a ``year``: its utility's default, or a named ``schedule``.

    The default is the schedule for sites of that size whose best version is the best known, then
    the newest. A utility without rows has a flat price (:func:`flat_tariff`), said so in ``gaps``.

    Raises
    ------
    InputError
        For a schedule that the utility does not have, or rows that cannot be read.
    """
    book = {t.schedule: t for t in _schedules(hub, utility, year, figures)}
    if schedule:
        if schedule not in book:
            faults = FaultList()
            allowed = ", ".join(book) or "there is none"
            faults.add(
                FILE, None, "schedule", what=f"no such schedule of {utility}", found=schedule, allowed=allowed
            )
            faults.raise_if_any("tariffs")
        return book[schedule].tariff
    fit = [one for one in book.values() if one.tariff.least_kw < max(site_kw, 1e-9) <= one.tariff.most_kw]
    if not fit:
        return flat_tariff(utility, year, figures, drivers)
    return min(fit, key=lambda one: (one.rank, -one.newest, one.schedule)).tariff


def list_schedules(hub: Hub, utility: str, year: int, figures: Figures) -> list[Tariff]:
    """Every schedule of a utility that covers the whole year, in the order of the file."""
    return [one.tariff for one in _schedules(hub, utility, year, figures)]


def flat_tariff(utility: str, year: int, figures: Figures, drivers: Drivers | None) -> Tariff:
    """A flat price with a demand charge, for hubs and utilities without tariffs.

    The mean price is the driver ``price_electricity_trucking``, else
    ``price_electricity_industrial``, else the row ``charging_energy_price`` of public sites; the row
    ``demand_charge`` is taken out of it at the load factor ``tariff_load_factor``, so that a
    site with that load factor pays the mean price.
    """
    mean, where = _mean_price(year, figures, drivers)
    charge = figures.value("demand_charge", "", "USD/kW/month")
    load = figures.value("tariff_load_factor")
    charge = min(charge, mean * HOURS_OF_MONTH * load)
    energy = mean - charge / (HOURS_OF_MONTH * load)
    shape = (MONTHS, len(DAYS), HOURS)
    demand = Demand("demand", np.full(MONTHS, charge), np.ones(shape, dtype=bool))
    gap = f"{utility or 'no utility'}: no tariff rows; flat {mean:.3f} USD/kWh from {where}, demand assumed"
    return Tariff(
        utility, "flat", year, np.full(shape, energy), (demand,), 0.0, "assumed", sources=(), gaps=(gap,)
    )


def _mean_price(year: int, figures: Figures, drivers: Drivers | None) -> tuple[float, str]:
    for name in ("price_electricity_trucking", "price_electricity_industrial"):
        if drivers is not None and drivers.has(name):
            series = drivers.series(name, "USD/kWh")
            return float(np.interp(year, series.years, series.values)), name
    return figures.value("charging_energy_price", "public", "USD/kWh"), "charging_energy_price"


# ---------------------------------------------------------------- many sites


@dataclass(frozen=True)
class Tariffs:
    """Tariffs of many sites: ``book`` holds each once, ``site`` (S,) says which is whose."""

    book: tuple[Tariff, ...]
    site: IntArray

    @property
    def gaps(self) -> tuple[str, ...]:
        """What the tariffs in use leave open, each once."""
        return tuple(dict.fromkeys(gap for tariff in self.book for gap in tariff.gaps))


def tariffs_for(
    hub: Hub,
    utility: NDArray[np.object_],
    site_kw: FloatArray,
    year: int,
    figures: Figures,
    drivers: Drivers | None = None,
) -> Tariffs:
    """The default tariff of each site, from its utility (S,) and its largest load (S,) [kW]."""
    names = np.asarray(utility, dtype=object)
    book: list[Tariff] = []
    site = np.full(len(names), -1, dtype=np.int64)
    for name in sorted(set(names)):
        mine = np.flatnonzero(names == name)
        known = _schedules(hub, str(name), year, figures)
        flat = flat_tariff(str(name), year, figures, drivers)
        fitting = np.column_stack(
            [(one.tariff.least_kw < site_kw[mine]) & (site_kw[mine] <= one.tariff.most_kw) for one in known]
            + [np.ones(len(mine), dtype=bool)]
        )
        order = sorted(range(len(known)), key=lambda k: (known[k].rank, -known[k].newest, known[k].schedule))
        order.append(len(known))
        best = np.argmax(fitting[:, order], axis=1)
        for place in np.unique(best):
            k = order[int(place)]
            site[mine[best == place]] = len(book)
            book.append(known[k].tariff if k < len(known) else flat)
    return Tariffs(tuple(book), site)


# ---------------------------------------------------------------- reading the rows


@dataclass(frozen=True)
class _Version:
    """Rows of one schedule from one year of effect."""

    year: int
    confidence: str
    rows: pd.DataFrame


@dataclass(frozen=True)
class _Known:
    """A schedule in a year, with what ranks it.

    ``rank`` is that of its best version's confidence, behind all others when its prices are stale;
    ``newest`` the year of the version in use.
    """

    schedule: str
    rank: int
    newest: int
    tariff: Tariff


def _schedules(hub: Hub, utility: str, year: int, figures: Figures) -> list[_Known]:
    """Schedules of a utility that have a version for all hours."""
    table = hub.tables["tariffs"]
    rows = table[(table["utility"] == utility) & table["value"].notna()]
    if rows.empty:
        return []
    key = ("tariffs", utility, year, figures.end, figures.price_year, hub.name, len(table))
    kept = hub.library.kept.get(key)
    if isinstance(kept, tuple) and kept[0] is table:
        return list(kept[1])
    read = _Reader(figures)
    found: list[_Known] = []
    seen_until = _charges_begin_after(rows)
    newest = max((v.year for v in _versions(table)), default=0)
    stale = newest - int(figures.value("tariff_age_most", "", "yr"))
    for code in dict.fromkeys(_code(name) for name in rows["schedule"]):
        mine = rows[[_code(name) == code for name in rows["schedule"]]]
        one = _schedule(utility, code, mine, year, seen_until, stale, read)
        if one is not None:
            found.append(one)
    read.faults.raise_if_any("tariffs")
    hub.library.kept[key] = (table, tuple(found))
    return found


def _schedule(
    utility: str, code: str, rows: pd.DataFrame, year: int, seen_until: int, stale: int, read: _Reader
) -> _Known | None:
    """One schedule in a year; ``None`` when no version covers every hour."""
    versions = _versions(rows)
    whole = [v for v in versions if read.covers(v.rows)]
    if not whole:
        return None
    whole = _phased_in(whole, seen_until)
    usable = [v for v in whole if v.year <= year] or whole[:1]
    chosen = usable[-1]
    tariff = read.tariff(utility, code, chosen)
    newer = [v for v in versions if chosen.year < v.year <= year and v.confidence == "seen"]
    for version in newer:
        if all(version.rows is not one.rows for one in whole):
            tariff = read.amended(tariff, version)
    best = min(CONFIDENCE_ORDER.index(v.confidence) for v in whole)
    best += len(CONFIDENCE_ORDER) * (chosen.year < stale)
    return _Known(code, best, chosen.year, tariff)


def _code(schedule: str) -> str:
    """Name of a schedule without its sizes: ``TOU-EV-8``, ``TOU-8 Option D (secondary)``."""
    name, _, inside = str(schedule).partition(" (")
    parts = [part.strip() for part in inside.removesuffix(")").split(",")]
    kept = ", ".join(part for part in parts if part and not _SIZE.search(part))
    return f"{name} ({kept})" if kept else name


def _versions(rows: pd.DataFrame) -> list[_Version]:
    """Versions of a schedule, the oldest first; of one year the published rows come last."""
    out: list[_Version] = []
    years = [int(match[0]) if (match := _YEAR.search(str(text))) else 0 for text in rows["effective"]]
    assumed = rows["confidence"] == "assumed"
    groups = np.array(years) * 2 + ~assumed.to_numpy()
    for group in np.unique(groups):
        mine = rows[groups == group]
        out.append(_Version(int(group) // 2, weakest(mine["confidence"]), mine))
    return out


def _charges_begin_after(rows: pd.DataFrame) -> int:
    """Last year for which a published row says that a demand charge is zero (0: none)."""
    zero = rows[rows["component"].isin(DEMAND) & (rows["value"] == 0) & (rows["confidence"] == "seen")]
    return max((int(match[0]) for text in zero["effective"] if (match := _YEAR.search(str(text)))), default=0)


def _phased_in(versions: list[_Version], seen_until: int) -> list[_Version]:
    """Assumed steps of a phase-in, moved behind the last year in which charges had not begun."""
    known = [v for v in versions if v.confidence != "assumed"]
    steps = [v for v in versions if v.confidence == "assumed"]
    if not known or not steps:
        return versions
    late = max(0, seen_until + 1 - steps[0].year)
    return known + [replace(v, year=v.year + late) for v in steps]


class _Reader:
    """Reads rows into arrays, in dollars of the price year."""

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.faults = FaultList()

    def covers(self, rows: pd.DataFrame) -> bool:
        """Whether energy rows set a price for every hour, adjustments included."""
        energy = rows[rows["component"].isin(ENERGY)]
        if (energy["component"] == BASE).any() and not rows["component"].isin(ADDED).any():
            return False
        return bool(len(energy)) and not np.isnan(self._fill(energy)).any()

    def tariff(self, utility: str, code: str, version: _Version) -> Tariff:
        """One version as a tariff."""
        rows = version.rows
        energy = self._fill(rows[rows["component"].isin(ENERGY)])
        for line, row in rows[rows["component"].isin(ADDED)].iterrows():
            energy = energy + self._amount(row, line, "USD/kWh")
        low, high = _sizes(str(rows["schedule"].iloc[0]))
        gaps = [f"{code}: prices of {version.year}, {version.confidence}"] if version.year else []
        if (rows["component"] == ALL_IN).any():
            gaps.append(f"{code}: one mean price that includes demand charges")
        return Tariff(
            utility=utility,
            schedule=code,
            effective=version.year,
            energy=energy,
            demand=self._demand(rows),
            fixed=self._fixed(rows),
            confidence=version.confidence,
            least_kw=low,
            most_kw=high,
            sources=tuple(sorted(set(rows["source_id"]))),
            gaps=tuple(gaps),
        )

    def amended(self, tariff: Tariff, version: _Version) -> Tariff:
        """The tariff with the demand and customer charges of newer rows that do not cover all hours."""
        rows = version.rows
        out = tariff
        if rows["component"].isin(DEMAND).any():
            out = replace(out, demand=self._demand(rows))
        if rows["component"].isin(FIXED).any():
            out = replace(out, fixed=self._fixed(rows))
        if rows["component"].isin(ENERGY).any():
            gap = (
                f"{tariff.schedule}: energy prices of {version.year} do not cover every hour and are not used"
            )
            out = replace(out, gaps=(*out.gaps, gap))
        return out

    def _fill(self, rows: pd.DataFrame) -> FloatArray:
        """Energy price by month, day and hour; NaN where no row says. Rows for the rest come last."""
        out = np.full((MONTHS, len(DAYS), HOURS), np.nan)
        weight = np.zeros_like(out)
        total = np.zeros_like(out)
        rest = [_is_rest(row) for _, row in rows.iterrows()]
        for (line, row), others in zip(rows.iterrows(), rest, strict=True):
            where = _where(row)
            if not others and where is not None:
                total[where] += self._amount(row, line, "USD/kWh")
                weight[where] += 1.0
        np.divide(total, weight, out=out, where=weight > 0)
        for (line, row), others in zip(rows.iterrows(), rest, strict=True):
            months = _months(str(row["season"]))
            if others and months is not None:
                block = out[months]
                out[months] = np.where(np.isnan(block), self._amount(row, line, "USD/kWh"), block)
        return out

    def _demand(self, rows: pd.DataFrame) -> tuple[Demand, ...]:
        charges: list[Demand] = []
        for line, row in rows[rows["component"].isin(DEMAND)].iterrows():
            amount = self._amount(row, line, "USD/kW/month")
            months, where = _months(str(row["season"])), _where(row)
            if amount > 0 and months is not None and where is not None:
                counts = np.zeros((MONTHS, len(DAYS), HOURS), dtype=bool)
                counts[where] = True
                usd = np.zeros(MONTHS)
                usd[months] = amount
                charges.append(Demand(str(row["component"]), usd, counts))
        return tuple(charges)

    def _fixed(self, rows: pd.DataFrame) -> float:
        fixed = rows[rows["component"].isin(FIXED)]
        return float(sum(self._amount(row, line, "USD/month") for line, row in fixed.iterrows()))

    def _amount(self, row: pd.Series, line: object, target: str) -> float:
        end = row[self.figures.end]
        value = float(row["value"] if pd.isna(end) else end)
        unit = str(row["unit"])
        currency = currency_of(unit)
        if currency:
            price_year = self.figures.price_year
            year = int(row["currency_year"]) if pd.notna(row["currency_year"]) else price_year
            value *= self.figures.index.to_dollars(
                currency, min(year, self.figures.index.last_year()), price_year
            )
        try:
            return value * factor(in_dollars(unit), target)
        except ValueError:
            what = f"unit does not fit {row['component']}"
            self.faults.add(FILE, int(str(line)), "unit", what=what, found=unit, allowed=target)
            return 0.0


def _is_rest(row: pd.Series) -> bool:
    """Whether a row stands for the hours that no other row of its season names."""
    return str(row["hours"]) == "other" or ";" in str(row["days"])


def _where(row: pd.Series) -> tuple[NDArray[np.intp], ...] | None:
    """Cells of a row, as an index into (12, 2, 24); ``None`` when it does not say which."""
    months = _months(str(row["season"]))
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


# ---------------------------------------------------------------- seasons and days

SEASONS = ("summer", "winter")
SUMMER = np.arange(5, 9)
SEASON_MONTHS = np.array([4.0, 8.0])
"""Months of each season: June to September, and the rest."""
DAYS_OF_MONTH = 365.0 / 12.0 * np.array([5.0, 2.0]) / 7.0
"""Weekdays and weekend days of a mean month."""


def by_season(months: FloatArray) -> FloatArray:
    """Means over the months of each season: (12, ...) to (2, ...), in the order of :data:`SEASONS`."""
    summer = np.zeros(MONTHS, dtype=bool)
    summer[SUMMER] = True
    return np.stack([months[summer].mean(axis=0), months[~summer].mean(axis=0)])


def day_use(working_days: float) -> FloatArray:
    """Use of a weekday and of a weekend day, in mean working days, shape (2,) [-].

    The year's ``working_days`` [d/yr] fall on weekdays first; what is more goes to weekends.
    """
    weekdays, weekends = 12.0 * DAYS_OF_MONTH
    weekday = min(working_days / weekdays, 1.0) if working_days <= weekdays + weekends else 1.0
    return np.array([weekday, max(working_days - weekdays, 0.0) / weekends])
