"""Panels, storage and grid carbon of charging sites."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from cleanhub.core.errors import InputError
from cleanhub.freight import site_power
from cleanhub.freight.figures import Figures
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.series import Drivers


@pytest.fixture(scope="module")
def figures(california: Hub) -> Figures:
    return Figures(california)


@pytest.fixture(scope="module")
def drivers(california: Hub) -> Drivers:
    scenario = Scenario(name="made", title="made", as_of=dt.date(2026, 1, 1))
    return Drivers(california, scenario, np.arange(2020, 2051))


def test_panels_shine_by_day_and_sum_to_their_yield(figures: Figures) -> None:
    shine = site_power.solar_yield(figures)
    assert shine.shape == (2, 24)
    np.testing.assert_allclose(
        shine.sum(axis=1), [figures.value("solar_yield", s, "h") for s in ("summer", "winter")]
    )
    assert np.all(shine[:, :4] == 0)
    assert np.all(shine[:, 21:] == 0)
    assert shine[0].argmax() in (12, 13)
    assert np.all(shine < 1.0)
    assert shine[0].sum() > shine[1].sum()


def test_yearly_cost_of_equipment_by_hand(figures: Figures) -> None:
    got = site_power.site_options(np.array([100.0]), np.array([400.0]), figures, 0.08)
    capital, life = figures.value("storage_capital", "", "USD/kWh"), figures.value("storage_life", "", "yr")
    recovery = 0.08 / (1 - 1.08**-life)
    assert got.storage_usd == pytest.approx(
        capital * (recovery + figures.value("storage_upkeep", "", "1/yr"))
    )
    assert 100 < got.solar_usd < 350
    assert 0.7 < got.efficiency < 1.0


def test_no_options_build_nothing() -> None:
    got = site_power.no_options(3)
    assert got.solar_most.tolist() == got.storage_most.tolist() == [0.0, 0.0, 0.0]


def test_the_grid_is_cleanest_at_noon(california: Hub) -> None:
    """As served in 2021: 0.2 t/MWh in the middle of the day, above 0.3 at night."""
    carbon = site_power.grid_carbon(california, 2021)
    assert carbon.shape == (2, 2, 24)
    assert np.all((carbon > 1e-4) & (carbon < 4e-4))
    noon, evening = carbon[..., 11:15].mean(), carbon[..., 19:22].mean()
    assert noon < 0.75 * evening


def test_hours_follow_the_drivers_level(california: Hub, drivers: Drivers) -> None:
    shape_2021 = site_power.grid_carbon(california, 2021)
    later = site_power.grid_carbon(california, 2035, drivers)
    level = drivers.series("grid_emission_factor", "t/kWh")
    assert later.mean() == pytest.approx(float(np.interp(2035, level.years, level.values)))
    np.testing.assert_allclose(later / later.mean(), shape_2021 / shape_2021.mean())
    assert later.mean() < shape_2021.mean()


def test_a_hub_without_hours_has_a_flat_grid(california: Hub, drivers: Drivers, tmp_path: Path) -> None:
    hub = dataclasses.replace(california, path=tmp_path)
    flat = site_power.grid_carbon(hub, 2030, drivers)
    assert np.ptp(flat) == 0.0
    assert flat[0, 0, 0] > 0
    np.testing.assert_array_equal(site_power.grid_carbon(hub, 2030), 0.0)


def test_damaged_hours_are_told_with_their_file(california: Hub, tmp_path: Path) -> None:
    (tmp_path / site_power.GRID_FILE).write_bytes(b"PAR1 and then nothing")
    with pytest.raises(InputError, match=r"grid_hourly\.parquet: cannot be read"):
        site_power.grid_carbon(dataclasses.replace(california, path=tmp_path), 2030)
