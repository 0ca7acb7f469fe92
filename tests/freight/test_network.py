"""The network against brute force, networkx, the laws of a metric and roads drawn by hand."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.core.errors import InputError
from cleanhub.freight.globe import EARTH_RADIUS_KM, great_circle_km
from cleanhub.freight.network import Network, PlaceMatrix, StraightLines, check_reached
from cleanhub.freight.roads import BUNDLED_ROADS, read_road_package
from cleanhub.freight.travel_time import HOURS, DayProfile

DEGREE_KM = np.pi * EARTH_RADIUS_KM / 180  # a degree of latitude, and of longitude on the equator


def network(
    points: list[tuple[float, float]],
    roads: list[tuple[int, int, float]],
    *,
    both_ways: bool = True,
    kmh: list[float] | None = None,
    truck_ok: list[bool] | None = None,
    kind: type[Network] = Network,
    **given: object,
) -> Network:
    """A network from points (lat, lon) and roads (from, to, km)."""
    speeds = kmh or [60.0] * len(roads)
    trucks = truck_ok or [True] * len(roads)
    tail, head, km = (list(column) for column in zip(*roads, strict=True))
    if both_ways:
        tail, head, km = tail + head, head + tail, km * 2
        speeds, trucks = speeds * 2, trucks * 2
    length = np.array(km, dtype=float)
    return kind(
        name="test roads",
        licence="none",
        attribution="",
        lat=np.array([lat for lat, _ in points], dtype=float),
        lon=np.array([lon for _, lon in points], dtype=float),
        tail=np.array(tail),
        head=np.array(head),
        length_km=length,
        time_min=60 * length / np.array(speeds),
        road_class=np.full(len(km), "", dtype=object),
        truck_ok=np.array(trucks),
        **given,  # type: ignore[arg-type]
    )


def square(**given: object) -> Network:
    """Four corners of a square of 0.1 degrees on the equator; the road 0-3 is long."""
    corners = [(0.0, 0.0), (0.0, 0.1), (0.1, 0.1), (0.1, 0.0)]
    return network(corners, [(0, 1, 12.0), (1, 2, 12.0), (2, 3, 12.0), (3, 0, 50.0)], **given)


@pytest.fixture(scope="module")
def california() -> Network:
    return read_road_package(BUNDLED_ROADS / "california-arizona-nevada", 80.0)


# ---------------------------------------------------------------- great circles


def test_great_circles_have_closed_forms() -> None:
    assert great_circle_km(0, 0, 1, 0) == pytest.approx(DEGREE_KM)
    assert great_circle_km(90, 0, -90, 77) == pytest.approx(np.pi * EARTH_RADIUS_KM)
    assert great_circle_km(60, 0, 60, 180) == pytest.approx(60 * DEGREE_KM)  # over the pole
    assert great_circle_km(0, 179.5, 0, -179.5) == pytest.approx(DEGREE_KM)  # across the date line
    assert great_circle_km(33.74, -118.26, 33.74, -118.26) == 0.0


def test_great_circles_broadcast() -> None:
    assert great_circle_km(np.zeros((3, 1)), np.zeros((3, 1)), np.ones(2), np.zeros(2)).shape == (3, 2)


# ---------------------------------------------------------------- ways between nodes


def floyd_warshall(count: int, tail: np.ndarray, head: np.ndarray, weight: np.ndarray) -> np.ndarray:
    best = np.full((count, count), np.inf)
    np.fill_diagonal(best, 0.0)
    for a, b, w in zip(tail, head, weight, strict=True):
        best[a, b] = min(best[a, b], w)
    for middle, start, end in itertools.product(range(count), repeat=3):
        best[start, end] = min(best[start, end], best[start, middle] + best[middle, end])
    return best


@st.composite
def small_graphs(draw: st.DrawFn) -> Network:
    count = draw(st.integers(2, 7))
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1), st.floats(0, 50))
    roads = draw(st.lists(pairs, min_size=1, max_size=20))
    trucks = draw(st.lists(st.booleans(), min_size=len(roads), max_size=len(roads)))
    trucks[0] = True
    speeds = draw(st.lists(st.sampled_from([30.0, 60.0, 90.0]), min_size=len(roads), max_size=len(roads)))
    points = [(0.01 * node, 0.013 * node * (-1) ** node) for node in range(count)]
    by = draw(st.sampled_from(["distance", "time"]))
    uniform = draw(st.booleans())
    return network(
        points,
        roads,
        both_ways=draw(st.booleans()),
        truck_ok=trucks,
        kmh=None if uniform else speeds,
        route_by=by,
    )


@settings(max_examples=150, deadline=None)
@given(small_graphs())
def test_ways_are_those_of_brute_force(roads: Network) -> None:
    nodes = np.arange(len(roads.lat))
    km, minutes = roads._node_matrix(nodes, nodes)
    ok = roads.truck_ok
    weight = roads.time_min if roads.route_by == "time" else roads.length_km
    wanted = floyd_warshall(len(nodes), roads.tail[ok], roads.head[ok], weight[ok])
    found = minutes if roads.route_by == "time" else km
    assert np.array_equal(np.isinf(found), np.isinf(wanted))
    assert np.isinf(km).tolist() == np.isinf(minutes).tolist()
    reached = np.isfinite(wanted)
    assert found[reached] == pytest.approx(wanted[reached], abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(small_graphs())
def test_paths_add_up_to_both_distance_and_time(roads: Network) -> None:
    count = len(roads.lat)
    start, end = (axis.ravel() for axis in np.meshgrid(np.arange(count), np.arange(count), indexing="ij"))
    pair, arc = roads.node_paths(start, end)
    km, minutes = roads._node_matrix(np.arange(count), np.arange(count))
    for values, wanted in ((roads.length_km, km), (roads.time_min, minutes)):
        total = np.bincount(pair, weights=values[arc], minlength=len(start)).reshape(count, count)
        reached = np.isfinite(wanted)
        assert total[reached] == pytest.approx(wanted[reached], abs=1e-6)
        assert not total[~reached].any()
    for number in np.unique(pair):  # each path runs from its start to its end without a gap
        used = arc[pair == number]
        assert roads.tail[used[0]] == start[number]
        assert roads.head[used[-1]] == end[number]
        assert np.array_equal(roads.head[used[:-1]], roads.tail[used[1:]])
        assert roads.truck_ok[used].all()


def test_ways_equal_networkx_on_a_piece_of_the_real_roads(california: Network) -> None:
    nx = pytest.importorskip("networkx")
    inside = (abs(california.lat - 33.95) < 0.25) & (abs(california.lon + 118.0) < 0.4)
    both = inside[california.tail] & inside[california.head]
    graph = nx.DiGraph()
    for a, b, km in zip(
        california.tail[both], california.head[both], california.length_km[both], strict=True
    ):
        graph.add_edge(int(a), int(b), weight=float(km))
    piece = dataclasses.replace(california, truck_ok=both)
    nodes = np.flatnonzero(inside)[::60]
    found = piece.node_km(nodes, nodes)
    assert len(nodes) >= 15
    for row, start in enumerate(nodes):
        lengths = nx.single_source_dijkstra_path_length(graph, int(start)) if start in graph else {}
        wanted = [0.0 if end == start else lengths.get(int(end), np.inf) for end in nodes]
        assert found[row] == pytest.approx(wanted, abs=1e-6)


def test_real_roads_are_a_metric(california: Network) -> None:
    nodes = np.random.default_rng(5).choice(len(california.lat), 60, replace=False)
    km = california.node_km(nodes, nodes)
    assert np.isfinite(km).all()  # one connected part
    assert km == pytest.approx(km.T, abs=1e-9)
    assert not np.diag(km).any()
    through = (km[:, :, None] + km[None, :, :]).min(axis=1)
    assert (km <= through + 1e-9).all()
    straight = great_circle_km(
        california.lat[nodes][:, None],
        california.lon[nodes][:, None],
        california.lat[nodes],
        california.lon[nodes],
    )
    # Coordinates are rounded to 0.001 degrees: a way may seem that much shorter than the straight line.
    assert (km >= straight - 0.2 - 0.01 * straight).all()


def test_a_search_that_was_cut_short_goes_on() -> None:
    roads = network(
        [(0.0, 0.0), (0.0, 0.01), (0.5, 0.0)], [(0, 2, 60.0), (2, 1, 60.0)]
    )  # neighbours as the crow flies, 120 km by road
    assert roads.node_km(np.array([0]), np.array([1])).item() == pytest.approx(120.0)


def test_parallel_roads_use_the_best_one() -> None:
    roads = network([(0.0, 0.0), (0.0, 0.1)], [(0, 1, 30.0), (0, 1, 12.0), (0, 1, 20.0)])
    assert roads.node_km(np.array([0, 1]), np.array([1, 0])) == pytest.approx(
        np.array([[12.0, 0.0], [0.0, 12.0]])
    )
    assert roads.node_paths(np.array([0]), np.array([1]))[1].tolist() == [1]


def test_arcs_closed_to_trucks_are_never_used() -> None:
    roads = square(truck_ok=[True, False, True, True])
    assert roads.node_km(np.array([1]), np.array([2])).item() == pytest.approx(12.0 + 50.0 + 12.0)
    shut = square(truck_ok=[True, False, True, False])
    assert np.isinf(shut.node_km(np.array([1]), np.array([2]))).all()


def test_one_way_roads_lead_one_way() -> None:
    ring = square(both_ways=False)
    assert ring.node_km(np.array([0, 1]), np.array([1, 0])) == pytest.approx(
        np.array([[0.0 + 12.0, 0.0], [0.0, 12 + 12 + 50.0]])
    )


def test_time_and_distance_choose_different_roads() -> None:
    given = {"kmh": [30.0, 30.0, 30.0, 100.0]}
    short, fast = square(**given), square(**given, route_by="time")
    assert short.between(0, 0, 0.1, 0).km[0, 0] == pytest.approx(36.0)
    assert short.between(0, 0, 0.1, 0).minutes[0, 0] == pytest.approx(72.0)
    assert fast.between(0, 0, 0.1, 0).km[0, 0] == pytest.approx(50.0)
    assert fast.between(0, 0, 0.1, 0).minutes[0, 0] == pytest.approx(30.0)


# ---------------------------------------------------------------- points


def test_a_point_on_a_node_has_no_access_leg() -> None:
    found = square().between([0.0], [0.0], [0.1], [0.1])
    assert found.km == pytest.approx(np.array([[24.0]]))
    assert found.minutes == pytest.approx(np.array([[24.0]]))  # 60 km/h


def test_access_legs_are_added_at_both_ends() -> None:
    roads = square(access_factor=1.5, access_kmh=30.0)
    found = roads.between(-0.01, 0.0, 0.11, 0.1)  # 0.01 degrees off the nodes 0 and 2
    leg = 1.5 * 0.01 * DEGREE_KM
    assert found.km[0, 0] == pytest.approx(24.0 + 2 * leg)
    assert found.minutes[0, 0] == pytest.approx(24.0 + 2 * leg * 2)


def test_circuity_stretches_roads_but_not_access() -> None:
    roads = square(circuity=1.1, access_factor=1.0)
    found = roads.between(-0.01, 0.0, 0.1, 0.1).km[0, 0]
    assert found == pytest.approx(1.1 * 24.0 + 0.01 * DEGREE_KM)


def test_points_that_share_their_node_are_joined_directly() -> None:
    roads = square(access_factor=1.2)
    found = roads.between([-0.02, -0.02], [0.0, 0.001], [-0.02, -0.02], [0.0, 0.001]).km
    assert np.diag(found) == pytest.approx([0.0, 0.0])
    assert found[0, 1] == pytest.approx(1.2 * great_circle_km(-0.02, 0.0, -0.02, 0.001))
    assert found == pytest.approx(found.T)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(32.6, 41.0), st.floats(-121, -115)), min_size=2, max_size=6))
def test_distances_between_any_points_are_symmetric(points: list[tuple[float, float]]) -> None:
    roads = dataclasses.replace(
        read_road_package(BUNDLED_ROADS / "california-arizona-nevada", 80.0), snap_limit_km=np.inf
    )
    lat, lon = (np.array(axis) for axis in zip(*points, strict=True))
    found = roads.between(lat, lon, lat, lon)
    assert found.km == pytest.approx(found.km.T)
    assert found.minutes == pytest.approx(found.minutes.T)
    assert not np.diag(found.km).any()
    assert (found.km >= 0).all()


def test_snapping_finds_the_nearest_node_of_all(california: Network) -> None:
    random = np.random.default_rng(2)
    lat, lon = random.uniform(33, 38, 50), random.uniform(-121, -115, 50)
    node, km = california.snap(lat, lon)
    every = great_circle_km(lat[:, None], lon[:, None], california.lat, california.lon)
    assert km == pytest.approx(every.min(axis=1))
    assert every[np.arange(50), node] == pytest.approx(every.min(axis=1))


def test_snapping_works_across_the_date_line() -> None:
    roads = network([(0.0, 179.9), (0.0, -179.0)], [(0, 1, 130.0)])
    node, km = roads.snap(0.0, -179.95)
    assert node.tolist() == [0]
    assert km == pytest.approx([0.15 * DEGREE_KM])


def test_a_node_without_roads_for_trucks_is_no_node() -> None:
    roads = network(
        [(0.0, 0.0), (0.0, 0.1), (0.0, 0.2)], [(0, 1, 12.0), (1, 2, 12.0)], truck_ok=[True, False]
    )
    assert roads.snap(0.0, 0.2)[0].tolist() == [1]


def test_scraps_of_a_large_network_are_not_snapped_to() -> None:
    count = 300
    line = [(0.0, 0.01 * node) for node in range(count)]
    roads = [(node, node + 1, 1.1) for node in range(count - 1)]
    yard = network([*line, (0.01, 0.0), (0.01, 0.001)], [*roads, (count, count + 1, 0.1)])
    assert yard.snap(0.01, 0.0)[0].tolist() == [0]


def test_many_points_equal_one_at_a_time(california: Network) -> None:
    lat, lon = np.array([33.74, 34.05, 34.9]), np.array([-118.26, -117.6, -117.0])
    many = california.between(lat, lon, lat[::-1], lon[::-1])
    for row, column in itertools.product(range(3), range(3)):
        one = california.between(lat[row], lon[row], lat[2 - column], lon[2 - column])
        assert many.km[row, column] == pytest.approx(one.km[0, 0])
        assert many.minutes[row, column] == pytest.approx(one.minutes[0, 0])


def test_more_sources_than_are_solved_at_a_time(california: Network) -> None:
    random = np.random.default_rng(9)
    start, end = random.integers(0, len(california.lat), (2, 150))
    pair, arc = california.node_paths(start, end)
    km = np.bincount(pair, weights=california.length_km[arc], minlength=150)
    wanted = [california.node_km(np.array([a]), np.array([b]))[0, 0] for a, b in zip(start, end, strict=True)]
    assert km == pytest.approx(wanted)
    assert (np.diff(pair) >= 0).all()


# ---------------------------------------------------------------- one route


def test_a_route_has_length_time_and_line() -> None:
    slow = np.ones(HOURS)
    slow[7:9] = 2.0
    roads = square(profile=DayProfile(slow), access_factor=1.0)
    route = roads.route((-0.01, 0.0), (0.1, 0.1))
    leg = 0.01 * DEGREE_KM
    assert route.km == pytest.approx(24.0 + leg)
    assert route.miles == pytest.approx(route.km / 1.609344, rel=1e-12)
    assert route.snap_km == pytest.approx((leg, 0.0))
    assert route.lat.tolist() == pytest.approx([-0.01, 0.0, 0.0, 0.1, 0.1])
    assert route.lon.tolist() == pytest.approx([0.0, 0.0, 0.1, 0.1, 0.1])
    assert route.minutes.shape == (24,)
    assert route.minutes[7] == pytest.approx(2 * route.free_minutes)
    assert route.minutes[12] == pytest.approx(route.free_minutes)
    assert route.free_minutes < route.mean_minutes < 2 * route.free_minutes
    assert roads.minutes_at(route.free_minutes, 7) == pytest.approx(route.minutes[7])


def test_a_route_there_and_back_is_as_long(california: Network) -> None:
    there = california.route((33.74, -118.26), (34.03, -117.61))
    back = california.route((34.03, -117.61), (33.74, -118.26))
    assert there.km == pytest.approx(back.km)
    assert there.lat == pytest.approx(back.lat[::-1])


def test_a_way_that_does_not_exist_is_named() -> None:
    roads = network([(0.0, 0.0), (0.0, 0.1), (1.0, 0.0), (1.0, 0.1)], [(0, 1, 12.0), (2, 3, 12.0)])
    assert np.isinf(roads.between(0, 0, 1, 0).km).all()
    assert np.isinf(roads.between(0, 0, 1, 0).minutes).all()
    assert not len(roads.paths(0, 0, 1, 0)[0])
    with pytest.raises(InputError, match=r"1,0: unreachable destination; found no road from 0,0"):
        roads.route((0, 0), (1, 0))


def test_every_unreachable_pair_is_listed() -> None:
    km = np.array([[1.0, np.inf], [np.inf, 2.0]])
    with pytest.raises(InputError) as caught:
        check_reached(km, ["port", "yard"], ["cluster A", "cluster B"], "trips")
    text = str(caught.value)
    assert "2 faults" in text
    assert "cluster B: unreachable destination; found no road from port" in text
    assert "cluster A: unreachable destination; found no road from yard" in text
    check_reached(np.zeros((1, 1)), ["a"], ["b"], "trips")


def test_points_off_the_network_are_all_listed() -> None:
    roads = square(snap_limit_km=5.0)
    with pytest.raises(InputError) as caught:
        roads.between([0.0, 3.0, 4.0], [0.0, 0.0, 0.0], [0.1], [0.1])
    text = str(caught.value)
    assert "2 faults" in text
    assert "from 2: off the road network; found 3,0, 322.5 km from the nearest road" in text
    assert "allowed at most 5 km" in text
    with pytest.raises(InputError, match="to 1: off the road network"):
        roads.paths(0.0, 0.0, 9.0, 9.0)


@pytest.mark.parametrize("point", [(91.0, 0.0), (0.0, 181.0), (np.nan, 0.0), (0.0, np.inf)])
def test_no_places_on_earth_are_refused(point: tuple[float, float]) -> None:
    for roads in (square(), StraightLines(**vars_of(square()))):
        with pytest.raises(InputError, match="no place on Earth"):
            roads.between(0.0, 0.0, *point)


def test_a_network_closed_to_trucks_says_so() -> None:
    with pytest.raises(InputError, match="no road that a truck may use"):
        square(truck_ok=[False] * 4).snap(0.0, 0.0)


def test_paths_take_pairs() -> None:
    with pytest.raises(ValueError, match="as many"):
        square().paths([0.0, 0.1], [0.0, 0.1], [0.0], [0.0])


# ---------------------------------------------------------------- other kinds of network


def vars_of(roads: Network) -> dict[str, object]:
    return {one.name: getattr(roads, one.name) for one in dataclasses.fields(roads)}


def test_straight_lines_are_great_circles_times_circuity() -> None:
    lines = StraightLines(**(vars_of(square()) | {"circuity": 1.3}), kmh=65.0)  # type: ignore[arg-type]
    found = lines.between([0.0], [0.0], [1.0, 0.0], [0.0, 2.0])
    assert found.km == pytest.approx(1.3 * DEGREE_KM * np.array([[1.0, 2.0]]))
    assert found.minutes == pytest.approx(1.2 * DEGREE_KM * np.array([[1.0, 2.0]]))
    route = lines.route((0, 0), (1, 0))
    assert route.km == pytest.approx(1.3 * DEGREE_KM)
    assert route.snap_km == (0.0, 0.0)
    assert route.lat.tolist() == [0, 1]
    pair, arc = lines.paths([0.0], [0.0], [0.1], [0.1])
    assert lines.tail[arc[0]] == 0
    assert lines.head[arc[-1]] == 2
    assert set(pair) == {0}


def test_straight_lines_need_no_places() -> None:
    nothing = {"lat": np.zeros(0), "lon": np.zeros(0), "tail": np.zeros(0, int), "head": np.zeros(0, int)}
    nothing |= {"length_km": np.zeros(0), "time_min": np.zeros(0), "truck_ok": np.zeros(0, bool)}
    lines = StraightLines(**(vars_of(square()) | nothing))  # type: ignore[arg-type]
    assert lines.between(0, 0, 1, 0).km[0, 0] == pytest.approx(DEGREE_KM)


def matrix(ways: list[tuple[int, int, float]]) -> PlaceMatrix:
    made = network([(0.0, 0.0), (0.0, 0.1), (0.1, 0.0)], ways, both_ways=False, kind=PlaceMatrix)
    assert isinstance(made, PlaceMatrix)
    return made


def test_a_matrix_gives_what_was_measured_and_nothing_else() -> None:
    measured = matrix([(0, 1, 10.0), (1, 2, 20.0), (0, 2, 99.0)])
    km = measured.between([0.0, 0.0, 0.1], [0.0, 0.1, 0.0], [0.0, 0.0, 0.1], [0.0, 0.1, 0.0]).km
    assert km.tolist() == [[0.0, 10.0, 99.0], [np.inf, 0.0, 20.0], [np.inf, np.inf, 0.0]]
    pair, arc = measured.paths([0.0, 0.1], [0.0, 0.0], [0.1, 0.0], [0.0, 0.0])
    assert pair.tolist() == [0]
    assert arc.tolist() == [2]


def test_a_matrix_may_hold_ways_within_a_place() -> None:
    measured = matrix([(0, 0, 3.0), (0, 1, 10.0)])
    assert measured.between(0.0, 0.0, 0.0, 0.0).km[0, 0] == 3.0
