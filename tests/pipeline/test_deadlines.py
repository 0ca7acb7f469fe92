"""Deadlines of policies for the projects they pay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cleanhub.finance.valuations import value_projects
from cleanhub.hub.scenario import load_scenario
from cleanhub.pipeline.deadlines import policy_deadlines
from cleanhub.policy.book import load_book


@pytest.fixture(scope="module")
def valued(california):
    scenario = load_scenario("net-zero-2045", california)
    book = load_book(california.library, california, scenario)
    return value_projects(california, scenario, book), book, scenario


def test_a_credit_dates_the_decision_of_those_it_pays(valued):
    projects, book, scenario = valued
    credit = [
        one
        for one in policy_deadlines(projects, book, scenario.as_of)
        if one.policy == book.policies["45q"].name
    ]
    paid = {
        one.project.project_id
        for one in projects
        if one.value and any(a.policy == "45q" and a.answer == "pays" for a in one.value.setting.answers)
    }
    assert {one.project for one in credit} == paid != set()
    assert {one.at for one in credit} == {"decision"}
    # construction must begin before 1 January 2033; as of 1 June 2026
    assert {round(one.time, 9) for one in credit} == {round(2033 - (2026 + 151 / 365), 9)}


def test_without_its_condition_a_policy_dates_nothing(valued):
    projects, book, scenario = valued
    policy = book.policies["45q"]
    rules = tuple(one for one in policy.conditions if not one.is_date)
    undated = replace(book, policies={**book.policies, "45q": replace(policy, conditions=rules)})
    found = policy_deadlines(projects, undated, scenario.as_of)
    assert policy.name not in {one.policy for one in found}
    assert found  # others have dates of their own


def test_what_a_policy_pays_until_is_a_date_for_service(valued):
    projects, book, scenario = valued
    found = [
        one
        for one in policy_deadlines(projects, book, scenario.as_of)
        if one.policy == book.policies["45z"].name
    ]
    assert {(one.at, round(one.time + 2026 + 151 / 365, 6)) for one in found} == {("service", 2030.0)}


def test_dates_that_are_over_are_left_out(valued):
    projects, book, scenario = valued
    late = policy_deadlines(projects, book, scenario.as_of.replace(year=2034))
    assert book.policies["45q"].name not in {one.policy for one in late}
    assert all(one.time > 0 for one in late)
