"""The scorecard: the headlines of the plan as cards and as one table."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.report.blocks import Card, Cards, Head, Section, Table, Text
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import MISSING, is_missing, percent, pretty_unit, scale_for, year

BADGE = Markup('<strong class="badge illustrative">illustrative</strong>')


def build(context: Context) -> Section:
    """Cards in reading order (the first is the lead), then the same numbers as a table."""
    rows = sorted(context.rows("scorecard"), key=lambda row: int(row["order"]))
    weak = [row for row in rows if row["illustrative"]]
    lead: list[Text] = []
    if rows:
        lead.append(
            f"{len(rows)} headlines. Each shows its value, the range that the low and high ends "
            "of the drivers give, its target, and what it rests on."
        )
    if weak:
        lead.append(
            Markup(
                "{} of them wear the word {}: more than 30\u00a0% of their weight rests on inputs "
                "that were recalled from memory or assumed, so read them as an order of magnitude."
            ).format(len(weak), BADGE)
        )
    cards = tuple(_card(row, context) for row in rows)
    return Section("scorecard", "Scorecard", tuple(lead), (Cards(cards), _table(rows, context)))


def _met(row: Row) -> str:
    return str(row.get("met") or "").lower()


def _scale_values(row: Row) -> list[float | None]:
    return [row["value"], row["low"], row["high"], row["target"]]


def _card(row: Row, context: Context) -> Card:
    scale = scale_for(_scale_values(row), str(row["unit"]))
    low, high = row["low"], row["high"]
    known = not (is_missing(low) or is_missing(high))
    unit = scale.unit
    if scale.prefix:
        dated = scale.currency if " of " in scale.currency else context.money_unit
        unit = f"{unit} {dated}".strip()
    return Card(
        title=pretty_unit(str(row["title"])),
        value=scale.show(row["value"]),
        unit="" if is_missing(row["value"]) else unit,
        when=year(row["year"]) if row["year"] else "",
        spread=f"{scale.show(low)} to {scale.show(high)}" if known else "",
        target=scale.full(row["target"]) if not is_missing(row["target"]) else "",
        met=_met(row),
        illustrative=bool(row["illustrative"]),
        recalled=percent(row["recalled_share"]) if not is_missing(row["recalled_share"]) else "",
        source=context.cite.cite(row["source"], limit=5),
        note=str(row["note"] or ""),
    )


def met_cell(met: object) -> Text:
    """Whether a target is met, as a word with a colour; empty when it cannot be said."""
    word = str(met or "").lower()
    if word not in ("yes", "no"):
        return MISSING
    return Markup('<span class="met {}">{}</span>').format(word, "yes" if word == "yes" else "no")


def _table(rows: list[Row], context: Context) -> Table:
    out: list[tuple[Text, ...]] = []
    for row in rows:
        scale = scale_for(_scale_values(row), str(row["unit"]))
        share = percent(row["recalled_share"])
        rests: Text = Markup("{} {}").format(BADGE, share) if row["illustrative"] else share
        low, high = scale.show(row["low"]), scale.show(row["high"])
        out.append(
            (
                pretty_unit(str(row["title"])),
                year(row["year"]) if row["year"] else MISSING,
                scale.show(row["value"]),
                MISSING if MISSING == low == high else f"{low} to {high}",
                scale.long_unit,
                scale.show(row["target"]),
                met_cell(row["met"]),
                rests,
                context.cite.cite(row["source"]),
            )
        )
    head = (
        Head("Headline"),
        Head("Year", numeric=True),
        Head("Value", numeric=True),
        Head("Low to high", numeric=True),
        Head("Unit"),
        Head("Target", numeric=True),
        Head("Met"),
        Head("Recalled or assumed"),
        Head("Source"),
    )
    return Table(
        "Headlines with range, target and what they rest on",
        head,
        tuple(out),
        unit=f"in the column; money in {context.money_unit}; tonnes under {context.gwp}",
        year="in the column",
        source="in the column",
    )
