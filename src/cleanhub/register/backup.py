"""A register into one file and back, whole, while others go on writing.

A backup is itself a register: an SQLite file of the same schema, whichever database it was made from. So it
can be opened, read and checked like any other, and restored to either database. It is written beside its
place and moved there when it is complete and was compared with what was read: never half a backup.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from cleanhub.core.errors import RunError
from cleanhub.register.database import (
    VERSION_TABLE,
    database_url,
    known_revision,
    make_engine,
    reachable,
    revision,
    shown,
    transaction,
    upgrade,
)
from cleanhub.register.events import canonical
from cleanhub.register.store import Register

_BLOCK = 500  # rows copied at once


@dataclass(frozen=True)
class Contents:
    """What a register holds: its schema, the rows of each table, a hash over every cell.

    Two registers with the same contents hold the same, on whichever database.
    """

    schema: str
    rows: dict[str, int]
    digest: str


def contents(register: Register) -> Contents:
    """What the register holds at this moment."""
    with transaction(register.engine, "read") as connection:
        return _contents(connection)


def backup(register: Register, path: str | Path, overwrite: bool = False) -> Contents:
    """Write the register as it stands at one moment to the file ``path``; returns what it holds.

    Raises ``RunError`` where the file is there already (unless ``overwrite``) or cannot be written.
    """
    target = Path(path)
    _refuse_file(target, overwrite)
    _refuse_itself(register, target)
    with _beside(target) as made:
        if register.is_file:
            _copy_file(Path(str(register.engine.url.database)), made)
            held = _contents_of(made)
        else:
            with transaction(register.engine, "read") as source:
                _copy_rows(source, made, register.engine.url)
                held = _contents(source)
        _compare(held, _contents_of(made), "backup")
        _check_file(made)
    return held


def restore(path: str | Path, where: str | Path, overwrite: bool = False) -> Contents:
    """Make the register ``where`` (file or URL) from a backup, then upgrade it to the schema of this code.

    Returns what the backup holds. Raises ``RunError`` where there is a register already (unless
    ``overwrite``, which loses it), somebody has it open, or the backup is none; then nothing has changed.
    """
    source = Path(path)
    if not source.is_file():
        raise RunError(f"there is no backup {source}")
    url = database_url(where)
    _check_file(source)
    held = _contents_of(source)
    if url.get_backend_name() == "sqlite":
        target = Path(str(url.database))
        if target.exists() and target.samefile(source):
            raise RunError("the backup is the register itself")
        _refuse_file(target, overwrite)
        with _beside(target) as made:
            _copy_file(source, made)
            _compare(held, _contents_of(made), "restored register")
            _upgrade_file(made)
            _settle(target)
    else:
        _restore_server(source, url, held, overwrite)
    return held


# ---------------------------------------------------------------- rows and their hash


def _tables(connection: sa.Connection) -> list[sa.Table]:
    """The tables of the register as they are in this database: events first, then parents before children."""
    metadata = sa.MetaData()
    names = set(sa.inspect(connection).get_table_names())
    with contextlib.suppress(sa.exc.SAWarning):
        metadata.reflect(connection, only=lambda name, _: name in names)
    tables = [table for table in metadata.sorted_tables if table.name not in (VERSION_TABLE, "event")]
    ours = [table for table in tables if "version" in table.c and "withdrawn" in table.c]
    return [metadata.tables["event"], *ours]


def _contents(connection: sa.Connection) -> Contents:
    rows: dict[str, int] = {}
    digest = hashlib.sha256()
    for table in sorted(_tables(connection), key=lambda one: one.name):
        names = sorted(table.c.keys())
        truths = {name for name in names if isinstance(table.c[name].type, sa.Boolean)}
        lines = sorted(
            canonical([bool(row[name]) if name in truths else row[name] for name in names])
            for row in connection.execute(sa.select(table)).mappings()
        )
        rows[table.name] = len(lines)
        digest.update(canonical([table.name, names]).encode())
        for line in lines:
            digest.update(line.encode())
    return Contents(str(revision(connection)), rows, digest.hexdigest())


def _contents_of(path: Path) -> Contents:
    engine = make_engine(database_url(path))
    try:
        with reachable(engine.url), transaction(engine, "read") as connection:
            known_revision(connection, engine.url)
            return _contents(connection)
    finally:
        engine.dispose()


def _compare(wanted: Contents, found: Contents, what: str) -> None:
    if wanted != found:
        raise RunError(f"the {what} does not hold what was read: it was not kept")


def _copy_rows(source: sa.Connection, path: Path, url: sa.URL) -> None:
    """Every row of ``source`` into a new register at ``path``, of the same schema."""
    engine = make_engine(database_url(path))
    try:
        with transaction(engine, "write") as target:
            upgrade(target, known_revision(source, url))
            _insert(source, target)
    finally:
        engine.dispose()


def _insert(source: sa.Connection, target: sa.Connection) -> None:
    there = {table.name: table for table in _tables(target)}
    for table in _tables(source):
        found = source.execute(sa.select(table)).mappings()
        for block in found.partitions(_BLOCK):
            target.execute(sa.insert(there[table.name]), [dict(row) for row in block])


# ---------------------------------------------------------------- files


def _copy_file(source: Path, target: Path) -> None:
    """SQLite's online backup: a consistent copy, whoever writes meanwhile."""
    with (
        contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as read,
        contextlib.closing(sqlite3.connect(target)) as write,
    ):
        try:
            read.backup(write)
            write.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
        except sqlite3.Error as error:
            raise RunError(f"{source} cannot be copied: {error}") from error


def _settle(target: Path) -> None:
    """Leave nothing beside the file that is to be replaced: its log would be taken for the new one's."""
    if not target.exists():
        return
    with contextlib.closing(sqlite3.connect(target, timeout=2.0)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE")  # possible only while nobody else has it open
        except sqlite3.OperationalError as error:
            raise RunError(f"somebody has {target} open: {error}") from error
        except sqlite3.DatabaseError:
            return  # no database, so it has no log


def _upgrade_file(path: Path) -> None:
    engine = make_engine(database_url(path))
    try:
        with transaction(engine, "write") as connection:
            upgrade(connection)
    finally:
        engine.dispose()


def _check_file(path: Path) -> None:
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        ) as connection:
            found = connection.execute("PRAGMA integrity_check").fetchall()
    except UnicodeDecodeError as error:  # the words of SQLite quote what stands in a damaged schema
        raise RunError(f"{path} is damaged") from error
    except sqlite3.Error as error:
        raise RunError(f"{path} is no backup of a register: {error}") from error
    if found != [("ok",)]:
        raise RunError(f"{path} is damaged: {found[0][0]}")


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A file in the folder of ``target`` that takes its place at the end, or is removed on failure."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise RunError(f"{target} cannot be written: {error.strerror}") from error
    os.close(handle)
    made = Path(name)
    try:
        yield made
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.replace(target)
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            made.with_name(made.name + suffix).unlink(missing_ok=True)


def _refuse_file(target: Path, overwrite: bool) -> None:
    if target.exists() and not overwrite:
        raise RunError(f"{target} is there already: say overwrite to replace it")
    if target.is_dir():
        raise RunError(f"{target} is a folder")


def _refuse_itself(register: Register, target: Path) -> None:
    if register.is_file and target.exists() and target.samefile(str(register.engine.url.database)):
        raise RunError("a register cannot be its own backup")


# ---------------------------------------------------------------- PostgreSQL


def _restore_server(source: Path, url: sa.URL, held: Contents, overwrite: bool) -> None:
    """All of it in one transaction of the server: on failure it is as it was."""
    target, kept = make_engine(url), make_engine(database_url(source))
    try:
        with (
            reachable(url),
            transaction(kept, "read") as read,
            transaction(target, "write") as write,
        ):
            there = revision(write)
            if there is not None:
                if not overwrite and any(_contents(write).rows.values()):
                    raise RunError(f"{shown(url)} holds a register already: say overwrite to replace it")
                _drop(write)
            upgrade(write, held.schema)
            _insert(read, write)
            _compare(held, _contents(write), "restored register")
            upgrade(write)
    finally:
        target.dispose()
        kept.dispose()


def _drop(connection: sa.Connection) -> None:
    names = [table.name for table in _tables(connection)] + [VERSION_TABLE]
    quote = connection.dialect.identifier_preparer.quote
    connection.execute(sa.text(f"DROP TABLE {', '.join(quote(name) for name in names)} CASCADE"))
    for function in ("cleanhub_keep_event", "cleanhub_keep_record"):
        connection.execute(sa.text(f"DROP FUNCTION IF EXISTS {function}() CASCADE"))
