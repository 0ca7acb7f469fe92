"""Summary and term sheet: they fit a page, say what the engine says, and keep honest about gaps."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cleanhub.finance.case_value import CaseValue, value_case
from cleanhub.finance.cases import list_archetypes, load_archetype
from cleanhub.finance.policy_setting import setting_of
from cleanhub.hub.library import Library
from cleanhub.policy.book import PolicyBook
from cleanhub.report.finance.summary import (
    case_summary,
    figure_counts,
    legs_of,
    plain,
    policy_rows,
    readiness_of,
    yearly_flows,
    years_of,
)
from cleanhub.report.finance.term_sheet import LINES, WIDTH, cut, term_sheet, wrapped

Make = Callable[..., CaseValue]


@pytest.fixture(scope="module")
def summary(plant: CaseValue) -> dict[str, Any]:
    return case_summary(plant)


def text_of(value: CaseValue, as_of: dt.date | None = None) -> str:
    return "\n".join(term_sheet(case_summary(value, as_of)))


# ---------------------------------------------------------------- the page


@pytest.mark.parametrize("name", list_archetypes())
def test_every_archetype_fits_on_a_page(name: str, library: Library, book: PolicyBook) -> None:
    loaded = load_archetype(name, library)
    lines = term_sheet(case_summary(value_case(loaded, setting_of(loaded, book))))
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= WIDTH
    assert loaded.case.title in lines[0]
    heads = [line.split("  ")[0] for line in lines if line[:1].isupper()]
    for head in ("CAPITAL", "RESULTS", "ABATEMENT", "READINESS"):
        assert head in heads
    assert any(line.startswith("FIGURES  ") and "all from archetype" in line for line in lines)
    assert any(line.startswith("POLICIES  ") for line in lines)


def test_both_views_stand_side_by_side(plant: CaseValue) -> None:
    text = text_of(plant)
    row = next(line for line in text.splitlines() if "NPV of equity" in line)
    assert "million" in row
    assert row.count("million") == 2
    assert f"{plant.sponsor.npv_usd / 1e6:.0f}" in row
    assert "sponsor, P50" in text
    assert "lender, P90" in text
    cover = next(line for line in text.splitlines() if "least / mean" in line)
    assert f"{plant.sponsor.min_dscr:.2f}x / {plant.sponsor.avg_dscr:.2f}x" in cover
    assert f"{plant.lender.min_dscr:.2f}x" in cover


def test_the_conventions_stand_in_the_names(plant: CaseValue) -> None:
    text = text_of(plant)
    real = (1.1 / 1.02 - 1) * 100
    assert f"levelised cost, real at {real:.2f} %, before tax and support" in text
    assert "price at return (15 % on equity), USD of 2024/t" in text
    assert "nominal" in text


def test_several_rates_of_return_are_all_told(summary: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(summary))
    changed["results"]["sponsor_p50"] |= {"irr": 0.1, "all_irr": [0.1, 0.2]}
    changed["results"]["lender_p90"] |= {"irr": None, "all_irr": []}
    row = next(line for line in term_sheet(changed) if "IRR of equity" in line)
    assert "10 % (also 20 %)" in row
    assert row.endswith("none")
    assert len(row) <= WIDTH


def test_no_debt_is_told(make: Make) -> None:
    text = text_of(make({"debt": {"kind": "none"}}))
    assert "DEBT     none" in text
    assert "no debt" in text


def test_what_decides_the_debt_is_told(make: Make, library: Library, book: PolicyBook) -> None:
    assert "the gearing cap decides" in text_of(make({"debt": {"gearing_cap": 0.3}}))
    assert "the cover ratio decides" in text_of(make({"debt": {"gearing_cap": 0.9, "cover_ratio": 2.5}}))
    loaded = load_archetype("direct-air-capture", library)
    assert "the cash flow carries none" in text_of(value_case(loaded, setting_of(loaded, book)))
    mini = {"debt": {"kind": "mini_perm", "tenor": 6, "amortisation": 15, "refinance_rate": 0.09}}
    assert "mini-perm, 6 years, repaid over 15" in text_of(make(mini))


def test_the_gearing_that_the_smaller_plant_of_the_sponsor_caps_is_told(make: Make) -> None:
    value = make({"debt": {"gearing_cap": 0.5}})
    assert value.lender.gearing < 0.5 - 1e-6
    assert value.sponsor.gearing == pytest.approx(0.5)
    assert "the gearing cap decides" in text_of(value)


def test_policies_that_pay_come_first_with_year_total_and_date(plant: CaseValue) -> None:
    lines = text_of(plant).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("POLICIES"))
    assert lines[at + 1].lstrip().startswith("pays   Carbon oxide sequestration credit (45Q)")
    paid = " ".join(lines[at + 1 : at + 3])
    assert "a year, 12 years to 2043" in paid
    assert "in all" in paid
    assert "stays so if by 2032-12-31" in paid
    assert any(
        "no     Clean hydrogen production credit (45V): construction must begin before" in line
        for line in lines
    )


def test_a_no_with_a_date_comes_before_one_that_only_lacks_a_statement(plant: CaseValue) -> None:
    text = text_of(plant)
    assert text.index("(45V): construction must begin") < text.index("(48C): allocation_48c is not stated")
    assert "meant for others: " in text


def test_without_policies_the_sheet_says_so(plant: CaseValue) -> None:
    bare = value_case(plant.loaded, replace(plant.setting, answers=()))
    assert "POLICIES  none were asked" in text_of(bare)


def test_a_case_of_own_seen_figures_is_not_illustrative(make_case: Callable[..., Any], make: Make) -> None:
    value = make()
    assert "ILLUSTRATIVE" in text_of(value).splitlines()[0]
    counted = case_summary(value)
    counted["figures"] |= {"illustrative": False}
    assert not any("llustrative" in line.lower() for line in term_sheet(counted))


def test_cutting_and_wrapping() -> None:
    assert cut("a" * 120) == "a" * 99 + "…"
    assert cut("short  ") == "short"
    lines = wrapped("word " * 80, 2)
    assert len(lines) == 2
    assert all(len(line) <= WIDTH for line in lines)
    assert lines[1].endswith("…")
    assert wrapped("few words", 2) == ["  few words"]


# ---------------------------------------------------------------- the summary


def test_the_summary_is_plain_json(summary: dict[str, Any]) -> None:
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_plain_turns_what_json_cannot_hold() -> None:
    given = {
        "a": np.array([1.0, np.nan]), "b": float("inf"), "c": np.float64(2), "d": np.int64(3),
        "e": dt.date(2026, 5, 1), "f": (1, [np.nan]), 5: None,
    }  # fmt: skip
    assert plain(given) == {
        "a": [1.0, None], "b": None, "c": 2.0, "d": 3, "e": "2026-05-01", "f": [1, [None]], "5": None,
    }  # fmt: skip


def test_results_are_those_of_the_views(plant: CaseValue, summary: dict[str, Any]) -> None:
    for view in plant.views:
        for name, number in view.metrics().items():
            told = summary["results"][view.name][name]
            assert told == (None if np.isnan(number) else number), name
    assert summary["results"]["sponsor_p50"]["price_at_return"] == plant.price_at_return
    assert summary["price"]["gap"] == pytest.approx(plant.price_at_return - plant.reference_price)
    assert summary["price"]["gap_before_policy"] > summary["price"]["gap"]


def test_uses_equal_sources(summary: dict[str, Any]) -> None:
    assert sum(summary["uses"].values()) == pytest.approx(sum(summary["sources"].values()))


def test_every_yearly_line_spans_construction_and_operation(
    plant: CaseValue, summary: dict[str, Any]
) -> None:
    years = summary["years"]
    assert years == list(range(2028, 2056))
    for flows in summary["flows"].values():
        assert {len(line) for line in flows.values()} == {len(years)}
    flows = yearly_flows(plant.sponsor)
    assert flows["equity"] == plant.sponsor.outcome.equity[:, 0].tolist()
    assert flows["sales: offtake"][:3] == [0.0, 0.0, 0.0]
    assert flows["policy: 45q"][3] == 0.0, "credits come a year late"
    assert flows["policy: 45q"][4] > 0.0
    assert years_of(plant.sponsor)[3] == 2031


def test_a_policys_yearly_payment_times_its_years_is_its_total(plant: CaseValue) -> None:
    rows = {row["policy"]: row for row in policy_rows(plant)}
    paid = rows["45q"]
    assert paid["usd_per_year"] * paid["years_paid"] == pytest.approx(paid["total_usd"])
    assert paid["last_year"] == 2043
    assert paid["pays_cash"]
    assert rows["45v"]["relevance"] == 1
    assert rows["hvip"]["relevance"] == 3
    assert rows["doe-oced"]["relevance"] == 2
    assert rows["federal-income-tax"]["relevance"] == 0


def test_once_paid_support_is_told(make: Make, plant: CaseValue) -> None:
    answers = tuple(
        replace(one, answer="pays", once=5e7, quantity="capital", instrument="grant", tax_character="taxable")
        if one.policy == "48c"
        else one
        for one in plant.setting.answers
    )
    value = value_case(plant.loaded, replace(plant.setting, answers=answers))
    row = {row["policy"]: row for row in policy_rows(value)}["48c"]
    assert row["once_usd"] == pytest.approx(5e7 * answers[4].transfer_price)
    assert "once" in text_of(value)


# ---------------------------------------------------------------- readiness and confidence


def test_the_weakest_leg_is_the_minimum_and_named(make: Make, plant: CaseValue) -> None:
    legs = legs_of(plant)
    names = ("market_driver", "ready_technology", "risk_tolerant_capital")
    assert legs["minimum"] == min(legs[name] for name in names)
    assert legs[legs["binds"].split("; ")[0]] == legs["minimum"]
    assert legs["ready_technology"] == pytest.approx(5 / 8), "TRL 6 on a scale from 1 to 9"
    assert legs["risk_tolerant_capital"] == 1.0, "owners earn their return"


def test_capital_that_does_not_earn_its_return_counts_in_part(make: Make) -> None:
    poor = make({"revenue": {"offtake": {"price": 5500.0, "share": 0.8}}})
    leg = legs_of(poor)["risk_tolerant_capital"]
    assert poor.sponsor.npv_usd < 0
    assert 0 < leg < 1


def test_a_technology_without_a_level_leaves_the_reading_open(make: Make) -> None:
    legs = legs_of(make({"readiness": {"trl": None}}))
    assert np.isnan(legs["ready_technology"])
    assert np.isnan(legs["minimum"])
    assert legs["binds"] == ""
    value = make({"readiness": {"trl": None}})
    assert "TRL not stated" in text_of(value)
    assert "weakest of three legs not known" in text_of(value)


def test_contracted_sales_drive_the_market_leg(make: Make) -> None:
    bound = {name: {"contracted": True} for name in ("offtake", "merchant", "after_contract")}
    assert legs_of(make({"revenue": bound}))["market_driver"] == pytest.approx(1.0)
    free = {name: {"contracted": False} for name in bound}
    assert legs_of(make({"revenue": free}))["market_driver"] < 0.3


def test_what_is_done_leaves_the_list_of_what_is_missing(make: Make) -> None:
    done = {
        "readiness": {
            "checklist": {
                "site_control": {"status": "done", "evidence": "lease of 2026", "date": dt.date(2026, 4, 1)},
                "air_permit": {"status": next(iter(_statuses()[1:2]))},
            }
        }
    }
    value = make(done)
    found = readiness_of(value, dt.date(2026, 5, 1))["fid"]
    missing = {one["item"]: one for one in found["missing"]}
    assert "site_control" not in missing
    assert "under way" in missing["air_permit"]["because"]
    assert found["closed"] == 1
    earlier = readiness_of(value, dt.date(2026, 3, 1))["fid"]
    assert "site_control" in {one["item"] for one in earlier["missing"]}


def _statuses() -> tuple[str, ...]:
    """States that a case file may name, as its model lists them."""
    from typing import get_args

    from cleanhub.finance.case_model import ChecklistItem

    return get_args(ChecklistItem.model_fields["status"].annotation)


def test_figures_are_counted_by_confidence(make_case: Callable[..., Any]) -> None:
    loaded = make_case(
        {
            "inputs": {
                "wood": {"price": {"value": 70.0, "unit": "USD/t", "confidence": "seen", "source": "bid"}}
            }
        }
    )
    counts = figure_counts(loaded)
    kinds = sum(counts[one] for one in ("seen", "derived", "recalled", "assumed"))
    assert counts["total"] == kinds
    assert counts["total"] + counts["defaults"] == len(loaded.figures)
    base = figure_counts(make_case())
    assert counts["seen"] == base["seen"] + 1
    assert counts["from_archetype"] == base["from_archetype"] - 1
    assert counts["weak_share"] == pytest.approx((counts["recalled"] + counts["assumed"]) / counts["total"])
    assert counts["illustrative"]


def test_an_archetype_itself_is_all_archetype(library: Library) -> None:
    counts = figure_counts(load_archetype("cement-clay", library))
    assert counts["from_archetype"] == counts["total"]
