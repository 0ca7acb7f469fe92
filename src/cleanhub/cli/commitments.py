"""Commands on commitments: list who promised what, and set it against the path of a hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleanhub.cli.output import JsonOption, ScenarioOption, indented, out, print_json, records
from cleanhub.core.errors import FaultList

if TYPE_CHECKING:
    import pandas as pd

commitments_app = typer.Typer(
    help="Commitments: who promised what by when, and where the path stands.", no_args_is_help=True
)

_LISTED = ["commitment_id", "actor", "platform", "sector", "metric", "base_year", "year", "low", "value"]
_LISTED += ["high", "unit", "asset_id", "source_id", "confidence", "note"]
_SEARCHED = ["commitment_id", "actor", "platform", "sector", "metric"]
_CUTS = frozenset({"emissions_cut", "intensity_cut"})
"""Metrics in percent that fall below zero where tonnes grow."""

AboutOption = Annotated[
    str | None,
    typer.Option("--about", help="only those whose actor, platform, sector, metric or id holds this word"),
]


@commitments_app.command("list")
def commitments_list(
    hub: Annotated[
        str | None, typer.Option("--hub", help="a bundled hub's name, or a hub folder; adds its own promises")
    ] = None,
    about: AboutOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every promise of the library, and of a hub where one is named."""
    from cleanhub.hub.library import load_library
    from cleanhub.hub.package import load_hub
    from cleanhub.planning.commitments import commitment_rows

    rows = commitment_rows(load_hub(hub)) if hub else load_library().tables["commitments"]
    rows = _about(rows[_LISTED], about).sort_values(["year", "sector", "commitment_id"], kind="stable")
    if as_json:
        print_json(records(rows))
        return
    out.print(f"\n{len(rows)} promises", style="bold", highlight=False)
    for row in records(rows):
        _say(_head(row))
        _say(f"promised {_amount(row['value'], row['unit'])} [{row['confidence']}, {row['source_id']}]", 6)
    out.print("\ncleanhub commitments gap HUB: where its path stands", style="dim", highlight=False)


@commitments_app.command("gap")
def commitments_gap(
    hub: Annotated[
        str, typer.Argument(help="a bundled hub's name, the folder of a hub package, or a plan folder")
    ] = "california",
    scenario: ScenarioOption = None,
    year: Annotated[
        int | None,
        typer.Option("--year", "-y", help="read the path in this year (default: the year of each promise)"),
    ] = None,
    about: AboutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set every promise against the path of a hub: what is reached, and what is short.

    Of a plan folder the gaps of that plan are read; of a hub the path is walked first. Promises about
    the whole world, of one company or of what buyers buy are shown beside the path without a gap where
    the hub is only a part of what they are about.
    """
    if (Path(hub) / "plan.json").is_file():
        title, hub_name, chosen_name, found = _of_plan(Path(hub), scenario, year)
    else:
        title, hub_name, chosen_name, found = _of_hub(hub, scenario, year)
    found = _about(found, about)
    if as_json:
        data = {"hub": hub_name, "scenario": chosen_name, "year": year, "commitments": records(found)}
        print_json(data)
        return
    when = f" in {year}" if year else ""
    out.print(f"{title}{when}", style="bold", highlight=False, markup=False)
    _print_gap(found)


def _of_plan(folder: Path, scenario: str | None, year: int | None) -> tuple[str, str, str, pd.DataFrame]:
    """Title, hub, scenario and promises of a saved plan."""
    from cleanhub.planning.store import load_plan

    faults = FaultList()
    for option, given in (("--scenario", scenario), ("--year", year)):
        if given is not None:
            faults.add(option, what="a plan is made already", found=given, allowed="with a hub")
    faults.raise_if_any("commitments gap")
    plan = load_plan(folder)
    title = f"{plan.hub_title}: {plan.scenario.title} (plan {plan.id})"
    return title, plan.hub_name, plan.scenario.name, plan.table("commitments")


def _of_hub(hub: str, scenario: str | None, year: int | None) -> tuple[str, str, str, pd.DataFrame]:
    """The same of a hub, whose path is walked."""
    from cleanhub.hub.package import load_hub
    from cleanhub.hub.scenario import load_scenario
    from cleanhub.pathways.engine import run_pathway
    from cleanhub.planning.charging import with_chargers
    from cleanhub.planning.commitments import check_commitments, commitments_table

    loaded = load_hub(hub)
    check_commitments(loaded)
    chosen = load_scenario(scenario or str(loaded.meta.get("default_scenario", "baseline")), loaded)
    found = commitments_table(with_chargers(run_pathway(loaded, chosen)).path, at=year)
    return f"{loaded.title}: {chosen.title}", loaded.name, chosen.name, found


def _about(rows: pd.DataFrame, word: str | None) -> pd.DataFrame:
    """The rows in which the word stands; all of them without a word."""
    if not word:
        return rows
    text = rows[_SEARCHED].astype(str).agg(" ".join, axis=1).str.replace("_", " ")
    return rows[text.str.contains(word, case=False, regex=False)]


def _print_gap(found: pd.DataFrame) -> None:
    rows = records(found.sort_values(["year", "sector", "commitment_id"], kind="stable"))
    compared = [row for row in rows if row["gap"] is not None]
    short = sum(row["gap"] > 0 for row in compared)
    title = f"Compared with the path: {len(compared)}, of which short: {short}"
    out.print(f"\n{title}", style="bold", highlight=False)
    for row in compared:
        _say(_head(row))
        _say(f"{_compared(row)} [{row['confidence']}, {row['source_id']}]", 6)
    rest = [row for row in rows if row["gap"] is None]
    if rest:
        out.print(f"\nNot compared: {len(rest)}", style="bold", highlight=False)
    for row in rest:
        _say(_head(row))
        here = "" if row["pathway"] is None else f", here {_amount(row['pathway'], row['unit'])}"
        _say(f"promised {_amount(row['target'], row['unit'])}{here}: {row['how']}", 6)
    out.print(
        "\nThe path follows from prices and rules; it does not know of promises. A promise that is short on "
        "it says what would have to change, not that it will be broken.",
        style="dim",
        highlight=False,
    )


def _compared(row: dict[str, Any]) -> str:
    """What was promised, what the path has, and how much is missing."""
    wanted, path = (_amount(row[name], row["unit"]) for name in ("target", "pathway"))
    if row["gap"] > 0 and row["metric"] == "net_zero" and row["target"] == 0:
        return f"promised none left, on this path {path} are left"
    if row["metric"] in _CUTS and row["pathway"] < 0:
        path = f"{_amount(-row['pathway'], row['unit'])} more, not less"
    gap = f"short by {_difference(row)}" if row["gap"] > 0 else "kept"
    return f"promised {wanted}, on this path {path}: {gap}"


def _head(row: dict[str, Any]) -> str:
    """When, who and what, with the promise's id."""
    return f"{row['year']}  {row['actor']}: {str(row['metric']).replace('_', ' ')} ({row['commitment_id']})"


def _amount(value: float | None, unit: str) -> str:
    """A number with its unit, to three digits."""
    from cleanhub.report.numbers import scale_for

    scale = scale_for([value], "" if unit == "1" else unit)
    return scale.full(value).replace(" per year", "/yr")


def _difference(row: dict[str, Any]) -> str:
    """The gap; between two shares it is in percentage points."""
    from cleanhub.report.numbers import number

    if row["unit"] == "%":
        return f"{number(row['gap'])} percentage points"
    return _amount(row["gap"], row["unit"])


def _say(text: str, indent: int = 0) -> None:
    out.print(indented(text, indent, 0 if indent else 6), highlight=False, markup=False)
