"""Who can supply what a project waits for: projects and infrastructure of the hub, and how far they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cleanhub.freight.globe import great_circle_km
from cleanhub.hub.package import Hub
from cleanhub.pipeline.gates import service_id
from cleanhub.pipeline.link_rules import Rule
from cleanhub.pipeline.nodes import Draft
from cleanhub.pipeline.problem import BoolArray, FloatArray
from cleanhub.pipeline.stages import PROGRAMME, Given

SAME_PLACE_KM = 2.0
"""Infrastructure this near to a project that could supply the same is that project [km]."""
_CENTROID = "centroid"
_THERE = re.compile(r"(?<!not )(?<!not yet )\b(?:operating|in service|injecting|permitted|existing|open)\b")
_GONE = re.compile(r"\b(?:cancelled|closed|shelved|abandoned)\b")


@dataclass(frozen=True)
class Supplier:
    """One who can supply a project.

    Attributes
    ----------
    name
        Its ``project_id`` or ``infrastructure_id``.
    words
        Its name in words.
    is_project
        Whether it is a project of the hub; else a row of infrastructure.
    done
        Whether it is there already.
    km
        Distance to the project that waits [km]; NaN where a place is unknown.
    """

    name: str
    words: str
    is_project: bool
    done: bool
    km: float


class _Places:
    """Rows of infrastructure of one kind as arrays."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.name = [str(cell) for cell in rows["infrastructure_id"]]
        self.words = [str(cell) for cell in rows["name"]]
        self.there = [bool(cell) for cell in rows["there"]]
        self.lat, self.lon = _degrees(rows, "lat"), _degrees(rows, "lon")


class Suppliers:
    """Projects and infrastructure of one hub as suppliers of its projects.

    Without ``evidence`` no infrastructure is known. Places given as the centre of a region are no
    places: they are never within reach.
    """

    def __init__(self, hub: Hub, given: Given, draft: Draft, evidence: bool) -> None:
        self.given = given
        self.position = {str(name): at for at, name in enumerate(given.id)}
        nodes = (draft.nodes.get(service_id(str(name))) for name in given.id)
        self._done = [node is not None and node.done for node in nodes]
        table = hub.tables["projects"]
        self.lat, self.lon = _degrees(table, "lat"), _degrees(table, "lon")
        places = hub.tables["infrastructure"]
        places = places if evidence else places.iloc[:0]
        status = places["status"].fillna("").astype(str).str.lower()
        known = (places["coord_precision"] != _CENTROID) & ~status.str.contains(_GONE)
        places = places[known].assign(there=status[known].str.contains(_THERE))
        self._places = {str(kind): _Places(rows) for kind, rows in places.groupby("kind", sort=True)}
        self._fits: dict[tuple[str, str], BoolArray] = {}

    def fits(self, rule: Rule) -> BoolArray:
        """Projects that could supply what a rule asks for, ended or not, (P,)."""
        role, sector = rule.text("supplier_role"), rule.text("supplier_sector")
        if (role, sector) not in self._fits:
            given = self.given
            fit = given.role != PROGRAMME
            if role:
                fit = fit & ((given.role == role) | (given.second_role == role))
            if sector:
                fit = fit & (given.sector == sector)
            self._fits[role, sector] = fit
        return self._fits[role, sector]

    def of_project(self, supplier: int, user: int) -> Supplier:
        """One project as a supplier of another."""
        km = great_circle_km(self.lat[user], self.lon[user], self.lat[supplier], self.lon[supplier])
        name, words = str(self.given.id[supplier]), str(self.given.name[supplier])
        return Supplier(name, words, True, self._done[supplier], float(km))

    def within_reach(self, user: int, rule: Rule) -> list[Supplier]:
        """Those of a rule within its reach, nearest first; for infrastructure alone only the nearest."""
        found: list[Supplier] = []
        if rule.has_projects:
            could = self.fits(rule) & ~self.given.ended
            could[user] = False
            km = great_circle_km(self.lat[user], self.lon[user], self.lat, self.lon)
            found = [self.of_project(int(s), user) for s in np.flatnonzero(could & (km <= rule.within_km))]
        found += self._infrastructure(user, rule)
        found.sort(key=lambda one: (one.km, one.name))
        return found if rule.has_projects else found[:1]

    def _infrastructure(self, user: int, rule: Rule) -> list[Supplier]:
        """Rows of infrastructure of a rule's kind within its reach that are no project of the hub."""
        places = self._places.get(rule.text("infrastructure_kind"))
        if places is None:
            return []
        km = great_circle_km(self.lat[user], self.lon[user], places.lat, places.lon)
        near = km <= rule.within_km
        if rule.has_projects:
            near &= ~self._same_as_a_project(rule, places.lat, places.lon)
        return [
            Supplier(places.name[at], places.words[at], False, places.there[at], float(km[at]))
            for at in np.flatnonzero(near).tolist()
        ]

    def _same_as_a_project(self, rule: Rule, lat: FloatArray, lon: FloatArray) -> BoolArray:
        fit = self.fits(rule)
        if not fit.any():
            return np.zeros(len(lat), dtype=bool)
        km = great_circle_km(lat[:, None], lon[:, None], self.lat[fit], self.lon[fit])
        return np.asarray((km <= SAME_PLACE_KM).any(axis=1), dtype=bool)

    def area(self, user: int, county: str) -> str:
        """Where a project shares what nobody has named yet: its county, its whole degree, or the hub."""
        if county:
            return county
        if np.isfinite(self.lat[user]) and np.isfinite(self.lon[user]):
            return f"cell {np.floor(self.lat[user]):.0f} {np.floor(self.lon[user]):.0f}"
        return "the hub"


def slug(text: str) -> str:
    """A name as a part of an identifier: case kept, runs of other signs than letters and digits a hyphen."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", text).strip("-") or "unnamed"


def _degrees(table: pd.DataFrame, column: str) -> FloatArray:
    return np.asarray(table[column].astype("Float64").to_numpy(float, na_value=np.nan), dtype=np.float64)
