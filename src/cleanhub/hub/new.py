"""A new hub: a small, complete package that checks and plans, to be filled with real rows."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

from cleanhub.core.errors import FaultList, InputError, RunError
from cleanhub.core.tables import data_package_schema
from cleanhub.hub.scenario import json_schema
from cleanhub.hub.schema import PACKAGE_TABLES

NAME = re.compile(r"^[a-z][a-z0-9-]{1,40}$")

_EXAMPLE: dict[str, list[dict[str, object]]] = {
    "sources": [
        {
            "source_id": "example",
            "title": "Example rows, to be replaced",
            "publisher": "you",
            "year": 2026,
            "licence": "your own",
            "read_through_copyleft": "no",
        }
    ],
    "facilities": [
        {
            "asset_id": "example-plant",
            "name": "Example cement plant",
            "lat": 0.5,
            "lon": 0.5,
            "sector": "cement",
            "inventory_sector": "Industry",
            "product": "clinker",
            "confidence": "assumed",
        }
    ],
    "facility_emissions": [
        {"asset_id": "example-plant", "year": 2022, "co2e_t": 800000, "confidence": "assumed"}
    ],
    "inventory": [
        {
            "year": 2022,
            "inventory_sector": "Industry",
            "sector": "cement",
            "category": "Cement",
            "gas": "co2",
            "boundary": "included",
            "co2e_t": 1000000,
            "confidence": "assumed",
        }
    ],
    "branches": [
        {
            "inventory_sector": "Industry",
            "sector": "cement",
            "hub_scope": "yes",
            "driver": "cement_demand",
            "confidence": "assumed",
        }
    ],
    "drivers": [
        {"driver": "cement_demand", "kind": "activity", "year": 2022, "value": 1, "unit": "1"},
        {"driver": "cement_demand", "kind": "activity", "year": 2050, "value": 1, "unit": "1"},
        {
            "driver": "carbon_price",
            "kind": "carbon_price",
            "year": 2030,
            "value": 80,
            "unit": "USD/t",
            "currency_year": 2024,
        },
        {
            "driver": "price_coal",
            "kind": "price",
            "year": 2030,
            "value": 4,
            "unit": "USD/GJ",
            "currency_year": 2024,
        },
        {
            "driver": "price_natural_gas",
            "kind": "price",
            "year": 2030,
            "value": 8,
            "unit": "USD/GJ",
            "currency_year": 2024,
        },
        {
            "driver": "price_electricity_industrial",
            "kind": "price",
            "year": 2030,
            "value": 100,
            "unit": "USD/MWh",
            "currency_year": 2024,
        },
        {
            "driver": "co2_transport_storage",
            "kind": "price",
            "year": 2030,
            "value": 40,
            "unit": "USD/t",
            "currency_year": 2024,
        },
        {
            "driver": "grid_emission_factor",
            "kind": "emission_factor",
            "year": 2030,
            "value": 0.3,
            "unit": "t CO2e/MWh",
        },
    ],
}

_SCENARIO = """\
# yaml-language-server: $schema=scenario.schema.json
name: baseline
title: Policies in force
description: Replace this with what the scenario assumes.
as_of: 2026-01-01
end_year: 2050
price_year: 2024
decision: {rule: least_cost, discount_rate: 0.08}
carbon_price: carbon_price
"""


def new_hub(name: str, folder: Path, title: str = "") -> Path:
    """Write a new hub package to ``folder/name`` and return that folder.

    It holds one example plant and checks without faults. Raises ``InputError`` for a name
    that cannot be one, ``RunError`` when the folder exists already or cannot be written.
    """
    if not NAME.fullmatch(name):
        faults = FaultList()
        faults.add(
            "name",
            what="not a hub name",
            found=name,
            allowed="lower case letters, digits and -, 2 to 41 of them",
        )
        raise InputError("new hub", faults.faults)
    target = folder / name
    if target.exists():
        raise RunError(f"{target} exists already; name another hub or folder")
    staging = folder / f".{name}.writing"
    try:
        shutil.rmtree(staging, ignore_errors=True)
        (staging / "scenarios").mkdir(parents=True)
        for table in PACKAGE_TABLES:
            _write_table(staging, table)
        _write_json(staging / "datapackage.json", _descriptor(name, title or name.replace("-", " ").title()))
        (staging / "scenarios" / "baseline.yaml").write_text(_SCENARIO, encoding="utf-8")
        _write_json(staging / "scenarios" / "scenario.schema.json", json_schema())
        staging.rename(target)
    except OSError as error:
        raise RunError(f"cannot write {target}: {error.strerror}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return target


def _write_table(target: Path, name: str) -> None:
    table = PACKAGE_TABLES[name]
    columns = table.names
    defaults = {"source_id": "example", "confidence": "assumed"} if name != "sources" else {}
    with (target / table.file).open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns, restval="", lineterminator="\n")
        writer.writeheader()
        for row in _EXAMPLE.get(name, []):
            kept = {key: value for key, value in {**defaults, **row}.items() if key in columns}
            writer.writerow(kept)


def _descriptor(name: str, title: str) -> dict[str, object]:
    return {
        "profile": "data-package",
        "name": name,
        "title": title,
        "description": "Replace this with what the hub is.",
        "version": "0.1",
        "licenses": [
            {"name": "CC-BY-4.0", "title": "for your own rows; terms of each source are in sources.csv"}
        ],
        "sources": [{"title": "Example rows, to be replaced"}],
        "gwp": "AR4",
        "base_year": 2022,
        "bbox": [0, 0, 1, 1],
        "inventory_title": "Name the inventory here",
        "default_scenario": "baseline",
        "resources": [
            {
                "name": table.name,
                "path": table.file,
                "title": table.description,
                "profile": "tabular-data-resource",
                "schema": data_package_schema(table),
            }
            for table in PACKAGE_TABLES.values()
        ],
    }


def _write_json(path: Path, data: dict[str, object]) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
