"""The end of a view's sheet (equity, cover, uses and sources) and the sheets of results and sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from xlsxwriter.utility import xl_rowcol_to_cell

from cleanhub.finance.case_value import CaseValue, View
from cleanhub.report.finance.sheets import Book, Grid, Line, summed
from cleanhub.report.finance.workbook_debt import DebtTerms, Loan, Sizing, TaxLines, write_loan, write_tax
from cleanhub.report.finance.workbook_inputs import TRIAL_RATES, Inputs, paying
from cleanhub.report.finance.workbook_view import Operations

HALVINGS = 60
NONE = '"none"'
"""Difference from the program's own figure above which the check says so."""


@dataclass(frozen=True)
class Ending:
    """Cells of a view's results."""

    equity: Line
    cash_flow: Line
    cover: Line | None
    results: dict[str, str]


def write_ending(
    grid: Grid, inputs: Inputs, ops: Operations, terms: DebtTerms | None, service: Line | None, view: View
) -> Ending:
    """Write the senior debt that this view carries, its tax, equity and results."""
    loan: Loan | None = None
    if terms is not None and service is not None:
        grid.heading("senior debt that this view carries (sized on sheet Debt sizing)")
        loan = write_loan(grid, ops, terms, service, True, view)
    grid.heading("income tax")
    tax = write_tax(grid, inputs, ops, loan, terms, view, True)
    grid.heading("equity")
    equity, cash_flow = _equity(grid, ops, loan, tax, view)
    results, cover = _results(grid, inputs, ops, terms, loan, equity, cash_flow, view)
    return Ending(equity, cash_flow, cover, results)


def _equity(grid: Grid, ops: Operations, loan: Loan | None, tax: TaxLines, view: View) -> tuple[Line, Line]:
    known = view.outcome
    rows = len(known.equity) - len(known.cash_flow)
    taxed = view.terms.after_tax
    cash_flow = grid.line(
        "cash flow available for debt service",
        "USD",
        lambda k: ops.counted.at(k) + (f"-{tax.total.at(k)}" if taxed else ""),
        strong=True,
        known=known.cash_flow[:, 0],
    )

    def need(k: int) -> str:
        return (
            loan.need.at(k) if loan else f"({ops.spending.at(k)}-{ops.grants.at(k)}-{ops.soft_draws.at(k)})"
        )

    def flow(k: int) -> str:
        if k <= 0:
            return f"-(1-{loan.gamma})*{need(k)}" if loan else f"-{need(k)}"
        text = (
            f"{ops.operating.at(k)}+{ops.exempt.at(k)}-{ops.set_aside.at(k)}-{ops.change.at(k)}"
            f"-{tax.total.at(k)}-{ops.soft_service.at(k)}"
        )
        if loan:
            before = loan.initial_reserve if k == 1 else loan.held.at(k - 1)
            text += f"-{loan.service.at(k)}+{before}-{loan.held.at(k)}+{loan.earned.at(k)}-{loan.fees.at(k)}"
        return text + (f"+{ops.salvage}" if k == view.reading.life else "")

    equity = grid.line(
        "equity: paid and received", "USD", flow, "all", strong=True, total=True, known=known.equity[:, 0]
    )
    assert rows == view.reading.rows
    return equity, cash_flow


def _results(
    grid: Grid,
    inputs: Inputs,
    ops: Operations,
    terms: DebtTerms | None,
    loan: Loan | None,
    equity: Line,
    cash_flow: Line,
    view: View,
) -> tuple[dict[str, str], Line | None]:
    """Formulas of the results by name, and the line of the cover ratio where there is debt."""
    results: dict[str, str] = {}
    cover: Line | None = None
    if loan is not None and terms is not None:
        cover = _cover(grid, loan, cash_flow, view)
        results.update(_cover_results(ops, terms, loan, cash_flow, cover))
    all_uses = _uses_and_sources(grid, ops, loan, equity)
    if loan is not None:
        results["gearing"] = f"IF({all_uses}>0,{loan.debt}/{all_uses},0)"
    rate = inputs.ref("returns.equity", view.reading.lender)
    years = grid.book.periods("all")
    later = equity.between(years[1], years[-1])
    results["npv_usd"] = f"{equity.at(years[0])}+NPV({rate},{later})"
    results["mirr"] = f"IFERROR(MIRR({equity.part()},{rate},{rate}),{NONE})"
    results["levelised_cost"] = _levelised_cost(grid, inputs, ops, view.reading.lender)
    return results, cover


def _cover(grid: Grid, loan: Loan, cash_flow: Line, view: View) -> Line:
    return grid.line(
        "cover ratio",
        "1",
        lambda k: (
            f"IF({loan.service.at(k)}>0.000000001*MAX(ABS({cash_flow.at(k)}),1),"
            f'{cash_flow.at(k)}/{loan.service.at(k)},"")'
        ),
        style="ratio",
        strong=True,
        known=view.cover,
    )


def _cover_results(
    ops: Operations, terms: DebtTerms, loan: Loan, cash_flow: Line, cover: Line
) -> dict[str, str]:
    """Formulas of the cover ratios and of the debt."""
    some = f"COUNT({cover.part()})"
    results = {
        "min_dscr": f"IF({some}=0,{NONE},MIN({cover.part()}))",
        "avg_dscr": f"IF({some}=0,{NONE},AVERAGE({cover.part()}))",
    }
    worth = f"{cash_flow.part()}*{terms.discount.part()}"
    within = f"({ops.period.part('ops')}<={terms.repayment})"
    for name, product in (("llcr", f"{worth}*{within}"), ("plcr", worth)):
        results[name] = f"IF({loan.debt}>0,SUMPRODUCT({product})/{loan.debt},{NONE})"
    results["debt_usd"] = loan.debt
    return results


def _uses_and_sources(grid: Grid, ops: Operations, loan: Loan | None, equity: Line) -> str:
    """Write uses and sources of funds; the cell of all uses."""
    grid.heading("uses and sources of funds")
    uses = {
        "capital": ops.spending.total,
        "financing fee": loan.upfront if loan else "0",
        "debt service reserve": loan.initial_reserve if loan else "0",
        "interest during construction": summed(
            ([loan.building.total] if loan else []) + [ops.soft_building.total]
        ),
    }
    building = Line(grid.book, equity.sheet, equity.row, "all").part("build")
    sources = {
        "equity": f"-SUM({building})",
        "senior debt": f"{loan.draws.total}+{loan.building.total}" if loan else "0",
        "grants": ops.grants.total,
        "loans behind it": f"{ops.soft_draws.total}+{ops.soft_building.total}",
    }
    cells = [grid.single(f"use: {name}", "USD", text) for name, text in uses.items()]
    given = [grid.single(f"source: {name}", "USD", text) for name, text in sources.items()]
    all_uses = grid.single("all uses", "USD", summed(cells))
    grid.single(
        "sources less uses (nothing is missing when 0)", "USD", f"ROUND({summed(given)}-{all_uses},2)"
    )
    return all_uses


def _levelised_cost(grid: Grid, inputs: Inputs, ops: Operations, lender: bool) -> str:
    """Write the levelised cost; its formula."""
    grid.heading("levelised cost, real, before tax and support")
    nominal, inflation = inputs.ref("returns.project", lender), inputs.ref("inflation", lender)
    real = grid.single("real discount rate", "1/yr", f"(1+{nominal})/(1+{inflation})-1", "rate")
    discount = grid.line(
        "discount factor", "1", lambda k: f"(1+{real})^(-{ops.period.at(k)})", "all", style="factor"
    )

    def cost(k: int) -> str:
        if k <= 0:
            return f"{ops.spending.at(k)}/{ops.inflation.at(k)}"
        renewed = f"{ops.renewals.at(k)}+" if ops.renewals else ""
        return f"({renewed}{ops.cost.at(k)})/{ops.inflation.at(k)}"

    spent = grid.line("capital, renewals and running costs", "USD real", cost, "all")
    made = f"SUMPRODUCT({ops.made.part()},{Line(grid.book, grid.sheet, discount.row, 'all').part('ops')})"
    return f"IF({made}>0,SUMPRODUCT({spent.part()},{discount.part()})/{made},{NONE})"


# ---------------------------------------------------------------- rates of return


def write_rates(book: Book, inputs: Inputs, endings: dict[str, Ending]) -> dict[str, str]:
    """Write the search for the internal rate of return of each view; gives the cell of each."""
    sheet = book.sheets["Rate of return"]
    sheet.write_string(0, 0, "Internal rates of return", book.title)
    about = (
        "The lowest rate at which present value turns from positive to negative: first between trial "
        "rates, then by halving."
    )
    sheet.write_string(1, 0, about, book.soft)
    sheet.set_column(0, 0, 12)
    sheet.set_column(1, 12, 18)
    found = {}
    for place, (name, ending) in enumerate(endings.items()):
        left = 1 + 6 * place
        cell = _rate_search(book, sheet, inputs, ending.equity, left, name)
        found[name] = f"'Rate of return'!{cell}"
    return found


def _rate_search(book: Book, sheet: Any, inputs: Inputs, flows: Line, left: int, name: str) -> str:
    """One search in five columns; gives the cell of the rate."""
    years = book.periods("all")
    first, rest = flows.at(years[0]), flows.between(years[1], years[-1])
    write = sheet.write_formula
    text = sheet.write_string
    rate_look, money = book.formats["factor"], book.formats["money"]

    def at(row: int, column: int, fixed: bool = False) -> str:
        return str(xl_rowcol_to_cell(row, left + column, row_abs=fixed, col_abs=fixed))

    def worth(rate: str) -> str:
        return f"{first}+NPV({rate},{rest})"

    for column, label in enumerate((name, "present value", "turns")):
        text(3, left + column, label, book.bold)
    top, count = 4, len(TRIAL_RATES)
    for number in range(count):
        row = top + number
        write(row, left, f"={inputs.ref(f'search.trial_rate.{number}')}", rate_look, "")
        write(row, left + 1, f"={worth(at(row, 0))}", money, "")
        if number < count - 1:
            turn = f"=IF(AND({at(row, 1)}>=0,{at(row + 1, 1)}<0),1,0)"
            write(row, left + 2, turn, book.formats["general"], "")
    rates = f"{at(top, 0, True)}:{at(top + count - 1, 0, True)}"
    turns = f"{at(top, 2, True)}:{at(top + count - 2, 2, True)}"
    place = top + count + 1
    text(place, left, "turns after number", book.soft)
    write(place, left + 1, f"=IFERROR(MATCH(1,{turns},0),0)", book.formats["general"], "")
    number_cell = at(place, 1, True)
    for column, label in enumerate(("low", "high", "middle", "present value")):
        text(place + 1, left + column, label, book.bold)
    row = place + 2
    write(row, left, f"=IF({number_cell}=0,0,INDEX({rates},{number_cell}))", rate_look, "")
    write(row, left + 1, f"=IF({number_cell}=0,0,INDEX({rates},{number_cell}+1))", rate_look, "")
    for step in range(HALVINGS):
        here = row + step
        if step:
            write(here, left, f"=IF({at(here - 1, 3)}>=0,{at(here - 1, 2)},{at(here - 1, 0)})", rate_look, "")
            write(
                here,
                left + 1,
                f"=IF({at(here - 1, 3)}>=0,{at(here - 1, 1)},{at(here - 1, 2)})",
                rate_look,
                "",
            )
        write(here, left + 2, f"=({at(here, 0)}+{at(here, 1)})/2", rate_look, "")
        write(here, left + 3, f"={worth(at(here, 2))}", money, "")
    last = row + HALVINGS
    text(last, left, "rate of return", book.bold)
    write(last, left + 1, f"=IF({number_cell}=0,{NONE},{at(last - 1, 2)})", rate_look, "")
    return at(last, 1, True)


# ---------------------------------------------------------------- results

_ROWS = (
    ("npv_usd", "net present value of equity at the return that owners ask", "USD", "money"),
    ("irr", "internal rate of return of equity, the lowest", "1/yr", "rate"),
    ("mirr", "modified rate of return, both rates the return that owners ask", "1/yr", "rate"),
    ("debt_usd", "senior debt when service begins", "USD", "money"),
    ("gearing", "senior debt over all uses of funds", "1", "rate"),
    ("min_dscr", "least cover ratio of debt service", "1", "ratio"),
    ("avg_dscr", "mean cover ratio of debt service", "1", "ratio"),
    ("llcr", "loan life cover ratio when service begins", "1", "ratio"),
    ("plcr", "project life cover ratio when service begins", "1", "ratio"),
    ("levelised_cost", "levelised cost, real, before tax and support", "USD real/unit", "number"),
)


def write_results(
    book: Book, value: CaseValue, endings: dict[str, Ending], rates: dict[str, str], sizing: Sizing | None
) -> None:
    """Write the sheet of results; the program's figures stand beside as a check."""
    sheet = book.sheets["Results"]
    loaded = value.loaded
    sheet.write_string(0, 0, f"{loaded.case.title}: results", book.title)
    sheet.write_string(
        1,
        0,
        "Left: formulas, which follow the inputs. Right: what the program gave for the inputs as written; "
        "they part when you change an input.",
        book.soft,
    )
    heads = ("result", "unit", "sponsor, P50", "lender, P90", "program: sponsor", "program: lender",
             "difference: sponsor", "difference: lender")  # fmt: skip
    for column, text in enumerate(heads):
        sheet.write_string(3, column, text, book.heading)
    sheet.set_column(0, 0, 62)
    sheet.set_column(1, 1, 14)
    sheet.set_column(2, 7, 18)
    row = 4
    for name, label, unit, style in _ROWS:
        sheet.write_string(row, 0, label)
        sheet.write_string(row, 1, unit.replace("unit", loaded.unit), book.soft)
        for place, view in enumerate(value.views):
            _result(book, sheet, row, place, name, style, view, endings[view.name], rates)
        row += 1
    row += 1
    if sizing is not None:
        sheet.write_string(row, 0, "debt sizing: difference of its last two passes, share of debt service")
        sheet.write_formula(row, 2, f"={sizing.agreement}", book.formats["tiny"], "")
        text = f'=IF(C{row + 1}<0.000000001,"agreed","not agreed: write the workbook anew")'
        sheet.write_formula(row, 3, text, book.formats["general"], "")
        row += 1
    sheet.write_string(
        row,
        0,
        "The price at which owners earn their return is a search: use goal seek on a price of sheet Inputs "
        "with net present value 0, or the program.",
        book.soft,
    )


def _result(
    book: Book,
    sheet: Any,
    row: int,
    place: int,
    name: str,
    style: str,
    view: View,
    ending: Ending,
    rates: dict[str, str],
) -> None:
    formula = rates[view.name] if name == "irr" else ending.results.get(name, NONE)
    own = float(getattr(view, name))
    lent = view.terms.kind != "none" or name not in ("debt_usd", "gearing")
    told: float | str = own if np.isfinite(own) and lent else "none"
    look = book.results[style]
    write = sheet.write_formula
    write(row, 2 + place, f"={formula}", look, told)
    if isinstance(told, str):
        sheet.write_string(row, 4 + place, told, book.soft)
    else:
        sheet.write_number(row, 4 + place, told, book.formats[style])
    ours, program = xl_rowcol_to_cell(row, 2 + place), xl_rowcol_to_cell(row, 4 + place)
    apart = f"IF(AND(ISNUMBER({ours}),ISNUMBER({program})),({ours}-{program})/MAX(ABS({program}),1E-12),"
    write(row, 6 + place, f'={apart}IF({ours}={program},0,"differs"))', book.formats["tiny"], 0)


# ---------------------------------------------------------------- sources


def write_sources(book: Book, value: CaseValue) -> None:
    """Write where the figures and the policies come from, what each policy said, and the case's identity."""
    sheet = book.sheets["Sources"]
    loaded, case = value.loaded, value.loaded.case
    sheet.write_string(0, 0, "Sources", book.title)
    rows: list[tuple[str, ...]] = [
        ("case", case.name, f"id {loaded.id}"),
        ("based on", case.based_on or "no archetype", f"{len(loaded.from_archetype)} fields from it"),
        ("about", " ".join(case.description.split()), ""),
    ]
    row = _table(book, sheet, 2, ("item", "value", "note"), rows)
    figures = [
        (path, one.figure.confidence, one.figure.source or "not stated", one.figure.note)
        for path, one in sorted(loaded.figures.items())
    ]
    row = _table(book, sheet, row + 1, ("figure", "confidence", "source", "note"), figures)
    answers = [
        (
            one.policy,
            one.answer,
            one.because,
            f"{one.legal_status} {one.status_date or ''}".strip(),
            one.source_id,
            f"version {one.version}",
        )
        for one in value.setting.answers
    ]
    heads = ("policy", "answer", "because", "status", "source", "rows used")
    row = _table(book, sheet, row + 1, heads, answers)
    table = loaded.library.tables["sources"]
    used = {one.source_id for one in paying(value)}
    used |= {one for answer in value.setting.answers for one in answer.source_id.replace(",", ";").split(";")}
    used |= set(loaded.library.tables["depreciation"].get("source_id", []))
    known = table[table["source_id"].isin({one.strip() for one in used})]
    named = [
        (
            str(one["source_id"]),
            str(one["title"]),
            str(one["publisher"]),
            str(one["year"]),
            str(one["address"]),
        )
        for _, one in known.iterrows()
    ]
    _table(book, sheet, row + 1, ("source", "title", "publisher", "year", "address"), named)
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, 1, 30)
    sheet.set_column(2, 2, 80)
    sheet.set_column(3, 5, 30)


def _table(book: Book, sheet: Any, row: int, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> int:
    write = sheet.write_string
    for column, text in enumerate(heads):
        write(row, column, text, book.heading)
    for one in rows:
        row += 1
        for column, text in enumerate(one):
            write(row, column, "" if text in ("nan", "<NA>") else text)
    return row + 1
