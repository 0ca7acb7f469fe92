"""What credits are worth whose amounts a policy sets: real value by technology and year.

The pathways ask as a buyer would: a plant decided in a year begins construction on 1 January of
it and is in service ``lead_time`` years later; fuel is used, and vehicles are bought, on 1 January
of the year. The policy room answers in nominal dollars by operating year; here they are turned
into dollars of the scenario's price year per unit of what the credit is paid for. A credit that
is sold is worth what it is sold for. The lag between earning and cash, at most a year, is left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.core.units import factor
from cleanhub.finance.annuity import annuity_factor
from cleanhub.hub.credits import FILE, CreditFact, credit_facts, no_quantity, paid_quantity
from cleanhub.hub.series import Drivers
from cleanhub.policy.applicant import Applicant, Fact
from cleanhub.policy.apply import answer_of
from cleanhub.policy.book import Policy, PolicyBook, load_book
from cleanhub.policy.lookup import Index

FloatArray = NDArray[np.float64]
CODE_TESTS = ("technology_in", "product_in", "product_not_in", "sector_in")


@dataclass(frozen=True)
class Takers:
    """Technologies that a credit may go to, shape (K,) each.

    ``paid`` counts the operating years that an owner may be paid for [yr]; ``unit`` is the unit
    that the credit's amount is counted in (``t``, ``MWh``, ``vehicle``).
    """

    eligible: NDArray[np.bool_]
    technology: NDArray[np.object_]
    sector: NDArray[np.object_]
    product: NDArray[np.object_]
    unit: NDArray[np.object_]
    paid: NDArray[np.int64]


@dataclass(frozen=True)
class _Question:
    """One credit's policy as it is asked: without end of payment, which the taker's years set."""

    policy: Policy
    quantity: str
    facts: tuple[CreditFact, ...]
    line: int


@dataclass(frozen=True)
class _Seen:
    """What of a technology its policy can see: a code that the policy never names is left empty."""

    sector: str
    technology: str
    product: str


class PolicyCredits:
    """The ``policies`` behind a scenario's credits, asked for the years of ``drivers``.

    Each policy is asked alone; which credits exclude each other tells :meth:`exclude`. Raises
    :class:`~cleanhub.core.errors.InputError` when the hub's policy files have faults.
    """

    def __init__(self, drivers: Drivers, policies: Collection[str]) -> None:
        self.drivers = drivers
        self.years = drivers.years
        scenario, hub = drivers.scenario, drivers.hub
        self.book: PolicyBook = load_book(hub.library, hub, scenario, only=policies)
        self.index = Index(self.book.price_index, self.book.settings["inflation"])
        self.rate = scenario.decision.discount_rate
        self.price_level = float(self.index.level(np.array([scenario.price_year]))[0])
        self.places = frozenset(hub.jurisdictions)

    def years_paid(self, policy: str) -> int | None:
        """Operating years that a policy pays; ``None`` where it has no end."""
        return self.book.policy(policy).years_paid

    def exclude(self, policy: str, other: str) -> bool:
        """Whether two policies cannot be had together."""
        return any(one.other == other for one in self.book.policy(policy).exclusions)

    def for_plants(self, row: pd.Series, line: int, takers: Takers, lead_time: int) -> FloatArray:
        """Value of one unit a year for plants that start in each year, levelised over the years paid.

        Parameters
        ----------
        row, line
            The credit's row of ``credits.csv`` and its line in the file.
        takers
            Technologies that it may go to.
        lead_time
            Years from the decision, when construction begins, to the start [yr].

        Returns
        -------
        FloatArray
            Shape (K, T) [USD of the price year per unit]: times the annuity factor over
            ``takers.paid`` it is the present value, at the start, of what is paid; 0 where the
            answer is no.
        """
        question = self._question(row, line)
        out = np.zeros((len(takers.paid), len(self.years)))
        for mine, like, paid in self._alike(question, takers):
            nominal, transfer = self._rates(question, like, self.years - lead_time, paid)
            weights = (1.0 + self.rate) ** -np.arange(1, paid + 1, dtype=np.float64)
            operating = self.years[:, None] + np.arange(paid)
            real = nominal * transfer * self._deflated(operating)
            level = real @ weights / float(annuity_factor(self.rate, paid))
            out[mine] = level * self._in_units(question, takers, mine)[:, None]
        return out

    def by_year(self, row: pd.Series, line: int, takers: Takers) -> FloatArray:
        """Value of one unit used, or one vehicle bought, in each year, shape (K, T).

        As :meth:`for_plants` with neither lead time nor years ahead [USD of the price year per unit].
        """
        question = self._question(row, line)
        out = np.zeros((len(takers.paid), len(self.years)))
        once = replace(takers, paid=np.ones_like(takers.paid))
        for mine, like, _ in self._alike(question, once):
            nominal, transfer = self._rates(question, like, self.years, 1)
            value = nominal[:, 0] * transfer * self._deflated(self.years)
            out[mine] = value * self._in_units(question, takers, mine)[:, None]
        return out

    # ------------------------------------------------------------ the question

    def _question(self, row: pd.Series, line: int) -> _Question:
        """What the row asks its policy; raises ``InputError`` when that cannot be told."""
        faults = FaultList()
        policy = self.book.policy(str(row["policy"]))
        facts = credit_facts(str(row["facts"]), line, self.drivers.hub.library, faults)
        quantity = paid_quantity(facts, policy.quantity)
        if not faults.faults and not quantity:
            no_quantity(line, policy.policy, policy.quantity, faults)
        faults.raise_if_any(f"credit {row['credit']}")
        return _Question(replace(policy, years_paid=None), quantity, facts, line)

    def _in_units(self, question: _Question, takers: Takers, mine: NDArray[np.int64]) -> FloatArray:
        """From the policy's unit of quantity to each taker's unit, shape of ``mine``."""
        faults = FaultList()
        counted = self.book.unit(question.quantity)
        scale = np.zeros(len(mine))
        for k, unit in enumerate(takers.unit[mine]):
            try:
                scale[k] = factor(f"USD/({counted})", f"USD/({unit})")
            except ValueError:
                faults.add(
                    FILE,
                    question.line,
                    "basis",
                    what=f"{question.policy.policy} pays for {question.quantity} [{counted}], "
                    f"{takers.technology[mine[k]]} counts in another unit",
                    found=unit,
                    allowed="another basis, or a sector or technologies that fit",
                )
        faults.raise_if_any("credits")
        return scale

    def _alike(self, question: _Question, takers: Takers) -> list[tuple[NDArray[np.int64], _Seen, int]]:
        """Eligible technologies grouped by what the policy can tell apart, with years paid."""
        words = _words_asked(question.policy)
        groups: dict[tuple[_Seen, int], list[int]] = {}
        for k in np.flatnonzero(takers.eligible):
            codes = (takers.sector[k], takers.technology[k], takers.product[k])
            seen = _Seen(*(str(code) if code in words else "" for code in codes))
            groups.setdefault((seen, int(takers.paid[k])), []).append(int(k))
        return [(np.array(mine), seen, paid) for (seen, paid), mine in groups.items()]

    # ------------------------------------------------------------ the answers

    def _rates(
        self, question: _Question, like: _Seen, decided: NDArray[np.int64], paid: int
    ) -> tuple[FloatArray, float]:
        """Nominal rate in each of the ``paid`` operating years by starting year, and the transfer price.

        The rate has the shape (T, paid) [USD per unit of the quantity]. Years between which no
        date of the policy falls, and whose facts are the same, are asked together.
        """
        facts = self._facts_by_year(question)
        begins = [dt.date(int(year), 1, 1) for year in decided]
        service = [dt.date(int(year), 1, 1) for year in self.years]
        limits = _dates_asked(question.policy)
        keys = [
            _side(limits, b, s) + tuple(f.items()) for b, s, f in zip(begins, service, facts, strict=True)
        ]
        rates = np.zeros((len(self.years), paid))
        transfer = 1.0
        for _, span in groupby(range(len(self.years)), key=lambda t: keys[t]):
            where = list(span)
            first, last = where[0], where[-1]
            years = np.arange(self.years[first], self.years[last] + paid, dtype=np.int64)
            answer = answer_of(
                self.book,
                question.policy,
                Applicant(
                    name="credit",
                    jurisdictions=self.places,
                    construction_begins=begins[first],
                    in_service=service[first],
                    years=years,
                    quantities=_amounts(question, len(years)),
                    facts=facts[first],
                    sector=like.sector,
                    technology=like.technology,
                    product=like.product,
                ),
                self.index,
            )
            if answer.answer != "no":
                rates[where] = np.lib.stride_tricks.sliding_window_view(answer.rate, paid)
                transfer = answer.transfer_price
        return rates, transfer

    def _facts_by_year(self, question: _Question) -> list[dict[str, Fact]]:
        """The facts in each year: those that a driver moves are as stated in the as_of year."""
        base = self.drivers.scenario.as_of.year
        moved = {
            fact.name: float(fact.value) * self.drivers.index(fact.driver, base).values
            for fact in question.facts
            if fact.driver and isinstance(fact.value, float)
        }
        fixed: dict[str, Fact] = {f.name: f.value for f in question.facts if not f.is_quantity}
        return [
            {**fixed, **{name: float(values[t]) for name, values in moved.items()}}
            for t in range(len(self.years))
        ]

    def _deflated(self, years: NDArray[np.int64]) -> FloatArray:
        """Dollars of the price year for one of each year, the shape of ``years``."""
        flat = self.index.level(years.ravel()).reshape(years.shape)
        return np.asarray(self.price_level / flat, dtype=np.float64)


def _amounts(question: _Question, size: int) -> dict[str, FloatArray]:
    """The yearly amount that the facts state, else one unit: rates are per unit."""
    stated = [float(f.value) for f in question.facts if f.is_quantity and isinstance(f.value, float)]
    return {question.quantity: np.full(size, stated[0] if stated else 1.0)}


def _words_asked(policy: Policy) -> frozenset[str]:
    """Every word by which the policy can tell one applicant from another."""
    words: set[str] = set()
    for tags in (*(v.tags for v in policy.values), *(c.applies_to for c in policy.conditions)):
        words |= {tag.removeprefix("!") for tag in tags}
    for condition in policy.conditions:
        if condition.test in CODE_TESTS:
            words |= set(condition.value.split(";"))
    return frozenset(words)


def _dates_asked(policy: Policy) -> list[dt.date]:
    """Every date that a day of construction or of service is compared with."""
    found: list[Any] = [condition.date for condition in policy.conditions]
    found += [value.in_service_from for value in policy.values]
    return sorted({day for day in found if day is not None})


def _side(limits: Sequence[dt.date], *days: dt.date) -> tuple[Any, ...]:
    """On which side of every limit the days lie."""
    return tuple((day < limit, day <= limit) for limit in limits for day in days)
