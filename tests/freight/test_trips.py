"""Trips of California against published sums, and what changes when a place or the volume does."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from cleanhub.core.errors import InputError
from cleanhub.freight.figures import Figures
from cleanhub.freight.network import Network
from cleanhub.freight.problem import Zones
from cleanhub.freight.roads import load_network
from cleanhub.freight.trips import build_trips, trip_model, truck_volume
from cleanhub.freight.zones import build_zones
from cleanhub.hub.package import Hub

TEU = 19_947_000.0
MILE = 1.609344


@pytest.fixture(scope="module")
def network(california: Hub) -> Network:
    return load_network(california)


@pytest.fixture(scope="module")
def zones(california: Hub, network: Network) -> Zones:
    return build_zones(california, Figures(california), network)


@pytest.fixture(scope="module")
def km(zones: Zones, network: Network) -> np.ndarray:
    return network.between(zones.lat, zones.lon, zones.lat, zones.lon).km


def _to(zones: Zones, trips: object) -> np.ndarray:
    return np.bincount(trips.destination, weights=trips.per_day, minlength=len(zones.name))  # type: ignore[attr-defined]


def test_moves_and_visits_of_a_day_are_those_derived_by_hand(california: Hub) -> None:
    """19.947 M TEU / 1.85 = 10.78 M boxes; less 26 % by rail on dock, over 290 days; 1.35 moves a visit."""
    volume = truck_volume(TEU, Figures(california))
    assert volume.boxes == pytest.approx(10.78e6, rel=1e-3)
    assert volume.moves == pytest.approx(27_513, rel=1e-4)
    assert volume.visits == pytest.approx(20_380, rel=1e-4)


def test_moves_and_visits_agree_with_the_figures_to_compare(california: Hub) -> None:
    figures = Figures(california)
    volume = truck_volume(TEU, figures)
    for found, name in ((volume.moves, "moves_per_day"), (volume.visits, "visits_per_day")):
        low, high = (Figures(california, end).value(name) for end in ("low", "high"))
        assert low <= found <= high
        assert found == pytest.approx(figures.value(name), rel=0.01)


def test_the_mean_loaded_trip_meets_its_target(california: Hub, zones: Zones, km: np.ndarray) -> None:
    model = trip_model(zones, km, Figures(california), TEU)
    assert model.reached
    assert model.fit.converged
    assert model.missing == ()
    way = km[model.trips.origin, model.trips.destination]
    assert np.average(way, weights=model.trips.per_day) / MILE == pytest.approx(40.2, abs=0.01)
    assert model.mean_km == pytest.approx(40.2 * MILE, rel=1e-4)


def test_classes_and_terminals_have_their_shares(california: Hub, zones: Zones, km: np.ndarray) -> None:
    figures = Figures(california)
    trips = build_trips(zones, km, figures, TEU)
    to = _to(zones, trips)
    for band, share in figures.items("trip_band_share").items():
        assert to[zones.band == band].sum() / to.sum() == pytest.approx(share, rel=1e-6)
    made = np.bincount(trips.origin, weights=trips.per_day)
    np.testing.assert_allclose(made / made.sum(), zones.weight[:12] / zones.weight[:12].sum(), rtol=1e-5)


def test_doubling_the_containers_doubles_every_trip(california: Hub, zones: Zones, km: np.ndarray) -> None:
    figures = Figures(california)
    once, twice = (build_trips(zones, km, figures, TEU * k) for k in (1, 2))
    np.testing.assert_array_equal(once.destination, twice.destination)
    np.testing.assert_allclose(twice.per_day, 2 * once.per_day, rtol=1e-6)


def test_a_cluster_without_size_gets_no_trips(california: Hub, zones: Zones, km: np.ndarray) -> None:
    weight = zones.weight.copy()
    ontario = int(np.flatnonzero(zones.name == "cluster-ontario")[0])
    weight[ontario] = 0.0
    figures = Figures(california)
    before, after = (
        _to(zones, build_trips(z, km, figures, TEU))
        for z in (zones, dataclasses.replace(zones, weight=weight))
    )
    assert before[ontario] > 500
    assert after[ontario] == 0
    assert after.sum() == pytest.approx(before.sum())
    assert after[zones.name == "cluster-chino"] > before[zones.name == "cluster-chino"]


def test_moving_a_cluster_moves_its_trips(
    california: Hub, zones: Zones, network: Network, km: np.ndarray
) -> None:
    """Perris 20 km nearer to the port, deterred by less distance, draws more trips; the sum stays."""
    perris = int(np.flatnonzero(zones.name == "cluster-perris")[0])
    lon = zones.lon.copy()
    lon[perris] -= 20 / (111.195 * np.cos(np.radians(zones.lat[perris])))
    moved = dataclasses.replace(zones, lon=lon)
    moved_km = network.between(moved.lat, moved.lon, moved.lat, moved.lon).km
    figures = Figures(california)
    before, after = (_to(z, build_trips(z, d, figures, TEU)) for z, d in ((zones, km), (moved, moved_km)))
    assert moved_km[0, perris] < km[0, perris] - 5
    assert after[perris] > 1.03 * before[perris]
    assert after.sum() == pytest.approx(before.sum())


def test_a_distribution_of_lengths_takes_the_place_of_classes(
    california: Hub, zones: Zones, km: np.ndarray
) -> None:
    edges, share = np.array([0.0, 30.0, 100.0, 1000.0]), np.array([0.5, 0.3, 0.2])
    model = trip_model(zones, km, Figures(california), TEU, edges, share)
    assert model.reached
    way = km[model.trips.origin, model.trips.destination]
    for low, high, part in zip(edges, edges[1:], share, strict=False):
        inside = model.trips.per_day[(way >= low) & (way < high)].sum()
        assert inside / model.trips.per_day.sum() == pytest.approx(part, abs=1e-4)


def test_a_class_without_places_leaves_its_share_to_the_others(
    california: Hub, zones: Zones, km: np.ndarray
) -> None:
    keep = zones.band != "far"
    some = Zones(**{name: values[keep] for name, values in vars(zones).items()})
    model = trip_model(some, km[np.ix_(keep, keep)], Figures(california), TEU)
    assert model.missing == ("far",)
    assert model.trips.per_day.sum() == pytest.approx(model.volume.visits)


def test_no_containers_and_no_terminals_give_no_trips(california: Hub, zones: Zones, km: np.ndarray) -> None:
    figures = Figures(california)
    assert len(build_trips(zones, km, figures, 0.0).per_day) == 0
    keep = zones.kind != "terminal"
    rest = Zones(**{name: values[keep] for name, values in vars(zones).items()})
    assert len(build_trips(rest, km[np.ix_(keep, keep)], figures, TEU).per_day) == 0


def test_bad_volumes_and_figures_are_all_listed(
    zones: Zones, km: np.ndarray, figures_with: Callable[..., Figures]
) -> None:
    figures = figures_with(
        {
            ("teu_per_box", ""): (0.0, "1"),
            ("on_dock_rail_share", ""): (1.4, "1"),
            ("moves_per_visit", ""): (-1.0, "1"),
        }
    )
    with pytest.raises(InputError) as caught:
        build_trips(zones, km, figures, -5.0)
    text = str(caught.value)
    assert caught.value.exit_code == 2
    for word in ("volume", "found -5", "teu_per_box", "on_dock_rail_share", "moves_per_visit"):
        assert word in text


def test_a_negative_share_of_a_class_is_refused(
    zones: Zones, km: np.ndarray, figures_with: Callable[..., Figures]
) -> None:
    with pytest.raises(InputError, match="trip_band_share, local"):
        build_trips(zones, km, figures_with({("trip_band_share", "local"): (-3.0, "%")}), TEU)


def test_unreachable_destinations_are_named(california: Hub, zones: Zones, km: np.ndarray) -> None:
    cut = km.copy()
    lost = np.flatnonzero(np.isin(zones.name, ["cluster-ontario", "gateway-phoenix"]))
    cut[:, lost] = np.inf
    with pytest.raises(InputError) as caught:
        build_trips(zones, cut, Figures(california), TEU)
    text = str(caught.value)
    assert text.count("unreachable destination") == 2
    assert "cluster-ontario" in text
    assert "gateway-phoenix" in text


def test_terminals_without_containers_and_places_without_size_are_faults(
    california: Hub, zones: Zones, km: np.ndarray
) -> None:
    idle = dataclasses.replace(zones, weight=np.zeros(len(zones.name)))
    with pytest.raises(InputError) as caught:
        build_trips(idle, km, Figures(california), TEU)
    assert "terminals without containers" in str(caught.value)
    assert "of any size" in str(caught.value)
