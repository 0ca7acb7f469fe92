"""The command ``assumptions``: the recalled and assumed numbers behind a plan, to put out for comment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cleanhub.cli.output import JsonOption, out, print_frame, print_json, records, write_csv


def add_assumptions_command(app: typer.Typer) -> None:
    """Add the command of this module to ``app``."""
    app.command()(assumptions)


def assumptions(
    plan_folder: Annotated[Path, typer.Argument(metavar="PLAN", help="plan folder")],
    out_file: Annotated[Path | None, typer.Option("--out", "-o", help="CSV file to write")] = None,
    hub: Annotated[
        str | None, typer.Option("--hub", help="folder of the plan's hub, where it is not bundled")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the recalled and assumed numbers that a plan uses, and the headlines that rest on them.

    One row a number: value, low, high, unit, confidence, source, headlines, note. Numbers that this
    plan cannot have used are left out.
    """
    from cleanhub.planning.assumptions import assumptions_table
    from cleanhub.planning.reopen import hub_behind
    from cleanhub.planning.store import load_plan

    plan = load_plan(plan_folder)
    found = assumptions_table(hub_behind(plan, hub), plan.scenario, plan.scorecard)
    if out_file is not None:
        write_csv(found, out_file)
    if as_json:
        print_json(records(found))
        return
    counts = (
        found.assign(ranged=found["low"].notna() & found["high"].notna())
        .groupby(["table", "confidence"], as_index=False)
        .agg(numbers=("key", "size"), with_a_range=("ranged", "sum"))
    )
    weak, ranged = len(found), int(counts["with_a_range"].sum())
    out.print(
        f"plan {plan.id}, {plan.hub_title}: {plan.scenario.title} (as of {plan.scenario.as_of})\n"
        f"{weak:,} numbers that it uses are recalled or assumed, {ranged:,} of them with a range",
        highlight=False,
    )
    print_frame("", counts, 100)
    if out_file is None:
        out.print("\nthe list itself: --out FILE.csv, or --json", style="dim", highlight=False)
    else:
        out.print(f"\nlist: {out_file}", highlight=False, soft_wrap=True)
