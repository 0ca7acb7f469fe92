"""The command ``freight trips``: a user's own trips or GPS stops, checked, mended, told as aggregates.

Nothing of the file is kept: it is read, what was inferred is shown, and only aggregates of five or more
trucks are printed or written (:mod:`cleanhub.freight.trip_summary`). Faults quote the cell that is wrong.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleanhub.cli.output import JsonOption, err, out, print_frame, print_json, records
from cleanhub.core.errors import FaultList, InputError
from cleanhub.core.whole_file import write_file

if TYPE_CHECKING:
    import pandas as pd

    from cleanhub.freight.trip_columns import TripKind
    from cleanhub.freight.trip_summary import TripSummary
    from cleanhub.freight.trip_table import TripTable
    from cleanhub.hub.package import Hub

DEFAULT_HUB = "california"
_KINDS: dict[str, TripKind] = {"trips": "trips", "gps": "stops"}
_FACTS = {
    "trucks": ("different trucks", "{:,.0f}"),
    "truck_days_per_day": ("truck-days on a mean day", "{:,.1f}"),
    "turns": ("calls at a terminal in a truck-day", "{:.2f}"),
    "legs": ("legs in a truck-day", "{:.2f}"),
    "two_shifts": ("share of truck-days of two shifts", "{:.0%}"),
    "mean_miles": ("miles of a truck-day, mean", "{:,.0f}"),
    "miles_p10": ("10th percentile", "{:,.0f}"),
    "miles_p50": ("50th percentile", "{:,.0f}"),
    "miles_p90": ("90th percentile", "{:,.0f}"),
    "hours": ("hours under way in a truck-day", "{:.1f}"),
    "kwh": ("kWh of a truck-day at the plug", "{:,.0f}"),
    "kwh_per_mile": ("kWh per mile", "{:.2f}"),
    "electrifiable": ("share that some battery could serve", "{:.0%}"),
}


def add_trips_command(app: typer.Typer) -> None:
    """Add ``trips`` to ``app``."""
    app.command("trips")(trips)


def trips(
    file: Annotated[
        Path | None, typer.Argument(help="CSV file of trips (from, to, trips a day) or GPS stops")
    ] = None,
    hub: Annotated[
        str, typer.Option("--hub", help="the hub whose places, roads and figures are used")
    ] = DEFAULT_HUB,
    kind: Annotated[
        str | None, typer.Option(help="what the file is: trips or gps (default: inferred)")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="FIELD=COLUMN: which column holds a field; may be repeated")
    ] = None,
    mend: Annotated[
        Path | None,
        typer.Option(help="write the file back here with the faults beside each row, to be mended"),
    ] = None,
    template: Annotated[
        str | None, typer.Option(help="print an example file to start from: trips or gps")
    ] = None,
    allow_long: Annotated[
        bool, typer.Option("--allow-long", help="keep tours longer than any battery as not electrifiable")
    ] = False,
    year: Annotated[
        int,
        typer.Option(help="year of purchase whose battery is meant by group and road", min=2000, max=2100),
    ] = 2030,
    out_dir: Annotated[Path | None, typer.Option("--out", "-o", help="folder for the tables (CSV)")] = None,
    seed: Annotated[int, typer.Option(help="seed of truck-days modelled from a trip table", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Read your own trips or GPS stops: turns, dwell, miles, energy, reach. Only aggregates leave."""
    from cleanhub.freight.trip_table import table_template

    faults = FaultList()
    wanted, example = _kind("--kind", kind, faults), _kind("--template", template, faults)
    said = _said(column or [], faults)
    if file is None and template is None:
        faults.add("FILE", what="no file given", allowed="a CSV file, or --template trips|gps")
    if mend is not None and file is not None and mend.resolve() == file.resolve():
        faults.add("--mend", what="the file itself", found=mend, allowed="another file")
    faults.raise_if_any("freight trips")
    if example is not None or file is None:
        out.file.write(table_template(example or "trips"))
        return
    from cleanhub.hub.package import load_hub

    loaded = load_hub(hub)
    table, summary, shown = _run(loaded, file, wanted, said, mend, allow_long, year, seed, as_json)
    if out_dir is not None:
        from cleanhub.cli.pathways import write_tables

        write_tables(summary.tables, out_dir)
    result = _summary(loaded, table, summary, year) | shown
    if out_dir is not None:
        result["files"] = [str(out_dir / f"{name}.csv") for name in summary.tables]
    if as_json:
        print_json(result)
        return
    _print(summary, shown, year)
    if out_dir is not None:
        out.print(
            f"\n{len(summary.tables)} tables in {out_dir}", highlight=False, markup=False, soft_wrap=True
        )


def _run(
    hub: Hub,
    file: Path,
    kind: TripKind | None,
    said: dict[str, str],
    mend: Path | None,
    allow_long: bool,
    year: int,
    seed: int,
    quiet: bool,
) -> tuple[TripTable, TripSummary, dict[str, Any]]:
    """The file read and summed up, and what is told besides; its faults are raised as one ``InputError``."""
    from cleanhub.freight.figures import Figures
    from cleanhub.freight.roads import load_network
    from cleanhub.freight.trip_summary import modelled_truck_days, summarise_truck_days
    from cleanhub.freight.trip_table import inspect_trip_table, mended_table
    from cleanhub.freight.user_trips import (
        electrifiable,
        electrifiable_trips,
        off_the_roads,
        user_trips,
        user_truck_days,
    )
    from cleanhub.freight.zones import build_zones

    figures, network = Figures(hub), load_network(hub)
    zones = build_zones(hub, figures, network)
    table = inspect_trip_table(file, zones, said, kind)
    table = replace(table, faults=(*table.faults, *off_the_roads(table, network)))
    if not quiet:
        for line in table.inference.lines():
            out.print(line, highlight=False, markup=False, soft_wrap=True)
    if mend is not None:
        write_file(mend, mended_table(table))
        err.print(f"mended table: {mend}", markup=False)
    if table.faults:
        raise InputError(f"trips of {table.name}", table.faults)
    told: dict[str, Any] = {"roads": network.name, "attribution": network.attribution}
    if table.kind == "stops":
        user = user_truck_days(table, zones, network, figures)
        short = electrifiable(user, figures, table.name, allow_long)
        told |= {"too_long": int((~short).sum()), "single_place_trucks": user.skipped}
        return table, summarise_truck_days(user, short, network, figures, year), told
    given = user_trips(table, zones, figures)
    short = electrifiable_trips(given, network, figures, table.name, allow_long)
    user, merged, hidden = modelled_truck_days(given, network, figures, seed)
    told |= {"too_long": int((~short).sum()), "merged_places": merged, "trips_not_modelled": hidden}
    able = electrifiable(user, figures, table.name, allow_long=True)
    return table, summarise_truck_days(user, able, network, figures, year, given), told


def _kind(option: str, word: str | None, faults: FaultList) -> TripKind | None:
    if word is None:
        return None
    if word not in _KINDS:
        faults.add(option, what="no such kind of file", found=word, allowed=", ".join(_KINDS))
    return _KINDS.get(word)


def _said(words: list[str], faults: FaultList) -> dict[str, str]:
    """Fields and columns of ``FIELD=COLUMN``."""
    from cleanhub.freight.trip_columns import fields_of

    known = sorted({*fields_of("trips"), *fields_of("stops")})
    said = {}
    for word in words:
        name, sign, column = (part.strip() for part in word.partition("="))
        if not sign or not column or name not in known:
            faults.add(
                "--column",
                what="not a field and a column",
                found=word,
                allowed=f"FIELD=COLUMN: {', '.join(known)}",
            )
        said[name] = column
    return said


def _summary(hub: Hub, table: TripTable, summary: TripSummary, year: int) -> dict[str, Any]:
    return {
        "hub": hub.name,
        "kind": "gps" if table.kind == "stops" else "trips",
        "columns": {column.field: column.name for column in table.inference.columns},
        "unused": list(table.inference.unused),
        "rows": len(table.frame),
        "truck_days": "as driven" if table.kind == "stops" else "modelled from the trips",
        "battery_year": year,
        **summary.facts,
        "withheld": summary.withheld,
        **{name: records(summary.tables[name]) for name in ("mileage", "dwell", "battery")},
    }


def _print(summary: TripSummary, told: dict[str, Any], year: int) -> None:
    from pandas import DataFrame

    rows = [
        (words, pattern.format(summary.facts[name]))
        for name, (words, pattern) in _FACTS.items()
        if summary.facts[name] is not None
    ]
    if not rows:
        out.print("\nfewer than five trucks: nothing is shown", highlight=False)
    print_frame("Truck-days", DataFrame(rows, columns=["measure", "value"]), len(rows))
    for title, name in (
        ("Truck-days a day by miles", "mileage"),
        ("Hours at stops", "dwell"),
        ("Share of truck-days within reach of a battery, by year of purchase", "battery"),
    ):
        print_frame(title, _shown(summary.tables[name]), 40)
    busiest = summary.tables["origin_destination"]
    print_frame(
        "Pairs of places", busiest[["origin_title", "destination_title", "trips_per_day"]].round(1), 10
    )
    roads = summary.tables["road_flow"]
    out.print(
        f"\n{len(roads)} pieces of road, {year} batteries; {told['too_long']} tours longer than any battery"
    )
    hidden = {name: value for name, value in summary.withheld.items() if value}
    words = ", ".join(f"{name.replace('_', ' ')} {value:,.6g}" for name, value in hidden.items())
    out.print(f"withheld, of fewer than five trucks: {words or 'nothing'}", highlight=False, soft_wrap=True)
    for name in ("single_place_trucks", "merged_places", "trips_not_modelled"):
        if told.get(name):
            out.print(f"{name.replace('_', ' ')}: {told[name]:,.6g}", highlight=False, soft_wrap=True)
    out.print(told["attribution"], style="dim", highlight=False, markup=False, soft_wrap=True)


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Three decimals, and years without a sign between thousands."""
    return frame.round(3).astype({"year": object} if "year" in frame else {})
