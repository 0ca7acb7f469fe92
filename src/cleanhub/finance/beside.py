"""Cases of one shape run side by side: one pass of the engine over many, each as if it were alone.

The engine keeps every case to itself, so cases with the same years and the same kind of debt may
share its arrays. Which ones may is decided here, once.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanhub.finance.engine import Lines, Terms, run
from cleanhub.finance.tax_books import TaxRules

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Run:
    """What the engine is given: lines of N cases, their terms and tax rules."""

    lines: Lines
    terms: Terms
    rules: TaxRules

    @property
    def count(self) -> int:
        """Number of cases."""
        return int(self.lines.revenue.shape[1])

    def shape(self) -> Hashable:
        """What runs must have in common to share the engine's arrays."""
        terms, rules = self.terms, self.rules
        return (
            len(self.lines.spending),
            len(self.lines.revenue),
            (terms.kind, terms.repayment, terms.refinanced, terms.reserve_months, terms.after_tax),
            terms.given_service is None,
            tuple((loan.tenor, loan.grace) for loan in terms.soft),
            (rules.losses_at_once, rules.federal_loss_share, rules.state_loss_share),
            rules.renewal_schedule.tobytes(),
        )


def run_beside(runs: Sequence[Run]) -> list[tuple[FloatArray, FloatArray]]:
    """Equity flows (B + T, N) and service of the senior debt (T, N) of every run, in order [USD]."""
    groups: dict[Hashable, list[int]] = {}
    for number, one in enumerate(runs):
        groups.setdefault(one.shape(), []).append(number)
    found: list[Any] = [None] * len(runs)
    for members in groups.values():
        joined = _joined([runs[number] for number in members])
        outcome = run(joined.lines, joined.terms, joined.rules)
        start = 0
        for number in members:
            mine = slice(start, start + runs[number].count)
            found[number] = (outcome.equity[:, mine].copy(), outcome.service[:, mine].copy())
            start = mine.stop
    return found


def _joined(runs: Sequence[Run]) -> Run:
    first = runs[0]
    if len(runs) == 1:
        return first
    terms: dict[str, Any] = {
        name: _wide([getattr(one.terms, name) for one in runs], runs)
        for name in ("construction_rate", "cover_ratio", "gearing_cap", "fee", "refinance_fee",
                     "reserve_interest", "balance_fee")
    }  # fmt: skip
    soft = tuple(
        replace(
            loan,
            amount=_wide([one.terms.soft[k].amount for one in runs], runs),
            rate=_wide([one.terms.soft[k].rate for one in runs], runs),
        )
        for k, loan in enumerate(first.terms.soft)
    )
    years = len(first.lines.revenue)
    given = [one.terms.given_service for one in runs]
    return Run(
        _joined_lines(runs),
        replace(
            first.terms,
            **terms,
            rate=_wide([one.terms.rate for one in runs], runs, years),
            given_service=None if given[0] is None else _wide(given, runs, years),
            soft=soft,
        ),
        replace(
            first.rules,
            federal_rate=_wide([one.rules.federal_rate for one in runs], runs),
            state_rate=_wide([one.rules.state_rate for one in runs], runs),
            federal_schedule=_wide([_tall(one.rules.federal_schedule) for one in runs], runs, years),
            state_schedule=_wide([_tall(one.rules.state_schedule) for one in runs], runs, years),
        ),
    )


def _joined_lines(runs: Sequence[Run]) -> Lines:
    parts: dict[str, Any] = {}
    for one in fields(Lines):
        own = [getattr(run.lines, one.name) for run in runs]
        if all(part is None for part in own):  # no credit against tax
            continue
        rows = next((len(part) for part in own if np.ndim(part) == 2), None)
        parts[one.name] = _wide([0.0 if part is None else part for part in own], runs, rows)
    return Lines(**parts)


def _tall(schedule: FloatArray) -> FloatArray:
    return schedule[:, None] if schedule.ndim == 1 else schedule


def _wide(parts: Sequence[Any], runs: Sequence[Run], rows: int | None = None) -> FloatArray:
    """Arrays of all runs one after another: (N,), or (``rows``, N)."""
    shapes = [(one.count,) if rows is None else (rows, one.count) for one in runs]
    return np.concatenate(
        [np.broadcast_to(part, shape) for part, shape in zip(parts, shapes, strict=True)], axis=-1
    )
