"""What changes: switches by year and sector, technologies of the sites, the truck fleet."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.report import charts, labels, palette
from cleanhub.report.blocks import Block, Figure, Head, Prose, Section, Table, Text
from cleanhub.report.charts import Bubble
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import MISSING, count, number, tonnes
from cleanhub.report.sections import technologies, trucks
from cleanhub.report.sections.common import pair, plural, span

LISTED = 25
PURCHASE = "purchase"
_NOTHING = (
    "No plant changes its technology in this plan. That is a finding, not a fault: under the "
    "prices, payments and limits of this scenario no option of the library pays, or none exists for "
    "the sectors of this hub (last table of this section)."
)


def build(context: Context) -> Section:
    """Switches as bubbles and as a list, technology mixes, trucks, and sectors without options."""
    rows = context.rows("switches")
    # a plant that is built new changes no tonnes by itself: it stands in the table of kinds alone
    plants = [row for row in rows if row["kind"] != PURCHASE and row["abated_t_per_year"] is not None]
    blocks: list[Block] = []
    lead: list[Text] = []
    if plants:
        years = sorted(int(row["year"]) for row in plants)
        where = len({str(row["sector"]) for row in plants})
        changes, sectors = plural(len(plants), "change"), plural(where, "sector")
        lead.append(f"{changes} at plants of {sectors}, {span(years)}.")
        blocks += [_timeline(context, plants), _kinds(context, rows), _list(context, plants)]
    else:
        blocks.append(Prose((_NOTHING,)))
        if rows:
            blocks.append(_kinds(context, rows))
    blocks += [technologies.grid(context), *trucks.blocks(context), _no_option(context)]
    return Section("changes", "What changes", tuple(lead), tuple(blocks))


def _kinds(context: Context, rows: list[Row]) -> Table:
    out: list[tuple[Text, ...]] = []
    for kind in sorted({str(row["kind"]) for row in rows}):
        own = [row for row in rows if row["kind"] == kind]
        known = [float(r["abated_t_per_year"]) for r in own if r["abated_t_per_year"] is not None]
        capital = sum(float(row["capex_usd"] or 0.0) for row in own)
        out.append(
            (
                labels.words(kind) + (" of vehicles (class and year)" if kind == PURCHASE else ""),
                count(len(own)),
                number(sum(known) / 1e6) if known and kind != PURCHASE else MISSING,
                number(capital / 1e9),
            )
        )
    return Table(
        "Changes by kind",
        (
            Head("Kind"),
            Head("Number", numeric=True),
            Head("Cut", "Mt CO\N{SUBSCRIPT TWO}e per year", numeric=True),
            Head("Capital", "$ billion", numeric=True),
        ),
        tuple(out),
        unit=f"in the heading; tonnes under GWP set {context.gwp}; money in {context.money_unit}",
        year=f"{context.base_year + 1} to {context.end_year}, summed",
        source="this plan, table switches",
        note="Cuts of purchases are not added up: a vehicle is replaced several times on the path.",
    )


def _timeline(context: Context, switches: list[Row]) -> Figure:
    title = "Changes at plants by year and sector"
    found: dict[tuple[str, int], tuple[int, float]] = {}
    for row in switches:
        key = str(row["sector"]), int(row["year"])
        n, cut = found.get(key, (0, 0.0))
        found[key] = n + 1, cut + float(row["abated_t_per_year"] or 0.0)
    sectors = sorted({sector for sector, _ in found})
    first = min([context.base_year + 1, *(year for _, year in found)])
    last = max([context.end_year, *(year for _, year in found)])
    dots = [
        Bubble(
            labels.sector(sector),
            year,
            cut,
            str(n),
            palette.group_of(sector).colour.css,
            f"{labels.sector(sector)}, {year}: {plural(n, 'change')}, {tonnes(cut)} CO2e per year",
        )
        for (sector, year), (n, cut) in sorted(found.items())
    ]
    rows = [labels.sector(sector) for sector in sectors]
    top = max(dots, key=lambda d: (d.area, -d.year, d.row))
    description = f"{len(switches)} changes in {len(rows)} sectors; largest: {top.about}."

    def draw(width: int, identifier: str) -> Markup:
        return charts.bubbles(width, identifier, title, description, rows, (first, last), dots)

    wide, narrow = pair(draw, "fig-switches")
    data = Table(
        title,
        (
            Head("Sector"),
            Head("Year", numeric=True),
            Head("Changes", numeric=True),
            Head("Cut", "kt CO\N{SUBSCRIPT TWO}e per year", numeric=True),
        ),
        tuple(
            (labels.sector(s), str(y), str(n), number(cut / 1e3))
            for (s, y), (n, cut) in sorted(found.items())
        ),
    )
    return Figure(
        "fig-switches",
        title,
        wide,
        narrow,
        unit="area of a dot: t CO\N{SUBSCRIPT TWO}e cut per year (largest: "
        f"{tonnes(top.area)}); number: changes in that year",
        year=f"{first} to {last}, projected",
        source="this plan, table switches",
        data=data,
    )


def _list(context: Context, switches: list[Row]) -> Table:
    ranked = sorted(
        switches,
        key=lambda r: (-float(r["abated_t_per_year"] or 0.0), r["year"], str(r["asset_id"])),
    )
    rows: list[tuple[Text, ...]] = [
        (
            str(row["year"]),
            context.asset(row["asset_id"]),
            labels.sector(str(row["sector"])),
            context.technology(row["from_technology"]),
            context.technology(row["to_technology"]) if row["to_technology"] else "closed",
            labels.words(str(row["kind"])),
            number(None if row["abated_t_per_year"] is None else row["abated_t_per_year"] / 1e3),
            number(None if row["capex_usd"] is None else row["capex_usd"] / 1e6),
        )
        for row in ranked[:LISTED]
    ]
    more = f"The {LISTED} largest of {len(switches)}." if len(switches) > LISTED else ""
    return Table(
        "Changes at plants, largest cut first",
        (
            Head("Year", numeric=True),
            Head("Site"),
            Head("Sector"),
            Head("From"),
            Head("To"),
            Head("Kind"),
            Head("Cut", "kt CO\N{SUBSCRIPT TWO}e/yr", numeric=True),
            Head("Capital", "$ million", numeric=True),
        ),
        tuple(rows),
        unit=f"in the heading; money in {context.money_unit}",
        year="in the column, projected",
        source="this plan, table switches",
        note=more,
    )


def _no_option(context: Context) -> Table:
    rows = [row for row in context.rows("sectors") if row["note"]]
    rows.sort(key=lambda r: (-float(r["site_co2e_t"] or 0.0), str(r["sector"])))
    out: list[tuple[Text, ...]] = [
        (
            labels.sector(str(row["sector"])),
            count(row["sites"]),
            number(None if row["site_co2e_t"] is None else row["site_co2e_t"] / 1e6),
            number(None if row["covered_co2e_t"] is None else row["covered_co2e_t"] / 1e6),
            count(row["options"]),
            str(row["note"] or MISSING),
        )
        for row in rows
    ]
    return Table(
        "Sectors without an option in the library",
        (
            Head("Sector"),
            Head("Sites", numeric=True),
            Head("Emissions of its sites", "Mt CO\N{SUBSCRIPT TWO}e", numeric=True),
            Head("of which with an option", "Mt CO\N{SUBSCRIPT TWO}e", numeric=True),
            Head("Options", numeric=True),
            Head("Note"),
        ),
        tuple(out),
        unit=f"Mt CO\N{SUBSCRIPT TWO}e per year, scope 1, GWP set {context.gwp}",
        year=str(context.base_year),
        source="this plan, table sectors",
        note="These tonnes stay on the path because nothing costed can change them yet.",
        empty="Every sector with sites has at least one costed option.",
    )
