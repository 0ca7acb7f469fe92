"""From fractions to whole openings: diving, trying to do without, whole plugs.

Everything works on a relaxed :class:`~cleanhub.freight.siting_solver.Programme` and gives solutions of the
model. The order of all steps follows from the numbers alone, so the same problem ends in the same plan.
"""

from __future__ import annotations

import numpy as np

from cleanhub.freight.problem import BoolArray, FloatArray, IntArray
from cleanhub.freight.siting_model import MILLION, THOUSAND, Model
from cleanhub.freight.siting_solver import Programme

WHOLE = 1e-6
"""An opening this near to 0 or 1 is whole."""
SURE = 0.8
"""In a dive, openings of this much or more are taken as open."""
AT_ONCE = 0.2
"""In a dive, the share of the undecided openings that is opened when none is sure."""
DIVES = 60


def dive(programme: Programme, lower: FloatArray, upper: FloatArray) -> FloatArray | None:
    """Openings fixed step by step, the surest first, until all are whole; ends with the bounds that it set.

    ``lower`` and ``upper`` are the bounds to begin with; the programme was relaxed within them. None when
    nothing was found in :data:`DIVES` steps.
    """
    model = programme.model
    which = np.flatnonzero(model.integer)
    lower, upper = lower.copy(), upper.copy()
    for _ in range(DIVES):
        share = programme.values[which]
        lower[which[share >= 1.0 - WHOLE]] = 1.0
        part = np.flatnonzero((share > WHOLE) & (share < 1.0 - WHOLE))
        if not len(part):
            return programme.values
        part = part[np.argsort(-share[part], kind="stable")]
        count = max(1, int((share[part] >= SURE).sum()) or int(AT_ONCE * len(part)))
        if not _fix_some(programme, which[part[:count]], lower, upper):
            return None
    return None


def _fix_some(programme: Programme, columns: IntArray, lower: FloatArray, upper: FloatArray) -> bool:
    """Open as many of ``columns`` as fit, the first ones first; where not even the first fits, close it."""
    count = len(columns)
    while True:
        lower[columns[:count]] = 1.0
        programme.set_bounds(lower, upper)
        if programme.relax():
            return True
        lower[columns[:count]] = 0.0
        if count == 1:
            upper[columns[0]] = 0.0
            programme.set_bounds(lower, upper)
            return programme.relax()
        count //= 2


def settle(model: Model, values: FloatArray) -> FloatArray:
    """The same plugs and energy with no site open before its plugs and no tier before its use."""
    out = values.copy()
    plugs = at(model.plugs, values)
    opened = plugs > WHOLE
    keep = model.opens >= 0
    out[model.opens[keep]] = opened[keep]
    tiers = needed_tiers(model, plugs)
    keep = model.tiers >= 0
    out[model.tiers[keep]] = tiers[keep]
    return out


def needed_tiers(model: Model, plugs: FloatArray) -> FloatArray:
    """Tiers that must serve for new plugs (S, T), 0 or 1, (U, K, T)."""
    sites, grid = model.problem.sites, model.problem.grid
    power = np.zeros((len(grid.name), plugs.shape[1]))
    np.add.at(power, sites.substation, (grid.coincidence * sites.plug_kw)[:, None] * plugs)
    size = np.where(grid.tier_kw > 0, grid.tier_kw, 0.0)
    before = grid.headroom_kw[:, None] + np.cumsum(size, axis=1) - size
    slack = WHOLE * np.maximum(before, THOUSAND)
    over = power[:, None, :] > (before + slack)[:, :, None]
    return np.asarray((over & (size > 0)[:, :, None]).astype(np.float64))


def whole_plugs(model: Model, values: FloatArray) -> FloatArray:
    """New plugs as whole numbers (S, T) near those of ``values``: rounded up where grid and budget allow.

    Worked from the last year back, so that no year has more than the next.
    """
    plugs = at(model.plugs, values)
    problem = model.problem
    sites, grid = problem.sites, problem.grid
    draw = grid.coincidence * sites.plug_kw
    tiers = at(model.tiers, values)
    power = grid.headroom_kw[:, None] + (grid.tier_kw[:, :, None] * np.round(tiers)).sum(axis=1)
    spent = (sites.fixed_usd[:, None] * np.round(at(model.opens, values))).sum(axis=0)
    spent = spent + (grid.tier_usd[:, :, None] * np.round(tiers)).sum(axis=(0, 1))
    down = np.floor(plugs + WHOLE)
    out = down.copy()
    most = np.floor(model.terms.room + WHOLE)
    for t in range(plugs.shape[1] - 1, -1, -1):
        if t + 1 < plugs.shape[1]:
            most[:, t] = np.minimum(most[:, t], out[:, t + 1])
        part = plugs[:, t] - down[:, t]
        more = np.flatnonzero((part > WHOLE) & (down[:, t] + 1 <= most[:, t]))
        more = more[np.argsort(-part[more], kind="stable")]
        used = np.bincount(sites.substation, draw * down[:, t], minlength=len(power))
        free = power[:, t] * (1 + 1e-9) - used
        more = more[_running(draw[more], sites.substation[more]) <= free[sites.substation[more]]]
        left = problem.budget_usd[t] - spent[t] - float(sites.usd_per_plug @ down[:, t])
        more = more[np.cumsum(sites.usd_per_plug[more]) <= left + 1.0]
        out[more, t] += 1.0
    return out


def whole_columns(model: Model) -> BoolArray:
    """Which columns are whole numbers where plugs are: openings, tiers and plugs."""
    out = model.integer.copy()
    out[model.plugs[model.plugs >= 0]] = True
    return out


def with_plugs(programme: Programme, values: FloatArray, plugs: FloatArray) -> FloatArray | None:
    """The best energy with openings as in ``values`` and new plugs as given; None when nothing fits."""
    model = programme.model
    lower, upper = model.lower.copy(), model.upper.copy()
    which = np.flatnonzero(model.integer)
    lower[which] = upper[which] = np.round(values[which])
    keep = model.plugs >= 0
    lower[model.plugs[keep]] = upper[model.plugs[keep]] = plugs[keep]
    programme.set_bounds(lower, upper)
    return programme.values if programme.relax() else None


def at(columns: IntArray, values: FloatArray) -> FloatArray:
    """Values of columns in the shape of their positions, 0 where there is none."""
    return np.asarray(np.append(values, 0.0)[columns], dtype=np.float64)  # -1 is the 0 at the end


def within_budget(model: Model, values: FloatArray) -> bool:
    """Whether the capital of plugs, openings and tiers keeps within the budget of every year."""
    problem = model.problem
    spent = (problem.sites.usd_per_plug[:, None] * at(model.plugs, values)).sum(axis=0)
    spent = spent + (problem.sites.fixed_usd[:, None] * at(model.opens, values)).sum(axis=0)
    spent = spent + (problem.grid.tier_usd[:, :, None] * at(model.tiers, values)).sum(axis=(0, 1))
    return bool((spent <= problem.budget_usd + 1e-6 * MILLION).all())


def _running(amount: FloatArray, group: IntArray) -> FloatArray:
    """Running sums within each group, in the order given."""
    order = np.argsort(group, kind="stable")
    total = np.cumsum(amount[order])
    first = (
        np.concatenate([[True], group[order][1:] != group[order][:-1]]) if len(group) else np.zeros(0, bool)
    )
    start = np.maximum.accumulate(np.where(first, np.arange(len(group)), 0))
    out = np.empty(len(group))
    out[order] = total - (total[start] - amount[order][start])
    return out
