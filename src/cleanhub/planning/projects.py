"""Plan table of the announced projects: what is published, and what the simulation says of them."""

from __future__ import annotations

import pandas as pd

from cleanhub.core.tables import conform
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario
from cleanhub.pipeline.results import project_columns
from cleanhub.pipeline.simulate import Run
from cleanhub.pipeline.stages import capital_in_price_year


def projects_table(hub: Hub, scenario: Scenario, run: Run) -> pd.DataFrame:
    """Plan table ``projects``; ``stage`` is the one simulated from, asserted or inferred."""
    table = hub.tables["projects"]
    abates = (table["role"] == "abates") | (table["role_secondary"] == "abates")
    simulated = project_columns(run).set_index("project_id").loc[table["project_id"]]
    published = {
        "project_id": table["project_id"],
        "name": table["name"],
        "sector": table["sector"],
        "role": table["role"],
        "part_of": table["part_of"],
        "asset_id": table["asset_id"],
        "online_year": table["online_year"],
        "capex_usd": capital_in_price_year(hub, scenario),
        "public_funding_usd": table["public_funding_usd"],
        "co2e_t_per_year": table["co2e_t_per_year"].where(abates),
        "confidence": table["confidence"],
        "source_id": table["source_id"],
    }
    found = {name: simulated[name].to_numpy() for name in simulated.columns}
    return conform(pd.DataFrame({**published, **found}), PLAN_TABLES["projects"])
