"""From a case to yearly lines, checked by hand on a plant with round numbers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from small_case import small_case

from cleanhub.finance.build import Reading, Setting, TaxTerms, operating_years
from cleanhub.finance.engine import run
from cleanhub.hub.library import Library
from cleanhub.policy.applicant import Answer


def _read(
    library: Library,
    changes: dict[str, Any] | None = None,
    setting: Setting | None = None,
    lender: bool = False,
    **numbers: Any,
) -> Reading:
    loaded = small_case(library, changes)
    return Reading(loaded, loaded.values.with_values(**numbers), setting or Setting(), lender=lender)


def _answer(rate: float, years: int = 10, **changes: Any) -> Answer:
    return Answer(
        **{
            "policy": "credit",
            "name": "A credit",
            "instrument": "production_credit",
            "answer": "pays",
            "because": "it does",
            "quantity": "hydrogen",
            "rate": np.where(np.arange(10) < years, rate, 0.0),
            "tax_character": "tax_free",
            **changes,
        }
    )


def _paid(library: Library, answer: Answer, **others: Any) -> Reading:
    changes = {"production": {"policy_product": "hydrogen"}, **others.pop("changes", {})}
    setting = Setting((answer,), quantity_units=(("hydrogen", "kg"),))
    return _read(library, changes, setting, **others)


# ---------------------------------------------------------------- time and money


@pytest.mark.parametrize(
    ("day", "first"),
    [((2030, 1, 1), 2030), ((2030, 6, 30), 2030), ((2030, 7, 1), 2031), ((2030, 12, 31), 2031)],
)
def test_an_operating_year_is_the_calendar_year_of_its_middle(day: tuple[int, int, int], first: int) -> None:
    assert operating_years(dt.date(*day), 3).tolist() == [first, first + 1, first + 2]


def test_money_grows_from_the_middle_of_the_price_year(library: Library) -> None:
    reading = _read(library, {"inflation": 0.02, "capital": {"spending": [0.25, 0.75]}})
    np.testing.assert_allclose(reading.inflation[:, 0], 1.02 ** np.arange(6, 16))  # mid-2030 is 6 years on
    np.testing.assert_allclose(reading.spending[:, 0], [25e6 * 1.02**4, 75e6 * 1.02**5])
    later = _read(library, {"inflation": 0.02, "project": {"in_service": dt.date(2030, 7, 1)}})
    assert later.inflation[0, 0] == pytest.approx(1.02**6.5)


def test_escalation_comes_on_top_of_inflation(library: Library) -> None:
    changes = {
        "inflation": 0.02,
        "capital": {"escalation": 0.01},
        "costs": {"operation": {"escalation": 0.03}},
        "revenue": {"offtake": {"escalation": -0.01}},
    }
    reading = _read(library, changes)
    assert reading.spending[0, 0] == pytest.approx(100e6 * (1.02 * 1.01) ** 5)
    assert reading.cost_lines()["operation"][3, 0] == pytest.approx(5e6 * (1.02 * 1.03) ** 9)
    assert reading.sales_lines()["offtake"][0][3, 0] == pytest.approx(3e7 * (1.02 * 0.99) ** 9)


def test_a_price_that_is_not_indexed_grows_from_the_first_year_only(library: Library) -> None:
    reading = _read(
        library, {"inflation": 0.02, "revenue": {"offtake": {"indexed": False, "escalation": 0.01}}}
    )
    np.testing.assert_allclose(reading.sales_lines()["offtake"][0][:, 0], 3e7 * 1.01 ** np.arange(10))


# ---------------------------------------------------------------- what is made


def test_output_with_ramp_use_and_degradation(library: Library) -> None:
    production = {"utilisation": 0.8, "ramp_up": [0.5, 0.75], "degradation": 0.01}
    made = _read(library, {"production": production}).made[:, 0]
    np.testing.assert_allclose(made[:4], 8_000.0 * np.array([0.5, 0.75 * 0.99, 0.99**2, 0.99**3]))


def test_by_products_are_counted_in_their_own_unit(library: Library) -> None:
    changes = {
        "production": {"by_products": {"co2_stored": {"value": 17_500.0, "unit": "kg/t"}}},
        "revenue": {"stored": {"quantity": "co2_stored", "price": {"value": 40.0, "unit": "USD/t"}}},
    }
    reading = _read(library, changes)
    assert reading.quantity("co2_stored")[0, 0] == pytest.approx(1.75e8)
    assert reading.sales_lines()["stored"][0][0, 0] == pytest.approx(10_000 * 17.5 * 40.0)


def test_a_pioneer_plant_starts_slowly(library: Library) -> None:
    """The worked example of the method: 57 % of design in the first year, 1.76 times the estimate."""
    pioneer = {
        "unproven_share": 40.0,
        "impurities": 4.0,
        "complexity": 6.0,
        "inclusiveness": 33.0,
        "project_definition": 5.0,
        "new_steps": 2.0,
        "balances": 50.0,
        "waste": 2.0,
        "solids": True,
    }
    reading = _read(library, {"capital": {"pioneer": pioneer}})
    shares = reading.made[:, 0] / 10_000
    assert shares[0] == pytest.approx(0.57, abs=0.01)
    np.testing.assert_allclose(shares[1:3], [(1 + shares[0]) / 2, 1.0])
    assert float(reading.cost_growth) == pytest.approx(1.76, abs=0.01)


# ---------------------------------------------------------------- capital


@pytest.mark.parametrize(
    ("capital", "expected"),
    [
        ({"cost": {"value": 10_000.0, "unit": "USD/(t/yr)"}}, 100e6),
        ({"cost": {"value": 10.0, "unit": "USD/(kg/yr)"}}, 100e6),
        ({"cost_growth": 1.5}, 150e6),
        ({"scope": "total_plant", "owners_cost": 0.1}, 110e6),
        ({"scope": "total_overnight", "owners_cost": 0.1}, 100e6),
        (
            {"scope": "bare_erected", "engineering_fee": 0.1, "process_contingency": 0.2,
             "project_contingency": 0.15, "owners_cost": 0.05},
            100e6 * (1.1 + 0.2) * 1.15 * 1.05,
        ),
        (  # half of it halved twice by 20 %
            {"learning": {"stack": {"share": 0.5, "rate": 0.2, "units_before": 2.0, "units_by_then": 8.0}}},
            100e6 * (0.5 + 0.5 * 0.64),
        ),
    ],
)  # fmt: skip
def test_capital(library: Library, capital: dict[str, Any], expected: float) -> None:
    assert float(np.asarray(_read(library, {"capital": capital}).real_capital)) == pytest.approx(expected)


def test_renewals_and_money_put_by_for_them(library: Library) -> None:
    replacements = {"stack": {"share": 0.2, "every": 4}}
    changes = {
        "inflation": 0.02,
        "capital": {"replacements": replacements},
        "reserves": {"maintenance_years": 3},
    }
    lines = _read(library, changes).lines()
    expected = np.zeros(10)
    expected[[3, 7]] = 20e6 * 1.02 ** np.array([9, 13])
    np.testing.assert_allclose(lines.renewal[:, 0], expected)
    np.testing.assert_allclose(lines.set_aside[1:4, 0], expected[3] / 3)
    assert lines.set_aside.sum() == pytest.approx(lines.renewal.sum())
    assert np.all(np.cumsum(lines.set_aside[:, 0]) >= np.cumsum(expected) - 1e-6)
    changes["reserves"] = {"maintenance_years": 0}
    np.testing.assert_allclose(_read(library, changes).lines().set_aside[:, 0], expected)


def test_nothing_is_renewed_in_the_last_year(library: Library) -> None:
    changes = {"capital": {"replacements": {"all": {"share": 0.1, "every": 5}}}}
    assert np.flatnonzero(_read(library, changes).renewals[:, 0]).tolist() == [4]


def test_salvage_is_a_share_of_what_was_spent(library: Library) -> None:
    assert float(np.squeeze(_read(library, {"capital": {"salvage": 0.05}}).lines().salvage)) == 5e6


# ---------------------------------------------------------------- costs and working capital


def test_costs_add_up(library: Library) -> None:
    changes = {
        "inputs": {
            "gas": {"use": {"value": 2.0, "unit": "MWh/kg"}, "price": {"value": 3.0, "unit": "USD/GJ"}}
        },
        "costs": {
            "operation": {
                "fixed": {"value": 1.0, "unit": "MUSD/yr"},
                "variable": {"value": 0.2, "unit": "USD/kg"},
                "share_of_capital": 0.03,
            }
        },
    }
    reading = _read(library, changes)
    lines = reading.cost_lines()
    assert lines["gas"][0, 0] == pytest.approx(10_000 * 2_000 * 3.6 * 3.0)
    assert lines["operation"][0, 0] == pytest.approx(1e6 + 200.0 * 10_000 + 0.03 * 100e6)
    assert reading.lines().cost[0, 0] == pytest.approx(lines["gas"][0, 0] + lines["operation"][0, 0])


def test_working_capital_comes_back_at_the_end(library: Library) -> None:
    days = {"receivable_days": 36.5, "payable_days": 73.0, "inventory_days": 146.0}
    lines = _read(library, {"working_capital": days}).lines()
    np.testing.assert_allclose(lines.working_capital[:-1, 0], 0.1 * 3e7 + (0.4 - 0.2) * 5e6)
    assert lines.working_capital[-1, 0] == 0.0


# ---------------------------------------------------------------- sales, and what lenders make of them

TWO = {
    "offtake": {"share": 0.6, "last_year": 4},
    "spot": {"price": {"value": 2_000.0, "unit": "USD/t"}, "share": 0.4},
}


def test_sales_by_contract_and_by_market(library: Library) -> None:
    lines = _read(library, {"revenue": TWO}).lines()
    np.testing.assert_allclose(lines.revenue[:, 0], np.where(np.arange(10) < 4, 18e6, 0.0) + 8e6)
    np.testing.assert_array_equal(lines.bankable, lines.revenue)  # the sponsor counts all


@pytest.mark.parametrize(("merchant", "counted"), [(0.0, 0.0), (0.25, 2e6), (1.0, 8e6)])
def test_lenders_count_what_is_contracted(library: Library, merchant: float, counted: float) -> None:
    changes = {"revenue": TWO, "lender": {"merchant_share": merchant}}
    lines = _read(library, changes, lender=True).lines()
    np.testing.assert_allclose(lines.bankable[:, 0], np.where(np.arange(10) < 4, 18e6, 0.0) + counted)
    np.testing.assert_allclose(lines.revenue[:, 0], np.where(np.arange(10) < 4, 18e6, 0.0) + 8e6)


def test_lenders_read_figures_at_their_bad_end(library: Library) -> None:
    changes = {
        "production": {"utilisation": {"value": 0.9, "low": 0.7, "high": 0.95}},
        "capital": {"cost": {"value": 100.0, "low": 90.0, "high": 140.0, "unit": "MUSD"}},
        "debt": {"rate": {"value": 0.07, "low": 0.06, "high": 0.09}},
    }
    sponsor, lender = _read(library, changes), _read(library, changes, lender=True)
    assert sponsor.made[0, 0] == pytest.approx(9_000.0)
    assert lender.made[0, 0] == pytest.approx(7_000.0)
    assert float(np.asarray(lender.real_capital)) == 140e6
    assert float(lender.values("debt.rate")) == 0.07  # not among the figures that lenders distrust
    drawn = _read(library, changes, lender=True, **{"production.utilisation": np.array([0.8, 0.6])})
    np.testing.assert_allclose(drawn.made[0], [8_000.0, 6_000.0])


# ---------------------------------------------------------------- policies


def test_a_credit_is_paid_on_the_quantity_in_its_own_unit(library: Library) -> None:
    lines = _paid(library, _answer(0.6, years=4)).lines()
    np.testing.assert_allclose(lines.exempt[:, 0], np.where(np.arange(10) < 4, 0.6 * 1e7, 0.0))
    np.testing.assert_allclose(lines.revenue[:, 0], 3e7)


@pytest.mark.parametrize("character", ["taxable", "tax_free", "tax_credit"])
def test_tax_character_decides_the_line(library: Library, character: str) -> None:
    lines = _paid(library, _answer(0.6, tax_character=character)).lines()
    where = {"taxable": lines.revenue - 3e7, "tax_free": lines.exempt, "tax_credit": lines.tax_credit}
    np.testing.assert_allclose(where[character], 6e6)
    others = [
        lines.revenue - 3e7,
        lines.exempt,
        np.zeros(1) if lines.tax_credit is None else lines.tax_credit,
    ]
    assert sum(float(np.abs(one).max()) > 0 for one in others) == 1


def test_transfer_discount_and_lag(library: Library) -> None:
    lines = _paid(library, _answer(1.0, years=4, transfer_price=0.9, lag_years=1.25)).lines()
    paid = lines.exempt[:, 0] / (0.9 * 1e7)
    np.testing.assert_allclose(paid[:7], [0.0, 0.75, 1.0, 1.0, 1.0, 0.25, 0.0], atol=1e-12)
    late = _paid(library, _answer(1.0, lag_years=1.0)).lines().exempt[:, 0] / 1e7
    np.testing.assert_allclose(late, [0.0, *[1.0] * 8, 2.0], atol=1e-12)  # what is owed comes with the last


@pytest.mark.parametrize(("market", "expected"), [("none", 0.0), ("low", 0.4), ("value", 0.6)])
def test_lenders_and_market_credits(library: Library, market: str, expected: float) -> None:
    answer = _answer(0.6, instrument="market_credit", bankable=False, rate_low=np.full(10, 0.4),
                     rate_high=np.full(10, 1.0))  # fmt: skip
    lines = _paid(library, answer, lender=True, changes={"lender": {"market_credits": market}}).lines()
    np.testing.assert_allclose(lines.exempt_bankable, expected * 1e7)
    assert _paid(library, answer).lines().exempt[0, 0] == pytest.approx(0.6 * 1e7)


def test_a_market_credit_is_drawn_between_its_ends(library: Library) -> None:
    from cleanhub.finance.figures import Z90

    answer = _answer(0.6, bankable=False, rate_low=np.full(10, 0.4), rate_high=np.full(10, 1.0))
    drawn = _paid(library, answer, **{"policies.credit": np.array([-Z90, 0.0, Z90, -9.0])})
    np.testing.assert_allclose(drawn.lines().exempt[0] / 1e7, [0.4, 0.6, 1.0, 0.0], atol=1e-12)


def test_an_investment_credit_cuts_the_federal_basis_by_half_of_it(library: Library) -> None:
    answer = Answer("itc", "", "investment_credit", "pays", "", quantity="capital", once=30e6,
                    tax_character="tax_free", transfer_price=0.9)  # fmt: skip
    lines = _read(library, setting=Setting((answer,))).lines()
    assert lines.exempt[0, 0] == pytest.approx(27e6)
    assert not lines.exempt[1:].any()
    assert float(np.squeeze(lines.basis_cut)) == pytest.approx(15e6)
    assert float(np.squeeze(lines.state_basis_cut)) == 0.0


def test_a_share_of_capital_moves_with_the_capital(library: Library) -> None:
    answer = Answer("itc", "", "investment_credit", "pays", "", quantity="capital", once=30e6)
    drawn = _read(library, setting=Setting((answer,)), **{"capital.cost": np.array([50e6, 100e6, 200e6])})
    once = drawn.lines().revenue[0] - drawn.lines().revenue[1]
    np.testing.assert_allclose(once, [15e6, 30e6, 60e6])


def test_what_says_no_or_lends_pays_nothing(library: Library) -> None:
    for answer in (_answer(0.6, answer="no"), _answer(0.6, instrument="loan"), _answer(0.6, quantity="fuel")):
        lines = _paid(library, answer).lines()
        assert not lines.exempt.any()
    setting = Setting((_answer(0.6),)).without("credit")
    assert setting.answers == ()


# ---------------------------------------------------------------- support and terms


def test_grants_taxed_and_not(library: Library) -> None:
    grants = {"state": {"share": 0.1}, "federal": {"amount": {"value": 5.0, "unit": "MUSD"}, "taxable": True}}
    changes = {"capital": {"spending": [0.5, 0.5]}, "support": {"grants": grants}}
    lines = _read(library, changes).lines()
    np.testing.assert_allclose(lines.grants[:, 0], 7.5e6)
    assert float(np.squeeze(lines.taxed_grants)) == 5e6
    assert float(np.squeeze(lines.basis_cut)) == 10e6
    assert float(np.squeeze(lines.state_basis_cut)) == 10e6


def test_a_guarantee_cuts_rate_and_cover_and_costs_a_fee(library: Library) -> None:
    guarantee = {"share": 0.8, "rate_cut": 0.02, "fee": 0.005, "cover_ratio": 1.2}
    changes = {"debt": {"kind": "sculpted", "rate": 0.08}, "support": {"guarantee": guarantee}}
    terms = _read(library, changes).terms()
    np.testing.assert_allclose(terms.rate, 0.064)
    assert float(np.asarray(terms.cover_ratio)) == 1.2
    assert float(np.asarray(terms.balance_fee)) == pytest.approx(0.004)


def test_a_first_loss_tranche_lowers_the_cover_asked(library: Library) -> None:
    loans = {"fund": {"share": 0.1, "first_loss_cover_ratio": 1.25, "tenor": 40, "grace": 2}}
    terms = _read(library, {"debt": {"kind": "sculpted"}, "support": {"loans": loans}}).terms()
    assert float(np.asarray(terms.cover_ratio)) == 1.25
    assert terms.soft[0].tenor == 10  # no longer than the plant lives
    np.testing.assert_allclose(terms.soft[0].amount, 10e6)


def test_a_mini_perm_is_refinanced(library: Library) -> None:
    debt = {"kind": "mini_perm", "rate": {"value": 6.0, "unit": "%/yr"}, "tenor": 4, "amortisation": 8}
    terms = _read(library, {"debt": debt}).terms()
    np.testing.assert_allclose(terms.rate, 0.06)  # at the same rate, where no other is stated
    assert (terms.repayment, terms.refinanced) == (8, 4)
    terms = _read(library, {"debt": {**debt, "refinance_rate": 0.09}}).terms()
    np.testing.assert_allclose(terms.rate[:, 0], [0.06] * 4 + [0.09] * 6)


@pytest.mark.parametrize(
    "path", ["debt.rate", "debt.refinance_rate", "tax.bonus", "tax.federal_rate", "debt.fee"]
)
def test_any_figure_may_be_drawn(library: Library, path: str) -> None:
    """Many numbers at once come to the same as each alone."""
    changes = {
        "debt": {"kind": "mini_perm", "rate": 0.06, "refinance_rate": 0.08, "tenor": 4, "amortisation": 8},
        "tax": {"bonus": 0.5, "federal_rate": 0.2, "state_rate": 0.05},
    }
    numbers = np.array([0.01, 0.05, 0.12])

    def equity(given: Any) -> Any:
        reading = _read(library, changes, **{path: given})
        return run(reading.lines(), reading.terms(), reading.rules()).equity

    together = equity(numbers)
    for case, number in enumerate(numbers):
        np.testing.assert_allclose(together[:, [case]], equity(number), rtol=1e-12, atol=1e-3)


def test_every_uncertain_figure_of_an_archetype_may_be_drawn(library: Library) -> None:
    from cleanhub.finance.cases import load_archetype

    loaded = load_archetype("biomass-hydrogen-storage", library)
    moving = [path for path, figure in loaded.figures.items() if figure.uncertain]
    assert len(moving) > 3
    for path in moving:
        drawn = loaded.values.with_values(**{path: loaded.figures[path].at(np.array([-1.0, 1.0, 0.0]))})
        reading = Reading(loaded, drawn, Setting(tax=TaxTerms(0.21, 0.0884, 1.0)))
        found = run(reading.lines(), reading.terms(), reading.rules())
        assert found.equity.shape[1] == 3, path
        assert np.isfinite(found.equity).all(), path


# ---------------------------------------------------------------- tax rules


def test_tax_books_from_case_and_law(library: Library) -> None:
    law = TaxTerms(0.21, 0.0884, 1.0, 0.8, 0.5)
    rules = _read(library, {"tax": {"federal_class": 7, "state_class": 5}}, Setting(tax=law)).rules()
    np.testing.assert_allclose(rules.federal_schedule, [1.0] + [0.0] * 9)
    table = library.tables["depreciation"]
    five = table[table["recovery_years"] == 5].sort_values("year")["share"].to_numpy(float)
    np.testing.assert_allclose(rules.state_schedule[: len(five)], five)
    assert (float(np.asarray(rules.federal_rate)), float(np.asarray(rules.state_rate))) == (0.21, 0.0884)
    assert (rules.federal_loss_share, rules.state_loss_share) == (0.8, 0.5)
    own = {"federal_rate": 0.3, "state_rate": 0.0, "bonus": 0.4, "losses": "used_at_once"}
    rules = _read(library, {"tax": own}, Setting(tax=law)).rules()
    assert float(np.asarray(rules.federal_rate)) == 0.3
    assert rules.losses_at_once
    seven = table[table["recovery_years"] == 7].sort_values("year")["share"].to_numpy(float)
    assert rules.federal_schedule[0] == pytest.approx(0.4 + 0.6 * seven[0])
    assert rules.federal_schedule.sum() == pytest.approx(1.0)
    assert rules.state_schedule.sum() == pytest.approx(1.0)
