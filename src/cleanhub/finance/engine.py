"""The cash-flow engine: construction, operation, two tax books, reserves and solved debt, on arrays.

Time runs along the first axis, cases (draws, projects) along the second. Everything is nominal
and falls at the end of its year. Construction has B years, the last of which ends when service
begins; operation has T years. The first flow is the end of the first construction year, and
present values refer to it.

What decides the result, stated once:

- Lenders count ``bankable`` income only. Debt service is that cash flow over the cover ratio
  within the years of repayment; debt is its present value at the loan rate, and no more than
  the gearing cap allows of all uses of funds: capital, fees, interest during construction
  and the first debt service reserve. Interest, fee and reserve depend on the debt; the cap is
  solved in closed form (a quadratic).
- With ``after_tax`` cash flow, tax depends on interest and interest on debt: passes are made
  until tax stands still to 1e-11 of debt service, each case for itself, so that no result
  depends on the cases it is run with.
- Debt and equity pay for construction in fixed proportion, year by year; interest on the debt
  drawn is added to it.
- Fees are deducted over the tenor; interest during construction belongs to the depreciable basis.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cleanhub.finance.tax_books import Taxes, TaxRules, tax_of

FloatArray = NDArray[np.float64]
PASSES = 60
AGREED = 1e-11
"""Tax stands still when it moves by less than this share of debt service (or of 1 % of the cash)."""


@dataclass(frozen=True)
class Lines:
    """Nominal yearly lines of N cases [USD]; (B, N) in construction, (T, N) in operation, (N,) single.

    ``revenue`` is taxed, ``exempt`` is not; ``bankable`` and ``exempt_bankable`` are what
    lenders count of them. ``set_aside`` is paid for renewals when money is put by,
    ``renewal`` when they are made (for the tax books). ``tax_credit`` is used against tax.
    ``working_capital`` is the balance at each year's end. ``basis_cut`` is what grants and
    investment credits take from the depreciable basis, federal and state.
    """

    spending: FloatArray
    revenue: FloatArray
    bankable: FloatArray
    cost: FloatArray
    renewal: FloatArray
    set_aside: FloatArray
    exempt: FloatArray
    exempt_bankable: FloatArray
    working_capital: FloatArray
    grants: FloatArray
    salvage: ArrayLike = 0.0
    tax_credit: FloatArray | None = None
    taxed_grants: ArrayLike = 0.0
    basis_cut: ArrayLike = 0.0
    state_basis_cut: ArrayLike = 0.0


@dataclass(frozen=True)
class SoftTerms:
    """A loan behind the senior debt: balance when service begins [USD], rate, tenor and grace [yr]."""

    amount: ArrayLike
    rate: ArrayLike
    tenor: int
    grace: int = 0


@dataclass(frozen=True)
class Terms:
    """Senior debt, reserves and loans behind it.

    ``rate`` is the rate in each operating year, shape (T, 1) or (T, N);
    ``construction_rate`` before. ``repayment`` is the number of years of service and
    ``refinanced`` the year (1-based) whose balance bears ``refinance_fee``, 0 for none.
    ``reserve_months`` of next year's service are held. ``balance_fee`` is a yearly fee on the
    balance (a guarantee). ``given_service`` (T, 1) or (T, N) is the service of a loan that was
    sized elsewhere (by the lender's reading); only the gearing cap can still lower it.
    """

    kind: Literal["sculpted", "level", "none"]
    rate: FloatArray
    construction_rate: ArrayLike
    repayment: int
    cover_ratio: ArrayLike
    gearing_cap: ArrayLike
    fee: ArrayLike = 0.0
    refinanced: int = 0
    refinance_fee: ArrayLike = 0.0
    reserve_months: float = 0.0
    reserve_interest: ArrayLike = 0.0
    balance_fee: ArrayLike = 0.0
    after_tax: bool = True
    given_service: FloatArray | None = None
    soft: tuple[SoftTerms, ...] = field(default=())


@dataclass(frozen=True)
class Outcome:
    """What N cases come to, year by year [USD].

    ``equity`` (B + T, N) is what owners pay and receive; ``cash_flow`` (T, N) what is
    available for debt service; ``service``, ``interest``, ``balance`` (at each year's end)
    belong to the senior debt; ``uses`` and ``sources`` hold the lines of construction (B, N).
    ``residual`` is the disagreement left between tax and debt, relative to debt service.
    """

    debt: FloatArray
    gearing: FloatArray
    equity: FloatArray
    cash_flow: FloatArray
    service: FloatArray
    interest: FloatArray
    balance: FloatArray
    soft_service: FloatArray
    reserve: FloatArray
    fees: FloatArray
    taxes: Taxes
    uses: dict[str, FloatArray]
    sources: dict[str, FloatArray]
    residual: float

    def cover(self) -> FloatArray:
        """Cash flow over debt service by year, (T, N); NaN where there is none to serve."""
        served = self.service > 1e-9 * np.maximum(np.abs(self.cash_flow), 1.0)
        shape = np.broadcast_shapes(self.cash_flow.shape, self.service.shape)
        cover: FloatArray = np.divide(self.cash_flow, self.service, out=np.full(shape, np.nan), where=served)
        return cover


@dataclass
class _Loan:
    """Senior debt within one pass."""

    debt: FloatArray
    service: FloatArray
    interest: FloatArray
    balance: FloatArray
    draws: FloatArray
    construction_interest: FloatArray
    initial_reserve: FloatArray
    gamma: FloatArray


def run(lines: Lines, terms: Terms, rules: TaxRules) -> Outcome:
    """Solve debt, tax and equity flows of all cases."""
    years, count = lines.revenue.shape
    operating = lines.revenue - lines.cost
    change = np.diff(lines.working_capital, axis=0, prepend=0.0)
    soft_cash, soft_interest, soft_draws, soft_building = _soft(lines, terms, years, count)
    counted = lines.bankable + lines.exempt_bankable - lines.cost - lines.set_aside - change
    base = _Base(lines, terms, soft_draws, soft_building)
    books = _Books(lines, terms, rules, operating, soft_interest, soft_building)
    loan, taxes, residual = _solved(counted, terms, base, books)
    held = _held(loan, terms)
    released = -np.diff(held, axis=0, prepend=loan.initial_reserve[None])
    earned = np.concatenate([loan.initial_reserve[None], held[:-1]]) * terms.reserve_interest
    fees = _fees(loan, terms)
    cash_flow = counted - taxes.total if terms.after_tax else counted
    owners = (
        operating + lines.exempt - lines.set_aside - change - taxes.total - loan.service - soft_cash
    ) + (released + earned - fees)
    owners[-1] += np.asarray(lines.salvage, dtype=np.float64)
    upfront = np.asarray(terms.fee) * loan.debt
    need = base.need(upfront, loan.initial_reserve)
    paid = (1.0 - loan.gamma) * need
    uses = {
        "capital": lines.spending,
        "financing fee": _only(upfront, 0, len(lines.spending)),
        "debt service reserve": _only(loan.initial_reserve, -1, len(lines.spending)),
        "interest during construction": loan.construction_interest + soft_building,
    }
    sources = {
        "equity": paid,
        "senior debt": loan.draws + loan.construction_interest,
        "grants": lines.grants,
        "loans behind it": soft_draws + soft_building,
    }
    return Outcome(
        debt=loan.debt,
        gearing=_ratio(loan.debt, np.asarray(sum(use.sum(axis=0) for use in uses.values()))),
        equity=np.concatenate([-paid, owners]),
        cash_flow=cash_flow,
        service=loan.service,
        interest=loan.interest,
        balance=loan.balance,
        soft_service=soft_cash,
        reserve=held,
        fees=fees,
        taxes=taxes,
        uses=uses,
        sources=sources,
        residual=residual,
    )


def unlevered(lines: Lines, rules: TaxRules) -> FloatArray:
    """Flows of the project without any debt, after tax, (B + T, N) [USD]; grants stay in."""
    terms = Terms("none", np.zeros((len(lines.revenue), 1)), 0.0, 0, 1.0, 0.0)
    return run(lines, terms, rules).equity


# ---------------------------------------------------------------- construction


class _Base:
    """What construction costs before the debt's own uses."""

    def __init__(self, lines: Lines, terms: Terms, soft_draws: FloatArray, soft_building: FloatArray) -> None:
        rows = len(lines.spending)
        self.rate = np.asarray(terms.construction_rate, dtype=np.float64)
        self.growth = (1.0 + self.rate) ** np.arange(rows - 1, -1, -1)[:, None]
        self.need_before = lines.spending - lines.grants - soft_draws
        self.gross_before = _summed(self.need_before * self.growth)
        self.uses_before = _summed(lines.spending) + _summed(soft_building)
        self.soft = _summed(soft_draws) + _summed(soft_building)

    def need(self, fee: FloatArray, reserve: FloatArray) -> FloatArray:
        """Cash that senior debt and equity bring, (B, N)."""
        need = self.need_before.copy()
        need[0] = need[0] + fee
        need[-1] = need[-1] + reserve
        return need


def _summed(array: FloatArray) -> FloatArray:
    """Sum over time, row by row: the same to the last bit however many cases there are."""
    total: FloatArray = array[0].copy()
    for row in array[1:]:
        total += row
    return total


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """``part`` over ``whole``; 0 where there is nothing to divide by."""
    found: FloatArray = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return found


def _only(amount: FloatArray, row: int, rows: int) -> FloatArray:
    found = np.zeros((rows, len(amount)))
    found[row] = amount
    return found


def _soft(
    lines: Lines, terms: Terms, years: int, count: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Service and interest in operation (T, N), draws and capitalised interest in construction (B, N)."""
    rows = len(lines.spending)
    service, interest = np.zeros((years, count)), np.zeros((years, count))
    draws, building = np.zeros((rows, count)), np.zeros((rows, count))
    spent = lines.spending.sum(axis=0)
    shares = np.divide(lines.spending, spent, out=np.zeros_like(lines.spending), where=spent > 0)
    for loan in terms.soft:
        rate = np.broadcast_to(np.asarray(loan.rate, dtype=np.float64), (count,))
        amount = np.broadcast_to(np.asarray(loan.amount, dtype=np.float64), (count,))
        growth = (1.0 + rate) ** np.arange(rows - 1, -1, -1)[:, None]
        drawn = shares * amount / (shares * growth).sum(axis=0)
        balance = np.zeros(count)
        for row in range(rows):
            accrued = balance * rate
            building[row] += accrued
            balance = balance + accrued + drawn[row]
        draws += drawn
        payment = amount / _annuity(rate, max(loan.tenor - loan.grace, 1))
        balance = amount.copy()
        last = min(loan.tenor, years) - 1
        for year in range(last + 1):
            due = balance * rate
            paid = due if year < loan.grace else payment
            if year == last:  # what is left, where grace or the life of the plant cut it short
                paid = balance + due
            interest[year] += due
            service[year] += paid
            balance = balance + due - paid
    return service, interest, draws, building


def _annuity(rate: FloatArray, years: int) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(rate == 0, float(years), (1.0 - (1.0 + rate) ** -years) / rate)


# ---------------------------------------------------------------- senior debt


def _no_loan(base: _Base, years: int, count: int) -> _Loan:
    rows = len(base.need_before)
    return _Loan(
        np.zeros(count),
        np.zeros((years, count)),
        np.zeros((years, count)),
        np.zeros((years, count)),
        np.zeros((rows, count)),
        np.zeros((rows, count)),
        np.zeros(count),
        np.zeros(count),
    )


def _solved(counted: FloatArray, terms: Terms, base: _Base, books: _Books) -> tuple[_Loan, Taxes, float]:
    """Debt and tax that agree, and what is left between them.

    Tax follows from debt and debt from cash after tax. Each pass mixes the last two taxes so
    that, case by case, their disagreement is least (Anderson's method with one step of memory);
    a case that agrees is not moved again.
    """
    years, count = counted.shape
    loan = _no_loan(base, years, count)
    taxes = books.taxes(loan)
    if terms.kind == "none":
        return loan, taxes, 0.0
    rates = np.broadcast_to(terms.rate, (years, count))
    discount: FloatArray = np.cumprod(1.0 / (1.0 + rates), axis=0, dtype=np.float64)
    if terms.given_service is not None or not terms.after_tax:
        loan = _sized(counted, terms, base, discount)
        return loan, books.taxes(loan), 0.0
    used, earlier = taxes.total, None
    residual = np.zeros(count)
    least = np.maximum(0.01 * np.abs(counted).max(axis=0), 1e-300)
    for _ in range(PASSES):
        loan = _sized(counted - used, terms, base, discount)
        taxes = books.taxes(loan)
        found = taxes.total
        apart = found - used
        residual = np.abs(apart).max(axis=0) / np.maximum(loan.service.max(axis=0), least)
        agreed = residual < AGREED
        if agreed.all():
            break
        following = found
        if earlier is not None:
            following = _mixed(found, apart, *earlier)
        np.copyto(following, used, where=agreed)
        used, earlier = following, (found, apart)
    return loan, taxes, float(residual.max())


def _mixed(
    found: FloatArray, apart: FloatArray, found_before: FloatArray, apart_before: FloatArray
) -> FloatArray:
    """The mixture of two passes whose disagreement is least in each case."""
    turn = apart - apart_before
    share = _summed(apart * turn) / np.maximum(_summed(turn * turn), 1e-300)
    np.clip(share, -1.0, 0.9, out=share)
    moved = found - found_before
    moved *= share
    return np.subtract(found, moved, out=moved)


def _sized(carried: FloatArray, terms: Terms, base: _Base, discount: FloatArray) -> _Loan:
    """Debt that ``carried`` bears, capped, with its service, interest and draws."""
    years, count = carried.shape
    repaid = min(terms.repayment, years)
    service = np.zeros((years, count))
    if terms.given_service is not None:
        service += terms.given_service
        repaid = years
    elif terms.kind == "level":
        service[:repaid] = np.maximum(carried[:repaid].min(axis=0), 0.0) / terms.cover_ratio
    else:
        np.maximum(carried[:repaid], 0.0, out=service[:repaid])
        service[:repaid] /= np.asarray(terms.cover_ratio, dtype=np.float64)
    wanted = _summed(service[:repaid] * discount[:repaid])
    reserve = _ratio(service[0] * (terms.reserve_months / 12.0), wanted)
    debt = np.minimum(wanted, _cap(terms, base, reserve))
    service[:repaid] *= _ratio(debt, wanted)
    need = base.need(np.asarray(terms.fee) * debt, reserve * debt)
    gamma = _ratio(debt, _summed(need * base.growth))
    draws = gamma * need
    building = np.zeros_like(draws)
    balance = np.zeros(count)
    for row in range(len(draws)):
        building[row] = balance * base.rate
        balance = balance + building[row] + draws[row]
    interest, balances = np.zeros_like(service), np.zeros_like(service)
    balance = debt
    rates = np.broadcast_to(terms.rate, service.shape)
    for year in range(repaid):
        owed = balances[year]
        np.multiply(balance, rates[year], out=interest[year])
        np.add(balance, interest[year], out=owed)
        owed -= service[year]
        balance = np.maximum(owed, 0.0, out=owed)
    return _Loan(debt, service, interest, balances, draws, building, reserve * debt, gamma)


def _cap(terms: Terms, base: _Base, reserve: FloatArray) -> FloatArray:
    """Most debt that the gearing cap allows, with its own fee, reserve and interest among the uses.

    With debt x, funding need b + h x (h = fee + reserve share), its value at service B + q x, and
    the debt's share of the need x / (B + q x), the cap (x + S) = g U becomes a quadratic in x;
    S are loans behind the debt, U all uses. The share may not pass 1.
    """
    fee = np.asarray(terms.fee, dtype=np.float64)
    gross, need = base.gross_before, _summed(base.need_before)
    cap = np.asarray(terms.gearing_cap, dtype=np.float64)
    q = fee * base.growth[0] + reserve
    h = fee + reserve
    square = q - cap * ((1.0 + h) * q - h)
    linear = gross + q * base.soft - cap * (base.uses_before * q + (1.0 + h) * gross - need)
    constant = base.soft * gross - cap * base.uses_before * gross
    root = np.sqrt(np.maximum(linear**2 - 4.0 * square * constant, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        most = np.where(constant < 0, -2.0 * constant / (linear + root), 0.0)
        whole = np.where(q < 1.0, gross / (1.0 - q), np.inf)
    return np.where(gross > 0, np.clip(most, 0.0, np.maximum(whole, 0.0)), 0.0)


def _held(loan: _Loan, terms: Terms) -> FloatArray:
    """Debt service reserve at each year's end, (T, N)."""
    held = np.zeros_like(loan.service)
    held[:-1] = loan.service[1:] * (terms.reserve_months / 12.0)
    return held


def _fees(loan: _Loan, terms: Terms) -> FloatArray:
    """Fees in operation, (T, N): on the balance, and for refinancing."""
    opening = np.concatenate([loan.debt[None], loan.balance[:-1]])
    fees = opening * np.asarray(terms.balance_fee, dtype=np.float64)
    if 0 < terms.refinanced <= len(fees):
        fees[terms.refinanced - 1] += loan.balance[terms.refinanced - 1] * terms.refinance_fee
    return fees


class _Books:
    """Both tax books before the senior debt, and with it."""

    def __init__(
        self,
        lines: Lines,
        terms: Terms,
        rules: TaxRules,
        operating: FloatArray,
        soft_interest: FloatArray,
        soft_building: FloatArray,
    ) -> None:
        self.terms, self.rules, self.credit = terms, rules, lines.tax_credit
        self.over = min(max(terms.repayment, 1), len(operating))
        income = operating - soft_interest
        if lines.renewal.any():
            income -= rules.renewal_schedule @ lines.renewal
        income[0] += np.asarray(lines.taxed_grants, dtype=np.float64)
        income[-1] += np.asarray(lines.salvage, dtype=np.float64)
        basis = _summed(lines.spending) + _summed(soft_building)
        self.federal_schedule, self.state_schedule = (
            schedule[:, None] if schedule.ndim == 1 else schedule
            for schedule in (rules.federal_schedule, rules.state_schedule)
        )
        self.federal = income - self.federal_schedule * (
            basis - np.asarray(lines.basis_cut, dtype=np.float64)
        )
        self.state = income - self.state_schedule * (
            basis - np.asarray(lines.state_basis_cut, dtype=np.float64)
        )

    def taxes(self, loan: _Loan) -> Taxes:
        """Tax with the senior debt's interest, fees and reserve in the books."""
        terms, earning = self.terms, np.asarray(self.terms.reserve_interest, dtype=np.float64)
        deducted = loan.interest.copy()
        deducted[: self.over] += np.asarray(terms.fee, dtype=np.float64) * loan.debt / self.over
        if np.any(terms.balance_fee) or terms.refinanced:
            deducted += _fees(loan, terms)
        if np.any(earning):
            deducted[0] -= loan.initial_reserve * earning
            deducted[1:] -= _held(loan, terms)[:-1] * earning
        building = _summed(loan.construction_interest)
        federal: FloatArray = self.federal - deducted
        state: FloatArray = np.subtract(self.state, deducted, out=deducted)
        federal -= self.federal_schedule * building
        state -= self.state_schedule * building
        return tax_of(federal, state, self.credit, self.rules)
