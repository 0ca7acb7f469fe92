"""What must hold of policy rows beyond their columns: ranges, dates, numbers, facts and tags.

The same checks serve the library's tables and the files that users add.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cleanhub.core.errors import FaultList
from cleanhub.hub.library import Library

DATE_TESTS = ("construction_begins_", "in_service_", "acquired_", "applied_")
NUMBER_TESTS = ("at_least", "at_most", "below", "above")
YES_NO_TESTS = ("is_true", "is_false")
WORD_TESTS = ("one_of", "none_of")
CODE_TESTS = {
    "technology_in": "technology",
    "product_in": "product",
    "product_not_in": "product",
    "sector_in": "sector",
}


def check_tables(tables: Mapping[str, pd.DataFrame], library: Library, faults: FaultList) -> None:
    """Record every fault of the policy frames (index: line number) in ``faults``."""
    for name in ("policies", "policy_values", "policy_conditions"):
        for line, row in zip(tables[name].index, tables[name].to_dict("records"), strict=True):
            _CHECKS[name](
                {str(k): v for k, v in row.items()}, Place(f"{name}.csv", int(line), faults), library
            )
    _check_exclusions(tables, faults)


class Place:
    """Where a row stands, for its faults."""

    def __init__(self, file: str, line: int | None, faults: FaultList) -> None:
        self.file = file
        self.line = line
        self.faults = faults

    def fault(self, column: str, what: str, found: object, allowed: str) -> None:
        """Record a fault of one column of the row."""
        self.faults.add(self.file, self.line, column, what=what, found=found, allowed=allowed)


def check_policy(row: Mapping[str, Any], place: Place, library: Library) -> None:
    """The window of years must not be empty."""
    if row["pays_from"] and row["pays_until"] and row["pays_from"] > row["pays_until"]:
        place.fault("pays_until", "ends before it begins", row["pays_until"], f"from {row['pays_from']} on")


def check_value(row: Mapping[str, Any], place: Place, library: Library) -> None:
    """Range around the value, known tags."""
    value = row["value"]
    low, high = (value if pd.isna(row[name]) else row[name] for name in ("low", "high"))
    if not low <= value <= high:
        place.fault(
            "low+value+high",
            "range does not hold its value",
            f"{low}, {value}, {high}",
            "low <= value <= high",
        )
    _check_tags(row["selector"], "selector", place, library)


def check_condition(row: Mapping[str, Any], place: Place, library: Library) -> None:
    """Fact and value must suit the test."""
    test, value = row["test"], row["value"]
    facts = [fact for fact in row["fact"].split(";") if fact]
    _check_tags(row["applies_to"], "applies_to", place, library)
    if test.startswith(DATE_TESTS):
        try:
            dt.date.fromisoformat(value)
        except ValueError:
            place.fault("value", "not a date", value, "YYYY-MM-DD")
        return
    if test in CODE_TESTS:
        _check_words(value, library.codelists[CODE_TESTS[test]], place)
        return
    known = library.codelists["policy_fact"]
    if test in NUMBER_TESTS:
        known = known | library.codelists["policy_quantity"]
        try:
            float(value)
        except ValueError:
            place.fault("value", "not a number", value, "a number")
    elif test in WORD_TESTS and not value:
        place.fault("value", "empty cell", value, "words apart by ;")
    elif test in YES_NO_TESTS and value:
        place.fault("value", "the test has no value", value, "an empty cell")
    if not facts:
        place.fault("fact", "empty cell", "", f"a fact that {test} tests")
    for fact in facts:
        if fact not in known:
            place.fault("fact", "unknown fact", fact, "a code of policy_fact or policy_quantity")


_CHECKS = {"policies": check_policy, "policy_values": check_value, "policy_conditions": check_condition}


def known_tags(library: Library) -> frozenset[str]:
    """Tags that a selector may name: quantities, facts, sectors, technologies, products and more."""
    names = ("policy_quantity", "policy_fact", "policy_selector", "sector", "technology", "product")
    return frozenset().union(*(library.codelists[name] for name in names))


def _check_tags(text: str, column: str, place: Place, library: Library) -> None:
    if not text:
        return
    tags = {tag.removeprefix("!") for tag in text.split("+")}
    for tag in sorted(tags - known_tags(library)):
        place.fault(
            column,
            "unknown tag",
            tag,
            "a quantity, fact, sector, technology, product or policy_selector",
        )


def _check_words(value: str, known: frozenset[str], place: Place) -> None:
    for word in [word.strip() for word in value.split(";")]:
        if word not in known:
            place.fault("value", "unknown code", word, ", ".join(sorted(known)))


def _check_exclusions(tables: Mapping[str, pd.DataFrame], faults: FaultList) -> None:
    frame = tables["policy_exclusions"]
    for line, row in frame[frame["policy"] == frame["excludes"]].iterrows():
        faults.add(
            "policy_exclusions.csv",
            int(str(line)),
            "excludes",
            what="a policy cannot exclude itself",
            found=row["excludes"],
            allowed="another policy",
        )
