"""CPU time and memory of one faithful ammonia pathway of the imported solver.

Run with ``python benchmarks/mpp_ammonia.py FOLDER``, FOLDER holding the solver's ammonia inputs (the
folder of one pathway, or its ``inputs``). The first line goes from tables in memory to the mix table:
encoding, filters, ranks, the loop over 31 years. The second goes from files to the mix table, checks
included. Memory is the peak above what the imports alone take. Goal: 0.6 CPU-s and 150 MB.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from cleanhub.hub.mpp_import import ImportedSolver, read_solver
from cleanhub.pathways.mpp_faithful import run_faithful
from cleanhub.pathways.mpp_tables import build_tables

STATUS = Path("/proc/self/status")
GOAL_SECONDS, GOAL_MEGABYTES = 0.6, 150


def main(folder: Path) -> None:
    pathway = next((part for part in reversed(folder.resolve().parts) if part in ("bau", "lc", "fa")), "bau")
    imported = _memory("VmRSS")
    solver = read_solver(folder, "ammonia")
    loaded = _memory("VmRSS")
    _restart_peak()
    seconds = min(_seconds(lambda: _mix(solver, pathway)) for _ in range(5))
    added = _memory("VmHWM") - loaded
    print(
        f"ammonia {pathway}, tables in memory to mix table: {seconds:.2f} CPU-s, {added:.0f} MB above the "
        f"tables, {_memory('VmHWM') - imported:.0f} MB above the imports "
        f"(goal {GOAL_SECONDS} CPU-s, {GOAL_MEGABYTES} MB)"
    )
    _restart_peak()
    whole = min(_seconds(lambda: _mix(read_solver(folder, "ammonia"), pathway)) for _ in range(3))
    print(
        f"ammonia {pathway}, files to mix table with all checks: {whole:.2f} CPU-s, "
        f"{_memory('VmHWM') - imported:.0f} MB above the imports"
    )


def _mix(solver: ImportedSolver, pathway: str) -> int:
    return len(run_faithful(build_tables(solver.frames, solver.settings), solver.settings, pathway, 0).mix)


def _seconds(job: object) -> float:
    start = time.process_time()
    job()  # type: ignore[operator]
    return time.process_time() - start


def _memory(kind: str) -> float:
    """Memory of this process in MB; nan where the system does not tell."""
    if not STATUS.exists():
        return float("nan")
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(kind))
    return int(line.split()[1]) / 1024


def _restart_peak() -> None:
    """Count the peak of memory from here on."""
    if STATUS.exists():
        Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print("no case: give the folder of the solver's ammonia inputs")
        sys.exit(0)
    main(Path(sys.argv[1]))
