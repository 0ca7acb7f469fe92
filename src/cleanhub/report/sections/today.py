"""The hub today: tonnes by sector and by kind of asset, and the largest sites."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.report import charts, labels, palette
from cleanhub.report.blocks import Figure, Head, Key, Section, Table, Text
from cleanhub.report.charts import Bar
from cleanhub.report.context import Context
from cleanhub.report.numbers import number, tonnes
from cleanhub.report.sections.common import pair, plural, span

LARGEST = 15
_KINDS = (("site", ""), ("cohort", "hatch"), ("rest", "light"))
_UNIT = "Mt CO\N{SUBSCRIPT TWO}e per year"


def build(context: Context) -> Section:
    """Bars by sector of the hub's scope and the table of its largest sites."""
    count = len(context.base_tonnes)
    lead: list[Text] = []
    if count:
        total = sum(t for _, t, _ in context.base_tonnes.values())
        years = sorted(when for when, _, _ in context.base_tonnes.values())
        lead.append(
            f"{plural(count, 'site')} of this hub's package report emissions: {tonnes(total)} "
            f"CO\N{SUBSCRIPT TWO}e together in {span(years)}, inside or outside the hub's scope."
        )
    return Section(
        "today",
        "The hub today",
        tuple(lead),
        (_bars(context), _largest(context)),
    )


def _bars(context: Context) -> Figure:
    title = f"Scope 1 emissions by sector of the hub's scope, {context.base_year}"
    found: dict[str, dict[str, float]] = {}
    for row in context.scope_1:
        if row["year"] == context.base_year and row["hub_scope"]:
            kinds = found.setdefault(str(row["sector"]), {})
            kind = str(row["asset_kind"])
            kinds[kind] = kinds.get(kind, 0.0) + row["tonnes"] / 1e6
    if not found:
        return Figure("fig-today", title, Markup(""), empty="No base-year emissions in this plan.")
    order = sorted(found, key=lambda s: (-sum(found[s].values()), s))
    bars = []
    for sector in order:
        fill = palette.group_of(sector).colour.css
        segments = tuple((found[sector].get(kind, 0.0), fill, overlay) for kind, overlay in _KINDS)
        total = sum(found[sector].values())
        bars.append(Bar(labels.sector(sector), f"{number(total)} Mt", segments))
    description = "Largest: " + ", ".join(f"{b.label} {b.shown}" for b in bars[:3]) + "."

    def draw(width: int, identifier: str) -> Markup:
        return charts.horizontal_bars(width, identifier, title, description, bars)

    wide, narrow = pair(draw, "fig-today")
    rows = tuple(
        (
            labels.sector(s),
            *(number(found[s].get(kind, 0.0)) for kind, _ in _KINDS),
            number(sum(found[s].values())),
        )
        for s in order
    )
    head = (
        Head("Sector"),
        Head("Sites", numeric=True),
        Head("Cohorts", numeric=True),
        Head("Rest", numeric=True),
        Head("Sum", numeric=True),
    )
    cells = dict.fromkeys(map(str, context.package_cells("inventory", "source_id")))
    return Figure(
        "fig-today",
        title,
        wide,
        narrow,
        legend=(
            Key("Sites: single plants", palette.INCUMBENT.css),
            Key("Cohorts: vehicles, vessels, aircraft by class", palette.INCUMBENT.css, "hatch"),
            Key("Rest of the inventory sector", palette.INCUMBENT.css, "light"),
        ),
        unit=f"{_UNIT}, GWP set {context.gwp}",
        year=str(context.base_year),
        source=context.cite.caption(cells) or "this plan, table emissions",
        note="Colours are those of the sector groups above.",
        data=Table("Scope 1 emissions by sector and kind of asset", head, rows, unit=_UNIT),
    )


def _largest(context: Context) -> Table:
    end = context.end_year
    later: dict[str, float] = {}
    technology: dict[str, str] = {}
    for row in context.rows_where("assets", lambda table: table["year"] == end):
        asset = str(row["asset_id"])
        later[asset] = later.get(asset, 0.0) + float(row["co2e_t"] or 0.0)
        technology[asset] = context.technology(row["technology"])
    closed = {
        str(r["asset_id"]): f"closed in {r['year']}"
        for r in context.rows("switches")
        if not r["to_technology"]
    }
    ranked = sorted(context.base_tonnes.items(), key=lambda item: (-item[1][1], item[0]))
    rows: list[tuple[Text, ...]] = []
    for rank, (asset, (when, value, source)) in enumerate(ranked[:LARGEST], start=1):
        site = context.facilities.get(asset, {})
        rows.append(
            (
                str(rank),
                str(site.get("name") or asset),
                labels.sector(str(site.get("sector") or "")),
                str(site.get("county") or "\N{EN DASH}"),
                str(when),
                number(value / 1e3),
                number(later[asset] / 1e3) if asset in later else "\N{EN DASH}",
                closed.get(asset) or technology.get(asset) or "no option in the library",
                context.cite.cite(source),
            )
        )
    head = (
        Head("#", numeric=True),
        Head("Site"),
        Head("Sector"),
        Head("County"),
        Head("Year", numeric=True),
        Head("Emissions", "kt CO\N{SUBSCRIPT TWO}e", numeric=True),
        Head(f"In {end}", "kt CO\N{SUBSCRIPT TWO}e", numeric=True),
        Head(f"Technology in {end}"),
        Head("Source"),
    )
    return Table(
        f"The {LARGEST} largest sites",
        head,
        tuple(rows),
        unit=f"kt CO\N{SUBSCRIPT TWO}e per year, scope 1, GWP set {context.gwp}, without biogenic "
        "CO\N{SUBSCRIPT TWO}",
        year=f"in the column; {end} is on the path of this plan",
        source="in the column",
        empty="No site of this hub reports emissions.",
    )
