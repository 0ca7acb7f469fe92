"""Which switches MPP's shared solver may make at all, and in what order it tries them.

:func:`force` takes out switches that may not happen, :func:`rank_switches` ranks what is left for each
year. Costs are in USD per t, emissions in t per t.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.hub.mpp_settings import MppPathway, MppSettings
from cleanhub.pathways.mpp_tables import (
    DECOMMISSION,
    END_STATE,
    GREENFIELD,
    INITIAL,
    NEWBUILD,
    RENOVATION,
    TRANSITION,
    BoolArray,
    FloatArray,
    IntArray,
    MppTables,
    SwitchTable,
)

RANK_TYPES: dict[str, tuple[int, ...]] = {
    "decommission": (DECOMMISSION,),
    "greenfield": (GREENFIELD,),
    "brownfield": (RENOVATION, NEWBUILD),
}
_SMALLEST_CLIPPED = (1e-2, 1e-6)  # what a delta of zero, and one below zero, count as in the histogram


def force(tables: MppTables, settings: MppSettings, pathway: MppPathway) -> BoolArray:
    """Mask of the switches that may happen at all (implicit forcing), one entry per switch."""
    switches, forcing = tables.switches, settings.forcing
    names = (*tables.technologies, "")
    place = (switches.product, switches.region)
    before = tables.classification[(*place, switches.origin, switches.year)]
    after = tables.classification[(*place, switches.destination, switches.year)]
    kept = ~((before > after) & (after >= 0))  # no way back from a better class
    if forcing.no_end_state_to_end_state:
        kept &= ~((before == END_STATE) & (after == END_STATE))
    years = tables.years[switches.year]
    kept &= years >= tables.maturity[(*place, switches.destination, switches.year)]
    dropped = np.isin(names, forcing.dropped_technologies)
    kept &= ~(dropped[switches.destination] | dropped[switches.origin])
    no_renovation = np.isin(names, forcing.dropped_renovations)
    kept &= ~(no_renovation[switches.destination] & (switches.kind == RENOVATION))
    for destination, origin in forcing.restricted_origin.items():
        to = np.array([destination in name for name in names])[switches.destination]
        fits = np.array([origin in name for name in names])[switches.origin]
        kept &= ~to | fits
    if pathway.moratorium:
        kept &= (years < forcing.moratorium_year) | (after != INITIAL)
        kept &= (years < forcing.moratorium_year + forcing.transitional_years) | (after != TRANSITION)
    return np.asarray(kept, dtype=bool)


def emission_deltas(tables: MppTables, switches: SwitchTable, kinds: Iterable[str]) -> FloatArray:
    """Emissions of origin less destination, summed over ``kinds`` [t/t]; nothing emits nothing."""
    factors = tables.co2(kinds)
    place = (switches.product, switches.region)
    origin = factors[(*place, switches.origin, switches.year)]
    return np.asarray(origin - factors[(*place, switches.destination, switches.year)], dtype=float)


def _minmax(values: FloatArray) -> FloatArray:
    """Values stretched over 0 to 1; 0 where they are all the same."""
    low, high = (values.min(), values.max()) if len(values) else (0.0, 0.0)
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def bin_ranks(
    cost: FloatArray, delta: FloatArray, weights: tuple[float, float], uncertainty: float
) -> FloatArray:
    """Ranks of one year's switches by bins of a relative cost uncertainty; 1 is best, ties are wanted.

    The weighted sum of normalised cost and of the normalised negative emission delta is cut into equal
    bins, as many as there are steps of ``uncertainty`` x the cheapest cost between cheapest and dearest.
    The dearest falls in a bin of its own. Without a range the weighted sum itself is the rank.
    """
    raw = weights[0] * _minmax(cost) + weights[1] * _minmax(-delta)
    if not len(cost):
        return raw
    low, high = float(cost.min()), float(cost.max())
    if low < 0:
        low, high = low + 2 * abs(low), high + 2 * abs(low)
    step = uncertainty * low
    if high == low or step == 0 or raw.max() == raw.min():
        return raw
    edges = np.histogram_bin_edges(raw, bins=max(int((high - low) / step), 1))
    return np.digitize(raw, edges).astype(float)


def sorted_ranks(cost: FloatArray, delta: FloatArray, weights: tuple[float, float]) -> FloatArray:
    """Ranks of one year's switches by position in the sorted weighted sum, 0 first: no ties."""
    order = np.argsort(weights[0] * _minmax(cost) + weights[1] * _minmax(-delta), kind="stable")
    ranks = np.empty(len(order))
    ranks[order] = np.arange(len(order))
    return ranks


def histogram_ranks(cost: FloatArray, delta: FloatArray, pathway: MppPathway) -> FloatArray:
    """Ranks over the whole horizon by cheapness and abatement, or by cost per tonne abated.

    Deltas of zero and below count as 0.01 and 0.000001: new plants, whose delta is never above zero,
    are told apart only by emitting or not (a defect kept).
    """
    clipped = np.where(delta > 0, delta, np.where(delta == 0, *_SMALLEST_CLIPPED))
    if pathway.ranking == "cost_per_tonne":
        return _minmax(cost / clipped)
    return -(pathway.emissions * _minmax(clipped) + pathway.cost * (1.0 - _minmax(cost)))


@dataclass(frozen=True)
class RankedSwitches:
    """The switches of one rank type that may happen, with their ranks (smaller is better)."""

    switches: SwitchTable
    rows: IntArray
    rank: FloatArray

    def of_year(self, year: int) -> NDArray[np.intp]:
        """Positions of a year's switches."""
        return np.flatnonzero(self.switches.year == year)


def rank_switches(tables: MppTables, settings: MppSettings, pathway: MppPathway) -> dict[str, RankedSwitches]:
    """Force and rank all switches; ``rows`` are row numbers of ``technology_transitions``."""
    allowed = force(tables, settings, pathway)
    weights = (pathway.cost, pathway.emissions)
    ranked = {}
    for name, kinds in RANK_TYPES.items():
        rows = np.flatnonzero(allowed & np.isin(tables.switches.kind, kinds))
        switches = tables.switches.take(rows)
        cost = np.nan_to_num(switches.lcox if settings.ranking.cost == "lcox" else switches.tco)
        delta = emission_deltas(tables, switches, settings.ranking.emissions)
        rank = np.zeros(len(rows))
        if pathway.ranking in ("histogram", "cost_per_tonne"):
            rank = histogram_ranks(cost, delta, pathway)
        else:
            for year in range(len(tables.years)):
                now = np.flatnonzero(switches.year == year)
                if pathway.ranking == "sorted":
                    rank[now] = sorted_ranks(cost[now], delta[now], weights)
                else:
                    uncertainty = settings.ranking.relative_uncertainty
                    rank[now] = bin_ranks(cost[now], delta[now], weights, uncertainty)
        ranked[name] = RankedSwitches(switches, rows, rank)
    return ranked
