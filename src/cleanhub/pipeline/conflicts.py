"""Where the signals of policy do not fit each other, or ask what nobody in the hub can do.

Three kinds, all found by asking the policy book, none listed by hand:

- ``deadline_before_link``: a policy that pays a proposed project ends (construction must begin, or service,
  by a day) before what the project waits for can close;
- ``exclusive``: two policies would each pay the same project, and only one may be had;
- ``unmet_rule``: a standard with a year by which no proposed project of its sector is in service, or an
  offer that every proposed project of a sector fails on the same stated fact.

Money is what a policy would pay over the life of the projects as their own dates have it, undiscounted
[nominal USD].
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cleanhub.core.tables import conform
from cleanhub.finance.policy_setting import applicant_of
from cleanhub.finance.valuations import ProjectValue, abated_tonnes
from cleanhub.hub.pipeline_tables import CONFLICTS
from cleanhub.hub.schema import ENDED, PAST_FID
from cleanhub.hub.series import weakest
from cleanhub.pipeline.deadlines import LastDay, last_days
from cleanhub.pipeline.problem import Graph, Projects, Setting, Simulation
from cleanhub.pipeline.ready import Ready, ready
from cleanhub.pipeline.stages import year_of
from cleanhub.policy.applicant import Answer, Applicant
from cleanhub.policy.apply import BINDING, answer_of
from cleanhub.policy.book import Condition, Policy, PolicyBook, PolicyValue
from cleanhub.policy.conditions import Question, ask, in_force
from cleanhub.policy.lookup import Index, tags_match, tags_of

TOLD = 0.1
"""Chance to miss a date below which nothing is told."""
_TARGET, _DAY = "target", dt.timedelta(days=1)
_LOANS = frozenset({"loan", "guarantee"})
_NO_LAW = "market"


def conflicts_table(
    valued: Sequence[ProjectValue],
    book: PolicyBook,
    as_of: dt.date,
    simulation: Simulation | None = None,
    *,
    graph: Graph | None = None,
    projects: Projects | None = None,
    setting: Setting | None = None,
) -> pd.DataFrame:
    """Plan table ``conflicts``.

    Parameters
    ----------
    valued, book
        The hub's projects with their cases, and the policies.
    as_of
        Dates before it are over and are no conflict.
    simulation
        Draws that say when links can close. Without it ``graph``, ``projects`` and ``setting`` give
        medians; without these the dates of the cases are taken. Chances are then empty.
    """
    when = ready(simulation, graph, projects, setting)
    asked = [_Asked(one, book, when) for one in valued if one.value is not None]
    rows = [row for one in asked if one.proposed for row in _deadlines(one, book, as_of, when)]
    rows += _exclusive([one for one in asked if not one.ended], book)
    rows += _dated_rules(valued, asked, book, as_of, when)
    rows += _closed_offers([one for one in asked if one.proposed], book, as_of)
    rows += _left_out([one for one in valued if not _standing(one, when)[1]], book)
    frame = pd.DataFrame(rows, columns=CONFLICTS.names)  # a column that a row has not is blank
    frame["other"] = frame["other"].fillna("")
    return conform(frame, CONFLICTS)


class _Asked:
    """A project with a case, and what each policy says to it by itself."""

    def __init__(self, one: ProjectValue, book: PolicyBook, when: Ready | None) -> None:
        loaded, value = one.project.loaded, one.value
        assert loaded is not None
        assert value is not None
        self.one, self.id, self.name = one, one.project.project_id, str(one.row["name"])
        self.sector = str(one.row["sector"])
        self.proposed, self.ended = _standing(one, when)
        self.given: Applicant = applicant_of(loaded, book)
        self.index = Index(book.price_index, float(loaded.values("inflation")))
        self.answers = {
            answer.policy: answer_of(book, policy, self.given, self.index)
            if set(answer.rule.split(";")) & {one.exclusion for one in policy.exclusions}
            else answer
            for answer in value.setting.answers
            for policy in (book.policies[answer.policy],)
        }
        self.tonnes = _tonnes(one.row)

    def asked(self, policy: Policy) -> list[Condition]:
        """Conditions that are put to it."""
        tags = tags_of(self.given)
        return [one for one in policy.conditions if tags_match(one.applies_to, tags)]


def _standing(one: ProjectValue, when: Ready | None) -> tuple[bool, bool]:
    """Whether a project's decision is to come, and whether it has ended: as simulated, else as stated."""
    if when is not None:
        place = np.flatnonzero(when.projects.id == one.project.project_id)
        if len(place):
            return bool(when.projects.live[place[0]]), bool(when.projects.ended[place[0]])
    stage = str(one.row["stage"])
    return stage not in (*PAST_FID, *ENDED), stage in ENDED


def _tonnes(row: pd.Series) -> float:
    return float(np.nan_to_num(abated_tonnes(row)))


def _paid(answer: Answer) -> float:
    return (float(answer.payments.sum()) + answer.once) * answer.transfer_price


# ---------------------------------------------------------------- a deadline before what it needs


def _deadlines(
    asked: _Asked, book: PolicyBook, as_of: dt.date, when: Ready | None
) -> Iterable[dict[str, object]]:
    for name, policy in book.policies.items():
        answer = asked.answers[name]
        dates = [one for one in last_days(policy, asked.asked(policy)) if one.last >= as_of]
        dated = {one.condition for one in policy.conditions if one.is_date} | {"pays_until"}
        late = answer.answer == "no" and set(answer.rule.split(";")) <= dated
        if not dates or not in_force(policy) or not (answer.answer == "pays" or late):
            continue
        found = [row for row in (_missed(asked, policy, one, when) for one in dates) if row]
        if found:
            yield max(found, key=lambda row: (_number(row["p_missed"]), _number(row["late_years"])))


def _number(value: object) -> float:
    number = float(str(value))
    return -np.inf if np.isnan(number) else number


def _missed(asked: _Asked, policy: Policy, one: LastDay, when: Ready | None) -> dict[str, object] | None:
    """The row of one deadline, ``None`` where it is kept often enough."""
    place = when.place(asked.id) if when is not None else None
    end = year_of(one.last + _DAY)
    if when is None or place is None:
        date = asked.given.in_service if one.service else asked.given.construction_begins
        assert date is not None
        expected, chance, link = year_of(date), np.nan, None
    else:
        times = when.decision(place) + (when.building(place) if one.service else 0.0) + when.as_of
        comes = np.isfinite(times)
        if not comes.any():
            return None
        expected = float(np.median(times[comes]))
        chance = float(np.mean(times[comes] >= end)) if when.simulated else np.nan
        late = np.flatnonzero(comes & (times >= end)).astype(np.int64)
        link = when.longest(place, late)
    if not (chance >= TOLD or (np.isnan(chance) and expected >= end)):
        return None
    other, what, confidence = "", "its own schedule", "assumed"
    if when is not None and link is not None:
        other = str(when.graph.gate[link] or when.graph.id[link])
        what, confidence = str(when.graph.what[link] or other), str(when.graph.confidence[link])
    answer = asked.answers[policy.policy]
    usd = _paid(answer)
    act = "it must be in service" if one.service else "construction must begin"
    odds = (
        "" if np.isnan(chance) else f", too late in {chance:.0%} of the draws in which it can decide at all"
    )
    words = f"{policy.name}: {act} by {one.last}. {asked.name} can do so in about {expected:.1f}{odds}"
    return {
        "conflict_id": f"deadline_before_link:{policy.policy}:{asked.id}",
        "kind": "deadline_before_link",
        "policy": policy.policy,
        "other": other,
        "projects": asked.id,
        "deadline": end,
        "expected": expected,
        "late_years": expected - end,
        "p_missed": chance,
        "usd": usd if usd > 0 else np.nan,
        "co2e_t_per_year": asked.tonnes or np.nan,
        "description": f"{words}; what takes longest: {what}",
        "confidence": weakest([answer.confidence, confidence]),
    }


# ---------------------------------------------------------------- either this or that


def _exclusive(asked: Sequence[_Asked], book: PolicyBook) -> Iterable[dict[str, object]]:
    """A row for every pair of policies of which some project could have either and has one."""
    for a, policy in book.policies.items():
        for exclusion in policy.exclusions:
            b = exclusion.other
            if a > b:
                continue
            both = [one for one in asked if all(one.answers[name].answer == "pays" for name in (a, b))]
            if not both:
                continue
            forgone = sum(min(_paid(one.answers[a]), _paid(one.answers[b])) for one in both)
            first, second = policy.name, book.policies[b].name
            tonnes = sum(one.tonnes for one in both)
            confidence = [one.answers[name].confidence for one in both for name in (a, b)]
            yield {
                "conflict_id": f"exclusive:{a}:{b}",
                "kind": "exclusive",
                "policy": a,
                "other": b,
                "projects": ";".join(one.id for one in both),
                "usd": forgone if forgone > 0 else np.nan,
                "co2e_t_per_year": tonnes or np.nan,
                "description": f"{_count(both)} could draw {first} or {second}, not both "
                f"({exclusion.scope}); usd is the lesser of the two",
                "confidence": weakest(confidence),
            }


def _count(projects: Sequence[object]) -> str:
    return "1 project" if len(projects) == 1 else f"{len(projects)} projects"


# ---------------------------------------------------------------- rules that nobody can meet


def _dated_rules(
    valued: Sequence[ProjectValue],
    asked: Sequence[_Asked],
    book: PolicyBook,
    as_of: dt.date,
    when: Ready | None,
) -> Iterable[dict[str, object]]:
    """Standards with a target year by which no proposed project of the sectors they bind is in service.

    Of several targets of a standard the first that is missed is told.
    """
    for name, policy in book.policies.items():
        sectors = {one.sector for one in asked if one.answers[name].answer == "requires"}
        bound = [
            one
            for one in valued
            if str(one.row["sector"]) in sectors and _standing(one, when)[0] and _tonnes(one.row) > 0
        ]
        targets = [one for one in policy.values if one.item == _TARGET and one.year is not None]
        for target in sorted(targets, key=lambda one: one.year or 0):
            assert target.year is not None
            found = _comes_by(bound, target.year + 1.0, when)
            if not sectors or target.year < as_of.year or found is None:
                continue
            yield _dated(policy, target, sorted(sectors), bound, found)
            break


def _dated(
    policy: Policy,
    target: PolicyValue,
    sectors: Sequence[str],
    bound: Sequence[ProjectValue],
    found: tuple[float, float],
) -> dict[str, object]:
    expected, chance = found
    year = target.year or 0
    ids = [one.project.project_id for one in bound]
    odds = "" if np.isnan(chance) else f"; in {chance:.0%} of draws none is in service by then"
    named = f"{_count(ids)} proposed in {', '.join(sectors)}" if ids else "no project proposed"
    return {
        "conflict_id": f"unmet_rule:{policy.policy}:{year}",
        "kind": "unmet_rule",
        "policy": policy.policy,
        "projects": ";".join(ids),
        "deadline": year + 1.0,
        "expected": expected,
        "late_years": expected - year - 1.0,
        "p_missed": chance,
        "co2e_t_per_year": sum(_tonnes(one.row) for one in bound) or np.nan,
        "description": f"{policy.name} {policy.summary} (target {target.value:g} for {year}): "
        f"{named} towards it{odds} (plants that are no project of the hub are not counted)",
        "confidence": weakest([policy.confidence, target.confidence, "assumed"]),
    }


def _comes_by(bound: Sequence[ProjectValue], end: float, when: Ready | None) -> tuple[float, float] | None:
    """Median time of the first in service and the chance that none is in time; ``None`` if the rule is met.

    Without a simulation the chance is empty, and the rule is unmet if the first comes too late.
    """
    if not bound:
        return np.nan, np.nan
    if when is None:
        dates = [
            one.project.loaded.case.project.in_service for one in bound if one.project.loaded is not None
        ]
        first = min(map(year_of, dates), default=np.inf)
        return (first, np.nan) if np.isfinite(first) and first >= end else None
    places = [p for p in (when.place(one.project.project_id) for one in bound) if p is not None]
    if not places:
        return None
    if when.in_service is None:
        first = min(float(when.decision(p)[0]) + when.building(p) for p in places) + when.as_of
        return (first, np.nan) if first >= end else None
    first_of = when.in_service[places].min(axis=0) + when.as_of
    chance = float(np.mean(first_of >= end))
    comes = first_of[np.isfinite(first_of)]
    expected = float(np.median(comes)) if len(comes) else np.nan
    return (expected, chance) if chance >= 0.5 else None


def _closed_offers(asked: Sequence[_Asked], book: PolicyBook, as_of: dt.date) -> Iterable[dict[str, object]]:
    """Offers in force that every proposed project of a sector fails on the same stated facts."""
    for policy in book.policies.values():
        law = in_force(policy) and policy.legal_status != _NO_LAW
        if not law or policy.instrument in BINDING or _over(policy, as_of):
            continue
        meant: dict[str, list[tuple[_Asked, frozenset[str]]]] = {}
        for one in asked:
            failed = _failed(one, policy, book)
            if failed is not None:
                meant.setdefault(one.sector, []).append((one, failed))
        alike: dict[frozenset[str], list[_Asked]] = {}
        for _, members in sorted(meant.items()):
            common = frozenset.intersection(*(failed for _, failed in members))
            if common:
                alike.setdefault(common, []).extend(one for one, _ in members)
        for common, group in alike.items():
            yield _closed(policy, group, common, book)


def _over(policy: Policy, as_of: dt.date) -> bool:
    dates = [one.date for one in policy.conditions if one.is_deadline and one.date and not one.applies_to]
    return any(date < as_of for date in dates) or bool(policy.pays_until and policy.pays_until < as_of)


def _failed(one: _Asked, policy: Policy, book: PolicyBook) -> frozenset[str] | None:
    """Conditions on stated facts that a project fails, of a policy that is meant for its kind; else ``None``.

    A policy is not meant for it that is of another place, product or technology, or counts what it does
    not make. A fact that nobody has stated shows nothing.
    """
    answer = one.answers[policy.policy]
    rules = set(answer.rule.split(";"))
    if rules & {"jurisdiction", "quantity", "scenario", "without"}:
        return None
    found = set()
    for condition in one.asked(policy):
        outcome = ask(Question(condition, one.given, book))
        if outcome.met:
            continue
        if not outcome.fits:
            return None
        stated = any(fact in one.given.facts or fact in one.given.quantities for fact in condition.fact)
        if (stated or condition.test == "policy_in_force") and not condition.either:
            found.add(condition.condition)
    return frozenset(found)


def _closed(
    policy: Policy, members: Sequence[_Asked], common: frozenset[str], book: PolicyBook
) -> dict[str, object]:
    """The row of an offer whose conditions ``common`` no project of some sectors meets."""
    sectors = ", ".join(dict.fromkeys(one.sector for one in members))
    failing = [one for one in policy.conditions if one.condition in common]
    open_policy = replace(policy, conditions=tuple(one for one in policy.conditions if one not in failing))
    usd = sum(_paid(answer_of(book, open_policy, one.given, one.index)) for one in members)
    reasons = dict.fromkeys(ask(Question(one, members[0].given, book)).reason or one.words for one in failing)
    what = "lend to" if policy.instrument in _LOANS else "pay"
    return {
        "conflict_id": f"unmet_rule:{policy.policy}:{'+'.join(one.condition for one in failing)}",
        "kind": "unmet_rule",
        "policy": policy.policy,
        "other": ";".join(one.condition for one in failing),
        "projects": ";".join(one.id for one in members),
        "usd": usd if usd > 0 else np.nan,
        "co2e_t_per_year": sum(one.tonnes for one in members) or np.nan,
        "description": f"{policy.name} would {what} {_count(members)} proposed in {sectors}, but no such "
        f"project meets its terms: {'; '.join(reasons)}",
        "confidence": weakest([policy.confidence, *(one.confidence for one in failing)]),
    }


def _left_out(valued: Sequence[ProjectValue], book: PolicyBook) -> Iterable[dict[str, object]]:
    """Products that a policy names only to leave out, where the hub has projects of that sector."""
    for name, policy in book.policies.items():
        for one in policy.conditions:
            if one.test != "product_not_in" or not in_force(policy):
                continue
            products = one.value.split(";")
            rows = [project.row for project in valued if str(project.row["sector"]) in products]
            if not rows:
                continue
            yield {
                "conflict_id": f"unmet_rule:{name}:{one.condition}",
                "kind": "unmet_rule",
                "policy": name,
                "other": one.condition,
                "projects": ";".join(str(row["project_id"]) for row in rows),
                "co2e_t_per_year": sum(map(_tonnes, rows)) or np.nan,
                "description": f"{policy.name} leaves out {', '.join(products)}, what {_count(rows)} of the "
                f"hub would sell: {one.words}",
                "confidence": weakest([policy.confidence, one.confidence]),
            }
