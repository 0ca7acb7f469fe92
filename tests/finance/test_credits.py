"""Credits: worth, eligibility, exclusion and the day that fixes them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.finance.technologies import Technologies
from cleanhub.finance.technology_costs import UnitCosts, unit_costs
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.series import Drivers

Market = Callable[..., Drivers]
STORED = {"credit": "stored", "driver": "credit_stored", "basis": "captured_co2", "excludes": "made"}
MADE = {
    "credit": "made",
    "driver": "credit_made",
    "basis": "product",
    "sector": "hydrogen",
    "years_paid": 10.0,
    "excludes": "stored",
}
POWERED = {
    "credit": "powered",
    "driver": "credit_powered",
    "basis": "carrier_electricity",
    "sector": "trucking",
    "years_paid": 15.0,
}


def annuity(years: int) -> float:
    return float(sum(1.08**-year for year in range(1, years + 1)))


@pytest.fixture(scope="module")
def credited(tech: Technologies, market: Market, scenario: Scenario) -> Callable[..., UnitCosts]:
    """Unit costs with the given credits in force, at the given amounts."""

    def build(rows: list[dict[str, Any]], lead_time: int = 3, **amounts: Any) -> UnitCosts:
        units = {"stored": "USD/t", "made": "USD/t", "powered": "USD/MWh"}
        prices = {f"credit_{name}": (amount, units[name]) for name, amount in amounts.items()}
        in_force = scenario.model_copy(update={"credits": tuple(row["credit"] for row in rows)})
        return unit_costs(tech, market(in_force, prices, rows), lead_time)

    return build


def test_twelve_years_of_payment_are_spread_over_the_horizon(
    tech: Technologies, credited: Callable[..., UnitCosts]
) -> None:
    costs = credited([STORED], stored=85.0)
    share = annuity(12) / annuity(20)
    assert 0.7 < share < 0.8
    by_hand = np.repeat(tech.captured[:, None] * 85.0 * share, costs.credits.shape[1], axis=1)
    np.testing.assert_allclose(costs.credits, by_hand)
    assert costs.credits[tech.find("cement_amine_capture"), 0] == pytest.approx(0.817 * 85 * share)


def test_a_credit_lowers_the_cost_by_what_it_is_worth(credited: Callable[..., UnitCosts]) -> None:
    with_it, without = credited([STORED], stored=85.0), credited([], stored=85.0)
    np.testing.assert_allclose(without.full - with_it.full, with_it.credits, atol=1e-9)
    np.testing.assert_allclose(without.running - with_it.running, with_it.credits, atol=1e-9)


def test_a_credit_paid_longer_than_the_horizon_counts_in_full(
    tech: Technologies, credited: Callable[..., UnitCosts]
) -> None:
    costs = credited([{**STORED, "years_paid": 40.0}], stored=85.0)
    np.testing.assert_allclose(costs.credits[:, 0], tech.captured * 85.0)


def test_a_credit_goes_to_its_sector_only(tech: Technologies, credited: Callable[..., UnitCosts]) -> None:
    paid = credited([MADE], made=3000.0).credits[:, 0] > 0
    np.testing.assert_array_equal(paid, tech.sector == "hydrogen")


def test_a_credit_goes_to_the_technologies_it_names(
    tech: Technologies, credited: Callable[..., UnitCosts]
) -> None:
    named = "hydrogen_electrolysis; hydrogen_smr"
    paid = credited([{**MADE, "technology": named}], made=3000.0).credits[:, 0] > 0
    assert set(tech.names[paid]) == {"hydrogen_electrolysis", "hydrogen_smr"}


@settings(max_examples=40, deadline=None)
@given(stored=st.floats(0, 300), made=st.floats(0, 3000), first=st.booleans())
def test_of_two_that_exclude_each_other_the_larger_is_taken(
    tech: Technologies, credited: Callable[..., UnitCosts], stored: float, made: float, first: bool
) -> None:
    rows = [STORED, MADE] if first else [MADE, STORED]
    got = credited(rows, stored=stored, made=made).credits[:, 0]
    one = tech.captured * stored * annuity(12) / annuity(20)
    other = np.where(tech.sector == "hydrogen", made * annuity(10) / annuity(20), 0.0)
    np.testing.assert_allclose(got, np.maximum(one, other), atol=1e-9)


def test_of_two_equal_ones_only_one_is_paid(tech: Technologies, credited: Callable[..., UnitCosts]) -> None:
    same = {**STORED, "credit": "again", "excludes": "stored"}
    got = credited([{**STORED, "excludes": "again"}, same], stored=85.0)
    alone = credited([STORED], stored=85.0)
    np.testing.assert_allclose(got.credits, alone.credits)
    assert got.credits.any()


def test_credits_that_do_not_exclude_each_other_add_up(
    tech: Technologies, credited: Callable[..., UnitCosts]
) -> None:
    rows = [{**STORED, "excludes": ""}, {**MADE, "excludes": ""}]
    both = credited(rows, stored=85.0, made=1000.0).credits
    apart = credited(rows[:1], stored=85.0).credits + credited(rows[1:], made=1000.0).credits
    np.testing.assert_allclose(both, apart)
    assert both[tech.find("hydrogen_smr_capture"), 0] > both[tech.find("hydrogen_smr"), 0] > 0


@pytest.mark.parametrize("lead_time", [0, 3, 7])
def test_the_decision_and_not_the_start_fixes_the_credit(
    tech: Technologies, credited: Callable[..., UnitCosts], lead_time: int
) -> None:
    ends = {2022: 85.0, 2032: 85.0, 2033: 0.0}
    costs = credited([STORED], lead_time, stored=ends)
    worth = costs.credits[tech.find("cement_amine_capture")]
    last_paid = 2032 + lead_time - 2022
    assert (worth[: last_paid + 1] > 0).all()
    assert not worth[last_paid + 1 :].any()


def test_a_capture_plant_decided_in_2032_earns_45q_and_one_decided_in_2033_does_not(
    tech: Technologies, california: Hub, california_baseline: Scenario
) -> None:
    years = np.arange(2022, 2051)
    lead = california_baseline.decision.lead_time
    costs = unit_costs(tech, Drivers(california, california_baseline, years), lead)
    worth = costs.credits[tech.find("cement_amine_capture")]
    assert worth[2032 + lead - 2022] > 40
    assert worth[2033 + lead - 2022] == 0


def test_hydrogen_with_capture_takes_45q_where_45v_is_for_electrolysis(
    tech: Technologies, california: Hub, california_baseline: Scenario
) -> None:
    costs = unit_costs(tech, Drivers(california, california_baseline, np.arange(2022, 2051)), 3)
    library = california.library
    values, policies = library.tables["policy_values"], library.tables["policy_settings"]
    sold = values[values["item"] == "transfer_price"].set_index("policy")["value"]
    lagged = 1 + float(policies.set_index("setting")["value"]["inflation"])  # the index lags by a year
    in_2029 = costs.credits[:, 7]  # decided in 2026
    stored = 85 * library.price_index.to_dollars("USD", 2025, 2024) / lagged * sold["45q"]
    capture = tech.find("hydrogen_smr_capture")
    assert in_2029[capture] == pytest.approx(tech.captured[capture] * stored * annuity(12) / annuity(20))
    made = 3000 * library.price_index.to_dollars("USD", 2022, 2024) / lagged * sold["45v"]
    assert in_2029[tech.find("hydrogen_electrolysis")] == pytest.approx(made * annuity(10) / annuity(20))


def test_what_a_carrier_earns_follows_the_years_ahead(
    tech: Technologies, credited: Callable[..., UnitCosts]
) -> None:
    falling = {2022: 100.0, 2032: 50.0}
    costs = credited([POWERED], powered=falling)
    k = tech.find("truck_class8_day_battery")
    per_mile = tech.inputs[k, list(tech.carriers).index("electricity")]
    ahead = sum((100 - 5 * y) * 1.08**-y for y in range(1, 11)) / annuity(10)  # 10 yr life, below the 15
    assert costs.credits[k, 0] == pytest.approx(per_mile * ahead)
    assert costs.credits[k, -1] == pytest.approx(per_mile * 50)
    np.testing.assert_allclose(costs.yearly_credit[k, :11], per_mile * np.linspace(100, 50, 11))
    assert not costs.yearly_credit[tech.sector != "trucking"].any()


@pytest.mark.parametrize("wanted", [(), ("made",)])
def test_only_the_credits_that_a_scenario_lists_are_paid(
    tech: Technologies, market: Market, scenario: Scenario, wanted: tuple[str, ...]
) -> None:
    prices = {"credit_stored": (85.0, "USD/t"), "credit_made": (3000.0, "USD/t")}
    listed = scenario.model_copy(update={"credits": wanted})
    costs = unit_costs(tech, market(listed, prices, [STORED, MADE]), 3)
    paid = costs.credits.any(axis=1)
    np.testing.assert_array_equal(paid, (tech.sector == "hydrogen") & bool(wanted))


def test_a_scenario_without_credits_pays_none_of_californias(
    tech: Technologies, california: Hub, california_baseline: Scenario
) -> None:
    none = california_baseline.model_copy(update={"credits": (), "as_of": dt.date(2026, 6, 1)})
    costs = unit_costs(tech, Drivers(california, none, np.arange(2022, 2051)), 3)
    for amount in (costs.credits, costs.vehicle_credit, costs.yearly_credit):
        assert not amount.any()
    some = unit_costs(tech, Drivers(california, california_baseline, np.arange(2022, 2051)), 3)
    assert some.credits.any()
    assert some.vehicle_credit.any()
    assert some.yearly_credit.any()


def test_a_credit_on_a_carrier_the_library_does_not_know_pays_nothing(
    credited: Callable[..., UnitCosts],
) -> None:
    costs = credited([{**POWERED, "basis": "carrier_moonlight"}], powered=50.0)
    assert not costs.credits.any()


@pytest.mark.parametrize("named_by", ["stored", "made"])
def test_an_exclusion_named_by_one_side_binds_both(credited: Callable[..., UnitCosts], named_by: str) -> None:
    rows = [STORED, MADE]
    one_sided = [row if row["credit"] == named_by else {**row, "excludes": ""} for row in rows]
    amounts = {"stored": 85.0, "made": 1000.0}
    both = credited(rows, **amounts).credits
    np.testing.assert_allclose(credited(one_sided, **amounts).credits, both)
    free = credited([{**row, "excludes": ""} for row in rows], **amounts).credits
    assert not np.array_equal(free, both), "some technology could have both"


def test_a_driver_is_reached_like_a_policy(credited: Callable[..., UnitCosts]) -> None:
    full = credited([STORED], stored=85.0).credits
    np.testing.assert_allclose(credited([{**STORED, "reach": 0.25}], stored=85.0).credits, 0.25 * full)


def test_a_credit_with_a_driver_and_one_with_a_policy_exclude_each_other_by_the_column(
    tech: Technologies, california: Hub, california_baseline: Scenario
) -> None:
    rows = california.tables["credits"]
    capture = rows[rows["credit"] == "45q"]
    priced = capture.assign(
        credit="bonus", policy="", facts="", driver="co2_transport_storage", years_paid=12.0, excludes="45q"
    )
    paid = {}
    for excludes in ("45q", ""):
        both = pd.concat([capture, priced.assign(excludes=excludes)])
        hub = dataclasses.replace(california, tables={**california.tables, "credits": both})
        listed = california_baseline.model_copy(update={"credits": ("45q", "bonus")})
        paid[excludes] = unit_costs(tech, Drivers(hub, listed, np.arange(2022, 2051)), 3).credits
    assert (paid["45q"] <= paid[""]).all()
    assert (paid["45q"] < paid[""]).any()
