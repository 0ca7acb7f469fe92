"""Distances on the globe, by arithmetic alone: what asks for no more than these loads no roads."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_KM = 6371.0088  # mean radius R1 of GRS 80 (Moritz 2000)


def great_circle_km(
    lat: ArrayLike, lon: ArrayLike, to_lat: ArrayLike, to_lon: ArrayLike
) -> NDArray[np.float64]:
    """Distance on the sphere (haversine) [km]; arguments in degrees, they broadcast."""
    first, second = np.radians(np.asarray(lat, float)), np.radians(np.asarray(to_lat, float))
    turn = np.radians(np.asarray(to_lon, float) - np.asarray(lon, float))
    chord = np.sin((second - first) / 2) ** 2 + np.cos(first) * np.cos(second) * np.sin(turn / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0))), dtype=np.float64)
