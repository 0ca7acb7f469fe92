"""hub new: a small hub that checks and plans at once, never on top of something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import cleanhub as ch
from cleanhub.core.errors import InputError, RunError
from cleanhub.hub.new import new_hub
from cleanhub.hub.package import check_hub, load_hub
from cleanhub.hub.schema import PACKAGE_TABLES


def test_a_new_hub_has_neither_faults_nor_notes(tiny: Path) -> None:
    found = check_hub(tiny)
    assert (found.faults, found.notes) == ([], [])


def test_a_new_hub_has_every_table_and_describes_it(tiny: Path) -> None:
    files = {path.name for path in tiny.iterdir()}
    assert files == {t.file for t in PACKAGE_TABLES.values()} | {"datapackage.json", "scenarios"}
    meta = json.loads((tiny / "datapackage.json").read_text(encoding="utf-8"))
    assert {resource["path"] for resource in meta["resources"]} == {t.file for t in PACKAGE_TABLES.values()}


def test_a_new_hub_plans(tiny: Path) -> None:
    hub = load_hub(tiny)
    plan = ch.plan(hub, "baseline")
    past = plan.table("emissions").query("year == 2022 and scope == 1 and boundary == 'included'")
    past = past[past["gas"] == "co2e"]
    assert past["value"].sum() == pytest.approx(1_000_000)


def test_its_scenario_can_be_completed_by_an_editor(tiny: Path) -> None:
    first = (tiny / "scenarios" / "baseline.yaml").read_text(encoding="utf-8").splitlines()[0]
    schema = tiny / "scenarios" / first.split("$schema=")[1]
    assert json.loads(schema.read_text(encoding="utf-8"))["title"] == "cleanhub scenario"


def test_name_and_title(tmp_path: Path) -> None:
    assert load_hub(new_hub("gulf-coast", tmp_path)).title == "Gulf Coast"
    assert load_hub(new_hub("b2", tmp_path, "Bay & Delta: “Zürich”")).title == "Bay & Delta: “Zürich”"


@pytest.mark.parametrize(
    "name", ["", "a", "Abc", "1a", "-a", "a b", "a/b", "../a", "é-hub", "a_b", "ab\n", "a" * 42]
)
def test_a_bad_name_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="not a hub name"):
        new_hub(name, tmp_path / "hubs")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_left_alone(tiny: Path, listing: Callable[[Path], dict[str, bytes]]) -> None:
    (tiny / "facilities.csv").write_text("mine", encoding="utf-8")
    before = listing(tiny)
    with pytest.raises(RunError, match="exists already"):
        new_hub("tiny", tiny.parent)
    assert listing(tiny) == before


def test_a_folder_that_cannot_be_made_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match="cannot write"):
        new_hub("tiny", tmp_path / "file")
