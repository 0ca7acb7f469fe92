"""Learning: the capital of technologies falls as the components they share are deployed.

Wright's law, cost = (x / x0) ** -b with b = -log2(1 - learning rate), on the cumulative
deployment x of each component: what the world deploys outside of the hub, and what the
hub's own path has deployed so far. A battery in a truck so makes the one in a ship cheaper.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleanhub.core.units import factor
from cleanhub.finance.technologies import Technologies
from cleanhub.hub.library import Library
from cleanhub.hub.scenario import Scenario
from cleanhub.pathways.problem import Learning

FloatArray = NDArray[np.float64]


def learning_exponent(rate: FloatArray) -> FloatArray:
    """Exponent b of cost = x ** -b for a fall by ``rate`` with each doubling, same shape."""
    return np.asarray(-np.log2(1.0 - np.asarray(rate, dtype=np.float64)), dtype=np.float64)


def capital_multiplier(learning: Learning, deployed: FloatArray, t: int) -> FloatArray:
    """Share of today's capital that each technology costs in year position ``t``, shape (K,).

    ``deployed`` is the hub's own cumulative deployment up to the year before, (B,).
    """
    now = learning.world[:, t] + deployed
    ratio = np.divide(now, learning.base, out=np.ones_like(now), where=learning.base > 0)
    cost = np.maximum(np.maximum(ratio, 1e-9) ** -learning.exponent, learning.least)
    return np.asarray(1.0 - learning.share.sum(axis=1) + learning.share @ cost, dtype=np.float64)


def after_learning(whole: FloatArray, added: FloatArray, multiplier: FloatArray) -> FloatArray:
    """Capital, or its yearly charge, once what a technology adds to its base has been learnt.

    ``whole`` and ``added`` per unit of capacity, ``multiplier`` the share of today's cost that is left
    of ``added``; all of one shape, or shapes that broadcast.
    """
    return np.asarray(whole - added * (1.0 - multiplier), dtype=np.float64)


def build_learning(
    library: Library, scenario: Scenario, tech: Technologies, years: NDArray[np.int64], is_world: bool
) -> Learning:
    """The library's components over ``years``.

    Capital stands at the deployment of each component's base year, so that in earlier years it
    is dearer. In a hub that ``is_world`` the deployment inside the seven sectors is the path's own,
    from what stood in its first year on; in any other the library's figures hold for it.
    """
    components = library.tables["components"]
    names = components["component"].to_numpy(object)
    position = {name: b for b, name in enumerate(names)}
    end = scenario.learning
    rate = components[end].fillna(components["value"]).to_numpy(float)
    units = components["unit"].to_numpy(object)
    world = np.zeros((len(names), len(years)))
    base = np.zeros(len(names))
    base_year = components["base_year"].to_numpy(float)
    deployment = library.tables["component_deployment"].sort_values("year")
    for (component, part), rows in deployment.groupby(["component", "part"], sort=True):
        b = position[component]
        scale = np.array([factor(str(unit), str(units[b])) for unit in rows["unit"]])
        at, total = rows["year"].to_numpy(float), rows["value"].to_numpy(float) * scale
        amount = np.interp(years, at, total)
        base[b] += float(np.interp(base_year[b], at, total))
        world[b] += np.full(len(years), amount[0]) if part == "inside" and is_world else amount
    share = np.zeros((len(tech.names), len(names)))
    amount_of = np.zeros_like(share)
    table = library.tables["technology_components"]
    columns = (table[name] for name in ("technology", "component", "capex_share", "amount", "unit"))
    for technology, component, part_of_capital, number, unit in zip(*columns, strict=True):
        k, b = tech.find(technology), position[component]
        share[k, b] = part_of_capital
        amount_of[k, b] = number * factor(*_amount_units(unit, str(units[b]), k, tech))
    return Learning(
        names=names,
        share=share,
        amount=amount_of,
        exponent=learning_exponent(rate),
        least=components["least_cost_share"].to_numpy(float),
        world=world,
        base=base,
    )


def _amount_units(unit: str, component: str, k: int, tech: Technologies) -> tuple[str, str]:
    per = "vehicle" if tech.is_vehicle[k] else f"(({tech.unit[k]})/yr)"
    return unit, f"({component})/{per}"
