"""Capital of first-of-a-kind plants: estimate classes, roll-up, pioneer plants, learning.

From bare erected cost to what is spent (NETL's roll-up), how far the outcome may lie from the
estimate (AACE), what plants with new steps cost and made in the past (Rand), and what the
n-th plant costs. Factors and coefficients are rows of the library (``estimate_classes``,
``capital_factors``, ``pioneer_coefficients``); the functions here hold none. Escalation and
interest by year of spending belong to the cash flow, not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cleanhub.hub.library import Library

FloatArray = NDArray[np.float64]
MONTHS, DAYS = 12.0, 365.0


# ---------------------------------------------------------------- estimate classes, factors


@dataclass(frozen=True)
class EstimateClass:
    """How far the outcome may lie from an estimate of one class, as shares of the estimate.

    Each end of the range is itself a range: ``low_outer <= low_inner <= 0 <= high_inner <=
    high_outer`` [1]. ``interval`` is the share of outcomes inside the range [1]; the range is
    around an estimate with its contingency in.
    """

    number: int
    name: str
    low_outer: float
    low_inner: float
    high_inner: float
    high_outer: float
    enough_for_fid: bool
    interval: float

    def outcomes(self, estimate: ArrayLike, *, outer: bool = True) -> tuple[FloatArray, FloatArray]:
        """Low and high end of the outcome of ``estimate`` (any shape, its unit)."""
        cost = _array(estimate)
        low, high = (self.low_outer, self.high_outer) if outer else (self.low_inner, self.high_inner)
        return cost * (1.0 + low), cost * (1.0 + high)


def estimate_class(library: Library, number: int) -> EstimateClass:
    """Class ``number`` (1 best to 5) of AACE 18R-97; ``KeyError`` naming the classes there are."""
    table = library.tables["estimate_classes"]
    rows = table[table["estimate_class"] == number]
    if rows.empty:
        known = ", ".join(str(one) for one in sorted(table["estimate_class"]))
        raise KeyError(f"no estimate class {number}: there are {known}")
    row = rows.iloc[0]
    return EstimateClass(
        number=int(row["estimate_class"]),
        name=str(row["name"]),
        low_outer=float(row["low_outer"]),
        low_inner=float(row["low_inner"]),
        high_inner=float(row["high_inner"]),
        high_outer=float(row["high_outer"]),
        enough_for_fid=bool(row["enough_for_fid"]),
        interval=capital_factor(library, "accuracy_interval").value,
    )


@dataclass(frozen=True)
class Factor:
    """One factor of a capital estimate: central value and range (the value where none is known)."""

    low: float
    value: float
    high: float
    unit: str


def capital_factor(library: Library, factor: str, selector: str = "") -> Factor:
    """A row of ``capital_factors``: contingencies, owner's costs, multipliers.

    Raises ``KeyError`` naming the selectors there are.
    """
    table = library.tables["capital_factors"]
    mine = table[table["factor"] == factor]
    rows = mine[mine["selector"] == selector]
    if rows.empty:
        known = ", ".join(str(one) or "(none)" for one in mine["selector"]) or "no row of that factor"
        raise KeyError(f"no {factor} for {selector or '(none)'}: {known}")
    row = rows.iloc[0]
    value = float(row["value"])
    low, high = (value if pd.isna(row[end]) else float(row[end]) for end in ("low", "high"))
    return Factor(low, value, high, str(row["unit"]))


# ---------------------------------------------------------------- roll-up


@dataclass(frozen=True)
class CapitalBuildUp:
    """Capital from bare erected cost to total plant cost, in the unit of the bare erected cost.

    ``engineered`` is bare erected cost with the contractor's fee (EPCC); ``total_plant`` adds
    process and project contingency (TPC). All have the inputs' common shape.
    """

    bare_erected: FloatArray
    contractor_fee: FloatArray
    process_contingency: FloatArray
    project_contingency: FloatArray
    engineered: FloatArray
    total_plant: FloatArray


def roll_up(
    bare_erected: ArrayLike,
    contractor_fee: ArrayLike,
    process_contingency: ArrayLike,
    project_contingency: ArrayLike,
) -> CapitalBuildUp:
    """Roll bare erected cost up to total plant cost.

    ``EPCC = BEC (1 + fee)``; ``TPC = (EPCC + process x BEC) (1 + project)``.

    Parameters
    ----------
    bare_erected
        Equipment, material and labour, as built (BEC) [any money], any shape.
    contractor_fee, process_contingency
        Shares of the bare erected cost [1].
    project_contingency
        Share of engineered cost and process contingency [1].

    References
    ----------
    NETL, Quality Guidelines for Energy System Studies: Cost Estimation Methodology, 2019.
    """
    bare, fee_share, process_share, project_share = np.broadcast_arrays(
        _array(bare_erected), _array(contractor_fee), _array(process_contingency), _array(project_contingency)
    )
    fee = bare * fee_share
    process = bare * process_share
    engineered = bare + fee
    before = engineered + process
    project = before * project_share
    return CapitalBuildUp(bare.copy(), fee, process, project, engineered, before + project)


@dataclass(frozen=True)
class OwnersCost:
    """What the owner pays beside the plant, and the total overnight cost (TOC); money, any shape."""

    preproduction: FloatArray
    inventory: FloatArray
    financing: FloatArray
    other: FloatArray
    land: FloatArray
    total_overnight: FloatArray


def owners_cost(
    library: Library,
    total_plant: ArrayLike,
    *,
    labour: ArrayLike = 0.0,
    maintenance: ArrayLike = 0.0,
    consumables: ArrayLike = 0.0,
    fuel: ArrayLike = 0.0,
    land: ArrayLike = 0.0,
) -> OwnersCost:
    """Owner's costs on top of total plant cost, by NETL's rules of thumb.

    Parameters
    ----------
    library
        Holds shares, months and days (``capital_factors``).
    total_plant
        Total plant cost (TPC) [money], any shape.
    labour, maintenance, consumables, fuel
        Yearly cost at full output [money/yr].
    land
        Price of the land [money].

    References
    ----------
    NETL, Quality Guidelines for Energy System Studies: Cost Estimation Methodology, 2019.
    """

    def of(name: str) -> float:
        return capital_factor(library, name).value

    plant, power = _array(total_plant), _array(fuel)
    monthly = (
        of("preproduction_labour_months") * _array(labour)
        + of("preproduction_maintenance_months") * _array(maintenance)
        + of("preproduction_consumables_months") * _array(consumables)
        + of("preproduction_fuel_months") * power
    )
    before = np.asarray(of("preproduction_share") * plant + monthly / MONTHS)
    stock = np.asarray(
        of("inventory_days") * (_array(consumables) + power) / DAYS + of("spare_parts_share") * plant
    )
    financing = np.asarray(of("financing_share") * plant)
    other = np.asarray(of("other_owners_share") * plant)
    bought = _array(land)
    return OwnersCost(
        before, stock, financing, other, bought, plant + before + stock + financing + other + bought
    )


def as_spent_multiplier(library: Library, years: float) -> float:
    """Total as-spent cost over total overnight cost for spending over ``years`` [1].

    Between the library's rows a straight line; ``ValueError`` outside them. Use it only
    where no cash flow by year computes interest and escalation: both would count them twice.
    """
    table = library.tables["capital_factors"]
    rows = table[table["factor"] == "as_spent_multiplier"]
    known = sorted(
        (float(str(selector).removeprefix("years_")), float(value))
        for selector, value in zip(rows["selector"], rows["value"], strict=True)
    )
    spans = [one for one, _ in known]
    if not known or not spans[0] <= years <= spans[-1]:
        allowed = f"{spans[0]:g} to {spans[-1]:g} years" if known else "no row as_spent_multiplier"
        raise ValueError(f"no as-spent multiplier for {years:g} years: allowed {allowed}")
    return float(np.interp(years, spans, [value for _, value in known]))


# ---------------------------------------------------------------- pioneer plants


@dataclass(frozen=True)
class PioneerTerm:
    """One variable of a pioneer equation: its coefficient and the range it was fitted on."""

    coefficient: float
    minimum: float
    maximum: float


def pioneer_terms(library: Library, equation: str) -> dict[str, PioneerTerm]:
    """Terms of ``cost_growth`` or ``plant_performance`` by name; the constant is one of them.

    Raises ``KeyError`` for an equation the library does not have.
    """
    key = ("pioneer_terms", equation)
    if key not in library.kept:  # every reading of a pioneer's case asks
        library.kept[key] = _read_terms(library, equation)
    return cast("dict[str, PioneerTerm]", library.kept[key])


def _read_terms(library: Library, equation: str) -> dict[str, PioneerTerm]:
    table = library.tables["pioneer_coefficients"]
    rows = table[table["equation"] == equation]
    if rows.empty:
        raise KeyError(f"no pioneer equation {equation}")
    return {
        str(row["term"]): PioneerTerm(
            float(row["value"]),
            -np.inf if pd.isna(row["minimum"]) else float(row["minimum"]),
            np.inf if pd.isna(row["maximum"]) else float(row["maximum"]),
        )
        for _, row in rows.iterrows()
    }


def estimate_over_actual(
    library: Library,
    percent_new: ArrayLike,
    impurities: ArrayLike,
    complexity: ArrayLike,
    inclusiveness: ArrayLike,
    project_definition: ArrayLike,
    *,
    in_development: bool = True,
) -> FloatArray:
    """Estimated over actual capital cost of a pioneer process plant [1].

    Below 1 the plant costs more than estimated: the actual cost is the estimate divided by
    this, see :func:`actual_cost`. The straight line is not clipped.

    Parameters
    ----------
    library
        Holds the coefficients, which are recalled and wait for a check against the report.
    percent_new
        Capital in steps that no plant runs commercially [%].
    impurities
        Trouble with build-up of impurities, 0 to 5 [1].
    complexity
        Number of continuously linked process steps [1].
    inclusiveness
        Share of land, first inventory and pre-operating personnel in the estimate [%].
    project_definition
        2 (best defined) to 8 [1].
    in_development
        The estimate was made in development; later ones lose less by poor definition.

    Returns
    -------
    FloatArray
        The arguments' common shape.

    Raises
    ------
    ValueError
        If a variable lies outside the range that the library states.

    References
    ----------
    Merrow, Phillips and Myers (1981), Rand R-2569-DOE.
    """
    definition = "project_definition" if in_development else "project_definition_later"
    return _linear(
        pioneer_terms(library, "cost_growth"),
        {
            "percent_new": percent_new,
            "impurities": impurities,
            "complexity": complexity,
            "inclusiveness": inclusiveness,
            definition: project_definition,
        },
    )


def actual_cost(estimate: ArrayLike, ratio: ArrayLike) -> FloatArray:
    """Cost to expect of a pioneer plant, ``estimate / ratio`` [unit of ``estimate``].

    ``ratio`` comes from :func:`estimate_over_actual`; where it is 0 or less, which lies
    outside what that equation can say, the cost is NaN. Arguments broadcast.
    """
    share = _array(ratio)
    return np.asarray(_array(estimate) / np.where(share > 0, share, np.nan), dtype=np.float64)


def performance_in_months_7_to_12(
    library: Library,
    new_steps: ArrayLike,
    balance_equations: ArrayLike,
    waste: ArrayLike,
    solids: ArrayLike,
) -> FloatArray:
    """Output of a pioneer plant in its months 7 to 12 [% of design].

    Not clipped: well-known plants come out above 100, and very new ones may fall below 0.

    Parameters
    ----------
    library
        Holds the coefficients, which are recalled and wait for a check against the report.
    new_steps
        Steps that no plant runs commercially [1].
    balance_equations
        Share of heat and mass balances checked against data [%].
    waste
        Trouble with waste handling, 0 to 5 [1].
    solids
        1 if the plant processes solids, else 0 [1].

    Raises
    ------
    ValueError
        If a variable lies outside the range that the library states.

    References
    ----------
    Merrow, Phillips and Myers (1981), Rand R-2569-DOE.
    """
    return _linear(
        pioneer_terms(library, "plant_performance"),
        {
            "new_steps": new_steps,
            "balance_equations": balance_equations,
            "waste": waste,
            "solids": solids,
        },
    )


def _linear(terms: dict[str, PioneerTerm], variables: dict[str, ArrayLike]) -> FloatArray:
    out = _array(terms["constant"].coefficient)
    for name, value in variables.items():
        term, given = terms[name], _array(value)
        if np.any((given < term.minimum) | (given > term.maximum) | np.isnan(given)):
            raise ValueError(f"{name} must lie from {term.minimum:g} to {term.maximum:g}: {given.tolist()}")
        out = out + term.coefficient * given
    return np.asarray(out, dtype=np.float64)


def _array(value: ArrayLike) -> FloatArray:
    return np.asarray(value, dtype=np.float64)
