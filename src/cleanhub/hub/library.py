"""The library: technologies, switches, carriers, codelists and price indices that hubs share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.core.fingerprint import fingerprint
from cleanhub.core.memory import remembered
from cleanhub.core.money import PriceIndex
from cleanhub.core.tables import Table, check_references, read_table
from cleanhub.core.units import is_unit
from cleanhub.hub.library_schema import CODELISTS, LIBRARY_TABLES

_WORD = re.compile(r"[^\s/*()]+")
FOLDER = Path(__file__).resolve().parent.parent / "library"


@dataclass(frozen=True)
class Library:
    """The shared tables, by name, and the vocabularies.

    ``tables`` holds one frame per table of :data:`cleanhub.hub.library_schema.LIBRARY_TABLES`;
    ``codelists`` the codes of each vocabulary; ``units`` the unit strings known without
    building the unit registry.
    """

    tables: dict[str, pd.DataFrame]
    codelists: dict[str, frozenset[str]]
    units: frozenset[str]

    def __getstate__(self) -> dict[str, object]:
        """The tables and vocabularies: what was made of them is made anew after pickling."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def price_index(self) -> PriceIndex:
        """Deflator and exchange rates."""
        return PriceIndex(self.tables["price_index"])

    @cached_property
    def depreciation(self) -> dict[int, NDArray[np.float64]]:
        """Share of capital written off in each year, by recovery class in years."""
        table = self.tables["depreciation"].sort_values("year")
        return {
            int(str(years)): rows["share"].to_numpy(float)
            for years, rows in table.groupby("recovery_years", sort=True)
        }

    @cached_property
    def kept(self) -> dict[tuple[object, ...], object]:
        """What other rooms have made of this library and keep with it, by a key of their own."""
        return {}

    def meaning(self, codelist: str, code: str) -> str:
        """The meaning of a code, or the code itself when it has none."""
        frame = self.tables["codelists"]
        rows = frame[(frame["list"] == codelist) & (frame["code"] == code)]
        return str(rows["meaning"].iloc[0]) if len(rows) else code

    @cached_property
    def words(self) -> str:
        """Fingerprint of the vocabulary: code lists and units."""
        return fingerprint(self.codelists, self.units)

    def unit_ok(self, text: str) -> bool:
        """Whether ``text`` is a unit of the vocabulary; see :func:`unit_check`."""
        return self._unit_check(text)

    @cached_property
    def _unit_check(self) -> Callable[[str], bool]:
        return unit_check(self.units)


@cache
def load_library() -> Library:
    """The bundled library. Raises :class:`~cleanhub.core.errors.InputError` when it has faults."""

    def read() -> tuple[dict[str, pd.DataFrame], dict[str, frozenset[str]], frozenset[str]]:
        library = read_library(FOLDER)
        return library.tables, library.codelists, library.units

    return Library(*remembered("library", (library_hashes(),), read))


@cache
def library_hashes() -> dict[str, str]:
    """Hash of every table of the bundled library, by file."""
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(FOLDER.glob("*.csv"))}


def read_library(folder: Path) -> Library:
    """Read and check the library tables in ``folder``; all faults are raised as one error."""
    faults = FaultList()
    units = frozenset(_unit_lines(folder / "units.csv"))
    codes_frame = read_table(folder / CODELISTS.file, CODELISTS, faults, {}, unit_check(units))
    codelists = {str(name): frozenset(rows["code"]) for name, rows in codes_frame.groupby("list", sort=True)}
    tables = {"codelists": codes_frame}
    library = Library(tables, codelists, units)
    for name, table in LIBRARY_TABLES.items():
        if name != "codelists":
            tables[name] = read_known(folder / table.file, table, faults, library)
        if name == "technologies":
            codes = {**codelists, "technology": frozenset(tables[name]["technology"])}
            library = Library(tables, codes, units)
    targets = reference_targets(tables)
    check_references(tables, LIBRARY_TABLES, targets, faults)
    _check_ranges(tables["technology_parameters"], faults)
    faults.raise_if_any(f"library {folder.name}")
    return library


class _FaultyError(Exception):
    """A table with faults or notes: it is used as it is and not remembered."""


def read_known(path: Path, table: Table, faults: FaultList, library: Library) -> pd.DataFrame:
    """A table in the vocabulary of ``library``, as :func:`~cleanhub.core.tables.read_table` reads it.

    One without faults and notes is remembered.
    """
    own = FaultList()
    read: list[pd.DataFrame] = []

    def make() -> pd.DataFrame:
        read.append(read_table(path, table, own, library.codelists, library.unit_ok))
        if own.faults or own.notes:
            raise _FaultyError
        return read[0]

    try:
        digest = sha256(path.read_bytes()).hexdigest()
        return remembered("table", (table.name, path.name, digest, library.words), make)
    except (OSError, _FaultyError):
        frame = read[0] if read else read_table(path, table, own, library.codelists, library.unit_ok)
    faults.faults += own.faults
    faults.notes += own.notes
    return frame


def unit_check(units: frozenset[str]) -> Callable[[str], bool]:
    """A check that knows a unit when it is listed, or is built from the words of listed units.

    The registry alone would take a typing error for a unit (``t/yt`` is tonnes per
    yoctotonne); a unit built from known words is put to it only when it is not listed.
    """
    words = frozenset(word for unit in units for word in _WORD.findall(unit))

    def check(text: str) -> bool:
        if text in units:
            return True
        return "//" not in text and words.issuperset(_WORD.findall(text)) and is_unit(text)

    return check


def reference_targets(tables: dict[str, pd.DataFrame]) -> dict[str, frozenset[str]]:
    """The values of every column that another column may refer to."""
    wanted = (
        ("sources", "source_id"),
        ("technologies", "technology"),
        ("policies", "policy"),
        ("facilities", "asset_id"),
        ("projects", "project_id"),
        ("drivers", "driver"),
        ("components", "component"),
        ("markets", "market"),
        ("markets", "region"),
    )
    return {
        f"{table}.{column}": frozenset(tables[table][column]) for table, column in wanted if table in tables
    }


def _check_ranges(frame: pd.DataFrame, faults: FaultList) -> None:
    wrong = (frame["low"] > frame["value"]) | (frame["value"] > frame["high"])
    for line, row in frame[wrong].iterrows():
        faults.add(
            "technology_parameters.csv",
            int(str(line)),
            "low+value+high",
            what="range does not hold its value",
            found=f"{row['low']}, {row['value']}, {row['high']}",
            allowed="low <= value <= high",
        )


def _unit_lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines()[1:] if line.strip()]
