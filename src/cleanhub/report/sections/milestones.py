"""Milestones: every target, and where the path stands against it."""

from __future__ import annotations

from cleanhub.report import labels
from cleanhub.report.blocks import Head, Section, Table, Text
from cleanhub.report.context import Context
from cleanhub.report.numbers import is_missing, pretty_unit, scale_for, year
from cleanhub.report.sections.common import plural
from cleanhub.report.sections.scorecard import met_cell


def build(context: Context) -> Section:
    """One table, in order of the year due."""
    rows = sorted(context.rows("milestones"), key=lambda r: (r["year"], str(r["milestone"])))
    lead: list[Text] = []
    if rows:
        met = sum(row["met"] == "yes" for row in rows)
        missed = sum(row["met"] == "no" for row in rows)
        open_ = len(rows) - met - missed
        lead.append(
            f"{plural(len(rows), 'target')}: {met} met on this path, {missed} missed, "
            f"{open_} not measurable yet."
        )
    out: list[tuple[Text, ...]] = []
    for row in rows:
        scale = scale_for([row["value"], row["target"]], str(row["unit"]))
        out.append(
            (
                pretty_unit(str(row["name"])),
                year(row["year"]),
                scale.show(row["target"]),
                scale.show(row["value"]),
                scale.long_unit,
                "not measurable yet" if is_missing(row["value"]) else met_cell(row["met"]),
                labels.words(str(row["confidence"])),
                context.cite.cite(row["source"]),
                str(row["note"] or ""),
            )
        )
    table = Table(
        "Targets and where the path stands",
        (
            Head("Target"),
            Head("Due", numeric=True),
            Head("Target value", numeric=True),
            Head("On this path", numeric=True),
            Head("Unit"),
            Head("Met"),
            Head("Confidence"),
            Head("Source"),
            Head("Note", long=True),
        ),
        tuple(out),
        unit=f"in the column; tonnes under GWP set {context.gwp}",
        year="in the column",
        source="in the column",
    )
    return Section("milestones", "Milestones", tuple(lead), (table,))
