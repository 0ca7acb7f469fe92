"""Total cost of ownership of trucks, by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.finance.ownership import total_cost_of_ownership as cost_of_owning
from cleanhub.finance.technologies import Technologies
from cleanhub.finance.technology_costs import UnitCosts, unit_costs
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.series import Drivers

DIESEL, BATTERY = "truck_class8_day_diesel", "truck_class8_day_battery"
RECOVERY_10_YEARS = 0.08 / (1 - 1.08**-10)
VOUCHER = {"credit": "voucher", "driver": "voucher_class8", "basis": "vehicle", "technology": BATTERY}


def total_cost_of_ownership(tech: Technologies, costs: UnitCosts, yearly: float) -> np.ndarray:
    """Of every technology in every year, (K, T), before anything is learnt."""
    every, ones = np.arange(len(tech.names)), np.ones(len(tech.names))
    years = range(costs.running.shape[1])
    columns = [
        cost_of_owning(tech, every, costs.running[:, t], costs.vehicle_credit[:, t], yearly, ones)
        for t in years
    ]
    return np.column_stack(columns)


@pytest.fixture(scope="module")
def costs(tech: Technologies, market: Callable[..., Drivers], scenario: Scenario) -> UnitCosts:
    return unit_costs(tech, market(scenario), 3)


def test_a_diesel_truck_by_hand(tech: Technologies, costs: UnitCosts, row: Callable[..., float]) -> None:
    miles = 60_000.0
    capital = row(DIESEL, "capex", "USD/vehicle") * RECOVERY_10_YEARS / miles
    fuel = row(DIESEL, "input", "gal/mi", "diesel") * 5.0
    carbon = row(DIESEL, "direct_emissions", "t CO2e/mi") * 80.0
    by_hand = capital + fuel + carbon + row(DIESEL, "variable_opex", "USD/mi")
    got = total_cost_of_ownership(tech, costs, miles)[tech.find(DIESEL)]
    np.testing.assert_allclose(got, by_hand, rtol=1e-12)
    assert 1.0 < by_hand < 2.0  # USD/mi, as fleets report it


def test_a_battery_truck_pays_for_kilowatt_hours_in_megawatt_hours(
    tech: Technologies, costs: UnitCosts, row: Callable[..., float]
) -> None:
    miles = 60_000.0
    capital = row(BATTERY, "capex", "USD/vehicle") * RECOVERY_10_YEARS / miles
    power = row(BATTERY, "input", "kWh/mi", "electricity") / 1000 * 100.0
    by_hand = capital + power + row(BATTERY, "variable_opex", "USD/mi")
    got = total_cost_of_ownership(tech, costs, miles)[tech.find(BATTERY)]
    np.testing.assert_allclose(got, by_hand, rtol=1e-12)


@settings(max_examples=25, deadline=None)
@given(voucher=st.floats(0, 2e6), miles=st.floats(1_000, 200_000))
def test_a_voucher_reduces_the_capital_and_never_below_nothing(
    tech: Technologies,
    market: Callable[..., Drivers],
    scenario: Scenario,
    row: Callable[..., float],
    voucher: float,
    miles: float,
) -> None:
    paid = scenario.model_copy(update={"credits": ("voucher",)})
    drivers = market(paid, {"voucher_class8": (voucher, "USD/vehicle")}, [VOUCHER])
    with_voucher = unit_costs(tech, drivers, 3)
    k = tech.find(BATTERY)
    got = total_cost_of_ownership(tech, with_voucher, miles)
    capital = max(row(BATTERY, "capex", "USD/vehicle") - voucher, 0.0) * RECOVERY_10_YEARS / miles
    np.testing.assert_allclose(got[k] - with_voucher.running[k], capital, rtol=1e-7, atol=1e-9)
    without = total_cost_of_ownership(tech, unit_costs(tech, market(scenario), 3), miles)
    others = np.arange(len(tech.names)) != k
    np.testing.assert_array_equal(got[others], without[others])


@given(miles=st.floats(1_000, 200_000))
def test_whoever_drives_twice_as_far_pays_half_the_capital_a_mile(
    tech: Technologies, costs: UnitCosts, miles: float
) -> None:
    trucks = tech.is_vehicle
    once = (total_cost_of_ownership(tech, costs, miles) - costs.running)[trucks]
    twice = (total_cost_of_ownership(tech, costs, 2 * miles) - costs.running)[trucks]
    np.testing.assert_allclose(once, 2 * twice, rtol=1e-9)
    assert (once > 0).all()


def test_a_yearly_fee_is_spread_over_the_distance(tech: Technologies, costs: UnitCosts) -> None:
    dearer = replace(tech, fixed=tech.fixed + 6_000.0)
    more = total_cost_of_ownership(dearer, costs, 60_000.0) - total_cost_of_ownership(tech, costs, 60_000.0)
    np.testing.assert_allclose(more, 0.1, rtol=1e-9)


def test_a_vehicle_without_capital_costs_its_running(tech: Technologies, costs: UnitCosts) -> None:
    free = replace(tech, capex=tech.capex * 0, capital_charge=tech.capital_charge * 0, fixed=tech.fixed * 0)
    np.testing.assert_array_equal(total_cost_of_ownership(free, costs, 60_000.0), costs.running)


def test_learning_takes_its_share_off_the_capital_alone(tech: Technologies, costs: UnitCosts) -> None:
    k = np.array([tech.find(BATTERY)])
    running, none = costs.running[k, 0], np.zeros(1)
    half = np.where(np.arange(len(tech.names)) == k[0], 0.5, 1.0)
    dear = cost_of_owning(tech, k, running, none, 60_000.0, np.ones(len(half)))
    cheap = cost_of_owning(tech, k, running, none, 60_000.0, half)
    fixed = tech.fixed[k] / 60_000.0
    np.testing.assert_allclose(cheap - running - fixed, 0.5 * (dear - running - fixed), rtol=1e-12)
