"""Budgets: declared by limits, or straight lines to the last target."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cleanhub as ch
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import LimitChoice, Scenario
from cleanhub.planning.plan import Plan
from cleanhub.planning.targets import PathTables, budgets_table

FIRST, LAST = 2022, 2032
YEARS = range(FIRST, LAST + 1)


def tables(**by_kind: float) -> PathTables:
    """Cement emits 100 t a year by plants (or what is given by kind of asset); a rest beside them."""
    rows = [
        {
            "year": year, "inventory_sector": "Industry", "sector": "cement", "asset_kind": kind, "scope": 1,
            "gas": "co2e", "boundary": "included", "value": value, "unit": "t CO2e/yr", "hub_scope": True,
        }
        for year in YEARS for kind, value in ({"site": 100.0, "rest": 900.0} | by_kind).items()
    ]  # fmt: skip
    empty = pd.DataFrame()
    no_drivers: Any = None
    return PathTables(pd.DataFrame(rows), empty, empty, empty, no_drivers, frozenset())


def limit(hub: Hub, *rows: dict[str, Any]) -> Hub:
    """The hub with these limits alone."""
    table = hub.tables["limits"]
    usual: dict[str, Any] = dict.fromkeys(table.columns, "")
    usual |= {
        "limit": "budget-cement", "quantity": "emissions", "sector": "cement", "period": "cumulative",
        "low": np.nan, "high": np.nan, "hard": pd.NA, "unit": "t", "source_id": "someone",
        "confidence": "seen",
    }  # fmt: skip
    frame = pd.DataFrame([{**usual, **row} for row in rows], columns=table.columns)
    return replace(hub, tables={**hub.tables, "limits": frame})


@pytest.fixture
def scenario(hub: Hub) -> Scenario:
    return ch.load_scenario("baseline", hub).model_copy(update={"end_year": LAST})


def one(hub: Hub, scenario: Scenario, path: PathTables | None = None) -> pd.Series:
    found = budgets_table(hub, scenario, path or tables())
    assert list(found.columns) == PLAN_TABLES["budgets"].names
    assert len(found) == 1
    return found.iloc[0]


def test_a_declared_budget_counts_plants_and_vehicles_from_its_first_year(
    hub: Hub, scenario: Scenario
) -> None:
    budget = limit(
        hub, {"year": 2025, "value": 0.35, "unit": "kt"}, {"year": LAST, "value": 0.35, "unit": "kt"}
    )
    row = one(budget, scenario)
    assert (row["sector"], row["budget"], row["used"]) == (
        "cement",
        pytest.approx(350.0),
        pytest.approx(800.0),
    )
    assert (row["first_year"], row["last_year"], row["over_from"]) == (2025, LAST, 2028)
    assert row["source"].startswith("limit budget-cement (someone)")


def test_a_budget_that_lasts_has_no_year(hub: Hub, scenario: Scenario) -> None:
    row = one(limit(hub, {"year": LAST, "value": 1100.0}), scenario)
    assert row["first_year"] == hub.base_year
    assert row["used"] == pytest.approx(1100.0)
    assert row["over_from"] is pd.NA


def test_a_budget_is_shown_though_the_scenario_lifts_it(hub: Hub, scenario: Scenario) -> None:
    budget = limit(hub, {"year": LAST, "value": 500.0})
    lifted = scenario.model_copy(update={"limits": {"budget-cement": LimitChoice(off=True)}})
    assert one(budget, lifted)["used"] == one(budget, scenario)["used"]
    assert "not enforced" in one(budget, lifted)["source"]
    assert "not enforced" not in one(budget, scenario)["source"]
    soft = limit(hub, {"year": LAST, "value": 500.0, "hard": False})
    assert "not enforced" in one(soft, scenario)["source"]
    halved = scenario.model_copy(update={"limits": {"budget-cement": LimitChoice(scale=0.5)}})
    assert one(budget, halved)["budget"] == pytest.approx(250.0)


def test_the_range_that_the_scenario_takes(hub: Hub, scenario: Scenario) -> None:
    budget = limit(hub, {"year": LAST, "low": 400.0, "value": 500.0})
    for end, expected in (("low", 400.0), ("value", 500.0), ("high", 500.0)):
        chosen = scenario.model_copy(update={"limits": {"budget-cement": LimitChoice(range=end)}})
        assert one(budget, chosen)["budget"] == pytest.approx(expected)


@pytest.mark.parametrize(
    "change",
    [{"period": ""}, {"quantity": "co2_storage"}, {"sector": ""}, {"region": "north"}, {"kind": "floor"},
     {"product": "clinker"}],
)  # fmt: skip
def test_what_is_no_budget_of_a_sector_leaves_the_lines(
    hub: Hub, scenario: Scenario, change: dict[str, str]
) -> None:
    other = limit(hub, {"year": LAST, "value": 500.0, **change})
    found = budgets_table(other, scenario, tables())
    assert not found["source"].str.startswith("limit").any()


def test_a_budget_of_a_sector_that_emits_nothing(hub: Hub, scenario: Scenario) -> None:
    row = one(limit(hub, {"year": LAST, "value": 5.0, "sector": "lime"}), scenario)
    assert row["used"] == 0.0
    assert row["over_from"] is pd.NA


def test_california_keeps_its_straight_lines(net_zero: Plan, hub: Hub) -> None:
    budgets = net_zero.table("budgets")
    assert budgets["source"].str.startswith("straight line").all()
    over = budgets[budgets["used"] > budgets["budget"] * (1 + 1e-6)]
    assert over["over_from"].notna().all()
    assert budgets.loc[budgets["used"] < budgets["budget"], "over_from"].isna().all()


def test_the_worlds_seven_budgets_sum_to_their_source() -> None:
    world = ch.load_hub("global")
    scenario = ch.load_scenario("baseline", world)
    found = budgets_table(world, scenario, tables())
    assert len(found) == 7
    assert found["budget"].sum() == pytest.approx(210e9)
