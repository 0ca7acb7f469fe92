"""Every project of a hub, valued in both views, with each policy's answer to it.

The tables of a plan that rest on project finance: ``valuations`` (sponsor and lender side by
side, or why a project cannot be valued), ``policy_answers`` (what each policy says to each
project, year by year) and ``policy_wedge`` (tonnes and public cost of each policy over the
projects that are past their investment decision).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cleanhub.core.tables import conform
from cleanhub.finance.build import CASH
from cleanhub.finance.case_value import CasePrices, CaseValue, View, prices_of, value_case
from cleanhub.finance.from_project import ProjectCase, project_cases
from cleanhub.finance.policy_setting import setting_of
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.schema import PAST_FID
from cleanhub.hub.series import weakest
from cleanhub.policy.applicant import Answer
from cleanhub.policy.book import PolicyBook

PUBLIC = frozenset({"production_credit", "investment_credit", "grant", "voucher"})
"""Instruments that the public pays for; market credits are paid by those who owe them."""


@dataclass(frozen=True)
class ProjectValue:
    """One project with its case and what it is worth; ``value`` is ``None`` where it has no case.

    ``prices`` are those of the case where they are at hand.
    """

    row: pd.Series
    project: ProjectCase
    value: CaseValue | None
    prices: CasePrices | None = None

    @property
    def status(self) -> str:
        """``valued``, or ``not valuable, because ...``."""
        return "valued" if self.value else f"not valuable, because {self.project.because}"


def value_projects(hub: Hub, scenario: Scenario, book: PolicyBook) -> list[ProjectValue]:
    """Value every project of the hub, in its order."""
    found = []
    cases = project_cases(hub, scenario)
    for project, (_, row) in zip(cases, hub.tables["projects"].iterrows(), strict=True):
        value = None
        if project.loaded is not None:
            value = value_case(project.loaded, setting_of(project.loaded, book))
        found.append(ProjectValue(row, project, value))
    return found


def valuations_table(projects: Sequence[ProjectValue]) -> pd.DataFrame:
    """Plan table ``valuations``: two rows for every project that is valued, one for any other."""
    rows = []
    unpriced = [one.value for one in projects if one.value and not one.prices]
    prices = iter(prices_of([(value.loaded, value.setting) for value in unpriced]))
    for one in projects:
        if one.value is None:
            rows.append({"project_id": one.project.project_id, "case": "none", **_blank(one)})
            continue
        found = one.prices or next(prices)
        rows += [_row(one, one.value, view, found) for view in one.value.views]
    frame = pd.DataFrame(rows, columns=PLAN_TABLES["valuations"].names)
    return conform(frame, PLAN_TABLES["valuations"])


def counts(projects: Sequence[ProjectValue]) -> dict[str, int]:
    """How many projects are valued and how many not, by reason."""
    found: dict[str, int] = {}
    for one in projects:
        key = one.status.split(" (")[0] if one.value is None else "valued"
        found[key] = found.get(key, 0) + 1
    return dict(sorted(found.items(), key=lambda item: (item[0] != "valued", -item[1], item[0])))


def abated_tonnes(row: pd.Series) -> float:
    """Tonnes that a project cuts or removes [t CO2e/yr]; NaN where it states none or does not abate."""
    abates = "abates" in (row["role"], row["role_secondary"])
    return float(row["co2e_t_per_year"]) if abates and pd.notna(row["co2e_t_per_year"]) else np.nan


def _blank(one: ProjectValue) -> dict[str, object]:
    tonnes = abated_tonnes(one.row)
    return {
        "co2e_t_per_year": tonnes if tonnes > 0 else np.nan,
        "status": one.status,
        "unit": "",
        "archetype": one.project.archetype,
        "archetype_fields": "",
        "confidence": "",
    }


def _row(one: ProjectValue, value: CaseValue, view: View, prices: CasePrices) -> dict[str, object]:
    loaded = value.loaded
    tonnes = abated_tonnes(one.row)
    sponsor = view is value.sponsor
    price = prices.at_return if sponsor else prices.lender
    own = [loaded.confidence(path) for path in loaded.figures if path not in loaded.from_archetype]
    every = [figure.figure.confidence for figure in loaded.figures.values()]
    return {
        "project_id": one.project.project_id,
        "case": view.name,
        "levelised_cost": view.levelised_cost,
        "unit": f"USD/({loaded.unit})" if "/" in loaded.unit else f"USD/{loaded.unit}",
        "price_at_return": price,
        "price_gap": price - value.reference_price,
        "price_gap_before_policy": prices.before_policy - value.reference_price if sponsor else np.nan,
        "abatement_cost": value.abatement_cost if sponsor else np.nan,
        "co2e_t_per_year": tonnes if tonnes > 0 else np.nan,
        "capital_usd": float(view.lines.spending.sum()),
        "npv_usd": view.npv_usd,
        "irr": view.irr,
        "debt_usd": view.debt_usd,
        "min_dscr": view.min_dscr,
        "status": one.status,
        "archetype": one.project.archetype,
        "archetype_fields": ";".join(loaded.from_archetype),
        "confidence": weakest([*own, *every]),
    }


# ---------------------------------------------------------------- policies


def policy_answers_table(projects: Sequence[ProjectValue], last_year: int) -> pd.DataFrame:
    """Plan table ``policy_answers``: a row for every policy and project; one a year where it pays."""
    rows = []
    for one in projects:
        if one.value is None:
            continue
        for answer in one.value.setting.answers:
            rows += _answer_rows(one, one.value, answer, last_year)
    frame = pd.DataFrame(rows, columns=PLAN_TABLES["policy_answers"].names)
    return conform(frame, PLAN_TABLES["policy_answers"])


def _answer_rows(
    one: ProjectValue, value: CaseValue, answer: Answer, last_year: int
) -> list[dict[str, object]]:
    head = {
        "project_id": one.project.project_id,
        "policy": answer.policy,
        "answer": answer.answer,
        "because": answer.because,
        "rule": answer.rule,
        "until": answer.until.isoformat() if answer.until else "",
        "becomes": answer.becomes.isoformat() if answer.becomes else "",
        "version": answer.version,
        "confidence": answer.confidence,
    }
    paid = _paid(value, answer)
    years = [(year, usd) for year, usd in paid.items() if usd and year <= last_year]
    if not years:
        return [{**head, "year": pd.NA, "usd": np.nan}]
    return [{**head, "year": year, "usd": usd} for year, usd in years]


def _paid(value: CaseValue, answer: Answer) -> dict[int, float]:
    """What a policy pays by calendar year, before any transfer discount [nominal USD]."""
    if answer.answer != "pays" or answer.instrument not in CASH:
        return {}
    calendar = value.sponsor.reading.calendar
    yearly = np.array(answer.payments, dtype=np.float64, copy=True)
    yearly = yearly if len(yearly) else np.zeros(len(calendar))
    yearly[0] += answer.once
    return {int(year): float(usd) for year, usd in zip(calendar, yearly, strict=True)}


def policy_wedge_table(projects: Sequence[ProjectValue], last_year: int) -> pd.DataFrame:
    """Plan table ``policy_wedge``: what each policy pays for among committed projects, by year.

    Tonnes of a project count for every policy that pays it in that year, so tonnes of
    different policies must not be added.
    """
    totals: dict[tuple[str, int], list[float]] = {}
    for one in projects:
        if one.value is None or str(one.row["stage"]) not in PAST_FID:
            continue
        tonnes = abated_tonnes(one.row)
        for answer in one.value.setting.answers:
            for year, usd in _paid(one.value, answer).items():
                if usd and year <= last_year:
                    total = totals.setdefault((answer.policy, year), [0.0, 0.0, 0.0])
                    total[0] += tonnes if np.isfinite(tonnes) else 0.0
                    total[1] += usd if answer.instrument in PUBLIC else 0.0
                    total[2] += usd
    rows = [
        {"policy": policy, "year": year, "co2e_t": t, "public_cost_usd": public, "paid_usd": paid}
        for (policy, year), (t, public, paid) in sorted(totals.items())
    ]
    frame = pd.DataFrame(rows, columns=PLAN_TABLES["policy_wedge"].names)
    return conform(frame, PLAN_TABLES["policy_wedge"])
