"""Faults are gathered, ordered and shown as one list; notes refuse nothing."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.core.errors import MOST_LISTED, CleanhubError, Fault, FaultList, InputError, RunError


def test_a_fault_is_one_line_with_place_what_found_and_allowed() -> None:
    fault = Fault("sites.csv", 7, "lat", "ninety", "a number from -90 to 90", "not a number")
    assert fault.line() == (
        "sites.csv, row 7, column lat: not a number; found ninety; allowed a number from -90 to 90"
    )


def test_a_fault_of_a_whole_file_names_only_the_file() -> None:
    assert Fault("sites.csv", what="empty file").line() == "sites.csv: empty file"


def test_all_faults_are_raised_as_one_error() -> None:
    faults = FaultList()
    for row in (3, 2, 9):
        faults.add("a.csv", row, "x", what="not a number", found="?")
    with pytest.raises(InputError) as caught:
        faults.raise_if_any("hub tiny")
    assert str(caught.value).splitlines() == [
        "hub tiny: 3 faults",
        "  a.csv, row 2, column x: not a number; found ?",
        "  a.csv, row 3, column x: not a number; found ?",
        "  a.csv, row 9, column x: not a number; found ?",
    ]


def test_one_fault_is_counted_in_the_singular() -> None:
    assert str(InputError("hub", [Fault("a.csv", what="empty file")])).startswith("hub: 1 fault\n")


def test_an_error_without_faults_is_its_own_message() -> None:
    assert str(InputError("nothing to read")) == "nothing to read"


def test_a_fault_found_twice_is_shown_once() -> None:
    assert len(InputError("x", [Fault("a.csv", 2), Fault("a.csv", 2)]).faults) == 1


def test_the_order_does_not_depend_on_the_order_of_finding() -> None:
    found = [
        Fault("a.csv"),
        Fault("a.csv", 2, "x", "1", "", "bad"),
        Fault("a.csv", 2, "x", "2", "", "bad"),
        Fault("a.csv", 10, "x"),
        Fault("b.csv", 1),
    ]
    for order in itertools.permutations(found):
        assert InputError("x", order).faults == found


def test_notes_stand_apart_and_refuse_nothing() -> None:
    faults = FaultList()
    faults.note("a.csv", what="taken as constant")
    faults.raise_if_any("hub")
    assert faults.faults == []
    assert [note.what for note in faults.notes] == ["taken as constant"]


def test_faults_found_elsewhere_are_taken_over() -> None:
    faults = FaultList()
    faults.extend([Fault("a.csv"), Fault("b.csv")])
    with pytest.raises(InputError, match="2 faults"):
        faults.raise_if_any("hub")


@pytest.mark.parametrize(
    ("error", "code"), [(InputError("x"), 2), (RunError("x"), 1), (CleanhubError("x"), 1)]
)
def test_exit_codes(error: CleanhubError, code: int) -> None:
    assert error.exit_code == code
    assert isinstance(error, CleanhubError)


def test_long_findings_are_cut() -> None:
    faults = FaultList()
    faults.add("a.csv", what="odd", found="x" * 500)
    assert faults.faults[0].found == "x" * 77 + "..."


def test_blanks_are_shown_as_such() -> None:
    faults = FaultList()
    faults.add("a.csv", what="odd", found="  ")
    assert faults.faults[0].found == "'  '"


def test_as_dict_has_every_part() -> None:
    assert Fault("a.csv", 2, "x", "1", "2", "odd").as_dict() == {
        "file": "a.csv",
        "row": 2,
        "column": "x",
        "what": "odd",
        "found": "1",
        "allowed": "2",
    }


@given(st.text(), st.text(), st.text(), st.text())
def test_whatever_was_found_a_fault_is_one_printable_line(
    file: str, column: str, found: str, allowed: str
) -> None:
    faults = FaultList()
    faults.add(file, 2, column, what="odd", found=found, allowed=allowed)
    line = faults.faults[0].line()
    assert line.isprintable()
    assert len(line.splitlines()) == 1


def test_of_a_thousand_alike_the_rest_is_said_in_one_line() -> None:
    faults = FaultList()
    for row in range(2, 5000):
        faults.add("a.csv", row, "x", what="not a number", found=row)
    faults.add("a.csv", 9, "y", what="not a number")
    assert len(faults.faults) == MOST_LISTED + 2
    assert faults.faults[-2].line() == "a.csv, column x: not a number: more than these 1,000 rows"
    assert faults.faults[-1].column == "y"
