"""Maximal covering: by hand, and against every choice tried."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from location_cases import most_covered

from cleanhub.freight.location_cover import solve_covering
from cleanhub.freight.location_solver import Stops

COVERS = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 0, 0], [0, 0, 0, 1, 1, 0]], dtype=bool)
WEIGHT = np.array([1.0, 1.0, 1.0, 5.0, 2.0, 100.0])


def test_one_site_by_hand() -> None:
    found = solve_covering(COVERS, WEIGHT, 1)
    assert found.objective == found.bound == 7.0
    assert found.chosen.tolist() == [2]
    assert found.served.tolist() == [0, 0, 0, 1, 1, 0]
    assert found.assignment.tolist() == [-1, -1, -1, 2, 2, -1]
    assert (found.gap, found.status, found.sense) == (0.0, "optimal", "max")


def test_two_sites_by_hand() -> None:
    found = solve_covering(COVERS, WEIGHT, 2)
    assert found.objective == 10.0
    assert found.chosen.tolist() == [0, 2]


def test_what_no_site_covers_stays_uncovered() -> None:
    assert solve_covering(COVERS, WEIGHT, 3).objective == WEIGHT.sum() - 100.0
    nothing = solve_covering(np.zeros((2, 3), dtype=bool), np.ones(3), 1)
    assert nothing.objective == nothing.bound == 0.0
    assert nothing.assignment.tolist() == [-1, -1, -1]


def test_budget_in_place_of_a_count() -> None:
    cost = np.array([1.0, 1.0, 10.0])
    found = solve_covering(COVERS, WEIGHT, site_cost=cost, budget=2.0)
    assert found.chosen.tolist() == [0, 1]
    assert found.objective == 8.0
    assert solve_covering(COVERS, WEIGHT, 1, cost, 2.0).objective == 6.0
    assert solve_covering(COVERS, WEIGHT, site_cost=cost, budget=0.5).objective == 0.0


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    sites=st.integers(1, 8),
    customers=st.integers(1, 20),
    whole=st.booleans(),
    budgeted=st.booleans(),
    data=st.data(),
)
def test_equals_every_choice_tried(
    seed: int, sites: int, customers: int, whole: bool, budgeted: bool, data: st.DataObject
) -> None:
    draw = np.random.default_rng(seed)
    covers = draw.random((sites, customers)) < 0.35
    weight = draw.integers(0, 9, customers).astype(float) if whole else draw.lognormal(0, 1, customers)
    cost = draw.integers(1, 5, sites).astype(float) if budgeted else np.ones(sites)
    count = data.draw(st.integers(1, sites))
    budget = float(data.draw(st.integers(1, 10))) if budgeted else np.inf
    found = solve_covering(covers, weight, count, cost, budget)
    best = most_covered(covers, weight, cost, count, budget)
    assert found.objective == pytest.approx(best, rel=1e-9, abs=1e-12)
    assert found.gap == 0.0
    assert len(found.chosen) <= count
    assert cost[found.chosen].sum() <= budget
    assert float(weight @ found.served) == pytest.approx(found.objective)


def test_stopped_at_once_it_reports_a_bound_that_holds() -> None:
    draw = np.random.default_rng(4)
    covers, weight = draw.random((40, 150)) < 0.06, draw.random(150)
    stopped, proved = (
        solve_covering(covers, weight, 8, stops=Stops(seconds=0.0)),
        solve_covering(covers, weight, 8),
    )
    assert stopped.objective <= proved.objective <= stopped.bound <= weight.sum()
    assert stopped.status == "time limit"
    assert proved.gap == 0.0


def test_a_larger_radius_never_covers_less() -> None:
    draw = np.random.default_rng(5)
    distance, weight = draw.random((15, 80)), draw.random(80)
    values = [solve_covering(distance <= reach, weight, 3).objective for reach in (0.05, 0.1, 0.2, 0.4)]
    assert values == sorted(values)
