"""What a unit costs when it is made by a new plant, by a changed one, or by a new vehicle.

Costs are those of a decision in each year: levelised running cost over the owners' horizon,
with capital as learning has left it. :func:`with_policy` takes credits off and adds the carbon
price; :func:`without_policy` does neither.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.finance.annuity import levelised_prices
from cleanhub.finance.ownership import total_cost_of_ownership
from cleanhub.pathways.learning import after_learning
from cleanhub.pathways.problem import Problem
from cleanhub.pathways.vehicles import VehicleClass

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Running:
    """Levelised running cost (G, K, T) [USD per unit] and what a buyer is paid once (G, K, T) [USD]."""

    cost: FloatArray
    vehicle_credit: FloatArray


def with_policy(problem: Problem) -> Running:
    """Running cost as owners see it."""
    return Running(problem.costs.running, problem.costs.vehicle_credit)


def without_policy(problem: Problem) -> Running:
    """Running cost without carbon price and without any credit."""
    tech, costs, rule = problem.tech, problem.costs, problem.rule
    life = np.where(tech.is_vehicle, np.maximum(tech.lifetime, 1), rule.horizon).astype(np.int64)
    ahead = np.moveaxis(levelised_prices(costs.carbon_price, rule.discount_rate, life), 0, 1)
    bare = costs.running + costs.credits - tech.direct[None, :, None] * ahead
    return Running(np.asarray(bare, dtype=np.float64), np.zeros_like(costs.vehicle_credit))


@dataclass(frozen=True)
class PlantCosts:
    """Cost per unit by technology and year, (K, T) [USD per unit].

    ``new`` of a new plant, ``added`` of what a change adds to its base, ``running`` without capital.
    """

    new: FloatArray
    added: FloatArray
    running: FloatArray


def plant_costs(
    problem: Problem, running: Running, multiplier: FloatArray, region: int, load: float
) -> PlantCosts:
    """Cost of plants of a ``region`` that run at ``load`` of their capacity.

    ``multiplier`` is the share of today's capital that learning leaves, (K, T).
    """
    tech, ahead = problem.tech, running.cost[region]
    added = tech.capital_charge_added[:, None] * multiplier
    charge = after_learning(tech.capital_charge[:, None], tech.capital_charge_added[:, None], multiplier)
    return PlantCosts(ahead + charge / load, ahead + added / load, ahead)


def vehicle_costs(
    problem: Problem, running: Running, multiplier: FloatArray, cls: VehicleClass
) -> FloatArray:
    """Total cost of ownership of a new vehicle of each option of a class, (P, T) [USD per unit]."""
    ahead = running.cost[cls.region, cls.options] + (cls.chargers.ahead if cls.chargers else 0.0)
    credit = running.vehicle_credit[cls.region, cls.options]
    by_year = [
        total_cost_of_ownership(
            problem.tech, cls.options, ahead[:, t], credit[:, t], cls.yearly_activity, multiplier[:, t]
        )
        for t in range(len(problem.years))
    ]
    return np.column_stack(by_year)
