"""Limits that nobody can meet: a hard floor above a hard cap on the same thing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList
from cleanhub.core.units import factor
from cleanhub.hub.scenario import LimitChoice, Scenario

_SAME = ["quantity", "sector", "product", "technology", "carrier", "region", "period"]
"""What two limits must have in common to be on the same thing."""


def check_limits(limits: pd.DataFrame, faults: FaultList, scenario: Scenario | None = None) -> None:
    """Record a fault for every hard floor that lies above a hard cap on the same thing in some year.

    ``limits`` is the table of a hub; with a ``scenario`` its choices apply: lifted limits are left
    out, others scaled, moved to an end of their range, hardened or softened.
    """
    groups: dict[tuple[str, ...], list[_Line]] = {}
    for name, rows in limits[limits["year"].notna() & limits["value"].notna()].groupby("limit", sort=True):
        choice = scenario.limit_choice(str(name)) if scenario else LimitChoice()
        first = rows.iloc[0]
        hard = bool(first["hard"]) if pd.notna(first["hard"]) else True
        if choice.off or not (hard if choice.hard is None else choice.hard):
            continue
        groups.setdefault(_thing(first), []).append(_Line(str(name), rows.sort_values("year"), choice))
    for alike in groups.values():
        for floor in (one for one in alike if one.is_floor):
            for cap in (one for one in alike if not one.is_floor):
                _compare(floor, cap, faults)


def _thing(row: pd.Series) -> tuple[str, ...]:
    """What a limit is on; the order of its technologies does not matter, nor is annual written out."""
    parts = {name: str(row[name]) for name in _SAME}
    parts["technology"] = ";".join(sorted(part.strip() for part in parts["technology"].split(";")))
    parts["period"] = parts["period"] or "annual"
    return tuple(parts.values())


class _Line:
    """One limit by year, as a scenario chooses it."""

    def __init__(self, name: str, rows: pd.DataFrame, choice: LimitChoice) -> None:
        self.name, self.rows, self.choice = name, rows, choice
        self.is_floor = bool(rows["kind"].iloc[0] == "floor")
        self.unit = str(rows["unit"].iloc[0])
        self.years = rows["year"].to_numpy(float)

    def at(self, years: np.ndarray, unit: str) -> np.ndarray:
        """Value in ``years`` in ``unit``; ``ValueError`` when the unit does not fit."""
        chosen = self.rows[self.choice.range].fillna(self.rows["value"]).to_numpy(float)
        scale = np.array([factor(str(own), unit) for own in self.rows["unit"]]) * self.choice.scale
        return np.asarray(np.interp(years, self.years, chosen * scale))


def _compare(floor: _Line, cap: _Line, faults: FaultList) -> None:
    years = np.union1d(floor.years, cap.years)
    try:
        least, most = floor.at(years, cap.unit), cap.at(years, cap.unit)
    except ValueError:  # units that do not fit are found where the limits are read
        return
    over = np.flatnonzero(least > most * (1 + 1e-12) + 1e-12)
    if len(over):
        t = int(over[0])
        faults.add(
            "limits.csv",
            int(str(floor.rows.index[0])),
            "value",
            what=f"limits {floor.name} and {cap.name} cannot both be met",
            found=f"{years[t]:.0f}: at least {least[t]:g}, at most {most[t]:g} {cap.unit}",
            allowed="a floor that is not above the cap",
        )
