"""Tables as tests write them and bring them into a register."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from typing import Any

import xlsxwriter
from hypothesis import HealthCheck, settings

from cleanhub.register.sheets import Sheet
from cleanhub.register.store import Register
from cleanhub.register.table_import import ImportResult, import_table
from cleanhub.register.writing import Signature

SIGNED = Signature("ann", "a list came", "list of 2 March")
FEW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
GOOD = "project_id,name,sector,stage,role\n"


def book(rows: list[list[Any]], **more: Any) -> bytes:
    """A workbook as a spreadsheet writes it; dates get a date's format."""
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out, {"in_memory": True, **more})
    sheet = made.add_worksheet("projects")
    made.add_worksheet("else").write(0, 0, "name")
    day = made.add_format({"num_format": 'dd/mm/yyyy "day"'})
    for line, row in enumerate(rows):
        for at, cell in enumerate(row):
            if isinstance(cell, dt.date):
                sheet.write_datetime(line, at, dt.datetime(cell.year, cell.month, cell.day), day)
            elif cell is not None:
                sheet.write(line, at, cell)
    made.close()
    return out.getvalue()


def rezipped(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook with one of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            part = old.read(info)
            new.writestr(info.filename, change(part) if info.filename == name else part)
    return out.getvalue()


def brought(register: Register, sheet: Sheet, kind: str = "project", **more: Any) -> ImportResult:
    return import_table(register, sheet, kind, "california", more.pop("signature", SIGNED), **more)


def counts(result: ImportResult) -> tuple[int, int, int]:
    return len(result.added), len(result.changed), result.unchanged


def what(result: ImportResult) -> list[tuple[int | None, str | None, str]]:
    return [(fault.row, fault.column, fault.what) for fault in result.faults]
