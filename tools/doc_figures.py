"""Figures that the documentation quotes, computed from the bundled data and a plan of it.

Each function gives one table in Markdown. Nothing here is tuned: a published figure stands
beside ours, with the difference and the reason for it. ``build_docs.py`` puts the tables
into the pages.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from cleanhub.finance.technologies import build_technologies
from cleanhub.hub.datadoc import markdown_table
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import load_scenario
from cleanhub.planning.plan import Plan
from cleanhub.report.numbers import scale_for

MEGATONNE = 1e6
NOT_INDUSTRY = ("power", "waste", "institution")

# Counted once over the national GHGRP file of 2022, which is too large for the package: recorded, not
# recomputed. Power plants are left out in all states alike.
US_GHGRP = {"United States": 898.0, "Texas": 176.1, "Louisiana": 103.6, "California": 56.4}


def mt(tonnes: float) -> str:
    """Tonnes as megatonnes with two decimals."""
    return f"{tonnes / MEGATONNE:.2f}"


def reports(hub: Hub) -> pd.DataFrame:
    """What the sites reported in the base year, with their sector."""
    rows = hub.tables["facility_emissions"]
    rows = rows[rows["year"] == hub.base_year]
    return rows.merge(hub.tables["facilities"][["asset_id", "sector"]], on="asset_id")


def inventory(hub: Hub, boundary: str = "included") -> pd.DataFrame:
    """The inventory of the base year inside one boundary."""
    rows = hub.tables["inventory"]
    return rows[(rows["year"] == hub.base_year) & (rows["boundary"] == boundary)]


def by_category(hub: Hub, category: str, boundary: str = "included") -> float:
    """Tonnes of the inventory categories whose name starts with ``category``."""
    rows = inventory(hub, boundary)
    return float(rows.loc[rows["category"].str.startswith(category), "co2e_t"].sum())


def by_sector(hub: Hub, *sectors: str, boundary: str = "included") -> float:
    """Tonnes of the inventory lines of some sectors."""
    rows = inventory(hub, boundary)
    return float(rows.loc[rows["sector"].isin(sectors), "co2e_t"].sum())


def top_level(hub: Hub, name: str) -> float:
    """Tonnes of one top-level sector of the inventory."""
    rows = inventory(hub)
    return float(rows.loc[rows["inventory_sector"] == name, "co2e_t"].sum())


# ---------------------------------------------------------------- the programme's claims


def eighty_megatonnes(hub: Hub) -> str:
    """Definitions that could stand behind "more than 80 Mt", side by side."""
    sites = reports(hub)
    industry = sites[~sites["sector"].isin(NOT_INDUSTRY)]
    industrial = inventory(hub)
    industrial = industrial[industrial["inventory_sector"] == "Industrial"]
    worded = {
        "refining and hydrogen": by_category(hub, "Petroleum Refining"),
        "oil and gas production": by_category(hub, "Oil & Gas: Production"),
        "stone, clay, glass and cement": by_sector(hub, "cement"),
        "heavy trucks": by_sector(hub, "trucking"),
        "aviation": by_sector(hub, "aviation"),
        "ships": by_sector(hub, "shipping"),
        "rail": by_sector(hub, "rail"),
    }
    sum_of = " + ".join(f"{name} {mt(value)}" for name, value in worded.items())
    emitting, count = int((industry["co2e_t"] > 0).sum()), len(industry)
    rows = [
        (
            f"GHGRP, sites but power, waste, institutions; {emitting} of {count} reporting sites emit",
            mt(industry["co2e_t"].sum()),
            "no",
        ),
        ("GHGRP, all direct emitters, CO2 alone", mt(sites["co2_t"].sum()), "yes"),
        ("GHGRP, all direct emitters, CO2e", mt(sites["co2e_t"].sum()), "no"),
        ("CARB inventory, sector Industrial", mt(industrial["co2e_t"].sum()), "yes"),
        (
            "the same, CO2 alone",
            mt(industrial.loc[industrial["gas"] == "co2", "co2e_t"].sum()),
            "no",
        ),
        (f"as one programme page words it: {sum_of}", mt(sum(worded.values())), "yes"),
    ]
    return markdown_table(
        [f"definition, {hub.base_year}", "Mt", "more than 80, and near it"], rows, right=(1,)
    )


def third_and_six_percent(hub: Hub) -> str:
    """The states' direct emissions without power plants, as counted over the national file."""
    total = US_GHGRP["United States"]
    sites = reports(hub)
    ours = float(sites.loc[sites["sector"] != "power", "co2e_t"].sum())
    rows = [(name, f"{value:.1f}", f"{value / total * 100:.1f} %") for name, value in US_GHGRP.items()]
    rows.append(("California by the sector rule of this package", f"{ours / MEGATONNE:.1f}", ""))
    header = ["GHGRP 2022 without power plants", "Mt CO2e", "share"]
    return markdown_table(header, rows, right=(1, 2))


def thirty_percent(hub: Hub) -> str:
    """What the hub's programme covers as a share of the inventory, two ways."""
    total = float(inventory(hub)["co2e_t"].sum())
    parts = {
        "CARB sector Industrial": top_level(hub, "Industrial"),
        "heavy trucks": by_sector(hub, "trucking"),
        "aviation inside the State": by_sector(hub, "aviation"),
        "ships in California waters and harbour craft": by_sector(hub, "shipping"),
        "rail": by_sector(hub, "rail"),
    }
    whole = sum(parts.values())
    waste = by_sector(hub, "waste")
    rows = [(name, mt(value), "") for name, value in parts.items()]
    rows += [
        ("**all of it: the scope of this hub**", mt(whole), f"{whole / total * 100:.1f} %"),
        (
            "the same without landfills, waste and wastewater",
            mt(whole - waste),
            f"{(whole - waste) / total * 100:.1f} %",
        ),
        ("all emissions inside the inventory", mt(total), "100 %"),
        (
            "outside the total: flights to other states and countries",
            mt(by_sector(hub, "aviation", boundary="excluded")),
            "",
        ),
        ("outside the total: marine bunkers", mt(by_sector(hub, "shipping", boundary="excluded")), ""),
    ]
    return markdown_table([f"part, {hub.base_year}", "Mt CO2e", "share of the inventory"], rows, right=(1, 2))


def cement_share(hub: Hub) -> str:
    """Cement as a share of several totals."""
    sites = reports(hub)
    cement = float(sites.loc[sites["sector"] == "cement", "co2e_t"].sum())
    industry = float(sites.loc[~sites["sector"].isin(NOT_INDUSTRY), "co2e_t"].sum())
    line, industrial = by_sector(hub, "cement"), top_level(hub, "Industrial")
    rows = [
        ("cement plants (GHGRP)", mt(cement), "GHGRP industry", mt(industry), cement / industry),
        ("cement plants (GHGRP)", mt(cement), "CARB Industrial", mt(industrial), cement / industrial),
        (
            "stone, clay, glass and cement (CARB)",
            mt(line),
            "CARB Industrial",
            mt(industrial),
            line / industrial,
        ),
    ]
    shown = [(*row[:4], f"{row[4] * 100:.1f} %") for row in rows]
    return markdown_table([f"part, {hub.base_year}", "Mt", "of", "Mt", "share"], shown, right=(1, 3, 4))


def programme_counts(hub: Hub) -> str:
    """The programme's own counts beside the list of this package."""
    facts = hub.tables["programme_facts"]
    projects = hub.tables["projects"]
    past = projects["stage"].isin(["fid", "construction", "operating"])
    roles = projects["role"].value_counts()
    plants = projects["role"].isin(["abates", "supplies", "stores"])

    listed = (
        f"{len(projects)} listed; {int(plants.sum())} abate, supply or store, {roles['enables']} enable "
        f"others, {roles['programme']} are umbrellas never added to their parts"
    )

    def stated(fact: str) -> str:
        row = facts[facts["fact"] == fact].iloc[0]
        return f"{float(row['value']):g}{' %' if row['unit'] == '%' else ''}"

    rows = [
        (
            "projects announced in California",
            f"more than {stated('projects_announced_california')}",
            listed,
        ),
        (
            "projects supported by the programme",
            stated("projects_supported"),
            "not marked: four names are known to us (Mote, Zeem, CalPortland, Rondo)",
        ),
        (
            "of these past their final investment decision",
            stated("projects_supported_fid"),
            f"{int(past.sum())} of all listed, charging depots and pilots among them",
        ),
        (
            "share of proposed projects that reach the decision, worldwide",
            stated("fid_rate_global_pct"),
            "used as the base rate of the plan table `project_need`, marked as such",
        ),
        (
            "commercial-scale projects announced 2022 to 2024, five sectors",
            stated("commercial_projects_2022_2024"),
            "another cut: scale is not a column of the list",
        ),
        (
            "public proposed projects, four sectors, November 2024",
            stated("mpp_tracker_ca_nov2024"),
            "another cut again: 4 operating, 3 with investment",
        ),
    ]
    return markdown_table(["count", "as the programme states it", "in this package"], rows)


# ---------------------------------------------------------------- validation

CARB = "carb-inventory-2024"


Checked = tuple[str, str, str, str, str, str]
"""Figure, published, ours, difference, why, source: as words."""


def validation_rows(hub: Hub, plan: Plan) -> list[Checked]:
    """Published figures of the base year against the plan's: difference, reason and source."""
    return [*_totals(hub, plan), *_implied(hub, plan)]


def _row(
    name: str, published: float, ours: float, unit: str, why: str, source: str, digits: int = 2
) -> Checked:
    gap = (ours / published - 1.0) * 100
    shown = "0 %" if abs(gap) < 1e-7 else f"{gap:+.1f} %"
    return (name, f"{published:,.{digits}f} {unit}", f"{ours:,.{digits}f} {unit}", shown, why, source)


def _totals(hub: Hub, plan: Plan) -> list[Checked]:
    year = hub.base_year
    emissions = plan.table("emissions")
    first = emissions[(emissions["scope"] == 1) & (emissions["gas"] == "co2e")]
    included = first[first["boundary"] == "included"]
    ours = {int(str(y)): float(rows["value"].sum()) for y, rows in included.groupby("year")}
    lines = hub.tables["inventory"]
    lines = lines[lines["boundary"] == "included"]
    published = {int(str(y)): float(rows["co2e_t"].sum()) for y, rows in lines.groupby("year")}
    gap = max(abs(ours[y] / published[y] - 1.0) for y in published)
    rows = [
        _row(
            f"CARB inventory, all included emissions, {year}",
            published[year] / MEGATONNE,
            ours[year] / MEGATONNE,
            "Mt",
            "equal by construction: the rest is what sites and cohorts leave",
            CARB,
        ),
        (
            f"CARB inventory, every year {min(published)} to {max(published)}",
            f"{len(published)} totals",
            f"{len(published)} totals",
            "0 %" if gap < 1e-9 else f"{gap * 100:.2g} % at most",
            "the same rule; a year in which the sites of a top-level sector exceed it would show here",
            CARB,
        ),
    ]
    for boundary in ("excluded", "biogenic"):
        mine = float(first[(first["boundary"] == boundary) & (first["year"] == year)]["value"].sum())
        stated = float(inventory(hub, boundary)["co2e_t"].sum())
        why = "kept beside the total, never in it"
        name = f"CARB inventory, {boundary}, {year}"
        rows.append(_row(name, stated / MEGATONNE, mine / MEGATONNE, "Mt", why, CARB))
    assets = plan.table("assets")
    now = assets[(assets["year"] == year) & (assets["asset_kind"] == "site")]
    rows.append(
        _row(
            f"GHGRP, direct emissions of all listed sites, {year}",
            reports(hub)["co2e_t"].sum() / MEGATONNE,
            now["co2e_t"].sum() / MEGATONNE,
            "Mt",
            "sites keep what they reported, unscaled",
            "epa-ghgrp-2023",
        )
    )
    inside = first[(first["boundary"] == "included") & (first["year"] == year)]
    share = float(inside.loc[inside["hub_scope"].astype(bool), "value"].sum()) / float(inside["value"].sum())
    rows.append(
        (
            f"share of the State that the hub covers, {year}",
            "about 30 %",
            f"{share * 100:.1f} %",
            f"{share * 100 - 30:+.1f} points",
            'the programme says both "nearly 30" and "more than 30"; see the data page',
            "mpp-california-hub",
        )
    )
    return rows


def _implied(hub: Hub, plan: Plan) -> list[Checked]:
    year = hub.base_year
    assets = plan.table("assets")
    now = assets[(assets["year"] == year) & (assets["asset_kind"] == "site")]
    made = {str(sector): float(rows["production"].sum()) for sector, rows in now.groupby("sector")}
    rows = hub.tables["drivers"]
    rows = rows[rows["year"] == year]
    drivers = {str(name): float(value) for name, value in zip(rows["driver"], rows["value"], strict=True)}
    tech = build_technologies(hub.library, load_scenario(plan.scenario.name, hub))
    cohorts = hub.tables["cohorts"]
    known = cohorts[cohorts["technology"] != ""]
    direct = np.array([tech.direct[tech.find(str(name))] for name in known["technology"]])
    burnt = float((known["activity"].to_numpy(float) * direct).sum())
    fossil = by_sector(hub, "trucking")
    drayage = float(cohorts.loc[cohorts["asset_id"] == "trucks-drayage", "vehicles"].iloc[0])
    all_fuel = fossil + by_sector(hub, "trucking", boundary="biogenic")
    return [
        _row(
            f"crude run by the refineries, {year} (CEC)",
            drivers["refinery_throughput"] / 1e6,
            made["refining"] / 1e6,
            "million bbl",
            "implied by GHGRP tonnes over the library's tonnes per barrel, itself CARB tonnes over CEC "
            "barrels: this compares GHGRP with CARB, not the model with the world",
            "California Energy Commission, derived",
            1,
        ),
        _row(
            f"clinker made, {year} (recalled, 8 % either way)",
            9.8,
            made["cement"] / 1e6,
            "Mt",
            "implied by GHGRP tonnes over 0.86 t/t of the library: the plants emit less per tonne than that, "
            "or the recalled output is high",
            "USGS, recalled",
            1,
        ),
        _row(
            f"crude oil produced, {year} (EIA, recalled)",
            drivers["crude_oil_production"] / 1e6,
            made["oil_gas"] / 1e6,
            "million bbl",
            "only sites with a place are listed; most production reports by basin and stands in the rest",
            "EIA, recalled",
            1,
        ),
        _row(
            f"container glass made, {year} (assumed)",
            drivers["glass_demand"] / 1e6,
            made["glass"] / 1e6,
            "Mt",
            "four container plants; the driver is a judgement and may take in flat and fibre glass",
            "cleanhub-assumption",
        ),
        _row(
            f"heavy trucks, fossil CO2e, {year} (CARB)",
            fossil / MEGATONNE,
            burnt / MEGATONNE,
            "Mt",
            "miles x fuel per mile, all of it fossil, before the classes are scaled to the inventory",
            CARB,
        ),
        _row(
            f"heavy trucks, fossil and biogenic, {year} (CARB)",
            all_fuel / MEGATONNE,
            burnt / MEGATONNE,
            "Mt",
            "the fair comparison, since a third of the trucks' CO2 is biogenic (renewable diesel); what is "
            "left is the fuel economy of new trucks against that of the fleet",
            CARB,
        ),
        (
            "drayage trucks",
            "33,000 (programme, all California)",
            f"{drayage:,.0f}",
            "",
            "ours is the registry of the San Pedro Bay ports alone",
            "mpp-california-hub",
        ),
    ]


# ---------------------------------------------------------------- the library and the path


def library_confidence(hub: Hub) -> str:
    """Parameter rows of the library by sector and confidence."""
    tables = hub.library.tables
    sector = tables["technologies"].set_index("technology")["sector"]
    rows = tables["technology_parameters"].assign(sector=lambda frame: frame["technology"].map(sector), one=1)
    words = ("seen", "derived", "recalled", "assumed")
    counts = rows.pivot_table(index="sector", columns="confidence", values="one", aggfunc="sum", fill_value=0)
    technologies = tables["technologies"].groupby("sector").size()
    out = [
        (name, technologies[name], *(int(counts.loc[name].get(word, 0)) for word in words))
        for name in sorted(counts.index)
    ]
    totals = tuple(sum(int(row[column]) for row in out) for column in range(1, 6))
    return markdown_table(
        ["sector", "technologies", *words], [*out, ("**all**", *totals)], right=(1, 2, 3, 4, 5)
    )


def headline_shares(plan: Plan) -> str:
    """Headlines of a plan with value, range and the share that rests on recalled or assumed inputs."""
    rows = []
    for _, row in plan.scorecard.iterrows():
        unit = "USD" if str(row["unit"]).startswith("USD") else str(row["unit"])
        scale = scale_for([row["value"]], unit)
        ranged = pd.notna(row["low"]) and pd.notna(row["high"])
        rows.append(
            (
                row["title"],
                "" if pd.isna(row["year"]) else int(row["year"]),
                scale.full(row["value"]),
                f"{scale.show(row['low'])} to {scale.show(row['high'])}" if ranged else "none",
                f"{row['recalled_share'] * 100:.0f} %",
                "illustrative" if row["illustrative"] else "",
            )
        )
    header = ["headline", "year", "value", "range", "recalled or assumed", "marked"]
    return markdown_table(header, rows, right=(2, 3, 4))


def coverage(plan: Plan) -> str:
    """Sectors of the sites with the options that the library offers them."""
    rows = [
        (
            row["sector"],
            row["sites"],
            mt(row["site_co2e_t"]),
            mt(row["covered_co2e_t"]),
            row["options"],
        )
        for _, row in plan.table("sectors").iterrows()
    ]
    header = ["sector", "sites emitting", "Mt CO2e", "of which with an option", "options"]
    return markdown_table(header, rows, right=(1, 2, 3, 4))
