"""Fingerprints: equal content, equal text, in every process; whatever differs, another one."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from scipy import sparse

from cleanhub.core.fingerprint import SIZE, fingerprint


@dataclass(frozen=True)
class Plant:
    name: str
    tonnes: float
    years: tuple[int, ...] = ()


class Choice(BaseModel):
    scale: float = 1.0
    off: bool = False


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Ends(dict[str, int]):
    """A mapping that knows more than its content."""

    def __init__(self, content: dict[str, int], default: int) -> None:
        super().__init__(content)
        self.default = default


FRAME = pd.DataFrame(
    {
        "text": pd.Series(["a", "", "b"], dtype=object),
        "mixed": pd.Series(["a", None, 2.5], dtype=object),
        "number": [1.0, np.nan, 3.0],
        "year": pd.array([2020, None, 2030], dtype="Int64"),
        "flag": pd.array([True, None, False], dtype="boolean"),
        "words": pd.array(["x", None, "y"], dtype="string"),
        "kind": pd.Categorical(["p", "q", "p"]),
        "day": pd.to_datetime(["2026-01-01", None, "2026-02-01"]),
    }
)


def test_it_is_short_text_of_hexadecimal_digits() -> None:
    assert len(fingerprint("a")) == 2 * SIZE
    assert set(fingerprint("a")) <= set("0123456789abcdef")


DIFFERENT: list[Any] = [
    None,
    True,
    1,
    1.0,
    1.5,
    float("nan"),
    float("inf"),
    -0.0,
    0.0,
    "",
    "1",
    "None",
    b"1",
    (),
    [],
    {},
    set(),
    ("a",),
    ["a"],
    ("a", "b"),
    ("a,b",),
    ("a\x1fb",),
    ("a", ("b",)),
    {"a": 1, "b": 2},
    {"b": 2, "a": 1},
    {"a": 1.0, "b": 2},
    {"a", "b"},
    dt.date(2026, 1, 1),
    dt.datetime(2026, 1, 1),
    Colour.RED,
    Colour.BLUE,
    Plant("a", 1.0),
    Plant("a", 1.0, (2030,)),
    Choice(),
    Choice(scale=2.0),
    Ends({"a": 1}, 1),
    Ends({"a": 1}, 2),
    {"a": 1},
    np.float64(1.0),
    np.float32(1.0),
    np.arange(4),
    np.arange(4.0),
    np.arange(4).reshape(2, 2),
    np.array(["a", "b"], dtype=object),
    np.array(["a", "b"]),
    sparse.csr_matrix(np.eye(2)),
    sparse.csr_matrix(2 * np.eye(2)),
    FRAME,
    FRAME.rename(columns={"text": "words2"}),
    FRAME[["number", "text"]],
    FRAME[["text", "number"]],
    FRAME.iloc[::-1],
    FRAME.set_index("text"),
    FRAME.set_index(["text", "number"]),
    FRAME["number"],
    FRAME["number"].to_numpy(),
    FRAME["year"],
    FRAME["year"].fillna(0),
    pd.Index(["a"], name="b"),
    pd.Index(["a"]),
]


def test_whatever_differs_has_another_fingerprint() -> None:
    found = [fingerprint(value) for value in DIFFERENT]
    twice = [DIFFERENT[at] for at, one in enumerate(found) if found.index(one) != at]
    assert not twice


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (float("nan"), float("nan")),
        ({"x", "y", "z"}, {"z", "y", "x"}),
        (frozenset({"x"}), {"x"}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (pd.RangeIndex(3), pd.Index([0, 1, 2])),
        (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3))),
        (FRAME, FRAME.copy(deep=True)),
        (FRAME[["number"]], pd.DataFrame({"number": np.array([1.0, np.nan, 3.0])})),
    ],
)
def test_equal_content_has_equal_fingerprints(a: Any, b: Any) -> None:
    assert fingerprint(a) == fingerprint(b)


def test_what_lies_under_a_missing_cell_does_not_count() -> None:
    a, b = pd.array([1, 2], dtype="Int64"), pd.array([1, 3], dtype="Int64")
    a[1] = b[1] = pd.NA
    assert fingerprint(a) == fingerprint(b)


@pytest.mark.parametrize(
    "value", [Path("x"), object(), lambda: 1, {"a": [Plant("p", 1.0), Path("x")]}, Plant]
)
def test_an_unknown_type_is_an_error_that_says_where(value: Any) -> None:
    with pytest.raises(TypeError, match="no fingerprint of"):
        fingerprint(value)


def test_the_error_names_the_place() -> None:
    with pytest.raises(TypeError, match=r"Path at \[0\]\.a\[1\]"):
        fingerprint({"a": [1.5, Path("x")]})


def test_the_same_in_another_process_with_another_hash_seed() -> None:
    code = (
        "from cleanhub.core.fingerprint import fingerprint;"
        "print(fingerprint({'a': {'x', 'y', 'z'}, 'b': [1, 2.5, None, 'é']}))"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert told == [fingerprint({"a": {"x", "y", "z"}, "b": [1, 2.5, None, "é"]})] * 2


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(plain, plain)
def test_plain_values_have_equal_fingerprints_only_if_they_read_alike(a: Any, b: Any) -> None:
    assert (fingerprint(a) == fingerprint(b)) == (repr(a) == repr(b))
