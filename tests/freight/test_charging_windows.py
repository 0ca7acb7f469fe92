"""When trucks can charge, from their truck-days."""

from __future__ import annotations

import numpy as np

from cleanhub.freight import charging_windows
from cleanhub.freight.problem import TruckDays


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
