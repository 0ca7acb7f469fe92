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

PLANT_ROLES = ("abates", "supplies")

PLANTS, VEHICLES = "plants", "vehicles"
CONVENTIONAL = "initial"
"""Class of the technologies whose new plants and vehicles no programme has to bring about."""
CHANGED = ("retrofit", "rebuild")


def project_need_table(
    hub: Hub,
    scenario: Scenario,
    switches: pd.DataFrame,
    bought: pd.DataFrame,
    expected: pd.DataFrame,
) -> pd.DataFrame:
    """Plan table ``project_need`` for every fifth year and the last year.

    Plants count once, in the year they first change or are built new with a technology that is
    not conventional. ``bought`` is what :func:`vehicles_bought` gives, ``expected`` what the
    simulation of the pipeline expects by the end of each year, as :func:`expected_decisions` gives it.

    The gap is not below nothing in any sector: one sector's plants are no other's. Its capital is
    that of the missing share: plants at the mean capital of the sector's first changes,
    vehicles at the mean capital of those bought by then [USD].
    """
    first = _wanted(hub, switches)
    start = scenario.as_of.year - scenario.as_of.year % 5 + 5
    years = sorted({*range(start, scenario.end_year + 1, 5), scenario.end_year})
    plants = expected[expected["unit"] == PLANTS]
    rows: list[tuple[object, ...]] = []
    for sector in sorted(set(first["sector"]) | set(plants["sector"])):
        mine = first[first["sector"] == sector]
        each = float(mine["capex_usd"].mean()) if len(mine) else 0.0
        of_sector = plants[plants["sector"] == sector]
        for year in years:
            needed = float((mine["year"] <= year).sum())
            coming = _by(of_sector, year)
            gap = max(needed - coming, 0.0)
            rows.append((sector, year, PLANTS, needed, coming, gap, gap * each, f"{_PLANTS}; {_HOW}"))
    rows += _vehicle_rows(bought, expected[expected["unit"] == VEHICLES], years)
    frame = pd.DataFrame(rows, columns=PLAN_TABLES["project_need"].names)
    return conform(frame, PLAN_TABLES["project_need"])


_PLANTS = "plants of the path that change technology or are built new and cleaner"
_VEHICLES = "vehicles of the path that are not conventional, bought up to the year"
_HOW = "projects count with their simulated chance of being past the final investment decision by then"


def _by(expected: pd.DataFrame, year: int) -> float:
    """What is expected of one sector by a year: the latest figure up to it, 0 before the first."""
    when = expected["year"].to_numpy(dtype=np.int64)
    until = np.flatnonzero(when <= year)
    if not len(until):
        return 0.0
    latest = until[len(until) - 1 - int(np.argmax(when[until][::-1]))]
    return float(expected["fid_expected"].iloc[latest])


def counted_projects(hub: Hub, last_reported: int) -> pd.DataFrame:
    """Projects that bring plants or vehicles: project_id, sector, unit, number.

    Each project is one plant, or as many vehicles as its capacity says. Not counted: programmes
    and what only enables or stores, trucking projects that state no vehicles, and what was in
    operation by ``last_reported``, whose tonnes are in the reported ones.
    """
    table = hub.tables["projects"]
    of_role = table["role"].isin(PLANT_ROLES) | table["role_secondary"].isin(PLANT_ROLES)
    vehicles = (table["capacity_of"] == VEHICLES) & table["capacity"].notna()
    online = table["online_year"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    in_operation = (table["stage"] == "operating").to_numpy()
    before = np.where(np.isnan(online), in_operation, (online <= last_reported) & in_operation)
    keep = of_role & (vehicles | (table["sector"] != "trucking")) & ~before.astype(bool)
    capacity = table["capacity"].astype(float)
    frame = pd.DataFrame(
        {
            "project_id": table["project_id"],
            "sector": table["sector"],
            "unit": np.where(vehicles, VEHICLES, PLANTS),
            "number": np.where(vehicles, capacity, 1.0),
        }
    )
    return frame[keep.to_numpy()].reset_index(drop=True)


def expected_decisions(hub: Hub, stage_years: pd.DataFrame, last_reported: int) -> pd.DataFrame:
    """Expected plants and vehicles past their decision by the end of each year, by sector.

    ``stage_years`` is the plan table of that name. Gives columns sector, year, unit,
    fid_expected: for each sector, year and unit the sum over projects of what they bring times
    the chance that their stage is past the decision by then.
    """
    projects = counted_projects(hub, last_reported)
    past = stage_years[stage_years["stage"].isin(PAST_FID)]
    chance = past.groupby(["project_id", "year"], as_index=False)["probability"].sum()
    both = chance.merge(projects, on="project_id")
    both["fid_expected"] = both["probability"].clip(upper=1.0) * both["number"]
    keys = ["sector", "year", "unit"]
    total: pd.DataFrame = both.groupby(keys)["fid_expected"].sum().reset_index()
    return total


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


def _vehicle_rows(bought: pd.DataFrame, expected: pd.DataFrame, years: list[int]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for sector in sorted(set(bought["sector"]) | set(expected["sector"])):
        mine, of_sector = bought[bought["sector"] == sector], expected[expected["sector"] == sector]
        for year in years:
            past = mine[mine["year"] <= year]
            number, capital = float(past["vehicles"].sum()), float(past["capex_usd"].sum())
            coming = _by(of_sector, year)
            gap = max(number - coming, 0.0)
            missing = capital * gap / number if number > 0 else 0.0
            rows.append((sector, year, VEHICLES, number, coming, gap, missing, f"{_VEHICLES}; {_HOW}"))
    return rows
