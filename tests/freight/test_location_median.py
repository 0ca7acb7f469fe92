"""The p-median: start choice, bound, tree, forms and the whole, against every choice tried."""

from __future__ import annotations

import math
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from location_cases import Array, choices, least_median

from cleanhub.core.errors import RunError
from cleanhub.freight.location_files import read_location_file
from cleanhub.freight.location_interchange import greedy_sites, interchange, two_nearest
from cleanhub.freight.location_median import MEDIAN_FORMS, solve_p_median, weighted_cost, whole_step
from cleanhub.freight.location_radius import FORMS, choose_form, median_programme
from cleanhub.freight.location_relaxation import climb, may_open, may_serve, relax
from cleanhub.freight.location_solver import Stops, solve_programme
from cleanhub.freight.location_tree import search

LINE = np.abs(np.arange(5.0)[:, None] - np.arange(5.0)[None, :])
PUBLISHED = {  # OR-Library, pmedopt.txt
    1: 5819, 2: 4093, 3: 4250, 4: 3034, 5: 1355, 6: 7824, 7: 5631,
    8: 4445, 9: 2734, 10: 1255, 11: 7696, 12: 6634, 13: 4374, 14: 2968,
    15: 1729, 20: 1789, 21: 9138, 27: 8307, 35: 10400,
}  # fmt: skip


def drawn(seed: int, sites: int, customers: int, kind: str) -> tuple[Array, Array]:
    """Distances (S, C) and weights (C,): on a plane, rounded, or on a small grid full of ties."""
    draw = np.random.default_rng(seed)
    places, homes = draw.uniform(0, 10, (sites, 2)), draw.uniform(0, 10, (customers, 2))
    if kind == "ties":
        places, homes = np.rint(places / 3), np.rint(homes / 3)
        return np.abs(places[:, None] - homes[None]).sum(axis=2), np.ones(customers)
    distance = np.linalg.norm(places[:, None] - homes[None], axis=2)
    weight = draw.lognormal(0, 1, customers)
    return (np.rint(distance * 10), np.rint(weight * 3)) if kind == "whole" else (distance, weight)


# --- by hand -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "cost", "sites"), [(1, 6.0, [2]), (5, 0.0, [0, 1, 2, 3, 4])])
def test_points_on_a_line(count: int, cost: float, sites: list[int]) -> None:
    found = solve_p_median(LINE, np.ones(5), count)
    assert found.objective == cost == found.bound
    assert found.gap == 0.0
    assert found.status == "optimal"
    assert found.chosen.tolist() == sites


def test_two_on_a_line_serve_the_nearest() -> None:
    found = solve_p_median(LINE, np.ones(5), 2)
    assert found.objective == 3.0
    assert np.all(LINE[found.assignment, np.arange(5)] == LINE[found.chosen].min(axis=0))


def test_weight_pulls_the_site() -> None:
    found = solve_p_median(LINE, np.array([1.0, 1.0, 1.0, 1.0, 100.0]), 1)
    assert found.chosen.tolist() == [4]
    assert found.objective == 10.0


def test_customer_without_weight_costs_nothing_and_is_still_assigned() -> None:
    found = solve_p_median(LINE, np.array([1.0, 0.0, 0.0, 0.0, 0.0]), 1)
    assert found.objective == 0.0
    assert found.chosen.tolist() == [0]
    assert found.assignment.tolist() == [0] * 5


# --- every choice tried --------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    sites=st.integers(2, 9),
    customers=st.integers(1, 14),
    kind=st.sampled_from(["plane", "whole", "ties"]),
    form=st.sampled_from(MEDIAN_FORMS),
    data=st.data(),
)
def test_equals_every_choice_tried(
    seed: int, sites: int, customers: int, kind: str, form: str, data: st.DataObject
) -> None:
    distance, weight = drawn(seed, sites, customers, kind)
    weight[0] = max(weight[0], 1.0)
    count = data.draw(st.integers(1, sites))
    found = solve_p_median(distance, weight, count, form=form)
    assert found.objective == pytest.approx(least_median(distance, weight, count), rel=1e-9, abs=1e-9)
    assert found.gap == 0.0
    assert len(set(found.chosen.tolist())) == count
    served = distance[found.assignment, np.arange(customers)]
    assert float(weight @ served) == pytest.approx(found.objective, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("form", MEDIAN_FORMS)
@pytest.mark.parametrize("seed", range(4))
def test_forms_agree_where_no_one_can_try_everything(form: str, seed: int) -> None:
    distance, weight = drawn(seed, 30, 60, ("plane", "whole", "ties", "plane")[seed])
    reference = solve_p_median(distance, weight, 6, form="tree").objective
    found = solve_p_median(distance, weight, 6, form=form)
    assert found.objective == pytest.approx(reference, rel=1e-9)
    assert found.gap == 0.0


@pytest.mark.parametrize("form", MEDIAN_FORMS)
def test_sites_out_of_reach_serve_nobody(form: str) -> None:
    distance, weight = drawn(5, 8, 12, "plane")
    distance[np.random.default_rng(1).random(distance.shape) < 0.4] = np.inf
    assert least_median(distance, weight, 4) < np.inf
    found = solve_p_median(distance, weight, 4, form=form)
    assert found.objective == pytest.approx(least_median(distance, weight, 4), rel=1e-9)


def test_says_when_the_sites_cannot_reach_everyone() -> None:
    islands = np.where(np.eye(4, dtype=bool), 1.0, np.inf)
    with pytest.raises(RunError, match="reach every customer"):
        solve_p_median(islands, np.ones(4), 3)
    assert solve_p_median(islands, np.ones(4), 4).objective == 4.0


# --- properties ----------------------------------------------------------------------------------------


def test_more_sites_never_cost_more_and_units_do_not_matter() -> None:
    distance, weight = drawn(11, 25, 40, "plane")
    values = [solve_p_median(distance, weight, count).objective for count in range(1, 8)]
    assert all(after < before for before, after in pairwise(values))
    scaled = solve_p_median(1000.0 * distance, 7.0 * weight, 4)
    plain = solve_p_median(distance, weight, 4)
    assert scaled.objective == pytest.approx(7000.0 * plain.objective, rel=1e-12)
    assert scaled.chosen.tolist() == plain.chosen.tolist()


def test_order_of_customers_does_not_matter() -> None:
    distance, weight = drawn(12, 20, 30, "plane")
    order = np.random.default_rng(0).permutation(30)
    here, there = solve_p_median(distance, weight, 5), solve_p_median(distance[:, order], weight[order], 5)
    assert here.chosen.tolist() == there.chosen.tolist()


def test_same_input_same_result() -> None:
    distance, weight = drawn(13, 40, 80, "whole")
    one, two = (solve_p_median(distance, weight, 8) for _ in range(2))
    assert one.chosen.tolist() == two.chosen.tolist()
    assert (one.nodes, one.objective, one.bound) == (two.nodes, two.objective, two.bound)


def test_stopped_at_once_it_reports_a_bound_that_holds() -> None:
    distance, weight = gapped()
    stopped = solve_p_median(distance, weight, 5, Stops(nodes=0))
    proved = solve_p_median(distance, weight, 5)
    assert stopped.status == "node limit"
    assert stopped.nodes == 0
    assert 0.0 < stopped.gap < 0.2
    assert stopped.bound <= proved.objective <= stopped.objective
    assert proved.nodes > 0
    in_time = solve_p_median(distance, weight, 5, Stops(seconds=0.0))
    assert in_time.status == "time limit"
    assert in_time.bound <= proved.objective


def test_gap_is_kept_when_asked_for() -> None:
    distance, weight = gapped()
    loose, proved = solve_p_median(distance, weight, 5, Stops(gap=0.02)), solve_p_median(distance, weight, 5)
    assert loose.gap <= 0.02
    assert loose.nodes <= proved.nodes
    assert loose.bound <= proved.objective <= loose.objective


def gapped() -> tuple[Array, Array]:
    """An instance whose relaxation does not close the gap: random costs without any geometry."""
    return np.random.default_rng(3).integers(1, 1000, (30, 60)).astype(float), np.ones(60)


# --- the parts -----------------------------------------------------------------------------------------


def test_greedy_takes_the_best_first() -> None:
    assert greedy_sites(LINE, 1).tolist() == [2]
    assert len(set(greedy_sites(LINE, 4).tolist())) == 4


def test_two_nearest_by_hand() -> None:
    nearest, first, second = two_nearest(LINE, np.array([0, 4]))
    assert nearest.tolist() == [0, 0, 0, 1, 1]
    assert first.tolist() == [0, 1, 2, 1, 0]
    assert second.tolist() == [4, 3, 2, 3, 4]
    assert two_nearest(LINE, np.array([0]))[2].min() > LINE.max()


@pytest.mark.parametrize("seed", range(6))
def test_interchange_ends_where_no_swap_pays(seed: int) -> None:
    cost, _ = drawn(seed, 12, 25, ("plane", "ties")[seed % 2])
    sites, value = interchange(cost, np.arange(4))
    assert value == pytest.approx(cost[sites].min(axis=0).sum())
    for closed in range(4):
        for opened in set(range(12)) - set(sites.tolist()):
            swapped = np.append(np.delete(sites, closed), opened)
            assert cost[swapped].min(axis=0).sum() >= value - 1e-9


def test_interchange_leaves_its_input_alone() -> None:
    start = np.array([0, 1])
    interchange(LINE, start)
    assert start.tolist() == [0, 1]


@pytest.mark.parametrize("seed", range(6))
def test_bound_and_what_it_rules_out(seed: int) -> None:
    """No choice costs less than the bound; every better choice lies within what is left."""
    cost, _ = drawn(seed, 9, 20, ("plane", "whole", "ties")[seed % 3])
    values = {tuple(one.tolist()): float(cost[one].min(axis=0).sum()) for one in choices(9, 3)}
    best = sorted(values.values())[len(values) // 20]  # not the optimum: better choices are left
    found = climb(cost, 0, 3, cost.min(axis=0) * 1.5 + 0.1, (best, math.inf), 40, 1.0)
    assert found.bound <= min(values.values()) + 1e-9
    enough = best - 1e-9
    may, must = may_open(found, 0, 3, enough)
    arcs = may_serve(found, cost, 3, enough)
    for sites, value in values.items():
        if value < enough:
            assert may[list(sites)].all()
            assert set(np.flatnonzero(must).tolist()) <= set(sites)
            nearest = np.array(sites)[cost[list(sites)].argmin(axis=0)]
            assert arcs[nearest, np.arange(20)].all()


def test_forced_sites_count_in_the_bound() -> None:
    cost, _ = drawn(2, 8, 15, "plane")
    found = climb(cost, 1, 1, cost.mean(axis=0), (1e9, math.inf), 30, 1.0)
    with_first = min(cost[[0, other]].min(axis=0).sum() for other in range(1, 8))
    assert found.bound <= with_first + 1e-9


def test_root_and_tree_keep_whole_positions() -> None:
    cost, _ = drawn(7, 40, 50, "whole")
    root = relax(cost, 5, 1.0 - 1e-6)
    tree = search(root, 5, 1.0 - 1e-6, Stops())
    assert tree.best == cost[tree.chosen].min(axis=0).sum()
    assert np.all(root.cost == cost[root.sites])
    assert tree.best <= root.best


@pytest.mark.parametrize("form", FORMS)
def test_programme_of_all_arcs_by_hand(form: str) -> None:
    programme, constant = median_programme(LINE, np.ones((5, 5), dtype=bool), 2, form)
    answer = solve_programme(programme, Stops())
    assert answer.objective + constant == pytest.approx(3.0)
    assert answer.values[:5].sum() == pytest.approx(2.0)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(3))
def test_programme_of_some_arcs_is_the_same_in_each_form(form: str, seed: int) -> None:
    cost, _ = drawn(seed, 8, 15, "ties")
    arcs = np.random.default_rng(seed).random(cost.shape) < 0.7
    arcs[0] = True
    masked = np.where(arcs, cost, np.inf)
    least = min(float(masked[one].min(axis=0).sum()) for one in choices(8, 3))
    programme, constant = median_programme(cost, arcs, 3, form)
    assert solve_programme(programme, Stops()).objective + constant == pytest.approx(least)


def test_sizes_of_the_forms() -> None:
    cost = np.array([[1.0, 2.0], [1.0, 3.0], [2.0, 4.0]])
    arcs = np.ones((3, 2), dtype=bool)
    classical, _ = median_programme(cost, arcs, 1, "classical")
    radius, _ = median_programme(cost, arcs, 1, "radius")
    incremental, constant = median_programme(cost, arcs, 1, "incremental")
    assert len(classical.cost) == 3 + 6
    assert len(radius.cost) == len(incremental.cost) == 3 + 1 + 2  # levels but the last of each customer
    assert constant == 1.0 + 2.0
    assert incremental.matrix.nnz == 3 + 6 + 2 * 3
    assert radius.matrix.nnz == 3 + (2 + 3) + (1 + 2 + 3) + 3


def test_form_follows_ties() -> None:
    arcs = np.ones((6, 8), dtype=bool)
    assert choose_form(np.random.default_rng(0).random((6, 8)), arcs) == "classical"
    assert choose_form(np.tile(np.array([1.0, 1.0, 2.0, 2.0, 3.0, 3.0])[:, None], 8), arcs) == "incremental"


def test_step_between_whole_costs() -> None:
    assert whole_step(np.array([4.0, 10.0, 6.0])) == 2.0
    assert whole_step(np.array([4.0, 10.5])) == 0.0
    assert whole_step(np.zeros(0)) == 0.0
    assert whole_step(np.array([2.0**50])) == 0.0


def test_barred_arcs_cost_more_than_any_whole_choice() -> None:
    cost, barred = weighted_cost(np.array([[1.0, np.inf], [5.0, 2.0]]), np.array([2.0, 1.0]))
    assert cost.tolist() == [[2.0, barred], [10.0, 2.0]]
    assert barred > 12.0


# --- published instances -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", sorted(PUBLISHED))
def test_published_optimum(number: int, shared_oracles) -> None:
    file = read_location_file(shared_oracles / "siting" / "pmed" / f"pmed{number}.txt")
    found = solve_p_median(file.distance, file.weight, file.count)
    assert found.objective == found.bound == PUBLISHED[number]
    assert found.status == "optimal"


@pytest.mark.parametrize("count", [1, 30, 45])
def test_other_counts_agree_by_other_means(count: int, shared_oracles) -> None:
    """The tree and HiGHS prove the same optimum for a count that the file does not ask for."""
    file = read_location_file(shared_oracles / "siting" / "pmed" / "pmed6.txt")
    ours = solve_p_median(file.distance, file.weight, count, form="tree")
    other = solve_p_median(file.distance, file.weight, count, form="classical")
    assert ours.objective == other.objective
    assert ours.gap == other.gap == 0.0


def test_five_hundred_by_a_hundred_and_fifty_is_quick() -> None:
    distance, weight = drawn(1, 150, 500, "plane")
    start = time.process_time()
    found = solve_p_median(distance, weight, 15)
    assert found.gap == 0.0
    assert time.process_time() - start < 10.0
