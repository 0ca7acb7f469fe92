"""Where emissions stand: published history and the path, hub scope beside the whole inventory."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.report import charts, labels, palette
from cleanhub.report.blocks import Figure, Head, Key, Section, Table, Text
from cleanhub.report.charts import Marker, Series
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import number, percent, tonne_factor, tonnes
from cleanhub.report.sections.common import pair, span, sums, year_table

_UNIT = "Mt CO\N{SUBSCRIPT TWO}e per year"


def build(context: Context) -> Section:
    """The stacked history and path, a sentence on it, and what is reported beside the total."""
    rows = context.scope_1
    years = sorted({int(row["year"]) for row in rows})
    return Section(
        "emissions",
        "Where emissions stand",
        tuple(_lead(context, rows, years)),
        (_figure(context, rows, years), _beside(context)),
    )


def _totals(rows: list[Row]) -> tuple[dict[int, float], dict[int, float]]:
    hub: dict[int, float] = {}
    whole: dict[int, float] = {}
    for row in rows:
        when = int(row["year"])
        whole[when] = whole.get(when, 0.0) + row["tonnes"]
        if row["hub_scope"]:
            hub[when] = hub.get(when, 0.0) + row["tonnes"]
    return hub, whole


def _lead(context: Context, rows: list[Row], years: list[int]) -> list[Text]:
    if not years:
        return []
    hub, whole = _totals(rows)
    base = context.base_year if context.base_year in whole else years[0]
    end = years[-1]
    share = hub.get(base, 0.0) / whole[base] if whole[base] else None
    out: list[Text] = [
        (
            f"In {base} the hub's scope emitted {tonnes(hub.get(base, 0.0))} CO\N{SUBSCRIPT TWO}e, "
            f"{percent(share)} of the inventory's {tonnes(whole[base])}."
        )
    ]
    if end > base and hub.get(base):
        change = hub.get(end, 0.0) / hub[base] - 1
        word = "less" if change < 0 else "more"
        out.append(
            f"On this path the hub's scope emits {tonnes(hub.get(end, 0.0))} in {end}, "
            f"{percent(abs(change))} {word} than in {base}; the whole inventory emits "
            f"{tonnes(whole[end])}. What the hub does not cover is hatched: it follows stated "
            "drivers and is not planned here."
        )
    return out


def _layers(rows: list[Row], years: list[int]) -> list[Series]:
    by_group: dict[str, dict[int, float]] = {}
    rest: dict[int, float] = {}
    for row in rows:
        when = int(row["year"])
        into = rest
        if row["hub_scope"]:
            into = by_group.setdefault(palette.group_of(str(row["sector"])).key, {})
        into[when] = into.get(when, 0.0) + row["tonnes"] / 1e6
    layers = [
        Series(
            group.label,
            tuple(by_group[group.key].get(y, 0.0) for y in years),
            group.colour.css,
        )
        for group in palette.GROUPS
        if group.key in by_group
    ]
    if rest:
        values = tuple(rest.get(y, 0.0) for y in years)
        layers.append(Series("Outside the hub's scope", values, palette.REST.css, hatched=True))
    return layers


def _markers(context: Context) -> tuple[list[Marker], list[Key]]:
    metrics = {str(r["target"]): str(r["metric"]) for r in context.package("targets")}
    markers: list[Marker] = []
    keys: list[Key] = []
    for row in sorted(context.rows("milestones"), key=lambda r: (r["year"], r["milestone"])):
        metric = metrics.get(str(row["milestone"]), "")
        factor = tonne_factor(str(row["unit"]))
        wanted = metric in ("hub_emissions", "state_emissions") and factor is not None
        if not wanted or row["target"] is None or len(markers) == 26:
            continue
        letter = chr(ord("A") + len(markers))
        value = float(row["target"]) * (factor or 1.0)
        hollow = metric == "state_emissions"
        markers.append(Marker(letter, int(row["year"]), value / 1e6, hollow))
        scope = "whole inventory" if hollow else "hub's scope"
        name, due = str(row["name"]), str(row["year"])
        when = "" if due in name else f", {due}"
        label = Markup("<b>{}</b> {}{} ({}): {}").format(letter, name, when, scope, tonnes(value))
        keys.append(Key(label, palette.INCUMBENT.css, "hollow" if hollow else "diamond"))
    return markers, keys


def _figure(context: Context, rows: list[Row], years: list[int]) -> Figure:
    title = "Scope 1 emissions by sector group, history and path"
    if not years:
        return Figure("fig-emissions", title, Markup(""), empty="No emissions in this plan.")
    layers = _layers(rows, years)
    markers, marker_keys = _markers(context)
    markers = [m for m in markers if years[0] <= m.year <= years[-1]]
    past = [int(row["year"]) for row in rows if row["status"] == "history"]
    hub, whole = _totals(rows)
    description = (
        f"Stacked areas from {years[0]} to {years[-1]}. Hub scope: "
        f"{tonnes(hub.get(years[0], 0))} in {years[0]}, {tonnes(hub.get(years[-1], 0))} in "
        f"{years[-1]}. Whole inventory: {tonnes(whole[years[0]])} and {tonnes(whole[years[-1]])}."
    )

    def draw(width: int, identifier: str) -> Markup:
        return charts.stacked_areas(
            width,
            identifier,
            title,
            description,
            years,
            layers,
            height=400 if width == charts.WIDE else 340,
            divide=max(past, default=None),
            markers=markers,
        )

    wide, narrow = pair(draw, "fig-emissions")
    keys = [Key(s.label, s.fill, "hatch" if s.hatched else "box") for s in layers]
    inventory = str(context.hub.meta.get("inventory_title") or "")
    cells = dict.fromkeys(map(str, context.package_cells("inventory", "source_id")))
    cited = context.cite.caption(cells)
    return Figure(
        "fig-emissions",
        title,
        wide,
        narrow,
        legend=(*reversed(keys), *marker_keys),
        unit=f"{_UNIT}, GWP set {context.gwp}; boundary: included",
        year=f"{span(sorted(past)) or 'no year'} published, later years projected",
        source=Markup("{}; path: this plan").format(cited or inventory or "this plan"),
        note="Diamonds are targets: solid for the hub's scope, hollow for the whole inventory.",
        data=year_table("Scope 1 emissions by sector group", years, layers, _UNIT),
    )


def _beside(context: Context) -> Table:
    kept = context.rows_where(
        "emissions",
        lambda table: (
            table["gas"].isin(["co2e", "co2_biogenic"])
            & ((table["scope"] != 1) | (table["boundary"] != "included"))
        ),
    )
    wanted = (context.base_year, 2030, context.end_year)
    years = sorted({y for y in wanted if any(row["year"] == y for row in kept)})
    found = sums(kept, ("scope", "boundary", "gas", "unit", "year"), "value")
    lines = sorted({key[:4] for key in found}, key=str)
    rows: list[tuple[Text, ...]] = []
    for scope, boundary, gas, unit in lines:
        factor = tonne_factor(str(unit)) or 1.0
        values = [found.get((scope, boundary, gas, unit, y)) for y in years]
        shown = [number(None if v is None else v * factor / 1e6) for v in values]
        rows.append((f"Scope {scope}", labels.words(str(boundary)), labels.words(str(gas)), *shown))
    head = (
        Head("Scope"),
        Head("Boundary"),
        Head("Gas"),
        *(Head(str(y), "Mt", numeric=True) for y in years),
    )
    return Table(
        "Reported beside the total, never added to it",
        head,
        tuple(rows) if years else (),
        unit=f"Mt per year, GWP set {context.gwp}",
        year="in the heading",
        source="this plan, table emissions",
    )
