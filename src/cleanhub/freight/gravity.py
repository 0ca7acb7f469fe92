"""Gravity model of trips: the flows of greatest entropy that meet known totals.

With origin totals O_i and totals D_b of classes b of destinations, the most likely flows are

    T_ij = A_i B_b(j) w_j exp(-beta c_ij),

where w_j is the size of destination j, c_ij the cost (distance) of the way and beta >= or < 0 how much
cost deters. A and B follow by iterative proportional fitting; beta is the number at which the mean cost
of a trip meets a target. A distribution of trip lengths in bins can be met as well: each bin then has
a factor of its own in place of the exponential.

References: A. G. Wilson (1970), Entropy in Urban and Regional Modelling; W. E. Deming and F. F. Stephan
(1940), Annals of Mathematical Statistics 11, 427-444; G. M. Hyman (1969), Environment and Planning 1,
105-112.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cleanhub.core.errors import FaultList
from cleanhub.freight.problem import FloatArray, IntArray

TOLERANCE = 1e-9
MOST_PASSES = 2000
STEEPEST = 50.0
"""Largest |beta| times the spread of cost within a class that is tried."""


@dataclass(frozen=True)
class Margin:
    """Totals that flows must add up to.

    ``label`` (N,) says to which total each cell belongs (-1: to none), ``total`` (K,) what it is.
    """

    label: IntArray
    total: FloatArray


@dataclass(frozen=True)
class Fit:
    """Fitted cells.

    ``flow`` has the shape of the prior; ``residual`` is the largest gap to a total, as a share of all
    trips; ``passes`` over all margins were made; ``converged`` says whether the residual is within tolerance.
    """

    flow: FloatArray
    residual: float
    passes: int
    converged: bool


@dataclass(frozen=True)
class Gravity:
    """Flows with the deterrence found.

    ``fit`` holds flows (I, J); ``beta`` is per unit of cost; ``mean_cost`` that of a trip; ``reached``
    says whether the target was met; ``range`` the means that any beta could give (least, most).
    """

    fit: Fit
    beta: float
    mean_cost: float
    reached: bool
    range: tuple[float, float]


def fit_margins(
    prior: FloatArray,
    margins: Sequence[Margin],
    tolerance: float = TOLERANCE,
    most_passes: int = MOST_PASSES,
) -> Fit:
    """Iterative proportional fitting of a prior of any shape (its cells in C order) to margins.

    Among all flows that meet the margins the result is closest to the prior in relative entropy.
    Margins that contradict each other do not converge; the residual says by how much.

    Raises :class:`~cleanhub.core.errors.InputError` when a total is negative, margins have
    different sums, or a total above zero has no cell that could bear it.
    """
    cells = np.asarray(prior, dtype=np.float64).ravel().copy()
    _check_margins(cells, margins)
    size = max((float(m.total.sum()) for m in margins), default=0.0)
    if size == 0:
        return Fit(np.zeros_like(prior, dtype=np.float64), 0.0, 0, True)
    residual, made = np.inf, 0
    while residual > tolerance and made < most_passes:
        residual, made = 0.0, made + 1
        for margin in margins:
            inside = margin.label >= 0
            label = np.where(inside, margin.label, 0)
            now = np.bincount(label[inside], weights=cells[inside], minlength=len(margin.total))
            residual = max(residual, float(np.abs(now - margin.total).max()) / size)
            ratio = np.divide(margin.total, now, out=np.zeros_like(now), where=now > 0)
            cells *= np.where(inside, ratio[label], 1.0)
    return Fit(cells.reshape(np.shape(prior)), residual, made, residual <= tolerance)


def gravity_flows(
    origin_total: FloatArray,
    band: IntArray,
    band_total: FloatArray,
    weight: FloatArray,
    cost: FloatArray,
    beta: float,
) -> Fit:
    """Flows (I, J) for a given ``beta``.

    ``origin_total`` (I,) and ``band_total`` (B,) in trips, ``band`` (J,) the class of each destination,
    ``weight`` (J,) its size, ``cost`` (I, J). With beta = 0 a class is shared in proportion to weight.
    Raises as :func:`fit_margins`.
    """
    prior = weight * np.exp(-beta * _centred(cost, band))
    return fit_margins(prior, _margins(origin_total, band, band_total))


def calibrate_gravity(
    origin_total: FloatArray,
    band: IntArray,
    band_total: FloatArray,
    weight: FloatArray,
    cost: FloatArray,
    mean_cost: float | None,
) -> Gravity:
    """Flows whose mean cost per trip is ``mean_cost``; shapes as :func:`gravity_flows`.

    The mean falls strictly with beta. A target beyond what the totals allow is met as nearly as they do and
    ``reached`` is false; None leaves beta at 0. Raises as :func:`fit_margins`.
    """

    def mean_at(beta: float) -> float:
        flow = gravity_flows(origin_total, band, band_total, weight, cost, beta).flow
        return float((flow * cost).sum() / max(flow.sum(), 1e-300))

    spread = float(np.ptp(_centred(cost, band)[:, weight > 0])) if (weight > 0).any() else 0.0
    steepest = STEEPEST / spread if spread > 0 else 0.0
    ends = (mean_at(steepest), mean_at(-steepest))
    beta, reached = 0.0, mean_cost is None
    if mean_cost is not None and ends[0] < mean_cost < ends[1]:
        from scipy.optimize import brentq

        beta = float(brentq(lambda b: mean_at(b) - mean_cost, -steepest, steepest, xtol=1e-12))
        reached = True
    elif mean_cost is not None and spread > 0:
        beta = steepest if mean_cost <= ends[0] else -steepest
        reached = bool(np.isclose(mean_cost, ends[0 if beta > 0 else 1]))
    fit = gravity_flows(origin_total, band, band_total, weight, cost, beta)
    mean = float((fit.flow * cost).sum() / max(fit.flow.sum(), 1e-300))
    return Gravity(fit, beta, mean, reached, ends)


def flows_by_length(
    origin_total: FloatArray,
    band: IntArray,
    band_total: FloatArray,
    weight: FloatArray,
    cost: FloatArray,
    edges: FloatArray,
    share: FloatArray,
) -> Fit:
    """Flows (I, J) that meet a distribution of trip cost: ``share`` (E-1,) in bins with ``edges`` (E,).

    Other shapes as :func:`gravity_flows`. The distribution may contradict the totals of classes: then the
    fit does not converge and its residual says by how much. Raises as :func:`fit_margins`.
    """
    bin_of = np.digitize(cost, edges) - 1
    bin_of = np.where((bin_of >= 0) & (bin_of < len(share)), bin_of, -1)
    prior = np.where(bin_of >= 0, np.broadcast_to(weight, cost.shape), 0.0)
    lengths = Margin(bin_of.ravel(), share / share.sum() * origin_total.sum())
    return fit_margins(prior, [*_margins(origin_total, band, band_total), lengths])


def _centred(cost: FloatArray, band: IntArray) -> FloatArray:
    """Cost less the mean of its class: it shifts what B_b absorbs and keeps the exponential within range."""
    count = int(band.max(initial=-1)) + 1
    of_column = cost.mean(axis=0)
    size = np.maximum(np.bincount(band, minlength=count), 1)
    return np.asarray(cost - (np.bincount(band, weights=of_column, minlength=count) / size)[band])


def _margins(origin_total: FloatArray, band: IntArray, band_total: FloatArray) -> list[Margin]:
    shape = (len(origin_total), len(band))
    rows = np.broadcast_to(np.arange(shape[0])[:, None], shape).ravel()
    columns = np.broadcast_to(band, shape).ravel()
    return [Margin(columns, np.asarray(band_total, float)), Margin(rows, np.asarray(origin_total, float))]


def _check_margins(cells: FloatArray, margins: Sequence[Margin]) -> None:
    faults = FaultList()
    if not (cells >= 0).all():
        faults.add("gravity", what="size of a destination", found=np.nanmin(cells), allowed="0 or more")
    sums = [float(m.total.sum()) for m in margins]
    if sums and max(sums) - min(sums) > 1e-6 * max(*sums, 1e-300):
        faults.add("gravity", what="totals add up to different sums", found=", ".join(f"{s:g}" for s in sums))
    for number, margin in enumerate(margins):
        if not (margin.total >= 0).all():
            where = int(np.argmin(margin.total))
            what = f"negative volume of total {where} of margin {number}"
            faults.add("gravity", what=what, found=margin.total[where], allowed="0 or more")
        inside = margin.label >= 0
        bears = np.bincount(margin.label[inside], weights=cells[inside], minlength=len(margin.total))
        for k in np.flatnonzero((margin.total > 0) & ~(bears > 0)):
            what = f"total {k} of margin {number} has no place of any size"
            faults.add("gravity", what=what, found=f"{margin.total[k]:g}", allowed="0")
    faults.raise_if_any("gravity model")
