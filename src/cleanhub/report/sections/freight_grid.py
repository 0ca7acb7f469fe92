"""The grid of charging: load by substation, and the works to hand to the utility."""

from __future__ import annotations

from cleanhub.report import charging, freight_charts, labels, palette
from cleanhub.report.blocks import Block, Figure, Grid, Head, Key, Table, Text
from cleanhub.report.context import Context
from cleanhub.report.freight_charts import DayLine
from cleanhub.report.numbers import MISSING, money, number
from cleanhub.report.sections.common import plural, span

PANEL = 300
PANELS = 6
LISTED = 20
YEARS = 7
"""Most years in the columns of the table of loads."""


def blocks(context: Context) -> list[Block]:
    """Load by substation and year, its shape over the day, and works."""
    return [load_table(context), load_grid(context), works_table(context)]


def load_table(context: Context, most: int = LISTED) -> Table:
    """Largest load of charging by substation and year [MW]."""
    peaks = charging.peak_loads(context)
    every = sorted({year for _, year in peaks})
    years = charging.chosen_years(every, YEARS)
    names = charging.substation_names(context)
    order = charging.busiest(peaks)
    rows: list[tuple[Text, ...]] = [
        (charging.substation(names, one), *(_megawatts(peaks.get((one, year))) for year in years))
        for one in order[:most]
    ]
    note = "Largest hour of a working day. Loads of substations peak at different hours: do not add them."
    if len(order) > most:
        note += f" {len(order) - most} smaller ones in the plan's table site_load."
    if len(every) > len(years):
        note += f" {len(years)} of {len(every)} years shown."
    return Table(
        "Load of charging by substation",
        (Head("Substation"), *(Head(str(year), "MW", numeric=True) for year in years)),
        tuple(rows),
        unit="MW, largest hour of a working day",
        year=span(every),
        source="this plan, table site_load",
        note=note,
        empty="No load of charging in this plan.",
    )


def _megawatts(kilowatts: float | None) -> str:
    return MISSING if kilowatts is None else number(kilowatts / 1e3)


def load_grid(context: Context, most: int = PANELS) -> Grid:
    """The shape of the day at the ``most`` busiest substations, in at most three years."""
    title = "Load of charging by hour"
    rows = context.rows("site_load")
    peaks = charging.peak_loads(context)
    order = charging.busiest(peaks)
    years = charging.chosen_years(sorted({year for _, year in peaks}), 3)
    hours = {
        (str(r["substation"]), int(r["year"]), int(r["hour"])): float(r["kw"] or 0.0) / 1e3 for r in rows
    }
    headroom = {str(row["substation"]): float(row["headroom_kw"]) / 1e3 for row in charging.works(context)}
    names = charging.substation_names(context)
    figures = tuple(
        _panel(i, charging.substation(names, one), one, years, hours, headroom.get(one))
        for i, one in enumerate(order[:most])
    )
    note = (
        f"The {plural(len(figures), 'substation')} with the largest load."
        if len(order) > len(figures)
        else ""
    )
    return Grid(title, figures, note=note, empty="No load of charging in this plan.")


def _panel(
    index: int,
    name: str,
    code: str,
    years: list[int],
    hours: dict[tuple[str, int, int], float],
    headroom: float | None,
) -> Figure:
    fills = [palette.INCUMBENT.css, palette.CATEGORIES[4].css, palette.CATEGORIES[0].css][-len(years) :]
    lines = [
        DayLine(str(year), tuple(hours.get((code, year, hour), 0.0) for hour in range(24)), fill)
        for year, fill in zip(years, fills, strict=True)
    ]
    last = lines[-1].values
    peak = max(range(24), key=lambda hour: last[hour])
    description = (
        f"Stepped lines over 24 hours. In {years[-1]} the peak is {number(last[peak])} MW at {peak}:00."
    )
    legend = [Key(one.label, one.stroke, "line") for one in lines]
    if headroom is not None:
        description += f" Room without works: {number(headroom)} MW."
        legend.append(Key(f"Dashed: room without works, {number(headroom)} MW", "var(--ink,#1b1b1b)", "line"))
    identifier = f"fig-load-{index}"
    return Figure(
        identifier,
        name,
        freight_charts.day_lines(PANEL, identifier, name, description, lines, headroom),
        legend=tuple(legend),
        unit="MW by hour of a working day, local time",
        year=", ".join(str(year) for year in years),
        source="this plan, tables site_load and grid_upgrades",
        data=Table(
            name,
            (Head("Hour", numeric=True), *(Head(one.label, numeric=True) for one in lines)),
            tuple((str(hour), *(number(one.values[hour]) for one in lines)) for hour in range(24)),
            unit="MW",
        ),
    )


def works_table(context: Context) -> Table:
    """Works at substations in the order in which they must begin."""
    rows = charging.works(context)
    out: list[tuple[Text, ...]] = [
        (
            str(row["name"]),
            str(row["utility"] or MISSING),
            labels.words(str(row["tier"])),
            number(float(row["kw"]) / 1e3),
            number(float(row["cost_usd"]) / 1e6),
            str(row["start"]),
            str(row["ready"]),
            number(float(row["headroom_kw"]) / 1e3),
            labels.words(str(row["headroom_confidence"])).lower(),
        )
        for row in rows
    ]
    total = sum(float(row["cost_usd"] or 0.0) for row in rows)
    power = sum(float(row["kw"] or 0.0) for row in rows) / 1e3
    note = ""
    if rows:
        note = (
            f"{plural(len(rows), 'piece')} of works, {number(power)} MW, {money(total)}. Start is the year "
            "in which works must begin to be ready in time; later starts move every charger behind them."
        )
    return Table(
        "Grid works to hand to the utility",
        (
            Head("Substation"),
            Head("Utility"),
            Head("Works"),
            Head("Adds", "MW", numeric=True),
            Head("Cost", "$ million", numeric=True),
            Head("Start", numeric=True),
            Head("Ready", numeric=True),
            Head("Room without", "MW", numeric=True),
            Head("Confidence of that room"),
        ),
        tuple(out),
        unit=f"in the heading; money in {context.money_unit}",
        year="in the columns",
        source="this plan, table grid_upgrades",
        note=note,
        empty="No works at substations in this plan.",
    )
