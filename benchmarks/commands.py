"""Whole commands as a user starts them: nothing remembered, then remembered; a Markdown table.

Run with ``python benchmarks/commands.py``. Each time is the better of two starts (interpreter, imports,
reading, writing), disk cache warm, output discarded; CPU time is that of the process and its children, memory
the peak resident set. The only budget among them is that of loading the hub.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

RUNS = 2
LOAD_S = 2.0
CLEANHUB = (sys.executable, "-m", "cleanhub")
PYTHON = (sys.executable, "-c")


@dataclass(frozen=True)
class Used:
    """What one command used: wall and CPU seconds, peak megabytes."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def run(command: tuple[str, ...], place: Path, cache: str) -> Used:
    """Run one command in ``place`` with the memory in ``cache``, or none for ``off``."""
    environment = {**os.environ, "CLEANHUB_CACHE": cache}
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=place, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if status:
        raise SystemExit(f"{' '.join(command)}: status {status}")
    peak = used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return Used(wall, used.ru_utime + used.ru_stime, peak)


def best(command: tuple[str, ...], place: Path, cache: str) -> Used:
    """The better of :data:`RUNS` starts."""
    return min((run(command, place, cache) for _ in range(RUNS)), key=lambda used: used.cpu_s)


def commands(place: Path) -> dict[str, tuple[str, ...]]:
    """The commands by what stands for them in the table; two plans and a new hub lie in ``place``."""
    memory = str(place / "plans-memory")
    run((*CLEANHUB, "plan", "california", "--out", "a", "--json"), place, memory)
    run((*CLEANHUB, "plan", "california", "-s", "net-zero-2045", "--out", "b", "--json"), place, memory)
    run((*CLEANHUB, "hub", "new", "town"), place, memory)
    load = "import cleanhub as ch; ch.load_hub('california')"
    return {
        '`python -c "import cleanhub"`': (*PYTHON, "import cleanhub"),
        "`cleanhub --help`": (*CLEANHUB, "--help"),
        "`cleanhub hub list`": (*CLEANHUB, "hub", "list"),
        f'load the hub: `python -c "{load}"`': (*PYTHON, load),
        "`cleanhub hub check california`": (*CLEANHUB, "hub", "check", "california"),
        "`cleanhub hub check global`": (*CLEANHUB, "hub", "check", "global"),
        "`cleanhub hub show california`": (*CLEANHUB, "hub", "show", "california"),
        "`cleanhub pathways california`, all tables of the path": (*CLEANHUB, "pathways", "california"),
        "`cleanhub plan global --scenario net-zero-2050`": (
            *(*CLEANHUB, "plan", "global", "--scenario", "net-zero-2050", "--out", "c"),
        ),
        "`cleanhub plan` of a new hub with one plant": (*CLEANHUB, "plan", "town", "--out", "d"),
        "`cleanhub pipeline california`": (*CLEANHUB, "pipeline", "california"),
        "`cleanhub compare` of two California plans": (*CLEANHUB, "compare", "a", "b"),
        "`cleanhub why`": (*CLEANHUB, "why", "a", "scorecard", "hub_emissions_2045"),
    }


def main() -> int:
    """Print the table, with the share of its budget that loading the hub takes."""
    print("| what | wall | CPU | peak memory | remembered: wall | CPU |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(prefix="cleanhub-commands-") as folder:
        place = Path(folder)
        for what, command in commands(place).items():
            new = best(command, place, "off")
            cache = str(place / "memory")
            run(command, place, cache)
            known = best(command, place, cache)
            print(
                f"| {what} | {new.wall_s:.2f} s | {new.cpu_s:.2f} s | {new.peak_mb:.0f} MB "
                f"| {known.wall_s:.2f} s | {known.cpu_s:.2f} s |",
                flush=True,
            )
            if what.startswith("load"):
                print(
                    f"| its share of the budget of {LOAD_S:g} s | {new.wall_s / LOAD_S:.2f} | | | "
                    f"{known.wall_s / LOAD_S:.2f} | |"
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
