"""The decision rule, against the same rule written site by site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cleanhub.pathways.choice import Granted, Needs, meet_floors, option_costs
from cleanhub.pathways.choice import grant as grant_within
from cleanhub.pathways.choice import score as score_of
from cleanhub.pathways.rule import Rule


def grant(
    scores: Any, costs: Any, own: Any, size: Any, captured: Any, storage_left: float, switches_left: float
) -> Any:
    """The general rule with two limits: CO2 storage, which follows the product, and changes."""
    weight = np.array([captured, np.ones(len(captured))])
    scale = np.column_stack([size, np.ones(len(size))])
    needs = Needs(weight, np.array([1.0, 0.0]), scale, np.array([storage_left, switches_left]))
    got = grant_within(scores, costs, own, size, needs)
    names = ("co2_storage", "switches_per_year")
    return _Named(got.choice, dict(zip(names, got.refused.tolist(), strict=True)))


@dataclass
class _Named:
    choice: Any
    refused: dict[str, float]


def score(rule: str, running: Any, charge: Any, direct: Any, own: Any, **rest: Any) -> tuple[Any, Any]:
    """Scores and costs where every plant has the same running costs."""
    rows = np.repeat(running[None, :], len(own), axis=0)
    cost = option_costs(
        rows, charge, rest["charge_added"], own, rest["on_cycle"], rest["is_retrofit"], rest["allowed"]
    )
    return score_of(Rule(name=rule), cost, direct, own), cost


def naive_grant(
    scores: Any, costs: Any, own: Any, size: Any, captured: Any, storage: float, switches: float
) -> _Named:
    """One site at a time: the best wish that is left, until nothing or no room is left."""
    sites, options = range(len(own)), range(len(captured))
    open_to = {n: {k for k in options if np.isfinite(scores[n][k])} for n in sites}
    choice = [int(k) for k in own]
    refused = {"co2_storage": 0.0, "switches_per_year": 0.0}

    def need(n: int, k: int) -> float:
        return max((captured[k] - captured[own[n]]) * size[n], 0.0)

    while True:
        wishes = {}
        for n in sites:
            best = min(open_to[n], key=lambda k: (scores[n][k], k != own[n], k))
            if choice[n] == own[n] and best != own[n]:
                wishes[n] = best
        too_big = [n for n, k in wishes.items() if need(n, k) > storage + 1e-9]
        for n in too_big:
            wish = wishes[n]
            saved = (costs[n][own[n]] - costs[n][wish]) * size[n]
            refused["co2_storage"] = max(refused["co2_storage"], saved / need(n, wish))
            open_to[n] = {k for k in open_to[n] if captured[k] < captured[wish] or k == own[n]}
        if too_big:
            continue
        if not wishes:
            break
        if switches < 1:
            saved = max((costs[n][own[n]] - costs[n][k]) * size[n] for n, k in wishes.items())
            refused["switches_per_year"] = max(saved, 0.0)
            break
        first = max(wishes, key=lambda n: ((scores[n][own[n]] - scores[n][wishes[n]]) * size[n], -n))
        choice[first] = wishes[first]
        storage -= need(first, wishes[first])
        switches -= 1
    return _Named(np.array(choice), refused)


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """Small cases in whole numbers, so that ties are common and sums exact."""
    sites, options = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    whole = st.integers(0, 12).map(float)
    own = draw(arrays(np.int64, sites, elements=st.integers(0, options - 1)))
    scores = draw(arrays(float, (sites, options), elements=whole))
    closed = draw(arrays(bool, (sites, options)))
    closed[np.arange(sites), own] = False
    return {
        "scores": np.where(closed, np.inf, scores),
        "costs": np.where(closed, np.inf, draw(arrays(float, (sites, options), elements=whole))),
        "own": own,
        "size": draw(arrays(float, sites, elements=st.integers(1, 5).map(float))),
        "captured": draw(arrays(float, options, elements=st.integers(0, 4).map(float))),
        "storage_left": draw(st.one_of(st.just(np.inf), st.integers(0, 30).map(float))),
        "switches_left": draw(st.one_of(st.just(np.inf), st.integers(0, 6).map(float))),
    }


@settings(max_examples=250, deadline=None)
@given(case=cases())
def test_wishes_are_granted_as_if_one_by_one(case: dict[str, Any]) -> None:
    got, wanted = grant(**case), naive_grant(*case.values())
    np.testing.assert_array_equal(got.choice, wanted.choice)
    assert got.refused == pytest.approx(wanted.refused)


@settings(max_examples=120, deadline=None)
@given(case=cases())
def test_no_limit_is_exceeded_and_nothing_closed_is_chosen(case: dict[str, Any]) -> None:
    before = case["own"].copy(), case["scores"].copy()
    choice = grant(**case).choice
    own, captured = case["own"], case["captured"]
    moved = choice != own
    stored = np.maximum((captured[choice] - captured[own]) * case["size"], 0.0)[moved].sum()
    assert stored <= case["storage_left"] + 1e-6
    assert moved.sum() <= case["switches_left"]
    at = np.arange(len(own))
    assert np.isfinite(case["scores"][at, choice]).all()
    assert (case["scores"][at, choice][moved] < case["scores"][at, own][moved]).all(), "moves must pay"
    np.testing.assert_array_equal(case["own"], before[0], err_msg="arguments stay as they are")
    np.testing.assert_array_equal(case["scores"], before[1])


@settings(max_examples=120, deadline=None)
@given(case=cases())
def test_without_limits_all_get_their_best_and_nothing_is_refused(case: dict[str, Any]) -> None:
    got = grant(**{**case, "storage_left": np.inf, "switches_left": np.inf})
    at = np.arange(len(case["own"]))
    np.testing.assert_array_equal(case["scores"][at, got.choice], case["scores"].min(axis=1))
    assert got.refused == {"co2_storage": 0.0, "switches_per_year": 0.0}


@settings(max_examples=120, deadline=None)
@given(case=cases())
def test_something_refused_is_worth_something_only_if_it_was_refused(case: dict[str, Any]) -> None:
    limited = grant(**case)
    if any(limited.refused.values()):
        free = grant(**{**case, "storage_left": np.inf, "switches_left": np.inf})
        assert (free.choice != limited.choice).any()


# ---------------------------------------------------------------- one rule at a time

KEEP, CLAY, CAPTURE = 0, 1, 2
ONE = {
    "scores": np.array([[10.0, 8.0, 5.0]]),
    "costs": np.array([[10.0, 8.0, 5.0]]),
    "own": np.array([KEEP]),
    "size": np.array([100.0]),
    "captured": np.array([0.0, 0.0, 0.8]),
    "storage_left": 1000.0,
    "switches_left": 9.0,
}


def test_the_cheapest_is_chosen_where_it_fits() -> None:
    assert grant(**ONE).choice[0] == CAPTURE
    assert grant(**{**ONE, "storage_left": 80.0}).choice[0] == CAPTURE


def test_without_storage_a_site_falls_back_on_the_next_best_and_says_what_that_cost() -> None:
    got = grant(**{**ONE, "storage_left": 79.0})
    assert got.choice[0] == CLAY
    assert got.refused["co2_storage"] == pytest.approx((10 - 5) * 100 / 80)  # saving per tonne


def test_a_site_without_another_option_stays() -> None:
    scores = np.array([[10.0, np.inf, 5.0]])
    assert grant(**{**ONE, "scores": scores, "storage_left": 0.0}).choice[0] == KEEP


def test_nothing_changes_where_nothing_is_better() -> None:
    for better in ([[4.0, 8.0, 5.0]], [[5.0, 8.0, 5.0]]):
        assert grant(**{**ONE, "scores": np.array(better)}).choice[0] == KEEP
    tie = {**ONE, "own": np.array([CAPTURE]), "scores": np.array([[5.0, 8.0, 5.0]])}
    assert grant(**tie).choice[0] == CAPTURE, "also where another option as good is listed first"


def test_between_equal_sites_the_first_goes_first() -> None:
    two = {
        **ONE,
        "scores": np.repeat(ONE["scores"], 3, axis=0),
        "costs": np.repeat(ONE["costs"], 3, axis=0),
        "own": np.array([KEEP, KEEP, KEEP]),
        "size": np.full(3, 100.0),
        "switches_left": 2.0,
    }
    got = grant(**two)
    np.testing.assert_array_equal(got.choice, [CAPTURE, CAPTURE, KEEP])
    assert got.refused["switches_per_year"] == pytest.approx(500.0)


def test_the_larger_saving_goes_first_and_the_small_one_takes_what_is_left() -> None:
    two = {
        **ONE,
        "scores": np.repeat(ONE["scores"], 2, axis=0),
        "costs": np.repeat(ONE["costs"], 2, axis=0),
        "own": np.array([KEEP, KEEP]),
        "size": np.array([100.0, 300.0]),
        "storage_left": 250.0,
    }
    np.testing.assert_array_equal(grant(**two).choice, [CLAY, CAPTURE])


def test_no_candidates_is_no_error() -> None:
    empty = grant(np.empty((0, 3)), np.empty((0, 3)), np.array([], int), np.array([]), np.zeros(3), 1.0, 1.0)
    assert empty.choice.shape == (0,)


# ---------------------------------------------------------------- scores


@st.composite
def markets(draw: st.DrawFn) -> dict[str, Any]:
    sites, options = draw(st.integers(1, 5)), draw(st.integers(2, 6))
    money = st.floats(0, 500)
    charge = draw(arrays(float, options, elements=money))
    own = draw(arrays(np.int64, sites, elements=st.integers(0, options - 1)))
    allowed = draw(arrays(bool, (sites, options)))
    allowed[np.arange(sites), own] = True
    return {
        "running": draw(arrays(float, options, elements=st.floats(-100, 500))),
        "charge": charge,
        "direct": draw(arrays(float, options, elements=st.floats(0, 2).map(lambda x: round(x, 4)))),
        "own": own,
        "on_cycle": draw(arrays(bool, sites)),
        "allowed": allowed,
        "charge_added": charge * draw(st.floats(0, 1)),
        "is_retrofit": draw(arrays(bool, (sites, options))),
    }


@settings(max_examples=100, deadline=None)
@given(market=markets())
def test_what_an_option_costs(market: dict[str, Any]) -> None:
    _, cost = score("least_cost", **market)
    for n, own in enumerate(market["own"]):
        for k, running in enumerate(market["running"]):
            if not market["allowed"][n, k]:
                capital = np.inf
            elif market["on_cycle"][n]:
                capital = market["charge"][k]  # due: keeping on costs a renewal too
            elif k == own:
                capital = 0.0  # paid for
            elif market["is_retrofit"][n, k]:
                capital = market["charge_added"][k]  # the base plant is paid for
            else:
                capital = market["charge"][k]
            assert cost[n, k] == pytest.approx(running + capital)


@settings(max_examples=100, deadline=None)
@given(market=markets())
def test_least_cost_takes_the_cheapest_allowed(market: dict[str, Any]) -> None:
    scores, cost = score("least_cost", **market)
    best = scores.argmin(axis=1)
    at = np.arange(len(best))
    assert market["allowed"][at, best].all()
    np.testing.assert_array_equal(cost[at, best], np.where(market["allowed"], cost, np.inf).min(axis=1))


@settings(max_examples=100, deadline=None)
@given(market=markets())
def test_lowest_emissions_takes_the_least_direct_and_among_equals_the_cheapest(
    market: dict[str, Any],
) -> None:
    scores, cost = score("lowest_emissions", **market)
    best = scores.argmin(axis=1)
    for n, k in enumerate(best):
        allowed = np.flatnonzero(market["allowed"][n])
        least = market["direct"][allowed].min()
        equal = [o for o in allowed if market["direct"][o] <= least + 1e-6]
        assert k in equal
        assert cost[n, k] <= min(cost[n, o] for o in equal) + 1e-3


@settings(max_examples=100, deadline=None)
@given(market=markets(), low=st.floats(0, 300), rise=st.floats(0.01, 300))
def test_a_dearer_tonne_never_makes_one_decision_dirtier(
    market: dict[str, Any], low: float, rise: float
) -> None:
    """True of every single decision; a whole path may lock a site in to a half measure earlier."""
    direct = market["direct"]

    def emitted(price: float) -> np.ndarray:
        scores, _ = score("least_cost", **{**market, "running": market["running"] + direct * price})
        best = scores.min(axis=1, keepdims=True)
        return np.where(scores <= best + 1e-9, direct[None, :], np.inf).min(axis=1)

    assert (emitted(low + rise) <= emitted(low) + 1e-9).all()


# ---------------------------------------------------------------- rule mpp and floors


def test_rule_mpp_takes_no_switch_that_saves_less_than_a_band() -> None:
    cost = np.array([[100.0, 96.0, 94.0]])
    scores = score_of(
        Rule(name="mpp"), cost, np.array([1.0, 0.5, 0.4]), np.array([0]), np.random.default_rng(0)
    )
    assert np.isinf(scores[0, 1]), "4 % cheaper is within the band"
    assert scores[0].argmin() == 2


def test_rule_mpp_draws_among_options_in_one_band_and_the_seed_repeats_it() -> None:
    cost = np.tile([100.0, 50.0, 50.5, 90.0], (400, 1))
    own, direct = np.zeros(400, dtype=int), np.array([1.0, 0.5, 0.5, 0.5])

    def drawn(seed: int) -> Any:
        return score_of(Rule(name="mpp"), cost, direct, own, np.random.default_rng(seed)).argmin(axis=1)

    first = drawn(1)
    assert set(first.tolist()) == {1, 2}, "the dearest is in another band"
    assert 120 < (first == 1).sum() < 280
    np.testing.assert_array_equal(first, drawn(1))
    assert (first != drawn(2)).any()


def test_rule_mpp_with_weight_on_tonnes_takes_the_cleanest_though_it_is_dear() -> None:
    cost = np.array([[100.0, 60.0, 300.0]])
    rule = Rule(name="mpp", cost_weight=0.01, emission_weight=0.99)
    scores = score_of(rule, cost, np.array([1.0, 0.9, 0.0]), np.array([0]), np.random.default_rng(0))
    assert scores[0].argmin() == 2


def test_a_spread_mixes_near_ties_and_leaves_the_far_ones() -> None:
    cost = np.tile([100.0, 101.0, 300.0], (500, 1))
    rule = Rule(spread=0.05)
    picks = score_of(rule, cost, np.zeros(3), np.zeros(500, dtype=int), np.random.default_rng(0)).argmin(
        axis=1
    )
    share = np.bincount(picks, minlength=3) / 500
    wanted = np.exp(-np.array([0.0, 0.01, 2.0]) / 0.05)
    np.testing.assert_allclose(share, wanted / wanted.sum(), atol=0.07)


def test_floors_are_met_by_the_plants_for_which_it_costs_least() -> None:
    costs = np.array([[10.0, 18.0], [10.0, 12.0], [10.0, 15.0]])
    own, size = np.zeros(3, dtype=int), np.ones(3)
    needs = Needs(np.array([[0.0, 1.0]]), np.ones(1), np.ones((3, 1)), np.array([np.inf]))
    kept = Granted(own.copy(), np.zeros(1))
    got = meet_floors(kept, costs, own, size, needs, np.array([1.5]))
    np.testing.assert_array_equal(got.choice, [0, 1, 1])
    np.testing.assert_array_equal(meet_floors(kept, costs, own, size, needs, np.zeros(1)).choice, own)


def test_a_floor_breaks_no_cap() -> None:
    costs, own, size = np.array([[10.0, 12.0]] * 3), np.zeros(3, dtype=int), np.ones(3)
    weight = np.array([[0.0, 1.0], [0.0, 1.0]])
    needs = Needs(weight, np.ones(2), np.ones((3, 2)), np.array([np.inf, 1.2]))
    got = meet_floors(Granted(own.copy(), np.zeros(2)), costs, own, size, needs, np.array([3.0, 0.0]))
    assert (got.choice == 1).sum() == 1
