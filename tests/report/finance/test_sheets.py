"""References between cells of a workbook, and what a sheet writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from cleanhub.report.finance.sheets import Book, Grid, Line, summed


@pytest.fixture
def workbook(tmp_path: Path) -> Iterator[xlsxwriter.Workbook]:
    book = xlsxwriter.Workbook(str(tmp_path / "x.xlsx"))
    yield book
    if not book.fileclosed:
        book.close()


@pytest.fixture
def book(workbook: xlsxwriter.Workbook) -> Book:
    return Book(workbook, 3, 20, ("One", "Debt sizing"))


def test_years_of_construction_end_with_zero(book: Book) -> None:
    assert list(book.periods("build")) == [-2, -1, 0]
    assert book.periods("ops")[0] == 1
    assert list(book.periods("all"))[-1] == 20
    assert book.column(-2) == 3
    assert book.column(1) == 6


def test_references_name_their_sheet_and_a_sheet_leaves_its_own_out(book: Book) -> None:
    one, sizing = Grid(book, "One", "first"), Grid(book, "Debt sizing", "second")
    line = one.line("a", "USD", lambda k: "1")
    assert line.at(1) == "One!G3"
    assert line.part() == "One!$G$3:$Z$3"
    assert line.part("all") == "One!$D$3:$Z$3"
    assert line.between(2, 4) == "One!$H$3:$J$3"
    assert line.total == "One!$C$3"
    assert one.own(f"{line.at(1)}+1") == "=G3+1"
    assert sizing.own(f"{line.at(1)}+1") == "=One!G3+1"
    other = sizing.line("b", "USD", line.at)
    assert other.at(2) == "'Debt sizing'!H3"
    assert sizing.own(other.at(2)) == "=H3"


def test_outside_its_span_a_line_is_zero(book: Book) -> None:
    built = Line(book, "One", 5, "build")
    assert built.at(1) == "0"
    assert built.at(-3) == "0"
    assert built.at(0) == "One!F6"
    assert Line(book, "One", 5, "ops").at(21) == "0"


def test_a_sum_of_nothing_is_zero() -> None:
    assert summed([]) == "0"
    assert summed(["A1", "B1"]) == "A1+B1"


def test_values_shown_without_calculating(
    workbook: xlsxwriter.Workbook, book: Book, tmp_path: Path, read_cells: Callable[[Path], Any]
) -> None:
    grid = Grid(book, "One", "first", "about")
    known = [float(k) for k in range(20)]
    grid.line("a", "USD", lambda k: f"{k}+0", known=known, total=True)
    grid.line("b", "USD", lambda k: "1+0")
    cell = grid.single("c", "USD", "2+0", known=float("nan"))
    numbers = grid.numbers("d", "share", [0.5, 0.25, 0.25], "build", total=1.0)
    workbook.close()
    cells = read_cells(tmp_path / "x.xlsx")["One"]
    assert cells["H3"] == (1.0, True)
    assert cells["C3"] == (190.0, True)
    assert cells["G4"][1]
    assert cells["G4"][0] in (None, "")
    assert cell == "One!$C$5"
    assert cells["C5"][0] in (None, "")
    assert cells["D6"] == (0.5, False)
    assert numbers.total == "One!$C$6"


def test_the_number_of_values_must_fit_the_years(book: Book) -> None:
    with pytest.raises(ValueError, match="zip"):
        Grid(book, "One", "first").numbers("d", "share", [0.5], "build")
