"""Road load and energy of drayage trucks against closed forms, and against published kWh per mile."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.core.errors import InputError
from cleanhub.freight import energy
from cleanhub.freight.figures import Figures
from cleanhub.freight.problem import LOADS, TruckDays
from cleanhub.hub.package import Hub

MILE = 1.609344
ROOM = 298.15
LOADED, EMPTY, CHASSIS, BOBTAIL = range(4)


@pytest.fixture(scope="module")
def hub(california: Hub) -> Hub:
    return california


@pytest.fixture(scope="module")
def figures(hub: Hub) -> Figures:
    return Figures(hub)


@pytest.fixture(scope="module")
def battery(figures: Figures) -> energy.Truck:
    return energy.read_truck(figures, "battery")


@pytest.fixture(scope="module")
def diesel(figures: Figures) -> energy.Truck:
    return energy.read_truck(figures, "diesel")


def plain_truck(**changes: float) -> energy.Truck:
    """A truck of 20 t and 6 m2 without auxiliaries, stops or losses."""
    values: dict[str, float] = {
        "rolling": 0.006,
        "rolling_slope": 0.0,
        "rotating": 0.0,
        "cruise": 80.0,
        "speed_spread": 0.0,
        "braking": 0.0,
        "braking_scale": 25.0,
        "descent_braked": 0.5,
        "drivetrain": 1.0,
        "auxiliary": 0.0,
        "cabin": 0.0,
        "conditioning": 0.0,
        "comfort": 294.0,
    }
    return energy.Truck(mass=np.full(4, 20.0), drag_area=np.full(4, 6.0), **{**values, **changes})


def days(
    groups: Sequence[Sequence[tuple[int, float, float, float]]], trucks: Sequence[float] = ()
) -> TruckDays:
    """Truck-days from (load, km, hours, dwell) by leg; zones do not matter here."""
    legs = [(g, *leg) for g, tour in enumerate(groups) for leg in tour]
    group = np.array([leg[0] for leg in legs], dtype=np.int64)
    zeros = np.zeros(len(legs), dtype=np.int64)
    return TruckDays(
        trucks=np.array(trucks or [1.0] * len(groups)),
        home=np.zeros(len(groups), dtype=np.int64),
        shifts=np.ones(len(groups), dtype=np.int64),
        leg_group=group,
        leg_from=zeros,
        leg_to=zeros,
        leg_load=np.array([leg[1] for leg in legs], dtype=np.int64),
        leg_km=np.array([leg[2] for leg in legs]),
        leg_hours=np.array([leg[3] for leg in legs]),
        leg_start=np.full(len(legs), 8.0),
        leg_dwell=np.array([leg[4] for leg in legs]),
    )


def port_day() -> TruckDays:
    """Out to an inland warehouse and back, and one short turn: 160 miles in a shift."""
    legs = [
        (BOBTAIL, 8.0, 0.4, 1.2),
        (LOADED, 95.0, 1.7, 0.8),
        (EMPTY, 95.0, 1.6, 1.2),
        (LOADED, 26.0, 0.8, 0.6),
        (CHASSIS, 26.0, 0.8, 0.6),
        (BOBTAIL, 8.0, 0.4, 0.0),
    ]
    return days([legs])


# ---------------------------------------------------------------- road load


def test_rolling_and_drag_by_hand() -> None:
    """20 t at 0.006 is 1,176.8 N; 6 m2 at 20 m/s in air of 298.15 K is 1,420.7 N."""
    truck = plain_truck()
    wheels = energy.road_load(truck, np.array([0]), np.array([72.0]), temperature=ROOM)
    rolling = 20_000 * 9.80665 * 0.006
    drag = 0.5 * 101_325 / (287.05 * ROOM) * 6.0 * 20.0**2
    assert drag == pytest.approx(1420.7, abs=0.1)
    np.testing.assert_allclose(wheels.driven, (rolling + drag) / 3600, rtol=1e-12)
    np.testing.assert_array_equal(wheels.braked, 0.0)


def test_uneven_speed_adds_drag_below_the_cruising_speed_only() -> None:
    smooth, rough = plain_truck(rolling=0.0), plain_truck(rolling=0.0, speed_spread=1.0)
    speed = np.array([40.0, 80.0, 100.0])
    load = np.zeros(3, dtype=np.int64)
    ratio = energy.road_load(rough, load, speed).driven / energy.road_load(smooth, load, speed).driven
    np.testing.assert_allclose(ratio, [1.5, 1.0, 1.0], rtol=1e-12)


def test_a_climb_costs_its_height_and_half_of_a_descent_comes_back_in_the_brakes() -> None:
    truck = plain_truck(rolling=0.01)
    load, speed = np.array([0]), np.array([1.0])
    level = energy.road_load(truck, load, speed).driven
    up = energy.road_load(truck, load, speed, rise=10.0).driven
    np.testing.assert_allclose(up - level, 20_000 * 9.80665 * 10 / 3.6e6, rtol=1e-12)
    down = energy.road_load(truck, load, speed, fall=10.0)
    half = 20_000 * 9.80665 * 5 / 3.6e6
    np.testing.assert_allclose(level - down.driven, half, rtol=1e-9)
    np.testing.assert_allclose(down.braked, half, rtol=1e-12)


def test_a_steep_descent_drives_nothing() -> None:
    wheels = energy.road_load(plain_truck(), np.array([0]), np.array([50.0]), fall=100.0)
    assert wheels.driven[0] == 0.0
    assert wheels.braked[0] > 1.0


def test_stop_and_go_is_the_kinetic_energy_that_is_braked() -> None:
    """0.1 kWh/(t km) falls by e over 25 km/h: at 25 km/h a truck of 20 t brakes 2 / e kWh per km."""
    truck = plain_truck(rolling=0.0, braking=0.1)
    wheels = energy.road_load(truck, np.array([0]), np.array([25.0]))
    np.testing.assert_allclose(wheels.braked, 2.0 / np.e, rtol=1e-9)
    heavier = replace(truck, rotating=0.05)
    braked = energy.road_load(heavier, np.array([0]), np.array([25.0])).braked
    np.testing.assert_allclose(braked, 1.05 * wheels.braked, rtol=1e-12)


def test_cold_tyres_roll_worse_and_cold_air_is_denser() -> None:
    truck = plain_truck(rolling_slope=0.006)
    load, speed = np.array([0]), np.array([1.0])
    cold = energy.road_load(truck, load, speed, temperature=ROOM - 20).driven
    warm = energy.road_load(truck, load, speed, temperature=ROOM).driven
    np.testing.assert_allclose(cold / warm, 1.12, rtol=1e-3)
    fast = np.array([90.0])
    no_tyres = plain_truck(rolling=0.0)
    ratio = energy.road_load(no_tyres, load, fast, temperature=273.15).driven
    ratio = ratio / energy.road_load(no_tyres, load, fast, temperature=303.15).driven
    np.testing.assert_allclose(ratio, 303.15 / 273.15, rtol=1e-12)


def test_battery_pays_losses_and_gets_braking_back_through_them() -> None:
    truck = plain_truck(drivetrain=0.8, auxiliary=5.0)
    wheels = energy.WheelEnergy(np.array([1.0]), np.array([0.5]))
    got = energy.battery_per_km(truck, wheels, np.array([50.0]), 0.6, 294.0)
    np.testing.assert_allclose(got, 1.0 / 0.8 - 0.5 * 0.6 * 0.8 + 5.0 / 50.0, rtol=1e-12)


def test_fuel_is_a_straight_line_of_work() -> None:
    """Twice the work does not need twice the fuel: friction is paid once."""
    truck = plain_truck(drivetrain=0.9)
    speed = np.array([60.0, 60.0])
    wheels = energy.WheelEnergy(np.array([1.0, 2.0]), np.zeros(2))
    one, two = energy.diesel_per_km(truck, wheels, speed, 20.0, 0.45, 294.0)
    assert one == pytest.approx((1 / 0.9 + 20 / 60) / 0.45)
    assert two - one == pytest.approx(1 / 0.9 / 0.45)
    assert two < 2 * one


def test_auxiliaries_grow_away_from_comfort() -> None:
    truck = plain_truck(auxiliary=3.0, cabin=0.1, conditioning=0.05)
    assert energy.auxiliary_power(truck, 294.0) == pytest.approx(3.0)
    assert energy.auxiliary_power(truck, 274.0) == pytest.approx(6.0)
    assert energy.auxiliary_power(truck, 314.0) == pytest.approx(6.0)


@settings(max_examples=60, deadline=None)
@given(st.floats(5, 100), st.sampled_from(range(4)), st.floats(263, 318))
def test_a_heavier_load_never_takes_less(speed: float, load: int, temperature: float) -> None:
    truck = replace(plain_truck(), mass=np.array([32.0, 17.0, 13.0, 10.0]))
    wheels = energy.road_load(truck, np.arange(4), np.full(4, speed), temperature=temperature)
    assert np.all(np.diff(wheels.driven) < 0)
    assert wheels.driven[load] > 0


# ---------------------------------------------------------------- against what is published


def test_masses_are_those_of_the_rows(battery: energy.Truck, diesel: energy.Truck, figures: Figures) -> None:
    row = {item: figures.value("truck_mass", item, "t") for item in ("chassis", "container", "cargo")}
    tractor = figures.value("truck_mass", "tractor_battery", "t")
    assert battery.mass[LOADED] == pytest.approx(tractor + sum(row.values()))
    assert battery.mass[EMPTY] == pytest.approx(tractor + row["chassis"] + row["container"])
    assert battery.mass[BOBTAIL] == pytest.approx(tractor)
    assert np.all(np.diff(battery.mass) < 0)
    assert np.all(battery.mass > diesel.mass)
    assert battery.mass[LOADED] < 36.9


def test_a_day_of_drayage_takes_what_is_published(figures: Figures) -> None:
    """1.8 to 2.2 kWh per mile at the plug for battery, 5.5 to 6.5 mi/gal for diesel (NACFE, JETSI; ATRI)."""
    day = port_day()
    miles = float(day.km[0]) / MILE
    assert 155 < miles < 165
    assert 1.8 <= float(energy.group_energy(day, figures)[0]) / miles <= 2.2
    assert 5.5 <= miles / float(energy.group_diesel(day, figures)[0]) <= 6.5


def test_the_published_band_tells_a_loaded_from_an_empty_day(figures: Figures) -> None:
    """The band is narrow enough to matter: the same day all loaded lies above it, all bobtail below."""

    def per_mile(load: int) -> float:
        day = dataclasses.replace(port_day(), leg_load=np.full(6, load))
        return float(energy.group_energy(day, figures)[0] / day.km[0] * MILE)

    assert per_mile(LOADED) > 2.2
    assert per_mile(BOBTAIL) < 1.8


def test_published_range_lies_within_the_ends_of_the_figures(hub: Hub) -> None:
    """Tractors on the market in 2024: 150 to 330 miles."""
    miles = []
    for end in ("low", "value", "high"):
        figures = Figures(hub, end)
        at_battery = energy.leg_energy(port_day(), Figures(hub), at_plug=False).sum() / port_day().km[0]
        miles.append(float(energy.range_km(figures, np.array([2024]), at_battery)[0]) / MILE)
    assert miles == sorted(miles)
    assert 140 < miles[0] < 200
    assert 210 < miles[1] < 270
    assert 330 < miles[2] < 450


def test_battery_gains_most_on_diesel_at_low_speed(
    battery: energy.Truck, diesel: energy.Truck, figures: Figures
) -> None:
    """CARB's energy economy ratios of battery trucks rise as speed falls, from about 3 to above 5."""
    speed, load = np.array([15.0, 40.0, 85.0]), np.zeros(3, dtype=np.int64)
    taken = energy.battery_per_km(
        battery, energy.road_load(battery, load, speed), speed, figures.value("regeneration"), 291.0
    )
    friction, efficiency = figures.value("engine_friction", "", "kW"), figures.value("engine_efficiency")
    burnt = energy.diesel_per_km(
        diesel, energy.road_load(diesel, load, speed), speed, friction, efficiency, 291.0
    )
    ratio = burnt / taken
    assert np.all(np.diff(ratio) < 0)
    assert 2.0 < ratio[2] < 3.5
    assert 3.5 < ratio[0] < 6.0


def test_energy_is_least_at_a_middle_speed(battery: energy.Truck, figures: Figures) -> None:
    speed = np.arange(8.0, 96.0, 4.0)
    load = np.zeros(len(speed), dtype=np.int64)
    wheels = energy.road_load(battery, load, speed)
    taken = energy.battery_per_km(battery, wheels, speed, figures.value("regeneration"), 291.0)
    best = int(np.argmin(taken))
    assert 30 <= speed[best] <= 60
    assert np.all(np.diff(taken[: best + 1]) < 0)
    assert np.all(np.diff(taken[best:]) > 0)


# ---------------------------------------------------------------- legs and groups


def test_charging_losses_and_standing_by_hand(figures: Figures) -> None:
    leg = (BOBTAIL, 10.0, 0.5)
    still = days([[(*leg, 0.0), (*leg, 0.0)], [(*leg, 4.0), (*leg, 0.0)], [(*leg, 0.0), (*leg, 14.0)]])
    plug = energy.leg_energy(still, figures)
    out = energy.leg_energy(still, figures, at_plug=False)
    np.testing.assert_allclose(plug * figures.value("charging_efficiency"), out, rtol=1e-12)
    taken = energy.group_energy(still, figures) * figures.value("charging_efficiency")
    assert taken[1] - taken[0] == pytest.approx(4.0 * figures.value("standing_power", "battery", "kW"))
    assert taken[2] == pytest.approx(taken[0]), "at its base a truck is switched off"
    assert out.sum() == pytest.approx(taken.sum())


def test_energy_grows_with_distance_at_one_speed(figures: Figures) -> None:
    tours = days([[(LOADED, 10.0, 0.25, 0.0)], [(LOADED, 40.0, 1.0, 0.0)]])
    one, four = energy.leg_energy(tours, figures)
    assert four == pytest.approx(4 * one, rel=1e-12)


def test_climbing_and_descending_the_same_hill_costs_more_than_the_plain(figures: Figures) -> None:
    tour = days([[(LOADED, 20.0, 0.4, 0.0)]])
    plain = energy.leg_energy(tour, figures)[0]
    hilly = energy.leg_energy(tour, figures, rise_m=np.array([300.0]), fall_m=np.array([300.0]))[0]
    up = energy.leg_energy(tour, figures, rise_m=np.array([300.0]))[0]
    assert plain < hilly < up


def test_heat_and_cold_cost_energy(figures: Figures) -> None:
    """In a queue heat costs; on the road thin air and warm tyres make up for it. Cold always costs."""
    queue, road = days([[(LOADED, 2.0, 0.5, 0.0)]]), days([[(LOADED, 40.0, 0.5, 0.0)]])
    mild, hot = (energy.leg_energy(queue, figures, temperature=t)[0] for t in (294.0, 313.0))
    assert hot > 1.05 * mild
    for tour in (queue, road):
        mild, cold = (energy.leg_energy(tour, figures, temperature=t)[0] for t in (294.0, 268.0))
        assert cold > 1.08 * mild


def test_groups_are_sums_of_their_legs(figures: Figures) -> None:
    tours = days([[(LOADED, 30.0, 0.6, 1.0), (EMPTY, 30.0, 0.6, 1.0)], [(CHASSIS, 5.0, 0.3, 0.0)]])
    legs = energy.leg_energy(tours, figures)
    np.testing.assert_allclose(energy.group_energy(tours, figures), [legs[:2].sum(), legs[2]])


def test_diesel_carbon_and_particles_by_hand(hub: Hub, figures: Figures) -> None:
    tour = days([[(LOADED, 100 * MILE, 2.5, 0.0)]])
    gallons = float(energy.group_diesel(tour, figures)[0])
    assert float(energy.group_co2e(tour, hub, figures)[0]) == pytest.approx(gallons * 0.01021)
    assert float(energy.leg_diesel_pm(tour, figures).sum()) == pytest.approx(100 * 0.0165e-3, rel=1e-9)


def test_idling_burns_diesel_and_moves_no_mile(figures: Figures) -> None:
    leg = (BOBTAIL, 10.0, 0.5)
    tours = days([[(*leg, 0.0), (*leg, 0.0)], [(*leg, 5.0), (*leg, 0.0)], [(*leg, 0.0), (*leg, 14.0)]])
    moving, idling, parked = energy.group_diesel(tours, figures)
    assert parked == pytest.approx(moving)
    hourly = figures.value("idle_fuel", "", "gal/h") * figures.value("idle_share")
    assert idling - moving == pytest.approx(5.0 * hourly)


def test_legs_that_cannot_be_are_all_named(figures: Figures) -> None:
    good = days([[(LOADED, 10.0, 0.5, 1.0), (EMPTY, 10.0, 0.5, 1.0), (EMPTY, 10.0, 0.5, 1.0)]])
    bad = replace(
        good,
        leg_km=np.array([-1.0, 10.0, 10.0]),
        leg_hours=np.array([0.5, 0.0, 0.5]),
        leg_load=np.array([0, 1, 7]),
    )
    with pytest.raises(InputError) as caught:
        energy.leg_energy(bad, figures)
    words = str(caught.value)
    for part in ("distance", "time under way", "load is unknown"):
        assert part in words


def test_a_missing_row_is_named(hub: Hub) -> None:
    figures = Figures(hub)
    figures._rows.pop(("rolling_resistance", ""))
    with pytest.raises(InputError, match="rolling_resistance"):
        energy.leg_energy(port_day(), figures)


def test_low_and_high_ends_move_energy_the_way_they_should(hub: Hub) -> None:
    low, value, high = (
        float(energy.group_energy(port_day(), Figures(hub, e))[0]) for e in ("low", "value", "high")
    )
    assert low < value < high


# ---------------------------------------------------------------- battery along the tour


def test_places_of_legs_within_their_day() -> None:
    tours = days([[(0, 1.0, 0.1, 0.0)] * 3, [(0, 1.0, 0.1, 0.0)], [(0, 1.0, 0.1, 0.0)] * 2])
    np.testing.assert_array_equal(energy.leg_places(tours), [0, 1, 2, 0, 0, 1])


def test_usable_battery_grows_with_the_years_and_keeps_a_reserve(figures: Figures) -> None:
    years = np.array([2020, 2024, 2027, 2030, 2035, 2050])
    usable = energy.usable_battery(figures, years)
    assert usable[0] == usable[1]
    assert usable[4] == usable[5]
    assert np.all(np.diff(usable) >= 0)
    size = figures.value("battery_size", "2024", "kWh")
    kept = figures.value("usable_share") * figures.value("capacity_left")
    assert usable[1] == pytest.approx(size * kept)
    middle = (figures.value("battery_size", "2024", "kWh") + figures.value("battery_size", "2030", "kWh")) / 2
    assert usable[2] == pytest.approx(middle * kept)
    np.testing.assert_allclose(
        energy.battery_at_plug(figures, years) * figures.value("charging_efficiency"), usable
    )


def test_order_of_loads_is_the_contract() -> None:
    assert LOADS == ("loaded", "empty", "chassis", "bobtail")
