"""Charging sites: phases, the list of sites, use by hour, capital by year and payer."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup, escape

from cleanhub.report import charging, charts, labels, palette, pathway_charts
from cleanhub.report.blocks import Block, Figure, Head, Key, Table, Text
from cleanhub.report.charging import Site
from cleanhub.report.charts import NARROW, Series
from cleanhub.report.context import Context, Row, once
from cleanhub.report.numbers import MISSING, count, money, number, percent, scale_for
from cleanhub.report.pathway_charts import Cell, RowName
from cleanhub.report.sections.common import pair, span, stack_figure, sums

LISTED = 25
STRIPS = 15
_FILL = palette.CATEGORIES[0].css
_ITEMS = ("sites", "plugs", "grid")
_PAYERS = ("site_owner", "utility", "public")


def blocks(context: Context) -> list[Block]:
    """Phases, sites, use by hour, and capital."""
    return [
        phase_table(context),
        site_table(context),
        use_figure(context),
        capital_figure(context),
        capital_table(context),
    ]


@once
def phase_table(context: Context) -> Table:
    """Sites, plugs, power and capital by phase of opening."""
    found = charging.sites(context)
    out: list[tuple[Text, ...]] = []
    for phase in sorted({site.phase for site in found}, key=lambda one: one.number):
        own = [site for site in found if site.phase == phase]
        out.append((phase.label, *_totals(own)))
    planned = [site for site in found if site.phase.number]
    if len({site.phase for site in planned}) > 1:
        out.append(("All that the plan opens", *_totals(planned)))
    return Table(
        "Chargers by phase",
        (
            Head("Phase"),
            Head("Sites", numeric=True),
            Head("Plugs", numeric=True),
            Head("Power", "MW", numeric=True),
            Head("Energy", "MWh a day", numeric=True),
            Head("Capital", "$ million", numeric=True),
        ),
        tuple(out),
        unit=f"in the heading; money in {context.money_unit}",
        year="a phase is a run of years in which sites open; plugs and power of the last year decided",
        source="this plan, table chargers",
        note="Capital of sites and their new plugs; works of the utility come on top, in their own table.",
        empty="No charging sites in this plan.",
    )


def _totals(sites: list[Site]) -> tuple[str, ...]:
    rows = [site.row for site in sites]
    return (
        count(len(rows)),
        count(_sum(rows, "plugs")),
        number(_sum(rows, "kw") / 1e3),
        number(_sum(rows, "kwh_per_day") / 1e3),
        number(_sum(rows, "capex_usd") / 1e6),
    )


def _sum(rows: list[Row], column: str) -> float:
    return sum(float(row[column] or 0.0) for row in rows)


def site_table(context: Context, most: int = LISTED) -> Table:
    """The first ``most`` sites of the plan in reading order."""
    found = charging.sites(context)
    names = charging.substation_names(context)
    rows = tuple(_site_cells(site, names) for site in found[:most])
    left = len(found) - len(rows)
    note = (
        "Use: energy of a working day over what the plugs could give. Rank holds: share of the tests of "
        "headroom and demand that choose the site. Disadvantaged tract: the site lies in or near one."
    )
    if left > 0:
        note += f" {count(left)} more in the plan's table chargers."
    return Table(
        "Sites in order of opening",
        (
            Head("#", numeric=True),
            Head("Site"),
            Head("Opens", numeric=True),
            Head("Plugs", numeric=True),
            Head("Power", "MW", numeric=True),
            Head("Substation and its works"),
            Head("Use", numeric=True),
            Head("Cost", "$/kWh", numeric=True),
            Head("Rank holds", numeric=True),
            Head("Asked by"),
            Head("Confidence"),
        ),
        rows,
        unit=f"in the heading; money in {context.money_unit}",
        year="plugs, power, use and cost of the last year decided",
        source="this plan, table chargers",
        note=note,
        empty="No charging sites in this plan.",
    )


def _site_cells(site: Site, names: Mapping[str, str]) -> tuple[Text, ...]:
    row = site.row
    about = labels.charging_site(str(row["kind"]))
    if row["disadvantaged"]:
        about += "; disadvantaged tract"
    works = labels.words(str(row["grid_tier"])) if row["grid_tier"] else "no works"
    return (
        str(site.number),
        _two_lines(str(row["name"]), about),
        str(row["year_energised"]) if site.phase.number else "open",
        count(row["plugs"]),
        number(site.megawatts),
        _two_lines(charging.substation(names, row["substation"]), works),
        percent(row["utilisation"]),
        number(row["usd_per_kwh"]),
        percent(row["survival"]),
        str(row["asked_by"] or MISSING),
        labels.words(str(row["confidence"])).lower(),
    )


def _two_lines(first: str, second: str) -> Markup:
    return Markup("{}<br><small>{}</small>").format(first, second)


def use_figure(context: Context) -> Figure:
    """A strip of 24 hours for each of the sites that deliver most."""
    title = "Use of the plugs by hour of a working day"
    sites = {str(site.row["site_id"]): site for site in charging.sites(context)}
    rows = [row for row in context.rows("site_use") if str(row["site_id"]) in sites]
    if not rows:
        return Figure("fig-site-use", title, Markup(""), empty="No use of sites by hour in this plan.")
    year = max(int(row["year"]) for row in rows)
    use: dict[str, dict[int, float]] = {}
    for row in rows:
        if int(row["year"]) == year:
            use.setdefault(str(row["site_id"]), {})[int(row["hour"])] = float(row["utilisation"] or 0.0)
    energy = sums([row for row in rows if int(row["year"]) == year], ("site_id",), "kw")
    most = sorted(use, key=lambda one: (-energy[(one,)], one))[:STRIPS]
    shown = sorted(most, key=lambda one: sites[one].number)
    names = [f"{sites[one].number} {sites[one].row['name']}" for one in shown]

    def draw(width: int, identifier: str) -> Markup:
        return _use_drawing(width, identifier, title, names, [use[one] for one in shown])

    note = f"The {len(shown)} sites that deliver most of {len(use)}. " if len(use) > len(shown) else ""
    return Figure(
        "fig-site-use",
        title,
        *pair(draw, "fig-site-use"),
        legend=(Key("The stronger, the fuller; in the cells the percentage where there is room", _FILL),),
        unit="% of the power of the site's plugs; hours in local time",
        year=str(year),
        source="this plan, table site_use",
        note=f"{note}Numbers in front of the names are those of the table of sites.",
        data=_use_data(names, [use[one] for one in shown]),
    )


def _use_drawing(
    width: int, identifier: str, title: str, names: list[str], use: list[dict[int, float]]
) -> Markup:
    narrow = width <= NARROW
    cells = {
        (i, hour): Cell("" if narrow else f"{100 * value:.0f}", min(value, 1.0))
        for i, strip in enumerate(use)
        for hour, value in sorted(strip.items())
    }
    peaks = []
    for name, strip in zip(names[:3], use[:3], strict=True):
        hour = max(sorted(strip), key=lambda one: strip[one])
        peaks.append(f"{name} is fullest at {hour}:00 with {percent(strip[hour])}")
    description = f"One strip of 24 hours a site, {len(names)} sites. {'; '.join(peaks)}."
    rows = [RowName(name) for name in names]
    hours = [str(hour) for hour in range(24)]
    return pathway_charts.heat_map(width, identifier, title, description, rows, hours, cells, _FILL, pitch=20)


def _use_data(names: list[str], use: list[dict[int, float]]) -> Table:
    rows: list[tuple[Text, ...]] = [
        (name, *(f"{100 * strip[hour]:.0f}" if hour in strip else MISSING for hour in range(24)))
        for name, strip in zip(names, use, strict=True)
    ]
    head = (Head("Site"), *(Head(str(hour), numeric=True) for hour in range(24)))
    return Table("Use by site and hour", head, tuple(rows), unit="%")


def _order(names: set[str], first: tuple[str, ...]) -> list[str]:
    return [name for name in first if name in names] + sorted(names - set(first))


@once
def capital_figure(context: Context) -> Figure:
    """Capital by year, stacked by who pays."""
    title = "Capital of charging by year and payer"
    rows = context.rows("charging_capital")
    found = sums(rows, ("payer", "year"), "value_usd")
    if not any(found.values()):
        return Figure("fig-charging-capital", title, Markup(""), empty="No capital of charging in this plan.")
    years = sorted({int(str(year)) for _, year in found})
    payers = _order({str(payer) for payer, _ in found}, _PAYERS)
    by_year = {year: sum(found.get((payer, year), 0.0) for payer in payers) for year in years}
    scale = scale_for(by_year.values(), "USD")
    series = [
        Series(
            labels.payer(payer),
            tuple(found.get((payer, year), 0.0) / scale.divisor for year in years),
            palette.CATEGORIES[i % len(palette.CATEGORIES)].css,
        )
        for i, payer in enumerate(payers)
    ]
    total = sum(by_year.values())
    peak = max(years, key=lambda year: by_year[year])
    description = (
        f"Stacked columns, {span(years)}: {money(total)} in all, most in {peak} ({money(by_year[peak])})."
    )

    def draw(width: int, identifier: str) -> Markup:
        return charts.stacked_columns(width, identifier, title, description, years, series, height=280)

    return stack_figure(
        "fig-charging-capital",
        title,
        pair(draw, "fig-charging-capital"),
        years,
        series,
        table="charging_capital",
        unit=f"$ {scale.unit} by year decided, {context.money_unit}, undiscounted",
        note=f"{money(total)} in all. Trucks are not part of it.",
        data=("", f"$ {scale.unit}"),
    )


@once
def capital_table(context: Context) -> Table:
    """Capital over all years by item and payer."""
    rows = context.rows("charging_capital")
    found = sums(rows, ("item", "payer"), "value_usd")
    items = _order({str(item) for item, _ in found}, _ITEMS)
    payers = _order({str(payer) for _, payer in found}, _PAYERS)
    out: list[tuple[Text, ...]] = []
    for item in items:
        values = [found.get((item, payer), 0.0) for payer in payers]
        out.append((labels.charging_item(item), *(_million(value) for value in (*values, sum(values)))))
    if len(items) > 1:
        values = [sum(found.get((item, payer), 0.0) for item in items) for payer in payers]
        out.append(
            (Markup("<b>{}</b>").format("All"), *(_million(value) for value in (*values, sum(values))))
        )
    years = sorted({int(row["year"]) for row in rows})
    return Table(
        "Capital of charging by item and payer",
        (
            Head("Item"),
            *(Head(labels.payer(payer), "$ million", numeric=True) for payer in payers),
            Head("All", "$ million", numeric=True),
        ),
        tuple(out),
        unit=f"in the heading; {context.money_unit}, undiscounted",
        year=span(years),
        source="this plan, table charging_capital",
        empty="No capital of charging in this plan.",
    )


def _million(value: float) -> Markup:
    return escape(number(value / 1e6))
