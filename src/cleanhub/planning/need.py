"""Plants and vehicles that the path needs, against the projects of the pipeline."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cleanhub.core.tables import conform
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.schema import PAST_FID
from cleanhub.pathways.assemble import Pathway

LIVE = ("concept", "announced", "pre_feed", "feed")
BASE_RATE_FACT = "fid_rate_global_pct"
PLANT_ROLES = ("abates", "supplies")
WAIT_YEARS = 5


PLANTS, VEHICLES = "plants", "vehicles"
CONVENTIONAL = "initial"
"""Class of the technologies whose new plants and vehicles no programme has to bring about."""
CHANGED = ("retrofit", "rebuild")


def project_need_table(
    hub: Hub,
    scenario: Scenario,
    switches: pd.DataFrame,
    last_reported: int,
    bought: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Plan table ``project_need`` for every fifth year and the last year.

    Plants count once, in the year they first change or are built new with a technology that is
    not conventional. ``bought`` is what :func:`vehicles_bought` gives; vehicles have no pipeline
    of projects. A project past its final investment decision counts as one plant from its
    first year, if that lies after the last reported year (earlier plants are in the reported
    tonnes). A proposed project counts as the base rate of the programme facts (share of
    proposed projects that reach a decision), from its announced year or ``WAIT_YEARS`` after the
    as-of date. Without that fact, proposed projects count as nothing.
    """
    first = _wanted(hub, switches)
    projects = hub.tables["projects"]
    counted = projects[projects["role"].isin(PLANT_ROLES) | projects["role_secondary"].isin(PLANT_ROLES)]
    counted = counted[counted["sector"] != "trucking"]
    rate = _base_rate(hub)
    start = scenario.as_of.year - scenario.as_of.year % 5 + 5
    years = sorted({*range(start, scenario.end_year + 1, 5), scenario.end_year})
    rows: list[tuple[object, ...]] = []
    for sector in sorted(set(first["sector"]) | set(counted["sector"])):
        mine = first[first["sector"] == sector]
        expected = _expected(counted[counted["sector"] == sector], scenario, rate, last_reported)
        each = float(mine["capex_usd"].mean()) if len(mine) else 0.0
        for year in years:
            needed = float((mine["year"] <= year).sum())
            have = float(expected[expected.index <= year].sum())
            gap = max(needed - have, 0.0)
            rows.append((sector, year, PLANTS, needed, have, gap, gap * each, _how(rate)))
    rows += _vehicle_rows(bought, years)
    frame = pd.DataFrame(rows, columns=PLAN_TABLES["project_need"].names)
    return conform(frame, PLAN_TABLES["project_need"])


def _wanted(hub: Hub, switches: pd.DataFrame) -> pd.DataFrame:
    """The first row of ``switches`` for each plant that changes or is newly built."""
    table = hub.library.tables["technologies"]
    usual = set(table.loc[table["classification"] == CONVENTIONAL, "technology"])
    new = (switches["kind"] == "new") & ~switches["to_technology"].isin(usual)
    plants = switches[switches["kind"].isin(CHANGED) | new]
    return plants.sort_values("year", kind="stable").drop_duplicates("asset_id")


def vehicles_bought(pathway: Pathway) -> pd.DataFrame:
    """Vehicles, vessels and aircraft bought that are not conventional: year, sector, vehicles, capex_usd."""
    path, tech = pathway.walked, pathway.tech
    table = pathway.hub.library.tables["technologies"]
    usual = (table["classification"] == CONVENTIONAL).to_numpy(bool)
    frames = []
    for cls in path.vehicles:
        cleaner = ~usual[cls.options]
        number = cls.bought[cleaner]
        capital = tech.capex[cls.options][:, None] * path.multiplier[cls.options]
        frames.append(
            pd.DataFrame(
                {
                    "year": pathway.years,
                    "sector": cls.sector,
                    "vehicles": number.sum(axis=0),
                    "capex_usd": (number * capital[cleaner]).sum(axis=0),
                }
            )
        )
    columns = ["year", "sector", "vehicles", "capex_usd"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _vehicle_rows(bought: pd.DataFrame | None, years: list[int]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    if bought is None or bought.empty:
        return rows
    how = "vehicles of the path that are not conventional, bought up to the year; no projects are counted"
    for sector, mine in bought.groupby("sector", sort=True):
        for year in years:
            past = mine[mine["year"] <= year]
            number, capital = float(past["vehicles"].sum()), float(past["capex_usd"].sum())
            rows.append((sector, year, VEHICLES, number, 0.0, number, capital, how))
    return rows


def _expected(projects: pd.DataFrame, scenario: Scenario, rate: float, last_reported: int) -> pd.Series:
    """Expected plants by the year from which each counts."""
    online = projects["online_year"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    past = projects["stage"].isin(PAST_FID).to_numpy()
    live = projects["stage"].isin(LIVE).to_numpy()
    fallback = scenario.as_of.year + WAIT_YEARS
    year = np.where(np.isnan(online), fallback, np.maximum(online, scenario.as_of.year))
    new = np.isnan(online) | (online > last_reported)
    operating = (projects["stage"] == "operating").to_numpy()
    new &= ~(operating & np.isnan(online))
    weight = np.where(past & new, 1.0, np.where(live, rate, 0.0))
    return pd.Series(weight, index=year.astype(int))


def _base_rate(hub: Hub) -> float:
    facts = hub.tables["programme_facts"]
    rows = facts[facts["fact"] == BASE_RATE_FACT]
    return float(rows["value"].iloc[0]) / 100.0 if len(rows) else 0.0


def _how(rate: float) -> str:
    return (
        "plants of the path that change technology or are built new and cleaner; projects past their "
        f"final investment decision count 1, proposed ones {rate:g} (programme facts)"
    )
