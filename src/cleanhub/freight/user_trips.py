"""A user's own trips or GPS stops as zones, trips and truck-days.

Places within ``place_join`` of a zone of the hub are that zone; the others become places of their own,
one for each cell of :data:`CELL_DEGREES`. Stops become truck-days as they were driven: a rest of at
least ``rest_gap`` ends one. Tours that no battery could serve are refused by name, or kept as not
electrifiable. :mod:`cleanhub.freight.trip_privacy` says what of all this may leave.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from cleanhub.core.errors import Fault, FaultList
from cleanhub.core.units import factor
from cleanhub.freight.energy import battery_at_plug, group_energy
from cleanhub.freight.figures import Figures
from cleanhub.freight.near import Nearby
from cleanhub.freight.network import Network
from cleanhub.freight.problem import (
    LOADS,
    MOST_TRIPS,
    BoolArray,
    FloatArray,
    IntArray,
    SitingProblem,
    TextArray,
    Trips,
    TruckDays,
    Zones,
)
from cleanhub.freight.travel_time import minutes_under_way
from cleanhub.freight.trip_table import TripTable

CELL_DEGREES = 0.01
VISITS_OF_A_TRUCK = 4.0
"""Most visits of a truck to a terminal a day (8 one-way trips); bounds trucks where only trips are known."""


@dataclass(frozen=True)
class UserTrips:
    """A user's ``trips`` (R,) over ``zones``, and at least how many different ``trucks`` (R,) make them."""

    zones: Zones = field(repr=False)
    trips: Trips = field(repr=False)
    trucks: FloatArray = field(repr=False)


@dataclass(frozen=True)
class UserTruckDays:
    """A user's truck-days ``days`` (G,) over ``zones``.

    ``truck`` (G,) numbers the truck of each, ``label`` (G,) names truck and day for faults alone, and
    ``skipped`` counts trucks with a single place, which show no trip.
    """

    zones: Zones = field(repr=False)
    days: TruckDays = field(repr=False)
    truck: IntArray = field(repr=False)
    label: TextArray = field(repr=False)
    skipped: int = 0


def user_trips(table: TripTable, zones: Zones, figures: Figures) -> UserTrips:
    """Trips of a trip table, one row for each pair of places.

    Raises :class:`~cleanhub.core.errors.InputError` for rows that start where they end, for more trips
    than :data:`~cleanhub.freight.problem.MOST_TRIPS`, and for a table of stops.
    """
    _expect(table, "trips")
    frame, join = table.frame, figures.value("place_join", unit="km")
    ends, own = [], zones
    for end in ("origin", "destination"):
        if f"{end}_lat" in frame:
            place, own = _joined(frame[f"{end}_lat"], frame[f"{end}_lon"], own, join)
        else:
            at = {name: k for k, name in enumerate(own.name)}
            place = np.array([at[name] for name in frame[end]], dtype=np.int64)
        ends.append(place)
    faults = FaultList()
    for row in np.flatnonzero(ends[0] == ends[1]):
        what = "starts where it ends"
        faults.add(table.name, int(frame["row"].iloc[row]), None, what=what, allowed="two places")
    per_day = frame["trips_per_day"].to_numpy(np.float64)
    if per_day.sum() > MOST_TRIPS:
        found, allowed = f"{per_day.sum():,.0f}", f"at most {MOST_TRIPS:,} in all"
        faults.add(table.name, None, "trips_per_day", what="too many trips", found=found, allowed=allowed)
    faults.raise_if_any(f"trips of {table.name}")
    trucks = per_day / VISITS_OF_A_TRUCK
    if "trucks" in frame:
        said = frame["trucks"].to_numpy(np.float64)
        trucks = np.where(np.isfinite(said), said, trucks)
    code, of = np.unique(ends[0] * len(own.name) + ends[1], return_inverse=True)
    most = np.zeros(len(code))
    np.maximum.at(most, of, trucks)  # trucks of two rows may be the same ones
    origin, destination = code // max(len(own.name), 1), code % max(len(own.name), 1)
    total = np.bincount(of, weights=per_day, minlength=len(code)).astype(np.float64)
    trips = Trips(origin, destination, total)
    return UserTrips(own, trips, most)


def user_truck_days(table: TripTable, zones: Zones, network: Network, figures: Figures) -> UserTruckDays:
    """Truck-days of GPS stops.

    A leg joins two stops in a row; the last leads to where the truck starts next. It is loaded when it
    leaves a terminal, bobtail when it leads to the base, else empty. A truck-day counts as one over the
    number of days with data. Raises ``InputError`` for a trip table and for places off the network or
    unreachable.
    """
    _expect(table, "stops")
    frame = table.frame
    if frame.empty:
        return UserTruckDays(zones, _gathered([], 0), np.zeros(0, np.int64), np.zeros(0, object))
    place, own = _joined(frame["lat"], frame["lon"], zones, figures.value("place_join", unit="km"))
    names, truck = np.unique(frame["truck"].to_numpy(str), return_inverse=True)
    clock = _hours_since(frame["time"])
    leaves = _hours_since(frame["departure"]) if "departure" in frame else np.full(len(clock), np.nan)
    first = np.append(True, (truck[1:] != truck[:-1]) | (place[1:] != place[:-1]))
    last = np.append(first[1:], True)
    stops = _Stops(truck[first], place[first], clock[first], leaves[last])
    used, at = np.unique(stops.place, return_inverse=True)
    between = network.between(own.lat[used], own.lon[used], own.lat[used], own.lon[used])
    days = _days_of_stops(stops, at, between.km, between.minutes, own, network, figures)
    _check_reached(days, table.name)
    dates = [pd.Timestamp(float(hour), unit="h").date() for hour in days.begin]
    label = np.array([f"{names[t]} on {d}" for t, d in zip(days.truck, dates, strict=True)], dtype=object)
    made = replace(days.days, trucks=np.full(len(label), 1.0 / max(len(set(dates)), 1)))
    return UserTruckDays(own, made, days.truck, label, days.skipped)


def off_the_roads(table: TripTable, network: Network) -> tuple[Fault, ...]:
    """Places of the file further from any road than the network allows, a fault for each row and end."""
    frame, faults = table.frame, FaultList()
    for lat_key, lon_key in (
        ("origin_lat", "origin_lon"),
        ("destination_lat", "destination_lon"),
        ("lat", "lon"),
    ):
        if lat_key not in frame or frame.empty:
            continue
        lat, lon = frame[lat_key].to_numpy(np.float64), frame[lon_key].to_numpy(np.float64)
        km = network.snap(lat, lon)[1]
        for at in np.flatnonzero(km > network.snap_limit_km):
            found = f"{lat[at]:g}, {lon[at]:g}: {km[at]:.0f} km from the nearest road"
            allowed = f"at most {network.snap_limit_km:g} km"
            row = int(frame["row"].iloc[at])
            column = table.inference.by_field[lat_key]
            faults.add(table.name, row, column, what="off the roads", found=found, allowed=allowed)
    return tuple(faults.faults)


def longest_tour_kwh(figures: Figures) -> float:
    """Energy at the plug beyond which no truck-day can be electric [kWh]: the largest battery, twice."""
    sizes = figures.rows.loc["battery_size"]
    largest = max(
        float(high if pd.notna(high) else value) * factor(str(unit), "kWh")
        for high, value, unit in zip(sizes["high"], sizes["value"], sizes["unit"], strict=True)
    )
    year = np.array([int(str(sizes.index[0]))])
    usable = float(battery_at_plug(figures, year)[0]) / figures.value("battery_size", str(year[0]), "kWh")
    return SitingProblem.batteries_most * largest * usable


def electrifiable(user: UserTruckDays, figures: Figures, file: str, allow_long: bool = False) -> BoolArray:
    """Which truck-days a battery can serve, (G,).

    Raises ``InputError`` that names every tour which takes more than the largest battery twice, unless
    ``allow_long`` keeps them as not electrifiable.
    """
    limit, kwh = longest_tour_kwh(figures), group_energy(user.days, figures)
    short = kwh <= limit
    faults = FaultList()
    miles = user.days.km / factor("mi", "km")
    for g in np.flatnonzero(~short):
        found = f"{user.label[g]}: {miles[g]:.0f} mi, {kwh[g]:.0f} kWh"
        faults.add(file, what="tour longer than any battery", found=found, allowed=f"at most {limit:.0f} kWh")
    if not allow_long:
        faults.raise_if_any(f"trips of {file}")
    return np.asarray(short, dtype=np.bool_)


def electrifiable_trips(
    user: UserTrips, network: Network, figures: Figures, file: str, allow_long: bool = False
) -> BoolArray:
    """Which trips (R,) a battery can serve, there loaded and back empty; as :func:`electrifiable`.

    Where there and back exceed the driving limit of a shift, one way counts: the truck rests at the far end.
    Unreachable destinations are listed by name.
    """
    zones, trips = user.zones, user.trips
    used, at = np.unique(np.concatenate([trips.origin, trips.destination]), return_inverse=True)
    between = network.between(zones.lat[used], zones.lon[used], zones.lat[used], zones.lon[used])
    count = len(trips.origin)
    km, hours = (matrix[at[:count], at[count:]] for matrix in (between.km, between.minutes / 60))
    title = [
        f"{zones.title[o]} to {zones.title[d]}" for o, d in zip(trips.origin, trips.destination, strict=True)
    ]
    faults = FaultList()
    for r in np.flatnonzero(~np.isfinite(km)):
        faults.add(file, what="unreachable destination", found=title[r])
    faults.raise_if_any(f"trips of {file}")
    both = np.where(2 * hours <= figures.value("driving_limit", unit="h"), 2, 1)
    group = np.repeat(np.arange(count), both)
    way_back = np.arange(len(group)) - np.repeat(np.cumsum(both) - both, both) == 1
    days = TruckDays(
        trucks=np.ones(count),
        home=trips.origin,
        shifts=np.ones(count, dtype=np.int64),
        leg_group=group,
        leg_from=np.where(way_back, trips.destination[group], trips.origin[group]),
        leg_to=np.where(way_back, trips.origin[group], trips.destination[group]),
        leg_load=np.where(way_back, LOADS.index("empty"), LOADS.index("loaded")),
        leg_km=km[group],
        leg_hours=hours[group],
        leg_start=np.zeros(len(group)),
        leg_dwell=np.zeros(len(group)),
    )
    named = UserTruckDays(zones, days, np.arange(count), np.array(title, dtype=object))
    return electrifiable(named, figures, file, allow_long)


# ---------------------------------------------------------------- places


def _expect(table: TripTable, kind: str) -> None:
    faults = FaultList()
    faults.extend(table.faults)
    if table.kind != kind:
        faults.add(table.name, what="kind of file", found=table.kind, allowed=kind)
    faults.raise_if_any(f"trips of {table.name}")


def _joined(
    lat: pd.Series[float], lon: pd.Series[float], zones: Zones, join_km: float
) -> tuple[IntArray, Zones]:
    """Zone of each point, (n,), and the zones with the user's own places behind them."""
    at = np.column_stack([lat.to_numpy(np.float64), lon.to_numpy(np.float64)])
    near, km = Nearby(zones.lat, zones.lon).nearest(at[:, 0], at[:, 1])
    far = ~(km <= join_km)
    cell = np.round(at[far] / CELL_DEGREES).astype(np.int64)
    cells, of = np.unique(cell, axis=0, return_inverse=True)
    of = of.reshape(-1)
    size = np.maximum(np.bincount(of, minlength=len(cells)), 1)
    middle = [np.bincount(of, weights=at[far][:, axis], minlength=len(cells)) / size for axis in (0, 1)]
    begun = sum(str(name).startswith("own-") for name in zones.name)
    number = np.arange(begun + 1, begun + len(cells) + 1)
    extra = Zones(
        name=np.array([f"own-{n}" for n in number], dtype=object),
        title=np.array([f"own place {n}" for n in number], dtype=object),
        kind=np.full(len(cells), "cluster", dtype=object),
        lat=middle[0],
        lon=middle[1],
        weight=np.zeros(len(cells)),
        band=np.full(len(cells), "", dtype=object),
    )
    place = near.copy()
    place[far] = len(zones.name) + of
    both = {key: np.concatenate([getattr(zones, key), getattr(extra, key)]) for key in vars(zones)}
    return place, Zones(**both)


# ---------------------------------------------------------------- stops


@dataclass(frozen=True)
class _Stops:
    truck: IntArray
    place: IntArray
    arrives: FloatArray
    leaves: FloatArray


@dataclass(frozen=True)
class _Driven:
    days: TruckDays
    truck: IntArray
    begin: FloatArray
    skipped: int


def _hours_since(time: pd.Series[pd.Timestamp]) -> FloatArray:
    """Hours since midnight of 1 January 1970, nan where blank, (n,)."""
    moment = time.to_numpy("datetime64[s]").astype(np.int64).astype(np.float64)
    moment[time.isna().to_numpy()] = np.nan
    return moment / 3600.0


def _days_of_stops(
    stops: _Stops,
    at: IntArray,
    km: FloatArray,
    minutes: FloatArray,
    zones: Zones,
    network: Network,
    figures: Figures,
) -> _Driven:
    """Legs between stops in a row, cut into truck-days at rests.

    A truck that tells no departure leaves in time for its next stop. Where it rests, the day that
    begins there has its base there.
    """
    same = stops.truck[1:] == stops.truck[:-1]
    legs = np.flatnonzero(same)
    after = legs + 1
    free = minutes[at[legs], at[after]]
    hours = minutes_under_way(free, np.mod(stops.arrives[after], 24), network.profile.slowdown) / 60
    leaves = np.maximum(stops.arrives[after] - np.where(np.isfinite(hours), hours, 0.0), stops.arrives[legs])
    leaves = np.where(np.isfinite(stops.leaves[legs]), stops.leaves[legs], leaves)
    hours = minutes_under_way(free, np.mod(leaves, 24), network.profile.slowdown) / 60
    stands = leaves - stops.arrives[legs]
    begins = np.append(True, legs[1:] != after[:-1]) | (stands >= figures.value("rest_gap", unit="h"))
    day = np.cumsum(begins) - 1
    first = np.flatnonzero(begins)
    start, end = stops.place[legs], stops.place[after]
    base = start[first]
    load = np.where(zones.kind[start] == "terminal", LOADS.index("loaded"), LOADS.index("empty"))
    load = np.where(end == base[day], LOADS.index("bobtail"), load)
    dwell = np.append(np.where(legs[1:] == after[:-1], stands[1:], 0.0), 0.0) if len(legs) else stands
    span = leaves + hours - leaves[first][day]
    longest = np.zeros(len(first))
    np.maximum.at(longest, day, np.where(np.isfinite(span), span, 0.0))
    days = TruckDays(
        trucks=np.ones(len(first)),
        home=base,
        shifts=np.where(longest > figures.value("duty_limit", unit="h"), 2, 1).astype(np.int64),
        leg_group=day.astype(np.int64),
        leg_from=start,
        leg_to=end,
        leg_load=load.astype(np.int64),
        leg_km=km[at[legs], at[after]],
        leg_hours=hours,
        leg_start=np.mod(leaves, 24),
        leg_dwell=dwell,
    )
    truck = stops.truck[legs[first]]
    still = len(np.setdiff1d(stops.truck, truck))
    return _Driven(days, truck, leaves[first], still)


def _check_reached(driven: _Driven, file: str) -> None:
    faults = FaultList()
    lost = np.unique(driven.days.leg_group[~np.isfinite(driven.days.leg_km)])
    for g in lost:
        faults.add(file, what="unreachable destination", found=f"truck-day {g + 1}")
    faults.raise_if_any(f"trips of {file}")


def _gathered(legs: list[int], groups: int) -> TruckDays:
    whole = np.zeros(len(legs), dtype=np.int64)
    number = np.zeros(len(legs))
    count = np.zeros(groups)
    home = np.zeros(groups, dtype=np.int64)
    return TruckDays(count, home, home, whole, whole, whole, whole, number, number, number, number)
