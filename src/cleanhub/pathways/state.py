"""The state that the year loop moves: rows of plants that grow as plants are built."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleanhub.pathways.problem import NEVER, Changes, Problem

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class State:
    """Rows of plants in columns, with room to grow; the first ones are the problem's plants.

    ``rows`` is how many are in use; each array is longer. ``run`` (technology), ``capacity``,
    ``production`` and ``capex`` have shape (room, T); ``plant`` is the starting plant (-1: built
    on the path), ``invested`` the year that its cycle counts from, ``built`` its first year,
    ``renewed`` the year of its last capital on the path or before.
    """

    def __init__(self, problem: Problem) -> None:
        plants = problem.plants
        years = len(problem.years)
        self.problem = problem
        self.rows = len(plants.asset_id)
        self.plant = np.arange(self.rows)
        self.market = plants.market.copy()
        self.names: list[str] = list(plants.asset_id)
        self.invested = plants.last_investment.copy()
        self.renewed = self._latest_renewal()
        self.closes = plants.closes.copy()
        self.built = np.full(self.rows, int(problem.years[0]) - 1, dtype=np.int64)
        self.run = np.full((self.rows, years), -1, dtype=np.int64)
        self.capacity = np.zeros((self.rows, years))
        met = problem.markets.meets_demand[plants.market]
        self.production = np.where(met[:, None], 0.0, plants.made)
        self.capex = np.zeros((self.rows, years))
        self.run[:, 0] = plants.start
        self.capacity[:, 0] = plants.capacity
        self.changes = Changes()
        self.dispatched = met
        self.by_market: dict[int, IntArray] = {}
        self.numbered: dict[tuple[int, int], int] = {}

    def _latest_renewal(self) -> IntArray:
        """Last year before the path in which each plant's equipment fell due."""
        plants, tech = self.problem.plants, self.problem.tech
        if not len(plants.start):
            return np.zeros(0, dtype=np.int64)
        cycle = np.where(plants.start >= 0, tech.cycle[np.maximum(plants.start, 0)], 1)
        since = int(self.problem.years[0]) - plants.last_investment
        return plants.last_investment + since // np.maximum(cycle, 1) * np.maximum(cycle, 1)

    def of_market(self, market: int) -> IntArray:
        """Rows of a market, the built ones included."""
        if market not in self.by_market:
            self.by_market[market] = np.flatnonzero(self.market[: self.rows] == market)
        return self.by_market[market]

    def carry(self, t: int) -> None:
        """Start year position ``t`` as the year before ended."""
        rows = self.rows
        self.run[:rows, t] = self.run[:rows, t - 1]
        self.capacity[:rows, t] = self.capacity[:rows, t - 1]
        ended = self.dispatched[:rows] & (self.closes[:rows] < int(self.problem.years[t]))
        self.capacity[:rows][ended, t] = 0.0
        self.run[:rows][ended, t] = -1

    def is_open(self, t: int) -> BoolArray:
        """Rows that stand and may run in year position ``t``, (rows,)."""
        rows, year = self.rows, int(self.problem.years[t])
        standing = (self.capacity[:rows, t] > 0) & (self.closes[:rows] >= year)
        return np.asarray(standing & (self.run[:rows, t] >= 0))

    def is_due(self, t: int) -> BoolArray:
        """Rows whose equipment falls due in year position ``t``, (rows,)."""
        rows, year = self.rows, int(self.problem.years[t])
        own = np.maximum(self.run[:rows, t], 0)
        cycle = np.where(self.run[:rows, t] >= 0, self.problem.tech.cycle[own], 1)
        since = year - self.invested[:rows]
        return np.asarray((since % np.maximum(cycle, 1) == 0) & (self.built[:rows] < year))

    def stranded(self, rows: IntArray, own: IntArray, t: int) -> FloatArray:
        """Capital of ``rows`` not yet written off over its lifetime in straight line [USD]."""
        tech, year = self.problem.tech, int(self.problem.years[t])
        age = year - self.renewed[rows]
        life = np.maximum(tech.lifetime[own], 1)
        left = np.clip(1.0 - age / life, 0.0, 1.0)
        return np.asarray(tech.capex[own] * self.capacity[rows, t] * left)

    def add(
        self, market: int, option: int, number: int, capacity: float, t: int, names: list[str]
    ) -> IntArray:
        """Build ``number`` plants of ``capacity`` in year position ``t``; their rows."""
        self._grow(number)
        new = np.arange(self.rows, self.rows + number)
        self.plant[new] = -1
        self.market[new] = market
        self.invested[new] = self.renewed[new] = self.built[new] = int(self.problem.years[t])
        self.closes[new] = NEVER
        self.run[new] = -1
        self.run[new, t] = option
        self.capacity[new] = 0.0
        self.capacity[new, t] = capacity
        self.production[new] = 0.0
        self.capex[new] = 0.0
        self.dispatched[new] = True
        self.names += names
        self.rows += number
        if market in self.by_market:
            self.by_market[market] = np.concatenate([self.by_market[market], new])
        return new

    def _grow(self, number: int) -> None:
        room = len(self.market)
        if self.rows + number <= room:
            return
        more = max(number, room // 4, 16)
        for name in ("plant", "market", "invested", "renewed", "closes", "built", "dispatched"):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.zeros(more, dtype=old.dtype)]))
        for name in ("run", "capacity", "production", "capex"):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.zeros((more, old.shape[1]), dtype=old.dtype)]))
