"""Everything that is told of a case, as plain data: what JSON prints and the term sheet shows.

Amounts are USD (nominal unless the name says ``real``), shares and rates are of 1, a number
that does not exist is ``None``. Nothing here computes a result that :mod:`cleanhub.finance`
does not give; it gathers, names and counts.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from cleanhub.finance.build import CASH
from cleanhub.finance.case_value import CaseValue, View
from cleanhub.finance.cases import LoadedCase, list_archetypes
from cleanhub.finance.readiness import (
    LEGS,
    ChecklistItem,
    adoption_readiness,
    fid_readiness,
    on_leg_scale,
    programme_reading,
    readiness_level,
)
from cleanhub.finance.returns import present_value
from cleanhub.finance.tax_books import TaxRules
from cleanhub.policy.applicant import Answer

CONFIDENCE = ("seen", "derived", "recalled", "assumed")
ILLUSTRATIVE = 0.3
"""Share of recalled or assumed figures above which a result is called illustrative."""
STATUS = {"under_way": "in_progress", "not_started": "open", "not_needed": "not_applicable"}
"""Words of a case file for the states of the checklist, as the library calls them."""


def plain(data: Any) -> Any:
    """``data`` as JSON can hold it: arrays as lists, NaN and infinity as ``None``, days as text."""
    if isinstance(data, Mapping):
        return {str(key): plain(item) for key, item in data.items()}
    if isinstance(data, (list, tuple)):
        return [plain(item) for item in data]
    if isinstance(data, np.ndarray):
        return plain(data.tolist())
    if isinstance(data, (float, np.floating)):
        return float(data) if math.isfinite(data) else None
    if isinstance(data, np.integer):
        return int(data)
    if isinstance(data, (dt.date, dt.datetime)):
        return data.isoformat()
    return data


def case_summary(value: CaseValue, as_of: dt.date | None = None) -> dict[str, Any]:
    """Everything about a valued case, JSON-ready; ``as_of`` is the day that readiness is judged on."""
    found = {
        "case": _identity(value.loaded, value.sponsor.rules),
        "capital": _capital(value.sponsor),
        "uses": {name: float(line.sum()) for name, line in value.sponsor.outcome.uses.items()},
        "sources": {name: float(line.sum()) for name, line in value.sponsor.outcome.sources.items()},
        "debt": debt_terms(value),
        "results": {view.name: results_of(value, view) for view in value.views},
        "price": _price(value),
        "policies": policy_rows(value),
        "readiness": readiness_of(value, as_of),
        "figures": figure_counts(value.loaded),
        "years": years_of(value.sponsor),
        "flows": {view.name: yearly_flows(view) for view in value.views},
    }
    done: dict[str, Any] = plain(found)
    return done


def _identity(loaded: LoadedCase, rules: TaxRules) -> dict[str, Any]:
    case = loaded.case
    return {
        "id": loaded.id,
        "name": case.name,
        "title": case.title,
        "description": case.description,
        "based_on": case.based_on,
        "archetype": case.name if case.name in list_archetypes() and case.based_on is None else case.based_on,
        "private": case.private,
        "sector": case.project.sector,
        "technology": case.project.technology,
        "product": case.production.product,
        "unit": case.production.unit,
        "capacity": float(loaded.values("production.capacity")),
        "stage": case.project.stage,
        "jurisdictions": list(case.project.jurisdictions),
        "construction_begins": case.project.construction_begins,
        "in_service": case.project.in_service,
        "life_years": case.production.life,
        "price_year": case.price_year,
        "inflation": float(loaded.values("inflation")),
        "federal_tax_rate": float(np.ravel(rules.federal_rate)[0]),
        "state_tax_rate": float(np.ravel(rules.state_rate)[0]),
    }


def _capital(view: View) -> dict[str, Any]:
    reading = view.reading
    return {
        "overnight_real_usd": float(np.ravel(reading.real_capital)[0]),
        "cost_growth": float(np.ravel(reading.cost_growth)[0]),
        "learned": float(reading.learned),
        "as_spent_usd": float(reading.spending.sum()),
        "by_year_usd": reading.spending[:, 0],
    }


def debt_terms(value: CaseValue) -> dict[str, Any]:
    """Senior debt: its terms, its size, and whether the gearing cap or the cover ratio decides it."""
    case, loaded, view = value.loaded.case, value.loaded, value.sponsor
    if case.debt.kind == "none":
        return {"kind": "none", "debt_usd": 0.0}
    soft = float(view.outcome.sources["loans behind it"].sum())
    sizing = value.lender if case.debt.sized_on == "lender" else view
    cap = float(np.ravel(sizing.terms.gearing_cap)[0])
    geared = max(_geared(sizing), _geared(view))  # a smaller plant's uses may cap what lenders would lend
    return {
        "kind": case.debt.kind,
        "rate": float(view.terms.rate[0, 0]),
        "tenor_years": case.debt.tenor,
        "repayment_years": view.terms.repayment,
        "cover_ratio": float(np.ravel(sizing.terms.cover_ratio)[0]),
        "gearing_cap": cap,
        "fee": float(loaded.values("debt.fee")),
        "reserve_months": case.reserves.debt_service_months,
        "cash_flow": case.debt.cash_flow,
        "sized_on": sizing.name,
        "binding": "none lent" if sizing.debt_usd <= 0 else "gearing" if geared > cap - 1e-6 else "cover",
        "debt_usd": view.debt_usd,
        "gearing": view.gearing,
        "loans_behind_usd": soft,
        "first_year_service_usd": float(view.outcome.service[0, 0]),
    }


def _geared(view: View) -> float:
    """Senior debt and loans behind it over all uses of funds."""
    behind = float(view.outcome.sources["loans behind it"].sum())
    uses = sum(float(line.sum()) for line in view.outcome.uses.values())
    return (view.debt_usd + behind) / uses if uses else 0.0


def results_of(value: CaseValue, view: View) -> dict[str, Any]:
    """Results of one view by name, with every rate of return and the price at return."""
    price = value.price_at_return if view is value.sponsor else value.lender_price_at_return
    return {**view.metrics(), "all_irr": view.all_irr, "price_at_return": price}


def _price(value: CaseValue) -> dict[str, Any]:
    values = value.loaded.values
    nominal, inflation = float(values("returns.project")), float(values("inflation"))
    return {
        "unit": f"USD of {value.loaded.case.price_year}/{value.loaded.unit}",
        "at_return": value.price_at_return,
        "before_policy": value.price_before_policy,
        "reference": value.reference_price,
        "gap": value.price_gap,
        "gap_before_policy": value.price_gap_before_policy,
        "return_on_equity": float(values("returns.equity")),
        "levelised_cost_real_rate": (1 + nominal) / (1 + inflation) - 1,
        "abatement_cost_usd_per_t": value.abatement_cost,
        "emissions_avoided_t_per_unit": float(values.get("reference.emissions_avoided", np.nan)),
    }


# ---------------------------------------------------------------- policies


def policy_rows(value: CaseValue) -> list[dict[str, Any]]:
    """One row for each policy: what it pays in the sponsor's view, or why it says no."""
    paid = value.sponsor.reading.policy_lines()
    rows = []
    for answer in value.setting.answers:
        line = paid.get(answer.policy)
        cash = line.yearly[:, 0] if line else np.zeros(0)
        once = float(line.once[0]) if line else 0.0
        running = np.flatnonzero(np.abs(cash) > 0)
        rows.append(
            {
                "policy": answer.policy,
                "name": answer.name,
                "instrument": answer.instrument,
                "answer": answer.answer,
                "because": answer.because,
                "rule": answer.rule,
                "until": answer.until,
                "becomes": answer.becomes,
                "pays_cash": bool(line is not None and answer.instrument in CASH),
                "usd_per_year": float(cash[running].mean()) if len(running) else 0.0,
                "years_paid": len(running),
                "last_year": int(value.sponsor.reading.calendar[running[-1]]) if len(running) else None,
                "once_usd": once,
                "total_usd": float(cash.sum()) + once,
                "bankable": answer.bankable,
                "legal_status": answer.legal_status,
                "status_date": answer.status_date,
                "confidence": answer.confidence,
                "version": answer.version,
                "relevance": _relevance(answer),
            }
        )
    return rows


def _relevance(answer: Answer) -> int:
    """0 for what pays or binds, 1 for a near miss, 2 for law not in force, 3 for what is not meant for it."""
    if answer.answer != "no":
        return 0
    rules = answer.rule.split(";")
    if "jurisdiction" in rules or "quantity" in rules or "it concerns" in answer.because:
        return 3
    return 2 if "legal_status" in rules else 1


# ---------------------------------------------------------------- readiness


def readiness_of(value: CaseValue, as_of: dt.date | None = None) -> dict[str, Any]:
    """Levels in words, the three legs with the weakest, and what is missing before the decision."""
    stated, library = value.loaded.case.readiness, value.loaded.library
    found: dict[str, Any] = {}
    for scale in ("trl", "crl"):
        level = getattr(stated, scale)
        found[scale] = None
        if level is not None:
            known = readiness_level(library, scale, level)
            found[scale] = {"level": level, "of": known.highest, "name": known.name}
    found["arl"] = None
    if stated.adoption:
        arl = adoption_readiness(stated.adoption, library)
        found["arl"] = {
            "level": arl.level,
            "band": arl.band,
            "high": arl.high,
            "medium": arl.medium,
            "not_rated": arl.not_rated,
        }
    found["legs"] = legs_of(value)
    items = [
        ChecklistItem(name, STATUS.get(one.status, one.status), one.evidence, one.owner, one.date)
        for name, one in stated.checklist.items()
    ]
    fid = fid_readiness(items, library, as_of)
    found["fid"] = {
        "ready": fid.ready,
        "closed": fid.closed,
        "total": fid.total,
        "critical_missing": fid.critical_missing,
        "missing": [
            {
                "item": one.item,
                "name": one.name,
                "critical": one.critical,
                "because": one.because,
                "done_when": one.done_when,
                "owner": one.owner,
                "date": one.date,
            }
            for one in fid.missing
        ],
    }
    return found


def legs_of(value: CaseValue) -> dict[str, Any]:
    """Market driver, ready technology and risk-tolerant capital, each 0 to 1, and the weakest.

    Market driver: the share of the sponsor's income that a lender counts (bound buyers and
    credits set by law). Ready technology: TRL from 1 to 9. Risk-tolerant capital: the share of
    all uses of funds that debt, grants, loans behind it and equity cover, equity only as far as
    it earns the return that owners ask. A leg that the case does not tell is ``None``.
    """
    sponsor, lender = value.sponsor, value.lender
    income = float((sponsor.lines.revenue + sponsor.lines.exempt).sum())
    reliable = float((lender.lines.bankable + lender.lines.exempt_bankable).sum())
    whole = float((lender.lines.revenue + lender.lines.exempt).sum())
    driver = float(np.clip(reliable / whole, 0.0, 1.0)) if income > 0 and whole > 0 else 0.0
    trl = value.loaded.case.readiness.trl
    technology = float(on_leg_scale(trl, 1, 9)) if trl is not None else np.nan
    equity = sponsor.outcome.equity
    rows, rate = len(sponsor.lines.spending), sponsor.equity_return
    paid = -float(present_value(equity[:rows], rate)[0])
    earned = float(present_value(np.concatenate([np.zeros((rows, 1)), equity[rows:]]), rate)[0])
    share = float(np.clip(earned / paid, 0.0, 1.0)) if paid > 0 else 1.0
    sources = {name: float(line.sum()) for name, line in sponsor.outcome.sources.items()}
    uses = sum(float(line.sum()) for line in sponsor.outcome.uses.values())
    covered = sum(sources.values()) - (1.0 - share) * sources["equity"]
    capital = float(np.clip(covered / uses, 0.0, 1.0)) if uses > 0 else 0.0
    reading = programme_reading(driver, technology, capital)
    return {
        **dict(zip(LEGS, (driver, technology, capital), strict=True)),
        "minimum": float(reading.level),
        "binds": reading.binds()[0],
    }


# ---------------------------------------------------------------- figures


def figure_counts(loaded: LoadedCase) -> dict[str, Any]:
    """Stated figures by confidence, how many the archetype gives, and whether that is illustrative."""
    stated = {path: figure for path, figure in loaded.figures.items() if _is_stated(loaded.data, path)}
    counts = dict.fromkeys(CONFIDENCE, 0)
    for figure in stated.values():
        counts[figure.figure.confidence] += 1
    total = sum(counts.values())
    weak = (counts["recalled"] + counts["assumed"]) / total if total else 1.0
    own = loaded.case.name in list_archetypes() and loaded.case.based_on is None
    inherited = total if own else sum(path in stated for path in loaded.from_archetype)
    return {
        **counts,
        "total": total,
        "weak_share": weak,
        "illustrative": weak > ILLUSTRATIVE,
        "from_archetype": inherited,
        "defaults": len(loaded.figures) - total,
    }


def _is_stated(data: Mapping[str, Any], path: str) -> bool:
    item: Any = data
    for part in path.split("."):
        if not isinstance(item, Mapping) or part not in item:
            return False
        item = item[part]
    return True


# ---------------------------------------------------------------- yearly flows


def years_of(view: View) -> list[int]:
    """Calendar years of construction and operation, B + T of them."""
    first = int(view.reading.calendar[0])
    rows = len(view.lines.spending)
    return list(range(first - rows, first + view.reading.life))


def yearly_flows(view: View) -> dict[str, list[float]]:
    """Every yearly line of a view by name, B + T values each [USD nominal; product in its unit]."""
    rows, life, reading = len(view.lines.spending), view.reading.life, view.reading
    lines, outcome = view.lines, view.outcome
    flows: dict[str, list[float]] = {}

    def building(name: str, line: Any) -> None:
        flows[name] = [*np.ravel(line)[:rows].tolist(), *([0.0] * life)]

    def operating(name: str, line: Any) -> None:
        flows[name] = [*([0.0] * rows), *np.ravel(line)[:life].tolist()]

    for name, line in outcome.uses.items():
        building(f"use: {name}", line)
    for name, line in outcome.sources.items():
        building(f"source: {name}", line)
    operating("product made", reading.made)
    for name, (line, _) in reading.sales_lines().items():
        operating(f"sales: {name}", line)
    for name, policy in reading.policy_lines().items():
        cash = policy.yearly.copy()
        cash[0] += policy.once
        operating(f"policy: {name}", cash)
    for name, line in reading.cost_lines().items():
        operating(f"cost: {name}", line)
    change = np.diff(lines.working_capital, axis=0, prepend=0.0)
    operating("change of working capital", change)
    operating("set aside for renewals", lines.set_aside)
    operating("federal tax", outcome.taxes.federal)
    operating("state tax", outcome.taxes.state)
    operating("cash flow for debt service", outcome.cash_flow)
    operating("debt service", outcome.service)
    operating("interest", outcome.interest)
    operating("debt at year's end", outcome.balance)
    operating("service of loans behind it", outcome.soft_service)
    operating("debt service reserve", outcome.reserve)
    operating("fees", outcome.fees)
    operating("cover ratio", view.cover)
    flows["equity"] = outcome.equity[:, 0].tolist()
    return flows
