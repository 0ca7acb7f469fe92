"""Total cost of ownership of vehicles per unit of distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleanhub.finance.technologies import Technologies, UnitCosts

FloatArray = NDArray[np.float64]


def total_cost_of_ownership(tech: Technologies, costs: UnitCosts, yearly_distance: float) -> FloatArray:
    """Levelised cost of owning and driving a new vehicle.

    Parameters
    ----------
    tech, costs
        Technologies (K) and their unit costs (K, T).
    yearly_distance
        Mean yearly distance of a vehicle in the product unit of the technologies.

    Returns
    -------
    FloatArray
        Shape (K, T) [USD per unit of distance]: capital less purchase credits, recovered
        over the vehicle's life, plus running cost. Never below the running cost.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        recovery = np.where(tech.capex > 0, tech.capital_charge / tech.capex, 0.0)
    paid = np.maximum(tech.capex[:, None] - costs.vehicle_credit, 0.0)
    yearly = paid * recovery[:, None] + tech.fixed[:, None]
    return np.asarray(costs.running + yearly / yearly_distance, dtype=np.float64)
