"""Levelised cost of technologies per unit of product, by decision year, from the prices of a hub.

The levelised cost of a technology at a decision year is

    annualised capital + fixed + variable + inputs at levelised prices
    + direct emissions at the levelised carbon price + CO2 transport and storage - credits.

Money is in US dollars of the scenario's price year.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList, InputError
from cleanhub.finance.annuity import annuity_factor, levelised_prices
from cleanhub.finance.policy_credits import PolicyCredits, Takers
from cleanhub.finance.technologies import Technologies
from cleanhub.hub.credits import reach_ends, reach_of
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.series import Drivers

FloatArray = NDArray[np.float64]
STORAGE_PRICE = "co2_transport_storage"


@dataclass(frozen=True)
class UnitCosts:
    """Cost of one unit of product by technology and decision year, in dollars of the price year.

    ``full`` includes capital, ``running`` does not; ``credits`` (already inside both) is
    what the credits are worth per unit. All have shape (K, T). ``prices`` holds yearly
    carrier prices (K, C, T), ``carbon_price`` and ``storage_price`` yearly prices (T,),
    ``carbon_ahead`` the levelised carbon price (K, T), ``yearly_credit`` what credits on
    carriers pay per unit in each year (K, T). ``priced`` says whether the hub prices every
    carrier a technology uses and, where it captures CO2, its storage (K,).
    """

    full: FloatArray
    running: FloatArray
    credits: FloatArray
    vehicle_credit: FloatArray
    prices: FloatArray
    carbon_price: FloatArray
    carbon_ahead: FloatArray
    storage_price: FloatArray
    yearly_credit: FloatArray
    priced: NDArray[np.bool_]


def unit_costs(tech: Technologies, drivers: Drivers, lead_time: int) -> UnitCosts:
    """Levelised cost of every technology for operation that starts in each year.

    ``lead_time`` years lie between the decision, which fixes the credits of the day, and
    the start of operation. Yearly distance of vehicles is not known here: their capital and
    fixed cost are left out (see :mod:`cleanhub.finance.ownership`).
    """
    scenario = drivers.scenario
    rate = scenario.decision.discount_rate
    prices = carrier_prices(tech, drivers)
    carbon = _optional(drivers, scenario.carbon_price, "USD/t")
    storage = _optional(drivers, STORAGE_PRICE, "USD/t")
    life = ownership_years(tech, drivers.scenario)
    ahead = _levelised_by_technology(prices, rate, life)
    energy = np.einsum("kc,kct->kt", tech.inputs, ahead)
    carbon_ahead = levelised_prices(carbon, rate, life)
    storage_ahead = levelised_prices(storage, rate, life)
    credits = _Credits(tech, drivers, lead_time)
    vehicles = tech.is_vehicle
    running = (
        np.where(vehicles, 0.0, tech.fixed)[:, None]
        + tech.variable[:, None]
        + energy
        + tech.direct[:, None] * carbon_ahead
        + tech.captured[:, None] * storage_ahead
        - credits.per_unit
    )
    charge = np.where(vehicles, 0.0, tech.capital_charge)
    return UnitCosts(
        full=running + charge[:, None],
        running=running,
        credits=credits.per_unit,
        vehicle_credit=credits.per_vehicle,
        prices=prices,
        carbon_price=carbon,
        carbon_ahead=carbon_ahead,
        storage_price=storage,
        yearly_credit=credits.yearly,
        priced=np.asarray(~missing_prices(tech, drivers).any(axis=1)),
    )


def missing_prices(tech: Technologies, drivers: Drivers) -> NDArray[np.bool_]:
    """What each technology uses that the hub has no price for, shape (K, C + 1).

    The columns are the carriers, then CO2 transport and storage. A technology with such a
    gap would look cheap for want of data, so it is not offered.
    """
    carriers = np.zeros((len(tech.names), len(tech.carriers)), dtype=bool)
    for c, carrier in enumerate(tech.carriers):
        if drivers.has(str(tech.price_drivers[c])):
            continue
        special = np.array([drivers.has(f"price_{carrier}_{sector}") for sector in tech.sector], dtype=bool)
        carriers[:, c] = (tech.inputs[:, c] > 0) & ~special
    storage = (tech.captured > 0) & (not drivers.has(STORAGE_PRICE))
    return np.column_stack([carriers, storage])


def ownership_years(tech: Technologies, scenario: Scenario) -> NDArray[np.int64]:
    """Years over which owners weigh running costs, shape (K,) [yr].

    Plants of one kind are compared over the scenario's common horizon, whatever their
    lifetimes, so that a rising price weighs on all alike; vehicles over their own life.
    """
    horizon = scenario.decision.horizon
    return np.where(tech.is_vehicle, np.maximum(tech.lifetime, 1), horizon).astype(np.int64)


def carrier_prices(tech: Technologies, drivers: Drivers) -> FloatArray:
    """Yearly carrier prices by technology, shape (K, C, T) [USD per carrier unit].

    A driver ``price_<carrier>_<sector>`` is used for the technologies of that sector where
    the hub has one; else the carrier's own price driver; a carrier without either is free.
    """
    out = np.zeros((len(tech.names), len(tech.carriers), len(drivers.years)))
    for c, carrier in enumerate(tech.carriers):
        unit = f"USD/({tech.carrier_units[c]})"
        common = _optional(drivers, str(tech.price_drivers[c]), unit)
        out[:, c] = common
        for sector in set(tech.sector):
            special = f"price_{carrier}_{sector}"
            if drivers.has(special):
                out[tech.sector == sector, c] = _optional(drivers, special, unit)
    return out


def _levelised_by_technology(prices: FloatArray, rate: float, life: NDArray[np.int64]) -> FloatArray:
    out = np.empty_like(prices)
    for years in np.unique(life):
        mine = life == years
        out[mine] = levelised_prices(prices[mine], rate, np.array([years]))[0]
    return out


def _optional(drivers: Drivers, name: str | None, *units: str) -> FloatArray:
    """The driver in the first of ``units`` that fits it, or zeros when the hub lacks it."""
    if not name or not drivers.has(name):
        return np.zeros(len(drivers.years))
    for unit in units:
        try:
            return drivers.series(name, unit).values
        except ValueError:
            continue
    faults = FaultList()
    found = drivers.series(name).unit
    faults.add("drivers.csv", None, "unit", what=f"unit of {name}", found=found, allowed=" or ".join(units))
    raise InputError("drivers", faults.faults)


class _Credits:
    """Value of the scenario's credits per unit of product, by technology and starting year."""

    def __init__(self, tech: Technologies, drivers: Drivers, lead_time: int) -> None:
        self.tech = tech
        self.drivers = drivers
        self.lead = lead_time
        self.life = ownership_years(tech, drivers.scenario)
        count = len(drivers.years)
        self.per_unit = np.zeros((len(tech.names), count))
        self.per_vehicle = np.zeros((len(tech.names), count))
        self.yearly = np.zeros((len(tech.names), count))
        table = drivers.hub.tables["credits"]
        wanted = table[table["credit"].isin(drivers.scenario.credits)]
        asked = set(wanted["policy"]) - {""}
        self.policies = PolicyCredits(drivers, asked) if asked else None
        rows = {row["credit"]: (int(str(line)), row) for line, row in wanted.iterrows()}
        values = {name: self._value(row, line) for name, (line, row) in rows.items()}
        for name, (_, row) in rows.items():
            mine = values[name]
            for other, rival in values.items():
                if other != name and self._exclude(row, rows[other][1]):
                    better = (mine > rival) | ((mine == rival) & (name < other))
                    mine = np.where(better, mine, 0.0)
            if row["basis"] == "vehicle":
                self.per_vehicle += mine
            else:
                self.per_unit += mine

    def _exclude(self, row: pd.Series, other: pd.Series) -> bool:
        if self.policies is not None and row["policy"] and other["policy"]:
            return self.policies.exclude(str(row["policy"]), str(other["policy"]))
        return bool(row["excludes"] == other["credit"] or other["excludes"] == row["credit"])

    def _value(self, row: pd.Series, line: int) -> FloatArray:
        rate, basis = self.drivers.scenario.decision.discount_rate, str(row["basis"])
        paid = np.minimum(self._years_paid(row), self.life)
        share = annuity_factor(rate, paid) / annuity_factor(rate, self.life)
        amount, units = self._quantity(row)
        tech = self.tech
        takers = Takers(amount > 0, tech.names, tech.sector, tech.product, units, paid)
        if basis == "vehicle":
            return amount[:, None] * self._by_year(row, line, takers)
        if basis.startswith("carrier_"):
            yearly = self._by_year(row, line, takers)
            self.yearly += amount[:, None] * yearly
            return amount[:, None] * share[:, None] * _levelised_by_technology(yearly, rate, paid)
        if self.policies is not None and row["policy"]:
            at_decision = self.policies.for_plants(row, line, takers, self.lead)
        else:
            decided = np.maximum(np.arange(self.yearly.shape[1]) - self.lead, 0)
            at_decision = self._driver(row, takers)[:, decided]
        return amount[:, None] * share[:, None] * at_decision * self._reach(row)

    def _by_year(self, row: pd.Series, line: int, takers: Takers) -> FloatArray:
        if self.policies is not None and row["policy"]:
            return self.policies.by_year(row, line, takers) * self._reach(row)
        return self._driver(row, takers) * self._reach(row)

    def _driver(self, row: pd.Series, takers: Takers) -> FloatArray:
        units = sorted({f"USD/({unit})" for unit in takers.unit[takers.eligible]})
        units += ["USD"] if row["basis"] == "vehicle" else []
        if not takers.eligible.any():
            return np.zeros((len(takers.paid), self.yearly.shape[1]))
        return np.tile(_optional(self.drivers, str(row["driver"]), *units), (len(takers.paid), 1))

    def _years_paid(self, row: pd.Series) -> int:
        """Years paid at most: the row's or the policy's, whichever ends first; at least one."""
        ends = [int(row["years_paid"])] if pd.notna(row["years_paid"]) else []
        if self.policies is not None and row["policy"]:
            law = self.policies.years_paid(str(row["policy"]))
            ends += [law] if law is not None else []
        return max(min(ends, default=int(self.life.max(initial=1))), 1)

    def _reach(self, row: pd.Series) -> float:
        scenario = self.drivers.scenario
        policy, driver = str(row["policy"]), str(row["driver"])
        end = (scenario.policy_choice(policy) if policy else scenario.driver_choice(driver)).range
        low, high = reach_ends(row)
        return {"low": low, "value": reach_of(row), "high": high}[end]

    def _quantity(self, row: pd.Series) -> tuple[FloatArray, NDArray[np.object_]]:
        """Yearly amount that is paid for per unit of product, or per vehicle, and its unit, shape (K,)."""
        tech, basis = self.tech, str(row["basis"])
        eligible = np.ones(len(tech.names), dtype=bool)
        if row["sector"]:
            eligible &= tech.sector == row["sector"]
        if row["technology"]:
            named = {part.strip() for part in str(row["technology"]).split(";")}
            eligible &= np.isin(tech.names, list(named))
        amount, unit = np.ones(len(tech.names)), tech.unit
        if basis == "captured_co2":
            amount, unit = tech.captured, np.full(len(tech.names), "t", dtype=object)
        elif basis == "vehicle":
            unit = np.full(len(tech.names), "vehicle", dtype=object)
        elif basis.startswith("carrier_"):
            where = np.flatnonzero(tech.carriers == basis.removeprefix("carrier_"))
            amount = tech.inputs[:, where[0]] if len(where) else np.zeros(len(tech.names))
            counted = str(tech.carrier_units[where[0]]) if len(where) else "MWh"
            unit = np.full(len(tech.names), counted, dtype=object)
        return np.where(eligible, amount, 0.0), unit
