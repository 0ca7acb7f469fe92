"""Hub packages: found, loaded, checked; what is wrong with one is told, whatever it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cleanhub.core.errors import InputError
from cleanhub.core.tables import data_package_schema
from cleanhub.hub.package import BUNDLED, Hub, check_hub, find_hub, list_hubs, load_hub
from cleanhub.hub.schema import PACKAGE_TABLES

Edit = Callable[..., None]
Faults = Callable[[Path], list[str]]
Write = Callable[[Path, str, list[dict[str, Any]]], None]


# ---------------------------------------------------------------- the bundled hubs


def test_california_is_bundled() -> None:
    assert "california" in list_hubs()


@pytest.mark.parametrize("name", list_hubs())
def test_every_bundled_hub_has_no_fault(name: str) -> None:
    assert [fault.line() for fault in check_hub(name).faults] == []


@pytest.mark.parametrize("name", list_hubs())
def test_every_row_names_a_source_that_exists(name: str) -> None:
    hub = load_hub(name)
    known = set(hub.sources()["source_id"])
    for table, frame in hub.tables.items():
        if "source_id" in frame:
            assert set(frame["source_id"]) <= known, table


@pytest.mark.parametrize("name", list_hubs())
def test_the_package_describes_the_tables_as_the_code_declares_them(name: str) -> None:
    meta = json.loads((BUNDLED / name / "datapackage.json").read_text(encoding="utf-8"))
    by_path = {resource["path"]: resource for resource in meta["resources"]}
    for table in PACKAGE_TABLES.values():
        if table.optional and not (BUNDLED / name / table.file).exists():
            assert table.file not in by_path
            continue
        assert by_path[table.file]["name"] == table.name
        assert by_path[table.file]["schema"] == json.loads(json.dumps(data_package_schema(table))), table.name


@pytest.mark.parametrize("name", list_hubs())
def test_every_file_of_a_package_is_described(name: str) -> None:
    folder = BUNDLED / name
    meta = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    on_disk = {path.name for path in folder.iterdir() if path.is_file()} - {"datapackage.json"}
    assert {resource["path"] for resource in meta["resources"]} >= on_disk


def test_site_columns_come_first_and_in_the_promised_order() -> None:
    assert PACKAGE_TABLES["facilities"].names[:5] == ["asset_id", "name", "lat", "lon", "sector"]


def test_every_column_elsewhere_that_names_a_site_may_be_empty() -> None:
    for name, table in PACKAGE_TABLES.items():
        for column in table.columns:
            if column.refers == "facilities.asset_id":
                assert column.name == "asset_id", name
                assert column.blank, name


def test_a_hub_has_name_title_gwp_base_year_and_shapes(california: Hub) -> None:
    assert (california.name, california.gwp, california.base_year) == ("california", "AR4", 2022)
    assert "California" in california.title
    shapes = california.counties_geojson()
    assert shapes is not None
    assert len(shapes["features"]) == len(california.tables["counties"]) == 58


def test_sources_are_those_of_the_hub_before_those_of_the_library(california: Hub) -> None:
    sources = california.sources()
    assert sources["source_id"].is_unique
    assert set(california.library.tables["sources"]["source_id"]) <= set(sources["source_id"])
    own = california.tables["sources"].reset_index(drop=True)
    pd.testing.assert_frame_equal(sources.head(len(own)), own)


# ---------------------------------------------------------------- finding


@pytest.mark.parametrize("hub", ["nowhere", "", "..", "california/facilities.csv", "../library"])
def test_what_is_no_hub_is_refused_with_the_hubs_there_are(hub: str) -> None:
    with pytest.raises(InputError, match="hub not found") as caught:
        find_hub(hub)
    assert "california" in caught.value.faults[0].allowed
    assert caught.value.exit_code == 2


def test_a_hub_is_found_by_name_folder_and_descriptor(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_hub("california") == BUNDLED / "california"
    assert find_hub(tiny) == find_hub(str(tiny)) == find_hub(tiny / "datapackage.json") == tiny
    monkeypatch.chdir(tiny.parent)
    assert load_hub("tiny").name == "tiny"


def test_a_hub_copied_under_another_name_loads_the_same(california: Hub, california_copy: Path) -> None:
    copy = load_hub(california_copy)
    for name, frame in california.tables.items():
        pd.testing.assert_frame_equal(copy.tables[name], frame)


def test_an_edited_copy_is_a_valid_hub(california_copy: Path) -> None:
    path = california_copy / "facilities.csv"
    rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(rows[: len(rows) // 2]) + "\n", encoding="utf-8")
    hub = load_hub(california_copy)
    assert len(hub.tables["facilities"]) == len(rows) // 2 - 1
    assert any("not in facilities.csv" in note.what for note in hub.notes), "orphans are told, not refused"


# ---------------------------------------------------------------- bad days


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[]", "datapackage.json: not a JSON object"),
        (b"3", "datapackage.json: not a JSON object"),
        (b"{", "datapackage.json, row 1: not valid JSON"),
        (b'{\n"a": 1,\n}', "datapackage.json, row 3: not valid JSON"),
        (b"", "datapackage.json, row 1: not valid JSON"),
        (b'{"title": "Z\xfcrich"}', "datapackage.json: not valid JSON"),
        (b"{}", "datapackage.json, column base_year: missing key"),
    ],
)
def test_a_bad_descriptor_is_a_fault(tiny: Path, faults_of: Faults, data: bytes, words: str) -> None:
    (tiny / "datapackage.json").write_bytes(data)
    assert any(line.startswith(words) for line in faults_of(tiny)), faults_of(tiny)


def test_a_folder_without_descriptor_is_told_so(tiny: Path, faults_of: Faults) -> None:
    (tiny / "datapackage.json").unlink()
    assert faults_of(tiny) == ["datapackage.json: missing file; allowed a Data Package descriptor"]


def test_an_empty_folder_lists_what_a_hub_needs(tmp_path: Path, faults_of: Faults) -> None:
    needed = {"datapackage.json"} | {t.file for t in PACKAGE_TABLES.values() if not t.optional}
    assert {line.split(":")[0] for line in faults_of(tmp_path)} >= needed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"base_year": "2022"}, "column base_year: wrong type; found 2022; allowed int"),
        ({"base_year": True}, "column base_year: wrong type"),
        ({"title": 5}, "column title: wrong type"),
        ({"gwp": "AR9"}, "column gwp: unknown GWP set; found AR9; allowed SAR, AR4, AR5, AR6"),
        ({"gwp": None}, "column gwp: missing key"),
        ({"licenses": "MIT"}, "column licenses: wrong type"),
        ({"resources": 5}, "column resources: wrong type"),
        ({"bbox": [1, 2]}, "column bbox: not a box"),
        ({"bbox": "world"}, "column bbox: not a box"),
        (
            {"default_scenario": "nope"},
            "column default_scenario: no such scenario; found nope; allowed baseline",
        ),
    ],
)
def test_a_wrong_key_of_the_descriptor(
    tiny: Path, faults_of: Faults, edit_meta: Edit, change: dict[str, Any], words: str
) -> None:
    edit_meta(tiny, **change)
    (line,) = faults_of(tiny)
    assert line.startswith(f"datapackage.json, {words}")


@pytest.mark.parametrize("path", ["../secret.csv", "/etc/passwd", "a/../../b.csv", 5, None])
def test_a_package_may_not_reach_outside_itself(
    tiny: Path, faults_of: Faults, edit_meta: Edit, path: object
) -> None:
    edit_meta(tiny, resources=[{"name": "x", "path": path}])
    (line,) = faults_of(tiny)
    assert "path is not inside the package" in line


def test_a_listed_file_that_is_missing(tiny: Path, faults_of: Faults, edit_meta: Edit) -> None:
    edit_meta(tiny, resources=[{"name": "x", "path": "shapes.geojson"}])
    assert faults_of(tiny) == ["shapes.geojson: missing file; allowed the file that datapackage.json lists"]


@pytest.mark.parametrize(
    "table", [t for t in PACKAGE_TABLES.values() if not t.optional], ids=lambda t: t.name
)
def test_a_missing_table_is_one_fault_of_its_file(tiny: Path, faults_of: Faults, table: Any) -> None:
    (tiny / table.file).unlink()
    found = [line for line in faults_of(tiny) if line.startswith(table.file)]
    assert f"{table.file}: cannot be read (No such file or directory); allowed a CSV file" in found


def test_optional_tables_may_be_missing(tiny: Path, faults_of: Faults, edit_meta: Edit) -> None:
    for table in PACKAGE_TABLES.values():
        if table.optional:
            (tiny / table.file).unlink()
    edit_meta(tiny, resources=[])
    assert faults_of(tiny) == []
    assert load_hub(tiny).tables["tracts"].empty


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty file"),
        (b"\n\n\n", "empty file"),
        ("name\nZürich\n".encode("latin-1"), "not UTF-8 text"),
        (b"name\n\x00\n", "holds a NUL byte"),
        (b'county\n"open', "not CSV from here on"),
    ],
)
def test_a_table_that_is_no_csv_text(tiny: Path, faults_of: Faults, data: bytes, words: str) -> None:
    (tiny / "counties.csv").write_bytes(data)
    assert any(line.startswith("counties.csv") and words in line for line in faults_of(tiny))


def test_mixed_line_endings_load(tiny: Path, california: Hub) -> None:
    path = tiny / "drivers.csv"
    rows = path.read_bytes().split(b"\n")
    path.write_bytes(b"".join(row + (b"\r\n" if number % 2 else b"\n") for number, row in enumerate(rows)))
    assert len(load_hub(tiny).tables["drivers"]) == len(rows) - 2


# ---------------------------------------------------------------- checks between columns


def site(**change: Any) -> dict[str, Any]:
    return {
        "asset_id": "a",
        "name": "A",
        "lat": 34,
        "lon": -118,
        "sector": "cement",
        "inventory_sector": "Industry",
        **change,
    }


@pytest.mark.parametrize(
    ("lat", "lon", "what"),
    [
        (34, -118, ""),
        (-118, 34, "lat and lon are swapped"),
        (34, 118, "outside the hub"),
        (0, 0, "outside the hub"),
    ],
)
def test_coordinates_must_lie_in_the_hubs_box(
    tiny: Path, faults_of: Faults, edit_meta: Edit, write_table: Write, lat: float, lon: float, what: str
) -> None:
    edit_meta(tiny, bbox=[-125, 32, -114, 42])
    write_table(tiny, "facilities", [site(lat=lat, lon=lon)])
    box = "lat 32 to 42, lon -125 to -114 (bbox of the hub)"
    wanted = (
        [f"facilities.csv, row 2, column lat+lon: {what}; found {lat}, {lon}; allowed {box}"] if what else []
    )
    assert faults_of(tiny) == wanted


def test_a_place_inside_the_box_is_never_called_swapped(tiny: Path, faults_of: Faults) -> None:
    assert faults_of(tiny) == [], "hub new has lat and lon that would also fit the other way round"


def test_without_a_box_only_the_earth_bounds_hold(
    tiny: Path, faults_of: Faults, edit_meta: Edit, write_table: Write
) -> None:
    edit_meta(tiny, bbox=None)
    write_table(tiny, "facilities", [site(lat=34, lon=118), site(asset_id="b", lat=-118, lon=34)])
    (line,) = faults_of(tiny)
    assert line.startswith("facilities.csv, row 3, column lat: out of range (are lat and lon swapped?)")


@pytest.mark.parametrize(
    ("low", "high", "good"), [(1, 3, True), ("", "", True), (2.5, 3, False), (1, 1.5, False)]
)
def test_a_range_must_hold_its_value(
    tiny: Path, faults_of: Faults, write_table: Write, low: object, high: object, good: bool
) -> None:
    row = {"fact": "f", "low": low, "value": 2, "high": high, "unit": "t"}
    write_table(tiny, "programme_facts", [row])
    assert [line.split(":")[0] for line in faults_of(tiny)] == (
        [] if good else ["programme_facts.csv, row 2, column low+value+high"]
    )


def test_a_site_without_branch_is_a_note(tiny: Path, write_table: Write) -> None:
    write_table(tiny, "facilities", [site(lat=0.5, lon=0.5, sector="steel")])
    found = check_hub(tiny)
    assert found.faults == []
    assert any(
        "no row in branches.csv" in note.what and note.found == "Industry / steel" for note in found.notes
    )


def test_a_row_may_name_a_source_of_the_library(tiny: Path, faults_of: Faults, write_table: Write) -> None:
    row = {"fact": "f", "value": 2, "unit": "t"}
    write_table(tiny, "programme_facts", [{**row, "source_id": "cleanhub-assumption"}])
    assert faults_of(tiny) == []
    write_table(tiny, "programme_facts", [{**row, "source_id": "nobody"}])
    (line,) = faults_of(tiny)
    assert line.startswith("programme_facts.csv, row 2, column source_id: not in sources.csv; found nobody")
