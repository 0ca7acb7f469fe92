"""The data pages: every table of the plan with its columns and units, sources, provenance, words."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.report.citations import outward
from cleanhub.report.context import as_rows
from cleanhub.report.numbers import count
from cleanhub.web.blocks import Cell, Head, PageTable, Text, head_of, typed, whole, words, year
from cleanhub.web.links import table_link
from cleanhub.web.view import PlanView

MOST_ROWS = 200
CONFIDENCES = ("seen", "derived", "recalled", "assumed")


def table_of_tables(view: PlanView) -> PageTable:
    """Every table of a plan: rows, what it holds, or that this plan has none or cleanhub makes none yet."""
    cells = []
    for name in sorted({*PLAN_TABLES, *view.plan.pending}):
        told = PLAN_TABLES[name].description if name in PLAN_TABLES else ""
        if view.has(name):
            size, where = whole(len(view.plan.tables[name])), Cell(table_link(name, name), name)
            csv: Cell = Cell(Markup('<a href="/data/{}.csv">CSV of {}</a>').format(name, name), name)
        else:
            room = view.plan.pending.get(name)
            size, where = whole(None), Cell(name, name)
            csv = Cell("not yet in cleanhub" if room else "not in this plan", "")
        cells.append((where, words(told), size, csv))
    head = (Head("Table"), Head("Holds", style="l"), Head("Rows", style="n"), Head("Download"))
    return PageTable("tables", "Tables of this plan", head, tuple(cells), filtered=True)


def columns_table(name: str) -> PageTable:
    """The columns of a table as they are declared."""
    declared = PLAN_TABLES[name]
    cells = tuple(
        (
            words(Markup("<code>{}</code>").format(column.name)),
            words(column.kind),
            words("share of 1" if column.unit == "1" else column.unit),
            words(column.description + (" (key)" if column.name in declared.key else "")),
        )
        for column in declared.columns
    )
    head = (Head("Column"), Head("Type"), Head("Unit"), Head("Holds", style="l"))
    return PageTable("columns", "Columns", head, cells)


def rows_table(view: PlanView, name: str) -> PageTable:
    """The first rows of a table; cells that name sources are cited."""
    declared = PLAN_TABLES[name]
    frame = view.plan.tables[name]
    cited = {"source_id", "source"}
    cells = [
        tuple(
            _cited(view, row[column.name]) if column.name in cited else typed(row[column.name], column)
            for column in declared.columns
        )
        for row in as_rows(frame.head(MOST_ROWS))
    ]
    note: Text = ""
    if len(frame) > MOST_ROWS:
        note = f"The first {MOST_ROWS} of {count(len(frame))} rows; the CSV and the API hold all."
    return PageTable(
        "rows", f"Rows of {name}", tuple(head_of(column) for column in declared.columns), tuple(cells),
        note=note, filtered=True,
    )  # fmt: skip


def _cited(view: PlanView, value: object) -> Cell:
    known = {str(row["source_id"]) for row in view.sources}
    ids = [one.strip() for one in str(value or "").split(";") if one.strip()]
    if not ids or not all(one in known for one in ids):
        return words(value)
    return Cell(Markup("{} {}").format("; ".join(ids), view.context.cite.cite(value)), str(value))


def sources_table(view: PlanView) -> PageTable:
    """Sources of hub and library: which inputs of this plan rest on each, by confidence."""
    used: dict[str, dict[str, int]] = {}
    for traced in view.rows("provenance"):
        for one in str(traced["source_id"] or "").split(";"):
            held = used.setdefault(one.strip(), {})
            held[str(traced["confidence"])] = held.get(str(traced["confidence"]), 0) + 1
    cells = []
    for number, source, row in view.context.cite.listed():  # every source: the view numbered them all
        counts = used.get(source, {})
        title = str(row.get("title") or source)
        shown = outward(str(row["address"]), title) if row.get("address") else title
        cells.append(
            (
                Cell(Markup('<span id="source-{}">[{}]</span>').format(number, number), str(number)),
                Cell(Markup("{}<br><small>{}</small>").format(shown, source), title),
                words(row.get("publisher")),
                year(row.get("year")),
                words(row.get("licence")),
                *(whole(counts.get(word)) for word in CONFIDENCES),
            )
        )
    head = (
        Head("No."),
        Head("Title and id", style="l"),
        Head("Publisher"),
        Head("Year", style="n"),
        Head("Licence"),
        *(Head(word, "inputs", "n") for word in CONFIDENCES),
    )
    return PageTable(
        "source-list", "Sources", head, tuple(cells), filtered=True,
        note="Inputs: rows of the table provenance that rest on the source. Links lead to the publishers' "
        "own pages, outside of cleanhub.",
        empty="The hub is not at hand, so its sources are not either.",
    )  # fmt: skip


def provenance_summary(view: PlanView) -> PageTable:
    """How the inputs of the plan are known: rows of provenance by table and confidence."""
    found: dict[str, dict[str, int]] = {}
    for row in view.rows("provenance"):
        held = found.setdefault(str(row["table"]), {})
        held[str(row["confidence"])] = held.get(str(row["confidence"]), 0) + 1
    cells = tuple(
        (words(name), *(whole(found[name].get(word, 0)) for word in CONFIDENCES)) for name in sorted(found)
    )
    head = (Head("Input table"), *(Head(word, "rows", "n") for word in CONFIDENCES))
    return PageTable(
        "provenance", "What the plan rests on", head, cells, absent=not view.has("provenance"),
        note=Markup(
            "Seen: read in the source. Derived: reckoned from what was read. Recalled: from memory. Assumed: "
            "chosen by us. Every row: {}."
        ).format(table_link("provenance")),
    )  # fmt: skip


def words_tables(view: PlanView) -> tuple[PageTable, ...]:
    """The codelists that a reader of these pages meets."""
    lists = ("stage", "role", "gate", "barrier", "actor", "link_kind", "confidence", "sector")
    head = (Head("Word"), Head("Meaning", style="l"))
    return tuple(
        PageTable(
            f"words-{name}",
            name.replace("_", " ").capitalize(),
            head,
            tuple((words(code), words(meaning)) for code, meaning in view.meanings[name].items()),
        )
        for name in lists
        if name in view.meanings
    )
