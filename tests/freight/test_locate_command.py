"""The command ``freight locate``: what it prints, and how it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cleanhub.cli.freight import freight_app
from cleanhub.core.errors import InputError
from cleanhub.freight.location_files import read_location_file
from cleanhub.freight.location_run import MODELS, Choices, solve_location
from cleanhub.freight.location_solver import Stops

LINE = "5 4 2\n1 2 1\n2 3 1\n3 4 1\n4 5 1\n"
MATRIX = "customer,weight,demand,North,South\none,2,4,1,9\ntwo,1,4,9,2\ncapacity,,,4,8\nfixed_cost,,,3,3\n"
PATHS = "o,d,flow,path,cum_length\nA,C,200,A B C,0 4 8\nB,A,10,B A,0 4\n"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Paths of one small file per layout."""
    made = {"line": LINE, "matrix": MATRIX, "paths": PATHS}
    for name, text in made.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return {name: str(tmp_path / name) for name in made}


def run(*words: str) -> Any:
    return CliRunner().invoke(freight_app, ["locate", *words])


def as_json(*words: str) -> dict[str, Any]:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.exception
    return dict(json.loads(result.stdout))


def refused(*words: str) -> str:
    result = run(*words)
    assert isinstance(result.exception, InputError), result.output
    assert result.exception.exit_code == 2
    return str(result.exception)


def test_p_median_takes_the_file_s_own_count(files: dict[str, str]) -> None:
    data = as_json("p-median", files["line"])
    assert data["objective"] == data["bound"] == 3.0
    assert (data["gap"], data["status"], data["sense"]) == (0.0, "optimal", "min")
    assert len(data["chosen"]) == 2
    assert set(data["assignment"]) == {"1", "2", "3", "4", "5"}
    assert as_json("p-median", files["line"], "--p", "1")["chosen"] == ["3"]


def test_covering_by_range_and_budget(files: dict[str, str]) -> None:
    data = as_json("mclp", files["line"], "--p", "1", "--range", "1")
    assert data["objective"] == 3.0
    assert sum(data["served"].values()) == 3.0
    assert as_json("mclp", files["line"], "--range", "1", "--budget", "2")["objective"] == 5.0
    assert as_json("mclp", files["matrix"], "--range", "2", "--budget", "5")["chosen"] == ["North"]


def test_capacitated_and_single_source(files: dict[str, str]) -> None:
    for model in ("capacitated", "single-source"):
        data = as_json(model, files["matrix"])
        assert data["objective"] == 3.0 + 3.0 + 2 * 1.0 + 1 * 2.0
        assert data["assignment"] == {"one": "North", "two": "South"}


def test_flow_refuelling(files: dict[str, str]) -> None:
    data = as_json("frlm", files["paths"], "--p", "1", "--range", "8")
    assert data["objective"] == 210.0
    assert data["chosen"] == ["B"]
    assert data["served"] == {"A-C": 1.0, "B-A": 1.0}


@pytest.mark.parametrize(
    "words",
    [
        ("p-median", "line"),
        ("mclp", "line", "--range", "1"),
        ("single-source", "matrix"),
        ("frlm", "paths", "--p", "1", "--range", "8"),
    ],
)
def test_text_names_objective_bound_gap_and_sites(words: tuple[str, ...], files: dict[str, str]) -> None:
    result = run(words[0], files[words[1]], *words[2:])
    assert result.exit_code == 0
    for part in ("objective", "bound", "gap        0 %: optimal", "chosen", words[0]):
        assert part in result.stdout


def test_every_form_of_the_median(files: dict[str, str]) -> None:
    for form in ("auto", "tree", "classical", "radius", "incremental"):
        assert as_json("p-median", files["line"], "--form", form)["objective"] == 3.0


def test_the_named_layout_is_used(files: dict[str, str]) -> None:
    assert "no such layout" in refused("p-median", files["line"], "--layout", "mine")
    assert as_json("p-median", files["line"], "--layout", "pmed")["layout"] == "pmed"


def test_stops_are_passed_on(files: dict[str, str]) -> None:
    data = as_json("p-median", files["line"], "--gap", "0.5", "--nodes", "3", "--seconds", "60")
    assert data["objective"] >= 3.0


def test_unknown_model_lists_those_there_are(files: dict[str, str]) -> None:
    said = refused("p-centre", files["line"])
    assert all(model in said for model in MODELS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("p-median", "matrix"), "--p: p-median needs the number of sites; allowed 1 to 2"),
        (("p-median", "matrix", "--p", "3"), "--p: number of sites out of range; found 3; allowed 1 to 2"),
        (("p-median", "line", "--range", "2"), "--range: p-median has no range; found 2"),
        (("p-median", "line", "--budget", "2"), "--budget: p-median has no budget"),
        (("p-median", "line", "--form", "best"), "--form: no such form; found best"),
        (("p-median", "line", "--gap", "-1"), "--gap: out of range; found -1"),
        (("p-median", "line", "--nodes", "-1"), "--nodes: out of range"),
        (("p-median", "line", "--seconds", "nan"), "--seconds: out of range"),
        (("p-median", "paths", "--p", "1"), "layout paths does not fit p-median"),
        (("mclp", "matrix", "--p", "1"), "--range: mclp needs it"),
        (
            ("mclp", "matrix", "--range", "1"),
            "--p: mclp needs the number of sites; allowed 1 to 2, or a --budget",
        ),
        (("mclp", "line", "--range", "inf"), "--range: out of range; found inf"),
        (("mclp", "line", "--range", "1", "--form", "tree"), "--form: mclp has one form"),
        (("capacitated", "matrix", "--p", "1"), "--p: capacitated decides itself how many sites"),
        (("capacitated", "line"), "column demand: capacitated needs it and the file has none"),
        (("frlm", "line", "--p", "1", "--range", "8"), "layout pmed does not fit frlm; allowed paths"),
        (("frlm", "paths", "--p", "1"), "--range: frlm needs it"),
    ],
)
def test_what_does_not_fit_is_refused(words: tuple[str, ...], said: str, files: dict[str, str]) -> None:
    assert said in refused(words[0], files[words[1]], *words[2:])


def test_all_faults_come_at_once(files: dict[str, str]) -> None:
    said = refused("frlm", files["matrix"], "--gap", "-1")
    assert "4 faults" in said
    for part in ("does not fit", "--p", "--range", "--gap"):
        assert part in said


def test_customers_without_any_weight(tmp_path: Path) -> None:
    file = tmp_path / "none.csv"
    file.write_text("customer,weight,East\none,0,1\n", encoding="utf-8")
    assert "no customer has a weight above 0" in refused("p-median", str(file), "--p", "1")


def test_clock_and_limits_of_stops() -> None:
    stops = Stops(seconds=100.0)
    assert stops.elapsed == 0.0
    assert stops.left == 100.0
    started = stops.start()
    assert started.start() is started
    assert 0.0 < started.left <= 100.0


def test_the_module_solves_what_the_command_solves(files: dict[str, str]) -> None:
    given = read_location_file(Path(files["matrix"]))
    found = solve_location("single-source", given, Choices())
    assert found.objective == as_json("single-source", files["matrix"])["objective"]
