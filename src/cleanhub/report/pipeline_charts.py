"""The chart forms of the pipeline: a mean with its band, columns with their range, a timeline, gate dots.

Pure functions from numbers to one SVG, as in :mod:`cleanhub.report.charts`. What is a matter of shape
(a hollow dot, a dashed line, a diamond) is never said by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cleanhub.report import svg
from cleanhub.report.charts import plot_over_years
from cleanhub.report.svg import INK, PAPER, SOFT, Plot


@dataclass(frozen=True)
class Ranged:
    """A value by year with the ends of its range (tenth and ninetieth percentile), all of one length."""

    mean: tuple[float, ...]
    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Slot:
    """One row of a timeline: the span in which it should be done, and when it is expected.

    Years are calendar years with decimals; ``expected`` is ``None`` where it never closes.
    """

    label: str
    begin: float
    need: float
    expected: float | None
    late: bool
    about: str


def band(
    width: int,
    identifier: str,
    title: str,
    description: str,
    years: Sequence[int],
    given: Ranged,
    colour: str,
    *,
    height: int = 240,
) -> Markup:
    """The mean as a line in its band, the median dashed."""
    plot, steps = plot_over_years(width, height, years, 0.0, max([*given.high, *given.mean]), 0)
    body = plot.y_axis(steps)

    def points(values: Sequence[float]) -> list[tuple[float, float]]:
        return [(plot.x(year), plot.y(value)) for year, value in zip(years, values, strict=True)]

    area = svg.polygon_path([*points(given.high), *reversed(points(given.low))])
    body.append(svg.tag("path", d=area, style=f"fill:{colour};fill-opacity:.25"))
    for values, stroke, dash in ((given.middle, INK, "4 3"), (given.mean, colour, None)):
        line = svg.polygon_path(points(values)).removesuffix("Z")
        style = f"fill:none;stroke:{stroke};stroke-width:{2.4 if dash is None else 1.4}"
        body.append(svg.tag("path", d=line, stroke_dasharray=dash, style=style))
    body += plot.year_axis(years[0], years[-1])
    return svg.document(identifier, width, height, title, description, body)


def ranged_columns(
    width: int,
    identifier: str,
    title: str,
    description: str,
    years: Sequence[int],
    given: Ranged,
    colour: str,
    *,
    height: int = 240,
) -> Markup:
    """Columns of the mean, each with a line from the low to the high end of its range."""
    plot, steps = plot_over_years(width, height, years, 0.0, max([*given.high, *given.mean]), 0.6)
    thick = min(plot.inner_width / (years[-1] - years[0] + 1.2) * 0.72, 40.0)
    body = plot.y_axis(steps)
    for i, year in enumerate(years):
        x, top = plot.x(year), plot.y(given.mean[i])
        body.append(svg.rect(x - thick / 2, top, thick, plot.y(0) - top, colour))
    for i, year in enumerate(years):
        x, low, high = plot.x(year), plot.y(given.low[i]), plot.y(given.high[i])
        if high < low:
            d = f"M{svg.fixed(x)} {svg.fixed(low)}V{svg.fixed(high)}M{svg.fixed(x - 3)} {svg.fixed(high)}h6"
            body.append(svg.tag("path", d=d, style=f"fill:none;stroke:{INK};stroke-width:1.2"))
    body += plot.year_axis(years[0], years[-1])
    return svg.document(identifier, width, height, title, description, body)


# ---------------------------------------------------------------- timeline


def timeline(
    width: int,
    identifier: str,
    title: str,
    description: str,
    groups: Sequence[tuple[str, Sequence[Slot]]],
    window: tuple[int, int],
    today: float,
    colours: tuple[str, str],
) -> Markup:
    """Rows under headings: a bar in which it should be done, a diamond when it is expected.

    A row that comes too late is in the second of ``colours``, its bar hatched and joined to a hollow
    diamond by a dashed line; others are in the first, with a solid diamond. What lies before ``window``
    (first and last year) is cut off with an arrow.
    """
    narrow = width < 500
    pitch, head, foot = (36, 26, 30) if narrow else (20, 26, 30)
    left = 10.0 if narrow else 320.0
    height = foot + 24 + sum(head + pitch * len(slots) for _, slots in groups)
    plot = Plot(
        width,
        height,
        left=left,
        right=22,
        top=20,
        bottom=foot,
        x_low=window[0],
        x_high=window[1],
        y_low=0,
        y_high=1,
    )
    body = _frame(plot, window, today)
    y = plot.top
    for name, slots in groups:
        body.append(svg.text(4, y + 20, name, size=13, fill=INK, weight="650", halo=True))
        y += head
        for slot in slots:
            if narrow:
                label = svg.wrap(slot.label, 50, 1)[0]
                body.append(svg.text(left, y + 10, label, size=11.5, halo=True))
                body.append(_row(plot, y + 22, slot, colours, identifier))
            else:
                label = svg.wrap(slot.label, 40, 1)[0]
                body.append(svg.text(left - 10, y + 14, label, anchor="end"))
                body.append(_row(plot, y + 10, slot, colours, identifier))
            y += pitch
    return svg.document(identifier, width, height, title, description, body)


def _frame(plot: Plot, window: tuple[int, int], today: float) -> list[Markup]:
    years = svg.year_ticks(window[0], window[1], plot.inner_width)
    parts = [svg.line(plot.x(year), plot.top, plot.x(year), plot.base) for year in years]
    parts += plot.year_axis(*window)
    at = plot.x(today)
    parts.append(svg.line(at, plot.top - 4, at, plot.base, INK, dash="3 3"))
    parts.append(svg.text(at, plot.top - 8, "date of the plan", size=11, anchor="middle", fill=INK))
    return parts


def _row(plot: Plot, y: float, slot: Slot, colours: tuple[str, str], identifier: str) -> Markup:
    colour = colours[1] if slot.late else colours[0]
    first, last = plot.x_low, plot.x_high
    begin, need = (plot.x(min(max(year, first), last)) for year in (slot.begin, slot.need))
    long = max(need - begin, 2.0)
    parts: list[Markup] = [svg.tag("title", slot.about)]
    parts.append(svg.rect(begin, y - 4, long, 8, colour))
    if slot.late:
        parts.append(svg.hatched(begin, y - 4, long, 8))
    if slot.begin < first:
        d = svg.polygon_path([(begin - 7, y), (begin, y - 5), (begin, y + 5)])
        parts.append(svg.tag("path", d=d, style=f"fill:{colour}"))
    if slot.expected is not None and math.isfinite(slot.expected):
        at = plot.x(min(max(slot.expected, first), last))
        if slot.late:
            parts.append(svg.line(need, y, at, y, colour, dash="2 2"))
        d = svg.polygon_path([(at, y - 5), (at + 5, y), (at, y + 5), (at - 5, y)])
        fill = PAPER if slot.late else INK
        parts.append(svg.tag("path", d=d, style=f"fill:{fill};stroke:{colour if slot.late else INK}"))
    return svg.tag("g", *parts)


# ---------------------------------------------------------------- dots


def gate_dots(gates: Sequence[tuple[str, str]], colour: str) -> Markup:
    """A dot for each gate of one project: (what it is, ``done``, ``open`` or ``last``).

    Done is filled, open hollow; the one that closes last most often is hollow, square and in ``colour``.
    """
    parts = []
    for i, (what, status) in enumerate(gates):
        x = 6.0 + 11 * i
        name = svg.tag("title", what)
        if status == "last":
            style = f"fill:{PAPER};stroke:{colour};stroke-width:2.4"
            parts.append(svg.tag("rect", name, x=x - 3.5, y="2.5", width="7", height="7", style=style))
            continue
        fill = SOFT if status == "done" else PAPER
        style = f"fill:{fill};stroke:{SOFT};stroke-width:1.3"
        parts.append(svg.tag("circle", name, cx=x, cy="6", r="3.7", style=style))
    wide = 11 * len(gates) + 2
    label = "; ".join(what for what, _ in gates)
    return svg.tag(
        "svg", *parts, viewBox=f"0 0 {wide} 12", width=wide, height="12", role="img", aria_label=label
    )
