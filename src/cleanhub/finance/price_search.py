"""The flat real price of all product at which equity earns its required return.

Prices are tried side by side and the interval around the root is cut until a straight line in
it is enough. Debt is sized anew at every price, with the product sold under contract. Many
questions, of one case or of many, are answered together: each step of every search goes
through the engine at once.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cleanhub.finance.beside import Run, run_beside
from cleanhub.finance.build import Reading, Setting
from cleanhub.finance.cases import LoadedCase
from cleanhub.finance.figures import Values
from cleanhub.finance.returns import present_value

FloatArray = NDArray[np.float64]
_PRICES = 33
_ROUNDS = 12


@dataclass(frozen=True)
class PriceQuestion:
    """At which price does equity earn ``target`` (the case's own required return if none is given)?

    ``lender`` asks in the lender's view; ``values`` stand in place of the central numbers.
    """

    loaded: LoadedCase
    setting: Setting
    target: float | None = None
    lender: bool = False
    values: Values | None = None


def price_at_return(
    loaded: LoadedCase,
    setting: Setting,
    target: float | None = None,
    lender: bool = False,
    values: Values | None = None,
) -> float:
    """The answer to one :class:`PriceQuestion` [USD of the price year per unit]; NaN where no price is."""
    return prices_at_return([PriceQuestion(loaded, setting, target, lender, values)])[0]


def prices_at_return(questions: Sequence[PriceQuestion]) -> list[float]:
    """The price that answers each question [USD of the price year per unit]; NaN where no price is."""
    asked = [_Asked(question) for question in questions]
    searches = [_search(one.sides[-1].scale) for one in asked]
    found = [np.nan] * len(asked)
    prices = {number: next(search) for number, search in enumerate(searches)}
    while prices:
        worth = _worth([(asked[number], price) for number, price in prices.items()])
        following: dict[int, FloatArray] = {}
        for number, mine in zip(prices, worth, strict=True):
            try:
                following[number] = searches[number].send(mine)
            except StopIteration as end:
                found[number] = end.value
        prices = following
    return found


def _search(scale: float) -> Generator[FloatArray, FloatArray, float]:
    """Yields prices to try, is sent what equity is worth at each, returns the price where that is nothing."""
    reach = max(scale, 1e-12) * 4.0 ** np.arange(_PRICES // 2)
    prices = np.concatenate([-reach[::-1], [0.0], reach])
    enough = (yield prices) >= 0
    if not enough.any() or enough[0]:
        return np.nan
    at = int(np.argmax(enough))
    lowest, highest = float(prices[at - 1]), float(prices[at])
    prices = np.linspace(lowest, highest, _PRICES)
    guess = np.nan
    for _ in range(_ROUNDS):
        worth = yield prices
        at = max(int(np.argmax(worth >= 0)), 1)
        if worth[at] < 0 or worth[at - 1] >= 0:  # the close look missed the root: look at all of it again
            prices = np.linspace(lowest, highest, _PRICES)
            continue
        lowest, highest = prices[at - 1], prices[at]
        guess = float(lowest - worth[at - 1] * (highest - lowest) / (worth[at] - worth[at - 1]))
        if highest - lowest <= 1e-6 * max(abs(highest), 1e-9):  # value is all but linear in there
            return guess
        near = 0.05 * (highest - lowest)
        prices = np.clip(guess + np.linspace(-near, near, _PRICES), lowest, highest)
    return guess


class _Asked:
    """The readings of a question: the lender's comes first and may size the debt of the sponsor's."""

    def __init__(self, question: PriceQuestion) -> None:
        numbers = question.values or question.loaded.values
        given = question.target
        self.rate = float(numbers("returns.equity")) if given is None else given
        self.lender_sizes = question.loaded.case.debt.sized_on == "lender"
        readings = [Reading(question.loaded, numbers, question.setting, lender=True, count=_PRICES)]
        if not question.lender:
            readings.append(Reading(question.loaded, numbers, question.setting, count=_PRICES))
        self.sides = [_Priced(reading) for reading in readings]


class _Priced:
    """Lines of a reading as they move with one flat real price of all product."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        lines = reading.lines()
        sales = [
            (line, bound)
            for (name, (line, bound)) in reading.sales_lines().items()
            if reading.case.revenue[name].quantity == "product"
        ]
        own = sum((line for line, _ in sales), np.zeros_like(lines.revenue))
        merchant = reading.case.lender.merchant_share if reading.lender else 1.0
        counted = sum(
            (line if bound else line * merchant for line, bound in sales), np.zeros_like(lines.revenue)
        )
        self.base = replace(lines, revenue=lines.revenue - own, bankable=lines.bankable - counted)
        self.per_price = reading.made * reading.inflation
        self.rules = reading.rules()
        self.days = reading.case.working_capital.receivable_days / 365.0
        self.own = own
        capital = float(reading.spending.sum(axis=0)[0]) + float(lines.cost.sum(axis=0)[0])
        self.scale = capital / max(float(reading.made.sum(axis=0)[0]), 1e-300)

    def at(self, price: FloatArray, service: FloatArray | None = None) -> Run:
        """What the engine is given at each of N prices; ``service`` is that of a loan sized elsewhere."""
        sales = self.per_price * price
        working = self.base.working_capital + (sales - self.own) * self.days
        working[-1] = 0.0
        lines = replace(
            self.base,
            revenue=self.base.revenue + sales,
            bankable=self.base.bankable + sales,
            working_capital=working,
        )
        none = self.reading.case.debt.kind == "none"
        return Run(lines, self.reading.terms(None if none else service), self.rules)


def _worth(asked: Sequence[tuple[_Asked, FloatArray]]) -> list[FloatArray]:
    """Value of equity at the prices of each question [USD]."""
    sizing = [
        (number, one.sides[0].at(price))
        for number, (one, price) in enumerate(asked)
        if len(one.sides) == 1 or one.lender_sizes
    ]
    ran = run_beside([one for _, one in sizing])
    flows = {number: equity for (number, _), (equity, _) in zip(sizing, ran, strict=True)}
    service = {number: served for (number, _), (_, served) in zip(sizing, ran, strict=True)}
    owners = [
        (number, one.sides[1].at(price, service.get(number)))
        for number, (one, price) in enumerate(asked)
        if len(one.sides) == 2
    ]
    ran = run_beside([one for _, one in owners])
    flows.update({number: equity for (number, _), (equity, _) in zip(owners, ran, strict=True)})
    return [present_value(flows[number], one.rate) for number, (one, _) in enumerate(asked)]
