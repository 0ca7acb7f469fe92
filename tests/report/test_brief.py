"""The plan in brief: each sentence says what its table says, and is left out where the table is empty."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from cleanhub.report.context import Context
from cleanhub.report.sections import brief


def sentences(plan: Any) -> list[str]:
    section = brief.build(Context(plan))
    assert section is not None
    return [unescape(re.sub(r"<[^>]+>", "", str(point))) for point in section.blocks[0].points]  # type: ignore[union-attr]


def headline(metric: str, value: float, unit: str, **more: Any) -> dict[str, Any]:
    known = {"order": 1, "recalled_share": 0.0, "illustrative": False, "source": "carb"}
    return known | {"metric": metric, "title": metric, "value": value, "unit": unit} | more


@pytest.fixture
def told(make_plan: Callable[..., Any]) -> Callable[..., list[str]]:
    """Sentences of a plan that has these headlines and no other table."""
    return lambda *rows: sentences(make_plan(scorecard=list(rows), links=[], coordination=[], conflicts=[]))


def test_a_plan_without_headlines_has_none(empty_plan: Any) -> None:
    assert brief.build(Context(empty_plan)) is None


def test_a_missed_target_says_by_how_much_and_the_figures_add_up(told: Callable[..., list[str]]) -> None:
    row = headline("hub_emissions_2045", 87.8e6, "t CO2e/yr", year=2045, target=20.58e6, illustrative=True)
    path = next(text for text in told(row) if text.startswith("The path."))
    assert "88\u202fMt CO₂e per year in 2045 (target 21, missed by 67)" in path.replace("\xa0", "\u202f")


def test_a_target_that_is_met_says_so(told: Callable[..., list[str]]) -> None:
    row = headline("hub_emissions_2030", 60e6, "t CO2e/yr", year=2030, target=71e6)
    assert any("(target 71, met)" in text for text in told(row))


def test_only_illustrative_headlines_are_rounded(told: Callable[..., list[str]]) -> None:
    base = headline("hub_emissions_2022", 118.467e6, "t CO2e/yr", year=2022)
    assert any("118" in text for text in told(base))
    firm = headline("hub_emissions_2030", 71.34e6, "t CO2e/yr", year=2030, target=71e6, illustrative=False)
    assert any("71.3" in text for text in told(firm))


def test_a_hub_without_trucks_or_projects_says_nothing_of_them(told: Callable[..., list[str]]) -> None:
    found = told(headline("hub_emissions_2022", 1e6, "t CO2e/yr", year=2022))
    assert [text.split(".")[0] for text in found] == ["Today", "How far to trust it"]


def test_what_blocks_most_and_who_is_late_are_named(filled_plan: Any, nasty: str) -> None:
    found = sentences(filled_plan)
    first = next(text for text in found if text.startswith("What to unblock first"))
    assert first.index(nasty) < first.index(";")
    assert "(2\u202fMt)" in first.replace("\xa0", "\u202f")
    assert any(text.startswith("Who must move.") for text in found)
