"""What a hub adds to the library: technologies, switches and carriers of its own.

A hub package may hold ``codelists.csv``, ``technologies.csv``, ``technology_parameters.csv``,
``switches.csv``, ``carriers.csv``, ``components.csv`` and ``technology_components.csv`` in the
layout of the library. Their rows stand beside the library's in this hub alone; a row with the
key of a library row is a fault, since the library is the same everywhere.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from cleanhub.core.errors import FaultList
from cleanhub.core.tables import check_references, read_table
from cleanhub.hub.library import Library, reference_targets
from cleanhub.hub.library_schema import LIBRARY_TABLES

OWN_TABLES = (
    "codelists",
    "technologies",
    "technology_parameters",
    "switches",
    "carriers",
    "components",
    "component_deployment",
    "technology_components",
)
"""Library tables that a hub may add rows to, in the order they are read."""


def extend_library(folder: Path, library: Library, sources: frozenset[str], faults: FaultList) -> Library:
    """The library with the rows that the hub package in ``folder`` adds; the same one if it adds none.

    ``sources`` are the source ids of the hub. Faults of the added rows are recorded.
    """
    present = [name for name in OWN_TABLES if (folder / LIBRARY_TABLES[name].file).is_file()]
    if not present:
        return library
    codelists = dict(library.codelists)
    own: dict[str, pd.DataFrame] = {}
    for name in present:
        table = LIBRARY_TABLES[name]
        own[name] = read_table(folder / table.file, table, faults, codelists, library.unit_ok)
        if name == "codelists":
            for word, rows in own[name].groupby("list", sort=True):
                codelists[str(word)] = codelists.get(str(word), frozenset()) | frozenset(rows["code"])
        if name == "technologies":
            codelists["technology"] |= frozenset(own[name]["technology"])
    tables = dict(library.tables)
    for name, frame in own.items():
        _check_new(name, frame, library.tables[name], faults)
        tables[name] = pd.concat([library.tables[name], frame])
    targets = reference_targets(tables)
    targets["sources.source_id"] |= sources
    checked = {name: frame for name, frame in own.items() if name != "codelists"}
    check_references(checked, LIBRARY_TABLES, targets, faults)
    _check_parameters(own, tables, faults)
    return replace(library, tables=tables, codelists=codelists)


def _check_new(name: str, frame: pd.DataFrame, library: pd.DataFrame, faults: FaultList) -> None:
    table = LIBRARY_TABLES[name]
    known = set(library[list(table.key)].itertuples(index=False, name=None))
    for line, row in zip(frame.index, frame[list(table.key)].itertuples(index=False, name=None), strict=True):
        if row in known:
            faults.add(
                table.file,
                int(str(line)),
                "+".join(table.key),
                what=f"duplicate {' + '.join(table.key)}",
                found=", ".join(str(one) for one in row),
                allowed="a row that the library does not have",
            )


def _check_parameters(
    own: dict[str, pd.DataFrame], tables: dict[str, pd.DataFrame], faults: FaultList
) -> None:
    """Technologies without any parameter, lifetimes of nothing, ranges that miss their value."""
    file = LIBRARY_TABLES["technology_parameters"].file
    described = set(tables["technology_parameters"]["technology"])
    technologies = own.get("technologies")
    for line, row in technologies.iterrows() if technologies is not None else ():
        if row["technology"] not in described:
            faults.add(
                LIBRARY_TABLES["technologies"].file,
                int(str(line)),
                "technology",
                what="technology has no inputs, costs or emissions",
                found=row["technology"],
                allowed=f"rows in {file}",
            )
    parameters = own.get("technology_parameters")
    if parameters is None:
        return
    for line, row in parameters.iterrows():
        if row["parameter"] == "lifetime" and not row["value"] > 0:
            faults.add(file, int(str(line)), "value", what="lifetime", found=row["value"], allowed="above 0")
    wrong = (parameters["low"] > parameters["value"]) | (parameters["value"] > parameters["high"])
    for line, row in parameters[wrong].iterrows():
        faults.add(
            file,
            int(str(line)),
            "low+value+high",
            what="range does not hold its value",
            found=f"{row['low']:g}, {row['value']:g}, {row['high']:g}",
            allowed="low <= value <= high",
        )
