"""What columns mean: by many names, by content, as the user says."""

from __future__ import annotations

import pandas as pd
import pytest

from cleanhub.freight.trip_columns import fields_of, infer_columns, plain_name


def _frame(names: str, *rows: str) -> pd.DataFrame:
    return pd.DataFrame([row.split(",") for row in rows], columns=names.split(","), dtype=str)


STOP = (
    "T1,2024-05-06 07:00,33.75,-118.25",
    "T1,2024-05-06 09:00,34.03,-117.62",
    "T2,2024-05-06 08:10,33.9,-118.1",
)


@pytest.mark.parametrize(
    "names",
    [
        "truck,time,lat,lon",
        "Truck ID,Timestamp,Latitude,Longitude",
        "vehicle,arrival,y,x",
        "UNIT,Arrival Time,GPS Lat,GPS Lng",
        "device_id,DateTime,LAT,LONG",
        "a,b,c,d",
        "column 1,column 2,column 3,column 4",
    ],
)
def test_stops_are_known_by_name_or_by_content(names: str) -> None:
    found = infer_columns(_frame(names, *STOP))
    assert found.kind == "stops"
    assert found.missing == ()
    assert list(found.by_field.values()) == names.split(",")
    assert [found.by_field[field] for field in ("truck", "time", "lat", "lon")] == names.split(",")


TRIP = ("33.75,-118.25,34.03,-117.62,12", "33.76,-118.20,33.88,-118.23,30")


@pytest.mark.parametrize(
    "names",
    [
        "origin_lat,origin_lon,destination_lat,destination_lon,trips_per_day",
        "From Lat,From Lon,To Lat,To Lon,Trips",
        "o_lat,o_lon,d_lat,d_lon,volume",
        "start latitude,start longitude,end latitude,end longitude,daily trips",
        "p,q,r,s,t",
    ],
)
def test_trips_are_known_by_name_or_by_content(names: str) -> None:
    found = infer_columns(_frame(names, *TRIP))
    assert found.kind == "trips"
    assert found.missing == ()
    wanted = ("origin_lat", "origin_lon", "destination_lat", "destination_lon", "trips_per_day")
    assert [found.by_field[field] for field in wanted] == names.split(",")


def test_names_of_places_serve_as_ends() -> None:
    found = infer_columns(_frame("From,To,Count,Remark", "port,ontario,5,hello"))
    assert found.kind == "trips"
    assert found.by_field == {"origin": "From", "destination": "To", "trips_per_day": "Count"}
    assert found.unused == ("Remark",)


def test_what_the_user_says_wins() -> None:
    frame = _frame("id,vehicle,time,lat,lon", "1,T9,2024-05-06 07:00,33.75,-118.25")
    assert infer_columns(frame).by_field["truck"] == "vehicle"
    said = infer_columns(frame, {"truck": "id"})
    assert said.by_field["truck"] == "id"
    assert "as you said" in " ".join(said.lines())


def test_the_kind_can_be_fixed() -> None:
    found = infer_columns(_frame("truck,time,lat,lon", *STOP), kind="trips")
    assert found.kind == "trips"
    assert "trips_per_day" in found.missing


def test_missing_fields_are_told_with_their_partner() -> None:
    found = infer_columns(_frame("origin_lat,to,trips", "33.7,ontario,4"), kind="trips")
    assert found.missing == ("origin_lon",)
    found = infer_columns(_frame("truck,lat,lon", "T1,33.7,-118.2"), kind="stops")
    assert found.missing == ("time",)


def test_every_column_is_accounted_for() -> None:
    found = infer_columns(_frame("truck,time,lat,lon,speed", *(row + ",55" for row in STOP)))
    assert found.unused == ("speed",)
    lines = found.lines()
    assert lines[0] == "read as GPS stops"
    assert len(lines) == 6
    assert lines[-1] == "speed -> not used"


def test_names_of_trucks_are_not_times() -> None:
    """A date parser would read T000 as an hour."""
    found = infer_columns(_frame("a,b,c,d", *(row.replace("T", "T00") for row in STOP)))
    assert found.by_field["truck"] == "a"


def test_a_few_bad_cells_do_not_hide_a_column() -> None:
    rows = [*STOP] * 4 + ["T3,2024-05-06 08:10,x,-118.1"]
    assert infer_columns(_frame("a,b,c,d", *rows)).by_field["lat"] == "c"


def test_names_are_compared_plainly() -> None:
    assert plain_name("  Origin-Lat. (deg) ") == "origin_lat_deg"
    assert plain_name("TruckID") == "truckid"


def test_no_spelling_is_claimed_twice() -> None:
    from cleanhub.freight.trip_columns import _SPELLINGS

    for kind, fields in _SPELLINGS.items():
        spellings = [word for words in fields.values() for word in words.split()]
        assert len(spellings) == len(set(spellings)), kind
        assert set(fields_of(kind)) == set(fields)  # type: ignore[arg-type]
