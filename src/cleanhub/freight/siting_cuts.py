"""Rows that tighten the relaxation of siting without touching any plan of whole openings.

Two kinds, added where the last relaxed solution breaks them:

- *linking*: a pair serves no more truck-days than its group has, and none unless its site is open.
- *tiers*: of the plugs of a substation, take any set. Their power keeps within the headroom and what the
  tiers give, and never exceeds what fits at those sites; so a tier need count for no more than what the set
  can use beyond the headroom and the tiers before it (a flow cover inequality: Padberg, Van Roy and Wolsey
  1985). The same with groups of truck-days in place of sites, whose trucks bound the power they draw.
"""

from __future__ import annotations

import numpy as np

from cleanhub.freight.problem import FloatArray, IntArray
from cleanhub.freight.siting_model import THOUSAND, Model
from cleanhub.freight.siting_solver import Programme, Rows

BROKEN = 1e-3
"""By how much of its own size (trucks, MW) a row must be broken to be added."""


def tighten(programme: Programme, rounds: int, least: float = 2e-4) -> FloatArray:
    """Add broken rows and solve again, at most ``rounds`` times or until the value falls by less than
    ``least``.

    Gives the last relaxed solution. The programme must have been relaxed once.
    """
    maker = _Cuts(programme.model)
    for _ in range(rounds):
        before = programme.value
        parts = maker.linking(programme.values) + maker.tiers(programme.values)
        if not parts:
            break
        programme.add(Rows.join(parts))
        if not programme.relax():
            break
        if before - programme.value < least * abs(programme.value):
            break
    return programme.values


class _Cuts:
    """Finds the broken rows of one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        problem, terms = model.problem, model.terms
        sites, grid, site = problem.sites, problem.grid, problem.pair_site
        linked = (model.flow >= 0) & (model.opens[site] >= 0)
        self.flow, self.open = model.flow[linked], model.opens[site][linked]
        per_plug = np.maximum(sites.kwh_per_plug / THOUSAND, 1e-12)
        fits = (terms.room * per_plug[:, None])[site] / np.maximum(terms.energy_mwh, 1e-12)[:, None]
        self.most = np.minimum(model.upper[self.flow], fits[linked])
        self.linked = np.zeros(len(self.flow), dtype=bool)
        self.plug_mw = grid.coincidence * sites.plug_kw / THOUSAND
        self.truck_mw = terms.energy_mwh * (self.plug_mw / per_plug)[site]
        self.tier_mw = grid.tier_kw / THOUSAND
        self.sites = [np.flatnonzero(sites.substation == u) for u in range(len(grid.name))]
        station = sites.substation[site]
        self.pairs = [np.flatnonzero(station == u) for u in range(len(grid.name))]

    def linking(self, values: FloatArray) -> list[Rows]:
        """Pairs that serve more than the openness of their site lets them."""
        over = values[self.flow] - self.most * values[self.open]
        new = (over > BROKEN * np.maximum(self.most, 1e-9)) & (over > BROKEN) & ~self.linked
        self.linked |= new
        count = int(new.sum())
        if not count:
            return []
        row = np.tile(np.arange(count), 2)
        column = np.concatenate([self.flow[new], self.open[new]])
        return [Rows(row, column, np.concatenate([np.ones(count), -self.most[new]]), np.zeros(count))]

    def tiers(self, values: FloatArray) -> list[Rows]:
        """Broken tier rows, at most two for each substation and year."""
        model = self.model
        there = (model.tiers >= 0).any(axis=1)
        out: list[Rows] = []
        for u, t in np.argwhere(there):
            tier = model.tiers[u, :, t]
            real = tier >= 0
            headroom = model.problem.grid.headroom_kw[u] / THOUSAND
            given = (tier[real], self.tier_mw[u, real], values[tier[real]])
            out += self._of_sites(values, int(u), int(t), headroom, given)
            out += self._of_groups(values, int(u), int(t), headroom, given)
        return out

    def _of_sites(
        self,
        values: FloatArray,
        u: int,
        t: int,
        headroom: float,
        given: tuple[IntArray, FloatArray, FloatArray],
    ) -> list[Rows]:
        model = self.model
        sites = self.sites[u][model.plugs[self.sites[u], t] >= 0]
        if not len(sites):
            return []
        column = model.plugs[sites, t]
        chosen, weight = _best_set(
            self.plug_mw[sites] * values[column],
            self.plug_mw[sites] * model.terms.room[sites, t],
            headroom,
            given,
        )
        return _row(column[chosen], self.plug_mw[sites][chosen], given[0], weight, headroom)

    def _of_groups(
        self,
        values: FloatArray,
        u: int,
        t: int,
        headroom: float,
        given: tuple[IntArray, FloatArray, FloatArray],
    ) -> list[Rows]:
        model, problem = self.model, self.model.problem
        pairs = self.pairs[u][model.flow[self.pairs[u], t] >= 0]
        column = model.flow[pairs, t]
        draw = self.truck_mw[pairs] * values[column]
        active = draw > 1e-9
        if not active.any():
            return []
        groups, of = np.unique(problem.pair_group[pairs], return_inverse=True)
        # a set may hold, for each group, the pairs that draw no more per truck-day than those in use
        heavy = np.zeros(len(groups))
        np.maximum.at(heavy, of[active], self.truck_mw[pairs][active])
        most = heavy * np.minimum(problem.trucks[groups, t], problem.wanted[t])
        standing = float(self.plug_mw[self.sites[u]] @ model.terms.standing[self.sites[u], t])
        used = np.bincount(of, draw, minlength=len(groups)).astype(np.float64)
        order = np.flatnonzero(heavy > 0)
        chosen, weight = _best_set(used[order], most[order], headroom + standing, given)
        keep = np.isin(of, order[chosen]) & (self.truck_mw[pairs] <= heavy[of] * (1 + 1e-12))
        return _row(column[keep], self.truck_mw[pairs][keep], given[0], weight, headroom + standing)


def _best_set(
    used: FloatArray, most: FloatArray, headroom: float, given: tuple[IntArray, FloatArray, FloatArray]
) -> tuple[IntArray, FloatArray]:
    """The set whose tier row is broken most, and what each tier counts in it; empty when none is broken.

    Tried are the sets of those used the fullest, the fullest first.
    """
    _, size, serves = given
    order = np.argsort(-used / np.maximum(most, 1e-12), kind="stable")
    before = headroom + np.concatenate([[0.0], np.cumsum(size)[:-1]])
    weight = np.clip(np.cumsum(most[order])[:, None] - before[None, :], 0.0, size[None, :])
    over = np.cumsum(used[order]) - headroom - weight @ serves
    best = int(np.argmax(over))
    if over[best] <= BROKEN:
        return np.zeros(0, dtype=np.int64), weight[best]
    return np.asarray(order[: best + 1], dtype=np.int64), np.asarray(weight[best], dtype=np.float64)


def _row(
    columns: IntArray, values: FloatArray, tiers: IntArray, weight: FloatArray, upper: float
) -> list[Rows]:
    if not len(columns):
        return []
    column = np.concatenate([columns, tiers])
    return [
        Rows(
            np.zeros(len(column), dtype=np.int64),
            column,
            np.concatenate([values, -weight]),
            np.array([upper]),
        )
    ]
