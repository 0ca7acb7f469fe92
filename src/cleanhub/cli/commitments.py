"""Commands on commitments: list who promised what, and set it against the path of a hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cleanhub.cli.output import JsonOption, out, print_frame, print_json, records

if TYPE_CHECKING:
    import pandas as pd

commitments_app = typer.Typer(
    help="Commitments: who promised what by when, and where the path stands.", no_args_is_help=True
)

_LISTED = ["commitment_id", "actor", "platform", "sector", "metric", "base_year", "year", "low", "value"]
_LISTED += ["high", "unit", "asset_id", "source_id", "confidence", "note"]
_MOST = 200


@commitments_app.command("list")
def commitments_list(
    hub: Annotated[
        str | None, typer.Option("--hub", help="a bundled hub's name, or a hub folder; adds its own promises")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List every promise of the library, and of a hub where one is named."""
    from cleanhub.hub.library import load_library
    from cleanhub.hub.package import load_hub
    from cleanhub.planning.commitments import commitment_rows

    rows = commitment_rows(load_hub(hub)) if hub else load_library().tables["commitments"]
    rows = rows[_LISTED].sort_values(["sector", "year", "commitment_id"], kind="stable")
    if as_json:
        print_json(records(rows))
        return
    shown = rows[["commitment_id", "actor", "metric", "year", "value", "unit"]]
    print_frame(f"{len(rows)} promises", shown.rename(columns={"value": "promised"}), _MOST)
    out.print("\ncleanhub commitments gap HUB: where its path stands", style="dim", highlight=False)


@commitments_app.command("gap")
def commitments_gap(
    hub: Annotated[
        str, typer.Argument(help="a bundled hub's name, or the folder of a hub package")
    ] = "california",
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario", "-s", help="a scenario of the hub, or a YAML file (default: the hub's own)"
        ),
    ] = None,
    year: Annotated[
        int | None,
        typer.Option("--year", "-y", help="read the path in this year (default: the year of each promise)"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Set every promise against the path of a hub: what is reached, and what is short.

    Promises about the whole world, of one company or of what buyers buy are shown beside the path
    without a gap where the hub is only a part of what they are about.
    """
    from cleanhub.hub.package import load_hub
    from cleanhub.hub.scenario import load_scenario
    from cleanhub.pathways.engine import run_pathway
    from cleanhub.planning.charging import with_chargers
    from cleanhub.planning.commitments import check_commitments, commitments_table

    loaded = load_hub(hub)
    check_commitments(loaded)
    chosen = load_scenario(scenario or str(loaded.meta.get("default_scenario", "baseline")), loaded)
    found = commitments_table(with_chargers(run_pathway(loaded, chosen)).path, at=year)
    if as_json:
        data = {"hub": loaded.name, "scenario": chosen.name, "year": year, "commitments": records(found)}
        print_json(data)
        return
    when = f" in {year}" if year else ""
    out.print(f"{loaded.title}: {chosen.title}{when}", style="bold", highlight=False, markup=False)
    _print_gap(found)


def _print_gap(found: pd.DataFrame) -> None:
    compared = found["gap"].notna()
    columns = ["commitment_id", "actor", "metric", "year", "target", "pathway", "gap", "unit"]
    ours = found[compared].sort_values(["sector", "year"], kind="stable")
    short = int((ours["gap"] > 0).sum())
    print_frame(f"Compared with the path: {len(ours)}, of which short: {short}", ours[columns], _MOST)
    rest = found[~compared].sort_values(["sector", "year"], kind="stable")
    about = ["commitment_id", "actor", "metric", "year", "target", "pathway", "unit", "how"]
    print_frame(f"Not compared: {len(rest)}", rest[about], _MOST)
