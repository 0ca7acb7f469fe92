"""Parquet: what goes in comes out, and equal frames give equal bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanhub.core.parquet import read_parquet, write_parquet
from cleanhub.core.tables import Column, Table, conform, empty

TABLE = Table(
    "t",
    "Every type.",
    (
        Column("text", "text", "text", blank=True),
        Column("number", "number", "number", blank=True),
        Column("integer", "integer", "integer", blank=True),
        Column("year", "year", "year", blank=True),
        Column("flag", "yes_no", "flag", blank=True),
    ),
)
ROWS = st.fixed_dictionaries(
    {
        "text": st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=10),
        "number": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "integer": st.none() | st.integers(-(2**53), 2**53),
        "year": st.none() | st.integers(1900, 2100),
        "flag": st.none() | st.booleans(),
    }
)


def as_declared(rows: list[dict]) -> pd.DataFrame:
    if not rows:
        return empty(TABLE)
    frame = pd.DataFrame(rows, columns=TABLE.names, dtype=object)
    whole = {name: frame[name].astype("Int64") for name in ("integer", "year")}
    return conform(frame.assign(**whole, number=frame["number"].astype(float)), TABLE)


def through(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    write_parquet(frame, path)
    return conform(read_parquet(path), TABLE)


EXAMPLE = [
    {"text": "Zürich 漢字 🚢", "number": 0.1, "integer": None, "year": 2030, "flag": None},
    {"text": "", "number": None, "integer": 7, "year": None, "flag": True},
    {"text": 'it\'s "quoted"\n', "number": -1e-300, "integer": -7, "year": 1900, "flag": False},
]


def test_every_type_with_gaps_comes_back(tmp_path: Path) -> None:
    frame = as_declared(EXAMPLE)
    pd.testing.assert_frame_equal(through(frame, tmp_path / "t.parquet"), frame, check_exact=True)


@settings(max_examples=15)
@given(st.lists(ROWS, max_size=6))
def test_any_declared_frame_comes_back(tmp_path_factory: pytest.TempPathFactory, rows: list[dict]) -> None:
    frame = as_declared(rows)
    back = through(frame, tmp_path_factory.getbasetemp() / "any.parquet")
    pd.testing.assert_frame_equal(back, frame, check_exact=True)


def test_a_frame_without_rows_keeps_its_types(tmp_path: Path) -> None:
    pd.testing.assert_frame_equal(through(empty(TABLE), tmp_path / "t.parquet"), empty(TABLE))


def test_the_order_of_many_rows_is_kept(tmp_path: Path) -> None:
    values = np.random.default_rng(0).permutation(300_000)
    write_parquet(pd.DataFrame({"a": values}), tmp_path / "t.parquet")
    np.testing.assert_array_equal(read_parquet(tmp_path / "t.parquet")["a"], values)


def test_equal_frames_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_parquet(as_declared(EXAMPLE), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    write_parquet(as_declared(EXAMPLE[:2]), tmp_path / "c")
    assert (tmp_path / "c").read_bytes() != (tmp_path / "a").read_bytes()


@pytest.mark.parametrize(
    "folder", ["it's", 'a "plan"', "st*r", "br[1]", "wh?t", "{a,b}", "Zürich 漢", "a;b--"]
)
def test_any_folder_name_reads_its_own_file_and_no_neighbours(tmp_path: Path, folder: str) -> None:
    for number, name in enumerate((folder, "star", "br1", "what", "a", "b")):
        (tmp_path / name).mkdir()
        write_parquet(pd.DataFrame({"a": [number]}), tmp_path / name / "t.parquet")
    assert list(read_parquet(tmp_path / folder / "t.parquet")["a"]) == [0]


def test_a_file_that_is_none_and_a_place_that_is_none_are_told(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match=r"t\.parquet"):
        read_parquet(tmp_path / "t.parquet")
    with pytest.raises(OSError, match=r"No such file or directory|nowhere"):
        write_parquet(pd.DataFrame({"a": [1]}), tmp_path / "nowhere" / "t.parquet")
