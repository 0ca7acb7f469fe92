"""How ready a project is: checklist before the investment decision, technology, market, adoption.

Items, levels, dimensions and the look-up table are rows of the library (``fid_checklist``,
``readiness_levels``, ``arl_dimensions``, ``arl_lookup``). Nothing here multiplies scores: a
checklist says what is missing, a reading of three legs is its weakest leg.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cleanhub.core.errors import FaultList
from cleanhub.hub.library import Library

FloatArray = NDArray[np.float64]
CLOSED = ("done", "not_applicable")
LEGS = ("market_driver", "ready_technology", "risk_tolerant_capital")
LEG_SCALE = (0.0, 1.0)


# ---------------------------------------------------------------- checklist before FID


@dataclass(frozen=True)
class ChecklistItem:
    """State of one item of the checklist in one case.

    ``status`` is a code of codelist ``item_status``; ``evidence`` names a document, or the
    reason why an item does not apply; ``date`` is when it was or will be done.
    """

    item: str
    status: str
    evidence: str = ""
    owner: str = ""
    date: dt.date | None = None


@dataclass(frozen=True)
class MissingItem:
    """An item that is not closed: what it is, what would close it and why it counts as open."""

    item: str
    name: str
    group: str
    gate: str
    critical: bool
    status: str
    because: str
    done_when: str
    owner: str = ""
    date: dt.date | None = None


@dataclass(frozen=True)
class FidReadiness:
    """What stands between a case and its final investment decision.

    Attributes
    ----------
    ready
        No critical item is missing.
    missing
        Every item that is not closed: the critical path first, then in the order in which
        items are usually closed.
    closed, critical_missing, total
        Counts of items closed, critical and missing, and on the list.
    """

    ready: bool
    missing: tuple[MissingItem, ...]
    closed: int
    critical_missing: int
    total: int

    def by_group(self) -> dict[str, int]:
        """Missing items by group, in the order of :attr:`missing`."""
        counts: dict[str, int] = {}
        for one in self.missing:
            counts[one.group] = counts.get(one.group, 0) + 1
        return counts


def fid_readiness(
    items: Iterable[ChecklistItem],
    library: Library,
    as_of: dt.date | None = None,
    file: str = "readiness",
) -> FidReadiness:
    """What is missing before the investment decision, on the critical path first.

    An item counts as closed when its status is *done* and evidence is named, or when it does
    not apply and a reason is named. An item that the case does not state is missing. With
    ``as_of``, an item *done* on a later date is not done yet, and one whose date has passed
    while it is open is overdue.

    Raises :class:`~cleanhub.core.errors.InputError` listing every unknown or repeated item
    and every unknown status; ``file`` is named in the faults.
    """
    table = library.tables["fid_checklist"]
    stated = _checked(items, library, file)
    missing = []
    for _, row in table.sort_values("sequence", kind="stable").iterrows():
        given = stated.get(str(row["item"]))
        because = _why_open(given, as_of)
        if because:
            missing.append(_missing(row, given, because))
    critical = sum(one.critical for one in missing)
    return FidReadiness(
        ready=critical == 0,
        missing=tuple(sorted(missing, key=lambda one: not one.critical)),
        closed=len(table) - len(missing),
        critical_missing=critical,
        total=len(table),
    )


def _check_item(one: ChecklistItem, library: Library, faults: FaultList, file: str) -> None:
    items = set(library.tables["fid_checklist"]["item"])
    statuses = library.codelists["item_status"]
    if one.item not in items:
        faults.add(file, None, one.item, what="no such item", allowed=", ".join(sorted(items)))
    if one.status not in statuses:
        may_be = ", ".join(sorted(statuses))
        faults.add(file, None, f"{one.item}.status", what="unknown status", found=one.status, allowed=may_be)


def _checked(items: Iterable[ChecklistItem], library: Library, file: str) -> dict[str, ChecklistItem]:
    faults = FaultList()
    stated: dict[str, ChecklistItem] = {}
    for one in items:
        _check_item(one, library, faults, file)
        if one.item in stated:
            faults.add(file, None, one.item, what="duplicate item", allowed="each item once")
        stated[one.item] = one
    faults.raise_if_any("readiness")
    return stated


def _why_open(given: ChecklistItem | None, as_of: dt.date | None) -> str:
    """Why an item is not closed; empty when it is."""
    if given is None:
        return "not stated"
    if given.status in CLOSED:
        if not given.evidence.strip():
            return "no evidence named" if given.status == "done" else "no reason named why it does not apply"
        if given.status == "done" and as_of and given.date and given.date > as_of:
            return f"done only on {given.date.isoformat()}"
        return ""
    words = {"open": "not begun", "in_progress": "under way"}.get(given.status, given.status)
    if as_of and given.date and given.date < as_of:
        return f"{words}, overdue since {given.date.isoformat()}"
    return words


def _missing(row: pd.Series, given: ChecklistItem | None, because: str) -> MissingItem:
    return MissingItem(
        item=str(row["item"]),
        name=str(row["name"]),
        group=str(row["group"]),
        gate=str(row["gate"]),
        critical=bool(row["critical"]),
        status=given.status if given else "",
        because=because,
        done_when=str(row["done_when"]),
        owner=given.owner if given else "",
        date=given.date if given else None,
    )


# ---------------------------------------------------------------- levels


@dataclass(frozen=True)
class ReadinessLevel:
    """A level of a readiness scale, in words; ``highest`` is the scale's last level."""

    scale: str
    level: int
    highest: int
    name: str
    definition: str


def readiness_level(library: Library, scale: str, level: int) -> ReadinessLevel:
    """Level ``level`` of scale ``trl`` (1 to 9), ``crl`` (1 to 6) or ``arl`` (1 to 9).

    Raises ``ValueError`` naming what there is.
    """
    table = library.tables["readiness_levels"]
    mine = table[table["scale"] == scale]
    if mine.empty:
        raise ValueError(f"no readiness scale {scale}: there are {', '.join(sorted(set(table['scale'])))}")
    rows = mine[mine["level"] == level]
    highest = int(mine["level"].max())
    if rows.empty:
        raise ValueError(f"no {scale.upper()} {level}: levels are {int(mine['level'].min())} to {highest}")
    row = rows.iloc[0]
    return ReadinessLevel(scale, int(row["level"]), highest, str(row["name"]), str(row["definition"]))


# ---------------------------------------------------------------- adoption readiness


@dataclass(frozen=True)
class AdoptionReadiness:
    """DOE's adoption readiness: level 1 to 9, its band, and the dimensions that lower it."""

    level: int
    band: str
    n_medium: int
    n_high: int
    high: tuple[str, ...]
    medium: tuple[str, ...]
    not_rated: tuple[str, ...]


def adoption_level(lookup: pd.DataFrame, n_medium: ArrayLike, n_high: ArrayLike) -> NDArray[np.int64]:
    """Adoption readiness level by counts of dimensions at medium and at high risk.

    Parameters
    ----------
    lookup
        Rows ``n_medium, n_high, level``: the library's ``arl_lookup``, or a user's own. The
        largest count of each stands for itself and more.
    n_medium, n_high
        Whole counts from 0, shapes that broadcast.

    Returns
    -------
    NDArray[np.int64]
        Levels, in the arguments' common shape.

    Raises
    ------
    ValueError
        If a count is negative or the table has no row for a pair of counts.

    References
    ----------
    US DOE Office of Technology Commercialization, Adoption Readiness Assessment, April 2025.
    """
    medium, high = np.broadcast_arrays(np.asarray(n_medium, np.int64), np.asarray(n_high, np.int64))
    if np.any(medium < 0) or np.any(high < 0):
        raise ValueError("counts of dimensions cannot be negative")
    grid = np.zeros((int(lookup["n_medium"].max()) + 1, int(lookup["n_high"].max()) + 1), dtype=np.int64)
    at = lookup["n_medium"].to_numpy(np.int64), lookup["n_high"].to_numpy(np.int64)
    grid[at] = lookup["level"].to_numpy(np.int64)
    found = grid[np.minimum(medium, grid.shape[0] - 1), np.minimum(high, grid.shape[1] - 1)]
    if np.any(found == 0):
        raise ValueError("the look-up table has no row for some pair of counts")
    return np.asarray(found, dtype=np.int64)


def adoption_readiness(
    ratings: Mapping[str, str],
    library: Library,
    lookup: pd.DataFrame | None = None,
    file: str = "readiness",
) -> AdoptionReadiness:
    """Adoption readiness of a technology from the risk of each of DOE's 17 dimensions.

    ``ratings`` gives codes of codelist ``adoption_risk`` by dimension (``A1`` ... ``D5``); a
    dimension that is not rated counts as high risk and is named in ``not_rated``. ``lookup``
    replaces the library's table.

    Raises :class:`~cleanhub.core.errors.InputError` listing every unknown dimension and rating.
    """
    dimensions = [str(one) for one in library.tables["arl_dimensions"]["dimension"]]
    codes = library.codelists["adoption_risk"]
    faults = FaultList()
    for name, rating in ratings.items():
        if name not in dimensions:
            faults.add(file, None, name, what="no such dimension", allowed=", ".join(dimensions))
        if rating not in codes:
            may_be = ", ".join(sorted(codes))
            faults.add(file, None, name, what="unknown rating", found=rating, allowed=may_be)
    faults.raise_if_any("adoption readiness")
    not_rated = tuple(one for one in dimensions if one not in ratings)
    high = tuple(one for one in dimensions if ratings.get(one, "high") == "high")
    medium = tuple(one for one in dimensions if ratings.get(one) == "medium")
    table = library.tables["arl_lookup"] if lookup is None else lookup
    level = int(adoption_level(table, len(medium), len(high)))
    band = readiness_level(library, "arl", level).name
    return AdoptionReadiness(level, band, len(medium), len(high), high, medium, not_rated)


# ---------------------------------------------------------------- the programme's three legs


@dataclass(frozen=True)
class ProgrammeReading:
    """The weakest of three legs, for one project or many.

    Attributes
    ----------
    level
        Minimum of the legs, 0 to 1, shape (...).
    legs
        The legs as given, shape (..., 3), in the order of :data:`LEGS`.
    binding
        Whether a leg is (one of) the weakest, shape (..., 3).
    """

    level: FloatArray
    legs: FloatArray
    binding: NDArray[np.bool_]

    def binds(self) -> list[str]:
        """Names of the legs that bind, joined by ``;``, one text for each project (flattened)."""
        flat = self.binding.reshape(-1, len(LEGS))
        return ["; ".join(name for name, one in zip(LEGS, row, strict=True) if one) for row in flat]


def on_leg_scale(level: ArrayLike, lowest: float, highest: float) -> FloatArray:
    """Bring a level of another scale to that of the legs, 0 (nothing) to 1 (all there).

    A straight line from ``lowest`` to ``highest``: TRL with 1 and 9, CRL with 1 and 6.
    ``ValueError`` when a level lies outside.
    """
    value = np.asarray(level, dtype=np.float64)
    if not lowest < highest or np.any(~((value >= lowest) & (value <= highest))):
        raise ValueError(f"a level lies from {lowest:g} to {highest:g}: {value.tolist()}")
    return np.asarray((value - lowest) / (highest - lowest), dtype=np.float64)


def programme_reading(
    market_driver: ArrayLike, ready_technology: ArrayLike, risk_tolerant_capital: ArrayLike
) -> ProgrammeReading:
    """Read a programme by its weakest leg: the minimum of three, never a sum.

    Parameters
    ----------
    market_driver
        Somebody must or will buy, 0 to 1: for instance the share of output under binding
        offtake, or on a mandate.
    ready_technology
        It works at scale, 0 to 1: for instance TRL by :func:`on_leg_scale`.
    risk_tolerant_capital
        Money that takes first-of-a-kind risk, 0 to 1: for instance the share of uses that
        committed equity, grants and guarantees cover.

    Returns
    -------
    ProgrammeReading
        In the arguments' common shape. A leg that is NaN (not known) makes the level NaN and
        no leg binding.

    Raises
    ------
    ValueError
        If a leg lies outside 0 to 1.
    """
    legs = np.stack(
        np.broadcast_arrays(
            *(np.asarray(one, np.float64) for one in (market_driver, ready_technology, risk_tolerant_capital))
        ),
        axis=-1,
    )
    low, high = LEG_SCALE
    wrong = [name for name, one in zip(LEGS, _columns(legs), strict=True) if _outside(one, low, high)]
    if wrong:
        raise ValueError(f"{', '.join(wrong)}: a leg lies from {low:g} to {high:g}")
    level = legs.min(axis=-1)
    return ProgrammeReading(level, legs, legs == level[..., None])


def _columns(legs: FloatArray) -> Sequence[FloatArray]:
    return [legs[..., one] for one in range(legs.shape[-1])]


def _outside(leg: FloatArray, low: float, high: float) -> bool:
    return bool(np.any((leg < low) | (leg > high)))
