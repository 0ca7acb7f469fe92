"""Figures as files: each SVG stands alone, each has its data, a list names unit and source."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from cleanhub.report.contract import PlanLike
from cleanhub.report.figures import INDEX, write_figures


@pytest.fixture
def rows(filled_plan: PlanLike, tmp_path: Path) -> list[dict[str, str]]:
    write_figures(filled_plan, tmp_path)
    with (tmp_path / INDEX).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_every_figure_is_listed_with_title_unit_and_source(
    rows: list[dict[str, str]], tmp_path: Path
) -> None:
    assert len(rows) > 5
    assert {row["svg"] for row in rows} == {path.name for path in tmp_path.glob("*.svg")}
    assert all(row["title"] and row["source"] for row in rows)
    assert len({row["figure"] for row in rows}) == len(rows)


def test_a_drawing_stands_alone(rows: list[dict[str, str]], tmp_path: Path) -> None:
    for row in rows:
        text = (tmp_path / row["svg"]).read_text(encoding="utf-8")
        root = ET.fromstring(text)
        assert root.tag.endswith("svg")
        assert "var(" not in text, "colours of the page do not reach other programs"
        assert not re.search(r"<script(?![^<]*</title>)|https?://(?!www\.w3\.org)", text)
        words = " ".join(root.itertext())
        assert "Source:" in words
        assert "Steady as she goes" in words


def test_data_are_numbers_that_a_machine_reads(rows: list[dict[str, str]], tmp_path: Path) -> None:
    (row,) = [row for row in rows if row["figure"] == "fig-emissions"]
    with (tmp_path / row["csv"]).open(encoding="utf-8", newline="") as handle:
        data = list(csv.DictReader(handle))
    assert data
    for line in data:
        assert all(value == "" or float(value) is not None for value in line.values())


def test_one_figure_can_be_asked_for_and_an_unknown_one_is_refused(
    filled_plan: PlanLike, tmp_path: Path
) -> None:
    assert write_figures(filled_plan, tmp_path / "one", ["fig-emissions"]) == ["fig-emissions"]
    assert {path.name for path in (tmp_path / "one").iterdir()} == {
        "fig-emissions.svg",
        "fig-emissions.csv",
        INDEX,
    }
    with pytest.raises(KeyError, match="no figure fig-nobody; there are: fig-"):
        write_figures(filled_plan, tmp_path / "two", ["fig-nobody"])
    assert not (tmp_path / "two").exists()


def test_the_same_plan_gives_the_same_bytes(filled_plan: PlanLike, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_figures(filled_plan, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert all((tmp_path / "a" / one).read_bytes() == (tmp_path / "b" / one).read_bytes() for one in files)
