"""Every schema that was released upgrades with its data; the declared schema is the one migrations make."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory

from cleanhub.core.errors import RunError
from cleanhub.register import database
from cleanhub.register.backup import contents, restore
from cleanhub.register.database import VERSION_TABLE, head, migrate
from cleanhub.register.models import KINDS, metadata
from cleanhub.register.store import Register

MIGRATIONS = Path(database.__file__).parent / "migrations"
STEPS = list(ScriptDirectory(str(MIGRATIONS)).walk_revisions())
RELEASED = sorted((Path(__file__).parent / "released").glob("*.sql"))


def load(dump: Path, path: Path) -> Path:
    with sqlite3.connect(path) as connection:
        connection.executescript(dump.read_text(encoding="utf-8"))
    connection.close()
    return path


def test_there_is_a_dump_of_every_released_schema() -> None:
    versions = MIGRATIONS / "versions"
    assert {path.stem for path in RELEASED} == {path.stem[:4] for path in versions.glob("[0-9]*.py")}


@pytest.mark.parametrize("dump", RELEASED, ids=lambda path: path.stem)
@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_a_released_schema_upgrades_with_its_data(
    dump: Path, target: str, tmp_path: Path, new_url: Callable[[str], str]
) -> None:
    path = load(dump, tmp_path / "old.db")
    with sqlite3.connect(path) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        before = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}
        texts = {row[0] for row in connection.execute("SELECT name FROM project")}
    connection.close()
    del before[VERSION_TABLE]
    assert min(before.values()) > 0, "a table of the dump is empty: its upgrade is not tested"
    if target == "sqlite":
        url = str(path)
        assert migrate(url) == (dump.stem, head())
    else:
        url = new_url(target)
        restore(path, url)
    with Register.open(url) as register:
        found = contents(register)
        assert {name: found.rows[name] for name in before} == before
        assert found.schema == head()
        assert register.replay() == []
        assert {record["name"] for record in register.find("project", withdrawn=None)} == texts
        for kind in KINDS:
            for record in register.find(kind, withdrawn=None):
                assert register.history(kind, record.id)[-1].version == record.version


def test_the_declared_schema_is_the_one_that_migrations_make(register: Register) -> None:
    with register.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_object": lambda _, name, kind, *rest: (kind, name) != ("table", VERSION_TABLE),
            },
        )
        assert compare_metadata(context, metadata) == []


def test_migrating_what_is_up_to_date_changes_nothing(register: Register, url: str) -> None:
    before = contents(register)
    assert migrate(url) == (head(), head())
    assert contents(register) == before


def test_a_migration_that_fails_leaves_the_register_as_it_was(
    register: Register, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(register)

    def breaks(connection: sa.Connection, target: str = "head") -> None:
        connection.execute(sa.text("ALTER TABLE project ADD COLUMN colour TEXT"))
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
        raise RunError("broken halfway")

    monkeypatch.setattr(database, "upgrade", breaks)
    with pytest.raises(RunError, match="halfway"):
        migrate(url)
    assert contents(register) == before


def test_a_register_of_another_schema_is_not_opened(register: Register, url: str, tmp_path: Path) -> None:
    with register.transaction() as now:
        now.connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    for tried in (Register.open, migrate):
        with pytest.raises(RunError, match="use a later cleanhub"):
            tried(url)
    with pytest.raises(RunError, match="there is no register"):
        migrate(tmp_path / "none.db")


def test_an_older_register_asks_for_migrate(
    register: Register, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "head", lambda: "9000")
    with pytest.raises(RunError, match="upgrade it with migrate"):
        Register.open(url)


@pytest.mark.parametrize("step", STEPS, ids=[step.revision for step in STEPS])
def test_no_step_leads_back_and_says_what_to_do(step: Script) -> None:
    with pytest.raises(RunError, match="restore a backup"):
        step.module.downgrade()
