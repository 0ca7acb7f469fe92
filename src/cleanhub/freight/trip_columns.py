"""Which column of a user's file means what: by its name in many spellings, then by what it holds.

Two kinds of file are understood: a **trip table** (from, to, trips a day) and **GPS stops** (truck, time,
place). Nothing has to be declared first; what was inferred is shown, and a user may name a column outright.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

TripKind = Literal["trips", "stops"]
SAMPLE = 200
"""Rows looked at to tell what a column holds."""
MOSTLY = 0.8
"""Share of those rows that must fit: some may be faulty."""

_SPELLINGS: dict[str, dict[str, str]] = {
    "trips": {
        "origin": "origin from start o source origin_zone origin_id from_zone orig ozone start_zone terminal",
        "origin_lat": "origin_lat from_lat start_lat o_lat lat_o lat_from olat origin_latitude y_from lat1 "
        "start_latitude from_latitude orig_lat",
        "origin_lon": "origin_lon from_lon start_lon o_lon lon_o lon_from olon origin_longitude x_from lon1 "
        "start_longitude from_longitude orig_lon origin_lng from_lng start_lng",
        "destination": "destination to end d dest destination_zone destination_id to_zone dzone end_zone "
        "customer warehouse",
        "destination_lat": "destination_lat to_lat end_lat d_lat lat_d lat_to dlat dest_lat y_to lat2 "
        "destination_latitude end_latitude to_latitude",
        "destination_lon": "destination_lon to_lon end_lon d_lon lon_d lon_to dlon dest_lon x_to lon2 "
        "destination_longitude end_longitude to_longitude dest_lng to_lng end_lng destination_lng",
        "trips_per_day": "trips_per_day trips daily_trips trips_day per_day trip_count count volume flow "
        "moves moves_per_day visits visits_per_day loads loads_per_day n number",
        "trucks": "trucks truck_count vehicles number_of_trucks distinct_trucks",
        "hour": "hour hour_of_day departure_hour start_hour depart_hour time",
        "load": "load load_type loaded status laden state container",
    },
    "stops": {
        "truck": "truck truck_id vehicle vehicle_id unit unit_id device device_id asset tractor vin plate "
        "id vehicleid truckid deviceid imei",
        "time": "time timestamp datetime date_time arrival arrival_time arrive start_time stop_start "
        "gps_time recorded_at event_time date ts",
        "lat": "lat latitude y gps_lat stop_lat",
        "lon": "lon lng long longitude x gps_lon stop_lon gps_lng",
        "departure": "departure departure_time depart end_time stop_end leave",
    },
}
REQUIRED: dict[str, tuple[tuple[str, ...], ...]] = {
    "trips": (
        ("origin", "origin_lat"),
        ("destination", "destination_lat"),
        ("trips_per_day",),
    ),
    "stops": (("truck",), ("time",), ("lat",), ("lon",)),
}
"""What a file must have: one column of each tuple at least."""
PARTNER = {
    "origin_lat": "origin_lon",
    "origin_lon": "origin_lat",
    "destination_lat": "destination_lon",
    "destination_lon": "destination_lat",
}


@dataclass(frozen=True)
class InferredColumn:
    """One column of the file: its ``name``, the ``field`` it was taken for and ``how``."""

    name: str
    field: str
    how: Literal["name", "content", "user"]


@dataclass(frozen=True)
class Inference:
    """What a file was taken for: its ``kind``, ``columns`` understood and ``unused``, fields ``missing``."""

    kind: TripKind
    columns: tuple[InferredColumn, ...]
    unused: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def by_field(self) -> dict[str, str]:
        """Name of the column of each field."""
        return {column.field: column.name for column in self.columns}

    def lines(self) -> list[str]:
        """The inference in words, a line for each column."""
        words = {"name": "by its name", "content": "by what it holds", "user": "as you said"}
        kinds = {"trips": "trip table", "stops": "GPS stops"}
        shown = [f"read as {kinds[self.kind]}"]
        shown += [f"{c.name} -> {c.field} ({words[c.how]})" for c in self.columns]
        return shown + [f"{name} -> not used" for name in self.unused]


def fields_of(kind: TripKind) -> tuple[str, ...]:
    """Fields that a file of the kind may have."""
    return tuple(_SPELLINGS[kind])


def infer_columns(
    frame: pd.DataFrame, said: Mapping[str, str] | None = None, kind: TripKind | None = None
) -> Inference:
    """What the columns of ``frame`` (all text) mean.

    ``said`` maps fields to columns and wins over all; ``kind`` fixes the kind of file. Without it the
    kind is that of which more required fields are found, trip tables at a tie.
    """
    if kind is not None:
        return _infer(frame, kind, said or {})
    both = [_infer(frame, name, said or {}) for name in ("trips", "stops")]
    share = [1 - len(found.missing) / len(REQUIRED[found.kind]) for found in both]
    return both[1] if share[1] > share[0] else both[0]


def plain_name(text: str) -> str:
    """A column's name in lower case with single underscores: ``Origin Lat.`` becomes ``origin_lat``."""
    return "_".join("".join(c if c.isalnum() else " " for c in text.strip().lower()).split())


def _infer(frame: pd.DataFrame, kind: TripKind, said: Mapping[str, str]) -> Inference:
    found: dict[str, InferredColumn] = {}
    columns = [str(name) for name in frame.columns]
    for field, name in said.items():
        if field in _SPELLINGS[kind] and name in columns:
            found[field] = InferredColumn(name, field, "user")
    plain = {name: plain_name(name) for name in columns}
    for field, spellings in _SPELLINGS[kind].items():
        for spelling in spellings.split():
            free = [name for name in columns if plain[name] == spelling and not _taken(name, found)]
            if field not in found and free:
                found[field] = InferredColumn(free[0], field, "name")
    _by_content(frame, kind, found)
    ordered = tuple(sorted(found.values(), key=lambda c: columns.index(c.name)))
    unused = tuple(name for name in columns if not _taken(name, found))
    missing = [" or ".join(choice) for choice in REQUIRED[kind] if not any(f in found for f in choice)]
    missing += [PARTNER[field] for field in found if field in PARTNER and PARTNER[field] not in found]
    return Inference(kind, ordered, unused, tuple(missing))


def _taken(name: str, found: Mapping[str, InferredColumn]) -> bool:
    return any(column.name == name for column in found.values())


def _by_content(frame: pd.DataFrame, kind: TripKind, found: dict[str, InferredColumn]) -> None:
    """Fill required fields from columns whose names say nothing, in the order of the file."""
    holds = {str(name): _content(frame[name]) for name in frame.columns if not _taken(str(name), found)}
    if kind == "stops":
        wanted: Sequence[tuple[str, str]] = (
            ("time", "time"),
            ("lat", "lat"),
            ("lon", "lon"),
            ("truck", "text"),
        )
    else:
        wanted = [
            (f"{end}_{axis}", axis)
            for end in ("origin", "destination")
            for axis in ("lat", "lon")
            if end not in found
        ] + [("trips_per_day", "number")]
    for field, content in wanted:
        free = [name for name, what in holds.items() if what == content and not _taken(name, found)]
        if field not in found and free:
            found[field] = InferredColumn(free[0], field, "content")


def _content(column: pd.Series[str]) -> str:
    """What a column of text seems to hold: lat, lon, number, time or text."""
    values = column[column.str.strip() != ""].head(SAMPLE)
    if values.empty:
        return ""
    number = pd.to_numeric(values, errors="coerce").to_numpy(np.float64)
    if np.isfinite(number).mean() >= MOSTLY:
        good = number[np.isfinite(number)]
        exact = (good != np.round(good)).mean() >= MOSTLY  # coordinates have decimals
        if exact and (np.abs(good) <= 180).mean() >= MOSTLY:
            beyond = (good < 0).mean() >= MOSTLY or (np.abs(good) > 90).mean() >= MOSTLY
            spread_small = float(np.ptp(good)) < 30
            if spread_small and beyond:
                return "lon"
            if spread_small and float(np.median(good)) > 20:
                return "lat"
        return "number"
    if values.str.contains(r"\d[-/:]\d").mean() < MOSTLY:
        return "text"
    times = pd.to_datetime(values, errors="coerce", format="mixed", utc=True)
    return "time" if times.notna().mean() >= MOSTLY else "text"
