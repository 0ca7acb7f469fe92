"""``cleanhub validate pathways``: the table, its JSON and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pandas as pd
import pytest
from typer.testing import CliRunner

from cleanhub.cli import app
from cleanhub.planning import published

RUNNER = CliRunner()


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cleanhub", "validate", "pathways", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "160", "NO_COLOR": "1"},
        check=False,
    )


@pytest.fixture
def california(published_figures: pd.DataFrame) -> pd.DataFrame:
    rows = published_figures
    return rows[rows["hub"] == "california"].reset_index(drop=True)


def replaced(monkeypatch: pytest.MonkeyPatch, frame: pd.DataFrame) -> list[object]:
    """Answer every comparison with ``frame``; returns the list of hubs that were asked for."""
    asked: list[object] = []

    def compare(hubs: object = None) -> pd.DataFrame:
        asked.append(hubs)
        return frame

    monkeypatch.setattr(published, "compare_published", compare)
    return asked


def test_json_of_one_hub_as_a_user_gets_it() -> None:
    done = RUNNER.invoke(app, ["validate", "pathways", "--hub", "california", "--json"])
    assert done.exit_code == 0, done.exception
    rows = json.loads(done.stdout)
    assert {
        "figure",
        "sector",
        "ours",
        "published",
        "low",
        "high",
        "difference",
        "unit",
        "inside",
        "why",
    } <= set(rows[0])
    cement = next(row for row in rows if row["figure"] == "california-cement-2022")
    assert cement["ours"] == cement["published"] == 7461377
    assert cement["exact"] is True
    assert cement["low"] is None


def test_an_unknown_hub_is_bad_input() -> None:
    done = run("--hub", "atlantis")
    assert done.returncode == 2
    assert "--hub: no bundled hub; found atlantis" in done.stderr
    assert done.stdout == ""


def test_the_table_has_one_part_for_each_path_and_ends_with_counts(
    monkeypatch: pytest.MonkeyPatch, california: pd.DataFrame
) -> None:
    asked = replaced(monkeypatch, california)
    done = RUNNER.invoke(app, ["validate", "pathways"], env={"COLUMNS": "160"})
    assert done.exit_code == 0, done.output
    assert asked == [None]
    for scenario in ("baseline", "net-zero-2045"):
        assert f"Published figures beside ours: california {scenario}" in done.output
    inside = int((california["inside"] == "yes").sum())
    assert (
        f"{inside} inside, {int((california['inside'] == 'no').sum())} outside, 0 not measured" in done.output
    )


def test_several_hubs_are_handed_on(monkeypatch: pytest.MonkeyPatch, california: pd.DataFrame) -> None:
    asked = replaced(monkeypatch, california)
    RUNNER.invoke(app, ["validate", "pathways", "--hub", "california", "--hub", "global", "--json"])
    assert asked == [["california", "global"]]


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_figure_that_must_be_equal_and_is_not_fails(
    monkeypatch: pytest.MonkeyPatch, california: pd.DataFrame, words: list[str]
) -> None:
    frame = california.copy()
    at = frame.index[frame["figure"] == "california-cement-2022"][0]
    frame.loc[at, "inside"] = "no"
    replaced(monkeypatch, frame)
    done = RUNNER.invoke(app, ["validate", "pathways", *words])
    assert done.exit_code == 1
    assert "must be equal and are not: california-cement-2022" in done.output


def test_a_goal_that_is_missed_does_not_fail(
    monkeypatch: pytest.MonkeyPatch, california: pd.DataFrame
) -> None:
    frame = california.copy()
    frame.loc[~frame["exact"].astype(bool), "inside"] = "no"
    replaced(monkeypatch, frame)
    assert RUNNER.invoke(app, ["validate", "pathways"]).exit_code == 0
