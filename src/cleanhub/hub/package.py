"""Finding, loading and checking hub packages.

:func:`check_hub` gathers every fault of a package folder; :func:`load_hub` refuses a
package that has any. Scenarios of the package are checked with it.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from cleanhub.core.errors import MOST_LISTED, Fault, FaultList, InputError
from cleanhub.core.json_file import parse_json
from cleanhub.core.memory import remembered
from cleanhub.core.tables import check_references, empty, read_table
from cleanhub.hub.credits import check_credits
from cleanhub.hub.library import Library, library_hashes, load_library, read_known, reference_targets
from cleanhub.hub.limit_checks import check_limits
from cleanhub.hub.own_library import extend_library
from cleanhub.hub.scenario import check_scenarios
from cleanhub.hub.schema import PACKAGE_TABLES

BUNDLED = Path(__file__).resolve().parent.parent / "hubs"
BUNDLED_ROADS = BUNDLED.parent / "roads"
_SHAPES = "a FeatureCollection whose features have a geometry and a property county"
GWP_SETS = ("SAR", "AR4", "AR5", "AR6")
_META_KEYS = {"name": str, "title": str, "licenses": list, "resources": list, "gwp": str, "base_year": int}


@dataclass(frozen=True)
class Hub:
    """One hub: its tables, its description and the library it stands on.

    ``tables`` holds one typed frame per table of
    :data:`cleanhub.hub.schema.PACKAGE_TABLES` (absent tables are empty frames); ``meta``
    is ``datapackage.json``; ``notes`` are remarks of the check that refuse nothing.
    """

    path: Path
    meta: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    library: Library
    notes: tuple[Fault, ...] = field(default=())

    @property
    def name(self) -> str:
        """Short name of the hub."""
        return str(self.meta["name"])

    @property
    def title(self) -> str:
        """Title of the hub."""
        return str(self.meta["title"])

    @property
    def gwp(self) -> str:
        """GWP set of its inventory."""
        return str(self.meta["gwp"])

    @property
    def base_year(self) -> int:
        """Last inventory year: the year the path starts from."""
        return int(self.meta["base_year"])

    @property
    def jurisdictions(self) -> tuple[str, ...]:
        """Where its laws come from: ``jurisdictions`` of its description, else its ``country``."""
        places = self.meta.get("jurisdictions") or [self.meta.get("country", "")]
        return tuple(str(place) for place in places if place)

    def sources(self) -> pd.DataFrame:
        """Sources of the hub and of the library, one row per source id."""
        both = pd.concat([self.tables["sources"], self.library.tables["sources"]])
        return both.drop_duplicates("source_id").reset_index(drop=True)

    def counties_geojson(self) -> dict[str, Any] | None:
        """County shapes, or ``None`` when the package has none."""
        path = self.path / "counties.geojson"
        if not path.is_file():
            return None
        shapes: dict[str, Any] = parse_json(path.read_text(encoding="utf-8"))
        return shapes


def list_hubs() -> list[str]:
    """Names of the bundled hubs."""
    return sorted(path.parent.name for path in BUNDLED.glob("*/datapackage.json"))


def find_hub(hub: str | Path) -> Path:
    """The folder of a bundled hub's name, or of a path. Raises ``InputError`` if there is none."""
    folder = Path(hub)
    if folder.is_file() and folder.name == "datapackage.json":
        return folder.parent
    if folder.is_dir() and (len(folder.parts) > 1 or (folder / "datapackage.json").exists()):
        return folder
    if (BUNDLED / str(hub) / "datapackage.json").is_file():
        return BUNDLED / str(hub)
    faults = FaultList()
    faults.add(
        str(hub),
        what="no such hub",
        found=str(hub),
        allowed=f"a folder with a datapackage.json, or one of: {', '.join(list_hubs())}",
    )
    raise InputError("hub not found", faults.faults)


def load_hub(hub: str | Path) -> Hub:
    """Load a hub by bundled name or folder.

    Raises :class:`~cleanhub.core.errors.InputError` listing every fault of the package. A package
    without faults is remembered (:mod:`cleanhub.core.memory`) until one of its files changes.
    """
    folder = find_hub(hub)

    def read() -> tuple[Any, ...]:
        loaded, faults = read_hub(folder)
        faults.raise_if_any(f"hub {folder.name}")
        own = loaded.library if loaded.library is not load_library() else None
        return loaded.meta, loaded.tables, own and (own.tables, own.codelists, own.units), loaded.notes

    try:
        files = file_hashes(folder)
    except OSError:  # a file that cannot be read: reading it says so
        meta, tables, own, notes = read()
    else:
        meta, tables, own, notes = remembered("hub", (folder.name, files, library_hashes()), read)
    return Hub(folder, meta, tables, load_library() if own is None else Library(*own), notes)


def file_hashes(folder: Path) -> dict[str, str]:
    """Hash of every file in a folder, by its path inside. Raises ``OSError`` for one that cannot be read."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def road_hashes(hub: Hub) -> dict[str, str]:
    """Hashes of the roads that the hub names, where they are not those of this package."""
    named = str(hub.meta.get("roads") or "")
    if not named or (len(Path(named).parts) == 1 and (BUNDLED_ROADS / named).is_dir()):
        return {}
    place = next((one for one in (hub.path / named, Path(named)) if one.exists()), None)
    if place is None:
        return {}
    if place.is_dir():
        return file_hashes(place)
    return {place.name: hashlib.sha256(place.read_bytes()).hexdigest()[:16]}


def check_hub(hub: str | Path) -> FaultList:
    """Every fault and note of a hub package; never raises for faults inside it."""
    return read_hub(find_hub(hub))[1]


def read_hub(folder: Path) -> tuple[Hub, FaultList]:
    """Read all tables of a package folder, gathering faults instead of raising."""
    faults = FaultList()
    meta = _read_meta(folder, faults)
    library = extend_library(folder, load_library(), _source_ids(folder), faults)
    tables: dict[str, pd.DataFrame] = {}
    for name, table in PACKAGE_TABLES.items():
        path = folder / table.file
        if not path.exists() and table.optional:
            tables[name] = empty(table)
            continue
        tables[name] = read_known(path, table, faults, library)
    targets = reference_targets(tables)
    targets["sources.source_id"] |= frozenset(library.tables["sources"]["source_id"])
    targets["technologies.technology"] = frozenset(library.tables["technologies"]["technology"])
    check_references(tables, PACKAGE_TABLES, targets, faults)
    _check_coordinates(tables, meta, faults)
    _check_ranges(tables, faults)
    _check_reports(tables, meta, faults)
    _check_branches(tables, faults)
    check_limits(tables["limits"], faults)
    check_credits(folder, tables, library, faults)
    _check_files(folder, meta, faults)
    _check_default_scenario(folder, meta, faults)
    _check_shapes(folder / "counties.geojson", faults)
    check_scenarios(folder / "scenarios", tables, faults)
    return Hub(folder, meta, tables, library, tuple(faults.notes)), faults


def _source_ids(folder: Path) -> frozenset[str]:
    """Source ids of the package, read early: rows that it adds to the library name them too."""
    library = load_library()
    path = folder / PACKAGE_TABLES["sources"].file
    if not path.is_file():
        return frozenset()
    unseen = FaultList()  # the table is read and checked with the others
    frame = read_table(path, PACKAGE_TABLES["sources"], unseen, library.codelists, library.unit_ok)
    return frozenset(frame["source_id"])


def _read_meta(folder: Path, faults: FaultList) -> dict[str, Any]:
    fallback = {"name": folder.name, "title": folder.name, "gwp": "AR4", "base_year": 2022}
    file = "datapackage.json"
    try:
        meta = parse_json((folder / file).read_text(encoding="utf-8-sig"))
    except OSError:
        faults.add(file, what="missing file", allowed="a Data Package descriptor")
        return fallback
    except ValueError as error:
        line = getattr(error, "lineno", None)
        faults.add(file, line, what="not valid JSON", found=getattr(error, "msg", error), allowed="JSON")
        return fallback
    if not isinstance(meta, dict):
        faults.add(file, what="not a JSON object", allowed="a Data Package descriptor")
        return fallback
    for key, kind in _META_KEYS.items():
        if key not in meta:
            faults.add(file, None, key, what="missing key", allowed=kind.__name__)
        elif not isinstance(meta[key], kind) or isinstance(meta[key], bool):
            faults.add(file, None, key, what="wrong type", found=meta[key], allowed=kind.__name__)
        else:
            fallback[key] = meta[key]
    if fallback["gwp"] not in GWP_SETS:
        faults.add(
            file, None, "gwp", what="unknown GWP set", found=fallback["gwp"], allowed=", ".join(GWP_SETS)
        )
    return {**meta, **fallback}


def _check_files(folder: Path, meta: dict[str, Any], faults: FaultList) -> None:
    resources = meta.get("resources")
    for resource in resources if isinstance(resources, list) else []:
        path = resource.get("path") if isinstance(resource, dict) else None
        if not isinstance(path, str) or Path(path).is_absolute() or ".." in Path(path).parts:
            faults.add(
                "datapackage.json",
                None,
                "resources",
                what="path is not inside the package",
                found=path,
                allowed="a relative path",
            )
        elif not (folder / path).is_file() and path not in {
            table.file for table in PACKAGE_TABLES.values() if not table.optional
        }:
            faults.add(path, what="missing file", allowed="the file that datapackage.json lists")


def _check_default_scenario(folder: Path, meta: dict[str, Any], faults: FaultList) -> None:
    name = meta.get("default_scenario", "baseline")
    known = sorted(path.stem for path in (folder / "scenarios").glob("*.yaml"))
    if name not in known:
        faults.add(
            "datapackage.json",
            None,
            "default_scenario",
            what="no such scenario",
            found=name,
            allowed=", ".join(known) or "there is none: put one in scenarios/",
        )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _check_coordinates(tables: dict[str, pd.DataFrame], meta: dict[str, Any], faults: FaultList) -> None:
    box = meta.get("bbox")
    if not (isinstance(box, list) and len(box) == 4 and all(_is_number(x) for x in box)):
        if box is not None:
            faults.add(
                "datapackage.json",
                None,
                "bbox",
                what="not a box",
                found=box,
                allowed="[west, south, east, north]",
            )
        return
    west, south, east, north = (float(x) for x in box)
    may_be = f"lat {south:g} to {north:g}, lon {west:g} to {east:g} (bbox of the hub)"
    for name, table in PACKAGE_TABLES.items():
        if not {"lat", "lon"} <= set(table.names):
            continue
        lat, lon = tables[name]["lat"], tables[name]["lon"]
        outside = ~lat.between(south, north) | ~lon.between(west, east)
        swapped = outside & lat.between(west, east) & lon.between(south, north)
        outside &= lat.notna() & lon.notna() & ~swapped
        if name == "freight_places":  # freight leaves the region through gateways beyond its borders
            outside &= tables[name]["kind"] != "gateway"
        for line in lat.index[swapped][: MOST_LISTED + 1]:
            _drop(faults, table.file, int(line), ("lat", "lon"))
            faults.add(
                table.file,
                int(line),
                "lat+lon",
                what="lat and lon are swapped",
                found=f"{lat[line]:g}, {lon[line]:g}",
                allowed=may_be,
            )
        known = {(fault.file, fault.row) for fault in faults.faults if fault.column in ("lat", "lon")}
        for line in lat.index[outside]:
            if (table.file, int(line)) not in known:
                faults.add(
                    table.file,
                    int(line),
                    "lat+lon",
                    what="outside the hub",
                    found=f"{lat[line]:g}, {lon[line]:g}",
                    allowed=may_be,
                )


def _drop(faults: FaultList, file: str, row: int, columns: tuple[str, ...]) -> None:
    faults.faults[:] = [
        fault
        for fault in faults.faults
        if not (fault.file == file and fault.row == row and fault.column in columns)
    ]


def _check_ranges(tables: dict[str, pd.DataFrame], faults: FaultList) -> None:
    for name, table in PACKAGE_TABLES.items():
        if not {"low", "value", "high"} <= set(table.names):
            continue
        frame = tables[name]
        wrong = (frame["low"] > frame["value"]) | (frame["value"] > frame["high"])
        for line, row in frame[wrong].head(MOST_LISTED + 1).iterrows():
            faults.add(
                table.file,
                int(str(line)),
                "low+value+high",
                what="range does not hold its value",
                found=f"{row['low']:g}, {row['value']:g}, {row['high']:g}",
                allowed="low <= value <= high",
            )


def _check_shapes(path: Path, faults: FaultList) -> None:
    if not path.is_file():
        return
    try:
        shapes = parse_json(path.read_text(encoding="utf-8"))
        named = [feature["properties"]["county"] for feature in shapes["features"]]
        drawn = all(feature["geometry"]["coordinates"] for feature in shapes["features"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        found = f"{type(error).__name__}: {error}"
        faults.add(path.name, what="not a GeoJSON collection of counties", found=found, allowed=_SHAPES)
        return
    if not drawn or not all(isinstance(name, str) and name for name in named):
        faults.add(path.name, what="a county without name or shape", allowed=_SHAPES)


def _check_reports(tables: dict[str, pd.DataFrame], meta: dict[str, Any], faults: FaultList) -> None:
    rows = tables["facility_emissions"]
    rows = rows[rows["asset_id"] != ""]
    for line, row in rows[rows.duplicated(["asset_id", "year"])].head(MOST_LISTED + 1).iterrows():
        faults.add(
            "facility_emissions.csv",
            int(str(line)),
            "asset_id+year",
            what="duplicate asset_id + year",
            found=f"{row['asset_id']}, {row['year']}",
            allowed="each once",
        )
    years = {int(year) for year in tables["inventory"]["year"].dropna()}
    if years and meta["base_year"] not in years:
        faults.add(
            "datapackage.json",
            None,
            "base_year",
            what="no inventory for this year",
            found=meta["base_year"],
            allowed=f"a year of inventory.csv ({min(years)} to {max(years)})",
        )


def _check_branches(tables: dict[str, pd.DataFrame], faults: FaultList) -> None:
    branches = set(zip(tables["branches"]["inventory_sector"], tables["branches"]["sector"], strict=True))
    for name in ("facilities", "cohorts"):
        frame = tables[name]
        pairs = list(zip(frame["inventory_sector"], frame["sector"], strict=True))
        missing = sorted({pair for pair in pairs if pair not in branches})
        for pair in missing:
            faults.note(
                PACKAGE_TABLES[name].file,
                what="no row in branches.csv: taken as constant and outside the hub's scope",
                found=" / ".join(pair),
            )
