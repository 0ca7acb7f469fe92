"""Plants that the path needs, against the projects of the pipeline."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cleanhub.core.tables import conform
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.schema import PAST_FID

LIVE = ("concept", "announced", "pre_feed", "feed")
BASE_RATE_FACT = "fid_rate_global_pct"
PLANT_ROLES = ("abates", "supplies")
WAIT_YEARS = 5


def project_need_table(
    hub: Hub, scenario: Scenario, switches: pd.DataFrame, last_reported: int
) -> pd.DataFrame:
    """Plan table ``project_need`` for every fifth year and the last year.

    A project past its final investment decision counts as one plant from its first year,
    if that lies after the last reported year (earlier plants are in the reported tonnes). A
    proposed project counts as the base rate of the programme facts (share of proposed
    projects that reach a decision), from its announced year or ``WAIT_YEARS`` after the
    as-of date. Without that fact, proposed projects count as nothing.
    """
    plants = switches[switches["kind"].isin(["retrofit", "rebuild"])]
    first = plants.sort_values("year").drop_duplicates("asset_id")
    projects = hub.tables["projects"]
    counted = projects[projects["role"].isin(PLANT_ROLES) | projects["role_secondary"].isin(PLANT_ROLES)]
    counted = counted[counted["sector"] != "trucking"]
    rate = _base_rate(hub)
    sectors = sorted(set(first["sector"]) | set(counted["sector"]))
    start = scenario.as_of.year - scenario.as_of.year % 5 + 5
    years = sorted({*range(start, scenario.end_year + 1, 5), scenario.end_year})
    rows = []
    for sector in sectors:
        mine = first[first["sector"] == sector]
        expected = _expected(counted[counted["sector"] == sector], scenario, rate, last_reported)
        each = float(mine["capex_usd"].mean()) if len(mine) else 0.0
        for year in years:
            needed = float((mine["year"] <= year).sum())
            have = float(expected[expected.index <= year].sum())
            gap = max(needed - have, 0.0)
            rows.append((sector, year, needed, have, gap, gap * each, _how(rate)))
    frame = pd.DataFrame(rows, columns=PLAN_TABLES["project_need"].names)
    return conform(frame, PLAN_TABLES["project_need"])


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
        "sites of the path that change technology; projects past their final investment "
        f"decision count 1, proposed ones {rate:g} (programme facts)"
    )
