"""The drayage registry: sizes of firms, home charging, ages, replacement, duty classes and terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cleanhub.core.errors import InputError
from cleanhub.freight import fleet
from cleanhub.freight.figures import Figures
from cleanhub.hub.package import Hub

MILE = 1.609344
BATTERY = "truck_class8_day_battery"
DRAYAGE = "trucks-drayage"


@pytest.fixture(scope="module")
def figures(california: Hub) -> Figures:
    return Figures(california)


def registry(*rows: tuple[str, int, int, float]) -> list[dict[str, Any]]:
    common = {"asset_id": DRAYAGE, "source_id": "test", "confidence": "assumed", "note": ""}
    return [{"counts": c, "first": a, "last": b, "share": s, **common} for c, a, b, s in rows]


# ---------------------------------------------------------------- sizes of firms


def test_published_sums_hold_in_the_bundled_registry(california: Hub) -> None:
    """70 % of firms have 20 trucks or fewer; more than 25 % of trucks were older than 10 years in 2023."""
    classes = fleet.fleet_classes(california, DRAYAGE)
    assert classes is not None
    assert classes.firms[classes.last <= 20].sum() == pytest.approx(0.70)
    ages = fleet.model_years(california)
    assert ages is not None
    assert 0.25 < ages.share[2023 - ages.year > 10].sum() < 0.30
    assert ages.year.min() == 2010


def test_mean_size_of_a_class_by_hand() -> None:
    """Firms of 1 to 5 trucks thin out as 1/size: 5 / ln(5.5 / 0.5) trucks on the mean."""
    got = fleet.mean_size(np.array([1, 7]), np.array([5, 7]))
    np.testing.assert_allclose(got, [5 / np.log(11.0), 1 / np.log(7.5 / 6.5)])
    assert got[1] == pytest.approx(7.0, abs=0.02)


def test_few_large_firms_have_most_trucks(california: Hub) -> None:
    classes = fleet.fleet_classes(california, DRAYAGE)
    assert classes is not None
    assert classes.trucks.sum() == pytest.approx(1.0)
    assert classes.trucks[classes.first > 20].sum() > 0.7
    assert np.all(classes.mean_size >= classes.first - 0.5)
    assert np.all(classes.mean_size <= classes.last + 0.5)


def test_home_charging_by_hand(hub_with: Callable[..., Hub], figures: Figures) -> None:
    """Two classes with mean sizes a and b: all trucks of the upper one, half of their yards suit."""
    hub = hub_with(truck_registry=registry(("fleet_size", 1, 20, 0.8), ("fleet_size", 21, 60, 0.2)))
    small, large = 20 / np.log(20.5 / 0.5), 40 / np.log(60.5 / 20.5)
    upper = 0.2 * large / (0.8 * small + 0.2 * large)
    assert fleet.home_charging_share(hub, figures) == pytest.approx(upper * figures.value("own_depot_share"))


def test_a_class_is_cut_at_the_threshold(
    hub_with: Callable[..., Hub], figures_with: Callable[..., Figures]
) -> None:
    hub = hub_with(truck_registry=registry(("fleet_size", 1, 40, 1.0)))
    cut = figures_with({("own_depot_fleet", ""): (21.0, "vehicle"), ("own_depot_share", ""): (1.0, "1")})
    assert fleet.home_charging_share(hub, cut) == pytest.approx(0.5)


def test_a_higher_threshold_never_gives_more_home_charging(
    california: Hub, figures_with: Callable[..., Figures]
) -> None:
    shares = [
        fleet.home_charging_share(california, figures_with({("own_depot_fleet", ""): (least, "vehicle")}))
        for least in (1.0, 6.0, 15.0, 21.0, 60.0, 300.0, 1000.0)
    ]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == pytest.approx(Figures(california).value("own_depot_share"))
    assert shares[-1] == 0.0


def test_without_a_registry_the_row_counts(hub_with: Callable[..., Hub], figures: Figures) -> None:
    hub = hub_with(truck_registry=[])
    assert fleet.home_charging_share(hub, figures) == figures.value("home_charging_share")
    assert fleet.fleet_classes(hub, DRAYAGE) is None
    assert fleet.model_years(hub) is None
    np.testing.assert_array_equal(fleet.replacements(hub, figures, np.arange(2025, 2030), 60_000.0), 0.0)


def test_the_drayage_cohort_is_found_by_its_duty(california: Hub) -> None:
    assert fleet.drayage_cohort(california) == DRAYAGE


def test_all_faults_of_a_registry_are_told_at_once(hub_with: Callable[..., Hub]) -> None:
    hub = hub_with(
        truck_registry=registry(
            ("fleet_size", 1, 10, 0.5), ("fleet_size", 8, 20, 0.3), ("fleet_size", 30, 25, 0.3)
        )
    )
    with pytest.raises(InputError) as caught:
        fleet.fleet_classes(hub, DRAYAGE)
    words = str(caught.value)
    for part in ("overlap", "ends before it begins", "do not sum to 1"):
        assert part in words
    assert {fault.row for fault in caught.value.faults} == {2, 3, 4}


# ---------------------------------------------------------------- ages


@pytest.mark.parametrize(
    ("yearly_miles", "last"),
    [(38_000, 2030), (50_000, 2028), (60_000, 2025), (100_000, 2025), (0, 2030)],
)
def test_legacy_limits(figures: Figures, yearly_miles: float, last: int) -> None:
    """Model year 2012: 18 years, or 800,000 miles if sooner, but never before 13 years."""
    got = fleet.last_years(np.array([2012]), figures, yearly_miles * MILE)
    assert got.tolist() == [last]


def test_replacements_are_those_whose_limit_falls_due(hub_with: Callable[..., Hub], figures: Figures) -> None:
    hub = hub_with(truck_registry=registry(("model_year", 2005, 2005, 0.2), ("model_year", 2012, 2013, 0.8)))
    leave = fleet.replacements(hub, figures, np.arange(2026, 2032), 38_000 * MILE)
    np.testing.assert_allclose(leave, [0.2, 0, 0, 0, 0.4, 0.4])
    hard = fleet.replacements(hub, figures, np.arange(2026, 2032), 70_000 * MILE)
    np.testing.assert_allclose(hard, [0.6 + 0.4, 0, 0, 0, 0, 0])


def test_all_trucks_of_the_bundled_registry_leave_in_time(california: Hub, figures: Figures) -> None:
    leave = fleet.replacements(california, figures, np.arange(2025, 2046), 38_000 * MILE)
    assert leave.sum() == pytest.approx(1.0)
    assert np.all(leave >= 0)


# ---------------------------------------------------------------- terms of ownership


def test_terms_by_hand(figures: Figures) -> None:
    terms = fleet.truck_terms(figures, BATTERY, kwh_per_mile=2.1, public_share=0.25)
    assert terms.energy == {BATTERY: pytest.approx(0.0021)}  # the carrier's unit is the MWh
    power = figures.value("plug_power", "public", "kW") * figures.value("charging_power_share")
    stop = figures.value("charging_wait", "", "h") / figures.value("charging_session", "public", "kWh")
    assert terms.waiting_hours_per_mile[BATTERY] == pytest.approx(2.1 * 0.25 * (1 / power + stop))
    assert terms.places == ("POLA", "POLB")
    assert terms.loaded_teu_per_mile > 0


def test_charging_at_home_wastes_no_time(figures: Figures) -> None:
    terms = fleet.truck_terms(figures, BATTERY, public_share=0.0)
    assert terms.waiting_hours_per_mile[BATTERY] == 0.0
    assert terms.energy == {}


def test_a_hub_without_ports_pays_no_port_rate(california: Hub, hub_with: Callable[..., Hub]) -> None:
    rows = california.tables["freight_parameters"]
    hub = hub_with(freight_parameters=rows[~rows["parameter"].isin(["truck_place", "loaded_teu_per_mile"])])
    terms = fleet.truck_terms(Figures(hub), BATTERY)
    assert terms.places == ()
    assert terms.loaded_teu_per_mile == 0.0
