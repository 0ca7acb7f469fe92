"""Draws: chances, common parts, evidence, durations, streams."""

from __future__ import annotations

import numpy as np
import pytest
from hand_graphs import Hand, One, setting
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri
from scipy.stats import multivariate_normal

from cleanhub.pipeline.draws import chances, closing, draw, log_odds, posterior, stream, uniform
from cleanhub.pipeline.nodes import Node
from cleanhub.pipeline.problem import GATE, POLICY, SHARED

MANY = 20_000


def two_gates(first: bool = False, second: bool = False, p: float = 0.4) -> Hand:
    hand = Hand().gate("a", "permit", p, done=first).gate("a", "offtake", 0.6, done=second)
    return hand.project(One("a"), ["gate:a:permit", "gate:a:offtake"])


def test_a_gate_passes_with_its_chance():
    world = draw(*two_gates().build(), setting(), MANY, 1)
    assert world.closes[0].mean() == pytest.approx(0.4, abs=2 / MANY)  # strata: not a sampling error
    assert world.closes[1].mean() == pytest.approx(0.6, abs=2 / MANY)


def test_gates_without_a_common_part_are_independent():
    world = draw(*two_gates().build(), setting(), MANY, 2)
    assert (world.closes[0] & world.closes[1]).mean() == pytest.approx(0.24, abs=4 * np.sqrt(0.18 / MANY))


@pytest.mark.parametrize(("project", "kind"), [(0.5, 0.0), (0.2, 0.3)])
def test_common_parts_make_the_correlation_they_are_shares_of(project, kind):
    hand = two_gates().gate("b", "permit", 0.5).project(One("b"), ["gate:b:permit"])
    world = draw(*hand.build(), setting(common_project=project, common_gate=kind), MANY, 3)
    for (one, p), (other, q), share in (((0, 0.4), (1, 0.6), project), ((0, 0.4), (4, 0.5), kind)):
        both = multivariate_normal([0, 0], [[1, share], [share, 1]]).cdf([ndtri(p), ndtri(q)])
        assert (world.closes[one] & world.closes[other]).mean() == pytest.approx(both, abs=0.012)


def test_evidence_gives_the_conditional_chance_of_the_copula():
    share = 0.5
    both = multivariate_normal([0, 0], [[1, share], [share, 1]]).cdf([ndtri(0.4), ndtri(0.6)])
    world = draw(*two_gates(first=True).build(), setting(common_project=share), MANY, 4)
    assert world.closes[1].mean() == pytest.approx(both / 0.4, abs=0.01)
    assert both / 0.4 > 0.7  # evidence matters here


class Judge:
    """Knows the value of the first project alone."""

    known = np.array([True, False])

    def passes(self, project, decided, world):
        return np.ones(world.draws, dtype=bool)


def test_a_date_of_policy_is_judged_once():
    hand = Hand()
    for name in ("a", "b"):
        hand.gate(name, "policy_deadline", 0.5).gate(name, "permit", 0.5)
        hand.project(One(name), [f"gate:{name}:policy_deadline", f"gate:{name}:permit"])
    graph, projects = hand.build()
    by_chance = draw(graph, projects, setting(), 1_000, 1)
    judged = draw(graph, projects, setting(), 1_000, 1, finance=Judge())
    node = {str(name): place for place, name in enumerate(graph.id)}
    assert by_chance.closes[node["gate:a:policy_deadline"]].mean() == pytest.approx(0.5, abs=0.01)
    assert judged.closes[node["gate:a:policy_deadline"]].all()
    for same in ("gate:a:permit", "gate:b:policy_deadline", "gate:b:permit"):
        assert (judged.closes[node[same]] == by_chance.closes[node[same]]).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.01, 1.0), max_size=5), st.floats(0.01, 1.0), st.floats(0.0, 1.0))
def test_more_evidence_never_lowers_the_common_part(done, more, common):
    u = uniform(5, "u", 500)
    with_less = posterior(u, np.array(done), common)
    assert np.all(posterior(u, np.array([*done, more]), common) >= with_less - 1e-12)


def test_without_evidence_the_common_part_is_standard_normal():
    u = uniform(6, "u", 5_000)
    assert np.abs(ndtr(posterior(u, np.array([]), 0.4)) - u).max() < 2e-4
    assert posterior(u, np.array([]), 0.4).std() == pytest.approx(1.0, abs=0.002)


def test_one_gate_done_lowers_no_draw_of_the_others():
    rng = setting(common_project=0.3, common_gate=0.2)
    base = draw(*two_gates().build(), rng, 2_000, 7)
    told = draw(*two_gates(first=True).build(), rng, 2_000, 7)
    assert np.all(told.closes >= base.closes)
    assert told.closes[1].sum() > base.closes[1].sum()


def test_the_shift_moves_log_odds_of_gates_that_are_not_fixed():
    hand = Hand().gate("a", "permit", 0.4).gate("a", "site", 0.4, fixed=True).gate("a", "epc", 1.0)
    hand.node(Node("store", SHARED, p_pass=0.5)).project(One("a"), ["gate:a:permit"])
    found = chances(hand.build()[0], setting(completion=0.9), np.log(3.0))
    assert found[:4] == pytest.approx([2 / 3, 0.4, 1.0, 0.5])  # odds 2:3 times 3 are 2:1
    assert found[-1] == 0.9  # service


def ranged(*rules: str, low: float = 0.1, value: float = 0.4, high: float = 0.9) -> Hand:
    hand = Hand()
    for number, rule in enumerate(rules):
        gate = f"gate:p{number}:permit"
        hand.gate(f"p{number}", "permit", value, p_low=low, p_high=high, rule=rule)
        hand.project(One(f"p{number}"), [gate])
    return hand


def test_the_chance_of_a_rule_is_drawn_between_its_ends_half_of_it_below_its_value():
    """Uniform from 0.1 to 0.4 in one half of the worlds, from 0.4 to 0.9 in the other: 0.45 in the mean."""
    closes = draw(*ranged("easy").build(), setting(), MANY, 4).closes[0]
    assert closes.mean() == pytest.approx((0.1 + 2 * 0.4 + 0.9) / 4, abs=0.01)
    plain = draw(*ranged("easy", low=0.4, high=0.4).build(), setting(), MANY, 4).closes[0]
    assert plain.mean() == pytest.approx(0.4, abs=0.002)


def test_one_rule_is_misjudged_for_all_its_gates_and_another_by_itself():
    """Two gates of a rule pass together with the chance E[p^2]: the variance of p is their covariance."""
    graph, projects = ranged("easy", "easy", "hard").build()
    closes = draw(graph, projects, setting(), MANY, 4).closes.astype(float)
    ends = ((0.1, 0.4), (0.4, 0.9))
    squares = sum((b**3 - a**3) / (3 * (b - a)) for a, b in ends) / 2
    variance = squares - 0.45**2
    covariance = np.cov(closes[graph.kind == GATE])
    assert covariance[0, 1] == pytest.approx(variance, abs=0.006)
    assert covariance[0, 2] == pytest.approx(0.0, abs=0.006)


def test_drawn_apart_each_gate_has_the_same_chance_and_nothing_in_common():
    graph, projects = ranged("easy", "easy").build()
    rule = setting(common_gate=0.5)
    chance = chances(graph, rule)
    open_gates = np.flatnonzero(graph.kind == GATE)
    together, apart = (
        closing(chance, log_odds(graph, projects, rule, chance, MANY, 4, apart=one), MANY)[open_gates]
        for one in (False, True)
    )
    assert together.mean(axis=1) == pytest.approx([0.45, 0.45], abs=0.01)
    assert apart.mean(axis=1) == pytest.approx([0.45, 0.45], abs=0.01)
    assert np.corrcoef(together)[0, 1] > 0.3
    assert np.corrcoef(apart)[0, 1] == pytest.approx(0.0, abs=0.03)


def test_chances_of_none_and_one_are_sure():
    hand = Hand().gate("a", "permit", 0.0).gate("a", "site", 1.0).project(One("a"), [])
    world = draw(*hand.build(), setting(common_project=0.3), 100, 0, shift=2.0)
    assert not world.closes[0].any()
    assert world.closes[1].all()


def test_years_are_constant_without_a_spread_and_nothing_once_done():
    hand = (
        Hand().gate("a", "permit", years=(2.0, 2.0, 2.0)).gate("a", "site", done=True, years=(1.0, 2.0, 3.0))
    )
    world = draw(*hand.project(One("a"), []).build(), setting(), 50, 0)
    assert np.all(world.years[0] == 2.0)
    assert np.all(world.years[1] == 0.0)


def test_projects_are_given_up_at_an_exponential_time():
    hand = (
        two_gates().project(One("built", stage="operating"), []).project(One("gone", stage="cancelled"), [])
    )
    world = draw(*hand.build(), setting(drop_hazard=0.12), MANY, 8)
    assert world.given_up[0].mean() == pytest.approx(1 / 0.12, rel=0.01)
    assert np.median(world.given_up[0]) == pytest.approx(np.log(2) / 0.12, rel=0.01)
    assert np.all(np.isinf(world.given_up[1:]))


def test_capital_and_price_have_a_part_in_common():
    hand = two_gates().project(One("b"), [])
    points = np.array([0.8, 1.0, 1.5])
    rule = setting(common_gate=0.4, capital_growth=points, price_spread=points)
    world = draw(*hand.build(), rule, MANY, 9)
    logs = np.log(world.capital)
    assert np.percentile(world.capital[0], [10, 50, 90]) == pytest.approx(points, rel=0.03)
    assert np.corrcoef(np.sign(logs))[0, 1] == pytest.approx(2 / np.pi * np.arcsin(0.4), abs=0.03)
    assert abs(np.corrcoef(logs[0], np.log(world.price[0]))[0, 1]) < 0.03


def test_each_stream_is_of_its_name():
    small, rule = two_gates(), setting(common_project=0.2, common_gate=0.2, drop_hazard=0.1)
    base = draw(*small.build(), rule, 300, 10)
    more = Hand().gate("z", "permit", 0.5, years=(1.0, 2.0, 4.0)).project(One("z"), ["gate:z:permit"])
    for one in small.nodes:
        more.nodes.append(one)
    more.projects += small.projects
    more.edges += small.edges
    grown = draw(*more.build(), rule, 300, 10)
    assert np.array_equal(grown.closes[3:], base.closes)
    assert np.array_equal(grown.given_up[1:], base.given_up)
    assert not np.array_equal(draw(*small.build(), rule, 300, 11).closes, base.closes)
    again = draw(*small.build(), rule, 300, 10)
    assert again.closes.tobytes() == base.closes.tobytes()
    assert again.given_up.tobytes() == base.given_up.tobytes()
    assert stream(0, "a").random() != stream(0, "b").random()


def test_policies_are_in_force_with_their_chance():
    hand = two_gates().node(Node("policy:credit", POLICY, p_pass=0.9))
    world = draw(*hand.build(), setting(), 1_000, 0)
    assert list(world.in_force) == ["policy:credit"]
    assert world.in_force["policy:credit"].mean() == pytest.approx(0.9, abs=0.002)


def test_ready_leaves_finance_out():
    hand = two_gates(p=0.5).gate("a", "finance", 0.1)
    world = draw(*hand.build(), setting(), 1_000, 0)
    assert np.array_equal(world.ready[0], world.closes[0] & world.closes[1])


def test_common_shares_beyond_the_whole_are_refused():
    with pytest.raises(ValueError, match="at most 1"):
        draw(*two_gates().build(), setting(common_project=0.7, common_gate=0.4), 10)
