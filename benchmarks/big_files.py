"""Files far larger than meant: how long a command takes, and how much memory, until it has said so.

A table of a hub, a file of GPS stops and an import into a register, each of 200 MB and each as large as
is still read. Fails where a command takes more than :data:`MOST_MEMORY` or shows a traceback.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

MOST_MEMORY = 4e9
MB = 1_000_000
SIGNED = ("--by", "ann", "--reason", "a letter came", "--register", "reg.sqlite")


def write(path: Path, head: str, row: Callable[[int], str], size: int) -> None:
    """A CSV file of ``size`` bytes, give or take a row."""
    number, written = 0, len(head)
    with path.open("w", encoding="utf-8") as file:
        file.write(head)
        while written < size:
            block = "".join(row(n) for n in range(number, number + 5000))[: size - written + 200]
            block = block[: block.rindex("\n") + 1]
            file.write(block)
            written, number = written + len(block), number + 5000


def report(row: int) -> str:
    return f"example-plant,{1900 + row % 200},{row},example,assumed,\n"


def stop(row: int) -> str:
    truck, rest = divmod(row, 400)
    day, hour = divmod(rest, 8)
    place = ((33.98765, -117.95432), (33.762111, -118.209222), (34.03111, -117.61222))[row % 3]
    date = f"2024-{1 + day // 28:02d}-{1 + day % 28:02d}"
    return f"T-{truck:05d},{date} {5 + 2 * hour:02d}:00,{place[0]},{place[1]}\n"


def project(row: int) -> str:
    return f"P-{row},Trial {row},cement,announced,abates,{row}\n"


CASES: tuple[tuple[str, str, str, Callable[[int], str], tuple[str, ...]], ...] = (
    ("a table of a hub", "hub/facility_emissions.csv", "asset_id,year,co2e_t,source_id,confidence,note\n",
     report,     ("hub", "check", "hub")),
    ("GPS stops", "stops.csv", "truck,time,lat,lon\n", stop, ("freight", "trips", "stops.csv")),
    ("an import", "projects.csv", "project_id,name,sector,stage,role,capex_usd\n", project,
     ("project", "import", "projects.csv", "--dry-run", *SIGNED)),
)  # fmt: skip


def run(words: tuple[str, ...], folder: Path) -> tuple[int, str, float, float]:
    """Exit code, what was said, CPU time [s], peak memory [bytes] of ``cleanhub`` with ``words``."""
    environment = {**os.environ, "CLEANHUB_CACHE": "off"}
    command = [sys.executable, "-m", "cleanhub", *words]
    with (folder / "said").open("w+b") as said:
        child = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, env=environment)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read(20_000).decode("utf-8", "replace")
    unit = 1 if sys.platform == "darwin" else 1024
    return child.returncode, text, used.ru_utime + used.ru_stime, used.ru_maxrss * unit


def main() -> int:
    resource.setrlimit(
        resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_AS)[1])
    )
    sizes = [int(word) for word in sys.argv[1:]] or [19, 49, 200]
    bad = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(("hub", "new", "hub"), folder)
        run(("project", "add", "First", "--sector", "cement", "--create", *SIGNED), folder)
        for title, file, head, row, words in CASES:
            kept = (folder / file).read_bytes() if (folder / file).is_file() else None
            for size in sizes:
                write(folder / file, head, row, size * MB)
                code, text, seconds, memory = run(words, folder)
                lines = text.strip().splitlines()
                wrong = code not in (0, 2) or "Traceback" in text or memory > MOST_MEMORY
                bad += wrong
                last = next((line.strip() for line in reversed(lines) if line.strip()), "")
                print(
                    f"{title}, {size} MB: exit {code}, {seconds:.1f} CPU-s, {memory / 1e6:,.0f} MB memory; "
                    f"{len(lines)} lines, {last[:110]!r}{'  WRONG' if wrong else ''}",
                    flush=True,
                )
            if kept is not None:
                (folder / file).write_bytes(kept)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
