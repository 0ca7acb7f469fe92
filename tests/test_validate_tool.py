"""What ``make validate`` runs is there, and it says what failed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import validate  # noqa: E402


def test_every_benchmark_is_run_but_those_of_cases_of_others():
    run = {words.split()[0] for words in validate.BENCHMARKS}
    there = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    assert there - run == {"location_optima", "mpp_ammonia"}
    assert run <= there


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.stem)
def test_every_benchmark_names_what_is_there(path, monkeypatch):
    for folder in validate.HELPERS:
        monkeypatch.syspath_prepend(folder)
    spec = importlib.util.spec_from_file_location(f"benchmark_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    assert callable(module.main)


def test_a_case_is_told_by_what_lies_there(tmp_path):
    (tmp_path / "places" / "pmed").mkdir(parents=True)
    (tmp_path / "mpp" / "ammonia" / "bau").mkdir(parents=True)
    (tmp_path / "steel").mkdir()
    found = [
        [part.name for part in validate.parts_of(str(tmp_path / one))]
        for one in ("places", "mpp", "steel", "cases.json")
    ]
    assert found == [
        ["benchmarks/location_optima.py"],
        ["validate mpp mpp", "benchmarks/mpp_ammonia.py"],
        ["validate mpp steel"],
        ["validate finance cases.json"],
    ]


@pytest.mark.parametrize(("statuses", "code"), [((0, 0), 0), ((0, 3), 1)])
def test_all_parts_run_and_one_that_fails_is_named(monkeypatch, capfd, statuses, code):
    made = [
        validate.Part(f"part {n}", (sys.executable, "-c", f"raise SystemExit({status})"))
        for n, status in enumerate(reversed(statuses))
    ]
    monkeypatch.setattr(validate, "BENCHMARKS", ())
    monkeypatch.setattr(validate, "CLEANHUB", (sys.executable, "-c", ""))
    monkeypatch.setattr(validate, "parts_of", lambda case: made)
    assert validate.main(["any"]) == code
    log = capfd.readouterr().out
    for n, status in enumerate(reversed(statuses)):
        assert f"| part {n} | {'NO' if status else 'yes'} |" in log
    assert log.count("| NO |") == (2 if code else 0)
