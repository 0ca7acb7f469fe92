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
import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import ROUND_HALF_EVEN, Context, Decimal
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList, InputError
from cleanhub.core.json_file import parse_json
from cleanhub.core.whole_file import write_file
from cleanhub.finance.build import Setting, TaxTerms
from cleanhub.finance.case_value import LENDER, SPONSOR, CaseValue, View
from cleanhub.finance.cases import LoadedCase
from cleanhub.finance.returns import internal_rate_of_return, present_value
from cleanhub.policy.applicant import Answer

FloatArray = NDArray[np.float64]
FORMAT = 1
_DAY = "$date"
_ARRAYS = ("rate", "rate_low", "rate_high", "payments")
_CENT = Decimal("0.01")
_EXACT = Context(prec=400)  # digits of the largest number, to the cent
_RESULTS = (
    "price_at_return", "price_before_policy", "lender_price_at_return", "reference_price", "price_gap",
    "price_gap_before_policy", "abatement_cost",
)  # fmt: skip


# ---------------------------------------------------------------- what is kept


@dataclass(frozen=True)
class Edit:
    """One assumption that somebody changed: who, on which day, what, from what to what, and why."""

    who: str
    when: dt.date
    path: str
    before: Any
    after: Any
    reason: str


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
    data = _plain(loaded.data)
    if based_on is not None:
        _check_edits(_plain(based_on.data), data, edits)
    former = based_on.edits if based_on is not None else ()
    content = {
        "format": FORMAT,
        "as_of": as_of.isoformat(),
        "program_version": _program_version(),
        "policies_version": policies_version,
        "based_on": based_on.id if based_on is not None else "",
        "edits": [
            _plain({item.name: getattr(one, item.name) for item in fields(one)}) for one in (*former, *edits)
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
        "results": {name: _number(getattr(value, name)) for name in _RESULTS},
    }
    text = _rendered(content)
    if path is not None:
        write_file(path, text)
    return _frozen_case(json.loads(text), text)


def _program_version() -> str:
    try:
        return version("cleanhub")
    except PackageNotFoundError:  # run from a folder of sources that was never installed
        return "not installed"


def _view_data(view: View) -> dict[str, Any]:
    lines = {}
    for name, line in view_lines(view).items():
        kept: dict[str, Any] = {"first_year": line.first_year, "unit": line.unit}
        kept["values"] = [_number(value) for value in line.values]
        if line.unit == "USD":
            kept["cents"] = list(line.cents)
        lines[name] = kept
    metrics = {name: _number(value) for name, value in view.metrics().items()}
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
        _plain({item.name: getattr(answer, item.name) for item in fields(answer)})
        for answer in setting.answers
    ]
    tax = {item.name: getattr(setting.tax, item.name) for item in fields(setting.tax)}
    return {
        "answers": answers,
        "tax": _plain(tax),
        "quantity_units": [list(pair) for pair in setting.quantity_units],
    }


def _plain(item: Any) -> Any:
    """Data that JSON can hold: days are marked, arrays and tuples become lists."""
    if isinstance(item, Mapping):
        return {str(key): _plain(value) for key, value in item.items()}
    if isinstance(item, np.ndarray | list | tuple):
        return [_plain(value) for value in item]
    if isinstance(item, bool | np.bool_):
        return bool(item)
    if isinstance(item, int | np.integer):
        return int(item)
    if isinstance(item, float | np.floating):
        return _number(float(item))
    if isinstance(item, dt.date):
        return {_DAY: item.isoformat()}
    return item if item is None else str(item)


def _number(value: float) -> float | str | None:
    """A number for JSON, which knows neither NaN (null) nor infinity (its name)."""
    if math.isnan(value):
        return None
    return float(value) if math.isfinite(value) else str(float(value))


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _rendered(content: Mapping[str, Any]) -> str:
    """The file: its content with hash and id, one way to write it."""
    digest = hashlib.sha256(_canonical(content).encode()).hexdigest()
    whole = {**content, "sha256": digest, "id": digest[:12]}
    return json.dumps(whole, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


# ---------------------------------------------------------------- opening


def open_frozen(path: Path) -> FrozenCase:
    """Open a frozen case, after making sure that not a byte was changed.

    Raises :class:`~cleanhub.core.errors.InputError` (exit 2) naming the file where it cannot be
    read, is no frozen case, was made by a later format, or was changed.
    """
    faults = FaultList()
    try:
        text = path.read_bytes().decode()
        content = parse_json(text)
    except OSError as error:
        faults.add(path.name, what=f"cannot be read: {error.strerror}")
    except ValueError as error:
        faults.add(path.name, what="no JSON: no frozen case, or a damaged one", found=str(error))
    faults.raise_if_any(f"frozen case {path.name}")
    if not isinstance(content, dict) or not {"format", "sha256", "id", "case", "views"} <= set(content):
        faults.add(path.name, what="no frozen case", allowed="a file written by freezing a case")
    elif content["format"] != FORMAT:
        faults.add(
            path.name, column="format", what="unknown format", found=content["format"], allowed=str(FORMAT)
        )
    else:
        stated = content["sha256"]
        bare = {key: item for key, item in content.items() if key not in ("sha256", "id")}
        digest = hashlib.sha256(_canonical(bare).encode()).hexdigest() if _finite(text) else ""
        if digest != stated:
            faults.add(
                path.name, column="sha256", what="changed since it was frozen", found=digest, allowed=stated
            )
        elif _rendered(bare) != text:
            faults.add(path.name, what="changed since it was frozen", allowed="the bytes that freezing wrote")
    faults.raise_if_any(f"frozen case {path.name}")
    try:
        return _frozen_case(content, text)
    except (KeyError, TypeError, ValueError, AttributeError) as error:  # sealed by somebody else's program
        faults.add(path.name, what="no frozen case of this format", found=f"{type(error).__name__}: {error}")
        raise InputError(f"frozen case {path.name}", faults.faults) from error


def _finite(text: str) -> bool:
    """Whether a text holds none of the words that Python reads as numbers and JSON does not know."""
    found: list[str] = []
    json.loads(text, parse_constant=found.append)
    return not found


def _frozen_case(content: Mapping[str, Any], text: str) -> FrozenCase:
    views = {
        name: FrozenView(
            name,
            {
                label: FrozenLine(line["first_year"], _array(line["values"]), line["unit"])
                for label, line in view["lines"].items()
            },
            {label: _read_number(number) for label, number in view["metrics"].items()},
            float(view["equity_return"]),
        )
        for name, view in content["views"].items()
    }
    if set(views) != {SPONSOR, LENDER}:
        raise ValueError(f"views {', '.join(views) or 'none'}; there are {SPONSOR} and {LENDER}")
    for view in views.values():
        if "equity" not in view.lines:
            raise ValueError(f"view {view.name} has no line equity")
    return FrozenCase(
        id=content["id"],
        sha256=content["sha256"],
        as_of=dt.date.fromisoformat(content["as_of"]),
        program_version=content["program_version"],
        policies_version=content["policies_version"],
        data=_with_days(content["case"]),
        from_archetype=tuple(content["from_archetype"]),
        figures=content["figures"],
        setting=_setting(content["setting"]),
        views=views,
        results={name: _read_number(number) for name, number in content["results"].items()},
        edits=tuple(Edit(**_with_days(edit)) for edit in content["edits"]),
        based_on=content["based_on"],
        text=text,
    )


def _read_number(number: Any) -> float:
    return float("nan") if number is None else float(number)


def _array(numbers: Iterable[Any]) -> FloatArray:
    return np.array([_read_number(number) for number in numbers], dtype=np.float64)


def _with_days(item: Any) -> Any:
    """Stored data with its days as days."""
    if isinstance(item, dict):
        if set(item) == {_DAY}:
            return dt.date.fromisoformat(item[_DAY])
        return {key: _with_days(value) for key, value in item.items()}
    return [_with_days(value) for value in item] if isinstance(item, list) else item


def _setting(stored: Mapping[str, Any]) -> Setting:
    known = {item.name for item in fields(Answer)}
    answers = []
    for row in stored["answers"]:
        given = {name: item for name, item in _with_days(row).items() if name in known}
        given.update({name: _array(given[name]) for name in _ARRAYS if name in given})
        answers.append(Answer(**given))
    tax = TaxTerms(
        **{item.name: stored["tax"][item.name] for item in fields(TaxTerms) if item.name in stored["tax"]}
    )
    units = tuple((str(code), str(unit)) for code, unit in stored["quantity_units"])
    return Setting(tuple(answers), tax, units)


# ---------------------------------------------------------------- edits


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
    before, after = _plain(former.data), _plain(loaded.data)
    return tuple(
        Edit(who, when, path, _at(before, path), _at(after, path), reason)
        for path in data_differences(before, after)
    )


def _leaves(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(data, Mapping) and set(data) != {_DAY}:
        for key, item in data.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    else:
        yield path, data


def _check_edits(before: Mapping[str, Any], after: Mapping[str, Any], edits: Sequence[Edit]) -> None:
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
            if _plain(stated) != actual:
                faults.add("edits", column=path, what=f"{word} is not so", found=stated, allowed=repr(actual))
    if faults.faults:
        raise InputError("edits of a frozen case", faults.faults)


def _at(data: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(data, Mapping) or part not in data:
            return None
        data = data[part]
    return data
