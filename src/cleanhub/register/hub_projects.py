"""Projects between the register and a hub package: filling the one from the other, planning with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pandas as pd

from cleanhub.core.errors import Fault, FaultList
from cleanhub.core.tables import Column, Table, check_references, empty
from cleanhub.hub.library import reference_targets
from cleanhub.hub.package import Hub
from cleanhub.hub.project_schema import GATES_BEGUN, PROJECTS
from cleanhub.hub.schema import PACKAGE_TABLES
from cleanhub.register.events import Record
from cleanhub.register.store import Register

REGISTER_SOURCE = "register"
"""Source of a project whose record names none: the register itself, where each event says who and why."""


class Reader(Protocol):
    """A register, or a view of it for one login."""

    def find(self, kind: str, /, *, withdrawn: bool | None = False, **equal: Any) -> list[Record]:
        """Records of a kind, those set aside left out."""


@dataclass(frozen=True)
class Loaded:
    """What :func:`load_packaged` did: identifiers of records added, and of those that were there already."""

    added: tuple[str, ...]
    kept: tuple[str, ...]


def load_packaged(register: Register, hub: Hub, by: str, reason: str = "") -> Loaded:
    """Add the projects of a hub package to the register; those that are there stay as they are.

    They are public, as the package is. Either all are added or, with the faults of all listed, none.
    """
    table = hub.tables["projects"]
    why = reason or f"taken over from the package of {hub.title}"
    faults = FaultList()
    known = {record.id for record in register.find("project", hub=hub.name, withdrawn=None)}
    added, kept = [], []
    reader = Register(register.engine, register.clock, register.new_id, hub.library)
    with reader.transaction() as now:
        for line, row in table.iterrows():
            fields = {str(name): value for name, value in row.items()} | {"hub": hub.name, "private": False}
            name = f"{hub.name}:{fields['project_id']}"
            if name in known:
                kept.append(name)
                continue
            now.check("project", fields, faults, file=PROJECTS.file, row=int(str(line)))
            if not faults.faults:
                now.add("project", fields, by, why, str(fields["source_id"]))
            added.append(name)
        faults.raise_if_any(f"projects of {hub.name} not loaded")
    return Loaded(tuple(added), tuple(kept))


def projects_of(register: Reader, hub_name: str) -> pd.DataFrame:
    """The projects of a hub in the layout of its package's table ``projects``, in the order of their ids.

    A gate recorded as done counts as done, one recorded as open or blocked does not, whatever the project's
    own list says. The year of evidence is the latest of the project's own and of what was recorded about it
    and its gates. A project that names no source has the source ``register`` and, if it says no confidence,
    ``assumed``. Through a view only what its login sees comes out.
    """
    records = register.find("project", hub=hub_name)
    if not records:
        return empty(PROJECTS)
    gates: dict[str, dict[str, bool]] = {}
    for gate in register.find("gate", hub=hub_name):
        gates.setdefault(gate["project"], {})[gate["gate"]] = gate["status"] == "done"
    seen: dict[str, int] = {}
    for evidence in register.find("evidence", hub=hub_name):
        if evidence.project:
            year = int(str(evidence["date"])[:4])
            seen[evidence.project] = max(year, seen.get(evidence.project, year))
    rows = [_row(record, gates.get(record.id, {}), seen.get(record.id)) for record in records]
    rows.sort(key=lambda row: str(row["project_id"]))
    return _as_read(PROJECTS, rows)


def gates_begun_of(register: Reader, hub_name: str) -> pd.DataFrame:
    """The open gates of a hub that say since when they are under way, in the layout of ``gates_begun``."""
    rows = [
        {
            "project_id": gate["project"].removeprefix(f"{hub_name}:"),
            "gate": gate["gate"],
            "begun_on": gate["begun_on"],
            "source_id": REGISTER_SOURCE,
            "confidence": "assumed",
            "note": gate["note"],
        }
        for gate in register.find("gate", hub=hub_name)
        if gate["status"] == "open" and gate["begun_on"] is not None
    ]
    return _as_read(GATES_BEGUN, rows) if rows else empty(GATES_BEGUN)


def with_register(hub: Hub, register: Reader) -> Hub:
    """The hub with the register's projects and gates under way in place of the package's.

    Its notes name every number that is contested and not answered yet, so that each plan says so. Raises
    ``InputError`` listing every project that names a technology or source that is in neither the package nor
    the library.
    """
    projects, begun = projects_of(register, hub.name), gates_begun_of(register, hub.name)
    sources = hub.tables["sources"]
    if REGISTER_SOURCE not in set(sources["source_id"]):
        row = dict.fromkeys(sources.columns, "") | _source_row(hub)
        own = pd.DataFrame([row], index=[len(sources) + 2], columns=sources.columns)
        sources = pd.concat([sources, own.astype(sources.dtypes.to_dict())])
    tables = {**hub.tables, "projects": projects, "gates_begun": begun, "sources": sources}
    targets = reference_targets(tables)
    targets["sources.source_id"] |= frozenset(hub.library.tables["sources"]["source_id"])
    targets["technologies.technology"] = frozenset(hub.library.tables["technologies"]["technology"])
    faults = FaultList()
    check_references({"projects": projects}, PACKAGE_TABLES, targets, faults)
    faults.raise_if_any(f"projects of {hub.name} in the register")
    notes = (*hub.notes, *faults.notes, *_contested(register, hub.name))
    return replace(hub, tables=tables, notes=notes)


def _contested(register: Reader, hub_name: str) -> list[Fault]:
    """Numbers of the hub that somebody contests and nobody has answered, as notes."""
    notes = []
    for one in register.find("contested_number", hub=hub_name, status="open"):
        which = f"{one['where_shown']} {one['key'] or ''}".strip()
        what = f"{one['raised_by']} contests {which} ({one['shown']}), not answered yet: {one['claim']}"
        notes.append(Fault("register", what=what))
    return notes


def _source_row(hub: Hub) -> dict[str, Any]:
    return {
        "source_id": REGISTER_SOURCE,
        "title": f"The register of {hub.title}",
        "publisher": "those who keep the register",
        "licence": "as its owner says",
        "read_through_copyleft": False,
        "year": pd.NA,
    }


def _row(record: Record, gates: Mapping[str, bool], seen: int | None) -> dict[str, Any]:
    row = {name: record.fields[name] for name in PROJECTS.names}
    own = [gate for gate in str(row["gates_done"] or "").split(";") if gate]
    done = [gate for gate in own if gates.get(gate, True)]
    done += sorted(gate for gate, passed in gates.items() if passed and gate not in own)
    years = [year for year in (row["evidence_year"], seen) if year is not None]
    return row | {
        "gates_done": ";".join(done),
        "evidence_year": max(years) if years else None,
        "source_id": row["source_id"] or REGISTER_SOURCE,
        "confidence": row["confidence"] or "assumed",
    }


def _as_read(table: Table, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a frame, on the lines where a reader would find them if the table were written as a file."""
    frame = pd.DataFrame({column.name: _cells(column, rows) for column in table.columns})
    return frame.set_axis(pd.RangeIndex(2, len(frame) + 2, name="line"), axis=0)


def _cells(column: Column, rows: list[dict[str, Any]]) -> pd.Series[Any]:
    values = [row[column.name] for row in rows]
    if column.kind == "number":
        return pd.Series([float("nan") if value is None else value for value in values], dtype=float)
    if column.kind in ("year", "integer"):
        return pd.Series([pd.NA if value is None else value for value in values], dtype="Int64")
    if column.kind == "yes_no":
        return pd.Series([pd.NA if value is None else value for value in values], dtype="boolean")
    return pd.Series(["" if value is None else value for value in values], dtype=object)
