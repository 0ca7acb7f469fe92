"""Size and time of the perfect-foresight optimum of California, and what the year loop costs against it.

Run with ``python benchmarks/optimal_pathway.py [SCENARIO ...]`` (all four by default). For each scenario:
columns, rows and entries of the programme, CPU-seconds to build it, to solve it with fractions of
plants and with whole plants, peak memory above what importing and loading take, and the system cost of
the year loop over that of the optimum. The bound to compare with is HiGHS alone on the arrays.
"""

from __future__ import annotations

import resource
import sys
import time

import cleanhub as ch
from cleanhub.core.programme import loaded_solver
from cleanhub.hub.scenario import load_scenario
from cleanhub.pathways.assemble import assemble
from cleanhub.pathways.engine import walk
from cleanhub.pathways.optimal import cost_of, solve_optimal
from cleanhub.pathways.optimal_cost import Accounts
from cleanhub.pathways.optimal_model import build_model

SCENARIOS = ("baseline", "no-support", "net-zero-2045", "fastest-abatement")


def main() -> None:
    hub = ch.load_hub("california")
    for name in sys.argv[1:] or SCENARIOS:
        problem = assemble(hub, load_scenario(name, hub)).problem
        walked = walk(problem)
        before = _megabytes()
        start = time.process_time()
        model = build_model(Accounts(problem, walked.multiplier))
        built = time.process_time() - start
        bounds = (model.lower, model.upper, model.row_lower, model.row_upper)
        solver = loaded_solver(model.cost, *bounds, model.matrix, solver="simplex")
        start = time.process_time()
        solver.run()
        alone = time.process_time() - start
        start = time.process_time()
        optimum = solve_optimal(problem, walked.multiplier)
        whole_time = time.process_time() - start
        peak = _megabytes() - before
        print(f"{name}: {optimum.columns:,} columns, {optimum.rows:,} rows, {optimum.entries:,} entries")
        print(f"  build {built:.2f}, HiGHS alone {alone:.2f}, from problem to path {whole_time:.2f} CPU-s")
        print(f"  memory above the loaded hub: {peak:.0f} MB")
        start = time.process_time()
        whole = solve_optimal(problem, walked.multiplier, whole_plants=True)
        print(f"  whole plants: {time.process_time() - start:.2f} CPU-s, gap {whole.gap:.1e}, {whole.status}")
        more = 100.0 * (cost_of(problem, walked).total / optimum.objective - 1.0)
        print(f"  optimum {optimum.objective / 1e9:.2f} billion USD; year loop {more:+.2f} %")


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


if __name__ == "__main__":
    main()
