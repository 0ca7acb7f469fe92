"""Policies that users write: one YAML file for each, with values, conditions and exclusions.

Files lie in a hub's folder ``policies`` or are named on the command line; a file bears the name
of its policy. Every fault of every file is reported at once, with its line. The rows join the
library's frames, so nothing else in this room knows where a policy came from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field, ValidationError

from cleanhub.core.errors import FaultList
from cleanhub.core.file_model import FileModel
from cleanhub.core.tables import Table, allowed, bounds
from cleanhub.core.yaml_file import YamlFile, fault_kind, parse_yaml
from cleanhub.hub.library import Library
from cleanhub.hub.library_schema import (
    POLICIES,
    POLICY_CONDITIONS,
    POLICY_EXCLUSIONS,
    POLICY_VALUES,
)
from cleanhub.policy.checks import Place, check_condition, check_policy, check_value

Frames = dict[str, pd.DataFrame]


class UserValue(FileModel):
    """An amount, price, standard or factor."""

    item: str
    """What it is: a code of ``policy_item``."""
    value: float
    """The central value."""
    unit: str
    """Its unit."""
    low: float | None = None
    """Low end of the range."""
    high: float | None = None
    """High end of the range."""
    selector: str = ""
    """To whom it applies: tags joined by +, with ! for not."""
    tier_from: float | None = None
    """Lower bound of its tier, which includes it."""
    year: int | None = Field(None, ge=1990, le=2100)
    """Year; empty: every year."""
    in_service_from: dt.date | None = None
    """Applies to what is in service from this day on."""
    currency_year: int | None = Field(None, ge=1990, le=2100)
    """Price year of money."""
    indexed_from: int | None = Field(None, ge=1990, le=2100)
    """Base year of indexation by the deflator; empty: none."""
    index_lag: int | None = Field(None, ge=0, le=5)
    """Years by which the index lags the payment."""
    source_id: str = ""
    """Where it came from; empty: as the policy."""
    confidence: str = ""
    """seen, derived, recalled or assumed; empty: as the policy."""
    note: str = ""
    """What a reader must know."""


class UserCondition(FileModel):
    """What a project must meet."""

    condition: str = Field(min_length=1)
    """Identifier, used nowhere else."""
    test: str
    """A code of ``policy_test``."""
    words: str = Field(min_length=1)
    """The reason when it is not met; {found} and {allowed} are filled in."""
    value: str | float | int | dt.date | list[str] = ""
    """Date, number or codes."""
    fact: str | list[str] = ""
    """Fact or quantities that it tests; empty for dates."""
    applies_to: str = ""
    """Tags of those it is asked of; empty: all."""
    either: str = ""
    """Group of which one condition is enough."""
    unit: str = ""
    """Unit of a number."""
    source_id: str = ""
    """Where it came from; empty: as the policy."""
    confidence: str = ""
    """seen, derived, recalled or assumed; empty: as the policy."""
    note: str = ""
    """What a reader must know."""


class UserExclusion(FileModel):
    """A policy that cannot be had together with this one."""

    policy: str
    """The other policy."""
    exclusion: str = Field(min_length=1)
    """Identifier of the rule."""
    scope: str = Field(min_length=1)
    """Of what they exclude each other."""


class UserPolicy(FileModel):
    """One policy with everything it needs."""

    policy: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    """Identifier; equals the file name."""
    name: str = Field(min_length=1)
    """Name in words."""
    instrument: str
    """A code of ``policy_instrument``."""
    jurisdiction: list[str] = Field(min_length=1)
    """Where it applies: codes of ``jurisdiction``."""
    rule: str
    """How its amount is computed: a code of ``policy_rule``."""
    summary: str = Field(min_length=1)
    """What it does, as the end of a sentence that begins with its name."""
    source_id: str = "cleanhub-assumption"
    """Where it came from: a source of the hub or the library."""
    confidence: str = "assumed"
    """seen, derived, recalled or assumed."""
    quantity: list[str] = []
    """What it pays for: codes of ``policy_quantity``; empty for capital, or nothing by quantity."""
    years_paid: int | None = Field(None, ge=1, le=100)
    """Operating years paid; empty: no end."""
    pays_from: dt.date | None = None
    """No operating year before the year of this day is paid."""
    pays_until: dt.date | None = None
    """No operating year after the year of this day is paid."""
    tax_character: str = "taxable"
    """How a payment is taxed: a code of ``tax_character``."""
    lag_years: float = Field(0.0, ge=0, le=10)
    """Years from earning to cash."""
    bankable: bool = False
    """Whether lenders count it."""
    legal_status: str = "in_force"
    """State in law: a code of ``legal_status``."""
    status_date: dt.date
    """Day of that state."""
    note: str = ""
    """What a reader must know."""
    replaces: str = ""
    """Policy of the library that this one takes the place of."""
    values: list[UserValue] = []
    """Amounts, prices, standards and factors."""
    conditions: list[UserCondition] = []
    """What a project must meet."""
    excludes: list[UserExclusion] = []
    """Policies that cannot be had together with it."""


_PARTS: dict[str, tuple[type[FileModel], Table]] = {
    "values": (UserValue, POLICY_VALUES),
    "conditions": (UserCondition, POLICY_CONDITIONS),
    "excludes": (UserExclusion, POLICY_EXCLUSIONS),
}


def read_policy_files(
    files: Iterable[Path], tables: Mapping[str, pd.DataFrame], library: Library, sources: frozenset[str]
) -> Frames:
    """``tables`` with the rows of ``files`` added; the index of an added row is its line.

    ``sources`` are the identifiers a row may name. Raises
    :class:`~cleanhub.core.errors.InputError` with every fault of every file.
    """
    faults = FaultList()
    frames = dict(tables)
    read = [one for path in files if (one := _read(path, faults)) is not None]
    for file, policy in read:
        frames = _joined(frames, file, policy, library, sources, faults)
    known = frozenset(frames["policies"]["policy"])
    for file, policy in read:
        for number, exclusion in enumerate(policy.excludes):
            if exclusion.policy not in known:
                faults.add(
                    file.path.name,
                    file.line(("excludes", number, "policy")),
                    "excludes.policy",
                    what="no such policy",
                    found=exclusion.policy,
                    allowed=", ".join(sorted(known)),
                )
    faults.raise_if_any("policy files")
    return frames


def _read(path: Path, faults: FaultList) -> tuple[YamlFile, UserPolicy] | None:
    file = parse_yaml(path, faults, path.name)
    if file is None:
        return None
    try:
        policy = UserPolicy.model_validate(file.data)
    except ValidationError as error:
        for item in error.errors():
            place = tuple(
                part for part in item["loc"] if part not in ("str", "float", "int", "date", "list[str]")
            )
            faults.add(
                path.name,
                file.line(place) or 1,
                ".".join(str(part) for part in place),
                what=fault_kind(item["type"]),
                found="" if item["type"] == "missing" else item.get("input", ""),
                allowed=_allowed(item["type"], item["msg"], place),
            )
        return None
    if policy.policy != path.stem:
        faults.add(
            path.name,
            file.line(("policy",)),
            "policy",
            what="policy differs from the file name",
            found=policy.policy,
            allowed=path.stem,
        )
    return file, policy


def _allowed(kind: str, message: str, place: tuple[Any, ...]) -> str:
    if kind == "extra_forbidden":
        model = _PARTS[str(place[0])][0] if len(place) > 1 and place[0] in _PARTS else UserPolicy
        return ", ".join(model.model_fields)
    return message[:1].lower() + message[1:]


# ---------------------------------------------------------------- rows


def _joined(
    frames: Frames,
    file: YamlFile,
    policy: UserPolicy,
    library: Library,
    sources: frozenset[str],
    faults: FaultList,
) -> Frames:
    """``frames`` with the rows of one file, checked like those of the library."""
    name = file.path.name
    out = dict(frames)
    if policy.replaces:
        if policy.replaces not in set(out["policies"]["policy"]):
            faults.add(
                name,
                file.line(("replaces",)),
                "replaces",
                what="no such policy",
                found=policy.replaces,
                allowed=", ".join(out["policies"]["policy"]),
            )
        out = without_policy(out, policy.replaces)
    if policy.policy in set(out["policies"]["policy"]):
        faults.add(
            name,
            file.line(("policy",)),
            "policy",
            what="duplicate policy",
            found=policy.policy,
            allowed=f"another name, or replaces: {policy.policy}",
        )
    rows = _policy_rows(policy)
    taken = set(out["policy_conditions"]["condition"])
    checks = {"policies": check_policy, "policy_values": check_value, "policy_conditions": check_condition}
    tables = {table.name: table for table in (POLICIES, *(table for _, table in _PARTS.values()))}
    for table_name, table_rows in rows.items():
        table = tables[table_name]
        lines = []
        for place, row in table_rows:
            line = file.line(place) or 1
            lines.append(line)
            where = Place(name, line, faults)
            before = len(faults.faults)
            _check_row(row, table, library, sources, where)
            if table_name == "policy_conditions" and row["condition"] in taken:
                where.fault("condition", "duplicate condition", row["condition"], "each once")
            taken.add(row.get("condition", ""))
            if table_name in checks and len(faults.faults) == before:
                checks[table_name](row, where, library)
        if table_rows:
            out[table_name] = _appended(out[table_name], [row for _, row in table_rows], lines, table)
    return out


def without_policy(tables: Mapping[str, pd.DataFrame], policy: str) -> Frames:
    """The frames without the rows of one policy; exclusions that name it stay for what replaces it."""
    out = dict(tables)
    for name in ("policies", "policy_values", "policy_conditions"):
        out[name] = out[name][out[name]["policy"] != policy]
    return out


_Placed = list[tuple[tuple[Any, ...], dict[str, Any]]]


def _policy_rows(policy: UserPolicy) -> dict[str, _Placed]:
    """The rows of every table, each with its place in the file."""
    trace = {"source_id": policy.source_id, "confidence": policy.confidence}
    head = {name: _cell(getattr(policy, name)) for name in POLICIES.names}
    values: _Placed = []
    conditions: _Placed = []
    exclusions: _Placed = []
    for number, value in enumerate(policy.values):
        row = {name: _cell(getattr(value, name)) for name in POLICY_VALUES.names if name != "policy"}
        values.append((("values", number), _traced(row, policy.policy, trace)))
    for number, condition in enumerate(policy.conditions):
        row = {name: _cell(getattr(condition, name)) for name in POLICY_CONDITIONS.names if name != "policy"}
        row["value"] = row["value"] if isinstance(row["value"], str) else f"{row['value']:.15g}"
        conditions.append((("conditions", number), _traced(row, policy.policy, trace)))
    for number, one in enumerate(policy.excludes):
        row = {"exclusion": one.exclusion, "excludes": one.policy, "scope": one.scope, "note": ""}
        exclusions.append((("excludes", number), _traced(row, policy.policy, trace)))
    return {
        "policies": [(("policy",), head)],
        "policy_values": values,
        "policy_conditions": conditions,
        "policy_exclusions": exclusions,
    }


def _traced(row: dict[str, Any], policy: str, trace: Mapping[str, str]) -> dict[str, Any]:
    filled = {name: row.get(name) or given for name, given in trace.items()}
    return {"policy": policy, **row, **filled}


def _cell(value: Any) -> Any:
    """A value as the frames hold it: dates and lists as text, nothing as NaN or empty text."""
    if isinstance(value, list):
        return ";".join(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def _check_row(
    row: Mapping[str, Any], table: Table, library: Library, sources: frozenset[str], place: Place
) -> None:
    for column in table.columns:
        value = row.get(column.name)
        if value in (None, ""):
            continue
        if column.codes:
            words = str(value).split(";") if column.listed else [str(value)]
            for word in words:
                if word not in library.codelists[column.codes]:
                    may_be = ", ".join(sorted(library.codelists[column.codes]))
                    place.fault(column.name, f"unknown {column.codes}", word, may_be)
        elif column.name == "source_id" and value not in sources:
            place.fault("source_id", "not in sources.csv", value, "a source of the hub or the library")
        elif column.unit_column and not library.unit_ok(str(value)):
            place.fault(column.name, "unknown unit", value, "a unit of docs/units.md")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            low, high = bounds(column)
            if (low is not None and value < low) or (high is not None and value > high):
                place.fault(column.name, "out of range", value, allowed(column))


def _appended(
    frame: pd.DataFrame, rows: list[dict[str, Any]], lines: list[int], table: Table
) -> pd.DataFrame:
    """``frame`` with ``rows`` in its columns and types."""
    added = pd.DataFrame(rows, index=pd.Index(lines, name=frame.index.name))
    for column in table.columns:
        cells = (
            added[column.name] if column.name in added else pd.Series([None] * len(added), index=added.index)
        )
        if column.kind in ("integer", "year"):
            added[column.name] = cells.astype("Int64")
        elif column.kind == "number":
            added[column.name] = cells.astype(float)
        elif column.kind == "yes_no":
            added[column.name] = cells.astype("boolean")
        else:
            added[column.name] = cells.where(cells.notna(), "").astype(object)
    return pd.concat([frame, added[list(frame.columns)]])
