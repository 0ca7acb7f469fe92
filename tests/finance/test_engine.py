"""The engine against a plain account, the reference kernel, SAM's convention and its own books."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_cases import Block, random_block
from slow_engine import value

from cleanhub.finance import project_debt
from cleanhub.finance.engine import Lines, Outcome, SoftTerms, Terms, run, unlevered
from cleanhub.finance.returns import present_value
from cleanhub.finance.sam import single_owner
from cleanhub.finance.tax_books import TaxRules

SEEDS = st.integers(0, 10**6)
few = settings(max_examples=40, deadline=None, derandomize=True)


def _outcome(block: Block) -> Outcome:
    return run(block.lines, block.terms, block.rules)


def _scale(block: Block) -> np.ndarray:
    return block.lines.spending.sum(axis=0)


# ---------------------------------------------------------------- brute force


@pytest.mark.parametrize("first", range(0, 80, 10))
def test_agrees_with_the_plain_account(first: int) -> None:
    for seed in range(first, first + 10):
        block = random_block(seed, 6)
        found = _outcome(block)
        assert found.residual < 1e-10
        for case in range(block.count):
            plain = value(block.slow(case))
            scale = _scale(block)[case]
            for name in ("equity", "service", "interest", "balance", "cash_flow"):
                ours, theirs = getattr(found, name)[:, case], np.array(getattr(plain, name))
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-8 * scale, err_msg=f"{seed} {name}")
            for name in ("federal", "state"):
                ours, theirs = getattr(found.taxes, name)[:, case], np.array(getattr(plain, name))
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-8 * scale, err_msg=f"{seed} {name}")
            assert found.debt[case] == pytest.approx(plain.debt, rel=0, abs=1e-8 * scale)
            assert found.gearing[case] == pytest.approx(plain.gearing, abs=1e-8)
            assert plain.uses == pytest.approx(plain.sources, rel=1e-12)


def test_the_random_cases_hold_what_they_should() -> None:
    """Capped and not, with and without debt, losses, credits, soft loans: else agreement says little."""
    seen = dict.fromkeys(("capped", "free", "soft", "credit", "losses", "mini", "level", "given", "dry"), 0)
    for seed in range(80):
        block = random_block(seed, 6)
        found, terms = _outcome(block), block.terms
        borrowed = found.debt > 0
        senior_and_soft = found.debt + sum(np.asarray(loan.amount) for loan in terms.soft)
        uses = sum(use.sum(axis=0) for use in found.uses.values())
        at_cap = senior_and_soft / uses > np.asarray(terms.gearing_cap) - 1e-9
        seen["capped"] += int((borrowed & at_cap).sum())
        seen["free"] += int((borrowed & ~at_cap).sum())
        seen["dry"] += int((~borrowed).sum())
        seen["soft"] += bool(terms.soft)
        seen["credit"] += block.lines.tax_credit is not None
        seen["losses"] += int(not block.rules.losses_at_once and bool((found.taxes.state == 0).any()))
        seen["mini"] += terms.refinanced > 0
        seen["level"] += terms.kind == "level"
        seen["given"] += terms.given_service is not None
    assert min(seen.values()) >= 5, seen


# ---------------------------------------------------------------- other conventions


def _plain_lines(capital: np.ndarray, revenue: np.ndarray, cost: np.ndarray, **others: Any) -> Lines:
    nothing = np.zeros_like(revenue)
    standard = dict.fromkeys(
        ("renewal", "set_aside", "exempt", "exempt_bankable", "working_capital"), nothing
    )
    return Lines(
        spending=others.pop("spending", capital[None].copy()),
        revenue=revenue,
        bankable=revenue,
        cost=cost,
        grants=others.pop("grants", np.zeros((len(others.get("building", [0])), len(capital)))),
        **{**standard, **others},
    )


def test_the_reference_kernel_in_one_book() -> None:
    """One construction year, losses used at once, debt sized before tax: the kernel's own conventions."""
    random, count, life = np.random.default_rng(1), 400, 25
    volume, opex = random.uniform(1e6, 2e6, count), random.uniform(1e6, 3e6, count)
    capital, price = random.uniform(2e7, 6e7, count), random.uniform(4.0, 8.0, count)
    schedule = np.zeros(life)
    schedule[:8] = [0.1429, 0.2449, 0.1749, 0.1249, 0.0893, 0.0892, 0.0893, 0.0446]
    year = np.arange(1, life + 1)[:, None]
    growth = 1.02**year
    kernel = project_debt.flows(
        project_debt.Project(
            volume, opex, capital, life, 0.28, 0.02, schedule, credit=0.5, credit_years=10, spending=(1.0,)
        ),
        project_debt.DebtTerms(0.07, 15, 1.4, 0.6),
        price,
    )
    lines = _plain_lines(
        capital, price * volume * growth, opex * growth, exempt=np.where(year <= 10, 0.5 * volume, 0.0)
    )
    rules = TaxRules(0.28, 0.0, schedule, schedule, np.zeros((life, life)), losses_at_once=True)
    terms = Terms("sculpted", np.full((life, 1), 0.07), 0.07, 15, 1.4, 0.6, after_tax=False)
    found = run(lines, terms, rules)
    assert 0 < (kernel.gearing > 0.6 - 1e-9).mean() < 1  # both kinds are among them
    np.testing.assert_allclose(found.debt, kernel.debt, rtol=1e-12)
    np.testing.assert_allclose(found.equity.T, kernel.equity, rtol=0, atol=1e-12 * capital.max())
    np.testing.assert_allclose(np.nanmin(found.cover(), axis=0), kernel.min_cover, rtol=1e-12)


def test_the_reference_kernel_over_years_of_construction() -> None:
    """Interest during construction comes to the same where the cap does not bind and nothing is taxed."""
    random, count, life = np.random.default_rng(2), 300, 25
    volume, opex = random.uniform(1e6, 2e6, count), random.uniform(1e6, 3e6, count)
    capital, price = random.uniform(4e7, 9e7, count), random.uniform(3.0, 5.0, count)
    growth = 1.02 ** np.arange(1, life + 1)[:, None]
    pattern = (0.2, 0.4, 0.4)
    kernel = project_debt.flows(
        project_debt.Project(volume, opex, capital, life, 0.0, 0.02, np.zeros(life), spending=pattern),
        project_debt.DebtTerms(0.07, 15, 1.8, 1.0),
        price,
    )
    spending = np.array(pattern)[:, None] * capital
    lines = _plain_lines(
        capital,
        price * volume * growth,
        opex * growth,
        spending=spending,
        grants=np.zeros_like(spending),
    )
    nothing = np.zeros(life)
    rules = TaxRules(0.0, 0.0, nothing, nothing, np.zeros((life, life)))
    found = run(lines, Terms("sculpted", np.full((life, 1), 0.07), 0.07, 15, 1.8, 1.0), rules)
    free = found.gearing < 0.95
    assert free.sum() > 100
    np.testing.assert_allclose(found.debt[free], kernel.debt[free], rtol=1e-12)
    np.testing.assert_allclose(found.equity.T[free], kernel.equity[free], rtol=0, atol=1e-12 * capital.max())


@pytest.mark.parametrize(
    ("dscr", "cap", "reserve", "price"),
    [(1.3, 80.0, 0.0, 0.03), (1.3, 80.0, 6.0, 0.02), (1.5, 50.0, 0.0, 0.05), (1.2, 70.0, 0.0, 0.04)],
)
def test_the_single_owner_of_sam(dscr: float, cap: float, reserve: float, price: float) -> None:
    """One construction year, no fee, debt on cash before tax: SAM's convention and ours are one."""
    life, capital, energy = 25, 1e8, 3e8
    schedule = np.zeros(life + 1)
    schedule[:6] = [0.2, 0.32, 0.192, 0.1152, 0.1152, 0.0576]
    inputs = {
        "all": {
            "analysis_period": life, "inflation_rate": 2.5, "real_discount_rate": 6.4,
            "ppa_price_input": [price], "ppa_escalation": 1.0, "system_capacity": 1e5,
            "om_capacity": [25.0], "total_installed_cost": capital, "term_int_rate": 7.0,
            "term_tenor": 18, "dscr": dscr, "debt_option": 1, "dscr_limit_debt_fraction": 1,
            "dscr_maximum_debt_fraction": cap, "dscr_reserve_months": reserve,
            "reserves_interest": 1.75, "federal_tax_rate": [21.0], "state_tax_rate": [7.0],
            "depr_alloc_macrs_5_percent": 100.0, "ptc_fed_amount": [0.01], "ptc_fed_term": 10,
            "ptc_fed_escal": 0.0,
        }
    }  # fmt: skip
    shares = {5: schedule[:6], 15: schedule[:6]}
    sam = single_owner(inputs, np.concatenate([[0.0], np.full(life, energy)]), shares)
    year = np.arange(life)[:, None]
    lines = _plain_lines(
        np.array([capital]),
        price * energy * 1.01**year,
        25.0 * 1e5 * 1.025**year,
        exempt=np.where(year < 10, 0.01 * energy, 0.0),
    )
    rules = TaxRules(
        0.21, 0.07, schedule[:life], schedule[:life], np.zeros((life, life)), losses_at_once=True
    )
    terms = Terms(
        "sculpted", np.full((life, 1), 0.07), 0.07, 18, dscr, cap / 100.0,
        reserve_months=reserve, reserve_interest=0.0175, after_tax=False,
    )  # fmt: skip
    found = run(lines, terms, rules)
    if reserve:
        assert found.gearing[0] < cap / 100.0 - 0.01  # the caps count reserves differently
    assert found.debt[0] == pytest.approx(sam.debt, rel=1e-12)
    np.testing.assert_allclose(found.equity[:, 0], sam.after_tax, rtol=0, atol=1e-11 * capital)
    assert float(np.nanmin(found.cover())) == pytest.approx(sam.min_dscr, rel=1e-12)
    rate = 1.064 * 1.025 - 1.0
    assert present_value(found.equity, rate)[0] == pytest.approx(sam.npv, rel=0, abs=1e-10 * capital)


# ---------------------------------------------------------------- books that must balance


@few
@given(SEEDS)
def test_sources_are_uses_in_every_year(seed: int) -> None:
    block = random_block(seed, 8)
    found = _outcome(block)
    uses, sources = sum(found.uses.values()), sum(found.sources.values())
    np.testing.assert_allclose(uses, sources, rtol=0, atol=1e-11 * _scale(block).max())
    np.testing.assert_allclose(-found.equity[: len(uses)], found.sources["equity"], rtol=1e-12)


@few
@given(SEEDS)
def test_what_the_plant_earns_is_paid_out_to_someone_every_year(seed: int) -> None:
    block = random_block(seed, 8)
    found, lines, terms = _outcome(block), block.lines, block.terms
    rows = len(lines.spending)
    in_reserve = np.concatenate([found.uses["debt service reserve"].sum(axis=0)[None], found.reserve])
    earned = lines.revenue - lines.cost + lines.exempt - np.diff(lines.working_capital, axis=0, prepend=0.0)
    earned = earned + in_reserve[:-1] * terms.reserve_interest - lines.set_aside
    earned[-1] += lines.salvage
    paid = found.equity[rows:] + found.service + found.soft_service + found.taxes.total + found.fees
    paid = paid + np.diff(in_reserve, axis=0)
    np.testing.assert_allclose(earned, paid, rtol=0, atol=1e-11 * _scale(block).max())


@few
@given(SEEDS)
def test_the_loan_is_repaid_and_worth_its_service(seed: int) -> None:
    block = random_block(seed, 8, kind="sculpted" if seed % 2 else "level")
    found, terms = _outcome(block), block.terms
    scale = _scale(block).max()
    assert (
        np.abs(found.balance[terms.repayment - 1 :]).max() < 1e-8 * scale or terms.given_service is not None
    )
    assert np.abs(found.balance[-1]).max() < 1e-8 * scale
    np.testing.assert_allclose(
        found.debt + found.interest.sum(axis=0), found.service.sum(axis=0), rtol=0, atol=1e-8 * scale
    )
    worth = (found.service * np.cumprod(1.0 / (1.0 + np.asarray(terms.rate)), axis=0)).sum(axis=0)
    np.testing.assert_allclose(worth, found.debt, rtol=0, atol=1e-10 * scale)
    # what was drawn and the interest added to it in construction is the debt at service
    drawn = found.sources["senior debt"].sum(axis=0)
    np.testing.assert_allclose(drawn, found.debt, rtol=0, atol=1e-10 * scale)


@few
@given(SEEDS)
def test_debt_keeps_to_the_cap_and_to_the_cover_asked(seed: int) -> None:
    block = random_block(seed, 8, kind="sculpted", given=False)
    found, terms = _outcome(block), block.terms
    uses = sum(use.sum(axis=0) for use in found.uses.values())
    behind = found.sources["loans behind it"].sum(axis=0)
    share = (found.debt + behind) / uses
    cap = np.asarray(terms.gearing_cap)
    some = found.debt > 0
    assert np.all(share[some] <= cap[some] + 1e-9)
    asked = np.broadcast_to(terms.cover_ratio, (block.count,))
    lowest = np.nanmin(np.where(np.isnan(found.cover()), np.inf, found.cover()), axis=0)
    assert np.all(lowest[some] >= asked[some] * (1 - 1e-8))
    free = some & (share < cap - 1e-6) & (found.sources["equity"].sum(axis=0) > 1.0)
    np.testing.assert_allclose(lowest[free], asked[free], rtol=1e-7)
    for case in np.flatnonzero(free):  # in every year in which it pays at all, not only in the worst
        paying = ~np.isnan(found.cover()[:, case])
        np.testing.assert_allclose(found.cover()[paying, case], asked[case], rtol=1e-7)


@few
@given(SEEDS)
def test_no_case_depends_on_the_cases_beside_it(seed: int) -> None:
    """To the last bit: however draws are cut into blocks, each has the same result."""
    block = random_block(seed, 23)
    whole = _outcome(block)
    for part in (slice(0, 1), slice(2, 4), slice(5, 18)):
        rules = replace(
            block.rules,
            federal_rate=np.asarray(block.rules.federal_rate)[part],
            state_rate=np.asarray(block.rules.state_rate)[part],
        )
        alone = run(_cut(block.lines, part, 23), _cut(block.terms, part, 23), rules)
        assert np.array_equal(alone.equity, whole.equity[:, part])
        assert np.array_equal(alone.debt, whole.debt[part])


def _cut(one: Any, part: slice, count: int) -> Any:
    """The cases in ``part`` of lines or terms."""
    changes: dict[str, Any] = {}
    for field in fields(one):
        found = getattr(one, field.name)
        if isinstance(found, np.ndarray) and found.ndim and found.shape[-1] == count:
            changes[field.name] = found[..., part]
        if field.name == "soft":
            changes["soft"] = tuple(_cut(loan, part, count) for loan in found)
    return replace(one, **changes)


# ---------------------------------------------------------------- directions


@few
@given(SEEDS, st.sampled_from(["price", "capital", "cost", "return"]))
def test_value_moves_the_way_it_must(seed: int, what: str) -> None:
    block = random_block(seed, 6, given=False, losses_at_once=False, soft=0, grants=0, working=0.0)
    block.terms = replace(block.terms, rate=np.minimum(block.terms.rate, 0.1))
    lines = replace(block.lines, taxed_grants=0.0, basis_cut=0.0, state_basis_cut=0.0)
    before = run(lines, block.terms, block.rules)
    rate = 0.12
    if what == "price":
        more = replace(lines, revenue=lines.revenue * 1.02, bankable=lines.bankable * 1.02)
    elif what == "capital":
        more = replace(lines, spending=lines.spending * 1.02)
    elif what == "cost":
        more = replace(lines, cost=lines.cost * 1.02)
    else:
        once = np.diff(np.sign(before.equity), axis=0) != 0
        ordinary = (once.sum(axis=0) == 1) & (before.equity[0] < 0)
        nearer, farther = (present_value(before.equity, r)[ordinary] for r in (0.08, 0.12))
        assert np.all(nearer > farther)
        return
    after = run(more, block.terms, block.rules)
    turned = present_value(after.equity, rate) - present_value(before.equity, rate)
    scale = _scale(block)
    assert np.all(turned > -1e-9 * scale) if what == "price" else np.all(turned < 1e-9 * scale)


@few
@given(SEEDS)
def test_losses_that_wait_never_save_tax(seed: int) -> None:
    """Tax over life is least where every loss is used in its year."""
    block = random_block(seed, 8, kind="none", credit=False, losses_at_once=False)
    waiting = run(block.lines, block.terms, block.rules)
    at_once = run(block.lines, block.terms, replace(block.rules, losses_at_once=True))
    assert waiting.taxes.federal.min() >= 0
    assert waiting.taxes.state.min() >= 0
    slack = 1e-9 * _scale(block)
    assert np.all(waiting.taxes.total.sum(axis=0) >= at_once.taxes.total.sum(axis=0) - slack)
    for rate in (0.05, 0.12):
        assert np.all(present_value(waiting.equity, rate) <= present_value(at_once.equity, rate) + slack)


@few
@given(SEEDS)
def test_tax_is_never_negative_with_losses_and_credits_carried_forward(seed: int) -> None:
    found = _outcome(random_block(seed, 8, losses_at_once=False, credit=True))
    assert found.taxes.federal.min() >= 0
    assert found.taxes.state.min() >= 0


# ---------------------------------------------------------------- edges


def test_rates_of_zero() -> None:
    block = random_block(7, 8, kind="sculpted", mini=False, given=False, soft=1)
    loans = tuple(replace(loan, rate=0.0) for loan in block.terms.soft)
    terms = replace(block.terms, rate=np.zeros_like(block.terms.rate), construction_rate=0.0, soft=loans)
    found = run(block.lines, terms, block.rules)
    assert not found.interest.any()
    assert not found.uses["interest during construction"].any()
    np.testing.assert_allclose(found.service.sum(axis=0), found.debt, rtol=1e-10)
    np.testing.assert_allclose(found.soft_service.sum(axis=0), loans[0].amount, rtol=1e-12)


def test_level_service_is_an_annuity_of_the_worst_year() -> None:
    life = 10
    revenue = np.linspace(20.0, 29.0, life)[:, None]
    lines = _plain_lines(np.array([100.0]), revenue, np.full((life, 1), 5.0))
    rules = TaxRules(0.0, 0.0, np.zeros(life), np.zeros(life), np.zeros((life, life)))
    terms = Terms("level", np.full((life, 1), 0.06), 0.06, 8, 1.5, 1.0)
    found = run(lines, terms, rules)
    np.testing.assert_allclose(found.service[:8, 0], 10.0)
    assert not found.service[8:].any()
    assert found.debt[0] == pytest.approx(10.0 * (1 - 1.06**-8) / 0.06, rel=1e-14)


def test_gearing_cap_by_hand() -> None:
    """Two years, 50 each, half of all uses: x = 0.5 (100 + 0.02 x + interest + x/12 x service share)."""
    life = 5
    lines = _plain_lines(
        np.array([100.0]), np.full((life, 1), 90.0), np.zeros((life, 1)),
        spending=np.full((2, 1), 50.0), grants=np.zeros((2, 1)),
    )  # fmt: skip
    rules = TaxRules(0.0, 0.0, np.zeros(life), np.zeros(life), np.zeros((life, life)))
    terms = Terms("level", np.full((life, 1), 0.1), 0.1, life, 1.2, 0.5, fee=0.02, reserve_months=6)
    found = run(lines, terms, rules)
    debt = found.debt[0]
    service = debt * 0.1 / (1 - 1.1**-life)
    first, second = 50.0 + 0.02 * debt, 50.0 + service / 2
    share = debt / (first * 1.1 + second)
    uses = 100.0 + 0.02 * debt + service / 2 + share * first * 0.1
    assert debt == pytest.approx(0.5 * uses, rel=1e-12)
    assert found.equity[0, 0] == pytest.approx(-(1 - share) * first)
    assert found.equity[1, 0] == pytest.approx(-(1 - share) * second)


def test_refinancing_pays_its_fee_on_what_is_still_owed() -> None:
    block = random_block(3, 4, kind="sculpted", given=False, mini=True, balance_fee=0.0)
    assert block.terms.refinanced
    row = block.terms.refinanced - 1
    found = _outcome(block)
    expected = found.balance[row] * block.terms.refinance_fee
    np.testing.assert_allclose(found.fees[row], expected)
    assert found.fees.sum() == pytest.approx(found.fees[row].sum())
    assert (found.balance[row] > 0).any()


@pytest.mark.parametrize(("tenor", "grace"), [(5, 5), (5, 9), (12, 3), (30, 20), (4, 0)])
def test_a_soft_loan_is_always_repaid(tenor: int, grace: int) -> None:
    """Also where its grace or tenor reaches past its own end or that of the plant."""
    block = random_block(11, 4, kind="none", life=10, soft=0)
    spent = _scale(block)
    loan = SoftTerms(0.1 * spent, 0.03, tenor, grace)
    found = run(block.lines, replace(block.terms, soft=(loan,)), block.rules)
    worth = present_value(np.concatenate([np.zeros((1, 4)), found.soft_service]), 0.03)
    np.testing.assert_allclose(worth, 0.1 * spent, rtol=1e-12)
    assert not found.soft_service[min(tenor, 10) :].any()
    behind = found.sources["loans behind it"].sum(axis=0)
    np.testing.assert_allclose(behind, 0.1 * spent, rtol=1e-12)


def test_no_debt_is_the_project_without_it() -> None:
    block = random_block(5, 6, kind="none", soft=0)
    found = _outcome(block)
    assert not found.debt.any()
    assert np.isnan(found.cover()).all()
    np.testing.assert_array_equal(unlevered(block.lines, block.rules), found.equity)
    np.testing.assert_allclose(-found.equity[: len(block.lines.spending)].sum(axis=0),
                               (block.lines.spending - block.lines.grants).sum(axis=0))  # fmt: skip


def test_a_plant_that_earns_nothing_borrows_nothing() -> None:
    block = random_block(9, 6, kind="sculpted", given=False)
    nothing = np.zeros_like(block.lines.revenue)
    found = run(
        replace(block.lines, revenue=nothing, bankable=nothing, exempt_bankable=nothing),
        block.terms,
        block.rules,
    )
    assert not found.debt.any()
    assert not found.service.any()


def test_a_plant_that_costs_nothing_or_is_wholly_granted_borrows_nothing() -> None:
    block = random_block(9, 6, kind="sculpted", given=False, soft=0, grants=1)
    free = replace(block.lines, spending=block.lines.spending * 0, grants=block.lines.grants * 0)
    found = run(free, block.terms, block.rules)
    assert not found.debt.any()
    assert not found.gearing.any()
    granted = run(replace(block.lines, grants=block.lines.spending), block.terms, block.rules)
    assert not granted.debt.any()
    assert not granted.sources["equity"].any()


def test_given_service_is_scaled_only_by_the_cap() -> None:
    block = random_block(21, 6, kind="sculpted", given=True, soft=0)
    terms = replace(block.terms, gearing_cap=1.0, fee=0.0, reserve_months=0.0)
    service = np.asarray(terms.given_service) * 0.01
    found = run(block.lines, replace(terms, given_service=service), block.rules)
    np.testing.assert_allclose(found.service, service, rtol=1e-12)
    tight = run(block.lines, replace(terms, given_service=service, gearing_cap=1e-4), block.rules)
    paid = tight.service.sum(axis=0) > 0
    shares = tight.service[:, paid] / np.where(service[:, paid] > 0, service[:, paid], np.nan)
    assert np.nanmax(shares) < 1
    np.testing.assert_allclose(np.nanmax(shares, axis=0), np.nanmin(shares, axis=0), rtol=1e-10)


def test_hard_cases_still_agree() -> None:
    """Cover of 1, no cap, tax of 60 %, dear debt, income small or large against the capital."""
    for seed in range(40):
        block = random_block(seed, 20, kind="sculpted" if seed % 2 else "level", after_tax=True, given=False)
        income = 10.0 ** np.random.default_rng(seed).uniform(-4, 1, block.count)
        lines = replace(
            block.lines,
            **{
                name: getattr(block.lines, name) * income
                for name in ("revenue", "bankable", "cost", "working_capital")
            },
        )
        terms = replace(
            block.terms, rate=np.full_like(block.terms.rate, 0.4), cover_ratio=1.0, gearing_cap=1.0
        )
        found = run(lines, terms, replace(block.rules, federal_rate=0.6))
        assert found.residual < 1e-10
