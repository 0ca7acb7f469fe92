"""The headlines of a path alone, without the rest of a plan: about a second each.

Questions of the kind "what if this one input were another" need one path for every answer, and no
projects, sites or report. The chargers of trucks are given: those that freight sited for a whole plan
(:func:`sited_chargers`). So a headline measured here under a plan's own inputs and chargers is the
plan's own headline.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from cleanhub.core.errors import FaultList, InputError
from cleanhub.core.memory import remembered
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.pathways.accounts import costs_table
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.charging import Charging
from cleanhub.pathways.engine import run_pathway
from cleanhub.planning.charging import with_chargers
from cleanhub.planning.identity import content
from cleanhub.planning.targets import TARGET_YEAR, PathTables, measure, tables_of

__all__ = [
    "AT_TARGET_YEAR",
    "SUMMED",
    "TARGET_YEAR",
    "MeasuredPath",
    "measured_path",
    "not_of_the_path",
    "of_the_path",
    "sited_chargers",
]

AT_TARGET_YEAR = (
    "plants_changed",
    "zero_emission_trucks",
    "zero_emission_sales_share",
    "co2_captured",
)
SUMMED = ("hub_emissions_cumulative", "capital_spent", "credits_received")
_EMISSIONS = re.compile(r"(hub|state)_emissions_(\d{4})")
_SECTOR = re.compile(r"([a-z_]+), (\d{4})")


@dataclass(frozen=True)
class MeasuredPath:
    """A walked path with the tables that headlines are read from."""

    pathway: Pathway
    tables: PathTables
    costs: pd.DataFrame

    def headline(self, metric: str) -> float:
        """A headline of the scorecard, or the tonnes of a sector (``SECTOR, YEAR``), in its usual unit.

        Emissions are t CO2e (per year, or summed from the scenario's day to the target year), money is
        dollars of the price year summed to the target year. Raises
        :class:`~cleanhub.core.errors.InputError` for what cannot be read from a path alone.
        """
        scenario = self.pathway.scenario
        year = min(TARGET_YEAR, scenario.end_year)
        if named := _EMISSIONS.fullmatch(metric):
            return measure(self.tables, f"{named[1]}_emissions", "", int(named[2]), None)[0]
        if metric in AT_TARGET_YEAR:
            return measure(self.tables, metric, "", year, None)[0]
        if metric == "hub_emissions_cumulative":
            path = self.tables.included(True)
            return float(path[(path.index >= scenario.as_of.year) & (path.index <= year)].sum())
        if metric in SUMMED:
            item, sign = ("capital", 1.0) if metric == "capital_spent" else ("credits", -1.0)
            return sign * self.spent(item, year)
        if named := _SECTOR.fullmatch(metric):
            return measure(self.tables, "sector_emissions", named[1], int(named[2]), None)[0]
        raise not_of_the_path(metric)

    def spent(self, item: str, year: int) -> float:
        """What the covered assets spend on an item of the table costs, summed to ``year`` [USD]."""
        rows = self.costs[(self.costs["item"] == item) & (self.costs["year"] <= year)]
        return float(rows["value_usd"].sum())


def of_the_path(metric: str) -> bool:
    """Whether a headline can be read from a path alone."""
    return metric in (*AT_TARGET_YEAR, *SUMMED) or bool(
        _EMISSIONS.fullmatch(metric) or _SECTOR.fullmatch(metric)
    )


def not_of_the_path(metric: str) -> InputError:
    """The error for a headline that needs more than the path."""
    faults = FaultList()
    faults.add(
        "headline",
        what="not a figure of the path alone",
        found=metric,
        allowed="hub_emissions_YEAR, state_emissions_YEAR, "
        f'{", ".join((*SUMMED, *AT_TARGET_YEAR))}, or "SECTOR, YEAR" for the tonnes of a sector',
    )
    return InputError("headline", faults.faults)


def measured_path(
    hub: Hub, scenario: Scenario, charging: Sequence[Charging] = (), seed: int = 0
) -> MeasuredPath:
    """Walk the path of ``hub`` under ``scenario`` with chargers as given, and measure it."""
    path = run_pathway(hub, scenario, seed=seed, charging=charging)
    return MeasuredPath(path, tables_of(path), costs_table(path))


def sited_chargers(hub: Hub, scenario: Scenario, seed: int = 0) -> tuple[Charging, ...]:
    """The chargers that freight sites in a plan of ``hub`` under ``scenario``; none without freight."""
    return remembered(
        "chargers",
        (*content(hub), scenario, seed),
        lambda: with_chargers(run_pathway(hub, scenario, seed=seed), seed).charging,
    )
