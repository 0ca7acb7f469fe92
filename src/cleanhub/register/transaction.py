"""Reads and writes of a register that come about together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import sqlalchemy as sa

from cleanhub.core.errors import FaultList, RunError
from cleanhub.hub.library import Library
from cleanhub.hub.schema import PAST_FID, PROPOSED
from cleanhub.register.checks import checked, kind_table
from cleanhub.register.errors import Conflict, FieldChange, NotFound
from cleanhub.register.events import (
    ADDED,
    EDITED,
    FIRST,
    RESTORED,
    WITHDRAWN,
    Difference,
    Event,
    Record,
    at_version,
    rebuilt,
    sealed,
)
from cleanhub.register.models import DEFAULTS, EVENT, FIXED, KINDS, PARENTS, TABLES

LIVE = (*PROPOSED, *PAST_FID)
"""Stages in their order; the others (shelved, cancelled, closed) end or pause a project."""
BASES = ("asserted", "inferred")
"""Whether someone said so, or a rule concluded it."""


# made once: building a statement takes longer than running it
_BY_ID = {
    kind: sa.select(table).where(table.c.id == sa.bindparam("its_id")) for kind, table in TABLES.items()
}
_LOCKED = {kind: query.with_for_update() for kind, query in _BY_ID.items()}
_CHANGED = {
    kind: sa.update(table).where(
        table.c.id == sa.bindparam("its_id"), table.c.version == sa.bindparam("read_version")
    )
    for kind, table in TABLES.items()
}
_NEW_EVENT = sa.insert(EVENT)
_LAST_HASH = (
    sa.select(EVENT.c.hash)
    .where(EVENT.c.kind == sa.bindparam("its_kind"), EVENT.c.id == sa.bindparam("its_id"))
    .order_by(EVENT.c.version.desc())
    .limit(1)
)


class Setting(Protocol):
    """What a transaction takes from its register: the vocabularies, the clock, identifiers."""

    @property
    def library(self) -> Library:
        """The vocabularies that fields are checked against."""

    @property
    def clock(self) -> Callable[[], str]:
        """The time now, ISO 8601 in UTC."""

    @property
    def new_id(self) -> Callable[[], str]:
        """An identifier for a record that has none of its own."""


class Transaction:
    """Reads and writes that are committed together. Made by :meth:`Register.transaction`."""

    def __init__(self, register: Setting, connection: sa.Connection) -> None:
        self.register = register
        self.connection = connection

    # ------------------------------------------------------------ reading

    def get(self, kind: str, id: str) -> Record:
        """The record as it stands. Raises :class:`NotFound`."""
        return self._read(kind, id, lock=False)

    def find(self, kind: str, /, *, withdrawn: bool | None = False, **equal: Any) -> list[Record]:
        """Records of a kind whose fields equal those given, in the order of their identifiers.

        ``withdrawn`` false leaves out those set aside, true gives only those, ``None`` all. ``None``
        for a field asks for blank ones.
        """
        kind_table(kind)
        table = TABLES[kind]
        _known_fields(kind, equal, table)
        query = sa.select(table).order_by(table.c.id)
        for name, value in equal.items():
            query = query.where(table.c[name] == value)
        if withdrawn is not None:
            query = query.where(table.c.withdrawn == withdrawn)
        found = [_record(kind, row) for row in self.connection.execute(query).mappings()]
        return sorted(found, key=lambda record: record.id)  # PostgreSQL sorts by its locale

    def history(self, kind: str, id: str) -> list[Event]:
        """The events of one record, oldest first. Raises :class:`NotFound`."""
        kind_table(kind)
        query = sa.select(EVENT).where(EVENT.c.kind == kind, EVENT.c.id == id).order_by(EVENT.c.version)
        found = [Event.of_row(dict(row)) for row in self.connection.execute(query).mappings()]
        if not found:
            raise NotFound(kind, id)
        return found

    def replay(self) -> list[Difference]:
        """Where the rows are not what the events make of them; empty when all is well."""
        query = sa.select(EVENT).order_by(EVENT.c.kind, EVENT.c.id, EVENT.c.version)
        events = (Event.of_row(dict(row)) for row in self.connection.execute(query).mappings())
        state, differences = rebuilt(events)
        for kind, table in TABLES.items():
            for row in self.connection.execute(sa.select(table)).mappings():
                record = _record(kind, row)
                made = state.pop((kind, record.id), None)
                differences += _unlike(record, made)
        differences += [Difference(*key, "the record is missing") for key in sorted(state)]
        return sorted(differences, key=lambda one: (one.kind, one.id, one.what))

    # ------------------------------------------------------------ writing

    def check(
        self,
        kind: str,
        fields: Mapping[str, Any],
        faults: FaultList,
        file: str | None = None,
        row: int | None = None,
    ) -> dict[str, Any]:
        """What :meth:`add` would store, every fault recorded with ``file`` and ``row``; writes nothing."""
        clean = checked(
            kind,
            {**DEFAULTS.get(kind, {}), "withdrawn": False, **fields},
            self.register.library,
            faults,
            file=file,
            row=row,
        )
        self._link(kind, clean, faults, file or kind, row)
        key = kind_table(kind).key
        if key and all(clean.get(name) is not None for name in key if name != "project" or kind == "gate"):
            known = self._row(kind, _key_id(kind, clean), lock=False)
            if known is not None:
                state = " (withdrawn)" if known["withdrawn"] else ""
                found = ", ".join(str(clean[name]) for name in key)
                faults.add(
                    file or kind,
                    row,
                    "+".join(key),
                    what=f"duplicate {' + '.join(key)}",
                    found=f"{found}{state}",
                    allowed="each once: edit the one there is",
                )
        return clean

    def add(
        self,
        kind: str,
        fields: Mapping[str, Any],
        by: str,
        reason: str,
        source: str = "",
        basis: str = "asserted",
    ) -> Record:
        """Add a record; columns not given are blank or the kind's usual value.

        A project is private until it says otherwise, and belongs to ``by``. A record under another one
        (a gate, a step of an agreement) is about the same project and hub as that one. Raises
        ``InputError`` listing every fault.
        """
        faults = FaultList()
        fields = dict(fields)
        if kind == "project":
            fields.setdefault("owner", by)
        clean = self.check(kind, fields, faults)
        who = _signed(by, reason, source, basis, faults)
        faults.raise_if_any(f"{kind.replace('_', ' ')} not added")
        name = _key_id(kind, clean) if KINDS[kind].key else self.register.new_id()
        record = Record(kind, name, 1, clean)
        self._write(record, ADDED, {}, clean, FIRST, who)
        return record

    def edit(
        self,
        kind: str,
        id: str,
        version: int,
        changes: Mapping[str, Any],
        by: str,
        reason: str,
        source: str = "",
        basis: str = "asserted",
    ) -> Record:
        """Change fields of the record that was read at ``version``; returns it at its new version.

        Changes that change nothing write nothing. Raises :class:`Conflict` when ``version`` is not the
        latest, :class:`NotFound`, or ``InputError`` listing every fault.
        """
        kind_table(kind)
        current = self._read(kind, id, lock=True)
        faults = FaultList()
        clean = checked(kind, changes, self.register.library, faults, whole=False)
        who = _signed(by, reason, source, basis, faults)
        for name in sorted(FIXED[kind] & clean.keys()):
            base = current.fields[name]
            if clean[name] != base:
                what = "says what the record is of and cannot be changed"
                faults.add(kind, None, name, what=what, found=clean[name], allowed=str(base))
        self._known_parents(kind, current.fields | clean, faults, kind, None, clean.keys())
        faults.raise_if_any(f"{kind.replace('_', ' ')} {id} not changed")
        if version != current.version:
            raise self._conflict(current, version, clean)
        before = {name: current.fields[name] for name in clean if clean[name] != current.fields[name]}
        if not before:
            return current
        after = {name: clean[name] for name in before}
        action = EDITED
        if set(after) == {"withdrawn"}:
            action = WITHDRAWN if after["withdrawn"] else RESTORED
        record = Record(kind, id, version + 1, current.fields | after)
        self._write(record, action, before, after, self._last_hash(kind, id), who)
        return record

    def withdraw(
        self,
        kind: str,
        id: str,
        version: int,
        by: str,
        reason: str,
        source: str = "",
    ) -> Record:
        """Set a record aside: it stays, with its history, and no longer counts."""
        return self.edit(kind, id, version, {"withdrawn": True}, by, reason, source)

    def advance(
        self,
        project: str,
        stage: str,
        by: str,
        reason: str,
        source: str = "",
        basis: str = "asserted",
        version: int | None = None,
    ) -> Record:
        """Move a project on to a later stage, or shelve, cancel or close it.

        Without ``version`` the project is moved from where it stands. A step back, or on from a project
        that was cancelled or closed, is a correction: make it with :meth:`edit`.
        """
        current = self._read("project", project, lock=True)
        faults = FaultList()
        may_be = _next_stages(str(current["stage"]))
        if stage not in may_be:
            allowed = ", ".join(may_be) or "none: it has ended"
            what = f"does not follow {current['stage']}"
            faults.add("project", None, "stage", what=what, found=stage, allowed=allowed)
        faults.raise_if_any(f"project {project} not advanced")
        read = current.version if version is None else version
        return self.edit("project", project, read, {"stage": stage}, by, reason, source, basis)

    # ------------------------------------------------------------ inside

    def _row(self, kind: str, id: str, lock: bool) -> sa.RowMapping | None:
        query = _LOCKED[kind] if lock else _BY_ID[kind]
        return self.connection.execute(query, {"its_id": id}).mappings().one_or_none()

    def _read(self, kind: str, id: str, lock: bool) -> Record:
        kind_table(kind)
        row = self._row(kind, id, lock)
        if row is None:
            raise NotFound(kind, id)
        return _record(kind, row)

    def _link(self, kind: str, clean: dict[str, Any], faults: FaultList, file: str, row: int | None) -> None:
        """Take hub and project over from the record's parents; they must not contradict each other."""
        parents = self._known_parents(kind, clean, faults, file, row, PARENTS[kind])
        for name, parent in parents.items():
            if clean.get("hub") != parent.hub:
                what = f"is not the hub of {name} {parent.id}"
                faults.add(file, row, "hub", what=what, found=clean.get("hub"), allowed=parent.hub)
            if name in ("project", "actor") or parent.project is None:
                continue
            if clean.get("project") is None:
                clean["project"] = parent.project
            elif clean["project"] != parent.project:
                what = f"is not the project of {name} {parent.id}"
                faults.add(file, row, "project", what=what, found=clean["project"], allowed=parent.project)

    def _known_parents(
        self,
        kind: str,
        fields: Mapping[str, Any],
        faults: FaultList,
        file: str,
        row: int | None,
        names: Any,
    ) -> dict[str, Record]:
        found = {}
        for name in PARENTS[kind]:
            id_ = fields.get(name)
            if name not in names or id_ is None:
                continue
            parent = self._row(name, id_, lock=False)
            if parent is None:
                what = f"no such {name.replace('_', ' ')}"
                faults.add(file, row, name, what=what, found=id_, allowed="the id of one in the register")
            else:
                found[name] = _record(name, parent)
        return found

    def _last_hash(self, kind: str, id: str) -> str:
        return str(self.connection.execute(_LAST_HASH, {"its_kind": kind, "its_id": id}).scalar_one())

    def _write(
        self,
        record: Record,
        action: str,
        before: dict[str, Any],
        after: dict[str, Any],
        prev_hash: str,
        who: dict[str, str],
    ) -> None:
        """The event and the row it makes; the event first, as the triggers ask."""
        event = sealed(
            Event(
                record.kind,
                record.id,
                record.version,
                action,
                self.register.clock(),
                who["by"],
                before,
                after,
                who["reason"],
                who["source"],
                who["basis"],
                prev_hash,
                "",
            )
        )
        self.connection.execute(_NEW_EVENT, event.as_row())
        table = TABLES[record.kind]
        if action == ADDED:
            values = {"id": record.id, "version": 1, **record.fields}
            self.connection.execute(sa.insert(table), values)
            return
        where = {"its_id": record.id, "read_version": record.version - 1}
        values = {"version": record.version, **after}
        if self.connection.execute(_CHANGED[record.kind], where | values).rowcount != 1:
            # the row was locked, so this cannot be
            raise RunError(f"{record.kind} {record.id} changed under the lock: nothing was written")

    def _conflict(self, current: Record, version: int, changes: dict[str, Any]) -> Conflict:
        events = self.history(current.kind, current.id)
        base = at_version(events, version)
        names = {name for name in current.fields if base.get(name) != current.fields[name]}
        names |= {name for name in changes if changes[name] != base.get(name)}
        fields = tuple(
            FieldChange(name, base.get(name), changes.get(name, base.get(name)), current.fields[name])
            for name in current.fields
            if name in names
        )
        since = tuple(event for event in events if event.version > version)
        return Conflict(version, base | changes, current, fields, since)


def _record(kind: str, row: sa.RowMapping) -> Record:
    fields = {column.name: row[column.name] for column in KINDS[kind].columns}
    return Record(kind, str(row["id"]), int(row["version"]), fields)


def _key_id(kind: str, fields: Mapping[str, Any]) -> str:
    """The identifier of a record that has a key: its parts joined by colons."""
    if kind == "membership":
        project = fields.get("project")
        return ":".join([fields["hub"], fields["login"], *([project.split(":")[-1]] if project else [])])
    return ":".join(str(fields[name]) for name in KINDS[kind].key)


def _next_stages(stage: str) -> tuple[str, ...]:
    if stage in ("cancelled", "closed"):
        return ()
    if stage == "operating":
        return ("closed",)
    if stage == "shelved":
        return (*LIVE, "cancelled")
    return (*LIVE[LIVE.index(stage) + 1 :], "shelved", "cancelled")


def _signed(by: str, reason: str, source: str, basis: str, faults: FaultList) -> dict[str, str]:
    """Who writes and why, without which nothing is written."""
    for name, text in (("by", by), ("reason", reason)):
        if not str(text or "").strip():
            faults.add("event", None, name, what="is empty", allowed="who changes it, and why")
    for name, text in (("by", by), ("reason", reason), ("source", source)):
        if "\x00" in str(text) or any("\ud800" <= sign <= "\udfff" for sign in str(text)):
            faults.add("event", None, name, what="holds a character that no database keeps", allowed="text")
    if basis not in BASES:
        faults.add("event", None, "basis", what="no such basis", found=basis, allowed=", ".join(BASES))
    texts = {"by": by, "reason": reason, "source": source, "basis": basis}
    return {name: str(text).strip() for name, text in texts.items()}


def _known_fields(kind: str, equal: Mapping[str, Any], table: sa.Table) -> None:
    faults = FaultList()
    for name in equal:
        if name not in table.c:
            faults.add(kind, None, name, what="unknown column", allowed=", ".join(table.c.keys()))
    faults.raise_if_any("find")


def _unlike(record: Record, made: Record | None) -> list[Difference]:
    key = (record.kind, record.id)
    if made is None:
        return [Difference(*key, "there is no event of the record")]
    found = []
    if made.version != record.version:
        found.append(Difference(*key, "version", record.version, made.version))
    for name, value in record.fields.items():
        if made.fields.get(name) != value:
            found.append(Difference(*key, name, value, made.fields.get(name)))
    return found
