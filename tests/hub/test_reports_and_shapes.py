"""Reports stand once per site and year, the base year has an inventory, shapes are shapes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cleanhub.hub.new import new_hub
from cleanhub.hub.package import check_hub


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_hub("small", tmp_path)


def whats(folder: Path) -> list[str]:
    return [f"{fault.file}: {fault.what}" for fault in check_hub(folder).faults]


def test_a_second_report_of_a_site_and_year_is_a_duplicate(folder: Path) -> None:
    path = folder / "facility_emissions.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines, lines[-1]]) + "\n", encoding="utf-8")
    assert whats(folder) == ["facility_emissions.csv: duplicate asset_id + year"]


def test_the_base_year_must_have_an_inventory(folder: Path) -> None:
    path = folder / "datapackage.json"
    meta = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**meta, "base_year": 1990}), encoding="utf-8")
    assert whats(folder) == ["datapackage.json: no inventory for this year"]


@pytest.mark.parametrize("box", [[0, 0, 1, True], [0, 0, 1, float("nan")], [0, 0, 1], "everywhere"])
def test_a_box_is_four_finite_numbers(folder: Path, box: object) -> None:
    path = folder / "datapackage.json"
    meta = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**meta, "bbox": box}), encoding="utf-8")
    assert whats(folder) == ["datapackage.json: not a box"]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"features": 3}', '{"features": [{"properties": {}, "geometry": null}]}']
)
def test_shapes_must_be_counties(folder: Path, text: str) -> None:
    (folder / "counties.geojson").write_text(text, encoding="utf-8")
    assert whats(folder) == ["counties.geojson: not a GeoJSON collection of counties"]


def test_a_county_needs_a_name(folder: Path) -> None:
    shape = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    feature = {"type": "Feature", "properties": {"county": ""}, "geometry": shape}
    text = json.dumps({"type": "FeatureCollection", "features": [feature]})
    (folder / "counties.geojson").write_text(text, encoding="utf-8")
    assert whats(folder) == ["counties.geojson: a county without name or shape"]
