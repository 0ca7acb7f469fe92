"""One cell of a file as a field of a record holds it: numbers, years, dates, yes and no, codes in words."""

from __future__ import annotations

import datetime as dt
import math
import re
from functools import cache
from typing import Any

from cleanhub.core.errors import FaultList
from cleanhub.core.tables import Column, allowed
from cleanhub.hub.library import Library
from cleanhub.register.import_columns import ReadColumn, plain_name
from cleanhub.register.models import KINDS
from cleanhub.register.workbook import Cell

_TRUTHS = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_SYNONYMS: dict[str, dict[str, str]] = {
    "stage": {
        "idea": "concept",
        "study": "concept",
        "proposed": "announced",
        "planned": "announced",
        "planning": "announced",
        "prefeed": "pre_feed",
        "feasibility": "pre_feed",
        "feasibility_study": "pre_feed",
        "fid_taken": "fid",
        "financial_close": "fid",
        "under_construction": "construction",
        "in_construction": "construction",
        "building": "construction",
        "operational": "operating",
        "in_operation": "operating",
        "in_service": "operating",
        "on_hold": "shelved",
        "paused": "shelved",
        "suspended": "shelved",
        "canceled": "cancelled",
        "withdrawn": "cancelled",
        "abandoned": "cancelled",
        "decommissioned": "closed",
        "shut_down": "closed",
    },
    "gate": {
        "permits": "permit",
        "permitting": "permit",
        "grid": "interconnection",
        "offtaker": "offtake",
        "financing": "finance",
        "co2_storage": "co2_transport_storage",
    },
}
"""Words that people use for codes, besides the codes themselves in any case and spacing."""


def cell_value(
    cell: Cell, column: ReadColumn, kind: str, library: Library, file: str, row: int | None, faults: FaultList
) -> Any:
    """The value of a cell for the field of ``column``; ``None`` where it is empty or faulty.

    What the record's own check finds (ranges, unknown codes) is left to it; recorded here is what a file
    brings with it: text that is no number, NaN and infinity, a truth value where a number belongs.
    """
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    text = cell.strip() if isinstance(cell, str) else cell
    if column.field in ("id", "version"):
        declared = Column(column.field, "text" if column.field == "id" else "integer", "", minimum=1)
    else:
        declared = KINDS[kind].column(column.field)
    if declared.kind in ("number", "integer", "year"):
        number = _number(text, declared)
        if number is None:
            faults.add(file, row, column.name, what="not a number", found=cell, allowed=allowed(declared))
            return None
        return number if column.factor == 1 else number * column.factor
    if declared.kind == "yes_no":
        return _TRUTHS.get(text.lower(), text) if isinstance(text, str) else text
    if declared.kind == "date":
        return text.date() if isinstance(text, dt.datetime) else text
    return _code(_as_text(text), declared, library)


def _number(value: Cell, declared: Column) -> float | None:
    """A number, also with commas between thousands; of a date the year, where a year is wanted."""
    if isinstance(value, bool):
        return None
    if isinstance(value, dt.date):
        return float(value.year) if declared.kind == "year" else None
    if isinstance(value, str):
        if declared.kind == "year" and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            value = value[:4]
        value = value.replace(",", "") if _GROUPED.fullmatch(value) else value
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", value, re.ASCII):
            return None
    number = float(value if value is not None else "nan")
    return number if math.isfinite(number) else None


def _as_text(value: Cell) -> str:
    """A number in a column of text is a name in figures: 12, not 12.0."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _code(text: str, declared: Column, library: Library) -> str:
    """Text in words as a code of its list, where it can only mean one; else as it is."""
    vocabulary = declared.codes
    if not vocabulary:
        return text
    codes = library.codelists.get(vocabulary, frozenset())
    parts = [part.strip() for part in re.split("[;,]", text)] if declared.listed else [text]
    known = _words(vocabulary, codes)
    return ";".join(part if part in codes else known.get(plain_name(part), part) for part in parts if part)


@cache
def _words(vocabulary: str, codes: frozenset[str]) -> dict[str, str]:
    """The code of each word that means one, in lower case with single underscores."""
    plain = {plain_name(code): code for code in codes}
    return plain | {word: code for word, code in _SYNONYMS.get(vocabulary, {}).items() if code in codes}
