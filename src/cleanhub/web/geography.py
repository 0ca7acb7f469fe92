"""Places of a plan as GeoJSON for the map page, and as the tables beside it.

Sites, projects and counties are the hub's own; charging sites are a table of the plan.
Coordinates keep five decimals (about a metre).
"""

from __future__ import annotations

import json
import math
from typing import Any

from cleanhub.report import charging, labels, palette
from cleanhub.report.context import Row
from cleanhub.report.numbers import number, percent, tonnes
from cleanhub.web.blocks import (
    Cell,
    Head,
    PageTable,
    chance,
    confidence,
    dollars,
    figure,
    known,
    mass,
    whole,
    words,
    year,
)
from cleanhub.web.links import project_link
from cleanhub.web.view import PlanView

LAYERS = ("counties", "sites", "projects", "chargers")
LARGEST_RADIUS = 18.0  # pixels, at the zoom of the whole hub
LEAST_RADIUS = 2.0
_MARGIN = 0.05


def layer_bytes(view: PlanView, name: str) -> bytes:
    """One layer as GeoJSON. ``counties`` is the hub's own file, byte for byte."""
    if name == "counties":
        path = view.hub.path / "counties.geojson" if view.hub is not None else None
        if path is not None and path.is_file():
            return path.read_bytes()
        return _collection([])
    maker = {"sites": _sites, "projects": _projects, "chargers": _chargers}[name]
    return _collection(maker(view))


def bounds(view: PlanView) -> list[float]:
    """West, south, east and north of what the map shows [degree]; the world when nothing has a place."""
    box = view.hub.meta.get("bbox") if view.hub is not None else None
    if isinstance(box, list) and len(box) == 4:
        return [float(edge) for edge in box]
    placed = [row for row in view.rows("chargers") if known(row["lat"]) and known(row["lon"])]
    if not placed:
        return [-170.0, -55.0, 170.0, 75.0]
    lons, lats = [float(row["lon"]) for row in placed], [float(row["lat"]) for row in placed]
    return [min(lons) - _MARGIN, min(lats) - _MARGIN, max(lons) + _MARGIN, max(lats) + _MARGIN]


def _collection(features: list[dict[str, Any]]) -> bytes:
    data = {"type": "FeatureCollection", "features": features}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _feature(row: Row, **properties: Any) -> dict[str, Any]:
    place = [round(float(row["lon"]), 5), round(float(row["lat"]), 5)]
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": place},
        "properties": {key: value for key, value in properties.items() if value is not None},
    }


def placed_sites(view: PlanView) -> list[tuple[Row, float, int, str]]:
    """Sites with a place and tonnes: row, t CO2e in the base year, that year, source id; largest first."""
    tonnage = view.context.base_tonnes
    found = []
    for asset, (when, value, source) in tonnage.items():
        row = view.context.facilities.get(asset)
        if row is not None and known(row["lat"]) and known(row["lon"]):
            found.append((row, value, when, source))
    return sorted(found, key=lambda one: (-one[1], str(one[0]["asset_id"])))


def _sites(view: PlanView) -> list[dict[str, Any]]:
    sites = placed_sites(view)
    top = max((value for _, value, _, _ in sites), default=1.0) or 1.0
    return [
        _feature(
            row,
            name=str(row["name"]),
            radius=round(max(LEAST_RADIUS, LARGEST_RADIUS * math.sqrt(max(value, 0.0) / top)), 2),
            colour=palette.group_of(str(row["sector"])).key,
            about=f"{labels.sector(str(row['sector']))}\n{tonnes(value)} CO\N{SUBSCRIPT TWO}e in {when}, "
            f"scope 1\nsource: {source}",
        )
        for row, value, when, source in sites
    ]


def placed_projects(view: PlanView) -> list[tuple[Row, Row]]:
    """Projects of the plan that have a place: the plan's row and the hub's."""
    described = {str(row["project_id"]): row for row in view.context.package("projects")}
    pairs = [(row, described.get(str(row["project_id"]))) for row in view.rows("projects")]
    return [(row, hub) for row, hub in pairs if hub and known(hub["lat"]) and known(hub["lon"])]


def _projects(view: PlanView) -> list[dict[str, Any]]:
    found = []
    for row, described in placed_projects(view):
        cut, stage = row["co2e_t_per_year"], str(row["stage"])
        lines = [f"{labels.sector(str(row['sector']))}, {labels.stage(stage)}, role: {row['role']}"]
        if known(cut):
            lines.append(f"{tonnes(cut)} CO\N{SUBSCRIPT TWO}e per year expected")
        if known(row["p_fid_2030"]):
            lines.append(f"chance of a decision by 2030: {percent(row['p_fid_2030'])}")
        lines.append(f"source: {row['source_id']}")
        page = f"/projects/{row['project_id']}"
        found.append(
            _feature(described, name=str(row["name"]), stage=stage, about="\n".join(lines), page=page)
        )
    return found


def _chargers(view: PlanView) -> list[dict[str, Any]]:
    return [
        _feature(
            row,
            name=str(row["name"]),
            about=f"{labels.charging_site(str(row['kind']))}, {row['status']}\n"
            f"{number(float(row['kw'] or 0) / 1e3)} MW, serves from {row['year_energised']}\n"
            f"substation {row['substation']}",
        )
        for row in view.rows("chargers")
        if known(row["lat"]) and known(row["lon"])
    ]


# ---------------------------------------------------------------- the tables beside the map


def tables(view: PlanView) -> tuple[PageTable, ...]:
    """What the map shows, as tables."""
    return _site_table(view), _project_table(view), _charger_table(view)


def _site_table(view: PlanView) -> PageTable:
    rows = tuple(
        (
            words(row["name"]),
            words(labels.sector(str(row["sector"]))),
            words(row.get("county")),
            mass(value),
            year(when),
            Cell(view.context.cite.cite(source), source),
        )
        for row, value, when, source in placed_sites(view)
    )
    head = (
        Head("Site"),
        Head("Sector"),
        Head("County"),
        Head("Emitted", "CO\N{SUBSCRIPT TWO}e per year, scope 1", "n"),
        Head("Year", style="n"),
        Head("Source"),
    )
    note = f"Tonnes under the GWP set {view.context.gwp}, as the sites report them."
    return PageTable("sites", "Sites", head, rows, note=note, filtered=True, open=False)


def _project_table(view: PlanView) -> PageTable:
    rows = tuple(
        (
            Cell(project_link(view, row["project_id"]), str(row["name"])),
            words(labels.sector(str(row["sector"]))),
            words(labels.stage(str(row["stage"]))),
            words(" ".join(filter(None, [str(hub["city"] or ""), str(hub["county"] or "")]))),
            words(labels.words(str(hub["coord_precision"] or ""))),
            mass(row["co2e_t_per_year"]),
            Cell(view.context.cite.cite(row["source_id"]), str(row["source_id"])),
        )
        for row, hub in placed_projects(view)
    )
    head = (
        Head("Project"),
        Head("Sector"),
        Head("Stage"),
        Head("Town and county"),
        Head("Place known to"),
        Head("Cut", "CO\N{SUBSCRIPT TWO}e per year, expected", "n"),
        Head("Source"),
    )
    return PageTable("places", "Projects with a place", head, rows, filtered=True, open=False)


def _charger_table(view: PlanView) -> PageTable:
    rows = tuple(
        (
            words(row["name"]),
            words(labels.charging_site(str(row["kind"]))),
            words(row["status"]),
            year(row["year_energised"]),
            whole(row["plugs"]),
            figure(float(row["kw"] or 0.0) / 1e3),
            words(row["substation"]),
            chance(row["utilisation"]),
            dollars(row["capex_usd"]),
            confidence(row["confidence"]),
        )
        for row in view.rows("chargers")
    )
    head = (
        Head("Charging site"),
        Head("Kind"),
        Head("Status"),
        Head("Serves from", style="n"),
        Head("Plugs", style="n"),
        Head("Power", "MW", "n"),
        Head("Substation"),
        Head("In use", style="n"),
        Head("Capital", view.context.money_unit, "n"),
        Head("Confidence"),
    )
    return PageTable(
        "charging-sites",
        "Charging sites",
        head,
        rows,
        note=charging.attribution(view.context),
        absent=not view.has("chargers"),
        filtered=True,
        open=False,
    )
