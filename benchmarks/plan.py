"""A whole plan of California: cold, unchanged, and after a change of one number, against the budgets.

Run with ``python benchmarks/plan.py [CHANGE ...]``. Every row is one ``cleanhub plan`` as a user starts it,
with interpreter, imports, reading, tables and report; the memory of steps begins empty in its own folder.
The changes are made in a copy of the package, since some of them are in its library. Other work on the
machine shows in the wall time, so each change is planned twice, from the same memory, and the quicker is told
with the wall time of the other; CPU seconds are those of the process and its children. After each change the
plan is computed once more without any memory, untimed: its files must be the same, byte for byte.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pandas as pd

import cleanhub

COLD_S, CHANGED_S, MEMORY_GB = 30.0, 5.0, 2.0
HUB = Path("hubs") / "california"


@dataclass(frozen=True)
class Measured:
    """One plan: seconds, gigabytes, and what its run.json says."""

    wall_s: float
    cpu_s: float
    peak_gb: float
    steps: dict[str, dict[str, float]]
    remembered: list[str]


def plan(package: Path, cache: Path | str, out: Path, *more: str) -> Measured:
    """Plan California in a process of its own; ``cache`` is the folder of the memory, or ``off``."""
    environment = {**os.environ, "PYTHONPATH": str(package.parent), "CLEANHUB_CACHE": str(cache)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "cleanhub", "plan", "california", "--out", str(out), "--json", *more],
        env=environment,
        stdout=subprocess.DEVNULL,
        cwd=out.parent,
    )
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if status:
        raise SystemExit(f"the plan failed: status {status}")
    told = json.loads((out / "run.json").read_text(encoding="utf-8"))
    peak = used.ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)
    return Measured(wall, used.ru_utime + used.ru_stime, peak, told["steps"], told["remembered"])


def planned_twice(package: Path, cache: Path, out: Path) -> tuple[Measured, float]:
    """The quicker of two plans that begin with a copy of ``cache``, and the wall time of the other [s]."""
    found = []
    for _ in range(2):
        memory = shutil.copytree(cache, cache.with_name("own memory"))
        found.append(plan(package, memory, out))
        shutil.rmtree(memory)
    quicker, slower = sorted(found, key=lambda one: one.wall_s)
    return quicker, slower.wall_s


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a plan, but for run.json, which holds times."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "run.json")
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


def cell(file: Path, column: str, factor: float, **where: str) -> Callable[[Path], None]:
    """A change: the first cell of ``column`` that has a number, in the rows that ``where`` picks."""

    def change(package: Path) -> None:
        path = package / file
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        chosen = frame[column] != ""
        for name, value in where.items():
            chosen &= frame[name] == value
        row = frame.index[chosen][0]
        frame.loc[row, column] = f"{float(frame.loc[row, column]) * factor:g}"
        frame.to_csv(path, index=False)

    return change


def carbon_price(package: Path) -> None:
    """A change of the scenario: the carbon price a tenth higher."""
    path = package / HUB / "scenarios" / "baseline.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("drivers:\n", "drivers:\n  carbon_price_floor: {scale: 1.1}\n"), encoding="utf-8"
    )


CHANGES: dict[str, Callable[[Path], None]] = {
    "carbon price of the scenario": carbon_price,
    "price of diesel, one year": cell(HUB / "drivers.csv", "value", 1.05, driver="price_diesel", year="2030"),
    "capital cost of a technology": cell(
        Path("library/technology_parameters.csv"),
        "value",
        1.1,
        technology="cement_dry_kiln",
        parameter="capex",
    ),
    "tonnes of one site": cell(HUB / "facility_emissions.csv", "co2e_t", 1.01, year="2022"),
    "amount of a policy": cell(Path("library/policy_values.csv"), "value", 1.1, policy="45q", item="rate"),
    "price of a charger": cell(
        Path("library/freight_parameters.csv"), "value", 1.1, parameter="charger_hardware", item="150 kW"
    ),
    "capital of one project": cell(HUB / "projects.csv", "capex_usd", 1.1, role="abates"),
}


def row(what: str, found: Measured, budget: float) -> None:
    """Print one row: time and memory with their shares of the budgets, and what was computed."""
    made = [f"{name} {one['cpu_s']:.1f}" for name, one in found.steps.items() if one["cpu_s"] >= 0.05]
    print(f"{what:30} {found.wall_s:6.1f} s, {found.wall_s / budget:4.2f} of {budget:g} s", end="")
    print(f"  {found.cpu_s:6.1f} CPU-s", end="")
    print(f"  {found.peak_gb:5.2f} GB, {found.peak_gb / MEMORY_GB:4.2f} of {MEMORY_GB:g} GB")
    print(f"    computed (CPU-s): {', '.join(made)}")
    print(f"    remembered: {', '.join(dict.fromkeys(found.remembered)) or 'nothing'}", flush=True)


def main(asked: list[str]) -> int:
    """Measure; 1 when a cold plan or an unchanged one exceeds its budget, or memory changes a result."""
    with tempfile.TemporaryDirectory(prefix="cleanhub-plan-") as folder:
        place = Path(folder)
        package = place / "base" / "cleanhub"
        shutil.copytree(Path(str(cleanhub.__file__)).parent, package)
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(package)], check=True)
        cache = place / "memory"
        cold = plan(package, cache, place / "cold")
        row("cold", cold, COLD_S)
        same = plan(package, cache, place / "same")
        row("unchanged", same, CHANGED_S)
        late, unlike = {}, []
        for what, change in CHANGES.items():
            if asked and not any(word in what for word in asked):
                continue
            changed = place / "changed" / "cleanhub"
            shutil.copytree(package, changed)
            change(changed)
            found, other = planned_twice(changed, cache, place / "out")
            row(what, found, CHANGED_S)
            print(f"    the other run: {other:.1f} s", flush=True)
            late[what] = found.wall_s > CHANGED_S
            plan(changed, "off", place / "alone")
            if digests(place / "out") != digests(place / "alone"):
                unlike.append(what)
            shutil.rmtree(changed)
    print(f"{sum(not one for one in late.values())} of {len(late)} changes within {CHANGED_S:g} s")
    print(f"unlike a plan without memory: {', '.join(unlike) or 'none'}")
    return int(bool(unlike) or cold.wall_s > COLD_S or same.wall_s > CHANGED_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
