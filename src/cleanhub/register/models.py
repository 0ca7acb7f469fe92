"""The kinds of record, each declared once, and the database tables made from the declarations.

:data:`KINDS` drives the database, the checks of what is written, the import and the docs. A record has,
besides the columns of its kind, an ``id`` and a ``version`` (1 when added, one more with each edit).
Dates are text ``YYYY-MM-DD`` and moments ISO 8601 in UTC, so that SQLite, PostgreSQL, a backup and the
hash of an event hold the very same characters. Nothing is deleted: a record is withdrawn.

A column that ``refers`` to ``<kind>.id`` is a foreign key. A record about one project, or under a record
about one, carries it in ``project``: that is what privacy goes by.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from cleanhub.core.tables import Column, Table
from cleanhub.hub.project_schema import COMMITMENTS, PROJECTS

HUB = Column("hub", "text", "name of the hub")
WITHDRAWN = Column("withdrawn", "yes_no", "set aside: no longer counts, is never deleted")
NOTE = Column("note", "text", "what a reader must know", blank=True)
SOURCE_TEXT = Column("source", "text", "where it was seen: title and date, or address", blank=True)
CONFIDENCE = Column("confidence", "text", "seen, derived, recalled or assumed", codes="confidence")


def _link(kind: str, description: str, blank: bool = True) -> Column:
    return Column(kind, "text", description, blank=blank, refers=f"{kind}.id")


PROJECT = _link("project", "the project it is about (empty: the hub as a whole)")
GATE = _link("gate", "the gate of a project that it bears on")


def _kind(name: str, description: str, *columns: Column, key: tuple[str, ...] = ()) -> Table:
    return Table(name, description, (HUB, *columns, WITHDRAWN), key)


def _as_recorded(columns: tuple[Column, ...], without: frozenset[str] = frozenset()) -> tuple[Column, ...]:
    """Columns of a hub's table as the register keeps them: a source may be unnamed, since events name it."""
    unnamed = ("source_id", "confidence")
    return tuple(
        replace(column, blank=column.blank or column.name in unnamed, optional=False)
        for column in columns
        if column.name not in without
    )


_KINDS = (
    _kind(
        "project",
        "A project, in the columns of the hub's table `projects`.",
        *_as_recorded(PROJECTS.columns),
        Column("private", "yes_no", "seen by its members and the hub's administrators only"),
        Column("owner", "text", "login of whoever answers for the record", blank=True),
        key=("hub", "project_id"),
    ),
    _kind(
        "gate",
        "A gate of a project: open, done or blocked, since when, who must close it and by when.",
        _link("project", "the project", blank=False),
        Column("gate", "text", "which gate", codes="gate"),
        Column("status", "text", "where it stands", codes="gate_status"),
        Column("begun_on", "date", "day it was begun: filed, signed, started", blank=True),
        Column("owner", "text", "who must close it", blank=True),
        Column("due", "date", "date by which it should be done", blank=True),
        Column("done_on", "date", "date it was done", blank=True),
        NOTE,
        key=("project", "gate"),
    ),
    _kind(
        "actor",
        "A person or organisation that decides, helps or is affected.",
        Column("name", "text", "name"),
        Column("kind", "text", "what it is in the hub", codes="actor"),
        Column("organisation", "text", "organisation it belongs to", blank=True),
        Column("contact", "text", "how to reach it", blank=True),
        NOTE,
    ),
    _kind(
        "convening",
        "A meeting that the hub called.",
        PROJECT,
        Column("title", "text", "title"),
        Column("date", "date", "day it was held"),
        Column("place", "text", "place", blank=True),
        Column("purpose", "text", "what it was for", blank=True),
        NOTE,
    ),
    _kind(
        "participant",
        "Who took part in a convening, in which role.",
        PROJECT,
        _link("convening", "the convening", blank=False),
        _link("actor", "the actor, if recorded"),
        Column("name", "text", "name as given"),
        Column("role", "text", "in which role", codes="actor"),
        NOTE,
    ),
    _kind(
        "pain_point",
        "What holds things up, as someone said it.",
        PROJECT,
        _link("convening", "the convening where it was raised"),
        GATE,
        Column("barrier", "text", "which of the barriers it is", codes="barrier"),
        Column("what", "text", "what it is"),
        Column("raised_by", "text", "who raised it", blank=True),
        NOTE,
    ),
    _kind(
        "decision",
        "What was decided, by whom, when.",
        PROJECT,
        _link("convening", "the convening where it was taken"),
        GATE,
        Column("what", "text", "what was decided"),
        Column("date", "date", "day of the decision"),
        Column("decided_by", "text", "who decided"),
        NOTE,
    ),
    _kind(
        "follow_up",
        "What someone will do by a date.",
        PROJECT,
        _link("convening", "the convening it follows from"),
        GATE,
        Column("what", "text", "what is to be done"),
        Column("owner", "text", "who does it"),
        Column("due", "date", "date by which"),
        Column("status", "text", "where it stands", codes="follow_up_status"),
        Column("done_on", "date", "date it was done", blank=True),
        NOTE,
    ),
    _kind(
        "evidence",
        "What was seen about a project or one of its gates.",
        PROJECT,
        GATE,
        Column("about", "text", "what it is evidence of", blank=True),
        Column("what", "text", "what was seen"),
        Column("date", "date", "day it is from"),
        Column("source", "text", "where it was seen: title and date, or address"),
        CONFIDENCE,
        NOTE,
    ),
    _kind(
        "commitment",
        "What an actor promised by a year, in the columns of the hub's table `commitments`.",
        *_as_recorded(COMMITMENTS.columns, frozenset({"commitment_id"})),
    ),
    _kind(
        "agreement",
        "An agreement with a community or with labour, made or sought.",
        PROJECT,
        Column("title", "text", "title"),
        Column("kind", "text", "kind of agreement", codes="agreement_kind"),
        Column("community", "text", "with whom"),
        Column("status", "text", "where it stands", codes="agreement_status"),
        Column("signed_on", "date", "day it was signed", blank=True),
        Column("ends_on", "date", "day it ends", blank=True),
        Column("terms", "text", "what it gives, to whom", blank=True),
        SOURCE_TEXT,
        NOTE,
    ),
    _kind(
        "agreement_step",
        "A step of engagement towards an agreement, or a duty under it.",
        PROJECT,
        _link("agreement", "the agreement", blank=False),
        Column("what", "text", "what is done"),
        Column("owner", "text", "who does it", blank=True),
        Column("date", "date", "day it is planned for, or was done"),
        Column("status", "text", "where it stands", codes="step_status"),
        NOTE,
    ),
    _kind(
        "contested_number",
        "A number of a plan, package or report that someone holds to be wrong.",
        PROJECT,
        Column("where_shown", "text", "table or page that shows it"),
        Column("key", "text", "row of it, if any", blank=True),
        Column("shown", "text", "the number as shown, with its unit"),
        Column("claim", "text", "what is wrong with it, or what it should be"),
        Column("raised_by", "text", "who contests it"),
        Column("status", "text", "where it stands", codes="contest_status"),
        SOURCE_TEXT,
        NOTE,
    ),
    _kind(
        "answer",
        "The answer to a contested number.",
        PROJECT,
        _link("contested_number", "the number", blank=False),
        Column("what", "text", "the answer"),
        Column("answered_by", "text", "who answers"),
        Column("date", "date", "day of the answer"),
        Column("changed", "yes_no", "yes: the number was changed"),
        SOURCE_TEXT,
        NOTE,
    ),
    _kind(
        "membership",
        "What a login may do in a hub, or in one project of it.",
        PROJECT,
        Column("login", "text", "login of the person"),
        Column("role", "text", "role", codes="register_role"),
        NOTE,
        key=("hub", "login", "project"),
    ),
)

KINDS: dict[str, Table] = {table.name: table for table in _KINDS}
"""The kinds of record by name, in an order in which a record comes after those it refers to."""

PARENTS: dict[str, tuple[str, ...]] = {
    name: tuple(column.name for column in table.columns if column.refers in {f"{kind}.id" for kind in KINDS})
    for name, table in KINDS.items()
}
"""The columns of each kind that refer to another record, each named like the kind it refers to."""

DEFAULTS: dict[str, dict[str, str | bool]] = {
    "project": {"private": True},
    "gate": {"status": "open"},
    "follow_up": {"status": "open"},
    "agreement": {"status": "in_talks"},
    "agreement_step": {"status": "planned"},
    "contested_number": {"status": "open"},
}
"""What a new record holds where nothing else is said. A project is private until it is published."""

FIXED: dict[str, frozenset[str]] = {
    name: frozenset({"hub", *PARENTS[name], *table.key}) - ({"actor"} if name == "participant" else set())
    for name, table in KINDS.items()
}
"""Columns that say what a record is of: set when it is added and never edited."""

_TYPES: dict[str, type[sa.types.TypeEngine[Any]]] = {
    "text": sa.Text,
    "date": sa.Text,
    "number": sa.Double,
    "integer": sa.BigInteger,
    "year": sa.BigInteger,
    "yes_no": sa.Boolean,
}

metadata = sa.MetaData()


def _database_table(table: Table) -> sa.Table:
    columns = []
    for column in table.columns:
        key = [sa.ForeignKey(column.refers)] if column.name in PARENTS[table.name] else []
        columns.append(
            sa.Column(
                column.name, _TYPES[column.kind](), *key, nullable=column.blank, index=bool(key) or None
            )
        )
    return sa.Table(
        table.name,
        metadata,
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        *columns,
    )


TABLES: dict[str, sa.Table] = {name: _database_table(table) for name, table in KINDS.items()}
"""The database table of each kind."""

EVENT = sa.Table(
    "event",
    metadata,
    sa.Column("kind", sa.Text(), primary_key=True),
    sa.Column("id", sa.Text(), primary_key=True),
    sa.Column("version", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("action", sa.Text(), nullable=False),
    sa.Column("at", sa.Text(), nullable=False),
    sa.Column("actor", sa.Text(), nullable=False),
    sa.Column("before", sa.Text(), nullable=False),
    sa.Column("after", sa.Text(), nullable=False),
    sa.Column("reason", sa.Text(), nullable=False),
    sa.Column("source", sa.Text(), nullable=False),
    sa.Column("basis", sa.Text(), nullable=False),
    sa.Column("prev_hash", sa.Text(), nullable=False),
    sa.Column("hash", sa.Text(), nullable=False),
)
"""What happened: one row for each version of each record. Only ever added to; triggers refuse the rest."""
