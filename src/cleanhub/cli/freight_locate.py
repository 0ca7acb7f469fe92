"""The command ``freight locate``: an exact location model on a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleanhub.cli.output import JsonOption, out, print_frame, print_json

if TYPE_CHECKING:
    from cleanhub.freight.location import Location
    from cleanhub.freight.location_files import LocationFile


def add_locate_command(app: typer.Typer) -> None:
    """Add ``locate`` to ``app``."""
    app.command()(locate)


def locate(
    *,
    model: Annotated[str, typer.Argument(help="p-median, mclp, capacitated, single-source or frlm")],
    file: Annotated[
        Path,
        typer.Argument(help="pmed, cap, holmberg, or CSV: paths, matrix, points (docs: location models)"),
    ],
    p: Annotated[
        int | None, typer.Option("--p", help="sites to open (default: the file's own, if it has one)")
    ] = None,
    range_: Annotated[
        float | None,
        typer.Option(
            "--range", help="mclp: coverage radius; frlm: vehicle range; in the file's unit (points: km)"
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(help="mclp, frlm: what the sites may cost (fixed_cost of the file, else 1 each)"),
    ] = None,
    layout: Annotated[
        str, typer.Option(help="layout of the file (default: recognised by its content)", show_default=False)
    ] = "",
    capacity: Annotated[
        float | None, typer.Option(help="layout cap: number for the word 'capacity' in the file")
    ] = None,
    form: Annotated[
        str, typer.Option(help="p-median: auto, tree, classical, radius or incremental")
    ] = "auto",
    gap: Annotated[float, typer.Option(help="stop at this relative gap; 0 proves the optimum")] = 0.0,
    nodes: Annotated[int | None, typer.Option(help="stop after so many nodes", show_default=False)] = None,
    seconds: Annotated[
        float | None,
        typer.Option(help="stop after so many seconds (results may then differ)", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Choose sites by an exact model: objective, bound, gap and the sites.

    p-median: least weighted distance to p sites. mclp: most weight within --range of p sites or a
    --budget. capacitated, single-source: least fixed and serving cost under capacities, customers
    split or each from one site. frlm: most flow whose round trip p stations make possible at vehicle
    range --range.
    """
    import math

    from cleanhub.freight.location_files import read_location_file
    from cleanhub.freight.location_run import Choices, solve_location
    from cleanhub.freight.location_solver import NO_NODE_LIMIT, Stops

    given = read_location_file(file, layout, capacity)
    stops = Stops(gap, NO_NODE_LIMIT if nodes is None else nodes, math.inf if seconds is None else seconds)
    found = solve_location(model, given, Choices(p, range_, budget, stops, form))
    if as_json:
        print_json(_summary(given, found))
        return
    _show(given, found)


def _summary(given: LocationFile, found: Location) -> dict[str, Any]:
    to_site = [given.sites[site] if site >= 0 else None for site in found.assignment.tolist()]
    finite = abs(found.bound) != float("inf")
    return {
        "model": found.model,
        "file": given.name,
        "layout": given.layout,
        "sense": found.sense,
        "objective": found.objective,
        "bound": found.bound if finite else None,
        "gap": found.gap if finite else None,
        "status": found.status,
        "method": found.method,
        "nodes": found.nodes,
        "chosen": [given.sites[site] for site in found.chosen.tolist()],
        "assignment": {} if found.model == "frlm" else dict(zip(given.customers, to_site, strict=True)),
        "served": dict(zip(given.customers, found.served.tolist(), strict=True))
        if found.sense == "max"
        else {},
        "seconds": round(found.seconds, 3),
    }


def _show(given: LocationFile, found: Location) -> None:
    import numpy as np
    import pandas as pd

    what = "flows" if found.model == "frlm" else "customers"
    size = f"{len(given.sites)} sites, {len(given.customers)} {what}"
    lines = (
        f"{found.model} of {given.name} (layout {given.layout}: {size})",
        f"objective  {found.objective:,.10g} ({'least' if found.sense == 'min' else 'most'})",
        f"bound      {found.bound:,.10g}",
        f"gap        {100.0 * found.gap:.4g} %: {found.status}",
        f"chosen     {len(found.chosen)}: {', '.join(given.sites[site] for site in found.chosen.tolist())}",
        f"by {found.method}, {found.seconds:.2f} s",
    )
    for line in lines:
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    if found.model == "frlm":
        return
    used = found.assignment[found.assignment >= 0]
    served = np.bincount(used, minlength=len(given.sites))[found.chosen]
    weight = np.bincount(used, given.weight[found.assignment >= 0], len(given.sites))[found.chosen]
    names = [given.sites[site] for site in found.chosen.tolist()]
    print_frame(
        "Sites", pd.DataFrame({"site": names, "customers": served.astype(float), "weight": weight}), 30
    )
