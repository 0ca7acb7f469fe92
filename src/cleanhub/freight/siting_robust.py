"""Siting under several futures: what to build in the near years without knowing which one comes.

Every scenario is a problem of its own for the same sites and substations; openings and plugs of the years up
to ``shared_until`` are the same in all, everything else follows the scenario. Two ways to weigh them:

- *regret*: make the largest regret small, the most that a scenario's plan falls short of the best
  for that scenario alone (Savage 1951);
- *cvar*: make the mean objective of the worst ``tail`` of the scenarios large (Rockafellar and Uryasev 2000).

All scenarios stand in one programme, so this is for moderate sizes. :func:`rank_survival` asks less: how
much of one plan's choice of sites outlives other headroom and demand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import sparse
from scipy.stats import kendalltau

from cleanhub.core.errors import FaultList, RunError
from cleanhub.core.programme import Matrix
from cleanhub.freight.problem import BoolArray, FloatArray, IntArray, SitingPlan, SitingProblem
from cleanhub.freight.siting import ENOUGH, GAP, NODES, ROUNDS, made_plan, programme_of, solve_siting
from cleanhub.freight.siting_checks import FILE
from cleanhub.freight.siting_cuts import tighten
from cleanhub.freight.siting_model import Model, plugs_of_use, year_weights
from cleanhub.freight.siting_search import settle, whole_columns
from cleanhub.freight.siting_solver import Programme, solve_whole

Measure = Literal["regret", "cvar"]


@dataclass(frozen=True)
class RobustPlan:
    """One plan for each scenario, alike in the shared years.

    ``value`` is what was decided by: the largest regret (to be made small) or the mean objective of the tail
    (to be made large), in the objective's unit; ``bound`` what no choice can better; ``gap`` relative to the
    largest of the scenarios' own best. ``best`` (N,) is the best objective of each scenario alone as a bound,
    ``regret`` (N,) how far its plan stays below it.
    """

    plans: tuple[SitingPlan, ...]
    value: float
    bound: float
    gap: float
    best: FloatArray
    regret: FloatArray
    status: str


def solve_robust(
    problems: Sequence[SitingProblem],
    measure: Measure = "regret",
    shared_until: int | None = None,
    tail: float = 0.2,
    weights: Sequence[float] | None = None,
    gap: float = GAP,
    nodes: int = NODES,
    whole: bool = True,
) -> RobustPlan:
    """Plans for all scenarios with the same openings and plugs until ``shared_until`` (None: in all years).

    Parameters
    ----------
    problems
        Scenarios; sites, substations, years and objective must be the same.
    measure, tail, weights
        ``regret``, or ``cvar`` of the worst share ``tail`` of the scenarios, each with its weight (alike
        unless given).
    gap, nodes, whole
        As of :func:`~cleanhub.freight.siting.solve_siting`.

    Raises
    ------
    InputError
        Where scenarios do not belong together, or one of them has faults.
    """
    share = _checked(problems, tail, weights)
    alone = [solve_siting(problem, gap, nodes, whole=whole) for problem in problems]
    best = np.array([plan.bound for plan in alone])
    use = np.max([plugs_of_use(problem) for problem in problems], axis=0)
    join = _Joined([_tightened(programme_of(problem, whole, use), gap) for problem in problems])
    join.same_until(int(problems[0].years[-1]) if shared_until is None else shared_until)
    if measure == "regret":
        join.largest_regret(best)
    else:
        join.mean_of_tail(share, tail)
    model = join.model()
    kinds = join.whole() if whole else model.integer
    found = solve_whole(replace(model, integer=kinds), gap / 10.0, nodes)
    if found.values is None:
        raise RunError(f"no plan for all scenarios was found within {nodes} nodes; more nodes may find one")
    plans = join.plans(_polished(replace(model, integer=kinds), found.values, join))
    value, bound = model.worth(found.values), found.bound
    sign = -join.unit if measure == "regret" else join.unit
    size = max(float(np.abs(best).max(initial=0.0)), 1e-9)
    return RobustPlan(
        plans=plans,
        value=sign * value,
        bound=sign * bound,
        gap=max(bound - value, 0.0) * join.unit / size,
        best=best,
        regret=best - np.array([plan.objective for plan in plans]),
        status="gap" if found.optimal else "limit",
    )


def _tightened(model: Model, gap: float) -> Model:
    programme = Programme(model)
    if len(model.gain) and programme.relax():
        tighten(programme, ROUNDS, max(gap, 1e-5) / ENOUGH)
    return programme.model


def _polished(model: Model, values: FloatArray, join: _Joined) -> FloatArray:
    """The same choices and the same measure, every scenario's energy as good as it can be with them."""
    lower, upper = model.lower.copy(), model.upper.copy()
    lower[model.integer] = upper[model.integer] = np.round(values[model.integer])
    slack = 1e-9 * np.maximum(np.abs(values[join.width :]), 1.0)
    lower[join.width :] = values[join.width :] - slack
    upper[join.width :] = values[join.width :] + slack
    gain = np.concatenate([*join.gains, np.zeros(len(values) - join.width)])
    programme = Programme(replace(model, gain=gain, lower=lower, upper=upper))
    return programme.values if programme.relax() else values


def _checked(problems: Sequence[SitingProblem], tail: float, weights: Sequence[float] | None) -> FloatArray:
    """Weights that sum to one; raises ``InputError`` where the scenarios do not belong together."""
    faults = FaultList()
    if not problems:
        faults.add(FILE, column="problems", what="no scenario", allowed="one or more")
        faults.raise_if_any("the scenarios")
    first = problems[0]
    for number, problem in enumerate(problems):
        for what, mine, other in (
            ("sites", problem.sites.name, first.sites.name),
            ("substations", problem.grid.name, first.grid.name),
            ("years", problem.years, first.years),
            ("objective", [problem.objective], [first.objective]),
        ):
            if list(mine) != list(other):
                faults.add(FILE, column=what, what=f"scenario {number} has others than scenario 0")
    share = np.ones(len(problems)) if weights is None else np.asarray(weights, dtype=np.float64)
    if share.shape != (len(problems),) or (share < 0).any() or not share.sum() > 0:
        faults.add(
            FILE, column="weights", what="not one weight of 0 or more for each scenario", found=list(share)
        )
    if not 0 < tail <= 1:
        faults.add(FILE, column="tail", what="out of range", found=tail, allowed="more than 0, at most 1")
    faults.raise_if_any("the scenarios")
    return np.asarray(share / share.sum(), dtype=np.float64)


class _Joined:
    """The programmes of all scenarios beside each other, in one unit."""

    def __init__(self, models: list[Model]) -> None:
        self.models = models
        self.unit = max(model.terms.unit for model in models)
        self.first = np.cumsum([0, *(len(model.gain) for model in models)])
        self.gains = [model.gain * (model.terms.unit / self.unit) for model in models]
        self.width = int(self.first[-1])
        self.lower = np.concatenate([model.lower for model in models])
        self.upper = np.concatenate([model.upper for model in models])
        self.extra_gain: FloatArray = np.zeros(0)
        self.extra_lower: FloatArray = np.zeros(0)
        self.rows: list[tuple[sparse.csr_array, FloatArray, FloatArray]] = []

    def same_until(self, year: int) -> None:
        """The same openings and plugs in all scenarios until ``year``; none where one can have none."""
        near = self.models[0].problem.years <= year
        for name in ("plugs", "opens"):
            at_all = np.array(
                [
                    np.where(getattr(model, name) >= 0, getattr(model, name) + start, -1)[:, near].ravel()
                    for model, start in zip(self.models, self.first, strict=False)
                ]
            )
            none = (at_all < 0).any(axis=0)
            shut = at_all[:, none]
            self.upper[shut[shut >= 0]] = 0.0
            both = at_all[:, ~none]
            count = both.shape[1] * (len(both) - 1)
            row = np.tile(np.arange(count), 2)
            column = np.concatenate([both[1:].ravel(), np.tile(both[0], len(both) - 1)])
            value = np.concatenate([np.ones(count), -np.ones(count)])
            table = sparse.csr_array((value, (row, column)), shape=(count, self.width))
            self.rows.append((table, np.zeros(count), np.zeros(count)))

    def largest_regret(self, best: FloatArray) -> None:
        """A column for the largest regret, to be made small."""
        self.extra_gain, self.extra_lower = np.array([-1.0]), np.array([0.0])
        own = np.ones((len(self.models), 1))
        self._objectives(sparse.csr_array(own), best / self.unit)

    def mean_of_tail(self, share: FloatArray, tail: float) -> None:
        """Columns for the edge of the tail and for how far each scenario lies below it."""
        self.extra_gain = np.concatenate([[1.0], -share / tail])
        self.extra_lower = np.concatenate([[-np.inf], np.zeros(len(share))])
        own = np.hstack([-np.ones((len(share), 1)), np.eye(len(share))])
        self._objectives(sparse.csr_array(own), np.zeros(len(share)))

    def _objectives(self, own: sparse.csr_array, least: FloatArray) -> None:
        """One row for each scenario: its objective and its entries ``own`` are at least ``least``."""
        value = sparse.csr_array(sparse.block_diag([gain[None, :] for gain in self.gains]))
        table = sparse.csr_array(sparse.hstack([value, own]))
        self.rows.append((table, least, np.full(len(least), np.inf)))

    def model(self) -> Model:
        """All scenarios as one programme; its shapes are those of the first scenario."""
        more = len(self.extra_gain)
        width = self.width + more
        own = [sparse.csc_array(_parts(m.matrix), shape=m.matrix.shape) for m in self.models]
        blocks = [sparse.block_diag(own), *(row[0] for row in self.rows)]
        tables = [_as_wide(sparse.csr_array(table), width) for table in blocks]
        whole = sparse.csc_array(sparse.vstack(tables))
        return replace(
            self.models[0],
            gain=np.concatenate([np.zeros(self.width), self.extra_gain]),
            lower=np.concatenate([self.lower, self.extra_lower]),
            upper=np.concatenate([self.upper, np.full(more, np.inf)]),
            integer=np.concatenate([*(model.integer for model in self.models), np.zeros(more, dtype=bool)]),
            row_lower=np.concatenate([*(m.row_lower for m in self.models), *(row[1] for row in self.rows)]),
            row_upper=np.concatenate([*(m.row_upper for m in self.models), *(row[2] for row in self.rows)]),
            matrix=Matrix(whole.shape, whole.indptr.astype(int), whole.indices.astype(int), whole.data),
        )

    def whole(self) -> BoolArray:
        """Which columns are whole numbers where plugs are."""
        rest = np.zeros(len(self.extra_gain), dtype=bool)
        return np.concatenate([*(whole_columns(model) for model in self.models), rest])

    def plans(self, values: FloatArray) -> tuple[SitingPlan, ...]:
        """The plan of each scenario."""
        out = []
        for model, start in zip(self.models, self.first, strict=False):
            own = settle(model, values[start : start + len(model.gain)])
            plan = made_plan(model, own, model.worth(own), "shared")
            out.append(plan)
        return tuple(out)


def _parts(matrix: Matrix) -> tuple[FloatArray, IntArray, IntArray]:
    """A matrix as scipy takes its parts."""
    return matrix.data, matrix.indices, matrix.indptr


def _as_wide(table: sparse.csr_array, width: int) -> sparse.csr_array:
    """``table`` with empty columns added on the right."""
    return sparse.csr_array((table.data, table.indices, table.indptr), shape=(table.indptr.size - 1, width))


@dataclass(frozen=True)
class Survival:
    """How much of a plan's choice of sites outlives other headroom and demand.

    ``case`` (C,) names each change; ``chosen`` (S,) the sites that get new plugs in the plan, ``place`` (S,)
    their place by energy delivered at them (1: most; 0: not chosen) and ``places`` (C, S) the same in each
    case. ``share`` is the share of chosen sites that are chosen in every case, ``share_by_case`` (C,) in
    each; ``top`` of the first choices were asked for, ``top_share`` of them stay among the first ``top`` in
    every case; ``order`` (C,) is the rank correlation (Kendall's tau-b) of the places of sites chosen in
    both.
    """

    case: tuple[str, ...]
    chosen: BoolArray
    place: IntArray
    places: IntArray
    share: float
    share_by_case: FloatArray
    top: int
    top_share: float
    order: FloatArray


def rank_survival(
    problem: SitingProblem,
    plan: SitingPlan,
    factors: Sequence[float] = (0.5, 1.5),
    top: int = 10,
    gap: float = 0.03,
    nodes: int = 0,
) -> Survival:
    """Solve again with headroom, then with demand, times each of ``factors``, and compare the sites chosen.

    Demand is the truck-days and those wanted electric. Each case is solved to ``gap`` with ``nodes``.
    """
    cases: list[tuple[str, SitingProblem]] = []
    for factor in factors:
        grid = replace(problem.grid, headroom_kw=problem.grid.headroom_kw * factor)
        cases.append((f"headroom x {factor:g}", replace(problem, grid=grid)))
    for factor in factors:
        more = replace(problem, trucks=problem.trucks * factor, wanted=problem.wanted * factor)
        cases.append((f"demand x {factor:g}", more))
    place = _places(plan)
    places = np.array([_places(solve_siting(case, gap, nodes)) for _, case in cases])
    places = places.reshape(len(cases), len(place))
    chosen, there = place > 0, places > 0
    count = max(int(chosen.sum()), 1)
    first = (place > 0) & (place <= top)
    stays = first & ((places > 0) & (places <= top)).all(axis=0)
    order = [
        _order(place[chosen & kept], other[chosen & kept]) for kept, other in zip(there, places, strict=True)
    ]
    return Survival(
        case=tuple(name for name, _ in cases),
        chosen=chosen,
        place=place,
        places=places,
        share=float((chosen & there.all(axis=0)).sum()) / count,
        share_by_case=(there & chosen).sum(axis=1) / count,
        top=top,
        top_share=float(stays.sum()) / max(int(first.sum()), 1),
        order=np.array(order),
    )


def _places(plan: SitingPlan) -> IntArray:
    """Place of each site with new plugs by its energy, discounted, (S,); 1 is the most, 0 not chosen."""
    energy = np.zeros(len(plan.opened))
    np.add.at(energy, plan.problem.pair_site, plan.delivered @ year_weights(plan.problem))
    energy = np.where(plan.opened > 0, energy, -1.0)
    place = np.empty(len(energy), dtype=np.int64)
    place[np.argsort(-energy, kind="stable")] = np.arange(1, len(energy) + 1)
    return np.where(plan.opened > 0, place, 0)


def _order(mine: IntArray, other: IntArray) -> float:
    """Kendall's tau-b of two rankings; 1 where there is nothing to rank."""
    return float(kendalltau(mine, other).statistic) if len(mine) > 1 else 1.0
