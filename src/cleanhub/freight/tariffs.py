"""Which electricity tariff a site has in a year, from the schedules of its utility.

For a year the latest version of a schedule that covers every hour counts; newer published rows that
cover less still set its demand and customer charges. Published versions go before recalled and
assumed ones. Versions that are assumed steps of a phase-in wait until the years after the last one
for which a published row says that charges had not begun. What the rows leave open is filled
and listed in ``gaps``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.freight.figures import Figures
from cleanhub.freight.tariff_arrays import DAYS, HOURS, HOURS_OF_MONTH, MONTHS, Demand, FloatArray, Tariff
from cleanhub.freight.tariff_rows import Schedule, read_schedules, year_of
from cleanhub.hub.package import Hub
from cleanhub.hub.series import CONFIDENCE_ORDER, Drivers

IntArray = NDArray[np.int64]


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
    """The tariff of each site in a ``year``, from its utility (S,) and its largest load (S,) [kW].

    It is the schedule for sites of that size whose best version is the best known, then the newest.
    A utility without one has a flat price (:func:`flat_tariff`), said so in ``gaps``.

    Raises
    ------
    InputError
        For rows that cannot be read.
    """
    names = np.asarray(utility, dtype=object)
    book: list[Tariff] = []
    site = np.full(len(names), -1, dtype=np.int64)
    for name in sorted(set(names)):
        mine = np.flatnonzero(names == name)
        offered = ranked_tariffs(hub, str(name), year, figures)
        fitting = [(one.least_kw < site_kw[mine]) & (site_kw[mine] <= one.most_kw) for one in offered]
        best = np.argmax(np.column_stack([*fitting, np.ones(len(mine), dtype=bool)]), axis=1)
        offered.append(flat_tariff(str(name), year, figures, drivers))
        for place in np.unique(best):
            site[mine[best == place]] = len(book)
            book.append(offered[int(place)])
    return Tariffs(tuple(book), site)


def ranked_tariffs(hub: Hub, utility: str, year: int, figures: Figures) -> list[Tariff]:
    """Every schedule of a utility that covers all hours, as it is in a ``year``; the one to prefer first.

    Behind all others stand schedules whose prices are older than the row ``tariff_age_most`` allows,
    counted from the newest row of the hub.

    Raises
    ------
    InputError
        For rows that cannot be read.
    """
    table = hub.tables["tariffs"]
    newest = max((year_of(text) for text in table["effective"].unique()), default=0)
    stale = newest - int(figures.value("tariff_age_most", "", "yr"))
    found = []
    for schedule in _schedules(hub, utility, figures):
        if schedule.whole:
            chosen = ([v for v in schedule.whole if v.year <= year] or [schedule.whole[0]])[-1]
            tariff = chosen.tariff(utility, schedule.code)
            for version in schedule.partial:
                if chosen.year < version.year <= year:
                    tariff = version.amending(tariff)
            best = min(CONFIDENCE_ORDER.index(version.confidence) for version in schedule.whole)
            found.append(((chosen.year < stale, best, -chosen.year, schedule.code), tariff))
    return [tariff for _, tariff in sorted(found, key=lambda one: one[0])]


def _schedules(hub: Hub, utility: str, figures: Figures) -> list[Schedule]:
    """Schedules of a utility; read once for a table, an end of the range and a price year."""
    table, kept = hub.tables["tariffs"], hub.library.kept
    key = ("tariffs", utility, figures.end, figures.price_year, hub.name)
    before = kept.get(key)
    if isinstance(before, tuple) and before[0] is table:
        return list(before[1])
    found = read_schedules(table, utility, figures)
    kept[key] = (table, found)
    return found


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
    return Tariff(utility, "flat", year, np.full(shape, energy), (demand,), 0.0, "assumed", gaps=(gap,))


def _mean_price(year: int, figures: Figures, drivers: Drivers | None) -> tuple[float, str]:
    for name in ("price_electricity_trucking", "price_electricity_industrial"):
        if drivers is not None and drivers.has(name):
            series = drivers.series(name, "USD/kWh")
            return float(np.interp(year, series.years, series.values)), name
    return figures.value("charging_energy_price", "public", "USD/kWh"), "charging_energy_price"
