"""What can stop a write: somebody was faster, the record is not there, the role does not allow it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cleanhub.core.errors import CleanhubError, RunError

if TYPE_CHECKING:
    from cleanhub.register.events import Event, Record


class NotFound(CleanhubError):
    """There is no such record, or it is not for this reader: the two cannot be told apart."""

    def __init__(self, kind: str, id: str) -> None:
        self.kind, self.id = kind, id
        super().__init__(f"there is no {kind.replace('_', ' ')} {id}")


class Busy(RunError):
    """The database could not take the write now (a lock, two writers in a circle): it can be tried again."""


class Refused(CleanhubError):
    """The role of this login does not allow the action; ``because`` says why."""

    def __init__(self, because: str) -> None:
        self.because = because
        super().__init__(f"refused: {because}")


def refuse_downgrade() -> None:
    """The step back of every schema version: there is none, since it would lose what was recorded since.

    Raises ``RunError`` with what to do instead.
    """
    raise RunError("a register is never downgraded: restore a backup that was made before it was upgraded")


@dataclass(frozen=True)
class FieldChange:
    """One field in a conflict: as it was when you read it, as you want it, as it stands now."""

    field: str
    base: Any
    yours: Any
    theirs: Any

    @property
    def clashes(self) -> bool:
        """Whether both sides changed the field, to different values."""
        return self.base not in (self.yours, self.theirs) and self.yours != self.theirs


class Conflict(CleanhubError):
    """An edit of a version that is no longer the latest. Nothing was written.

    Attributes
    ----------
    yours
        All fields of the record as your edit would have left it.
    theirs
        The record as it stands.
    fields
        One :class:`FieldChange` for each field that either side changed.
    since
        The events since the version you read, oldest first.
    """

    def __init__(
        self,
        read: int,
        yours: Mapping[str, Any],
        theirs: Record,
        fields: tuple[FieldChange, ...],
        since: tuple[Event, ...],
    ) -> None:
        self.read = read
        self.yours = dict(yours)
        self.theirs = theirs
        self.fields = fields
        self.since = since
        super().__init__(self.message())

    @property
    def clashes(self) -> tuple[FieldChange, ...]:
        """The fields that both sides changed to different values."""
        return tuple(field for field in self.fields if field.clashes)

    def merged(self) -> dict[str, Any]:
        """Your changes that clash with none of theirs: what can be written on top of their version."""
        return {
            field.field: field.yours
            for field in self.fields
            if not field.clashes and field.yours not in (field.base, field.theirs)
        }

    def message(self) -> str:
        """Who changed what meanwhile, field by field."""
        record = self.theirs
        name = f"{record.kind.replace('_', ' ')} {record.id}"
        lines = [f"{name} has changed: you read version {self.read}, it is at version {record.version}"]
        lines += [
            f"  version {event.version} by {event.actor} at {event.at}: {event.reason}"
            for event in self.since
        ]
        lines += [
            f"  {field.field}: was {field.base!r}, yours {field.yours!r}, theirs {field.theirs!r}"
            f"{' (clash)' if field.clashes else ''}"
            for field in self.fields
        ]
        return "\n".join(lines)
