"""A hub with one plant, without trucks and without projects: everything works and says what is not there."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from subjects import asked
from trials import Outcome, run

from cleanhub.web.app import create_app
from cleanhub.web.view import open_plan

PAGES = (
    "/",
    "/map",
    "/projects",
    "/data",
    "/data/links",
    "/data/sources",
    "/words",
    "/api/plan",
    "/api/tables",
)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A folder with a new hub and its plan, and what planning it said."""
    folder = tmp_path_factory.mktemp("one-plant")
    assert run(("hub", "new", "quiet"), folder).code == 0
    done = run(("plan", "quiet", "--out", "plan"), folder)
    assert (done.code, done.broke, done.err) == (0, "", "")
    return folder, done


def test_the_report_says_what_the_plan_does_not_hold(planned: tuple[Path, Outcome]) -> None:
    text = re.sub(r"<[^>]+>", " ", (planned[0] / "plan" / "report.html").read_text(encoding="utf-8"))
    for words in (
        "No trucks in this plan.",
        "No projects in this plan.",
        "No limits in this plan.",
        "No link of this plan blocks tonnes.",
        "No project of this plan can be valued.",
    ):
        assert words in text
    assert not re.search(r"\bnan\b|\binf\b", text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("compare", "plan", "plan"), "no difference"),
        (("pipeline", "quiet"), "the hub lists no projects"),
        (("pipeline", "support", "quiet"), "nothing to support"),
        (("pipeline", "conflicts", "quiet"), "no conflict of policies is found"),
        (("pipeline", "offtake", "quiet"), "quiet"),
        (("finance", "projects", "--hub", "quiet"), "the hub lists no projects"),
        (("commitments", "gap", "quiet"), ""),
    ],
)
def test_commands_say_that_there_is_nothing(
    planned: tuple[Path, Outcome], words: tuple[str, ...], said: str
) -> None:
    done = run(words, planned[0])
    assert (done.code, done.broke) == (0, "")
    assert said.lower() in done.out.lower()


def test_pages_are_whole(planned: tuple[Path, Outcome]) -> None:
    app = create_app(open_plan(planned[0] / "plan", planned[0] / "quiet"))
    assert [asyncio.run(asked(app, page)) for page in PAGES] == [200] * len(PAGES)
