"""Which input moved a headline from plan A to plan B.

Where several inputs differ, each is changed alone from A (``alone``), and each is changed last,
all others being B's already (``last``). The two differ where inputs act together. An input's part of the
difference is the mean of the two; what no single input explains, because three or more act together,
is the rest. With two inputs the mean is their Shapley value and the rest is nought.

Only the path is walked anew (:mod:`cleanhub.planning.measured_path`): what moves trucks through the
chargers that freight sites (freight's own choices, its data) is one input, ``chargers``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel

from cleanhub.core.errors import FaultList, InputError
from cleanhub.core.memory import remembered
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import DriverChoice, LimitChoice, PolicyChoice, Scenario
from cleanhub.pathways.charging import Charging
from cleanhub.planning.measured_path import measured_path, not_of_the_path, of_the_path, sited_chargers

MOST = 24
"""Inputs that are told apart at most; each costs two paths."""
_SAME = ("end_year", "price_year")
_NOT_MIXED = (*_SAME, "name", "title", "description", "extends", "freight")
"""Parts of a scenario that must be alike, that are words, or that act through the chargers."""
_GROUPS: dict[str, Any] = {"drivers": DriverChoice(), "limits": LimitChoice(), "policies": PolicyChoice()}
_ROWS = {
    "facilities": "asset_id",
    "facility_emissions": "asset_id",
    "cohorts": "asset_id",
    "drivers": "driver",
    "limits": "limit",
    "credits": "credit",
    "projects": "project_id",
}
"""Tables that the path reads row by row, with the column that tells their inputs apart."""
_WHOLE = ("inventory", "branches", "markets", "stacks")
"""Tables that the path reads as one input each."""
_SITES = ("facilities", "facility_emissions")


@dataclass(frozen=True)
class Input:
    """One input that may differ: a choice of the scenario, rows of a hub table, or something whole."""

    kind: Literal["choice", "rows", "whole"]
    group: str
    name: str = ""

    @property
    def label(self) -> str:
        """How a reader finds it: ``group.name`` in the scenario, ``table.csv: name`` in the hub."""
        if self.kind == "rows":
            return f"{self.group}.csv: {self.name}"
        return f"{self.group}.{self.name}" if self.name else self.group


_CHARGERS = Input("whole", "chargers")
_LIBRARY = Input("whole", "the hub's own technologies")
_SEED = Input("whole", "seed")


@dataclass(frozen=True)
class Side:
    """One of the two plans: its hub, scenario, seed, and the chargers that freight sites in it."""

    hub: Hub
    scenario: Scenario
    seed: int
    charging: tuple[Charging, ...]


@dataclass(frozen=True)
class Attribution:
    """The difference of one headline, input by input.

    ``a`` and ``b`` are the headline in each plan; ``inputs`` has the columns input, a, b (texts),
    alone, last, part (in the unit of the headline) and share (of the difference, 1), the largest part
    first; ``rest`` is what only inputs together explain.
    """

    metric: str
    a: float
    b: float
    inputs: pd.DataFrame
    rest: float

    @property
    def difference(self) -> float:
        """B less A."""
        return self.b - self.a

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        rows = self.inputs.astype(object).where(self.inputs.notna(), None).to_dict("records")
        return {
            "metric": self.metric,
            "a": self.a,
            "b": self.b,
            "difference": self.difference,
            "inputs": rows,
            "rest": self.rest,
        }


def attribute(
    a: tuple[Hub, Scenario, int],
    b: tuple[Hub, Scenario, int],
    metric: str,
    progress: Callable[[float], None] | None = None,
) -> Attribution:
    """Tell which inputs move ``metric`` from one (hub, scenario, seed) to another.

    ``metric`` is a headline of the path (see
    :meth:`~cleanhub.planning.measured_path.MeasuredPath.headline`); ``progress`` is called with the
    share done. Raises :class:`~cleanhub.core.errors.InputError` for another headline, for plans that
    do not cover the same years, and where more than :data:`MOST` inputs differ.
    """
    if not of_the_path(metric):
        raise not_of_the_path(metric)
    _check_alike(a, b)
    tell = progress or (lambda share: None)
    sides = (Side(*a, sited_chargers(*a)), Side(*b, sited_chargers(*b)))
    names = _differing(*sides)
    if len(names) > MOST:
        faults = FaultList()
        faults.add(
            "inputs", what="too many differ to tell them apart", found=len(names), allowed=f"at most {MOST}"
        )
        raise InputError("comparison", faults.faults)
    everything = frozenset(names)
    known: dict[frozenset[Input], float] = {}

    def value(chosen: frozenset[Input]) -> float:
        if chosen not in known:
            one = _mixed(*sides, chosen, everything)
            known[chosen] = remembered(
                "headline of a path",
                (one.hub.meta, one.hub.tables, one.hub.library, one.scenario, one.seed, one.charging, metric),
                lambda: measured_path(one.hub, one.scenario, one.charging, one.seed).headline(metric),
            )
            tell(len(known) / (2 * len(names) + 2))
        return known[chosen]

    first, last = value(frozenset()), value(everything)
    rows = []
    for name, (left, right) in names.items():
        alone = value(frozenset({name})) - first
        closing = last - value(everything - {name})
        rows.append((name.label, left, right, alone, closing, (alone + closing) / 2))
    frame = pd.DataFrame(rows, columns=["input", "a", "b", "alone", "last", "part"])
    frame["share"] = frame["part"] / (last - first) if last != first else float("nan")
    frame = frame.sort_values("part", key=lambda part: -part.abs(), kind="stable", ignore_index=True)
    return Attribution(metric, first, last, frame, last - first - float(frame["part"].sum()))


def _check_alike(a: tuple[Hub, Scenario, int], b: tuple[Hub, Scenario, int]) -> None:
    faults = FaultList()
    for name in _SAME:
        if getattr(a[1], name) != getattr(b[1], name):
            faults.add(
                "scenario",
                None,
                name,
                what="differs",
                found=getattr(b[1], name),
                allowed=f"{getattr(a[1], name)}",
            )
    if a[0].base_year != b[0].base_year:
        faults.add("datapackage.json", None, "base_year", what="differs", found=b[0].base_year)
    faults.raise_if_any("the inputs of these plans cannot be exchanged one by one")


# ---------------------------------------------------------------- what differs


def _differing(a: Side, b: Side) -> dict[Input, tuple[str, str]]:
    """The inputs that differ, with both sides in words."""
    found = dict(_choices(a.scenario, b.scenario))
    for name, column in _ROWS.items():
        left, right = a.hub.tables[name], b.hub.tables[name]
        for one in _changed(left, right, column):
            found[Input("rows", _file(name), one)] = _cells(left, right, column, one)
    for name in _WHOLE:
        if not _plain(a.hub.tables[name]).equals(_plain(b.hub.tables[name])):
            found[Input("rows", name, "all")] = ("as in A", "as in B")
    own, other = a.hub.library.tables, b.hub.library.tables
    if not all(_plain(frame).equals(_plain(other[name])) for name, frame in own.items()):
        found[_LIBRARY] = ("as in A", "as in B")
    if a.seed != b.seed and "mpp" in (a.scenario.decision.rule, b.scenario.decision.rule):
        found[_SEED] = (str(a.seed), str(b.seed))
    if _arrays(a.charging) != _arrays(b.charging):
        found[_CHARGERS] = ("as sited in A", "as sited in B")
    return found


def _choices(a: Scenario, b: Scenario) -> Iterator[tuple[Input, tuple[str, str]]]:
    """The choices of the scenarios that differ: one by one in groups, credits as they come and go."""
    for group in Scenario.model_fields:
        left, right = getattr(a, group), getattr(b, group)
        if group in _NOT_MIXED or left == right:
            continue
        if group in _GROUPS:
            usual = _GROUPS[group]
            for one in dict.fromkeys([*left, *right]):
                pair = (left.get(one, usual), right.get(one, usual))
                if pair[0] != pair[1]:
                    yield Input("choice", group, one), (_words(pair[0]), _words(pair[1]))
        elif group == "decision":
            for key in type(left).model_fields:
                pair = (getattr(left, key), getattr(right, key))
                if pair[0] != pair[1]:
                    yield Input("choice", group, key), (str(pair[0]), str(pair[1]))
        elif group == "credits":
            for one in sorted({*left} ^ {*right}):
                yield Input("choice", group, one), ("in force", "not") if one in left else ("not", "in force")
        else:
            yield Input("choice", group), (str(left), str(right))


def _words(choice: BaseModel) -> str:
    """What a choice says, without what it leaves as it is."""
    said = choice.model_dump(mode="json", exclude_defaults=True)
    return ", ".join(f"{key}: {value}" for key, value in said.items()) or "as it is"


def _file(table: str) -> str:
    """The name under which rows of a table are one input: sites and what they emitted go together."""
    return "sites" if table in _SITES else table


def _changed(a: pd.DataFrame, b: pd.DataFrame, column: str) -> list[str]:
    """Which ids of ``column`` have other rows in B."""
    left, right = _plain(a), _plain(b)
    if left.equals(right):
        return []
    ours, theirs = (dict(list(frame.groupby(column, sort=False))) for frame in (left, right))
    none = left.iloc[:0]
    return [
        str(name)
        for name in dict.fromkeys([*ours, *theirs])
        if not _plain(ours.get(name, none)).equals(_plain(theirs.get(name, none)))
    ]


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame without its line numbers and without the notes that no number rests on."""
    return frame.drop(columns=["note"], errors="ignore").reset_index(drop=True)


def _cells(a: pd.DataFrame, b: pd.DataFrame, column: str, name: str) -> tuple[str, str]:
    """Both sides of an input in words: the cell that differs if it is one, else how many rows."""
    left, right = (_plain(frame[frame[column] == name]) for frame in (a, b))
    if left.shape != right.shape:
        return f"{len(left)} rows", f"{len(right)} rows"
    same = (left == right) | (left.isna() & right.isna())
    places = [(row, cell) for cell in same.columns for row in np.flatnonzero(~same[cell])]
    if len(places) > 1:
        return f"{len(places)} cells", "changed"
    row, cell = places[0]
    return f"{cell} {left[cell].iloc[row]}", f"{cell} {right[cell].iloc[row]}"


def _arrays(charging: tuple[Charging, ...]) -> list[tuple[str, bytes, bytes]]:
    return [(one.asset_id, one.most.tobytes(), one.price.tobytes()) for one in charging]


# ---------------------------------------------------------------- between the two


def _mixed(a: Side, b: Side, chosen: frozenset[Input], every: frozenset[Input]) -> Side:
    """Plan A with the ``chosen`` inputs of plan B; B itself where all of them are chosen."""
    if chosen == every:
        return b
    return Side(
        _mixed_hub(a.hub, b.hub, chosen),
        _mixed_scenario(a.scenario, b.scenario, chosen),
        (b if _SEED in chosen else a).seed,
        (b if _CHARGERS in chosen else a).charging,
    )


def _mixed_scenario(a: Scenario, b: Scenario, chosen: frozenset[Input]) -> Scenario:
    changed: dict[str, Any] = {}
    for one in sorted((one for one in chosen if one.kind == "choice"), key=lambda one: one.label):
        group, name = one.group, one.name
        if group in _GROUPS:
            choices = changed.setdefault(group, dict(getattr(a, group)))
            choices[name] = getattr(b, group).get(name, _GROUPS[group])
        elif group == "decision":
            decision = changed.get(group, a.decision)
            changed[group] = decision.model_copy(update={name: getattr(b.decision, name)})
        elif group == "credits":
            others = tuple(credit for credit in changed.get(group, a.credits) if credit != name)
            changed[group] = (*others, name) if name in b.credits else others
        else:
            changed[group] = getattr(b, group)
    return a.model_copy(update=changed)


def _mixed_hub(a: Hub, b: Hub, chosen: frozenset[Input]) -> Hub:
    tables = dict(a.tables)
    for table, column in _ROWS.items():
        taken = {one.name for one in chosen if one.kind == "rows" and one.group == _file(table)}
        if taken:
            left, right = a.tables[table], b.tables[table]
            parts = [left[~left[column].isin(taken)], right[right[column].isin(taken)]]
            tables[table] = pd.concat(parts, ignore_index=True)
    tables.update({name: b.tables[name] for name in _WHOLE if Input("rows", name, "all") in chosen})
    return replace(a, tables=tables, library=(b if _LIBRARY in chosen else a).library)
