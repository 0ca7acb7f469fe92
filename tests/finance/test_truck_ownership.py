"""Cost of owning drayage trucks by item, by hand and against the function it is built on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from cleanhub.core.errors import InputError
from cleanhub.finance.annuity import annuity_factor, capital_recovery_factor
from cleanhub.finance.ownership import total_cost_of_ownership
from cleanhub.finance.technologies import build_technologies
from cleanhub.finance.technology_costs import unit_costs
from cleanhub.finance.truck_ownership import ITEMS, TruckTerms, truck_cost_table
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.series import Drivers

DIESEL = "truck_class8_day_diesel"
BATTERY = "truck_class8_day_battery"
FUEL_CELL = "truck_class8_day_fuel_cell"
DRAYAGE = "trucks-drayage"
YEARS = np.array([2026, 2030, 2036])
PORTS = TruckTerms(loaded_teu_per_mile=0.02, places=("POLA", "POLB"), fleet_size=10.0, voucher_reach=1.0)

Table = Callable[..., pd.DataFrame]


@pytest.fixture(scope="module")
def table(california: Hub, california_baseline: Scenario) -> Table:
    def build(
        terms: TruckTerms = TruckTerms(),  # noqa: B008
        price: object = None,
        scenario: Scenario | None = None,
        years: np.ndarray = YEARS,
    ) -> pd.DataFrame:
        found = truck_cost_table(california, scenario or california_baseline, price, terms, DRAYAGE, years)
        return found.pivot_table(index=["technology", "item"], columns="year", values="usd_per_mile")

    return build


def test_the_table_has_every_item_and_adds_up(california: Hub, california_baseline: Scenario) -> None:
    got = truck_cost_table(california, california_baseline, 0.3, PORTS, DRAYAGE, YEARS)
    assert list(got.columns) == ["year", "technology", "item", "usd_per_mile", "usd_life"]
    assert set(got["technology"]) == {DIESEL, BATTERY, FUEL_CELL}
    assert len(got) == 3 * 3 * (len(ITEMS) + 1)
    wide = got.pivot_table(index=["year", "technology"], columns="item", values="usd_per_mile")
    np.testing.assert_allclose(wide[list(ITEMS)].sum(axis=1), wide["total"], rtol=1e-12)


def test_without_terms_it_is_the_cost_that_buyers_of_pathways_see(
    california: Hub, california_baseline: Scenario, table: Table
) -> None:
    tech = build_technologies(california.library, california_baseline)
    drivers = Drivers(california, california_baseline, np.arange(2026, 2051))
    costs = unit_costs(tech, drivers, 0)
    options = np.array([tech.find(name) for name in (DIESEL, BATTERY, FUEL_CELL)])
    got = table()
    for t, year in ((0, 2026), (4, 2030)):
        by_hand = total_cost_of_ownership(
            tech,
            options,
            costs.running[options, t],
            costs.vehicle_credit[options, t],
            912_000_000 / 24_000,
            np.ones(len(tech.names)),
        )
        totals = [got.loc[(name, "total"), year] for name in (DIESEL, BATTERY, FUEL_CELL)]
        np.testing.assert_allclose(totals, by_hand, rtol=1e-9)


def test_capital_by_hand(california: Hub, california_baseline: Scenario, table: Table) -> None:
    tech = build_technologies(california.library, california_baseline)
    price = tech.capex[tech.find(BATTERY)]
    yearly = price * float(capital_recovery_factor(0.08, 10)) / 50_000.0
    got = table(TruckTerms(yearly_miles=50_000.0))
    assert got.loc[(BATTERY, "capital"), 2026] == pytest.approx(yearly)


def test_the_delivered_price_pays_for_the_energy(california_baseline: Scenario, table: Table) -> None:
    terms = TruckTerms(energy={BATTERY: 0.0021}, upkeep_usd_per_mile={BATTERY: 0.11})
    got = table(terms, price=0.30)
    assert got.loc[(BATTERY, "energy"), 2026] == pytest.approx(2.1 * 0.30)
    assert got.loc[(BATTERY, "upkeep"), 2026] == pytest.approx(0.11)
    assert got.loc[(DIESEL, "energy"), 2026] == table().loc[(DIESEL, "energy"), 2026]


def test_a_price_by_year_is_levelised_over_the_life(table: Table) -> None:
    terms = TruckTerms(energy={BATTERY: 0.001})
    prices = {2026: 0.2, 2036: 0.4}
    got = table(terms, price=prices).loc[(BATTERY, "energy"), 2026]
    ahead = np.interp(np.arange(2027, 2037), [2026, 2036], [0.2, 0.4])
    weight = 1.08 ** -np.arange(1.0, 11.0)
    assert got == pytest.approx(float(ahead @ weight / weight.sum()))


def test_dearer_power_never_makes_battery_cheaper(table: Table) -> None:
    totals = [table(price=price).loc[(BATTERY, "total"), 2030] for price in (0.1, 0.2, 0.3, 0.5)]
    assert totals == sorted(totals)


def test_credits_follow_the_energy(table: Table) -> None:
    """Twice the energy earns twice the fuel credits."""
    one = table(TruckTerms(energy={BATTERY: 0.001})).loc[(BATTERY, "credits")]
    two = table(TruckTerms(energy={BATTERY: 0.002})).loc[(BATTERY, "credits")]
    assert one[2026] < 0
    np.testing.assert_allclose(two, 2 * one)


def test_time_at_chargers_by_hand(table: Table) -> None:
    terms = TruckTerms(waiting_hours_per_mile={BATTERY: 0.002}, hour_usd=90.89)
    got = table(terms)
    assert got.loc[(BATTERY, "waiting"), 2026] == pytest.approx(0.18178)
    assert got.loc[(DIESEL, "waiting"), 2026] == 0.0


def test_the_ports_rate_is_paid_by_diesel_until_it_ends(
    california: Hub, california_baseline: Scenario, table: Table
) -> None:
    """10 nominal USD per TEU to the end of 2034: a truck of 2026 pays for nine of its ten years."""
    got = table(PORTS)
    rate = got.loc[(DIESEL, "port_rate")]
    assert got.loc[(BATTERY, "port_rate"), 2026] == 0.0
    assert got.loc[(FUEL_CELL, "port_rate"), 2030] == 0.0
    most = 10.0 * 0.02
    share = float(annuity_factor(0.08, 9) / annuity_factor(0.08, 10))
    assert 0.75 * most * share < rate[2026] < most * share
    assert 0 < rate[2030] < rate[2026]
    assert rate[2036] == 0.0
    double = table(dataclasses.replace(PORTS, loaded_teu_per_mile=0.04)).loc[(DIESEL, "port_rate")]
    np.testing.assert_allclose(double, 2 * rate)


def test_away_from_the_ports_neither_rate_nor_voucher(table: Table) -> None:
    away = dataclasses.replace(PORTS, places=())
    got = table(away)
    assert got.loc[(DIESEL, "port_rate"), 2026] == 0.0
    assert got.loc[(BATTERY, "vouchers"), 2026] > table(PORTS).loc[(BATTERY, "vouchers"), 2026]


def test_small_fleets_get_more_and_large_ones_nothing_from_the_port(table: Table) -> None:
    def voucher(fleet: float) -> float:
        terms = dataclasses.replace(PORTS, fleet_size=fleet)
        return float(table(terms).loc[(BATTERY, "vouchers"), 2026])

    base = float(table(dataclasses.replace(PORTS, voucher_reach=0.0)).loc[(BATTERY, "vouchers"), 2026])
    small, middle, large = (base - voucher(fleet) for fleet in (10.0, 30.0, 60.0))
    assert small > middle > large == pytest.approx(0.0)
    assert middle / small == pytest.approx(0.75)


def test_vouchers_never_exceed_the_price(
    california: Hub, california_baseline: Scenario, table: Table
) -> None:
    got = table(dataclasses.replace(PORTS, voucher_reach=50.0))
    paid = got.loc[(BATTERY, "capital"), 2026] + got.loc[(BATTERY, "vouchers"), 2026]
    assert paid == pytest.approx(0.0, abs=1e-9)


def test_switching_a_policy_off_takes_its_money_away(california_baseline: Scenario, table: Table) -> None:
    from cleanhub.hub.scenario import PolicyChoice

    off = {
        "clean-truck-fund-rate": PolicyChoice(off=True),
        "clean-truck-fund-voucher": PolicyChoice(off=True),
    }
    without = california_baseline.model_copy(update={"policies": {**california_baseline.policies, **off}})
    got, plain = table(PORTS, scenario=without), table(TruckTerms())
    assert got.loc[(DIESEL, "port_rate"), 2026] == 0.0
    assert got.loc[(BATTERY, "vouchers"), 2026] == pytest.approx(plain.loc[(BATTERY, "vouchers"), 2026])


def test_cost_over_the_life_is_its_present_value(california: Hub, california_baseline: Scenario) -> None:
    terms = TruckTerms(yearly_miles=40_000.0)
    got = truck_cost_table(california, california_baseline, None, terms, DRAYAGE, YEARS)
    np.testing.assert_allclose(
        got["usd_life"], got["usd_per_mile"] * 40_000.0 * float(annuity_factor(0.08, 10)), rtol=1e-12
    )


def test_order_of_magnitude_of_t3co(california: Hub, california_baseline: Scenario) -> None:
    """T3CO's demonstration, four years of 74,563 miles: battery 1.3 to 1.5 times diesel.

    Ours spreads capital over ten years and has Californian prices; the ratio must be near.
    """
    terms = TruckTerms(yearly_miles=74_563.0, upkeep_usd_per_mile={BATTERY: 0.15})
    no_policy = california_baseline.model_copy(update={"credits": (), "carbon_price": None})
    got = truck_cost_table(california, no_policy, 0.158, terms, DRAYAGE, np.array([2026]))
    total = got[got["item"] == "total"].set_index("technology")["usd_per_mile"]
    assert 0.8 < total[BATTERY] / total[DIESEL] < 1.5
    assert 0.8 < total[DIESEL] < 1.6


def test_what_cannot_be_is_named(california: Hub, california_baseline: Scenario) -> None:
    with pytest.raises(InputError, match="no such cohort"):
        truck_cost_table(california, california_baseline, None, TruckTerms(), "nobody", YEARS)
    cohorts = california.tables["cohorts"]
    bare = cohorts.assign(technology="", activity=0.0)
    hub = dataclasses.replace(california, tables={**california.tables, "cohorts": bare})
    with pytest.raises(InputError) as caught:
        truck_cost_table(hub, california_baseline, None, TruckTerms(), DRAYAGE, YEARS)
    assert {fault.column for fault in caught.value.faults} == {"technology", "activity"}
    assert all(fault.row == 2 for fault in caught.value.faults)
