"""Bad days brought about on purpose, in processes of their own: killed writers, full and read-only disks.

Run as a program: ``harm.py JOB FOLDER``; prints JSON. The processes that are killed are forks of this one,
which has imported everything and opened nothing.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
from subjects import IMPORT, SCENARIO, SIGNED
from trials import judge, run, snapshot

from cleanhub.core import whole_folder
from cleanhub.core.errors import CleanhubError
from cleanhub.core.tables import conform
from cleanhub.hub.library import load_library
from cleanhub.hub.new import new_hub
from cleanhub.hub.package import load_hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import load_scenario
from cleanhub.planning.plan import Plan
from cleanhub.planning.store import load_plan
from cleanhub.register import database
from cleanhub.register.store import Register

for name in (
    "duckdb",
    "cleanhub.register.table_import",
    "cleanhub.register.sheets",
    "cleanhub.register.writing",
):
    importlib.import_module(name)  # once, not in every fork

ROWS = 12  # of each table, of each import


def forked(work: Callable[[], Any]) -> tuple[int, Any]:
    """What ``work`` returned in a process of its own, and the signal that ended it (0: none)."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        status = 1
        try:
            os.write(write, json.dumps(work()).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, json.loads(said) if said else None


def base_plan(folder: Path) -> Plan:
    """A plan of a new hub in ``folder`` with a few hand-made tables."""
    hub = load_hub(new_hub("hub", folder))
    years = pd.DataFrame({"year": range(2022, 2022 + ROWS), "value": 0.0})
    emissions = years.assign(
        inventory_sector="Industry", sector="cement", asset_kind="site", scope=1, gas="co2e",
        boundary="included", unit="t CO2e/yr", gwp="AR4", hub_scope=True, status="projected",
        confidence="seen",
    )  # fmt: skip
    energy = years.assign(sector="cement", carrier="coal", unit="GJ")
    return Plan(
        scenario=load_scenario("baseline", hub),
        seed=0,
        tables={"emissions": emissions, "energy": energy},
        hub_name=hub.name,
        hub_title=hub.title,
        hashes={},
        versions={"cleanhub": "0.1.0"},
        pending={},
    )


def seeded(plan: Plan, seed: int) -> Plan:
    """The plan with another seed, which stands in every row too: tables of two plans would show."""
    value = float(seed)
    tables = {
        name: conform(frame.assign(value=value), PLAN_TABLES[name]) for name, frame in plan.tables.items()
    }
    return replace(plan, seed=seed, tables=tables)


def found(folder: Path) -> int:
    """Seed of the plan in a folder, which must be whole."""
    plan = load_plan(folder)
    values = {float(value) for frame in plan.tables.values() for value in frame["value"]}
    assert values == {float(plan.seed)}, "tables of two plans"
    return plan.seed


def _die_at(moment: int) -> None:
    """Kill this process at the given call into the file system from here on."""
    seen = [0]

    def hook(event: str, _: object) -> None:
        if event.startswith(("os.", "shutil.", "open")):
            seen[0] += 1
            if seen[0] == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


# ---------------------------------------------------------------- killed


def kill_save(folder: Path, at_once: bool = True) -> dict[str, Any]:
    """Kill a plan that replaces another at every call into the file system; look, save again, look."""
    base, place = base_plan(folder), folder / "plans" / "mine"
    if not at_once:
        whole_folder._exchanged = lambda one, other: False

    def save(seed: int, moment: int = 0) -> bool:
        plan = seeded(base, seed)
        if moment:
            _die_at(moment)
        plan.save(place)
        return True

    def look_and_save(seed: int) -> tuple[int | None, int, list[str]]:
        there = found(place) if place.exists() else None
        save(seed)
        return there, found(place), sorted(path.name for path in place.parent.iterdir())

    forked(lambda: save(1))
    old, outcomes = 1, {"old": 0, "new": 0, "absent": 0}
    for moment in range(1, 1000):
        killed, done = forked(lambda old=old, moment=moment: save(old + 1, moment))
        if done:
            break
        assert killed == signal.SIGKILL
        there, then, left = forked(lambda old=old: look_and_save(old + 2))[1]
        assert (then, left) == (old + 2, ["mine"]), (moment, then, left)
        outcomes[{None: "absent", old: "old", old + 1: "new"}[there]] += 1
        old += 2
    return {**outcomes, "moments": moment - 1}


def kill_put_back(folder: Path) -> dict[str, Any]:
    """Where a killed writer had set the old plan aside, a writer that fails leaves the old plan in place."""
    base, place = base_plan(folder), folder / "plans" / "mine"
    forked(lambda: seeded(base, 1).save(place) and True)
    place.rename(place.with_name(".mine.0123abcd.before"))

    def fail() -> str:
        try:
            with whole_folder.whole_folder(place):
                raise OSError(28, "No space left on device")
        except CleanhubError as error:
            return str(error)

    said = forked(fail)[1]
    return {"said": said, "seed": forked(lambda: found(place))[1]}


def kill_import(folder: Path) -> dict[str, Any]:
    """Kill an import into a register at every statement; look at it, and at last import it for good."""
    os.chdir(folder)
    row = "T-{0},Trial {0},cement,announced,abates,120,500000,t/yr,35.1,-118.2,Lebec,2025-03-01,\n"
    head = IMPORT.partition("\n")[0]
    rows = "".join(row.format(n) for n in range(ROWS))
    (folder / "mine.csv").write_text(f"{head}\n{rows}", encoding="utf-8")
    words = ("project", "import", "mine.csv", *SIGNED, "--register", "reg.sqlite")
    load_library()
    forked(lambda: Register.open(folder / "reg.sqlite", create=True).close())

    def bring(moment: int = 0) -> int:
        seen = [0]

        def count(_: object) -> None:
            seen[0] += 1
            if seen[0] == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        prepare = database._prepare

        def prepared(connection: Any, record: object) -> None:
            prepare(connection, record)
            connection.set_trace_callback(count)

        with mock.patch.object(database, "_prepare", prepared):
            done = run(words, folder)
        assert done.code == 0, done
        return seen[0]

    def held() -> int:
        with Register.open(folder / "reg.sqlite") as register:
            assert not register.replay()
            return len(register.find("project"))

    run((*words, "--dry-run"), folder)  # reads the library once, for all forks
    empty = (folder / "reg.sqlite").read_bytes()
    statements = forked(bring)[1]
    for path in folder.glob("reg.sqlite*"):
        path.unlink()
    (folder / "reg.sqlite").write_bytes(empty)
    moments = sorted({1, statements // 3, *range(statements - 3, statements + 1)})
    counts = []
    for moment in moments:
        assert forked(lambda moment=moment: bring(moment))[0] == signal.SIGKILL
        counts.append(forked(held)[1])
        if counts[-1]:
            break  # the statement before was the commit: all of it is there
    forked(bring)
    again = forked(held)[1]
    left = sorted(path.name for path in folder.iterdir() if not path.name.startswith("reg.sqlite"))
    return {"rows": ROWS, "counts": counts, "again": again, "left": left}


# ---------------------------------------------------------------- at once


def together(folder: Path, writers: int = 4, times: int = 6) -> dict[str, Any]:
    """Several writers of plans into one folder at once, and a reader who never finds half a plan."""
    base, place = base_plan(folder), folder / "plans" / "mine"
    forked(lambda: seeded(base, 1).save(place) and True)

    def write(writer: int) -> bool:
        for number in range(times):
            seeded(base, 100 * (writer + 1) + number).save(place)
        return True

    children = []
    for writer in range(writers):
        child = os.fork()
        if not child:
            status = 1
            try:
                write(writer)
                status = 0
            finally:
                os._exit(status)
        children.append(child)

    def look() -> list[int]:
        return [found(place) for _ in range(15)]

    killed, seen = forked(look)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    left = sorted(path.name for path in place.parent.iterdir())
    return {"codes": codes, "killed": killed, "seen": len(seen or ()), "left": left}


# ---------------------------------------------------------------- no room, no leave


def healthy(folder: Path) -> None:
    """Everything that the writing commands read, and something for each to replace."""
    (folder / "mine.csv").write_text(IMPORT, encoding="utf-8")
    (folder / "mine.yaml").write_text(SCENARIO, encoding="utf-8")
    for words in (
        ("finance", "archetypes", "heat-pump", "--out", "pump.yaml"),
        ("project", "add", "Kiln", "--sector", "cement", *SIGNED, "--create", "--register", "reg.sqlite"),
        ("finance", "pump.yaml"),
        ("freight", "trips", "--template", "trips"),
    ):
        done = run(words, folder)
        assert done.code == 0, done
    (folder / "trips.csv").write_text(done.out, encoding="utf-8")


WRITING: tuple[tuple[str, ...], ...] = (
    ("hub", "new", "another"),
    ("pathways", "hub", "--out", "tables"),
    ("finance", "pump.yaml", "--workbook", "pump.xlsx"),
    ("finance", "pump.yaml", "--charts", "charts", "--samples", "5"),
    ("finance", "pump.yaml", "--freeze", "pump.json", "--as-of", "2026-06-01"),
    ("finance", "archetypes", "electrolysis", "--out", "other.yaml"),
    ("project", "add", "Second", "--sector", "cement", *SIGNED, "--register", "reg.sqlite"),
    ("project", "add", "First", "--sector", "cement", *SIGNED, "--register", "new.sqlite", "--create"),
    ("project", "import", "mine.csv", *SIGNED, "--register", "reg.sqlite"),
    ("project", "export", "told.csv", "--register", "reg.sqlite"),
    ("project", "template", "empty.xlsx"),
    ("backup", "kept.sqlite", "--register", "reg.sqlite"),
)
"""Every command that writes a file."""
READING: tuple[tuple[str, ...], ...] = (
    ("hub", "check", "hub"),
    ("why", "plans/mine", "scorecard", "x"),
    ("finance", "pump.yaml"),
    ("project", "list", "--register", "reg.sqlite"),
    ("history", "--register", "reg.sqlite"),
)
"""Commands that only read."""


def _mounted(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)


def _outcomes(folder: Path, words: Sequence[str]) -> dict[str, Any]:
    before = snapshot(folder)
    done = run(words, folder)
    after = snapshot(folder)
    ours = {name for name in set(before) | set(after) if "reg.sqlite-" not in name}
    changed = sorted(name for name in ours if before.get(name, "") != after.get(name, ""))
    return {
        "code": done.code,
        "said": (done.err or done.out)[:300],
        "wrong": judge(done, ("",)),
        "broke": done.broke[-1500:],
        "changed": changed,
    }


def full(folder: Path) -> dict[str, Any]:
    """Every writing command on a disk with nothing left; and a plan saved with ever more room."""
    _mounted(folder, "size=6m")
    base = base_plan(folder)
    healthy(folder)
    assert forked(lambda: _saved(base, 1, folder))[1] == ""
    filler = folder / "filler"
    told: dict[str, Any] = {}
    for words in WRITING:
        _fill(filler, folder, 0)
        told[" ".join(words)] = _outcomes(folder, words)
    seeds = []
    for room in (0, 4096, 8192, 12288, 16384, 24576, 65536, 1_000_000):
        _fill(filler, folder, room)
        _, said = forked(lambda room=room: _saved(base, 2 + room, folder))
        seeds.append((said, forked(lambda: found(folder / "plans" / "mine"))[1] - 2))
        left = sorted(path.name for path in (folder / "plans").iterdir())
        assert left == ["mine"], left
    return {"commands": told, "saves": seeds}


def _saved(base: Plan, seed: int, folder: Path) -> str:
    try:
        seeded(base, seed).save(folder / "plans" / "mine")
    except CleanhubError as error:
        return str(error)
    return ""


def _fill(filler: Path, folder: Path, room: int) -> None:
    """Leave ``room`` bytes on the disk of ``folder``."""
    filler.unlink(missing_ok=True)
    about = os.statvfs(folder)
    size = about.f_bavail * about.f_frsize - room
    with filler.open("wb") as file:
        file.write(bytes(max(size, 0)))


def read_only(folder: Path) -> dict[str, Any]:
    """Every command on a disk that may only be read."""
    _mounted(folder, "size=16m")
    base = base_plan(folder)
    healthy(folder)
    assert forked(lambda: _saved(base, 1, folder))[1] == ""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)

    def tried(commands: Sequence[Sequence[str]]) -> dict[str, Any]:
        return {" ".join(words): _outcomes(folder, words) for words in commands}

    return {
        "writing": tried(WRITING),
        "reading": tried(READING),
        "save": forked(lambda: _saved(base, 2, folder))[1],
    }


JOBS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "kill-save": kill_save,
    "kill-save-in-two-steps": lambda folder: kill_save(folder, at_once=False),
    "kill-put-back": kill_put_back,
    "kill-import": kill_import,
    "together": together,
    "full": full,
    "read-only": read_only,
}

if __name__ == "__main__":
    print(json.dumps(JOBS[sys.argv[1]](Path(sys.argv[2])), indent=1))  # noqa: T201
