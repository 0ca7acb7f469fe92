"""Reading a case: archetypes beneath it, units, and every fault of a file at once with its line."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_case import small_case, small_data

from cleanhub.core.errors import Fault, InputError
from cleanhub.finance.case_mending import is_within, mended
from cleanhub.finance.cases import case_of, list_archetypes, load_archetype, read_case
from cleanhub.hub.library import Library

GOOD = """\
name: good
title: A good case
project: {sector: hydrogen, jurisdictions: [US, US-CA], in_service: 2030-01-01}
production:
  product: hydrogen
  unit: kg
  capacity: {value: 20000, unit: t/yr}
  utilisation: {value: 0.9, low: 0.75, high: 0.95}
  life: 20
capital:
  cost: {value: 240, unit: MUSD, currency_year: 2012, low: 200, high: 400}
  spending: [0.5, 0.5]
inputs:
  biomass: {use: {value: 13.49, unit: kg/kg}, price: {value: 60, unit: USD/t}}
costs: {operation: {fixed: 11.5e6}}
revenue:
  offtake:
    price: {value: 4.5, unit: USD/kg}
    share: 0.7
debt:
  rate: 0.07
returns:
  equity: 0.12
"""


def _read(text: str, folder: Path, library: Library) -> Any:
    path = folder / "case.yaml"
    path.write_text(text, encoding="utf-8")
    return read_case(path, library)


def _faults(text: str, folder: Path, library: Library) -> list[Fault]:
    with pytest.raises(InputError) as caught:
        _read(text, folder, library)
    assert caught.value.exit_code == 2
    assert all(fault.file == "case.yaml" for fault in caught.value.faults)
    return list(caught.value.faults)


def _line(text: str, part: str) -> int:
    [line] = [number for number, row in enumerate(text.splitlines(), 1) if part in row]
    return line


# ---------------------------------------------------------------- a good case


def test_a_case_is_read_into_the_units_of_its_fields(tmp_path: Path, library: Library) -> None:
    loaded = _read(GOOD, tmp_path, library)
    assert float(loaded.values("production.capacity")) == pytest.approx(2e7)
    assert loaded.figures["production.capacity"].unit == "kg/yr"
    assert float(loaded.values("inputs.biomass.use")) == pytest.approx(0.01349)  # t per kg, as it is priced
    assert loaded.figures["inputs.biomass.use"].unit == "t/kg"
    deflated = 240e6 * library.price_index.to_dollars("USD", 2012, 2024)
    assert float(loaded.values("capital.cost")) == pytest.approx(deflated)
    assert loaded.unit == "kg"
    assert loaded.unit_of("product") == "kg"
    assert loaded.confidence("capital.cost") == "assumed"
    assert loaded.from_archetype == ()


def test_the_same_case_has_the_same_name_and_another_has_not(tmp_path: Path, library: Library) -> None:
    first, again = (_read(GOOD, tmp_path, library).id for _ in range(2))
    other = _read(GOOD.replace("0.12", "0.13"), tmp_path, library).id
    assert first == again != other


def test_defaults_fill_what_is_not_stated(library: Library) -> None:
    loaded = small_case(library)
    assert float(loaded.values("debt.rate")) == 0.07
    assert loaded.case.tax.federal_class == 7
    assert loaded.case.reserves.maintenance_years == 0


# ---------------------------------------------------------------- archetypes beneath


def test_a_case_keeps_the_rest_of_its_archetype(tmp_path: Path, library: Library) -> None:
    base = load_archetype("electrolysis", library)
    text = "name: mine\ntitle: Mine\nbased_on: electrolysis\nreturns: {equity: 0.17}\n"
    loaded = _read(text, tmp_path, library)
    assert float(loaded.values("returns.equity")) == 0.17
    for path in ("capital.cost", "production.capacity"):
        assert float(loaded.values(path)) == float(base.values(path))
        assert path in loaded.from_archetype
    assert "returns.equity" not in loaded.from_archetype
    assert loaded.case.name == "mine"
    assert loaded.case.based_on == "electrolysis"


def test_a_figure_repeated_as_it_stands_in_the_archetype_is_the_archetypes(
    tmp_path: Path, library: Library
) -> None:
    base = load_archetype("electrolysis", library).data["production"]["capacity"]
    text = "name: mine\ntitle: Mine\nbased_on: electrolysis\nproduction: {{capacity: {}}}\n"
    assert "production.capacity" in _read(text.format(json.dumps(base)), tmp_path, library).from_archetype
    other = json.dumps(base | {"source": "our own"})
    assert "production.capacity" not in _read(text.format(other), tmp_path, library).from_archetype


def test_an_entry_of_the_archetype_may_be_dropped(tmp_path: Path, library: Library) -> None:
    base = load_archetype("electrolysis", library)
    dropped = next(iter(base.case.costs))
    text = f"name: mine\ntitle: Mine\nbased_on: electrolysis\ncosts: {{{dropped}: null}}\n"
    loaded = _read(text, tmp_path, library)
    assert dropped not in loaded.case.costs
    assert set(loaded.case.costs) == set(base.case.costs) - {dropped}


def test_an_unknown_archetype_is_listed_with_everything_else(tmp_path: Path, library: Library) -> None:
    text = "name: mine\ntitle: Mine\nbased_on: no-such-plant\ndebt: {ratte: 0.1}\n"
    unknown, key = sorted(_faults(text, tmp_path, library), key=lambda fault: fault.row or 0)
    assert (unknown.row, unknown.column, unknown.found) == (3, "based_on", "no-such-plant")
    assert unknown.allowed == ", ".join(list_archetypes())
    assert (key.row, key.what) == (4, "unknown key")


def test_load_archetype_names_what_there_is(library: Library) -> None:
    with pytest.raises(InputError, match="electrolysis"):
        load_archetype("no-such-plant", library)


# ---------------------------------------------------------------- faults, one by one

# what stands in the good case, what is put in its place, path of the fault, a word of what is allowed
WRONG = [
    ("rate: 0.07", "rate: 1.5", "debt.rate", "0 to 0.5"),
    ("rate: 0.07", "rate: {value: 150, unit: '%/yr'}", "debt.rate", "0 to 0.5"),
    ("rate: 0.07", "rate: true", "debt.rate", "a number"),
    ("rate: 0.07", "rate: '0.07'", "debt.rate", "a number"),
    ("rate: 0.07", "rates: 0.07", "debt.rates", "cover_ratio"),
    ("life: 20", "life: -5", "production.life", "1"),
    ("life: 20", "life: 20.5", "production.life", "integer"),
    ("life: 20", "life: true", "production.life", "integer"),
    ("price: {value: 4.5, unit: USD/kg}", "first_year: 2", "revenue.offtake.price", "required"),
    ("value: 4.5, unit: USD/kg", "value: 4.5, unit: USD/MWh", "revenue.offtake.price", "cannot convert"),
    ("value: 4.5, unit: USD/kg", "value: .nan, unit: USD/kg", "revenue.offtake.price.value", "finite"),
    ("value: 4.5, unit: USD/kg", "value: true, unit: USD/kg", "revenue.offtake.price.value", "number"),
    ("value: 4.5, unit: USD/kg", "value: -4.5, unit: USD/kg", "revenue.offtake.price", "from 0"),
    ("low: 0.75", "low: 0.93", "production.utilisation", "low <= value <= high"),
    ("high: 0.95", "high: 1.95", "production.utilisation", "from 0 to 1"),
    ("[0.5, 0.5]", "[0.5, 0.4]", "capital", "adds up to 1"),
    ("[0.5, 0.5]", "[1.5, -0.5]", "capital.spending.0", "1"),
    ("unit: t/yr", "unit: MWh/yr", "production.capacity", "cannot convert"),
    ("value: 20000", "value: 0", "production.capacity", "more than 0"),
    ("unit: kg\n", "unit: bushels-of-hay\n", "production.unit", "a unit"),
    ("product: hydrogen", "product: unobtainium", "production.product", "hydrogen"),
    ("sector: hydrogen", "sector: alchemy", "project.sector", "cement"),
    ("2030-01-01", "soon", "project.in_service", "date"),
    ("share: 0.7", "share: 0.7\n    quantity: steam", "revenue.offtake.price", "product"),
    ("share: 0.7", "share: 0.7\n    first_year: 9\n    last_year: 3", "revenue.offtake", "first_year"),
    ("fixed: 11.5e6", "fixd: 11.5e6", "costs.operation.fixd", "fixed"),
    ("fixed: 11.5e6", "escalation: 0.01", "costs.operation", "fixed"),
    ("currency_year: 2012", "currency_year: 1912", "capital.cost.currency_year", "1970"),
    ("price: {value: 60, unit: USD/t}", "price: 60", "inputs.biomass.use", "a price with a unit"),
    ("name: good", "name: 'two words'", "name", "pattern"),
    ("title: A good case\n", "", "title", "required"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "path", "allowed"), WRONG)
def test_each_fault_is_found_where_it_is(
    good: str, bad: str, path: str, allowed: str, tmp_path: Path, library: Library
) -> None:
    assert GOOD.count(good) == 1
    text = GOOD.replace(good, bad)
    faults = _faults(text, tmp_path, library)
    mine = [fault for fault in faults if fault.column == path]
    assert mine, [fault.line() for fault in faults]
    assert allowed in mine[0].allowed, mine[0].line()
    if bad:  # the line of the key, or of the nearest one around it
        start = GOOD[: GOOD.index(good)].count("\n") + 1
        assert mine[0].row is not None
        assert start - 2 <= mine[0].row <= start + bad.count("\n"), mine[0].line()
    assert "\n" not in mine[0].line()


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"debt": {"kind": "mini_perm"}}, "debt.amortisation"),
        ({"production": {"ramp_up": [0.5] * 11}}, "production.ramp_up"),
        ({"project": {"construction_begins": dt.date(2031, 1, 1)}}, "project.construction_begins"),
        ({"tax": {"federal_class": 8}}, "tax.federal_class"),
        ({"support": {"grants": {"g": {}}}}, "support.grants.g"),
        ({"support": {"loans": {"l": {"amount": 1.0, "share": 0.1}}}}, "support.loans.l"),
        ({"lender": {"bad_ends": ["capital.colour"]}}, "lender.bad_ends"),
        (
            {"correlations": [{"between": ["capital.cost", "nothing"], "value": 0.5}]},
            "correlations.0.between",
        ),
        ({"capital": {"cost_growth": 1.2, "pioneer": {
            "unproven_share": 1.0, "complexity": 2.0, "project_definition": 3.0}}}, "capital"),
        ({"revenue": {"more": {"price": {"value": 1.0, "unit": "USD/t"}, "share": 0.5}}}, "revenue"),
    ],
)  # fmt: skip
def test_what_contradicts_itself(changes: dict[str, Any], path: str, library: Library) -> None:
    with pytest.raises(InputError) as caught:
        case_of(small_data(changes), library)
    assert path in [fault.column for fault in caught.value.faults], caught.value.message()


# ---------------------------------------------------------------- all at once


def test_all_faults_come_at_once_with_their_lines(tmp_path: Path, library: Library) -> None:
    text = GOOD
    changes = (
        ("rate: 0.07", "rate: 1.5"),
        ("equity: 0.12", "equity: {value: 150, unit: '%/yr'}"),
        ("life: 20", "life: -5"),
        ("    price: {value: 4.5, unit: USD/kg}\n", ""),
        ("value: 240", "value: .nan"),
        ("[0.5, 0.5]", "[0.5, 0.4]"),
        ("low: 0.75", "low: 0.93"),
        ("fixed: 11.5e6", "fixd: 11.5e6"),
        ("unit: t/yr", "unit: MWh/yr"),
        ("price: {value: 60, unit: USD/t}", "price: {value: true, unit: USD/t}"),
    )
    for good, bad in changes:
        assert text.count(good) == 1
        text = text.replace(good, bad)
    faults = _faults(text, tmp_path, library)
    found = {fault.column: fault.row for fault in faults}
    assert found == {
        "debt.rate": _line(text, "rate: 1.5"),
        "returns.equity": _line(text, "150"),
        "production.life": _line(text, "life"),
        "revenue.offtake.price": _line(text, "offtake:"),
        "capital.cost.value": _line(text, ".nan"),
        "capital": _line(text, "capital:"),
        "production.utilisation": _line(text, "0.93"),
        "costs.operation.fixd": _line(text, "fixd"),
        "production.capacity": _line(text, "MWh/yr"),
        "inputs.biomass.price.value": _line(text, "biomass"),
    }
    assert len(faults) == len(changes)


def test_a_file_that_is_no_case_at_all(tmp_path: Path, library: Library) -> None:
    for text in ("- a\n- b\n", "name: [", "just words", ""):
        faults = _faults(text, tmp_path, library)
        assert len(faults) == 1
    sections = {fault.column for fault in _faults("name: x\ntitle: y\n", tmp_path, library)}
    assert sections == {"project", "production", "capital"}
    with pytest.raises(InputError, match="cannot be read"):
        read_case(tmp_path / "nowhere.yaml", library)


# ---------------------------------------------------------------- reading past faults


def test_mending_takes_out_no_more_than_it_must() -> None:
    data = small_data({"debt": {"rate": 9.0, "fee": 0.01}, "revenue": {"spot": {"share": 0.1}}})
    found, touched = mended(
        data, [("debt", "rate"), ("revenue", "spot", "price"), ("capital", "cost", "value")]
    )
    assert found is not None
    assert found["debt"] == {"kind": "none", "fee": 0.01}
    assert set(found["revenue"]) == {"offtake"}
    assert found["capital"]["cost"] == 1.0  # required: a stand-in
    assert touched == {("debt", "rate"), ("revenue", "spot"), ("capital", "cost")}
    assert data["debt"]["rate"] == 9.0  # the data itself stay as they were


@pytest.mark.parametrize("place", [("production",), ("project",), ("production", "unit")])
def test_what_everything_hangs_on_cannot_be_mended(place: tuple[str, ...]) -> None:
    assert mended(small_data(), [place])[0] is None


def test_within() -> None:
    places = {("revenue", "spot"), ("debt",)}
    assert is_within("revenue.spot.price", places)
    assert is_within("debt", places)
    assert not is_within("revenue.spotted", places)
    assert not is_within("", places)


def test_the_command_lists_every_fault_and_exits_with_2(tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(GOOD.replace("rate: 0.07", "rate: 1.5").replace("life: 20", "life: -5"), encoding="utf-8")
    found = subprocess.run(
        [sys.executable, "-m", "cleanhub", "finance", str(path)], capture_output=True, text=True, check=False
    )
    assert found.returncode == 2
    assert "Traceback" not in found.stderr
    assert f"row {_line(GOOD, 'rate: 0.07')}, column debt.rate" in found.stderr
    assert f"row {_line(GOOD, 'life: 20')}, column production.life" in found.stderr
