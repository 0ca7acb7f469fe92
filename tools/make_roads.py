"""Make a road data package: the highways of a box, from the world highway graph of scgraph_data.

    python tools/make_roads.py WHEEL NAME SOUTH WEST NORTH EAST [--title TEXT] [--components N]

WHEEL is the wheel of scgraph_data 2.0.0 (or the ``world_highways.py`` inside it). The graph in it
was made from OpenStreetMap, so what this script writes is under the Open Database License. The
file holds coordinates to a thousandth of a degree (about 100 m) and lengths in km; it has neither
classes, speeds, directions nor rules for trucks. Written to ``src/cleanhub/roads/NAME``:
``roads.npz`` (integers: microdegrees, ends of arcs, lengths in metres) and ``datapackage.json``.
The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

MEMBER = "scgraph_data/world_highways.py"
ROADS = Path(__file__).resolve().parents[1] / "src" / "cleanhub" / "roads"
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Graph:
    """An undirected graph: ``lat`` and ``lon`` (N,), each arc once with ``tail < head`` and ``km`` (A,)."""

    lat: FloatArray
    lon: FloatArray
    tail: IntArray
    head: IntArray
    km: FloatArray


@dataclass(frozen=True)
class Box:
    """Bounds in degrees; west may not exceed east."""

    south: float
    west: float
    north: float
    east: float


def read_world(path: Path) -> tuple[Graph, str]:
    """The whole graph and the SHA-256 of the file it was read from.

    The module is one Python literal of 36 MB; reading its numbers takes seconds, running it a minute.
    """
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            raw = wheel.read(MEMBER)
    else:
        raw = path.read_bytes()
    return parse_world(raw.decode("ascii")), hashlib.sha256(raw).hexdigest()


def parse_world(text: str) -> Graph:
    """The graph in the source text ``graph=[{head: km, ...}, ...]`` and ``nodes=[[lat, lon], ...]``.

    Raises ``ValueError`` where the text has another shape.
    """
    arcs = _line(text, "graph=[")
    points = _numbers(_line(text, "nodes=["))
    degree = np.array([part.count(":") for part in arcs.split("}")[:-1]], dtype=np.int64)
    pairs = _numbers(arcs)
    if len(points) % 2 or len(pairs) != 2 * degree.sum() or len(degree) != len(points) // 2:
        raise ValueError("not a graph of scgraph_data: the counts of nodes and arcs differ")
    tail = np.repeat(np.arange(len(degree)), degree)
    head = pairs[0::2].astype(np.int64)
    return _once(points[0::2], points[1::2], tail, head, pairs[1::2])


def _line(text: str, start: str) -> str:
    begin = text.find("\n" + start)
    if begin < 0:
        raise ValueError(f"not a graph of scgraph_data: no line {start}")
    begin += 1 + len(start)
    end = text.find("\n", begin)
    return text[begin : end if end >= 0 else len(text)]


def _numbers(text: str) -> FloatArray:
    return np.array(re.sub(r"[^0-9.eE+-]+", " ", text).split(), dtype=np.float64)


def _once(lat: FloatArray, lon: FloatArray, tail: IntArray, head: IntArray, km: FloatArray) -> Graph:
    """Each pair of nodes once, the shortest of its arcs; loops are dropped."""
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    order = np.lexsort((km, high, low))
    order = order[low[order] != high[order]]
    low, high, km = low[order], high[order], km[order]
    first = np.ones(len(low), dtype=bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    return Graph(lat, lon, low[first], high[first], km[first])


def clipped(world: Graph, box: Box, components: int = 1) -> tuple[Graph, list[int]]:
    """The nodes inside the box and the arcs between them; also the sizes of the parts dropped.

    An arc that crosses the border of the box is dropped. Of the connected parts the ``components``
    largest are kept. Nodes are ordered along a curve that keeps neighbours together, so files are small.
    """
    inside = (
        (world.lat >= box.south)
        & (world.lat <= box.north)
        & (world.lon >= box.west)
        & (world.lon <= box.east)
    )
    part = _kept(world, inside)
    count = len(part.lat)
    links = coo_array((np.ones(len(part.tail)), (part.tail, part.head)), shape=(count, count))
    label = connected_components(links, directed=False)[1]
    size = np.bincount(label)
    ranked = np.argsort(-size, kind="stable")
    kept = _kept(part, np.isin(label, ranked[:components]))
    return _along_a_curve(kept), [int(size[one]) for one in ranked[components:]]


def _kept(graph: Graph, keep: NDArray[np.bool_]) -> Graph:
    new = np.cumsum(keep) - 1
    both = keep[graph.tail] & keep[graph.head]
    tail, head = new[graph.tail[both]], new[graph.head[both]]
    return Graph(graph.lat[keep], graph.lon[keep], tail, head, graph.km[both])


def _along_a_curve(graph: Graph) -> Graph:
    """The same graph with nodes in Morton order (the bits of the two coordinates taken in turn)."""
    rows = np.round((graph.lat + 90) * 1000).astype(np.int64)
    columns = np.round((graph.lon + 180) * 1000).astype(np.int64)
    code = np.zeros(len(rows), dtype=np.int64)
    for bit in range(20):
        code |= ((rows >> bit) & 1) << (2 * bit + 1) | ((columns >> bit) & 1) << (2 * bit)
    order = np.lexsort((columns, rows, code))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    tail, head = place[graph.tail], place[graph.head]
    return _once(graph.lat[order], graph.lon[order], tail, head, graph.km)


def write_package(folder: Path, graph: Graph, description: dict[str, object]) -> None:
    """Write ``roads.npz`` and ``datapackage.json`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        folder / "roads.npz",
        lat_microdegree=np.round(graph.lat * 1e6).astype(np.int32),
        lon_microdegree=np.round(graph.lon * 1e6).astype(np.int32),
        tail=graph.tail.astype(np.int32),
        head=graph.head.astype(np.int32),
        length_m=np.round(graph.km * 1000).astype(np.int32),
    )
    text = json.dumps(description, indent=1, ensure_ascii=False) + "\n"
    (folder / "datapackage.json").write_text(text, encoding="utf-8")


def describe(
    name: str, title: str, box: Box, graph: Graph, dropped: list[int], digest: str
) -> dict[str, object]:
    """The descriptor of a package: licence, attribution, what was read and what was dropped."""
    lost = (
        f"{sum(dropped)} nodes in {len(dropped)} parts that no road joins to the rest"
        if dropped
        else "nothing"
    )
    return {
        "profile": "data-package",
        "name": name,
        "title": title,
        "version": "2.0.0",
        "description": "Highways and main roads as an undirected graph: places of nodes, ends and lengths "
        "of arcs. No classes, speeds, directions, names or rules for trucks.",
        "licenses": [
            {
                "name": "ODbL-1.0",
                "path": "https://opendatacommons.org/licenses/odbl/1-0/",
                "title": "Open Data Commons Open Database License v1.0",
            }
        ],
        "attribution": "© OpenStreetMap contributors",
        "sources": [
            {"title": "OpenStreetMap", "path": "https://www.openstreetmap.org/copyright"},
            {
                "title": "scgraph_data 2.0.0, world_highways (coordinates to 0.001 degrees)",
                "path": "https://pypi.org/project/scgraph-data/",
                "sha256": digest,
            },
        ],
        "made": {
            "by": "tools/make_roads.py",
            "box_degrees": {"south": box.south, "west": box.west, "north": box.north, "east": box.east},
            "nodes": len(graph.lat),
            "arcs": len(graph.tail),
            "kilometres": round(float(graph.km.sum()), 1),
            "dropped": lost,
        },
        "resources": [
            {
                "name": "roads",
                "path": "roads.npz",
                "title": "Nodes (microdegrees) and arcs (each once, either way; length in metres)",
                "format": "npz",
                "mediatype": "application/zip",
            }
        ],
    }


def main() -> None:
    """Read the command line and write the package."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wheel", type=Path, help="scgraph_data-2.0.0-py3-none-any.whl")
    parser.add_argument("name", help="name of the package: a folder beside the others")
    for side in ("south", "west", "north", "east"):
        parser.add_argument(side, type=float, help="degrees")
    parser.add_argument("--title", help="title for readers")
    parser.add_argument("--components", type=int, default=1, help="how many connected parts to keep")
    parser.add_argument("--folder", type=Path, default=ROADS, help="where the package's folder goes")
    given = parser.parse_args()
    box = Box(given.south, given.west, given.north, given.east)
    world, digest = read_world(given.wheel)
    graph, dropped = clipped(world, box, given.components)
    title = given.title or f"Roads of {given.name}"
    write_package(given.folder / given.name, graph, describe(given.name, title, box, graph, dropped, digest))
    print(
        f"{given.name}: {len(graph.lat)} nodes, {len(graph.tail)} arcs, {graph.km.sum():.0f} km; "
        f"dropped parts: {dropped}"
    )


if __name__ == "__main__":
    main()
