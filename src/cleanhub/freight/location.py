"""What an exact location model gives back, whichever it is.

The models are in the modules ``location_median`` (p-median), ``location_cover`` (maximal covering),
``location_capacity`` (capacitated, split or single source) and ``location_refuelling`` (flow
refuelling); ``location_files`` reads their files. Letters in shapes: S sites, C customers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cleanhub.freight.location_solver import EXACT, GAP_REACHED, OPTIMAL, Stops

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Location:
    """Sites chosen by a location model, and how good the choice is proved to be.

    Attributes
    ----------
    model
        Name of the model as on the command line.
    sense
        ``min`` or ``max``: which way the objective is made.
    objective, bound
        Value of the choice, and the value that no choice can beat, in the unit of the input.
    gap
        Difference of the two, relative to the objective; 0 when the choice is proved optimal.
    chosen
        Positions of open sites, ascending, (P,).
    assignment
        Site that serves each customer (the largest share where it is split; of a flow:
        -1), (C,); -1: served by none.
    status
        ``optimal``, ``gap reached``, ``node limit`` or ``time limit``.
    served
        Share of each customer (or flow) that is served, (C,).
    method
        How it was solved, in words.
    nodes
        Branch-and-bound nodes of our own tree (0: the solver's tree or none was used).
    seconds
        Wall time; outside the promise of equal results.
    shares
        Share of each customer that each site serves, (S, C); empty unless capacitated.
    """

    model: str
    sense: str
    objective: float
    bound: float
    gap: float
    chosen: IntArray
    assignment: IntArray
    status: str
    served: FloatArray
    method: str
    nodes: int = 0
    seconds: float = field(default=0.0, compare=False)
    shares: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))


def relative_gap(objective: float, bound: float) -> float:
    """Difference of objective and bound over the objective; 0 below what 64-bit sums can tell apart."""
    gap = abs(objective - bound) / max(abs(objective), 1e-9)
    return 0.0 if gap <= EXACT else gap


def ended_as(status: str, gap: float, stops: Stops) -> str:
    """The status in words: optimal when nothing is left, else which stop was met."""
    if gap == 0.0:
        return OPTIMAL
    return GAP_REACHED if gap <= stops.gap + EXACT else status


__all__ = ["Location", "ended_as", "relative_gap"]
