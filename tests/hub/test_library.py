"""The library that hubs share: complete, consistent, and light on copyleft figures."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from cleanhub.core.errors import InputError
from cleanhub.core.tables import Table
from cleanhub.core.units import is_unit
from cleanhub.hub.library import FOLDER, load_library, read_library
from cleanhub.hub.library_schema import LIBRARY_TABLES
from cleanhub.hub.package import list_hubs, load_hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.schema import PACKAGE_TABLES

MOST_COPYLEFT_ROWS = 20
EVERY_TABLE = [*PACKAGE_TABLES.values(), *LIBRARY_TABLES.values(), *PLAN_TABLES.values()]


@pytest.fixture
def library_copy(tmp_path: Path) -> Path:
    return shutil.copytree(FOLDER, tmp_path / "library")


def test_the_library_loads() -> None:
    library = load_library()
    assert set(library.tables) == set(LIBRARY_TABLES)
    assert all(len(frame) for frame in library.tables.values())


def test_every_code_stands_once_with_a_meaning() -> None:
    frame = load_library().tables["codelists"]
    assert not frame.duplicated(["list", "code"]).any()
    assert (frame["meaning"] != "").all()


def test_codes_are_plain_words() -> None:
    codes = load_library().tables["codelists"]["code"]
    odd = [code for code in codes if not re.fullmatch(r"[A-Za-z0-9_.-]+", code)]
    assert odd == []


def test_the_meaning_of_a_code() -> None:
    library = load_library()
    assert "crude oil" in library.meaning("sector", "refining")
    assert library.meaning("sector", "nothing_such") == "nothing_such"


@pytest.mark.parametrize("table", EVERY_TABLE, ids=lambda table: table.name)
def test_every_codelist_that_a_column_names_exists(table: Table) -> None:
    known = load_library().codelists
    assert [column.name for column in table.columns if column.codes and column.codes not in known] == []


@pytest.mark.parametrize("table", EVERY_TABLE, ids=lambda table: table.name)
def test_every_table_and_column_is_described_once(table: Table) -> None:
    assert table.description
    assert all(column.description for column in table.columns)
    assert len(set(table.names)) == len(table.names)
    assert set(table.key) <= set(table.names)


def test_every_unit_of_the_list_is_a_unit() -> None:
    units = load_library().units
    assert len(units) > 80
    assert sorted(unit for unit in units if not is_unit(unit)) == []


def test_confidence_words_are_in_the_order_that_the_code_ranks() -> None:
    assert load_library().codelists["confidence"] == {"seen", "derived", "recalled", "assumed"}


def copyleft_rows(tables: dict[str, pd.DataFrame], sources: pd.DataFrame) -> dict[str, int]:
    copyleft = set(sources.loc[sources["read_through_copyleft"].fillna(False).astype(bool), "source_id"])
    assert copyleft, "the test would count nothing"
    return {
        name: int(frame["source_id"].isin(copyleft).sum())
        for name, frame in tables.items()
        if name != "sources" and "source_id" in frame
    }


def test_few_rows_of_the_library_were_read_through_copyleft() -> None:
    library = load_library()
    counts = copyleft_rows(library.tables, library.tables["sources"])
    assert {name: count for name, count in counts.items() if count > MOST_COPYLEFT_ROWS} == {}


@pytest.mark.parametrize("name", list_hubs())
def test_few_rows_of_a_hub_were_read_through_copyleft(name: str) -> None:
    hub = load_hub(name)
    counts = copyleft_rows(hub.tables, hub.sources())
    assert {table: count for table, count in counts.items() if count > MOST_COPYLEFT_ROWS} == {}


# ---------------------------------------------------------------- faults


def lines(folder: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_library(folder)
    return [fault.line() for fault in caught.value.faults]


def test_all_faults_of_a_library_are_one_error(library_copy: Path) -> None:
    technologies = library_copy / "technologies.csv"
    text = technologies.read_text(encoding="utf-8").replace("cement_dry_kiln,Dry kiln,cement", "x,y,cemnt", 1)
    technologies.write_text(text, encoding="utf-8")
    found = lines(library_copy)
    assert any("technologies.csv, row 2, column sector: unknown sector; found cemnt" in one for one in found)
    assert any(one.startswith("switches.csv") and "not in technologies.csv" in one for one in found)


def test_a_range_must_hold_its_value(library_copy: Path) -> None:
    path = library_copy / "technology_parameters.csv"
    head, first, *rest = path.read_text(encoding="utf-8").splitlines()
    first = first.replace(",,,65.48,,", ",,70,65.48,80,")
    path.write_text("\n".join([head, first, *rest]), encoding="utf-8")
    (line,) = lines(library_copy)
    assert line.startswith("technology_parameters.csv, row 2, column low+value+high: range does not hold")
    assert "found 70.0, 65.48, 80.0; allowed low <= value <= high" in line


@pytest.mark.parametrize("file", ["codelists.csv", "sources.csv", "technologies.csv"])
def test_a_missing_library_file_is_an_input_error(library_copy: Path, file: str) -> None:
    (library_copy / file).unlink()
    assert any(one.startswith(f"{file}: cannot be read") for one in lines(library_copy))
