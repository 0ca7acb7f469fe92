"""Capital of first-of-a-kind plants: estimate classes, roll-up, pioneer plants, learning.

From bare erected cost to what is spent (NETL's roll-up), how far the outcome may lie from the
estimate (AACE), what plants with new steps cost and made in the past (Rand), and what the
n-th plant costs. Factors and coefficients are rows of the library (``estimate_classes``,
``capital_factors``, ``pioneer_coefficients``); the functions here hold none. Escalation and
interest by year of spending belong to the cash flow, not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cleanhub.core.errors import FaultList
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


# ---------------------------------------------------------------- learning


def learning_exponent(learning_rate: ArrayLike) -> FloatArray:
    """Exponent ``b = -log2(1 - learning_rate)`` of a learning curve [1].

    The learning rate is the share by which cost falls with each doubling, from 0 to below 1;
    ``ValueError`` outside.
    """
    rate = _array(learning_rate)
    if np.any(~((rate >= 0) & (rate < 1))):
        raise ValueError(f"a learning rate lies from 0 to below 1: {rate.tolist()}")
    return np.asarray(np.abs(np.log2(1.0 - rate)), dtype=np.float64)


def learning_curve(first_cost: ArrayLike, learning_rate: ArrayLike, unit: ArrayLike) -> FloatArray:
    """Cost of the ``unit``-th plant, ``C(n) = C1 n^-b`` [unit of ``first_cost``].

    ``unit`` is a count of plants (or cumulative capacity over that of the first), above 0.
    Arguments broadcast. Costs often rise over the first few units before they fall: take
    ``first_cost`` from a finished plant, not from an early estimate.
    """
    count = _array(unit)
    if np.any(~(count > 0)):
        raise ValueError(f"the number of a unit must be above 0: {count.tolist()}")
    return np.asarray(_array(first_cost) * count ** -learning_exponent(learning_rate), dtype=np.float64)


def hybrid_cost(
    costs: ArrayLike, learning_rates: ArrayLike, first_units: ArrayLike, units: ArrayLike
) -> FloatArray:
    """Cost of a later plant whose components learn each at their own rate from their own start.

    ``sum over i of c_i (N_i / N0_i)^-b_i``: a new component starts at its first unit, one in
    wide use at the many there are, so that it hardly learns.

    Parameters
    ----------
    costs
        Cost of each component in the first plant [money], shape (..., I).
    learning_rates
        Learning rate of each component [1], shape (..., I).
    first_units, units
        Units in the world when the first and when the later plant is built, above 0,
        shape (..., I).

    Returns
    -------
    FloatArray
        Shape (...): money, summed over components.

    References
    ----------
    Rubin (2019), Improving cost estimates for advanced low-carbon power plants (the hybrid
    of bottom-up first-of-a-kind cost and learning).
    """
    start, now = _array(first_units), _array(units)
    if np.any(~(start > 0)):
        raise ValueError(f"the number of a unit must be above 0: {start.tolist()}")
    return np.asarray(learning_curve(costs, learning_rates, now / start).sum(axis=-1), dtype=np.float64)


@dataclass(frozen=True)
class Component:
    """A part of a plant on its way from the first to a later plant.

    ``cost`` is its bare erected cost in the first plant [money]; ``first_unit`` and ``unit``
    count units in the world; ``contingency`` and ``later_contingency`` are its process
    contingency in both plants [1]; the causes say in a word why cost and contingency fall.
    """

    name: str
    cost: float
    learning_rate: float = 0.0
    first_unit: float = 1.0
    unit: float = 1.0
    contingency: float = 0.0
    later_contingency: float | None = None
    learning_cause: str = "experience"
    contingency_cause: str = "experience"


def check_counted_once(components: Sequence[Component], faults: FaultList, where: str = "capital") -> None:
    """Add a fault for each component whose cost falls twice for one cause.

    Learning already holds what experience teaches. Where a component learns *and* its process
    contingency falls, the two must have different causes.
    """
    for one in components:
        learns = one.learning_rate > 0 and one.unit > one.first_unit
        freed = one.later_contingency is not None and one.later_contingency < one.contingency
        if learns and freed and one.learning_cause == one.contingency_cause:
            faults.add(
                where,
                None,
                one.name,
                what="cost falls twice for one cause: by learning and by removed contingency",
                found=one.learning_cause,
                allowed="one of the two, or another cause for each",
            )


def later_plant_cost(components: Sequence[Component], where: str = "capital") -> float:
    """Bare erected cost with process contingency of a later plant [money].

    Raises :class:`~cleanhub.core.errors.InputError` listing every component that counts one
    cause twice; see :func:`check_counted_once`.
    """
    faults = FaultList()
    check_counted_once(components, faults, where)
    faults.raise_if_any("capital of a later plant")
    kept = np.array(
        [one.contingency if one.later_contingency is None else one.later_contingency for one in components]
    )
    return float(
        hybrid_cost(
            np.array([one.cost for one in components]) * (1.0 + kept),
            np.array([one.learning_rate for one in components]),
            np.array([one.first_unit for one in components]),
            np.array([one.unit for one in components]),
        )
    )


def _array(value: ArrayLike) -> FloatArray:
    return np.asarray(value, dtype=np.float64)
