"""Random project cases, as the array engine reads them and as the plain one does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from slow_engine import SlowCase, SlowLoan

from cleanhub.finance.engine import Lines, SoftTerms, Terms
from cleanhub.finance.tax_books import TaxRules, renewal_matrix, written_off

FloatArray = NDArray[np.float64]
# Half-year shares of three to fifteen years; any shares that add to 1 would do.
CLASSES = {
    3: [0.3333, 0.4445, 0.1481, 0.0741],
    5: [0.2, 0.32, 0.192, 0.1152, 0.1152, 0.0576],
    7: [0.1429, 0.2449, 0.1749, 0.1249, 0.0893, 0.0892, 0.0893, 0.0446],
    15: [0.05, 0.095, 0.0855, 0.077, 0.0693, 0.0623, 0.059, 0.059, 0.0591, 0.059, 0.0591,
         0.059, 0.0591, 0.059, 0.0591, 0.0295],
}  # fmt: skip


@dataclass
class Block:
    """Cases of one structure: arrays for the engine, lists for the plain one."""

    lines: Lines
    terms: Terms
    rules: TaxRules
    federal_class: list[float]
    state_class: list[float]

    @property
    def count(self) -> int:
        return self.lines.revenue.shape[1]

    def slow(self, case: int) -> SlowCase:
        """The ``case``-th case in plain lists."""

        def one(name: str) -> list[float]:
            return [float(x) for x in getattr(self.lines, name)[:, case]]

        def single(source: Any, name: str) -> float:
            return float(np.broadcast_to(getattr(source, name), (self.count,))[case])

        terms, rules, lines = self.terms, self.rules, self.lines
        rates = np.broadcast_to(terms.rate, lines.revenue.shape)
        given = terms.given_service
        yearly = ("spending", "grants", "revenue", "bankable", "cost", "renewal", "set_aside", "exempt")
        return SlowCase(
            **{name: one(name) for name in (*yearly, "exempt_bankable", "working_capital")},
            **{
                name: single(lines, name)
                for name in ("salvage", "taxed_grants", "basis_cut", "state_basis_cut")
            },
            tax_credit=None if lines.tax_credit is None else one("tax_credit"),
            kind=terms.kind,
            rates=[float(x) for x in rates[:, case]],
            **{
                name: single(terms, name)
                for name in (
                    "construction_rate", "cover_ratio", "gearing_cap", "fee", "refinance_fee",
                    "reserve_interest", "balance_fee",
                )
            },
            repayment=terms.repayment,
            refinanced=terms.refinanced,
            reserve_months=terms.reserve_months,
            after_tax=terms.after_tax,
            given_service=None
            if given is None
            else [float(x) for x in np.broadcast_to(given, lines.revenue.shape)[:, case]],
            soft=[
                SlowLoan(
                    float(np.broadcast_to(loan.amount, (self.count,))[case]),
                    float(np.broadcast_to(loan.rate, (self.count,))[case]),
                    loan.tenor,
                    loan.grace,
                )
                for loan in terms.soft
            ],
            federal_class=self.federal_class,
            state_class=self.state_class,
            renewal_class=self.federal_class,
            losses_at_once=rules.losses_at_once,
            **{
                name: single(rules, name)
                for name in ("federal_rate", "state_rate", "federal_loss_share", "state_loss_share")
            },
        )  # fmt: skip


def random_block(seed: int, count: int = 12, **fixed: Any) -> Block:
    """A structure drawn at random with ``count`` cases in it.

    ``fixed`` overrules what is drawn: ``kind``, ``after_tax``, ``construction`` (years),
    ``life``, ``soft`` (number of loans), ``given`` (whether service is given), ``losses_at_once``.
    """
    random = np.random.default_rng(seed)

    def pick(name: str, *choices: Any) -> Any:
        drawn = choices[int(random.integers(len(choices)))]
        return fixed.get(name, drawn)

    life = pick("life", *range(6, 31))
    construction = pick("construction", 1, 2, 3, 4, 5)
    kind = pick("kind", "sculpted", "sculpted", "sculpted", "level", "none")
    tenor = int(random.integers(3, life + 1))
    mini = kind == "sculpted" and pick("mini", False, False, True)
    lines = _lines(random, life, construction, count, pick)
    given = pick("given", False, False, True) and kind != "none"
    rates = np.broadcast_to(random.uniform(0.0, 0.12, count), (life, count)).copy()
    refinanced = 0
    if mini and tenor > 2:
        refinanced = tenor // 2
        rates[refinanced:] += 0.01
    service = np.maximum(random.uniform(-0.2, 1.0, (life, count)), 0.0) * lines.bankable[:1] * 0.4
    service[tenor:] = 0.0
    spent = lines.spending.sum(axis=0)
    soft = tuple(
        SoftTerms(
            random.uniform(0.0, 0.12, count) * spent,
            random.uniform(0.0, 0.05, count),
            years := int(random.integers(2, life + 1)),
            int(random.integers(0, years)),
        )
        for _ in range(pick("soft", 0, 0, 1, 2))
    )
    after_tax = pick("after_tax", True, True, False)
    terms = Terms(
        kind=kind,
        rate=rates,
        construction_rate=rates[0] * random.uniform(0.8, 1.2),
        repayment=0 if kind == "none" else tenor,
        cover_ratio=random.uniform(1.1, 2.5, count),
        gearing_cap=random.uniform(0.3, 1.0, count) if kind != "none" else 0.0,
        fee=random.uniform(0.0, 0.04, count) * pick("fee", 0, 1, 1),
        refinanced=refinanced,
        refinance_fee=random.uniform(0.0, 0.02),
        reserve_months=float(pick("reserve", 0.0, 6.0, 12.0)),
        reserve_interest=random.uniform(0.0, 0.04),
        balance_fee=pick("balance_fee", 0.0, random.uniform(0.0, 0.01, count)),
        after_tax=after_tax,
        given_service=service if given else None,
        soft=soft,
    )
    federal, state = (CLASSES[int(random.choice(list(CLASSES)))] for _ in range(2))
    rules = TaxRules(
        federal_rate=random.uniform(0.1, 0.35, count),
        state_rate=random.uniform(0.0, 0.12, count),
        federal_schedule=written_off(np.array(federal), life),
        state_schedule=written_off(np.array(state), life),
        renewal_schedule=renewal_matrix(np.array(federal), life),
        losses_at_once=pick("losses_at_once", False, False, True),
        federal_loss_share=float(random.choice([1.0, 0.8])),
        state_loss_share=float(random.choice([1.0, 0.5])),
    )
    return Block(lines, terms, rules, federal, state)


def _lines(random: np.random.Generator, life: int, construction: int, count: int, pick: Any) -> Lines:
    """Money of the day of a plant that costs 20 to 60 M USD; some of them lose money."""
    year = np.arange(1, life + 1)[:, None]
    capital = random.uniform(2e7, 6e7, count)
    shares = random.uniform(0.1, 1.0, construction)
    spending = (shares / shares.sum())[:, None] * capital
    growth = (1.0 + random.uniform(-0.01, 0.04, count)) ** year
    revenue = capital * random.uniform(0.08, 0.35, count) * growth * random.uniform(0.8, 1.1, (life, count))
    revenue[0] *= 0.5
    cost = capital * random.uniform(0.02, 0.1, count) * growth
    renewal, set_aside = np.zeros((life, count)), np.zeros((life, count))
    if life > 8 and pick("renewals", False, True):
        renewal[5] = 0.15 * capital
        set_aside[3:6] = 0.05 * capital
    exempt = np.where(year <= 8, capital * random.uniform(0.0, 0.05, count), 0.0)
    working = revenue * 30.0 / 365.0
    working[-1] = 0.0
    grants = random.uniform(0.0, 0.2, count) * spending * pick("grants", 0, 1)
    credit = np.where(year <= 5, capital * random.uniform(0.0, 0.04, count), 0.0)
    return Lines(
        spending=spending,
        revenue=revenue,
        bankable=revenue * random.uniform(0.6, 1.0, count),
        cost=cost,
        renewal=renewal,
        set_aside=set_aside,
        exempt=exempt,
        exempt_bankable=exempt * pick("bankable", 0.0, 1.0),
        working_capital=working * pick("working", 0.0, 1.0),
        grants=grants,
        salvage=capital * random.uniform(0.0, 0.1, count),
        tax_credit=credit if pick("credit", False, True) else None,
        taxed_grants=grants.sum(axis=0) * 0.5,
        basis_cut=grants.sum(axis=0) * 0.5,
        state_basis_cut=grants.sum(axis=0) * 0.4,
    )
