"""The memory of steps: what is remembered, what is not, and that a bad folder is as good as none."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cleanhub.core import memory
from cleanhub.core.memory import (
    VARIABLE,
    Memory,
    package_digest,
    prune,
    remembered,
    remembered_each,
    remembering,
    user_folder,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's memory, empty and away from everyone else's."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "memory"))
    return tmp_path / "memory"


@pytest.fixture
def counted() -> tuple[Callable[[], list[int]], list[int]]:
    """A step that counts how often it is made."""
    calls: list[int] = []

    def make() -> list[int]:
        calls.append(1)
        return [1, 2, 3]

    return make, calls


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("??/*"))


Counted = tuple[Callable[[], list[int]], list[int]]


def test_the_same_inputs_are_made_once(folder: Path, counted: Counted) -> None:
    make, calls = counted
    assert remembered("step", (1, "a"), make) == remembered("step", (1, "a"), make) == [1, 2, 3]
    assert len(calls) == len(files(folder)) == 1


def test_other_inputs_and_other_steps_are_made(folder: Path, counted: Counted) -> None:
    make, calls = counted
    for step, inputs in (("a", (1,)), ("b", (1,)), ("a", (2,)), ("a", (1, 1))):
        remembered(step, inputs, make)
    assert len(calls) == len(files(folder)) == 4


def test_a_value_belongs_to_whoever_asked(folder: Path, counted: Counted) -> None:
    make, _ = counted
    remembered("step", (), make).append(4)
    assert remembered("step", (), make) == [1, 2, 3]


def test_frames_come_back_as_they_were(folder: Path) -> None:
    frame = pd.DataFrame({"a": pd.Series(["x", ""], dtype=object), "b": pd.array([1, None], dtype="Int64")})
    for _ in range(2):
        pd.testing.assert_frame_equal(remembered("frame", (), lambda: frame), frame)


def test_a_step_that_fails_is_not_remembered(folder: Path, counted: Counted) -> None:
    def fail() -> list[int]:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        remembered("step", (), fail)
    assert remembered("step", (), counted[0]) == [1, 2, 3]


def test_what_has_no_fingerprint_is_an_error(folder: Path, counted: Counted) -> None:
    with pytest.raises(TypeError, match="no fingerprint of"):
        remembered("step", (Path("x"),), counted[0])


def test_a_session_tells_what_was_recalled_and_what_was_made(folder: Path, counted: Counted) -> None:
    with remembering() as first:
        remembered("a", (), counted[0])
    with remembering() as second:
        remembered("a", (), counted[0])
        remembered("b", (), counted[0])
    assert (first.recalled, first.made) == ([], ["a"])
    assert (second.recalled, second.made) == (["a"], ["b"])


def test_fresh_makes_everything_and_keeps_the_new(folder: Path, counted: Counted) -> None:
    make, calls = counted
    remembered("a", (), lambda: [0])
    with remembering(fresh=True) as session, remembering() as inner:
        assert inner is session
        assert remembered("a", (), make) == [1, 2, 3]
    assert remembered("a", (), make) == [1, 2, 3]
    assert len(calls) == 1


def test_off_keeps_nothing(folder: Path, counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "off")
    make, calls = counted
    for _ in range(2):
        remembered("a", (), make)
    assert user_folder() is None
    assert len(calls) == 2
    assert not folder.exists()


def test_the_folder_is_the_users_alone(folder: Path) -> None:
    assert user_folder() == folder
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_a_folder_that_others_may_write_to_is_not_used(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    assert user_folder() is None


def test_a_folder_of_someone_else_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert user_folder() == folder
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    monkeypatch.setenv(VARIABLE, str(folder))
    assert user_folder() is None


def test_a_file_in_the_place_of_the_folder_is_no_memory(folder: Path, counted: Counted) -> None:
    folder.write_text("mine", encoding="utf-8")
    assert remembered("a", (), counted[0]) == [1, 2, 3]
    assert folder.read_text(encoding="utf-8") == "mine"


def test_without_a_variable_it_is_in_the_users_caches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    expected = {"linux": tmp_path / "cleanhub"}
    assert sys.platform not in expected or user_folder() == expected[sys.platform]


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 500, "cut", "flipped"])
def test_a_broken_file_is_made_anew(folder: Path, counted: Counted, damage: bytes | str) -> None:
    make, calls = counted
    remembered("a", (), make)
    [path] = files(folder)
    whole = path.read_bytes()
    if damage == "cut":
        path.write_bytes(whole[:-1])
    elif damage == "flipped":
        path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
    else:
        path.write_bytes(damage)  # type: ignore[arg-type]
    assert remembered("a", (), make) == [1, 2, 3]
    assert path.read_bytes() == whole
    assert len(calls) == 2


def test_a_folder_in_the_place_of_a_file_is_no_fault(folder: Path, counted: Counted) -> None:
    make, calls = counted
    remembered("a", (), make)
    [path] = files(folder)
    path.unlink()
    path.mkdir()
    assert remembered("a", (), make) == [1, 2, 3]
    assert len(calls) == 2


def test_many_at_once_get_whole_values(folder: Path) -> None:
    big = np.arange(200_000)

    def ask(number: int) -> int:
        found = Memory(folder).value("big", (number % 3,), lambda: big + number % 3)
        return int(found.sum() - big.sum())

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(ask, range(60)))
    assert told == [len(big) * (number % 3) for number in range(60)]
    assert not [path for path in files(folder) if "." in path.name]


def test_what_was_used_longest_ago_leaves_first(folder: Path) -> None:
    for number in range(4):
        remembered("step", (number,), lambda: b"x" * 1000)
        [newest] = [path for path in files(folder) if path.stat().st_mtime > time.time() - 100]
        os.utime(newest, (number + 1, number + 1))
    remembered("step", (0,), lambda: b"")  # used now
    size = files(folder)[0].stat().st_size
    assert prune(folder, 2 * size) == 2 * size
    with remembering() as session:
        for number in (0, 3):
            remembered("step", (number,), lambda: b"")
    assert session.made == []


def test_it_is_pruned_when_it_grows_too_large(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST", 10_000)
    store = Memory(folder)
    folder.mkdir(mode=0o700)
    for number in range(30):
        store.value("step", (number,), lambda: b"x" * 1000)
        assert sum(path.stat().st_size for path in files(folder)) <= 10_000


def test_every_file_of_the_package_counts_but_those_that_are_inputs(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "hubs").mkdir()
    (tmp_path / "room" / "a.py").write_text("a = 1", encoding="utf-8")
    before = package_digest(tmp_path)
    (tmp_path / "hubs" / "drivers.csv").write_text("x", encoding="utf-8")
    assert package_digest(tmp_path) == before
    (tmp_path / "room" / "a.py").write_text("a = 2", encoding="utf-8")
    assert package_digest(tmp_path) != before


def test_another_process_remembers_too(folder: Path, tmp_path: Path) -> None:
    code = (
        "import pathlib\n"
        "from cleanhub.core import memory\n"
        "from cleanhub.core.memory import remembered, remembering\n"
        f"memory.PACKAGE = pathlib.Path({str(tmp_path / 'code')!r})  # whoever edits it meanwhile\n"
        "with remembering() as session:\n"
        "    remembered('step', ({'x', 'y'},), lambda: 1)\n"
        "print(session.recalled, session.made)"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    ]
    assert told == ["[] ['step']", "['step'] []"]


def test_of_many_values_those_that_are_not_remembered_are_made_together(folder: Path) -> None:
    asked: list[list[int]] = []

    def make(missing: list[int]) -> list[int]:
        asked.append(missing)
        return [10 * at for at in missing]

    with remembering() as session:
        assert remembered_each("tens", [(0,), (1,)], make) == [0, 10]
        assert remembered_each("tens", [(0,), (5,), (1,), (6,)], make) == [0, 10, 10, 30]
        assert remembered_each("tens", [(6,), (5,)], make) == [30, 10]
        assert remembered_each("tens", [], make) == []
        assert (session.made, session.recalled) == (["tens"], ["tens"])
    assert asked == [[0, 1], [1, 3]]
