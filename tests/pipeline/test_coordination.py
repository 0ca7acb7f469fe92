"""The backward pass by hand, alternatives, dates of policies, and the timeline of each actor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hand_graphs import Hand, One, setting
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.pipeline.coordination import (
    Date,
    Deadline,
    backward,
    coordination_table,
    counted_on,
    dates_of,
)
from cleanhub.pipeline.draws import World, draw
from cleanhub.pipeline.evaluate import Times, evaluate
from cleanhub.pipeline.missing import links_table
from cleanhub.pipeline.nodes import Node
from cleanhub.pipeline.problem import POLICY, SHARED

WORDS = {"what": "a thing", "actor": "developer", "action": "do it", "barrier": "other"}


@dataclass(frozen=True)
class Run:
    world: World
    times: Times


def run_of(hand: Hand, draws: int = 1, **changes) -> Run:
    world = draw(*hand.build(), setting(**changes), draws, 0)
    return Run(world, evaluate(world))


def table_of(run: Run, deadlines=()):
    return coordination_table(run, links_table(run), deadlines)


def gate(hand: Hand, code: str, years: float, after=(), project: str = "a", **more) -> Hand:
    span = (years, years, years)
    return hand.gate(project, code, 1.0, after, **{**WORDS, "link_kind": "gate", "years": span, **more})


def chain(online: float = 10.0) -> Hand:
    """site 1, then permit 2 and interconnection 4 beside each other, then finance 1; construction 3."""
    hand = gate(Hand(), "site", 1)
    gate(hand, "permit", 2, ["gate:a:site"], actor="air_district")
    gate(hand, "interconnection", 4, ["gate:a:site"], actor="utility")
    gate(hand, "finance", 1, ["gate:a:permit", "gate:a:interconnection"], actor="lender")
    return hand.project(One("a", online=online), ["gate:a:finance"], build=3.0)


# ---------------------------------------------------------------- the pass


def test_backward_pass_by_hand():
    # 0 (2 years) -> 2 (3 years) -> 3 (1 year); 1 (4 years) -> 2; 3 by year 10, 2 by year 8
    before = [np.array([], int), np.array([], int), np.array([0, 1]), np.array([2])]
    dates = (Date(3, 10.0, "late"), Date(2, 8.0, "early"))
    found = backward(np.array([2.0, 4.0, 3.0, 1.0]), before, dates)
    assert found.latest.tolist() == [5, 5, 8, 10]
    assert [dates[place].words for place in found.whose] == ["early", "early", "early", "late"]
    other = backward(np.array([2.0, 4.0, 3.0, 1.0]), before, (Date(3, 8.5, "late"), dates[1]))
    assert other.latest.tolist() == [4.5, 4.5, 7.5, 8.5]
    assert not other.whose.any()


def test_no_date_asks_nothing():
    found = backward(np.ones(2), [np.array([], int), np.array([0])], ())
    assert np.isinf(found.latest).all()
    assert found.whose.tolist() == [-1, -1]


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 8), st.randoms(use_true_random=False))
def test_keeping_every_latest_time_keeps_every_date(count, random):
    before = [np.array([b for b in range(n) if random.random() < 0.5], int) for n in range(count)]
    years = np.array([random.uniform(0, 5) for _ in range(count)])
    dates = tuple(Date(node, random.uniform(1, 20), "") for node in range(count) if random.random() < 0.6)
    latest = backward(years, before, dates).latest
    for date in dates:
        assert latest[date.node] <= date.time
    for node in range(count):  # begun when the last of those before it is due, it closes in time
        for one in before[node]:
            assert latest[one] + years[node] <= latest[node] + 1e-9
    # and no time is earlier than it must be: it is a date, or what some successor needs
    for node in np.flatnonzero(np.isfinite(latest)):
        needs = [latest[after] - years[after] for after in range(count) if node in before[after]]
        own = [date.time for date in dates if date.node == node]
        assert latest[node] == min(needs + own)


# ---------------------------------------------------------------- the table


def test_who_must_decide_what_by_when():
    table = table_of(run_of(chain())).set_index("link_id")
    # as of 2026, in service by 2036: decision and finance 2033, permit and interconnection 2032, site 2028
    needed = {"finance": 2033, "interconnection": 2032, "permit": 2032, "site": 2028}
    assert table["needed_by"].to_dict() == pytest.approx({f"gate:a:{k}": v for k, v in needed.items()})
    begin = {"finance": 2032, "interconnection": 2028, "permit": 2030, "site": 2027}
    assert table["decide_by"].to_dict() == pytest.approx({f"gate:a:{k}": v for k, v in begin.items()})
    expected = {"finance": 2032, "interconnection": 2031, "permit": 2029, "site": 2027}
    assert table["expected"].to_dict() == pytest.approx({f"gate:a:{k}": v for k, v in expected.items()})
    assert table.loc["gate:a:permit", "late_years"] == pytest.approx(-3)
    assert table.loc["gate:a:interconnection", "late_years"] == pytest.approx(-1)
    assert table["fits"].all()
    assert set(table["because"]) == {"a is to be in service in 2036 (published)"}
    assert table["projects"].tolist() == ["a"] * 4


def test_the_timeline_is_by_actor_and_by_the_date_to_begin():
    hand = chain()
    gate(hand, "permit", 1, project="b", actor="air_district")
    hand.project(One("b", online=3.0), ["gate:b:permit"], build=1.0)
    table = table_of(run_of(hand))
    assert table["actor"].tolist() == ["air_district", "air_district", "developer", "lender", "utility"]
    assert table["decide_by"].tolist()[:2] == pytest.approx([2027, 2030])


def test_a_date_that_cannot_be_kept_says_by_how_much():
    table = table_of(run_of(chain(online=7.0))).set_index("link_id")
    row = table.loc["gate:a:interconnection"]
    assert (row["needed_by"], row["expected"], row["late_years"]) == pytest.approx((2029, 2031, 2))
    assert not row["fits"]
    assert row["because"] == (
        "a is to be in service in 2033 (published); it should have begun before 2026-01; "
        "it comes 2.0 years too late"
    )
    assert table.loc["gate:a:permit", "fits"]  # it has time to spare: the connection is the late one


def test_the_earliest_date_of_those_who_wait_holds():
    hand = Hand().node(Node("store:v", SHARED, link_kind="store", years=(2, 2, 2), **WORDS))
    for name, online in (("a", 12.0), ("b", 8.0), ("c", np.nan)):
        gate(hand, "transport_storage", 1, ["store:v"], project=name)
        hand.project(One(name, online=online), [f"gate:{name}:transport_storage"], build=2.0)
    row = table_of(run_of(hand)).set_index("link_id").loc["store:v"]
    assert row["needed_by"] == pytest.approx(2031)  # b: 2034 less 2 to build less 1 for its own gate
    assert row["because"].startswith("b is to be in service in 2034")
    assert row["projects"] == "a;b;c"


def test_a_policy_can_set_an_earlier_date():
    run = run_of(chain(online=20.0))
    without = table_of(run).set_index("link_id")
    dated = table_of(run, [Deadline("a", "decision", 1.996, "45V")]).set_index("link_id")
    assert without.loc["gate:a:finance", "needed_by"] == pytest.approx(2043)
    row = dated.loc["gate:a:finance"]
    assert row["needed_by"] == pytest.approx(2027.996)
    assert row["because"].startswith("a must begin construction before 2028-01 for 45V; ")
    assert row["because"].endswith("it comes 4.0 years too late")
    served = table_of(run, [Deadline("a", "service", 5.5, "45Z")]).set_index("link_id")
    assert served.loc["gate:a:finance", "needed_by"] == pytest.approx(2028.5)
    assert served.loc["gate:a:finance", "because"].startswith("a must be in service before 2031-07 for 45Z")


def test_a_deadline_of_nobody_is_a_mistake():
    with pytest.raises(ValueError, match="45V for x: there is no such project"):
        table_of(run_of(chain()), [Deadline("x", "decision", 1.0, "45V")])


def test_dates_that_have_passed_and_projects_that_ended_ask_nothing():
    hand = gate(Hand(), "permit", 1).project(One("a", online=-1.5), ["gate:a:permit"])
    hand.project(One("b", stage="cancelled", online=5.0), [])
    run = run_of(hand)
    assert dates_of(run.world.projects, 2026.0, [Deadline("b", "decision", 1.0, "45Q")]) == ()
    row = table_of(run).iloc[0]
    assert np.isnan(row["needed_by"])
    assert np.isnan(row["decide_by"])
    assert row["fits"] is None or np.isnan(row["late_years"])
    assert row["because"] == "the published date of a has passed (2024 or before)"


def test_no_published_date_is_said():
    hand = gate(Hand(), "permit", 1).project(One("a"), ["gate:a:permit"])
    table = table_of(run_of(hand))
    assert table["because"].tolist() == ["nobody who waits has published a date"]
    assert table["fits"].isna().all()
    assert table["expected"].tolist() == pytest.approx([2027])


def test_what_closes_in_no_draw_does_not_fit():
    hand = gate(Hand(), "site", 1)
    hand.gate("a", "permit", 0.0, **{**WORDS, "link_kind": "gate"})
    hand.project(One("a", online=9.0), ["gate:a:site", "gate:a:permit"])
    row = table_of(run_of(hand, 20)).set_index("link_id").loc["gate:a:permit"]
    assert np.isnan(row["expected"])
    assert not row["fits"]
    assert row["because"].endswith("it closes in no draw")


def alternatives(p_near: float) -> Hand:
    hand = Hand().node(Node("store:near", SHARED, link_kind="store", p_pass=p_near, years=(1, 1, 1), **WORDS))
    hand.node(Node("store:far", SHARED, link_kind="store", years=(4, 4, 4), **WORDS))
    hand.node(Node("store:any", SHARED, link_kind="store", any_of=True, **WORDS), ["store:near", "store:far"])
    return hand.project(One("a", online=10.0), ["store:any"], build=2.0)


@pytest.mark.parametrize(("p_near", "counted", "other"), [(0.8, "near", "far"), (0.3, "far", "near")])
def test_the_alternative_that_comes_first_most_often_has_the_date(p_near, counted, other):
    run = run_of(alternatives(p_near), 200)
    named = counted_on(run.world.graph, run.times.time)[2]
    assert run.world.graph.id[named].tolist() == [f"store:{counted}"]
    table = table_of(run).set_index("link_id")
    assert table.loc[f"store:{counted}", "needed_by"] == pytest.approx(2034)
    assert np.isnan(table.loc[f"store:{other}", "needed_by"])
    assert table.loc[f"store:{other}", "because"] == "a can take another that is expected first"


def test_a_policy_has_to_stay():
    words = {**WORDS, "actor": "legislature"}
    hand = Hand().node(Node("policy:45q", POLICY, link_kind="policy", **words))
    row = table_of(run_of(gate(hand, "permit", 1).project(One("a"), ["gate:a:permit"]))).set_index("link_id")
    assert (
        row.loc["policy:45q", "because"]
        == "in force; it must stay so until those who count on it have decided"
    )


def test_no_links_no_timeline():
    assert table_of(run_of(Hand().project(One("a", stage="operating"), []))).empty
