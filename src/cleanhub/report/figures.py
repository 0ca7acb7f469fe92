"""The figures of the report as files: each an SVG that stands alone, with its data as CSV.

A figure of the report lives in a page that holds its title, legend, unit and source, and colours that
follow the reader's paper. Here these become part of the drawing and colours are those for light paper,
so that any editor of vector graphics and any word processor shows it as the report does.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from markupsafe import Markup

from cleanhub.core.whole_file import write_file
from cleanhub.report import charts, citations, svg
from cleanhub.report.blocks import Figure, Grid, Key, Section, Table, Text
from cleanhub.report.context import Context
from cleanhub.report.contract import PlanLike
from cleanhub.report.numbers import MINUS, MISSING, NARROW_SPACE
from cleanhub.report.write import sections_of

INDEX = "figures.csv"
_VARIABLE = re.compile(r"var\(--[\w-]+,\s*([^()]*)\)")
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_TAGS = re.compile(r"<[^>]+>")
_EDGE, _LINE = 12, 17
_CHARACTER = 6.4  # mean width of a character of the 12 px text, in px


def write_figures(plan: PlanLike, folder: Path, only: Sequence[str] = ()) -> list[str]:
    """Write each figure of the plan's report to ``folder`` as ``ID.svg``, its data as ``ID.csv``.

    ``figures.csv`` lists them with title, unit, years and source. ``only`` names some of them. Data are the
    numbers that are drawn, to three significant digits; the plan's table that the source names has them in
    full. Gives the ids written, none of a figure that is empty. Raises ``KeyError`` with an unknown id,
    ``RunError`` for a plan without its hub and ``OSError`` when the folder cannot be written.
    """
    context = Context(plan)
    found = {one.id: one for one in _figures(sections_of(context)) if str(one.wide)}
    unknown = [name for name in only if name not in found]
    if unknown:
        raise KeyError(f"no figure {', '.join(unknown)}; there are: {', '.join(found)}")
    chosen = [one for name, one in found.items() if not only or name in only]
    about = (
        f"{plan.hub.title if plan.hub else ''}: {plan.scenario.title} (as of {plan.scenario.as_of}), "
        f"plan {plan.id}, cleanhub {plan.versions.get('cleanhub', '')}"
    )
    if any(row["illustrative"] for row in context.rows("scorecard")):
        about += "; what is projected is illustrative"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [["figure", "title", "unit", "years", "source", "note", "svg", "csv"]]
    for one in chosen:
        write_file(folder / f"{one.id}.svg", _standalone(one, about))
        data = f"{one.id}.csv" if one.data is not None else ""
        if one.data is not None:
            write_file(folder / data, _csv(_cells(one.data)))
        words = [_plain(part) for part in (one.title, one.unit, one.year, one.source, one.note)]
        rows.append([one.id, *words, f"{one.id}.svg", data])
    write_file(folder / INDEX, _csv(rows))
    return [one.id for one in chosen]


def _figures(sections: Sequence[Section]) -> Iterator[Figure]:
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Figure):
                yield block
            elif isinstance(block, Grid):
                yield from block.figures


def _plain(text: Text) -> str:
    """Text without tags and without numbers of citations."""
    return citations.SHOWN.sub("", str(Markup(_TAGS.sub("", str(text))).unescape())).strip()


# ---------------------------------------------------------------- the drawing


def _standalone(figure: Figure, about: str) -> str:
    """The wide drawing with title, unit, legend and source around it, in plain colours."""
    size = _SIZE.search(str(figure.wide))
    width, height = (float(size[1]), float(size[2])) if size else (float(charts.WIDE), 0.0)
    total = max(width, 420.0) + 2 * _EDGE
    across = int((total - 2 * _EDGE) / _CHARACTER)
    head = svg.wrap(_plain(figure.title), int(across * 0.8), 3)
    unit = ", ".join(filter(None, (_plain(figure.unit), _plain(figure.year))))
    at = float(_EDGE)
    parts: list[Markup] = []
    for line in head:
        at += _LINE
        parts.append(svg.text(_EDGE, at, line, size=15, fill=svg.INK, weight="bold"))
    for line in svg.wrap(unit, across, 3):
        at += _LINE
        parts.append(svg.text(_EDGE, at, line))
    at += _LINE / 2
    parts.append(svg.tag("g", figure.wide, transform=f"translate({_EDGE} {svg.fixed(at)})"))
    legend, at = _legend(figure.legend, at + height + _LINE, total)
    parts += legend
    source = " · ".join(filter(None, (_plain(figure.source), about)))
    at += _LINE / 2
    for text in filter(None, (_plain(figure.note), f"Source: {source}")):
        for line in svg.wrap(text, int(across * 1.15), 12):
            at += _LINE
            parts.append(svg.text(_EDGE, at, line, size=11))
    at += _EDGE
    paper = svg.rect(0, 0, total, at, svg.PAPER)
    drawn = svg.document(f"{figure.id}-whole", total, at, _plain(figure.title), unit, [paper, *parts])
    text = _VARIABLE.sub(r"\1", str(drawn))
    return text.replace("<svg ", '<svg font-family="Helvetica, Arial, sans-serif" ', 1) + "\n"


def _legend(keys: Sequence[Key], at: float, width: float) -> tuple[list[Markup], float]:
    """The legend in lines from ``at`` down, and where it ends."""
    parts: list[Markup] = []
    x = float(_EDGE)
    for key in keys:
        label = _plain(key.label)
        room = 22 + len(label) * _CHARACTER + 14
        if x > _EDGE and x + room > width - _EDGE:
            x, at = float(_EDGE), at + _LINE
        swatch = str(charts.swatch(key.colour, key.shape))
        parts.append(
            svg.tag("g", Markup(swatch), transform=f"translate({svg.fixed(x)} {svg.fixed(at - 10)})")
        )
        parts.append(svg.text(x + 20, at, label))
        x += room
    return parts, at


# ---------------------------------------------------------------- the data


def _cells(table: Table) -> list[list[str]]:
    """Head and rows; the unit stands with each column that has one, else with the only column of numbers."""
    units = [head.unit for head in table.head]
    if not any(units) and [head.numeric for head in table.head].count(True) <= 2:
        units[-1] = _plain(table.unit)
    heads = [
        f"{head.label} [{unit}]" if unit else head.label for head, unit in zip(table.head, units, strict=True)
    ]
    numeric = [head.numeric for head in table.head]
    rows = []
    for row in table.rows:
        cells = [_plain(cell) for cell in row]
        rows.append([_number(c) if is_number else c for c, is_number in zip(cells, numeric, strict=True)])
    return [heads, *rows]


def _number(text: str) -> str:
    """A number of the page as a machine reads it; what is missing is empty."""
    bare = text.replace(",", "").replace(MINUS, "-").replace(NARROW_SPACE, " ")
    return "" if bare == MISSING else bare


def _csv(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
