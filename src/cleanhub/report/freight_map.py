"""The map of trucks on the roads and of charging sites: the port region, and layers for the map of the hub.

Lines are as wide as their trucks and the bluer the more of them are battery-electric; circles are as
large as the power of a site, coloured by the phase in which it opens.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from cleanhub.freight.globe import EARTH_RADIUS_KM
from cleanhub.report import charging, geo, ground, labels, palette, road_lines, svg
from cleanhub.report.blocks import Figure, Head, Key, Table, Text
from cleanhub.report.charging import Site
from cleanhub.report.charts import NARROW, WIDE
from cleanhub.report.context import Context, Row, once
from cleanhub.report.numbers import count, number, percent
from cleanhub.report.road_lines import Road
from cleanhub.report.svg import INK, PAPER

MOST_WIDE = 3000
MOST_NARROW = 900
MOST_LAYER = 1500
"""Stretches of road drawn at most: on wide and narrow paper, and on the map of the hub."""

_PLACES = 9
_KM_PER_DEGREE = math.pi * EARTH_RADIUS_KM / 180
_TITLE = "Trucks on the roads of the port region, and where they can charge"


@once
def _roads(context: Context) -> list[Road]:
    return road_lines.merged(context.rows("road_flow"))


@once
def figure(context: Context) -> Figure:
    """The port region with flows and sites, drawn for wide and for narrow paper."""
    roads = _roads(context)
    sites = charging.sites(context)
    extent = road_lines.core_points(roads)
    extent += [
        (float(site.row["lon"]), float(site.row["lat"])) for site in sites if not _is_far(site, extent)
    ]
    if not extent:
        return Figure(
            "fig-freight-map", _TITLE, Markup(""), empty="No trucks on roads and no sites in this plan."
        )
    wide, lines = _drawing(context, WIDE, extent, roads, sites, MOST_WIDE)
    narrow, _ = _drawing(context, NARROW, extent, roads, sites, MOST_NARROW)
    attribution = charging.attribution(context)
    years = [int(row["year"]) for row in charging.year_rows(context)]
    return Figure(
        "fig-freight-map",
        _TITLE,
        wide,
        narrow,
        legend=_legend(roads, sites),
        unit="trucks on a working day, both directions together; MW of plugs in the last year decided",
        year=str(years[-1]) if years else "last year decided",
        source=Markup("this plan, tables road_flow and chargers; {}").format(attribution)
        if attribution
        else "this plan, tables road_flow and chargers",
        note=_note(lines),
        data=_data(roads),
    )


def _is_far(site: Site, core: Sequence[geo.Point]) -> bool:
    """Whether a site lies more than a seventh of the core beyond it, and is left off the map."""
    if not core:
        return False
    for axis, name in ((0, "lon"), (1, "lat")):
        low, high = core[0][axis], core[1][axis]
        reach = max(high - low, 0.3) / 7
        if not low - reach <= float(site.row[name]) <= high + reach:
            return True
    return False


def _note(lines: road_lines.Lines) -> str:
    if not lines.known:
        return "No trucks on roads in this plan: sites alone are drawn."
    return (
        f"Drawn: the busiest {count(lines.drawn)} of {count(lines.known)} stretches of road, with "
        f"{percent(lines.carried)} of all truck-kilometres; the others lie beyond the map or are too thin "
        "to see. Numbers are those of the table of sites."
    )


def _drawing(
    context: Context,
    width: int,
    extent: Sequence[geo.Point],
    roads: Sequence[Road],
    sites: Sequence[Site],
    most: int,
) -> tuple[Markup, road_lines.Lines]:
    projection = geo.fit(extent, float(width), tallest=0.6 if width > NARROW else 1.1)
    if projection is None:  # the caller has points
        raise ValueError("a map needs at least one place")
    lines = road_lines.draw(roads, projection, most)
    seen = [site for site in sites if _holds(projection, site)]
    largest = 15.0 if width > NARROW else 10.0
    body = [
        ground.ground_layer(_shapes_within(context, projection), projection),
        svg.tag("g", lines.svg),
        _substations(context, projection),
        svg.tag("g", *(site_mark(site, projection, largest, sites) for site in seen)),
        _numbers(seen, projection),
        _places(context, projection, seen),
        _scale_bar(projection),
        credit(context, projection),
    ]
    description = (
        f"{len(seen)} charging sites and {lines.drawn} stretches of road. "
        + "; ".join(
            f"{site.row['name']}, {number(site.megawatts)} MW, {site.phase.label.lower()}"
            for site in seen[:5]
        )
        + "."
    )
    identifier = f"fig-freight-map-{'w' if width > NARROW else 'n'}"
    return svg.document(identifier, projection.width, projection.height, _TITLE, description, body), lines


def _holds(projection: geo.Projection, site: Site) -> bool:
    return projection.holds(float(site.row["lon"]), float(site.row["lat"]))


def _shapes_within(context: Context, projection: geo.Projection) -> list[ground.Shape]:
    """Areas whose box touches the map."""
    found = []
    for name, shape in ground.shapes(context):
        points = [projection(*point) for ring in geo.rings(shape) for point in ring]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        if min(xs) <= projection.width and max(xs) >= 0 and min(ys) <= projection.height and max(ys) >= 0:
            found.append((name, shape))
    return found


# ---------------------------------------------------------------- sites


def phase_colour(site: Site) -> str:
    """CSS colour of a site's phase; what is open already is paper."""
    return palette.PHASES[site.phase.number - 1].css if site.phase.number else PAPER


def site_radius(site: Site, sites: Sequence[Site], largest: float) -> float:
    """Radius whose area follows the power of a site [map units]."""
    top = max((one.megawatts for one in sites), default=0.0) or 1.0
    return max(3.0, largest * math.sqrt(site.megawatts / top))


def site_about(site: Site) -> str:
    """What a reader is told of a site, over several lines."""
    row = site.row
    opens = f"opens {row['year_energised']}" if site.phase.number else "open already"
    return (
        f"{site.number} {row['name']}\n{labels.charging_site(str(row['kind']))}, {opens}\n"
        f"{number(site.megawatts)} MW, {count(row['plugs'])} plugs"
    )


def site_mark(site: Site, projection: geo.Projection, largest: float, sites: Sequence[Site]) -> Markup:
    """The circle of a site with its tooltip."""
    x, y = projection(float(site.row["lon"]), float(site.row["lat"]))
    style = f"fill:{phase_colour(site)};fill-opacity:.9;stroke:{INK};stroke-width:1.1"
    radius = site_radius(site, sites, largest)
    return svg.tag("circle", svg.tag("title", site_about(site)), cx=x, cy=y, r=radius, style=style)


def _numbers(sites: Sequence[Site], projection: geo.Projection) -> Markup:
    taken: list[geo.Point] = []
    marks = []
    for site in sites:
        spot = projection(float(site.row["lon"]), float(site.row["lat"]))
        if all(math.dist(spot, other) > 14 for other in taken):
            taken.append(spot)
            label = svg.text(
                spot[0],
                spot[1] + 4,
                str(site.number),
                size=10.5,
                anchor="middle",
                fill=INK,
                weight="700",
                halo=True,
            )
            marks.append(label)
    return svg.tag("g", *marks, style="pointer-events:none")


def _substations(context: Context, projection: geo.Projection) -> Markup:
    """A bolt at each substation with works whose place the hub knows."""
    named = {str(row["substation"]) for row in context.rows("grid_upgrades")}
    marks = []
    for row in context.package("infrastructure"):
        if str(row["infrastructure_id"]) not in named or row["lat"] is None or row["lon"] is None:
            continue
        if not projection.holds(float(row["lon"]), float(row["lat"])):
            continue
        x, y = projection(float(row["lon"]), float(row["lat"]))
        at = f"translate({svg.fixed(x)} {svg.fixed(y)})"
        about = svg.tag("title", f"{row['name']}: works at this substation")
        marks.append(svg.tag("g", about, ground.glyph("substation"), transform=at))
    return svg.tag("g", *marks)


# ---------------------------------------------------------------- lettering


def _named_places(context: Context) -> list[Row]:
    ports = [row for row in context.package("infrastructure") if row["kind"] == "port"]
    clusters = sorted(
        context.package("warehouse_clusters"),
        key=lambda row: (-float(row["share"] or 0.0), str(row["cluster"])),
    )
    return [*ports, *({**row, "name": row["cluster"]} for row in clusters)]


def _places(context: Context, projection: geo.Projection, sites: Sequence[Site]) -> Markup:
    """Names of ports and of the largest clusters where they hide neither each other nor a site."""
    boxes = [
        (x - 8, y - 8, x + 8, y + 8)
        for x, y in (projection(float(site.row["lon"]), float(site.row["lat"])) for site in sites)
    ]
    marks: list[Markup] = []
    for row in _named_places(context):
        if row["lat"] is None or row["lon"] is None or len(marks) >= _PLACES:
            continue
        name = str(row["name"])
        x, y = projection(float(row["lon"]), float(row["lat"]))
        half = 3.2 * len(name)
        box = (x - half, y + 4, x + half, y + 18)
        inside = box[0] > 0 and box[2] < projection.width and box[1] > 0 and box[3] < projection.height - 26
        if inside and not any(
            box[0] < b[2] and box[2] > b[0] and box[1] < b[3] and box[3] > b[1] for b in boxes
        ):
            boxes.append(box)
            marks.append(svg.text(x, y + 15, name, size=11, anchor="middle", halo=True))
    return svg.tag("g", *marks, style="pointer-events:none")


def _scale_bar(projection: geo.Projection) -> Markup:
    per_km = projection.scale / _KM_PER_DEGREE
    room = projection.width / 5 / per_km
    power = 10.0 ** math.floor(math.log10(room))
    km = max(step * power for step in (1, 2, 5) if step * power <= room)
    y = projection.height - 10
    bar = svg.tag(
        "path",
        d=f"M8 {svg.fixed(y - 4)}V{svg.fixed(y)}H{svg.fixed(8 + km * per_km)}V{svg.fixed(y - 4)}",
        style=f"fill:none;stroke:{INK};stroke-width:1.4",
    )
    return svg.join([bar, svg.text(12, y - 4, f"{number(km)} km", size=11, fill=INK, halo=True)])


def credit(context: Context, projection: geo.Projection) -> Markup:
    """The attribution that the licence of the geometry asks for, on the map itself; empty without any."""
    words = charging.attribution(context)
    if not words:
        return Markup("")
    lines = svg.wrap(words, max(int(projection.width / 8.5), 20), 2)
    first = projection.height - 8 - 12 * (len(lines) - 1)
    return svg.join(
        svg.text(projection.width - 6, first + 12 * i, line, size=10.5, anchor="end", fill=INK, halo=True)
        for i, line in enumerate(lines)
    )


def _legend(roads: Sequence[Road], sites: Sequence[Site]) -> tuple[Key, ...]:
    keys = []
    if roads:
        keys = [
            Key(f"{20 * i} to {20 * i + 20} % of trucks battery-electric", colour.css, "line")
            for i, colour in enumerate(palette.ELECTRIC)
        ]
        keys.append(Key(f"Widest line: {count(roads[0].trucks)} trucks a day", INK, "line"))
    seen = {site.phase.number: site for site in sites}
    keys += [Key(seen[phase].phase.label, phase_colour(seen[phase]), "dot") for phase in sorted(seen)]
    if sites:
        top = max(site.megawatts for site in sites)
        keys.append(Key(f"Largest circle: {number(top)} MW; the area follows the power", PAPER, "dot"))
    return tuple(keys)


def _data(roads: Sequence[Road]) -> Table:
    rows: list[tuple[Text, ...]] = []
    for share in range(5):
        own = [road for road in roads if road.share_class == share]
        all_km = sum(road.km * road.trucks for road in own)
        electric = sum(road.km * road.electric for road in own)
        cells = (count(len(own)), count(sum(r.km for r in own)), count(all_km), count(electric))
        rows.append((f"{20 * share} to {20 * share + 20} %", *cells))
    return Table(
        "Roads by share of battery-electric trucks",
        (
            Head("Battery-electric"),
            Head("Stretches", numeric=True),
            Head("Length", "km, straight between ends", numeric=True),
            Head("Trucks", "truck-km a day", numeric=True),
            Head("of which electric", "truck-km a day", numeric=True),
        ),
        tuple(rows),
        unit="in the heading",
    )


# ---------------------------------------------------------------- layers of the map of the hub


def flow_layer(context: Context, projection: geo.Projection) -> Markup:
    """Flows as one layer that can be switched; empty without any."""
    roads = _roads(context)
    if not roads:
        return Markup("")
    lines = road_lines.draw(roads, projection, MOST_LAYER)
    return svg.tag("g", lines.svg, data_layer="flow", style="stroke-opacity:.9")
