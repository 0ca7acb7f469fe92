"""How owners decide: the decision rule and its numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """How owners decide; the fields are those of ``decision`` in a scenario.

    ``name`` is least_cost, mpp, lowest_emissions or optimal; ``discount_rate`` real [1/yr];
    ``horizon`` years of running cost that owners of plants look ahead to; ``spread`` of plant
    owners' choices and ``vehicle_spread`` of vehicle buyers' as a share of the cheapest cost;
    ``reinvest_early``: a change is weighed every year, not only when equipment falls due;
    ``cost_weight``, ``emission_weight`` and ``cost_band`` (width of the bands in which costs
    count as equal, as a share of the cheapest) are those of rule mpp; ``seed`` of every draw.
    """

    name: str = "least_cost"
    discount_rate: float = 0.08
    horizon: int = 20
    spread: float = 0.0
    vehicle_spread: float = 0.1
    reinvest_early: bool = False
    cost_weight: float = 1.0
    emission_weight: float = 0.0
    cost_band: float = 0.05
    seed: int = 0
