"""Every policy's answer to one project: what it pays in which year, or no and why.

:func:`answers` is the only way in. It asks each policy of the book, then settles which of
those that say yes may be had together (:mod:`cleanhub.policy.stacking`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.policy.applicant import Answer, Applicant, Verdict
from cleanhub.policy.book import CONFIDENCE, Policy, PolicyBook
from cleanhub.policy.conditions import YEARS_NOT_STATED, Outcome, in_force, outcomes
from cleanhub.policy.lookup import Figures, FloatArray, Index, tags_match, tags_of
from cleanhub.policy.rules import RULES, Case, Payment
from cleanhub.policy.stacking import settle

INFORMING = ("terms", "award_stated")  # rules whose figures are told even with a no
BINDING = ("standard", "procurement", "fee", "tax_rate")


def answers(
    book: PolicyBook,
    applicant: Applicant,
    *,
    inflation: float | None = None,
    rate: float | None = None,
) -> list[Answer]:
    """One answer for every policy of the book, in its order.

    Parameters
    ----------
    book
        The policies, with a scenario's choices applied.
    applicant
        The project; a fact that a policy asks and that is not stated is a *no*.
    inflation
        Yearly growth of the deflator beyond the price index [1]; default: setting ``inflation``.
    rate
        Discount rate that weighs policies that exclude each other and are not claimed [1];
        default: setting ``discount_rate``.

    Returns
    -------
    list of Answer
        Payments in nominal USD, arrays of the shape of ``applicant.years``.

    Raises
    ------
    InputError
        If the applicant claims or leaves out an unknown policy, or a quantity has not one value
        for each operating year.
    """
    _check(book, applicant)
    index = Index(book.price_index, book.settings["inflation"] if inflation is None else inflation)
    found = [_ask(book, policy, applicant, index) for policy in book.policies.values()]
    weigh = book.settings["discount_rate"] if rate is None else rate
    return settle(found, book, applicant.claims, weigh)


def answer_of(book: PolicyBook, policy: Policy, applicant: Applicant, index: Index) -> Answer:
    """What one policy says by itself: exclusions are left aside and nothing is settled.

    ``policy`` need not be the book's own reading of it; ``index`` grows amounts. For many
    questions about few policies.
    """
    return _ask(book, policy, applicant, index)


def _check(book: PolicyBook, applicant: Applicant) -> None:
    faults = FaultList()
    for name in (*applicant.claims, *applicant.without):
        if name not in book.policies:
            faults.add(applicant.name, what="no such policy", found=name, allowed=", ".join(book.policies))
    for name, amount in applicant.quantities.items():
        values = np.asarray(amount, dtype=float)
        if values.shape != applicant.years.shape or not np.isfinite(values).all():
            faults.add(
                applicant.name,
                what=f"quantity {name} needs one finite value for each operating year",
                found=values.shape,
                allowed=str(applicant.years.shape),
            )
    faults.raise_if_any(f"applicant {applicant.name}")


@dataclass(frozen=True)
class _Reasons:
    """Why a policy says no, rule by rule, and from when it would say yes."""

    rules: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    becomes: dt.date | None = None


def _ask(book: PolicyBook, policy: Policy, applicant: Applicant, index: Index) -> Answer:
    tags = tags_of(applicant)
    figures = Figures(policy, tags, applicant.years, applicant.in_service, index)
    told = figures.terms() if policy.rule in INFORMING else {}
    tested = outcomes(policy, applicant, book, tags)
    blunt = _outright(book, policy, applicant, tested)
    if blunt is not None:
        return _answer(policy, applicant, "no", blunt, Payment(terms=told))
    given = tuple(q for q in policy.quantity if _positive(applicant, q))
    payment = Payment(terms=told)
    if given or not policy.quantity:
        payment = RULES[policy.rule](Case(policy, applicant, figures, given, book.policies))
    paid_years = _window(policy, applicant.years)
    for outcome in tested:
        if outcome.met and outcome.years is not None:
            paid_years &= outcome.years
    reasons = _against(book, policy, applicant, tested, payment, paid_years, given)
    confidence = _weakest(policy, figures)
    if reasons.words:
        silent = Payment(payment.quantity, terms=payment.terms)
        return _answer(policy, applicant, "no", reasons, silent, confidence=confidence)
    verdict: Verdict = "requires" if policy.instrument in BINDING else "pays"
    ends = [o.until for o in tested if o.until is not None]
    ends += [policy.pays_until] if policy.pays_until is not None else []
    yes = _Reasons((), (_because(book, policy, applicant, payment, paid_years),))
    until = min(ends, default=None)
    return _answer(policy, applicant, verdict, yes, payment, until, paid_years, confidence)


def _positive(applicant: Applicant, quantity: str) -> bool:
    amount = applicant.quantities.get(quantity)
    return amount is not None and bool(np.any(np.asarray(amount) > 0))


def _outright(
    book: PolicyBook, policy: Policy, applicant: Applicant, tested: Sequence[Outcome]
) -> _Reasons | None:
    """Reasons that need no look at the project's figures."""
    if not applicant.jurisdictions.intersection(policy.jurisdiction):
        places = " or ".join(book.meaning("jurisdiction", code) for code in policy.jurisdiction)
        return _Reasons(("jurisdiction",), (f"it applies in {places} only",))
    if policy.choice.off:
        return _Reasons(("scenario",), ("the scenario switches it off",))
    if policy.policy in applicant.without:
        return _Reasons(("without",), ("the project does not ask for it",))
    if not in_force(policy):
        state = book.meaning("legal_status", policy.legal_status)
        words = (
            f"{policy.legal_status.replace('_', ' ')} as of {policy.status_date} ({state}): {policy.summary}"
        )
        strange = [outcome for outcome in tested if not outcome.fits]
        return _Reasons(
            (*(outcome.rule for outcome in strange), "legal_status"),
            (*(outcome.reason for outcome in strange), words),
        )
    return None


def _window(policy: Policy, years: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Operating years that may be paid: inside the law's years, the first ``years_paid`` of them."""
    paid = np.ones(len(years), dtype=bool)
    if policy.pays_from is not None:
        paid &= years >= policy.pays_from.year
    if policy.pays_until is not None:
        paid &= years <= policy.pays_until.year
    if policy.choice.enact is not None:
        paid &= years >= policy.choice.enact.year
    if policy.years_paid is not None:
        paid &= np.arange(len(years)) < policy.years_paid
    return paid


def _against(
    book: PolicyBook,
    policy: Policy,
    applicant: Applicant,
    tested: Sequence[Outcome],
    payment: Payment,
    paid_years: NDArray[np.bool_],
    given: tuple[str, ...],
) -> _Reasons:
    """Every reason against; ``becomes`` only where dates that are still to come are all of them."""
    failed = sorted((outcome for outcome in tested if not outcome.met), key=lambda one: one.fits)
    rules = [outcome.rule for outcome in failed]
    words = [outcome.reason for outcome in failed]
    becomes = [outcome.becomes for outcome in failed]
    if policy.quantity and not given:
        undated = not len(applicant.years) and any(code in applicant.quantities for code in policy.quantity)
        rules.insert(0, "years" if undated else "quantity")
        words.insert(0, YEARS_NOT_STATED if undated else _no_quantity(book, policy))
        becomes.append(None)
    for refusal in payment.refusals:
        if not any(refusal.split(" (")[0] in word for word in words):  # a condition has said so
            rules.append("rule")
            words.append(refusal)
            becomes.append(None)
    late = _out_of_time(policy, applicant, paid_years)
    if late.words:
        rules += late.rules
        words += late.words
        becomes.append(late.becomes)
    if not words and payment.paid is not None and not np.any(payment.paid.value[paid_years]):
        return _Reasons(
            ("rule",), ("it would pay nothing: " + "; ".join(payment.words or ("rate of zero",)),)
        )
    days = [day for day in becomes if day is not None]
    day = max(days) if days and len(days) == len(becomes) else None
    return _Reasons(tuple(rules), tuple(dict.fromkeys(words)), day)


def _no_quantity(book: PolicyBook, policy: Policy) -> str:
    verb = "concerns" if policy.rule == "terms" else "is reckoned on"
    if len(policy.quantity) > 3:
        return f"it {verb} one of these, and the project states none: {', '.join(policy.quantity)}"
    what = " or ".join(f"{book.meaning('policy_quantity', code)} ({code})" for code in policy.quantity)
    return f"it {verb} {what}, and the project states none"


def _out_of_time(policy: Policy, applicant: Applicant, paid_years: NDArray[np.bool_]) -> _Reasons:
    """No operating year is paid, or what is paid once comes too early or too late."""
    begin = max((day for day in (policy.pays_from, policy.choice.enact) if day is not None), default=None)
    end = policy.pays_until
    once = not policy.quantity
    if once and applicant.in_service is not None:
        if begin is not None and applicant.in_service < begin and not _still_binds(policy, applicant, begin):
            return _Reasons(
                ("pays_from",), (f"it begins on {begin}; in service {applicant.in_service}",), begin
            )
        if end is not None and applicant.in_service > end:
            return _Reasons(("pays_until",), (f"it ends on {end}; in service {applicant.in_service}",))
        return _Reasons()
    if once or paid_years.any():
        return _Reasons()
    if not len(applicant.years):
        return _Reasons(("years",), (YEARS_NOT_STATED,))
    first, last = int(applicant.years[0]), int(applicant.years[-1])
    span = f"the project operates {first} to {last}"
    if end is not None and first > end.year:
        return _Reasons(("pays_until",), (f"it pays until {end}; {span}",))
    if begin is not None and last < begin.year:
        return _Reasons(("pays_from",), (f"it pays from {begin} on; {span}",), begin)
    return _Reasons(("years",), (f"no operating year meets its conditions; {span}",))


def _still_binds(policy: Policy, applicant: Applicant, begin: dt.date) -> bool:
    """A standard that begins later binds what is still running then."""
    runs_on = bool(len(applicant.years)) and int(applicant.years[-1]) >= begin.year
    return policy.instrument in BINDING and runs_on


# ---------------------------------------------------------------- putting the answer together


def _because(
    book: PolicyBook, policy: Policy, applicant: Applicant, payment: Payment, paid_years: NDArray[np.bool_]
) -> str:
    parts = list(payment.words)
    if payment.rate is not None and paid_years.any():
        where = np.flatnonzero(paid_years)
        first, last = (int(applicant.years[k]) for k in (where[0], where[-1]))
        unit = book.unit(payment.quantity)
        amount = abs(float(payment.rate.value[where[0]])) * policy.choice.scale
        lead = f"{amount:,.4g} USD/{unit} of {payment.quantity} in {first}"
        lead = lead if unit != "USD" else f"{amount:.1%} of {payment.quantity} in {first}"
        span = f"{len(where)} operating year{'s' if len(where) > 1 else ''} to {last}"
        parts = [f"{lead}, {span}", *parts]
    if not parts or policy.rule == "terms":
        parts = [policy.summary, *parts]
    if policy.choice.enact is not None:
        parts.append(f"in force from {policy.choice.enact} in this scenario")
    return "; ".join(parts)


def _answer(
    policy: Policy,
    applicant: Applicant,
    verdict: Verdict,
    reasons: _Reasons,
    payment: Payment,
    until: dt.date | None = None,
    paid_years: NDArray[np.bool_] | None = None,
    confidence: str = "",
) -> Answer:
    size = len(applicant.years)
    scale = policy.choice.scale
    nothing = np.zeros(size)
    pays = paid_years is not None
    mask = nothing if paid_years is None else paid_years.astype(float) * scale
    rate, paid = payment.rate, payment.paid
    transfer = _number(policy, "transfer_price") if policy.tax_character == "transferable_credit" else None
    once, once_low, once_high = (amount * scale if pays else 0.0 for amount in payment.once)
    return Answer(
        policy=policy.policy,
        name=policy.name,
        instrument=policy.instrument,
        answer=verdict,
        because="; ".join(reasons.words),
        rule=";".join(reasons.rules),
        until=until,
        becomes=reasons.becomes,
        quantity=payment.quantity,
        rate=_masked(None if rate is None else rate.value, mask),
        rate_low=_masked(None if rate is None else rate.low, mask),
        rate_high=_masked(None if rate is None else rate.high, mask),
        payments=_masked(None if paid is None else paid.value, mask),
        once=once,
        once_low=once_low,
        once_high=once_high,
        terms={name: value * scale for name, value in payment.terms.items()},
        transfer_price=1.0 if transfer is None else transfer,
        lag_years=policy.lag_years,
        tax_character=policy.tax_character,
        bankable=policy.bankable,
        confidence=confidence or policy.confidence,
        source_id=policy.source_id,
        legal_status=policy.legal_status,
        status_date=policy.status_date,
        version=policy.version,
    )


def _masked(values: FloatArray | None, mask: FloatArray) -> FloatArray:
    return mask * 0.0 if values is None else values * mask


def _number(policy: Policy, item: str) -> float | None:
    for row in policy.values:
        if row.item == item:
            return {"low": row.low, "value": row.value, "high": row.high}[policy.choice.range]
    return None


def _weakest(policy: Policy, figures: Figures) -> str:
    """Weakest confidence of the policy, the conditions asked of this applicant and the values used."""
    asked = [c.confidence for c in policy.conditions if tags_match(c.applies_to, figures.tags)]
    return max([policy.confidence, *asked, *figures.used], key=CONFIDENCE.index)
