"""The chart forms of the report, each a pure function from numbers to one SVG.

Stacks over years (areas or columns), horizontal stacked bars, bubbles by year and row, and
limit panels. Each takes the ``width`` to draw at, so that a page can hold a wide and a
narrow drawing of the same data. What a number *means* is the business of ``sections``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cleanhub.report import svg
from cleanhub.report.numbers import number
from cleanhub.report.svg import INK, PAPER, SOFT, Plot

WIDE = 760
NARROW = 360


@dataclass(frozen=True)
class Series:
    """One layer of a stack: values by year (same length as the years), CSS fill."""

    label: str
    values: tuple[float, ...]
    fill: str
    hatched: bool = False


@dataclass(frozen=True)
class Marker:
    """A point to reach: a letter, drawn as a diamond (solid or hollow)."""

    letter: str
    year: int
    value: float
    hollow: bool = False


@dataclass(frozen=True)
class Bar:
    """One horizontal bar: label, value shown at its end, segments of (value, fill, hatched)."""

    label: str
    shown: str
    segments: tuple[tuple[float, str, str], ...]
    mark: float | None = None


def _extent(years: Sequence[int], series: Sequence[Series]) -> tuple[float, float]:
    low = high = 0.0
    for i in range(len(years)):
        high = max(high, sum(max(s.values[i], 0.0) for s in series))
        low = min(low, sum(min(s.values[i], 0.0) for s in series))
    return low, high


def plot_over_years(
    width: int, height: int, years: Sequence[int], low: float, high: float, half: float
) -> tuple[Plot, list[float]]:
    """A plot that holds ``low`` to ``high`` over all years, with room for its numbers, and its ticks.

    ``half`` is the room left and right of the first and last year, in years: 0 for lines, more for columns.
    """
    steps = svg.ticks(low, high if high > low else low + 1, 5 if height > 220 else 4)
    longest = max(len(number(value, 4)) for value in steps)
    plot = Plot(
        width,
        height,
        left=14 + 6.8 * longest,
        right=18,
        top=14,
        bottom=28,
        x_low=years[0] - half,
        x_high=years[-1] + half,
        y_low=steps[0],
        y_high=steps[-1],
    )
    return plot, steps


def stacked_areas(
    width: int,
    identifier: str,
    title: str,
    description: str,
    years: Sequence[int],
    series: Sequence[Series],
    *,
    height: int = 360,
    divide: int | None = None,
    markers: Sequence[Marker] = (),
) -> Markup:
    """Areas stacked over ``years`` (negative parts downward from zero).

    ``divide`` draws a line after the last published year. One year alone is drawn as a
    column, since an area of one point has no width.
    """
    if len(years) == 1:
        return stacked_columns(width, identifier, title, description, years, series, height=height)
    low, high = _extent(years, series)
    high = max([high, *(m.value for m in markers)])
    low = min([low, *(m.value for m in markers)])
    plot, steps = plot_over_years(width, height, years, low, high, 0)
    body = plot.y_axis(steps)
    up, down = [0.0] * len(years), [0.0] * len(years)
    for layer in series:
        for floor, sign in ((up, 1.0), (down, -1.0)):
            part = [sign * max(sign * value, 0.0) for value in layer.values]
            if not any(part):
                continue
            lower = [(plot.x(y), plot.y(floor[i])) for i, y in enumerate(years)]
            for i, value in enumerate(part):
                floor[i] += value
            upper = [(plot.x(y), plot.y(floor[i])) for i, y in enumerate(years)]
            path = svg.polygon_path([*upper, *reversed(lower)])
            style = f"fill:{layer.fill};stroke:{PAPER};stroke-width:.6"
            body.append(svg.tag("path", svg.tag("title", layer.label), d=path, style=style))
            if layer.hatched:
                body.append(svg.tag("path", d=path, fill=f"url(#{identifier}-hatch)"))
    body += _divider(plot, years, divide)
    body += [_marker(plot, marker) for marker in markers]
    body += plot.year_axis(years[0], years[-1])
    hatched = any(layer.hatched for layer in series)
    return svg.document(identifier, width, height, title, description, body, hatched)


def _divider(plot: Plot, years: Sequence[int], divide: int | None) -> list[Markup]:
    if divide is None or not years[0] <= divide < years[-1]:
        return []
    at = plot.x(divide)
    parts = [svg.line(at, plot.top - 10, at, plot.base, INK, dash="3 3")]
    if at - plot.left > 60:
        parts.append(svg.text(at - 5, plot.top - 2, "published", anchor="end", fill=INK, halo=True))
    if plot.width - plot.right - at > 60:
        parts.append(svg.text(at + 5, plot.top - 2, "projected", fill=INK, halo=True))
    return parts


def _marker(plot: Plot, marker: Marker) -> Markup:
    x, y = plot.x(marker.year), plot.y(marker.value)
    d = svg.polygon_path([(x, y - 7), (x + 7, y), (x, y + 7), (x - 7, y)])
    fill = PAPER if marker.hollow else INK
    shape = svg.tag("path", d=d, style=f"fill:{fill};stroke:{INK};stroke-width:1.4")
    near_edge = x > plot.width - plot.right - 20
    at = (x - 10, "end") if near_edge else (x + 10, "start")
    letter = svg.text(at[0], y + 4, marker.letter, anchor=at[1], fill=INK, weight="700", halo=True)
    return svg.tag("g", shape, letter)


def stacked_columns(
    width: int,
    identifier: str,
    title: str,
    description: str,
    years: Sequence[int],
    series: Sequence[Series],
    *,
    height: int = 300,
) -> Markup:
    """Columns by year, stacked; negative values hang below zero."""
    low, high = _extent(years, series)
    plot, steps = plot_over_years(width, height, years, low, high, 0.6)
    step = plot.inner_width / (years[-1] - years[0] + 1.2)
    thick = min(max(step * 0.78, 1.0), 46.0)
    body = plot.y_axis(steps)
    up, down = [0.0] * len(years), [0.0] * len(years)
    for layer in series:
        group = [svg.tag("title", layer.label)]
        for i, year in enumerate(years):
            value = layer.values[i]
            if not value:
                continue
            floor = up if value > 0 else down
            ends = plot.y(floor[i]), plot.y(floor[i] + value)
            floor[i] += value
            group.append(
                svg.tag(
                    "rect",
                    x=plot.x(year) - thick / 2,
                    y=min(ends),
                    width=thick,
                    height=abs(ends[0] - ends[1]),
                )
            )
        if len(group) > 1:
            style = f"fill:{layer.fill};stroke:{PAPER};stroke-width:.5"
            body.append(svg.tag("g", *group, style=style))
    body += plot.year_axis(years[0], years[-1])
    return svg.document(identifier, width, height, title, description, body)


def horizontal_bars(
    width: int,
    identifier: str,
    title: str,
    description: str,
    bars: Sequence[Bar],
    *,
    labels: tuple[float, int] = (230.0, 34),
) -> Markup:
    """Stacked horizontal bars with their totals written at the end.

    ``labels`` is the width kept for labels at most, and after how many characters they are cut.
    A segment is (value, fill, overlay) with overlay ``""``, ``"hatch"`` or ``"light"``. On
    narrow paper the label stands above its bar.
    """
    narrow = width < 500
    row, thick = (44, 16) if narrow else (28, 18)
    left = 4.0 if narrow else min(labels[0], 14 + 6.9 * max(len(bar.label) for bar in bars))
    room = 74.0
    tops = [max(sum(max(v, 0) for v, _, _ in b.segments), b.mark or 0.0) for b in bars]
    top = max([*tops, 0.0]) or 1.0
    scale = (width - left - room) / top
    height = row * len(bars) + 10
    body: list[Markup] = []
    for i, bar in enumerate(bars):
        y = 6 + i * row + (18 if narrow else 0)
        if narrow:
            body.append(svg.text(left, y - 5, bar.label, fill=INK))
        else:
            label = svg.wrap(bar.label, labels[1], 1)[0]
            body.append(svg.text(left - 8, y + 13, label, anchor="end", fill=INK))
        at = left
        for value, fill, overlay in bar.segments:
            long = max(value, 0.0) * scale
            if long <= 0:
                continue
            shape = svg.rect(at, y, long, thick, fill)
            if overlay == "light":
                shape = svg.tag("g", shape, opacity=".45")
            body.append(shape)
            if overlay == "hatch":
                body.append(svg.hatched(at, y, long, thick))
            at += long
        if bar.mark is not None:
            x = left + bar.mark * scale
            body.append(
                svg.tag(
                    "path",
                    d=f"M{svg.fixed(x)} {y - 3}V{y + thick + 3}",
                    style=f"stroke:{INK};stroke-width:2.4",
                )
            )
            at = max(at, x)
        body.append(svg.text(at + 6, y + 13, bar.shown, halo=True))
    return svg.document(identifier, width, height, title, description, body)


@dataclass(frozen=True)
class Bubble:
    """One dot: its row, year, area (any unit), number inside and fill."""

    row: str
    year: int
    area: float
    shown: str
    fill: str
    about: str


def bubbles(
    width: int,
    identifier: str,
    title: str,
    description: str,
    rows: Sequence[str],
    years: tuple[int, int],
    dots: Sequence[Bubble],
) -> Markup:
    """Dots by year and row; the area of a dot is its value, its number is written inside or above."""
    narrow = width < 500
    pitch = 54 if narrow else 44
    left = 14.0 if narrow else min(200.0, 32 + 6.9 * max(len(name) for name in rows))
    plot = Plot(
        width,
        pitch * len(rows) + 34,
        left=left,
        right=22,
        top=4,
        bottom=28,
        x_low=years[0] - 0.5,
        x_high=years[1] + 0.5,
        y_low=0,
        y_high=1,
    )
    top = max((dot.area for dot in dots), default=0.0) or 1.0
    largest = 14.0 if narrow else 19.0
    body: list[Markup] = []
    at = {}
    for i, name in enumerate(rows):
        y = plot.top + pitch * i + pitch / 2
        at[name] = y + (9 if narrow else 0)
        body.append(svg.line(left, at[name], width - 22, at[name]))
        if narrow:
            body.append(svg.text(2, y - 14, name, fill=INK))
        else:
            body.append(svg.text(left - 14, y + 4, name, anchor="end", fill=INK))
    for dot in sorted(dots, key=lambda d: (-d.area, d.year, d.row)):
        radius = max(3.0, largest * math.sqrt(max(dot.area, 0.0) / top))
        x, y = plot.x(dot.year), at[dot.row]
        circle = svg.tag(
            "circle",
            svg.tag("title", dot.about),
            cx=x,
            cy=y,
            r=radius,
            style=f"fill:{dot.fill};stroke:{INK};stroke-width:.7;fill-opacity:.85",
        )
        body.append(circle)
        if dot.shown:
            lift = 4 if radius >= 8 else -radius - 3
            body.append(svg.text(x, y + lift, dot.shown, size=11, anchor="middle", fill=INK, halo=True))
    body += plot.year_axis(years[0], years[1])
    return svg.document(identifier, plot.width, plot.height, title, description, body)


def limit_panel(
    width: int,
    identifier: str,
    title: str,
    description: str,
    years: Sequence[int],
    allowed: Sequence[float | None],
    used: Sequence[float],
    violation: Sequence[float],
    colours: tuple[str, str],
    *,
    height: int = 190,
) -> Markup:
    """Columns of what was used under a stepped line of what is allowed.

    Years with a violation are drawn in the second of ``colours`` and hatched.
    """
    high = max([*used, *(a for a in allowed if a is not None), 0.0])
    low = min([*used, 0.0])
    plot, steps = plot_over_years(width, height, years, low, high, 0.6)
    step = plot.inner_width / (years[-1] - years[0] + 1.2)
    thick = min(max(step * 0.7, 1.0), 30.0)
    body = plot.y_axis(steps, 11)
    for year, value, over in zip(years, used, violation, strict=True):
        ends = plot.y(0), plot.y(value)
        box = (plot.x(year) - thick / 2, min(ends), thick, abs(ends[0] - ends[1]))
        body.append(svg.rect(*box, colours[1] if over > 0 else colours[0]))
        if over > 0:
            body.append(svg.hatched(*box))
    path = ""
    pen_down = False
    for year, cap in zip(years, allowed, strict=True):
        if cap is None:
            pen_down = False
            continue
        half = step / 2
        x, y = plot.x(year), plot.y(cap)
        start = f"{'L' if pen_down else 'M'}{svg.fixed(x - half)} {svg.fixed(y)}"
        path += f"{start}H{svg.fixed(x + half)}"
        pen_down = True
    if path:
        body.append(svg.tag("path", d=path, style=f"fill:none;stroke:{INK};stroke-width:2"))
    body += plot.year_axis(years[0], years[-1], 11)
    return svg.document(identifier, width, height, title, description, body)


def swatch(colour: str, shape: str = "box") -> Markup:
    """A legend mark: box, hatch, light, diamond, hollow, dot or line."""
    stroke = f"stroke:{SOFT};stroke-width:.7"
    if shape in ("diamond", "hollow"):
        fill = PAPER if shape == "hollow" else colour
        mark = svg.tag("path", d="M7 1L13 7L7 13L1 7Z", style=f"fill:{fill};stroke:{INK}")
    elif shape == "dot":
        mark = svg.tag("circle", cx="7", cy="7", r="5.5", style=f"fill:{colour};{stroke}")
    elif shape == "line":
        mark = svg.tag("path", d="M0 7H14", style=f"stroke:{colour};stroke-width:2.4")
    else:
        opacity = ".45" if shape == "light" else None
        mark = svg.tag(
            "rect",
            x="1",
            y="1",
            width="12",
            height="12",
            opacity=opacity,
            style=f"fill:{colour};{stroke}",
        )
        if shape == "hatch":
            lines = svg.tag("path", d="M1 7L7 1M1 13L13 1M7 13L13 7", style=f"stroke:{SOFT}")
            mark = svg.join([mark, lines])
    return svg.tag("svg", mark, viewBox="0 0 14 14", width="14", height="14", aria_hidden="true")
