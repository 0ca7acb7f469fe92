"""What the policies ask or pay by when: every date of a book as one list, and policies by subject.

Nothing is reckoned here: a date is the state in law of a policy, the day it begins or ends to pay or to
charge, a day that one of its conditions names, or the year of a target, limit or step of its rate. A
scenario's choices (delayed, ended, enacted) are in the book already.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cleanhub.policy.book import Policy, PolicyBook, PolicyValue

STATE = "state"
_STEPS = ("target", "limit", "phase_down", "phase_down_construction", "crop_share_cap")
"""Values that change what a rule asks or pays from a year on; prices and benchmarks are not among them."""


@dataclass(frozen=True)
class PolicyDate:
    """One date of a policy: what begins, ends, is asked or is known on that day.

    ``kind`` is ``state``, ``begins``, ``ends``, the test of a condition, or the item of a value.
    ``what`` says it in words, with its unit. A year without a day has its first of January as ``day``.
    """

    day: dt.date
    kind: str
    what: str
    source_id: str
    confidence: str
    policy: Policy

    @property
    def when(self) -> str:
        """The day as year-month-day; the year alone where no day is known."""
        return str(self.day.year) if self.kind in _STEPS else self.day.isoformat()


def policy_dates(book: PolicyBook, policies: Iterable[Policy]) -> list[PolicyDate]:
    """Every date of the ``policies`` of a book, in order of day; those of one day in the book's order."""
    found: list[PolicyDate] = []
    for policy in policies:
        law = (policy.source_id, policy.confidence, policy)
        meaning = book.meaning("legal_status", policy.legal_status)
        state = f"{meaning}; it {policy.summary}"
        found.append(PolicyDate(policy.status_date, STATE, state, *law))
        charges = policy.instrument in ("fee", "standard", "procurement")
        if policy.pays_from is not None:
            what = "it applies from here on" if charges else "it pays from this year on"
            found.append(PolicyDate(policy.pays_from, "begins", what, *law))
        if policy.pays_until is not None:
            what = "the last year in which it applies" if charges else "the last year that is paid"
            found.append(PolicyDate(policy.pays_until, "ends", what, *law))
        for one in policy.conditions:
            if one.date is not None:
                words = book.meaning("policy_test", one.test).replace("a date", one.value)
                whom = f", asked of {' and '.join(one.applies_to)}" if one.applies_to else ""
                enough = "; another condition is enough instead" if one.either else ""
                what = f"{words}{whom}{enough}"
                found.append(PolicyDate(one.date, one.test, what, one.source_id, one.confidence, policy))
        for value in policy.values:
            if value.year is not None and value.item in _STEPS:
                day = dt.date(value.year, 1, 1)
                what = _step(book, value)
                found.append(PolicyDate(day, value.item, what, value.source_id, value.confidence, policy))
    return sorted(found, key=lambda one: one.day)


def about(book: PolicyBook, words: Iterable[str]) -> list[Policy]:
    """Policies whose rows hold a word that begins with one of ``words``; all policies without a word.

    Read are identifier, name, summary, note, place, quantities paid for, and what conditions and values
    name: ``truck`` finds vouchers for trucks, charges on containers moved by truck and rules on their makers.
    """
    wanted = "|".join(re.escape(word.strip()) for word in words if word.strip())
    begins = re.compile(rf"\b(?:{wanted})", re.IGNORECASE)
    return [one for one in book.policies.values() if not wanted or begins.search(_text(book, one))]


def _text(book: PolicyBook, policy: Policy) -> str:
    parts = [policy.policy, policy.name, policy.summary, policy.note]
    parts += [book.meaning("jurisdiction", place) for place in policy.jurisdiction]
    parts += [f"{one} {book.meaning('policy_quantity', one)}" for one in policy.quantity]
    parts += [f"{one.value} {' '.join(one.fact)} {one.words}" for one in policy.conditions]
    parts += [f"{' '.join(one.tags)} {one.note}" for one in policy.values]
    return " ".join(parts).replace("_", " ")


def _step(book: PolicyBook, value: PolicyValue) -> str:
    amount = f"{value.value:.4g}" if value.value < 1e4 else f"{value.value:,.0f}"
    amount = f"{value.value * 100:g} %" if value.unit == "1" else f"{amount} {value.unit}"
    whom = f" for {' and '.join(value.tags)}" if value.tags else ""
    note = f": {value.note}" if value.note else ""
    return f"{book.meaning('policy_item', value.item)}{whom} {amount}{note}"
