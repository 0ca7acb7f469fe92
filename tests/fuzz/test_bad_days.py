"""Killed writers, full and read-only disks, several writers at once: nothing is lost, one clear message.

The harm itself is in ``harm.py``, which runs as a process of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills and mounts as POSIX systems do")
HARM = Path(__file__).with_name("harm.py")


def harm(job: str, folder: Path, *before: str) -> Any:
    """What ``harm.py`` tells of a job; the last thing it prints is JSON."""
    words = [*before, sys.executable, str(HARM), job, str(folder)]
    here = {"PYTHONPATH": str(HARM.parents[1] / "freight")}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, **here})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return json.loads(done.stdout[done.stdout.index("{") :])


@cache
def may_mount() -> bool:
    """Whether this user can have a disk of its own for a moment."""
    if not shutil.which("unshare") or os.geteuid() != 0:
        return False
    words = ("unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt")
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


needs_a_disk = pytest.mark.skipif(
    not may_mount(), reason="only root may mount a small disk, and not everywhere"
)


# ---------------------------------------------------------------- killed


def test_a_plan_killed_at_any_moment_leaves_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    told = harm("kill-save", tmp_path)
    assert told["moments"] > 10
    assert told["old"] > 0
    assert told["new"] > 0
    if sys.platform == "linux":
        assert told["absent"] == 0


def test_an_old_plan_that_a_killed_writer_set_aside_is_put_back(tmp_path: Path) -> None:
    told = harm("kill-put-back", tmp_path)
    assert told["seed"] == 1
    assert told["said"].endswith("No space left on device")


def test_an_import_killed_at_any_statement_leaves_all_of_it_or_nothing(tmp_path: Path) -> None:
    told = harm("kill-import", tmp_path)
    assert set(told["counts"]) <= {0, told["rows"]}
    assert told["again"] == told["rows"]
    assert told["left"] == ["mine.csv"]


# ---------------------------------------------------------------- at once


def test_plans_into_one_folder_at_once_are_each_whole(tmp_path: Path) -> None:
    told = harm("together", tmp_path)
    assert told["codes"] == [0, 0, 0, 0]
    assert told["seen"] == 15, "the reader failed"
    assert told["left"] == ["mine"]


# ---------------------------------------------------------------- no room, no leave


@needs_a_disk
def test_a_full_disk_is_one_message_and_nothing_is_lost(tmp_path: Path) -> None:
    told = harm("full", tmp_path, "unshare", "-m")
    for words, done in told["commands"].items():
        assert done["code"] == 1, (words, done)
        assert not done["wrong"], (words, done)
        half = [name for name in done["changed"] if name not in ("new.sqlite", "charts", "tables")]
        assert not half, (words, done)
    said, seeds = zip(*told["saves"], strict=True)
    assert "No space left on device" in said[0]
    assert "mine" in said[0]
    for words, seed in zip(said, seeds, strict=True):
        assert (seed == -1) or not words, "a failed save replaced the plan"
    assert not said[-1]


@needs_a_disk
def test_a_disk_that_may_only_be_read_is_one_message(tmp_path: Path) -> None:
    told = harm("read-only", tmp_path, "unshare", "-m")
    for words, done in told["writing"].items():
        assert done["code"] == 1, (words, done)
        assert not done["wrong"], (words, done)
        assert not done["changed"], (words, done)
    assert "Read-only file system" in told["save"]
    for words, done in told["reading"].items():
        assert not done["wrong"], (words, done)
