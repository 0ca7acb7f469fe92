"""Tipping points: closed forms, what can never delay them, and California's table whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import Fleet, Market, Plant, Tech, build_problem

from cleanhub.finance.annuity import capital_recovery_factor
from cleanhub.hub.library import load_library
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import load_scenario
from cleanhub.pathways.engine import walk
from cleanhub.pathways.problem import Learning, Problem
from cleanhub.pathways.segments import build_segments
from cleanhub.pathways.tipping import (
    CLASSES,
    WINDOW,
    adoption_shares,
    cost_parities,
    first_reached,
    invested,
    ownership_costs,
    per_unit,
    reached_for_good,
    tipping_points_table,
)
from cleanhub.pathways.unit_cost import plant_costs, vehicle_costs, with_policy, without_policy

FIRST, LAST = 2025, 2040
YEARS = np.arange(FIRST, LAST + 1)


def flags(text: str) -> np.ndarray:
    return np.array([one == "x" for one in text])


# ---------------------------------------------------------------- first and lasting


@pytest.mark.parametrize(
    ("text", "at", "lasts", "lost"),
    [
        ("..xx", 2, True, -1),
        ("xxxx", 0, True, -1),
        ("....", -1, False, -1),
        (".x.x", 1, False, 2),
        ("", -1, False, -1),
    ],
)
def test_first_reached(text: str, at: int, lasts: bool, lost: int) -> None:
    tip = first_reached(flags(text))
    assert (tip.at, tip.lasts, tip.lost) == (at, lasts, lost)


@pytest.mark.parametrize(
    ("text", "at", "lost"),
    [("..xx", 2, -1), (".x.x", 3, -1), ("xx..", -1, 2), ("....", -1, -1), ("xxxx", 0, -1)],
)
def test_reached_for_good(text: str, at: int, lost: int) -> None:
    tip = reached_for_good(flags(text))
    assert (tip.at, tip.lost) == (at, lost)
    assert tip.lasts == (at >= 0)


# ---------------------------------------------------------------- parity of two straight lines


def lines(start: float, slope: float, clean: float = 100.0, earliest: int = 2000) -> Problem:
    """An incumbent whose cost rises on a straight line, a clean option at a flat cost; decided yearly."""
    # a horizon of one year levelises to the price of the year after
    price = start + slope * np.arange(len(YEARS))
    options = [
        Tech("old", inputs={"fuel": 1.0}, direct=1.0),
        Tech("clean", variable=clean, earliest=earliest),
    ]
    return build_problem(
        options,
        [Plant("old")],
        switches={("old", "clean"): "rebuild"},
        prices={"fuel": price},
        first=FIRST,
        last=LAST,
        horizon=1,
    )


def parity_year(
    problem: Problem, kind: str = "cost_parity", multiplier: np.ndarray | None = None
) -> int | None:
    ones = np.ones((len(problem.tech.names), len(problem.years)))
    found = cost_parities(problem, ones if multiplier is None else multiplier, build_segments(problem))
    (one,) = [p for p in found if p.kind == kind]
    return int(problem.years[one.tip.at]) if one.tip.at >= 0 else None


def test_two_straight_lines_cross_where_algebra_says() -> None:
    problem = lines(start=40.0, slope=7.0)
    cost = problem.costs.running[0, 0]
    expected = int(YEARS[np.flatnonzero(cost >= 100.0)[0]])
    assert parity_year(problem) == expected
    # a decision in year t burns the fuel of t + 1 at 40 + 7 (t + 1): at least 100 from t = 60/7 - 1
    assert expected == FIRST + int(np.ceil(60.0 / 7.0)) - 1


def test_costs_that_are_equal_are_at_parity() -> None:
    assert parity_year(lines(start=100.0, slope=0.0)) == FIRST


def test_lines_that_never_meet_have_no_year() -> None:
    assert parity_year(lines(start=40.0, slope=0.0)) is None


def test_parity_waits_until_the_technology_can_be_chosen() -> None:
    assert parity_year(lines(start=200.0, slope=0.0, earliest=2033)) == 2033


def test_a_price_that_is_not_known_gives_no_parity() -> None:
    problem = lines(start=200.0, slope=0.0)
    costs = replace(problem.costs, priced=np.array([[True, False]]))
    assert parity_year(replace(problem, costs=costs)) is None


def test_parity_that_is_lost_again_says_so() -> None:
    price = np.where(YEARS < 2030, 50.0, np.where(YEARS < 2034, 150.0, 50.0))
    problem = build_problem(
        [Tech("old", inputs={"fuel": 1.0}, direct=1.0), Tech("clean", variable=100.0)],
        [Plant("old")],
        switches={("old", "clean"): "rebuild"},
        prices={"fuel": price},
        first=FIRST,
        last=LAST,
        horizon=1,
    )
    (one,) = cost_parities(problem, np.ones((2, len(YEARS))), build_segments(problem))
    assert int(YEARS[one.tip.at]) == 2029  # the fuel of 2030 is what a decision of 2029 burns
    assert not one.tip.lasts
    assert int(YEARS[one.tip.lost]) == 2033


def test_load_spreads_capital_over_what_is_made() -> None:
    problem = build_problem([Tech("old", capex=1000.0, capex_added=400.0, variable=3.0)], [Plant("old")])
    recovery = float(capital_recovery_factor(problem.rule.discount_rate, 20))
    cost = plant_costs(problem, with_policy(problem), np.full((1, 16), 0.5), 0, load=0.8)
    assert cost.new[0, 0] == pytest.approx(3.0 + (600.0 + 200.0) * recovery / 0.8)
    assert cost.added[0, 0] == pytest.approx(3.0 + 200.0 * recovery / 0.8)
    assert cost.running[0, 0] == pytest.approx(3.0)


def test_a_retrofit_is_compared_with_running_on() -> None:
    """By hand: adding capture costs 10 a year in capital and saves 8 of carbon: parity at a price above."""
    recovery = float(capital_recovery_factor(0.08, 20))
    options = [
        Tech("old", capex=500.0, direct=1.0),
        Tech("capture", capex=500.0 + 10.0 / recovery, capex_added=10.0 / recovery, direct=0.2, base="old"),
    ]
    for price, expected in ((12.0, None), (13.0, FIRST)):
        problem = build_problem(
            options, [Plant("old")], switches={("old", "capture"): "retrofit"}, carbon_price=price
        )
        assert parity_year(problem, "retrofit_parity") == expected  # 10 / 0.8 = 12.5
        assert parity_year(problem, "cost_parity") == expected  # the base is the same on both sides


def test_a_rebuild_has_no_retrofit_parity() -> None:
    problem = lines(40.0, 7.0)
    found = cost_parities(problem, np.ones((2, len(YEARS))), build_segments(problem))
    assert [one.kind for one in found] == ["cost_parity"]


# ---------------------------------------------------------------- what never delays parity


def priced(carbon: float, capex: float = 400.0, learning: Learning | None = None) -> Problem:
    return build_problem(
        [Tech("old", variable=50.0, direct=1.0), Tech("clean", capex=capex, variable=40.0, direct=0.1)],
        [Plant("old", capacity=2.0, last_investment=2016), Plant("old", last_investment=2012)],
        switches={("old", "clean"): "rebuild"},
        carbon_price=carbon * np.linspace(0.2, 1.0, len(YEARS)),
        first=FIRST,
        last=LAST,
        learning=learning,
    )


def rank(year: int | None) -> int:
    return 9999 if year is None else year


@settings(max_examples=30, deadline=None)
@given(low=st.floats(0.0, 100.0), more=st.floats(0.0, 100.0))
def test_a_higher_carbon_price_never_delays_parity(low: float, more: float) -> None:
    assert rank(parity_year(priced(low + more))) <= rank(parity_year(priced(low)))


@settings(max_examples=30, deadline=None)
@given(one=st.floats(0.0, 0.4), more=st.floats(0.0, 0.4))
def test_more_learning_never_delays_parity(one: float, more: float) -> None:
    slow, fast = (walk(priced(40.0, learning=learn(rate))) for rate in (one, one + more))
    years = [rank(parity_year(path.problem, multiplier=path.multiplier)) for path in (slow, fast)]
    assert years[1] <= years[0]


def learn(rate: float) -> Learning:
    """All of the clean option's capital learns; the world doubles the component every four years."""
    world = 2.0 ** (np.arange(len(YEARS)) / 4.0)
    return Learning(
        names=np.array(["part"], dtype=object),
        share=np.array([[0.0], [1.0]]),
        amount=np.array([[0.0], [1.0]]),
        exponent=-np.log2(1.0 - np.array([rate])),
        least=np.array([0.1]),
        world=world[None, :],
        base=world[:1],
    )


def test_learning_brings_parity_in_the_year_that_the_law_says() -> None:
    """Capital must fall to what the saving pays: 0.8 ** (t / 4) at a doubling every four years."""
    problem = priced(0.0, capex=400.0, learning=learn(0.2))
    recovery = float(capital_recovery_factor(0.08, 20))
    times = walk(problem).multiplier
    needed = 10.0 / (400.0 * recovery)
    t = int(np.ceil(4.0 * np.log(needed) / np.log(0.8)))
    expected = FIRST + t if t < len(YEARS) else None
    assert parity_year(problem, multiplier=times) == expected


# ---------------------------------------------------------------- vehicles


def trucks(**changes: Any) -> Problem:
    options = [
        Tech("diesel", capex=100.0, lifetime=10, vehicle=True, direct=1.0, variable=10.0,
             sector="trucking", product="distance"),
        Tech("battery", capex=150.0, lifetime=10, vehicle=True, variable=2.0, vehicle_credit=5.0,
             yearly_credit=0.5, credits=0.5, sector="trucking", product="distance"),
    ]  # fmt: skip
    return build_problem(
        options, fleets=[Fleet(("diesel", "battery"), 10.0)], first=FIRST, last=LAST, **changes
    )


def test_cost_of_ownership_by_hand() -> None:
    problem = trucks(carbon_price=2.0)
    cls = problem.vehicles[0]
    recovery = float(capital_recovery_factor(0.08, 10))
    ones = np.ones((2, len(YEARS)))
    own = vehicle_costs(problem, with_policy(problem), ones, cls)
    bare = vehicle_costs(problem, without_policy(problem), ones, cls)
    assert own[:, 0] == pytest.approx([12.0 + 100.0 * recovery, 1.5 + 145.0 * recovery])
    assert bare[:, 0] == pytest.approx([10.0 + 100.0 * recovery, 2.0 + 150.0 * recovery])


def test_classes_that_share_a_segment_count_by_what_they_carry() -> None:
    problem = trucks()
    one, ones = problem.vehicles[0], np.ones((2, len(YEARS)))
    other = replace(one, yearly_activity=4.0, demand=one.demand * 3.0)
    both = replace(problem, vehicles=[one, other])
    mean = ownership_costs(both, ones, (0, 1))
    alone = [ownership_costs(both, ones, (v,)) for v in (0, 1)]
    np.testing.assert_allclose(mean, 0.25 * alone[0] + 0.75 * alone[1])


def test_parity_of_a_battery_truck_follows_its_capital() -> None:
    """Diesel 10 + 100 r, battery 1.5 + (150 m - 5) r: parity once m is low enough."""
    problem = trucks()
    recovery = float(capital_recovery_factor(0.08, 10))
    most = ((10.0 - 1.5 + 100.0 * recovery) / recovery + 5.0) / 150.0
    falling = np.linspace(most + 0.5, most - 0.5, len(YEARS))
    found = parity_year(problem, multiplier=np.vstack([np.ones(len(YEARS)), falling]))
    assert found == int(YEARS[np.flatnonzero(falling <= most)[0]])


# ---------------------------------------------------------------- adoption


def test_sales_that_cross_a_share_and_stay() -> None:
    problem = trucks()
    path = walk(problem)
    (segment,) = build_segments(problem)
    share = np.where(YEARS < 2031, 0.02 * np.arange(len(YEARS)), 0.2)
    path.vehicles[0].bought = np.vstack([1.0 - share, share]) * 7.0
    shares = adoption_shares(path, segment, invested(path))
    np.testing.assert_allclose(shares[1], share)
    tip = reached_for_good(shares[1] >= 0.05)
    assert int(YEARS[tip.at]) == FIRST + 3  # 0.02 x 3 is the first share above 5 %


def market(demand: Any, **changes: Any) -> Problem:
    return build_problem(
        [
            Tech("old", variable=50.0, direct=1.0, cycle=100),
            Tech("clean", variable=40.0, cycle=100, earliest=2030),
        ],
        [Plant("old", capacity=10.0, last_investment=2000)],
        markets=[Market(demand=demand, offered=["old", "clean"], plant_capacity=1.0)],
        first=FIRST,
        last=LAST,
        **changes,
    )


def test_investment_in_new_plants_is_summed_over_five_years() -> None:
    path = walk(market(10.0 + np.arange(len(YEARS))))
    put_in = invested(path)
    np.testing.assert_allclose(put_in[0].sum(axis=0)[1:], 1.0)
    np.testing.assert_allclose(put_in[0, 1], np.where(YEARS >= 2030, 1.0, 0.0))
    (segment,) = build_segments(path.problem)
    shares = adoption_shares(path, segment, put_in)
    assert np.isnan(shares[1, 0])
    first = int(np.flatnonzero(YEARS == 2030)[0])
    window = [min(n + 1, WINDOW) / WINDOW for n in range(len(YEARS) - first)]
    np.testing.assert_allclose(shares[1, first:], window)
    np.testing.assert_allclose(shares[1, 1:first], 0.0)


def test_the_share_stays_as_it_was_while_nothing_is_built() -> None:
    demand = np.where(YEARS <= 2031, 10.0 + np.arange(len(YEARS)), 16.0)
    path = walk(market(demand))
    (segment,) = build_segments(path.problem)
    shares = adoption_shares(path, segment, invested(path))
    assert shares[1, -1] == pytest.approx(shares[1, np.flatnonzero(YEARS == 2035)[0]])
    assert shares[1, -1] > 0


def test_renewal_in_kind_is_investment_too() -> None:
    """A plant that falls due and stays as it is takes its share of what is put in."""
    problem = build_problem(
        [Tech("old", variable=50.0, direct=1.0, cycle=10), Tech("clean", variable=40.0, cycle=10)],
        [Plant("old", capacity=3.0, last_investment=2020), Plant("old", capacity=1.0, last_investment=2022)],
        switches={("old", "clean"): "rebuild"},
        first=FIRST,
        last=LAST,
        first_choice=2031,
    )
    put_in = invested(walk(problem))
    by_year = {int(YEARS[t]): (k, put_in[0, k, t]) for k, t in np.argwhere(put_in[0] > 0)}
    assert {year: size for year, (_, size) in by_year.items()} == {2030: 3.0, 2032: 1.0, 2040: 3.0}
    assert by_year[2030][0] == 0  # before any choice can take effect
    assert by_year[2032][0] == 1


# ---------------------------------------------------------------- the table


def test_the_classes_are_those_of_the_library() -> None:
    lists = load_library().tables["codelists"]
    assert set(CLASSES) == set(lists.loc[lists["list"] == "classification", "code"])


def test_units_of_costs() -> None:
    assert per_unit("t") == "USD/t"
    assert per_unit("kt km") == "USD/(kt km)"


def test_californias_table_is_whole(run: Callable[[str], Any]) -> None:
    path = run("net-zero-2045").path
    table = tipping_points_table(path)
    assert list(table.columns) == PLAN_TABLES["tipping_points"].names
    kinds = load_library().tables["codelists"]
    assert set(table["kind"]) <= set(kinds.loc[kinds["list"] == "tipping_kind", "code"])
    parity = table[table["kind"] == "cost_parity"]
    reached = parity[parity["year"].notna()]
    assert len(reached) > 10
    assert (reached["value"] <= reached["threshold"] * (1 + 1e-8)).all()
    never = parity[parity["year"].isna() & parity["value"].notna()]
    assert len(never)
    assert (never["value"] > never["threshold"]).all() or (never["note"].str.contains("lost|not on")).all()
    assert (parity["lasts"] == "").eq(parity["year"].isna()).all()


def test_adoption_rows_hold_their_thresholds(run: Callable[[str], Any]) -> None:
    table = tipping_points_table(run("net-zero-2045").path)
    rows = table[table["kind"] == "adoption"]
    library = load_library().tables["adoption_thresholds"]
    assert set(rows["threshold"]) == set(library["value"])
    reached = rows[rows["year"].notna()]
    assert (reached["value"] >= reached["threshold"] - 1e-9).all()
    pairs = rows.pivot_table(
        index=["sector", "product", "technology", "against"], columns="threshold", values="year", dropna=False
    ).astype(float)
    both = pairs.dropna()
    assert (both[5.0] <= both[10.0]).all()


def test_every_source_named_is_in_the_library(run: Callable[[str], Any]) -> None:
    table = tipping_points_table(run("baseline").path)
    known = set(load_library().tables["sources"]["source_id"])
    assert {one for cell in table["source"] for one in cell.split(";")} <= known


def test_a_hub_without_anything_has_no_rows_but_milestones(tiny: Callable[..., Hub], run_of: Any) -> None:
    hub = tiny({"facilities": [], "facility_emissions": []})
    table = tipping_points_table(run_of(hub, load_scenario("baseline", hub)).path)
    assert set(table["kind"]) <= {"milestone"}


def test_one_plant_is_enough(tiny: Callable[..., Hub], run_of: Any) -> None:
    hub = tiny()
    table = tipping_points_table(run_of(hub, load_scenario("baseline", hub)).path)
    assert isinstance(table, pd.DataFrame)
    assert set(table["kind"]) <= {"milestone", "cost_parity", "retrofit_parity", "adoption"}
