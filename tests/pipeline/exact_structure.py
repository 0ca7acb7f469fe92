"""A small boolean structure of projects and links, worked out exactly over all its states.

Links are open or closed, each by itself with its chance; a project brings its value when, of every
one of its requirements, at least one link closes. Nothing here knows of time, gates or draws: it is
the closed form that :mod:`cleanhub.pipeline.missing` and its Shapley values are held against.

Shapes: L links, P projects, S = 2^L states; link i is closed in state s if bit i of s is 1.

References
----------
.. [1] Birnbaum, Z. W. (1969), On the importance of different components in a multicomponent system.
.. [2] Shapley, L. S. (1953), A value for n-person games.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np

from cleanhub.pipeline.problem import BoolArray, FloatArray

MOST_LINKS = 16
"""Links that can be enumerated: 65,536 states."""

Requirements = Sequence[Sequence[int]]
"""Of each group of links one must close; no groups: nothing is needed."""


@dataclass(frozen=True)
class Structure:
    """Projects, what each is worth, and which links it needs.

    Attributes
    ----------
    values
        What each project brings, (P,), any unit.
    requirements
        For each project its groups of links: one link of every group must close.
    chance
        Chance that each link closes, independent of the others, (L,).

    Raises ``ValueError`` for more than ``MOST_LINKS`` links, for a link that is not there, for a
    chance outside [0, 1] and for another number of values than of projects.
    """

    values: FloatArray
    requirements: Sequence[Requirements]
    chance: FloatArray

    def __post_init__(self) -> None:
        if len(self.values) != len(self.requirements):
            raise ValueError(f"{len(self.values)} values, {len(self.requirements)} projects")
        if self.links > MOST_LINKS:
            raise ValueError(f"{self.links} links; at most {MOST_LINKS} can be enumerated")
        if not np.all((self.chance >= 0) & (self.chance <= 1)):
            raise ValueError("a chance is outside [0, 1]")
        named = [link for groups in self.requirements for group in groups for link in group]
        if any(not 0 <= link < self.links for link in named):
            raise ValueError(f"a requirement names a link outside 0 to {self.links - 1}")

    @property
    def links(self) -> int:
        """Number of links."""
        return len(self.chance)


def closed_links(links: int) -> BoolArray:
    """Which links are closed in each state, (L, 2^L)."""
    states = np.arange(1 << links)
    return (states >> np.arange(links)[:, None] & 1).astype(bool)


def delivers(structure: Structure) -> BoolArray:
    """Which projects come in each state, (P, S)."""
    closed = closed_links(structure.links)
    found = np.ones((len(structure.values), closed.shape[1]), dtype=bool)
    for project, groups in enumerate(structure.requirements):
        for group in groups:
            found[project] &= closed[list(group)].any(axis=0)
    return found


def realised_value(structure: Structure) -> FloatArray:
    """What all projects together bring in each state, (S,)."""
    return np.asarray(structure.values, float) @ delivers(structure)


def expected_value(structure: Structure) -> float:
    """Mean of what all projects bring."""
    return _mean(realised_value(structure), structure.chance)


def birnbaum(structure: Structure) -> FloatArray:
    """Value-weighted Birnbaum importance of each link, (L,) [1]_: E[V | it closes] - E[V | it does not]."""
    found = np.empty(structure.links)
    value = realised_value(structure)
    for link in range(structure.links):
        pairs = value.reshape(-1, 2, 1 << link)
        gained = (pairs[:, 1] - pairs[:, 0]).ravel()
        found[link] = _mean(gained, np.delete(structure.chance, link))
    return found


def coalition_value(structure: Structure) -> FloatArray:
    """Expected value if only the links of a set can close and no other ever does, (S,): a set is a state."""
    found = realised_value(structure)
    for link, chance in enumerate(structure.chance):
        pairs = found.reshape(-1, 2, 1 << link)
        pairs[:, 1] = _mix(pairs[:, 0], pairs[:, 1], float(chance))
    return found


def shapley_exact(structure: Structure) -> FloatArray:
    """Shapley value of each link in the game of :func:`coalition_value`, (L,) [2]_.

    They sum to the expected value less what needs no link at all. By linearity it is also the mean
    over states of the Shapley value of the game of the links that close in that state.
    """
    count = structure.links
    value = coalition_value(structure)
    size = closed_links(count).sum(axis=0)
    weights = np.array([factorial(k) * factorial(count - k - 1) / factorial(count) for k in range(count)])
    found = np.empty(count)
    for link in range(count):
        pairs = value.reshape(-1, 2, 1 << link)
        without = size.reshape(-1, 2, 1 << link)[:, 0]
        found[link] = np.sum(weights[without] * (pairs[:, 1] - pairs[:, 0]))
    return found


def _mix(open_: FloatArray, closed: FloatArray, chance: float) -> FloatArray:
    return (1.0 - chance) * open_ + chance * closed


def _mean(values: FloatArray, chance: FloatArray) -> float:
    """Mean over states, (2^L,) of values and (L,) of chances: link 0, whose bit runs quickest, first."""
    for one in chance:
        pairs = values.reshape(-1, 2)
        values = _mix(pairs[:, 0], pairs[:, 1], float(one))
    return float(values[0])
