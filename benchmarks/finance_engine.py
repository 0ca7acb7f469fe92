"""Valuations per CPU-second: reference kernel, full engine, with and without IRR, and SAM beside them.

Run with ``python benchmarks/finance_engine.py``. One valuation is debt, yearly flows, cover ratio
and equity NPV of one case over 25 operating years, three years of construction for the engine.
The full engine has two tax books with losses carried forward, working capital, a grant, interest
during construction, a fee, a reserve with interest and debt sized on cash after tax. Where the
package PySAM is installed, one execution of its Single Owner model is timed in the same run.
Every figure is the best of several rounds, in CPU time of all threads of this process.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from cleanhub.finance.checks import depreciation_schedule
from cleanhub.finance.engine import Lines, Terms, run
from cleanhub.finance.project_debt import DebtTerms, Project, flows, net_present_value
from cleanhub.finance.returns import internal_rate_of_return, present_value
from cleanhub.finance.tax_books import TaxRules, renewal_matrix, written_off
from cleanhub.hub.library import load_library

LIFE, ROUNDS, RETURN = 25, 5, 0.12
BLOCKS = (250, 500, 1_000, 2_000, 4_000, 8_000)
Rate = tuple[float, int]


def main() -> None:
    schedule = depreciation_schedule(load_library(), 7, LIFE)
    kernel = [_best(lambda n: _kernel(n, schedule), size, False) for size in BLOCKS]
    kernel_irr = [_best(lambda n: _kernel(n, schedule), size, True) for size in BLOCKS]
    full = [_best(lambda n: _engine(n, schedule), size, False) for size in BLOCKS]
    full_irr = [_best(lambda n: _engine(n, schedule), size, True) for size in BLOCKS]
    rows: list[tuple[str, Rate | None]] = [
        ("reference kernel: debt, flows, NPV, least cover ratio", max(kernel)),
        ("the same with one bracketed IRR", max(kernel_irr)),
        ("full engine: NPV and least cover ratio", max(full)),
        ("the same with one bracketed IRR", max(full_irr)),
        ("PySAM Single Owner, one execution (NPV, IRR, debt)", _sam()),
    ]
    sam = rows[-1][1]
    print(f"{'what':<56}{'per CPU-second':>16}{'block':>8}{'times SAM':>12}")
    for what, rate in rows:
        if rate is None:
            print(f"{what:<56}{'not installed':>16}")
        else:
            ratio = f"{rate[0] / sam[0]:,.0f}" if sam else ""
            print(f"{what:<56}{rate[0]:>16,.0f}{rate[1]:>8,}{ratio:>12}")
    print("full engine by size of block: " + ", ".join(f"{size:,}: {rate:,.0f}" for rate, size in full))


def _best(make: Callable[[int], Callable[[], np.ndarray]], size: int, with_irr: bool) -> Rate:
    """Best rate of several rounds, each of about 20,000 valuations in blocks of ``size``."""
    job = make(size)
    blocks = max(1, 20_000 // size)

    def round_of_blocks() -> None:
        for _ in range(blocks):
            equity = job()
            if with_irr:
                internal_rate_of_return(equity)

    return size * blocks / min(_seconds(round_of_blocks) for _ in range(ROUNDS)), size


def _kernel(count: int, schedule: np.ndarray) -> Callable[[], np.ndarray]:
    random = np.random.default_rng(0)
    project = Project(
        volume=20e6 * random.uniform(0.8, 1.2, count),
        operating_cost=45e6,
        capital=400e6 * random.uniform(0.8, 1.5, count),
        life=LIFE,
        tax_rate=0.28,
        inflation=0.02,
        depreciation=schedule,
        credit=1.4875,
        credit_years=12,
    )
    terms, price = DebtTerms(0.08, 15, 1.4, 0.6), np.full(count, 5.0)

    def job() -> np.ndarray:
        found = flows(project, terms, price)
        net_present_value(found.equity, RETURN)
        return np.ascontiguousarray(found.equity.T)  # time first, as the rate of return wants it

    return job


def _engine(count: int, schedule: np.ndarray) -> Callable[[], np.ndarray]:
    random = np.random.default_rng(0)
    year = np.arange(1, LIFE + 1)[:, None]
    growth = 1.02**year
    capital = 400e6 * random.uniform(0.8, 1.5, count)
    volume = 20e6 * random.uniform(0.8, 1.2, count)
    spending = np.array([0.2, 0.4, 0.4])[:, None] * capital
    revenue, nothing = 5.0 * volume * growth, np.zeros((LIFE, count))
    working = revenue * 30.0 / 365.0
    working[-1] = 0.0
    lines = Lines(
        spending=spending,
        revenue=revenue,
        bankable=0.9 * revenue,
        cost=45e6 * growth * np.ones(count),
        renewal=nothing,
        set_aside=nothing,
        exempt=np.where(year <= 12, 1.4875 * volume, 0.0),
        exempt_bankable=nothing,
        working_capital=working,
        grants=0.1 * spending,
        basis_cut=0.1 * capital,
        state_basis_cut=0.1 * capital,
    )
    rate = np.full((LIFE, 1), 0.08)
    terms = Terms("sculpted", rate, 0.08, 15, 1.4, 0.6, fee=0.02, reserve_months=6.0, reserve_interest=0.02)
    books = written_off(schedule, LIFE)
    rules = TaxRules(0.21, 0.0884, books, books, renewal_matrix(schedule, LIFE), federal_loss_share=0.8)

    def job() -> np.ndarray:
        outcome = run(lines, terms, rules)
        present_value(outcome.equity, RETURN)
        np.nanmin(outcome.cover(), axis=0)
        return outcome.equity

    return job


def _sam() -> Rate | None:
    """One execution of PySAM's Single Owner at a time, its price changed each time."""
    try:
        from PySAM import Singleowner
    except ImportError:
        return None
    model = Singleowner.default("CustomGenerationProfileSingleOwner")
    model.Revenue.ppa_soln_mode = 1
    model.FinancialParameters.dscr_limit_debt_fraction = 1
    model.FinancialParameters.dscr_maximum_debt_fraction = 60
    model.SystemOutput.gen = [86_400.0] * 8_760
    model.SystemOutput.system_pre_curtailment_kwac = [86_400.0] * 8_760
    model.SystemOutput.annual_energy_pre_curtailment_ac = 756_864_000.0
    count = 20

    def executions() -> None:
        for number in range(count):
            model.Revenue.ppa_price_input = [0.03 + 0.001 * number]
            model.execute(0)
            _ = model.Outputs.project_return_aftertax_npv, model.Outputs.project_return_aftertax_irr

    executions()
    return count / min(_seconds(executions) for _ in range(ROUNDS)), 1


def _seconds(job: Callable[[], None]) -> float:
    start = time.process_time()
    job()
    return time.process_time() - start


if __name__ == "__main__":
    main()
