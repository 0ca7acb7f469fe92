"""One shift of the log-odds of all gates, so that projects without evidence decide at the base rate.

The chances of gate rules say how gates relate to each other; how often a whole project comes through
is a published base rate. The reference is the hub's own projects with all evidence removed (announced,
no gate passed, no valuation, no infrastructure known): the shift is the one at which the share of them
that ever decides, the horizon being without end, is ``setting.ever``. Every evaluation has the same
draws, so the share is a rising step function of the shift; its crossing is bracketed.

The hazard follows. Live projects are given up at the rate ``lambda``, so by the time they decide or are
given up, ``lambda`` times the years they were live is the share given up: decisions per live
project-year are ``lambda P / (1 - P)``. With ``lambda = hazard (1 - ever) / ever`` that is ``hazard``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from cleanhub.core.memory import remembered
from cleanhub.pipeline.draws import chances, closing, log_odds, world_of
from cleanhub.pipeline.evaluate import evaluate
from cleanhub.pipeline.order import PROGRAMME
from cleanhub.pipeline.problem import BoolArray, FloatArray, Graph, Projects, Setting

DRAWS = 1_000
SEED = 1
"""Seed of the calibration, whatever that of the simulation: the shift belongs to the hub."""
WIDEST = 8.0
"""Largest shift of log-odds that is tried."""
_CLOSE = 3e-3


@dataclass(frozen=True)
class Calibration:
    """What was found on the reference.

    Attributes
    ----------
    shift
        Added to the log-odds of gates that are not fixed.
    reached
        Share of the projects that ever decides with it.
    hazard
        Decisions for each year that a project is live [1/yr].
    projects
        Number of projects it was found on.

    ``reached`` differs from the base rate where no shift within :data:`WIDEST` brings it about, and by
    the step that one draw of one project makes.
    """

    shift: float
    reached: float
    hazard: float
    projects: int


def population(projects: Projects) -> BoolArray:
    """Projects of the reference: those that are live and no programme, (P,)."""
    return np.asarray(projects.live & (projects.role != PROGRAMME))


def calibrate(
    graph: Graph, projects: Projects, setting: Setting, draws: int = DRAWS, seed: int = SEED
) -> Calibration:
    """Find the shift on a reference graph (built without evidence), every finance gate by its own chance.

    A graph without projects, or without a gate that the shift moves, has the shift 0. What was found is
    remembered: it rests on the base rates and the structure of the hub, on no capital and no value.
    """
    if not population(projects).any():
        return Calibration(0.0, float("nan"), float("nan"), 0)
    unpriced = projects.unpriced
    return remembered(
        "calibration",
        (graph, unpriced, setting, draws, seed),
        lambda: _calibrated(graph, unpriced, setting, draws, seed),
    )


def _calibrated(graph: Graph, projects: Projects, setting: Setting, draws: int, seed: int) -> Calibration:
    counted = population(projects)
    plain = chances(graph, setting)
    odds = log_odds(graph, projects, setting, plain, draws, seed, apart=True)
    world = world_of(graph, projects, setting, plain, odds, draws, seed)

    @cache
    def decided(shift: float) -> FloatArray:
        closes = closing(chances(graph, setting, shift), odds, draws)
        return evaluate(replace(world, closes=closes)).decided[counted]

    def share(shift: float) -> float:
        return float(np.isfinite(decided(shift)).mean())

    movable = ((chances(graph, setting, 1.0) != plain) & ~graph.done).any()
    shift = _crossing(share, setting.ever) if movable else 0.0
    times = decided(shift)
    live = np.minimum(times, world.given_up[counted]).sum()
    came = np.isfinite(times)
    return Calibration(shift, float(came.mean()), float(came.sum() / live), int(counted.sum()))


def _crossing(share: Callable[[float], float], wanted: float) -> float:
    """Where a rising function crosses ``wanted`` between the widest shifts, else the nearest end.

    The bracket begins at 0 and widens: most shifts are small. It is then closed by Brent's method (1973).
    """
    from scipy.optimize import brentq  # slow to import, and most calibrations are remembered

    end = 0.0
    step = 1.0 if share(0.0) < wanted else -1.0
    while abs(end) < WIDEST:
        begin, end = end, max(min(end + step, WIDEST), -WIDEST)
        if (share(end) - wanted) * step >= 0.0:
            return float(brentq(lambda shift: share(shift) - wanted, begin, end, xtol=_CLOSE))
        step *= 2.0
    return end
