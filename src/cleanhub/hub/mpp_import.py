"""Hubs made from the input tables of the Mission Possible Partnership's shared solver.

:func:`import_mpp` turns a folder of the solver's inputs into a hub package that checks: its own
tables, a scenario ``baseline``, the solver's tables as Parquet in ``solver/`` and the constants of the
run in ``solver.yaml``, which may be edited. :func:`read_imported` reads tables and constants back.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList, InputError, RunError
from cleanhub.core.parquet import read_parquet, write_parquet
from cleanhub.core.tables import data_package_schema
from cleanhub.hub.mpp_inputs import WORLD, check_inputs, input_tables, inputs_folder, read_inputs
from cleanhub.hub.mpp_settings import MppSettings, read_settings, sector_settings, settings_text
from cleanhub.hub.new import NAME
from cleanhub.hub.scenario import json_schema
from cleanhub.hub.schema import PACKAGE_TABLES

SETTINGS = "solver.yaml"
TABLES = "solver"
SOURCE = "solver-inputs"
HUB_SECTORS = {
    "ammonia": {"sector": "chemicals", "product": "ammonia", "inventory_sector": "Ammonia and its products"},
    "aluminium": {"sector": "aluminium", "product": "primary_aluminium", "inventory_sector": "Aluminium"},
}
_MEGATONNE = 1e6
_SCENARIO = """\
# yaml-language-server: $schema=scenario.schema.json
name: baseline
title: As imported, nothing added
description: >-
  The hub's own tables without policies or prices. The imported solver's pathways are not scenarios:
  run them with `cleanhub pathways HUB --rule mpp --faithful --pathway NAME`.
as_of: 2026-01-01
end_year: 2050
price_year: 2024
decision: {rule: least_cost, discount_rate: 0.08}
"""


@dataclass(frozen=True)
class ImportedSolver:
    """Checked input tables, the run's constants, and what the check had to tell."""

    frames: dict[str, pd.DataFrame]
    settings: MppSettings
    notes: tuple[str, ...] = ()


def read_solver(folder: Path, sector: str) -> ImportedSolver:
    """Read a solver's inputs straight from their folder, with the sector's default constants."""
    settings, faults = sector_settings(sector), FaultList()
    frames = read_inputs(inputs_folder(folder), settings, faults)
    faults.raise_if_any(f"{sector} inputs in {folder}")
    return ImportedSolver(frames, settings, tuple(note.line() for note in faults.notes))


def import_mpp(folder: Path, sector: str, out: Path) -> ImportedSolver:
    """Write a hub package to ``out`` from the solver's inputs in ``folder``.

    Raises ``InputError`` with every fault of the inputs, and for an ``out`` that holds something else
    than a former import; ``RunError`` when it cannot be written. Nothing is half-written.
    """
    solver = read_solver(folder, sector)
    facilities = _facilities(solver, sector)
    former = _refuse_foreign(out)
    staging = out.parent / f".{out.name}.writing"
    try:
        shutil.rmtree(staging, ignore_errors=True)
        (staging / TABLES).mkdir(parents=True)
        _write_package(staging, solver, sector, facilities, out.name)
        for name, frame in solver.frames.items():
            write_parquet(_plain(frame), staging / TABLES / f"{name}.parquet")
        _write_settings(staging / SETTINGS, sector)
        if former:
            shutil.rmtree(out)
        staging.rename(out)
    except OSError as error:
        raise RunError(f"cannot write {out}: {error.strerror}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return solver


def read_imported(hub: Path) -> ImportedSolver:
    """Read tables and constants of an imported hub, checked anew since both may have been edited."""
    faults = FaultList()
    if not (hub / SETTINGS).is_file() or not (hub / TABLES).is_dir():
        faults.add(
            str(hub),
            what="not a hub imported from the solver",
            allowed=f"a hub with {SETTINGS} and a folder {TABLES}: make one with cleanhub hub import mpp",
        )
        raise InputError("solver tables", faults.faults)
    settings = read_settings(hub / SETTINGS, faults)
    faults.raise_if_any(f"hub {hub.name}")
    assert settings is not None
    frames: dict[str, pd.DataFrame] = {}
    for name, table in input_tables(settings).items():
        path = hub / TABLES / f"{name}.parquet"
        if path.is_file():
            try:
                frames[name] = read_parquet(path)
            except ValueError as error:
                faults.add(f"{TABLES}/{name}.parquet", what="cannot be read", found=error)
        elif table.needed:
            faults.add(f"{TABLES}/{name}.parquet", what="missing file")
    frames = check_inputs(frames, settings, faults)
    faults.raise_if_any(f"hub {hub.name}")
    return ImportedSolver(frames, settings, tuple(note.line() for note in faults.notes))


def _refuse_foreign(out: Path) -> bool:
    """Whether a former import stands at ``out``; ``InputError`` for anything else that is there."""
    faults = FaultList()
    if not NAME.fullmatch(out.name):
        allowed = "a folder name of lower case letters, digits and -, 2 to 41 of them"
        faults.add("--out", what="not a hub name", found=out.name, allowed=allowed)
    there = out.exists() and (not out.is_dir() or any(out.iterdir()))
    former = there and (out / SETTINGS).is_file() and (out / TABLES).is_dir()
    if there and not former:
        faults.add(
            "--out",
            what="not empty and not a former import",
            found=out,
            allowed="a new or empty folder, or one that hub import mpp wrote",
        )
    faults.raise_if_any("import")
    return former or out.exists()


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(dict.fromkeys(frame.select_dtypes("category").columns, str))


# --- the hub's own tables ------------------------------------------------------------------------


def _facilities(solver: ImportedSolver, sector: str) -> pd.DataFrame:
    """Plants with coordinates, with capacity and emissions of the first year; faults for bad places."""
    stack = solver.frames["initial_asset_stack"]
    if "coordinates" not in stack:
        return pd.DataFrame()
    parts = stack["coordinates"].astype(str).str.split(",", expand=True)
    places = parts.reindex(columns=[0, 1]).apply(pd.to_numeric, errors="coerce")
    wrong = ~places[0].between(-90, 90) | ~places[1].between(-180, 180)
    faults = FaultList()
    for line in stack.index[wrong]:
        found = stack["coordinates"][line]
        file, allowed = "initial_asset_stack.csv", "latitude, longitude in degrees"
        faults.add(file, int(line) + 2, "coordinates", what="no place", found=found, allowed=allowed)
    faults.raise_if_any(f"{sector} inputs")
    country = stack["country"].astype(str) if "country" in stack else stack["region"].astype(str)
    number = np.arange(1, len(stack) + 1)
    return pd.DataFrame(
        {
            "asset_id": [f"{sector}-{k:03d}" for k in number],
            "name": [
                f"{sector.title()} plant {k}, {place}" for k, place in zip(number, country, strict=True)
            ],
            "lat": places[0],
            "lon": places[1],
            "capacity": stack["annual_production_capacity"] * _MEGATONNE,
            "capacity_unit": "t/yr",
            "opened_year": stack["year"],
            "co2e_t": _emitted(solver),
        }
    )


def _emitted(solver: ImportedSolver) -> pd.Series:
    """CO2 of scope 1 of each stack row in the first year, at its stated utilisation [t]."""
    stack, settings = solver.frames["initial_asset_stack"], solver.settings
    factors = solver.frames["emissions"]
    keys = ["product", "region", "technology"]
    first = factors[factors["year"] == settings.first_year].assign(
        **{k: factors[k].astype(str) for k in keys}
    )
    by_place = first.set_index(keys)["co2_scope1"]
    place = pd.MultiIndex.from_frame(stack[keys].astype(str))
    use = stack["average_cuf" if settings.initial_stack == "regional" else "capacity_factor"]
    factor = by_place.reindex(place).fillna(0.0).to_numpy(float)
    made = stack["annual_production_capacity"].to_numpy(float) * use.to_numpy(float)
    return pd.Series(np.maximum(made * factor, 0.0) * _MEGATONNE, index=stack.index)


def _rows(solver: ImportedSolver, sector: str, facilities: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Rows of the hub's own tables; the keys that every row shares are added later."""
    settings, place = solver.settings, HUB_SECTORS[sector]
    own = {"sector": place["sector"], "inventory_sector": place["inventory_sector"]}
    sites: list[dict[str, Any]] = [
        {str(key): value for key, value in row.items()} for row in facilities.to_dict("records")
    ]
    demand = solver.frames["demand"]
    world = demand[(demand["region"] == WORLD) & demand["year"].isin(list(settings.years))]
    total = world.groupby("year")["value"].sum()
    driver = f"{sector}_demand"
    inventory = {"year": settings.first_year, "gas": "co2", "boundary": "included", "confidence": "derived"}
    return {
        "sources": [
            {
                "source_id": SOURCE,
                "title": f"Input tables of the shared solver, {sector}, as imported",
                "publisher": "Mission Possible Partnership",
                "licence": "that of the imported files",
                "read_through_copyleft": "no",
                "note": "Made by cleanhub hub import mpp; look up the files' terms before passing them on.",
            }
        ],
        "facilities": [{**own, "product": place["product"], "confidence": "seen", **site} for site in sites],
        "facility_emissions": [
            {"asset_id": site["asset_id"], "year": settings.first_year, "co2e_t": site["co2e_t"]}
            | {"confidence": "derived"}
            for site in sites
        ],
        "inventory": [
            {**own, **inventory, "category": "Process and fuels", "co2e_t": float(_emitted(solver).sum())}
        ],
        "branches": [{**own, "hub_scope": "yes", "driver": driver, "confidence": "derived"}],
        "drivers": [
            {
                "driver": driver,
                "kind": "activity",
                "year": int(str(year)),
                "value": float(value / total.iloc[0]),
                "unit": "1",
                "confidence": "derived",
            }
            for year, value in total.items()
        ],
    }


def _write_package(
    target: Path, solver: ImportedSolver, sector: str, facilities: pd.DataFrame, name: str
) -> None:
    rows = _rows(solver, sector, facilities)
    tables = [table for table in PACKAGE_TABLES.values() if table.name in rows]
    for table in tables:
        with (target / table.file).open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(
                handle, table.names, restval="", extrasaction="ignore", lineterminator="\n"
            )
            writer.writeheader()
            writer.writerows({"source_id": SOURCE, **row} for row in rows[table.name])
    descriptor: dict[str, Any] = {
        "profile": "data-package",
        "name": name,
        "title": f"{sector.title()} of the world, imported",
        "description": f"Input tables of the Mission Possible Partnership's shared solver for {sector}; its "
        f"pathways run with cleanhub pathways --rule mpp --faithful. Its own tables hold scope 1 CO2 at "
        f"the stack's stated utilisation in {solver.settings.first_year}.",
        "version": "0.1",
        "licenses": [{"name": "other", "title": "that of the imported files"}],
        "sources": [{"title": "Mission Possible Partnership, shared solver, input tables"}],
        "gwp": "AR6",
        "base_year": solver.settings.first_year,
        "bbox": [-180, -90, 180, 90],
        "inventory_title": "Derived from the imported stack and emission factors",
        "default_scenario": "baseline",
        "resources": [_resource(table.name) for table in tables],
        "solver": {"sector": sector, "settings": SETTINGS, "tables": TABLES},
    }
    (target / "scenarios").mkdir()
    _write_json(target / "datapackage.json", descriptor)
    _write_json(target / "scenarios" / "scenario.schema.json", json_schema())
    (target / "scenarios" / "baseline.yaml").write_text(_SCENARIO, encoding="utf-8")


def _resource(name: str) -> dict[str, Any]:
    table = PACKAGE_TABLES[name]
    return {
        "name": table.name,
        "path": table.file,
        "title": table.description,
        "profile": "tabular-data-resource",
        "schema": data_package_schema(table),
    }


def _write_settings(path: Path, sector: str) -> None:
    """The sector's part of the library's settings, with its comments."""
    text = settings_text(sector)
    path.write_text(
        f"# Constants of the run; units are those of the tables. They may be edited.\n{text}", "utf-8"
    )


def _write_json(path: Path, data: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
