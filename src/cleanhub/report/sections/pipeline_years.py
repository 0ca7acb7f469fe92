"""The pipeline by year: decisions, tonnes and capital with their ranges, and stages of projects."""

from __future__ import annotations

from dataclasses import replace

from markupsafe import Markup

from cleanhub.report import charts, labels, palette, pipeline_charts
from cleanhub.report.blocks import Figure, Grid, Head, Key, Table, Text
from cleanhub.report.charts import NARROW, Series
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import MISSING, Scale, number, scale_for
from cleanhub.report.pipeline_charts import Ranged
from cleanhub.report.sections.common import pair, span, stack_figure

BY = 2030
"""Year by whose end decisions are counted, as ``p_fid_2030`` does."""
_LEAST_USD = 1e6
"""A year with less is not drawn [USD]."""
_METRICS = (
    ("decisions", "Decisions taken in the year", "projects"),
    ("in_service", "Projects in service at its end", "projects"),
    ("co2e_t", "Tonnes cut or removed", "t CO2e"),
    ("capital_usd", "Capital decided on", "USD"),
    ("public_usd", "of it public", "USD"),
    ("private_usd", "of it private", "USD"),
    ("job_years", "Work", "job-years"),
)


def _metric(context: Context, name: str) -> dict[int, Row]:
    found = {int(r["year"]): r for r in context.rows("pipeline_years") if r["metric"] == name}
    return {year: found[year] for year in sorted(found)}


def _ranged(rows: dict[int, Row], divisor: float = 1.0) -> Ranged:
    def column(name: str) -> tuple[float, ...]:
        return tuple(float(row[name] or 0.0) / divisor for row in rows.values())

    return Ranged(column("value"), column("p10"), column("p50"), column("p90"))


def by_year(context: Context) -> Grid:
    """Decisions, tonnes and capital by year, side by side."""
    figures = [one for one in (_decisions(context), _tonnes(context), _capital(context)) if one]
    return Grid(
        "What the projects bring by year",
        tuple(figures),
        note="Means of the simulated draws, with the range from the tenth to the ninetieth percentile.",
        empty="No years of the pipeline in this plan.",
    )


def _decisions(context: Context) -> Figure | None:
    rows = _metric(context, "decisions")
    some = [year for year, row in rows.items() if float(row["value"] or 0.0) >= 0.005]
    if not some:
        return None
    rows = {year: row for year, row in rows.items() if year <= max(some)}
    years, given = list(rows), _ranged(rows)
    title = "Decisions expected"
    shown = [f"{when} {number(value, 2)}" for when, value in zip(years, given.mean, strict=True)]
    description = f"Expected decisions by year: {', '.join(shown)}."
    colour = palette.CATEGORIES[0].css
    drawing = pipeline_charts.ranged_columns(
        NARROW, "fig-decisions", title, description, years, given, colour
    )
    return Figure(
        "fig-decisions",
        title,
        drawing,
        legend=(Key("mean", colour), Key("P10 to P90", palette.INCUMBENT.css, "line")),
        unit="projects deciding in the year",
        year=span(years),
        source="this plan, table pipeline_years",
        data=_ranged_table(title, years, given, "projects"),
    )


def _tonnes(context: Context) -> Figure | None:
    rows = _metric(context, "co2e_t")
    if len(rows) < 2:
        return None
    scale = scale_for([v for row in rows.values() for v in (row["value"], row["p90"])], "t CO2e/yr")
    years, given = list(rows), _ranged(rows, scale.divisor)
    title, colour = "Tonnes expected", palette.CATEGORIES[2].css
    description = (
        f"In {scale.unit}: mean {number(given.mean[0])} in {years[0]}, {number(given.mean[-1])} in "
        f"{years[-1]}; P10 to P90 in {years[-1]} {number(given.low[-1])} to {number(given.high[-1])}."
    )
    return Figure(
        "fig-pipeline-tonnes",
        title,
        pipeline_charts.band(NARROW, "fig-pipeline-tonnes", title, description, years, given, colour),
        legend=(
            Key("mean", colour, "line"),
            Key("median (dashed)", palette.INCUMBENT.css, "line"),
            Key("P10 to P90", colour, "light"),
        ),
        unit=scale.unit,
        year=span(years),
        source="this plan, table pipeline_years",
        note="Projects already in service are in it, until the end of their life.",
        data=_ranged_table(title, years, given, scale.unit),
    )


def _ranged_table(title: str, years: list[int], given: Ranged, unit: str) -> Table:
    rows = zip(years, given.mean, given.low, given.middle, given.high, strict=True)
    head = ("Year", "Mean", "P10", "Median", "P90")
    return Table(
        title,
        tuple(Head(one, numeric=True) for one in head),
        tuple((str(year), *(number(value) for value in values)) for year, *values in rows),
        unit=unit,
    )


def _capital(context: Context) -> Figure | None:
    public, private = _metric(context, "public_usd"), _metric(context, "private_usd")
    decided = {y: public[y]["value"] + private[y]["value"] for y in public if y in private}
    large = [year for year, usd in decided.items() if usd >= _LEAST_USD]
    if not large:
        return None
    years = [year for year in decided if year <= max(large)]
    scale = scale_for([decided[y] for y in years], "USD/yr")
    series = [
        Series(name, tuple(float(rows[y]["value"]) / scale.divisor for y in years), colour.css)
        for name, rows, colour in (
            ("public, awarded", public, palette.CATEGORIES[1]),
            ("private", private, palette.CATEGORIES[4]),
        )
    ]
    title = "Capital decided on, expected"
    unit = f"$ {scale.unit.removesuffix('per year').strip()} a year, {context.money_unit}".replace("  ", " ")
    description = f"In {unit}; sum {number(sum(sum(s.values) for s in series))} over {span(years)}."
    drawing = charts.stacked_columns(
        NARROW, "fig-pipeline-capital", title, description, years, series, height=240
    )
    return stack_figure(
        "fig-pipeline-capital",
        title,
        (drawing, None),
        years,
        series,
        table="pipeline_years",
        unit=unit,
        note="Only projects whose capital is published or valued.",
    )


def stages(context: Context) -> Figure:
    """Expected number of projects in each stage by year."""
    title = "Where the projects are expected to stand"
    rows = context.rows("stage_years")
    if not rows:
        return Figure("fig-stages", title, Markup(""), empty="No stages by year in this plan.")
    years = sorted({int(row["year"]) for row in rows})
    place = {year: i for i, year in enumerate(years)}
    found: dict[str, list[float]] = {}
    for row in rows:
        counts = found.setdefault(str(row["stage"]), [0.0] * len(years))
        counts[place[int(row["year"])]] += float(row["probability"])
    order = [name for name, _ in palette.STAGES]
    used = [name for name in reversed(order[:7]) if name in found] + [n for n in order[7:] if n in found]
    series = [
        Series(labels.stage(name), tuple(found[name]), palette.stage_colour(name).css, name in order[7:])
        for name in used
    ]
    description = f"Expected number of projects in each stage at the end of {years[0]} and {years[-1]}: " + (
        ", ".join(f"{s.label} {number(s.values[0], 2)} and {number(s.values[-1], 2)}" for s in series) + "."
    )

    def draw(width: int, identifier: str) -> Markup:
        return charts.stacked_areas(
            width, identifier, title, description, years, series, height=320 if width > 500 else 300
        )

    figure = stack_figure(
        "fig-stages",
        title,
        pair(draw, "fig-stages"),
        years,
        series,
        table="stage_years",
        unit="expected number of projects, at the end of the year",
        note="From the bottom: what operates, then what is on its way; hatched at the top what was shelved, "
        "cancelled or closed at the end of its life.",
    )
    legend = tuple(
        Key(labels.stage(n), palette.stage_colour(n).css, "hatch" if n in order[7:] else "box")
        for n in reversed(used)
    )
    return replace(figure, legend=legend)


def _top(rows: list[Row]) -> float:
    return max((abs(float(row["value"] or 0.0)) for row in rows), default=0.0)


def _cell(scale: Scale, row: Row | None, top: float) -> Text:
    """Mean over its range; a mean below a thousandth of the largest is shown as 0."""
    if row is None or row["value"] is None:
        return MISSING
    mean = row["value"] if abs(row["value"]) >= 1e-3 * top else 0.0
    if row["p10"] == row["p90"] == row["value"]:
        return scale.show(mean)
    return Markup("{}<br><small>{} to {}</small>").format(
        scale.show(mean), scale.show(row["p10"]), scale.show(row["p90"])
    )


def in_figures(context: Context) -> Table:
    """What the pipeline brings in some years, with its range."""
    every = {int(row["year"]) for row in context.rows("pipeline_years")}
    marks = {context.plan.scenario.as_of.year + 1, BY, context.target_year, *range(0, 2200, 5)}
    wanted = sorted(every & marks)
    out: list[tuple[Text, ...]] = []
    for name, said, unit in _METRICS:
        rows = _metric(context, name)
        if not rows:
            continue
        known = [rows[year] for year in wanted if year in rows]
        scale = scale_for([value for row in known for value in (row["value"], row["p90"])], unit)
        cells = [_cell(scale, rows.get(year), _top(known)) for year in wanted]
        out.append((Markup("{}<br><small>{}</small>").format(said, scale.long_unit or unit), *cells))
    return Table(
        "The pipeline by year: the mean, and P10 to P90 under it",
        (Head("Per year"), *(Head(str(year), numeric=True) for year in wanted)),
        tuple(out),
        unit=f"in the first column; money in {context.money_unit}",
        year="in the heading",
        source="this plan, table pipeline_years",
        empty="No years of the pipeline in this plan.",
        id="pipeline-figures",
    )
