"""Limits as data: how much of each is used, what is left, one mechanism for every kind of change.

A limit weighs technologies: so much per unit made, per unit of capacity built or changed, or
per change. Everything that moves (a switch, a new plant, a purchase) is held to the same
weights; nothing here knows what a limit is about.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.core.units import factor
from cleanhub.finance.technologies import Technologies
from cleanhub.hub.limit_checks import check_limits
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.pathways.problem import ADDED, COUNT, SHARE, Limit, Markets
from cleanhub.pathways.vehicles import VehicleClass

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

UNITS = {"co2_storage": "t/yr", "emissions": "t/yr", COUNT: "1/yr", SHARE: "1"}
"""Unit in which a limited quantity is counted, where it does not follow a product or carrier."""
_FILE = "limits.csv"
WIDE = 2**31 - 1
"""Columns of a table without rows: any position may be asked for where there is no limit."""


def build_limits(
    hub: Hub,
    scenario: Scenario,
    tech: Technologies,
    markets: Markets,
    regions: tuple[str, ...],
    vehicles: list[VehicleClass],
    years: IntArray,
) -> list[Limit]:
    """Every limit of the hub that the scenario does not lift, ordered by name.

    Raises ``InputError`` naming every row whose unit does not fit what it limits, and every floor
    above a cap on the same thing.
    """
    limits = []
    faults = FaultList()
    for name, rows in hub.tables["limits"].groupby("limit", sort=True):
        choice = scenario.limit_choice(str(name))
        rows = rows[rows["year"].notna()].sort_values("year")
        if choice.off or rows.empty:
            continue
        first = rows.iloc[0]
        chosen = _technologies(first, tech)
        unit = _unit(first, tech, chosen)
        weight = _weight(first, tech, chosen)
        value = _values(rows, choice.range, unit, years, faults) * choice.scale
        cumulative = first["period"] == "cumulative"
        hard = bool(first["hard"]) if pd.notna(first["hard"]) else True
        limits.append(
            Limit(
                name=str(name),
                quantity=str(first["quantity"]),
                unit=unit.removesuffix("/yr") if cumulative else unit,
                value=value,
                weight=weight,
                markets=_markets(first, markets, regions),
                cohorts=_cohorts(first, vehicles, regions),
                floor=first["kind"] == "floor",
                cumulative=bool(cumulative),
                hard=hard if choice.hard is None else choice.hard,
            )
        )
    check_limits(hub.tables["limits"], faults, scenario)
    faults.raise_if_any("limits")
    return limits


def _technologies(row: pd.Series, tech: Technologies) -> NDArray[np.bool_]:
    chosen = np.ones(len(tech.names), dtype=bool)
    if row["technology"]:
        named = {part.strip() for part in str(row["technology"]).split(";")}
        chosen &= np.isin(tech.names, list(named))
    if row["product"]:
        chosen &= tech.product == row["product"]
    return chosen


def _unit(row: pd.Series, tech: Technologies, chosen: NDArray[np.bool_]) -> str:
    quantity = str(row["quantity"])
    if quantity in UNITS:
        return UNITS[quantity]
    if quantity == "carrier_use":
        where = np.flatnonzero(tech.carriers == row["carrier"])
        return f"{tech.carrier_units[where[0]]}/yr" if len(where) else "1/yr"
    units = tech.unit[chosen]
    return f"{units[0]}/yr" if len(units) else "t/yr"


def _weight(row: pd.Series, tech: Technologies, chosen: NDArray[np.bool_]) -> FloatArray:
    quantity = str(row["quantity"])
    if quantity == "co2_storage":
        weight = tech.captured
    elif quantity == "emissions":
        weight = tech.direct
    elif quantity == "carrier_use":
        where = np.flatnonzero(tech.carriers == row["carrier"])
        weight = tech.inputs[:, where[0]] if len(where) else np.zeros(len(tech.names))
    else:
        weight = np.ones(len(tech.names))
    return np.where(chosen, weight, 0.0)


def _values(rows: pd.DataFrame, end: str, unit: str, years: IntArray, faults: FaultList) -> FloatArray:
    scales = np.ones(len(rows))
    for position, (line, row) in enumerate(rows.iterrows()):
        try:
            scales[position] = _scale(str(row["unit"]), unit, row["period"] == "cumulative")
        except ValueError:
            what = f"unit does not fit {row['quantity']}"
            faults.add(_FILE, int(str(line)), "unit", what=what, found=row["unit"], allowed=unit)
    chosen = rows["value"] if end == "value" else rows[end].fillna(rows["value"])
    at = rows["year"].to_numpy(float)
    value = np.interp(years, at, chosen.to_numpy(float) * scales)
    cumulative = rows["period"].iloc[0] == "cumulative"
    if cumulative and len(rows) == 1:
        return np.where(years <= at[0], value, np.nan)
    return np.where(years < at[0], np.nan, value) if cumulative else value


def _scale(unit: str, wanted: str, cumulative: bool) -> float:
    try:
        return factor(unit, wanted.removesuffix("/yr") if cumulative else wanted)
    except ValueError:
        if cumulative:
            raise
        return factor(unit, wanted.removesuffix("/yr"))


def _markets(row: pd.Series, markets: Markets, regions: tuple[str, ...]) -> NDArray[np.bool_]:
    mask = np.ones(len(markets.name), dtype=bool)
    if row["sector"]:
        mask &= markets.sector == row["sector"]
    if row["region"]:
        mask &= markets.region == regions.index(str(row["region"]))
    if row["product"]:
        mask &= ~markets.meets_demand | (markets.product == row["product"])
    if row["quantity"] == COUNT:  # representative plants of a market are no sites to be counted
        mask &= ~markets.meets_demand
    return mask


def _cohorts(row: pd.Series, vehicles: list[VehicleClass], regions: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.array(
        [
            (not row["sector"] or cls.sector == row["sector"])
            and (not row["region"] or cls.region == regions.index(str(row["region"])))
            for cls in vehicles
        ],
        dtype=bool,
    )


class Counters:
    """What is used of every limit, kept up to date while a year is decided.

    ``used`` (Q, T) is what counts against the value of the year: for a cumulative limit the
    sum from its first year. ``shadow`` (Q, T) the best saving refused per unit.
    """

    def __init__(self, limits: list[Limit], years: int) -> None:
        count = len(limits)
        self.limits = limits
        self.flow = np.array([limit.is_flow for limit in limits], dtype=bool)
        self.added = np.array([limit.quantity == ADDED for limit in limits], dtype=bool)
        self.weight = np.array([limit.weight for limit in limits]).reshape(count, -1 if count else WIDE)
        self.markets = np.array([limit.markets for limit in limits], dtype=bool).reshape(
            count, -1 if count else WIDE
        )
        self.cohorts = np.array([limit.cohorts for limit in limits], dtype=bool).reshape(
            count, -1 if count else WIDE
        )
        self._on_plants = np.flatnonzero(self.flow & self.markets.any(axis=1)).tolist()
        vehicle, limit_of = np.nonzero(self.cohorts.T & self.flow)
        self._on_vehicles = list(zip(vehicle.tolist(), limit_of.tolist(), strict=True))
        self.cumulative = np.array([limit.cumulative for limit in limits], dtype=bool)
        self.floor = np.array([limit.floor for limit in limits], dtype=bool)
        self.hard = np.array([limit.hard for limit in limits], dtype=bool)
        self.share = np.array([limit.quantity == SHARE for limit in limits], dtype=bool)
        self.value = np.array([limit.value for limit in limits]).reshape(count, years)
        self.used = np.zeros((count, years))
        self.shadow = np.zeros((count, years))
        self.changes = np.zeros((count, years))
        self.total = np.ones((count, years))

    def allowed(self, t: int) -> FloatArray:
        """Value of every limit in year ``t`` in the units that are counted, (Q,); NaN: none."""
        return np.asarray(self.value[:, t] * np.where(self.share, self.total[:, t], 1.0))

    def before(self, t: int) -> FloatArray:
        """What earlier years have used of the cumulative limits, (Q,)."""
        if t == 0:
            return np.zeros(len(self.limits))
        return np.where(self.cumulative & ~np.isnan(self.value[:, t - 1]), self.used[:, t - 1], 0.0)

    def flows(self, market: IntArray, run: IntArray, made: FloatArray) -> FloatArray:
        """Use of the flow limits by rows that make ``made`` with technology ``run``, (Q,)."""
        out = np.zeros(len(self.limits))
        known = run >= 0
        for q in self._on_plants:
            counted = np.flatnonzero(known & self.markets[q].take(market))
            if len(counted):
                out[q] = float(self.weight[q].take(run.take(counted)) @ made.take(counted))
        return out

    def vehicle_flows(self, vehicles: list[VehicleClass], t: int) -> FloatArray:
        """Use of the flow limits by the vehicles in year ``t``, (Q,).

        Tonnes are those of the inventory: emissions per unit times the class's scale.
        """
        out = np.zeros(len(self.limits))
        for v, q in self._on_vehicles:
            cls = vehicles[v]
            each = float(self.weight[q].take(cls.options) @ cls.distance[:, t])
            out[q] += each * (cls.scale if self.limits[q].quantity == "emissions" else 1.0)
        return out

    def left(self, t: int, flow_now: FloatArray) -> FloatArray:
        """What the hard caps still allow in year ``t``, (Q,); infinity where nothing binds."""
        used = np.where(self.flow, flow_now, self.changes[:, t]) + self.before(t)
        binding = self.hard & ~self.floor & ~np.isnan(self.value[:, t])
        return np.where(binding, np.maximum(self.allowed(t) - used, 0.0), np.inf)

    def short(self, t: int, flow_now: FloatArray) -> FloatArray:
        """What hard floors still lack in year ``t``, (Q,); 0 where nothing is lacking."""
        used = np.where(self.flow, flow_now, self.changes[:, t]) + self.before(t)
        binding = self.hard & self.floor & ~np.isnan(self.value[:, t])
        missing = np.where(binding, self.allowed(t) - used, 0.0)
        return np.where(missing > 1e-9 * np.maximum(np.abs(used), 1.0), missing, 0.0)

    def need(
        self, market: IntArray, own: IntArray, to: IntArray, size: FloatArray, capacity: FloatArray
    ) -> FloatArray:
        """What the change from ``own`` (-1: nothing) to ``to`` needs of each limit, (len, Q)."""
        counted = self.markets[:, market]
        after = self.weight[:, to]
        before = np.where(own >= 0, self.weight[:, np.maximum(own, 0)], 0.0)
        flow = (after - before) * size
        change = np.where(self.added[:, None], after * capacity, (after > 0) & (own >= 0))
        change = np.where((own == to)[None, :], 0.0, change)
        return np.asarray(np.where(counted, np.where(self.flow[:, None], flow, change), 0.0).T)

    def count(self, t: int, need: FloatArray) -> None:
        """Record what granted changes used of the limits that count changes."""
        self.changes[:, t] += np.where(self.flow, 0.0, need.sum(axis=0))

    def close(self, t: int, flow_now: FloatArray) -> None:
        """End year ``t``: what the year's production and changes come to."""
        now = np.where(self.flow, flow_now, self.changes[:, t])
        self.used[:, t] = np.where(np.isnan(self.value[:, t]), 0.0, now + self.before(t))

    def refuse(self, t: int, refused: FloatArray) -> None:
        """Record the best saving refused per unit of each limit."""
        self.shadow[:, t] = np.maximum(self.shadow[:, t], refused)
