"""What may be written: each value against the declaration of its column, all faults at once."""

from __future__ import annotations

import datetime as dt
import math
import numbers
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cleanhub.core.errors import FaultList, InputError
from cleanhub.core.tables import MOST, Column, Table, allowed, bounds
from cleanhub.hub.library import Library
from cleanhub.register.models import KINDS

LONGEST = 20_000
"""The most characters that one text may have."""
_IDENTIFIERS = frozenset({"hub", "login", "project_id"})


def kind_table(kind: str) -> Table:
    """The declaration of a kind. Raises ``InputError`` naming the kinds there are."""
    if kind not in KINDS:
        faults = FaultList()
        faults.add("register", None, "kind", what="no such kind", found=kind, allowed=", ".join(KINDS))
        raise InputError("register", faults.faults)
    return KINDS[kind]


def checked(
    kind: str,
    fields: Mapping[str, Any],
    library: Library,
    faults: FaultList,
    whole: bool = True,
    file: str | None = None,
    row: int | None = None,
) -> dict[str, Any]:
    """``fields`` of a record as they will be stored; faults are recorded with ``file`` and ``row``.

    With ``whole`` every column of the kind is wanted, and those not given are blank. A blank is given
    as ``None``, NaN, ``pandas.NA`` or empty text; a list of codes as a list or with ``;`` between.
    """
    table = kind_table(kind)
    place = file or kind
    known = {column.name: column for column in table.columns}
    for name in fields:
        if name not in known:
            faults.add(place, row, str(name), what="unknown column", allowed=", ".join(known))
    clean: dict[str, Any] = {}
    for name, column in known.items():
        if name not in fields and not whole:
            continue
        value, what, may_be = _value(fields.get(name), column, library)
        if what:
            faults.add(place, row, name, what=what, found=fields.get(name, ""), allowed=may_be)
        clean[name] = value
    return clean


def _value(value: Any, column: Column, library: Library) -> tuple[Any, str, str]:
    """The value as stored, what is wrong with it (or nothing), what is allowed."""
    if isinstance(value, (list, tuple)):
        value = ";".join(str(part) for part in value)
    if isinstance(value, str):
        value = value.strip()
    if value is None or value is pd.NA or value is pd.NaT or value == "" or _is_nan(value):
        return None, "" if column.blank else "is empty", allowed(column)
    if column.kind == "yes_no":
        truth = {"yes": True, "no": False}.get(value) if isinstance(value, str) else value
        ok = isinstance(truth, bool) or type(truth).__name__ == "bool_" or type(truth).__name__ == "bool"
        return (bool(truth), "", "") if ok else (None, "not yes or no", allowed(column))
    if column.kind in ("number", "integer", "year"):
        return _number(value, column)
    if column.kind == "date":
        return _date(value, column)
    return _text(value, column, library)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _number(value: Any, column: Column) -> tuple[Any, str, str]:
    may_be = allowed(column)
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        return None, "not a number", may_be
    number = float(value)
    if column.kind != "number" and (number != round(number) or abs(number) > MOST):
        return None, "not a whole number", may_be
    low, high = bounds(column)
    if (low is not None and number < low) or (high is not None and number > high):
        return None, "out of range", may_be
    return (number + 0.0 if column.kind == "number" else int(number)), "", ""


def _date(value: Any, column: Column) -> tuple[Any, str, str]:
    if isinstance(value, dt.datetime):
        value = value.date()
    if isinstance(value, dt.date):
        return value.isoformat(), "", ""
    try:
        day = dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        return None, "not a date", allowed(column)
    ok = day.isoformat() == value
    return (value, "", "") if ok else (None, "not a date", allowed(column))


def _text(value: Any, column: Column, library: Library) -> tuple[Any, str, str]:
    if not isinstance(value, str):
        return None, "not text", allowed(column)
    if len(value) > LONGEST:
        return None, "too long", f"at most {LONGEST} characters"
    if "\x00" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
        return None, "holds a character that no database keeps", "text"
    if column.name in _IDENTIFIERS and (":" in value or value.split() != [value]):
        return None, "holds a blank or a colon", "an identifier without blanks and colons"
    if column.unit_column and not library.unit_ok(value):
        return None, "unknown unit", "a unit of docs/units.md"
    parts = [part.strip() for part in value.split(";") if part.strip()] if column.listed else [value]
    vocabulary = column.codes or ("technology" if column.refers == "technologies.technology" else "")
    if vocabulary:
        codes = library.codelists.get(vocabulary, frozenset())
        if any(part not in codes for part in parts):
            return None, f"unknown {vocabulary}", ", ".join(sorted(codes))
    return ";".join(parts), "", ""
