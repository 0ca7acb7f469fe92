"""Flow refuelling: the round trip by hand and by driving it, and published optima."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from location_cases import choices

from cleanhub.freight.location_files import read_location_file
from cleanhub.freight.location_refuelling import (
    FlowPaths,
    completes,
    covering_sets,
    solve_flow_refuelling,
)
from cleanhub.freight.location_run import Choices, solve_location

NODES, ALONG = np.array([0, 1, 2]), np.array([0.0, 4.0, 8.0])


def stations(*nodes: int, of: int = 3) -> np.ndarray:
    return np.isin(np.arange(of), nodes)


def paths_of(rows: list[tuple[float, list[int], list[float]]], sites: int) -> FlowPaths:
    return FlowPaths(
        flow=np.array([flow for flow, _, _ in rows]),
        stop=np.array([node for _, nodes, _ in rows for node in nodes]),
        along=np.array([length for _, _, lengths in rows for length in lengths]),
        start=np.cumsum([0, *(len(nodes) for _, nodes, _ in rows)]),
        sites=sites,
    )


@pytest.mark.parametrize(
    ("at", "reach", "makes_it"),
    [
        ((), 100.0, False),  # it would come home with less than half a tank
        ((0,), 16.0, True),  # full at the origin, 16 there and back
        ((0,), 15.9, False),
        ((1,), 8.0, True),  # 4 to the middle on half a tank, 8 to the end and back to it, 4 home
        ((1,), 7.9, False),
        ((2,), 16.0, True),  # half a tank just reaches the destination, and leaves half at home
        ((2,), 15.0, False),
        ((0, 2), 8.0, True),
        ((0, 1, 2), 4.0, True),
        ((0, 1, 2), 3.9, False),
    ],
)
def test_round_trip_by_hand(at: tuple[int, ...], reach: float, makes_it: bool) -> None:
    assert completes(NODES, ALONG, reach, stations(*at)) is makes_it
    sets = covering_sets(NODES, ALONG, reach)
    assert all(np.isin(one, at).any() for one in sets) is makes_it


def test_sets_by_hand_hold_no_set_twice() -> None:
    assert [one.tolist() for one in covering_sets(NODES, ALONG, 8.0)] == [[0, 1], [1, 2]]
    assert [one.tolist() for one in covering_sets(NODES, ALONG, 16.0)] == [[0, 1, 2]]
    assert any(len(one) == 0 for one in covering_sets(NODES, ALONG, 3.0))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    reach=st.integers(1, 40),
    bits=st.integers(0, 63),
)
def test_sets_say_what_driving_says(lengths: list[int], reach: int, bits: int) -> None:
    count = len(lengths) + 1
    nodes, along = np.arange(count), np.concatenate([[0.0], np.cumsum(lengths)]).astype(float)
    open_ = np.array([bool(bits >> node & 1) for node in range(count)])
    covered = all(open_[one].any() for one in covering_sets(nodes, along, float(reach)))
    assert covered == completes(nodes, along, float(reach), open_)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 4), reach=st.floats(3.0, 30.0))
def test_equals_every_choice_tried(seed: int, count: int, reach: float) -> None:
    draw, sites = np.random.default_rng(seed), 7
    rows = []
    for _ in range(8):
        nodes = draw.permutation(sites)[: draw.integers(2, 6)].tolist()
        lengths = np.concatenate([[0.0], np.cumsum(draw.uniform(0.5, 6.0, len(nodes) - 1))]).tolist()
        rows.append((float(draw.integers(1, 100)), nodes, lengths))
    paths = paths_of(rows, sites)

    def served(at: np.ndarray) -> float:
        open_ = np.isin(np.arange(sites), at)
        return sum(rows[q][0] for q in range(8) if completes(*paths.path(q), reach, open_))

    found = solve_flow_refuelling(paths, reach, count)
    assert found.objective == max(served(one) for one in choices(sites, count))
    assert found.objective == served(found.chosen)
    assert found.gap == 0.0
    assert len(found.chosen) <= count


def test_flows_that_cannot_be_made_are_left_out() -> None:
    paths = paths_of([(10.0, [0, 1], [0.0, 50.0]), (1.0, [1, 2], [0.0, 2.0])], 3)
    found = solve_flow_refuelling(paths, 8.0, 3)
    assert found.objective == 1.0
    assert found.served.tolist() == [0.0, 1.0]
    none = solve_flow_refuelling(paths, 0.5, 3)
    assert none.objective == none.bound == 0.0


def test_budget_and_costs_of_stations() -> None:
    paths = paths_of([(10.0, [0, 1], [0.0, 4.0]), (6.0, [2, 1], [0.0, 4.0])], 3)
    cost = np.array([5.0, 50.0, 3.0])
    assert solve_flow_refuelling(paths, 8.0, 1).objective == 16.0  # the shared end serves both
    assert solve_flow_refuelling(paths, 8.0, site_cost=cost, budget=4.0).chosen.tolist() == [2]
    assert solve_flow_refuelling(paths, 8.0, site_cost=cost, budget=8.0).objective == 16.0


@pytest.mark.parametrize(("count", "optimum"), [(1, 32600.0), (2, 53600.0), (3, 82200.0)])
def test_published_optimum(count: int, optimum: float, shared_oracles) -> None:
    file = read_location_file(shared_oracles / "siting" / "frlm_siouxfalls" / "paths.csv")
    assert file.weight.sum() == 360600.0
    found = solve_location("frlm", file, Choices(count, 8.0))
    assert found.objective == found.bound == optimum


@pytest.mark.parametrize("reach", [4.0, 6.0, 12.0])
def test_pairs_of_stations_tried_on_a_real_network(reach: float, shared_oracles) -> None:
    paths = read_location_file(shared_oracles / "siting" / "frlm_siouxfalls" / "paths.csv").paths
    makes = np.zeros((len(paths.flow), paths.sites, paths.sites), dtype=bool)
    for q in range(len(paths.flow)):
        sets = covering_sets(*paths.path(q), reach)
        holds = np.array([np.isin(np.arange(paths.sites), one) for one in sets])
        makes[q] = (holds[:, :, None] | holds[:, None, :]).all(axis=0)
    best = max(float(paths.flow @ makes[:, a, b]) for a, b in itertools.combinations(range(paths.sites), 2))
    assert solve_flow_refuelling(paths, reach, 2).objective == best


def test_a_longer_range_or_one_more_station_never_serves_less(shared_oracles) -> None:
    paths = read_location_file(shared_oracles / "siting" / "frlm_siouxfalls" / "paths.csv").paths
    by_range = [solve_flow_refuelling(paths, reach, 3).objective for reach in (2.0, 4.0, 8.0, 16.0, 64.0)]
    by_count = [solve_flow_refuelling(paths, 8.0, count).objective for count in (1, 2, 3, 4)]
    assert by_range == sorted(by_range)
    assert by_count == sorted(by_count)
