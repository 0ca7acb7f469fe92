"""`cleanhub finance` as a user meets it: targets, options, files, exit codes, JSON."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import cleanhub as ch
from cleanhub.cli import main
from cleanhub.finance.cases import list_archetypes

CASE = """\
based_on: cement-clay
name: my-clay
title: Clay at Valley Plant
capital:
  cost: {value: 30, low: 25, high: 45, unit: MUSD, currency_year: 2024, source: our study, confidence: seen}
debt:
  tenor: 10
"""
BAD = """\
based_on: cement-clay
name: my-clay
title: Clay at Valley Plant
debt: {rate: 1.5, tenure: 9}
production: {life: -3, utilisation: yes}
tax: {bonus: .nan}
"""


def run(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command in this process: loading the program anew each time would take most of the time."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    before, sys.argv = sys.argv, ["cleanhub", "finance", *words]
    try:
        with contextlib.chdir(cwd or "."), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    finally:
        sys.argv = before
    return subprocess.CompletedProcess(list(words), code, out.getvalue(), err.getvalue())


def apart(*words: str) -> subprocess.CompletedProcess[str]:
    """The command as a program of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cleanhub", "finance", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "40", "NO_COLOR": "1"},
        check=False,
    )


def told(*words: str, cwd: Path | None = None) -> Any:
    done = run(*words, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def case_file(tmp_path: Path) -> Path:
    path = tmp_path / "clay.yaml"
    path.write_text(CASE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """One run with everything."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "clay.yaml").write_text(CASE, encoding="utf-8")
    found = told(
        "clay.yaml", "--workbook", "clay.xlsx", "--charts", "charts", "--samples", "200", "--seed", "4",
        "--tornado", "--support", "--freeze", "clay.json", "--as-of", "2026-05-27", cwd=folder,
    )  # fmt: skip
    return folder, found


# ---------------------------------------------------------------- archetypes


def test_archetypes_are_listed() -> None:
    done = run("archetypes")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[: len(list_archetypes())]] == list_archetypes()
    rows = told("archetypes")
    assert rows[0].keys() == {"name", "title", "sector", "product"}
    assert all(all(row.values()) for row in rows)


def test_an_archetype_is_printed_as_it_stands_and_copied() -> None:
    printed = run("archetypes", "cement-clay")
    file = Path(ch.__file__).parent / "library" / "archetypes" / "cement-clay.yaml"
    assert printed.stdout == file.read_text(encoding="utf-8")
    assert told("archetypes", "cement-clay")["yaml"] == printed.stdout


def test_a_copy_is_a_case_of_its_own_that_is_never_written_over(tmp_path: Path) -> None:
    done = run("archetypes", "cement-clay", "--out", "my mine.yaml", cwd=tmp_path)
    assert done.returncode == 0
    assert "a case named my-mine, every figure still that of cement-clay" in done.stdout
    assert "next: edit it, then cleanhub finance my mine.yaml" in done.stdout
    file = tmp_path / "my mine.yaml"
    text = file.read_text(encoding="utf-8")
    assert told(str(file))["case"] | {"name": "my-mine", "based_on": "cement-clay"} == told(str(file))["case"]
    again = run("archetypes", "cement-clay", "--out", file.name, cwd=tmp_path)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert file.read_text(encoding="utf-8") == text


def test_a_copy_says_how_many_of_its_figures_are_still_the_archetypes(tmp_path: Path) -> None:
    run("archetypes", "cement-clay", "--out", "mine.yaml", cwd=tmp_path)
    file = tmp_path / "mine.yaml"
    before = told(str(file))["figures"]
    assert before["from_archetype"] == before["total"]
    text = file.read_text(encoding="utf-8")
    capacity = next(line for line in text.splitlines() if line.startswith("  capacity:"))
    value = capacity.split("value: ")[1].split(",")[0]
    file.write_text(text.replace(f"value: {value},", "value: 123456,", 1), encoding="utf-8")
    after = told(str(file))["figures"]
    assert after["from_archetype"] == before["total"] - 1


# ---------------------------------------------------------------- the term sheet


def test_an_archetype_is_valued_on_one_page() -> None:
    done = run("cement-clay")
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 100
    assert "ILLUSTRATIVE" in lines[0]


def test_a_case_file_is_valued_with_its_own_figures(case_file: Path) -> None:
    found = told(str(case_file))
    assert found["case"]["name"] == "my-clay"
    assert found["case"]["based_on"] == "cement-clay"
    assert found["debt"]["tenor_years"] == 10
    assert found["figures"]["seen"] >= 1
    assert 0 < found["figures"]["from_archetype"] < found["figures"]["total"]
    assert found["results"].keys() == {"sponsor_p50", "lender_p90"}
    assert len(found["flows"]["sponsor_p50"]["equity"]) == len(found["years"])
    assert found["files"] == {}
    assert "distribution" not in found


def test_the_same_words_give_the_same_bytes(case_file: Path) -> None:
    words = (str(case_file), "--samples", "50")
    done = apart(*words)
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout == run(*words).stdout, "however wide the terminal is"


def test_a_policy_of_ones_own_can_change_the_answer(case_file: Path) -> None:
    plain = told(str(case_file))
    hub = told(str(case_file), "--hub", "california")
    assert (
        hub["results"]["sponsor_p50"]["levelised_cost"] == plain["results"]["sponsor_p50"]["levelised_cost"]
    )
    done = run(str(case_file), "--policies", str(case_file.with_name("none.yaml")))
    assert done.returncode == 2
    assert "none.yaml" in done.stderr


# ---------------------------------------------------------------- everything at once


def test_every_file_that_was_asked_for_is_there(whole: tuple[Path, dict[str, Any]]) -> None:
    folder, found = whole
    assert found["files"] == {"workbook": "clay.xlsx", "charts": "charts", "frozen case": "clay.json"}
    assert zipfile.is_zipfile(folder / "clay.xlsx")
    assert len(list((folder / "charts").glob("*.svg"))) == 4
    assert len(list((folder / "charts").glob("*.csv"))) == 4
    assert sorted(one.name for one in folder.iterdir()) == ["charts", "clay.json", "clay.xlsx", "clay.yaml"]


def test_risk_tornado_and_support_are_in_the_json(whole: tuple[Path, dict[str, Any]]) -> None:
    _, found = whole
    assert found["distribution"]["samples"] == 200
    assert found["distribution"]["seed"] == 4
    assert found["tornado"]["npv_usd"][0]["path"]
    assert found["tornado"]["policies"][-1]["name"] == "all together"
    assert found["support"]


def test_parts_that_were_not_asked_for_are_not_shown(tmp_path: Path) -> None:
    done = run("cement-clay", "--charts", "c", cwd=tmp_path)
    assert done.returncode == 0
    assert "RISK" not in done.stdout
    assert done.stdout.splitlines()[-1] == "charts: c"


def test_the_parts_stand_below_the_sheet(tmp_path: Path) -> None:
    done = run("cement-clay", "--samples", "60", "--tornado", "--support", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    heads = [line.split("  ")[0] for line in lines]
    assert (
        heads.index("FIGURES") < heads.index("RISK") < heads.index("WHAT MOVES NPV") < heads.index("SUPPORT")
    )


# ---------------------------------------------------------------- frozen cases


def test_a_frozen_case_opens_to_the_same(whole: tuple[Path, dict[str, Any]]) -> None:
    folder, first = whole
    done = run("clay.json", cwd=folder)
    assert done.returncode == 0
    assert "as of 2026-05-27" in done.stdout
    assert "gives the same, every line to the cent" in done.stdout
    found = told("clay.json", cwd=folder)
    assert found["frozen"]["same"] is True
    assert found["results"] == first["results"]


def test_a_changed_byte_is_refused(whole: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    text = (whole[0] / "clay.json").read_text(encoding="utf-8")
    path = tmp_path / "changed.json"
    path.write_text(text.replace("Valley Plant", "Walley Plant"), encoding="utf-8")
    done = run(str(path))
    assert done.returncode == 2
    assert "changed.json" in done.stderr


def test_a_workbook_of_a_frozen_case(whole: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    target = tmp_path / "frozen.xlsx"
    assert told(str(whole[0] / "clay.json"), "--workbook", str(target))["files"] == {"workbook": str(target)}
    assert zipfile.is_zipfile(target)


def test_a_frozen_case_takes_no_other_options(whole: tuple[Path, dict[str, Any]]) -> None:
    done = run(str(whole[0] / "clay.json"), "--hub", "california", "--tornado")
    assert done.returncode == 2
    assert done.stderr.count("a frozen case is as it was") == 2


def test_freezing_needs_a_day_and_writes_nothing_without(tmp_path: Path) -> None:
    done = run("cement-clay", "--freeze", "x.json", "--workbook", "x.xlsx", cwd=tmp_path)
    assert done.returncode == 2
    assert "--as-of" in done.stderr
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- projects of a hub


def test_a_project_of_a_hub_is_valued_or_says_why_not(tmp_path: Path) -> None:
    from cleanhub.finance.from_project import project_cases
    from cleanhub.hub.scenario import load_scenario

    hub = ch.load_hub("california")
    cases = project_cases(hub, load_scenario("baseline", hub))
    valued = next(one.project_id for one in cases if one.loaded is not None)
    found = told(valued, "--hub", "california", "--freeze", "p.json", cwd=tmp_path)
    assert found["figures"]["from_archetype"] > 0
    assert (tmp_path / "p.json").is_file(), "the scenario's day is taken"
    other = next(one.project_id for one in cases if one.loaded is None)
    done = run(other, "--hub", "california")
    assert done.returncode == 2
    assert f"{other} is not valuable, because" in done.stderr


# ---------------------------------------------------------------- who edited which assumption


def test_a_frozen_case_says_who_changed_which_assumption_and_why(tmp_path: Path, case_file: Path) -> None:
    first, second = str(tmp_path / "1.json"), str(tmp_path / "2.json")
    frozen = ("--freeze", first, "--as-of", "2026-05-27")
    assert run(str(case_file), *frozen).returncode == 0
    case_file.write_text(
        case_file.read_text(encoding="utf-8") + "returns: {equity: 0.13}\n", encoding="utf-8"
    )
    signed = ("--follows", first, "--by", "ann", "--reason", "our own hurdle")
    assert run(str(case_file), "--freeze", second, "--as-of", "2026-06-30", *signed).returncode == 0
    found = told(second)["frozen"]
    assert found["based_on"] == told(first)["frozen"]["id"]
    edits = {edit["path"]: edit for edit in found["edits"]}
    assert edits["returns.equity"]["after"] == 0.13
    assert {(edit["who"], edit["when"], edit["reason"]) for edit in edits.values()} == {
        ("ann", "2026-06-30", "our own hurdle")
    }
    assert "by ann: returns.equity" in run(second).stdout


def test_an_unsigned_change_of_a_frozen_case_is_refused(tmp_path: Path, case_file: Path) -> None:
    done = run(str(case_file), "--freeze", str(tmp_path / "2.json"), "--follows", str(tmp_path / "1.json"))
    assert done.returncode == 2
    assert "--by" in done.stderr
    assert "--reason" in done.stderr
    assert not (tmp_path / "2.json").exists()


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nosuch"], "no such case; found nosuch"),
        (["nosuch.yaml"], "nosuch.yaml: no such file"),
        (["nosuch.json"], "nosuch.json"),
        (["cement-clay", "more"], "unexpected extra argument"),
        (["cement-clay", "--out", "x"], "No such option"),
        (["cement-clay", "--follows", "x.json"], "with --freeze FILE"),
        (["cement-clay", "--reason", "x"], "with --follows FILE"),
        (["cement-clay", "--scenario", "baseline"], "a scenario belongs to a hub"),
        (["cement-clay", "--as-of", "soon"], "not a day; found soon"),
        (["archetypes", "nosuch"], "no such archetype; found nosuch"),
        (["archetypes", "--out", "x"], "copies one archetype"),
        (["NOPE-1", "--hub", "california"], "no such project; found NOPE-1"),
        (["cement-clay", "--samples", "-1"], "samples"),
        (["cement-clay", "--hub", "atlantis"], "atlantis"),
    ],
)
def test_bad_words_end_with_2_and_say_what_is_allowed(words: list[str], says: str, tmp_path: Path) -> None:
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_fault_of_a_file_is_listed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD, encoding="utf-8")
    done = run(str(path))
    assert done.returncode == 2
    for place in ("debt.tenure", "production.life", "production.utilisation"):
        assert place in done.stderr
    assert "bad.yaml, row 4" in done.stderr
    found = json.loads(run(str(path), "--json").stdout)
    assert len(found["faults"]) >= 4


def test_a_workbook_that_cannot_be_written_ends_with_1(tmp_path: Path) -> None:
    done = run("cement-clay", "--workbook", str(tmp_path / "nowhere" / "x.xlsx"))
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_break_even_names_the_value_and_refuses_an_unknown_figure() -> None:
    done = run("biomass-hydrogen-storage", "--break-even", "capital.cost_growth")
    assert done.returncode == 0
    (line,) = [line for line in done.stdout.splitlines() if "capital.cost_growth [1]" in line]
    assert float(line.split()[2]) < 2.0  # the archetype's own growth leaves a loss
    assert line.rstrip().endswith("instead of 2")
    wrong = run("heat-pump", "--break-even", "nothing")
    assert wrong.returncode == 2
    assert "no such figure; found nothing" in wrong.stderr


def test_projects_are_listed_with_their_worth_and_counted() -> None:
    done = run("projects", "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert sum(found["counts"].values()) == len({row["project_id"] for row in found["projects"]}) == 85
    text = run("projects").stdout
    assert f"{found['counts']['valued']:>4}  valued" in text
    assert "not valuable, because" in text
    assert "fields of the valued filled from archetypes" in text
