"""What the commands on the register share: which register, who writes and why, how refusals are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cleanhub.cli.output import out, print_json
from cleanhub.core.errors import Fault, FaultList, InputError

if TYPE_CHECKING:
    from cleanhub.hub.library import Library
    from cleanhub.register.errors import Conflict
    from cleanhub.register.events import Event, Record
    from cleanhub.register.hub_projects import Reader
    from cleanhub.register.store import Register
    from cleanhub.register.writing import Signature, Writer

DEFAULT_REGISTER = "cleanhub-register.sqlite"
"""The register of the working folder, where none is named."""


@dataclass(frozen=True)
class Session:
    """An open register, a hub of it (``from_folder``: named by its package), and who is at work."""

    register: Register
    hub: str
    user: str | None
    as_json: bool = False
    from_folder: bool = False

    @property
    def reader(self) -> Reader:
        """The register, or what the login may see of it."""
        return self.register if self.user is None else self.register.as_user(self.user)

    def id_of(self, name: str, kind: str = "project") -> str:
        """The identifier of a record: a project is known by its own id within the hub."""
        return f"{self.hub}:{name}" if kind in ("project", "gate") and not self._whole(name, kind) else name

    def _whole(self, name: str, kind: str) -> bool:
        return name.count(":") >= (1 if kind == "project" else 2)

    def get(self, name: str, kind: str = "project") -> Record:
        """The record of that name as it stands; one that is not for this login is not there."""
        from cleanhub.register.errors import NotFound

        known_kind(kind)
        try:
            source = self.register if self.user is None else self.register.as_user(self.user)
            return source.get(kind, self.id_of(name, kind))
        except NotFound as error:
            raise no_such(kind, name) from error

    @contextmanager
    def writing(self, by: str, reason: str, source: str = "") -> Iterator[Writer]:
        """Writes that are signed and committed together; refusals name the options of the command."""
        from cleanhub.register.errors import NotFound
        from cleanhub.register.writing import writing

        try:
            with writing(self.register, self.signature(by, reason, source)) as writer:
                yield writer
        except NotFound as error:
            raise no_such(error.kind, error.id) from error
        except InputError as error:
            raise InputError(error.what, [_as_option(fault) for fault in error.faults]) from error

    def signature(self, by: str, reason: str, source: str = "") -> Signature:
        """Who writes and why. Raises ``InputError`` naming the options that are missing."""
        from cleanhub.register.writing import Signature

        faults = FaultList()
        if not by.strip() and self.user is None:
            faults.add("--by", what="is empty", allowed="your name, or the variable CLEANHUB_BY")
        if not reason.strip():
            faults.add("--reason", what="is empty", allowed="why it changes")
        faults.raise_if_any("not signed")
        return Signature(self.user or by, reason, source, self.user)


def known_kind(kind: str) -> None:
    """Raise ``InputError`` naming the kinds there are, unless ``kind`` is one."""
    from cleanhub.register.checks import kind_table

    kind_table(kind)


def no_such(kind: str, name: str) -> InputError:
    """The error for a record that is not there, or not for this login."""
    faults = FaultList()
    allowed = "one that `cleanhub project list` shows" if kind == "project" else "the id of one"
    faults.add("register", what=f"no such {kind.replace('_', ' ')}", found=name, allowed=allowed)
    return InputError("not found", faults.faults)


def _as_option(fault: Fault) -> Fault:
    """What is wrong with the signature, by the option that gives it."""
    return (
        Fault(f"--{fault.column}", what=fault.what, found=fault.found, allowed=fault.allowed)
        if (fault.file == "event")
        else fault
    )


@contextmanager
def session(
    register: str | None,
    hub: str = "california",
    user: str | None = None,
    as_json: bool = False,
    create: bool = False,
    make_default: bool = False,
) -> Iterator[Session]:
    """Open the register; ``make_default`` makes that of the working folder if it is not there.

    A conflict ends the command with exit code 1, both versions told field by field.
    """
    from cleanhub.register.errors import Conflict
    from cleanhub.register.store import Register
    from cleanhub.register.table_import import ImportConflict

    where = register or DEFAULT_REGISTER
    name, library = _hub(hub)
    new = make_default and register is None and not Path(where).exists()
    with Register.open(where, create=create or new, library=library) as opened:
        if new and not as_json:
            out.print(f"made a new register: {where}", highlight=False, soft_wrap=True)
        try:
            yield Session(opened, name, user, as_json, library is not None)
        except (Conflict, ImportConflict) as error:
            if not as_json:
                raise
            found = error.conflicts if isinstance(error, ImportConflict) else ((None, error),)
            told = [{"row": row, **conflict_data(conflict)} for row, conflict in found]
            print_json({"error": "conflict", "conflicts": told})
            raise typer.Exit(1) from error


def _hub(hub: str) -> tuple[str, Library | None]:
    """Name of a hub, and the vocabularies of its package where a folder is named."""
    from cleanhub.hub.package import load_hub

    if Path(hub, "datapackage.json").is_file():
        loaded = load_hub(hub)
        return loaded.name, loaded.library
    return hub, None


def check_hub_name(now: Session) -> None:
    """Refuse a hub that is neither bundled nor in the register: most likely a slip of the pen."""
    from cleanhub.hub.package import list_hubs

    known = {*list_hubs(), *(record.hub for record in now.register.find("project", withdrawn=None))}
    if now.hub not in known and not now.from_folder:
        faults = FaultList()
        allowed = f"{', '.join(sorted(known))}, or the folder of a hub package"
        faults.add("--hub", what="no such hub", found=now.hub, allowed=allowed)
        raise InputError("hub not found", faults.faults)


def conflict_data(conflict: Conflict) -> dict[str, Any]:
    """A conflict as plain data: both versions, and every field that either side changed."""
    fields = [
        {"field": one.field, "was": one.base, "yours": one.yours, "theirs": one.theirs, "clash": one.clashes}
        for one in conflict.fields
    ]
    return {
        "kind": conflict.theirs.kind,
        "id": conflict.theirs.id,
        "read_version": conflict.read,
        "current_version": conflict.theirs.version,
        "fields": fields,
        "yours": conflict.yours,
        "theirs": conflict.theirs.fields,
        "since": [event.as_dict() for event in conflict.since],
    }


def given_fields(said: Sequence[str], kind: str, library: Library) -> dict[str, Any]:
    """Fields from FIELD=VALUE. Raises ``InputError`` for unknown fields and what is no number."""
    from cleanhub.register.import_cells import cell_value
    from cleanhub.register.import_columns import ReadColumn
    from cleanhub.register.models import KINDS

    known_kind(kind)
    faults, fields = FaultList(), {}
    names = KINDS[kind].names
    for text in said:
        name, sign, value = text.partition("=")
        name = name.strip()
        if not sign or name not in names:
            what = "no such field" if sign else "no value"
            faults.add(
                "--set", None, name, what=what, found=text, allowed=f"FIELD=VALUE, of {', '.join(names)}"
            )
            continue
        column = ReadColumn(name, name, "user")
        fields[name] = cell_value(value, column, kind, library, "--set", None, faults)
    faults.raise_if_any("not understood")
    return fields


def filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that were given: options left out are ``None``."""
    return {name: value for name, value in fields.items() if value is not None}


def shown(value: Any) -> str:
    """A value for people."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.10g}" if isinstance(value, float) else str(value)


def tell(now: Session, record: Record, did: str) -> None:
    """Tell what was written: the record and its version."""
    if now.as_json:
        print_json(record.as_dict())
        return
    name = record.kind.replace("_", " ")
    out.print(f"{name} {record.id} {did}, version {record.version}", highlight=False, markup=False)


def event_lines(events: Sequence[Event], whole: bool = False) -> list[str]:
    """Events in words: who did what when and why, field by field; ``whole`` names the record too."""
    lines = []
    for event in events:
        name = f"{event.kind} {event.id} " if whole else ""
        signed = f"{event.at[:19].replace('T', ' ')} {event.actor}: {event.reason}"
        origin = f" [{event.source}]" if event.source else ""
        mark = "" if event.basis == "asserted" else f" ({event.basis})"
        lines.append(f"{name}version {event.version} {event.action}{mark}, {signed}{origin}")
        if event.before:
            lines += [
                f"    {field}: {shown(event.before.get(field)) or 'empty'} -> {shown(value) or 'empty'}"
                for field, value in event.after.items()
            ]
    return lines
