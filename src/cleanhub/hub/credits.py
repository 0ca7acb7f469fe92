"""Rows of ``credits.csv``: the facts that a cell states, and what must hold between columns.

A credit takes its amounts from a price driver of the hub or from a policy. With a policy it may
state *facts*: what whoever takes the credit is assumed to tell the law
(``prevailing_wage=yes;carbon_intensity_hydrogen_kg_per_kg=0.4``). Amounts are computed in
:mod:`cleanhub.finance.policy_credits`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cleanhub.core.errors import FaultList
from cleanhub.hub.library import Library

FILE = "credits.csv"
_YES_NO = {"yes": True, "no": False}


@dataclass(frozen=True)
class CreditFact:
    """One fact of a credit: a code of ``policy_fact`` or, with its yearly amount, of ``policy_quantity``.

    ``driver`` names the driver that moves a number from the as_of year on; empty: constant.
    """

    name: str
    value: float | bool | str | dt.date
    driver: str = ""
    is_quantity: bool = False


def credit_facts(text: str, line: int | None, library: Library, faults: FaultList) -> tuple[CreditFact, ...]:
    """The facts of one cell of the column ``facts``; every word that is none is a fault of ``line``."""
    found: dict[str, CreditFact] = {}
    for part in (word.strip() for word in text.split(";") if word.strip()):
        fact = _fact(part, line, library, faults)
        if fact is None:
            continue
        if fact.name in found:
            faults.add(FILE, line, "facts", what="fact stated twice", found=part, allowed="each once")
        found[fact.name] = fact
    return tuple(found.values())


def _fact(part: str, line: int | None, library: Library, faults: FaultList) -> CreditFact | None:
    name, equals, text = (word.strip() for word in part.partition("="))
    is_quantity = name in library.codelists["policy_quantity"]
    if not equals:
        faults.add(FILE, line, "facts", what="not a fact", found=part, allowed="name=value")
        return None
    if not is_quantity and name not in library.codelists["policy_fact"]:
        known = sorted(library.codelists["policy_fact"] | library.codelists["policy_quantity"])
        faults.add(FILE, line, "facts", what="unknown fact", found=name, allowed=", ".join(known))
        return None
    kind = "number" if is_quantity else library.meaning("policy_fact", name).partition(":")[0]
    text, _, driver = (word.strip() for word in text.partition("@"))
    value = _value(text, kind)
    if value is None or (driver and kind != "number"):
        may_be = "a number above 0" if is_quantity else f"a {kind}" if kind != "yes or no" else kind
        faults.add(FILE, line, "facts", what=f"not a value of {name}", found=part, allowed=may_be)
        return None
    if is_quantity and not (isinstance(value, float) and value > 0):
        faults.add(FILE, line, "facts", what="out of range", found=part, allowed="a number above 0")
        return None
    return CreditFact(name, value, driver, is_quantity)


def _value(text: str, kind: str) -> float | bool | str | dt.date | None:
    """``text`` as the kind that the codelist asks for, ``None`` where it is not one."""
    if kind == "yes or no":
        return _YES_NO.get(text)
    try:
        if kind == "number":
            number = float(text)
            return number if math.isfinite(number) else None
        if kind == "date":
            return dt.date.fromisoformat(text)
    except ValueError:
        return None
    return text or None


def paid_quantity(facts: Collection[CreditFact], quantities: Collection[str]) -> str:
    """The quantity a credit is paid for: the one that its facts state, else the policy's only one.

    Empty when there is no such one.
    """
    stated = [fact.name for fact in facts if fact.is_quantity]
    if stated:
        return stated[0] if len(stated) == 1 and stated[0] in quantities else ""
    return next(iter(quantities)) if len(quantities) == 1 else ""


def no_quantity(line: int | None, policy: str, quantities: Collection[str], faults: FaultList) -> None:
    """Record that it cannot be told what ``policy`` pays a credit for."""
    if quantities:
        may_be = f"state one quantity of {policy} as quantity=yearly amount: {', '.join(quantities)}"
    else:
        may_be = f"another policy: {policy} pays for no quantity"
    faults.add(FILE, line, "facts", what="not clear what is paid for", found=policy, allowed=may_be)


def check_credits(
    folder: Path, tables: Mapping[str, pd.DataFrame], library: Library, faults: FaultList
) -> None:
    """Record every fault between the columns of ``credits.csv``, and unknown policies and facts.

    ``folder`` is the hub package, whose ``policies/*.yaml`` bear the names of its own policies.
    """
    frame = tables["credits"]
    table = library.tables["policies"]
    policies: dict[str, str] = dict(zip(table["policy"], table["quantity"], strict=True))
    own = {path.stem for path in (folder / "policies").glob("*.yaml")}
    with_policy = set(frame.loc[frame["policy"] != "", "credit"])
    drivers = set(tables["drivers"]["driver"])
    for line, row in zip(frame.index, frame.to_dict("records"), strict=True):
        place = int(line)
        _check_amount(row, place, faults)
        _check_reach(row, place, faults)
        facts = credit_facts(str(row["facts"]), place, library, faults)
        for fact in facts:
            if fact.driver and fact.driver not in drivers:
                what = "not in drivers.csv: taken as constant"
                faults.note(FILE, place, "facts", what=what, found=fact.driver)
        name = str(row["policy"])
        if name and name not in policies and name not in own:
            may_be = ", ".join(sorted({*policies, *own}))
            faults.add(FILE, place, "policy", what="no such policy", found=name, allowed=may_be)
        elif name and name not in own:
            quantities = [word.strip() for word in policies[name].split(";") if word.strip()]
            if not paid_quantity(facts, quantities):
                no_quantity(place, name, quantities, faults)
        if row["excludes"] in with_policy and row["credit"] in with_policy:
            what = "both have a policy: what excludes what stands with the policies"
            faults.add(FILE, place, "excludes", what=what, found=row["excludes"], allowed="empty")


def _check_amount(row: Mapping[Any, Any], line: int, faults: FaultList) -> None:
    """Exactly one of driver and policy; what only a policy knows needs one."""
    if bool(row["driver"]) == bool(row["policy"]):
        faults.add(
            FILE,
            line,
            "driver+policy",
            what="a credit takes its amounts from one of the two",
            found=f"{row['driver']}, {row['policy']}" if row["driver"] else "neither",
            allowed="a driver of drivers.csv, or a policy",
        )
    if row["driver"] and not row["policy"]:
        if pd.isna(row["years_paid"]):
            faults.add(
                FILE, line, "years_paid", what="missing value", allowed="years from 0 to 60, or a policy"
            )
        if row["facts"]:
            faults.add(
                FILE, line, "facts", what="facts without a policy", found=row["facts"], allowed="empty"
            )


def _check_reach(row: Mapping[Any, Any], line: int, faults: FaultList) -> None:
    low, high = reach_ends(row)
    if not low <= reach_of(row) <= high:
        faults.add(
            FILE,
            line,
            "reach_low+reach+reach_high",
            what="range does not hold its value",
            found=f"{low:g}, {reach_of(row):g}, {high:g}",
            allowed="reach_low <= reach <= reach_high",
        )


def reach_of(row: Mapping[Any, Any] | pd.Series) -> float:
    """Share of those who could take a credit that it reaches [1]; 1 where none is given."""
    return 1.0 if pd.isna(row["reach"]) else float(row["reach"])


def reach_ends(row: Mapping[Any, Any] | pd.Series) -> tuple[float, float]:
    """Low and high end of the reach [1]; the reach itself where none is given."""
    central = reach_of(row)
    low, high = row["reach_low"], row["reach_high"]
    return (central if pd.isna(low) else float(low)), (central if pd.isna(high) else float(high))
