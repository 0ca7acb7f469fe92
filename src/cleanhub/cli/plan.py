"""Commands on plans: make one, compare two, ask where a number came from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from cleanhub.cli.compare import compare
from cleanhub.cli.output import JsonOption, ScenarioOption, out, print_json, progress_bar, records
from cleanhub.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from cleanhub.planning.plan import Plan


def add_plan_commands(app: typer.Typer) -> None:
    """Add the commands of this module to ``app``."""
    for command in (plan, compare, why):
        app.command()(command)


def plan(
    hub: Annotated[
        str, typer.Argument(help="a bundled hub's name, or the folder of a hub package")
    ] = "california",
    scenario: ScenarioOption = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out", "-o", help="plan folder (default: plans/HUB-SCENARIO)")
    ] = None,
    seed: Annotated[int, typer.Option(help="seed of every draw", min=0)] = 0,
    register: Annotated[
        str | None,
        typer.Option(help="take the projects from this register (a file or URL), not from the package"),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option("--as", help="of the register, what this login may see (default: all, as its owner)"),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="compute every step, also those remembered from earlier plans"),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Plan a hub: write its tables and report, and print the scorecard."""
    import time

    from cleanhub.core.aside import aside
    from cleanhub.core.memory import remembering
    from cleanhub.planning.plan import plan as make_plan
    from cleanhub.planning.register_projects import loaded_hub
    from cleanhub.planning.store import staged, write_heads, write_tables
    from cleanhub.report.remembered import write_remembered

    began = time.perf_counter()
    with remembering(fresh), progress_bar(as_json) as bar:
        task = bar.add_task("reading the hub", total=1.0)
        loaded, chosen = loaded_hub(hub, scenario, register, user)
        folder = out_dir or Path("plans") / f"{loaded.name}-{chosen.name}"
        with staged(folder) as staging:
            result = make_plan(
                loaded,
                chosen,
                seed,
                lambda step, share: bar.update(task, description=step, completed=0.2 + 0.6 * share),
            )
            bar.update(task, description="writing", completed=0.85)
            tables_written = aside(lambda: write_tables(result, staging))
            write_remembered(result, staging, result.inputs)
            tables_written()
            write_heads(result, staging)
    if as_json:
        print_json(_plan_summary(result, folder))
        return
    _show_plan(result, folder, time.perf_counter() - began)


def _plan_summary(result: Plan, folder: Path) -> dict[str, Any]:
    return {
        "id": result.id,
        "hub": result.hub_name,
        "scenario": result.scenario.name,
        "folder": str(folder),
        "report": str(folder / "report.html"),
        "scorecard": records(result.scorecard),
        "pending": result.pending,
        "notes": result.notes,
    }


def _show_plan(result: Plan, folder: Path, seconds: float) -> None:
    from cleanhub.report.numbers import number, scale_for

    out.print(
        f"\n[bold]{result.hub_title}[/bold]: {result.scenario.title} (as of {result.scenario.as_of})\n",
        highlight=False,
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Headline", max_width=50)
    table.add_column("Value", justify="right", no_wrap=True)
    wide = out.width >= 100  # on a narrow terminal the range is left to the report
    if wide:
        table.add_column("Range", justify="right", no_wrap=True)
    table.add_column("Target", no_wrap=True)
    table.add_column("", no_wrap=True)
    rows = records(result.scorecard)
    for row in rows:
        unit = "USD" if str(row["unit"]).startswith("USD") else str(row["unit"])
        scale = scale_for([row["value"]], unit)
        value = (
            f"{number(row['value'])} {unit}"
            if scale.divisor == 1 and unit != "%"
            else scale.full(row["value"])
        )
        ends = "" if row["low"] is None else f"{scale.show(row['low'])} to {scale.show(row['high'])}"
        met = {"yes": "met", "no": "missed"}.get(str(row["met"]), "")
        target = "" if row["target"] is None else f"{scale.show(row['target'])} {met}"
        year = "" if row["year"] is None else f", {int(row['year'])}"
        mark = "illustrative" if row["illustrative"] else ""
        cells = [f"{row['title']}{year}", value.replace(" per year", "/yr"), target, mark]
        table.add_row(*(cells[:2] + [ends] * wide + cells[2:]))
    out.print(table, highlight=False)
    need = rows[0]["note"]
    out.print(f"\n{need}", highlight=False, style="dim")
    out.print(
        "illustrative: more than 30 % of it rests on recalled or assumed inputs", style="dim", highlight=False
    )
    for note in result.notes[:10]:
        out.print(f"note: {note}", highlight=False, markup=False)
    out.print(f"not built yet: {', '.join(result.pending)}", style="dim", highlight=False)
    out.print(f"\nplan {result.id} in {folder}, {seconds:.1f} s", highlight=False, soft_wrap=True)
    if (folder / "blueprint.html").is_file():
        out.print(f"blueprint: {folder / 'blueprint.html'}", highlight=False, soft_wrap=True)
    out.print(
        f"limits: {folder / 'report.html'}#method, what this model cannot tell you",
        highlight=False,
        soft_wrap=True,
    )
    out.print(f"report: {folder / 'report.html'}", highlight=False, soft_wrap=True)


def why(
    plan_folder: Annotated[Path, typer.Argument(metavar="PLAN", help="plan folder")],
    table: Annotated[str, typer.Argument(help="table of the number, for example scorecard or drivers")],
    key: Annotated[str, typer.Argument(help="key of its row, or the beginning of it")],
    as_json: JsonOption = False,
) -> None:
    """Show where a number of a plan came from: value, source, confidence and licence."""
    from cleanhub.core.errors import FaultList
    from cleanhub.planning.store import load_plan

    frame = load_plan(plan_folder).table("provenance")
    rows = frame[(frame["table"] == table) & frame["key"].str.startswith(key)]
    if rows.empty:
        faults = FaultList()
        keys = frame.loc[frame["table"] == table, "key"]
        known = _near(key, list(keys.unique())) if len(keys) else list(frame["table"].unique())
        faults.add(
            "provenance",
            what="nothing is traced under this key",
            found=f"{table} {key}",
            allowed=", ".join(known),
        )
        raise InputError("why", faults.faults)
    if as_json:
        print_json(records(rows))
        return
    _show_why(f"{table}: {key}", rows)


def _show_why(title: str, rows: pd.DataFrame) -> None:
    """Each number once, with its confidence, then the sources it rests on with their licences."""
    from cleanhub.report.numbers import scale_for

    out.print(f"\n{title}", style="bold", highlight=False, markup=False)
    told = None
    for row in records(rows):
        number = f"{row['key']}"
        if row["value"] is not None:
            number += f" = {scale_for([row['value']], row['unit']).full(row['value'])}"
        number += f" [{row['confidence']}]"
        if number != told:
            out.print(number, highlight=False, markup=False)
            told = number
        out.print(f"    {row['source_id']}: {row['licence']}", highlight=False, markup=False)
    out.print(
        "\nconfidence is that of the number: the weakest of all it rests on; --json gives all digits.",
        style="dim",
        highlight=False,
    )


def _near(key: str, keys: list[str]) -> list[str]:
    """The keys that ``key`` may have meant: of the same thing in another year, else the nearest names."""
    import difflib
    import re

    def stem(text: str) -> str:
        return re.split("[@/]", text)[0]

    same = [one for one in keys if stem(one) == stem(key)]
    stems = list(dict.fromkeys(stem(one) for one in keys))
    return same[:40] or difflib.get_close_matches(stem(key), stems, 4) or stems[:12]
