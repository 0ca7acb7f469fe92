"""The way to HiGHS: a programme, its stops, and the search outwards from the bound."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from cleanhub.freight.location import ended_as, relative_gap
from cleanhub.freight.location_solver import Programme, Stops, solve_near_bound, solve_programme, stacked


def knapsack(worth: list[float], size: list[float], room: float) -> Programme:
    """Take the least cost (worth counts against) of things that fit."""
    count = len(worth)
    return Programme(
        cost=-np.array(worth),
        lower=np.zeros(count),
        upper=np.ones(count),
        integer=np.ones(count, dtype=bool),
        matrix=csr_matrix(np.array([size])),
        row_lower=np.array([-np.inf]),
        row_upper=np.array([room]),
    )


def cover(cost: list[float], member: np.ndarray) -> Programme:
    """The least cost of columns such that each row holds one."""
    return Programme(
        cost=np.array(cost),
        lower=np.zeros(len(cost)),
        upper=np.ones(len(cost)),
        integer=np.ones(len(cost), dtype=bool),
        matrix=csr_matrix(member.astype(float)),
        row_lower=np.ones(len(member)),
        row_upper=np.full(len(member), np.inf),
    )


def test_knapsack_by_hand() -> None:
    answer = solve_programme(knapsack([10.0, 6.0, 5.0], [6.0, 4.0, 4.0], 8.0), Stops())
    assert answer.objective == pytest.approx(-11.0)
    assert answer.values.tolist() == [0, 1, 1]
    assert answer.bound == pytest.approx(-11.0)
    assert answer.status == "optimal"


def test_what_cannot_be_done_has_no_values() -> None:
    impossible = cover([1.0, 1.0], np.array([[1, 0], [0, 0]]))
    for solve in (solve_programme, solve_near_bound):
        answer = solve(impossible, Stops())
        assert len(answer.values) == 0
        assert answer.status == "optimal"


def test_start_is_kept_when_no_time_is_left() -> None:
    programme = cover([1.0, 2.0, 3.0], np.eye(3))
    answer = solve_programme(programme, Stops(seconds=0.0), start=np.ones(3))
    assert answer.objective in {6.0, math.inf}
    assert solve_programme(programme, Stops(), start=np.ones(3)).objective == 6.0


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    columns=st.integers(1, 9),
    rows=st.integers(1, 9),
    whole=st.booleans(),
)
def test_outwards_from_the_bound_equals_every_choice(seed: int, columns: int, rows: int, whole: bool) -> None:
    draw = np.random.default_rng(seed)
    member = draw.random((rows, columns)) < 0.4
    member[np.arange(rows), draw.integers(0, columns, rows)] = True
    cost = draw.integers(1, 30, columns).astype(float) if whole else draw.random(columns) * 10
    best = min(
        float(cost @ np.array(one))
        for one in itertools.product((0, 1), repeat=columns)
        if (member @ np.array(one) >= 1).all()
    )
    answer = solve_near_bound(cover(cost.tolist(), member), Stops(), 1.0 if whole else 0.0)
    assert answer.objective == pytest.approx(best)
    assert answer.status == "optimal"
    assert answer.bound <= answer.objective * (1 + 1e-9)
    assert answer.objective - answer.bound < (1.0 if whole else 1e-6)


def test_without_time_the_bound_is_none() -> None:
    draw = np.random.default_rng(0)
    answer = solve_near_bound(
        cover(draw.random(60).tolist(), draw.random((90, 60)) < 0.1), Stops(seconds=0.0)
    )
    assert answer.bound <= answer.objective
    assert answer.status == "time limit" or len(answer.values)


def test_blocks_are_stacked() -> None:
    one, two = np.array([0, 1]), np.array([1, 1])
    matrix = stacked([(one, one, np.array([1.0, 2.0])), (one, two, np.array([3.0, 4.0]))], (2, 2))
    assert matrix.toarray().tolist() == [[1.0, 3.0], [0.0, 6.0]]


def test_gap_and_status_in_words() -> None:
    assert relative_gap(200.0, 190.0) == pytest.approx(0.05)
    assert relative_gap(1e9, 1e9 - 1e-3) == 0.0
    assert relative_gap(0.0, 0.0) == 0.0
    assert ended_as("time limit", 0.0, Stops()) == "optimal"
    assert ended_as("optimal", 0.01, Stops(gap=0.02)) == "gap reached"
    assert ended_as("time limit", 0.05, Stops(gap=0.02)) == "time limit"
