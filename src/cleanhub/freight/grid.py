"""Substations: what they can take on, the works that make them larger, and which site hangs on which.

Headroom comes from the hub's ``grid_headroom.csv`` where it has a row, else it is assumed by voltage
(flagged ``assumed``). The works are the tiers of the library's ``grid_tiers.csv``. A substation of the hub
stands for an area: its tiers are works at the circuits and distribution substations below it.
"""

from __future__ import annotations

import copy
import datetime as dt
import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cleanhub.core.errors import FaultList
from cleanhub.core.units import factor
from cleanhub.freight.figures import End, Figures
from cleanhub.freight.globe import great_circle_km
from cleanhub.freight.near import Nearby
from cleanhub.freight.problem import FloatArray, Grid, IntArray, TextArray
from cleanhub.hub.package import Hub

NEVER = 9999
"""Year of works that are never ready."""
LAST_YEAR = 2200  # what would be ready later is as good as never
ASSUMED = "assumed"  # confidence of a headroom without a row


def year_ready(as_of: dt.date, years: ArrayLike) -> IntArray:
    """First calendar year that begins ``years`` after ``as_of`` or later (:data:`NEVER` if not finite)."""
    lead = np.asarray(years, dtype=np.float64)
    start = dt.date(as_of.year, 1, 1)
    length = (dt.date(as_of.year + 1, 1, 1) - start).days
    now = as_of.year + (as_of - start).days / length
    ready = np.ceil(now + np.where(np.isfinite(lead), lead, 0.0) - 1e-9)
    never = ~np.isfinite(lead) | (ready > LAST_YEAR)
    return np.where(never, NEVER, ready).astype(np.int64)


def build_grid(
    hub: Hub,
    figures: Figures,
    as_of: dt.date,
    end: End | None = None,
    *,
    lead: End = "value",
    cost: End = "value",
    added_lead: float = 0.0,
) -> Grid:
    """Substations of the hub with headroom and works, seen from the day ``as_of``.

    ``end`` picks the end of the headroom's range (that of ``figures`` unless given), ``lead`` and ``cost``
    those of the works; ``added_lead`` [years] is added to every lead time. Money is of the figures' price
    year. A hub without substations gives a grid without any. Raises ``InputError`` listing every headroom
    that is negative, not a power or of no substation, and every substation whose voltage is missing.
    """
    rows = _substations(hub)
    kw, confidence = _headroom(hub, figures, rows, end or figures.end)
    tiers = hub.library.tables["grid_tiers"].sort_values("order")
    dollars = [
        figures.index.to_dollars("USD", int(year), figures.price_year) for year in tiers["currency_year"]
    ]
    money = tiers[_end_column(cost, "cost")].fillna(tiers["cost"]).to_numpy(float) * np.asarray(dollars)
    years = tiers[_end_column(lead, "lead")].fillna(tiers["lead"]).to_numpy(float) + added_lead
    count = len(rows)
    return Grid(
        name=rows["infrastructure_id"].to_numpy(object),
        title=rows["name"].to_numpy(object),
        lat=rows["lat"].to_numpy(float),
        lon=rows["lon"].to_numpy(float),
        headroom_kw=kw,
        headroom_confidence=confidence,
        tier=tiers["tier"].to_numpy(object),
        tier_kw=np.tile(tiers["kw"].to_numpy(float), (count, 1)),
        tier_usd=np.tile(money, (count, 1)),
        tier_ready=np.tile(year_ready(as_of, years), (count, 1)),
        coincidence=figures.value("charging_coincidence"),
    )


def utility_of(
    hub: Hub, figures: Figures, lat: ArrayLike, lon: ArrayLike, town: ArrayLike | None = None
) -> TextArray:
    """The utility that alone serves each point's place (n,), empty where none does.

    The items of ``utility_place`` (``utility: place``) say who serves a place alone. A point's place is its
    ``town`` (n,) where tracts are named after it, else that of the nearest census tract.
    """
    lat = np.atleast_1d(np.asarray(lat, dtype=np.float64))
    alone = _utility_places(figures)
    tracts = hub.tables["tracts"]
    if not alone or not len(tracts):
        return np.full(len(lat), "", dtype=object)
    nearest, _ = Nearby(tracts["lat"], tracts["lon"]).nearest(lat, lon)
    place = tracts["place"].fillna("").to_numpy(object)
    found = place[nearest]
    if town is not None:
        named = np.asarray(town, dtype=object)
        found = np.where(np.isin(named.astype(str), np.unique(place.astype(str))), named, found)
    return np.array([alone.get(str(name), "") for name in found], dtype=object)


def tie_to_substations(
    hub: Hub, figures: Figures, grid: Grid, lat: ArrayLike, lon: ArrayLike, town: ArrayLike | None = None
) -> tuple[IntArray, FloatArray]:
    """The substation of each of n points and its distance [km]; -1 where none is within ``substation_reach``.

    A point in a place that one utility alone serves (:func:`utility_of`) takes the nearest substation of that
    utility, any other point the nearest of the utilities that serve no place alone.
    """
    lat, lon = np.atleast_1d(np.asarray(lat, np.float64)), np.atleast_1d(np.asarray(lon, np.float64))
    if not len(grid.name) or not len(lat):
        return np.full(len(lat), -1, dtype=np.int64), np.full(len(lat), np.inf)
    operator = substation_operators(hub, grid)
    operator = np.where(np.isin(operator, list(set(_utility_places(figures).values()))), operator, "")
    far = great_circle_km(lat[:, None], lon[:, None], grid.lat, grid.lon)
    far = np.where(utility_of(hub, figures, lat, lon, town)[:, None] == operator[None, :], far, np.inf)
    place = np.argmin(far, axis=1).astype(np.int64)
    km = far[np.arange(len(lat)), place]
    near = km <= figures.value("substation_reach", unit="km")
    return np.where(near, place, -1), km


def substation_operators(hub: Hub, grid: Grid) -> TextArray:
    """Who runs each substation of the grid (U,), empty where nobody is named."""
    rows = _substations(hub).set_index("infrastructure_id")
    return np.asarray(rows["operator"].reindex(list(grid.name)).fillna("").to_numpy(object), dtype=object)


def _substations(hub: Hub) -> pd.DataFrame:
    table = hub.tables["infrastructure"]
    return table[table["kind"] == "substation"]


def _end_column(end: End, name: str) -> str:
    return name if end == "value" else f"{name}_{end}"


def _utility_places(figures: Figures) -> dict[str, str]:
    """Place to the utility that alone serves it."""
    pairs = (item.split(":", 1) for item in figures.items("utility_place"))
    return {place.strip(): utility.strip() for utility, place in pairs}


def _by_voltage(figures: Figures, kv: FloatArray) -> FloatArray:
    """Assumed headroom [kW]: that of the highest listed voltage up to ``kv``, else of the lowest listed."""
    rows = {float(item.split()[0]): kw for item, kw in figures.items("substation_headroom", "kW").items()}
    volts = np.array(sorted(rows))
    if not len(volts):
        figures.value("substation_headroom", "230 kV", "kW")  # names the missing row
    place = np.maximum(np.searchsorted(volts, kv, side="right") - 1, 0)
    return np.array([rows[v] for v in volts])[place]


def _headroom(hub: Hub, figures: Figures, rows: pd.DataFrame, end: End) -> tuple[FloatArray, TextArray]:
    faults = FaultList()
    given = hub.tables["grid_headroom"]
    known = given.set_index("infrastructure_id")
    stated: dict[str, float] = {}
    for line, row in given.iterrows():
        number = row["value"] if pd.isna(row[end]) else row[end]
        try:
            kw = float(number) * factor(str(row["unit"]), "kW")
        except ValueError:
            faults.add(
                "grid_headroom.csv",
                int(str(line)),
                "unit",
                what="no power",
                found=row["unit"],
                allowed="kW, MW",
            )
            continue
        if not (math.isfinite(kw) and kw >= 0):
            faults.add(
                "grid_headroom.csv", int(str(line)), end, what="headroom", found=number, allowed="0 or more"
            )
        stated[str(row["infrastructure_id"])] = kw
    name = rows["infrastructure_id"].to_numpy(object)
    for line, other in given["infrastructure_id"].items():
        if other not in set(name):
            faults.add(
                "grid_headroom.csv",
                int(str(line)),
                "infrastructure_id",
                what="no such substation",
                found=other,
                allowed="an infrastructure_id of kind substation",
            )
    for line, row in rows[rows["value"].isna() & ~rows["infrastructure_id"].isin(stated)].iterrows():
        faults.add(
            "infrastructure.csv",
            int(str(line)),
            "value",
            what=f"substation {row['infrastructure_id']} has neither a voltage nor a row of grid_headroom",
            allowed="its voltage in kV",
        )
    faults.raise_if_any("substations")
    own = np.array([stated.get(str(n), np.nan) for n in name])
    of_end = copy.copy(figures)
    of_end.end = end
    assumed = _by_voltage(of_end, np.nan_to_num(_kilovolts(rows))) if len(rows) else np.zeros(0)
    trust = [known["confidence"].get(n, ASSUMED) for n in name]
    return np.where(np.isnan(own), assumed, own), np.array(trust, dtype=object)


def _kilovolts(rows: pd.DataFrame) -> FloatArray:
    scale = np.array([factor(str(unit), "kV") for unit in rows["unit"].fillna("kV")])
    return np.asarray(rows["value"].to_numpy(float) * scale, dtype=np.float64)
