"""System cost: closed forms of each item, and the limits that a path breaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from problems import Cap, Fleet, Market, Plant, Tech, build_problem

from cleanhub.pathways.engine import walk
from cleanhub.pathways.optimal_cost import PENALTY_TIMES, Accounts, capital_worth, cost_of

OLD = Tech("old", capex=100, direct=1.0, variable=10, cycle=20, lifetime=20)
BETTER = Tech("better", capex=40, variable=2, cycle=20, lifetime=4, credits=3.0)


@pytest.mark.parametrize("rate", [0.0, 0.08])
def test_capital_within_the_years_is_worth_itself(rate: float) -> None:
    discount = (1 + rate) ** -np.arange(30.0)
    worth = capital_worth(np.array([5, 20]), rate, discount)
    first = discount if rate == 0 else discount * (1 + rate)
    assert worth[0, :26] == pytest.approx(first[:26])
    assert worth[1, :11] == pytest.approx(first[:11])
    assert (worth[0, 26:] < first[26:]).all()


def test_capital_late_in_the_years_counts_the_payments_that_fall_into_them() -> None:
    worth = capital_worth(np.array([4]), 0.0, np.ones(10))
    assert worth[0].tolist() == [1.0] * 7 + [0.75, 0.5, 0.25]


def test_each_item_of_a_changed_plant_by_hand() -> None:
    problem = build_problem(
        [OLD, BETTER],
        [Plant("old", 2.0, last_investment=2010)],
        switches={("old", "better"): "rebuild"},
        last=2034,
        horizon=3,
        discount_rate=0.0,
    )
    path = walk(problem)
    assert path.run[0].tolist() == [0] * 5 + [1] * 5
    cost = cost_of(problem, path)
    assert cost.items["production"] == pytest.approx(2 * (5 * 10 + 5 * 2))
    assert cost.items["credits"] == pytest.approx(-2 * 3 * 3)
    assert cost.items["capital"] == pytest.approx(2 * 40)
    assert cost.items["unmet"] == 0.0
    assert cost.total == pytest.approx(120 - 18 + 80)
    assert sum(values.sum() for values in cost.by_year.values()) == pytest.approx(cost.total)
    assert path.credits[0].tolist() == [0] * 5 + [3.0] * 3 + [0] * 2


def test_unmet_demand_costs_ten_times_the_dearest_option() -> None:
    options = [Tech("new", capex=100, variable=5, lifetime=10, cycle=50), Tech("other", variable=900)]
    problem = build_problem(
        options,
        markets=[Market(demand=2.0, offered=["new"])],
        limits=[Cap("none", "capacity_added", 0.0)],
        last=2027,
        discount_rate=0.0,
    )
    accounts = Accounts(problem)
    assert accounts.penalty[0] == pytest.approx(PENALTY_TIMES * (5 + 10))
    cost = cost_of(problem, walk(problem))
    assert cost.items["unmet"] == pytest.approx(3 * 2.0 * 150)


def test_a_supplied_carrier_is_free_for_others_and_not_for_its_supplier() -> None:
    user = Tech("user", inputs={"hydrogen": 2.0}, variable=1)
    supplier = Tech("supplier", inputs={"hydrogen": 0.1}, variable=3)
    problem = build_problem(
        [user, supplier],
        markets=[
            Market("steel"),
            Market("steel abroad", region=1),
            Market("hydrogen", demand=1.0, offered=["supplier"], supplies="hydrogen", takes=[1.0, 0.5]),
        ],
        prices={"hydrogen": 10.0},
        regions=("here", "abroad"),
        fleets=[Fleet(["user"], 1.0, region=1)],
    )
    accounts = Accounts(problem)
    assert accounts.yearly[0, 0] == pytest.approx(1.0)
    assert accounts.yearly[1, 0] == pytest.approx(1.0 + 10.0)
    assert accounts.yearly[2, 1] == pytest.approx(3.0 + 1.0)
    assert accounts.driving[0][0] == pytest.approx(1.0 + 10.0)


def test_vehicles_pay_their_fixed_cost_once_and_carbon_on_the_inventorys_tonnes() -> None:
    diesel = Tech("diesel", vehicle=True, capex=100, direct=1, variable=1, lifetime=5, fixed=3)
    problem = build_problem(
        [diesel],
        fleets=[Fleet(["diesel"], 10.0, mileage=5.0, life=5, scale=1.5)],
        carbon_price=4.0,
        last=2027,
        discount_rate=0.0,
    )
    cost = cost_of(problem, walk(problem))
    running = 3 * (10 * (1 + 1.5 * 4) + 2 * 3)
    assert cost.items["vehicles"] == pytest.approx(running + 0.4 * 20 * 2 + 0.4 * 20 * 1)


def test_purchase_credits_never_pay_more_than_the_vehicle() -> None:
    given = Tech("given", vehicle=True, capex=100, lifetime=5, vehicle_credit=1e6)
    problem = build_problem([given], fleets=[Fleet(["given"], 10.0, life=5)], last=2027)
    assert cost_of(problem, walk(problem)).items["vehicles"] == 0.0


def test_hard_limits_that_are_passed_are_told_with_their_year() -> None:
    caps = [
        Cap("cap", "emissions", np.array([9.0, 9, 1]), "direct"),
        Cap("soft", "emissions", 0.0, "direct", hard=False),
        Cap("floor", "production_share", np.array([np.nan, np.nan, 0.5]), {"better": 1.0}, floor=True),
    ]
    problem = build_problem([OLD, BETTER], [Plant("old", 2.0)], limits=caps, last=2027)
    broken = cost_of(problem, walk(problem)).broken
    assert [(b.limit, b.year, b.used, b.allowed) for b in broken] == [
        ("cap", 2027, 2.0, 1.0),
        ("floor", 2027, 0.0, 1.0),
    ]


def test_capital_can_be_priced_at_another_multiplier() -> None:
    capture = Tech("capture", capex=140, capex_added=40, base="old", cycle=20, lifetime=4)
    problem = build_problem(
        [replace(OLD, direct=9.0), capture],
        [Plant("old", 1.0, last_investment=2023)],
        switches={("old", "capture"): "retrofit"},
        carbon_price=50.0,
        last=2034,
        reinvest_early=True,
        discount_rate=0.0,
    )
    path = walk(problem)
    assert cost_of(problem, path).items["capital"] == pytest.approx(40.0)
    half = np.full((2, 10), 0.5)
    assert cost_of(problem, path, half).items["capital"] == pytest.approx(20.0)
    whole = replace(problem, plants=replace(problem.plants, last_investment=np.array([2006])))
    path = walk(whole)
    assert cost_of(whole, path).items["capital"] == pytest.approx(140.0)
    assert cost_of(whole, path, half).items["capital"] == pytest.approx(120.0)
