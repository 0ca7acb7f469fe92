"""The truck fleet by powertrain: all classes together, then class by class.

A powertrain is told from its class by what the technology names of one class do not share:
of ``x_diesel`` and ``x_battery`` the powertrains are *diesel* and *battery*.
"""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.report import charts, labels, palette
from cleanhub.report.blocks import Block, Figure, Grid
from cleanhub.report.charts import Series
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import count, number, percent
from cleanhub.report.sections.common import pair, span, stack_figure, sums

PANEL = 300
_TITLE = "Trucks on the road by powertrain"


def blocks(context: Context) -> list[Block]:
    """The figure of the whole fleet and one panel a class."""
    rows = [row for row in context.rows("truck_fleet") if row["trucks"] or row["purchases"]]
    if not rows:
        return [Figure("fig-trucks", _TITLE, Markup(""), empty="No trucks in this plan.")]
    names = powertrains(rows)
    told = [{**row, "kind": names[str(row["class"]), str(row["powertrain"])]} for row in rows]
    first = min(int(row["year"]) for row in rows)
    start = sums([row for row in told if row["year"] == first], ("kind",), "trucks")
    kinds = sorted({str(row["kind"]) for row in told})
    incumbent = max(kinds, key=lambda kind: start.get((kind,), 0.0))
    order = [incumbent, *(kind for kind in kinds if kind != incumbent)]
    colours = palette.category_colours(kinds, incumbent)
    whole = _whole(told, order, colours)
    classes = sorted({str(row["class"]) for row in told})
    if len(classes) < 2:
        return [whole]
    panels = tuple(
        _panel(context, i, name, [r for r in told if r["class"] == name], order, colours)
        for i, name in enumerate(classes)
    )
    return [whole, Grid("Trucks by class and powertrain", panels)]


def powertrains(rows: list[Row]) -> dict[tuple[str, str], str]:
    """(class, technology) to the powertrain's own part of the technology's name."""
    found: dict[tuple[str, str], str] = {}
    for name in sorted({str(row["class"]) for row in rows}):
        own = sorted({str(row["powertrain"]) for row in rows if str(row["class"]) == name})
        parts = [technology.split("_") for technology in own]
        same = 0
        while len(own) > 1 and all(len(p) > same + 1 and p[same] == parts[0][same] for p in parts):
            same += 1
        for technology, split in zip(own, parts, strict=True):
            found[name, technology] = "_".join(split[same:])
    return found


def _series(
    rows: list[Row], years: list[int], order: list[str], colours: dict[str, palette.Colour]
) -> list[Series]:
    found = sums(rows, ("kind", "year"), "trucks")
    present = {str(row["kind"]) for row in rows}
    return [
        Series(
            labels.words(kind),
            tuple(found.get((kind, y), 0.0) / 1e3 for y in years),
            colours[kind].css,
        )
        for kind in order
        if kind in present
    ]


def _whole(rows: list[Row], order: list[str], colours: dict[str, palette.Colour]) -> Figure:
    years = sorted({int(row["year"]) for row in rows})
    series = _series(rows, years, order, colours)
    end = ", ".join(f"{s.label} {number(s.values[-1])} thousand" for s in series)
    description = f"Stacked columns, {span(years)}. In {years[-1]}: {end}."

    def draw(width: int, identifier: str) -> Markup:
        return charts.stacked_columns(width, identifier, _TITLE, description, years, series, height=320)

    wide, narrow = pair(draw, "fig-trucks")
    bought = sums([row for row in rows if row["year"] == years[-1]], ("kind",), "purchases")
    everything = sum(bought.values())
    note = ""
    if everything:
        share = 1 - bought.get((order[0],), 0.0) / everything
        note = (
            f"Of {count(everything)} trucks bought in {years[-1]}, {percent(share)} are not "
            f"{labels.words(order[0]).lower()}."
        )
    return stack_figure(
        "fig-trucks",
        _TITLE,
        (wide, narrow),
        years,
        series,
        table="truck_fleet",
        unit="thousand trucks on the road, all classes",
        note=note,
        data=("", "thousand trucks"),
    )


def _panel(
    context: Context,
    index: int,
    name: str,
    rows: list[Row],
    order: list[str],
    colours: dict[str, palette.Colour],
) -> Figure:
    years = sorted({int(row["year"]) for row in rows})
    series = _series(rows, years, order, colours)
    identifier = f"fig-trucks-{index}"
    title = context.asset(name)
    end = ", ".join(f"{s.label} {number(s.values[-1])} thousand" for s in series)
    drawing = charts.stacked_columns(
        PANEL,
        identifier,
        title,
        f"Stacked columns, {span(years)}. In {years[-1]}: {end}.",
        years,
        series,
        height=180,
    )
    return stack_figure(
        identifier,
        title,
        (drawing, None),
        years,
        series,
        table="truck_fleet",
        unit="thousand trucks on the road",
        data=("", "thousand trucks"),
    )
