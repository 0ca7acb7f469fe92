"""A user's trips and GPS stops as truck-days; tours longer than any battery."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cleanhub.core.errors import InputError
from cleanhub.freight.figures import Figures
from cleanhub.freight.network import Between, Network
from cleanhub.freight.problem import LOADS, Trips, TruckDays, Zones
from cleanhub.freight.tours import truck_day_sample
from cleanhub.freight.trip_table import TripTable, read_trip_table
from cleanhub.freight.user_trips import (
    CELL_DEGREES,
    UserTruckDays,
    electrifiable,
    electrifiable_trips,
    longest_tour_kwh,
    user_trips,
    user_truck_days,
)
from cleanhub.hub.package import Hub


@pytest.fixture
def zones(make_zones: Callable[..., Zones]) -> Zones:
    return make_zones(
        ("port", "terminal", 34.0, -118.3),
        ("yard", "cluster", 34.0, -118.0),
        ("inland", "cluster", 34.0, -117.5),
    )


@pytest.fixture
def read(tmp_path: Path, zones: Zones) -> Callable[[str], TripTable]:
    def build(text: str) -> TripTable:
        path = tmp_path / "mine.csv"
        path.write_text(text, encoding="utf-8")
        return read_trip_table(path, zones)

    return build


STOPS = """truck,time,lat,lon
A,2024-05-06 06:00,34.0,-118.0
A,2024-05-06 07:00,34.0,-118.3
A,2024-05-06 09:30,34.0,-117.5
A,2024-05-06 11:00,34.0,-118.0
A,2024-05-07 07:00,34.0,-118.3
A,2024-05-07 09:00,34.0,-118.0
"""


def test_stops_become_the_days_as_driven(
    read: Callable[[str], TripTable], zones: Zones, straight_road: Network, california: Hub
) -> None:
    """Two days of one truck: base, port, inland, base; then base, port, base."""
    user = user_truck_days(read(STOPS), zones, straight_road, Figures(california))
    days = user.days
    assert user.label.tolist() == ["A on 2024-05-06", "A on 2024-05-07"]
    np.testing.assert_array_equal(days.home, [1, 1])
    np.testing.assert_array_equal(days.leg_group, [0, 0, 0, 1, 1])
    np.testing.assert_array_equal(days.leg_from, [1, 0, 2, 1, 0])
    np.testing.assert_array_equal(days.leg_to, [0, 2, 1, 0, 1])
    loads = [LOADS[k] for k in days.leg_load]
    assert loads == ["empty", "loaded", "bobtail", "empty", "bobtail"]
    np.testing.assert_allclose(days.trucks, 0.5)  # two days of data: half a truck-day a day each
    km = straight_road.between(zones.lat, zones.lon, zones.lat, zones.lon).km
    np.testing.assert_allclose(days.leg_km, km[days.leg_from, days.leg_to])


def test_trucks_leave_in_time_for_their_next_stop(
    read: Callable[[str], TripTable], zones: Zones, straight_road: Network, california: Hub
) -> None:
    days = user_truck_days(read(STOPS), zones, straight_road, Figures(california)).days
    arrive = days.leg_start + days.leg_hours
    np.testing.assert_allclose(arrive[[0, 1, 2, 3, 4]], [7.0, 9.5, 11.0, 7.0, 9.0], atol=1e-6)
    assert days.leg_dwell[0] == pytest.approx(days.leg_start[1] - 7.0, abs=1e-6)


def test_departures_count_where_they_are_given(
    read: Callable[[str], TripTable], zones: Zones, straight_road: Network, california: Hub
) -> None:
    text = (
        "truck,time,lat,lon,departure\n"
        "A,2024-05-06 06:00,34.0,-118.0,2024-05-06 06:10\n"
        "A,2024-05-06 07:00,34.0,-118.3,2024-05-06 08:15\n"
        "A,2024-05-06 16:00,34.0,-118.0,2024-05-07 05:00\n"
        "A,2024-05-07 06:00,34.0,-118.3,\n"
    )
    days = user_truck_days(read(text), zones, straight_road, Figures(california)).days
    np.testing.assert_allclose(days.leg_start, [6 + 10 / 60, 8.25, 5.0])
    assert days.leg_dwell[0] == pytest.approx(1.25)
    np.testing.assert_array_equal(days.leg_group, [0, 0, 1])


def test_pings_at_one_place_are_one_stop(
    read: Callable[[str], TripTable], zones: Zones, straight_road: Network, california: Hub
) -> None:
    pings = "".join(f"A,2024-05-06 07:{m:02d},34.000{m % 10},-118.3\n" for m in range(10, 50, 5))
    text = "truck,time,lat,lon\nA,2024-05-06 06:00,34.0,-118.0\n" + pings + "A,2024-05-06 09:00,34.0,-118.0\n"
    days = user_truck_days(read(text), zones, straight_road, Figures(california)).days
    assert len(days.leg_km) == 2


def test_places_far_from_any_zone_become_own_ones(
    read: Callable[[str], TripTable], zones: Zones, straight_road: Network, california: Hub
) -> None:
    text = STOPS.replace("34.0,-117.5", "34.02,-117.8")
    user = user_truck_days(read(text), zones, straight_road, Figures(california))
    assert user.zones.name.tolist() == ["port", "yard", "inland", "own-1"]
    assert user.zones.lat[3] == pytest.approx(34.02)
    assert user.zones.weight[3] == 0
    assert CELL_DEGREES * 111.2 < 1.5  # a cell is about the size within which a place is a zone's


def test_a_truck_that_never_moves_is_skipped(
    read: Callable[[str], TripTable], zones: Zones, straight_road: Network, california: Hub
) -> None:
    text = STOPS + "B,2024-05-06 06:00,34.0,-118.0\nB,2024-05-06 09:00,34.0,-118.0\n"
    user = user_truck_days(read(text), zones, straight_road, Figures(california))
    assert user.skipped == 1
    assert len(user.days.trucks) == 2


def test_trips_join_zones_and_own_places(
    read: Callable[[str], TripTable], zones: Zones, california: Hub
) -> None:
    text = (
        "origin_lat,origin_lon,destination_lat,destination_lon,trips_per_day,trucks\n"
        "34.0,-118.3,34.0,-117.5,10,6\n"
        "34.001,-118.3,34.0,-117.501,5,4\n"
        "34.0,-118.3,34.1,-117.8,8,\n"
    )
    user = user_trips(read(text), zones, Figures(california))
    assert user.zones.name.tolist() == ["port", "yard", "inland", "own-1"]
    np.testing.assert_array_equal(user.trips.destination, [2, 3])
    np.testing.assert_allclose(user.trips.per_day, [15.0, 8.0])
    np.testing.assert_allclose(user.trucks, [6.0, 2.0])  # at least: rows may share trucks; 8 trips / 4


def test_a_trip_from_a_place_to_itself_is_a_fault(
    read: Callable[[str], TripTable], zones: Zones, california: Hub
) -> None:
    table = read("From,To,Trips\nport,inland,3\nyard,yard,4\n")
    with pytest.raises(InputError) as caught:
        user_trips(table, zones, Figures(california))
    assert [fault.row for fault in caught.value.faults] == [3]


def test_more_trips_than_any_hub_has_are_a_fault(
    read: Callable[[str], TripTable], zones: Zones, california: Hub
) -> None:
    with pytest.raises(InputError, match=r"row 2, column Trips: out of range.*0 to 500,000"):
        read("From,To,Trips\nport,inland,1e101\n")
    table = read("From,To,Trips\nport,inland,300000\nyard,inland,300000\n")
    with pytest.raises(InputError, match=r"too many trips; found 600,000; allowed at most 500,000"):
        user_trips(table, zones, Figures(california))


def test_more_trips_than_can_be_driven_one_by_one_are_a_fault(zones: Zones, california: Hub) -> None:
    trips = Trips(np.array([0]), np.array([2]), np.array([1e300]))
    apart = np.ones((3, 3))
    with pytest.raises(InputError, match="too many"):
        truck_day_sample(trips, zones, Between(apart, apart), Figures(california))


def test_the_wrong_kind_of_file_is_told(
    read: Callable[[str], TripTable], zones: Zones, straight_road: Network, california: Hub
) -> None:
    figures = Figures(california)
    with pytest.raises(InputError, match="kind of file"):
        user_trips(read(STOPS), zones, figures)
    with pytest.raises(InputError, match="kind of file"):
        user_truck_days(read("From,To,Trips\nport,inland,3\n"), zones, straight_road, figures)


def test_the_longest_tour_is_two_of_the_largest_battery(california: Hub) -> None:
    """986 kWh is the largest battery of the rows; usable share, capacity left and charging losses apply."""
    figures = Figures(california)
    part = (
        figures.value("usable_share") * figures.value("capacity_left") / figures.value("charging_efficiency")
    )
    assert longest_tour_kwh(figures) == pytest.approx(2 * 986 * part)


@pytest.fixture
def one_long(make_days: Callable[..., TruckDays], zones: Zones) -> UserTruckDays:
    short, long = [(1, 0, 30.0, 1.0), (0, 1, 30.0, 0.0)], [(1, 2, 900.0, 1.0), (2, 1, 900.0, 0.0)]
    label = np.array(["A on Monday", "B on Monday", "C on Monday"], dtype=object)
    return UserTruckDays(
        zones, make_days((1.0, 1, short), (1.0, 1, long), (1.0, 1, long)), np.arange(3), label
    )


def test_tours_longer_than_any_battery_are_named(one_long: UserTruckDays, california: Hub) -> None:
    with pytest.raises(InputError) as caught:
        electrifiable(one_long, Figures(california), "mine.csv")
    assert caught.value.exit_code == 2
    text = str(caught.value)
    assert "2 faults" in text
    assert "B on Monday" in text
    assert "C on Monday" in text
    assert "A on Monday" not in text
    assert "at most" in text


def test_long_tours_can_be_kept_as_not_electrifiable(one_long: UserTruckDays, california: Hub) -> None:
    short = electrifiable(one_long, Figures(california), "mine.csv", allow_long=True)
    np.testing.assert_array_equal(short, [True, False, False])


def test_long_trips_and_unreachable_ones_are_named(
    read: Callable[[str], TripTable], zones: Zones, straight_road: Network, california: Hub
) -> None:
    figures = Figures(california)
    user = user_trips(read("From,To,Trips\nport,inland,3\nport,yard,4\n"), zones, figures)
    assert electrifiable_trips(user, straight_road, figures, "mine.csv").all()

    class Far:
        """A road on which inland is 3,000 km away, or out of reach."""

        def __init__(self, km: float) -> None:
            self.km = km

        def between(self, *ends: np.ndarray) -> object:
            found = straight_road.between(*ends)
            km = np.where(found.km > 60, self.km, found.km)
            return type(found)(km, km)

    with pytest.raises(InputError, match="tour longer than any battery; found Port to Inland"):
        electrifiable_trips(user, Far(3000.0), figures, "mine.csv")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="unreachable destination; found Port to Inland"):
        electrifiable_trips(user, Far(np.inf), figures, "mine.csv")  # type: ignore[arg-type]
