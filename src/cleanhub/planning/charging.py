"""Trucks and chargers agree: pathways buys trucks, freight finds what can be charged, and again.

The first walk of the path, at the price of the charger and without a bound, says how many trucks are
wanted. Each pass lets freight site chargers for them and walks the path again within what those
can serve, at their price. The passes end when trucks and chargers differ by less than
:data:`TOLERANCE` in every year, or after :data:`MOST_PASSES`; the difference is reported either way.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.aside import Begun, given
from cleanhub.core.tables import empty
from cleanhub.core.units import factor
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.charging import Charging, charged_options
from cleanhub.pathways.engine import follow
from cleanhub.planning.freight_steps import FreightSteps
from cleanhub.planning.freight_work import Outline

if TYPE_CHECKING:
    from cleanhub.freight.case import FreightCase
    from cleanhub.freight.serve import Served

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
TOLERANCE = 0.005
"""Largest difference of trucks and chargers in a year at which the passes end, as a share of the trucks."""
MOST_PASSES = 5
DAMPING = 0.5
"""Factor on the step to a newly found price, each time that trucks and chargers swing apart."""
BOUND_FROM = 0.005
"""Share of the trucks wanted that may stay without a charger before a year counts as bound."""
CARRIER = "electricity"
TABLES = (
    "truck_charging",
    "chargers",
    "charging_capital",
    "road_flow",
    "site_load",
    "site_use",
    "grid_upgrades",
)


@dataclass(frozen=True)
class Coupled:
    """A path with the chargers its trucks need.

    ``charging`` are the bounds and prices that the path was walked under, ``wanted`` (D,) the share of
    the activity that would be electric at that price without a bound, ``residual`` (D,) by how much
    trucks and chargers differ in each decided year after the last of ``passes``, as a share of the
    most battery trucks of any year. Without freight in the hub ``freight``, ``case`` and ``served``
    are ``None``.
    """

    path: Pathway
    charging: tuple[Charging, ...] = ()
    freight: FreightSteps | None = None
    wanted: FloatArray = field(default_factory=lambda: np.zeros(0))
    passes: int = 0
    residual: FloatArray = field(default_factory=lambda: np.zeros(0))
    notes: tuple[str, ...] = ()

    @property
    def case(self) -> FreightCase | None:
        """The freight that the chargers are sited for."""
        return self.freight.case if self.freight else None

    @property
    def served(self) -> Served | None:
        """What the chargers of the last pass do."""
        return self.freight.served() if self.freight else None

    @property
    def agreed(self) -> bool:
        """Whether trucks and chargers agree within the tolerance."""
        return bool((self.residual <= TOLERANCE).all())


def with_chargers(pathway: Pathway, seed: int = 0, freight: FreightSteps | None = None) -> Coupled:
    """A ``pathway`` walked with the charging of its trucks; as it is where the hub has no freight.

    One that is only assembled will do: it is walked without chargers only where nothing else is to be done.

    ``freight`` are the steps of the same hub and scenario where they have begun already.

    Raises :class:`~cleanhub.core.errors.InputError` listing every fault of the hub's freight.
    """
    if not pathway.scenario.freight.serve:
        return _alone(pathway)
    freight = freight or FreightSteps(pathway.hub, pathway.scenario, seed)
    case = freight.outline
    if case is None or case.asset_id not in {cls.asset_id for cls in pathway.problem.vehicles}:
        return _alone(pathway)
    return _iterate(pathway, freight, case)


def _alone(pathway: Pathway) -> Coupled:
    return Coupled(follow(pathway) if pathway.path is None else pathway)


def _iterate(pathway: Pathway, freight: FreightSteps, case: Outline) -> Coupled:
    fleet = Fleet(pathway, case)
    price = np.full(len(case.years), case.first_price)
    free = wanted = fleet.share(fleet.at_price(price))
    step, before = 1.0, float("inf")
    for passes in range(1, MOST_PASSES + 1):  # noqa: B007 - read after the loop
        served = freight.serve(fleet.activity_km, wanted)
        found = np.where(np.isfinite(served.usd_per_kwh), served.usd_per_kwh, price)
        price = price + step * (found - price)
        short = served.share < wanted * (1.0 - BOUND_FROM) - 1e-12
        charging = (fleet.charging(price, served.share, short),)
        path = follow(pathway, charging=charging)
        now = fleet.share(path)
        residual = np.abs(now - served.share) / max(float(now.max(initial=0.0)), 1e-9)
        if residual.max(initial=0.0) <= TOLERANCE:
            break
        step = step * DAMPING if residual.max() > before else step
        before = float(residual.max())
        free = fleet.share(fleet.at_price(price))
        wanted = np.where(short, free, now)
    coupled = Coupled(path, charging, freight, free, passes, residual)
    word = "agree" if coupled.agreed else "do not agree"
    note = (
        f"freight: trucks and chargers {word} after {passes} passes: in no year do they differ by more than "
        f"{residual.max(initial=0.0):.2%} of the battery trucks (tolerance {TOLERANCE:.1%})"
    )
    return replace(coupled, notes=(note, *case.notes, *freight.notes()))


def fleet_of(pathway: Pathway, case: FreightCase | Outline) -> Fleet:
    """The class of vehicles of ``pathway`` that ``case`` serves; ``KeyError`` where there is none."""
    if case.asset_id not in {cls.asset_id for cls in pathway.problem.vehicles}:
        raise KeyError(case.asset_id)
    return Fleet(pathway, case)


class Fleet:
    """What the coupling asks of one class of vehicles, at the years that freight decides.

    ``activity_km`` (T,) is its yearly activity [km].
    """

    def __init__(self, pathway: Pathway, case: FreightCase | Outline) -> None:
        self.pathway = pathway
        self.case = case
        self.years = pathway.years
        self.v = [cls.asset_id for cls in pathway.problem.vehicles].index(case.asset_id)
        cls = pathway.problem.vehicles[self.v]
        self.needs = charged_options(pathway.problem, cls, CARRIER)
        self.demand = cls.demand
        self.at = np.searchsorted(self.years, case.years)
        unit = str(pathway.tech.unit[cls.options[0]])
        self.activity_km = cls.demand[self.at] * factor(unit, "km")
        carrier = list(pathway.tech.carriers).index(CARRIER)
        at_plug = 1.0 / case.charging_efficiency
        self.per_carrier = factor(str(pathway.tech.carrier_units[carrier]), "kWh") * at_plug

    def charging(
        self, price: FloatArray, served: FloatArray | None = None, short: BoolArray | None = None
    ) -> Charging:
        """Bound and price in every year, on straight lines between the decided ones.

        ``served`` (D,) is a share of the activity. No bound stands between decided years that are not
        ``short`` (D,): there all that is wanted is served.
        """
        share = np.full(len(self.years), np.inf)
        if served is not None and short is not None:
            near = np.interp(self.years, self.case.years, short.astype(float)) > 0
            share[near] = np.interp(self.years, self.case.years, served)[near]
        return Charging(
            self.case.asset_id,
            CARRIER,
            most=np.where(np.isfinite(share), share, 1.0) * np.where(np.isfinite(share), self.demand, np.inf),
            price=np.interp(self.years, self.case.years, price) * self.per_carrier,
            counted=self.case.counted,
        )

    def at_price(self, price: FloatArray) -> Pathway:
        """The path at a price of charging (T,) [USD/kWh] and without a bound."""
        return follow(self.pathway, charging=[self.charging(price)])

    def share(self, pathway: Pathway) -> FloatArray:
        """Share of the activity at the decided years that needs a charger, (D,)."""
        driven = pathway.walked.vehicles[self.v].distance[:, self.at]
        total = driven.sum(axis=0)
        wanted = driven[self.needs].sum(axis=0)
        return np.asarray(np.divide(wanted, total, out=np.zeros_like(total), where=total > 0))


def charging_tables(coupled: Coupled) -> dict[str, pd.DataFrame]:
    """The plan tables of freight; empty ones where the hub has none."""
    return begin_charging_tables(coupled)()


def begin_charging_tables(coupled: Coupled) -> Begun[dict[str, pd.DataFrame]]:
    """Begin :func:`charging_tables` beside."""
    if coupled.freight is None:
        return given({name: empty(PLAN_TABLES[name]) for name in TABLES})
    return coupled.freight.tables(coupled.wanted, coupled.residual)
