"""``cleanhub commitments``: the lists, the gap, their JSON and their faults."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cleanhub as ch
from cleanhub.cli import app
from cleanhub.core.errors import InputError
from cleanhub.hub.library import load_library
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
