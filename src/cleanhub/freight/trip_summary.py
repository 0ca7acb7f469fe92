"""What a user's own trips or GPS stops say, as aggregates that may leave: turns, dwell, miles, energy, roads.

Everything here rests on at least :data:`~cleanhub.freight.flows.LEAST_TRUCKS` different trucks, or is
withheld and counted. No single tour leaves, not even a rounded one: groups of truck-days are means over
their members. Coordinates of a user's own places are those of a cell of a hundredth of a degree. A trip
table says nothing of tours; its truck-days are modelled (:mod:`cleanhub.freight.tours`) from the trips that
may leave.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.units import factor
from cleanhub.freight.energy import battery_at_plug, group_energy
from cleanhub.freight.figures import Figures
from cleanhub.freight.flows import LEAST_TRUCKS, private_road_flow
from cleanhub.freight.network import Network
from cleanhub.freight.problem import BoolArray, FloatArray, IntArray, Zones
from cleanhub.freight.tours import truck_day_sample
from cleanhub.freight.trip_privacy import different_trucks, private_pairs, private_trips, private_truck_days
from cleanhub.freight.user_trips import CELL_DEGREES, UserTrips, UserTruckDays

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Percentiles of the distance of a truck-day."""
CLASS_MILES = 25.0
"""Width of a class of distance before classes of too few trucks are joined."""
SEVERAL = "several"
"""Base of a group no place of which enough of its trucks park at."""


@dataclass(frozen=True)
class TripSummary:
    """Aggregates of a user's trips: ``facts`` by name, ``tables`` by name, and what was ``withheld``."""

    facts: dict[str, float | int | str | None]
    tables: dict[str, pd.DataFrame] = field(repr=False)
    withheld: dict[str, float]


def modelled_truck_days(
    user: UserTrips, network: Network, figures: Figures, seed: int = 0
) -> tuple[UserTruckDays, int, float]:
    """Truck-days that drive the trips of a table, each by a truck of its own.

    Only pairs of places of enough trucks are driven, so what follows knows nothing of the others. Returns
    them, how many places were merged into others, and the trips a day withheld.
    """
    trips, merged, withheld = private_trips(user)
    own = np.array([str(name).startswith("own-") for name in user.zones.name], dtype=bool)
    own[np.concatenate([trips.origin, trips.destination])] = False
    keep = np.flatnonzero(~own)
    zones = Zones(**{key: values[keep] for key, values in vars(user.zones).items()})
    place = np.full(len(own), -1, dtype=np.int64)
    place[keep] = np.arange(len(keep))
    trips = type(trips)(place[trips.origin], place[trips.destination], trips.per_day)
    between = network.between(zones.lat, zones.lon, zones.lat, zones.lon)
    days = truck_day_sample(trips, zones, between, figures, seed)
    count = len(days.trucks)
    label = np.array([f"modelled truck-day {n + 1}" for n in range(count)], dtype=object)
    return UserTruckDays(zones, days, np.arange(count), label), merged, withheld


def summarise_truck_days(
    user: UserTruckDays,
    electrifiable: BoolArray,
    network: Network,
    figures: Figures,
    year: int,
    trips: UserTrips | None = None,
) -> TripSummary:
    """Aggregates of truck-days.

    Parameters
    ----------
    user
        The truck-days.
    electrifiable
        Which of them (G,) any battery could serve.
    network, figures
        Roads, and figures of trucks.
    year
        A truck bought in it is meant where a battery's reach is told by group and road.
    trips
        The trip table that the truck-days were modelled from; its pairs are told in place of theirs.

    Returns
    -------
    TripSummary
        Tables ``mileage``, ``dwell``, ``battery``, ``truck_day_groups``, ``origin_destination``, ``places``,
        ``road_flow``; without rows, and facts without numbers, when there are fewer than five trucks.
    """
    days = user.days
    kwh = group_energy(days, figures)
    within = electrifiable & (kwh <= float(battery_at_plug(figures, np.array([year]))[0]))
    pairs, pairs_hidden, trips_hidden = private_pairs(trips or user)
    places, places_hidden = _places(trips or user)
    enough = len(np.unique(user.truck)) >= LEAST_TRUCKS
    roads, arcs_hidden = private_road_flow(network, user.zones, days, within.astype(np.float64), user.truck)
    dwell, dwell_hidden = _dwell(user)
    tables = {
        "mileage": _miles(user),
        "dwell": dwell,
        "battery": _battery(user, kwh, electrifiable, figures),
        "truck_day_groups": _groups(user, kwh, within, round(figures.value("truck_day_groups"))),
        "origin_destination": _titled(pairs, (trips or user).zones),
        "places": places,
        "road_flow": roads.rename(columns={"ze_trucks_per_day": "within_battery_per_day"}),
    }
    tables = _renumbered(tables)
    if not enough:
        for name in ("mileage", "battery", "truck_day_groups"):
            tables[name] = tables[name].iloc[:0]
    withheld = {
        "truck_days": 0.0 if enough else float(days.trucks.sum()),
        "pairs_of_places": float(pairs_hidden),
        "trips_per_day_on_them": trips_hidden,
        "places": float(places_hidden),
        "kinds_of_stop": float(dwell_hidden),
        "road_arcs": float(arcs_hidden),
    }
    facts = _facts(user, kwh, electrifiable, enough)
    counted = enough and trips is None  # modelled truck-days know no trucks
    return TripSummary({"trucks": len(np.unique(user.truck)) if counted else None} | facts, tables, withheld)


# ---------------------------------------------------------------- numbers


def _facts(
    user: UserTruckDays, kwh: FloatArray, electrifiable: BoolArray, enough: bool
) -> dict[str, float | int | str | None]:
    measures = ("truck_days_per_day", "turns", "legs", "mean_miles", "hours", "kwh", "kwh_per_mile")
    percentiles = [f"miles_p{round(100 * share)}" for share in SHARES]
    names = [*measures, "two_shifts", "electrifiable", *percentiles]
    if not enough:
        return dict.fromkeys(names)
    days, zones = user.days, user.zones
    count, weight = len(days.trucks), days.trucks
    total = float(weight.sum())
    miles = days.km / factor("mi", "km")
    calls = np.bincount(
        days.leg_group, weights=(zones.kind[days.leg_to] == "terminal").astype(np.float64), minlength=count
    )
    hours = np.bincount(days.leg_group, weights=days.leg_hours, minlength=count)
    legs = np.bincount(days.leg_group, minlength=count)
    values: list[float | int | None] = [
        total,
        *(float(weight @ each / total) for each in (calls, legs, miles, hours, kwh)),
        float(weight @ kwh / max(float(weight @ miles), 1e-9)),
        float(weight @ (days.shifts > 1) / total),
        float(weight @ electrifiable / total),
        *shown_percentiles(miles, weight, user.truck, SHARES),
    ]
    return dict(zip(names, values, strict=True))


def shown_percentiles(
    values: FloatArray, weight: FloatArray, truck: IntArray, shares: tuple[float, ...]
) -> list[float | None]:
    """Percentiles (weighted) of ``values`` (G,); ``None`` where too few trucks lie on either side of one."""
    order = np.argsort(values, kind="stable")
    values, weight, truck = values[order], weight[order], truck[order]
    if not len(values):
        return [None] * len(shares)
    middle = (np.cumsum(weight) - weight / 2) / weight.sum()
    found: list[float | None] = []
    for share in shares:
        at = float(np.interp(share, middle, values))
        below, above = (len(np.unique(truck[side])) for side in (values <= at, values >= at))
        found.append(at if min(below, above) >= LEAST_TRUCKS else None)
    return found


def _miles(user: UserTruckDays) -> pd.DataFrame:
    """Truck-days a day by class of distance; classes of too few trucks join a neighbour."""
    miles = user.days.km / factor("mi", "km")
    cell = np.floor(miles / CLASS_MILES).astype(np.int64)
    last = int(cell.max(initial=-1)) + 1
    edges, begin = [], 0
    for end in range(1, last + 1):
        inside = (cell >= begin) & (cell < end)
        if len(np.unique(user.truck[inside])) >= LEAST_TRUCKS:
            edges.append((begin, end))
            begin = end
    if edges and begin < last:
        edges[-1] = (edges[-1][0], last)
    rows = [
        (low * CLASS_MILES, high * CLASS_MILES, float(user.days.trucks[(cell >= low) & (cell < high)].sum()))
        for low, high in edges
    ]
    return pd.DataFrame(rows, columns=["from_miles", "to_miles", "truck_days_per_day"])


def _dwell(user: UserTruckDays) -> tuple[pd.DataFrame, int]:
    """Hours at stops by kind of place, the rest after the last leg aside, and how many kinds are withheld."""
    days, zones = user.days, user.zones
    inside = np.flatnonzero(np.diff(days.leg_group, append=-1) == 0)
    to, group = days.leg_to[inside], days.leg_group[inside]
    own = np.array([str(name).startswith("own-") for name in zones.name], dtype=bool)
    kind = np.where(own, "own place", zones.kind.astype(str))[to]
    rows, hidden = [], 0
    for name in np.unique(kind):
        here = kind == name
        if len(np.unique(user.truck[group[here]])) < LEAST_TRUCKS:
            hidden += 1
            continue
        hours, weight = days.leg_dwell[inside][here], days.trucks[group[here]]
        middle = shown_percentiles(hours, weight, user.truck[group[here]], (0.5,))[0]
        rows.append((name, float(weight.sum()), float(weight @ hours / weight.sum()), middle))
    columns = ["kind", "stops_per_day", "mean_hours", "median_hours"]
    return pd.DataFrame(rows, columns=columns).astype({"median_hours": float}), hidden


def _battery(
    user: UserTruckDays, kwh: FloatArray, electrifiable: BoolArray, figures: Figures
) -> pd.DataFrame:
    """Share of truck-days within one battery, and within the most charged on the way, by year."""
    known = [int(year) for year in figures.items("battery_size", "kWh")]
    years = np.arange(min(known), max(known) + 1)
    battery = battery_at_plug(figures, years)
    most = figures.value("batteries_most") * battery
    weight = user.days.trucks
    total = max(float(weight.sum()), 1e-12)
    share = [
        [float(weight[electrifiable & (kwh <= limit)].sum()) / total for limit in limits]
        for limits in (battery, most)
    ]
    return pd.DataFrame(
        {"year": years, "battery_kwh": battery, "one_charge": share[0], "charged_on_the_way": share[1]}
    )


def _groups(user: UserTruckDays, kwh: FloatArray, within: BoolArray, most: int) -> pd.DataFrame:
    """Means over groups of like truck-days of enough trucks each; no tour stands for a group."""
    columns = ["group", "base", "truck_days_per_day", "legs", "miles", "hours", "kwh", "within_battery"]
    _, label, _, _ = private_truck_days(user, most)
    days = user.days
    count = int(label.max(initial=-1)) + 1
    if count == 0:
        return pd.DataFrame(columns=columns)
    groups = len(days.trucks)
    total = np.bincount(label, weights=days.trucks, minlength=count)
    each: dict[str, NDArray[Any]] = {
        "legs": np.bincount(days.leg_group, minlength=groups),
        "miles": days.km / factor("mi", "km"),
        "hours": np.bincount(days.leg_group, weights=days.leg_hours, minlength=groups),
        "kwh": kwh,
        "within_battery": within,
    }
    means = {
        name: np.bincount(label, weights=days.trucks * values, minlength=count) / total
        for name, values in each.items()
    }
    frame = pd.DataFrame(
        {"base": [_base(user, label == g) for g in range(count)], "truck_days_per_day": total} | means
    )
    frame = frame.sort_values(["base", "miles"], ignore_index=True)
    frame.insert(0, "group", np.arange(1, count + 1))
    return frame[columns]


def _base(user: UserTruckDays, inside: BoolArray) -> str:
    """The place at which most truck-days of a group begin, if enough of its trucks do."""
    home, truck = user.days.home[inside], user.truck[inside]
    different = different_trucks(home, truck, len(user.zones.name))
    best = int(np.argmax(different))
    return str(user.zones.title[best]) if different[best] >= LEAST_TRUCKS else SEVERAL


# ---------------------------------------------------------------- places


def _places(user: UserTruckDays | UserTrips) -> tuple[pd.DataFrame, int]:
    """Places that enough trucks use, the user's own to a hundredth of a degree, and how many are withheld."""
    zones = user.zones
    count = len(zones.name)
    if isinstance(user, UserTrips):
        ends = user.trips.origin, user.trips.destination
        trucks = np.zeros(count)
        for end in ends:
            np.maximum.at(trucks, end, user.trucks)
        per_day = sum(np.bincount(end, weights=user.trips.per_day, minlength=count) for end in ends)
    else:
        days = user.days
        group = days.leg_group
        key = np.concatenate([days.leg_from, days.leg_to])
        trucks = different_trucks(key, user.truck[np.concatenate([group, group])], count).astype(np.float64)
        per_day = np.bincount(days.leg_to, weights=days.trucks[group], minlength=count)
    used, shown = trucks > 0, trucks >= LEAST_TRUCKS
    own = np.array([str(name).startswith("own-") for name in zones.name], dtype=bool)[shown]
    at = {key: getattr(zones, key)[shown] for key in ("lat", "lon")}
    coarse = {
        key: np.where(own, np.round(np.round(v / CELL_DEGREES) * CELL_DEGREES, 2), v) for key, v in at.items()
    }
    frame = pd.DataFrame(
        {
            "place": zones.name[shown],
            "title": zones.title[shown],
            "kind": np.where(own, "own place", zones.kind[shown].astype(str)),
            **coarse,
            "stops_per_day": np.asarray(per_day)[shown],
        }
    )
    return frame, int((used & ~shown).sum())


def _titled(pairs: pd.DataFrame, zones: Zones) -> pd.DataFrame:
    title = dict(zip(zones.name, zones.title, strict=True))
    frame = pairs.assign(
        origin_title=pairs["origin"].map(title), destination_title=pairs["destination"].map(title)
    )
    return frame.sort_values("trips_per_day", ascending=False, kind="stable", ignore_index=True)


def _renumbered(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables with the user's own places counted from 1: gaps would tell of those withheld."""
    own = tables["places"].loc[tables["places"]["kind"] == "own place", ["place", "title"]]
    names = {old: f"own-{n}" for n, old in enumerate(own["place"], 1)}
    names |= {old: f"own place {n}" for n, old in enumerate(own["title"], 1)}
    columns = ("place", "title", "origin", "destination", "origin_title", "destination_title", "base")
    return {
        key: table.assign(**{c: table[c].map(lambda old: names.get(old, old)) for c in columns if c in table})
        for key, table in tables.items()
    }
