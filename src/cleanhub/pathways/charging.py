"""What chargers let a class of vehicles do, and what charging costs it.

Freight finds how much of a class's activity can be charged in each year and what a unit of
electricity costs at the plug, chargers and grid included. :func:`with_charging` puts both
into a :class:`~cleanhub.pathways.problem.Problem`: purchases of vehicles that need a charger
stop where the chargers do, and those bought pay the price at the plug.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cleanhub.finance.annuity import levelised_prices
from cleanhub.pathways.problem import Limit, Problem
from cleanhub.pathways.vehicles import Chargers, VehicleClass

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Charging:
    """Bounds and price of charging for one class of vehicles.

    ``most`` (T,) is the activity that can be charged in each year [unit of activity per year],
    infinite where nothing bounds it; ``price`` (T,) what a unit of ``carrier`` costs at the plug,
    everything included [USD per unit of the carrier], NaN where the driver's price holds.
    ``counted`` is, by technology, what its own variable cost holds for chargers already [USD per
    unit of activity]; it is taken off where ``price`` is given.
    """

    asset_id: str
    carrier: str
    most: FloatArray
    price: FloatArray
    counted: Mapping[str, float] = field(default_factory=dict)


def with_charging(problem: Problem, charging: Sequence[Charging]) -> Problem:
    """``problem`` with the chargers of each class named; the others stay as they are.

    The bound stands as a hard limit too, so that it is accounted for and the optimum keeps it.
    Raises ``KeyError`` for a class that does not exist.
    """
    vehicles, limits = list(problem.vehicles), list(problem.limits)
    position = {cls.asset_id: v for v, cls in enumerate(vehicles)}
    for one in charging:
        v = position[one.asset_id]
        vehicles[v] = replace(vehicles[v], chargers=chargers_of(problem, vehicles[v], one))
        limits.append(_limit(problem, v, one))
    return replace(problem, vehicles=vehicles, limits=limits)


def charged_options(problem: Problem, cls: VehicleClass, carrier: str) -> NDArray[np.bool_]:
    """Options of a class that use ``carrier``, (P,); none where no technology knows the carrier."""
    carriers = list(problem.tech.carriers)
    if carrier not in carriers:
        return np.zeros(len(cls.options), dtype=bool)
    return np.asarray(problem.tech.inputs[cls.options, carriers.index(carrier)] > 0)


def chargers_of(problem: Problem, cls: VehicleClass, charging: Charging) -> Chargers:
    """The chargers of ``cls`` in the arrays that the year loop uses."""
    tech = problem.tech
    needs = charged_options(problem, cls, charging.carrier)
    extra = np.zeros((len(cls.options), len(problem.years)))
    if needs.any():
        c = list(tech.carriers).index(charging.carrier)
        known = problem.costs.prices[cls.region, cls.options, c]
        counted = np.array([charging.counted.get(str(tech.names[k]), 0.0) for k in cls.options])
        dearer = tech.inputs[cls.options, c][:, None] * (charging.price - known) - counted[:, None]
        extra = np.where(needs[:, None] & np.isfinite(charging.price), dearer, 0.0)
    life = np.maximum(tech.lifetime[cls.options], 1).astype(np.int64)
    rate = problem.rule.discount_rate
    ahead = np.stack([levelised_prices(extra[p], rate, life[p : p + 1])[0] for p in range(len(life))])
    return Chargers(needs, charging.most, extra, ahead)


def _limit(problem: Problem, v: int, charging: Charging) -> Limit:
    cls = problem.vehicles[v]
    needs = charged_options(problem, cls, charging.carrier)
    weight = np.zeros(len(problem.tech.names))
    weight[cls.options[needs]] = 1.0
    cohorts = np.arange(len(problem.vehicles)) == v
    return Limit(
        name=f"charging_{charging.asset_id}",
        quantity="production",
        unit=f"{problem.tech.unit[cls.options[0]]}/yr",
        value=np.where(np.isfinite(charging.most), charging.most, np.nan),
        weight=weight,
        markets=np.zeros(len(problem.markets.name), dtype=bool),
        cohorts=cohorts,
    )
