"""Segments of the market: one product in one region, what makes it today, and what could.

A segment is what tipping points are told of. Plants of one sector, product and region form
one; a class of vehicles, vessels or aircraft forms one with all that replace the same
technology in the region. Nothing here knows a technology by name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.pathways.problem import Problem

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Segment:
    """One product of one sector in one region.

    ``incumbent`` is the technology that holds most capacity at the start (-1: the library knows
    none); ``options`` the cleaner ones that its plants or buyers may turn to, in any number
    of steps; ``load`` the share of capacity that a new plant runs at; ``markets`` and
    ``vehicles`` the positions of the markets and vehicle classes that it holds.
    """

    sector: str
    product: str
    region: int
    incumbent: int
    options: IntArray
    load: float
    markets: IntArray
    vehicles: tuple[int, ...] = ()

    @property
    def is_vehicles(self) -> bool:
        """Whether buyers of vehicles decide, and not owners of plants."""
        return bool(self.vehicles)


def build_segments(problem: Problem, rank: IntArray | None = None) -> list[Segment]:
    """Every segment of ``problem``, plants first, ordered by sector, product and region.

    ``rank`` orders classes of technology (K,), the cleanest last. An option is cleaner than the
    incumbent when it emits less per unit or is of a later class.
    """
    order = np.zeros(len(problem.tech.names), dtype=np.int64) if rank is None else rank
    return [*_of_plants(problem, order), *_of_vehicles(problem, order)]


def _cleaner(problem: Problem, options: NDArray[np.bool_], incumbent: int, rank: IntArray) -> IntArray:
    if incumbent < 0:
        return np.flatnonzero(options)
    direct = problem.tech.direct
    less = direct < direct[incumbent] * (1.0 - 1e-9)
    clean = (less & (rank >= rank[incumbent])) | (rank > rank[incumbent])
    clean[incumbent] = False
    return np.flatnonzero(options & clean)


def reachable(kinds: IntArray) -> NDArray[np.bool_]:
    """Which technology can become which in any number of switches, (K, K)."""
    reach = kinds > 0
    for by_way_of in range(len(reach)):  # Warshall's closure
        reach[reach[:, by_way_of]] |= reach[by_way_of]
    return reach


def _of_plants(problem: Problem, rank: IntArray) -> list[Segment]:
    markets, plants, tech = problem.markets, problem.plants, problem.tech
    reach = reachable(problem.kinds)
    held: dict[tuple[str, str, int], set[int]] = {}
    for m in np.flatnonzero(markets.meets_demand):
        key = (str(markets.sector[m]), str(markets.product[m]), int(markets.region[m]))
        held.setdefault(key, set()).add(int(m))
    known = np.flatnonzero(plants.start >= 0)
    keys = [
        (str(markets.sector[m]), str(tech.product[k]), int(markets.region[m]))
        for m, k in zip(plants.market[known], plants.start[known], strict=True)
    ]
    for key, m in zip(keys, plants.market[known], strict=True):
        held.setdefault(key, set()).add(int(m))
    code = {key: i for i, key in enumerate(sorted(held))}
    coded = np.array([code[key] for key in keys], dtype=np.int64)
    out = []
    for key in sorted(held):
        sector, product, region = key
        mine = known[coded == code[key]]
        starts = plants.start[mine]
        meets = np.array([m for m in sorted(held[key]) if markets.meets_demand[m]], dtype=np.int64)
        options = reach[np.unique(starts)].any(axis=0) | markets.offered[meets].any(axis=0)
        options &= (tech.product == product) & ~tech.is_vehicle
        incumbent = _leading(problem, starts, plants.capacity[mine], product)
        load = float(markets.high[meets].max()) if len(meets) else 1.0
        out.append(
            Segment(
                sector=sector,
                product=product,
                region=region,
                incumbent=incumbent,
                options=_cleaner(problem, options, incumbent, rank),
                load=load if load > 0 else 1.0,
                markets=np.array(sorted(held[key]), dtype=np.int64),
            )
        )
    return out


def _leading(problem: Problem, starts: IntArray, capacity: FloatArray, product: str) -> int:
    tech = problem.tech
    if len(starts) and capacity.sum() > 0:
        return int(np.bincount(starts, capacity, len(tech.names)).argmax())
    usual = np.flatnonzero(tech.is_default & (tech.product == product))
    return int(usual[0]) if len(usual) else -1


def _of_vehicles(problem: Problem, rank: IntArray) -> list[Segment]:
    tech = problem.tech
    held: dict[tuple[str, str, int, int], list[int]] = {}
    for v, cls in enumerate(problem.vehicles):
        own = int(cls.options[0])
        held.setdefault((cls.sector, str(tech.product[own]), cls.region, own), []).append(v)
    out = []
    for (sector, product, region, own), classes in sorted(held.items()):
        offered = np.zeros(len(tech.names), dtype=bool)
        for v in classes:
            offered[problem.vehicles[v].options] = True
        none = np.zeros(0, dtype=np.int64)
        options = _cleaner(problem, offered, own, rank)
        out.append(Segment(sector, product, region, own, options, 1.0, none, tuple(classes)))
    return out
