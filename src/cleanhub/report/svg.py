"""A small SVG writer: elements, linear scales, ticks and axes.

Why not matplotlib: importing it alone costs 1.2 s of the report's 5 s, its SVG carries
dates, random clip ids and font-dependent paths unless pinned, and its colours cannot
follow the reader's light or dark paper. What the report draws (stacks, bars, dots, a map)
needs little more than rectangles and a scale. Coordinates are SVG user units (px at 1:1),
y pointing down, written with one decimal so that equal input gives equal bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from markupsafe import Markup, escape

from cleanhub.report.numbers import number

INK = "var(--ink,#1b1b1b)"
SOFT = "var(--ink-2,#5a5a5a)"
LINE = "var(--line,#d5d5d0)"
PAPER = "var(--paper,#ffffff)"

AttrValue = str | float | int | None


def fixed(value: float) -> str:
    """A coordinate with at most one decimal, never ``-0``."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def tag(name: str, *children: str, **attributes: AttrValue) -> Markup:
    """One element. ``_`` in attribute names becomes ``-``; text children are escaped."""
    parts = [f"<{name}"]
    for key, value in attributes.items():
        if value is None:
            continue
        shown = fixed(value) if isinstance(value, float) else _attribute_value(str(value))
        parts.append(f' {_attribute_name(key)}="{shown}"')
    if not children:
        return Markup("".join(parts) + "/>")
    return Markup("".join(parts) + f">{join(children)}</{name}>")


@cache
def _attribute_name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


@lru_cache(maxsize=4096)  # few styles are worn by many elements
def _attribute_value(value: str) -> str:
    return str(escape(value))


def join(parts: Iterable[str]) -> Markup:
    """Elements one after the other."""
    return Markup("".join(part if type(part) is Markup else escape(part) for part in parts))


def text(
    x: float,
    y: float,
    content: str,
    *,
    size: float = 12,
    anchor: str | None = None,
    fill: str = SOFT,
    weight: str | None = None,
    halo: bool = False,
) -> Markup:
    """A text at a baseline point; ``halo`` puts a rim of paper around it."""
    style = f"fill:{fill}"
    if halo:
        style += f";paint-order:stroke;stroke:{PAPER};stroke-width:3px"
    return tag(
        "text",
        content,
        x=float(x),
        y=float(y),
        font_size=fixed(size),
        text_anchor=anchor,
        font_weight=weight,
        style=style,
    )


def rect(x: float, y: float, width: float, height: float, fill: str, label: str = "") -> Markup:
    """A filled rectangle; ``label`` becomes its native tooltip."""
    children = (tag("title", label),) if label else ()
    return tag(
        "rect",
        *children,
        x=float(x),
        y=float(y),
        width=float(max(width, 0.0)),
        height=float(max(height, 0.0)),
        style=f"fill:{fill}",
    )


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = LINE, dash: str | None = None) -> Markup:
    """A hairline."""
    return tag(
        "line",
        x1=float(x1),
        y1=float(y1),
        x2=float(x2),
        y2=float(y2),
        stroke_dasharray=dash,
        style=f"stroke:{stroke}",
    )


def polygon_path(points: Sequence[tuple[float, float]]) -> str:
    """The ``d`` of a closed path through ``points``."""
    return "M" + "L".join(f"{fixed(x)} {fixed(y)}" for x, y in points) + "Z"


_HATCH = 6.0
"""Distance of the lines of a hatch along an axis [px]."""


def hatch(identifier: str) -> Markup:
    """A pattern of diagonal lines of soft ink, to lay over a fill."""
    stroke = tag("path", d="M0 6L6 0M-1 1L1 -1M5 7L7 5", style=f"stroke:{SOFT};stroke-width:.8")
    return tag("pattern", stroke, id=identifier, width="6", height="6", patternUnits="userSpaceOnUse")


def hatched(x: float, y: float, width: float, height: float) -> Markup:
    """Diagonal lines of soft ink over a rectangle, drawn one by one; nothing where none fits.

    For rectangles in place of :func:`hatch`: printers and PDF turn each use of a pattern into a picture.
    """
    lines = []
    first, last = math.ceil((x + y) / _HATCH), math.floor((x + width + y + height) / _HATCH)
    for k in range(first, last + 1):  # the line on which x + y = 6 k, so that neighbours join
        left = max(x, _HATCH * k - (y + height))
        right = min(x + width, _HATCH * k - y)
        if right > left:
            lines.append(
                f"M{fixed(left)} {fixed(_HATCH * k - left)}L{fixed(right)} {fixed(_HATCH * k - right)}"
            )
    if not lines:
        return Markup("")
    return tag("path", d="".join(lines), class_="hatch", style=f"fill:none;stroke:{SOFT};stroke-width:.8")


def document(
    identifier: str,
    width: float,
    height: float,
    title: str,
    description: str,
    body: Iterable[str],
    hatched: bool = False,
) -> Markup:
    """A whole ``<svg role="img">`` with title and description as its accessible name."""
    defs = (tag("defs", hatch(f"{identifier}-hatch")),) if hatched else ()
    return tag(
        "svg",
        tag("title", title, id=f"{identifier}-t"),
        tag("desc", description, id=f"{identifier}-d"),
        *defs,
        *body,
        id=identifier,
        role="img",
        aria_labelledby=f"{identifier}-t {identifier}-d",
        viewBox=f"0 0 {fixed(width)} {fixed(height)}",
        width=fixed(width),
        height=fixed(height),
        xmlns="http://www.w3.org/2000/svg",
    )


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round tick values from at or below ``low`` to at or above ``high`` (1, 2, 2.5, 5 steps)."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return [low, low + 1]
    raw = span / max(wanted, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def year_ticks(first: int, last: int, room: float, each: float = 44) -> list[int]:
    """Years to label on an axis ``room`` px long, at steps of 1, 2, 5, 10 or 20 years."""
    for step in (1, 2, 5, 10, 20, 50):
        found = [y for y in range(first, last + 1) if y % step == 0]
        if len(found) * each <= room:
            return found or [first]
    return [first]


@dataclass(frozen=True)
class Plot:
    """The drawing area inside an SVG, with its x and y scales (data to user units)."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    x_low: float
    x_high: float
    y_low: float
    y_high: float

    @property
    def inner_width(self) -> float:
        """Width of the drawing area."""
        return self.width - self.left - self.right

    @property
    def base(self) -> float:
        """The y of the lower edge of the drawing area."""
        return self.height - self.bottom

    def x(self, value: float) -> float:
        """Horizontal position of ``value``."""
        span = (self.x_high - self.x_low) or 1.0
        return self.left + (value - self.x_low) / span * self.inner_width

    def y(self, value: float) -> float:
        """Vertical position of ``value``."""
        span = (self.y_high - self.y_low) or 1.0
        return self.base - (value - self.y_low) / span * (self.base - self.top)

    def y_axis(self, values: Sequence[float], size: float = 12) -> list[Markup]:
        """Grid lines with their values; zero is drawn in ink."""
        parts = []
        for value in values:
            at = self.y(value)
            stroke = SOFT if value == 0 else LINE
            parts.append(line(self.left, at, self.width - self.right, at, stroke))
            shown = number(value, 4)
            parts.append(text(self.left - 6, at + size * 0.35, shown, size=size, anchor="end"))
        return parts

    def year_axis(self, first: int, last: int, size: float = 12) -> list[Markup]:
        """Year labels under the drawing area."""
        parts = []
        for value in year_ticks(first, last, self.inner_width):
            at = self.x(value)
            parts.append(line(at, self.base, at, self.base + 4, SOFT))
            parts.append(text(at, self.base + 6 + size, str(value), size=size, anchor="middle"))
        return parts


def wrap(label: str, width: int, lines: int = 2) -> list[str]:
    """``label`` cut into at most ``lines`` lines of about ``width`` characters."""
    out: list[str] = [""]
    for word in label.split():
        if out[-1] and len(out[-1]) + 1 + len(word) > width:
            out.append(word)
        else:
            out[-1] = f"{out[-1]} {word}".strip()
    if len(out) > lines:
        out = [*out[: lines - 1], " ".join(out[lines - 1 :])]
    return [part if len(part) <= width + 3 else part[: width + 1].rstrip() + "…" for part in out]
