"""Time value of money on arrays: capital recovery and levelised prices.

Cash flows fall at the end of each year; year 0 is the decision. All rates are real.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def annuity_factor(rate: float, years: ArrayLike) -> FloatArray:
    """Present value of 1 a year for ``years`` years [-]; ``years`` itself when the rate is 0."""
    count = np.asarray(years, dtype=np.float64)
    if rate == 0:
        return count.copy()
    return np.asarray(-np.expm1(-count * np.log1p(rate)) / rate, dtype=np.float64)


def capital_recovery_factor(rate: float, years: ArrayLike) -> FloatArray:
    """Yearly payment that recovers a capital of 1 over ``years`` [1/yr]; 1/years at rate 0."""
    return np.asarray(1.0 / annuity_factor(rate, years), dtype=np.float64)


def levelised_prices(prices: FloatArray, rate: float, years: NDArray[np.int64]) -> FloatArray:
    """Price that is worth the same as the path ahead, for each decision year.

    Parameters
    ----------
    prices
        Prices by year, shape (..., T).
    rate
        Real discount rate [1/yr].
    years
        Years of operation of each technology, shape (K,) [yr].

    Returns
    -------
    FloatArray
        Shape (K, ..., T): discounted mean of the prices in the ``years`` that follow the
        decision year. Beyond the last year the last price holds.
    """
    count = prices.shape[-1]
    longest = int(years.max(initial=1))
    tail = np.repeat(prices[..., -1:], longest, axis=-1)
    path = np.concatenate([prices, tail], axis=-1)
    out = np.empty((len(years), *prices.shape), dtype=np.float64)
    for life in np.unique(years):
        weights = (1.0 + rate) ** -np.arange(1, life + 1, dtype=np.float64)
        ahead = np.lib.stride_tricks.sliding_window_view(path, life, axis=-1)[..., 1 : count + 1, :]
        out[years == life] = ahead @ weights / float(annuity_factor(rate, life))
    return out
