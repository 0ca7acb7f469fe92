"""``cleanhub freight cost``: what a fleet compares, item by item."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cleanhub.cli import app, main
from cleanhub.hub.new import new_hub


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


def costs(runner: CliRunner, *words: str) -> dict[tuple[str, str], float]:
    done = runner.invoke(app, ["freight", "cost", "california", "--json", *words], catch_exceptions=False)
    return {(row["technology"], row["item"]): row["usd_per_mile"] for row in json.loads(done.stdout)}


def test_items_add_up_and_the_price_at_the_plug_moves_battery_trucks_alone(runner: CliRunner) -> None:
    dear, cheap = costs(runner, "--price", "0.40"), costs(runner, "--price", "0.20")
    technologies = {technology for technology, _ in dear}
    assert len(technologies) == 3
    for technology in technologies:
        parts = sum(value for (name, item), value in dear.items() if name == technology and item != "total")
        assert parts == pytest.approx(dear[technology, "total"])
    moved = {name for name, item in dear if item == "total" and dear[name, item] > cheap[name, item] + 0.1}
    assert moved == {"truck_class8_day_battery"}
    assert dear["truck_class8_day_battery", "waiting"] > 0
    assert dear["truck_class8_day_diesel", "port_rate"] > 0


def test_bad_words_are_listed_together(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["cleanhub", "freight", "cost", "--year", "2010", "--price", "-1"])
    with pytest.raises(SystemExit) as end:
        main()
    told = capsys.readouterr().err
    assert end.value.code == 2
    assert "--price" in told
    assert "2026 to 2050" in told


def test_a_hub_without_drayage_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = new_hub("plain", tmp_path)
    monkeypatch.setattr("sys.argv", ["cleanhub", "freight", "cost", str(folder)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "no drayage trucks" in capsys.readouterr().err
