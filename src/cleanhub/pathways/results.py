"""From the state of a path to plan tables: emissions, assets, switches, energy, costs, limits."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.tables import conform
from cleanhub.core.units import factor
from cleanhub.hub.inventory import (
    beside_total,
    cohort_history,
    rest_history,
    scope_pairs,
    site_history,
)
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.series import CONFIDENCE_ORDER, confidence_ranks, confidence_words, sum_by
from cleanhub.pathways.engine import LIMIT_UNITS, Pathway

FloatArray = NDArray[np.float64]
GRID_FACTOR = "grid_emission_factor"
SHOWN_SHORTFALL = 0.005
"""Smallest share of a branch's activity beyond its sites' capacity that is worth a row."""
_KEEP = ["year", "inventory_sector", "sector", "asset_kind", "scope", "boundary"]


def emissions_table(path: Pathway) -> pd.DataFrame:
    """Plan table ``emissions``: history from the inventory, then the path."""
    hub = path.hub
    parts = [*_history_parts(path), *_projected_parts(path)]
    frame = pd.concat([part for part in parts if len(part)], ignore_index=True)
    frame = sum_by(frame, _KEEP, "value")
    frame = frame[frame["value"] != 0].reset_index(drop=True)
    scope = scope_pairs(hub)
    pairs = zip(frame["inventory_sector"], frame["sector"], strict=True)
    frame["hub_scope"] = [pair in scope for pair in pairs]
    frame["gas"] = "co2e"
    frame["unit"] = "t CO2e/yr"
    frame["gwp"] = hub.gwp
    frame["status"] = np.where(frame["year"] <= hub.base_year, "history", "projected")
    return conform(frame, PLAN_TABLES["emissions"])


def _history_parts(path: Pathway) -> Iterable[pd.DataFrame]:
    hub = path.hub
    rest = rest_history(hub)
    years = set(rest["year"])
    for kind, rows in (
        ("site", site_history(hub)),
        ("cohort", _whole_categories(path, cohort_history(hub))),
        ("rest", rest),
    ):
        inside = rows[rows["year"].isin(years) & (rows["year"] <= hub.base_year)]
        yield _part(inside, kind, "included", 1)
    beside = beside_total(hub)
    for boundary, rows in beside[beside["year"] <= hub.base_year].groupby("boundary", sort=True):
        yield _part(rows, "rest", str(boundary), 1)


def _whole_categories(path: Pathway, rows: pd.DataFrame) -> pd.DataFrame:
    """Cohort rows; where the classes share out a whole category their sum is as good as it."""
    cohorts = path.hub.tables["cohorts"].set_index("asset_id")
    shares = cohorts.groupby(["inventory_sector", "category"])["category_share"].transform("sum")
    whole = rows["asset_id"].map(shares).to_numpy(float) > 1.0 - 1e-6
    return rows.assign(confidence=np.where(whole, "derived", rows["confidence"]))


def _part(rows: pd.DataFrame, kind: str, boundary: str, scope: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "year": rows["year"],
            "inventory_sector": rows["inventory_sector"],
            "sector": rows["sector"],
            "asset_kind": kind,
            "scope": scope,
            "boundary": boundary,
            "value": rows["co2e_t"],
            "confidence": rows["confidence"],
        }
    )


def _projected_parts(path: Pathway) -> Iterable[pd.DataFrame]:
    yield _site_part(path)
    for cls in path.vehicles:
        tonnes = (cls.distance * path.tech.direct[cls.options][:, None]).sum(axis=0) * cls.scale
        yield _years_part(path, cls.inventory_sector, cls.sector, "cohort", tonnes, cls.confidence)
    for row, tonnes, confidence in idle_cohorts(path):
        yield _years_part(
            path, str(row["inventory_sector"]), str(row["sector"]), "cohort", tonnes, confidence
        )
    base = path.hub.base_year
    rest = rest_history(path.hub)
    for _, row in rest[rest["year"] == base].iterrows():
        yield _moved_by_driver(path, row, "included")
    beside = beside_total(path.hub)
    beside = beside[(beside["year"] == base) & (beside["boundary"] == "excluded")]
    for _, row in beside.iterrows():
        yield _moved_by_driver(path, row, "excluded")
    yield _scope_2_part(path)


def _site_part(path: Pathway) -> pd.DataFrame:
    sites, later = path.sites, path.years > path.hub.base_year
    tonnes = path.site_emissions[:, later]
    number, count = tonnes.shape
    changed = path.run[:, later] != sites.start[:, None]
    rank = confidence_ranks(sites.driver_confidence[:, later])
    tech_rank = confidence_ranks(path.tech.confidence)[np.maximum(path.run[:, later], 0)]
    rank = np.where(changed, np.maximum(rank, tech_rank), rank)
    reported = path.years[later] <= sites.last_year
    rank = np.where(reported[None, :], 0, rank)
    return pd.DataFrame(
        {
            "year": np.tile(path.years[later], number),
            "inventory_sector": np.repeat(sites.inventory_sector, count),
            "sector": np.repeat(sites.sector, count),
            "asset_kind": "site",
            "scope": 1,
            "boundary": "included",
            "value": tonnes.ravel(),
            "confidence": confidence_words(rank.ravel()),
        }
    )


def _years_part(
    path: Pathway,
    inventory_sector: str,
    sector: str,
    kind: str,
    tonnes: FloatArray,
    confidence: NDArray[np.object_],
    boundary: str = "included",
    scope: int = 1,
) -> pd.DataFrame:
    later = path.years > path.hub.base_year
    return pd.DataFrame(
        {
            "year": path.years[later],
            "inventory_sector": inventory_sector,
            "sector": sector,
            "asset_kind": kind,
            "scope": scope,
            "boundary": boundary,
            "value": tonnes[later],
            "confidence": confidence[later],
        }
    )


def _moved_by_driver(path: Pathway, row: pd.Series, boundary: str) -> pd.DataFrame:
    index = path.drivers.index(
        _driver_of(path, str(row["inventory_sector"]), str(row["sector"])), path.hub.base_year
    )
    return _years_part(
        path,
        str(row["inventory_sector"]),
        str(row["sector"]),
        "rest",
        float(row["co2e_t"]) * index.values,
        index.confidence,
        boundary,
    )


def _driver_of(path: Pathway, inventory_sector: str, sector: str) -> str:
    branches = path.hub.tables["branches"]
    rows = branches[(branches["inventory_sector"] == inventory_sector) & (branches["sector"] == sector)]
    return str(rows["driver"].iloc[0]) if len(rows) else ""


def idle_cohorts(path: Pathway) -> Iterable[tuple[pd.Series, FloatArray, NDArray[np.object_]]]:
    """Cohort classes without a vehicle stock, with their tonnes by year and confidence."""
    moving = {cls.asset_id for cls in path.vehicles}
    history = cohort_history(path.hub)
    base = history[history["year"] == path.hub.base_year].set_index("asset_id")["co2e_t"]
    for _, row in path.hub.tables["cohorts"].iterrows():
        if row["asset_id"] in moving or row["asset_id"] not in base.index:
            continue
        driver = _driver_of(path, str(row["inventory_sector"]), str(row["sector"]))
        index = path.drivers.index(driver, path.hub.base_year)
        yield row, float(base[row["asset_id"]]) * index.values, index.confidence


def _scope_2_part(path: Pathway) -> pd.DataFrame:
    where = np.flatnonzero(path.tech.carriers == "electricity")
    if not len(where) or not path.drivers.has(GRID_FACTOR):
        return pd.DataFrame()
    grid = path.drivers.series(GRID_FACTOR, "t CO2e/MWh")
    unit = str(path.tech.carrier_units[where[0]])
    per_unit = path.drivers.series(GRID_FACTOR, f"t/({unit})").values
    use: dict[tuple[str, str, str], FloatArray] = {}
    sites = path.sites
    power = path.tech.inputs[:, where[0]]
    drawn = np.where(path.run >= 0, power[np.maximum(path.run, 0)], 0.0) * sites.production
    for pair in sorted(set(zip(sites.inventory_sector, sites.sector, strict=True))):
        mine = (sites.inventory_sector == pair[0]) & (sites.sector == pair[1])
        use[(*pair, "site")] = drawn[mine].sum(axis=0)
    for cls in path.vehicles:
        key = (cls.inventory_sector, cls.sector, "cohort")
        taken = (cls.distance * power[cls.options][:, None]).sum(axis=0)
        use[key] = use.get(key, np.zeros(len(path.years))) + taken
    assumed = np.array(
        [max(word, "derived", key=CONFIDENCE_ORDER.index) for word in grid.confidence], dtype=object
    )
    parts = [
        _years_part(path, key[0], key[1], key[2], amount * per_unit, assumed, scope=2)
        for key, amount in use.items()
        if amount.any()
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


# ---------------------------------------------------------------- assets and switches


def assets_table(path: Pathway) -> pd.DataFrame:
    """Plan table ``assets``: reported years first, then the path."""
    parts = [_reported_sites(path), _projected_sites(path), _cohort_assets(path)]
    filled = [part for part in parts if len(part)]
    if not filled:
        return conform(pd.DataFrame(columns=PLAN_TABLES["assets"].names), PLAN_TABLES["assets"])
    return conform(pd.concat(filled, ignore_index=True), PLAN_TABLES["assets"])


def _reported_sites(path: Pathway) -> pd.DataFrame:
    rows = site_history(path.hub)
    rows = rows[rows["year"] <= path.sites.last_year]
    table = path.hub.tables["facilities"].set_index("asset_id")
    tech = path.tech
    start = {
        name: tech.find(str(row["technology"]))
        if row["technology"]
        else tech.default_for(str(row["sector"]), str(row["product"]))
        for name, row in table.iterrows()
    }
    which = rows["asset_id"].map(start).to_numpy(np.int64)
    direct = np.where(which >= 0, tech.direct[np.maximum(which, 0)], 0.0)
    tonnes = rows["co2e_t"].to_numpy(float)
    made = np.divide(tonnes, direct, out=np.full(len(tonnes), np.nan), where=direct > 0)
    best = rows.groupby("asset_id")["co2e_t"].transform("max").to_numpy(float)
    room = np.divide(best, direct, out=np.full(len(tonnes), np.nan), where=direct > 0)
    return pd.DataFrame(
        {
            "asset_id": rows["asset_id"].to_numpy(object),
            "year": rows["year"].to_numpy(),
            "sector": rows["sector"].to_numpy(object),
            "asset_kind": "site",
            "technology": np.where(which >= 0, tech.names[np.maximum(which, 0)], ""),
            "capacity": room,
            "production": made,
            "unit": np.where(which >= 0, _per_year(tech.unit[np.maximum(which, 0)]), ""),
            "co2e_t": tonnes,
            "captured_t": 0.0,
        }
    )


def _per_year(units: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.array([f"{unit}/yr" for unit in units], dtype=object)


def _projected_sites(path: Pathway) -> pd.DataFrame:
    sites, tech = path.sites, path.tech
    later = path.years > sites.last_year
    years = path.years[later]
    run = path.run[:, later]
    known = run >= 0
    safe = np.maximum(run, 0)
    made = np.where(known, sites.production[:, later], np.nan)
    room = np.repeat((sites.best_t / sites.unit_intensity)[:, None], len(years), axis=1)
    number = len(sites.asset_id)
    return pd.DataFrame(
        {
            "asset_id": np.repeat(sites.asset_id, len(years)),
            "year": np.tile(years, number),
            "sector": np.repeat(sites.sector, len(years)),
            "asset_kind": "site",
            "technology": np.where(known, tech.names[safe], "").ravel(),
            "capacity": np.where(known, room, np.nan).ravel(),
            "production": made.ravel(),
            "unit": np.where(known, _per_year(tech.unit)[safe], "").ravel(),
            "co2e_t": path.site_emissions[:, later].ravel(),
            "captured_t": path.site_captured[:, later].ravel(),
        }
    )


def _cohort_assets(path: Pathway) -> pd.DataFrame:
    rows = []
    tech, years, base = path.tech, path.years, path.hub.base_year
    history = cohort_history(path.hub)
    moving = {cls.asset_id: cls for cls in path.vehicles}
    for _, row in history[history["year"] <= base].iterrows():
        cls = moving.get(str(row["asset_id"]))
        name = tech.names[cls.options[0]] if cls else ""
        rows.append((row["asset_id"], int(row["year"]), row["sector"], name, np.nan, "", row["co2e_t"]))
    for cls in path.vehicles:
        for p, option in enumerate(cls.options):
            tonnes = cls.distance[p] * tech.direct[option] * cls.scale
            shown = (years > base) & (cls.vehicles[p] > 0)
            unit = f"{tech.unit[option]}/yr"
            rows += [
                (
                    cls.asset_id,
                    int(years[t]),
                    cls.sector,
                    tech.names[option],
                    cls.distance[p, t],
                    unit,
                    tonnes[t],
                )
                for t in np.flatnonzero(shown)
            ]
    for cohort, tonnes, _ in idle_cohorts(path):
        rows += [
            (cohort["asset_id"], int(year), cohort["sector"], "", np.nan, "", tonnes[t])
            for t, year in enumerate(years)
            if year > base
        ]
    frame = pd.DataFrame(
        rows, columns=["asset_id", "year", "sector", "technology", "production", "unit", "co2e_t"]
    )
    return frame.assign(asset_kind="cohort", capacity=np.nan, captured_t=0.0)


def switches_table(path: Pathway) -> pd.DataFrame:
    """Plan table ``switches``: site changes, closures, committed projects and purchases."""
    rows = [*_site_switches(path), *_closures(path), *_project_switches(path), *_purchases(path)]
    frame = pd.DataFrame(rows, columns=PLAN_TABLES["switches"].names)
    return conform(frame, PLAN_TABLES["switches"])


def _site_switches(path: Pathway) -> Iterable[tuple[object, ...]]:
    tech, sites = path.tech, path.sites
    changed = np.argwhere(path.run[:, 1:] != path.run[:, :-1])
    for n, before in changed:
        t = before + 1
        old, new = path.run[n, before], path.run[n, t]
        size = sites.production[n, t]
        yield (
            int(path.years[t]),
            sites.asset_id[n],
            sites.sector[n],
            tech.names[old],
            tech.names[new],
            path.kinds[old, new],
            size * float(tech.capex_added[new] if path.kinds[old, new] == "retrofit" else tech.capex[new]),
            size * (tech.direct[old] - tech.direct[new]),
            path.saving[n, t],
            tech.unit[new],
        )


def _closures(path: Pathway) -> Iterable[tuple[object, ...]]:
    sites = path.sites
    for n in np.flatnonzero(sites.closed_year < path.years[-1]):
        year = int(sites.closed_year[n]) + 1
        t = year - int(path.years[0])
        if t < 1:
            continue
        old = path.run[n, t - 1]
        name = path.tech.names[old] if old >= 0 else ""
        cut = float(path.site_emissions[n, t - 1])
        yield (
            year,
            sites.asset_id[n],
            sites.sector[n],
            name or "as reported",
            "",
            "closure",
            0.0,
            cut,
            np.nan,
            "",
        )


def _project_switches(path: Pathway) -> Iterable[tuple[object, ...]]:
    sites = path.sites
    steps = np.diff(sites.committed_t, axis=1)
    for n, before in np.argwhere(steps > 0):
        t = before + 1
        old = path.run[n, t]
        name = path.tech.names[old] if old >= 0 else "as reported"
        yield (
            int(path.years[t]),
            sites.asset_id[n],
            sites.sector[n],
            name,
            name,
            "project",
            0.0,
            float(steps[n, before]),
            np.nan,
            "",
        )


def _purchases(path: Pathway) -> Iterable[tuple[object, ...]]:
    tech = path.tech
    for cls in path.vehicles:
        own = cls.options[0]
        for p, option in enumerate(cls.options):
            if p == 0:
                continue
            for t in np.flatnonzero(cls.bought[p] >= 0.5):
                driven = cls.bought[p, t] * cls.mileage[0]
                paid = max(tech.capex[option] - path.costs.vehicle_credit[option, t], 0.0)
                yield (
                    int(path.years[t]),
                    cls.asset_id,
                    cls.sector,
                    tech.names[own],
                    tech.names[option],
                    "purchase",
                    cls.bought[p, t] * paid,
                    driven * (tech.direct[own] - tech.direct[option]) * cls.scale,
                    cls.tco[0, t] - cls.tco[p, t],
                    tech.unit[option],
                )


# ---------------------------------------------------------------- energy, costs, limits, fleet


def energy_table(path: Pathway) -> pd.DataFrame:
    """Plan table ``energy``: carriers used by assets whose technology is in the library."""
    rows = []
    for sector, use in _use_by_sector(path).items():
        for c, carrier in enumerate(path.tech.carriers):
            for t, year in enumerate(path.years):
                if use[c, t] > 0:
                    rows.append((int(year), sector, carrier, use[c, t], f"{path.tech.carrier_units[c]}/yr"))
    return conform(pd.DataFrame(rows, columns=PLAN_TABLES["energy"].names), PLAN_TABLES["energy"])


def _use_by_sector(path: Pathway) -> dict[str, FloatArray]:
    tech, sites = path.tech, path.sites
    known = path.run >= 0
    out: dict[str, FloatArray] = {}
    for sector in sorted(set(sites.sector)):
        mine = sites.sector == sector
        run, size = np.maximum(path.run[mine], 0), np.where(known[mine], sites.production[mine], 0.0)
        out[sector] = np.einsum("ntc,nt->ct", tech.inputs[run], size)
    for cls in path.vehicles:
        used = tech.inputs[cls.options].T @ cls.distance
        out[cls.sector] = out.get(cls.sector, np.zeros_like(used)) + used
    return out


def costs_table(path: Pathway) -> pd.DataFrame:
    """Plan table ``costs``: what the covered assets spend each year."""
    tech, costs, sites = path.tech, path.costs, path.sites
    items: dict[tuple[str, str], FloatArray] = {}

    def add(sector: str, item: str, amount: FloatArray) -> None:
        items[sector, item] = items.get((sector, item), np.zeros(len(path.years))) + amount

    known = path.run >= 0
    run = np.maximum(path.run, 0)
    size = np.where(known, sites.production, 0.0)
    at = np.arange(len(path.years))[None, :]
    energy_price = np.einsum("kc,kct->kt", tech.inputs, costs.prices)
    emitted = np.where(known, path.site_emissions, 0.0)
    flows = {
        "capital": path.capex,
        "fixed_opex": tech.fixed[run] * size,
        "variable_opex": tech.variable[run] * size,
        "energy": energy_price[run, at] * size,
        "carbon": emitted * costs.carbon_price[None, :],
        "co2_transport_storage": tech.captured[run] * size * costs.storage_price[None, :],
        "credits": -_credit_paid(path, run) * size,
    }
    for sector in sorted(set(sites.sector)):
        mine = sites.sector == sector
        for item, flow in flows.items():
            add(sector, item, flow[mine].sum(axis=0))
    for cls in path.vehicles:
        option = cls.options
        bought, driven = cls.bought, cls.distance
        add(cls.sector, "capital", (bought * tech.capex[option][:, None]).sum(axis=0))
        add(cls.sector, "credits", -(bought * costs.vehicle_credit[option]).sum(axis=0))
        add(cls.sector, "credits", -(driven * costs.yearly_credit[option]).sum(axis=0))
        add(cls.sector, "fixed_opex", (cls.vehicles * tech.fixed[option][:, None]).sum(axis=0))
        add(cls.sector, "variable_opex", (driven * tech.variable[option][:, None]).sum(axis=0))
        add(cls.sector, "energy", (driven * energy_price[option]).sum(axis=0))
        tonnes = (driven * tech.direct[option][:, None]).sum(axis=0) * cls.scale
        add(cls.sector, "carbon", tonnes * costs.carbon_price)
    rows = [
        (int(year), sector, item, flow[t])
        for (sector, item), flow in items.items()
        for t, year in enumerate(path.years)
        if abs(flow[t]) > 0 and year > path.hub.base_year
    ]
    return conform(pd.DataFrame(rows, columns=PLAN_TABLES["costs"].names), PLAN_TABLES["costs"])


def _credit_paid(path: Pathway, run: NDArray[np.int64]) -> FloatArray:
    """Levelised credit per unit that each site earns, (N, T): that of the year it changed.

    It is spread over the owners' horizon and ends with it.
    """
    number, count = run.shape
    since = np.zeros((number, count), dtype=np.int64)
    for t in range(1, count):
        since[:, t] = np.where(run[:, t] != run[:, t - 1], t, since[:, t - 1])
    age = np.arange(count)[None, :] - since
    earning = (since > 0) & (age < path.scenario.decision.horizon)
    return np.where(earning, path.costs.credits[run, since], 0.0)


def limits_table(path: Pathway) -> pd.DataFrame:
    """Plan table ``limits``: the scenario's limits, then the capacity of each branch's sites."""
    rows = []
    later = path.years > path.hub.base_year
    for name, (value, used, refused, quantity) in sorted(path.limits.items()):
        unit = LIMIT_UNITS[quantity]
        rows += [
            _limit_row(name, path.years[t], value[t], used[t], refused[t], unit)
            for t in np.flatnonzero(later)
        ]
    for name, (wanted, made) in sorted(path.sites.unmet.items()):
        sector = name.split("|")[1]
        if not (wanted[later] > made[later] * (1 + SHOWN_SHORTFALL)).any():
            continue
        label = f"site capacity: {sector} ({name.split('|')[0]})"
        unit = "t CO2e/yr at the intensity of the last reported year"
        rows += [
            _limit_row(label, path.years[t], made[t], wanted[t], 0.0, unit) for t in np.flatnonzero(later)
        ]
    return conform(pd.DataFrame(rows, columns=PLAN_TABLES["limits"].names), PLAN_TABLES["limits"])


def _limit_row(
    name: str, year: int, value: float, used: float, refused: float, unit: str
) -> tuple[object, ...]:
    over = max(used - value, 0.0)
    over = over if over > 1e-6 * max(abs(value), 1.0) else 0.0
    return (name, int(year), value, used, max(value - used, 0.0), over, refused, unit)


def truck_fleet_table(path: Pathway) -> pd.DataFrame:
    """Plan table ``truck_fleet``: vehicles on the road, bought, and cost of a new one."""
    rows = []
    for cls in path.vehicles:
        per_mile = factor("1/mi", f"1/({path.tech.unit[cls.options[0]]})")
        for p, option in enumerate(cls.options):
            for t, year in enumerate(path.years):
                rows.append(
                    (
                        int(year),
                        cls.asset_id,
                        path.tech.names[option],
                        cls.vehicles[p, t],
                        cls.bought[p, t],
                        cls.tco[p, t] / per_mile,
                    )
                )
    return conform(pd.DataFrame(rows, columns=PLAN_TABLES["truck_fleet"].names), PLAN_TABLES["truck_fleet"])


def sectors_table(path: Pathway) -> pd.DataFrame:
    """Plan table ``sectors``: what the library offers each sector of the hub's sites."""
    sites, tech = path.sites, path.tech
    rows = []
    cohort_sectors = {cls.sector: cls for cls in path.vehicles}
    idle = {str(row["sector"]) for row, _, _ in idle_cohorts(path)}
    for sector in sorted({*sites.sector, *cohort_sectors, *idle}):
        mine = sites.sector == sector
        start = sites.start[mine]
        reach = [set(np.flatnonzero(path.kinds[k] != "")) if k >= 0 else set() for k in start]
        covered = np.array([bool(options) for options in reach], dtype=bool)
        options = set().union(*reach) if reach else set()
        if sector in cohort_sectors:
            options |= set(cohort_sectors[sector].options[1:])
        names = sorted(tech.names[k] for k in options)
        note = "" if options else "no option in the library"
        base = sites.base_t[mine]
        rows.append(
            (sector, int(mine.sum()), base.sum(), base[covered].sum() if len(base) else 0.0, len(names), note)
        )
    return conform(pd.DataFrame(rows, columns=PLAN_TABLES["sectors"].names), PLAN_TABLES["sectors"])
