"""Published location instances: objective, proof and seconds of each, as a table.

Run with ``python benchmarks/location_optima.py FOLDER [PART ...]``. FOLDER holds the subfolders ``pmed``,
``cap``, ``holmberg`` and ``frlm_siouxfalls`` in the layouts of ``cleanhub freight locate``; PART is one or
more of these names. Every instance gets at most five minutes. A last line counts proofs and sums
the seconds. The published optima that are known here stand beside ours.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

from cleanhub.freight.location_files import read_location_file
from cleanhub.freight.location_run import Choices, solve_location
from cleanhub.freight.location_solver import Stops

# OR-Library's pmedopt.txt and uncapopt.txt; Holmberg 1-4 and flow refuelling as given with their files
PMED = (
    "5819 4093 4250 3034 1355 7824 5631 4445 2734 1255 7696 6634 4374 2968 1729 8162 6999 4809 2845 1789 "
    "9138 8579 4619 2961 1828 9917 8307 4498 3033 1989 10086 9297 4700 3013 10400 9934 5057 11060 9423 5128"
)
PUBLISHED = {
    **{f"pmed{number}": float(value) for number, value in enumerate(PMED.split(), 1)},
    "cap41": 1040444.375,
    "cap72": 977799.400,
    **{f"p{number}": float(value) for number, value in enumerate((8848, 7913, 9314, 10714), 1)},
    "paths 1 8": 32600.0,
    "paths 2 8": 53600.0,
    "paths 3 8": 82200.0,
}
PARTS = {"pmed": "p-median", "cap": "capacitated", "holmberg": "single-source", "frlm_siouxfalls": "frlm"}
SECONDS = 300.0


def main() -> None:
    folder = Path(sys.argv[1])
    results = []
    print(
        f"{'instance':14s} {'objective':>14s} {'bound':>14s} {'published':>14s} {'wall s':>8s} {'CPU s':>8s}"
    )
    for part in sys.argv[2:] or PARTS:
        files = sorted(
            (folder / part).iterdir(), key=lambda file: [int(n) for n in re.findall(r"\d+", file.stem)]
        )
        for file in files:
            results += [_row(part, file, choices) for choices in _choices(part)]
    proved = sum(one for one, _, _ in results)
    wrong = sum(other for _, other, _ in results)
    seconds = sum(cpu for _, _, cpu in results)
    print(
        f"{proved} of {len(results)} proved, {wrong} unlike the published optimum, {seconds:.0f} CPU s in all"
    )


def _choices(part: str) -> list[Choices]:
    stops = Stops(seconds=SECONDS)
    if part != "frlm_siouxfalls":
        return [Choices(stops=stops)]
    return [Choices(p, reach, stops=stops) for reach in (4.0, 8.0, 12.0) for p in (1, 2, 3, 5, 8)]


def _row(part: str, file: Path, choices: Choices) -> tuple[bool, bool, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = solve_location(PARTS[part], read_location_file(file), choices)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    name = file.stem if choices.reach is None else f"{file.stem} {choices.count} {choices.reach:g}"
    known = PUBLISHED.get(name)
    shown = "" if known is None else f"{known:.3f}"
    wrong = known is not None and abs(found.objective - known) > 1e-6 * known
    words = "" if found.gap == 0.0 else f"gap {found.gap:.2e}"
    print(
        f"{name:14s} {found.objective:14.3f} {found.bound:14.3f} {shown:>14s} {wall:8.2f} {cpu:8.2f}"
        f"  {words}{'  NOT AS PUBLISHED' if wrong else ''}",
        flush=True,
    )
    return found.gap == 0.0, wrong, cpu


if __name__ == "__main__":
    main()
