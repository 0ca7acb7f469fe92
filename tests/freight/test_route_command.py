"""The command ``cleanhub freight route``: its answer, its JSON and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cleanhub.cli.freight_route import add_route_command
from cleanhub.core.errors import InputError

PORT, ONTARIO = "33.74,-118.26", "34.03,-117.61"


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    made = typer.Typer()
    add_route_command(made)
    made.command("other")(lambda: None)  # with two commands typer keeps their names
    return made


def ask(app: typer.Typer, *given: str) -> str:
    done = CliRunner().invoke(app, ["route", *given], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def refused(app: typer.Typer, *given: str) -> str:
    with pytest.raises(InputError) as caught:
        CliRunner().invoke(app, ["route", *given], catch_exceptions=False)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_json_has_distance_time_and_attribution(app: typer.Typer) -> None:
    found = json.loads(ask(app, "--from", PORT, "--to", ONTARIO, "--json"))
    assert 50 < found["miles"] < 62
    assert found["km"] == pytest.approx(found["miles"] * 1.609344, abs=0.01)
    assert found["hour"] is None
    assert found["free_minutes"] < found["minutes"] < max(found["minutes_by_hour"])
    assert len(found["minutes_by_hour"]) == 24
    assert 0 < found["from_snap_km"] < 5
    assert found["attribution"] == "© OpenStreetMap contributors"
    assert found["licence"] == "ODbL-1.0"
    assert "line" not in found


def test_the_line_is_given_when_asked_for(app: typer.Typer) -> None:
    found = json.loads(ask(app, "--from", PORT, "--to", ONTARIO, "--json", "--line"))
    assert found["line"][0] == [33.74, -118.26]
    assert found["line"][-1] == [34.03, -117.61]
    assert len(found["line"]) > 20


def test_the_hour_matters(app: typer.Typer) -> None:
    by_hour = {
        hour: json.loads(ask(app, "--from", PORT, "--to", ONTARIO, "--json", "--hour", hour))["minutes"]
        for hour in ("3", "12", "24")
    }
    assert by_hour["3"] < by_hour["12"]
    whole = json.loads(ask(app, "--from", PORT, "--to", ONTARIO, "--json"))
    assert by_hour["12"] == whole["minutes_by_hour"][12]
    assert by_hour["24"] == whole["minutes_by_hour"][0]


def test_text_tells_the_same(app: typer.Typer) -> None:
    text = ask(app, "--from", PORT, "--to", ONTARIO, "--hour", "7.5")
    assert "miles" in text
    assert "leaving at 7.5 h" in text
    assert "OpenStreetMap contributors" in text
    assert "nearest road" in text


def test_all_bad_options_are_told_at_once(app: typer.Typer) -> None:
    text = refused(app, "--from", "x", "--to", "-118.26,33.74", "--hour", "25")
    assert "3 faults" in text
    assert "--from: not a pair of numbers; found x" in text
    assert "--to: no place on Earth (are they swapped?)" in text
    assert "--hour: no hour of the day; found 25" in text


@pytest.mark.parametrize("point", ["nan,1", "1,2,3", "", "inf,0", "33.7", "33.7;-118"])
def test_points_that_are_none(app: typer.Typer, point: str) -> None:
    assert "--to: " in refused(app, "--from", PORT, "--to", point)


def test_points_off_the_network_are_both_named(app: typer.Typer) -> None:
    text = refused(app, "--from", "0,0", "--to", "10,10")
    assert "--from: off the road network; found 0,0" in text
    assert "--to: off the road network; found 10,10" in text
    assert "allowed at most 40 km" in text


def test_other_roads_can_be_given(app: typer.Typer, tmp_path: Path) -> None:
    file = tmp_path / "ways.csv"
    file.write_text(
        "from,from_lat,from_lon,to,to_lat,to_lon,miles,minutes\n"
        "port,33.74,-118.26,Ontario,34.03,-117.61,56,70\n",
        encoding="utf-8",
    )
    found = json.loads(ask(app, "--from", PORT, "--to", ONTARIO, "--roads", str(file), "--json"))
    assert found["miles"] == pytest.approx(56.0)
    assert found["free_minutes"] == 70.0
    assert found["network"] == "matrix ways.csv"
    assert "unreachable destination" in refused(app, "--from", ONTARIO, "--to", PORT, "--roads", str(file))


def test_a_hub_without_roads_answers_with_straight_lines(app: typer.Typer) -> None:
    found = json.loads(ask(app, "--from", "51.9,4.1", "--to", "51.4,5.5", "--hub", "global", "--json"))
    assert "straight lines" in found["network"]
    assert found["from_snap_km"] == 0.0


def test_unknown_roads_and_hubs_are_refused(app: typer.Typer) -> None:
    assert "no such roads" in refused(app, "--from", PORT, "--to", ONTARIO, "--roads", "atlantis")
    assert "no such hub" in refused(app, "--from", PORT, "--to", ONTARIO, "--hub", "atlantis")
