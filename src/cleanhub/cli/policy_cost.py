"""The command ``policy cost``: what each programme costs for each tonne, or what its delay moves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from cleanhub.cli.output import JsonOption, ScenarioOption, out, print_json, progress_bar, records, write_csv

if TYPE_CHECKING:
    import pandas as pd

    from cleanhub.hub.scenario import Scenario

_WHO = {
    "public": "public money",
    "market": "those who owe credits, and their customers",
    "emitters": "emitters, to the State",
    "buyers": "truck buyers, and programmes they draw on",
}


def add_cost_command(app: typer.Typer) -> None:
    """Add the command of this module to ``app``."""
    app.command("cost")(policy_cost)


def policy_cost(
    hub: Annotated[
        str, typer.Option("--hub", help="a bundled hub's name, or the folder of a hub package")
    ] = "california",
    scenario: ScenarioOption = None,
    delay: Annotated[
        int, typer.Option(help="compare with a delay by so many years, not with its absence", min=0, max=30)
    ] = 0,
    only: Annotated[
        list[str] | None, typer.Option(help="only this programme, as the table names it; may be repeated")
    ] = None,
    out_file: Annotated[Path | None, typer.Option("--out", "-o", help="write the table as CSV, too")] = None,
    as_json: JsonOption = False,
) -> None:
    """What each programme of a scenario costs for each tonne that it cuts, with low and high.

    Each credit in force, the price on emissions and the rule on truck sales is taken out alone (or with
    --delay comes later) and the path is walked again at central values and at both ends of all ranges.
    """
    from cleanhub.planning.programme_cost import programme_costs
    from cleanhub.planning.register_projects import loaded_hub

    loaded, chosen = loaded_hub(hub, scenario)
    with progress_bar(as_json) as bar:
        task = bar.add_task("walking paths", total=1.0)
        found = programme_costs(
            loaded, chosen, delay, only or (), progress=lambda share: bar.update(task, completed=share)
        )
    if out_file is not None:
        write_csv(found, out_file)
    if as_json:
        print_json({"hub": loaded.name, "scenario": chosen.name, "programmes": records(found)})
        return
    _show(found, loaded.title, chosen, delay)
    if out_file is not None:
        out.print(f"\ntable: {out_file}", highlight=False, soft_wrap=True)


def _show(found: pd.DataFrame, hub: str, scenario: Scenario, delay: int) -> None:
    from cleanhub.planning.programme_cost import years_of

    first, last = years_of(scenario)
    what = f"each delayed by {delay} years" if delay else "each taken out alone"
    out.print(f"\n[bold]{escape(hub)}[/bold]: {escape(scenario.title)}, {what}", highlight=False)
    out.print(
        f"sums of {first} to {last}; USD of {scenario.price_year}, not discounted; illustrative\n",
        highlight=False,
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Programme", no_wrap=True)
    for head in (
        "Mt lost" if delay else "Mt cut",
        "paid, billion USD",
        "paid, USD/t",
        "all costs, USD/t",
    ):
        table.add_column(head, justify="right", overflow="fold")
    table.add_column("paid by", overflow="fold")
    for row in found.to_dict("records"):
        table.add_row(
            str(row["programme"]),
            _ranged(row, "co2e_t", 1e6),
            _ranged(row, "paid_usd", 1e9),
            _ranged(row, "usd_per_t"),
            _ranged(row, "all_costs_usd_per_t"),
            _WHO[str(row["paid_by"])],
        )
    out.print(table, highlight=False)
    for row in found.to_dict("records"):
        if row["note"]:
            out.print(f"note: {row['programme']} {row['note']}", highlight=False)
    if delay:
        out.print(
            "\nA negative number: the delay brings tonnes, since deadlines come later, too.",
            highlight=False,
        )
    out.print(
        "\nin brackets: least and most of central values, all low ends, all high ends. all costs: capital, "
        "energy, operation and storage, whoever pays. Programmes act together: do not add their tonnes. "
        "Per death avoided: not yet in cleanhub.",
        style="dim",
        highlight=False,
    )


def _ranged(row: dict[Any, Any], name: str, divisor: float = 1.0) -> str:
    """The value with its least and most in brackets; a dash where there is none."""
    from cleanhub.report.numbers import is_missing, number

    ends = [row[f"{name}{end}"] for end in ("", "_low", "_high")]
    if is_missing(ends[1]):
        return number(ends[0])
    value, low, high = (number(None if is_missing(one) else one / divisor, 2) for one in ends)
    return f"{value} ({low} to {high})"
