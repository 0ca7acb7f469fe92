"""Limits of a hub that nobody can meet: a hard floor above a hard cap on the same thing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList
from cleanhub.core.units import factor

_SAME = ["quantity", "sector", "product", "technology", "carrier", "region", "period"]
"""What two limits must have in common to be on the same thing."""


def check_limits(limits: pd.DataFrame, faults: FaultList) -> None:
    """Record a fault for every hard floor that lies above a hard cap on the same thing in some year."""
    rows = limits[limits["year"].notna() & limits["value"].notna() & limits["hard"].fillna(True).astype(bool)]
    for _, alike in rows.groupby(_SAME, sort=True):
        floors = dict(iter(alike[alike["kind"] == "floor"].groupby("limit", sort=True)))
        caps = dict(iter(alike[alike["kind"] != "floor"].groupby("limit", sort=True)))
        for floor, low in floors.items():
            for cap, high in caps.items():
                _compare(str(floor), low, str(cap), high, faults)


def _compare(floor: str, low: pd.DataFrame, cap: str, high: pd.DataFrame, faults: FaultList) -> None:
    unit = str(high["unit"].iloc[0])
    try:
        least, most = _by_year(low, unit), _by_year(high, unit)
    except ValueError:  # units that do not fit are found where the limits are read
        return
    years = np.union1d(low["year"].to_numpy(int), high["year"].to_numpy(int))
    lower, upper = np.interp(years, *least), np.interp(years, *most)
    over = np.flatnonzero(lower > upper * (1 + 1e-12) + 1e-12)
    if len(over):
        t = int(over[0])
        faults.add(
            "limits.csv",
            int(str(low.index[0])),
            "value",
            what=f"limits {floor} and {cap} cannot both be met",
            found=f"{years[t]}: at least {lower[t]:g}, at most {upper[t]:g} {unit}",
            allowed="a floor that is not above the cap",
        )


def _by_year(rows: pd.DataFrame, unit: str) -> tuple[np.ndarray, np.ndarray]:
    rows = rows.sort_values("year")
    scale = np.array([factor(str(own), unit) for own in rows["unit"]])
    return rows["year"].to_numpy(float), rows["value"].to_numpy(float) * scale
