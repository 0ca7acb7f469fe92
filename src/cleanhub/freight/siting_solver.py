"""The programme of siting inside HiGHS: bounds and rows can change and the next solve starts from the last.

One thread, fixed seed; a solve ends by gap, nodes or iterations, by the clock only where asked. The bound of
a relaxation is worked out here from the row values, so it holds whatever the solver's tolerances are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import highspy
import numpy as np

from cleanhub.core.programme import compressed, loaded_solver, mark_whole
from cleanhub.freight.problem import FloatArray, IntArray
from cleanhub.freight.siting_model import Model


@dataclass(frozen=True)
class Rows:
    """Rows to add, each sum of ``value`` times column kept at or below ``upper``.

    ``row`` (N,), ``column`` (N,) and ``value`` (N,) are entries, ``upper`` (R,) the right sides.
    """

    row: IntArray
    column: IntArray
    value: FloatArray
    upper: FloatArray

    @classmethod
    def join(cls, parts: list[Rows]) -> Rows:
        """All rows of ``parts``, one after the other."""
        first = np.cumsum([0, *(len(part.upper) for part in parts)])[:-1]
        none = np.zeros(0)
        return cls(
            np.concatenate([none, *(part.row + at for part, at in zip(parts, first, strict=True))]).astype(
                int
            ),
            np.concatenate([none, *(part.column for part in parts)]).astype(int),
            np.concatenate([none, *(part.value for part in parts)]),
            np.concatenate([none, *(part.upper for part in parts)]),
        )


def with_rows(model: Model, rows: Rows) -> Model:
    """``model`` with ``rows`` added."""
    return replace(
        model,
        matrix=model.matrix.with_rows(rows.row, rows.column, rows.value, len(rows.upper)),
        row_lower=np.concatenate([model.row_lower, np.full(len(rows.upper), -np.inf)]),
        row_upper=np.concatenate([model.row_upper, rows.upper]),
    )


class Programme:
    """A model in the solver. ``value`` and ``values`` are those of the last solve that found an optimum."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.solver = _new_solver(model)
        self.value = -np.inf
        self.values: FloatArray = np.zeros(len(model.gain))
        self._lower, self._upper = model.lower, model.upper

    def relax(self) -> bool:
        """Solve with fractions. False when nothing fits the bounds and rows."""
        self.solver.run()
        status = self.solver.getModelStatus()
        if status not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty):
            return False
        self.values = np.array(self.solver.getSolution().col_value, dtype=np.float64)
        self.value = self.model.worth(self.values)
        return True

    def set_bounds(self, lower: FloatArray, upper: FloatArray) -> None:
        """Other bounds on all columns; the solver is told of those that differ."""
        which = np.flatnonzero((lower != self._lower) | (upper != self._upper)).astype(np.int32)
        self.solver.changeColsBounds(len(which), which, lower[which], upper[which])
        self._lower, self._upper = lower.copy(), upper.copy()

    def widen(self, lower: FloatArray, upper: FloatArray) -> None:
        """Other bounds on all columns, of the model too: :meth:`bound` then holds within them."""
        self.set_bounds(lower, upper)
        self.model = self.model.within(lower, upper)

    def add(self, rows: Rows) -> None:
        """Add rows to the solver and to the model."""
        count = len(rows.upper)
        shape = count, len(self.model.gain)
        start, column, value = compressed(rows.row, rows.column, rows.value, shape)
        starts, columns = start[:-1].astype(np.int32), column.astype(np.int32)
        self.solver.addRows(count, np.full(count, -np.inf), rows.upper, len(value), starts, columns, value)
        self.model = with_rows(self.model, rows)

    def bound(self) -> float:
        """What no solution within the model's bounds can exceed, from the row values of the last solve."""
        model = self.model
        dual = np.array(self.solver.getSolution().row_dual, dtype=np.float64)
        side = np.where(dual > 0, model.row_lower, model.row_upper)
        dual = np.where(np.isfinite(side), dual, 0.0)
        rows = float((dual * np.where(dual != 0.0, side, 0.0)).sum())
        reduced = -model.gain - model.matrix.transposed_times(dual)
        columns = float(np.where(reduced > 0, reduced * model.lower, reduced * model.upper).sum())
        return -(rows + columns)


@dataclass(frozen=True)
class Whole:
    """What a search over whole openings ended with; ``values`` is None when it found nothing."""

    values: FloatArray | None
    bound: float
    optimal: bool


def solve_whole(
    model: Model,
    gap: float,
    nodes: int,
    start: FloatArray | None = None,
    seconds: float | None = None,
    cutoff: float | None = None,
) -> Whole:
    """Branch and bound on ``model`` until ``gap`` (relative), ``nodes`` or ``seconds``.

    ``start`` is a solution to begin with, ``cutoff`` a value that a solution must exceed to be of interest.
    """
    solver = _new_solver(model)
    mark_whole(solver, model.integer)
    solver.setOptionValue("mip_rel_gap", gap)
    solver.setOptionValue("mip_max_nodes", nodes)
    if seconds is not None:
        solver.setOptionValue("time_limit", float(seconds))
    if cutoff is not None:
        solver.setOptionValue("objective_bound", -cutoff)
    if start is not None:
        guess = highspy.HighsSolution()
        guess.col_value = list(start)
        solver.setSolution(guess)
    solver.run()
    status, info = solver.getModelStatus(), solver.getInfo()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    values = np.array(solver.getSolution().col_value, dtype=np.float64) if found else None
    return Whole(values, -float(info.mip_dual_bound), status == highspy.HighsModelStatus.kOptimal)


def _new_solver(model: Model) -> highspy.Highs:
    """The programme with its gain to be made large, in the solver's words."""
    return loaded_solver(
        -model.gain,
        model.lower,
        model.upper,
        model.row_lower,
        model.row_upper,
        model.matrix,
        solver="simplex",
    )
