"""Edits of a frozen case: who changed which assumption, when, from what to what, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cleanhub.core.errors import FaultList, InputError
from cleanhub.finance.frozen_data import DAY, plain

if TYPE_CHECKING:
    from cleanhub.finance.cases import LoadedCase
    from cleanhub.finance.frozen import FrozenCase


@dataclass(frozen=True)
class Edit:
    """One assumption that somebody changed: who, on which day, what, from what to what, and why."""

    who: str
    when: dt.date
    path: str
    before: Any
    after: Any
    reason: str


def data_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Paths at which the data of two cases differ, with what each states (``None``: nothing)."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return {
        path: (old.get(path), new.get(path))
        for path in dict.fromkeys([*old, *new])
        if path not in old or path not in new or old[path] != new[path]
    }


def edits_since(
    former: FrozenCase, loaded: LoadedCase, who: str, when: dt.date, reason: str
) -> tuple[Edit, ...]:
    """One edit for every path at which a case differs from a frozen one, all for one reason."""
    before, after = plain(former.data), plain(loaded.data)
    return tuple(
        Edit(who, when, path, _at(before, path), _at(after, path), reason)
        for path in data_differences(before, after)
    )


def _leaves(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(data, Mapping) and set(data) != {DAY}:
        for key, item in data.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    else:
        yield path, data


def check_edits(before: Mapping[str, Any], after: Mapping[str, Any], edits: Sequence[Edit]) -> None:
    """Edits tell the whole difference between two cases, and nothing else."""
    faults = FaultList()
    changed = data_differences(before, after)
    told = {edit.path for edit in edits}
    for path, (old, new) in changed.items():
        if not any(path == one or path.startswith(f"{one}.") for one in told):
            faults.add("edits", column=path, what="changed without an edit", found=f"{old!r} to {new!r}")
    first: dict[str, Edit] = {}
    last: dict[str, Edit] = {}
    for edit in edits:
        first.setdefault(edit.path, edit)
        last[edit.path] = edit
        if not edit.who.strip() or not edit.reason.strip():
            faults.add(
                "edits", column=edit.path, what="an edit says who and why", found=f"{edit.who}, {edit.reason}"
            )
    for path, edit in first.items():
        for stated, data, word in (
            (edit.before, before, "before"),
            (last[path].after, after, "after"),
        ):
            actual = _at(data, path)
            if plain(stated) != actual:
                faults.add("edits", column=path, what=f"{word} is not so", found=stated, allowed=repr(actual))
    if faults.faults:
        raise InputError("edits of a frozen case", faults.faults)


def _at(data: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(data, Mapping) or part not in data:
            return None
        data = data[part]
    return data
