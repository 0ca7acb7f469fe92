"""Units: conversion of whole columns at the edge, never inside a kernel.

The registry is pint's with the few units of this field (TEU, CO2e, vehicles, money) in
``units.txt`` beside this module. It is built on first use: importing it costs half a
second, so code that only compares unit strings must not, and conversions are remembered
(:mod:`cleanhub.core.memory`).
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cleanhub.core.memory import remembered

if TYPE_CHECKING:
    from pint import UnitRegistry

DEFINITIONS = Path(__file__).with_name("units.txt")

# pint works out the numbers in a unit: 9**9**9**9 would keep it busy for ever.
_SIGNS = re.compile(r"[A-Za-z0-9_ %/*^().µμ°-]{0,80}")
_POWER = re.compile(r"\*\*|\^")
_SMALL_POWER = re.compile(r"[A-Za-z]\s*(?:\*\*|\^)\s*-?\d(?![\d.*^])")


@cache
def registry() -> UnitRegistry[Any]:
    """The unit registry: pint and the definitions of ``units.txt``."""
    from pint import UnitRegistry

    units: UnitRegistry[Any] = UnitRegistry(on_redefinition="ignore", cache_folder=None)
    for line in DEFINITIONS.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            units.define(line)
    return units


@lru_cache(maxsize=4096)
def is_unit(text: str) -> bool:
    """Whether ``text`` is a unit that :func:`convert` understands (``1`` is dimensionless)."""
    return text == "1" or remembered("units", (text,), lambda: _is_unit(text))


def _is_unit(text: str) -> bool:
    try:
        _unit(text)
    except Exception:  # pint raises many kinds for unparseable text
        return False
    return True


@lru_cache(maxsize=4096)
def factor(source: str, target: str) -> float:
    """The number that turns a value in ``source`` into a value in ``target``.

    Raises ``ValueError`` when the two are not of one dimension. Money keeps its price
    year: only :class:`cleanhub.core.money.PriceIndex` moves it between years.
    """
    if source == target:
        return 1.0
    found = remembered("units", (source, target), lambda: _factor(source, target))
    if isinstance(found, str):
        raise ValueError(found)
    return found


def _factor(source: str, target: str) -> float | str:
    """The factor, or why there is none: both are remembered."""
    ureg = registry()
    try:
        zero, one = (float(ureg.Quantity(x, _unit(source)).to(_unit(target)).magnitude) for x in (0.0, 1.0))
    except Exception:  # pint raises many kinds
        return f"cannot convert {source} to {target}"
    if zero != 0:  # degrees Celsius and the like: a factor alone would be wrong
        return f"cannot convert {source} to {target} by a factor"
    return one


def convert(values: ArrayLike, source: str, target: str) -> NDArray[np.float64]:
    """Convert a whole column of ``values`` from ``source`` to ``target`` units."""
    return np.asarray(values, dtype=np.float64) * factor(source, target)


def _unit(text: str) -> Any:
    if not _SIGNS.fullmatch(text) or len(_POWER.findall(text)) != len(_SMALL_POWER.findall(text)):
        raise ValueError(f"not a unit: {text}")
    return registry().Unit("dimensionless" if text == "1" else text)
