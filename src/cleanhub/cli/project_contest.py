"""Commands on contested numbers: contest one of a plan or a page, answer it, list them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleanhub.cli.output import print_json, say
from cleanhub.cli.project_talks import ProjectOption
from cleanhub.cli.register_options import Asked, reads, writes
from cleanhub.cli.register_session import Session, filled, tell
from cleanhub.core.errors import FaultList, InputError

if TYPE_CHECKING:
    from cleanhub.register.events import Record


def add_contest_commands(app: typer.Typer) -> None:
    """Add the commands of this module to ``app``."""
    app.command("contest")(contest_number)
    app.command("answer")(answer_number)
    app.command("contested")(list_contested)


@writes
def contest_number(
    asked: Asked,
    where: Annotated[str, typer.Argument(help="table or page that shows the number, as scorecard")],
    claim: Annotated[str, typer.Option(help="what is wrong with it, or what it should be")],
    shown_as: Annotated[
        str | None, typer.Option("--shown", help="the number as shown, with its unit (not with --plan)")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(help="plan folder that holds the number: it is read there, by --key")
    ] = None,
    key: Annotated[str | None, typer.Option(help="row of the table, as `why` knows it")] = None,
    project: ProjectOption = None,
) -> None:
    """Contest a number: it stays open, for all to see, until it is answered."""
    if (shown_as is None) == (plan is None):
        faults = FaultList()
        allowed = "the number in words (--shown), or the plan folder that holds it (--plan, --key)"
        faults.add("--shown", what="which number?", allowed=allowed)
        raise InputError("not contested", faults.faults)
    with asked.session() as now:
        if plan is not None:
            shown_as = _read_in(plan, now.hub, where, key)
        fields = {"hub": now.hub, "where_shown": where, "shown": shown_as, "claim": claim}
        why, source = asked.reason or claim, asked.source
        fields |= filled(
            {"key": key, "source": source or None, "project": now.get(project).id if project else None}
        )
        with now.writing(asked.by, why, source) as writer:
            fields["raised_by"] = asked.user or asked.by
            made = writer.add("contested_number", fields, why, source)
        tell(now, made, "added, open")


def _read_in(folder: Path, hub: str, table: str, key: str | None) -> str:
    """A number of a saved plan with its unit and the plan's id, as its provenance has it."""
    from cleanhub.planning.store import load_plan
    from cleanhub.report.numbers import scale_for

    plan, faults = load_plan(folder), FaultList()
    if plan.hub_name != hub:
        faults.add("--plan", what="a plan of another hub", found=plan.hub_name, allowed=hub)
    traced = plan.table("provenance")
    traced = traced[traced["table"] == table]
    rows = traced[(traced["key"] == key) & traced["value"].notna()]
    if rows.empty:
        known = ", ".join(traced["key"].unique()[:12]) or "a table that cleanhub why knows"
        what = "no number of the plan has this key" if len(traced) else "no number of this table is traced"
        faults.add("--key", what=what, found=f"{table} {key or ''}".strip(), allowed=known)
    faults.raise_if_any("not contested")
    value, unit = float(rows["value"].iloc[0]), str(rows["unit"].iloc[0])
    return f"{scale_for([value], unit).full(value)} (plan {plan.id})"


@writes
def answer_number(
    asked: Asked,
    number: Annotated[
        str, typer.Argument(metavar="ID", help="its id, or TABLE:KEY if one number of it is open")
    ],
    what: Annotated[str, typer.Option(help="the answer")],
    date: Annotated[str, typer.Option(help="day of the answer, YYYY-MM-DD")],
    changed: Annotated[
        bool | None, typer.Option("--changed/--stands", help="whether the number was changed, or stands")
    ] = None,
) -> None:
    """Answer a contested number: it was changed, or it stands, because ..."""
    if changed is None:
        faults = FaultList()
        faults.add("--changed", what="not said", allowed="--changed or --stands")
        raise InputError("not answered", faults.faults)
    with asked.session() as now:
        contested = _contested(now, number)
        why, source = asked.reason or what, asked.source
        with now.writing(asked.by, why, source) as writer:
            fields: dict[str, Any] = {
                "hub": contested.hub,
                "contested_number": contested.id,
                "what": what,
                "date": date,
            }
            fields |= {"answered_by": asked.user or asked.by, "changed": changed, "source": source or None}
            made = writer.add("answer", fields, why, source)
            status = {"status": "corrected" if changed else "answered"}
            writer.edit("contested_number", contested.id, contested.version, status, why, source)
        tell(now, made, f"added, the number {'was changed' if changed else 'stands'}")


def _contested(now: Session, name: str) -> Record:
    """A contested number by its id, or the one open number of that table and key."""
    table, _, key = name.partition(":")
    found = now.reader.find(
        "contested_number", hub=now.hub, where_shown=table, key=key or None, status="open"
    )
    if len(found) > 1:
        faults = FaultList()
        ids = ", ".join(one.id for one in found)
        faults.add("ID", what=f"{len(found)} open numbers are called so", found=name, allowed=ids)
        raise InputError("not answered", faults.faults)
    return found[0] if found else now.get(name, "contested_number")


@reads
def list_contested(
    asked: Asked,
    open_only: Annotated[bool, typer.Option("--open", help="those without an answer")] = False,
) -> None:
    """List contested numbers with their answers."""
    with asked.session() as now:
        equal: dict[str, Any] = {"status": "open"} if open_only else {}
        found = now.reader.find("contested_number", hub=now.hub, **equal)
        answers = now.reader.find("answer", hub=now.hub)
    of = {one.id: [answer for answer in answers if answer["contested_number"] == one.id] for one in found}
    if asked.as_json:
        print_json(
            [one.as_dict() | {"answers": [answer.as_dict() for answer in of[one.id]]} for one in found]
        )
        return
    if not found:
        say("no contested number" + (" is open" if open_only else ""))
    for one in found:
        key = f" {one['key']}" if one["key"] else ""
        say(f"{one['where_shown']}{key}: {one['shown']}, {one['status']} ({one.id})")
        say(f"  {one['raised_by']}: {one['claim']}")
        for answer in of[one.id]:
            say(f"  {answer['date']} {answer['answered_by']}: {answer['what']}")
