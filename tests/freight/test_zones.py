"""Zones of California and of hubs with a few rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from cleanhub.core.errors import InputError
from cleanhub.freight.figures import Figures
from cleanhub.freight.problem import ZONE_KINDS, Zones
from cleanhub.freight.roads import load_network
from cleanhub.freight.zones import build_zones, container_throughput, port_distance
from cleanhub.hub.package import Hub

MILE = 1.609344


@pytest.fixture(scope="module")
def zones(california: Hub) -> Zones:
    return build_zones(california, Figures(california), load_network(california))


def _at(zones: Zones, name: str) -> int:
    return int(np.flatnonzero(zones.name == name)[0])


def test_the_two_ports_have_twelve_terminals_first(zones: Zones) -> None:
    assert (zones.kind[:12] == "terminal").all()
    assert (zones.kind[12:] != "terminal").all()
    assert set(zones.kind) == set(ZONE_KINDS)
    assert len(set(zones.name)) == len(zones.name)


def test_terminals_share_the_containers_of_their_ports(zones: Zones, california: Hub) -> None:
    """2024: Los Angeles 10.297, Long Beach 9.650 million TEU; Pier 400 is given, five share the rest."""
    weight = zones.weight[:12]
    assert weight.sum() == pytest.approx(10_297_000 + 9_650_000)
    assert container_throughput(california) == pytest.approx(19_947_000)
    assert zones.weight[_at(zones, "terminal-apm-terminals-pier-400")] == pytest.approx(2_640_000)
    assert zones.weight[_at(zones, "terminal-trapac")] == pytest.approx((10_297_000 - 2_640_000) / 5)
    assert zones.weight[_at(zones, "terminal-ssa-pier-a")] == pytest.approx(9_650_000 / 6)


@pytest.mark.parametrize(
    ("name", "band"),
    [
        ("rail-yard-ictf-carson", "near_dock_rail"),
        ("rail-yard-hobart", "off_dock_rail"),
        ("rail-yard-san-bernardino", "inland_rail"),
        ("cluster-compton", "local"),
        ("cluster-los-angeles", "local"),
        ("cluster-fullerton", "middle"),
        ("cluster-ontario", "inland"),
        ("cluster-perris", "inland"),
        ("cluster-san-diego", "outer"),
        ("cluster-bakersfield", "long"),
        ("gateway-phoenix", "far"),
        ("gateway-las-vegas", "far"),
    ],
)
def test_places_belong_to_the_class_of_their_distance(zones: Zones, name: str, band: str) -> None:
    assert zones.band[_at(zones, name)] == band


def test_terminals_have_no_class_and_the_rest_has(zones: Zones) -> None:
    assert (zones.band[:12] == "").all()
    assert (zones.band[12:] != "").all()


def test_yards_beyond_the_region_are_left_out(zones: Zones) -> None:
    assert "rail-yard-lathrop" not in set(zones.name)


def test_mega_sites_weigh_more_than_their_establishments_say(zones: Zones) -> None:
    """Perris: 11 establishments, but 44 million ft2 (4,087,734 m2) stand; a quarter of the planned counts."""
    perris = zones.weight[_at(zones, "cluster-perris")]
    assert perris == pytest.approx(4_087_734 + 0.25 * 3_535_839)
    assert perris > 2 * 11 * 116_000


def test_a_yard_without_lifts_counts_only_where_its_class_has_no_other(zones: Zones) -> None:
    assert zones.weight[_at(zones, "rail-yard-ictf-carson")] == 1.0
    assert zones.weight[_at(zones, "rail-yard-colton-west-colton")] == 0.0


def test_without_a_network_straight_lines_serve(california: Hub, zones: Zones) -> None:
    plain = build_zones(california, Figures(california))
    both = set(plain.name) & set(zones.name)
    assert len(both) >= 0.95 * len(zones.name)
    same = [plain.band[_at(plain, name)] == zones.band[_at(zones, name)] for name in sorted(both)]
    assert np.mean(same) > 0.85


def test_a_hub_without_terminals_has_no_zones(california: Hub, hub_with: Callable[..., Hub]) -> None:
    infrastructure = california.tables["infrastructure"]
    hub = hub_with(infrastructure=infrastructure[infrastructure["kind"] != "terminal"])
    zones = build_zones(hub, Figures(hub))
    assert len(zones.name) == 0
    assert zones.weight.dtype == np.float64
    assert container_throughput(hub) == 0


def test_a_hub_without_classes_puts_all_in_one(california: Hub, hub_with: Callable[..., Hub]) -> None:
    table = california.tables["freight_parameters"]
    hub = hub_with(freight_parameters=table[~table["parameter"].str.startswith("trip_band")])
    zones = build_zones(hub, Figures(hub))
    assert set(zones.band[12:]) == {"all"}
    assert "rail-yard-lathrop" in set(zones.name)


def test_two_clusters_of_one_name_are_told_apart(california: Hub, hub_with: Callable[..., Hub]) -> None:
    clusters = california.tables["warehouse_clusters"].copy()
    clusters.loc[clusters["cluster"] == "Compton", ["cluster", "county"]] = ["Chino", "Los Angeles"]
    hub = hub_with(warehouse_clusters=clusters)
    names = set(build_zones(hub, Figures(hub)).name)
    assert {"cluster-chino-los-angeles", "cluster-chino-san-bernardino"} <= names


def test_negative_sizes_and_doubles_are_all_listed(california: Hub, hub_with: Callable[..., Hub]) -> None:
    clusters = california.tables["warehouse_clusters"].copy()
    clusters.loc[clusters["cluster"].isin(["Ontario", "Chino"]), "establishments"] = -400.0
    clusters.loc[clusters["cluster"].isin(["Ontario", "Chino"]), "planned_m2"] = -1e9
    places = california.tables["freight_places"].copy()
    places.loc[places["place_id"] == "gateway-fresno", "place_id"] = "gateway-phoenix"
    hub = hub_with(warehouse_clusters=clusters, freight_places=places)
    with pytest.raises(InputError) as caught:
        build_zones(hub, Figures(hub))
    text = str(caught.value)
    assert "cluster-ontario" in text
    assert "cluster-chino" in text
    assert "duplicate zone" in text


def test_distance_from_the_port_weighs_terminals_by_containers() -> None:
    zones = Zones(
        name=np.array(["a", "b", "c"], dtype=object),
        title=np.array(["a", "b", "c"], dtype=object),
        kind=np.array(["terminal", "terminal", "cluster"], dtype=object),
        lat=np.zeros(3),
        lon=np.zeros(3),
        weight=np.array([3.0, 1.0, 9.0]),
        band=np.array(["", "", "x"], dtype=object),
    )
    km = np.array([[0.0, 4.0, 10.0], [4.0, 0.0, 30.0], [10.0, 30.0, 0.0]])
    np.testing.assert_allclose(port_distance(zones, km), [1.0, 3.0, 15.0])
    idle = dataclasses.replace(zones, weight=np.zeros(3))
    np.testing.assert_allclose(port_distance(idle, km), [2.0, 2.0, 20.0])
