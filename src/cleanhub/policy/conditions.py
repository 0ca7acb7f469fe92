"""The tests that policies put to an applicant: met, not met with a reason, or not stated.

A date test that is met says until which day it stays met (``until``); one that is not met
because a day is still too early says from when it would be (``becomes``). Tests of a yearly
quantity are asked of every year: ``years`` tells in which they are met.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.policy.applicant import Applicant, Fact
from cleanhub.policy.book import Condition, Policy, PolicyBook
from cleanhub.policy.lookup import tags_match

PAYING = ("in_force", "market", "expired", "closed")
YEARS_NOT_STATED = "operating years are not stated (the day it is placed in service, and its life)"
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Outcome:
    """How one condition, or one group of which one is enough, came out.

    ``fits`` is no where the project is simply not of the kind that the policy is about.
    """

    rule: str
    met: bool
    reason: str = ""
    until: dt.date | None = None
    becomes: dt.date | None = None
    years: NDArray[np.bool_] | None = None
    fits: bool = True


@dataclass(frozen=True)
class Question:
    """What a test needs: the condition, the applicant, the book."""

    condition: Condition
    applicant: Applicant
    book: PolicyBook


def in_force(policy: Policy) -> bool:
    """Whether the policy's state in law, or the scenario, lets it apply at all."""
    return not policy.choice.off and (policy.legal_status in PAYING or policy.choice.enact is not None)


def outcomes(
    policy: Policy, applicant: Applicant, book: PolicyBook, tags: frozenset[str]
) -> tuple[Outcome, ...]:
    """Every condition that is asked of this applicant, groups joined into one outcome each."""
    single: list[Outcome] = []
    groups: dict[str, list[Outcome]] = {}
    for condition in policy.conditions:
        if not tags_match(condition.applies_to, tags):
            continue
        found = ask(Question(condition, applicant, book))
        if condition.either:
            groups.setdefault(condition.either, []).append(found)
        else:
            single.append(found)
    return (*single, *(_one_is_enough(group) for group in groups.values()))


def ask(question: Question) -> Outcome:
    """Put one condition to one applicant."""
    condition = question.condition
    if condition.is_date:
        return _ask_date(question)
    if condition.test in _CODES:
        return _ask_code(question)
    if condition.test in _NUMBERS:
        return _ask_number(question)
    return _OTHER[condition.test](question)


def _one_is_enough(group: Sequence[Outcome]) -> Outcome:
    met = [one for one in group if one.met]
    rule = ";".join(one.rule for one in group)
    if met:
        ends = [one.until for one in met]
        until = None if None in ends else max(day for day in ends if day is not None)
        return Outcome(";".join(one.rule for one in met), True, until=until)
    becomes = [one.becomes for one in group if one.becomes is not None]
    reasons = dict.fromkeys(one.reason for one in group)
    fits = any(one.fits for one in group)
    return Outcome(rule, False, "; ".join(reasons), becomes=min(becomes, default=None), fits=fits)


def _failed(question: Question, found: object, allowed: object, becomes: dt.date | None = None) -> Outcome:
    condition = question.condition
    words = condition.words.replace("{found}", _shown(found)).replace("{allowed}", _shown(allowed))
    return Outcome(condition.condition, False, words, becomes=becomes, fits=condition.test not in _CODES)


def _met(question: Question, until: dt.date | None = None) -> Outcome:
    return Outcome(question.condition.condition, True, until=until)


def _not_stated(question: Question, fact: str, meaning: str) -> Outcome:
    """The fact to state, what it means and, where they need no figure, the condition's own words."""
    words = question.condition.words
    why = f": {words}" if "{" not in words else ""
    return Outcome(question.condition.condition, False, f"{fact} is not stated ({meaning}){why}")


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
    return str(value) if value not in ("", None) else "not stated"


# ---------------------------------------------------------------- dates

_DATES = {
    "construction_begins": ("construction_begins", "the day construction begins"),
    "in_service": ("in_service", "the day it is placed in service"),
    "acquired": ("acquired_on", "the day the property is acquired"),
    "applied": ("applied_on", "the day of the application or commitment"),
}


def _ask_date(question: Question) -> Outcome:
    condition = question.condition
    subject, kind = condition.test.rsplit("_", 1)
    name, meaning = _DATES[subject]
    found = _date_of(question.applicant, subject, name)
    limit = condition.date
    assert limit is not None
    if found is None:
        return _not_stated(question, name, meaning)
    if kind == "from":
        return _met(question) if found >= limit else _failed(question, found, limit, becomes=limit)
    last = limit - _DAY if kind == "before" else limit
    return _met(question, until=last) if found <= last else _failed(question, found, limit)


def _date_of(applicant: Applicant, subject: str, name: str) -> dt.date | None:
    """The date; what is not stated of acquisition and application is when construction begins."""
    if subject == "in_service":
        return applicant.in_service
    stated = applicant.facts.get(name)
    return stated if isinstance(stated, dt.date) else applicant.construction_begins


# ---------------------------------------------------------------- codes


_CODES = {
    "technology_in": ("technology", True),
    "product_in": ("product", True),
    "product_not_in": ("product", False),
    "sector_in": ("sector", True),
}


def _ask_code(question: Question) -> Outcome:
    name, wanted = _CODES[question.condition.test]
    found = getattr(question.applicant, name)
    allowed = question.condition.value.split(";")
    return _met(question) if (found in allowed) is wanted else _failed(question, found, ", ".join(allowed))


# ---------------------------------------------------------------- facts


_NUMBERS: dict[str, Callable[[float, float], bool]] = {
    "at_least": lambda found, limit: found >= limit,
    "at_most": lambda found, limit: found <= limit,
    "below": lambda found, limit: found < limit,
    "above": lambda found, limit: found > limit,
}


def _ask_number(question: Question) -> Outcome:
    condition, applicant = question.condition, question.applicant
    limit = float(condition.value)
    compare = _NUMBERS[condition.test]
    given = [name for name in condition.fact if name in applicant.quantities]
    if given and not len(applicant.years):
        return Outcome(condition.condition, False, YEARS_NOT_STATED)
    if given:
        total = np.sum([np.asarray(applicant.quantities[name], dtype=float) for name in given], axis=0)
        years = np.array([compare(float(amount), limit) for amount in total], dtype=bool)
        if years.any():
            return Outcome(condition.condition, True, years=years)
        extreme = total.max() if condition.test in ("at_least", "above") else total.min()
        return _failed(question, float(extreme), limit)
    found = _first_fact(question)
    if not isinstance(found, int | float) or isinstance(found, bool):
        return _fact_missing(question)
    return _met(question) if compare(float(found), limit) else _failed(question, float(found), limit)


def _first_fact(question: Question) -> Fact | None:
    return next(
        (
            question.applicant.facts[name]
            for name in question.condition.fact
            if name in question.applicant.facts
        ),
        None,
    )


def _fact_missing(question: Question) -> Outcome:
    name = question.condition.fact[0] if question.condition.fact else "the fact"
    meaning = question.book.meaning("policy_fact", name)
    if meaning == name:
        meaning = question.book.meaning("policy_quantity", name)
    return _not_stated(question, name, meaning)


def _is(wanted: bool) -> Callable[[Question], Outcome]:
    def test(question: Question) -> Outcome:
        found = _first_fact(question)
        if not isinstance(found, bool):
            return _fact_missing(question)
        return _met(question) if found is wanted else _failed(question, "yes" if found else "no", "")

    return test


def _words(wanted: bool) -> Callable[[Question], Outcome]:
    def test(question: Question) -> Outcome:
        found = _first_fact(question)
        if not isinstance(found, str):
            return _fact_missing(question)
        allowed = question.condition.value.split(";")
        if (found in allowed) is wanted:
            return _met(question)
        return _failed(question, found, ", ".join(allowed))

    return test


def _other_in_force(question: Question) -> Outcome:
    """Another policy applies (from the year a scenario enacts it), or the project says so."""
    stated = _first_fact(question)
    if isinstance(stated, bool):
        return _met(question) if stated else _failed(question, "no", "")
    other = question.book.policies.get(question.condition.value)
    if other is None or not in_force(other):
        return _failed(question, "", question.condition.value)
    since = other.choice.enact
    years = question.applicant.years
    if since is None:
        return _met(question)
    allowed = np.asarray(years >= since.year, dtype=bool)
    if not allowed.any():
        return _failed(question, "", since, becomes=since)
    return Outcome(question.condition.condition, True, years=allowed)


_OTHER: dict[str, Callable[[Question], Outcome]] = {
    "is_true": _is(True),
    "is_false": _is(False),
    "one_of": _words(True),
    "none_of": _words(False),
    "policy_in_force": _other_in_force,
}
