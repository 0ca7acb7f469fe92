"""Community input: the areas that people named, who asked, and what the plan does there."""

from __future__ import annotations

import math

from cleanhub.freight.globe import great_circle_km
from cleanhub.report import charging
from cleanhub.report.blocks import Block, Head, Prose, Table, Text
from cleanhub.report.charging import Site
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import MISSING, number, percent
from cleanhub.report.sections.common import plural

NO_GO = "no_go"


def blocks(context: Context) -> list[Block]:
    """The table of areas, and how much of the energy is delivered in disadvantaged tracts."""
    return [area_table(context), Prose(tuple(_shares(context)))]


def area_table(context: Context) -> Table:
    """Areas of the hub, who asked for what and when, and the planned sites inside each."""
    areas = sorted(
        context.package("community_areas"), key=lambda row: (str(row["kind"]), str(row["area_id"]))
    )
    sites = charging.planned_sites(context)
    rows: list[tuple[Text, ...]] = [
        (
            str(row["name"]),
            "none here" if row["kind"] == NO_GO else "chargers here first",
            str(row["asked_by"] or MISSING),
            str(row["asked_on"] or MISSING)[:10],
            _answer(row, [site for site in sites if _inside(row, site)]),
        )
        for row in areas
    ]
    return Table(
        "What people asked for, and what the plan does",
        (Head("Area"), Head("Asked for"), Head("Asked by"), Head("When"), Head("In this plan", long=True)),
        tuple(rows),
        source="the hub's table community_areas; this plan, table chargers",
        note="An area is a circle around a point; sites inside it are counted.",
        empty=(
            "No area has been named yet. Neighbours, firms and the port can name areas that should have "
            "chargers first or none; the hub's table community_areas takes them, with who asked."
        ),
    )


def _inside(area: Row, site: Site) -> bool:
    ends = [float(row[name]) for row in (area, site.row) for name in ("lat", "lon")]
    return float(great_circle_km(*ends)) <= float(area["radius_km"])


def _answer(area: Row, sites: list[Site]) -> str:
    if not sites:
        return "no site, as asked" if area["kind"] == NO_GO else "no site yet"
    power = math.fsum(site.megawatts for site in sites)
    first = min(int(site.row["year_energised"]) for site in sites)
    said = f"{plural(len(sites), 'site')}, {number(power)} MW, the first in {first}"
    return f"against what was asked: {said}" if area["kind"] == NO_GO else said


def _shares(context: Context) -> list[Text]:
    rows = [site.row for site in charging.planned_sites(context)]
    energy = sum(float(row["kwh_per_day"] or 0.0) for row in rows)
    if not energy:
        return []
    here = sum(float(row["kwh_per_day"] or 0.0) for row in rows if row["disadvantaged"])
    asked = sorted({str(row["asked_by"]) for row in rows if row["asked_by"]})
    said: list[Text] = [
        (
            f"{percent(here / energy)} of the energy of the planned sites is delivered in or near tracts "
            "that the state calls disadvantaged. That says where trucks plug in, not who breathes better: "
            "air quality and health are not modelled."
        )
    ]
    if asked:
        sites = sum(bool(row["asked_by"]) for row in rows)
        said.append(
            f"{plural(sites, 'planned site')} stand where someone asked for chargers: {'; '.join(asked)}."
        )
    return said
