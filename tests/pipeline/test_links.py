"""What projects wait for: by rule, by distance, by agreement, by room; and nothing that is not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cleanhub.core.errors import InputError
from cleanhub.hub.package import Hub
from cleanhub.hub.parameters import Parameters
from cleanhub.hub.scenario import Scenario, load_scenario
from cleanhub.pipeline.graph import Pipeline, build_graph

GAS = "co2_transport_storage"
IDLE = dict.fromkeys(("p_low", "p_pass", "p_high", "years_low", "years", "years_high"), "")
PLACED = {
    "p_low": 0.2, "p_pass": 0.3, "p_high": 0.5, "years_low": 3, "years": 5, "years_high": 9,
    "actor": "store_operator", "action": "open it", "barrier": "permitting",
}  # fmt: skip
CAPTURE = "CCS;capture"
RULES: dict[str, Mapping[str, Any]] = {
    "own": {"kind": "store", "gate": GAS, "roles": "stores", **IDLE},
    "store": {
        "kind": "store", "gate": GAS, "technology_has": CAPTURE, "supplier_role": "stores",
        "supplier_sector": "co2_storage", "infrastructure_kind": "co2_storage", "within_km": 100, **PLACED,
    },
    "pipe": {"kind": "pipe", "gate": GAS, "technology_has": CAPTURE, "within_km": 15, **PLACED},
    "hydrogen": {
        "kind": "hydrogen", "gate": "feedstock", "roles": "abates", "technology_has": "hydrogen",
        "supplier_sector": "hydrogen", "infrastructure_kind": "hydrogen", "within_km": 100, **PLACED,
    },
    "substation": {
        "kind": "substation", "gate": "interconnection", "technology_has": "electrolysis",
        "infrastructure_kind": "substation", "within_km": 30, **PLACED,
    },
    "charging": {
        "kind": "charging", "gate": "interconnection", "roles": "abates", "sectors": "trucking",
        "supplier_role": "enables", "supplier_sector": "trucking", "infrastructure_kind": "depot",
        "within_km": 50, **PLACED,
    },
    "port": {
        "kind": "port_power", "gate": "interconnection", "sectors": "ports", "infrastructure_kind": "port",
        "within_km": 10, **PLACED,
    },
}  # fmt: skip
HALF = {"p_low": 0.4, "p_pass": 0.5, "p_high": 0.6}
GATES = [
    {"rule": "gas", "gate": GAS, "technology_has": CAPTURE, **HALF},
    {"rule": "grid", "gate": "interconnection", **HALF},
    {"rule": "fuel", "gate": "feedstock", "sectors": "power", **HALF},
]

Graph = Callable[..., Pipeline]


@pytest.fixture(scope="session")
def graph_of(make_hub: Callable[..., Hub], with_library: Callable[..., Hub], scenario: Scenario) -> Graph:
    """The pipeline of the small hub with the rules above, and with what a test changes."""

    def build(
        rules: Mapping[str, Mapping[str, Any]] | None = None,
        answers: Mapping[str, list[str]] | None = None,
        without_evidence: bool = False,
        dangling: str = "error",
        **changes: Any,
    ) -> Pipeline:
        rows = [{"rule": name, **row} for name, row in {**RULES, **(rules or {})}.items()]
        hub = with_library(make_hub(**changes), gate_rules=GATES, link_rules=rows)
        return build_graph(hub, scenario, answers, without_evidence, dangling)  # type: ignore[arg-type]

    return build


@pytest.fixture(scope="session")
def plain(graph_of: Graph) -> Pipeline:
    """The small hub as it stands."""
    return graph_of()


def waits_for(pipeline: Pipeline, node: str) -> set[str]:
    """Identifiers of what a node waits for."""
    graph = pipeline.graph
    return {str(graph.id[b]) for b in graph.before[graph.after == pipeline.position[node]]}


def shared(pipeline: Pipeline, kind: str = "") -> set[str]:
    """Identifiers of the shared nodes, of one kind of link or of all."""
    graph = pipeline.graph
    wanted = (graph.kind == "shared") & ((graph.link_kind == kind) | (kind == ""))
    return {str(name) for name in graph.id[wanted]}


def users(pipeline: Pipeline, node: str) -> list[str]:
    """Projects that wait for a node."""
    return [str(pipeline.projects.id[p]) for p in pipeline.users[pipeline.position[node]]]


ANY = "store:any:cavern+vault"


# ---------------------------------------------------------------- who supplies


def test_one_node_for_all_who_could_use_the_same_stores(plain: Pipeline) -> None:
    # wells is 320 km away; vault 22 km and cavern 44 km are within reach of kiln and mill
    assert waits_for(plain, ANY) == {"service:vault", "store:cavern"}
    assert plain.graph.any_of[plain.position[ANY]]
    for project in ("kiln", "mill"):
        assert ANY in waits_for(plain, f"gate:{project}:{GAS}")
    assert (
        users(plain, ANY) == users(plain, "store:cavern") == users(plain, "service:vault") == ["kiln", "mill"]
    )
    assert shared(plain, "store") == {ANY, "store:cavern"}


def test_an_agreement_leaves_no_choice(graph_of: Graph) -> None:
    pipeline = graph_of(change={"kiln": {"supplied_by": "vault"}})
    assert "service:vault" in waits_for(pipeline, f"gate:kiln:{GAS}")
    assert ANY not in waits_for(pipeline, f"gate:kiln:{GAS}")
    assert ANY in waits_for(pipeline, f"gate:mill:{GAS}")


def test_an_agreement_reaches_further_than_the_rule(graph_of: Graph) -> None:
    pipeline = graph_of(change={"kiln": {"supplied_by": "wells"}})
    assert waits_for(pipeline, f"gate:kiln:{GAS}") == {"service:wells", "pipe:wells:North"}


def test_without_the_store_its_projects_wait_for_the_other(graph_of: Graph) -> None:
    pipeline = graph_of(drop=["vault"])
    assert waits_for(pipeline, f"gate:kiln:{GAS}") == {"store:cavern", "pipe:cavern:North"}


def test_with_no_store_in_reach_a_county_waits_for_one_nobody_has_named(graph_of: Graph) -> None:
    pipeline = graph_of(drop=["vault", "cavern"])
    node = "store:none-near:North"
    assert shared(pipeline, "store") == {node}
    assert users(pipeline, node) == ["kiln", "mill"]
    at, graph = pipeline.position[node], pipeline.graph
    assert (graph.p_pass[at], tuple(graph.years[at]), bool(graph.fixed[at])) == (0.3, (3.0, 5.0, 9.0), True)
    assert waits_for(pipeline, f"gate:kiln:{GAS}") == {node, "pipe:none-near:North"}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("permitted; injecting 2026", "there"),
        ("operating", "there"),
        ("application", "to come"),
        ("not yet permitted", "to come"),
        ("", "to come"),
        ("application cancelled", "gone"),
    ],
)
def test_status_of_infrastructure(graph_of: Graph, status: str, outcome: str) -> None:
    pipeline = graph_of(drop=["vault"], change={"cavern": {"status": status}})
    if outcome == "gone":
        assert shared(pipeline, "store") == {"store:none-near:North"}
        return
    at = pipeline.position["store:cavern"]
    assert bool(pipeline.graph.done[at]) == (outcome == "there")
    assert (pipeline.graph.p_pass[at] == 1.0) == (outcome == "there")


def test_infrastructure_at_the_place_of_a_store_is_that_store(graph_of: Graph) -> None:
    pipeline = graph_of(change={"cavern": {"lat": 0.501, "lon": 0.5}})
    assert "service:vault" in waits_for(pipeline, f"gate:kiln:{GAS}")
    assert shared(pipeline, "store") == set()


def test_the_centre_of_a_region_is_no_place(graph_of: Graph) -> None:
    pipeline = graph_of(drop=["vault"], change={"cavern": {"coord_precision": "centroid"}})
    assert shared(pipeline, "store") == {"store:none-near:North"}


def test_the_nearest_substation_and_none_beyond_reach(plain: Pipeline, graph_of: Graph) -> None:
    assert "substation:sub-north" in waits_for(plain, "gate:stack:interconnection")
    near = {"lat": 0.41, "lon": 0.11, "kind": "substation", "infrastructure_id": "sub-near", "name": "near"}
    far = {**near, "lat": -1.0, "infrastructure_id": "sub-far"}
    other = {**near, "lat": 0.45, "infrastructure_id": "sub-other"}
    pipeline = graph_of(infrastructure=[far, other, near])
    assert shared(pipeline, "substation") == {"substation:sub-near"}
    pipeline = graph_of(infrastructure=[far])
    assert shared(pipeline, "substation") == {"substation:none-near:North"}


def test_trucks_wait_for_a_depot_in_service(plain: Pipeline, graph_of: Graph) -> None:
    assert waits_for(plain, "gate:fleet:interconnection") == {"service:depot"}
    pipeline = graph_of(drop=["depot"])
    assert waits_for(pipeline, "gate:fleet:interconnection") == {"charging:none-near:North"}


def test_ended_suppliers_supply_nobody(graph_of: Graph) -> None:
    pipeline = graph_of(change={"vault": {"stage": "cancelled"}, "kiln": {"supplied_by": "vault"}})
    assert "store:cavern" in waits_for(pipeline, f"gate:kiln:{GAS}")
    assert any("kiln: its supplier vault has ended" in note for note in pipeline.notes)


def test_an_agreement_no_rule_speaks_of_is_waited_for_at_the_decision(graph_of: Graph) -> None:
    pipeline = graph_of(change={"mill": {"supplied_by": "stack"}})
    assert "service:stack" in waits_for(pipeline, "decision:mill")
    assert ANY in waits_for(pipeline, f"gate:mill:{GAS}")


# ---------------------------------------------------------------- room


def operating(capacity: float | str) -> dict[str, Any]:
    return {
        "stage": "operating", "online_year": 2025, "capacity": capacity, "capacity_unit": "t/yr",
        "capacity_of": "co2" if capacity else "",
    }  # fmt: skip


def test_a_store_that_operates_is_enough(graph_of: Graph) -> None:
    pipeline = graph_of(change={"vault": {"stage": "operating", "online_year": 2025}})
    for project in ("kiln", "mill"):
        assert "service:vault" in waits_for(pipeline, f"gate:{project}:{GAS}")
    assert shared(pipeline, "store") == set()
    assert pipeline.graph.done[pipeline.position["service:vault"]]


def test_room_goes_to_the_furthest_stage(graph_of: Graph) -> None:
    pipeline = graph_of(change={"vault": operating(1e6)})  # kiln (feed) brings 0.9 Mt, mill 0.4 Mt
    assert "service:vault" in waits_for(pipeline, f"gate:kiln:{GAS}")
    assert "store:any:cavern+vault:room" in waits_for(pipeline, f"gate:mill:{GAS}")
    at = pipeline.position["store:vault:room"]
    assert 0 < pipeline.graph.p_pass[at] < 1
    assert not pipeline.graph.done[at]


def test_room_goes_to_agreements_first(graph_of: Graph) -> None:
    pipeline = graph_of(change={"vault": operating(1e6), "mill": {"supplied_by": "vault"}})
    assert "service:vault" in waits_for(pipeline, f"gate:mill:{GAS}")
    assert "store:any:cavern+vault:room" in waits_for(pipeline, f"gate:kiln:{GAS}")


def test_an_agreement_with_a_full_store_waits_for_more_room(graph_of: Graph) -> None:
    change = {"vault": operating(1e6), "kiln": {"supplied_by": "vault"}, "mill": {"supplied_by": "vault"}}
    pipeline = graph_of(change=change)
    assert "service:vault" in waits_for(pipeline, f"gate:kiln:{GAS}")
    assert "store:vault:room" in waits_for(pipeline, f"gate:mill:{GAS}")


def test_room_is_in_tonnes_whatever_the_unit(graph_of: Graph) -> None:
    enough = {**operating(1.3), "capacity_unit": "Mt/yr"}
    assert shared(graph_of(change={"vault": enough}), "store") == set()
    less = {**operating(1.2), "capacity_unit": "Mt/yr"}
    assert "store:vault:room" in shared(graph_of(change={"vault": less}), "store")
    in_all = {**operating(46), "capacity_unit": "Mt"}  # says nothing of a year: room for all
    assert shared(graph_of(change={"vault": in_all}), "store") == set()


# ---------------------------------------------------------------- pipes


def test_a_pipe_is_shared_and_as_long_as_the_furthest_needs(plain: Pipeline, small: Hub) -> None:
    at = plain.position["pipe:vault:North"]
    assert users(plain, "pipe:vault:North") == ["kiln", "mill"]
    # mill: 0.2 degrees north and 0.02 degrees east of the store, on a sphere of radius 6371.0088 km
    degree = np.pi * 6371.0088 / 180.0
    km = degree * np.hypot(0.2, 0.02 * np.cos(np.radians(0.6)))
    per_km = Parameters(small, "pipeline_parameters").value("link_capital", "pipe", "USD/km")
    assert plain.graph.cost[at] == pytest.approx(km * per_km, rel=1e-5)
    assert "about 22 km" in plain.graph.what[at]


def test_no_pipe_within_the_plant(graph_of: Graph) -> None:
    pipeline = graph_of(change={"kiln": {"lat": 0.6}})  # 11 km
    assert waits_for(pipeline, f"gate:kiln:{GAS}") == {ANY}
    assert users(pipeline, "pipe:vault:North") == ["mill"]


def test_the_pipe_goes_to_the_store_that_is_waited_for(graph_of: Graph) -> None:
    pipeline = graph_of(change={"cavern": {"status": "operating"}})  # vault is nearer, cavern is there
    assert waits_for(pipeline, f"gate:kiln:{GAS}") == {"store:cavern", "pipe:cavern:North"}


# ---------------------------------------------------------------- what is no link


def test_a_passed_gate_waits_for_nothing(graph_of: Graph) -> None:
    pipeline = graph_of(change={"kiln": {"gates_done": GAS}})
    assert not waits_for(pipeline, f"gate:kiln:{GAS}") & (shared(pipeline) | {"service:vault"})
    assert users(pipeline, ANY) == ["mill"]


def test_removing_a_project_removes_its_links(plain: Pipeline, graph_of: Graph) -> None:
    pipeline = graph_of(drop=["kiln", "mill"])
    assert shared(plain) - shared(pipeline) == {ANY, "store:cavern", "pipe:vault:North"}
    assert shared(pipeline) < shared(plain)
    assert not any("kiln" in str(name) or "mill" in str(name) for name in pipeline.graph.id)


def test_projects_past_their_decision_and_programmes_with_parts_wait_for_nothing(
    plain: Pipeline, graph_of: Graph
) -> None:
    assert waits_for(plain, "decision:harbour") == set()
    assert "port_power:port-north" in waits_for(plain, "gate:terminal:interconnection")
    pipeline = graph_of(drop=["terminal"])  # a programme without parts goes through its own gates
    assert "port_power:port-north" in waits_for(pipeline, "gate:harbour:interconnection")
    pipeline = graph_of(change={"kiln": {"stage": "construction"}})
    assert users(pipeline, ANY) == ["mill"]


def test_part_of_is_no_link(plain: Pipeline) -> None:
    assert "service:harbour" not in waits_for(plain, "gate:terminal:interconnection")
    assert "decision:harbour" not in waits_for(plain, "decision:terminal")


def test_without_a_gate_the_decision_waits(plain: Pipeline) -> None:
    # no rule gives fleet or turbine a feedstock gate but sector power: turbine has it
    assert "service:stack" in waits_for(plain, "gate:turbine:feedstock")


def test_a_link_whose_gate_no_rule_asks_for_is_waited_for_at_the_decision(graph_of: Graph) -> None:
    moved = {**RULES["hydrogen"], "gate": "offtake"}
    assert "service:stack" in waits_for(graph_of(rules={"hydrogen": moved}), "decision:turbine")


def test_the_first_rule_of_a_kind_holds(graph_of: Graph) -> None:
    off = {"kind": "substation", "gate": "interconnection", "technology_has": "electrolysis", **IDLE}
    pipeline = graph_of(rules={"substation": off, "later": RULES["substation"]})
    assert shared(pipeline, "substation") == set()


def test_a_rule_of_another_jurisdiction_does_not_hold(graph_of: Graph) -> None:
    elsewhere = {**RULES["port"], "jurisdictions": "US-CA"}
    assert shared(graph_of(rules={"port": elsewhere}), "port_power") == set()


# ---------------------------------------------------------------- evidence, policies, faults


def test_without_evidence_no_agreement_and_no_infrastructure(graph_of: Graph) -> None:
    change = {"kiln": {"supplied_by": "wells", "gates_done": GAS}, "depot": {"stage": "operating"}}
    pipeline = graph_of(change=change, without_evidence=True)
    assert waits_for(pipeline, f"gate:kiln:{GAS}") == {"service:vault", "pipe:vault:North"}
    assert shared(pipeline, "substation") == {"substation:none-near:North"}
    assert not pipeline.graph.done.any()


def test_policies_are_nodes_that_nothing_waits_for(graph_of: Graph, small: Hub) -> None:
    answers = {"kiln": ["45q", "lcfs"], "mill": ["45q"], "depot": ["45q"], "no-such": ["45q"]}
    pipeline = graph_of(answers=answers)
    names = {p: [str(pipeline.graph.id[n]) for n in nodes] for p, nodes in pipeline.policies.items()}
    assert names == {"kiln": ["policy:45q", "policy:lcfs"], "mill": ["policy:45q"]}
    at = pipeline.position["policy:45q"]
    graph = pipeline.graph
    assert (graph.kind[at], bool(graph.fixed[at]), graph.years[at].sum()) == ("policy", True, 0.0)
    kept = Parameters(small, "pipeline_parameters")
    assert graph.p_pass[at] == kept.value("policy_kept", "45q")
    assert at not in set(graph.before) | set(graph.after)


def test_every_bad_rule_is_told_at_once(graph_of: Graph) -> None:
    bad = {
        "store": {**RULES["store"], "p_low": 0.9},
        "port": {**RULES["port"], "years": ""},
    }
    with pytest.raises(InputError) as caught:
        graph_of(rules=bad)
    lines = [fault.line() for fault in caught.value.faults]
    assert len(lines) == 2
    assert "rule store: range does not hold its value" in lines[0] + lines[1]
    assert "rule port: a figure is missing" in lines[0] + lines[1]


@pytest.mark.parametrize(
    "column", ["kind", "gate", "roles", "sectors", "supplier_role", "infrastructure_kind"]
)
def test_unknown_codes_in_rules_are_refused(graph_of: Graph, column: str) -> None:
    with pytest.raises(InputError, match="nonsense"):
        graph_of(rules={"store": {**RULES["store"], column: "nonsense"}})


# ---------------------------------------------------------------- California


@pytest.fixture(scope="session")
def california_graph(california: Hub) -> Pipeline:
    return build_graph(california, load_scenario("baseline", california))


def test_california_lebec_waits_for_its_store_and_a_pipe(california_graph: Pipeline) -> None:
    assert {"service:CA-013", "pipe:CA-013:Kern"} <= waits_for(california_graph, f"gate:CA-003:{GAS}")


def test_california_without_its_store_waits_for_one_that_is_no_project(california: Hub) -> None:
    table = california.tables["projects"]
    cut = replace(
        california, tables={**california.tables, "projects": table[table["project_id"] != "CA-013"]}
    )
    scenario = load_scenario("baseline", california)
    with pytest.raises(InputError, match="CA-003 -> CA-013: dangling link"):
        build_graph(cut, scenario)
    pipeline = build_graph(cut, scenario, dangling="note")
    assert "store:CA-013" in waits_for(pipeline, f"gate:CA-003:{GAS}")
    assert pipeline.graph.p_pass[pipeline.position["store:CA-013"]] < 1
    assert not pipeline.graph.done[pipeline.position["store:CA-013"]]


def test_every_kind_of_link_has_a_rule(california: Hub) -> None:
    kinds = set(california.library.codelists["link_kind"]) - {"gate", "policy"}
    assert set(california.library.tables["link_rules"]["kind"]) == kinds
