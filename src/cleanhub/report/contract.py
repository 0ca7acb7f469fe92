"""What the report needs of a plan: structural types, so this room imports no other.

``cleanhub.planning.plan.Plan`` and ``cleanhub.hub.package.Hub`` fit them without knowing.
A hub may also offer ``sources()`` (hub and library sources in one frame) and ``library``
(with ``tables["technologies"]`` for names in words); both are used when they are there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pandas as pd


class HubLike(Protocol):
    """One hub: its description and its package tables (any may be empty)."""

    @property
    def name(self) -> str:
        """Short name."""

    @property
    def title(self) -> str:
        """Title in words."""

    @property
    def meta(self) -> Mapping[str, Any]:
        """``datapackage.json``: gwp, base_year, bbox [west, south, east, north], licenses ..."""

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Package tables by name, as :mod:`cleanhub.hub.schema` declares them."""

    def counties_geojson(self) -> dict[str, Any] | None:
        """County shapes as a GeoJSON FeatureCollection, or ``None``."""


class ScenarioLike(Protocol):
    """The scenario of the plan."""

    @property
    def name(self) -> str:
        """Short name."""

    @property
    def title(self) -> str:
        """Title in words."""

    @property
    def description(self) -> str:
        """What it assumes, in words."""

    @property
    def as_of(self) -> dt.date:
        """The date it knows the world at."""

    @property
    def end_year(self) -> int:
        """Last year of the path."""

    @property
    def price_year(self) -> int:
        """Price year of all money (USD)."""


class PlanLike(Protocol):
    """One hub under one scenario: the declared plan tables and what they rest on."""

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Plan tables by name, as :mod:`cleanhub.hub.plan_tables` declares them."""

    @property
    def hub(self) -> HubLike | None:
        """The hub; ``None`` for a plan that was loaded without it, which cannot be reported."""

    @property
    def scenario(self) -> ScenarioLike:
        """The scenario."""

    @property
    def seed(self) -> int:
        """Seed of every draw."""

    @property
    def pending(self) -> Mapping[str, str]:
        """Tables of the design not built yet, and the room that will build each."""

    @property
    def notes(self) -> Sequence[str]:
        """Remarks of the run."""

    @property
    def id(self) -> str:
        """Identifier of the plan."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of the software that made it."""
