"""What a kWh costs at a charging site: before the sites are chosen, and with its capital after.

Before: the energy price of the hours in which the site would charge, the demand charge at an
expected load factor, the customer charge, and running cost. After: the same from the
schedule (:mod:`cleanhub.freight.charging_schedule`) plus the capital recovered over the plugs' life.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleanhub.freight.figures import Figures
from cleanhub.freight.tariff_arrays import DAYS_OF_MONTH, HOURS, Tariff, day_use
from cleanhub.freight.tariffs import Tariffs

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

POWERS = 6  # powers tried by a flexible site, from an even load to all it has


def hours_open(start: FloatArray, hours: FloatArray) -> FloatArray:
    """Share of each hour of the day in windows that begin at ``start`` and last ``hours``.

    Parameters
    ----------
    start
        Hour of the day, shape (W,) [h]; windows run past midnight.
    hours
        Length, shape (W,) [h]; from 24 on the whole day.

    Returns
    -------
    FloatArray
        Shape (W, 24) [-]; sums to the length, at most 24.
    """
    begin = np.mod(np.asarray(start, dtype=np.float64), HOURS)[:, None]
    length = np.clip(np.asarray(hours, dtype=np.float64), 0.0, HOURS)[:, None]
    hour = np.arange(2 * HOURS)
    inside = np.clip(np.minimum(begin + length, hour + 1.0) - np.maximum(begin, hour), 0.0, 1.0)
    return np.asarray(np.minimum(inside[:, :HOURS] + inside[:, HOURS:], 1.0), dtype=np.float64)


def hours_chosen(price: FloatArray, available: FloatArray, needed: FloatArray) -> FloatArray:
    """Share of each hour used when the cheapest available hours are filled first.

    Parameters
    ----------
    price
        Shape (..., 24).
    available
        Share of each hour that is open, shape (..., 24) [-].
    needed
        Hours at full power, shape (...) [h]; no more is used than is open.

    Returns
    -------
    FloatArray
        Shape (..., 24) [-].
    """
    price, available = np.broadcast_arrays(price, available)
    order = np.argsort(price, axis=-1, kind="stable")
    sorted_hours = np.take_along_axis(available, order, axis=-1)
    before = np.cumsum(sorted_hours, axis=-1) - sorted_hours
    used = np.clip(np.asarray(needed)[..., None] - before, 0.0, sorted_hours)
    out = np.empty(used.shape)
    np.put_along_axis(out, order, used, axis=-1)
    return out


def expected_usd_per_kwh(
    tariffs: Tariffs,
    available: FloatArray,
    hours_needed: FloatArray,
    flexible: BoolArray,
    kw: FloatArray,
    figures: Figures,
) -> FloatArray:
    """Cost of a kWh at each site before sites are chosen, shape (S,) [USD/kWh].

    Parameters
    ----------
    tariffs
        Tariff of each site.
    available
        Share of each hour in which trucks can charge there, shape (S, 24) [-].
    hours_needed
        Hours at full power that the expected energy of a working day takes, shape (S,) [h]: the load
        factor of a working day times 24.
    flexible
        Whether the site may fill its cheapest hours first, at the power that makes its bill least; else
        it charges evenly while open, shape (S,).
    kw
        Largest load, shape (S,) [kW]: what the customer charge is spread over.
    figures
        Rows ``working_days`` and ``charging_running``.

    Returns
    -------
    FloatArray
        Energy, demand and customer charges over the year's energy, and running cost. Without energy: NaN.
    """
    out = np.full(len(kw), np.nan)
    use = day_use(figures.value("working_days", "", "d/yr"))
    for k, tariff in enumerate(tariffs.book):
        mine = np.flatnonzero(tariffs.site == k)
        if len(mine):
            out[mine] = _expected(tariff, available[mine], hours_needed[mine], flexible[mine], kw[mine], use)
    return out + figures.value("charging_running", "", "USD/kWh")


def _expected(
    tariff: Tariff,
    available: FloatArray,
    needed: FloatArray,
    flexible: BoolArray,
    kw: FloatArray,
    use: FloatArray,
) -> FloatArray:
    """Bill over energy of each site, the least of several powers where it is flexible, shape (S,)."""
    total = available.sum(axis=1)
    hours = np.minimum(needed, total)[:, None, None] * use[None, None, :]
    hours = np.broadcast_to(hours, (len(kw), *tariff.energy.shape[:2]))
    open_ = np.broadcast_to(available[:, None, None, :], (len(kw), *tariff.energy.shape))
    least = np.minimum(needed, total) / np.maximum(total, 1e-12)
    best = _bill(tariff, open_ * hours[..., None] / np.maximum(total, 1e-12)[:, None, None, None], kw)
    for step in np.linspace(0.0, 1.0, POWERS):
        power = least + (1.0 - least) * step
        load = hours_chosen(tariff.energy[None], open_ * power[:, None, None, None], hours)
        best = np.where(flexible, np.fmin(best, _bill(tariff, load, kw)), best)
    return best


def _bill(tariff: Tariff, load: FloatArray, kw: FloatArray) -> FloatArray:
    """Yearly bill of loads (S, 12, 2, 24) of any scale over their energy, shape (S,) [USD/kWh].

    ``kw`` is their largest load, which the customer charge is spread over.
    """
    days = DAYS_OF_MONTH[None, None, :, None]
    peak = np.maximum(load.max(axis=(1, 2, 3)), 1e-12)
    kwh = (load * days).sum(axis=(1, 2, 3))
    usd = (load * days * tariff.energy[None]).sum(axis=(1, 2, 3))
    for charge in tariff.demand:
        monthly = np.where(charge.counts[None], load, 0.0).max(axis=(2, 3))
        usd = usd + monthly @ charge.usd_per_kw
    usd = usd + 12.0 * tariff.fixed * peak / np.maximum(kw, 1e-12)
    out = np.full(len(kw), np.nan)
    np.divide(usd, kwh, out=out, where=kwh > 0)
    return out
