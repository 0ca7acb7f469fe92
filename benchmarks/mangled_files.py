"""Mangle files that people bring and run commands on them, for a given time; what must hold is in the tests.

``PYTHONPATH=tests/fuzz:tests/freight python benchmarks/mangled_files.py --seconds 120 --seed 1``. The
kinds of file get equal shares of the CPU time. A broken promise is shown once for each place, with the
number of its trial; ``--keep`` keeps the file. Fails if there was any.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from subjects import subjects
from trials import Bench, Trial


def place(trial: Trial) -> str:
    """What makes two broken promises the same one: the innermost line of ours, or the words."""
    ours = [line.strip() for line in trial.outcome.broke.splitlines() if "/cleanhub/" in line]
    last = trial.outcome.broke.strip().splitlines()[-1:] if trial.outcome.broke else []
    return f"{trial.subject}: {trial.wrong[:80]} {ours[-1] if ours else ''} {last[0][:60] if last else ''}"


def main() -> int:
    os.environ["CLEANHUB_CACHE"] = "off"
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=120.0)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--only", default="", help="subjects, apart by commas")
    asked.add_argument("--keep", type=Path, help="folder for the files that broke a promise")
    given = asked.parse_args()
    chosen = [one for name, one in subjects().items() if not given.only or name in given.only.split(",")]
    seen: Counter[str] = Counter()
    codes: Counter[tuple[str, int]] = Counter()
    slowest: dict[str, float] = {}
    spent: dict[str, float] = dict.fromkeys((one.name for one in chosen), 0.0)
    with tempfile.TemporaryDirectory() as folder:
        benches = [Bench(one, Path(folder) / one.name) for one in chosen]
        number, began = given.seed * 1_000_000, time.monotonic()
        while time.monotonic() - began < given.seconds:
            bench = min(benches, key=lambda one: spent[one.subject.name])
            trial = bench.try_once(Random(number))
            codes[trial.subject, trial.outcome.code] += 1
            spent[trial.subject] += trial.outcome.seconds
            slowest[trial.subject] = max(slowest.get(trial.subject, 0.0), trial.outcome.seconds)
            if trial.wrong:
                where = place(trial)
                if not seen[where]:
                    print(f"--- trial {number}: {trial.told()}", flush=True)
                    if given.keep:
                        given.keep.mkdir(parents=True, exist_ok=True)
                        (given.keep / f"{number}-{Path(trial.file).name}").write_bytes(trial.data)
                seen[where] += 1
            number += 1
    for one in chosen:
        counts = ", ".join(f"exit {code}: {codes[one.name, code]}" for code in (0, 1, 2))
        print(f"{one.name}: {counts}; slowest {slowest.get(one.name, 0.0):.2f} CPU-s")
    for where, count in seen.most_common():
        print(f"{count} x {where}")
    print(f"{sum(codes.values())} trials, {sum(seen.values())} broken promises")
    return 1 if seen else 0


if __name__ == "__main__":
    sys.exit(main())
