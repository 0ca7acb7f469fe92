"""Levelised cost of the library's technologies, worked by hand from the rows of its file.

Prices are flat, so that a levelised price is the price: coal 4 and gas 8 USD/GJ, power
100 USD/MWh, allowances 80 USD/t, transport and storage of CO2 40 USD/t, at 8 % real.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.core.errors import InputError
from cleanhub.finance.technologies import Technologies, build_technologies
from cleanhub.finance.technology_costs import carrier_prices, unit_costs
from cleanhub.hub.library import FOLDER, Library, read_library
from cleanhub.hub.scenario import Decision, Scenario
from cleanhub.hub.series import Drivers

Row = Callable[..., float]
Market = Callable[..., Drivers]
COAL, GAS, POWER, ALLOWANCE, STORAGE = 4.0, 8.0, 100.0, 80.0, 40.0
GAS_CO2 = 0.05029  # t/GJ, carriers.csv


def recovery(years: int) -> float:
    """Capital recovery at 8 %."""
    return 0.08 / (1 - 1.08**-years)


@pytest.fixture(scope="module")
def full(tech: Technologies, market: Market, scenario: Scenario) -> Callable[[str], float]:
    """Levelised cost at flat prices; the same in every year."""
    costs = unit_costs(tech, market(scenario), 3)

    def cost(name: str) -> float:
        path = costs.full[tech.find(name)]
        np.testing.assert_allclose(path, path[0], rtol=1e-12)
        return float(path[0])

    return cost


# ---------------------------------------------------------------- by hand


def kiln_without_carbon(row: Row) -> float:
    name = "cement_dry_kiln"
    return (
        row(name, "capex", "EUR/(t/yr)") * recovery(30)
        + row(name, "fixed_opex", "EUR/(t/yr)/yr")
        + row(name, "variable_opex", "EUR/t")
        + row(name, "input", "GJ/t", "coal") * COAL
        + row(name, "input", "MWh/t", "electricity") * POWER
    )


def test_a_kiln(full: Callable[[str], float], row: Row) -> None:
    carbon = row("cement_dry_kiln", "direct_emissions", "t CO2e/t") * ALLOWANCE
    assert full("cement_dry_kiln") == pytest.approx(kiln_without_carbon(row) + carbon, rel=1e-9)


def test_capture_on_a_kiln_adds_to_the_kiln(
    full: Callable[[str], float], row: Row, tech: Technologies
) -> None:
    name = "cement_amine_capture"
    emitted = row("cement_dry_kiln", "direct_emissions", "t CO2e/t")
    captured = emitted * row(name, "capture_rate", "1") * row(name, "capture_reach", "1")
    gas = captured * row(name, "capture_input", "GJ/t", "natural_gas")
    power = captured * row(name, "capture_input", "MWh/t", "electricity")
    capital = captured * row(name, "capture_capex", "USD/(t/yr)")
    left = emitted - captured + gas * GAS_CO2  # the gas burnt for capture is not captured
    by_hand = (
        kiln_without_carbon(row)
        + capital * (recovery(25) + row(name, "capture_fixed_opex_share", "1/yr"))
        + gas * GAS
        + power * POWER
        + captured * STORAGE
        + left * ALLOWANCE
    )
    assert full(name) == pytest.approx(by_hand, rel=1e-9)
    k = tech.find(name)
    assert tech.direct[k] == pytest.approx(left)
    assert tech.captured[k] == pytest.approx(captured)
    assert tech.capex_added[k] == pytest.approx(capital)
    assert tech.capex[k] == pytest.approx(capital + tech.capex[tech.find("cement_dry_kiln")])


def test_capture_on_a_reformer_that_burns_more_gas(
    full: Callable[[str], float], row: Row, tech: Technologies
) -> None:
    base, name = "hydrogen_smr", "hydrogen_smr_capture"
    emitted = row(base, "direct_emissions", "t CO2e/t") + row(name, "emission_change", "t CO2e/t")
    captured = emitted * row(name, "capture_rate", "1")
    capital = captured * row(name, "capture_capex", "EUR/(t/yr)")
    gas = row(base, "input", "GJ/t", "natural_gas") + row(name, "input", "GJ/t", "natural_gas")
    by_hand = (
        row(base, "capex", "EUR/(t/yr)") * recovery(30)
        + row(base, "fixed_opex", "EUR/(t/yr)/yr")
        + capital * (recovery(25) + row(name, "capture_fixed_opex_share", "1/yr"))
        + gas * GAS
        + captured * row(name, "capture_input", "MWh/t", "electricity") * POWER
        + captured * STORAGE
        + (emitted - captured) * ALLOWANCE
    )
    assert full(name) == pytest.approx(by_hand, rel=1e-9)
    assert tech.direct[tech.find(name)] == pytest.approx(emitted * 0.08, rel=1e-6)


def test_a_heat_pump_replaces_part_of_a_boiler(full: Callable[[str], float], row: Row) -> None:
    base, name = "steam_gas_boiler", "steam_heat_pump"
    gas = row(base, "input", "GJ/MWh", "natural_gas") + row(name, "input", "GJ/MWh", "natural_gas")
    left = row(base, "direct_emissions", "t CO2e/MWh") + row(name, "emission_change", "t CO2e/MWh")
    by_hand = (
        row(base, "capex", "USD/(MWh/yr)") * recovery(25)
        + row(name, "capex", "USD/(MWh/yr)") * recovery(20)
        + row(base, "fixed_opex", "USD/(MWh/yr)/yr")
        + row(name, "fixed_opex", "USD/(MWh/yr)/yr")
        + gas * GAS
        + row(name, "input", "MWh/MWh", "electricity") * POWER
        + left * ALLOWANCE
    )
    assert full(name) == pytest.approx(by_hand, rel=1e-9)
    assert 0 < gas < row(base, "input", "GJ/MWh", "natural_gas")


def test_stored_biogenic_co2_is_paid_for_and_not_subtracted(
    full: Callable[[str], float], row: Row, tech: Technologies
) -> None:
    name = "hydrogen_biomass_capture"
    by_hand = (
        row(name, "capex", "EUR/(t/yr)") * recovery(25)
        + row(name, "fixed_opex", "USD/(t/yr)/yr")
        + row(name, "input", "t/t", "biomass") * 80.0
        + row(name, "input", "MWh/t", "electricity") * POWER
        + row(name, "input", "GJ/t", "natural_gas") * GAS
        + row(name, "captured_biogenic", "t/t") * STORAGE
    )
    assert full(name) == pytest.approx(by_hand, rel=1e-9)
    assert tech.direct[tech.find(name)] == 0.0


# ---------------------------------------------------------------- the library as a whole


def test_no_technology_emits_or_uses_less_than_nothing(tech: Technologies) -> None:
    for name in ("direct", "captured", "inputs", "capex", "capex_added", "minimum_site_t"):
        assert (getattr(tech, name) >= 0).all(), name
    assert (tech.lifetime > 0).all()
    assert (tech.cycle > 0).all()


def test_what_is_built_on_another_carries_its_base(tech: Technologies) -> None:
    on = np.flatnonzero(tech.base >= 0)
    assert len(on) >= 10
    base = tech.base[on]
    np.testing.assert_allclose(tech.capex[on] - tech.capex_added[on], tech.capex[base])
    charge = tech.capital_charge[on] - tech.capital_charge_added[on]
    np.testing.assert_allclose(charge, tech.capital_charge[base])
    assert (tech.fixed[on] >= tech.fixed[base]).all()
    alone = tech.base < 0
    np.testing.assert_array_equal(tech.capex[alone], tech.capex_added[alone])


def test_a_site_takes_the_default_of_its_product_before_that_of_its_sector(tech: Technologies) -> None:
    assert tech.names[tech.default_for("food", "steam")] == "steam_gas_boiler"
    assert tech.names[tech.default_for("cement", "")] == "cement_dry_kiln"
    assert tech.default_for("cement", "pineapples") == -1
    assert tech.default_for("agriculture", "") == -1
    assert tech.find("no such thing") == -1


def test_running_cost_leaves_only_the_capital_out(
    tech: Technologies, market: Market, scenario: Scenario
) -> None:
    costs = unit_costs(tech, market(scenario), 3)
    plants = ~tech.is_vehicle
    charge = (costs.full - costs.running)[plants]
    np.testing.assert_allclose(charge, np.repeat(tech.capital_charge[plants, None], charge.shape[1], axis=1))
    np.testing.assert_array_equal(costs.full[~plants], costs.running[~plants])


def test_the_price_year_moves_all_money_alike(library: Library, scenario: Scenario) -> None:
    now = build_technologies(library, scenario)
    then = build_technologies(library, scenario.model_copy(update={"price_year": 2015}))
    index = library.price_index.to_dollars("USD", 2015, 2024)
    assert index > 1.1
    for name in ("capex", "fixed", "variable", "capital_charge"):
        np.testing.assert_allclose(getattr(now, name), getattr(then, name) * index, rtol=1e-9, err_msg=name)
    np.testing.assert_array_equal(now.inputs, then.inputs)


# ---------------------------------------------------------------- units


@pytest.mark.parametrize(
    ("technology", "parameter", "carrier", "unit", "times"),
    [
        ("cement_dry_kiln", "input", "electricity", "kWh/t", 1000.0),
        ("cement_dry_kiln", "input", "coal", "MJ/t", 1000.0),
        ("cement_dry_kiln", "direct_emissions", "", "kg/t", 1000.0),
        ("cement_dry_kiln", "lifetime", "", "month", 12.0),
        ("cement_amine_capture", "capture_input", "electricity", "GJ/t", 3.6),
        ("cement_amine_capture", "minimum_site", "", "kt/yr", 0.001),
        ("hydrogen_smr_capture", "capture_rate", "", "%", 100.0),
        ("truck_class8_day_battery", "input", "electricity", "MWh/mi", 0.001),
        ("truck_class8_day_diesel", "input", "diesel", "l/km", 3.785411784 / 1.609344),
        ("steam_heat_pump", "capex", "", "USD/(GJ/yr)", 1 / 3.6),
    ],
)
def test_a_value_in_another_unit_is_the_same_value(
    library: Library,
    scenario: Scenario,
    tech: Technologies,
    technology: str,
    parameter: str,
    carrier: str,
    unit: str,
    times: float,
) -> None:
    table = library.tables["technology_parameters"].copy()
    mine = (table["technology"] == technology) & (table["parameter"] == parameter)
    mine &= table["carrier"] == carrier
    assert mine.sum() == 1
    table.loc[mine, "value"] *= times
    table.loc[mine, "unit"] = unit
    other = replace(library, tables={**library.tables, "technology_parameters": table})
    _same(build_technologies(other, scenario), tech)


def test_a_library_written_in_dollars_costs_what_it_did_in_euro(
    library_folder: Callable[..., Path], scenario: Scenario, tech: Technologies, row: Row
) -> None:
    in_dollars = repr(row("cement_dry_kiln", "capex", "EUR/(t/yr)"))
    folder = library_folder(
        "cement_dry_kiln", "capex", value=in_dollars, unit="USD/(t/yr)", currency_year="2024"
    )
    _same(build_technologies(read_library(folder), scenario), tech)


def _same(one: Technologies, other: Technologies) -> None:
    for name in ("capex", "capital_charge", "fixed", "variable", "inputs", "direct", "captured"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, err_msg=name)
    np.testing.assert_array_equal(one.lifetime, other.lifetime)
    np.testing.assert_allclose(one.minimum_site_t, other.minimum_site_t)


def line_of(start: str) -> int:
    lines = (FOLDER / "technology_parameters.csv").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(start))


def test_a_unit_that_does_not_fit_is_named_with_its_row(library: Library, scenario: Scenario) -> None:
    table = library.tables["technology_parameters"].copy()
    wrong = {"cement_dry_kiln,capex,": "EUR/km", "truck_class8_day_diesel,input,diesel,": "gal/t"}
    for start, unit in wrong.items():
        table.loc[line_of(start), "unit"] = unit
    broken = replace(library, tables={**library.tables, "technology_parameters": table})
    with pytest.raises(InputError) as caught:
        build_technologies(broken, scenario)
    faults = {fault.row: fault for fault in caught.value.faults}
    assert set(faults) == {line_of(start) for start in wrong}
    first = faults[line_of("cement_dry_kiln,capex,")]
    assert first.file == "technology_parameters.csv"
    assert first.column == "unit"
    assert first.found == "EUR/km"
    assert "USD/((t)/yr)" in first.allowed
    assert "cement_dry_kiln" in first.line()


def test_a_missing_unit_is_named_with_its_row(library_folder: Callable[..., Path]) -> None:
    with pytest.raises(InputError) as caught:
        read_library(library_folder("cement_dry_kiln", "variable_opex", unit=""))
    [fault] = caught.value.faults
    assert fault.file == "technology_parameters.csv"
    assert (fault.row, fault.column) == (line_of("cement_dry_kiln,variable_opex,"), "unit")


def test_a_technology_must_say_what_it_emits(library: Library, scenario: Scenario) -> None:
    table = library.tables["technology_parameters"]
    silent = table[~((table["technology"] == "lime_kiln") & (table["parameter"] == "direct_emissions"))]
    broken = replace(library, tables={**library.tables, "technology_parameters": silent})
    with pytest.raises(InputError, match="lime_kiln has no direct_emissions"):
        build_technologies(broken, scenario)


def test_a_price_in_a_unit_of_something_else_is_refused(
    tech: Technologies, market: Market, scenario: Scenario
) -> None:
    drivers = market(scenario, {"price_coal": (4.0, "USD/MW")})
    with pytest.raises(InputError) as caught:
        unit_costs(tech, drivers, 3)
    [fault] = caught.value.faults
    assert "price_coal" in fault.what
    assert fault.found == "USD/MW"
    assert fault.allowed == "USD/(GJ)"


# ---------------------------------------------------------------- prices


@settings(max_examples=30, deadline=None)
@given(price=st.floats(0, 1000))
def test_the_cost_of_emitting_is_proportional_to_what_is_emitted(
    tech: Technologies, market: Market, scenario: Scenario, price: float
) -> None:
    free = unit_costs(tech, market(scenario, {"carbon": (0.0, "USD/t")}), 3)
    priced = unit_costs(tech, market(scenario, {"carbon": (price, "USD/t")}), 3)
    rise = priced.full - free.full
    wanted = np.repeat(price * tech.direct[:, None], rise.shape[1], axis=1)
    np.testing.assert_allclose(rise, wanted, rtol=1e-9, atol=1e-9)


def test_without_a_carbon_price_emitting_is_free(
    tech: Technologies, market: Market, scenario: Scenario
) -> None:
    none = scenario.model_copy(update={"carbon_price": None})
    free = unit_costs(tech, market(none), 3)
    zero = unit_costs(tech, market(scenario, {"carbon": (0.0, "USD/t")}), 3)
    np.testing.assert_array_equal(free.full, zero.full)
    assert not free.carbon_price.any()


def test_plants_look_ahead_over_one_horizon_and_vehicles_over_their_life(
    tech: Technologies, market: Market, scenario: Scenario
) -> None:
    rising = {"carbon": ({2022: 0.0, 2060: 380.0}, "USD/t")}  # 10 USD/t more each year
    short = scenario.model_copy(update={"end_year": 2100, "decision": Decision(horizon=12)})
    ahead = unit_costs(tech, market(short, rising), 3).carbon_ahead
    plants = ~tech.is_vehicle
    assert len(set(tech.lifetime[plants])) > 3
    weights = 1.08 ** -np.arange(1, 13)
    by_hand = (np.arange(1, 13) * 10 * weights).sum() / weights.sum()
    np.testing.assert_allclose(ahead[plants, 0], by_hand)
    assert len(set(tech.lifetime[~plants])) > 1
    for k in np.flatnonzero(~plants):
        years = np.arange(1, tech.lifetime[k] + 1)
        weights = 1.08**-years
        np.testing.assert_allclose(ahead[k, 0], (years * 10 * weights).sum() / weights.sum())


def test_a_sector_may_pay_its_own_price_for_a_carrier(
    tech: Technologies, market: Market, scenario: Scenario
) -> None:
    own = {"price_electricity_trucking": (0.25, "USD/kWh")}
    prices = carrier_prices(tech, market(scenario, own))
    power = int(np.flatnonzero(tech.carriers == "electricity")[0])
    trucks = tech.sector == "trucking"
    np.testing.assert_allclose(prices[trucks, power], 250.0)
    np.testing.assert_allclose(prices[~trucks, power], 100.0)


def test_a_carrier_without_a_price_is_free(tech: Technologies, market: Market, scenario: Scenario) -> None:
    prices = carrier_prices(tech, market(scenario))
    oxygen = int(np.flatnonzero(tech.carriers == "oxygen")[0])
    assert not prices[:, oxygen].any()


def test_a_cost_rests_on_its_weakest_input(library: Library, scenario: Scenario) -> None:
    table = library.tables["technology_parameters"].copy()
    table["confidence"] = "seen"
    table.loc[line_of("cement_dry_kiln,lifetime,"), "confidence"] = "recalled"
    tech = build_technologies(
        replace(library, tables={**library.tables, "technology_parameters": table}), scenario
    )
    words = dict(zip(tech.names, tech.confidence, strict=True))
    assert words["cement_dry_kiln"] == "recalled"
    assert words["cement_amine_capture"] == "recalled", "through the kiln it is built on"
    assert words["cement_electric_kiln"] == "seen"


def test_an_empty_library_is_no_error(library: Library, scenario: Scenario) -> None:
    tables = {
        **library.tables,
        "technologies": library.tables["technologies"].iloc[:0],
        "technology_parameters": library.tables["technology_parameters"].iloc[:0],
    }
    tech = build_technologies(replace(library, tables=tables), scenario)
    assert tech.inputs.shape == (0, len(library.tables["carriers"]))
    assert tech.default_for("cement", "clinker") == -1
