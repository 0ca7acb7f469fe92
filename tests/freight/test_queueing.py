"""Waiting for a plug: closed forms, published values, a simulation, and what must hold."""

from __future__ import annotations

import heapq
from math import factorial

import numpy as np
import pytest

from cleanhub.freight.queueing import erlang_c, mean_wait, most_use


def by_definition(plugs: int, use: float) -> float:
    """Erlang C from its sum of powers over factorials."""
    load = plugs * use
    last = load**plugs / factorial(plugs) / (1 - use)
    return last / (sum(load**k / factorial(k) for k in range(plugs)) + last)


@pytest.mark.parametrize("plugs", [1, 2, 5, 20, 60])
@pytest.mark.parametrize("use", [0.05, 0.5, 0.9, 0.99])
def test_erlang_c_equals_its_definition(plugs: int, use: float) -> None:
    assert erlang_c(plugs, use) == pytest.approx(by_definition(plugs, use), rel=1e-10)


def test_one_plug_is_the_textbook_queue() -> None:
    use = np.array([0.1, 0.5, 0.8])
    assert erlang_c(1, use) == pytest.approx(use)
    assert mean_wait(1, use, 2.0) == pytest.approx(2.0 * use / (1 - use))  # M/M/1: use/(1-use) stays


def test_two_plugs_in_closed_form() -> None:
    use = np.array([0.2, 0.6, 0.95])
    assert erlang_c(2, use) == pytest.approx(2 * use**2 / (1 + use))
    assert mean_wait(2, use, 1.0) == pytest.approx(use**2 / (1 - use**2))


def test_the_published_example_of_ten_servers() -> None:
    # Ten servers at a load of eight: 40.9 % wait (tables of the Erlang C formula).
    assert erlang_c(10, 0.8) == pytest.approx(0.409, abs=5e-4)


def test_full_use_waits_for_ever() -> None:
    assert erlang_c(4, [1.0, 1.7]).tolist() == [1.0, 1.0]
    assert np.isinf(mean_wait(4, [1.0, 2.0], 1.0)).all()
    assert erlang_c(4, 0.0) == 0.0


def test_many_plugs_stay_finite() -> None:
    assert 0 < erlang_c(400, 0.95) < 0.5
    assert np.isfinite(mean_wait(400, 0.999, 1.0))


def test_most_use_meets_the_wait_exactly() -> None:
    plugs, stay, wait = np.array([1, 2, 7, 30]), np.array([1.0, 0.5, 1.6, 1.6]), 1 / 6
    use = most_use(plugs, stay, wait)
    assert mean_wait(plugs, use, stay) == pytest.approx(np.full(4, wait), rel=1e-9)
    # M/M/1: stay use/(1-use) = wait, so use = wait/(stay + wait).
    assert use[0] == pytest.approx(wait / (1 + wait))


def test_more_plugs_or_patience_allow_more_use_and_longer_stays_less() -> None:
    assert (np.diff(most_use(np.arange(1, 60), 1.5, 0.2)) > 0).all()
    assert (np.diff(most_use(10, 1.5, np.linspace(0.01, 2.0, 20))) > 0).all()
    assert (np.diff(most_use(10, np.linspace(0.2, 4.0, 20), 0.2)) < 0).all()
    assert most_use(10, 1.5, 0.0) < 0.05  # nobody may ever wait


def test_most_use_keeps_the_shape() -> None:
    assert most_use(np.ones((2, 3), dtype=int), 1.0, 0.1).shape == (2, 3)
    assert most_use(np.zeros(0, dtype=int), 1.0, 0.1).shape == (0,)


def test_bad_queues_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one plug"):
        erlang_c(0, 0.5)
    with pytest.raises(ValueError, match="use of zero or more"):
        erlang_c(1, -0.1)
    with pytest.raises(ValueError, match="stay lasts"):
        most_use(1, 0.0, 0.1)
    with pytest.raises(ValueError, match="not negative"):
        most_use(1, 1.0, -0.1)


def test_a_simulated_queue_waits_as_long() -> None:
    draw = np.random.default_rng(11)
    plugs, use, count = 3, 0.8, 200_000
    arrive = np.cumsum(draw.exponential(1 / (plugs * use), count))
    stay = draw.exponential(1.0, count)
    free = [0.0] * plugs
    waited = 0.0
    for at, long in zip(arrive.tolist(), stay.tolist(), strict=True):
        begin = max(at, heapq.heappop(free))
        waited += begin - at
        heapq.heappush(free, begin + long)
    assert waited / count == pytest.approx(float(mean_wait(plugs, use, 1.0)), rel=0.08)
