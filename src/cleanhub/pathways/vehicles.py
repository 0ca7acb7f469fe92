"""Vehicle cohorts: stock by powertrain and age, survival, and what buyers choose.

Each cohort class starts as the survivors of constant past sales of its incumbent. Every
year survivors age, drive less with age, and purchases fill the distance that is missing.
Buyers choose by total cost of ownership with a spread (a logit over the relative cost);
where a scenario enforces a zero-emission sales share, the shares are lifted to it.
Tonnes are scaled so that the base year equals the class's share of the inventory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.units import factor
from cleanhub.finance.ownership import total_cost_of_ownership
from cleanhub.finance.technologies import Technologies
from cleanhub.finance.technology_costs import UnitCosts
from cleanhub.hub.inventory import History, branch_drivers
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.series import Drivers, confidence_ranks, confidence_words
from cleanhub.pathways.rule import Rule

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
AGES = 80
SUPPLY_BOUND = "_most"
"""A driver named as that of the sales rule with this ending is the most that can be supplied."""


@dataclass(frozen=True)
class Chargers:
    """What chargers let a class do: see :mod:`cleanhub.pathways.charging`.

    ``needs`` (P,) says which options must be charged, ``most`` (T,) how much activity can be;
    ``cost`` (P, T) is paid at the plug beyond the technology's own costs in each year and
    ``ahead`` (P, T) the same levelised over the life of a new vehicle [USD per unit of activity].
    """

    needs: NDArray[np.bool_]
    most: FloatArray
    cost: FloatArray
    ahead: FloatArray


@dataclass
class VehicleClass:
    """One cohort class: its options, stock by option and age, and results by year.

    ``options`` are technologies, the incumbent first (P,); ``stock`` has shape (P, AGES)
    [vehicles]; ``vehicles``, ``bought``, ``distance`` and ``tco`` shape (P, T); ``running`` the
    levelised running cost of a new vehicle per unit of activity (P, T), ``yearly_activity``
    what the mean vehicle does in a year; ``scale`` turns direct emissions into inventory
    tonnes; ``region`` is the position of its region; ``sales_cap`` the most that options without
    direct emissions can be of the purchases (T,), where makers set a bound; ``chargers`` what
    charging allows and costs, where freight has found it.
    """

    asset_id: str
    inventory_sector: str
    sector: str
    region: int
    options: IntArray
    stock: FloatArray
    keep: FloatArray
    mileage: FloatArray
    demand: FloatArray
    sales_floor: FloatArray
    running: FloatArray
    vehicle_credit: FloatArray
    yearly_activity: float
    tco: FloatArray
    scale: float
    vehicles: FloatArray
    bought: FloatArray
    distance: FloatArray
    confidence: NDArray[np.object_]
    zero_share: FloatArray
    sales_cap: FloatArray | None = None
    chargers: Chargers | None = None


def build_vehicles(
    hub: Hub,
    scenario: Scenario,
    tech: Technologies,
    costs: Sequence[UnitCosts],
    drivers: Drivers,
    switches: NDArray[np.bool_],
    history: History,
    regions: tuple[str, ...] = ("",),
) -> list[VehicleClass]:
    """Every cohort class that has a technology, vehicles and an activity.

    ``costs`` are those of each of ``regions``; ``switches`` says which technology may become
    which, shape (K, K).
    """
    cohorts = history.cohorts
    base = cohorts[cohorts["year"] == hub.base_year].set_index("asset_id")["co2e_t"]
    driver_of = branch_drivers(hub)
    classes = []
    for _, row in hub.tables["cohorts"].sort_values("asset_id").iterrows():
        own = tech.find(str(row["technology"])) if row["technology"] else -1
        if own < 0 or not (row["vehicles"] > 0 and row["activity"] > 0):
            continue
        tonnes = float(base.get(row["asset_id"], 0.0))
        if tonnes <= 0 < tech.direct[own]:
            continue
        driver = driver_of.get((row["inventory_sector"], row["sector"]), "")
        region = regions.index(str(row["region"])) if str(row["region"]) in regions else 0
        offered = switches[own] & costs[region].priced
        options = np.array([own, *(k for k in np.flatnonzero(offered) if k != own)])
        local = drivers.for_region(regions[region])
        cls = _build(row, tonnes, driver, options, hub, scenario, tech, costs[region], local)
        classes.append(replace(cls, region=region))
    return classes


def _build(
    row: pd.Series,
    tonnes: float,
    driver: str,
    options: IntArray,
    hub: Hub,
    scenario: Scenario,
    tech: Technologies,
    costs: UnitCosts,
    drivers: Drivers,
) -> VehicleClass:
    unit = str(tech.unit[options[0]])
    activity = float(row["activity"]) * factor(str(row["activity_unit"]), f"{unit}/yr")
    vehicles = float(row["vehicles"])
    keep, survivors = _survival(row)
    decline = float(row["mileage_decline"]) if pd.notna(row["mileage_decline"]) else 0.0
    relative = (1.0 - decline) ** np.arange(AGES)
    ages = survivors / survivors.sum() * vehicles
    mileage = np.asarray(relative * activity / float((ages * relative).sum()), dtype=np.float64)
    stock = np.zeros((len(options), AGES))
    stock[0] = ages
    count = len(drivers.years)
    index = drivers.index(driver, hub.base_year)
    floor = np.zeros(count)
    floor_driver = str(row["zero_emission_sales_driver"])
    if scenario.zero_emission_sales and floor_driver and drivers.has(floor_driver):
        floor = np.clip(drivers.series(floor_driver, "1").values, 0.0, 1.0)
    most, cap = f"{floor_driver}{SUPPLY_BOUND}", None
    if floor_driver and drivers.has(most):
        cap = np.clip(drivers.series(most, "1").values, floor, 1.0)
    own = confidence_ranks(np.array([row["confidence"]], dtype=object))
    confidence = confidence_words(np.maximum(confidence_ranks(index.confidence), own))
    return VehicleClass(
        asset_id=str(row["asset_id"]),
        inventory_sector=str(row["inventory_sector"]),
        sector=str(row["sector"]),
        region=0,
        options=options,
        stock=stock,
        keep=keep,
        mileage=mileage,
        demand=activity * index.values,
        sales_floor=floor,
        running=costs.running[options],
        vehicle_credit=costs.vehicle_credit[options],
        yearly_activity=activity / vehicles,
        tco=np.zeros((len(options), count)),
        scale=tonnes / burnt if (burnt := activity * float(tech.direct[options[0]])) > 0 else 1.0,
        vehicles=np.zeros((len(options), count)),
        bought=np.zeros((len(options), count)),
        distance=np.zeros((len(options), count)),
        confidence=confidence,
        zero_share=np.zeros(count),
        sales_cap=cap,
    )


def _survival(row: pd.Series) -> tuple[FloatArray, FloatArray]:
    """Yearly survival ratio by age, and the surviving share by age, both shape (AGES,)."""
    median = float(row["survival_median"]) if pd.notna(row["survival_median"]) else 15.0
    shape = float(row["survival_shape"]) if pd.notna(row["survival_shape"]) else 3.0
    age = np.arange(AGES + 1, dtype=np.float64)
    share = 0.5 ** ((age / median) ** shape)
    keep = np.divide(share[1:], share[:-1], out=np.zeros(AGES), where=share[:-1] > 1e-12)
    return keep, share[:-1]


def step_vehicles(
    cls: VehicleClass,
    t: int,
    year: int,
    base_year: int,
    first_choice_year: int,
    rule: Rule,
    tech: Technologies,
    multiplier: FloatArray | None = None,
) -> None:
    """Move one class from the year before to ``year`` (position ``t``), in place.

    In and before the base year the stock stands as built. Before ``first_choice_year``
    all purchases are the incumbent. ``multiplier`` of the capital of each technology (K,)
    comes from learning.
    """
    bought = np.zeros(len(cls.options))
    times = np.ones(len(tech.names)) if multiplier is None else multiplier
    running = cls.running[:, t] + (cls.chargers.ahead[:, t] if cls.chargers else 0.0)
    cls.tco[:, t] = total_cost_of_ownership(
        tech, cls.options, running, cls.vehicle_credit[:, t], cls.yearly_activity, times
    )
    if year > base_year:
        aged = np.zeros_like(cls.stock)
        aged[:, 1:] = (cls.stock * cls.keep)[:, :-1]
        can = (aged * cls.mileage).sum(axis=1)
        missing = max(float(cls.demand[t]) - float(can.sum()), 0.0)
        shares = _shares(cls, t, year, rule, tech, _charged_share(cls, t, can, missing))
        if year < first_choice_year:
            shares = np.zeros(len(cls.options))
            shares[0] = 1.0
        bought = shares * missing / float(cls.mileage[0])
        aged[:, 0] = bought
        cls.stock = aged
        cls.zero_share[t] = float(shares[tech.direct[cls.options] <= 0].sum())
    driven = (cls.stock * cls.mileage).sum(axis=1)
    total = float(driven.sum())
    use = min(float(cls.demand[t]) / total, 1.0) if total > 0 else 0.0
    cls.vehicles[:, t] = cls.stock.sum(axis=1)
    cls.bought[:, t] = bought
    cls.distance[:, t] = driven * use


def _charged_share(cls: VehicleClass, t: int, can: FloatArray, missing: float) -> float:
    """The most that options which must be charged can be of the purchases of a year.

    ``can`` (P,) is the activity that the vehicles at hand are good for, ``missing`` what new ones bring.
    """
    if cls.chargers is None or missing <= 0:
        return float("inf")
    room = float(cls.chargers.most[t]) - float(can[cls.chargers.needs].sum())
    return max(room, 0.0) / missing


def _shares(
    cls: VehicleClass, t: int, year: int, rule: Rule, tech: Technologies, charged: float
) -> FloatArray:
    """Purchase shares of the options in a year, shape (P,), at most ``charged`` at chargers.

    They sum to 1, but for a class that can buy nothing else than what has no charger.
    """
    ready = tech.earliest[cls.options] <= year
    ready[0] = True
    if len(tech.latest) and bool((sold := ready & (tech.latest[cls.options] >= year)).any()):
        ready = sold
    cost = np.where(ready, cls.tco[:, t], np.inf)
    direct = tech.direct[cls.options]
    if rule.name == "lowest_emissions":
        least = direct[ready].min()
        cost = np.where(ready & (direct <= least), cost, np.inf)
    shares = _spread(cost, rule.vehicle_spread)
    zero = direct <= 0
    floor = float(cls.sales_floor[t])
    have = float(shares[zero].sum())
    if have < floor and bool((ready & zero).any()):
        inside = _spread(np.where(zero & ready, cost, np.inf), rule.vehicle_spread)
        others = np.where(zero, 0.0, shares)
        left = float(others.sum())
        shares = inside * floor + (others / left * (1.0 - floor) if left > 0 else 0.0)
        shares = shares / float(shares.sum())
    if cls.sales_cap is not None and bool((ready & ~zero).any()):
        shares = _capped(shares, zero, ready, float(cls.sales_cap[t]), cost)
    if cls.chargers is not None:
        shares = _capped(shares, cls.chargers.needs, ready, charged, cost)
    return shares


def _capped(
    shares: FloatArray, mine: NDArray[np.bool_], ready: NDArray[np.bool_], cap: float, cost: FloatArray
) -> FloatArray:
    """Shares (P,) with those of ``mine`` cut to ``cap`` together; the others that are ready fill up."""
    have = float(shares[mine].sum())
    if have <= cap:
        return shares
    cut = np.where(mine, shares * cap / have, 0.0)
    others = np.where(mine, 0.0, shares)
    if others.sum() <= 0 and bool((ready & ~mine).any()):
        others = _spread(np.where(ready & ~mine, np.nan_to_num(cost, posinf=1e30), np.inf), 0.0)
    left = float(others.sum())
    return cut + (others / left * (1.0 - cap) if left > 0 else 0.0)


def _spread(cost: FloatArray, spread: float) -> FloatArray:
    best = float(cost.min())
    if spread <= 0 or best <= 0:
        one = np.zeros(len(cost))
        one[int(cost.argmin())] = 1.0
        return one
    weight = np.exp(-(cost / best - 1.0) / spread)
    return np.asarray(weight / float(weight.sum()), dtype=np.float64)
