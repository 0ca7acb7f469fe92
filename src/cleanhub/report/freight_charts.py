"""Chart forms of trucks and chargers: shares with what binds, and loads by hour of the day.

Like :mod:`cleanhub.report.charts`, pure functions from numbers to one SVG.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cleanhub.report import svg
from cleanhub.report.numbers import number
from cleanhub.report.svg import INK, LINE, PAPER, Plot

HOURS = 24
_WORD = 46.0
"""Least room of a column [px] in which a whole word stands under it."""
_YEAR = 32.0


@dataclass(frozen=True)
class ShareColumn:
    """One year: what is served, wanted and could be at most [%], and the word of what binds."""

    year: int
    served: float
    wanted: float
    most: float | None
    word: str
    fill: str


def share_columns(
    width: int,
    identifier: str,
    title: str,
    description: str,
    columns: Sequence[ShareColumn],
    *,
    height: int = 340,
) -> Markup:
    """Filled columns of what is served in frames of what is wanted; a bar marks the most.

    Years stand side by side, evenly spaced. Under each stands what binds: the word where there is
    room, else its first letter.
    """
    top = max(max(c.served, c.wanted, c.most or 0.0) for c in columns)
    steps = [value for value in svg.ticks(0.0, max(top, 1.0), 5) if value <= 100] or [0.0, 100.0]
    high = max(top, steps[-1]) if top < 100 else 100.0
    plot = Plot(width, height, 40, 12, 14, 48, 0.0, float(len(columns)), 0.0, high)
    pitch = plot.inner_width / len(columns)
    body = plot.y_axis(steps)
    skip = max(1, round(_YEAR / pitch + 0.49))
    for i, column in enumerate(columns):
        body += _share_column(plot, column, plot.x(i), pitch)
        middle = plot.x(i + 0.5)
        if i % skip == 0 or (i == len(columns) - 1 and i % skip > skip / 2):
            body.append(svg.text(middle, plot.base + 18, str(column.year), anchor="middle"))
        said = column.word if pitch >= _WORD else column.word[:1].upper()
        body.append(svg.text(middle, plot.base + 36, said, anchor="middle", fill=INK, weight="600"))
    return svg.document(identifier, width, height, title, description, body)


def _share_column(plot: Plot, column: ShareColumn, left: float, pitch: float) -> list[Markup]:
    thick = min(pitch * 0.68, 52.0)
    x = left + (pitch - thick) / 2
    about = f"{column.year}: {number(column.served)} % served, {number(column.wanted)} % wanted"
    if column.most is not None:
        about += f", {number(column.most)} % at most"
    served = plot.y(column.served)
    parts = [svg.rect(x, served, thick, plot.base - served, column.fill, f"{about}; binds: {column.word}")]
    wanted = plot.y(column.wanted)
    frame = {"x": x, "y": wanted, "width": thick, "height": plot.base - wanted}
    parts.append(svg.tag("rect", **frame, style=f"fill:none;stroke:{INK};stroke-width:1.2"))
    if column.most is not None:
        at = svg.fixed(plot.y(column.most))
        bar = f"M{svg.fixed(x - thick * 0.12)} {at}H{svg.fixed(x + thick * 1.12)}"
        parts.append(svg.tag("path", d=bar, style=f"stroke:{INK};stroke-width:3.2"))
    return parts


@dataclass(frozen=True)
class DayLine:
    """One day: label, 24 values by hour and CSS stroke."""

    label: str
    values: tuple[float, ...]
    stroke: str


def day_lines(
    width: int,
    identifier: str,
    title: str,
    description: str,
    lines: Sequence[DayLine],
    level: float | None = None,
    *,
    height: int = 190,
) -> Markup:
    """Stepped lines over the hours of a day; ``level`` is drawn as a dashed line across."""
    top = max([*(value for one in lines for value in one.values), level or 0.0, 1e-9])
    steps = svg.ticks(0.0, top, 4)
    longest = max(len(number(value, 4)) for value in steps)
    plot = Plot(width, height, 14 + 6.8 * longest, 12, 12, 26, 0.0, float(HOURS), 0.0, steps[-1])
    body = plot.y_axis(steps, 11)
    for hour in range(0, HOURS + 1, 6):
        at = plot.x(hour)
        body.append(svg.line(at, plot.base, at, plot.base + 4, LINE))
        body.append(svg.text(at, plot.base + 17, str(hour), size=11, anchor="middle"))
    if level is not None:
        across = f"M{svg.fixed(plot.left)} {svg.fixed(plot.y(level))}H{svg.fixed(width - plot.right)}"
        dashes = f"fill:none;stroke:{INK};stroke-width:1.4;stroke-dasharray:5 3"
        body.append(svg.tag("path", svg.tag("title", "room without works"), d=across, style=dashes))
    for one in lines:
        path = f"M{svg.fixed(plot.x(0))} {svg.fixed(plot.y(one.values[0]))}"
        for hour, value in enumerate(one.values):
            path += f"V{svg.fixed(plot.y(value))}H{svg.fixed(plot.x(hour + 1))}"
        rim = svg.tag("path", d=path, style=f"fill:none;stroke:{PAPER};stroke-width:3.6")
        style = f"fill:none;stroke:{one.stroke};stroke-width:2"
        body += [rim, svg.tag("path", svg.tag("title", one.label), d=path, style=style)]
    return svg.document(identifier, width, height, title, description, body)
