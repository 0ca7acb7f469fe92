"""Plants gathered into groups that need not be told apart, and the plants that may be built.

Plants of one market that start with the same technology, fall due in the same years and close
in the same year are one group. Outside markets that meet a demand they must also make the same
relative to their size in every year. Where a limit counts changes, or an option is for large
sites only, or plants change whole, they must be of one size too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cleanhub.pathways.optimal_cost import Accounts
from cleanhub.pathways.optimal_network import BUILD, STAND, Kind, Network, Networks
from cleanhub.pathways.problem import COUNT, FloatArray, IntArray, Problem


@dataclass
class Block:
    """Groups that share one network.

    ``members`` of each group are plants, or additions where ``added``; none where the plants are yet
    to be built. ``flow`` is the number of plants of each group (G,) (NaN: free), ``size`` the
    capacity of one (G,), ``product`` what one makes by year (G, T) where that is given.
    ``first`` is the position of the first column: those of a group follow each other.
    """

    network: Network
    members: list[IntArray]
    flow: FloatArray
    size: FloatArray
    product: FloatArray
    added: bool = False
    first: int = 0

    @property
    def groups(self) -> int:
        """Number of groups."""
        return len(self.flow)

    def columns(self, which: IntArray) -> IntArray:
        """Positions of the columns ``which`` of the network, for every group (G, len)."""
        starts = self.first + np.arange(self.groups) * self.network.columns
        return np.asarray(starts[:, None] + which[None, :])


def build_blocks(accounts: Accounts, whole_plants: bool) -> list[Block]:
    """Blocks of the plants at the start, of the committed additions and of what may be built."""
    problem = accounts.problem
    networks = Networks(accounts)
    blocks = [*_starting(networks, whole_plants), *_committed(networks), *_new(networks)]
    return [block for block in blocks if len(problem.years)]


def _starting(networks: Networks, whole_plants: bool) -> list[Block]:
    problem = networks.accounts.problem
    plants, markets, tech = problem.plants, problem.markets, problem.tech
    counted = _counted(problem)
    groups: dict[tuple[Any, ...], list[int]] = {}
    made = np.where(markets.meets_demand[plants.market][:, None], plants.capacity[:, None], plants.made)
    most = made.max(axis=1, initial=0.0)
    profile = np.round(np.divide(made, most[:, None], out=np.zeros_like(made), where=most[:, None] > 0), 10)
    for n in np.flatnonzero(plants.start >= 0).tolist():
        m, start = int(plants.market[n]), int(plants.start[n])
        region = int(markets.region[m])
        ks = networks.reach(region, (start,))
        alike = not (counted[m] or (tech.minimum_site_t[ks] > 0).any() or (whole_plants and len(ks) > 1))
        due = tuple((plants.last_investment[n] % np.maximum(tech.cycle[ks], 1)).tolist())
        key = (m, start, due, int(plants.closes[n]), profile[n].tobytes(), alike or made[n].tobytes())
        groups.setdefault(key, []).append(n)
    by_kind: dict[tuple[Any, ...], list[list[int]]] = {}
    for (m, start, due, closes, shape, size), members in groups.items():
        small = (tech.minimum_site_t[networks.reach(int(markets.region[m]), (start,))] > 0).any()
        shared = (m, start, due, closes, (shape, size) if small else None)
        by_kind.setdefault(shared, []).append(members)
    out = []
    for key, sets in by_kind.items():
        n = sets[0][0]
        product = None
        if key[4] is not None:
            load = float(markets.high[plants.market[n]]) if markets.meets_demand[plants.market[n]] else 1.0
            product = made[n] * load
        kind = Kind(
            market=int(plants.market[n]),
            starts=(int(plants.start[n]),),
            event=STAND,
            begin=0,
            invested=int(plants.last_investment[n]),
            end=int(np.searchsorted(problem.years, int(plants.closes[n]), side="right")),
            product=product,
        )
        out.append(_block(networks, kind, sets, made))
    return [block for block in out if block.network.columns]


def _block(networks: Networks, kind: Kind, sets: list[list[int]], made: FloatArray) -> Block:
    plants = networks.accounts.problem.plants
    members = [np.array(one, dtype=np.int64) for one in sets]
    return Block(
        network=networks.of(kind),
        members=members,
        flow=np.array([float(len(one)) for one in members]),
        size=np.array([float(plants.capacity[one].mean()) for one in members]),
        product=np.array([made[one].mean(axis=0) for one in members]),
    )


def _counted(problem: Problem) -> list[bool]:
    """Markets in which a limit counts changes one by one."""
    out = np.zeros(len(problem.markets.name), dtype=bool)
    for limit in problem.limits:
        if limit.quantity == COUNT and limit.hard:
            out |= limit.markets
    return [bool(one) for one in out]


def _committed(networks: Networks) -> list[Block]:
    problem = networks.accounts.problem
    alike: dict[tuple[int, int, int, float], list[int]] = {}
    for position, (year, market, option, capacity, _) in enumerate(problem.additions):
        inside = year > max(problem.last_reported, int(problem.years[0])) and year <= int(problem.years[-1])
        if inside and problem.markets.meets_demand[market] and capacity > 0:
            alike.setdefault((year, market, option, capacity), []).append(position)
    out = []
    for (year, market, option, capacity), members in alike.items():
        network = _built(networks, market, (option,), year, capacity)
        product = np.full((1, len(problem.years)), capacity)
        flow, size = np.array([float(len(members))]), np.array([capacity])
        out.append(Block(network, [np.array(members)], flow, size, product, added=True))
    return out


def _new(networks: Networks) -> list[Block]:
    problem = networks.accounts.problem
    markets, tech = problem.markets, problem.tech
    out = []
    first = max(problem.first_choice, problem.last_reported + 1, int(problem.years[0]) + 1)
    for m in np.flatnonzero(markets.meets_demand & markets.new_plants & (markets.plant_capacity > 0)):
        offered = markets.offered[m] & problem.costs.priced[markets.region[m]]
        size = float(markets.plant_capacity[m])
        for year in range(first, int(problem.years[-1]) + 1):
            starts = np.flatnonzero(offered & (tech.earliest <= year))
            if len(starts):
                network = _built(networks, int(m), tuple(starts.tolist()), year, size)
                product = np.full((1, len(problem.years)), size)
                out.append(Block(network, [], np.array([np.nan]), np.array([size]), product))
    return out


def _built(networks: Networks, market: int, starts: tuple[int, ...], year: int, capacity: float) -> Network:
    """Network of plants that are built in ``year``."""
    problem = networks.accounts.problem
    region = int(problem.markets.region[market])
    small = problem.tech.minimum_site_t[networks.reach(region, starts)] > 0
    made = np.full(len(problem.years), capacity * float(problem.markets.high[market]))
    kind = Kind(
        market=market,
        starts=starts,
        event=BUILD,
        begin=int(np.searchsorted(problem.years, year)),
        invested=year,
        end=len(problem.years),
        product=made if small.any() else None,
    )
    return networks.of(kind)
