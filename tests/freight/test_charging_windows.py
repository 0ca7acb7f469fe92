"""When trucks can charge, from their truck-days."""

from __future__ import annotations

import numpy as np
import pytest

from cleanhub.freight import charging_windows
from cleanhub.freight.charging_schedule import schedule_charging
from cleanhub.freight.problem import HOME, PUBLIC, TruckDays
from cleanhub.freight.tariff_arrays import Tariff
from cleanhub.freight.tariffs import Tariffs


def tours() -> TruckDays:
    """One truck-day from 6 to 15.5 h, one from 20 h past midnight to 4 h."""
    return TruckDays(
        trucks=np.array([10.0, 4.0]),
        home=np.zeros(2, dtype=np.int64),
        shifts=np.ones(2, dtype=np.int64),
        leg_group=np.array([0, 0, 0, 1, 1]),
        leg_from=np.zeros(5, dtype=np.int64),
        leg_to=np.zeros(5, dtype=np.int64),
        leg_load=np.zeros(5, dtype=np.int64),
        leg_km=np.array([20.0, 70.0, 90.0, 60.0, 60.0]),
        leg_hours=np.array([0.5, 2.0, 2.5, 3.0, 3.0]),
        leg_start=np.array([6.0, 8.5, 13.0, 20.0, 1.0]),
        leg_dwell=np.array([2.0, 2.5, 0.0, 2.0, 5.0]),
    )


def test_time_at_base_by_hand() -> None:
    """The dwell after the last leg is time at the base, not away."""
    back, hours = charging_windows.time_at_base(tours())
    np.testing.assert_allclose(back, [15.5, 4.0])
    np.testing.assert_allclose(hours, [14.5, 16.0])


def test_the_stop_after_half_of_the_distance() -> None:
    """90 of 180 km are behind the first truck at 10.5 h, 60 of 120 behind the second at 23 h."""
    np.testing.assert_allclose(charging_windows.time_on_the_way(tours()), [10.5, 23.0])


def test_windows_by_hand() -> None:
    got = charging_windows.plan_windows(
        tours(),
        pair_group=np.array([0, 0, 1, 1]),
        pair_site=np.array([0, 1, 0, 1]),
        pair_kind=np.array([HOME, PUBLIC, HOME, PUBLIC]),
        delivered=np.array([1500.0, 600.0, 0.0, 300.0]),
        kwh_per_truck=np.array([300.0, 150.0, 300.0, 150.0]),
        truck_kw=np.array([100.0, 300.0]),
    )
    np.testing.assert_array_equal(got.site, [0, 1, 1])
    np.testing.assert_allclose(got.start, [15.5, 10.5, 23.0])
    np.testing.assert_allclose(got.hours, [14.5, 0.625, 0.625])
    np.testing.assert_allclose(got.kw, [500.0, 1200.0, 600.0])


def test_a_window_always_fits_its_energy() -> None:
    got = charging_windows.plan_windows(
        tours(),
        np.array([0]),
        np.array([0]),
        np.array([HOME]),
        np.array([2000.0]),
        np.array([2000.0]),
        np.array([100.0]),
    )
    assert got.hours[0] == pytest.approx(21.0)
    assert got.kwh[0] <= got.kw[0] * got.hours[0]


def test_windows_can_be_scheduled() -> None:
    got = charging_windows.plan_windows(
        tours(),
        np.array([0, 1]),
        np.array([0, 0]),
        np.array([HOME, PUBLIC]),
        np.array([1500.0, 300.0]),
        np.array([300.0, 150.0]),
        np.array([150.0]),
    )
    flat = Tariff("U", "T", 2024, np.full((12, 2, 24), 0.2), (), 0.0, "seen")
    found = schedule_charging(got, np.array([1000.0]), Tariffs((flat,), np.array([0])), 290.0)
    assert found.unserved_kwh[0] == pytest.approx(0.0, abs=1e-6)
    assert found.kwh_per_year[0] == pytest.approx(1800 * 290)
    assert found.charging[0, 0, 0, 8:15].sum() == pytest.approx(0.0, abs=1e-6)
