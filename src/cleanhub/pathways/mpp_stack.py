"""The assets of MPP's shared solver in columns, and the counters of its limits.

Capacity and production are in Mt a year, electrolysers in GW, tonnes in Mt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.hub.mpp_settings import MppPathway, MppSettings
from cleanhub.pathways.mpp_tables import (
    END_STATE,
    TRANSITION,
    BoolArray,
    FloatArray,
    IntArray,
    MppTables,
    codes_of,
)


@dataclass
class MppStack:
    """Assets in columns of which the first ``count`` are used; closed ones have ``active`` false."""

    product: IntArray
    region: IntArray
    technology: IntArray
    capacity: FloatArray
    utilisation: FloatArray
    commissioned: FloatArray
    retrofitted: BoolArray
    greenfield: BoolArray
    ppa_allowed: BoolArray
    active: BoolArray
    count: int

    def add(self, product: int, region: int, technology: int, capacity: float, use: float, year: int) -> None:
        """A new plant."""
        if self.count == len(self.product):
            for name, column in vars(self).items():
                if isinstance(column, np.ndarray):
                    setattr(self, name, np.concatenate([column, np.zeros_like(column)]))
        new = (product, region, technology, capacity, use, year, False, True, True, True)
        for name, value in zip(list(vars(self))[:-1], new, strict=True):
            getattr(self, name)[self.count] = value
        self.count += 1

    def live(self) -> NDArray[np.intp]:
        """Positions of the assets that stand."""
        return np.flatnonzero(self.active[: self.count])

    def production(self, assets: NDArray[np.intp]) -> FloatArray:
        """Production of the chosen assets [Mt/yr]."""
        return np.asarray(self.capacity[assets] * self.utilisation[assets], dtype=float)


def initial_stack(tables: MppTables, settings: MppSettings) -> MppStack:
    """The stack of the first year: rows split into typical plants (rounded up), or one asset a row."""
    frame = tables.initial_stack
    product = codes_of(frame["product"], tables.products)
    capacity = frame["annual_production_capacity"].to_numpy(float)
    copies = np.ones(len(frame), dtype=np.int64)
    if settings.initial_stack == "regional":
        typical = np.array([settings.products[name].plant_capacity for name in tables.products])[product]
        copies, capacity = np.ceil(capacity / typical).astype(np.int64), typical
        use = frame["average_cuf"].to_numpy(float)
        year = settings.first_year - frame["average_age"].to_numpy(float)
    else:
        use, year = frame["capacity_factor"].to_numpy(float), frame["year"].to_numpy(float)
    ppa = frame["ppa_allowed"].to_numpy(bool) if "ppa_allowed" in frame else np.ones(len(frame), dtype=bool)
    rows = np.repeat(np.arange(len(frame)), copies)
    off = np.zeros(len(rows), dtype=bool)
    return MppStack(
        product[rows],
        codes_of(frame["region"], tables.regions)[rows],
        codes_of(frame["technology"], tables.technologies)[rows],
        *(capacity[rows], use[rows], year[rows], off, off.copy(), ppa[rows], ~off, len(rows)),
    )


class MppLimits:
    """Counters of the next year's stack, and which limit one more change would break."""

    def __init__(self, tables: MppTables, settings: MppSettings, pathway: MppPathway) -> None:
        self.on = frozenset(pathway.limits)
        self.settings = settings
        self.tables = tables
        self.captured = tables.factor("co2_scope1_captured")
        self.emitted = tables.co2(("co2_scope1", "co2_scope2"))
        shared = settings.demand_share.technologies if settings.demand_share else ()
        self.shared = np.isin(tables.technologies, shared)
        self.uses_electrolysers: BoolArray = np.asarray(tables.electrolyser_gw.any(axis=(0, 1, 3)))
        self.classes = tables.classification
        self.year = 0

    def start(self, year: int, stack: MppStack) -> None:
        """Count stack t + 1, which is still equal to stack t (``year`` is t, from the first)."""
        live, tables = stack.live(), self.tables
        place = (stack.product[live], stack.region[live], stack.technology[live])
        made = stack.production(live)
        self.year = year
        self.captured_before = float(made @ self.captured[(*place, year)])
        self.captured_after = float(made @ self.captured[(*place, year + 1)])
        self.emitted_after = float(made @ self.emitted[(*place, year + 1)])
        power = tables.electrolyser_gw
        self.power_before = float(stack.capacity[live] @ power[(*place, year)])
        self.power_after = float(stack.capacity[live] @ power[(*place, year + 1)])
        self.shares = np.zeros((len(tables.products), len(tables.technologies)))
        np.add.at(self.shares, (place[0], place[2]), stack.capacity[live])
        self.counts_before = np.bincount(place[2], minlength=len(tables.technologies))
        self.counts_after = self.counts_before.copy()
        self.made = np.zeros((len(tables.products), len(tables.regions)))
        np.add.at(self.made, place[:2], made)

    def count(
        self, sign: int, product: int, region: int, technology: int, capacity: float, use: float
    ) -> None:
        """Take one asset into the counters (``sign`` 1) or out of them (-1)."""
        place = (product, region, technology, self.year + 1)
        made = sign * capacity * use
        self.captured_after += made * float(self.captured[place])
        self.emitted_after += made * float(self.emitted[place])
        self.power_after += sign * capacity * float(self.tables.electrolyser_gw[place])
        self.shares[product, technology] += sign * capacity
        self.counts_after[technology] += sign
        self.made[product, region] += made

    def broken(self, technology: int, greenfield: bool) -> str:
        """The first limit that the counted stack breaks, for a change to ``technology``; or nothing."""
        limits, year, settings = self.tables.annual_limits, self.year, self.settings
        if "carbon_budget" in self.on and greenfield and not self.within_budget():
            return "carbon_budget"
        if "rampup" in self.on and self.counts_after[technology] - self.counts_before[technology] > (
            self._rampup(technology)
        ):
            return "rampup"
        # new plants are never checked against storage: a defect kept
        looked_at = not greenfield or settings.new_plants_keep_co2_storage
        stored = self.captured_after - self.captured_before
        if "co2_storage" in self.on and looked_at and stored > limits["co2_storage"][year]:
            return "co2_storage"
        if "electrolysers" in self.on and self._short_of_electrolysers(technology):
            return "electrolysers"
        return "demand_share" if "demand_share" in self.on and self._shared_too_much() else ""

    def _shared_too_much(self) -> bool:
        """Whether technologies with a demand share serve more than it of a product's demand."""
        rule = self.settings.demand_share
        if rule is None or self._year() > rule.until:
            return False
        served = self.shares[:, self.shared].sum(axis=1) * self.settings.new_plant_utilisation
        return bool(np.any(served > rule.maximum * self.tables.world_demand[:, self.year]))

    def _short_of_electrolysers(self, technology: int) -> bool:
        """Whether the limit stops this technology: all of them before the first electrolyser stands."""
        if self.power_before == 0:
            return True
        added = self.power_after - self.power_before
        limit = self.tables.annual_limits["electrolysers"][self.year]
        return bool(self.uses_electrolysers[technology] and added > limit)

    def within_budget(self) -> bool:
        """Whether next year's stack keeps the carbon budget, both rounded to 10 Mt."""
        limit = float(self.tables.annual_limits["carbon_budget"][self.year + 1])
        return limit == math.inf or round(self.emitted_after / 1e3, 2) <= round(limit, 2)

    def _year(self) -> int:
        return int(self.tables.years[self.year])

    def _rampup(self, technology: int) -> float:
        rule = self.settings.rampup
        found = self.classes[:, :, technology, self.year].max()
        since = self._year() - int(self.tables.maturity[:, :, technology, self.year].max())
        if rule is None or found not in (TRANSITION, END_STATE) or not 0 <= since < rule.years:
            return math.inf
        return round(rule.assets * (1.0 + rule.growth) ** since)
