"""Import of records from a table: all of it or nothing, every fault and conflict told at once.

A row is a record. It is a known one when its identifier says so (a project's, a gate's project and gate,
the ``id`` of an export) or, for kinds without an identifier of their own, when all it says is what a record
says already. Of a known record only the columns of the file are changed. A ``version`` says which version
the row was made from: if the record has moved on and the row says something else, that is a conflict, shown
with both sides. A dry run does all of it and takes it back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cleanhub.core.errors import CleanhubError, Fault, FaultList, InputError
from cleanhub.register.checks import checked
from cleanhub.register.errors import Conflict, NotFound, Refused
from cleanhub.register.events import Record, at_version, canonical
from cleanhub.register.import_cells import cell_value
from cleanhub.register.import_columns import IMPORTED, Columns, ReadColumn, infer_columns, plain_name
from cleanhub.register.models import FIXED, KINDS
from cleanhub.register.sheets import Sheet, csv_text
from cleanhub.register.store import Register
from cleanhub.register.writing import Signature, Writer, writing


@dataclass(frozen=True)
class Change:
    """What a row does: the record's ``id``, its name for people, and each field from what to what."""

    row: int
    id: str
    title: str
    fields: dict[str, tuple[Any, Any]]


class ImportConflict(CleanhubError):
    """Rows made from versions that are no longer the latest; nothing was imported."""

    def __init__(self, file: str, conflicts: tuple[tuple[int, Conflict], ...]) -> None:
        self.conflicts = conflicts
        count = len(conflicts)
        lines = [f"{file} not imported: {count} conflict{'s' if count > 1 else ''}"]
        lines += [f"row {row}: {conflict}" for row, conflict in conflicts]
        super().__init__("\n".join(lines))


@dataclass
class ImportResult:
    """What an import did or, as a dry run or with faults, would have done.

    ``written`` says whether anything changed in the register. ``behind`` counts rows of an older version
    that say nothing new: they were left as the register has them.
    """

    kind: str
    sheet: Sheet
    columns: Columns
    added: list[Change] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    unchanged: int = 0
    behind: int = 0
    conflicts: list[tuple[int, Conflict]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    written: bool = False

    @property
    def bad_rows(self) -> list[int]:
        """The rows that have a fault or a conflict, in their order."""
        known = set(self.sheet.lines)
        rows = {fault.row or 0 for fault in self.faults} & known
        return sorted(rows | {row for row, _ in self.conflicts})

    def raise_if_any(self) -> None:
        """Raise ``InputError`` with every fault or else :class:`ImportConflict` with every conflict."""
        if self.faults:
            count = len(self.bad_rows)
            about = f", {count} bad row{'s' if count > 1 else ''}" if count else ""
            raise InputError(f"{self.sheet.name} not imported{about}", self.faults)
        if self.conflicts:
            raise ImportConflict(self.sheet.name, tuple(self.conflicts))

    def rows_to_fix(self) -> str:
        """The bad rows as CSV: the columns of the file, and ``fault``, which says what is wrong."""
        bad, words = set(self.bad_rows), _words_by_row(self)
        keep = [at for at, name in enumerate(self.sheet.columns) if name != "fault"]
        rows = [
            [*(cells[at] for at in keep), "; ".join(words.get(line, []))]
            for line, cells in zip(self.sheet.lines, self.sheet.rows, strict=True)
            if line in bad
        ]
        return csv_text([*(self.sheet.columns[at] for at in keep), "fault"], rows)


def _words_by_row(result: ImportResult) -> dict[int, list[str]]:
    words: dict[int, list[str]] = {}
    for fault in result.faults:
        if fault.row is not None:
            allowed = f" (allowed {fault.allowed})" if fault.allowed else ""
            place = f"{fault.column}: " if fault.column else ""
            words.setdefault(fault.row, []).append(f"{place}{fault.what}{allowed}")
    for row, conflict in result.conflicts:
        fields = [f"{one.field}: theirs {one.theirs!r}" for one in conflict.fields]
        text = f"changed meanwhile, now at version {conflict.theirs.version} ({'; '.join(fields)})"
        words.setdefault(row, []).append(text)
    return words


class _Undo(Exception):
    """Ends a transaction that is to leave nothing behind."""


def import_table(
    register: Register,
    sheet: Sheet,
    kind: str,
    hub: str,
    signature: Signature,
    *,
    said: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
    dry_run: bool = False,
    faults: FaultList | None = None,
) -> ImportResult:
    """Import the rows of ``sheet`` as records of ``kind``, all or none.

    Parameters
    ----------
    hub
        The hub of rows that name none.
    signature
        Who imports, why, from which source: kept with every change.
    said, constants
        Columns by field, and fields that are the same in every row: see ``infer_columns``.
    dry_run
        Do all of it and take it back.
    faults
        Faults of reading the file.

    Returns
    -------
    ImportResult
        Nothing was written where it has faults or conflicts: call its ``raise_if_any``.
    """
    _known_kind(kind)
    gathered = faults if faults is not None else FaultList()
    columns = infer_columns(sheet, kind, register.library, gathered, said, constants)
    result = ImportResult(kind, sheet, columns)
    try:
        with writing(register, signature) as writer:
            _import(writer, result, hub, signature, gathered, dry_run)
        result.written = bool(result.added or result.changed)
    except _Undo:
        pass
    result.faults = InputError("", gathered.faults).faults
    return result


def _known_kind(kind: str) -> None:
    if kind not in IMPORTED:
        faults = FaultList()
        faults.add("import", None, "kind", what="not imported", found=kind, allowed=", ".join(IMPORTED))
        raise InputError("import", faults.faults)


def _import(
    writer: Writer,
    result: ImportResult,
    hub: str,
    signature: Signature,
    faults: FaultList,
    dry_run: bool,
) -> None:
    rows = _Rows(writer, result, hub, signature, faults)
    for line, cells in zip(result.sheet.lines, result.sheet.rows, strict=True):
        rows.take(line, cells)
    rows.tell_absent()
    if faults.faults or result.conflicts or dry_run:
        raise _Undo


class _Rows:
    """The rows of one import, one after the other, against what the register holds."""

    def __init__(
        self, writer: Writer, result: ImportResult, hub: str, signature: Signature, faults: FaultList
    ) -> None:
        self.writer, self.result, self.hub, self.faults = writer, result, hub, faults
        self.signed = {"reason": signature.reason, "source": signature.source}
        self.kind, self.file = result.kind, result.sheet.name
        self.table = KINDS[self.kind]
        self.columns = result.columns.fields
        self.place = {name: result.sheet.columns.index(one.name) for name, one in self.columns.items()}
        known = writer.now.find(self.kind, withdrawn=None)
        self.known = {record.id: record for record in known}
        self.absent: set[str] = set()
        self.seen: dict[str, int] = {}
        self.said: dict[str, int] = {}
        self.alike = {_content(record.fields): record.id for record in known if not record["withdrawn"]}

    def tell_absent(self) -> None:
        """A field that new records need and no column gives is one fault, not one for each row."""
        for name in sorted(self.absent):
            what = f"no column found for {name} ({self.table.column(name).description})"
            allowed = "add it, say which column it is, or give it for all rows"
            self.faults.add(self.file, 1, name, what=what, allowed=allowed)

    def take(self, line: int, cells: tuple[Any, ...]) -> None:
        """Add or change the record of one row, or record what is wrong with it."""
        mark = len(self.faults.faults)
        fields, version = self._fields(line, cells)
        name = self._name(line, fields)
        if name and name in self.seen:
            what, row = "duplicate: the same record as an earlier row", self.seen[name]
            self.faults.add(self.file, line, None, what=what, found=name, allowed=f"once: see row {row}")
            return
        if name:
            self.seen[name] = line
        record = self.known.get(name) if name else None
        if record is not None and record["withdrawn"]:
            self.faults.add(
                self.file, line, None, what="the record was withdrawn", found=name, allowed="bring it back"
            )
        if record is None:
            self._add(line, fields, mark)
        else:
            self._change(line, record, fields, version, mark)

    # ------------------------------------------------------------ reading a row

    def _fields(self, line: int, cells: tuple[Any, ...]) -> tuple[dict[str, Any], int | None]:
        """The fields that the row gives, and the version it was made from."""
        library = self.writer.now.register.library
        fields: dict[str, Any] = {}
        for name, column in self.columns.items():
            fields[name] = cell_value(
                cells[self.place[name]], column, self.kind, library, self.file, line, self.faults
            )
        for name, value in self.result.columns.constants.items():
            if fields.get(name) is None:
                column = ReadColumn(name, name, "user")
                fields[name] = cell_value(value, column, self.kind, library, self.file, line, self.faults)
        fields["hub"] = fields.get("hub") or self.hub
        if self.kind == "project" and not fields.get("project_id") and fields.get("name"):
            fields["project_id"] = plain_name(str(fields["name"])).replace("_", "-")
        if self.kind == "project" and fields.get("project_id"):
            fields["project_id"] = str(fields["project_id"]).removeprefix(f"{fields['hub']}:")
        self._link(fields)
        version = fields.pop("version", None)
        if version is not None and version != round(version):
            self.faults.add(
                self.file, line, "version", what="no such version", found=version, allowed="a whole number"
            )
            version = None
        return fields, None if version is None else int(version)

    def _link(self, fields: dict[str, Any]) -> None:
        """A project and a gate by the names that people use: CA-001, and permit."""
        if self.kind == "project":
            return
        project = fields.get("project")
        if project and ":" not in str(project):
            fields["project"] = project = f"{fields['hub']}:{project}"
        gate = fields.get("gate")
        if self.kind == "evidence" and gate and project and ":" not in str(gate):
            fields["gate"] = f"{project}:{plain_name(str(gate))}"

    def _name(self, line: int, fields: dict[str, Any]) -> str:
        """The identifier of the row's record; empty where it is a new one or cannot be told."""
        given = fields.pop("id", None)
        if self.table.key:
            name = self._key(fields)
            if given and given != name:
                what = f"is not the id of {' and '.join(self.table.key)} of the row"
                self.faults.add(self.file, line, "id", what=what, found=given, allowed=f"{name}, or none")
            return name
        if given and given not in self.known:
            what = f"no such {self.kind}"
            self.faults.add(
                self.file, line, "id", what=what, found=given, allowed="the id of one, or none to add it"
            )
            return ""
        return str(given or "")

    def _key(self, fields: Mapping[str, Any]) -> str:
        parts = [fields.get(name) for name in self.table.key]
        return ":".join(str(part) for part in parts) if all(parts) else ""

    # ------------------------------------------------------------ writing a row

    def _add(self, line: int, fields: dict[str, Any], mark: int) -> None:
        fields = {name: value for name, value in fields.items() if value is not None}
        start = len(self.faults.faults)
        clean = self.writer.now.check(self.kind, fields, self.faults, file=self.file, row=line)
        self._as_in_file(start)
        if not self.table.key:
            content = _content(clean)
            if content in self.alike:
                self.result.unchanged += 1
                return
            if content in self.said:
                what, allowed = (
                    "duplicate: says the same as an earlier row",
                    f"once: see row {self.said[content]}",
                )
                self.faults.add(self.file, line, None, what=what, allowed=allowed)
            self.said.setdefault(content, line)
        if len(self.faults.faults) > mark or self.absent:
            return
        record = self._write(line, lambda: self.writer.add(self.kind, fields, **self.signed))
        if record is not None:
            given = {name: (None, record[name]) for name in fields if record[name] is not None}
            self.result.added.append(Change(line, record.id, _title(record), given))

    def _change(
        self,
        line: int,
        record: Record,
        fields: dict[str, Any],
        version: int | None,
        mark: int,
    ) -> None:
        fields = {name: value for name, value in fields.items() if name not in FIXED[self.kind]}
        start = len(self.faults.faults)
        library = self.writer.now.register.library
        clean = checked(self.kind, fields, library, self.faults, whole=False, file=self.file, row=line)
        self._as_in_file(start)
        if version is not None and not 1 <= version <= record.version:
            allowed = f"1 to {record.version}, or none"
            self.faults.add(
                self.file, line, "version", what="no such version", found=version, allowed=allowed
            )
        if len(self.faults.faults) > mark:
            return
        new = {name: value for name, value in clean.items() if value != record.fields[name]}
        if not new:
            self.result.unchanged += 1
            return
        read = record.version if version is None else version
        if read != record.version:
            base = at_version(self.writer.now.history(self.kind, record.id), read)
            mine = {name for name, value in clean.items() if value != base.get(name)}
            if not mine & new.keys():
                self.result.behind += 1
                return
            new = clean
        made = self._write(line, lambda: self.writer.edit(self.kind, record.id, read, new, **self.signed))
        if made is not None:
            both = {name: (record.fields[name], made[name]) for name in new}
            self.result.changed.append(Change(line, record.id, _title(made), both))

    def _write(self, line: int, write: Any) -> Record | None:
        try:
            made: Record = write()
        except Conflict as conflict:
            self.result.conflicts.append((line, conflict))
        except (Refused, NotFound) as refused:
            self.faults.add(self.file, line, None, what=str(refused), allowed="what your role allows")
        except InputError as error:
            self.faults.extend(
                Fault(self.file, line, fault.column, fault.found, fault.allowed, fault.what)
                for fault in error.faults
            )
        else:
            return made
        return None

    def _as_in_file(self, start: int) -> None:
        """Faults since ``start`` by the columns of the file; what it has no column for is told once."""
        told = self.faults.faults[start:]
        del self.faults.faults[start:]
        had = {*self.columns, *self.result.columns.constants, "hub", "project_id"}
        for fault in told:
            name = fault.column or ""
            if fault.what == "is empty" and name in self.table.names and name not in had:
                self.absent.add(name)
                continue
            column = self.columns[name].name if name in self.columns else fault.column
            self.faults.faults.append(replace(fault, column=column))


def _content(fields: Mapping[str, Any]) -> str:
    return canonical(dict(fields))


def _title(record: Record) -> str:
    fields = record.fields
    shown = fields.get("name") or fields.get("title") or fields.get("what") or fields.get("actor")
    return re.sub(r"\s+", " ", str(shown or fields.get("gate") or ""))[:60]


def fix_file(path: Path) -> Path:
    """Where the bad rows of ``path`` are written: ``NAME-to-fix.csv`` beside it."""
    return path.with_name(f"{path.stem}-to-fix.csv")
