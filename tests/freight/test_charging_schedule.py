"""The hourly charging programme: balances, windows, brute force, what prices and limits do, and its speed."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleanhub.core.errors import InputError
from cleanhub.freight import charging_model
from cleanhub.freight.charging_cost import hours_open
from cleanhub.freight.charging_schedule import (
    Schedule,
    Windows,
    bill,
    charge_at_once,
    merge_windows,
    schedule_charging,
    shape,
    substation_load,
)
from cleanhub.freight.figures import Figures
from cleanhub.freight.site_power import SiteOptions
from cleanhub.freight.tariff_arrays import DAYS_OF_MONTH, SEASON_MONTHS, Demand, Tariff, day_use
from cleanhub.freight.tariffs import Tariffs, tariffs_for
from cleanhub.hub.package import Hub

CELLS = (12, 2, 24)
EVERY_DAY = 365.0
DAYS = SEASON_MONTHS[:, None] * DAYS_OF_MONTH[None, :]


def tariff(energy: np.ndarray | float = 0.2, demand: float = 0.0, fixed: float = 0.0) -> Tariff:
    counts = np.ones(CELLS, dtype=bool)
    charges = (Demand("demand", np.full(12, demand), counts),) if demand else ()
    return Tariff("U", "T", 2024, np.broadcast_to(energy, CELLS).copy(), charges, fixed, "seen")


def of(*many: Tariff) -> Tariffs:
    return Tariffs(many, np.arange(len(many)))


def one(kwh: float, start: float, hours: float, kw: float = 100.0, site: int = 0) -> Windows:
    values = (np.array([float(value)]) for value in (kwh, start, hours, kw))
    return Windows(np.array([site]), *values)


def several(*windows: Windows) -> Windows:
    names = ("site", "kwh", "start", "hours", "kw")
    return Windows(*(np.concatenate([getattr(w, name) for w in windows]) for name in names))


def random_windows(seed: int, sites: int, each: int) -> Windows:
    """Nights in yards at even sites, stops by day at odd ones."""
    rng = np.random.default_rng(seed)
    site = np.repeat(np.arange(sites), each)
    by_day = site % 2 == 1
    count = len(site)
    start = np.where(by_day, rng.uniform(5, 22, count), rng.uniform(15, 22, count))
    hours = np.where(by_day, rng.uniform(1, 2.5, count), rng.uniform(8, 12, count))
    return Windows(site, rng.uniform(100, 300, count), start, hours, np.full(count, 350.0))


def yearly(schedule: Schedule) -> np.ndarray:
    return schedule.energy_usd + schedule.demand_usd + schedule.equipment_usd


def check(schedule: Schedule, windows: Windows, plug_kw: np.ndarray, working_days: float) -> None:
    """Energy balances to 1e-6, nothing is charged outside the windows, plugs are kept."""
    use = day_use(working_days)
    wanted = np.bincount(windows.site, weights=windows.kwh, minlength=len(plug_kw))
    got = schedule.charging.sum(axis=3)
    asked = wanted[:, None, None] * use[None, None, :]
    short = (asked - got).clip(min=0)
    np.testing.assert_allclose(
        (short * DAYS).sum(axis=(1, 2)), schedule.unserved_kwh, atol=1e-6 * max(wanted.max(), 1.0) * 365
    )
    assert np.all(got - asked <= 1e-6 * np.maximum(asked, 1.0))
    most = np.zeros((len(plug_kw), 24))
    np.add.at(most, windows.site, hours_open(windows.start, windows.hours) * windows.kw[:, None])
    assert np.all(schedule.charging <= np.minimum(most, plug_kw[:, None])[:, None, None] + 1e-6)


# ---------------------------------------------------------------- by hand


def test_one_truck_fills_its_cheapest_hours() -> None:
    """150 kWh at 100 kW between 20 and 4 h: all of the hour at 0.05, half of the one at 0.10."""
    price = np.full(24, 0.3)
    price[2], price[23] = 0.05, 0.10
    got = schedule_charging(one(150.0, 20.0, 8.0), np.array([100.0]), of(tariff(price)), EVERY_DAY)
    expected = np.zeros(24)
    expected[2], expected[23] = 100.0, 50.0
    np.testing.assert_allclose(got.charging[0, 0, 0], expected, atol=1e-6)
    assert got.usd_per_kwh[0] == pytest.approx((100 * 0.05 + 50 * 0.10) / 150)
    assert got.kwh_per_year[0] == pytest.approx(150 * 365)
    assert got.peak_kw[0] == pytest.approx(100.0)


def test_a_demand_charge_spreads_the_load_evenly() -> None:
    got = schedule_charging(one(400.0, 20.0, 8.0), np.array([500.0]), of(tariff(0.2, demand=10.0)), EVERY_DAY)
    assert got.peak_kw[0] == pytest.approx(50.0)
    assert got.demand_usd[0] == pytest.approx(50.0 * 10.0 * 12)
    assert got.energy_usd[0] == pytest.approx(400 * 0.2 * 365)


def test_without_any_reason_to_hurry_the_peak_is_still_low() -> None:
    """Flat price, no demand charge: ties are broken towards an even load, for the grid's sake."""
    got = schedule_charging(one(400.0, 20.0, 8.0), np.array([500.0]), of(tariff(0.2)), EVERY_DAY)
    assert got.peak_kw[0] == pytest.approx(50.0, rel=1e-6)
    assert got.usd_per_kwh[0] == pytest.approx(0.2)


def test_partial_hours_at_both_ends() -> None:
    """From 22.75 to 1.5 h a plug of 100 kW gives 25, 100, 100 and 50 kWh."""
    got = schedule_charging(one(275.0, 22.75, 2.75), np.array([100.0]), of(tariff()), EVERY_DAY)
    np.testing.assert_allclose(got.charging[0, 1, 0][[22, 23, 0, 1]], [25, 100, 100, 50], atol=1e-6)
    assert got.unserved_kwh[0] == pytest.approx(0.0, abs=1e-6)


def test_what_finds_no_room_is_unserved_and_never_charged_outside() -> None:
    windows = one(500.0, 8.0, 2.0)
    got = schedule_charging(windows, np.array([1000.0]), of(tariff()), EVERY_DAY)
    assert got.unserved_kwh[0] == pytest.approx(300 * 365)
    assert got.charging[0, :, :, 10:].sum() == 0
    check(got, windows, np.array([1000.0]), EVERY_DAY)


def test_fixed_charges_and_idle_sites() -> None:
    got = schedule_charging(
        one(100.0, 8.0, 5.0), np.array([100.0, 100.0]), of(tariff(fixed=50.0), tariff(fixed=50.0)), EVERY_DAY
    )
    np.testing.assert_allclose(got.fixed_usd, [600.0, 0.0])
    assert np.isnan(got.usd_per_kwh[1])
    assert got.peak_kw[1] == 0.0


def test_weekends_take_their_share() -> None:
    got = schedule_charging(one(100.0, 8.0, 5.0), np.array([100.0]), of(tariff()), 290.0)
    week, weekend = got.charging[0, 0].sum(axis=1)
    assert week == pytest.approx(100.0)
    assert weekend == pytest.approx(100.0 * day_use(290.0)[1])
    assert got.kwh_per_year[0] == pytest.approx(290 * 100)


# ---------------------------------------------------------------- against brute force


@pytest.mark.parametrize("seed", range(4))
def test_equals_brute_force_on_tiny_cases(seed: int) -> None:
    """Two trucks, four hours, energy in steps of 25 kWh: every schedule is tried."""
    rng = np.random.default_rng(seed)
    price = np.full(24, 5.0)
    price[8:12] = rng.integers(1, 9, 4) * 0.05
    demand = float(rng.choice([0.0, 2.0, 6.0]))
    need = rng.integers(1, 5, 2) * 25.0
    windows = several(one(need[0], 8.0, 3.0, 50.0), one(need[1], 9.0, 3.0, 75.0))
    plug_kw = 100.0
    best = np.inf
    steps = [np.arange(0, 51, 25.0)] * 3, [np.arange(0, 76, 25.0)] * 3
    for a in itertools.product(*steps[0]):
        for b in itertools.product(*steps[1]):
            if sum(a) != need[0] or sum(b) != need[1]:
                continue
            load = np.array([*a, 0.0]) + np.array([0.0, *b])
            if load.max() <= plug_kw:
                best = min(best, load @ price[8:12] * 365 + demand * 12 * load.max())
    got = schedule_charging(windows, np.array([plug_kw]), of(tariff(price, demand)), EVERY_DAY)
    assert yearly(got)[0] <= best + 1e-6
    finer = np.floor(yearly(got)[0] / best * 1e9) / 1e9
    assert finer > 0.8  # the programme may split a step; it cannot beat it by much
    assert got.unserved_kwh[0] == pytest.approx(0.0, abs=1e-6)


def test_equals_brute_force_exactly_where_steps_are_no_loss() -> None:
    """Without demand charge and with steps that fit powers the grid of schedules holds the optimum."""
    price = np.full(24, 5.0)
    price[8:12] = [0.30, 0.10, 0.20, 0.15]
    windows = several(one(100.0, 8.0, 3.0, 50.0), one(125.0, 9.0, 3.0, 75.0))
    best = np.inf
    for a in itertools.product([0, 25.0, 50.0], repeat=3):
        for b in itertools.product([0, 25.0, 50.0, 75.0], repeat=3):
            load = np.array([*a, 0.0]) + np.array([0.0, *b])
            if sum(a) == 100 and sum(b) == 125 and load.max() <= 100:
                best = min(best, load @ price[8:12] * 365)
    got = schedule_charging(windows, np.array([100.0]), of(tariff(price)), EVERY_DAY)
    assert yearly(got)[0] == pytest.approx(best, rel=1e-9)


# ---------------------------------------------------------------- properties


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000))
def test_balances_and_windows_hold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    windows = random_windows(seed, 3, 6)
    plug_kw = rng.uniform(300, 2000, 3)
    price = rng.uniform(0.05, 0.6, 24)
    rates = of(*(tariff(price, float(d)) for d in rng.uniform(0, 25, 3)))
    got = schedule_charging(windows, plug_kw, rates, 290.0)
    check(got, windows, plug_kw, 290.0)


def test_a_higher_demand_charge_never_raises_the_peak() -> None:
    windows = random_windows(1, 1, 8)
    price = 0.3 + 0.2 * np.cos(np.arange(24) * np.pi / 12 - 5.0)
    peaks, energy = [], []
    for charge in (0.0, 0.5, 2.0, 5.0, 12.0, 40.0):
        got = schedule_charging(windows, np.array([2000.0]), of(tariff(price, charge)), 290.0)
        peaks.append(float((got.grid.max(axis=(2, 3)) @ SEASON_MONTHS)[0]))
        energy.append(float(got.energy_usd[0]))
    assert all(after <= before + 1e-6 for before, after in itertools.pairwise(peaks))
    assert all(after >= before - 1e-6 for before, after in itertools.pairwise(energy))
    assert peaks[-1] < 0.7 * peaks[0]


def test_managed_never_costs_more_than_at_once() -> None:
    windows = random_windows(5, 6, 10)
    price = np.full(24, 0.2)
    price[16:21] = 0.5
    rates = of(*(tariff(price, 12.0) for _ in range(6)))
    plug_kw = np.full(6, 3500.0)
    managed = schedule_charging(windows, plug_kw, rates, 290.0)
    at_once = charge_at_once(windows, plug_kw, rates, 290.0)
    np.testing.assert_allclose(managed.kwh_per_year, at_once.kwh_per_year, rtol=1e-9)
    assert np.all(yearly(managed) <= yearly(at_once) * (1 + 1e-9))
    assert np.all(managed.usd_per_kwh < at_once.usd_per_kwh)


def test_longer_stays_and_more_plugs_never_cost_more() -> None:
    windows = random_windows(2, 1, 6)
    price = np.random.default_rng(2).uniform(0.1, 0.6, 24)
    rates = of(tariff(price, 8.0))
    base = yearly(schedule_charging(windows, np.array([800.0]), rates, 290.0))[0]
    longer = replace(windows, hours=windows.hours + 2)
    assert yearly(schedule_charging(longer, np.array([800.0]), rates, 290.0))[0] <= base + 1e-6
    assert yearly(schedule_charging(windows, np.array([1600.0]), rates, 290.0))[0] <= base + 1e-6


def test_the_bill_of_the_load_is_the_cost_of_the_programme() -> None:
    windows = random_windows(9, 2, 6)
    rates = of(tariff(np.linspace(0.1, 0.5, 24), 10.0), tariff(0.3, 5.0))
    got = schedule_charging(windows, np.full(2, 3000.0), rates, 290.0)
    energy, demand, _ = bill(got.grid, rates)
    np.testing.assert_allclose(energy, got.energy_usd)
    np.testing.assert_allclose(demand, got.demand_usd)
    by_hand = 10.0 * (SEASON_MONTHS * got.grid[0].max(axis=(1, 2))).sum()
    assert demand[0] == pytest.approx(by_hand)


def test_batches_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = random_windows(4, 5, 5)
    rates = of(*(tariff(np.linspace(0.5, 0.1, 24), float(d)) for d in range(5)))
    whole = schedule_charging(windows, np.full(5, 2000.0), rates, 290.0)
    monkeypatch.setattr(charging_model, "BATCH", 1)
    apart = schedule_charging(windows, np.full(5, 2000.0), rates, 290.0)
    np.testing.assert_allclose(yearly(whole), yearly(apart), rtol=1e-9)


# ---------------------------------------------------------------- grid, carbon, equipment


def test_sites_of_a_substation_keep_its_limit_together() -> None:
    windows = several(one(400.0, 8.0, 8.0, 200.0), one(400.0, 8.0, 8.0, 200.0, site=1))
    price = np.full(24, 0.3)
    price[10] = 0.01
    rates, plug_kw = of(tariff(price), tariff(price)), np.array([200.0, 200.0])
    free = schedule_charging(windows, plug_kw, rates, EVERY_DAY)
    assert substation_load(free.grid, np.zeros(2, dtype=np.int64), 1).max() == pytest.approx(400.0)
    held = schedule_charging(
        windows, plug_kw, rates, EVERY_DAY, substation=np.zeros(2, dtype=np.int64), limit_kw=np.array([120.0])
    )
    assert substation_load(held.grid, np.zeros(2, dtype=np.int64), 1).max() <= 120.0 + 1e-6
    assert held.unserved_kwh.sum() == pytest.approx(0.0, abs=1e-6)
    assert yearly(held).sum() > yearly(free).sum()
    tight = schedule_charging(
        windows, plug_kw, rates, EVERY_DAY, substation=np.zeros(2, dtype=np.int64), limit_kw=np.array([80.0])
    )
    assert tight.unserved_kwh.sum() == pytest.approx((800 - 80 * 8) * 365, rel=1e-6)


def test_a_carbon_price_moves_hours_and_stays_off_the_bill() -> None:
    carbon = np.zeros((2, 2, 24))
    carbon[..., 20:] = 5e-4
    windows, rates = one(100.0, 12.0, 12.0, 100.0), of(tariff(np.where(np.arange(24) >= 20, 0.19, 0.20)))
    dirty = schedule_charging(windows, np.array([100.0]), rates, EVERY_DAY, carbon=carbon)
    clean = schedule_charging(windows, np.array([100.0]), rates, EVERY_DAY, carbon=carbon, carbon_price=100.0)
    assert dirty.co2_t[0] == pytest.approx(100 * 365 * 5e-4)
    assert clean.co2_t[0] == pytest.approx(0.0, abs=1e-9)
    assert clean.usd_per_kwh[0] == pytest.approx(0.20)


def options(solar: float = 0.0, storage: float = 0.0, **other: float) -> SiteOptions:
    shine = np.zeros((2, 24))
    shine[:, 10:14] = 1.0
    plain = SiteOptions(np.array([solar]), np.array([storage]), solar_yield=shine, storage_hours=2.0)
    return replace(plain, **other)


def test_panels_by_hand() -> None:
    """50 kW shine on four hours of charging at 100 kW: half of the energy is not bought."""
    windows, plugs = one(400.0, 10.0, 4.0, 100.0), np.array([100.0])
    got = schedule_charging(
        windows, plugs, of(tariff(0.3)), EVERY_DAY, options=options(solar=50.0, solar_usd=100.0)
    )
    assert got.solar_kw[0] == pytest.approx(50.0)
    assert got.energy_usd[0] == pytest.approx(200 * 0.3 * 365)
    assert got.equipment_usd[0] == pytest.approx(5000.0)
    assert got.charging[0, 0, 0, 10:14] == pytest.approx([100.0] * 4)
    worth = 4 * 0.3 * 365  # USD a year of a kW of panels
    dear = schedule_charging(
        windows, plugs, of(tariff(0.3)), EVERY_DAY, options=options(solar=50.0, solar_usd=worth * 1.01)
    )
    assert dear.solar_kw[0] == pytest.approx(0.0, abs=1e-6)


def test_storage_shaves_a_peak_and_pays_its_losses() -> None:
    """100 kWh in one hour under a demand charge: storage filled the day round cuts the peak."""
    windows, rates = one(100.0, 12.0, 1.0, 100.0), of(tariff(0.1, demand=20.0))
    bare = schedule_charging(windows, np.array([100.0]), rates, EVERY_DAY)
    got = schedule_charging(
        windows,
        np.array([100.0]),
        rates,
        EVERY_DAY,
        options=options(storage=200.0, storage_usd=10.0, efficiency=0.81),
    )
    assert bare.peak_kw[0] == pytest.approx(100.0)
    assert got.peak_kw[0] < 10.0
    assert got.storage_kwh[0] > 90.0
    bought = (got.grid * DAYS[None, :, :, None]).sum()
    stored = 100.0 - got.grid[0, 0, 0, 12]
    assert bought == pytest.approx((100.0 + stored * (1 / 0.81 - 1)) * 365, rel=1e-6)
    assert yearly(got)[0] < yearly(bare)[0]


def test_storage_that_loses_too_much_is_not_built() -> None:
    windows, rates = one(100.0, 12.0, 1.0, 100.0), of(tariff(0.1))
    got = schedule_charging(
        windows, np.array([100.0]), rates, EVERY_DAY, options=options(storage=200.0, storage_usd=10.0)
    )
    assert got.storage_kwh[0] == pytest.approx(0.0, abs=1e-6)


# ---------------------------------------------------------------- unmanaged, merged, checked


def test_at_once_by_hand() -> None:
    windows = several(one(150.0, 18.5, 10.0, 100.0), one(50.0, 23.5, 6.0, 100.0))
    got = charge_at_once(windows, np.array([500.0]), of(tariff(0.2, 5.0)), EVERY_DAY)
    expected = np.zeros(24)
    expected[[18, 19]] = [50.0, 100.0]
    expected[23] = 50.0
    np.testing.assert_allclose(got.charging[0, 0, 0], expected, atol=1e-9)
    assert got.demand_usd[0] == pytest.approx(100 * 5 * 12)


def test_at_once_waits_for_a_plug_and_loses_nothing() -> None:
    windows = several(*(one(100.0, 22.0, 8.0, 100.0) for _ in range(4)))
    got = charge_at_once(windows, np.array([100.0]), of(tariff()), EVERY_DAY)
    assert got.charging[0, 0, 0, [22, 23, 0, 1]] == pytest.approx([100.0] * 4)
    assert got.unserved_kwh[0] == pytest.approx(0.0)
    short = charge_at_once(windows, np.array([10.0]), of(tariff()), EVERY_DAY)
    assert short.unserved_kwh[0] == pytest.approx((400 - 240) * 365)


def test_merging_keeps_energy_and_offers_no_more_time() -> None:
    windows = random_windows(7, 4, 40)
    merged = merge_windows(windows)
    assert len(merged.site) < len(windows.site)
    for name in ("kwh", "kw"):
        before = np.bincount(windows.site, weights=getattr(windows, name))
        np.testing.assert_allclose(np.bincount(merged.site, weights=getattr(merged, name)), before)
    room = np.zeros((2, 4, 24))
    for k, some in enumerate((windows, merged)):
        np.add.at(room[k], some.site, hours_open(some.start, some.hours) * some.kw[:, None])
    assert np.all(room[1] <= room[0] + 1e-9)
    assert np.all(merged.kwh <= merged.kw * merged.hours + 1e-9)


def test_windows_that_cannot_be_are_all_named() -> None:
    bad = several(
        one(10.0, 8.0, 2.0, site=5), one(-1.0, 8.0, 2.0), one(10.0, 8.0, 0.0), one(10.0, 8.0, 2.0, 0.0)
    )
    with pytest.raises(InputError) as caught:
        schedule_charging(bad, np.array([100.0]), of(tariff()), EVERY_DAY)
    assert {fault.row for fault in caught.value.faults} == {0, 1, 2, 3}


def test_shape_names_sites_without_room(california: Hub) -> None:
    figures = Figures(california)
    windows = several(one(100.0, 8.0, 5.0), one(900.0, 8.0, 2.0, site=1))
    with pytest.raises(InputError, match="no room"):
        shape(windows, np.array([100.0, 100.0]), of(tariff(), tariff()), figures)


def test_trucks_that_may_wait_find_room_later(california: Hub) -> None:
    figures = Figures(california)
    windows = several(*(one(100.0, 8.0, 2.0) for _ in range(4)))
    load, _ = shape(windows, np.array([100.0]), of(tariff()), figures, may_wait=True)
    assert load.sum() == pytest.approx(400.0)
    assert load[0, :8].sum() == 0.0
    never = several(*(one(1000.0, 8.0, 2.0) for _ in range(4)))
    with pytest.raises(InputError, match="no room"):
        shape(never, np.array([100.0]), of(tariff()), figures, may_wait=True)


def test_shape_of_a_site(california: Hub) -> None:
    figures = Figures(california)
    load, usd = shape(one(400.0, 20.0, 8.0), np.array([100.0]), of(tariff(0.2, 10.0)), figures)
    assert load.shape == (1, 24)
    assert load.sum() == pytest.approx(400.0)
    running = figures.value("charging_running", "", "USD/kWh")
    assert 0.2 + running < usd[0] < 0.4


def test_nothing_to_charge() -> None:
    empty = Windows(np.zeros(0, dtype=np.int64), *(np.zeros(0) for _ in range(4)))
    got = schedule_charging(empty, np.array([100.0]), of(tariff()), EVERY_DAY)
    assert got.kwh_per_year.tolist() == [0.0]
    assert np.isnan(got.usd_per_kwh).all()


def test_a_year_of_a_hundred_sites_takes_less_than_a_second(california: Hub) -> None:
    """Bundled tariffs, 30 windows a site. Measured 0.5 s on one core; the best of three counts."""
    figures = Figures(california)
    rng = np.random.default_rng(0)
    utility = rng.choice(["SCE", "PG&E", "LADWP"], 100).astype(object)
    plug_kw = np.maximum(rng.integers(4, 40, 100) * 350.0, 15 * 350.0)
    rates = tariffs_for(california, utility, plug_kw, 2030, figures)
    windows = merge_windows(random_windows(0, 100, 30))
    spent = []
    for _ in range(3):
        begin = time.process_time()
        got = schedule_charging(windows, plug_kw, rates, 290.0)
        spent.append(time.process_time() - begin)
    check(got, windows, plug_kw, 290.0)
    assert min(spent) < 1.0
