"""conform holds computed frames to their declaration; describe and the schema repeat it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.core.errors import RunError
from cleanhub.core.tables import Column, Table, allowed, bounds, conform, data_package_schema, describe, empty

TABLE = Table(
    "results",
    "Results for these tests.",
    (
        Column("year", "year", "calendar year"),
        Column("name", "text", "name"),
        Column("value", "number", "value", unit="t", minimum=0, maximum=100),
        Column("order", "integer", "order", blank=True),
        Column("met", "yes_no", "whether met", blank=True),
        Column("due", "date", "due", blank=True),
    ),
    key=("year", "name"),
)


def frame(**columns: object) -> pd.DataFrame:
    base = {
        "due": ["", ""],
        "met": [True, None],
        "order": [None, 2],
        "value": [1, 2],
        "name": ["b", "a"],
        "year": [2030, 2030],
    }
    return pd.DataFrame({**base, **columns})


def types(out: pd.DataFrame) -> list[str]:
    return ["text" if str(kind) in ("object", "str") else str(kind) for kind in out.dtypes]


def test_columns_come_in_declared_order_and_type_and_rows_in_key_order() -> None:
    out = conform(frame(), TABLE)
    assert list(out.columns) == TABLE.names
    assert types(out) == ["Int64", "text", "float64", "Int64", "boolean", "text"]
    assert list(out["name"]) == ["a", "b"]
    assert list(out["value"]) == [2, 1]
    assert list(out.index) == [0, 1]


def test_conforming_twice_changes_nothing() -> None:
    once = conform(frame(), TABLE)
    pd.testing.assert_frame_equal(conform(once, TABLE), once)


def test_the_frame_given_is_left_alone() -> None:
    given_frame = frame()
    conform(given_frame, TABLE)
    pd.testing.assert_frame_equal(given_frame, frame())


def test_an_empty_frame_conforms_and_has_the_same_types() -> None:
    assert types(conform(empty(TABLE), TABLE)) == types(conform(frame(), TABLE))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="value"), "missing columns ['value']"),
        (lambda f: f.assign(extra=1), "undeclared columns ['extra']"),
        (lambda f: f.assign(value=[1, np.inf]), "column value: infinite value"),
        (lambda f: f.assign(value=[1, np.nan]), "column value: 1 empty cells"),
        (lambda f: f.assign(value=[1, -1]), "-1.0 is below 0"),
        (lambda f: f.assign(value=[1, 101]), "101.0 is above 100"),
        (lambda f: f.assign(year=[2030, 1066]), "1066.0 is below 1900"),
        (lambda f: f.assign(year=pd.array([2030, None], dtype="Int64")), "column year: 1 empty cells"),
        (lambda f: f.assign(name=["a", ""]), "column name: 1 empty cells"),
        (lambda f: f.assign(name=["a", None]), "column name: 1 empty cells"),
        (lambda f: f.assign(name=["a", "a"]), "key repeats: {'year': 2030, 'name': 'a'}"),
    ],
)
def test_a_frame_that_is_not_as_declared_is_never_written(
    change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    with pytest.raises(RunError) as caught:
        conform(change(frame()), TABLE)
    assert message in str(caught.value)
    assert "table results" in str(caught.value)


def test_a_hair_outside_the_range_is_rounding() -> None:
    assert conform(frame(value=[-1e-12, 100 + 1e-12]), TABLE)["value"].size == 2


@given(st.permutations(range(6)))
def test_the_order_of_the_rows_given_does_not_matter(order: list[int]) -> None:
    rows = pd.DataFrame(
        {
            "year": [2030, 2031, 2030, 2031, 2032, 2030],
            "name": list("abbacc"),
            "value": [float(number) for number in range(6)],
            "order": 1,
            "met": True,
            "due": "",
        }
    )
    pd.testing.assert_frame_equal(conform(rows.iloc[order], TABLE), conform(rows, TABLE))


def test_a_table_without_key_keeps_its_order() -> None:
    table = Table("t", "t", (Column("name", "text", "name"),))
    assert list(conform(pd.DataFrame({"name": ["b", "a", "b"]}), table)["name"]) == ["b", "a", "b"]


# ---------------------------------------------------------------- docs and schema


def test_an_unknown_column_is_a_key_error() -> None:
    assert TABLE.column("value").unit == "t"
    with pytest.raises(KeyError, match="no column nothing"):
        TABLE.column("nothing")


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (Column("a", "number", ""), "a number"),
        (Column("a", "number", "", minimum=0), "a number of at least 0"),
        (Column("a", "number", "", maximum=1), "a number of at most 1"),
        (Column("a", "integer", "", minimum=0, maximum=3), "a whole number from 0 to 3"),
        (Column("a", "year", ""), "a year from 1900 to 2100"),
        (Column("a", "yes_no", ""), "yes, no"),
        (Column("a", "date", ""), "YYYY-MM-DD"),
        (Column("a", "text", "", codes="sector"), "a code of the list sector"),
    ],
)
def test_what_is_allowed_in_words(column: Column, words: str) -> None:
    assert allowed(column) == words


def test_years_have_bounds_unless_declared_otherwise() -> None:
    assert bounds(Column("a", "year", "")) == (1900, 2100)
    assert bounds(Column("a", "year", "", minimum=2020, maximum=2050)) == (2020, 2050)
    assert bounds(Column("a", "number", "")) == (None, None)


def test_describe_has_a_row_for_every_column() -> None:
    rows = describe(TABLE)
    assert [row["column"] for row in rows] == TABLE.names
    assert rows[2] == {
        "column": "value",
        "type": "number",
        "unit": "t",
        "allowed": "a number from 0 to 100",
        "description": "value",
    }
    assert rows[3]["allowed"] == "a whole number, may be empty"


def test_the_schema_is_a_table_schema() -> None:
    schema = data_package_schema(TABLE)
    fields = {field["name"]: field for field in schema["fields"]}
    assert schema["primaryKey"] == ["year", "name"]
    assert [fields[name]["type"] for name in TABLE.names] == [
        "integer",
        "string",
        "number",
        "integer",
        "string",
        "date",
    ]
    assert fields["value"] == {
        "name": "value",
        "type": "number",
        "description": "value",
        "unit": "t",
        "constraints": {"required": True, "minimum": 0, "maximum": 100},
    }
    assert fields["year"]["constraints"] == {"required": True, "minimum": 1900, "maximum": 2100}
    assert fields["met"]["constraints"] == {"required": False, "enum": ["yes", "no"]}
