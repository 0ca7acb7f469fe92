"""From a hub and a scenario to a problem in plain arrays.

Sites outside any market form one group per branch of the inventory and follow its driver.
Sites and stacks of a market meet its demand together. What the owners decided before the
scenario's day is taken as given: projects past their final investment decision, and, until
the first year a choice can take effect, new plants of the market's leading technology.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.core.units import factor
from cleanhub.finance.technologies import Technologies, build_technologies
from cleanhub.finance.technology_costs import UnitCosts, unit_costs
from cleanhub.hub.inventory import History, read_history
from cleanhub.hub.library import Library
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.schema import PAST_FID
from cleanhub.hub.series import Drivers
from cleanhub.pathways.learning import build_learning
from cleanhub.pathways.limits import build_limits
from cleanhub.pathways.problem import KINDS, NEVER, Costs, Markets, Path, Plants, Problem
from cleanhub.pathways.rule import Rule
from cleanhub.pathways.sites import Sites, build_sites
from cleanhub.pathways.vehicles import build_vehicles

if TYPE_CHECKING:
    from cleanhub.pathways.optimal import Optimal

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass
class Pathway:
    """A path with what it was made of.

    ``history`` is what the hub has emitted. ``sites`` are the reported sites in columns: the first
    plants of the problem; stacks follow. ``optimum`` is there under rule optimal alone.
    """

    hub: Hub
    scenario: Scenario
    history: History
    drivers: Drivers
    sites: Sites
    problem: Problem
    path: Path | None = None
    optimum: Optimal | None = None

    @property
    def years(self) -> IntArray:
        """Years of the path, (T,)."""
        return self.problem.years

    @property
    def tech(self) -> Technologies:
        """Technologies in columns."""
        return self.problem.tech

    @property
    def walked(self) -> Path:
        """The path. Raises ``ValueError`` when the years have not been walked."""
        if self.path is None:
            raise ValueError("the years have not been walked yet")
        return self.path


def assemble(hub: Hub, scenario: Scenario, seed: int = 0, history: History | None = None) -> Pathway:
    """Everything that decides the path of ``hub`` under ``scenario``.

    ``history`` is that of ``hub`` where it was read before.
    Raises :class:`~cleanhub.core.errors.InputError` listing every fault of the data.
    """
    years = np.arange(hub.base_year, scenario.end_year + 1)
    drivers = Drivers(hub, scenario, years)
    tech = build_technologies(hub.library, scenario)
    regions = _regions(hub)
    local = [drivers.for_region(region) for region in regions]
    unit = [unit_costs(tech, one, scenario.decision.lead_time) for one in local]
    costs = _costs(tech, unit)
    kinds = switch_kinds(hub.library, tech)
    history = read_history(hub) if history is None else history
    sites = build_sites(hub, scenario, tech, drivers, history)
    vehicles = build_vehicles(hub, scenario, tech, unit, drivers, kinds > 0, history, regions)
    markets = _markets(hub, tech, kinds, local, regions, sites)
    plants = _plants(hub, tech, sites, markets, len(years))
    _check_stacks(hub, tech, markets, plants)
    problem = Problem(
        years=years,
        last_reported=sites.last_year,
        first_choice=scenario.as_of.year + scenario.decision.lead_time,
        first_purchase=scenario.as_of.year,
        rule=rule_of(scenario, seed),
        tech=tech,
        kinds=kinds,
        regions=regions,
        costs=costs,
        markets=markets,
        plants=plants,
        vehicles=vehicles,
        limits=build_limits(hub, scenario, tech, markets, regions, vehicles, years),
        learning=build_learning(hub.library, scenario, tech, years, hub.meta.get("covers") == "world"),
        additions=_additions(hub, scenario, tech, markets, plants, years),
    )
    return Pathway(hub, scenario, history, drivers, sites, problem)


def rule_of(scenario: Scenario, seed: int = 0) -> Rule:
    """The decision rule that a scenario names, with its numbers."""
    decision = scenario.decision
    return Rule(
        name=decision.rule,
        discount_rate=decision.discount_rate,
        horizon=decision.horizon,
        spread=decision.site_choice_spread,
        vehicle_spread=decision.truck_choice_spread,
        reinvest_early=decision.reinvest_early,
        cost_weight=decision.cost_weight,
        emission_weight=decision.emission_weight,
        cost_band=decision.cost_band,
        seed=seed,
    )


def switch_kinds(library: Library, tech: Technologies) -> IntArray:
    """Kind of every allowed switch, (K, K): position in :data:`~.problem.KINDS`, 0 where none is."""
    kinds = np.zeros((len(tech.names), len(tech.names)), dtype=np.int64)
    position = {name: k for k, name in enumerate(tech.names)}
    switches = library.tables["switches"]
    ends = zip(switches["from_technology"], switches["to_technology"], switches["kind"], strict=True)
    for before, after, kind in ends:
        kinds[position[before], position[after]] = KINDS.index(kind)
    return kinds


def _regions(hub: Hub) -> tuple[str, ...]:
    named = {str(name) for name in hub.tables["markets"]["region"]} - {""}
    return ("", *sorted(named))


def _costs(tech: Technologies, unit: list[UnitCosts]) -> Costs:
    yearly = [
        (np.where(tech.is_vehicle, 0.0, tech.fixed) + tech.variable)[:, None]
        + np.einsum("kc,kct->kt", tech.inputs, one.prices)
        + tech.direct[:, None] * one.carbon_price
        + tech.captured[:, None] * one.storage_price
        for one in unit
    ]
    return Costs(
        running=np.array([one.running for one in unit]),
        yearly=np.array(yearly),
        credits=np.array([one.credits for one in unit]),
        vehicle_credit=np.array([one.vehicle_credit for one in unit]),
        yearly_credit=np.array([one.yearly_credit for one in unit]),
        prices=np.array([one.prices for one in unit]),
        carbon_price=np.array([one.carbon_price for one in unit]),
        storage_price=np.array([one.storage_price for one in unit]),
        priced=np.array([one.priced for one in unit]),
    )


# ---------------------------------------------------------------- markets


def _markets(
    hub: Hub,
    tech: Technologies,
    kinds: IntArray,
    local: list[Drivers],
    regions: tuple[str, ...],
    sites: Sites,
) -> Markets:
    """The declared markets first, then one group for each branch with sites outside of them."""
    table = hub.tables["markets"]
    faults = FaultList()
    count, years = len(tech.names), len(local[0].years)
    pairs = sorted(set(zip(sites.inventory_sector, sites.sector, strict=True)))
    number = len(table) + len(pairs)
    demand = np.zeros((number, years))
    capacity, offered = np.zeros(number), np.zeros((number, count), dtype=bool)
    reachable = (kinds > 0).any(axis=0) | tech.is_default
    region = np.zeros(number, dtype=np.int64)
    for m, (line, row) in enumerate(table.iterrows()):
        region[m] = regions.index(str(row["region"]))
        offered[m] = (tech.sector == row["sector"]) & (tech.product == row["product"]) & ~tech.is_vehicle
        offered[m] &= reachable | ~tech.is_default
        units = tech.unit[offered[m]]
        unit = str(units[0]) if len(units) else "t"
        demand[m] = _demand(local[region[m]], row, unit, int(str(line)), faults)
        capacity[m] = _scaled(
            row["plant_capacity"], str(row["unit"]), f"{unit}/yr", "markets.csv", line, faults
        )
    faults.raise_if_any("markets")
    blank = [""] * len(pairs)
    carrier, per_carrier = _supplied(hub, tech, table, offered, number)
    return Markets(
        name=np.array([*table["market"], *("|".join(pair) for pair in pairs)], dtype=object),
        sector=np.array([*table["sector"], *(pair[1] for pair in pairs)], dtype=object),
        inventory_sector=np.array([*table["inventory_sector"], *(pair[0] for pair in pairs)], dtype=object),
        product=np.array([*table["product"], *blank], dtype=object),
        region=region,
        meets_demand=np.arange(number) < len(table),
        demand=demand,
        plant_capacity=capacity,
        low=np.array([*table["utilisation_low"].astype(float), *np.zeros(len(pairs))]),
        high=np.array([*table["utilisation_high"].astype(float), *np.ones(len(pairs))]),
        new_plants=np.array(
            [*table["new_plants"].fillna(False).astype(bool), *np.zeros(len(pairs), dtype=bool)], dtype=bool
        ),
        offered=offered,
        carrier=carrier,
        per_carrier=per_carrier,
        takes=_takes(table, demand, region, carrier, len(regions)),
    )


def _demand(drivers: Drivers, row: pd.Series, unit: str, line: int, faults: FaultList) -> FloatArray:
    name = str(row["demand_driver"])
    if not drivers.has(name):
        faults.add(
            "markets.csv", line, "demand_driver", what="no such driver", found=name, allowed="a driver"
        )
        return np.zeros(len(drivers.years))
    try:
        return drivers.series(name, f"{unit}/yr").values
    except ValueError:
        found = drivers.series(name).unit
        faults.add("drivers.csv", None, "unit", what=f"unit of {name}", found=found, allowed=f"{unit}/yr")
        return np.zeros(len(drivers.years))


def _scaled(value: float, unit: str, wanted: str, file: str, line: object, faults: FaultList) -> float:
    try:
        return float(value) * factor(unit, wanted)
    except ValueError:
        faults.add(
            file, int(str(line)), "unit", what="unit does not fit the product", found=unit, allowed=wanted
        )
        return 0.0


def _supplied(
    hub: Hub, tech: Technologies, table: pd.DataFrame, offered: NDArray[np.bool_], number: int
) -> tuple[IntArray, FloatArray]:
    """Carrier that each market supplies (-1: none), and its product per unit of the carrier."""
    carrier, per = np.full(number, -1, dtype=np.int64), np.ones(number)
    supplies = dict(zip(hub.library.tables["carriers"]["supplied_by"], tech.carriers, strict=True))
    for m, product in enumerate(table["product"]):
        name = supplies.get(product, "") if product else ""
        if name and offered[m].any():
            c = int(np.flatnonzero(tech.carriers == name)[0])
            carrier[m] = c
            per[m] = factor(str(tech.carrier_units[c]), str(tech.unit[offered[m]][0]))
    return carrier, per


def _takes(
    table: pd.DataFrame, demand: FloatArray, region: IntArray, carrier: IntArray, regions: int
) -> FloatArray:
    """Share of a carrier's use in each region that each market supplies, (M, G).

    A market serves its own region, one of the whole hub all that have none of their own; where
    a region has no market the others share by their demand in the first year.
    """
    takes = np.zeros((len(demand), regions))
    for c in sorted(set(carrier[carrier >= 0])):
        mine = np.flatnonzero(carrier == c)
        for g in range(regions):
            own = mine[region[mine] == g]
            whole = mine[region[mine] == 0]
            serving = own if len(own) else whole if len(whole) else mine
            size = demand[serving, 0]
            takes[serving, g] = size / size.sum() if size.sum() > 0 else 1.0 / len(serving)
    return takes


# ---------------------------------------------------------------- plants


def _plants(hub: Hub, tech: Technologies, sites: Sites, markets: Markets, years: int) -> Plants:
    """The reported sites, then the representative plants of the stacks."""
    position = {name: m for m, name in enumerate(markets.name)}
    pairs = zip(sites.inventory_sector, sites.sector, strict=True)
    market = np.array([position["|".join(pair)] for pair in pairs], dtype=np.int64)
    for m in np.flatnonzero(markets.meets_demand & (markets.region == 0)):
        makes = (tech.product[np.maximum(sites.start, 0)] == markets.product[m]) & (sites.start >= 0)
        market[makes & (sites.sector == markets.sector[m])] = m
    dispatched = markets.meets_demand[market]
    stack = _stack_plants(hub, tech, position)
    number = len(stack)
    return Plants(
        asset_id=np.array([*sites.asset_id, *stack["asset_id"]], dtype=object),
        market=np.concatenate([market, stack["market"].to_numpy(np.int64)]),
        start=np.concatenate([sites.start, stack["start"].to_numpy(np.int64)]),
        capacity=np.concatenate([sites.best_t / sites.unit_intensity, stack["capacity"].to_numpy(float)]),
        made=np.vstack([np.where(dispatched[:, None], 0.0, sites.production), np.zeros((number, years))]),
        intensity=np.concatenate([np.where(sites.start < 0, 1.0, 0.0), np.zeros(number)]),
        last_investment=np.concatenate([sites.reinvestment_year, stack["invested"].to_numpy(np.int64)]),
        closes=np.concatenate([sites.closed_year, np.full(number, NEVER)]),
        committed_t=np.vstack([sites.committed_t, np.zeros((number, years))]),
    )


def _stack_plants(hub: Hub, tech: Technologies, position: dict[str, int]) -> pd.DataFrame:
    """One row per representative plant; the years of last investment are spread evenly."""
    markets = hub.tables["markets"].set_index("market")
    faults = FaultList()
    parts = [pd.DataFrame(columns=["asset_id", "market", "start", "capacity", "invested"])]
    for line, row in hub.tables["stacks"].iterrows():
        k = tech.find(str(row["technology"]))
        market = markets.loc[row["market"]]
        if str(tech.product[k]) != market["product"]:
            faults.add(
                "stacks.csv",
                int(str(line)),
                "technology",
                what="does not make the market's product",
                found=row["technology"],
                allowed=f"a technology of {market['product']}",
            )
            continue
        unit = f"{tech.unit[k]}/yr"
        capacity = _scaled(row["capacity"], str(row["unit"]), unit, "stacks.csv", line, faults)
        typical = _scaled(market["plant_capacity"], str(market["unit"]), unit, "markets.csv", line, faults)
        plants = int(row["plants"]) if pd.notna(row["plants"]) else 0
        plants = plants or max(int(np.ceil(capacity / typical - 1e-9)) if typical > 0 else 1, 1)
        invested = (
            np.linspace(int(row["oldest_year"]), int(row["newest_year"]), plants).round().astype(np.int64)
        )
        if capacity > 0:
            width = len(str(plants))
            name = f"{row['market']} {row['technology']}"
            parts.append(
                pd.DataFrame(
                    {
                        "asset_id": [f"{name} {i + 1:0{width}d}" for i in range(plants)],
                        "market": position[str(row["market"])],
                        "start": k,
                        "capacity": capacity / plants,
                        "invested": invested,
                    }
                )
            )
    faults.raise_if_any("stacks")
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]


def _check_stacks(hub: Hub, tech: Technologies, markets: Markets, plants: Plants) -> None:
    """Refuse markets without a plant and without new plants: nothing could meet their demand."""
    faults = FaultList()
    for m in np.flatnonzero(markets.meets_demand):
        if not (plants.market == m).any() and not (markets.new_plants[m] and markets.offered[m].any()):
            faults.add(
                "markets.csv",
                what=f"market {markets.name[m]} has no plant and may build none",
                allowed="a row in stacks.csv, or new_plants = yes with a technology of the product",
            )
    faults.raise_if_any("markets")


def _additions(
    hub: Hub, scenario: Scenario, tech: Technologies, markets: Markets, plants: Plants, years: IntArray
) -> tuple[tuple[int, int, int, float, str], ...]:
    """Plants that are given: committed projects, and what demand called for before any choice.

    The latter are of the technology that holds most of the market's capacity.
    """
    given = list(_committed(hub, scenario, tech, markets)) if scenario.programme else []
    first = scenario.as_of.year + scenario.decision.lead_time
    for m in np.flatnonzero(markets.meets_demand & markets.new_plants):
        mine = plants.market == m
        held = np.bincount(np.maximum(plants.start[mine], 0), plants.capacity[mine], len(tech.names))
        if not mine.any() or markets.plant_capacity[m] <= 0:
            continue
        leading, have = int(held.argmax()), float(held.sum())
        for t, year in enumerate(years[1:], start=1):
            if year >= first:
                break
            have += sum(
                one[3] for one in given if one[0] == year and one[1] == m and one[4][:9] != "expansion"
            )
            short = float(markets.demand[m, t]) / float(markets.high[m]) - have
            number = int(np.ceil(short / markets.plant_capacity[m] - 1e-9))
            for i in range(max(number, 0)):
                name = f"expansion {markets.name[m]} {int(year)}-{i + 1}"
                given.append((int(year), int(m), leading, float(markets.plant_capacity[m]), name))
            have += max(number, 0) * float(markets.plant_capacity[m])
    return tuple(given)


def _committed(
    hub: Hub, scenario: Scenario, tech: Technologies, markets: Markets
) -> list[tuple[int, int, int, float, str]]:
    """Projects past their final investment decision that make a market's product."""
    projects = hub.tables["projects"]
    past = projects[
        projects["stage"].isin(PAST_FID) & (projects["technology"] != "") & (projects["capacity"] > 0)
    ]
    out = []
    for _, row in past.iterrows():
        k = tech.find(str(row["technology"]))
        fits = markets.meets_demand & markets.offered[:, k] & (markets.region == 0)
        if not fits.any() or pd.isna(row["online_year"]) or int(row["online_year"]) <= hub.base_year:
            continue
        try:
            capacity = float(row["capacity"]) * factor(str(row["capacity_unit"]), f"{tech.unit[k]}/yr")
        except ValueError:
            continue
        out.append(
            (int(row["online_year"]), int(np.flatnonzero(fits)[0]), k, capacity, str(row["project_id"]))
        )
    return out
