"""Commands on a register as a whole: back it up, restore, upgrade, prove its history, see what happened."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cleanhub.cli.output import JsonOption, print_json, say
from cleanhub.cli.project import project_app
from cleanhub.cli.register_options import AsOption, RegisterOption
from cleanhub.cli.register_session import DEFAULT_REGISTER, event_lines, session

OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="replace what is there: it is lost unless it was backed up")
]


def add_register_commands(app: typer.Typer) -> None:
    """Add the commands of this module to ``app``."""
    app.add_typer(project_app, name="project")
    for command in (backup, restore, migrate, replay, history):
        app.command()(command)


def backup(
    file: Annotated[Path, typer.Argument(help="file to write")],
    overwrite: OverwriteOption = False,
    register: RegisterOption = None,
    as_json: JsonOption = False,
) -> None:
    """Back a register up into one file, whole, while others go on writing."""
    from cleanhub.register.backup import backup as write_backup

    with session(register, as_json=as_json) as now:
        held = write_backup(now.register, file, overwrite)
    if as_json:
        print_json({"file": str(file), **asdict(held)})
        return
    rows, events = sum(held.rows.values()), held.rows["event"]
    say(f"{file}: {rows} rows, of them {events} events, hash {held.digest[:16]}")


def restore(
    file: Annotated[Path, typer.Argument(help="a file that backup wrote")],
    overwrite: OverwriteOption = False,
    register: RegisterOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a register from a backup; it is compared with the backup, row by row."""
    from cleanhub.register.backup import restore as read_backup
    from cleanhub.register.database import database_url, shown

    where = register or DEFAULT_REGISTER
    held = read_backup(file, where, overwrite)
    place = shown(database_url(where))
    if as_json:
        print_json({"register": place, **asdict(held)})
        return
    say(f"{place}: {sum(held.rows.values())} rows restored, hash {held.digest[:16]}")


def migrate(register: RegisterOption = None, as_json: JsonOption = False) -> None:
    """Upgrade a register that an older cleanhub made. All of it or nothing; no data is lost."""
    from cleanhub.register.database import migrate as upgrade

    before, after = upgrade(register or DEFAULT_REGISTER)
    if as_json:
        print_json({"before": before, "after": after})
        return
    say(f"schema {after} already" if before == after else f"schema {before} -> {after}")


def replay(register: RegisterOption = None, as_json: JsonOption = False) -> None:
    """Rebuild every record from its events and compare: exit 1 if the register is not what they make."""
    with session(register, as_json=as_json) as now:
        found = now.register.replay()
    if as_json:
        print_json([asdict(one) for one in found])
    elif not found:
        say("every record is what its events make of it")
    else:
        for one in found:
            say(f"{one.kind} {one.id}: {one.what}; record {one.row!r}, events {one.events!r}")
    if found:
        raise typer.Exit(1)


def history(
    last: Annotated[int, typer.Option("--last", help="how many events", min=1)] = 20,
    register: RegisterOption = None,
    user: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the latest events of a register; `cleanhub project history ID` shows those of one record."""
    from cleanhub.register.writing import latest_events

    with session(register, user=user, as_json=as_json) as now:
        events = latest_events(now.register, last, user)
    if as_json:
        print_json([event.as_dict() for event in events])
        return
    for line in event_lines(events, whole=True):
        say(line)
