"""Visits of trucks to terminals, one by one: terminal, customer, extra stop, base and dwell of each.

Trips are fractions of visits a day; shifts hold whole ones. Systematic sampling makes them whole such that
no pair of places is off by more than one. Bases and extra stops are clusters drawn by size. Letters in
shapes: V visits, Z zones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cleanhub.freight.figures import Figures
from cleanhub.freight.problem import BoolArray, FloatArray, IntArray, Trips, Zones
from cleanhub.freight.zones import port_distance


@dataclass(frozen=True)
class Visits:
    """Visits of trucks to terminals, each shape (V,), sorted by base and, within it, by shift to be filled.

    ``terminal``, ``customer``, ``home`` are positions in the zones, ``stop`` is the extra stop after the
    customer (the customer itself: none). ``terminal_dwell``, ``customer_dwell`` and ``stop_dwell`` are
    hours; that at the customer includes the wait for the next load. ``each`` is how many trips of a
    day one visit stands for (close to 1).
    """

    terminal: IntArray
    customer: IntArray
    stop: IntArray
    home: IntArray
    terminal_dwell: FloatArray
    customer_dwell: FloatArray
    stop_dwell: FloatArray
    each: float


def draw_visits(
    trips: Trips, zones: Zones, km: FloatArray, figures: Figures, draw: np.random.Generator
) -> Visits:
    """Whole visits with base and dwell, in the order in which shifts take them."""
    total = float(trips.per_day.sum())
    count = max(round(total), 1)
    row = np.repeat(np.arange(len(trips.per_day)), systematic_counts(trips.per_day * (count / total), draw))
    terminal, customer = trips.origin[row], trips.destination[row]
    home = _bases(customer, zones, km, figures, draw)
    spread = draw.normal(0.0, max(figures.value("load_mix"), 0.0), count)
    order = np.lexsort((np.log(np.maximum(km[terminal, customer], 0.1)) + spread, home))
    terminal, customer, home = terminal[order], customer[order], home[order]
    at_terminal = np.full(count, figures.value("dwell", "terminal", "h"))
    at_customer = _customer_dwell(zones.kind[customer] == "rail_yard", figures, draw)
    variation = max(figures.value("dwell_variation"), 1e-9)
    shape = 1 / variation**2
    vary = draw.gamma(shape, 1 / shape, (3, count))
    stop = _extra_stops(customer, zones, km, figures, draw)
    return Visits(
        terminal,
        customer,
        stop,
        home,
        at_terminal * vary[0],
        at_customer * vary[1] + figures.value("dispatch_wait", unit="h"),
        np.where(stop != customer, figures.value("dwell", "drop_and_hook", "h") * vary[2], 0.0),
        total / count,
    )


def _extra_stops(
    customer: IntArray, zones: Zones, km: FloatArray, figures: Figures, draw: np.random.Generator
) -> IntArray:
    """Where each truck goes after its customer, (V,): another cluster nearby, drawn by size, or none."""
    cluster = np.flatnonzero((zones.kind == "cluster") & (zones.weight > 0))
    goes = draw.random(len(customer)) < figures.value("extra_stop_share")
    near = km[:, cluster] <= figures.value("extra_stop_within", unit="km")
    near &= cluster[None, :] != np.arange(len(zones.name))[:, None]
    summed = np.cumsum(near * zones.weight[cluster], axis=1)[customer]
    if not summed.shape[1]:
        return customer.copy()
    pick = (draw.random(len(customer)) * summed[:, -1])[:, None]
    found = cluster[np.minimum((summed <= pick).sum(axis=1), len(cluster) - 1)]
    return np.asarray(np.where(goes & (summed[:, -1] > 0), found, customer), dtype=np.int64)


def systematic_counts(expected: FloatArray, draw: np.random.Generator) -> IntArray:
    """Whole numbers near ``expected``, (n,), every running sum within one of the expected running sum.

    The sum of ``expected`` is a whole number (but for rounding) and is met.
    """
    edges: FloatArray = np.floor(np.concatenate([[0.0], np.cumsum(expected)]) + draw.random() + 1e-9)
    edges[-1] = edges[0] + round(float(expected.sum()))
    return np.asarray(np.maximum(np.diff(np.minimum(edges, edges[-1])), 0), dtype=np.int64)


def _customer_dwell(at_yard: BoolArray, figures: Figures, draw: np.random.Generator) -> FloatArray:
    """Mean dwell of each visit by kind of stop [h]."""
    live = draw.random(len(at_yard)) < figures.value("live_unload_share")
    kinds = ("rail_yard", "live_unload", "drop_and_hook")
    yard, unload, drop = (figures.value("dwell", kind, "h") for kind in kinds)
    return np.where(at_yard, yard, np.where(live, unload, drop))


def _bases(
    customer: IntArray, zones: Zones, km: FloatArray, figures: Figures, draw: np.random.Generator
) -> IntArray:
    """Base of the truck of each visit, (V,): a cluster, drawn by size."""
    cluster = np.flatnonzero((zones.kind == "cluster") & (zones.weight > 0))
    if not len(cluster):
        return customer.copy()
    weight = zones.weight[cluster]
    from_port: FloatArray = port_distance(zones, km)[cluster]
    within = max(figures.value("home_near_port_within", unit="km"), float(from_port.min()))
    near: FloatArray = (from_port <= within) * weight
    reach = km[:, cluster] <= figures.value("home_near_customer_within", unit="km")
    nearest = km[:, cluster] <= km[:, cluster].min(axis=1, keepdims=True)
    local = np.where(np.any(reach, axis=1, keepdims=True), reach, nearest) * weight
    # Trucks of a customer with no cluster in reach park at the cluster nearest to it.
    at_port = draw.random(len(customer)) < _port_share(zones, figures)[customer]
    chance = np.where(at_port[:, None], near, local[customer])
    summed = np.cumsum(chance, axis=1)
    pick = (draw.random(len(customer)) * summed[:, -1])[:, None]
    found = cluster[np.minimum((summed <= pick).sum(axis=1), len(cluster) - 1)]
    return np.asarray(found, dtype=np.int64)


def _port_share(zones: Zones, figures: Figures) -> FloatArray:
    """Share of trucks serving each zone that park near the port, (Z,)."""
    by_band = figures.items("home_near_port_share")
    usual = by_band.get("", figures.value("home_near_port_share"))
    return np.array([by_band.get(str(band), usual) for band in zones.band])
