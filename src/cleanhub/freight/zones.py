"""Zones: the places that drayage trucks serve, their size and the class of destination they belong to.

Terminals come from ``infrastructure.csv`` (kind terminal), with the containers of their port shared
out among them; rail yards from there too; warehouse clusters from ``warehouse_clusters.csv``;
gateways, through which freight leaves the region, from ``freight_places.csv``. The share of trips by class
of destination is what is known (``trip_band_share``), so every destination gets the class of its
road distance from the terminals: classes whose name ends in ``rail`` take rail yards, the others
clusters and gateways.
"""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList
from cleanhub.core.units import factor
from cleanhub.freight.figures import Figures
from cleanhub.freight.globe import great_circle_km
from cleanhub.freight.network import Network
from cleanhub.freight.problem import FloatArray, TextArray, Zones
from cleanhub.hub.package import Hub

ALL = "all"
"""Class of every destination of a hub that knows no classes."""
RAIL = "rail"
GATEWAY_UNIT_M2 = 1e6
"""A gateway of weight 1 draws as many trips as a cluster with so much floor space [m2]."""


def build_zones(hub: Hub, figures: Figures, network: Network | None = None) -> Zones:
    """Zones of a hub, terminals first; a hub without terminals has none.

    ``network`` gives road distances; without one they are straight lines times ``road_circuity``.
    The weight of terminals is containers a year [TEU], of clusters and gateways floor space
    [m2], of rail yards lifts a year. Destinations in no class of distance are left out.

    Raises :class:`~cleanhub.core.errors.InputError` when two zones have one name, a weight is negative or
    a place lies off the roads.
    """
    terminals = _terminals(hub)
    if terminals.empty:
        return _zones(terminals.assign(band=""))
    others = pd.concat([_rail_yards(hub), _clusters(hub, figures), _gateways(hub)], ignore_index=True)
    km = _from_terminals(terminals, others, figures, network)
    others = others.assign(band=_bands(others["kind"].to_numpy(object), km, figures))
    others["weight"] = _with_unknown_yards(others)
    both = pd.concat([terminals.assign(band=""), others[others["band"] != ""]], ignore_index=True)
    _check(both)
    return _zones(both)


def container_throughput(hub: Hub) -> float:
    """Containers of the ports that have terminals in the hub, in their last year known [TEU/yr]."""
    named = _port_of_terminals(hub)
    totals = _port_totals(hub)
    return float(sum(totals.get(port, 0.0) for port in sorted(set(named))))


def port_distance(zones: Zones, km: FloatArray) -> FloatArray:
    """Mean distance of every zone from the terminals, weighted by their containers, shape (Z,) [km]."""
    is_terminal = zones.kind == "terminal"
    weight = zones.weight[is_terminal]
    if not len(weight):
        return np.zeros(len(zones.name))
    share = weight / weight.sum() if weight.sum() > 0 else np.full(len(weight), 1 / len(weight))
    return np.asarray(share @ km[is_terminal], dtype=np.float64)


def _zones(frame: pd.DataFrame) -> Zones:
    text = {name: frame[name].to_numpy(object) for name in ("name", "title", "kind", "band")}
    number = {name: frame[name].to_numpy(np.float64) for name in ("lat", "lon", "weight")}
    return Zones(**text, **number)


_COLUMNS = ["name", "title", "kind", "lat", "lon", "weight", "file"]


def _frame(table: pd.DataFrame, name: str, title: str, kind: str, weight: object, file: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": table[name].to_numpy(object),
            "title": table[title].to_numpy(object),
            "kind": kind,
            "lat": table["lat"].to_numpy(np.float64),
            "lon": table["lon"].to_numpy(np.float64),
            "weight": weight,
            "file": file,
        },
        columns=_COLUMNS,
    )


def _infrastructure(hub: Hub, kind: str) -> pd.DataFrame:
    table = hub.tables["infrastructure"]
    return table[(table["kind"] == kind) & table["lat"].notna() & table["lon"].notna()]


# ---------------------------------------------------------------- terminals


def _port_totals(hub: Hub) -> dict[str, float]:
    """Containers of each port in the last year known [TEU/yr]."""
    table = hub.tables["port_throughput"]
    totals = table[table["measure"] == "total"].sort_values("year", kind="stable")
    return {str(port): float(rows["teu"].iloc[-1]) for port, rows in totals.groupby("port", sort=True)}


def _port_of_terminals(hub: Hub) -> TextArray:
    """Port of each terminal as ``port_throughput.csv`` names it; empty where it names none."""
    terminals, ports = _infrastructure(hub, "terminal"), hub.tables["infrastructure"]
    titles = dict(zip(ports["infrastructure_id"], ports["name"], strict=True))
    known = sorted(_port_totals(hub), key=len, reverse=True)
    of = [str(titles.get(part, "")) for part in terminals["part_of"]]
    return np.array([next((p for p in known if title.endswith(p)), "") for title in of], dtype=object)


def _terminals(hub: Hub) -> pd.DataFrame:
    """Terminals with their containers: as given where they are, the rest of the port in equal shares."""
    table = _infrastructure(hub, "terminal")
    port, totals = _port_of_terminals(hub), _port_totals(hub)
    in_teu = (table["unit"] == "TEU/yr").to_numpy()
    given = np.where(in_teu, table["value"].to_numpy(np.float64), np.nan)
    teu = np.zeros(len(table))
    for name in sorted(set(port)):
        mine = port == name
        known = np.nansum(given[mine])
        total = totals.get(str(name), known)
        blank = np.isnan(given[mine]).sum()
        rest = max(total - known, 0.0) / blank if blank else 0.0
        filled = np.where(np.isnan(given[mine]), rest, given[mine])
        teu[mine] = filled * (total / filled.sum() if filled.sum() > 0 else 1.0)
    return _frame(table, "infrastructure_id", "name", "terminal", teu, "infrastructure.csv")


# ---------------------------------------------------------------- destinations


def _rail_yards(hub: Hub) -> pd.DataFrame:
    """Rail yards by lifts a year; a yard without a figure counts only where its class has no other."""
    table = _infrastructure(hub, "rail_yard")
    weight = table["value"].fillna(0.0).to_numpy(np.float64)
    return _frame(table, "infrastructure_id", "name", "rail_yard", weight, "infrastructure.csv")


def _clusters(hub: Hub, figures: Figures) -> pd.DataFrame:
    """Warehouse clusters by floor space.

    Establishments under-weight mega-sites, so floor space is what counts: establishments times the floor
    space of one, or what is known to stand (``cluster_floor_area``) where that is more, and a
    part of what is planned.
    """
    table = hub.tables["warehouse_clusters"]
    if table.empty:
        return pd.DataFrame(columns=_COLUMNS)
    counted = table["establishments"].fillna(0.0).to_numpy(np.float64)
    floor = counted * figures.value("warehouse_floor", "per_establishment", "m2")
    stands = figures.items("cluster_floor_area", "m2")
    floor = np.maximum(floor, [stands.get(str(name), 0.0) for name in table["cluster"]])
    planned = table["planned_m2"].fillna(0.0).to_numpy(np.float64)
    floor = floor + figures.value("warehouse_floor", "planned_counted") * planned
    named = table.assign(zone=["cluster-" + _slug(str(name)) for name in table["cluster"]])
    twice = named["zone"].duplicated(keep=False)
    county = [_slug(str(name)) for name in named["county"].fillna("")]
    named["zone"] = np.where(twice, named["zone"] + "-" + np.array(county, dtype=object), named["zone"])
    return _frame(named, "zone", "cluster", "cluster", floor, "warehouse_clusters.csv")


def _gateways(hub: Hub) -> pd.DataFrame:
    table = hub.tables["freight_places"]
    table = table[table["kind"] == "gateway"]
    weight = table["weight"].fillna(1.0).to_numpy(np.float64) * GATEWAY_UNIT_M2
    return _frame(table, "place_id", "name", "gateway", weight, "freight_places.csv")


def _with_unknown_yards(others: pd.DataFrame) -> FloatArray:
    """Weights, with equal ones for the rail yards of a class in which no yard has a figure."""
    weight = others["weight"].to_numpy(np.float64).copy()
    yard = (others["kind"] == "rail_yard").to_numpy()
    known = pd.Series(np.abs(weight)).groupby(others["band"].to_numpy(object)).transform("sum").to_numpy()
    weight[yard & (known == 0)] = 1.0
    return weight


def _from_terminals(
    terminals: pd.DataFrame, others: pd.DataFrame, figures: Figures, network: Network | None
) -> FloatArray:
    """Mean road distance of destinations from the terminals, weighted by containers, shape (n,) [km]."""
    ends = [frame[axis].to_numpy(np.float64) for frame in (terminals, others) for axis in ("lat", "lon")]
    if network is not None:
        _check_roads(pd.concat([terminals, others]), network)
        km = network.between(*ends).km
    else:
        straight = great_circle_km(ends[0][:, None], ends[1][:, None], ends[2], ends[3])
        km = straight * figures.value("road_circuity")
    weight = terminals["weight"].to_numpy(np.float64)
    share = weight / weight.sum() if weight.sum() > 0 else np.full(len(weight), 1 / len(weight))
    return np.asarray(share @ km, dtype=np.float64)


def _bands(kind: TextArray, km: FloatArray, figures: Figures) -> TextArray:
    """Class of each destination by kind and distance; empty where none takes it."""
    shares = figures.items("trip_band_share")
    if not shares:
        return np.full(len(kind), ALL, dtype=object)
    band = np.full(len(kind), "", dtype=object)
    miles = km / factor("mi", "km")
    for name in shares:
        low, high = figures.value("trip_band_from", name, "mi"), figures.value("trip_band_to", name, "mi")
        of_kind = (kind == "rail_yard") == name.endswith(RAIL)
        band[of_kind & (miles >= low) & (miles < high)] = name
    return band


def _check_roads(frame: pd.DataFrame, network: Network) -> None:
    """Every place must lie near a road: all that do not are named."""
    _, km = network.snap(frame["lat"].to_numpy(np.float64), frame["lon"].to_numpy(np.float64))
    faults = FaultList()
    for row in np.flatnonzero(~(km <= network.snap_limit_km)):
        place = frame.iloc[int(row)]
        faults.add(
            str(place["file"]), None, "lat, lon", what=f"{place['name']} ({place['title']}) is off the roads",
            found=f"{km[row]:.0f} km from one", allowed=f"at most {network.snap_limit_km:.0f} km",
        )  # fmt: skip
    faults.raise_if_any(f"zones on {network.name}")


def _check(frame: pd.DataFrame) -> None:
    faults = FaultList()
    for row in frame[frame["name"].duplicated()].itertuples():
        faults.add(str(row.file), None, "name", what="duplicate zone", found=row.name)
    for row in frame[~(frame["weight"] >= 0)].itertuples():
        what = f"size of {row.name}"
        faults.add(str(row.file), None, "weight", what=what, found=row.weight, allowed="0 or more")
    faults.raise_if_any("zones")


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(c if c.isalnum() else " " for c in plain).split())
