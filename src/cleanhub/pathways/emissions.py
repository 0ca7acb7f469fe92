"""Plan table ``emissions``: history from the inventory, then the path, by branch, scope and gas.

Scope 1 in CO2 equivalent is what plants, cohorts and the rest emit. Methane, nitrous oxide
and carbon dioxide stand beside it in tonnes of the gas: of technologies that state them as
they state them, else in the shares that the branch had in the inventory's last year. Scope 2
is grid power times its factor, scope 3 what making and bringing the carriers emits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.core.tables import conform
from cleanhub.hub.inventory import BRANCH, branch_drivers, scope_pairs
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.series import CONFIDENCE_ORDER, confidence_ranks, confidence_words
from cleanhub.pathways.assemble import Pathway

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
GRID_FACTOR = "grid_emission_factor"
SPLIT_GASES = ("ch4", "n2o")
Branch = tuple[str, str]
"""Top-level inventory sector and sector."""
Rows = dict[str, object]
"""Columns of a few rows of the table: arrays of one length, or one value for all of them."""
Columns = dict[str, NDArray[Any]]
"""Columns of rows of the table, arrays of one length."""
_KEEP = ["year", *BRANCH, "asset_kind", "scope", "boundary", "gas"]
_UNEXPLAINED = 1e-6
"""Share of a branch by which its stacks may exceed its inventory before it is a fault."""


def emissions_table(pathway: Pathway) -> pd.DataFrame:
    """Plan table ``emissions``.

    Raises :class:`~cleanhub.core.errors.InputError` when the stacks of a branch emit more in
    the base year than its inventory holds.
    """
    rank = plant_confidence(pathway)
    parts = [*_counted_parts(pathway, rank), *_beside_parts(pathway), *_indirect_parts(pathway, rank)]
    rows = _summed(parts)
    return _table(pathway, rows, *_gases(pathway, rows))


def counted_emissions(pathway: Pathway) -> pd.DataFrame:
    """Scope 1 of the inventory's boundary in CO2 equivalent alone: what totals are made of.

    The same rows as in :func:`emissions_table`; raises as it does.
    """
    return _table(pathway, _summed(_counted_parts(pathway, plant_confidence(pathway))))


def _counted_parts(pathway: Pathway, rank: IntArray) -> list[Rows]:
    rest = _rest_without_stacks(pathway)
    return [*_history_parts(pathway, rest), *_projected_parts(pathway, rest, rank)]


def _table(pathway: Pathway, *parts: Columns) -> pd.DataFrame:
    """The rows of all ``parts`` as the plan table."""
    hub = pathway.hub
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    scope = scope_pairs(hub)
    branches, of_branch = _distinct(rows, *BRANCH)
    frame = pd.DataFrame(
        {
            **rows,
            "hub_scope": np.array([branch in scope for branch in branches], dtype=bool)[of_branch],
            "unit": np.where(rows["gas"] == "co2e", "t CO2e/yr", "t/yr"),
            "gwp": hub.gwp,
            "status": np.where(rows["year"] <= hub.base_year, "history", "projected"),
        }
    )
    return conform(frame, PLAN_TABLES["emissions"])


def _summed(parts: list[Rows]) -> Columns:
    """The sums of all parts by :data:`_KEEP` that are not 0, with the weakest confidence of each.

    Words are told apart once for each part: as columns of words, they would cost more than all the sums.
    """
    sizes = [len(np.asarray(part["value"])) for part in parts]
    values = np.concatenate([np.asarray(part["value"], dtype=float) for part in parts])
    words, codes = _coded([part["confidence"] for part in parts], sizes)
    ranks = confidence_ranks(words)[codes]
    distinct, place = {}, np.zeros(len(values), dtype=np.int64)
    for name in _KEEP:
        distinct[name], codes = _coded([part[name] for part in parts], sizes)
        place = place * len(distinct[name]) + codes
    by_place = pd.DataFrame({"value": values, "rank": ranks}).groupby(place)
    total = by_place["value"].sum()
    kept = total.to_numpy() != 0
    left = total.index.to_numpy(np.int64)[kept]
    rows: Columns = {}
    for name in reversed(_KEEP):
        left, at = np.divmod(left, len(distinct[name]))
        rows[name] = distinct[name][at]
    rows = {name: rows[name] for name in _KEEP}
    rows["year"], rows["scope"] = rows["year"].astype(np.int64), rows["scope"].astype(np.int64)
    rows["value"] = total.to_numpy()[kept]
    rows["confidence"] = confidence_words(by_place["rank"].max().to_numpy(np.int64)[kept])
    return rows


def _coded(parts: list[object], sizes: list[int]) -> tuple[NDArray[np.object_], IntArray]:
    """The distinct values of a column that stands in parts, and the position of each row's value in them.

    A part is an array of its size, or one value for all of its rows.
    """
    known: dict[Any, int] = {}
    codes = []
    for part, size in zip(parts, sizes, strict=True):
        cells = np.asarray(part)
        one = cells.ndim == 0
        at, own = (np.zeros(size, dtype=np.int64), [part]) if one else pd.factorize(cells)
        codes.append(np.array([known.setdefault(value, len(known)) for value in own], dtype=np.int64)[at])
    return np.array(list(known), dtype=object), np.concatenate(codes)


def _distinct(rows: Columns, *names: str) -> tuple[list[tuple[Any, ...]], IntArray]:
    """The distinct values in some columns, as tuples, and the position of each row's."""
    place = np.zeros(len(rows[names[0]]), dtype=np.int64)
    for name in names:
        codes, values = pd.factorize(rows[name])
        place = place * max(len(values), 1) + codes
    _, first, position = np.unique(place, return_index=True, return_inverse=True)
    return list(zip(*(rows[name][first].tolist() for name in names), strict=True)), position


def _keys(frame: pd.DataFrame, *names: str) -> Iterator[tuple[Any, ...]]:
    """The rows' values in some columns, as tuples."""
    return zip(*(frame[name].to_numpy(object) for name in names), strict=True)


# ---------------------------------------------------------------- history


def stack_tonnes(pathway: Pathway) -> pd.DataFrame:
    """Tonnes of the stacks in the base year by branch: inventory_sector, sector, co2e_t."""
    path, markets = pathway.walked, pathway.problem.markets
    stack = np.flatnonzero(path.plant >= len(pathway.sites.asset_id))
    frame = pd.DataFrame(
        {
            "inventory_sector": markets.inventory_sector[path.market[stack]],
            "sector": markets.sector[path.market[stack]],
            "co2e_t": path.emissions[stack, 0],
        }
    )
    return frame.groupby(BRANCH, as_index=False)[["co2e_t"]].sum()


def _rest_without_stacks(pathway: Pathway) -> pd.DataFrame:
    """The rest by branch and year, less what the stacks emit in the base year."""
    rest = pathway.history.rest
    stacks = stack_tonnes(pathway)
    if stacks.empty:
        return rest
    rest = rest.copy()
    faults = FaultList()
    base = pathway.hub.base_year
    for _, row in stacks.iterrows():
        mine = (rest["year"] == base) & (rest["inventory_sector"] == row["inventory_sector"])
        mine &= rest["sector"] == row["sector"]
        held = float(rest.loc[mine, "co2e_t"].sum())
        if row["co2e_t"] > held * (1.0 + _UNEXPLAINED) + 1.0:
            faults.add(
                "stacks.csv",
                what=f"stacks of {row['sector']} emit more than inventory.csv holds",
                found=f"{row['co2e_t']:.0f} t in {base}",
                allowed=f"at most {held:.0f} t",
            )
        rest.loc[mine, "co2e_t"] = np.maximum(held - float(row["co2e_t"]), 0.0)
    faults.raise_if_any("stacks")
    return rest


def _history_parts(pathway: Pathway, rest: pd.DataFrame) -> Iterable[Rows]:
    base, history = pathway.hub.base_year, pathway.history
    years = set(rest["year"])
    for kind, rows in (
        ("site", history.sites),
        ("cohort", _whole_categories(pathway, history.cohorts)),
        ("rest", rest),
    ):
        inside = rows[rows["year"].isin(years) & (rows["year"] <= base)]
        yield _part(inside, kind)
    stacks = stack_tonnes(pathway)
    yield _part(stacks.assign(year=base, confidence="derived"), "site")


def _whole_categories(pathway: Pathway, rows: pd.DataFrame) -> pd.DataFrame:
    """Cohort rows; where the classes share out a whole category their sum is as good as it."""
    cohorts = pathway.hub.tables["cohorts"].set_index("asset_id")
    shares = cohorts.groupby(["inventory_sector", "category"])["category_share"].transform("sum")
    whole = rows["asset_id"].map(shares).to_numpy(float) > 1.0 - 1e-6
    return rows.assign(confidence=np.where(whole, "derived", rows["confidence"]))


def _part(rows: pd.DataFrame, kind: str, boundary: str | pd.Series = "included") -> Rows:
    return {
        "year": rows["year"],
        "inventory_sector": rows["inventory_sector"],
        "sector": rows["sector"],
        "asset_kind": kind,
        "scope": 1,
        "boundary": boundary,
        "gas": "co2e",
        "value": rows["co2e_t"],
        "confidence": rows["confidence"],
    }


# ---------------------------------------------------------------- the path


def _projected_parts(pathway: Pathway, rest: pd.DataFrame, rank: IntArray) -> Iterable[Rows]:
    path, tech = pathway.walked, pathway.tech
    yield _plants_part(pathway, path.emissions, rank)
    for cls in path.vehicles:
        tonnes = (cls.distance * tech.direct[cls.options][:, None]).sum(axis=0) * cls.scale
        yield _years_part(pathway, (cls.inventory_sector, cls.sector), "cohort", tonnes, cls.confidence)
    for cohort in idle_cohorts(pathway):
        yield _years_part(pathway, cohort.branch, "cohort", cohort.tonnes, cohort.confidence)
    yield from _moved_by_drivers(pathway, rest, "included")


def _beside_parts(pathway: Pathway) -> Iterable[Rows]:
    """What stands beside the inventory's total, before and after the base year."""
    beside = pathway.history.beside
    past = beside[beside["year"] <= pathway.hub.base_year]
    yield _part(past, "rest", past["boundary"])
    yield from _moved_by_drivers(pathway, beside[beside["boundary"] == "excluded"], "excluded")


def _moved_by_drivers(pathway: Pathway, rows: pd.DataFrame, boundary: str) -> Iterable[Rows]:
    """The base year's rows by branch, moved by the branch's driver after it."""
    base = pathway.hub.base_year
    driver_of = branch_drivers(pathway.hub)
    last = rows[rows["year"] == base]
    for branch, tonnes in zip(_keys(last, *BRANCH), last["co2e_t"], strict=True):
        index = pathway.drivers.index(driver_of.get(branch, ""), base)
        yield _years_part(pathway, branch, "rest", tonnes * index.values, index.confidence, boundary)


def plant_confidence(pathway: Pathway) -> IntArray:
    """Rank of the weakest input of each row and year of the path, (R, T).

    A reported site that runs what it started with rests on its driver; every other plant on
    its market's demand and on its technology too.
    """
    path, sites = pathway.walked, pathway.sites
    demand = confidence_ranks(_demand_confidence(pathway))
    rank = demand[path.market]
    site = (path.plant >= 0) & (path.plant < len(sites.asset_id))
    outside = site & ~pathway.problem.markets.meets_demand[path.market]
    rank[outside] = confidence_ranks(sites.driver_confidence[path.plant[outside]])
    start = np.where(path.plant >= 0, pathway.problem.plants.start[np.maximum(path.plant, 0)], -2)
    changed = (path.run != start[:, None]) | ~site[:, None]
    tech_rank = confidence_ranks(pathway.tech.confidence)[np.maximum(path.run, 0)]
    rank = np.where(changed, np.maximum(rank, tech_rank), rank)
    reported = site[:, None] & (pathway.years <= sites.last_year)[None, :]
    return np.where(reported, 0, rank)


def _demand_confidence(pathway: Pathway) -> NDArray[np.object_]:
    """Confidence of each market's demand by year, (M, T); derived where it has none."""
    markets, hub = pathway.problem.markets, pathway.hub
    out = np.full((len(markets.name), len(pathway.years)), "derived", dtype=object)
    regions = pathway.problem.regions
    for m, (_, row) in enumerate(hub.tables["markets"].iterrows()):
        drivers = pathway.drivers.for_region(regions[int(markets.region[m])])
        out[m] = drivers.series(str(row["demand_driver"])).confidence
    return out


def _plants_part(pathway: Pathway, tonnes: FloatArray, rank: IntArray, scope: int = 1) -> Rows:
    """Tonnes of every row of the path (R, T) after the base year; ``rank`` (R, T) is their confidence."""
    path, markets = pathway.walked, pathway.problem.markets
    later = pathway.years > pathway.hub.base_year
    held = tonnes[:, later]
    row, year = np.nonzero(held)
    market = path.market[row]
    return {
        "year": pathway.years[later][year],
        "inventory_sector": markets.inventory_sector[market],
        "sector": markets.sector[market],
        "asset_kind": "site",
        "scope": scope,
        "boundary": "included",
        "gas": "co2e",
        "value": held[row, year],
        "confidence": confidence_words(rank[:, later][row, year]),
    }


def _years_part(
    pathway: Pathway,
    branch: Branch,
    kind: str,
    tonnes: FloatArray,
    confidence: NDArray[np.object_],
    boundary: str = "included",
    scope: int = 1,
) -> Rows:
    later = pathway.years > pathway.hub.base_year
    return {
        "year": pathway.years[later],
        "inventory_sector": branch[0],
        "sector": branch[1],
        "asset_kind": kind,
        "scope": scope,
        "boundary": boundary,
        "gas": "co2e",
        "value": tonnes[later],
        "confidence": confidence[later],
    }


@dataclass(frozen=True)
class IdleCohort:
    """A cohort class without a vehicle stock: its ``tonnes`` and their ``confidence`` by year, (T,)."""

    asset_id: str
    branch: Branch
    tonnes: FloatArray
    confidence: NDArray[np.object_]


def idle_cohorts(pathway: Pathway) -> Iterable[IdleCohort]:
    """The cohort classes that no vehicles stand for: their branch's driver moves them."""
    moving = {cls.asset_id for cls in pathway.problem.vehicles}
    history = pathway.history.cohorts
    last = history[(history["year"] == pathway.hub.base_year) & ~history["asset_id"].isin(moving)]
    base = dict(zip(last["asset_id"], last["co2e_t"], strict=True))
    driver_of = branch_drivers(pathway.hub)
    for name, inventory_sector, sector in _keys(pathway.hub.tables["cohorts"], "asset_id", *BRANCH):
        if name in base:
            branch = (str(inventory_sector), str(sector))
            index = pathway.drivers.index(driver_of.get(branch, ""), pathway.hub.base_year)
            yield IdleCohort(str(name), branch, base[name] * index.values, index.confidence)


# ---------------------------------------------------------------- scopes 2 and 3


def _indirect_parts(pathway: Pathway, rank: IntArray) -> Iterable[Rows]:
    """Tonnes of grid power (scope 2) and of making and bringing the carriers (scope 3)."""
    path, tech = pathway.walked, pathway.tech
    run = np.maximum(path.run, 0)
    made = np.where(path.run >= 0, path.production, 0.0)
    where = np.flatnonzero(tech.carriers == "electricity")
    if len(where):
        factors, words = _grid_factors(pathway)
        region = pathway.problem.markets.region[path.market]
        power = tech.inputs[:, where[0]]
        grid = np.maximum(confidence_ranks(words), CONFIDENCE_ORDER.index("derived"))
        weakest = np.maximum(rank, int(grid.max(initial=0)))
        yield _plants_part(pathway, power[run] * made * factors[region], weakest, scope=2)
        for cls in path.vehicles:
            taken = (cls.distance * power[cls.options][:, None]).sum(axis=0) * factors[cls.region]
            branch = (cls.inventory_sector, cls.sector)
            yield _years_part(pathway, branch, "cohort", taken, confidence_words(grid), scope=2)
    upstream = tech.inputs @ tech.upstream
    if upstream.any():
        recalled = CONFIDENCE_ORDER.index("recalled")
        yield _plants_part(pathway, upstream[run] * made, np.maximum(rank, recalled), scope=3)
        for cls in path.vehicles:
            tonnes = (cls.distance * upstream[cls.options][:, None]).sum(axis=0)
            words = np.full(len(pathway.years), "recalled", dtype=object)
            yield _years_part(pathway, (cls.inventory_sector, cls.sector), "cohort", tonnes, words, scope=3)


def _grid_factors(pathway: Pathway) -> tuple[FloatArray, NDArray[np.object_]]:
    """Emissions per unit of grid power by region and year, (G, T), and the confidence by year."""
    tech, regions = pathway.tech, pathway.problem.regions
    where = np.flatnonzero(tech.carriers == "electricity")
    factors = np.zeros((len(regions), len(pathway.years)))
    words = np.full(len(pathway.years), "derived", dtype=object)
    for g, region in enumerate(regions):
        drivers = pathway.drivers.for_region(region)
        if len(where) and drivers.has(GRID_FACTOR):
            factors[g] = drivers.series(GRID_FACTOR, f"t/({tech.carrier_units[where[0]]})").values
            words = drivers.series(GRID_FACTOR).confidence
    return factors, words


# ---------------------------------------------------------------- gases


def _gases(pathway: Pathway, rows: Columns) -> list[Columns]:
    """Rows in tonnes of each gas for every scope 1 row of the inventory's boundary.

    ``rows`` holds the CO2-equivalent rows. Carbon dioxide is what is left after the others.
    """
    mine = (rows["scope"] == 1) & (rows["boundary"] == "included")
    rows = {name: column[mine] for name, column in rows.items()}
    derived = CONFIDENCE_ORDER.index("derived")
    rows["confidence"] = confidence_words(np.maximum(confidence_ranks(rows["confidence"]), derived))
    shares = _gas_shares(pathway.hub)
    stated = _stated_gases(pathway)
    until = {**rows, "year": np.minimum(rows["year"], pathway.hub.base_year)}
    keys, of_key = _distinct(until, *BRANCH, "year")
    exact_keys, of_exact = _distinct(rows, *BRANCH, "asset_kind", "year")
    value = rows["value"]
    left = value.copy()
    parts = []
    for gas, potential in _gwp(pathway.hub).items():
        share = np.array([shares.get((gas, *key), 0.0) for key in keys])[of_key]
        tonnes = value * share / potential
        own = stated.get(gas, {})
        exact = np.array([own.get(key, np.nan) for key in exact_keys])[of_exact]
        tonnes = np.where(np.isnan(exact), tonnes, exact)
        tonnes = np.minimum(tonnes, np.maximum(left, 0.0) / potential)
        left -= tonnes * potential
        parts.append(_of_gas(rows, gas, tonnes))
    other = np.array([shares.get(("other", *key), 0.0) for key in keys])[of_key] * value
    parts.append(_of_gas(rows, "co2", np.maximum(left - other, 0.0)))
    return parts


def _of_gas(rows: Columns, gas: str, tonnes: FloatArray) -> Columns:
    """The rows that hold some of a gas, in tonnes of it."""
    some = tonnes > 0
    held = {**rows, "value": tonnes, "gas": np.full(len(tonnes), gas, dtype=object)}
    return {name: column[some] for name, column in held.items()}


def _gwp(hub: Hub) -> dict[str, float]:
    table = hub.library.tables["gwp"]
    rows = table[(table["gwp_set"] == hub.gwp) & table["gas"].isin(SPLIT_GASES)]
    return dict(zip(rows["gas"], rows["value"].astype(float), strict=True))


def _gas_shares(hub: Hub) -> dict[tuple[str, str, str, int], float]:
    """Share of each gas in the CO2 equivalent of a branch and inventory year; the rest is other."""
    inventory = hub.tables["inventory"]
    rows = inventory[(inventory["boundary"] == "included") & inventory["year"].notna()]
    known = rows["gas"].isin([*SPLIT_GASES, "co2", "co2e"])
    held = {name: rows[name].to_numpy(object) for name in (*BRANCH, "year")}
    branches, of_branch = _distinct(held, *BRANCH, "year")
    codes, gases = pd.factorize(np.where(known, rows["gas"], "other"), sort=True)
    by_gas = rows["co2e_t"].groupby(of_branch * len(gases) + codes).sum()
    place, gas = np.divmod(by_gas.index.to_numpy(np.int64), len(gases))
    share = by_gas / by_gas.groupby(place).transform("sum")
    keys = ((str(gases[g]), *branches[b]) for g, b in zip(gas, place, strict=True))
    found = ((word, str(one), str(two), int(year)) for word, one, two, year in keys)
    return {key: float(value) for key, value in zip(found, share, strict=True) if np.isfinite(value)}


def _stated_gases(pathway: Pathway) -> dict[str, dict[tuple[str, str, str, int], float]]:
    """Tonnes of gases that technologies state, by gas, branch, kind and projected year."""
    path, tech, markets = pathway.walked, pathway.tech, pathway.problem.markets
    out: dict[str, dict[tuple[str, str, str, int], float]] = {}
    later = np.flatnonzero(pathway.years > pathway.hub.base_year)
    for gas, each in (("ch4", tech.direct_ch4), ("n2o", tech.direct_n2o)):
        found: dict[tuple[str, str, str, int], float] = {}
        if not each.any():
            continue
        tonnes = np.where(path.run >= 0, each[np.maximum(path.run, 0)], 0.0) * path.production
        for m in np.unique(path.market[(tonnes > 0).any(axis=1)]):
            total = tonnes[path.market == m].sum(axis=0)
            _add(found, (markets.inventory_sector[m], markets.sector[m], "site"), pathway.years, total, later)
        for cls in path.vehicles:
            total = (cls.distance * each[cls.options][:, None]).sum(axis=0) * cls.scale
            if total.any():
                key = (cls.inventory_sector, cls.sector, "cohort")
                _add(found, key, pathway.years, total, later)
        out[gas] = found
    return out


def _add(
    found: dict[tuple[str, str, str, int], float],
    key: tuple[str, str, str],
    years: IntArray,
    total: FloatArray,
    later: IntArray,
) -> None:
    for t in later:
        place = (*key, int(years[t]))
        found[place] = found.get(place, 0.0) + float(total[t])
