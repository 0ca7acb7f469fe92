"""What a stream of yearly flows is worth: present value, internal rates of return, payback.

Flows run along the FIRST axis (time), cases along the second: shape (T, N). The first flow is
not discounted. An internal rate of return need not exist nor be the only one:
:func:`internal_rate_of_return` takes the lowest rate at which value turns from gain to loss,
:func:`all_rates_of_return` gives every one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

LOWEST, HIGHEST = -0.95, 20.0
NOTHING = 1e-200
"""Share of the largest flow below which one is none: its polynomial could not be divided by it."""
_GRID = np.array(
    [LOWEST, -0.7, -0.4, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, HIGHEST]
)


def present_value(flows: FloatArray, rate: ArrayLike) -> FloatArray:
    """Present value at ``rate`` of flows of shape (T, N), by Horner's scheme; shape (N,)."""
    factor = 1.0 / (1.0 + np.asarray(rate, dtype=np.float64))
    total = np.array(np.broadcast_to(flows[-1], np.broadcast_shapes(flows[-1].shape, factor.shape)))
    for flow in flows[-2::-1]:
        total *= factor
        total += flow
    return total


def internal_rate_of_return(flows: FloatArray, tolerance: float = 1e-12) -> FloatArray:
    """Lowest rate at which present value turns from positive to negative; NaN where there is none.

    Shape (N,). Cases with one change of sign are closed by Newton steps kept inside a bracket;
    the others are bracketed on a grid of rates from -95 % to 2,000 % first.
    """
    flows = np.asarray(flows, dtype=np.float64)
    count = flows.shape[1]
    low, high = np.full(count, LOWEST), np.full(count, HIGHEST)
    signs = np.sign(flows)
    seen = np.zeros(count)
    changes = np.zeros(count, dtype=np.int64)
    for row in signs:
        changes += (row != 0) & (seen != 0) & (row != seen)
        seen = np.where(row != 0, row, seen)
    several = changes > 1
    exists = changes > 0
    if several.any():
        low[several], high[several], exists[several] = _first_bracket(flows[:, several])
    simple = exists & ~several
    if simple.any():
        ends = present_value(flows[:, simple], LOWEST), present_value(flows[:, simple], HIGHEST)
        exists[simple] = (ends[0] > 0) & (ends[1] < 0)
    return np.where(exists, _closed(flows, low, high, exists, tolerance), np.nan)


def _first_bracket(flows: FloatArray) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    values = np.stack([present_value(flows, rate) for rate in _GRID])
    turns = (values[:-1] >= 0) & (values[1:] < 0)
    first = turns.argmax(axis=0)
    found: NDArray[np.bool_] = np.asarray(turns.any(axis=0))
    return _GRID[first], _GRID[first + 1], found


def _closed(
    flows: FloatArray, low: FloatArray, high: FloatArray, wanted: NDArray[np.bool_], tolerance: float
) -> FloatArray:
    """Root in [low, high] by Newton in the discount factor, with bisection where that leaves the bracket.

    Works on v = 1 / (1 + rate), where the value is a polynomial. A case that is closed (or not
    ``wanted``) is not moved again, so no rate depends on the cases beside it.
    """
    below, above = 1.0 / (1.0 + high), 1.0 / (1.0 + low)  # value is negative at `below`, positive at `above`
    guess = np.clip(1.0 / 1.1, below, above)
    closed = ~wanted
    for _ in range(100):
        value = flows[-1].copy()
        slope = np.zeros_like(guess)
        for flow in flows[-2::-1]:
            slope *= guess
            slope += value
            value *= guess
            value += flow
        positive = value > 0
        above = np.where(positive, guess, above)
        below = np.where(positive, below, guess)
        with np.errstate(divide="ignore", invalid="ignore"):
            following = guess - value / slope
        inside = (following > below) & (following < above)
        following = np.where(inside, following, 0.5 * (below + above))
        following = np.where(closed | (value == 0), guess, following)
        closed |= np.abs(following - guess) <= tolerance * guess
        guess = following
        if closed.all():
            break
    rate: FloatArray = 1.0 / guess - 1.0
    return rate


def all_rates_of_return(flow: FloatArray) -> list[float]:
    """Every internal rate of return above -95 % of ONE stream of flows, shape (T,), in rising order.

    The real roots of the polynomial in 1 / (1 + rate), each checked by its present value. None where a
    flow is not finite.
    """
    flow = np.asarray(flow, dtype=np.float64)
    if not np.isfinite(flow).all():
        return []
    largest = np.abs(flow).max(initial=0.0)
    nonzero = np.flatnonzero(np.abs(flow) > NOTHING * largest)
    if len(nonzero) < 2:
        return []
    flow = np.ldexp(flow, -np.frexp(largest)[1])  # by a power of 2: exact, and no sum overflows
    trimmed = flow[nonzero[0] : nonzero[-1] + 1]
    roots = np.roots(trimmed[::-1])
    factors = roots[np.abs(roots.imag) < 1e-7 * np.maximum(np.abs(roots.real), 1.0)].real
    rates = sorted(1.0 / factor - 1.0 for factor in factors if factor > 1.0 / (1.0 + HIGHEST))
    found: list[float] = []
    for rate in rates:
        # far below 0 late years weigh without bound: judged against the flows as they weigh at that rate
        worth, weight = present_value(np.stack([trimmed, np.abs(trimmed)], axis=1), rate)
        if rate < LOWEST or abs(worth) > 1e-6 * weight:
            continue
        if not found or rate - found[-1] > 1e-7:
            found.append(float(rate))
    return found


def modified_rate_of_return(
    flows: FloatArray, finance_rate: ArrayLike, reinvest_rate: ArrayLike
) -> FloatArray:
    """Modified internal rate of return: outflows at ``finance_rate``, inflows at ``reinvest_rate``; (N,).

    NaN where there is no outflow or no inflow.
    """
    years = flows.shape[0] - 1
    paid = -present_value(np.minimum(flows, 0.0), finance_rate)
    earned = present_value(np.maximum(flows, 0.0), reinvest_rate) * (1.0 + np.asarray(reinvest_rate)) ** years
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((paid > 0) & (earned > 0), (earned / paid) ** (1.0 / years) - 1.0, np.nan)


def payback_year(flows: FloatArray) -> FloatArray:
    """Years from the first flow until the running sum turns positive for good; NaN where it never does.

    Counted within the year, as if its flow came evenly. Shape (N,).
    """
    running = np.cumsum(flows, axis=0)
    negative = running < 0
    last = negative.shape[0] - 1 - negative[::-1].argmax(axis=0)
    never, always = negative[-1], ~negative.any(axis=0)
    following = np.minimum(last + 1, flows.shape[0] - 1)
    column = np.arange(flows.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        part = -running[last, column] / flows[following, column]
    return np.where(always, 0.0, np.where(never, np.nan, last + part))
