"""What the model cannot tell: the list follows the plan and says how far its figures fall short."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cleanhub.report import limits
from cleanhub.report.context import Context


def told(context: Context) -> dict[str, str]:
    return {one.question: one.why for one in limits.limits(context)}


def answer(context: Context, word: str) -> str:
    (found,) = (why for question, why in told(context).items() if word in question)
    return found


def changed(context: Context, table: str, **values: Any) -> list[dict[str, Any]]:
    return [{**row, **values} for row in context.rows(table)]


def test_every_question_is_answered_in_sentences(make_plan: Callable[..., Any]) -> None:
    found = told(Context(make_plan()))
    assert len(found) == 9
    assert all(question.endswith("?") for question in found)
    assert all(why.endswith(".") and "  " not in why for why in found.values())


def test_illustrative_headlines_and_those_without_a_range_are_counted(make_plan: Callable[..., Any]) -> None:
    plan = make_plan()
    rows = changed(Context(plan), "scorecard", illustrative=True, low=None, high=None)
    context = Context(make_plan(scorecard=rows))
    assert f"{len(rows)} of {len(rows)} headlines" in answer(context, "will happen")
    assert f"{len(rows)} of the {len(rows)} illustrative" in answer(context, "How sure")
    firm = Context(make_plan(scorecard=changed(Context(plan), "scorecard", illustrative=False)))
    assert "wear the word" not in answer(firm, "will happen")
    assert "no range" not in answer(firm, "How sure")


def test_a_count_outside_our_range_is_told(make_plan: Callable[..., Any]) -> None:
    context = Context(make_plan())
    rows = changed(context, "pipeline_backtest", low=1.0, high=3.0, published=2.0)[:1]
    inside = Context(make_plan(pipeline_backtest=rows))
    assert "Of 1 published count that the rates were set against, 0 lie outside" in answer(
        inside, "one project"
    )
    outside = Context(make_plan(pipeline_backtest=[{**rows[0], "published": 9.0}]))
    assert "1 lies outside our range" in answer(outside, "one project")
    no_test = Context(make_plan(pipeline_backtest=[{**rows[0], "high": 1.0}]))
    assert "published count" not in answer(no_test, "one project")


def test_expected_decisions_come_with_those_under_the_strict_hurdle(make_plan: Callable[..., Any]) -> None:
    row = Context(make_plan()).rows("scorecard")[0]
    row |= {"metric": "decisions_expected", "year": 2030, "value": 2.537, "note": "of 34; 1.9 if strict"}
    found = answer(Context(make_plan(scorecard=[row])), "one project")
    assert "2.5 decisions are expected to the end of 2030, of 34; 1.9 if strict." in found


def test_what_a_plan_does_not_hold_is_said_to_be_missing(empty_plan: Any) -> None:
    context = Context(empty_plan)
    assert "no stage-gate probabilities" in answer(context, "one project")
    assert "no siting yet" in answer(context, "chargers")
    assert "first estimates" in answer(context, "lenders")
    assert limits.headlines_block(context).rows == ()


def test_pending_tables_are_named(make_plan: Callable[..., Any]) -> None:
    plan = make_plan()
    plan.pending = {"exposure": "benefits", "port_inventory": "ports"}
    context = Context(plan)
    assert answer(context, "left out") == "Not yet in cleanhub: exposure, port inventory."
    assert "not yet in cleanhub" in answer(context, "my street")
    plan.pending = {}
    assert "not yet" not in answer(Context(plan), "my street")


def test_headlines_show_value_range_and_share(make_plan: Callable[..., Any]) -> None:
    row = Context(make_plan()).rows("scorecard")[0]
    row = {**row, "title": "T", "year": 2045, "value": 2e6, "low": 1e6, "high": 3e6, "unit": "t CO2e/yr"}
    context = Context(make_plan(scorecard=[{**row, "recalled_share": 0.97, "illustrative": True}]))
    ((title, year, value, ends, share, marked),) = limits.headlines_block(context).rows
    assert (title, year, ends, share, marked) == (
        "T",
        "2045",
        "1 to 3",
        "97\N{NO-BREAK SPACE}%",
        "illustrative",
    )
    assert str(value).startswith("2\N{NO-BREAK SPACE}Mt")
