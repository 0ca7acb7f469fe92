"""Points near points on the globe, by a tree of unit vectors: exact, also across the date line.

Distances are great circles in km. Letters in shapes: n points asked about, P pairs found.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cleanhub.freight.globe import EARTH_RADIUS_KM
from cleanhub.freight.problem import FloatArray, IntArray


def unit_vectors(lat: ArrayLike, lon: ArrayLike) -> FloatArray:
    """Points given in degrees as unit vectors (n, 3)."""
    phi = np.radians(np.atleast_1d(np.asarray(lat, dtype=np.float64)))
    turn = np.radians(np.atleast_1d(np.asarray(lon, dtype=np.float64)))
    return np.stack([np.cos(phi) * np.cos(turn), np.cos(phi) * np.sin(turn), np.sin(phi)], axis=1)


def chord_of(km: ArrayLike) -> FloatArray:
    """Straight line through the globe (radius 1) under a great circle of ``km``."""
    angle = np.clip(np.asarray(km, dtype=np.float64) / EARTH_RADIUS_KM, 0.0, np.pi)
    return np.asarray(2 * np.sin(angle / 2), dtype=np.float64)


def km_of(chord: ArrayLike) -> FloatArray:
    """Great circle [km] over a straight line through the globe of radius 1: inverse of :func:`chord_of`."""
    half = np.clip(np.asarray(chord, dtype=np.float64) / 2, 0.0, 1.0)
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(half), dtype=np.float64)


def summed(values: ArrayLike, of: IntArray, length: int) -> FloatArray:
    """Sum of ``values`` (P,) by the position ``of`` (P,) each belongs to, shape (length,)."""
    weights = np.asarray(values, dtype=np.float64)
    return np.asarray(np.bincount(of, weights=weights, minlength=length), dtype=np.float64)


class Nearby:
    """Points (degrees) that others are compared with."""

    def __init__(self, lat: ArrayLike, lon: ArrayLike) -> None:
        from scipy.spatial import cKDTree

        self.vectors = unit_vectors(lat, lon)
        self._tree = cKDTree(self.vectors) if len(self.vectors) else None

    def nearest(self, lat: ArrayLike, lon: ArrayLike) -> tuple[IntArray, FloatArray]:
        """The nearest point to each of n: position (n,) and distance (n,) [km]; -1 and inf without any."""
        asked = unit_vectors(lat, lon)
        if self._tree is None:
            return np.full(len(asked), -1, dtype=np.int64), np.full(len(asked), np.inf)
        chord, place = self._tree.query(asked)
        return np.asarray(place, dtype=np.int64), km_of(chord)

    def within(self, lat: ArrayLike, lon: ArrayLike, km: ArrayLike) -> tuple[IntArray, IntArray]:
        """Pairs no further apart than ``km`` (one number, or one for each of n).

        Returns the positions among those asked about (P,), ascending, and among the points (P,), ascending
        within each.
        """
        asked = unit_vectors(lat, lon)
        if self._tree is None or not len(asked):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        radius = np.broadcast_to(chord_of(km), len(asked)) * (1 + 1e-12)  # a point exactly as far counts
        found: NDArray[np.object_] = self._tree.query_ball_point(asked, radius, return_sorted=True)
        count = np.array([len(places) for places in found], dtype=np.int64)
        first = np.repeat(np.arange(len(asked), dtype=np.int64), count)
        second = np.concatenate([np.asarray(places, dtype=np.int64) for places in found])
        return first, second
