"""Columns and nodes of a group: what it may run when, and the capital on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from problems import Cap, Market, Plant, Tech, build_problem

from cleanhub.pathways.optimal_cost import Accounts
from cleanhub.pathways.optimal_groups import build_blocks
from cleanhub.pathways.optimal_network import BUILD, CHANGE, STAND, STAY, Kind, Network, Networks
from cleanhub.pathways.problem import Problem

OLD = Tech("old", capex=100, cycle=5, lifetime=5)
CAPTURE = Tech("capture", capex=160, capex_added=60, base="old", cycle=5, lifetime=5, earliest=2028)
CLEAN = Tech("clean", capex=150, cycle=4, lifetime=8)
SWITCHES = {("old", "capture"): "retrofit", ("old", "clean"): "rebuild", ("capture", "clean"): "rebuild"}


def problem_of(options: list[Tech] | None = None, **more: Any) -> Problem:
    more = {"switches": SWITCHES, "last": 2034, **more}
    return build_problem(options or [OLD, CAPTURE, CLEAN], [Plant("old", last_investment=2020)], **more)


def network_of(problem: Problem, **more: Any) -> Network:
    kind = {"market": 0, "starts": (0,), "event": STAND, "begin": 0, "invested": 2020, "end": 10, **more}
    return Networks(Accounts(problem)).of(Kind(**kind))


def test_a_plant_that_falls_due_may_stay_or_change_that_year_alone() -> None:
    network = network_of(problem_of())
    changes = np.flatnonzero(network.event == CHANGE)
    told = {(int(network.before[j]), int(network.tech[j]), 2025 + int(network.start[j])) for j in changes}
    assert told == {(0, 1, 2030), (0, 2, 2030)}
    assert (network.event == STAND).sum() == 1
    assert (network.event == STAY).sum() == 1
    assert network.nodes == 1


def test_a_change_off_the_cycle_pays_what_is_added_and_one_when_due_all() -> None:
    network = network_of(problem_of(reinvest_early=True))
    retrofits = np.flatnonzero((network.event == CHANGE) & (network.tech == 1))
    paid = {2025 + int(network.start[j]): float(network.spent[j, network.start[j]]) for j in retrofits}
    assert paid == {year: 160.0 if year == 2030 else 60.0 for year in range(2028, 2035)}
    assert all(network.partial[j] != (network.start[j] == 5) for j in retrofits)


def test_keeping_on_when_due_pays_the_renewal_without_what_was_added() -> None:
    network = network_of(problem_of(reinvest_early=True))
    stays = np.flatnonzero((network.event == STAY) & (network.start == 5))
    paid = {int(network.tech[j]): float(network.spent[j, 5]) for j in stays}
    assert paid == {0: 100.0, 1: 100.0}


def test_renewals_between_nodes_are_paid_by_the_column_that_covers_them() -> None:
    network = network_of(problem_of())
    clean = int(np.flatnonzero((network.event == CHANGE) & (network.tech == 2))[0])
    assert network.spent[clean].tolist() == [0, 0, 0, 0, 0, 150, 0, 150, 0, 0], "rebuilt 2030, due 2032"
    assert network.end[clean] == 10


def test_nothing_is_paid_or_changed_before_the_first_choice() -> None:
    network = network_of(problem_of(first_choice=2031, reinvest_early=True, last_reported=2030))
    assert (network.start[network.event == CHANGE] >= 6).all()
    assert network.spent[:, :6].sum() == 0.0


def test_every_node_is_entered_as_often_as_it_is_left() -> None:
    network = network_of(problem_of(reinvest_early=True))
    for node in range(network.nodes):
        entering = network.target == node
        leaving = network.origin == node
        assert entering.any()
        assert leaving.any()
        assert set(network.end[entering].tolist()) == set(network.start[leaving].tolist())
        assert len(set(network.tech[entering].tolist())) == 1


def test_a_change_with_a_credit_keeps_its_year() -> None:
    credited = Tech("capture", 160, 60, base="old", cycle=5, lifetime=5, credits=[0] * 5 + [9] * 2 + [0] * 3)
    network = network_of(problem_of([OLD, credited, CLEAN], reinvest_early=True))
    entries = {(int(t), int(e)) for t, e in zip(network.start, network.entry, strict=True) if e >= 0}
    assert {e for _, e in entries} == {5, 6}
    late = (network.event == CHANGE) & (network.tech == 1) & (network.start > 6)
    assert (network.entry[late] == -1).all()
    leaving = (network.event == CHANGE) & (network.before == 1)
    assert set(network.left[leaving].tolist()) == {-1, 5, 6}


def test_a_closed_plant_is_covered_to_its_last_year_only() -> None:
    network = network_of(problem_of(), end=7)
    assert network.end.max() == 7
    assert not network.covers[:, 7:].any()


def test_a_new_plant_begins_in_its_year_and_falls_due_a_cycle_later() -> None:
    problem = problem_of(markets=[Market(demand=1.0, offered=["old", "clean"])])
    network = network_of(problem, starts=(0, 2), event=BUILD, begin=3, invested=2028)
    built = network.event == BUILD
    assert built.sum() == 2
    assert (network.start >= 3).all()
    assert {float(network.spent[j, 3]) for j in np.flatnonzero(built)} == {100.0, 150.0}
    assert set(network.start[network.event == STAY].tolist()) == {7, 8}


@pytest.mark.parametrize(("limits", "groups"), [([], 1), ([Cap("n", "switches_per_year", 1.0)], 3)])
def test_plants_are_grouped_unless_changes_are_counted(limits: list[Cap], groups: int) -> None:
    plants = [Plant("old", size, last_investment=2020) for size in (1.0, 2.0, 3.0, 1.0)]
    problem = build_problem([OLD, CAPTURE, CLEAN], plants, switches=SWITCHES, limits=limits)
    blocks = build_blocks(Accounts(problem), whole_plants=False)
    assert sum(block.groups for block in blocks) == groups
    assert len(blocks) == 1, "one network serves all"
    assert sum(block.flow.sum() for block in blocks) == 4
    total = sum((block.flow[:, None] * block.product).sum(axis=0) for block in blocks)
    assert total == pytest.approx(np.full(16, 7.0))


def test_kinds_that_differ_by_whole_cycles_share_their_columns() -> None:
    networks = Networks(Accounts(problem_of()))
    one, other = (networks.of(Kind(0, (0,), STAND, 0, invested, 10)) for invested in (2020, 2000))
    assert one.spent is other.spent, "the cycles of 5 and 4 years fall together every 20 years"
    assert (one.invested, other.invested) == (2020, 2000)
    assert networks.of(Kind(0, (0,), STAND, 0, 2021, 10)).spent is not one.spent


def test_chains_are_the_pairs_of_technology_and_entry_that_columns_run() -> None:
    network = network_of(problem_of())
    pairs = np.stack([network.tech, network.entry], axis=1)
    np.testing.assert_array_equal(network.chains[network.chain], pairs)
    np.testing.assert_array_equal(network.chains, np.unique(pairs, axis=0))


def test_plants_that_make_unlike_shares_of_their_size_are_not_grouped() -> None:
    plants = [
        Plant("old", 1.0, last_investment=2020),
        Plant("old", 1.0, made=np.linspace(1, 2, 16), last_investment=2020),
    ]
    problem = build_problem([OLD, CAPTURE, CLEAN], plants, switches=SWITCHES)
    assert sum(block.groups for block in build_blocks(Accounts(problem), False)) == 2
