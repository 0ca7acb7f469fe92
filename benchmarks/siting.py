"""Charger siting at the size of the port case, on a made-up region.

Run with ``python benchmarks/siting.py [whole|coarse|other|rank]`` (the first two by default): 24,000 trucks,
300 candidate sites, 16 substations with three tiers, 200 groups of truck-days; eleven years as a command of
its own, five inside a plan. Prints columns, seconds (wall and CPU), bound, gap and peak memory.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace

import numpy as np

from cleanhub.freight.problem import HOME, PUBLIC, Grid, Sites, SitingProblem
from cleanhub.freight.siting import assign, solve_siting
from cleanhub.freight.siting_model import build_model
from cleanhub.freight.siting_robust import rank_survival

PORT = (33.75, -118.24)
CLUSTERS = np.array(
    [
        [33.80, -118.22], [33.86, -118.20], [33.97, -118.20], [34.00, -118.15], [33.93, -118.07],
        [34.03, -117.98], [34.02, -117.75], [34.05, -117.60], [34.02, -117.53], [34.07, -117.43],
        [34.10, -117.30], [33.90, -117.27], [33.78, -117.23], [33.93, -117.45], [34.45, -118.60],
        [33.85, -117.85],
    ]
)  # fmt: skip
SIZE = np.array([8, 7, 6, 5, 5, 5, 5, 9, 9, 9, 8, 8, 6, 4, 2, 4.0])
COARSE = np.array([2027, 2029, 2031, 2033, 2035])
WHOLE = np.arange(2025, 2036)


def port_case(
    years: np.ndarray = WHOLE, seed: int = 0, groups: int = 200, sites: int = 300, substations: int = 16
) -> SitingProblem:
    """A region like the ports' hinterland: clusters near the ports and 60 to 100 km inland."""
    rng = np.random.default_rng(seed)
    share = SIZE / SIZE.sum()
    at = rng.choice(len(CLUSTERS), sites, p=share)
    place = CLUSTERS[at] + rng.normal(0, 0.035, (sites, 2))
    station = CLUSTERS[rng.choice(len(CLUSTERS), substations, replace=substations > len(CLUSTERS))]
    station = station + rng.normal(0, 0.02, (substations, 2))
    substation = np.argmin(_km(place, station), axis=1)
    home = CLUSTERS[rng.choice(len(CLUSTERS), groups, p=share)] + rng.normal(0, 0.03, (groups, 2))
    visits = CLUSTERS[rng.choice(len(CLUSTERS), groups, p=share)] + rng.normal(0, 0.03, (groups, 2))
    turns = rng.integers(1, 4, groups)
    to_port = 1.3 * _km(visits, np.array([PORT]))[:, 0]
    km = np.clip(2 * turns * to_port + 2.6 * _km(home, np.array([PORT]))[:, 0], 60, 550)
    raw = rng.lognormal(0, 0.8, groups)
    trucks = 20_000 * raw / raw.sum()
    kwh = km * rng.normal(1.25, 0.08, groups)
    kwh *= 295 * 20_000 / float(trucks @ kwh)
    pairs = _pairs(place, home, visits)
    plug_kw = rng.choice([150.0, 350.0, 400.0], sites, p=[0.6, 0.3, 0.1])
    fraction = np.clip((years - 2025) / 10.0, 0.03, 1.0) ** 1.3
    count = len(years)
    return SitingProblem(
        years=years,
        span=np.diff(np.append(2024, years)).astype(float) if count < len(WHOLE) else np.ones(count),
        trucks=np.repeat(trucks[:, None], count, axis=1),
        wanted=20_000 * fraction,
        kwh=kwh,
        km=km,
        co2e_t=km * 1.1e-3,
        pm_people=km * rng.lognormal(0, 0.7, groups),
        battery_kwh=np.interp(years, [2025, 2035], [330.0, 600.0]),
        pair_group=pairs[0],
        pair_site=pairs[1],
        pair_kind=pairs[2],
        pair_extra_kwh=pairs[3],
        sites=_sites(rng, place, substation, plug_kw),
        grid=_grid(rng, station),
        budget_usd=np.full(count, np.inf),
    )


def _km(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    scale = np.array([111.2, 92.4])
    return np.hypot(*np.moveaxis((a[:, None] - b[None, :]) * scale, 2, 0))


def _pairs(place, home, visits):
    near = _km(home, place)
    on_way = _km(visits, place)
    base = np.argsort(near, axis=1)[:, :5]
    way = np.argsort(np.minimum(on_way, _km(place, np.array([PORT])).T), axis=1)[:, :14]
    groups = len(home)
    group = np.concatenate([np.repeat(np.arange(groups), 5), np.repeat(np.arange(groups), 14)])
    site = np.concatenate([base.ravel(), way.ravel()])
    kind = np.concatenate([np.full(groups * 5, HOME), np.full(groups * 14, PUBLIC)])
    away = np.where(kind == HOME, near[group, site], 0.4 * np.minimum(on_way[group, site], 15.0))
    return group, site, kind, 2 * 1.25 * away


def _sites(rng, place, substation, plug_kw) -> Sites:
    n = len(place)
    names = np.array([f"site_{i:03d}" for i in range(n)], dtype=object)
    stands = rng.random(n) < 0.04
    return Sites(
        name=names,
        title=names,
        kind=np.where(plug_kw > 200, "public", "depot").astype(object),
        lat=place[:, 0],
        lon=place[:, 1],
        substation=substation,
        plug_kw=plug_kw,
        plugs_most=rng.integers(20, 101, n).astype(float),
        kwh_per_plug=plug_kw * 24 * rng.uniform(0.28, 0.40, n),
        least_use=np.full(n, 0.3),
        open_plugs=np.where(stands, 12.0, 0.0),
        open_year=np.where(stands, 2024, 0),
        earliest=np.where(rng.random(n) < 0.5, 2026, 2027),
        fixed_usd=rng.uniform(0.6e6, 2.5e6, n),
        usd_per_plug=np.where(plug_kw > 200, 230e3, 110e3) * rng.uniform(0.85, 1.15, n),
        usd_per_kwh=rng.uniform(0.20, 0.34, n),
        yearly_share=np.full(n, 0.03),
        forbidden=rng.random(n) < 0.03,
        priority=np.where(rng.random(n) < 0.05, 1.1, 1.0),
        asked_by=np.full(n, "", dtype=object),
        disadvantaged=rng.random(n) < 0.5,
    )


def _grid(rng, station) -> Grid:
    n = len(station)
    names = np.array([f"substation_{i:02d}" for i in range(n)], dtype=object)
    return Grid(
        name=names,
        title=names,
        lat=station[:, 0],
        lon=station[:, 1],
        headroom_kw=rng.lognormal(np.log(12e3), 0.7, n),
        headroom_confidence=np.full(n, "assumed", dtype=object),
        tier=np.array(["circuit", "substation", "new_substation"], dtype=object),
        tier_kw=np.tile([10e3, 40e3, 120e3], (n, 1)) * rng.uniform(0.8, 1.2, (n, 1)),
        tier_usd=np.tile([3e6, 15e6, 60e6], (n, 1)) * rng.uniform(0.7, 1.3, (n, 1)),
        tier_ready=np.tile([2027, 2028, 2034], (n, 1)),
        coincidence=0.8,
    )


def main() -> None:
    parts = sys.argv[1:] or ["coarse", "whole"]
    if "coarse" in parts:
        for seed in range(3):
            _run(f"five years, seed {seed}", port_case(COARSE, seed), 0.02, 0)
    if "whole" in parts:
        for seed in range(3):
            _run(f"eleven years, seed {seed}", port_case(WHOLE, seed), 0.01, 200)
    if "other" in parts:
        for name, problem in _others().items():
            _run(f"eleven years, {name}", problem, 0.01, 200)
    if "rank" in parts:
        problem = port_case(COARSE)
        plan = solve_siting(problem, 0.02, 0)
        start = time.perf_counter()
        found = rank_survival(problem, plan)
        print(f"rank survival: {found.share:.0%} of {found.chosen.sum()} sites, {found.top_share:.0%} of 10;")
        print(f"  by case {dict(zip(found.case, found.share_by_case.round(2).tolist(), strict=True))}")
        print(f"  {time.perf_counter() - start:.1f} s")


def _others() -> dict[str, SitingProblem]:
    problem = port_case(WHOLE)
    return {
        "electric miles": replace(problem, objective="electric_miles"),
        "cost with a budget": replace(problem, budget_usd=np.linspace(30e6, 350e6, len(WHOLE))),
        "equity 70 %": replace(problem, equity_share=0.7),
        "400 groups, 400 sites, 20 substations": port_case(WHOLE, 0, 400, 400, 20),
    }


def _run(name: str, problem: SitingProblem, gap: float, nodes: int) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    plan = solve_siting(problem, gap, nodes)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    model = build_model(problem)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    print(
        f"{name}: {len(model.gain):,} columns, {len(model.row_upper):,} rows, {model.integer.sum():,} binary"
    )
    print(f"  {wall:.1f} s, {cpu:.1f} CPU-s, peak {peak:.0f} MB; asked {gap:.1%}, {plan.status}")
    print(f"  objective {plan.objective:.4e}, bound {plan.bound:.4e}, gap {plan.gap:.2%}")
    sites, share = int((plan.opened > 0).sum()), plan.served.sum() / problem.wanted.sum()
    print(f"  {sites} sites, {plan.plugs[:, -1].sum():.0f} plugs, {share:.1%} of what is wanted")
    start = time.perf_counter()
    assign(problem, plan)
    print(f"  assign {time.perf_counter() - start:.2f} s", flush=True)


if __name__ == "__main__":
    main()
