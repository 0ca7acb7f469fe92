"""Every test here reads what is there, not what was remembered of an earlier run."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEANHUB_CACHE", "off")
