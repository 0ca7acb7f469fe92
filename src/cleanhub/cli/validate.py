"""Commands that lay our figures beside those of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cleanhub.cli.output import JsonOption, err, out, print_frame, print_json, records

if TYPE_CHECKING:
    from cleanhub.pathways.mpp_compare import PathwayCheck

_VERDICTS = {"yes": "inside", "no": "outside", "not measured": "not measured"}

validate_app = typer.Typer(help="Check the model against results of others.", no_args_is_help=True)


@validate_app.command("finance")
def validate_finance(
    file: Annotated[Path, typer.Argument(help="JSON file of cases, with or without results")],
    as_json: JsonOption = False,
) -> None:
    """Run finance reference cases: ours, theirs and the difference."""
    import pandas as pd

    from cleanhub.finance.checks import check_finance
    from cleanhub.hub.library import load_library

    rows = check_finance(file, load_library())
    if as_json:
        print_json(rows)
        return
    print_frame(f"Finance cases of {file.name}", pd.DataFrame(rows), 200)


@validate_app.command("mpp")
def validate_mpp(
    folder: Annotated[Path, typer.Argument(help="folder of results: all, one sector's or one pathway's")],
    seeds: Annotated[int, typer.Option(help="runs of each pathway, with seeds 0, 1, 2 ...")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Run the faithful solver beside its results: mix, ranks, emissions. Exit 1 if any is outside."""
    from dataclasses import asdict

    from cleanhub.pathways.mpp_compare import check_mpp

    checks = check_mpp(folder, seeds)
    if as_json:
        print_json([{**asdict(check), "ok": check.ok} for check in checks])
    else:
        for check in checks:
            _show_check(check)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


@validate_app.command("pathways")
def validate_pathways(
    hub: Annotated[list[str] | None, typer.Option(help="only figures of this hub; may be repeated")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the bundled paths beside published figures. Exit 1 if one that ours must equal differs."""
    from cleanhub.planning.published import NOT_MEASURED, broken, compare_published, shown

    compared = compare_published(hub or None)
    if as_json:
        print_json(records(compared))
    else:
        measured = shown(compared[compared["inside"] != NOT_MEASURED])
        for path, rows in measured.groupby("path", sort=True):
            rows = rows.assign(published=rows["published"] + " " + rows["unit"])
            columns = ["figure", "ours", "published", "difference", "inside", "why"]
            print_frame(f"Published figures beside ours: {path}", rows[columns], len(rows))
        counts = compared["inside"].value_counts()
        words = [f"{counts.get(word, 0)} {said}" for word, said in _VERDICTS.items()]
        out.print(f"\n{', '.join(words)}; --json adds sources and what is not measured", highlight=False)
    wrong = broken(compared)
    if len(wrong):
        err.print(f"must be equal and are not: {', '.join(wrong['figure'])}", highlight=False)
        raise typer.Exit(1)


def _show_check(check: PathwayCheck) -> None:
    import pandas as pd

    tolerance = f", tolerance {check.tolerance}" if check.tolerance else ""
    out.print(
        f"\n[bold]{check.folder}[/bold]: {check.status}, {check.seeds} seeds{tolerance}", highlight=False
    )
    for note in check.notes:
        out.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)
    mix = pd.DataFrame(check.mix)
    print_frame("Production, Mt a year", mix, 500)
    print_frame("Rank tables", pd.DataFrame(check.ranks), 10)
    totals = pd.DataFrame(check.emissions)
    if len(totals):
        totals = totals[(totals["ours"].abs() > 0) | (totals["theirs"].abs() > 0)]
    print_frame("Emissions, Mt a year (no tolerance)", totals, 100)
    outside = 0 if check.ok else sum(not row["ok"] for row in (*check.mix, *check.ranks))
    verdict = "" if check.status != "compared" else f"{outside} of {len(mix) + len(check.ranks)} rows outside"
    out.print(verdict, highlight=False)
