"""Published figures beside ours: one row each, with the difference and the reason for it.

The figures are rows of the library's table ``published_figures``. A figure with a metric is
measured on the path of the hub and scenario that it names; one without is listed with the
reason why nothing here measures it. Nothing is tuned to make them meet.

What counts as inside: a figure marked exact, within :data:`EXACT`; a range, within it (one
end is enough: at least, at most); any other single figure, within :data:`NEAR`.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList
from cleanhub.core.units import factor
from cleanhub.hub.library import Library, load_library
from cleanhub.hub.library_schema import PUBLISHED_FIGURES
from cleanhub.hub.package import find_hub, list_hubs, load_hub
from cleanhub.hub.scenario import load_scenario
from cleanhub.pathways.engine import run_pathway
from cleanhub.planning.charging import with_chargers
from cleanhub.planning.published_metrics import PathMetrics

EXACT = 0.005
"""Largest relative difference of a figure that ours must equal."""
NEAR = 0.10
"""Largest relative difference at which a single published figure counts as met."""
NOT_MEASURED = "not measured"
COLUMNS = (
    "figure",
    "title",
    "sector",
    "hub",
    "scenario",
    "metric",
    "base_year",
    "year",
    "ours",
    "published",
    "low",
    "high",
    "difference",
    "unit",
    "exact",
    "inside",
    "why",
    "source",
    "confidence",
)
_SINCE = frozenset(
    {
        "production_change",
        "emission_cut",
        "intensity_change",
        "cumulative_emissions",
        "capture_share",
        "investment",
        "yearly_investment",
    }
)
"""Metrics that need a base year."""


def compare_published(hubs: Collection[str] | None = None, library: Library | None = None) -> pd.DataFrame:
    """Every published figure beside ours.

    Parameters
    ----------
    hubs
        Names of the hubs whose figures are wanted; ``None`` for all, and for the figures
        that no hub measures.
    library
        Library to read the figures from; the bundled one when ``None``.

    Returns
    -------
    A frame with :data:`COLUMNS`, in the order of the table. ``ours``, ``published``, ``low`` and
    ``high`` are in ``unit``; ``difference`` is relative [1], from the published value or, for a
    range, from its nearest end (0 inside it); ``inside`` is yes, no or not measured.

    Raises
    ------
    InputError
        Hubs that are not bundled; rows of the table that cannot be measured as they stand; all are
        listed.
    """
    library = library or load_library()
    figures = library.tables["published_figures"]
    if hubs is not None:
        _check_hubs(hubs)
        figures = figures[figures["hub"].isin(list(hubs))]
    check_figures(figures)
    found: dict[object, tuple[float, str]] = {}
    measured = figures[figures["metric"] != ""]
    for hub_name, of_hub in measured.groupby("hub", sort=True):
        hub = load_hub(str(hub_name))
        for name, rows in of_hub.groupby("scenario", sort=True):
            path = PathMetrics(with_chargers(run_pathway(hub, load_scenario(str(name), hub))).path)
            found |= {line: path.measure(row) for line, row in rows.iterrows()}
    lines = [_compared(row, *found.get(line, (float("nan"), ""))) for line, row in figures.iterrows()]
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _check_hubs(hubs: Collection[str]) -> None:
    faults, known = FaultList(), list_hubs()
    for name in hubs:
        if name not in known:
            faults.add("--hub", what="no bundled hub", found=name, allowed=", ".join(known))
    faults.raise_if_any("published figures")


def check_figures(figures: pd.DataFrame) -> None:
    """Raise :class:`~cleanhub.core.errors.InputError` for rows that cannot be measured; all are listed."""
    faults, file = FaultList(), PUBLISHED_FIGURES.file
    scenarios = {
        name: sorted(path.stem for path in (find_hub(name) / "scenarios").glob("*.yaml"))
        for name in list_hubs()
    }
    for index, row in figures.iterrows():
        line, metric = int(str(index)), str(row["metric"])
        stated = row[["low", "value", "high"]].astype(float).dropna()
        if not stated.is_monotonic_increasing:
            faults.add(
                file,
                line,
                "low+value+high",
                what="range does not hold its value",
                found=", ".join(str(one) for one in stated),
                allowed="low <= value <= high",
            )
        if not metric:
            continue
        if stated.empty:
            faults.add(file, line, "value", what="nothing to compare with", allowed="low, value or high")
        if row["hub"] not in scenarios:
            faults.add(
                file, line, "hub", what="unknown hub", found=row["hub"], allowed=", ".join(sorted(scenarios))
            )
        elif row["scenario"] not in scenarios[row["hub"]]:
            names = ", ".join(sorted(scenarios[row["hub"]]))
            faults.add(file, line, "scenario", what="unknown scenario", found=row["scenario"], allowed=names)
        needed = ["year", *(["base_year"] if metric in _SINCE else [])]
        for column in needed:
            if pd.isna(row[column]):
                faults.add(file, line, column, what="missing year", allowed=f"a year, as {metric} needs one")
    faults.raise_if_any("published figures")


def _compared(row: pd.Series, ours: float, unit: str) -> tuple[object, ...]:
    wanted = str(row["unit"])
    if unit and np.isfinite(ours):
        ours = ours * factor(unit, wanted)
    low, value, high = (float(row[name]) for name in ("low", "value", "high"))
    exact = bool(row["exact"])
    away = difference(ours, low, value, high)
    return (
        row["figure"],
        row["title"],
        row["sector"],
        row["hub"],
        row["scenario"],
        row["metric"],
        row["base_year"],
        row["year"],
        ours,
        value,
        low,
        high,
        away,
        wanted,
        exact,
        verdict(ours, low, value, high, exact),
        row["why"],
        row["source_id"],
        row["confidence"],
    )


def difference(ours: float, low: float, value: float, high: float) -> float:
    """Relative difference of ``ours`` from what is published [1].

    From ``value``; without one, from the nearest end of the range, 0 inside it. NaN when ours
    is, when nothing is published, or when the published figure is 0 and ours is not.
    """
    nearest = value
    if np.isnan(value):
        nearest = float(np.fmax(np.fmin(ours, high), low)) if np.isfinite(ours) else ours
        if np.isnan(low) and np.isnan(high):
            return float("nan")
    if ours == nearest:
        return 0.0
    return (ours - nearest) / abs(nearest) if nearest != 0 else float("nan")


def verdict(ours: float, low: float, value: float, high: float, exact: bool = False) -> str:
    """Whether ``ours`` is inside what is published: yes, no or not measured."""
    if not np.isfinite(ours) or np.isnan([low, value, high]).all():
        return NOT_MEASURED
    if exact or (np.isnan(low) and np.isnan(high)):
        room = EXACT if exact else NEAR
        return "yes" if abs(ours - value) <= room * abs(value) + 1e-12 else "no"
    slack = 1e-9 * max(abs(ours), 1.0)
    return "no" if ours < low - slack or ours > high + slack else "yes"


def broken(compared: pd.DataFrame) -> pd.DataFrame:
    """The rows of :func:`compare_published` that ours must equal and does not."""
    return compared[compared["exact"].astype(bool) & (compared["inside"] != "yes")]


# ---------------------------------------------------------------- for people


def shown(compared: pd.DataFrame) -> pd.DataFrame:
    """Rows of :func:`compare_published` as words for a table.

    Columns: sector, figure (what is stated, with its year), path (hub and scenario), ours,
    published, unit, difference, inside, why, source.
    """
    rows = compared
    return pd.DataFrame(
        {
            "sector": rows["sector"],
            "figure": [_titled(row) for _, row in rows.iterrows()],
            "path": rows["hub"] + " " + rows["scenario"],
            "ours": [_number(value, unit) for value, unit in zip(rows["ours"], rows["unit"], strict=True)],
            "published": [_stated(row) for _, row in rows.iterrows()],
            "unit": rows["unit"].replace("1", ""),
            "difference": [_percent(value) for value in rows["difference"]],
            "inside": rows["inside"] + np.where(rows["exact"].astype(bool), " (exact)", ""),
            "why": rows["why"],
            "source": rows["source"],
        },
        dtype=object,
    ).reset_index(drop=True)


def _titled(row: pd.Series) -> str:
    since = f"{row['base_year']} to " if pd.notna(row["base_year"]) else ""
    return f"{row['title']}, {since}{row['year']}" if pd.notna(row["year"]) else str(row["title"])


def _number(value: float, unit: str = "") -> str:
    """Four figures, three from 10,000 on; years as they are."""
    if np.isnan(value):
        return ""
    if unit == "yr":
        return f"{value:.0f}"
    size = abs(value)
    if size >= 1e9:
        return f"{value / 1e9:,.0f} billion"
    if size >= 1e4:
        return f"{round(value, 3 - len(str(int(size)))):,.0f}"
    return f"{value:,.4g}"


def _stated(row: pd.Series) -> str:
    low, value, high = (float(row[name]) for name in ("low", "published", "high"))
    low_text, text, high_text = (_number(one, str(row["unit"])) for one in (low, value, high))
    between = f"{low_text} to {high_text}"
    if np.isnan([low, value, high]).all():
        return ""
    if not np.isnan(value):
        return text if np.isnan(low) or np.isnan(high) else f"{text} ({between})"
    if np.isnan(high):
        return f"at least {low_text}"
    return f"at most {high_text}" if np.isnan(low) else between


def _percent(value: float) -> str:
    if np.isnan(value):
        return ""
    return f"{value * 100:+.1f} %" if abs(value) >= 0.0005 else "0 %"
