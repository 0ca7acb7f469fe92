"""Parquet files, written in order by one thread so that equal frames give equal bytes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write ``frame`` to ``path``; row order is kept. Raises ``OSError`` where it cannot be written."""
    write_parquets({path: frame})


def write_parquets(frames: Mapping[Path, pd.DataFrame]) -> None:
    """Write every frame to its path, as :func:`write_parquet` does, over one connection."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET threads = 1; SET preserve_insertion_order = true")
        for path, frame in frames.items():
            connection.register("frame", _plain(frame))
            target = str(path).replace("'", "''")
            try:
                connection.execute(
                    f"COPY (SELECT * FROM frame) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
                )
            except duckdb.IOException as error:
                raise _as_os_error(error) from error


def _as_os_error(error: Exception) -> OSError:
    """The reason of the system, which duckdb tells as a number within its own words."""
    number = re.search(r'"errno":"(\d+)"', str(error))
    if number:
        return OSError(int(number[1]), os.strerror(int(number[1])))
    return OSError(str(error).split("\n")[0])


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file into a frame, in file order. Raises ``ValueError`` for a file that is none."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET threads = 1; SET preserve_insertion_order = true")
        literal = re.sub(r"[*?\[]", r"[\g<0>]", str(path))  # a folder named a*b must not match its neighbours
        source = literal.replace("'", "''")
        try:
            return connection.execute(f"SELECT * FROM read_parquet('{source}')").df()
        except duckdb.Error as error:
            raise ValueError(str(error).split("\n")[0]) from error


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    plain = {}
    for name in frame.columns:
        column = frame[name]
        plain[name] = column.astype("string") if column.dtype == object else column
    return pd.DataFrame(plain)
