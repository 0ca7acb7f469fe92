"""Fixtures that tests of several rooms share."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The root of this checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_oracles() -> Path:
    """The folder of reference cases beside the checkout.

    They are other people's results, for checking only, and never ship with the project; where they
    are not at hand the test skips.
    """
    folder = ROOT.parent / "shared" / "oracles"
    if not folder.is_dir():
        pytest.skip("no reference cases: the folder shared/oracles is not beside this checkout")
    return folder
