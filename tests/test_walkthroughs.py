"""Each walkthrough is run as written, in an empty folder: its commands work and print what it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import readme_tour
import walkthroughs

USERS = {"analyst", "port-and-city", "state-agency", "developer", "lender", "community"}


@pytest.mark.parametrize("page", walkthroughs.PAGES, ids=lambda path: path.stem)
def test_the_walkthrough_shows_what_its_commands_print(page: Path) -> None:
    assert walkthroughs.walked(page) == page.read_text(encoding="utf-8"), (
        f"stale: {page.name}; run python tools/walkthroughs.py {page.stem}"
    )


@pytest.mark.parametrize("page", walkthroughs.PAGES, ids=lambda path: path.stem)
def test_the_walkthrough_is_one_of_a_user_and_says_what_it_cannot_tell(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert page.stem in USERS
    assert "(../limits.md" in text
    assert re.search(r"^```sh$", text, re.MULTILINE)


# --- how a page is run ---------------------------------------------------------------------------


def test_a_file_of_the_page_is_written_for_its_commands() -> None:
    page = (
        "<!-- file: a.csv -->\n\n```csv\nx,y\n1,2\n```\n\n"
        "```sh\ncat a.csv\n```\n\n<!-- output: all -->\n\n```text\n```\n"
    )
    assert readme_tour.tour(page).endswith("```text\nx,y\n1,2\n```\n")


def test_a_command_meant_to_fail_shows_its_error_and_must_fail() -> None:
    page = "```sh\ncleanhub hub check nowhere{}\n```\n\n<!-- output: all -->\n\n```text\n```\n"
    assert "nowhere" in readme_tour.tour(page.format("  # exit 2")).split("```text\n")[1]
    with pytest.raises(SystemExit, match="ended with 2"):
        readme_tour.tour(page.format("  # exit 1"))
