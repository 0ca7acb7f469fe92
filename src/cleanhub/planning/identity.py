"""What a plan was made of: hashes of the files behind it, versions, and all that it can read of its hub."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cleanhub.hub.library import FOLDER
from cleanhub.hub.package import Hub, file_hashes, road_hashes
from cleanhub.planning.register_projects import register_hashes

HASHED = (".csv", ".json", ".geojson", ".parquet", ".yaml")
"""Endings of the files of a hub package that a plan's identity holds."""


def hashes(hub: Hub) -> dict[str, str]:
    """What the plan of ``hub`` rests on: ``hub/<file>`` of its package, ``register/...`` and ``library``."""
    return {**hub_hashes(hub), **register_hashes(hub), "library": _folder_hash(FOLDER)}


def hub_hashes(hub: Hub) -> dict[str, str]:
    """Hash of every file of the hub package, keyed ``hub/<file>``."""
    found = file_hashes(hub.path)
    return {f"hub/{name}": value for name, value in found.items() if Path(name).suffix in HASHED}


def content(hub: Hub) -> tuple[Any, ...]:
    """Everything that a plan can read of ``hub``: its tables, and the files that it reads on its way."""
    return hub.meta, hub.tables, hub.library, hub.notes, file_hashes(hub.path), road_hashes(hub)


def versions() -> dict[str, str]:
    """Versions of the packages that a plan's numbers and files depend on."""
    return {name: _version(name) for name in ("cleanhub", "duckdb", "numpy", "pandas")}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _folder_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.csv")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
