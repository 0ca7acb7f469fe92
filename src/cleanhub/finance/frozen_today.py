"""What today's program makes of a frozen case: valued again, every line and year compared to the cent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from cleanhub.core.errors import Fault, InputError
from cleanhub.finance.case_value import CaseValue, value_case
from cleanhub.finance.cases import LoadedCase, case_of
from cleanhub.finance.frozen import FrozenCase, FrozenLine, to_the_cent, view_lines
from cleanhub.hub.library import Library


@dataclass(frozen=True)
class Difference:
    """One number that today's program gives otherwise.

    ``view`` is empty for results of both views; ``year`` is ``None`` for results (1 is the first
    year of operation). ``before`` and ``after`` are NaN where one side does not have the line.
    """

    view: str
    line: str
    year: int | None
    before: float
    after: float


@dataclass(frozen=True)
class Recomputed:
    """What today's program makes of a frozen case.

    ``checked`` maps each line, as ``view, line``, to whether all its years agree to the cent (ratios
    to 1e-9); ``differences`` lists each number that does not.
    """

    frozen: FrozenCase
    value: CaseValue
    checked: Mapping[str, bool]
    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether everything agrees."""
        return not self.differences

    def lines(self) -> list[str]:
        """The comparison in words: one line for each line of the case."""
        told = []
        for name, agrees in self.checked.items():
            found = [one for one in self.differences if _place(one.view, one.line) == name]
            if agrees:
                told.append(f"{name}: the same")
                continue
            widest = max(found, key=lambda one: np.nan_to_num(abs(one.after - one.before), nan=np.inf))
            place = f"year {widest.year}" if widest.year is not None else "result"
            change = f"{widest.before!r} frozen, {widest.after!r} today"
            told.append(f"{name}: {len(found)} differ, most in {place}: {change}")
        return told


def _place(view: str, line: str) -> str:
    """A line in words; results of both views are of none."""
    return f"{view}, {line}" if view else line


def rebuild(frozen: FrozenCase, library: Library) -> LoadedCase:
    """The frozen case as one that can be valued again; its archetype is not read anew.

    Raises :class:`~cleanhub.core.errors.InputError` where today's program no longer accepts it.
    """
    bare = {key: item for key, item in frozen.data.items() if key != "based_on"}
    loaded = case_of(bare, library)
    return replace(loaded, from_archetype=frozen.from_archetype, data=frozen.data)


def recompute(frozen: FrozenCase, library: Library) -> Recomputed:
    """Value the stored inputs with today's program and compare line by line, to the cent.

    Policies are those of the frozen setting; ``library`` gives depreciation, price indices and units.

    Raises :class:`~cleanhub.core.errors.InputError` where today's program no longer accepts the case, or
    its numbers are too large to be added up.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # told in words below
        value = value_case(rebuild(frozen, library), frozen.setting)
    if not all(np.isfinite(view.outcome.equity).all() for view in value.views):
        what = "numbers too large to be valued"
        raise InputError(f"frozen case {frozen.id}", [Fault(frozen.id, None, None, "", "finite flows", what)])
    checked: dict[str, bool] = {}
    differences: list[Difference] = []
    for view in value.views:
        stored = frozen.views.get(view.name)
        before = dict(stored.lines) if stored else {}
        after = view_lines(view)
        for name in dict.fromkeys([*before, *after]):
            found = list(_line_differences(view.name, name, before.get(name), after.get(name)))
            checked[_place(view.name, name)] = not found
            differences += found
        metrics = view.metrics()
        for name, number in (stored.metrics if stored else {}).items():
            agrees = _agree(name, number, metrics.get(name, math.nan))
            checked[_place(view.name, name)] = agrees
            if not agrees:
                differences.append(Difference(view.name, name, None, number, metrics.get(name, math.nan)))
    for name, number in frozen.results.items():
        now = float(getattr(value, name, math.nan))
        checked[name] = _agree(name, number, now)
        if not checked[name]:
            differences.append(Difference("", name, None, number, now))
    return Recomputed(frozen, value, checked, tuple(differences))


def _line_differences(
    view: str, name: str, before: FrozenLine | None, after: FrozenLine | None
) -> Iterator[Difference]:
    old = _by_year(before)
    new = _by_year(after)
    money = (before or after or FrozenLine(1, np.zeros(0))).unit == "USD"
    for year in sorted({*old, *new}):
        one, other = old.get(year, math.nan), new.get(year, math.nan)
        both = year in old and year in new
        if both and (to_the_cent(one) == to_the_cent(other) if money else _close(one, other)):
            continue
        yield Difference(view, name, year, one, other)


def _by_year(line: FrozenLine | None) -> dict[int, float]:
    if line is None:
        return {}
    return {line.first_year + number: float(value) for number, value in enumerate(line.values)}


def _agree(name: str, before: float, after: float) -> bool:
    """Amounts of money to the cent, ratios and rates to 1e-9."""
    return to_the_cent(before) == to_the_cent(after) if name.endswith("_usd") else _close(before, after)


def _close(one: float, other: float) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
