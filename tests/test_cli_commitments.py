"""``cleanhub commitments``: the lists, the gap, their JSON and their faults."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import cleanhub as ch
from cleanhub.cli import app
from cleanhub.core.errors import InputError
from cleanhub.core.tables import conform
from cleanhub.hub.library import load_library
from cleanhub.hub.new import new_hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.planning.charging import Coupled

RUNNER = CliRunner()
CALIFORNIA = Path(ch.__file__).parent / "hubs" / "california"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths without freight, whose chargers take seconds."""
    monkeypatch.setattr("cleanhub.planning.charging.with_chargers", lambda path, seed=0: Coupled(path))


def test_the_list_has_the_librarys_promises_and_a_hubs() -> None:
    shared = json.loads(RUNNER.invoke(app, ["commitments", "list", "--json"]).stdout)
    both = json.loads(RUNNER.invoke(app, ["commitments", "list", "--hub", "california", "--json"]).stdout)
    names = {row["commitment_id"] for row in both}
    assert {row["commitment_id"] for row in shared} < names
    assert {"caap-equipment-2030", "caap-drayage-2035"} <= names
    assert all(row["source_id"] and row["confidence"] for row in both)


def test_the_list_for_people() -> None:
    done = RUNNER.invoke(app, ["commitments", "list"])
    assert done.exit_code == 0
    assert f"{len(load_library().tables['commitments'])} promises" in done.stdout
    assert "Rio Tinto" in done.stdout


def test_a_word_finds_the_promises_of_an_actor_or_on_a_subject() -> None:
    done = RUNNER.invoke(app, ["commitments", "list", "--hub", "california", "--about", "port of", "--json"])
    assert {row["commitment_id"] for row in json.loads(done.stdout)} == {
        "caap-equipment-2030",
        "caap-drayage-2035",
    }
    assert json.loads(RUNNER.invoke(app, ["commitments", "list", "--about", "nobody", "--json"]).stdout) == []


@pytest.mark.usefixtures("quick")
def test_the_gap_as_json() -> None:
    done = RUNNER.invoke(
        app, ["commitments", "gap", "california", "-s", "net-zero-2045", "--year", "2040", "--json"]
    )
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert (data["hub"], data["scenario"], data["year"]) == ("california", "net-zero-2045", 2040)
    rows = {row["commitment_id"]: row for row in data["commitments"]}
    assert rows["plants-2030"]["gap"] is None
    assert 0 < rows["plants-2030"]["share_of_target"] < 1
    drayage = rows["caap-drayage-2035"]
    assert drayage["gap"] == pytest.approx(drayage["target"] - drayage["pathway"])
    assert "as it stands in 2040" in drayage["how"]


@pytest.mark.usefixtures("quick")
def test_the_gap_for_people() -> None:
    done = RUNNER.invoke(app, ["commitments", "gap", "california"])
    assert done.exit_code == 0, done.output
    assert "Compared with the path" in done.stdout
    assert "Not compared" in done.stdout


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A plan folder that holds three promises: one short, one kept, one of the whole world."""
    plan = ch.plan(ch.load_hub(new_hub("mine", tmp_path)))
    about = {
        "actor": "Town",
        "sector": "",
        "platform": "",
        "how": "so",
        "confidence": "seen",
        "source_id": "s",
    }
    rows = [
        {"commitment_id": "a", "metric": "net_zero", "year": 2045, "target": 0.0, "pathway": 1.2e6,
         "gap": 1.2e6, "unit": "t CO2e/yr"},
        {"commitment_id": "b", "metric": "truck_share", "year": 2035, "target": 50.0, "pathway": 60.0,
         "gap": -10.0, "unit": "%"},
        {"commitment_id": "c", "metric": "emissions_cut", "year": 2030, "target": 50.0, "pathway": -2.0,
         "gap": 52.0, "unit": "%"},
        {"commitment_id": "d", "metric": "plants", "year": 2030, "target": 700.0, "pathway": 8.0, "gap": None,
         "unit": "1", "how": "it is about the whole world"},
    ]  # fmt: skip
    frame = pd.DataFrame([{**about, **row} for row in rows], columns=PLAN_TABLES["commitments"].names)
    plan.tables["commitments"] = conform(frame, PLAN_TABLES["commitments"])
    plan.save(tmp_path / "plan")
    return tmp_path / "plan"


def test_the_gaps_of_a_saved_plan_are_read_from_it(saved: Path) -> None:
    done = RUNNER.invoke(app, ["commitments", "gap", str(saved)])
    assert done.exit_code == 0, done.output
    text = " ".join(done.stdout.split())
    assert "Compared with the path: 3, of which short: 2" in text
    assert (
        "2045 Town: net zero (a) promised none left, on this path 1.2 Mt CO₂e/yr are left [seen, s]" in text
    )
    assert "promised 50 %, on this path 60 %: kept" in text
    assert "promised 50 %, on this path 2 % more, not less: short by 52 percentage points" in text
    assert "promised 700, here 8: it is about the whole world" in text


def test_a_saved_plan_has_its_scenario_and_years(saved: Path) -> None:
    done = RUNNER.invoke(app, ["commitments", "gap", str(saved), "-s", "baseline", "--year", "2030"])
    assert isinstance(done.exception, InputError)
    assert str(done.exception).count("a plan is made already") == 2


def test_faults_come_before_the_path_is_run(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(CALIFORNIA, folder)
    file = folder / "commitments.csv"
    file.write_text(
        file.read_text(encoding="utf-8").replace(",truck_share,", ",truck_share_of,"), encoding="utf-8"
    )
    done = RUNNER.invoke(app, ["commitments", "gap", str(folder)])
    assert done.exit_code != 0
    assert isinstance(done.exception, InputError)
    assert "truck_share_of" in str(done.exception)
