"""``cleanhub freight site``: options, tables, what it prints, bad input."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
from small_hub import edit

from cleanhub.cli import main
from cleanhub.hub.plan_tables import PLAN_TABLES

KEYS = {
    "hub", "scenario", "objective", "value", "bound", "gap", "status", "candidates", "truck_days",
    "sites_opened", "capital_usd", "grid_usd", "years", "notes", "community", "sites",
}  # fmt: skip
TABLES = {
    "truck_charging",
    "chargers",
    "charging_capital",
    "road_flow",
    "site_load",
    "site_use",
    "grid_upgrades",
}
SHORT = ("--from", "2027", "--to", "2028", "--gap", "0.1", "--wanted", "0.05")


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the command, in this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    before, sys.argv = sys.argv, ["cleanhub", "freight", "site", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    finally:
        sys.argv = before
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def written(
    small_hub_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, object], Path]:
    """What the command says and where it wrote its tables, all years."""
    folder = tmp_path_factory.mktemp("site") / "tables"
    words = (
        "--from",
        "2025",
        "--to",
        "2035",
        "--wanted",
        "0.2",
        "--gap",
        "0.05",
        "--json",
        "--out",
        str(folder),
    )
    code, out, err = run(str(small_hub_folder), *words)
    assert code == 0, err
    return json.loads(out), folder


def test_json_says_what_was_chosen_and_how_well(written: tuple[dict[str, object], Path]) -> None:
    found, _ = written
    assert set(found) >= KEYS
    assert found["objective"] == "cost"
    assert found["bound"] >= found["value"] > 0  # type: ignore[operator]
    assert 0 <= found["gap"] <= 0.05  # type: ignore[operator]
    assert found["candidates"] == 30
    years = pd.DataFrame(found["years"])
    assert years["year"].tolist() == list(range(2025, 2036))
    last = years.iloc[-1]
    assert last["wanted"] == pytest.approx(0.2 * last["trucks"])
    assert (years["served"] <= years["wanted"] * (1 + 1e-6)).all()


def test_the_tables_are_written_as_declared(written: tuple[dict[str, object], Path]) -> None:
    found, folder = written
    assert {path.stem for path in folder.glob("*.csv")} == {*TABLES, "community"}
    assert {Path(str(file)).stem for file in found["files"]} == {*TABLES, "community"}  # type: ignore[attr-defined]
    for name in TABLES:
        assert list(pd.read_csv(folder / f"{name}.csv", nrows=1).columns) == list(PLAN_TABLES[name].names)
    chargers = pd.read_csv(folder / "chargers.csv")
    assert len(chargers) == len(found["sites"])  # type: ignore[arg-type]
    capital = pd.read_csv(folder / "charging_capital.csv")["value_usd"].sum()
    told = float(found["capital_usd"]) + float(found["grid_usd"])  # type: ignore[arg-type]
    assert capital == pytest.approx(told, rel=1e-6)


def test_nothing_new_is_energised_before_the_day_of_the_plan_and_its_lead_time(
    written: tuple[dict[str, object], Path],
) -> None:
    _, folder = written
    chargers = pd.read_csv(folder / "chargers.csv")
    planned = chargers[chargers["status"] == "planned"]
    assert len(planned)
    assert (planned["year_energised"] >= 2027).all()  # as of June 2026, and at least a year to build
    assert set(chargers[chargers["status"] == "open"]["year_energised"]) == {2023}
    years = pd.read_csv(folder / "truck_charging.csv").set_index("year")
    assert years.loc[2025, "most"] == pytest.approx(years.loc[2026, "most"], rel=0.1)
    assert years.loc[2028, "most"] > 5 * years.loc[2026, "most"]


def test_ways_to_charge_are_told_on_the_screen_and_for_machines(
    small_hub_folder: Path, tmp_path: Path
) -> None:
    code, out, err = run(str(small_hub_folder), *SHORT, "--ways")
    assert code == 0, err
    assert "Ways to charge in 2028, capital of the sites aside" in out
    code, out, err = run(
        str(small_hub_folder), *SHORT, "--storage", "800", "--json", "--out", str(tmp_path / "ways")
    )
    assert code == 0, err
    found = json.loads(out)
    assert [one["way"] for one in found["ways"]] == ["at once", "best hours", "own power"]
    assert [one["panels_kw"] for one in found["ways"]] == [0, 0, 0]
    assert len(pd.read_csv(tmp_path / "ways" / "charging_ways.csv")) == 3


@pytest.mark.parametrize("objective", ["electric_miles", "co2e", "diesel_pm_exposure"])
def test_every_objective_runs_under_a_budget(small_hub_folder: Path, objective: str) -> None:
    code, out, err = run(
        str(small_hub_folder), *SHORT, "--objective", objective, "--budget", "10e6", "--json"
    )
    assert code == 0, err
    found = json.loads(out)
    assert found["objective"] == objective
    assert found["capital_usd"] + found["grid_usd"] <= 10e6 * (1 + 1e-6)


def test_budget_0_opens_nothing(small_hub_folder: Path) -> None:
    code, out, err = run(str(small_hub_folder), *SHORT, "--budget", "0", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["sites_opened"] == 0
    assert found["capital_usd"] == found["grid_usd"] == 0
    assert [site["status"] for site in found["sites"]] == ["open"]


def test_a_person_reads_years_sites_works_and_whose_roads_these_are(small_hub_folder: Path) -> None:
    code, out, err = run(str(small_hub_folder), *SHORT, "--equity", "0.3")
    assert code == 0, err
    for word in (
        "30 candidate sites",
        "gap",
        "Truck-days on a working day",
        "Sites to open",
        "OpenStreetMap",
    ):
        assert word in out, word
    assert "public-gateway-victorville (Victorville) has no substation: left out" in out


def test_all_bad_options_are_named_together() -> None:
    words = ("--objective", "beauty", "--robust", "luck", "--from", "2030", "--to", "2027")
    code, out, err = run("california", *words)
    assert code == 2
    assert not out
    for word in (
        "no such objective",
        "cost, electric_miles, co2e, diesel_pm_exposure",
        "regret, cvar",
        "2030 or later",
    ):
        assert word in err, word


@pytest.mark.parametrize(
    "words", [("--wanted", "1.5"), ("--budget", "-1"), ("--equity", "2"), ("--gap", "-0.1"), ("--to", "1999")]
)
def test_an_option_out_of_its_range_ends_with_2(words: tuple[str, str]) -> None:
    code, _, err = run("california", *words)
    assert code == 2
    assert words[0] in err


def test_years_outside_of_the_scenario_are_refused(small_hub_folder: Path) -> None:
    code, _, err = run(str(small_hub_folder), "--from", "2040", "--to", "2090")
    assert code == 2
    assert "2040 to 2090" in err
    assert "2022 to 2050" in err


def test_a_hub_without_drayage_and_a_hub_that_is_none_end_with_2() -> None:
    code, _, err = run("global")
    assert code == 2
    assert "hub global has no drayage with terminals" in err
    assert run("atlantis")[0] == 2


def test_negative_volume_is_named_with_its_line(small_hub_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "negative"
    shutil.copytree(small_hub_folder, folder)
    edit(folder, "port_throughput", lambda t: t.assign(teu=["-5", *t["teu"].iloc[1:]]))
    code, _, err = run(str(folder), *SHORT)
    assert code == 2
    assert "port_throughput.csv, row 2, column teu" in err
    assert "-5" in err


def test_a_truck_stop_without_a_substation_is_named_with_its_line(
    small_hub_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "stops"
    shutil.copytree(small_hub_folder, folder)

    def with_stop(table: pd.DataFrame) -> pd.DataFrame:
        stop = table.assign(
            place_id="stop-needles", name="Needles", kind="truck_stop", lat="34.84", lon="-114.61"
        )
        return pd.concat([table, stop])

    edit(folder, "freight_places", with_stop)
    code, _, err = run(str(folder), *SHORT)
    assert code == 2
    assert "freight_places.csv, row 3, column lat, lon" in err
    assert "stop-needles (Needles) has no substation" in err


def test_an_area_without_a_date_counts(small_hub_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "asked"
    shutil.copytree(small_hub_folder, folder)
    row = "area_id,name,kind,lat,lon,radius_km,asked_by,asked_on,source_id,confidence,note\n"
    row += "carson,Carson,no_go,33.836,-118.264,4,Residents,,cleanhub-assumption,assumed,\n"
    (folder / "community_areas.csv").write_text(row, encoding="utf-8")
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    package["resources"].append({"name": "community_areas", "path": "community_areas.csv"})
    (folder / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    code, out, _ = run(str(folder), *SHORT, "--json")
    assert code == 0, out
    area = json.loads(out)["community"][0]
    assert area["area_id"] == "carson"
    assert area["opened"] == 0
    assert area["refused"] == area["sites"] > 0
