"""Overture's segments: cut at connectors, limits and access by part, files that are none."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import duckdb
import numpy as np
import pytest

from cleanhub.core.errors import InputError
from cleanhub.freight.globe import great_circle_km
from cleanhub.freight.network import Network
from cleanhub.freight.overture import line_string, read_overture
from cleanhub.freight.road_readers import read_roads

FREE = 80.0
SPEEDS = {"motorway": 88.0, "primary": 60.0}
DEGREE_KM = float(great_circle_km(0, 0, 0, 1))
Segment = dict[str, object]


def shape(*points: tuple[float, float], order: str = "<") -> bytes:
    """A LineString through (lon, lat) points in well-known binary."""
    flat = [number for point in points for number in point]
    return struct.pack(f"{order}BII{len(flat)}d", 1 if order == "<" else 0, 2, len(points), *flat)


def segment(**given: object) -> Segment:
    """A primary road of 0.1 degrees along the equator from connector a to connector b."""
    base: Segment = {
        "id": "s1",
        "subtype": "road",
        "class": "primary",
        "geometry": shape((0.0, 0.0), (0.05, 0.0), (0.1, 0.0)),
        "connectors": [{"connector_id": "a", "at": 0.0}, {"connector_id": "b", "at": 1.0}],
        "speed_limits": None,
        "access_restrictions": None,
    }
    return base | given


LIMITS = (
    'STRUCT(max_speed STRUCT("value" INTEGER, unit VARCHAR), "between" DOUBLE[], '
    '"when" STRUCT(during VARCHAR))[]'
)
ACCESS = (
    'STRUCT(access_type VARCHAR, "between" DOUBLE[], "when" STRUCT(heading VARCHAR, mode VARCHAR[], '
    'during VARCHAR, "using" VARCHAR[]))[]'
)
TYPES = {
    "id": "VARCHAR",
    "subtype": "VARCHAR",
    "class": "VARCHAR",
    "geometry": "BLOB",
    "connectors": 'STRUCT(connector_id VARCHAR, "at" DOUBLE)[]',
    "speed_limits": LIMITS,
    "access_restrictions": ACCESS,
}


def write(path: Path, segments: list[Segment], leave_out: tuple[str, ...] = ()) -> Path:
    """The segments as a Parquet file with the nested columns of Overture."""
    columns = [name for name in TYPES if name not in leave_out]
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE segment (" + ", ".join(f'"{name}" {TYPES[name]}' for name in columns) + ")"
    )
    for one in segments:
        places = ", ".join(
            "?" if TYPES[name] in ("VARCHAR", "BLOB") else f"from_json(?::JSON, '{_json_shape(name)}')"
            for name in columns
        )
        values = [
            one[name] if TYPES[name] in ("VARCHAR", "BLOB") else json.dumps(one[name]) for name in columns
        ]
        connection.execute(f"INSERT INTO segment VALUES ({places})", values)
    connection.execute(f"COPY segment TO '{path}' (FORMAT parquet)")
    connection.close()
    return path


def _json_shape(name: str) -> str:
    shapes = {
        "connectors": [{"connector_id": "VARCHAR", "at": "DOUBLE"}],
        "speed_limits": [
            {
                "max_speed": {"value": "INTEGER", "unit": "VARCHAR"},
                "between": ["DOUBLE"],
                "when": {"during": "VARCHAR"},
            }
        ],
        "access_restrictions": [
            {
                "access_type": "VARCHAR",
                "between": ["DOUBLE"],
                "when": {
                    "heading": "VARCHAR",
                    "mode": ["VARCHAR"],
                    "during": "VARCHAR",
                    "using": ["VARCHAR"],
                },
            }
        ],
    }
    return json.dumps(shapes[name])


def read(tmp_path: Path, *segments: Segment) -> Network:
    return read_overture(write(tmp_path / "segment.parquet", list(segments)), FREE, SPEEDS)


def arcs(network: Network) -> set[tuple[int, int]]:
    return set(zip(network.tail.tolist(), network.head.tolist(), strict=True))


def test_a_plain_segment_is_open_both_ways(tmp_path: Path) -> None:
    network = read(tmp_path, segment())
    assert network.lon == pytest.approx([0.0, 0.1])
    assert arcs(network) == {(0, 1), (1, 0)}
    assert network.length_km == pytest.approx([0.1 * DEGREE_KM] * 2)
    assert network.time_min == pytest.approx([0.1 * DEGREE_KM] * 2)  # 60 km/h
    assert network.road_class.tolist() == ["primary", "primary"]
    assert "Overture" in network.attribution
    assert network.licence == "ODbL-1.0"


def test_a_segment_is_cut_at_its_connectors(tmp_path: Path) -> None:
    ends = [{"connector_id": name, "at": at} for name, at in (("a", 0.0), ("m", 0.25), ("b", 1.0))]
    side = segment(
        id="s2",
        geometry=shape((0.025, 0.0), (0.025, 0.1)),
        connectors=[{"connector_id": "m", "at": 0.0}, {"connector_id": "c", "at": 1.0}],
    )
    network = read(tmp_path, segment(connectors=ends), side)
    assert network.lon == pytest.approx([0.0, 0.025, 0.1, 0.025])
    assert arcs(network) == {(0, 1), (1, 0), (1, 2), (2, 1), (1, 3), (3, 1)}
    found = network.between(0.0, 0.0, 0.1, 0.025).km.item()
    assert found == pytest.approx(0.125 * DEGREE_KM)


def test_limits_hold_for_their_part(tmp_path: Path) -> None:
    ends = [{"connector_id": name, "at": at} for name, at in (("a", 0.0), ("m", 0.5), ("b", 1.0))]
    limits = [
        {"max_speed": {"value": 10, "unit": "km/h"}, "between": None, "when": {"during": "Mo-Fr"}},
        {"max_speed": {"value": 30, "unit": "km/h"}, "between": [0.0, 0.5], "when": None},
        {"max_speed": {"value": 25, "unit": "mph"}, "between": [0.5, 1.0], "when": None},
    ]
    network = read(tmp_path, segment(connectors=ends, speed_limits=limits))
    speeds = network.length_km / (network.time_min / 60)
    assert speeds == pytest.approx([30.0, 30.0, 25 * 1.609344, 25 * 1.609344])


@pytest.mark.parametrize(
    ("rule", "expected", "trucks"),
    [
        ({"when": {"heading": "backward"}}, {(0, 1)}, True),
        ({"when": {"heading": "forward"}}, {(1, 0)}, True),
        ({"when": {"mode": ["hgv"]}}, {(0, 1), (1, 0)}, False),
        ({"when": {"mode": ["bicycle"]}}, {(0, 1), (1, 0)}, True),
        ({"when": {"mode": ["hgv"], "during": "22:00-06:00"}}, {(0, 1), (1, 0)}, True),
        ({"when": {"heading": "backward", "mode": ["motor_vehicle"]}}, {(0, 1)}, True),
        ({"when": None}, {(0, 1), (1, 0)}, False),
        ({"access_type": "allowed", "when": None}, {(0, 1), (1, 0)}, True),
        ({"between": [0.8, 1.0], "when": None}, {(0, 1), (1, 0)}, True),  # not in the middle of the part
    ],
)
def test_access(tmp_path: Path, rule: Segment, expected: set[tuple[int, int]], trucks: bool) -> None:
    full = {"access_type": "denied", "between": None, "when": None} | rule
    network = read(tmp_path, segment(access_restrictions=[full]))
    assert arcs(network) == expected
    assert set(network.truck_ok.tolist()) == {trucks}


def test_what_is_no_road_for_trucks_is_left_out(tmp_path: Path) -> None:
    rails = segment(id="r", subtype="rail", geometry=b"")
    path = segment(id="p", **{"class": "footway"})
    network = read(tmp_path, segment(), rails, path)
    assert len(network.tail) == 2


def test_a_file_without_rules_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "segment.parquet",
        [segment()],
        leave_out=("subtype", "speed_limits", "access_restrictions"),
    )
    assert read_roads(path, FREE, SPEEDS).time_min == pytest.approx([0.1 * DEGREE_KM] * 2)


def test_faults_are_all_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, segment(), segment(id="s2", geometry=b"\x01\x02"), segment(id="s3", connectors=[]))
    text = str(caught.value)
    assert "row 2, column segment s2: no line" in text
    assert "row 3, column segment s3: fewer than two connectors; found 0" in text


def test_missing_columns_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "segment.parquet", [segment()], leave_out=("connectors", "class"))
    with pytest.raises(InputError) as caught:
        read_overture(path, FREE, SPEEDS)
    assert "column connectors: missing column" in str(caught.value)
    assert "column class: missing column" in str(caught.value)


def test_files_that_are_no_parquet_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.parquet"
    path.write_bytes(b"PAR1 but no more")
    with pytest.raises(InputError, match=r"bad\.parquet: not readable as Parquet"):
        read_overture(path, FREE, SPEEDS)


@pytest.mark.parametrize("order", ["<", ">"])
def test_lines_in_either_byte_order(order: str) -> None:
    found = line_string(shape((5.0, 50.0), (6.0, 51.0), order=order))
    assert found is not None
    assert np.array(found).tolist() == [[50.0, 51.0], [5.0, 6.0]]


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "text",
        b"",
        b"\x07" + bytes(20),
        shape((1.0, 2.0), (3.0, 4.0))[:-1],
        struct.pack("<BIdd", 1, 1, 5.0, 50.0),  # a point
        struct.pack("<BII2d", 1, 2, 1, 5.0, 50.0),  # a line of one point
    ],
)
def test_what_is_no_line(wrong: object) -> None:
    assert line_string(wrong) is None
