"""Rows of a table that a hub and the library both hold: whose word counts."""

from __future__ import annotations

import pandas as pd

from cleanhub.hub.package import Hub


def rows_in_force(hub: Hub, table: str, key: str) -> pd.DataFrame:
    """The rows of ``table`` that hold for a hub: its own, then the library's whose ``key`` it has not.

    Columns of the table, with ``own`` (bool: the hub's), ``file`` and ``line`` of each row.
    """
    own, shared = hub.tables[table], hub.library.tables[table]
    frames = [
        own.assign(own=True, file=f"{table}.csv", line=own.index),
        shared.assign(own=False, file=f"library/{table}.csv", line=shared.index),
    ]
    both = pd.concat([frame for frame in frames if len(frame)] or frames[1:])
    return both.drop_duplicates(key).reset_index(drop=True)
