"""The plan's path against the optimum, in the scorecard and in the table of limits."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

import cleanhub as ch
from cleanhub.core.errors import InputError
from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.scenario import LimitChoice, load_scenario
from cleanhub.pathways.engine import run_pathway
from cleanhub.planning.foresight import TOO_LARGE, compare_with_optimum
from cleanhub.planning.plan import Plan


@pytest.fixture(scope="module")
def california() -> Hub:
    return load_hub("california")


@pytest.mark.parametrize("name", ["baseline", "no-support", "net-zero-2045"])
def test_deciding_year_by_year_never_costs_less_than_the_optimum(california: Hub, name: str) -> None:
    found = compare_with_optimum(run_pathway(california, load_scenario(name, california)))
    assert found.least_usd > 0
    assert found.excess_usd >= -1e-6 * found.least_usd
    assert 0 <= found.excess_percent < 20


def test_the_scorecard_and_the_limits_say_so(net_zero: Plan) -> None:
    card = net_zero.scorecard
    (line,) = card[card["metric"] == "foresight_excess"].to_dict("records")
    assert line["value"] > 0
    assert "billion USD above" in line["note"]
    storage = net_zero.table("limits").query("limit == 'co2-storage'")
    assert storage["marginal_value"].notna().all()
    idle = storage["used"] < 0.5 * storage["value"]
    assert (storage.loc[idle, "marginal_value"].abs() < 1e-6).all(), "what is not short is worth nothing"


def test_under_rule_optimal_the_path_is_the_optimum(california: Hub) -> None:
    scenario = load_scenario("baseline", california)
    best = scenario.model_copy(update={"decision": scenario.decision.model_copy(update={"rule": "optimal"})})
    pathway = run_pathway(california, best)
    assert pathway.optimum is not None
    found = compare_with_optimum(pathway)
    assert found.excess_usd > 0, "the path of least cost year by year is what is compared"
    assert pathway.optimum.gap < 1e-6


def test_limits_that_contradict_each_other_are_refused(california: Hub) -> None:
    scenario = load_scenario("baseline", california)
    hard = scenario.model_copy(update={"limits": {"saf-goal": LimitChoice(hard=True, scale=2.4)}})
    with pytest.raises(InputError, match="saf-goal and saf-blend cannot both be met"):
        run_pathway(california, hard)


def test_limits_that_nobody_can_keep_are_named_and_stop_no_plan(california: Hub) -> None:
    rows = california.tables["limits"]
    none = rows[rows["limit"] == "co2-storage"].assign(
        limit="no cement tonnes", quantity="emissions", sector="cement", low=0.0, value=0.0, high=0.0
    )
    tables = {**california.tables, "limits": pd.concat([rows, none])}
    plan = ch.plan(dataclasses.replace(california, tables=tables), "baseline")
    (line,) = plan.scorecard[plan.scorecard["metric"] == "foresight_excess"].to_dict("records")
    assert np.isnan(line["value"])
    assert line["note"] == "no path keeps all hard limits: Industrial|cement; no cement tonnes"
    assert (plan.table("limits").query("limit == 'no cement tonnes' and year > 2030")["violation"] > 0).all()


def test_a_large_hub_says_that_it_was_not_solved() -> None:
    hub = load_hub("global")
    found = compare_with_optimum(run_pathway(hub, load_scenario("baseline", hub)))
    assert found.note == TOO_LARGE
    assert np.isnan(found.excess_usd)
