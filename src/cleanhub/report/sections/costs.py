"""Costs and energy by year, of the assets whose technology is in the library."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.report import charts, labels, palette
from cleanhub.report.blocks import Block, Figure, Grid, Section, Text
from cleanhub.report.charts import Series
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import money, number, pretty_unit, scale_for
from cleanhub.report.sections.common import pair, span, stack_figure, sums

PANEL = 300
_ITEMS = (
    "capital",
    "fixed_opex",
    "variable_opex",
    "energy",
    "carbon",
    "co2_transport_storage",
    "credits",
)


def build(context: Context) -> Section:
    """Spending by item, then energy by carrier with one figure per unit."""
    lead: list[Text] = [
        (
            "Only assets whose technology is in the library are counted; the spending of other sites "
            "and of the rest of the inventory is not part of this plan."
        )
    ]
    blocks: list[Block] = [_costs(context), _energy(context)]
    return Section("costs", "Costs and energy", tuple(lead), tuple(blocks))


def _costs(context: Context) -> Figure:
    title = "Spending by year and item"
    rows = context.rows("costs")
    if not rows:
        return Figure("fig-costs", title, Markup(""), empty="No costs in this plan.")
    found = sums(rows, ("item", "year"), "value_usd")
    years = sorted({int(str(when)) for _, when in found})
    names = sorted({str(item) for item, _ in found}, key=lambda n: (_rank(n), n))
    colours = palette.category_colours(list(_ITEMS) + [n for n in names if n not in _ITEMS])
    largest = max(abs(value) for value in found.values())
    scale = scale_for([largest * 3], "USD")
    series = [
        Series(
            labels.cost_item(name),
            tuple(found.get((name, y), 0.0) / scale.divisor for y in years),
            colours[name].css,
        )
        for name in names
    ]
    total = sum(found.values())

    def draw(width: int, identifier: str) -> Markup:
        description = f"Stacked columns, {span(years)}; {money(total)} in sum over all years."
        return charts.stacked_columns(width, identifier, title, description, years, series, height=340)

    wide, narrow = pair(draw, "fig-costs")
    unit = f"$ {scale.unit} per year, {context.money_unit}, undiscounted"
    return stack_figure(
        "fig-costs",
        title,
        (wide, narrow),
        years,
        series,
        table="costs",
        unit=unit,
        year=f"{span(years)}, projected",
        note="Payments received hang below zero.",
    )


def _rank(item: str) -> int:
    return _ITEMS.index(item) if item in _ITEMS else len(_ITEMS)


def _energy(context: Context) -> Grid:
    rows = context.rows("energy")
    names = sorted({str(row["carrier"]) for row in rows})
    colours = palette.category_colours(names)
    units = sorted({str(row["unit"]) for row in rows})
    figures = tuple(
        _energy_figure(i, unit, [r for r in rows if r["unit"] == unit], colours)
        for i, unit in enumerate(units)
    )
    return Grid("Energy and feedstock by carrier", figures, empty="No energy use in this plan.")


def _energy_figure(index: int, unit: str, rows: list[Row], colours: dict[str, palette.Colour]) -> Figure:
    found = sums(rows, ("carrier", "year"), "value")
    years = sorted({int(str(when)) for _, when in found})
    names = sorted({str(carrier) for carrier, _ in found})
    divisor, word = 1.0, ""
    largest = max(abs(value) for value in found.values())
    for step, name in ((1e6, "million "), (1e3, "thousand ")):
        if largest >= step:
            divisor, word = step, name
            break
    bare = pretty_unit(unit.removesuffix("/yr"))
    shown = f"{word}{bare}"
    series = [
        Series(
            labels.words(name),
            tuple(found.get((name, y), 0.0) / divisor for y in years),
            colours[name].css,
        )
        for name in names
    ]
    title = f"Counted in {bare}"
    identifier = f"fig-energy-{index}"
    last = ", ".join(f"{s.label} {number(s.values[-1])}" for s in series)
    drawing = charts.stacked_columns(
        PANEL,
        identifier,
        title,
        f"Stacked columns, {span(years)}, {shown} per year. In {years[-1]}: {last}.",
        years,
        series,
        height=200,
    )
    return stack_figure(
        identifier,
        title,
        (drawing, None),
        years,
        series,
        table="energy",
        unit=f"{shown} per year",
        year=f"{span(years)}, projected",
        data=("", shown),
    )
