"""Frozen cases: one JSON file that reopens to the cent years later, and says when it was changed.

A frozen case holds what went in (the case's data with what its archetype filled, every figure
as resolved, the answers of policies, tax terms), what came out (every yearly line of both
views, all results) and where it stands (id, SHA-256, day, program version, who edited what).
Numbers are kept twice: as the shortest text that gives the same 64-bit number back, and rounded
to the cent (half to even) for readers. The day is the caller's, never the clock's.

:func:`open_frozen` needs no library: it verifies the file byte by byte and gives the stored flows.
What today's program makes of it: :mod:`cleanhub.finance.frozen_today`.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import ROUND_HALF_EVEN, Context, Decimal
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from cleanhub.core.whole_file import write_file
from cleanhub.finance.build import FloatArray, Setting
from cleanhub.finance.case_value import LENDER, SPONSOR, CaseValue, View
from cleanhub.finance.frozen_data import number, plain, rendered
from cleanhub.finance.frozen_edits import Edit, check_edits
from cleanhub.finance.frozen_file import FORMAT, StoredCase, read_file, stored_case
from cleanhub.finance.returns import internal_rate_of_return, present_value

_CENT = Decimal("0.01")
_EXACT = Context(prec=400)  # digits of the largest number, to the cent
_RESULTS = (
    "price_at_return", "price_before_policy", "lender_price_at_return", "reference_price", "price_gap",
    "price_gap_before_policy", "abatement_cost",
)  # fmt: skip


# ---------------------------------------------------------------- what is kept


@dataclass(frozen=True)
class FrozenLine:
    """One yearly line: its first year (1: the first of operation, 0: the last of construction) and values."""

    first_year: int
    values: FloatArray
    unit: str = "USD"

    @property
    def cents(self) -> tuple[str, ...]:
        """Values to the cent, half to even, as text."""
        return tuple(to_the_cent(value) for value in self.values)


@dataclass(frozen=True)
class FrozenView:
    """One view: its lines by name, its results by name."""

    name: str
    lines: Mapping[str, FrozenLine]
    metrics: Mapping[str, float]
    equity_return: float

    @property
    def npv_usd(self) -> float:
        """Net present value of equity from the stored flows [USD]."""
        return float(present_value(self.lines["equity"].values[:, None], self.equity_return)[0])

    @property
    def irr(self) -> float:
        """Internal rate of return of equity from the stored flows [1/yr]."""
        return float(internal_rate_of_return(self.lines["equity"].values[:, None])[0])


@dataclass(frozen=True)
class FrozenCase:
    """A case as it was valued on one day.

    Attributes
    ----------
    id, sha256
        The first 12 digits of the hash, and the hash of everything else in the file.
    as_of, program_version, policies_version
        The day, the version of this program, and what the caller says of the policies.
    data, from_archetype
        What the case states with what its archetype filled, and the paths of the latter.
    figures
        Every figure as resolved: value, low, high, unit, confidence and source by path.
    setting
        Answers of policies, and tax terms.
    views, results
        ``sponsor_p50`` and ``lender_p90``; results of both together.
    edits
        Every edit since the first frozen case, oldest first.
    based_on
        Identifier of the frozen case that this one follows; empty for a first.
    text
        The file, to the byte.
    """

    id: str
    sha256: str
    as_of: dt.date
    program_version: str
    policies_version: str
    data: Mapping[str, Any]
    from_archetype: tuple[str, ...]
    figures: Mapping[str, Mapping[str, Any]]
    setting: Setting
    views: Mapping[str, FrozenView]
    results: Mapping[str, float]
    edits: tuple[Edit, ...] = ()
    based_on: str = ""
    text: str = field(default="", repr=False)

    @property
    def sponsor(self) -> FrozenView:
        """The sponsor's view."""
        return self.views[SPONSOR]

    @property
    def lender(self) -> FrozenView:
        """The lender's view."""
        return self.views[LENDER]


def to_the_cent(value: float) -> str:
    """A number to the cent, half to even, as text; ``nan`` where there is none."""
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else str(value)
    rounded = Decimal(repr(float(value))).quantize(_CENT, rounding=ROUND_HALF_EVEN, context=_EXACT)
    return str(abs(rounded) if rounded == 0 else rounded)


# ---------------------------------------------------------------- freezing


def freeze(
    value: CaseValue,
    path: Path | None,
    as_of: dt.date,
    policies_version: str = "",
    edits: Sequence[Edit] = (),
    based_on: FrozenCase | None = None,
) -> FrozenCase:
    """Freeze a valued case, and write it to ``path`` if one is given (whole or not at all).

    Parameters
    ----------
    value
        The case, valued.
    path
        File to write, usually ``*.json``.
    as_of
        The day it stands for.
    policies_version
        What names the policies it was valued under, such as a scenario and its version. Each answer
        carries the version of its own rows besides.
    edits
        What was changed since ``based_on``, in order.
    based_on
        The frozen case that this one follows. Every difference between the data of the two must
        be named by an edit, and every edit must be true of them.

    Raises :class:`~cleanhub.core.errors.InputError` for edits that do not agree with the data,
    :class:`~cleanhub.core.errors.RunError` where the file cannot be written.
    """
    loaded = value.loaded
    data = plain(loaded.data)
    if based_on is not None:
        check_edits(plain(based_on.data), data, edits)
    former = based_on.edits if based_on is not None else ()
    content = {
        "format": FORMAT,
        "as_of": as_of.isoformat(),
        "program_version": _program_version(),
        "policies_version": policies_version,
        "based_on": based_on.id if based_on is not None else "",
        "edits": [
            plain({item.name: getattr(one, item.name) for item in fields(one)}) for one in (*former, *edits)
        ],
        "case": data,
        "from_archetype": list(loaded.from_archetype),
        "figures": {
            name: {
                "value": figure.value,
                "low": figure.low,
                "high": figure.high,
                "unit": figure.unit,
                "confidence": figure.figure.confidence,
                "source": figure.figure.source,
            }
            for name, figure in loaded.figures.items()
        },
        "setting": _setting_data(value.setting),
        "views": {view.name: _view_data(view) for view in value.views},
        "results": {name: number(getattr(value, name)) for name in _RESULTS},
    }
    text = rendered(content)
    if path is not None:
        write_file(path, text)
    return _frozen_case(stored_case(json.loads(text)), text)


def _program_version() -> str:
    try:
        return version("cleanhub")
    except PackageNotFoundError:  # run from a folder of sources that was never installed
        return "not installed"


def _view_data(view: View) -> dict[str, Any]:
    lines = {}
    for name, line in view_lines(view).items():
        kept: dict[str, Any] = {"first_year": line.first_year, "unit": line.unit}
        kept["values"] = [number(value) for value in line.values]
        if line.unit == "USD":
            kept["cents"] = list(line.cents)
        lines[name] = kept
    metrics = {name: number(value) for name, value in view.metrics().items()}
    return {"equity_return": view.equity_return, "metrics": metrics, "lines": lines}


def view_lines(view: View) -> dict[str, FrozenLine]:
    """Every yearly line of one view by name: what is made, sold, paid, taxed, lent, owned."""
    reading, lines, outcome = view.reading, view.lines, view.outcome
    begin = 1 - reading.rows
    found: dict[str, FrozenLine] = {}

    def keep(name: str, array: FloatArray, first: int = 1, unit: str = "USD") -> None:
        column = np.array(np.broadcast_to(array, (len(array), 1))[:, 0])
        found[name] = FrozenLine(first, column, unit)

    keep("product", reading.made, unit=reading.loaded.unit)
    for name, (line, _) in reading.sales_lines().items():
        keep(f"sales: {name}", line)
    for name, paid in reading.policy_lines().items():
        cash = paid.yearly.copy()
        cash[0] += paid.once
        keep(f"policy: {name}", cash)
    for name, line in reading.cost_lines().items():
        keep(f"cost: {name}", line)
    for name in (
        "revenue",
        "bankable",
        "cost",
        "renewal",
        "set_aside",
        "exempt",
        "exempt_bankable",
        "working_capital",
    ):
        keep(name, getattr(lines, name))
    if lines.tax_credit is not None:
        keep("tax_credit", lines.tax_credit)
    for name in ("cash_flow", "service", "interest", "balance", "soft_service", "reserve", "fees"):
        keep(name, getattr(outcome, name))
    keep("federal tax", outcome.taxes.federal)
    keep("state tax", outcome.taxes.state)
    keep("cover ratio", outcome.cover(), unit="1")
    for kind, group in (("use", outcome.uses), ("source", outcome.sources)):
        for name, line in group.items():
            keep(f"{kind}: {name}", line, begin)
    keep("equity", outcome.equity, begin)
    keep("flows without debt", view.project_flows[:, None], begin)
    return found


def _setting_data(setting: Setting) -> dict[str, Any]:
    answers = [
        plain({item.name: getattr(answer, item.name) for item in fields(answer)})
        for answer in setting.answers
    ]
    tax = {item.name: getattr(setting.tax, item.name) for item in fields(setting.tax)}
    return {
        "answers": answers,
        "tax": plain(tax),
        "quantity_units": [list(pair) for pair in setting.quantity_units],
    }


# ---------------------------------------------------------------- opening


def open_frozen(path: Path) -> FrozenCase:
    """Open a frozen case, after making sure that not a byte was changed.

    Raises :class:`~cleanhub.core.errors.InputError` (exit 2) naming the file where it cannot be
    read, is no frozen case, was made by a later format, or was changed.
    """
    return _frozen_case(*read_file(path))


def _frozen_case(stored: StoredCase, text: str) -> FrozenCase:
    views = {
        name: FrozenView(
            name,
            {
                label: FrozenLine(line.first_year, line.values, line.unit)
                for label, line in view.lines.items()
            },
            view.metrics,
            view.equity_return,
        )
        for name, view in stored.views.items()
    }
    return FrozenCase(
        id=stored.id,
        sha256=stored.sha256,
        as_of=stored.as_of,
        program_version=stored.program_version,
        policies_version=stored.policies_version,
        data=stored.case,
        from_archetype=tuple(stored.from_archetype),
        figures={name: figure.model_dump() for name, figure in stored.figures.items()},
        setting=stored.setting.setting(),
        views=views,
        results=stored.results,
        edits=tuple(Edit(**one.stated()) for one in stored.edits),
        based_on=stored.based_on,
        text=text,
    )
