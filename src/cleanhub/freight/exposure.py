"""Diesel particulate matter on roads, weighted by the people of disadvantaged tracts beside them: a PROXY.

The figure is kilograms emitted on a road times the people of SB 535 tracts whose middle (centroid) lies
within ``exposure_distance`` (2 km) of it. It knows no wind, no chimney, no indoor air and no dose: it
ranks, it is no exposure and no health effect. An arc counts a tract by the share of its length that lies
within the distance, so cutting an arc in two changes nothing. Letters in shapes: A arcs, G groups, L legs,
P pairs, n points.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cleanhub.freight.energy import leg_diesel_pm
from cleanhub.freight.figures import Figures
from cleanhub.freight.globe import EARTH_RADIUS_KM
from cleanhub.freight.near import Nearby, summed
from cleanhub.freight.network import Network
from cleanhub.freight.problem import BoolArray, FloatArray, IntArray, TruckDays, Zones
from cleanhub.hub.package import Hub

SHORT_KM = 1e-6  # an arc shorter than this is a point


def disadvantaged_tracts(hub: Hub) -> pd.DataFrame:
    """Census tracts that are designated as disadvantaged (SB 535), with lat, lon and population."""
    tracts = hub.tables["tracts"]
    return tracts[tracts["disadvantaged"].fillna(False).to_numpy(bool)]


def people_near(hub: Hub, lat: ArrayLike, lon: ArrayLike, km: float) -> FloatArray:
    """People of disadvantaged tracts whose middle lies within ``km`` of each of n points, shape (n,)."""
    tracts = disadvantaged_tracts(hub)
    point, tract = Nearby(tracts["lat"], tracts["lon"]).within(lat, lon, km)
    people = tracts["population"].to_numpy(float)
    return summed(people[tract], point, len(np.atleast_1d(np.asarray(lat))))


def near_disadvantaged(hub: Hub, figures: Figures, lat: ArrayLike, lon: ArrayLike) -> BoolArray:
    """Whether each of n points lies in a disadvantaged tract or near one, shape (n,).

    In: the tract with the nearest middle is one. Near: the middle of one lies within ``exposure_distance``.
    """
    tracts = hub.tables["tracts"]
    count = len(np.atleast_1d(np.asarray(lat)))
    if not len(tracts):
        return np.zeros(count, dtype=bool)
    named = tracts["disadvantaged"].fillna(False).to_numpy(bool)
    holds = named[Nearby(tracts["lat"], tracts["lon"]).nearest(lat, lon)[0]]
    near = people_near(hub, lat, lon, figures.value("exposure_distance", unit="km")) > 0
    return np.asarray(holds | near, dtype=bool)


def people_along(hub: Hub, network: Network, km: float, arcs: IntArray | None = None) -> FloatArray:
    """People of disadvantaged tracts along each arc, mean over its length, (A,) or the length of ``arcs``.

    A tract counts by the share of the arc (the straight line between its nodes) that lies within ``km`` of
    the tract's middle.
    """
    use = np.arange(len(network.tail), dtype=np.int64) if arcs is None else np.asarray(arcs, dtype=np.int64)
    tail, head = network.tail[use], network.head[use]
    tracts = disadvantaged_tracts(hub)
    lat, lon = tracts["lat"].to_numpy(float), tracts["lon"].to_numpy(float)
    start = network.lat[tail], network.lon[tail]
    across = _plane(start, network.lat[head], network.lon[head])
    length = np.hypot(*across)
    arc, tract = Nearby(lat, lon).within(
        start[0] + (network.lat[head] - start[0]) / 2,
        start[1] + (network.lon[head] - start[1]) / 2,
        1.01 * (km + length / 2),  # a little more than enough: the plane and the sphere differ by less
    )
    from_start = _plane((start[0][arc], start[1][arc]), lat[tract], lon[tract])
    share = _share_within(from_start, (across[0][arc], across[1][arc]), km)
    people = tracts["population"].to_numpy(float)[tract]
    return summed(share * people, arc, len(use))


def people_beside(hub: Hub, figures: Figures, zones: Zones, network: Network, pairs: IntArray) -> FloatArray:
    """People of disadvantaged tracts beside the ways between zones, mean over their length, shape (P,).

    ``pairs`` (P, 2) are positions in the zones. What a way is longer than its arcs (access to the road)
    counts the people around its two ends, and so does a trip within a zone or where there is no way.
    """
    distance = figures.value("exposure_distance", unit="km")
    if not len(pairs):
        return np.zeros(0)
    lat, lon = zones.lat, zones.lon
    start, end = pairs[:, 0], pairs[:, 1]
    pair, arc = network.paths(lat[start], lon[start], lat[end], lon[end])
    used, place = np.unique(arc, return_inverse=True)
    arc_km = network.length_km[used] * network.circuity
    along = arc_km * people_along(hub, network, distance, used)
    on_road, road_km = (summed(values[place], pair, len(pairs)) for values in (along, arc_km))
    ends, of = np.unique(pairs, return_inverse=True)
    first, second = of.reshape(pairs.shape).T
    to_road = network.access_factor * network.snap(lat[ends], lon[ends])[1]
    access = to_road[first] + to_road[second]
    around = people_near(hub, lat[ends], lon[ends], distance)
    at_ends = (around[first] + around[second]) / 2
    length = road_km + access
    with np.errstate(invalid="ignore"):
        mean: FloatArray = (on_road + access * at_ends) / length
    return np.asarray(np.where(length > 0, mean, at_ends), dtype=np.float64)


def diesel_pm_people(
    hub: Hub, figures: Figures, truck_days: TruckDays, zones: Zones, network: Network
) -> FloatArray:
    """The proxy of a diesel truck-day of each group, (G,) [kg x people].

    What each leg emits (:func:`cleanhub.freight.energy.leg_diesel_pm`) times the people beside its way.
    """
    legs = np.stack([truck_days.leg_from, truck_days.leg_to], axis=1)
    pairs, of = np.unique(legs, axis=0, return_inverse=True)
    people = people_beside(hub, figures, zones, network, pairs)[np.ravel(of)]
    kg = leg_diesel_pm(truck_days, figures)
    return summed(kg * people, truck_days.leg_group, len(truck_days.trucks))


def _plane(
    start: tuple[FloatArray, FloatArray], lat: FloatArray, lon: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Points as seen from ``start``: km east and north on the plane that touches the globe there.

    Good to 1e-4 within 100 km. Longitudes are taken the short way round.
    """
    turn = (lon - start[1] + 180.0) % 360.0 - 180.0
    east = np.radians(turn) * np.cos(np.radians((lat + start[0]) / 2)) * EARTH_RADIUS_KM
    return east, np.radians(lat - start[0]) * EARTH_RADIUS_KM


def _share_within(
    point: tuple[FloatArray, FloatArray], across: tuple[FloatArray, FloatArray], km: float
) -> FloatArray:
    """Share of the line from 0 to ``across`` that lies within ``km`` of ``point``: a chord of a circle."""
    length = np.hypot(*across)
    short = length < SHORT_KM
    safe = np.where(short, 1.0, length)
    along = (point[0] * across[0] + point[1] * across[1]) / safe
    off = (point[0] * across[1] - point[1] * across[0]) / safe
    half = np.sqrt(np.maximum(km**2 - off**2, 0.0))
    inside = np.minimum(along + half, length) - np.maximum(along - half, 0.0)
    share = np.clip(np.where(np.abs(off) <= km, inside, 0.0), 0.0, None) / safe
    return np.where(short, (np.hypot(*point) <= km).astype(np.float64), share)
