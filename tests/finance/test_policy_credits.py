"""Credits whose amounts a policy sets: worked by hand, year by year, against the tables of the library."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cleanhub.core.errors import InputError
from cleanhub.finance.policy_credits import PolicyCredits
from cleanhub.finance.technologies import Technologies
from cleanhub.finance.technology_costs import UnitCosts, unit_costs
from cleanhub.hub.library import Library
from cleanhub.hub.package import BUNDLED, Hub, load_hub
from cleanhub.hub.scenario import Decision, PolicyChoice, Scenario, load_scenario
from cleanhub.hub.series import Drivers

YEARS = np.arange(2022, 2051)
LEAD = 3
RATE = 0.08
CAPTURE, ELECTROLYSIS = "cement_amine_capture", "hydrogen_electrolysis"
TRUCK, DIESEL = "truck_class8_day_battery", "truck_class8_day_diesel"
ROWS: dict[str, dict[str, Any]] = {
    "stored": {
        "policy": "45q",
        "facts": "co2_stored=100000;co2_use=storage;prevailing_wage=yes",
        "basis": "captured_co2",
    },
    "made": {
        "policy": "45v",
        "facts": "carbon_intensity_hydrogen_kg_per_kg=0.4;prevailing_wage=yes",
        "basis": "product",
        "sector": "hydrogen",
    },
    "powered": {
        "policy": "lcfs",
        "facts": "electricity_heavy_truck=1e6;fuel_ci_g_per_mj=81@grid_emission_factor",
        "basis": "carrier_electricity",
        "sector": "trucking",
    },
    "voucher": {"policy": "hvip", "facts": "fleet_size=10", "basis": "vehicle", "technology": TRUCK},
}
Build = Callable[..., UnitCosts]


def credit_table(rows: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    texts = ("policy", "facts", "driver", "basis", "sector", "technology", "excludes")
    numbers = ("years_paid", "reach_low", "reach", "reach_high")
    blank = {**dict.fromkeys(texts, ""), **dict.fromkeys(numbers, np.nan)}
    frame = pd.DataFrame([{"credit": name, **blank, **row} for name, row in rows.items()])
    return frame.set_index(pd.Index(range(2, 2 + len(frame))))


@pytest.fixture(scope="module")
def worth(tech: Technologies, california: Hub, california_baseline: Scenario) -> Build:
    """Unit costs of California with the given credits in force."""

    def build(
        *names: str,
        change: Mapping[str, Mapping[str, Any]] | None = None,
        library: Library | None = None,
        hub: Hub | None = None,
        end: str = "",
        lead: int = LEAD,
        **choices: Any,
    ) -> UnitCosts:
        rows = {name: {**ROWS[name], **(change or {}).get(name, {})} for name in names}
        base = hub or california
        tables = {**base.tables, "credits": credit_table(rows)} if rows else base.tables
        mine = dataclasses.replace(base, tables=tables, library=library or base.library)
        update = {"credits": names, "policies": {}, **choices}
        scenario = california_baseline.model_copy(update=update)
        if end:
            scenario = scenario.with_range("low" if end == "low" else "high")
        return unit_costs(tech, Drivers(mine, scenario, YEARS), lead)

    return build


@pytest.fixture(scope="module")
def cell(library: Library) -> Callable[..., float]:
    """A number of policy_values.csv."""
    table = library.tables["policy_values"]

    def value(policy: str, item: str, selector: str = "", column: str = "value", **more: Any) -> float:
        rows = table[(table["policy"] == policy) & (table["item"] == item) & (table["selector"] == selector)]
        for name, wanted in more.items():
            rows = rows[rows[name] == wanted]
        assert len(rows), (policy, item, selector)
        return float(rows[column].iloc[0])

    return value


@pytest.fixture(scope="module")
def level(library: Library) -> Callable[[int], float]:
    """Deflator of a year over that of the last known year, which inflation continues."""
    last = library.price_index.last_year()
    settings = library.tables["policy_settings"].set_index("setting")["value"]

    def one(year: int) -> float:
        known = 1 / library.price_index.to_dollars("USD", min(year, last), last)
        return float(known * (1 + settings["inflation"]) ** max(year - last, 0))

    return one


@dataclass(frozen=True)
class Hand:
    """What calculations by hand start from: the library's technologies, cells and deflator."""

    tech: Technologies
    worth: Build
    cell: Callable[..., float]
    level: Callable[[int], float]


@pytest.fixture(scope="module")
def hand(tech: Technologies, worth: Build, cell: Callable[..., float], level: Callable[[int], float]) -> Hand:
    return Hand(tech, worth, cell, level)


def annuity(years: int) -> float:
    return float(sum((1 + RATE) ** -t for t in range(1, years + 1)))


# ---------------------------------------------------------------- plants


@pytest.mark.parametrize("decided", [2022, 2024, 2026, 2032])
def test_stored_co2_by_hand(hand: Hand, decided: int) -> None:
    first = decided + LEAD
    value = 0.0
    for t in range(12):
        year = first + t
        indexed = max(hand.level(year - 1) / hand.level(2025), 1.0)  # of the year before
        nominal = hand.cell("45q", "rate", "co2_stored") * indexed
        value += nominal * hand.level(2024) / hand.level(year) * (1 + RATE) ** -(t + 1)
    by_hand = value / annuity(20) * hand.cell("45q", "transfer_price")
    k = hand.tech.find(CAPTURE)
    got = hand.worth("stored").credits[k, first - 2022]
    assert got == pytest.approx(hand.tech.captured[k] * by_hand, rel=1e-9)
    assert 50 < by_hand < 65  # USD/t over a horizon of 20 years: 85 less the buyer's discount, 12 years


@pytest.mark.parametrize("decided", [2022, 2026, 2027])
def test_clean_hydrogen_by_hand_in_tonnes(hand: Hand, decided: int) -> None:
    first = decided + LEAD
    value = sum(
        hand.cell("45v", "rate")
        * (hand.level(first + t - 1) / hand.level(2022))
        * hand.level(2024)
        / hand.level(first + t)
        * (1 + RATE) ** -(t + 1)
        for t in range(10)
    )
    by_hand = 1000 * value / annuity(20) * hand.cell("45v", "transfer_price")
    got = hand.worth("made").credits[hand.tech.find(ELECTROLYSIS), first - 2022]
    assert got == pytest.approx(by_hand, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "technology", "last"), [("stored", CAPTURE, 2032), ("made", ELECTROLYSIS, 2027)]
)
@pytest.mark.parametrize("lead", [0, 3, 7])
def test_construction_decided_a_year_too_late_earns_nothing(
    tech: Technologies, worth: Build, name: str, technology: str, last: int, lead: int
) -> None:
    earned = worth(name, lead=lead).credits[tech.find(technology)]
    assert (earned[: last + lead - 2022 + 1] > 0).all()
    assert not earned[last + lead - 2022 + 1 :].any()


def test_a_second_tier_pays_a_third_and_none_above_the_limit(tech: Technologies, worth: Build) -> None:
    def at(intensity: float) -> float:
        facts = f"carbon_intensity_hydrogen_kg_per_kg={intensity};prevailing_wage=yes"
        return float(worth("made", change={"made": {"facts": facts}}).credits[tech.find(ELECTROLYSIS), 7])

    best = at(0.4)
    assert at(0.45) == pytest.approx(best * 1.002 / 3)
    assert at(4.0) == pytest.approx(best * 0.2)
    assert at(4.01) == 0


def test_without_the_wage_rules_a_fifth_is_paid(tech: Technologies, worth: Build) -> None:
    less = {"stored": {"facts": "co2_stored=100000;prevailing_wage=no"}}
    full, fifth = worth("stored").credits, worth("stored", change=less).credits
    np.testing.assert_allclose(fifth, full / 5)
    assert full.any()


def test_a_plant_below_the_yearly_minimum_earns_nothing(worth: Build) -> None:
    small = {"stored": {"facts": "co2_stored=12000;prevailing_wage=yes"}}
    power_only = {"stored": {"facts": "co2_stored=15000;prevailing_wage=yes"}}
    assert not worth("stored", change=small).credits.any()
    assert worth("stored", change=power_only).credits.any()


def test_power_plants_have_a_minimum_of_their_own(tech: Technologies, worth: Build) -> None:
    between = {"stored": {"facts": "co2_stored=15000;prevailing_wage=yes"}}
    paid = worth("stored", change=between).credits.any(axis=1)
    everyone = worth("stored").credits.any(axis=1)
    np.testing.assert_array_equal(paid, everyone & (tech.sector != "power"))
    assert (everyone & (tech.sector == "power")).any()


def test_a_shorter_payment_of_the_row_counts_and_a_longer_one_does_not(
    tech: Technologies, worth: Build
) -> None:
    k = tech.find(CAPTURE)
    law = worth("stored").credits[k, 10]
    five = worth("stored", change={"stored": {"years_paid": 5.0}}).credits[k, 10]
    forty = worth("stored", change={"stored": {"years_paid": 40.0}}).credits[k, 10]
    assert five == pytest.approx(law * annuity(5) / annuity(12))  # constant in real terms from 2026 on
    assert forty == law


def test_zero_interest_and_a_short_horizon(
    tech: Technologies, worth: Build, cell: Callable[..., float]
) -> None:
    k = tech.find(CAPTURE)
    got = worth("stored", decision=Decision(discount_rate=0.0, horizon=4)).credits[k, 10]
    real = got / tech.captured[k]
    assert real < cell("45q", "rate", "co2_stored") * cell("45q", "transfer_price")
    assert real == pytest.approx(
        worth("stored", decision=Decision(discount_rate=0.3, horizon=12)).credits[k, 10] / tech.captured[k]
    )


# ---------------------------------------------------------------- fuels and vehicles


def test_electricity_in_trucks_by_hand(
    tech: Technologies,
    worth: Build,
    cell: Callable[..., float],
    level: Callable[[int], float],
    california: Hub,
    california_baseline: Scenario,
) -> None:
    k = tech.find(TRUCK)
    use = tech.inputs[k, list(tech.carriers).index("electricity")]
    factor = Drivers(california, california_baseline, YEARS).series("grid_emission_factor").values
    yearly = worth("powered").yearly_credit[k] / use
    density = cell("lcfs", "energy_density", "electricity_heavy_truck")
    ratio = cell("lcfs", "efficiency_ratio", "electricity_heavy_truck")
    for year in (2026, 2030, 2036, 2045):
        standard = cell("lcfs", "benchmark", "diesel", year=year)
        intensity = 81 * factor[year - 2022] / factor[2026 - 2022]
        credits = (standard - intensity / ratio) * density * ratio * 1e-6  # t per kWh
        price = cell("lcfs", "price", year=2025) * level(year) / level(2025)
        assert yearly[year - 2022] == pytest.approx(1000 * credits * price * level(2024) / level(year))
    assert 60 < yearly[2030 - 2022] < 70  # USD/MWh


def test_the_year_the_fact_was_stated_for_is_the_as_of_year(worth: Build) -> None:
    still = {"powered": {"facts": "electricity_heavy_truck=1;fuel_ci_g_per_mj=81"}}
    moving, fixed = worth("powered").yearly_credit, worth("powered", change=still).yearly_credit
    np.testing.assert_allclose(moving[:, 4], fixed[:, 4])
    assert (moving[:, 5:] >= fixed[:, 5:]).all()
    assert (moving[:, 2] < fixed[:, 2]).any()
    later = worth("powered", as_of=dt.date(2030, 1, 1)).yearly_credit
    np.testing.assert_allclose(later[:, 8], fixed[:, 8])


def test_a_truck_counts_the_fuel_credits_of_the_years_it_runs(tech: Technologies, worth: Build) -> None:
    k = tech.find(TRUCK)
    costs = worth("powered")
    ahead = np.concatenate([costs.yearly_credit[k], np.repeat(costs.yearly_credit[k, -1], 10)])
    life = int(tech.lifetime[k])
    weights = (1 + RATE) ** -np.arange(1, life + 1)
    for t in (4, 12, 28):
        assert costs.credits[k, t] == pytest.approx(ahead[t + 1 : t + 1 + life] @ weights / annuity(life))


def test_a_voucher_is_the_fixed_sum_in_dollars_of_the_price_year(
    tech: Technologies, worth: Build, cell: Callable[..., float], level: Callable[[int], float]
) -> None:
    paid = worth("voucher").vehicle_credit
    k = tech.find(TRUCK)
    for year in (2022, 2024, 2030, 2050):
        assert paid[k, year - 2022] == pytest.approx(cell("hvip", "rate") * level(2024) / level(year))
    assert not np.delete(paid, k, axis=0).any()


def test_a_large_fleet_and_a_diesel_truck_get_no_voucher(worth: Build) -> None:
    assert not worth("voucher", change={"voucher": {"facts": "fleet_size=50"}}).vehicle_credit.any()
    assert not worth("voucher", change={"voucher": {"facts": ""}}).vehicle_credit.any(), "not stated"
    assert not worth("voucher", change={"voucher": {"technology": DIESEL}}).vehicle_credit.any()


def test_reach_scales_what_is_paid_and_follows_the_end_of_the_range(worth: Build) -> None:
    reach = {"voucher": {"reach_low": 0.0, "reach": 0.25, "reach_high": 1.0}}
    full = worth("voucher").vehicle_credit
    np.testing.assert_allclose(worth("voucher", change=reach).vehicle_credit, 0.25 * full)
    np.testing.assert_allclose(worth("voucher", change=reach, end="low").vehicle_credit, 0.0 * full)
    np.testing.assert_allclose(worth("voucher", change=reach, end="high").vehicle_credit, full)
    kept = {"hvip": PolicyChoice(range="low")}
    assert not worth("voucher", change=reach, end="high", policies=kept).vehicle_credit.any()


# ---------------------------------------------------------------- choices of a scenario


def test_a_policy_that_is_off_pays_nothing(worth: Build) -> None:
    both = worth("stored", "made").credits
    alone = worth("stored", "made", policies={"45q": PolicyChoice(off=True)}).credits
    np.testing.assert_allclose(alone, worth("made").credits)
    assert not np.array_equal(both, alone)


def test_delay_scale_end_and_range(tech: Technologies, worth: Build, cell: Callable[..., float]) -> None:
    k, m, v = tech.find(CAPTURE), tech.find(ELECTROLYSIS), tech.find(TRUCK)
    plain = worth("stored", "made", "voucher")

    def under(**choices: PolicyChoice) -> UnitCosts:
        policies = {name.removeprefix("p"): choice for name, choice in choices.items()}
        return worth("stored", "made", "voucher", policies=policies)

    later = under(p45v=PolicyChoice(delay_years=2)).credits[m]
    assert later[2029 + LEAD - 2022] > 0
    assert later[2030 + LEAD - 2022] == 0
    half = under(p45q=PolicyChoice(scale=0.5)).credits[k]
    np.testing.assert_allclose(half, plain.credits[k] / 2)
    ended = under(hvip=PolicyChoice(until=dt.date(2030, 12, 31))).vehicle_credit[v]
    np.testing.assert_array_equal(ended > 0, YEARS <= 2030)
    low = under(p45q=PolicyChoice(range="low")).credits[k]
    share = cell("45q", "transfer_price", column="low") / cell("45q", "transfer_price")
    np.testing.assert_allclose(low, plain.credits[k] * share)


def test_payment_stops_where_the_law_ends(tech: Technologies, worth: Build) -> None:
    k = tech.find(CAPTURE)
    plain = worth("stored").credits[k]
    ended = worth("stored", policies={"45q": PolicyChoice(until=dt.date(2034, 12, 31))}).credits[k]
    started = 2029 - 2022  # paid 2029 to 2034: six years of twelve
    assert ended[started] == pytest.approx(plain[started] * annuity(6) / annuity(12))
    assert not ended[2035 - 2022 :].any()


def test_ends_of_the_range_lie_around_the_centre(worth: Build) -> None:
    names = ("stored", "made", "powered")
    low, centre, high = (worth(*names, end=end) for end in ("low", "", "high"))
    for one in ("credits", "vehicle_credit"):
        assert (getattr(low, one) <= getattr(centre, one) + 1e-9).all()
        assert (getattr(centre, one) <= getattr(high, one) + 1e-9).all()
    assert (low.credits < high.credits).any()


# ---------------------------------------------------------------- the tables decide


def without(library: Library, table: str, **where: str) -> Library:
    frame = library.tables[table]
    wrong = np.ones(len(frame), dtype=bool)
    for name, value in where.items():
        wrong &= frame[name].to_numpy() == value
    assert wrong.any()
    return dataclasses.replace(library, tables={**library.tables, table: frame[~wrong]})


def test_the_larger_of_two_that_the_policies_exclude_is_taken(
    tech: Technologies, worth: Build, library: Library
) -> None:
    one, other = worth("stored").credits, worth("made").credits
    both = worth("stored", "made").credits
    np.testing.assert_allclose(both, np.maximum(one, other))
    assert ((one > 0) & (other > 0)).any(), "hydrogen with capture could have either"
    free = without(library, "policy_exclusions", exclusion="45v-not-with-45q")
    np.testing.assert_allclose(worth("stored", "made", library=free).credits, one + other)


def test_a_row_of_the_policy_tables_that_goes_changes_what_is_paid(worth: Build, library: Library) -> None:
    late = slice(2034 + LEAD - 2022, None)
    no_deadline = without(library, "policy_conditions", condition="45q-construction")
    assert not worth("stored").credits[:, late].any()
    assert worth("stored", library=no_deadline).credits[:, late].any()
    full = without(library, "policy_values", policy="45q", item="transfer_price")
    assert worth("stored", library=full).credits.sum() > worth("stored").credits.sum() / 0.9001
    priceless = without(library, "policy_values", policy="lcfs", item="price")
    assert not worth("powered", library=priceless).credits.any()


def test_outside_its_jurisdiction_a_policy_pays_nothing(california: Hub, worth: Build) -> None:
    away = dataclasses.replace(california, meta={**california.meta, "jurisdictions": ["US"]})
    costs = worth("stored", "powered", "voucher", hub=away)
    assert costs.credits.any()
    assert not costs.yearly_credit.any()
    assert not costs.vehicle_credit.any()


def test_a_policy_of_the_hubs_own_folder_pays(tmp_path: Path, tech: Technologies) -> None:
    folder = shutil.copytree(BUNDLED / "california", tmp_path / "california")
    (folder / "policies").mkdir()
    (folder / "policies" / "lime-bonus.yaml").write_text(
        "policy: lime-bonus\nname: A bonus on lime\ninstrument: production_credit\njurisdiction: [US-CA]\n"
        "rule: rate_per_unit\nsummary: pays for clinker\nquantity: [clinker]\nstatus_date: 2026-01-01\n"
        "pays_until: 2031-12-31\nvalues:\n- {item: rate, value: 10.0, unit: USD/t, year: 2024}\n",
        encoding="utf-8",
    )
    hub = load_hub(folder)
    scenario = load_scenario("baseline", hub).model_copy(update={"credits": ("bonus",)})
    rows = {"bonus": {"policy": "lime-bonus", "basis": "product", "sector": "cement"}}
    hub = dataclasses.replace(hub, tables={**hub.tables, "credits": credit_table(rows)})
    paid = unit_costs(tech, Drivers(hub, scenario, YEARS), LEAD).credits
    np.testing.assert_array_equal(paid.any(axis=1), tech.sector == "cement")
    assert paid[tech.sector == "cement", 2031 - 2022].all()
    assert not paid[:, 2032 - 2022 :].any()


@pytest.mark.parametrize(
    ("name", "change", "column", "what"),
    [
        ("made", {"sector": "trucking"}, "basis", "counts in another unit"),
        ("stored", {"basis": "vehicle"}, "basis", "counts in another unit"),
        ("stored", {"facts": "prevailing_wage=yes"}, "facts", "not clear what is paid for"),
        ("stored", {"facts": "co2_stored=1;manna=1"}, "facts", "unknown fact"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(
    worth: Build, name: str, change: dict[str, Any], column: str, what: str
) -> None:
    with pytest.raises(InputError) as caught:
        worth(name, change={name: change})
    for fault in caught.value.faults:
        assert (fault.file, fault.row, fault.column) == ("credits.csv", 2, column)
        assert what in fault.what


def test_an_unknown_policy_is_told(worth: Build) -> None:
    with pytest.raises(InputError, match="no such policy"):
        worth("stored", change={"stored": {"policy": "45qq"}})


def test_all_years_asked_together_are_as_each_asked_alone(
    tech: Technologies, california: Hub, california_baseline: Scenario, worth: Build
) -> None:
    together = worth("stored", "made", "powered", "voucher")
    for year in (2024, 2027, 2030, 2031, 2035, 2036, 2045):
        drivers = Drivers(
            dataclasses.replace(california, tables={**california.tables, "credits": credit_table(ROWS)}),
            california_baseline.model_copy(update={"credits": tuple(ROWS), "policies": {}}),
            np.arange(year, year + 1),
        )
        alone = unit_costs(tech, drivers, LEAD)
        at = slice(year - 2022, year - 2021)
        np.testing.assert_allclose(alone.vehicle_credit, together.vehicle_credit[:, at])
        plants = tech.product != "distance"
        np.testing.assert_allclose(alone.credits[plants], together.credits[plants, at])


def test_asking_costs_little(tech: Technologies, california: Hub, california_baseline: Scenario) -> None:
    drivers = Drivers(california, california_baseline, YEARS)
    unit_costs(tech, drivers, LEAD)
    least = np.inf
    for _ in range(3):
        start = time.process_time()
        asked = PolicyCredits(drivers, set(california.tables["credits"]["policy"]))
        unit_costs(tech, drivers, LEAD)
        least = min(least, time.process_time() - start)
    assert set(asked.book.policies) == {"45q", "45v", "lcfs", "hvip"}, "only those"
    assert least < 0.3
