"""The decision rules for plants: what each owner would do, and what the limits let through.

Every owner whose equipment falls due compares the technology in use with the switches the
library allows (:func:`score`). The wishes are granted in order of merit within all limits
at once (:func:`grant`); a plant whose wish does not fit falls back on its next best option
that needs less of what is short. Then floors are met at least cost (:func:`meet_floors`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.pathways.rule import Rule

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass
class Granted:
    """What a year's decisions came to.

    ``choice`` is the technology chosen by each plant (its own where nothing changed), shape
    (N,); ``refused`` the best saving refused per unit of each limit, (Q,).
    """

    choice: IntArray
    refused: FloatArray


@dataclass(frozen=True)
class Needs:
    """What changes need of each limit.

    A change of plant n from technology i to k needs ``(weight[q, k] - base[q] * weight[q, i])
    * scale[n, q]`` of limit q, at least 0; ``left`` is what remains of it. Shapes (Q, K),
    (Q,), (N, Q), (Q,).
    """

    weight: FloatArray
    base: FloatArray
    scale: FloatArray
    left: FloatArray

    def of(self, own: IntArray, to: IntArray) -> FloatArray:
        """What each plant's change needs of each limit, (N, Q); negative where it frees some."""
        each = self.weight[:, to] - self.base[:, None] * self.weight[:, own]
        return np.asarray(each.T * self.scale, dtype=np.float64)


def option_costs(
    running: FloatArray,
    charge: FloatArray,
    charge_added: FloatArray,
    own: IntArray,
    on_cycle: BoolArray,
    is_retrofit: BoolArray,
    allowed: BoolArray,
) -> FloatArray:
    """Levelised cost of every option of every candidate, (N, K); infinite where not allowed.

    Parameters
    ----------
    running
        Levelised cost ahead without capital, by plant, (N, K).
    charge, charge_added
        Annualised capital of an option, and of what it adds to its base, (N, K) or (K,).
    own
        Technology of each candidate, (N,).
    on_cycle
        Whether its equipment falls due, (N,): if so, keeping on costs capital too.
    is_retrofit
        Whether going to an option is a retrofit, (N, K).
    allowed
        Options open to each candidate, itself among them, (N, K).
    """
    early = np.where(is_retrofit, charge_added, charge)
    cost = running + np.where(on_cycle[:, None], charge, early)
    keep = np.arange(running.shape[1])[None, :] == own[:, None]
    cost = np.where(keep & ~on_cycle[:, None], running, cost)
    return np.asarray(np.where(allowed, cost, np.inf), dtype=np.float64)


def score(
    rule: Rule,
    cost: FloatArray,
    direct: FloatArray,
    own: IntArray,
    generator: np.random.Generator | None = None,
) -> FloatArray:
    """Score of every option of every candidate, (N, K); the lowest wins, infinity is not open.

    ``cost`` as :func:`option_costs` gives it; ``direct`` scope 1 tonnes per unit (K,). Rules
    that draw take their draws from ``generator``.
    """
    allowed = np.isfinite(cost)
    if rule.name == "lowest_emissions":
        steps = np.round(direct / max(float(direct.max(initial=0.0)), 1e-12), 6)
        worst = float(np.max(np.where(allowed, np.abs(cost), 0.0), initial=1.0)) * 4 + 1
        return np.where(allowed, steps[None, :] * 1e6 * worst + cost, np.inf)
    if rule.name == "mpp" and generator is not None:
        return _banded(rule, cost, direct, own, generator)
    if rule.spread > 0 and generator is not None:
        best = np.abs(cost.min(axis=1, initial=np.inf, where=allowed))
        noise = generator.gumbel(size=cost.shape)
        return np.where(allowed, cost - rule.spread * best[:, None] * noise, np.inf)
    return cost


def _banded(
    rule: Rule, cost: FloatArray, direct: FloatArray, own: IntArray, generator: np.random.Generator
) -> FloatArray:
    """Rule mpp: cost and tonnes relative to keeping on, weighed, in bands; ties are drawn.

    A switch must cut cost by a band's width, or, where tonnes weigh more, cut tonnes.
    """
    rows = np.arange(len(own))
    mine = cost[rows, own][:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(mine > 0, cost / mine, 1.0 + (cost - mine))
        cut = np.where(direct[own][:, None] > 0, 1.0 - direct[None, :] / direct[own][:, None], 0.0)
    switch = np.isfinite(cost)
    switch[rows, own] = False
    by_cost = rule.cost_weight >= rule.emission_weight
    switch &= relative < 1.0 - rule.cost_band if by_cost else cut > 0
    out = np.full(cost.shape, np.inf)
    out[rows, own] = np.inf
    if switch.any():
        raw = rule.cost_weight * unit_range(relative, switch) + rule.emission_weight * unit_range(
            -cut, switch
        )
        rank = bands(raw, relative, switch, rule.cost_band)
        drawn = rank + generator.random(cost.shape) * 0.999
        out = np.where(switch, drawn, np.inf)
    last = float(np.max(out[np.isfinite(out)], initial=0.0)) + 1.0
    out[rows, own] = last
    return out


def unit_range(values: FloatArray, where: BoolArray) -> FloatArray:
    """``values`` scaled to 0 to 1 over the entries ``where`` (0 throughout if they are all alike)."""
    low, high = float(values[where].min()), float(values[where].max())
    return np.where(where, (values - low) / (high - low) if high > low else 0.0, 0.0)


def bands(raw: FloatArray, cost: FloatArray, where: BoolArray, width: float) -> FloatArray:
    """Band of each weighed score ``raw`` among the entries ``where``, 0 the best, same shape.

    There are as many equal bands as the spread of ``cost`` holds steps of ``width`` times the
    cheapest, at least one.
    """
    cheapest = float(cost[where].min())
    spread = float(cost[where].max()) - cheapest
    number = max(int(spread / (width * max(abs(cheapest), 1e-9))), 1)
    low = float(raw[where].min())
    step = (float(raw[where].max()) - low) / number
    return np.floor((raw - low) / step) if step > 0 else np.zeros_like(raw)


def grant(
    scores: FloatArray,
    costs: FloatArray,
    own: IntArray,
    size: FloatArray,
    needs: Needs,
    by_score: bool = False,
) -> Granted:
    """Grant the candidates' wishes in order of merit, within all limits.

    ``size`` is yearly product (N,). Merit is the yearly saving of the wish, or its score
    itself when ``by_score``; equal merits keep the order of the candidates, and an option
    that is only as good as keeping on is no wish.
    """
    sites = np.arange(len(own))
    choice = own.copy()
    left = needs.left.copy()
    refused = np.zeros(len(left))
    wishes = scores.copy()
    while True:
        wish = wishes.argmin(axis=1) if wishes.shape[1] else own
        moving = (choice == own) & (wishes[sites, wish] < wishes[sites, own])
        if not moving.any():
            break
        need = np.maximum(needs.of(own, wish), 0.0)
        worth = (costs[sites, own] - costs[sites, wish]) * size
        if _drop_too_big(wishes, wish, moving, need, worth, own, needs.weight, left, refused):
            continue
        merit = -scores[sites, wish] if by_score else (scores[sites, own] - scores[sites, wish]) * size
        merit = np.where(moving, merit, -np.inf)
        order = np.lexsort((sites, -merit))[: int(moving.sum())]
        fits = (np.cumsum(need[order], axis=0) <= left + 1e-9 * np.maximum(np.abs(left), 1.0)).all(axis=1)
        yes = order[: len(order) if fits.all() else int(np.argmin(fits))]
        choice[yes] = wish[yes]
        left -= need[yes].sum(axis=0)
    return Granted(choice, refused)


def _drop_too_big(
    wishes: FloatArray,
    wish: IntArray,
    moving: BoolArray,
    need: FloatArray,
    worth: FloatArray,
    own: IntArray,
    weight: FloatArray,
    left: FloatArray,
    refused: FloatArray,
) -> bool:
    """Take wishes that alone exceed a limit out, and what needs as much of it; whether there were any."""
    for q in range(len(left)):
        if not np.isfinite(left[q]):
            continue
        too_big = moving & (need[:, q] > left[q] + 1e-9 * max(abs(left[q]), 1.0))
        if not too_big.any():
            continue
        who = np.flatnonzero(too_big)
        refused[q] = max(refused[q], float((worth[who] / need[who, q]).max()), 0.0)
        options = weight[q][None, :] >= weight[q, wish[who]][:, None]
        kept = wishes[who, own[who]].copy()
        wishes[who] = np.where(options, np.inf, wishes[who])
        wishes[who, own[who]] = kept
        return True
    return False


def meet_floors(
    granted: Granted,
    costs: FloatArray,
    own: IntArray,
    size: FloatArray,
    needs: Needs,
    short: FloatArray,
) -> Granted:
    """Change further plants until floors are met: least extra cost per unit first.

    ``short`` is what each limit still lacks as a floor (Q,), 0 for caps. Plants that have
    already changed stay; caps hold.
    """
    choice = granted.choice.copy()
    moved = (choice != own)[:, None]  # a plant that stays needs nothing, whatever it runs
    left = needs.left - np.where(moved, np.maximum(needs.of(own, choice), 0.0), 0.0).sum(axis=0)
    sites = np.arange(len(own))
    for q in np.flatnonzero(short > 0):
        gain = (needs.weight[q][None, :] - needs.base[q] * needs.weight[q, own][:, None]) * needs.scale[
            :, [q]
        ]
        gain = np.where((choice == own)[:, None] & np.isfinite(costs), gain, 0.0)
        extra = np.where(gain > 0, costs - costs[sites, own][:, None], 0.0) * size[:, None]
        lacking = float(short[q])
        while lacking > 0 and (gain > 0).any():  # where a cap closes the best option, the next one
            ratio = np.full(gain.shape, np.inf)
            np.divide(extra, gain, out=ratio, where=gain > 0)
            best = ratio.argmin(axis=1)
            order = np.argsort(ratio[sites, best], kind="stable")
            order = order[np.isfinite(ratio[order, best[order]])]
            won = np.cumsum(gain[order, best[order]])
            enough = int(np.searchsorted(won, lacking)) + 1
            need = np.maximum(needs.of(own, best)[order], 0.0)
            need[:, q] = 0.0
            fits = (np.cumsum(need, axis=0) <= left + 1e-9 * np.maximum(np.abs(left), 1.0)).all(axis=1)
            within = len(order) if fits.all() else int(np.argmin(fits))
            yes = order[: min(enough, within)]
            choice[yes] = best[yes]
            left = left - need[: len(yes)].sum(axis=0)
            lacking -= float(gain[yes, best[yes]].sum())
            gain[yes] = 0.0
            gain[order[within:], best[order[within:]]] = 0.0
    return Granted(choice, granted.refused)
