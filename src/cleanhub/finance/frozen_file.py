"""The file of a frozen case, read: its seal is verified first, then every field's kind.

The seal says that nobody changed the file since it was written, not that this program wrote it: what
another program sealed is refused in words where it is no frozen case.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
)

from cleanhub.core.errors import FaultList, InputError
from cleanhub.core.json_file import parse_json
from cleanhub.finance.build import FloatArray, Setting, TaxTerms
from cleanhub.finance.case_value import LENDER, SPONSOR
from cleanhub.finance.frozen_data import rendered, seal_of, with_days
from cleanhub.finance.frozen_edits import Edit
from cleanhub.policy.applicant import Answer

FORMAT = 1
_MOST_YEARS = 1000  # either side of the first year of operation
_NAMES = {None: float("nan"), "nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


def _number(stored: Any) -> Any:
    """A number as JSON keeps it: NaN is null, infinity its name."""
    return _NAMES.get(stored, stored) if stored is None or isinstance(stored, str) else stored


def _day(stored: Any) -> Any:
    return dt.date.fromisoformat(stored) if isinstance(stored, str) else stored


def _array(numbers: list[float]) -> FloatArray:
    return np.array(numbers, dtype=np.float64)


def _pair(stored: Any) -> Any:
    return tuple(stored) if isinstance(stored, list) else stored


Number = Annotated[float, BeforeValidator(_number)]
Day = Annotated[dt.date, BeforeValidator(_day)]
if TYPE_CHECKING:
    Numbers = FloatArray
else:
    Numbers = Annotated[list[Number], AfterValidator(_array)]
Pair = Annotated[tuple[str, str], BeforeValidator(_pair)]
_KEPT: Mapping[Any, Any] = {float: Number, FloatArray: Numbers, Mapping[str, float]: dict[str, Number]}


class _Stored(BaseModel):
    """Base of what the file holds; what a later version of the same format adds is passed over."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    def stated(self) -> dict[str, Any]:
        """The fields that the file states."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def _stored(kind: type) -> type[_Stored]:
    """The fields of a dataclass as the file keeps them."""
    hints = get_type_hints(kind)
    declared: dict[str, Any] = {}
    for one in fields(kind):
        needed = one.default is MISSING and one.default_factory is MISSING
        declared[one.name] = (_KEPT.get(hints[one.name], hints[one.name]), ... if needed else None)
    return create_model(f"Stored{kind.__name__}", __base__=_Stored, **declared)


if TYPE_CHECKING:
    StoredAnswer = _Stored
    StoredTax = _Stored
    StoredEdit = _Stored
else:
    StoredAnswer, StoredTax, StoredEdit = _stored(Answer), _stored(TaxTerms), _stored(Edit)


class StoredLine(_Stored):
    """One yearly line."""

    first_year: Annotated[int, Field(ge=-_MOST_YEARS, le=_MOST_YEARS)]
    values: Numbers
    unit: str


def _with_equity(lines: dict[str, StoredLine]) -> dict[str, StoredLine]:
    if "equity" not in lines:
        raise ValueError("there is no line equity")
    return lines


class StoredView(_Stored):
    """One view: ``sponsor_p50`` or ``lender_p90``."""

    equity_return: float
    metrics: dict[str, Number]
    lines: Annotated[dict[str, StoredLine], AfterValidator(_with_equity)]


class StoredFigure(_Stored):
    """One figure as it was resolved."""

    value: Number
    low: Number
    high: Number
    unit: str
    confidence: str
    source: str


class StoredSetting(_Stored):
    """Answers of policies, and tax terms."""

    answers: list[StoredAnswer]
    tax: StoredTax
    quantity_units: list[Pair]

    def setting(self) -> Setting:
        """The same as a case is valued under it."""
        answers = tuple(Answer(**one.stated()) for one in self.answers)
        return Setting(answers, TaxTerms(**self.tax.stated()), tuple(self.quantity_units))


def _both(views: dict[str, StoredView]) -> dict[str, StoredView]:
    if set(views) != {SPONSOR, LENDER}:
        raise ValueError(f"{', '.join(views) or 'none'}; there are {SPONSOR} and {LENDER}")
    return views


class StoredCase(_Stored):
    """All that the file holds."""

    id: str
    sha256: str
    as_of: Day
    program_version: str
    policies_version: str
    case: dict[str, Any]
    from_archetype: list[str]
    figures: dict[str, StoredFigure]
    setting: StoredSetting
    views: Annotated[dict[str, StoredView], AfterValidator(_both)]
    results: dict[str, Number]
    edits: list[StoredEdit]
    based_on: str


def stored_case(content: Any) -> StoredCase:
    """The data of the file as fields. Raises ``ValueError`` naming every field that is not one."""
    return StoredCase.model_validate(with_days(content))


def read_file(path: Path) -> tuple[StoredCase, str]:
    """What a frozen case holds, after making sure that not a byte was changed, and its text.

    Raises :class:`~cleanhub.core.errors.InputError` (exit 2) naming the file where it cannot be
    read, is no frozen case, was made by a later format, or was changed.
    """
    faults = FaultList()
    what = f"frozen case {path.name}"
    try:
        text = path.read_bytes().decode()
        content = parse_json(text)
    except OSError as error:
        faults.add(path.name, what=f"cannot be read: {error.strerror}")
    except ValueError as error:
        faults.add(path.name, what="no JSON: no frozen case, or a damaged one", found=str(error))
    faults.raise_if_any(what)
    if not isinstance(content, dict) or not {"format", "sha256", "id", "case", "views"} <= set(content):
        faults.add(path.name, what="no frozen case", allowed="a file written by freezing a case")
    elif content["format"] != FORMAT:
        faults.add(
            path.name, column="format", what="unknown format", found=content["format"], allowed=str(FORMAT)
        )
    else:
        _verify(path.name, content, text, faults)
    faults.raise_if_any(what)
    try:
        return stored_case(content), text
    except ValidationError as error:  # sealed by somebody else's program
        for one in error.errors():
            place = ".".join(map(str, one["loc"]))
            faults.add(path.name, column=place, what=f"no frozen case of this format: {one['msg']}")
    except ValueError as error:
        faults.add(path.name, what="no frozen case of this format", found=str(error))
    raise InputError(what, faults.faults)


def _verify(file: str, content: Mapping[str, Any], text: str, faults: FaultList) -> None:
    """Whether the seal is that of the content, and the bytes those that freezing wrote."""
    stated = str(content["sha256"])
    bare = {key: item for key, item in content.items() if key not in ("sha256", "id")}
    found = seal_of(bare)
    if found != stated:
        faults.add(file, column="sha256", what="changed since it was frozen", found=found, allowed=stated)
    elif rendered(bare) != text:
        faults.add(file, what="changed since it was frozen", allowed="the bytes that freezing wrote")
