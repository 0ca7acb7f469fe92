"""Which truck-days can charge at which site: at their home base between shifts, or on their way.

A group may choose among ``pairs_per_group`` sites, of which ``home_pairs`` at its base. Nearer sites come
first, but detours that differ by less than ``detour_alike`` count as equal, and of equal sites different
groups take different ones (by a fixed rule, no draw): else all would crowd into the same few. The way back
from a site counts as long as the way there. Letters in shapes: G groups, L legs, S sites, J pairs, Z zones.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cleanhub.core.errors import FaultList
from cleanhub.freight.figures import Figures
from cleanhub.freight.network import Network
from cleanhub.freight.problem import HOME, PUBLIC, BoolArray, FloatArray, IntArray, Sites, TruckDays, Zones

GOLDEN = (5**0.5 - 1) / 2  # multiples of it, whole part dropped, are spread evenly over 0 to 1


class Pairs(NamedTuple):
    """Groups and the sites where they may charge, each (J,), sorted by group, kind and site.

    ``kind`` is HOME or PUBLIC; ``extra_kwh`` the energy of the way there per truck-day.
    """

    group: IntArray
    site: IntArray
    kind: IntArray
    extra_kwh: FloatArray


class _Ways(NamedTuple):
    """Detour [km] of each group to each site, the leg it starts from, and whether it may go; each (G, S)."""

    km: FloatArray
    leg: IntArray
    may: BoolArray


def build_pairs(
    truck_days: TruckDays,
    zones: Zones,
    sites: Sites,
    network: Network,
    figures: Figures,
    faults: FaultList | None = None,
) -> Pairs:
    """The sites that each group of truck-days may choose among.

    At home: depots and shared depots within ``home_reach`` of the base. On the way: shared and public sites
    within ``public_detour`` of a leg, where charging fits into ``public_extra_time`` or into a stop nearby.
    A group with none takes the nearest home site within ``home_reach_most``; one without even that is noted
    in ``faults``, as it cannot be electric. Sites that are forbidden and hold no chargers are left out.
    """
    told = FaultList() if faults is None else faults
    count = len(truck_days.trucks)
    use = np.flatnonzero(~sites.forbidden | (sites.open_plugs > 0))
    if not count or not len(use):
        _tell(truck_days, zones, np.ones(count, dtype=bool), told)
        none = np.zeros(0, dtype=np.int64)
        return Pairs(none, none, none, np.zeros(0))
    there = network.between(zones.lat, zones.lon, sites.lat[use], sites.lon[use])
    home = _home_ways(truck_days, sites, use, there.km, figures)
    public = _public_ways(truck_days, zones, sites, use, there.km, there.minutes, figures)
    alike = figures.value("detour_alike", unit="km")
    most, at_home = (round(figures.value(name)) for name in ("pairs_per_group", "home_pairs"))
    chosen = {HOME: _best(home, alike, at_home)}
    taken = chosen[HOME].sum(axis=1)
    chosen[PUBLIC] = _best(public, alike, most - taken)
    alone = np.asarray(~(chosen[HOME] | chosen[PUBLIC]).any(axis=1), dtype=bool)
    chosen[HOME] |= alone[:, None] & _nearest(home, figures.value("home_reach_most", unit="km"))
    _tell(truck_days, zones, alone & (chosen[HOME].sum(axis=1) == 0), told)
    per_km = figures.value("detour_energy", unit="kWh/km")
    found = [(kind, np.nonzero(chosen[kind]), ways) for kind, ways in ((HOME, home), (PUBLIC, public))]
    group = np.concatenate([place[0] for _, place, _ in found]).astype(np.int64)
    site = np.concatenate([use[place[1]] for _, place, _ in found]).astype(np.int64)
    kind = np.concatenate([np.full(len(place[0]), kind) for kind, place, _ in found]).astype(np.int64)
    extra = np.concatenate([ways.km[place] for _, place, ways in found]) * per_km
    order = np.lexsort((site, kind, group))
    return Pairs(group[order], site[order], kind[order], extra[order])


def _home_ways(truck_days: TruckDays, sites: Sites, use: IntArray, km: FloatArray, figures: Figures) -> _Ways:
    """From the home base to a site and back, once a day; public sites are none to stay at."""
    one_way = km[truck_days.home]
    kind = sites.kind[use]
    reach = np.zeros(len(use))
    for name in ("depot", "shared"):
        reach[kind == name] = figures.value("home_reach", name, "km")
    stays = (kind == "depot") | (kind == "shared")
    far = np.where(stays[None, :], 2 * one_way, np.inf)
    return _Ways(far, np.zeros(far.shape, dtype=np.int64), stays[None, :] & (one_way <= reach[None, :]))


def _public_ways(
    truck_days: TruckDays,
    zones: Zones,
    sites: Sites,
    use: IntArray,
    km: FloatArray,
    minutes: FloatArray,
    figures: Figures,
) -> _Ways:
    """The least detour over the legs of a group from which there is time to charge."""
    start, end = truck_days.leg_from, truck_days.leg_to
    with np.errstate(invalid="ignore"):
        detour = np.maximum(km[start] + km[end] - truck_days.leg_km[:, None], 0.0)
        direct = minutes[start, :] + minutes[end, :]
        share = detour / np.maximum(km[start] + km[end], 1e-9)
        late = np.where(np.isfinite(direct), direct * share, np.inf) / 60  # hours for the detour
    kind = sites.kind[use]
    stay = figures.value("charging_session", "public", "kWh") / (
        sites.plug_kw[use] * figures.value("charging_power_share")
    )
    quick = late + stay[None, :] <= figures.value("public_extra_time", unit="h")
    # A truck queues through a terminal: only other stops leave it time to charge.
    rests = np.where(zones.kind[end] == "terminal", 0.0, truck_days.leg_dwell)
    beside = km[end] <= figures.value("stop_reach", unit="km")
    waits = beside & (stay[None, :] <= rests[:, None])
    near = detour <= figures.value("public_detour", unit="km")
    may = near & (quick | waits) & (kind != "depot")[None, :]
    return _least(np.where(may, detour, np.inf), truck_days.leg_group, len(truck_days.trucks))


def _least(detour: FloatArray, group: IntArray, count: int) -> _Ways:
    """The least of (L, S) over the legs of each group, and the first leg that has it."""
    least = np.full((count, detour.shape[1]), np.inf)
    np.minimum.at(least, group, detour)
    leg = np.full(least.shape, len(detour), dtype=np.int64)
    place = np.where(detour == least[group], np.arange(len(detour))[:, None], len(detour))
    np.minimum.at(leg, group, place)
    return _Ways(least, leg, np.isfinite(least))


def _best(ways: _Ways, alike: float, most: int | IntArray) -> BoolArray:
    """The ``most`` (one number or (G,)) sites of each group, legs in turn, shortest detours first, (G, S)."""
    group, site = np.nonzero(ways.may)
    km, leg = ways.km[group, site], ways.leg[group, site]
    step = np.floor(km / alike) if alike > 0 else km
    turn = (site * GOLDEN + group * GOLDEN**2) % 1.0
    order = np.lexsort((turn, step, leg, group))
    rank_in_leg = np.empty(len(order), dtype=np.int64)
    rank_in_leg[order] = _rank(group[order] * (int(leg.max(initial=0)) + 1) + leg[order])
    order = np.lexsort((turn, step, rank_in_leg, group))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = _rank(group[order])
    keep = rank < np.broadcast_to(most, len(ways.may))[group]
    chosen = np.zeros(ways.may.shape, dtype=bool)
    chosen[group[keep], site[keep]] = True
    return chosen


def _rank(key: IntArray) -> IntArray:
    """Place of each entry within its run of equal keys, from 0; ``key`` is sorted into runs."""
    if not len(key):
        return np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    length = np.diff(np.concatenate([starts, [len(key)]]))
    return np.arange(len(key), dtype=np.int64) - np.repeat(starts, length)


def _nearest(home: _Ways, most: float) -> BoolArray:
    """The nearest site of each group where it can stay, if within ``most`` [km], (G, S)."""
    best = np.argmin(home.km, axis=1)
    rows = np.arange(len(best))
    chosen = np.zeros(home.km.shape, dtype=bool)
    chosen[rows, best] = home.km[rows, best] <= 2 * most
    return chosen


def _tell(truck_days: TruckDays, zones: Zones, alone: BoolArray, faults: FaultList) -> None:
    for home in np.unique(truck_days.home[alone]):
        trucks = float(truck_days.trucks[alone & (truck_days.home == home)].sum())
        what = f"{trucks:.0f} truck-days from {zones.title[home]} reach no charging site and stay with diesel"
        faults.note("truck-days", None, None, what=what)
