"""Capital: classes, roll-up by hand, pioneer plants, learning and the guard against counting twice."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.core.errors import FaultList, InputError
from cleanhub.finance.capital import (
    actual_cost,
    as_spent_multiplier,
    capital_factor,
    estimate_class,
    estimate_over_actual,
    owners_cost,
    performance_in_months_7_to_12,
    pioneer_terms,
    roll_up,
)
from cleanhub.finance.plant_learning import (
    Component,
    check_counted_once,
    hybrid_cost,
    later_plant_cost,
    learning_curve,
    learning_exponent,
)
from cleanhub.hub.library import Library, load_library

LIBRARY = load_library()
COST = st.floats(1.0, 1e9)
SHARE = st.floats(0.0, 1.0)
RATE = st.floats(0.0, 0.5)


def changed(table: str, **cells: object) -> Library:
    """The library with a column of one table set to other values."""
    return replace(LIBRARY, tables={**LIBRARY.tables, table: LIBRARY.tables[table].assign(**cells)})


# ---------------------------------------------------------------- classes and factors


def test_a_better_class_has_a_narrower_range() -> None:
    classes = [estimate_class(LIBRARY, number) for number in (1, 2, 3, 4, 5)]
    widths = [one.high_outer - one.low_outer for one in classes]
    assert widths == sorted(widths)
    for one in classes:
        assert one.low_outer <= one.low_inner <= 0 <= one.high_inner <= one.high_outer
        assert 0 < one.interval < 1


def test_a_class_that_is_enough_for_a_decision_is_better_than_one_that_is_not() -> None:
    enough = [estimate_class(LIBRARY, number).enough_for_fid for number in (1, 2, 3, 4, 5)]
    assert enough == [True, True, True, False, False]


def test_outcomes_of_an_estimate() -> None:
    three = estimate_class(LIBRARY, 3)
    low, high = three.outcomes([100.0, 200.0])
    assert low == pytest.approx([80.0, 160.0])
    assert high == pytest.approx([130.0, 260.0])
    low, high = three.outcomes(100.0, outer=False)
    assert (float(low), float(high)) == pytest.approx((90.0, 110.0))


def test_an_unknown_class_is_named_with_those_there_are() -> None:
    with pytest.raises(KeyError, match="no estimate class 6: there are 1, 2, 3, 4, 5"):
        estimate_class(LIBRARY, 6)


def test_process_contingency_falls_as_a_process_is_proved() -> None:
    states = ("bench_scale", "small_pilot", "full_size_modules", "commercial")
    found = [capital_factor(LIBRARY, "process_contingency", state) for state in states]
    assert all(a.value > b.value and a.high > b.high for a, b in pairwise(found))
    assert all(one.low <= one.value <= one.high for one in found)


def test_a_factor_without_range_is_its_value() -> None:
    found = capital_factor(LIBRARY, "financing_share")
    assert found.low == found.value == found.high


@pytest.mark.parametrize(("factor", "selector"), [("process_contingency", "proven"), ("colour", "")])
def test_an_unknown_factor_is_refused(factor: str, selector: str) -> None:
    with pytest.raises(KeyError, match=factor):
        capital_factor(LIBRARY, factor, selector)


# ---------------------------------------------------------------- roll-up


def test_the_roll_up_by_hand() -> None:
    found = roll_up(200.0, 0.1, 0.25, 0.2)
    assert float(found.contractor_fee) == pytest.approx(20.0)
    assert float(found.engineered) == pytest.approx(220.0)
    assert float(found.process_contingency) == pytest.approx(50.0)
    assert float(found.project_contingency) == pytest.approx(54.0)
    assert float(found.total_plant) == pytest.approx(324.0)


@given(COST, SHARE, SHARE, SHARE, st.integers(0, 3), st.floats(0.01, 0.5))
def test_the_roll_up_rises_with_everything(
    bare: float, fee: float, process: float, project: float, which: int, more: float
) -> None:
    before = [bare, fee, process, project]
    after = [
        value + (more * bare if which == 0 else more) * (one == which) for one, value in enumerate(before)
    ]
    assert float(roll_up(*after).total_plant) > float(roll_up(*before).total_plant)


@given(COST, SHARE, SHARE, SHARE)
def test_the_parts_of_a_roll_up_add_up(bare: float, fee: float, process: float, project: float) -> None:
    found = roll_up(bare, fee, process, project)
    parts = found.bare_erected + found.contractor_fee + found.process_contingency + found.project_contingency
    assert float(parts) == pytest.approx(float(found.total_plant), rel=1e-12)
    assert float(found.total_plant) == pytest.approx(bare * (1 + fee + process) * (1 + project), rel=1e-12)


def test_roll_ups_side_by_side_equal_roll_ups_alone() -> None:
    together = roll_up([100.0, 300.0], 0.1, [[0.0], [0.4]], 0.2)
    assert together.total_plant.shape == (2, 2)
    assert together.total_plant[1, 1] == float(roll_up(300.0, 0.1, 0.4, 0.2).total_plant)
    assert together.bare_erected.tolist() == [[100.0, 300.0]] * 2


def test_owners_cost_by_hand() -> None:
    found = owners_cost(
        LIBRARY, 1000.0, labour=24.0, maintenance=12.0, consumables=36.5, fuel=48.0, land=10.0
    )
    # 2 % + half a year's labour + a month of maintenance and consumables + a week of fuel
    assert float(found.preproduction) == pytest.approx(20 + 12 + 1 + 36.5 / 12 + 0.25 * 4)
    assert float(found.inventory) == pytest.approx(60 / 365 * 84.5 + 5)
    assert float(found.financing) == pytest.approx(27.0)
    assert float(found.other) == pytest.approx(150.0)
    added = found.preproduction + found.inventory + found.financing + found.other + found.land
    assert float(found.total_overnight) == pytest.approx(1000.0 + float(added))


def test_owners_cost_follows_the_library() -> None:
    table = LIBRARY.tables["capital_factors"]
    doubled = table["value"].where(table["factor"] != "other_owners_share", table["value"] * 2)
    before = owners_cost(LIBRARY, 1000.0).total_overnight
    after = owners_cost(changed("capital_factors", value=doubled), 1000.0).total_overnight
    assert float(after - before) == pytest.approx(150.0)


def test_spending_over_more_years_costs_more() -> None:
    three, four, five = (as_spent_multiplier(LIBRARY, years) for years in (3, 4, 5))
    table = LIBRARY.tables["capital_factors"].set_index("selector")["value"]
    assert three == table["years_3"]
    assert five == table["years_5"]
    assert three < five
    assert four == pytest.approx((three + five) / 2)


@pytest.mark.parametrize("years", [2.9, 5.1, 0.0, float("nan")])
def test_no_multiplier_is_made_up(years: float) -> None:
    with pytest.raises(ValueError, match="allowed 3 to 5 years"):
        as_spent_multiplier(LIBRARY, years)


# ---------------------------------------------------------------- pioneer plants


def test_cost_growth_is_the_sum_of_its_terms() -> None:
    terms = {name: one.coefficient for name, one in pioneer_terms(LIBRARY, "cost_growth").items()}
    expected = (
        terms["constant"]
        + 40 * terms["percent_new"]
        + 4 * terms["impurities"]
        + 6 * terms["complexity"]
        + 33 * terms["inclusiveness"]
        + 5 * terms["project_definition"]
    )
    found = float(estimate_over_actual(LIBRARY, 40, 4, 6, 33, 5))
    assert found == pytest.approx(expected, rel=1e-14)
    assert float(actual_cost(100.0, found)) == pytest.approx(175.895, abs=0.001)


def test_a_well_known_plant_costs_about_its_estimate() -> None:
    ratio = estimate_over_actual(LIBRARY, 0, 0, 3, 100, 2)
    assert 0.9 < float(actual_cost(1.0, ratio)) < 1.1


@given(st.floats(0, 99), st.floats(0, 4), st.floats(1, 12), st.floats(1, 100), st.floats(2, 7))
def test_what_is_less_known_costs_more(
    new: float, dirt: float, blocks: float, inclusive: float, definition: float
) -> None:
    base = float(estimate_over_actual(LIBRARY, new, dirt, blocks, inclusive, definition))
    for worse in (
        (new + 1, dirt, blocks, inclusive, definition),
        (new, dirt + 1, blocks, inclusive, definition),
        (new, dirt, blocks + 1, inclusive, definition),
        (new, dirt, blocks, inclusive - 1, definition),
        (new, dirt, blocks, inclusive, definition + 1),
    ):
        assert float(estimate_over_actual(LIBRARY, *worse)) < base


def test_poor_definition_weighs_less_after_development() -> None:
    early = estimate_over_actual(LIBRARY, 40, 4, 6, 33, 5)
    late = estimate_over_actual(LIBRARY, 40, 4, 6, 33, 5, in_development=False)
    assert float(late) > float(early)


def test_a_ratio_that_says_nothing_gives_no_cost() -> None:
    ratio = estimate_over_actual(LIBRARY, 100, 5, [4, 60], 0, 8)
    cost = actual_cost(10.0, ratio)
    assert cost[0] > 10
    assert ratio[1] < 0
    assert np.isnan(cost[1])


def test_performance_by_hand() -> None:
    # 85.77 - 2 x 9.69 + 50 x 0.33 - 2 x 4.12 - 17.91
    assert float(performance_in_months_7_to_12(LIBRARY, 2, 50, 2, 1)) == pytest.approx(56.74, rel=1e-12)


def test_every_new_step_costs_the_same_output() -> None:
    found = performance_in_months_7_to_12(LIBRARY, np.arange(5), 50, 0, 0)
    assert np.diff(found) == pytest.approx([np.diff(found)[0]] * 4)
    assert np.all(np.diff(found) < 0)


@pytest.mark.parametrize(
    "variables",
    [(101, 0, 3, 50, 3), (-1, 0, 3, 50, 3), (10, 6, 3, 50, 3), (10, 0, 3, 50, 9), (np.nan, 0, 3, 50, 3)],
)
def test_a_variable_outside_its_range_is_refused(variables: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="must lie from"):
        estimate_over_actual(LIBRARY, *variables)


def test_an_unknown_equation_is_refused() -> None:
    with pytest.raises(KeyError, match="schedule"):
        pioneer_terms(LIBRARY, "schedule")


def test_the_pioneer_coefficients_wear_their_confidence() -> None:
    assert set(LIBRARY.tables["pioneer_coefficients"]["confidence"]) == {"recalled"}


# ---------------------------------------------------------------- learning


@given(COST, RATE, st.floats(0.1, 1e4))
def test_each_doubling_takes_the_learning_rate(first: float, rate: float, unit: float) -> None:
    here, doubled = learning_curve(first, rate, unit), learning_curve(first, rate, 2 * unit)
    assert float(doubled) == pytest.approx(float(here) * (1 - rate), rel=1e-9)


@given(COST, st.floats(0.001, 0.5), st.lists(st.floats(0.5, 1e4), min_size=2, max_size=6, unique=True))
def test_learning_only_lowers_cost(first: float, rate: float, units: list[float]) -> None:
    found = learning_curve(first, rate, sorted(units))
    assert np.all(np.diff(found) <= 0)


@given(COST, st.floats(0.01, 0.4), st.floats(0.01, 0.1), st.floats(1.5, 1e3))
def test_faster_learning_costs_less(first: float, rate: float, more: float, unit: float) -> None:
    assert float(learning_curve(first, rate + more, unit)) < float(learning_curve(first, rate, unit))


def test_the_first_unit_costs_the_first_cost_and_no_learning_keeps_it() -> None:
    assert learning_curve([10.0, 20.0], 0.15, 1).tolist() == [10.0, 20.0]
    assert learning_curve(10.0, 0.0, [1, 5, 50]).tolist() == [10.0] * 3
    assert float(learning_exponent(0.5)) == 1.0
    assert np.copysign(1.0, float(learning_exponent(0.0))) == 1.0


@pytest.mark.parametrize("rate", [1.0, 1.5, -0.1, float("nan")])
def test_a_learning_rate_lies_below_one(rate: float) -> None:
    with pytest.raises(ValueError, match="learning rate"):
        learning_exponent(rate)


@pytest.mark.parametrize("unit", [0.0, -2.0, float("nan")])
def test_a_unit_is_counted_from_above_zero(unit: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        learning_curve(100.0, 0.1, unit)
    with pytest.raises(ValueError, match="above 0"):
        hybrid_cost([100.0], [0.1], [unit], [5.0])


@given(COST, RATE, st.floats(1, 500))
def test_one_component_is_the_pure_curve(cost: float, rate: float, unit: float) -> None:
    hybrid = float(hybrid_cost([cost], [rate], [1.0], [unit]))
    assert hybrid == pytest.approx(float(learning_curve(cost, rate, unit)), rel=1e-12)


def test_the_hybrid_by_hand() -> None:
    # 100 halves once (LR 0.5, one doubling); 60 doubles twice at LR 0.1
    assert float(hybrid_cost([100, 60], [0.5, 0.1], [1, 10], [2, 40])) == pytest.approx(50 + 60 * 0.81)


@given(st.lists(st.tuples(COST, RATE, st.floats(1, 50), st.floats(1, 20)), min_size=1, max_size=5))
def test_the_hybrid_is_the_sum_of_its_parts(parts: list[tuple[float, float, float, float]]) -> None:
    cost, rate, start, growth = (np.array(one) for one in zip(*parts, strict=True))
    alone = sum(float(hybrid_cost([c], [r], [s], [s * g])) for c, r, s, g in parts)
    together = float(hybrid_cost(cost, rate, start, start * growth))
    assert together == pytest.approx(alone, rel=1e-9)
    assert together <= cost.sum() * (1 + 1e-12)


def test_what_is_in_wide_use_hardly_learns() -> None:
    new = 1 - float(hybrid_cost([1.0], [0.15], [1], [20]))
    used = 1 - float(hybrid_cost([1.0], [0.15], [1000], [1019]))
    assert used < 0.02 < new


# ---------------------------------------------------------------- one cause counted once


LEARNER = Component(
    "reactor", 100.0, learning_rate=0.2, first_unit=1, unit=2, contingency=0.3, later_contingency=0.1
)


def test_learning_and_removed_contingency_of_one_cause_are_refused() -> None:
    faults = FaultList()
    check_counted_once([LEARNER, replace(LEARNER, name="mill")], faults, "case.yaml")
    assert [(fault.file, fault.column) for fault in faults.faults] == [
        ("case.yaml", "reactor"),
        ("case.yaml", "mill"),
    ]
    assert "twice for one cause" in faults.faults[0].what
    with pytest.raises(InputError, match="2 faults"):
        later_plant_cost([LEARNER, replace(LEARNER, name="mill")])


@pytest.mark.parametrize(
    ("changes", "cost"),
    [
        ({"later_contingency": None}, 100 * 1.3 * 0.8),
        ({"later_contingency": 0.3}, 100 * 1.3 * 0.8),
        ({"learning_rate": 0.0}, 100 * 1.1),
        ({"unit": 1.0}, 100 * 1.1),
        ({"contingency_cause": "engineering finished"}, 100 * 1.1 * 0.8),
    ],
)
def test_one_of_the_two_or_two_causes_are_taken(changes: dict[str, object], cost: float) -> None:
    assert later_plant_cost([replace(LEARNER, **changes)]) == pytest.approx(cost, rel=1e-12)  # type: ignore[arg-type]


def test_range_rows_hold_their_values() -> None:
    table = LIBRARY.tables["capital_factors"].astype({"low": float, "high": float})
    known = table[table["low"].notna() & table["high"].notna()]
    assert ((known["low"] <= known["value"]) & (known["value"] <= known["high"])).all()
    assert pd.api.types.is_float_dtype(table["value"])


# ---------------------------------------------------------------- what the docs and rows say


@pytest.fixture(scope="module")
def page() -> str:
    path = Path(__file__).resolve().parents[2] / "docs" / "models" / "capital.md"
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_the_docs_show_the_class_as_the_library_has_it(page: str, number: int) -> None:
    one = estimate_class(LIBRARY, number)
    row = LIBRARY.tables["estimate_classes"].set_index("estimate_class").loc[number]
    defined = f"{row['defined_low'] * 100:.0f} to {row['defined_high'] * 100:.0f} %"
    outcome = f"{one.low_outer * 100:.0f} to +{one.high_outer * 100:.0f} %"
    assert f"| {number} | {defined} | {outcome} | {'yes' if one.enough_for_fid else 'no'} |" in page


def test_the_docs_show_the_coefficients_that_the_library_has(page: str) -> None:
    for equation in ("cost_growth", "plant_performance"):
        for term in pioneer_terms(LIBRARY, equation).values():
            assert f"{abs(term.coefficient):g}" in page


def test_the_worked_example_of_the_docs(page: str) -> None:
    assert "give `EPCC` 110 and `TPC`\n(110 + 20) x 1.2 = 156" in page
    found = roll_up(100, 0.1, 0.2, 0.2)
    assert (float(found.engineered), float(found.total_plant)) == pytest.approx((110, 156))


def test_multipliers_follow_the_library() -> None:
    table = LIBRARY.tables["capital_factors"]
    none = replace(
        LIBRARY,
        tables={**LIBRARY.tables, "capital_factors": table[table["factor"] != "as_spent_multiplier"]},
    )
    with pytest.raises(ValueError, match="no row as_spent_multiplier"):
        as_spent_multiplier(none, 3)


# ---------------------------------------------------------------- many draws at once


def test_draws_side_by_side_equal_draws_alone() -> None:
    new = np.linspace(0, 80, 5)
    blocks = np.array([[2.0], [6.0], [10.0]])
    together = estimate_over_actual(LIBRARY, new, 2, blocks, 50, 4)
    assert together.shape == (3, 5)
    assert together[2, 3] == float(estimate_over_actual(LIBRARY, new[3], 2, 10.0, 50, 4))
    cost = actual_cost(np.full(5, 10.0), together)
    assert cost.shape == (3, 5)
    assert np.all(np.diff(cost, axis=1) > 0)


def test_hybrid_costs_of_many_draws() -> None:
    costs = np.array([[100.0, 60.0], [200.0, 30.0], [50.0, 50.0]])
    found = hybrid_cost(costs, [0.2, 0.05], [1, 50], [20, 69])
    assert found.shape == (3,)
    alone = [float(hybrid_cost(row, [0.2, 0.05], [1, 50], [20, 69])) for row in costs]
    assert found == pytest.approx(alone, rel=1e-14)
    units = hybrid_cost(costs[0], [0.2, 0.05], [1, 50], np.array([[2, 51], [8, 57], [32, 81]]))
    assert np.all(np.diff(units) < 0)


@given(COST, SHARE, SHARE, SHARE, st.floats(0.001, 1e6))
def test_the_unit_of_money_does_not_matter(
    bare: float, fee: float, process: float, project: float, scale: float
) -> None:
    one = float(roll_up(bare, fee, process, project).total_plant)
    other = float(roll_up(bare * scale, fee, process, project).total_plant)
    assert other == pytest.approx(one * scale, rel=1e-9)


def test_nothing_added_is_the_bare_cost() -> None:
    found = roll_up([5.0, 7.0], 0, 0, 0)
    assert found.total_plant.tolist() == found.engineered.tolist() == [5.0, 7.0]


def test_later_plants_without_growth_cost_what_the_first_did() -> None:
    plant = [Component("old", 80.0, 0.1, 40, 40, 0.1), Component("new", 20.0, 0.2, 1, 1, 0.5)]
    assert later_plant_cost(plant) == pytest.approx(80 * 1.1 + 20 * 1.5)
