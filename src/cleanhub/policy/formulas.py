"""Closed forms that laws and standards prescribe, as pure functions on arrays.

Rates, limits and benchmarks are arguments: they stand in the library's policy tables, never
here. Which policy applies to whom, and when, is decided elsewhere in this room.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
GRAMS_PER_TONNE = 1e6


def lcfs_credits(
    benchmark: ArrayLike,
    carbon_intensity: ArrayLike,
    energy_density: ArrayLike,
    efficiency_ratio: ArrayLike,
    quantity: ArrayLike,
) -> FloatArray:
    """Credits of California's Low Carbon Fuel Standard; deficits are negative [t CO2e].

    ``(benchmark - carbon_intensity / efficiency_ratio) x energy_density x efficiency_ratio
    x quantity / 1e6``. A fuel of carbon intensity ``benchmark x efficiency_ratio`` earns
    nothing and owes nothing.

    Parameters
    ----------
    benchmark
        Carbon intensity the standard asks of the fuel replaced in that year [g CO2e/MJ].
    carbon_intensity
        Certified carbon intensity of the fuel, may be negative [g CO2e/MJ].
    energy_density
        Energy of one unit of the fuel [MJ per unit].
    efficiency_ratio
        Energy economy ratio: energy of the fuel replaced that one unit of energy of this
        fuel does the work of, above 0 [1].
    quantity
        Fuel used, in the unit of ``energy_density``.

    Returns
    -------
    FloatArray
        The arguments' common (broadcast) shape [t CO2e].

    Raises
    ------
    ValueError
        If an efficiency ratio is not above 0.

    References
    ----------
    17 CCR 95486.1(a), California Air Resources Board.
    """
    ratio = _array(efficiency_ratio)
    if np.any(ratio <= 0):
        raise ValueError("an energy economy ratio must be above 0")
    difference = _array(benchmark) - _array(carbon_intensity) / ratio
    credit = difference * _array(energy_density) * ratio * _array(quantity) / GRAMS_PER_TONNE
    return np.asarray(credit, dtype=np.float64)


def tier_rate(value: ArrayLike, tier_from: ArrayLike, rates: ArrayLike) -> FloatArray:
    """Rate of the tier that each value lies in; lower bounds belong to their tier.

    Parameters
    ----------
    value
        What the tiers are told apart by, any shape.
    tier_from
        Lower bounds of the tiers, rising, the first ``-inf``; shape (N,), in the unit of
        ``value``.
    rates
        Rate of each tier, shape (N,).

    Returns
    -------
    FloatArray
        Shape of ``value``; NaN where ``value`` is NaN.

    Raises
    ------
    ValueError
        If the bounds do not rise, do not begin with ``-inf``, or are not as many as the rates.
    """
    bounds, paid, where = _array(tier_from), _array(rates), _array(value)
    if bounds.ndim != 1 or bounds.shape != paid.shape or not bounds.size:
        raise ValueError(f"one rate for each tier: {bounds.shape} bounds, {paid.shape} rates")
    if bounds[0] != -np.inf or not np.all(bounds[1:] > bounds[:-1]):
        raise ValueError(f"tiers must rise from -inf: {bounds.tolist()}")
    found = paid[np.clip(np.searchsorted(bounds, where, side="right") - 1, 0, None)]
    return np.where(np.isnan(where), np.nan, found)


def declining_rate(emission_rate: ArrayLike, reference: ArrayLike, maximum: ArrayLike) -> FloatArray:
    """Credit that falls in a straight line from its maximum to nothing at a reference rate.

    ``maximum x clip((reference - max(emission_rate, 0)) / reference, 0, 1)``: an emission
    rate below 0 counts as 0, one above the reference pays nothing.

    Parameters
    ----------
    emission_rate
        Life-cycle emission rate of the fuel, in the unit of ``reference``
        (45Z: [kg CO2e/mmBtu]).
    reference
        Emission rate at which the credit ends, above 0.
    maximum
        Credit at an emission rate of 0 [USD per unit].

    Returns
    -------
    FloatArray
        The arguments' common shape [USD per unit].

    Raises
    ------
    ValueError
        If a reference is not above 0.

    References
    ----------
    26 USC 45Z(a) and (b), clean fuel production credit.
    """
    end = _array(reference)
    if np.any(end <= 0):
        raise ValueError("the reference emission rate must be above 0")
    factor = np.clip((end - np.maximum(_array(emission_rate), 0.0)) / end, 0.0, 1.0)
    return np.asarray(_array(maximum) * factor, dtype=np.float64)


def free_allocation(
    output: ArrayLike, benchmark: ArrayLike, adjustment: ArrayLike, cap_factor: ArrayLike
) -> FloatArray:
    """Allowances a plant is given for what it makes, whatever it emits [t CO2e].

    ``output x benchmark x adjustment x cap_factor``. Since emissions are not in it, a plant
    that captures CO2 keeps its allocation while its obligation falls.

    Parameters
    ----------
    output
        Product made in the year [t].
    benchmark
        Allowances per unit of product [t CO2e/t].
    adjustment
        Industry assistance factor [1].
    cap_factor
        Cap adjustment factor of the year [1].

    Returns
    -------
    FloatArray
        The arguments' common shape [t CO2e].

    References
    ----------
    17 CCR 95891, product output-based allocation, California Air Resources Board.
    """
    given = _array(output) * _array(benchmark) * _array(adjustment) * _array(cap_factor)
    return np.asarray(given, dtype=np.float64)


def combined_tax_rate(federal: ArrayLike, state: ArrayLike) -> FloatArray:
    """Rate of both income taxes where state tax is deducted from federal income [1].

    ``federal + state x (1 - federal)``, with both rates as shares, any shapes that broadcast.

    References
    ----------
    26 USC 164(a): state income taxes are deductible.
    """
    us = _array(federal)
    return np.asarray(us + _array(state) * (1.0 - us), dtype=np.float64)


def _array(value: ArrayLike) -> FloatArray:
    return np.asarray(value, dtype=np.float64)
