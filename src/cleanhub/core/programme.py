"""A linear programme handed to the solver: matrices as they are, one thread, fixed seed, silent."""

from __future__ import annotations

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

FloatArray = NDArray[np.float64]
OPTIONS = {"output_flag": False, "threads": 1, "random_seed": 0}


def loaded_solver(
    cost: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    row_lower: FloatArray,
    row_upper: FloatArray,
    matrix: sparse.csc_array | sparse.csr_array | sparse.csr_matrix,
    **options: bool | float | str,
) -> highspy.Highs:
    """HiGHS with the programme: make ``cost`` (N,) small with columns and rows within their bounds.

    ``matrix`` (R, N) is by column or by row; ``row_lower`` and ``row_upper`` (R,) may be infinite.
    ``options`` of the solver come on top of :data:`OPTIONS`. All columns may be fractions: the
    caller says which are whole (``changeColsIntegrality``).
    """
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(cost), len(row_lower)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, lower, upper
    lp.row_lower_, lp.row_upper_ = row_lower, row_upper
    by_row = matrix.format == "csr"
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise if by_row else highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = matrix.indptr.astype(np.int32)
    lp.a_matrix_.index_ = matrix.indices.astype(np.int32)
    lp.a_matrix_.value_ = matrix.data
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, value in {**OPTIONS, **options}.items():
        solver.setOptionValue(name, value)
    solver.passModel(lp)
    return solver


def mark_whole(solver: highspy.Highs, whole: NDArray[np.bool_]) -> None:
    """Let the columns marked in ``whole`` (N,) take whole numbers only."""
    which = np.flatnonzero(whole).astype(np.int32)
    kinds = np.full(len(which), int(highspy.HighsVarType.kInteger), dtype=np.uint8)
    solver.changeColsIntegrality(len(which), which, kinds)
