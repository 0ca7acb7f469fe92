"""The parts of a page: cells, tables and charts as plain records; the templates turn them into HTML."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from cleanhub.core.tables import Column
from cleanhub.report.numbers import MISSING, count, money, number, percent, tonnes

Text = str | Markup
WEAK = ("recalled", "assumed")


@dataclass(frozen=True)
class Cell:
    """One cell: what is shown, what it is sorted by (empty: missing, comes last), and its class."""

    text: Text
    sort: str = ""
    style: str = ""


@dataclass(frozen=True)
class Head:
    """One column: label, unit under it, class of its cells, and a longer word on it."""

    label: str
    unit: str = ""
    style: str = ""
    about: str = ""


@dataclass(frozen=True)
class PageTable:
    """A table with its caption. ``absent`` is said instead when the plan does not hold it."""

    id: str
    title: str
    head: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: Text = ""
    source: Text = ""
    empty: str = "None in this plan."
    absent: bool = False
    filtered: bool = False
    open: bool = True


@dataclass(frozen=True)
class Chart:
    """A figure drawn by the script of the page; its table holds the same numbers for all others."""

    id: str
    title: str
    figure: dict[str, Any]
    note: Text = ""
    source: Text = ""
    legend: tuple[tuple[str, str], ...] = ()
    data: PageTable | None = None
    beside: str = ""
    """Id of the table of the page that holds its numbers, where it brings none of its own."""

    @property
    def json(self) -> Markup:
        """Its data for a ``script`` element: nothing in it can end the element."""
        text = json.dumps({"title": self.title, **self.figure}, ensure_ascii=False, allow_nan=False)
        return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


@dataclass(frozen=True)
class Part:
    """A section of a page: heading, words, blocks."""

    id: str
    title: str
    lead: tuple[Text, ...] = ()
    blocks: tuple[Any, ...] = field(default=())


def known(value: Any) -> bool:
    """Whether a cell holds something: not ``None``, not NaN, not an infinity."""
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


def words(value: Any, style: str = "") -> Cell:
    """Text, sorted as it reads; an en dash where there is none."""
    text = str(value) if known(value) and value != "" else ""
    shown = value if isinstance(value, Markup) else text
    return Cell(shown or MISSING, text, style)


def _numeric(value: Any, shown: str) -> Cell:
    return Cell(shown, repr(float(value)) if known(value) else "", "n")


def figure(value: Any, digits: int = 3) -> Cell:
    """A plain number."""
    return _numeric(value, number(value, digits))


def whole(value: Any) -> Cell:
    """A count."""
    return _numeric(value, count(value))


def year(value: Any) -> Cell:
    """A year; the part behind the point of a date in years is dropped."""
    return _numeric(value, str(math.floor(value)) if known(value) else MISSING)


def chance(value: Any) -> Cell:
    """A share of 1 as percent."""
    return _numeric(value, percent(value))


def mass(value: Any) -> Cell:
    """Tonnes as t, kt or Mt."""
    return _numeric(value, tonnes(value))


def dollars(value: Any) -> Cell:
    """USD as $, $ million or $ billion."""
    return _numeric(value, money(value))


def badge(word: str) -> Markup:
    """A label of the kind that ``illustrative`` is."""
    return Markup('<strong class="badge">{}</strong>').format(word)


def confidence(value: Any) -> Cell:
    """The confidence of a row; recalled and assumed stand out."""
    text = str(value or "")
    return Cell(badge(text) if text in WEAK else text or MISSING, text)


def typed(value: Any, column: Column) -> Cell:
    """A cell of a declared column, shown as its type asks."""
    if not known(value) or value == "":
        return Cell(MISSING, "", "n" if column.kind in ("number", "integer", "year") else "")
    if column.kind == "number":
        return _numeric(value, number(value, 6))
    if column.kind == "integer":
        return whole(value)
    if column.kind == "year":
        return year(value)
    if column.kind == "yes_no":
        return words("yes" if value else "no")
    if column.name == "confidence":
        return confidence(value)
    return words(value)


def head_of(column: Column) -> Head:
    """The heading of a declared column: its own name, as it stands in the files."""
    style = "n" if column.kind in ("number", "integer", "year") else ""
    return Head(column.name, column.unit if column.unit != "1" else "", style, column.description)
