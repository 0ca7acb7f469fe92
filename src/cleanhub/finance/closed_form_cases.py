"""Reads, checks and answers cases in closed form: which shape, which faults, ours beside theirs.

The shapes and their formulas are in :mod:`cleanhub.finance.closed_forms`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from cleanhub.core.errors import FaultList
from cleanhub.finance.closed_forms import Form, Record, element_result
from cleanhub.finance.comparison import Limits, check_number, compared, is_number, scale_of

MOST_ELEMENTS = 200  # of one list: no debt runs longer, and no power overflows


def recognised(case: object, known: tuple[Form, ...]) -> Form | None:
    """The form whose keys a case holds most of; ``None`` when it holds none, or mostly others."""
    keys = {
        key
        for record in _records(case)
        for key, value in record.items()
        if not isinstance(value, str) or any(form.knows(key) for form in known)
    }
    if not keys:
        return None
    best = max(known, key=lambda form: form.shared(keys))
    count, share = best.shared(keys)
    return best if share > 0 and count * 2 >= len(keys) else None


def _records(case: object) -> list[Record]:
    """The records of a case, each with its inputs and results on one level."""
    listed = case if isinstance(case, list) else [case]
    return [_flat(one) for one in listed if isinstance(one, dict)]


def _flat(record: Record) -> Record:
    inputs = record.get("inputs")
    own = {key: value for key, value in record.items() if key not in ("inputs", "note")}
    return {**own, **inputs} if isinstance(inputs, dict) else own


def check_case(file: str, name: str, case: object, form: Form, faults: FaultList) -> None:
    """Add a fault for every input of a case that is missing, no number or impossible."""
    for place, record in _places(name, case):
        if not isinstance(record, dict):
            may_be = f"an object with {', '.join(form.needed)}"
            faults.add(file, None, place, what="not a record", found=record, allowed=may_be)
            continue
        flat = _flat(record)
        for key, limits in form.inputs.items():
            check_number(file, place, flat, key, limits, faults)
        for key, parts in (form.lists or {}).items():
            if key in flat or key not in form.optional_lists:
                _check_list(file, place, flat, key, parts, faults)
        for key in form.quantities(flat):
            _check_name(file, place, key, form, faults)


def _check_list(
    file: str,
    place: str,
    record: Record,
    key: str,
    parts: Limits | Mapping[str, Limits],
    faults: FaultList,
) -> None:
    listed = record.get(key)
    single = isinstance(parts, Limits)
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_ELEMENTS:
        what = "missing input" if key not in record else "not a list of that length"
        may_be = f"a list of 1 to {MOST_ELEMENTS} {'numbers' if single else 'records'}"
        faults.add(file, None, f"{place}.{key}", what=what, found=_kind(listed), allowed=may_be)
        return
    for index, one in enumerate(listed):
        where = f"{place}.{key}[{index}]"
        if isinstance(parts, Limits):
            if not is_number(one) or not parts.holds(float(one)):
                what = "impossible value" if is_number(one) else "not a number"
                faults.add(file, None, where, what=what, found=one, allowed=parts.words())
        elif not isinstance(one, dict):
            faults.add(file, None, where, what="not a record", found=one, allowed=", ".join(parts))
        else:
            for field, limits in parts.items():
                check_number(file, where, one, field, limits, faults)


def _kind(listed: object) -> str:
    return f"{len(listed)} elements" if isinstance(listed, list) else str(listed or "")


def _check_name(file: str, place: str, key: str, form: Form, faults: FaultList) -> None:
    for one in form.named:
        for number, limits in zip(one.numbers(key) or (), one.limits, strict=False):
            if not limits.holds(number):
                what = "impossible number in the name"
                faults.add(file, None, f"{place}.{key}", what=what, found=number, allowed=limits.words())


def _places(name: str, case: object) -> Iterator[tuple[str, object]]:
    if isinstance(case, list):
        yield from ((f"{name}[{index}]", record) for index, record in enumerate(case))
    else:
        yield name, case


def answers(name: str, case: object, form: Form) -> list[dict[str, Any]]:
    """Rows case, quantity, ours, theirs, relative_difference of a checked case."""
    if not isinstance(case, list):
        return _answer(name, _flat(case), form) if isinstance(case, dict) else []
    records = _records(case)
    rows = []
    for index, record in enumerate(records):
        for row in _answer(name, record, form):
            listed = [one.get(row["quantity"]) for one in records]
            quantity = f"{row['quantity']}[{index}]"
            rows.append(
                compared(name, quantity, _or_nan(row["ours"]), record.get(row["quantity"]), scale_of(listed))
            )
    return rows


def _answer(name: str, record: Record, form: Form) -> list[dict[str, Any]]:
    with np.errstate(all="ignore"):
        found = form.formula(record)
        rows: list[dict[str, Any]] = []
        for quantity in form.quantities(record):
            ours = found[quantity] if quantity in found else _by_name(quantity, record, form)
            theirs = record.get(quantity)
            if isinstance(ours, list):
                rows += _list_rows(name, quantity, ours, theirs)
            else:
                rows.append(compared(name, quantity, float(ours), theirs))
    return rows


def _by_name(quantity: str, record: Record, form: Form) -> float:
    for one in form.named:
        numbers = one.numbers(quantity)
        if numbers is not None:
            return one.formula(record, numbers)
    raise KeyError(quantity)


def _list_rows(name: str, quantity: str, ours: list[float], theirs: object) -> list[dict[str, Any]]:
    """One row for each element; records in theirs (``{n, cost}``) are read for their cost."""
    listed = [element_result(one) for one in theirs] if isinstance(theirs, list) else []
    scale = scale_of(listed)
    mine = [*ours, *[float("nan")] * (len(listed) - len(ours))]
    other = [*listed, *[None] * (len(mine) - len(listed))]
    pairs = enumerate(zip(mine, other, strict=True))
    return [compared(name, f"{quantity}[{index}]", one, its, scale) for index, (one, its) in pairs]


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
