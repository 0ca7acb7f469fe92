"""What a hub holds, in a page: counts and totals, each with its year and sources."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cleanhub.hub.inventory import scope_pairs
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import list_scenarios
from cleanhub.hub.series import weakest

NOT_INDUSTRY = ("power", "power_imports", "waste", "institution", "buildings")


def summarise(hub: Hub) -> dict[str, Any]:
    """The hub in figures, as plain data.

    ``figures`` is a list of mappings with metric, title, value, unit, year, sources and
    confidence; ``sectors`` gives sites and tonnes by sector; ``inventory`` the top-level
    sectors; ``tables`` the rows of every table; ``programme`` what the programme says.
    """
    return {
        "name": hub.name,
        "title": hub.title,
        "description": hub.meta.get("description", ""),
        "licences": [one.get("name", "") for one in hub.meta["licenses"] if isinstance(one, dict)],
        "gwp": hub.gwp,
        "base_year": hub.base_year,
        "figures": _figures(hub),
        "sectors": _sectors(hub),
        "inventory": _inventory(hub),
        "projects": _projects(hub),
        "programme": _programme(hub),
        "scenarios": list_scenarios(hub),
        "names": {
            "drivers": sorted(set(hub.tables["drivers"]["driver"])),
            "credits": sorted(set(hub.tables["credits"]["credit"])),
            "limits": sorted(set(hub.tables["limits"]["limit"])),
        },
        "tables": {name: len(frame) for name, frame in hub.tables.items()},
        "confidence": _confidence(hub),
        "notes": [note.line() for note in hub.notes],
    }


def _figure(
    metric: str, title: str, value: float, unit: str, year: int | None, rows: pd.DataFrame
) -> dict[str, Any]:
    return {
        "metric": metric,
        "title": title,
        "value": round(float(value), 6),
        "unit": unit,
        "year": year,
        "sources": sorted(set(rows["source_id"])) if "source_id" in rows else [],
        "confidence": weakest(rows["confidence"]) if "confidence" in rows else "seen",
    }


def _reports(hub: Hub) -> pd.DataFrame:
    rows = hub.tables["facility_emissions"]
    rows = rows[rows["year"] == hub.base_year]
    sites = hub.tables["facilities"][["asset_id", "sector", "inventory_sector"]]
    return rows.merge(sites, on="asset_id", how="inner")


def _figures(hub: Hub) -> list[dict[str, Any]]:
    return [*_site_figures(hub), *_inventory_figures(hub), *_people(hub)]


def _site_figures(hub: Hub) -> list[dict[str, Any]]:
    """What the sites reported in the base year: all of them, then those of industry."""
    sites, year, reports = hub.tables["facilities"], hub.base_year, _reports(hub)
    industry = reports[~reports["sector"].isin(NOT_INDUSTRY)]
    emitting = (industry["co2e_t"] > 0).sum()
    all_t, co2_t, industry_t = (
        rows.sum() / 1e6 for rows in (reports["co2e_t"], reports["co2_t"], industry["co2e_t"])
    )
    industrial = "direct emissions of industrial sites"
    return [
        _figure("sites", "sites on the list", len(sites), "sites", None, sites),
        _figure("sites_reporting", "sites reporting", len(reports), "sites", year, reports),
        _figure("site_emissions", "direct emissions of all sites", all_t, "Mt CO2e", year, reports),
        _figure("site_co2", "of which CO2", co2_t, "Mt CO2", year, reports),
        _figure(
            "industry_sites_reporting", "industrial sites reporting", len(industry), "sites", year, industry
        ),
        _figure("industry_sites_emitting", "industrial sites emitting", emitting, "sites", year, industry),
        _figure("industry_emissions", industrial, industry_t, "Mt CO2e", year, industry),
    ]


def _inventory_figures(hub: Hub) -> list[dict[str, Any]]:
    """The inventory of the base year, and what of it the hub's programme covers."""
    year, included = hub.base_year, hub.tables["inventory"]
    included = included[(included["year"] == year) & (included["boundary"] == "included")]
    scope = scope_pairs(hub)
    pairs = zip(included["inventory_sector"], included["sector"], strict=True)
    inside = included[pd.Series([pair in scope for pair in pairs], index=included.index, dtype=bool)]
    lean = inside[inside["sector"] != "waste"]
    total, covered, without = (float(rows["co2e_t"].sum()) for rows in (included, inside, lean))
    same = "the same without landfills, waste and wastewater"
    figures = [
        ("inventory_total", "all emissions of the inventory", total / 1e6, "Mt CO2e", included),
        ("hub_scope", "emissions the hub's programme covers", covered / 1e6, "Mt CO2e", inside),
        ("hub_scope_without_waste", same, without / 1e6, "Mt CO2e", lean),
    ]
    if total > 0:
        share = "share of the inventory that the hub covers"
        figures += [
            ("hub_share", share, covered / total * 100, "%", inside),
            ("hub_share_without_waste", same, without / total * 100, "%", lean),
        ]
    return [_figure(metric, title, value, unit, year, rows) for metric, title, value, unit, rows in figures]


def _people(hub: Hub) -> list[dict[str, Any]]:
    tracts = hub.tables["tracts"]
    if tracts.empty:
        return []
    burdened = tracts[tracts["disadvantaged"].fillna(False).astype(bool)]
    people, of_them = tracts["population"].sum(), burdened["population"].sum()
    said = "of which in disadvantaged communities"
    return [
        _figure("people", "people in the census tracts", people, "people", None, tracts),
        _figure("people_disadvantaged", said, of_them, "people", None, burdened),
    ]


def _sectors(hub: Hub) -> list[dict[str, Any]]:
    reports = _reports(hub)
    rows = []
    for sector, mine in reports.groupby("sector", sort=True):
        rows.append(
            {
                "sector": sector,
                "sites_reporting": len(mine),
                "sites_emitting": int((mine["co2e_t"] > 0).sum()),
                "mt_co2e": round(float(mine["co2e_t"].sum()) / 1e6, 6),
                "year": hub.base_year,
                "sources": sorted(set(mine["source_id"])),
            }
        )
    return sorted(rows, key=lambda row: -row["mt_co2e"])


def _inventory(hub: Hub) -> list[dict[str, Any]]:
    inventory = hub.tables["inventory"]
    now = inventory[inventory["year"] == hub.base_year]
    rows = []
    for (boundary, name), mine in now.groupby(["boundary", "inventory_sector"], sort=True):
        carbon = mine[mine["gas"].isin(["co2", "co2_biogenic"])]
        rows.append(
            {
                "inventory_sector": name,
                "boundary": boundary,
                "mt_co2e": round(float(mine["co2e_t"].sum()) / 1e6, 6),
                "mt_co2": round(float(carbon["co2e_t"].sum()) / 1e6, 6),
                "year": hub.base_year,
                "sources": sorted(set(mine["source_id"])),
            }
        )
    return sorted(rows, key=lambda row: (row["boundary"] != "included", row["boundary"], -row["mt_co2e"]))


def _projects(hub: Hub) -> dict[str, Any]:
    projects = hub.tables["projects"]
    return {
        "listed": len(projects),
        "by_stage": {
            str(k): int(v) for k, v in projects["stage"].value_counts(sort=False).sort_index().items()
        },
        "by_sector": {
            str(k): int(v) for k, v in projects["sector"].value_counts(sort=False).sort_index().items()
        },
        "sources": sorted(set(projects["source_id"])),
    }


def _programme(hub: Hub) -> list[dict[str, Any]]:
    facts = hub.tables["programme_facts"]
    return [
        {
            "fact": row["fact"],
            "value": row["value"],
            "unit": row["unit"],
            "statement": row["statement"],
            "sources": [row["source_id"]],
            "confidence": row["confidence"],
        }
        for _, row in facts.iterrows()
    ]


def _confidence(hub: Hub) -> dict[str, dict[str, int]]:
    return {
        name: {
            str(word): int(count)
            for word, count in frame["confidence"].value_counts(sort=False).sort_index().items()
        }
        for name, frame in hub.tables.items()
        if "confidence" in frame.columns and len(frame)
    }
