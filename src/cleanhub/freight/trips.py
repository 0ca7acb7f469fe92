"""Trips of a working day between terminals and their customers, from the containers of a year.

TEU a year / TEU per box, less boxes that rail takes on the dock, / working days = container moves by truck
a day; / moves per visit = visits of trucks to terminals a day. The gravity model of
:mod:`cleanhub.freight.gravity` shares them out: terminals by their containers, classes of destination by
``trip_band_share``, destinations of a class by size and distance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cleanhub.core.errors import Fault, FaultList, InputError
from cleanhub.freight.figures import Figures
from cleanhub.freight.gravity import Fit, calibrate_gravity, flows_by_length
from cleanhub.freight.problem import FloatArray, IntArray, Trips, Zones
from cleanhub.freight.zones import ALL

SMALLEST_FLOW = 1e-6
"""Visits a day below which a pair of places is left out."""


@dataclass(frozen=True)
class Volume:
    """Containers: ``teu`` and ``boxes`` a year, ``moves`` by truck and ``visits`` to terminals a day."""

    teu: float
    boxes: float
    moves: float
    visits: float


@dataclass(frozen=True)
class TripModel:
    """Trips with what the model found.

    ``beta`` [1/km] is the deterrence of distance (0 with bins), ``mean_km`` the mean loaded one-way trip,
    ``reached`` whether the target was met, ``fit`` the flows (terminals, destinations); ``missing`` names
    classes of destination that have a share of trips but no place: the others took it over.
    """

    trips: Trips
    volume: Volume
    beta: float
    mean_km: float
    reached: bool
    fit: Fit
    missing: tuple[str, ...]


def truck_volume(teu: float, figures: Figures) -> Volume:
    """Container moves and visits a working day from ``teu`` a year.

    Raises :class:`~cleanhub.core.errors.InputError` for a negative volume and for figures out of range.
    """
    faults = FaultList()
    per_box, per_visit = figures.value("teu_per_box"), figures.value("moves_per_visit")
    by_rail, days = figures.value("on_dock_rail_share"), figures.value("working_days", unit="d/yr")
    if not (np.isfinite(teu) and teu >= 0):
        faults.add("port_throughput.csv", None, "teu", what="volume", found=teu, allowed="0 or more")
    file = "freight_parameters.csv"
    for name, found in (("teu_per_box", per_box), ("moves_per_visit", per_visit), ("working_days", days)):
        if not found > 0:
            faults.add(file, None, "value", what=name, found=found, allowed="more than 0")
    if not 0 <= by_rail <= 1:
        faults.add(file, None, "value", what="on_dock_rail_share", found=by_rail, allowed="0 to 1")
    faults.raise_if_any("truck volume")
    boxes = teu / per_box
    moves = boxes * (1 - by_rail) / days
    return Volume(teu, boxes, moves, moves / per_visit)


def build_trips(zones: Zones, km: FloatArray, figures: Figures, throughput: float) -> Trips:
    """Trips of a working day; see :func:`trip_model`."""
    return trip_model(zones, km, figures, throughput).trips


def trip_model(
    zones: Zones,
    km: FloatArray,
    figures: Figures,
    throughput: float,
    length_edges_km: FloatArray | None = None,
    length_share: FloatArray | None = None,
) -> TripModel:
    """Trips from ``throughput`` [TEU/yr] over zones with road distances ``km`` (Z, Z).

    Given a distribution of trip lengths (``length_share`` in bins of ``length_edges_km``), it takes the
    place of classes of destination and of the mean distance.

    Raises :class:`~cleanhub.core.errors.InputError` for a negative volume, for terminals without
    containers and where no destination has a size; unreachable destinations are listed by name.
    """
    volume = truck_volume(throughput, figures)
    origin = np.flatnonzero((zones.kind == "terminal") & (zones.weight > 0))
    sized = np.flatnonzero((zones.kind != "terminal") & (zones.weight > 0))
    empty = Trips(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
    if not (zones.kind == "terminal").any() or volume.visits == 0:
        return TripModel(empty, volume, 0.0, 0.0, True, Fit(np.zeros((0, 0)), 0.0, 0, True), ())
    _check_places(zones, km, origin, sized)
    made = volume.visits * zones.weight[origin] / zones.weight[origin].sum()
    cost, weight = km[np.ix_(origin, sized)], zones.weight[sized]
    missing: tuple[str, ...] = ()
    if length_edges_km is not None and length_share is not None:
        one = np.zeros(len(sized), dtype=np.int64)
        total = np.array([made.sum()])
        fit = flows_by_length(made, one, total, weight, cost, length_edges_km, length_share)
        beta, reached = 0.0, fit.converged
    else:
        band, total, missing = _band_totals(zones, sized, figures, float(made.sum()))
        target = None
        if figures.has("trip_mean_distance"):
            target = figures.value("trip_mean_distance", unit="km")
        found = calibrate_gravity(made, band, total, weight, cost, target)
        fit, beta, reached = found.fit, found.beta, found.reached
    trips = _as_trips(fit.flow, origin, sized)
    mean = float((fit.flow * cost).sum() / max(fit.flow.sum(), 1e-300))
    return TripModel(trips, volume, beta, mean, reached, fit, missing)


def _as_trips(flow: FloatArray, origin: IntArray, destination: IntArray) -> Trips:
    """Cells above the smallest flow, by destination then origin; what is dropped is shared out again."""
    by_destination = flow.T
    kept = by_destination >= SMALLEST_FLOW
    j, i = np.nonzero(kept)
    per_day = by_destination[kept]
    per_day = per_day * (flow.sum() / max(per_day.sum(), 1e-300))
    return Trips(origin[i].astype(np.int64), destination[j].astype(np.int64), per_day)


def _band_totals(
    zones: Zones, sized: IntArray, figures: Figures, visits: float
) -> tuple[IntArray, FloatArray, tuple[str, ...]]:
    """Class of each destination (J,), trips of each class (B,), classes with a share but no place."""
    present = sorted(set(zones.band[sized]))
    shares = figures.items("trip_band_share") or {ALL: 1.0}
    negative = [
        Fault("freight_parameters.csv", None, "value", f"{share:g}", "0 or more", f"trip_band_share, {name}")
        for name, share in shares.items()
        if not share >= 0
    ]
    share = np.array([shares.get(name, 0.0) for name in present])
    if negative or not share.sum() > 0:
        nothing = Fault("freight_parameters.csv", None, "value", what="no class of destination has a share")
        raise InputError("trips", negative or [nothing])
    missing = tuple(name for name, part in shares.items() if part > 0 and name not in present)
    position = {name: b for b, name in enumerate(present)}
    band = np.array([position[name] for name in zones.band[sized]], dtype=np.int64)
    return band, visits * share / share.sum(), missing


def _check_places(zones: Zones, km: FloatArray, origin: IntArray, sized: IntArray) -> None:
    faults = FaultList()
    if not len(origin):
        faults.add("port_throughput.csv", None, "teu", what="terminals without containers", found=0)
    if not len(sized):
        what = "no rail yard, warehouse cluster or gateway of any size"
        faults.add("warehouse_clusters.csv", None, "establishments", what=what)
    for j in sized[~np.isfinite(km[np.ix_(origin, sized)]).all(axis=0)] if len(origin) else ():
        faults.add("zones", None, "lat+lon", what="unreachable destination", found=zones.name[j])
    faults.raise_if_any("trips")
