"""Reading a user's file: what is refused, what is shown, what is given back."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from cleanhub.core.errors import InputError
from cleanhub.freight.problem import Zones
from cleanhub.freight.trip_table import (
    MOST_SHOWN,
    inspect_trip_table,
    mended_table,
    read_trip_table,
    table_template,
)


@pytest.fixture
def zones(make_zones: Callable[..., Zones]) -> Zones:
    return make_zones(("port", "terminal", 33.75, -118.25), ("ontario", "cluster", 34.03, -117.62))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def build(text: str, name: str = "trips.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return build


@pytest.mark.parametrize("kind", ["trips", "stops"])
def test_templates_read_without_a_fault(kind: str, write: Callable[..., Path], zones: Zones) -> None:
    table = read_trip_table(write(table_template(kind)), zones)  # type: ignore[arg-type]
    assert table.kind == kind
    assert len(table.frame) == table_template(kind).count("\n") - 1  # type: ignore[arg-type]
    assert table.frame["row"].min() == 2


def test_trips_are_typed(write: Callable[..., Path], zones: Zones) -> None:
    table = read_trip_table(
        write("From;To;Trips;Load;Hour\nPort;ONTARIO;5.5;Full;7\nport;ontario;2;;\n"), zones
    )
    first = table.frame.iloc[0]
    assert (first["origin"], first["destination"]) == ("port", "ontario")
    assert first["trips_per_day"] == 5.5
    assert first["load"] == "loaded"
    assert pd.isna(table.frame.iloc[1]["hour"])


def test_stops_are_sorted_by_truck_and_time(write: Callable[..., Path], zones: Zones) -> None:
    rows = ["B,2024-05-06T09:00:00Z", "A,2024-05-06 08:00", "B,05/06/2024 07:30"]
    text = "truck,time,lat,lon\n" + "".join(f"{row},33.8,-118.2\n" for row in rows)
    frame = read_trip_table(write(text), zones).frame
    assert frame["truck"].tolist() == ["A", "B", "B"]
    assert frame["time"].dt.hour.tolist() == [8, 7, 9]
    assert frame["row"].tolist() == [3, 4, 2]


BAD_TRIPS = (
    "origin_lat,origin_lon,destination,trips,hour,load\n"
    "33.75,-118.25,ontario,-3,7,loaded\n"
    "-118.25,33.75,ontario,4,25,loaded\n"
    "33.75,-18.25,atlantis,x,7,laden?\n"
    "33.75,-118.25,ontario,4,7,loaded\n"
)


def test_all_faults_are_listed_at_once(write: Callable[..., Path], zones: Zones) -> None:
    with pytest.raises(InputError) as caught:
        read_trip_table(write(BAD_TRIPS), zones)
    assert caught.value.exit_code == 2
    told = {(f.row, f.column, f.what) for f in caught.value.faults}
    for expected in (
        (2, "trips", "negative volume"),
        (3, "origin_lat", "latitude and longitude are swapped"),
        (3, "hour", "out of range"),
        (4, "origin_lat", "far from the hub"),
        (4, "destination", "unknown place"),
        (4, "trips", "blank or not a number"),
        (4, "load", "unknown load"),
    ):
        assert expected in told, expected
    assert not any(row == 5 for row, _, _ in told)
    assert all(fault.allowed for fault in caught.value.faults)


def test_looking_never_refuses_and_keeps_the_good_rows(write: Callable[..., Path], zones: Zones) -> None:
    table = inspect_trip_table(write(BAD_TRIPS), zones)
    assert table.frame["row"].tolist() == [5]
    assert len(table.faults) >= 7


def test_faults_of_stops(write: Callable[..., Path], zones: Zones) -> None:
    text = (
        "truck,time,lat,lon,departure\n"
        "A,2024-05-06 07:00,33.8,-118.2,2024-05-06 06:00\n"
        "A,yesterday,33.8,-118.2,\n"
        ",2024-05-06 08:00,93.8,-118.2,\n"
        "B,2024-05-06 08:00,33.8,-118.2,\n"
        "B,2024-05-06 08:00,33.8,-118.2,\n"
    )
    table = inspect_trip_table(write(text), zones)
    told = {(f.row, f.what) for f in table.faults}
    assert (2, "before the arrival") in told
    assert (3, "not a time") in told
    assert (4, "blank") in told
    assert (4, "out of range") in told
    assert (6, "duplicate: the truck has a stop at this time") in told
    assert table.frame["row"].tolist() == [5]


def test_times_keep_their_clock_whatever_their_zone(write: Callable[..., Path], zones: Zones) -> None:
    times = {
        "2024-05-06 07:30": "07:30",
        "5/6/2024 7:45 PM": "19:45",
        "2024-05-06T08:00:00-07:00": "08:00",
        "2024-05-06T09:00Z": "09:00",
        "May 6 2024 10:00": "10:00",
        "2024-05-06 11:00 UTC": "11:00",
        "2024-05-06 12:00-07:00 ": "12:00",
    }
    rows = "".join(f"A,{time},33.8,-118.2\n" for time in times)
    table = read_trip_table(write("truck,time,lat,lon\n" + rows), zones, kind="stops")
    found = table.frame.sort_values("row")["time"].dt.strftime("%m-%d %H:%M").tolist()
    assert found == [f"05-06 {clock}" for clock in times.values()]


@pytest.mark.parametrize("time", ["now", "today", "2024-05-06 07:00-07:002024"])
def test_what_is_no_time_is_a_fault_beside_good_ones(
    write: Callable[..., Path], zones: Zones, time: str
) -> None:
    rows = f"A,2024-05-06 07:00,33.8,-118.2\nA,{time},33.8,-118.2\nA,2024-05-06T09:00+05:00,33.8,-118.2\n"
    table = inspect_trip_table(write("truck,time,lat,lon\n" + rows), zones)
    assert {(fault.row, fault.what) for fault in table.faults} == {(3, "not a time")}


def test_a_missing_column_is_one_fault(write: Callable[..., Path], zones: Zones) -> None:
    with pytest.raises(InputError) as caught:
        read_trip_table(write("truck,lat,lon\nA,33.8,-118.2\n"), zones, kind="stops")
    assert [(f.row, f.column) for f in caught.value.faults] == [(1, "time")]


def test_a_column_that_the_user_names_must_be_there(write: Callable[..., Path], zones: Zones) -> None:
    table = inspect_trip_table(write(table_template("stops")), zones, {"truck": "lorry"})
    assert any(f.column == "lorry" and "truck" in f.allowed for f in table.faults)


def test_the_mended_table_carries_its_faults(write: Callable[..., Path], zones: Zones) -> None:
    table = inspect_trip_table(
        write(BAD_TRIPS.replace("origin_lat", "From Lat").replace("trips", "N")), zones
    )
    back = pd.read_csv(io.StringIO(mended_table(table)), dtype=str, keep_default_na=False)
    assert {"origin_lat", "origin_lon", "destination", "trips_per_day", "fault"} <= set(back.columns)
    assert len(back) == 4
    assert "negative volume (allowed 0 to 500,000)" in back["fault"][0]
    assert back["fault"][3] == ""


def test_a_mended_table_can_be_corrected_and_read(write: Callable[..., Path], zones: Zones) -> None:
    text = "From,To,Trips\nport,ontario,-4\n"
    mended = mended_table(inspect_trip_table(write(text), zones))
    again = read_trip_table(write(mended.replace("-4", "4"), "again.csv"), zones)
    assert again.frame["trips_per_day"].tolist() == [4.0]
    assert again.inference.unused == ("fault",)


def test_many_like_faults_are_counted(write: Callable[..., Path], zones: Zones) -> None:
    rows = "".join("port,ontario,-1\n" for _ in range(MOST_SHOWN + 30))
    faults = inspect_trip_table(write("From,To,Trips\n" + rows), zones).faults
    assert len(faults) == MOST_SHOWN + 1
    assert any(f.row is None and "30 more rows" in f.what for f in faults)


def test_names_of_places_need_zones(write: Callable[..., Path]) -> None:
    table = inspect_trip_table(write("From,To,Trips\nport,ontario,1\n"))
    assert {f.what for f in table.faults} == {"a name of a place"}


@pytest.mark.parametrize("content", [b"\xff\xfe\x00broken", b'a,b\n"1,2\n3,4'])
def test_unreadable_files_are_one_clear_fault(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_trip_table(path)
    assert caught.value.exit_code == 2


def test_a_missing_or_empty_file_is_a_fault(tmp_path: Path, write: Callable[..., Path], zones: Zones) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_trip_table(tmp_path / "none.csv")
    with pytest.raises(InputError):
        read_trip_table(write(""), zones)
    with pytest.raises(InputError, match="no rows"):
        read_trip_table(write("From,To,Trips\n"), zones)


def test_the_data_does_not_show(write: Callable[..., Path], zones: Zones) -> None:
    """What a log would print of the table names neither truck nor place."""
    text = table_template("stops").replace("truck-1", "SECRET-77")
    shown = repr(read_trip_table(write(text), zones))
    assert "SECRET" not in shown
    assert "33.75" not in shown
