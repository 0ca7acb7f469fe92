"""Income tax in a federal and a state book, with losses and credits carried forward.

Arrays have time first: shape (T, N). State tax is deducted from federal income. A loss waits
for later income (``carried_forward``), of which it may offset a share; or an owner uses it in
the year it falls (``used_at_once``), and tax may be negative. Credits that are used against
tax follow the same rule. What is left at the end of life is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class TaxRules:
    """Rates [share], depreciation by operating year [share of basis, (T,) or (T, N)] and loss rules."""

    federal_rate: ArrayLike
    state_rate: ArrayLike
    federal_schedule: FloatArray
    state_schedule: FloatArray
    renewal_schedule: FloatArray
    losses_at_once: bool = False
    federal_loss_share: ArrayLike = 1.0
    state_loss_share: ArrayLike = 1.0


@dataclass(frozen=True)
class Taxes:
    """Tax by year [USD], shape (T, N): federal after credits, state, and both."""

    federal: FloatArray
    state: FloatArray

    @property
    def total(self) -> FloatArray:
        """Federal and state tax."""
        return self.federal + self.state


def tax_of(federal: FloatArray, state: FloatArray, credit: FloatArray | None, rules: TaxRules) -> Taxes:
    """Tax on what is taxable in each book before state tax is deducted; overwrites both, (T, N) [USD]."""
    if rules.losses_at_once:
        state *= np.asarray(rules.state_rate, dtype=np.float64)
        federal -= state
        federal *= np.asarray(rules.federal_rate, dtype=np.float64)
        return Taxes(federal - credit if credit is not None else federal, state)
    state = _with_losses(state, rules.state_rate, rules.state_loss_share)
    federal -= state
    federal = _with_losses(federal, rules.federal_rate, rules.federal_loss_share)
    if credit is not None:
        pool = np.zeros(federal.shape[1])
        for year, due in enumerate(federal):
            pool = pool + credit[year]
            used = np.minimum(pool, due)
            pool -= used
            federal[year] = due - used
    return Taxes(federal, state)


def _with_losses(taxable: FloatArray, rate: ArrayLike, share: ArrayLike) -> FloatArray:
    """Tax with losses carried forward; overwrites ``taxable``.

    Where losses may offset all of later income, what has been taxed by a year is the highest
    the running sum of income ever stood at, so no year waits for the one before.
    """
    if np.all(np.asarray(share) == 1.0):
        taxed = np.maximum(np.maximum.accumulate(np.cumsum(taxable, axis=0), axis=0), 0.0)
        np.subtract(taxed[1:], taxed[:-1], out=taxable[1:])
        taxable[0] = taxed[0]
        taxable *= np.asarray(rate, dtype=np.float64)
        return taxable
    pool, gain, used = (np.zeros(taxable.shape[1]) for _ in range(3))
    for row in taxable:
        np.maximum(row, 0.0, out=gain)
        np.subtract(gain, row, out=used)
        pool += used  # the year's loss
        np.multiply(gain, share, out=used)
        np.minimum(pool, used, out=used)
        pool -= used
        np.subtract(gain, used, out=row)
    taxable *= np.asarray(rate, dtype=np.float64)
    return taxable


def written_off(schedule: FloatArray, life: int) -> FloatArray:
    """``schedule`` cut or padded to ``life`` years; what is left is written off in the last one."""
    shares = np.zeros(life)
    shares[: min(life, len(schedule))] = schedule[:life]
    shares[-1] += schedule.sum() - shares.sum()
    return shares


def renewal_matrix(schedule: FloatArray, life: int) -> FloatArray:
    """Matrix M with depreciation = M @ renewals, shape (life, life); each renewal follows ``schedule``."""
    matrix = np.zeros((life, life))
    for year in range(life):
        matrix[year:, year] = written_off(schedule, life - year)
    return matrix
