"""``cleanhub freight trips``: what is shown, what is refused, what is written, and what never leaves."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner, Result

from cleanhub.cli.freight import freight_app
from cleanhub.cli.freight_trips import add_trips_command
from cleanhub.core.errors import InputError, RunError
from cleanhub.freight.energy import group_energy
from cleanhub.freight.figures import Figures
from cleanhub.freight.problem import LOADS, TruckDays
from cleanhub.freight.roads import load_network
from cleanhub.freight.trip_table import table_template
from cleanhub.hub.package import Hub, load_hub

Ask = Callable[..., Result]
TABLES = {"mileage", "dwell", "battery", "truck_day_groups", "origin_destination", "places", "road_flow"}
FLEET, DAYS = 9, 2
HOME = (33.98765, -117.95432)
"""A yard of the user's own, far from any zone of the hub: its digits must not leave."""
TERMINAL, ONTARIO = (33.762111, -118.209222), (34.03111, -117.61222)


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    made = typer.Typer()
    add_trips_command(made)
    made.command("other")(lambda: None)  # with two commands typer keeps their names
    return made


@pytest.fixture
def ask(app: typer.Typer, small_hub_folder: Path) -> Ask:
    def run(*words: object) -> Result:
        given = ["trips", *(str(word) for word in words), "--hub", str(small_hub_folder)]
        return CliRunner().invoke(app, given, catch_exceptions=False, env={"COLUMNS": "200"})

    return run


def stops(trucks: int = FLEET, far: str = "") -> str:
    """GPS stops of a fleet: own yard, terminal, Ontario, own yard, on two days; ``far`` is one more line."""
    lines = ["Unit No,Stop begin,y,x"]
    for n in range(trucks):
        for day in range(6, 6 + DAYS):
            for hour, (lat, lon) in zip((5, 7, 10, 13), (HOME, TERMINAL, ONTARIO, HOME), strict=True):
                lines.append(f"SECRET-{n:03d},2024-05-{day:02d} {hour:02d}:17,{lat},{lon}")
    return "\n".join([*lines, far]).rstrip() + "\n"


def write(folder: Path, text: str, name: str = "mine.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


COLUMNS = ("--column", "truck=Unit No", "--column", "time=Stop begin")


# ---------------------------------------------------------------- templates


@pytest.mark.parametrize(("word", "kind"), [("trips", "trips"), ("gps", "stops")])
def test_a_template_is_printed_and_runs_as_it_is(word: str, kind: str, ask: Ask, tmp_path: Path) -> None:
    done = ask("--template", word)
    assert done.exit_code == 0
    assert done.stdout == table_template(kind)  # type: ignore[arg-type]
    found = json.loads(ask(write(tmp_path, done.stdout), "--json").stdout)
    assert found["kind"] == word
    assert found["truck_days_per_day"] > 5
    assert found["mileage"]


def test_the_command_is_on_the_command_line() -> None:
    assert "trips" in {command.name for command in freight_app.registered_commands}


# ---------------------------------------------------------------- what is told


def by_hand(hub: Hub) -> tuple[float, float]:
    """Miles of the tour and kWh a mile: bobtail to the terminal, loaded to Ontario, bobtail home."""
    figures, network = Figures(hub), load_network(hub)
    places = (HOME, TERMINAL, ONTARIO, HOME)
    ways = [network.route(start, end) for start, end in itertools.pairwise(places)]
    starts = (5.3, 7.3, 10.3)
    legs = TruckDays(
        trucks=np.ones(1),
        home=np.zeros(1, dtype=np.int64),
        shifts=np.ones(1, dtype=np.int64),
        leg_group=np.zeros(3, dtype=np.int64),
        leg_from=np.array([0, 1, 2]),
        leg_to=np.array([1, 2, 0]),
        leg_load=np.array([LOADS.index(word) for word in ("bobtail", "loaded", "bobtail")]),
        leg_km=np.array([way.km for way in ways]),
        leg_hours=np.array([way.minutes[round(hour)] / 60 for way, hour in zip(ways, starts, strict=True)]),
        leg_start=np.array(starts),
        leg_dwell=np.array([1.5, 2.0, 0.0]),
    )
    miles = sum(way.miles for way in ways)
    return miles, float(group_energy(legs, figures)[0]) / miles


def test_stops_as_driven(ask: Ask, tmp_path: Path) -> None:
    found = json.loads(ask(write(tmp_path, stops()), *COLUMNS, "--json").stdout)
    assert found["kind"] == "gps"
    assert found["columns"] == {"truck": "Unit No", "time": "Stop begin", "lat": "y", "lon": "x"}
    assert found["rows"] == FLEET * DAYS * 4
    assert found["trucks"] == FLEET
    assert found["truck_days_per_day"] == pytest.approx(FLEET)
    assert found["turns"] == pytest.approx(1.0)
    assert found["legs"] == pytest.approx(3.0)
    miles, per_mile = by_hand(load_hub("california"))
    assert found["mean_miles"] == pytest.approx(miles, rel=0.01)
    assert found["kwh_per_mile"] == pytest.approx(per_mile, rel=0.05)
    assert found["electrifiable"] == 1.0
    assert {row["kind"] for row in found["dwell"]} == {"terminal", "cluster"}
    assert sum(row["truck_days_per_day"] for row in found["mileage"]) == pytest.approx(FLEET)
    shares = [row["one_charge"] for row in found["battery"]]
    assert shares == sorted(shares)
    assert not any(found["withheld"].values())


def test_trips_are_modelled_and_say_so(ask: Ask, tmp_path: Path) -> None:
    text = "From,To,Trips\n" + "".join(
        f"terminal-everport,{to},{n}\n" for to, n in (("Ontario", 80), ("Compton", 60), ("Chino", 4))
    )
    found = json.loads(ask(write(tmp_path, text), "--json").stdout)
    assert found["truck_days"] == "modelled from the trips"
    assert found["trucks"] is None
    assert 30 < found["truck_days_per_day"] < 144
    assert found["withheld"]["pairs_of_places"] == 1
    assert found["withheld"]["trips_per_day_on_them"] == 4
    assert found["merged_places"] == 1


def test_the_screen_shows_columns_numbers_and_what_is_withheld(ask: Ask, tmp_path: Path) -> None:
    text = ask(write(tmp_path, stops()), *COLUMNS).output
    assert "read as GPS stops" in text
    assert "Unit No -> truck (as you said)" in text
    assert "calls at a terminal in a truck-day" in text
    assert "withheld, of fewer than five trucks: nothing" in text
    assert "© OpenStreetMap contributors" in text
    assert "2024 " in text
    assert "2,024" not in text


def test_few_trucks_show_nothing(ask: Ask, tmp_path: Path) -> None:
    done = ask(write(tmp_path, stops(4)), *COLUMNS, "--out", tmp_path / "out")
    assert "fewer than five trucks: nothing is shown" in done.output
    assert "truck days 4" in done.output
    for path in (tmp_path / "out").iterdir():
        assert pd.read_csv(path).empty


def test_the_same_file_gives_the_same_bytes(ask: Ask, tmp_path: Path) -> None:
    path = write(tmp_path, table_template("trips"))
    for name in ("a", "b"):
        ask(path, "--out", tmp_path / name)
    for one in (tmp_path / "a").iterdir():
        assert one.read_bytes() == (tmp_path / "b" / one.name).read_bytes()


# ---------------------------------------------------------------- privacy


def test_nothing_of_the_file_is_in_what_is_written_or_printed(ask: Ask, tmp_path: Path) -> None:
    """Names of trucks, exact coordinates and clock times are looked for in every byte that came out."""
    path = write(tmp_path, stops())
    plain = ask(path, *COLUMNS, "--out", tmp_path / "out")
    as_json = ask(path, *COLUMNS, "--json", "--out", tmp_path / "json")
    files = [*(tmp_path / "out").iterdir(), *(tmp_path / "json").iterdir()]
    assert {file.stem for file in files} == TABLES
    assert all(file.suffix == ".csv" for file in files)
    text = plain.output + as_json.output + "".join(file.read_text(encoding="utf-8") for file in files)
    assert len(text) > 5000
    digits = [str(abs(number))[:8] for place in (HOME, TERMINAL, ONTARIO) for number in place]
    secrets = ["SECRET", ":17", "2024-05", *digits]
    assert [secret for secret in secrets if secret in text] == []
    places = pd.read_csv(tmp_path / "out" / "places.csv").set_index("place")
    assert places.loc["own-1", ["lat", "lon"]].tolist() == pytest.approx([33.99, -117.95])


def test_no_tour_is_written(ask: Ask, tmp_path: Path) -> None:
    ask(write(tmp_path, stops()), *COLUMNS, "--out", tmp_path)
    groups = pd.read_csv(tmp_path / "truck_day_groups.csv")
    means = ["legs", "miles", "hours", "kwh", "within_battery"]
    assert list(groups) == ["group", "base", "truck_days_per_day", *means]
    assert (groups["truck_days_per_day"] >= 5 / DAYS).all()


def test_places_and_roads_of_one_truck_are_withheld(ask: Ask, tmp_path: Path) -> None:
    """One more truck that alone drives to a place of its own in the east: neither it nor its road shows."""
    alone = "SECRET-999,2024-05-06 06:00,33.762,-118.209\nSECRET-999,2024-05-06 10:00,33.5012,-117.1512"
    for name, text in (("with", stops(far=alone)), ("without", stops())):
        ask(write(tmp_path, text), *COLUMNS, "--out", tmp_path / name)
    found = json.loads(ask(write(tmp_path, stops(far=alone)), *COLUMNS, "--json").stdout)
    assert found["withheld"]["places"] == 1
    assert found["withheld"]["pairs_of_places"] == 1
    assert found["withheld"]["road_arcs"] > 0
    both = [pd.read_csv(tmp_path / name / "places.csv")["place"].tolist() for name in ("with", "without")]
    assert both[0] == both[1]
    roads = [set(pd.read_csv(tmp_path / name / "road_flow.csv")["arc_id"]) for name in ("with", "without")]
    assert roads[0] == roads[1]


# ---------------------------------------------------------------- faults


def refused(ask: Ask, *words: object) -> InputError:
    with pytest.raises(InputError) as caught:
        ask(*words)
    assert caught.value.exit_code == 2
    return caught.value


def bad(folder: Path) -> Path:
    lines = table_template("stops").replace("34.03,", "94.03,").splitlines()
    lines[9] = lines[9].replace("2024-05-06 03:30", "sometime")
    return write(folder, "\n".join(lines) + "\n")


def test_every_fault_is_listed(ask: Ask, tmp_path: Path) -> None:
    faults = refused(ask, bad(tmp_path)).faults
    assert len(faults) == 7
    by_column = {fault.column for fault in faults}
    assert by_column == {"time", "lat"}
    wrong = next(fault for fault in faults if fault.column == "time")
    assert (wrong.row, wrong.found, wrong.what) == (10, "sometime", "not a time")
    assert wrong.allowed


def test_a_faulty_file_is_given_back_with_its_faults(ask: Ask, tmp_path: Path) -> None:
    mended = tmp_path / "mended.csv"
    path = bad(tmp_path)
    before = path.read_bytes()
    refused(ask, path, "--mend", mended)
    table = pd.read_csv(mended, dtype=str, keep_default_na=False)
    assert len(table) == before.count(b"\n") - 1
    assert (table["fault"] != "").sum() == 7
    assert path.read_bytes() == before
    assert not list(tmp_path.glob(".*"))
    table["time"] = table["time"].replace("sometime", "2024-05-06 03:30")
    table["lat"] = table["lat"].replace("94.03", "34.03")
    table.to_csv(mended, index=False)
    assert ask(mended).exit_code == 0


def test_a_mended_table_is_whole_or_not_there(ask: Ask, tmp_path: Path) -> None:
    folder = tmp_path / "taken"
    folder.mkdir()
    with pytest.raises(RunError, match="cannot be written"):
        ask(bad(tmp_path), "--mend", folder)
    with pytest.raises(RunError, match="cannot be written"):
        ask(bad(tmp_path), "--mend", tmp_path / "nowhere" / "mended.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.csv", "taken"]
    assert refused(ask, bad(tmp_path), "--mend", tmp_path / "mine.csv").faults[0].column is None


def test_nothing_is_written_for_a_faulty_file(ask: Ask, tmp_path: Path) -> None:
    refused(ask, bad(tmp_path), "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_tour_longer_than_any_battery_is_named_or_kept(ask: Ask, tmp_path: Path) -> None:
    """A truck that shuttles 20 times to Ontario without a rest: 1,200 miles."""
    legs = pd.date_range("2024-05-06 00:10", periods=41, freq="90min")
    ends = [(33.762, -118.209), (34.031, -117.612)]
    places = [ends[n % 2] for n in range(len(legs))]
    far = "\n".join(f"LONG-1,{t:%Y-%m-%d %H:%M},{a},{b}" for t, (a, b) in zip(legs, places, strict=True))
    path = write(tmp_path, stops(far=far))
    error = refused(ask, path, *COLUMNS, "--out", tmp_path / "out")
    assert [fault.what for fault in error.faults] == ["tour longer than any battery"]
    assert "LONG-1 on 2024-05-06" in str(error)
    assert not (tmp_path / "out").exists()
    kept = ask(path, *COLUMNS, "--allow-long", "--json").stdout
    found = json.loads(kept)
    assert found["too_long"] == 1
    assert found["electrifiable"] == pytest.approx(1 - 1 / (FLEET * DAYS + 1))
    assert "LONG" not in kept


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--kind", "bus"], "--kind"),
        (["--template", "bus"], "--template"),
        (["--column", "truck"], "--column"),
        (["--column", "lorry=Unit"], "--column"),
        ([], "FILE"),
    ],
)
def test_wrong_options_are_told(words: list[str], named: str, ask: Ask, tmp_path: Path) -> None:
    given = [] if named == "FILE" else [write(tmp_path, stops())]
    assert named in [fault.file for fault in refused(ask, *given, *words).faults]


def test_a_missing_file_and_a_wrong_kind_are_told(ask: Ask, tmp_path: Path) -> None:
    assert "cannot be read" in str(refused(ask, tmp_path / "none.csv"))
    error = refused(ask, write(tmp_path, stops()), "--kind", "trips")
    assert "no column found" in str(error)


def test_a_place_off_the_roads_is_named_by_its_row(ask: Ask, tmp_path: Path) -> None:
    text = "o_lat,o_lon,d_lat,d_lon,trips\n33.75,-118.26,34.03,-117.61,30\n33.75,-118.26,33.2,-122.5,30\n"
    path, mended = write(tmp_path, text), tmp_path / "mended.csv"
    (fault,) = refused(ask, path, "--mend", mended).faults
    assert (fault.file, fault.row, fault.column, fault.what) == ("mine.csv", 3, "d_lat", "off the roads")
    assert "from the nearest road" in fault.found
    assert fault.allowed.startswith("at most")
    assert pd.read_csv(mended, keep_default_na=False)["fault"].tolist()[0] == ""
    assert "off the roads" in pd.read_csv(mended)["fault"].tolist()[1]


def test_exit_code_and_json_of_faults_on_the_command_line(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "cleanhub", "freight", "trips", str(bad(tmp_path)), "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert len(json.loads(done.stdout)["faults"]) == 7
