"""Two tax books by hand: losses and credits that wait, state tax deducted, write-offs and renewals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.finance.tax_books import TaxRules, renewal_matrix, tax_of, written_off

some = settings(max_examples=60, deadline=None, derandomize=True)


def _rules(**changes: Any) -> TaxRules:
    nothing = np.zeros(1)
    return TaxRules(
        **{
            "federal_rate": 0.2,
            "state_rate": 0.1,
            "federal_schedule": nothing,
            "state_schedule": nothing,
            "renewal_schedule": np.zeros((1, 1)),
            **changes,
        }
    )


def _tax(income: list[float], rules: TaxRules, credit: list[float] | None = None) -> tuple[Any, Any]:
    column = np.array(income, dtype=float)[:, None]
    given = None if credit is None else np.array(credit, dtype=float)[:, None]
    found = tax_of(column.copy(), column.copy(), given, rules)
    return found.federal[:, 0], found.state[:, 0]


def test_state_tax_is_deducted_from_federal_income() -> None:
    federal, state = _tax([100.0], _rules())
    assert state[0] == pytest.approx(10.0)
    assert federal[0] == pytest.approx(0.2 * 90.0)


def test_a_loss_waits_for_later_income() -> None:
    federal, state = _tax([-100.0, 60.0, 60.0], _rules())
    np.testing.assert_allclose(state, [0.0, 0.0, 2.0])  # 20 left of 60 in year 3
    np.testing.assert_allclose(federal, [0.0, 0.0, 0.2 * (20.0 - 2.0)])


def test_a_loss_may_offset_a_share_only() -> None:
    federal, state = _tax([-100.0, 60.0, 60.0, 60.0], _rules(state_rate=0.0, federal_loss_share=0.5))
    np.testing.assert_allclose(federal, [0.0, 6.0, 6.0, 0.2 * (60.0 - 30.0)])
    _, state = _tax([-100.0, 60.0, 200.0], _rules(state_loss_share=0.8))
    np.testing.assert_allclose(state, [0.0, 0.1 * 12.0, 0.1 * (200.0 - 52.0)])


def test_what_is_left_of_a_loss_is_lost() -> None:
    federal, state = _tax([10.0, -100.0, 20.0], _rules())
    np.testing.assert_allclose(state, [1.0, 0.0, 0.0])
    np.testing.assert_allclose(federal, [1.8, 0.0, 0.0])


def test_a_loss_used_at_once_is_a_receipt() -> None:
    federal, state = _tax([-100.0, 60.0], _rules(losses_at_once=True))
    np.testing.assert_allclose(state, [-10.0, 6.0])
    np.testing.assert_allclose(federal, [0.2 * -90.0, 0.2 * 54.0])


def test_a_credit_waits_for_tax_and_never_makes_it_negative() -> None:
    federal, state = _tax([100.0, 100.0, 100.0], _rules(state_rate=0.0), credit=[50.0, 0.0, 1.0])
    np.testing.assert_allclose(federal, [0.0, 0.0, 9.0])  # 20 + 20 + 11 of 51 used
    assert not state.any()


def test_a_credit_is_cash_to_an_owner_with_other_income() -> None:
    federal, _ = _tax([100.0], _rules(state_rate=0.0, losses_at_once=True), credit=[50.0])
    np.testing.assert_allclose(federal, [-30.0])


def test_books_have_their_own_deductions() -> None:
    income, federal_cut, state_cut = (np.full((1, 1), x) for x in (100.0, 80.0, 30.0))
    found = tax_of(income - federal_cut, income - state_cut, None, _rules())
    assert found.state[0, 0] == pytest.approx(7.0)
    assert found.federal[0, 0] == pytest.approx(0.2 * (20.0 - 7.0))
    assert found.total[0, 0] == pytest.approx(7.0 + 2.6)


def test_rates_may_differ_by_case() -> None:
    taxable = np.full((1, 3), 100.0)
    found = tax_of(taxable.copy(), taxable.copy(), None, _rules(federal_rate=np.array([0.0, 0.2, 0.3])))
    np.testing.assert_allclose(found.federal[0], [0.0, 18.0, 27.0])


@some
@given(st.integers(0, 10**6), st.sampled_from([1.0, 0.8, 0.5]))
def test_no_more_loss_is_used_than_was_made(seed: int, share: float) -> None:
    income = np.random.default_rng(seed).normal(20.0, 100.0, (25, 6))
    rules = _rules(state_rate=0.0, federal_rate=0.3, federal_loss_share=share)
    tax = tax_of(income.copy(), income.copy(), None, rules).federal
    gains, losses = np.maximum(income, 0.0), np.maximum(-income, 0.0)
    used = gains - tax / 0.3
    assert tax.min() >= 0
    assert np.all(used >= -1e-9)
    assert np.all(used <= share * gains + 1e-9)
    # at no time more than the losses so far; in the end the lesser of what could and what may be used
    assert np.all(np.cumsum(used, axis=0) <= np.cumsum(losses, axis=0) + 1e-9)
    at_once = tax_of(
        income.copy(), income.copy(), None, _rules(state_rate=0.0, federal_rate=0.3, losses_at_once=True)
    ).federal
    assert np.all(tax.sum(axis=0) >= at_once.sum(axis=0) - 1e-9)
    assert np.all(np.cumsum(tax, axis=0) >= np.cumsum(at_once, axis=0) - 1e-9)


@some
@given(st.integers(0, 10**6))
def test_a_loss_earlier_never_costs_more(seed: int) -> None:
    """Moving a deduction forward in time lowers or keeps all tax, while losses wait."""
    random = np.random.default_rng(seed)
    income, nothing = random.uniform(0.0, 100.0, (12, 5)), np.zeros((12, 5))
    late, early = nothing.copy(), nothing.copy()
    late[8], early[2] = 150.0, 150.0
    taxes = [tax_of(income - cut, income - cut, None, _rules()).total.sum(axis=0) for cut in (early, late)]
    assert np.all(taxes[0] <= taxes[1] + 1e-9)


# ---------------------------------------------------------------- write-offs


@pytest.mark.parametrize(
    ("life", "expected"),
    [(5, [0.2, 0.3, 0.4, 0.1, 0.0]), (4, [0.2, 0.3, 0.4, 0.1]), (2, [0.2, 0.8]), (1, [1.0])],
)
def test_what_is_left_is_written_off_in_the_last_year(life: int, expected: list[float]) -> None:
    np.testing.assert_allclose(written_off(np.array([0.2, 0.3, 0.4, 0.1]), life), expected, atol=1e-15)


def test_renewals_follow_the_schedule_and_end_with_the_plant() -> None:
    matrix = renewal_matrix(np.array([0.5, 0.3, 0.2]), 5)
    written = matrix @ np.array([0.0, 100.0, 0.0, 10.0, 0.0])
    np.testing.assert_allclose(written, [0.0, 50.0, 30.0, 20.0 + 5.0, 5.0])
    np.testing.assert_allclose(matrix.sum(axis=0), 1.0)  # every renewal in full
    assert not np.triu(matrix, 1).any()  # none before it is made
