"""From a case to the lines of the engine: quantities, prices, policies and terms by year.

A case is read with one set of values or with many at once (:class:`~cleanhub.finance.figures.Values`).
Operating year t is counted from the day of service; its prices and policies are those of the
calendar year that holds its middle. Money of the case's price year grows with inflation from
the middle of that year. What lenders count is worked out here: contracted sales, credits whose
amount a law sets, and market credits as the case's ``lender`` says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanhub.core.units import factor
from cleanhub.finance.capital import estimate_over_actual, performance_in_months_7_to_12, roll_up
from cleanhub.finance.case_figures import PRODUCT
from cleanhub.finance.cases import LoadedCase, midyear
from cleanhub.finance.engine import Lines, SoftTerms, Terms
from cleanhub.finance.figures import Z90, Values
from cleanhub.finance.plant_learning import hybrid_cost
from cleanhub.finance.tax_books import TaxRules, renewal_matrix, written_off
from cleanhub.policy.applicant import Answer

FloatArray = NDArray[np.float64]
CASH = frozenset({"production_credit", "market_credit", "allowance", "investment_credit", "grant", "voucher"})
"""Instruments that pay; loans, guarantees and standards change terms, not income."""


_NONE = np.zeros((1, 1))  # nothing is renewed


def _pays_cash(answer: Answer) -> bool:
    return answer.answer == "pays" and answer.instrument in CASH


@dataclass(frozen=True)
class TaxTerms:
    """What tax law says where a case says nothing: rates and the share written off at once."""

    federal_rate: float = 0.0
    state_rate: float = 0.0
    bonus: float = 0.0
    federal_loss_share: float = 1.0
    state_loss_share: float = 1.0


@dataclass(frozen=True)
class Setting:
    """Everything about a case that its numbers do not change: policies' answers and tax law."""

    answers: tuple[Answer, ...] = ()
    tax: TaxTerms = TaxTerms()
    quantity_units: tuple[tuple[str, str], ...] = ()

    def without(self, policy: str) -> Setting:
        """The same with one policy silenced."""
        return replace(self, answers=tuple(one for one in self.answers if one.policy != policy))

    def paying(self) -> Setting:
        """The same with those answers alone that a reading looks at: what pays in cash."""
        return replace(self, answers=tuple(one for one in self.answers if _pays_cash(one)))

    def unit_of(self, quantity: str) -> str:
        """Unit in which policies count a quantity; empty where they do not."""
        return dict(self.quantity_units).get(quantity, "")


class Reading:
    """One reading of a case: its numbers as yearly arrays, time first.

    Parameters
    ----------
    loaded
        The case.
    values
        Its numbers, single or N at once.
    setting
        Policies and tax law.
    lender
        Read as lenders do: bad ends, contracted sales only, market credits as the case says.
    count
        Least number of cases to give arrays for, where the values are single.
    """

    def __init__(
        self, loaded: LoadedCase, values: Values, setting: Setting, lender: bool = False, count: int = 1
    ) -> None:
        self.loaded, self.case, self.setting, self.lender = loaded, loaded.case, setting, lender
        self.values = _at_bad_ends(loaded, values) if lender else values
        self.count = max(self.values.count, count)
        self.life = self.case.production.life
        self.rows = len(self.case.capital.spending)
        self.year = np.arange(1, self.life + 1, dtype=np.float64)[:, None]

    # ------------------------------------------------------------ time

    @cached_property
    def calendar(self) -> NDArray[np.int64]:
        """Calendar year of each operating year, (T,)."""
        return operating_years(self.case.project.in_service, self.life)

    @cached_property
    def elapsed(self) -> FloatArray:
        """Years from the middle of the price year to the middle of each operating year, (T, 1)."""
        return _decimal(self.case.project.in_service) - (self.case.price_year + 0.5) + self.year - 0.5

    @cached_property
    def inflation(self) -> FloatArray:
        """Growth of money since the price year, (T, N or 1)."""
        return (1.0 + self.values("inflation")) ** self.elapsed

    def grown(self, escalation: str) -> FloatArray:
        """Inflation and the escalation at a path, (T, N or 1)."""
        rate = self.values(escalation)
        if not np.any(rate):
            return self.inflation
        return np.asarray(self.inflation * (1.0 + rate) ** self.elapsed)

    # ------------------------------------------------------------ quantities

    @cached_property
    def made(self) -> FloatArray:
        """Product made, (T, N) [product units]."""
        values, production = self.values, self.case.production
        ramp = np.ones((self.life, 1))
        shares = production.ramp_up or self._pioneer_ramp()
        ramp[: len(shares), 0] = shares[: self.life]
        yearly = values("production.capacity") * values("production.utilisation")
        kept = (1.0 - values("production.degradation")) ** (self.year - 1.0)
        return self._wide(yearly * ramp * kept)

    def _pioneer_ramp(self) -> tuple[float, ...]:
        """Early output of a pioneer plant: months 7 to 12 for year 1, half of what lacks for year 2."""
        pioneer = self.case.capital.pioneer
        if pioneer is None:
            return ()
        found = performance_in_months_7_to_12(
            self.loaded.library, pioneer.new_steps, pioneer.balances, pioneer.waste, float(pioneer.solids)
        )
        first = float(np.clip(found, 0.0, 100.0)) / 100.0
        return (first, 0.5 * (1.0 + first))

    def quantity(self, name: str) -> FloatArray:
        """``product`` or a by-product, (T, N) in the unit the case counts it in."""
        if name == PRODUCT:
            return self.made
        return self.made * self.values(f"production.by_products.{name}")

    def policy_quantity(self, code: str) -> FloatArray | None:
        """A quantity in the unit policies count it in, (T, N); ``None`` if the case has none of it."""
        own = self.case.production
        if code == own.policy_product:
            name = PRODUCT
        elif code in own.by_products:
            name = code
        elif code in own.bought:
            once = np.zeros((self.life, self.count))
            once[0] = self.values(f"production.bought.{code}")
            return once
        else:
            return None
        unit = self.setting.unit_of(code)
        return self.quantity(name) * (factor(self.loaded.unit_of(name), unit) if unit else 1.0)

    # ------------------------------------------------------------ capital

    @cached_property
    def cost_growth(self) -> FloatArray:
        """Actual over estimated capital that is expected [1]."""
        pioneer = self.case.capital.pioneer
        if pioneer is None:
            return self.values.get("capital.cost_growth", 1.0)
        over = estimate_over_actual(
            self.loaded.library,
            pioneer.unproven_share,
            pioneer.impurities,
            pioneer.complexity,
            pioneer.inclusiveness,
            pioneer.project_definition,
        )
        return np.asarray(self.values.get("capital.cost_growth", 1.0) / over)

    @cached_property
    def real_capital(self) -> FloatArray:
        """Total overnight capital as expected, in money of the price year [USD], (N,) or ()."""
        values, capital = self.values, self.case.capital
        cost = values("capital.cost")
        if "/" in self.loaded.figures["capital.cost"].unit:
            cost = cost * values("production.capacity")
        if capital.scope == "bare_erected":
            parts = ("engineering_fee", "process_contingency", "project_contingency")
            cost = roll_up(cost, *(values(f"capital.{part}") for part in parts)).total_plant
        if capital.scope != "total_overnight":
            cost = cost * (1.0 + values("capital.owners_cost"))
        return np.asarray(cost * self.cost_growth * self.learned)

    @cached_property
    def learned(self) -> float:
        """What learning leaves of the cost of the first plant [1]."""
        blocks = list(self.case.capital.learning.values())
        if not blocks:
            return 1.0
        rest = 1.0 - sum(block.share for block in blocks)
        return rest + float(
            hybrid_cost(
                [block.share for block in blocks],
                [block.rate for block in blocks],
                [block.units_before for block in blocks],
                [block.units_by_then for block in blocks],
            )
        )

    @cached_property
    def spending(self) -> FloatArray:
        """Capital spent by year of construction, money of the day, (B, N)."""
        back = np.arange(-self.rows + 1, 1, dtype=np.float64)[:, None]
        elapsed = _decimal(self.case.project.in_service) - (self.case.price_year + 0.5) + back - 0.5
        growth = (1.0 + self.values("inflation")) ** elapsed
        growth = growth * (1.0 + self.values("capital.escalation")) ** elapsed
        shares = np.asarray(self.case.capital.spending)[:, None]
        return self._wide(self.real_capital * shares * growth)

    @cached_property
    def renewals(self) -> FloatArray:
        """Capital renewed by operating year, money of the day, (T, N)."""
        total = np.zeros((self.life, self.count))
        for name, item in self.case.capital.replacements.items():
            due = (self.year % item.every == 0) & (self.year < self.life)
            total += np.where(due, self.values(f"capital.replacements.{name}.share"), 0.0) * (
                self.real_capital * self.inflation
            )
        return total

    # ------------------------------------------------------------ costs and sales

    def cost_lines(self) -> dict[str, FloatArray]:
        """Running costs by name, (T, N) [USD of the day]."""
        lines: dict[str, FloatArray] = {}
        values = self.values
        for name in self.case.inputs:
            place = f"inputs.{name}"
            unit_cost = values(f"{place}.use") * values(f"{place}.price")
            lines[name] = self._wide(self.made * unit_cost * self.grown(f"{place}.escalation"))
        for name in self.case.costs:
            place = f"costs.{name}"
            yearly = values.get(f"{place}.fixed", 0.0)
            yearly = yearly + values.get(f"{place}.share_of_capital", 0.0) * self.real_capital
            total = yearly + self.made * values.get(f"{place}.variable", 0.0)
            lines[f"{name} (cost)" if name in lines else name] = self._wide(
                total * self.grown(f"{place}.escalation")
            )
        return lines

    def sales_lines(self) -> dict[str, tuple[FloatArray, bool]]:
        """Sales by name: income (T, N) [USD of the day] and whether a buyer is bound."""
        return {
            name: (self._sold(name) * self._price(name), stream.contracted)
            for name, stream in self.case.revenue.items()
        }

    def _sold(self, name: str) -> FloatArray:
        stream = self.case.revenue[name]
        within = (self.year >= stream.first_year) & (self.year <= stream.last_year)
        return self.quantity(stream.quantity) * np.where(within, self.values(f"revenue.{name}.share"), 0.0)

    def _price(self, name: str) -> FloatArray:
        place = f"revenue.{name}"
        price = self.values(f"{place}.price")
        if self.case.revenue[name].indexed:
            return np.asarray(price * self.grown(f"{place}.escalation"))
        return np.asarray(price * (1.0 + self.values(f"{place}.escalation")) ** (self.year - 1.0))

    # ------------------------------------------------------------ policies

    def policy_lines(self) -> dict[str, PolicyLine]:
        """Cash of each policy that pays, by its identifier."""
        lines: dict[str, PolicyLine] = {}
        for answer in self.setting.answers:
            if not _pays_cash(answer):
                continue
            yearly = self._policy_cash(answer)
            once = np.zeros(self.count)
            if answer.once:
                scale = self._wide(self.spending.sum(axis=0)) if answer.quantity in ("", "capital") else None
                once = self._once(answer, scale)
            lines[answer.policy] = PolicyLine(
                answer, yearly * answer.transfer_price, once * answer.transfer_price
            )
        return lines

    def _policy_cash(self, answer: Answer) -> FloatArray:
        """Payments by operating year before any discount, delayed by the lag, (T, N)."""
        if not len(answer.rate) or answer.quantity in ("", "capital"):
            paid = np.zeros((self.life, self.count))
            if len(answer.payments) and answer.payments.any():  # several quantities: moved with the output
                central = self.central.made
                moved = np.divide(self.made, central, out=np.ones_like(self.made), where=central > 0)
                paid = answer.payments[:, None] * moved
        else:
            amount = self.policy_quantity(answer.quantity)
            if amount is None:
                return np.zeros((self.life, self.count))
            paid = amount * self._policy_rate(answer)
        lag = answer.lag_years
        if lag <= 0:
            return self._wide(paid)
        whole, part = int(lag), lag - int(lag)
        delayed = np.zeros_like(paid)
        for shift, weight in ((whole, 1.0 - part), (whole + 1, part)):
            kept = max(len(paid) - shift, 0)
            if weight:
                delayed[len(paid) - kept :] += weight * paid[:kept]
                delayed[-1] += weight * paid[kept:].sum(axis=0)  # what is still owed comes with the last year
        return self._wide(delayed)

    def _policy_rate(self, answer: Answer) -> FloatArray:
        rate = answer.rate[:, None]
        low = answer.rate_low[:, None] if len(answer.rate_low) else rate
        high = answer.rate_high[:, None] if len(answer.rate_high) else rate
        if self.lender and not answer.bankable:
            return {"none": np.zeros_like(rate), "low": low, "value": rate}[self.case.lender.market_credits]
        z = self.values.get(f"policies.{answer.policy}", 0.0)
        if not np.any(z):
            return rate
        return np.maximum(rate + np.where(z > 0, high - rate, rate - low) * z / Z90, 0.0)

    def _once(self, answer: Answer, scale: FloatArray | None) -> FloatArray:
        """One-off payment, moved with the capital where it is a share of it, (N,)."""
        if scale is None:
            return np.full(self.count, answer.once)
        stated = float(self.central.spending.sum())
        return np.asarray(answer.once * scale / stated) if stated > 0 else np.zeros(self.count)

    @cached_property
    def central(self) -> Reading:
        """The central reading: what policies were told."""
        return Reading(self.loaded, self.loaded.values, Setting())

    # ------------------------------------------------------------ engine

    def lines(self) -> Lines:
        """The engine's lines."""
        sales = self.sales_lines()
        policies = self.policy_lines()
        revenue = self._total(line for line, _ in sales.values())
        merchant = self.case.lender.merchant_share
        bankable = self._total(
            line if bound else line * merchant for line, bound in sales.values() if bound or merchant
        )
        exempt, exempt_bankable = self._zeros(), self._zeros()
        credit: FloatArray | None = None
        cut, state_cut = np.zeros(self.count), np.zeros(self.count)
        for line in policies.values():
            cash = line.yearly.copy()
            cash[0] += line.once
            counted = line.answer.bankable or (self.lender and self.case.lender.market_credits != "none")
            if line.answer.tax_character == "taxable":
                revenue = revenue + cash
                bankable = bankable + cash if counted else bankable
            elif line.answer.tax_character == "tax_credit":
                credit = cash if credit is None else credit + cash
            else:
                exempt += cash
                exempt_bankable += cash if counted else 0.0
            if line.answer.instrument == "investment_credit":
                cut = cut + 0.5 * line.once / line.answer.transfer_price
            elif line.answer.tax_character == "tax_free":
                given = line.once + line.yearly.sum(axis=0)
                cut, state_cut = cut + given, state_cut + given
        grants, taxed, basis = self._grants()
        costs = self._total(self.cost_lines().values())
        return Lines(
            spending=self.spending,
            revenue=revenue,
            bankable=bankable if self.lender else revenue,
            cost=costs,
            renewal=self.renewals,
            set_aside=self._set_aside(),
            exempt=exempt,
            exempt_bankable=exempt_bankable if self.lender else exempt,
            working_capital=self._working_capital(revenue, costs),
            grants=grants,
            salvage=self.values("capital.salvage") * self.spending.sum(axis=0),
            tax_credit=credit,
            taxed_grants=taxed,
            basis_cut=cut + basis,
            state_basis_cut=state_cut + basis,
        )

    def _grants(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        total, taxed, cut = np.zeros(self.count), np.zeros(self.count), np.zeros(self.count)
        for name, grant in self.case.support.grants.items():
            amount = self._amount(f"support.grants.{name}")
            total = total + amount
            taxed = taxed + (amount if grant.taxable else 0.0)
            cut = cut + (0.0 if grant.taxable else amount)
        shares = np.asarray(self.case.capital.spending)[:, None]
        return self._wide(shares * total), taxed, cut

    def _amount(self, place: str) -> FloatArray:
        if self.values.has(f"{place}.amount"):
            return self._wide(self.values(f"{place}.amount"))
        return self._wide(self.values(f"{place}.share") * self.spending.sum(axis=0))

    def _set_aside(self) -> FloatArray:
        years = self.case.reserves.maintenance_years
        if years <= 1:
            return self.renewals
        put_by = np.zeros_like(self.renewals)
        for row in map(int, np.flatnonzero(self.renewals.any(axis=1))):
            first = max(0, row - years + 1)
            put_by[first : row + 1] += self.renewals[row] / (row + 1 - first)
        return put_by

    def _working_capital(self, revenue: FloatArray, cost: FloatArray) -> FloatArray:
        days = self.case.working_capital
        balance = (revenue * days.receivable_days + cost * (days.inventory_days - days.payable_days)) / 365.0
        balance[-1] = 0.0
        return balance

    def terms(self, given_service: FloatArray | None = None) -> Terms:
        """Senior debt and the loans behind it."""
        debt, support, values = self.case.debt, self.case.support, self.values
        if debt.kind == "none":
            return Terms("none", np.zeros((self.life, 1)), 0.0, 0, 1.0, 0.0, soft=self._soft())
        rate = values("debt.rate")
        cover = values("debt.cover_ratio")
        balance_fee: Any = 0.0
        for loan in support.loans.values():
            if loan.first_loss_cover_ratio is not None:
                cover = np.minimum(cover, loan.first_loss_cover_ratio)
        if support.guarantee is not None:
            share = values("support.guarantee.share")
            rate = np.maximum(rate - share * values("support.guarantee.rate_cut"), 0.0)
            balance_fee = share * values("support.guarantee.fee")
            if support.guarantee.cover_ratio is not None:
                cover = np.minimum(cover, support.guarantee.cover_ratio)
        mini = debt.kind == "mini_perm"
        repaid = debt.amortisation if mini and debt.amortisation else debt.tenor
        later = values("debt.refinance_rate") if mini and values.has("debt.refinance_rate") else rate
        rates = np.empty((self.life, max(np.size(rate), np.size(later))))
        rates[: debt.tenor], rates[debt.tenor :] = rate, later
        return Terms(
            kind="level" if debt.kind == "level" else "sculpted",
            rate=rates,
            construction_rate=rate,
            repayment=min(repaid, self.life),
            cover_ratio=cover,
            gearing_cap=values("debt.gearing_cap"),
            fee=values("debt.fee"),
            refinanced=debt.tenor if mini and repaid > debt.tenor else 0,
            refinance_fee=values("debt.refinance_fee"),
            reserve_months=self.case.reserves.debt_service_months,
            reserve_interest=values("reserves.interest"),
            balance_fee=balance_fee,
            after_tax=debt.cash_flow == "after_tax",
            soft=self._soft(),
            given_service=given_service,
        )

    def _soft(self) -> tuple[SoftTerms, ...]:
        return tuple(
            SoftTerms(
                self._amount(f"support.loans.{name}"),
                self.values(f"support.loans.{name}.rate"),
                min(loan.tenor, self.life),
                loan.grace,
            )
            for name, loan in self.case.support.loans.items()
        )

    def rules(self) -> TaxRules:
        """Both tax books."""
        tax, law, values = self.case.tax, self.setting.tax, self.values
        classes = self.loaded.library.depreciation
        bonus = values.get("tax.bonus", law.bonus)
        federal = classes[tax.federal_class]
        state = classes[tax.state_class or tax.federal_class]
        yearly = written_off(federal, self.life)
        if bonus.ndim:
            yearly = yearly[:, None]
        after_bonus = (1.0 - bonus) * yearly
        after_bonus[0] += bonus
        return TaxRules(
            federal_rate=values.get("tax.federal_rate", law.federal_rate),
            state_rate=values.get("tax.state_rate", law.state_rate),
            federal_schedule=after_bonus,
            state_schedule=written_off(state, self.life),
            renewal_schedule=renewal_matrix(federal, self.life) if self.case.capital.replacements else _NONE,
            losses_at_once=tax.losses == "used_at_once",
            federal_loss_share=law.federal_loss_share,
            state_loss_share=law.state_loss_share,
        )

    # ------------------------------------------------------------ shapes

    def _zeros(self) -> FloatArray:
        return np.zeros((self.life, self.count))

    def _wide(self, array: Any) -> FloatArray:
        """``array`` with N cases in its last axis."""
        given = np.asarray(array, dtype=np.float64)
        shape = (*given.shape[:-1], self.count) if given.ndim > 1 else (self.count,)
        return given if given.shape == shape else np.broadcast_to(given, shape).copy()

    def _total(self, lines: Any) -> FloatArray:
        total = self._zeros()
        for line in lines:
            total += line
        return total


@dataclass(frozen=True)
class PolicyLine:
    """Cash from one policy: by operating year (T, N) and once at the start (N,), after any discount."""

    answer: Answer
    yearly: FloatArray
    once: FloatArray


def operating_years(in_service: dt.date, life: int) -> NDArray[np.int64]:
    """Calendar year that holds the middle of each operating year, (T,)."""
    first = midyear(in_service, 1).year
    return np.arange(first, first + life, dtype=np.int64)


def bad_ends(loaded: LoadedCase, paths: Sequence[str]) -> dict[str, float]:
    """The bad end of each figure named, where the case gives it a range."""
    ends: dict[str, float] = {}
    for path in paths:
        figure = loaded.figures.get(path)
        if figure is not None and figure.measure.bad is not None:
            ends[path] = figure.low if figure.measure.bad == "low" else figure.high
    return ends


def _at_bad_ends(loaded: LoadedCase, values: Values) -> Values:
    """Values with the figures that lenders read at their bad end; numbers already replaced by draws stay."""
    ends = bad_ends(loaded, loaded.case.lender.bad_ends)
    return Values(values.figures, {**ends, **values.replaced})


def _decimal(day: dt.date) -> float:
    """A day as a decimal year, in twelfths."""
    return day.year + (day.month - 1) / 12.0
