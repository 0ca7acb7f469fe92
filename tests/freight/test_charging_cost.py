"""Cost of a kWh before and after siting, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.freight import charging_cost
from cleanhub.freight.figures import Figures
from cleanhub.freight.tariff_arrays import Demand, Tariff
from cleanhub.freight.tariffs import Tariffs, tariffs_for
from cleanhub.hub.package import Hub

SHAPE = (12, 2, 24)


@pytest.fixture(scope="module")
def figures(california: Hub) -> Figures:
    return Figures(california)


@pytest.fixture(scope="module")
def running(figures: Figures) -> float:
    return figures.value("charging_running", "", "USD/kWh")


def tariff(
    energy: np.ndarray | float = 0.2, demand: float = 0.0, fixed: float = 0.0, evening: bool = False
) -> Tariff:
    """A tariff that is the same all year, with a demand charge on all hours or on those from 16 to 21."""
    counts = np.zeros(SHAPE, dtype=bool)
    counts[..., slice(16, 21) if evening else slice(None)] = True
    charges = (Demand("demand", np.full(12, demand), counts),) if demand else ()
    return Tariff("U", "T", 2024, np.broadcast_to(energy, SHAPE).copy(), charges, fixed, "seen")


def of(one: Tariff, sites: int = 1) -> Tariffs:
    return Tariffs((one,), np.zeros(sites, dtype=np.int64))


ALWAYS = np.ones((1, 24))
YES, NO = np.array([True]), np.array([False])


# ---------------------------------------------------------------- hours


def test_windows_by_hand() -> None:
    got = charging_cost.hours_open(np.array([22.5, 6.0, 0.0, 23.0]), np.array([3.0, 0.5, 30.0, 24.0]))
    assert got.sum(axis=1) == pytest.approx([3.0, 0.5, 24.0, 24.0])
    assert got[0, [22, 23, 0, 1]] == pytest.approx([0.5, 1.0, 1.0, 0.5])
    assert got[1, 6] == pytest.approx(0.5)
    assert np.all(got <= 1.0)


@settings(max_examples=100, deadline=None)
@given(st.floats(-30, 60), st.floats(0, 40))
def test_a_window_has_its_length(start: float, hours: float) -> None:
    got = charging_cost.hours_open(np.array([start]), np.array([hours]))
    assert got.sum() == pytest.approx(min(hours, 24.0), abs=1e-9)
    assert np.all((got >= 0) & (got <= 1 + 1e-12))


def test_the_cheapest_hours_are_filled_first() -> None:
    price = np.array([3.0, 1.0, 2.0] + [9.0] * 21)
    got = charging_cost.hours_chosen(price, np.ones(24), np.array(1.5))
    np.testing.assert_allclose(got[:3], [0.0, 1.0, 0.5])
    closed = np.ones(24)
    closed[1] = 0.25
    np.testing.assert_allclose(
        charging_cost.hours_chosen(price, closed, np.array(1.5))[:3], [0.25, 0.25, 1.0]
    )


def test_no_more_hours_are_used_than_are_open() -> None:
    got = charging_cost.hours_chosen(np.arange(24.0), np.full(24, 0.5), np.array(20.0))
    np.testing.assert_allclose(got, 0.5)


# ---------------------------------------------------------------- before siting


def test_a_flat_price_costs_itself(figures: Figures, running: float) -> None:
    got = charging_cost.expected_usd_per_kwh(
        of(tariff(0.17)), ALWAYS, np.array([6.0]), YES, np.array([1e3]), figures
    )
    assert got[0] == pytest.approx(0.17 + running)


def test_a_demand_charge_at_a_load_factor(figures: Figures, running: float) -> None:
    """Even use of half of the hours of each working day: D over the kWh of a month at that load."""
    got = charging_cost.expected_usd_per_kwh(
        of(tariff(0.1, demand=14.6)), ALWAYS, np.array([12.0]), NO, np.array([1e3]), figures
    )
    days = figures.value("working_days", "", "d/yr")
    weekend_and_week = days * 24.0 / 12.0  # kWh a month of 1 kW at full use of every working day
    assert got[0] == pytest.approx(0.1 + 14.6 / weekend_and_week + running, rel=1e-9)


def test_evening_charges_are_dodged_by_those_who_can(figures: Figures, running: float) -> None:
    price = np.full(24, 0.2)
    price[16:21] = 0.5
    both = of(tariff(price, demand=20.0, evening=True), 2)
    got = charging_cost.expected_usd_per_kwh(
        both, np.ones((2, 24)), np.array([8.0, 8.0]), np.array([True, False]), np.array([1e3, 1e3]), figures
    )
    assert got[0] == pytest.approx(0.2 + running)
    even = (19 * 0.2 + 5 * 0.5) / 24
    assert got[1] > even + running


def test_the_customer_charge_is_spread(figures: Figures, running: float) -> None:
    one = of(tariff(0.2, fixed=1000.0))
    got = charging_cost.expected_usd_per_kwh(one, ALWAYS, np.array([24.0]), NO, np.array([100.0]), figures)
    kwh = 100.0 * 24.0 * figures.value("working_days", "", "d/yr") / 12.0
    # On weekends a site runs for fewer hours, at the same power while it runs.
    assert got[0] == pytest.approx(0.2 + 1000.0 / kwh + running, rel=1e-9)


def test_less_use_never_costs_less_under_a_demand_charge(figures: Figures) -> None:
    hours = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 24.0])
    many = of(tariff(0.2, demand=15.0), 6)
    got = charging_cost.expected_usd_per_kwh(
        many, np.ones((6, 24)), hours, np.zeros(6, dtype=bool), np.full(6, 500.0), figures
    )
    assert np.all(np.diff(got) <= 1e-12)


def test_a_site_that_is_never_open_has_no_price(figures: Figures) -> None:
    got = charging_cost.expected_usd_per_kwh(
        of(tariff()), np.zeros((1, 24)), np.array([5.0]), YES, np.array([1e3]), figures
    )
    assert np.isnan(got[0])


def test_california_costs_what_charging_costs(california: Hub, figures: Figures) -> None:
    """Before demand charges are phased in yards at night pay less than public sites by day."""
    kinds = np.array(["depot", "public", "shared"] * 2, dtype=object)
    utility = np.array(["SCE"] * 3 + ["PG&E"] * 3, dtype=object)
    kw = np.full(6, 3500.0)
    rates = tariffs_for(california, utility, kw, 2026, figures)
    opening = {kind: figures.value("charging_from", kind, "h") for kind in ("depot", "public", "shared")}
    hours = {kind: figures.value("charging_hours", kind, "h") for kind in opening}
    open_ = charging_cost.hours_open(
        np.array([opening[kind] for kind in kinds]), np.array([hours[kind] for kind in kinds])
    )
    got = charging_cost.expected_usd_per_kwh(rates, open_, np.full(6, 6.0), kinds == "depot", kw, figures)
    assert np.all((got > 0.10) & (got < 0.45))
    assert got[0] < got[1]
    assert got[3] < got[4]


# ---------------------------------------------------------------- after siting
