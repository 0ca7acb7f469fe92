"""Commands on what people say and agree: meetings, agreements, who may do what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from cleanhub.cli.output import print_json, say
from cleanhub.cli.register_options import Asked, reads, writes
from cleanhub.cli.register_session import filled, shown, tell
from cleanhub.core.errors import FaultList

convening_app = typer.Typer(help="Meetings: who came, what hurts, what was decided, who does what.")
agreement_app = typer.Typer(help="Agreements with communities and labour, and the steps towards them.")
member_app = typer.Typer(help="Who may do what: roles of logins in a hub or in one project.")

ProjectOption = Annotated[str | None, typer.Option("--project", help="the project it is about, as CA-001")]
_PARTS = ("participant", "pain_point", "decision", "follow_up")


def _split(
    texts: Sequence[str] | None, option: str, names: Sequence[str], faults: FaultList
) -> list[dict[str, str]]:
    """The parts of each text, which stand with ``;`` between."""
    found = []
    for text in texts or ():
        parts = [part.strip() for part in text.split(";")]
        if len(parts) != len(names) or not all(parts):
            faults.add(option, what="not understood", found=text, allowed=f'"{"; ".join(names)}"')
            continue
        found.append(dict(zip(names, parts, strict=True)))
    return found


# ---------------------------------------------------------------- meetings


@convening_app.command("add")
@writes
def add_convening(
    asked: Asked,
    title: Annotated[str, typer.Argument(help="title of the meeting")],
    date: Annotated[str, typer.Option(help="day it was held, YYYY-MM-DD")],
    place: Annotated[str | None, typer.Option(help="place")] = None,
    purpose: Annotated[str | None, typer.Option(help="what it was for")] = None,
    participant: Annotated[
        list[str] | None, typer.Option(help='"NAME; ROLE", a role as port or community; may be repeated')
    ] = None,
    pain_point: Annotated[
        list[str] | None,
        typer.Option("--pain-point", help='"BARRIER; WHAT", permitting, foak_capital, policy or other'),
    ] = None,
    decision: Annotated[list[str] | None, typer.Option(help='"WHAT; WHO DECIDED"')] = None,
    follow_up: Annotated[
        list[str] | None, typer.Option("--follow-up", help='"WHAT; WHO DOES IT; BY YYYY-MM-DD"')
    ] = None,
    project: ProjectOption = None,
    gate: Annotated[str | None, typer.Option(help="the gate of the project that all this bears on")] = None,
) -> None:
    """Record a meeting with all that came of it, in one go."""
    faults = FaultList()
    if gate and not project:
        faults.add("--gate", what="of which project?", found=gate, allowed="with --project")
    people = _split(participant, "--participant", ("name", "role"), faults)
    pains = _split(pain_point, "--pain-point", ("barrier", "what"), faults)
    decisions = _split(decision, "--decision", ("what", "decided_by"), faults)
    tasks = _split(follow_up, "--follow-up", ("what", "owner", "due"), faults)
    faults.raise_if_any("meeting not added")
    with asked.session() as now:
        about = {"hub": now.hub, "project": now.get(project).id if project else None}
        at = f"{about['project']}:{gate}" if gate else None
        why, source = asked.reason or f"meeting of {date}", asked.source
        with now.writing(asked.by, why, source) as writer:
            fields = filled({"title": title, "date": date, "place": place, "purpose": purpose})
            made = writer.add("convening", about | fields, why, source)
            of = about | {"convening": made.id}
            for one in people:
                writer.add("participant", of | one, why, source)
            for kind, found in (("pain_point", pains), ("decision", decisions), ("follow_up", tasks)):
                for one in found:
                    day = {"date": date} if kind == "decision" else {}
                    writer.add(kind, of | {"gate": at} | one | day, why, source)
        tell(now, made, "added")


@convening_app.command("list")
@reads
def list_convenings(
    asked: Asked,
    project: ProjectOption = None,
) -> None:
    """List meetings with who came, what hurts, what was decided and what is still to be done."""
    with asked.session() as now:
        equal: dict[str, Any] = {"project": now.get(project).id} if project else {}
        found = now.reader.find("convening", hub=now.hub, **equal)
        parts = {kind: now.reader.find(kind, hub=now.hub) for kind in _PARTS}
    of = {
        one.id: {kind: [part for part in all_ if part["convening"] == one.id] for kind, all_ in parts.items()}
        for one in found
    }
    if asked.as_json:
        data = [
            one.as_dict() | {kind: [part.as_dict() for part in some] for kind, some in of[one.id].items()}
            for one in found
        ]
        print_json(data)
        return
    for one in found:
        about = f", {one['project']}" if one["project"] else ""
        say(f"{one['date']} {one['title']} ({one.id}{about})")
        mine = of[one.id]
        for part in mine["participant"]:
            say(f"  {part['name']} ({part['role']})")
        for part in mine["pain_point"]:
            say(f"  {part['barrier']}: {part['what']}")
        for part in mine["decision"]:
            say(f"  decided: {part['what']} ({part['decided_by']})")
        for part in mine["follow_up"]:
            say(f"  {part['status']}: {part['what']}, {part['owner']} by {part['due']} ({part.id})")


# ---------------------------------------------------------------- agreements


@agreement_app.command("add")
@writes
def add_agreement(
    asked: Asked,
    title: Annotated[str, typer.Argument(help="title of the agreement")],
    kind: Annotated[str, typer.Option(help="community_benefits, labour, host or tribal")],
    community: Annotated[str, typer.Option(help="with whom")],
    status: Annotated[str, typer.Option(help="in_talks, signed or ended")] = "in_talks",
    signed_on: Annotated[
        str | None, typer.Option("--signed-on", help="day it was signed, YYYY-MM-DD")
    ] = None,
    ends_on: Annotated[str | None, typer.Option("--ends-on", help="day it ends, YYYY-MM-DD")] = None,
    terms: Annotated[str | None, typer.Option(help="what it gives, to whom")] = None,
    step: Annotated[
        list[str] | None, typer.Option(help='"WHAT; WHO; BY YYYY-MM-DD", a step or duty; may be repeated')
    ] = None,
    project: ProjectOption = None,
) -> None:
    """Record an agreement, made or sought, with its steps: who promised what by when."""
    faults = FaultList()
    steps = _split(step, "--step", ("what", "owner", "date"), faults)
    faults.raise_if_any("agreement not added")
    with asked.session() as now:
        about = {"hub": now.hub, "project": now.get(project).id if project else None}
        fields: dict[str, Any] = {"title": title, "kind": kind, "community": community, "status": status}
        fields |= filled(
            {"signed_on": signed_on, "ends_on": ends_on, "terms": terms, "source": asked.source or None}
        )
        with now.writing(asked.by, asked.reason, asked.source) as writer:
            made = writer.add("agreement", about | fields, asked.reason, asked.source)
            for one in steps:
                step_fields = about | {"agreement": made.id} | one
                writer.add("agreement_step", step_fields, asked.reason, asked.source)
        tell(now, made, "added")


@agreement_app.command("list")
@reads
def list_agreements(
    asked: Asked,
    project: ProjectOption = None,
) -> None:
    """List agreements with their steps and duties: who promised what by when."""
    with asked.session() as now:
        equal: dict[str, Any] = {"project": now.get(project).id} if project else {}
        found = now.reader.find("agreement", hub=now.hub, **equal)
        steps = now.reader.find("agreement_step", hub=now.hub)
    of = {one.id: [step for step in steps if step["agreement"] == one.id] for one in found}
    if asked.as_json:
        print_json([one.as_dict() | {"steps": [step.as_dict() for step in of[one.id]]} for one in found])
        return
    for one in found:
        about = f", {one['project']}" if one["project"] else ""
        say(f"{one['title']} with {one['community']}: {one['kind']}, {one['status']} ({one.id}{about})")
        for step in of[one.id]:
            say(f"  {step['date']} {step['what']}, {shown(step['owner'])}: {step['status']} ({step.id})")


# ---------------------------------------------------------------- members


@member_app.command("add")
@writes
def add_member(
    asked: Asked,
    login: Annotated[str, typer.Argument(help="login of the person")],
    role: Annotated[str, typer.Option(help="admin, editor, member or public")],
    project: ProjectOption = None,
) -> None:
    """Give a login a role in a hub, or in one project of it; a role it has is changed."""
    with asked.session() as now:
        about = now.get(project).id if project else None
        reason, source = asked.reason, asked.source
        with now.writing(asked.by, reason, source) as writer:
            known = writer.now.find("membership", hub=now.hub, login=login, project=about, withdrawn=None)
            if known:
                change: dict[str, Any] = {"role": role}
                change |= {"withdrawn": False} if known[0]["withdrawn"] else {}
                made = writer.edit("membership", known[0].id, known[0].version, change, reason, source)
            else:
                fields = {"hub": now.hub, "project": about, "login": login, "role": role}
                made = writer.add("membership", fields, reason, source)
        tell(now, made, f"is {role} in {about or now.hub}")


@member_app.command("list")
@reads
def list_members(
    asked: Asked,
) -> None:
    """List who has which role, in the hub and in its projects."""
    with asked.session() as now:
        found = now.reader.find("membership", hub=now.hub)
    if asked.as_json:
        print_json([one.as_dict() for one in found])
        return
    for one in found:
        say(f"{one['login']}: {one['role']} in {one['project'] or one['hub']} ({one.id})")
