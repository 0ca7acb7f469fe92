"""Tipping points: when a cleaner technology costs no more, and when it has taken hold.

Cost parity is the first year in which the full cost of a new plant (or the total cost of
ownership of a new vehicle), with carbon price and credits and with the capital that learning
has left on this path, is at most that of the incumbent new. Parity of a retrofit compares what
the change adds with what running on costs. Adoption is the first year from which the share
of new capacity, or of sales, stays at or above a threshold. Definitions follow Systemiq, The
Breakthrough Effect (2023), and Way et al., Joule 6 (2022). Milestones are in
:mod:`cleanhub.pathways.breakthroughs`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.tables import conform
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.series import weakest
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.breakthroughs import milestone_rows
from cleanhub.pathways.problem import RETROFIT, Path, Problem
from cleanhub.pathways.segments import Segment, build_segments
from cleanhub.pathways.unit_cost import plant_costs, vehicle_costs, with_policy

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

CLASSES = ("initial", "transition", "end_state")
"""Classes of technology in the library, the cleanest last."""
WINDOW = 5
"""Years over which investment in plants is summed: plants come in lumps, sales of vehicles do not."""
AT_PARITY = 1e-9
"""Share of a cost within which two costs are equal."""


@dataclass(frozen=True)
class Tip:
    """Where a series tips: year position (-1: never), whether it lasts, and where it is lost (-1)."""

    at: int
    lasts: bool
    lost: int = -1


def first_reached(reached: BoolArray) -> Tip:
    """First position at which ``reached`` (T,) holds, and whether it holds from there on."""
    where = np.flatnonzero(reached)
    if not len(where):
        return Tip(-1, False)
    at = int(where[0])
    after = np.flatnonzero(~reached[at:])
    return Tip(at, not len(after), at + int(after[0]) if len(after) else -1)


def reached_for_good(reached: BoolArray) -> Tip:
    """Position from which ``reached`` (T,) holds to the end; ``lost`` tells a crossing that did not stay."""
    gone = np.flatnonzero(~reached)
    at = int(gone[-1]) + 1 if len(gone) else 0
    if at < len(reached):
        return Tip(at, True)
    return Tip(-1, False, first_reached(reached).lost)


# ---------------------------------------------------------------- cost


def ownership_costs(problem: Problem, multiplier: FloatArray, classes: tuple[int, ...]) -> FloatArray:
    """Total cost of ownership of a new vehicle per unit of activity (K, T); NaN where not offered.

    The mean over ``classes``, weighted by what each must carry in the year.
    """
    total = np.zeros((len(problem.tech.names), len(problem.years)))
    weight = np.zeros_like(total)
    for v in classes:
        cls = problem.vehicles[v]
        carried = np.maximum(cls.demand, 1e-12)
        total[cls.options] += vehicle_costs(problem, with_policy(problem), multiplier, cls) * carried
        weight[cls.options] += carried
    return np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 0)


@dataclass(frozen=True)
class Parity:
    """Cost of ``technology`` and of the incumbent of ``segment`` by year (T,), and when they meet."""

    segment: Segment
    technology: int
    kind: str
    cost: FloatArray
    against: FloatArray
    tip: Tip
    priced: bool


def cost_parities(problem: Problem, multiplier: FloatArray, segments: list[Segment]) -> list[Parity]:
    """Parity of every cleaner technology of every segment, new against new and as a retrofit."""
    out = []
    for segment in segments:
        own = segment.incumbent
        if own < 0:
            continue
        if segment.is_vehicles:
            new = ownership_costs(problem, multiplier, segment.vehicles)
            out += [
                _parity(problem, segment, int(k), "cost_parity", new[k], new[own]) for k in segment.options
            ]
            continue
        cost = plant_costs(problem, with_policy(problem), multiplier, segment.region, segment.load)
        for k in segment.options:
            out.append(_parity(problem, segment, int(k), "cost_parity", cost.new[k], cost.new[own]))
            if problem.kinds[own, k] == RETROFIT:
                added, ahead = cost.added[k], cost.running[own]
                out.append(_parity(problem, segment, int(k), "retrofit_parity", added, ahead))
    return out


def _parity(
    problem: Problem, segment: Segment, option: int, kind: str, cost: FloatArray, against: FloatArray
) -> Parity:
    priced = bool(problem.costs.priced[segment.region, [option, segment.incumbent]].all())
    ready = problem.years >= problem.tech.earliest[option]
    reached = ready & (cost <= against + AT_PARITY * np.abs(against)) & priced
    return Parity(segment, option, kind, cost, against, first_reached(reached), priced)


# ---------------------------------------------------------------- adoption


def invested(path: Path) -> FloatArray:
    """Capacity that owners of plants put money into, by market, technology and year, (M, K, T).

    New plants, changes, and renewals of plants that fall due and keep their technology.
    """
    problem, changes = path.problem, path.changes
    shape = (len(problem.markets.name), len(problem.tech.names), len(problem.years))
    out = np.zeros(shape)
    row, t = np.array(changes.row, dtype=np.int64), np.array(changes.t, dtype=np.int64)
    after = np.array(changes.after, dtype=np.int64)
    size = np.array(changes.capacity, dtype=np.float64) * np.array(changes.share, dtype=np.float64)
    built = after >= 0
    np.add.at(out, (path.market[row[built]], after[built], t[built]), size[built])
    renewed_row, renewed_t = np.nonzero(_renewed(path, row, t))
    run = path.run[renewed_row, renewed_t]
    np.add.at(out, (path.market[renewed_row], run, renewed_t), path.capacity[renewed_row, renewed_t])
    return out


def _renewed(path: Path, changed_row: IntArray, changed_t: IntArray) -> BoolArray:
    """Whether a row falls due and keeps its technology, (R, T)."""
    problem = path.problem
    years = problem.years[None, :]
    standing = (path.run >= 0) & (path.capacity > 0)
    first = problem.years[np.where(standing.any(axis=1), standing.argmax(axis=1), 0)]
    last = np.where(path.plant >= 0, problem.plants.last_investment[np.maximum(path.plant, 0)], first)
    cycle = np.maximum(problem.tech.cycle[np.maximum(path.run, 0)], 1)
    built = np.where(path.plant >= 0, problem.years[0], first)
    due = standing & ((years - last[:, None]) % cycle == 0)
    due &= (years > built[:, None]) & (years > problem.last_reported)
    due[changed_row, changed_t] = False
    return np.asarray(due)


def adoption_shares(path: Path, segment: Segment, put_in: FloatArray) -> FloatArray:
    """Share of each technology in what the segment invests in or buys, (K, T).

    ``put_in`` is what :func:`invested` gives; plants are summed over :data:`WINDOW` years. In
    years without any investment the share stays as it was, NaN before the first.
    """
    tech = path.problem.tech
    if segment.is_vehicles:
        new = np.zeros(put_in.shape[1:])
        for v in segment.vehicles:
            cls = path.vehicles[v]
            np.add.at(new, cls.options, cls.bought)
    else:
        new = put_in[segment.markets].sum(axis=0) * (tech.product == segment.product)[:, None]
        before = np.cumsum(new, axis=1)
        new = before.copy()
        new[:, WINDOW:] -= before[:, :-WINDOW]
        new = np.where(new > 1e-9 * before[:, -1:].max(initial=1e-300), new, 0.0)
    total = new.sum(axis=0)
    last = np.maximum.accumulate(np.where(total > 0, np.arange(len(total)), -1))
    share = np.divide(new, total, out=np.zeros_like(new), where=total > 0)[:, np.maximum(last, 0)]
    return np.where(last >= 0, share, np.nan)


# ---------------------------------------------------------------- the table


def tipping_points_table(pathway: Pathway) -> pd.DataFrame:
    """Plan table ``tipping_points``: cost parity, adoption and milestones of the path."""
    path = pathway.walked
    rank = class_ranks(pathway)
    segments = build_segments(pathway.problem, rank)
    words = _Words(pathway)
    rows = [words.parity(one) for one in cost_parities(pathway.problem, path.multiplier, segments)]
    put_in = invested(path)
    thresholds = pathway.hub.library.tables["adoption_thresholds"]
    for segment in segments:
        shares = adoption_shares(path, segment, put_in)
        rows += words.adoption(segment, shares, thresholds)
    rows += milestone_rows(pathway)
    table = PLAN_TABLES["tipping_points"]
    return conform(pd.DataFrame(rows, columns=table.names), table)


def class_ranks(pathway: Pathway) -> IntArray:
    """Position of each technology's class in :data:`CLASSES`, (K,)."""
    known = pathway.hub.library.tables["technologies"]["classification"]
    return np.array([CLASSES.index(str(word)) for word in known], dtype=np.int64)


def per_unit(unit: str) -> str:
    """Dollars per product unit: ``USD/t``, ``USD/(kt km)``."""
    return f"USD/{unit}" if unit.isalnum() else f"USD/({unit})"


class _Words:
    """Rows of the table from parities and shares."""

    def __init__(self, pathway: Pathway) -> None:
        self.pathway = pathway
        self.tech = pathway.tech
        self.years = pathway.years
        self.source = pathway.hub.library.tables["technologies"]["source_id"].to_numpy(object)

    def _row(self, segment: Segment, technology: int, kind: str, tip: Tip) -> dict[str, object]:
        own = segment.incumbent
        return {
            "sector": segment.sector,
            "product": segment.product,
            "region": self.pathway.problem.regions[segment.region],
            "technology": self.tech.names[technology] if technology >= 0 else "",
            "against": self.tech.names[own] if own >= 0 else "",
            "kind": kind,
            "milestone": "",
            "year": int(self.years[tip.at]) if tip.at >= 0 else pd.NA,
            "due": pd.NA,
            "met": "",
            "lasts": "" if tip.at < 0 else "yes" if tip.lasts else "no",
        }

    def parity(self, one: Parity) -> dict[str, object]:
        shown = one.tip.at if one.tip.at >= 0 else len(self.years) - 1
        own, k = one.segment.incumbent, one.technology
        return {
            **self._row(one.segment, k, one.kind, one.tip),
            "value": float(one.cost[shown]) if one.priced else np.nan,
            "unit": per_unit(str(self.tech.unit[k])),
            "threshold": float(one.against[shown]) if one.priced else np.nan,
            "source": ";".join(sorted({str(self.source[k]), str(self.source[own])})),
            "confidence": weakest([str(self.tech.confidence[k]), str(self.tech.confidence[own]), "derived"]),
            "note": self._parity_note(one),
        }

    def _parity_note(self, one: Parity) -> str:
        if not one.priced:
            return "not compared: the hub has no price for what one of them uses"
        if one.tip.at < 0:
            return f"not on this path; costs are those of {int(self.years[-1])}"
        parts = ["at parity when it can first be chosen"] if self._at_once(one) else []
        parts += [] if one.tip.lasts else [f"lost again in {int(self.years[one.tip.lost])}"]
        return "; ".join(parts)

    def _at_once(self, one: Parity) -> bool:
        ready = np.flatnonzero(self.years >= self.tech.earliest[one.technology])
        return bool(len(ready)) and one.tip.at == int(ready[0])

    def adoption(
        self, segment: Segment, shares: FloatArray, thresholds: pd.DataFrame
    ) -> list[dict[str, object]]:
        """One row for each threshold of all cleaner technologies together, and of each one used."""
        together = shares[segment.options].sum(axis=0)
        lines = [(-1, together)]
        used = [int(k) for k in segment.options if np.nanmax(shares[k], initial=0.0) > 0]
        lines += [(k, shares[k]) for k in used] if len(segment.options) > 1 else []
        what = "sales" if segment.is_vehicles else f"investment in plants over {WINDOW} years"
        rows = []
        for line in thresholds.to_dict("records"):
            for k, share in lines:
                tip = reached_for_good(np.nan_to_num(share) >= float(line["value"]) / 100.0 - 1e-12)
                note = f"share of {what}"
                if tip.at < 0:
                    lost = f", crossed but lost in {int(self.years[tip.lost])}" if tip.lost >= 0 else ""
                    note += f"; not on this path{lost}; the share is that of {int(self.years[-1])}"
                value = float(share[tip.at if tip.at >= 0 else -1]) * 100.0
                rows.append(
                    {
                        **self._row(segment, k, "adoption", tip),
                        "value": value,
                        "unit": "%",
                        "threshold": float(line["value"]),
                        "source": line["source_id"],
                        "confidence": weakest([str(line["confidence"]), "derived"]),
                        "note": note,
                    }
                )
        return rows
