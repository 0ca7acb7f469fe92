"""hub show: the numbers as JSON, and summaries of hubs that hold little."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.schema import PACKAGE_TABLES
from cleanhub.hub.summary import summarise


def test_hub_show_prints_the_summary_as_json(california: Hub) -> None:
    words = [sys.executable, "-m", "cleanhub", "hub", "show", "california", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found == json.loads(json.dumps(summarise(california)))
    total = next(figure for figure in found["figures"] if figure["metric"] == "inventory_total")
    assert (total["unit"], total["year"], total["sources"]) == ("Mt CO2e", 2022, ["carb-inventory-2024"])


def test_a_small_hub_by_hand(tiny: Path) -> None:
    found = summarise(load_hub(tiny))
    figures = {figure["metric"]: figure["value"] for figure in found["figures"]}
    assert figures["sites"] == figures["industry_sites_emitting"] == 1
    assert figures["site_emissions"] == figures["industry_emissions"] == 0.8
    assert figures["inventory_total"] == figures["hub_scope"] == 1.0
    assert figures["hub_share"] == 100
    assert found["sectors"][0] == {
        "sector": "cement",
        "sites_reporting": 1,
        "sites_emitting": 1,
        "mt_co2e": 0.8,
        "year": 2022,
        "sources": ["example"],
    }
    assert found["licences"] == ["CC-BY-4.0"]


def test_a_site_that_reports_nothing_emitted_is_counted_as_reporting(
    tiny: Path, write_table: Callable[[Path, str, list[dict[str, Any]]], None]
) -> None:
    write_table(tiny, "facility_emissions", [{"asset_id": "example-plant", "year": 2022, "co2e_t": 0}])
    figures = {figure["metric"]: figure["value"] for figure in summarise(load_hub(tiny))["figures"]}
    assert figures["industry_sites_reporting"] == 1
    assert figures["industry_sites_emitting"] == 0


@pytest.mark.parametrize("name", sorted(set(PACKAGE_TABLES) - {"sources"}))
def test_a_hub_with_an_empty_table_has_a_summary(
    tiny: Path, name: str, write_table: Callable[[Path, str, list[dict[str, Any]]], None]
) -> None:
    write_table(tiny, name, [])
    if name == "drivers":  # the scenario names drivers
        (tiny / "scenarios" / "baseline.yaml").write_text(
            "name: baseline\ntitle: T\nas_of: 2026-01-01\n", encoding="utf-8"
        )
    json.dumps(summarise(load_hub(tiny)), allow_nan=False)
