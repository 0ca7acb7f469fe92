"""Commands on hubs: list them, show one, check one, begin a new one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cleanhub.cli.output import HubArgument, JsonOption, out, print_frame, print_json
from cleanhub.core.errors import InputError

hub_app = typer.Typer(help="Hubs: list them, show one, check one, begin a new one.", no_args_is_help=True)


@hub_app.command("list")
def hub_list(as_json: JsonOption = False) -> None:
    """List the bundled hubs."""
    from cleanhub.hub.package import BUNDLED, list_hubs

    rows = []
    for name in list_hubs():
        meta = json.loads((BUNDLED / name / "datapackage.json").read_text(encoding="utf-8"))
        rows.append({"name": name, "title": meta["title"], "version": meta.get("version", "")})
    if as_json:
        print_json(rows)
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
        print_json(found)
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
    print_frame("Figures", figures[["title", "value", "unit", "year", "sources"]], 40)
    sectors = pd.DataFrame(found["sectors"])
    if len(sectors):
        print_frame(
            "Sites by sector", sectors[["sector", "sites_reporting", "sites_emitting", "mt_co2e"]], 40
        )
    inventory = pd.DataFrame(found["inventory"])
    if len(inventory):
        print_frame("Inventory", inventory[["inventory_sector", "boundary", "mt_co2e", "mt_co2"]], 40)
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
        print_json(
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
        print_json({"hub": name, "folder": str(target)})
        return
    out.print(
        f"new hub in {target}\nnext: cleanhub hub check {target}, then cleanhub plan {target}",
        highlight=False,
        soft_wrap=True,
    )


import_app = typer.Typer(help="Make a hub from other people's tables.", no_args_is_help=True)
hub_app.add_typer(import_app, name="import")


@import_app.command("mpp")
def hub_import_mpp(
    folder: Annotated[Path, typer.Argument(help="folder with the solver's input tables (or its parent)")],
    sector: Annotated[str, typer.Option(help="ammonia or aluminium")],
    out_dir: Annotated[Path, typer.Option("--out", "-o", help="folder of the hub to write")],
    as_json: JsonOption = False,
) -> None:
    """Make a hub from the input tables of the Mission Possible Partnership's shared solver."""
    from cleanhub.hub.mpp_import import import_mpp

    solver = import_mpp(folder, sector, out_dir)
    rows = {name: len(frame) for name, frame in solver.frames.items()}
    if as_json:
        print_json({"folder": str(out_dir), "sector": sector, "rows": rows, "notes": list(solver.notes)})
        return
    for note in solver.notes:
        out.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)
    out.print(
        f"{sector} imported to {out_dir}: "
        + ", ".join(f"{name} {count}" for name, count in rows.items())
        + f"\nnext: cleanhub pathways {out_dir} --rule mpp --faithful --pathway bau --out DIR",
        highlight=False,
        soft_wrap=True,
    )
