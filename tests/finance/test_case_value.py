"""Both views of a case: closed forms, prices plugged back, directions, units and inflation."""

from __future__ import annotations

import copy
import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from small_case import small_case

from cleanhub.finance.build import Reading, Setting, TaxTerms
from cleanhub.finance.case_value import CaseValue, value_case
from cleanhub.finance.cases import LoadedCase, case_of, list_archetypes, load_archetype
from cleanhub.finance.price_search import price_at_return
from cleanhub.hub.library import Library
from cleanhub.policy.applicant import Answer

LAW = Setting(tax=TaxTerms(0.21, 0.0884, 1.0, 0.8, 1.0))
DEBT = {
    "kind": "sculpted",
    "rate": 0.07,
    "tenor": 8,
    "cover_ratio": 1.4,
    "gearing_cap": 1.0,
    "fee": 0.01,
}
# Debt, inflation, ramp, ranges, a merchant share, renewals, working capital and reserves.
RICH: dict[str, Any] = {
    "inflation": 0.02,
    "production": {
        "capacity": {"value": 10_000.0, "unit": "t/yr"},
        "utilisation": {"value": 0.9, "low": 0.75, "high": 0.95},
        "ramp_up": [0.5, 0.8],
        "by_products": {"co2_stored": {"value": 10.0, "unit": "t/t"}},
    },
    "capital": {
        "cost": {"value": 100.0, "low": 90.0, "high": 150.0, "unit": "MUSD", "currency_year": 2020},
        "spending": [0.2, 0.4, 0.4],
        "replacements": {"stack": {"share": 0.1, "every": 4}},
        "salvage": 0.05,
    },
    "inputs": {
        "power": {"use": {"value": 5.0, "unit": "MWh/t"}, "price": {"value": 60.0, "unit": "USD/MWh"}}
    },
    "revenue": {
        "offtake": {"price": {"value": 4_500.0, "unit": "USD/t"}, "share": 0.7},
        "spot": {"price": {"value": 3_000.0, "unit": "USD/t"}, "share": 0.3},
        "storage": {"quantity": "co2_stored", "price": {"value": 20.0, "unit": "USD/t"}},
    },
    "working_capital": {"receivable_days": 30.0, "payable_days": 20.0},
    "reserves": {"debt_service_months": 6.0, "maintenance_years": 2, "interest": 0.02},
    "debt": DEBT,
    "reference": {
        "price": {"value": 1_500.0, "unit": "USD/t"},
        "emissions_avoided": {"value": 9.0, "unit": "t/t"},
    },
}


@pytest.fixture(scope="module")
def rich(library: Library) -> LoadedCase:
    return small_case(library, RICH)


@pytest.fixture(scope="module")
def rich_value(rich: LoadedCase) -> CaseValue:
    return value_case(rich, LAW)


def _changed(library: Library, **changes: Any) -> LoadedCase:
    """The rich case with figures at dotted paths (``__`` for the dot) replaced."""
    data = copy.deepcopy(dict(small_case(library, RICH).data))
    for path, value in changes.items():
        *place, last = path.split("__")
        node = data
        for part in place:
            node = node.setdefault(part, {})
        node[last] = value
    return case_of(data, library)


def _sold_at(loaded: LoadedCase, price: float, library: Library) -> CaseValue:
    """The case with all its product sold at one real price under contract."""
    data = copy.deepcopy(dict(loaded.data))
    others = {
        name: stream
        for name, stream in dict(data.get("revenue", {})).items()
        if dict(stream).get("quantity", "product") != "product"
    }
    unit = loaded.unit if "/" not in loaded.unit else f"({loaded.unit})"
    flat = {"price": {"value": price, "unit": f"USD/{unit}"}, "contracted": True}
    data["revenue"] = {**others, "all_of_it": flat}
    data["correlations"] = []
    data.pop("based_on", None)
    return value_case(case_of(data, library), LAW)


# ---------------------------------------------------------------- closed forms


def test_levelised_cost_is_annuity_and_running_cost(library: Library) -> None:
    value = value_case(small_case(library), Setting())
    recovery = 0.1 / (1 - 1.1**-10)
    expected = (100e6 * recovery + 5e6) / 10_000
    assert value.sponsor.levelised_cost == pytest.approx(expected, rel=1e-12)
    assert value.lender.levelised_cost == pytest.approx(expected, rel=1e-12)


def test_without_tax_debt_and_support_price_and_levelised_cost_are_one(library: Library) -> None:
    """Also with inflation, years of construction, ramp and renewals, where both returns are the same."""
    changes = {**RICH, "debt": {"kind": "none"}, "working_capital": {}}
    changes["reserves"] = {"debt_service_months": 0.0}
    changes["returns"] = {"equity": 0.11, "project": 0.11}
    changes["capital"] = {**RICH["capital"], "salvage": 0.0}
    changes["revenue"] = {"offtake": {"share": 1.0}}
    value = value_case(small_case(library, changes), Setting())
    assert value.price_at_return == pytest.approx(value.sponsor.levelised_cost, rel=1e-9)


def test_returns_of_a_plant_without_debt_by_hand(library: Library) -> None:
    """100 M in, 25 M out for ten years."""
    sponsor = value_case(small_case(library), Setting()).sponsor
    factor = (1 - 1.1**-10) / 0.1
    assert sponsor.npv_usd == pytest.approx(25e6 * factor - 100e6)
    assert sponsor.project_npv_usd == pytest.approx(sponsor.npv_usd)
    assert 25e6 * (1 - (1 + sponsor.irr) ** -10) / sponsor.irr == pytest.approx(100e6)
    assert sponsor.all_irr == pytest.approx([sponsor.irr])
    assert sponsor.payback_years == pytest.approx(4.0)
    assert sponsor.mirr == pytest.approx((25e6 * (1.1**10 - 1) / 0.1 / 100e6) ** 0.1 - 1)
    assert np.isnan([sponsor.min_dscr, sponsor.avg_dscr, sponsor.llcr, sponsor.plcr]).all()


def test_covers_of_sculpted_debt(library: Library) -> None:
    """The cover asked in each year, hence over the life of the loan; more over the life of the plant."""
    value = value_case(small_case(library, {"debt": {**DEBT, "cover_ratio": 1.8, "fee": 0.0}}), Setting())
    lender = value.lender
    assert lender.min_dscr == pytest.approx(1.8)
    assert lender.avg_dscr == pytest.approx(1.8)
    assert lender.llcr == pytest.approx(1.8)
    assert lender.debt_usd == pytest.approx(25e6 / 1.8 * (1 - 1.07**-8) / 0.07)
    assert lender.plcr == pytest.approx(1.8 * (1 - 1.07**-10) / (1 - 1.07**-8))
    assert lender.gearing == pytest.approx(lender.debt_usd / 100e6)


# ---------------------------------------------------------------- two views


def test_the_sponsor_carries_the_debt_that_the_lender_lends(rich_value: CaseValue) -> None:
    sponsor, lender = rich_value.views
    assert (sponsor.name, lender.name) == ("sponsor_p50", "lender_p90")
    assert sponsor.debt_usd == pytest.approx(lender.debt_usd, rel=1e-9)
    np.testing.assert_allclose(sponsor.outcome.service, lender.outcome.service, rtol=1e-9, atol=1e-3)
    assert lender.min_dscr == pytest.approx(1.4, rel=1e-9)
    assert sponsor.min_dscr > lender.min_dscr
    assert sponsor.npv_usd > lender.npv_usd
    assert set(sponsor.metrics()) == set(lender.metrics())


def test_debt_sized_on_the_sponsor_is_carried_by_the_lender(library: Library) -> None:
    value = value_case(_changed(library, debt__sized_on="sponsor"), LAW)
    assert value.sponsor.min_dscr == pytest.approx(1.4, rel=1e-9)
    assert value.lender.debt_usd == pytest.approx(value.sponsor.debt_usd, rel=1e-9)
    assert value.lender.min_dscr < 1.4


def test_a_lower_cap_binds_in_the_sponsors_view_too(library: Library) -> None:
    value = value_case(_changed(library, debt__gearing_cap=0.2), LAW)
    for view in value.views:
        assert view.gearing <= 0.2 + 1e-9
        assert view.min_dscr >= 1.4 - 1e-9
    assert value.sponsor.gearing == pytest.approx(0.2)


def test_tables_of_an_outcome_have_one_shape(rich_value: CaseValue) -> None:
    outcome = rich_value.sponsor.outcome
    assert outcome.equity.shape == (3 + 10, 1)
    assert outcome.cash_flow.shape == outcome.service.shape == outcome.taxes.total.shape == (10, 1)
    assert outcome.residual < 1e-10


# ---------------------------------------------------------------- price at return


def test_the_price_plugged_back_earns_the_return(
    rich: LoadedCase, rich_value: CaseValue, library: Library
) -> None:
    back = _sold_at(rich, rich_value.price_at_return, library)
    assert back.sponsor.npv_usd == pytest.approx(0.0, abs=1e-3)
    assert back.sponsor.irr == pytest.approx(0.1, abs=1e-10)
    dearer = _sold_at(rich, rich_value.lender_price_at_return, library)
    assert dearer.lender.npv_usd == pytest.approx(0.0, abs=1e-3)


def test_price_rises_with_the_return_asked(rich: LoadedCase) -> None:
    prices = [price_at_return(rich, LAW, target) for target in (0.0, 0.05, 0.1, 0.2, 0.4)]
    assert np.all(np.diff(prices) > 0)


def test_the_gap_is_the_price_less_the_reference(rich_value: CaseValue) -> None:
    assert rich_value.reference_price == 1_500.0
    assert rich_value.price_gap == pytest.approx(rich_value.price_at_return - 1_500.0)
    assert rich_value.price_gap_before_policy == pytest.approx(rich_value.price_gap)  # no policy here
    levelised = rich_value.sponsor.levelised_cost
    assert rich_value.abatement_cost == pytest.approx((levelised - 1_500.0) / 9.0)


def test_a_credit_lowers_the_price_by_itself_where_nothing_is_taxed(library: Library) -> None:
    """1 USD/kg over the whole life, no tax, no debt, no inflation: 1,000 USD/t, even below a price of 0."""
    loaded = small_case(library, {"production": {"policy_product": "hydrogen"}})
    for rate in (1.0, 10.0):
        answer = Answer("c", "", "production_credit", "pays", "", quantity="hydrogen", rate=np.full(10, rate),
                        tax_character="tax_free")  # fmt: skip
        value = value_case(loaded, Setting((answer,), quantity_units=(("hydrogen", "kg"),)))
        assert value.price_before_policy - value.price_at_return == pytest.approx(1_000.0 * rate, rel=1e-9)
    assert value.price_at_return < 0


def test_a_grant_of_all_that_is_spent_leaves_running_cost(library: Library) -> None:
    loaded = small_case(library, {"support": {"grants": {"all": {"share": 1.0}}}})
    assert value_case(loaded, Setting()).price_at_return == pytest.approx(500.0, rel=1e-9)


# ---------------------------------------------------------------- directions


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("revenue__offtake__price", [{"value": x, "unit": "USD/t"} for x in (5_000.0, 4_500.0, 4_000.0)]),
        ("revenue__spot__price", [{"value": x, "unit": "USD/t"} for x in (3_500.0, 3_000.0, 1_000.0)]),
        ("production__utilisation", [0.95, 0.9, 0.8]),
        ("production__degradation", [0.0, 0.01, 0.03]),
        ("capital__cost", [{"value": x, "unit": "MUSD"} for x in (80.0, 100.0, 150.0)]),
        ("inputs__power__price", [{"value": x, "unit": "USD/MWh"} for x in (40.0, 60.0, 120.0)]),
        ("costs__operation__fixed", [4e6, 5e6, 8e6]),
        ("returns__equity", [0.09, 0.12, 0.2]),
        ("debt__fee", [0.0, 0.01, 0.05]),
        ("tax__federal_rate", [0.1, 0.21, 0.4]),
        ("tax__state_rate", [0.0, 0.08, 0.2]),
    ],
)
def test_worse_is_worse(library: Library, path: str, values: list[Any]) -> None:
    """From best to worst: sponsor's and lender's value fall."""
    found = [value_case(_changed(library, **{path: value}), LAW) for value in values]
    assert np.all(np.diff([one.sponsor.npv_usd for one in found]) < 0)
    assert np.all(np.diff([one.lender.npv_usd for one in found]) < 1e-6)


def test_bonus_depreciation_is_worth_something_to_who_pays_tax(library: Library) -> None:
    changes = {"tax__losses": "used_at_once"}
    slow, fast = (value_case(_changed(library, tax__bonus=share, **changes), LAW) for share in (0.0, 1.0))
    assert fast.sponsor.npv_usd > slow.sponsor.npv_usd
    waits = value_case(_changed(library, tax__bonus=1.0), LAW)
    assert waits.sponsor.npv_usd < fast.sponsor.npv_usd


# ---------------------------------------------------------------- units and money


def _numbers(value: CaseValue) -> dict[str, float]:
    found = {f"{view.name} {name}": number for view in value.views for name, number in view.metrics().items()}
    return {**found, "price": value.price_at_return, "abatement": value.abatement_cost}


COST = {"value": 100.0, "low": 90.0, "high": 150.0, "unit": "MUSD", "currency_year": 2020}


def _times(factor: float, unit: str) -> dict[str, Any]:
    """The cost of the rich case in another unit."""
    ends = {end: COST[end] * factor for end in ("value", "low", "high")}  # type: ignore[operator]
    return {**ends, "unit": unit, "currency_year": 2020}


def _stated(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit}


@pytest.mark.parametrize(
    "changes",
    [
        {"production__capacity": _stated(1e7, "kg/yr")},
        {"production__capacity": _stated(10.0, "kt/yr")},
        {"capital__cost": _times(1e6, "USD")},
        {"capital__cost": _times(100.0, "USD/(t/yr)")},
        {"revenue__offtake__price": _stated(4.5, "USD/kg")},
        {
            "inputs__power__price": _stated(0.06, "USD/kWh"),
            "inputs__power__use": _stated(5.0, "kWh/kg"),
        },
        {
            "inputs__power__use": _stated(18.0, "GJ/t"),
            "inputs__power__price": _stated(60 / 3.6, "USD/GJ"),
        },
        {"costs__operation__fixed": _stated(5.0, "MUSD/yr")},
        {"debt__rate": _stated(7.0, "%/yr")},
        {"production__by_products": {"co2_stored": _stated(10_000.0, "kg/t")}},
    ],
)
def test_the_unit_something_is_stated_in_changes_nothing(
    library: Library, rich_value: CaseValue, changes: dict[str, Any]
) -> None:
    again = _numbers(value_case(_changed(library, **changes), LAW))
    for name, number in _numbers(rich_value).items():
        assert again[name] == pytest.approx(number, rel=1e-8, abs=1e-8, nan_ok=True), name


def test_a_product_counted_in_kilograms(library: Library, rich_value: CaseValue) -> None:
    again = value_case(_changed(library, production__unit="kg"), LAW)
    assert again.sponsor.npv_usd == pytest.approx(rich_value.sponsor.npv_usd, rel=1e-9)
    assert again.price_at_return * 1_000 == pytest.approx(rich_value.price_at_return, rel=1e-8)
    assert again.sponsor.levelised_cost * 1_000 == pytest.approx(rich_value.sponsor.levelised_cost, rel=1e-9)
    assert again.price_gap * 1_000 == pytest.approx(rich_value.price_gap, rel=1e-8)
    assert again.abatement_cost == pytest.approx(rich_value.abatement_cost, rel=1e-8)


def test_twice_the_plant_is_worth_twice_as_much(library: Library, rich_value: CaseValue) -> None:
    twice = _changed(
        library,
        production__capacity={"value": 20_000.0, "unit": "t/yr"},
        capital__cost={"value": 200.0, "low": 180.0, "high": 300.0, "unit": "MUSD", "currency_year": 2020},
        costs__operation__fixed=10e6,
    )
    found = value_case(twice, LAW)
    for view, once in zip(found.views, rich_value.views, strict=True):
        assert view.npv_usd == pytest.approx(2 * once.npv_usd, rel=1e-8)
        assert view.debt_usd == pytest.approx(2 * once.debt_usd, rel=1e-8)
        assert view.min_dscr == pytest.approx(once.min_dscr, rel=1e-8)


def _inflated(library: Library, inflation: float) -> CaseValue:
    """The rich case without what is nominal: tax books, reserves, cash in trade, fee, salvage."""
    shifted = lambda rate: (1 + rate) * (1 + inflation) - 1  # noqa: E731
    changes: dict[str, Any] = {
        "inflation": inflation,
        "working_capital": {},
        "reserves": {"debt_service_months": 0.0},
        "debt": {**DEBT, "rate": shifted(0.05), "fee": 0.0},
        "capital": {**RICH["capital"], "salvage": 0.0},
        "returns": {"equity": shifted(0.1), "project": shifted(0.1)},
    }
    return value_case(_changed(library, **changes), Setting())


def test_inflation_alone_changes_no_real_result(library: Library) -> None:
    """Every nominal rate shifted with it: the same in money of the price year."""
    still, moving = _inflated(library, 0.0), _inflated(library, 0.04)
    deflator = 1.04**3  # first spending falls three years after the middle of the price year
    for before, after in zip(still.views, moving.views, strict=True):
        assert after.npv_usd / deflator == pytest.approx(before.npv_usd, rel=1e-9)
        assert (1 + after.irr) / 1.04 == pytest.approx(1 + before.irr, rel=1e-9)
        assert after.min_dscr == pytest.approx(before.min_dscr, rel=1e-9)
        assert after.levelised_cost == pytest.approx(before.levelised_cost, rel=1e-9)
        assert after.debt_usd / 1.04**5 == pytest.approx(before.debt_usd, rel=1e-9)
    assert moving.price_at_return == pytest.approx(still.price_at_return, rel=1e-8)


def test_a_later_plant_is_the_same_plant_in_real_terms(library: Library) -> None:
    later = {"project": {"sector": "hydrogen", "in_service": dt.date(2040, 1, 1)}}
    now, then = (value_case(_changed(library, **one), LAW) for one in ({}, later))
    assert then.sponsor.npv_usd / 1.02**10 == pytest.approx(now.sponsor.npv_usd, rel=1e-9)
    assert then.price_at_return == pytest.approx(now.price_at_return, rel=1e-8)


# ---------------------------------------------------------------- many at once


def test_many_numbers_at_once_are_each_alone(rich: LoadedCase) -> None:
    from cleanhub.finance.case_value import view_of

    costs = np.array([80e6, 100e6, 130e6])
    together = view_of(Reading(rich, rich.values.with_values(**{"capital.cost": costs}), LAW), "all")
    for case, cost in enumerate(costs):
        alone = view_of(Reading(rich, rich.values.with_values(**{"capital.cost": cost}), LAW), "one")
        np.testing.assert_allclose(
            together.outcome.equity[:, case], alone.outcome.equity[:, 0], rtol=1e-12, atol=1e-4
        )


# ---------------------------------------------------------------- archetypes


@pytest.mark.parametrize("name", list_archetypes())
def test_archetypes_hold_together(name: str, library: Library) -> None:
    """Price plugged back, books balanced, the lender never above the sponsor, cap and cover kept."""
    loaded = load_archetype(name, library)
    value = value_case(loaded, LAW)
    sponsor, lender = value.views
    scale = float(sponsor.lines.spending.sum())
    if sponsor.lines.revenue.sum() >= sponsor.lines.cost.sum():  # else making less is losing less
        assert lender.npv_usd <= sponsor.npv_usd + 1e-9 * scale
    assert value.lender_price_at_return >= value.price_at_return * (1 - 1e-9)
    for view in value.views:
        uses, sources = sum(view.outcome.uses.values()), sum(view.outcome.sources.values())
        np.testing.assert_allclose(uses, sources, rtol=0, atol=1e-10 * scale)
        if loaded.case.debt.kind != "none":
            assert view.gearing <= float(loaded.values("debt.gearing_cap")) + 1e-9
            assert abs(view.outcome.balance[-1, 0]) < 1e-9 * scale
        assert view.outcome.residual < 1e-10
        for rate in view.all_irr:
            flows = view.outcome.equity[:, 0]
            year = np.arange(len(flows))
            assert abs((flows * (1 + rate) ** -year).sum()) < 1e-6 * np.abs(flows * (1 + rate) ** -year).sum()
    if (
        not np.isnan(lender.min_dscr)
        and not loaded.case.support.loans
        and loaded.case.support.guarantee is None
    ):
        assert lender.min_dscr >= float(loaded.values("debt.cover_ratio")) * (1 - 1e-9)
    assert value.price_at_return > 0
    back = _sold_at(loaded, value.price_at_return, library)
    assert abs(back.sponsor.npv_usd) < 1e-8 * scale


def test_silencing_the_policies_of_a_setting(library: Library) -> None:
    loaded = small_case(library, {"production": {"policy_product": "hydrogen"}})
    answer = Answer("c", "", "production_credit", "pays", "", quantity="hydrogen", rate=np.full(10, 0.5))
    units = (("hydrogen", "kg"),)
    paid = value_case(loaded, Setting((answer,), quantity_units=units))
    silent = value_case(loaded, Setting((answer,), quantity_units=units).without("c"))
    none = value_case(loaded, Setting())
    assert silent.sponsor.npv_usd == none.sponsor.npv_usd < paid.sponsor.npv_usd
    assert paid.price_before_policy == pytest.approx(none.price_at_return, rel=1e-12)
    assert replace(paid.setting, answers=()) == replace(silent.setting, answers=())
