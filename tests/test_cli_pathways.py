"""``cleanhub pathways`` on hubs: tables, rules, bad input."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from cleanhub.cli import main
from cleanhub.hub.plan_tables import PLAN_TABLES


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the command, in this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    before, sys.argv = sys.argv, ["cleanhub", "pathways", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    finally:
        sys.argv = before
    return code, out.getvalue(), err.getvalue()


def test_the_tables_are_written_as_declared(tmp_path: Path) -> None:
    code, out, _ = run("california", "--out", str(tmp_path / "tables"))
    assert code == 0
    assert "California" in out
    files = sorted((tmp_path / "tables").glob("*.csv"))
    assert {"production", "balances", "limits", "emissions", "tipping_points"} <= {f.stem for f in files}
    for file in files:
        assert list(pd.read_csv(file, nrows=1).columns) == list(PLAN_TABLES[file.stem].names)


@pytest.mark.parametrize("rule", ["least_cost", "mpp", "optimal"])
def test_every_rule_runs_and_repeats_with_its_seed(rule: str) -> None:
    first, again = (run("california", "--rule", rule, "--seed", "7", "--json")[1] for _ in range(2))
    assert first == again
    found = json.loads(first)
    assert found["rule"] == rule
    assert found["emissions_mt"]["2022"] == pytest.approx(372.2, abs=0.1)
    assert ("optimum" in found) == (rule == "optimal")


def test_an_unknown_rule_or_scenario_ends_with_2() -> None:
    code, _, err = run("california", "--rule", "luck")
    assert code == 2
    assert "least_cost, lowest_emissions, mpp, optimal" in err
    assert run("california", "--scenario", "dream")[0] == 2
    assert run("atlantis")[0] == 2
