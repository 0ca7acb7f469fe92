"""YAML files: plain data, the line of every key, one fault for what cannot be read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.cyaml import CParser

from cleanhub.core import yaml_file
from cleanhub.core.errors import FaultList
from cleanhub.core.yaml_file import YamlFile, parse_yaml


def parsed(folder: Path, text: str) -> YamlFile:
    faults = FaultList()
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    found = parse_yaml(folder / "mine.yaml", faults)
    assert found is not None, faults.faults
    return found


def refused(folder: Path, text: str) -> tuple[int | None, str, str]:
    faults = FaultList()
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    assert parse_yaml(folder / "mine.yaml", faults) is None
    (fault,) = faults.faults
    return fault.row, fault.what, fault.found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("012", 12),
        ("0o14", 12),
        ("1:30", "1:30"),
        ("1e3", 1000.0),
        ("~", None),
        ("2026-01-31", dt.date(2026, 1, 31)),
        ("'2026-01-31'", "2026-01-31"),
        ("[1, {a: b}]", [1, {"a": "b"}]),
    ],
)
def test_values_mean_what_yaml_1_2_says(tmp_path: Path, text: str, value: Any) -> None:
    found = parsed(tmp_path, f"key: {text}\n").data["key"]
    assert (found, type(found)) == (value, type(value))


def test_keys_are_text(tmp_path: Path) -> None:
    assert parsed(tmp_path, "2030: 1\n2026-01-01: 2\n").data == {"2030": 1, "2026-01-01": 2}


def test_every_key_and_every_group_of_a_list_has_its_line(tmp_path: Path) -> None:
    found = parsed(tmp_path, "a: 1\nb:\n  c: {d: 2}\n  e:\n    - f: 3\n    - 4\n")
    assert found.lines == {
        ("a",): 1,
        ("b",): 2,
        ("b", "c"): 3,
        ("b", "c", "d"): 3,
        ("b", "e"): 4,
        ("b", "e", "0"): 5,
        ("b", "e", "0", "f"): 5,
    }
    assert found.line(("b", "e", "1", "g")) == 4
    assert found.depth(("b", "c", "x")) == 2


def test_what_is_merged_has_the_line_where_it_is_written(tmp_path: Path) -> None:
    found = parsed(tmp_path, "one: &one\n  a: 1\n  b: 2\ntwo:\n  <<: *one\n  b: 3\n")
    assert found.data["two"] == {"a": 1, "b": 3}
    assert (found.line(("two", "a")), found.line(("two", "b"))) == (2, 6)


def test_an_alias_is_a_copy(tmp_path: Path) -> None:
    data = parsed(tmp_path, "a: &x [1]\nb: *x\n").data
    data["a"].append(2)
    assert data["b"] == [1]


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "duplicate key"),
        ("a: 1\nb: [1,\n", 3, "did not find expected node content"),
        ("a: 1\nb: *x\n", 2, "undefined alias"),
        ("a: !thing 1\n", 1, "could not determine a constructor"),
        ("a: 1\nb: 2026-02-30\n", 2, "day"),
        ("a: &x [*x]\n", None, "x stands inside itself"),
        ("a: " + "[" * 100_000 + "]" * 100_000, None, "inside each other"),
        ("- " * 100_000, None, "inside each other"),
        ("a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
         + "".join(f"{new}: &{new} [{', '.join(['*' + old] * 10)}]\n"
                   for old, new in zip("abcdefgh", "bcdefghi", strict=True)), None, "values"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_fault(tmp_path: Path, text: str, line: int | None, found: str) -> None:
    row, what, problem = refused(tmp_path, text)
    assert (row, what) == (line, "not valid YAML")
    assert found in problem


def test_the_compiled_parser_is_in_use() -> None:
    """Without it a plan spends a second on the archetypes of projects."""
    assert YAML(typ="safe").Parser is CParser


def test_a_file_that_is_no_mapping_says_what_it_is(tmp_path: Path) -> None:
    assert refused(tmp_path, "- 1\n") == (1, "not a mapping", "list")
    assert refused(tmp_path, "# nothing\n") == (1, "not a mapping", "NoneType")


def test_a_file_may_be_as_deep_as_it_says(tmp_path: Path) -> None:
    deep = yaml_file.MOST_DEEP - 1
    assert list(parsed(tmp_path, "a: " + "[" * deep + "]" * deep).data) == ["a"]
