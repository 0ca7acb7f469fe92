"""The input sheets of the workbook: every figure of a case once, and what has a value by year.

A figure has two cells: the sponsor's, which is typed in, and the lender's, a formula that
takes the bad end where the case says that lenders do. Paths are those of the case file;
terms that are no figures (days, tenors, years) stand in the same way.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.finance.build import CASH, Reading
from cleanhub.finance.capital import pioneer_terms
from cleanhub.finance.case_figures import PRODUCT
from cleanhub.finance.case_value import CaseValue
from cleanhub.finance.cases import LoadedCase
from cleanhub.finance.figures import Resolved
from cleanhub.policy.applicant import Answer
from cleanhub.report.finance.sheets import Book, Grid, Line

FloatArray = NDArray[np.float64]
COLUMNS = ("figure", "unit", "sponsor", "lender", "low", "high", "confidence", "source", "note")
TRIAL_RATES = (-0.95, -0.7, -0.4, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 20.0)
"""Rates between which an internal rate of return is looked for; as in cleanhub.finance.returns."""


class Inputs:
    """The sheet of single inputs; gives the cell of each path in both views."""

    def __init__(self, book: Book) -> None:
        self.book, self.name = book, "Inputs"
        self.worksheet = book.sheets[self.name]
        self.rows: dict[str, int] = {}
        self.row = 4

    def has(self, path: str) -> bool:
        """Whether there is such an input."""
        return path in self.rows

    def ref(self, path: str, lender: bool = False) -> str:
        """Cell of a path in one view."""
        return f"{self.name}!${'D' if lender else 'C'}${self.rows[path] + 1}"

    def heading(self, text: str) -> None:
        """A bar with the name of a group."""
        for column in range(len(COLUMNS)):
            self.worksheet.write_blank(self.row, column, None, self.book.heading)
        self.worksheet.write_string(self.row, 0, text, self.book.heading)
        self.row += 1

    def add(
        self,
        path: str,
        value: float | str | dt.date,
        unit: str = "",
        *,
        lender: str | None = None,
        low: float | None = None,
        high: float | None = None,
        words: tuple[str, str, str] = ("", "", ""),
    ) -> None:
        """Append an input; ``lender`` is ``low`` or ``high`` where lenders take that end.

        ``words`` are confidence, source and note.
        """
        sheet, looks = self.worksheet, self.book.inputs
        sheet.write_string(self.row, 0, path)
        sheet.write_string(self.row, 1, unit, self.book.soft)
        if isinstance(value, str):
            sheet.write_string(self.row, 2, value, looks["general"])
        elif isinstance(value, dt.date):
            sheet.write_datetime(self.row, 2, dt.datetime(value.year, value.month, value.day), looks["day"])
        else:
            sheet.write_number(self.row, 2, float(value), looks[_style(value, unit)])
        column = {"low": "E", "high": "F", None: "C"}[lender]
        taken = {"low": low, "high": high, None: value}[lender]
        shown = taken if isinstance(taken, (int, float, str)) else ""
        look = self.book.formats[_style(value, unit)]
        sheet.write_formula(self.row, 3, f"={column}{self.row + 1}", look, shown)
        for place, end in ((4, low), (5, high)):
            if end is not None:
                sheet.write_number(self.row, place, end, looks[_style(end, unit)])
        for place, text in enumerate(words, start=6):
            sheet.write_string(self.row, place, text)
        self.rows[path] = self.row
        self.row += 1


def _style(value: float | str | dt.date, unit: str) -> str:
    """How an input is shown: whole numbers with separators, others with the digits that matter."""
    if isinstance(value, dt.date):
        return "day"
    if isinstance(value, str) or unit == "year" or abs(value) < 1:
        return "general"
    return "whole" if float(value).is_integer() or abs(value) >= 1e6 else "decimal"


@dataclass(frozen=True)
class PolicyInputs:
    """Input lines of one policy that pays: rate by year, and the rate that lenders may count."""

    answer: Answer
    quantity: str
    rate: Line
    low: Line


@dataclass(frozen=True)
class Yearly:
    """The sheet of inputs by year."""

    grid: Grid
    period: Line
    calendar: Line
    ramp: Line
    spending: Line
    federal: Line
    state: Line
    policies: tuple[PolicyInputs, ...]
    renewals: tuple[Line, ...]


def write_inputs(book: Book, value: CaseValue) -> Inputs:
    """Write every single input of a case."""
    inputs = Inputs(book)
    loaded = value.loaded
    sheet = inputs.worksheet
    sheet.write_string(0, 0, f"{loaded.case.title}: inputs", book.title)
    sheet.write_string(
        1,
        0,
        f"Money of {loaded.case.price_year} unless the unit says otherwise. Change what is blue; all else "
        "follows. Kind of debt, years of construction and of life are built in: change them in the case "
        "file and write anew.",
        book.soft,
    )
    for column, name in enumerate(COLUMNS):
        sheet.write_string(3, column, name, book.bold)
    sheet.set_column(0, 0, 46)
    sheet.set_column(1, 1, 16)
    sheet.set_column(2, 5, 15)
    sheet.set_column(6, 6, 11)
    sheet.set_column(7, 8, 70)
    sheet.freeze_panes(4, 1)
    _figures(inputs, loaded)
    _terms(inputs, loaded)
    _law(inputs, value)
    _policies(inputs, value)
    _pioneer(inputs, loaded)
    inputs.heading("search for rates of return")
    for number, rate in enumerate(TRIAL_RATES):
        inputs.add(f"search.trial_rate.{number}", rate, "1/yr")
    return inputs


def _figures(inputs: Inputs, loaded: LoadedCase) -> None:
    group = ""
    for path, found in loaded.figures.items():
        name = path.split(".", 1)[0]
        if name != group:
            inputs.heading(name)
            group = name
        bad = found.measure.bad if path in loaded.case.lender.bad_ends and found.uncertain else None
        ends = (found.low, found.high) if found.uncertain else (None, None)
        figure = found.figure
        source = figure.source or (
            f"archetype {loaded.case.based_on}" if path in loaded.from_archetype else ""
        )
        inputs.add(
            path,
            found.value,
            _unit(found, loaded),
            lender=bad,
            low=ends[0],
            high=ends[1],
            words=(figure.confidence, source, _note(found)),
        )


def _unit(found: Resolved, loaded: LoadedCase) -> str:
    return (
        found.unit.replace("USD", f"USD of {loaded.case.price_year}") if "USD" in found.unit else found.unit
    )


def _note(found: Resolved) -> str:
    figure = found.figure
    parts = [figure.note] if figure.note else []
    if figure.unit and (figure.unit != found.unit or figure.currency_year):
        year = f" of {figure.currency_year}" if figure.currency_year else ""
        parts.append(f"stated as {figure.value:g} {figure.unit}{year}")
    return "; ".join(parts)


def _terms(inputs: Inputs, loaded: LoadedCase) -> None:
    """Everything a case states that is no figure with a range and yet is counted with."""
    case = loaded.case
    inputs.heading("dates and terms")
    inputs.add("price_year", case.price_year, "year")
    inputs.add("project.in_service", case.project.in_service, "day")
    for name, item in case.capital.replacements.items():
        inputs.add(f"capital.replacements.{name}.every", item.every, "years")
    for name, block in case.capital.learning.items():
        for part in ("share", "rate", "units_before", "units_by_then"):
            inputs.add(f"capital.learning.{name}.{part}", getattr(block, part), "1")
    for name, stream in case.revenue.items():
        inputs.add(f"revenue.{name}.first_year", stream.first_year, "operating year")
        inputs.add(f"revenue.{name}.last_year", stream.last_year, "operating year")
        inputs.add(f"revenue.{name}.indexed", int(stream.indexed), "1 yes, 0 no")
        inputs.add(f"revenue.{name}.contracted", int(stream.contracted), "1 yes, 0 no")
    for name in ("receivable_days", "payable_days", "inventory_days"):
        inputs.add(f"working_capital.{name}", getattr(case.working_capital, name), "days")
    inputs.add("reserves.debt_service_months", case.reserves.debt_service_months, "months")
    inputs.add("reserves.maintenance_years", case.reserves.maintenance_years, "years")
    inputs.add("lender.merchant_share", case.lender.merchant_share, "1")
    inputs.add("lender.market_credits", case.lender.market_credits, "none, low or value")
    inputs.add("debt.tenor", case.debt.tenor, "years")
    if case.debt.amortisation is not None:
        inputs.add("debt.amortisation", case.debt.amortisation, "years")
    for name, loan in case.support.loans.items():
        inputs.add(f"support.loans.{name}.tenor", loan.tenor, "years")
        inputs.add(f"support.loans.{name}.grace", loan.grace, "years")
        if loan.first_loss_cover_ratio is not None:
            inputs.add(f"support.loans.{name}.first_loss_cover_ratio", loan.first_loss_cover_ratio, "1")
    if case.support.guarantee is not None and case.support.guarantee.cover_ratio is not None:
        inputs.add("support.guarantee.cover_ratio", case.support.guarantee.cover_ratio, "1")


def _law(inputs: Inputs, value: CaseValue) -> None:
    """Tax law where the case states none."""
    law = value.setting.tax
    inputs.heading("tax law")
    for path, given in (
        ("tax.federal_rate", law.federal_rate),
        ("tax.state_rate", law.state_rate),
        ("tax.bonus", law.bonus),
    ):
        if not inputs.has(path):
            inputs.add(path, given, "1", words=("", "policy tables, see Sources", ""))
    for path, given in (
        ("tax.federal_loss_share", law.federal_loss_share),
        ("tax.state_loss_share", law.state_loss_share),
    ):
        inputs.add(
            path, given, "1", words=("", "policy tables, see Sources", "share of income losses may offset")
        )


def paying(value: CaseValue) -> list[Answer]:
    """Answers of the policies that pay cash."""
    return [one for one in value.setting.answers if one.answer == "pays" and one.instrument in CASH]


def _policies(inputs: Inputs, value: CaseValue) -> None:
    answers = paying(value)
    if not answers:
        return
    inputs.heading("policies that pay (rates by year stand on Yearly inputs)")
    reading = value.sponsor.reading
    capital = float(reading.central.spending.sum())
    for answer in answers:
        place = f"policies.{answer.policy}"
        words = (answer.confidence, answer.source_id, f"{answer.name}, {answer.legal_status}")
        scale = 1.0
        counted = value.loaded.case.production.bought
        if (
            _by_quantity(answer)
            and answer.quantity not in counted
            and reading.policy_quantity(answer.quantity) is not None
        ):
            scale = _unit_factor(reading, answer.quantity)
        inputs.add(f"{place}.quantity_factor", scale, "1", words=("", "", "units that the policy counts in"))
        inputs.add(f"{place}.transfer_price", answer.transfer_price, "USD/USD", words=words)
        inputs.add(f"{place}.lag_years", answer.lag_years, "years", words=words)
        inputs.add(f"{place}.bankable", int(answer.bankable), "1 yes, 0 no", words=words)
        if answer.once:
            share = answer.quantity in ("", "capital")
            amount = answer.once / capital if share and capital > 0 else answer.once
            inputs.add(f"{place}.once", amount, "share of capital as spent" if share else "USD", words=words)


def _by_quantity(answer: Answer) -> bool:
    return bool(len(answer.rate)) and answer.quantity not in ("", "capital")


def _unit_factor(reading: Reading, code: str) -> float:
    """Units that a policy counts in, per unit of the case's own quantity."""
    own = PRODUCT if code == reading.case.production.policy_product else code
    amount, counted = reading.quantity(own)[:, 0], reading.policy_quantity(code)
    assert counted is not None
    at = int(np.argmax(amount))
    return float(counted[at, 0] / amount[at]) if amount[at] else 1.0


def _pioneer(inputs: Inputs, loaded: LoadedCase) -> None:
    pioneer = loaded.case.capital.pioneer
    if pioneer is None:
        return
    inputs.heading("pioneer plant (Rand R-2569)")
    for name in type(pioneer).model_fields:
        inputs.add(f"capital.pioneer.{name}", float(getattr(pioneer, name)), "1")
    for equation in ("cost_growth", "plant_performance"):
        for term, one in pioneer_terms(loaded.library, equation).items():
            inputs.add(
                f"rand.{equation}.{term}", one.coefficient, "1", words=("recalled", "Rand R-2569-DOE", "")
            )


# ---------------------------------------------------------------- inputs by year


def write_yearly(book: Book, value: CaseValue, inputs: Inputs) -> Yearly:
    """Write what has a value by year: shares of spending, early output, depreciation, policies' rates."""
    grid = Grid(book, "Yearly inputs", "Inputs by year", "Change what is blue. Operating years count from 1.")
    reading, case = value.sponsor.reading, value.loaded.case
    life, rows = reading.life, reading.rows
    first = int(reading.calendar[0])
    period = grid.numbers("operating year", "", list(range(1 - rows, life + 1)), "all", "year")
    calendar = grid.numbers("calendar year", "", list(range(first - rows, first + life)), "all", "year")
    grid.freeze()
    grid.heading("construction and output")
    spending = grid.numbers("capital.spending", "share", case.capital.spending, "build")
    ramp = _ramp(grid, value, inputs)
    grid.heading("depreciation (all years of the schedule in front)")
    table = value.loaded.library.tables["depreciation"]
    lines = []
    for kind, years in (
        ("federal", case.tax.federal_class),
        ("state", case.tax.state_class or case.tax.federal_class),
    ):
        shares = table[table["recovery_years"] == years].sort_values("year")["share"].to_numpy(float)
        cut = np.zeros(life)
        cut[: min(life, len(shares))] = shares[:life]
        lines.append(
            grid.numbers(f"{kind} book, {years}-year class", "share", cut, total=float(shares.sum()))
        )
    renewals = _renewals(grid, lines[0], life) if case.capital.replacements else ()
    policies = _rates(grid, value)
    return Yearly(grid, period, calendar, ramp, spending, lines[0], lines[1], policies, renewals)


def _ramp(grid: Grid, value: CaseValue, inputs: Inputs) -> Line:
    reading, case = value.sponsor.reading, value.loaded.case
    if case.production.ramp_up or case.capital.pioneer is None:
        shares = [*case.production.ramp_up, *([1.0] * reading.life)][: reading.life]
        return grid.numbers("production.ramp_up", "share", shares)
    terms = {
        "new_steps": "new_steps",
        "balances": "balance_equations",
        "waste": "waste",
        "solids": "solids",
    }
    parts = [
        f"{inputs.ref(f'capital.pioneer.{name}')}*{inputs.ref(f'rand.plant_performance.{term}')}"
        for name, term in terms.items()
    ]
    constant = inputs.ref("rand.plant_performance.constant")
    found = grid.single("output in months 7 to 12", "share", f"({constant}+{'+'.join(parts)})/100", "rate")
    early = f"MIN(MAX({found},0),1)"
    return grid.line(
        "output of a pioneer plant",
        "share",
        lambda k: early if k == 1 else f"0.5*(1+{early})" if k == 2 else "1",
        style="factor",
    )


def _renewals(grid: Grid, schedule: Line, life: int) -> tuple[Line, ...]:
    """Line by year of depreciation; across, the year of the renewal."""
    grid.heading("depreciation of a renewal: years of depreciation down, year of the renewal across")
    top = grid.row

    def share(year: int, renewed: int) -> str:
        if year < renewed:
            return "0"
        if year < life:
            return schedule.at(year - renewed + 1)
        if life == renewed:
            return schedule.total
        column = Line(grid.book, grid.sheet, top, "ops").at(renewed)
        bottom = Line(grid.book, grid.sheet, top + life - 2, "ops").at(renewed)
        return f"{schedule.total}-SUM({column}:{bottom.split('!')[1]})"

    return tuple(
        grid.line(f"year {year}", "share", lambda r, year=year: share(year, r), style="factor")  # type: ignore[misc]
        for year in range(1, life + 1)
    )


def _rates(grid: Grid, value: CaseValue) -> tuple[PolicyInputs, ...]:
    reading, found = value.sponsor.reading, []
    if paying(value):
        grid.heading("policies: paid per unit of the quantity, nominal, before any discount")
    made = reading.central.made[:, 0]
    for answer in paying(value):
        if _by_quantity(answer):
            own = value.loaded.case.production.policy_product
            quantity = PRODUCT if answer.quantity == own else answer.quantity
            rate, low = answer.rate, answer.rate_low if len(answer.rate_low) else answer.rate
            if reading.policy_quantity(answer.quantity) is None:
                quantity, rate = PRODUCT, np.zeros(reading.life)
                low = rate
            unit = f"USD/{value.setting.unit_of(answer.quantity) or 'unit'}"
        else:
            quantity, unit = PRODUCT, f"USD/{value.loaded.unit}"
            paid = answer.payments if len(answer.payments) else np.zeros(reading.life)
            rate = low = np.divide(paid, made, out=np.zeros(reading.life), where=made > 0)
        lines = [
            grid.numbers(f"policies.{answer.policy}: {kind} rate", unit, given)
            for kind, given in (("central", rate), ("low", low))
        ]
        found.append(PolicyInputs(answer, quantity, *lines))
    return tuple(found)
