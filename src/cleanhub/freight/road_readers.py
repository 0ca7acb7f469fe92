"""Networks from files that users have: OSM graphs and extracts, GMNS, matrices of distances.

Each reader returns a :class:`~cleanhub.freight.network.Network` and raises ``InputError`` with all it found
wrong. Speeds are those of trucks on a free road: a limit where the file tells one, else by class
(``class_kmh``), else ``free_kmh``; routes on these networks are the fastest. Overture's segments are
read in :mod:`cleanhub.freight.overture`.
"""

from __future__ import annotations

import csv
import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList, InputError, RunError
from cleanhub.core.tables import Column, Table, read_table
from cleanhub.core.units import factor
from cleanhub.freight.globe import great_circle_km
from cleanhub.freight.network import FloatArray, Network, PlaceMatrix
from cleanhub.freight.road_tags import directions, free_speed, road_class, trucks_allowed, words

OSM_LICENCE, OSM_ATTRIBUTION = "ODbL-1.0", "© OpenStreetMap contributors"
MOST_FAULTS = 20  # of one kind; a wrong file would else list every line
EDGE_TAGS = ("highway", "maxspeed", "maxspeed:hgv", "speed_kph", "junction", "hgv", "motor_vehicle", "access")
_GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"
Speeds = Mapping[str, float]


def read_roads(path: Path, free_kmh: float, class_kmh: Speeds) -> Network:
    """The network in a file, by its format: .graphml, .pbf, .parquet (Overture), GMNS, .csv (matrix).

    A folder with ``node.csv`` and ``link.csv``, or one of the two, is GMNS.
    """
    folder = path if path.is_dir() else path.parent
    if path.is_dir() or path.name in ("link.csv", "node.csv"):
        return read_gmns(folder, free_kmh, class_kmh)
    readers: dict[str, Callable[[], Network]] = {
        ".graphml": lambda: read_graphml(path, free_kmh, class_kmh),
        ".pbf": lambda: read_pbf(path, free_kmh, class_kmh),
        ".parquet": lambda: _overture(path, free_kmh, class_kmh),
        ".csv": lambda: read_matrix(path, free_kmh),
    }
    if path.suffix.lower() not in readers:
        faults = FaultList()
        allowed = f"{', '.join(readers)}, or a folder with node.csv and link.csv"
        faults.add(
            path.name, what="unknown format of roads", found=path.suffix or "no ending", allowed=allowed
        )
        raise InputError("roads", faults.faults)
    if not path.is_file():
        faults = FaultList()
        faults.add(path.name, what="no such file", found=path)
        raise InputError("roads", faults.faults)
    return readers[path.suffix.lower()]()


def _overture(path: Path, free_kmh: float, class_kmh: Speeds) -> Network:
    from cleanhub.freight.overture import read_overture

    return read_overture(path, free_kmh, class_kmh)


# ---------------------------------------------------------------- gathering


@dataclass
class Gathered:
    """Nodes by their ids and roads between them, as a reader finds them; :meth:`network` checks all.

    ``faults`` are those of ``file``; of one kind only the first :data:`MOST_FAULTS` are told.
    """

    file: str
    faults: FaultList = field(default_factory=FaultList)
    place: dict[object, int] = field(default_factory=dict)
    lat: list[float] = field(default_factory=list)
    lon: list[float] = field(default_factory=list)
    tail: list[int] = field(default_factory=list)
    head: list[int] = field(default_factory=list)
    km: list[float] = field(default_factory=list)
    kmh: list[float] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    truck: list[bool] = field(default_factory=list)
    _told: dict[str, int] = field(default_factory=dict)

    def fault(self, row: int | None, column: str, what: str, found: object, allowed: str) -> None:
        """Tell a fault, unless enough of its kind are told."""
        self._told[what] = self._told.get(what, 0) + 1
        if self._told[what] <= MOST_FAULTS:
            self.faults.add(self.file, row, column, what=what, found=found, allowed=allowed)

    def node(self, name: object, lat: object, lon: object, row: int | None = None) -> None:
        """Add a node."""
        y, x = _number(lat), _number(lon)
        if y is None or x is None or abs(y) > 90 or abs(x) > 180:
            allowed = "latitude -90 to 90 and longitude -180 to 180"
            self.fault(row, f"node {name}", "no place on Earth", f"{lat}, {lon}", allowed)
            y, x = 0.0, 0.0
        if name in self.place:
            self.fault(row, f"node {name}", "node stated twice", name, "each once")
            return
        self.place[name] = len(self.lat)
        self.lat.append(y)
        self.lon.append(x)

    def road(
        self,
        ends: tuple[object, object],
        km: object,
        kmh: float,
        kind: str,
        truck: bool,
        ways: tuple[bool, bool] = (True, False),
        row: int | None = None,
    ) -> None:
        """Add a road as one or two arcs. ``ways`` says whether it is open along, and against."""
        unknown = [end for end in ends if end not in self.place]
        for end in unknown:
            self.fault(row, f"road {ends[0]}-{ends[1]}", "unknown node", end, "a node of the file")
        length = _number(km)
        if length is None or length < 0:
            self.fault(row, f"road {ends[0]}-{ends[1]}", "no length", km, "a number of at least 0")
        if unknown or length is None:
            return
        first, second = self.place[ends[0]], self.place[ends[1]]
        for way, (start, end) in zip(ways, ((first, second), (second, first)), strict=True):
            if way:
                self.tail.append(start)
                self.head.append(end)
                self.km.append(length)
                self.kmh.append(kmh)
                self.kind.append(kind)
                self.truck.append(truck)

    def network(self, name: str, licence: str, attribution: str) -> Network:
        """The network, routed by time; raises what is wrong with it."""
        for what, count in self._told.items():
            if count > MOST_FAULTS:
                self.faults.add(self.file, what=f"{what}: {count - MOST_FAULTS} more")
        if not self.faults.faults and not self.tail:
            self.faults.add(self.file, what="no roads in the file", allowed="roads for cars or trucks")
        self.faults.raise_if_any(f"roads {self.file}")
        km = np.array(self.km, dtype=np.float64)
        return Network(
            name=name,
            licence=licence,
            attribution=attribution,
            lat=np.array(self.lat),
            lon=np.array(self.lon),
            tail=np.array(self.tail, dtype=np.int64),
            head=np.array(self.head, dtype=np.int64),
            length_km=km,
            time_min=60 * km / np.array(self.kmh),
            road_class=np.array(self.kind, dtype=object),
            truck_ok=np.array(self.truck, dtype=bool),
            route_by="time",
        )


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _metres_to_km(value: object) -> object:
    """A length in metres in km; what is no number stays, so that the fault shows it."""
    number = _number(value)
    return value if number is None else number * factor("m", "km")


# ---------------------------------------------------------------- OpenStreetMap


def from_osmnx(graph: Any, free_kmh: float, class_kmh: Speeds, name: str = "OSM graph") -> Network:
    """A graph as osmnx makes it (a networkx MultiDiGraph).

    Nodes have ``x`` and ``y`` in degrees, edges ``length`` in metres. Its edges are directed already;
    ``oneway`` only tells why one has no reverse.
    """
    gathered = Gathered(name)
    for node, data in graph.nodes(data=True):
        gathered.node(node, data.get("y"), data.get("x"))
    ways = (True, not graph.is_directed())
    for first, second, data in graph.edges(data=True):
        _osm_road(gathered, (first, second), data, ways, free_kmh, class_kmh)
    return gathered.network(name, OSM_LICENCE, OSM_ATTRIBUTION)


def read_graphml(path: Path, free_kmh: float, class_kmh: Speeds) -> Network:
    """A GraphML file as osmnx saves it (``ox.save_graphml``); read without osmnx.

    Node data ``y`` and ``x`` in degrees, edge data ``length`` in metres, and where present ``highway``,
    ``maxspeed``, ``hgv``, ``access``. Edges of an undirected graph are open both ways unless ``oneway``.
    """
    gathered = Gathered(path.name)
    keys: dict[str, str] = {}
    directed = True
    try:
        for event, element in ET.iterparse(path, events=("start", "end")):
            tag = element.tag.removeprefix(_GRAPHML)
            if event == "start":
                if tag == "graph":
                    directed = element.get("edgedefault") != "undirected"
            elif tag == "key":
                keys[str(element.get("id"))] = str(element.get("attr.name"))
            elif tag in ("node", "edge"):
                data = {
                    keys.get(str(one.get("key")), ""): one.text
                    for one in element
                    if one.tag.removeprefix(_GRAPHML) == "data"
                }
                if tag == "node":
                    gathered.node(element.get("id"), data.get("y"), data.get("x"))
                else:
                    ends = (element.get("source"), element.get("target"))
                    ways = (True, False) if directed else directions(data)
                    _osm_road(gathered, ends, data, ways, free_kmh, class_kmh)
                element.clear()
    except ET.ParseError as error:
        gathered.faults.add(path.name, error.position[0], what="not XML", found=error, allowed="GraphML")
    return gathered.network(f"OSM graph {path.name}", OSM_LICENCE, OSM_ATTRIBUTION)


def _osm_road(
    gathered: Gathered,
    ends: tuple[object, object],
    tags: Mapping[str, object],
    ways: tuple[bool, bool],
    free_kmh: float,
    class_kmh: Speeds,
) -> None:
    gathered.road(
        ends,
        _metres_to_km(tags.get("length")),
        free_speed(tags, class_kmh, free_kmh),
        road_class(tags.get("highway")),
        trucks_allowed(tags),
        ways,
    )


def read_pbf(path: Path, free_kmh: float, class_kmh: Speeds) -> Network:
    """An extract of OpenStreetMap (.osm.pbf), by pyrosm. Raises ``RunError`` where that is missing."""
    pyrosm = _extra("pyrosm", "an .osm.pbf file")
    try:
        found = pyrosm.OSM(str(path)).get_network("driving", nodes=True, extra_attributes=list(EDGE_TAGS))
    except Exception as error:  # whatever the parser of a broken file raises
        faults = FaultList()
        faults.add(path.name, what="not readable as OSM PBF", found=error, allowed="an .osm.pbf extract")
        raise InputError("roads", faults.faults) from error
    gathered = Gathered(path.name)
    if found is not None and found[0] is not None and found[1] is not None:
        nodes, edges = found
        for name, lat, lon in zip(nodes["id"], nodes["lat"], nodes["lon"], strict=True):
            gathered.node(name, lat, lon)
        known = [tag for tag in (*EDGE_TAGS, "oneway", "vehicle", "length", "u", "v") if tag in edges.columns]
        for tags in edges[known].to_dict("records"):
            ends = tags["u"], tags["v"]
            _osm_road(gathered, ends, tags, directions(tags), free_kmh, class_kmh)
    return gathered.network(f"OSM extract {path.name}", OSM_LICENCE, OSM_ATTRIBUTION)


def _extra(module: str, what: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = f"{what} is read by {module}, which is not installed: pip install 'cleanhub[geo]'"
        raise RunError(message) from error


# ---------------------------------------------------------------- tables


def read_gmns(folder: Path, free_kmh: float, class_kmh: Speeds) -> Network:
    """A network of the General Modeling Network Specification: ``node.csv``, ``link.csv``, ``config.csv``.

    ``config.csv`` must say what ``length`` (``long_length``) and ``free_speed`` (``speed``) are in; no
    unit is guessed. A link is open both ways where ``directed`` is false. Where ``allowed_uses``
    names uses, trucks need one of them (truck, hgv, freight, all).
    """
    faults = FaultList()
    nodes = _open_table(folder, "node", _NODE, faults)
    links = _open_table(folder, "link", _LINK, faults)
    units = _gmns_units(folder, faults, speed=bool(links["free_speed"].notna().any()))
    faults.raise_if_any(f"GMNS {folder.name}")
    gathered = Gathered("link.csv")
    for row, name, x, y in zip(
        nodes.index, nodes["node_id"], nodes["x_coord"], nodes["y_coord"], strict=True
    ):
        gathered.node(name, y, x, int(row))
    for row, link in zip(links.index, links.to_dict("records"), strict=True):
        kind = str(link["facility_type"])
        speed = link["free_speed"] * units["speed"]
        directed = str(link["directed"]).lower()
        if directed not in _YES | _NO:
            gathered.fault(int(row), "directed", "neither true nor false", directed, "true, false, 1, 0")
        gathered.road(
            (link["from_node_id"], link["to_node_id"]),
            link["length"] * units["long_length"],
            speed if speed > 0 else class_kmh.get(kind, free_kmh),
            kind,
            _gmns_trucks(str(link["allowed_uses"])),
            (True, directed in _NO),
            int(row),
        )
    return gathered.network(f"GMNS network {folder.resolve().name}", "as its owner states", "")


_YES, _NO = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})
_TRUCK_USES = frozenset({"truck", "trucks", "hgv", "freight", "all"})
_NODE = (
    Column("node_id", "text", "identifier"),
    Column("x_coord", "number", "longitude", "degree"),
    Column("y_coord", "number", "latitude", "degree"),
)
_LINK = (
    Column("from_node_id", "text", "node where it begins"),
    Column("to_node_id", "text", "node where it ends"),
    Column("directed", "text", "whether it is open one way only"),
    Column("length", "number", "length in the unit of config.csv", minimum=0),
    Column("free_speed", "number", "speed when free", blank=True, optional=True, minimum=0),
    Column("facility_type", "text", "class of road", blank=True, optional=True),
    Column("allowed_uses", "text", "who may use it", blank=True, optional=True),
)
_UNITS = {
    "long_length": {"km": ("km", "km"), "kilometers": ("km", "km"), "mi": ("mi", "km"), "miles": ("mi", "km")}
    | {"m": ("m", "km"), "meters": ("m", "km")},
    "speed": {"kph": ("km/h", "km/h"), "kmh": ("km/h", "km/h"), "km/h": ("km/h", "km/h")}
    | {"mph": ("mi/h", "km/h"), "mi/h": ("mi/h", "km/h")},
}


def _gmns_trucks(uses: str) -> bool:
    named = {use.strip().lower() for part in words(uses) for use in part.split(",") if use.strip()}
    return not named or bool(named & _TRUCK_USES)


def _gmns_units(folder: Path, faults: FaultList, *, speed: bool) -> dict[str, float]:
    """Factors to km and km/h from ``config.csv``; the unit of speed only where a link tells one."""
    columns = tuple(Column(name, "text", "unit", blank=True, optional=True) for name in _UNITS)
    config = _open_table(folder, "config", columns, faults)
    factors = {}
    for name, known in _UNITS.items():
        stated = str(config[name].iloc[0]).strip().lower() if len(config) else ""
        if stated in known:
            factors[name] = factor(*known[stated])
        else:
            factors[name] = 1.0
            if name == "long_length" or speed:
                faults.add(
                    "config.csv", None, name, what="unit not stated", found=stated, allowed=", ".join(known)
                )
    return factors


def read_matrix(path: Path, free_kmh: float) -> PlaceMatrix:
    """Distances between places, measured elsewhere: one row for each way from a place to a place.

    Columns ``from, from_lat, from_lon, to, to_lat, to_lon``, one of ``km`` or ``miles``, and ``minutes``
    (on a free road) where known, else the time at ``free_kmh``. Ways are not put together: a pair without a
    row is unreachable.
    """
    faults = FaultList()
    frame = _open_table(path.parent, path.stem, _MATRIX, faults, path.name)
    length = frame["km"].fillna(frame["miles"] * factor("mi", "km"))
    for row in frame.index[frame["km"].notna() == frame["miles"].notna()]:
        faults.add(path.name, int(row), "km", what="one of km and miles", allowed="just one of the two")
    names, lat, lon = _places(path.name, frame, faults)
    faults.raise_if_any(f"roads {path.name}")
    km = length.to_numpy(float)
    minutes = frame["minutes"].fillna(length * (60 / free_kmh)).to_numpy(float)
    return PlaceMatrix(
        name=f"matrix {path.name}",
        licence="as its owner states",
        attribution="",
        lat=lat,
        lon=lon,
        tail=names.get_indexer(pd.Index(frame["from"])).astype(np.int64),
        head=names.get_indexer(pd.Index(frame["to"])).astype(np.int64),
        length_km=km,
        time_min=minutes,
        road_class=np.full(len(km), "", dtype=object),
        truck_ok=np.ones(len(km), dtype=bool),
    )


_MATRIX = (
    Column("from", "text", "place where the way begins"),
    Column("from_lat", "number", "its latitude", "degree", minimum=-90, maximum=90),
    Column("from_lon", "number", "its longitude", "degree", minimum=-180, maximum=180),
    Column("to", "text", "place where it ends"),
    Column("to_lat", "number", "its latitude", "degree", minimum=-90, maximum=90),
    Column("to_lon", "number", "its longitude", "degree", minimum=-180, maximum=180),
    Column("km", "number", "length", "km", blank=True, optional=True, minimum=0),
    Column("miles", "number", "length", "mi", blank=True, optional=True, minimum=0),
    Column("minutes", "number", "time on a free road", "min", blank=True, optional=True, minimum=0),
)
_SAME_PLACE_KM = 0.05


def _places(
    file: str, frame: pd.DataFrame, faults: FaultList
) -> tuple[pd.Index[Any], FloatArray, FloatArray]:
    """Places in the order of their names with their coordinates; a place that moves is a fault."""
    ends = pd.concat(
        [
            frame[[side, f"{side}_lat", f"{side}_lon"]].set_axis(["name", "lat", "lon"], axis=1)
            for side in ("from", "to")
        ]
    )
    first = ends.drop_duplicates("name").set_index("name").sort_index()
    there = first.reindex(ends["name"])
    moved = great_circle_km(
        ends["lat"].to_numpy(float),
        ends["lon"].to_numpy(float),
        there["lat"].to_numpy(float),
        there["lon"].to_numpy(float),
    )
    for at in np.flatnonzero(moved > _SAME_PLACE_KM)[:MOST_FAULTS]:
        row, name = int(ends.index[at]), ends["name"].iloc[at]
        found = f"{name} {moved[at]:.1f} km away from where it was"
        faults.add(file, row, "lat, lon", what="a place in two places", found=found, allowed="one")
    repeated = frame[frame.duplicated(["from", "to"])]
    for row, (start, end) in zip(
        repeated.index[:MOST_FAULTS], repeated[["from", "to"]].to_numpy(), strict=False
    ):
        faults.add(
            file,
            int(row),
            "from, to",
            what="way stated twice",
            found=f"{start} to {end}",
            allowed="each once",
        )
    return first.index, first["lat"].to_numpy(float), first["lon"].to_numpy(float)


def _open_table(
    folder: Path, name: str, columns: Iterable[Column], faults: FaultList, file: str = ""
) -> pd.DataFrame:
    """A CSV whose other columns are let through: formats of others hold more than we read."""
    path = folder / (file or f"{name}.csv")
    wanted = tuple(columns)
    known = {column.name for column in wanted}
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            header = [cell.strip() for cell in next(csv.reader(opened), [])]
    except (OSError, UnicodeDecodeError, csv.Error):
        header = []  # read_table says what is wrong
    others = tuple(
        Column(cell, "text", "not read", blank=True) for cell in dict.fromkeys(header) if cell not in known
    )
    return read_table(path, Table(name, "", wanted + others), faults, {}, lambda unit: True)
