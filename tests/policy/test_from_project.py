"""A project's row as an applicant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cleanhub.core.errors import InputError
from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.scenario import load_scenario
from cleanhub.policy.apply import answers
from cleanhub.policy.book import PolicyBook
from cleanhub.policy.from_project import applicant_of_project


@pytest.fixture(scope="module")
def california() -> Hub:
    return load_hub("california")


@pytest.fixture
def hub(california: Hub) -> Callable[..., Hub]:
    """California with one project, whose cells are given."""

    def build(**cells: Any) -> Hub:
        frame: pd.DataFrame = california.tables["projects"].iloc[:1].copy()
        defaults = {
            "project_id": "P", "sector": "hydrogen", "technology": "hydrogen_biomass_capture",
            "capacity": 20_000.0, "capacity_unit": "t/yr", "capacity_of": "hydrogen", "online_year": 2030,
            "capex_usd": 1e8, "capex_year": 2024, "co2e_t_per_year": 350_000.0, "role": "supplies",
            "role_secondary": "abates", "stage": "feed",
        }  # fmt: skip
        for name, value in {**defaults, **cells}.items():
            frame[name] = pd.Series([value], index=frame.index).astype(frame[name].dtype)
        return replace(california, tables={**california.tables, "projects": frame})

    return build


def test_dates_quantities_and_capital(hub: Callable[..., Hub], book: PolicyBook) -> None:
    one = applicant_of_project(hub(), "P", book)
    assert one.in_service == dt.date(2030, 1, 1)
    assert one.construction_begins == dt.date(2027, 1, 1)  # lead time of three years
    assert one.years[0] == 2030
    np.testing.assert_allclose(one.quantities["hydrogen"], 20e6)  # kg
    np.testing.assert_allclose(one.quantities["co2_stored"], 350_000)
    assert "emissions_avoided" not in one.quantities  # it supplies; what it stores is counted as stored
    growth = book.price_index.to_dollars("USD", 2024, 2025) * 1.02**5
    assert one.capital_usd == pytest.approx(1e8 * growth)
    assert one.facts == {"stage": "feed"}
    assert one.jurisdictions == {"US", "US-CA"}


def test_the_scenario_sets_the_lead_time(hub: Callable[..., Hub], california: Hub, book: PolicyBook) -> None:
    scenario = load_scenario("baseline", california)
    longer = scenario.model_copy(update={"decision": scenario.decision.model_copy(update={"lead_time": 5})})
    assert applicant_of_project(hub(), "P", book, longer).construction_begins == dt.date(2025, 1, 1)


def test_what_is_not_known_is_not_stated(hub: Callable[..., Hub], book: PolicyBook) -> None:
    bare = hub(online_year=pd.NA, capacity=np.nan, capex_usd=np.nan, co2e_t_per_year=np.nan)
    one = applicant_of_project(bare, "P", book)
    assert one.in_service is None
    assert one.construction_begins is None
    assert len(one.years) == 0
    assert one.capital_usd == 0
    found = {answer.policy: answer for answer in answers(book, one)}
    assert "construction_begins is not stated" in found["45v"].because


@pytest.mark.parametrize(
    ("cells", "quantity", "amount"),
    [
        ({"capacity": 90.0, "capacity_unit": "Mgal/yr", "capacity_of": "renewable_fuel"}, "fuel", 90e6),
        ({"capacity": 1.0, "capacity_unit": "Mt/yr", "capacity_of": "clinker"}, "clinker", 1e6),
        ({"capacity": 5.0, "capacity_unit": "MW", "capacity_of": "hydrogen"}, "hydrogen", None),
        ({"technology": "glass_electric", "role": "abates", "capacity_of": ""}, "emissions_avoided", 350_000),
        ({"technology": "glass_electric", "role": "abates", "capacity_of": ""}, "co2_stored", None),
        (
            {"technology": "direct_air_capture", "sector": "cdr", "role": "abates", "capacity_of": "co2"},
            "co2_stored",
            350_000,
        ),
        ({"role": "stores", "role_secondary": "", "capacity_of": "co2"}, "co2_stored", None),
    ],
)
def test_quantities(
    hub: Callable[..., Hub], book: PolicyBook, cells: dict[str, Any], quantity: str, amount: float | None
) -> None:
    found = applicant_of_project(hub(**cells), "P", book).quantities
    if amount is None:
        assert quantity not in found
    else:
        np.testing.assert_allclose(found[quantity], amount)


def test_vehicles_are_bought_once(hub: Callable[..., Hub], book: PolicyBook) -> None:
    cells = {"capacity": 44.0, "capacity_unit": "vehicle", "capacity_of": "vehicles", "sector": "trucking"}
    found = applicant_of_project(hub(**cells), "P", book).quantities["vehicles"]
    assert found[0] == 44
    assert found.sum() == 44


def test_facts_are_added(hub: Callable[..., Hub], book: PolicyBook) -> None:
    one = applicant_of_project(hub(), "P", book, facts={"prevailing_wage": True})
    assert one.facts == {"stage": "feed", "prevailing_wage": True}


def test_an_unknown_project(california: Hub, book: PolicyBook) -> None:
    with pytest.raises(InputError) as caught:
        applicant_of_project(california, "CA-999", book)
    assert "CA-001" in caught.value.faults[0].allowed


def test_every_project_of_california_is_answered(california: Hub, book: PolicyBook) -> None:
    for project in california.tables["projects"]["project_id"]:
        found = answers(book, applicant_of_project(california, project, book))
        assert len(found) == len(book.policies)
        assert all(one.because for one in found)


def test_without_a_year_it_says_so(hub: Callable[..., Hub], book: PolicyBook) -> None:
    one = applicant_of_project(hub(online_year=pd.NA), "P", book)
    found = {answer.policy: answer for answer in answers(book, one)}
    assert "operating years are not stated" in found["45v"].because
    assert "operating years are not stated" in found["45q"].because
    assert "states none" not in found["45v"].because
