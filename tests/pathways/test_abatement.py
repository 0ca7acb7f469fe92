"""Abatement: the frozen path, hand-computed measures, and sums that close."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import Cap, Fleet, Market, Plant, Tech, build_problem

from cleanhub.finance.annuity import capital_recovery_factor
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import load_scenario
from cleanhub.pathways.abatement import (
    abatement_cost_table,
    frozen_problem,
    measures,
    shown_years,
    swap,
)
from cleanhub.pathways.engine import walk
from cleanhub.pathways.problem import Path, Problem

RECOVERY = float(capital_recovery_factor(0.08, 20))


def covered(path: Path) -> np.ndarray:
    """Tonnes of plants and vehicles whose technology is in the library, (T,)."""
    total = path.emissions.sum(axis=0)
    for cls in path.vehicles:
        total = (
            total + (cls.distance * path.problem.tech.direct[cls.options][:, None]).sum(axis=0) * cls.scale
        )
    return np.asarray(total)


def all_measures(problem: Problem, t: int = -1) -> tuple[dict[str, Any], float]:
    """Measures by technology (empty: more or less is made), and the difference of the two paths."""
    path, frozen = walk(problem), walk(frozen_problem(problem))
    at = t if t >= 0 else len(problem.years) + t
    found = measures(path, frozen, at)
    names = {
        one.technology: str(problem.tech.names[one.technology]) if one.technology >= 0 else ""
        for one in found
    }
    return {names[one.technology]: one for one in found}, float((covered(frozen) - covered(path))[at])


# ---------------------------------------------------------------- matching gains with losses


def row(*values: float) -> np.ndarray:
    return np.array([values], dtype=float)


def test_a_gain_cuts_what_it_replaces_less_its_own() -> None:
    one = swap(row(4.0, 6.0), row(10.0, 0.0), row(8.0, 3.0), row(20.0, 0.0))
    assert one.loss.tolist() == [[6.0, 0.0]]
    assert one.gain.tolist() == [[0.0, 6.0]]
    assert one.tonnes[0, 1] == pytest.approx(6.0 * 2.0 - 3.0)
    assert one.rest[0] == pytest.approx(0.0)


def test_two_losers_are_replaced_at_their_mean() -> None:
    one = swap(row(0.0, 0.0, 10.0), row(6.0, 4.0, 0.0), row(0.0, 0.0, 0.0), row(12.0, 4.0, 0.0))
    assert one.tonnes[0, 2] == pytest.approx(16.0)


def test_less_made_is_a_line_of_its_own() -> None:
    one = swap(row(0.0, 6.0), row(10.0, 0.0), row(0.0, 3.0), row(20.0, 0.0))
    assert one.tonnes[0, 1] == pytest.approx(6 * 2.0 - 3.0)
    assert one.rest[0] == pytest.approx(4 * 2.0)


def test_more_made_without_a_loser_is_measured_against_the_usual_mix() -> None:
    one = swap(row(10.0, 5.0), row(10.0, 0.0), row(20.0, 1.0), row(20.0, 0.0))
    assert one.tonnes[0, 1] == pytest.approx(5 * 2.0 - 1.0)
    assert one.rest[0] == pytest.approx(-10.0)


def test_nothing_made_at_all() -> None:
    one = swap(row(0.0, 0.0), row(0.0, 0.0), row(0.0, 0.0), row(0.0, 0.0))
    assert not one.tonnes.any()
    assert not one.rest.any()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 100), min_size=16, max_size=16))
def test_gains_and_rest_sum_to_the_difference(values: list[float]) -> None:
    made, before = (np.array(values[i : i + 4]).reshape(1, 4) for i in (0, 4))
    tonnes, tonnes_before = made * np.array(values[8:12]) / 50, before * np.array(values[12:]) / 50
    one = swap(made, before, tonnes, tonnes_before)
    difference = float(tonnes_before.sum() - tonnes.sum())
    assert one.tonnes.sum() + one.rest.sum() == pytest.approx(
        difference, abs=1e-9 * (1 + tonnes_before.sum())
    )


# ---------------------------------------------------------------- plants by hand


OLD = Tech("old", capex=200.0, variable=50.0, direct=2.0, cycle=100)
CLEAN = Tech("clean", capex=300.0, variable=55.0, direct=0.5, cycle=100)


def two_plants(**changes: Any) -> Problem:
    given_ = {"carbon_price": 100.0, **changes}
    return build_problem(
        [OLD, CLEAN],
        [Plant("old", 4.0, last_investment=1930), Plant("old", 1.0, last_investment=1800)],
        switches={("old", "clean"): "rebuild"},
        **given_,
    )


def test_a_measure_by_hand() -> None:
    """Plant 1 falls due in 2030 and changes: 4 x 1.5 t are cut at (5 + 100 r) / 1.5 per t."""
    found, difference = all_measures(two_plants())
    (one,) = found.values()
    assert one.tonnes == pytest.approx(6.0) == difference
    assert one.usd / one.tonnes == pytest.approx((5.0 + 100.0 * RECOVERY) / 1.5)
    assert one.usd_with_policy / one.tonnes == pytest.approx((5.0 + 100.0 * RECOVERY) / 1.5 - 100.0)


def test_credits_are_in_the_view_with_policy_alone() -> None:
    plain, _ = all_measures(two_plants())
    problem = build_problem(
        [OLD, replace(CLEAN, credits=7.0)],
        [Plant("old", 4.0, last_investment=1930)],
        switches={("old", "clean"): "rebuild"},
        carbon_price=100.0,
    )
    credited, _ = all_measures(problem)
    assert credited["clean"].usd == pytest.approx(plain["clean"].usd)
    assert credited["clean"].usd_with_policy == pytest.approx(plain["clean"].usd_with_policy - 4 * 7.0)


def test_a_cheaper_technology_costs_less_than_nothing() -> None:
    problem = build_problem(
        [OLD, replace(CLEAN, capex=200.0, variable=20.0)],
        [Plant("old", 4.0, last_investment=1930)],
        switches={("old", "clean"): "rebuild"},
    )
    found, _ = all_measures(problem)
    assert found["clean"].usd / found["clean"].tonnes == pytest.approx(-20.0)


def test_cost_is_that_of_the_year_of_the_decision() -> None:
    """The clean option gets dearer after the change; what was decided stays as it was."""
    years = 16
    dearer = np.where(np.arange(years) <= 5, 30.0, 500.0)
    problem = build_problem(
        [OLD, replace(CLEAN, variable=0.0, inputs={"power": 1.0})],
        [Plant("old", 4.0, last_investment=1930)],
        switches={("old", "clean"): "rebuild"},
        prices={"power": dearer},
        horizon=1,
        carbon_price=1000.0,
    )
    found, _ = all_measures(problem)
    at = 2030 - 2025
    paid = problem.costs.running[0, 1, at] - 0.5 * 1000.0
    expected = (paid - 50.0 + 100.0 * RECOVERY) / 1.5
    assert found["clean"].usd / found["clean"].tonnes == pytest.approx(expected)


def test_nothing_changes_nothing_is_cut() -> None:
    found, difference = all_measures(two_plants(carbon_price=0.0))
    assert found == {}
    assert difference == 0.0


def test_tonnes_of_a_committed_project_are_not_counted_twice() -> None:
    problem = build_problem(
        [OLD, CLEAN],
        [Plant("old", 4.0, last_investment=1930, committed_t=3.0)],
        switches={("old", "clean"): "rebuild"},
        carbon_price=100.0,
    )
    found, difference = all_measures(problem)
    assert found["clean"].tonnes == pytest.approx(6.0 - 3.0) == difference


# ---------------------------------------------------------------- markets


def market(**changes: Any) -> Problem:
    given_ = {"carbon_price": 100.0, **changes}
    return build_problem(
        [OLD, CLEAN],
        [Plant("old", 4.0, last_investment=1900)],
        markets=[Market(demand=np.linspace(4.0, 12.0, 16), offered=["old", "clean"], plant_capacity=1.0)],
        **given_,
    )


def test_new_plants_are_measured_against_new_plants_of_the_incumbent() -> None:
    found, difference = all_measures(market())
    assert found["clean"].tonnes == pytest.approx(8.0 * 1.5) == difference
    assert found["clean"].usd / found["clean"].tonnes == pytest.approx((5.0 + 100.0 * RECOVERY) / 1.5)


def test_load_raises_what_capital_costs_per_tonne() -> None:
    demand = np.linspace(4.0, 12.0, 16)
    problem = build_problem(
        [OLD, CLEAN],
        [Plant("old", 8.0, last_investment=1900)],
        markets=[Market(demand=demand, offered=["old", "clean"], plant_capacity=1.0, high=0.5)],
        carbon_price=100.0,
    )
    found, _ = all_measures(problem)
    assert found["clean"].usd / found["clean"].tonnes == pytest.approx((5.0 + 100.0 * RECOVERY / 0.5) / 1.5)


def test_unmet_demand_is_no_measure() -> None:
    """A cap on what is made leaves demand unmet: those tonnes stand without technology and cost."""
    problem = market(limits=[Cap("most", "production", 6.0)])
    found, difference = all_measures(problem)
    assert found["clean"].tonnes + found[""].tonnes == pytest.approx(difference)
    assert found[""].tonnes == pytest.approx(6.0 * 2.0)
    assert np.isnan(found[""].usd)


def test_the_frozen_path_neither_changes_nor_chooses() -> None:
    problem = market(limits=[Cap("most", "production", 6.0)])
    frozen = walk(frozen_problem(problem))
    assert set(frozen.run[frozen.run >= 0]) == {0}
    assert frozen.unmet.max() <= 1e-9
    np.testing.assert_allclose(frozen.production.sum(axis=0), problem.markets.demand[0])
    assert problem.limits
    assert problem.markets.offered.sum() == 2  # the problem itself is as it was


def test_a_market_without_plants_is_frozen_with_what_it_may_build() -> None:
    problem = build_problem([OLD, CLEAN], markets=[Market(demand=1.0, offered=["old", "clean"])])
    assert frozen_problem(problem).markets.offered.sum() == 2


# ---------------------------------------------------------------- vehicles


def fleet(**changes: Any) -> Problem:
    options = [
        Tech("diesel", capex=100.0, lifetime=10, vehicle=True, direct=1.0, variable=10.0),
        Tech("battery", capex=130.0, lifetime=10, vehicle=True, variable=2.0, vehicle_credit=20.0),
    ]
    return build_problem(
        options, fleets=[Fleet(("diesel", "battery"), 10.0, scale=0.5)], vehicle_spread=0.0, **changes
    )


def test_trucks_by_hand() -> None:
    recovery = float(capital_recovery_factor(0.08, 10))
    found, difference = all_measures(fleet(carbon_price=3.0))
    one = found["battery"]
    assert one.tonnes == pytest.approx(10.0 * 0.5) == difference  # all are replaced within ten years
    assert one.usd == pytest.approx(10.0 * (2.0 - 10.0 + 30.0 * recovery))
    assert one.usd_with_policy == pytest.approx(10.0 * (2.0 - 13.0 + 10.0 * recovery))


def test_no_vehicle_is_chosen_freely_on_the_frozen_path() -> None:
    frozen = walk(frozen_problem(fleet()))
    assert frozen.vehicles[0].distance[1].sum() == 0.0


def test_a_mandate_does_not_move_the_frozen_path() -> None:
    options = [Tech("diesel", vehicle=True, direct=1.0), Tech("battery", vehicle=True, variable=9.0)]
    problem = build_problem(options, fleets=[Fleet(("diesel", "battery"), 10.0, sales_floor=1.0)])
    found, difference = all_measures(problem)
    assert found["battery"].tonnes == pytest.approx(difference)
    assert difference > 0


# ---------------------------------------------------------------- California and small hubs


def test_measures_sum_to_the_difference_of_the_two_paths(each: Any) -> None:
    path = each.path
    table = abatement_cost_table(path)
    frozen = walk(frozen_problem(path.problem))
    gap = covered(frozen) - covered(path.walked)
    assert len(table)
    for year, rows in table.groupby("year"):
        at = int(year) - int(path.years[0])
        assert rows["co2e_t"].sum() == pytest.approx(gap[at], rel=1e-9, abs=1e-2)


def test_cumulative_tonnes_follow_the_order_of_cost(run: Callable[[str], Any]) -> None:
    table = abatement_cost_table(run("net-zero-2045").path)
    for _, rows in table.groupby("year"):
        costed = rows[rows["usd_per_t"].notna()].sort_values(["usd_per_t", "measure"])
        np.testing.assert_allclose(costed["cumulative_t"], costed["co2e_t"].cumsum())
        assert (costed["co2e_t"] > 0).all()
    assert table.loc[table["technology"] == "", "usd_per_t"].isna().all()
    assert (table.loc[table["usd_per_t"].isna(), "note"] != "").all()


def test_the_years_shown_are_the_targets_2050_and_the_last(
    run: Callable[[str], Any], california: Hub
) -> None:
    path = run("net-zero-2045").path
    shown = shown_years(path)
    assert 2045 in shown
    assert shown[-1] == int(path.years[-1])
    bare = replace(
        path,
        hub=replace(california, tables={**california.tables, "targets": california.tables["targets"][:0]}),
    )
    assert shown_years(bare) == sorted({2050, int(path.years[-1])})


def test_a_hub_without_assets_has_an_empty_table(tiny: Callable[..., Hub], run_of: Any) -> None:
    hub = tiny({"facilities": [], "facility_emissions": []})
    assert abatement_cost_table(run_of(hub, load_scenario("baseline", hub)).path).empty
