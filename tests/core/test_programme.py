"""The solver gets the programme as it is: by column or by row, whole or in fractions."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import highspy
import numpy as np
import pytest
from scipy import sparse

from cleanhub.core.programme import OPTIONS, Matrix, compressed, loaded_solver, mark_whole

COST = np.array([-3.0, -2.0])
ROWS = np.array([[2.0, 1.0], [1.0, 3.0]])
LOWER, UPPER = np.zeros(2), np.full(2, np.inf)
LEAST, MOST = np.full(2, -np.inf), np.array([4.5, 6.0])


def solver_of(matrix: Any, **options: Any) -> highspy.Highs:
    return loaded_solver(COST, LOWER, UPPER, LEAST, MOST, matrix, **options)


def solved(solver: highspy.Highs) -> tuple[list[float], float]:
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return list(solver.getSolution().col_value), solver.getInfo().objective_function_value


def by_column(dense: np.ndarray[Any, np.dtype[np.float64]]) -> Matrix:
    row, column = np.nonzero(dense)
    return Matrix.of(row, column, dense[row, column], dense.shape)


@pytest.mark.parametrize("form", [sparse.csc_array, sparse.csr_array, sparse.csr_matrix, by_column])
def test_by_column_and_by_row_it_is_the_same_programme(form: Any) -> None:
    values, cost = solved(solver_of(form(ROWS)))
    assert values == pytest.approx([1.5, 1.5])
    assert cost == pytest.approx(-7.5)


def test_marked_columns_are_whole_and_the_others_are_not() -> None:
    solver = solver_of(sparse.csc_array(ROWS))
    mark_whole(solver, np.array([True, False]))
    values, cost = solved(solver)
    assert values == pytest.approx([2.0, 0.5])  # x = 1 with y = 5/3 is worth 6.33 only
    assert cost == pytest.approx(-7.0)


def test_options_come_on_top_of_one_thread_and_a_fixed_seed() -> None:
    solver = solver_of(sparse.csc_array(ROWS), mip_rel_gap=0.25)
    assert solver.getOptionValue("mip_rel_gap")[1] == 0.25
    for name, value in OPTIONS.items():
        assert solver.getOptionValue(name)[1] == value


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("shape", [(7, 5), (1, 9), (4, 0), (0, 3)])
def test_a_matrix_is_that_of_scipy_to_the_last_bit(seed: int, shape: tuple[int, int]) -> None:
    draw = np.random.default_rng(seed)
    rows, columns = shape
    count = 12 if rows and columns else 0
    row, column = draw.integers(0, max(rows, 1), count), draw.integers(0, max(columns, 1), count)
    value = draw.normal(size=count)
    mine, other = Matrix.of(row, column, value, shape), sparse.coo_array((value, (row, column)), shape=shape)
    by_column = sparse.csc_array(other)
    for part in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(mine, part), getattr(by_column, part))
    across, down = draw.normal(size=columns), draw.normal(size=rows)
    np.testing.assert_array_equal(mine @ across, by_column @ across)
    np.testing.assert_array_equal(mine.transposed_times(down), by_column.T @ down)
    by_row = sparse.csr_array(other)
    for got, wanted in zip(
        compressed(row, column, value, shape), (by_row.indptr, by_row.indices, by_row.data), strict=True
    ):
        np.testing.assert_array_equal(got, wanted)


def test_rows_come_below_those_of_the_matrix() -> None:
    more = np.array([[0.0, 5.0], [7.0, 0.0]])
    row, column = np.nonzero(more)
    got = by_column(ROWS).with_rows(row, column, more[row, column], 2)
    assert got.shape == (4, 2)
    np.testing.assert_array_equal(
        got @ np.array([1.0, 10.0]), np.vstack([ROWS, more]) @ np.array([1.0, 10.0])
    )
    none = np.zeros(0, dtype=np.int64)
    assert by_column(ROWS).with_rows(none, none, np.zeros(0), 0).shape == (2, 2)


@pytest.mark.parametrize("module", ["cleanhub.freight.serve", "cleanhub.pathways.optimal"])
def test_a_programme_is_solved_without_what_is_slow_to_import(module: str) -> None:
    code = f"import sys, {module}; print([m for m in ('scipy', 'duckdb') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
