"""Support that closes a gap: plugged back into the case it does, and its public cost is computed by hand."""

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
from cleanhub.finance.case_value import CaseValue, value_case
from cleanhub.finance.cases import LoadedCase, case_of, load_archetype
from cleanhub.finance.price_search import price_at_return
from cleanhub.finance.support_needed import INSTRUMENTS, Package, support_needed, support_terms
from cleanhub.hub.library import Library

TAXED = Setting(tax=TaxTerms(0.21, 0.0884, 1.0))
PLANT: dict[str, Any] = {
    "name": "plant",
    "title": "A plant that does not pay yet",
    "project": {"sector": "hydrogen", "in_service": dt.date(2030, 1, 1)},
    "production": {"product": "hydrogen", "unit": "t", "capacity": 1000.0, "utilisation": 0.9, "life": 15},
    "capital": {"cost": 40e6, "spending": [0.4, 0.6]},
    "costs": {"operation": {"fixed": 1e6}},
    "revenue": {
        "offtake": {"price": {"value": 5500, "unit": "USD/t"}, "share": 0.8, "contracted": True},
        "merchant": {"price": {"value": 4500, "unit": "USD/t"}, "share": 0.2},
    },
    "working_capital": {"receivable_days": 30},
    "debt": {"tenor": 10, "cover_ratio": 2.0, "gearing_cap": 0.9},
    "reference": {"emissions_avoided": {"value": 9.0, "unit": "t/t"}},
}
PUBLIC = 0.03


def plant(library: Library, **changes: Any) -> LoadedCase:
    data = copy.deepcopy(PLANT)
    return case_of(merged_mapping(data, changes) if changes else data, library)


def alone(case: LoadedCase, name: str, **more: Any) -> Package:
    found = support_needed(case, TAXED, instruments=[name], pairs=False, **more)
    assert len(found) == 1
    return found[0]


def plugged(case: LoadedCase, support: dict[str, Any], **changes: Any) -> CaseValue:
    data = merged_mapping(copy.deepcopy(dict(case.data)), {"support": support, **changes})
    return value_case(case_of(data, case.library), TAXED)


def discounted(flows: Any, first: int, rate: float = PUBLIC) -> float:
    """Present value by hand; ``first`` is the place of the first flow, 0 being that of NPV."""
    return sum(float(flow) / (1.0 + rate) ** (first + year) for year, flow in enumerate(flows))


# ---------------------------------------------------------------- each instrument alone


def test_the_case_has_a_gap(library: Library) -> None:
    assert value_case(plant(library), TAXED).sponsor.npv_usd < -1e6


def test_a_grant_closes_the_gap_and_no_less_does(library: Library) -> None:
    case = plant(library)
    found = alone(case, "grant")
    amount = found.amounts["grant"]
    assert found.closes
    assert found.units == {"grant": "USD"}
    assert 0 <= found.npv_usd < 0.01
    with_grant = plugged(case, {"grants": {"found": {"amount": amount}}})
    assert with_grant.sponsor.npv_usd == pytest.approx(0.0, abs=0.01)
    assert plugged(case, {"grants": {"found": {"amount": amount - 100.0}}}).sponsor.npv_usd < 0
    assert found.debt_usd == pytest.approx(with_grant.sponsor.debt_usd, rel=1e-9)
    assert found.gap_closed == 1.0


def test_a_grant_costs_the_public_what_it_pays_when_it_pays(library: Library) -> None:
    found = alone(plant(library), "grant")
    amount = found.amounts["grant"]
    assert found.public_cost_usd == pytest.approx(0.4 * amount + 0.6 * amount / 1.03, rel=1e-9)
    assert found.expected_loss_usd == 0.0
    assert found.cost_per_tonne == pytest.approx(found.public_cost_usd / (900.0 * 9.0 * 15), rel=1e-9)


def test_a_loan_closes_the_gap_at_its_subsidy_and_its_losses(library: Library) -> None:
    case = plant(library)
    terms = replace(support_terms(case), loan_rate=0.01, loan_tenor=12, loan_grace=2, default_rate=0.02)
    found = alone(case, "loan", terms=terms)
    amount = found.amounts["loan"]
    loan = {"amount": amount, "rate": 0.01, "tenor": 12, "grace": 2}
    assert found.closes
    value = plugged(case, {"loans": {"found": loan}})
    assert value.sponsor.npv_usd == pytest.approx(0.0, abs=0.01)
    # drawn as the capital is spent, so that the balance at service is the amount
    spent = value.sponsor.lines.spending[:, 0]
    share = spent / spent.sum()
    drawn = amount * share / (share[0] * 1.01 + share[1])
    # two years of interest, then ten equal payments
    payment = amount * 0.01 / (1.0 - 1.01**-10)
    service = [0.01 * amount] * 2 + [payment] * 10 + [0.0] * 3
    owed = [amount] * 3 + [0.0] * 12
    for year in range(3, 12):
        owed[year] = owed[year - 1] * 1.01 - payment
    senior = np.concatenate([value.sponsor.outcome.debt, value.sponsor.outcome.balance[:-1, 0]])
    losses = [0.02 * min(own, 0.5 * (own + debt)) for own, debt in zip(owed, senior, strict=True)]
    assert found.expected_loss_usd == pytest.approx(discounted(losses, 2), rel=1e-6)
    expected = discounted(drawn, 0) - discounted(service, 2) + discounted(losses, 2)
    assert found.public_cost_usd == pytest.approx(expected, rel=1e-6)


def test_a_first_loss_tranche_needs_less_than_a_plain_loan(library: Library) -> None:
    case = plant(library)
    terms = support_terms(case)
    plain, tranche = alone(case, "loan"), alone(case, "first_loss")
    amount = tranche.amounts["first_loss"]
    assert 0 < amount < plain.amounts["loan"]
    spent = float(value_case(case, TAXED).sponsor.lines.spending.sum())
    part = min(amount / (terms.first_loss_full_share * spent), 1.0)
    cover = 2.0 - (2.0 - terms.first_loss_cover_ratio) * part
    loan = {"amount": amount, "rate": terms.loan_rate, "tenor": terms.loan_tenor, "grace": terms.loan_grace}
    value = plugged(case, {"loans": {"found": loan}}, debt={"cover_ratio": cover})
    assert value.sponsor.npv_usd == pytest.approx(0.0, abs=0.01)


def test_a_guarantee_costs_expected_losses_less_fees(library: Library) -> None:
    case = plant(library, revenue={"offtake": {"price": {"value": 7700}}})
    assert value_case(case, TAXED).sponsor.npv_usd < 0
    terms = replace(support_terms(case), guarantee_fee=0.004, default_rate=0.03, recovery=0.4)
    found = alone(case, "guarantee", terms=terms)
    share = found.amounts["guarantee"]
    assert found.closes
    assert found.units == {"guarantee": "1"}
    cover = 2.0 - (2.0 - terms.guarantee_cover_ratio) * share / terms.guarantee_most_share
    guarantee = {"share": share, "rate_cut": terms.guarantee_rate_cut, "fee": 0.004}
    value = plugged(case, {"guarantee": guarantee}, debt={"cover_ratio": cover})
    assert value.sponsor.npv_usd == pytest.approx(0.0, abs=0.01)
    outcome = value.sponsor.outcome
    opening = np.concatenate([outcome.debt, outcome.balance[:-1, 0]])
    losses = discounted(0.03 * 0.6 * share * opening, 2)
    fees = discounted(0.004 * share * opening, 2)
    assert found.expected_loss_usd == pytest.approx(losses, rel=1e-9)
    assert found.public_cost_usd == pytest.approx(losses - fees, rel=1e-9)


def test_a_price_floor_above_all_prices_is_the_price_at_return(library: Library) -> None:
    case = plant(library)
    found = alone(case, "price_floor")
    strike = found.amounts["price_floor"]
    assert found.units == {"price_floor": "USD/t"}
    assert strike == pytest.approx(price_at_return(case, TAXED), rel=1e-8)
    growth = 1.02 ** (2030 - 2024.5 + np.arange(15) + 0.5)
    top_up = 900.0 * growth * (0.8 * (strike - 5500.0) + 0.2 * (strike - 4500.0))
    assert found.public_cost_usd == pytest.approx(discounted(top_up, 2), rel=1e-9)


def test_a_floor_below_the_contract_price_lifts_merchant_sales_only(library: Library) -> None:
    case = plant(
        library, revenue={"offtake": {"price": {"value": 7600}}, "merchant": {"price": {"value": 1000}}}
    )
    found = alone(case, "price_floor")
    strike = found.amounts["price_floor"]
    assert 1000 < strike < 7600
    firm = {"merchant": {"price": {"value": strike}, "contracted": True}}
    assert plugged(case, {}, revenue=firm).sponsor.npv_usd == pytest.approx(0.0, abs=0.1)
    growth = 1.02 ** (2030 - 2024.5 + np.arange(15) + 0.5)
    assert found.public_cost_usd == pytest.approx(discounted(180.0 * growth * (strike - 1000.0), 2), rel=1e-9)


# ---------------------------------------------------------------- what it depends on


@pytest.mark.parametrize("name", INSTRUMENTS[:3])
def test_a_wider_gap_needs_more(library: Library, name: str) -> None:
    amounts = [
        alone(plant(library, revenue={"offtake": {"price": {"value": price}}}), name).amounts[name]
        for price in (6000, 5700, 5400)
    ]
    assert amounts == sorted(amounts)
    assert amounts[0] < amounts[-1]


def test_a_project_that_pays_needs_nothing(library: Library) -> None:
    found = support_needed(plant(library, revenue={"offtake": {"price": {"value": 9000}}}), TAXED)
    assert len(found) == 1
    assert found[0].name == "nothing"
    assert found[0].closes
    assert found[0].public_cost_usd == 0.0
    assert "no gap" in found[0].because


def test_a_cover_ratio_can_be_asked_besides(library: Library) -> None:
    """Debt sized by the sponsor: lenders' least cover is below 1 until the floor covers merchant sales."""
    case = plant(
        library,
        debt={"sized_on": "sponsor", "cover_ratio": 1.2, "kind": "level"},
        revenue={"offtake": {"price": {"value": 11000}, "share": 0.5}, "merchant": {"share": 0.5}},
    )
    value = value_case(case, TAXED)
    assert value.sponsor.npv_usd > 0
    assert value.lender.min_dscr < 1.1
    assert support_needed(case, TAXED)[0].name == "nothing"
    found = alone(case, "price_floor", cover=1.1)
    assert found.closes
    assert found.min_dscr == pytest.approx(1.1, rel=1e-6)
    missed = alone(case, "guarantee", cover=5.0)
    assert not missed.closes
    assert "cover ratio asked, 5" in missed.because


def test_what_cannot_close_the_gap_says_how_much_it_does(library: Library) -> None:
    case = plant(
        library, revenue={"offtake": {"price": {"value": 700}}, "merchant": {"price": {"value": 700}}}
    )
    found = support_needed(case, TAXED, instruments=["grant", "guarantee"], pairs=False)
    assert not any(one.closes for one in found)
    assert 0 < found[0].gap_closed < 1
    assert "% of the gap at most" in found[0].because
    assert found[0].npv_usd < 0
    gaps = [one.gap_closed for one in found]
    assert gaps == sorted(gaps, reverse=True)


def test_what_cannot_be_given_says_why(library: Library) -> None:
    undebted = plant(library, debt={"kind": "none"})
    found = {one.name: one for one in support_needed(undebted, TAXED, pairs=False)}
    assert "no senior debt" in found["guarantee"].because
    assert "no senior debt" in found["first_loss"].because
    assert found["grant"].closes
    guaranteed = plant(library, support={"guarantee": {"share": 0.5, "rate_cut": 0.01}})
    assert "has a guarantee already" in alone(guaranteed, "guarantee").because
    unsold = dict(PLANT, revenue={})
    case = case_of({**copy.deepcopy(unsold)}, library)
    assert "no product is sold" in alone(case, "price_floor").because
    paid = plant(library, support={"grants": {"all": {"share": 1.0}}}, costs={"operation": {"fixed": 9e6}})
    assert "nothing is left to pay for" in alone(paid, "grant").because


def test_support_that_the_case_has_is_kept_and_not_counted(library: Library) -> None:
    case = plant(library, support={"grants": {"state": {"amount": 3e6}}, "loans": {"bank": {"amount": 2e6}}})
    found, without = alone(case, "grant"), alone(plant(library), "grant")
    assert found.amounts["grant"] < without.amounts["grant"] - 3e6
    assert found.public_cost_usd < found.amounts["grant"]
    both = {"grants": {"found": {"amount": found.amounts["grant"]}}}
    assert plugged(case, both).sponsor.npv_usd == pytest.approx(0.0, abs=0.01)


def test_a_case_without_tonnes_has_no_cost_per_tonne(library: Library) -> None:
    data = {key: item for key, item in PLANT.items() if key != "reference"}
    assert math.isnan(alone(case_of(copy.deepcopy(data), library), "grant").cost_per_tonne)


def test_owners_who_pay_in_for_a_loan_are_named(library: Library) -> None:
    terms = replace(support_terms(plant(library)), loan_tenor=3)
    found = alone(plant(library), "first_loss", terms=terms)
    assert found.short_years > 0
    assert alone(plant(library), "grant").short_years == 0


# ---------------------------------------------------------------- two together


def test_pairs_are_cheaper_than_both_alone_and_close_the_gap(library: Library) -> None:
    case = plant(library)
    tried = ("grant", "loan", "guarantee", "price_floor")
    found = support_needed(case, TAXED, instruments=tried)
    singles = {one.name: one for one in found if len(one.amounts) == 1}
    pairs = [one for one in found if len(one.amounts) == 2]
    assert set(singles) == set(tried)
    assert pairs
    for pair in pairs:
        assert pair.closes
        assert 0 <= pair.npv_usd < 0.01
        for name in pair.amounts:
            if singles[name].closes:
                assert pair.public_cost_usd < singles[name].public_cost_usd
    closing = [one.public_cost_usd for one in found if one.closes]
    assert closing == sorted(closing)


def test_a_pair_closes_what_neither_closes_alone(library: Library) -> None:
    # a guarantee is small and a grant of the whole capital is not enough: a floor must come with them
    case = plant(
        library, revenue={"offtake": {"price": {"value": 700}}, "merchant": {"price": {"value": 700}}}
    )
    found = support_needed(case, TAXED, instruments=["grant", "price_floor"])
    assert found[0].name == "grant + price_floor"
    assert not next(one for one in found if one.name == "grant").closes
    assert found[0].public_cost_usd < next(one for one in found if one.name == "price_floor").public_cost_usd


def test_no_more_is_paid_for_than_the_plant_costs(library: Library) -> None:
    case = plant(library, revenue={"offtake": {"price": {"value": 3000}}})
    for one in support_needed(case, TAXED, instruments=["grant", "loan"]):
        drawn = sum(one.amounts.get(name, 0.0) for name in ("grant", "loan", "first_loss"))
        spent = float(value_case(case, TAXED).sponsor.lines.spending.sum())
        assert drawn <= spent * 1.1  # interest in construction is part of a loan's balance


# ---------------------------------------------------------------- terms


def test_terms_come_from_the_library(library: Library) -> None:
    case = plant(library)
    table = library.tables["support_terms"].copy()
    table.loc[table["item"] == "guarantee_rate_cut", "value"] = 0.05
    other = replace(case, library=replace(library, tables={**library.tables, "support_terms": table}))
    assert support_terms(other).guarantee_rate_cut == 0.05
    assert support_terms(case).guarantee_rate_cut != 0.05
    one, two = alone(case, "guarantee"), alone(other, "guarantee")
    assert one.npv_usd != two.npv_usd


def test_terms_can_be_changed_and_unknown_ones_are_refused(library: Library) -> None:
    assert support_terms(plant(library), default_rate=0.1).default_rate == 0.1
    with pytest.raises(TypeError):
        support_terms(plant(library), price=1.0)


def test_an_unknown_instrument_is_refused(library: Library) -> None:
    with pytest.raises(InputError, match="first_loss") as caught:
        support_needed(plant(library), TAXED, instruments=["grant", "lottery"])
    assert caught.value.exit_code == 2


def test_a_case_laid_on_an_archetype_is_not_laid_on_it_again(library: Library) -> None:
    """What a case dropped from its archetype stays dropped."""
    case = case_of(
        {"name": "mine", "based_on": "heat-pump", "title": "Mine", "costs": {"dropped": None}}, library
    )
    base = load_archetype("heat-pump", library)
    dropped = next(iter(base.case.costs), None) or next(iter(base.case.inputs))
    group = "costs" if dropped in base.case.costs else "inputs"
    case = case_of(
        {"name": "mine", "title": "Mine", "based_on": "heat-pump", group: {dropped: None}}, library
    )
    found = alone(case, "grant")
    base_npv = value_case(case, TAXED).sponsor.npv_usd
    assert found.npv_usd - base_npv == pytest.approx(-found.gap_closed * base_npv, rel=1e-6) or found.closes
