"""Tariff rows into arrays: hours, seasons, versions, defaults, gaps, and the flat price without rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cleanhub.core.errors import InputError
from cleanhub.freight import tariffs
from cleanhub.freight.figures import Figures
from cleanhub.freight.tariff_arrays import DAYS_OF_MONTH, SEASON_MONTHS, Tariff, by_season, day_use
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.series import Drivers

JANUARY, JULY = 0, 6
WEEKDAY, WEEKEND = 0, 1


@pytest.fixture(scope="module")
def figures(california: Hub) -> Figures:
    return Figures(california)


def tariff_for(
    hub: Hub, utility: str, site_kw: float, year: int, figures: Figures, drivers: Drivers | None = None
) -> Tariff:
    one = tariffs.tariffs_for(hub, np.array([utility], object), np.array([site_kw]), year, figures, drivers)
    return one.book[0]


def schedule_of(hub: Hub, utility: str, code: str, figures: Figures) -> Tariff:
    return next(t for t in tariffs.ranked_tariffs(hub, utility, 2024, figures) if t.schedule == code)


def row(component: str, value: float, unit: str = "USD/kWh", **other: Any) -> dict[str, Any]:
    plain = {
        "utility": "U",
        "schedule": "ONE (20-500 kW)",
        "season": "all",
        "period": "all",
        "days": "all",
        "hours": "00-24",
        "currency_year": 2024,
        "effective": "2024",
        "source_id": "test",
        "confidence": "seen",
        "note": "",
    }
    return {**plain, "component": component, "value": value, "unit": unit, **other}


def flat(value: float, **other: Any) -> dict[str, Any]:
    return row("energy", value, **other)


# ---------------------------------------------------------------- the bundled sheets


def test_edison_prices_stand_where_the_sheet_has_them(california: Hub, figures: Figures) -> None:
    """TOU-EV-8 of 2024 as the rows have it."""
    got = tariff_for(california, "SCE", 300.0, 2024, figures)
    assert got.schedule == "TOU-EV-8"
    assert got.confidence == "seen"
    summer, winter = got.energy[JULY], got.energy[JANUARY]
    np.testing.assert_allclose(summer[WEEKDAY, 16:21], 0.69592)
    np.testing.assert_allclose(summer[WEEKEND, 16:21], 0.39786)
    np.testing.assert_allclose(summer[:, :16], 0.23294)
    np.testing.assert_allclose(summer[:, 21:], 0.23294)
    np.testing.assert_allclose(winter[:, 16:21], 0.44997)
    np.testing.assert_allclose(winter[:, 8:16], 0.12406)
    np.testing.assert_allclose(winter[:, :8], 0.24897)
    assert got.demand == ()
    assert got.fixed == pytest.approx(228.13)
    months = [m for m in range(12) if got.energy[m, WEEKDAY, 17] > 0.6]
    assert months == [5, 6, 7, 8]


@pytest.mark.parametrize(
    ("year", "charge", "effective"),
    [
        (2025, 0.0, 2024),
        (2026, 0.0, 2024),
        (2027, 3.25832, 2027),
        (2030, 13.03326, 2030),
        (2040, 19.54989, 2032),
    ],
)
def test_the_phase_in_waits_for_the_last_year_seen_without_it(
    california: Hub, figures: Figures, year: int, charge: float, effective: int
) -> None:
    """A sheet of June 2026 still has no demand charge: the assumed steps begin in 2027."""
    got = tariff_for(california, "SCE", 300.0, year, figures)
    assert got.usd_per_kw_month == pytest.approx(charge)
    assert got.effective == effective


def test_newer_rows_that_cover_less_set_the_customer_charge_and_are_listed(
    california: Hub, figures: Figures
) -> None:
    got = tariff_for(california, "SCE", 300.0, 2026, figures)
    deflated = figures.index.to_dollars("USD", 2026, 2024) if figures.index.last_year() >= 2026 else None
    assert got.fixed < 228.13
    if deflated is not None:
        assert got.fixed == pytest.approx(226.04 * deflated)
    assert any("2026 do not cover every hour" in gap for gap in got.gaps)
    assert got.energy[JULY, WEEKDAY, 17] == pytest.approx(0.69592)


@pytest.mark.parametrize(
    ("utility", "kw", "schedule"),
    [
        ("SCE", 15.0, "TOU-EV-7"),
        ("SCE", 20.0, "TOU-EV-7"),
        ("SCE", 500.0, "TOU-EV-8"),
        ("SCE", 501.0, "TOU-EV-9 (secondary <2 kV)"),
        ("PG&E", 100.0, "BEV-1"),
        ("PG&E", 5000.0, "BEV-2-S"),
        ("LADWP", 2000.0, "A-3 subtransmission all-in"),
        ("SDG&E", 2000.0, "flat"),
    ],
)
def test_defaults_by_utility_and_size(
    california: Hub, figures: Figures, utility: str, kw: float, schedule: str
) -> None:
    assert tariff_for(california, utility, kw, 2030, figures).schedule == schedule


def test_published_rows_go_before_recalled_ones_but_not_when_they_are_stale(
    california: Hub, figures: Figures
) -> None:
    """Edison's recalled TOU-8 has the lower energy price; Los Angeles' published A-3A is of 2009."""
    large = "TOU-EV-9 (secondary <2 kV)"
    edison = {t.schedule: t for t in tariffs.ranked_tariffs(california, "SCE", 2024, figures)}
    assert edison["TOU-8 Option D (secondary)"].mean_energy < edison[large].mean_energy
    assert tariff_for(california, "SCE", 5000.0, 2024, figures).schedule == large
    water = tariff_for(california, "LADWP", 5000.0, 2024, figures)
    assert water.effective == 2024
    assert any("mean price" in gap for gap in water.gaps)


def test_a_subscription_counts_once(california: Hub, figures: Figures) -> None:
    """The table has the price per block of 50 kW also per kW: one of the two is charged."""
    got = tariff_for(california, "PG&E", 5000.0, 2024, figures)
    assert len(got.demand) == 1
    assert got.usd_per_kw_month == pytest.approx(1.9112 * figures.index.to_dollars("USD", 2023, 2024))


def test_a_time_related_charge_counts_its_hours_only(california: Hub, figures: Figures) -> None:
    got = schedule_of(california, "SCE", "TOU-8 Option D (secondary)", figures)
    by_name = {(c.name, bool(c.usd_per_kw[JULY])): c for c in got.demand}
    summer = by_name["time-related demand", True]
    assert summer.usd_per_kw[JULY] == 38.0
    assert summer.usd_per_kw[JANUARY] == 0.0
    assert summer.counts[JULY, WEEKDAY].sum() == 5
    assert not summer.counts[JULY, WEEKEND].any()
    assert by_name["facilities demand", True].counts.all()


def test_base_energy_without_adjustments_is_no_price(california: Hub, figures: Figures) -> None:
    names = [t.schedule for t in tariffs.ranked_tariffs(california, "LADWP", 2030, figures)]
    assert "A-3 subtransmission 34.5 kV" not in names
    old = next(t for t in tariffs.ranked_tariffs(california, "LADWP", 2030, figures) if t.effective == 2009)
    scale = figures.index.to_dollars("USD", 2009, 2024)
    assert old.energy[JULY, WEEKDAY, 14] == pytest.approx((0.0439 + 0.0499) * scale)
    assert old.energy[JULY, WEEKEND, 14] == pytest.approx((0.01755 + 0.0499) * scale)
    assert old.energy[JANUARY, WEEKDAY, 3] == pytest.approx((0.02197 + 0.0499) * scale)


def test_low_and_high_ends(california: Hub) -> None:
    low, high = (
        tariff_for(california, "LADWP", 2000.0, 2030, Figures(california, end)).mean_energy
        for end in ("low", "high")
    )
    assert (low, high) == pytest.approx((0.13, 0.19))


# ---------------------------------------------------------------- made-up rows


def test_mean_price_weighs_five_days_in_seven(hub_with: Callable[..., Hub], figures: Figures) -> None:
    hub = hub_with(tariffs=[flat(0.3, days="weekdays"), flat(0.1, days="weekends and holidays")])
    got = tariff_for(hub, "U", 100.0, 2024, figures)
    assert got.mean_energy == pytest.approx((0.3 * 5 + 0.1 * 2) / 7)


def test_rows_for_the_rest_fill_what_is_left(hub_with: Callable[..., Hub], figures: Figures) -> None:
    rows = [flat(0.1, hours="other"), flat(0.5, hours="16-21", days="weekdays", season="summer (Jun-Sep)")]
    got = tariff_for(hub_with(tariffs=rows), "U", 100.0, 2024, figures)
    assert got.energy.sum() == pytest.approx(0.1 * (576 - 20) + 0.5 * 20)


def test_a_schedule_with_a_hole_is_not_used(hub_with: Callable[..., Hub], figures: Figures) -> None:
    hub = hub_with(tariffs=[flat(0.1, hours="00-23")])
    assert tariff_for(hub, "U", 100.0, 2024, figures).schedule == "flat"


def test_hours_that_a_row_does_not_tell_are_a_hole(hub_with: Callable[..., Hub], figures: Figures) -> None:
    hub = hub_with(tariffs=[flat(0.1, period="off-peak", hours="")])
    assert tariffs.ranked_tariffs(hub, "U", 2024, figures) == []
    odd = hub_with(tariffs=[flat(0.1, season="when it rains")])
    assert tariffs.ranked_tariffs(odd, "U", 2024, figures) == []


def test_the_version_in_effect_counts(hub_with: Callable[..., Hub], figures: Figures) -> None:
    rows = [flat(0.1, effective="2022"), flat(0.2, effective="2025-06-01"), flat(0.4, effective="2030")]
    hub = hub_with(tariffs=rows)
    prices = [tariff_for(hub, "U", 100.0, y, figures).mean_energy for y in (2020, 2023, 2025, 2029, 2031)]
    assert prices == pytest.approx([0.1, 0.1, 0.2, 0.2, 0.4])


def test_money_is_moved_to_the_price_year(hub_with: Callable[..., Hub], california: Hub) -> None:
    hub = hub_with(tariffs=[flat(0.1, currency_year=2015)])
    got = tariff_for(hub, "U", 100.0, 2024, Figures(california, price_year=2024)).mean_energy
    same = tariff_for(hub, "U", 100.0, 2024, Figures(california, price_year=2015)).mean_energy
    assert same == pytest.approx(0.1)
    assert 0.12 < got < 0.15


def test_a_unit_that_cannot_be_is_named_with_its_line(hub_with: Callable[..., Hub], figures: Figures) -> None:
    hub = hub_with(tariffs=[flat(0.1), row("facilities demand", 5.0, "USD/month")])
    with pytest.raises(InputError) as caught:
        tariff_for(hub, "U", 100.0, 2024, figures)
    assert [fault.row for fault in caught.value.faults] == [3]
    assert "USD/kW/month" in str(caught.value)


# ---------------------------------------------------------------- without rows


def made_drivers(hub: Hub, price: float) -> Drivers:
    rows = hub.tables["drivers"]
    power = rows["driver"] == "price_electricity_trucking"
    changed = rows.assign(value=rows["value"].where(~power, price * 1000.0))
    scenario = Scenario(name="made", title="made", as_of=dt.date(2026, 1, 1))
    tables = {**hub.tables, "drivers": changed}
    made = Hub(hub.path, hub.meta, tables, hub.library)
    return Drivers(made, scenario, np.arange(2022, 2051))


def test_a_site_at_the_stated_load_factor_pays_the_drivers_price(california: Hub, figures: Figures) -> None:
    """Energy and demand charge of the flat tariff add up to the driver at that load factor."""
    drivers = made_drivers(california, 0.25)
    got = tariff_for(california, "nobody", 1000.0, 2030, figures, drivers)
    load = figures.value("tariff_load_factor")
    assert got.usd_per_kw_month == pytest.approx(figures.value("demand_charge", "", "USD/kW/month"))
    assert got.mean_energy + got.usd_per_kw_month / (730.0 * load) == pytest.approx(0.25, rel=1e-9)
    assert "no tariff rows" in got.gaps[0]
    assert got.confidence == "assumed"


def test_the_flat_energy_price_is_never_negative(california: Hub, figures: Figures) -> None:
    got = tariffs.flat_tariff("nobody", 2030, figures, made_drivers(california, 0.01))
    assert got.mean_energy == pytest.approx(0.0, abs=1e-12)
    load = figures.value("tariff_load_factor")
    assert got.usd_per_kw_month / (730.0 * load) == pytest.approx(0.01)


def test_a_hub_without_tariffs_still_has_a_price(hub_with: Callable[..., Hub], figures: Figures) -> None:
    hub = hub_with(tariffs=[])
    got = tariffs.tariffs_for(hub, np.array(["SCE", ""], dtype=object), np.array([100.0, 9e3]), 2030, figures)
    assert len(got.book) == 2
    assert len(got.gaps) == 2
    assert all(0.1 < t.mean_energy < 0.4 for t in got.book)


# ---------------------------------------------------------------- many sites, seasons, days


def test_many_sites_have_what_each_has_alone(california: Hub, figures: Figures) -> None:
    rng = np.random.default_rng(3)
    utility = rng.choice(["SCE", "PG&E", "LADWP", "SDG&E"], 60).astype(object)
    kw = rng.uniform(5, 8000, 60)
    many = tariffs.tariffs_for(california, utility, kw, 2031, figures)
    for s in range(60):
        alone = tariff_for(california, str(utility[s]), float(kw[s]), 2031, figures)
        assert many.book[many.site[s]].schedule == alone.schedule
        np.testing.assert_array_equal(many.book[many.site[s]].energy, alone.energy)
    assert len(many.book) <= 8


def test_seasons_are_means_of_their_months() -> None:
    months = np.arange(12.0)[:, None]
    np.testing.assert_allclose(by_season(months)[:, 0], [6.5, (66 - 26) / 8])
    assert SEASON_MONTHS.sum() == 12


@pytest.mark.parametrize(
    ("days", "weekday", "weekend"),
    [(365 * 5 / 7, 1.0, 0.0), (365.0, 1.0, 1.0), (200.0, 200 / (365 * 5 / 7), 0.0), (290.0, 1.0, 0.28082)],
)
def test_working_days_fall_on_weekdays_first(days: float, weekday: float, weekend: float) -> None:
    use = day_use(days)
    np.testing.assert_allclose(use, [weekday, weekend], atol=1e-4)
    assert 12 * DAYS_OF_MONTH @ use == pytest.approx(days)
