"""One project case worked out year by year in plain Python: what the array engine must agree with.

Written from what the engine promises (the docstrings of ``finance/engine.py`` and
``finance/tax_books.py``) and from the standard equations of project finance, not from its code:
lists and loops, the loan drawn year by year, the gearing cap found by bisection on the uses
and sources themselves, depreciation of every renewal on its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class SlowLoan:
    """A loan behind the senior debt: balance at service, rate, years, years of interest only."""

    amount: float
    rate: float
    tenor: int
    grace: int = 0


@dataclass
class SlowCase:
    """One case: yearly lists of money of the day, terms and tax law."""

    spending: list[float]
    grants: list[float]
    revenue: list[float]
    bankable: list[float]
    cost: list[float]
    renewal: list[float]
    set_aside: list[float]
    exempt: list[float]
    exempt_bankable: list[float]
    working_capital: list[float]
    salvage: float = 0.0
    tax_credit: list[float] | None = None
    taxed_grants: float = 0.0
    basis_cut: float = 0.0
    state_basis_cut: float = 0.0
    kind: str = "sculpted"
    rates: list[float] = field(default_factory=list)
    construction_rate: float = 0.07
    repayment: int = 15
    cover_ratio: float = 1.4
    gearing_cap: float = 0.7
    fee: float = 0.0
    refinanced: int = 0
    refinance_fee: float = 0.0
    reserve_months: float = 0.0
    reserve_interest: float = 0.0
    balance_fee: float = 0.0
    after_tax: bool = True
    given_service: list[float] | None = None
    soft: list[SlowLoan] = field(default_factory=list)
    federal_rate: float = 0.21
    state_rate: float = 0.0884
    federal_class: list[float] = field(default_factory=list)
    state_class: list[float] = field(default_factory=list)
    renewal_class: list[float] = field(default_factory=list)
    losses_at_once: bool = False
    federal_loss_share: float = 1.0
    state_loss_share: float = 1.0

    @property
    def life(self) -> int:
        return len(self.revenue)


@dataclass
class SlowResult:
    debt: float
    gearing: float
    equity: list[float]
    cash_flow: list[float]
    service: list[float]
    interest: list[float]
    balance: list[float]
    federal: list[float]
    state: list[float]
    uses: float
    sources: float


def depreciation(amount: float, shares: list[float], first: int, life: int) -> list[float]:
    """``amount`` written off from year ``first`` (0 = first) on; the rest goes in the last year."""
    written = [0.0] * life
    left = amount
    for age, share in enumerate(shares):
        year = first + age
        if year < life:
            written[year] += amount * share
            left -= amount * share
    written[life - 1] += left
    return written


def book(
    income: list[float], deductions: list[float], rate: float, share: float, at_once: bool
) -> list[float]:
    """Tax of one book year by year."""
    pool, taxes = 0.0, []
    for earned, deducted in zip(income, deductions, strict=True):
        profit = earned - deducted
        if at_once:
            taxes.append(rate * profit)
        elif profit < 0:
            pool -= profit
            taxes.append(0.0)
        else:
            used = min(pool, share * profit)
            pool -= used
            taxes.append(rate * (profit - used))
    return taxes


def soft_years(case: SlowCase) -> tuple[list[float], list[float], list[float], list[float]]:
    """Loans behind: draws and interest added in construction, service and interest in operation."""
    draws, building = [0.0] * len(case.spending), [0.0] * len(case.spending)
    service, interest = [0.0] * case.life, [0.0] * case.life
    spent = sum(case.spending)
    for loan in case.soft:

        def at_service(scale: float, loan: SlowLoan = loan) -> tuple[float, list[float], list[float]]:
            balance, drawn, added = 0.0, [], []
            for money in case.spending:
                added.append(balance * loan.rate)
                drawn.append(scale * money / spent)
                balance += added[-1] + drawn[-1]
            return balance, drawn, added

        unit, _, _ = at_service(1.0)
        _, drawn, added = at_service(loan.amount / unit)
        draws = [a + b for a, b in zip(draws, drawn, strict=True)]
        building = [a + b for a, b in zip(building, added, strict=True)]
        balance = loan.amount
        years_left = loan.tenor - loan.grace
        # the level payment, found from what one dollar a year is worth
        worth = sum((1.0 + loan.rate) ** -n for n in range(1, years_left + 1))
        for year in range(loan.tenor):
            due = balance * loan.rate
            paid = due if year < loan.grace else loan.amount / worth
            interest[year] += due
            service[year] += paid
            balance += due - paid
    return draws, building, service, interest


def construction(case: SlowCase, debt: float, first_service: float) -> dict[str, object]:
    """Draw ``debt`` year by year in fixed proportion with equity; uses, sources and the proportion."""
    soft_draws, soft_building, _, _ = soft_years(case)
    reserve = first_service * case.reserve_months / 12.0
    need = []
    for year, money in enumerate(case.spending):
        amount = money - case.grants[year] - soft_draws[year]
        if year == 0:
            amount += case.fee * debt
        if year == len(case.spending) - 1:
            amount += reserve
        need.append(amount)

    def balance_at(share: float) -> tuple[float, list[float], list[float]]:
        balance, drawn, added = 0.0, [], []
        for amount in need:
            added.append(balance * case.construction_rate)
            drawn.append(share * amount)
            balance += added[-1] + drawn[-1]
        return balance, drawn, added

    whole, _, _ = balance_at(1.0)
    share = debt / whole if whole > 0 else 0.0
    _, drawn, added = balance_at(share)
    uses = sum(case.spending) + case.fee * debt + reserve + sum(added) + sum(soft_building)
    equity = [amount * (1.0 - share) for amount in need]
    sources = sum(equity) + sum(drawn) + sum(added) + sum(case.grants) + sum(soft_draws) + sum(soft_building)
    soft = sum(soft_draws) + sum(soft_building)
    return {
        "share": share,
        "possible": whole > 0,
        "gearing": (debt + soft) / uses,
        "uses": uses,
        "sources": sources,
        "equity": equity,
        "building": sum(added),
        "soft_building": sum(soft_building),
        "reserve": reserve,
    }


def capped(case: SlowCase, wanted: float, first_service: float) -> float:
    """Most debt up to ``wanted`` whose gearing and proportion are allowed, by bisection.

    ``first_service`` is the first year's service of the debt wanted; it moves with the debt.
    """

    def allowed(debt: float) -> bool:
        built = construction(case, debt, first_service * debt / wanted)
        return bool(
            built["possible"]
            and float(built["share"]) <= 1.0  # type: ignore[arg-type]
            and float(built["gearing"]) <= case.gearing_cap  # type: ignore[arg-type]
        )

    if wanted <= 0:
        return 0.0
    if allowed(wanted):
        return wanted
    low, high = 0.0, wanted
    for _ in range(120):
        middle = 0.5 * (low + high)
        if allowed(middle):
            low = middle
        else:
            high = middle
        if high - low <= 1e-16 * wanted:
            break
    return low


def lend(case: SlowCase, cash: list[float]) -> tuple[float, list[float]]:
    """Debt and its service by year that ``cash`` carries."""
    factor, factors = 1.0, []
    for rate in case.rates:
        factor /= 1.0 + rate
        factors.append(factor)
    years = min(case.repayment, case.life)
    if case.kind == "none":
        service = [0.0] * case.life
    elif case.given_service is not None:
        service = list(case.given_service)
    elif case.kind == "level":
        worst = min(cash[:years])
        service = [max(worst, 0.0) / case.cover_ratio if t < years else 0.0 for t in range(case.life)]
    else:
        service = [max(cash[t], 0.0) / case.cover_ratio if t < years else 0.0 for t in range(case.life)]
    wanted = sum(paid * value for paid, value in zip(service, factors, strict=True))
    debt = capped(case, wanted, service[0])
    scale = debt / wanted if wanted > 0 else 0.0
    return debt, [paid * scale for paid in service]


def value(case: SlowCase) -> SlowResult:
    """Work out one case: lend, tax, lend again until debt service stands still."""
    life = case.life
    _, _, soft_service, soft_interest = soft_years(case)
    moved = [case.working_capital[t] - (case.working_capital[t - 1] if t else 0.0) for t in range(life)]
    counted = [
        case.bankable[t] + case.exempt_bankable[t] - case.cost[t] - case.set_aside[t] - moved[t]
        for t in range(life)
    ]
    service, debt, tax = [0.0] * life, 0.0, [0.0] * life
    first = True
    for _ in range(400):
        if not first:
            cash = [c - t for c, t in zip(counted, tax, strict=True)] if case.after_tax else counted
            debt, following = lend(case, cash)
        else:
            following = service
        change = max(abs(a - b) for a, b in zip(following, service, strict=True))
        service = following
        # the loan's own account
        balance, interest, balances = debt, [], []
        for t in range(life):
            interest.append(balance * case.rates[t])
            balance += interest[-1] - service[t]
            balances.append(balance)
        built = construction(case, debt, service[0])
        opening = [debt, *balances[:-1]]
        held = [service[t + 1] * case.reserve_months / 12.0 if t + 1 < life else 0.0 for t in range(life)]
        before = [float(built["reserve"]), *held[:-1]]  # type: ignore[arg-type]
        earned = [money * case.reserve_interest for money in before]
        fees = [money * case.balance_fee for money in opening]
        if case.refinanced:
            fees[case.refinanced - 1] += balances[case.refinanced - 1] * case.refinance_fee
        over = min(max(case.repayment, 1), life)
        income, deducted = [], []
        for t in range(life):
            income.append(case.revenue[t] - case.cost[t] + earned[t])
            upfront = case.fee * debt / over if t < over else 0.0
            deducted.append(interest[t] + soft_interest[t] + upfront + fees[t])
        income[0] += case.taxed_grants
        income[-1] += case.salvage
        for t, money in enumerate(case.renewal):
            if money:
                for year, written in enumerate(depreciation(money, case.renewal_class, t, life)):
                    deducted[year] += written
        basis = sum(case.spending) + float(built["building"]) + float(built["soft_building"])  # type: ignore[arg-type]
        state_cut = depreciation(basis - case.state_basis_cut, case.state_class, 0, life)
        federal_cut = depreciation(basis - case.basis_cut, case.federal_class, 0, life)
        state = book(
            income,
            [a + b for a, b in zip(deducted, state_cut, strict=True)],
            case.state_rate,
            case.state_loss_share,
            case.losses_at_once,
        )
        federal = book(
            income,
            [a + b + c for a, b, c in zip(deducted, federal_cut, state, strict=True)],
            case.federal_rate,
            case.federal_loss_share,
            case.losses_at_once,
        )
        if case.tax_credit is not None:
            waiting = 0.0
            for t in range(life):
                waiting += case.tax_credit[t]
                used = waiting if case.losses_at_once else min(waiting, federal[t])
                waiting -= used
                federal[t] -= used
        tax = [a + b for a, b in zip(state, federal, strict=True)]
        if not first and change <= 1e-14 * max(*service, 1e-300):
            break
        first = False
    equity = [-money for money in built["equity"]]  # type: ignore[attr-defined]
    for t in range(life):
        owners = case.revenue[t] - case.cost[t] + case.exempt[t] - case.set_aside[t] - moved[t] - tax[t]
        owners += before[t] - held[t] + earned[t] - fees[t] - service[t] - soft_service[t]
        if t == life - 1:
            owners += case.salvage
        equity.append(owners)
    cash_flow = [c - t for c, t in zip(counted, tax, strict=True)] if case.after_tax else counted
    return SlowResult(
        debt=debt,
        gearing=debt / float(built["uses"]),  # type: ignore[arg-type]
        equity=equity,
        cash_flow=cash_flow,
        service=service,
        interest=interest,
        balance=balances,
        federal=federal,
        state=state,
        uses=float(built["uses"]),  # type: ignore[arg-type]
        sources=float(built["sources"]),  # type: ignore[arg-type]
    )
