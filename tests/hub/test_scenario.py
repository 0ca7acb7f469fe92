"""Scenarios: every fault with the file and line it stands on; overrides nest; the schema is complete."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cleanhub.core.errors import InputError
from cleanhub.hub.library import FOLDER
from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.scenario import (
    DriverChoice,
    PolicyChoice,
    Scenario,
    json_schema,
    list_scenarios,
    load_scenario,
)

HEAD = "name: mine\ntitle: Mine\nextends: baseline\n"
Refuse = Callable[..., list[tuple[str, int | None, str | None, str]]]
Load = Callable[..., Scenario]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    from cleanhub.hub.new import new_hub

    return load_hub(new_hub("tiny", tmp_path_factory.mktemp("hub")))


@pytest.fixture
def load(hub: Hub, tmp_path: Path) -> Load:
    """Load the text as scenario ``mine``; further scenarios beside it by name."""

    def loader(text: str | bytes, **others: str) -> Scenario:
        for name, content in {**others, "mine": text}.items():
            data = content if isinstance(content, bytes) else content.encode()
            (tmp_path / f"{name}.yaml").write_bytes(data)
        return load_scenario(tmp_path / "mine.yaml", hub)

    return loader


@pytest.fixture
def refuse(load: Load) -> Refuse:
    """Load as ``load`` does, expect refusal, and give file, line, key and kind of each fault."""

    def refuser(text: str | bytes, **others: str) -> list:
        with pytest.raises(InputError) as caught:
            load(text, **others)
        return [(fault.file, fault.row, fault.column, fault.what) for fault in caught.value.faults]

    return refuser


# ---------------------------------------------------------------- what is right


def test_a_scenario_starts_from_the_one_it_extends(load: Load, hub: Hub) -> None:
    mine, base = load(HEAD + "end_year: 2040\n"), load_scenario("baseline", hub)
    assert (mine.name, mine.title, mine.extends) == ("mine", "Mine", "baseline")
    assert mine.end_year == 2040
    assert mine.decision == base.decision
    assert mine.as_of == base.as_of == dt.date(2026, 1, 1)


def test_an_override_replaces_only_the_key_it_names(load: Load) -> None:
    mid = "name: mid\ntitle: M\nextends: baseline\ndecision: {horizon: 30, lead_time: 5}\n"
    mine = load(HEAD.replace("baseline", "mid") + "decision: {lead_time: 1}\n", mid=mid)
    assert (mine.decision.horizon, mine.decision.lead_time, mine.decision.discount_rate) == (30, 1, 0.08)


def test_a_list_is_replaced_whole(load: Load) -> None:
    assert load(HEAD + "credits: []\n").credits == ()


def test_a_merge_key_works(load: Load) -> None:
    text = "drivers:\n  cement_demand: &one {scale: 2}\n  carbon_price:\n    <<: *one\n    range: high\n"
    drivers = load(HEAD + text).drivers
    assert drivers["carbon_price"] == DriverChoice(scale=2, range="high")


def test_scenarios_of_a_hub_are_listed_and_found_by_name(california: Hub) -> None:
    names = list_scenarios(california)
    assert names == ["baseline", "fastest-abatement", "net-zero-2045", "no-support"]
    assert [load_scenario(name, california).name for name in names] == names


def test_extending_twice_takes_the_nearest(california: Hub) -> None:
    fastest = load_scenario("fastest-abatement", california)
    assert fastest.decision.rule == "lowest_emissions"
    assert fastest.decision.reinvest_early, "from net-zero-2045"
    assert fastest.decision.discount_rate == 0.08, "from baseline"
    assert fastest.drivers["refinery_throughput"].use == "refinery_throughput"


def test_an_unchosen_driver_stands_at_its_central_value() -> None:
    scenario = Scenario(name="x", title="X", as_of=dt.date(2026, 1, 1), drivers={"a": DriverChoice(scale=2)})
    assert scenario.driver_choice("other") == DriverChoice(use=None, range="value", scale=1)
    low = scenario.with_range("low")
    assert low.driver_choice("other").range == "low"
    assert low.driver_choice("a") == DriverChoice(range="low", scale=2)
    assert scenario.driver_choice("a").range == "value", "the first one is unchanged"


def test_a_chosen_end_of_a_range_is_kept_at_both_ends() -> None:
    chosen = {"a": DriverChoice(range="high")}
    scenario = Scenario(name="x", title="X", as_of=dt.date(2026, 1, 1), drivers=chosen)
    assert scenario.with_range("low").driver_choice("a").range == "high"


def test_the_ends_of_the_range_move_limits_and_policies_too() -> None:
    chosen = {
        "45q": PolicyChoice(delay_years=1, scale=0.5),
        "lcfs": PolicyChoice(range="high"),
        "hvip": PolicyChoice(off=True),
    }
    scenario = Scenario(name="x", title="X", as_of=dt.date(2026, 1, 1), policies=chosen)
    low = scenario.with_range("low")
    assert low.limit_choice("co2-storage").range == "low"
    assert low.policy_choice("45v") == PolicyChoice(range="low")
    assert low.policy_choice("45q") == PolicyChoice(delay_years=1, scale=0.5, range="low")
    assert low.policy_choice("lcfs").range == "high", "the scenario put it there itself"
    assert low.policy_choice("hvip").off
    assert scenario.policy_choice("45v") == PolicyChoice(), "the first one is unchanged"


# ---------------------------------------------------------------- faults with their line


@pytest.mark.parametrize(
    ("text", "line", "key", "what"),
    [
        ("\nnme: 3\n", 5, "nme", "unknown key"),
        ("decision:\n  rul: least_cost\n", 5, "decision.rul", "unknown key"),
        ("decision:\n  horizon: 20\n  rule: cheapest\n", 6, "decision.rule", "impossible value"),
        ("end_year: 1999\n", 4, "end_year", "impossible value"),
        ("end_year: soon\n", 4, "end_year", "impossible value"),
        ("end_year: 2050.5\n", 4, "end_year", "impossible value"),
        ("price_year: 2099\n", 4, "price_year", "impossible value"),
        ("as_of: '2026-01-01'\n", 4, "as_of", "impossible value"),
        ("as_of: yesterday\n", 4, "as_of", "impossible value"),
        ("decision: {discount_rate: 9}\n", 4, "decision.discount_rate", "impossible value"),
        ("decision: {discount_rate: .nan}\n", 4, "decision.discount_rate", "impossible value"),
        ("decision: {discount_rate: .inf}\n", 4, "decision.discount_rate", "impossible value"),
        ("decision: {horizon: true}\n", 4, "decision.horizon", "impossible value"),
        ("decision: {discount_rate: true}\n", 4, "decision.discount_rate", "impossible value"),
        ("decision: least_cost\n", 4, "decision", "impossible value"),
        ("programme: 1\n", 4, "programme", "impossible value"),
        ("programme: 'yes'\n", 4, "programme", "impossible value"),
        ("credits: 45q\n", 4, "credits", "impossible value"),
        ("credits: [1]\n", 4, "credits.0", "impossible value"),
        ("drivers:\n  cement_demand: {scale: 0}\n", 5, "drivers.cement_demand.scale", "impossible value"),
        ("drivers:\n  cement_demand: {range: mid}\n", 5, "drivers.cement_demand.range", "impossible value"),
        ("drivers:\n  cemnt: {scale: 2}\n", 5, "drivers.cemnt", "unknown name"),
        ("drivers:\n  cement_demand: {use: other}\n", 5, "drivers.cement_demand.use", "unknown name"),
        ("carbon_price: nothing\n", 4, "carbon_price", "unknown name"),
        ("credits: [45q]\n", 4, "credits", "unknown name"),
        ("limits: {co2-storage: {off: true}}\n", 4, "limits.co2-storage", "unknown name"),
    ],
)
def test_a_fault_names_its_line_and_key(refuse: Refuse, text: str, line: int, key: str, what: str) -> None:
    assert refuse(HEAD + text) == [("mine.yaml", line, key, what)]


def test_an_unknown_name_and_an_impossible_value_come_at_once(refuse: Refuse) -> None:
    found = refuse(HEAD + "limits:\n  x: {scale: -1}\n")
    assert found == [
        ("mine.yaml", 5, "limits.x", "unknown name"),
        ("mine.yaml", 5, "limits.x.scale", "impossible value"),
    ]


def test_all_faults_come_at_once(refuse: Refuse) -> None:
    found = refuse(HEAD + "nme: 3\nend_year: 1\ndecision: {rule: x, horizon: 0}\n")
    assert [(line, key) for _, line, key, _ in found] == [
        (4, "nme"),
        (5, "end_year"),
        (6, "decision.horizon"),
        (6, "decision.rule"),
    ]


def test_an_unknown_name_is_told_what_there_is(load: Load) -> None:
    with pytest.raises(InputError) as caught:
        load(HEAD + "carbon_price: nothing\ncredits: [45q]\n")
    allowed = {fault.column: fault.allowed for fault in caught.value.faults}
    assert "cement_demand" in allowed["carbon_price"]
    assert "there is none" in allowed["credits"]


@pytest.mark.parametrize("key", ["name", "title"])
def test_name_and_title_are_never_inherited(refuse: Refuse, key: str) -> None:
    text = "".join(line + "\n" for line in HEAD.splitlines() if not line.startswith(key))
    assert refuse(text) == [("mine.yaml", 1, key, "missing key")]


def test_a_scenario_that_extends_nothing_needs_a_day(refuse: Refuse) -> None:
    assert refuse("name: mine\ntitle: Mine\n") == [("mine.yaml", 1, "as_of", "missing key")]


def test_the_name_must_be_that_of_the_file(refuse: Refuse) -> None:
    assert refuse(HEAD.replace("mine", "yours")) == [("mine.yaml", 1, "name", "name differs from the file")]


@pytest.mark.parametrize(
    ("base", "line", "key"),
    [
        ("decision: {discount_rate: 9}\n", 4, "decision.discount_rate"),
        ("drivers:\n  nothing: {scale: 2}\n", 5, "drivers.nothing"),
    ],
)
def test_a_fault_is_told_in_the_file_that_holds_it(refuse: Refuse, base: str, line: int, key: str) -> None:
    mid = f"name: mid\ntitle: M\nextends: baseline\n{base}"
    own = "decision: {horizon: 9}\ndrivers: {cement_demand: {scale: 2}}\n"
    ((file, row, column, _),) = refuse(HEAD.replace("baseline", "mid") + own, mid=mid)
    assert (file, row, column) == ("mid.yaml", line, key)


def test_an_override_mends_a_fault_below_it(load: Load) -> None:
    mid = "name: mid\ntitle: M\nextends: baseline\nend_year: 1\n"
    assert load(HEAD.replace("baseline", "mid") + "end_year: 2040\n", mid=mid).end_year == 2040


@pytest.mark.parametrize("base", ["nothing", "[baseline]", "5", "''", "../baseline2"])
def test_extending_what_is_not_there(refuse: Refuse, base: str) -> None:
    assert refuse(HEAD.replace("baseline", base)) == [("mine.yaml", 3, "extends", "no such scenario")]


def test_extending_in_a_circle(refuse: Refuse) -> None:
    circle = "scenarios extend each other in a circle"
    assert refuse(HEAD.replace("baseline", "mine")) == [("mine.yaml", 3, "extends", circle)]
    other = "name: other\ntitle: O\nextends: mine\n"
    assert refuse(HEAD.replace("baseline", "other"), other=other) == [("other.yaml", 3, "extends", circle)]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (HEAD + "extends: baseline\n", 4, "not valid YAML"),
        (HEAD + "decision: {rule: least_cost, rule: least_cost}\n", 4, "not valid YAML"),
        (HEAD + "decision: {rule: [\n", 5, "not valid YAML"),
        (HEAD + "\tend_year: 2050\n", 4, "not valid YAML"),
        (HEAD + "as_of: 2026-02-30\n", 4, "not valid YAML"),
        (HEAD + "end_year: 2050\n---\nname: x\n", 5, "not valid YAML"),
        (HEAD + "description: \x07\n", None, "not valid YAML"),
        (HEAD + "end_year: !!int x\n", None, "not valid YAML"),
        ("a: " + "[" * 500, None, "not valid YAML"),
        ("", 1, "not a mapping"),
        ("- a\n", 1, "not a mapping"),
        ("just words\n", 1, "not a mapping"),
        (b"\xff\xfe\x00", None, "not UTF-8 text"),
        ("title: Zürich\n".encode("latin-1"), None, "not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_yaml_mapping(
    refuse: Refuse, text: str | bytes, line: int | None, what: str
) -> None:
    assert refuse(text) == [("mine.yaml", line, None, what)]


def test_a_yaml_file_never_runs_code(load: Load) -> None:
    with pytest.raises(InputError):
        load(HEAD + "description: !!python/object/apply:os.system ['exit 1']\n")


@pytest.mark.parametrize("name", ["nothing", "", "baseline.yml", "../datapackage"])
def test_a_scenario_that_the_hub_does_not_have(hub: Hub, name: str) -> None:
    with pytest.raises(InputError, match="scenario not found") as caught:
        load_scenario(name, hub)
    assert "baseline" in caught.value.faults[0].allowed


def test_hub_check_covers_every_scenario(tiny: Path, faults_of: Callable[[Path], list[str]]) -> None:
    for name in ("one", "two"):
        text = HEAD.replace("mine", name) + "nme: 3\n"
        (tiny / "scenarios" / f"{name}.yaml").write_text(text, encoding="utf-8")
    assert [line.split(":")[0] for line in faults_of(tiny)] == [
        "scenarios/one.yaml, row 4, column nme",
        "scenarios/two.yaml, row 4, column nme",
    ]


# ---------------------------------------------------------------- schema


def fields(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    models = {"Scenario": schema, **schema["$defs"]}
    return {
        f"{model}.{key}": one for model, body in models.items() for key, one in body["properties"].items()
    }


def test_the_schema_lists_and_describes_every_field() -> None:
    found = fields(json_schema())
    assert {f"Scenario.{name}" for name in Scenario.model_fields} <= set(found)
    undescribed = {name for name, one in found.items() if not one.get("description")}
    assert undescribed == set()
    assert len(found) > len(Scenario.model_fields), "the nested models are in it"


def test_the_schema_refuses_unknown_keys_and_asks_for_name_and_title() -> None:
    schema = json_schema()
    assert schema["required"] == ["name", "title"]
    assert all(body["additionalProperties"] is False for body in (schema, *schema["$defs"].values()))


def test_the_committed_schema_is_that_of_the_code() -> None:
    text = (FOLDER / "scenario.schema.json").read_text(encoding="utf-8")
    assert text == json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n", (
        "write it again from cleanhub.hub.scenario.json_schema()"
    )


def test_the_bundled_scenarios_point_at_the_committed_schema(california: Hub) -> None:
    for path in (california.path / "scenarios").glob("*.yaml"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert (path.parent / first.split("$schema=")[1]).resolve() == FOLDER / "scenario.schema.json"


def test_a_wrong_key_in_a_group_is_told_the_keys_of_the_group(tmp_path: Path) -> None:
    hub = load_hub("california")
    path = tmp_path / "typo.yaml"
    text = "name: typo\ntitle: Typo\nextends: baseline\ndecision:\n  discount_rat: 0.1\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_scenario(path, hub)
    (fault,) = caught.value.faults
    assert fault.row == 5
    assert "discount_rate" in fault.allowed
    assert "carbon_price" not in fault.allowed
