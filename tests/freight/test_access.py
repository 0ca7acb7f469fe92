"""Who can charge where: reach, detours, time, a fair choice among like sites, and nobody forgotten."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cleanhub.core.errors import FaultList
from cleanhub.freight.access import Pairs, build_pairs
from cleanhub.freight.figures import Figures
from cleanhub.freight.network import Network
from cleanhub.freight.problem import HOME, PUBLIC, Sites, TruckDays, Zones
from cleanhub.hub.package import Hub

KM = 4.6096  # 0.05 degrees of longitude at 34 degrees north


@pytest.fixture
def figures(california: Hub) -> Figures:
    return Figures(california)


def sites_at(*rows: tuple[str, str, float], **more: Any) -> Sites:
    """Sites on the straight road from (name, kind, longitude)."""
    name, kind, lon = (np.array(column) for column in zip(*rows, strict=True)) if rows else [[]] * 3
    count = len(rows)
    text, ones, whole = np.array(name, dtype=object), np.ones(count), np.zeros(count, dtype=np.int64)
    values: dict[str, Any] = {field.name: ones for field in dataclasses.fields(Sites)}
    values |= {"name": text, "title": text, "kind": np.array(kind, dtype=object), "asked_by": text}
    values |= {"lat": np.full(count, 34.0), "lon": np.array(lon, dtype=float), "substation": whole}
    values |= {"open_plugs": 0 * ones, "open_year": whole, "earliest": whole}
    values |= {"forbidden": np.zeros(count, dtype=bool), "disadvantaged": np.zeros(count, dtype=bool)}
    values["plug_kw"] = np.full(count, 350.0)
    return Sites(**values | more)


@pytest.fixture
def zones(make_zones: Callable[..., Zones]) -> Zones:
    return make_zones(
        ("port", "terminal", 34.0, -118.3),
        ("base", "cluster", 34.0, -118.1),
        ("store", "cluster", 34.0, -117.5),
    )


@pytest.fixture
def one_day(make_days: Callable[..., TruckDays]) -> TruckDays:
    """Ten truck-days: base, port, base."""
    return make_days((10.0, 1, [(1, 0, 4 * KM, 1.0), (0, 1, 4 * KM, 0.0)]))


def named(pairs: Pairs, sites: Sites, kind: int, group: int = 0) -> set[str]:
    return {str(sites.name[s]) for g, s, k, _ in zip(*pairs, strict=True) if g == group and k == kind}


def test_home_sites_lie_within_the_reach_of_their_kind(
    zones: Zones, one_day: TruckDays, straight_road: Network, figures: Figures
) -> None:
    sites = sites_at(
        ("own", "depot", -118.1),
        ("own far", "depot", -118.0),  # 9 km: beyond 3
        ("shared", "shared", -118.0),  # 9 km: within 16
        ("shared far", "shared", -117.9),  # 18 km
        ("on the way", "public", -118.2),
    )
    pairs = build_pairs(one_day, zones, sites, straight_road, figures)
    assert named(pairs, sites, HOME) == {"own", "shared"}
    extra = dict(
        zip(sites.name[pairs.site[pairs.kind == HOME]], pairs.extra_kwh[pairs.kind == HOME], strict=True)
    )
    per_km = figures.value("detour_energy", unit="kWh/km")
    assert extra["own"] == 0.0
    assert extra["shared"] == pytest.approx(2 * 2 * KM * per_km, rel=1e-3)  # there and back


def test_public_sites_lie_on_the_way(
    zones: Zones, one_day: TruckDays, straight_road: Network, figures: Figures
) -> None:
    sites = sites_at(
        ("between", "public", -118.2),
        ("behind", "public", -118.08),  # 1.84 km on, by a lane: 4.4 km there and back
        ("too far", "public", -118.0),  # 18 km of detour
        ("own", "depot", -118.2),
    )
    pairs = build_pairs(one_day, zones, sites, straight_road, figures)
    assert named(pairs, sites, PUBLIC) == {"between", "behind"}
    assert named(pairs, sites, HOME) == set()
    between, behind = pairs.extra_kwh
    assert between == pytest.approx(0.0, abs=1e-9)
    assert behind == pytest.approx(4.43 * figures.value("detour_energy", unit="kWh/km"), rel=1e-2)


def test_slow_plugs_need_a_stop_that_is_long_enough(
    zones: Zones, straight_road: Network, figures: Figures, make_days: Callable[..., TruckDays]
) -> None:
    sites = sites_at(
        ("slow", "public", -117.5), ("slow on the way", "public", -117.7), plug_kw=np.full(2, 100.0)
    )
    stay = figures.value("charging_session", "public", "kWh") / (100 * figures.value("charging_power_share"))
    assert stay > figures.value("public_extra_time", unit="h")
    for dwell, found in ((stay * 0.99, set()), (stay * 1.01, {"slow"})):
        days = make_days((1.0, 1, [(1, 2, 12 * KM, dwell), (2, 1, 12 * KM, 0.0)]))
        pairs = build_pairs(days, zones, sites, straight_road, figures)
        assert named(pairs, sites, PUBLIC) == found
    fast = dataclasses.replace(sites, plug_kw=np.full(2, 350.0))
    assert len(named(build_pairs(days, zones, fast, straight_road, figures), fast, PUBLIC)) == 2


def test_a_queue_at_a_terminal_is_no_time_to_charge(
    zones: Zones, straight_road: Network, figures: Figures, make_days: Callable[..., TruckDays]
) -> None:
    sites = sites_at(("at the port", "public", -118.3), plug_kw=np.array([100.0]))
    days = make_days((1.0, 1, [(1, 0, 4 * KM, 9.0), (0, 1, 4 * KM, 0.0)]))
    told = FaultList()
    pairs = build_pairs(days, zones, sites, straight_road, figures, told)
    assert len(pairs.group) == 0
    assert "1 truck-days from Base reach no charging site" in told.notes[0].what


def test_the_least_detour_over_all_legs_counts(
    zones: Zones, straight_road: Network, figures: Figures, make_days: Callable[..., TruckDays]
) -> None:
    sites = sites_at(("east", "public", -117.7))
    days = make_days((1.0, 1, [(1, 0, 4 * KM, 1.0), (0, 2, 16 * KM, 1.0), (2, 1, 12 * KM, 0.0)]))
    pairs = build_pairs(days, zones, sites, straight_road, figures)
    assert pairs.extra_kwh == pytest.approx([0.0], abs=0.05)


def test_forbidden_sites_are_left_out_unless_they_stand(
    zones: Zones, one_day: TruckDays, straight_road: Network, figures: Figures
) -> None:
    sites = sites_at(
        ("open", "shared", -118.1),
        ("closed", "shared", -118.1),
        ("stands", "shared", -118.1),
        forbidden=np.array([False, True, True]),
        open_plugs=np.array([0.0, 0.0, 5.0]),
    )
    pairs = build_pairs(one_day, zones, sites, straight_road, figures)
    assert named(pairs, sites, HOME) == {"open", "stands"}


def test_who_has_nothing_in_reach_takes_the_nearest_home_site(
    zones: Zones, straight_road: Network, figures: Figures, make_days: Callable[..., TruckDays]
) -> None:
    sites = sites_at(("a", "shared", -117.6), ("b", "shared", -117.75), ("c", "public", -117.5))
    days = make_days((4.0, 1, [(1, 0, 4 * KM, 1.0), (0, 1, 4 * KM, 0.0)]))
    told = FaultList()
    pairs = build_pairs(days, zones, sites, straight_road, figures, told)
    assert named(pairs, sites, HOME) == {"b"}  # 32 km: beyond 16, within 60
    assert named(pairs, sites, PUBLIC) == set()
    assert not told.notes


def test_who_reaches_nothing_is_named(
    zones: Zones,
    straight_road: Network,
    figures_with: Callable[..., Figures],
    make_days: Callable[..., TruckDays],
) -> None:
    sites = sites_at(("far", "shared", -117.3))
    short = figures_with({("home_reach_most", ""): (20.0, "km")})
    days = make_days(
        (4.0, 1, [(1, 0, 4 * KM, 1.0)]), (6.0, 1, [(1, 0, 4 * KM, 1.0)]), (5.0, 2, [(2, 2, 1.0, 1.0)])
    )
    told = FaultList()
    pairs = build_pairs(days, zones, sites, straight_road, short, told)
    assert pairs.group.tolist() == [2]
    assert len(told.notes) == 1
    assert told.notes[0].what.startswith("10 truck-days from Base")


def test_no_sites_or_no_trucks(
    zones: Zones,
    one_day: TruckDays,
    straight_road: Network,
    figures: Figures,
    make_days: Callable[..., TruckDays],
) -> None:
    told = FaultList()
    pairs = build_pairs(one_day, zones, sites_at(), straight_road, figures, told)
    assert [len(part) for part in pairs] == [0, 0, 0, 0]
    assert len(told.notes) == 1
    assert (
        len(build_pairs(make_days(), zones, sites_at(("a", "shared", -118.1)), straight_road, figures).group)
        == 0
    )


def test_no_group_has_more_than_its_count_and_home_no_more_than_its_own(
    zones: Zones,
    straight_road: Network,
    figures_with: Callable[..., Figures],
    make_days: Callable[..., TruckDays],
) -> None:
    lon = np.linspace(-118.3, -118.1, 30)
    sites = sites_at(*[(f"s{k}", "shared", float(x)) for k, x in enumerate(lon)])
    figures = figures_with({("pairs_per_group", ""): (9.0, "1"), ("home_pairs", ""): (4.0, "1")})
    days = make_days(*[(1.0, 1, [(1, 0, 4 * KM, 1.0), (0, 1, 4 * KM, 0.0)])] * 5)
    pairs = build_pairs(days, zones, sites, straight_road, figures)
    assert np.bincount(pairs.group).tolist() == [9] * 5
    assert np.bincount(pairs.group, weights=pairs.kind == HOME).tolist() == [4.0] * 5
    order = np.lexsort((pairs.site, pairs.kind, pairs.group))
    assert order.tolist() == list(range(len(order)))
    keys = {(g, s, k) for g, s, k, _ in zip(*pairs, strict=True)}
    assert len(keys) == len(pairs.group)


def test_like_groups_take_different_ones_of_like_sites(
    zones: Zones, straight_road: Network, figures: Figures, make_days: Callable[..., TruckDays]
) -> None:
    sites = sites_at(*[(f"s{k}", "shared", -118.1 + k * 1e-4) for k in range(40)])
    days = make_days(*[(1.0, 1, [(1, 0, 4 * KM, 1.0)])] * 12)
    pairs = build_pairs(days, zones, sites, straight_road, figures)
    home = pairs.kind == HOME
    assert len(set(pairs.site[home])) > 30  # of 40: not the same eight for all
    again = build_pairs(days, zones, sites, straight_road, figures)
    assert all(np.array_equal(a, b) for a, b in zip(pairs, again, strict=True))


def test_nearer_sites_go_before_farther_ones(
    zones: Zones, one_day: TruckDays, straight_road: Network, figures: Figures
) -> None:
    near = [(f"near{k}", "shared", -118.1 + k * 1e-4) for k in range(8)]
    far = [(f"far{k}", "shared", -118.0 + k * 1e-4) for k in range(8)]
    sites = sites_at(*far, *near, plug_kw=np.full(16, 50.0))
    pairs = build_pairs(one_day, zones, sites, straight_road, figures)
    assert named(pairs, sites, HOME) == {name for name, _, _ in near}


def test_every_leg_of_a_day_gets_sites(
    zones: Zones,
    straight_road: Network,
    figures_with: Callable[..., Figures],
    make_days: Callable[..., TruckDays],
) -> None:
    west = [(f"west{k}", "public", -118.2 + k * 1e-4) for k in range(10)]
    east = [(f"east{k}", "public", -117.7 + k * 1e-4) for k in range(10)]
    sites = sites_at(*west, *east)
    days = make_days((1.0, 1, [(0, 1, 4 * KM, 0.1), (1, 2, 12 * KM, 0.1)]))
    figures = figures_with({("pairs_per_group", ""): (6.0, "1")})
    found = named(build_pairs(days, zones, sites, straight_road, figures), sites, PUBLIC)
    assert sum(name.startswith("west") for name in found) == 3
    assert sum(name.startswith("east") for name in found) == 3
