"""The recalled and assumed numbers behind a plan, as a list to put out for comment.

One row a number: where it stands, its value and range, unit, source, confidence, and the headlines of the
scorecard that rest on it. Left out are numbers that this plan cannot have used: drivers that no
step of its path reads, technologies that no plant or vehicle of the hub may run.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.emissions import emissions_table
from cleanhub.pathways.engine import run_pathway
from cleanhub.planning.provenance import inputs_table
from cleanhub.planning.scorecard import WEAK

COLUMNS = [
    *("table", "key", "value", "low", "high", "unit", "confidence"),
    *("source_id", "source", "publisher", "headlines", "note"),
]
"""Columns of the list; ``headlines`` are metrics of the scorecard, ;-separated, in its order."""
_EMISSIONS = ("hub_emissions", "state_emissions")
_PATH = (
    *_EMISSIONS,
    "project_need",
    "plants_changed",
    "zero_emission",
    "co2_captured",
    "capital_spent",
    "credits_received",
    "foresight_excess",
)
_CHARGING = ("drayage_charged", "charging_", "zero_emission", "credits_received", *_EMISSIONS)
_PIPELINE = ("project_need", "projects_valued", "decisions_expected", "first_missing_link")
_PROJECTS = ("projects_", *_PIPELINE)
FEEDS: dict[str, tuple[str, ...]] = {
    "drivers": (*_PATH, *_PIPELINE),
    "limits": _PATH,
    "technology_parameters": _PATH,
    "carriers": _PATH,
    "cohorts": (*_PATH, *_CHARGING),
    "credits": _PATH,
    "policies": (*_PATH, *_PIPELINE),
    "policy_values": (*_PATH, *_PIPELINE),
    "policy_conditions": (*_PATH, *_PIPELINE),
    "policy_settings": (*_PATH, *_PIPELINE),
    "price_index": (*_PATH, *_PIPELINE, "charging_capital"),
    "inventory": (*_EMISSIONS, "hub_share"),
    "facility_emissions": (*_PATH, "site_tonnes"),
    "projects": (*_PROJECTS, *_PATH),
    "gate_rules": _PIPELINE,
    "link_rules": _PIPELINE,
    "pipeline_parameters": _PIPELINE,
    "freight_parameters": _CHARGING,
    "grid_tiers": _CHARGING,
    "grid_headroom": _CHARGING,
    "warehouse_clusters": _CHARGING,
    "infrastructure": _CHARGING,
    "port_throughput": _CHARGING,
}
"""Beginnings of the headlines that rest on the numbers of each table, itself or through what it moves.

A table that is not here (targets, promises, buyers) is set beside the plan and moves none of them."""
PAST = ("inventory", "facility_emissions", "cohorts")
"""Tables that headlines of the base year rest on; no other moves the past."""


def assumptions_table(hub: Hub, scenario: Scenario, scorecard: pd.DataFrame) -> pd.DataFrame:
    """The recalled and assumed inputs that a plan uses, with the columns :data:`COLUMNS`.

    ``scorecard`` is the plan's; ``hub`` and ``scenario`` are those it was made from. Rows are sorted by
    table and key; ``low`` and ``high`` are NaN where a number has no range.
    """
    rows = inputs_table(hub)
    rows = rows[rows["confidence"].isin(WEAK) & rows["value"].notna()]
    path = run_pathway(hub, scenario)
    emissions_table(path)  # reads drivers that the walk does not
    rows = rows[_used(rows, path)]
    fed = {table: ";".join(_fed(table, scorecard, hub.base_year)) for table in rows["table"].unique()}
    sources = hub.sources().set_index("source_id")
    found = rows.assign(
        headlines=rows["table"].map(fed),
        source=rows["source_id"].map(sources["title"]).fillna(""),
        publisher=rows["source_id"].map(sources["publisher"]).fillna(""),
        note=rows["note"].fillna(""),
    )
    found = found.sort_values(["table", "key", "source_id"], kind="stable", ignore_index=True)
    return found[COLUMNS].drop_duplicates(ignore_index=True)


def _fed(table: str, scorecard: pd.DataFrame, base_year: int) -> list[str]:
    """The headlines that rest on the numbers of a table."""
    later = (scorecard["year"] != base_year).fillna(True).to_numpy(bool)
    metrics = scorecard["metric"] if table in PAST else scorecard.loc[later, "metric"]
    return [metric for metric in metrics if metric.startswith(FEEDS[table])] if table in FEEDS else []


def _used(rows: pd.DataFrame, pathway: Pathway) -> NDArray[np.bool_]:
    """Which rows of drivers and technologies the plan can have read; all rows of other tables."""
    problem, tech = pathway.problem, pathway.tech
    runs = np.array(problem.markets.offered.any(axis=0), dtype=bool)
    runs[problem.plants.start[problem.plants.start >= 0]] = True
    for cls in problem.vehicles:
        runs[cls.options] = True
    runs = runs | (problem.kinds[runs] > 0).any(axis=0)
    names = frozenset(tech.names[runs].tolist())
    first = rows["key"].str.split("[/@]", regex=True).str[0]
    read = pathway.drivers.read
    return np.asarray(
        ~((rows["table"] == "technology_parameters") & ~first.isin(names))
        & ~((rows["table"] == "drivers") & ~first.isin(read))
    )
