"""The investment blueprint: its files, its pages on paper, and the utility's table."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cleanhub.core.errors import RunError
from cleanhub.report import blueprint, write
from cleanhub.report.context import Context

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def test_it_stands_beside_the_report(freight_plan: Any, tmp_path: Path) -> None:
    from cleanhub.planning.store import OWN

    path = write.write_report(freight_plan, tmp_path / "plan")
    names = {one.name for one in path.parent.iterdir()}
    assert names == {"report.html", "blueprint.html", "grid_works.csv", "ATTRIBUTION.txt"}
    assert names <= OWN  # a plan folder with these files can be planned into again


def test_nothing_is_written_without_charging_sites(make_freight: Callable[..., Any], tmp_path: Path) -> None:
    write.write_report(make_freight(chargers=[], road_flow=[]), tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_geometry_alone_brings_its_attribution(make_freight: Callable[..., Any], tmp_path: Path) -> None:
    (path,) = blueprint.write_blueprint(Context(make_freight(chargers=[])), tmp_path)
    text = path.read_text(encoding="utf-8")
    assert path.name == "ATTRIBUTION.txt"
    assert "© OpenStreetMap contributors, ODbL" in text
    assert "https://www.openstreetmap.org/copyright" in text


def test_equal_plans_give_equal_bytes(make_freight: Callable[..., Any], tmp_path: Path) -> None:
    first = blueprint.write_blueprint(Context(make_freight()), tmp_path)
    before = [path.read_bytes() for path in first]
    shuffled = make_freight()
    for name, frame in shuffled.tables.items():
        shuffled.tables[name] = frame.iloc[::-1].reset_index(drop=True)
    assert [path.read_bytes() for path in blueprint.write_blueprint(Context(shuffled), tmp_path)] == before


def test_a_plan_without_its_hub_is_refused(freight_plan: Any, tmp_path: Path) -> None:
    freight_plan.hub = None
    with pytest.raises(RunError, match="loaded without its hub"):
        write.write_report(freight_plan, tmp_path)


def test_five_pages_in_order(freight: Context) -> None:
    pages = blueprint.pages(freight)
    assert [page.id for page in pages] == ["summary", "sites", "capital", "works", "people"]
    text = blueprint.render_blueprint(freight)
    assert [text.index(f'id="{page.id}"') for page in pages] == sorted(
        text.index(f'id="{page.id}"') for page in pages
    )
    assert text.count('class="sheet"') == 5


def test_nothing_runs_and_nothing_is_fetched(freight_plan: Any, nasty: str) -> None:
    freight_plan.tables["chargers"].loc[0, "name"] = nasty
    freight_plan.hub.tables["community_areas"].loc[0, "asked_by"] = nasty
    freight_plan.hub.title = nasty
    text = blueprint.render_blueprint(Context(freight_plan))
    assert "<script" not in text
    assert nasty not in text
    assert not re.findall(r"\b(?:src|srcset|href)=", text)
    assert not re.findall(r"url\((?!#)", text)
    assert "default-src 'none'" in text


def test_no_citation_dangles(freight: Context) -> None:
    assert "#source-" not in blueprint.render_blueprint(freight)


def test_attribution_stands_on_the_map_and_at_the_foot(freight: Context) -> None:
    text = blueprint.render_blueprint(freight)
    foot = text[text.index("<footer>") :]
    assert "© OpenStreetMap contributors, ODbL" in foot
    assert (
        "© OpenStreetMap contributors, ODbL" in text[text.index("fig-freight-map-w") : text.index("<footer>")]
    )


def test_the_summary_says_the_five_numbers(freight: Context) -> None:
    cards = {card.title: card for card in blueprint.summary_cards(freight)}
    assert cards["Charging sites"].value == "12"
    assert cards["Power of the plugs"].value == "78"
    assert cards["Capital"].value == "$90\u00a0million"
    assert cards["Truck-days served"].value == "60\u00a0%"
    assert cards["Truck-days served"].when == "2035"
    assert cards["Truck-days served"].note.startswith("on a working day. 2025: 100; ")
    assert cards["Grid works"].value == "48"
    assert "2 substations; first start 2026" in cards["Grid works"].note
    # 38 of 48 MW of works rest on headroom that is assumed, 57 of 81 MW of sites on assumed inputs
    assert cards["Grid works"].recalled == "79\u00a0%"
    assert cards["Charging sites"].recalled == "70\u00a0%"
    assert all(card.illustrative for card in cards.values())


def test_firm_inputs_wear_no_badge(make_freight: Callable[..., Any], freight: Context) -> None:
    sites = [{**row, "confidence": "seen"} for row in freight.rows("chargers")]
    firm = [{**row, "headroom_confidence": "derived"} for row in freight.rows("grid_upgrades")]
    context = Context(make_freight(chargers=sites, grid_upgrades=firm))
    assert not any(card.illustrative for card in blueprint.summary_cards(context))
    assert "badge illustrative" not in blueprint.render_blueprint(context)


def test_without_works_the_utility_is_told_so(make_freight: Callable[..., Any]) -> None:
    context = Context(make_freight(grid_upgrades=[]))
    assert "no works are needed" in blueprint.render_blueprint(context)
    assert "Grid works" not in {card.title for card in blueprint.summary_cards(context)}


# ---------------------------------------------------------------- on paper


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_it_prints_on_five_pages(freight: Context, tmp_path: Path, paper: str) -> None:
    page = tmp_path / "blueprint.html"
    text = blueprint.render_blueprint(freight)
    assert text.count("@page{size:auto;margin:13mm") == 1
    page.write_text(
        text.replace("@page{size:auto;margin:13mm", f"@page{{size:{paper};margin:13mm"), encoding="utf-8"
    )
    printed = tmp_path / "blueprint.pdf"
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    command += [
        f"--user-data-dir={tmp_path / 'profile'}",
        "--no-pdf-header-footer",
        f"--print-to-pdf={printed}",
    ]
    subprocess.run([*command, page.as_uri()], capture_output=True, timeout=120, check=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed.read_bytes())) == 5


def test_drawing_the_map_loads_nothing_that_looks_for_ways() -> None:
    heavy = ["scipy.spatial", "scipy.sparse.csgraph", "scipy.sparse.linalg"]
    code = f"import sys, cleanhub.report.write; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
