"""Levelised cost, cost of ownership and net present value as sector pathway studies define them.

A decision in year t looks at L + 1 years, k = 0 .. L, with capital in k = 0 and no salvage value; costs
of years that the tables no longer hold stay at the last year's. Discounting runs over (1 + w)^-k, so a
life of L years is discounted with L + 1 terms: with w = 8 % and L = 30 they sum to 12.2578. Money is in
the tables' USD; costs and capital are per t of yearly capacity, so production is capacity x the capacity
factor. The conventions are those of the Mission Possible Partnership's shared solver.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def discount_sum(rate: float, lifetime: int) -> float:
    """Sum of (1 + rate)^-k over k = 0 .. lifetime.

    Parameters
    ----------
    rate
        Cost of capital [1], above -1.
    lifetime
        Years L after the first [yr], 0 or more.

    Raises
    ------
    ValueError
        For a rate of -1 or less or a negative lifetime.
    """
    return float(_discounts(rate, lifetime).sum())


def npv_of_costs(costs: ArrayLike, rate: float, lifetime: int) -> FloatArray:
    """Net present value, at each year of the table, of the costs from that year on.

    ``costs`` [USD/yr per unit] has years on the last axis; the result has the same shape. After the last
    year costs stay at its value.
    """
    by_year = np.asarray(costs, dtype=float)
    discounts = _discounts(rate, lifetime)
    years = by_year.shape[-1]
    held = np.concatenate([by_year, np.repeat(by_year[..., -1:], lifetime, axis=-1)], axis=-1)
    windows = np.lib.stride_tricks.sliding_window_view(held, lifetime + 1, axis=-1)
    return np.asarray(windows[..., :years, :] @ discounts, dtype=float)


def cost_of_ownership(total: ArrayLike, lifetime: int, capacity_factor: float) -> FloatArray:
    """Total NPV spread evenly over what the plant makes in its lifetime [USD/t]: not discounted below."""
    if lifetime <= 0 or capacity_factor <= 0:
        raise ValueError("a cost per tonne needs a lifetime and a capacity factor above zero")
    return np.asarray(total, dtype=float) / (lifetime * capacity_factor)


def levelised_cost(total: ArrayLike, rate: float, lifetime: int, capacity_factor: float) -> FloatArray:
    """Total NPV over the discounted production of k = 0 .. lifetime [USD/t]."""
    if capacity_factor <= 0:
        raise ValueError("a cost per tonne needs a capacity factor above zero")
    return np.asarray(total, dtype=float) / (capacity_factor * discount_sum(rate, lifetime))


def carbon_cost_path(years: ArrayLike, start_year: float, end_year: float, final: float) -> FloatArray:
    """Carbon cost by year [USD/t]: zero to ``start_year``, a line to ``final`` in ``end_year``, flat after.

    Where the line has no length the cost steps to ``final`` after ``start_year``.
    """
    if final < 0 or end_year < start_year:
        raise ValueError("a carbon cost cannot be negative, nor end before it starts")
    since = np.asarray(years, dtype=float) - start_year
    if end_year == start_year:
        return np.where(since > 0, final, 0.0)
    return np.asarray(final * np.clip(since / (end_year - start_year), 0.0, 1.0), dtype=float)


def carbon_cost_additions(
    emissions: ArrayLike, price: ArrayLike, rate: float, lifetime: int, capacity_factor: float
) -> tuple[FloatArray, FloatArray]:
    """What a carbon cost adds to the levelised cost and to the cost of ownership [USD/t].

    ``emissions`` [t/t] of the destination and ``price`` [USD/t] have years on the last axis. The NPV of
    their product is divided by capacity factor x discounted years, and by capacity factor x lifetime.
    """
    paid = npv_of_costs(np.asarray(emissions, dtype=float) * np.asarray(price, dtype=float), rate, lifetime)
    return (
        levelised_cost(paid, rate, lifetime, capacity_factor),
        cost_of_ownership(paid, lifetime, capacity_factor),
    )


def _discounts(rate: float, lifetime: int) -> FloatArray:
    if rate <= -1 or lifetime < 0:
        raise ValueError("the rate must be above -1 and the lifetime 0 or more")
    return np.asarray((1.0 + rate) ** -np.arange(lifetime + 1.0), dtype=float)
