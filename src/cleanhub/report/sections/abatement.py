"""What each measure cuts and at what cost: cost curves, with capital that is given up in words."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.report import labels, palette, pathway_charts
from cleanhub.report.blocks import Block, Figure, Head, Key, Prose, Section, Table, Text
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import MISSING, money, number, tonnes
from cleanhub.report.pathway_charts import Step
from cleanhub.report.sections.common import pair, plural, span

SHOWN_SHARE = 0.98
"""Share of the tonnes whose costs set the vertical axis: a few dear tonnes would flatten the rest."""
_CO2E = "CO\N{SUBSCRIPT TWO}e"


def build(context: Context) -> Section:
    """One cost curve for each year of the table, then stranded capital."""
    rows = context.rows("abatement_cost")
    years = sorted({int(row["year"]) for row in rows})
    lead: list[Text] = []
    if years:
        last = [row for row in rows if row["year"] == years[-1]]
        total = sum(float(row["co2e_t"]) for row in last)
        free = sum(float(r["co2e_t"]) for r in last if r["usd_per_t"] is not None and r["usd_per_t"] <= 0)
        lead.append(
            f"Against a path on which no technology changes, this one emits {tonnes(total)} {_CO2E} less in "
            f"{years[-1]}; {tonnes(free)} of that costs nothing or saves money, without any policy."
        )
    blocks: list[Block] = [_figure(context, year, rows) for year in years]
    if not years:
        empty = "No technology of this plan changes, so nothing is cut."
        blocks.append(Figure("fig-cost-curve", "Abatement cost curve", Markup(""), empty=empty))
    return Section(
        "abatement", "What each measure cuts, and at what cost", tuple(lead), (*blocks, _stranded(context))
    )


def _figure(context: Context, year: int, rows: list[Row]) -> Figure:
    own = [row for row in rows if row["year"] == year]
    costed = [row for row in own if row["usd_per_t"] is not None and float(row["co2e_t"]) > 0]
    costed.sort(key=lambda r: (float(r["usd_per_t"]), str(r["measure"])))
    title = f"Abatement cost curve, {year}"
    identifier = f"fig-cost-curve-{year}"
    if not costed:
        return Figure(identifier, title, Markup(""), empty=f"No measure has a cost in {year}.")
    total = sum(float(row["co2e_t"]) for row in costed)
    divisor, unit = (1e6, "Mt") if total >= 1e6 else (1e3, "kt")
    low, high = _range(costed, total)
    steps = [
        Step(
            float(row["co2e_t"]) / divisor,
            float(row["usd_per_t"]),
            palette.group_of(str(row["sector"])).colour.css,
            str(i + 1),
            f"{i + 1}. {_name(context, row)}: {tonnes(row['co2e_t'])} at ${number(row['usd_per_t'])} per t",
        )
        for i, row in enumerate(costed)
    ]
    largest = sorted(costed, key=lambda r: -float(r["co2e_t"]))[:3]
    description = (
        f"{len(costed)} measures cut {tonnes(total)} {_CO2E} in {year}. Largest: "
        + "; ".join(
            f"{_name(context, r)} {tonnes(r['co2e_t'])} at ${number(r['usd_per_t'])} per t" for r in largest
        )
        + "."
    )
    axes = (f"{unit} {_CO2E} cut in {year}", f"{context.money_unit} per t {_CO2E}")

    def draw(width: int, own_id: str) -> Markup:
        return pathway_charts.cost_curve(width, own_id, title, description, steps, axes, low=low, high=high)

    wide, narrow = pair(draw, identifier)
    beyond = [row for row in costed if not low <= float(row["usd_per_t"]) <= high]
    note = (
        "Numbers on the bars are those of the data below. Only scope 1 is counted: what power plants "
        "emit for a new use of electricity stands under their own sector."
    )
    if beyond:
        beyond_t = sum(float(r["co2e_t"]) for r in beyond)
        note += f" Hatched: {plural(len(beyond), 'measure')} ({tonnes(beyond_t)}) beyond the axis."
    groups = dict.fromkeys(palette.group_of(str(row["sector"])) for row in costed)
    return Figure(
        identifier,
        title,
        wide,
        narrow,
        legend=tuple(Key(group.label, group.colour.css) for group in groups),
        unit=f"width: {unit} {_CO2E} per year; height: {context.money_unit} per t, levelised, without "
        "carbon price and without credits",
        year=f"{year}; costs of the years in which owners decide",
        source="this plan, table abatement_cost",
        note=note,
        data=_data(context, own, costed, year, unit, divisor),
    )


def _range(costed: list[Row], total: float) -> tuple[float, float]:
    """Lowest and highest cost of the axis: those of all but the dearest and cheapest few tonnes."""
    edge, below = (1.0 - SHOWN_SHARE) / 2 * total, 0.0
    costs = []
    for row in costed:
        amount = float(row["co2e_t"])
        if below + amount > edge and below < total - edge:
            costs.append(float(row["usd_per_t"]))
        below += amount
    return min([0.0, *costs]), max([0.0, *costs])


def _name(context: Context, row: Row) -> str:
    parts = [context.technology(row["technology"]), labels.sector(str(row["sector"])).lower()]
    return ", ".join([*parts, *([labels.region(str(row["region"]))] if row["region"] else [])])


def _data(context: Context, own: list[Row], costed: list[Row], year: int, unit: str, divisor: float) -> Table:
    at = {str(row["measure"]): i + 1 for i, row in enumerate(costed)}
    others = sorted((r for r in own if str(r["measure"]) not in at), key=lambda r: str(r["measure"]))
    out: list[tuple[Text, ...]] = [
        (
            str(at.get(str(row["measure"]), MISSING)),
            context.technology(row["technology"]) if row["technology"] else "More or less is made",
            labels.sector(str(row["sector"])),
            labels.region(str(row["region"])) if row["region"] else "",
            number(float(row["co2e_t"]) / divisor),
            number(row["usd_per_t"]),
            number(row["usd_per_t_with_policy"]),
            number(None if row["cumulative_t"] is None else row["cumulative_t"] / divisor),
            str(row["note"] or ""),
        )
        for row in [*costed, *others]
    ]
    total = sum(float(row["co2e_t"]) for row in own)
    return Table(
        f"Measures in {year}, cheapest first",
        (
            Head("No."),
            Head("Technology"),
            Head("Sector"),
            Head("Region"),
            Head("Cut", f"{unit} {_CO2E}", numeric=True),
            Head("Cost", "$ per t", numeric=True),
            Head("Cost with policy", "$ per t", numeric=True),
            Head("Cut so far", f"{unit} {_CO2E}", numeric=True),
            Head("Note", long=True),
        ),
        tuple(out),
        unit=f"in the heading; {context.money_unit}; GWP set {context.gwp}",
        note=f"All rows sum to {tonnes(total)}: the difference to a path on which no technology changes.",
    )


# ---------------------------------------------------------------- stranded capital


def _stranded(context: Context) -> Prose:
    rows = [row for row in context.rows("stranded") if float(row["capital_usd"] or 0.0) > 0]
    if not rows:
        return Prose(("No plant is given up before the lifetime of its capital is over.",))
    years = sorted({int(row["year"]) for row in rows})
    total = sum(float(row["capital_usd"]) for row in rows)
    number_of = sum(float(row["plants"]) for row in rows)
    lead = (
        f"{money(total)} ({context.money_unit}) of capital is given up before its lifetime is over, at "
        f"{number(number_of)} plants, {span(years)}: book value in a straight line (table stranded)."
    )
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for row in rows:
        key = str(row["sector"]), str(row["why"])
        plants, capital = found.get(key, (0.0, 0.0))
        found[key] = plants + float(row["plants"]), capital + float(row["capital_usd"])
    ranked = sorted(found.items(), key=lambda item: (-item[1][1], item[0]))
    points: list[Text] = [
        f"{labels.sector(sector)}: {money(capital)}, {number(plants)} plants {why}."
        for (sector, why), (plants, capital) in ranked[:6]
    ]
    if len(ranked) > 6:
        rest = sum(capital for _, (_, capital) in ranked[6:])
        points.append(f"Others: {money(rest)}.")
    return Prose((lead,), tuple(points))
