"""Plan folders are whole or not there; comparisons name the input that moved the number."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from small_hub import read, write

import cleanhub as ch
from cleanhub.core.errors import InputError, RunError
from cleanhub.hub.scenario import DriverChoice, LimitChoice, PolicyChoice
from cleanhub.planning.plan import Plan
from cleanhub.planning.store import staged

OFF = PolicyChoice(off=True)


def digest(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "run.json"
    }


def test_a_saved_plan_comes_back_as_it_was(baseline: Plan, tmp_path: Path) -> None:
    baseline.save(tmp_path / "plan")
    back = ch.load_plan(tmp_path / "plan")
    assert back.id == baseline.id
    assert back.scenario == baseline.scenario
    for name, frame in baseline.tables.items():
        pd.testing.assert_frame_equal(frame, back.table(name))


def test_two_saves_give_equal_bytes(baseline: Plan, tmp_path: Path) -> None:
    baseline.save(tmp_path / "a")
    baseline.save(tmp_path / "b")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert any(name.startswith("tables/") for name in digest(tmp_path / "a"))


def test_plan_json_tells_what_was_planned(baseline: Plan, tmp_path: Path) -> None:
    baseline.save(tmp_path / "plan")
    head = json.loads((tmp_path / "plan" / "plan.json").read_text(encoding="utf-8"))
    assert head["hub"]["name"] == "california"
    assert head["as_of"] == "2026-06-01"
    assert head["pending"] == baseline.pending
    assert head["tables"] == {name: len(frame) for name, frame in baseline.tables.items()}
    assert {"hub/facilities.csv", "library"} <= set(head["hashes"])
    run = json.loads((tmp_path / "plan" / "run.json").read_text(encoding="utf-8"))
    assert run["steps"]["plan"]["cpu_s"] > 0
    assert "path" in run["steps"] or "plan" in run["remembered"]


def test_saving_replaces_an_older_plan(baseline: Plan, net_zero: Plan, tmp_path: Path) -> None:
    baseline.save(tmp_path / "plan")
    net_zero.save(tmp_path / "plan")
    assert ch.load_plan(tmp_path / "plan").scenario.name == "net-zero-2045"
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


def test_a_folder_with_other_things_is_left_alone(baseline: Plan, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.docx").write_text("years of work", encoding="utf-8")
    with pytest.raises(RunError, match=r"thesis\.docx"):
        baseline.save(folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.docx"]


def test_a_failed_write_leaves_the_older_plan(baseline: Plan, tmp_path: Path) -> None:
    baseline.save(tmp_path / "plan")
    before = digest(tmp_path / "plan")
    with pytest.raises(RuntimeError, match="the pen broke"), staged(tmp_path / "plan") as staging:  # noqa: PT012
        (staging / "plan.json").write_text("half", encoding="utf-8")
        raise RuntimeError("the pen broke")
    assert digest(tmp_path / "plan") == before
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


def test_a_full_disk_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="No space left"), staged(tmp_path / "plan"):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["missing", "empty", "not json", "old"])
def test_what_is_no_plan_is_refused(baseline: Plan, tmp_path: Path, damage: str) -> None:
    folder = baseline.save(tmp_path / "plan")
    head = folder / "plan.json"
    if damage == "missing":
        head.unlink()
    elif damage == "empty":
        head.write_text("", encoding="utf-8")
    elif damage == "not json":
        head.write_text("[1, 2]", encoding="utf-8")
    else:
        head.write_text(
            head.read_text(encoding="utf-8").replace('"format": 1', '"format": 0'), encoding="utf-8"
        )
    with pytest.raises(InputError, match="not a plan folder"):
        ch.load_plan(folder)


def test_every_damaged_table_is_named_at_once(baseline: Plan, tmp_path: Path) -> None:
    folder = baseline.save(tmp_path / "plan")
    (folder / "tables" / "assets.parquet").unlink()
    (folder / "tables" / "limits.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(InputError) as caught:
        ch.load_plan(folder)
    assert {fault.file for fault in caught.value.faults} == {"tables/assets.parquet", "tables/limits.parquet"}


def test_a_plan_equals_itself(baseline: Plan) -> None:
    found = ch.compare(baseline, baseline)
    assert found.same
    assert found.inputs.empty
    assert found.outputs.empty


def test_inputs_that_differ_come_first_and_are_named(baseline: Plan, net_zero: Plan) -> None:
    found = ch.compare(baseline, net_zero)
    assert next(iter(found.as_dict())) == "a"
    keys = set(found.inputs.loc[found.inputs["kind"] == "scenario", "key"])
    assert {"carbon_price", "zero_emission_sales", "decision.reinvest_early"} <= keys
    row = found.inputs[found.inputs["key"] == "carbon_price"].iloc[0]
    assert (row["a"], row["b"]) == ("carbon_price_floor", "carbon_price_ceiling")
    outputs = found.outputs.set_index("key")
    change = outputs.loc["hub_emissions_2045"]
    assert change["difference"] == pytest.approx(change["b"] - change["a"])
    assert change["difference"] < 0


def test_a_changed_number_in_the_hub_is_named_with_both_values(
    port: Path, changed: Path, until_2035: Callable[..., Plan]
) -> None:
    rows = read(changed, "drivers")
    where = rows.index[(rows["driver"] == "carbon_price_floor") & (rows["year"] == "2030")]
    assert len(where) == 1
    rows.loc[where, "value"] = "999"
    rows.loc[where, ["low", "high"]] = ""
    write(changed, "drivers", rows)
    found = ch.compare(until_2035(port), until_2035(changed))
    values = found.inputs[found.inputs["kind"] == "value"]
    assert list(values["key"]) == ["drivers: carbon_price_floor@2030"]
    assert values.iloc[0]["b"].startswith("999 ")
    assert list(found.inputs.loc[found.inputs["kind"] == "file", "key"]) == ["hub/drivers.csv"]
    assert not found.outputs.empty


@pytest.fixture(scope="module")
def without_45q(hub: ch.Hub) -> Plan:
    scenario = ch.load_scenario("baseline", hub)
    return ch.plan(hub, scenario.model_copy(update={"policies": {**scenario.policies, "45q": OFF}}))


def test_a_policy_switched_off_is_named_alone_and_moves_the_path(baseline: Plan, without_45q: Plan) -> None:
    found = ch.compare(baseline, without_45q)
    assert found.inputs.to_numpy().tolist() == [["scenario", "policies.45q.off", "False", "True"]]
    captured = found.outputs.set_index("key").loc["co2_captured"]
    assert captured["b"] < captured["a"]
    assert {"switches", "emissions", "costs"} <= set(found.rows)
    hydrogen = found.outputs[found.outputs["key"] == "hydrogen, 2045"].iloc[0]
    assert hydrogen["difference"] > 1e5, "plants that would have captured do not"


def test_choices_that_only_one_side_names_are_set_beside_the_usual(baseline: Plan) -> None:
    def changed(**choices: object) -> Plan:
        return dataclasses.replace(baseline, scenario=baseline.scenario.model_copy(update=choices))

    drivers = {**baseline.scenario.drivers, "carbon_price_floor": DriverChoice(scale=2)}
    policies = {**baseline.scenario.policies, "lcfs": PolicyChoice(range="low", delay_years=-1)}
    limits = {"co2-storage": LimitChoice()}
    other = changed(drivers=drivers, policies=policies, limits=limits)
    assert sorted(ch.compare(baseline, other).inputs.to_numpy().tolist()) == [
        ["scenario", "drivers.carbon_price_floor.scale", "1.0", "2.0"],
        ["scenario", "policies.lcfs.delay_years", "0", "-1"],
        ["scenario", "policies.lcfs.range", "value", "low"],
    ]
    fewer = changed(policies={})
    ((kind, key, before, after),) = ch.compare(baseline, fewer).inputs.to_numpy().tolist()
    assert (kind, key, before, after) == ("scenario", "policies.hvip.until", "2030-12-31", "(none)")


def test_a_changed_fact_and_reach_of_a_credit_are_named(
    port: Path, changed: Path, until_2035: Callable[..., Plan]
) -> None:
    rows = read(changed, "credits")
    rows.loc[rows["credit"] == "45v", "facts"] = "carbon_intensity_hydrogen_kg_per_kg=3.5;prevailing_wage=yes"
    rows.loc[rows["credit"] == "hvip-class8", "reach"] = "0.5"
    write(changed, "credits", rows)
    values = ch.compare(until_2035(port), until_2035(changed)).inputs.query("kind == 'value'")
    assert values[["key", "a", "b"]].to_numpy().tolist() == [
        ["credits: 45v/carbon_intensity_hydrogen_kg_per_kg", "0.4 kg CO2e/kg", "3.5 kg CO2e/kg"],
        ["credits: hvip-class8/reach", "0.25 1", "0.5 1"],
    ]


def test_saved_plans_compare_like_plans(baseline: Plan, net_zero: Plan, tmp_path: Path) -> None:
    a, b = baseline.save(tmp_path / "a"), net_zero.save(tmp_path / "b")
    pd.testing.assert_frame_equal(ch.compare(a, b).outputs, ch.compare(baseline, net_zero).outputs)


def test_a_project_that_moved_on_is_named(port: Path, changed: Path, until_2035: Callable[..., Plan]) -> None:
    rows = read(changed, "projects")
    rows.loc[rows["project_id"] == "CA-003", "stage"] = "fid"
    write(changed, "projects", rows)
    found = ch.compare(until_2035(port), until_2035(changed)).inputs
    moved = found[found["kind"] == "project"]
    assert moved[["key", "a", "b"]].to_numpy().tolist() == [["CA-003: stage", "feed", "fid"]]


def test_tonnes_carry_the_whole_cost_only_where_the_product_has_a_price(baseline: Plan) -> None:
    values = baseline.table("valuations")
    priced = values["price_gap"].notna() | values["unit"].str.contains("CO2") | (values["unit"] == "USD/t")
    assert values.loc[~priced, "abatement_cost"].isna().all()
    assert values["abatement_cost"].notna().any()
