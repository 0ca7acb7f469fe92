"""The choice of support: the programme against a search of everything, its bound, limits that widen."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from exact_choice import search_all

from cleanhub.pipeline.support_choice import SupportProblem, choose


def random_problem(seed: int) -> SupportProblem:
    """Up to 12 candidates with one to three packages, dear and cheap, and synergies of both signs."""
    random = np.random.default_rng(seed)
    candidates = int(random.integers(1, 13))
    sizes = random.integers(1, 4 if candidates <= 8 else 3, candidates)
    candidate = np.repeat(np.arange(candidates), sizes)
    count = len(candidate)
    pairs = [(a, b) for a in range(count) for b in range(a + 1, count) if candidate[a] != candidate[b]]
    kept = [pair for pair in pairs if random.random() < 0.25]
    return SupportProblem(
        candidate=candidate,
        value=random.lognormal(12.0, 1.0, count),
        cost=random.lognormal(14.0, 1.0, count),
        public=random.lognormal(14.0, 1.0, count) * (random.random(count) < 0.3),
        slot=random.random(count) < 0.7,
        pairs=np.array(kept, dtype=np.int64).reshape(-1, 2),
        extra=random.normal(0.0, 1e5, len(kept)),
        slots=int(random.integers(0, 7)),
        budget=float(random.uniform(0.0, 1.5e7)),
        public_budget=float(random.uniform(0.0, 5e6)) if random.random() < 0.5 else np.inf,
    )


def plain(**changes: Any) -> SupportProblem:
    """Three candidates with one package each, worth 10, 9 and 8, at a cost of 2, 1 and 1."""
    given: dict[str, Any] = {
        "candidate": np.arange(3),
        "value": np.array([10.0, 9.0, 8.0]),
        "cost": np.array([2.0, 1.0, 1.0]),
        "public": np.zeros(3),
        "slot": np.ones(3, dtype=bool),
        "pairs": np.zeros((0, 2), dtype=np.int64),
        "extra": np.zeros(0),
        "slots": 3,
        "budget": 2.0,
    }
    return SupportProblem(**{**given, **changes})


@pytest.mark.parametrize("seed", range(60))
def test_the_programme_finds_what_a_search_of_everything_finds(seed: int) -> None:
    problem = random_problem(seed)
    found, best = choose(problem), search_all(problem)
    assert found.value == pytest.approx(best.value, rel=2e-6, abs=1e-6)
    assert found.bound >= best.value - 1e-6 * abs(best.value)
    assert found.gap <= 2e-6
    assert found.status == "optimal"
    picked = np.isin(np.arange(len(problem.value)), found.picked)
    assert problem.fits(picked)
    assert float(problem.value_of(picked)) == pytest.approx(found.value)
    assert len(set(problem.candidate[found.picked])) == len(found.picked)


@pytest.mark.parametrize("seed", range(20))
def test_more_slots_or_money_never_lower_the_value(seed: int) -> None:
    problem = random_problem(seed)
    values = []
    for slots, times in ((0, 0.0), (1, 0.5), (2, 0.5), (2, 1.0), (4, 1.0), (4, 2.0), (20, 50.0)):
        wider = replace(problem, slots=slots, budget=problem.budget * times)
        values.append(choose(wider).value)
    values.append(choose(replace(wider, public_budget=np.inf)).value)
    slack = 1e-6 * max(values)
    assert all(later >= earlier - slack for earlier, later in pairwise(values))


def test_by_hand() -> None:
    assert list(choose(plain()).picked) == [1, 2]  # 17 for 2, against 10 for 2
    assert list(choose(plain(slots=1)).picked) == [0]
    assert list(choose(plain(budget=3.0)).picked) == [0, 1]
    assert list(choose(plain(budget=4.0)).picked) == [0, 1, 2]
    assert list(choose(plain(budget=4.0, public=np.array([1.0, 1, 1]), public_budget=1.0)).picked) == [0]
    assert list(choose(plain(candidate=np.array([0, 1, 1]))).picked) == [0]  # one package a candidate


def test_synergies_are_counted_where_both_are_taken() -> None:
    pair = np.array([[0, 2]])
    together = choose(plain(budget=3.0, pairs=pair, extra=np.array([5.0])))
    assert (list(together.picked), together.value) == ([0, 2], 23.0)
    apart = choose(plain(budget=4.0, pairs=pair, extra=np.array([-9.0])))
    assert (list(apart.picked), apart.value) == ([0, 1], 19.0)


def test_a_package_that_takes_no_slot_needs_none() -> None:
    found = choose(plain(slots=0, slot=np.array([True, False, True])))
    assert list(found.picked) == [1]


def test_nothing_to_choose() -> None:
    empty = plain(
        candidate=np.zeros(0, dtype=np.int64),
        value=np.zeros(0),
        cost=np.zeros(0),
        public=np.zeros(0),
        slot=np.zeros(0, dtype=bool),
    )
    for problem in (empty, plain(budget=0.5), plain(slots=0)):
        found = choose(problem)
        assert (len(found.picked), found.value, found.bound, found.gap) == (0, 0.0, 0.0, 0.0)
    assert list(choose(plain(budget=0.0, cost=np.array([1.0, 0, 1]))).picked) == [1]


def test_bad_problems() -> None:
    for bad in ({"slots": -1}, {"budget": -1.0}, {"public_budget": -1.0}):
        with pytest.raises(ValueError, match="at least 0"):
            choose(plain(**bad))
    many = plain(
        candidate=np.arange(13),
        value=np.ones(13),
        cost=np.ones(13),
        public=np.zeros(13),
        slot=np.ones(13, dtype=bool),
    )
    with pytest.raises(ValueError, match="at most 12"):
        search_all(many)
