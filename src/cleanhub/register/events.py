"""Records and events as values, the hash that chains events, and records rebuilt from events."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from cleanhub.core.errors import RunError

ADDED, EDITED, WITHDRAWN, RESTORED = "added", "edited", "withdrawn", "restored"
FIRST = ""  # the hash before the first event of a record


@dataclass(frozen=True)
class Record:
    """One record at one version. ``fields`` holds every column of its kind; ``None`` is blank."""

    kind: str
    id: str
    version: int
    fields: dict[str, Any]

    def __getitem__(self, field: str) -> Any:
        return self.fields[field]

    @property
    def hub(self) -> str:
        """Name of the hub."""
        return str(self.fields["hub"])

    @property
    def project(self) -> str | None:
        """The project it is about: itself, for a project; ``None`` for a record of the hub as a whole."""
        return self.id if self.kind == "project" else self.fields.get("project")

    def as_dict(self) -> dict[str, Any]:
        """Kind, id, version and all fields, for JSON. A field named ``kind`` is inside ``fields``."""
        return {"kind": self.kind, "id": self.id, "version": self.version, "fields": dict(self.fields)}


@dataclass(frozen=True)
class Event:
    """One version of one record: what changed, who did it, when, why, from which source.

    ``before`` and ``after`` hold the changed fields only (for ``added``: nothing, and all fields).
    ``basis`` is ``asserted`` (someone said so) or ``inferred`` (a rule concluded it). ``hash`` covers all
    the rest and ``prev_hash``, the hash of the record's event before.
    """

    kind: str
    id: str
    version: int
    action: str
    at: str
    actor: str
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str
    source: str
    basis: str
    prev_hash: str
    hash: str

    def as_row(self) -> dict[str, Any]:
        """The row of table ``event``."""
        row = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**row, "before": canonical(self.before), "after": canonical(self.after)}

    def as_dict(self) -> dict[str, Any]:
        """All fields, for JSON."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Event:
        """An event from its row of the database; :class:`RunError` where its content is damaged."""
        try:
            content = {name: json.loads(row[name]) for name in ("before", "after")}
        except ValueError as error:  # bytes that changed on the disk
            raise RunError(f"an event of the register is damaged ({error}): use a backup") from error
        return cls(**{**row, **content})


def canonical(value: Any) -> str:
    """``value`` as JSON that is the same, character for character, wherever it is written."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def event_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 of an event's row, all columns but ``hash`` itself, as hexadecimal digits."""
    content = {name: value for name, value in row.items() if name != "hash"}
    return hashlib.sha256(canonical(content).encode("ascii")).hexdigest()


def sealed(event: Event) -> Event:
    """The event with its hash."""
    row = event.as_row()
    return Event.of_row({**row, "hash": event_hash(row)})


@dataclass(frozen=True)
class Difference:
    """One place where the rows and the events of a register disagree."""

    kind: str
    id: str
    what: str
    row: Any = None
    events: Any = None


def rebuilt(events: Iterable[Event]) -> tuple[dict[tuple[str, str], Record], list[Difference]]:
    """The records that the events make, in order of kind, id and version, and the breaks in the chain."""
    state: dict[tuple[str, str], Record] = {}
    last: dict[tuple[str, str], str] = {}
    breaks: list[Difference] = []
    for event in events:
        key = (event.kind, event.id)
        known = state.get(key)
        expected = known.version + 1 if known else 1
        if event.version != expected:
            breaks.append(Difference(*key, "an event is missing", expected, event.version))
        if event.prev_hash != last.get(key, FIRST) or event.hash != event_hash(event.as_row()):
            breaks.append(Difference(*key, f"the event of version {event.version} was tampered with"))
        old = known.fields if known else {}
        wrong = sorted(name for name, value in event.before.items() if old.get(name) != value)
        if wrong:
            breaks.append(
                Difference(*key, f"version {event.version} does not follow from the one before: {wrong}")
            )
        state[key] = Record(*key, event.version, {**old, **event.after})
        last[key] = event.hash
    return state, breaks


def at_version(events: Iterable[Event], version: int) -> dict[str, Any]:
    """The fields of one record as they stood at ``version``, from its events, oldest first."""
    state: dict[str, Any] = {}
    for event in events:
        if event.version <= version:
            state |= event.after
    return state
