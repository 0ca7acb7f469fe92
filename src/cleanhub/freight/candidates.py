"""Candidate charging sites by rule, from what the hub says is there.

Rules, in this order: depots that stand or are announced; own yards of firms where trucks park; a shared
depot at each warehouse cluster; public sites at terminals, rail yards and gateways; truck stops and port
land that a user gives; and road nodes near clusters, thinned, until there are ``candidate_count``. What a
site costs and can deliver is in :mod:`cleanhub.freight.site_figures`, its substation in
:mod:`cleanhub.freight.grid`. No draw is made: the same hub gives the same sites.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList
from cleanhub.freight.community import asked_of_sites
from cleanhub.freight.exposure import near_disadvantaged
from cleanhub.freight.figures import Figures
from cleanhub.freight.grid import substation_operators, tie_to_substations
from cleanhub.freight.near import summed
from cleanhub.freight.network import Network
from cleanhub.freight.problem import FloatArray, Grid, Sites, TruckDays, Zones
from cleanhub.freight.site_figures import SiteFigures, costs_of_sites, earliest_year, figures_of_sites
from cleanhub.freight.site_rules import (
    existing_depots,
    given_places,
    own_yards,
    road_nodes,
    spread_out,
    zone_sites,
)
from cleanhub.hub.package import Hub
from cleanhub.hub.series import Drivers


class Placed(NamedTuple):
    """Where sites may be: the ``table`` they are made from, and ``sites`` whose costs are not known (nan)."""

    table: pd.DataFrame
    sites: Sites


def place_sites(
    hub: Hub,
    figures: Figures,
    network: Network,
    zones: Zones,
    grid: Grid,
    as_of: dt.date,
    home_trucks: FloatArray | None = None,
    home_kwh: FloatArray | None = None,
    faults: FaultList | None = None,
) -> Placed:
    """Charging sites that stand or may be built, seen from the day ``as_of``, costs aside.

    ``home_trucks`` and ``home_kwh`` (Z,) are the truck-days that start in each zone and their energy
    (:func:`home_demand`): they bound what own yards can hold. Without them every cluster has own yards of
    an assumed size. Sites made by rule that lie off the roads or beyond every substation are left out and
    noted in ``faults``. Raises ``InputError`` listing places the user gave that do, and ids that stand twice.
    """
    told = FaultList() if faults is None else faults
    made = pd.concat(
        [
            existing_depots(hub, figures, as_of),
            own_yards(hub, figures, zones, home_trucks),
            zone_sites(hub, zones),
            given_places(hub),
        ],
        ignore_index=True,
    )
    made = _reachable(made, hub, figures, network, grid, told)
    most = round(figures.value("candidate_count"))
    rest = _reachable(road_nodes(figures, network, zones), hub, figures, network, grid, FaultList())
    spacing = figures.value("road_site_spacing", unit="km")
    keep = spread_out(made, rest, max(most - len(made), 0), spacing)
    table = pd.concat([made, rest.iloc[keep]], ignore_index=True)
    _check_names(table)
    energy = _truck_day_kwh(table, zones, home_kwh, home_trucks)
    operator = substation_operators(hub, grid)
    table["utility"] = operator[table["substation"].to_numpy(np.int64)]
    return Placed(table, _sites(hub, figures, table, as_of, energy, told))


def price_sites(hub: Hub, figures: Figures, placed: Placed, drivers: Drivers | None = None) -> Sites:
    """The sites with what they cost.

    Tariffs are those of the substation's utility in the first year that new plugs serve, else ``drivers``
    price power.
    """
    table, sites = placed
    own = SiteFigures(sites.plug_kw, sites.plugs_most, sites.kwh_per_plug, sites.least_use)
    year = int(sites.earliest[0]) if len(sites.earliest) else 0
    return replace(sites, **costs_of_sites(hub, figures, table, own, year, drivers)._asdict())


def home_demand(
    truck_days: TruckDays, zones: Zones, kwh: FloatArray | None = None
) -> tuple[FloatArray, FloatArray | None]:
    """Truck-days that park in each zone (Z,), and with ``kwh`` (G,) of a truck-day their energy (Z,)."""
    count = len(zones.name)
    trucks = summed(truck_days.trucks, truck_days.home, count)
    if kwh is None:
        return trucks, None
    return trucks, summed(truck_days.trucks * kwh, truck_days.home, count)


def _sites(
    hub: Hub,
    figures: Figures,
    table: pd.DataFrame,
    as_of: dt.date,
    energy: FloatArray,
    faults: FaultList,
) -> Sites:
    lat, lon = table["lat"].to_numpy(float), table["lon"].to_numpy(float)
    earliest = earliest_year(figures, as_of)
    own, unknown = figures_of_sites(figures, table, energy), np.full(len(table), np.nan)
    asked = asked_of_sites(hub, figures, lat, lon, as_of, faults)
    return Sites(
        name=table["name"].to_numpy(object),
        title=table["title"].to_numpy(object),
        kind=table["kind"].to_numpy(object),
        lat=lat,
        lon=lon,
        substation=table["substation"].to_numpy(np.int64),
        plug_kw=own.plug_kw,
        plugs_most=own.plugs_most,
        kwh_per_plug=own.kwh_per_plug,
        least_use=own.least_use,
        open_plugs=table["open_plugs"].to_numpy(float),
        open_year=table["open_year"].to_numpy(np.int64),
        earliest=np.full(len(table), earliest, dtype=np.int64),
        fixed_usd=unknown,
        usd_per_plug=unknown,
        usd_per_kwh=unknown,
        yearly_share=unknown,
        forbidden=asked.forbidden,
        priority=asked.priority,
        asked_by=asked.asked_by,
        disadvantaged=near_disadvantaged(hub, figures, lat, lon),
    )


def _truck_day_kwh(
    table: pd.DataFrame, zones: Zones, home_kwh: FloatArray | None, home_trucks: FloatArray | None
) -> FloatArray:
    """Energy of a truck-day that parks in the zone of each row's own yards; nan where not known."""
    if home_kwh is None or home_trucks is None:
        return np.full(len(table), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.asarray(home_kwh, np.float64) / np.asarray(home_trucks, np.float64)
    of = {f"yards-{name}": kwh for name, kwh in zip(zones.name, mean, strict=True)}
    return np.array([of.get(str(name), np.nan) for name in table["name"]], dtype=np.float64)


def _reachable(
    table: pd.DataFrame, hub: Hub, figures: Figures, network: Network, grid: Grid, faults: FaultList
) -> pd.DataFrame:
    """The rows on a road and in reach of a substation; others are noted, or faults if a user gave them."""
    if table.empty:
        return table.assign(substation=np.zeros(0, dtype=np.int64))
    place, km = tie_to_substations(hub, figures, grid, table["lat"], table["lon"], table["town"])
    _, road_km = network.snap(table["lat"], table["lon"])
    off, alone = road_km > network.snap_limit_km, place < 0
    reach = figures.value("substation_reach", unit="km")
    bad = FaultList()
    places = hub.tables["freight_places"]
    lines = dict(zip(places["place_id"], places.index, strict=True))
    for row in np.flatnonzero(off | alone):
        site = table.iloc[int(row)]
        what = f"site {site['name']} ({site['title']}) " + (
            "is off the roads" if off[row] else "has no substation"
        )
        if off[row]:
            found, allowed = f"{road_km[row]:.0f} km from one", f"at most {network.snap_limit_km:.0f} km"
        else:
            found = f"{km[row]:.0f} km to the nearest of its utility" if np.isfinite(km[row]) else "none"
            allowed = f"one within {reach:.0f} km, in infrastructure.csv"
        if site["given"]:
            line = int(lines[site["name"]])
            bad.add("freight_places.csv", line, "lat, lon", what=what, found=found, allowed=allowed)
        else:
            faults.note(
                "infrastructure.csv", None, None, what=f"{what}: left out", found=found, allowed=allowed
            )
    bad.raise_if_any("charging sites")
    keep = ~(off | alone)
    return table[keep].assign(substation=place[keep]).reset_index(drop=True)


def _check_names(table: pd.DataFrame) -> None:
    faults = FaultList()
    for name in table["name"][table["name"].duplicated()]:
        faults.add("freight_places.csv", None, "place_id", what="duplicate site", found=name)
    faults.raise_if_any("charging sites")
