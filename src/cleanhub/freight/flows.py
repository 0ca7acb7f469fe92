"""Trucks on the roads: truck-days laid over the arcs of the network.

Every pair of places that a leg joins is routed once. What comes from a user's own trips leaves only
where at least :data:`LEAST_TRUCKS` different trucks use an arc.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from cleanhub.core.tables import conform
from cleanhub.freight.network import Network
from cleanhub.freight.problem import BoolArray, FloatArray, IntArray, TruckDays, Zones
from cleanhub.hub.charging_tables import ROAD_FLOW

LEAST_TRUCKS = 5
"""Trucks that an aggregate of a user's own trips must hold to leave (design, section 6)."""
LEAST_SHOWN = 1.0
"""Trucks a day below which an arc is left out of the table."""


def road_flow(
    network: Network,
    ways: Ways,
    electric_share: FloatArray,
    least: float = LEAST_SHOWN,
) -> pd.DataFrame:
    """Table ``road_flow``: trucks a day by arc, and the battery-electric ones, by arc number.

    ``electric_share`` (G,) is the part of each truck-day group that runs on batteries. Arcs with fewer than
    ``least`` trucks a day are left out.
    """
    trucks, electric = ways.sums(electric_share)
    return _table(network, trucks, electric, trucks >= max(least, 1e-12))


def private_road_flow(
    network: Network,
    zones: Zones,
    truck_days: TruckDays,
    electric_share: FloatArray,
    truck: IntArray,
    least_trucks: int = LEAST_TRUCKS,
) -> tuple[pd.DataFrame, int]:
    """The same from a user's own trips, and how many used arcs are withheld.

    ``truck`` (G,) numbers the truck of each truck-day: an arc that fewer than ``least_trucks``
    different trucks use is withheld whole.
    """
    ways = Ways(network, zones, truck_days)
    trucks, electric = ways.sums(electric_share)
    used = trucks > 0
    shown = used & (ways.different(truck) >= least_trucks)
    return _table(network, trucks, electric, shown), int((used & ~shown).sum())


class Ways:
    """Legs of truck-days with the arcs that they use; each pair of places is routed once.

    Raises ``InputError`` for a place off the network.
    """

    def __init__(self, network: Network, zones: Zones, truck_days: TruckDays) -> None:
        self.days, self.arcs, count = truck_days, len(network.tail), max(len(zones.name), 1)
        self.legs = np.flatnonzero(truck_days.leg_from != truck_days.leg_to)
        code = truck_days.leg_from[self.legs] * count + truck_days.leg_to[self.legs]
        pairs, self.pair_of = np.unique(code, return_inverse=True)
        self.pairs = len(pairs)
        start, end = pairs // count, pairs % count
        self.pair, self.arc = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        if self.pairs:
            places = zones.lat[start], zones.lon[start], zones.lat[end], zones.lon[end]
            self.pair, self.arc = network.paths(*places)

    def sums(self, electric_share: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Trucks and battery-electric trucks a day by arc, (A,)."""
        group = self.days.leg_group[self.legs]
        weight = self.days.trucks[group]
        return self._by_arc(weight), self._by_arc(weight * electric_share[group])

    def different(self, truck: IntArray) -> IntArray:
        """How many different trucks use each arc, (A,); ``truck`` (G,) numbers them."""
        from scipy.sparse import csr_array

        shape = int(truck.max(initial=0)) + 1, self.pairs
        who = truck[self.days.leg_group[self.legs]]
        drives = csr_array((np.ones(len(who), dtype=np.int64), (who, self.pair_of)), shape=shape)
        over = np.ones(len(self.arc), dtype=np.int64)
        uses = drives @ csr_array((over, (self.pair, self.arc)), shape=(self.pairs, self.arcs))
        return np.bincount(uses.indices, minlength=self.arcs).astype(np.int64)

    def _by_arc(self, weight: FloatArray) -> FloatArray:
        by_pair = np.bincount(self.pair_of, weights=weight, minlength=self.pairs)
        return np.bincount(self.arc, weights=by_pair[self.pair], minlength=self.arcs).astype(np.float64)


def _table(network: Network, trucks: FloatArray, electric: FloatArray, shown: BoolArray) -> pd.DataFrame:
    arc = np.flatnonzero(shown)
    tail, head = network.tail[arc], network.head[arc]
    frame = pd.DataFrame(
        {
            "arc_id": arc,
            "from_lat": network.lat[tail],
            "from_lon": network.lon[tail],
            "to_lat": network.lat[head],
            "to_lon": network.lon[head],
            "trucks_per_day": trucks[arc],
            "ze_trucks_per_day": np.minimum(electric[arc], trucks[arc]),
            "licence": network.licence,
        }
    )
    return conform(frame, ROAD_FLOW)
