"""Chart forms of the pathway: cost curves, heat maps and spans over years.

Like :mod:`cleanhub.report.charts`, pure functions from numbers to one SVG. Colour is one hue
from light to strong where it stands for an order, and never the only sign: figures stand in
the cells, and what does not last is hatched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cleanhub.report import svg
from cleanhub.report.numbers import number
from cleanhub.report.svg import INK, LINE, PAPER, SOFT, Plot

NARROW_BELOW = 500


# ---------------------------------------------------------------- cost curve


@dataclass(frozen=True)
class Step:
    """One bar of a cost curve: its width and height, fill, number written above and tooltip."""

    amount: float
    cost: float
    fill: str
    key: str
    about: str


def cost_curve(
    width: int,
    identifier: str,
    title: str,
    description: str,
    steps: Sequence[Step],
    axes: tuple[str, str],
    *,
    low: float,
    high: float,
    height: int = 340,
) -> Markup:
    """Bars from left to right, as wide as their amount and as high as their cost.

    Bars beyond ``low`` or ``high`` end there and are hatched; ``axes`` name the horizontal and the
    vertical axis. Keys are written on bars that are wide enough to hold them.
    """
    ticks = svg.ticks(min(low, 0.0), max(high, 0.0, low + 1e-9), 6)
    longest = max(len(number(value, 4)) for value in ticks)
    total = sum(step.amount for step in steps) or 1.0
    plot = Plot(
        width,
        height,
        left=14 + 6.8 * longest,
        right=18,
        top=30,
        bottom=46,
        x_low=0.0,
        x_high=total,
        y_low=ticks[0],
        y_high=ticks[-1],
    )
    body = plot.y_axis(ticks)
    at = 0.0
    floor = plot.y(0.0)
    for step in steps:
        cut = min(max(step.cost, plot.y_low), plot.y_high)
        x, end = plot.x(at), plot.y(cut)
        wide = plot.x(at + step.amount) - x
        box = (x, min(floor, end), wide, max(abs(floor - end), 1.0))
        body.append(
            svg.tag(
                "rect",
                svg.tag("title", step.about),
                x=box[0],
                y=box[1],
                width=max(box[2], 0.2),
                height=box[3],
                style=f"fill:{step.fill};stroke:{PAPER};stroke-width:{'.6' if wide > 2 else '0'}",
            )
        )
        if cut != step.cost:
            body.append(svg.hatched(*box))
        if step.key and wide >= 6.5 * len(step.key) + 3:
            above = end - 5 if step.cost >= 0 else end + 13
            body.append(
                svg.text(
                    x + wide / 2, above, step.key, size=11, anchor="middle", fill=INK, weight="700", halo=True
                )
            )
        at += step.amount
    body.append(svg.line(plot.left, floor, width - plot.right, floor, INK))
    body += _amount_axis(plot, total, axes[0])
    body.append(svg.text(2, 14, axes[1], size=11.5))
    return svg.document(identifier, width, height, title, description, body)


def _amount_axis(plot: Plot, total: float, label: str) -> list[Markup]:
    parts = []
    wanted = 6 if plot.width >= NARROW_BELOW else 4
    for value in svg.ticks(0.0, total, wanted):
        if value > total * 1.0001:
            continue
        x = plot.x(value)
        parts.append(svg.line(x, plot.base, x, plot.base + 4, SOFT))
        parts.append(svg.text(x, plot.base + 17, number(value, 4), anchor="middle"))
    parts.append(svg.text(plot.width - plot.right, plot.base + 36, label, size=11.5, anchor="end"))
    return parts


# ---------------------------------------------------------------- heat map


@dataclass(frozen=True)
class Cell:
    """One cell: its text, how strong its fill is (0 to 1; ``None``: empty), hatched or not, tooltip."""

    shown: str
    strength: float | None
    hatched: bool = False
    about: str = ""
    fill: str = ""


@dataclass(frozen=True)
class RowName:
    """A row of a heat map and the heading it stands under (drawn where it changes)."""

    label: str
    group: str = ""


def heat_map(
    width: int,
    identifier: str,
    title: str,
    description: str,
    rows: Sequence[RowName],
    columns: Sequence[str],
    cells: Mapping[tuple[int, int], Cell],
    fill: str,
    *,
    pitch: float = 22,
    upright: bool = False,
) -> Markup:
    """A grid of cells by row and column; a cell that is not given stays blank.

    ``fill`` is the hue, drawn from light to strong; a cell may have its own. ``upright`` writes the
    column names from bottom to top, as narrow paper needs.
    """
    narrow = width < NARROW_BELOW
    longest = max([len(row.label) for row in rows], default=0)
    left = min(6.3 * longest + 14, 0.44 * width if narrow else 300.0)
    each = (width - left - 8) / max(len(columns), 1)
    turned = upright or narrow
    top = 8 + (6.2 * max([len(name) for name in columns], default=0) if turned else 3 * 12.0)
    body: list[Markup] = _column_names(columns, left, each, top, turned)
    y, group = top + 4, ""
    for i, row in enumerate(rows):
        if row.group and row.group != group:
            y += 19
            body.append(svg.text(2, y - 5, row.group, size=11.5, fill=INK, weight="700"))
        group = row.group
        room = max(int((left - 12) / 6.1) - 3, 4)  # a label may run over by three letters
        body.append(
            svg.text(left - 8, y + pitch / 2 + 4, svg.wrap(row.label, room, 1)[0], size=11, anchor="end")
        )
        for j in range(len(columns)):
            cell = cells.get((i, j))
            if cell is None:
                continue
            box = (left + j * each, y, each - 1, pitch - 1)
            body += _cell(identifier, box, cell, fill)
        y += pitch
    return svg.document(identifier, width, y + 6, title, description, body)


def _column_names(columns: Sequence[str], left: float, each: float, top: float, turned: bool) -> list[Markup]:
    parts = []
    for j, name in enumerate(columns):
        x = left + (j + 0.5) * each
        if turned:
            at = f"rotate(-90 {svg.fixed(x + 4)} {svg.fixed(top - 2)})"
            inner = svg.text(x + 4, top - 2, name, size=10.5)
            parts.append(svg.tag("g", inner, transform=at))
            continue
        lines = svg.wrap(name, max(int(each / 5.8), 4), 3)
        for n, part in enumerate(lines):
            parts.append(svg.text(x, top - 2 - 12 * (len(lines) - 1 - n), part, size=10.5, anchor="middle"))
    return parts


def _cell(identifier: str, box: tuple[float, float, float, float], cell: Cell, fill: str) -> list[Markup]:
    children = (svg.tag("title", cell.about),) if cell.about else ()
    style = f"fill:{PAPER};stroke:{LINE};stroke-width:.8"
    if cell.strength is not None:
        strength = 0.14 + 0.72 * min(max(cell.strength, 0.0), 1.0)
        style = f"fill:{cell.fill or fill};fill-opacity:{strength:.2f}"
    x, y, wide, high = box
    parts = [svg.tag("rect", *children, x=x, y=y, width=wide, height=high, style=style)]
    if cell.hatched:
        parts.append(svg.hatched(x, y, wide, high))
    shown = cell.shown
    if len(shown) == 4 and shown.isdigit() and wide < 27:
        shown = "\N{RIGHT SINGLE QUOTATION MARK}" + shown[2:]
    if shown and wide >= 5.4 * len(shown):
        size = 10.5
        parts.append(
            svg.text(x + wide / 2, y + high / 2 + 4, shown, size=size, anchor="middle", fill=INK, halo=True)
        )
    return parts


# ---------------------------------------------------------------- spans


@dataclass(frozen=True)
class Span:
    """A row that holds from a year on: when (``None``: never), to when, and what is said of it."""

    row: RowName
    start: int | None
    end: int | None
    about: str


def spans(
    width: int,
    identifier: str,
    title: str,
    description: str,
    years: tuple[int, int],
    rows: Sequence[Span],
    fill: str,
    *,
    pitch: float = 22,
) -> Markup:
    """Bars over years, one row each, with the first year written at their start.

    A bar that ends before the last year of the axis is hatched.
    """
    narrow = width < NARROW_BELOW
    longest = max([len(one.row.label) for one in rows], default=0)
    left = min(6.3 * longest + 14, 0.44 * width if narrow else 300.0)
    groups = sum(
        1 for i, one in enumerate(rows) if one.row.group and (not i or rows[i - 1].row.group != one.row.group)
    )
    height = 12 + pitch * len(rows) + 19 * groups + 28
    plot = Plot(width, height, left, 20, 6, 26, years[0] - 0.5, years[1] + 0.5, 0, 1)
    body: list[Markup] = plot.year_axis(years[0], years[1])
    ticks = svg.year_ticks(years[0], years[1], plot.inner_width)
    body += [svg.line(plot.x(value), plot.top, plot.x(value), plot.base) for value in ticks]
    y, group = 8.0, ""
    for one in rows:
        if one.row.group and one.row.group != group:
            y += 19
            body.append(svg.text(2, y - 5, one.row.group, size=11.5, fill=INK, weight="700", halo=True))
        group = one.row.group
        room = max(int((left - 12) / 6.1) - 3, 4)  # a label may run over by three letters
        label = svg.wrap(one.row.label, room, 1)[0]
        body.append(svg.text(left - 8, y + pitch / 2 + 4, label, size=11, anchor="end"))
        if one.start is None:
            body.append(
                svg.text(plot.x(years[0]), y + pitch / 2 + 4, "not on this path", size=10.5, halo=True)
            )
        else:
            end = years[1] if one.end is None else one.end - 1
            x, stop = plot.x(one.start - 0.5), plot.x(end + 0.5)
            bar = svg.rect(x, y + 3, stop - x, pitch - 6, fill, one.about)
            body.append(svg.tag("g", bar, opacity=".6" if one.end is None else ".35"))
            if one.end is not None:
                body.append(svg.hatched(x, y + 3, stop - x, pitch - 6))
            inside = stop - x >= 34
            at = x + 4 if inside else stop + 4
            body.append(svg.text(at, y + pitch / 2 + 4, str(one.start), size=10.5, fill=INK, halo=True))
        y += pitch
    return svg.document(identifier, width, height, title, description, body)
