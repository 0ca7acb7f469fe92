"""Capacitated location, split and single source: by hand, against all choices and published optima."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from location_cases import least_single, least_split

from cleanhub.core.errors import RunError
from cleanhub.freight.location_capacity import Facilities, solve_capacitated
from cleanhub.freight.location_files import read_location_file
from cleanhub.freight.location_run import Choices, solve_location
from cleanhub.freight.location_solver import Stops

TWO = Facilities(
    cost=np.array([[0.0, 0.0, 0.0], [30.0, 30.0, 30.0]]),
    demand=np.array([4.0, 4.0, 4.0]),
    capacity=np.array([10.0, 10.0]),
    fixed=np.array([5.0, 7.0]),
)
HOLMBERG = {1: 8848, 2: 7913, 3: 9314, 4: 10714}  # published with the instances
PROVED = {5: 8838, 9: 8462, 10: 7617, 14: 7137, 21: 8068, 22: 7092}  # by this model and by HiGHS alone


def single(problem: Facilities) -> Facilities:
    return Facilities(problem.cost, problem.demand, problem.capacity, problem.fixed, single_source=True)


def test_splitting_fills_the_cheap_site_by_hand() -> None:
    found = solve_capacitated(TWO)
    assert found.objective == pytest.approx(5.0 + 7.0 + 0.5 * 30.0)  # 10 of 12 from the first
    assert found.shares.sum(axis=0) == pytest.approx(1.0)
    assert float(found.shares[0] @ TWO.demand) == pytest.approx(10.0)
    assert found.model == "capacitated"


def test_a_single_source_cannot_split_by_hand() -> None:
    found = solve_capacitated(single(TWO))
    assert found.objective == found.bound == 5.0 + 7.0 + 30.0
    assert sorted(found.assignment.tolist()) == [0, 0, 1]
    assert found.model == "single-source"


def test_a_site_that_nobody_needs_stays_closed() -> None:
    roomy = Facilities(TWO.cost, TWO.demand, np.array([12.0, 12.0]), TWO.fixed)
    assert solve_capacitated(roomy).chosen.tolist() == [0]
    assert solve_capacitated(roomy).objective == 5.0


def test_barred_pairs_are_not_used() -> None:
    cost = TWO.cost.copy()
    cost[0, 0] = np.inf
    found = solve_capacitated(Facilities(cost, TWO.demand, TWO.capacity, TWO.fixed))
    assert found.objective == pytest.approx(42.0)
    assert found.shares[0, 0] == 0.0


def test_too_little_capacity_is_told_with_both_sums() -> None:
    with pytest.raises(RunError, match="hold 11, the customers ask for 12"):
        solve_capacitated(Facilities(TWO.cost, TWO.demand, np.array([5.0, 6.0]), TWO.fixed))


def test_a_customer_larger_than_any_site_cannot_be_served_whole() -> None:
    problem = Facilities(np.ones((2, 1)), np.array([8.0]), np.array([5.0, 5.0]), np.ones(2))
    assert solve_capacitated(problem).objective == pytest.approx(3.0)
    with pytest.raises(RunError, match="cannot serve every customer"):
        solve_capacitated(single(problem))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    sites=st.integers(1, 5),
    customers=st.integers(1, 6),
    tight=st.floats(1.1, 3.0),
)
def test_split_equals_every_choice_tried(seed: int, sites: int, customers: int, tight: float) -> None:
    problem = drawn(seed, sites, customers, tight)
    best = least_split(problem.cost, problem.demand, problem.capacity, problem.fixed)
    found = solve_capacitated(problem)
    assert found.objective == pytest.approx(best, rel=1e-7)
    assert found.gap <= 1e-9
    load = found.shares @ problem.demand
    assert np.all(load <= problem.capacity * (1 + 1e-6))
    assert set(np.flatnonzero(load > 1e-6).tolist()) <= set(found.chosen.tolist())


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    sites=st.integers(1, 4),
    customers=st.integers(1, 5),
    tight=st.floats(1.1, 3.0),
)
def test_single_source_equals_every_assignment_tried(
    seed: int, sites: int, customers: int, tight: float
) -> None:
    problem = single(drawn(seed, sites, customers, tight))
    best = least_single(problem.cost, problem.demand, problem.capacity, problem.fixed)
    if np.isinf(best):
        with pytest.raises(RunError):
            solve_capacitated(problem)
        return
    found = solve_capacitated(problem)
    assert found.objective == pytest.approx(best, rel=1e-9)
    load = np.bincount(found.assignment, weights=problem.demand, minlength=sites)
    assert np.all(load <= problem.capacity * (1 + 1e-9))


def drawn(seed: int, sites: int, customers: int, tight: float) -> Facilities:
    draw = np.random.default_rng(seed)
    demand = draw.integers(1, 10, customers).astype(float)
    capacity = draw.integers(3, 12, sites).astype(float)
    capacity *= np.ceil(tight * demand.sum() / capacity.sum())
    return Facilities(draw.random((sites, customers)) * 50, demand, capacity, draw.random(sites) * 40)


def test_single_source_never_costs_less_than_split() -> None:
    for seed in range(5):
        problem = drawn(seed, 6, 15, 1.6)
        assert solve_capacitated(single(problem)).objective >= solve_capacitated(problem).objective - 1e-6


def test_stopped_by_its_gap_it_reports_a_bound_that_holds() -> None:
    problem = single(drawn(1, 12, 40, 1.2))
    loose, proved = solve_capacitated(problem, Stops(gap=0.05)), solve_capacitated(problem)
    assert loose.gap <= 0.05
    assert loose.bound <= proved.objective + 1e-6
    assert proved.objective <= loose.objective + 1e-6


def test_without_time_it_says_that_nothing_was_found() -> None:
    with pytest.raises(RunError, match="no solution was found before the time limit"):
        solve_capacitated(single(drawn(1, 25, 90, 1.2)), Stops(seconds=0.0))


@pytest.mark.parametrize(("name", "optimum"), [("cap41", 1040444.375), ("cap72", 977799.400)])
def test_published_split_optimum(name: str, optimum: float, shared_oracles) -> None:
    file = read_location_file(shared_oracles / "siting" / "cap" / f"{name}.txt")
    found = solve_location("capacitated", file, Choices())
    assert found.objective == pytest.approx(optimum, abs=1e-3)
    assert found.gap == 0.0


@pytest.mark.parametrize("number", sorted(HOLMBERG | PROVED))
def test_published_single_source_optimum(number: int, shared_oracles) -> None:
    file = read_location_file(shared_oracles / "siting" / "holmberg" / f"p{number}")
    found = solve_location("single-source", file, Choices())
    assert found.objective == found.bound == (HOLMBERG | PROVED)[number]
