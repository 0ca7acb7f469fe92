"""Networks from Overture Maps: road segments (GeoParquet), read with duckdb.

A segment is a line with connectors at shares of its length; roads meet only there. Rules may hold for part
of a segment (``between``). Only rules without a time, purpose or permission are followed; one that
denies heavy trucks or all vehicles closes the part, one with a heading closes one way.
Layout: Overture Maps schema, transportation/segment (docs.overturemaps.org), as of 2025.
"""

from __future__ import annotations

import itertools
import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cleanhub.core.errors import FaultList, InputError
from cleanhub.freight.globe import great_circle_km
from cleanhub.freight.network import FloatArray, Network
from cleanhub.freight.road_readers import Gathered
from cleanhub.freight.road_tags import free_speed

ATTRIBUTION = "© OpenStreetMap contributors, Overture Maps Foundation"
COLUMNS = ("id", "geometry", "connectors", "class")
RULES = ("subtype", "speed_limits", "access_restrictions")
TRUCK_MODES = frozenset({"hgv", "vehicle", "motor_vehicle", "truck"})
NOT_FOR_TRUCKS = frozenset(
    {"footway", "pedestrian", "steps", "path", "track", "cycleway", "bridleway", "sidewalk"}
)
_LINE_STRING = 2
Rule = Mapping[str, Any]


def read_overture(path: Path, free_kmh: float, class_kmh: Mapping[str, float]) -> Network:
    """The roads in a file of Overture's segments. Raises ``InputError`` with what is wrong with it."""
    gathered = Gathered(path.name)
    for number, segment in enumerate(_segments(path), start=1):
        _add(gathered, number, segment, free_kmh, class_kmh)
    return gathered.network(f"Overture segments {path.name}", "ODbL-1.0", ATTRIBUTION)


def _segments(path: Path) -> list[dict[str, Any]]:
    """Rows of the file; nested columns as Python lists, geometry as bytes (well-known binary)."""
    import duckdb

    faults = FaultList()
    connection = duckdb.connect()
    try:
        connection.execute("SET enable_geoparquet_conversion = false")  # bytes need no spatial extension
        source = connection.read_parquet(str(path))
        missing = [name for name in COLUMNS if name not in source.columns]
        for name in missing:
            faults.add(path.name, None, name, what="missing column", allowed=", ".join(COLUMNS + RULES))
        faults.raise_if_any("roads")
        wanted = [name for name in COLUMNS + RULES if name in source.columns]
        chosen = source.filter("subtype = 'road'") if "subtype" in wanted else source
        columns = ", ".join(
            f'"{name}"' if name in ("id", "geometry", "class", "subtype") else f'to_json("{name}")::VARCHAR'
            for name in wanted
        )
        rows = chosen.project(columns).fetchall()
    except duckdb.Error as error:
        faults.add(path.name, what="not readable as Parquet", found=error, allowed="Overture's segments")
        raise InputError("roads", faults.faults) from error
    finally:
        connection.close()
    parsed = [dict(zip(wanted, row, strict=True)) for row in rows]
    for segment in parsed:
        for name in ("connectors", "speed_limits", "access_restrictions"):
            segment[name] = json.loads(segment.get(name) or "null") or []
    return parsed


def _add(
    gathered: Gathered, number: int, segment: dict[str, Any], free_kmh: float, class_kmh: Mapping[str, float]
) -> None:
    """Cut one segment at its connectors and add each part as a road."""
    kind = str(segment["class"] or "")
    if kind in NOT_FOR_TRUCKS:
        return
    line = line_string(segment["geometry"])
    ends = [one for one in segment["connectors"] if isinstance(one, dict) and "connector_id" in one]
    if line is None:
        gathered.fault(number, f"segment {segment['id']}", "no line", "its geometry", "a LineString in WKB")
        return
    if len(ends) < 2:
        gathered.fault(
            number, f"segment {segment['id']}", "fewer than two connectors", len(ends), "two or more"
        )
        return
    lat, lon = line
    along = np.concatenate([[0.0], np.cumsum(great_circle_km(lat[:-1], lon[:-1], lat[1:], lon[1:]))])
    total = float(along[-1])
    cuts = sorted((float(one.get("at") or 0.0), str(one["connector_id"])) for one in ends)
    for share, name in cuts:
        if name not in gathered.place:
            at = share * total
            gathered.node(name, np.interp(at, along, lat), np.interp(at, along, lon), number)
    for (begin, first), (end, second) in itertools.pairwise(cuts):
        middle = (begin + end) / 2
        tags = {"highway": kind, "maxspeed": _limit(segment["speed_limits"], middle)}
        forward, backward, trucks = _access(segment["access_restrictions"], middle)
        gathered.road(
            (first, second),
            (end - begin) * total,
            free_speed(tags, class_kmh, free_kmh),
            kind,
            trucks,
            (forward, backward),
            number,
        )


def line_string(shape: object) -> tuple[FloatArray, FloatArray] | None:
    """Latitudes and longitudes of a two-dimensional LineString in well-known binary; None if it is none."""
    if not isinstance(shape, bytes | bytearray) or len(shape) < 9 or shape[0] not in (0, 1):
        return None
    order = "<" if shape[0] == 1 else ">"
    kind, count = struct.unpack_from(f"{order}II", shape, 1)
    if kind != _LINE_STRING or count < 2 or len(shape) != 9 + 16 * count:
        return None
    points = np.frombuffer(shape, dtype=f"{order}f8", offset=9).astype(np.float64)
    return points[1::2], points[0::2]


def _holds(rule: Rule, middle: float) -> bool:
    """Whether a rule holds at a share of the length."""
    part = rule.get("between")
    return not part or part[0] <= middle <= part[1]


def _limit(rules: Sequence[Rule], middle: float) -> str | None:
    """The speed limit at a share of the length, as a word that tags know."""
    for rule in rules:
        most = rule.get("max_speed")
        if most and _holds(rule, middle) and not rule.get("when"):
            return f"{most['value']} {'mph' if most.get('unit') == 'mph' else 'km/h'}"
    return None


def _access(rules: Sequence[Rule], middle: float) -> tuple[bool, bool, bool]:
    """Open along the line, open against it, open to trucks."""
    forward = backward = trucks = True
    for rule in rules:
        when = rule.get("when") or {}
        conditional = any(when.get(key) for key in ("during", "using", "recognized", "vehicle"))
        if rule.get("access_type") != "denied" or conditional or not _holds(rule, middle):
            continue
        modes = {str(mode) for mode in when.get("mode") or ()}
        if modes and not modes & TRUCK_MODES:
            continue
        heading = when.get("heading")
        if heading == "forward":
            forward = False
        elif heading == "backward":
            backward = False
        else:
            trucks = False
    return forward, backward, trucks
