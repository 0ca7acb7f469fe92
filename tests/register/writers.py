"""Writers as processes of their own, for the tests of what many at once, or killed ones, leave behind.

Run as a program: ``writers.py race URL WRITERS EDITS`` or ``writers.py killed URL LOOPS``; prints JSON. The
processes are forks of this one, which has imported everything and opened nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

from cleanhub.hub.library import load_library
from cleanhub.register.errors import Conflict
from cleanhub.register.store import Register

PROJECTS = 25
FIELDS = {"hub": "california", "name": "Trial", "sector": "cement", "stage": "announced", "role": "abates"}


def identifier(number: int) -> str:
    return f"california:T-{number}"


def add_projects(register: Register) -> None:
    with register.transaction() as now:
        for number in range(PROJECTS):
            fields = FIELDS | {"project_id": f"T-{number}", "capex_usd": 0.0}
            now.add("project", fields, "writer", "first")


def one_more(register: Register, name: str, by: str, conflicts: list[int]) -> None:
    """Read, add one, write: an update that is lost when another one comes between unseen."""
    read = register.get("project", name)
    try:
        register.edit("project", name, read.version, {"capex_usd": read["capex_usd"] + 1.0}, by, "one more")
    except Conflict:
        conflicts[0] += 1
        raise


def fork(work: Callable[[], None]) -> int:
    """The process that does ``work`` and ends."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)  # nothing of the parent's is flushed or closed a second time


def race(url: str, writers: int, edits: int) -> dict[str, object]:
    reading, writing = os.pipe()

    def write(number: int) -> None:
        conflicts = [0]
        order = random.Random(number)
        with Register.open(url) as register:
            for _ in range(edits):
                name = identifier(order.randrange(PROJECTS))
                register.retry(
                    lambda name=name: one_more(register, name, f"writer {number}", conflicts), 1000
                )
        os.write(writing, f"{edits} {conflicts[0]}\n".encode())

    children = [fork(lambda number=number: write(number)) for number in range(writers)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    os.close(writing)
    with os.fdopen(reading) as reports:
        done = [[int(word) for word in line.split()] for line in reports]
    return {"codes": codes, "accepted": sum(row[0] for row in done), "conflicts": sum(row[1] for row in done)}


def killed(url: str, loops: int) -> dict[str, object]:
    """Start a writer, kill it in the middle of its work, look at what it left; so many times."""
    chance = random.Random(1)
    accepted, faults = PROJECTS, []
    for loop in range(loops):
        reading, writing = os.pipe()

        def write(writing: int = writing) -> None:
            with Register.open(url) as register:
                while True:
                    one_more(register, identifier(0), "writer", [0])
                    os.write(writing, b".")  # told only after the commit was confirmed

        child = fork(write)
        os.close(writing)
        select.select([reading], [], [], 30)  # its first edit is in
        select.select([], [], [], chance.random() * 0.03)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        confirmed = 0
        while found := os.read(reading, 1 << 16):
            confirmed += len(found)
        os.close(reading)
        with Register.open(url) as register:
            differences = register.replay()
            versions = sum(record.version for record in register.find("project"))
        # the edit under way when the writer died may be in or not; those confirmed must be
        if differences or not accepted + confirmed <= versions <= accepted + confirmed + 1 or not confirmed:
            faults.append([loop, accepted, confirmed, versions, str(differences)])
        if "://" not in url:
            with contextlib.closing(sqlite3.connect(Path(url))) as connection:
                if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                    faults.append([loop, "damaged"])
        accepted = versions
    return {"faults": faults, "versions": accepted}


if __name__ == "__main__":
    job, url, *numbers = sys.argv[1:]
    load_library()  # once, before the forks
    print(json.dumps({"race": race, "killed": killed}[job](url, *map(int, numbers))))  # noqa: T201
