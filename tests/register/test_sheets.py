"""Files that hold a table: encodings, separators, workbooks, limits, what is no table; written whole."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.core.errors import FaultList, InputError, RunError
from cleanhub.register import sheets, workbook
from cleanhub.register.sheets import Sheet, write_whole
from cleanhub.register.store import Register

from .tables import FEW, GOOD, book, brought, rezipped, what


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_encodings_and_separators(read: Callable[..., Sheet], coding: str, sign: str) -> None:
    text = f'name{sign}city\r\n"Café{sign} \u201ax\u2018"{sign}San José\rA{sign}B\n\n'
    text += f'"two\r\nlines"{sign}"say ""x"""\n'
    sheet = read(text.encode(coding))
    assert sheet.columns == ("name", "city")
    assert sheet.rows == (
        (f"Café{sign} \u201ax\u2018", "San José"),
        ("A", "B"),
        ("two\r\nlines", 'say "x"'),
    )
    assert sheet.lines == (2, 3, 5)
    assert bool(sheet.remark) == (coding == "cp1252")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty file"),
        (b"\n  \n,,\n", "empty file"),
        (b'name\n"open', "not CSV from here on"),
        (b"name\nA\x00B\n", "not text"),
        (b"\x81\x8d\x90", "not text"),
        (b"PK\x03\x04 but no zip", "not a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "an old or locked workbook"),
    ],
)
def test_what_is_no_table_is_refused(read: Callable[..., Sheet], data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(data)


def test_limits_of_size(read: Callable[..., Sheet], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    assert len(read("name\nA\nB\nC\n").rows) == 3
    with pytest.raises(InputError, match="4 rows"):
        read("name\nA\nB\nC\nD\n")
    monkeypatch.setattr(sheets, "MOST_COLUMNS", 2)
    with pytest.raises(InputError, match="3 columns"):
        read("a,b,c\n1,2,3\n")
    monkeypatch.setattr(sheets, "MOST_BYTES", 10)
    with pytest.raises(InputError, match="too large"):
        read("name\nABCDEFG\n")


def test_a_zip_bomb_is_measured_before_it_is_unpacked(
    read: Callable[..., Sheet], monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = rezipped(book([["name"], ["A"]]), "xl/worksheets/sheet1.xml", lambda part: part + b" " * 5_000_000)
    assert len(bomb) < 50_000
    monkeypatch.setattr(workbook, "MOST_UNPACKED", 1_000_000)
    monkeypatch.setattr(workbook, "_part", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(InputError, match="unpacks to too much"):
        read(bomb, "b.xlsx")


def test_a_document_type_is_refused(read: Callable[..., Sheet]) -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    for part in ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"):
        data = rezipped(book([["name"], ["A"]]), part, lambda old: old.replace(b"?>", b"?>" + laughs, 1))
        with pytest.raises(InputError, match="document type"):
            read(data, "b.xlsx")


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"]
)
@pytest.mark.parametrize("change", [lambda old: old[:-20], lambda _: b"<x/>", lambda _: b""])
def test_a_damaged_workbook_is_one_clear_error_or_no_rows(
    read: Callable[..., Sheet], part: str, change: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(InputError):
        read(rezipped(book([["name"], ["A"]]), part, change), "b.xlsx")


@given(st.binary(max_size=300), st.integers(0, 2000))
@FEW
def test_no_bytes_break_the_reader(read: Callable[..., Sheet], noise: bytes, at: int) -> None:
    whole = book([["name", "city"], ["A", 5]])
    for data in (noise, whole[:at] + noise + whole[at + len(noise) :]):
        with contextlib.suppress(InputError):
            assert read(data, "n.xlsx").columns


def test_far_cells_do_not_fill_the_memory(read: Callable[..., Sheet]) -> None:
    def far(part: bytes) -> bytes:
        return part.replace(b'r="A2"', b'r="XFD2"')

    with pytest.raises(InputError, match="at most"):
        read(rezipped(book([["name"], ["A"]]), "xl/worksheets/sheet1.xml", far), "b.xlsx")


def test_rows_with_a_wrong_number_of_cells_and_double_columns_are_faults(
    own: Register, read: Callable[..., Sheet]
) -> None:
    faults = FaultList()
    sheet = read(
        GOOD + "A,One,cement,feed\nB,Two,cement,feed,abates,more\nC,Three,cement,feed,abates,\n",
        faults=faults,
    )
    result = brought(own, sheet, faults=faults)
    assert {(row, text) for row, _, text in what(result)} >= {
        (2, "wrong number of cells"),
        (3, "wrong number of cells"),
    }
    assert 4 not in result.bad_rows
    doubled = FaultList()
    read("name,name\nA,B\n", faults=doubled)
    assert [fault.what for fault in doubled.faults] == ["duplicate column"]


@pytest.mark.parametrize(
    "text",
    ["", "[1]", '{"a": 1}', '[{"name": NaN}]', '{"records": 5}', "[" * 100_000, '[{"name": Infinity}]'],
)
def test_what_is_no_json_export_is_refused(read: Callable[..., Sheet], text: str) -> None:
    with pytest.raises(InputError, match="not a JSON export"):
        read(text, "x.json")


def test_json_values_that_are_none_are_faults(own: Register, read: Callable[..., Sheet]) -> None:
    faults = FaultList()
    row = {"project_id": "A", "name": {"x": 1}, "sector": "cement", "stage": "feed", "role": "abates"}
    read(json.dumps([row, {"capacity": 10**400}]), "x.json", faults)
    assert [(fault.row, fault.column) for fault in faults.faults] == [(1, "name"), (2, "capacity")]


def test_a_file_is_written_whole_and_not_over_another(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_whole(path, b"one", False)
    with pytest.raises(RunError, match="is there already"):
        write_whole(path, b"two", False)
    assert path.read_bytes() == b"one"
    write_whole(path, b"two", True)
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]
    with pytest.raises(RunError, match="cannot be written"):
        write_whole(tmp_path / "no" / "out.csv", b"x", False)
