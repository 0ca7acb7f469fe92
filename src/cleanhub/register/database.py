"""The database under a register: where it is, how it is opened, which schema it has, how it is upgraded.

SQLite is opened with a write-ahead log, ``synchronous=FULL`` (a commit is on the disk before it is
confirmed) and foreign keys on; a transaction that writes begins with ``BEGIN IMMEDIATE``, so that it waits
for its turn at the start and not halfway. PostgreSQL is opened through psycopg 3.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from cleanhub.core.errors import FaultList, InputError, RunError

VERSION_TABLE = "register_version"
BUSY_SECONDS = 60.0
_LOCK = 0x636C6E68  # "clnh": the advisory lock under which a PostgreSQL register changes its schema
_NO_LOG = ("unable to open database file", "disk I/O error", "readonly database")
Mode = Literal["read", "write"]


def database_url(where: str | Path) -> sa.URL:
    """The URL of a register given as a path of an SQLite file, or as a URL of SQLite or PostgreSQL."""
    text = str(where)
    faults = FaultList()
    if "://" not in text:
        return sa.URL.create("sqlite", database=text)
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        # the address may hold a password, so it is not shown
        faults.add("register", what="not a database address", allowed="a file, or postgresql://host/database")
        raise InputError("register", faults.faults) from None
    backend = url.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite" or not url.database or url.database == ":memory:":
        allowed = "a file, or postgresql://host/database"
        faults.add("register", what="not a database of the register", found=url.drivername, allowed=allowed)
        raise InputError("register", faults.faults)
    return url.set(drivername="sqlite")


def make_engine(url: sa.URL) -> sa.Engine:
    """An engine whose connections keep the promises of this module. Nothing is opened yet."""
    if url.get_backend_name() != "sqlite":
        try:
            return sa.create_engine(url, pool_pre_ping=True)
        except ModuleNotFoundError as error:
            raise RunError("PostgreSQL needs the driver psycopg: pip install 'cleanhub[postgres]'") from error
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin in _begin, nowhere else
    for pragma in ("foreign_keys=ON", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("register_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def transaction(engine: sa.Engine, mode: Mode) -> Iterator[sa.Connection]:
    """A connection within one transaction: committed at the end, rolled back if anything is raised.

    A ``read`` sees the database as it stood at one moment throughout.
    """
    with engine.connect() as connection:
        options: dict[str, Any] = {"register_writes": mode == "write"}
        if mode == "read" and engine.dialect.name == "postgresql":
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with connection.execution_options(**options).begin():
            yield connection


def shown(url: sa.URL) -> str:
    """The address without its password, for messages."""
    return (
        str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    )


# ---------------------------------------------------------------- the schema and its versions


def head() -> str:
    """The schema version that this code reads and writes."""
    return _revisions()[0]


@cache
def _revisions() -> tuple[str, ...]:
    """All schema versions that this code knows, the latest first."""
    from alembic.script import ScriptDirectory

    return tuple(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def revision(connection: sa.Connection) -> str | None:
    """The schema version of a database; ``None`` where there is no register in it."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()


def upgrade(connection: sa.Connection, target: str = "head") -> None:
    """Bring the schema up to ``target`` within the transaction that ``connection`` is in."""
    from alembic import command

    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, target)


def _config() -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(where: str | Path) -> tuple[str, str]:
    """Upgrade a register to the schema of this code; returns the version before and after.

    All of it is one transaction: if anything fails, the register is as it was. Raises ``RunError``
    where there is no register, or where it was made by a later version of cleanhub.
    """
    url = database_url(where)
    _must_exist(url)
    engine = make_engine(url)
    try:
        with reachable(url), transaction(engine, "write") as connection:
            before = known_revision(connection, url)
            upgrade(connection)
        return before, head()
    finally:
        engine.dispose()


def known_revision(connection: sa.Connection, url: sa.URL) -> str:
    """The schema version of a register, which must be one that this code knows."""
    found = revision(connection)
    if found is None:
        raise RunError(f"there is no register in {shown(url)}: make one with create")
    if found not in _revisions():
        raise RunError(
            f"{shown(url)} has schema {found}, which this version does not know: use a later cleanhub"
        )
    return found


def _must_exist(url: sa.URL) -> None:
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
        raise RunError(f"there is no register {shown(url)}: make one with create")


@contextmanager
def readable(otherwise: str) -> Iterator[None]:
    """Turns values that SQLAlchemy cannot read into a ``RunError`` with the words ``otherwise``.

    Bytes that changed on the disk may leave text in a column of numbers, a day that is none, or text
    that is no text: SQLite takes them, and the error comes from within SQLAlchemy as a row is read.
    """
    try:
        yield
    except UnicodeDecodeError as error:  # also the words of SQLite, which quote a damaged schema
        raise RunError(otherwise) from error
    except (TypeError, ValueError) as error:
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        if place is None or not str(place.tb_frame.f_globals.get("__name__")).startswith("sqlalchemy."):
            raise
        raise RunError(otherwise) from error


@contextmanager
def reachable(url: sa.URL) -> Iterator[None]:
    """Turns a database that cannot be reached, or a file that is none, into a ``RunError``."""
    try:
        with readable(f"the register {shown(url)} cannot be opened: it is damaged"):
            yield
    except (sa.exc.OperationalError, sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
        if isinstance(error, sa.exc.IntegrityError):
            raise
        cause = str(getattr(error, "orig", error)).strip().splitlines()[0]
        if any(words in cause for words in _NO_LOG):
            cause += " (a register keeps a log beside its file: it needs room and leave to write there)"
        raise RunError(f"the register {shown(url)} cannot be opened: {cause}") from error


def prepare(engine: sa.Engine, create: bool) -> None:
    """Make the schema where ``create`` allows it, and refuse one that is not this code's."""
    url = engine.url
    if not create:
        _must_exist(url)
    elif url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        if not path.parent.is_dir():
            raise RunError(f"there is no folder {path.parent} to make the register in")
    with reachable(url):
        if url.get_backend_name() == "sqlite":
            _write_ahead(engine)
        with transaction(engine, "read") as connection:
            found = revision(connection)
        if found is None and create:
            with transaction(engine, "write") as connection:
                if engine.dialect.name == "sqlite" and _foreign_tables(connection):
                    raise RunError(f"{shown(url)} is a database of something else")
                upgrade(connection)
            return
        with transaction(engine, "read") as connection:
            found = known_revision(connection, url)
    if found != head():
        raise RunError(
            f"{shown(url)} has schema {found}, this version needs {head()}: upgrade it with migrate"
        )


def _foreign_tables(connection: sa.Connection) -> bool:
    return bool(set(sa.inspect(connection).get_table_names())) and revision(connection) is None


def _write_ahead(engine: sa.Engine) -> None:
    raw = engine.raw_connection()  # the mode cannot be changed within a transaction
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA journal_mode")
        if cursor.fetchall() != [("wal",)]:
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.close()
    finally:
        raw.close()
