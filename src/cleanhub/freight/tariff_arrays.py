"""A tariff as arrays by month, kind of day and hour, and what months and days of a year weigh.

Arrays of prices have the shape (12, 2, 24): months, :data:`DAYS`, hours. Seasons are two,
June to September and the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MONTHS, DAYS, HOURS = 12, ("weekday", "weekend"), 24
HOURS_OF_MONTH = 365 * 24 / 12
SEASONS = ("summer", "winter")
SUMMER = np.arange(5, 9)
SEASON_MONTHS = np.array([4.0, 8.0])
"""Months of each season: June to September, and the rest."""
DAYS_OF_MONTH = 365.0 / 12.0 * np.array([5.0, 2.0]) / 7.0
"""Weekdays and weekend days of a mean month."""


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
    gaps: tuple[str, ...] = ()

    @property
    def usd_per_kw_month(self) -> float:
        """Demand charges of a load that is even over all hours, mean of the year [USD/kW/month]."""
        return float(sum(charge.usd_per_kw.mean() for charge in self.demand))

    @property
    def mean_energy(self) -> float:
        """Energy price of a load that is even over the year [USD/kWh]; five days in seven are weekdays."""
        return float(self.energy.mean(axis=(0, 2)) @ np.array([5.0, 2.0]) / 7.0)


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
