"""Reference cases of others, run through our finance: ours, theirs, difference.

A file of cases is a JSON object, one entry per case. Known layouts:

- *sculpted debt*: ``inputs`` with vol, opex, capex, life, rd, tenor, dscr, gear_max, ke, tax,
  macrs, ptc, ptc_years, itc, bonus, infl; results ``price``, ``debt``, ``min_dscr``. The price
  is the one at which equity earns ``ke``; see :mod:`cleanhub.finance.project_debt`.
- *fixed charge rate*: ``inputs`` with capital_cost, fixed_charge_rate, fixed_operating_cost,
  variable_operating_cost, annual_energy; result ``lcoe_fcr``.

- *single owner*: groups of ``inputs`` under SAM's names with the ``overrides`` already in or
  beside them, and ``cashflows.cf_energy_net`` [kWh]; results ``scalars.size_of_debt``,
  ``project_return_aftertax_irr`` [%], ``project_return_aftertax_npv``, ``min_dscr``; see
  :mod:`cleanhub.finance.sam`.

- *closed forms*: everything else, told by the keys a case holds; see
  :mod:`cleanhub.finance.closed_forms`.

A case without results still gets ``ours``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.core.json_file import parse_json
from cleanhub.finance.closed_form_cases import answers, check_case, recognised
from cleanhub.finance.closed_forms import Form, forms, named_answer
from cleanhub.finance.comparison import Limits, check_number, compared, is_number
from cleanhub.finance.project_debt import DebtTerms, Project, flows, price_at_return
from cleanhub.finance.sam import check_inputs, single_owner
from cleanhub.hub.library import Library

FloatArray = NDArray[np.float64]
Layout = Mapping[str, tuple[float, float]]
_SINGLE_OWNER: Layout = {}
_SCULPTED: Layout = {
    "vol": (0, math.inf), "opex": (0, math.inf), "capex": (0, math.inf), "life": (1, 100),
    "rd": (0, 1), "tenor": (0, 100), "dscr": (1, 20), "gear_max": (0, 1), "ke": (0, 1), "tax": (0, 1),
    "macrs": (1, 50), "ptc": (0, math.inf), "ptc_years": (0, 100), "itc": (0, 1), "bonus": (0, 1),
    "infl": (-0.5, 1),
}  # fmt: skip
_FIXED_CHARGE: Layout = {
    "capital_cost": (0, math.inf),
    "fixed_charge_rate": (0, 1),
    "fixed_operating_cost": (0, math.inf),
    "variable_operating_cost": (0, math.inf),
    "annual_energy": (0, math.inf),
}


def check_finance(path: Path, library: Library) -> list[dict[str, Any]]:
    """Rows case, quantity, ours, theirs, relative_difference for every case of a file.

    Raises :class:`~cleanhub.core.errors.InputError` listing every case whose layout is not
    known and every input that is missing, no number or impossible.
    """
    faults = FaultList()
    cases = _read(path, faults)
    known_forms = forms(library)
    known: dict[str, Layout | Form | float] = {}
    for name, case in cases.items():
        known[name] = _kind(path.name, name, case, known_forms, library, faults)
        if known[name] is _SCULPTED:
            _check_recovery_class(path.name, name, case, library, faults)
    faults.raise_if_any(f"cases {path.name}")
    return [row for name, case in cases.items() for row in _rows(name, case, known[name], library)]


def _rows(name: str, case: Any, kind: Layout | Form | float, library: Library) -> list[dict[str, Any]]:
    if isinstance(kind, Form):
        return answers(name, case, kind)
    if isinstance(kind, float):
        return [compared(name, name, kind, case)]
    if kind is _SINGLE_OWNER:
        return _single_owner(name, case, library)
    inputs = {key: float(value) for key, value in case["inputs"].items() if key in kind}
    results = _sculpted(inputs, library) if kind is _SCULPTED else _fixed_charge(inputs)
    return [compared(name, quantity, ours, case.get(quantity)) for quantity, ours in results.items()]


def depreciation_schedule(library: Library, years: int, life: int, bonus: float = 0.0) -> FloatArray:
    """Share of capital written off in each operating year, shape (life,).

    ``years`` names the recovery class; ``bonus`` is the share taken in the first year, the
    rest follows the class. Raises ``KeyError`` for a class the library does not have.
    """
    table = library.tables["depreciation"]
    rows = table[table["recovery_years"] == years].sort_values("year")
    if rows.empty:
        raise KeyError(f"no recovery class of {years} years")
    shares = np.zeros(max(life, len(rows)))
    shares[: len(rows)] = rows["share"].to_numpy(float) * (1.0 - bonus)
    shares[0] += bonus
    return shares[:life]


def _read(path: Path, faults: FaultList) -> dict[str, Any]:
    try:
        cases = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        faults.add(path.name, what="cannot be read as JSON", found=error, allowed="a JSON object of cases")
        cases = {}
    if not isinstance(cases, dict):
        faults.add(
            path.name, what="not a JSON object", found=type(cases).__name__, allowed="case: {inputs: ...}"
        )
        cases = {}
    faults.raise_if_any(f"cases {path.name}")
    return {str(name): case for name, case in cases.items()}


def _kind(
    file: str,
    name: str,
    case: object,
    known_forms: tuple[Form, ...],
    library: Library,
    faults: FaultList,
) -> Layout | Form | float:
    """The layout or form of a case, its inputs checked; for a bare number the answer itself."""
    layout = _layout(file, name, case, faults)
    if layout is not None:
        return layout
    form = recognised(case, known_forms)
    if form is not None:
        check_case(file, name, case, form, faults)
        return form
    if case in (None, {}) or is_number(case):
        answer = named_answer(name, library, file, faults)
        if answer is not None:
            return answer
    titles = [
        "sculpted debt with price",
        "fixed charge rate",
        "single owner",
        *(one.title for one in known_forms),
    ]
    what = "layout of the case is not known"
    faults.add(file, None, name, what=what, allowed=f"inputs of {', '.join(titles)}")
    return {}


def _layout(file: str, name: str, case: object, faults: FaultList) -> Layout | None:
    """The layout of a case that has a group ``inputs`` of one of the three larger layouts."""
    inputs = case.get("inputs") if isinstance(case, dict) else None
    if isinstance(case, dict) and isinstance(inputs, dict):
        if "FinancialParameters" in inputs:
            _check_single_owner(file, name, case, faults)
            return _SINGLE_OWNER
        for layout in (_SCULPTED, _FIXED_CHARGE):
            if len(set(layout) & set(inputs)) * 2 > len(layout):
                _check_inputs(file, name, inputs, layout, faults)
                return layout
    return None


def _check_recovery_class(
    file: str, name: str, case: dict[str, Any], library: Library, faults: FaultList
) -> None:
    classes = sorted({int(years) for years in library.tables["depreciation"]["recovery_years"]})
    found = case["inputs"].get("macrs")
    if found not in classes:
        may_be = ", ".join(str(years) for years in classes)
        faults.add(file, None, f"{name}.macrs", what="no such recovery class", found=found, allowed=may_be)


def _check_inputs(
    file: str,
    name: str,
    inputs: dict[str, Any],
    layout: Layout,
    faults: FaultList,
) -> None:
    for key, (low, high) in layout.items():
        above = key in ("vol", "life", "annual_energy")
        check_number(file, name, inputs, key, Limits(low, high, above), faults)


def _sculpted(inputs: dict[str, float], library: Library) -> dict[str, float]:
    life = int(inputs["life"])
    project = Project(
        volume=inputs["vol"],
        operating_cost=inputs["opex"],
        capital=inputs["capex"],
        life=life,
        tax_rate=inputs["tax"],
        inflation=inputs["infl"],
        depreciation=depreciation_schedule(library, int(inputs["macrs"]), life, inputs["bonus"]),
        credit=inputs["ptc"],
        credit_years=inputs["ptc_years"],
        investment_credit=inputs["itc"],
    )
    terms = DebtTerms(inputs["rd"], inputs["tenor"], inputs["dscr"], inputs["gear_max"])
    price = price_at_return(project, terms, inputs["ke"])
    found = flows(project, terms, price)
    return {"price": float(price), "debt": float(found.debt), "min_dscr": float(found.min_cover)}


def _groups(case: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The case's inputs with its overrides in the last group, where they win."""
    groups = {name: group for name, group in case["inputs"].items() if isinstance(group, dict)}
    return {**groups, "overrides": dict(case.get("overrides") or {})}


def _check_single_owner(file: str, name: str, case: dict[str, Any], faults: FaultList) -> None:
    own = FaultList()
    check_inputs(_groups(case), file, name, own)
    flows_given = case.get("cashflows")
    energy = flows_given.get("cf_energy_net") if isinstance(flows_given, dict) else None
    if not isinstance(energy, list) or not all(is_number(one) for one in energy) or len(energy) < 2:
        own.add(
            file,
            None,
            f"{name}.cashflows.cf_energy_net",
            what="missing or not numbers",
            allowed="kWh by year",
        )
    faults.extend(own.faults)


def _single_owner(name: str, case: dict[str, Any], library: Library) -> list[dict[str, Any]]:
    classes = library.tables["depreciation"]["recovery_years"].unique()
    schedules = {int(years): depreciation_schedule(library, int(years), 40) for years in classes}
    energy = np.asarray(case["cashflows"]["cf_energy_net"], dtype=np.float64)
    found = single_owner(_groups(case), energy, schedules)
    theirs = case.get("scalars") or {}
    return [
        compared(name, "debt", found.debt, theirs.get("size_of_debt")),
        compared(name, "irr", found.irr, theirs.get("project_return_aftertax_irr")),
        compared(name, "npv", found.npv, theirs.get("project_return_aftertax_npv")),
        compared(name, "min_dscr", found.min_dscr, theirs.get("min_dscr")),
    ]


def _fixed_charge(inputs: dict[str, float]) -> dict[str, float]:
    yearly = inputs["fixed_charge_rate"] * inputs["capital_cost"] + inputs["fixed_operating_cost"]
    return {"lcoe_fcr": yearly / inputs["annual_energy"] + inputs["variable_operating_cost"]}
