"""What lies under every map: county shapes or a graticule, and the glyphs of infrastructure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from cleanhub.report import geo, svg
from cleanhub.report.context import Context, once
from cleanhub.report.numbers import number
from cleanhub.report.svg import PAPER, SOFT

Shape = tuple[str, Mapping[str, Any]]

_GLYPHS = {
    "port": ("M-4.5 -4.5H4.5V4.5H-4.5Z", True),
    "terminal": ("M-3 -3H3V3H-3Z", False),
    "airport": ("M0 -5L5 4H-5Z", True),
    "rail_yard": ("M-6 -2H6V2H-6Z", False),
    "substation": ("M1 -6L-4 1H-.5L-1.5 6L4 -1H.5Z", True),
    "grid_zone": ("M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z", False),
    "co2_storage": ("M0 5L5 -4H-5Z", False),
    "hydrogen": ("M-5 0L-2.5 -4.3H2.5L5 0L2.5 4.3H-2.5Z", False),
    "fuel_terminal": ("M-4 4V-4H0L4 0V4Z", False),
    "depot": ("M-1.5 -5H1.5V-1.5H5V1.5H1.5V5H-1.5V1.5H-5V-1.5H-1.5Z", True),
}
_OTHER_GLYPH = ("M-3 0A3 3 0 1 0 3 0A3 3 0 1 0 -3 0Z", False)


@once
def shapes(context: Context) -> list[Shape]:
    """The areas of the hub."""
    return shapes_of(context.hub.counties_geojson())


def shapes_of(collection: dict[str, Any] | None) -> list[Shape]:
    """Name and geometry of the areas of a GeoJSON FeatureCollection, by name; others are left out."""
    found = []
    for feature in (collection or {}).get("features") or []:
        geometry = feature.get("geometry")
        if isinstance(geometry, dict) and geo.rings(geometry):
            properties = feature.get("properties") or {}
            found.append((str(properties.get("name") or ""), geometry))
    return sorted(found, key=lambda pair: pair[0])


def ground_layer(shapes: Sequence[Shape], projection: geo.Projection) -> Markup:
    """Sea, then the areas with their names as tooltips; a graticule where there are none."""
    frame = svg.tag(
        "rect",
        x="0",
        y="0",
        width=projection.width,
        height=projection.height,
        style="fill:var(--sea,#eef3f6)",
    )
    if not shapes:
        return svg.tag("g", frame, *_graticule(projection), class_="ground")
    counties = [
        svg.tag("path", svg.tag("title", name), d=geo.path(shape, projection)) for name, shape in shapes
    ]
    style = "fill:var(--land,#fbfaf7);stroke:var(--line-2,#c3c2bc);stroke-width:.8;stroke-linejoin:round"
    layer = svg.tag("g", *counties, data_layer="county", style=style)
    return svg.tag("g", frame, layer, class_="ground")


def _graticule(projection: geo.Projection) -> list[Markup]:
    span_lat = projection.height / projection.scale
    span_lon = projection.width / projection.scale / projection.squeeze
    parts = []
    for lat in svg.ticks(projection.north - span_lat, projection.north, 5):
        y = projection(projection.west, lat)[1]
        if 0 < y < projection.height:
            parts.append(svg.line(0, y, projection.width, y))
            parts.append(svg.text(4, y - 4, f"{number(lat, 4)}\N{DEGREE SIGN}"))
    for lon in svg.ticks(projection.west, projection.west + span_lon, 5):
        x = projection(lon, projection.north)[0]
        if 0 < x < projection.width:
            parts.append(svg.line(x, 0, x, projection.height))
            parts.append(svg.text(x + 4, projection.height - 6, f"{number(lon, 4)}\N{DEGREE SIGN}"))
    return parts


def glyph(kind: str) -> Markup:
    """The mark of a kind of infrastructure, about 12 units wide around the origin."""
    d, filled = _GLYPHS.get(kind, _OTHER_GLYPH)
    fill = SOFT if filled else PAPER
    return svg.tag("path", d=d, style=f"fill:{fill};stroke:{SOFT};stroke-width:1.2")
