"""Stages, tonnes, money and dates of projects; what silence does; what is left without evidence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cleanhub.hub.package import Hub
from cleanhub.hub.parameters import Parameters
from cleanhub.hub.scenario import Scenario, load_scenario
from cleanhub.pipeline.stages import (
    Given,
    by_sector,
    capital_in_price_year,
    chance_ever,
    listed,
    read_projects,
    year_of,
)

Build = Callable[..., Hub]


def at(given: Given, project_id: str) -> int:
    return list(given.id).index(project_id)


@pytest.fixture(scope="module")
def given(small: Hub, scenario: Scenario) -> Given:
    return read_projects(small, scenario)[0]


# ---------------------------------------------------------------- what a row says


def test_only_those_that_abate_carry_tonnes(make_hub: Build, scenario: Scenario) -> None:
    change = {
        "vault": {"co2e_t_per_year": 700000},
        "stack": {"co2e_t_per_year": 9000, "role_secondary": "abates"},
    }
    given = read_projects(make_hub(change=change), scenario)[0]
    assert given.tonnes[at(given, "kiln")] == 900000
    assert given.tonnes[at(given, "vault")] == 0
    assert given.tonnes[at(given, "stack")] == 9000
    assert given.tonnes[at(given, "depot")] == 0


def test_an_umbrella_is_found_by_position_and_knows_its_parts(given: Given) -> None:
    assert given.umbrella[at(given, "terminal")] == at(given, "harbour")
    assert (given.umbrella >= 0).sum() == 1
    assert list(given.id[given.has_parts]) == ["harbour"]


def test_the_middle_of_the_published_year_counts_from_the_as_of_date(
    make_hub: Build, scenario: Scenario
) -> None:
    assert scenario.as_of == dt.date(2026, 1, 1)
    change = {"depot": {"stage": "operating", "online_year": 2026}}
    given = read_projects(make_hub(change=change), scenario)[0]
    assert given.online[at(given, "kiln")] == pytest.approx(6.5)
    assert np.isnan(given.online[at(given, "mill")])
    assert given.online[at(given, "depot")] == 0.0  # it operates: never ahead


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (dt.date(2026, 1, 1), 2026.0),
        (dt.date(2026, 6, 1), 2026 + 151 / 365),
        (dt.date(2024, 12, 31), 2024 + 365 / 366),
    ],
)
def test_a_day_is_a_year_with_decimals(day: dt.date, year: float) -> None:
    assert year_of(day) == pytest.approx(year)


def test_capital_moves_to_the_price_year_of_the_scenario(make_hub: Build, scenario: Scenario) -> None:
    change = {"kiln": {"capex_year": 2014}, "mill": {"capex_usd": 5e8}}
    hub = make_hub(change=change)
    capital = dict(
        zip(hub.tables["projects"]["project_id"], capital_in_price_year(hub, scenario), strict=True)
    )
    factor = hub.library.price_index.to_dollars("USD", 2014, scenario.price_year)
    assert factor > 1.1
    assert capital["kiln"] == pytest.approx(8e8 * factor)
    assert capital["mill"] == 5e8  # no price year: taken as it stands
    assert np.isnan(capital["fleet"])


def test_life_is_that_of_the_technology_else_of_the_sector_else_of_all(
    make_hub: Build, scenario: Scenario
) -> None:
    hub = make_hub(change={"kiln": {"technology": "glass_electric"}})
    given, _ = read_projects(hub, scenario)
    figures = Parameters(hub, "pipeline_parameters")
    assert given.life[at(given, "kiln")] == 7  # technology_parameters: glass_electric, lifetime
    assert given.life[at(given, "fleet")] == figures.value("life_years", "trucking", "yr")
    assert given.life[at(given, "mill")] == figures.value("life_years", "", "yr")


# ---------------------------------------------------------------- silence


@pytest.mark.parametrize(
    ("evidence", "stage", "basis"),
    [
        ("2025", "announced", "asserted"),
        ("2024", "announced", "asserted"),  # one year of silence at most is sure on 1 January 2026
        ("2023", "shelved", "inferred"),  # exactly two years
        ("2022", "shelved", "inferred"),
        ("2021", "cancelled", "inferred"),  # exactly four
        ("2010", "cancelled", "inferred"),
    ],
)
def test_silence_shelves_after_two_years_and_cancels_after_four(
    make_hub: Build, scenario: Scenario, evidence: str, stage: str, basis: str
) -> None:
    given, notes = read_projects(make_hub(change={"mill": {"evidence_year": evidence}}), scenario)
    p = at(given, "mill")
    assert (given.stage[p], given.stage_basis[p]) == (stage, basis)
    assert given.ended[p] == (basis == "inferred")
    assert any(note.startswith("mill: taken as") for note in notes) == (basis == "inferred")


@pytest.mark.parametrize("stage", ["concept", "announced", "pre_feed", "feed"])
def test_every_proposed_stage_can_fall_silent(make_hub: Build, scenario: Scenario, stage: str) -> None:
    given, _ = read_projects(make_hub(change={"mill": {"evidence_year": 2022, "stage": stage}}), scenario)
    assert given.stage[at(given, "mill")] == "shelved"


@pytest.mark.parametrize("stage", ["fid", "construction", "operating", "shelved", "closed"])
def test_no_other_stage_does(make_hub: Build, scenario: Scenario, stage: str) -> None:
    given, _ = read_projects(make_hub(change={"mill": {"evidence_year": 2010, "stage": stage}}), scenario)
    p = at(given, "mill")
    assert (given.stage[p], given.stage_basis[p]) == (stage, "asserted")


def test_a_programme_is_never_inferred(make_hub: Build, scenario: Scenario) -> None:
    given, _ = read_projects(make_hub(change={"harbour": {"evidence_year": 2010}}), scenario)
    assert given.stage[at(given, "harbour")] == "announced"


def test_without_a_year_of_evidence_that_of_the_source_counts_then_of_the_announcement(
    make_hub: Build, scenario: Scenario
) -> None:
    hub = make_hub(change={"mill": {"announced_year": 2010}, "stack": {"announced_year": 2022}})
    sources = hub.tables["sources"]
    line = sources.index[sources["source_id"] == "example"][0]
    keep = sources.loc[line, "year"]
    sources.loc[line, "year"] = 2025
    assert read_projects(hub, scenario)[0].ended.sum() == 0
    sources.loc[line, "year"] = None
    given, _ = read_projects(hub, scenario)
    sources.loc[line, "year"] = keep
    assert list(given.id[given.ended]) == ["mill", "stack"]
    assert given.stage[at(given, "mill")] == "cancelled"
    assert given.stage[at(given, "stack")] == "shelved"


def test_a_recalled_row_that_nobody_looked_into_keeps_its_stage(make_hub: Build, scenario: Scenario) -> None:
    row: dict[str, Any] = {"confidence": "recalled", "announced_year": 2010}
    hub = make_hub(change={"mill": row, "stack": {**row, "evidence_year": 2020}})
    hub.tables["sources"]["year"] = None
    given, notes = read_projects(hub, scenario)
    assert given.stage[at(given, "mill")] == "announced"
    assert given.stage[at(given, "stack")] == "cancelled"  # somebody did look
    assert notes[-1].startswith("kept as asserted")
    assert notes[-1].endswith(": mill")


def test_california_keeps_most_of_its_proposed_projects(california: Hub) -> None:
    scenario = load_scenario("baseline", california)
    given, notes = read_projects(california, scenario)
    inferred = given.id[given.stage_basis == "inferred"]
    assert list(inferred) == ["CA-002", "CA-004", "CA-015", "CA-016", "CA-023", "CA-040"]
    assert set(given.stage[given.stage_basis == "inferred"]) == {"shelved"}
    assert (given.live & (given.role != "programme")).sum() == 26
    assert len(notes) == len(inferred) + 1


# ---------------------------------------------------------------- without evidence


def test_without_evidence_every_project_is_announced_and_has_passed_nothing(
    make_hub: Build, scenario: Scenario
) -> None:
    change = {
        "kiln": {"gates_done": "permit;site"},
        "mill": {"evidence_year": 2010},
        "wells": {"stage": "cancelled"},
        "harbour": {"stage": "construction"},
    }
    hub = make_hub(change=change)
    asserted, _ = read_projects(hub, scenario)
    assert asserted.gates_done[at(asserted, "kiln")] == {"permit", "site"}
    given, notes = read_projects(hub, scenario, without_evidence=True)
    plain = given.role != "programme"
    assert set(given.stage[plain]) == {"announced"}
    assert not any(given.gates_done[p] for p in np.flatnonzero(plain))
    assert given.live[plain].all()
    assert np.isnan(given.online[plain]).all()
    assert given.stage[at(given, "harbour")] == "construction"
    assert notes == []
    assert np.array_equal(given.tonnes, asserted.tonnes)


def test_a_hub_without_projects_gives_empty_arrays(make_hub: Build, scenario: Scenario) -> None:
    given, notes = read_projects(make_hub(only=()), scenario)
    assert len(given) == 0
    assert notes == []
    assert given.live.shape == (0,)
    assert given.fits({"roles": "abates"}).shape == (0,)


# ---------------------------------------------------------------- fitting rules


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({}, 10),
        ({"roles": "stores"}, 2),
        ({"roles": "stores;enables"}, 3),
        ({"roles": "abates", "sectors": "cement;steel"}, 2),
        ({"technology_has": "CCS"}, 1),
        ({"technology_has": "capture;ccs"}, 2),
        ({"technology_has": "apture"}, 0),  # words begin, they do not end
        ({"technology_has": "class vi"}, 2),
        ({"jurisdictions": "US-CA"}, 0),
        ({"roles": float("nan"), "sectors": ""}, 10),
    ],
)
def test_a_rule_fits_by_role_sector_words_and_place(given: Given, rule: dict[str, Any], fits: int) -> None:
    assert given.fits(rule).sum() == fits


def test_the_second_role_counts_too(make_hub: Build, scenario: Scenario) -> None:
    given, _ = read_projects(make_hub(change={"stack": {"role_secondary": "abates"}}), scenario)
    assert given.fits({"roles": "abates"})[at(given, "stack")]
    assert given.fits({"roles": "supplies"})[at(given, "stack")]


def test_words_are_looked_for_in_the_code_of_the_technology_too(make_hub: Build, scenario: Scenario) -> None:
    hub = make_hub(change={"kiln": {"technology": "cement_amine_capture", "technology_text": ""}})
    given, _ = read_projects(hub, scenario)
    assert given.fits({"technology_has": "amine capture"})[at(given, "kiln")]


def test_a_cell_of_several_words_is_parted() -> None:
    assert listed("a; b;;c ") == ["a", "b", "c"]
    assert listed("") == listed(None) == listed(float("nan")) == []


# ---------------------------------------------------------------- figures


def test_the_share_that_ever_decides_is_the_hubs_fact_else_the_librarys(make_hub: Build) -> None:
    assert chance_ever(make_hub()) == pytest.approx(0.2)
    fact = {"fact": "fid_rate_global_pct", "value": 35, "unit": "%"}
    assert chance_ever(make_hub(programme_facts=[fact])) == pytest.approx(0.35)


def test_a_figure_by_sector_falls_back_to_that_of_all(small: Hub) -> None:
    figures = Parameters(small, "pipeline_parameters")
    assert by_sector(figures, "stage_years", "trucking", "feed") == figures.value(
        "stage_years", "feed:trucking", "yr"
    )
    assert by_sector(figures, "stage_years", "cement", "feed") == figures.value("stage_years", "feed", "yr")
    assert by_sector(figures, "construction_years", "power") > by_sector(
        figures, "construction_years", "cement"
    )
    low, high = (by_sector(figures, "construction_years", "cement", which=end) for end in ("low", "high"))  # type: ignore[arg-type]
    assert low < by_sector(figures, "construction_years", "cement") < high


def test_the_hazard_and_the_share_that_ever_decides_are_two_figures(small: Hub) -> None:
    figures = Parameters(small, "pipeline_parameters")
    decisions, months = figures.value("tracker", "decisions:2025-01/2025-10"), 10.0
    a_year = decisions * 12.0 / months
    low, high = (a_year / figures.value("tracker", f"announced:{date}") for date in ("2025-11", "2025-06"))
    assert figures.value("fid_hazard", "", "1/yr", "low") == pytest.approx(low, abs=5e-4)
    assert figures.value("fid_hazard", "", "1/yr", "high") == pytest.approx(high, abs=5e-4)
    assert low < figures.value("fid_hazard", "", "1/yr") < high
    hazard, ever = figures.value("fid_hazard", "", "1/yr"), figures.value("fid_ever")
    assert hazard * (1 - ever) / ever == pytest.approx(0.12)
