"""From a path to what it uses and costs: energy, balances, spending and limits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.tables import conform
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.problem import SHARE, Limit, Path

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Add = Callable[[str, str, FloatArray], None]
SHOWN_SHORTFALL = 0.005
"""Smallest share of a branch's activity beyond its sites' capacity that is worth a row."""
_ROUNDING = 1e-6


def _by_sector(pathway: Pathway) -> dict[str, FloatArray]:
    """Production of each technology by sector and year, {sector: (K, T)}; vehicles included."""
    path = pathway.walked
    shape = (len(pathway.tech.names), len(pathway.years))
    names, sector = np.unique(pathway.problem.markets.sector[path.market].astype(str), return_inverse=True)
    row, year = np.nonzero((path.run >= 0) & (path.production > 0))
    cell = (sector[row] * shape[0] + path.run[row, year]) * shape[1] + year
    total = np.bincount(cell, path.production[row, year], len(names) * shape[0] * shape[1])
    made: FloatArray = np.asarray(total, dtype=np.float64).reshape(-1, *shape)
    out = {str(name): one for name, one in zip(names, made, strict=True)}
    for cls in path.vehicles:
        out.setdefault(cls.sector, np.zeros(shape))[cls.options] += cls.distance
    return out


def energy_table(pathway: Pathway) -> pd.DataFrame:
    """Plan table ``energy``: carriers used by assets whose technology is in the library."""
    tech, made = pathway.tech, _by_sector(pathway)
    use = np.array([tech.inputs.T @ one for one in made.values()])
    use = use.reshape(len(made), len(tech.carriers), len(pathway.years))
    s, c, t = np.nonzero(use > 0)
    frame = pd.DataFrame(
        {
            "year": pathway.years[t],
            "sector": np.array(list(made), dtype=object)[s],
            "carrier": tech.carriers[c],
            "value": use[s, c, t],
            "unit": np.array([f"{unit}/yr" for unit in tech.carrier_units], dtype=object)[c],
        }
    )
    return conform(frame, PLAN_TABLES["energy"])


def balances_table(pathway: Pathway) -> pd.DataFrame:
    """Plan table ``balances``: of each carrier what is used, made by the hub's own plants, bought.

    CO2 for storage stands with them: captured, and what the limits on storage allow.
    """
    tech, markets, path = pathway.tech, pathway.problem.markets, pathway.walked
    use = sum((tech.inputs.T @ made for made in _by_sector(pathway).values()), np.zeros(1))
    use = np.broadcast_to(use, (len(tech.carriers), len(pathway.years)))
    own = np.zeros_like(use)
    for m in np.flatnonzero(markets.carrier >= 0):
        made = path.production[path.market == m].sum(axis=0) / float(markets.per_carrier[m])
        own[markets.carrier[m]] += made
    rows = []
    for c, carrier in enumerate(tech.carriers):
        unit = f"{tech.carrier_units[c]}/yr"
        for t, year in enumerate(pathway.years):
            if use[c, t] <= 0 and own[c, t] <= 0:
                continue
            rows.append((int(year), carrier, "use", use[c, t], unit))
            rows.append((int(year), carrier, "own supply", own[c, t], unit))
            rows.append((int(year), carrier, "bought", max(use[c, t] - own[c, t], 0.0), unit))
    captured = path.captured.sum(axis=0)
    rows += [
        (int(year), "co2_for_storage", "own supply", captured[t], "t/yr")
        for t, year in enumerate(pathway.years)
        if captured[t] > 0
    ]
    return conform(pd.DataFrame(rows, columns=PLAN_TABLES["balances"].names), PLAN_TABLES["balances"])


# ---------------------------------------------------------------- costs


def costs_table(pathway: Pathway) -> pd.DataFrame:
    """Plan table ``costs``: what the covered assets spend each year."""
    items: dict[tuple[str, str], FloatArray] = {}

    def add(sector: str, item: str, amount: FloatArray) -> None:
        items[sector, item] = items.get((sector, item), np.zeros(len(pathway.years))) + amount

    _add_plants(pathway, add)
    _add_vehicles(pathway, add)
    rows = [
        (int(year), sector, item, flow[t])
        for (sector, item), flow in items.items()
        for t, year in enumerate(pathway.years)
        if abs(flow[t]) > 0 and year > pathway.hub.base_year
    ]
    return conform(pd.DataFrame(rows, columns=PLAN_TABLES["costs"].names), PLAN_TABLES["costs"])


def plant_flows(pathway: Pathway) -> dict[str, FloatArray]:
    """Spending of every row of the path by item and year, each (R, T) [USD]."""
    path, tech, costs = pathway.walked, pathway.tech, pathway.problem.costs
    run = np.maximum(path.run, 0)
    size = np.where(path.run >= 0, path.production, 0.0)
    region = pathway.problem.markets.region[path.market]
    at = np.arange(len(pathway.years))[None, :]
    energy = np.einsum("kc,gkct->gkt", tech.inputs, costs.prices)
    dispatched = pathway.problem.markets.meets_demand[path.market]
    held = np.where(dispatched[:, None], np.where(path.run >= 0, path.capacity, 0.0), size)
    emitted = np.where(path.run >= 0, path.emissions, 0.0)
    return {
        "capital": path.capex,
        "fixed_opex": tech.fixed[run] * held,
        "variable_opex": tech.variable[run] * size,
        "energy": energy[region[:, None], run, at] * size,
        "carbon": emitted * costs.carbon_price[region],
        "co2_transport_storage": tech.captured[run] * size * costs.storage_price[region],
        "credits": -path.credits * size,
    }


def _add_plants(pathway: Pathway, add: Add) -> None:
    sectors = pathway.problem.markets.sector[pathway.walked.market]
    for item, flow in plant_flows(pathway).items():
        for sector in sorted(set(sectors)):
            add(sector, item, flow[sectors == sector].sum(axis=0))


def _add_vehicles(pathway: Pathway, add: Add) -> None:
    path, tech, costs = pathway.walked, pathway.tech, pathway.problem.costs
    for cls in path.vehicles:
        option, g = cls.options, cls.region
        energy = np.einsum("pc,pct->pt", tech.inputs[option], costs.prices[g][option])
        energy = energy + (cls.chargers.cost if cls.chargers else 0.0)
        capital = tech.capex[option][:, None] * path.multiplier[option]
        tonnes = (cls.distance * tech.direct[option][:, None]).sum(axis=0) * cls.scale
        for item, flow in {
            "capital": (cls.bought * capital).sum(axis=0),
            "credits": -(cls.bought * cls.vehicle_credit).sum(axis=0)
            - (cls.distance * costs.yearly_credit[g][option]).sum(axis=0),
            "fixed_opex": (cls.vehicles * tech.fixed[option][:, None]).sum(axis=0),
            "variable_opex": (cls.distance * tech.variable[option][:, None]).sum(axis=0),
            "energy": (cls.distance * energy).sum(axis=0),
            "carbon": tonnes * costs.carbon_price[g],
        }.items():
            add(cls.sector, item, flow)


# ---------------------------------------------------------------- limits


def limits_table(pathway: Pathway) -> pd.DataFrame:
    """Plan table ``limits``: the scenario's limits, each market's demand, the sites' capacity."""
    rows = [*_declared(pathway), *_demands(pathway), *_site_capacity(pathway)]
    return conform(pd.DataFrame(rows, columns=PLAN_TABLES["limits"].names), PLAN_TABLES["limits"])


def _declared(pathway: Pathway) -> list[tuple[object, ...]]:
    path = pathway.walked
    rows = []
    for q, limit in enumerate(pathway.problem.limits):
        value = limit.value
        used_by_year = _in_value_units(path, limit, path.used[q])
        for t in _later(pathway):
            if np.isfinite(value[t]):
                used, shadow = float(used_by_year[t]), float(path.shadow[q, t])
                rows.append(
                    _row(limit.name, pathway.years[t], value[t], used, shadow, limit.unit, limit.floor)
                )
    return rows


def _in_value_units(path: Path, limit: Limit, used: FloatArray) -> FloatArray:
    """What is used of a limit by year, in the unit of its value (a share for a share), (T,)."""
    if limit.quantity != SHARE:
        return used
    asked = path.asked(limit.markets)
    return np.divide(used, asked, out=np.zeros_like(used), where=asked > 0)


def _demands(pathway: Pathway) -> list[tuple[object, ...]]:
    path, markets, tech = pathway.walked, pathway.problem.markets, pathway.tech
    rows = []
    for m in np.flatnonzero(markets.meets_demand):
        made = path.production[path.market == m].sum(axis=0)
        units = tech.unit[markets.offered[m]]
        unit = f"{units[0]}/yr" if len(units) else "1/yr"
        for t in _later(pathway):
            wanted = float(made[t] + path.unmet[m, t])
            name = f"demand: {markets.name[m]}"
            rows.append(_row(name, pathway.years[t], wanted, float(made[t]), 0.0, unit, floor=True))
    return rows


def _site_capacity(pathway: Pathway) -> list[tuple[object, ...]]:
    rows = []
    later = _later(pathway)
    for name, (wanted, made) in sorted(pathway.sites.unmet.items()):
        sector = name.split("|")[1]
        if not (wanted[later] > made[later] * (1 + SHOWN_SHORTFALL)).any():
            continue
        label = f"site capacity: {sector} ({name.split('|')[0]})"
        unit = "t CO2e/yr at the intensity of the last reported year"
        rows += [_row(label, pathway.years[t], made[t], wanted[t], 0.0, unit) for t in later]
    return rows


def _later(pathway: Pathway) -> IntArray:
    return np.flatnonzero(pathway.years > pathway.hub.base_year)


def _row(
    name: str, year: int, value: float, used: float, shadow: float, unit: str, floor: bool = False
) -> tuple[object, ...]:
    over = value - used if floor else used - value
    broken = over if over > _ROUNDING * max(abs(value), 1.0) else 0.0
    kind = "floor" if floor else "cap"
    slack, missed = max(-over, 0.0), max(broken, 0.0)
    return (name, kind, int(year), value, used, slack, missed, max(shadow, 0.0), np.nan, unit)
