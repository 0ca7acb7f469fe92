"""Reading a project case: the YAML, the archetype beneath it, units, and everything that is wrong.

:func:`read_case` gives a :class:`LoadedCase`: the validated case, every figure in its field's
unit and the case's price year, and which fields came from the archetype. All faults of a file
are raised as one list with their lines.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from cleanhub.core.errors import FaultList, InputError
from cleanhub.core.memory import remembered
from cleanhub.core.yaml_file import YamlFile, fault_kind, parse_yaml
from cleanhub.finance.case_figures import PRODUCT, numerator, resolved_figures
from cleanhub.finance.case_mending import Place, is_within, mended
from cleanhub.finance.case_model import Case
from cleanhub.finance.figures import Resolved, Values
from cleanhub.hub.library import FOLDER, Library

ARCHETYPES = FOLDER / "archetypes"
_ROUNDS = 6  # of reading past faults: one hides the next at most a few times over


@dataclass(frozen=True)
class LoadedCase:
    """A case that is ready to be valued.

    Attributes
    ----------
    case
        As stated, with what the archetype fills.
    figures
        Every figure by its path (``capital.cost``, ``revenue.offtake.price``), in the unit of its field.
    from_archetype
        Paths of the figures and fields that came from the archetype: those that the case does not
        state, and figures that it repeats as they stand there.
    data
        The merged mapping, as plain data; what a frozen case keeps.
    shown
        What faults call it: its file, or its name.
    """

    case: Case
    figures: Mapping[str, Resolved]
    library: Library
    from_archetype: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    shown: str = "case"

    @property
    def values(self) -> Values:
        """The central numbers."""
        return Values(self.figures)

    @property
    def unit(self) -> str:
        """Unit of the product."""
        return self.case.production.unit

    @property
    def text(self) -> str:
        """Everything the case states, as one text."""
        return json.dumps(self.data, sort_keys=True, default=str)

    @cached_property
    def id(self) -> str:
        """Short hash of everything the case states."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]

    def unit_of(self, quantity: str) -> str:
        """Unit in which ``product`` or a by-product is counted."""
        if quantity == PRODUCT:
            return self.unit
        return numerator(self.figures[f"production.by_products.{quantity}"].unit, self.unit)

    def confidence(self, path: str) -> str:
        """Confidence of one figure."""
        return self.figures[path].figure.confidence


def read_case(path: Path, library: Library) -> LoadedCase:
    """Read a case file. Raises :class:`~cleanhub.core.errors.InputError` listing every fault."""
    faults = FaultList()
    file = parse_yaml(path, faults)
    faults.raise_if_any(f"case {path.name}")
    assert file is not None
    return case_of(file.data, library, file)


def list_archetypes() -> list[str]:
    """Names of the bundled archetypes."""
    return sorted(path.stem for path in ARCHETYPES.glob("*.yaml"))


def load_archetype(name: str, library: Library) -> LoadedCase:
    """One bundled archetype. Raises :class:`~cleanhub.core.errors.InputError` for an unknown name."""
    archetype_path(name)
    file = _archetype_file(name)
    return case_of(file.data, library, file)


def archetype_states(name: str, path: str) -> bool:
    """Whether the file of a bundled archetype states something at a dotted path; without reading the rest."""
    archetype_path(name)
    return _present(_archetype_file(name).data, path)


def case_of(data: Mapping[str, Any], library: Library, file: YamlFile | None = None) -> LoadedCase:
    """A case from plain data (as YAML gives it), laid on the archetype it names.

    Raises :class:`~cleanhub.core.errors.InputError` listing every fault, with lines where
    ``file`` is given.
    """
    shown = file.path.name if file else str(data.get("name", "case"))
    faults = FaultList()
    base: dict[str, Any] = {}
    name = data.get("based_on")
    known = name is None or str(name) in list_archetypes()
    if name is not None:
        if known:
            base = _archetype_file(str(name)).data
        else:
            row = file.line(("based_on",)) if file else None
            allowed = ", ".join(list_archetypes())
            faults.add(shown, row, "based_on", what="no such archetype", found=name, allowed=allowed)
    merged = _without_dropped(_laid_on(base, dict(data)))
    if base:
        merged.setdefault("based_on", name)
    if "correlations" not in data and merged.get("correlations"):
        merged["correlations"] = [  # the archetype's, but for those of entries that the case dropped
            pair
            for pair in merged["correlations"]
            if all(path.startswith("policies.") or _present(merged, path) for path in pair["between"])
        ]
    case, aside = _validated(merged, shown, file, faults, complete=known)
    if case is None:
        faults.raise_if_any(f"case {shown}")
    assert case is not None
    further = FaultList()
    figures = resolved_figures(case, library, shown, file, further)
    _check(case, figures, library, shown, file, further)
    faults.extend(
        fault
        for fault in further.faults
        if not is_within(fault.column or "", aside) and not is_within(fault.found, aside)
    )
    faults.raise_if_any(f"case {shown}")
    own = {path for path in _leaves(dict(data)) if not _is_copied(data, base, path)}
    filled = tuple(
        path
        for path in _leaves(base)
        if path not in own
        and not path.startswith(("name", "title", "description", "based_on", "private"))
        and not any(path.startswith(f"{mine}.") or mine.startswith(f"{path}.") for mine in own)
        and _present(merged, path)
    )
    return LoadedCase(case, figures, library, filled, merged, shown)


@cache
def _archetype_file(name: str) -> YamlFile:
    path = ARCHETYPES / f"{name}.yaml"

    def parsed() -> tuple[dict[str, Any], dict[tuple[str, ...], int]]:
        faults = FaultList()
        file = parse_yaml(path, faults)
        faults.raise_if_any(f"archetype {name}")
        assert file is not None
        return file.data, file.lines

    return YamlFile(path, *remembered("archetype", (name, path.read_bytes()), parsed))


def archetype_path(name: str) -> Path:
    """File of a bundled archetype. Raises :class:`~cleanhub.core.errors.InputError` for an unknown name."""
    path = ARCHETYPES / f"{name}.yaml"
    if name not in list_archetypes():
        faults = FaultList()
        allowed = ", ".join(list_archetypes())
        faults.add("archetypes", what="no such archetype", found=name, allowed=allowed)
        raise InputError(f"archetype {name}", faults.faults)
    return path


def _validated(
    merged: dict[str, Any], shown: str, file: YamlFile | None, faults: FaultList, complete: bool = True
) -> tuple[Case | None, set[Place]]:
    """The case, read past its faults where that can be done, and the places set aside.

    ``complete`` is false where the archetype is not known: what is missing then is no fault.
    """
    aside: set[Place] = set()
    data: dict[str, Any] | None = merged
    for _ in range(_ROUNDS):
        if data is None:
            break
        try:
            return Case.model_validate(_tuples(data)), aside
        except ValidationError as error:
            faulty: list[Place] = []
            for item in error.errors():
                place = tuple(str(part) for part in item["loc"])
                missing = item["type"] == "missing"
                faulty.append(place)
                if is_within(".".join(place), aside) or (missing and not complete):
                    continue
                # rules of our own say themselves what they found
                allowed, _, found = _allowed(item["type"], item["msg"], place).partition("; found ")
                faults.add(
                    shown,
                    file.line(place) if file else None,
                    ".".join(place),
                    what=fault_kind(item["type"]),
                    found=found or _short("" if missing else item.get("input", "")),
                    allowed=allowed,
                )
            data, touched = mended(data, faulty)
            aside |= touched
    return None, aside


def _short(found: object) -> str:
    return json.dumps(found, default=str) if isinstance(found, (dict, list, tuple)) else str(found)


def _allowed(kind: str, message: str, place: tuple[str, ...]) -> str:
    if kind == "extra_forbidden":
        model = _model_at(place[:-1])
        return ", ".join(model.model_fields) if model else "a known key"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return "a number, or a mapping with value, low, high, unit ..."
    return message.removeprefix("Value error, ")[:1].lower() + message.removeprefix("Value error, ")[1:]


def _model_at(place: tuple[str, ...]) -> type[BaseModel] | None:
    """The model that holds the key at ``place``."""
    model: type[BaseModel] | None = Case
    inside_mapping = False
    for part in place:
        if inside_mapping:
            inside_mapping = False
            continue
        if model is None or part not in model.model_fields:
            return None
        annotation = model.model_fields[part].annotation
        model, inside_mapping = _inner(annotation)
    return model


def _inner(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    is_mapping = getattr(annotation, "__origin__", None) is dict
    for argument in reversed(get_args(annotation)):
        found, _ = _inner(argument)
        if found is not None:
            return found, is_mapping
    return None, is_mapping


# ---------------------------------------------------------------- checks


def _check(
    case: Case,
    figures: Mapping[str, Resolved],
    library: Library,
    shown: str,
    file: YamlFile | None,
    faults: FaultList,
) -> None:
    def fault(path: str, what: str, found: object, allowed: str) -> None:
        line = file.line(tuple(path.split("."))) if file else None
        faults.add(shown, line, path, what=what, found=found, allowed=allowed)

    def known(path: str, code: str, codelist: str) -> None:
        codes = library.codelists.get(codelist, frozenset())
        if code and codes and code not in codes:
            fault(path, f"not in codelist {codelist}", code, ", ".join(sorted(codes)))

    known("project.sector", case.project.sector, "sector")
    known("project.stage", case.project.stage, "stage")
    known("project.technology", case.project.technology, "technology")
    known("production.product", case.production.product, "product")
    for place in case.project.jurisdictions:
        known("project.jurisdictions", place, "jurisdiction")
    for name in case.project.facts:
        known(f"project.facts.{name}", name, "policy_fact")
    classes = sorted({int(years) for years in library.tables["depreciation"]["recovery_years"]})
    for path, years in (
        ("tax.federal_class", case.tax.federal_class),
        ("tax.state_class", case.tax.state_class),
    ):
        if years is not None and years not in classes:
            fault(path, "no such recovery class", years, ", ".join(map(str, classes)))
    if "production.capacity" in figures and not figures["production.capacity"].value > 0:
        fault("production.capacity", "impossible figure", figures["production.capacity"].value, "more than 0")
    begins, service = case.project.construction_begins, case.project.in_service
    if begins is not None and begins >= service:
        fault("project.construction_begins", "not before in_service", begins, f"a day before {service}")
    if len(case.production.ramp_up) > case.production.life:
        fault(
            "production.ramp_up",
            "longer than the life",
            len(case.production.ramp_up),
            str(case.production.life),
        )
    _check_sales(case, fault)
    _check_paths(case, figures, fault)
    if case.debt.kind == "mini_perm" and case.debt.amortisation is None:
        fault("debt.amortisation", "missing key", "", "years over which a mini-perm would be repaid")
    for kind, group in (("grants", case.support.grants), ("loans", case.support.loans)):
        for name, item in group.items():
            if (item.amount is None) == (item.share is None):
                fault(f"support.{kind}.{name}", "amount or share, one of them", "", "one of the two")
    _check_readiness(case, library, fault)


def _check_paths(case: Case, figures: Mapping[str, Resolved], fault: Any) -> None:
    paths = ", ".join(sorted(figures))
    for number, pair in enumerate(case.correlations):
        for path in pair.between:
            if path not in figures and not path.startswith("policies."):
                fault(f"correlations.{number}.between", "no such figure", path, paths)
    for path in case.lender.bad_ends:
        if path not in figures and path not in (
            "capital.cost_growth",
            "capital.cost",
            "production.utilisation",
        ):
            fault("lender.bad_ends", "no such figure", path, paths)


def _check_sales(case: Case, fault: Any) -> None:
    for quantity in {stream.quantity for stream in case.revenue.values()}:
        streams = [stream for stream in case.revenue.values() if stream.quantity == quantity]
        for year in range(1, case.production.life + 1):
            sold = sum(
                stream.share.value for stream in streams if stream.first_year <= year <= stream.last_year
            )
            if sold > 1.0 + 1e-9:
                fault(
                    "revenue",
                    f"more {quantity} sold than made in operating year {year}",
                    f"{sold:g}",
                    "1 at most",
                )
                break


def _check_readiness(case: Case, library: Library, fault: Any) -> None:
    for table, column, group, path in (
        ("arl_dimensions", "dimension", case.readiness.adoption, "readiness.adoption"),
        ("fid_checklist", "item", case.readiness.checklist, "readiness.checklist"),
    ):
        if table not in library.tables or column not in library.tables[table]:
            continue
        codes = set(library.tables[table][column])
        for name in group:
            if name not in codes:
                fault(f"{path}.{name}", f"not in {table}.csv", name, ", ".join(sorted(codes)))


# ---------------------------------------------------------------- plain data


def _tuples(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _tuples(item) for key, item in data.items()}
    if isinstance(data, list):
        return tuple(_tuples(item) for item in data)
    return data


def _laid_on(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """``base`` with ``over`` laid on it, mapping by mapping; a figure replaces a figure as a whole."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, dict) and "value" not in value:
            merged[key] = _laid_on(below, value)
        else:
            merged[key] = value
    return merged


def _without_dropped(data: dict[str, Any]) -> dict[str, Any]:
    """``data`` without the named entries that a case set to ``null``."""
    return {
        key: _without_dropped(item) if isinstance(item, dict) else item
        for key, item in data.items()
        if item is not None
    }


def _leaves(data: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Paths of what a mapping states; a figure with its unit and source is one leaf."""
    for key, item in data.items():
        here = f"{path}.{key}" if path else str(key)
        if isinstance(item, Mapping) and "value" not in item:
            yield from _leaves(item, here)
        elif item is not None:
            yield here


def _present(data: Mapping[str, Any], path: str) -> bool:
    return _at(data, path) is not None


def _is_copied(data: Mapping[str, Any], base: Mapping[str, Any], path: str) -> bool:
    """Whether the figure at ``path`` is the archetype's, number, range, source and all."""
    figure = _at(data, path)
    return isinstance(figure, Mapping) and figure == _at(base, path)


def _at(data: Mapping[str, Any], path: str) -> Any:
    item: Any = data
    for part in path.split("."):
        item = item.get(part) if isinstance(item, Mapping) else None
    return item


def midyear(day: dt.date, year_of_operation: int) -> dt.date:
    """The middle of the n-th year of operation that began on ``day`` (year 0 and less: construction)."""
    months = (year_of_operation - 1) * 12 + 6
    total = day.year * 12 + day.month - 1 + months
    year, month = divmod(total, 12)
    return dt.date(year, month + 1, min(day.day, 28))
