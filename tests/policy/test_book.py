"""The policy tables and the book: complete, traceable, immutable, checked."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from cleanhub.core.errors import InputError
from cleanhub.hub.library import Library
from cleanhub.policy.applicant import Answer, Applicant
from cleanhub.policy.apply import answers
from cleanhub.policy.book import BOOK_TABLES, CONFIDENCE, PolicyBook
from cleanhub.policy.checks import known_tags
from cleanhub.policy.conditions import PAYING
from cleanhub.policy.rules import RULES

Frames = dict[str, pd.DataFrame]
NAMED = [
    "45q",
    "45v",
    "45z",
    "48c",
    "45x",
    "30c",
    "45w",
    "48e",
    "45y",
    "bonus-depreciation",
    "production-property",
    "federal-income-tax",
    "california-income-tax",
    "doe-oced",
    "doe-lpo",
    "lcfs",
    "cap-and-invest",
    "cap-and-invest-allocation",
    "cap-and-invest-mdi",
    "cap-and-invest-ccs-method",
    "buy-clean",
    "sb-596",
    "sb-614",
    "sb-905",
    "sb-100",
    "act",
    "acf",
    "hvip",
    "clean-truck-fund-rate",
    "clean-truck-fund-voucher",
    "ibank-climate-catalyst",
    "ibank-guarantee",
    "ibank-bridge-loan",
    "ibank-isrf",
    "cec-indigo",
    "philanthropic-grant",
]


def test_the_policies_that_the_hub_needs_are_there(book: PolicyBook) -> None:
    assert set(NAMED) <= set(book.policies)


def test_every_rule_of_the_codelist_is_a_function_and_the_other_way_round(library: Library) -> None:
    assert set(RULES) == library.codelists["policy_rule"]


def test_every_code_is_used_or_means_something(library: Library, frames: Frames) -> None:
    for column, codelist in (("instrument", "policy_instrument"), ("rule", "policy_rule")):
        assert set(frames["policies"][column]) <= library.codelists[codelist]
    assert set(PAYING) <= library.codelists["legal_status"]
    assert set(CONFIDENCE) == library.codelists["confidence"]


def test_every_quantity_has_a_unit(library: Library, book: PolicyBook) -> None:
    for code in library.codelists["policy_quantity"]:
        assert book.unit(code) not in ("", "unit"), code
        assert library.unit_ok(book.unit(code)), code
        assert "[" not in book.meaning("policy_quantity", code)


def test_rates_are_in_dollars_per_unit_of_their_quantity(book: PolicyBook) -> None:
    for policy in book.policies.values():
        if policy.rule in ("rate_per_unit", "rate_by_hydrogen_intensity", "rate_by_fleet_size"):
            for row in policy.values:
                if row.item == "rate":
                    names = [q for q in policy.quantity if q in row.tags] or list(policy.quantity[:1])
                    unit = book.unit(names[0])
                    assert row.unit == ("1" if unit == "USD" else f"USD/{unit}"), policy.policy


def test_every_row_names_a_source_and_how_sure_it_is(library: Library, frames: Frames) -> None:
    sources = set(library.tables["sources"]["source_id"])
    for name in BOOK_TABLES:
        assert set(frames[name]["source_id"]) <= sources
        assert set(frames[name]["confidence"]) <= set(CONFIDENCE)


def test_reasons_only_use_the_two_placeholders(frames: Frames) -> None:
    for words in frames["policy_conditions"]["words"]:
        assert words.replace("{found}", "").replace("{allowed}", "").count("{") == 0
        assert not words.endswith(".")


def test_words_of_conditions_name_what_may_be_stated(library: Library, frames: Frames) -> None:
    facts = {fact for cell in frames["policy_conditions"]["fact"] for fact in cell.split(";") if fact}
    assert facts <= library.codelists["policy_fact"] | library.codelists["policy_quantity"]
    assert {"45q", "cement"}.isdisjoint(
        known_tags(library) - library.codelists["sector"] - library.codelists["product"]
    )


def test_the_book_cannot_be_changed(book: PolicyBook) -> None:
    with pytest.raises(TypeError):
        book.policies["45q"] = book.policies["45v"]  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        book.policies["45q"].lag_years = 3  # type: ignore[misc]


def test_an_unknown_policy_names_the_known_ones(book: PolicyBook) -> None:
    with pytest.raises(InputError) as caught:
        book.version("45r")
    assert "45q" in caught.value.faults[0].allowed


@pytest.mark.parametrize(
    ("table", "column", "value", "words"),
    [
        ("policy_values", "selector", "cement_kiln_of_wonder", "unknown tag"),
        ("policy_values", "low", 1e12, "range does not hold"),
        ("policy_conditions", "applies_to", "!nobody", "unknown tag"),
        ("policy_conditions", "value", "32 May", "not a date"),
        ("policies", "pays_until", "1999-01-01", ""),
        ("policy_exclusions", "excludes", "45v", "cannot exclude itself"),
    ],
)
def test_a_wrong_row_is_a_fault(
    rebuilt: Callable[..., PolicyBook], frames: Frames, table: str, column: str, value: Any, words: str
) -> None:
    frame = frames[table].copy()
    line = {"policies": 3, "policy_exclusions": 2}.get(table, frame.index[0])
    frame.loc[line, column] = value
    if not words:
        words = "ends before it begins"
    with pytest.raises(InputError) as caught:
        rebuilt(**{table: frame})
    assert any(words in fault.line() and fault.row == line for fault in caught.value.faults)


def test_answers_are_one_for_each_policy_in_order(
    book: PolicyBook, applicant: Callable[..., Applicant]
) -> None:
    found = answers(book, applicant("cement"))
    assert [one.policy for one in found] == list(book.policies)
    assert all(one.because for one in found)
    assert all(one.version == book.version(one.policy) for one in found)
    assert all((one.answer == "no") == bool(one.rule) for one in found)
    for one in found:
        for values in (one.rate, one.rate_low, one.rate_high, one.payments):
            assert values.shape == (20,)


def test_an_applicant_that_states_nothing_gets_reasons_and_no_error(book: PolicyBook) -> None:
    bare = Applicant("bare", frozenset({"US", "US-CA"}), "hydrogen")
    found: dict[str, Answer] = {one.policy: one for one in answers(book, bare)}
    assert "construction_begins is not stated" in found["45q"].because
    assert "states none" in found["45q"].because
    assert all(one.payments.shape == (0,) for one in found.values())
    assert {name for name, one in found.items() if one.answer == "pays"} <= {"bonus-depreciation"}


@pytest.mark.parametrize("amount", [[1.0, 2.0], [float("nan")] * 20, [float("inf")] * 20])
def test_quantities_need_one_finite_value_for_each_year(
    book: PolicyBook, applicant: Callable[..., Applicant], amount: list[float]
) -> None:
    given = dataclasses.replace(applicant("cement"), quantities={"co2_stored": amount})  # type: ignore[dict-item]
    with pytest.raises(InputError, match="co2_stored"):
        answers(book, given)


def test_answers_do_not_change_their_applicant(book: PolicyBook, hydrogen: Callable[..., Applicant]) -> None:
    given = hydrogen()
    first = [(a.policy, a.answer, a.because, a.payments.tolist()) for a in answers(book, given)]
    assert [(a.policy, a.answer, a.because, a.payments.tolist()) for a in answers(book, given)] == first
    assert given.quantities["hydrogen"].tolist() == [1e6] * 20


def test_payments_are_proportional_to_quantity_and_never_negative_but_for_fees(
    book: PolicyBook, hydrogen: Callable[..., Applicant]
) -> None:
    given = hydrogen()
    double = dataclasses.replace(given, quantities={k: 2 * v for k, v in given.quantities.items()})
    for one, two in zip(answers(book, given), answers(book, double), strict=True):
        assert two.payments == pytest.approx(2 * one.payments)
        assert (one.payments >= 0).all() or one.instrument == "fee"


def test_29_february_survives_a_delay(under: Callable[[Any], PolicyBook]) -> None:
    book = under({"45q": {"until": dt.date(2028, 2, 29), "delay_years": 1}})
    assert book.policies["45q"].pays_until == dt.date(2028, 2, 29)
