"""Readers of location files: each layout by hand, how a layout is recognised, and every fault at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cleanhub.core.errors import InputError
from cleanhub.freight.location_files import (
    LAYOUTS,
    LocationFile,
    great_circle_km,
    read_location_file,
    recognise_layout,
)

PMED = " 4 5 2 \n 1 2 9 \n 2 3 4 \n 3 4 0 \n 2 1 3 \n 1 4 100\n"
CAP = " 3 2 \n 10. 5.5 \n 20 6 \n 30 0. \n 7 \n 1 2 \n 3 \n 8 4 5 6\n"
HOLMBERG = "3 2\n10 20 30\n5.5 6 0\n7 8\n1 2 3\n4 5 6\n"
PATHS = "o,d,flow,path,cum_length\nA,C,200,A B C,0.0 6.0 9.5\nB,A,10,B A,0 6\n"
MATRIX = "customer,weight,demand,East,West\none,2,5,1.5,\ntwo,1,6,3,4\ncapacity,,,10,20\nfixed_cost,,,7,8\n"
POINTS = (
    "name,kind,lat,lon,weight,capacity,fixed_cost,demand\n"
    "A,both,34,-118,2,10,100,5\nB,customer,34,-117,3,,,4\nC,site,35,-118,,20,50,\n"
)
TEXTS = {"pmed": PMED, "cap": CAP, "holmberg": HOLMBERG, "paths": PATHS, "matrix": MATRIX, "points": POINTS}


def read(folder: Path, text: str, layout: str = "", capacity: float | None = None) -> LocationFile:
    file = folder / "file.txt"
    file.write_text(text, encoding="utf-8")
    return read_location_file(file, layout, capacity)


def faults(folder: Path, text: str, layout: str = "") -> list[str]:
    with pytest.raises(InputError) as caught:
        read(folder, text, layout)
    return [fault.line() for fault in caught.value.faults]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_is_recognised_and_may_be_named(layout: str, tmp_path: Path) -> None:
    assert recognise_layout(TEXTS[layout]) == layout
    assert read(tmp_path, TEXTS[layout]).layout == layout
    assert read(tmp_path, TEXTS[layout], layout).layout == layout
    assert read(tmp_path, "\ufeff" + TEXTS[layout].replace("\n", "\r\n")).layout == layout


def test_graph_takes_the_last_of_two_edges_and_edges_of_no_length(tmp_path: Path) -> None:
    file = read(tmp_path, PMED)
    assert file.count == 2
    assert file.sites == file.customers == ("1", "2", "3", "4")
    assert file.distance.tolist() == [[0, 3, 7, 7], [3, 0, 4, 4], [7, 4, 0, 0], [7, 4, 0, 0]]
    assert file.weight.tolist() == [1, 1, 1, 1]


def test_parts_of_a_graph_that_hang_together_with_nothing_are_out_of_reach(tmp_path: Path) -> None:
    assert np.isinf(read(tmp_path, "3 1 1\n1 2 5\n").distance[0, 2])


@pytest.mark.parametrize("layout", ["cap", "holmberg"])
def test_both_orders_of_a_capacitated_file_give_the_same(layout: str, tmp_path: Path) -> None:
    file = read(tmp_path, TEXTS[layout])
    assert file.distance.tolist() == [[1, 4], [2, 5], [3, 6]]
    assert file.capacity.tolist() == [10, 20, 30]
    assert file.fixed.tolist() == [5.5, 6, 0]
    assert file.demand.tolist() == [7, 8]


def test_a_capacity_left_open_is_given_apart(tmp_path: Path) -> None:
    text = CAP.replace("10. 5.5", "capacity 5.5").replace("20 6", "capacity 6")
    assert "--capacity" in faults(tmp_path, text)[0]
    assert read(tmp_path, text, capacity=99.0).capacity.tolist() == [99, 99, 30]


def test_two_sites_leave_the_order_open(tmp_path: Path) -> None:
    text = "2 1\n10 20\n5 6\n7\n1 2\n"
    assert "layout not recognised" in faults(tmp_path, text)[0]
    assert read(tmp_path, text, "holmberg").capacity.tolist() == [10, 20]
    assert read(tmp_path, text, "cap").capacity.tolist() == [10, 5]


def test_paths_name_their_nodes(tmp_path: Path) -> None:
    file = read(tmp_path, PATHS)
    assert file.sites == ("A", "B", "C")
    assert file.customers == ("A-C", "B-A")
    assert file.weight.tolist() == [200, 10]
    nodes, along = file.paths.path(0)
    assert nodes.tolist() == [0, 1, 2]
    assert along.tolist() == [0, 6, 9.5]
    assert file.paths.path(1)[0].tolist() == [1, 0]


def test_nodes_that_are_numbers_stand_in_their_order(tmp_path: Path) -> None:
    text = "o,d,flow,path,cum_length\n10,9,1,10 9,0 1\n9,2,1,9 2,0 1\n"
    assert read(tmp_path, text).sites == ("2", "9", "10")


def test_matrix_by_hand(tmp_path: Path) -> None:
    file = read(tmp_path, MATRIX)
    assert file.sites == ("East", "West")
    assert file.customers == ("one", "two")
    assert file.distance.tolist() == [[1.5, 3], [np.inf, 4]]
    assert (file.weight.tolist(), file.demand.tolist()) == ([2, 1], [5, 6])
    assert (file.capacity.tolist(), file.fixed.tolist()) == ([10, 20], [7, 8])
    plain = read(tmp_path, "customer,East,West\none,1,2\n")
    assert plain.weight.tolist() == [1]
    assert plain.demand is None
    assert plain.capacity is None


def test_points_lie_as_far_apart_as_the_earth_is_round(tmp_path: Path) -> None:
    file = read(tmp_path, POINTS)
    assert file.sites == ("A", "C")
    assert file.customers == ("A", "B")
    degree = 2 * np.pi * 6371.0088 / 360
    assert file.distance[0, 0] == 0.0
    assert file.distance[1, 0] == pytest.approx(degree, rel=1e-9)  # one degree of latitude
    assert file.distance[0, 1] == pytest.approx(degree * np.cos(np.radians(34)), rel=1e-4)
    assert (file.weight.tolist(), file.demand.tolist()) == ([2, 3], [5, 4])
    assert (file.capacity.tolist(), file.fixed.tolist()) == ([10, 20], [100, 50])


def test_great_circle_of_known_places() -> None:
    km = great_circle_km(np.array([0.0, 90.0]), np.array([0.0, 0.0]), np.array([0.0]), np.array([180.0]))
    assert km[:, 0] == pytest.approx([np.pi * 6371.0088, np.pi * 6371.0088 / 2])


# --- faults --------------------------------------------------------------------------------------------


def test_words_that_are_no_numbers_are_all_named(tmp_path: Path) -> None:
    lines = faults(tmp_path, "3 2 1\n1 2 x\n2 3 -4\n")
    assert len(lines) == 2
    assert "row 2, column 3: not a number; found x" in lines[0]
    assert "row 3, column 3: below zero; found -4; allowed 0 or more" in lines[1]
    assert "not a number; found nan" in faults(tmp_path, "3 1 1\n1 2 nan\n")[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3 2 1\n1 2 5\n", "found 6; allowed 9"),
        ("3 1 1\n1 2 5\n2 3 5\n", "found 9; allowed 6"),
        ("3 1 4\n1 2 5\n", "more sites than nodes; found 4; allowed 1 to 3"),
        ("3 1 1\n1 9 5\n", "row 2, column 2: no such node; found 9; allowed 1 to 3"),
        ("3 1 1\n0 1.5 5\n", "row 2, column 1: no such node; found 0"),
        ("3.5 1 1\n1 2 5\n", "column nodes: not a count; found 3.5"),
        ("3 0 1\n", "column edges: not a count; found 0"),
    ],
)
def test_faults_of_a_graph(text: str, said: str, tmp_path: Path) -> None:
    assert any(said in line for line in faults(tmp_path, text)), faults(tmp_path, text)


@pytest.mark.parametrize("layout", ["cap", "holmberg"])
def test_faults_of_a_capacitated_file(layout: str, tmp_path: Path) -> None:
    short = TEXTS[layout].rstrip().rsplit(" ", 1)[0]
    assert "found 15; allowed 16" in faults(tmp_path, short)[0]
    assert "allowed sites customers" in faults(tmp_path, "3", layout)[0]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("A,B,1,A B,0 x", "column cum_length: not a number; found x"),
        (
            "A,B,1,A B,0",
            "column path: path and cum_length must list the same two or more nodes; found 2 and 1",
        ),
        ("A,B,1,A C,0 1", "column path: does not run from o to d; found A to C; allowed A to B"),
        ("A,C,1,A B C,0 2 1", "column cum_length: lengths must begin with 0 and never fall"),
        ("A,B,1,A B,1 2", "column cum_length: lengths must begin with 0"),
        ("A,B,-1,A B,0 1", "column flow: out of range; found -1; allowed a number, 0 or more"),
        ("A,B,1,A B", "wrong count of cells; found 4; allowed 5"),
    ],
)
def test_faults_of_paths(row: str, said: str, tmp_path: Path) -> None:
    lines = faults(tmp_path, PATHS + row + "\n")
    assert len(lines) == 1
    assert "row 4" in lines[0]
    assert said in lines[0]


def test_faults_of_a_matrix_come_together(tmp_path: Path) -> None:
    lines = faults(tmp_path, "customer,weight,East,West\none,2,1,x\none,-1,1,2\n,1,1,2\n")
    said = "\n".join(lines)
    assert len(lines) == 4
    assert "row 2, column West: not a number; found x" in said
    assert "row 3, column weight: out of range; found -1" in said
    assert "row 3, column customer: duplicate of row 2; found one" in said
    assert "row 4, column customer: name is missing" in said


def test_a_matrix_needs_sites_and_rows(tmp_path: Path) -> None:
    assert any("no site columns" in line for line in faults(tmp_path, "customer,weight\none,2\n"))
    assert any("no rows below the header" in line for line in faults(tmp_path, "customer,East\n"))
    assert any("duplicate column" in line for line in faults(tmp_path, "customer,East,East\none,2,3\n"))


def test_faults_of_points_come_together(tmp_path: Path) -> None:
    said = "\n".join(faults(tmp_path, "name,kind,lat,lon\nA,shop,34,-118\nB,site,91,-118\nC,customer,34,x\n"))
    assert "row 2, column kind: unknown kind; found shop; allowed customer, site, both" in said
    assert "row 3, column lat: out of range; found 91; allowed a number from -90 to 90" in said
    assert "row 4, column lon: not a number; found x" in said
    assert "at least one site and one customer" in faults(tmp_path, "name,kind,lat,lon\nA,site,34,-118\n")[0]


def test_files_that_are_none(tmp_path: Path) -> None:
    assert "empty" in faults(tmp_path, " \n")[0]
    assert "layout not recognised" in faults(tmp_path, "once upon a time\n")[0]
    assert "no such layout; found mine" in faults(tmp_path, PMED, "mine")[0]
    with pytest.raises(InputError, match="cannot be read"):
        read_location_file(tmp_path / "missing.txt")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="not UTF-8 text"):
        read_location_file(tmp_path / "binary")
    with pytest.raises(InputError, match="cannot be read"):
        read_location_file(tmp_path)


def test_named_layout_of_another_file_is_a_fault_not_a_crash(tmp_path: Path) -> None:
    for layout in LAYOUTS:
        for other, text in TEXTS.items():
            if other == layout or {other, layout} == {"cap", "holmberg"}:
                continue
            assert faults(tmp_path, text, layout)


def test_a_cell_that_never_ends_is_told_with_its_line(tmp_path: Path) -> None:
    row = len(POINTS.splitlines()) + 1
    (told,) = faults(tmp_path, f"{POINTS}{'x' * 200_000},site,1,2\n")
    assert f"row {row}: not CSV from here on" in told
    assert recognise_layout("x" * 200_000) == ""
