"""The proxy of diesel particulate matter beside roads: chords of circles, invariances, California."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cleanhub.freight.exposure import (
    diesel_pm_people,
    disadvantaged_tracts,
    near_disadvantaged,
    people_along,
    people_beside,
    people_near,
)
from cleanhub.freight.figures import Figures
from cleanhub.freight.globe import EARTH_RADIUS_KM
from cleanhub.freight.network import Network
from cleanhub.freight.problem import TruckDays, Zones
from cleanhub.hub.package import Hub

DEGREE_KM = np.pi / 180 * EARTH_RADIUS_KM
"""A degree of latitude."""


def tract(name: str, lat: float, lon: float, people: float, disadvantaged: bool = True) -> dict[str, Any]:
    about = {"tract": name, "county": "Los Angeles", "place": "Town", "source_id": "x", "confidence": "seen"}
    return about | {"lat": lat, "lon": lon, "population": people, "disadvantaged": disadvantaged}


@pytest.fixture
def figures(california: Hub) -> Figures:
    return Figures(california)


def test_only_disadvantaged_tracts_in_reach_count(hub_with: Callable[..., Hub]) -> None:
    hub = hub_with(
        tracts=[
            tract("near", 34.0 + 1.0 / DEGREE_KM, -118.0, 1000),
            tract("near but not named", 34.0, -118.0, 5000, disadvantaged=False),
            tract("far", 34.0 + 2.1 / DEGREE_KM, -118.0, 300),
        ]
    )
    assert len(disadvantaged_tracts(hub)) == 2
    assert people_near(hub, [34.0], [-118.0], 2.0).tolist() == [1000.0]
    assert people_near(hub, [34.0], [-118.0], 2.2).tolist() == [1300.0]
    assert people_near(hub, [], [], 2.0).tolist() == []


def test_an_arc_counts_a_tract_by_its_chord(hub_with: Callable[..., Hub], straight_road: Network) -> None:
    # The middle of the first arc (4.61 km) lies 1.2 km from the tract: chord 2 x sqrt(4 - 1.44) = 3.2 km.
    hub = hub_with(tracts=[tract("t", 34.0 + 1.2 / DEGREE_KM, -118.275, 1000)])
    people = people_along(hub, straight_road, 2.0)
    assert people[0] == pytest.approx(1000 * 3.2 / straight_road.length_km[0], rel=1e-3)
    assert people[1:20].sum() == 0
    assert people[20] == pytest.approx(people[0])  # the same road the other way
    assert people_along(hub, straight_road, 2.0, np.array([20, 3])) == pytest.approx([people[0], 0.0])


def test_a_tract_beside_a_node_is_shared_by_two_arcs(
    hub_with: Callable[..., Hub], straight_road: Network
) -> None:
    hub = hub_with(tracts=[tract("t", 34.0, -118.2, 700)])
    people = people_along(hub, straight_road, 2.0)[:20]
    assert people[1:3] * straight_road.length_km[1:3] == pytest.approx([1400.0, 1400.0], rel=1e-3)
    assert np.count_nonzero(people) == 2


def test_cutting_an_arc_changes_nothing(california: Hub, straight_road: Network) -> None:
    whole = dataclasses.replace(
        straight_road,
        tail=np.array([0]),
        head=np.array([20]),
        length_km=straight_road.length_km[:20].sum(keepdims=True),
        time_min=np.ones(1),
        road_class=np.array([""], dtype=object),
        truck_ok=np.ones(1, dtype=bool),
    )
    parts = people_along(california, straight_road, 2.0)[:20] @ straight_road.length_km[:20]
    assert people_along(california, whole, 2.0)[0] * whole.length_km[0] == pytest.approx(parts, rel=0.01)


def test_an_arc_equals_the_mean_of_points_along_it(california: Hub, straight_road: Network) -> None:
    people = people_along(california, straight_road, 2.0)[:20]
    for arc in (3, 9, 15):
        share = (np.arange(2000) + 0.5) / 2000
        lon = straight_road.lon[arc] + share * (straight_road.lon[arc + 1] - straight_road.lon[arc])
        mean = people_near(california, np.full(2000, 34.0), lon, 2.0).mean()
        assert people[arc] == pytest.approx(mean, rel=0.01, abs=1.0)


def test_an_arc_of_no_length_is_a_point(hub_with: Callable[..., Hub], straight_road: Network) -> None:
    hub = hub_with(tracts=[tract("t", 34.0, -118.3, 50)])
    still = dataclasses.replace(straight_road, head=straight_road.tail)
    assert people_along(hub, still, 2.0)[0] == 50.0


def test_ways_between_zones_take_their_arcs_and_their_ends(
    hub_with: Callable[..., Hub], figures: Figures, straight_road: Network, make_zones: Callable[..., Zones]
) -> None:
    hub = hub_with(tracts=[tract("t", 34.0, -118.2, 700)])
    zones = make_zones(
        ("on", "cluster", 34.0, -118.3),
        ("end", "cluster", 34.0, -118.1),
        ("beside", "cluster", 34.02, -118.2),
    )
    pairs = np.array([[0, 1], [1, 0], [0, 0], [2, 2]])
    people = people_beside(hub, figures, zones, straight_road, pairs)
    km = straight_road.between(zones.lat[:1], zones.lon[:1], zones.lat[1:2], zones.lon[1:2]).km[0, 0]
    assert people[0] == pytest.approx(
        700 * 4.0 / km, rel=1e-3
    )  # 4 km of the way lie within 2 km of the tract
    assert people[1] == pytest.approx(people[0])
    assert people[2] == 0.0  # around a zone where nobody lives
    assert people[3] == 0.0  # 2.2 km away
    assert people_beside(hub, figures, zones, straight_road, np.zeros((0, 2), dtype=int)).shape == (0,)


def test_the_proxy_is_kilograms_times_people(
    hub_with: Callable[..., Hub],
    figures: Figures,
    straight_road: Network,
    make_zones: Callable[..., Zones],
    make_days: Callable[..., TruckDays],
) -> None:
    hub = hub_with(tracts=[tract("t", 34.0, -118.2, 700)])
    zones = make_zones(("a", "cluster", 34.0, -118.3), ("b", "cluster", 34.0, -118.1))
    km = float(straight_road.between(zones.lat[:1], zones.lon[:1], zones.lat[1:], zones.lon[1:]).km[0, 0])
    days = make_days((1.0, 0, [(0, 1, km, 1.0), (1, 0, km, 0.0)]), (5.0, 0, [(0, 0, 3.0, 0.0)]))
    value = diesel_pm_people(hub, figures, days, zones, straight_road)
    per_km = figures.value("diesel_pm", unit="kg/km")
    assert value == pytest.approx([2 * 4.0 * 700 * per_km, 0.0], rel=1e-3)


def test_more_people_or_more_kilometres_never_lower_the_proxy(
    california: Hub,
    figures: Figures,
    straight_road: Network,
    make_zones: Callable[..., Zones],
    make_days: Any,
) -> None:
    zones = make_zones(("a", "cluster", 34.0, -118.3), ("b", "cluster", 34.0, -117.6))
    days = make_days((1.0, 0, [(0, 1, 70.0, 1.0)]), (1.0, 0, [(0, 1, 70.0, 1.0), (1, 0, 70.0, 1.0)]))
    one, both = diesel_pm_people(california, figures, days, zones, straight_road)
    assert both == pytest.approx(2 * one)
    tracts = california.tables["tracts"].assign(disadvantaged=True)
    everyone = dataclasses.replace(california, tables={**california.tables, "tracts": tracts})
    assert diesel_pm_people(everyone, figures, days, zones, straight_road)[0] > one > 0


def test_a_site_is_near_a_disadvantaged_tract_or_in_one(
    hub_with: Callable[..., Hub], figures: Figures
) -> None:
    hub = hub_with(
        tracts=[tract("named", 34.0, -118.0, 10), tract("not", 34.2, -118.0, 10, disadvantaged=False)]
    )
    lat = [34.0, 34.01, 34.08, 34.19]
    assert near_disadvantaged(hub, figures, lat, [-118.0] * 4).tolist() == [True, True, True, False]
    assert near_disadvantaged(hub_with(tracts=[]), figures, lat, [-118.0] * 4).tolist() == [False] * 4
