"""Policies that exclude each other: claims first, then what is worth most."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from cleanhub.core.errors import InputError
from cleanhub.policy.applicant import Answer, Applicant
from cleanhub.policy.apply import answers
from cleanhub.policy.book import PolicyBook
from cleanhub.policy.stacking import present_value

Make = Callable[..., Applicant]
Ask = Callable[..., Answer]


@pytest.fixture
def both(hydrogen: Make) -> Applicant:
    """A hydrogen plant that stores CO2: eligible for 45V and 45Q."""
    given = hydrogen()
    return replace(given, quantities={**given.quantities, "co2_stored": np.full(20, 5e4)})


def test_one_with_45v_that_asks_for_45q_is_refused_with_the_rules_name(both: Applicant, ask: Ask) -> None:
    given = replace(both, claims=("45v", "45q"))
    assert ask("45v", given).answer == "pays"
    refused = ask("45q", given)
    assert refused.answer == "no"
    assert refused.rule == "45v-not-with-45q"
    assert "45v-not-with-45q" in refused.because
    assert "claimed first" in refused.because
    assert not refused.payments.any()
    assert not refused.rate.any()


def test_the_first_claim_wins(both: Applicant, ask: Ask) -> None:
    given = replace(both, claims=("45q", "45v"))
    assert ask("45q", given).answer == "pays"
    assert ask("45v", given).rule == "45v-not-with-45q"


def test_without_claims_the_greater_present_value_wins(both: Applicant, ask: Ask) -> None:
    """1,000 t of hydrogen at about 3.4 USD/kg: 3.4 million; 50,000 t of CO2 at 90 USD/t: 4.5 million."""
    assert ask("45q", both).answer == "pays"
    assert "worth more" in ask("45v", both).because
    less = replace(both, quantities={**both.quantities, "co2_stored": np.full(20, 1.3e4)})
    assert ask("45v", less).answer == "pays"
    assert ask("45q", less).rule == "45v-not-with-45q"


def test_what_it_does_not_ask_for_excludes_nothing(both: Applicant, ask: Ask) -> None:
    given = replace(both, without=("45q",))
    assert ask("45v", given).answer == "pays"
    found = ask("45q", given)
    assert (found.answer, found.rule) == ("no", "without")


def test_a_claim_that_is_not_eligible_excludes_nothing(both: Applicant, ask: Ask) -> None:
    given = replace(both, facts={"prevailing_wage": True}, claims=("45v",))  # no carbon intensity
    assert ask("45v", given).answer == "no"
    assert ask("45q", given).answer == "pays"


def test_of_three_the_best_pair_is_found(both: Applicant, book: PolicyBook) -> None:
    """Exclusions hold between every two that are kept, and no allowed combination is worth more."""
    facts = {
        **both.facts,
        "emission_rate_kg_per_mmbtu": 5.0,
        "domestic_feedstock": True,
        "allocation_48c": True,
    }
    given = replace(
        both,
        facts=facts,
        capital_usd=1e8,
        quantities={**both.quantities, "fuel": np.full(20, 3e6)},
    )
    names = ("45q", "45v", "45z", "48c")
    rate = 0.08
    alone = {
        name: present_value(
            next(
                a
                for a in answers(book, replace(given, without=tuple(n for n in names if n != name)))
                if a.policy == name
            ),
            rate,
        )
        for name in names
    }
    assert all(value > 0 for value in alone.values())
    barred = {frozenset((p, e.other)) for p in names for e in book.policies[p].exclusions}
    best = max(
        sum(alone[name] for name in chosen)
        for size in range(5)
        for chosen in itertools.combinations(names, size)
        if not any(frozenset(pair) in barred for pair in itertools.combinations(chosen, 2))
    )
    kept = [a.policy for a in answers(book, given, rate=rate) if a.policy in names and a.answer == "pays"]
    assert sum(alone[name] for name in kept) == pytest.approx(best)
    assert not any(frozenset(pair) in barred for pair in itertools.combinations(kept, 2))


def test_present_value_by_hand(hydrogen: Make, ask: Ask) -> None:
    found = replace(
        ask("45v", hydrogen()),
        payments=np.array([100.0, 100.0]),
        lag_years=1.0,
        once=10.0,
        transfer_price=0.9,
    )
    assert present_value(found, 0.1) == pytest.approx(0.9 * (100 / 1.1 + 100 / 1.21 + 10))
    assert present_value(found, 0.0) == pytest.approx(0.9 * 210)


def test_lcfs_stacks_on_45v(hydrogen: Make, ask: Ask) -> None:
    given = hydrogen(facts={"fuel_ci_g_per_mj": -50.0})
    given = replace(given, quantities={**given.quantities, "hydrogen_heavy_truck": np.full(20, 1e6)})
    assert ask("45v", given).answer == "pays"
    assert ask("lcfs", given).answer == "pays"


def test_exclusions_hold_both_ways(book: PolicyBook) -> None:
    for name, policy in book.policies.items():
        for exclusion in policy.exclusions:
            others = {e.other for e in book.policies[exclusion.other].exclusions}
            assert name in others


def test_unknown_claims_are_all_named(hydrogen: Make, book: PolicyBook) -> None:
    given = replace(hydrogen(), claims=("45r",), without=("moon-shot",))
    with pytest.raises(InputError) as caught:
        answers(book, given)
    assert [fault.found for fault in caught.value.faults] == ["45r", "moon-shot"]
