"""Gates of projects by rule: which fits first, what is done, in which order, and how long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cleanhub.core.errors import InputError
from cleanhub.hub.package import Hub
from cleanhub.hub.parameters import Parameters
from cleanhub.hub.scenario import Scenario, load_scenario
from cleanhub.pipeline.gates import draft_gates, gates_needed, read_gate_rules
from cleanhub.pipeline.nodes import Draft
from cleanhub.pipeline.ranges import left_after
from cleanhub.pipeline.stages import read_projects

Build = Callable[..., Hub]
WithLibrary = Callable[..., Hub]


_KILN = (
    "permit interconnection offtake feedstock technology co2_transport_storage epc finance community "
    "policy_deadline"
)


def drafted(hub: Hub, scenario: Scenario, without_evidence: bool = False) -> Draft:
    given, _ = read_projects(hub, scenario, without_evidence)
    return draft_gates(hub, scenario, given, without_evidence)


def rules_of(hub: Hub, scenario: Scenario, project_id: str) -> dict[str, str]:
    given, _ = read_projects(hub, scenario)
    needs = gates_needed(hub, given)[list(given.id).index(project_id)]
    return {gate: need.text("rule") for gate, need in needs.items()}


def before(draft: Draft, after: str) -> set[str]:
    return {one for one, other in draft.edges if other == after}


def ids(draft: Draft, project_id: str, kind: str) -> set[str]:
    return {n.id for n in draft.nodes.values() if n.project_id == project_id and n.kind == kind}


# ---------------------------------------------------------------- which rule


def test_the_first_rule_that_fits_holds(small: Hub, scenario: Scenario, with_library: WithLibrary) -> None:
    rules: list[dict[str, Any]] = [
        {"rule": "of-stores", "gate": "permit", "roles": "stores", "p_low": 0.1, "p_pass": 0.2},
        {"rule": "of-cement", "gate": "permit", "sectors": "cement", "p_low": 0.1, "p_pass": 0.3},
        {"rule": "of-all", "gate": "permit", "p_low": 0.1, "p_pass": 0.9},
        {"rule": "of-cement-late", "gate": "permit", "sectors": "cement", "p_low": 0.1, "p_pass": 0.5},
    ]
    draft = drafted(with_library(small, gate_rules=rules), scenario)
    held = {n.project_id: (n.rule, n.p_pass) for n in draft.nodes.values() if n.kind == "gate"}
    assert held["vault"] == ("of-stores", 0.2)
    assert held["kiln"] == ("of-cement", 0.3)
    assert held["mill"] == ("of-all", 0.9)


def test_a_rule_may_say_that_a_gate_is_not_needed(
    small: Hub, scenario: Scenario, with_library: WithLibrary
) -> None:
    rules = [
        {"rule": "not-stores", "gate": "offtake", "roles": "stores", "needed": "no"},
        {"rule": "of-all", "gate": "offtake", "needed": "yes"},
    ]
    hub = with_library(small, gate_rules=rules)
    assert rules_of(hub, scenario, "vault") == {}
    assert rules_of(hub, scenario, "mill") == {"offtake": "of-all"}


def test_a_gate_that_cannot_fail_is_a_gate_all_the_same(
    small: Hub, scenario: Scenario, with_library: WithLibrary
) -> None:
    hub = with_library(small, gate_rules=[{"rule": "waits", "gate": "co2_transport_storage"}])
    assert "gate:kiln:co2_transport_storage" in drafted(hub, scenario).nodes


def test_rules_of_a_place_hold_in_that_place_alone(small: Hub, california: Hub, scenario: Scenario) -> None:
    here = rules_of(small, scenario, "vault")
    assert here["permit"] == "permit-store"
    assert not any(rule.endswith(("-ca", "-us")) for rule in here.values())
    there = rules_of(california, load_scenario("baseline", california), "CA-026")
    assert there["permit"] == "permit-store-ca"


def test_every_hub_gets_rules_of_some_kind(make_hub: Build, scenario: Scenario) -> None:
    """Words of California stand in no rule that holds elsewhere."""
    hub = make_hub()
    words = ("CEQA", "Title V", "Class VI", "Fire Marshal", "Coast Guard", "air district", "state energy")
    for rule in read_gate_rules(hub):
        if not isinstance(rule["jurisdictions"], str) or not rule["jurisdictions"]:
            assert not any(word in f"{rule['permit']} {rule['action']}" for word in words), rule["rule"]
    given, _ = read_projects(hub, scenario)
    for project, needs in zip(given.id, gates_needed(hub, given), strict=True):
        assert "finance" in needs, project
        assert "epc" in needs, project


@pytest.mark.parametrize(
    ("project", "gates"),
    [
        (
            "CA-003",  # capture on a kiln that stands
            _KILN,
        ),
        ("CA-025", "site permit interconnection offtake technology epc finance community"),  # a store
        (
            "CA-039",
            "site permit offtake feedstock technology epc finance community policy_deadline",
        ),  # off-grid
        ("CA-054", "site permit interconnection offtake technology epc finance community"),  # depot
        ("CA-068", "interconnection technology epc finance"),  # trucks
        ("CA-047", "permit offtake feedstock technology epc finance community"),  # burns hydrogen
        ("CA-071", "epc finance community"),  # programme
    ],
)
def test_projects_of_california_need_the_gates_of_their_kind(
    california: Hub, project: str, gates: str
) -> None:
    held = rules_of(california, load_scenario("baseline", california), project)
    assert list(held) == gates.split()


def test_every_rule_of_the_library_holds_for_somebody_or_elsewhere(california: Hub) -> None:
    """A rule that an earlier one of the same place always hides would never be used."""
    rules = read_gate_rules(california)
    columns = ("roles", "sectors", "technology_has", "jurisdictions")
    seen: dict[str, list[tuple[str, ...]]] = {}
    for rule in rules:
        selects = tuple(str(rule[name]) if isinstance(rule[name], str) else "" for name in columns)
        earlier = seen.setdefault(str(rule["gate"]), [])
        assert selects not in earlier, rule["rule"]
        assert ("", "", "", "") not in earlier, f"{rule['rule']} stands after a rule that fits all"
        earlier.append(selects)


# ---------------------------------------------------------------- bad rows


def test_all_bad_rows_are_told_at_once(small: Hub, scenario: Scenario, with_library: WithLibrary) -> None:
    rules = [
        {"rule": "first", "gate": "permit", "after": "site;moon"},
        {"rule": "second", "gate": "finance", "after": "finance"},
        {"rule": "third", "gate": "epc", "p_low": 0.5, "p_pass": 0.4, "p_high": 1},
        {"rule": "fourth", "gate": "offtake", "years_low": 3, "years": 2, "years_high": 4},
        {"rule": "fine", "gate": "site", "after": "feed;pre_feed;concept"},
    ]
    hub = with_library(small, gate_rules=rules)
    with pytest.raises(InputError) as caught:
        drafted(hub, scenario)
    faults = {(f.row, f.column) for f in caught.value.faults}
    assert faults == {
        (2, "after"),
        (3, "after"),
        (4, "p_low+p_pass+p_high"),
        (5, "years_low+years+years_high"),
    }
    message = str(caught.value)
    assert "rule first" in message
    assert "found moon" in message
    assert "gate_rules.csv, row 2" in message


def test_an_unknown_gate_is_refused_where_it_is_read(small: Hub, with_library: WithLibrary) -> None:
    with pytest.raises(InputError, match="unknown gate"):
        with_library(small, gate_rules=[{"rule": "wrong", "gate": "luck"}])


# ---------------------------------------------------------------- what is done


def test_a_gate_that_is_published_as_passed_is_done_and_keeps_its_chance(
    make_hub: Build, scenario: Scenario
) -> None:
    open_ = drafted(make_hub(), scenario).nodes["gate:kiln:permit"]
    node = drafted(make_hub(change={"kiln": {"gates_done": "permit"}}), scenario).nodes["gate:kiln:permit"]
    assert not open_.done
    assert node.done
    assert node.years == (0.0, 0.0, 0.0)
    assert node.p_pass == open_.p_pass < 1
    assert open_.years[0] < open_.years[1] < open_.years[2]


def test_a_gate_done_that_no_rule_asks_for_is_listed_and_is_no_evidence(
    make_hub: Build, scenario: Scenario
) -> None:
    draft = drafted(make_hub(change={"fleet": {"gates_done": "offtake"}}), scenario)
    node = draft.nodes["gate:fleet:offtake"]
    assert node.done
    assert node.fixed
    assert node.p_pass == 1
    assert node.rule == ""


def test_evidence_can_be_left_out(make_hub: Build, scenario: Scenario) -> None:
    hub = make_hub(change={"kiln": {"gates_done": "permit"}})
    draft = drafted(hub, scenario, without_evidence=True)
    assert not any(node.done for node in draft.nodes.values() if node.project_id != "harbour")
    given, _ = read_projects(hub, scenario)
    assert not draft_gates(hub, scenario, given, without_evidence=True).nodes["gate:kiln:permit"].done


def test_those_past_their_decision_have_it_done_and_no_open_gate(make_hub: Build, scenario: Scenario) -> None:
    draft = drafted(make_hub(change={"depot": {"gates_done": "permit"}}), scenario)
    assert draft.nodes["decision:depot"].done
    assert ids(draft, "depot", "gate") == {"gate:depot:permit"}
    assert ids(draft, "depot", "stage") == set()
    assert before(draft, "service:depot") == {"decision:depot"}


@pytest.mark.parametrize("stage", ["shelved", "cancelled", "closed"])
def test_those_that_ended_have_no_nodes(make_hub: Build, scenario: Scenario, stage: str) -> None:
    draft = drafted(make_hub(change={"kiln": {"stage": stage}}), scenario)
    assert not any(node.project_id == "kiln" for node in draft.nodes.values())


def test_a_programme_with_parts_has_no_gates_and_one_without_has_its_own(
    make_hub: Build, scenario: Scenario
) -> None:
    draft = drafted(make_hub(), scenario)
    assert {n.kind for n in draft.nodes.values() if n.project_id == "harbour"} == {"decision", "service"}
    alone = drafted(make_hub(drop=["terminal"]), scenario)
    assert "gate:harbour:finance" in alone.nodes


# ---------------------------------------------------------------- order


def test_the_decision_waits_for_every_gate_and_stage_of_its_project(small: Hub, scenario: Scenario) -> None:
    draft = drafted(small, scenario)
    for project in ("kiln", "mill", "vault", "stack", "fleet"):
        own = ids(draft, project, "gate") | ids(draft, project, "stage")
        assert before(draft, f"decision:{project}") == own
        others = own - {f"gate:{project}:finance"} - {f"stage:{project}:pre_feed"}
        assert before(draft, f"gate:{project}:finance") <= others
        gates = ids(draft, project, "gate") - {f"gate:{project}:finance"}
        assert gates <= before(draft, f"gate:{project}:finance")


def test_a_gate_waits_only_for_what_its_project_has(
    small: Hub, scenario: Scenario, with_library: WithLibrary
) -> None:
    rules = [
        {"rule": "a", "gate": "site", "roles": "stores"},
        {"rule": "b", "gate": "permit", "after": "site;pre_feed"},
    ]
    draft = drafted(with_library(small, gate_rules=rules), scenario)
    assert before(draft, "gate:vault:permit") == {"gate:vault:site", "stage:vault:pre_feed"}
    assert before(draft, "gate:kiln:permit") == {"stage:kiln:pre_feed"}


def test_edges_join_nodes_of_one_project_and_make_no_cycle(california: Hub) -> None:
    draft = drafted(california, load_scenario("baseline", california), without_evidence=True)
    waits: dict[str, set[str]] = {name: set() for name in draft.nodes}
    for one, other in draft.edges:
        assert draft.nodes[one].project_id == draft.nodes[other].project_id
        waits[other].add(one)
    while waits:
        free = {name for name, needs in waits.items() if not needs}
        assert free, "a cycle"
        waits = {name: needs - free for name, needs in waits.items() if name not in free}


# ---------------------------------------------------------------- time


def test_a_project_in_a_stage_has_half_of_it_left(make_hub: Build, scenario: Scenario) -> None:
    hub = make_hub(change={"mill": {"stage": "pre_feed"}, "stack": {"stage": "concept"}})
    draft, figures = drafted(hub, scenario), Parameters(hub, "pipeline_parameters")
    pre, feed, idea = (figures.value("stage_years", code, "yr") for code in ("pre_feed", "feed", "concept"))
    nodes = draft.nodes
    assert nodes["stage:kiln:pre_feed"].done
    assert nodes["stage:kiln:feed"].years[1] == feed / 2
    assert nodes["stage:mill:pre_feed"].years[1] == pre / 2
    assert nodes["stage:mill:feed"].years[1] == feed
    assert nodes["stage:turbine:pre_feed"].years[1] == pre
    assert nodes["stage:stack:concept"].years[1] == idea / 2
    assert before(draft, "stage:stack:pre_feed") == {"stage:stack:concept"}
    assert before(draft, "stage:kiln:feed") == {"stage:kiln:pre_feed"}
    assert "stage:turbine:concept" not in nodes


def under_way(make_hub: Build, *begun: tuple[str, str, str], **more: Any) -> Hub:
    rows = [{"project_id": project, "gate": gate, "begun_on": day} for project, gate, day in begun]
    return make_hub(gates_begun=rows, **more)


def test_a_gate_under_way_has_what_is_left_of_its_time_and_waits_for_no_other(
    make_hub: Build, scenario: Scenario
) -> None:
    fresh = drafted(make_hub(), scenario)
    draft = drafted(under_way(make_hub, ("kiln", "permit", "2025-01-01")), scenario)
    gate, new = "gate:kiln:permit", fresh.nodes["gate:kiln:permit"]
    assert draft.nodes[gate].years == left_after(1.0, *new.years)
    assert draft.nodes[gate].years < new.years
    assert draft.nodes[gate].p_pass == new.p_pass
    assert before(fresh, gate)
    assert before(draft, gate) == set()
    assert gate in before(draft, "decision:kiln")
    others = [node for node in fresh.nodes.values() if node.id != gate]
    assert [draft.nodes[node.id] for node in others] == others


def test_a_start_after_as_of_or_of_a_gate_that_is_done_changes_nothing(
    make_hub: Build, scenario: Scenario
) -> None:
    assert scenario.as_of.isoformat() == "2026-01-01"
    hub = under_way(make_hub, ("kiln", "permit", "2026-01-01"), ("mill", "permit", "2027-05-01"))
    assert drafted(hub, scenario) == drafted(make_hub(), scenario)
    done = {"kiln": {"gates_done": "permit"}}
    hub = under_way(make_hub, ("kiln", "permit", "2025-01-01"), change=done)
    assert drafted(hub, scenario).nodes == drafted(make_hub(change=done), scenario).nodes


def test_a_start_counts_for_nothing_without_evidence_and_where_no_rule_asks(
    make_hub: Build, scenario: Scenario
) -> None:
    hub = under_way(make_hub, ("kiln", "permit", "2025-01-01"), ("fleet", "site", "2025-01-01"))
    assert drafted(hub, scenario, True) == drafted(make_hub(), scenario, True)
    notes = drafted(hub, scenario).notes
    assert [note for note in notes if "under way" in note] == [
        "fleet: gate site is under way, and no rule asks for it: it counts for nothing"
    ]


def test_construction_ends_at_the_published_year_else_half_is_left(
    make_hub: Build, scenario: Scenario
) -> None:
    change = {
        "kiln": {"stage": "construction", "online_year": 2027},
        "mill": {"stage": "construction", "online_year": 2024},
        "stack": {"stage": "fid", "online_year": 2027},
        "turbine": {"stage": "operating"},
    }
    hub = make_hub(change=change)
    nodes, figures = drafted(hub, scenario).nodes, Parameters(hub, "pipeline_parameters")
    low, middle, high = (
        figures.value("construction_years", "", "yr", end)  # type: ignore[arg-type]
        for end in ("low", "value", "high")
    )
    assert nodes["service:kiln"].years == pytest.approx((1.5 * low / middle, 1.5, 1.5 * high / middle))
    assert nodes["service:mill"].years == pytest.approx((low / 2, middle / 2, high / 2))
    assert nodes["service:stack"].years == pytest.approx((low, middle, high))
    assert nodes["service:turbine"].done


# ---------------------------------------------------------------- the library's rows


def test_ranges_chances_and_sources_of_the_rules(california: Hub) -> None:
    rules = read_gate_rules(california)
    assert len({rule["rule"] for rule in rules}) == len(rules)
    for rule in rules:
        if rule["needed"] is False or rule["needed"] == "no":
            continue
        assert 0 < float(str(rule["p_pass"])) < 1, rule["rule"]
        assert float(str(rule["years"])) > 0, rule["rule"]
    kinds = Counter(str(rule["barrier"]) for rule in rules)
    assert set(kinds) == {"permitting", "foak_capital", "policy", "other"}


def test_the_queue_for_power_plants_is_as_published(california: Hub) -> None:
    """Half, on the log scale, of the loss of capacity that asked for a connection; 55 months to service."""
    figures = Parameters(california, "pipeline_parameters")
    built = 1 - figures.value("tracker", "us_connection.share_withdrawn:2018-12")
    rule = next(r for r in read_gate_rules(california) if r["rule"] == "connection-generation-us")
    assert float(str(rule["p_pass"])) == pytest.approx(np.sqrt(built), abs=0.005)
    months = figures.value("tracker", "us_connection.months_to_service:2024-12", "month")
    assert months == 55
    assert float(str(rule["years"])) < months / 12


def test_one_project_alone_is_a_pipeline_and_none_is_an_empty_one(
    make_hub: Build, scenario: Scenario
) -> None:
    draft = drafted(make_hub(only=["kiln"]), scenario)
    assert {node.project_id for node in draft.nodes.values()} == {"kiln"}
    assert {"decision:kiln", "service:kiln"} <= set(draft.nodes)
    empty = drafted(make_hub(only=()), scenario)
    assert (empty.nodes, empty.edges) == ({}, [])
