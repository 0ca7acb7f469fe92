"""Excerpts: a hub and a scenario that hold only what one step of a plan reads.

A step whose value is remembered gets an excerpt and nothing else, so that its key, the content of the
excerpt, cannot miss anything it reads: what was left out is not there, and reading it is an error
(``KeyError`` for a table or the values of a driver, ``AttributeError`` for a choice of the scenario).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from cleanhub.hub.library import Library
from cleanhub.hub.own_library import OWN_TABLES
from cleanhub.hub.package import Hub, file_hashes, road_hashes
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.schema import PACKAGE_TABLES


@dataclass(frozen=True)
class Excerpt:
    """What one step reads of a hub and a scenario, and the content of that, for its key."""

    hub: Hub
    scenario: Scenario
    content: tuple[Any, ...]


NAMES = frozenset({"name", "title", "description", "extends"})
"""What a scenario is called: no step computes with it."""


def excerpt(
    hub: Hub,
    scenario: Scenario,
    tables: Collection[str],
    library: Collection[str],
    choices: Collection[str],
    drivers: Collection[str] = (),
) -> Excerpt:
    """The hub without ``tables`` and ``library`` tables, the scenario without ``choices`` and its names.

    Where the table of drivers stays, ``drivers`` names those whose values are read, with the scenario's
    choices for them; of the others only the names are there. Descriptions and files that are no tables
    are always there.
    """
    kept = {name: frame for name, frame in hub.tables.items() if name not in tables}
    chosen = {
        name: getattr(scenario, name)
        for name in type(scenario).model_fields
        if name not in NAMES and name not in choices
    }
    if "drivers" in kept:
        used = {choice.use for name, choice in scenario.drivers.items() if name in drivers and choice.use}
        named = frozenset(drivers) | used
        kept["drivers"] = _values_of(kept["drivers"], named)
        chosen["drivers"] = {name: choice for name, choice in scenario.drivers.items() if name in named}
    shared = {name: frame for name, frame in hub.library.tables.items() if name not in library}
    own = Library(shared, hub.library.codelists, hub.library.units)
    content = (hub.meta, kept, own, chosen, other_files(hub))
    return Excerpt(replace(hub, tables=kept, library=own, notes=()), _only(scenario, chosen), content)


def without_parameters(hub: Hub, table: str, names: Collection[str]) -> Hub:
    """The hub without the rows of the parameters ``names``, in its own ``table`` and in the library's."""

    def cut(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        return {**tables, table: tables[table][~tables[table]["parameter"].isin(list(names))]}

    shared = Library(cut(hub.library.tables), hub.library.codelists, hub.library.units)
    return replace(hub, tables=cut(hub.tables), library=shared)


def _values_of(table: pd.DataFrame, named: Collection[str]) -> pd.DataFrame:
    """The rows of the drivers that are named; of each other driver one row without a value."""
    mine = table["driver"].isin(list(named))
    others = table[~mine].drop_duplicates(["driver", "region"])
    names = others.drop(columns=["year", "value"]).reindex(columns=table.columns).astype(table.dtypes)
    return pd.concat([table[mine], names])


def _only(scenario: Scenario, chosen: Mapping[str, Any]) -> Scenario:
    """The scenario without the choices that are not ``chosen``."""
    part = scenario.model_copy(update=dict(chosen))
    for name in set(type(scenario).model_fields) - set(chosen):
        part.__dict__.pop(name, None)
    return part


def other_files(hub: Hub) -> dict[str, str]:
    """Hashes of the files of a hub package that are neither tables nor scenarios, and of its roads."""
    apart = {table.file for table in PACKAGE_TABLES.values()} | {f"{name}.csv" for name in OWN_TABLES}
    apart.add("datapackage.json")
    found = {
        name: value
        for name, value in file_hashes(hub.path).items()
        if name not in apart and not name.startswith("scenarios/")
    }
    return {**found, **{f"roads:{name}": value for name, value in road_hashes(hub).items()}}
