"""Waiting for a plug: the M/M/c queue.

Trucks come at random (Poisson), stay a random time (exponential) and wait for the first free of c
plugs. A. K. Erlang (1917); L. Kleinrock, Queueing Systems I (1975), section 3.5. At real sites arrivals bunch
up less where stays are booked, and more where shifts begin together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cleanhub.freight.problem import FloatArray, IntArray

STEPS = 60  # halvings: the use is found to 1e-18


def erlang_c(plugs: ArrayLike, use: ArrayLike) -> FloatArray:
    """Probability that a truck must wait.

    ``plugs`` are whole numbers of at least 1, ``use`` the share of time that a plug is busy [1]; they
    broadcast. At a ``use`` of 1 or more the queue grows without end and everyone waits (1). Raises
    ``ValueError`` for no plugs or a negative use.
    """
    servers, share = np.broadcast_arrays(np.asarray(plugs, np.int64), np.asarray(use, np.float64))
    if servers.size and (servers.min() < 1 or not share.min() >= 0):
        raise ValueError("a queue needs at least one plug and a use of zero or more")
    stable = np.minimum(share, 1.0)
    load = servers * stable
    blocked = np.ones(servers.shape)  # Erlang B of no plugs
    answer = np.ones(servers.shape)
    for k in range(1, int(servers.max(initial=0)) + 1):
        blocked = load * blocked / (k + load * blocked)
        answer = np.where(servers == k, blocked, answer)
    with np.errstate(invalid="ignore", divide="ignore"):
        waits = answer / (1 - stable * (1 - answer))
    return np.where(share >= 1, 1.0, waits)


def mean_wait(plugs: ArrayLike, use: ArrayLike, stay: ArrayLike) -> FloatArray:
    """Mean wait of all trucks, in the unit of ``stay`` (the mean time at a plug); inf from a use of 1 on."""
    servers, share = np.asarray(plugs, np.float64), np.asarray(use, np.float64)
    with np.errstate(divide="ignore"):
        wait = erlang_c(plugs, use) * np.asarray(stay, np.float64) / (servers * (1 - np.minimum(share, 1.0)))
    return np.asarray(wait, dtype=np.float64)


def most_use(plugs: ArrayLike, stay: ArrayLike, wait: ArrayLike) -> FloatArray:
    """The largest use at which the mean wait stays within ``wait`` (same unit as ``stay``), below 1.

    More plugs or a longer accepted wait allow more use. Found by halving. Raises ``ValueError`` for
    a stay that is not above zero or a negative wait.
    """
    servers, time, bound = np.broadcast_arrays(
        np.asarray(plugs, np.int64), np.asarray(stay, np.float64), np.asarray(wait, np.float64)
    )
    if time.size and (not time.min() > 0 or not bound.min() >= 0):
        raise ValueError("a stay lasts some time and a wait is not negative")
    rows = np.stack([servers.ravel(), time.ravel(), bound.ravel()])
    alike, of = np.unique(rows, axis=1, return_inverse=True)
    count: IntArray = alike[0].astype(np.int64)
    low, high = np.zeros(len(count)), np.ones(len(count))
    for _ in range(STEPS):
        middle = (low + high) / 2
        fits = mean_wait(count, middle, alike[1]) <= alike[2]
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return low[np.ravel(of)].reshape(servers.shape)
