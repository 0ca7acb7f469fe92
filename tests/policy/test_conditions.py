"""Each test of a condition: met, not met with its reason, or not stated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cleanhub.hub.library import Library
from cleanhub.policy.applicant import Applicant
from cleanhub.policy.book import Condition, PolicyBook
from cleanhub.policy.conditions import Outcome, Question, ask, in_force, outcomes

Make = Callable[..., Applicant]
BASE = Condition("c", "is_true", (), (), "", "", "", "words {found} of {allowed}", "x", "seen", "")


def test_every_test_of_the_codelist_is_known(library: Library, book: PolicyBook, applicant: Make) -> None:
    values = {"one_of": "a", "none_of": "a", "technology_in": "a", "product_in": "a", "sector_in": "a"}
    for test in library.codelists["policy_test"]:
        value = values.get(test, "3" if test in ("at_least", "at_most", "below", "above") else "")
        value = "2030-01-01" if replace(BASE, test=test).is_date else value
        found = ask(Question(replace(BASE, test=test, value=value, fact=("drayage",)), applicant(), book))
        assert isinstance(found, Outcome)


@pytest.mark.parametrize(
    ("test", "day", "met", "until", "becomes"),
    [
        ("in_service_before", "2030-01-02", True, "2030-01-01", None),
        ("in_service_before", "2030-01-01", False, None, None),
        ("in_service_by", "2030-01-01", True, "2030-01-01", None),
        ("in_service_by", "2029-12-31", False, None, None),
        ("in_service_from", "2030-01-01", True, None, None),
        ("in_service_from", "2030-01-02", False, None, "2030-01-02"),
        ("construction_begins_by", "2027-03-01", True, "2027-03-01", None),
        ("acquired_by", "2027-03-01", True, "2027-03-01", None),
        ("applied_by", "2027-02-28", False, None, None),
    ],
)
def test_dates(
    book: PolicyBook, applicant: Make, test: str, day: str, met: bool, until: str | None, becomes: str | None
) -> None:
    given = applicant(in_service=dt.date(2030, 1, 1), construction_begins=dt.date(2027, 3, 1))
    found = ask(Question(replace(BASE, test=test, value=day), given, book))
    assert found.met is met
    assert found.until == (dt.date.fromisoformat(until) if until else None)
    assert found.becomes == (dt.date.fromisoformat(becomes) if becomes else None)
    if not met:
        assert day in found.reason


@pytest.mark.parametrize(
    ("test", "value", "found", "met"),
    [
        ("at_least", "3", 3, True),
        ("at_least", "3", 2.9, False),
        ("at_most", "3", 3, True),
        ("at_most", "3", 3.1, False),
        ("below", "3", 3, False),
        ("below", "3", 2.9, True),
        ("above", "3", 3, False),
        ("above", "3", 3.1, True),
        ("at_least", "3", True, None),  # yes is no number
        ("at_least", "3", "many", None),
        ("is_true", "", True, True),
        ("is_true", "", False, False),
        ("is_true", "", 1.0, None),
        ("is_false", "", False, True),
        ("is_false", "", True, False),
        ("one_of", "a;b", "b", True),
        ("one_of", "a;b", "c", False),
        ("none_of", "a;b", "c", True),
        ("none_of", "a;b", "a", False),
    ],
)
def test_facts(
    book: PolicyBook, applicant: Make, test: str, value: str, found: Any, met: bool | None
) -> None:
    condition = replace(BASE, test=test, value=value, fact=("trl",))
    outcome = ask(Question(condition, applicant(facts={"trl": found}), book))
    assert outcome.met is bool(met)
    if met is None:
        assert "trl is not stated (number: technology readiness level)" in outcome.reason
    missing = ask(Question(condition, applicant(), book))
    assert not missing.met
    assert "trl is not stated" in missing.reason
    assert missing.rule == "c"


def test_a_yearly_quantity_is_tested_in_each_year(book: PolicyBook, applicant: Make) -> None:
    given = applicant(count=3)
    given = replace(
        given, quantities={"co2_stored": np.array([1.0, 5, 9]), "co2_utilised": np.array([1.0, 0, 0])}
    )
    condition = replace(BASE, test="at_least", value="5", fact=("co2_stored", "co2_utilised"))
    found = ask(Question(condition, given, book))
    assert found.met
    assert found.years is not None
    assert found.years.tolist() == [False, True, True]
    assert not ask(Question(replace(condition, value="10"), given, book)).met
    assert "9" in ask(Question(replace(condition, value="10"), given, book)).reason


@pytest.mark.parametrize(
    ("test", "value", "met"),
    [
        ("sector_in", "hydrogen;cement", True),
        ("sector_in", "cement", False),
        ("product_in", "hydrogen", True),
        ("product_not_in", "hydrogen;cement", False),
        ("product_not_in", "cement", True),
        ("technology_in", "hydrogen_smr", False),
    ],
)
def test_codes(book: PolicyBook, applicant: Make, test: str, value: str, met: bool) -> None:
    given = applicant("hydrogen", product="hydrogen", technology="hydrogen_electrolysis")
    found = ask(Question(replace(BASE, test=test, value=value), given, book))
    assert found.met is met
    assert found.fits is met  # a project of another kind, not one that misses something


def with_conditions(book: PolicyBook, *conditions: Condition) -> Any:
    return replace(book.policies["45q"], conditions=conditions)


def test_one_of_a_group_is_enough(book: PolicyBook, applicant: Make) -> None:
    early = replace(BASE, condition="early", test="in_service_by", value="2028-01-01", either="g")
    later = replace(BASE, condition="later", test="construction_begins_by", value="2027-01-01", either="g")
    policy = with_conditions(book, early, later)
    (found,) = outcomes(policy, applicant(in_service=dt.date(2027, 1, 1)), book, frozenset())
    assert (found.met, found.until) == (True, dt.date(2028, 1, 1))
    (found,) = outcomes(policy, applicant(in_service=dt.date(2029, 1, 1)), book, frozenset())
    assert (found.met, found.rule, found.until) == (True, "later", dt.date(2027, 1, 1))
    late = applicant(in_service=dt.date(2029, 1, 1), construction_begins=dt.date(2028, 1, 1))
    (found,) = outcomes(policy, late, book, frozenset())
    assert (found.met, found.rule) == (False, "early;later")


def test_conditions_of_others_are_not_asked(book: PolicyBook, applicant: Make) -> None:
    policy = with_conditions(book, replace(BASE, fact=("drayage",), applies_to=("power",)))
    assert outcomes(policy, applicant(), book, frozenset({"cement"})) == ()
    assert len(outcomes(policy, applicant(), book, frozenset({"power"}))) == 1


def test_what_is_in_force(book: PolicyBook, under: Callable[[Any], PolicyBook]) -> None:
    assert in_force(book.policies["45q"])
    assert in_force(book.policies["30c"])  # its own date decides
    assert not in_force(book.policies["cap-and-invest-mdi"])
    assert not in_force(under({"45q": {"off": True}}).policies["45q"])
    assert in_force(under({"act": {"enact": dt.date(2030, 1, 1)}}).policies["act"])
