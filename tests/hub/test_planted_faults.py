"""Ten faults planted in a copy of California: all ten come back at once, and nothing is written."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cleanhub.core.errors import Fault, InputError
from cleanhub.hub.package import BUNDLED, check_hub, load_hub

Listing = Callable[[Path], dict[str, bytes]]

# file, row, column: what, found, a word of what is allowed
PLANTED = {
    ("credits.csv", 1, "basis"): ("missing column", "", "a column basis"),
    ("drivers.csv", 7, "unit"): ("unknown unit", "USD/tonnne", "a unit"),
    ("facilities.csv", 10, "sector"): ("unknown sector", "cemnt", "cement"),
    ("facilities.csv", 20, "asset_id"): ("duplicate asset_id", "", "each once"),
    ("facilities.csv", 30, "lat+lon"): ("lat and lon are swapped", "", "bbox of the hub"),
    ("facility_emissions.csv", 5, "co2e_t"): ("not a number", "lots", "a number of at least 0"),
    ("inventory.csv", 12, "year"): ("out of range", "20222", "a year from 1900 to 2100"),
    ("projects.csv", 4, "source_id"): ("not in sources.csv", "nobody", "a source_id of sources.csv"),
    ("projects.csv", 6, "capacity"): ("out of range", "-5", "a number of at least 0"),
    ("scenarios/no-support.yaml", 9, "programe"): ("unknown key", "False", "programme"),
}


def plant(hub: Path) -> None:
    def cells(file: str) -> list[list[str]]:
        with (hub / file).open(encoding="utf-8", newline="") as handle:
            return list(csv.reader(handle))

    def put(file: str, rows: list[list[str]]) -> None:
        with (hub / file).open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle, lineterminator="\n").writerows(rows)

    def change(file: str, row: int, column: str, value: str) -> None:
        rows = cells(file)
        rows[row - 1][rows[0].index(column)] = value
        put(file, rows)

    credit = cells("credits.csv")
    gone = credit[0].index("basis")
    put("credits.csv", [[*row[:gone], *row[gone + 1 :]] for row in credit])
    change("drivers.csv", 7, "unit", "USD/tonnne")
    change("facilities.csv", 10, "sector", "cemnt")
    sites = cells("facilities.csv")
    change("facilities.csv", 20, "asset_id", sites[18][0])
    change("facilities.csv", 30, "lat", sites[29][3])
    change("facilities.csv", 30, "lon", sites[29][2])
    change("facility_emissions.csv", 5, "co2e_t", "lots")
    change("inventory.csv", 12, "year", "20222")
    change("projects.csv", 4, "source_id", "nobody")
    change("projects.csv", 6, "capacity", "-5")
    scenario = hub / "scenarios" / "no-support.yaml"
    text = scenario.read_text(encoding="utf-8")
    assert "programme: false" in text
    scenario.write_text(text.replace("programme: false", "programe: false"), encoding="utf-8")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    hub = shutil.copytree(BUNDLED / "california", tmp_path_factory.mktemp("hubs") / "planted")
    plant(hub)
    return hub


def assert_all_ten(faults: list[Fault]) -> None:
    assert [(fault.file, fault.row, fault.column) for fault in faults] == list(PLANTED)
    for fault in faults:
        what, found, may_be = PLANTED[fault.file, fault.row or 0, fault.column or ""]
        assert fault.what == what
        assert found in fault.found
        assert may_be in fault.allowed


def run(*words: str, cwd: Path, columns: int = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cleanhub", *words],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "COLUMNS": str(columns)},
        check=False,
    )


def test_loading_raises_one_error_with_all_ten(planted: Path, listing: Listing) -> None:
    before = listing(planted.parent)
    with pytest.raises(InputError, match="10 faults") as caught:
        load_hub(planted)
    assert_all_ten(caught.value.faults)
    assert listing(planted.parent) == before


def test_checking_lists_all_ten_without_raising(planted: Path) -> None:
    assert_all_ten(InputError("x", check_hub(planted).faults).faults)


def test_hub_check_prints_each_fault_on_one_line_even_in_a_narrow_terminal(
    planted: Path, listing: Listing
) -> None:
    before = listing(planted.parent)
    done = run("hub", "check", str(planted), cwd=planted.parent)
    assert done.returncode == 2
    heading, *lines = done.stderr.splitlines()
    assert heading.endswith("10 faults")
    assert len(lines) == 10
    for line, (file, row, column) in zip(lines, PLANTED, strict=True):
        assert line.startswith(f"  {file}, row {row}, column {column}: ")
        assert "; allowed " in line
    assert listing(planted.parent) == before


def test_hub_check_as_json_lists_all_ten(planted: Path) -> None:
    done = run("hub", "check", str(planted), "--json", cwd=planted.parent)
    assert done.returncode == 2
    assert_all_ten([Fault(**fault) for fault in json.loads(done.stdout)["faults"]])


def test_planning_a_faulty_hub_writes_nothing(planted: Path, listing: Listing) -> None:
    before = listing(planted.parent)
    done = run("plan", str(planted), "--out", "x", cwd=planted.parent)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for file, row, column in PLANTED:
        assert f"{file}, row {row}, column {column}: " in done.stderr
    assert listing(planted.parent) == before
