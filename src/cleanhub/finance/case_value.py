"""What a case is worth: the sponsor's view (P50) and the lender's (P90), side by side.

The lender's view takes the figures that lenders distrust at their bad end, counts only sales
with a bound buyer and credits they can rely on, and sizes the debt. The sponsor's view has the
central figures and carries that same debt (unless the case says that the sponsor's view sizes
it). Every result names its convention:

- ``levelised_cost``: real, before tax, support and by-products, at the project's real rate,
  per unit of product, in money of the price year.
- ``price_at_return``: the flat real price of all product at which equity earns its required
  nominal return after tax, policies and support, debt sized anew at each price.
- ``npv_usd``: nominal equity flows at the required return, at the end of the first year of
  construction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cleanhub.finance.build import Reading, Setting
from cleanhub.finance.cases import LoadedCase
from cleanhub.finance.engine import Lines, Outcome, Terms, run, unlevered
from cleanhub.finance.figures import Values
from cleanhub.finance.price_search import PriceQuestion, prices_at_return
from cleanhub.finance.returns import (
    all_rates_of_return,
    internal_rate_of_return,
    modified_rate_of_return,
    payback_year,
    present_value,
)
from cleanhub.finance.tax_books import TaxRules

FloatArray = NDArray[np.float64]
SPONSOR, LENDER = "sponsor_p50", "lender_p90"
CAPTURED = "co2"


@dataclass(frozen=True)
class View:
    """One view of one case: its arrays (one case wide) and what they come to."""

    name: str
    reading: Reading
    lines: Lines
    terms: Terms
    rules: TaxRules
    outcome: Outcome

    @property
    def equity_return(self) -> float:
        """Return that owners ask [1/yr]."""
        return float(self.reading.values("returns.equity"))

    @cached_property
    def npv_usd(self) -> float:
        """Net present value of equity [USD]."""
        return float(present_value(self.outcome.equity, self.equity_return)[0])

    @cached_property
    def irr(self) -> float:
        """Lowest internal rate of return of equity [1/yr]; NaN where there is none."""
        return float(internal_rate_of_return(self.outcome.equity)[0])

    @cached_property
    def all_irr(self) -> list[float]:
        """Every internal rate of return of equity."""
        return all_rates_of_return(self.outcome.equity[:, 0])

    @cached_property
    def project_flows(self) -> FloatArray:
        """After-tax flows without debt, (B + T,) [USD]."""
        return unlevered(self.lines, self.rules)[:, 0]

    @cached_property
    def project_irr(self) -> float:
        """Internal rate of return without debt [1/yr]."""
        return float(internal_rate_of_return(self.project_flows[:, None])[0])

    @cached_property
    def project_npv_usd(self) -> float:
        """Net present value without debt, at the project's rate [USD]."""
        rate = float(self.reading.values("returns.project"))
        return float(present_value(self.project_flows[:, None], rate)[0])

    @cached_property
    def mirr(self) -> float:
        """Modified internal rate of return of equity, both rates the required return [1/yr]."""
        rate = self.equity_return
        return float(modified_rate_of_return(self.outcome.equity, rate, rate)[0])

    @cached_property
    def payback_years(self) -> float:
        """Years from the first spending until equity is paid back; NaN where it never is."""
        return float(payback_year(self.outcome.equity)[0])

    @property
    def debt_usd(self) -> float:
        """Senior debt when service begins [USD]."""
        return float(self.outcome.debt[0])

    @property
    def gearing(self) -> float:
        """Senior debt over all uses of funds [1]."""
        return float(self.outcome.gearing[0])

    @cached_property
    def cover(self) -> FloatArray:
        """Cash flow over debt service by operating year, (T,); NaN after the debt."""
        return self.outcome.cover()[:, 0]

    @cached_property
    def min_dscr(self) -> float:
        """Least cover ratio; NaN without debt."""
        return float(np.nanmin(self.cover)) if np.isfinite(self.cover).any() else np.nan

    @cached_property
    def avg_dscr(self) -> float:
        """Mean cover ratio; NaN without debt."""
        return float(np.nanmean(self.cover)) if np.isfinite(self.cover).any() else np.nan

    def _cover_of_life(self, years: int) -> float:
        if self.debt_usd <= 0:
            return np.nan
        discount = np.cumprod(1.0 / (1.0 + np.broadcast_to(self.terms.rate[:, :1], (len(self.cover), 1))))
        return float((self.outcome.cash_flow[:years, 0] * discount[:years]).sum() / self.debt_usd)

    @cached_property
    def llcr(self) -> float:
        """Loan life cover ratio when service begins; NaN without debt."""
        return self._cover_of_life(self.terms.repayment)

    @cached_property
    def plcr(self) -> float:
        """Project life cover ratio when service begins; NaN without debt."""
        return self._cover_of_life(len(self.cover))

    @cached_property
    def levelised_cost(self) -> float:
        """Real levelised cost, before tax, support and by-products [USD of the price year per unit]."""
        return levelised_cost(self.reading)

    def metrics(self) -> dict[str, float]:
        """Every result by name."""
        names = (
            "npv_usd", "irr", "mirr", "payback_years", "project_npv_usd", "project_irr", "debt_usd",
            "gearing", "min_dscr", "avg_dscr", "llcr", "plcr", "levelised_cost",
        )  # fmt: skip
        return {name: float(getattr(self, name)) for name in names}


@dataclass(frozen=True)
class CaseValue:
    """Both views of a case under one setting of policies."""

    loaded: LoadedCase
    setting: Setting
    sponsor: View
    lender: View

    @property
    def views(self) -> tuple[View, View]:
        """Sponsor and lender."""
        return self.sponsor, self.lender

    @cached_property
    def prices(self) -> CasePrices:
        """The prices at which equity earns its return, all searched for together."""
        return prices_of([(self.loaded, self.setting)])[0]

    @property
    def price_at_return(self) -> float:
        """Price at which the sponsor earns the required return [USD of the price year per unit]."""
        return self.prices.at_return

    @property
    def price_before_policy(self) -> float:
        """The same without any policy."""
        return self.prices.before_policy

    @property
    def lender_price_at_return(self) -> float:
        """Price at which equity earns its return in the lender's view."""
        return self.prices.lender

    @property
    def reference_price(self) -> float:
        """Price of the conventional product [USD per unit]; NaN where none is stated."""
        return float(self.loaded.values.get("reference.price", np.nan))

    @property
    def price_gap(self) -> float:
        """Price at return less the price of the conventional product."""
        return self.price_at_return - self.reference_price

    @property
    def price_gap_before_policy(self) -> float:
        """The same without any policy."""
        return self.price_before_policy - self.reference_price

    @property
    def abatement_cost(self) -> float:
        """Levelised cost above the conventional product per tonne avoided [USD/t CO2e].

        Captured CO2 replaces no product: its whole cost counts. NaN where the conventional
        product has no price, or nothing is avoided.
        """
        avoided = float(self.loaded.values.get("reference.emissions_avoided", 0.0))
        if avoided <= 0:
            return np.nan
        captured = self.loaded.case.production.product == CAPTURED
        reference = 0.0 if captured else self.reference_price
        return (self.sponsor.levelised_cost - reference) / avoided


@dataclass(frozen=True)
class CasePrices:
    """Prices at which equity earns its return [USD of the price year per unit]; NaN where none does.

    ``at_return`` is the sponsor's, ``before_policy`` the same without any policy, ``lender`` that of
    the lender's view.
    """

    at_return: float
    before_policy: float
    lender: float


def prices_of(cases: Sequence[tuple[LoadedCase, Setting]]) -> list[CasePrices]:
    """The prices of many cases with their settings, searched for together: that is faster, and the same."""
    questions = []
    for loaded, setting in cases:
        questions += [
            PriceQuestion(loaded, setting),
            PriceQuestion(loaded, setting, lender=True),
            PriceQuestion(loaded, replace(setting, answers=())),
        ]
    found = prices_at_return(questions)
    return [
        CasePrices(
            at_return, before if Reading(loaded, loaded.values, setting).policy_lines() else at_return, lender
        )
        for (loaded, setting), at_return, lender, before in zip(
            cases, found[::3], found[1::3], found[2::3], strict=True
        )
    ]


def value_case(loaded: LoadedCase, setting: Setting, values: Values | None = None) -> CaseValue:
    """Both views of a case.

    Parameters
    ----------
    loaded, setting
        The case, and the policies and tax law it meets.
    values
        Numbers in place of the central ones (single numbers).
    """
    numbers = values or loaded.values
    lender = view_of(Reading(loaded, numbers, setting, lender=True), LENDER)
    given = lender.outcome.service if loaded.case.debt.sized_on == "lender" else None
    sponsor = view_of(Reading(loaded, numbers, setting), SPONSOR, given)
    if given is None and loaded.case.debt.kind != "none":
        lender = view_of(Reading(loaded, numbers, setting, lender=True), LENDER, sponsor.outcome.service)
    return CaseValue(loaded, setting, sponsor, lender)


def view_of(reading: Reading, name: str, service: FloatArray | None = None) -> View:
    """Run one reading; ``service`` is that of a loan sized elsewhere."""
    lines, rules = reading.lines(), reading.rules()
    terms = reading.terms(service if reading.case.debt.kind != "none" else None)
    return View(name, reading, lines, terms, rules, run(lines, terms, rules))


def levelised_cost(reading: Reading) -> float:
    """Real levelised cost of one reading, before tax, support and by-products [USD/unit].

    The sum of :func:`levelised_parts`.
    """
    return float(sum(levelised_parts(reading).values()))


def levelised_parts(reading: Reading) -> dict[str, float]:
    """Real levelised cost by line: capital, renewals, then every input and running cost [USD/unit].

    Spending and running cost in money of the price year, over the product made, both discounted
    at the project's real rate to the start of service; NaN where nothing is made.
    """
    values = reading.values
    inflation = values("inflation")
    real = (1.0 + float(values("returns.project"))) / (1.0 + float(inflation)) - 1.0
    back = np.arange(-reading.rows + 1, 1, dtype=np.float64)[:, None]
    start = reading.inflation[0] / (1.0 + inflation)  # money of the day when service begins
    build = reading.spending / (start * (1.0 + inflation) ** back) * (1.0 + real) ** -back
    weight = (1.0 + real) ** -reading.year / reading.inflation
    output = float((reading.made * weight * reading.inflation).sum(axis=0)[0])
    if output <= 0:
        return {"capital": np.nan}
    parts = {"capital": float(build.sum(axis=0)[0])}
    if reading.case.capital.replacements:
        parts["renewals"] = float((reading.renewals * weight).sum(axis=0)[0])
    for name, line in reading.cost_lines().items():
        parts[name] = parts.get(name, 0.0) + float((line * weight).sum(axis=0)[0])
    return {name: part / output for name, part in parts.items()}
