"""From a path to plan tables: assets, switches, production, stranded capital, fleet, sectors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.tables import conform
from cleanhub.core.units import factor
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.emissions import idle_cohorts
from cleanhub.pathways.sites import starting_technology

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Rows = dict[str, Any]
"""Columns of a few rows of a table: arrays of one length, or one value for all of them."""
_SITE, _COHORT, _NOTHING = (np.array(word, dtype=object) for word in ("site", "cohort", ""))


# ---------------------------------------------------------------- assets


def assets_table(pathway: Pathway, only: int | None = None) -> pd.DataFrame:
    """Plan table ``assets``: reported years first, then the path; ``only`` one year where one is given."""
    parts = [_reported_sites(pathway, only), _projected_plants(pathway, only)]
    parts += _cohort_assets(pathway, only)
    frame = pd.DataFrame({name: _joined(parts, name) for name in PLAN_TABLES["assets"].names})
    return conform(frame, PLAN_TABLES["assets"])


def _joined(parts: list[Rows], name: str) -> NDArray[Any]:
    """A column of all parts below one another; each holds an array or one value for its ``year`` rows."""
    cells = ((np.asarray(part[name]), np.shape(part["year"])) for part in parts)
    return np.concatenate([np.broadcast_to(array, shape) for array, shape in cells])


def _wanted(years: IntArray, only: int | None) -> NDArray[np.bool_]:
    return np.ones(len(years), dtype=bool) if only is None else years == only


def _reported_sites(pathway: Pathway, only: int | None) -> Rows:
    rows = pathway.history.sites
    rows = rows[(rows["year"] <= pathway.sites.last_year).to_numpy(bool)]
    best = rows.groupby("asset_id")["co2e_t"].transform("max").to_numpy(float)
    shown = _wanted(rows["year"].to_numpy(np.int64), only)
    rows, best = rows[shown], best[shown]
    tech, table = pathway.tech, pathway.hub.tables["facilities"]
    start = dict(zip(table["asset_id"], starting_technology(table, tech), strict=True))
    which = rows["asset_id"].map(start).to_numpy(np.int64)
    known, safe = which >= 0, np.maximum(which, 0)
    direct = np.where(known, tech.direct[safe], 0.0)
    tonnes = rows["co2e_t"].to_numpy(float)
    return {
        "asset_id": rows["asset_id"].to_numpy(object),
        "year": rows["year"].to_numpy(np.int64),
        "sector": rows["sector"].to_numpy(object),
        "asset_kind": _SITE,
        "technology": np.where(known, tech.names[safe], ""),
        "capacity": np.divide(best, direct, out=np.full(len(tonnes), np.nan), where=direct > 0),
        "production": np.divide(tonnes, direct, out=np.full(len(tonnes), np.nan), where=direct > 0),
        "unit": np.where(known, _per_year(tech.unit)[safe], ""),
        "co2e_t": tonnes,
        "captured_t": 0.0,
    }


def _per_year(units: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.array([f"{unit}/yr" for unit in units], dtype=object)


def _projected_plants(pathway: Pathway, only: int | None) -> Rows:
    """Rows of the path where a plant stands: sites after their last report, others from the start."""
    path, tech, sites = pathway.walked, pathway.tech, pathway.sites
    site = (path.plant >= 0) & (path.plant < len(sites.asset_id))
    shown = (path.capacity > 0) & ~(site[:, None] & (pathway.years <= sites.last_year)[None, :])
    row, year = np.nonzero(shown & _wanted(pathway.years, only))
    run = path.run[row, year]
    known, safe = run >= 0, np.maximum(run, 0)
    return {
        "asset_id": path.names[row],
        "year": pathway.years[year],
        "sector": pathway.problem.markets.sector[path.market[row]],
        "asset_kind": _SITE,
        "technology": np.where(known, tech.names[safe], ""),
        "capacity": np.where(known, path.capacity[row, year], np.nan),
        "production": np.where(known, path.production[row, year], np.nan),
        "unit": np.where(known, _per_year(tech.unit)[safe], ""),
        "co2e_t": path.emissions[row, year],
        "captured_t": path.captured[row, year],
    }


def _cohort_assets(pathway: Pathway, only: int | None) -> list[Rows]:
    path, tech, base = pathway.walked, pathway.tech, pathway.hub.base_year
    usual: Rows = {"asset_kind": _COHORT, "capacity": np.nan, "captured_t": 0.0}
    unknown: Rows = {**usual, "technology": _NOTHING, "production": np.nan, "unit": _NOTHING}
    incumbent = {cls.asset_id: tech.names[cls.options[0]] for cls in path.vehicles}
    past = pathway.history.cohorts
    past = past[(past["year"] <= base).to_numpy(bool) & _wanted(past["year"].to_numpy(np.int64), only)]
    held: Rows = {name: past[name].to_numpy(object) for name in ("asset_id", "sector")}
    ran = np.array([incumbent.get(name, "") for name in past["asset_id"]], dtype=object)
    numbers: Rows = {"year": past["year"].to_numpy(np.int64), "co2e_t": past["co2e_t"].to_numpy(float)}
    parts = [{**unknown, **held, **numbers, "technology": ran}]
    later = (pathway.years > base) & _wanted(pathway.years, only)
    for cls in path.vehicles:
        p, t = np.nonzero(later[None, :] & (cls.vehicles > 0))
        run = cls.options[p]
        parts.append(
            {
                **usual,
                "asset_id": np.array(cls.asset_id, dtype=object),
                "year": pathway.years[t],
                "sector": np.array(cls.sector, dtype=object),
                "technology": tech.names[run],
                "production": cls.distance[p, t],
                "unit": _per_year(tech.unit)[run],
                "co2e_t": cls.distance[p, t] * tech.direct[run] * cls.scale,
            }
        )
    for cohort in idle_cohorts(pathway):
        place: Rows = {
            "asset_id": np.array(cohort.asset_id, dtype=object),
            "sector": np.array(cohort.branch[1], dtype=object),
        }
        parts.append({**unknown, **place, "year": pathway.years[later], "co2e_t": cohort.tonnes[later]})
    return parts


# ---------------------------------------------------------------- switches


def switches_table(pathway: Pathway) -> pd.DataFrame:
    """Plan table ``switches``: changes, new and retired plants, closures, projects and purchases."""
    frames = [_plant_changes(pathway)]
    rows = [*_closures(pathway), *_project_switches(pathway), *_purchases(pathway)]
    frames.append(pd.DataFrame(rows, columns=PLAN_TABLES["switches"].names))
    filled = [frame for frame in frames if len(frame)]
    table = pd.concat(filled, ignore_index=True) if filled else frames[1]
    return conform(table, PLAN_TABLES["switches"])


def _plant_changes(pathway: Pathway) -> pd.DataFrame:
    path, tech, markets = pathway.walked, pathway.tech, pathway.problem.markets
    changes = path.changes
    row, t = np.array(changes.row, dtype=np.int64), np.array(changes.t, dtype=np.int64)
    before, after = np.array(changes.before, dtype=np.int64), np.array(changes.after, dtype=np.int64)
    size = np.array(changes.capacity, dtype=np.float64) * np.array(changes.share, dtype=np.float64)
    market = path.market[row]
    load = np.where(markets.meets_demand[market], markets.high[market], 1.0)
    old = np.where(before >= 0, tech.direct[np.maximum(before, 0)], np.nan)
    new = np.where(after >= 0, tech.direct[np.maximum(after, 0)], 0.0)
    which = np.where(after >= 0, after, before)
    return pd.DataFrame(
        {
            "year": pathway.years[t],
            "asset_id": path.names[row],
            "sector": markets.sector[market],
            "from_technology": np.where(before >= 0, tech.names[np.maximum(before, 0)], ""),
            "to_technology": np.where(after >= 0, tech.names[np.maximum(after, 0)], ""),
            "kind": np.array(changes.kind, dtype=object),
            "capex_usd": np.array(changes.capex, dtype=np.float64),
            "abated_t_per_year": size * load * (old - new),
            "saving_usd_per_unit": np.array(changes.saving, dtype=np.float64),
            "unit": tech.unit[np.maximum(which, 0)],
        }
    )


def _closures(pathway: Pathway) -> Iterable[tuple[object, ...]]:
    path, sites = pathway.walked, pathway.sites
    row_of = {int(n): r for r, n in enumerate(path.plant) if n >= 0}
    for n in np.flatnonzero(sites.closed_year < pathway.years[-1]):
        year = int(sites.closed_year[n]) + 1
        t = year - int(pathway.years[0])
        if t < 1 or n not in row_of:
            continue
        row = row_of[int(n)]
        old = path.run[row, t - 1]
        name = pathway.tech.names[old] if old >= 0 else "as reported"
        cut = float(path.emissions[row, t - 1])
        yield (year, sites.asset_id[n], sites.sector[n], name, "", "closure", 0.0, cut, np.nan, "")


def _project_switches(pathway: Pathway) -> Iterable[tuple[object, ...]]:
    path, sites = pathway.walked, pathway.sites
    row_of = {int(n): r for r, n in enumerate(path.plant) if n >= 0}
    steps = np.diff(sites.committed_t, axis=1)
    for n, before in np.argwhere(steps > 0):
        t = before + 1
        old = path.run[row_of[int(n)], t]
        name = pathway.tech.names[old] if old >= 0 else "as reported"
        year = int(pathway.years[t])
        cut = float(steps[n, before])
        yield (year, sites.asset_id[n], sites.sector[n], name, name, "project", 0.0, cut, np.nan, "")


def _purchases(pathway: Pathway) -> Iterable[tuple[object, ...]]:
    path, tech = pathway.walked, pathway.tech
    for cls in path.vehicles:
        own = cls.options[0]
        for p, option in enumerate(cls.options):
            if p == 0:
                continue
            for t in np.flatnonzero(cls.bought[p] >= 0.5):
                driven = cls.bought[p, t] * cls.mileage[0]
                paid = max(tech.capex[option] * path.multiplier[option, t] - cls.vehicle_credit[p, t], 0.0)
                yield (
                    int(pathway.years[t]),
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


# ---------------------------------------------------------------- production and stranded capital


def production_table(pathway: Pathway) -> pd.DataFrame:
    """Plan table ``production``: what each technology makes, by sector, product and region."""
    path, tech, markets = pathway.walked, pathway.tech, pathway.problem.markets
    row, year = np.nonzero((path.run >= 0) & (path.capacity > 0))
    run, market = path.run[row, year], path.market[row]
    regions = np.array(pathway.problem.regions, dtype=object)
    frame = pd.DataFrame(
        {
            "year": pathway.years[year],
            "sector": markets.sector[market],
            "product": tech.product[run],
            "region": regions[markets.region[market]],
            "technology": tech.names[run],
            "production": path.production[row, year],
            "capacity": path.capacity[row, year],
            "plants": _plants_in_row(pathway)[row, year],
            "unit": _per_year(tech.unit)[run],
        }
    )
    parts = [frame, *(_vehicle_production(pathway, v) for v in range(len(path.vehicles)))]
    keys = ["year", "sector", "product", "region", "technology", "unit"]
    filled = [part for part in parts if len(part)]
    if not filled:
        return conform(pd.DataFrame(columns=PLAN_TABLES["production"].names), PLAN_TABLES["production"])
    total = pd.concat(filled).groupby(keys, as_index=False, sort=True).sum(min_count=1)
    return conform(total, PLAN_TABLES["production"])


def _plants_in_row(pathway: Pathway) -> FloatArray:
    """Plants that each row stands for: 1, or the fraction of the plant that it holds, (R, T)."""
    path = pathway.walked
    size = np.where(path.plant >= 0, pathway.problem.plants.capacity[np.maximum(path.plant, 0)], 0.0)
    whole = np.where(size > 0, size, path.capacity.max(axis=1, initial=0.0))[:, None]
    return np.divide(path.capacity, whole, out=np.zeros_like(path.capacity), where=whole > 0)


def _vehicle_production(pathway: Pathway, v: int) -> pd.DataFrame:
    cls, tech = pathway.walked.vehicles[v], pathway.tech
    option, year = np.nonzero(cls.vehicles > 0)
    run = cls.options[option]
    return pd.DataFrame(
        {
            "year": pathway.years[year],
            "sector": cls.sector,
            "product": tech.product[run],
            "region": pathway.problem.regions[cls.region],
            "technology": tech.names[run],
            "production": cls.distance[option, year],
            "capacity": np.nan,
            "plants": cls.vehicles[option, year],
            "unit": _per_year(tech.unit)[run],
        }
    )


def stranded_table(pathway: Pathway) -> pd.DataFrame:
    """Plan table ``stranded``: capital given up before its lifetime was over."""
    path, tech, markets = pathway.walked, pathway.tech, pathway.problem.markets
    changes = path.changes
    frame = pd.DataFrame(
        {
            "year": pathway.years[np.array(changes.t, dtype=np.int64)],
            "sector": markets.sector[path.market[np.array(changes.row, dtype=np.int64)]],
            "technology": tech.names[np.maximum(np.array(changes.before, dtype=np.int64), 0)],
            "why": ["retired early" if kind == "retired" else "replaced early" for kind in changes.kind],
            "plants": np.array(changes.share, dtype=np.float64),
            "capital_usd": np.array(changes.stranded, dtype=np.float64),
        }
    )
    frame = frame[frame["capital_usd"] > 0]
    keys = ["year", "sector", "technology", "why"]
    if len(frame):
        frame = frame.groupby(keys, as_index=False, sort=True).sum()
    return conform(frame, PLAN_TABLES["stranded"])


# ---------------------------------------------------------------- fleet and sectors


def truck_fleet_table(pathway: Pathway) -> pd.DataFrame:
    """Plan table ``truck_fleet``: trucks on the road, bought, and cost of a new one."""
    rows = []
    tech = pathway.tech
    for cls in pathway.walked.vehicles:
        unit = str(tech.unit[cls.options[0]])
        try:
            per_mile = factor("1/mi", f"1/({unit})")
        except ValueError:
            continue  # ships and aircraft carry over distance: table production holds them
        for p, option in enumerate(cls.options):
            for t, year in enumerate(pathway.years):
                rows.append(
                    (
                        int(year),
                        cls.asset_id,
                        tech.names[option],
                        cls.vehicles[p, t],
                        cls.bought[p, t],
                        cls.tco[p, t] / per_mile,
                    )
                )
    return conform(pd.DataFrame(rows, columns=PLAN_TABLES["truck_fleet"].names), PLAN_TABLES["truck_fleet"])


def sectors_table(pathway: Pathway) -> pd.DataFrame:
    """Plan table ``sectors``: what the library offers each sector of the hub's plants."""
    problem = pathway.problem
    sectors, plants = problem.markets.sector[problem.plants.market], problem.plants
    base_t = pathway.walked.emissions[: len(plants.asset_id), 0]
    base_t = np.where(np.arange(len(base_t)) < len(pathway.sites.asset_id), _site_tonnes(pathway), base_t)
    rows = []
    cohorts = {cls.sector: cls for cls in problem.vehicles}
    idle = {cohort.branch[1] for cohort in idle_cohorts(pathway)}
    for sector in sorted({*sectors, *cohorts, *idle}):
        mine = sectors == sector
        start = plants.start[mine]
        reach = [set(np.flatnonzero(problem.kinds[k])) if k >= 0 else set() for k in start]
        covered = np.array([bool(options) for options in reach], dtype=bool)
        options = set().union(*reach) if reach else set()
        options |= {k for cls in problem.vehicles if cls.sector == sector for k in cls.options[1:]}
        markets = np.flatnonzero(problem.markets.meets_demand & (problem.markets.sector == sector))
        options |= {k for m in markets for k in np.flatnonzero(problem.markets.offered[m])} - set(start)
        covered |= problem.markets.meets_demand[plants.market[mine]]
        note = "" if options else "no option in the library"
        tonnes = base_t[mine]
        rows.append((sector, int(mine.sum()), tonnes.sum(), tonnes[covered].sum(), len(options), note))
    return conform(pd.DataFrame(rows, columns=PLAN_TABLES["sectors"].names), PLAN_TABLES["sectors"])


def _site_tonnes(pathway: Pathway) -> FloatArray:
    """Reported tonnes of the sites, padded with zeros for the stacks, (N,)."""
    number = len(pathway.problem.plants.asset_id)
    out = np.zeros(number)
    out[: len(pathway.sites.base_t)] = pathway.sites.base_t
    return out
