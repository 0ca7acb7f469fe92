"""Aggregates of a user's trips: right by hand, of five trucks or more, and never a tour."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.freight.energy import battery_at_plug, group_energy
from cleanhub.freight.figures import Figures
from cleanhub.freight.network import Network
from cleanhub.freight.problem import Trips, TruckDays, Zones
from cleanhub.freight.trip_summary import (
    SEVERAL,
    TripSummary,
    modelled_truck_days,
    shown_percentiles,
    summarise_truck_days,
)
from cleanhub.freight.user_trips import UserTrips, UserTruckDays
from cleanhub.hub.package import Hub

SHORT = [(1, 0, 48.28032, 1.0), (0, 1, 48.28032, 9.0)]
"""Yard, port, yard: 60 mi, an hour at the port, then a rest that is no dwell."""
LONG = [(1, 2, 80.4672, 2.0), (2, 1, 80.4672, 9.0)]
"""Yard, inland, yard: 100 mi."""
OWN = [(1, 3, 10.0, 0.5), (3, 1, 10.0, 9.0)]


@pytest.fixture
def zones(make_zones: Callable[..., Zones]) -> Zones:
    return make_zones(
        ("port", "terminal", 34.0, -118.3),
        ("yard", "cluster", 34.0, -118.0),
        ("inland", "cluster", 34.0, -117.5),
        ("own-1", "cluster", 34.001234, -117.954321),
    )


@pytest.fixture
def summed(
    zones: Zones, straight_road: Network, california: Hub, make_days: Callable[..., TruckDays]
) -> Callable[..., TripSummary]:
    """Summary of truck-days of one a day each, with the truck of each."""

    def build(legs: list[list[tuple[int, int, float, float]]], truck: list[int]) -> TripSummary:
        days = make_days(*[(1.0, 1, one) for one in legs])
        label = np.array([f"SECRET-{t}" for t in truck], dtype=object)
        user = UserTruckDays(zones, days, np.array(truck, dtype=np.int64), label)
        able = np.ones(len(legs), dtype=bool)
        return summarise_truck_days(user, able, straight_road, Figures(california), 2030)

    return build


def test_numbers_by_hand(summed: Callable[..., TripSummary]) -> None:
    """Six trucks to the port and back (60 mi), six inland (100 mi)."""
    found = summed([SHORT] * 6 + [LONG] * 6, list(range(12)))
    facts = found.facts
    assert facts["trucks"] == 12
    assert facts["truck_days_per_day"] == 12
    assert facts["turns"] == pytest.approx(0.5)
    assert facts["legs"] == pytest.approx(2)
    assert facts["mean_miles"] == pytest.approx(80)
    assert facts["hours"] == pytest.approx(80 * 1.609344 / 60)
    assert facts["miles_p25"] == pytest.approx(60)
    assert facts["miles_p75"] == pytest.approx(100)
    assert facts["kwh_per_mile"] == pytest.approx(float(str(facts["kwh"])) / 80)
    dwell = found.tables["dwell"].set_index("kind")
    assert dwell.loc["terminal", "mean_hours"] == 1.0
    assert dwell.loc["cluster", "mean_hours"] == 2.0  # inland; the rest at the yard is none
    pairs = found.tables["origin_destination"]
    assert pairs["trips_per_day"].tolist() == [6.0] * 4
    assert set(pairs["origin_title"]) == {"Port", "Yard", "Inland"}
    assert not any(found.withheld.values())


def test_the_classes_of_miles_hold_all_truck_days(summed: Callable[..., TripSummary]) -> None:
    table = summed([SHORT] * 6 + [LONG] * 7, list(range(13))).tables["mileage"]
    assert table.to_numpy().tolist() == [[0.0, 75.0, 6.0], [75.0, 125.0, 7.0]]


def test_classes_of_too_few_trucks_join_a_neighbour(summed: Callable[..., TripSummary]) -> None:
    table = summed([SHORT] * 6 + [LONG] * 4, list(range(10))).tables["mileage"]
    assert table.to_numpy().tolist() == [[0.0, 125.0, 10.0]]
    one_truck = summed([SHORT] * 6 + [LONG] * 9, [0, 1, 2, 3, 4, 5] + [6] * 9).tables["mileage"]
    assert len(one_truck) == 1  # nine days of one truck are one truck


def test_the_battery_table_counts_what_fits(
    summed: Callable[..., TripSummary], make_days: Callable[..., TruckDays], california: Hub
) -> None:
    figures = Figures(california)
    far = [(1, 2, 250.0, 2.0), (2, 1, 250.0, 9.0)]
    kwh = group_energy(make_days((1.0, 1, SHORT), (1.0, 1, far)), figures)
    table = summed([SHORT] * 15 + [far] * 5, list(range(20))).tables["battery"].set_index("year")
    for year in (2024, 2030, 2035):
        battery = float(battery_at_plug(figures, np.array([year]))[0])
        assert table.loc[year, "battery_kwh"] == pytest.approx(battery)
        assert table.loc[year, "one_charge"] == pytest.approx(
            0.75 * (kwh[0] <= battery) + 0.25 * (kwh[1] <= battery)
        )
        most = figures.value("batteries_most") * battery
        assert table.loc[year, "charged_on_the_way"] == pytest.approx(0.75 + 0.25 * (kwh[1] <= most))
    assert table["one_charge"].between(0, 1).all()


def test_fewer_than_five_trucks_say_nothing(summed: Callable[..., TripSummary]) -> None:
    found = summed([SHORT, LONG] * 10, [0, 1, 2, 3] * 5)
    assert all(value is None for value in found.facts.values())
    assert all(table.empty for table in found.tables.values())
    assert found.withheld["truck_days"] == pytest.approx(20)
    assert found.withheld["pairs_of_places"] == 4
    assert found.withheld["road_arcs"] > 0


def test_groups_are_means_and_name_a_base_only_of_five_trucks(summed: Callable[..., TripSummary]) -> None:
    """Members of 50 and 70 mi: the group has neither distance, but their mean."""
    near = [(1, 0, 40.2336, 1.0), (0, 1, 40.2336, 9.0)]
    far = [(1, 0, 56.32704, 1.0), (0, 1, 56.32704, 9.0)]
    table = summed([near] * 3 + [far] * 3, list(range(6))).tables["truck_day_groups"]
    assert table["miles"].tolist() == [pytest.approx(60.0)]
    assert table["base"].tolist() == ["Yard"]


def test_a_group_of_many_bases_names_none(
    zones: Zones, straight_road: Network, california: Hub, make_days: Callable[..., TruckDays]
) -> None:
    days = make_days(*[(1.0, k % 3, [(k % 3, 2, 30.0, 1.0), (2, k % 3, 30.0, 9.0)]) for k in range(6)])
    user = UserTruckDays(zones, days, np.arange(6), np.full(6, "", dtype=object))
    able = np.ones(6, dtype=bool)
    table = summarise_truck_days(user, able, straight_road, Figures(california), 2030).tables
    assert table["truck_day_groups"]["base"].tolist() == [SEVERAL]


def test_no_tour_and_no_clock_time_is_in_any_table(summed: Callable[..., TripSummary]) -> None:
    found = summed([SHORT] * 6 + [LONG] * 6, list(range(12)))
    columns = {column for table in found.tables.values() for column in table}
    assert not columns & {
        "leg_from",
        "leg_to",
        "leg_start",
        "leg_dwell",
        "start",
        "truck",
        "label",
        "time",
        "hour",
    }
    text = "".join(table.to_csv() for table in found.tables.values()) + repr(found) + str(found.facts)
    assert "SECRET" not in text


def test_own_places_are_told_to_a_hundredth_of_a_degree(summed: Callable[..., TripSummary]) -> None:
    found = summed([SHORT] * 3 + [OWN] * 6, list(range(9)))
    places = found.tables["places"].set_index("place")
    assert places.loc["own-1", ["lat", "lon"]].tolist() == [34.0, -117.95]
    assert places.loc["own-1", "kind"] == "own place"
    assert "port" not in places.index  # three trucks
    assert found.withheld["places"] == 1
    text = "".join(table.to_csv() for table in found.tables.values())
    assert "34.0012" not in text
    assert "117.954" not in text


def test_percentiles_with_too_few_on_a_side_are_blank() -> None:
    values, weight = np.arange(40.0), np.ones(40)
    shares = (0.05, 0.25, 0.5, 0.95)
    found = shown_percentiles(values, weight, np.arange(40), shares)
    assert found[0] is None
    assert found[3] is None
    assert found[1] == pytest.approx(9.5)
    assert found[2] == pytest.approx(19.5)
    assert shown_percentiles(values, weight, np.zeros(40, dtype=np.int64), shares) == [None] * 4
    assert shown_percentiles(values[:0], weight[:0], np.zeros(0, dtype=np.int64), shares) == [None] * 4


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 60), st.integers(1, 12))
def test_percentiles_have_five_trucks_on_either_side(seed: int, count: int, trucks: int) -> None:
    draw = np.random.default_rng(seed)
    values, truck = draw.uniform(0, 300, count), draw.integers(0, trucks, count)
    for at in shown_percentiles(values, np.ones(count), truck, (0.1, 0.25, 0.5, 0.75, 0.9)):
        if at is not None:
            assert len(set(truck[values <= at])) >= 5
            assert len(set(truck[values >= at])) >= 5


def test_modelled_truck_days_know_only_pairs_of_enough_trucks(
    zones: Zones, straight_road: Network, california: Hub
) -> None:
    """The own place of two trucks becomes the yard, 4 km away; nothing drives to it."""
    trips = Trips(np.array([0, 0, 0]), np.array([1, 2, 3]), np.array([30.0, 12.0, 6.0]))
    user = UserTrips(zones, trips, np.array([8.0, 5.0, 2.0]))
    figures = Figures(california)
    made, merged, withheld = modelled_truck_days(user, straight_road, figures, seed=3)
    assert (merged, withheld) == (1, 0.0)
    assert made.zones.name.tolist() == ["port", "yard", "inland"]
    calls = np.bincount(made.days.leg_to, weights=made.days.trucks[made.days.leg_group])
    assert calls[0] == pytest.approx(48.0)
    again = modelled_truck_days(user, straight_road, figures, seed=3)[0]
    np.testing.assert_array_equal(made.days.leg_km, again.days.leg_km)
    able = np.ones(len(made.days.trucks), dtype=bool)
    found = summarise_truck_days(made, able, straight_road, figures, 2030, user)
    assert found.facts["trucks"] is None
    assert found.withheld["pairs_of_places"] == 1
    assert found.tables["origin_destination"]["trips_per_day"].tolist() == [30.0, 12.0]
    assert "own-1" not in set(found.tables["places"]["place"])


def test_a_table_of_few_trucks_models_nothing(zones: Zones, straight_road: Network, california: Hub) -> None:
    user = UserTrips(zones, Trips(np.array([0]), np.array([1]), np.array([9.0])), np.array([3.0]))
    made, merged, withheld = modelled_truck_days(user, straight_road, Figures(california))
    assert len(made.days.trucks) == 0
    assert (merged, withheld) == (2, 9.0)
    able = np.ones(0, dtype=bool)
    found = summarise_truck_days(made, able, straight_road, Figures(california), 2030, user)
    assert all(table.empty for table in found.tables.values())


@pytest.mark.parametrize("seed", range(8))
def test_whatever_the_file_nothing_of_fewer_than_five_trucks_is_told(
    seed: int, zones: Zones, straight_road: Network, california: Hub
) -> None:
    """Counted again from the days themselves: every pair, place and class of miles told has five trucks."""
    draw = np.random.default_rng(seed)
    count = int(draw.integers(5, 40))
    truck = draw.integers(0, int(draw.integers(2, 14)), count)
    group = np.repeat(np.arange(count), draw.integers(1, 4, count))
    start, end = draw.integers(0, 4, (2, len(group)))
    days = TruckDays(
        trucks=np.ones(count),
        home=draw.integers(0, 4, count),
        shifts=np.ones(count, dtype=np.int64),
        leg_group=group,
        leg_from=start,
        leg_to=end,
        leg_load=np.zeros(len(group), dtype=np.int64),
        leg_km=draw.uniform(1, 90, len(group)),
        leg_hours=draw.uniform(0.1, 2, len(group)),
        leg_start=draw.uniform(0, 24, len(group)),
        leg_dwell=draw.uniform(0, 3, len(group)),
    )
    user = UserTruckDays(zones, days, truck, np.full(count, "SECRET", dtype=object))
    found = summarise_truck_days(user, np.ones(count, dtype=bool), straight_road, Figures(california), 2030)
    at = {str(name): k for k, name in enumerate(zones.name)}
    for row in found.tables["origin_destination"].itertuples():
        drives = (start == at[row.origin]) & (end == at[row.destination])
        assert len(set(truck[group[drives]])) >= 5
    for name in found.tables["places"]["place"]:
        assert len(set(truck[group[(start == at[name]) | (end == at[name])]])) >= 5
    miles = days.km / 1.609344
    for low, high, told in found.tables["mileage"].to_numpy():
        inside = (miles >= low) & (miles < high)
        assert len(set(truck[inside])) >= 5
        assert told == inside.sum()
    if len(set(truck)) >= 5:
        assert found.tables["mileage"]["truck_days_per_day"].sum() == count
