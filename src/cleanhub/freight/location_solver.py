"""Mixed-integer programmes written straight to HiGHS: one thread, fixed seed, no modelling layer between.

What lives here: the arrays of a programme (:class:`Programme`), when to stop (:class:`Stops`) and one
call that solves (:func:`solve_programme`). What the columns mean is the business of each model.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cleanhub.core.errors import RunError
from cleanhub.core.programme import loaded_solver, mark_whole

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

NO_NODE_LIMIT = 2**31 - 1
OPTIMAL, GAP_REACHED, NODE_LIMIT, TIME_LIMIT = "optimal", "gap reached", "node limit", "time limit"
EXACT = 1e-9
"""Relative difference of objective and bound below which a solution counts as proved optimal: what
is left of 64-bit sums over a few hundred thousand terms."""
FIRST_DISTANCE = 0.004
"""Share of the bound within which :func:`solve_near_bound` looks first."""


@dataclass(frozen=True)
class Stops:
    """When a solver may end: relative ``gap``, branch-and-bound ``nodes``, wall ``seconds`` from ``began``.

    Plans stop by gap and nodes alone; seconds are for long runs by hand, whose result may
    then differ from machine to machine.
    """

    gap: float = 0.0
    nodes: int = NO_NODE_LIMIT
    seconds: float = math.inf
    began: float = math.nan

    def start(self) -> Stops:
        """The same stops with the clock started; a clock that runs already is kept."""
        if not math.isnan(self.began):
            return self
        return Stops(self.gap, self.nodes, self.seconds, time.perf_counter())

    @property
    def elapsed(self) -> float:
        """Seconds since the start (0 before it)."""
        return 0.0 if math.isnan(self.began) else time.perf_counter() - self.began

    @property
    def left(self) -> float:
        """Seconds that are left, never negative."""
        return max(self.seconds - self.elapsed, 0.0)


@dataclass(frozen=True)
class Programme:
    """Minimise ``cost @ x`` with ``row_lower <= matrix @ x <= row_upper`` and ``lower <= x <= upper``.

    ``integer`` (N,) marks whole-number columns; the matrix is (M, N) in compressed rows.
    """

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    integer: BoolArray
    matrix: csr_matrix
    row_lower: FloatArray
    row_upper: FloatArray


@dataclass(frozen=True)
class Answer:
    """What the solver found: ``values`` (N,) (empty: nothing), ``objective``, ``bound`` and ``status``."""

    values: FloatArray
    objective: float
    bound: float
    status: str


def solve_programme(
    programme: Programme, stops: Stops, start: FloatArray | None = None, cutoff: float = math.inf
) -> Answer:
    """Solve a programme; of solutions not below ``cutoff`` none need be found.

    ``start`` (N,) is a solution to begin with. An answer without values means that nothing
    lies below the cutoff (then ``bound`` is the cutoff and the status ``optimal``) or that a
    stop came first.

    Raises
    ------
    RunError
        When the solver fails for a reason other than a stop.
    """
    solver = _loaded(programme, stops)
    if math.isfinite(cutoff):
        solver.setOptionValue("objective_bound", cutoff)
    if start is not None:
        begin = highspy.HighsSolution()
        begin.col_value = start.tolist()
        solver.setSolution(begin)
    solver.run()
    status, info, kind = solver.getModelStatus(), solver.getInfo(), highspy.HighsModelStatus
    if status in (kind.kInfeasible, kind.kUnboundedOrInfeasible, kind.kObjectiveBound):
        return Answer(np.zeros(0), cutoff, cutoff, OPTIMAL)
    words = {kind.kOptimal: OPTIMAL, kind.kModelEmpty: OPTIMAL, kind.kTimeLimit: TIME_LIMIT}
    ended = words.get(status, NODE_LIMIT if status == kind.kSolutionLimit else "")
    if not ended:
        raise RunError(f"the solver ended with {solver.modelStatusToString(status)}")
    bound = float(info.mip_dual_bound) if programme.integer.any() else float(info.objective_function_value)
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return Answer(np.zeros(0), cutoff, min(bound, cutoff), ended)
    values = np.array(solver.getSolution().col_value)
    values[programme.integer] = np.round(values[programme.integer])
    return Answer(values, float(programme.cost @ values), bound, ended)


def solve_near_bound(programme: Programme, stops: Stops, step: float = 0.0) -> Answer:
    """Solve a programme by asking for solutions ever farther from the bound without whole numbers.

    A solution within a distance of that bound holds no column whose reduced cost is larger, so
    that a small distance leaves a small programme; what is found within it is the best of
    all. If nothing is, the distance is doubled, up to the best solution known. ``step`` is the least
    difference of two solutions (0: unknown).

    Raises
    ------
    RunError
        When the solver fails for a reason other than a stop.
    """
    bound, reduced = _relaxed(programme, stops)
    if not len(reduced):
        return Answer(np.zeros(0), math.inf, bound, OPTIMAL if bound == math.inf else TIME_LIMIT)
    best = Answer(np.zeros(0), math.inf, bound, OPTIMAL)
    root, distance = bound, max(FIRST_DISTANCE * abs(bound), step, 1e-6)
    while True:
        distance = min(distance, best.objective - 0.999 * step - root)
        target = root + distance
        kept = replace(
            programme,
            lower=np.where(reduced < -distance * (1.0 + 1e-6), programme.upper, programme.lower),
            upper=np.where(reduced > distance * (1.0 + 1e-6), programme.lower, programme.upper),
        )
        whole = bool((kept.lower == programme.lower).all() and (kept.upper == programme.upper).all())
        cutoff = math.inf if whole else target + 1e-6 * max(1.0, abs(target))
        answer = solve_programme(kept, stops, cutoff=cutoff)
        # without values: nothing at all within the columns left
        proved = min(answer.bound, target) if answer.status == OPTIMAL or len(answer.values) else bound
        bound = max(bound, proved)
        if answer.objective < best.objective and len(answer.values):
            best = answer
        if best.objective <= target * (1.0 + EXACT) or (whole and answer.status == OPTIMAL):
            bound = max(bound, min(answer.bound, best.objective))
            return Answer(best.values, best.objective, bound, answer.status)
        # less than a step apart is proved: the bound of the last pass is 0.999 steps below the best
        apart = max(0.9995 * step, stops.gap * abs(best.objective)) if len(best.values) else -math.inf
        if best.objective - bound <= apart or answer.status != OPTIMAL:
            return Answer(best.values, best.objective, bound, answer.status)
        distance *= 2.0


def _relaxed(programme: Programme, stops: Stops) -> tuple[float, FloatArray]:
    """Bound without whole numbers, and reduced costs (N,); empty when there is no solution or no time."""
    solver = _loaded(replace(programme, integer=np.zeros(len(programme.cost), dtype=bool)), stops)
    solver.run()
    status, kind = solver.getModelStatus(), highspy.HighsModelStatus
    if status == kind.kOptimal:
        return float(solver.getInfo().objective_function_value), np.array(solver.getSolution().col_dual)
    if status in (kind.kInfeasible, kind.kUnboundedOrInfeasible):
        return math.inf, np.zeros(0)
    if status == kind.kTimeLimit:
        return -math.inf, np.zeros(0)
    raise RunError(f"the solver ended with {solver.modelStatusToString(status)}")


def _loaded(programme: Programme, stops: Stops) -> highspy.Highs:
    solver = loaded_solver(
        programme.cost,
        programme.lower,
        programme.upper,
        programme.row_lower,
        programme.row_upper,
        programme.matrix,
        mip_rel_gap=stops.gap,
        mip_abs_gap=0.0 if stops.gap == 0.0 else 1e-6,
        mip_max_nodes=stops.nodes,
        time_limit=stops.left,
    )
    mark_whole(solver, programme.integer)
    return solver


def stacked(
    rows: list[tuple[NDArray[np.intp], NDArray[np.intp], FloatArray]], shape: tuple[int, int]
) -> csr_matrix:
    """A matrix (M, N) from blocks of (row, column, value) triplets."""
    row, column, value = (np.concatenate([block[part] for block in rows]) for part in range(3))
    return csr_matrix((value, (row, column)), shape=shape)
