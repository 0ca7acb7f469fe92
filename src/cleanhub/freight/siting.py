"""Which charging sites open when, how large, behind which grid upgrades, and who charges there.

``solve_siting`` finds the plan with the largest objective and says how far from the best it can be at the
most; ``assign`` serves trucks with what a plan has built. The programme is in
:mod:`cleanhub.freight.siting_model`, the reasons on the model page docs/models/siting.md.

The way to a plan: relax openings and tiers to fractions; tighten (:mod:`cleanhub.freight.siting_cuts`), which
gives the bound; dive to whole openings (:mod:`cleanhub.freight.siting_search`); where the gap is still
too wide, search the neighbourhood of that plan, then branch and bound from it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cleanhub.core.errors import FaultList
from cleanhub.freight.problem import FloatArray, IntArray, SitingPlan, SitingProblem
from cleanhub.freight.siting_checks import FILE, check_problem
from cleanhub.freight.siting_cuts import tighten
from cleanhub.freight.siting_model import (
    THOUSAND,
    TIE_BREAK,
    Model,
    build_model,
    build_terms,
    opening_costs,
    standing_plugs,
)
from cleanhub.freight.siting_search import (
    WHOLE,
    at,
    dive,
    settle,
    whole_columns,
    whole_plugs,
    with_plugs,
    within_budget,
)
from cleanhub.freight.siting_solver import Programme, solve_whole

GAP = 0.01
"""The search ends when no plan can be better than the one found by more than this share."""
NODES = 200
"""Nodes of branch and bound after which the best plan so far is taken; 0 for none at all."""
ROUNDS = 10
"""Rounds of tightening at the most."""
ENOUGH = 5.0
"""Tightening ends when a round lowers the bound by less than the gap asked for over this."""
NEAR_NODES = 20
"""Nodes of the search near the first plan."""


def solve_siting(
    problem: SitingProblem,
    gap: float = GAP,
    nodes: int = NODES,
    seconds: float | None = None,
    start: SitingPlan | None = None,
    fixed: SitingPlan | None = None,
    whole: bool = True,
) -> SitingPlan:
    """The plan with the largest objective.

    Parameters
    ----------
    problem
        What is decided on; it is not changed.
    gap, nodes
        The search ends at this relative gap, or after so many nodes of branch and bound; with 0 nodes the
        first plan is taken and its gap told.
    seconds
        Time that branch and bound may take; the plan then depends on the machine. None inside of plans.
    start
        A plan for the same sites and substations, perhaps of other years, to improve on.
    fixed
        A plan whose openings and tiers are taken as they are; only plugs and energy are decided.
    whole
        Plugs are whole numbers; the bound allows fractions of them until branch and bound.

    Raises
    ------
    InputError
        With every fault of ``problem``, and where ``start`` or ``fixed`` has other sites or substations.
    """
    check_problem(problem)
    model = programme_of(problem, whole)
    if not len(model.gain):
        return replace(made_plan(model, np.zeros(0), 0.0, "nothing to decide"), free_bound=0.0)
    search = _Search(model if fixed is None else _with_openings(model, fixed), gap, whole)
    plan = _searched(search, nodes, seconds, start)
    if fixed is None:
        return plan
    # the solver goes on from what is fixed to what is not: sooner there than from nothing
    return replace(plan, free_bound=search.bound_within(model.lower, model.upper))


def _searched(search: _Search, nodes: int, seconds: float | None, start: SitingPlan | None) -> SitingPlan:
    """The best plan that the steps of ``search`` find, one after the other while its gap is too wide."""
    if not search.begin():
        plan = made_plan(search.model, search.best, search.value, "nothing fits what is fixed")
        return replace(plan, free_bound=0.0)
    if start is not None:
        search.try_openings(_openings(search.model, start))
    search.dive()
    if search.gap_left() > search.gap and nodes > 0:
        search.tighten_again()
    if search.gap_left() > search.gap and nodes > 0:
        search.branch(nodes, seconds)
    return search.plan()


def _with_openings(model: Model, plan: SitingPlan) -> Model:
    """``model`` with its openings and tiers held at those of ``plan``."""
    shut = _openings(model, plan)
    which = np.flatnonzero(model.integer)
    lower, upper = model.lower.copy(), model.upper.copy()
    lower[which] = upper[which] = shut[which]
    return model.within(lower, upper)


def programme_of(problem: SitingProblem, whole: bool = True, use: FloatArray | None = None) -> Model:
    """The programme of ``problem`` with room for whole plugs, or for fractions of plugs too.

    ``use`` (S,) is the number of plugs of a site beyond which none is of use, if not what its own groups
    could take.
    """
    terms = build_terms(problem, use=use)
    return build_model(problem, replace(terms, room=np.floor(terms.room + WHOLE)) if whole else terms)


class _Search:
    """The best solution and bound so far of one model."""

    def __init__(self, model: Model, gap: float, whole: bool) -> None:
        self.gap, self.whole = gap, whole
        self.programme = Programme(model)
        self.lower, self.upper = model.lower, model.upper
        self.free = bool((model.lower[model.integer] == 0).all())
        self.best: FloatArray = np.zeros(len(model.gain))
        self.best[model.integer] = model.lower[model.integer]
        self.value = model.worth(self.best)
        self.bound = self.first_bound = np.inf
        self.status = "gap"

    @property
    def model(self) -> Model:
        """The model with the rows that tighten it."""
        return self.programme.model

    def gap_left(self) -> float:
        """How far the best solution can be from the best of all."""
        return relative_gap(self.value, self.bound)

    def begin(self) -> bool:
        """Relax, tighten, and take the bound; False when nothing fits what is fixed."""
        if not self.programme.relax():
            return False
        self.first_bound = self.programme.bound()
        self.relaxed = tighten(self.programme, ROUNDS, max(self.gap, 1e-5) / ENOUGH)
        self.bound = self.programme.bound()
        return True

    def bound_within(self, lower: FloatArray, upper: FloatArray) -> float:
        """What no solution within other bounds on the columns exceeds, in the objective's unit."""
        self.programme.widen(lower, upper)
        return self.programme.bound() * self.model.terms.unit if self.programme.relax() else 0.0

    def tighten_again(self) -> None:
        """Tighten as far as pays before branching, and dive once more from there."""
        self.programme.set_bounds(self.lower, self.upper)
        if self.programme.relax():
            self.relaxed = tighten(self.programme, ROUNDS, max(self.gap, 1e-5) / ENOUGH**2)
            self.bound = min(self.bound, self.programme.bound())
            self.take(dive(self.programme, self.lower, self.upper))

    def dive(self) -> None:
        """From the relaxed solution to whole openings."""
        self.programme.set_bounds(self.lower, self.upper)
        if self.programme.relax():
            self.take(dive(self.programme, self.lower, self.upper))

    def try_openings(self, openings: FloatArray) -> None:
        """The best plan with these openings, if it fits."""
        which = np.flatnonzero(self.model.integer)
        lower, upper = self.lower.copy(), self.upper.copy()
        lower[which] = upper[which] = openings[which]
        self.programme.set_bounds(lower, upper)
        if self.programme.relax():
            self.take(self.programme.values)

    def branch(self, nodes: int, seconds: float | None) -> None:
        """Search where the best plan and the fractions differ; then, where that is not enough, everywhere."""
        model = self.model
        which = np.flatnonzero(model.integer)
        same = which[np.abs(self.best[which] - self.relaxed[which]) < WHOLE]
        lower, upper = self.lower.copy(), self.upper.copy()
        lower[same] = upper[same] = np.round(self.best[same])
        near = solve_whole(
            model.within(lower, upper), self.gap / 2.0, min(nodes, NEAR_NODES), self.best, seconds
        )
        self.take(near.values)
        if self.gap_left() <= self.gap:
            return
        whole = whole_columns(model) if self.whole else model.integer
        found = solve_whole(replace(model, integer=whole), self.gap, nodes, self.best, seconds)
        self.take(found.values)
        self.bound = min(self.bound, found.bound)

    def take(self, values: FloatArray | None) -> None:
        """Keep ``values`` when, with whole plugs where asked, it is better than the best so far."""
        if values is None:
            return
        values = self._with_whole_plugs(values) if self.whole else values
        values = settle(self.model, values) if self.free else values
        value = self.model.worth(values)
        if value > self.value:
            self.best, self.value = values, value

    def _with_whole_plugs(self, values: FloatArray) -> FloatArray:
        """The same openings with whole plugs; nothing at all where none fit."""
        model = self.model
        plugs = at(model.plugs, values)
        tries = (
            np.round(plugs) if np.allclose(plugs, np.round(plugs), rtol=0, atol=WHOLE) else None,
            whole_plugs(model, values),
            np.floor(plugs + WHOLE),
        )
        for rounded in tries:
            found = None if rounded is None else with_plugs(self.programme, values, rounded)
            if found is not None and within_budget(model, found):
                return found
        return self.best

    def plan(self) -> SitingPlan:
        """The best plan so far."""
        if self.gap_left() > self.gap:
            self.status = "limit"
        plan = made_plan(self.model, self.best, self.bound, self.status)
        return replace(plan, free_bound=self.first_bound * self.model.terms.unit)


def relative_gap(value: float, bound: float) -> float:
    """How far ``bound`` lies above ``value``, relative to it; 1 where ``value`` is 0 and ``bound`` is not."""
    over = max(bound - value, 0.0)
    if over <= 1e-9 * max(abs(bound), 1e-9):
        return 0.0
    return over / abs(value) if value != 0.0 else 1.0


def assign(problem: SitingProblem, plan: SitingPlan) -> SitingPlan:
    """What the sites, plugs and tiers of ``plan`` serve of ``problem``: as many truck-days as they can.

    ``problem`` may have other trucks, energy, batteries, pairs or headroom than the plan was made for, and
    other years; its sites and substations must be the same. Where a substation bears fewer plugs than the
    plan has put there, each of its sites runs the same share of them. Of plans that serve as many, the one
    worth most is taken. The objective counts only what is served; capital is that of ``plan``.
    """
    check_problem(problem)
    new = _stretched(problem, plan)
    running = standing_plugs(problem) + new * _borne(problem, new, plan.tiers)[problem.sites.substation]
    model = build_model(problem, build_terms(problem, running))
    worth = float(np.abs(model.gain).max(initial=0.0))
    first = replace(model, gain=1.0 + (TIE_BREAK / worth if worth > 0 else 0.0) * model.gain)
    programme = Programme(first)
    values = programme.values
    if len(values):
        programme.relax()
        values = programme.values
    made = made_plan(model, values, model.worth(values), "assigned")
    capex, grid = _spent(problem, new, plan.tiers)
    return replace(
        made,
        plugs=standing_plugs(problem) + new,
        opened=plan.opened,
        tiers=plan.tiers,
        capex_usd=capex,
        grid_usd=grid,
    )


def _same_places(problem: SitingProblem, plan: SitingPlan) -> None:
    """Raise ``InputError`` where ``plan`` was made for other sites, substations or tiers."""
    faults = FaultList()
    was = plan.problem
    for what, mine, other in (
        ("sites", problem.sites.name, was.sites.name),
        ("substations", problem.grid.name, was.grid.name),
        ("tiers", problem.grid.tier, was.grid.tier),
    ):
        if list(mine) != list(other):
            faults.add(
                FILE,
                column=what,
                what="not those of the plan",
                found=len(mine),
                allowed=f"the plan's {len(other)}",
            )
    faults.raise_if_any("the plan to go by")


def _stretched(problem: SitingProblem, plan: SitingPlan) -> FloatArray:
    """New plugs of ``plan`` in the years of ``problem``, (S, T): those of the plan's last year until then."""
    _same_places(problem, plan)
    new = plan.plugs - standing_plugs(plan.problem)
    position = np.searchsorted(plan.problem.years, problem.years, side="right") - 1
    return np.asarray(np.where(position >= 0, new[:, np.maximum(position, 0)], 0.0), dtype=np.float64)


def _serving(problem: SitingProblem, tiers: IntArray) -> FloatArray:
    """Whether tiers that begin in the years ``tiers`` (U, K; 0: never) serve, (U, K, T), 0 or 1."""
    since = tiers[:, :, None]
    return np.asarray((since > 0) & (since <= problem.years), dtype=np.float64)


def _borne(problem: SitingProblem, new: FloatArray, tiers: IntArray) -> FloatArray:
    """Share of the new plugs (S, T) that each substation bears, (U, T)."""
    sites, grid = problem.sites, problem.grid
    asked = np.zeros((len(grid.name), new.shape[1]))
    np.add.at(asked, sites.substation, (grid.coincidence * sites.plug_kw)[:, None] * new)
    bears = grid.headroom_kw[:, None] + (grid.tier_kw[:, :, None] * _serving(problem, tiers)).sum(axis=1)
    share = np.divide(bears, asked, out=np.ones_like(asked), where=asked > bears * (1 + 1e-9))
    return np.asarray(share, dtype=np.float64)


def _openings(model: Model, plan: SitingPlan) -> FloatArray:
    """The openings and tiers of ``plan`` as values of the columns of ``model``; 0 in all other columns."""
    problem = model.problem
    _same_places(problem, plan)
    out = np.zeros(len(model.gain))
    opened = (plan.opened[:, None] > 0) & (plan.opened[:, None] <= problem.years)
    keep = model.opens >= 0
    out[model.opens[keep]] = opened[keep]
    keep = model.tiers >= 0
    out[model.tiers[keep]] = _serving(problem, plan.tiers)[keep]
    return out


def _spent(problem: SitingProblem, new: FloatArray, tiers: IntArray) -> tuple[FloatArray, FloatArray]:
    """Capital spent in each year on sites and plugs, and on the grid, (T,) each [USD]."""
    sites = problem.sites
    opened = (new > WHOLE) & opening_costs(problem)[:, None]
    capital = sites.usd_per_plug[:, None] * new + sites.fixed_usd[:, None] * opened
    grid = (problem.grid.tier_usd[:, :, None] * _serving(problem, tiers)).sum(axis=(0, 1))
    return np.diff(capital.sum(axis=0), prepend=0.0), np.diff(grid, prepend=0.0)


def made_plan(
    model: Model, values: FloatArray, bound: float, status: str, notes: tuple[str, ...] = ()
) -> SitingPlan:
    """The plan that ``values`` of the columns of ``model`` make."""
    problem, terms = model.problem, model.terms
    trucks = np.maximum(at(model.flow, values), 0.0)
    served = np.zeros(problem.trucks.shape)
    np.add.at(served, problem.pair_group, trucks)
    new = np.maximum(at(model.plugs, values), 0.0)
    new = np.where(np.abs(new - np.round(new)) < WHOLE, np.round(new), new)
    years = problem.years
    stands, serves = new > WHOLE, at(model.tiers, values) > 0.5
    tiers = np.where(serves.any(axis=2), years[np.argmax(serves, axis=2)], 0)
    capex, grid = _spent(problem, new, tiers)
    value = model.worth(values)
    bound = max(bound, value)
    return SitingPlan(
        problem=problem,
        plugs=terms.standing + new,
        opened=np.where(stands.any(axis=1), years[np.argmax(stands, axis=1)], 0),
        tiers=tiers,
        delivered=trucks * terms.energy_mwh[:, None] * THOUSAND,
        served=served,
        capex_usd=capex,
        grid_usd=grid,
        objective=value * terms.unit,
        bound=bound * terms.unit,
        gap=relative_gap(value, bound),
        status=status,
        notes=notes,
    )
