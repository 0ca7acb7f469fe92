"""How the plan was made, and what this model cannot tell."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.report import labels, limits
from cleanhub.report.blocks import Block, Head, Prose, Section, Table, Text
from cleanhub.report.context import Context
from cleanhub.report.numbers import MISSING, Scale, scale_for

_METHOD = (
    (
        "The path starts from the published inventory. Sites keep their reported tonnes, cohorts take "
        "their share of an inventory category, and what remains of each inventory sector is kept as "
        "its rest and moved by a stated driver, never scaled into the sites."
    ),
    (
        "Year by year, each site whose main equipment falls due compares its technology with the "
        "changes the library allows, under the prices, payments and limits of the scenario. Wishes "
        "are granted in order of the saving until a limit refuses. Truck buyers choose by total cost "
        "of ownership, with a spread. Ranges come from running the path again with the drivers at "
        "their low and high ends. This is a first, simple year loop: one decision rule, and no "
        "feedback of demand on prices."
    ),
    (
        "Scope 1 emissions inside the inventory boundary are what is added up. Scope 2 and 3, biogenic "
        "CO\N{SUBSCRIPT TWO} and excluded sources are kept apart and never added to them."
    ),
)


def build(context: Context) -> Section:
    """Method, limits of the method, notes of the run, and pending tables."""
    plan = context.plan
    notes = tuple(context.named(str(note)) for note in plan.notes)
    blocks: list[Block] = [Prose(_METHOD), limits.limits_block(context), limits.headlines_block(context)]
    if notes:
        blocks.append(Prose((Markup("<b>Notes of this run</b>"),), notes))
    return Section(
        "method",
        "Method, and what this model cannot tell you",
        (),
        (*blocks, _backtest(context), _pending(context), _tables(context)),
    )


_SHARES = {"1": "share", "1/yr": "a year"}
"""Units that are shown as percent, in words."""


def _backtest(context: Context) -> Table:
    out: list[tuple[Text, ...]] = []
    rows = context.rows("pipeline_backtest")
    for row in sorted(rows, key=lambda r: (str(r["population"]), str(r["metric"]), str(r["date"]))):
        share = str(row["unit"]) in _SHARES
        shown = (
            Scale(0.01, "", "%") if share else scale_for([row["ours"], row["published"]], str(row["unit"]))
        )
        given = row["low"] == row["high"]
        inside: Text = "no test"
        if not given and row["published"] is not None:
            inside = "inside" if row["low"] <= row["published"] <= row["high"] else "outside"
        out.append(
            (
                Markup("{}<br><small>{}</small>").format(
                    row["population"],
                    f"{labels.words(str(row['metric']))}, {_SHARES.get(str(row['unit']), row['unit'])}",
                ),
                str(row["date"])[:10],
                f"{shown.show(row['ours'])}{' %' if share else ''}",
                MISSING if given else f"{shown.show(row['low'])} to {shown.show(row['high'])}",
                f"{shown.show(row['published'])}{' %' if share else ''}",
                inside,
                str(row["how"]),
                Markup("{} {}").format(row["confidence"], context.cite.cite(row["source_id"])),
            )
        )
    return Table(
        "The rates of the pipeline against published counts",
        (
            Head("What is counted", long=True),
            Head("Date"),
            Head("Ours", "mean", numeric=True),
            Head("5th to 95th percentile", numeric=True),
            Head("Published", numeric=True),
            Head("Published is"),
            Head("What is given, what is found", long=True),
            Head("Source"),
        ),
        tuple(out),
        unit="in the column",
        year="in the column",
        source="in the column",
        note="Outside is shown as it is: where a count lies outside, the hazard of other sectors does not "
        "hold for it. No test: the figure is an input, or the gates were calibrated to it.",
        empty="No published count was compared with this plan.",
        id="pipeline-backtest",
    )


def _pending(context: Context) -> Table:
    rows: tuple[tuple[Text, ...], ...] = tuple(
        (name, room) for name, room in sorted(context.plan.pending.items())
    )
    return Table(
        "Pending: part of the design, not built yet",
        (Head("Table"), Head("Room that will build it")),
        rows,
        note="A plan never fakes a table it cannot compute.",
        empty="Nothing is pending.",
    )


def _tables(context: Context) -> Table:
    rows: list[tuple[Text, ...]] = []
    for name, table in PLAN_TABLES.items():
        frame = context.plan.tables.get(name)
        size = f"{len(frame):,}" if frame is not None else "absent"
        rows.append((name, size, table.description))
    return Table(
        "Tables of this plan",
        (Head("Table"), Head("Rows", numeric=True), Head("What it holds")),
        tuple(rows),
    )
