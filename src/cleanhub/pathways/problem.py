"""What a path is decided on, and what it comes to: plain arrays, no hub and no files.

A :class:`Problem` holds the technologies with their costs by region and year, the markets
with their demand, the plants, the vehicle classes and the limits. The year loop
(:mod:`cleanhub.pathways.engine`) and the perfect-foresight optimum
(:mod:`cleanhub.pathways.optimal`) both start from it and both end in a :class:`Path`.

Letters: N plants at the start, R rows of a path (plants, built ones included), K
technologies, C carriers, M markets, G regions, T years, Q limits, B components.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cleanhub.finance.technologies import Technologies
from cleanhub.pathways.rule import Rule
from cleanhub.pathways.vehicles import VehicleClass

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

NONE, RETROFIT, REBUILD = 0, 1, 2
KINDS = ("", "retrofit", "rebuild")
NEVER = 9999
"""Year of what does not happen."""

SHARE = "production_share"
FLOW = ("co2_storage", "emissions", "carrier_use", "production", SHARE)
"""Limited quantities that follow production; the others count changes."""
ADDED = "capacity_added"
COUNT = "switches_per_year"


@dataclass(frozen=True)
class Costs:
    """Cost of one unit of product by region, technology and year [USD of the price year].

    Attributes
    ----------
    running
        Levelised cost ahead without capital, credits taken off: what owners compare, (G, K, T).
    yearly
        Cost in the year itself without capital and credits, (G, K, T).
    credits
        Levelised worth per unit of the credits of a decision of the year, (G, K, T); paid
        for the owners' horizon.
    vehicle_credit
        Paid once when a vehicle is bought, (G, K, T) [USD per vehicle].
    yearly_credit
        Paid in each year per unit, vehicles only, (G, K, T).
    prices
        Carrier prices, (G, K, C, T) [USD per carrier unit].
    carbon_price, storage_price
        By region and year, (G, T) [USD/t].
    priced
        Whether the region prices all that a technology uses, (G, K).
    """

    running: FloatArray
    yearly: FloatArray
    credits: FloatArray
    vehicle_credit: FloatArray
    yearly_credit: FloatArray
    prices: FloatArray
    carbon_price: FloatArray
    storage_price: FloatArray
    priced: BoolArray


@dataclass(frozen=True)
class Markets:
    """Groups of plants that make one product, in columns of M.

    A market with ``meets_demand`` dispatches, builds and retires its plants for ``demand``
    (M, T) [product per year]; in any other each plant makes what :attr:`Plants.made` says.
    ``offered`` says which technologies a new plant may run (M, K). ``carrier`` is the
    carrier that the market supplies (-1: none): the use of ``carrier`` by others, times
    ``per_carrier`` and the share that the market takes of the use in each region, ``takes``
    (M, G), is added to the demand.
    """

    name: NDArray[np.object_]
    sector: NDArray[np.object_]
    inventory_sector: NDArray[np.object_]
    product: NDArray[np.object_]
    region: IntArray
    meets_demand: BoolArray
    demand: FloatArray
    plant_capacity: FloatArray
    low: FloatArray
    high: FloatArray
    new_plants: BoolArray
    offered: BoolArray
    carrier: IntArray
    per_carrier: FloatArray
    takes: FloatArray


@dataclass(frozen=True)
class Plants:
    """Plants at the start, in columns of N.

    ``start`` is the technology (-1: none in the library, the plant keeps its intensity);
    ``capacity`` yearly capacity; ``made`` yearly product where the plant's market does not
    dispatch it, (N, T); ``intensity`` tonnes per unit where ``start`` is -1;
    ``last_investment`` the year its equipment was last renewed: it falls due each cycle of
    the technology it runs; ``closes`` the last year of operation; ``committed_t`` tonnes cut
    by committed projects while it runs what it started with, (N, T).
    """

    asset_id: NDArray[np.object_]
    market: IntArray
    start: IntArray
    capacity: FloatArray
    made: FloatArray
    intensity: FloatArray
    last_investment: IntArray
    closes: IntArray
    committed_t: FloatArray


@dataclass(frozen=True)
class Limit:
    """One limit by year.

    ``value`` (T,) is NaN in years without limit; ``floor`` tells at least from at most;
    ``cumulative`` adds up from its first year on; a ``hard`` limit refuses what breaks it.
    ``weight`` is what counts per unit, (K,): per unit of product for a flow, per unit of
    capacity built or changed for ``capacity_added``, per change for ``switches_per_year``;
    ``markets`` (M,) and ``cohorts`` (V,) say which count. For ``production_share`` the value
    is a share of all that its markets are asked for, what supplies other sectors included.
    """

    name: str
    quantity: str
    unit: str
    value: FloatArray
    weight: FloatArray
    markets: BoolArray
    cohorts: BoolArray
    floor: bool = False
    cumulative: bool = False
    hard: bool = True

    @property
    def is_flow(self) -> bool:
        """Whether it follows production (else it counts changes)."""
        return self.quantity in FLOW


@dataclass(frozen=True)
class Learning:
    """Components that technologies share, and how their cost falls with deployment.

    ``share`` of a technology's capital (K, B), ``amount`` per unit of capacity or vehicle
    (K, B), ``exponent`` b of cost = (x/x0)^-b (B,), ``least`` share of the cost (B,),
    ``world`` cumulative deployment outside of the hub (B, T), ``base`` deployment at which
    the costs stand (B,).
    """

    names: NDArray[np.object_]
    share: FloatArray
    amount: FloatArray
    exponent: FloatArray
    least: FloatArray
    world: FloatArray
    base: FloatArray


@dataclass(frozen=True)
class Problem:
    """Everything that decides a path.

    ``years`` are the years of the path (T,), the first one being the base year;
    ``last_reported`` the last year in which the plants stand as reported; ``first_choice``
    the first year in which a decision of a plant's owner can take effect, ``first_purchase``
    that in which vehicles are chosen freely (no lead time lies between); ``kinds`` the kind of each
    allowed switch (K, K): :data:`NONE`, :data:`RETROFIT`, :data:`REBUILD`; ``minimum_site_t``
    of the technologies holds for plants. ``additions`` are plants that are committed:
    (year, market, technology, capacity, name).
    """

    years: IntArray
    last_reported: int
    first_choice: int
    first_purchase: int
    rule: Rule
    tech: Technologies
    kinds: IntArray
    regions: tuple[str, ...]
    costs: Costs
    markets: Markets
    plants: Plants
    vehicles: list[VehicleClass]
    limits: list[Limit]
    learning: Learning
    additions: tuple[tuple[int, int, int, float, str], ...] = ()


@dataclass
class Changes:
    """What changed, one entry each, in columns.

    ``row`` of the path, year position ``t``, technology ``before`` (-1: a new plant) and
    ``after`` (-1: retired), ``kind`` (retrofit, rebuild, new, retired, closed), ``share`` of the
    row's capacity, ``capacity``, ``capex`` [USD], ``saving`` [USD per unit] against keeping on,
    ``stranded`` capital not yet written off [USD].
    """

    row: list[int] = field(default_factory=list)
    t: list[int] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    share: list[float] = field(default_factory=list)
    capacity: list[float] = field(default_factory=list)
    capex: list[float] = field(default_factory=list)
    saving: list[float] = field(default_factory=list)
    stranded: list[float] = field(default_factory=list)

    def add(
        self,
        rows: IntArray,
        t: int,
        before: IntArray,
        after: IntArray,
        kind: list[str],
        capacity: FloatArray,
        capex: FloatArray,
        saving: FloatArray,
        stranded: FloatArray,
        share: FloatArray | None = None,
    ) -> None:
        """Append one entry for each of ``rows``; every argument but ``t`` has its length."""
        self.row += rows.tolist()
        self.t += [t] * len(rows)
        self.before += before.tolist()
        self.after += after.tolist()
        self.kind += kind
        self.capacity += capacity.tolist()
        self.capex += capex.tolist()
        self.saving += saving.tolist()
        self.stranded += stranded.tolist()
        self.share += np.ones(len(rows)).tolist() if share is None else share.tolist()


@dataclass
class Path:
    """State by row and year, and what the years came to.

    A row is a plant; a path of fractions has one row for each plant and technology. ``run``
    is the technology (R, T), -1 before it is built, after it is retired, or where the library
    has none (then ``plant`` tells the starting plant it is); ``capacity`` and ``production``
    (R, T); ``capex`` capital spent (R, T) [USD]; ``used`` what was used of each limit and
    ``shadow`` what one unit more of it is worth, (Q, T): its marginal value under rule optimal, else
    the best saving refused per unit; ``unmet`` demand by market (M, T);
    ``multiplier`` of the capital of each technology (K, T) from learning; ``deployed``
    cumulative deployment of the components by the hub (B, T); ``vehicles`` the cohort classes
    with their results, copies of those of the problem.
    """

    problem: Problem
    names: NDArray[np.object_]
    plant: IntArray
    market: IntArray
    run: IntArray
    capacity: FloatArray
    production: FloatArray
    capex: FloatArray
    changes: Changes
    used: FloatArray
    shadow: FloatArray
    unmet: FloatArray
    multiplier: FloatArray
    deployed: FloatArray
    vehicles: list[VehicleClass]

    @property
    def emissions(self) -> FloatArray:
        """Scope 1 tonnes by row and year, (R, T).

        A committed project cuts tonnes while its plant runs what it started with: once the
        plant has changed, the change stands for the project.
        """
        plants, tech = self.problem.plants, self.problem.tech
        listed = np.flatnonzero(self.plant >= 0)
        first = self.plant[listed]
        own = np.zeros((len(self.plant), 1))
        own[listed, 0] = plants.intensity[first]
        direct = np.where(self.run >= 0, tech.direct[np.maximum(self.run, 0)], own)
        room, held = plants.capacity[first][:, None], self.capacity[listed]
        share = np.divide(held, room, out=np.ones_like(held), where=room > 0)
        unchanged = self.run[listed] == plants.start[first][:, None]
        tonnes = self.production * direct
        tonnes[listed] -= np.where(unchanged, plants.committed_t[first] * np.minimum(share, 1.0), 0.0)
        return np.maximum(tonnes, 0.0)

    @property
    def credits(self) -> FloatArray:
        """Credit per unit that each row earns, (R, T) [USD]: that of the year it changed or was built.

        It is spread over the owners' horizon and ends with it. What a plant began with earns none.
        """
        number, count = self.run.shape
        since = np.zeros((number, count), dtype=np.int64)
        for t in range(1, count):
            since[:, t] = np.where(self.run[:, t] != self.run[:, t - 1], t, since[:, t - 1])
        age = np.arange(count)[None, :] - since
        earning = (since > 0) & (age < self.problem.rule.horizon) & (self.run >= 0)
        region = self.problem.markets.region[self.market][:, None]
        worth = self.problem.costs.credits[region, np.maximum(self.run, 0), since]
        return np.where(earning, worth, 0.0)

    def asked(self, markets: BoolArray) -> FloatArray:
        """What ``markets`` (M,) are asked for by year, (T,): what they make and what stays unmet."""
        made = self.production[markets[self.market]].sum(axis=0)
        return np.asarray(made + self.unmet[markets].sum(axis=0), dtype=np.float64)

    @property
    def captured(self) -> FloatArray:
        """CO2 captured for storage by row and year, (R, T) [t]."""
        held = np.where(self.run >= 0, self.problem.tech.captured[np.maximum(self.run, 0)], 0.0)
        return np.asarray(self.production * held, dtype=np.float64)
