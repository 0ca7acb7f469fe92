"""Missing links: against the exact structure state by state, closed forms, and the laws of Shapley values."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from exact_structure import Structure, birnbaum, closed_links, expected_value, shapley_exact
from hand_graphs import Hand, One, setting
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.pipeline.barriers import BARRIERS, bundles, count_barriers
from cleanhub.pipeline.draws import World, draw
from cleanhub.pipeline.evaluate import Times, evaluate
from cleanhub.pipeline.missing import (
    junctions,
    links_table,
    lost_tonnes,
    needed_policies,
    open_links,
    shared_tonnes,
)
from cleanhub.pipeline.nodes import Node
from cleanhub.pipeline.problem import POLICY, SHARED

WORDS = {"what": "a store", "actor": "developer", "action": "build it", "barrier": "other"}


@dataclass(frozen=True)
class Run:
    """What the tables are made of."""

    world: World
    times: Times


def run_of(hand: Hand, draws: int = 1, seed: int = 0, finance=None, **changes) -> Run:
    world = draw(*hand.build(), setting(**changes), draws, seed, finance=finance)
    return Run(world, evaluate(world))


def gate(hand: Hand, project: str, code: str, p: float = 1.0, **more) -> Hand:
    return hand.gate(project, code, p, **{**WORDS, "link_kind": "gate", **more})


def store(name: str, p: float = 1.0, **more) -> Node:
    return Node(f"store:{name}", SHARED, link_kind="store", p_pass=p, **{**WORDS, **more})


def hand_of(structure: Structure) -> Hand:
    """The same structure as a pipeline: links are stores, a group of alternatives a node that takes any."""
    hand = Hand()
    for link, chance in enumerate(structure.chance):
        hand.node(store(str(link), float(chance)))
    for project, (value, groups) in enumerate(zip(structure.values, structure.requirements, strict=True)):
        waits = []
        for number, group in enumerate(groups):
            if len(group) == 1:
                waits.append(f"store:{group[0]}")
                continue
            waits.append(f"store:any-{project}-{number}")
            hand.node(store(f"any-{project}-{number}", any_of=True), [f"store:{link}" for link in group])
        # in service at once, 20 years to the end of the target year
        hand.project(One(f"p{project}", tonnes=value / 20), waits, build=0.0)
    return hand


def enumerated(structure: Structure) -> Run:
    """One draw for each state: exact where every chance is a half."""
    graph, projects = hand_of(structure).build()
    count = 1 << structure.links
    world = draw(graph, projects, setting(), count)
    closes = np.ones((len(graph), count), dtype=bool)
    closes[: structure.links] = closed_links(structure.links)
    world = replace(world, closes=closes)
    return Run(world, evaluate(world))


def shares(run: Run, orders: int = 1024) -> np.ndarray:
    needed = needed_policies(run.world, run.times)
    return shared_tonnes(run.world, run.times, needed, orders)


@st.composite
def halves(draw_, most_in_group: int = 3) -> Structure:
    links = draw_(st.integers(1, 5))
    link = st.integers(0, links - 1)
    groups = st.lists(st.lists(link, min_size=1, max_size=most_in_group, unique=True), max_size=3)
    requirements = draw_(st.lists(groups, min_size=1, max_size=3))
    values = np.array([draw_(st.floats(1, 100)) for _ in requirements])
    return Structure(values, requirements, np.full(links, 0.5))


# ---------------------------------------------------------------- against every state


@settings(max_examples=40, deadline=None)
@given(halves())
def test_blocked_is_chance_times_importance_state_by_state(structure):
    run = enumerated(structure)
    assert run.times.tonnes.sum() / run.world.draws == pytest.approx(expected_value(structure))
    lost = [lost_tonnes(run.world, run.times, never=[link]) for link in range(structure.links)]
    assert lost == pytest.approx(structure.chance * birnbaum(structure), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(halves(most_in_group=1))
def test_shares_without_alternatives_are_exact(structure):
    assert shares(enumerated(structure))[: structure.links] == pytest.approx(
        shapley_exact(structure), abs=1e-9
    )


@settings(max_examples=40, deadline=None)
@given(halves())
def test_shares_with_alternatives_within_sampling_error(structure):
    found = shares(enumerated(structure), orders=4096)[: structure.links]
    # each share is a mean of 4,096 orders of what is at most all tonnes: 5 standard errors
    assert found == pytest.approx(shapley_exact(structure), abs=5 * 0.5 / 64 * structure.values.sum())


@settings(max_examples=40, deadline=None)
@given(halves(), st.integers(0, 3))
def test_shares_sum_to_what_waits_for_links(structure, seed):
    run = enumerated(structure)
    run = Run(replace(run.world, seed=seed), run.times)
    free = sum(v for v, groups in zip(structure.values, structure.requirements, strict=True) if not groups)
    found = shares(run, orders=16)
    assert found.sum() == pytest.approx(expected_value(structure) - free, abs=1e-9)
    assert found.min() >= 0
    needed = {link for groups in structure.requirements for group in groups for link in group}
    idle = [link for link in range(len(found)) if link not in needed]
    assert not found[idle].any()  # nobody waits for them; those that take any have no share of their own


def test_drawn_worlds_agree_with_the_exact_structure():
    structure = Structure(
        np.array([100.0, 40.0, 60.0]),
        [[[0], [1, 2]], [[1], [3]], [[4], [2, 3], [0]]],
        np.array([0.7, 0.3, 0.5, 0.4, 0.9]),
    )
    run = run_of(hand_of(structure), draws=20_000, seed=3)
    lost = [lost_tonnes(run.world, run.times, never=[link]) for link in range(5)]
    error = 4 * structure.values.sum() * 0.5 / np.sqrt(20_000)
    assert lost == pytest.approx(structure.chance * birnbaum(structure), abs=error)
    assert shares(run)[:5] == pytest.approx(shapley_exact(structure), abs=error + 0.02 * 100)
    assert shares(run).sum() == pytest.approx(run.times.tonnes.sum() / 20_000)


# ---------------------------------------------------------------- laws and edges of shares


def test_equal_links_have_equal_shares_and_a_sure_one_more():
    run = run_of(hand_of(Structure(np.array([60.0]), [[[0], [1], [2, 3]]], np.ones(4))))
    found = shares(run, orders=8192)
    assert found[0] == found[1]  # what all orders treat alike is equal to the last digit
    assert found[:4] == pytest.approx([25, 25, 5, 5], abs=1)  # 5/12 each, 1/12 each
    assert found.sum() == pytest.approx(60)


def test_another_project_leaves_the_shares_of_the_first_as_they_were():
    one = Structure(np.array([60.0]), [[[0], [1, 2]]], np.full(3, 0.5))
    two = Structure(np.array([60.0, 5.0]), [[[0], [1, 2]], [[3]]], np.full(4, 0.5))
    first, second = run_of(hand_of(one), 200), run_of(hand_of(two), 200)
    assert np.array_equal(shares(first)[:3], shares(second)[:3])


def test_the_same_seed_gives_the_same_table():
    structure = Structure(np.array([60.0, 9.0]), [[[0], [1, 2]], [[2]]], np.full(3, 0.5))
    first, again, other = (links_table(run_of(hand_of(structure), 200, seed)) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


def supplied(second_years: float) -> Hand:
    """A project that waits for one of two stores; it is given up after 5 years (see below)."""
    hand = Hand().node(store("near", years=(1, 1, 1)))
    hand.node(store("far", years=(second_years,) * 3))
    hand.node(store("any", any_of=True), ["store:near", "store:far"])
    return hand.project(One("a", tonnes=1.0), ["store:any"], build=1.0)


@pytest.mark.parametrize(("years", "expected"), [(4.0, [9.0, 9.0]), (6.0, [18.0, 0.0]), (30.0, [18.0, 0.0])])
def test_an_alternative_that_comes_too_late_is_none(years, expected):
    run = run_of(supplied(years))
    world = replace(run.world, given_up=np.full((1, 1), 5.0))
    run = Run(world, evaluate(world))
    assert shares(run, orders=4096)[:2] == pytest.approx(expected, abs=0.7)
    assert lost_tonnes(world, run.times, never=[0]) == pytest.approx(3.0 if years == 4 else 18.0)
    assert lost_tonnes(world, run.times, never=[1]) == 0.0


def test_an_alternative_after_the_target_year_is_none():
    assert shares(run_of(supplied(19.5)))[:2] == pytest.approx([18, 0])
    assert shares(run_of(supplied(18.5)), orders=4096)[:2] == pytest.approx([9, 9], abs=0.7)


def test_gates_of_a_supplier_are_shared_with_those_it_supplies():
    hand = gate(Hand(), "s", "permit", 0.5).project(One("s", role="stores", tonnes=0.0), ["gate:s:permit"])
    hand = gate(hand, "a", "transport_storage", 1.0, years=(1, 1, 1))
    hand.edges.append(("service:s", "gate:a:transport_storage"))
    hand.project(One("a", tonnes=10.0), ["gate:a:transport_storage"], build=0.0)
    table = links_table(run_of(hand, 1000)).set_index("link_id")
    # store in service after 1 year, gate a year more: 18 years of 10 t in half of the draws
    assert table["blocked_co2e_t"].to_dict() == pytest.approx(
        {"gate:a:transport_storage": 90, "gate:s:permit": 90}
    )
    assert table["shapley_co2e_t"].tolist() == pytest.approx([45, 45])
    assert table.loc["gate:s:permit", "projects"] == "a;s"
    assert table.loc["gate:s:permit", "project_id"] == "s"
    assert table.loc["gate:a:transport_storage", "projects"] == "a"
    assert table["per_year_of_delay_t"].tolist() == pytest.approx([5, 5])


def test_what_is_done_is_no_player_and_what_is_decided_is_nobodys():
    hand = gate(Hand(), "a", "permit", done=True)
    hand = gate(hand, "a", "offtake", 0.5).project(One("a", tonnes=1.0), ["gate:a:permit", "gate:a:offtake"])
    hand.project(One("b", stage="construction", tonnes=5.0), [])
    hand = gate(hand, "c", "permit", 0.5).project(One("c", stage="cancelled"), ["gate:c:permit"])
    run = run_of(hand, 100)
    table = links_table(run)
    assert table["link_id"].tolist() == ["gate:a:offtake"]
    assert table["shapley_co2e_t"].sum() == pytest.approx(0.5 * 19)
    assert table["shapley_share"].tolist() == [1.0]
    assert run.times.tonnes.sum() / 100 == pytest.approx(0.5 * 19 + 5 * 19)


# ---------------------------------------------------------------- delay


def test_a_year_later_costs_a_year_of_tonnes_on_the_critical_path_only():
    hand = gate(Hand(), "a", "permit", years=(5, 5, 5))
    hand = gate(hand, "a", "offtake", years=(2, 2, 2))
    hand = gate(hand, "a", "site", years=(4.5, 4.5, 4.5))
    waits = ["gate:a:permit", "gate:a:offtake", "gate:a:site"]
    table = links_table(run_of(hand.project(One("a", tonnes=8.0), waits))).set_index("link_id")
    delay = table["per_year_of_delay_t"]
    assert delay.to_dict() == pytest.approx({"gate:a:offtake": 0, "gate:a:permit": 8, "gate:a:site": 4})


def test_later_also_means_given_up_more_often():
    hazard = 0.2
    hand = gate(Hand(), "a", "permit", years=(3, 3, 3)).project(
        One("a", tonnes=1.0), ["gate:a:permit"], build=0.0
    )
    run = run_of(hand, 20_000, drop_hazard=hazard)
    expected = np.exp(-3 * hazard) * 17 - np.exp(-4 * hazard) * 16
    assert lost_tonnes(run.world, run.times, later={0: 1.0}) == pytest.approx(expected, abs=0.01)
    assert lost_tonnes(run.world, run.times, never=[0]) == pytest.approx(np.exp(-3 * hazard) * 17, abs=0.01)


@settings(max_examples=30, deadline=None)
@given(halves(), st.floats(0.0, 0.3), st.floats(0.1, 5))
def test_delay_never_helps_where_finance_is_not_judged(structure, hazard, years):
    run = run_of(hand_of(structure), 64, drop_hazard=hazard)
    for link in range(structure.links):
        lost = lost_tonnes(run.world, run.times, later={link: years})
        assert -1e-9 <= lost <= lost_tonnes(run.world, run.times, never=[link]) + 1e-9


# ---------------------------------------------------------------- policies


class Asks:
    """Finances ``a`` where policy ``45q`` is in force, ``b`` where either is; does not judge ``c``."""

    known = np.array([True, True, False])

    def passes(self, project, decided, world):
        credit, price = world.in_force["policy:45q"], world.in_force["policy:lcfs"]
        return credit if project == 0 else credit | price


def policies() -> Hand:
    hand = Hand()
    for name, p in (("45q", 0.6), ("lcfs", 1.0)):
        words = {**WORDS, "barrier": "policy", "actor": "legislature"}
        hand.node(Node(f"policy:{name}", POLICY, link_kind="policy", p_pass=p, fixed=True, **words))
    for name in ("a", "b", "c"):
        gate(hand, name, "finance", 0.5)
        hand.project(One(name, tonnes=1.0), [f"gate:{name}:finance"], build=0.0)
    return hand


def test_a_policy_is_needed_where_finance_fails_without_it():
    run = run_of(policies(), 100, finance=Asks())
    needed = needed_policies(run.world, run.times)
    assert {node: found.any(axis=1).tolist() for node, found in needed.items()} == {
        0: [True, False, False],
        1: [False, True, False],
    }
    table = links_table(run).set_index("link_id")
    assert table.loc["policy:45q", "blocked_co2e_t"] == pytest.approx(0.6 * 20)
    assert table.loc["policy:lcfs", "blocked_co2e_t"] == pytest.approx(0.4 * 20)  # where there is no 45q
    assert table.loc["policy:45q", "projects"] == "a"
    assert table.loc["policy:45q", "p_closes"] == 0.6
    # a: half to its gate, half to 45q; b: all its gate's where both hold, half each else; c: its gate's
    assert table["shapley_co2e_t"].to_dict() == pytest.approx(
        {
            "policy:45q": 6,
            "policy:lcfs": 4,
            "gate:a:finance": 6,
            "gate:b:finance": 12 + 4,
            "gate:c:finance": 10,
        }
    )


def test_a_policy_of_the_supplier_is_needed_by_those_who_wait_for_it():
    hand = Hand()
    for name in ("45q", "lcfs"):
        hand.node(Node(f"policy:{name}", POLICY, link_kind="policy", **{**WORDS, "barrier": "policy"}))
    gate(hand, "s", "finance", 0.5)
    hand.project(One("s", role="stores", tonnes=0.0), ["gate:s:finance"], build=0.0)
    hand.node(store("other", years=(2, 2, 2)))
    hand.node(store("any", any_of=True), ["service:s", "store:other"])
    hand.project(One("a", tonnes=1.0), ["store:any"], build=0.0)
    hand.project(One("c", tonnes=0.0), [], build=0.0)

    class First(Asks):
        known = np.array([True, False, False])

    run = run_of(hand, finance=First())
    # s comes at once if 45q stays and its gate, which is judged, passes; else the other store after 2 years
    found = dict(zip(run.world.graph.id, shares(run, orders=8192), strict=True))
    expected = {"store:other": 2 / 3 * 20, "policy:45q": 20 / 6, "gate:s:finance": 20 / 6}
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=0.6)
    assert found["store:any"] == 0 == found["policy:lcfs"]
    assert sum(found.values()) == pytest.approx(20)


# ---------------------------------------------------------------- the tables


def cluster() -> Hand:
    """Two capture projects behind one store and pipe; a third that needs neither."""
    hand = Hand().node(
        store("vault", 0.5, years=(2, 3, 5), cost=3e8, what="CO2 store Vault", barrier="permitting")
    )
    for name, p in (("kiln", 0.8), ("mill", 0.4)):
        gate(hand, name, "permit", p, what="air permit", barrier="permitting", years=(1, 2, 3))
        gate(hand, name, "finance", 0.5, what="lenders", barrier="foak_capital")
        hand.project(One(name, tonnes=100.0), [f"gate:{name}:permit", f"gate:{name}:finance", "store:vault"])
    gate(hand, "fleet", "policy_deadline", 0.9, what="deadline", barrier="policy")
    return hand.project(One("fleet", tonnes=2.0), ["gate:fleet:policy_deadline"])


def test_links_say_what_to_unblock_first():
    table = links_table(run_of(cluster(), 2000))
    assert table["link_id"].iloc[0] == "store:vault"  # both wait for it
    assert table["blocked_co2e_t"].is_monotonic_decreasing
    store_row = table.iloc[0]
    assert store_row["projects"] == "kiln;mill"
    assert store_row["projects_blocked"] == 2
    assert store_row["cost_usd"] == 3e8
    assert store_row["p50"] == pytest.approx(2029, abs=0.2)
    assert store_row["p_closes"] == pytest.approx(0.5, abs=0.01)
    named = table.set_index("link_id")
    assert named.loc["gate:kiln:permit", "description"] == "Kiln: air permit"
    assert named.loc["store:vault", "description"] == "CO2 store Vault"
    assert named.loc["gate:kiln:permit", "blocked_co2e_t"] == named.loc["gate:kiln:finance", "blocked_co2e_t"]
    assert table["shapley_share"].sum() == pytest.approx(1)


def test_links_that_block_alike_are_in_the_order_of_their_names():
    hand = gate(gate(Hand(), "a", "permit"), "a", "finance")
    table = links_table(run_of(hand.project(One("a"), ["gate:a:permit", "gate:a:finance"])))
    assert table["link_id"].tolist() == ["gate:a:finance", "gate:a:permit"]


def test_a_link_that_never_closes_blocks_nothing_more_and_has_no_year():
    hand = gate(gate(Hand(), "a", "permit", 0.0), "a", "offtake")
    table = links_table(run_of(hand.project(One("a"), ["gate:a:permit", "gate:a:offtake"]), 10))
    assert table["blocked_co2e_t"].tolist() == [0, 0]
    assert table["shapley_share"].tolist() == [0, 0]
    assert np.isnan(table.set_index("link_id").loc["gate:a:permit", "p50"])


def test_one_of_two_stores_is_not_said_to_stop_the_project():
    table = links_table(run_of(supplied(4.0))).set_index("link_id")
    assert table["projects_blocked"].to_dict() == {"store:any": 1, "store:near": 0, "store:far": 0}
    assert table.loc["store:any", "blocked_co2e_t"] == pytest.approx(18)
    assert table.loc["store:any", "shapley_co2e_t"] == 0  # nothing to do there: its stores have the share


def test_barriers_count_gates_and_add_up():
    run = run_of(cluster(), 2000)
    links = links_table(run)
    table = count_barriers(links).set_index("barrier")
    assert list(table.index) == list(BARRIERS)
    assert table["open_gates"].tolist() == [2, 2, 1, 0]
    assert table["shared_links"].tolist() == [1, 0, 0, 0]
    assert table["projects"].tolist() == [2, 2, 1, 0]
    assert table["shapley_share"].sum() == pytest.approx(1)
    assert table["first"].tolist() == ["store:vault", "gate:kiln:finance", "gate:fleet:policy_deadline", ""]


def test_tables_of_a_pipeline_without_links_or_projects():
    for hand in (Hand(), Hand().project(One("a", stage="operating"), [])):
        run = run_of(hand, 5)
        assert len(open_links(run.world.graph, run.world.projects)) == 0
        assert not junctions(run.world.graph).any()
        links = links_table(run)
        assert links.empty
        assert count_barriers(links)["open_gates"].tolist() == [0, 0, 0, 0]


# ---------------------------------------------------------------- bundles


def link_row(link: str, blocked: float, late: float, projects: str) -> dict[str, object]:
    return {"link_id": link, "blocked_co2e_t": blocked, "per_year_of_delay_t": late, "projects": projects}


def test_what_one_project_waits_for_is_one_bundle_led_by_its_most_urgent_link():
    rows = [
        link_row("store:x", 5.0, 1.0, "a;b"),
        link_row("gate:a:permit", 3.0, 0.1, "a"),
        link_row("gate:a:finance", 3.0, 0.9, "a"),
        link_row("store:idle", 0.0, 0.0, ""),
        link_row("gate:b:permit", 2.0, 0.5, "b"),
    ]
    found = bundles(rows)
    assert [(one.project_id, [row["link_id"] for row in one.links]) for one in found] == [
        ("", ["store:x"]),
        ("a", ["gate:a:finance", "gate:a:permit"]),
        ("b", ["gate:b:permit"]),
        ("", ["store:idle"]),
    ]
    assert [one.blocked for one in found] == [5.0, 3.0, 2.0, 0.0]
