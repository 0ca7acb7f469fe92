"""Tables that people bring and take away: CSV and XLSX, one header row and the rows under it.

Reading refuses what is no table (too large, a zip bomb, a quote left open, XML with declarations) and
never runs anything: of a formula in a workbook the value that was saved with it counts. What a spreadsheet
would take for a formula when a written file is opened gets a ``'`` in front, which reading takes off again.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cleanhub.core.errors import FaultList, InputError, RunError
from cleanhub.core.whole_file import write_file
from cleanhub.register.workbook import MOST_BYTES, MOST_COLUMNS, MOST_ROWS, Cell, read_workbook

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_WRITTEN = re.compile(r"'+[=+\-@\t\r]")


@dataclass(frozen=True)
class Sheet:
    """A table as it was read: header, rows of as many cells, the line (CSV) or row (XLSX) of each.

    ``remark`` says how the file was read where that was a guess.
    """

    name: str
    columns: tuple[str, ...]
    lines: tuple[int, ...]
    rows: tuple[tuple[Cell, ...], ...]
    remark: str = ""


def read_sheet(path: Path, faults: FaultList, sheet: str | None = None) -> Sheet:
    """Read a CSV or XLSX file; ``sheet`` names a sheet of a workbook (default: its first).

    Rows with a wrong number of cells are recorded in ``faults`` and kept. Raises ``InputError`` for a file
    that is no table.
    """
    data = _bytes(path)
    remark = ""
    if data[:4] == b"PK\x03\x04":
        raw = read_workbook(path.name, data, sheet, faults)
    elif data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        what = "an old or locked workbook"
        raise _refused(path.name, what, "a workbook saved as .xlsx without a password, or CSV")
    else:
        text, remark = _decoded(path.name, data)
        raw = _csv_rows(path.name, text)
    filled = [(line, cells) for line, cells in raw if any(_filled(cell) for cell in cells)]
    if not filled:
        raise _refused(path.name, "empty file", "a header row and rows under it")
    if len(filled) - 1 > MOST_ROWS:
        raise _refused(path.name, f"{len(filled) - 1} rows", f"at most {MOST_ROWS} rows")
    return _squared(path.name, filled, faults, remark)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _refused(path.name, f"cannot be read ({error.strerror})", "a CSV or XLSX file") from error
    if len(data) > MOST_BYTES:
        raise _refused(path.name, "too large", f"at most {MOST_BYTES // 1_000_000} MB")
    return data


def _decoded(file: str, data: bytes) -> tuple[str, str]:
    """The text of a CSV file: UTF-8, UTF-16 with its mark, else as Windows writes it."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        codings: tuple[tuple[str, str], ...] = (("utf-16", ""),)
    else:
        codings = (("utf-8-sig", ""), ("cp1252", "not UTF-8, so read as Windows-1252"))
    for coding, remark in codings:
        try:
            text = data.decode(coding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return text, remark
    raise _refused(file, "not text", "CSV saved as UTF-8, or XLSX")


def _csv_rows(file: str, text: str) -> list[tuple[int, list[Cell]]]:
    """Rows with the line each begins on. Commas, semicolons, tabs or bars between cells, any line ends."""
    head = next((line for line in io.StringIO(text, newline=None) if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", head)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t|", key=bare.count), strict=True)
    rows: list[tuple[int, list[Cell]]] = []
    start = 1
    try:
        for row in reader:
            rows.append((start, [_unescaped(cell) for cell in row]))
            start = reader.line_num + 1
    except csv.Error as error:
        allowed = 'cells apart by commas, quoted as "..." where they hold a comma, quote or line break'
        raise _refused(file, f"not CSV from here on ({error})", allowed, start) from error
    return rows


def _squared(file: str, raw: Sequence[tuple[int, list[Cell]]], faults: FaultList, remark: str) -> Sheet:
    """Every row with one cell for each column of the header."""
    top, head = raw[0]
    columns = [" ".join(_text(cell).split()) for cell in head]
    while columns and not columns[-1]:
        columns.pop()
    width = len(columns)
    if width > MOST_COLUMNS:
        raise _refused(file, f"{width} columns", f"at most {MOST_COLUMNS} columns")
    for name in sorted({name for name in columns if name and columns.count(name) > 1}):
        faults.add(file, top, name, what="duplicate column", allowed="each column once")
    rows = []
    for line, cells in raw[1:]:
        extra = [cell for cell in cells[width:] if _filled(cell)]
        if extra or len(cells) < width:
            faults.add(file, line, what="wrong number of cells", found=len(cells), allowed=str(width))
        padded: list[Cell] = [*cells[:width], *[None] * (width - len(cells))]
        rows.append(tuple(padded))
    names = tuple(name or f"column {at + 1}" for at, name in enumerate(columns))
    return Sheet(file, names, tuple(line for line, _ in raw[1:]), tuple(rows), remark)


def _filled(cell: Cell) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(cell.strip()))


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell)


def _refused(file: str, what: str, allowed: str, row: int | None = None) -> InputError:
    faults = FaultList()
    faults.add(file, row, what=what, allowed=allowed)
    return InputError("not read", faults.faults)


# ---------------------------------------------------------------- writing


def escaped(text: str) -> str:
    """``text`` with a ``'`` in front where a spreadsheet would take it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def _unescaped(text: str) -> str:
    return text[1:] if _WRITTEN.match(text) else text


def cell_text(cell: Cell) -> str:
    """A cell as CSV has it: numbers in full, yes and no, dates as YYYY-MM-DD, formulas made harmless."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    return escaped(cell) if isinstance(cell, str) else str(cell)


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """The table as CSV: UTF-8, commas, lines end as on Unix."""
    lines = [_csv_line([escaped(name) for name in columns])]
    lines += [_csv_line([cell_text(cell) for cell in row]) for row in rows]
    return "".join(lines)


def _csv_line(cells: Sequence[str]) -> str:
    out = io.StringIO(newline="")
    # the writer puts quotes around the characters of its line end alone, and a cell may hold either
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().removesuffix("\r\n") + "\n"


def write_whole(path: Path, data: bytes, overwrite: bool) -> None:
    """Write a file whole or not at all. Raises ``RunError`` where it is there and may not be replaced."""
    if path.exists() and not overwrite:
        raise RunError(f"{path} is there already: say --overwrite to replace it")
    write_file(path, data)
