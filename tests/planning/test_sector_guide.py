"""The guide to a sector gives rows that are read, costed and reachable, and a figure that can be measured."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from cleanhub.finance.technologies import build_technologies
from cleanhub.hub.library import FOLDER, Library, read_library
from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.scenario import load_scenario
from cleanhub.pathways.assemble import switch_kinds
from cleanhub.planning.published import check_figures

FILES = ("codelists", "technologies", "technology_parameters", "switches", "published_figures")


@pytest.fixture(scope="module")
def library(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The bundled library with the rows that the guide adds."""
    guide = (repo_root / "docs" / "guides" / "add-a-sector.md").read_text(encoding="utf-8")
    folder = Path(shutil.copytree(FOLDER, tmp_path_factory.mktemp("sector") / "library"))
    for name, rows in zip(FILES, re.findall(r"```csv\n(.*?)```", guide, re.DOTALL), strict=True):
        with (folder / f"{name}.csv").open("a", encoding="utf-8") as handle:
            handle.write(rows)
    return read_library(folder)


@pytest.fixture(scope="module")
def california() -> Hub:
    return load_hub("california")


def test_plants_may_go_from_what_they_run_to_the_new_technology(library: Library, california: Hub) -> None:
    tech = build_technologies(library, load_scenario("baseline", california))
    gas, electric = tech.find("gypsum_gas"), tech.find("gypsum_electric")
    assert (tech.product[[gas, electric]] == "gypsum_board").all()
    assert switch_kinds(library, tech)[gas, electric] > 0
    assert tech.direct[gas] == pytest.approx(0.13)
    assert tech.direct[electric] == 0.0


def test_the_published_figure_can_be_measured(library: Library) -> None:
    figures = library.tables["published_figures"]
    row = figures[figures["figure"] == "california-gypsum-2022"]
    check_figures(row)
    assert row["metric"].tolist() == ["production"]


def test_the_hub_has_the_plants_that_the_guide_speaks_of(california: Hub) -> None:
    plants = california.tables["facilities"]
    assert (plants["naics"].astype(str) == "327420").sum() == 5
