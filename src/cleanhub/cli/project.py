"""Commands on the projects of a register: list, show, add, edit, advance, what was seen, what happened."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cleanhub.cli.output import out, print_frame, print_json
from cleanhub.cli.project_contest import add_contest_commands
from cleanhub.cli.project_tables import add_table_commands
from cleanhub.cli.project_talks import agreement_app, convening_app, member_app
from cleanhub.cli.register_options import Asked, SetOption, VersionOption, makes, reads, writes
from cleanhub.cli.register_session import (
    Session,
    check_hub_name,
    event_lines,
    filled,
    given_fields,
    shown,
    tell,
)

project_app = typer.Typer(
    help="Projects of a register: a shared record with versions, history, roles. Private until published.",
    no_args_is_help=True,
)
add_table_commands(project_app)
add_contest_commands(project_app)
project_app.add_typer(convening_app, name="convening")
project_app.add_typer(agreement_app, name="agreement")
project_app.add_typer(member_app, name="member")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="the project's id, as CA-001")]
RecordArgument = Annotated[str, typer.Argument(metavar="ID", help="id of the project, or of another record")]
KindOption = Annotated[str, typer.Option("--kind", help="kind of record, where it is not a project")]
_MOST = 200
_ABOUT: tuple[str, ...] = ("gate", "evidence", "agreement", "agreement_step", "contested_number", "answer")
_ABOUT += ("convening", "participant", "pain_point", "decision", "follow_up", "membership")


@project_app.command("list")
@reads
def list_projects(
    asked: Asked,
    stage: Annotated[str | None, typer.Option(help="those at this stage")] = None,
    sector: Annotated[str | None, typer.Option(help="those of this sector")] = None,
    withdrawn: Annotated[bool, typer.Option(help="those set aside, in place of those that count")] = False,
) -> None:
    """List the projects of a hub."""
    import pandas as pd

    with asked.session() as now:
        equal = filled({"stage": stage, "sector": sector})
        found = now.reader.find("project", hub=now.hub, withdrawn=withdrawn, **equal)
    if asked.as_json:
        print_json([record.as_dict() for record in found])
        return
    columns = ("project_id", "name", "sector", "stage", "co2e_t_per_year")
    rows = [{name: shown(record[name]) for name in columns} for record in found]
    for row, record in zip(rows, found, strict=True):
        row |= {"private": shown(record["private"]), "version": str(record.version)}
    out.print(
        f"{len(found)} projects of {now.hub} in {now.register.address}", highlight=False, soft_wrap=True
    )
    print_frame("", pd.DataFrame(rows).rename(columns={"co2e_t_per_year": "t CO2e/yr"}), _MOST)


@project_app.command("show")
@reads
def show_project(
    asked: Asked,
    project: IdArgument,
) -> None:
    """Show a project with its gates, evidence, meetings, agreements and contested numbers."""
    with asked.session() as now:
        record = now.get(project)
        about = {kind: now.reader.find(kind, project=record.id) for kind in _ABOUT}
    if asked.as_json:
        data = {kind: [one.as_dict() for one in found] for kind, found in about.items() if found}
        print_json({**record.as_dict(), "about": data})
        return
    mark = ", private" if record["private"] else ""
    mark += ", withdrawn" if record["withdrawn"] else ""
    out.print(f"{record['name']} ({record.id}, version {record.version}{mark})", style="bold", markup=False)
    for name, value in record.fields.items():
        if value is not None and name not in ("hub", "project_id", "name", "private", "withdrawn"):
            out.print(f"  {name}: {shown(value)}", highlight=False, markup=False)
    for kind, found in about.items():
        for one in found:
            words = {name: shown(value) for name, value in one.fields.items() if name not in _LINKS}
            text = "; ".join(f"{name} {value}" for name, value in words.items() if value and value != "no")
            out.print(f"{kind.replace('_', ' ')} {one.id}: {text}", highlight=False, markup=False)


_LINKS = frozenset({"hub", "project", "withdrawn"})


@project_app.command("add")
@makes
def add_project(
    asked: Asked,
    name: Annotated[str, typer.Argument(help="name of the project")],
    sector: Annotated[str | None, typer.Option(help="sector, a code as cement")] = None,
    stage: Annotated[
        str, typer.Option(help="stage: concept, announced, pre_feed, feed, fid ...")
    ] = "concept",
    role: Annotated[str, typer.Option(help="role: abates, stores, supplies, enables, programme")] = "abates",
    project_id: Annotated[str | None, typer.Option("--id", help="its id (default: from its name)")] = None,
    said: SetOption = None,
    public: Annotated[bool, typer.Option("--public", help="seen by all (default: private)")] = False,
) -> None:
    """Add a project: private, with you as its owner, until you publish it."""
    from cleanhub.register.import_columns import plain_name

    with asked.session(make_default=True) as now:
        check_hub_name(now)
        given = given_fields(said or [], "project", now.register.library)
        fields: dict[str, Any] = {
            "hub": now.hub,
            "project_id": project_id or plain_name(name).replace("_", "-"),
            "name": name,
            "sector": sector,
            "stage": stage,
            "role": role,
            "private": not public,
            **given,
        }
        with now.writing(asked.by, asked.reason, asked.source) as writer:
            record = writer.add("project", fields, asked.reason, asked.source)
        tell(now, record, "added, private" if record["private"] else "added, public")
    if not asked.as_json:
        out.print(f"next: cleanhub project show {record['project_id']}", style="dim", highlight=False)


@project_app.command("edit")
@writes
def edit_record(
    asked: Asked,
    name: RecordArgument,
    said: SetOption = None,
    kind: KindOption = "project",
    version: VersionOption = None,
) -> None:
    """Change fields of a project or another record. With --version a stale edit is refused."""
    with asked.session() as now:
        changes = given_fields(said or [], kind, now.register.library)
        record = now.get(name, kind)
        with now.writing(asked.by, asked.reason, asked.source) as writer:
            made = writer.edit(
                kind, record.id, version or record.version, changes, asked.reason, asked.source
            )
        tell(now, made, "changed" if made.version != record.version else "not changed: it says so already")


@project_app.command("withdraw")
@writes
def withdraw_record(
    asked: Asked,
    name: RecordArgument,
    kind: KindOption = "project",
    back: Annotated[bool, typer.Option("--undo", help="bring it back")] = False,
    version: VersionOption = None,
) -> None:
    """Set a record aside: it no longer counts, and stays with its history. Nothing is ever deleted."""
    with asked.session() as now:
        record = now.get(name, kind)
        with now.writing(asked.by, asked.reason, asked.source) as writer:
            change = {"withdrawn": not back}
            made = writer.edit(kind, record.id, version or record.version, change, asked.reason, asked.source)
        tell(now, made, "brought back" if back else "withdrawn")


@project_app.command("advance")
@writes
def advance_project(
    asked: Asked,
    project: IdArgument,
    stage: Annotated[str, typer.Argument(help="the later stage; or shelved, cancelled, closed")],
    version: VersionOption = None,
) -> None:
    """Move a project on to a later stage, or shelve, cancel or close it."""
    with asked.session() as now:
        signed = now.signature(asked.by, asked.reason, asked.source)
        record = now.get(project)
        if signed.user is None:
            made = now.register.advance(
                record.id, stage, signed.by, signed.reason, signed.source, version=version
            )
        else:
            view = now.register.as_user(signed.user)
            made = view.advance(record.id, stage, signed.reason, signed.source, version=version)
        tell(now, made, f"is at {made['stage']}")


@project_app.command("gate")
@writes
def set_gate(
    asked: Asked,
    project: IdArgument,
    gate: Annotated[str, typer.Argument(help="the gate: site, permit, interconnection, offtake ...")],
    status: Annotated[
        str | None, typer.Option(help="open, done or blocked (default: as it was; open if it is new)")
    ] = None,
    begun_on: Annotated[
        str | None, typer.Option("--begun-on", help="date it was begun (filed, signed, started), YYYY-MM-DD")
    ] = None,
    owner: Annotated[str | None, typer.Option(help="who must close it")] = None,
    due: Annotated[str | None, typer.Option(help="date by which, YYYY-MM-DD")] = None,
    done_on: Annotated[str | None, typer.Option("--done-on", help="date it was done, YYYY-MM-DD")] = None,
    note: Annotated[str | None, typer.Option(help="what a reader must know")] = None,
) -> None:
    """Say where a gate of a project stands, since when it is under way, who must close it and by when.

    A gate that is open and has a date of beginning has that time behind it in `plan --register`.
    """
    with asked.session() as now:
        record = now.get(project)
        dates = {"begun_on": begun_on, "due": due, "done_on": done_on}
        fields = filled({"status": status, **dates, "owner": owner, "note": note})
        with now.writing(asked.by, asked.reason, asked.source) as writer:
            made = put_gate(writer, record.id, now.hub, gate, fields, asked.reason, asked.source)
        tell(now, made, made["status"])


def put_gate(
    writer: Any, project: str, hub: str, gate: str, fields: dict[str, Any], reason: str, source: str
) -> Any:
    """Add the gate of a project, or change it if it is there."""
    known = [one for one in writer.now.find("gate", project=project, withdrawn=None) if one["gate"] == gate]
    if known:
        fields = fields | ({"withdrawn": False} if known[0]["withdrawn"] else {})
        return writer.edit("gate", known[0].id, known[0].version, fields, reason, source)
    return writer.add("gate", {"hub": hub, "project": project, "gate": gate, **fields}, reason, source)


@project_app.command("evidence")
@writes
def add_evidence(
    asked: Asked,
    project: IdArgument,
    what: Annotated[str, typer.Option(help="what was seen")],
    date: Annotated[str, typer.Option(help="day it is from, YYYY-MM-DD")],
    gate: Annotated[str | None, typer.Option(help="the gate it bears on, as permit")] = None,
    status: Annotated[
        str | None, typer.Option(help="where that gate stands now: open, done or blocked")
    ] = None,
    about: Annotated[str | None, typer.Option(help="what it is evidence of")] = None,
    confidence: Annotated[str, typer.Option(help="seen, derived, recalled or assumed")] = "seen",
) -> None:
    """Record what was seen about a project; with --gate and --status the gate is set with it."""
    with asked.session() as now:
        record = now.get(project)
        why, source = asked.reason or what, asked.source
        with now.writing(asked.by, why, source) as writer:
            at = None
            if gate is not None:
                fields = filled({"status": status, "done_on": date if status == "done" else None})
                at = put_gate(writer, record.id, now.hub, gate, fields, why, source).id
            seen = {"hub": now.hub, "project": record.id, "gate": at, "about": about, "what": what}
            seen |= {"date": date, "source": source, "confidence": confidence}
            made = writer.add("evidence", seen, why, source)
        tell(now, made, "added")


@project_app.command("history")
@reads
def show_history(
    asked: Asked,
    name: RecordArgument,
    kind: KindOption = "project",
) -> None:
    """Show every version of a record: who changed what, when, why, from which source."""
    with asked.session() as now:
        events = _history(now, kind, now.get(name, kind).id)
    if asked.as_json:
        print_json([event.as_dict() for event in events])
        return
    for line in event_lines(events):
        out.print(line, highlight=False, markup=False, soft_wrap=True)


def _history(now: Session, kind: str, id: str) -> list[Any]:
    source = now.register if now.user is None else now.register.as_user(now.user)
    return source.history(kind, id)
