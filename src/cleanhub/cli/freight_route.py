"""The command that finds a road route between two points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from cleanhub.cli.output import JsonOption, out, print_json
from cleanhub.core.errors import FaultList, InputError

if TYPE_CHECKING:
    from cleanhub.freight.network import Network, Route

DEFAULT_HUB = "california"


def add_route_command(app: typer.Typer) -> None:
    """Add the command of this module to ``app``."""
    app.command("route")(route_command)


def route_command(
    *,
    origin: Annotated[
        str, typer.Option("--from", help="latitude and longitude in degrees, as 33.74,-118.26")
    ],
    destination: Annotated[str, typer.Option("--to", help="latitude and longitude in degrees")],
    hub: Annotated[
        str, typer.Option("--hub", help="the hub whose roads, speeds and factors are used")
    ] = DEFAULT_HUB,
    roads: Annotated[
        str | None,
        typer.Option(
            "--roads",
            help="other roads: a bundled road package, .graphml, .osm.pbf, .parquet (Overture), "
            "a GMNS folder, or .csv (matrix)",
        ),
    ] = None,
    hour: Annotated[
        float | None, typer.Option("--hour", help="hour of departure, 0 to 24 (default: mean of the day)")
    ] = None,
    line: Annotated[bool, typer.Option("--line", help="with --json: also the points of the line")] = False,
    as_json: JsonOption = False,
) -> None:
    """Route a truck between two points: km, miles, minutes, and how far the points lie from the road."""
    faults = FaultList()
    start, end = _point("--from", origin, faults), _point("--to", destination, faults)
    if hour is not None and not 0 <= hour <= 24:
        faults.add("--hour", what="no hour of the day", found=hour, allowed="0 to 24")
    faults.raise_if_any("freight route")
    from cleanhub.freight.roads import load_network

    network = load_network(hub, roads)
    route = _found(network, start, end)
    data = _as_data(network, route, hour)
    if as_json:
        print_json(data | ({"line": _line(route)} if line else {}))
        return
    when = "mean over the day's departures" if hour is None else f"leaving at {hour:g} h"
    out.print(f"{data['km']:,.1f} km, {data['miles']:,.1f} miles, {data['minutes']:,.0f} minutes ({when})")
    out.print(
        f"nearest road {data['from_snap_km']:.2f} km from the start, {data['to_snap_km']:.2f} km from the end"
    )
    out.print(f"{network.name} {network.attribution}".strip(), style="dim", highlight=False, markup=False)


def _point(option: str, text: str, faults: FaultList) -> tuple[float, float]:
    """Latitude and longitude of ``text``; a fault (and nan) where it is no place on Earth."""
    allowed = "latitude,longitude in degrees, as 33.74,-118.26"
    try:
        lat, lon = (float(part) for part in text.split(","))
    except ValueError:
        faults.add(option, what="not a pair of numbers", found=text, allowed=allowed)
        return math.nan, math.nan
    if not abs(lat) <= 90 or not abs(lon) <= 180:  # also where it is not a number
        what = "no place on Earth" + (" (are they swapped?)" if 90 < abs(lat) <= 180 >= 2 * abs(lon) else "")
        faults.add(option, what=what, found=text, allowed=allowed)
    return lat, lon


def _found(network: Network, start: tuple[float, float], end: tuple[float, float]) -> Route:
    """The route; both points off the network are told at once, by the options' names."""
    faults = FaultList()
    if len(network.lat):
        for option, (lat, lon) in (("--from", start), ("--to", end)):
            km = float(network.snap(lat, lon)[1][0])
            if km > network.snap_limit_km:
                found = f"{lat:g},{lon:g}, {km:.1f} km from the nearest road"
                allowed = f"at most {network.snap_limit_km:g} km"
                faults.add(option, what="off the road network", found=found, allowed=allowed)
    if faults.faults:
        raise InputError(network.name, faults.faults)
    return network.route(start, end)


def _as_data(network: Network, route: Route, hour: float | None) -> dict[str, object]:
    minutes = route.mean_minutes if hour is None else float(network.minutes_at(route.free_minutes, hour))
    return {
        "km": round(route.km, 3),
        "miles": round(route.miles, 3),
        "minutes": round(minutes, 2),
        "hour": hour,
        "free_minutes": round(route.free_minutes, 2),
        "minutes_by_hour": [round(float(one), 2) for one in route.minutes],
        "from_snap_km": round(route.snap_km[0], 3),
        "to_snap_km": round(route.snap_km[1], 3),
        "network": network.name,
        "licence": network.licence,
        "attribution": network.attribution,
    }


def _line(route: Route) -> list[list[float]]:
    """The points of the line, [lat, lon] each."""
    return [
        [round(float(lat), 6), round(float(lon), 6)] for lat, lon in zip(route.lat, route.lon, strict=True)
    ]
