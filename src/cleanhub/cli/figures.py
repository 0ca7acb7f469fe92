"""The command ``figures``: the figures of a plan's report as SVG files with their data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cleanhub.cli.output import JsonOption, out, print_json
from cleanhub.core.errors import FaultList, RunError


def add_figures_command(app: typer.Typer) -> None:
    """Add the command of this module to ``app``."""
    app.command()(figures)


def figures(
    plan_folder: Annotated[Path, typer.Argument(metavar="PLAN", help="plan folder")],
    out_dir: Annotated[Path, typer.Option("--out", "-o", help="folder for the files")] = Path("figures"),
    only: Annotated[
        list[str] | None, typer.Option(help="only this figure, as figures.csv names it; may be repeated")
    ] = None,
    hub: Annotated[
        str | None, typer.Option("--hub", help="folder of the plan's hub, where it is not bundled")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the figures of a plan's report as SVG with their data as CSV, and a list of them."""
    from dataclasses import replace

    from cleanhub.planning.reopen import hub_behind
    from cleanhub.planning.store import load_plan
    from cleanhub.report.figures import INDEX, write_figures

    plan = load_plan(plan_folder)
    plan = replace(plan, hub=hub_behind(plan, hub))
    try:
        written = write_figures(plan, out_dir, only or ())
    except KeyError as error:
        faults = FaultList()
        faults.add("--only", what=str(error.args[0]))
        faults.raise_if_any("figures")
    except OSError as error:
        raise RunError(f"cannot write figures to {out_dir}: {error.strerror or error}") from error
    if as_json:
        print_json({"folder": str(out_dir), "index": INDEX, "figures": written})
        return
    out.print(f"{len(written)} figures in {out_dir}", highlight=False, soft_wrap=True)
    out.print(f"list with titles, units and sources: {out_dir / INDEX}", highlight=False, soft_wrap=True)
