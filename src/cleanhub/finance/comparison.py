"""What every layout of reference cases shares: rows of ours beside theirs, checks of inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from cleanhub.core.errors import FaultList

NEAR_ZERO = 1e-9  # share of a list's scale below which an element is rounding noise around 0


@dataclass(frozen=True)
class Limits:
    """What an input may be: a finite number from ``low`` to ``high``; ``above``: not ``low`` itself."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    whole: bool = False

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies inside."""
        inside = self.low < value <= self.high if self.above else self.low <= value <= self.high
        return inside and not (self.whole and value != round(value))

    def words(self) -> str:
        """The limits as a reader is told them."""
        kind = "a whole number" if self.whole else "a number"
        if math.isinf(self.low) and math.isinf(self.high):
            return kind
        start = f"above {self.low:g}" if self.above else f"from {self.low:g}"
        return f"{kind} {start}" if math.isinf(self.high) else f"{kind} {start} to {self.high:g}"


def is_number(value: object) -> bool:
    """Whether ``value`` is a finite number that a float can hold; true and false are not."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def check_number(
    file: str, place: str, record: dict[str, Any], key: str, limits: Limits, faults: FaultList
) -> None:
    """Add a fault unless ``record[key]`` is there, a number, and within its limits."""
    value = record.get(key)
    where = f"{place}.{key}"
    if key not in record:
        faults.add(file, None, where, what="missing input", allowed=limits.words())
    elif not is_number(value):
        faults.add(file, None, where, what="not a number", found=value, allowed=limits.words())
    elif not limits.holds(float(value)):  # type: ignore[arg-type]
        faults.add(file, None, where, what="impossible value", found=value, allowed=limits.words())


def compared(case: str, quantity: str, ours: float, theirs: object, scale: float = 0.0) -> dict[str, Any]:
    """One row: case, quantity, ours, theirs, relative_difference.

    ``ours`` is empty when it is not finite, ``theirs`` when it is no number. ``scale`` is the
    largest of the list that ``theirs`` is in: an element that is nothing beside it is
    compared relative to the scale, any other relative to itself; plainly where both are 0.
    """
    mine = ours if math.isfinite(ours) else None
    other = float(theirs) if is_number(theirs) else None  # type: ignore[arg-type]
    difference = None
    if mine is not None and other is not None:
        beside = scale if abs(other) < NEAR_ZERO * scale else abs(other)
        difference = (mine - other) / beside if beside else mine - other
    return {
        "case": case,
        "quantity": quantity,
        "ours": mine,
        "theirs": other,
        "relative_difference": difference,
    }


def scale_of(values: object) -> float:
    """Largest magnitude among the numbers of a list; 0 when there are none."""
    listed = values if isinstance(values, list) else []
    return max((abs(float(one)) for one in listed if is_number(one)), default=0.0)
