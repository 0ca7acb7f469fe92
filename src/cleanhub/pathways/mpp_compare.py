"""Runs of the faithful solver laid beside results of that solver: ours, theirs, difference, tolerance.

A folder of results holds one folder per pathway with ``inputs`` and, beside them, the solver's
``technology_mix_by_year.csv``; ``emissions_by_year_Mt.csv``, rank tables and, one folder up, mixes of
further seeds (``seeds/seed_<pathway>_<n>.csv``) are used where they are. Folders of results only are
reported as such. Production is in Mt a year, emissions in Mt.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList, InputError
from cleanhub.hub.mpp_import import read_solver
from cleanhub.hub.mpp_settings import MppPathway, mpp_sectors
from cleanhub.pathways.mpp_faithful import MppResult, run_faithful
from cleanhub.pathways.mpp_ranking import RankedSwitches
from cleanhub.pathways.mpp_tables import MppTables, build_tables

YEARS = (2030, 2040, 2050)
MIX = "technology_mix_by_year.csv"
EMISSIONS = "emissions_by_year_Mt.csv"
SEED_MARGIN = 2.0  # Mt beyond the spread of seeds, for pathways whose ranking is cost alone
TOTAL_SHARE = 0.05  # of total production, for every other pathway
_KEY = ["product", "technology", "year"]
_SWITCH = ["product", "technology_origin", "technology_destination", "year", "region", "switch_type"]


@dataclass(frozen=True)
class PathwayCheck:
    """One pathway run over seeds: rows of the comparison, of the rank tables, of the emissions."""

    folder: str
    sector: str
    pathway: str
    seeds: int
    status: str
    tolerance: str
    mix: list[dict[str, Any]]
    ranks: list[dict[str, Any]]
    emissions: list[dict[str, Any]]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every mix row lies inside the tolerance and every rank is equal."""
        return all(row["ok"] for row in (*self.mix, *self.ranks))


def check_mpp(folder: Path, seeds: int) -> list[PathwayCheck]:
    """Run every pathway folder at or below ``folder``. Raises ``InputError`` when there is none."""
    found = _pathway_folders(folder)
    faults = FaultList()
    if not found:
        faults.add(
            str(folder),
            what="no pathway folder with inputs",
            allowed="SECTOR/PATHWAY/inputs at or below it, "
            f"SECTOR one of {', '.join(mpp_sectors())}, PATHWAY one of the sector's",
        )
    if seeds < 1:
        faults.add("--seeds", what="too few", found=seeds, allowed="1 or more")
    if faults.faults:
        raise InputError("solver results", faults.faults)
    return [_check_pathway(place, sector, name, seeds) for place, sector, name in found]


def _pathway_folders(folder: Path) -> list[tuple[Path, str, str]]:
    """Pathway folders with their sector and pathway, both read off the folders' names."""
    top = folder.resolve()
    if top.name == "inputs":
        top = top.parent
    found = []
    for inputs in sorted({*top.glob("inputs"), *top.glob("*/inputs"), *top.glob("*/*/inputs")}):
        place = inputs.parent
        if inputs.is_dir() and place.parent.name in mpp_sectors():
            found.append((place, place.parent.name, place.name))
    return found


def _check_pathway(place: Path, sector: str, name: str, seeds: int) -> PathwayCheck:
    solver = read_solver(place, sector)
    tables = build_tables(solver.frames, solver.settings)
    runs = [run_faithful(tables, solver.settings, name, seed) for seed in range(seeds)]
    about = (f"{sector}/{name}", sector, name, seeds)
    if not (place / MIX).is_file():
        mix = _mix_rows(runs, None, [], solver.settings.pathways[name])
        return PathwayCheck(*about, "no results to compare with", "", mix, [], [], solver.notes)
    pathway = solver.settings.pathways[name]
    theirs = _read(place / MIX, [*_KEY, "annual_production_volume_Mt"])
    others = [
        _read(path, [*_KEY, "annual_production_volume"]).rename(
            columns={"annual_production_volume": "annual_production_volume_Mt"}
        )
        for path in sorted((place.parent / "seeds").glob(f"seed_{name}_*.csv"))
    ]
    tolerance = (
        f"spread of seeds + {SEED_MARGIN:g} Mt"
        if _by_cost_alone(pathway)
        else f"{TOTAL_SHARE:.0%} of total production"
    )
    return PathwayCheck(
        *about,
        "compared",
        tolerance,
        _mix_rows(runs, theirs, others, pathway),
        _rank_rows(place, runs[0].ranked, tables),
        _emission_rows(place, runs),
        solver.notes,
    )


def _by_cost_alone(pathway: MppPathway) -> bool:
    return pathway.ranking == "uncertainty_bins" and pathway.emissions == 0


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    faults = FaultList()
    try:
        frame = pd.read_csv(path)
    except (OSError, ValueError) as error:
        faults.add(str(path), what="cannot be read", found=error, allowed="a CSV table of results")
        raise InputError("solver results", faults.faults) from error
    for column in (column for column in columns if column not in frame.columns):
        faults.add(str(path), 1, column, what="missing column", allowed=", ".join(columns))
    faults.raise_if_any("solver results")
    return frame


def _totals(frame: pd.DataFrame) -> pd.Series:
    frame = frame[frame["year"].isin(YEARS)]
    return frame.groupby([frame[name].astype(str) if name != "year" else frame[name] for name in _KEY])[
        "annual_production_volume_Mt"
    ].sum()


def _mix_rows(
    runs: list[MppResult],
    theirs: pd.DataFrame | None,
    others: list[pd.DataFrame],
    pathway: MppPathway,
) -> list[dict[str, Any]]:
    """One row per product, technology and year; ``tolerance`` as the pathway's rule says."""
    ours = pd.concat([_totals(run.mix) for run in runs], axis=1).fillna(0.0)
    given = [] if theirs is None else [_totals(theirs), *(_totals(other) for other in others)]
    index = ours.index
    for one in given:
        index = index.union(one.index)
    ours = ours.reindex(index, fill_value=0.0)
    known = pd.concat([one.reindex(index, fill_value=0.0) for one in given], axis=1) if given else None
    rows: list[dict[str, Any]] = []
    for place, (product, technology, year) in enumerate(index):
        own = ours.iloc[place].to_numpy(float)
        row: dict[str, Any] = {"product": product, "technology": technology, "year": int(year)}
        row |= {"ours": float(own.mean()), "ours_min": float(own.min()), "ours_max": float(own.max())}
        if known is not None:
            other = known.iloc[place].to_numpy(float)
            spread = float(np.ptp(other) if len(given) > 1 else np.ptp(own))
            total = float(known.iloc[:, 0][index.get_level_values("year") == year].sum())
            allowed = spread + SEED_MARGIN if _by_cost_alone(pathway) else TOTAL_SHARE * total
            row |= {"theirs": float(other[0]), "theirs_min": float(other.min())}
            row |= {"theirs_max": float(other.max()), "difference": row["ours"] - float(other[0])}
            row |= {"tolerance": allowed, "ok": bool(abs(row["difference"]) <= allowed)}
        else:
            row |= {"ok": True}
        rows.append(row)
    return rows


def _rank_rows(place: Path, ranked: dict[str, RankedSwitches], tables: MppTables) -> list[dict[str, Any]]:
    """Equality of every rank with the rank tables beside the inputs, where there are any."""
    rows = []
    for name, table in ranked.items():
        paths = [
            path for path in (place / f"{name}_rank.csv.gz", place / f"{name}_rank.csv") if path.is_file()
        ]
        if not paths:
            continue
        theirs = _read(paths[0], [*_SWITCH, "rank"])[[*_SWITCH, "rank"]]
        ours = tables.named(table.switches).assign(ours=table.rank)
        theirs = theirs.astype({name: str for name in _SWITCH if name != "year"})
        words = ["technology_origin", "technology_destination"]
        theirs[words] = theirs[words].replace(
            dict.fromkeys(("New-build", "Decommissioned", "decommission"), "")
        )
        both = theirs.merge(ours, on=_SWITCH, how="outer", indicator="side")
        different = int((both["rank"] != both["ours"]).sum())
        rows.append(
            {
                "table": name,
                "rows": len(theirs),
                "ours_rows": len(ours),
                "only_theirs": int((both["side"] == "left_only").sum()),
                "only_ours": int((both["side"] == "right_only").sum()),
                "differences": different,
                "ok": different == 0,
            }
        )
    return rows


def _emission_rows(place: Path, runs: list[MppResult]) -> list[dict[str, Any]]:
    """Emissions of all products by kind and year: mean over our seeds against theirs; for reading."""
    if not (place / EMISSIONS).is_file():
        return []
    theirs = _read(place / EMISSIONS, ["product", "year"]).groupby("year").sum(numeric_only=True)
    ours = sum(run.emissions.groupby("year").sum(numeric_only=True) for run in runs)
    assert isinstance(ours, pd.DataFrame)
    rows = []
    for kind in (column for column in theirs.columns if column in ours.columns):
        for year in (year for year in (int(runs[0].emissions["year"].min()), *YEARS) if year in theirs.index):
            own, other = float(ours[kind][year]) / len(runs), float(theirs[kind][year])
            row = {"kind": str(kind), "year": year, "ours": own, "theirs": other}
            rows.append({**row, "difference": own - other})
    return rows
