"""A small port with its hinterland, cut out of the California package: a run of freight takes a second.

Two ports with three terminals, three rail yards, eight warehouse clusters, four substations, one
depot that stands, thirty candidate sites, few plants. Tests write it to a folder and edit its tables.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd

import cleanhub

CALIFORNIA = Path(cleanhub.__file__).parent / "hubs" / "california"
PLACES = (
    "port-port-of-los-angeles",
    "port-port-of-long-beach",
    "terminal-apm-terminals-pier-400",
    "terminal-everport",
    "terminal-long-beach-container-terminal",
    "rail-yard-ictf-carson",
    "rail-yard-hobart",
    "rail-yard-san-bernardino",
    "substation-hinson",
    "substation-harbor-gs-q",
    "substation-laguna-bell",
    "substation-mira-loma",
    "depot-wattev-port-of-long-beach",
)
CLUSTERS = (
    "Ontario",
    "Fontana",
    "Chino",
    "Compton",
    "Carson",
    "Long Beach",
    "Santa Fe Springs",
    "Los Angeles",
)
CANDIDATES = 30


def read(folder: Path, table: str) -> pd.DataFrame:
    """A table of the package in ``folder`` as text."""
    return pd.read_csv(folder / f"{table}.csv", dtype=str, keep_default_na=False)


def write(folder: Path, table: str, frame: pd.DataFrame) -> None:
    """Write a table back."""
    frame.to_csv(folder / f"{table}.csv", index=False)


def edit(folder: Path, table: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Replace a table by what ``change`` makes of it."""
    write(folder, table, change(read(folder, table)))


def make_small_hub(folder: Path) -> Path:
    """Write the small hub to ``folder``, which must not exist."""
    shutil.copytree(CALIFORNIA, folder)
    edit(folder, "infrastructure", lambda t: t[t["infrastructure_id"].isin(PLACES)])
    edit(folder, "warehouse_clusters", lambda t: t[t["cluster"].isin(CLUSTERS)])
    edit(folder, "freight_places", lambda t: t.iloc[:1])
    edit(folder, "tracts", lambda t: t[t["county"].isin(["Los Angeles", "San Bernardino"])].iloc[::8])
    edit(folder, "facilities", lambda t: t.iloc[::12])
    kept = set(read(folder, "facilities")["asset_id"])
    edit(folder, "facility_emissions", lambda t: t[t["asset_id"].isin(kept)])
    row = dict.fromkeys(read(folder, "freight_parameters").columns, "") | {
        "parameter": "candidate_count",
        "value": str(CANDIDATES),
        "unit": "1",
        "source_id": "cleanhub-assumption",
        "confidence": "assumed",
    }
    edit(folder, "freight_parameters", lambda t: pd.concat([t, pd.DataFrame([row])]))
    return folder
