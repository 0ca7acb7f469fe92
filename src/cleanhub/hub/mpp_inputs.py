"""Input tables of the Mission Possible Partnership's shared solver: read and checked.

:func:`read_inputs` reads a folder of CSV files, plain or gzipped, in the solver's layout and lists
every fault of every file: missing files and columns, cells that are no number, negative lifetimes,
unknown words, switches to technologies without characteristics. Nothing is repaired. Frames keep the
files' columns and units (Mt, USD per t, t per t); words are categories.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList, InputError
from cleanhub.hub.mpp_settings import CLASSES, LIMIT_FILES, NOTHING, SWITCH_KINDS, MppSettings

UNCLASSED = "0"  # how the tables write that a technology has no class
WORLD = "Global"
KEY = ("product", "region", "technology", "year")
MOST_FAULTS = 50  # of one kind in one column; the rest is counted


@dataclass(frozen=True)
class InputTable:
    """Layout of one file: columns of words, of whole numbers, and of numbers with their bounds."""

    words: tuple[str, ...]
    whole: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    signed: tuple[str, ...] = ()
    needed: bool = True
    key: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that must be there."""
        return (*self.words, *self.whole, *self.numbers, *self.signed)


_PRODUCT = ("product", "region", "technology")
_SWITCH = ("product", "region", "technology_origin", "technology_destination", "switch_type")
_POWER = ("product", "region", "technology_destination")


def input_tables(settings: MppSettings) -> dict[str, InputTable]:
    """The files of a sector, by name without ending; those that are not ``needed`` serve a limit."""
    costs: tuple[str, ...] = ("tco", "lcox", "switch_capex")
    if settings.dispatch.cost not in costs:
        costs = (*costs, settings.dispatch.cost)
    stack: tuple[str, ...] = ("annual_production_capacity", "average_cuf", "average_age")
    if settings.initial_stack == "individual":
        stack = ("annual_production_capacity", "year", "capacity_factor")
    return {
        "technology_transitions": InputTable(_SWITCH, ("year",), (), costs, key=(*_SWITCH, "year")),
        "technology_characteristics": InputTable(
            (*_PRODUCT, "technology_classification"),
            ("year", "expected_maturity", "technology_lifetime"),
            ("wacc",),
            key=KEY,
        ),
        "emissions": InputTable(_PRODUCT, ("year",), (), ("co2_scope1", "co2_scope2"), key=KEY),
        "demand": InputTable(("product", "region"), ("year",), ("value",), key=("product", "region", "year")),
        "initial_asset_stack": InputTable(_PRODUCT, (), stack),
        "project_pipeline": InputTable(_PRODUCT, needed=False),
        "co2_storage_constraint": InputTable((), ("year",), ("value",), needed=False),
        "electrolysis_capacity_addition_constraint": InputTable((), ("year",), ("value",), needed=False),
        "electrolyser_cfs": InputTable(
            _POWER, ("year",), ("electrolyser_capacity_factor",), needed=False, key=(*_POWER, "year")
        ),
        "electrolyser_proportions": InputTable(
            _POWER, ("year",), ("electrolyser_hydrogen_proportion",), needed=False, key=(*_POWER, "year")
        ),
        "electrolyser_efficiencies": InputTable(
            ("product", "region"), ("year",), ("electrolyser_efficiency",), needed=False
        ),
        "carbon_budget": InputTable((), ("year",), ("annual_limit",), needed=False),
    }


def inputs_folder(folder: Path) -> Path:
    """The folder with the input files: ``folder`` itself or its ``inputs``. ``InputError`` if neither."""
    for place in (folder, folder / "inputs"):
        if _file_of(place, "technology_transitions") or _file_of(place, "technology_characteristics"):
            return place
    faults = FaultList()
    faults.add(
        str(folder),
        what="no input tables of the solver here",
        allowed="a folder with technology_transitions.csv (or .csv.gz), or one that holds it as inputs",
    )
    raise InputError("solver inputs", faults.faults)


def read_inputs(folder: Path, settings: MppSettings, faults: FaultList) -> dict[str, pd.DataFrame]:
    """Read and check every table of ``folder``; faults and notes are gathered in ``faults``."""
    frames: dict[str, pd.DataFrame] = {}
    for name, table in input_tables(settings).items():
        path = _file_of(folder, name)
        if path is None:
            if table.needed:
                faults.add(f"{name}.csv", what="missing file", allowed=f"{name}.csv or {name}.csv.gz")
            continue
        frame = _read_csv(path, faults)
        if frame is not None:
            frames[name] = frame
    return check_inputs(frames, settings, faults)


def check_inputs(
    frames: dict[str, pd.DataFrame], settings: MppSettings, faults: FaultList
) -> dict[str, pd.DataFrame]:
    """Check frames as they were read; the sound ones come back with typed columns."""
    sound = {}
    for name, table in input_tables(settings).items():
        if name in frames:
            typed = _typed(name, frames[name], table, settings, faults)
            if typed is not None:
                sound[name] = typed
    needed = [name for name, table in input_tables(settings).items() if table.needed]
    if all(name in sound for name in needed) and not faults.faults:
        _check_technologies(sound, settings, faults)
        _check_demand(sound["demand"], settings, faults)
        _note_limits(sound, settings, faults)
    return sound


def _file_of(folder: Path, name: str) -> Path | None:
    for ending in (".csv", ".csv.gz"):
        if (folder / f"{name}{ending}").is_file():
            return folder / f"{name}{ending}"
    return None


def _read_csv(path: Path, faults: FaultList) -> pd.DataFrame | None:
    try:
        return pd.read_csv(path, skip_blank_lines=False, low_memory=False)
    except (OSError, EOFError, zlib.error) as error:
        faults.add(path.name, what="cannot be read", found=error, allowed="a CSV file, plain or gzipped")
    except UnicodeDecodeError as error:
        faults.add(path.name, what="not UTF-8", found=error.reason, allowed="UTF-8 text")
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        faults.add(path.name, what="not a table", found=error, allowed="comma-separated values with a header")
    return None


def _typed(
    name: str, frame: pd.DataFrame, table: InputTable, settings: MppSettings, faults: FaultList
) -> pd.DataFrame | None:
    """The frame with typed columns, or ``None`` with faults recorded."""
    file, before = f"{name}.csv", len(faults.faults)
    for column in (column for column in table.columns if column not in frame.columns):
        faults.add(file, 1, column, what="missing column", allowed=", ".join(table.columns))
    if len(faults.faults) > before:
        return None
    if frame.empty:
        faults.add(file, what="no rows", allowed="at least one")
        return None
    typed = frame.loc[:, [column for column in frame.columns if not str(column).startswith("Unnamed")]].copy()
    years = [str(column) for column in typed.columns if str(column).isdigit()]
    emitted = [str(column) for column in typed.columns if name == "emissions" and "scope" in str(column)]
    signed = {*table.signed, *emitted}
    for column in dict.fromkeys([*table.whole, *table.numbers, *table.signed, *years, *emitted]):
        blank = column in emitted and column not in table.signed
        typed[column] = _numbers(file, typed[column], faults, blank, column in signed, column in table.whole)
    for column in table.words:
        typed[column] = _words(file, typed[column], settings, faults)
    if "ppa_allowed" in typed:
        typed["ppa_allowed"] = _yes_no(file, typed["ppa_allowed"], faults)
    if table.key:
        again = typed.duplicated(list(table.key))
        _report(file, again, "+".join(table.key), "duplicate row", None, "each once", faults)
    return typed if len(faults.faults) == before else None


def _numbers(
    file: str, cells: pd.Series, faults: FaultList, blank: bool, signed: bool, whole: bool
) -> pd.Series:
    column = str(cells.name)
    numbers = cells if pd.api.types.is_numeric_dtype(cells) else pd.to_numeric(cells, errors="coerce")
    numbers = numbers.astype(float)
    missing = cells.isna() | (cells.astype(str).str.strip() == "") if cells.dtype == object else cells.isna()
    wrong = (numbers.isna() | np.isinf(numbers)) & ~missing
    allowed = "a whole number" if whole else "a number"
    _report(file, wrong, column, "not a number", cells, allowed, faults)
    if not blank:
        _report(file, missing, column, "empty cell", None, allowed, faults)
    if not signed:
        _report(file, numbers < 0, column, "negative", cells, "0 or more", faults)
    if whole:
        broken = numbers.notna() & ~wrong & (numbers % 1 != 0)
        _report(file, broken, column, "not a whole number", cells, allowed, faults)
        return numbers.where(~wrong, 0).fillna(0).astype(np.int64)
    return numbers


def _words(file: str, cells: pd.Series, settings: MppSettings, faults: FaultList) -> pd.Series:
    column = str(cells.name)
    _report(file, cells.isna(), column, "empty cell", None, "a word", faults)
    words = cells.astype(object).where(cells.notna(), "").astype(str).astype("category")
    known: dict[str, Iterable[str]] = {
        "product": settings.products,
        "switch_type": SWITCH_KINDS,
        "technology_classification": (*CLASSES, UNCLASSED),
    }
    if column in known:
        wrong = ~words.isin(list(known[column])) & cells.notna()
        _report(file, wrong, column, "unknown word", cells, ", ".join(known[column]), faults)
    return words


def _yes_no(file: str, cells: pd.Series, faults: FaultList) -> pd.Series:
    text = cells.astype(str).str.strip().str.lower()
    _report(file, ~text.isin(["true", "false"]), "ppa_allowed", "neither", cells, "True, False", faults)
    return text == "true"


def _report(
    file: str,
    wrong: pd.Series,
    column: str,
    what: str,
    cells: pd.Series | None,
    allowed: str,
    faults: FaultList,
) -> None:
    """One fault for each distinct value found, at its first row; further rows are counted."""
    rows = np.flatnonzero(wrong.to_numpy(bool))
    if not len(rows):
        return
    if cells is None:
        more = f" ({len(rows)} rows)" if len(rows) > 1 else ""
        faults.add(file, int(rows[0]) + 2, column, what=what + more, allowed=allowed)
        return
    found = cells.iloc[rows].astype(str)
    counts = found.value_counts(sort=False)
    first = found[~found.duplicated()]
    for line, value in list(first.items())[:MOST_FAULTS]:
        more = f" ({counts[value]} rows)" if counts[value] > 1 else ""
        faults.add(file, int(str(line)) + 2, column, what=what + more, found=value, allowed=allowed)
    if len(first) > MOST_FAULTS:
        faults.add(file, None, column, what=f"{what}: {len(first) - MOST_FAULTS} more values")


def _check_technologies(frames: dict[str, pd.DataFrame], settings: MppSettings, faults: FaultList) -> None:
    """Technologies and regions that one table uses and another does not know."""
    known = frames["technology_characteristics"]
    switches = frames["technology_transitions"]
    technologies = set(known["technology"].unique())
    for column in ("technology_origin", "technology_destination"):
        cells = switches[column]
        wrong = ~cells.isin([*technologies, *NOTHING])
        allowed = "a technology of technology_characteristics.csv"
        _report("technology_transitions.csv", wrong, column, "unknown technology", cells, allowed, faults)
        _check_places(switches, column, known, faults)
    used = set(switches["technology_destination"].unique()) | set(switches["technology_origin"].unique())
    emitting = set(frames["emissions"]["technology"].unique())
    for technology in sorted((used & technologies) - set(NOTHING) - emitting):
        faults.add("emissions.csv", what="a technology with no emissions", found=technology)
    regions = set(switches["region"].unique())
    for name in ("initial_asset_stack", "project_pipeline"):
        if name not in frames:
            continue
        frame, file = frames[name], f"{name}.csv"
        cells = frame["technology"]
        _report(
            *(file, ~cells.isin(list(technologies)), "technology", "unknown technology", cells),
            *("a technology of technology_characteristics.csv", faults),
        )
        cells = frame["region"]
        listed = ", ".join(sorted(regions))
        _report(file, ~cells.isin(list(regions)), "region", "unknown region", cells, listed, faults)


def _check_places(switches: pd.DataFrame, column: str, known: pd.DataFrame, faults: FaultList) -> None:
    """Switches whose technology is known, but not for that product, region and year."""
    places = switches[["product", "region", column, "year"]].rename(columns={column: "technology"})
    places = places[places["technology"].isin(list(known["technology"].unique()))]
    keys = [pd.concat([frame[name] for frame in (known, places)], ignore_index=True) for name in KEY]
    code = np.zeros(len(known) + len(places), dtype=np.int64)
    for cells in keys:
        found, unique = pd.factorize(cells.astype(object) if cells.dtype != np.int64 else cells)
        code = code * len(unique) + found
    without = ~np.isin(code[len(known) :], code[: len(known)])
    wrong = pd.Series(without, index=places.index).reindex(switches.index, fill_value=False)
    described = switches[column].astype(str) + " in " + switches["region"].astype(str)
    _report(
        *("technology_transitions.csv", wrong, column, "a technology with no characteristics", described),
        *("a row of technology_characteristics.csv for its product, region and year", faults),
    )


def _check_demand(demand: pd.DataFrame, settings: MppSettings, faults: FaultList) -> None:
    world = demand[demand["region"] == WORLD]
    for product in settings.products:
        years = set(world.loc[world["product"] == product, "year"])
        missing = [year for year in settings.years if year not in years]
        if missing:
            faults.add(
                "demand.csv",
                None,
                "year",
                what=f"no demand for {product} in region {WORLD}",
                found=f"{missing[0]} to {missing[-1]}" if len(missing) > 1 else missing[0],
                allowed=f"every year from {settings.first_year} to {settings.last_year}",
            )


def _note_limits(frames: dict[str, pd.DataFrame], settings: MppSettings, faults: FaultList) -> None:
    for name, pathway in settings.pathways.items():
        for limit in pathway.limits:
            for file in LIMIT_FILES[limit]:
                if file not in frames:
                    faults.note(f"{file}.csv", what=f"not there: pathway {name} runs without {limit}")
