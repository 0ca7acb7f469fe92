"""Valuations per CPU-second of the reference kernel of cleanhub.finance.project_debt.

Run with ``python benchmarks/finance_kernel.py``. One valuation is debt, yearly flows, cover
ratio and equity NPV of one case over 25 operating years; with the price solved, one bracketed
root on top. The bound to compare with is a plain numpy pass over arrays of the same size.
"""

from __future__ import annotations

import time

import numpy as np

from cleanhub.finance.checks import depreciation_schedule
from cleanhub.finance.project_debt import DebtTerms, Project, flows, net_present_value, price_at_return
from cleanhub.hub.library import load_library

COUNT = 100_000


def main() -> None:
    random = np.random.default_rng(0)
    project = Project(
        volume=20e6 * random.uniform(0.8, 1.2, COUNT),
        operating_cost=45e6,
        capital=400e6 * random.uniform(0.8, 1.5, COUNT),
        life=25,
        tax_rate=0.28,
        inflation=0.02,
        depreciation=depreciation_schedule(load_library(), 7, 25),
        credit=1.4875,
        credit_years=12,
    )
    terms = DebtTerms(0.08, 15, 1.4, 0.6)
    price = np.full(COUNT, 3.5)
    best = min(
        _seconds(lambda: net_present_value(flows(project, terms, price).equity, 0.15)) for _ in range(5)
    )
    print(f"debt, flows, cover ratio and NPV: {COUNT / best:,.0f} valuations per CPU-second")
    solved = min(_seconds(lambda: price_at_return(project, terms, 0.15)) for _ in range(2))
    print(f"price at a return: {COUNT / solved:,.0f} prices per CPU-second")
    plain = min(
        _seconds(lambda: (random.random((COUNT, 25)) * 1.08 ** np.arange(25)).sum(axis=1)) for _ in range(5)
    )
    print(f"bound, one pass over an array of that size: {COUNT / plain:,.0f} per CPU-second")
    print(f"share of the bound: {plain / best:.3f}")


def _seconds(job: object) -> float:
    start = time.process_time()
    job()  # type: ignore[operator]
    return time.process_time() - start


if __name__ == "__main__":
    main()
