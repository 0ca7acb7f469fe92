"""Roads as a graph: nearest node, distances and times from many points to many, the arcs used.

Distances are exact shortest paths (Dijkstra's, by scipy) between nodes, times a circuity factor,
plus an access leg at each end: the great circle to the nearest node that a truck may use, times a
factor. Nothing here reads a file: :mod:`cleanhub.freight.roads` and
:mod:`cleanhub.freight.road_readers` make networks. scipy is loaded where a way is looked for: a network
that is only read back needs none of it. Letters in shapes: N nodes, A arcs, n and m points,
P rows of paths.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cleanhub.core.errors import FaultList, InputError
from cleanhub.core.units import factor
from cleanhub.freight.globe import great_circle_km
from cleanhub.freight.travel_time import DayProfile, mean_minutes, minutes_by_hour, minutes_under_way

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from scipy.spatial import cKDTree

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
TextArray = NDArray[np.object_]

LEAST_WEIGHT = 1e-9  # an arc of no length is an arc; a stored 0 might be read as none
SCRAP_SHARE = 0.01  # a part with fewer of the nodes is a yard or an end cut off by the file's border
CHUNK = 64  # sources solved at a time where trees of predecessors are kept


class Between(NamedTuple):
    """From n points to m points: ``km`` and free-flow ``minutes``, each (n, m); inf where unreachable."""

    km: FloatArray
    minutes: FloatArray


@dataclass(frozen=True)
class Route:
    """One way: its length, its time and its line.

    ``minutes`` (24,) is for a departure at each full hour, ``free_minutes`` on a free road and
    ``mean_minutes`` over the departures of a day. ``lat`` and ``lon`` run from point to point,
    the nodes between them; ``snap_km`` are the great circles from the two points to the road.
    """

    km: float
    miles: float
    free_minutes: float
    mean_minutes: float
    minutes: FloatArray
    snap_km: tuple[float, float]
    lat: FloatArray
    lon: FloatArray


@dataclass(frozen=True)
class Network:
    """A road graph; arcs are directed, a road open both ways is two arcs.

    ``lat``, ``lon`` (N,) [degrees]; ``tail``, ``head`` (A,) positions of nodes; ``length_km`` (A,)
    before circuity; ``time_min`` (A,) on a free road; ``road_class`` (A,) words of the source, empty where it
    has none; ``truck_ok`` (A,): arcs where it is False are never used. ``circuity`` multiplies lengths
    and times of roads (geometry drawn too short), ``access_factor`` the great circle of access
    legs, driven at ``access_kmh``. ``route_by`` says what a route makes short: distance, or time
    where the source tells speeds. A point further than ``snap_limit_km`` from the road is off the network.
    """

    name: str
    licence: str
    attribution: str
    lat: FloatArray
    lon: FloatArray
    tail: IntArray
    head: IntArray
    length_km: FloatArray
    time_min: FloatArray
    road_class: TextArray
    truck_ok: BoolArray
    circuity: float = 1.0
    access_factor: float = 1.2
    access_kmh: float = 40.0
    snap_limit_km: float = 40.0
    route_by: Literal["distance", "time"] = "distance"
    profile: DayProfile = field(default_factory=DayProfile)

    def __getstate__(self) -> dict[str, Any]:
        """What it was made from; what it worked out on the way is worked out again where it is asked for."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    # ------------------------------------------------------------ points

    def snap(self, lat: ArrayLike, lon: ArrayLike) -> tuple[IntArray, FloatArray]:
        """The nearest node that a truck may use: its position (n,) and the great circle to it (n,) [km]."""
        lat, lon = np.atleast_1d(np.asarray(lat, float)), np.atleast_1d(np.asarray(lon, float))
        self._check_degrees(lat, lon, "point")
        if not len(self._usable):
            raise InputError(f"{self.name}: the network has no road that a truck may use")
        near = self._usable[self._tree.query(_unit_vectors(lat, lon))[1]]
        return near, great_circle_km(lat, lon, self.lat[near], self.lon[near])

    def between(
        self, from_lat: ArrayLike, from_lon: ArrayLike, to_lat: ArrayLike, to_lon: ArrayLike
    ) -> Between:
        """Distance [km] and free-flow time [min] from n points to m points, access legs included.

        Points that share their node, or lie closer to each other than to the road, are joined
        directly where that is shorter. Unreachable pairs are inf. Raises ``InputError`` listing every point
        that is no place on Earth or off the network.
        """
        start, start_km = self._snapped(from_lat, from_lon, "from")
        end, end_km = self._snapped(to_lat, to_lon, "to")
        sources, source_of = np.unique(start, return_inverse=True)
        targets, target_of = np.unique(end, return_inverse=True)
        km, minutes = self._node_matrix(sources, targets)
        access = self.access_factor * (start_km[:, None] + end_km[None, :])
        pick = np.ix_(source_of, target_of)
        km, minutes = km[pick] + access, minutes[pick] + access * (60 / self.access_kmh)
        direct = great_circle_km(
            np.reshape(from_lat, (-1, 1)), np.reshape(from_lon, (-1, 1)), np.ravel(to_lat), np.ravel(to_lon)
        )
        near = (direct < start_km[:, None] + end_km[None, :]) & (self.access_factor * direct < km)
        return Between(
            np.where(near, self.access_factor * direct, km),
            np.where(near, self.access_factor * direct * (60 / self.access_kmh), minutes),
        )

    def paths(
        self, from_lat: ArrayLike, from_lon: ArrayLike, to_lat: ArrayLike, to_lon: ArrayLike
    ) -> tuple[IntArray, IntArray]:
        """The arcs that each of n pairs of points uses, in order: ``pair`` (P,) and ``arc`` (P,).

        A pair that is unreachable, or whose points share their node, has no rows. Raises
        ``InputError`` as :meth:`between` does.
        """
        start = self._snapped(from_lat, from_lon, "from")[0]
        end = self._snapped(to_lat, to_lon, "to")[0]
        if len(start) != len(end):
            raise ValueError("paths takes as many destinations as origins")
        return self.node_paths(start, end)

    def route(self, from_point: tuple[float, float], to_point: tuple[float, float]) -> Route:
        """The way between two points given as (lat, lon). Raises ``InputError`` if there is none."""
        (lat, lon), (to_lat, to_lon) = from_point, to_point
        km, minutes = self.between(lat, lon, to_lat, to_lon)
        check_reached(km, [f"{lat:g},{lon:g}"], [f"{to_lat:g},{to_lon:g}"], self.name)
        arcs = self.paths(lat, lon, to_lat, to_lon)[1]
        (start,), (start_km,) = self.snap(lat, lon)
        (_,), (end_km,) = self.snap(to_lat, to_lon)
        nodes = np.concatenate([[start], self.head[arcs]]).astype(np.int64)
        free = float(minutes[0, 0])
        return Route(
            km=float(km[0, 0]),
            miles=float(km[0, 0]) * factor("km", "mi"),
            free_minutes=free,
            mean_minutes=float(mean_minutes(free, self.profile)),
            minutes=minutes_by_hour(free, self.profile.slowdown),
            snap_km=(float(start_km), float(end_km)),
            lat=np.concatenate([[lat], self.lat[nodes], [to_lat]]),
            lon=np.concatenate([[lon], self.lon[nodes], [to_lon]]),
        )

    def minutes_at(self, free_minutes: ArrayLike, hour: ArrayLike) -> FloatArray:
        """Time when leaving at ``hour`` of a trip that takes ``free_minutes`` on a free road [min]."""
        return minutes_under_way(free_minutes, hour, self.profile.slowdown)

    # ------------------------------------------------------------ nodes

    def node_km(self, sources: IntArray, targets: IntArray) -> FloatArray:
        """Length of the ways from nodes (n,) to nodes (m,), circuity included, (n, m) [km]."""
        return self._node_matrix(sources, targets)[0]

    def node_paths(self, start: IntArray, end: IntArray) -> tuple[IntArray, IntArray]:
        """As :meth:`paths`, for pairs of nodes."""
        pairs, arcs = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        sources = np.unique(start)
        for first in range(0, len(sources), CHUNK):
            some = sources[first : first + CHUNK]
            rows = np.flatnonzero((start >= some[0]) & (start <= some[-1]))
            tree = np.asarray(self._trees(some)[1])
            pair, arc = self._traced(np.searchsorted(some, start[rows]), end[rows], tree)
            pairs.append(rows[pair])
            arcs.append(arc)
        pair, arc = np.concatenate(pairs), np.concatenate(arcs)
        order = np.argsort(pair, kind="stable")
        return pair[order], arc[order]

    def _node_matrix(self, sources: IntArray, targets: IntArray) -> tuple[FloatArray, FloatArray]:
        """Kilometres and free-flow minutes between unique nodes."""
        if self._minutes_per_km is not None:
            km = self._shortest(sources, targets)
            if self.route_by == "time":
                km = km / max(self._minutes_per_km, LEAST_WEIGHT)
            return self.circuity * km, self.circuity * self._minutes_per_km * km
        best = np.empty((len(sources), len(targets)))
        other = np.empty_like(best)
        beside = self._arc_other
        for first in range(0, len(sources), CHUNK):
            rows = slice(first, first + CHUNK)
            weight, tree = self._trees(sources[rows])
            best[rows] = weight[:, targets]
            other[rows] = _along_trees(tree, self._keys, beside, len(self.lat))[:, targets]
        other[~np.isfinite(best)] = np.inf
        km, minutes = (other, best) if self.route_by == "time" else (best, other)
        return self.circuity * km, self.circuity * minutes

    def _shortest(self, sources: IntArray, targets: IntArray) -> FloatArray:
        """Weights of the shortest ways, searched no further than the targets are likely to be."""
        span = great_circle_km(
            self.lat[sources][:, None], self.lon[sources][:, None], self.lat[targets], self.lon[targets]
        ).max(initial=0.0)
        scale = max(self._minutes_per_km or 1.0, LEAST_WEIGHT) if self.route_by == "time" else 1.0
        limit = 1.8 * scale * span + LEAST_WEIGHT * len(self.lat)
        from scipy.sparse.csgraph import dijkstra

        found = np.asarray(dijkstra(self._graph, indices=sources, limit=limit))[:, targets]
        missed = np.flatnonzero(np.isinf(found).any(axis=1))
        if len(missed):  # a detour beyond the limit, or no way at all: without one
            found[missed] = np.asarray(dijkstra(self._graph, indices=sources[missed]))[:, targets]
        return np.asarray(found, dtype=np.float64)

    def _trees(self, sources: IntArray) -> tuple[FloatArray, NDArray[np.int32]]:
        """Weights and predecessors of the shortest ways from ``sources`` to all nodes."""
        from scipy.sparse.csgraph import dijkstra

        return dijkstra(self._graph, indices=sources, return_predecessors=True)

    def _traced(self, row: IntArray, end: IntArray, tree: NDArray[np.int32]) -> tuple[IntArray, IntArray]:
        """Arcs from the root of tree ``row`` to ``end``, for all pairs at once; in order within a pair."""
        pair = np.arange(len(end))
        pairs, arcs = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        node = end
        while True:
            before = tree[row, node].astype(np.int64)
            on = before >= 0
            if not on.any():
                break
            pair, row, node, before = pair[on], row[on], node[on], before[on]
            found = np.searchsorted(self._keys, before * len(self.lat) + node)
            pairs.append(pair)
            arcs.append(self._arcs[found])
            node = before
        pair, arc = np.concatenate(pairs[::-1]), np.concatenate(arcs[::-1])
        order = np.argsort(pair, kind="stable")
        return pair[order], arc[order]

    # ------------------------------------------------------------ made once

    @cached_property
    def _usable(self) -> IntArray:
        """Nodes that an arc open to trucks touches, in parts of the graph that are not mere scraps.

        A part is what trucks can go round in: leave and come back.
        """
        from scipy.sparse.csgraph import connected_components

        ends = np.unique(np.concatenate([self.tail[self._arcs], self.head[self._arcs]])).astype(np.int64)
        part = connected_components(self._graph, connection="strong")[1][ends]
        size = np.bincount(part, minlength=1)[part]
        return np.asarray(ends[size >= SCRAP_SHARE * len(ends)], dtype=np.int64)

    @cached_property
    def _tree(self) -> cKDTree:
        from scipy.spatial import cKDTree

        return cKDTree(_unit_vectors(self.lat[self._usable], self.lon[self._usable]))

    @cached_property
    def _arcs(self) -> IntArray:
        """Arcs that routes may use, sorted by tail and head; of parallel ones the best."""
        weight, other = self._weights()
        order = np.lexsort((other, weight, self.head, self.tail))
        order = order[self.truck_ok[order]]
        tail, head = self.tail[order], self.head[order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
        return np.asarray(order[first], dtype=np.int64)

    @cached_property
    def _keys(self) -> IntArray:
        return self.tail[self._arcs].astype(np.int64) * len(self.lat) + self.head[self._arcs]

    @cached_property
    def _graph(self) -> csr_array:
        from scipy.sparse import csr_array

        weight = np.maximum(self._weights()[0][self._arcs], LEAST_WEIGHT)
        starts = np.searchsorted(self.tail[self._arcs], np.arange(len(self.lat) + 1))
        shape = (len(self.lat), len(self.lat))
        columns = self.head[self._arcs].astype(np.int32)
        return csr_array((weight, columns, starts.astype(np.int32)), shape=shape)

    @cached_property
    def _arc_other(self) -> FloatArray:
        return np.asarray(self._weights()[1][self._arcs])

    @cached_property
    def _minutes_per_km(self) -> float | None:
        """Minutes per km where all roads are equally fast, else None: then distance gives time."""
        long = self.length_km > 0
        if not long.any():
            return None
        pace = self.time_min[long] / self.length_km[long]
        same = np.allclose(pace, pace[0], rtol=1e-9) and not self.time_min[~long].any()
        return float(pace[0]) if same and np.isfinite(pace[0]) and pace[0] > 0 else None

    def _weights(self) -> tuple[FloatArray, FloatArray]:
        if self.route_by == "time":
            return self.time_min, self.length_km
        return self.length_km, self.time_min

    # ------------------------------------------------------------ checks

    def _snapped(self, lat: ArrayLike, lon: ArrayLike, side: str) -> tuple[IntArray, FloatArray]:
        lat, lon = np.atleast_1d(np.asarray(lat, float)), np.atleast_1d(np.asarray(lon, float))
        self._check_degrees(lat, lon, side)
        node, km = self.snap(lat, lon)
        faults = FaultList()
        for row in np.flatnonzero(km > self.snap_limit_km):
            faults.add(
                f"{side} {row + 1}",
                what="off the road network",
                found=f"{lat[row]:g},{lon[row]:g}, {km[row]:.1f} km from the nearest road",
                allowed=f"at most {self.snap_limit_km:g} km",
            )
        faults.raise_if_any(self.name)
        return node, km

    def _check_degrees(self, lat: FloatArray, lon: FloatArray, side: str) -> None:
        faults = FaultList()
        wrong = ~(np.abs(lat) <= 90) | ~(np.abs(lon) <= 180)  # also where it is not a number
        for row in np.flatnonzero(wrong):
            faults.add(
                f"{side} {row + 1}",
                what="no place on Earth",
                found=f"{lat[row]:g},{lon[row]:g}",
                allowed="latitude -90 to 90, longitude -180 to 180",
            )
        faults.raise_if_any(self.name)


@dataclass(frozen=True)
class StraightLines(Network):
    """Places without roads: every way is the great circle times ``circuity``, at the pace of the arcs.

    Its nodes are places of the hub, its arcs the lines between all of them; distances are taken
    between the points themselves, and only paths between the nearest places.
    """

    kmh: float = 80.0

    def between(
        self, from_lat: ArrayLike, from_lon: ArrayLike, to_lat: ArrayLike, to_lon: ArrayLike
    ) -> Between:
        """Great circles times circuity, (n, m) [km], and the time at the free speed [min]."""
        lat, lon = np.atleast_1d(np.asarray(from_lat, float)), np.atleast_1d(np.asarray(from_lon, float))
        ends = np.atleast_1d(np.asarray(to_lat, float)), np.atleast_1d(np.asarray(to_lon, float))
        self._check_degrees(lat, lon, "from")
        self._check_degrees(*ends, "to")
        km = self.circuity * great_circle_km(lat[:, None], lon[:, None], *ends)
        return Between(km, km * (60 / self.kmh))

    def route(self, from_point: tuple[float, float], to_point: tuple[float, float]) -> Route:
        """The straight line between two points given as (lat, lon)."""
        (lat, lon), (to_lat, to_lon) = from_point, to_point
        km, minutes = (float(values[0, 0]) for values in self.between(lat, lon, to_lat, to_lon))
        return Route(
            km=km,
            miles=km * factor("km", "mi"),
            free_minutes=minutes,
            mean_minutes=float(mean_minutes(minutes, self.profile)),
            minutes=minutes_by_hour(minutes, self.profile.slowdown),
            snap_km=(0.0, 0.0),
            lat=np.array([lat, to_lat]),
            lon=np.array([lon, to_lon]),
        )

    def _snapped(self, lat: ArrayLike, lon: ArrayLike, side: str) -> tuple[IntArray, FloatArray]:
        return self.snap(lat, lon)


@dataclass(frozen=True)
class PlaceMatrix(Network):
    """Places and the ways between them as someone measured them: each arc is a whole way.

    A pair without an arc is unreachable: ways are not put together from others.
    """

    @cached_property
    def _usable(self) -> IntArray:
        return np.unique(np.concatenate([self.tail, self.head])).astype(np.int64)

    def _node_matrix(self, sources: IntArray, targets: IntArray) -> tuple[FloatArray, FloatArray]:
        place = np.searchsorted(self._keys, sources[:, None] * len(self.lat) + targets[None, :])
        place = np.minimum(place, max(len(self._keys) - 1, 0))
        known = self._keys[place] == sources[:, None] * len(self.lat) + targets[None, :]
        arc = self._arcs[place]
        same = sources[:, None] == targets[None, :]
        found = [
            np.where(known, values[arc], np.where(same, 0.0, np.inf))
            for values in (self.length_km, self.time_min)
        ]
        return self.circuity * found[0], self.circuity * found[1]

    def node_paths(self, start: IntArray, end: IntArray) -> tuple[IntArray, IntArray]:
        """The one arc of each pair of nodes that has one."""
        wanted = start * len(self.lat) + end
        place = np.minimum(np.searchsorted(self._keys, wanted), max(len(self._keys) - 1, 0))
        pair = np.flatnonzero(self._keys[place] == wanted)
        return pair, self._arcs[place[pair]]


def check_reached(km: FloatArray, origins: list[str], destinations: list[str], what: str) -> None:
    """Raise ``InputError`` naming every pair of ``km`` (n, m) that no way joins."""
    faults = FaultList()
    for row, column in np.argwhere(~np.isfinite(km)):
        faults.add(destinations[column], what="unreachable destination", found=f"no road from {origins[row]}")
    faults.raise_if_any(what)


def _along_trees(tree: NDArray[np.int32], keys: IntArray, values: FloatArray, count: int) -> FloatArray:
    """Sum of ``values`` of the arcs from each root to every node, (trees, N), by doubling the step."""
    parent = np.where(tree >= 0, tree, np.arange(count)).astype(np.int64)
    arc = np.searchsorted(keys, parent * count + np.arange(count))
    arc = np.minimum(arc, max(len(keys) - 1, 0))
    total = np.where(tree >= 0, values[arc], 0.0)
    while True:
        further = np.take_along_axis(parent, parent, axis=1)
        total = total + np.take_along_axis(total, parent, axis=1)
        if np.array_equal(further, parent):
            return np.asarray(total, dtype=np.float64)
        parent = further


def _unit_vectors(lat: FloatArray, lon: FloatArray) -> FloatArray:
    """Points on the unit sphere, (n, 3): nearest in space is nearest on the sphere."""
    latitude, longitude = np.radians(lat), np.radians(lon)
    flat = np.cos(latitude)
    return np.column_stack([flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)])
