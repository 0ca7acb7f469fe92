"""What the words on roads mean: speed limits, directions and who may use them.

The words are those of OpenStreetMap (its wiki: Key:maxspeed, Key:oneway, Key:hgv, Key:access), which
other formats borrow. Unknown words tell nothing: the road keeps the speed of its class, both
directions and its trucks.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping

from cleanhub.core.units import factor

KEEPS_TRUCKS_OUT = frozenset({"no", "private", "agricultural", "forestry", "discouraged"})
ACCESS_KEYS = ("hgv", "motor_vehicle", "vehicle", "access")
"""From what says most of trucks to what says least: the first that is there decides."""
_SPEED = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|mi/h)?\s*$", re.IGNORECASE)


def words(value: object) -> list[str]:
    """The words in a cell: a text, a list, or a list written as text (as GraphML files hold it)."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return []
    if isinstance(value, list | tuple | set):
        return [str(one) for one in value]
    text = str(value).strip()
    if text.startswith("[") and text.endswith("]"):
        try:
            return [str(one) for one in ast.literal_eval(text)]
        except (ValueError, SyntaxError):
            return [text]
    return [part.strip() for part in text.split(";")] if text else []


def speed_limit(value: object) -> float | None:
    """The lowest speed limit in a cell [km/h]; a bare number is km/h. None where it tells none."""
    found = []
    for word in words(value):
        match = _SPEED.match(word)
        if match:
            unit = "mi/h" if (match[2] or "").lower() in ("mph", "mi/h") else "km/h"
            found.append(float(match[1]) * factor(unit, "km/h"))
    return min((speed for speed in found if speed > 0), default=None)


def road_class(value: object) -> str:
    """The class of a road; of several the first, without a trailing ``_link``."""
    found = words(value)
    return found[0].removesuffix("_link") if found else ""


def free_speed(tags: Mapping[str, object], speeds: Mapping[str, float], otherwise: float) -> float:
    """Speed of a heavy truck on a free road [km/h].

    The limit for trucks (``maxspeed:hgv``), else that of all (``maxspeed``, ``speed_kph``), but not
    above the fastest class of ``speeds``; without a limit the speed of the class, without a class
    ``otherwise``.
    """
    most = max([*speeds.values(), otherwise])
    for key in ("maxspeed:hgv", "maxspeed", "speed_kph"):
        limit = speed_limit(tags.get(key))
        if limit is not None:
            return min(limit, most)
    return speeds.get(road_class(tags.get("highway")), otherwise)


def trucks_allowed(tags: Mapping[str, object]) -> bool:
    """Whether a heavy truck may use the road: the most specific of its access tags decides."""
    for key in ACCESS_KEYS:
        found = words(tags.get(key))
        if found:
            return not KEEPS_TRUCKS_OUT.intersection(word.lower() for word in found)
    return True


def directions(tags: Mapping[str, object]) -> tuple[bool, bool]:
    """Whether the road is open along its line, and against it."""
    found = {word.lower() for word in words(tags.get("oneway"))}
    if found & {"-1", "reverse"}:
        return False, True
    if found & {"yes", "true", "1"}:
        return True, False
    if found & {"no", "false", "0"}:
        return True, True
    implied = "motorway" in words(tags.get("highway")) or "roundabout" in words(tags.get("junction"))
    return True, not implied
