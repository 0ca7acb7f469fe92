"""Trucks on roads as lines: both directions of a road together, thinned, and joined into few paths.

A report must stay small, and a network has thousands of arcs. Arcs are merged over their two
directions, the busiest are kept, and those of like width and colour that meet become one path.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from cleanhub.freight.globe import great_circle_km
from cleanhub.report import geo, palette, svg
from cleanhub.report.context import Row
from cleanhub.report.numbers import count

_SAME = 5
"""Decimals of a degree to which two ends are the same place (about a metre)."""
_WIDTHS = (
    (0.02, 0.5),
    (0.06, 1.0),
    (0.125, 1.7),
    (0.25, 2.7),
    (0.4, 4.0),
    (0.6, 5.6),
    (0.8, 7.4),
    (1.0, 9.0),
)
"""Up to which share of the busiest road a line is how wide [map units]."""
_SHARES = [share for share, _ in _WIDTHS]

Segment = tuple[geo.Point, geo.Point]


@dataclass(frozen=True)
class Road:
    """A stretch of road: its ends (lon, lat), length between them [km], trucks and electric trucks a day."""

    start: geo.Point
    end: geo.Point
    km: float
    trucks: float
    electric: float

    @property
    def share_class(self) -> int:
        """Share of battery-electric trucks in five equal classes, 0 to 4."""
        return min(int(5 * self.electric / self.trucks), 4) if self.trucks else 0


@dataclass(frozen=True)
class Lines:
    """Drawn lines, how many stretches they hold of how many, and their share of all truck-kilometres."""

    svg: Markup
    drawn: int
    known: int
    carried: float


def merged(rows: Sequence[Row]) -> list[Road]:
    """Rows of ``road_flow`` with both directions of a stretch together, the busiest first."""
    found: dict[Segment, tuple[float, float]] = {}
    ordered = sorted(rows, key=lambda row: int(row["arc_id"]))
    for row in ordered:
        one = round(float(row["from_lon"]), _SAME), round(float(row["from_lat"]), _SAME)
        other = round(float(row["to_lon"]), _SAME), round(float(row["to_lat"]), _SAME)
        ends = (one, other) if one <= other else (other, one)
        trucks, electric = found.get(ends, (0.0, 0.0))
        found[ends] = (
            trucks + float(row["trucks_per_day"] or 0.0),
            electric + float(row["ze_trucks_per_day"] or 0.0),
        )
    kept = [(ends, sums) for ends, sums in found.items() if sums[0] > 0 and ends[0] != ends[1]]
    places = np.array([[*ends[0], *ends[1]] for ends, _ in kept]).reshape(-1, 4)
    lengths = great_circle_km(places[:, 1], places[:, 0], places[:, 3], places[:, 2])
    roads = [Road(ends[0], ends[1], float(km), *sums) for (ends, sums), km in zip(kept, lengths, strict=True)]
    return sorted(roads, key=lambda road: (-road.trucks, road.start, road.end))


def core_points(roads: Sequence[Road], outside: float = 0.06) -> list[geo.Point]:
    """Two corners (lon, lat) of the box that leaves ``outside`` of the truck-kilometres beyond each side."""
    if not roads:
        return []
    weights = np.array([road.km * road.trucks for road in roads])
    corners = []
    for axis in (0, 1):
        middle = np.array([(road.start[axis] + road.end[axis]) / 2 for road in roads])
        order = np.argsort(middle, kind="stable")
        share = np.cumsum(weights[order]) / weights.sum()
        low = middle[order][int(np.searchsorted(share, outside))]
        high = middle[order][min(int(np.searchsorted(share, 1 - outside)), len(roads) - 1)]
        corners.append((float(low), float(high)))
    return [(corners[0][0], corners[1][0]), (corners[0][1], corners[1][1])]


def width_of(trucks: float, top: float) -> float:
    """Width of a line [map units] where the busiest road carries ``top`` trucks a day."""
    share = trucks / top if top > 0 else 0.0
    return _WIDTHS[min(bisect_left(_SHARES, share), len(_WIDTHS) - 1)][1]


def draw(roads: Sequence[Road], projection: geo.Projection, most: int) -> Lines:
    """The busiest ``most`` stretches that touch the map, as one path for each width, colour and run.

    ``roads`` come as :func:`merged` gives them. Thin lines lie at the bottom.
    """
    top = roads[0].trucks if roads else 0.0
    inside = [road for road in roads if projection.holds(*road.start) or projection.holds(*road.end)][:most]
    groups: dict[tuple[float, int], list[Segment]] = {}
    busiest: dict[tuple[float, int], float] = {}
    for road in inside:
        key = width_of(road.trucks, top), road.share_class
        busiest[key] = max(busiest.get(key, 0.0), road.trucks)
        ends = _snapped(projection(*road.start)), _snapped(projection(*road.end))
        if ends[0] != ends[1]:
            groups.setdefault(key, []).append(ends)
    paths = [_path(key, groups[key], busiest[key]) for key in sorted(groups)]
    everything = sum(road.km * road.trucks for road in roads)
    carried = sum(road.km * road.trucks for road in inside) / everything if everything else 0.0
    return Lines(svg.join(paths), len(inside), len(roads), carried)


def _snapped(point: geo.Point) -> geo.Point:
    return round(point[0] * geo.GRID) / geo.GRID, round(point[1] * geo.GRID) / geo.GRID


def _path(key: tuple[float, int], segments: list[Segment], busiest: float) -> Markup:
    width, share = key
    about = f"up to {count(busiest)} trucks a day, {20 * share} to {20 * share + 20} % battery-electric"
    d = "".join(
        "M" + "L".join(f"{svg.fixed(x)} {svg.fixed(y)}" for x, y in chain) for chain in chains(segments)
    )
    style = (
        f"fill:none;stroke:{palette.ELECTRIC[share].css};stroke-width:{svg.fixed(width)};"
        "stroke-linecap:round;stroke-linejoin:round"
    )
    return svg.tag("path", svg.tag("title", about), d=d, style=style)


def chains(segments: Sequence[Segment]) -> list[list[geo.Point]]:
    """Segments joined end to end into as few runs of points as a walk finds; each is used once."""
    left: dict[geo.Point, set[geo.Point]] = {}
    for start, end in segments:
        left.setdefault(start, set()).add(end)
        left.setdefault(end, set()).add(start)
    ends = sorted(point for point, others in left.items() if len(others) % 2)
    out = []
    for first in [*ends, *sorted(left)]:
        while left[first]:
            run = [first]
            while left[run[-1]]:
                here = run[-1]
                following = min(left[here])
                left[here].discard(following)
                left[following].discard(here)
                run.append(following)
            out.append(run)
    return out
