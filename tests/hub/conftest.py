"""Hubs for the tests of this room: California as shipped, and small ones to write by hand."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from cleanhub.core.errors import InputError
from cleanhub.hub.new import new_hub
from cleanhub.hub.package import BUNDLED, Hub, load_hub
from cleanhub.hub.schema import PACKAGE_TABLES

settings.register_profile(
    "cleanhub", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("cleanhub")

Rows = list[dict[str, Any]]
Listing = Callable[[Path], dict[str, bytes]]


@pytest.fixture(scope="session")
def california() -> Hub:
    """The bundled hub. Tests must not change its tables."""
    return load_hub("california")


@pytest.fixture
def california_copy(tmp_path: Path) -> Path:
    """A writable copy of the California package under another name."""
    return shutil.copytree(BUNDLED / "california", tmp_path / "another-name")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The folder of a fresh ``hub new``."""
    return new_hub("tiny", tmp_path)


@pytest.fixture
def write_table() -> Callable[[Path, str, Rows], None]:
    """Write the rows of one table of a hub; columns that are not given are as ``hub new`` has them."""

    def write(hub: Path, name: str, rows: Rows) -> None:
        table = PACKAGE_TABLES[name]
        defaults = {"source_id": "example", "confidence": "assumed"}
        with (hub / table.file).open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, table.names, restval="")
            writer.writeheader()
            for row in rows:
                writer.writerow({k: v for k, v in {**defaults, **row}.items() if k in table.names})

    return write


@pytest.fixture
def edit_meta() -> Callable[..., None]:
    """Change keys of a hub's datapackage.json; ``None`` removes one."""

    def edit(hub: Path, **changes: Any) -> None:
        path = hub / "datapackage.json"
        meta = {**json.loads(path.read_text(encoding="utf-8")), **changes}
        path.write_text(json.dumps({k: v for k, v in meta.items() if v is not None}), encoding="utf-8")

    return edit


@pytest.fixture
def faults_of() -> Callable[[Path], list[str]]:
    """The faults that refuse a hub, one line each; empty when it loads."""

    def lines(hub: Path) -> list[str]:
        try:
            load_hub(hub)
        except InputError as error:
            return [fault.line() for fault in error.faults]
        return []

    return lines


@pytest.fixture(scope="session")
def listing() -> Listing:
    """Every file below a folder with its bytes."""

    def read(folder: Path) -> dict[str, bytes]:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b""
            for path in sorted(folder.rglob("*"))
        }

    return read
