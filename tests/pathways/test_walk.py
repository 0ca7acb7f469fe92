"""The year loop on small problems: balances close, limits hold, sectors pull on one another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.pathways.engine import walk
from cleanhub.pathways.learning import capital_multiplier, learning_exponent
from cleanhub.pathways.markets import dispatch
from cleanhub.pathways.problem import Learning, Path, Problem
from cleanhub.pathways.state import State

from .problems import Cap, Fleet, Market, Plant, Tech, build_problem

OLD = Tech("old", capex=100, variable=20, direct=2.0)
CLEAN = Tech("clean", capex=300, variable=30, direct=0.2, inputs={"power": 1.0})
CAPTURE = Tech("capture", capex=160, capex_added=60, base="old", variable=30, direct=0.3, captured=1.7)
SWITCHES = {("old", "clean"): "rebuild", ("old", "capture"): "retrofit", ("capture", "clean"): "rebuild"}


def market_problem(**changes: Any) -> Problem:
    """A market for steel with four plants, two cleaner options and a rising carbon price."""
    given_: dict[str, Any] = {
        "options": (OLD, CLEAN, CAPTURE),
        "plants": [Plant("old", capacity=2.0, last_investment=2008 + n) for n in range(4)],
        "markets": (
            Market("steel", demand=np.linspace(7, 9, 26), offered=("old", "clean"), low=0.3, high=0.95),
        ),
        "switches": SWITCHES,
        "prices": {"power": 10.0},
        "carbon_price": np.linspace(0, 120, 26),
        "storage_price": 10.0,
        "last": 2050,
    }
    return build_problem(**{**given_, **changes})


def test_equipment_falls_due_once_a_cycle_from_the_last_investment_on() -> None:
    problem = market_problem()
    state = State(problem)
    for t in range(1, len(problem.years)):
        state.carry(t)
    due = np.array([state.is_due(t) for t in range(len(problem.years))])
    found = [problem.years[mine].tolist() for mine in due.T]
    assert found == [[2028, 2048], [2029, 2049], [2030, 2050], [2031]], "cycles of 20 years from 2008 to 2011"


def check_balances(path: Path) -> None:
    """What holds in every year of every path."""
    problem = path.problem
    markets, tech = problem.markets, problem.tech
    high = np.where(markets.meets_demand, markets.high, 1.0)[path.market][:, None]
    assert (path.production <= path.capacity * high * (1 + 1e-9) + 1e-9).all(), (
        "no plant makes more than it can"
    )
    assert (path.production >= -1e-12).all()
    standing = path.capacity > 0
    assert not path.production[~standing].any()
    for m in np.flatnonzero(markets.meets_demand):
        made = path.production[path.market == m].sum(axis=0)
        wanted = markets.demand[m].copy()
        c = int(markets.carrier[m])
        if c >= 0:
            for t in range(len(problem.years)):
                used = carrier_use(path, c, t, but=m)
                wanted[t] += used * float(markets.per_carrier[m])
        np.testing.assert_allclose(made + path.unmet[m], wanted, rtol=1e-9, atol=1e-9)
    direct = np.where(path.run >= 0, tech.direct[np.maximum(path.run, 0)], 0.0)
    known = (path.run >= 0) & (path.plant < 0)[:, None]
    np.testing.assert_allclose(path.emissions[known], (path.production * direct)[known])
    changes = path.changes
    net = np.zeros(len(problem.years))
    for t, kind, size in zip(changes.t, changes.kind, changes.capacity, strict=True):
        net[t] += {"new": size, "committed": size, "retired": -size}.get(kind, 0.0)
    dispatched = markets.meets_demand[path.market]
    capacity = path.capacity[dispatched].sum(axis=0)
    np.testing.assert_allclose(
        np.diff(capacity), net[1:], atol=1e-9, err_msg="capacity only comes by a change"
    )


def carrier_use(path: Path, carrier: int, t: int, but: int) -> float:
    """Use of a carrier in year position ``t`` by everything but the market ``but``."""
    tech = path.problem.tech
    rows = (path.market != but) & (path.run[:, t] >= 0)
    used = float(tech.inputs[path.run[rows, t], carrier] @ path.production[rows, t])
    for cls in path.vehicles:
        used += float(tech.inputs[cls.options, carrier] @ cls.distance[:, t])
    return used


# ---------------------------------------------------------------- dispatch


def test_the_cheapest_run_most_and_nobody_below_the_least_load() -> None:
    made = dispatch(np.array([1.0, 1.0, 1.0]), np.array([4.0, 4.0, 4.0]), np.array([3.0, 1.0, 2.0]), 8.0)
    np.testing.assert_allclose(made, [1.0, 4.0, 3.0])


def test_too_little_demand_is_shared_alike_and_too_much_leaves_all_at_full_load() -> None:
    np.testing.assert_allclose(
        dispatch(np.array([2.0, 4.0]), np.array([9.0, 9.0]), np.zeros(2), 3.0), [1.0, 2.0]
    )
    np.testing.assert_allclose(dispatch(np.zeros(2), np.array([3.0, 4.0]), np.zeros(2), 99.0), [3.0, 4.0])


# ---------------------------------------------------------------- balances


def test_a_market_builds_changes_and_serves_its_demand() -> None:
    path = walk(market_problem())
    check_balances(path)
    assert not path.unmet.any()
    kinds = set(path.changes.kind)
    assert "new" in kinds
    assert kinds & {"retrofit", "rebuild"}
    assert path.emissions[:, -1].sum() < 0.5 * path.emissions[:, 0].sum()


@settings(max_examples=40, deadline=None)
@given(
    start=st.integers(1, 6),
    growth=st.floats(-0.9, 1.5),
    carbon=st.floats(0, 300),
    high=st.floats(0.5, 1.0),
    early=st.booleans(),
    rule=st.sampled_from(["least_cost", "lowest_emissions", "mpp"]),
    storage=st.floats(0, 8),
)
def test_balances_close_and_hard_limits_hold_whatever_comes(
    start: int, growth: float, carbon: float, high: float, early: bool, rule: str, storage: float
) -> None:
    demand = np.linspace(start * 1.5, start * 1.5 * (1 + growth), 26)
    problem = market_problem(
        plants=[Plant("old", capacity=2.0, last_investment=2005 + n) for n in range(start)],
        markets=(Market("steel", demand=demand, offered=("old", "clean", "capture"), low=0.2, high=high),),
        carbon_price=np.linspace(0, carbon, 26),
        limits=[
            Cap("storage", "co2_storage", storage, "captured"),
            Cap("ramp", "capacity_added", 1.0, {"clean": 1.0}),
        ],
        name=rule,
        reinvest_early=early,
    )
    path = walk(problem)
    check_balances(path)
    assert (path.used[0] <= storage + 1e-6).all()
    assert (path.used[1] <= 1.0 + 1e-9).all()
    assert path.used[0] == pytest.approx(path.captured.sum(axis=0))


@settings(max_examples=20, deadline=None)
@given(scale=st.sampled_from([1e-3, 1e3]), carbon=st.floats(0, 200))
def test_the_same_in_tonnes_and_kilotonnes(scale: float, carbon: float) -> None:
    def problem(unit: float) -> Problem:
        def tech(one: Tech) -> Tech:
            per = {name: use / unit for name, use in one.inputs.items()}
            money = {f: getattr(one, f) / unit for f in ("capex", "variable", "direct", "captured")}
            added = None if one.capex_added is None else one.capex_added / unit
            return replace(one, inputs=per, capex_added=added, **money)

        return market_problem(
            options=[tech(one) for one in (OLD, CLEAN, CAPTURE)],
            plants=[Plant("old", capacity=2.0 * unit, last_investment=2008 + n) for n in range(4)],
            markets=(
                Market(
                    "steel",
                    demand=np.linspace(7, 9, 26) * unit,
                    offered=("old", "clean"),
                    low=0.3,
                    high=0.95,
                    plant_capacity=unit,
                ),
            ),
            carbon_price=np.linspace(0, carbon, 26),
            limits=[Cap("storage", "co2_storage", 3.0, "captured")],
        )

    one, other = walk(problem(1.0)), walk(problem(scale))
    np.testing.assert_array_equal(one.run, other.run)
    np.testing.assert_allclose(other.production, one.production * scale, rtol=1e-9, atol=1e-12 * scale)
    np.testing.assert_allclose(other.emissions, one.emissions, rtol=1e-9, atol=1e-12)


# ---------------------------------------------------------------- building and retiring


def test_nothing_is_renewed_that_the_market_can_do_without() -> None:
    path = walk(market_problem(markets=(Market("steel", demand=np.linspace(8, 2, 26), low=0.0),)))
    check_balances(path)
    assert path.changes.kind.count("retired") == 3
    assert not any(path.changes.stranded), "at the end of its cycle nothing is stranded"


def test_least_load_that_nobody_wants_retires_plants_early_and_strands_capital() -> None:
    demand = np.where(np.arange(26) < 3, 8.0, 2.0)
    plants = [Plant("old", capacity=2.0, last_investment=2024) for _ in range(4)]
    path = walk(market_problem(plants=plants, markets=(Market("steel", demand=demand, low=0.5),)))
    early = [n for n, lost in enumerate(path.changes.stranded) if lost > 0]
    assert {path.changes.kind[n] for n in early} == {"retired"}
    assert len(early) == 2, "two plants at half load make what is wanted"
    left = 1 - (2028 - 2024) / 20
    assert [path.changes.stranded[n] for n in early] == pytest.approx([100 * 2.0 * left] * 2)


def test_demand_that_nobody_may_meet_is_a_number() -> None:
    problem = market_problem(limits=[Cap("none", "capacity_added", 0.0, {"old": 1.0, "clean": 1.0})])
    path = walk(problem)
    check_balances(path)
    wanted = problem.markets.demand[0] - 8.0 * 0.95
    np.testing.assert_allclose(path.unmet[0], np.maximum(wanted, 0.0), atol=1e-9)


def test_what_is_committed_is_built_whatever_the_limits_say() -> None:
    problem = market_problem(
        additions=[(2027, 0, 1, 1.5, "pilot")],
        limits=[Cap("none", "capacity_added", 0.0, {"clean": 1.0})],
    )
    path = walk(problem)
    row = int(np.flatnonzero(path.names == "pilot")[0])
    assert not path.capacity[row, :2].any()
    assert (path.capacity[row, 2:] == 1.5).all()
    check_balances(path)


def test_a_floor_is_met_though_it_is_dear() -> None:
    share = np.where(np.arange(26) < 10, 0.0, 0.2)
    floor = Cap("clean share", "production_share", share, {"clean": 1.0}, floor=True)
    free, held = (
        walk(market_problem(carbon_price=0.0, limits=limits, reinvest_early=True))
        for limits in ((), (floor,))
    )
    clean = [(path.production * (path.run == 1)).sum(axis=0) for path in (free, held)]
    assert not clean[0].any()
    demand = held.problem.markets.demand[0]
    assert (clean[1][15:] >= 0.2 * demand[15:] - 1e-6).all()


# ---------------------------------------------------------------- sectors that pull on one another


def test_what_one_sector_uses_another_makes_in_the_same_year() -> None:
    ammonia = Tech("ammonia plant", capex=50, variable=5, sector="ammonia", product="ammonia")
    ship = Tech("oil ship", capex=10, variable=3.0, vehicle=True, direct=0.5)
    new = Tech("ammonia ship", capex=10, variable=0.1, vehicle=True, inputs={"ammonia": 0.4})
    problem = build_problem(
        options=(ammonia, ship, new),
        plants=[Plant("ammonia plant", capacity=10.0, market="ammonia")],
        markets=(
            Market("ammonia", demand=8.0, offered=("ammonia plant",), supplies="ammonia", plant_capacity=2.0),
        ),
        switches={("oil ship", "ammonia ship"): "rebuild"},
        fleets=[Fleet(("oil ship", "ammonia ship"), demand=np.linspace(20, 30, 26), life=8)],
        prices={"ammonia": 1.0},
        last=2050,
        first_purchase=2028,
    )
    path = walk(problem)
    check_balances(path)
    ships = path.vehicles[0].distance[1]
    assert ships[-1] > 0.9 * 30
    made = path.production.sum(axis=0)
    np.testing.assert_allclose(made + path.unmet[0], 8.0 + 0.4 * ships, rtol=1e-9)
    assert "new" in path.changes.kind


def test_learning_in_one_sector_makes_another_cheaper() -> None:
    exponent = learning_exponent(np.array([0.2]))
    learning = Learning(
        names=np.array(["battery"], dtype=object),
        share=np.array([[0.5], [0.0], [1.0]]),
        amount=np.array([[0.0], [0.0], [0.0]]),
        exponent=exponent,
        least=np.array([0.1]),
        world=np.array([[10.0, 10.0]]),
        base=np.array([10.0]),
    )
    doubled = capital_multiplier(learning, np.array([10.0]), 1)
    np.testing.assert_allclose(doubled, [0.5 + 0.5 * 0.8, 1.0, 0.8])
    np.testing.assert_allclose(capital_multiplier(learning, np.array([1e12]), 1), [0.55, 1.0, 0.1])


def test_the_more_is_deployed_the_less_it_costs_and_the_sooner_it_is_taken() -> None:
    def walked(own: float) -> Path:
        learning = Learning(
            names=np.array(["cell"], dtype=object),
            share=np.array([[0.0], [1.0], [0.0]]),
            amount=np.array([[0.0], [own], [0.0]]),
            exponent=learning_exponent(np.array([0.25])),
            least=np.array([0.1]),
            world=np.full((1, 26), 1.0),
            base=np.array([1.0]),
        )
        return walk(market_problem(learning=learning, carbon_price=40.0, reinvest_early=True))

    none, much = walked(0.0), walked(20.0)
    assert (none.multiplier[1] == 1.0).all()
    assert much.multiplier[1, -1] < 0.5
    assert (np.diff(much.multiplier[1]) <= 1e-12).all()
    assert much.emissions.sum() <= none.emissions.sum() + 1e-9


# ---------------------------------------------------------------- draws


def test_rule_mpp_repeats_with_its_seed_and_leaves_the_problem_alone() -> None:
    problem = market_problem(name="mpp", seed=3)
    one, again, other = walk(problem), walk(problem), walk(market_problem(name="mpp", seed=4))
    np.testing.assert_array_equal(one.run, again.run)
    np.testing.assert_array_equal(one.production, again.production)
    assert other.run.shape[1] == one.run.shape[1]
    check_balances(one)
    check_balances(other)
