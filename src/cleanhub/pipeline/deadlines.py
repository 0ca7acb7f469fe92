"""Last dates of the policies that pay a project: dates that those it waits for would have to keep."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

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
            for at, day in _days(policy, asked):
                if day > as_of:
                    time = year_of(day) - year_of(as_of)
                    found.append(Deadline(one.project.project_id, at, time, policy.name))
    return found


def _days(policy: Policy, asked: Sequence[Condition]) -> list[tuple[At, dt.date]]:
    """What must have happened before which day."""
    found: list[tuple[At, dt.date]] = []
    for rule in asked:
        if rule.is_deadline and rule.date is not None and not rule.either:
            at: At = "service" if rule.test.startswith("in_service") else "decision"
            found.append((at, rule.date if rule.test.endswith("_before") else rule.date + _DAY))
    if policy.pays_until is not None:
        found.append(("service", policy.pays_until + _DAY))
    return found
