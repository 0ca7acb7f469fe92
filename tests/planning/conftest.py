"""Plans of California, made once for all tests of this room, and of a small hub."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from small_hub import edit

import cleanhub as ch
from cleanhub.planning.plan import Plan


@pytest.fixture(scope="session")
def hub() -> ch.Hub:
    return ch.load_hub("california")


@pytest.fixture(scope="session")
def baseline(hub: ch.Hub) -> Plan:
    return ch.plan(hub, "baseline")


@pytest.fixture(scope="session")
def net_zero(hub: ch.Hub) -> Plan:
    return ch.plan(hub, "net-zero-2045")


# --- another hub: California cut down to a port with its hinterland, and fewer years ---------------


@pytest.fixture(scope="session")
def port(small_hub_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small hub with its first twenty projects; not to be changed, copy it first."""
    folder = Path(shutil.copytree(small_hub_folder, tmp_path_factory.mktemp("port") / "port"))
    edit(folder, "projects", lambda rows: rows.iloc[:20])
    return folder


@pytest.fixture
def changed(port: Path, tmp_path: Path) -> Path:
    """A copy of the small hub, to be changed."""
    return Path(shutil.copytree(port, tmp_path / "changed"))


@pytest.fixture(scope="session")
def until_2035() -> Callable[..., Plan]:
    """Plans of fewer years, for what shows in the first of them."""

    def plan(folder: Path, scenario: str = "baseline", fresh: bool = False) -> Plan:
        hub = ch.load_hub(folder)
        few_years = ch.load_scenario(scenario, hub).model_copy(update={"end_year": 2035})
        return ch.plan(hub, few_years, fresh=fresh)

    return plan
