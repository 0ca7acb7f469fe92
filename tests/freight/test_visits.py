"""Whole visits drawn from trips: counts, bases, extra stops, dwell."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.freight.figures import Figures
from cleanhub.freight.problem import Trips, Zones
from cleanhub.freight.visits import draw_visits, systematic_counts
from cleanhub.hub.package import Hub

MILE = 1.609344


@pytest.fixture
def zones(make_zones: Callable[..., Zones]) -> Zones:
    """A terminal, a cluster near it, a cluster inland with a neighbour, a yard, a far gateway."""
    made = make_zones(
        ("port", "terminal", 33.75, -118.25),
        ("near", "cluster", 33.80, -118.25),
        ("inland", "cluster", 34.05, -117.50),
        ("beside", "cluster", 34.05, -117.40),
        ("yard", "rail_yard", 33.82, -118.24),
        ("beyond", "gateway", 36.00, -115.00),
    )
    band = np.array(["", "local", "inland", "inland", "near_dock_rail", "far"], dtype=object)
    return dataclasses.replace(made, band=band)


@pytest.fixture
def km(zones: Zones) -> np.ndarray:
    north = zones.lat[:, None] - zones.lat
    east = (zones.lon[:, None] - zones.lon) * np.cos(np.radians(34.0))
    return 111.195 * 1.2 * np.hypot(north, east)


def _trips(*pairs: tuple[int, float]) -> Trips:
    to, per_day = zip(*pairs, strict=True)
    return Trips(
        np.zeros(len(to), dtype=np.int64), np.array(to, dtype=np.int64), np.array(per_day, dtype=float)
    )


@given(st.lists(st.floats(0, 40), min_size=1, max_size=60), st.integers(0, 2**31))
def test_every_running_sum_is_within_one(expected: list[float], seed: int) -> None:
    whole = np.ceil(np.sum(expected) + 0.5)
    expected = np.array(expected) + (whole - np.sum(expected)) / len(expected)  # a whole sum, as of visits
    counts = systematic_counts(expected, np.random.default_rng(seed))
    assert counts.sum() == whole
    assert (np.abs(np.cumsum(counts) - np.cumsum(expected)) <= 1 + 1e-6).all()
    assert (np.abs(counts - expected) <= 1 + 1e-6).all()


def test_whole_numbers_stay_as_they_are() -> None:
    expected = np.array([3.0, 0.0, 7.0, 1.0])
    for seed in range(20):
        np.testing.assert_array_equal(systematic_counts(expected, np.random.default_rng(seed)), expected)


def test_visits_cover_the_trips(california: Hub, zones: Zones, km: np.ndarray) -> None:
    trips = _trips((1, 400.4), (2, 100.0), (4, 250.3), (5, 12.7))
    visits = draw_visits(trips, zones, km, Figures(california), np.random.default_rng(3))
    assert len(visits.customer) * visits.each == pytest.approx(763.4)
    made = np.bincount(visits.customer, minlength=6) * visits.each
    assert np.abs(made - [0, 400.4, 100.0, 0, 250.3, 12.7]).max() < 1.01


def test_visits_of_a_base_stand_together(california: Hub, zones: Zones, km: np.ndarray) -> None:
    visits = draw_visits(_trips((1, 50), (2, 50)), zones, km, Figures(california), np.random.default_rng(1))
    assert (np.diff(visits.home) >= 0).all()
    assert (zones.kind[visits.home] == "cluster").all()


def test_bases_lie_near_the_port_or_near_the_customer(
    zones: Zones, km: np.ndarray, figures_with: Callable[..., Figures]
) -> None:
    trips = _trips((2, 3000.0), (5, 1000.0))
    figures = figures_with(
        {("home_near_port_share", "inland"): (0.3, "1"), ("home_near_port_share", "far"): (1.0, "1")}
    )
    visits = draw_visits(trips, zones, km, figures, np.random.default_rng(5))
    inland = visits.customer == 2
    assert (visits.home[inland] == 1).mean() == pytest.approx(0.3, abs=0.03)
    assert set(visits.home[inland]) == {1, 2, 3}
    assert (visits.home[~inland] == 1).all()


def test_extra_stops_are_other_clusters_nearby(
    zones: Zones, km: np.ndarray, figures_with: Callable[..., Figures]
) -> None:
    figures = figures_with({("extra_stop_share", ""): (0.5, "1"), ("extra_stop_within", ""): (15.0, "mi")})
    visits = draw_visits(_trips((2, 2000), (5, 300)), zones, km, figures, np.random.default_rng(2))
    inland = visits.customer == 2
    went = visits.stop != visits.customer
    assert went[inland].mean() == pytest.approx(0.5, abs=0.04)
    assert set(visits.stop[inland & went]) == {3}
    assert not went[~inland].any()  # nothing lies near the gateway
    assert ((visits.stop_dwell > 0) == went).all()


def test_dwell_has_the_mean_and_spread_of_the_rows(
    zones: Zones, km: np.ndarray, figures_with: Callable[..., Figures]
) -> None:
    """Terminal 75 min; customer 0.4 x 120 + 0.6 x 35 = 69 min and the wait; a yard 45 min and the wait."""
    figures = figures_with({("dispatch_wait", ""): (30.0, "min")})
    visits = draw_visits(_trips((1, 9000), (4, 9000)), zones, km, figures, np.random.default_rng(4))
    yard = visits.customer == 4
    assert visits.terminal_dwell.mean() == pytest.approx(75 / 60, rel=0.02)
    assert visits.terminal_dwell.std() / visits.terminal_dwell.mean() == pytest.approx(0.4, rel=0.05)
    assert visits.customer_dwell[~yard].mean() == pytest.approx((69 + 30) / 60, rel=0.02)
    assert visits.customer_dwell[yard].mean() == pytest.approx((45 + 30) / 60, rel=0.02)
    assert (visits.customer_dwell >= 0.5).all()


def test_a_seed_gives_the_same_visits_and_another_others(
    california: Hub, zones: Zones, km: np.ndarray
) -> None:
    figures, trips = Figures(california), _trips((1, 40.5), (2, 60.2))
    first, again, other = (
        draw_visits(trips, zones, km, figures, np.random.default_rng(seed)) for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(first.customer_dwell, again.customer_dwell)
    np.testing.assert_array_equal(first.home, again.home)
    assert not np.array_equal(first.customer_dwell, other.customer_dwell)


def test_without_clusters_trucks_park_at_their_customer(
    california: Hub, zones: Zones, km: np.ndarray
) -> None:
    bare = dataclasses.replace(zones, weight=np.where(zones.kind == "cluster", 0.0, zones.weight))
    visits = draw_visits(_trips((4, 30)), bare, km, Figures(california), np.random.default_rng(1))
    np.testing.assert_array_equal(visits.home, visits.customer)
    np.testing.assert_array_equal(visits.stop, visits.customer)
