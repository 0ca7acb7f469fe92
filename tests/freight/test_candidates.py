"""Candidate sites: the rules one by one, what they cost and deliver, and California's."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cleanhub.core.errors import FaultList, InputError
from cleanhub.freight.candidates import home_demand, place_sites, price_sites
from cleanhub.freight.figures import Figures
from cleanhub.freight.fleet import home_charging_share
from cleanhub.freight.globe import great_circle_km
from cleanhub.freight.grid import build_grid
from cleanhub.freight.near import Nearby
from cleanhub.freight.network import Network
from cleanhub.freight.problem import Sites, TruckDays, Zones
from cleanhub.freight.queueing import mean_wait
from cleanhub.freight.roads import load_network
from cleanhub.freight.site_figures import (
    costs_of_sites,
    daily_kwh,
    earliest_year,
    figures_of_sites,
    plug_cost,
    plugs_most,
    yard_plugs,
)
from cleanhub.freight.site_rules import (
    existing_depots,
    given_places,
    opening_year,
    own_yards,
    road_nodes,
    spread_out,
    zone_sites,
)
from cleanhub.freight.zones import build_zones
from cleanhub.hub.package import Hub

AS_OF = dt.date(2026, 6, 1)


def place(name: str, kind: str, lat: float, lon: float, **more: Any) -> dict[str, Any]:
    about = {"infrastructure_id": name, "kind": kind, "name": name.title(), "lat": lat, "lon": lon}
    return about | {"source_id": "x", "confidence": "seen"} | more


GRID = [place("sub", "substation", 34.0, -117.9, operator="SCE", value=230, unit="kV")]


def build_sites(hub: Hub, figures: Figures, *where: Any, **more: Any) -> Sites:
    """Sites placed and priced."""
    return price_sites(hub, figures, place_sites(hub, figures, *where, **more))


@pytest.fixture
def figures(california: Hub) -> Figures:
    return Figures(california)


@pytest.fixture(scope="module")
def roads(california: Hub) -> Network:
    return load_network(california)


@pytest.fixture(scope="module")
def built(california: Hub, roads: Network) -> tuple[Sites, FaultList]:
    """California's sites and what was told."""
    figures = Figures(california)
    told = FaultList()
    zones, grid = build_zones(california, figures, roads), build_grid(california, figures, AS_OF)
    return build_sites(california, figures, roads, zones, grid, AS_OF, faults=told), told


# ---------------------------------------------------------------- rules


@pytest.mark.parametrize(
    ("status", "value_year", "year"),
    [
        ("open 2023-07", 2023, 2023),
        ("open", 2021, 2021),
        ("open", pd.NA, 2026),
        ("pilot 2024", pd.NA, 2024),
        ("ground broken 2024-09, target 2025", 2024, 2027),  # late, and not said to be open
        ("early 2026", 2026, 2027),
        ("planned 2031", pd.NA, 2031),
        ("planned", 2024, 0),
        (pd.NA, pd.NA, 0),
    ],
)
def test_a_depot_counts_from_the_year_its_status_names(status: object, value_year: object, year: int) -> None:
    assert opening_year(status, value_year, AS_OF) == year


def test_power_and_plugs_of_depots_follow_from_each_other(
    hub_with: Callable[..., Hub], figures: Figures
) -> None:
    rows = [
        place("both", "depot", 34.0, -118.0, value=5, unit="MW", plugs=25, status="open 2024"),
        place("power", "depot", 34.0, -118.0, value=1800, unit="kW", status="open 2024"),
        place("plugs", "depot", 34.0, -118.0, plugs=12, status="open 2024"),
        place("neither", "depot", 34.0, -118.0, status="open 2024"),
        place("pilot", "depot", 34.0, -118.0, value=0.4, unit="MW", plugs=20, status="pilot 2024"),
        place("own (private)", "depot", 34.0, -118.0, plugs=10, status="open 2024"),
        place("idea", "depot", 34.0, -118.0, plugs=10, status="planned"),
    ]
    depots = existing_depots(hub_with(infrastructure=rows), figures, AS_OF).set_index("name")
    shared_kw = figures.value("plug_power", "shared", "kW")
    assert depots.loc["both", ["plug_kw", "open_plugs"]].tolist() == [200.0, 25.0]
    assert depots.loc["power", ["plug_kw", "open_plugs"]].tolist() == [shared_kw, np.floor(1800 / shared_kw)]
    assert depots.loc["plugs", ["plug_kw", "open_plugs"]].tolist() == [shared_kw, 12.0]
    assert depots.loc["neither", "open_plugs"] == figures.value("depot_plugs_unstated")
    assert depots.loc["pilot", ["plug_kw", "open_plugs"]].tolist() == [
        shared_kw,
        2.0,
    ]  # 400 kW, not 20 stalls
    assert depots.loc["own (private)", "kind"] == "depot"
    assert depots.loc["own (private)", "plug_kw"] == figures.value("plug_power", "depot", "kW")
    assert depots.loc["idea", ["open_plugs", "open_year"]].tolist() == [0.0, 0]
    assert (depots["kind"].drop("own (private)") == "shared").all()


def test_own_yards_hold_what_the_share_of_trucks_needs(
    california: Hub, figures: Figures, make_zones: Callable[..., Zones]
) -> None:
    zones = make_zones(
        ("big", "cluster", 34.0, -118.0),
        ("small", "cluster", 34.1, -118.0),
        ("gate", "gateway", 34.2, -118.0),
    )
    share, turns = home_charging_share(california, figures), figures.value("trucks_per_plug")
    assert 0 < share < 1
    yards = own_yards(california, figures, zones, np.array([1000.0, 0.5, 200.0]))
    assert yards["name"].tolist() == ["yards-big", "yards-gate"]
    assert yards["plugs"].tolist() == [np.floor(1000 * share / turns), np.floor(200 * share / turns)]
    assert own_yards(california, figures, zones)["name"].tolist() == ["yards-big", "yards-small"]
    assert yard_plugs(figures, np.zeros(2), 1.0).tolist() == [0.0, 0.0]


def test_each_kind_of_zone_gives_its_kind_of_site(california: Hub, make_zones: Callable[..., Zones]) -> None:
    zones = make_zones(
        ("terminal-ssa-pier-a", "terminal", 33.77, -118.23),
        ("yard", "rail_yard", 34.0, -118.0),
        ("here", "cluster", 34.0, -118.1),
        ("away", "gateway", 34.5, -117.0),
    )
    sites = zone_sites(california, zones)
    assert sites["kind"].tolist() == ["public", "public", "shared", "public"]
    assert sites["town"].iloc[0] == "Long Beach"  # of infrastructure.csv
    assert sites["town"].iloc[2] == "Here"
    assert sites["title"].iloc[2] == "Shared depot, Here"


def test_places_that_a_user_gives(hub_with: Callable[..., Hub]) -> None:
    about = {"lat": 34.0, "lon": -118.0, "source_id": "x", "confidence": "seen"}
    rows = [
        {"place_id": "stop", "name": "Stop", "kind": "truck_stop", **about},
        {"place_id": "land", "name": "Land", "kind": "port_land", **about},
        {"place_id": "gate", "name": "Gate", "kind": "gateway", **about},
    ]
    places = given_places(hub_with(freight_places=rows))
    assert places[["name", "kind"]].to_numpy().tolist() == [["stop", "public"], ["land", "shared"]]
    assert places["given"].all()


def test_road_nodes_lie_near_a_cluster(
    figures: Figures, straight_road: Network, make_zones: Callable[..., Zones]
) -> None:
    zones = make_zones(
        ("here", "cluster", 34.0, -118.205),
        ("port", "terminal", 34.0, -117.9),
        ("off", "cluster", 34.1, -117.5),
    )
    nodes = road_nodes(figures, straight_road, zones)
    assert nodes["name"].tolist() == ["road-2"]
    assert nodes["lon"].tolist() == [-118.2]
    assert "Here" in nodes["title"].iloc[0]


def test_the_farthest_comes_first_and_the_near_ones_not_at_all() -> None:
    def frame(*lon: float) -> pd.DataFrame:
        return pd.DataFrame({"lat": 34.0, "lon": list(lon)})

    made, rest = frame(-118.0), frame(-117.99, -117.9, -117.5, -117.7)
    assert spread_out(made, rest, 10, 0.5).tolist() == [2, 3, 1, 0]
    assert spread_out(made, rest, 10, 1.0).tolist() == [2, 3, 1]  # the first is 0.92 km away
    assert spread_out(made, rest, 2, 0.5).tolist() == [2, 3]
    assert spread_out(made, rest, 0, 0.5).tolist() == []
    assert spread_out(made, frame(), 5, 0.5).tolist() == []
    assert spread_out(frame(), rest, 1, 0.5).tolist() == [0]  # with nothing to keep from, the first


def test_spread_out_keeps_its_spacing() -> None:
    draw = np.random.default_rng(2)
    rest = pd.DataFrame({"lat": draw.uniform(34, 34.1, 400), "lon": draw.uniform(-118.1, -118, 400)})
    keep = rest.iloc[spread_out(rest.iloc[:0], rest, 400, 1.0)]
    km = great_circle_km(*(keep[a].to_numpy()[:, None] for a in ("lat", "lon")), keep["lat"], keep["lon"])
    assert 20 < len(keep) < 400
    assert km[~np.eye(len(keep), dtype=bool)].min() >= 1.0 - 1e-9
    assert Nearby(keep["lat"], keep["lon"]).nearest(rest["lat"], rest["lon"])[1].max() < 1.0


# ---------------------------------------------------------------- figures


def kinds(*names: str) -> np.ndarray:
    return np.array(names, dtype=object)


def test_cost_of_a_plug_runs_straight_between_the_rows(figures: Figures) -> None:
    low, high = (
        sum(figures.value(name, f"{kw} kW", "USD") for name in ("charger_hardware", "charger_installation"))
        for kw in (150, 350)
    )
    ready = figures.value("make_ready", unit="USD/kW")
    cost = plug_cost(figures, np.array([150.0, 250.0, 350.0, 75.0]))
    assert cost[:3] == pytest.approx([low + 150 * ready, (low + high) / 2 + 250 * ready, high + 350 * ready])
    assert cost[3] == pytest.approx(cost[0] / 2)  # below the rows it follows the power
    assert (np.diff(plug_cost(figures, np.linspace(20, 2000, 50))) > 0).all()


def test_sites_stay_within_the_most_power(figures: Figures) -> None:
    most = figures.value("site_power_most", unit="kW")
    kw = np.array([350.0, 1200.0, 1200.0, 150.0])
    plugs = plugs_most(
        figures,
        kinds("shared", "shared", "public", "depot"),
        kw,
        np.array([np.nan, 40.0, np.nan, 500.0]),
        np.array([0.0, 30.0, 0.0, 0.0]),
    )
    assert plugs.tolist() == [np.floor(most / 350), 30.0, np.floor(most / 1200), 500.0]
    assert plugs[1] * 1200 > most  # what stands stays


def test_the_daily_energy_of_a_plug_keeps_waiting_within_bounds(figures: Figures) -> None:
    kw, plugs = np.array([180.0, 350.0]), np.array([60.0, 24.0])
    kwh = daily_kwh(figures, kinds("shared", "public"), kw, plugs)
    mean_kw = kw * figures.value("charging_power_share")
    hours = np.array([figures.value("charging_hours", k, "h") for k in ("shared", "public")])
    use = kwh / (mean_kw * hours)
    session = np.array([figures.value("charging_session", k, "kWh") for k in ("shared", "public")])
    wait = mean_wait(np.array([30, 12]), use, session / mean_kw)
    assert wait == pytest.approx(np.full(2, figures.value("charging_wait", unit="h")))
    assert (use < 1).all()
    assert (kwh <= 24 * kw).all()
    more = daily_kwh(figures, kinds("shared", "public"), kw, 2 * plugs)
    assert (more > kwh).all()  # larger sites are used better


def test_an_own_yard_delivers_what_its_trucks_need_within_their_hours(figures: Figures) -> None:
    turns = figures.value("trucks_per_plug")
    kind, kw, plugs = kinds("depot", "depot", "depot"), np.full(3, 150.0), np.full(3, 20.0)
    kwh = daily_kwh(figures, kind, kw, plugs, np.array([100.0, np.nan, 5000.0]))
    full = 150 * figures.value("charging_power_share") * figures.value("charging_hours", "depot", "h")
    assert kwh == pytest.approx([turns * 100, turns * figures.value("truck_day_energy", unit="kWh"), full])


def test_figures_of_sites_by_kind(california: Hub, figures: Figures) -> None:
    table = pd.DataFrame(
        {"kind": ["depot", "shared", "public"], "utility": "SCE", "plug_kw": np.nan, "plugs": np.nan}
    ).assign(open_plugs=0.0)
    own = figures_of_sites(figures, table)
    costs = costs_of_sites(california, figures, table, own, 2028)
    assert own.plug_kw.tolist() == [figures.value("plug_power", k, "kW") for k in table["kind"]]
    meter = figures.value("front_of_meter", unit="USD")
    assert costs.fixed_usd[0] == 0.0
    assert costs.fixed_usd[1] == pytest.approx(meter + figures.value("site_works", "shared", "USD"))
    yard = meter + figures.value("site_works", "depot", "USD")
    extra = yard / figures.value("yard_plugs")
    assert costs.usd_per_plug[0] == pytest.approx(plug_cost(figures, own.plug_kw)[0] + extra)
    assert (costs.usd_per_kwh > 0.05).all()
    assert (costs.usd_per_kwh < 1.0).all()
    assert (costs.yearly_share == figures.value("site_upkeep", unit="1/yr")).all()
    assert (own.least_use < 1).all()


def test_a_whole_site_costs_what_prototypes_cost(california: Hub, figures: Figures) -> None:
    # ICCT and Black & Veatch 2025: 7.9 to 15.4 M USD, at most 31.2 % of it in front of the meter.
    table = pd.DataFrame({"kind": ["shared", "public"], "utility": "SCE", "plug_kw": np.nan}).assign(
        plugs=np.nan, open_plugs=0.0
    )
    own = figures_of_sites(figures, table)
    costs = costs_of_sites(california, figures, table, own, 2028)
    total = costs.fixed_usd + costs.usd_per_plug * own.plugs_most
    prototypes = list(figures.items("depot_prototype", "USD").values())
    assert (total > min(prototypes)).all()
    assert (total < 1.35 * max(prototypes)).all()
    share = figures.value("front_of_meter", unit="USD") / total
    assert (share < figures.value("front_of_meter_share")).all()


def test_nothing_is_built_before_its_lead_time(
    figures: Figures, figures_with: Callable[..., Figures]
) -> None:
    assert earliest_year(figures, AS_OF) == 2028  # 335 days from June 2026 end in May 2027
    slow = figures_with({("site_build_time", ""): (3.0, "yr")})
    assert earliest_year(slow, AS_OF) == 2030
    assert earliest_year(figures, dt.date(2027, 6, 1)) == 2029


# ---------------------------------------------------------------- all together


def test_california_has_three_to_four_hundred_sites(built: tuple[Sites, FaultList], california: Hub) -> None:
    sites, told = built
    assert 300 <= len(sites.name) <= 400
    assert len(set(sites.name)) == len(sites.name)
    assert set(sites.kind) == {"depot", "shared", "public"}
    assert (sites.substation >= 0).all()
    assert (sites.earliest >= 2028).all()
    assert (sites.plugs_most >= sites.open_plugs).all()
    assert not sites.forbidden.any()
    assert 0.5 < sites.disadvantaged.mean() < 1
    for field in dataclasses.fields(Sites):
        values = getattr(sites, field.name)
        assert values.shape == (len(sites.name),), field.name
        assert values.dtype == object or np.isfinite(values.astype(float)).all(), field.name
    depots = california.tables["infrastructure"].query("kind == 'depot'")["infrastructure_id"]
    assert set(depots) <= set(sites.name)
    assert any("has no substation" in note.what for note in told.notes)


def test_the_same_hub_gives_the_same_sites(
    built: tuple[Sites, FaultList], california: Hub, roads: Network
) -> None:
    figures = Figures(california)
    zones, grid = build_zones(california, figures, roads), build_grid(california, figures, AS_OF)
    begin = time.process_time()
    again = build_sites(california, figures, roads, zones, grid, AS_OF)
    assert time.process_time() - begin < 1.5  # about 0.2
    for field in dataclasses.fields(Sites):
        assert np.array_equal(getattr(again, field.name), getattr(built[0], field.name)), field.name


def test_moving_a_cluster_moves_its_sites(
    built: tuple[Sites, FaultList], california: Hub, roads: Network
) -> None:
    figures = Figures(california)
    zones, grid = build_zones(california, figures, roads), build_grid(california, figures, AS_OF)
    ontario = int(np.flatnonzero(zones.name == "cluster-ontario")[0])
    lat = zones.lat.copy()
    lat[ontario] -= 0.18  # 20 km south
    moved = build_sites(california, figures, roads, dataclasses.replace(zones, lat=lat), grid, AS_OF)
    before = dict(zip(built[0].name, built[0].lat, strict=True))
    after = dict(zip(moved.name, moved.lat, strict=True))
    assert after["shared-cluster-ontario"] == pytest.approx(before["shared-cluster-ontario"] - 0.18)
    assert set(before) != set(after)  # other road nodes


def test_rules_come_near_where_depots_were_built(built: tuple[Sites, FaultList]) -> None:
    sites, _ = built
    real = np.array([str(name).startswith("depot-") for name in sites.name])
    assert real.sum() == 19
    rules = Nearby(sites.lat[~real], sites.lon[~real])
    _, km = rules.nearest(sites.lat[real], sites.lon[real])
    assert np.median(km) < 2.5  # places of depots are recalled to about 2 km
    assert (km < 5).mean() > 0.8
    # The rules are no better than their spread: points at random among the candidates' box lie much further.
    draw = np.random.default_rng(0)
    lat, lon = draw.uniform(33.7, 34.15, 500), draw.uniform(-118.4, -117.2, 500)
    assert np.median(rules.nearest(lat, lon)[1]) > 1.2 * np.median(km)


def test_own_yards_are_bounded_by_the_trucks_that_park_there(
    california: Hub, roads: Network, make_zones: Callable[..., Zones]
) -> None:
    figures = Figures(california)
    zones = make_zones(("a", "cluster", 33.85, -118.22), ("b", "cluster", 34.05, -117.55))
    grid = build_grid(california, figures, AS_OF)
    trucks, kwh = np.array([600.0, 0.0]), np.array([600.0 * 200.0, 0.0])
    sites = build_sites(california, figures, roads, zones, grid, AS_OF, trucks, kwh)
    names = sites.name.tolist()
    assert "yards-b" not in names
    yard = names.index("yards-a")
    share = home_charging_share(california, figures)
    energy = sites.plugs_most[yard] * sites.kwh_per_plug[yard]
    assert energy <= share * kwh[0] * (1 + 1e-9)
    assert energy > 0.95 * share * kwh[0]


def test_home_demand_adds_up(make_zones: Callable[..., Zones], make_days: Callable[..., TruckDays]) -> None:
    zones = make_zones(("a", "cluster", 34.0, -118.0), ("b", "cluster", 34.0, -117.0))
    days = make_days((3.0, 1, [(1, 0, 9.0, 0.0)]), (2.0, 1, [(1, 0, 9.0, 0.0)]))
    trucks, kwh = home_demand(days, zones, np.array([10.0, 100.0]))
    assert trucks.tolist() == [0.0, 5.0]
    assert kwh is not None
    assert kwh.tolist() == [0.0, 230.0]
    assert home_demand(days, zones)[1] is None


def build_small(
    hub: Hub, road: Network, zones: Zones, told: FaultList | None = None, figures: Figures | None = None
) -> Sites:
    figures = figures or Figures(hub)
    return build_sites(hub, figures, road, zones, build_grid(hub, figures, AS_OF), AS_OF, faults=told)


def test_a_given_place_without_a_substation_or_a_road_is_a_fault(
    hub_with: Callable[..., Hub], straight_road: Network, make_zones: Callable[..., Zones]
) -> None:
    about = {"kind": "truck_stop", "source_id": "x", "confidence": "seen"}
    rows = [
        {"place_id": "fine", "name": "Fine", "lat": 34.0, "lon": -117.9, **about},
        {"place_id": "far", "name": "Far Stop", "lat": 34.0, "lon": -117.3, **about},
        {"place_id": "wild", "name": "Wild Stop", "lat": 34.0, "lon": -116.0, **about},
    ]
    hub = hub_with(infrastructure=GRID, freight_places=rows, grid_headroom=[])
    with pytest.raises(InputError) as caught:
        build_small(hub, straight_road, make_zones())
    lines = [fault.line() for fault in caught.value.faults]
    assert len(lines) == 2
    assert "freight_places.csv, row 3" in lines[0]
    assert "Far Stop" in lines[0]
    assert "has no substation" in lines[0]
    assert "Wild Stop" in lines[1]
    assert "off the roads" in lines[1]
    sites = build_small(
        dataclasses.replace(hub, tables=hub.tables | {"freight_places": hub.tables["freight_places"][:1]}),
        straight_road,
        make_zones(),
    )
    assert sites.name.tolist() == ["fine"]


def test_sites_made_by_rule_beyond_every_substation_are_left_out_and_told(
    hub_with: Callable[..., Hub], straight_road: Network, make_zones: Callable[..., Zones]
) -> None:
    hub = hub_with(infrastructure=GRID, freight_places=[], grid_headroom=[])
    told = FaultList()
    zones = make_zones(("near", "cluster", 34.0, -117.9), ("far", "cluster", 34.0, -117.3))
    sites = build_small(hub, straight_road, zones, told)
    assert {"yards-near", "shared-near"} == set(sites.name)  # the node there is too near to both
    assert sum("left out" in note.what for note in told.notes) == 2
    assert all("far" in note.what for note in told.notes if "left out" in note.what)


def test_an_id_that_stands_twice_is_a_fault(
    hub_with: Callable[..., Hub], straight_road: Network, make_zones: Callable[..., Zones]
) -> None:
    row = {"place_id": "depot-a", "name": "A", "kind": "port_land", "lat": 34.0, "lon": -117.9}
    hub = hub_with(
        infrastructure=[*GRID, place("depot-a", "depot", 34.0, -117.9, status="open 2024")],
        freight_places=[row | {"source_id": "x", "confidence": "seen"}],
        grid_headroom=[],
    )
    with pytest.raises(InputError, match="duplicate site"):
        build_small(hub, straight_road, make_zones())


def test_a_hub_with_nothing_has_no_sites(
    hub_with: Callable[..., Hub], straight_road: Network, make_zones: Callable[..., Zones]
) -> None:
    hub = hub_with(infrastructure=[], freight_places=[], grid_headroom=[])
    sites = build_small(hub, straight_road, make_zones())
    assert len(sites.name) == 0
    assert sites.substation.dtype == np.int64
    with_clusters = build_small(hub, straight_road, make_zones(("a", "cluster", 34.0, -118.0)))
    assert len(with_clusters.name) == 0  # no substation, no site


def test_the_count_of_candidates_is_kept(
    hub_with: Callable[..., Hub],
    figures_with: Callable[..., Figures],
    straight_road: Network,
    make_zones: Callable[..., Zones],
) -> None:
    hub = hub_with(infrastructure=GRID, freight_places=[], grid_headroom=[])
    zones = make_zones(("near", "cluster", 34.0, -117.9))
    wide = {("road_site_reach", ""): (20.0, "km")}
    many = build_small(hub, straight_road, zones, None, figures_with(wide, hub))
    assert len(many.name) == 2 + 8  # four nodes on either side; the one between is too near
    few = build_small(
        hub, straight_road, zones, None, figures_with(wide | {("candidate_count", ""): (5.0, "1")}, hub)
    )
    assert len(few.name) == 5
    assert set(few.name) < set(many.name)


def test_what_people_asked_reaches_the_sites(
    hub_with: Callable[..., Hub], straight_road: Network, make_zones: Callable[..., Zones]
) -> None:
    rows = [
        {"area_id": "a", "name": "A", "kind": "no_go", "lat": 34.0, "lon": -117.9, "radius_km": 1.0}
        | {"asked_by": "Neighbours", "source_id": "x", "confidence": "seen"}
    ]
    hub = hub_with(infrastructure=GRID, freight_places=[], grid_headroom=[], community_areas=rows)
    zones = make_zones(("near", "cluster", 34.0, -117.9), ("next", "cluster", 34.0, -118.0))
    sites = build_small(hub, straight_road, zones)
    assert dict(zip(sites.name, sites.forbidden, strict=True))["shared-near"]
    assert not dict(zip(sites.name, sites.forbidden, strict=True))["shared-next"]
    assert set(sites.asked_by) == {"", "Neighbours"}
