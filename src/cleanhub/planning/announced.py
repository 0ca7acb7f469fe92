"""The announced projects inside a plan: valued and simulated, remembered until what they rest on changes.

:mod:`cleanhub.planning.pipeline` computes them and is imported only where they are not remembered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from cleanhub.core.memory import remembered
from cleanhub.hub.excerpt import excerpt
from cleanhub.hub.library import Library
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario

APART_TABLES = frozenset(
    {
        "branches",
        "community_areas",
        "counties",
        "credits",
        "drivers",
        "facility_emissions",
        "freight_parameters",
        "freight_places",
        "grid_headroom",
        "inventory",
        "limits",
        "markets",
        "port_throughput",
        "prices",
        "stacks",
        "tariffs",
        "tracts",
        "truck_registry",
        "warehouse_clusters",
    }
)
"""Tables of a hub that neither values nor the simulation of projects read."""
APART_LIBRARY = frozenset(
    {
        "adoption_thresholds",
        "component_deployment",
        "components",
        "freight_parameters",
        "grid_tiers",
        "switches",
        "technology_components",
    }
)
"""Tables of the library that they do not read."""
APART_CHOICES = frozenset(
    {
        "carbon_price",
        "credits",
        "drivers",
        "freight",
        "learning",
        "limits",
        "programme",
        "zero_emission_sales",
    }
)
"""Choices of a scenario that they do not read."""


@dataclass(frozen=True)
class Announced:
    """What a plan says of the announced projects: tables by name, promises to buy, and notes."""

    tables: dict[str, pd.DataFrame]
    offtake: pd.DataFrame
    on_values: tuple[str, ...]
    on_simulation: tuple[str, ...]


def announced_projects(hub: Hub, scenario: Scenario, seed: int) -> Announced:
    """The announced projects of ``hub`` under ``scenario``, computed or remembered."""
    part = excerpt(_with_lifetimes_only(hub), scenario, APART_TABLES, APART_LIBRARY, APART_CHOICES)

    def make() -> Announced:
        from cleanhub.planning.pipeline import compute_announced

        return compute_announced(part.hub, part.scenario, seed)

    return remembered("projects", (part.content, seed), make)


def _with_lifetimes_only(hub: Hub) -> Hub:
    """The hub with the lifetimes of technologies and none of their costs: no project reads those."""
    tables = dict(hub.library.tables)
    known = tables["technology_parameters"]
    lifetimes = known.loc[known["parameter"] == "lifetime", ["technology", "parameter", "value"]]
    tables["technology_parameters"] = lifetimes.reset_index(drop=True)
    return replace(hub, library=Library(tables, hub.library.codelists, hub.library.units))
