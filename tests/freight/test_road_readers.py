"""Each reader of roads on a small file written here: what it reads, and all it refuses."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

from cleanhub.core.errors import InputError, RunError
from cleanhub.freight import road_readers
from cleanhub.freight.network import Network
from cleanhub.freight.road_readers import (
    MOST_FAULTS,
    from_osmnx,
    read_gmns,
    read_graphml,
    read_matrix,
    read_pbf,
    read_roads,
)

FREE = 80.0
SPEEDS = {"motorway": 88.0, "primary": 60.0, "residential": 30.0}

GRAPHML = """<?xml version="1.0" encoding="utf-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="d0" for="node" attr.name="y" attr.type="string"/>
  <key id="d1" for="node" attr.name="x" attr.type="string"/>
  <key id="d2" for="edge" attr.name="length" attr.type="string"/>
  <key id="d3" for="edge" attr.name="highway" attr.type="string"/>
  <key id="d4" for="edge" attr.name="maxspeed" attr.type="string"/>
  <key id="d5" for="edge" attr.name="hgv" attr.type="string"/>
  <key id="d6" for="edge" attr.name="oneway" attr.type="string"/>
  <graph edgedefault="directed">
    <node id="7"><data key="d0">33.70</data><data key="d1">-118.20</data></node>
    <node id="8"><data key="d0">33.75</data><data key="d1">-118.20</data></node>
    <node id="9"><data key="d0">33.80</data><data key="d1">-118.20</data></node>
    <edge source="7" target="8"><data key="d2">6000</data><data key="d3">['primary', 'trunk']</data></edge>
    <edge source="8" target="7"><data key="d2">6000</data><data key="d3">primary</data></edge>
    <edge source="8" target="9">
      <data key="d2">5000.5</data><data key="d3">motorway_link</data><data key="d4">25 mph</data>
      <data key="d6">True</data>
    </edge>
    <edge source="7" target="9">
      <data key="d2">100</data><data key="d3">residential</data><data key="d5">no</data>
    </edge>
  </graph>
</graphml>
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def way(network: Network, start: int, end: int) -> tuple[float, float]:
    """Kilometres and minutes from a node to a node, by their order in the file."""
    found = network.between(network.lat[start], network.lon[start], network.lat[end], network.lon[end])
    return float(found.km[0, 0]), float(found.minutes[0, 0])


def refusal(call: object) -> str:
    with pytest.raises(InputError) as caught:
        call()  # type: ignore[operator]
    assert caught.value.exit_code == 2
    return str(caught.value)


# ---------------------------------------------------------------- GraphML and osmnx


def test_graphml_keeps_length_class_speed_direction_and_trucks(tmp_path: Path) -> None:
    path = tmp_path / "a.graphml"
    path.write_text(GRAPHML, encoding="utf-8")
    network = read_graphml(path, FREE, SPEEDS)
    assert network.road_class.tolist() == ["primary", "primary", "motorway", "residential"]
    assert network.length_km == pytest.approx([6.0, 6.0, 5.0005, 0.1])
    limit = 25 * 1.609344
    assert network.time_min == pytest.approx([6.0, 6.0, 60 * 5.0005 / limit, 0.2])
    assert network.truck_ok.tolist() == [True, True, True, False]
    assert network.attribution == "© OpenStreetMap contributors"
    assert network.route_by == "time"
    assert way(network, 0, 2) == pytest.approx(
        (11.0005, 6 + 60 * 5.0005 / limit)
    )  # not the street without trucks
    assert np.isinf(network.node_km(np.array([2]), np.array([0]))).all()  # one way


def test_an_undirected_graphml_is_open_both_ways_unless_it_says_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "a.graphml"
    path.write_text(GRAPHML.replace('edgedefault="directed"', 'edgedefault="undirected"'), encoding="utf-8")
    network = read_graphml(path, FREE, SPEEDS)
    assert len(network.tail) == 2 + 2 + 1 + 2
    assert way(network, 1, 0)[0] == pytest.approx(6.0)


def test_graphml_faults_are_all_told(tmp_path: Path) -> None:
    path = tmp_path / "bad.graphml"
    text = GRAPHML.replace(">6000<", ">long<").replace('target="9"', 'target="99"').replace("33.80", "133.80")
    path.write_text(text, encoding="utf-8")
    message = refusal(lambda: read_graphml(path, FREE, SPEEDS))
    assert "5 faults" in message
    assert "road 7-8: no length; found long" in message
    assert "road 8-99: unknown node; found 99" in message
    assert "road 7-99: unknown node; found 99" in message
    assert "node 9: no place on Earth; found 133.80, -118.20" in message


def test_many_faults_of_a_kind_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "bad.graphml"
    wrong = "".join(f'<edge source="7" target="x{number}"/>' for number in range(50))
    path.write_text(GRAPHML.replace("</graph>", wrong + "</graph>"), encoding="utf-8")
    message = refusal(lambda: read_graphml(path, FREE, SPEEDS))
    assert f"unknown node: {50 - MOST_FAULTS} more" in message
    assert len(message.splitlines()) == 1 + 2 * (MOST_FAULTS + 1)  # no length either


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("<graphml", "not XML"),
        ("", "not XML"),
        ("<graphml></graphml>", "no roads in the file"),
        (GRAPHML.replace('id="8"', 'id="7"'), "node stated twice"),
    ],
)
def test_files_that_are_no_graph(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "bad.graphml"
    path.write_text(text, encoding="utf-8")
    assert word in refusal(lambda: read_graphml(path, FREE, SPEEDS))


def test_a_graph_in_memory_reads_like_its_file(tmp_path: Path) -> None:
    nx = pytest.importorskip("networkx")
    path = tmp_path / "a.graphml"
    path.write_text(GRAPHML, encoding="utf-8")
    graph = nx.MultiDiGraph()
    for name, lat in ((7, 33.70), (8, 33.75), (9, 33.80)):
        graph.add_node(name, y=lat, x=-118.20)
    graph.add_edge(7, 8, length=6000.0, highway=["primary", "trunk"])
    graph.add_edge(8, 7, length=6000.0, highway="primary")
    graph.add_edge(8, 9, length=5000.5, highway="motorway_link", maxspeed="25 mph", oneway=True)
    graph.add_edge(7, 9, length=100.0, highway="residential", hgv="no")
    held, read = from_osmnx(graph, FREE, SPEEDS), read_graphml(path, FREE, SPEEDS)
    ways = {(int(a), int(b)): number for number, (a, b) in enumerate(zip(held.tail, held.head, strict=True))}
    order = [ways[int(a), int(b)] for a, b in zip(read.tail, read.head, strict=True)]
    assert held.time_min[order] == pytest.approx(read.time_min)
    assert held.truck_ok[order].tolist() == read.truck_ok.tolist()
    assert held.road_class[order].tolist() == read.road_class.tolist()


def test_what_osmnx_saves_can_be_read(tmp_path: Path) -> None:
    ox = pytest.importorskip("osmnx", reason="osmnx is an extra (geo)")
    import networkx as nx

    graph = nx.MultiDiGraph(crs="epsg:4326")
    graph.add_node(1, y=33.7, x=-118.2)
    graph.add_node(2, y=33.8, x=-118.2)
    for first, second in ((1, 2), (2, 1)):
        graph.add_edge(first, second, osmid=5, length=11_119.5, highway="primary", oneway=False)
    ox.save_graphml(graph, tmp_path / "saved.graphml")
    network = read_roads(tmp_path / "saved.graphml", FREE, SPEEDS)
    assert way(network, 0, 1) == pytest.approx((11.1195, 11.1195))
    assert from_osmnx(graph, FREE, SPEEDS).length_km == pytest.approx(network.length_km)


# ---------------------------------------------------------------- OSM PBF


def test_an_extract_is_read_by_pyrosm() -> None:
    pyrosm = pytest.importorskip("pyrosm", reason="pyrosm is an extra (geo)")
    network = read_pbf(Path(pyrosm.get_data("test_pbf")), FREE, SPEEDS)
    assert len(network.lat) > 500
    assert {"motorway", "residential"} <= set(network.road_class)
    keys = set(zip(network.tail.tolist(), network.head.tolist(), strict=True))
    both = np.array(
        [(b, a) in keys for a, b in zip(network.tail.tolist(), network.head.tolist(), strict=True)]
    )
    assert not both[network.road_class == "motorway"].all()  # one way, implied by the class
    assert both[network.road_class == "residential"].mean() > 0.9
    nodes = network._usable[:: max(len(network._usable) // 10, 1)]
    found = network.between(network.lat[nodes], network.lon[nodes], network.lat[nodes], network.lon[nodes])
    assert np.isfinite(found.km).mean() > 0.8  # an extract cuts some roads off at its border
    assert 0 < found.km[np.isfinite(found.km)].max() < 30


class _Extract:
    """What pyrosm's reader looks like from outside, with one road of each kind."""

    def __init__(self, path: str) -> None:
        if "broken" in path:
            raise RuntimeError("cannot parse this")

    def get_network(self, kind: str, nodes: bool, extra_attributes: list[str]) -> object:
        import pandas as pd

        assert kind == "driving"
        assert nodes
        assert "hgv" in extra_attributes
        points = pd.DataFrame({"id": [1, 2, 3], "lat": [60.0, 60.1, 60.2], "lon": [25.0, 25.0, 25.0]})
        edges = pd.DataFrame(
            {
                "u": [1, 2, 3],
                "v": [2, 3, 1],
                "length": [12_000.0, 12_000.0, 30_000.0],
                "highway": ["primary", "motorway", "primary"],
                "maxspeed": ["50", None, None],
                "oneway": ["-1", None, None],
                "hgv": [None, None, "no"],
            }
        )
        return points, edges


def test_tags_of_an_extract_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(road_readers, "_extra", lambda name, what: type("m", (), {"OSM": _Extract}))
    network = read_pbf(Path("some.osm.pbf"), FREE, SPEEDS)
    arcs = list(zip(network.tail.tolist(), network.head.tolist(), strict=True))
    assert arcs == [(1, 0), (1, 2), (2, 0), (0, 2)]  # against its line; motorway one way; both ways
    assert network.time_min == pytest.approx([14.4, 60 * 12 / 88, 30.0, 30.0])
    assert network.truck_ok.tolist() == [True, True, False, False]
    message = refusal(lambda: read_pbf(Path("broken.osm.pbf"), FREE, SPEEDS))
    assert "broken.osm.pbf: not readable as OSM PBF; found cannot parse this" in message


def test_a_missing_extra_is_told_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str, *rest: object) -> object:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(RunError, match=r"pyrosm, which is not installed: pip install 'cleanhub\[geo\]'"):
        read_pbf(Path("some.osm.pbf"), FREE, SPEEDS)


# ---------------------------------------------------------------- GMNS

NODE = "node_id,name,x_coord,y_coord\nA,,-118.2,33.70\nB,,-118.2,33.80\nC,,-118.2,33.90\n"
LINK = (
    "link_id,from_node_id,to_node_id,directed,length,free_speed,facility_type,allowed_uses,lanes\n"
    "1,A,B,false,10,30,arterial,,2\n"
    "2,B,C,TRUE,10,,motorway,auto;truck,3\n"
    '3,A,C,0,1,60,motorway,"auto,bike",1\n'
)
CONFIG = "dataset_name,long_length,speed\ntest,miles,mph\n"


def test_gmns_keeps_units_directions_and_uses(tmp_path: Path) -> None:
    network = read_gmns(write(tmp_path, node=NODE, link=LINK, config=CONFIG), FREE, SPEEDS)
    mile = 1.609344
    assert list(zip(network.tail.tolist(), network.head.tolist(), strict=True)) == [
        (0, 1),
        (1, 0),
        (1, 2),
        (0, 2),
        (2, 0),
    ]
    assert network.length_km == pytest.approx([10 * mile, 10 * mile, 10 * mile, mile, mile])
    assert network.time_min == pytest.approx([20.0, 20.0, 60 * 10 * mile / 88, 1.0, 1.0])
    assert network.truck_ok.tolist() == [True, True, True, False, False]
    assert way(network, 0, 2)[0] == pytest.approx(20 * mile)


def test_gmns_in_kilometres(tmp_path: Path) -> None:
    folder = write(tmp_path, node=NODE, link=LINK, config="long_length,speed\nkm,kph\n")
    network = read_gmns(folder, FREE, SPEEDS)
    assert network.length_km[0] == 10.0
    assert network.time_min[0] == pytest.approx(20.0)


def test_gmns_without_units_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, node=NODE, link=LINK, config="dataset_name\ntest\n")
    message = refusal(lambda: read_gmns(folder, FREE, SPEEDS))
    assert "config.csv, column long_length: unit not stated" in message
    assert "config.csv, column speed: unit not stated" in message
    no_speeds = LINK.replace(",30,", ",,").replace(",60,", ",,")
    message = refusal(lambda: read_gmns(write(tmp_path, link=no_speeds), FREE, SPEEDS))
    assert "column speed" not in message  # not needed where no link tells one


def test_gmns_faults_are_all_told(tmp_path: Path) -> None:
    link = LINK.replace("2,B,C,TRUE,10", "2,B,Z,perhaps,10")
    message = refusal(lambda: read_gmns(write(tmp_path, node=NODE, link=link, config=CONFIG), FREE, SPEEDS))
    assert "link.csv, row 3, column road B-Z: unknown node; found Z" in message
    assert "link.csv, row 3, column directed: neither true nor false; found perhaps" in message
    bad = LINK.replace("false,10,", "false,-1,").replace("TRUE,10,", "TRUE,ten,")
    message = refusal(lambda: read_gmns(write(tmp_path, link=bad), FREE, SPEEDS))
    assert "link.csv, row 2, column length: out of range; found -1" in message
    assert "link.csv, row 3, column length: not a number; found ten" in message


def test_a_missing_table_of_gmns_is_named(tmp_path: Path) -> None:
    message = refusal(lambda: read_gmns(write(tmp_path, node=NODE), FREE, SPEEDS))
    assert "link.csv: cannot be read" in message
    assert "config.csv: cannot be read" in message


# ---------------------------------------------------------------- a matrix

HEAD = "from,from_lat,from_lon,to,to_lat,to_lon"
ROWS = "port,33.74,-118.26,yard,34.03,-117.61"


def matrix(folder: Path, text: str) -> Path:
    path = folder / "ways.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_matrix_in_miles_with_minutes(tmp_path: Path) -> None:
    text = (
        f"{HEAD},miles,minutes,comment\n{ROWS},56,75,by truck\nyard,34.03,-117.61,port,33.74,-118.26,58,70,\n"
    )
    network = read_matrix(matrix(tmp_path, text), FREE)
    assert network.between(33.74, -118.26, 34.03, -117.61).km.item() == pytest.approx(56 * 1.609344)
    assert network.between(33.74, -118.26, 34.03, -117.61).minutes.item() == 75.0
    assert network.between(34.03, -117.61, 33.74, -118.26).minutes.item() == 70.0


def test_a_matrix_without_minutes_takes_the_free_speed(tmp_path: Path) -> None:
    network = read_matrix(matrix(tmp_path, f"{HEAD},km\n{ROWS},40\n"), FREE)
    assert network.between(33.74, -118.26, 34.03, -117.61).minutes.item() == pytest.approx(30.0)
    assert np.isinf(network.between(34.03, -117.61, 33.74, -118.26).km).all()


def test_matrix_faults_are_all_told(tmp_path: Path) -> None:
    text = (
        f"{HEAD},km,miles\n{ROWS},40,\n{ROWS},41,\n"
        "yard,34.03,-117.61,port,33.00,-118.26,40,25\n"
        "yard,34.03,-117.61,dock,33.74,-118.27,,\n"
    )
    message = refusal(lambda: read_matrix(matrix(tmp_path, text), FREE))
    assert "row 3, column from, to: way stated twice; found port to yard" in message
    assert "row 4, column km: one of km and miles" in message
    assert "row 5, column km: one of km and miles" in message
    assert "row 4, column lat, lon: a place in two places; found port 82.3 km away" in message


def test_numbers_of_a_matrix_are_checked(tmp_path: Path) -> None:
    text = f"{HEAD},km\nport,133.74,-118.26,yard,34.03,-117.61,-4\n"
    message = refusal(lambda: read_matrix(matrix(tmp_path, text), FREE))
    assert "column from_lat: out of range" in message
    assert "column km: out of range; found -4" in message


# ---------------------------------------------------------------- by format


def test_the_format_is_told_by_the_name(tmp_path: Path) -> None:
    (tmp_path / "a.graphml").write_text(GRAPHML, encoding="utf-8")
    assert read_roads(tmp_path / "a.graphml", FREE, SPEEDS).name == "OSM graph a.graphml"
    folder = tmp_path / "town"
    folder.mkdir()
    write(folder, node=NODE, link=LINK, config=CONFIG)
    for path in (folder, folder / "link.csv", folder / "node.csv"):
        assert read_roads(path, FREE, SPEEDS).name == "GMNS network town"
    path = matrix(tmp_path, f"{HEAD},km\n{ROWS},40\n")
    assert read_roads(path, FREE, SPEEDS).name == "matrix ways.csv"


def test_unknown_formats_and_missing_files_are_refused(tmp_path: Path) -> None:
    message = refusal(lambda: read_roads(tmp_path / "roads.shp", FREE, SPEEDS))
    assert (
        "unknown format of roads; found .shp; allowed .graphml, .pbf, .parquet, .csv, or a folder" in message
    )
    assert "no such file" in refusal(lambda: read_roads(tmp_path / "gone.graphml", FREE, SPEEDS))
