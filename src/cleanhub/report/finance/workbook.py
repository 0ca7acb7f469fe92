"""A case as a workbook with live formulas: inputs, both views, debt sizing, results, sources.

Every number that follows from an input is a formula, debt sizing included; there are no macros
and no circular references. Figures of the case as they stood when the workbook was written
are kept as a check beside the results. Equal cases give equal bytes.
"""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import xlsxwriter

from cleanhub.core.whole_file import write_file
from cleanhub.finance.case_value import LENDER, SPONSOR, CaseValue
from cleanhub.report.finance.sheets import Book, Grid
from cleanhub.report.finance.workbook_debt import write_sizing, write_terms
from cleanhub.report.finance.workbook_inputs import write_inputs, write_yearly
from cleanhub.report.finance.workbook_results import write_ending, write_rates, write_results, write_sources
from cleanhub.report.finance.workbook_view import write_operations

_CREATED = dt.datetime(2000, 1, 1)  # not the clock: equal cases give equal bytes
_ORDER = (
    "Results",
    "Inputs",
    "Yearly inputs",
    "Sponsor",
    "Lender",
    "Debt sizing",
    "Rate of return",
    "Sources",
)


def write_workbook(value: CaseValue, path: Path) -> Path:
    """Write the workbook of a valued case to ``path`` (.xlsx); gives the path.

    An old file is replaced when the new one is whole. Raises ``RunError`` where it cannot be
    written.
    """
    case, made = value.loaded.case, io.BytesIO()
    options = {"strings_to_numbers": False, "strings_to_urls": False, "in_memory": True}
    workbook = xlsxwriter.Workbook(made, options)
    workbook.set_properties({"title": case.title, "subject": f"case {value.loaded.id}", "created": _CREATED})
    workbook.set_calc_mode("auto")
    _write(workbook, value)
    workbook.close()
    write_file(path, made.getvalue())
    return path


def _write(workbook: xlsxwriter.Workbook, value: CaseValue) -> None:
    case = value.loaded.case
    names = [name for name in _ORDER if name != "Debt sizing" or case.debt.kind != "none"]
    book = Book(workbook, value.sponsor.reading.rows, value.sponsor.reading.life, names)
    inputs = write_inputs(book, value)
    yearly = write_yearly(book, value, inputs)
    title = case.title
    grids = {
        SPONSOR: Grid(book, "Sponsor", f"{title}: sponsor's view, P50", "central figures; nominal USD"),
        LENDER: Grid(
            book, "Lender", f"{title}: lender's view, P90", "bad ends and reliable income only; nominal USD"
        ),
    }
    views = {view.name: view for view in value.views}
    ops = {name: write_operations(grid, inputs, yearly, views[name]) for name, grid in grids.items()}
    terms, sizing = {}, None
    if case.debt.kind != "none":
        terms = {name: write_terms(grid, inputs, ops[name], views[name]) for name, grid in grids.items()}
        sizer = LENDER if case.debt.sized_on == "lender" else SPONSOR
        who = sizer.split("_", maxsplit=1)[0]
        about = f"Sized on the view of the {who}; each pass uses the tax of the one before."
        grid = Grid(book, "Debt sizing", f"{title}: debt sizing", about)
        sizing = write_sizing(grid, inputs, ops[sizer], terms[sizer], value)
    service = sizing.service if sizing else None
    endings = {
        name: write_ending(grid, inputs, ops[name], terms.get(name), service, views[name])
        for name, grid in grids.items()
    }
    rates = write_rates(book, inputs, endings)
    write_results(book, value, endings, rates, sizing)
    write_sources(book, value)
