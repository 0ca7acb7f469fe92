"""From degrees to map units: an equirectangular projection true to scale at mid latitude."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cleanhub.report.svg import fixed

GRID = 2.0
"""Shapes are rounded to 1/GRID map units, which drops points a reader cannot tell apart."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Projection:
    """lon, lat in degrees (WGS 84) to x, y in map units, y down."""

    west: float
    north: float
    scale: float
    squeeze: float
    width: float
    height: float

    def __call__(self, lon: float, lat: float) -> Point:
        """The map position of one place."""
        return (
            (lon - self.west) * self.squeeze * self.scale,
            (self.north - lat) * self.scale,
        )

    def holds(self, lon: float, lat: float) -> bool:
        """Whether the place lies on the map."""
        x, y = self(lon, lat)
        return 0 <= x <= self.width and 0 <= y <= self.height


def fit(points: Iterable[Point], width: float, tallest: float = 1.25) -> Projection | None:
    """The projection that holds all ``points`` (lon, lat) with a margin; ``None`` without any.

    The map is ``width`` units wide and at most ``tallest`` times as high, at least half.
    """
    found = list(points)
    if not found:
        return None
    lons, lats = [p[0] for p in found], [p[1] for p in found]
    squeeze = max(math.cos(math.radians((min(lats) + max(lats)) / 2)), 0.1)
    wide = max((max(lons) - min(lons)) * squeeze, 0.05) * 1.06
    high = max(max(lats) - min(lats), 0.05) * 1.06
    high = max(high, wide * 0.5)
    wide = max(wide, high / tallest)
    scale = width / wide
    lon_0, lat_0 = (max(lons) + min(lons)) / 2, (max(lats) + min(lats)) / 2
    return Projection(
        west=lon_0 - wide / squeeze / 2,
        north=lat_0 + high / 2,
        scale=scale,
        squeeze=squeeze,
        width=width,
        height=high * scale,
    )


def rings(geometry: Mapping[str, Any]) -> list[list[Point]]:
    """The rings of a Polygon or MultiPolygon as lists of (lon, lat); nothing for other types."""
    kind, parts = geometry.get("type"), geometry.get("coordinates") or []
    if kind == "Polygon":
        parts = [parts]
    elif kind != "MultiPolygon":
        return []
    return [[(float(c[0]), float(c[1])) for c in ring] for polygon in parts for ring in polygon]


def path(geometry: Mapping[str, Any], projection: Projection) -> str:
    """The SVG path of a shape, rounded to the grid; rings smaller than the grid vanish."""
    out = []
    for ring in rings(geometry):
        points: list[Point] = []
        for lon, lat in ring:
            x, y = projection(lon, lat)
            point = (round(x * GRID) / GRID, round(y * GRID) / GRID)
            if not points or points[-1] != point:
                points.append(point)
        if len(points) > 3:
            out.append("M" + "L".join(f"{fixed(x)} {fixed(y)}" for x, y in points[:-1]) + "Z")
    return "".join(out)
