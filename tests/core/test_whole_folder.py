"""Folders and files that are there whole or not at all; what killed writers do to them is in tests/fuzz."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanhub.core import whole_folder as module
from cleanhub.core.errors import RunError
from cleanhub.core.json_file import parse_json
from cleanhub.core.whole_file import write_file
from cleanhub.core.whole_folder import whole_folder


@pytest.mark.parametrize("at_once", [True, False])
def test_a_folder_takes_the_place_of_another(
    tmp_path: Path, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not at_once:
        monkeypatch.setattr(module, "_exchanged", lambda one, other: False)
    for number in range(3):
        with whole_folder(tmp_path / "made") as growing:
            (growing / f"{number}.txt").write_text("x")
        assert [path.name for path in (tmp_path / "made").iterdir()] == [f"{number}.txt"]
        assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_what_a_writer_left_is_cleared_and_what_grows_is_not(tmp_path: Path) -> None:
    (tmp_path / ".made.0123abcd.writing").mkdir()
    (tmp_path / ".made.of-mine.writing").mkdir()
    with whole_folder(tmp_path / "made") as first:
        assert not (tmp_path / ".made.0123abcd.writing").exists()
        with whole_folder(tmp_path / "made"):
            assert first.is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".made.of-mine.writing", "made"]


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "made").symlink_to(tmp_path / "far")
    with whole_folder(tmp_path / "made") as growing:
        (growing / "a").write_text("x")
    assert (tmp_path / "made").is_symlink()
    assert (tmp_path / "far" / "a").is_file()


def test_a_file_that_cannot_be_written_is_named_and_the_old_one_stays(tmp_path: Path) -> None:
    write_file(tmp_path / "a.txt", "one")
    write_file(tmp_path / "a.txt", b"two")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", tmp_path / "nowhere" / "a.txt"):
        with pytest.raises(RunError, match=f"{path} cannot be written"):
            write_file(path, "three")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "folder"]
    assert (tmp_path / "a.txt").read_text() == "two"


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "9" * 5000, '"\\ud800"', "nothing"])
def test_whatever_is_wrong_with_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)
