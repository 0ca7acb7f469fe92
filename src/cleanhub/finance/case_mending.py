"""Reading on past faults: what is wrong in a case is set aside, so that the rest can be checked too.

A field that cannot be read would hide every fault that only shows once all fields are read (a unit
that does not fit, a sale of more than is made). :func:`mended` takes the faulty fields out, or puts a
stand-in where one is required. The result serves for finding further faults, never for a value.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterable
from typing import Any

Place = tuple[str, ...]

# Named groups: a fault in what an entry must have takes the whole entry out.
_GROUPS: tuple[Place, ...] = (
    ("revenue",), ("inputs",), ("costs",), ("capital", "replacements"), ("capital", "learning"),
    ("support", "grants"), ("support", "loans"), ("readiness", "checklist"),
)  # fmt: skip
# Optional parts of a section that its own rules speak of.
_PARTS: dict[Place, tuple[str, ...]] = {
    ("capital",): ("spending", "learning", "pioneer"),
    ("capital", "pioneer"): (),
    ("support", "guarantee"): (),
}
_STAND_INS: dict[Place, Any] = {
    ("name",): "case",
    ("title",): "case",
    ("project", "sector"): "",
    ("project", "in_service"): dt.date(2030, 1, 1),
    ("production", "product"): "",
    ("production", "capacity"): 1.0,
    ("capital", "cost"): 1.0,
}


def mended(data: dict[str, Any], faulty: Iterable[Place]) -> tuple[dict[str, Any] | None, set[Place]]:
    """``data`` without the ``faulty`` places, and the places touched; ``None`` where that cannot be done."""
    found = copy.deepcopy(data)
    touched: set[Place] = set()
    for place in faulty:
        part = _to_drop(found, place)
        if part is None:
            return None, touched
        for one in part:
            touched.add(one)
            _drop(found, one)
            if one in _STAND_INS:
                _put(found, one, _STAND_INS[one])
    return found, touched


def is_within(path: str, places: Iterable[Place]) -> bool:
    """Whether a dotted path lies at or below one of ``places``."""
    parts = tuple(path.split("."))
    return any(parts[: len(place)] == place for place in places)


def _to_drop(data: dict[str, Any], place: Place) -> list[Place] | None:
    """Places to take out for a fault at ``place``; ``None`` if none is safe."""
    node: Any = data
    for depth, part in enumerate(place):
        here = place[: depth + 1]
        if not isinstance(node, dict) or part not in node:  # a missing key, or one inside a figure or a list
            break
        node = node[part]
        if isinstance(node, dict) and "value" in node:
            return _safe(here)
        if not isinstance(node, dict):
            return _safe(here)
    else:
        here = place
        if here in _PARTS:
            return [(*here, part) for part in _PARTS[here]] or [here]
    return _safe(here)


def _safe(place: Place) -> list[Place] | None:
    for group in _GROUPS:
        if place[: len(group)] == group and len(place) > len(group):
            return [place[: len(group) + 1]]
    if place == ("production", "unit") or len(place) < 2:
        return [place] if place in _STAND_INS or place not in _SECTIONS else None
    return [place]


_SECTIONS: frozenset[Place] = frozenset({("project",), ("production",), ("capital",), ("production", "unit")})


def _drop(data: dict[str, Any], place: Place) -> None:
    node: Any = data
    for part in place[:-1]:
        node = node.get(part) if isinstance(node, dict) else None
    if isinstance(node, dict):
        node.pop(place[-1], None)


def _put(data: dict[str, Any], place: Place, value: Any) -> None:
    node = data
    for part in place[:-1]:
        node = node.setdefault(part, {})
    node[place[-1]] = value
