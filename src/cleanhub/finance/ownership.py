"""Total cost of ownership of vehicles, vessels and aircraft per unit of activity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleanhub.finance.technologies import Technologies

FloatArray = NDArray[np.float64]


def total_cost_of_ownership(
    tech: Technologies,
    options: NDArray[np.int64],
    running: FloatArray,
    vehicle_credit: FloatArray,
    yearly_activity: float,
    multiplier: FloatArray,
) -> FloatArray:
    """Levelised cost of owning and using a new vehicle, in one year.

    Parameters
    ----------
    tech
        Technologies (K); capital and fixed cost are per vehicle.
    options
        The technologies compared, shape (P,).
    running
        Their levelised running cost per unit of activity, shape (P,) [USD].
    vehicle_credit
        What is paid once at the purchase, shape (P,) [USD].
    yearly_activity
        Mean yearly activity of a vehicle in the product unit of the technologies.
    multiplier
        Share of today's capital that a technology costs, shape (K,).

    Returns
    -------
    FloatArray
        Shape (P,) [USD per unit of activity]: capital less purchase credits, recovered
        over the vehicle's life, plus running cost. Never below the running cost.
    """
    capex = tech.capex[options]
    charge = tech.capital_charge[options]
    recovery = np.divide(charge, capex, out=np.zeros_like(charge), where=capex > 0)
    paid = np.maximum(capex * multiplier[options] - vehicle_credit, 0.0)
    yearly = paid * recovery + tech.fixed[options]
    return np.asarray(running + yearly / yearly_activity, dtype=np.float64)
