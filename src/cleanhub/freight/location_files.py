"""Files of location problems: the layouts of the literature and CSV layouts for users.

========  =========================================================================================
layout    content
========  =========================================================================================
pmed      OR-Library p-median: ``nodes edges p``, then ``i j length`` for each edge (of an edge
          given twice the last counts); every node is customer and site, distances run along edges
cap       OR-Library capacitated location: ``sites customers``, then ``capacity fixed_cost`` for each
          site, then for each customer its demand and the cost of serving all of it from each site
holmberg  the same in another order: ``sites customers``, all capacities, all fixed costs, all
          demands, then for each customer the cost from each site
paths     CSV ``o,d,flow,path,cum_length``: path lists nodes, cum_length the length up to each
matrix    CSV ``customer[,weight][,demand],SITE,SITE,...``: a row for each customer with its distance
          or cost from each site (empty: cannot be served); rows named ``capacity`` and ``fixed_cost``
          describe the sites
points    CSV ``name,kind,lat,lon[,weight][,demand][,capacity][,fixed_cost]``, kind ``customer``,
          ``site`` or ``both``; distances are great-circle km
========  =========================================================================================

Every reader gathers all faults of a file before it refuses it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from cleanhub.core.errors import FaultList
from cleanhub.core.tables import csv_rows
from cleanhub.core.text_file import read_text
from cleanhub.freight.location_refuelling import FlowPaths

FloatArray = NDArray[np.float64]

LAYOUTS = ("pmed", "cap", "holmberg", "paths", "matrix", "points")
EARTH_RADIUS_KM = 6371.0088  # mean radius, IUGG
CAPACITY_WORD = "capacity"
SITE_ROWS = ("capacity", "fixed_cost")
_KINDS = ("customer", "site", "both")
_PATH_COLUMNS = ("o", "d", "flow", "path", "cum_length")
_POINT_COLUMNS = ("name", "kind", "lat", "lon")
_POINT_FIGURES = ("weight", "demand", "capacity", "fixed_cost")


@dataclass(frozen=True)
class LocationFile:
    """What a file holds; what it does not is ``None``.

    ``sites`` (S) and ``customers`` (C) are names; ``distance`` (S, C) distance or cost, ``inf`` where a
    site cannot serve; ``weight`` (C,) 1 where not given; ``demand`` (C,), ``capacity`` (S,), ``fixed``
    (S,) cost of opening; ``count`` how many sites the file asks for; ``paths`` flows for refuelling.
    """

    name: str
    layout: str
    sites: tuple[str, ...]
    customers: tuple[str, ...]
    distance: FloatArray
    weight: FloatArray
    demand: FloatArray | None = None
    capacity: FloatArray | None = None
    fixed: FloatArray | None = None
    count: int | None = None
    paths: FlowPaths | None = None


def read_location_file(path: Path, layout: str = "", capacity: float | None = None) -> LocationFile:
    """Read a file in ``layout``, or in the one its content shows.

    ``capacity`` stands in for the word ``capacity`` that some files of layout cap hold in
    place of a number.

    Raises
    ------
    InputError
        Naming every fault with file, row and column.
    """
    faults = FaultList()
    text = _text(path, faults)
    if layout and layout not in LAYOUTS:
        faults.add("--layout", what="no such layout", found=layout, allowed=", ".join(LAYOUTS))
    faults.raise_if_any("location file")
    kind = layout or recognise_layout(text)
    if not kind:
        faults.add(
            path.name, 1, what="layout not recognised", found=text[:60], allowed="see freight locate --help"
        )
        faults.raise_if_any("location file")
    if kind in ("pmed", "cap", "holmberg"):
        words = _words(path.name, text, faults, capacity if kind == "cap" else None)
        faults.raise_if_any("location file")
        reader = {"pmed": _pmed, "cap": _cap, "holmberg": _holmberg}[kind]
        found = reader(path.name, words, faults)
    else:
        rows = [
            (number, [cell.strip() for cell in cells])
            for number, cells in csv_rows(path.name, text.lstrip("\ufeff"), faults)
            if any(cell.strip() for cell in cells) or number == 1
        ]
        faults.raise_if_any("location file")
        found = {"paths": _paths, "matrix": _matrix, "points": _points}[kind](path.name, rows, faults)
    faults.raise_if_any("location file")
    assert found is not None
    return found


def recognise_layout(text: str) -> str:
    """The layout that a text shows by its first lines; empty when none."""
    lines = [line.split() for line in text.splitlines() if line.strip()][:2]
    if not lines:
        return ""
    first = csv_rows("", text.lstrip("\ufeff").splitlines()[0], FaultList())
    header = [cell.strip().lower() for _, cells in first for cell in cells]
    if set(_PATH_COLUMNS) <= set(header):
        return "paths"
    if set(_POINT_COLUMNS) <= set(header):
        return "points"
    if header[:1] == ["customer"] and len(header) > 1:
        return "matrix"
    if len(lines[0]) == 3 and all(_number(word) is not None for word in lines[0]):
        return "pmed"
    if len(lines[0]) == 2 and len(lines) == 2 and all(_number(word) is not None for word in lines[0]):
        return (
            "cap" if len(lines[1]) == 2 and lines[0][0] != "2" else "holmberg" if lines[0][0] != "2" else ""
        )
    return ""


def great_circle_km(
    from_lat: FloatArray, from_lon: FloatArray, to_lat: FloatArray, to_lon: FloatArray
) -> FloatArray:
    """Distances from each of n points to each of m [degrees], (n, m) [km] (haversine)."""
    north, south = np.radians(from_lat)[:, None], np.radians(to_lat)[None, :]
    across = np.radians(to_lon)[None, :] - np.radians(from_lon)[:, None]
    half = np.sin((south - north) / 2) ** 2 + np.cos(north) * np.cos(south) * np.sin(across / 2) ** 2
    return np.asarray(2.0 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))))


# --- lists of numbers ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Words:
    """Numbers of a file with the line and the place in the line of each."""

    value: FloatArray
    row: NDArray[np.int64]
    column: NDArray[np.int64]


def _words(file: str, text: str, faults: FaultList, capacity: float | None) -> _Words:
    values, rows, columns = [], [], []
    for row, line in enumerate(text.splitlines(), 1):
        for column, word in enumerate(line.split(), 1):
            number = capacity if word.lower() == CAPACITY_WORD else _number(word)
            if number is None:
                asked = "a number" if word.lower() != CAPACITY_WORD else "a number; give one with --capacity"
                faults.add(file, row, str(column), what="not a number", found=word, allowed=asked)
            elif number < 0:
                faults.add(file, row, str(column), what="below zero", found=word, allowed="0 or more")
            values.append(0.0 if number is None else number)
            rows.append(row)
            columns.append(column)
    return _Words(np.array(values), np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64))


def _counts(file: str, words: _Words, names: tuple[str, ...], faults: FaultList) -> list[int]:
    """The whole numbers at the head of a file; empty with a fault when they are not."""
    head = words.value[: len(names)]
    if len(head) < len(names):
        faults.add(file, 1, what="the first line is too short", found=len(head), allowed=" ".join(names))
        return []
    for number, name in zip(head, names, strict=True):
        if number != int(number) or number < 1:
            faults.add(file, 1, name, what="not a count", found=f"{number:g}", allowed="1, 2, 3 ...")
    return [int(number) for number in head] if not faults.faults else []


def _complete(file: str, words: _Words, expected: int, what: str, faults: FaultList) -> bool:
    if len(words.value) != expected:
        row = int(words.row[-1])
        faults.add(
            file,
            row,
            what=f"wrong count of numbers for {what}",
            found=len(words.value),
            allowed=str(expected),
        )
    return not faults.faults


def _pmed(file: str, words: _Words, faults: FaultList) -> LocationFile | None:
    head = _counts(file, words, ("nodes", "edges", "p"), faults)
    if not head or not _complete(file, words, 3 + 3 * head[1], f"{head[1]} edges", faults):
        return None
    nodes, edges, count = head
    if count > nodes:
        faults.add(file, 1, "p", what="more sites than nodes", found=count, allowed=f"1 to {nodes}")
    table, rows = words.value[3:].reshape(edges, 3), words.row[3:].reshape(edges, 3)
    wrong = (table[:, :2] < 1) | (table[:, :2] > nodes) | (table[:, :2] != np.rint(table[:, :2]))
    for edge, end in np.argwhere(wrong):
        found = f"{table[edge, end]:g}"
        faults.add(
            file,
            int(rows[edge, end]),
            str(end + 1),
            what="no such node",
            found=found,
            allowed=f"1 to {nodes}",
        )
    if faults.faults:
        return None
    ends = np.sort(table[:, :2].astype(np.int64) - 1, axis=1)[::-1]
    _, last = np.unique(ends[:, 0] * nodes + ends[:, 1], return_index=True)  # reversed: the last edge counts
    start, end, length = ends[last, 0], ends[last, 1], table[::-1, 2][last]
    graph = csr_matrix((length, (start, end)), shape=(nodes, nodes))
    names = tuple(str(number) for number in range(1, nodes + 1))
    return LocationFile(
        file, "pmed", names, names, dijkstra(graph, directed=False), np.ones(nodes), count=count
    )


def _cap(file: str, words: _Words, faults: FaultList) -> LocationFile | None:
    head = _counts(file, words, ("sites", "customers"), faults)
    if not head or not _complete(file, words, 2 + 2 * head[0] + head[1] * (1 + head[0]), _both(head), faults):
        return None
    sites, customers = head
    about = words.value[2 : 2 + 2 * sites].reshape(sites, 2)
    rest = words.value[2 + 2 * sites :].reshape(customers, 1 + sites)
    return _facilities(file, "cap", rest[:, 1:].T, rest[:, 0], about[:, 0], about[:, 1])


def _holmberg(file: str, words: _Words, faults: FaultList) -> LocationFile | None:
    head = _counts(file, words, ("sites", "customers"), faults)
    if not head or not _complete(file, words, 2 + 2 * head[0] + head[1] * (1 + head[0]), _both(head), faults):
        return None
    sites, customers = head
    capacity, fixed, demand, cost = np.split(words.value[2:], np.cumsum([sites, sites, customers]))
    return _facilities(file, "holmberg", cost.reshape(customers, sites).T, demand, capacity, fixed)


def _both(head: list[int]) -> str:
    return f"{head[0]} sites and {head[1]} customers"


def _facilities(
    file: str, layout: str, cost: FloatArray, demand: FloatArray, capacity: FloatArray, fixed: FloatArray
) -> LocationFile:
    sites, customers = cost.shape
    return LocationFile(
        name=file,
        layout=layout,
        sites=tuple(str(number) for number in range(1, sites + 1)),
        customers=tuple(str(number) for number in range(1, customers + 1)),
        distance=np.ascontiguousarray(cost),
        weight=np.ones(customers),
        demand=demand,
        capacity=capacity,
        fixed=fixed,
    )


# --- CSV -------------------------------------------------------------------------------------------

_Rows = list[tuple[int, list[str]]]


def _cell(
    file: str,
    place: tuple[int, str],
    text: str,
    faults: FaultList,
    least: float = 0.0,
    most: float = math.inf,
) -> float:
    """The number in a cell, or nan and a fault."""
    number = _number(text)
    if number is None or not least <= number <= most:
        allowed = (
            f"a number, {least:g} or more" if math.isinf(most) else f"a number from {least:g} to {most:g}"
        )
        faults.add(
            file,
            *place,
            what="not a number" if number is None else "out of range",
            found=text,
            allowed=allowed,
        )
        return math.nan
    return number


def _header(
    file: str, rows: _Rows, needed: tuple[str, ...], faults: FaultList
) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Column names, and the rows as mappings; rows of a wrong length are faults."""
    columns = [cell.lower() for cell in rows[0][1]] if rows else []
    for name in needed:
        if name not in columns:
            faults.add(file, 1, name, what="column is missing", allowed=", ".join(needed))
    for name in sorted({one for one in columns if columns.count(one) > 1}):
        faults.add(file, 1, name, what="duplicate column")
    records = []
    for number, cells in rows[1:]:
        if len(cells) != len(columns):
            faults.add(file, number, what="wrong count of cells", found=len(cells), allowed=str(len(columns)))
        else:
            records.append((number, dict(zip(columns, cells, strict=True))))
    if not rows[1:]:
        faults.add(file, what="no rows below the header")
    return columns, records if not faults.faults else []


def _paths(file: str, rows: _Rows, faults: FaultList) -> LocationFile | None:
    _, records = _header(file, rows, _PATH_COLUMNS, faults)
    flows, stops, along, start = [], [], [], [0]
    for number, row in records:
        nodes, lengths = row["path"].split(), row["cum_length"].split()
        values = [_cell(file, (number, "cum_length"), one, faults) for one in lengths]
        if len(nodes) < 2 or len(nodes) != len(lengths):
            what = "path and cum_length must list the same two or more nodes"
            faults.add(file, number, "path", what=what, found=f"{len(nodes)} and {len(lengths)}")
        elif (nodes[0], nodes[-1]) != (row["o"], row["d"]):
            found = f"{nodes[0]} to {nodes[-1]}"
            faults.add(
                file,
                number,
                "path",
                what="does not run from o to d",
                found=found,
                allowed=f"{row['o']} to {row['d']}",
            )
        elif values[0] != 0.0 or any(after < before for before, after in pairwise(values)):
            what = "lengths must begin with 0 and never fall"
            faults.add(file, number, "cum_length", what=what, found=row["cum_length"])
        flows.append(_cell(file, (number, "flow"), row["flow"], faults))
        stops += nodes
        along += values
        start.append(len(stops))
    if faults.faults:
        return None
    names = tuple(sorted(set(stops), key=lambda name: (_number(name) is None, _number(name) or 0.0, name)))
    place = {name: number for number, name in enumerate(names)}
    paths = FlowPaths(
        flow=np.array(flows),
        stop=np.array([place[name] for name in stops], dtype=np.int64),
        along=np.array(along),
        start=np.array(start, dtype=np.int64),
        sites=len(names),
    )
    pairs = tuple(f"{row['o']}-{row['d']}" for _, row in records)
    return LocationFile(file, "paths", names, pairs, np.zeros((0, 0)), paths.flow, paths=paths)


def _matrix(file: str, rows: _Rows, faults: FaultList) -> LocationFile | None:
    columns, records = _header(file, rows, ("customer",), faults)
    sites = [name for name in columns if name not in ("customer", "weight", "demand")]
    titles = {cell.lower(): cell for cell in rows[0][1]} if rows else {}
    if not sites:
        faults.add(
            file, 1, what="no site columns", allowed="customer, weight, demand, then one column for each site"
        )
    about = {row["customer"]: (number, row) for number, row in records if row["customer"] in SITE_ROWS}
    served = [(number, row) for number, row in records if row["customer"] not in SITE_ROWS]
    _unique(file, "customer", [(number, row["customer"]) for number, row in served], faults)
    distance = np.array(
        [
            [
                _cell(file, (number, titles[site]), row[site], faults) if row[site] else math.inf
                for site in sites
            ]
            for number, row in served
        ]
    )
    figures = {name: _figures(file, name, served, columns, faults) for name in ("weight", "demand")}
    extra = {
        name: np.array([_cell(file, (number, titles[site]), row[site], faults) for site in sites])
        for name, (number, row) in about.items()
    }
    if faults.faults or not served:
        return None
    weight = figures["weight"]
    return LocationFile(
        name=file,
        layout="matrix",
        sites=tuple(titles[site] for site in sites),
        customers=tuple(row["customer"] for _, row in served),
        distance=np.ascontiguousarray(distance.T),
        weight=np.ones(len(served)) if weight is None else weight,
        demand=figures["demand"],
        capacity=extra.get("capacity"),
        fixed=extra.get("fixed_cost"),
    )


def _points(file: str, rows: _Rows, faults: FaultList) -> LocationFile | None:
    columns, records = _header(file, rows, _POINT_COLUMNS, faults)
    for number, row in records:
        if row["kind"] not in _KINDS:
            faults.add(
                file, number, "kind", what="unknown kind", found=row["kind"], allowed=", ".join(_KINDS)
            )
    where = [
        (
            _cell(file, (n, "lat"), row["lat"], faults, -90, 90),
            _cell(file, (n, "lon"), row["lon"], faults, -180, 180),
        )
        for n, row in records
    ]
    is_site = np.array([row["kind"] in ("site", "both") for _, row in records], dtype=bool)
    is_customer = np.array([row["kind"] in ("customer", "both") for _, row in records], dtype=bool)
    if records and not (is_site.any() and is_customer.any()):
        faults.add(file, None, "kind", what="at least one site and one customer are needed")
    parts = {
        True: [record for record, one in zip(records, is_site, strict=True) if one],
        False: [record for record, one in zip(records, is_customer, strict=True) if one],
    }
    for part in parts.values():
        _unique(file, "name", [(number, row["name"]) for number, row in part], faults)
    of_site = {name: name in ("capacity", "fixed_cost") for name in _POINT_FIGURES}
    figures = {name: _figures(file, name, parts[of_site[name]], columns, faults) for name in _POINT_FIGURES}
    if faults.faults:
        return None
    lat, lon = np.array(where).T
    weight = figures["weight"]
    return LocationFile(
        name=file,
        layout="points",
        sites=tuple(row["name"] for _, row in parts[True]),
        customers=tuple(row["name"] for _, row in parts[False]),
        distance=great_circle_km(lat[is_site], lon[is_site], lat[is_customer], lon[is_customer]),
        weight=np.ones(int(is_customer.sum())) if weight is None else weight,
        demand=figures["demand"],
        capacity=figures["capacity"],
        fixed=figures["fixed_cost"],
    )


def _figures(
    file: str, name: str, records: list[tuple[int, dict[str, str]]], columns: list[str], faults: FaultList
) -> FloatArray | None:
    if name not in columns:
        return None
    return np.array([_cell(file, (number, name), row[name], faults) for number, row in records])


def _unique(file: str, column: str, names: list[tuple[int, str]], faults: FaultList) -> None:
    seen: dict[str, int] = {}
    for number, name in names:
        if not name or name in seen:
            what = f"duplicate of row {seen[name]}" if name else "name is missing"
            faults.add(file, number, column, what=what, found=name)
        seen.setdefault(name, number)


def _text(path: Path, faults: FaultList) -> str:
    text = read_text(path, faults, "a text file", shown=str(path))
    if text is None:
        return ""
    if not text.strip():
        faults.add(path.name, what="the file is empty")
    return text


def _number(word: str) -> float | None:
    """A finite number, or none."""
    try:
        number = float(word)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
