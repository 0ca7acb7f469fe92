"""The optimum against everything tried, against the year loop, and against its own promises."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import Cap, Fleet, Market, Plant, Tech, build_problem
from slow_optimum import cheapest, run_cost, runs

from cleanhub.pathways.engine import walk
from cleanhub.pathways.optimal import Optimal, cost_of, solve_optimal
from cleanhub.pathways.problem import Path, Problem

OLD = Tech("old", capex=100, direct=1.0, variable=10, cycle=5, lifetime=5)
CAPTURE = Tech(
    "capture",
    capex=160,
    capex_added=60,
    base="old",
    direct=0.1,
    captured=0.9,
    variable=15,
    cycle=5,
    lifetime=5,
    credits=[0.0] * 3 + [12.0] * 3 + [0.0] * 4,
)
CLEAN = Tech("clean", capex=150, variable=6, inputs={"power": 1}, cycle=4, lifetime=8)
SWITCHES = {("old", "capture"): "retrofit", ("old", "clean"): "rebuild", ("capture", "clean"): "rebuild"}


def small(plants: tuple[Plant, ...] = (Plant("old", 3.0, last_investment=2020),), **more: Any) -> Problem:
    """Ten years, a rising carbon price, one old plant that falls due in 2030."""
    more = {
        "switches": SWITCHES,
        "prices": {"power": 8.0},
        "carbon_price": np.linspace(0, 60, 10),
        "last": 2034,
        "horizon": 4,
        **more,
    }
    return build_problem([OLD, CAPTURE, CLEAN], plants, **more)


def random_problem(seed: int, early: bool, plants: int = 1) -> Problem:
    """Three technologies with drawn costs, lives, cycles and credits over eight years."""
    draw = np.random.default_rng(seed)
    options = [
        Tech("old", 50 * draw.random(), cycle=int(draw.integers(2, 6)), lifetime=int(draw.integers(2, 9)),
             variable=10, direct=1.0),
        Tech("capture", 90.0, 40 * draw.random(), base="old", cycle=int(draw.integers(2, 6)),
             lifetime=int(draw.integers(2, 9)), variable=12, direct=0.2, captured=0.8,
             credits=20 * draw.random(8) * (draw.random(8) < 0.5), earliest=int(draw.integers(2025, 2029))),
        Tech("clean", 120 * draw.random(), cycle=int(draw.integers(2, 6)), lifetime=int(draw.integers(2, 9)),
             variable=8 * draw.random(), inputs={"power": 1.0}, credits=10 * draw.random(8)),
    ]  # fmt: skip
    rows = [
        Plant("old", float(draw.integers(1, 5)), last_investment=2020 + int(draw.integers(5)),
              made=draw.random(8) + 0.5, closes=9999 if draw.random() < 0.7 else 2030)
        for _ in range(plants)
    ]  # fmt: skip
    rows = [
        replace(p, made=np.where(np.arange(2025, 2033) <= p.closes, np.asarray(p.made), 0.0)) for p in rows
    ]
    return build_problem(
        options,
        rows,
        switches={**SWITCHES, ("clean", "old"): "rebuild"},
        prices={"power": 20 * draw.random(8)},
        carbon_price=60 * draw.random(8),
        last=2032,
        last_reported=int(draw.integers(2025, 2027)),
        first_choice=int(draw.integers(2026, 2029)),
        horizon=int(draw.integers(1, 6)),
        discount_rate=float(draw.choice([0.0, 0.05, 0.1])),
        reinvest_early=early,
    )


# ---------------------------------------------------------------- everything tried


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_a_plant_costs_what_the_best_of_all_runs_costs(seed: int, early: bool) -> None:
    problem = random_problem(seed, early)
    best, run = cheapest(problem, 0)
    optimum = solve_optimal(problem)
    assert optimum.objective == pytest.approx(best, rel=1e-7, abs=1e-6)
    assert optimum.path.run.shape == (1, 8)
    found = tuple(int(k) for k in optimum.path.run[0])
    assert run_cost(problem, 0, found) == pytest.approx(best, rel=1e-7, abs=1e-6)
    assert len(run) == len(found)


@pytest.mark.parametrize("seed", range(8))
def test_plants_without_limits_do_not_know_of_each_other(seed: int) -> None:
    problem = random_problem(seed, early=seed % 2 == 0, plants=3)
    alone = sum(cheapest(problem, n)[0] for n in range(3))
    assert solve_optimal(problem).objective == pytest.approx(alone, rel=1e-7, abs=1e-6)


def _best_together(problem: Problem, storage: float) -> float:
    """Least cost of two plants whose stored CO2 together keeps within ``storage`` each year."""
    tech, made = problem.tech, problem.plants.made
    ways = []
    for n in range(2):
        rows = [(run_cost(problem, n, run), tech.captured[list(run)] * made[n]) for run in runs(problem, n)]
        ways.append(rows)
    return min(
        one[0] + other[0]
        for one, other in itertools.product(*ways)
        if (one[1] + other[1] <= storage + 1e-9).all()
    )


@pytest.mark.parametrize("storage", [0.5, 2.0, 3.0, 5.0])
def test_whole_plants_under_a_storage_limit_equal_every_pair_tried(storage: float) -> None:
    plants = (Plant("old", 3.0, last_investment=2022), Plant("old", 2.0, last_investment=2023))
    problem = small(plants, limits=[Cap("storage", "co2_storage", storage, "captured")])
    best = _best_together(problem, storage)
    whole = solve_optimal(problem, whole_plants=True, gap=1e-9)
    parts = solve_optimal(problem)
    assert whole.objective == pytest.approx(best, rel=1e-7)
    assert parts.objective <= best + 1e-6
    assert whole.bound <= whole.objective + 1e-6
    assert whole.status == "optimal"
    assert (whole.path.used[0] <= storage + 1e-6).all()
    assert set(np.unique(np.array(whole.path.changes.share))) <= {1.0}


def test_a_tight_limit_splits_a_plant_in_the_programme_with_fractions() -> None:
    problem = small(
        (Plant("old", 3.0, last_investment=2024),),
        limits=[Cap("storage", "co2_storage", 1.35, "captured")],
        prices={"power": 600.0},
    )
    path = solve_optimal(problem).path
    assert path.run.shape[0] == 2
    assert path.names.tolist() == ["plant-1", "plant-1"]
    assert path.capacity.sum(axis=0) == pytest.approx(3.0)
    assert path.used[0].max() == pytest.approx(1.35)
    share = [s for s, after in zip(path.changes.share, path.changes.after, strict=True) if after == 1]
    assert share == [pytest.approx(0.5)]


# ---------------------------------------------------------------- markets that meet a demand


def grown(last: int = 2030, **more: Any) -> Problem:
    """A market that grows from nothing to ten; what is new may be dirty or clean."""
    options = [
        Tech("dirty", capex=50, variable=5, direct=1.0, lifetime=10, cycle=50),
        Tech("clean", capex=90, variable=4, inputs={"power": 0.5}, lifetime=10, cycle=50),
    ]
    count = last - 2024
    market = Market(
        demand=np.linspace(0, 10, count), offered=["dirty", "clean"], high=0.8, low=0.2, plant_capacity=2.0
    )
    more = {"prices": {"power": 4.0}, "last": last, **more}
    return build_problem(options, markets=[market], **more)


def test_new_plants_of_a_growing_market_cost_the_closed_form() -> None:
    problem = grown(carbon_price=0.0, discount_rate=0.0)
    optimum = solve_optimal(problem)
    demand = problem.markets.demand[0]
    made = 5.0 * demand.sum()
    built = np.diff(demand) / 0.8
    paid = sum(b * 50 / 10 * (6 - t) for t, b in enumerate(built, start=1))
    assert optimum.objective == pytest.approx(made + paid)
    assert optimum.path.production.sum(axis=0) == pytest.approx(demand, abs=1e-6)
    assert optimum.path.unmet.max() == pytest.approx(0.0, abs=1e-6)
    assert set(optimum.path.changes.kind) == {"new"}


def test_a_carbon_price_makes_the_new_plants_clean() -> None:
    dirty, clean = solve_optimal(grown()), solve_optimal(grown(carbon_price=100.0))
    assert dirty.path.emissions.sum() > 1.0
    assert clean.path.emissions.sum() == pytest.approx(0.0, abs=1e-6)


def test_demand_that_nobody_can_meet_is_a_number() -> None:
    problem = grown(limits=[Cap("few", "capacity_added", 2.0)])
    optimum = solve_optimal(problem)
    can = np.minimum(np.arange(6) * 2.0 * 0.8, problem.markets.demand[0])
    assert optimum.path.unmet[0] == pytest.approx(problem.markets.demand[0] - can, abs=1e-6)
    assert optimum.path.production.sum(axis=0) == pytest.approx(can, abs=1e-6)


def test_capacity_that_is_not_needed_again_is_retired_and_not_renewed() -> None:
    old = Tech("old", capex=100, variable=5, cycle=10, lifetime=10)
    demand = np.array([8.0, 8, 8, 8, 4, 4, 4, 4, 4, 4])
    problem = build_problem(
        [old],
        [
            Plant("old", 5.0, last_investment=2020, name="a"),
            Plant("old", 5.0, last_investment=2025, name="b"),
        ],
        markets=[Market(demand=demand, high=0.8, plant_capacity=1.0)],
        last=2034,
        discount_rate=0.0,
    )
    path = solve_optimal(problem).path
    assert path.capacity.sum(axis=0) == pytest.approx(demand / 0.8)
    assert path.capex.sum() == 0.0, "plant a is let go when it falls due in 2030; b would only in 2035"
    gone = [k for k, kind in enumerate(path.changes.kind) if kind == "retired"]
    assert [path.names[path.changes.row[k]] for k in gone] == ["a"]
    assert [2025 + path.changes.t[k] for k in gone] == [2029]


def test_committed_additions_stand_and_need_no_limit() -> None:
    problem = grown(limits=[Cap("none", "capacity_added", 0.0)], additions=[(2027, 0, 1, 5.0, "project x")])
    path = solve_optimal(problem).path
    assert path.names.tolist() == ["project x"]
    assert path.changes.kind == ["committed"]
    assert path.used[0].max() == 0.0
    assert path.production[0, 2:] == pytest.approx(np.minimum(problem.markets.demand[0, 2:], 4.0))


def test_a_share_counts_what_others_use_of_a_carrier() -> None:
    """Half of all hydrogen must be clean: of the 1 t sold and of the 2 t that ships use."""
    options = [
        Tech("reformer", capex=10, variable=1, direct=1.0, product="hydrogen"),
        Tech("electrolyser", capex=10, variable=9, product="hydrogen"),
        Tech("ship", capex=10, variable=1, vehicle=True, inputs={"hydrogen": 0.4}),
    ]
    half = Cap("half", "production_share", np.where(np.arange(10) >= 3, 0.5, np.nan), {"electrolyser": 1.0},
               floor=True, unit="1")  # fmt: skip
    problem = build_problem(
        options,
        markets=[Market("hydrogen", demand=1.0, offered=["reformer", "electrolyser"], supplies="hydrogen",
                        plant_capacity=0.1)],
        fleets=[Fleet(["ship"], demand=5.0, life=4)],
        limits=[half],
        last=2034,
    )  # fmt: skip
    optimum, walked = solve_optimal(problem), walk(problem)
    clean = (optimum.path.production * (optimum.path.run == 1)).sum(axis=0)
    assert clean[4:] == pytest.approx(0.5 * (1.0 + 0.4 * 5.0), rel=1e-6)
    assert optimum.objective <= cost_of(problem, walked).total * (1 + 1e-9)
    without = solve_optimal(replace(problem, limits=[]))
    assert (without.path.production * (without.path.run == 1)).sum() == pytest.approx(0.0, abs=1e-6)


def test_what_supplies_others_serves_their_use_and_costs_them_nothing_twice() -> None:
    options = [
        Tech("burner", capex=0, variable=1, direct=2.0, cycle=4, lifetime=4),
        Tech("hydrogen_burner", capex=10, variable=1, inputs={"hydrogen": 3.0}, cycle=4, lifetime=4),
        Tech("electrolyser", capex=40, variable=2, lifetime=20, cycle=20, product="hydrogen"),
    ]
    problem = build_problem(
        options,
        [Plant("burner", 2.0, last_investment=2024, market="heat")],
        markets=[
            Market("heat"),
            Market("hydrogen", demand=1.0, offered=["electrolyser"], supplies="hydrogen", per_carrier=0.5),
        ],
        switches={("burner", "hydrogen_burner"): "rebuild"},
        prices={"hydrogen": 1e6},
        carbon_price=50.0,
        last=2034,
    )
    optimum = solve_optimal(problem)
    path = optimum.path
    heat = path.market == 0
    use = (path.production * problem.tech.inputs[np.maximum(path.run, 0), 0])[heat].sum(axis=0)
    assert use[-1] == pytest.approx(6.0), "the price does not count where the hub makes the hydrogen"
    wanted = 1.0 + 0.5 * use
    assert path.production[~heat].sum(axis=0) + path.unmet[1] == pytest.approx(wanted)
    assert cost_of(problem, path).total == pytest.approx(optimum.objective)


# ---------------------------------------------------------------- vehicles


def fleet(**more: Any) -> Problem:
    options = [
        Tech("diesel", vehicle=True, capex=100, direct=1, variable=1, lifetime=5, fixed=3),
        Tech("electric", vehicle=True, capex=150, variable=0.5, inputs={"power": 0.1}, lifetime=5),
    ]
    floor = more.pop("sales_floor", 0.0)
    more = {"prices": {"power": 5.0}, "last": 2034, **more}
    return build_problem(
        options,
        switches={("diesel", "electric"): "rebuild"},
        fleets=[Fleet(["diesel", "electric"], 1000.0, mileage=50, life=5, sales_floor=floor)],
        **more,
    )


def test_vehicles_of_one_kind_cost_the_closed_form() -> None:
    problem = replace(fleet(discount_rate=0.0), kinds=np.zeros((2, 2), dtype=np.int64))
    problem.vehicles[0].options = problem.vehicles[0].options[:1]
    problem.vehicles[0].stock = problem.vehicles[0].stock[:1]
    for name in ("vehicles", "bought", "distance", "tco", "running", "vehicle_credit"):
        setattr(problem.vehicles[0], name, getattr(problem.vehicles[0], name)[:1])
    optimum = solve_optimal(problem)
    driving, fixed = 10 * 1000 * 1.0, 10 * 20 * 3.0
    bought = sum(4 * 100 / 5 * min(5, 10 - t) for t in range(1, 10))
    assert optimum.objective == pytest.approx(driving + fixed + bought)
    assert optimum.path.vehicles[0].vehicles[0] == pytest.approx(20.0)


def test_distance_is_driven_and_sales_keep_the_floor() -> None:
    floor = np.linspace(0, 1, 10)
    optimum = solve_optimal(fleet(sales_floor=floor))
    cls = optimum.path.vehicles[0]
    assert cls.distance.sum(axis=0) == pytest.approx(1000.0)
    bought = cls.bought.sum(axis=0)
    assert (cls.bought[1] >= floor * bought - 1e-6).all()
    assert cls.stock.sum() == pytest.approx(cls.vehicles[:, -1].sum())
    assert (cls.distance <= cls.vehicles * 50 + 1e-6).all()


def test_before_vehicles_are_chosen_the_incumbent_alone_is_bought() -> None:
    optimum = solve_optimal(fleet(first_purchase=2030, carbon_price=1000.0))
    bought = optimum.path.vehicles[0].bought
    assert bought[1, :5] == pytest.approx(0.0)
    assert bought[1, 5:].sum() > 0


def test_the_problem_is_not_changed() -> None:
    problem = fleet()
    before = problem.vehicles[0].stock.copy()
    solve_optimal(problem)
    assert np.array_equal(problem.vehicles[0].stock, before)
    assert problem.vehicles[0].bought.sum() == 0


# ---------------------------------------------------------------- never dearer than another path


def mixed(seed: int, early: bool = False) -> Problem:
    """Given plants, a market that grows or shrinks, vehicles, and limits of every kind."""
    draw = np.random.default_rng(seed)
    count = 12
    options = [
        Tech("old", 100, direct=1.0, variable=10, cycle=6, lifetime=6),
        Tech("capture", 150, 50, base="old", direct=0.1, captured=0.9, variable=14, cycle=6, lifetime=6,
             credits=15 * draw.random(count)),
        Tech("clean", 200 * draw.random() + 20, variable=5, inputs={"hydrogen": 1.0}, cycle=8, lifetime=8),
        Tech("reformer", 30, direct=0.5, variable=3, lifetime=10, cycle=10, product="hydrogen"),
        Tech("electrolyser", 80 * draw.random(), inputs={"power": 1.0}, lifetime=10, cycle=10, variable=1),
        Tech("diesel", vehicle=True, capex=100, direct=1, variable=1, lifetime=5, fixed=3),
        Tech("fuel_cell", vehicle=True, capex=100 + 100 * draw.random(), inputs={"hydrogen": 0.1}),
    ]  # fmt: skip
    return build_problem(
        options,
        [Plant("old", float(draw.integers(1, 4)), last_investment=2018 + i) for i in range(5)]
        + [Plant("reformer", 3.0, market="hydrogen", last_investment=2019 + i) for i in range(4)],
        markets=[
            Market("steel"),
            Market("hydrogen", demand=np.linspace(8, 16 * draw.random(), count), low=0.4, high=0.9,
                   offered=["reformer", "electrolyser"], supplies="hydrogen", plant_capacity=1.5),
        ],
        switches={**SWITCHES, ("diesel", "fuel_cell"): "rebuild", ("reformer", "electrolyser"): "rebuild"},
        prices={"power": 10 * draw.random(count), "hydrogen": 12.0},
        carbon_price=np.linspace(0, 80 * draw.random(), count),
        fleets=[Fleet(["diesel", "fuel_cell"], np.linspace(10, 12, count), life=5, name="trucks")],
        limits=[
            Cap("storage", "co2_storage", 4 * draw.random(), "captured", cohorts=False),
            Cap("plants", "switches_per_year", 1.0, markets=["steel"]),
            Cap("all tonnes", "emissions", 1e6, "direct", cumulative=True),
            Cap("watched", "emissions", 1.0, "direct", hard=False),
        ],
        last=2024 + count,
        reinvest_early=early,
        horizon=8,
    )  # fmt: skip


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_the_optimum_is_never_dearer_than_the_year_loop(seed: int, early: bool) -> None:
    problem = mixed(seed, early)
    walked = walk(problem)
    optimum = solve_optimal(problem, walked.multiplier)
    there = cost_of(problem, walked)
    assert not there.broken
    assert optimum.objective <= there.total * (1 + 1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_the_path_costs_its_objective_and_keeps_every_balance(seed: int) -> None:
    problem = mixed(seed)
    optimum = solve_optimal(problem)
    cost = cost_of(problem, optimum.path)
    assert cost.total == pytest.approx(optimum.objective, rel=1e-6)
    assert not cost.broken
    _check_balances(problem, optimum)


def _check_balances(problem: Problem, optimum: Optimal) -> None:
    path, tech = optimum.path, problem.tech
    run = np.maximum(path.run, 0)
    for n in np.flatnonzero(problem.plants.market == 0):
        mine = path.plant == n
        assert path.capacity[mine].sum(axis=0) == pytest.approx(problem.plants.capacity[n])
        assert path.production[mine].sum(axis=0) == pytest.approx(problem.plants.made[n])
    use = (path.production * tech.inputs[run, list(tech.carriers).index("hydrogen")]).sum(axis=0)
    for cls in path.vehicles:
        use = use + tech.inputs[cls.options, list(tech.carriers).index("hydrogen")] @ cls.distance
    made = path.production[path.market == 1]
    assert made.sum(axis=0) + path.unmet[1] == pytest.approx(problem.markets.demand[1] + use)
    assert (made <= 0.9 * path.capacity[path.market == 1] * (1 + 1e-6) + 1e-6).all()
    stored = (path.captured).sum(axis=0)
    assert path.used[0] == pytest.approx(stored)
    tonnes = path.emissions.sum(axis=0) + sum(
        tech.direct[cls.options] @ cls.distance for cls in path.vehicles
    )
    assert path.used[2] == pytest.approx(np.cumsum(tonnes))
    assert path.used[3] == pytest.approx(tonnes)


def _hand_made(problem: Problem, run: list[int], capex: list[float]) -> Path:
    """A path of one whole plant with the run and the capital stated."""
    path = walk(problem)
    path.run[0], path.capex[0] = run, capex
    return path


def test_any_path_made_by_hand_is_dearer() -> None:
    """No plant falls due within the years, so that capital is that of the changes alone."""
    slow = [replace(tech, cycle=50) for tech in (OLD, replace(CAPTURE, credits=3.0), CLEAN)]
    problem = build_problem(
        slow,
        [Plant("old", 1.0, last_investment=2020)],
        switches=SWITCHES,
        prices={"power": 8.0},
        carbon_price=np.linspace(0, 60, 6),
        last=2030,
        horizon=4,
        reinvest_early=True,
    )
    best = solve_optimal(problem).objective
    tried = 0
    for run in runs(problem, 0):
        capex = [0.0] * 6
        for t in range(1, 6):
            if run[t] != run[t - 1]:
                capex[t] = 60.0 if run[t] == 1 else 150.0
        total = cost_of(problem, _hand_made(problem, list(run), capex)).total
        assert total == pytest.approx(run_cost(problem, 0, run))
        assert total >= best - 1e-9
        tried += 1
    assert tried == 1 + 5 + 5 + 10


# ---------------------------------------------------------------- limits and their worth


def limited(value: Any = 1.0, **more: Any) -> Problem:
    plants = tuple(Plant("old", 1.0 + n, last_investment=2019 + n) for n in range(4))
    cap = Cap("storage", "co2_storage", value, "captured", **more)
    return small(plants, limits=[cap], prices={"power": 30.0})


def test_shadow_prices_are_finite_differences_of_the_objective() -> None:
    value = np.full(10, 3.3)
    base = solve_optimal(limited(value))
    assert (base.shadow >= 0).all()
    assert base.shadow.max() > 0
    discount = 1.08 ** -np.arange(10.0)
    step = 1e-3
    for t in range(10):
        nudge = np.eye(10)[t] * step
        more, less = solve_optimal(limited(value + nudge)), solve_optimal(limited(value - nudge))
        gains = (base.objective - more.objective) / step, (less.objective - base.objective) / step
        worth = base.shadow[0, t] * discount[t]
        assert gains[0] - 1e-4 <= worth <= gains[1] + 1e-4


def test_the_shadow_price_of_a_floor_is_what_one_more_unit_costs() -> None:
    def with_floor(value: float) -> Optimal:
        years = np.where(np.arange(10) == 9, value, np.nan)
        floor = Cap("clean steel", "production_share", years, {"clean": 1.0}, floor=True, unit="1")
        return solve_optimal(
            small((Plant("old", 4.0, last_investment=2020),), limits=[floor], prices={"power": 300.0})
        )

    base, more = with_floor(0.5), with_floor(0.51)
    assert base.path.used[0, 9] == pytest.approx(0.5 * 4.0)
    worth = base.shadow[0, 9] * 1.08**-9
    assert worth == pytest.approx((more.objective - base.objective) / (0.01 * 4.0), rel=1e-5)
    assert worth > 0


def test_a_cumulative_limit_is_a_budget_over_the_years() -> None:
    free = solve_optimal(limited(np.inf))
    budget = float(np.cumsum(free.path.captured.sum(axis=0))[-1]) / 2
    held = solve_optimal(limited(budget, cumulative=True))
    stored = held.path.captured.sum(axis=0)
    assert stored.sum() == pytest.approx(budget)
    assert held.path.used[0] == pytest.approx(np.cumsum(stored))
    assert held.objective > free.objective
    assert (held.shadow[0] > 0).sum() >= 1


def test_soft_limits_are_measured_and_cost_nothing() -> None:
    free, soft = solve_optimal(limited(np.inf)), solve_optimal(limited(0.0, hard=False))
    assert soft.objective == pytest.approx(free.objective)
    assert soft.path.used[0].max() > 0
    assert (soft.shadow == 0).all()


def test_a_limit_on_changes_counts_plants_and_one_on_capacity_counts_product() -> None:
    plants = tuple(Plant("old", 2.0, last_investment=2020) for _ in range(4))
    few = solve_optimal(small(plants, limits=[Cap("few", "switches_per_year", 1.0)], carbon_price=90.0))
    assert few.path.used[0].max() == pytest.approx(1.0)
    added = Cap("works", "capacity_added", 3.0, {"capture": 1.0, "clean": 0.5})
    path = solve_optimal(small(plants, limits=[added], carbon_price=90.0)).path
    weight = {1: 1.0, 2: 0.5}
    counted = np.zeros(10)
    for t, after, size in zip(path.changes.t, path.changes.after, path.changes.capacity, strict=True):
        counted[t] += weight[after] * size
    assert path.used[0] == pytest.approx(counted)
    assert counted.max() == pytest.approx(3.0)


def test_options_for_large_sites_are_not_offered_to_small_ones() -> None:
    big = replace(CAPTURE, minimum_site_t=2.5)
    plants = [Plant("old", 2.0, last_investment=2020), Plant("old", 3.0, last_investment=2020)]
    problem = build_problem(
        [OLD, big], plants, switches={("old", "capture"): "retrofit"}, carbon_price=80.0, last=2034
    )
    path = solve_optimal(problem).path
    capture = problem.tech.find("capture")
    runs = {n: set(path.run[path.plant == n].ravel().tolist()) for n in (0, 1)}
    assert runs[0] == {problem.tech.find("old")}, "2 t a year are below the smallest site"
    assert capture in runs[1]
    without = solve_optimal(replace(problem, tech=replace(problem.tech, minimum_site_t=np.zeros(2)))).path
    assert capture in without.run[without.plant == 0], "it is the size alone that keeps it out"


# ---------------------------------------------------------------- promises


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), low=st.floats(0.0, 2.0), more=st.floats(0.05, 2.0), early=st.booleans())
def test_a_higher_carbon_price_never_raises_what_it_is_paid_on(
    seed: int, low: float, more: float, early: bool
) -> None:
    price = 60 * np.random.default_rng(seed).random(10)
    plants = tuple(Plant("old", 1.0 + n, last_investment=2019 + n) for n in range(3))
    storage = [Cap("storage", "co2_storage", 2.0, "captured")]

    def covered(scale: float) -> float:
        problem = small(plants, carbon_price=price * scale, reinvest_early=early, limits=storage)
        path = solve_optimal(problem).path
        return float((1.08 ** -np.arange(10.0) * price) @ path.emissions.sum(axis=0))

    before, after = covered(low), covered(low + more)
    assert after <= before * (1 + 1e-6) + 1e-6


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), early=st.booleans())
def test_never_dearer_than_the_year_loop_whatever_the_costs(seed: int, early: bool) -> None:
    problem = random_problem(seed, early, plants=3)
    walked = cost_of(problem, walk(problem))
    assert solve_optimal(problem).objective <= walked.total * (1 + 1e-7) + 1e-6


def test_the_same_in_tonnes_and_in_kilotonnes() -> None:
    in_kt = mixed(3)
    k = 1000.0
    plants, markets, costs, tech = in_kt.plants, in_kt.markets, in_kt.costs, in_kt.tech
    vehicle = tech.is_vehicle
    per = np.where(vehicle, 1.0, 1 / k)
    in_t = replace(
        in_kt,
        plants=replace(plants, capacity=plants.capacity * k, made=plants.made * k),
        markets=replace(
            markets,
            demand=markets.demand * k,
            plant_capacity=markets.plant_capacity * k,
            per_carrier=markets.per_carrier * k,
        ),
        costs=replace(
            costs, yearly=costs.yearly * per[:, None], credits=costs.credits * per[:, None],
            running=costs.running * per[:, None],
        ),
        tech=replace(
            tech, capex=tech.capex * per, capex_added=tech.capex_added * per,
            inputs=tech.inputs * per[:, None],
            direct=tech.direct * per, captured=tech.captured * per, variable=tech.variable * per,
        ),
        limits=[
            replace(limit, weight=limit.weight * per) if limit.is_flow else limit for limit in in_kt.limits
        ],
    )  # fmt: skip
    one, other = solve_optimal(in_kt), solve_optimal(in_t)
    assert other.objective == pytest.approx(one.objective, rel=1e-7)
    assert other.path.used == pytest.approx(one.path.used, rel=1e-5, abs=1e-5)
    assert other.path.emissions.sum(axis=0) == pytest.approx(
        one.path.emissions.sum(axis=0), rel=1e-5, abs=1e-5
    )


def test_the_same_problem_gives_the_same_bytes() -> None:
    one, other = (solve_optimal(mixed(1, early=True)) for _ in range(2))
    for name in ("run", "capacity", "production", "capex", "used", "shadow", "unmet"):
        assert getattr(one.path, name).tobytes() == getattr(other.path, name).tobytes()
    assert one.objective == other.objective
    assert one.path.changes == other.path.changes


def test_alike_plants_are_grouped_and_share_alike() -> None:
    many = tuple(Plant("old", 1.0 + n % 3, last_investment=2020) for n in range(60))
    grouped = solve_optimal(small(many))
    one = solve_optimal(small((Plant("old", 1.0, last_investment=2020),)))
    assert grouped.columns == one.columns
    assert grouped.objective == pytest.approx(one.objective * sum(p.capacity for p in many))
    assert len(grouped.path.names) == 60


def test_plants_without_a_technology_stay_as_they_are() -> None:
    problem = small((Plant("", 3.0, intensity=2.0), Plant("old", 1.0, last_investment=2020)))
    path = solve_optimal(problem).path
    assert path.run[0].tolist() == [-1] * 10
    assert path.emissions[0] == pytest.approx(6.0)


def test_a_problem_without_anything_costs_nothing() -> None:
    optimum = solve_optimal(build_problem([OLD]))
    assert optimum.objective == 0.0
    assert optimum.path.run.shape == (0, 16)


def test_learning_makes_the_same_path_cheaper() -> None:
    problem = small()
    cheaper = np.ones((3, 10))
    cheaper[2] = np.linspace(1.0, 0.3, 10)
    learnt = solve_optimal(problem, cheaper)
    assert learnt.objective <= solve_optimal(problem).objective
    assert learnt.path.multiplier is not None
    assert np.array_equal(learnt.path.multiplier, cheaper)


def test_every_change_is_told_with_its_capital() -> None:
    problem = small((Plant("old", 2.0, last_investment=2020),), carbon_price=90.0)
    path = solve_optimal(problem).path
    changes = path.changes
    lengths = {len(getattr(changes, name)) for name in vars(changes)}
    assert len(lengths) == 1
    for row, t, before, after, share in zip(
        changes.row, changes.t, changes.before, changes.after, changes.share, strict=True
    ):
        assert path.run[row, t] == after
        assert path.run[row, t - 1] == before
        assert share == 1.0
    assert changes.capex[0] > 0
