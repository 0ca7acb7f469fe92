"""Several writes together, by the owner of a register or by a login with its role; the latest events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from cleanhub.register.errors import NotFound
from cleanhub.register.events import Event, Record
from cleanhub.register.models import EVENT
from cleanhub.register.roles import Permissions
from cleanhub.register.store import Register
from cleanhub.register.transaction import Transaction


@dataclass(frozen=True)
class Signature:
    """What every write is signed with.

    Attributes
    ----------
    by
        Who writes; with a ``user`` that login takes its place.
    reason, source
        Why, and where it was seen.
    user
        The login whose role decides; ``None``: the owner of the register, who may do everything.
    """

    by: str
    reason: str
    source: str = ""
    user: str | None = None


class Writer(Protocol):
    """The writes of one signature within one transaction."""

    @property
    def now(self) -> Transaction:
        """The transaction."""

    def add(self, kind: str, fields: Mapping[str, Any], reason: str, source: str = "") -> Record:
        """Add a record."""

    def edit(
        self, kind: str, id: str, version: int, changes: Mapping[str, Any], reason: str, source: str = ""
    ) -> Record:
        """Change a record."""


@dataclass(frozen=True)
class Owner:
    """The owner of a register within a transaction: everything is allowed."""

    now: Transaction
    by: str

    def add(self, kind: str, fields: Mapping[str, Any], reason: str, source: str = "") -> Record:
        """See :meth:`Transaction.add`."""
        return self.now.add(kind, fields, self.by, reason, source)

    def edit(
        self, kind: str, id: str, version: int, changes: Mapping[str, Any], reason: str, source: str = ""
    ) -> Record:
        """See :meth:`Transaction.edit`."""
        return self.now.edit(kind, id, version, changes, self.by, reason, source)


@contextmanager
def writing(register: Register, signature: Signature) -> Iterator[Writer]:
    """Writes that are committed together, or not at all if anything is raised."""
    if signature.user is None:
        with register.transaction() as now:
            yield Owner(now, signature.by)
    else:
        with register.as_user(signature.user).transaction() as mine:
            yield mine


def latest_events(register: Register, count: int, user: str | None = None) -> list[Event]:
    """The latest events of a register, oldest first; for a ``user`` those of records it may see."""
    query = sa.select(EVENT).order_by(EVENT.c.at.desc(), EVENT.c.kind, EVENT.c.id, EVENT.c.version.desc())
    with register.transaction("read") as now:
        rows = now.connection.execute(query if user is not None else query.limit(count)).mappings()
        events = [Event.of_row(dict(row)) for row in rows]
        if user is not None:
            permissions = Permissions.read(now, user)
            seen: dict[tuple[str, str], bool] = {}
            kept: list[Event] = []
            for event in events:
                key = (event.kind, event.id)
                if key not in seen:
                    seen[key] = _sees(now, permissions, *key)
                if seen[key]:
                    kept.append(event)
                if len(kept) == count:
                    break
            events = kept
    return events[::-1]


def _sees(now: Transaction, permissions: Permissions, kind: str, id: str) -> bool:
    try:
        return permissions.sees(now.get(kind, id))
    except NotFound:
        return False
