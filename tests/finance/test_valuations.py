"""Projects of a hub as cases: what is taken from them, what the archetype fills, and why some have none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cleanhub as ch
from cleanhub.core.errors import InputError
from cleanhub.finance import from_project
from cleanhub.finance.case_value import CaseValue
from cleanhub.finance.cases import list_archetypes, load_archetype
from cleanhub.finance.from_project import case_of_project, project_case
from cleanhub.finance.valuations import (
    ProjectValue,
    counts,
    policy_answers_table,
    policy_wedge_table,
    valuations_table,
    value_projects,
)
from cleanhub.hub.library import load_library
from cleanhub.hub.scenario import PolicyChoice, Scenario, load_scenario
from cleanhub.policy.book import PolicyBook, book_from_tables, load_book

ROW = {
    "project_id": "X-1",
    "name": "A plant",
    "sector": "hydrogen",
    "technology": "hydrogen_biomass_capture",
    "technology_text": "gasification",
    "capacity": 20_000.0,
    "capacity_unit": "t/yr",
    "capacity_of": "hydrogen",
    "capex_usd": np.nan,
    "capex_year": pd.NA,
    "online_year": pd.NA,
    "stage": "announced",
    "role": "supplies",
    "role_secondary": "abates",
    "co2e_t_per_year": 350_000.0,
    "source_id": "rmi-2025",
    "confidence": "seen",
}


@pytest.fixture(scope="module")
def hub() -> ch.Hub:
    return ch.load_hub("california")


@pytest.fixture(scope="module")
def baseline(hub: ch.Hub) -> Scenario:
    return load_scenario("baseline", hub)


@pytest.fixture(scope="module")
def valued(hub: ch.Hub, baseline: Scenario) -> list[ProjectValue]:
    return value_projects(hub, baseline, load_book(hub.library, hub, baseline))


@pytest.fixture
def case(hub: ch.Hub, baseline: Scenario) -> Callable[..., Any]:
    def make(**changes: Any) -> Any:
        return project_case(pd.Series({**ROW, **changes}), hub, baseline)

    return make


def test_what_a_project_states_replaces_the_archetype(case: Callable[..., Any]) -> None:
    loaded = case(capex_usd=300e6, capex_year=2020).loaded
    assert loaded.figures["production.capacity"].value == pytest.approx(20_000)
    assert loaded.case.production.unit == "t"
    deflator = load_library().price_index.to_dollars("USD", 2020, 2024)
    assert loaded.figures["capital.cost"].value == pytest.approx(300e6 * deflator)
    assert loaded.confidence("capital.cost") == "seen"
    assert "capital.cost" not in loaded.from_archetype
    assert "production.capacity" not in loaded.from_archetype
    assert "inputs.wood.use" in loaded.from_archetype


def test_a_cost_that_is_not_published_is_scaled_by_capacity(case: Callable[..., Any]) -> None:
    base = load_archetype("biomass-hydrogen-storage", load_library())
    one = case(capacity=10_000.0).loaded.figures["capital.cost"]
    two = case(capacity=20_000.0).loaded.figures["capital.cost"]
    exponent = np.log(two.value / one.value) / np.log(2)
    assert 0.5 < exponent < 1
    same = case(capacity=base.figures["production.capacity"].value).loaded.figures["capital.cost"]
    assert same.value == pytest.approx(base.figures["capital.cost"].value)
    assert same.low == pytest.approx(base.figures["capital.cost"].low)


def test_tonnes_of_the_project_replace_those_of_the_archetype(case: Callable[..., Any]) -> None:
    loaded = case().loaded
    made = 20_000 * loaded.figures["production.utilisation"].value
    assert loaded.figures["reference.emissions_avoided"].value == pytest.approx(350_000 / made)
    silent = case(role_secondary="").loaded
    base = load_archetype("biomass-hydrogen-storage", load_library())
    stated = silent.figures["reference.emissions_avoided"].value
    assert stated == pytest.approx(base.figures["reference.emissions_avoided"].value)


@pytest.mark.parametrize(
    ("changes", "service"),
    [
        ({"stage": "operating", "online_year": 2022}, dt.date(2022, 1, 1)),
        ({"stage": "construction", "online_year": 2027}, dt.date(2027, 1, 1)),
        ({"stage": "announced", "online_year": 2033}, dt.date(2033, 1, 1)),
        ({"stage": "announced", "online_year": 2026}, None),  # cannot be kept: not even begun
        ({"stage": "feed"}, None),
    ],
)
def test_dates_are_published_where_they_can_still_be_kept(
    case: Callable[..., Any], baseline: Scenario, changes: dict[str, Any], service: dt.date | None
) -> None:
    project = case(**changes).loaded.case.project
    years = len(case(**changes).loaded.case.capital.spending)
    expected = service or dt.date(baseline.as_of.year + 1 + years, 1, 1)
    assert project.in_service == expected
    assert project.construction_begins == dt.date(expected.year - years, 1, 1)


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"role": "programme"}, "umbrella"),
        ({"technology": "", "sector": "rail", "capacity_of": "vehicles"}, "no archetype fits"),
        ({"capacity": np.nan}, "capacity is not published"),
        ({"capacity": 0.0}, "capacity is not published"),
        ({"capacity_unit": "MW"}, "no yearly output"),
        ({"capacity_of": "steel"}, "no yearly output"),
        ({"capacity": 3.0}, "too far from the archetype"),
    ],
)
def test_a_project_without_a_case_says_why(
    case: Callable[..., Any], changes: dict[str, Any], because: str
) -> None:
    found = case(**changes)
    assert found.loaded is None
    assert because in found.because


def test_an_unknown_project_and_one_without_a_case_are_refused(hub: ch.Hub, baseline: Scenario) -> None:
    with pytest.raises(InputError, match="no such project"):
        case_of_project(hub, baseline, "CA-999")
    umbrella = hub.tables["projects"].query("role == 'programme'")["project_id"].iloc[0]
    with pytest.raises(InputError, match="not valuable, because it is an umbrella"):
        case_of_project(hub, baseline, umbrella)


def test_every_project_of_california_is_valued_or_says_why_not(
    valued: list[ProjectValue], hub: ch.Hub
) -> None:
    table = valuations_table(valued)
    assert set(table["project_id"]) == set(hub.tables["projects"]["project_id"])
    with_value = table[table["status"] == "valued"]
    without = table[table["status"] != "valued"]
    assert with_value.groupby("project_id")["case"].agg(set).map(len).eq(2).all()
    assert without["status"].str.match(r"not valuable, because \w").all()
    assert without["levelised_cost"].isna().all()
    assert with_value["levelised_cost"].gt(0).all()
    assert with_value["archetype_fields"].str.len().gt(0).all()
    found = counts(valued)
    assert sum(found.values()) == len(valued)
    assert found["valued"] == with_value["project_id"].nunique() >= 30


def test_the_lender_never_sees_more_than_the_sponsor(valued: list[ProjectValue]) -> None:
    table = valuations_table(valued)
    sponsor = table[table["case"] == "sponsor_p50"].set_index("project_id")
    lender = table[table["case"] == "lender_p90"].set_index("project_id")
    assert (lender["price_at_return"] >= sponsor["price_at_return"] - 1e-6).all()
    served = lender["min_dscr"].dropna()
    assert (served >= 1.2).all()
    assert (sponsor["debt_usd"] <= lender["debt_usd"] * (1 + 1e-9)).all()


def test_gaps_follow_from_prices_and_policies_never_widen_them(valued: list[ProjectValue]) -> None:
    for one in valued:
        if one.value is None:
            continue
        value = one.value
        assert value.price_at_return <= value.price_before_policy + 1e-6 * abs(value.price_before_policy)
        if np.isfinite(value.reference_price):
            assert value.price_gap == pytest.approx(value.price_at_return - value.reference_price)


def test_answers_hold_every_policy_and_pay_only_where_they_say_so(
    valued: list[ProjectValue], hub: ch.Hub, baseline: Scenario
) -> None:
    table = policy_answers_table(valued, 2050)
    policies = set(load_book(hub.library, hub, baseline).policies)
    for _, rows in table.groupby("project_id"):
        assert set(rows["policy"]) == policies
    assert table.loc[table["usd"].notna(), "answer"].eq("pays").all()
    assert table["because"].str.len().gt(3).all()
    assert table.loc[table["usd"].notna(), "usd"].gt(0).all()


def test_the_wedge_counts_committed_projects_only(valued: list[ProjectValue]) -> None:
    wedge = policy_wedge_table(valued, 2050)
    assert (wedge["public_cost_usd"] <= wedge["paid_usd"] + 1e-6).all()
    answers = policy_answers_table(valued, 2050)
    committed = {
        one.project.project_id
        for one in valued
        if str(one.row["stage"]) in ("fid", "construction", "operating")
    }
    by_hand = answers[answers["project_id"].isin(committed)].groupby(["policy", "year"])["usd"].sum()
    got = wedge.set_index(["policy", "year"])["paid_usd"]
    assert got.to_dict() == pytest.approx(by_hand[by_hand > 0].to_dict())


@pytest.fixture(scope="module")
def mote(hub: ch.Hub) -> ch.Hub:
    """California with one project, which two credits that exclude each other could pay."""
    table = hub.tables["projects"]
    only = table[table["project_id"] == "CA-001"]
    return hub.__class__(**{**hub.__dict__, "tables": {**hub.tables, "projects": only}})


def _value(hub: ch.Hub, scenario: Scenario, book: PolicyBook) -> CaseValue:
    (one,) = value_projects(hub, scenario, book)
    assert one.value is not None
    return one.value


def test_deleting_a_policy_changes_what_projects_are_worth(mote: ch.Hub, baseline: Scenario) -> None:
    names = ("policies", "policy_values", "policy_conditions", "policy_exclusions", "policy_settings")
    tables = {name: mote.library.tables[name] for name in names}
    cut = dict(tables)
    for gone in ("45v", "45q"):  # the second comes in where the first is gone
        before = _value(mote, baseline, book_from_tables(cut, mote.library, baseline))
        paying = {a.policy for a in before.setting.answers if a.answer == "pays" and a.payments.any()}
        assert gone in paying
        for name in names[:3]:
            cut[name] = cut[name][cut[name]["policy"] != gone]
        pairs = cut["policy_exclusions"]
        cut["policy_exclusions"] = pairs[(pairs["policy"] != gone) & (pairs["excludes"] != gone)]
        after = _value(mote, baseline, book_from_tables(cut, mote.library, baseline))
        assert after.price_at_return > before.price_at_return + 10


def test_a_scenario_switches_a_policy_off(mote: ch.Hub, baseline: Scenario) -> None:
    off = {"45v": PolicyChoice(off=True)}
    without = baseline.model_copy(update={"policies": off})
    value = _value(mote, without, load_book(mote.library, mote, without))
    answers = {a.policy: a for a in value.setting.answers}
    assert answers["45v"].answer == "no"
    assert "scenario" in answers["45v"].because
    assert answers["45q"].answer == "pays"


def test_the_index_of_archetypes_is_what_the_files_say() -> None:
    library = load_library()
    for name in list_archetypes():
        case = load_archetype(name, library).case
        if case.project.technology:
            assert from_project._index().get(("technology", case.project.technology)) == name
    pairs = [
        (case.project.sector, case.production.product)
        for case in (load_archetype(name, library).case for name in list_archetypes())
    ]
    alone = {pair for pair in pairs if pairs.count(pair) == 1}
    assert alone <= set(from_project._index())
    assert not {pair for pair in pairs if pairs.count(pair) > 1} & set(from_project._index())


def _as_of_country(hub: ch.Hub, country: str) -> ch.Hub:
    meta = {key: value for key, value in hub.meta.items() if key != "jurisdictions"} | {"country": country}
    return hub.__class__(**{**hub.__dict__, "meta": meta})


def test_a_hub_elsewhere_gets_no_policy_of_the_country_its_archetypes_come_from(
    mote: ch.Hub, baseline: Scenario
) -> None:
    there = _as_of_country(mote, "NL")
    value = _value(there, baseline, load_book(there.library, there, baseline))
    assert value.loaded.case.project.jurisdictions == ()
    assert {answer.answer for answer in value.setting.answers} == {"no"}
    assert value.setting.tax.federal_rate == value.setting.tax.state_rate == 0
    assert value.price_at_return == value.price_before_policy
    federal = _value(_as_of_country(mote, "US"), baseline, load_book(mote.library, mote, baseline))
    assert federal.setting.tax.federal_rate > 0
    assert federal.setting.tax.state_rate == 0
    assert ch.load_hub("california").jurisdictions == ("US", "US-CA")


@pytest.mark.parametrize("project_id", ["my plant #1 (a)", "_x", "#", "CA-001"])
def test_any_project_id_makes_a_case(case: Callable[..., Any], project_id: str) -> None:
    found = case(project_id=project_id, name="n" * 300)
    assert found.project_id == project_id
    assert found.loaded.case.name
    assert len(found.loaded.case.title) == 200


def test_a_row_that_makes_no_case_does_not_stop_the_others(case: Callable[..., Any]) -> None:
    found = case(capex_usd=1e8, capex_year=1950)
    assert found.loaded is None
    assert found.because.startswith("its row makes no case (capital.cost.currency_year: impossible value")
