"""The commands on the pipeline as a user types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cleanhub.cli import app
from cleanhub.core.errors import InputError

runner = CliRunner()


def run(*words: str, code: int = 0) -> str:
    result = runner.invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("pipeline") / "tables"
    words = ("pipeline", "california", "--draws", "300", "--seed", "3", "--json", "--out", str(folder))
    return json.loads(run(*words))


def test_a_hub_as_first_word_runs_the_simulation(summary: dict[str, Any]) -> None:
    again = json.loads(run("pipeline", "run", "california", "--draws", "300", "--seed", "3", "--json"))
    assert again["projects"] == summary["projects"]
    assert again["links"] == summary["links"]
    assert summary["draws"] == 300


def test_the_summary_counts_every_project_once(summary: dict[str, Any]) -> None:
    parts = ("past_fid", "ended", "live", "programmes")
    assert sum(summary[part] for part in parts) == len(summary["projects"])
    chances = {row["project_id"]: row["p_fid_2030"] for row in summary["projects"]}
    assert None not in chances.values()
    assert 0 < summary["expected_fid_2030"] < summary["live"]
    assert summary["expected_fid_2030_strict"] <= summary["expected_fid_2030"]


def test_links_come_with_who_can_close_them(summary: dict[str, Any]) -> None:
    blocked = [row["blocked_co2e_t"] for row in summary["links"]]
    assert blocked == sorted(blocked, reverse=True)
    assert all(row["actor"] and row["action"] for row in summary["links"])
    assert {row["barrier"] for row in summary["barriers"]} >= {"permitting", "foak_capital", "policy"}
    assert sum(row["shapley_share"] for row in summary["barriers"]) == pytest.approx(1.0)


def test_every_table_is_written(summary: dict[str, Any]) -> None:
    files = [Path(one) for one in summary["files"]]
    assert {one.stem for one in files} >= {"projects", "gates", "links", "stage_years", "coordination"}
    assert all(one.stat().st_size > 50 for one in files)


def test_without_evidence_the_base_rates_come_out() -> None:
    found = json.loads(run("pipeline", "california", "--draws", "2000", "--without-evidence", "--json"))
    assert found["past_fid"] == 0
    assert found["share_that_decides"] == pytest.approx(
        found["base_rates"]["share_that_ever_decides"], abs=0.01
    )
    hazard = found["base_rates"]["decisions_per_live_project_year"]
    assert found["decisions_per_live_year"] == pytest.approx(hazard, rel=0.05)


def test_what_is_shown_has_a_row_for_the_gates_of_a_project() -> None:
    shown = run("pipeline", "california", "--draws", "200", "--seed", "4", "--most", "40")
    assert "different quantities" in " ".join(shown.split())
    rows = [line for line in shown.splitlines() if "open links of CA-003" in line]
    assert len(rows) == 1


def test_conflicts_say_who_and_when() -> None:
    found = json.loads(run("pipeline", "conflicts", "california", "--draws", "200", "--json"))["conflicts"]
    kinds = {row["kind"] for row in found}
    assert kinds == {"deadline_before_link", "exclusive", "unmet_rule"}
    late = {row["conflict_id"]: row for row in found if row["kind"] == "deadline_before_link"}
    assert late["deadline_before_link:45v:CA-039"]["p_missed"] > 0.9
    assert "construction must begin by 2027-12-31" in late["deadline_before_link:45v:CA-039"]["description"]


def test_buyers_are_matched_to_projects() -> None:
    found = json.loads(run("pipeline", "offtake", "california", "--json"))["offtake"]
    assert {row["status"] for row in found} <= {"bound", "match", "too_little", "too_late", "no_project"}
    assert any(row["project_id"] for row in found)


def test_bad_words_are_refused() -> None:
    result = runner.invoke(app, ["pipeline", "california", "--hurdle", "none"])
    assert isinstance(result.exception, InputError)
    assert "allowed revealed, strict" in str(result.exception)
    assert result.exception.exit_code == 2
    nowhere = runner.invoke(app, ["pipeline", "nowhere"])
    assert isinstance(nowhere.exception, InputError)


def test_a_hub_without_projects_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run("hub", "new", "valley", "--title", "Valley")
    folder, projects = tmp_path / "valley", tmp_path / "valley" / "projects.csv"
    projects.write_text(projects.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    found = json.loads(run("pipeline", str(folder), "--draws", "50", "--json"))
    assert found["projects"] == []
    assert found["links"] == []
    assert found["live"] == 0
    assert "lists no projects" in run("pipeline", str(folder), "--draws", "50")
