"""The decision rule for sites: which change each site makes in a year, within the limits.

Every open site whose equipment falls due compares its technology with the switches the
library allows. The wishes are granted in order of the yearly saving; a site whose wish
does not fit into the CO2 storage that is left falls back on its next best option that
needs less of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass
class Granted:
    """What a year's decisions came to.

    ``choice`` is the technology chosen by each site (its own where nothing changed), shape
    (N,); ``refused`` the best saving refused per unit of each limit.
    """

    choice: IntArray
    refused: dict[str, float]


def score(
    rule: str,
    running: FloatArray,
    charge: FloatArray,
    direct: FloatArray,
    own: IntArray,
    on_cycle: NDArray[np.bool_],
    allowed: NDArray[np.bool_],
    charge_added: FloatArray,
    is_retrofit: NDArray[np.bool_],
) -> tuple[FloatArray, FloatArray]:
    """Score and cost of every option of every candidate site; the lowest score wins.

    Parameters
    ----------
    rule
        ``least_cost`` or ``lowest_emissions``.
    running, charge, direct
        Cost per unit without capital, annualised capital and direct emissions, shape (K,).
    own
        Technology of each candidate, shape (M,).
    on_cycle
        Whether its equipment falls due, shape (M,): if so, keeping on costs capital too.
    allowed
        Options open to each candidate, itself among them, shape (M, K).
    charge_added
        Annualised capital that an option adds to its base, shape (K,).
    is_retrofit
        Whether going from a candidate's technology to an option is a retrofit, (M, K).

    Returns
    -------
    tuple
        Score and levelised cost, both shape (M, K); options not allowed score infinity.
    """
    cost = running[None, :] + charge[None, :]
    early = running[None, :] + np.where(is_retrofit, charge_added[None, :], charge[None, :])
    cost = np.where(on_cycle[:, None], cost, early)
    keep = np.arange(len(running))[None, :] == own[:, None]
    cost = np.where(keep & ~on_cycle[:, None], running[None, :], cost)
    cost = np.where(allowed, cost, np.inf)
    if rule == "lowest_emissions":
        steps = np.round(direct / max(float(direct.max(initial=0.0)), 1e-12), 6)
        worst = float(np.max(np.where(np.isfinite(cost), np.abs(cost), 0.0), initial=1.0)) * 4 + 1
        ranked = np.where(allowed, steps[None, :] * 1e6 * worst + cost, np.inf)
        return ranked, cost
    return cost, cost


def grant(
    scores: FloatArray,
    costs: FloatArray,
    own: IntArray,
    size: FloatArray,
    captured: FloatArray,
    storage_left: float,
    switches_left: float,
) -> Granted:
    """Grant the candidates' wishes in order of merit, within CO2 storage and the switch limit.

    ``size`` is yearly product (M,), ``captured`` tonnes stored per unit (K,). Merit is the
    yearly saving of the wish; equal merits keep the order of the candidates, and an option
    that is only as good as keeping on is no wish.
    """
    sites = np.arange(len(own))
    choice = own.copy()
    refused = {"co2_storage": 0.0, "switches_per_year": 0.0}
    wishes = scores.copy()
    while True:
        wish = wishes.argmin(axis=1)
        moving = (choice == own) & (wishes[sites, wish] < wishes[sites, own])
        if not moving.any():
            break
        need = np.maximum((captured[wish] - captured[own]) * size, 0.0)
        worth = (costs[sites, own] - costs[sites, wish]) * size
        too_big = moving & (need > storage_left + 1e-9)
        if too_big.any():
            per_tonne = worth[too_big] / need[too_big]
            refused["co2_storage"] = max(refused["co2_storage"], float(per_tonne.max()))
            _forget(wishes, np.flatnonzero(too_big), captured >= captured[wish[too_big]][:, None], own)
            continue
        saving = np.where(moving, (scores[sites, own] - scores[sites, wish]) * size, -np.inf)
        order = np.lexsort((sites, -saving))[: int(moving.sum())]
        if switches_left < 1:
            refused["switches_per_year"] = max(float(worth[order].max()), 0.0)
            break
        fits = np.cumsum(need[order]) <= storage_left + 1e-9
        fits &= np.arange(1, len(order) + 1) <= switches_left
        yes = order[: len(order) if fits.all() else int(np.argmin(fits))]
        choice[yes] = wish[yes]
        storage_left -= float(need[yes].sum())
        switches_left -= len(yes)
    return Granted(choice, refused)


def _forget(wishes: FloatArray, who: IntArray, options: NDArray[np.bool_], own: IntArray) -> None:
    """Take ``options`` (one row per site in ``who``) out of the wishes; keeping on stays open."""
    kept = wishes[who, own[who]].copy()
    wishes[who] = np.where(options, np.inf, wishes[who])
    wishes[who, own[who]] = kept
