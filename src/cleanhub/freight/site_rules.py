"""Rules that make candidate charging sites of what a hub says is there, one function each.

Every rule gives a frame with the columns of a candidate: name (an id), title, kind, lat, lon, town, plug_kw
and plugs (nan: by kind), open_plugs and open_year (of what stands), given (whether a user named it).
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import pandas as pd

from cleanhub.core.units import factor
from cleanhub.freight.figures import Figures
from cleanhub.freight.fleet import home_charging_share
from cleanhub.freight.near import Nearby, chord_of, unit_vectors
from cleanhub.freight.network import Network
from cleanhub.freight.problem import FloatArray, IntArray, Zones
from cleanhub.freight.site_figures import yard_plugs
from cleanhub.hub.package import Hub

DEPOT, SHARED, PUBLIC_SITE = "depot", "shared", "public"
"""Codes of ``charging_site_kind``."""
PRIVATE = "(private)"
"""What the name of a depot holds that serves one firm alone."""
_YEAR = re.compile(r"\b(20\d\d)\b")
_STANDS = ("open", "pilot")
_PLACE_KINDS = {"truck_stop": PUBLIC_SITE, "port_land": SHARED}
_ZONE_KINDS = {"terminal": PUBLIC_SITE, "rail_yard": PUBLIC_SITE, "gateway": PUBLIC_SITE}
_COLUMNS = [
    "name",
    "title",
    "kind",
    "lat",
    "lon",
    "town",
    "plug_kw",
    "plugs",
    "open_plugs",
    "open_year",
    "given",
]


def existing_depots(hub: Hub, figures: Figures, as_of: dt.date) -> pd.DataFrame:
    """Depots of ``infrastructure.csv``: open ones stand, announced ones are counted on from their year.

    An announcement that is not said to be open counts from its year, but not before the year after ``as_of``;
    one without a year is a candidate like any other. Where plugs or power are not stated they follow
    from each other and ``plug_power``, or are ``depot_plugs_unstated``.
    """
    table = hub.tables["infrastructure"]
    table = table[table["kind"] == "depot"]
    kind = np.where(table["name"].str.lower().str.contains(PRIVATE, regex=False), DEPOT, SHARED)
    usual = np.array([figures.value("plug_power", k, "kW") for k in kind])
    kw = table["value"].to_numpy(float) * np.array([_scale(unit) for unit in table["unit"]])
    plugs = table["plugs"].to_numpy(float)
    stated = kw / plugs
    pilot = stated < figures.value("plug_power_least", unit="kW")
    plug_kw = np.where(np.isfinite(stated) & ~pilot, stated, usual)
    open_plugs = np.where(np.isnan(plugs) | pilot, np.maximum(np.floor(kw / plug_kw), 1.0), plugs)
    open_plugs = np.where(np.isnan(open_plugs), figures.value("depot_plugs_unstated"), open_plugs)
    year = np.array(
        [
            opening_year(status, value_year, as_of)
            for status, value_year in zip(table["status"], table["value_year"], strict=True)
        ],
        dtype=np.int64,
    )
    return _frame(
        name=table["infrastructure_id"],
        title=table["name"],
        kind=kind,
        lat=table["lat"],
        lon=table["lon"],
        town=table["city"].fillna(""),
        plug_kw=plug_kw,
        open_plugs=np.where(year > 0, open_plugs, 0.0),
        open_year=year,
    )


def opening_year(status: Any, value_year: Any, as_of: dt.date) -> int:
    """Year from which a depot counts, by its ``status`` (``open 2023-07``, ``planned 2026``); 0: undecided.

    An open one without a year in its status takes that of its figures, else that of ``as_of``.
    """
    text = "" if pd.isna(status) else str(status).lower()
    years = _YEAR.findall(text)
    if text.startswith(_STANDS):
        return int(years[-1]) if years else (as_of.year if pd.isna(value_year) else int(str(value_year)))
    return max(int(years[-1]), as_of.year + 1) if years else 0


def own_yards(
    hub: Hub, figures: Figures, zones: Zones, home_trucks: FloatArray | None = None
) -> pd.DataFrame:
    """One candidate for all own yards of the firms of a zone, where trucks park.

    With ``home_trucks`` (Z,) its plugs suffice for the share of them that can charge in an own yard.
    """
    if home_trucks is None:
        use = zones.kind == "cluster"
        plugs = np.full(len(use), np.nan)
    else:
        plugs = yard_plugs(figures, np.asarray(home_trucks, np.float64), home_charging_share(hub, figures))
        use = plugs >= 1
    return _frame(
        name=[f"yards-{name}" for name in zones.name[use]],
        title=[f"Own yards, {title}" for title in zones.title[use]],
        kind=DEPOT,
        lat=zones.lat[use],
        lon=zones.lon[use],
        town=zones.title[use],
        plugs=plugs[use],
    )


def zone_sites(hub: Hub, zones: Zones) -> pd.DataFrame:
    """A shared depot at each cluster, a public site at each terminal, rail yard and gateway."""
    table = hub.tables["infrastructure"]
    city = dict(zip(table["infrastructure_id"], table["city"].fillna(""), strict=True))
    shared = zones.kind == "cluster"
    kind = np.array([_ZONE_KINDS.get(str(k), SHARED) for k in zones.kind], dtype=object)
    return _frame(
        name=[f"{k}-{name}" for k, name in zip(kind, zones.name, strict=True)],
        title=np.where(shared, ["Shared depot, " + str(t) for t in zones.title], zones.title),
        kind=kind,
        lat=zones.lat,
        lon=zones.lon,
        town=[city.get(n, t) for n, t in zip(zones.name, zones.title, strict=True)],
    )


def given_places(hub: Hub) -> pd.DataFrame:
    """Truck stops (public) and port land (shared) of ``freight_places.csv``."""
    table = hub.tables["freight_places"]
    table = table[table["kind"].isin(list(_PLACE_KINDS))]
    return _frame(
        name=table["place_id"],
        title=table["name"],
        kind=table["kind"].map(_PLACE_KINDS),
        lat=table["lat"],
        lon=table["lon"],
        given=True,
    )


def road_nodes(figures: Figures, network: Network, zones: Zones) -> pd.DataFrame:
    """All nodes of the roads within ``road_site_reach`` of a cluster: public sites that might be."""
    use = zones.kind == "cluster"
    reach = figures.value("road_site_reach", unit="km")
    cluster, node = Nearby(network.lat, network.lon).within(zones.lat[use], zones.lon[use], reach)
    nodes, first = np.unique(node, return_index=True)
    titles = zones.title[use][cluster[first]]
    return _frame(
        name=[f"road-{number}" for number in nodes],
        title=[f"Road near {title}, node {number}" for title, number in zip(titles, nodes, strict=True)],
        kind=PUBLIC_SITE,
        lat=network.lat[nodes],
        lon=network.lon[nodes],
    )


def spread_out(made: pd.DataFrame, rest: pd.DataFrame, count: int, spacing: float) -> IntArray:
    """Which ``count`` rows of ``rest`` to add to ``made``: always the one farthest from all before it.

    Stops where that one is nearer than ``spacing`` [km]. The first of equals is taken.
    """
    chosen: list[int] = []
    points = unit_vectors(rest["lat"], rest["lon"])
    if not len(points):
        return np.zeros(0, dtype=np.int64)
    far = np.full(len(points), np.inf)
    if len(made):
        _, km = Nearby(made["lat"], made["lon"]).nearest(rest["lat"], rest["lon"])
        far = chord_of(km)
    least = float(chord_of(spacing))
    while len(chosen) < min(count, len(points)):
        best = int(np.argmax(far))
        if far[best] < least:
            break
        chosen.append(best)
        far = np.minimum(far, np.linalg.norm(points - points[best], axis=1))
        far[best] = -1.0
    return np.array(chosen, dtype=np.int64)


def _scale(unit: Any) -> float:
    return np.nan if pd.isna(unit) or not str(unit) else factor(str(unit), "kW")


def _frame(**columns: object) -> pd.DataFrame:
    """Rows of candidates; what a rule does not say is blank."""
    blank: dict[str, object] = {"town": "", "plug_kw": np.nan, "plugs": np.nan}
    blank |= {"open_plugs": 0.0, "open_year": 0, "given": False}
    values = {
        name: value.to_numpy() if isinstance(value, pd.Series) else value
        for name, value in (blank | columns).items()
    }
    length = len(values["lat"])  # type: ignore[arg-type]
    frame = pd.DataFrame(values, index=range(length))
    text: dict[str, Any] = dict.fromkeys(("name", "title", "kind", "town"), "object")
    return frame[_COLUMNS].astype(text | {"given": bool, "open_year": np.int64, "lat": float, "lon": float})
