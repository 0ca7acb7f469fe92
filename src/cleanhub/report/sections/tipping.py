"""Tipping points: when clean costs no more, when it takes hold, and which milestones are met."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.report import labels, palette, pathway_charts
from cleanhub.report.blocks import Block, Figure, Head, Key, Section, Table, Text
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import MISSING, number, pretty_unit, scale_for, year
from cleanhub.report.pathway_charts import Cell, RowName, Span
from cleanhub.report.sections.common import pair, plural
from cleanhub.report.sections.scorecard import met_cell

_HUE = palette.CATEGORIES[0].css
MOST_IN_GROUP = 8
"""Technologies drawn of one product: those that tip in most regions; all stand in the data."""
WHOLE_HUB = "Whole hub"


def build(context: Context) -> Section:
    """Heat map of parity years, adoption, and the programmes' milestones."""
    rows = sorted(context.rows("tipping_points"), key=_key)
    parity = [row for row in rows if row["kind"] == "cost_parity"]
    lead: list[Text] = []
    if parity:
        reached = sum(row["year"] is not None for row in parity)
        lasting = sum(row["lasts"] == "yes" for row in parity)
        lead.append(
            f"{plural(len(parity), 'comparison')} of a cleaner technology, built or bought new, with the new "
            f"incumbent: {reached} reach cost parity on this path, {lasting} of them for good."
        )
    goals = [row for row in rows if row["kind"] == "milestone"]
    if goals:
        met = sum(row["met"] == "yes" for row in goals)
        missed = sum(row["met"] == "no" for row in goals)
        lead.append(
            f"Of {plural(len(goals), 'milestone')} set by the sectors' programmes {met} are met in their "
            f"year, {missed} are missed; the others cannot be judged on this hub."
        )
    blocks: tuple[Block, ...] = (
        _figure(context, parity),
        _retrofits(context, rows),
        _adoption(context, rows),
    )
    return Section("tipping", "When clean costs no more", tuple(lead), (*blocks, _milestones(context, goals)))


def _key(row: Row) -> tuple[str, ...]:
    names = ("sector", "product", "region", "technology", "against", "kind", "milestone", "threshold")
    return tuple(str(row[name]) for name in names)


# ---------------------------------------------------------------- parity


def _place(row: Row) -> str:
    return labels.region(str(row["region"])) if row["region"] else WHOLE_HUB


def _named(context: Context, row: Row) -> RowName:
    sector = labels.sector(str(row["sector"]))
    product = str(row["product"])
    group = (
        sector if product in (row["sector"], "distance", "") else f"{sector}: {labels.words(product).lower()}"
    )
    return RowName(context.technology(row["technology"]), group)


def _ordered(context: Context, parity: list[Row]) -> list[tuple[RowName, list[Row]]]:
    """Rows of the figure with the cells' rows, by sector and product, then by earliest parity."""
    found: dict[RowName, list[Row]] = {}
    for row in sorted(parity, key=lambda r: (str(r["sector"]), str(r["product"]), str(r["technology"]))):
        found.setdefault(_named(context, row), []).append(row)
    groups = list(dict.fromkeys(name.group for name in found))

    def rank(item: tuple[RowName, list[Row]]) -> tuple[int, int, int, str]:
        when = [int(row["year"]) for row in item[1] if row["year"] is not None]
        return groups.index(item[0].group), -len(when), min(when, default=9999), item[0].label

    return sorted(found.items(), key=rank)


def _figure(context: Context, parity: list[Row]) -> Figure:
    title = "Year of cost parity with the incumbent, new against new"
    if not parity:
        return Figure(
            "fig-parity", title, Markup(""), empty="No cleaner technology of the library is compared."
        )
    ordered = _ordered(context, parity)
    drawn: dict[str, int] = {}
    shown = []
    for name, rows in ordered:
        drawn[name.group] = drawn.get(name.group, 0) + 1
        if drawn[name.group] <= MOST_IN_GROUP:
            shown.append((name, rows))
    places = sorted({_place(row) for row in parity}, key=lambda p: (p != WHOLE_HUB, p))
    reached = sum(row["year"] is not None for row in parity)
    description = f"{reached} of {len(parity)} comparisons reach parity. " + " ".join(
        f"{name.label}: {_in_words(rows)}." for name, rows in shown[:8]
    )

    def draw(width: int, identifier: str) -> Markup:
        if len(places) == 1:
            return _spans(context, width, identifier, title, description, shown)
        return _heat_map(context, width, identifier, title, description, shown, places)

    wide, narrow = pair(draw, "fig-parity")
    left_out = len(ordered) - len(shown)
    note = (
        "Full cost with carbon price, credits and the capital that learning leaves on this path. "
        "Hatched: parity is lost again before the end."
    )
    if len(places) > 1:
        note += " A dash: not on this path; a question mark: a price is not known; blank: not offered there."
    if left_out:
        note += f" {plural(left_out, 'technology', 'technologies')} more in the data below."
    return Figure(
        "fig-parity",
        title,
        wide,
        narrow,
        legend=(
            Key("Earlier parity is darker" if len(places) > 1 else "Costs no more than the incumbent", _HUE),
            Key("Parity does not last", _HUE, "hatch"),
        ),
        unit="first year in which the technology costs no more than the incumbent",
        year=f"{context.base_year} to {context.end_year}",
        source="this plan, table tipping_points",
        note=note,
        data=_parity_data(context, parity),
    )


def _in_words(rows: list[Row]) -> str:
    when = [int(row["year"]) for row in rows if row["year"] is not None]
    if not when:
        return "not on this path"
    return str(when[0]) if min(when) == max(when) else f"{min(when)} to {max(when)}"


def _spans(
    context: Context,
    width: int,
    identifier: str,
    title: str,
    description: str,
    shown: list[tuple[RowName, list[Row]]],
) -> Markup:
    bars = []
    for name, rows in shown:
        row = min(rows, key=lambda r: (r["year"] is None, r["year"] or 0, str(r["against"])))
        start = None if row["year"] is None else int(row["year"])
        lost = _lost(row) if row["lasts"] == "no" else None
        bars.append(Span(name, start, lost, _about(context, row)))
    first = context.base_year
    return pathway_charts.spans(width, identifier, title, description, (first, context.end_year), bars, _HUE)


def _lost(row: Row) -> int | None:
    """The year in which a parity is lost, read off the note of the row."""
    words = str(row["note"]).split("lost again in ")
    return int(words[1][:4]) if len(words) > 1 and words[1][:4].isdigit() else None


def _heat_map(
    context: Context,
    width: int,
    identifier: str,
    title: str,
    description: str,
    shown: list[tuple[RowName, list[Row]]],
    places: list[str],
) -> Markup:
    first, last = context.base_year, context.end_year
    cells: dict[tuple[int, int], Cell] = {}
    for i, (_, rows) in enumerate(shown):
        for row in rows:
            at = (i, places.index(_place(row)))
            if row["year"] is None:
                text = "?" if row["value"] is None else MISSING
                cells[at] = Cell(text, None, about=_about(context, row))
                continue
            when = int(row["year"])
            strength = (last - when) / max(last - first, 1)
            cells[at] = Cell(str(when), strength, row["lasts"] == "no", _about(context, row))
    names = [name for name, _ in shown]
    return pathway_charts.heat_map(width, identifier, title, description, names, places, cells, _HUE)


def _about(context: Context, row: Row) -> str:
    return (
        f"{context.technology(row['technology'])}, {_place(row)}: {number(row['value'])} against "
        f"{number(row['threshold'])} {row['unit']} of {context.technology(row['against'])}"
        f" in {row['year'] if row['year'] is not None else context.end_year}"
    )


def _parity_data(context: Context, parity: list[Row]) -> Table:
    out: list[tuple[Text, ...]] = [
        (
            labels.sector(str(row["sector"])),
            _place(row),
            context.technology(row["technology"]),
            context.technology(row["against"]),
            year(row["year"]) if row["year"] is not None else MISSING,
            str(row["lasts"] or MISSING),
            number(row["value"]),
            number(row["threshold"]),
            pretty_unit(str(row["unit"])),
            labels.words(str(row["confidence"])),
            str(row["note"] or ""),
        )
        for row in parity
    ]
    head = (
        Head("Sector"),
        Head("Region"),
        Head("Technology"),
        Head("Against"),
        Head("Parity", numeric=True),
        Head("Lasts"),
        Head("Cost", numeric=True),
        Head("Incumbent's cost", numeric=True),
        Head("Unit"),
        Head("Confidence"),
        Head("Note", long=True),
    )
    note = f"Costs are those of the year of parity, or of {context.end_year} where there is none."
    return Table("Cost parity, new against new", head, tuple(out), unit=context.money_unit, note=note)


def _retrofits(context: Context, rows: list[Row]) -> Table:
    """Retrofits against running on: what an owner compares before the equipment is due."""
    mine = [row for row in rows if row["kind"] == "retrofit_parity"]
    best: dict[tuple[str, str, str], list[Row]] = {}
    for row in mine:
        key = str(row["sector"]), str(row["technology"]), str(row["against"])
        best.setdefault(key, []).append(row)
    out: list[tuple[Text, ...]] = []
    for (sector, technology, against), found in sorted(best.items()):
        never = sum(row["year"] is None for row in found)
        out.append(
            (
                labels.sector(sector),
                context.technology(technology),
                context.technology(against),
                _in_words(found),
                f"{len(found) - never} of {len(found)}",
            )
        )
    return Table(
        "Retrofits: year from which the change costs no more than running on",
        (
            Head("Sector"),
            Head("Change to"),
            Head("From"),
            Head("First years"),
            Head("Regions in which it does"),
        ),
        tuple(out),
        unit="year in which added capital and running cost are at most the running cost of today's plant",
        year=f"{context.base_year} to {context.end_year}",
        source="this plan, table tipping_points",
        empty="No plant of this plan has a retrofit in the library.",
    )


# ---------------------------------------------------------------- adoption and milestones


def _adoption(context: Context, rows: list[Row]) -> Table:
    mine = [row for row in rows if row["kind"] == "adoption" and not row["technology"]]
    thresholds = sorted({float(row["threshold"]) for row in mine})
    found: dict[tuple[str, str, str, str], dict[float, Row]] = {}
    for row in mine:
        key = str(row["sector"]), str(row["product"]), str(row["region"]), str(row["against"])
        found.setdefault(key, {})[float(row["threshold"])] = row
    out: list[tuple[Text, ...]] = []
    for (sector, product, _, against), by_threshold in sorted(found.items()):
        any_row = next(iter(by_threshold.values()))
        cells = []
        for one in thresholds:
            when = by_threshold[one]["year"] if one in by_threshold else None
            cells.append(MISSING if when is None else year(when))
        out.append(
            (
                labels.sector(sector),
                labels.words(product),
                _place(any_row),
                context.technology(against) if against else MISSING,
                *cells,
            )
        )
    cited = sorted({str(row["source"]) for row in mine})
    return Table(
        "Adoption: year from which cleaner technologies hold a share of what is built or bought",
        (
            Head("Sector"),
            Head("Product"),
            Head("Region"),
            Head("In place of"),
            *(Head(f"{number(one)}\N{NO-BREAK SPACE}%", numeric=True) for one in thresholds),
        ),
        tuple(out),
        unit="year; share of sales of vehicles, or of investment in plants over five years",
        year=f"{context.base_year} to {context.end_year}",
        source=context.cite.cite(";".join(cited)) if cited else "",
        note="A dash: not on this path, or not for good.",
        empty="Nothing is newly built or bought in the sectors of this plan.",
    )


def _milestones(context: Context, goals: list[Row]) -> Table:
    out: list[tuple[Text, ...]] = []
    for row in sorted(goals, key=lambda r: (r["due"], str(r["sector"]), str(r["milestone"]))):
        scale = scale_for([row["value"], row["threshold"]], str(row["unit"]))
        name, _, note = str(row["note"] or "").partition("; ")
        out.append(
            (
                labels.sector(str(row["sector"])),
                name,
                year(row["due"]),
                scale.show(row["threshold"]),
                scale.show(row["value"]),
                scale.long_unit,
                met_cell(row["met"]) if row["met"] else MISSING,
                MISSING if row["year"] is None else year(row["year"]),
                context.cite.cite(row["source"]),
                note,
            )
        )
    return Table(
        "Milestones of the sectors' programmes",
        (
            Head("Sector"),
            Head("Milestone"),
            Head("Due", numeric=True),
            Head("Milestone value", numeric=True),
            Head("On this path", numeric=True),
            Head("Unit"),
            Head("Met"),
            Head("First reached", numeric=True),
            Head("Source"),
            Head("Note", long=True),
        ),
        tuple(out),
        unit="in the column",
        year="in the column",
        source="in the column",
        empty="The library knows no milestone for the sectors of this hub.",
    )
