"""The figures of a case: found in its model, and read into the unit of their field and the price year.

Some fields count what the case itself says (inputs, by-products, prices of what is sold): their
unit is worked out here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from cleanhub.core.errors import FaultList
from cleanhub.core.units import factor
from cleanhub.core.yaml_file import YamlFile
from cleanhub.finance.capital import estimate_class
from cleanhub.finance.case_model import Case
from cleanhub.finance.figures import Figure, Measure, Resolved, resolve
from cleanhub.hub.library import Library

PRODUCT = "product"


def stated_figures(model: BaseModel, path: str = "") -> Iterator[tuple[str, Figure, Measure | None]]:
    """Every figure of a case with its path and, where the field declares one, its measure."""
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        here = f"{path}.{name}" if path else name
        if isinstance(value, Figure):
            yield here, value, _measure_of(info)
        elif isinstance(value, BaseModel):
            yield from stated_figures(value, here)
        elif isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, Figure):
                    yield f"{here}.{key}", item, None
                elif isinstance(item, BaseModel):
                    yield from stated_figures(item, f"{here}.{key}")


def _measure_of(info: Any) -> Measure | None:
    for item in (*info.metadata, *get_args(info.annotation)):
        if isinstance(item, Measure):
            return item
        for deeper in getattr(item, "__metadata__", ()):
            if isinstance(deeper, Measure):
                return deeper
    return None


def resolved_figures(
    case: Case, library: Library, shown: str, file: YamlFile | None, faults: FaultList
) -> dict[str, Resolved]:
    """Every figure in the unit of its field and the case's price year, by its path.

    What has no such meaning becomes a fault of the file ``shown``.
    """
    found: dict[str, Resolved] = {}
    unit = case.production.unit
    if not library.unit_ok(unit):
        line = file.line(("production", "unit")) if file else None
        faults.add(
            shown,
            line,
            "production.unit",
            what="not a unit",
            found=unit,
            allowed="a unit, such as t, kg, MWh",
        )
        return found
    for path, figure, measure in stated_figures(case):
        try:
            measure = measure or _own_measure(path, figure, case, unit)
            if path == "capital.cost":
                measure = _capital_measure(figure, measure, unit)
                figure = _with_class_range(figure, case, library)
            shown_measure = Measure(
                measure.unit.replace("{unit}", _grouped(unit)), measure.least, measure.most, measure.bad
            )
            found[path] = resolve(path, figure, shown_measure, library.price_index, case.price_year)
        except ValueError as error:
            line = file.line(tuple(path.split("."))) if file else None
            stated = f"{figure.value:g} {figure.unit or ''}".strip()
            faults.add(shown, line, path, what="impossible figure", found=stated, allowed=str(error))
    return found


def _own_measure(path: str, figure: Figure, case: Case, unit: str) -> Measure:
    """Measure of figures whose unit depends on what they count."""
    parts = path.split(".")
    if parts[0] == "production":
        return _production_measure(parts[1], figure, unit)
    if parts[0] == "inputs":
        price = case.inputs[parts[1]].price.unit
        if not price or "/" not in price:
            raise ValueError("inputs need a price with a unit, such as USD/t")
        per = _denominator(price)
        if parts[2] == "price":
            return Measure(f"USD/{_grouped(per)}", bad="high")
        return Measure(f"{_grouped(per)}/{_grouped(unit)}", 0.0, bad="high")
    if parts[0] == "revenue":
        quantity = case.revenue[parts[1]].quantity
        if quantity == PRODUCT:
            return Measure(f"USD/{_grouped(unit)}", 0.0, bad="low")
        stated = case.production.by_products.get(quantity)
        if stated is None:
            known = ", ".join([PRODUCT, *case.production.by_products])
            raise ValueError(f"the price of one of {known}; found {quantity}")
        return Measure(f"USD/{_grouped(numerator(stated.unit or '1', unit))}", 0.0, bad="low")
    if path == "reference.emissions_avoided":
        return Measure(f"t/{_grouped(unit)}")
    return Measure(f"USD/{_grouped(unit)}", 0.0)


def _production_measure(kind: str, figure: Figure, unit: str) -> Measure:
    if kind == "bought":
        return Measure(figure.unit or "1", 0.0)
    if kind == "capacity_from":
        if not figure.unit or "/" not in figure.unit:
            raise ValueError(f"a yearly amount per unit, such as {unit}/yr/MWh")
        return Measure(f"({_grouped(unit)}/yr)/{figure.unit.rsplit('/', 1)[1]}", 0.0)
    counted = numerator(figure.unit, unit) if figure.unit else "1"
    return Measure(f"{counted}/{_grouped(unit)}", 0.0)


def _capital_measure(figure: Figure, measure: Measure, unit: str) -> Measure:
    if figure.unit and "/" in figure.unit:
        return Measure(f"USD/({_grouped(unit)}/yr)", measure.least, measure.most, measure.bad)
    return measure


def _with_class_range(figure: Figure, case: Case, library: Library) -> Figure:
    """The cost with the range of its estimate class where it states none: the middle of each end's range."""
    number = case.capital.estimate_class
    if number is None or figure.low is not None or figure.high is not None:
        return figure
    found = estimate_class(library, number)
    low = figure.value * (1.0 + 0.5 * (found.low_inner + found.low_outer))
    high = figure.value * (1.0 + 0.5 * (found.high_inner + found.high_outer))
    return figure.model_copy(update={"low": low, "high": high})


def _grouped(unit: str) -> str:
    return f"({unit})" if "/" in unit or " " in unit or "*" in unit else unit


def _denominator(unit: str) -> str:
    per = unit.split("/", 1)[1].strip()
    return per[1:-1] if per.startswith("(") and per.endswith(")") else per


def numerator(unit: str, product_unit: str) -> str:
    """What is counted per unit of product: ``t`` of ``t/kg``."""
    counted, _, per = unit.partition("/")
    if not per:
        raise ValueError(f"an amount per {product_unit}, such as t/{product_unit}; found {unit}")
    factor(per.strip("()"), product_unit)
    return counted.strip() or "1"
