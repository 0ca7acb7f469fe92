"""Points near points: exact on the sphere, brute force as the reference."""

from __future__ import annotations

import numpy as np
import pytest

from cleanhub.freight.globe import EARTH_RADIUS_KM, great_circle_km
from cleanhub.freight.near import Nearby, chord_of, km_of, summed, unit_vectors


def test_chord_and_arc_are_inverse() -> None:
    km = np.array([0.0, 0.001, 2.0, 500.0, np.pi * EARTH_RADIUS_KM])
    assert km_of(chord_of(km)) == pytest.approx(km, rel=1e-9, abs=1e-9)
    assert chord_of(np.pi * EARTH_RADIUS_KM) == pytest.approx(2.0)  # straight through the globe
    assert chord_of(1e9) == pytest.approx(2.0)  # no point is further than the other side


def test_unit_vectors_are_of_length_one() -> None:
    vectors = unit_vectors([0.0, 90.0, -45.0], [0.0, 12.0, 180.0])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3))
    assert vectors[0] == pytest.approx([1.0, 0.0, 0.0])
    assert vectors[1] == pytest.approx([0.0, 0.0, 1.0], abs=1e-15)


def test_within_and_nearest_equal_brute_force() -> None:
    draw = np.random.default_rng(5)
    lat, lon = draw.uniform(33.5, 34.5, 300), draw.uniform(-118.5, -117.0, 300)
    asked_lat, asked_lon = draw.uniform(33.5, 34.5, 40), draw.uniform(-118.5, -117.0, 40)
    reach = draw.uniform(0.5, 30.0, 40)
    km = great_circle_km(asked_lat[:, None], asked_lon[:, None], lat, lon)
    first, second = Nearby(lat, lon).within(asked_lat, asked_lon, reach)
    expected = np.nonzero(km <= reach[:, None])
    assert first.tolist() == expected[0].tolist()
    assert second.tolist() == expected[1].tolist()
    place, far = Nearby(lat, lon).nearest(asked_lat, asked_lon)
    assert place.tolist() == km.argmin(axis=1).tolist()
    assert far == pytest.approx(km.min(axis=1))


def test_a_point_exactly_as_far_counts() -> None:
    reach = float(great_circle_km(34.0, -118.0, 34.0, -117.9))
    assert len(Nearby([34.0], [-117.9]).within([34.0], [-118.0], reach)[0]) == 1
    assert len(Nearby([34.0], [-117.9]).within([34.0], [-118.0], reach * 0.9999)[0]) == 0


def test_across_the_date_line() -> None:
    place, km = Nearby([0.0, 0.0], [179.9, 0.0]).nearest([0.0], [-179.9])
    assert place.tolist() == [0]
    assert km[0] == pytest.approx(0.2 * np.pi / 180 * EARTH_RADIUS_KM)


def test_no_points_and_nobody_asked() -> None:
    place, km = Nearby([], []).nearest([34.0], [-118.0])
    assert place.tolist() == [-1]
    assert np.isinf(km).all()
    assert [len(part) for part in Nearby([], []).within([34.0], [-118.0], 5.0)] == [0, 0]
    assert [len(part) for part in Nearby([34.0], [-118.0]).within([], [], 5.0)] == [0, 0]


def test_summed_keeps_the_total_and_the_length() -> None:
    total = summed([1.0, 2.0, 4.0], np.array([2, 0, 2]), 4)
    assert total.tolist() == [2.0, 0.0, 5.0, 0.0]
    assert summed([], np.zeros(0, dtype=np.int64), 3).dtype == np.float64
