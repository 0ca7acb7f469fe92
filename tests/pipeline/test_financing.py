"""Finance gates on grids written by hand: hurdles, delays, policies out of force, cost of shared links."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hand_graphs import Hand, One, setting

import cleanhub as ch
from cleanhub.core.errors import InputError
from cleanhub.finance.project_grid import ValueGrid
from cleanhub.hub.parameters import Parameters
from cleanhub.pipeline.draws import World, draw
from cleanhub.pipeline.evaluate import changed, evaluate
from cleanhub.pipeline.financing import (
    ValueGate,
    accepted_values,
    inverse,
    late_interest,
    of_percentiles,
    own_factor,
    shared_factor,
    shares_of,
    value_gate,
    value_gates,
)
from cleanhub.pipeline.nodes import Node
from cleanhub.pipeline.problem import POLICY, SHARED

DRAWS = 400
SPENT = 100.0


def grid_of(
    value: float, per_year: float = 0.0, per_capital: float = 0.0, per_price: float = 0.0, credit: float = 0.0
) -> ValueGrid:
    """Sponsor's value over 100 of capital: linear in delay, capital and price, less the credit if it is lost.

    The lender's value is 50 less.
    """
    delays, factors = np.array([0.0, 10.0]), np.array([0.5, 1.0, 2.0])
    npv = np.empty((2, 2, 2, 3, 3))
    for index in np.ndindex(npv.shape):
        view, state, k, c, p = index
        npv[index] = value + per_year * delays[k] + per_capital * (factors[c] - 1)
        npv[index] += per_price * (factors[p] - 1) - credit * state - 50.0 * view
    return ValueGrid(
        project_id="a",
        policies=("45q",),
        delays=delays,
        capital=factors,
        prices=factors,
        npv=npv,
        spent=np.broadcast_to(SPENT * factors, (2, 2, 3)).copy(),
        expected_growth=1.0,
        late_interest=0.0,
        begins=dt.date(2028, 1, 1),
        in_service=dt.date(2031, 1, 1),
    )


def world_of(*policies: Node, draws: int = DRAWS, **rule: object) -> World:
    hand = Hand()
    for node in policies:
        hand.node(node)
    for name in ("a", "b"):
        hand.gate(name, "permit", years=(1.0, 1.0, 1.0))
        hand.gate(name, "finance", after=[f"gate:{name}:permit"], years=(1.0, 1.0, 1.0))
        hand.project(One(name), [f"gate:{name}:finance"])
    return draw(*hand.build(), setting(**rule), draws, 0)


def gate_of(world: World, grid: ValueGrid, hurdle: str = "strict", **more: object) -> ValueGate:
    accepted = np.array([-0.8, -0.6, -0.4, -0.2, 0.3])
    return ValueGate(world.projects, {"a": grid}, hurdle, accepted, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("value", "passes"), [(0.0, True), (-1e-6, False), (5.0, True)])
def test_the_strict_hurdle_is_nothing(value: float, passes: bool) -> None:
    world = world_of()
    found = gate_of(world, grid_of(value)).passes(0, np.zeros(DRAWS), world)
    assert np.all(found == passes)


def test_delay_counts_from_the_day_the_case_begins_to_build() -> None:
    """Value 20 less 10 a year: the case begins two years after as_of, so it decides until year 4."""
    world = world_of()
    decided = np.linspace(0.0, 8.0, DRAWS)
    found = gate_of(world, grid_of(20.0, per_year=-10.0)).passes(0, decided, world)
    assert np.array_equal(found, decided <= 4.0)


def test_capital_and_price_of_the_draw_move_the_value() -> None:
    rule = {"capital_growth": np.array([0.8, 1.0, 1.3]), "price_spread": np.array([0.7, 1.0, 1.4])}
    world = world_of(common_gate=0.2, **rule)
    found = gate_of(world, grid_of(0.0, per_capital=-30.0, per_price=40.0)).passes(0, np.zeros(DRAWS), world)
    capital = np.clip(world.capital[0], 0.5, 2.0)
    price = np.clip(world.price[0], 0.5, 2.0)
    assert np.array_equal(found, -30.0 * (capital - 1) + 40.0 * (price - 1) >= 0)
    assert 0 < found.mean() < 1


def test_a_policy_out_of_force_is_lost_in_its_draws() -> None:
    world = world_of(Node("policy:45q", POLICY, p_pass=0.6, fixed=True))
    gate = gate_of(world, grid_of(10.0, credit=20.0))
    assert np.array_equal(gate.passes(0, np.zeros(DRAWS), world), world.in_force["policy:45q"])
    gone = replace(world, in_force={"policy:45q": np.zeros(DRAWS, dtype=bool)})
    assert not gate.passes(0, np.zeros(DRAWS), gone).any()
    assert np.array_equal(gate.passes(0, np.zeros(DRAWS), world), world.in_force["policy:45q"])


def test_a_policy_that_is_no_node_is_drawn_with_its_chance() -> None:
    world = world_of()
    for kept, share in (({"45q": 0.7}, 0.7), ({"": 0.4}, 0.4), ({}, 1.0)):
        found = gate_of(world, grid_of(10.0, credit=20.0), kept=kept).passes(0, np.zeros(DRAWS), world)
        assert found.mean() == pytest.approx(share, abs=1 / DRAWS)


def test_the_lender_can_carry_what_the_sponsor_would_not() -> None:
    world = world_of()
    grid = grid_of(-10.0)
    other = replace(grid, npv=grid.npv[::-1])
    assert not gate_of(world, grid).passes(0, np.zeros(DRAWS), world).any()
    assert not gate_of(world, other).passes(0, np.zeros(DRAWS), world).any()
    assert gate_of(world, replace(other, npv=other.npv + 20.0)).passes(0, np.zeros(DRAWS), world).all()


# ---------------------------------------------------------------- hurdles


def test_hurdles_follow_the_accepted_values_and_are_never_above_nothing() -> None:
    world = world_of(draws=4000)
    gate = gate_of(world, grid_of(0.0), "revealed")
    hurdles = gate.hurdles(0, 0, 4000)
    assert hurdles.min() == -0.8
    assert hurdles.max() == 0.0
    assert np.quantile(hurdles, [0.1, 0.3, 0.5, 0.7]) == pytest.approx([-0.8, -0.6, -0.4, -0.2], abs=2e-3)
    assert np.array_equal(hurdles, gate.hurdles(0, 0, 4000))
    assert not np.array_equal(hurdles, gate.hurdles(0, 1, 4000))
    assert abs(np.corrcoef(hurdles, gate.hurdles(1, 0, 4000))[0, 1]) < 0.05
    assert not gate_of(world, grid_of(0.0), "strict").hurdles(0, 0, 10).any()


def test_a_project_passes_where_its_value_clears_the_drawn_hurdle() -> None:
    world = world_of(draws=4000)
    for value in (-70.0, -30.0, 0.0):
        gate = gate_of(world, grid_of(value), "revealed")
        found = gate.passes(0, np.zeros(4000), world)
        assert np.array_equal(found, value / SPENT >= gate.hurdles(0, 0, 4000))
    assert found.all()


def test_whatever_passes_the_strict_hurdle_passes_the_revealed_one() -> None:
    rule = {"capital_growth": np.array([0.8, 1.0, 1.6]), "price_spread": np.array([0.6, 1.0, 1.5])}
    world = world_of(common_gate=0.2, draws=4000, **rule)
    decided = np.random.default_rng(0).uniform(0, 8, 4000)
    grid = grid_of(5.0, -3.0, -60.0, 50.0)
    strict, revealed = (
        gate_of(world, grid, hurdle).passes(0, decided, world) for hurdle in ("strict", "revealed")
    )
    assert np.all(revealed[strict])
    assert 0 < strict.mean() < revealed.mean() < 1


def test_the_inverse_is_that_of_hazen() -> None:
    values = np.array([-2.0, -1.0, 1.0])
    assert inverse(values, np.array([0.0, 1 / 6, 1 / 3, 0.5, 2 / 3, 5 / 6, 1.0])) == pytest.approx(
        [-2, -2, -1.5, -1, 0, 1, 1]
    )
    drawn = inverse(of_percentiles(-2.25, -0.86, -0.32), np.array([0.1, 0.5, 0.9]))
    assert drawn == pytest.approx([-2.25, -0.86, -0.32])


def test_own_growth_takes_the_place_of_the_median() -> None:
    drawn = np.array([1.0, 1.28, 1.76])
    grid = grid_of(0.0)
    assert np.array_equal(own_factor(grid, drawn, 1.28), drawn)
    assert own_factor(replace(grid, expected_growth=2.0), drawn, 1.28) == pytest.approx(drawn / 1.28)


# ---------------------------------------------------------------- in the simulation


def test_only_live_projects_with_a_grid_are_judged() -> None:
    world = world_of()
    assert list(gate_of(world, grid_of(0.0)).known) == [True, False]
    ended = replace(world.projects, ended=np.array([True, False]))
    assert not ValueGate(ended, {"a": grid_of(0.0)}, "strict", np.zeros(5)).known.any()
    with pytest.raises(KeyError):
        gate_of(world, grid_of(0.0)).passes(1, np.zeros(DRAWS), world)


def test_the_simulation_asks_it() -> None:
    """The permit takes a year, finance one: decided at 2, the case's own day. One year more is too late."""
    world = world_of()
    world = replace(world, finance=gate_of(world, grid_of(5.0, per_year=-10.0)))
    base = evaluate(world)
    assert np.all(base.decided[0] == 2.0)
    permit = int(np.flatnonzero(world.graph.id == "gate:a:permit")[0])
    late = changed(world, base, later={permit: 1.0})
    assert np.all(np.isinf(late.decided[list(late.projects).index(0)]))
    soon = changed(world, base, later={permit: 0.4})
    assert np.all(soon.decided[list(soon.projects).index(0)] == 2.4)


# ---------------------------------------------------------------- shared links


def shared_world(p: float, *, any_of: bool = False) -> World:
    hand = Hand().node(Node("pipe", SHARED, cost=60.0)).node(Node("store", SHARED, cost=30.0), ["pipe"])
    hand.node(Node("other", SHARED))
    for name, chance in (("a", 1.0), ("b", p), ("c", p)):
        hand.gate(name, "permit", chance)
        waits = ["store", "other"] if name != "c" else ["pipe"]
        hand.gate(name, "transport", after=waits, any_of=any_of and name == "a")
        hand.project(One(name), [f"gate:{name}:permit", f"gate:{name}:transport"])
    return draw(*hand.build(), setting(), DRAWS, 0)


def test_users_of_a_link_are_those_whose_gates_wait_for_it() -> None:
    world = shared_world(0.5)
    found = {share.cost: list(share.users) for share in shares_of(world, 0)}
    assert found == {30.0: [0, 1], 60.0: [0, 1, 2]}  # the pipe serves the store behind it
    assert {share.cost for share in shares_of(world, 2)} == {60.0}
    assert all(share.weight == 0.5 for share in shares_of(shared_world(0.5, any_of=True), 0))


def test_who_is_left_carries_the_cost_of_those_who_do_not_come() -> None:
    """Three users of 60 and two of 30: alone it carries 90 instead of 35, over 100 of capital."""
    world = shared_world(0.5)
    shares = shares_of(world, 0)
    alive = np.array([[1, 1, 1, 1], [1, 0, 1, 0], [1, 1, 0, 0]], dtype=bool)
    want = (np.array([35.0, 60.0, 45.0, 90.0]) - 35.0) / 100.0
    assert shared_factor(shares, alive, 100.0) == pytest.approx(want)
    assert not shared_factor([], alive, 100.0).any()
    drawn = shared_factor(shares, world.ready, SPENT)
    come = world.ready.sum(axis=0)
    assert np.all(drawn[come == 3] == 0)
    assert np.all(drawn[come == 1] == pytest.approx(0.55))


def test_the_gate_takes_that_capital() -> None:
    world = shared_world(0.5)
    grid = grid_of(20.0, per_capital=-40.0)
    found = gate_of(world, grid).passes(0, np.zeros(DRAWS), world)
    assert np.array_equal(found, 20.0 - 40.0 * shared_factor(shares_of(world, 0), world.ready, SPENT) >= 0)
    assert 0 < found.mean() < 1


# ---------------------------------------------------------------- from a hub


@pytest.fixture(scope="module")
def california() -> ch.Hub:
    return ch.load_hub("california")


def test_rows_of_the_library_stand_in_for_a_hub_without_built_projects(california: ch.Hub) -> None:
    world = world_of()
    rows = Parameters(california, "pipeline_parameters")
    gate = value_gate([], world.projects, {}, rows)
    ends = [rows.value("hurdle", "", "1", which) for which in ("low", "value", "high")]
    assert inverse(gate.accepted, np.array([0.1, 0.5, 0.9])) == pytest.approx(ends)
    assert 0 < gate.kept["45q"] <= 1
    assert value_gates([], {}, rows)(world.projects, "strict").hurdle == "strict"
    table = california.library.tables["pipeline_parameters"]
    cut = replace(
        california.library,
        tables={**california.library.tables, "pipeline_parameters": table[table["parameter"] != "hurdle"]},
    )
    with pytest.raises(InputError, match="hurdle"):
        value_gate(
            [], world.projects, {}, Parameters(replace(california, library=cut), "pipeline_parameters")
        )


def test_capital_grows_by_the_equation_of_pioneer_plants(california: ch.Hub) -> None:
    """Median and ninetieth percentile are two worked plants of the Rand equation; the least is no growth."""
    rows = Parameters(california, "pipeline_parameters")
    low, middle, high = (rows.value("capital_growth", "", "1", which) for which in ("low", "value", "high"))
    by_hand = [
        1
        / (1.12196 - 0.00297 * new - 0.02125 * impure - 0.01137 * steps + 0.00111 * whole - 0.06361 * defined)
        for new, impure, steps, whole, defined in ((25, 2, 5, 80, 4), (40, 4, 6, 33, 5))
    ]
    assert (middle, high) == pytest.approx(by_hand, abs=0.005)
    assert low == 1.0


def test_accepted_values_are_those_of_projects_past_their_decision(california: ch.Hub) -> None:
    from cleanhub.finance.valuations import value_projects
    from cleanhub.hub.scenario import load_scenario
    from cleanhub.policy.book import load_book

    table = california.tables["projects"]
    few = table[table["project_id"].isin(["CA-001", "CA-042", "CA-044", "CA-041", "CA-051"])]
    hub = replace(california, tables={**california.tables, "projects": few})
    scenario = load_scenario("baseline", hub)
    valued = value_projects(hub, scenario, load_book(hub.library, hub, scenario))
    want = sorted(
        one.value.sponsor.npv_usd / one.value.sponsor.lines.spending.sum()
        for one in valued
        if one.value and one.project.project_id in ("CA-042", "CA-044", "CA-051")
    )
    assert accepted_values(valued) == pytest.approx(want)


def test_late_building_costs_a_years_interest_on_the_debt_and_quick_building_saves_it() -> None:
    hand = Hand().gate("a", "finance", years=(1.0, 1.0, 1.0))
    hand.project(One("a"), ["gate:a:finance"], build=3.0)
    world = draw(*hand.build(), setting(), DRAWS, 1)
    service = int(world.projects.service[0])
    years = world.years.copy()
    years[service] = np.linspace(2.0, 6.0, DRAWS)
    late = late_interest(replace(grid_of(0.0), late_interest=0.05), replace(world, years=years), 0)
    assert late == pytest.approx(0.05 * (years[service] - 3.0))
    assert late[0] < 0 < late[-1]
