"""A linear programme handed to the solver: matrices as they are, one thread, fixed seed, silent.

:class:`Matrix` holds what most programmes need of a sparse matrix: scipy's, which the solver takes too, is
slow to import.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import highspy
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy import sparse

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
OPTIONS = {"output_flag": False, "threads": 1, "random_seed": 0}


@dataclass(frozen=True)
class Matrix:
    """A sparse matrix (R, N) by column, with the names that scipy gives the parts of its own.

    The entries of column ``j`` are those from ``indptr[j]`` to ``indptr[j + 1]`` of ``data``, in the rows
    ``indices``, ascending.
    """

    shape: tuple[int, int]
    indptr: IntArray
    indices: IntArray
    data: FloatArray
    format: ClassVar[str] = "csc"

    @classmethod
    def of(cls, row: IntArray, column: IntArray, value: FloatArray, shape: tuple[int, int]) -> Matrix:
        """The matrix of entries (E,) in any order; those in the same place are added up."""
        indptr, indices, data = compressed(column, row, value, shape[::-1])
        return cls(shape, indptr, indices, data)

    @property
    def columns(self) -> IntArray:
        """The column of each entry."""
        return np.repeat(np.arange(self.shape[1]), np.diff(self.indptr))

    def __matmul__(self, values: FloatArray) -> FloatArray:
        """The rows' sums for ``values`` (N,) of the columns, (R,)."""
        summed = np.bincount(self.indices, self.data * values[self.columns], minlength=self.shape[0])
        return np.asarray(summed, dtype=np.float64)

    def transposed_times(self, values: FloatArray) -> FloatArray:
        """The columns' sums for ``values`` (R,) of the rows, (N,)."""
        summed = np.bincount(self.columns, self.data * values[self.indices], minlength=self.shape[1])
        return np.asarray(summed, dtype=np.float64)

    def with_rows(self, row: IntArray, column: IntArray, value: FloatArray, count: int) -> Matrix:
        """The matrix with ``count`` rows more, of these entries (E,)."""
        rows, columns = self.shape
        return Matrix.of(
            np.concatenate([self.indices, row + rows]),
            np.concatenate([self.columns, column]),
            np.concatenate([self.data, value]),
            (rows + count, columns),
        )


def compressed(
    line: IntArray, place: IntArray, value: FloatArray, shape: tuple[int, int]
) -> tuple[IntArray, IntArray, FloatArray]:
    """Entries (E,) sorted by line, and by place within it; those in the same place are added up.

    Returns where each line starts and the last one ends (L + 1,), the place and the value of each entry.
    ``shape`` is the number of lines and of places.
    """
    lines, places = shape
    key = line.astype(np.int64) * places + place
    order = np.argsort(key, kind="stable")
    key, value = key[order], value[order]
    first = np.ones(len(key), dtype=bool)
    first[1:] = key[1:] != key[:-1]
    if not first.all():
        value = np.asarray(np.bincount(np.cumsum(first) - 1, weights=value), dtype=np.float64)
        key = key[first]
    start = np.searchsorted(key, np.arange(lines + 1) * places)
    return start, key % max(places, 1), value


def loaded_solver(
    cost: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    row_lower: FloatArray,
    row_upper: FloatArray,
    matrix: Matrix | sparse.csc_array | sparse.csr_array | sparse.csr_matrix,
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
    lp.a_matrix_.start_ = matrix.indptr.tolist()  # lists: the solver takes whole numbers one by one
    lp.a_matrix_.index_ = matrix.indices.tolist()
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
