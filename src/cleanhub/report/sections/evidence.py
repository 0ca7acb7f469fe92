"""Sources: every source that the report or its provenance names, and how sure the inputs are."""

from __future__ import annotations

from collections import Counter

from markupsafe import Markup

from cleanhub.report import labels
from cleanhub.report.blocks import Head, Section, Table, Text
from cleanhub.report.citations import outward
from cleanhub.report.context import Context
from cleanhub.report.numbers import MISSING, count, percent

_MEANING = {
    "seen": "read in a public source",
    "derived": "computed from seen values, or measured",
    "recalled": "from memory, not verified: check before it carries weight",
    "assumed": "chosen by judgement, no source",
}


def build(context: Context) -> Section:
    """Confidence of the inputs, then the sources; must be built after all other sections."""
    rows = context.rows("provenance")
    for source in sorted({str(row["source_id"] or "") for row in rows}):
        context.cite.add(source)
    return Section(
        "sources",
        "Sources and confidence",
        (),
        (_confidence(rows), _sources(context), _licences(context)),
    )


def _confidence(rows: list[dict[str, object]]) -> Table:
    found = Counter(str(row["confidence"]) for row in rows)
    order = [*_MEANING, *sorted(set(found) - set(_MEANING))]
    total = sum(found.values())
    cells: tuple[tuple[Text, ...], ...] = tuple(
        (labels.words(c), count(found[c]), percent(found[c] / total), _MEANING.get(c, ""))
        for c in order
        if total
    )
    return Table(
        "How sure the inputs are",
        (
            Head("Confidence"),
            Head("Inputs", numeric=True),
            Head("Share", numeric=True),
            Head("Meaning"),
        ),
        cells,
        unit="number of inputs that the shown numbers rest on",
        source="this plan, table provenance",
        empty="This plan holds no provenance.",
    )


def _sources(context: Context) -> Table:
    rows: list[tuple[Text, ...]] = []
    for number, one, row in context.cite.listed():
        title = str(row.get("title") or "not described in this hub's sources")
        address = str(row.get("address") or "")
        rows.append(
            (
                Markup('<span id="source-{}">{}</span>').format(number, number),
                Markup("{}<br><code>{}</code>").format(outward(address, title) if address else title, one),
                str(row.get("publisher") or MISSING),
                str(row.get("year") or MISSING),
                str(row.get("licence") or MISSING),
            )
        )
    return Table(
        "Sources",
        (
            Head("#", numeric=True),
            Head("Title and id", long=True),
            Head("Publisher"),
            Head("Year", numeric=True),
            Head("Licence"),
        ),
        tuple(rows),
        empty="No source is named in this plan.",
        id="source-table",
    )


def _licences(context: Context) -> Table:
    rows: list[tuple[Text, ...]] = []
    listed = context.hub.meta.get("licenses")
    for licence in listed if isinstance(listed, list) else []:
        if isinstance(licence, dict):
            title = str(licence.get("title") or licence.get("name") or "")
            path = str(licence.get("path") or "")
            rows.append((str(licence.get("name") or MISSING), outward(path, title)))
    return Table(
        "Licence of the hub's data package",
        (Head("Licence"), Head("Title")),
        tuple(rows),
        empty="The package states no licence.",
    )
