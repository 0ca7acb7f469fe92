"""Which roads a hub gets, what the bundled package holds, and how far things are by it."""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cleanhub.core.errors import InputError
from cleanhub.freight.figures import Figures
from cleanhub.freight.network import Network, StraightLines
from cleanhub.freight.roads import (
    BUNDLED_ROADS,
    day_profile,
    find_roads,
    free_speed_kmh,
    list_roads,
    load_network,
    read_road_package,
)
from cleanhub.hub.package import Hub, load_hub

WEST = "california-arizona-nevada"
PORT = (33.74, -118.26)  # Terminal Island
# Road miles from the port, recalled from postmiles and signs and not verified: a sanity check.
RECALLED = {
    "Ontario": (34.03, -117.61, 56.0),
    "San Bernardino": (34.105, -117.29, 77.0),
    "Barstow": (34.898, -117.02, 137.0),
    "Bakersfield": (35.373, -119.018, 134.0),
    "Otay Mesa": (32.553, -116.94, 122.0),
    "Phoenix": (33.448, -112.074, 393.0),
    "Mira Loma": (34.0, -117.52, 57.0),
    "Perris": (33.84, -117.23, 75.0),
    "Vernon": (34.0, -118.21, 21.0),
    "Oakland": (37.8, -122.3, 393.0),
    "Las Vegas": (36.17, -115.14, 288.0),
}


@pytest.fixture(scope="module")
def california() -> Hub:
    return load_hub("california")


@pytest.fixture(scope="module")
def roads(california: Hub) -> Network:
    return load_network(california)


def changed(hub: Hub, rows: list[dict[str, object]]) -> Hub:
    """The hub with further rows of freight_parameters in place of those of the same parameter and item."""
    blank = {"low": np.nan, "high": np.nan, "currency_year": pd.NA, "note": ""}
    traced = {"source_id": "cleanhub-assumption", "confidence": "assumed"}
    own = hub.tables["freight_parameters"]
    new = pd.DataFrame([blank | traced | row for row in rows])
    both = pd.concat([new, own]).drop_duplicates(["parameter", "item"])
    return dataclasses.replace(hub, tables={**hub.tables, "freight_parameters": both})


# ---------------------------------------------------------------- the bundled package


def test_the_package_says_where_it_comes_from() -> None:
    about = json.loads((BUNDLED_ROADS / WEST / "datapackage.json").read_text(encoding="utf-8"))
    assert about["name"] == WEST
    assert about["licenses"][0]["name"] == "ODbL-1.0"
    assert about["attribution"] == "© OpenStreetMap contributors"
    assert about["made"]["by"] == "tools/make_roads.py"
    assert about["made"]["dropped"]
    assert (BUNDLED_ROADS / WEST / about["resources"][0]["path"]).is_file()


def test_the_description_counts_what_the_file_holds() -> None:
    made = json.loads((BUNDLED_ROADS / WEST / "datapackage.json").read_text(encoding="utf-8"))["made"]
    with np.load(BUNDLED_ROADS / WEST / "roads.npz", allow_pickle=False) as file:
        assert len(file["lat_microdegree"]) == made["nodes"]
        assert len(file["tail"]) == made["arcs"]
        assert file["length_m"].sum() / 1000 == pytest.approx(made["kilometres"], abs=0.1)
        assert (file["tail"] < file["head"]).all()  # each road once, no loops
        box = made["box_degrees"]
        for name, low, high in (("lat", "south", "north"), ("lon", "west", "east")):
            degrees = file[f"{name}_microdegree"] / 1e6
            assert box[low] <= degrees.min()
            assert degrees.max() <= box[high]
            assert all(values.dtype.kind == "i" for values in (file["tail"], file["length_m"]))


def test_the_package_is_small_and_loads_at_once() -> None:
    assert (BUNDLED_ROADS / WEST / "roads.npz").stat().st_size < 300_000
    read_road_package(BUNDLED_ROADS / WEST, 80.0)
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        read_road_package(BUNDLED_ROADS / WEST, 80.0)
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.1


def test_roads_are_open_both_ways_at_one_speed() -> None:
    roads = read_road_package(BUNDLED_ROADS / WEST, 80.0)
    half = len(roads.tail) // 2
    assert np.array_equal(roads.tail[:half], roads.head[half:])
    assert np.array_equal(roads.length_km[:half], roads.length_km[half:])
    assert roads.time_min == pytest.approx(roads.length_km * 0.75)
    assert roads.truck_ok.all()
    assert roads.licence == "ODbL-1.0"


# ---------------------------------------------------------------- distances


def test_recalled_miles_are_met_within_five_per_cent(roads: Network) -> None:
    lat, lon, miles = (np.array(column) for column in zip(*RECALLED.values(), strict=True))
    found = roads.between(*PORT, lat, lon).km[0] / 1.609344
    error = found / miles - 1
    assert np.abs(error).mean() <= 0.05
    assert np.abs(error).max() <= 0.10
    assert abs(error.mean()) <= 0.02  # no lean to either side


def test_the_near_dock_yard_is_about_as_near_as_recalled(roads: Network) -> None:
    miles = roads.between(*PORT, 33.80, -118.23).km[0, 0] / 1.609344
    assert 5.5 * 0.75 < miles < 5.5 * 1.25  # the nearest road of the network is 2.7 km away: coarse


def test_every_terminal_and_cluster_of_california_lies_on_the_network(
    california: Hub, roads: Network
) -> None:
    for name in ("warehouse_clusters", "freight_places", "infrastructure"):
        table = california.tables[name]
        if name == "infrastructure":
            table = table[table["kind"].isin(["terminal", "rail_yard", "depot", "port"])]
        if len(table):
            km = roads.snap(table["lat"].to_numpy(float), table["lon"].to_numpy(float))[1]
            assert (km < roads.snap_limit_km).all(), name


# ---------------------------------------------------------------- which roads


def test_california_names_its_roads(california: Hub, roads: Network) -> None:
    assert california.meta["roads"] == WEST
    assert WEST in list_roads()
    assert roads.name == "Roads of California, Arizona and Nevada"
    assert roads.circuity == Figures(california).value("road_circuity", "simplified")
    assert roads.access_factor == Figures(california).value("road_access_factor")
    assert load_network("california").name == roads.name


def test_a_hub_without_roads_gets_straight_lines_that_say_so(california: Hub) -> None:
    meta = {key: value for key, value in california.meta.items() if key != "roads"}
    lines = load_network(dataclasses.replace(california, meta=meta))
    assert isinstance(lines, StraightLines)
    assert "straight lines" in lines.name
    assert "no roads are known for california" in lines.name
    factor = Figures(california).value("road_circuity")
    assert lines.between(33.0, -118.0, 34.0, -118.0).km[0, 0] == pytest.approx(factor * 111.195, rel=1e-4)
    assert len(lines.lat) >= len(california.tables["warehouse_clusters"])
    assert len(lines.tail) == len(lines.lat) * (len(lines.lat) - 1)


def test_a_bundled_hub_without_roads_loads_too() -> None:
    assert isinstance(load_network("global"), StraightLines)


def test_roads_can_be_chosen_for_a_hub(california: Hub) -> None:
    assert load_network("global", WEST).licence == "ODbL-1.0"
    assert load_network(california, BUNDLED_ROADS / WEST).licence == "ODbL-1.0"


def test_a_hub_may_hold_its_own_file_of_roads(california: Hub, tmp_path: Path) -> None:
    (tmp_path / "ways.csv").write_text(
        "from,from_lat,from_lon,to,to_lat,to_lon,km\na,33.7,-118.2,b,34,-117.5,100\n", encoding="utf-8"
    )
    hub = dataclasses.replace(california, path=tmp_path, meta={**california.meta, "roads": "ways.csv"})
    own = load_network(hub)
    assert own.name == "matrix ways.csv"
    assert own.circuity == 1.0  # lengths that someone measured are not stretched
    assert own.between(33.7, -118.2, 34.0, -117.5).km[0, 0] == 100.0


def test_roads_that_are_nowhere_are_refused(california: Hub) -> None:
    with pytest.raises(InputError, match=f"no such roads; found atlantis.*one of: .*{WEST}"):
        load_network(california, "atlantis")
    assert find_roads(WEST) == BUNDLED_ROADS / WEST


# ---------------------------------------------------------------- a faulty package


def package(folder: Path, **arrays: object) -> Path:
    shutil.copytree(BUNDLED_ROADS / WEST, folder)
    with np.load(folder / "roads.npz") as file:
        held = dict(file) | arrays
    np.savez(folder / "roads.npz", **{key: value for key, value in held.items() if value is not None})
    return folder


def test_all_that_is_wrong_with_a_package_is_told(tmp_path: Path) -> None:
    folder = package(
        tmp_path / "bad", tail=np.array([0, 99_999]), head=np.array([1, 2, 3]), length_m=np.array([5, -5])
    )
    about = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    del about["attribution"], about["licenses"]
    (folder / "datapackage.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_road_package(folder, 80.0)
    text = str(caught.value)
    assert "5 faults" in text
    for part in (
        "column attribution: missing",
        "column licenses: missing",
        "column tail: out of bounds; found 99999; allowed 0 to 12835",
        "column length_m: out of bounds; found -5",
        "column tail, head, length_m: differ in length; found [2, 3, 2]",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("arrays", "word"),
    [
        ({"tail": None}, "column tail: missing array"),
        ({"head": np.array([0.5])}, "column head: not a row of integers; found float64"),
        ({"lat_microdegree": np.array([[1]])}, "column lat_microdegree: not a row of integers"),
    ],
)
def test_arrays_of_another_shape_are_refused(tmp_path: Path, arrays: dict[str, object], word: str) -> None:
    with pytest.raises(InputError, match=word):
        read_road_package(package(tmp_path / "bad", **arrays), 80.0)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    folder = package(tmp_path / "bad")
    (folder / "roads.npz").write_bytes(b"no archive")
    (folder / "datapackage.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_road_package(folder, 80.0)
    assert "roads.npz: not readable as npz" in str(caught.value)
    assert "datapackage.json: not readable as JSON" in str(caught.value)
    (folder / "datapackage.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="title: missing"):
        read_road_package(folder, 80.0)


# ---------------------------------------------------------------- speeds and hours


def test_days_are_slow_and_nights_are_free(california: Hub) -> None:
    profile = day_profile(Figures(california))
    assert profile.slowdown[12] > 1.2
    assert profile.slowdown[2] == 1.0
    assert profile.slowdown[12] == Figures(california).value("congestion_factor", "day")
    assert free_speed_kmh(Figures(california)) == pytest.approx(52 * 1.609344)


def test_departures_follow_the_gates(california: Hub) -> None:
    figures = Figures(california)
    departures = day_profile(figures).departures
    assert departures.sum() == pytest.approx(1.0)
    night = departures[[18, 19, 20, 21, 22, 23, 0, 1, 2]].sum()
    assert night == pytest.approx(figures.value("night_share"))
    assert not departures[3:7].any()


def test_hours_can_be_stated_one_by_one(california: Hub) -> None:
    hub = changed(
        california,
        [
            {"parameter": "congestion_factor", "item": "7", "value": 3.0, "unit": "1"},
            {"parameter": "night_hours", "item": "from", "value": 20.0, "unit": "h"},
            {"parameter": "road_speed", "item": "free", "value": 90.0, "unit": "km/h"},
        ],
    )
    profile = day_profile(Figures(hub))
    assert profile.slowdown[7] == 3.0
    assert profile.slowdown[19] == profile.slowdown[12]
    assert profile.slowdown[20] == 1.0
    found = load_network(hub).route(PORT, (34.03, -117.61))
    # From seven to eight the truck covers 20 free minutes, then it goes on as at noon.
    rest = (found.free_minutes - 20) * profile.slowdown[12]
    assert found.minutes[7] == pytest.approx(60 + rest)
    assert found.minutes[12] == pytest.approx(found.free_minutes * profile.slowdown[12])


def test_a_higher_circuity_stretches_every_way(california: Hub, roads: Network) -> None:
    row = {"parameter": "road_circuity", "item": "simplified", "value": 1.10, "unit": "1"}
    longer = load_network(changed(california, [row]))
    one, other = (net.between(*PORT, 34.03, -117.61).km[0, 0] for net in (roads, longer))
    assert other > one * 1.06
    assert other < one * 1.10 / 1.02
