"""Tables of a plan as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pandas as pd

from cleanhub.core.tables import Table

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the start of a formula


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as mappings; what is missing or infinite becomes ``None``."""
    rows: list[dict[str, Any]] = json.loads(
        frame.to_json(orient="records", double_precision=15, date_format="iso")
    )
    return rows


def columns_of(table: Table) -> list[dict[str, Any]]:
    """The declaration of a table's columns."""
    return [
        {"name": one.name, "kind": one.kind, "unit": one.unit, "description": one.description}
        for one in table.columns
    ]


def as_json(data: Any) -> bytes:
    """``data`` as JSON in UTF-8; an infinity or NaN in it is a fault of ours and raises ``ValueError``."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, default=str).encode()


def as_csv(frame: pd.DataFrame, table: Table) -> bytes:
    """A table as CSV in UTF-8 with all digits.

    Text that a spreadsheet would take for a formula gets a ``'`` before it.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.names)
    text = {column.name for column in table.columns if column.kind in ("text", "date")}
    columns = []
    for name in table.names:
        cells = frame[name].astype(object).where(frame[name].notna(), "").tolist()
        columns.append([_harmless(str(cell)) for cell in cells] if name in text else cells)
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue().encode()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell
