"""The best set of packages by looking at every set that fits: what the integer programme is held against."""

from __future__ import annotations

import numpy as np

from cleanhub.pipeline.support_choice import Choice, SupportProblem

MOST_SEARCHED = 12
"""Most candidates of a search of everything."""


def search_all(problem: SupportProblem) -> Choice:
    """The best choice by looking at every set that fits; for small problems.

    Raises ``ValueError`` beyond :data:`MOST_SEARCHED` candidates.
    """
    candidates = np.unique(problem.candidate)
    if len(candidates) > MOST_SEARCHED:
        raise ValueError(f"{len(candidates)} candidates: at most {MOST_SEARCHED} can be searched")
    sets = np.zeros((1, len(problem.value)), dtype=bool)
    for candidate in candidates:
        options = [sets]
        for package in np.flatnonzero(problem.candidate == candidate):
            taken = sets.copy()
            taken[:, package] = True
            options.append(taken[problem.fits(taken)])
        sets = np.concatenate(options)
    values = problem.value_of(sets)
    best = int(np.argmax(values))
    value = float(values[best])
    return Choice(np.flatnonzero(sets[best]), value, value, 0.0, "optimal")
