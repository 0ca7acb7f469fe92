"""Rule ``optimal``: the cheapest path of all, found with perfect foresight.

The same tables that the year loop walks make one linear programme over all years
(:mod:`cleanhub.pathways.optimal_model`), solved by HiGHS. Its value bounds every path of whole
plants from below; its row values tell what each limit costs. System cost is that of
:mod:`cleanhub.pathways.optimal_cost`; where no path exists, :class:`ConflictError` names why.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from cleanhub.core.errors import RunError
from cleanhub.core.programme import loaded_solver, mark_whole
from cleanhub.pathways.optimal_conflict import ConflictError, find_conflicts
from cleanhub.pathways.optimal_cost import Accounts, Broken, SystemCost, cost_of
from cleanhub.pathways.optimal_decode import decode
from cleanhub.pathways.optimal_model import Model, build_model
from cleanhub.pathways.problem import FloatArray, Path, Problem

NODES = 2000
"""Nodes of the search for whole plants after which the best path found so far is taken."""


@dataclass(frozen=True)
class Optimal:
    """The optimum: its path, what it costs and what the limits cost.

    ``objective`` is the system cost of ``path`` and ``bound`` what no path can go below [USD,
    worth of the first year]; ``gap`` their difference relative to the objective. ``shadow`` is what one unit
    more of each limit would save in the year itself (Q, T) [USD per unit], of the programme with
    fractions. ``status`` is optimal or node_limit; ``columns``, ``rows`` and ``entries`` tell the size of
    the programme.
    """

    path: Path
    objective: float
    bound: float
    gap: float
    shadow: FloatArray
    status: str
    columns: int
    rows: int
    entries: int


def solve_optimal(
    problem: Problem,
    multiplier: FloatArray | None = None,
    whole_plants: bool = False,
    gap: float = 1e-3,
    nodes: int = NODES,
) -> Optimal:
    """The path of least system cost.

    Parameters
    ----------
    problem
        What is decided on; it is not changed.
    multiplier
        Share of today's capital by technology and year (K, T), from learning; ones unless given.
    whole_plants
        Plants outside of markets that meet a demand change whole or not at all.
    gap, nodes
        The search for whole plants stops at this relative gap or after so many nodes.

    Raises
    ------
    ConflictError
        When no path keeps all hard limits: it names the minimal sets that conflict.
    RunError
        When the solver ends without a path for another reason.
    """
    accounts = Accounts(problem, multiplier)
    model = build_model(accounts, whole_plants)
    solver = loaded_solver(
        model.cost, model.lower, model.upper, model.row_lower, model.row_upper, model.matrix, solver="simplex"
    )
    solver.run()
    status = solver.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        raise find_conflicts(model, solver)
    if status not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty):
        raise RunError(
            f"the optimum was not found: the solver ended with {solver.modelStatusToString(status)}"
        )
    solution = solver.getSolution()
    values, duals = np.array(solution.col_value), np.array(solution.row_dual)
    shadow = _shadow(model, duals)
    bound = _dollars(model, float(solver.getInfo().objective_function_value))
    words = "optimal"
    if model.integer.any():
        values, bound, words = _whole(model, solver, gap, nodes)
    objective = _dollars(model, float(model.cost @ values))
    path = decode(model, values, shadow)
    return Optimal(
        path=path,
        objective=objective,
        bound=min(bound, objective),
        gap=max(objective - bound, 0.0) / max(abs(objective), 1e-9),
        shadow=shadow,
        status=words,
        columns=len(model.cost),
        rows=len(model.row_lower),
        entries=len(model.matrix.data),
    )


def _whole(model: Model, solver: highspy.Highs, gap: float, nodes: int) -> tuple[FloatArray, float, str]:
    """Values, bound [USD] and status of the programme with whole plants."""
    mark_whole(solver, model.integer)
    solver.setOptionValue("mip_rel_gap", gap)
    solver.setOptionValue("mip_max_nodes", nodes)
    solver.run()
    status, info = solver.getModelStatus(), solver.getInfo()
    done = status == highspy.HighsModelStatus.kOptimal
    if not done and info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        raise RunError(
            f"no path of whole plants was found within {nodes} nodes; more nodes or fractions may find one"
        )
    values = np.array(solver.getSolution().col_value)
    values[model.integer] = np.round(values[model.integer])
    bound = _dollars(model, float(info.mip_dual_bound))
    return values, bound, "optimal" if done else "node_limit"


def _dollars(model: Model, value: float) -> float:
    return value * model.scale + model.offset


def _shadow(model: Model, duals: FloatArray) -> FloatArray:
    """Worth of one unit more of each limit in the year itself, never negative, (Q, T) [USD per unit].

    For a share the unit is one of product.
    """
    rows = model.limit_rows
    value = np.where(rows >= 0, np.abs(duals[np.maximum(rows, 0)]) if len(duals) else 0.0, 0.0)
    return np.asarray(value * model.scale / model.limit_unit / model.accounts.discount[None, :])


__all__ = ["Broken", "ConflictError", "Optimal", "SystemCost", "cost_of", "solve_optimal"]
