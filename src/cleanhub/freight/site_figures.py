"""What a charging site costs, holds and can deliver in a day, by its kind and the power of its plugs.

The power of plugs, the most of them, hours of use, costs and upkeep are rows of ``freight_parameters``. The
use of a plug is bounded by waiting (:mod:`cleanhub.freight.queueing`) where trucks come as they like, by
the trucks that take turns where the yard is their own. A site above ``site_power_most`` would need lines of
its own and is cut down to it.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np
import pandas as pd

from cleanhub.freight.charging_cost import expected_usd_per_kwh, hours_open
from cleanhub.freight.figures import Figures
from cleanhub.freight.grid import year_ready
from cleanhub.freight.problem import FloatArray, TextArray
from cleanhub.freight.queueing import most_use
from cleanhub.freight.tariffs import tariffs_for
from cleanhub.hub.package import Hub
from cleanhub.hub.series import Drivers

KINDS = ("depot", "shared", "public")
OWN = "depot"
"""The kind that serves its owner's trucks alone."""
BUILT = 0.5
"""Share of the most plugs for which waiting is reckoned: a site grows, and few plugs make longer queues."""


class SiteFigures(NamedTuple):
    """What S sites hold and deliver, as in :class:`~cleanhub.freight.problem.Sites`, each (S,)."""

    plug_kw: FloatArray
    plugs_most: FloatArray
    kwh_per_plug: FloatArray
    least_use: FloatArray


class SiteCosts(NamedTuple):
    """What S sites cost, as in :class:`~cleanhub.freight.problem.Sites`, each (S,)."""

    fixed_usd: FloatArray
    usd_per_plug: FloatArray
    usd_per_kwh: FloatArray
    yearly_share: FloatArray


def figures_of_sites(
    figures: Figures, table: pd.DataFrame, truck_day_kwh: FloatArray | None = None
) -> SiteFigures:
    """Figures of the sites of ``table`` (columns kind, plug_kw, plugs, open_plugs; nan: by kind).

    ``truck_day_kwh`` (S,) is the energy of a truck-day at own yards (nan: the mean one).
    """
    kind = table["kind"].to_numpy(object)
    stated = table["plug_kw"].to_numpy(float)
    plug_kw = np.where(np.isnan(stated), by_kind(figures, kind, "plug_power", "kW"), stated)
    plugs = plugs_most(
        figures, kind, plug_kw, table["plugs"].to_numpy(float), table["open_plugs"].to_numpy(float)
    )
    return SiteFigures(
        plug_kw=plug_kw,
        plugs_most=plugs,
        kwh_per_plug=daily_kwh(figures, kind, plug_kw, plugs, truck_day_kwh),
        least_use=by_kind(figures, kind, "least_use", "1"),
    )


def costs_of_sites(
    hub: Hub,
    figures: Figures,
    table: pd.DataFrame,
    own: SiteFigures,
    year: int,
    drivers: Drivers | None = None,
) -> SiteCosts:
    """Costs of the sites of ``table`` (columns kind, utility) whose figures are ``own``.

    ``year`` is that of the tariffs; ``drivers`` price power where a utility has none. Money is of the
    figures' price year. Own yards stand for many: what a yard costs before its first plug is spread over its
    plugs.
    """
    kind = table["kind"].to_numpy(object)
    per_plug = plug_cost(figures, own.plug_kw)
    site = figures.value("front_of_meter", unit="USD") + by_kind(figures, kind, "site_works", "USD")
    yard = kind == OWN
    return SiteCosts(
        fixed_usd=np.where(yard, 0.0, site),
        usd_per_plug=per_plug + np.where(yard, site / figures.value("yard_plugs"), 0.0),
        usd_per_kwh=energy_price(
            hub, figures, table, own.plug_kw, own.plugs_most, own.kwh_per_plug, year, drivers
        ),
        yearly_share=np.full(len(kind), figures.value("site_upkeep", unit="1/yr")),
    )


def by_kind(figures: Figures, kind: TextArray, parameter: str, unit: str) -> FloatArray:
    """The row of ``parameter`` for each site's kind, (S,) in ``unit``."""
    rows = {name: figures.value(parameter, name, unit) for name in KINDS if (kind == name).any()}
    return np.array([rows[name] for name in kind], dtype=np.float64)


def plugs_most(
    figures: Figures, kind: TextArray, plug_kw: FloatArray, stated: FloatArray, standing: FloatArray
) -> FloatArray:
    """How many plugs fit, (S,): ``stated`` or by kind, within the most power, never fewer than stand.

    The most power does not bind own yards: they are many and each hangs on its own service.
    """
    usual = by_kind(figures, kind, "site_plugs", "1")
    within = np.floor(figures.value("site_power_most", unit="kW") / plug_kw + 1e-9)
    plugs = np.where(np.isnan(stated), usual, stated)
    plugs = np.where(kind == OWN, plugs, np.minimum(plugs, within))
    return np.asarray(np.maximum(np.maximum(np.floor(plugs), 1.0), standing), dtype=np.float64)


def plug_cost(figures: Figures, plug_kw: FloatArray) -> FloatArray:
    """Charger, installation and works on the customer's side of one plug, (S,) [USD].

    Between the powers that have rows costs run straight; beyond them they follow the power.
    """
    lone = sum(_by_power(figures, name, plug_kw) for name in ("charger_hardware", "charger_installation"))
    return np.asarray(lone + figures.value("make_ready", unit="USD/kW") * plug_kw, dtype=np.float64)


def daily_kwh(
    figures: Figures,
    kind: TextArray,
    plug_kw: FloatArray,
    plugs: FloatArray,
    truck_day_kwh: FloatArray | None = None,
) -> FloatArray:
    """Most that a plug can deliver on a working day, (S,) [kWh].

    Power times hours of use times the use at which the mean wait stays within ``charging_wait`` (M/M/c with
    half of the plugs that fit). At own yards nobody waits: there it is what the trucks that take turns at a
    plug need, within the hours they are there.
    """
    mean_kw = plug_kw * figures.value("charging_power_share")
    full = mean_kw * by_kind(figures, kind, "charging_hours", "h")
    own = kind == OWN
    use = np.ones(len(kind))
    if (~own).any():
        session = by_kind(figures, kind[~own], "charging_session", "kWh")
        count = np.maximum(np.floor(plugs[~own] * BUILT), 1.0).astype(np.int64)
        use[~own] = most_use(count, session / mean_kw[~own], figures.value("charging_wait", unit="h"))
    day = np.full(len(kind), np.nan) if truck_day_kwh is None else truck_day_kwh
    day = np.where(np.isnan(day), figures.value("truck_day_energy", unit="kWh"), day)
    turns = day * figures.value("trucks_per_plug")
    return np.where(own, np.minimum(full, turns), full * use)


def yard_plugs(figures: Figures, home_trucks: FloatArray, share: float) -> FloatArray:
    """Plugs that the own yards of a zone need for ``share`` of its trucks (Z,), whole numbers."""
    return np.floor(home_trucks * share / figures.value("trucks_per_plug") + 1e-9)


def energy_price(
    hub: Hub,
    figures: Figures,
    table: pd.DataFrame,
    plug_kw: FloatArray,
    plugs: FloatArray,
    kwh_per_plug: FloatArray,
    year: int,
    drivers: Drivers | None = None,
) -> FloatArray:
    """What a kWh is expected to cost each site, capital aside, (S,) [USD/kWh], before sites are chosen.

    The bill under the default tariff of the utility of ``table`` for a site of that size
    (:func:`cleanhub.freight.charging_cost.expected_usd_per_kwh`) when plugs deliver
    ``charging_expected_use`` of the most they can, in the hours of their kind. Depots and shared depots
    choose the cheapest of those hours.
    """
    kind = table["kind"].to_numpy(object)
    if not len(kind):
        return np.zeros(0)
    largest = plugs * plug_kw * figures.value("charging_coincidence")
    utility = table["utility"].to_numpy(object)
    tariffs = tariffs_for(hub, utility, largest, year, figures, drivers)
    begin, length = (by_kind(figures, kind, name, "h") for name in ("charging_from", "charging_hours"))
    hours = kwh_per_plug / plug_kw * by_kind(figures, kind, "charging_expected_use", "1")
    open_ = hours_open(begin, length)
    return expected_usd_per_kwh(tariffs, open_, hours, kind != "public", largest, figures)


def earliest_year(figures: Figures, as_of: dt.date) -> int:
    """First whole year in which a new plug can serve: ``as_of`` and the longer of building and service."""
    times = [figures.value(name, unit="yr") for name in ("energization_time", "site_build_time")]
    return int(year_ready(as_of, max(times)))


def _by_power(figures: Figures, parameter: str, plug_kw: FloatArray) -> FloatArray:
    rows = {float(item.split()[0]): usd for item, usd in figures.items(parameter, "USD").items()}
    if not rows:
        figures.value(parameter, "350 kW", "USD")  # names the row that is missing
    power = np.array(sorted(rows))
    usd = np.array([rows[kw] for kw in power])
    inside = np.interp(plug_kw, power, usd)
    beyond = np.where(plug_kw < power[0], plug_kw / power[0], np.maximum(plug_kw / power[-1], 1.0))
    return np.asarray(inside * beyond, dtype=np.float64)
