"""The map: county shapes, sites, projects and infrastructure as one inline SVG.

Drawn whole on the server, so it stands without script and prints; ``map.js`` adds layers,
filter, pan, zoom and tooltips. Each mark carries its text in ``<title>``, which is the
native tooltip without script and the source of the tooltip with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from cleanhub.report import charging, charts, freight_map, geo, ground, labels, palette, svg
from cleanhub.report.blocks import Key, MapBlock, Section, Text
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import number, pretty_unit, tonnes
from cleanhub.report.sections.common import plural
from cleanhub.report.sections.today import LARGEST
from cleanhub.report.svg import INK, LINE, PAPER

WIDTH = 800.0
LARGEST_RADIUS = 24.0
LEAST_RADIUS = 1.8
CHARGING_RADIUS = 7.0
_PRECISION = {
    "approx": "place within about 2 km",
    "city": "placed at its town",
    "area": "placed somewhere in the named area",
    "centroid": "placed at the centre of the region",
}


def build(context: Context) -> Section:
    """The section with the map, or the reason why there is none."""
    lead: tuple[Text, ...] = (
        (
            "Move with the arrow keys, by dragging or with the buttons; zoom with + and "
            "\N{MINUS SIGN}, or with the wheel after a click on the map. Tab goes to the marks, and "
            "the arrow keys then from mark to mark."
        ),
    )
    block = draw(context)
    return Section("map", "Map", () if block.empty else lead, (block,))


def draw(context: Context) -> MapBlock:
    """Project everything that has a place, and draw it from the ground up."""
    shapes = ground.shapes(context)
    projection = geo.fit(_extent(context, shapes), WIDTH)
    if projection is None:
        nothing = Markup("")
        return MapBlock(
            nothing, (), (), nothing, (), (), "", "", "", empty="Nothing in this plan has a place."
        )
    infrastructure = _placed(context.package("infrastructure"), projection)
    projects = _placed(context.package("projects"), projection)
    sites = _sites(context, projection)
    circles, ranks = _site_layer(context, sites, projection)
    flows = freight_map.flow_layer(context, projection)
    chargers = _charging_sites(context, projection)
    body = [
        ground.ground_layer(shapes, projection),
        flows,
        circles,
        svg.tag("g", *(_infrastructure_mark(row, projection) for row in infrastructure)),
        svg.tag("g", *(_project_mark(row, projection) for row in projects)),
        chargers,
        ranks,
        freight_map.credit(context, projection),
    ]
    title = f"Map of {context.hub.title}"
    description = (
        f"{plural(len(sites), 'site')} sized by emissions in {context.base_year}, "
        f"{plural(len(projects), 'project')} by stage, {len(infrastructure)} pieces of "
        "infrastructure."
    )
    attribution = charging.attribution(context)
    layers = _layers(bool(shapes), bool(sites), bool(projects), infrastructure)
    drawing = svg.document("map-svg", projection.width, projection.height, title, description, body)
    sectors = sorted({str(r["sector"]) for r in [*(s for s, _ in sites), *projects]})
    groups = [g for g in palette.GROUPS if any(palette.group_of(s) == g for s in sectors)]
    stages = [s for s, _ in palette.STAGES if any(r["stage"] == s for r in projects)]
    cells = dict.fromkeys([source for _, (_, _, source) in sites] + [str(r["source_id"]) for r in projects])
    return MapBlock(
        svg=drawing,
        layers=(*_freight_layers(bool(flows), bool(chargers), attribution), *layers),
        sectors=tuple((s, labels.sector(s)) for s in sectors),
        sizes=_sizes(sites),
        stages=tuple(Key(labels.stage(s), palette.stage_colour(s).css, "diamond") for s in stages),
        groups=tuple(Key(g.label, g.colour.css, "dot") for g in groups),
        unit=f"area of a circle: t CO\N{SUBSCRIPT TWO}e per year, scope 1, GWP set {context.gwp}",
        year=f"{context.base_year} for sites; as last published for projects",
        source=Markup("; ").join(filter(None, [context.cite.caption(cells, limit=3), attribution])),
    )


def _extent(context: Context, shapes: list[tuple[str, Mapping[str, Any]]]) -> list[geo.Point]:
    if shapes:
        return [point for _, shape in shapes for ring in geo.rings(shape) for point in ring]
    rows = [r for t in ("facilities", "projects", "infrastructure") for r in context.package(t)]
    return [
        (float(row["lon"]), float(row["lat"]))
        for row in rows
        if row["lat"] is not None and row["lon"] is not None
    ]


def _placed(rows: list[Row], projection: geo.Projection) -> list[Row]:
    return [
        row
        for row in rows
        if row["lat"] is not None
        and row["lon"] is not None
        and projection.holds(float(row["lon"]), float(row["lat"]))
    ]


def _sites(context: Context, projection: geo.Projection) -> list[tuple[Row, tuple[int, float, str]]]:
    placed = {str(r["asset_id"]): r for r in _placed(context.package("facilities"), projection)}
    ranked = sorted(context.base_tonnes.items(), key=lambda item: (-item[1][1], item[0]))
    return [(placed[asset], value) for asset, value in ranked if asset in placed]


def _mark(row: Row, projection: geo.Projection, layer: str, about: str, *shape: Markup) -> Markup:
    x, y = projection(float(row["lon"]), float(row["lat"]))
    return svg.tag(
        "g",
        svg.tag("title", about),
        *shape,
        class_="m",
        data_layer=layer,
        data_sector=str(row.get("sector") or "") or None,
        transform=f"translate({svg.fixed(x)} {svg.fixed(y)})",
    )


def _radius(value: float, top: float) -> float:
    return max(LEAST_RADIUS, LARGEST_RADIUS * math.sqrt(max(value, 0.0) / (top or 1.0)))


def _site_layer(
    context: Context,
    sites: list[tuple[Row, tuple[int, float, str]]],
    projection: geo.Projection,
) -> tuple[Markup, Markup]:
    top = max((value for _, (_, value, _) in sites), default=1.0)
    marks: list[Markup] = []
    ranks: list[Markup] = []
    taken: list[geo.Point] = []
    for rank, (row, (when, value, source)) in enumerate(sites, start=1):
        sector = str(row["sector"])
        about = (
            f"{row['name']}\n{labels.sector(sector)}"
            f"{', ' + str(row['county']) if row['county'] else ''}\n"
            f"{tonnes(value)} CO\N{SUBSCRIPT TWO}e in {when}, scope 1\nsource: {source}"
        )
        radius = _radius(value, top)
        fill = palette.group_of(sector).colour.css
        style = f"fill:{fill};fill-opacity:.72;stroke:{INK};stroke-width:.6"
        circle = svg.tag("circle", r=radius, style=style)
        spot = projection(float(row["lon"]), float(row["lat"]))
        if rank <= LARGEST and all(math.dist(spot, other) > 16 for other in taken):
            taken.append(spot)
            ranks.append(_rank(row, spot, rank))
        marks.append(_mark(row, projection, "site", about, circle))
    return svg.tag("g", *marks), svg.tag("g", *ranks)


def _rank(row: Row, spot: geo.Point, rank: int) -> Markup:
    label = svg.text(0, 4, str(rank), size=11, anchor="middle", fill=INK, weight="600", halo=True)
    return svg.tag(
        "g",
        label,
        class_="r",
        data_layer="site",
        data_sector=str(row["sector"]),
        transform=f"translate({svg.fixed(spot[0])} {svg.fixed(spot[1])})",
        style="pointer-events:none",
    )


def _project_mark(row: Row, projection: geo.Projection) -> Markup:
    cut = row["co2e_t_per_year"]
    said = f"{tonnes(cut)} CO\N{SUBSCRIPT TWO}e per year expected" if cut else "no tonnes stated"
    place = _PRECISION.get(str(row["coord_precision"] or ""), "")
    about = (
        f"{row['name']}\n{labels.sector(str(row['sector']))}, {labels.stage(str(row['stage']))}, "
        f"role: {row['role']}\n{said}"
        f"{', online ' + str(row['online_year']) if row['online_year'] else ''}\n"
        f"{place + chr(10) if place else ''}source: {row['source_id']}"
    )
    colour = palette.stage_colour(str(row["stage"])).css
    style = f"fill:{colour};stroke:{PAPER};stroke-width:1"
    diamond = svg.tag("path", d="M0 -6L6 0L0 6L-6 0Z", style=style)
    return _mark(row, projection, "project", about, diamond)


def _infrastructure_mark(row: Row, projection: geo.Projection) -> Markup:
    kind = str(row["kind"])
    value = ""
    if row["value"] is not None:
        when = f" ({row['value_year']})" if row["value_year"] else ""
        value = f"{number(row['value'])} {pretty_unit(str(row['unit'] or ''))}{when}\n"
    status = f"{row['status']}\n" if row["status"] else ""
    about = f"{row['name']}\n{labels.infrastructure(kind)}\n{value}{status}source: {row['source_id']}"
    return _mark({**row, "sector": None}, projection, f"infra-{kind}", about, ground.glyph(kind))


def _charging_sites(context: Context, projection: geo.Projection) -> Markup:
    sites = charging.sites(context)
    marks = []
    for site in sites:
        if projection.holds(float(site.row["lon"]), float(site.row["lat"])):
            radius = freight_map.site_radius(site, sites, CHARGING_RADIUS)
            style = f"fill:{freight_map.phase_colour(site)};fill-opacity:.85;stroke:{INK};stroke-width:.8"
            dot = svg.tag("circle", r=radius, style=style)
            row = {**site.row, "sector": None}
            marks.append(_mark(row, projection, "charging", freight_map.site_about(site), dot))
    return svg.tag("g", *marks) if marks else Markup("")


def _freight_layers(flows: bool, chargers: bool, attribution: str) -> list[tuple[str, str, Markup]]:
    found = []
    if chargers:
        dot = charts.swatch(palette.PHASES[0].css, "dot")
        found.append(("charging", "Charging sites by power, the darker the sooner", dot))
    if flows:
        line = charts.swatch(palette.ELECTRIC[3].css, "line")
        found.append(("flow", f"Trucks a day, the bluer the more electric ({attribution})", line))
    return found


def _layers(
    counties: bool, sites: bool, projects: bool, infrastructure: list[Row]
) -> tuple[tuple[str, str, Markup], ...]:
    found: list[tuple[str, str, Markup]] = []
    if sites:
        dot = charts.swatch(palette.INCUMBENT.css, "dot")
        found.append(("site", "Sites (largest numbered as in their table)", dot))
    if projects:
        found.append(("project", "Projects", charts.swatch(palette.STAGES[4][1].css, "diamond")))
    for kind in sorted({str(r["kind"]) for r in infrastructure}):
        glyph = svg.tag(
            "svg", ground.glyph(kind), viewBox="-7 -7 14 14", width="14", height="14", aria_hidden="true"
        )
        found.append((f"infra-{kind}", labels.infrastructure(kind), glyph))
    if counties:
        found.append(("county", "County lines", charts.swatch(LINE, "line")))
    return tuple(found)


def _sizes(sites: list[tuple[Row, tuple[int, float, str]]]) -> Markup:
    """Circles of round tonnages, as the key to the sizes."""
    if not sites:
        return Markup("")
    top = sites[0][1][1]
    power = 10.0 ** math.floor(math.log10(top)) if top > 0 else 1.0
    steps = [step for step in (5 * power, power, power / 10) if step <= top] or [top]
    parts: list[Markup] = []
    at = 2.0
    for step in steps:
        radius = _radius(step, top)
        style = f"fill:none;stroke:{INK}"
        parts.append(svg.tag("circle", cx=at + radius, cy=30.0, r=radius, style=style))
        parts.append(svg.text(at + 2 * radius + 4, 34, tonnes(step)))
        at += 2 * radius + 62
    return svg.tag(
        "svg",
        *parts,
        viewBox=f"0 0 {svg.fixed(at)} 60",
        width=at,
        height="60",
        role="img",
        aria_label="Key to the sizes of the circles",
    )
