"""The commands around the faithful solver as a user meets them: import, pathways, validate."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from cleanhub.cli import app
from cleanhub.core.errors import InputError
from cleanhub.hub.mpp_import import read_solver
from cleanhub.pathways.mpp_compare import check_mpp
from cleanhub.pathways.mpp_faithful import run_faithful, write_result
from cleanhub.pathways.mpp_tables import build_tables

Tables = dict[str, pd.DataFrame]
Write = Callable[..., Path]


def call(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(done.exception, InputError):
        raise done.exception
    return done.exit_code, done.stdout


@pytest.fixture
def hub(solver_tables: Tables, write_solver_tables: Write, tmp_path: Path) -> Path:
    folder = write_solver_tables(solver_tables)
    code, text = call("hub", "import", "mpp", folder, "--sector", "ammonia", "--out", tmp_path / "imported")
    assert code == 0
    assert "ammonia imported" in text
    return tmp_path / "imported"


def test_import_check_and_run(hub: Path, tmp_path: Path) -> None:
    assert call("hub", "check", hub)[0] == 0
    words = ("pathways", hub, "--rule", "mpp", "--faithful", "--pathway", "bau", "--seed", 4)
    code, text = call(*words, "--out", tmp_path / "bau")
    assert code == 0
    assert "decisions:" in text
    assert "greenfield" in text
    mix = pd.read_csv(tmp_path / "bau" / "technology_mix_by_year.csv")
    code, text = call(*words, "--out", tmp_path / "again", "--json")
    summary: dict[str, Any] = json.loads(text)
    assert summary["seed"] == 4
    shown = sum(row["2050"] for row in summary["mix"])
    assert shown == pytest.approx(mix.query("year == 2050")["annual_production_volume_Mt"].sum())
    for path in (tmp_path / "bau").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_import_in_json_counts_rows(
    solver_tables: Tables, write_solver_tables: Write, tmp_path: Path
) -> None:
    folder = write_solver_tables(solver_tables)
    code, text = call("hub", "import", "mpp", folder, "--sector", "ammonia", "-o", tmp_path / "one", "--json")
    assert code == 0
    told = json.loads(text)
    assert told["rows"]["demand"] == len(solver_tables["demand"])
    assert any("electrolysers" in note for note in told["notes"])


def test_options_that_are_missing_or_wrong_are_listed_together(hub: Path) -> None:
    with pytest.raises(InputError) as caught:
        call("pathways", hub, "--faithful", "--rule", "optimal", "--scenario", "baseline")
    found = {fault.file for fault in caught.value.faults}
    assert found == {"--scenario", "--rule", "--out"}


def test_an_unknown_pathway_writes_nothing(hub: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such pathway"):
        call("pathways", hub, "--faithful", "--pathway", "nz", "--out", tmp_path / "never")
    assert not (tmp_path / "never").exists()


# --- validate ------------------------------------------------------------------------------------


@pytest.fixture
def results(solver_tables: Tables, write_solver_tables: Write, tmp_path: Path) -> Path:
    """A folder as of the solver, whose results are those of our own seed 0."""
    write_solver_tables(solver_tables, "cases/ammonia/bau/inputs", gzipped=True)
    write_solver_tables(solver_tables, "cases/ammonia/fa/inputs")
    place = tmp_path / "cases" / "ammonia" / "bau"
    solver = read_solver(place, "ammonia")
    tables = build_tables(solver.frames, solver.settings)
    result = run_faithful(tables, solver.settings, "bau", 0)
    write_result(result, place)
    for name, table in result.ranked.items():
        rows = solver_tables["technology_transitions"].iloc[table.rows]
        rows.assign(rank=table.rank).to_csv(place / f"{name}_rank.csv.gz", index=False)
    return tmp_path / "cases"


def test_validate_lists_ours_theirs_and_the_difference(results: Path) -> None:
    code, text = call("validate", "mpp", results, "--seeds", 1, "--json")
    assert code == 0
    found = {check["folder"]: check for check in json.loads(text)}
    assert found["ammonia/fa"]["status"] == "no results to compare with"
    bau = found["ammonia/bau"]
    assert bau["ok"]
    assert bau["tolerance"] == "spread of seeds + 2 Mt"
    assert {row["difference"] for row in bau["mix"]} == {0.0}
    assert [row["differences"] for row in bau["ranks"]] == [0, 0, 0]
    assert max(abs(row["difference"]) for row in bau["emissions"]) < 1e-9
    assert "0 of" in call("validate", "mpp", results, "--seeds", 2)[1]


@pytest.mark.parametrize("place", ["ammonia", "ammonia/bau", "ammonia/bau/inputs"])
def test_validate_takes_any_folder_on_the_way_down(results: Path, place: str) -> None:
    found = [check.folder for check in check_mpp(results / place, 1)]
    assert "ammonia/bau" in found
    assert len(found) == (2 if place == "ammonia" else 1)


def test_validate_exits_1_when_a_mix_is_outside(results: Path) -> None:
    path = results / "ammonia" / "bau" / "technology_mix_by_year.csv"
    mix = pd.read_csv(path)
    mix.loc[mix["year"] == 2040, "annual_production_volume_Mt"] += 2.5
    mix.to_csv(path, index=False)
    code, text = call("validate", "mpp", results / "ammonia" / "bau", "--seeds", 1, "--json")
    assert code == 1
    [check] = json.loads(text)
    assert {row["year"] for row in check["mix"] if not row["ok"]} == {2040}


def test_validate_exits_1_when_one_rank_differs(results: Path) -> None:
    path = results / "ammonia" / "bau" / "greenfield_rank.csv.gz"
    ranks = pd.read_csv(path)
    ranks.loc[7, "rank"] += 1
    ranks.to_csv(path, index=False)
    code, text = call("validate", "mpp", results / "ammonia" / "bau", "--seeds", 1, "--json")
    assert code == 1
    [check] = json.loads(text)
    assert {row["table"]: row["differences"] for row in check["ranks"]} == {
        "decommission": 0,
        "greenfield": 1,
        "brownfield": 0,
    }


def test_seeds_of_the_other_solver_widen_the_tolerance(results: Path) -> None:
    mix = pd.read_csv(results / "ammonia" / "bau" / "technology_mix_by_region_year.csv")
    (results / "ammonia" / "seeds").mkdir()
    for seed, more in ((0, 0.0), (1, 3.0)):
        moved = mix["annual_production_volume"] + more * (mix["region"] == "India")
        mix.assign(annual_production_volume=moved).to_csv(
            results / "ammonia" / "seeds" / f"seed_bau_{seed}.csv", index=False
        )
    [check] = check_mpp(results / "ammonia" / "bau", 1)
    spread = [row["tolerance"] for row in check.mix if row["theirs_max"] > row["theirs_min"] + 1e-9]
    assert spread
    assert spread == pytest.approx([5.0] * len(spread))


def test_results_without_a_column_are_refused(results: Path) -> None:
    path = results / "ammonia" / "bau" / "technology_mix_by_year.csv"
    pd.read_csv(path).drop(columns="year").to_csv(path, index=False)
    with pytest.raises(InputError, match="column year: missing column"):
        check_mpp(results, 1)


def test_a_folder_without_pathways_and_too_few_seeds(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        check_mpp(tmp_path, 0)
    assert len(caught.value.faults) == 2
