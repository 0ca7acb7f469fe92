"""Paths of California, walked once for all tests of this room, and small hubs of a few rows."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cleanhub as ch
from cleanhub.hub.new import new_hub
from cleanhub.hub.package import BUNDLED, Hub, load_hub
from cleanhub.hub.scenario import Scenario, load_scenario
from cleanhub.pathways import accounts, emissions, results
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.engine import run_pathway


@dataclass
class Run:
    """One path with its tables, each made when a test first asks for it."""

    hub: Hub
    scenario: Scenario

    @cached_property
    def path(self) -> Pathway:
        return run_pathway(self.hub, self.scenario)

    @cached_property
    def emissions(self) -> pd.DataFrame:
        return emissions.emissions_table(self.path)

    @cached_property
    def included(self) -> pd.DataFrame:
        """Scope 1 inside the inventory's total."""
        frame = self.emissions
        inside = (frame["scope"] == 1) & (frame["boundary"] == "included")
        return frame[inside & (frame["gas"] == "co2e")]

    @cached_property
    def assets(self) -> pd.DataFrame:
        return results.assets_table(self.path)

    @cached_property
    def switches(self) -> pd.DataFrame:
        return results.switches_table(self.path)

    @cached_property
    def limits(self) -> pd.DataFrame:
        return accounts.limits_table(self.path)

    @cached_property
    def energy(self) -> pd.DataFrame:
        return accounts.energy_table(self.path)

    @cached_property
    def costs(self) -> pd.DataFrame:
        return accounts.costs_table(self.path)

    @cached_property
    def trucks(self) -> pd.DataFrame:
        return results.truck_fleet_table(self.path)

    @cached_property
    def sectors(self) -> pd.DataFrame:
        return results.sectors_table(self.path)

    def tables(self) -> dict[str, pd.DataFrame]:
        names = ("emissions", "assets", "switches", "limits", "energy", "costs", "trucks", "sectors")
        return {name: getattr(self, name) for name in names}


@pytest.fixture(scope="session")
def california() -> Hub:
    return ch.load_hub("california")


@pytest.fixture(scope="session")
def run_of() -> type[Run]:
    """Makes a run from a hub and a scenario."""
    return Run


@pytest.fixture(scope="session")
def run(california: Hub) -> Callable[[str], Run]:
    """California's path under a bundled scenario."""

    @cache
    def walk(name: str) -> Run:
        return Run(california, load_scenario(name, california))

    return walk


@pytest.fixture(scope="session", params=["baseline", "no-support", "net-zero-2045", "fastest-abatement"])
def each(request: pytest.FixtureRequest, run: Callable[[str], Run]) -> Run:
    """California's path under each bundled scenario in turn."""
    return run(request.param)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Hub]:
    """A new hub whose CSV files hold the rows given by table; tables not given stay as written."""

    def build(tables: Mapping[str, list[dict[str, Any]]] | None = None) -> Hub:
        folder = new_hub("tiny-hub", tmp_path_factory.mktemp("hub"))
        for name, rows in (tables or {}).items():
            path = folder / f"{name}.csv"
            header = path.read_text(encoding="utf-8").splitlines()[0].split(",")
            with path.open("w", encoding="utf-8", newline="") as handle:
                writer = csv.DictWriter(handle, header, restval="")
                writer.writeheader()
                writer.writerows({"source_id": "example", "confidence": "assumed", **row} for row in rows)
        return load_hub(folder)

    return build


@pytest.fixture(scope="session")
def changed() -> Callable[..., Hub]:
    """A hub with some of its tables replaced in memory."""

    def build(hub: Hub, **tables: pd.DataFrame) -> Hub:
        return replace(hub, tables={**hub.tables, **tables})

    return build


@pytest.fixture(scope="session")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Hub]:
    """California copied to another folder, without the lines of its CSV files that a test names."""

    def build(without: Mapping[str, Callable[[dict[str, str]], bool]]) -> Hub:
        target: Path = tmp_path_factory.mktemp("copy") / "another-place"
        shutil.copytree(BUNDLED / "california", target)
        for name, drop in without.items():
            path = target / f"{name}.csv"
            with path.open(encoding="utf-8", newline="") as handle:
                reader = csv.DictReader(handle)
                kept = [row for row in reader if not drop(row)]
            with path.open("w", encoding="utf-8", newline="") as handle:
                writer = csv.DictWriter(handle, list(reader.fieldnames or ()))
                writer.writeheader()
                writer.writerows(kept)
        return load_hub(target)

    return build
