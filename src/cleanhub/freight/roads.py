"""Which roads a hub has: a bundled road package, a file of its own, or straight lines.

``roads`` in the hub's ``datapackage.json`` names a package of ``cleanhub/roads`` (made by
``tools/make_roads.py``) or a file in the hub's folder (any that
:mod:`cleanhub.freight.road_readers` reads). Without it, ways are great circles times an assumed factor, and
the network's name says so. Speeds, circuity and access come from ``freight_parameters``.
"""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList, InputError
from cleanhub.core.json_file import parse_json
from cleanhub.freight.figures import Figures
from cleanhub.freight.globe import great_circle_km
from cleanhub.freight.network import Network, StraightLines
from cleanhub.freight.travel_time import HOURS, DayProfile, FloatArray
from cleanhub.hub.package import Hub, load_hub

BUNDLED_ROADS = Path(__file__).resolve().parent.parent / "roads"
PACKAGE_FILE, DESCRIPTION_FILE = "roads.npz", "datapackage.json"
GMNS_FILE = "link.csv"
PLACE_KINDS = ("terminal", "rail_yard", "depot", "port")
_ARRAYS = ("lat_microdegree", "lon_microdegree", "tail", "head", "length_m")
_HALF_WORLD = 180_000_000  # microdegrees


def list_roads() -> list[str]:
    """Names of the bundled road packages."""
    return sorted(path.parent.name for path in BUNDLED_ROADS.glob(f"*/{PACKAGE_FILE}"))


def load_network(hub: Hub | str, roads: str | Path | None = None) -> Network:
    """The roads of a hub (or of a bundled hub's name), with the hub's speeds and factors.

    ``roads`` (a bundled package's name, the folder of one, or a file) takes the place of what the
    hub names. Raises ``InputError`` with every fault of what it reads.
    """
    if isinstance(hub, str):
        hub = load_hub(hub)
    figures = Figures(hub)
    named = hub.meta.get("roads") if roads is None else roads
    if not named:
        return straight_lines(hub, figures)
    folder = find_roads(named, hub.path)
    if (folder / PACKAGE_FILE).is_file():
        return _with_figures(read_road_package(folder, free_speed_kmh(figures)), figures, circuity=True)
    from cleanhub.freight.road_readers import read_roads

    network = read_roads(folder, free_speed_kmh(figures), figures.items("road_class_speed", "km/h"))
    return _with_figures(network, figures, circuity=False)


def find_roads(roads: str | Path, beside: Path | None = None) -> Path:
    """The folder of a road package or the file meant: bundled, beside the hub, or a path."""
    choices = [BUNDLED_ROADS / str(roads)] if len(Path(roads).parts) == 1 else []
    choices += [beside / str(roads)] if beside is not None else []
    choices.append(Path(roads))
    for path in choices:
        if path.is_file() or any((path / name).is_file() for name in (PACKAGE_FILE, GMNS_FILE)):
            return path
    faults = FaultList()
    allowed = f"a file of roads, or one of: {', '.join(list_roads())}"
    faults.add(str(roads), what="no such roads", found=roads, allowed=allowed)
    raise InputError("roads not found", faults.faults)


def read_road_package(folder: Path, free_kmh: float) -> Network:
    """A road package: each arc of its file is open both ways and driven at ``free_kmh`` when free.

    Raises ``InputError`` listing what is wrong with its two files.
    """
    faults = FaultList()
    about = _description(folder, faults)
    arrays = _arrays(folder / PACKAGE_FILE, faults)
    faults.raise_if_any(f"roads {folder.name}")
    tail, head = arrays["tail"].astype(np.int64), arrays["head"].astype(np.int64)
    km = np.tile(arrays["length_m"] / 1000.0, 2)
    return Network(
        name=str(about["title"]),
        licence=str(about["licenses"][0]["name"]),  # type: ignore[index]
        attribution=str(about["attribution"]),
        lat=arrays["lat_microdegree"] / 1e6,
        lon=arrays["lon_microdegree"] / 1e6,
        tail=np.concatenate([tail, head]),
        head=np.concatenate([head, tail]),
        length_km=km,
        time_min=km * (60 / free_kmh),
        road_class=np.full(len(km), "", dtype=object),
        truck_ok=np.ones(len(km), dtype=bool),
    )


def _description(folder: Path, faults: FaultList) -> dict[str, object]:
    try:
        about = parse_json((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        faults.add(DESCRIPTION_FILE, what="not readable as JSON", found=error, allowed="a descriptor")
        return {}
    licences = about.get("licenses") if isinstance(about, dict) else None
    if not (
        isinstance(licences, list) and licences and isinstance(licences[0], dict) and licences[0].get("name")
    ):
        faults.add(DESCRIPTION_FILE, None, "licenses", what="missing", allowed="a list; each has a name")
    for key in ("title", "attribution"):
        if not isinstance(about, dict) or not isinstance(about.get(key), str):
            faults.add(DESCRIPTION_FILE, None, key, what="missing", allowed="text")
    return about if isinstance(about, dict) else {}


def _arrays(path: Path, faults: FaultList) -> dict[str, NDArray[np.int64]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in _ARRAYS if name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        faults.add(path.name, what="not readable as npz", found=error, allowed=", ".join(_ARRAYS))
        return {}
    before = len(faults.faults)
    for name in _ARRAYS:
        if name not in arrays:
            faults.add(path.name, None, name, what="missing array", allowed="integers")
        elif arrays[name].ndim != 1 or arrays[name].dtype.kind not in "iu":
            faults.add(path.name, None, name, what="not a row of integers", found=arrays[name].dtype)
    if len(faults.faults) > before:
        return {}
    count = len(arrays["lat_microdegree"])
    bounds = {
        "lat_microdegree": (-_HALF_WORLD // 2, _HALF_WORLD // 2),
        "lon_microdegree": (-_HALF_WORLD, _HALF_WORLD),
        "tail": (0, count - 1),
        "head": (0, count - 1),
        "length_m": (0, 2**31 - 1),
    }
    for name, (least, most) in bounds.items():
        values = arrays[name]
        if len(values) and (values.min() < least or values.max() > most):
            found = values[(values < least) | (values > most)][0]
            faults.add(path.name, None, name, what="out of bounds", found=found, allowed=f"{least} to {most}")
    for group in (("lat_microdegree", "lon_microdegree"), ("tail", "head", "length_m")):
        lengths = [len(arrays[name]) for name in group]
        if len(set(lengths)) > 1:
            faults.add(path.name, None, ", ".join(group), what="differ in length", found=lengths)
    return arrays


# ---------------------------------------------------------------- figures


def free_speed_kmh(figures: Figures) -> float:
    """Mean speed of trucks on a free road whose own speed is not known [km/h]."""
    return figures.value("road_speed", "free", "km/h")


def day_profile(figures: Figures) -> DayProfile:
    """Slowdown and departures by hour of the day.

    Slowdown is ``congestion_factor`` of items ``day`` and ``night``, night being ``night_hours`` from
    ``from`` to ``to``; a row whose item is an hour (``7``) takes that hour's place. Departures follow the
    hours in which the gates of terminals are open (``gate_hours``): ``night_share`` of
    them spread over the night's hours, the rest over the day's.
    """
    night = _hours_of_day(figures, "night_hours", "from", "to")
    factors = figures.items("congestion_factor")
    slowdown = np.full(HOURS, figures.value("congestion_factor", "day"))
    slowdown[night] = figures.value("congestion_factor", "night")
    for hour in range(HOURS):
        slowdown[hour] = factors.get(str(hour), slowdown[hour])
    departures = np.zeros(HOURS)
    night_share = figures.value("night_share")
    for name, share in (("day", 1 - night_share), ("night", night_share)):
        hours = _hours_of_day(figures, "gate_hours", f"{name}_start", f"{name}_end")
        departures[hours] += share / len(hours)
    return DayProfile(slowdown, departures)


def _hours_of_day(figures: Figures, parameter: str, begin: str, end: str) -> NDArray[np.int64]:
    """The full hours from one row's to another's, past midnight where the end is not later."""
    first, last = (round(figures.value(parameter, item, "h")) for item in (begin, end))
    return np.arange(first, last if last > first else last + HOURS) % HOURS


def _with_figures(network: Network, figures: Figures, *, circuity: bool) -> Network:
    """The network with the factors of the rows; circuity only where the geometry is simplified."""
    return dataclasses.replace(
        network,
        circuity=figures.value("road_circuity", "simplified") if circuity else network.circuity,
        access_factor=figures.value("road_access_factor"),
        access_kmh=figures.value("road_speed", "access", "km/h"),
        snap_limit_km=figures.value("road_snap_limit", "", "km"),
        profile=day_profile(figures),
    )


def straight_lines(hub: Hub, figures: Figures) -> StraightLines:
    """Great circles times ``road_circuity``, between the hub's places."""
    ways = figures.value("road_circuity")
    kmh = free_speed_kmh(figures)
    lat, lon = _places(hub)
    tail, head = np.nonzero(~np.eye(len(lat), dtype=bool))
    km = great_circle_km(lat[tail], lon[tail], lat[head], lon[head])
    return StraightLines(
        name=f"straight lines times {ways:g} (no roads are known for {hub.name})",
        licence="Apache-2.0",
        attribution="",
        lat=lat,
        lon=lon,
        tail=tail.astype(np.int64),
        head=head.astype(np.int64),
        length_km=km,
        time_min=km * (60 / kmh),
        road_class=np.full(len(km), "", dtype=object),
        truck_ok=np.ones(len(km), dtype=bool),
        circuity=ways,
        access_factor=ways,
        access_kmh=kmh,
        snap_limit_km=np.inf,
        profile=day_profile(figures),
        kmh=kmh,
    )


def _places(hub: Hub) -> tuple[FloatArray, FloatArray]:
    """Coordinates of the hub's terminals, yards, clusters and other places of freight, each once."""
    found = [hub.tables[name][["lat", "lon"]] for name in ("warehouse_clusters", "freight_places")]
    infrastructure = hub.tables["infrastructure"]
    found.append(infrastructure.loc[infrastructure["kind"].isin(PLACE_KINDS), ["lat", "lon"]])
    points = np.concatenate([frame.to_numpy(dtype=np.float64, na_value=np.nan) for frame in found])
    points = np.unique(points[np.isfinite(points).all(axis=1)], axis=0)
    return points[:, 0].copy(), points[:, 1].copy()
