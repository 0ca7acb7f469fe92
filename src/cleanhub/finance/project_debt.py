"""A project's price, debt and equity return in one tax book, on arrays of cases.

The reference kernel: nominal cash flows of a plant that sells one product, borrows against
its operating cash flow (sculpted debt with a gearing cap), pays tax on what remains and may
earn a yearly credit and an investment credit. Every input may be an array; cases run side by
side along the leading axes and time along the last.

Conventions, all stated because results depend on them:

- Operating year t runs from 1; operating cash is (price x volume - operating cost) grown by
  inflation to the power t. Credits are nominal and do not grow.
- Debt service is operating cash divided by the cover ratio over the tenor; debt is its present
  value at the loan rate, and is scaled down where it would pass the gearing cap.
- Interest during construction runs on the whole capital, at the loan rate and in the given
  spending pattern, up to the first operating year; it is added to the uses that the cap refers
  to. Equity pays its share of the capital in the same pattern.
- Tax books: capital (less half of the investment credit) under the given schedule, the debt's
  share of interest during construction straight over ``fee_years``. Losses are used at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

SPENDING = (0.2, 0.4, 0.4)
"""Share of the capital spent in each year of construction; the last ends at operating year 1."""
FEE_YEARS = 20


@dataclass(frozen=True)
class DebtTerms:
    """Loan: yearly rate, tenor [yr], cover ratio of operating cash to debt service, gearing cap."""

    rate: ArrayLike
    tenor: ArrayLike
    cover_ratio: ArrayLike
    gearing_cap: ArrayLike


@dataclass(frozen=True)
class ProjectFlows:
    """What a project comes to at one price; arrays of shape (...,) or (..., T).

    ``equity`` holds construction years first, then operating years; ``min_cover`` is NaN
    where there is no debt.
    """

    operating_cash: FloatArray
    debt: FloatArray
    gearing: FloatArray
    debt_service: FloatArray
    equity: FloatArray
    min_cover: FloatArray


@dataclass(frozen=True)
class Project:
    """One or many projects of the reference kernel.

    volume [units/yr], operating_cost [USD/yr of year 0], capital [USD], ``life`` [yr] is the
    number of operating years of all cases. ``depreciation`` holds the share of capital written
    off in each operating year, shape (T,). ``credit`` is USD per unit for ``credit_years``;
    ``investment_credit`` a share of capital, received in operating year 1.
    """

    volume: ArrayLike
    operating_cost: ArrayLike
    capital: ArrayLike
    life: int
    tax_rate: ArrayLike
    inflation: ArrayLike
    depreciation: FloatArray
    credit: ArrayLike = 0.0
    credit_years: ArrayLike = 0
    investment_credit: ArrayLike = 0.0
    spending: tuple[float, ...] = SPENDING
    fee_years: int = FEE_YEARS


def flows(project: Project, terms: DebtTerms, price: ArrayLike) -> ProjectFlows:
    """Debt and yearly flows of ``project`` when its product sells at ``price`` [USD/unit]."""
    year = np.arange(1, project.life + 1, dtype=np.float64)
    col = _column
    growth = (1.0 + col(project.inflation)) ** year
    cash = (col(price) * col(project.volume) - col(project.operating_cost)) * growth
    rate, capital = col(terms.rate), col(project.capital)
    in_tenor = year <= col(terms.tenor)
    service = np.where(in_tenor, np.maximum(cash, 0.0) / col(terms.cover_ratio), 0.0)
    wanted = (service * (1.0 + rate) ** -year).sum(axis=-1, keepdims=True)
    interest_factor = _construction_interest(rate, project.spending)
    uses = capital * (1.0 + interest_factor)
    debt = np.minimum(wanted, col(terms.gearing_cap) * uses)
    service = service * np.divide(debt, wanted, out=np.zeros_like(debt), where=wanted > 0)
    gearing = debt / uses
    balance = _balances(debt, service, rate, year)
    taxable = cash - rate * balance - _write_offs(project, capital, gearing * capital * interest_factor, year)
    credit = np.where(year <= col(project.credit_years), col(project.credit) * col(project.volume), 0.0)
    credit = credit + np.where(year == 1, col(project.investment_credit) * capital, 0.0)
    operating = cash - service - col(project.tax_rate) * taxable + credit
    building = -(1.0 - gearing) * capital * np.asarray(project.spending)
    shape = np.broadcast_shapes(operating.shape[:-1], building.shape[:-1])
    equity = np.concatenate(
        [
            np.broadcast_to(building, (*shape, len(project.spending))),
            np.broadcast_to(operating, (*shape, project.life)),
        ],
        axis=-1,
    )
    borrowed = service > 1e-12 * np.abs(cash)
    shape = np.broadcast_shapes(cash.shape, service.shape)
    cover = np.divide(cash, service, out=np.full(shape, np.inf), where=borrowed)
    lowest = cover.min(axis=-1)
    return ProjectFlows(
        operating_cash=cash,
        debt=debt[..., 0],
        gearing=gearing[..., 0],
        debt_service=service,
        equity=equity,
        min_cover=np.where(np.isfinite(lowest), lowest, np.nan),
    )


def net_present_value(flow: FloatArray, rate: ArrayLike) -> FloatArray:
    """Present value of yearly flows (first flow undiscounted) at ``rate``, along the last axis."""
    year = np.arange(flow.shape[-1], dtype=np.float64)
    return np.asarray((flow * (1.0 + _column(rate)) ** -year).sum(axis=-1), dtype=np.float64)


def price_at_return(
    project: Project, terms: DebtTerms, equity_return: ArrayLike, tolerance: float = 1e-12
) -> FloatArray:
    """Price at which equity earns ``equity_return``, to a relative ``tolerance``.

    The value of equity rises with the price (in pieces, where the gearing cap bites), so the
    root is bracketed by doubling and closed by bisection with secant steps inside the bracket.
    """

    def value(price: FloatArray) -> FloatArray:
        return net_present_value(flows(project, terms, price).equity, equity_return)

    shape = np.broadcast_shapes(*(np.shape(x) for x in _all_inputs(project, terms, equity_return)))
    low = np.zeros(shape)
    scale = np.asarray(project.operating_cost, float) + np.asarray(project.capital, float)
    high = np.broadcast_to(scale / np.asarray(project.volume, float), shape).copy() + 1e-9
    for _ in range(200):
        short = value(high) < 0
        if not short.any():
            break
        high = np.where(short, high * 2.0, high)
    below, above = value(low), value(high)
    for _ in range(200):
        with np.errstate(divide="ignore", invalid="ignore"):
            guess = low - below * (high - low) / (above - below)
        middle = 0.5 * (low + high)
        width = high - low
        inside = np.isfinite(guess) & (guess > low + 0.01 * width) & (guess < high - 0.01 * width)
        guess = np.where(inside, guess, middle)
        at = value(guess)
        low, below = np.where(at < 0, guess, low), np.where(at < 0, at, below)
        high, above = np.where(at < 0, high, guess), np.where(at < 0, above, at)
        if ((high - low) <= tolerance * np.abs(high)).all():
            break
    return np.asarray(0.5 * (low + high), dtype=np.float64)


def _all_inputs(project: Project, terms: DebtTerms, equity_return: ArrayLike) -> list[ArrayLike]:
    return [
        project.volume,
        project.operating_cost,
        project.capital,
        project.tax_rate,
        project.inflation,
        project.credit,
        project.credit_years,
        project.investment_credit,
        terms.rate,
        terms.tenor,
        terms.cover_ratio,
        terms.gearing_cap,
        equity_return,
    ]


def _column(value: ArrayLike) -> FloatArray:
    return np.asarray(value, dtype=np.float64)[..., None]


def _construction_interest(rate: FloatArray, spending: tuple[float, ...]) -> FloatArray:
    """Interest to the first operating year on each unit of capital, spent at the years' ends."""
    left = np.arange(len(spending) - 1, -1, -1, dtype=np.float64)
    interest = np.asarray(spending) * ((1.0 + rate) ** left - 1.0)
    return np.asarray(interest.sum(axis=-1, keepdims=True), dtype=np.float64)


def _balances(debt: FloatArray, service: FloatArray, rate: FloatArray, year: FloatArray) -> FloatArray:
    """Balance at the start of each operating year."""
    discounted = np.cumsum(service * (1.0 + rate) ** -year, axis=-1)
    paid = np.concatenate([np.zeros_like(discounted[..., :1]), discounted[..., :-1]], axis=-1)
    return np.asarray(np.maximum((debt - paid) * (1.0 + rate) ** (year - 1.0), 0.0), dtype=np.float64)


def _write_offs(
    project: Project, capital: FloatArray, capitalised_interest: FloatArray, year: FloatArray
) -> FloatArray:
    basis = capital * (1.0 - 0.5 * _column(project.investment_credit))
    fees = np.where(year <= project.fee_years, capitalised_interest / project.fee_years, 0.0)
    return np.asarray(basis * project.depreciation + fees, dtype=np.float64)
