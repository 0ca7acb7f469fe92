"""read_table: every kind of fault is found, at its row and column, and none stops the reading."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.core.errors import FaultList
from cleanhub.core.tables import LARGEST, Column, Table, check_references, read_table

CODES = {"sector": frozenset({"cement", "steel"}), "gate": frozenset({"permit", "offtake"})}
TABLE = Table(
    "sites",
    "Sites for these tests.",
    (
        Column("site", "text", "name"),
        Column("tonnes", "number", "tonnes", blank=True, minimum=0),
        Column("count", "integer", "count", blank=True),
        Column("year", "year", "year", blank=True),
        Column("open", "yes_no", "open", blank=True),
        Column("since", "date", "since", blank=True),
        Column("sector", "text", "sector", blank=True, codes="sector"),
        Column("gates", "text", "gates", blank=True, codes="gate", listed=True),
        Column("unit", "text", "unit", blank=True, unit_column=True),
        Column("lat", "number", "latitude", blank=True, minimum=-90, maximum=90),
        Column("note", "text", "note", blank=True, optional=True),
    ),
    key=("site",),
)
Read = Callable[..., tuple[pd.DataFrame, list[tuple[int | None, str | None, str]]]]


def read_bytes(folder: Path, data: bytes, table: Table = TABLE) -> tuple[pd.DataFrame, FaultList]:
    path = folder / table.file
    path.write_bytes(data)
    faults = FaultList()
    frame = read_table(path, table, faults, CODES, lambda unit: unit in {"t", "t/yr"})
    return frame, faults


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read text (or rows given by column) and give the frame and the place and kind of each fault."""

    def reader(text: str | bytes = b"", *rows: dict[str, str]) -> tuple[pd.DataFrame, list]:
        if rows:
            lines = [",".join(row.get(name, "") for name in TABLE.names) for row in rows]
            text = "\n".join([",".join(TABLE.names), *lines, ""])
        data = text if isinstance(text, bytes) else text.encode()
        frame, faults = read_bytes(tmp_path, data)
        return frame, [(fault.row, fault.column, fault.what) for fault in faults.faults]

    return reader


HEADER = ",".join(TABLE.names)
REST = "," * (len(TABLE.names) - 1)


# ---------------------------------------------------------------- cells


@pytest.mark.parametrize(
    ("column", "cell", "what"),
    [
        ("tonnes", "lots", "not a number"),
        ("tonnes", "NaN", "not a number"),
        ("tonnes", "inf", "not a number"),
        ("tonnes", "-Infinity", "not a number"),
        ("tonnes", "1e999", "not a number"),
        ("tonnes", "12 t", "not a number"),
        ("tonnes", "-1", "out of range"),
        ("tonnes", "6.1e305", "too large"),
        ("count", "1.5", "not a whole number"),
        ("count", "99999999999999999999", "not a whole number"),
        ("year", "1899", "out of range"),
        ("year", "2101", "out of range"),
        ("year", "twenty", "not a number"),
        ("open", "true", "not yes or no"),
        ("open", "Yes", "not yes or no"),
        ("since", "2026-02-30", "not a date"),
        ("since", "01/02/2026", "not a date"),
        ("sector", "cemnt", "unknown sector"),
        ("sector", "Cement", "unknown sector"),
        ("gates", "permit;ofttake", "unknown gate"),
        ("unit", "tt", "unknown unit"),
        ("lat", "91", "out of range (are lat and lon swapped?)"),
        ("site", "", "empty cell"),
        ("site", "   ", "empty cell"),
    ],
)
def test_a_bad_cell_is_one_fault_at_its_place(read: Read, column: str, cell: str, what: str) -> None:
    frame, faults = read(b"", {"site": "a"}, {"site": "b", "tonnes": "1", column: cell}, {"site": "c"})
    assert faults == [(3, column, what)]
    assert len(frame) == 3, "the other rows are still read"


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("tonnes", "0"),
        ("tonnes", " 1e3 "),
        ("count", "-7"),
        ("count", "2.0"),
        ("year", "1900"),
        ("year", "2100"),
        ("open", "no"),
        ("since", "2024-02-29"),
        ("sector", "steel"),
        ("gates", "permit; offtake"),
        ("gates", "permit;"),
        ("unit", "t/yr"),
        ("lat", "-90"),
    ],
)
def test_a_good_cell_is_no_fault(read: Read, column: str, cell: str) -> None:
    assert read(b"", {"site": "a", column: cell})[1] == []


def test_a_fault_says_what_was_found_and_what_is_allowed(tmp_path: Path) -> None:
    text = f"{HEADER}\na,-5,,,,,cemnt{',' * 4}\n"
    lines = [fault.line() for fault in read_bytes(tmp_path, text.encode())[1].faults]
    assert lines == [
        "sites.csv, row 2, column tonnes: out of range; found -5; allowed a number of at least 0",
        "sites.csv, row 2, column sector: unknown sector; found cemnt; allowed cement, steel",
    ]


def test_every_faulty_cell_is_listed_not_the_first(read: Read) -> None:
    rows = [{"site": f"s{number}", "tonnes": "x", "year": "0"} for number in range(5)]
    assert len(read(b"", *rows)[1]) == 10


def test_faulty_cells_become_empty(read: Read) -> None:
    frame, _ = read(b"", {"site": "a", "tonnes": "lots", "count": "1e300", "year": "x", "open": "maybe"})
    assert frame[["tonnes", "count", "year", "open"]].isna().all(axis=None)


def test_a_repeated_key_is_called_duplicate_at_each_later_row(read: Read) -> None:
    assert read(b"", {"site": "a"}, {"site": "b"}, {"site": "a"}, {"site": "a"})[1] == [
        (4, "site", "duplicate site"),
        (5, "site", "duplicate site"),
    ]


# ---------------------------------------------------------------- columns and rows


def test_a_missing_column(read: Read) -> None:
    assert read(f"{HEADER.replace('year,', '')}\na{REST[1:]}\n")[1] == [(1, "year", "missing column")]


def test_an_optional_column_may_be_missing(read: Read) -> None:
    frame, faults = read(f"{HEADER.removesuffix(',note')}\na{REST[1:]}\n")
    assert faults == []
    assert list(frame["note"]) == [""]


def test_an_unknown_column(read: Read) -> None:
    assert read(f"{HEADER},tones\na{REST},5\n")[1] == [(1, "tones", "unknown column")]


def test_a_duplicate_column(read: Read) -> None:
    assert read(f"{HEADER},year\na{REST},2020\n")[1] == [(1, "year", "duplicate column")]


@pytest.mark.parametrize("row", ["a", f"a{REST},,"])
def test_a_wrong_number_of_cells(read: Read, row: str) -> None:
    frame, faults = read(f"{HEADER}\n{row}\nb{REST}\n")
    assert faults == [(2, None, "wrong number of cells")]
    assert list(frame["site"]) == ["a", "b"]


def test_columns_may_come_in_any_order(read: Read) -> None:
    names = TABLE.names[::-1]
    frame, faults = read(",".join(names) + f"\n{REST}a\n")
    assert faults == []
    assert list(frame.columns) == TABLE.names
    assert list(frame["site"]) == ["a"]


def test_blank_lines_are_passed_over_and_counted(read: Read) -> None:
    assert read(f"\n{HEADER}\n\n{REST}\na,x{REST[1:]}\n")[1] == [(5, "tonnes", "not a number")]


# ---------------------------------------------------------------- files


def test_a_byte_order_mark_is_read_over(read: Read) -> None:
    frame, faults = read(b"\xef\xbb\xbf" + f"{HEADER}\na{REST}\n".encode())
    assert faults == []
    assert list(frame["site"]) == ["a"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_ending(read: Read, end: str) -> None:
    frame, faults = read(f"{HEADER}{end}a{REST}{end}b,x{REST[1:]}{end}".encode())
    assert list(frame["site"]) == ["a", "b"]
    assert faults == [(3, "tonnes", "not a number")]


def test_mixed_line_endings(read: Read) -> None:
    frame, faults = read(f"{HEADER}\r\na{REST}\nb{REST}\r\nc,x{REST[1:]}".encode())
    assert list(frame["site"]) == ["a", "b", "c"]
    assert faults == [(4, "tonnes", "not a number")]


def test_a_quoted_line_break_does_not_shift_the_row_numbers(read: Read) -> None:
    frame, faults = read(f'{HEADER}\n"a\nof\nthree"{REST}\nb,x{REST[1:]}\n')
    assert list(frame["site"]) == ["a\nof\nthree", "b"]
    assert faults == [(5, "tonnes", "not a number")]


def test_a_fault_in_a_row_of_several_lines_is_told_at_its_first(read: Read) -> None:
    assert read(f'{HEADER}\n"a\nb",x{REST[1:]}\n')[1] == [(2, "tonnes", "not a number")]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (f'b{REST}"a note that never ends', "an open quote would swallow the rest of the file"),
        (f'"b"c{REST}', "text after a closing quote"),
        (f"b{REST}{'x' * 140_000}", "a cell beyond any use"),
    ],
)
def test_broken_quoting_is_a_fault_at_the_row_where_it_begins(read: Read, row: str, why: str) -> None:
    _, faults = read(f"{HEADER}\na{REST}\n{row}\nc{REST}\n")
    assert faults == [(3, None, "not CSV from here on")], why


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty file"),
        (b"\n\n", "empty file"),
        (b"\xef\xbb\xbf", "empty file"),
        (b"site\n\x00", "holds a NUL byte"),
        ("site\nZürich\n".encode("latin-1"), "not UTF-8 text"),
        ("site\na\n".encode("utf-16"), "not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_csv_text(read: Read, data: bytes, what: str) -> None:
    frame, faults = read(data)
    assert (None, None, what) in faults
    assert frame.empty
    assert list(frame.columns) == TABLE.names


def test_a_header_alone_is_an_empty_table(read: Read) -> None:
    frame, faults = read(HEADER)
    assert faults == []
    assert frame.empty


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_file_that_cannot_be_read(tmp_path: Path, is_folder: bool) -> None:
    path = tmp_path / "sites.csv"
    if is_folder:
        path.mkdir()
    faults = FaultList()
    assert read_table(path, TABLE, faults, CODES, bool).empty
    assert "cannot be read" in faults.faults[0].what


# ---------------------------------------------------------------- types


def test_types_are_the_same_with_and_without_rows(read: Read) -> None:
    full, _ = read(b"", {"site": "a", "tonnes": "1", "count": "2", "year": "2020", "open": "yes"})
    bare, _ = read(HEADER)
    assert full.dtypes.to_dict() == bare.dtypes.to_dict()
    assert [str(full[name].dtype) for name in ("site", "tonnes", "count", "year", "open")] == [
        "object",
        "float64",
        "Int64",
        "Int64",
        "boolean",
    ]


def test_the_index_is_the_line_in_the_file(read: Read) -> None:
    frame, _ = read(b"", {"site": "a"}, {"site": "b"})
    assert list(frame.index) == [2, 3]


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
ROW = st.fixed_dictionaries(
    {
        "tonnes": st.none() | st.floats(0, LARGEST),
        "count": st.none() | st.integers(-(2**53), 2**53),
        "year": st.none() | st.integers(1900, 2100),
        "open": st.none() | st.booleans(),
        "note": WORDS,
    }
)


def as_cell(value: object) -> str:
    if value is None:
        return ""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


@given(st.lists(ROW, max_size=8))
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[dict]) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, TABLE.names, restval="")
    writer.writeheader()
    for number, row in enumerate(rows):
        writer.writerow({"site": f"s{number}", **{name: as_cell(value) for name, value in row.items()}})
    frame, faults = read_bytes(tmp_path_factory.getbasetemp(), buffer.getvalue().encode())
    assert faults.faults == []
    for number, row in enumerate(rows):
        got = frame.iloc[number]
        assert got["note"] == row["note"].strip()
        for name in ("count", "year", "open"):
            assert (pd.isna(got[name]) and row[name] is None) or got[name] == row[name]
        assert np.isnan(got["tonnes"]) if row["tonnes"] is None else np.isclose(got["tonnes"], row["tonnes"])


# ---------------------------------------------------------------- references


@pytest.mark.parametrize(("loose", "counts"), [(False, (1, 0)), (True, (0, 1))])
def test_a_reference_to_nothing_is_a_fault_or_when_loose_a_note(loose: bool, counts: tuple[int, int]) -> None:
    column = Column("site", "text", "site", blank=True, refers="sites.site", loose=loose)
    table = Table("reports", "Reports.", (column,))
    frame = pd.DataFrame({"site": ["a", "", "zz"]}, index=[2, 3, 4])
    faults = FaultList()
    check_references({"reports": frame}, {"reports": table}, {"sites.site": {"a"}}, faults)
    assert (len(faults.faults), len(faults.notes)) == counts
    assert [(one.row, one.found) for one in (*faults.faults, *faults.notes)] == [(4, "zz")]


@pytest.mark.parametrize("loose", [False, True])
def test_each_name_of_a_listed_cell_is_a_reference(loose: bool) -> None:
    column = Column("sites", "text", "sites", blank=True, refers="sites.site", loose=loose, listed=True)
    table = Table("reports", "Reports.", (column,))
    frame = pd.DataFrame({"sites": ["a; b", "", "a;zz"]}, index=[2, 3, 4])
    faults = FaultList()
    check_references({"reports": frame}, {"reports": table}, {"sites.site": {"a", "b"}}, faults)
    assert [(one.row, one.found) for one in (*faults.faults, *faults.notes)] == [(4, "zz")]


def test_a_reference_to_a_table_that_is_not_there_is_not_checked() -> None:
    table = Table("reports", "Reports.", (Column("site", "text", "site", refers="sites.site"),))
    faults = FaultList()
    check_references({"reports": pd.DataFrame({"site": ["a"]})}, {"reports": table}, {}, faults)
    assert faults.faults == []
