"""Plan table of the announced projects, as far as data alone can fill it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cleanhub.core.tables import conform
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario


def projects_table(hub: Hub, scenario: Scenario) -> pd.DataFrame:
    """Plan table ``projects``; probabilities and dates of decision are pending."""
    table = hub.tables["projects"]
    index = hub.library.price_index
    years = table["capex_year"].astype("Float64").fillna(scenario.price_year).to_numpy(float)
    scale = np.array([index.to_dollars("USD", int(year), scenario.price_year) for year in years], dtype=float)
    abates = (table["role"] == "abates") | (table["role_secondary"] == "abates")
    pending = np.full(len(table), np.nan)
    frame = pd.DataFrame(
        {
            "project_id": table["project_id"],
            "name": table["name"],
            "sector": table["sector"],
            "stage": table["stage"],
            "role": table["role"],
            "part_of": table["part_of"],
            "asset_id": table["asset_id"],
            "p_fid_2030": pending,
            "fid_p10": pending,
            "fid_p50": pending,
            "fid_p90": pending,
            "online_p50": pending,
            "online_year": table["online_year"],
            "capex_usd": table["capex_usd"] * scale,
            "public_funding_usd": table["public_funding_usd"],
            "co2e_t_per_year": table["co2e_t_per_year"].where(abates),
            "confidence": table["confidence"],
            "source_id": table["source_id"],
        }
    )
    return conform(frame, PLAN_TABLES["projects"])
