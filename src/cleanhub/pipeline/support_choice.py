"""The choice of packages within slots and money: an integer programme, its bound, and a search of everything.

At most one package for each candidate. The value of a set is the sum of its packages' values and of the
synergies of its pairs; a product of two choices is a column ``z`` with ``z <= x_a``, ``z <= x_b`` where the
synergy is a gain, ``z >= x_a + x_b - 1`` where it is a loss (Glover and Woolsey 1974).
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from scipy import sparse

from cleanhub.core.programme import loaded_solver, mark_whole
from cleanhub.pipeline.problem import BoolArray, FloatArray, IntArray

GAP = 1e-6
"""Gap at which the search ends [1]."""
NODES = 200_000
"""Most nodes that it looks at."""
_TIGHT = 1e-9
_SLACK = 1e-9
"""Money over the budget that counts as none, as a share of it."""


@dataclass(frozen=True)
class SupportProblem:
    """Packages to choose from.

    Attributes
    ----------
    candidate
        Candidate of each package, (K,).
    value
        What it adds alone, (K,) [t CO2e].
    cost, public
        Its cost on the budget and on the public budget, (K,) [USD], at least 0.
    slot
        Whether it takes a slot, (K,).
    pairs, extra
        Pairs of packages of different candidates, (S, 2), and what both add over the sum, (S,) [t CO2e].
    slots, budget, public_budget
        What there is; infinity for a public budget without end.
    """

    candidate: IntArray
    value: FloatArray
    cost: FloatArray
    public: FloatArray
    slot: BoolArray
    pairs: IntArray
    extra: FloatArray
    slots: int
    budget: float
    public_budget: float = np.inf

    def value_of(self, picked: BoolArray) -> FloatArray:
        """Value of sets of packages, (..., K) bool to (...) [t CO2e]."""
        both = picked[..., self.pairs[:, 0]] & picked[..., self.pairs[:, 1]]
        return np.asarray(picked @ self.value + both @ self.extra)

    def fits(self, picked: BoolArray) -> BoolArray:
        """Whether sets of packages are within slots and money, (..., K) bool to (...)."""
        return np.asarray(
            (picked @ self.slot.astype(float) <= self.slots)
            & (picked @ self.cost <= self.budget * (1.0 + _SLACK))
            & (picked @ self.public <= self.public_budget * (1.0 + _SLACK))
        )


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Attributes
    ----------
    picked
        Positions of packages, rising, (C,).
    value
        Its value [t CO2e].
    bound
        What no choice can exceed [t CO2e].
    gap
        Bound less value, over the value [1].
    status
        ``optimal``, or ``limit`` where the search ended before.
    """

    picked: IntArray
    value: float
    bound: float
    gap: float
    status: str


def choose(problem: SupportProblem, gap: float = GAP, nodes: int = NODES) -> Choice:
    """The set of packages of greatest value, by branch and bound (HiGHS, one thread, by nodes, not by time).

    Raises ``ValueError`` for slots or money below 0.
    """
    if problem.slots < 0 or problem.budget < 0.0 or problem.public_budget < 0.0:
        raise ValueError("slots and money must be at least 0")
    alone = problem.fits(np.eye(len(problem.value), dtype=bool))
    places = np.flatnonzero(alone)
    if not len(places):
        return Choice(places, 0.0, 0.0, 0.0, "optimal")
    small = _only(problem, alone)
    scale = max(float(np.abs(small.value).max()), 1e-12)
    matrix, upper = _rows(small)
    width = matrix.shape[1]
    solver = loaded_solver(
        -np.concatenate([small.value, small.extra]) / scale,
        np.zeros(width),
        np.ones(width),
        np.full(len(upper), -np.inf),
        upper,
        matrix,
        mip_rel_gap=gap,
        mip_abs_gap=0.0,
        mip_feasibility_tolerance=_TIGHT,
        primal_feasibility_tolerance=_TIGHT,
    )
    solver.setOptionValue("mip_max_nodes", nodes)
    mark_whole(solver, np.arange(width) < len(small.value))
    solver.run()
    info = solver.getInfo()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    picked = np.zeros(len(small.value), dtype=bool)
    if found:
        picked = np.array(solver.getSolution().col_value, dtype=np.float64)[: len(picked)] > 0.5
    value = float(small.value_of(picked))
    bound = max(-float(info.mip_dual_bound) * scale, value)
    optimal = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    apart = (bound - value) / max(abs(value), 1e-12 * scale) if bound > value else 0.0
    return Choice(places[picked], value, bound, apart, "optimal" if optimal else "limit")


def _only(problem: SupportProblem, kept: BoolArray) -> SupportProblem:
    """The problem without packages that do not fit alone."""
    place = np.cumsum(kept) - 1
    pairs = kept[problem.pairs].all(axis=1)
    return SupportProblem(
        problem.candidate[kept],
        problem.value[kept],
        problem.cost[kept],
        problem.public[kept],
        problem.slot[kept],
        place[problem.pairs[pairs]].reshape(-1, 2),
        problem.extra[pairs],
        problem.slots,
        problem.budget,
        problem.public_budget,
    )


def _rows(problem: SupportProblem) -> tuple[sparse.csr_array, FloatArray]:
    """Rows of the programme at or below their right sides; columns are packages, then products of pairs."""
    one_each = (problem.candidate == np.unique(problem.candidate)[:, None]).astype(float)
    money = [problem.slot.astype(float)]
    sides = [float(problem.slots)]
    for cost, limit in ((problem.cost, problem.budget), (problem.public, problem.public_budget)):
        if np.isfinite(limit) and cost.any():
            money.append(cost / max(limit, 1e-300))
            sides.append(1.0)
    packages = sparse.csr_array(np.vstack([one_each, money]))
    plain = sparse.hstack([packages, sparse.csr_array((packages.shape[0], len(problem.extra)))])
    rows, upper = _products(problem)
    matrix = sparse.csr_array(sparse.vstack([plain, rows]))
    return matrix, np.concatenate([np.ones(len(one_each)), sides, upper])


def _products(problem: SupportProblem) -> tuple[sparse.csr_array, FloatArray]:
    """Rows that make each column of a pair the product of its two packages, and their right sides."""
    count = len(problem.value)
    gains, losses = np.flatnonzero(problem.extra > 0.0), np.flatnonzero(problem.extra <= 0.0)
    # z - x <= 0 for both of a gain; x_a + x_b - z <= 1 for a loss
    of_gain = np.arange(2 * len(gains))
    of_loss = np.arange(len(losses)) + 2 * len(gains)
    product = count + np.tile(gains, 2)
    package = problem.pairs[gains].T.ravel()
    row = np.concatenate([of_gain, of_gain, of_loss, of_loss, of_loss])
    column = np.concatenate([product, package, count + losses, *problem.pairs[losses].T])
    one = np.ones(len(of_gain)), np.ones(len(of_loss))
    value = np.concatenate([one[0], -one[0], -one[1], one[1], one[1]])
    shape = (2 * len(gains) + len(losses), count + len(problem.extra))
    upper = np.concatenate([np.zeros(len(of_gain)), np.ones(len(of_loss))])
    return sparse.csr_array((value, (row, column)), shape=shape), upper
