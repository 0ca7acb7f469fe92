"""The open links as a plan shows them: in bundles of one project each, and counted by barrier.

Both read plan table ``links`` alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cleanhub.pipeline.problem import GATE

BARRIERS = ("permitting", "foak_capital", "policy", "other")
"""The three barriers of the panels, and none of them."""


@dataclass(frozen=True)
class Bundle:
    """Links that are unblocked together: all that one project alone waits for, or one that is shared.

    The gates of one project all block the same tonnes, since it decides only when each has closed: a
    reader wants them once. ``project_id`` is empty for a shared link; ``links`` are rows of the plan table
    ``links``, that of which a year of delay costs most first.
    """

    project_id: str
    links: tuple[dict[str, Any], ...]

    @property
    def blocked(self) -> float:
        """Expected tonnes lost if one of them never closes [t CO2e]: the most of them, not their sum."""
        return max(float(row["blocked_co2e_t"]) for row in self.links)


def bundles(links: Iterable[dict[str, Any]]) -> list[Bundle]:
    """The rows of plan table ``links`` in bundles, those that block most first."""
    own: dict[str, list[dict[str, Any]]] = {}
    found: list[Bundle] = []
    for row in links:
        blocked = [one for one in str(row["projects"] or "").split(";") if one]
        if len(blocked) == 1:
            own.setdefault(blocked[0], []).append(row)
        else:
            found.append(Bundle("", (row,)))
    for project, rows in own.items():
        rows.sort(key=lambda row: (-float(row["per_year_of_delay_t"] or 0.0), str(row["link_id"])))
        found.append(Bundle(project, tuple(rows)))
    return sorted(found, key=lambda one: (-one.blocked, one.project_id, str(one.links[0]["link_id"])))


def count_barriers(links: pd.DataFrame) -> pd.DataFrame:
    """How many open gates are of each barrier, and the tonnes that are theirs.

    Parameters
    ----------
    links
        Plan table ``links``.

    Returns
    -------
    pandas.DataFrame
        A row for each of ``BARRIERS``: ``barrier``, ``open_gates``, ``shared_links`` (infrastructure and
        policies), ``projects`` (that cannot decide without one of either), ``shapley_co2e_t`` and
        ``shapley_share`` of both, which add up over barriers, and ``first`` (its link that blocks most).
    """
    rows = []
    for barrier in BARRIERS:
        some = links[links["barrier"] == barrier]
        gates = int((some["kind"] == GATE).sum())
        rows.append(
            {
                "barrier": barrier,
                "open_gates": gates,
                "shared_links": len(some) - gates,
                "projects": len({one for text in some["projects"] for one in text.split(";") if one}),
                "shapley_co2e_t": float(some["shapley_co2e_t"].sum()),
                "shapley_share": float(some["shapley_share"].sum()),
                "first": _first(some),
            }
        )
    return pd.DataFrame(rows)


def _first(links: pd.DataFrame) -> str:
    ranked = links.sort_values(["blocked_co2e_t", "link_id"], ascending=[False, True], kind="stable")
    return str(ranked["link_id"].iloc[0]) if len(ranked) else ""
