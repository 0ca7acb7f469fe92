"""Whatever stands in a hub, the check lists faults and raises nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.core.errors import FaultList
from cleanhub.hub.new import new_hub
from cleanhub.hub.package import check_hub
from cleanhub.hub.schema import PACKAGE_TABLES

WITH_ROWS = ("sources", "facilities", "facility_emissions", "inventory", "branches", "drivers")
WITH_NUMBERS = ("sources", "facilities", "facility_emissions", "inventory", "drivers")
ODD = st.sampled_from(
    [
        "",
        " ",
        "-1",
        "1e400",
        "1e20",
        "-0",
        "NaN",
        "inf",
        "None",
        "yes",
        "9" * 40,
        "2022.5",
        '"',
        "'",
        ",",
        ";",
        "\r",
        "\n",
        "\t",
        "\x1b[2J",
        "\ufeff",
        "\u2028",
        "=1+1",
        "é",
        "٣",
        "../..",
        "{}",
        "USD/",
        "9**9**9**9",
        "x" * 200,
    ]
)
CELL = (
    ODD | st.text(st.characters(codec="utf-8"), max_size=20) | st.floats().map(str) | st.integers().map(str)
)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_hub("fuzzed", tmp_path_factory.mktemp("fuzz"))


@contextmanager
def holding(path: Path, data: bytes) -> Iterator[None]:
    """The file with other bytes for a while."""
    before = path.read_bytes()
    path.write_bytes(data)
    try:
        yield
    finally:
        path.write_bytes(before)


def check(hub: Path) -> FaultList:
    """Check the hub, which raises nothing; every fault is one printable line and fit for JSON."""
    found = check_hub(hub)
    for fault in (*found.faults, *found.notes):
        assert fault.line().isprintable()
        assert fault.what
    json.dumps([fault.as_dict() for fault in found.faults])
    return found


@settings(max_examples=25)
@given(data=st.data())
def test_any_cell_may_hold_anything(hub: Path, data: st.DataObject) -> None:
    table = PACKAGE_TABLES[data.draw(st.sampled_from(WITH_ROWS))]
    with (hub / table.file).open(encoding="utf-8", newline="") as handle:
        rows = list(csv.reader(handle))
    row = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, len(rows[0]) - 1))
    rows[row][column] = data.draw(CELL)
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    with holding(hub / table.file, buffer.getvalue().encode()):
        check(hub)


@settings(max_examples=15)
@given(data=st.data())
def test_a_number_cell_with_words_is_always_a_fault_there(hub: Path, data: st.DataObject) -> None:
    table = PACKAGE_TABLES[data.draw(st.sampled_from(WITH_NUMBERS))]
    with (hub / table.file).open(encoding="utf-8", newline="") as handle:
        rows = list(csv.reader(handle))
    numbers = [c.name for c in table.columns if c.kind in ("number", "integer", "year")]
    column = data.draw(st.sampled_from(numbers))
    row = data.draw(st.integers(1, len(rows) - 1))
    rows[row][rows[0].index(column)] = data.draw(
        st.sampled_from(["lots", "1,5", "12 t", "NaN", "1e400", "--"])
    )
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    with holding(hub / table.file, buffer.getvalue().encode()):
        found = check(hub)
    places = [(fault.file, fault.row, fault.column, fault.what) for fault in found.faults]
    assert (table.file, row + 1, column, "not a number") in places


@settings(max_examples=15)
@given(name=st.sampled_from(sorted(PACKAGE_TABLES)), data=st.binary(max_size=60))
def test_any_table_may_be_any_bytes(hub: Path, name: str, data: bytes) -> None:
    with holding(hub / PACKAGE_TABLES[name].file, data):
        check(hub)


@settings(max_examples=15)
@given(name=st.sampled_from(WITH_ROWS), place=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_any_byte_of_a_table_may_be_flipped(hub: Path, name: str, place: int, byte: int) -> None:
    path = hub / PACKAGE_TABLES[name].file
    data = bytearray(path.read_bytes())
    data[place % len(data)] = byte
    with holding(path, bytes(data)):
        check(hub)


@settings(max_examples=15)
@given(
    key=st.sampled_from(
        ["name", "title", "licenses", "resources", "gwp", "base_year", "bbox", "default_scenario"]
    ),
    value=VALUE,
)
def test_any_key_of_the_descriptor_may_hold_anything(hub: Path, key: str, value: object) -> None:
    path = hub / "datapackage.json"
    meta = {**json.loads(path.read_text(encoding="utf-8")), key: value}
    with holding(path, json.dumps(meta).encode()):
        check(hub)


YAML_BITS = st.sampled_from(
    [
        "name: x",
        "title: X",
        "as_of: 2026-01-01",
        "as_of: 0000-00-00",
        "extends: baseline",
        "extends: x",
        "drivers:",
        "  a: {scale: 2}",
        "decision: {rule: 1}",
        "<<: *a",
        "&a",
        "*a",
        "? [a]",
        "- b",
        "---",
        "!!set {a}",
        "!!omap [a: 1]",
        "limits: &a {b: *a}",
        "\t",
    ]
)


@settings(max_examples=25)
@given(lines=st.lists(YAML_BITS | st.text(st.characters(codec="utf-8"), max_size=12), max_size=8))
def test_a_scenario_file_may_be_any_text(hub: Path, lines: list[str]) -> None:
    path = hub / "scenarios" / "x.yaml"
    path.write_bytes("\n".join(lines).encode())
    try:
        check(hub)
    finally:
        path.unlink()
