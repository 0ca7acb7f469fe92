"""Times from draws: maxima and minima, giving up, finance, programmes, tonnes, and what a change reaches."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hand_graphs import Hand, One, setting
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.pipeline.draws import draw
from cleanhub.pipeline.evaluate import Change, Times, changed, evaluate
from cleanhub.pipeline.nodes import Node
from cleanhub.pipeline.problem import POLICY, SHARED

MANY = 20_000


def applied(base: Times, change: Change) -> Times:
    """All times after a change, in copies; programmes are left as they were."""
    after = Times(base.time.copy(), base.decided.copy(), base.in_service.copy(), base.tonnes.copy())
    for node, values in change.time.items():
        after.time[node] = values
    for name in ("decided", "in_service", "tonnes"):
        getattr(after, name)[change.projects] = getattr(change, name)
    return after


def years(*points):
    return points * 3 if len(points) == 1 else points


def run(hand, draws=200, seed=0, finance=None, **rule):
    world = draw(*hand.build(), setting(**rule), draws, seed, finance=finance)
    return world, evaluate(world)


def chain():
    """Permit 2 years, then offtake 3 years beside it, finance 1 year after both."""
    hand = Hand().gate("a", "permit", years=years(2.0)).gate("a", "offtake", years=years(3.0))
    hand.gate("a", "finance", after=["gate:a:permit", "gate:a:offtake"], years=years(1.0))
    return hand.project(One("a", tonnes=10.0, life=5.0), ["gate:a:finance"], build=2.0)


def test_times_add_up_along_the_longest_chain():
    world, times = run(chain())
    assert np.all(times.time[:, 0] == [2, 3, 4, 4, 6])
    assert np.all(times.decided == 4.0)
    assert np.all(times.in_service == 6.0)
    assert np.all(times.tonnes == 50.0)  # five years of life, all before the end of 2045
    assert world.draws == 200


def test_tonnes_end_with_the_target_year():
    _, times = run(chain(), target_year=2034, as_of=2026.5)
    assert times.tonnes[0] == pytest.approx(10.0 * (2035 - 2032.5))


def test_one_of_several_is_enough_where_the_node_says_so():
    hand = Hand().node(Node("near", SHARED, years=years(5.0)))
    hand.node(Node("far", SHARED, p_pass=0.5, years=years(1.0)))
    hand.node(Node("any", SHARED, any_of=True, years=years(1.0)), ["near", "far"])
    _, times = run(hand.project(One("a"), ["any"]), draws=1_000)
    assert sorted(set(times.decided[0])) == [2.0, 6.0]
    assert (times.decided[0] == 2.0).mean() == pytest.approx(0.5, abs=0.01)


def test_nothing_closes_before_its_earliest_date():
    hand = Hand().gate("a", "permit", years=years(1.0), earliest=3.5).project(One("a"), ["gate:a:permit"])
    assert np.all(run(hand)[1].decided == 3.5)


def test_what_fails_is_infinite_and_so_is_all_that_waits():
    hand = Hand().gate("a", "permit", 0.3, years=years(1.0)).project(One("a"), ["gate:a:permit"])
    world, times = run(hand, draws=1_000)
    assert np.array_equal(np.isfinite(times.decided[0]), world.closes[0])
    assert np.all(times.tonnes[0][~world.closes[0]] == 0.0)


def test_giving_up_competes_with_the_decision_in_closed_form():
    """P(decide) = exp(-lambda T); deciders' time T; live years (1 - P) / lambda."""
    _, times = run(chain(), draws=MANY, drop_hazard=0.12)
    assert np.isfinite(times.decided[0]).mean() == pytest.approx(np.exp(-0.12 * 4.0), abs=2 / MANY)
    assert np.all(np.isinf(times.time[3:, np.isinf(times.decided[0])]))  # decision and service nodes


def test_giving_up_against_a_time_that_spreads():
    hand = Hand().gate("a", "permit", 0.6, years=(1.0, 3.0, 9.0)).project(One("a"), ["gate:a:permit"])
    world, times = run(hand, draws=MANY, drop_hazard=0.12)
    expected = 0.6 * np.exp(-0.12 * world.years[0]).mean()
    assert np.isfinite(times.decided[0]).mean() == pytest.approx(expected, abs=0.01)


def test_completion_is_a_share_of_those_that_decide():
    _, times = run(chain(), draws=1_000, completion=0.8)
    assert np.all(np.isfinite(times.decided))
    assert np.isfinite(times.in_service).mean() == pytest.approx(0.8, abs=0.002)


def test_projects_past_their_decision_and_ended_ones():
    hand = Hand()
    for name, stage, online in (("old", "operating", -3.0), ("unknown", "operating", np.nan)):
        hand.project(One(name, stage=stage, online=online, tonnes=2.0, life=10.0), [])
    hand.project(One("rising", stage="construction", tonnes=2.0), [], build=1.5)
    hand.project(One("gone", stage="cancelled"), [])
    _, times = run(hand, draws=10)
    assert times.decided[:, 0].tolist() == [0.0, 0.0, 0.0, np.inf]
    assert times.in_service[:, 0].tolist() == [-3.0, 0.0, 1.5, np.inf]
    assert times.tonnes[:, 0].tolist() == [14.0, 20.0, 37.0, 0.0]  # years left of a life count


def test_a_programme_decides_with_the_first_of_its_parts():
    hand = Hand().gate("a", "permit", 0.5, years=years(4.0)).gate("b", "permit", 0.5, years=years(6.0))
    hand.project(One("a", part_of="in"), ["gate:a:permit"]).project(
        One("b", part_of="top"), ["gate:b:permit"]
    )
    hand.project(One("in", role="programme", part_of="top", tonnes=99.0), [])
    hand.project(One("top", role="programme", tonnes=99.0), [])
    _, times = run(hand, draws=500)
    a, b, inner, top = times.decided
    assert np.array_equal(inner, a)
    assert np.array_equal(top, np.minimum(a, b))
    assert np.all(times.tonnes[2:] == 0.0)


def test_a_programme_with_a_part_past_its_decision_has_decided_but_not_one_that_ended():
    hand = Hand().project(One("a", stage="operating", part_of="on"), [])
    hand.project(One("on", role="programme"), [])
    hand.project(One("b", stage="operating", part_of="off"), [])
    hand.project(One("off", role="programme", stage="cancelled"), [])
    hand.gate("own", "permit", years=years(7.0)).project(One("own", role="programme"), ["gate:own:permit"])
    _, times = run(hand, draws=5)
    assert times.decided[:, 0].tolist() == [0.0, 0.0, 0.0, np.inf, 7.0]


class Cheap:
    """Finds money for early decisions, or where the credit is in force."""

    def __init__(self, projects, before):
        self.known = np.array(projects)
        self.before = before

    def passes(self, project, decided, world):
        assert np.all(np.isfinite(decided))
        return (decided <= self.before) | world.in_force["policy:credit"]


def financed():
    hand = Hand().node(Node("policy:credit", POLICY, p_pass=0.7))
    hand.gate("a", "permit", 0.9, years=(1.0, 3.0, 6.0))
    hand.gate("a", "finance", 0.5, after=["gate:a:permit"], years=years(1.0))
    hand.project(One("a"), ["gate:a:finance"])
    hand.gate("b", "feedstock", years=years(1.0), after=["service:a"])
    hand.gate("b", "finance", 0.5, after=["gate:b:feedstock"])
    return hand.project(One("b"), ["gate:b:finance"])


def test_a_known_project_is_judged_in_the_draw_and_the_others_by_their_chance():
    world, times = run(financed(), draws=2_000, finance=Cheap([True, False], 3.0))
    raw = world.years[1] + 1.0
    ok = world.closes[1] & ((raw <= 3.0) | world.in_force["policy:credit"])
    assert np.array_equal(np.isfinite(times.decided[0]), ok)
    assert np.array_equal(np.isfinite(times.time[2]), ok)  # the finance gate says so too
    assert np.array_equal(np.isfinite(times.decided[1]), ok & world.closes[6])


@pytest.mark.parametrize("node", range(9))
def test_a_change_gives_what_a_whole_evaluation_gives(node):
    world, base = run(financed(), draws=300, finance=Cheap([True, False], 3.0), drop_hazard=0.1)
    for change in ({"never": (node,)}, {"later": {node: 1.0}}, {"never": (node,), "later": {1: 2.0}}):
        whole, part = evaluate(world, **change), applied(base, changed(world, base, **change))
        for name in ("time", "decided", "in_service", "tonnes"):
            assert np.array_equal(getattr(whole, name), getattr(part, name)), (change, name)


def test_a_policy_that_is_never_in_force_takes_the_money_it_carried():
    world, base = run(financed(), draws=2_000, finance=Cheap([True, False], 0.0))
    assert np.isfinite(base.decided[0]).mean() == pytest.approx(0.63, abs=0.03)
    assert not np.isfinite(evaluate(world, never=(0,)).decided).any()
    assert world.in_force["policy:credit"].any()  # the world itself is as it was


def test_a_change_tells_only_of_projects_that_it_reaches():
    hand = chain().gate("b", "permit").project(One("b"), ["gate:b:permit"])
    world, base = run(hand, draws=5)
    change = changed(world, base, never=(hand_place(hand, "gate:b:permit"),))
    assert change.projects.tolist() == [1]
    assert np.all(np.isinf(change.decided))


def hand_place(hand, name):
    return [node.id for node in hand.nodes].index(name)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_random_graph_agrees_with_a_plain_loop(data):
    count = data.draw(st.integers(2, 9))
    hand = Hand()
    for node in range(count):
        before = data.draw(st.lists(st.integers(0, node - 1), unique=True, max_size=3)) if node else []
        hand.node(
            Node(
                f"n{node}",
                SHARED,
                p_pass=data.draw(st.sampled_from([0.5, 1.0])),
                years=(1.0, 2.0, data.draw(st.sampled_from([2.0, 7.0]))),
                earliest=data.draw(st.sampled_from([0.0, 3.0])),
                any_of=data.draw(st.booleans()),
                done=data.draw(st.sampled_from([False, False, True])),
            ),
            [f"n{one}" for one in before],
        )
    hand.project(One("a"), [f"n{count - 1}"])
    world, times = run(hand, draws=40, seed=3, drop_hazard=0.05)
    graph = world.graph
    for d in range(40):
        for node in range(len(graph)):
            waits = [times.time[e, d] for e in graph.before[graph.after == node]]
            begin = 0.0 if not waits else (min if graph.any_of[node] else max)(waits)
            found = max(begin + world.years[node, d], graph.earliest[node])
            found = 0.0 if graph.done[node] else found if world.closes[node, d] else np.inf
            if node == world.projects.decision[0] and found >= world.given_up[0, d]:
                found = np.inf
            assert times.time[node, d] == found
    changes = data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=3))
    part = applied(times, changed(world, times, never=changes))
    assert np.array_equal(evaluate(world, never=changes).time, part.time)


def test_chances_equal_those_of_all_states_counted():
    """Two captures share a store; either of two permits of the store will do: 2^6 states."""
    p = [0.7, 0.6, 0.5, 0.8, 0.4, 0.9]
    hand = Hand().node(Node("well1", SHARED, p_pass=p[0])).node(Node("well2", SHARED, p_pass=p[1]))
    hand.node(Node("store", SHARED, p_pass=p[2], any_of=True), ["well1", "well2"])
    for name, first, second in (("a", p[3], p[4]), ("b", p[5], 1.0)):
        hand.gate(name, "permit", first, after=["store"]).gate(name, "offtake", second)
        hand.project(One(name), [f"gate:{name}:permit", f"gate:{name}:offtake"])
    _, times = run(hand, draws=MANY)
    exact = np.zeros(3)
    for state in itertools.product((0, 1), repeat=6):
        weight = np.prod([q if up else 1 - q for q, up in zip(p, state, strict=True)])
        store = (state[0] or state[1]) and state[2]
        a, b = store and state[3] and state[4], store and state[5]
        exact += weight * np.array([bool(a), bool(b), bool(a and b)])
    came = np.isfinite(times.decided)
    found = [came[0].mean(), came[1].mean(), (came[0] & came[1]).mean()]
    assert found == pytest.approx(exact, abs=4 * np.sqrt(0.25 / MANY))


def test_evidence_lowers_no_draw_and_raises_the_chance_gate_by_gate():
    codes = ("site", "permit", "offtake", "epc")
    rule = {"common_project": 0.3, "common_gate": 0.2, "drop_hazard": 0.1}

    def with_done(done):
        hand = Hand()
        for code in codes:
            hand.gate("a", code, 0.6, years=(1.0, 2.0, 4.0), done=code == done)
        return run(hand.project(One("a"), [f"gate:a:{code}" for code in codes]), 2_000, **rule)[1]

    base = with_done(None)
    for code in codes:
        told = with_done(code)
        assert np.all(told.decided <= base.decided)
        assert np.isfinite(told.decided).mean() > np.isfinite(base.decided).mean()


def test_without_a_store_no_project_decides_that_waits_for_it():
    hand = Hand().node(Node("store", SHARED))
    for name in "ab":
        hand.gate(name, "co2_transport_storage", after=["store"]).project(
            One(name), [f"gate:{name}:co2_transport_storage"]
        )
    hand.gate("c", "permit").project(One("c"), ["gate:c:permit"])
    world, base = run(hand, draws=4)
    assert np.isfinite(base.decided).all()
    assert np.isfinite(evaluate(world, never=(0,)).decided)[:, 0].tolist() == [False, False, True]


def test_no_projects_and_no_nodes():
    world, times = run(Hand(), draws=3)
    assert times.time.shape == times.decided.shape == times.tonnes.shape == (0, 3)
    assert replace(world, seed=1).draws == 3
