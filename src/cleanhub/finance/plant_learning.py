"""What later plants cost: learning of a whole plant, or of each of its components from its own start.

Learning already holds what experience teaches, so no cause may lower the cost of a component
twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cleanhub.core.errors import FaultList

FloatArray = NDArray[np.float64]


def learning_exponent(learning_rate: ArrayLike) -> FloatArray:
    """Exponent ``b = -log2(1 - learning_rate)`` of a learning curve [1].

    The learning rate is the share by which cost falls with each doubling, from 0 to below 1;
    ``ValueError`` outside.
    """
    rate = _array(learning_rate)
    if np.any(~((rate >= 0) & (rate < 1))):
        raise ValueError(f"a learning rate lies from 0 to below 1: {rate.tolist()}")
    return np.asarray(np.abs(np.log2(1.0 - rate)), dtype=np.float64)


def learning_curve(first_cost: ArrayLike, learning_rate: ArrayLike, unit: ArrayLike) -> FloatArray:
    """Cost of the ``unit``-th plant, ``C(n) = C1 n^-b`` [unit of ``first_cost``].

    ``unit`` is a count of plants (or cumulative capacity over that of the first), above 0.
    Arguments broadcast. Costs often rise over the first few units before they fall: take
    ``first_cost`` from a finished plant, not from an early estimate.
    """
    count = _array(unit)
    if np.any(~(count > 0)):
        raise ValueError(f"the number of a unit must be above 0: {count.tolist()}")
    return np.asarray(_array(first_cost) * count ** -learning_exponent(learning_rate), dtype=np.float64)


def hybrid_cost(
    costs: ArrayLike, learning_rates: ArrayLike, first_units: ArrayLike, units: ArrayLike
) -> FloatArray:
    """Cost of a later plant whose components learn each at their own rate from their own start.

    ``sum over i of c_i (N_i / N0_i)^-b_i``: a new component starts at its first unit, one in
    wide use at the many there are, so that it hardly learns.

    Parameters
    ----------
    costs
        Cost of each component in the first plant [money], shape (..., I).
    learning_rates
        Learning rate of each component [1], shape (..., I).
    first_units, units
        Units in the world when the first and when the later plant is built, above 0,
        shape (..., I).

    Returns
    -------
    FloatArray
        Shape (...): money, summed over components.

    References
    ----------
    Rubin (2019), Improving cost estimates for advanced low-carbon power plants (the hybrid
    of bottom-up first-of-a-kind cost and learning).
    """
    start, now = _array(first_units), _array(units)
    if np.any(~(start > 0)):
        raise ValueError(f"the number of a unit must be above 0: {start.tolist()}")
    return np.asarray(learning_curve(costs, learning_rates, now / start).sum(axis=-1), dtype=np.float64)


@dataclass(frozen=True)
class Component:
    """A part of a plant on its way from the first to a later plant.

    ``cost`` is its bare erected cost in the first plant [money]; ``first_unit`` and ``unit``
    count units in the world; ``contingency`` and ``later_contingency`` are its process
    contingency in both plants [1]; the causes say in a word why cost and contingency fall.
    """

    name: str
    cost: float
    learning_rate: float = 0.0
    first_unit: float = 1.0
    unit: float = 1.0
    contingency: float = 0.0
    later_contingency: float | None = None
    learning_cause: str = "experience"
    contingency_cause: str = "experience"


def check_counted_once(components: Sequence[Component], faults: FaultList, where: str = "capital") -> None:
    """Add a fault for each component whose cost falls twice for one cause.

    Learning already holds what experience teaches. Where a component learns *and* its process
    contingency falls, the two must have different causes.
    """
    for one in components:
        learns = one.learning_rate > 0 and one.unit > one.first_unit
        freed = one.later_contingency is not None and one.later_contingency < one.contingency
        if learns and freed and one.learning_cause == one.contingency_cause:
            faults.add(
                where,
                None,
                one.name,
                what="cost falls twice for one cause: by learning and by removed contingency",
                found=one.learning_cause,
                allowed="one of the two, or another cause for each",
            )


def later_plant_cost(components: Sequence[Component], where: str = "capital") -> float:
    """Bare erected cost with process contingency of a later plant [money].

    Raises :class:`~cleanhub.core.errors.InputError` listing every component that counts one
    cause twice; see :func:`check_counted_once`.
    """
    faults = FaultList()
    check_counted_once(components, faults, where)
    faults.raise_if_any("capital of a later plant")
    kept = np.array(
        [one.contingency if one.later_contingency is None else one.later_contingency for one in components]
    )
    return float(
        hybrid_cost(
            np.array([one.cost for one in components]) * (1.0 + kept),
            np.array([one.learning_rate for one in components]),
            np.array([one.first_unit for one in components]),
            np.array([one.unit for one in components]),
        )
    )


def _array(value: ArrayLike) -> FloatArray:
    return np.asarray(value, dtype=np.float64)
