"""The command line: one thin function per command.

Every command takes ``--json`` where a machine might read it. Exit codes: 0 done, 1 failed,
2 bad input.
"""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cleanhub.core.errors import CleanhubError, InputError

if TYPE_CHECKING:
    import pandas as pd

    from cleanhub.planning.plan import Plan

app = typer.Typer(
    name="cleanhub",
    help="Plan a clean industrial hub: which plants, trucks, ships and chargers change, when, "
    "who pays, what still stands in the way, and who breathes better for it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
hub_app = typer.Typer(help="Hubs: list them, show one, check one, begin a new one.", no_args_is_help=True)
app.add_typer(hub_app, name="hub")
validate_app = typer.Typer(help="Check the model against results of others.", no_args_is_help=True)
app.add_typer(validate_app, name="validate")

out = Console(soft_wrap=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

HubArgument = Annotated[str, typer.Argument(help="a bundled hub's name, or the folder of a hub package")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON for machines")]


def main() -> None:
    """Run the command line; faults and failures become one message and an exit code."""
    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except CleanhubError as error:
        _fail(error)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        err.print("stopped")
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        err.print(
            f"failed: {error.strerror or error}{f': {error.filename}' if error.filename else ''}",
            markup=False,
        )
        sys.exit(1)
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            err.print(f"{error.format_message()}\nTry: cleanhub --help", markup=False)
            sys.exit(2)
        raise


def _fail(error: CleanhubError) -> None:
    if "--json" in sys.argv and isinstance(error, InputError):
        _print_json({"error": error.what, "faults": [fault.as_dict() for fault in error.faults]})
    else:
        err.print(str(error), markup=False)
    sys.exit(error.exit_code)


def _print_json(data: Any) -> None:
    sys.stdout.write(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False, default=str) + "\n")


# ---------------------------------------------------------------- plan


@app.command()
def plan(
    hub: Annotated[
        str, typer.Argument(help="a bundled hub's name, or the folder of a hub package")
    ] = "california",
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario", "-s", help="a scenario of the hub, or a YAML file (default: the hub's own)"
        ),
    ] = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out", "-o", help="plan folder (default: plans/HUB-SCENARIO)")
    ] = None,
    seed: Annotated[int, typer.Option(help="seed of every draw", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Plan a hub: write its tables and report, and print the scorecard."""
    import time

    from cleanhub.hub.package import load_hub
    from cleanhub.hub.scenario import load_scenario
    from cleanhub.planning.plan import plan as make_plan
    from cleanhub.planning.store import staged, write_plan
    from cleanhub.report.write import write_report

    began = time.perf_counter()
    with _progress(as_json) as bar:
        task = bar.add_task("reading the hub", total=1.0)
        loaded = load_hub(hub)
        chosen = load_scenario(scenario or str(loaded.meta.get("default_scenario", "baseline")), loaded)
        bar.update(task, completed=0.2)
        result = make_plan(
            loaded,
            chosen,
            seed,
            lambda step, share: bar.update(task, description=step, completed=0.2 + 0.6 * share),
        )
        folder = out_dir or Path("plans") / f"{loaded.name}-{chosen.name}"
        with staged(folder) as staging:
            bar.update(task, description="writing tables", completed=0.85)
            write_plan(result, staging)
            bar.update(task, description="writing the report", completed=0.9)
            write_report(result, staging)
        bar.update(task, description="done", completed=1.0)
    if as_json:
        _print_json(_plan_summary(result, folder))
        return
    _show_plan(result, folder, time.perf_counter() - began)


def _progress(quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description:<20}"),
        BarColumn(bar_width=30),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=quiet or not err.is_terminal,
    )


def _plan_summary(result: Plan, folder: Path) -> dict[str, Any]:
    return {
        "id": result.id,
        "hub": result.hub_name,
        "scenario": result.scenario.name,
        "folder": str(folder),
        "report": str(folder / "report.html"),
        "scorecard": _records(result.scorecard),
        "pending": result.pending,
        "notes": result.notes,
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=15))
    return records


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
    rows = _records(result.scorecard)
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
    out.print(f"report: {folder / 'report.html'}", highlight=False, soft_wrap=True)


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(help="folder of plan A")],
    b: Annotated[Path, typer.Argument(help="folder of plan B")],
    as_json: JsonOption = False,
) -> None:
    """Compare two plans: which inputs differ, then which outputs."""
    from cleanhub.planning.compare import compare as make_comparison

    found = make_comparison(a, b)
    if as_json:
        _print_json(found.as_dict())
        return
    out.print(f"A: {found.a}\nB: {found.b}", highlight=False)
    if found.same:
        out.print("no difference")
        return
    _print_frame("Inputs that differ", found.inputs, 40)
    _print_frame("Headlines and emissions that differ", found.outputs, 60)
    out.print(
        "rows that differ: " + (", ".join(f"{name} {count}" for name, count in found.rows.items()) or "none"),
        highlight=False,
    )


@app.command()
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
        known = ", ".join(keys.unique()[:12]) if len(keys) else ", ".join(frame["table"].unique())
        faults.add(
            "provenance", what="nothing is traced under this key", found=f"{table} {key}", allowed=known
        )
        raise InputError("why", faults.faults)
    if as_json:
        _print_json(_records(rows))
        return
    _print_frame(f"{table}: {key}", rows.drop(columns="table"), 60)


def _print_frame(title: str, frame: pd.DataFrame, most: int) -> None:
    if frame.empty:
        return
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in frame.columns:
        number = str(frame[name].dtype).startswith("float")
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    for _, row in frame.head(most).iterrows():
        table.add_row(*(_cell(value) for value in row))
    out.print()
    out.print(table, highlight=False, markup=False)
    if len(frame) > most:
        out.print(f"({len(frame) - most} more rows; --json lists all)", style="dim", highlight=False)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:,.6g}"
    return "" if value is None else str(value).replace("[", "\\[")


# ---------------------------------------------------------------- hubs


@hub_app.command("list")
def hub_list(as_json: JsonOption = False) -> None:
    """List the bundled hubs."""
    from cleanhub.hub.package import BUNDLED, list_hubs

    rows = []
    for name in list_hubs():
        meta = json.loads((BUNDLED / name / "datapackage.json").read_text(encoding="utf-8"))
        rows.append({"name": name, "title": meta["title"], "version": meta.get("version", "")})
    if as_json:
        _print_json(rows)
        return
    for row in rows:
        out.print(f"{row['name']}  {row['title']} ({row['version']})", highlight=False)


@hub_app.command("show")
def hub_show(hub: HubArgument, as_json: JsonOption = False) -> None:
    """Show what a hub holds: totals with year and source, rows by table, scenarios."""
    import pandas as pd

    from cleanhub.hub.package import load_hub
    from cleanhub.hub.summary import summarise

    found = summarise(load_hub(hub))
    if as_json:
        _print_json(found)
        return
    out.print(
        f"[bold]{found['title']}[/bold] ({found['name']}), "
        f"GWP {found['gwp']}, base year {found['base_year']}",
        highlight=False,
    )
    out.print(found["description"], highlight=False, markup=False)
    figures = pd.DataFrame(found["figures"])
    figures["sources"] = figures["sources"].map(
        lambda ids: ", ".join(ids[:3]) + (" ..." if len(ids) > 3 else "")
    )
    figures["value"] = [f"{value:,.2f}".rstrip("0").rstrip(".") for value in figures["value"]]
    figures["year"] = ["" if pd.isna(year) else str(int(year)) for year in figures["year"]]
    _print_frame("Figures", figures[["title", "value", "unit", "year", "sources"]], 40)
    sectors = pd.DataFrame(found["sectors"])
    if len(sectors):
        _print_frame(
            "Sites by sector", sectors[["sector", "sites_reporting", "sites_emitting", "mt_co2e"]], 40
        )
    inventory = pd.DataFrame(found["inventory"])
    if len(inventory):
        _print_frame("Inventory", inventory[["inventory_sector", "boundary", "mt_co2e", "mt_co2"]], 40)
    out.print(f"\nscenarios: {', '.join(found['scenarios'])}", highlight=False)
    for kind, names in found["names"].items():
        out.print(f"{kind}: {', '.join(names)}", highlight=False)
    out.print(
        "rows: " + ", ".join(f"{name} {count}" for name, count in found["tables"].items()), highlight=False
    )
    for note in found["notes"]:
        out.print(f"note: {note}", highlight=False, markup=False)


@hub_app.command("check")
def hub_check(hub: HubArgument, as_json: JsonOption = False) -> None:
    """Check a hub package and list every fault at once."""
    from cleanhub.hub.package import check_hub

    found = check_hub(hub)
    faults = InputError(f"hub {hub}", found.faults)
    if as_json:
        _print_json(
            {
                "hub": hub,
                "faults": [fault.as_dict() for fault in faults.faults],
                "notes": [note.as_dict() for note in found.notes],
            }
        )
        raise typer.Exit(2 if found.faults else 0)
    for note in found.notes:
        out.print(f"note: {note.line()}", highlight=False, markup=False, soft_wrap=True)
    if found.faults:
        raise faults
    out.print(f"hub {hub}: no fault", highlight=False, soft_wrap=True)


@hub_app.command("new")
def hub_new(
    name: Annotated[str, typer.Argument(help="name of the hub: lower case letters, digits, -")],
    folder: Annotated[Path, typer.Option("--dir", help="where to put its folder")] = Path(),
    title: Annotated[str, typer.Option(help="title of the hub")] = "",
    as_json: JsonOption = False,
) -> None:
    """Begin a new hub: a folder with every table, one example plant and a scenario."""
    from cleanhub.hub.new import new_hub

    target = new_hub(name, folder, title)
    if as_json:
        _print_json({"hub": name, "folder": str(target)})
        return
    out.print(
        f"new hub in {target}\nnext: cleanhub hub check {target}, then cleanhub plan {target}",
        highlight=False,
        soft_wrap=True,
    )


# ---------------------------------------------------------------- validation


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
        _print_json(rows)
        return
    _print_frame(f"Finance cases of {file.name}", pd.DataFrame(rows), 200)


if __name__ == "__main__":
    main()
