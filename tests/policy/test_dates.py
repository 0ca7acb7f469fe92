"""Dates of policies: each row of the book that names a day or a year is told once, in order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from cleanhub.policy.book import PolicyBook
from cleanhub.policy.dates import about, policy_dates


def test_every_dated_row_is_told_once_in_order(book: PolicyBook) -> None:
    policies = list(book.policies.values())
    found = policy_dates(book, policies)
    assert [one.day for one in found] == sorted(one.day for one in found)
    states = [one for one in found if one.kind == "state"]
    assert len(states) == len(policies)
    spans = sum((p.pays_from is not None) + (p.pays_until is not None) for p in policies)
    assert sum(one.kind in ("begins", "ends") for one in found) == spans
    deadlines = [c for p in policies for c in p.conditions if c.date is not None]
    assert sum(one.kind.split("_")[-1] in ("before", "by", "from") for one in found) == len(deadlines)


def test_a_target_is_told_with_its_share_and_its_year(book: PolicyBook) -> None:
    found = [one for one in policy_dates(book, [book.policy("sb-596")]) if one.kind == "target"]
    assert [(one.when, one.day, one.what) for one in found] == [
        ("2035", dt.date(2035, 1, 1), "share to be reached 40 %: below the level of 2019"),
        ("2045", dt.date(2045, 1, 1), "share to be reached 100 %: net zero by the end of 2045"),
    ]


def test_a_deadline_names_its_day_and_whom_it_is_asked_of(book: PolicyBook) -> None:
    found = [one for one in policy_dates(book, [book.policy("45q")]) if one.kind != "state"]
    assert "construction begins before 2033-01-01" in [one.what for one in found]


def test_a_charge_applies_and_a_credit_is_paid(book: PolicyBook) -> None:
    def ends(name: str) -> list[str]:
        return [one.what for one in policy_dates(book, [book.policy(name)]) if one.kind == "ends"]

    assert ends("clean-truck-fund-rate") == ["the last year in which it applies"]
    assert ends("clean-truck-fund-voucher") == ["the last year that is paid"]


def test_a_delay_moves_its_dates(under: Callable[[Mapping[str, Any]], PolicyBook]) -> None:
    book = under({"sb-596": {"delay_years": 2}})
    found = policy_dates(book, [book.policy("sb-596")])
    assert [one.when for one in found if one.kind == "target"] == ["2037", "2047"]


def test_policies_about_a_subject_begin_a_word_with_it(book: PolicyBook) -> None:
    ports = {one.policy for one in about(book, ["PORT"])}
    assert "epa-clean-ports" in ports
    assert "45z" not in ports  # transport fuel is not about ports
    assert {one.policy for one in about(book, ["port", "cement"])} > ports
    assert len(about(book, [])) == len(about(book, ["  "])) == len(book.policies)
