"""Nothing that was accepted is lost: many writers at once, writers killed, a backup while they write."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cleanhub.register.backup import backup, contents, restore
from cleanhub.register.errors import Busy, Conflict
from cleanhub.register.models import EVENT
from cleanhub.register.store import Register, longest_pause

from .writers import PROJECTS, add_projects

WRITERS = Path(__file__).with_name("writers.py")


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(WRITERS), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return json.loads(out)


def events(register: Register) -> int:
    with register.transaction("read") as now:
        return int(now.connection.execute(sa.select(sa.func.count()).select_from(EVENT)).scalar_one())


def test_eight_writers_lose_none_of_four_thousand_edits(register: Register, url: str) -> None:
    add_projects(register)
    done = result(start("race", url, 8, 500))
    assert done["codes"] == [0] * 8
    assert done["accepted"] == 4000
    assert done["conflicts"] > 0, "no two writers ever met: the test shows nothing"
    records = register.find("project")
    assert sum(record.version for record in records) == events(register) == 4000 + PROJECTS
    assert sum(record["capex_usd"] for record in records) == 4000.0
    assert register.replay() == []


def test_fifty_killed_writers_leave_a_valid_register(register: Register, url: str) -> None:
    add_projects(register)
    done = result(start("killed", url, 50))
    assert done["faults"] == []
    assert done["versions"] >= 50 + PROJECTS


def test_a_backup_made_while_four_write_is_whole_and_restores_equal(
    register: Register, url: str, tmp_path: Path, ready_url: Any
) -> None:
    add_projects(register)
    busy = start("race", url, 4, 150)
    held = []
    while busy.poll() is None:
        path = tmp_path / f"backup-{len(held)}.db"
        held.append((path, backup(register, path)))
        time.sleep(0.1)  # some of the time is theirs
    assert result(busy)["accepted"] == 600
    while_written = [kept for _, kept in held if PROJECTS < kept.rows["event"] < 600 + PROJECTS]
    assert while_written, "every backup was made before or after the writing"
    for database in ("sqlite", url.split(":", maxsplit=1)[0] if "://" in url else "sqlite"):
        path, kept = held[len(held) // 2]
        target = ready_url(database)
        assert restore(path, target, overwrite=True) == kept
        with Register.open(target) as again:
            assert contents(again) == kept
            assert again.replay() == []
            versions = sum(record.version for record in again.find("project"))
            assert versions == events(again) == kept.rows["event"]


def test_retry_tries_again_until_it_holds_or_attempts_are_spent(register: Register) -> None:
    tried = []

    def fails() -> None:
        tried.append(1)
        raise Busy("not now")

    pauses: list[float] = []
    with pytest.raises(Busy):
        register.retry(fails, attempts=4, pause=pauses.append)
    assert len(tried) == 4
    assert len(pauses) == 3, "one between each two attempts"
    assert all(0.0 <= pause <= longest_pause(attempt) for attempt, pause in enumerate(pauses))
    assert [longest_pause(attempt) for attempt in (0, 1, 2, 49)] == [0.001, 0.002, 0.004, 0.1]

    def other() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        register.retry(other)
    with pytest.raises(ValueError, match="at least 1"):
        register.retry(fails, attempts=0)


def test_retry_merges_on_the_latest_version(register: Register) -> None:
    add_projects(register)
    stale = register.find("project")[0]
    register.edit("project", stale.id, 1, {"capex_usd": 5.0}, "bob", "a quote")
    read = [stale, *[None] * 3]

    def write() -> Any:
        record = read.pop(0) or register.get("project", stale.id)
        return register.edit("project", record.id, record.version, {"city": "Colton"}, "ann", "moved")

    done = register.retry(write)
    assert (done.version, done["capex_usd"], done["city"]) == (3, 5.0, "Colton")
    with pytest.raises(Conflict):
        register.edit("project", stale.id, 1, {"city": "Rialto"}, "ann", "moved")
