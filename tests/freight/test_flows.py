"""Trucks by arc: sums along a road, unique routing, what is withheld."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from cleanhub.freight.flows import Ways, private_road_flow, road_flow
from cleanhub.freight.network import Network
from cleanhub.freight.problem import TruckDays, Zones
from cleanhub.hub.charging_tables import ROAD_FLOW


@pytest.fixture
def zones(make_zones: Callable[..., Zones]) -> Zones:
    return make_zones(
        ("west", "terminal", 34.0, -118.3),
        ("middle", "cluster", 34.0, -117.8),
        ("east", "cluster", 34.0, -117.3),
    )


@pytest.fixture
def days(make_days: Callable[..., TruckDays]) -> TruckDays:
    """Ten trucks west to east and back, three west to middle only."""
    return make_days(
        (10.0, 0, [(0, 2, 92.0, 1.0), (2, 0, 92.0, 0.0)]),
        (3.0, 0, [(0, 1, 46.0, 1.0), (1, 1, 0.0, 0.0)]),
    )


def test_trucks_are_counted_on_every_arc_in_its_direction(
    straight_road: Network, zones: Zones, days: TruckDays
) -> None:
    flow = road_flow(straight_road, Ways(straight_road, zones, days), np.array([0.5, 0.0]))
    assert list(flow.columns) == list(ROAD_FLOW.names)
    assert len(flow) == 40
    east = flow[flow["to_lon"] > flow["from_lon"]]
    west_half = east["to_lon"] <= -117.8 + 1e-9
    np.testing.assert_allclose(east.loc[west_half, "trucks_per_day"], 13.0)
    np.testing.assert_allclose(east.loc[~west_half, "trucks_per_day"], 10.0)
    np.testing.assert_allclose(flow["ze_trucks_per_day"], 5.0)
    assert set(flow["licence"]) == {straight_road.licence}


def test_truck_kilometres_on_arcs_equal_those_of_the_legs(
    straight_road: Network, zones: Zones, days: TruckDays
) -> None:
    flow = road_flow(straight_road, Ways(straight_road, zones, days), np.ones(2), least=0.0)
    on_arcs = (flow["trucks_per_day"] * straight_road.length_km[flow["arc_id"]]).sum()
    whole = straight_road.between(zones.lat, zones.lon, zones.lat, zones.lon).km
    assert on_arcs == pytest.approx(20 * whole[0, 2] + 3 * whole[0, 1], rel=1e-9)


def test_each_pair_of_places_is_routed_once(straight_road: Network, zones: Zones, days: TruckDays) -> None:
    asked = []

    class Counting:
        tail = straight_road.tail

        def paths(self, *ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            asked.append(len(ends[0]))
            return straight_road.paths(*ends)

    ways = Ways(Counting(), zones, days)  # type: ignore[arg-type]
    assert len(road_flow(straight_road, ways, np.zeros(2))) == 40
    assert len(road_flow(straight_road, ways, np.ones(2))) == 40
    assert asked == [3]


def test_arcs_with_little_traffic_are_left_out(straight_road: Network, zones: Zones, days: TruckDays) -> None:
    flow = road_flow(straight_road, Ways(straight_road, zones, days), np.zeros(2), least=11.0)
    assert len(flow) == 10
    assert (flow["trucks_per_day"] == 13.0).all()


def test_no_legs_no_roads(straight_road: Network, zones: Zones, make_days: Callable[..., TruckDays]) -> None:
    assert road_flow(straight_road, Ways(straight_road, zones, make_days()), np.zeros(0)).empty
    still = make_days((1.0, 1, [(1, 1, 0.0, 0.0)]))
    assert road_flow(straight_road, Ways(straight_road, zones, still), np.zeros(1)).empty


def test_arcs_of_few_different_trucks_are_withheld_and_counted(
    straight_road: Network, zones: Zones, make_days: Callable[..., TruckDays]
) -> None:
    """Five trucks drive to the middle, two of them on to the east: the eastern arcs stay hidden."""
    half = [(0, 1, 46.0, 1.0)]
    whole = [(0, 2, 92.0, 1.0)]
    days = make_days(*[(1.0, 0, half)] * 3, *[(1.0, 0, whole)] * 2)
    shown, withheld = private_road_flow(straight_road, zones, days, np.zeros(5), np.arange(5))
    assert len(shown) == 10
    assert withheld == 10
    assert (shown["to_lon"] <= -117.8 + 1e-9).all()
    np.testing.assert_allclose(shown["trucks_per_day"], 5.0)


def test_many_days_of_few_trucks_stay_hidden(
    straight_road: Network, zones: Zones, make_days: Callable[..., TruckDays]
) -> None:
    days = make_days(*[(1.0, 0, [(0, 2, 92.0, 1.0)])] * 40)
    shown, withheld = private_road_flow(straight_road, zones, days, np.zeros(40), np.arange(40) % 4)
    assert shown.empty
    assert withheld == 20
    shown, withheld = private_road_flow(straight_road, zones, days, np.zeros(40), np.arange(40) % 5)
    assert len(shown) == 20
    assert withheld == 0


def test_moving_a_place_moves_its_flow(straight_road: Network, zones: Zones, days: TruckDays) -> None:
    moved = dataclasses.replace(zones, lon=np.array([-118.3, -117.8, -117.5]))
    routed = [Ways(straight_road, each, days) for each in (zones, moved)]
    before, after = (road_flow(straight_road, ways, np.zeros(2)) for ways in routed)
    assert before["to_lon"].max() == pytest.approx(-117.3)
    assert after["to_lon"].max() == pytest.approx(-117.5)
    assert after["trucks_per_day"].sum() < before["trucks_per_day"].sum()
