"""The freight of a hub as it stands before any charger is chosen: roads, trips, truck-days, sites, grid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from cleanhub.core.errors import Fault, FaultList
from cleanhub.finance.annuity import capital_recovery_factor
from cleanhub.freight.access import Pairs, build_pairs
from cleanhub.freight.candidates import Placed, home_demand, place_sites, price_sites
from cleanhub.freight.energy import battery_at_plug, group_co2e, group_energy
from cleanhub.freight.exposure import diesel_pm_people
from cleanhub.freight.figures import Figures
from cleanhub.freight.flows import Ways
from cleanhub.freight.grid import build_grid, substation_operators
from cleanhub.freight.network import Network
from cleanhub.freight.problem import (
    FloatArray,
    Grid,
    IntArray,
    Sites,
    SitingProblem,
    TextArray,
    TruckDays,
    Zones,
)
from cleanhub.freight.roads import load_network
from cleanhub.freight.tours import build_truck_days
from cleanhub.freight.trips import build_trips
from cleanhub.freight.zones import build_zones, container_throughput
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.series import Drivers

DUTY = "drayage"
STEPS = (0, 1, 2, 4, 6, 9)
"""Years after the day of the plan that are decided inside a plan; after them every fifth."""
CHEAPER = 0.25
"""Share of the sites that are cheaper than the first guess of a price: those are built first."""
FEW = 5
"""Notes that ask for the same are told one by one up to so many."""


@dataclass(frozen=True)
class Ground:
    """What no price of chargers or power enters: roads, places, truck-days, and where chargers may stand.

    ``asset_id`` is the cohort that drives. Of truck-days (G,): ``kwh`` at the plug, ``co2e_t`` and the proxy
    ``pm_people`` [kg x people] where they run on diesel; ``pairs`` says who can charge where. ``notes`` are
    on places that were left out.
    """

    asset_id: str
    network: Network
    zones: Zones
    truck_days: TruckDays
    kwh: FloatArray
    co2e_t: FloatArray
    pm_people: FloatArray
    ways: Ways
    grid: Grid
    placed: Placed
    pairs: Pairs
    notes: tuple[str, ...]


@dataclass(frozen=True)
class FreightCase(Ground):
    """All that does not depend on how many trucks are electric: the ground at the prices of a scenario.

    ``years`` (T,) are those decided; ``counted`` is what variable costs of technologies hold for chargers
    already [USD per unit of activity].
    """

    hub: Hub
    scenario: Scenario
    figures: Figures
    years: IntArray
    sites: Sites
    counted: dict[str, float]

    @property
    def working_days(self) -> float:
        """Working days of a year."""
        return self.figures.value("working_days", unit="d/yr")

    @property
    def charging_efficiency(self) -> float:
        """Share of what the meter counts that reaches the battery."""
        return self.figures.value("charging_efficiency")

    @property
    def fleet_size(self) -> float:
        """Trucks of the cohort in the hub's base year."""
        rows = self.hub.tables["cohorts"].set_index("asset_id")["vehicles"]
        return float(rows[self.asset_id])

    @property
    def mean_km(self) -> float:
        """Mean distance of a truck-day [km]."""
        days = self.truck_days
        return float(days.trucks @ days.km / days.trucks.sum())

    @property
    def first_price(self) -> float:
        """A guess of what a kWh costs at the plug, capital included, before sites are chosen [USD/kWh]."""
        sites = self.sites
        if not len(sites.name):
            return float("nan")
        capital = sites.usd_per_plug + sites.fixed_usd / np.maximum(sites.plugs_most, 1.0)
        rate = self.scenario.decision.discount_rate
        recovery = float(capital_recovery_factor(rate, self.figures.value("plug_life", unit="yr")))
        yearly = capital * (sites.yearly_share + recovery)
        each = sites.usd_per_kwh + yearly / (sites.kwh_per_plug * self.working_days)
        return float(np.quantile(each, CHEAPER))

    @cached_property
    def operators(self) -> TextArray:
        """Who runs the substation of each site, (S,); empty where nobody is named."""
        return substation_operators(self.hub, self.grid)[self.sites.substation]

    @cached_property
    def drivers(self) -> Drivers:
        """Drivers of the scenario over its years."""
        years = np.arange(self.hub.base_year, self.scenario.end_year + 1)
        return Drivers(self.hub, self.scenario, years)

    def problem(
        self,
        activity_km: FloatArray,
        share: FloatArray,
        years: IntArray | None = None,
        objective: str | None = None,
    ) -> SitingProblem:
        """The siting problem for a yearly activity and the share of it that is wanted electric, each (T,).

        ``years`` are those of both (the case's own unless given).
        """
        years = self.years if years is None else years
        days = self.truck_days
        mix = days.trucks / days.trucks.sum()
        total = activity_km / (self.working_days * self.mean_km)
        choice = self.scenario.freight
        budget = float("inf") if choice.budget_usd is None else choice.budget_usd
        value = self.figures.value
        return SitingProblem(
            years=years,
            span=np.diff(np.append(years, years[-1] + 1)).astype(float),
            trucks=mix[:, None] * total[None, :],
            wanted=share * total,
            kwh=self.kwh,
            km=days.km,
            co2e_t=self.co2e_t,
            pm_people=self.pm_people,
            battery_kwh=battery_at_plug(self.figures, years),
            pair_group=self.pairs.group,
            pair_site=self.pairs.site,
            pair_kind=self.pairs.kind,
            pair_extra_kwh=self.pairs.extra_kwh,
            sites=self.sites,
            grid=self.grid,
            budget_usd=np.full(len(years), budget),
            batteries_most=value("batteries_most"),
            equity_share=choice.equity_share,
            objective=objective or choice.objective,
            worth_usd_per_kwh=value("charging_worth", unit="USD/kWh"),
            discount_rate=self.scenario.decision.discount_rate,
            plug_life=value("plug_life", unit="yr"),
            grid_life=value("grid_life", unit="yr"),
            working_days=self.working_days,
        )


def prepare_freight(
    hub: Hub, scenario: Scenario, seed: int = 0, years: IntArray | None = None
) -> FreightCase | None:
    """The freight of ``hub``, or ``None`` where it has no drayage cohort or no terminals.

    ``years`` are those to decide; by rule, and with coarser groups of truck-days, unless given. Raises
    :class:`~cleanhub.core.errors.InputError` listing every fault of the hub's freight.
    """
    ground = prepare_ground(hub, scenario, seed, "plan" if years is None else "")
    return None if ground is None else priced(ground, hub, scenario, years)


def prepare_ground(hub: Hub, scenario: Scenario, seed: int = 0, groups: str = "plan") -> Ground | None:
    """The freight of ``hub`` before prices, or ``None`` as :func:`prepare_freight` says.

    ``groups`` is the item of ``truck_day_groups`` that says how many. Raises
    :class:`~cleanhub.core.errors.InputError` listing every fault of it.
    """
    row = _cohort(hub)
    if row is None:
        return None
    figures = Figures(hub, price_year=scenario.price_year)
    network = load_network(hub)
    zones = build_zones(hub, figures, network)
    if not (zones.kind == "terminal").any() or (zones.kind != "terminal").sum() == 0:
        return None
    between = network.between(zones.lat, zones.lon, zones.lat, zones.lon)
    trips = build_trips(zones, between.km, figures, container_throughput(hub))
    days = build_truck_days(trips, zones, between, figures, seed, groups)
    if not len(days.trucks):
        return None
    kwh = group_energy(days, figures)
    told = FaultList()
    grid = _scaled(
        build_grid(hub, figures, scenario.as_of, added_lead=scenario.freight.lead_time_added), scenario
    )
    home_trucks, home_kwh = home_demand(days, zones, kwh)
    placed = place_sites(hub, figures, network, zones, grid, scenario.as_of, home_trucks, home_kwh, told)
    return Ground(
        asset_id=str(row["asset_id"]),
        network=network,
        zones=zones,
        truck_days=days,
        kwh=kwh,
        co2e_t=group_co2e(days, hub, figures),
        pm_people=diesel_pm_people(hub, figures, days, zones, network),
        ways=Ways(network, zones, days),
        grid=grid,
        placed=placed,
        pairs=build_pairs(days, zones, placed.sites, network, figures, told),
        notes=_lines(told.notes),
    )


def priced(ground: Ground, hub: Hub, scenario: Scenario, years: IntArray | None = None) -> FreightCase:
    """The case of ``ground`` at the prices of ``hub`` and ``scenario``; ``years`` by rule unless given.

    Raises :class:`~cleanhub.core.errors.InputError` for a price that is missing.
    """
    figures = Figures(hub, price_year=scenario.price_year)
    drivers = Drivers(hub, scenario, np.arange(hub.base_year, scenario.end_year + 1))
    activity = hub.tables["cohorts"].set_index("asset_id")["activity_unit"][ground.asset_id]
    return FreightCase(
        **vars(ground),
        hub=hub,
        scenario=scenario,
        figures=figures,
        years=decided_years(scenario) if years is None else years,
        sites=price_sites(hub, figures, ground.placed, drivers),
        counted=figures.items("charging_counted", f"USD/({str(activity).split('/')[0]})"),
    )


def _lines(notes: list[Fault]) -> tuple[str, ...]:
    """One line for each note; of those that ask for the same only the first, with how many there are."""
    alike: dict[tuple[str, str], list[Fault]] = {}
    for note in notes:
        alike.setdefault((note.file, note.allowed), []).append(note)
    lines = []
    for same in alike.values():
        if len(same) > FEW:
            lines.append(f"freight: {same[0].line()} (and {len(same) - 1} more like this)")
        else:
            lines += [f"freight: {note.line()}" for note in same]
    return tuple(lines)


def decided_years(scenario: Scenario) -> IntArray:
    """Years that are decided inside a plan: close together at first, then further apart."""
    first, last = scenario.as_of.year, scenario.end_year
    near = [first + step for step in STEPS]
    years = {*near, *range(near[-1], last, 5), last}
    return np.array(sorted(year for year in years if first <= year <= last), dtype=np.int64)


def _cohort(hub: Hub) -> pd.Series | None:
    """The drayage cohort of a hub; the first where there are several, which is a fault of the hub."""
    table = hub.tables["cohorts"]
    mine = table[table["duty_cycle"] == DUTY]
    faults = FaultList()
    for line, row in mine.iloc[1:].iterrows():
        faults.add(
            "cohorts.csv", int(str(line)), "duty_cycle", what="a second drayage cohort",
            found=row["asset_id"], allowed="one",
        )  # fmt: skip
    faults.raise_if_any("freight")
    return mine.iloc[0] if len(mine) else None


def _scaled(grid: Grid, scenario: Scenario) -> Grid:
    """The grid with the headroom that is assumed times what the scenario says."""
    assumed = np.isin(grid.headroom_confidence, ["assumed", "recalled"])
    return replace(grid, headroom_kw=grid.headroom_kw * np.where(assumed, scenario.freight.headroom, 1.0))
