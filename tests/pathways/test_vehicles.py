"""Vehicle stocks: nothing appears or vanishes, demand is met, buyers follow the rule."""

from __future__ import annotations

import csv
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.finance.technologies import Technologies, build_technologies
from cleanhub.finance.technology_costs import unit_costs
from cleanhub.hub.inventory import read_history
from cleanhub.hub.package import BUNDLED, Hub
from cleanhub.hub.scenario import Scenario, load_scenario
from cleanhub.hub.series import Drivers
from cleanhub.pathways.assemble import rule_of, switch_kinds
from cleanhub.pathways.vehicles import VehicleClass, build_vehicles, step_vehicles

YEARS = np.arange(2022, 2051)


@pytest.fixture(scope="module")
def fleet(california: Hub) -> Callable[..., tuple[list[VehicleClass], Technologies, Scenario]]:
    """Classes of California as they stand before the first year; fresh ones for every caller."""

    @cache
    def built(name: str) -> Any:
        scenario = load_scenario(name, california)
        return *_build(california, scenario), scenario

    def build(name: str = "baseline", hub: Hub = california, **decision: Any) -> Any:
        classes, tech, scenario = built(name)
        if hub is not california:
            classes, tech = _build(hub, scenario)
        chosen = scenario.model_copy(update={"decision": scenario.decision.model_copy(update=decision)})
        return deepcopy(classes), tech, chosen

    return build


def _build(hub: Hub, scenario: Scenario) -> tuple[list[VehicleClass], Technologies]:
    tech = build_technologies(hub.library, scenario)
    drivers = Drivers(hub, scenario, YEARS)
    costs = unit_costs(tech, drivers, scenario.decision.lead_time)
    kinds = switch_kinds(hub.library, tech)
    return build_vehicles(hub, scenario, tech, [costs], drivers, kinds > 0, read_history(hub)), tech


def but(cls: VehicleClass, **changes: Any) -> VehicleClass:
    """A class of its own with some fields otherwise."""
    return replace(deepcopy(cls), **changes)


def walk(cls: VehicleClass, tech: Technologies, scenario: Scenario, until: int = 2050) -> list[np.ndarray]:
    """Move a class year by year; the stock of each year, as it stood."""
    stocks = []
    for t, year in enumerate(YEARS):
        if year <= until:
            step_vehicles(cls, t, int(year), 2022, scenario.as_of.year, rule_of(scenario), tech)
            stocks.append(cls.stock.copy())
    return stocks


def shares(cls: VehicleClass, year: int) -> np.ndarray:
    bought = cls.bought[:, year - 2022]
    assert bought.sum() > 0
    return bought / bought.sum()


# ---------------------------------------------------------------- the stock


def test_a_class_starts_as_counted_and_driven(fleet: Callable[..., Any], california: Hub) -> None:
    classes, *_ = fleet()
    rows = california.tables["cohorts"].set_index("asset_id")
    assert {cls.asset_id for cls in classes} == set(rows.index[rows["vehicles"].notna()])
    for cls in classes:
        row = rows.loc[cls.asset_id]
        assert cls.stock.sum() == pytest.approx(row["vehicles"])
        assert (cls.stock * cls.mileage).sum() == pytest.approx(row["activity"])
        assert not cls.stock[1:].any(), "all of the incumbent"


def test_half_have_left_at_the_median_age(fleet: Callable[..., Any], california: Hub) -> None:
    rows = california.tables["cohorts"].set_index("asset_id")
    for cls in fleet()[0]:
        median = int(rows.loc[cls.asset_id, "survival_median"])
        assert np.prod(cls.keep[:median]) == pytest.approx(0.5)
        assert (np.diff(cls.keep) <= 0).all(), "the older, the likelier to leave"
        decline = rows.loc[cls.asset_id, "mileage_decline"]
        np.testing.assert_allclose(cls.mileage[1:] / cls.mileage[:-1], 1 - decline)


@pytest.mark.parametrize("scenario", ["baseline", "net-zero-2045"])
def test_next_years_stock_is_the_survivors_and_the_bought(fleet: Callable[..., Any], scenario: str) -> None:
    classes, tech, chosen = fleet(scenario)
    for cls in classes:
        before = cls.stock.copy()
        for t, stock in enumerate(walk(cls, tech, chosen)):
            wanted = before
            if t > 0:
                wanted = np.zeros_like(stock)
                for age in range(1, stock.shape[1]):
                    wanted[:, age] = before[:, age - 1] * cls.keep[age - 1]
                wanted[:, 0] = cls.bought[:, t]
            np.testing.assert_allclose(stock, wanted)
            np.testing.assert_allclose(cls.vehicles[:, t], stock.sum(axis=1))
            assert (stock >= 0).all()
            before = stock


@pytest.mark.parametrize("scenario", ["baseline", "net-zero-2045", "fastest-abatement"])
def test_demand_is_met_in_every_year(fleet: Callable[..., Any], scenario: str) -> None:
    classes, tech, chosen = fleet(scenario)
    for cls in classes:
        walk(cls, tech, chosen)
        np.testing.assert_allclose(cls.distance.sum(axis=0), cls.demand, rtol=1e-9)


def test_no_more_is_bought_than_is_missing(fleet: Callable[..., Any]) -> None:
    classes, tech, chosen = fleet()
    for cls in classes:
        stocks = walk(cls, tech, chosen)
        for t in range(1, len(YEARS)):
            survivors = (stocks[t - 1] * cls.keep)[:, :-1]
            missing = max(cls.demand[t] - (survivors * cls.mileage[1:]).sum(), 0.0)
            assert cls.bought[:, t].sum() * cls.mileage[0] == pytest.approx(missing, abs=1e-3)


def test_where_demand_falls_away_trucks_stand_still_and_none_are_bought(fleet: Callable[..., Any]) -> None:
    classes, tech, chosen = fleet()
    cls = but(classes[0], demand=np.where(YEARS < 2030, classes[0].demand, classes[0].demand * 0.3))
    walk(cls, tech, chosen)
    assert cls.bought[:, 2030 - 2022].sum() == 0
    np.testing.assert_allclose(cls.distance.sum(axis=0), cls.demand)


def test_base_year_tonnes_are_the_share_of_the_published_inventory(
    fleet: Callable[..., Any], california: Hub
) -> None:
    with (BUNDLED / "california" / "inventory.csv").open(encoding="utf-8") as handle:
        published = sum(
            float(row["co2e_t"])
            for row in csv.DictReader(handle)
            if row["year"] == "2022"
            and row["category"] == "Heavy-duty trucks"
            and row["boundary"] == "included"
        )
    assert published > 20e6
    classes, tech, chosen = fleet()
    share = california.tables["cohorts"].set_index("asset_id")["category_share"]
    for cls in classes:
        walk(cls, tech, chosen, until=2022)
        tonnes = (cls.distance[:, 0] * tech.direct[cls.options]).sum() * cls.scale
        assert tonnes == pytest.approx(published * share[cls.asset_id], rel=1e-9)


def test_activity_in_kilometres_is_the_same_class(fleet: Callable[..., Any], california: Hub) -> None:
    table = california.tables["cohorts"].copy()
    table["activity"] *= 1.609344
    table["activity_unit"] = table["activity_unit"].replace("mi/yr", "km/yr")
    metric = replace(california, tables={**california.tables, "cohorts": table})
    for one, other in zip(fleet()[0], fleet(hub=metric)[0], strict=True):
        for name in ("stock", "mileage", "demand", "tco", "scale"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, err_msg=name)


# ---------------------------------------------------------------- the buyers


@pytest.mark.parametrize("scenario", ["baseline", "net-zero-2045", "fastest-abatement"])
def test_before_the_plan_was_made_only_the_incumbent_was_bought(
    fleet: Callable[..., Any], scenario: str
) -> None:
    classes, tech, chosen = fleet(scenario)
    for cls in classes:
        walk(cls, tech, chosen)
        past = chosen.as_of.year > YEARS
        assert cls.bought[0, past].sum() > 0
        assert not cls.bought[1:, past].any()
        assert cls.bought[1:, ~past].any()
        assert not cls.zero_share[past].any()


@settings(max_examples=40, deadline=None)
@given(
    tco=st.lists(st.floats(0.5, 5), min_size=3, max_size=3),
    floor=st.floats(0, 1),
    spread=st.one_of(st.just(0.0), st.floats(0.001, 1.0)),
)
def test_the_enforced_share_holds_and_leaves_the_order_within_alone(
    fleet: Callable[..., Any], tco: list[float], floor: float, spread: float
) -> None:
    classes, tech, chosen = fleet(truck_choice_spread=spread)
    cost = np.repeat(np.array(tco)[:, None], len(YEARS), axis=1)
    free = but(
        classes[0], running=cost, yearly_activity=1e30, sales_cap=None, sales_floor=np.zeros(len(YEARS))
    )
    held = but(
        classes[0], running=cost, yearly_activity=1e30, sales_cap=None, sales_floor=np.full(len(YEARS), floor)
    )
    for cls in (free, held):
        walk(cls, tech, chosen, until=2036)
    zero = tech.direct[held.options] <= 0
    for year in (2030, 2036):
        before, after = shares(free, year), shares(held, year)
        assert after.sum() == pytest.approx(1.0)
        assert held.zero_share[year - 2022] == pytest.approx(max(before[zero].sum(), floor), abs=1e-9)
        if before[zero].sum() >= floor:
            np.testing.assert_allclose(after, before)
        cheap, dear = sorted(np.flatnonzero(zero), key=lambda p: tco[p])
        assert after[cheap] >= after[dear] - 1e-9


@settings(max_examples=30, deadline=None)
@given(tco=st.lists(st.floats(0.5, 5), min_size=3, max_size=3, unique=True))
def test_without_spread_all_buy_the_cheapest(fleet: Callable[..., Any], tco: list[float]) -> None:
    classes, tech, chosen = fleet(truck_choice_spread=0.0)
    cost = np.repeat(np.array(tco)[:, None], len(YEARS), axis=1)
    cls = but(classes[0], running=cost, yearly_activity=1e30, sales_cap=None)
    walk(cls, tech, chosen, until=2030)
    assert shares(cls, 2030)[int(np.argmin(tco))] == 1.0


@settings(max_examples=30, deadline=None)
@given(tco=st.lists(st.floats(0.5, 5), min_size=3, max_size=3), spread=st.floats(0.02, 0.5))
def test_shares_follow_a_logit_of_the_cost_above_the_cheapest(
    fleet: Callable[..., Any], tco: list[float], spread: float
) -> None:
    classes, tech, chosen = fleet(truck_choice_spread=spread)
    cost = np.repeat(np.array(tco)[:, None], len(YEARS), axis=1)
    cls = but(classes[0], running=cost, yearly_activity=1e30, sales_cap=None)
    walk(cls, tech, chosen, until=2030)
    weight = [np.exp(-(one / min(tco) - 1) / spread) for one in tco]
    np.testing.assert_allclose(shares(cls, 2030), np.array(weight) / sum(weight), atol=1e-12)


def test_whoever_wants_the_fewest_tonnes_buys_no_diesel(fleet: Callable[..., Any]) -> None:
    classes, tech, chosen = fleet(rule="lowest_emissions")
    for cls in classes:
        cls = but(cls, sales_cap=None)
        walk(cls, tech, chosen)
        after = chosen.as_of.year <= YEARS
        assert not cls.bought[0, after].any()
        np.testing.assert_allclose(cls.zero_share[after], 1.0)


def test_no_more_are_sold_than_can_be_supplied_and_the_incumbent_fills_up(fleet: Callable[..., Any]) -> None:
    classes, tech, chosen = fleet()
    for cls in classes:
        assert cls.sales_cap is not None
        walk(cls, tech, chosen)
        after = chosen.as_of.year <= YEARS
        assert (cls.zero_share[after] <= cls.sales_cap[after] + 1e-12).all()
        np.testing.assert_allclose(
            cls.zero_share[after][0], cls.sales_cap[after][0], err_msg="it binds at first"
        )
        bought = cls.bought[:, after].sum(axis=0)
        np.testing.assert_allclose(bought * cls.mileage[0] > 0, bought > 0)


def test_a_sales_rule_in_force_brings_its_own_supply(fleet: Callable[..., Any]) -> None:
    for cls in fleet("net-zero-2045")[0]:
        assert (cls.sales_cap >= cls.sales_floor).all()


def test_what_cannot_be_bought_yet_is_not_bought(fleet: Callable[..., Any]) -> None:
    classes, tech, chosen = fleet("net-zero-2045")
    later = replace(tech, earliest=np.where(tech.direct > 0, tech.earliest, 2035))
    for cls in classes:
        walk(cls, later, chosen)
        assert not cls.bought[1:, YEARS < 2035].any(), "not even where a share of sales is enforced"
        assert cls.bought[1:, YEARS >= 2035].any()


def test_sales_rules_bind_only_where_a_scenario_enforces_them(fleet: Callable[..., Any]) -> None:
    assert not any(cls.sales_floor.any() for cls in fleet("baseline")[0])
    for cls in fleet("net-zero-2045")[0]:
        assert cls.sales_floor.max() > 0.5
        assert ((cls.sales_floor >= 0) & (cls.sales_floor <= 1)).all()


def test_enforced_sales_are_met_in_every_year_from_the_plan_on(fleet: Callable[..., Any]) -> None:
    classes, tech, chosen = fleet("net-zero-2045")
    for cls in classes:
        walk(cls, tech, chosen)
        after = chosen.as_of.year <= YEARS
        assert (cls.zero_share[after] >= cls.sales_floor[after] - 1e-9).all()
