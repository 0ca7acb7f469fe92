"""Promises and buyers: who promised what against the path, and who would buy from which project."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.report import labels
from cleanhub.report.blocks import Head, Section, Table, Text
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import MISSING, Scale, number, percent, pretty_unit, scale_for, year
from cleanhub.report.sections.common import plural
from cleanhub.report.sections.scorecard import met_cell

_STATUS = {
    "bound": "Bound by contract",
    "match": "Buys the product",
    "too_little": "Buys too little to carry it",
    "too_late": "Project comes too late",
    "no_project": "No project makes it",
}


def build(context: Context) -> Section:
    """Promises that can be compared, those that stand beside, those that cannot, and the buyers."""
    rows = sorted(
        context.rows("commitments"), key=lambda r: (int(r["year"]), str(r["actor"]), str(r["commitment_id"]))
    )
    offers = context.rows("offtake")
    title = "Promises and buyers"
    if not rows and not offers:
        return Section("commitments", title, ("This plan holds no commitments and no buyers.",), ())
    compared = [row for row in rows if row["gap"] is not None]
    beside = [row for row in rows if row["gap"] is None and row["pathway"] is not None]
    other = [row for row in rows if row["gap"] is None and row["pathway"] is None]
    lead: list[Text] = []
    if rows:
        kept = sum(row["gap"] <= 0 for row in compared)
        lead.append(
            f"{plural(len(rows), 'promise')}: {len(compared)} can be put against the path and {kept} of "
            f"these {'is' if kept == 1 else 'are'} kept on it; {len(beside)} are about the whole world or "
            f"one company and stand beside what the hub does; {len(other)} cannot be compared."
        )
    return Section(
        "commitments",
        title,
        tuple(lead),
        (
            _compared(context, compared),
            _beside(context, beside),
            _other(context, other),
            _buyers(context, offers),
        ),
    )


def _who(row: Row) -> Text:
    below = [
        labels.words(str(row["metric"])),
        labels.sector(str(row["sector"])) if row["sector"] else "",
        str(row["platform"] or ""),
    ]
    small = "; ".join(part for part in below if part and part != row["actor"])
    return Markup("{}<br><small>{}</small>").format(row["actor"], small)


def _value(scale: Scale, value: float | None) -> str:
    """A value with a short unit; that tonnes are of CO2e a year stands under the table."""
    unit = scale.unit.removesuffix("CO\N{SUBSCRIPT TWO}e per year").strip()
    return f"{scale.show(value)} {unit}".strip() if value is not None else MISSING


def _scale(row: Row) -> Scale:
    return scale_for(
        [row["target"], row["pathway"], row["gap"]], "" if row["unit"] == "1" else str(row["unit"])
    )


def _rest(context: Context, row: Row) -> tuple[Text, Text]:
    how = str(row["how"]).removeprefix("compared with ")
    how = context.with_assets(how)
    return how, Markup("{} {}").format(
        labels.words(str(row["confidence"])), context.cite.cite(row["source_id"])
    )


def _compared(context: Context, rows: list[Row]) -> Table:
    out: list[tuple[Text, ...]] = []
    for row in rows:
        scale = _scale(row)
        out.append(
            (
                _who(row),
                year(row["year"]),
                _value(scale, row["target"]),
                _value(scale, row["pathway"]),
                _value(scale, row["gap"]) if row["gap"] > 0 else met_cell("yes"),
                *_rest(context, row),
            )
        )
    return Table(
        "Promises against the path",
        (
            Head("Who promised what", long=True),
            Head("By", numeric=True),
            Head("Promised", numeric=True),
            Head("On this path", numeric=True),
            Head("Short by", "or kept", numeric=True),
            Head("Compared with", long=True),
            Head("Source"),
        ),
        tuple(out),
        unit="in the column; kt and Mt are of CO\N{SUBSCRIPT TWO}e a year",
        year="in the column",
        source="in the column",
        note="The path follows from prices and rules; it does not know of promises. A promise that is not "
        "kept on it says what would have to change, not that it will be broken.",
        empty="No promise can be put against the path.",
        id="promises",
    )


def _beside(context: Context, rows: list[Row]) -> Table:
    out: list[tuple[Text, ...]] = []
    for row in rows:
        scale = _scale(row)
        how, source = _rest(context, row)
        out.append(
            (
                _who(row),
                year(row["year"]),
                _value(scale, row["target"]),
                _value(scale, row["pathway"]),
                percent(row["share_of_target"]),
                how,
                source,
            )
        )
    return Table(
        "Promises of the world or of one company, beside what the hub does",
        (
            Head("Who promised what", long=True),
            Head("By", numeric=True),
            Head("Promised", numeric=True),
            Head("The hub", numeric=True),
            Head("Part of it", numeric=True),
            Head("Why there is no gap, and what is shown", long=True),
            Head("Source"),
        ),
        tuple(out),
        unit="in the column; kt and Mt are of CO\N{SUBSCRIPT TWO}e a year",
        year="in the column",
        source="in the column",
        empty="None.",
        id="promises-beside",
    )


def _other(context: Context, rows: list[Row]) -> Table:
    out: tuple[tuple[Text, ...], ...] = tuple(
        (
            _who(row),
            year(row["year"]),
            _value(_scale(row), row["target"]),
            *_rest(context, row),
        )
        for row in rows
    )
    return Table(
        "Promises that cannot be compared, and why",
        (
            Head("Who promised what", long=True),
            Head("By", numeric=True),
            Head("Promised", numeric=True),
            Head("Why not", long=True),
            Head("Source"),
        ),
        out,
        unit="in the column; kt and Mt are of CO\N{SUBSCRIPT TWO}e a year",
        year="in the column",
        source="in the column",
        empty="None.",
        id="promises-not-compared",
    )


# ---------------------------------------------------------------- buyers


def _per(value: float | None, unit: object) -> str:
    if value is None:
        return MISSING
    return f"${number(value)}/{pretty_unit(str(unit or '')).removeprefix('USD/')}"


def _project(context: Context, row: Row) -> Text:
    """A project with the part of its output that would be bought and the premium it needs."""
    name = ", ".join(context.projects_in(row["project_id"])) or MISSING
    facts = []
    if row["share_of_output"] is not None:
        facts.append(percent(row["share_of_output"]))
    if row["needed_premium"] is not None:
        facts.append(f"needs {_per(row['needed_premium'], row['premium_unit'])}")
    return (
        Markup("{} <small>({})</small>").format(name, ", ".join(facts))
        if facts
        else Markup("{}").format(name)
    )


def _why(context: Context, rows: list[Row]) -> str:
    """The reason of the first; what only concerns one of several projects is left out."""
    said = str(rows[0]["because"])
    if len(rows) > 1 and all(str(row["because"]).split("; ")[1:] == said.split("; ")[1:] for row in rows):
        said = "; ".join(said.split("; ")[1:]) or said
    return context.named(said)


def _buyers(context: Context, rows: list[Row]) -> Table:
    order = list(_STATUS)
    ranked = sorted(
        rows,
        key=lambda r: (
            order.index(r["status"]) if r["status"] in order else len(order),
            str(r["offtaker_id"]),
            str(r["project_id"] or ""),
        ),
    )
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in ranked:
        grouped.setdefault((str(row["offtaker_id"]), str(row["status"])), []).append(row)
    out: tuple[tuple[Text, ...], ...] = tuple(
        (
            Markup("{}<br><small>{}</small>").format(rows[0]["name"], labels.words(str(rows[0]["product"]))),
            _STATUS.get(str(rows[0]["status"])) or labels.words(str(rows[0]["status"])),
            f"{number(rows[0]['volume'])} {pretty_unit(str(rows[0]['unit'] or ''))}"
            if rows[0]["volume"] is not None
            else MISSING,
            Markup("<br>").join(_project(context, row) for row in rows),
            _per(rows[0]["premium"], rows[0]["premium_unit"]),
            _why(context, rows),
            labels.words(str(rows[0]["confidence"])),
        )
        for rows in grouped.values()
    )
    return Table(
        "Buyers, and the projects whose sales they could close",
        (
            Head("Buyer", long=True),
            Head("Match"),
            Head("Would buy", numeric=True),
            Head("Projects", "part of their output, premium they need", long=True),
            Head("Premium paid", numeric=True),
            Head("Because", long=True),
            Head("Confidence"),
        ),
        out,
        unit=f"in the column; money in {context.money_unit}",
        source="this plan, table offtake",
        note=f"{MISSING}: not published, or not valued. A match is a product and a volume, not a talk that "
        "took place.",
        empty="No buyers in this plan.",
        id="buyers",
    )
