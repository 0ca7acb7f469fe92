"""The tool that cuts road packages out of the world graph, on a world of nine nodes."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import make_roads as tool
from cleanhub.freight.roads import read_road_package

# Nodes 0-4 lie in the box and hang together, 5-6 lie in it apart, 7 lies outside, 8 is joined to nothing.
WORLD = (
    "\nfrom scgraph.core import GeoGraph\n"
    "graph=[{1: 1.5, 0: 0.0, 7: 9.0}, {0: 1.25, 2: 2.0}, {1: 2.0, 3: 3.0}, {2: 3.0, 4: 0.104}, {3: 0.104}, "
    "{6: 5e-1}, {5: 0.5}, {0: 9.0}, {}]\n"
    "nodes=[[1.001, 10.001], [1.002, 10.002], [1.1, 10.1], [1.2, 10.2], [1.201, 10.2], "
    "[1.5, 10.5], [1.501, 10.5], [-3.0, 10.0], [1.7, 10.7]]\n"
    "world_highways_geograph = GeoGraph(graph=graph, nodes=nodes)\n"
)
BOX = tool.Box(0.0, 9.0, 2.0, 11.0)


def test_the_source_text_is_read_without_running_it() -> None:
    world = tool.parse_world(WORLD)
    assert len(world.lat) == 9
    assert world.lat[7] == -3.0
    edges = dict(zip(zip(world.tail.tolist(), world.head.tolist(), strict=True), world.km, strict=True))
    assert edges == {(0, 1): 1.25, (0, 7): 9.0, (1, 2): 2.0, (2, 3): 3.0, (3, 4): 0.104, (5, 6): 0.5}
    # of the two lengths of 0-1 the shorter; the loop at 0 is dropped


@pytest.mark.parametrize(
    "text", ["", "graph=[{1: 2}]\n", WORLD.replace("[1.7, 10.7]", "[1.7]"), WORLD.replace(", {}]", "]")]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a graph of scgraph_data"):
        tool.parse_world(text)


def test_the_box_keeps_the_largest_part() -> None:
    graph, dropped = tool.clipped(tool.parse_world(WORLD), BOX)
    assert len(graph.lat) == 5
    assert dropped == [2, 1]
    assert graph.km.sum() == pytest.approx(1.25 + 2.0 + 3.0 + 0.104)
    assert (graph.tail < graph.head).all()


def test_more_parts_can_be_kept() -> None:
    graph, dropped = tool.clipped(tool.parse_world(WORLD), BOX, components=2)
    assert len(graph.lat) == 7
    assert dropped == [1]


def test_new_numbers_keep_places_and_lengths() -> None:
    world = tool.parse_world(WORLD)
    graph, _ = tool.clipped(world, BOX)
    for tail, head, km in zip(graph.tail, graph.head, graph.km, strict=True):
        ends = {(graph.lat[tail], graph.lon[tail]), (graph.lat[head], graph.lon[head])}
        found = [
            old
            for a, b, old in zip(world.tail, world.head, world.km, strict=True)
            if {(world.lat[a], world.lon[a]), (world.lat[b], world.lon[b])} == ends
        ]
        assert found == [km]


def written(folder: Path) -> Path:
    graph, dropped = tool.clipped(tool.parse_world(WORLD), BOX)
    tool.write_package(folder, graph, tool.describe("test", "Test roads", BOX, graph, dropped, "abc"))
    return folder


def test_a_package_reads_back(tmp_path: Path) -> None:
    roads = read_road_package(written(tmp_path / "test"), 60.0)
    assert roads.name == "Test roads"
    assert roads.attribution == "© OpenStreetMap contributors"
    assert len(roads.lat) == 5
    assert roads.between(1.001, 10.001, 1.201, 10.2).km.item() == pytest.approx(6.354)
    about = json.loads((tmp_path / "test" / "datapackage.json").read_text(encoding="utf-8"))
    assert about["made"]["nodes"] == 5
    assert about["made"]["dropped"] == "3 nodes in 2 parts that no road joins to the rest"
    assert about["sources"][1]["sha256"] == "abc"


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a"), written(tmp_path / "b")
    for name in ("roads.npz", "datapackage.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_lengths_and_places_are_whole_numbers(tmp_path: Path) -> None:
    with np.load(written(tmp_path / "a") / "roads.npz") as file:
        assert sorted(file["length_m"].tolist()) == [104, 1250, 2000, 3000]
        assert {values.dtype for values in file.values()} == {np.dtype(np.int32)}


def test_the_command_reads_a_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = tmp_path / "scgraph_data.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(tool.MEMBER, WORLD)
    words = ["make_roads.py", str(wheel), "small", "0", "9", "2", "11", "--folder", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", words)
    tool.main()
    assert "small: 5 nodes, 4 arcs, 6 km; dropped parts: [2, 1]" in capsys.readouterr().out
    assert read_road_package(tmp_path / "small", 60.0).name == "Roads of small"
