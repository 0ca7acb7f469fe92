"""A hub of a handful of projects to change at will, for tests of this room.

One degree of latitude is about 111 km. ``kiln`` and ``mill`` capture CO2 in county North, about 22 km
from ``vault`` (a store that is a project) and 44 km from ``cavern`` (one that is infrastructure);
``wells`` is a second store, 300 km south. ``stack`` makes hydrogen by electrolysis, ``turbine`` burns it,
``fleet`` runs battery trucks beside ``depot``, and ``terminal`` is a part of the programme ``harbour``.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cleanhub.core.errors import FaultList
from cleanhub.core.tables import Table, read_table
from cleanhub.hub.library import Library
from cleanhub.hub.library_schema import LIBRARY_TABLES
from cleanhub.hub.new import new_hub
from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.scenario import Scenario, load_scenario
from cleanhub.hub.schema import PACKAGE_TABLES

Row = Mapping[str, Any]

PROJECT_ROWS: dict[str, Row] = {
    "vault": {
        "name": "Vault store",
        "sector": "co2_storage",
        "technology_text": "Class VI store",
        "role": "stores",
        "stage": "feed",
        "county": "North",
        "lat": 0.5,
        "lon": 0.5,
        "announced_year": 2024,
    },
    "wells": {
        "name": "Wells store",
        "sector": "co2_storage",
        "technology_text": "Class VI store",
        "role": "stores",
        "stage": "announced",
        "county": "South",
        "lat": -2.2,
        "lon": 0.5,
        "announced_year": 2024,
    },
    "kiln": {
        "name": "Kiln capture",
        "sector": "cement",
        "technology_text": "CCS",
        "role": "abates",
        "stage": "feed",
        "county": "North",
        "lat": 0.7,
        "lon": 0.5,
        "announced_year": 2024,
        "online_year": 2032,
        "co2e_t_per_year": 900000,
        "capex_usd": 8e8,
        "capex_year": 2024,
    },
    "mill": {
        "name": "Mill capture",
        "sector": "steel",
        "technology_text": "post-combustion capture",
        "role": "abates",
        "stage": "announced",
        "county": "North",
        "lat": 0.7,
        "lon": 0.52,
        "announced_year": 2025,
        "co2e_t_per_year": 400000,
    },
    "stack": {
        "name": "Stack hydrogen",
        "sector": "hydrogen",
        "technology_text": "electrolysis",
        "role": "supplies",
        "stage": "announced",
        "county": "North",
        "lat": 0.4,
        "lon": 0.1,
        "announced_year": 2025,
    },
    "turbine": {
        "name": "Turbine",
        "sector": "power",
        "technology_text": "hydrogen turbine",
        "role": "abates",
        "stage": "announced",
        "county": "North",
        "lat": 0.4,
        "lon": 0.15,
        "announced_year": 2025,
        "co2e_t_per_year": 50000,
    },
    "depot": {
        "name": "Depot",
        "sector": "trucking",
        "technology_text": "charging depot",
        "role": "enables",
        "stage": "construction",
        "county": "North",
        "lat": 0.41,
        "lon": 0.9,
        "announced_year": 2024,
    },
    "fleet": {
        "name": "Fleet",
        "sector": "trucking",
        "technology_text": "battery trucks",
        "role": "abates",
        "stage": "announced",
        "county": "North",
        "lat": 0.42,
        "lon": 0.9,
        "announced_year": 2025,
        "co2e_t_per_year": 6000,
    },
    "harbour": {
        "name": "Harbour programme",
        "sector": "ports",
        "technology_text": "terminal electrification",
        "role": "programme",
        "stage": "announced",
        "county": "North",
        "lat": 0.9,
        "lon": 0.9,
        "announced_year": 2025,
    },
    "terminal": {
        "name": "Terminal cranes",
        "sector": "ports",
        "technology_text": "electric cranes",
        "role": "abates",
        "stage": "announced",
        "county": "North",
        "lat": 0.9,
        "lon": 0.91,
        "announced_year": 2025,
        "co2e_t_per_year": 3000,
        "part_of": "harbour",
    },
}
"""Rows of ``projects.csv`` by identifier; columns that are not named are empty."""

INFRASTRUCTURE_ROWS: dict[str, Row] = {
    "cavern": {"kind": "co2_storage", "county": "North", "lat": 0.3, "lon": 0.5, "status": "application"},
    "sub-north": {"kind": "substation", "county": "North", "lat": 0.45, "lon": 0.12},
    "port-north": {"kind": "port", "county": "North", "lat": 0.9, "lon": 0.9},
}
"""Rows of ``infrastructure.csv`` by identifier."""

TRACE: Row = {"source_id": "example", "confidence": "assumed"}
Build = Callable[..., Hub]


def read_rows(folder: Path, table: Table, rows: Iterable[Row], library: Library) -> pd.DataFrame:
    """Rows as the loader reads them from a file; cells that are not given are empty. Faults are raised."""
    with (folder / table.file).open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, table.names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    faults = FaultList()
    frame = read_table(folder / table.file, table, faults, library.codelists, library.unit_ok)
    faults.raise_if_any(f"rows of {table.name}")
    return frame


def _known(row: Row, table: Table) -> Row:
    return {name: cell for name, cell in row.items() if name in table.names}


@pytest.fixture(scope="session")
def empty_hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """A fresh hub with one plant and no project."""
    return load_hub(new_hub("small", tmp_path_factory.mktemp("pipeline")))


@pytest.fixture(scope="session")
def make_hub(empty_hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A hub with the projects above, its tables read as the loader reads them.

    ``only`` keeps some projects, ``drop`` leaves out projects or infrastructure, ``change`` maps an
    identifier to columns that differ, ``add`` maps new identifiers to rows of projects, and further
    keywords are rows of other tables of the package.
    """

    def build(
        only: Iterable[str] | None = None,
        drop: Iterable[str] = (),
        change: Mapping[str, Row] | None = None,
        add: Mapping[str, Row] | None = None,
        **tables: Iterable[Row],
    ) -> Hub:
        folder = tmp_path_factory.mktemp("rows")
        change, gone = change or {}, set(drop)
        kept = set(PROJECT_ROWS) if only is None else set(only)
        projects = {k: v for k, v in PROJECT_ROWS.items() if k in kept} | dict(add or {})
        given: dict[str, Iterable[Row]] = {
            "projects": [
                {"project_id": k, **v, **change.get(k, {})} for k, v in projects.items() if k not in gone
            ],
            "infrastructure": [
                {"infrastructure_id": k, "name": k, **v, **change.get(k, {})}
                for k, v in INFRASTRUCTURE_ROWS.items()
                if k not in gone
            ],
            **tables,
        }
        traced = {name: [{**TRACE, **row} for row in rows] for name, rows in given.items()}
        frames = {
            name: read_rows(folder, PACKAGE_TABLES[name], rows, empty_hub.library)
            for name, rows in traced.items()
        }
        return replace(empty_hub, tables={**empty_hub.tables, **frames})

    return build


@pytest.fixture(scope="session")
def small(make_hub: Build) -> Hub:
    """The hub above as it stands; not to be changed."""
    return make_hub()


@pytest.fixture(scope="session")
def scenario(small: Hub) -> Scenario:
    """Its scenario: as of 1 January 2026, to 2050, dollars of 2024."""
    return load_scenario("baseline", small)


@pytest.fixture(scope="session")
def with_library(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Hub]:
    """A hub whose library has other rows in some tables: ``with_library(hub, gate_rules=[...])``.

    A row gives the columns that matter; the others get plain values (chance 1, no time, a developer).
    """
    plain: Row = {
        "p_low": 1,
        "p_pass": 1,
        "p_high": 1,
        "years_low": 0,
        "years": 0,
        "years_high": 0,
        "actor": "developer",
        "action": "do it",
        "barrier": "other",
        "source_id": "cleanhub-assumption",
        "confidence": "assumed",
    }

    def build(hub: Hub, **tables: Iterable[Row]) -> Hub:
        folder, library = tmp_path_factory.mktemp("library"), hub.library
        frames = {
            name: read_rows(folder, table, [{**_known(plain, table), **row} for row in rows], library)
            for name, rows in tables.items()
            for table in [LIBRARY_TABLES[name]]
        }
        return replace(hub, library=replace(library, tables={**library.tables, **frames}))

    return build


@pytest.fixture(scope="session")
def california() -> Hub:
    """The bundled hub. Tests must not change its tables."""
    return load_hub("california")


@pytest.fixture(scope="session")
def scenario_ca(california: Hub) -> Scenario:
    """The scenario of the bundled hub that tests of this room use."""
    return load_scenario("net-zero-2045", california)
