"""The last day of a law and the day after it; the years it pays; figures worked out by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cleanhub.hub.library import Library
from cleanhub.policy.applicant import Answer, Applicant

Make = Callable[..., Applicant]
Ask = Callable[..., Answer]


def deflator(library: Library, year: int, inflation: float) -> float:
    """The deflator of a year, extended beyond the index as the policy room promises."""
    rows = library.tables["price_index"]
    rows = rows[rows["series"] == "usd_gdp_deflator"].set_index("year")["value"]
    last = int(rows.index.max())
    return float(rows[min(year, last)]) * (1 + inflation) ** max(year - last, 0)


@pytest.mark.parametrize(("begins", "answer"), [("2027-12-31", "pays"), ("2028-01-01", "no")])
def test_construction_begun_by_the_end_of_2027_gets_45v(
    hydrogen: Make, ask: Ask, begins: str, answer: str
) -> None:
    found = ask("45v", hydrogen(construction_begins=dt.date.fromisoformat(begins)))
    assert found.answer == answer
    if answer == "pays":
        assert found.until == dt.date(2027, 12, 31)
    else:
        assert found.rule == "45v-construction"
        assert "2028-01-01" in found.because
        assert not found.payments.any()


@pytest.mark.parametrize(("service", "answer"), [("2026-06-30", "pays"), ("2026-07-01", "no")])
def test_in_service_by_the_middle_of_2026_gets_30c(
    applicant: Make, ask: Ask, service: str, answer: str
) -> None:
    given = applicant(
        "trucking",
        2026,
        technology="truck_charging_depot",
        in_service=dt.date.fromisoformat(service),
        capital_usd=2e6,
        facts={"eligible_census_tract": True, "prevailing_wage": True, "charging_items": 20},
    )
    found = ask("30c", given)
    assert found.answer == answer
    assert found.once == (pytest.approx(600_000) if answer == "pays" else 0)
    assert found.until == (dt.date(2026, 6, 30) if answer == "pays" else None)


def test_30c_is_capped_for_each_item(applicant: Make, ask: Ask) -> None:
    given = applicant(
        "trucking",
        2026,
        technology="truck_charging_depot",
        in_service=dt.date(2026, 1, 1),
        capital_usd=10e6,
        facts={"eligible_census_tract": True, "prevailing_wage": True, "charging_items": 20},
    )
    assert ask("30c", given).once == pytest.approx(20 * 100_000)  # 30 % would be 3 million


@pytest.mark.parametrize(("acquired", "answer"), [("2025-09-30", "pays"), ("2025-10-01", "no"), (None, "no")])
def test_trucks_acquired_by_september_2025_get_45w(
    applicant: Make, ask: Ask, acquired: str | None, answer: str
) -> None:
    facts = {"acquired_on": dt.date.fromisoformat(acquired)} if acquired else {}
    given = applicant(
        "trucking",
        2025,
        5,
        {"vehicles": 3},
        facts,
        technology="truck_class8_day_battery",
        construction_begins=None,
    )
    found = ask("45w", given)
    assert found.answer == answer
    if answer == "pays":
        np.testing.assert_allclose(found.payments, 3 * 40_000)
    elif acquired is None:
        assert "acquired_on is not stated" in found.because


@pytest.mark.parametrize(("begins", "answer"), [("2032-12-31", "pays"), ("2033-01-01", "no")])
def test_construction_begun_by_the_end_of_2032_gets_45q(
    applicant: Make, ask: Ask, begins: str, answer: str
) -> None:
    given = applicant(
        "cement",
        2036,
        quantities={"co2_stored": 5e5},
        facts={"prevailing_wage": True},
        construction_begins=dt.date.fromisoformat(begins),
    )
    assert ask("45q", given).answer == answer


@pytest.mark.parametrize(("first", "paid"), [(2024, 5), (2025, 5), (2028, 2), (2029, 1), (2030, 0)])
def test_45z_pays_the_operating_years_2025_to_2029(applicant: Make, ask: Ask, first: int, paid: int) -> None:
    given = applicant(
        "fuels",
        first,
        quantities={"fuel": 1e6},
        facts={"emission_rate_kg_per_mmbtu": 25, "domestic_feedstock": True, "prevailing_wage": True},
    )
    found = ask("45z", given)
    assert int((found.payments > 0).sum()) == paid
    assert all(2025 <= year <= 2029 for year in given.years[found.payments > 0])
    assert (found.answer == "pays") is (paid > 0)
    if paid:
        assert found.until == dt.date(2029, 12, 31)
    else:
        assert "2029-12-31" in found.because


def test_in_service_on_the_last_day_of_2029_gets_one_year_of_45z(applicant: Make, ask: Ask) -> None:
    given = applicant(
        "fuels",
        2029,
        quantities={"fuel": 1e6},
        facts={"emission_rate_kg_per_mmbtu": 25, "domestic_feedstock": True, "prevailing_wage": True},
        in_service=dt.date(2029, 12, 31),
    )
    assert (ask("45z", given).payments > 0).sum() == 1


def test_45q_pays_twelve_years_indexed_after_2026(applicant: Make, ask: Ask, library: Library) -> None:
    given = applicant("cement", 2026, quantities={"co2_stored": 1e6}, facts={"prevailing_wage": True})
    found = ask("45q", given, inflation=0.03)
    assert (found.payments > 0).sum() == 12
    assert found.rate[0] == pytest.approx(85.0)  # fixed in 2025 and 2026
    growth = deflator(library, 2026, 0.03) / deflator(library, 2025, 0.03)
    assert found.rate[1] == pytest.approx(85.0 * growth)
    assert found.rate[11] == pytest.approx(85.0 * growth**11, rel=1e-12)
    np.testing.assert_allclose(found.rate[12:], 0)
    np.testing.assert_allclose(found.payments, found.rate * 1e6)


@pytest.mark.parametrize(
    ("stored", "used", "sector", "use", "service", "rate"),
    [
        (1e6, 0, "cement", "storage", "2026-01-01", 85),
        (1e6, 0, "cdr", "storage", "2026-01-01", 180),
        (0, 1e6, "cement", "products", "2026-01-01", 85),
        (0, 1e6, "cement", "products", "2025-07-04", 60),
        (0, 1e6, "cement", "products", "2025-07-05", 85),
        (1e6, 0, "oil_gas", "eor", "2025-07-04", 60),
        (1e6, 0, "oil_gas", "eor", "2025-07-05", 85),
        (0, 1e6, "cdr", "products", "2025-07-04", 130),
        (0, 1e6, "cdr", "products", "2025-07-05", 180),
    ],
)
def test_45q_rates_by_use_and_service(
    applicant: Make, ask: Ask, stored: float, used: float, sector: str, use: str, service: str, rate: float
) -> None:
    quantities = {name: amount for name, amount in (("co2_stored", stored), ("co2_utilised", used)) if amount}
    given = applicant(
        sector,
        2025,
        quantities=quantities,
        facts={"prevailing_wage": True, "co2_use": use},
        in_service=dt.date.fromisoformat(service),
        construction_begins=dt.date(2023, 1, 1),
    )
    assert ask("45q", given).rate[0] == pytest.approx(rate)


def test_without_prevailing_wage_a_fifth_is_paid(applicant: Make, hydrogen: Make, ask: Ask) -> None:
    given = applicant("cement", 2026, quantities={"co2_stored": 1e6})
    found = ask("45q", given)
    assert found.rate[0] == pytest.approx(17.0)
    assert "prevailing_wage is not stated" in found.because
    full, fifth = ask("45v", hydrogen()), ask("45v", hydrogen(wage=False))
    np.testing.assert_allclose(fifth.payments, full.payments / 5)


@pytest.mark.parametrize(
    ("sector", "tonnes", "answer"),
    [
        ("cement", 12_500, "pays"),
        ("cement", 12_499, "no"),
        ("power", 18_750, "pays"),
        ("power", 18_749, "no"),
        ("cdr", 1_000, "pays"),
        ("cdr", 999, "no"),
    ],
)
def test_45q_asks_for_a_least_amount(
    applicant: Make, ask: Ask, sector: str, tonnes: float, answer: str
) -> None:
    found = ask("45q", applicant(sector, quantities={"co2_stored": tonnes}))
    assert found.answer == answer
    if answer == "no":
        assert "45q-minimum" in found.rule


def test_a_year_below_the_least_amount_is_not_paid(applicant: Make, ask: Ask) -> None:
    given = applicant("cement", quantities={"co2_stored": 20_000})
    given.quantities["co2_stored"][0] = 5_000  # type: ignore[index]
    found = ask("45q", given)
    assert found.payments[0] == 0
    assert found.payments[1] > 0
    assert (found.payments > 0).sum() == 11  # twelve years from service, the first of them too small


@pytest.mark.parametrize(
    ("intensity", "rate"),
    [(0.0, 3.0), (0.449, 3.0), (0.45, 1.002), (1.499, 1.002), (1.5, 0.75), (2.5, 0.6), (4.0, 0.6)],
)
def test_45v_tiers(hydrogen: Make, ask: Ask, library: Library, intensity: float, rate: float) -> None:
    found = ask("45v", hydrogen(intensity, first=2026), inflation=0.02)
    growth = deflator(library, 2025, 0.02) / deflator(library, 2022, 0.02)  # one year's lag, base 2022
    assert found.rate[0] == pytest.approx(rate * growth)
    assert (found.payments > 0).sum() == 10


def test_above_four_kilograms_45v_pays_nothing(hydrogen: Make, ask: Ask) -> None:
    found = ask("45v", hydrogen(4.01))
    assert found.answer == "no"
    assert "4.01" in found.because
    assert "limit of 4" in found.because


def test_45z_is_linear_in_the_emission_rate(applicant: Make, ask: Ask) -> None:
    def paid(emissions: float, **more: Any) -> Answer:
        facts = {"emission_rate_kg_per_mmbtu": emissions, "domestic_feedstock": True, "prevailing_wage": True}
        return ask("45z", applicant("fuels", 2026, quantities={"fuel": 1e6}, facts={**facts, **more}))

    np.testing.assert_allclose(paid(25).payments, paid(0).payments / 2)
    np.testing.assert_allclose(paid(-20).payments, paid(0).payments)
    assert paid(50).answer == "no"
    assert paid(10, domestic_feedstock=False).answer == "no"


def test_jet_fuel_had_a_special_rate_in_2025(applicant: Make, ask: Ask) -> None:
    facts = {"emission_rate_kg_per_mmbtu": 0, "domestic_feedstock": True, "prevailing_wage": True}
    jet = applicant("fuels", 2025, quantities={"fuel": 1e6, "saf": 1e6}, facts=facts)
    other = applicant("fuels", 2025, quantities={"fuel": 1e6}, facts=facts)
    found = ask("45z", jet)
    assert found.rate[0] == pytest.approx(1.75)
    np.testing.assert_allclose(found.rate[1:], ask("45z", other).rate[1:])


def test_lcfs_by_hand(applicant: Make, ask: Ask) -> None:
    """One kWh into a heavy truck in 2026: (80.17 - 81/5) x 3.6 x 5 / 1e6 t."""
    given = applicant("trucking", 2026, quantities={"electricity_heavy_truck": 1.0})
    found = ask("lcfs", given, inflation=0.0)
    credits = (80.17 - 81 / 5) * 3.6 * 5 / 1e6
    assert credits == pytest.approx(0.00115, abs=5e-6)
    assert found.rate[0] == pytest.approx(57 * credits)
    assert found.rate_low[0] == pytest.approx(40.75 * credits)
    assert found.rate_high[0] == pytest.approx(75.5 * credits)
    assert found.answer == "pays"
    assert not found.bankable


def test_lcfs_of_hydrogen_below_zero(applicant: Make, ask: Ask) -> None:
    given = applicant(
        "hydrogen", 2026, quantities={"hydrogen_heavy_truck": 1e6}, facts={"fuel_ci_g_per_mj": -110}
    )
    credits = (80.17 + 110 / 1.9) * 120 * 1.9 / 1e6
    assert ask("lcfs", given, inflation=0.0).rate[0] == pytest.approx(57 * credits)


def test_lcfs_asks_for_the_carbon_intensity(applicant: Make, ask: Ask) -> None:
    found = ask("lcfs", applicant("hydrogen", quantities={"hydrogen_heavy_truck": 1e6}))
    assert found.answer == "no"
    assert "fuel_ci_g_per_mj is not stated" in found.because


def test_lcfs_gasoline_and_diesel_standards_differ(applicant: Make, ask: Ask) -> None:
    heavy = applicant("trucking", 2030, quantities={"electricity_heavy_truck": 1.0})
    light = applicant("light_vehicles", 2030, quantities={"electricity_light_vehicle": 1.0})
    assert ask("lcfs", heavy, inflation=0).rate[0] == pytest.approx(57 * (74.03 - 81 / 5) * 18 / 1e6)
    expected = 57 * (69.41 - 81 / 3.4) * 3.6 * 3.4 / 1e6
    assert ask("lcfs", light, inflation=0).rate[0] == pytest.approx(expected)


def test_crop_oils_are_capped_from_2028(applicant: Make, ask: Ask) -> None:
    quantities = {"renewable_fuel_diesel": 1e6}
    facts = {"fuel_ci_g_per_mj": 40}
    waste = ask("lcfs", applicant("fuels", 2026, quantities=quantities, facts=facts))
    crops = ask(
        "lcfs", applicant("fuels", 2026, quantities=quantities, facts={**facts, "crop_oil_share": 0.7})
    )
    np.testing.assert_allclose(crops.payments[:2], waste.payments[:2])
    np.testing.assert_allclose(crops.payments[2:], waste.payments[2:] * (0.3 + 0.2))


def test_a_fuel_above_the_standard_is_not_paid(applicant: Make, ask: Ask) -> None:
    given = applicant("fuels", 2026, quantities={"ethanol": 1e6}, facts={"fuel_ci_g_per_mj": 70})
    found = ask("lcfs", given)
    paid = found.payments > 0
    assert paid[0]  # 75.16 in 2026
    assert not paid[given.years >= 2030].any()  # 69.41 in 2030
    late = applicant("fuels", 2035, quantities={"ethanol": 1e6}, facts={"fuel_ci_g_per_mj": 70})
    assert ask("lcfs", late).answer == "no"


def test_allowances_lie_between_floor_and_ceiling(applicant: Make, ask: Ask) -> None:
    given = applicant("glass", 2021, 30, {"emissions_avoided": 1e5})
    found = ask("cap-and-invest", given, inflation=0.02)
    assert found.rate[0] == pytest.approx(np.mean([17.8, 18.8, 23.3, 28.26]))
    assert found.rate[5] == pytest.approx(27.94)  # 2026 settled at the floor
    assert found.rate[6] == pytest.approx(27.94 * 1.07)  # the floor rises by 5 % and inflation
    assert (found.rate_low <= found.rate + 1e-9).all()
    assert (found.rate_high >= found.rate - 1e-9).all()
    np.testing.assert_allclose(found.payments[given.years > 2045], 0)
    assert found.terms["price_ceiling"] == pytest.approx(65)


def test_captured_co2_counts_only_with_a_method(applicant: Make, ask: Ask, under: Any) -> None:
    quantities = {"emissions_avoided": 1e5, "co2_stored": 1e5}
    found = ask("cap-and-invest", applicant("cement", 2028, quantities=quantities))
    assert found.answer == "no"
    assert found.rule == "cap-and-invest-ccs"
    stated = applicant("cement", 2028, quantities=quantities, facts={"ccs_method_approved": True})
    assert ask("cap-and-invest", stated).answer == "pays"
    recognised = under({"cap-and-invest-ccs-method": {"enact": dt.date(2031, 1, 1)}})
    given = applicant("cement", 2028, quantities=quantities)
    found = ask("cap-and-invest", given, recognised)
    assert found.answer == "pays"
    np.testing.assert_array_equal(found.payments > 0, (given.years >= 2031) & (given.years <= 2045))


def test_free_allowances_follow_output(applicant: Make, ask: Ask) -> None:
    given = applicant("cement", 2025, quantities={"clinker": 1e6})
    found = ask("cap-and-invest-allocation", given, inflation=0.02)
    settled = np.mean([29.27, 25.87, 28.76, 28.32])
    assert found.payments[0] == pytest.approx(1e6 * 0.818 * 1 * 0.84 * settled)
    assert ask("cap-and-invest-allocation", applicant("glass", quantities={"clinker": 1e6})).answer == "no"


@pytest.mark.parametrize(
    ("fleet", "paid"), [(10, 100_000), (20, 100_000), (21, 75_000), (49, 75_000), (50, 0)]
)
def test_port_vouchers_by_fleet(applicant: Make, ask: Ask, fleet: float, paid: float) -> None:
    given = applicant(
        "trucking",
        2026,
        5,
        {"vehicles": 2},
        {"fleet_size": fleet},
        technology="truck_class8_day_battery",
        jurisdictions=frozenset({"US", "US-CA", "POLA"}),
    )
    found = ask("clean-truck-fund-voucher", given)
    np.testing.assert_allclose(found.payments, [2 * paid, 2 * paid, 0, 0, 0])  # to the end of 2027


@pytest.mark.parametrize(
    ("facts", "rate"),
    [
        ({"fleet_size": 49}, 120_000),
        ({"fleet_size": 49, "drayage": True}, 150_000),
        ({"fleet_size": 50}, 0),
        ({"fleet_size": 500, "public_body": True}, 120_000),
    ],
)
def test_hvip(applicant: Make, ask: Ask, facts: dict[str, Any], rate: float) -> None:
    given = applicant("trucking", 2026, 1, {"vehicles": 1}, facts, technology="truck_class8_day_battery")
    assert ask("hvip", given).payments[0] == pytest.approx(rate)


def test_the_clean_truck_fund_charges_cargo_owners(applicant: Make, ask: Ask) -> None:
    port = frozenset({"US", "US-CA", "POLB"})
    given = applicant("ports", 2033, 4, {"teu": 1000}, {"zero_emission_trucks": False}, jurisdictions=port)
    found = ask("clean-truck-fund-rate", given)
    assert found.answer == "requires"
    np.testing.assert_allclose(found.payments, [-10_000, -10_000, 0, 0])
    exempt = applicant("ports", 2033, 4, {"teu": 1000}, {"zero_emission_trucks": True}, jurisdictions=port)
    assert ask("clean-truck-fund-rate", exempt).answer == "no"


@pytest.mark.parametrize(
    ("facts", "loan", "share"),
    [
        ({}, 4_999_999, 0.8),
        ({}, 5_000_000, 0.7),
        ({"underserved_area": True}, 5e6, 0.8),
        ({}, 30_000_001, None),
    ],
)
def test_guarantee_by_loan(
    applicant: Make, ask: Ask, facts: dict[str, Any], loan: float, share: float | None
) -> None:
    found = ask("ibank-guarantee", applicant(facts={**facts, "loan_usd": loan}))
    if share is None:
        assert found.answer == "no"
    else:
        assert found.terms["share"] == pytest.approx(share)
        assert found.terms["maximum"] == pytest.approx(share * loan)


@pytest.mark.parametrize(
    ("uses", "years", "failing"),
    [
        (3, 5, ""),
        (2, 5, "ibank-catalyst-uses"),
        (0, 0, "ibank-catalyst-uses;ibank-catalyst-years"),
        (3, 4, "ibank-catalyst-years"),
    ],
)
def test_a_true_first_of_a_kind_fails_the_climate_catalyst(
    applicant: Make, ask: Ask, uses: int, years: int, failing: str
) -> None:
    found = ask(
        "ibank-climate-catalyst",
        applicant("power", facts={"commercial_uses": uses, "years_in_commercial_use": years}),
    )
    assert found.answer == ("no" if failing else "pays")
    assert found.rule == failing
    if failing:
        assert "first-of-a-kind" in found.because


@pytest.mark.parametrize("product", ["cement", "clinker", "cementitious"])
def test_buy_clean_never_pays_cement(applicant: Make, ask: Ask, product: str) -> None:
    facts = {"construction_product": "reinforcing_steel", "sold_to_public_works": True}
    found = ask("buy-clean", applicant("cement", product=product, facts=facts, quantities={"cement": 1e6}))
    assert found.answer == "no"
    assert "buy-clean-not-cement" in found.rule
    assert "not on the list" in found.because


def test_buy_clean_binds_listed_materials_and_pays_nothing(applicant: Make, ask: Ask) -> None:
    facts = {"construction_product": "steel_plate", "sold_to_public_works": True}
    found = ask("buy-clean", applicant("steel", facts=facts))
    assert found.answer == "requires"
    assert found.terms == {"limit": 1.49}
    assert not found.payments.any()
    assert found.once == 0


@pytest.mark.parametrize(
    ("begins", "service", "answer"),
    [
        ("2026-07-04", "2030-01-01", "pays"),
        ("2026-07-05", "2027-12-31", "pays"),
        ("2026-07-05", "2028-01-01", "no"),
    ],
)
def test_wind_and_solar_have_two_ways_into_48e(
    applicant: Make, ask: Ask, begins: str, service: str, answer: str
) -> None:
    facts = {
        "zero_emission_power": True,
        "wind_or_solar": True,
        "prohibited_foreign_entity": False,
        "prevailing_wage": True,
    }
    given = applicant(
        "power",
        facts=facts,
        capital_usd=100.0,
        construction_begins=dt.date.fromisoformat(begins),
        in_service=dt.date.fromisoformat(service),
    )
    found = ask("48e", given)
    assert found.answer == answer
    assert found.once == pytest.approx(30.0 if answer == "pays" else 0.0)


@pytest.mark.parametrize(("year", "share"), [(2033, 0.3), (2034, 0.225), (2035, 0.15), (2036, 0)])
def test_48e_steps_down_by_construction(applicant: Make, ask: Ask, year: int, share: float) -> None:
    facts = {"zero_emission_power": True, "prohibited_foreign_entity": False, "prevailing_wage": True}
    given = applicant("power", 2038, facts=facts, capital_usd=1.0, construction_begins=dt.date(year, 6, 1))
    assert ask("48e", given).once == pytest.approx(share)


def test_bonus_depreciation_and_tax_rates_are_terms(applicant: Make, ask: Ask) -> None:
    given = applicant("cement", construction_begins=dt.date(2025, 1, 20))
    assert ask("bonus-depreciation", given).terms == {"share": 1.0}
    assert ask("federal-income-tax", given).terms["tax_rate"] == pytest.approx(0.21)
    assert ask("california-income-tax", given).terms["tax_rate"] == pytest.approx(0.0884)
    early = ask("bonus-depreciation", applicant("cement", construction_begins=dt.date(2025, 1, 19)))
    assert early.answer == "no"
    assert early.becomes == dt.date(2025, 1, 20)
    elsewhere = applicant("cement", jurisdictions=frozenset({"US"}))
    found = ask("california-income-tax", elsewhere)
    assert (found.answer, found.rule) == ("no", "jurisdiction")
    assert "California only" in found.because


def test_45x_steps_down(applicant: Make, ask: Ask) -> None:
    given = applicant("chemicals", 2028, 7, {"battery_cells": 10.0}, {"prohibited_foreign_entity": False})
    np.testing.assert_allclose(ask("45x", given).payments, np.array([1, 1, 0.75, 0.5, 0.25, 0, 0]) * 350)
