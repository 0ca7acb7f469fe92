"""Charts of a case as SVG files that stand alone, each with its data as CSV beside it.

Cash flow by year from sales to equity, cover ratio by year, tornado, and the distribution of
net present value. Equal cases give equal bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from cleanhub.core.whole_file import write_file
from cleanhub.finance.case_value import CaseValue, View
from cleanhub.report import svg
from cleanhub.report.finance.summary import years_of
from cleanhub.report.numbers import number, scale_for
from cleanhub.report.palette import ALARM, CATEGORIES, INCUMBENT
from cleanhub.report.svg import INK, PAPER, SOFT, Plot

if TYPE_CHECKING:
    from cleanhub.finance.risk import Distribution
    from cleanhub.finance.sensitivity import Bar

FloatArray = NDArray[np.float64]
WIDTH = 820.0
BARS = 16
BINS = 40
_FONT = "font-family:system-ui,'DejaVu Sans',Arial,sans-serif"
_BLUE, _ORANGE, _GREEN, _, _SKY, _PURPLE, _YELLOW = (one.css for one in CATEGORIES)


@dataclass(frozen=True)
class Chart:
    """A chart and the table it shows."""

    name: str
    drawing: Markup
    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]

    def table(self) -> str:
        """The data as CSV; numbers in full, a number that is not there is empty."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        for row in self.rows:
            writer.writerow(
                "" if _missing(cell) else repr(cell) if isinstance(cell, float) else cell for cell in row
            )
        return out.getvalue()


def _missing(cell: object) -> bool:
    return isinstance(cell, float) and not np.isfinite(cell)


def write_charts(value: CaseValue, folder: Path, drawn: Distribution, bars: Sequence[Bar]) -> Path:
    """Write every chart as ``NAME.svg`` and ``NAME.csv`` into ``folder``, which is made; gives the folder."""
    made = [
        cash_flow_chart(value),
        cover_chart(value),
        tornado_chart(value, bars),
        distribution_chart(value, drawn),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for chart in made:
        write_file(folder / f"{chart.name}.svg", str(chart.drawing) + "\n")
        write_file(folder / f"{chart.name}.csv", chart.table())
    return folder


def _document(name: str, height: float, title: str, about: str, body: Iterable[Markup]) -> Markup:
    """A whole chart on paper, with its title."""
    parts = [
        svg.rect(0, 0, WIDTH, height, PAPER),
        svg.text(16, 26, title, size=16, fill=INK, weight="700"),
        svg.text(16, 45, about, size=12),
        *body,
    ]
    return svg.document(name, WIDTH, height, title, about, [svg.tag("g", *parts, style=_FONT)])


def _legend(entries: Sequence[tuple[str, str, bool]], top: float) -> tuple[list[Markup], float]:
    """Names with their colours in rows (a line where the last is true), and where they end."""
    parts: list[Markup] = []
    left, y = 16.0, top
    for label, colour, is_line in entries:
        room = 34 + 6.6 * len(label)
        if left + room > WIDTH - 12:
            left, y = 16.0, y + 18
        if is_line:
            parts.append(_stroke([(left, y - 4), (left + 16, y - 4)], colour))
        else:
            parts.append(svg.rect(left, y - 10, 12, 12, colour))
        parts.append(svg.text(left + 21, y, label))
        left += room
    return parts, y + 10


def _stroke(points: Sequence[tuple[float, float]], colour: str, dash: str | None = None) -> Markup:
    path = "M" + "L".join(f"{svg.fixed(x)} {svg.fixed(y)}" for x, y in points)
    style = f"fill:none;stroke:{colour};stroke-width:2"
    return svg.tag("path", d=path, stroke_dasharray=dash, style=style)


def _plot(
    height: float, top: float, x: tuple[float, float], values: Sequence[float], wanted: int = 6
) -> tuple[Plot, list[float]]:
    low, high = min(values), max(values)
    steps = svg.ticks(low, high if high > low else low + 1.0, wanted)
    longest = max(len(number(one, 4)) for one in steps)
    plot = Plot(WIDTH, height, 18 + 7 * longest, 20, top, 34, *x, steps[0], steps[-1])
    return plot, steps


# ---------------------------------------------------------------- cash flow


def cash_flow_parts(view: View) -> dict[str, FloatArray]:
    """What comes in and goes out by year, B + T values each [USD]; the parts add up to equity."""
    rows, life, lines, outcome = len(view.lines.spending), view.reading.life, view.lines, view.outcome

    def building(line: FloatArray) -> FloatArray:
        return np.concatenate([line, np.zeros(life)])

    def operating(line: FloatArray) -> FloatArray:
        return np.concatenate([np.zeros(rows), line])

    sales = sum((line[:, 0] for line, _ in view.reading.sales_lines().values()), np.zeros(life))
    income = (lines.revenue + lines.exempt)[:, 0]
    policies = income - sales
    costs = -(lines.cost + lines.set_aside)[:, 0]
    taxes = -outcome.taxes.total[:, 0]
    debt = -(outcome.service + outcome.soft_service)[:, 0]
    used = -sum((line[:, 0] for line in outcome.uses.values()), np.zeros(rows))
    lent = sum((line[:, 0] for name, line in outcome.sources.items() if name != "equity"), np.zeros(rows))
    parts = {
        "sales": operating(sales),
        "policies": operating(policies),
        "debt and grants paid in": building(lent),
        "capital and financing": building(used),
        "running costs and renewals": operating(costs),
        "income tax": operating(taxes),
        "debt service": operating(debt),
    }
    rest = outcome.equity[:, 0] - sum(parts.values())
    scale = float(np.abs(outcome.equity).max())
    parts["working capital, reserves, fees, salvage"] = np.where(np.abs(rest) > 1e-9 * scale, rest, 0.0)
    return parts


def cash_flow_chart(value: CaseValue) -> Chart:
    """Columns by year from sales to equity, sponsor's view."""
    view, years = value.sponsor, years_of(value.sponsor)
    parts, equity = cash_flow_parts(view), view.outcome.equity[:, 0]
    fills = (_GREEN, _SKY, _PURPLE, INCUMBENT.css, _ORANGE, _YELLOW, _BLUE, SOFT)
    shown = [
        (name, line, fill) for (name, line), fill in zip(parts.items(), fills, strict=True) if line.any()
    ]
    up = sum((np.maximum(line, 0.0) for line in parts.values()), np.zeros(len(years)))
    down = sum((np.minimum(line, 0.0) for line in parts.values()), np.zeros(len(years)))
    scale = scale_for([float(up.max()), float(-down.min())], "USD")
    legend, top = _legend([*((name, fill, False) for name, _, fill in shown), ("equity", INK, True)], 68)
    height = top + 330
    extent = [float(one) / scale.divisor for one in (up.max(), down.min(), equity.max(), equity.min())]
    plot, steps = _plot(height, top + 10, (years[0] - 0.6, years[-1] + 0.6), [0.0, *extent])
    body = [*legend, *plot.y_axis(steps)]
    thick = min(plot.inner_width / (len(years) + 0.2) * 0.76, 40.0)
    floors = {1: np.zeros(len(years)), -1: np.zeros(len(years))}
    for name, line, fill in shown:
        for at, year in enumerate(years):
            amount = float(line[at]) / scale.divisor
            if not amount:
                continue
            floor = floors[1 if amount > 0 else -1]
            ends = plot.y(floor[at]), plot.y(floor[at] + amount)
            floor[at] += amount
            label = f"{name}, {year}: {scale.full(float(line[at]))}"
            body.append(
                svg.rect(plot.x(year) - thick / 2, min(ends), thick, abs(ends[0] - ends[1]), fill, label)
            )
    points = [
        (plot.x(year), plot.y(float(one) / scale.divisor)) for year, one in zip(years, equity, strict=True)
    ]
    body.append(_stroke(points, INK))
    body += [svg.tag("circle", cx=x, cy=y, r=2.5, style=f"fill:{INK}") for x, y in points]
    body += plot.year_axis(years[0], years[-1])
    about = (
        f"{scale.long_unit or 'USD'}, nominal, sponsor's view (P50); the line is what owners pay and receive"
    )
    title = f"{_short(value)}: cash flow by year"
    rows: list[tuple[object, ...]] = [
        (year, *(float(line[at]) for line in parts.values()), float(equity[at]))
        for at, year in enumerate(years)
    ]
    columns = ("year", *(f"{name} [USD]" for name in parts), "equity [USD]")
    return Chart("cash-flow", _document("cash-flow", height, title, about, body), columns, rows)


def _short(value: CaseValue) -> str:
    title = value.loaded.case.title
    return title if len(title) <= 62 else title[:61].rstrip() + "…"


# ---------------------------------------------------------------- cover ratio


def cover_chart(value: CaseValue) -> Chart:
    """Cover ratio by year in both views, with the ratio that lenders ask and that of bare service."""
    first = int(value.sponsor.reading.calendar[0])
    title, covers = f"{_short(value)}: cover of debt service", {view.name: view.cover for view in value.views}
    rows: list[tuple[object, ...]] = [
        (first + at, float(covers["sponsor_p50"][at]), float(covers["lender_p90"][at]))
        for at in range(value.sponsor.reading.life)
    ]
    columns = ("year", "sponsor P50 [1]", "lender P90 [1]")
    known = [float(one) for cover in covers.values() for one in cover[np.isfinite(cover)]]
    if not known:
        body = [
            svg.text(16, 90, "There is no debt to serve: lenders' cash flow carries none.", size=14, fill=INK)
        ]
        return Chart("cover-ratio", _document("cover-ratio", 120, title, "", body), columns, rows)
    asked = float(np.ravel(value.lender.terms.cover_ratio)[0])
    entries = [("sponsor, P50", _BLUE, True), ("lender, P90", _ORANGE, True)]
    legend, top = _legend(entries, 68)
    served = [int(at) for cover in covers.values() for at in np.flatnonzero(np.isfinite(cover))]
    from_year, to_year = first + min(served), first + max(served)
    plot, steps = _plot(400, top + 10, (from_year - 0.5, to_year + 0.5), [0.0, asked, *known])
    body = [*legend, *plot.y_axis(steps)]
    levels = (
        (asked, f"lenders ask {asked:.2f}x", ALARM.css, -5),
        (1.0, "service just paid, 1.00x", SOFT, 14),
    )
    for level, label, colour, apart in levels:
        y = plot.y(level)
        body.append(svg.line(plot.left, y, WIDTH - plot.right, y, colour, dash="5 4"))
        body.append(svg.text(WIDTH - plot.right, y + apart, label, anchor="end", fill=colour, halo=True))
    for name, colour in (("lender_p90", _ORANGE), ("sponsor_p50", _BLUE)):
        run: list[tuple[float, float]] = []
        for at, one in enumerate(covers[name]):
            if np.isfinite(one):
                run.append((plot.x(first + at), plot.y(float(one))))
                body.append(
                    svg.tag(
                        "circle",
                        svg.tag("title", f"{first + at}: {one:.2f}x"),
                        cx=run[-1][0],
                        cy=run[-1][1],
                        r=3.0,
                        style=f"fill:{colour}",
                    )
                )
        if len(run) > 1:
            body.append(_stroke(run, colour))
    body += plot.year_axis(from_year, to_year)
    about = "cash flow available for debt service over debt service, years with service only"
    return Chart("cover-ratio", _document("cover-ratio", 400, title, about, body), columns, rows)


# ---------------------------------------------------------------- tornado


def tornado_chart(value: CaseValue, bars: Sequence[Bar]) -> Chart:
    """NPV at both ends of each figure, the widest first."""
    title = f"{_short(value)}: what moves the value"
    columns = (
        "figure",
        "unit",
        "low",
        "central",
        "high",
        "npv at low [USD]",
        "npv central [USD]",
        "npv at high [USD]",
    )
    rows: list[tuple[object, ...]] = [
        (one.path, one.unit, one.low, one.central, one.high, one.at_low, one.at_central, one.at_high)
        for one in bars
    ]
    shown = [one for one in bars if np.isfinite(one.swing) and one.swing > 0][:BARS]
    if not shown:
        body = [svg.text(16, 90, "No figure of this case has a range.", size=14, fill=INK)]
        return Chart("tornado", _document("tornado", 120, title, "", body), columns, rows)
    central = shown[0].at_central
    ends = [end for one in shown for end in (one.at_low, one.at_high)]
    scale = scale_for([*ends, central], "USD")
    legend, top = _legend([("figure at its low end", _SKY, False), ("at its high end", _ORANGE, False)], 68)
    step, left = 27.0, 300.0
    height = top + 24 + step * len(shown) + 34
    ticks = svg.ticks(min(ends) / scale.divisor, max(ends) / scale.divisor, 5)
    plot = Plot(WIDTH, height, left, 34, top + 20, 34, ticks[0], ticks[-1], 0, 1)
    body = [*legend]
    for tick in ticks:
        x = plot.x(tick)
        body.append(svg.line(x, plot.top - 4, x, plot.base, SOFT if tick == 0 else svg.LINE))
        body.append(svg.text(x, plot.base + 18, number(tick, 4), anchor="middle"))
    middle = plot.x(central / scale.divisor)
    for place, one in enumerate(shown):
        y = plot.top + 4 + step * place
        for end, at, fill in ((one.low, one.at_low, _SKY), (one.high, one.at_high, _ORANGE)):
            x = plot.x(at / scale.divisor)
            label = f"{one.path} = {number(end)} {one.unit}: {scale.full(at)}"
            body.append(svg.rect(min(x, middle), y, abs(x - middle), step - 9, fill, label))
        body.append(svg.text(left - 8, y + 8, _ended(one.path), anchor="end", fill=INK, size=11.5))
        span = f"{number(one.low)} to {number(one.high)} {one.unit if one.unit != '1' else ''}".rstrip()
        body.append(svg.text(left - 8, y + 20, span, anchor="end", size=10))
    body.append(svg.line(middle, plot.top - 4, middle, plot.base, INK))
    body.append(
        svg.text(middle, plot.top - 8, f"central {scale.show(central)}", anchor="middle", fill=INK, halo=True)
    )
    unit = scale.long_unit or "USD"
    about = f"net present value of equity, {unit}; each figure at its 10th and 90th percentile"
    return Chart("tornado", _document("tornado", height, title, about, body), columns, rows)


def _ended(path: str) -> str:
    """A path without its first words where it is long: the end tells them apart."""
    return path if len(path) <= 42 else "…" + path[-41:]


# ---------------------------------------------------------------- distribution


def distribution_chart(value: CaseValue, drawn: Distribution) -> Chart:
    """Histogram of NPV over the draws, with percentiles and the share below 0."""
    title = f"{_short(value)}: distribution of value"
    npv = drawn.npv_usd
    low, high = (float(one) for one in np.percentile(npv, (0.25, 99.75)))
    if high <= low:
        low, high = low - 1.0, high + 1.0
    step = (high - low) / BINS
    edges = step * np.arange(
        np.floor(low / step), np.ceil(high / step) + 1
    )  # 0 is an edge where it is in sight
    low, high = float(edges[0]), float(edges[-1])
    counts, _ = np.histogram(np.clip(npv, low, high), edges)
    share = counts / len(npv)
    scale = scale_for([low, high], "USD")
    legend, top = _legend(
        [("owners earn their return", _BLUE, False), ("they fall short", _ORANGE, False)], 68
    )
    plot, steps = _plot(
        400, top + 24, (low / scale.divisor, high / scale.divisor), [0.0, 100 * float(share.max())], 4
    )
    body = [*legend, *plot.y_axis(steps)]
    for left, right, part in zip(edges[:-1], edges[1:], share, strict=True):
        ends = plot.x(left / scale.divisor), plot.x(right / scale.divisor)
        y = plot.y(100 * float(part))
        label = f"{scale.show(left)} to {scale.full(right)}: {100 * part:.1f} %"
        fill = _ORANGE if left + right < 0 else _BLUE
        body.append(svg.rect(ends[0] + 0.5, y, ends[1] - ends[0] - 1.0, plot.base - y, fill, label))
    for tick in svg.ticks(low / scale.divisor, high / scale.divisor, 7):
        if plot.x_low <= tick <= plot.x_high:
            x = plot.x(tick)
            body.append(svg.line(x, plot.base, x, plot.base + 4, SOFT))
            body.append(svg.text(x, plot.base + 18, number(tick, 4), anchor="middle"))
    for percent in (10, 50, 90):
        at = drawn.percentile("npv_usd", percent)
        x = plot.x(at / scale.divisor)
        body.append(svg.line(x, plot.top - 6, x, plot.base, INK, dash="4 3"))
        body.append(
            svg.text(x, plot.top - 10, f"P{percent} {scale.show(at)}", anchor="middle", fill=INK, halo=True)
        )
    about = (
        f"net present value of equity, {scale.long_unit or 'USD'}; share of {drawn.samples:,} draws in %; "
        f"{100 * drawn.probability_of_loss:.0f} % fall short; the outermost columns hold what lies beyond"
    )
    rows: list[tuple[object, ...]] = [
        (float(a), float(b), int(c), float(d))
        for a, b, c, d in zip(edges[:-1], edges[1:], counts, share, strict=True)
    ]
    columns = ("npv from [USD]", "npv to [USD]", "draws", "share")
    return Chart("npv-distribution", _document("npv-distribution", 400, title, about, body), columns, rows)
