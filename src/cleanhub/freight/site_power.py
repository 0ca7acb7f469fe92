"""Power at charging sites that is not bought: panels and storage; and the carbon of what is bought."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList, InputError
from cleanhub.finance.annuity import capital_recovery_factor
from cleanhub.freight.figures import Figures
from cleanhub.freight.tariff_arrays import HOURS, SEASONS
from cleanhub.hub.package import Hub
from cleanhub.hub.series import Drivers

FloatArray = NDArray[np.float64]

GRID_FILE = "grid_hourly.parquet"
SERVED = "served_2021"
"""Basis of the hourly grid that includes imports and runs on clock time."""
HALF_HOURS = 0.5


@dataclass(frozen=True)
class SiteOptions:
    """What each site may build beside its plugs.

    ``solar_most`` (S,) [kW] and ``storage_most`` (S,) [kWh]; ``solar_usd`` and ``storage_usd`` a year of each
    kW and kWh; ``solar_yield`` (2, 24) kWh per kW by season and hour; ``efficiency`` round trip and
    ``storage_hours`` energy over power.
    """

    solar_most: FloatArray
    storage_most: FloatArray
    solar_usd: float = 0.0
    storage_usd: float = 0.0
    solar_yield: FloatArray | None = None
    efficiency: float = 1.0
    storage_hours: float = 4.0


def no_options(sites: int) -> SiteOptions:
    """Nothing may be built."""
    return SiteOptions(np.zeros(sites), np.zeros(sites))


def site_options(
    solar_most: FloatArray, storage_most: FloatArray, figures: Figures, rate: float
) -> SiteOptions:
    """Options with the figures' cost, yield and efficiency; capital is recovered at ``rate``."""

    def yearly(kind: str, unit: str) -> float:
        recovery = float(capital_recovery_factor(rate, figures.value(f"{kind}_life", "", "yr")))
        return figures.value(f"{kind}_capital", "", unit) * (
            recovery + figures.value(f"{kind}_upkeep", "", "1/yr")
        )

    return SiteOptions(
        solar_most=solar_most,
        storage_most=storage_most,
        solar_usd=yearly("solar", "USD/kW"),
        storage_usd=yearly("storage", "USD/kWh"),
        solar_yield=solar_yield(figures),
        efficiency=figures.value("storage_efficiency"),
        storage_hours=figures.value("storage_hours", "", "h"),
    )


def solar_yield(figures: Figures) -> FloatArray:
    """Output of a kW of panels by season and hour, shape (2, 24) [kW]: half a sine over daylight.

    It sums to the row ``solar_yield`` of each season.
    """
    hour = np.arange(HOURS) + HALF_HOURS
    out = np.zeros((len(SEASONS), HOURS))
    for k, season in enumerate(SEASONS):
        noon, light = figures.value("solar_noon", season, "h"), figures.value("day_length", season, "h")
        angle = (hour - noon) / light
        bright = np.where(np.abs(angle) < HALF_HOURS, np.cos(np.pi * angle), 0.0)
        out[k] = bright / bright.sum() * figures.value("solar_yield", season, "h")
    return out


def grid_carbon(hub: Hub, year: int, drivers: Drivers | None = None) -> FloatArray:
    """Intensity of grid power by season, kind of day and hour, shape (2, 2, 24) [t CO2/kWh].

    The shape is that of the hub's hourly grid as served; its level moves with the driver
    ``grid_emission_factor`` from the year of the hours to ``year``. Without hours the driver is flat, without
    both it is 0.
    """
    path = hub.path / GRID_FILE
    level = (
        drivers.series("grid_emission_factor", "t/kWh")
        if drivers and drivers.has("grid_emission_factor")
        else None
    )
    now = 0.0 if level is None else float(np.interp(year, level.years, level.values))
    if not path.is_file():
        return np.full((2, 2, HOURS), now)
    hours = _hours(str(path))
    if level is None:
        return hours
    return np.asarray(hours / hours.mean() * now if hours.mean() > 0 else hours + now)


def _hours(path: str) -> FloatArray:
    """Mean intensity by season, kind of day and hour of the served basis [t/kWh]."""
    import duckdb  # slow to import, and plans do not read hours

    query = (
        "select year, hour_of_year, carbon_kg_per_mwh from read_parquet(?) "
        "where basis = ? and carbon_kg_per_mwh is not null order by year, hour_of_year"
    )
    try:
        with duckdb.connect() as connection:
            rows = np.array(connection.execute(query, [path, SERVED]).fetchall(), dtype=np.float64)
    except duckdb.Error as error:
        faults = FaultList()
        found = str(error).split("\n")[0]
        faults.add(GRID_FILE, what="cannot be read", found=found, allowed="a Parquet file")
        raise InputError("hourly grid", faults.faults) from error
    if not len(rows):
        return np.zeros((2, 2, HOURS))
    hour_of_year = rows[:, 1].astype(np.int64)
    day = np.datetime64(f"{int(rows[0, 0])}-01-01") + hour_of_year // HOURS
    month = day.astype("datetime64[M]").astype(np.int64) % 12
    season = np.where((month >= 5) & (month < 9), 0, 1)
    weekend = 1 - np.is_busday(day).astype(np.int64)
    hour = hour_of_year % HOURS
    cell = np.ravel_multi_index((season, weekend, hour), (2, 2, HOURS))
    total = np.bincount(cell, weights=rows[:, 2], minlength=4 * HOURS)
    count = np.bincount(cell, minlength=4 * HOURS)
    return np.asarray((total / np.maximum(count, 1)).reshape(2, 2, HOURS) * 1e-6)
