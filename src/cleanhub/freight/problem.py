"""What the modules of freight hand to each other: zones, trips, truck-days, the siting problem and its plan.

Everything is plain arrays. Letters in shapes: Z zones, R trip rows, G groups of like truck-days,
L legs, S sites, J pairs of a group and a site, U substations, K upgrade tiers, T years.
Distance is in km, energy in kWh, power in kW, money in USD of the scenario's price year; a *day*
is a mean working day, of which a year has ``working_days``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
TextArray = NDArray[np.object_]

ZONE_KINDS = ("terminal", "rail_yard", "cluster", "gateway")
LOADS = ("loaded", "empty", "chassis", "bobtail")
"""What a tractor pulls on a leg, the heaviest first."""
MOST_TRIPS = 500_000
"""Most trips of a working day that are driven one by one: 25 times those of San Pedro Bay."""
HOME, PUBLIC = 0, 1
"""How a group charges at a site: at its home base between shifts, or on its way."""
OBJECTIVES = ("cost", "electric_miles", "co2e", "diesel_pm_exposure")


@dataclass(frozen=True)
class Zones:
    """Places that trucks serve, each shape (Z,).

    ``name`` is the id and ``title`` what people call it; ``kind`` is one of
    :data:`ZONE_KINDS`; ``weight`` the size within its kind (container moves of terminals,
    floor space or establishments of clusters), any unit; ``band`` the class of destinations
    whose share of trips is known (empty for terminals).
    """

    name: TextArray
    title: TextArray
    kind: TextArray
    lat: FloatArray
    lon: FloatArray
    weight: FloatArray
    band: TextArray


@dataclass(frozen=True)
class Trips:
    """Container moves by truck between zones on a mean working day, each shape (R,).

    ``origin`` and ``destination`` are positions in the zones (a terminal and a customer);
    ``per_day`` counts visits of a truck to a terminal for that customer, in either direction.
    """

    origin: IntArray
    destination: IntArray
    per_day: FloatArray


@dataclass(frozen=True)
class TruckDays:
    """Groups of like truck-days, and the legs each drives in order.

    ``trucks`` (G,) truck-days per working day; ``home`` (G,) the zone where the truck parks
    between shifts; ``shifts`` (G,) one or two. Legs (L,) are sorted by group and order:
    ``leg_group``, ``leg_from`` and ``leg_to`` (positions in the zones), ``leg_load`` (positions in
    :data:`LOADS`), ``leg_km``, ``leg_hours`` under way, ``leg_start`` hour of the day at
    departure (0 to 24, after midnight it wraps), ``leg_dwell`` hours spent at the leg's end before the next.
    """

    trucks: FloatArray
    home: IntArray
    shifts: IntArray
    leg_group: IntArray
    leg_from: IntArray
    leg_to: IntArray
    leg_load: IntArray
    leg_km: FloatArray
    leg_hours: FloatArray
    leg_start: FloatArray
    leg_dwell: FloatArray

    @property
    def km(self) -> FloatArray:
        """Distance of a truck-day of each group, (G,) [km]."""
        return np.asarray(
            np.bincount(self.leg_group, weights=self.leg_km, minlength=len(self.trucks)), dtype=np.float64
        )


@dataclass(frozen=True)
class Sites:
    """Places where chargers stand or may stand, each shape (S,).

    ``kind`` is a code of the codelist ``charging_site_kind``; ``substation`` a position in the
    grid; ``plug_kw`` the power of one plug and ``plugs_most`` how many fit; ``kwh_per_plug`` is what a
    plug can deliver in a day at the most use that keeps waiting within bounds, ``least_use`` the
    share of that which it must reach; ``open_plugs`` stand already, from ``open_year`` on
    (0: none); ``earliest`` the first year in which new plugs can be energised, the grid
    aside; ``fixed_usd`` is spent when a site opens, ``usd_per_plug`` for each new plug,
    ``usd_per_kwh`` what a kWh costs the site, ``yearly_share`` what is kept up each year as a share
    of the capital. ``forbidden`` sites stay closed and ``priority`` sites come first (a
    factor on the benefit, 1: none), both with who asked in ``asked_by``; ``disadvantaged``
    says whether a tract so named holds the site or lies within the distance of the proxy.
    """

    name: TextArray
    title: TextArray
    kind: TextArray
    lat: FloatArray
    lon: FloatArray
    substation: IntArray
    plug_kw: FloatArray
    plugs_most: FloatArray
    kwh_per_plug: FloatArray
    least_use: FloatArray
    open_plugs: FloatArray
    open_year: IntArray
    earliest: IntArray
    fixed_usd: FloatArray
    usd_per_plug: FloatArray
    usd_per_kwh: FloatArray
    yearly_share: FloatArray
    forbidden: BoolArray
    priority: FloatArray
    asked_by: TextArray
    disadvantaged: BoolArray


@dataclass(frozen=True)
class Grid:
    """Substations (U,) and the tiers (U, K) by which each can be made larger, in order.

    ``headroom_kw`` (U,) can be used at once; tier k adds ``tier_kw`` for ``tier_usd`` and can serve
    from year ``tier_ready`` on (lead time from the day of the plan; 9999: never), and only
    after the tiers before it. ``coincidence`` is the largest load of a substation as a share of
    its plugs' power. ``headroom_confidence`` (U,) says where the headroom comes from.
    """

    name: TextArray
    title: TextArray
    lat: FloatArray
    lon: FloatArray
    headroom_kw: FloatArray
    headroom_confidence: TextArray
    tier: TextArray
    tier_kw: FloatArray
    tier_usd: FloatArray
    tier_ready: IntArray
    coincidence: float = 1.0


@dataclass(frozen=True)
class SitingProblem:
    """Which sites open when, how many plugs, and who charges there.

    ``years`` (T,) are those decided and ``span`` (T,) how many calendar years each stands for.
    ``trucks`` (G, T) are truck-days per working day, ``wanted`` (T,) how many of all of them shall be
    battery-electric. A truck-day of group g takes ``kwh`` (G,), goes ``km`` (G,) and saves ``co2e_t`` and
    ``pm_people`` (G,) (diesel PM in kg times the people of disadvantaged tracts near its road).
    ``battery_kwh`` (T,) is the usable battery: what a truck-day takes beyond one battery must
    be charged on the way, and beyond ``batteries_most`` batteries it cannot be electric. Pairs (J,) say
    which group may charge where (``pair_kind`` HOME or PUBLIC) and the energy of the way there,
    ``pair_extra_kwh`` per truck-day.
    ``budget_usd`` (T,) bounds the capital spent up to each year (inf: none); ``equity_share`` is the
    least share of the energy delivered in each year at sites of disadvantaged tracts;
    ``worth_usd_per_kwh`` is what charging may cost at the most before a truck stays with diesel;
    ``discount_rate`` and ``plug_life`` turn capital into yearly cost.
    """

    years: IntArray
    span: FloatArray
    trucks: FloatArray
    wanted: FloatArray
    kwh: FloatArray
    km: FloatArray
    co2e_t: FloatArray
    pm_people: FloatArray
    battery_kwh: FloatArray
    pair_group: IntArray
    pair_site: IntArray
    pair_kind: IntArray
    pair_extra_kwh: FloatArray
    sites: Sites
    grid: Grid
    budget_usd: FloatArray
    batteries_most: float = 2.0
    equity_share: float = 0.0
    objective: str = "cost"
    worth_usd_per_kwh: float = 0.60
    discount_rate: float = 0.08
    plug_life: float = 15.0
    grid_life: float = 40.0
    working_days: float = 290.0


@dataclass(frozen=True)
class SitingPlan:
    """What the solver chose for a :class:`SitingProblem`.

    ``plugs`` (S, T) stand in each year (never fewer than the year before), ``opened`` (S,) is the
    first year of a site's new plugs (0: none); ``tiers`` (U, K) the year in which a tier begins to
    serve (0: never); ``delivered`` (J, T) kWh per day and pair; ``served`` (G, T) electric truck-days per
    day. ``capex_usd`` (T,) is spent in each year on sites and plugs, ``grid_usd`` (T,) on the grid.
    ``objective`` (to be made large), ``bound`` (no plan exceeds it) and ``gap`` (relative) are of the
    problem as solved, ``status`` says how it ended. ``free_bound`` is what no plan exceeds with nothing
    fixed: that of the relaxation, before it is tightened.
    """

    problem: SitingProblem
    plugs: FloatArray
    opened: IntArray
    tiers: IntArray
    delivered: FloatArray
    served: FloatArray
    capex_usd: FloatArray
    grid_usd: FloatArray
    objective: float
    bound: float
    gap: float
    status: str
    notes: tuple[str, ...] = field(default=())
    free_bound: float = float("inf")
