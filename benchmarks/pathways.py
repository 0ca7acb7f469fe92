"""The year loop by number of plants, and many paths of California: CPU time and peak memory.

Run with ``python benchmarks/pathways.py``. Plants are drawn at random: 12 technologies that may all
become a cleaner one, 31 years, a limit on storage and one on changes a year. Each size runs in a
process of its own on one thread, so that peak memory and time are its own. ``python
benchmarks/pathways.py california 1000`` walks that many paths of California, each with its own
prices, in two processes.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import numpy as np
from problems import no_learning

from cleanhub.finance.annuity import capital_recovery_factor
from cleanhub.finance.technologies import Technologies
from cleanhub.hub.package import load_hub
from cleanhub.hub.scenario import DriverChoice, load_scenario
from cleanhub.pathways.engine import run_pathway, walk
from cleanhub.pathways.problem import NEVER, Costs, Limit, Markets, Plants, Problem
from cleanhub.pathways.rule import Rule

SIZES = (1_000, 10_000, 100_000)
YEARS, OPTIONS = 31, 12


def random_problem(plants: int) -> Problem:
    """A market whose plants all make what they made, with ``plants`` plants and 12 technologies."""
    draw = np.random.default_rng(0)
    count = np.arange(OPTIONS)
    names = np.array([f"option-{k}" for k in count], dtype=object)
    capex = draw.uniform(200, 900, OPTIONS)
    charge = capex * float(capital_recovery_factor(0.08, 20))
    direct = np.linspace(2.0, 0.1, OPTIONS)
    text = np.array(["t"] * OPTIONS, dtype=object)
    tech = Technologies(
        names=names,
        sector=np.array(["any"] * OPTIONS, dtype=object),
        product=np.array(["any"] * OPTIONS, dtype=object),
        unit=text,
        base=np.full(OPTIONS, -1),
        is_default=count == 0,
        earliest=np.full(OPTIONS, 2020) + count,
        cycle=np.full(OPTIONS, 20),
        lifetime=np.full(OPTIONS, 20),
        capex=capex,
        capex_added=capex,
        capital_charge=charge,
        capital_charge_added=charge,
        fixed=np.zeros(OPTIONS),
        variable=draw.uniform(50, 150, OPTIONS),
        inputs=np.zeros((OPTIONS, 0)),
        direct=direct,
        direct_ch4=np.zeros(OPTIONS),
        direct_n2o=np.zeros(OPTIONS),
        captured=np.where(count % 3 == 2, 1.0, 0.0),
        is_vehicle=np.zeros(OPTIONS, dtype=bool),
        minimum_site_t=np.zeros(OPTIONS),
        carriers=np.zeros(0, dtype=object),
        carrier_units=np.zeros(0, dtype=object),
        upstream=np.zeros(0),
        price_drivers=np.zeros(0, dtype=object),
        confidence=np.array(["assumed"] * OPTIONS, dtype=object),
    )
    price = np.linspace(0, 200, YEARS)
    yearly = tech.variable[:, None] + direct[:, None] * price
    zero = np.zeros((1, OPTIONS, YEARS))
    costs = Costs(
        running=yearly[None],
        yearly=yearly[None],
        credits=zero,
        vehicle_credit=zero,
        yearly_credit=zero,
        prices=np.zeros((1, OPTIONS, 0, YEARS)),
        carbon_price=price[None],
        storage_price=np.zeros((1, YEARS)),
        priced=np.ones((1, OPTIONS), dtype=bool),
    )
    one = np.ones(1)
    markets = Markets(
        name=np.array(["any"], dtype=object),
        sector=np.array(["any"], dtype=object),
        inventory_sector=np.array(["any"], dtype=object),
        product=np.array(["any"], dtype=object),
        region=np.zeros(1, dtype=np.int64),
        meets_demand=np.zeros(1, dtype=bool),
        demand=np.zeros((1, YEARS)),
        plant_capacity=one,
        low=np.zeros(1),
        high=one,
        new_plants=np.zeros(1, dtype=bool),
        offered=np.ones((1, OPTIONS), dtype=bool),
        carrier=np.full(1, -1),
        per_carrier=one,
        takes=np.ones((1, 1)),
    )
    size = draw.lognormal(0.0, 1.0, plants)
    stock = Plants(
        asset_id=np.array([f"p{n}" for n in range(plants)], dtype=object),
        market=np.zeros(plants, dtype=np.int64),
        start=draw.integers(0, 4, plants),
        capacity=size,
        made=np.repeat(size[:, None], YEARS, axis=1),
        intensity=np.zeros(plants),
        last_investment=draw.integers(2001, 2021, plants),
        closes=np.full(plants, NEVER),
        committed_t=np.zeros((plants, YEARS)),
    )
    limits = [
        Limit(
            name,
            quantity,
            "1",
            np.full(YEARS, value),
            weight,
            np.ones(1, dtype=bool),
            np.zeros(0, dtype=bool),
        )
        for name, quantity, value, weight in (
            ("storage", "co2_storage", 0.2 * float(size.sum()), tech.captured),
            ("changes", "switches_per_year", 0.06 * plants, np.ones(OPTIONS)),
        )
    ]
    return Problem(
        years=np.arange(2020, 2020 + YEARS),
        last_reported=2020,
        first_choice=2021,
        first_purchase=2021,
        rule=Rule(),
        tech=tech,
        kinds=np.triu(np.full((OPTIONS, OPTIONS), 2), 1),
        regions=("",),
        costs=costs,
        markets=markets,
        plants=stock,
        vehicles=[],
        limits=limits,
        learning=no_learning(OPTIONS, YEARS),
    )


def one_size(plants: int) -> None:
    """Walk one problem of ``plants`` plants and print what it took."""
    problem = random_problem(plants)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wall, cpu = time.perf_counter(), time.process_time()
    path = walk(problem)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    changes = f"{len(path.changes.row):,} changes"
    each = cpu / plants / YEARS * 1e6
    print(
        f"{plants:>7,} plants x {YEARS} years x {OPTIONS} technologies: {cpu:6.2f} s CPU, {wall:6.2f} s, "
        f"{peak:,.0f} MB ({peak - before:,.0f} above the problem), "
        f"{each:.2f} us per plant and year; {changes}",
        flush=True,
    )


@cache
def _california() -> tuple[object, object]:
    hub = load_hub("california")
    return hub, load_scenario("baseline", hub)


def one_path(seed: int) -> float:
    """Tonnes in 2045 of one path of California with gas and power prices of its own."""
    hub, scenario = _california()
    draw = np.random.default_rng(seed)
    drivers = {
        name: DriverChoice(scale=float(draw.uniform(0.5, 1.5)))
        for name in ("price_natural_gas", "price_electricity_industrial")
    }
    moved = scenario.model_copy(update={"drivers": {**scenario.drivers, **drivers}})  # type: ignore[attr-defined]
    path = run_pathway(hub, moved).walked  # type: ignore[arg-type]
    return float(path.emissions[:, 2045 - 2022].sum())


def california(paths: int) -> None:
    """Walk ``paths`` paths of California in two processes and print what it took."""
    _california()
    wall = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        tonnes = np.array(list(pool.map(one_path, range(paths), chunksize=10)))
    wall = time.perf_counter() - wall
    low, high = np.percentile(tonnes, [5, 95]) / 1e6
    print(
        f"{paths:,} paths of California in two processes: {wall:.0f} s, {wall / paths * 1e3:.0f} ms each; "
        f"site emissions in 2045 {low:.1f} to {high:.1f} Mt (5 % to 95 %)",
        flush=True,
    )


def main() -> None:
    """Run every size, then California."""
    one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    for plants in SIZES:
        subprocess.run([sys.executable, __file__, str(plants)], check=True, env=one_thread)
    subprocess.run([sys.executable, __file__, "california", "1000"], check=True)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "california":
        california(int(sys.argv[2]))
    elif len(sys.argv) == 2:
        one_size(int(sys.argv[1]))
    else:
        main()
