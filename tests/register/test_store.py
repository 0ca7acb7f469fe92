"""Adding, reading, editing, withdrawing; what is refused; what the history keeps."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from cleanhub.core.errors import InputError, RunError
from cleanhub.register.errors import Conflict, NotFound
from cleanhub.register.events import Record, event_hash
from cleanhub.register.models import DEFAULTS, FIXED, KINDS
from cleanhub.register.store import Register

SIGNED = {"by": "ann", "reason": "a letter came", "source": "letter of 2 March"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "gate": {"gate": "permit"},
    "actor": {"name": "Port of Somewhere", "kind": "port"},
    "convening": {"title": "Spring meeting", "date": "2026-03-02"},
    "participant": {"name": "A. Person", "role": "city"},
    "pain_point": {"barrier": "permitting", "what": "two agencies wait for each other"},
    "decision": {"what": "share one pipe", "date": "2026-03-02", "decided_by": "the group"},
    "follow_up": {"what": "write to the district", "owner": "ann", "due": "2026-04-01"},
    "evidence": {"what": "permit issued", "date": "2026-03-01", "source": "docket", "confidence": "seen"},
    "commitment": {"actor": "A company", "metric": "net_zero", "year": 2045, "value": 1.0, "unit": "1"},
    "agreement": {"title": "Benefits", "kind": "community_benefits", "community": "the town"},
    "agreement_step": {"what": "first hearing", "date": "2026-05-01"},
    "contested_number": {
        "where_shown": "projects",
        "shown": "1 MUSD",
        "claim": "too low",
        "raised_by": "bob",
    },
    "answer": {"what": "from the filing", "answered_by": "ann", "date": "2026-05-02", "changed": False},
    "membership": {"login": "bob", "role": "editor"},
}


def fill(register: Register, project: dict[str, Any]) -> dict[str, Record]:
    """One record of every kind, each under those before it."""
    made = {"project": register.add("project", project, **SIGNED)}
    for kind, fields in EXAMPLES.items():
        names = {column.name for column in KINDS[kind].columns}
        links = {name: record.id for name, record in made.items() if name in names - fields.keys()}
        made[kind] = register.add(kind, {"hub": "california", **links, **fields}, **SIGNED)
    return made


def test_every_kind_is_added_read_found_edited_and_withdrawn(
    register: Register, project: dict[str, Any]
) -> None:
    made = fill(register, project)
    assert made.keys() == KINDS.keys()
    for kind, record in made.items():
        assert register.get(kind, record.id) == record
        assert register.find(kind, hub="california") == [record]
        assert register.find(kind, hub="elsewhere") == []
        column = next(name for name in ("note", "contact", "what", "name") if name in record.fields)
        edited = register.edit(kind, record.id, 1, {column: "another"}, **SIGNED)
        assert (edited.version, edited[column]) == (2, "another")
        gone = register.withdraw(kind, record.id, 2, "ann", "no longer so")
        assert gone.version == 3
        assert register.find(kind) == []
        assert register.find(kind, withdrawn=True) == register.find(kind, withdrawn=None) == [gone]
        back = register.edit(kind, record.id, 3, {"withdrawn": False}, "ann", "it is so after all")
        assert register.find(kind) == [back]
        actions = [event.action for event in register.history(kind, record.id)]
        assert actions == ["added", "edited", "withdrawn", "restored"]
    assert register.replay() == []


def test_a_new_record_holds_the_usual_values_of_its_kind(register: Register, project: dict[str, Any]) -> None:
    del project["private"]
    made = fill(register, project)
    for kind, usual in DEFAULTS.items():
        assert {name: made[kind][name] for name in usual} == usual
    assert made["project"]["private"] is True
    assert made["project"]["owner"] == "ann"


def test_identifiers_follow_from_keys_and_are_else_given(
    ready_url: Callable[[str], str], project: dict[str, Any]
) -> None:
    numbers = iter(range(100))
    with Register.open(ready_url("sqlite"), create=True, new_id=lambda: f"n{next(numbers)}") as register:
        made = fill(register, project)
    assert made["project"].id == "california:T-1"
    assert made["gate"].id == "california:T-1:permit"
    assert made["membership"].id == "california:bob:T-1"
    assert made["actor"].id == "n0"


def test_history_says_who_when_why_from_where_and_what(
    ready_url: Callable[[str], str], project: dict[str, Any]
) -> None:
    times = iter(f"2026-03-0{day}T00:00:00.000000+00:00" for day in range(1, 9))
    with Register.open(ready_url("sqlite"), create=True, clock=lambda: next(times)) as register:
        made = register.add("project", project, **SIGNED)
        register.edit(
            "project", made.id, 1, {"capex_usd": 2e6, "city": "Colton"}, "bob", "a quote", "mail", "inferred"
        )
        first, second = register.history("project", made.id)
    assert first.before == {}
    assert first.after == made.fields
    assert (first.actor, first.reason, first.source, first.basis) == (
        "ann",
        "a letter came",
        "letter of 2 March",
        "asserted",
    )
    assert second.before == {"capex_usd": 1e6, "city": None}
    assert second.after == {"capex_usd": 2e6, "city": "Colton"}
    assert (second.at, second.actor, second.reason, second.source, second.basis) == (
        "2026-03-02T00:00:00.000000+00:00",
        "bob",
        "a quote",
        "mail",
        "inferred",
    )
    assert second.prev_hash == first.hash == event_hash(first.as_row())
    assert first.prev_hash == ""


def test_a_stale_edit_shows_both_versions_field_by_field(register: Register, project: dict[str, Any]) -> None:
    made = register.add("project", project, **SIGNED)
    theirs = register.edit("project", made.id, 1, {"capex_usd": 2e6, "county": "Kern"}, "bob", "a quote")
    with pytest.raises(Conflict) as stopped:
        register.edit("project", made.id, 1, {"capex_usd": 3e6, "city": "Colton"}, "cat", "a rumour")
    conflict = stopped.value
    assert conflict.exit_code == 1
    assert conflict.theirs == theirs
    assert conflict.yours == made.fields | {"capex_usd": 3e6, "city": "Colton"}
    seen = {field.field: (field.base, field.yours, field.theirs, field.clashes) for field in conflict.fields}
    assert seen == {
        "capex_usd": (1e6, 3e6, 2e6, True),
        "city": (None, "Colton", None, False),
        "county": (None, None, "Kern", False),
    }
    assert [event.actor for event in conflict.since] == ["bob"]
    assert conflict.merged() == {"city": "Colton"}
    for word in ("version 1", "version 2", "bob", "a quote", "3000000.0", "2000000.0", "Colton", "Kern"):
        assert word in str(conflict)
    assert register.get("project", made.id) == theirs
    merged = register.edit("project", made.id, conflict.theirs.version, conflict.merged(), "cat", "a rumour")
    assert (merged["city"], merged["county"], merged["capex_usd"]) == ("Colton", "Kern", 2e6)


def test_a_version_of_the_future_is_refused_too(register: Register, project: dict[str, Any]) -> None:
    made = register.add("project", project, **SIGNED)
    with pytest.raises(Conflict):
        register.edit("project", made.id, 7, {"city": "Colton"}, "cat", "a rumour")
    assert len(register.history("project", made.id)) == 1


def test_an_edit_that_changes_nothing_writes_nothing(register: Register, project: dict[str, Any]) -> None:
    made = register.add("project", project, **SIGNED)
    assert register.edit("project", made.id, 1, {"capex_usd": 1e6}, "cat", "same") == made
    assert len(register.history("project", made.id)) == 1


def test_all_faults_of_a_record_are_told_at_once(register: Register, project: dict[str, Any]) -> None:
    bad = project | {
        "sector": "sorcery",
        "stage": "soon",
        "lat": 99.0,
        "capex_usd": "many",
        "online_year": 2030.5,
        "gates_done": "permit;magic",
        "technology": "none_such",
        "capacity_unit": "t/yt",
        "name": " ",
        "private": "perhaps",
        "colour": "red",
        "part_of": 3,
    }
    with pytest.raises(InputError) as stopped:
        register.add("project", bad, by=" ", reason="")
    places = {(fault.file, fault.column) for fault in stopped.value.faults}
    assert places == {("project", name) for name in bad.keys() - project.keys()} | {
        ("project", "sector"),
        ("project", "stage"),
        ("project", "capex_usd"),
        ("project", "name"),
        ("project", "private"),
        ("event", "by"),
        ("event", "reason"),
    }
    assert register.find("project", withdrawn=None) == []
    with pytest.raises(InputError, match="duplicate hub \\+ project_id"):
        register.add("project", register.add("project", project, **SIGNED).fields, **SIGNED)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("capex_usd", True),
        ("capex_usd", math.inf),
        ("capex_usd", -1.0),
        ("online_year", "2030"),
        ("online_year", 3000),
        ("name", 7),
        ("name", "a\x00b"),
        ("name", "\ud800"),
        ("name", "x" * 20_001),
        ("project_id", "a:b"),
        ("project_id", "a b"),
        ("hub", "a:b"),
        ("private", 1),
    ],
)
def test_values_are_taken_strictly(
    ready_url: Callable[[str], str], project: dict[str, Any], field: str, value: object
) -> None:
    with Register.open(ready_url("sqlite"), create=True) as register:
        with pytest.raises(InputError) as stopped:
            register.add("project", project | {field: value}, **SIGNED)
        assert [fault.column for fault in stopped.value.faults] == [field]


def test_blanks_and_numbers_of_pandas_are_understood(register: Register, project: dict[str, Any]) -> None:
    row = pd.Series(
        {"capex_usd": math.nan, "city": "", "capex_year": pd.NA, "online_year": pd.Series([2031])[0]}
    )
    made = register.add("project", project | row.to_dict() | {"gates_done": ["permit", "site"]}, **SIGNED)
    assert [made[name] for name in ("capex_usd", "city", "capex_year", "online_year")] == [
        None,
        None,
        None,
        2031,
    ]
    assert made["gates_done"] == "permit;site"
    assert register.get("project", made.id) == made


def test_a_record_belongs_to_the_project_and_hub_of_what_it_is_under(
    register: Register, project: dict[str, Any]
) -> None:
    made = fill(register, project)
    other = register.add("project", project | {"project_id": "T-2"}, **SIGNED)
    fields = {"hub": "california", "gate": made["gate"].id, **EXAMPLES["evidence"]}
    assert register.add("evidence", fields, **SIGNED).project == made["project"].id
    with pytest.raises(InputError, match="is not the project of gate"):
        register.add("evidence", fields | {"project": other.id}, **SIGNED)
    with pytest.raises(InputError, match="is not the hub of gate"):
        register.add("evidence", fields | {"hub": "elsewhere"}, **SIGNED)
    with pytest.raises(InputError, match="no such gate; found nowhere"):
        register.add("evidence", fields | {"gate": "nowhere"}, **SIGNED)


def test_what_a_record_is_of_cannot_be_edited(register: Register, project: dict[str, Any]) -> None:
    made = fill(register, project)
    for kind, record in made.items():
        for name in FIXED[kind]:
            with pytest.raises(InputError, match=r"cannot be changed|no such"):
                register.edit(kind, record.id, 1, {name: "permit2"}, **SIGNED)


@pytest.mark.parametrize(
    ("start", "allowed"),
    [
        ("announced", {"pre_feed", "feed", "fid", "construction", "operating", "shelved", "cancelled"}),
        ("construction", {"operating", "shelved", "cancelled"}),
        ("operating", {"closed"}),
        (
            "shelved",
            {"concept", "announced", "pre_feed", "feed", "fid", "construction", "operating", "cancelled"},
        ),
        ("cancelled", set()),
        ("closed", set()),
    ],
)
def test_projects_advance_in_the_order_of_stages(
    ready_url: Callable[[str], str], project: dict[str, Any], start: str, allowed: set[str]
) -> None:
    with Register.open(ready_url("sqlite"), create=True) as register:
        stages = register.library.codelists["stage"]
        for number, stage in enumerate(sorted(stages)):
            made = register.add("project", project | {"project_id": f"T-{number}", "stage": start}, **SIGNED)
            if stage in allowed:
                assert register.advance(made.id, stage, "ann", "it went on")["stage"] == stage
            else:
                with pytest.raises(InputError, match="does not follow"):
                    register.advance(made.id, stage, "ann", "it went on")


def test_advancing_from_a_version_that_is_not_the_latest_is_a_conflict(
    register: Register, project: dict[str, Any]
) -> None:
    made = register.add("project", project, **SIGNED)
    register.edit("project", made.id, 1, {"city": "Colton"}, **SIGNED)
    with pytest.raises(Conflict):
        register.advance(made.id, "feed", "ann", "it went on", version=1)
    assert register.advance(made.id, "feed", "ann", "it went on").version == 3


def test_what_is_not_there_is_said_so(register: Register) -> None:
    for read in (register.get, register.history):
        with pytest.raises(NotFound, match="there is no follow up 12"):
            read("follow_up", "12")
    with pytest.raises(InputError, match="no such kind; found wish; allowed project, gate"):
        register.find("wish")
    with pytest.raises(InputError, match="unknown column"):
        register.find("gate", colour="red")


def test_a_transaction_is_all_or_nothing(register: Register, project: dict[str, Any]) -> None:
    def both() -> None:
        with register.transaction() as now:
            first = now.add("project", project, **SIGNED)
            assert now.get("project", first.id) == first
            now.add("project", project, **SIGNED)

    with pytest.raises(InputError, match="duplicate"):
        both()
    assert register.find("project") == []
    with pytest.raises(NotFound):
        register.history("project", "california:T-1")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET reason = 'another'",
        "DELETE FROM event",
        "UPDATE project SET name = 'another'",
        "UPDATE project SET name = 'another', version = version + 1",
        "DELETE FROM gate",
        "INSERT INTO actor (id, version, hub, name, kind, withdrawn) VALUES ('a', 1, 'h', 'n', 'p', false)",
    ],
)
def test_the_database_itself_refuses_what_would_break_the_history(
    register: Register, project: dict[str, Any], statement: str
) -> None:
    fill(register, project)
    refused = r"only ever added|needs its event first|never deleted"
    with pytest.raises(RunError, match=refused), register.transaction() as now:
        now.connection.execute(sa.text(statement))
    assert register.replay() == []


def test_postgresql_refuses_to_empty_the_tables(
    ready_url: Callable[[str], str], project: dict[str, Any]
) -> None:
    with Register.open(ready_url("postgresql"), create=True) as register:
        fill(register, project)
        for table in ("event", "gate CASCADE"):
            with (
                pytest.raises(RunError, match=r"only ever added|never deleted"),
                register.transaction() as now,
            ):
                now.connection.execute(sa.text(f"TRUNCATE {table}"))
        assert register.replay() == []


def test_replay_finds_what_was_changed_behind_the_triggers(
    ready_url: Callable[[str], str], project: dict[str, Any]
) -> None:
    with Register.open(ready_url("sqlite"), create=True) as register:
        made = fill(register, project)
        register.edit("project", made["project"].id, 1, {"capex_usd": 2e6}, **SIGNED)
        with register.transaction() as now:
            for trigger in ("project_update", "actor_delete", "event_no_update", "event_no_delete"):
                now.connection.execute(sa.text(f"DROP TRIGGER {trigger}"))
            now.connection.execute(sa.text("UPDATE project SET capex_usd = 5"))
            now.connection.execute(sa.text("UPDATE participant SET actor = NULL, version = 1 WHERE 0"))
            now.connection.execute(sa.text("UPDATE event SET reason = 'because' WHERE kind = 'decision'"))
            now.connection.execute(sa.text("DELETE FROM event WHERE kind = 'convening'"))
        found = {(one.kind, one.what): (one.row, one.events) for one in register.replay()}
    assert found == {
        ("project", "capex_usd"): (5.0, 2e6),
        ("decision", "the event of version 1 was tampered with"): (None, None),
        ("convening", "there is no event of the record"): (None, None),
    }


def test_a_number_is_kept_to_the_last_bit(register: Register, project: dict[str, Any]) -> None:
    for number, value in enumerate((0.1 + 0.2, 1 / 3, 5e-324, 1.7976931348623157e308, 0.0)):
        made = register.add("project", project | {"project_id": f"T-{number}", "capex_usd": value}, **SIGNED)
        assert register.get("project", made.id)["capex_usd"] == value
    assert register.replay() == []


def test_opening_needs_a_register_or_the_word_create(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no register"):
        Register.open(tmp_path / "none.db")
    with pytest.raises(RunError, match="there is no folder"):
        Register.open(tmp_path / "none" / "none.db", create=True)
    text = tmp_path / "text.db"
    text.write_text("this is no database at all, but it is long enough to be read as one " * 20)
    with pytest.raises(RunError, match="cannot be opened"):
        Register.open(text, create=True)
    with Register.open(tmp_path / "one.db", create=True) as register:
        assert register.is_file
        assert register.address == str(tmp_path / "one.db")
    with Register.open(f"sqlite:///{tmp_path / 'one.db'}", create=True) as register:
        assert register.find("project") == []
    for address in ("mysql://host/db", "sqlite://", "no such://thing"):
        with pytest.raises(InputError, match="database"):
            Register.open(address)


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE project (id TEXT)"))
    with pytest.raises(RunError, match="database of something else"):
        Register.open(path, create=True)


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    with pytest.raises(RunError, match="cannot be opened") as stopped:
        Register.open("postgresql://ann:hush@127.0.0.1:1/register")
    assert "hush" not in str(stopped.value)


def test_sqlite_keeps_its_promises(ready_url: Callable[[str], str]) -> None:
    with Register.open(ready_url("sqlite"), create=True) as register, register.transaction() as now:
        pragma = {
            name: now.connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
