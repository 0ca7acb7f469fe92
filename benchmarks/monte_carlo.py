"""A million draws of one project: CPU time, wall time and peak memory of each way to draw.

Run with ``python benchmarks/monte_carlo.py [SAMPLES]``. The project is the archetype with most
uncertain figures that lenders finance; every draw gives NPV, IRR and least cover ratio. Each way runs
in a process of its own, so that peak memory is its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

from cleanhub.finance.cases import load_archetype
from cleanhub.finance.policy_setting import setting_of
from cleanhub.finance.risk import Method, monte_carlo
from cleanhub.hub.library import load_library
from cleanhub.policy.book import load_book

ARCHETYPE = "biomass-hydrogen-storage"
WAYS: tuple[tuple[Method, str], ...] = (
    ("latin_hypercube", "financed"),
    ("sobol", "financed"),
    ("latin_hypercube", "whole"),
)


def main() -> None:
    """Run every way and print one line for each."""
    samples = sys.argv[1] if len(sys.argv) > 1 else "1000000"
    for method, debt in WAYS:
        subprocess.run([sys.executable, __file__, samples, method, debt], check=True)


def one(samples: int, method: Method, debt: str) -> None:
    """Draw once and print what it took."""
    library = load_library()
    loaded = load_archetype(ARCHETYPE, library)
    setting = setting_of(loaded, load_book(library))
    count = 1 << (samples - 1).bit_length() if method == "sobol" else samples
    wall, cpu = time.perf_counter(), time.process_time()
    found = monte_carlo(loaded, setting, samples=count, seed=0, method=method, whole=debt == "whole")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    share = float((found.npv_usd < 0).mean())
    took = f"{cpu:5.1f} s CPU, {wall:5.1f} s, {peak:,.0f} MB"
    print(f"{count:>9,} draws, {method}, debt {debt}: {took}; NPV below 0 in {share:.1%}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        one(int(sys.argv[1]), "sobol" if sys.argv[2] == "sobol" else "latin_hypercube", sys.argv[3])
    else:
        main()
