"""policy cost: a programme's tonnes and money are what differs with and without it, or with its delay."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cleanhub as ch
from cleanhub.core.errors import InputError
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import DriverChoice, Scenario
from cleanhub.planning.measured_path import measured_path
from cleanhub.planning.programme_cost import COLUMNS, programme_costs


@pytest.fixture(scope="module")
def scenario(small_hub: Hub) -> Scenario:
    """No freight, so that a path costs little; a rule on sales and one voucher in force."""
    chosen = ch.load_scenario(str(small_hub.meta["default_scenario"]), small_hub)
    return chosen.model_copy(
        update={
            "freight": chosen.freight.model_copy(update={"serve": False}),
            "zero_emission_sales": True,
            "credits": ("lcfs-electricity", "hvip-class8"),
        }
    )


@pytest.fixture(scope="module")
def found(small_hub: Hub, scenario: Scenario) -> pd.DataFrame:
    return programme_costs(small_hub, scenario).set_index("programme", drop=False)


def test_each_programme_in_force_has_a_row(found: pd.DataFrame) -> None:
    assert list(found.columns) == COLUMNS
    assert list(found.index) == ["lcfs-electricity", "hvip-class8", "carbon_price", "zero_emission_sales"]
    assert list(found["paid_by"]) == ["market", "public", "emitters", "buyers"]


def test_tonnes_and_money_are_those_of_two_paths(
    small_hub: Hub, scenario: Scenario, found: pd.DataFrame
) -> None:
    without = scenario.model_copy(update={"credits": ("hvip-class8",)})
    ours, theirs = measured_path(small_hub, scenario), measured_path(small_hub, without)
    cut = theirs.headline("hub_emissions_cumulative") - ours.headline("hub_emissions_cumulative")
    first, last = scenario.as_of.year, 2045
    costs = ours.costs[ours.costs["item"] == "credits"], theirs.costs[theirs.costs["item"] == "credits"]
    paid = [-one.loc[one["year"].between(first, last), "value_usd"].sum() for one in costs]
    row = found.loc["lcfs-electricity"]
    assert row["co2e_t"] == pytest.approx(cut)
    assert row["paid_usd"] == pytest.approx(paid[0] - paid[1])
    assert row["usd_per_t"] == pytest.approx((paid[0] - paid[1]) / cut)


def test_values_lie_in_their_ranges_and_a_price_is_no_public_cost(found: pd.DataFrame) -> None:
    for name in ("co2e_t", "paid_usd", "usd_per_t", "all_costs_usd_per_t"):
        known = found[found[name].notna()]
        assert (known[f"{name}_low"] <= known[name]).all()
        assert (known[name] <= known[f"{name}_high"]).all()
    assert np.isnan(found.loc["carbon_price", "usd_per_t"])
    assert found.loc["carbon_price", "paid_usd"] > 0


def test_where_no_tonnes_move_there_is_no_cost_per_tonne(found: pd.DataFrame) -> None:
    still = found[found["co2e_t"] == 0]
    assert still["usd_per_t"].isna().all()
    assert still["note"].str.contains("central values").all()


def test_a_delayed_rule_on_sales_loses_tonnes(small_hub: Hub, scenario: Scenario) -> None:
    only = scenario.model_copy(update={"credits": (), "carbon_price": None})
    (_, row), *others = programme_costs(small_hub, only, delay_years=5).iterrows()
    assert not others
    assert row["programme"] == "zero_emission_sales"
    assert row["change"] == "delayed by 5 years"
    late = {name: DriverChoice(delay_years=5) for name in ("zero_emission_sales_class8",)}
    late["zero_emission_sales_class4_7"] = DriverChoice(delay_years=5)
    delayed = measured_path(small_hub, only.model_copy(update={"drivers": {**only.drivers, **late}}))
    now = measured_path(small_hub, only)
    metric = "hub_emissions_cumulative"
    assert row["co2e_t"] == pytest.approx(delayed.headline(metric) - now.headline(metric))
    assert row["co2e_t"] > 0


def test_a_programme_that_is_not_in_force_is_refused_with_those_that_are(
    small_hub: Hub, scenario: Scenario
) -> None:
    with pytest.raises(InputError, match="found 45q; allowed lcfs-electricity, hvip-class8"):
        programme_costs(small_hub, scenario, only=["45q"])
