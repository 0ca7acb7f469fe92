"""The solver gets the programme as it is: by column or by row, whole or in fractions."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
import pytest
from scipy import sparse

from cleanhub.core.programme import OPTIONS, loaded_solver, mark_whole

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


@pytest.mark.parametrize("form", [sparse.csc_array, sparse.csr_array, sparse.csr_matrix])
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
