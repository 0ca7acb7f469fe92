"""Senior debt and income tax as formulas, and the passes in which each follows from the other.

Debt is sized on cash flow after tax, tax depends on interest, interest on debt. A spreadsheet
would call that circular; here every pass is a block of lines of its own: tax without debt,
debt on that cash flow, tax with that debt, and so on, as many blocks as this case needs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cleanhub.finance.case_value import CaseValue, View
from cleanhub.finance.engine import run
from cleanhub.report.finance.sheets import Grid, Line
from cleanhub.report.finance.workbook_inputs import Inputs
from cleanhub.report.finance.workbook_view import Operations

AGREED = 1e-12
SPARE = 5
"""Passes more than this case needs, so that a case with other prices agrees too."""
MOST = 60


@dataclass(frozen=True)
class DebtTerms:
    """Cells of the terms of the senior debt in one view, and of what construction needs before it."""

    rates: Line
    discount: Line
    growth: Line
    need_before: Line
    construction_rate: str
    cover_ratio: str
    gearing_cap: str
    fee: str
    repayment: str
    over: str
    refinanced: str
    refinance_fee: str
    balance_fee: str
    reserve_share: str
    reserve_interest: str
    gross_before: str
    need_total: str
    soft_total: str
    uses_before: str


@dataclass(frozen=True)
class Loan:
    """Cells of one sizing of the senior debt."""

    debt: str
    gamma: str
    upfront: str
    initial_reserve: str
    service: Line
    interest: Line
    balance: Line
    need: Line
    draws: Line
    building: Line
    held: Line
    earned: Line
    fees: Line


@dataclass(frozen=True)
class TaxLines:
    """Cells of one reckoning of both tax books."""

    federal: Line
    state: Line
    total: Line


def passes_needed(view: View) -> int:
    """Passes after which debt service agrees to 1e-12, found by making them."""
    lines, terms, rules = view.lines, view.terms, view.rules
    if not terms.after_tax:
        return 1
    repaid = min(terms.repayment, len(lines.revenue))
    cash = run(lines, replace(terms, kind="none", given_service=None), rules).taxes.total
    counted = view.outcome.cash_flow + view.outcome.taxes.total
    before = np.zeros_like(counted)
    for number in range(1, MOST):
        carried = counted - cash
        service = np.zeros_like(carried)
        if terms.kind == "level":
            service[:repaid] = np.maximum(carried[:repaid].min(axis=0), 0.0) / terms.cover_ratio
        else:
            service[:repaid] = np.maximum(carried[:repaid], 0.0) / terms.cover_ratio
        outcome = run(lines, replace(terms, given_service=service), rules)
        cash = outcome.taxes.total
        scale = max(float(np.abs(outcome.service).max()), 1e-300)
        if float(np.abs(outcome.service - before).max()) <= AGREED * scale:
            return number
        before = outcome.service
    return MOST


def _eased_terms(inputs: Inputs, view: View) -> tuple[str, str, str]:
    """Interest rate, cover ratio and yearly fee on the balance, with what loans and guarantees ease."""
    support, lender = view.reading.case.support, view.reading.lender

    def v(path: str) -> str:
        return inputs.ref(path, lender)

    rate, cover, balance_fee = v("debt.rate"), [v("debt.cover_ratio")], "0"
    for name, loan in support.loans.items():
        if loan.first_loss_cover_ratio is not None:
            cover.append(v(f"support.loans.{name}.first_loss_cover_ratio"))
    if support.guarantee is not None:
        share = v("support.guarantee.share")
        rate = f"MAX({rate}-{share}*{v('support.guarantee.rate_cut')},0)"
        balance_fee = f"{share}*{v('support.guarantee.fee')}"
        if support.guarantee.cover_ratio is not None:
            cover.append(v("support.guarantee.cover_ratio"))
    return rate, f"MIN({','.join(cover)})", balance_fee


def write_terms(grid: Grid, inputs: Inputs, ops: Operations, view: View) -> DebtTerms:
    """Write the terms of the debt in one view."""
    case, lender = view.reading.case, view.reading.lender
    life = view.reading.life

    def v(path: str) -> str:
        return inputs.ref(path, lender)

    grid.heading("terms of the senior debt")
    rate, cover, balance_fee = _eased_terms(inputs, view)
    mini = case.debt.kind == "mini_perm"
    tenor = v("debt.tenor")
    lasts = v("debt.amortisation") if mini and case.debt.amortisation else tenor
    rate_cell = grid.single("interest rate", "1/yr", rate, "rate")
    later = v("debt.refinance_rate") if inputs.has("debt.refinance_rate") else rate_cell
    cover_cell = grid.single("cover ratio that lenders ask", "1", cover, "ratio")
    repayment = grid.single("years of repayment", "years", f"MIN({lasts},{life})", "general")
    refinanced = grid.single(
        "refinanced at the end of year (0: never)",
        "year",
        f"IF({lasts}>{tenor},{tenor},0)" if mini else f"0*{tenor}",
        "general",
    )
    rates = grid.line(
        "interest rate by year",
        "1/yr",
        lambda k: f"IF({ops.period.at(k)}>{tenor},{later},{rate_cell})" if mini else rate_cell,
        style="rate",
    )
    row = Line(grid.book, grid.sheet, grid.row, "ops")
    discount = grid.line(
        "discount factor at the loan rate",
        "1",
        lambda k: f"{row.at(k - 1) if k > 1 else '1'}/(1+{rates.at(k)})",
        style="factor",
    )
    growth = grid.line(
        "a dollar drawn, when service begins",
        "1",
        lambda k: f"(1+{rate_cell})^(-{ops.period.at(k)})",
        "build",
        style="factor",
    )
    need = grid.line(
        "to be paid by debt and equity before the debt's own uses",
        "USD",
        lambda k: f"{ops.spending.at(k)}-{ops.grants.at(k)}-{ops.soft_draws.at(k)}",
        "build",
        total=True,
    )
    gross = grid.single("the same, when service begins", "USD", f"SUMPRODUCT({need.part()},{growth.part()})")
    return DebtTerms(
        rates=rates,
        discount=discount,
        growth=growth,
        need_before=need,
        construction_rate=rate_cell,
        cover_ratio=cover_cell,
        gearing_cap=v("debt.gearing_cap"),
        fee=v("debt.fee"),
        repayment=repayment,
        over=grid.single(
            "years over which the fee is deducted", "years", f"MIN(MAX({repayment},1),{life})", "general"
        ),
        refinanced=refinanced,
        refinance_fee=v("debt.refinance_fee"),
        balance_fee=grid.single("yearly fee on the balance", "1/yr", balance_fee, "rate"),
        reserve_share=grid.single(
            "debt service reserve, share of a year's service",
            "1",
            f"{v('reserves.debt_service_months')}/12",
            "factor",
        ),
        reserve_interest=v("reserves.interest"),
        gross_before=gross,
        need_total=need.total,
        soft_total=grid.single(
            "loans behind it when service begins", "USD", f"{ops.soft_draws.total}+{ops.soft_building.total}"
        ),
        uses_before=grid.single(
            "uses of funds before the debt's own", "USD", f"{ops.spending.total}+{ops.soft_building.total}"
        ),
    )


def _carried_and_cap(grid: Grid, t: DebtTerms, wanted: Line) -> tuple[str, str, str]:
    """Debt that the service carries, first reserve per dollar of it, and the most that the cap allows.

    The cap is the root of a quadratic, since fee, reserve and interest of the debt are uses too.
    """
    value = grid.single(
        "debt that the cash flow carries", "USD", f"SUMPRODUCT({wanted.part()},{t.discount.part()})"
    )
    reserve = grid.single(
        "first reserve per dollar of debt",
        "1",
        f"IF({value}>0,{wanted.at(1)}*{t.reserve_share}/{value},0)",
        "factor",
    )
    q = grid.single(
        "fee and reserve per dollar of debt, when service begins",
        "1",
        f"{t.fee}*{t.growth.at(1 - grid.book.building)}+{reserve}",
        "factor",
    )
    h = f"({t.fee}+{reserve})"
    square = grid.single("gearing cap: square term", "1", f"{q}-{t.gearing_cap}*((1+{h})*{q}-{h})", "factor")
    linear = grid.single(
        "gearing cap: linear term",
        "USD",
        (
            f"{t.gross_before}+{q}*{t.soft_total}-{t.gearing_cap}*({t.uses_before}*{q}+(1+{h})*{t.gross_before}"
            f"-{t.need_total})"
        ),
    )
    constant = grid.single(
        "gearing cap: constant term",
        "USD2",
        f"{t.soft_total}*{t.gross_before}-{t.gearing_cap}*{t.uses_before}*{t.gross_before}",
        "tiny",
    )
    root = f"SQRT(MAX({linear}^2-4*{square}*{constant},0))"
    most = f"MAX(IF({constant}<0,-2*{constant}/({linear}+{root}),0),0)"
    whole = f"IF({q}<1,MIN({most},MAX({t.gross_before}/(1-{q}),0)),{most})"
    cap = grid.single("most debt that the gearing cap allows", "USD", f"IF({t.gross_before}>0,{whole},0)")
    return value, reserve, cap


def _drawn(grid: Grid, t: DebtTerms, debt: str, upfront: str, initial: str) -> tuple[Line, str, Line, Line]:
    """Construction: what debt and equity pay, the share of debt, what it draws, and the interest on it."""
    first = 1 - grid.book.building

    def need_in(k: int) -> str:
        return t.need_before.at(k) + (f"+{upfront}" if k == first else "") + (f"+{initial}" if k == 0 else "")

    need = grid.line("to be paid by debt and equity", "USD", need_in, "build", total=True)
    gross = f"SUMPRODUCT({need.part()},{t.growth.part()})"
    gamma = grid.single("share that debt pays", "1", f"IF({gross}>0,{debt}/{gross},0)", "factor")
    draws = grid.line("debt drawn", "USD", lambda k: f"{gamma}*{need.at(k)}", "build", total=True)
    owed = Line(grid.book, grid.sheet, grid.row + 1, "build")
    building = grid.line(
        "interest during construction",
        "USD",
        lambda k: f"{owed.at(k - 1)}*{t.construction_rate}",
        "build",
        total=True,
    )
    grid.line(
        "debt in construction",
        "USD",
        lambda k: f"{owed.at(k - 1)}+{building.at(k)}+{draws.at(k)}",
        "build",
    )
    return need, gamma, draws, building


def write_loan(
    grid: Grid, ops: Operations, terms: DebtTerms, wanted: Line, all_years: bool, view: View | None
) -> Loan:
    """Write one sizing: debt that bears the service ``wanted``, capped, and what follows from it.

    ``all_years`` counts interest beyond the years of repayment (a service that was given).
    ``view`` lends the program's own results to its lines.
    """
    o, t = ops, terms
    known = view.outcome if view else None
    value, reserve, cap = _carried_and_cap(grid, terms, wanted)
    debt = grid.single(
        "senior debt when service begins", "USD", f"MIN({value},{cap})", known=view.debt_usd if view else ""
    )
    share = grid.single(
        "lent, of what the cash flow carries", "1", f"IF({value}>0,{debt}/{value},0)", "factor"
    )
    service = grid.line(
        "debt service",
        "USD",
        lambda k: f"{wanted.at(k)}*{share}",
        strong=True,
        known=None if known is None else known.service[:, 0],
    )
    upfront = grid.single("financing fee", "USD", f"{t.fee}*{debt}")
    initial = grid.single("first debt service reserve", "USD", f"{reserve}*{debt}")
    need, gamma, draws, building = _drawn(grid, t, debt, upfront, initial)
    balance_row = Line(grid.book, grid.sheet, grid.row + 1, "ops")

    def opening(k: int) -> str:
        return debt if k == 1 else balance_row.at(k - 1)

    def while_repaid(k: int, text: str) -> str:
        return text if all_years else f"IF({o.period.at(k)}<={t.repayment},{text},0)"

    interest = grid.line(
        "interest",
        "USD",
        lambda k: while_repaid(k, f"{opening(k)}*{t.rates.at(k)}"),
        known=None if known is None else known.interest[:, 0],
    )
    balance = grid.line(
        "debt at year's end",
        "USD",
        lambda k: while_repaid(k, f"MAX({opening(k)}+{interest.at(k)}-{service.at(k)},0)"),
        known=None if known is None else known.balance[:, 0],
    )
    held = grid.line(
        "debt service reserve at year's end", "USD", lambda k: f"{service.at(k + 1)}*{t.reserve_share}"
    )
    earned = grid.line(
        "interest on the reserve",
        "USD",
        lambda k: f"{initial if k == 1 else held.at(k - 1)}*{t.reserve_interest}",
    )
    fees = grid.line(
        "fees",
        "USD",
        lambda k: (
            f"{opening(k)}*{t.balance_fee}"
            f"+IF({o.period.at(k)}={t.refinanced},{balance.at(k)}*{t.refinance_fee},0)"
        ),
    )
    return Loan(
        debt, gamma, upfront, initial, service, interest, balance, need, draws, building, held, earned, fees
    )


def write_tax(
    grid: Grid,
    inputs: Inputs,
    ops: Operations,
    loan: Loan | None,
    terms: DebtTerms | None,
    view: View,
    shown: bool,
) -> TaxLines:
    """Write both tax books with a loan (or none); ``shown`` lends the program's results to the lines."""
    o, lender = ops, view.reading.lender
    at_once = view.rules.losses_at_once
    taxes = view.outcome.taxes if shown else None

    def v(path: str) -> str:
        return inputs.ref(path, lender)

    deducted: Line | None = None
    if loan is not None and terms is not None:
        own = loan
        fee = f"{terms.fee}*{loan.debt}/{terms.over}"
        deducted = grid.line(
            "deducted for the debt: interest, fees, less interest earned",
            "USD",
            lambda k: (
                f"{own.interest.at(k)}+IF({o.period.at(k)}<={terms.over},{fee},0)+{own.fees.at(k)}"
                f"-{own.earned.at(k)}"
            ),
        )

    def before(base: Line, schedule: Line, k: int) -> str:
        if loan is None or deducted is None:
            return base.at(k)
        return f"{base.at(k)}-{deducted.at(k)}-{schedule.at(k)}*{loan.building.total}"

    taxable = grid.line("taxable in the state book", "USD", lambda k: before(o.state, o.state_schedule, k))
    state = _book(grid, taxable, v("tax.state_rate"), v("tax.state_loss_share"), at_once, "state tax")
    taxable = grid.line(
        "taxable in the federal book",
        "USD",
        lambda k: f"{before(o.federal, o.federal_schedule, k)}-{state.at(k)}",
    )
    federal = _book(grid, taxable, v("tax.federal_rate"), v("tax.federal_loss_share"), at_once, "federal tax")
    if o.credit is not None:
        federal = _with_credit(grid, federal, o.credit, at_once)
    total = grid.line(
        "income tax",
        "USD",
        lambda k: f"{federal.at(k)}+{state.at(k)}",
        strong=True,
        known=None if taxes is None else taxes.total[:, 0],
    )
    return TaxLines(federal, state, total)


def _book(grid: Grid, taxable: Line, rate: str, share: str, at_once: bool, label: str) -> Line:
    if at_once:
        return grid.line(label, "USD", lambda k: f"{rate}*{taxable.at(k)}")
    row = grid.row
    waiting = Line(grid.book, grid.sheet, row + 1, "ops")

    def pool(k: int) -> str:
        return f"({waiting.at(k - 1)}+MAX(-{taxable.at(k)},0))" if k > 1 else f"MAX(-{taxable.at(k)},0)"

    used = grid.line("losses used", "USD", lambda k: f"MIN({pool(k)},MAX({taxable.at(k)},0)*{share})")
    grid.line("losses carried forward", "USD", lambda k: f"{pool(k)}-{used.at(k)}")
    return grid.line(label, "USD", lambda k: f"{rate}*(MAX({taxable.at(k)},0)-{used.at(k)})")


def _with_credit(grid: Grid, due: Line, credit: Line, at_once: bool) -> Line:
    if at_once:
        return grid.line("federal tax after credits", "USD", lambda k: f"{due.at(k)}-{credit.at(k)}")
    waiting = Line(grid.book, grid.sheet, grid.row + 1, "ops")

    def pool(k: int) -> str:
        return f"({waiting.at(k - 1)}+{credit.at(k)})" if k > 1 else credit.at(k)

    used = grid.line("credits used", "USD", lambda k: f"MIN({pool(k)},{due.at(k)})")
    grid.line("credits carried forward", "USD", lambda k: f"{pool(k)}-{used.at(k)}")
    return grid.line("federal tax after credits", "USD", lambda k: f"{due.at(k)}-{used.at(k)}")


@dataclass(frozen=True)
class Sizing:
    """The service that the sizing view lends on, and how far its last two passes differ."""

    service: Line
    agreement: str
    passes: int


def write_sizing(grid: Grid, inputs: Inputs, ops: Operations, terms: DebtTerms, value: CaseValue) -> Sizing:
    """Write the passes of the view that sizes the debt."""
    view = value.lender if value.loaded.case.debt.sized_on == "lender" else value.sponsor
    after_tax = view.terms.after_tax
    passes = min(passes_needed(_own_terms(view)) + SPARE, MOST) if after_tax else 1
    grid.line("operating year", "", ops.period.at, "all", style="year")
    grid.freeze()
    tax: TaxLines | None = None
    if after_tax:
        grid.heading("before any debt")
        tax = write_tax(grid, inputs, ops, None, None, view, False)
    earlier: Line | None = None
    loan: Loan | None = None
    for number in range(1, passes + 1):
        grid.heading(f"pass {number}: debt on the cash flow after the tax above")
        wanted = _wanted(grid, ops, terms, tax, view)
        earlier = loan.service if loan else None
        loan = write_loan(grid, ops, terms, wanted, False, None)
        if after_tax and number < passes:
            tax = write_tax(grid, inputs, ops, loan, terms, view, False)
    assert loan is not None
    grid.heading("agreement")
    apart = "0"
    if earlier is not None:
        last = loan.service
        apart = f"SUMPRODUCT(ABS({last.part()}-{earlier.part()}))/MAX(SUMPRODUCT(ABS({last.part()})),0.01)"
    else:
        apart = f"0*{loan.debt}"
    agreement = grid.single("difference of the last two passes, share of debt service", "1", apart, "tiny")
    return Sizing(loan.service, agreement, passes)


def _own_terms(view: View) -> View:
    """The view with the terms under which it sized its own debt."""
    return replace(view, terms=replace(view.terms, given_service=None))


def _wanted(grid: Grid, ops: Operations, terms: DebtTerms, tax: TaxLines | None, view: View) -> Line:
    def carried(k: int) -> str:
        return ops.counted.at(k) + (f"-{tax.total.at(k)}" if tax else "")

    if view.terms.kind == "level":
        years = grid.line(
            "cash flow in years of repayment",
            "USD",
            lambda k: f'IF({ops.period.at(k)}<={terms.repayment},{carried(k)},"")',
        )
        return grid.line(
            "debt service that it bears",
            "USD",
            lambda k: (
                f"IF({ops.period.at(k)}<={terms.repayment},MAX(MIN({years.part()}),0)/{terms.cover_ratio},0)"
            ),
        )
    return grid.line(
        "debt service that the cash flow bears",
        "USD",
        lambda k: f"IF({ops.period.at(k)}<={terms.repayment},MAX({carried(k)},0)/{terms.cover_ratio},0)",
    )
