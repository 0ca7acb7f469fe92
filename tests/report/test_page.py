"""Templates and rows: filled in as HTML, compiled once, and read no further than is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from cleanhub.core.memory import remembering
from cleanhub.report import page, write
from cleanhub.report.blocks import Head, Prose, Section, Table
from cleanhub.report.context import Context, as_rows, once

SECTION = Section("one", "One", ("<lead>",), (Prose(("<b>", Markup("<b>bold</b>"))),))


@pytest.fixture
def fresh_templates() -> Any:
    """No template is loaded before and none stays after."""
    page._environment.cache_clear()
    yield
    page._environment.cache_clear()


def test_text_is_escaped_and_markup_is_not() -> None:
    text = page.page("section.html.j2", section=SECTION)
    assert "&lt;lead&gt;" in text
    assert "<p>&lt;b&gt;</p>" in text
    assert "<b>bold</b>" in text


def test_a_name_without_a_value_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="section"):
        page.page("section.html.j2")


@pytest.mark.usefixtures("fresh_templates")
def test_templates_are_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEANHUB_CACHE", str(tmp_path))
    with remembering() as first:
        text = page.page("section.html.j2", section=SECTION)
    page._environment.cache_clear()
    with remembering() as second:
        again = page.page("section.html.j2", section=SECTION)
    assert (first.made, second.made, second.recalled) == (["template"], [], ["template"])
    assert again == text


def test_cells_are_escaped_and_wear_the_style_of_their_column() -> None:
    table = Table("T", (Head("Name"), Head("Value", numeric=True)), (("<&>", Markup("<i>1</i>")),))
    rows = page.table_rows(table)
    assert rows == '<tr><td>&lt;&amp;&gt;</td><td class="n"><i>1</i></td></tr>\n'
    assert page.table_rows(Table("T", (Head("Name"),), ())) == ""


def test_rows_that_nobody_wants_are_left_out() -> None:
    frame = pd.DataFrame({"year": pd.array([2020, None, 2021], dtype="Int64"), "value": [1.0, 2.0, None]})
    assert as_rows(frame, lambda table: table["year"] >= 2021) == [{"year": 2021, "value": None}]
    assert as_rows(frame.iloc[:0], lambda table: table["year"] == 2020) == []
    assert as_rows(None, lambda table: table["year"] == 2020) == []


def test_rows_and_cells_of_a_table_that_is_not_there_are_none(filled_plan: Any) -> None:
    context = Context(filled_plan)
    assert context.rows_where("no such table", lambda table: table["year"] == 2020) == []
    assert context.package_cells("no such table", "year") == []


def test_what_is_drawn_once_is_drawn_once_for_each_plan(filled_plan: Any) -> None:
    asked: list[Context] = []

    @once
    def drawing(context: Context) -> int:
        """A drawing."""
        asked.append(context)
        return len(asked)

    first, second = Context(filled_plan), Context(filled_plan)
    assert [drawing(first), drawing(first), drawing(second), drawing(first)] == [1, 1, 2, 1]
    assert drawing.__doc__ == "A drawing."


def test_parts_hold_places_for_the_numbers_of_their_sources(filled_plan: Any) -> None:
    context = Context(filled_plan)
    sections = {section.id: section for section in write.sections_of(Context(filled_plan))}
    parts = write._parts(context, write._BUILDERS)
    assert context.cite.listed() == []
    for part in filter(lambda one: one.id, parts.values()):
        assert part.title == sections[part.id].title
        assert ("\x02" in part.body) == bool(part.cited and 'class="cite"' in part.body)
