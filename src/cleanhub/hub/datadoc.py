"""A hub's data in words: what each table holds, where it came from, how far to trust it.

:func:`describe_hub` turns a loaded package into Markdown. It knows no hub by name: whatever
it says is counted in the tables or read from ``datapackage.json``. What only a person can
know about a hub's data is written by hand beside the generated page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from cleanhub.core.tables import Table
from cleanhub.hub.package import Hub
from cleanhub.hub.schema import PACKAGE_TABLES
from cleanhub.hub.series import CONFIDENCE_ORDER

WEAK = ("recalled", "assumed")
MOST_NOTES = 4
"""Weak spots shown for each table: the notes that most of its weak rows carry."""


def describe_hub(hub: Hub) -> str:
    """The data page of ``hub`` as Markdown, the same for the same package.

    It holds the package's own description, one line per table (rows, years, confidence),
    then for each table with rows its sources and its weak spots, then the files beside the
    tables and every source with title, publisher, year, licence and rows.
    """
    filled = {name: PACKAGE_TABLES[name] for name in PACKAGE_TABLES if len(hub.tables[name])}
    parts = [
        f"# Data of the {hub.title}",
        _head(hub),
        "## How far each value can be trusted",
        _confidence_words(hub),
        "## Tables at a glance",
        _glance(hub, filled),
        "## Each table",
        *[_table_part(hub, name, table) for name, table in filled.items() if name != "sources"],
        "## Drivers",
        _drivers_part(hub),
        "## Files beside the tables",
        _files_part(hub),
        "## Sources",
        _sources_part(hub, filled),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[int] = ()) -> str:
    """A Markdown table; ``right`` lists the columns to align right. Bars in cells are escaped."""
    rules = ["---:" if column in right else "---" for column in range(len(header))]
    lines = [header, rules, *[[_cell(cell) for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _head(hub: Hub) -> str:
    licences = "; ".join(str(one.get("title") or one.get("name", "")) for one in hub.meta["licenses"])
    return "\n\n".join(
        [
            str(hub.meta.get("description", "")),
            "\n".join(
                [
                    f"- Package `{hub.name}`, version {hub.meta.get('version', 'not stated')}.",
                    f"- Inventory: {hub.meta.get('inventory_title', 'not named')}.",
                    f"- Last inventory year {hub.base_year}; GWP set {hub.gwp}.",
                    f"- Licence of the package: {licences}.",
                ]
            ),
        ]
    )


def _confidence_words(hub: Hub) -> str:
    rows = [(f"`{word}`", hub.library.meaning("confidence", word)) for word in CONFIDENCE_ORDER]
    return markdown_table(["confidence", "meaning"], rows)


def _glance(hub: Hub, filled: dict[str, Table]) -> str:
    rows = []
    for name in filled:
        frame = hub.tables[name]
        counts = _counts(frame)
        weak = "" if counts is None else f"{sum(counts[word] for word in WEAK) / len(frame) * 100:.0f} %"
        shown = ["" if counts is None else f"{counts[word]:,}" for word in CONFIDENCE_ORDER]
        rows.append((f"`{name}`", f"{len(frame):,}", _years(frame), *shown, weak))
    header = ["table", "rows", "years", *CONFIDENCE_ORDER, "recalled or assumed"]
    empty = [f"`{name}`" for name in PACKAGE_TABLES if name not in filled]
    text = markdown_table(header, rows, right=(1, 3, 4, 5, 6, 7))
    return text + (f"\n\nTables without rows: {', '.join(empty)}." if empty else "")


def _counts(frame: pd.DataFrame) -> dict[str, int] | None:
    if "confidence" not in frame.columns:
        return None
    counts = frame["confidence"].value_counts(sort=False)
    return {word: int(counts.get(word, 0)) for word in CONFIDENCE_ORDER}


def _years(frame: pd.DataFrame) -> str:
    if "year" not in frame.columns or frame["year"].isna().all():
        return ""
    first, last = int(frame["year"].min()), int(frame["year"].max())
    return str(first) if first == last else f"{first} to {last}"


def _table_part(hub: Hub, name: str, table: Table) -> str:
    frame = hub.tables[name]
    years = _years(frame)
    lines = [f"### `{name}`", table.description, f"{len(frame):,} rows{f', {years}' if years else ''}."]
    if "source_id" in frame.columns:
        lines.append("Sources (rows): " + ", ".join(_by_source(frame)) + ".")
    spots = _weak_spots(frame)
    if spots:
        lines.append(
            "Weak spots, as noted on most of the recalled and assumed rows:\n\n"
            + "\n".join(f"- {note} ({count} row{'s' if count > 1 else ''})" for note, count in spots)
        )
    return "\n\n".join(lines)


def _by_source(frame: pd.DataFrame) -> list[str]:
    counts = frame["source_id"].value_counts(sort=False)
    order = sorted(counts.index, key=lambda one: (-int(counts[one]), str(one)))
    return [f"`{one}` ({int(counts[one]):,})" for one in order]


def _weak_spots(frame: pd.DataFrame) -> list[tuple[str, int]]:
    if not {"note", "confidence"} <= set(frame.columns):
        return []
    notes = frame.loc[frame["confidence"].isin(WEAK) & (frame["note"] != ""), "note"]
    counts = notes.map(_cell).value_counts(sort=False)
    order = sorted(counts.index, key=lambda note: (-int(counts[note]), str(note)))
    return [(str(note), int(counts[note])) for note in order[:MOST_NOTES]]


def _drivers_part(hub: Hub) -> str:
    rows = []
    for driver, mine in hub.tables["drivers"].groupby("driver", sort=True):
        counts = _counts(mine) or {}
        words = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        ranged = "yes" if (mine["low"].notna() | mine["high"].notna()).any() else "no"
        rows.append((f"`{driver}`", mine["kind"].iloc[0], mine["unit"].iloc[0], _years(mine), words, ranged))
    if not rows:
        return "The package has no drivers."
    return "Years between rows are interpolated; a value carried beyond the last row is `assumed`.\n\n" + (
        markdown_table(["driver", "kind", "unit", "years", "rows by confidence", "range given"], rows)
    )


def _files_part(hub: Hub) -> str:
    tables = {table.file for table in PACKAGE_TABLES.values()}
    rows = [
        (f"`{one['path']}`", one.get("description") or one.get("title", ""))
        for one in hub.meta["resources"]
        if isinstance(one, dict) and one.get("path") not in tables
    ]
    return markdown_table(["file", "what it is"], rows) if rows else "None."


def _sources_part(hub: Hub, filled: dict[str, Table]) -> str:
    used: dict[str, list[str]] = {}
    for name in filled:
        frame = hub.tables[name]
        if name == "sources" or "source_id" not in frame.columns:
            continue
        for source, count in frame["source_id"].value_counts(sort=False).items():
            used.setdefault(str(source), []).append(f"{name} {int(count):,}")
    rows = []
    for _, row in hub.sources().sort_values("source_id").iterrows():
        if row["source_id"] not in used:
            continue
        copyleft = " (single figures read through a copyleft repository)"
        rows.append(
            (
                f"`{row['source_id']}`",
                row["title"],
                row["publisher"],
                "" if pd.isna(row["year"]) else int(row["year"]),
                row["licence"] + (copyleft if bool(row["read_through_copyleft"]) else ""),
                ", ".join(used[str(row["source_id"])]),
            )
        )
    return markdown_table(["source", "title", "publisher", "year", "licence", "rows by table"], rows)
