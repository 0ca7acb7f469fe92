"""The register: add, read, edit and withdraw records, each write with its event in one transaction.

:class:`Register` is a database; each of its methods is a transaction of its own, and
:meth:`Register.transaction` gives several reads and writes that are committed together. Who may do what is
the business of ``roles``: a register without a login is in the hands of its owner.
"""

from __future__ import annotations

import datetime as dt
import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Self, TypeVar

import sqlalchemy as sa

from cleanhub.core.errors import RunError
from cleanhub.hub.library import Library, load_library
from cleanhub.register.database import Mode, database_url, make_engine, prepare, readable, shown, transaction
from cleanhub.register.errors import Busy, Conflict
from cleanhub.register.transaction import Transaction

if TYPE_CHECKING:
    from cleanhub.register.roles import View

Result = TypeVar("Result")
Asked = ParamSpec("Asked")


def utc_now() -> str:
    """The time now as ISO 8601 in UTC: the one clock of the project."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")


def _alone(
    method: Callable[Concatenate[Transaction, Asked], Result], mode: Mode
) -> Callable[Concatenate[Register, Asked], Result]:
    """A method of :class:`Transaction` as one of :class:`Register`: in a transaction of its own."""

    @wraps(method)
    def called(register: Register, /, *args: Asked.args, **named: Asked.kwargs) -> Result:
        with register.transaction(mode) as now:
            return method(now, *args, **named)

    return called


class Register:
    """A register in an SQLite file or a PostgreSQL database. Open it with :meth:`open`.

    It reads and writes as :class:`Transaction` does, each call being a transaction of its own.
    """

    def __init__(
        self,
        engine: sa.Engine,
        clock: Callable[[], str] = utc_now,
        new_id: Callable[[], str] | None = None,
        library: Library | None = None,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.new_id = new_id or (lambda: secrets.token_hex(6))
        self._library = library

    @classmethod
    def open(
        cls,
        where: str | Path,
        create: bool = False,
        *,
        clock: Callable[[], str] = utc_now,
        new_id: Callable[[], str] | None = None,
        library: Library | None = None,
    ) -> Register:
        """Open the register at a path (SQLite) or URL (``postgresql://...``); ``create`` makes it if absent.

        ``clock`` gives the time of events, ``new_id`` the identifiers of records that have none of their
        own, ``library`` the vocabularies (the bundled library unless said otherwise). Raises ``RunError``
        when it is absent, unreachable or of another schema.
        """
        engine = make_engine(database_url(where))
        try:
            prepare(engine, create)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, clock, new_id, library)

    @property
    def library(self) -> Library:
        """The vocabularies that fields are checked against."""
        if self._library is None:
            self._library = load_library()
        return self._library

    @property
    def address(self) -> str:
        """Path or URL, without a password."""
        return shown(self.engine.url)

    @property
    def is_file(self) -> bool:
        """Whether it is an SQLite file."""
        return self.engine.dialect.name == "sqlite"

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self, mode: Mode = "write") -> Iterator[Transaction]:
        """Several reads and writes that are committed together, or not at all if anything is raised."""
        try:
            with (
                readable(f"the register {self.address} is damaged: use a backup"),
                transaction(self.engine, mode) as connection,
            ):
                yield Transaction(self, connection)
        except sa.exc.DBAPIError as error:
            if _passing(error):
                raise Busy(f"another writer was in the way: try again ({_cause(error)})") from error
            raise RunError(f"the register {self.address} failed: {_cause(error)}") from error

    def as_user(self, login: str | None) -> View:
        """The register as ``login`` may see and change it; ``None`` is a visitor, who sees what is public."""
        from cleanhub.register.roles import View

        return View(self, login)

    get = _alone(Transaction.get, "read")
    find = _alone(Transaction.find, "read")
    history = _alone(Transaction.history, "read")
    replay = _alone(Transaction.replay, "read")
    add = _alone(Transaction.add, "write")
    edit = _alone(Transaction.edit, "write")
    withdraw = _alone(Transaction.withdraw, "write")
    advance = _alone(Transaction.advance, "write")

    def retry(
        self, write: Callable[[], Result], attempts: int = 50, pause: Callable[[float], None] = time.sleep
    ) -> Result:
        """Call ``write``, which reads a record and edits it, until no other writer was in between.

        Only for changes that hold whatever the others wrote. Between two attempts it waits for a share, drawn
        anew, of :func:`longest_pause` (exponential backoff with full jitter): writers who met once wait for
        different times, so that they do not keep meeting. No result depends on that draw. ``pause`` is given
        the seconds. Raises the last :class:`Conflict` or :class:`Busy` after ``attempts``.
        """
        for attempt in range(attempts):
            try:
                return write()
            except (Conflict, Busy):
                if attempt == attempts - 1:
                    raise
                pause(random.random() * longest_pause(attempt))
        raise ValueError("attempts must be at least 1")


def longest_pause(attempt: int) -> float:
    """The longest wait after a failed attempt (0: the first) [s]: 1 ms, then twice as long, at most 0.1 s."""
    return float(min(0.001 * 2.0**attempt, 0.1))


def _cause(error: sa.exc.DBAPIError) -> str:
    text = str(error.orig).strip()
    return text.splitlines()[0] if text else type(error.orig).__name__


def _passing(error: sa.exc.DBAPIError) -> bool:
    """Whether the same write may succeed when tried again: a lock, a circle, the same key added twice."""
    state = getattr(error.orig, "sqlstate", None)
    text = str(error.orig)
    return state in ("40001", "40P01", "55P03", "23505") or any(
        sign in text for sign in ("database is locked", "UNIQUE constraint failed")
    )
