"""Data of frozen cases as JSON holds it, and one way to write it, sealed by its hash."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

DAY = "$date"
"""The key under which a day is kept, to tell it from a text."""


def plain(item: Any) -> Any:
    """Data that JSON can hold: days are marked, arrays and tuples become lists."""
    if isinstance(item, Mapping):
        return {str(key): plain(value) for key, value in item.items()}
    if isinstance(item, np.ndarray | list | tuple):
        return [plain(value) for value in item]
    if isinstance(item, bool | np.bool_):
        return bool(item)
    if isinstance(item, int | np.integer):
        return int(item)
    if isinstance(item, float | np.floating):
        return number(float(item))
    if isinstance(item, dt.date):
        return {DAY: item.isoformat()}
    return item if item is None else str(item)


def number(value: float) -> float | str | None:
    """A number for JSON, which knows neither NaN (null) nor infinity (its name)."""
    if math.isnan(value):
        return None
    return float(value) if math.isfinite(value) else str(float(value))


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def seal_of(content: Mapping[str, Any]) -> str:
    """The hash that seals a content; empty where it holds what freezing never writes (NaN, 1e400)."""
    try:
        return hashlib.sha256(_canonical(content).encode()).hexdigest()
    except ValueError:
        return ""


def rendered(content: Mapping[str, Any]) -> str:
    """The file: its content with hash and id, one way to write it."""
    seal = seal_of(content)
    whole = {**content, "sha256": seal, "id": seal[:12]}
    return json.dumps(whole, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def with_days(item: Any) -> Any:
    """Stored data with its days as days. Raises ``ValueError`` for a day that is none."""
    if isinstance(item, dict):
        if set(item) == {DAY}:
            return dt.date.fromisoformat(str(item[DAY]))
        return {key: with_days(value) for key, value in item.items()}
    return [with_days(value) for value in item] if isinstance(item, list) else item
