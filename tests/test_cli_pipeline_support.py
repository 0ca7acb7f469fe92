"""``cleanhub pipeline support``: what is chosen, what stands beside, its JSON and its faults."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cleanhub.cli.pipeline_support import add_support_command
from cleanhub.core.errors import InputError
from cleanhub.hub.package import load_hub
from cleanhub.hub.scenario import load_scenario
from cleanhub.planning.pipeline import run_pipeline, valued_projects

RUNNER = CliRunner()
APP = typer.Typer()
SOME = "technical_assistance,guarantee,shared_infrastructure"
add_support_command(APP)


@APP.callback()
def group() -> None:
    """A group, so that the command is called by its name."""


@pytest.fixture(scope="module")
def small_run() -> Any:
    """California, and its simulation in 60 draws by seed, each made once."""
    hub = load_hub("california")
    scenario = load_scenario("net-zero-2045", hub)
    valued = valued_projects(hub, scenario)
    return hub, cache(lambda seed: run_pipeline(hub, scenario, valued, 60, seed))


@pytest.fixture
def quick(small_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands take the hub and the simulation that are at hand."""
    hub, run = small_run
    monkeypatch.setattr("cleanhub.hub.package.load_hub", lambda name: hub)
    monkeypatch.setattr("cleanhub.planning.pipeline.valued_projects", lambda *given: None)
    monkeypatch.setattr(
        "cleanhub.planning.pipeline.run_pipeline",
        lambda hub, scenario, valued, draws, seed: run(seed),
    )


def json_of(*words: str) -> dict[str, Any]:
    done = RUNNER.invoke(APP, ["support", "california", "-s", "net-zero-2045", "--json", *words])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.usefixtures("quick")
def test_the_choice_as_json() -> None:
    data = json_of("--slots", "3", "--budget", "10e6", "--instruments", SOME)
    assert (data["hub"], data["scenario"], data["by"]) == ("california", "net-zero-2045", 2045)
    assert len(data["chosen"]) >= 1
    assert data["slots_used"] == sum(row["slot"] for row in data["chosen"]) <= 3
    assert data["cost_usd"] == pytest.approx(sum(row["cost_usd"] for row in data["chosen"]))
    assert data["cost_usd"] <= 10e6
    assert sum(data["paid_usd"].values()) == pytest.approx(data["cost_usd"])
    assert data["bound_co2e_t"] >= data["stated_co2e_t"] > 0
    assert data["gap"] <= 1e-6
    assert data["status"] == "optimal"
    assert data["fresh_co2e_t"] > 0
    assert data["zero_uplift_co2e_t"] < data["simulated_co2e_t"]
    assert [row["uplift"] for row in data["uplifts"]] == [0.0, 0.5, 1.0]
    assert "chosen, not drawn" in data["caveat"]


@pytest.mark.usefixtures("quick")
def test_options_turn_the_choice() -> None:
    data = json_of(
        "--instruments", "permitting, guarantee", "--public", "3e6", "--by", "2035", "--uplift", "0.8"
    )
    used = {name for row in data["chosen"] for name in row["instruments"].split(";")}
    assert used <= {"permitting", "guarantee"}
    assert data["paid_usd"].get("public", 0.0) <= 3e6
    assert (data["by"], data["uplift"], data["public_usd"]) == (2035, 0.8, 3e6)
    assert [row["uplift"] for row in data["uplifts"]] == [0.0, 0.5, 0.8, 1.0]


@pytest.mark.usefixtures("quick")
def test_the_choice_for_people() -> None:
    done = RUNNER.invoke(APP, ["support", "california", "--slots", "2", "--budget", "5e6"])
    assert done.exit_code == 0, done.output
    for words in (
        "if support causes nothing (uplift 0)",
        "on fresh draws",
        "no choice can add more",
        "chosen, not",
    ):
        assert words in done.stdout
    none = RUNNER.invoke(APP, ["support", "california", "--slots", "0", "--budget", "0"])
    assert none.exit_code == 0, none.output
    assert "nothing to support" in none.stdout


def test_bad_input_is_told_before_anything_is_simulated() -> None:
    done = RUNNER.invoke(APP, ["support", "california", "--instruments", "luck,prayer"])
    assert isinstance(done.exception, InputError)
    assert len(done.exception.faults) == 2
    for words in (["--slots", "-1"], ["--budget", "-5"], ["--uplift", "1.5"]):
        assert RUNNER.invoke(APP, ["support", *words]).exit_code == 2


@pytest.mark.usefixtures("quick")
def test_a_year_that_is_not_in_the_plan() -> None:
    done = RUNNER.invoke(APP, ["support", "california", "-s", "net-zero-2045", "--by", "2019"])
    assert isinstance(done.exception, InputError)
    assert "2019" in str(done.exception)
