"""Tornado, break-even and policies by removal, against single valuations and closed forms."""

from __future__ import annotations

import copy
import datetime as dt
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cleanhub.core.errors import InputError
from cleanhub.core.yaml_file import merged_mapping
from cleanhub.finance.build import Setting, TaxTerms
from cleanhub.finance.case_value import value_case
from cleanhub.finance.cases import LoadedCase, case_of, load_archetype
from cleanhub.finance.figures import Z90
from cleanhub.finance.price_search import price_at_return
from cleanhub.finance.returns import present_value
from cleanhub.finance.risk import financing, uncertain_paths
from cleanhub.finance.sensitivity import NOT_ADDITIVE, break_even, policy_values, tornado
from cleanhub.hub.library import Library
from cleanhub.policy.applicant import Answer

TAXED = Setting(tax=TaxTerms(0.21, 0.0884, 1.0))
PLANT: dict[str, Any] = {
    "name": "plant",
    "title": "A plant",
    "project": {"sector": "hydrogen", "in_service": dt.date(2030, 1, 1)},
    "production": {
        "product": "hydrogen", "unit": "t", "capacity": 1000.0, "life": 10, "policy_product": "hydrogen",
        "utilisation": {"value": 0.9, "low": 0.8, "high": 0.95},
    },
    "capital": {"cost": {"value": 20e6, "low": 18e6, "high": 26e6}, "spending": [0.5, 0.5]},
    "costs": {"operation": {"fixed": {"value": 1e6, "low": 0.8e6, "high": 1.5e6}}},
    "revenue": {
        "offtake": {"price": {"value": 6000, "low": 5000, "high": 7000, "unit": "USD/t"}, "contracted": True},
    },
    "debt": {"tenor": 8},
}  # fmt: skip
SHARED: dict[str, Any] = {
    "revenue": {
        "offtake": {"share": 0.7},
        "merchant": {"price": {"value": 5000, "low": 4000, "high": 6000, "unit": "USD/t"}, "share": 0.2},
    }
}


def plant(library: Library, **changes: Any) -> LoadedCase:
    data = copy.deepcopy(PLANT)
    return case_of(merged_mapping(data, changes) if changes else data, library)


def credit(name: str = "credit", rate: float = 300.0, **more: Any) -> Answer:
    yearly = np.full(10, rate)
    made = Answer(
        name, f"The {name}", "production_credit", "pays", "it does", quantity="hydrogen", rate=yearly,
        payments=yearly * 900.0, tax_character="tax_free",
    )  # fmt: skip
    return replace(made, **more)


# ---------------------------------------------------------------- tornado


def test_bars_point_where_they_should(library: Library) -> None:
    bars = {bar.path: bar for bar in tornado(plant(library), TAXED)}
    assert set(bars) == set(uncertain_paths(plant(library)))
    for path in ("revenue.offtake.price", "production.utilisation"):
        assert bars[path].at_low < bars[path].at_central < bars[path].at_high
    for path in ("capital.cost", "costs.operation.fixed"):
        assert bars[path].at_low > bars[path].at_central > bars[path].at_high


def test_bars_come_widest_first_and_share_one_centre(library: Library) -> None:
    case = plant(library)
    bars = tornado(case, TAXED)
    swings = [bar.swing for bar in bars]
    assert swings == sorted(swings, reverse=True)
    central = value_case(case, TAXED).sponsor.npv_usd
    assert [bar.at_central for bar in bars] == pytest.approx([central] * len(bars), abs=1e-3)
    assert bars[0].unit == "USD/t"
    assert (bars[0].low, bars[0].central, bars[0].high) == (5000.0, 6000.0, 7000.0)


def test_a_price_bar_is_the_present_value_of_the_price(library: Library) -> None:
    """Without debt and tax: 1,000 USD/t on 900 t a year, grown with inflation, at 12 %."""
    case = plant(library, debt={"kind": "none"})
    bar = next(bar for bar in tornado(case, Setting()) if bar.path == "revenue.offtake.price")
    growth = 1.02 ** (2030 - 2024.5 + np.arange(10) + 0.5)
    flows = np.concatenate([np.zeros(2), 1000.0 * 900.0 * growth])[:, None]
    worth = float(present_value(flows, 0.12)[0])
    assert bar.at_high - bar.at_central == pytest.approx(worth, rel=1e-9)
    assert bar.at_central - bar.at_low == pytest.approx(worth, rel=1e-9)


def test_each_bar_is_a_valuation_with_the_debt_that_was_lent(library: Library) -> None:
    case = plant(library)
    debt = financing(value_case(case, TAXED))
    for bar in tornado(case, TAXED):
        for end, found in ((bar.low, bar.at_low), (bar.high, bar.at_high)):
            npv = debt.equity(case.values.with_values(**{bar.path: end}))[1]
            assert found == pytest.approx(float(npv[0]), abs=1e-3)


def test_whole_bars_are_valuations_with_debt_of_their_own(library: Library) -> None:
    case = plant(library)
    bars = tornado(case, TAXED, whole=True)
    for bar in bars:
        for end, found in ((bar.low, bar.at_low), (bar.high, bar.at_high)):
            value = value_case(case, TAXED, case.values.with_values(**{bar.path: end}))
            assert found == pytest.approx(value.sponsor.npv_usd, abs=1.0), bar.path
    assert bars[0].at_central == pytest.approx(value_case(case, TAXED).sponsor.npv_usd, abs=1.0)


def test_rates_of_return_and_prices_can_be_measured(library: Library) -> None:
    case = plant(library)
    value = value_case(case, TAXED)
    rates = tornado(case, TAXED, "irr")
    assert rates[0].at_central == pytest.approx(value.sponsor.irr, rel=1e-9)
    prices = {bar.path: bar for bar in tornado(case, TAXED, "price_at_return")}
    assert prices["capital.cost"].at_central == pytest.approx(value.price_at_return, rel=1e-9)
    assert prices["capital.cost"].at_low < value.price_at_return < prices["capital.cost"].at_high
    # all product is sold at the price that is solved for: its own price does not matter
    assert prices["revenue.offtake.price"].swing == pytest.approx(0.0, abs=1e-4)


def test_market_policies_have_bars(library: Library) -> None:
    rate = np.full(10, 300.0)
    drawn = credit(rate_low=0.5 * rate, rate_high=3.0 * rate)
    case = plant(library, debt={"kind": "none"})
    setting = Setting((drawn,))
    bar = next(bar for bar in tornado(case, setting) if bar.path == "policies.credit")
    assert (bar.low, bar.central, bar.high) == (150.0, 300.0, 900.0)
    for scale, found in ((0.5, bar.at_low), (1.0, bar.at_central), (3.0, bar.at_high)):
        fixed = Setting((credit(rate=300.0 * scale),))
        assert found == pytest.approx(value_case(case, fixed).sponsor.npv_usd, abs=1e-3)
    assert value_case(case, setting, case.values.with_values(**{"policies.credit": Z90})).sponsor.npv_usd == (
        pytest.approx(bar.at_high, abs=1e-3)
    )


def test_a_case_without_ranges_has_no_bars(library: Library) -> None:
    data: dict[str, Any] = {
        "production": {"utilisation": 0.9}, "capital": {"cost": 20e6},
        "costs": {"operation": {"fixed": 1e6}},
        "revenue": {"offtake": {"price": {"value": 6000, "unit": "USD/t", "low": 6000, "high": 6000}}},
    }  # fmt: skip
    assert tornado(plant(library, **data), TAXED) == []


def test_an_unknown_measure_is_refused(library: Library) -> None:
    with pytest.raises(InputError, match="price_at_return"):
        tornado(plant(library), TAXED, "payback")  # type: ignore[arg-type]


def test_a_bar_without_a_result_comes_first(library: Library) -> None:
    case = plant(library, debt={"kind": "none"}, costs={"operation": {"fixed": {"high": 9e6}}})
    first = tornado(case, TAXED, "irr")[0]
    assert first.path == "costs.operation.fixed"
    assert math.isnan(first.at_high)
    assert math.isnan(first.swing)


# ---------------------------------------------------------------- break-even


@pytest.mark.parametrize(
    "path",
    [
        "revenue.offtake.price",
        "capital.cost",
        "costs.operation.fixed",
        "production.capacity",
        "returns.equity",
    ],
)
@pytest.mark.parametrize("target", [0.0, 3e6])
def test_break_even_plugged_back_meets_the_target(library: Library, path: str, target: float) -> None:
    case = plant(library)
    found = break_even(case, TAXED, path, target)
    assert found.reason == ""
    assert found.unit == case.figures[path].unit
    again = value_case(case, TAXED, case.values.with_values(**{path: found.value})).sponsor.npv_usd
    assert again == pytest.approx(target, abs=1.0)
    assert found.npv_at_central == pytest.approx(value_case(case, TAXED).sponsor.npv_usd, abs=1e-3)


def test_break_even_with_the_debt_that_was_lent(library: Library) -> None:
    case = plant(library)
    found = break_even(case, TAXED, "revenue.offtake.price", whole=False)
    debt = financing(value_case(case, TAXED))
    npv = debt.equity(case.values.with_values(**{"revenue.offtake.price": found.value}))[1]
    assert float(npv[0]) == pytest.approx(0.0, abs=1.0)
    assert found.value != pytest.approx(break_even(case, TAXED, "revenue.offtake.price").value, rel=1e-3)


@pytest.mark.parametrize("name", ["biomass-hydrogen-storage", "electrolysis", "heat-pump"])
def test_break_even_of_archetypes(library: Library, name: str) -> None:
    case = load_archetype(name, library)
    path = next(path for path in case.figures if path.startswith("revenue.") and path.endswith(".price"))
    found = break_even(case, TAXED, path)
    scale = case.figures["capital.cost"].value
    if math.isnan(found.value):
        assert found.reason
    else:
        again = value_case(case, TAXED, case.values.with_values(**{path: found.value})).sponsor.npv_usd
        assert abs(again) < 1e-6 * scale


def test_break_even_price_of_all_product_is_the_price_at_return(library: Library) -> None:
    case = plant(library)
    found = break_even(case, TAXED, "revenue.offtake.price")
    assert found.value == pytest.approx(price_at_return(case, TAXED), rel=1e-8)


def test_break_even_return_is_the_irr(library: Library) -> None:
    case = plant(library)
    found = break_even(case, TAXED, "returns.equity")
    assert found.value == pytest.approx(value_case(case, TAXED).sponsor.irr, rel=1e-8)


def test_what_does_not_matter_has_no_break_even(library: Library) -> None:
    found = break_even(plant(library), TAXED, "returns.public")
    assert math.isnan(found.value)
    assert found.reason == "the result does not depend on it"


def test_limits_are_kept_and_named(library: Library) -> None:
    case = plant(library, capital={"cost": {"value": 80e6, "low": 80e6, "high": 80e6}})
    found = break_even(case, TAXED, "production.utilisation")
    assert math.isnan(found.value)
    assert "stays below the target from 0 to 1" in found.reason
    assert found.crossings == 0


def test_no_more_is_sold_than_made(library: Library) -> None:
    case = plant(library, **SHARED, capital={"cost": {"value": 60e6, "low": 60e6, "high": 60e6}})
    found = break_even(case, TAXED, "revenue.offtake.share")
    assert math.isnan(found.value)
    assert "from 0 to 0.8" in found.reason


def test_an_unknown_path_is_refused_with_those_there_are(library: Library) -> None:
    with pytest.raises(InputError, match=r"capital\.cost") as caught:
        break_even(plant(library), TAXED, "capital.price")
    assert caught.value.exit_code == 2


# ---------------------------------------------------------------- policies by removal


def test_untaxed_policies_without_debt_add_up(library: Library) -> None:
    case = plant(library, debt={"kind": "none"})
    setting = Setting((credit("one", 300.0), credit("two", 100.0)))
    one, two, both = policy_values(case, setting, setting.without, ["one", "two"])
    assert one.npv_change_usd == pytest.approx(3.0 * two.npv_change_usd, rel=1e-9)
    assert both.npv_change_usd == pytest.approx(one.npv_change_usd + two.npv_change_usd, rel=1e-9)
    assert one.npv_change_usd == pytest.approx(one.cash_usd, rel=1e-9)
    assert one.cash_usd + two.cash_usd == pytest.approx(both.cash_usd)
    assert one.price_change < two.price_change < 0
    assert (both.policy, both.name, both.note) == ("", "all together", NOT_ADDITIVE)
    assert one.name == "The one"


def test_cash_counts_the_discount_and_what_comes_once(library: Library) -> None:
    case = plant(library, debt={"kind": "none"})
    setting = Setting((credit("one", 0.0, once=1e6, quantity="", transfer_price=0.9),))
    row = policy_values(case, setting, setting.without, ["one"], price=False)[0]
    assert row.cash_usd == pytest.approx(0.9e6 / 1.12**2, rel=1e-9)
    assert math.isnan(row.price_change)


def test_an_excluded_rival_comes_in(library: Library) -> None:
    case = plant(library)
    best, rival = credit("best", 300.0), credit("rival", 290.0)
    setting = Setting((best, replace(rival, answer="no")), TAXED.tax)

    def without(policy: str) -> Setting:
        return replace(setting, answers=(rival,)) if policy == "best" else setting.without(policy)

    row, unused, both = policy_values(case, setting, without, ["best", "rival"])
    assert row.comes_in == ("rival",)
    assert "rival" in row.note
    assert 0 < row.npv_change_usd < 0.1 * both.npv_change_usd
    assert unused.npv_change_usd == 0.0
    assert unused.cash_usd == 0.0
    none = value_case(case, Setting(tax=TAXED.tax)).sponsor.npv_usd
    assert both.npv_change_usd == pytest.approx(value_case(case, setting).sponsor.npv_usd - none)


def test_a_credit_that_lenders_count_brings_debt_too(library: Library) -> None:
    case = plant(library, debt={"gearing_cap": 1.0, "cover_ratio": 2.0})
    counted, unseen = Setting((credit(),), TAXED.tax), Setting((credit(bankable=False),), TAXED.tax)
    case_blind = plant(
        library, debt={"gearing_cap": 1.0, "cover_ratio": 2.0}, lender={"market_credits": "none"}
    )
    worth = policy_values(case, counted, counted.without, ["credit"])[0].npv_change_usd
    blind = policy_values(case_blind, unseen, unseen.without, ["credit"])[0].npv_change_usd
    assert worth > blind > 0
