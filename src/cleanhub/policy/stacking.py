"""Which of the policies that say yes may be had together.

Claims come first, in their order; of what is left, the combination of greatest present value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from cleanhub.policy.applicant import Answer
from cleanhub.policy.book import Exclusion, PolicyBook


def present_value(answer: Answer, rate: float) -> float:
    """Cash of an answer at the start of service: payments and lump sum at the transfer price.

    Payments of operating year t (from 0) arrive ``lag_years`` later and are discounted at
    ``rate`` [1/yr]; a lump sum is not.
    """
    later = np.arange(len(answer.payments)) + answer.lag_years
    yearly = float(np.sum(answer.payments / (1.0 + rate) ** later))
    return (yearly + answer.once) * answer.transfer_price


def settle(found: Sequence[Answer], book: PolicyBook, claims: Sequence[str], rate: float) -> list[Answer]:
    """``found`` with those refused that an exclusion bars, in the same order."""
    yes = {answer.policy: answer for answer in found if answer.answer != "no"}
    barred = {name: {e.other: e for e in book.policies[name].exclusions if e.other in yes} for name in yes}
    kept = _claimed(yes, barred, claims)
    free = [
        name
        for name in yes
        if name not in kept and barred[name] and not any(other in kept for other in barred[name])
    ]
    worth = {name: present_value(yes[name], rate) for name in free}
    kept |= set(_best(free, barred, worth)) | {name for name in yes if not barred[name]}
    claimed = set(claims)
    return [
        _refused(answer, barred[answer.policy], kept, book, claimed)
        if answer.policy in yes and answer.policy not in kept
        else answer
        for answer in found
    ]


def _claimed(
    yes: Mapping[str, Answer], barred: Mapping[str, Mapping[str, Exclusion]], claims: Sequence[str]
) -> set[str]:
    kept: set[str] = set()
    for name in claims:
        if name in yes and not any(other in kept for other in barred[name]):
            kept.add(name)
    return kept


def _best(
    names: Sequence[str], barred: Mapping[str, Mapping[str, Exclusion]], worth: Mapping[str, float]
) -> tuple[str, ...]:
    """The compatible set of greatest worth; of equals the larger, then the one listed first."""
    if not names:
        return ()
    first, rest = names[0], names[1:]
    with_first = (first, *_best([name for name in rest if name not in barred[first]], barred, worth))
    if not any(name in barred[first] for name in rest):
        return with_first
    without = _best(rest, barred, worth)
    return max((with_first, without), key=lambda chosen: (sum(worth[n] for n in chosen), len(chosen)))


def _refused(
    answer: Answer,
    barred: Mapping[str, Exclusion],
    kept: set[str],
    book: PolicyBook,
    claimed: set[str],
) -> Answer:
    winners = [exclusion for other, exclusion in barred.items() if other in kept]
    reasons = []
    for exclusion in winners:
        name = book.policies[exclusion.other].name
        why = "which is claimed first" if exclusion.other in claimed else "which is worth more"
        reasons.append(f"not together with {name}, {why} ({exclusion.exclusion}: {exclusion.scope})")
    nothing = np.zeros(len(answer.payments))
    return replace(
        answer,
        answer="no",
        because="; ".join(reasons),
        rule=";".join(exclusion.exclusion for exclusion in winners),
        until=None,
        rate=nothing,
        rate_low=nothing,
        rate_high=nothing,
        payments=nothing,
        once=0.0,
        once_low=0.0,
        once_high=0.0,
    )
