"""Plans of California, made once for all tests of this room."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import cleanhub as ch
from cleanhub.planning.charging import Coupled
from cleanhub.planning.plan import Plan

CALIFORNIA = Path(ch.__file__).parent / "hubs" / "california"


@pytest.fixture(scope="session")
def hub() -> ch.Hub:
    return ch.load_hub("california")


@pytest.fixture(scope="session")
def baseline(hub: ch.Hub) -> Plan:
    return ch.plan(hub, "baseline")


@pytest.fixture(scope="session")
def net_zero(hub: ch.Hub) -> Plan:
    return ch.plan(hub, "net-zero-2045")


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[str], Path]:
    """A writable copy of the California package under another name."""

    def copy(name: str) -> Path:
        target = tmp_path / name
        shutil.copytree(CALIFORNIA, target)
        return target

    return copy


@pytest.fixture
def no_chargers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans without freight, for tests that look at other things: chargers take seconds of each plan."""
    monkeypatch.setattr("cleanhub.planning.steps.with_chargers", lambda path, seed=0: Coupled(path))
