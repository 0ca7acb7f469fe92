"""Typed tables: one declaration per table drives reading, checks, docs and writing.

A :class:`Table` names its columns once, each with type, unit, description and allowed
range. :func:`read_table` reads a CSV into a typed :class:`pandas.DataFrame` and records
every fault on the way; :func:`conform` brings a computed frame into the declared order
and types before it is written; :func:`describe` gives the same declaration as rows for
the docs, and :func:`data_package_schema` as a Data Package (Table Schema) field list.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import MOST_LISTED, FaultList, RunError
from cleanhub.core.text_file import read_text

Kind = Literal["text", "number", "integer", "year", "yes_no", "date"]

YEARS = (1900, 2100)
MOST = 2.0**53  # the largest whole number up to which float64 holds every one
LARGEST = 1e18  # of any number: what is larger is a slip, and products of it may overflow


@dataclass(frozen=True)
class Column:
    """One column: its name, type, unit, meaning and what it may hold.

    ``codes`` names a codelist; ``refers`` names the ``table.column`` that must hold the
    value; ``loose`` makes a missing reference a note instead of a fault (a hub that was
    cut down is still a hub). ``blank`` allows an empty cell. ``listed`` marks a cell that
    holds several codes separated by ``;``.
    """

    name: str
    kind: Kind
    description: str
    unit: str = ""
    blank: bool = False
    optional: bool = False
    minimum: float | None = None
    maximum: float | None = None
    codes: str = ""
    refers: str = ""
    loose: bool = False
    listed: bool = False
    unit_column: bool = False


@dataclass(frozen=True)
class Table:
    """A named table with its columns, its key and, for package tables, its file."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    optional: bool = False

    @property
    def file(self) -> str:
        """The CSV file that holds the table in a package."""
        return f"{self.name}.csv"

    @property
    def names(self) -> list[str]:
        """Column names in declared order."""
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """The column called ``name``; ``KeyError`` if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"table {self.name} has no column {name}")


CodeLists = Mapping[str, frozenset[str]]
UnitCheck = Callable[[str], bool]


# ---------------------------------------------------------------- reading and checking


def read_table(
    path: Path,
    table: Table,
    faults: FaultList,
    codelists: CodeLists,
    unit_ok: UnitCheck,
) -> pd.DataFrame:
    """Read ``path`` as ``table``, recording every fault; faulty cells become empty.

    Returns a frame with exactly the declared columns, typed: text as ``object`` (empty
    string when blank), numbers as ``float64`` (NaN when blank), years and integers as
    ``Int64``, yes/no as ``boolean``.
    """
    raw = _read_text(path, table, faults)
    for column in table.columns:
        if column.name not in raw.columns and not column.optional:
            faults.add(
                path.name,
                1,
                column.name,
                what="missing column",
                allowed=f"a column {column.name} ({column.description})",
            )
    if raw.empty:
        return empty(table)
    typed: dict[str, pd.Series[Any]] = {}
    for column in table.columns:
        if column.name not in raw.columns:
            cells = pd.Series([""] * len(raw), index=raw.index, dtype=object)
            typed[column.name] = _typed(cells, column)
            continue
        cells = raw[column.name].str.strip()
        _check_cells(path.name, cells, column, faults, codelists, unit_ok)
        typed[column.name] = _typed(cells, column)
    frame = pd.DataFrame(typed, columns=table.names)
    _check_key(path.name, frame, table, faults)
    return frame


def _read_text(path: Path, table: Table, faults: FaultList) -> pd.DataFrame:
    text = read_text(path, faults, "a CSV file")
    if text is None:
        return empty(table)
    rows: list[list[str]] = []
    header: list[str] = []
    for line, row in csv_rows(path.name, text, faults):
        if not header:
            header = [name.strip() for name in row]
            _check_header(path.name, header, table, faults)
            continue
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            faults.add(
                path.name,
                line,
                what="wrong number of cells",
                found=len(row),
                allowed=str(len(header)),
            )
            row = (row + [""] * len(header))[: len(header)]
        rows.append([*row, str(line)])
    if not header:
        faults.add(path.name, what="empty file", allowed="a header line")
        return empty(table)
    frame = pd.DataFrame(rows, columns=[*header, "\x00line"], dtype=object)
    frame.index = pd.Index(frame.pop("\x00line").astype(int), name="line")
    return frame.loc[:, ~frame.columns.duplicated()]


def csv_rows(file: str, text: str, faults: FaultList) -> list[tuple[int, list[str]]]:
    """The rows with the line each begins on; a quote left open is a fault, not a long cell."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows = []
    start = 1
    try:
        for row in reader:
            rows.append((start, row))
            start = reader.line_num + 1
    except csv.Error as error:
        faults.add(
            file,
            start,
            what="not CSV from here on",
            found=error,
            allowed='cells apart by commas, quoted as "..." where they hold a comma, quote or line break',
        )
    return rows


def _check_header(file: str, header: list[str], table: Table, faults: FaultList) -> None:
    seen: set[str] = set()
    for name in header:
        if name in seen:
            faults.add(file, 1, name, what="duplicate column", allowed="each column once")
        elif name not in table.names:
            faults.add(
                file,
                1,
                name,
                what="unknown column",
                found=name,
                allowed=", ".join(table.names),
            )
        seen.add(name)


def _check_cells(
    file: str,
    cells: pd.Series[Any],
    column: Column,
    faults: FaultList,
    codelists: CodeLists,
    unit_ok: UnitCheck,
) -> None:
    filled = cells[cells != ""]
    if not column.blank:
        for line in cells.index[cells == ""][: MOST_LISTED + 1]:
            faults.add(file, int(line), column.name, what="empty cell", allowed=allowed(column))
    if column.kind in ("number", "integer", "year"):
        _check_numbers(file, filled, column, faults)
    elif column.kind == "yes_no":
        _report(file, filled[~filled.isin(["yes", "no"])], column, faults, "not yes or no", "yes, no")
    elif column.kind == "date":
        parsed = pd.to_datetime(filled, format="%Y-%m-%d", errors="coerce")
        _report(file, filled[parsed.isna()], column, faults, "not a date", "YYYY-MM-DD")
    if column.codes:
        _check_codes(file, filled, column, faults, codelists)
    if column.unit_column:
        known = {unit: unit_ok(unit) for unit in filled.unique()}
        _report(
            file,
            filled[~filled.map(known).astype(bool)],
            column,
            faults,
            "unknown unit",
            "a unit of docs/units.md",
        )


def _check_numbers(file: str, filled: pd.Series[Any], column: Column, faults: FaultList) -> None:
    numbers = pd.to_numeric(filled, errors="coerce").astype(float)
    bad = ~np.isfinite(numbers.to_numpy())
    _report(file, filled[bad], column, faults, "not a number", allowed(column))
    good, text = numbers[~bad], filled[~bad]
    if column.kind in ("integer", "year"):
        broken = (good != good.round()) | (good.abs() > MOST)
        _report(file, text[broken], column, faults, "not a whole number", allowed(column))
    else:
        broken = good.abs() > LARGEST
        _report(file, text[broken], column, faults, "too large", f"at most {LARGEST:g} in size")
        good, text = good[~broken], text[~broken]
    low, high = bounds(column)
    outside = pd.Series(False, index=good.index)
    if low is not None:
        outside |= good < low
    if high is not None:
        outside |= good > high
    what = "out of range"
    if column.name in ("lat", "lon") and outside.any():
        what = "out of range (are lat and lon swapped?)"
    _report(file, text[outside], column, faults, what, allowed(column))


def _check_codes(
    file: str,
    filled: pd.Series[Any],
    column: Column,
    faults: FaultList,
    codelists: CodeLists,
) -> None:
    codes = codelists.get(column.codes, frozenset())
    if column.listed:
        known = {
            cell: all(part.strip() in codes for part in cell.split(";") if part.strip())
            for cell in filled.unique()
        }
        wrong = filled[~filled.map(known).astype(bool)]
    else:
        wrong = filled[~filled.isin(list(codes))]
    _report(file, wrong, column, faults, f"unknown {column.codes}", ", ".join(sorted(codes)))


def _report(
    file: str,
    wrong: pd.Series[Any],
    column: Column,
    faults: FaultList,
    what: str,
    may_be: str,
) -> None:
    for line, value in wrong.head(MOST_LISTED + 1).items():
        faults.add(file, int(str(line)), column.name, what=what, found=value, allowed=may_be)


def _check_key(file: str, frame: pd.DataFrame, table: Table, faults: FaultList) -> None:
    if not table.key or frame.empty:
        return
    key = list(table.key)
    repeated = frame.duplicated(subset=key, keep="first")
    for line, values in frame.loc[repeated, key].head(MOST_LISTED + 1).iterrows():
        shown = ", ".join(str(value) for value in values)
        faults.add(
            file,
            int(str(line)),
            key[0] if len(key) == 1 else "+".join(key),
            what=f"duplicate {' + '.join(key)}",
            found=shown,
            allowed="each once",
        )


def check_references(
    frames: Mapping[str, pd.DataFrame],
    tables: Mapping[str, Table],
    targets: Mapping[str, Collection[str]],
    faults: FaultList,
) -> None:
    """Check every ``refers`` of every table in ``frames`` (frames keep line numbers as index).

    ``targets`` holds, for each ``table.column`` referred to, the values it may take; a
    target that is absent there is not checked.
    """
    for name, frame in frames.items():
        table = tables[name]
        for column in table.columns:
            if not column.refers:
                continue
            target, target_column = column.refers.split(".")
            if column.refers not in targets:
                continue
            known = targets[column.refers]
            cells = frame[column.name]
            if column.listed:
                cells = cells.str.split(";").explode().str.strip()
            wrong = cells[(cells != "") & ~cells.isin(list(known))]
            may_be = f"a {target_column} of {target}.csv"
            if column.loose and len(wrong):
                names = [str(value) for value in wrong.unique()]
                shown = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
                what = f"not in {target}.csv: {len(wrong)} row{'s' if len(wrong) > 1 else ''}"
                faults.note(
                    table.file, int(wrong.index[0]), column.name, what=what, found=shown, allowed=may_be
                )
                continue
            for line, value in wrong.head(MOST_LISTED + 1).items():
                what = f"not in {target}.csv"
                faults.add(table.file, int(str(line)), column.name, what=what, found=value, allowed=may_be)


def bounds(column: Column) -> tuple[float | None, float | None]:
    """The lowest and highest value a number column may hold (None: open)."""
    if column.kind == "year":
        return (
            YEARS[0] if column.minimum is None else column.minimum,
            YEARS[1] if column.maximum is None else column.maximum,
        )
    return column.minimum, column.maximum


def allowed(column: Column) -> str:
    """What ``column`` may hold, in words."""
    if column.codes:
        return f"a code of the list {column.codes}"
    if column.kind in ("number", "integer", "year"):
        low, high = bounds(column)
        word = {"number": "a number", "integer": "a whole number", "year": "a year"}[column.kind]
        if low is not None and high is not None:
            return f"{word} from {low:g} to {high:g}"
        if low is not None:
            return f"{word} of at least {low:g}"
        if high is not None:
            return f"{word} of at most {high:g}"
        return word
    return {"text": "text", "yes_no": "yes, no", "date": "YYYY-MM-DD"}[column.kind]


def _typed(cells: pd.Series[Any], column: Column) -> pd.Series[Any]:
    if column.kind == "number":
        numbers = pd.to_numeric(cells.replace("", np.nan), errors="coerce").astype(float)
        return numbers.where(np.isfinite(numbers))
    if column.kind in ("integer", "year"):
        numbers = pd.to_numeric(cells.replace("", np.nan), errors="coerce").astype(float)
        whole = numbers.where((numbers.abs() <= MOST) & (numbers == numbers.round()))
        return whole.astype("Int64")
    if column.kind == "yes_no":
        return cells.map({"yes": True, "no": False}).astype("boolean")
    return cells.astype(object)


# ---------------------------------------------------------------- computed frames


def empty(table: Table) -> pd.DataFrame:
    """A frame of no rows with the declared columns and types."""
    return _no_rows(table).copy()


@cache
def _no_rows(table: Table) -> pd.DataFrame:
    return pd.DataFrame(
        {column.name: _typed(pd.Series([], dtype=object), column) for column in table.columns}
    )


def conform(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Bring a computed frame into the declared columns, types and key order.

    Raises :class:`RunError` when a column is missing, unknown, blank where it may not be,
    out of its declared range, or when a key repeats: a plan never writes such a table.
    """
    missing = [name for name in table.names if name not in frame.columns]
    extra = [name for name in frame.columns if name not in table.names]
    if missing or extra:
        raise RunError(f"table {table.name}: missing columns {missing}, undeclared columns {extra}")
    out = {column.name: _conformed(frame[column.name], column, table.name) for column in table.columns}
    result = pd.DataFrame(out, columns=table.names)
    if not table.key or result.empty:
        return result
    place = _places([out[name] for name in table.key])
    order = np.argsort(place, kind="stable")
    twice = np.flatnonzero(np.diff(place[order]) == 0)
    if len(twice):
        row = result.iloc[order[twice + 1].min()]
        raise RunError(f"table {table.name}: key repeats: {row[list(table.key)].to_dict()}")
    if (np.diff(order) > 0).all():
        return result
    return result.take(order).reset_index(drop=True)


def _places(columns: list[Any]) -> NDArray[np.int64]:
    """The place of each row among the sorted distinct rows of ``columns``, (n,); empty cells come last."""
    place, count = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        text = isinstance(column.dtype, pd.StringDtype)  # as objects: many times faster to tell apart
        codes, distinct = pd.factorize(column.to_numpy(object) if text else column, sort=True)
        codes = np.where(codes < 0, len(distinct), codes)
        if count * (len(distinct) + 1) > MOST:
            known, place = np.unique(place, return_inverse=True)
            count = len(known)
        place, count = place * (len(distinct) + 1) + codes, count * (len(distinct) + 1)
    return place


def _conformed(values: pd.Series[Any], column: Column, table: str) -> Any:
    """The cells of a column as an array of its declared type."""
    if column.kind == "number":
        numbers = np.asarray(values.astype(float), dtype=np.float64)
        if np.isinf(numbers).any():
            raise RunError(f"table {table}, column {column.name}: infinite value")
        _check_filled(np.isnan(numbers), column, table)
        _check_range(numbers, column, table)
        return numbers
    if column.kind in ("integer", "year"):
        whole = values.astype("Int64").array
        _check_filled(whole.isna(), column, table)
        _check_range(whole.to_numpy(float, na_value=np.nan), column, table)
        return whole
    if column.kind == "yes_no":
        flags = values.astype("boolean").array
        _check_filled(flags.isna(), column, table)
        return flags
    if isinstance(values.dtype, pd.StringDtype):
        text = values.fillna("") if values.hasnans else values
    else:
        text = values.astype(object).where(values.notna(), "").map(str)
    _check_filled(text.to_numpy(object) == "", column, table)
    return text.array if len(text) else np.empty(0, dtype=object)  # as :func:`empty` has it


def _check_filled(blank: NDArray[np.bool_], column: Column, table: str) -> None:
    if not column.blank and blank.any():
        raise RunError(f"table {table}, column {column.name}: {int(blank.sum())} empty cells")


def _check_range(numbers: NDArray[np.float64], column: Column, table: str) -> None:
    """Raise :class:`RunError` where one of ``numbers`` lies outside of the column's bounds; NaN does not."""
    low, high = bounds(column)
    slack = 1e-9
    if low is not None and (numbers < low - slack).any():
        raise RunError(f"table {table}, column {column.name}: {np.nanmin(numbers)} is below {low:g}")
    if high is not None and (numbers > high + slack).any():
        raise RunError(f"table {table}, column {column.name}: {np.nanmax(numbers)} is above {high:g}")


# ---------------------------------------------------------------- docs and packages


def describe(table: Table) -> list[dict[str, str]]:
    """The declaration as rows for the docs: column, type, unit, allowed, description."""
    return [
        {
            "column": column.name,
            "type": column.kind,
            "unit": column.unit,
            "allowed": allowed(column) + (", may be empty" if column.blank else ""),
            "description": column.description,
        }
        for column in table.columns
    ]


def data_package_schema(table: Table) -> dict[str, Any]:
    """The declaration as a Data Package Table Schema."""
    kinds = {
        "text": "string",
        "number": "number",
        "integer": "integer",
        "year": "integer",
        "yes_no": "string",
        "date": "date",
    }
    fields = []
    for column in table.columns:
        field: dict[str, Any] = {
            "name": column.name,
            "type": kinds[column.kind],
            "description": column.description,
        }
        if column.unit:
            field["unit"] = column.unit
        constraints: dict[str, Any] = {"required": not column.blank}
        low, high = bounds(column)
        if low is not None:
            constraints["minimum"] = low
        if high is not None:
            constraints["maximum"] = high
        if column.kind == "yes_no":
            constraints["enum"] = ["yes", "no"]
        field["constraints"] = constraints
        fields.append(field)
    schema: dict[str, Any] = {"fields": fields}
    if table.key:
        schema["primaryKey"] = list(table.key)
    return schema
