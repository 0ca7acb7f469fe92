"""The policy book: every dated rule as data, with a scenario's choices and a user's files applied.

A :class:`PolicyBook` is read once and asked many times. It is immutable; ``tables`` are the
frames as they were read, ``policies`` the same rows as objects after the scenario's choices
(switched off, delayed, ended, enacted). Scale and range are applied when an amount is computed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from cleanhub.core.errors import FaultList, InputError
from cleanhub.core.money import PriceIndex
from cleanhub.hub.library import Library
from cleanhub.hub.library_schema import POLICIES, POLICY_CONDITIONS
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import PolicyChoice, Scenario
from cleanhub.policy.checks import check_tables
from cleanhub.policy.user_file import read_policy_files

BOOK_TABLES = ("policies", "policy_values", "policy_conditions", "policy_exclusions", "policy_settings")
DEADLINES = ("before", "by")  # how tests that a date can fail end
CONFIDENCE = ("seen", "derived", "recalled", "assumed")


@dataclass(frozen=True)
class PolicyValue:
    """One row of ``policy_values``: an amount and to whom, when and how it applies."""

    item: str
    tags: tuple[str, ...]
    tier_from: float | None
    year: int | None
    in_service_from: dt.date | None
    low: float
    value: float
    high: float
    unit: str
    indexed_from: int | None
    index_lag: int
    source_id: str
    confidence: str
    note: str


@dataclass(frozen=True)
class Condition:
    """One row of ``policy_conditions``."""

    condition: str
    test: str
    fact: tuple[str, ...]
    applies_to: tuple[str, ...]
    either: str
    value: str
    unit: str
    words: str
    source_id: str
    confidence: str
    note: str

    @property
    def is_deadline(self) -> bool:
        """Whether it is a date that must not be passed."""
        return self.test.rsplit("_", 1)[-1] in DEADLINES

    @property
    def date(self) -> dt.date | None:
        """The date it tests against, ``None`` for other tests."""
        return dt.date.fromisoformat(self.value) if self.is_date else None

    @property
    def is_date(self) -> bool:
        """Whether it tests a date."""
        return self.test.startswith(("construction_begins_", "in_service_", "acquired_", "applied_"))


@dataclass(frozen=True)
class Exclusion:
    """One policy that another excludes, seen from that other."""

    exclusion: str
    other: str
    scope: str


@dataclass(frozen=True)
class Policy:
    """One policy with its rows, after the scenario's choice."""

    policy: str
    name: str
    instrument: str
    jurisdiction: tuple[str, ...]
    rule: str
    quantity: tuple[str, ...]
    years_paid: int | None
    pays_from: dt.date | None
    pays_until: dt.date | None
    tax_character: str
    lag_years: float
    bankable: bool
    legal_status: str
    status_date: dt.date
    summary: str
    source_id: str
    confidence: str
    note: str
    values: tuple[PolicyValue, ...] = ()
    conditions: tuple[Condition, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    choice: PolicyChoice = field(default_factory=PolicyChoice)

    @cached_property
    def version(self) -> str:
        """Short hash of every row and choice that decides."""
        return hashlib.sha256(repr(self).encode("utf-8")).hexdigest()[:12]

    @cached_property
    def by_item(self) -> Mapping[str, tuple[PolicyValue, ...]]:
        """The values of each item, in their order."""
        items = dict.fromkeys(value.item for value in self.values)
        return {item: tuple(v for v in self.values if v.item == item) for item in items}


@dataclass(frozen=True)
class PolicyBook:
    """Every policy with its rows.

    Attributes
    ----------
    policies
        By identifier, in the order of the tables.
    tables
        The five frames as read, the user's files included.
    settings
        Figures that answers need and no law gives, by codelist ``policy_setting``.
    price_index
        Deflator for indexation.
    meanings
        Meaning of each code by ``(codelist, code)``.
    content
        All that the book was made of; its fingerprint is much quicker than that of the book itself.
    """

    policies: Mapping[str, Policy]
    tables: Mapping[str, pd.DataFrame]
    settings: Mapping[str, float]
    price_index: PriceIndex
    meanings: Mapping[tuple[str, str], str]
    content: tuple[Any, ...]

    def policy(self, policy: str) -> Policy:
        """One policy; raises :class:`InputError` naming the known ones if there is none."""
        if policy not in self.policies:
            faults = FaultList()
            faults.add("policies.csv", what="no such policy", found=policy, allowed=", ".join(self.policies))
            raise InputError("policy not found", faults.faults)
        return self.policies[policy]

    def version(self, policy: str) -> str:
        """Short hash of the policy's rows after choices: a result says which version it used."""
        return self.policy(policy).version

    def meaning(self, codelist: str, code: str) -> str:
        """Meaning of a code without its unit, or the code itself."""
        return self.meanings.get((codelist, code), code).split(" [")[0]

    def unit(self, quantity: str) -> str:
        """Unit that a quantity is counted in: what stands in brackets after its meaning."""
        text = self.meanings.get(("policy_quantity", quantity), "")
        return text.rsplit("[", 1)[-1].rstrip("]") if "[" in text else "unit"


def load_book(
    library: Library,
    hub: Hub | None = None,
    scenario: Scenario | None = None,
    extra_files: Iterable[Path] = (),
    only: Collection[str] | None = None,
) -> PolicyBook:
    """The library's policies, those of the hub's folder ``policies`` and of ``extra_files``.

    The scenario's choices are applied. With ``only`` the book holds those policies and what
    they look at, and no other. Raises :class:`~cleanhub.core.errors.InputError` with every fault
    of the tables and files.
    """
    tables = book_tables(library, hub, extra_files)
    return book_from_tables(tables if only is None else _part(tables, only), library, scenario)


def book_tables(
    library: Library, hub: Hub | None = None, extra_files: Iterable[Path] = ()
) -> dict[str, pd.DataFrame]:
    """The frames of :data:`BOOK_TABLES`: the library's rows and those of the policy files.

    Raises :class:`~cleanhub.core.errors.InputError` with every fault of the files.
    """
    own = sorted((hub.path / "policies").glob("*.yaml")) if hub is not None else []
    files = [*own, *(Path(file) for file in extra_files)]
    tables = {name: library.tables[name] for name in BOOK_TABLES}
    sources = hub.sources() if hub is not None else library.tables["sources"]
    if files:
        tables = read_policy_files(files, tables, library, frozenset(sources["source_id"]))
    return tables


def _part(tables: Mapping[str, pd.DataFrame], only: Collection[str]) -> dict[str, pd.DataFrame]:
    """The rows of some policies and of those they look at: in force with them, or their price."""
    policies, conditions = tables["policies"], tables["policy_conditions"]
    named = policies["policy"].isin(list(only))
    asked = conditions[conditions["policy"].isin(list(only))]
    looked_at = asked.loc[asked["test"] == "policy_in_force", "value"]
    wanted = {*policies.loc[named, "policy"], *looked_at}
    if (policies.loc[named, "rule"] == "free_allocation").any():
        wanted |= set(policies.loc[policies["rule"] == "allowance_value", "policy"])
    return {
        name: frame[frame["policy"].isin(list(wanted))] if "policy" in frame.columns else frame
        for name, frame in tables.items()
    }


def book_from_tables(
    tables: Mapping[str, pd.DataFrame], library: Library, scenario: Scenario | None = None
) -> PolicyBook:
    """A book from the frames of :data:`BOOK_TABLES`; rows of policies that are not there are left out.

    Raises :class:`~cleanhub.core.errors.InputError` with every fault of the rows.
    """
    faults = FaultList()
    check_tables(tables, library, faults)
    faults.raise_if_any("policies")
    values = _grouped(tables["policy_values"], _value)
    conditions = _grouped(tables["policy_conditions"], _condition)
    exclusions = _exclusions(tables["policy_exclusions"], set(tables["policies"]["policy"]))
    policies = {}
    for row in _rows(tables["policies"]):
        name = row["policy"]
        policy = _policy(row, values.get(name, ()), conditions.get(name, ()), tuple(exclusions.get(name, ())))
        choice = scenario.policy_choice(name) if scenario is not None else PolicyChoice()
        policies[name] = chosen(policy, choice)
    codes = library.tables["codelists"]
    settings = tables["policy_settings"]
    return PolicyBook(
        policies=MappingProxyType(policies),
        tables=MappingProxyType(dict(tables)),
        settings=MappingProxyType(dict(zip(settings["setting"], settings["value"], strict=True))),
        price_index=library.price_index,
        meanings=MappingProxyType(
            {
                (row_list, code): meaning
                for row_list, code, meaning in zip(
                    codes["list"], codes["code"], codes["meaning"], strict=True
                )
            }
        ),
        content=(dict(tables), codes, library.price_index, None if scenario is None else scenario.policies),
    )


def chosen(policy: Policy, choice: PolicyChoice) -> Policy:
    """``policy`` under a scenario's choice: delayed, ended or enacted.

    Enacting drops the deadlines and the end that lie before its day: a law that is put in
    force again has no deadline that passed before.
    """
    years = choice.delay_years
    conditions = tuple(
        replace(c, value=str(_later(dt.date.fromisoformat(c.value), years))) if c.is_date else c
        for c in policy.conditions
    )
    ends = [day for day in (_later(policy.pays_until, years), choice.until) if day is not None]
    if choice.enact is not None:
        since = choice.enact
        conditions = tuple(c for c in conditions if not (c.is_deadline and c.date and c.date < since))
        ends = [day for day in ends if day >= since]
    values = tuple(
        replace(
            value,
            year=None if value.year is None else value.year + years,
            in_service_from=_later(value.in_service_from, years),
        )
        for value in policy.values
    )
    return replace(
        policy,
        choice=choice,
        conditions=conditions,
        values=values,
        pays_from=_later(policy.pays_from, years),
        pays_until=min(ends, default=None),
    )


# ---------------------------------------------------------------- rows to objects


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def _grouped(frame: pd.DataFrame, build: Any) -> dict[str, tuple[Any, ...]]:
    grouped: dict[str, list[Any]] = {}
    for row in _rows(frame):
        grouped.setdefault(row["policy"], []).append(build(row))
    return {name: tuple(rows) for name, rows in grouped.items()}


def _policy(
    row: dict[str, Any],
    values: tuple[PolicyValue, ...],
    conditions: tuple[Condition, ...],
    exclusions: tuple[Exclusion, ...],
) -> Policy:
    texts: dict[str, Any] = {name: str(row[name]) for name in POLICIES.names}
    texts |= {
        "jurisdiction": _words(row["jurisdiction"]),
        "quantity": _words(row["quantity"]),
        "years_paid": _whole(row["years_paid"]),
        "pays_from": _day(row["pays_from"]),
        "pays_until": _day(row["pays_until"]),
        "lag_years": float(row["lag_years"]),
        "bankable": bool(row["bankable"]),
        "status_date": dt.date.fromisoformat(row["status_date"]),
    }
    return Policy(**texts, values=values, conditions=conditions, exclusions=exclusions)


def _value(row: dict[str, Any]) -> PolicyValue:
    value = float(row["value"])
    return PolicyValue(
        item=row["item"],
        tags=tuple(tag for tag in row["selector"].split("+") if tag),
        tier_from=None if pd.isna(row["tier_from"]) else float(row["tier_from"]),
        year=_whole(row["year"]),
        in_service_from=_day(row["in_service_from"]),
        low=value if pd.isna(row["low"]) else float(row["low"]),
        value=value,
        high=value if pd.isna(row["high"]) else float(row["high"]),
        unit=row["unit"],
        indexed_from=_whole(row["indexed_from"]),
        index_lag=_whole(row["index_lag"]) or 0,
        source_id=row["source_id"],
        confidence=row["confidence"],
        note=row["note"],
    )


def _condition(row: dict[str, Any]) -> Condition:
    texts: dict[str, Any] = {name: str(row[name]) for name in POLICY_CONDITIONS.names if name != "policy"}
    texts["fact"] = _words(row["fact"])
    texts["applies_to"] = tuple(tag for tag in row["applies_to"].split("+") if tag)
    return Condition(**texts)


def _exclusions(frame: pd.DataFrame, known: set[str]) -> dict[str, list[Exclusion]]:
    """Exclusions from both sides."""
    found: dict[str, list[Exclusion]] = {}
    for row in _rows(frame):
        a, b = row["policy"], row["excludes"]
        if a in known and b in known:
            found.setdefault(a, []).append(Exclusion(row["exclusion"], b, row["scope"]))
            found.setdefault(b, []).append(Exclusion(row["exclusion"], a, row["scope"]))
    return found


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(";") if word.strip())


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _later(day: dt.date | None, years: int) -> Any:
    """``day`` moved by whole years; 29 February becomes 28 February where there is none."""
    if day is None or years == 0:
        return day
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
