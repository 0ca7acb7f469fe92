"""Commands that bring records into a register as a table and take them out again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleanhub.cli.output import JsonOption, out, print_json, say
from cleanhub.cli.register_options import Asked, makes, reads
from cleanhub.cli.register_session import Session, check_hub_name, shown
from cleanhub.core.errors import CleanhubError, FaultList, InputError

if TYPE_CHECKING:
    from cleanhub.register.sheets import Sheet
    from cleanhub.register.table_import import Change, ImportResult

KindOption = Annotated[
    str, typer.Option("--kind", help="what the rows are: project, gate, evidence, commitment or agreement")
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="replace the file if it is there")]
_SHOWN = 20


def add_table_commands(app: typer.Typer) -> None:
    """Add the commands of this module to ``app``."""
    app.command("import")(import_records)
    app.command("export")(export_records)
    app.command("template")(write_template)


@makes
def import_records(
    asked: Asked,
    file: Annotated[Path | None, typer.Argument(help="a table: .csv or .xlsx, or .json of an export")] = None,
    packaged: Annotated[
        str | None, typer.Option("--packaged", help="take over the projects of a hub package instead")
    ] = None,
    kind: KindOption = "project",
    column: Annotated[
        list[str] | None, typer.Option("--column", help="FIELD=HEADER: which column it is; may be repeated")
    ] = None,
    said: Annotated[
        list[str] | None,
        typer.Option("--set", help="FIELD=VALUE where a row says nothing; may be repeated"),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option("--sheet", help="sheet of a workbook (default: its first)")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what would be added and changed; change nothing")
    ] = False,
    bad_rows: Annotated[
        Path | None,
        typer.Option("--bad-rows", help="file for rows to fix (default: NAME-to-fix.csv beside it)"),
    ] = None,
) -> None:
    """Import a table, all of it or nothing; columns are recognised by their names and units.

    Rows that cannot be imported are listed, and written to a CSV file with a column that says why.
    """
    if (file is None) == (packaged is None):
        faults = FaultList()
        faults.add("import", what="nothing to import, or two things", allowed="a file, or --packaged HUB")
        raise InputError("import", faults.faults)
    made = not dry_run
    with asked.session(packaged, make_default=made) as now:
        check_hub_name(now)
        if file is None:
            _import_packaged(now, str(packaged), asked)
            return
        _import_file(now, file, kind, column, said, sheet, dry_run, bad_rows, asked)


def _import_packaged(now: Session, packaged: str, asked: Asked) -> None:
    from cleanhub.hub.package import load_hub
    from cleanhub.register.hub_projects import load_packaged

    if now.user is not None:
        faults = FaultList()
        faults.add(
            "--as", what="not with --packaged", allowed="the owner of the register takes a package over"
        )
        raise InputError("import", faults.faults)
    hub = load_hub(packaged)
    signed = now.signature(asked.by, asked.reason or f"taken over from the package of {hub.title}")
    loaded = load_packaged(now.register, hub, signed.by, signed.reason)
    if now.as_json:
        print_json({"hub": hub.name, "added": list(loaded.added), "kept": list(loaded.kept)})
        return
    kept = f"; {len(loaded.kept)} were there already and stay as they are" if loaded.kept else ""
    out.print(f"{len(loaded.added)} projects of {hub.title} added, public{kept}", highlight=False)


def _import_file(
    now: Session,
    file: Path,
    kind: str,
    column: list[str] | None,
    said: list[str] | None,
    sheet: str | None,
    dry_run: bool,
    bad_rows: Path | None,
    asked: Asked,
) -> None:
    from cleanhub.register.sheets import write_whole
    from cleanhub.register.table_import import fix_file, import_table

    faults = FaultList()
    columns, constants = _pairs(column, "--column", faults), _pairs(said, "--set", faults)
    faults.raise_if_any("import")
    signature = now.signature(asked.by, asked.reason or f"imported from {file.name}", asked.source)
    read = _read(file, sheet, faults)
    result = import_table(
        now.register,
        read,
        kind,
        now.hub,
        signature,
        said=columns,
        constants=constants,
        dry_run=dry_run,
        faults=faults,
    )
    to_fix = None
    if result.bad_rows:
        to_fix = bad_rows or fix_file(file)
        write_whole(to_fix, result.rows_to_fix().encode(), overwrite=True)
    if now.as_json and not result.faults and not result.conflicts:
        print_json(_data(result, dry_run))
    elif not now.as_json:
        _tell(result, dry_run, to_fix)
    try:
        result.raise_if_any()
    except CleanhubError as error:
        error.args = (f"{error}{f'{chr(10)}rows to fix: {to_fix}' if to_fix else ''}",)
        raise


def _read(file: Path, sheet: str | None, faults: FaultList) -> Sheet:
    from cleanhub.register.sheets import read_sheet
    from cleanhub.register.table_export import read_json

    return read_json(file, faults) if file.suffix.lower() == ".json" else read_sheet(file, faults, sheet)


def _pairs(texts: list[str] | None, option: str, faults: FaultList) -> dict[str, str]:
    pairs = {}
    for text in texts or []:
        name, sign, value = text.partition("=")
        if not sign:
            faults.add(option, what="no =", found=text, allowed="FIELD=...")
        pairs[name.strip()] = value.strip()
    return pairs


def _change_data(change: Change) -> dict[str, Any]:
    fields = {name: {"from": old, "to": new} for name, (old, new) in change.fields.items()}
    return {"row": change.row, "id": change.id, "fields": fields}


def _data(result: ImportResult, dry_run: bool) -> dict[str, Any]:
    return {
        "file": result.sheet.name,
        "kind": result.kind,
        "dry_run": dry_run,
        "written": result.written,
        "columns": [
            {"column": one.name, "field": one.field, "how": one.how, "unit": one.unit, "factor": one.factor}
            for one in result.columns.read
        ],
        "constants": result.columns.constants,
        "unused": list(result.columns.unused),
        "added": [_change_data(change) for change in result.added],
        "changed": [_change_data(change) for change in result.changed],
        "unchanged": result.unchanged,
        "behind": result.behind,
    }


def _tell(result: ImportResult, dry_run: bool, to_fix: Path | None) -> None:
    say(f"{result.sheet.name}: {len(result.sheet.rows)} rows, read as {result.kind}")
    if result.sheet.remark:
        say(f"  {result.sheet.remark}")
    for line in result.columns.lines():
        say(f"  {line}")
    stopped = bool(result.faults or result.conflicts)
    would = "would be " if dry_run or stopped else ""
    for word, changes in (("added", result.added), ("changed", result.changed)):
        for change in changes[:_SHOWN] if dry_run or word == "changed" else ():
            fields = (
                ""
                if word == "added"
                else ": "
                + "; ".join(
                    f"{name} {shown(old) or 'empty'} -> {shown(new) or 'empty'}"
                    for name, (old, new) in change.fields.items()
                )
            )
            say(f"  row {change.row}: {change.id} {change.title} {would}{word}{fields}")
        if len(changes) > _SHOWN and (dry_run or word == "changed"):
            say(f"  ({len(changes) - _SHOWN} more {word}; --json lists all)")
    behind = f", {result.behind} of an older version that say nothing new" if result.behind else ""
    counts = f"{len(result.added)} added, {len(result.changed)} changed, {result.unchanged} unchanged{behind}"
    if stopped:
        count = len(result.bad_rows)
        rows = f": {count} row{'s' * (count > 1)} to fix" if count else ""
        say(f"nothing was changed{rows}")
    else:
        say(f"{'would be: ' if dry_run else ''}{counts}")
    if to_fix is not None:
        say(f"rows to fix: {to_fix}")


@reads
def export_records(
    asked: Asked,
    file: Annotated[Path, typer.Argument(help="file to write: .csv, .xlsx or .json")],
    kind: KindOption = "project",
    overwrite: OverwriteOption = False,
) -> None:
    """Export what you may see of a hub with ids and versions; imported again it changes nothing."""
    from cleanhub.register.sheets import write_whole
    from cleanhub.register.table_export import export_table, exported

    form = file.suffix.lower().removeprefix(".")
    with asked.session() as now:
        data = export_table(now.reader, kind, now.hub, form)
        count = len(exported(now.reader, kind, now.hub))
        write_whole(file, data, overwrite)
    if asked.as_json:
        print_json({"file": str(file), "kind": kind, "hub": now.hub, "records": count})
    else:
        out.print(f"{count} records of kind {kind} in {file}", highlight=False, markup=False, soft_wrap=True)


def write_template(
    file: Annotated[Path, typer.Argument(help="file to write: .xlsx (with a sheet that explains) or .csv")],
    kind: KindOption = "project",
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write an empty table to fill in and import."""
    from cleanhub.hub.library import load_library
    from cleanhub.register.sheets import write_whole
    from cleanhub.register.table_export import table_template

    form = file.suffix.lower().removeprefix(".")
    write_whole(file, table_template(kind, form, load_library()), overwrite)
    if as_json:
        print_json({"file": str(file), "kind": kind})
    else:
        out.print(
            f"fill in {file}, then: cleanhub project import {file} --dry-run", markup=False, soft_wrap=True
        )
