"""The graph: its order, its arrays, and every fault at once with the path it lies on."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleanhub.core.errors import InputError
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario, load_scenario
from cleanhub.pipeline.graph import Pipeline, assemble, build_graph
from cleanhub.pipeline.nodes import Draft, Node
from cleanhub.pipeline.problem import Graph
from cleanhub.pipeline.stages import Given, read_projects

Build = Callable[..., Hub]


@pytest.fixture(scope="session")
def projects(small: Hub, scenario: Scenario) -> Given:
    return read_projects(small, scenario)[0]


@pytest.fixture
def lines_of(make_hub: Build, scenario: Scenario) -> Callable[..., list[str]]:
    """The faults of the small hub with what a test changes, one line each; empty when it builds."""

    def lines(dangling: str = "error", **changes: Any) -> list[str]:
        try:
            build_graph(make_hub(**changes), scenario, dangling=dangling)  # type: ignore[arg-type]
        except InputError as error:
            return [fault.line() for fault in error.faults]
        return []

    return lines


def same(one: Graph, other: Graph) -> bool:
    """Whether two graphs are equal to the last bit."""

    def equal(name: str) -> bool:
        first, second = getattr(one, name), getattr(other, name)
        return bool(np.array_equal(first, second, equal_nan=first.dtype == np.float64))

    return all(equal(one.name) for one in fields(Graph))


# ---------------------------------------------------------------- order and arrays


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    """Nodes with names in any order and edges along a hidden order."""
    count = draw(st.integers(1, 14))
    names = draw(st.permutations([f"n{number:02d}" for number in range(count)]))
    draft = Draft()
    for name in names:
        draft.add(Node(name, "shared"))
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    for one, other in draw(st.lists(pairs, max_size=40)):
        if one != other:
            draft.wait(names[max(one, other)], [names[min(one, other)]])
    return draft


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(draft=drafts(), seed=st.integers(0, 1000))
def test_every_node_comes_after_what_it_waits_for(projects: Given, draft: Draft, seed: int) -> None:
    _, graph = assemble(projects, draft)
    assert (graph.before < graph.after).all()
    assert (np.diff(graph.after) >= 0).all()
    pairs = {(str(graph.id[b]), str(graph.id[a])) for b, a in zip(graph.before, graph.after, strict=True)}
    assert pairs == set(draft.edges)
    shuffled = list(draft.nodes.values())
    random.Random(seed).shuffle(shuffled)
    again = Draft(edges=draft.edges[::-1] + draft.edges[:1])  # an edge that is told twice is one edge
    for node in shuffled:
        again.add(node)
    assert same(graph, assemble(projects, again)[1])


def test_ties_are_broken_by_name(projects: Given) -> None:
    draft = Draft()
    for name in ("d", "b", "c", "a"):
        draft.add(Node(name, "shared"))
    draft.wait("a", ["c"])
    assert list(assemble(projects, draft)[1].id) == ["b", "c", "a", "d"]


def test_arrays_hold_what_the_nodes_say(projects: Given) -> None:
    draft = Draft()
    node = Node(
        "gate:kiln:permit", "gate", "kiln", "permit", "gate", "a permit", "city", "decide", "permitting",
        "r1", "seen", False, 0.25, 0.1, 0.6, True, (1.0, 2.0, 4.0), 0.5, False, 7.0,
    )  # fmt: skip
    draft.add(node)
    draft.add(Node("store:any", "shared", any_of=True, done=True))
    draft.wait("store:any", ["gate:kiln:permit"])
    _, graph = assemble(projects, draft)
    assert len(graph) == 2
    for one in fields(Graph):
        if one.name in ("before", "after", "project", "years"):
            continue
        cell, expected = getattr(graph, one.name)[0], getattr(node, one.name)
        assert cell == expected, one.name
    assert list(graph.years[0]) == [1.0, 2.0, 4.0]
    assert list(graph.project) == [list(projects.id).index("kiln"), -1]
    assert (bool(graph.any_of[1]), bool(graph.done[1]), np.isnan(graph.cost[1])) == (True, True, True)


def test_an_edge_to_nowhere_is_a_mistake_of_the_caller(projects: Given) -> None:
    draft = Draft()
    draft.add(Node("a", "shared"))
    draft.wait("a", ["nowhere"])
    with pytest.raises(ValueError, match="nowhere"):
        assemble(projects, draft)


def test_projects_know_their_nodes(small: Hub, scenario: Scenario) -> None:
    pipeline = build_graph(small, scenario)
    for p, name in enumerate(pipeline.projects.id):
        assert pipeline.graph.id[pipeline.projects.decision[p]] == f"decision:{name}"
        assert pipeline.graph.id[pipeline.projects.service[p]] == f"service:{name}"
    assert pipeline.projects.umbrella[list(pipeline.projects.id).index("terminal")] == list(
        pipeline.projects.id
    ).index("harbour")


def test_ended_projects_have_no_nodes(make_hub: Build, scenario: Scenario) -> None:
    pipeline = build_graph(make_hub(change={"mill": {"stage": "cancelled"}}), scenario)
    p = list(pipeline.projects.id).index("mill")
    assert (pipeline.projects.decision[p], pipeline.projects.service[p]) == (-1, -1)
    assert not (pipeline.graph.project == p).any()


def test_a_hub_without_projects_has_an_empty_graph(make_hub: Build, scenario: Scenario) -> None:
    pipeline = build_graph(make_hub(only=[]), scenario)
    assert (len(pipeline.projects), len(pipeline.graph), len(pipeline.graph.before)) == (0, 0, 0)
    assert pipeline.graph.years.shape == (0, 3)
    assert len(build_graph(make_hub(only=[]), scenario, without_evidence=True).graph) == 0


def test_california_builds_with_and_without_evidence(california: Hub) -> None:
    scenario = load_scenario("baseline", california)
    for without in (False, True):
        pipeline = build_graph(california, scenario, without_evidence=without)
        assert (pipeline.graph.before < pipeline.graph.after).all()
        assert len(set(pipeline.graph.id)) == len(pipeline.graph)
        assert same(pipeline.graph, build_graph(california, scenario, without_evidence=without).graph)


def test_users_are_those_who_reach_the_node(small: Hub, scenario: Scenario) -> None:
    """Users of a node are the projects of the nodes that wait for it, directly or through any-of nodes."""
    pipeline = build_graph(small, scenario)
    graph = pipeline.graph

    def waiting(node: int) -> set[int]:
        found: set[int] = set()
        for after in graph.after[graph.before == node]:
            found |= {int(graph.project[after])} if graph.project[after] >= 0 else waiting(int(after))
        return found

    assert pipeline.users
    for node, users in pipeline.users.items():
        own = {int(graph.project[node])} if graph.project[node] >= 0 else set()
        assert set(users) == waiting(node) - own


# ---------------------------------------------------------------- cycles


def test_two_that_supply_each_other(lines_of: Callable[..., list[str]]) -> None:
    found = lines_of(change={"kiln": {"supplied_by": "vault"}, "vault": {"supplied_by": "kiln"}})
    assert len(found) == 1
    assert "kiln -> vault -> kiln: cycle" in found[0]
    assert found[0].startswith("projects.csv, row 4, column supplied_by")


def test_every_elementary_cycle_is_told_once(lines_of: Callable[..., list[str]]) -> None:
    change = {
        "kiln": {"supplied_by": "vault;stack"},
        "vault": {"supplied_by": "kiln"},
        "stack": {"supplied_by": "vault"},
    }
    found = lines_of(change=change)
    paths = sorted(line.split(": ", 1)[1].split(": cycle")[0] for line in found)
    assert paths == ["kiln -> stack -> vault -> kiln", "kiln -> vault -> kiln"]


def test_a_project_that_supplies_itself(lines_of: Callable[..., list[str]]) -> None:
    found = lines_of(change={"kiln": {"supplied_by": "kiln"}})
    assert len(found) == 1
    assert "kiln -> kiln: cycle" in found[0]


def test_umbrellas_in_a_circle(lines_of: Callable[..., list[str]]) -> None:
    found = lines_of(change={"harbour": {"part_of": "terminal"}})
    assert len(found) == 1
    assert "harbour -> terminal -> harbour: cycle (read: part of)" in found[0]


def test_a_cycle_inside_one_project_is_told_node_by_node(projects: Given) -> None:
    draft = Draft()
    for gate in ("site", "permit"):
        draft.add(Node(f"gate:kiln:{gate}", "gate", "kiln"))
    draft.wait("gate:kiln:site", ["gate:kiln:permit"])
    draft.wait("gate:kiln:permit", ["gate:kiln:site"])
    with pytest.raises(InputError, match="gate:kiln:permit -> gate:kiln:site -> gate:kiln:permit"):
        assemble(projects, draft)


# ---------------------------------------------------------------- links to nowhere


@pytest.mark.parametrize("column", ["supplied_by", "part_of"])
def test_a_dangling_link_names_its_path(lines_of: Callable[..., list[str]], column: str) -> None:
    found = lines_of(change={"kiln": {column: "nobody"}})
    fault = f"projects.csv, row 4, column {column}: kiln -> nobody: dangling link: no such project"
    assert found == [f"{fault}; found nobody; allowed a project_id of projects.csv"]


def test_a_hub_that_was_cut_down_still_builds(make_hub: Build, scenario: Scenario) -> None:
    hub = make_hub(change={"kiln": {"supplied_by": "nobody"}, "terminal": {"part_of": "gone"}})
    pipeline = build_graph(hub, scenario, dangling="note")
    assert "store:nobody" in pipeline.position
    assert pipeline.graph.p_pass[pipeline.position["store:nobody"]] < 1
    assert any("kiln -> nobody: supplied_by" in note for note in pipeline.notes)
    assert any("terminal -> gone: part_of" in note for note in pipeline.notes)


# ---------------------------------------------------------------- dates


def test_dates_that_cannot_be(lines_of: Callable[..., list[str]]) -> None:
    found = lines_of(change={"kiln": {"online_year": 2023}})
    assert len(found) == 1
    assert "kiln: impossible date: in service before it was announced; found 2023" in found[0]
    assert "2024 (announced_year) or later" in found[0]


def test_a_user_cannot_come_before_its_only_supplier(lines_of: Callable[..., list[str]]) -> None:
    late = {"vault": {"online_year": 2034}}
    found = lines_of(change={"kiln": {"supplied_by": "vault"}, **late})
    assert len(found) == 1
    assert "kiln -> vault: impossible date" in found[0]
    assert "found 2032, the supplier 2034" in found[0]
    # one supplier without a date, or in time, is enough
    assert lines_of(change={"kiln": {"supplied_by": "vault;wells"}, **late}) == []
    assert lines_of(change={"kiln": {"supplied_by": "vault"}, "vault": {"online_year": 2032}}) == []


def test_who_operates_has_a_supplier_that_came_into_service(lines_of: Callable[..., list[str]]) -> None:
    fed = {"stage": "operating", "online_year": 2025, "supplied_by": "vault"}
    for stage in ("cancelled", "shelved", "announced"):
        found = lines_of(change={"kiln": fed, "vault": {"stage": stage}})
        assert len(found) == 1, stage
        assert f"kiln -> vault: impossible: it operates; found vault {stage}" in found[0].replace(
            ", and none of its suppliers has ever been in service", ""
        )
    for stage in ("closed", "operating", "construction"):
        assert lines_of(change={"kiln": fed, "vault": {"stage": stage}}) == []


def test_a_date_that_has_slipped_is_a_note(make_hub: Build, scenario: Scenario) -> None:
    hub = make_hub(change={"turbine": {"announced_year": 2020, "online_year": 2025}})
    pipeline = build_graph(hub, scenario)
    assert any("slipped: turbine (2025)" in note for note in pipeline.notes)


def test_all_faults_come_at_once(lines_of: Callable[..., list[str]]) -> None:
    found = lines_of(
        change={
            "kiln": {"supplied_by": "vault", "online_year": 2020},
            "vault": {"supplied_by": "kiln"},
            "mill": {"supplied_by": "nobody"},
            "harbour": {"part_of": "terminal"},
        }
    )
    words = (
        "impossible date",
        "kiln -> vault -> kiln: cycle",
        "dangling link",
        "harbour -> terminal -> harbour",
    )
    assert len(found) == len(words)
    assert all(any(word in line for line in found) for word in words)


def test_notes_and_faults_do_not_depend_on_the_scenario_date_alone(
    make_hub: Build, scenario: Scenario
) -> None:
    earlier = scenario.model_copy(update={"as_of": scenario.as_of.replace(year=2024)})
    assert isinstance(build_graph(make_hub(), earlier), Pipeline)
