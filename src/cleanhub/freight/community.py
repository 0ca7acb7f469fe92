"""What people asked for: areas where chargers shall come first or not at all, and what a plan does with it.

Areas are circles of ``community_areas.csv``; each row says who asked. A priority is a factor on the benefit
of sites in it (``community_priority``), not a promise; a no-go area keeps its sites closed, whatever they
would be worth. Chargers that stand already stay.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cleanhub.core.errors import FaultList
from cleanhub.freight.figures import Figures
from cleanhub.freight.near import Nearby, summed
from cleanhub.freight.problem import BoolArray, FloatArray, IntArray, SitingPlan, TextArray
from cleanhub.hub.package import Hub

FILE = "community_areas.csv"
NO_GO = "no_go"


class Asked(NamedTuple):
    """What was asked of S sites: ``forbidden``, ``priority`` (a factor, 1: nothing asked) and by whom."""

    forbidden: BoolArray
    priority: FloatArray
    asked_by: TextArray


def asked_of_sites(
    hub: Hub,
    figures: Figures,
    lat: ArrayLike,
    lon: ArrayLike,
    as_of: dt.date | None = None,
    faults: FaultList | None = None,
) -> Asked:
    """What people asked of the sites at ``lat``, ``lon`` (S,).

    A site in a priority and a no-go area is forbidden. Areas asked for after ``as_of`` do not count yet;
    that, areas without any site and places where two areas disagree are noted in ``faults``. Raises
    ``InputError`` listing every area that has no extent or names nobody.
    """
    told = FaultList() if faults is None else faults
    areas = _areas(hub, as_of, told)
    site, area = _inside(areas, lat, lon)
    count = len(np.atleast_1d(np.asarray(lat)))
    no_go = (areas["kind"] == NO_GO).to_numpy(bool)
    forbidden, wanted = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    forbidden[site[no_go[area]]] = True
    wanted[site[~no_go[area]]] = True
    who: list[list[str]] = [[] for _ in range(count)]
    names = areas["asked_by"].to_numpy(object)
    for s, a in zip(site.tolist(), area.tolist(), strict=True):
        if no_go[a] == forbidden[s] and str(names[a]) not in who[s]:  # only those who got their way
            who[s].append(str(names[a]))
    _tell(areas, site, area, forbidden & wanted, told)
    factor = figures.value("community_priority") if wanted.any() else 1.0
    return Asked(
        forbidden,
        np.where(wanted & ~forbidden, factor, 1.0),
        np.array(["; ".join(w) for w in who], dtype=object),
    )


def community_report(hub: Hub, plan: SitingPlan, as_of: dt.date | None = None) -> pd.DataFrame:
    """What was asked and what the plan does with it, one row per area.

    Columns: area_id, name, kind, asked_by, asked_on, sites (candidates inside), standing (of which have
    chargers already), opened (of which the plan opens), refused (of which the plan may not open), plugs
    (new, last year) and first_year (0: none opens).
    """
    sites = plan.problem.sites
    areas = _areas(hub, as_of, FaultList())
    site, area = _inside(areas, sites.lat, sites.lon)

    def total(values: ArrayLike) -> FloatArray:
        return summed(np.asarray(values, dtype=np.float64)[site], area, len(areas))

    last = plan.plugs[:, -1] if plan.plugs.shape[1] else np.zeros(len(sites.name))
    first = np.full(len(areas), np.iinfo(np.int64).max)
    opened = plan.opened > 0
    np.minimum.at(first, area[opened[site]], plan.opened[site[opened[site]]])
    frame = areas[["area_id", "name", "kind", "asked_by", "asked_on"]].reset_index(drop=True)
    standing = sites.open_plugs > 0
    return frame.assign(
        sites=total(np.ones(len(standing))).astype(int),
        standing=total(standing).astype(int),
        opened=total(opened).astype(int),
        refused=total(sites.forbidden & ~standing).astype(int),
        plugs=total(np.maximum(last - sites.open_plugs, 0.0)),
        first_year=np.where(first == np.iinfo(np.int64).max, 0, first),
    )


def _areas(hub: Hub, as_of: dt.date | None, faults: FaultList) -> pd.DataFrame:
    """The areas that count on the day ``as_of``."""
    table = hub.tables["community_areas"]
    bad = FaultList()
    for line, row in table.iterrows():
        place = int(str(line))
        if not float(row["radius_km"]) > 0:
            bad.add(
                FILE, place, "radius_km", what="no extent", found=row["radius_km"], allowed="more than 0 km"
            )
        if not str(row["asked_by"]).strip():
            bad.add(FILE, place, "asked_by", what="nobody asked", allowed="who asked for it")
    bad.raise_if_any("community areas")
    if as_of is None or not len(table):
        return table
    later = np.array([(_day(day) or as_of) > as_of for day in table["asked_on"]], dtype=bool)
    for line, row in table[later].iterrows():
        faults.note(
            FILE,
            int(str(line)),
            "asked_on",
            what=f"{row['area_id']} was asked for after the plan's date and does not count",
            found=row["asked_on"],
            allowed=f"up to {as_of.isoformat()}",
        )
    return table[~later]


def _day(value: object) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if isinstance(value, str) and value:
        return dt.date.fromisoformat(value)
    return None


def _inside(areas: pd.DataFrame, lat: ArrayLike, lon: ArrayLike) -> tuple[IntArray, IntArray]:
    """Pairs of a site and an area that holds it."""
    near = Nearby(lat, lon)
    area, site = near.within(areas["lat"], areas["lon"], areas["radius_km"].to_numpy(float))
    return site, area


def _tell(areas: pd.DataFrame, site: IntArray, area: IntArray, torn: BoolArray, faults: FaultList) -> None:
    held = np.bincount(area, minlength=len(areas))
    disputed = summed(torn[site], area, len(areas))
    for place, (line, row) in enumerate(areas.iterrows()):
        if not held[place]:
            faults.note(FILE, int(str(line)), None, what=f"{row['area_id']} holds no candidate site")
        elif disputed[place]:
            what = f"{row['area_id']}: {int(disputed[place])} of its sites are in a priority and a no-go area"
            faults.note(FILE, int(str(line)), None, what=f"{what}; they stay closed")
