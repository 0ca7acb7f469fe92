"""Hour by hour charging of many sites at least cost: a linear programme over a typical year.

The year is two seasons by two kinds of day (:data:`~cleanhub.freight.tariffs.SEASONS`,
:data:`~cleanhub.freight.tariff_arrays.DAYS`), each of 24 hours that follow on each other. Trucks come in
windows: energy that must be taken between an arrival and a departure, at no more than a power. The
programme chooses when, pays the tariff's energy prices and its demand charges on the monthly
peak, may build panels and storage, and keeps the power of plugs and substations:

    min   sum days (price + carbon price x intensity) grid + sum months demand x peak + solar and storage
    s.t.  each window's energy taken inside it;  grid + solar + discharge = charging + storing
          charging <= plugs;  peak >= grid;  storage balanced over each day;  grid <= substation

Sites that share no substation limit are solved apart. Nothing is exported; panels may be curtailed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.freight.charging_cost import hours_open
from cleanhub.freight.charging_model import SHAPE, Inputs, solve_sites
from cleanhub.freight.figures import Figures
from cleanhub.freight.problem import FloatArray, IntArray
from cleanhub.freight.site_power import SiteOptions, no_options
from cleanhub.freight.tariff_arrays import DAYS_OF_MONTH, HOURS, SEASON_MONTHS, Tariff, by_season, day_use
from cleanhub.freight.tariffs import Tariffs

FULL_SHARE = 1e-6
WAITS = (2.0, 6.0, 16.0)  # hours by which stays grow, one after the other, where there is no room


@dataclass(frozen=True)
class Windows:
    """Energy that trucks take on a mean working day, each shape (W,).

    ``site`` a position in the sites; ``kwh`` in all; ``start`` hour of arrival (0 to 24) and ``hours`` until
    departure, past midnight if need be; ``kw`` the most these trucks can take together.
    """

    site: IntArray
    kwh: FloatArray
    start: FloatArray
    hours: FloatArray
    kw: FloatArray


@dataclass(frozen=True)
class Schedule:
    """Charging of each site over the typical year.

    Arrays by site, season, kind of day and hour are (S, 2, 2, 24) in kW: ``charging`` at the plugs,
    ``grid`` from the grid. By site (S,): ``kwh_per_year`` charged, ``unserved_kwh`` per year that no plug
    or substation had room for, ``energy_usd``, ``demand_usd``, ``fixed_usd`` and ``equipment_usd`` (solar and
    storage) per year, ``co2_t`` per year, ``solar_kw`` and ``storage_kwh`` built.
    """

    charging: FloatArray
    grid: FloatArray
    unserved_kwh: FloatArray
    energy_usd: FloatArray
    demand_usd: FloatArray
    fixed_usd: FloatArray
    equipment_usd: FloatArray
    co2_t: FloatArray
    solar_kw: FloatArray
    storage_kwh: FloatArray
    kwh_per_year: FloatArray

    @property
    def peak_kw(self) -> FloatArray:
        """Largest grid load of the year, shape (S,) [kW]."""
        return np.asarray(self.grid.max(axis=(1, 2, 3)), dtype=np.float64)

    @property
    def usd_per_kwh(self) -> FloatArray:
        """Cost of a kWh charged, site capital aside, shape (S,) [USD/kWh]; NaN where nothing is charged."""
        usd = self.energy_usd + self.demand_usd + self.fixed_usd + self.equipment_usd
        sold = self.kwh_per_year
        out = np.full(len(sold), np.nan)
        np.divide(usd, sold, out=out, where=sold > 0)
        return out

    @property
    def highest_kw(self) -> FloatArray:
        """Largest grid load of each hour of the day, shape (S, 24) [kW]: what a utility plans for."""
        return np.asarray(self.grid.max(axis=(1, 2)), dtype=np.float64)


def schedule_charging(
    windows: Windows,
    plug_kw: FloatArray,
    tariffs: Tariffs,
    working_days: float,
    *,
    options: SiteOptions | None = None,
    carbon: FloatArray | None = None,
    carbon_price: float = 0.0,
    substation: IntArray | None = None,
    limit_kw: FloatArray | None = None,
) -> Schedule:
    """Charge at least cost.

    Parameters
    ----------
    windows
        Energy of a mean working day; a weekend day has the share that ``working_days`` leaves for it.
    plug_kw
        Power of all plugs of each site, shape (S,) [kW].
    tariffs
        Tariff of each site.
    working_days
        Mean working days a year [d].
    options
        Panels and storage that may be built; none if not given.
    carbon
        Intensity of grid power, shape (2, 2, 24) [t CO2/kWh]; 0 if not given.
    carbon_price
        Weight on that CO2 [USD/t]; it moves the hours and is not in the bill.
    substation, limit_kw
        Substation of each site (S,) and what each can serve (U,) [kW]; no limit if not given.

    Returns
    -------
    Schedule
        Energy that finds no room is ``unserved_kwh``; it is never charged outside its window.

    Raises
    ------
    InputError
        For windows that cannot be: unknown site, negative energy, no time, no power.
    """
    _check(windows, len(plug_kw))
    use = day_use(working_days)
    chosen = no_options(len(plug_kw)) if options is None else options
    intensity = np.zeros(SHAPE) if carbon is None else carbon
    inputs = Inputs(
        site=windows.site,
        kwh=windows.kwh[:, None] * use[None, :],
        most=hours_open(windows.start, windows.hours) * windows.kw[:, None],
        plug_kw=plug_kw,
        price=np.stack([by_season(t.energy) for t in tariffs.book])[tariffs.site] + carbon_price * intensity,
        demand=[_demand(t) for t in tariffs.book],
        tariff=tariffs.site,
        options=chosen,
        substation=np.arange(len(plug_kw)) if substation is None else substation,
        limit=np.full(len(plug_kw), np.inf) if limit_kw is None else limit_kw,
    )
    found = solve_sites(inputs)
    days = SEASON_MONTHS[:, None] * DAYS_OF_MONTH[None, :]
    unserved = np.einsum("skd,kd->s", found.unserved, days)
    equipment = found.solar * chosen.solar_usd + found.storage * chosen.storage_usd
    return _billed(
        found.charging, found.grid, tariffs, intensity, unserved, equipment, found.solar, found.storage
    )


def charge_at_once(
    windows: Windows,
    plug_kw: FloatArray,
    tariffs: Tariffs,
    working_days: float,
    *,
    carbon: FloatArray | None = None,
) -> Schedule:
    """Unmanaged charging, for comparison: every truck takes full power from its arrival on.

    Where plugs are short trucks wait their turn, if need be beyond their departure. Arguments as
    :func:`schedule_charging`; nothing is unserved unless plugs could not give it in a whole day.
    """
    _check(windows, len(plug_kw))
    sites = len(plug_kw)
    use = day_use(working_days)
    charging = np.zeros((sites, *SHAPE))
    lost = np.zeros((sites, *SHAPE[:2]))
    power = np.maximum(windows.kw, 1e-12)
    for d, share in enumerate(use):
        asked = hours_open(windows.start, windows.kwh * share / power) * windows.kw[:, None]
        wanted = np.zeros((sites, HOURS))
        np.add.at(wanted, windows.site, asked)
        got, left = _queued(wanted, plug_kw)
        charging[:, :, d] = got[:, None]
        lost[:, :, d] = left[:, None]
    days = SEASON_MONTHS[:, None] * DAYS_OF_MONTH[None, :]
    intensity = np.zeros(SHAPE) if carbon is None else carbon
    none = np.zeros(sites)
    unserved = np.einsum("skd,kd->s", lost, days)
    return _billed(charging, charging, tariffs, intensity, unserved, none, none, none)


def merge_windows(windows: Windows) -> Windows:
    """Windows rounded inwards to whole hours where they stay long enough, and like ones added up.

    A window shorter than two hours, or too short for its energy once rounded, keeps its bounds. The
    result has at most as many windows, and never offers more time.
    """
    first, last = np.ceil(windows.start), np.floor(windows.start + windows.hours)
    fits = (last - first >= 1) & ((last - first) * windows.kw >= windows.kwh) & (windows.hours >= 2)
    start = np.where(fits, np.mod(first, HOURS), windows.start)
    hours = np.where(fits, np.minimum(last - first, HOURS), windows.hours)
    key, where = np.unique(np.column_stack([windows.site, start, hours]), axis=0, return_inverse=True)
    where = where.ravel()

    def total(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(where, weights=values, minlength=len(key)), dtype=np.float64)

    return Windows(key[:, 0].astype(np.int64), total(windows.kwh), key[:, 1], key[:, 2], total(windows.kw))


def substation_load(load: FloatArray, substation: IntArray, count: int) -> FloatArray:
    """Load of substations, the sum of their sites: (S, ...) to (U, ...) [kW]."""
    out = np.zeros((count, *load.shape[1:]))
    np.add.at(out, substation, load)
    return out


def shape(
    windows: Windows,
    plug_kw: FloatArray,
    tariffs: Tariffs,
    figures: Figures,
    carbon: FloatArray | None = None,
    carbon_price: float = 0.0,
    *,
    may_wait: bool = False,
) -> tuple[FloatArray, FloatArray]:
    """Load of a working day and cost of a kWh, for the whole run of freight.

    Returns the largest grid load of each hour over the year, shape (S, 24) [kW], and the cost of a
    kWh with the site's running cost but without its capital, shape (S,) [USD/kWh], NaN where nothing
    is charged. With ``may_wait`` trucks of a site that has no room stay longer, up to a whole day.
    Raises ``InputError`` when energy finds no room at a site.
    """
    days = figures.value("working_days", "", "d/yr")
    asked = merge_windows(windows)
    found = schedule_charging(asked, plug_kw, tariffs, days, carbon=carbon, carbon_price=carbon_price)
    for longer in WAITS if may_wait else ():
        short = _short(found)
        if not short.any():
            break
        hours = np.where(short[asked.site], np.minimum(asked.hours + longer, HOURS), asked.hours)
        asked = replace(asked, hours=hours)
        found = schedule_charging(asked, plug_kw, tariffs, days, carbon=carbon, carbon_price=carbon_price)
    faults = FaultList()
    for site in np.flatnonzero(_short(found)):
        wanted = found.kwh_per_year[site] + found.unserved_kwh[site]
        faults.add(
            "charging",
            int(site),
            "kwh",
            what="energy that finds no room within its windows and plugs",
            found=f"{found.unserved_kwh[site]:.0f} kWh/yr of {wanted:.0f}",
        )
    faults.raise_if_any("charging schedule")
    return found.highest_kw, found.usd_per_kwh + figures.value("charging_running", "", "USD/kWh")


def _short(found: Schedule) -> NDArray[np.bool_]:
    """Sites at which energy finds no room, shape (S,)."""
    wanted = np.maximum(found.kwh_per_year + found.unserved_kwh, 1.0)
    return np.asarray(found.unserved_kwh > FULL_SHARE * wanted)


def bill(grid: FloatArray, tariffs: Tariffs) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Yearly energy, demand and customer charges of grid loads (S, 2, 2, 24), each shape (S,) [USD]."""
    energy, demand, fixed = (np.zeros(len(grid)) for _ in range(3))
    days = SEASON_MONTHS[:, None, None] * DAYS_OF_MONTH[None, :, None]
    for k, tariff in enumerate(tariffs.book):
        mine = np.flatnonzero(tariffs.site == k)
        energy[mine] = (grid[mine] * by_season(tariff.energy) * days).sum(axis=(1, 2, 3))
        for usd, counts in zip(*_demand(tariff), strict=True):
            monthly = np.where(counts, grid[mine], 0.0).max(axis=(2, 3), initial=0.0)
            demand[mine] += monthly @ (usd * SEASON_MONTHS)
        fixed[mine] = 12.0 * tariff.fixed
    return energy, demand, fixed


def _demand(tariff: Tariff) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Demand charges by season: (C, 2) [USD/kW/month], and the hours that count, (C, 2, 2, 24)."""
    usd = np.zeros((len(tariff.demand), 2))
    counts = np.zeros((len(tariff.demand), *SHAPE), dtype=bool)
    for c, charge in enumerate(tariff.demand):
        usd[c] = by_season(charge.usd_per_kw)
        counts[c] = by_season(charge.counts.astype(np.float64)) > 0
    return usd, counts


def _billed(
    charging: FloatArray,
    grid: FloatArray,
    tariffs: Tariffs,
    carbon: FloatArray,
    unserved: FloatArray,
    equipment: FloatArray,
    solar: FloatArray,
    storage: FloatArray,
) -> Schedule:
    energy, demand, fixed = bill(grid, tariffs)
    days = SEASON_MONTHS[:, None, None] * DAYS_OF_MONTH[None, :, None]
    sold = (charging * days).sum(axis=(1, 2, 3))
    return Schedule(
        charging=charging,
        grid=grid,
        unserved_kwh=unserved,
        energy_usd=energy,
        demand_usd=demand,
        fixed_usd=np.where(sold > 0, fixed, 0.0),
        equipment_usd=equipment,
        co2_t=(grid * carbon * days).sum(axis=(1, 2, 3)),
        solar_kw=solar,
        storage_kwh=storage,
        kwh_per_year=sold,
    )


def _queued(wanted: FloatArray, plug_kw: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Load (S, 24) when what finds no plug waits, and what is left after two days of it (S,)."""
    waiting = np.zeros(len(plug_kw))
    got = np.zeros_like(wanted)
    for hour in range(2 * HOURS):
        h = hour % HOURS
        asked = wanted[:, h] + waiting
        got[:, h] = np.minimum(asked, plug_kw)
        waiting = asked - got[:, h]
    left = np.where(wanted.sum(axis=1) > got.sum(axis=1), wanted.sum(axis=1) - got.sum(axis=1), 0.0)
    return got, left


def _check(windows: Windows, sites: int) -> None:
    faults = FaultList()
    wrong = {
        "site is unknown": (windows.site < 0) | (windows.site >= sites),
        "energy is not 0 kWh or more": ~(np.isfinite(windows.kwh) & (windows.kwh >= 0)),
        "no time between arrival and departure": ~(windows.hours > 0) & (windows.kwh > 0),
        "no power": ~(windows.kw > 0) & (windows.kwh > 0),
        "arrival is not an hour": ~np.isfinite(windows.start),
    }
    for what, where in wrong.items():
        for row in np.flatnonzero(where)[:20]:
            found = f"site {windows.site[row]}, {windows.kwh[row]:g} kWh"
            faults.add("charging windows", int(row), "window", what=what, found=found)
    faults.raise_if_any("charging windows")
