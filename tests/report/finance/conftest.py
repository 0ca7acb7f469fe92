"""Valued cases, and a spreadsheet program that recalculates their workbooks."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from cleanhub.core.yaml_file import merged_mapping
from cleanhub.finance.case_value import CaseValue, value_case
from cleanhub.finance.cases import LoadedCase, case_of
from cleanhub.finance.policy_setting import setting_of
from cleanhub.hub.library import Library, load_library
from cleanhub.policy.book import PolicyBook, load_book

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""
Cells = dict[str, dict[str, tuple[Any, bool]]]
Make = Callable[..., CaseValue]


@pytest.fixture(scope="session")
def library() -> Library:
    return load_library()


@pytest.fixture(scope="session")
def book(library: Library) -> PolicyBook:
    return load_book(library)


@pytest.fixture(scope="session")
def hydrogen_plant() -> dict[str, Any]:
    """A plant that sells enough to carry debt, with contracted and merchant sales."""
    return {
        "name": "plant",
        "title": "A plant <of> its kind & more",
        "based_on": "biomass-hydrogen-storage",
        "revenue": {
            "offtake": {"price": {"value": 9.0, "low": 8.0, "high": 10.0, "unit": "USD/kg"}},
            "merchant": {"price": {"value": 6.0, "low": 5.0, "high": 8.0, "unit": "USD/kg"}},
            "after_contract": {"price": {"value": 7.0, "unit": "USD/kg"}},
        },
    }


@pytest.fixture(scope="session")
def make_case(library: Library, hydrogen_plant: dict[str, Any]) -> Callable[..., LoadedCase]:
    """Lays changes on the plant, or on nothing but the archetype that they name."""

    def make(changes: Mapping[str, Any] | None = None) -> LoadedCase:
        changes = dict(changes or {})
        return case_of(changes if "based_on" in changes else merged_mapping(hydrogen_plant, changes), library)

    return make


@pytest.fixture(scope="session")
def make(make_case: Callable[..., LoadedCase], book: PolicyBook) -> Make:
    """Values a case under the library's policies."""

    def value(changes: Mapping[str, Any] | None = None) -> CaseValue:
        loaded = make_case(changes)
        return value_case(loaded, setting_of(loaded, book))

    return value


@pytest.fixture(scope="session")
def plant(make: Make) -> CaseValue:
    return make()


# ---------------------------------------------------------------- workbooks


def cells_of(path: Path) -> Cells:
    """Cells by sheet and place: the value, and whether it is a formula."""
    found: Cells = {}
    with zipfile.ZipFile(path) as package:
        strings: list[str] = []
        if "xl/sharedStrings.xml" in package.namelist():
            items = ET.fromstring(package.read("xl/sharedStrings.xml"))
            strings += ["".join(part.text or "" for part in item.iter(f"{MAIN}t")) for item in items]
        for name, part in sheets_of(package).items():
            cells = found.setdefault(name, {})
            for cell in ET.fromstring(package.read(part)).iter(f"{MAIN}c"):
                value, kind = cell.find(f"{MAIN}v"), cell.get("t")
                text = value.text if value is not None else None
                shown: Any = text
                if text is not None and kind == "s":
                    shown = strings[int(text)]
                elif text is not None and kind in (None, "n"):
                    shown = float(text)
                cells[str(cell.get("r"))] = (shown, cell.find(f"{MAIN}f") is not None)
    return found


def sheets_of(package: zipfile.ZipFile) -> dict[str, str]:
    """File within the package of each sheet."""
    files = {
        one.get("Id"): str(one.get("Target"))
        for one in ET.fromstring(package.read("xl/_rels/workbook.xml.rels"))
    }
    return {
        str(one.get("name")): "xl/" + files[one.get(RELATION)].lstrip("/").removeprefix("xl/")
        for one in ET.fromstring(package.read("xl/workbook.xml")).iter(f"{MAIN}sheet")
    }


def inputs_at(cells: Cells) -> dict[str, int]:
    """Row of each path of the sheet Inputs."""
    return {
        str(value): int(place[1:])
        for place, (value, _) in cells["Inputs"].items()
        if re.fullmatch(r"A\d+", place) and value
    }


def edited(path: Path, target: Path, changes: Mapping[str, float]) -> Path:
    """A copy in which the sponsor's cells of these inputs hold other numbers, and nothing else changed."""
    rows = inputs_at(cells_of(path))
    with zipfile.ZipFile(path) as package, zipfile.ZipFile(target, "w") as copy:
        inputs = sheets_of(package)["Inputs"]
        for name in package.namelist():
            content = package.read(name)
            if name == inputs:
                text = content.decode()
                for place, number in changes.items():
                    pattern = rf'(<c r="C{rows[place]}"[^>]*>)<v>[^<]*</v>'
                    text, count = re.subn(pattern, rf"\g<1><v>{number!r}</v>", text)
                    assert count == 1, place
                content = text.encode()
            copy.writestr(name, content)
    return target


@pytest.fixture(scope="session")
def recalculated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Sequence[Path]], list[Cells]]:
    """Opens workbooks in LibreOffice, which calculates every cell anew, and gives their cells."""
    if SOFFICE is None:
        pytest.skip("no LibreOffice on this machine: workbooks cannot be recalculated")
    profile = tmp_path_factory.mktemp("office")
    (profile / "user").mkdir()
    (profile / "user" / "registrymodifications.xcu").write_text(ALWAYS, encoding="utf-8")

    def calculate(paths: Sequence[Path]) -> list[Cells]:
        target = tmp_path_factory.mktemp("calculated")
        command = [SOFFICE, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to"]
        command += ["xlsx:Calc MS Excel 2007 XML", "--outdir", str(target), *map(str, paths)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        return [cells_of(target / path.name) for path in paths]

    return calculate


@pytest.fixture(scope="session")
def read_cells() -> Callable[[Path], Cells]:
    return cells_of


@pytest.fixture(scope="session")
def edit_inputs() -> Callable[[Path, Path, Mapping[str, float]], Path]:
    return edited
