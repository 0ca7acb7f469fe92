"""What ``make validate`` runs: benchmarks, a million draws, the long fuzz, figures of others.

Every part runs whatever became of those before it; what it prints is shown as it comes. A table closes the
log: part, whether it kept its bounds, how long it took. Exit code 1 when any part failed. Arguments are cases
of others: a JSON file of financed cases, a folder of location instances, a folder of MPP's results.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = (
    "finance_kernel",
    "finance_engine",
    "monte_carlo",
    "commands",
    "plan",
    "pathways",
    "optimal_pathway",
    "road_matrix",
    "p_median",
    "siting",
    "pipeline",
    "mangled_files --seconds 300",
    "big_files",
)
HELPERS = tuple(str(ROOT / "tests" / room) for room in ("fuzz", "freight", "pathways"))
"""Folders of the tests whose helpers benchmarks use."""
CLEANHUB = (sys.executable, "-m", "cleanhub", "validate")


@dataclass(frozen=True)
class Part:
    """One part: what it is called in the table, and its command."""

    name: str
    command: tuple[str, ...]


def benchmark(words: str, *more: str) -> Part:
    """The benchmark of that name, with its arguments."""
    name, *given = words.split()
    return Part(f"benchmarks/{name}.py", (sys.executable, f"benchmarks/{name}.py", *given, *more))


def parts_of(case: str) -> list[Part]:
    """What is run for one case of others: told by what lies there."""
    folder = Path(case)
    if (folder / "pmed").is_dir():
        return [benchmark("location_optima", case)]
    if not folder.is_dir():
        return [Part(f"validate finance {folder.name}", (*CLEANHUB, "finance", case))]
    ammonia = folder / "ammonia" / "bau"
    more = [benchmark("mpp_ammonia", str(ammonia))] if ammonia.is_dir() else []
    return [Part(f"validate mpp {folder.name}", (*CLEANHUB, "mpp", case)), *more]


def run(part: Part) -> tuple[bool, float]:
    """Run one part: whether it succeeded, and its wall time [s]."""
    place = os.pathsep.join(filter(None, [*HELPERS, os.environ.get("PYTHONPATH")]))
    print(f"\n=== {part.name}\n", flush=True)
    began = time.perf_counter()
    done = subprocess.run(part.command, cwd=ROOT, env={**os.environ, "PYTHONPATH": place}, check=False)
    return done.returncode == 0, time.perf_counter() - began


def main(cases: list[str]) -> int:
    """Run everything; the table and the exit code say how it went."""
    parts = [benchmark(words) for words in BENCHMARKS]
    parts.append(Part("validate pathways", (*CLEANHUB, "pathways")))
    parts += [part for case in cases for part in parts_of(case)]
    found = [(part.name, *run(part)) for part in parts]
    print("\n| part | kept its bounds | wall |\n| --- | --- | ---: |")
    for name, kept, seconds in found:
        print(f"| {name} | {'yes' if kept else 'NO'} | {seconds:.0f} s |")
    print(f"| all {len(found)} parts | {'yes' if all(kept for _, kept, _ in found) else 'NO'} |", end="")
    print(f" {sum(seconds for *_, seconds in found) / 60:.0f} min |")
    return int(not all(kept for _, kept, _ in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
