"""Export of records as a table (CSV, XLSX) or JSON, and reading that JSON back.

A file holds the records of one kind and hub that its reader may see, each with its ``id`` and ``version``.
Imported again it changes nothing, and an edit of a record that has moved on meanwhile is a conflict.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cleanhub.core.errors import FaultList, InputError
from cleanhub.core.json_file import parse_json
from cleanhub.core.tables import MOST, Column
from cleanhub.hub.library import Library
from cleanhub.register.events import Record
from cleanhub.register.hub_projects import Reader
from cleanhub.register.import_columns import COMPANION, IMPORTED, OWN
from cleanhub.register.models import KINDS
from cleanhub.register.sheets import Sheet, cell_text, csv_text, escaped
from cleanhub.register.workbook import MOST_BYTES, Cell

FORMATS = ("csv", "xlsx", "json")
FORMAT = 1
"""Version of the JSON layout."""
_CREATED = dt.datetime(2000, 1, 1)  # a workbook bears a date; one and the same keeps its bytes
_LISTED_AT_MOST = 250  # characters of a list of choices that a spreadsheet takes


def export_columns(kind: str) -> list[str]:
    """The columns of an export of ``kind``: id, version, then the fields."""
    return [*OWN, *(name for name in KINDS[kind].names if name != "withdrawn")]


def exported(reader: Reader, kind: str, hub: str) -> list[Record]:
    """The records of a kind and hub that the reader may see, in the order of their identifiers."""
    if kind not in IMPORTED:
        faults = FaultList()
        faults.add("export", None, "kind", what="not exported", found=kind, allowed=", ".join(IMPORTED))
        raise InputError("export", faults.faults)
    return reader.find(kind, hub=hub)


def export_table(reader: Reader, kind: str, hub: str, form: str) -> bytes:
    """The records of a kind and hub as the bytes of a file; ``form`` is ``csv``, ``xlsx`` or ``json``."""
    records = exported(reader, kind, hub)
    if form == "json":
        data = {"format": FORMAT, "kind": kind, "hub": hub, "records": [_flat(one) for one in records]}
        text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
        return f"{text}\n".encode()
    columns = export_columns(kind)
    rows: list[list[Cell]] = [list(_flat(record).values()) for record in records]
    if form == "csv":
        return csv_text(columns, rows).encode()
    if form == "xlsx":
        return _workbook(kind, columns, rows)
    faults = FaultList()
    faults.add("export", None, "format", what="no such format", found=form, allowed=", ".join(FORMATS))
    raise InputError("export", faults.faults)


def _flat(record: Record) -> dict[str, Any]:
    fields = {name: value for name, value in record.fields.items() if name != "withdrawn"}
    return {"id": record.id, "version": record.version, **fields}


def table_template(kind: str, form: str, library: Library) -> bytes:
    """An empty table of ``kind`` to fill in: as a workbook with a sheet that explains each column.

    Identifier and version are left out: what is filled in is new.
    """
    declared = [column for column in KINDS[kind].columns if column.name not in ("hub", "withdrawn")]
    headers = [_header(column) for column in declared]
    if form == "csv":
        return csv_text(headers, []).encode()
    return _workbook(kind, headers, [], declared, library)


def _header(column: Column) -> str:
    """The column's name with its unit, where it has one that people may not expect."""
    own = column.unit if column.unit not in ("", "degree") and not column.name.endswith("usd") else ""
    return f"{column.name} ({own})" if own and column.name not in COMPANION else column.name


def _workbook(
    kind: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    declared: Sequence[Column] = (),
    library: Library | None = None,
) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_numbers": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, {**options, "strings_to_formulas": False})
    book.set_properties({"title": f"{kind.replace('_', ' ')} records", "created": _CREATED})
    bold = book.add_format({"bold": True})
    sheet = book.add_worksheet(kind)
    sheet.freeze_panes(1, 0)
    for at, name in enumerate(columns):
        sheet.write_string(0, at, escaped(name), bold)
    for line, row in enumerate(rows, start=1):
        for at, cell in enumerate(row):
            if isinstance(cell, (int, float)) and not isinstance(cell, bool) and _kept(cell):
                sheet.write_number(line, at, cell)
            elif cell is not None:
                sheet.write_string(line, at, cell_text(cell))
    if declared and library is not None:
        _explain(book, sheet, columns, declared, library, bold)
    book.close()
    return out.getvalue()


def _kept(number: float) -> bool:
    """Whether the number is the same again with the 16 digits that a workbook keeps of it."""
    return float(f"{number:.16G}") == number


def _explain(
    book: Any, sheet: Any, columns: Sequence[str], declared: Sequence[Column], library: Library, bold: Any
) -> None:
    """A second sheet that says what each column holds; short lists of codes to choose from."""
    about = book.add_worksheet("columns")
    for at, name in enumerate(("column", "needed", "what it holds", "unit", "allowed")):
        about.write_string(0, at, name, bold)
    for line, (name, column) in enumerate(zip(columns, declared, strict=True), start=1):
        codes = sorted(library.codelists.get(column.codes, frozenset())) if column.codes else []
        if column.kind == "yes_no":
            codes = ["yes", "no"]
        kinds = {"number": "a number", "year": "a year", "date": "YYYY-MM-DD", "integer": "a whole number"}
        allowed = ", ".join(codes) or kinds.get(column.kind, "text")
        needed = "" if column.blank or column.kind == "yes_no" else "yes"
        for at, text in enumerate((name, needed, column.description, column.unit, allowed)):
            about.write_string(line, at, text)
        if codes and not column.listed and len(",".join(codes)) <= _LISTED_AT_MOST:
            sheet.data_validation(1, line - 1, 1000, line - 1, {"validate": "list", "source": codes})
    about.set_column(0, 0, 26)
    about.set_column(2, 2, 60)
    about.set_column(4, 4, 60)


def read_json(path: Path, faults: FaultList) -> Sheet:
    """A JSON export as a sheet; also a plain list of objects. The row of a record is its number.

    Raises ``InputError`` for what is no such file, and for NaN or infinity in it.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"larger than {MOST_BYTES // 1_000_000} MB")
        data = parse_json(path.read_text(encoding="utf-8-sig"), _no_constant)
        records = data["records"] if isinstance(data, dict) else data
        if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
            raise ValueError("no list of records")
    except (OSError, ValueError, KeyError) as error:
        faults.add(path.name, what="not a JSON export", found=error, allowed='{"records": [{...}, ...]}')
        raise InputError("not read", faults.faults) from error
    columns = list(dict.fromkeys(name for one in records for name in one))
    rows = [
        tuple(_plain(path.name, row, name, one.get(name), faults) for name in columns)
        for row, one in enumerate(records, start=1)
    ]
    return Sheet(path.name, tuple(columns), tuple(range(1, len(rows) + 1)), tuple(rows))


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _plain(file: str, row: int, name: str, value: Any, faults: FaultList) -> Cell:
    if isinstance(value, list):
        value = ";".join(str(part) for part in value)
    if value is None or isinstance(value, (str, bool, float)):
        return value
    if isinstance(value, int) and abs(value) <= MOST:
        return float(value)
    faults.add(file, row, name, what="not a value", found=value, allowed="text, a number, yes or no")
    return None
