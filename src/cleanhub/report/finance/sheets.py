"""Sheets of a workbook with years across and lines down, and references between their cells.

A :class:`Line` knows where its cells are; formulas are written as text from such references.
References carry the name of their sheet; a sheet leaves its own name out when it writes.
Operating years count from 1, years of construction end with 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from xlsxwriter.utility import xl_rowcol_to_cell

FloatArray = NDArray[np.float64]
Span = Literal["all", "build", "ops"]
LABEL, UNIT, SINGLE, FIRST = 0, 1, 2, 3
"""Columns: name of the line, its unit, its total or only value, and the first year."""
_FORMATS: dict[str, dict[str, Any]] = {
    "money": {"num_format": "#,##0;[Red]-#,##0;0"},
    "number": {"num_format": "#,##0.00;[Red]-#,##0.00;0"},
    "factor": {"num_format": "0.000000"},
    "rate": {"num_format": "0.00%;[Red]-0.00%"},
    "ratio": {"num_format": '0.00"x"'},
    "year": {"num_format": "0", "bold": True},
    "day": {"num_format": "yyyy-mm-dd"},
    "general": {},
    "whole": {"num_format": "#,##0"},
    "decimal": {"num_format": "#,##0.00##"},
    "tiny": {"num_format": "0.0E+00"},
}
_INPUT = {"font_color": "#0000FF", "bg_color": "#FFF9E5"}


class Book:
    """The workbook being written: its sheets in order, its formats, its years of each kind."""

    def __init__(self, workbook: Any, building: int, operating: int, sheets: Sequence[str]) -> None:
        self.workbook, self.building, self.operating = workbook, building, operating
        self.sheets = {name: workbook.add_worksheet(name) for name in sheets}
        for sheet in self.sheets.values():  # printed: landscape, all columns on one page
            sheet.set_landscape()
            sheet.fit_to_pages(1, 0)
        self.formats = {name: workbook.add_format(look) for name, look in _FORMATS.items()}
        self.inputs = {name: workbook.add_format({**look, **_INPUT}) for name, look in _FORMATS.items()}
        self.totals = {
            name: workbook.add_format({**look, "bold": True, "top": 1}) for name, look in _FORMATS.items()
        }
        self.results = {name: workbook.add_format({**look, "bold": True}) for name, look in _FORMATS.items()}
        self.title = workbook.add_format({"bold": True, "font_size": 14})
        self.heading = workbook.add_format({"bold": True, "bg_color": "#E8E4DC"})
        self.bold = workbook.add_format({"bold": True})
        self.soft = workbook.add_format({"font_color": "#6B6B6B"})
        self.wrap = workbook.add_format({"text_wrap": True, "valign": "top"})

    def periods(self, span: Span) -> range:
        """Years of a span: construction ends with 0, operation begins with 1."""
        first = 1 if span == "ops" else 1 - self.building
        last = 0 if span == "build" else self.operating
        return range(first, last + 1)

    def column(self, period: int) -> int:
        """Column of a year."""
        return FIRST + period + self.building - 1


@dataclass(frozen=True)
class Line:
    """A line of a sheet: one cell for each year of its span, perhaps a total."""

    book: Book
    sheet: str
    row: int
    span: Span

    def at(self, period: int) -> str:
        """Cell of a year; ``0`` outside the span."""
        if period not in self.book.periods(self.span):
            return "0"
        return f"{self.sheet}!{xl_rowcol_to_cell(self.row, self.book.column(period))}"

    def part(self, span: Span | None = None) -> str:
        """Range of a span's cells (the line's own by default)."""
        years = self.book.periods(span or self.span)
        return self.between(years[0], years[-1])

    def between(self, first: int, last: int) -> str:
        """Range of the cells of two years and all between."""
        ends = (
            xl_rowcol_to_cell(self.row, self.book.column(period), row_abs=True, col_abs=True)
            for period in (first, last)
        )
        return f"{self.sheet}!{':'.join(ends)}"

    @property
    def total(self) -> str:
        """Cell of the total."""
        return f"{self.sheet}!{xl_rowcol_to_cell(self.row, SINGLE, row_abs=True, col_abs=True)}"


class Grid:
    """A sheet with years across; lines are appended from the top."""

    def __init__(self, book: Book, name: str, title: str, about: str = "") -> None:
        self.book, self.name = book, name
        self.sheet = f"'{name}'" if " " in name else name
        self.worksheet = book.sheets[name]
        self.row = 0
        self.worksheet.write_string(0, LABEL, title, book.title)
        if about:
            self.worksheet.write_string(1, LABEL, about, book.soft)
        self.row = 2
        self.worksheet.set_column(LABEL, LABEL, 52)
        self.worksheet.set_column(UNIT, UNIT, 16)
        self.worksheet.set_column(SINGLE, SINGLE, 17)
        self.worksheet.set_column(FIRST, book.column(book.operating), 14)

    def heading(self, text: str) -> None:
        """A bar with the name of a block."""
        self.row += 1
        for column in range(self.book.column(self.book.operating) + 1):
            self.worksheet.write_blank(self.row, column, None, self.book.heading)
        self.worksheet.write_string(self.row, LABEL, text, self.book.heading)
        self.row += 1

    def freeze(self) -> None:
        """Keep what stands above and left in sight."""
        self.worksheet.freeze_panes(self.row, FIRST)

    def own(self, formula: str) -> str:
        """``formula`` with the sheet's own name left out."""
        return f"={formula}".replace(f"{self.sheet}!", "")

    def line(
        self,
        label: str,
        unit: str,
        formula: Callable[[int], str],
        span: Span = "ops",
        *,
        style: str = "money",
        total: bool = False,
        strong: bool = False,
        known: Sequence[float] | FloatArray | None = None,
    ) -> Line:
        """Append a line of formulas, one for each year of ``span``; ``total`` puts their sum in front.

        ``known`` are the results that programs show which do not calculate, one for each year.
        """
        looks = self.book.totals if strong else self.book.formats
        self._name(label, unit, strong)
        line = Line(self.book, self.sheet, self.row, span)
        for place, period in enumerate(self.book.periods(span)):
            value = "" if known is None else float(known[place])
            text = self.own(formula(period))
            self.worksheet.write_formula(
                self.row, self.book.column(period), text, looks[style], _shown(value)
            )
        if total:
            sum_known = "" if known is None else float(sum(known))
            self.worksheet.write_formula(
                self.row, SINGLE, self.own(f"SUM({line.part()})"), looks[style], _shown(sum_known)
            )
        self.row += 1
        return line

    def single(
        self, label: str, unit: str, formula: str, style: str = "money", known: float | str = ""
    ) -> str:
        """Append a line with one formula; gives its cell."""
        self._name(label, unit, False)
        self.worksheet.write_formula(
            self.row, SINGLE, self.own(formula), self.book.formats[style], _shown(known)
        )
        self.row += 1
        return Line(self.book, self.sheet, self.row - 1, "all").total

    def numbers(
        self,
        label: str,
        unit: str,
        values: Sequence[float] | FloatArray,
        span: Span = "ops",
        style: str = "factor",
        total: float | None = None,
    ) -> Line:
        """Append a line of inputs, one for each year of ``span``."""
        self._name(label, unit, False)
        line = Line(self.book, self.sheet, self.row, span)
        for value, period in zip(values, self.book.periods(span), strict=True):
            self.worksheet.write_number(
                self.row, self.book.column(period), float(value), self.book.inputs[style]
            )
        if total is not None:
            self.worksheet.write_number(self.row, SINGLE, total, self.book.inputs[style])
        self.row += 1
        return line

    def _name(self, label: str, unit: str, strong: bool) -> None:
        self.worksheet.write_string(self.row, LABEL, label, self.book.bold if strong else None)
        self.worksheet.write_string(self.row, UNIT, unit, self.book.soft)


def _shown(value: float | str) -> float | str:
    """A result that a file can hold; NaN becomes empty."""
    return "" if value != value else value  # noqa: PLR0124


def summed(parts: Sequence[str]) -> str:
    """The sum of references as a formula; ``0`` of none."""
    return "+".join(parts) or "0"
