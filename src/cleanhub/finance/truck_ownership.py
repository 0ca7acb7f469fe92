"""Total cost of owning a truck of a cohort, by technology and item: per mile and over its life.

Built on :func:`~cleanhub.finance.ownership.total_cost_of_ownership` and the library's technologies; what
a truck pays beyond them comes with :class:`TruckTerms`: a delivered price of power, hours lost at
chargers, the rate that ports charge per container on other than zero-emission trucks, and vouchers of
ports. Rates and vouchers are asked of the policy book; no amount stands here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.core.units import factor
from cleanhub.finance.annuity import annuity_factor, levelised_prices
from cleanhub.finance.ownership import total_cost_of_ownership
from cleanhub.finance.technologies import Technologies, build_technologies
from cleanhub.finance.technology_costs import UnitCosts, ownership_years, unit_costs
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.series import Drivers
from cleanhub.policy.applicant import Applicant, Fact
from cleanhub.policy.apply import answer_of
from cleanhub.policy.book import Policy, PolicyBook, load_book
from cleanhub.policy.lookup import Index

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ITEMS = (
    "capital",
    "vouchers",
    "fixed",
    "upkeep",
    "energy",
    "carbon",
    "credits",
    "waiting",
    "port_rate",
)
"""What the cost is made of; their sum is ``total``."""
POWER = "electricity"
PER_CONTAINER, PER_VEHICLE = "teu", "vehicles"


@dataclass(frozen=True)
class TruckTerms:
    """How a cohort's trucks are used, and what they pay beyond the library's rows.

    Attributes
    ----------
    yearly_miles
        Distance of a truck in a year; 0: that of the cohort.
    energy
        Energy per mile by technology in the unit of its carrier, in place of the library's.
    upkeep_usd_per_mile
        Upkeep by technology, in place of the library's variable cost: a library row that holds chargers
        must give way where the price of power holds them.
    waiting_hours_per_mile, hour_usd
        Time lost at chargers or stations by technology, and what an hour of truck and driver costs.
    loaded_teu_per_mile
        Loaded containers moved per mile: what a port's rate is charged on.
    fleet_size
        Trucks of the owner, which vouchers ask.
    voucher_reach
        Share of buyers that the ports' vouchers reach.
    places
        Ports whose rates and vouchers apply, by codelist ``jurisdiction``.
    """

    yearly_miles: float = 0.0
    energy: Mapping[str, float] = field(default_factory=dict)
    upkeep_usd_per_mile: Mapping[str, float] = field(default_factory=dict)
    waiting_hours_per_mile: Mapping[str, float] = field(default_factory=dict)
    hour_usd: float = 0.0
    loaded_teu_per_mile: float = 0.0
    fleet_size: float = 10.0
    voucher_reach: float = 0.0
    places: tuple[str, ...] = ()


def truck_cost_table(
    hub: Hub,
    scenario: Scenario,
    delivered_price: float | Mapping[int, float] | None,
    terms: TruckTerms,
    asset_id: str,
    years: IntArray | None = None,
) -> pd.DataFrame:
    """Cost of a new truck of each technology that the cohort may buy, by purchase year and item.

    Parameters
    ----------
    hub, scenario
        Where drivers, credits and policies come from.
    delivered_price
        Price of power at the plug [USD/kWh], site and chargers included: one number, or by year
        (straight lines between, the nearest beyond). ``None``: the hub's own price of power.
    terms
        Use of the trucks.
    asset_id
        The cohort.
    years
        Purchase years, shape (T,); from the year of ``as_of`` to 2035 if not given.

    Returns
    -------
    pandas.DataFrame
        Columns year, technology, item (:data:`ITEMS` and ``total``), usd_per_mile, usd_life (present value at
        the purchase over the truck's life), in dollars of the scenario's price year.

    Raises
    ------
    InputError
        When the cohort is unknown or has no technology or distance.
    """
    bought = np.arange(scenario.as_of.year, 2036) if years is None else np.asarray(years, dtype=np.int64)
    ahead = np.arange(
        min(int(bought.min()), scenario.as_of.year), max(int(bought.max()), scenario.end_year) + 1
    )
    tech, drivers = build_technologies(hub.library, scenario), Drivers(hub, scenario, ahead)
    row = _cohort(hub, asset_id, tech)
    options = _options(hub, tech, str(row["technology"]))
    costs = unit_costs(tech, drivers, 0)
    options = options[costs.priced[options] | (np.arange(len(options)) == 0)]
    mile = factor(str(tech.unit[options[0]]), "mi")
    yearly = terms.yearly_miles / mile if terms.yearly_miles > 0 else _yearly(row, tech, options)
    parts = _parts(tech, costs, drivers, options, yearly, delivered_price, terms, mile)
    parts |= _ports(hub, scenario, drivers, tech, options, yearly, terms, mile)
    parts["vouchers"] = _vouchers(tech, costs, options, yearly, parts.pop("port_voucher"))
    return _frame(parts, tech, options, drivers, bought, yearly, mile)


def _cohort(hub: Hub, asset_id: str, tech: Technologies) -> pd.Series:
    cohorts = hub.tables["cohorts"]
    found = cohorts[cohorts["asset_id"] == asset_id]
    faults = FaultList()
    if found.empty:
        allowed = ", ".join(cohorts["asset_id"])
        faults.add("cohorts.csv", None, "asset_id", what="no such cohort", found=asset_id, allowed=allowed)
    else:
        row = found.iloc[0]
        line = int(str(found.index[0]))
        if tech.find(str(row["technology"])) < 0:
            faults.add(
                "cohorts.csv", line, "technology", what="cohort has no technology", found=row["technology"]
            )
        if not (row["vehicles"] > 0 and row["activity"] > 0):
            faults.add("cohorts.csv", line, "activity", what="cohort has no vehicles or no distance")
    faults.raise_if_any("cost of trucks")
    return found.iloc[0]


def _options(hub: Hub, tech: Technologies, own: str) -> IntArray:
    """The cohort's technology and those its trucks may be replaced by, shape (P,)."""
    switches = hub.library.tables["switches"]
    others = switches.loc[switches["from_technology"] == own, "to_technology"]
    return np.array([tech.find(own), *(tech.find(str(name)) for name in others)], dtype=np.int64)


def _yearly(row: pd.Series, tech: Technologies, options: IntArray) -> float:
    unit = str(tech.unit[options[0]])
    return float(row["activity"]) * factor(str(row["activity_unit"]), f"{unit}/yr") / float(row["vehicles"])


def _parts(
    tech: Technologies,
    costs: UnitCosts,
    drivers: Drivers,
    options: IntArray,
    yearly: float,
    price: float | Mapping[int, float] | None,
    terms: TruckTerms,
    mile: float,
) -> dict[str, FloatArray]:
    """Items that need no question to the policy book, each (P, T) [USD per unit of activity]."""
    life = ownership_years(tech, drivers.scenario)[options]
    shape = (len(options), len(drivers.years))
    prices = costs.prices[options].copy()
    power = int(np.flatnonzero(tech.carriers == POWER)[0])
    if price is not None:
        prices[:, power] = (
            _price_path(price, drivers.years) * factor("kWh", str(tech.carrier_units[power])) ** -1.0
        )
    use = tech.inputs[options].copy()
    scale = np.ones(len(options))
    for p, k in enumerate(options):
        own = terms.energy.get(str(tech.names[k]))
        main = int(np.argmax(use[p]))
        if own is not None and use[p, main] > 0:
            scale[p] = own * mile / use[p, main]
            use[p] *= scale[p]
    rate = drivers.scenario.decision.discount_rate
    levelised = np.stack([levelised_prices(prices[p], rate, life[p : p + 1])[0] for p in range(len(options))])
    upkeep = np.array([terms.upkeep_usd_per_mile.get(str(tech.names[k]), np.nan) for k in options]) * mile
    upkeep = np.where(np.isnan(upkeep), tech.variable[options], upkeep)
    waiting = np.array([terms.waiting_hours_per_mile.get(str(tech.names[k]), 0.0) for k in options]) * mile
    recovery = np.divide(tech.capital_charge, tech.capex, out=np.zeros_like(tech.capex), where=tech.capex > 0)
    ones = np.ones(shape)
    return {
        "capital": (tech.capex * recovery)[options, None] / yearly * ones,
        "fixed": tech.fixed[options, None] / yearly * ones,
        "upkeep": upkeep[:, None] * ones,
        "energy": np.einsum("pc,pct->pt", use, levelised),
        "carbon": (tech.direct[options] * scale)[:, None] * costs.carbon_ahead[options],
        "credits": -costs.credits[options] * scale[:, None],
        "waiting": waiting[:, None] * terms.hour_usd * ones,
    }


def _price_path(price: float | Mapping[int, float], years: IntArray) -> FloatArray:
    if isinstance(price, Mapping):
        at = np.array(sorted(price), dtype=np.float64)
        values = np.array([price[int(year)] for year in at], dtype=np.float64)
        return np.asarray(np.interp(years.astype(np.float64), at, values), dtype=np.float64)
    return np.full(len(years), float(price))


def _vouchers(
    tech: Technologies, costs: UnitCosts, options: IntArray, yearly: float, port: FloatArray
) -> FloatArray:
    """What vouchers take off, never more than the price, (P, T) [USD per unit of activity]."""
    none = np.zeros(len(options))
    ones = np.ones(len(tech.names))
    without = total_cost_of_ownership(tech, options, none, none, yearly, ones)
    credit = costs.vehicle_credit[options] + port
    out = [
        total_cost_of_ownership(tech, options, none, credit[:, t], yearly, ones) - without
        for t in range(credit.shape[1])
    ]
    return np.column_stack(out)


def _ports(
    hub: Hub,
    scenario: Scenario,
    drivers: Drivers,
    tech: Technologies,
    options: IntArray,
    yearly: float,
    terms: TruckTerms,
    mile: float,
) -> dict[str, FloatArray]:
    """Ports: ``port_rate`` per unit of activity and ``port_voucher`` per truck, (P, T) [USD]."""
    shape = (len(options), len(drivers.years))
    rate, voucher = np.zeros(shape), np.zeros(shape)
    book = load_book(hub.library, hub, scenario)
    index = Index(book.price_index, book.settings["inflation"])
    level = float(index.level(np.array([scenario.price_year]))[0])
    places = frozenset(terms.places)
    asked = [p for p in book.policies.values() if places & set(p.jurisdiction)]
    life = ownership_years(tech, scenario)[options]
    real = scenario.decision.discount_rate
    for p, k in enumerate(options):
        for t, year in enumerate(drivers.years):
            ahead = np.arange(year, year + life[p])
            weight = (1.0 + real) ** -np.arange(1.0, life[p] + 1.0)
            deflated = level / index.level(ahead)
            for policy in asked:
                usd = _rates(book, policy, hub, tech, int(k), ahead, terms, index) * deflated
                if PER_CONTAINER in policy.quantity:
                    mean = float(usd @ weight) / float(annuity_factor(real, life[p]))
                    rate[p, t] -= mean * terms.loaded_teu_per_mile * mile
                elif PER_VEHICLE in policy.quantity:
                    voucher[p, t] += float(usd[0]) * terms.voucher_reach
    return {"port_rate": rate, "port_voucher": voucher}


def _rates(
    book: PolicyBook,
    policy: Policy,
    hub: Hub,
    tech: Technologies,
    k: int,
    ahead: IntArray,
    terms: TruckTerms,
    index: Index,
) -> FloatArray:
    """What one policy pays (or charges, negative) per unit in each year of a truck's life [nominal USD]."""
    quantity = next((q for q in policy.quantity if q in (PER_CONTAINER, PER_VEHICLE)), "")
    if not quantity:
        return np.zeros(len(ahead))
    day = dt.date(int(ahead[0]), 1, 1)
    facts: dict[str, Fact] = {
        "fleet_size": terms.fleet_size,
        "zero_emission_trucks": bool(tech.direct[k] <= 0),
    }
    truck = Applicant(
        name="truck",
        jurisdictions=frozenset({*hub.jurisdictions, *terms.places}),
        sector=str(tech.sector[k]),
        technology=str(tech.names[k]),
        construction_begins=day,
        in_service=day,
        years=ahead.astype(np.int64),
        quantities={quantity: np.ones(len(ahead))},
        facts=facts,
    )
    answer = answer_of(book, policy, truck, index)
    return np.zeros(len(ahead)) if answer.answer == "no" else np.asarray(answer.rate, dtype=np.float64)


def _frame(
    parts: Mapping[str, FloatArray],
    tech: Technologies,
    options: IntArray,
    drivers: Drivers,
    bought: IntArray,
    yearly: float,
    mile: float,
) -> pd.DataFrame:
    rate = drivers.scenario.decision.discount_rate
    life = ownership_years(tech, drivers.scenario)[options]
    whole = annuity_factor(rate, life) * yearly
    columns = np.searchsorted(drivers.years, bought)
    values = np.stack([parts[item][:, columns] for item in ITEMS])
    values = np.concatenate([values, values.sum(axis=0, keepdims=True)])
    items, option, year = (axis.ravel() for axis in np.indices(values.shape))
    return pd.DataFrame(
        {
            "year": bought[year],
            "technology": tech.names[options][option],
            "item": np.array([*ITEMS, "total"], dtype=object)[items],
            "usd_per_mile": values.ravel() / mile,
            "usd_life": values.ravel() * whole[option],
        }
    ).sort_values(["year", "technology"], kind="stable", ignore_index=True)
