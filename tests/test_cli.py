"""The command line as a user meets it: exit codes, one list of faults, JSON, nothing half-written."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

import cleanhub as ch
from cleanhub import cli

CALIFORNIA = Path(ch.__file__).parent / "hubs" / "california"


def process(*words: str) -> subprocess.CompletedProcess[str]:
    """``cleanhub`` with ``words`` as a process of its own, which knows nothing of this one."""
    return subprocess.run(
        [sys.executable, "-m", "cleanhub", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
        check=False,
    )


def run(*words: str, cwd: Path | None = None, columns: int = 100) -> subprocess.CompletedProcess[str]:
    """The same in this process, which has read the program already; a traceback is an error of the test."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        contextlib.chdir(cwd or Path.cwd()),
        mock.patch.object(sys, "argv", ["cleanhub", *words]),
        mock.patch.object(cli.out, "_width", columns),
        mock.patch.object(cli.err, "_width", columns),
        pytest.raises(SystemExit) as end,
    ):
        cli.main()
    assert isinstance(end.value.code, int)
    return subprocess.CompletedProcess(words, end.value.code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plans")
    again = ("--fresh",)  # nothing remembered: every step computed
    for name, more in (("a", ()), ("again", again)):
        done = process("plan", "california", "--scenario", "baseline", "--out", str(folder / name), *more)
        assert done.returncode == 0, done.stderr
        (folder / f"{name}.txt").write_text(done.stdout, encoding="utf-8")
    return folder


def test_plan_ends_with_the_scorecard_and_the_reports_path(plans: Path) -> None:
    text = (plans / "a.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip()]
    assert lines[-1] == f"report: {plans / 'a' / 'report.html'}"
    assert "what this model cannot tell you" in lines[-2]
    assert "Plants needed beyond the pipeline" in text
    assert "illustrative" in text
    assert (plans / "a" / "report.html").stat().st_size > 50_000


def test_two_runs_give_equal_bytes_of_tables_and_report(plans: Path) -> None:
    def digest(folder: Path) -> dict[str, str]:
        return {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != "run.json"
        }

    first, second = digest(plans / "a"), digest(plans / "again")
    assert first == second
    assert "report.html" in first


@pytest.fixture(scope="module")
def valley(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A new hub of one plant, for what does not depend on the hub: it plans in a tenth of the time."""
    folder = tmp_path_factory.mktemp("hubs")
    assert run("hub", "new", "valley", "--dir", str(folder)).returncode == 0
    return str(folder / "valley")


def test_plan_as_json(tmp_path: Path, valley: str) -> None:
    done = run("plan", valley, "--out", str(tmp_path / "p"), "--json")
    found = json.loads(done.stdout)
    assert done.stderr == ""
    assert found["scorecard"][0]["metric"] == "project_need"
    assert found["pending"]


def test_plan_needs_no_network_and_writes_only_its_folder(plans: Path) -> None:
    assert sorted(path.name for path in (plans / "a").iterdir()) == [
        "ATTRIBUTION.txt",
        "blueprint.html",
        "grid_works.csv",
        "plan.json",
        "report.html",
        "run.json",
        "tables",
    ]


DEARER = """\
name: dearer
title: Dearer carbon
extends: baseline
as_of: 2026-01-01
drivers: {carbon_price: {scale: 3}}
"""


def test_compare_shows_inputs_before_outputs(tmp_path: Path, valley: str) -> None:
    (tmp_path / "dearer.yaml").write_text(DEARER, encoding="utf-8")
    for name, scenario in (("a", "baseline"), ("again", "baseline"), ("b", "dearer.yaml")):
        done = run("plan", valley, "--scenario", scenario, "--out", name, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    done = run("compare", "a", "b", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.index("Inputs that differ") < done.stdout.index("Headlines and emissions that differ")
    assert "drivers.carbon_price.scale" in done.stdout
    assert "no difference" in run("compare", "a", "again", cwd=tmp_path).stdout
    found = json.loads(run("compare", "a", "b", "--json", cwd=tmp_path).stdout)
    assert found["inputs"]
    assert found["outputs"]


def test_why_names_source_confidence_and_licence(plans: Path) -> None:
    done = run("why", str(plans / "a"), "scorecard", "hub_emissions_2022", columns=200)
    assert "carb-inventory-2024" in done.stdout
    rows = json.loads(run("why", str(plans / "a"), "drivers", "carbon_price_floor@2026", "--json").stdout)
    drivers = ch.load_hub("california").tables["drivers"].set_index(["driver", "year"])
    assert rows[0]["value"] == drivers.loc[("carbon_price_floor", 2026), "value"]
    assert rows[0]["licence"]
    lost = run("why", str(plans / "a"), "scorecard", "no_such_line")
    assert lost.returncode == 2
    assert "nothing is traced" in lost.stderr


def test_hub_list_show_and_check() -> None:
    assert "california" in run("hub", "list").stdout
    assert json.loads(run("hub", "list", "--json").stdout)[0]["name"] == "california"
    assert run("hub", "check", "california").returncode == 0
    found = json.loads(run("hub", "show", "california", "--json").stdout)
    figures = {figure["metric"]: figure for figure in found["figures"]}
    assert figures["industry_emissions"]["value"] == pytest.approx(50.0, abs=0.05)
    assert figures["industry_sites_emitting"]["value"] == 149
    assert figures["industry_sites_reporting"]["value"] == 151
    assert figures["site_emissions"]["value"] == pytest.approx(91.5, abs=0.05)
    assert figures["hub_scope"]["value"] == pytest.approx(118.5, abs=0.05)
    assert figures["hub_share"]["value"] == pytest.approx(31.8, abs=0.05)
    assert figures["hub_share_without_waste"]["value"] == pytest.approx(29.1, abs=0.05)
    assert all(figure["sources"] for figure in found["figures"])
    assert "cement" in run("hub", "show", "california").stdout


def test_hub_new_can_be_checked_and_planned(tmp_path: Path) -> None:
    assert run("hub", "new", "valley", "--dir", str(tmp_path)).returncode == 0
    assert run("hub", "check", str(tmp_path / "valley")).returncode == 0
    done = run("plan", str(tmp_path / "valley"), "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    again = run("hub", "new", "valley", "--dir", str(tmp_path))
    assert again.returncode == 1
    assert "exists already" in again.stderr
    bad = run("hub", "new", "My Port", "--dir", str(tmp_path))
    assert bad.returncode == 2


def test_a_faulty_hub_is_one_list_and_nothing_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "faulty"
    shutil.copytree(CALIFORNIA, folder)
    for name, old, new in (
        ("projects.csv", ",cement,", ",cemnt,"),
        ("targets.csv", "t CO2e/yr", "t CO2e/yeer"),
        ("cohorts.csv", "carb", "nobody-knows"),
    ):
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
    done = run("plan", str(folder), "--out", str(tmp_path / "out"), columns=60)
    assert done.returncode == 2
    assert not (tmp_path / "out").exists()
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    for file in ("projects.csv", "targets.csv", "cohorts.csv"):
        assert any(line.strip().startswith(f"{file}, row ") and "allowed" in line for line in lines), file


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("plan", "atlantis"), 2, "no such hub"),
        (("plan", "california", "--scenario", "wishful"), 2, "no such scenario"),
        (("plan", "california", "--seed", "-1"), 2, "seed"),
        (("frobnicate",), 2, "frobnicate"),
        (("compare", "nowhere", "nothing"), 2, "not a plan folder"),
        (("why", "nowhere", "a", "b"), 2, "not a plan folder"),
    ],
)
def test_bad_words_get_one_clear_message(
    words: tuple[str, ...], code: int, says: str, tmp_path: Path
) -> None:
    done = run(*words, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_shell_sees_the_exit_code_and_the_message() -> None:
    done = process("plan", "atlantis")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "no such hub" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_shell_sees_nothing_beside_the_answer(plans: Path) -> None:
    done = process("why", str(plans / "a"), "scorecard", "project_need")
    assert done.returncode == 0
    assert "project_need" in done.stdout
    assert done.stderr == ""


def test_a_folder_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    done = run("why", str(tmp_path / "nowhere"), "scorecard", "project_need")
    assert done.returncode == 2
    assert "missing file" in done.stderr
    assert "cleanhub plan --out" in done.stderr
    assert "Errno" not in done.stderr


def test_a_scenario_file_with_faults_names_the_lines(tmp_path: Path) -> None:
    path = tmp_path / "hopeful.yaml"
    path.write_text(
        "name: hopeful\ntitle: Hope\nextends: baseline\nend_year: 3000\ndecision:\n  rule: least_cost\n"
        "  discount_rat: 0.1\ncredits: [45q, manna]\n",
        encoding="utf-8",
    )
    done = run("plan", "california", "--scenario", str(path), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "row 4" in done.stderr
    assert "row 7" in done.stderr
    assert not (tmp_path / "out").exists()


def test_help_is_the_map() -> None:
    done = process("--help")
    assert done.returncode == 0
    for command in ("plan", "compare", "why", "hub"):
        assert command in done.stdout


def test_a_folder_that_cannot_be_written_is_one_message(tmp_path: Path, valley: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = run("plan", valley, "--out", str(tmp_path / "file" / "plan"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "cannot write" in done.stderr or "failed" in done.stderr
