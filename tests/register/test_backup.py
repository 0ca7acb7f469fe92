"""A backup is whole or not there; a restored register holds what was backed up."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cleanhub.core.errors import RunError
from cleanhub.register.backup import backup, contents, restore
from cleanhub.register.store import Register

from .test_store import SIGNED, fill


@pytest.fixture
def whole(ready_url: Callable[[str], str], project: dict[str, Any], tmp_path: Path) -> Path:
    """A backup of a register with one project."""
    with Register.open(ready_url("sqlite")) as register:
        register.add("project", project, **SIGNED)
        backup(register, tmp_path / "whole.db")
    return tmp_path / "whole.db"


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_a_register_comes_back_equal_on_either_database(
    register: Register, project: dict[str, Any], tmp_path: Path, new_url: Callable[[str], str], target: str
) -> None:
    made = fill(register, project)
    register.edit("project", made["project"].id, 1, {"capex_usd": 1 / 3, "city": "Añasco 🜨"}, **SIGNED)
    held = backup(register, tmp_path / "backup.db")
    assert held == contents(register)
    assert held.rows["event"] == len(made) + 1
    with Register.open(tmp_path / "backup.db") as readable:
        assert readable.get("project", made["project"].id)["city"] == "Añasco 🜨"
    url = new_url(target)
    assert restore(tmp_path / "backup.db", url) == held
    with Register.open(url) as again:
        assert contents(again) == held
        assert again.replay() == []
        after = again.edit("project", made["project"].id, 2, {"capex_usd": 5.0}, "bob", "a quote")
        assert after.version == 3
        assert contents(again) != held
    with pytest.raises(RunError, match="already"):
        restore(tmp_path / "backup.db", url)
    assert restore(tmp_path / "backup.db", url, overwrite=True) == held
    with Register.open(url) as again:
        assert contents(again) == held


def test_nothing_is_overwritten_unless_told(
    register: Register, project: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "backup.db"
    path.write_text("dear diary")
    with pytest.raises(RunError, match="is there already"):
        backup(register, path)
    assert path.read_text() == "dear diary"
    register.add("project", project, **SIGNED)
    assert backup(register, path, overwrite=True).rows["project"] == 1
    assert backup(register, path, overwrite=True) == contents(register)
    assert sorted(one.name for one in tmp_path.iterdir() if "backup" in one.name) == ["backup.db"]


def test_a_register_is_not_its_own_backup(ready_url: Callable[[str], str]) -> None:
    url = ready_url("sqlite")
    with Register.open(url) as register, pytest.raises(RunError, match="its own backup"):
        backup(register, url, overwrite=True)
    with pytest.raises(RunError, match="the register itself"):
        restore(url, url, overwrite=True)


def test_a_damaged_or_foreign_file_is_refused_and_changes_nothing(
    ready_url: Callable[[str], str], project: dict[str, Any], tmp_path: Path
) -> None:
    url = ready_url("sqlite")
    with Register.open(url) as register:
        register.add("project", project, **SIGNED)
        before = contents(register)
        whole = tmp_path / "whole.db"
        backup(register, whole)
    torn = tmp_path / "torn.db"
    torn.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    text = tmp_path / "text.db"
    text.write_text("no database " * 100)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE project (id TEXT)")
    for path in (torn, text, other, tmp_path / "none.db"):
        with pytest.raises(RunError):
            restore(path, url, overwrite=True)
    with Register.open(url) as register:
        assert contents(register) == before


@pytest.mark.parametrize(("column", "text"), [("capex_usd", b"a lot"), ("name", b"\xff\xfe")])
def test_values_that_their_column_cannot_hold_are_damage_and_no_traceback(
    whole: Path, tmp_path: Path, column: str, text: bytes
) -> None:
    with sqlite3.connect(whole) as connection:  # past triggers and types, as bytes change on a disk
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(f"UPDATE project SET {column} = CAST(? AS TEXT)", (text,))
        for _, made in triggers:
            connection.execute(made)
        connection.execute("PRAGMA writable_schema = on")
        other = "replace(sql, 'capex_usd DOUBLE', 'capex_usd NUMBER')"
        connection.execute(f"UPDATE sqlite_master SET sql = {other} WHERE name = 'project'")
    with pytest.raises(RunError, match=r"whole\.db cannot be opened: (it is damaged|Could not decode)"):
        restore(whole, tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()


def test_a_damaged_schema_is_no_traceback(whole: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.db"
    torn.write_bytes(whole.read_bytes().replace(b"CREATE TABLE project", b"CREATE \xffABLE project"))
    with pytest.raises(RunError, match="cannot be opened"):
        Register.open(torn)
    with pytest.raises(RunError, match=r"torn\.db is damaged"):
        restore(torn, tmp_path / "new.db")


def test_an_error_of_the_caller_is_not_taken_for_damage(register: Register) -> None:
    with pytest.raises(TypeError, match="mine"), register.transaction():
        raise TypeError("mine")


def test_a_register_that_somebody_has_open_is_not_replaced(
    ready_url: Callable[[str], str], project: dict[str, Any], tmp_path: Path
) -> None:
    url = ready_url("sqlite")
    with Register.open(url) as register:
        backup(register, tmp_path / "backup.db")
        register.add("project", project, **SIGNED)
        with pytest.raises(RunError, match="somebody has"):
            restore(tmp_path / "backup.db", url, overwrite=True)
        assert len(register.find("project")) == 1
    restore(tmp_path / "backup.db", url, overwrite=True)
    with Register.open(url) as register:
        assert register.find("project") == []


def test_a_failed_backup_leaves_no_file(register: Register, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be written"):
        backup(register, tmp_path / "none" / "backup.db")
    with pytest.raises(RunError):
        backup(register, tmp_path, overwrite=True)


def test_contents_tell_any_cell_apart(ready_url: Callable[[str], str], project: dict[str, Any]) -> None:
    def opened() -> Register:
        return Register.open(ready_url("sqlite"), clock=lambda: "2026-01-01T00:00:00+00:00")

    with opened() as one, opened() as other:
        one.add("project", project, **SIGNED)
        other.add("project", project, **SIGNED)
        assert contents(one) == contents(other)
        one.edit("project", "california:T-1", 1, {"city": "Colton"}, **SIGNED)
        other.edit("project", "california:T-1", 1, {"city": "Coltan"}, **SIGNED)
        assert contents(one).rows == contents(other).rows
        assert contents(one).digest != contents(other).digest
