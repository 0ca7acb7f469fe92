"""Chargers bound purchases and set the price at the plug; without them the path is its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from problems import Fleet, Tech, build_problem

from cleanhub.finance.annuity import levelised_prices
from cleanhub.pathways.charging import Charging, charged_options, with_charging
from cleanhub.pathways.engine import walk
from cleanhub.pathways.optimal import cost_of, solve_optimal
from cleanhub.pathways.problem import Path, Problem

DIESEL = Tech("diesel", capex=10, variable=3.0, vehicle=True, direct=0.5)
BATTERY = Tech("battery", capex=10, variable=0.5, vehicle=True, inputs={"electricity": 1.0})
HYDROGEN = Tech("hydrogen", capex=10, variable=2.0, vehicle=True, inputs={"gas": 1.0})
YEARS = 26


def fleet(*options: Tech, **more: object) -> Problem:
    """One class whose demand rises from 20 to 30; battery is by far the cheapest."""
    names = [one.name for one in options]
    return build_problem(
        options=options,
        fleets=[Fleet(names, demand=np.linspace(20, 30, YEARS), life=8, **more)],
        prices={"electricity": 1.0, "gas": 1.0},
        last=2050,
        first_purchase=2028,
    )


def charging(most: object, price: object = np.nan, **more: object) -> Charging:
    both = [np.array(np.broadcast_to(np.asarray(one, dtype=float), (YEARS,))) for one in (most, price)]
    return Charging("trucks", "electricity", *both, **more)  # type: ignore[arg-type]


def driven(path: Path, option: int = 1) -> np.ndarray:
    return path.vehicles[0].distance[option]


def test_only_options_that_use_the_carrier_need_a_charger() -> None:
    problem = fleet(DIESEL, BATTERY, HYDROGEN)
    assert charged_options(problem, problem.vehicles[0], "electricity").tolist() == [False, True, False]
    assert not charged_options(problem, problem.vehicles[0], "steam").any()


def test_without_bound_and_price_the_path_is_its_own() -> None:
    problem = fleet(DIESEL, BATTERY)
    free, lifted = walk(problem), walk(with_charging(problem, [charging(np.inf)]))
    np.testing.assert_array_equal(free.vehicles[0].distance, lifted.vehicles[0].distance)
    np.testing.assert_array_equal(free.vehicles[0].tco, lifted.vehicles[0].tco)
    assert driven(free)[-1] > 20


@pytest.mark.parametrize("floor", [0.0, 0.6])
def test_without_any_charger_no_battery_truck_is_bought(floor: float) -> None:
    problem = with_charging(fleet(DIESEL, BATTERY, sales_floor=floor), [charging(0.0)])
    path = walk(problem)
    assert path.vehicles[0].bought[1].max() == 0.0
    np.testing.assert_allclose(driven(path, 0), np.linspace(20, 30, YEARS))


def test_what_can_be_charged_is_driven_and_no_more() -> None:
    most = np.linspace(0, 12, YEARS)
    problem = with_charging(fleet(DIESEL, BATTERY), [charging(most)])
    path = walk(problem)
    assert (driven(path) <= most + 1e-9).all()
    assert driven(path)[10:] == pytest.approx(most[10:])
    q = [limit.name for limit in problem.limits].index("charging_trucks")
    np.testing.assert_allclose(path.used[q], driven(path), atol=1e-9)


def test_a_bound_that_falls_scraps_no_truck() -> None:
    most = np.where(np.arange(YEARS) < 10, 12.0, 0.0)
    path = walk(with_charging(fleet(DIESEL, BATTERY), [charging(most)]))
    assert path.vehicles[0].bought[1][10:].max() == 0.0
    assert 0 < driven(path)[12] < driven(path)[9]


def test_hydrogen_fills_what_chargers_leave() -> None:
    problem = fleet(DIESEL, BATTERY, HYDROGEN, sales_floor=1.0)
    path = walk(with_charging(problem, [charging(4.0)]))
    assert driven(path, 1)[-1] == pytest.approx(4.0)
    assert driven(path, 2)[-1] == pytest.approx(26.0)


def test_where_nothing_else_is_sold_purchases_stop_with_the_chargers() -> None:
    problem = fleet(BATTERY)
    path = walk(with_charging(problem, [charging(15.0)]))
    assert path.vehicles[0].distance[0, -1] == pytest.approx(15.0, rel=0.02)


def test_the_price_at_the_plug_takes_the_place_of_the_drivers_and_of_chargers_counted_before() -> None:
    problem = fleet(DIESEL, BATTERY)
    priced = with_charging(problem, [charging(np.inf, 1.75, counted={"battery": 0.25})])
    before, after = walk(problem), walk(priced)
    np.testing.assert_allclose(after.vehicles[0].tco[1] - before.vehicles[0].tco[1], 0.5)
    np.testing.assert_array_equal(after.vehicles[0].tco[0], before.vehicles[0].tco[0])


def test_a_price_that_falls_is_weighed_over_the_life_of_the_truck() -> None:
    problem = fleet(DIESEL, BATTERY)
    price = np.linspace(3.0, 1.0, YEARS)
    path = walk(with_charging(problem, [charging(np.inf, price)]))
    life = problem.tech.lifetime[problem.vehicles[0].options[1:]].astype(np.int64)
    ahead = levelised_prices(price - 1.0, problem.rule.discount_rate, life)[0]
    added = path.vehicles[0].tco[1] - walk(problem).vehicles[0].tco[1]
    np.testing.assert_allclose(added, ahead)


def test_the_optimum_keeps_the_bound_and_pays_the_price() -> None:
    problem = with_charging(fleet(DIESEL, BATTERY), [charging(5.0, 1.2)])
    best, walked = solve_optimal(problem), walk(problem)
    assert driven(best.path).max() == pytest.approx(5.0, rel=1e-6)
    assert best.objective <= cost_of(problem, walked).total * (1 + 1e-9)
    dearer = with_charging(fleet(DIESEL, BATTERY), [charging(5.0, 1.4)])
    paid = (driven(best.path) * 0.2 * 1.08 ** -np.arange(YEARS)).sum()
    assert solve_optimal(dearer).objective - best.objective == pytest.approx(paid, rel=1e-3)


def test_an_unknown_class_is_refused() -> None:
    with pytest.raises(KeyError):
        with_charging(fleet(DIESEL, BATTERY), [replace(charging(1.0), asset_id="ships")])
