"""Rows of the library's ``link_rules``, checked, and which of them hold for which project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList
from cleanhub.hub.package import Hub
from cleanhub.pipeline.problem import BoolArray
from cleanhub.pipeline.stages import Given

FILE = "link_rules.csv"
_CHANCE = ("p_low", "p_pass", "p_high")
_YEARS = ("years_low", "years", "years_high")


@dataclass(frozen=True)
class Rule:
    """One row of ``link_rules``: what is needed, at which gate, and who can supply it."""

    row: Mapping[str, object]

    @property
    def name(self) -> str:
        """Identifier of the rule."""
        return str(self.row["rule"])

    @property
    def kind(self) -> str:
        """Code of codelist ``link_kind``."""
        return str(self.row["kind"])

    @property
    def gate(self) -> str:
        """Gate of the project that waits."""
        return str(self.row["gate"])

    @property
    def has_projects(self) -> bool:
        """Whether projects can supply it."""
        return bool(self.text("supplier_role") or self.text("supplier_sector"))

    @property
    def idle(self) -> bool:
        """Whether the rule says that nothing is waited for: no supplier and no chance stand in it."""
        return not (self.has_projects or self.text("infrastructure_kind")) and not self.text("p_pass")

    @property
    def within_km(self) -> float:
        """How far a supplier may be [km], infinite where the row is silent; see the table for pipes."""
        return float(self.text("within_km") or "inf")

    @property
    def chances(self) -> tuple[float, float, float]:
        """Chance that one who is no project comes at all: low end, value, high end."""
        low, value, high = (float(str(self.row[column])) for column in _CHANCE)
        return low, value, high

    @property
    def years(self) -> tuple[float, float, float]:
        """Quickest tenth, median and slowest tenth of the years that takes [yr]."""
        low, middle, high = (float(str(self.row[column])) for column in _YEARS)
        return low, middle, high

    def text(self, column: str) -> str:
        """A word of the row; empty where it says none."""
        value = self.row.get(column)
        return "" if value is None or pd.isna(value) else str(value)  # type: ignore[call-overload]


def read_link_rules(hub: Hub) -> list[Rule]:
    """The rules in the order of the table.

    Raises :class:`~cleanhub.core.errors.InputError` with every row whose chance or time is there in
    part, has a range that does not hold its value, or is absent though something is waited for.
    """
    table, faults = hub.library.tables["link_rules"], FaultList()
    rules = []
    for line, row in table.iterrows():
        rule = Rule({str(key): value for key, value in row.items()})
        rules.append(rule)
        if rule.idle:
            continue
        for columns in (_CHANCE, _YEARS):
            _check_range(rule, int(str(line)), columns, faults)
    faults.raise_if_any("links of projects")
    return rules


def _check_range(rule: Rule, line: int, columns: tuple[str, str, str], faults: FaultList) -> None:
    shown = [rule.text(column) for column in columns]
    if "" in shown:
        what, allowed = "a figure is missing", "all three, for one who is no project or is not named yet"
    else:
        low, value, high = (float(cell) for cell in shown)
        if low <= value <= high:
            return
        what, allowed = "range does not hold its value", "low <= value <= high"
    found = ", ".join(shown)
    faults.add(FILE, line, "+".join(columns), what=f"rule {rule.name}: {what}", found=found, allowed=allowed)


def first_rules(rules: Sequence[Rule], given: Given, waiting: BoolArray) -> list[dict[str, Rule]]:
    """For each project the rule that holds for each kind of link: the first that fits.

    ``waiting`` are the projects that wait for links at all, (P,); the others get none.
    """
    found: list[dict[str, Rule]] = [{} for _ in range(len(given))]
    for rule in rules:
        for p in np.flatnonzero(given.fits(rule.row) & waiting):
            found[p].setdefault(rule.kind, rule)
    return found
