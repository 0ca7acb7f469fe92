"""Last dates of the policies that pay a project: dates that those it waits for would have to keep."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cleanhub.finance.policy_setting import applicant_of
from cleanhub.finance.valuations import ProjectValue
from cleanhub.pipeline.coordination import At, Deadline
from cleanhub.pipeline.stages import year_of
from cleanhub.policy.book import Condition, Policy, PolicyBook
from cleanhub.policy.lookup import tags_match, tags_of

_DAY = dt.timedelta(days=1)


def policy_deadlines(valued: Sequence[ProjectValue], book: PolicyBook, as_of: dt.date) -> list[Deadline]:
    """Deadlines still to come of every policy that pays a project at the dates of its own case.

    A condition that construction begin by a day is one for the decision, one that service begin is one
    for service; so is the last day on which the policy pays, since nothing is paid after it. Of a condition
    that is one of several alternatives nothing follows. Projects without a case have none.
    """
    found = []
    for one in valued:
        loaded = one.project.loaded
        if loaded is None or one.value is None:
            continue
        tags = tags_of(applicant_of(loaded, book))
        for answer in one.value.setting.answers:
            if answer.answer != "pays":
                continue
            policy = book.policies[answer.policy]
            asked = [rule for rule in policy.conditions if tags_match(rule.applies_to, tags)]
            for date in last_days(policy, asked):
                day = date.last + _DAY
                if date.alone and day > as_of:
                    time = year_of(day) - year_of(as_of)
                    at: At = "service" if date.service else "decision"
                    found.append(Deadline(one.project.project_id, at, time, policy.name))
    return found


@dataclass(frozen=True)
class LastDay:
    """Last day by which construction begins (or ``service`` does) for a policy to pay.

    ``alone`` is false where the condition is one of several alternatives: nothing follows if it is missed.
    """

    last: dt.date
    service: bool
    alone: bool = True


def last_days(policy: Policy, asked: Iterable[Condition]) -> list[LastDay]:
    """Last days of a policy of which ``asked`` are the conditions; the last it pays is one for service."""
    found = []
    for rule in asked:
        if rule.is_deadline and rule.date is not None:
            last = rule.date - _DAY if rule.test.endswith("_before") else rule.date
            found.append(LastDay(last, rule.test.startswith("in_service"), not rule.either))
    if policy.pays_until is not None:
        found.append(LastDay(policy.pays_until, service=True))
    return found
