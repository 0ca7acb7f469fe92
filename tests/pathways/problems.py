"""Small problems built by hand, for tests of the year loop and of the optimum alike.

:func:`build_problem` takes technologies, markets, plants, vehicles and limits by name and gives
back a :class:`~cleanhub.pathways.problem.Problem` whose costs follow from the prices given: yearly
cost = fixed + variable + inputs at prices + direct emissions at the carbon price + captured CO2 at
the storage price; running cost = the same at levelised prices, less credits. A figure by year
may be one number or one for each year, and prices may also differ by region, (G, T).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cleanhub.finance.annuity import capital_recovery_factor, levelised_prices
from cleanhub.finance.technologies import Technologies
from cleanhub.pathways.problem import (
    KINDS,
    NEVER,
    Costs,
    Learning,
    Limit,
    Markets,
    Plants,
    Problem,
    Rule,
)
from cleanhub.pathways.vehicles import AGES, VehicleClass

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Tech:
    """One technology; ``credits`` levelised worth per unit by decision year, ``base`` what it is built on.

    ``capex`` is what it costs whole and ``capex_added`` what it adds to ``base`` (all of it unless
    stated); for a vehicle both are per vehicle.
    """

    name: str
    capex: float = 0.0
    capex_added: float | None = None
    lifetime: int = 20
    cycle: int = 20
    earliest: int = 2000
    fixed: float = 0.0
    variable: float = 0.0
    direct: float = 0.0
    captured: float = 0.0
    inputs: Mapping[str, float] = field(default_factory=dict)
    credits: ArrayLike = 0.0
    vehicle_credit: ArrayLike = 0.0
    yearly_credit: ArrayLike = 0.0
    base: str = ""
    minimum_site_t: float = 0.0
    sector: str = "steel"
    product: str = "steel"
    vehicle: bool = False
    priced: bool = True


@dataclass(frozen=True)
class Market:
    """One market; ``demand`` by year makes it meet demand with what it dispatches, builds and retires.

    ``supplies`` names a carrier; ``takes`` the share of its use in each region (all of that in the
    market's own region unless stated).
    """

    name: str = "steel"
    demand: ArrayLike | None = None
    offered: Sequence[str] = ()
    region: int = 0
    low: float = 0.0
    high: float = 1.0
    plant_capacity: float = 1.0
    supplies: str = ""
    per_carrier: float = 1.0
    takes: Sequence[float] | None = None


@dataclass(frozen=True)
class Plant:
    """One plant at the start; ``made`` by year is its capacity unless stated."""

    start: str
    capacity: float = 1.0
    market: str = ""
    made: ArrayLike | None = None
    last_investment: int = 2010
    closes: int = NEVER
    committed_t: ArrayLike = 0.0
    intensity: float = 0.0
    name: str = ""


@dataclass(frozen=True)
class Cap:
    """One limit; ``weight`` by technology, of all markets and cohorts unless named."""

    name: str
    quantity: str
    value: ArrayLike
    weight: Mapping[str, float] | str = ""
    markets: Sequence[str] | None = None
    cohorts: bool = True
    floor: bool = False
    cumulative: bool = False
    hard: bool = True
    unit: str = "1/yr"


@dataclass(frozen=True)
class Fleet:
    """One vehicle class: ``options`` with the incumbent first, demand in distance by year.

    Vehicles last ``life`` years and then go; each drives ``mileage`` a year. At the start there
    are as many of each age as meet the first year's demand.
    """

    options: Sequence[str]
    demand: ArrayLike
    mileage: float = 1.0
    life: int = 10
    sales_floor: ArrayLike = 0.0
    name: str = "trucks"
    region: int = 0
    scale: float = 1.0


def no_learning(technologies: int, years: int) -> Learning:
    """Learning without any component."""
    none = np.zeros(0)
    return Learning(
        names=np.zeros(0, dtype=object),
        share=np.zeros((technologies, 0)),
        amount=np.zeros((technologies, 0)),
        exponent=none,
        least=none,
        world=np.zeros((0, years)),
        base=none,
    )


def by_year(value: ArrayLike, count: int) -> FloatArray:
    """``value`` as one figure for each of ``count`` years."""
    return np.array(np.broadcast_to(np.asarray(value, dtype=np.float64), (count,)))


def build_technologies(options: Sequence[Tech], carriers: Sequence[str], rate: float) -> Technologies:
    """The technologies in columns, with every carrier counted in MWh."""
    names = [o.name for o in options]
    added = np.array([o.capex if o.capex_added is None else o.capex_added for o in options], dtype=float)
    capex = np.array([o.capex for o in options], dtype=float)
    life = np.array([o.lifetime for o in options], dtype=np.int64)
    recovery = capital_recovery_factor(rate, np.maximum(life, 1))
    text: dict[str, list[Any]] = {
        "names": names,
        "sector": [o.sector for o in options],
        "product": [o.product for o in options],
        "unit": ["t"] * len(options),
        "carriers": list(carriers),
        "carrier_units": ["MWh"] * len(carriers),
        "price_drivers": [f"price_{c}" for c in carriers],
        "confidence": ["assumed"] * len(options),
    }
    inputs = [[o.inputs.get(c, 0.0) for c in carriers] for o in options]
    return Technologies(
        **{key: np.array(value, dtype=object) for key, value in text.items()},
        base=np.array([names.index(o.base) if o.base else -1 for o in options], dtype=np.int64),
        is_default=np.zeros(len(options), dtype=bool),
        earliest=np.array([o.earliest for o in options], dtype=np.int64),
        cycle=np.array([o.cycle for o in options], dtype=np.int64),
        lifetime=life,
        capex=capex,
        capex_added=added,
        capital_charge=capex * recovery,
        capital_charge_added=added * recovery,
        fixed=np.array([o.fixed for o in options], dtype=float),
        variable=np.array([o.variable for o in options], dtype=float),
        inputs=np.array(inputs, dtype=float).reshape(len(options), len(carriers)),
        direct=np.array([o.direct for o in options], dtype=float),
        direct_ch4=np.zeros(len(options)),
        direct_n2o=np.zeros(len(options)),
        upstream=np.zeros(len(carriers)),
        captured=np.array([o.captured for o in options], dtype=float),
        is_vehicle=np.array([o.vehicle for o in options], dtype=bool),
        minimum_site_t=np.array([o.minimum_site_t for o in options], dtype=float),
    )


def build_costs(
    options: Sequence[Tech],
    tech: Technologies,
    prices: Mapping[str, ArrayLike],
    carbon_price: ArrayLike,
    storage_price: ArrayLike,
    rule: Rule,
    count: int,
    regions: int,
) -> Costs:
    """Costs by region and year from prices."""
    shape = (regions, count)
    carbon = np.array(np.broadcast_to(np.asarray(carbon_price, dtype=float), shape))
    storage = np.array(np.broadcast_to(np.asarray(storage_price, dtype=float), shape))
    price = np.zeros((regions, len(options), len(tech.carriers), count))
    for c, carrier in enumerate(tech.carriers):
        price[:, :, c] = np.broadcast_to(np.asarray(prices.get(carrier, 0.0), float), shape)[:, None]
    years = np.where(tech.is_vehicle, np.maximum(tech.lifetime, 1), rule.horizon).astype(np.int64)
    fixed = np.where(tech.is_vehicle, 0.0, tech.fixed) + tech.variable

    def cost(energy: FloatArray, co2: FloatArray, stored: FloatArray) -> FloatArray:
        burnt = tech.direct[None, :, None] * co2 + tech.captured[None, :, None] * stored
        return np.asarray(fixed[None, :, None] + energy + burnt)

    def ahead(flat: FloatArray) -> FloatArray:
        return np.moveaxis(levelised_prices(flat, rule.discount_rate, years), 0, 1)

    own = np.stack([ahead(price[:, k])[:, k] for k in range(len(options))], axis=1)
    credits = np.array([by_year(o.credits, count) for o in options])
    per_vehicle = np.array([by_year(o.vehicle_credit, count) for o in options])
    yearly_credit = np.array([by_year(o.yearly_credit, count) for o in options])
    tile = (regions, 1, 1)
    running = cost(np.einsum("kc,gkct->gkt", tech.inputs, own), ahead(carbon), ahead(storage))
    return Costs(
        running=running - credits,
        yearly=cost(np.einsum("kc,gkct->gkt", tech.inputs, price), carbon[:, None, :], storage[:, None, :]),
        credits=np.tile(credits, tile),
        vehicle_credit=np.tile(per_vehicle, tile),
        yearly_credit=np.tile(yearly_credit, tile),
        prices=price,
        carbon_price=carbon,
        storage_price=storage,
        priced=np.tile(np.array([o.priced for o in options], dtype=bool), (regions, 1)),
    )


def build_markets(rows: Sequence[Market], tech: Technologies, count: int, regions: int) -> Markets:
    """The markets in columns."""
    carriers = list(tech.carriers)
    names = np.array([m.name for m in rows], dtype=object)
    return Markets(
        name=names,
        sector=names.copy(),
        inventory_sector=np.array(["industry"] * len(rows), dtype=object),
        product=names.copy(),
        region=np.array([m.region for m in rows], dtype=np.int64),
        meets_demand=np.array([m.demand is not None for m in rows], dtype=bool),
        demand=np.array([by_year(0.0 if m.demand is None else m.demand, count) for m in rows]),
        plant_capacity=np.array([m.plant_capacity for m in rows], dtype=float),
        low=np.array([m.low for m in rows], dtype=float),
        high=np.array([m.high for m in rows], dtype=float),
        new_plants=np.array([bool(m.offered) for m in rows], dtype=bool),
        offered=np.array([np.isin(tech.names, list(m.offered)) for m in rows], dtype=bool),
        carrier=np.array([carriers.index(m.supplies) if m.supplies else -1 for m in rows], dtype=np.int64),
        per_carrier=np.array([m.per_carrier for m in rows], dtype=float),
        takes=np.array([np.eye(regions)[m.region] if m.takes is None else m.takes for m in rows]),
    )


def build_plants(rows: Sequence[Plant], markets: Sequence[Market], tech: Technologies, count: int) -> Plants:
    """The plants in columns; one that names no market is of the first."""
    names = [m.name for m in markets]
    return Plants(
        asset_id=np.array([p.name or f"plant-{n + 1}" for n, p in enumerate(rows)], dtype=object),
        market=np.array([names.index(p.market) if p.market else 0 for p in rows], dtype=np.int64),
        start=np.array([tech.find(p.start) if p.start else -1 for p in rows], dtype=np.int64),
        capacity=np.array([p.capacity for p in rows], dtype=float),
        made=np.array(
            [by_year(p.capacity if p.made is None else p.made, count) for p in rows], dtype=float
        ).reshape(len(rows), count),
        intensity=np.array([p.intensity for p in rows], dtype=float),
        last_investment=np.array([p.last_investment for p in rows], dtype=np.int64),
        closes=np.array([p.closes for p in rows], dtype=np.int64),
        committed_t=np.array([by_year(p.committed_t, count) for p in rows]).reshape(len(rows), count),
    )


def build_limits(
    caps: Iterable[Cap], tech: Technologies, markets: Sequence[Market], fleets: int, count: int
) -> list[Limit]:
    """The limits; a weight that is a name takes that column of the technologies (``direct``)."""
    out = []
    for cap in caps:
        if isinstance(cap.weight, str):
            weight = np.array(getattr(tech, cap.weight)) if cap.weight else np.ones(len(tech.names))
        else:
            weight = np.array([cap.weight.get(name, 0.0) for name in tech.names], dtype=float)
        named = [m.name for m in markets] if cap.markets is None else list(cap.markets)
        out.append(
            Limit(
                name=cap.name,
                quantity=cap.quantity,
                unit=cap.unit,
                value=by_year(cap.value, count),
                weight=weight,
                markets=np.array([m.name in named for m in markets], dtype=bool),
                cohorts=np.full(fleets, cap.cohorts),
                floor=cap.floor,
                cumulative=cap.cumulative,
                hard=cap.hard,
            )
        )
    return out


def build_fleet(row: Fleet, tech: Technologies, costs: Costs, count: int) -> VehicleClass:
    """A vehicle class whose vehicles all go after ``life`` years."""
    options = np.array([tech.find(name) for name in row.options], dtype=np.int64)
    demand = by_year(row.demand, count)
    keep = np.where(np.arange(AGES) < row.life - 1, 1.0, 0.0)
    stock = np.zeros((len(options), AGES))
    stock[0, : row.life] = demand[0] / row.mileage / row.life
    return VehicleClass(
        asset_id=row.name,
        inventory_sector="transport",
        sector="trucking",
        region=row.region,
        options=options,
        stock=stock,
        keep=keep,
        mileage=np.full(AGES, row.mileage),
        demand=demand,
        sales_floor=by_year(row.sales_floor, count),
        running=costs.running[row.region, options],
        vehicle_credit=costs.vehicle_credit[row.region, options],
        yearly_activity=row.mileage,
        tco=np.zeros((len(options), count)),
        scale=row.scale,
        vehicles=np.zeros((len(options), count)),
        bought=np.zeros((len(options), count)),
        distance=np.zeros((len(options), count)),
        confidence=np.full(count, "assumed", dtype=object),
        zero_share=np.zeros(count),
    )


def build_problem(
    options: Sequence[Tech],
    plants: Sequence[Plant] = (),
    *,
    markets: Sequence[Market] = (Market(),),
    switches: Mapping[tuple[str, str], str] | None = None,
    limits: Sequence[Cap] = (),
    fleets: Sequence[Fleet] = (),
    prices: Mapping[str, ArrayLike] | None = None,
    carbon_price: ArrayLike = 0.0,
    storage_price: ArrayLike = 0.0,
    first: int = 2025,
    last: int = 2040,
    last_reported: int | None = None,
    first_choice: int | None = None,
    first_purchase: int | None = None,
    regions: tuple[str, ...] = ("here",),
    additions: Sequence[tuple[int, int, int, float, str]] = (),
    learning: Learning | None = None,
    **rule: Any,
) -> Problem:
    """A problem from ``first`` to ``last``; ``rule`` holds the fields of :class:`Rule`.

    ``switches`` tells the kind (retrofit, rebuild) by (before, after).
    """
    years = np.arange(first, last + 1)
    decision = Rule(**rule)
    prices = prices or {}
    used = {c: None for o in options for c in o.inputs} | dict.fromkeys(prices)
    used |= {m.supplies: None for m in markets if m.supplies}
    tech = build_technologies(options, list(used), decision.discount_rate)
    kinds = np.zeros((len(options), len(options)), dtype=np.int64)
    for (before, after), kind in (switches or {}).items():
        kinds[tech.find(before), tech.find(after)] = KINDS.index(kind)
    costs = build_costs(
        options, tech, prices, carbon_price, storage_price, decision, len(years), len(regions)
    )
    return Problem(
        years=years,
        last_reported=first if last_reported is None else last_reported,
        first_choice=first + 1 if first_choice is None else first_choice,
        first_purchase=first + 1 if first_purchase is None else first_purchase,
        rule=decision,
        tech=tech,
        kinds=kinds,
        regions=regions,
        costs=costs,
        markets=build_markets(markets, tech, len(years), len(regions)),
        plants=build_plants(plants, markets, tech, len(years)),
        vehicles=[build_fleet(row, tech, costs, len(years)) for row in fleets],
        limits=build_limits(limits, tech, markets, len(fleets), len(years)),
        learning=no_learning(len(options), len(years)) if learning is None else learning,
        additions=tuple(additions),
    )
