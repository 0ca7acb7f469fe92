"""What the columns and cells of a table are taken for: names, units, numbers, dates, what they cannot be."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable

import pytest
import xlsxwriter

from cleanhub.core.errors import FaultList, InputError
from cleanhub.hub.library import load_library
from cleanhub.register.import_columns import IMPORTED, SPELLINGS, infer_columns, plain_unit
from cleanhub.register.models import KINDS
from cleanhub.register.sheets import Sheet
from cleanhub.register.store import Register
from cleanhub.register.table_export import table_template

from .tables import GOOD, book, brought, what

# ---------------------------------------------------------------- columns and units


def test_columns_in_any_order_and_case_with_synonyms_and_units(
    own: Register, read: Callable[..., Sheet]
) -> None:
    sheet = read(
        'COD,PROJECT NAME,Industry,Status,Role,Comments,"Capex, million USD (2024)",Capacity (ktpa),'
        "Emissions reduction [MtCO2e/yr],Longitude,Latitude,Private,Developer(s),Gates\n"
        '2031-05-01,Kiln,Cement,Under Construction,abates,hello,"1,250.5",120,0.4,-118.5,34.5,No,Acme,'
        '"Site, Permits"\n'
    )
    result = brought(own, sheet)
    result.raise_if_any()
    found = own.get("project", "california:kiln")
    wanted = {
        "online_year": 2031,
        "sector": "cement",
        "stage": "construction",
        "capex_usd": 1_250_500_000,
        "capex_year": 2024,
        "capacity": 120,
        "capacity_unit": "kt/yr",
        "co2e_t_per_year": 400_000,
        "lat": 34.5,
        "lon": -118.5,
        "private": False,
        "note": "hello",
        "gates_done": "site;permit",
    }
    assert {name: found[name] for name in wanted} == wanted
    lines = result.columns.lines()
    assert "Emissions reduction [MtCO2e/yr] -> co2e_t_per_year, in MtCO2e/yr, times 1e+06" in lines
    assert "capacity_unit = kt/yr where a row says nothing" in lines


@pytest.mark.parametrize(
    ("text", "unit", "times", "year"),
    [
        ("t/yr", "t/yr", 1, ""),
        ("tpa", "t/yr", 1, ""),
        ("ktpa", "kt/yr", 1, ""),
        ("tonnes per year", "t/yr", 1, ""),
        ("metric tons/year", "t/yr", 1, ""),
        ("million tonnes per annum", "Mt/yr", 1, ""),
        ("MtCO2e/yr", "Mt/yr", 1, ""),
        ("kt CO2/y", "kt/yr", 1, ""),
        ("Mt CO2e/yr", "Mt CO2e/yr", 1, ""),
        ("t p.a.", "t/yr", 1, ""),
        ("million gallons per year", "Mgal/yr", 1, ""),
        ("MW", "MW", 1, ""),
        ("$", "USD", 1, ""),
        ("$M", "USD", 1e6, ""),
        ("million USD", "USD", 1e6, ""),
        ("US$ bn", "USD", 1e9, ""),
        ("2024 USD million", "USD", 1e6, "2024"),
        ("million USD, 2022", "USD", 1e6, "2022"),
        ("MT/yr", "", 1, ""),  # a tonne, or a million of them
        ("tons/yr", "", 1, ""),  # short or long
        ("EUR million", "", 1, ""),
        ("furlongs", "", 1, ""),
    ],
)
def test_units_as_people_write_them(text: str, unit: str, times: float, year: str) -> None:
    assert plain_unit(text, load_library()) == (unit, times, year)


@pytest.mark.parametrize(
    ("header", "what_"),
    [
        ("Capacity (furlongs)", "unknown unit"),
        ("Capex (MW)", "not a unit of USD"),
        ("Abatement (Mt CO2e)", "not a unit of t CO2e/yr"),
    ],
)
def test_a_unit_that_cannot_be_is_one_fault_at_the_header(
    own: Register, read: Callable[..., Sheet], header: str, what_: str
) -> None:
    rows = "".join(f"P-{n},One,cement,feed,abates,{n}\n" for n in range(5))
    result = brought(own, read(GOOD.strip() + f",{header}\n{rows}"))
    assert what(result) == [(1, header, what_)]


def test_technologies_in_words_are_what_was_published(own: Register, read: Callable[..., Sheet]) -> None:
    head = GOOD.strip() + ",Technology\n"
    result = brought(own, read(head + "A,One,cement,feed,abates,a better kiln\n"))
    result.raise_if_any()
    assert own.get("project", "california:A")["technology_text"] == "a better kiln"
    code = sorted(load_library().codelists["technology"])[0]
    brought(own, read(head + f"B,Two,cement,feed,abates,{code}\n")).raise_if_any()
    assert own.get("project", "california:B")["technology"] == code


def test_a_user_may_say_which_column_it_is(own: Register, read: Callable[..., Sheet]) -> None:
    sheet = read("a,b,c,d,e\nA,One,cement,feed,abates\n")
    said = {"project_id": "a", "name": "b", "sector": "c", "stage": "d", "role": "e"}
    brought(own, sheet, said=said).raise_if_any()
    assert own.get("project", "california:A")["name"] == "One"
    wrong = brought(own, sheet, said={"name": "nope", "colour": "a"}, constants={"size": "3"})
    assert {(column, text) for _, column, text in what(wrong)} >= {
        ("nope", "no such column (for name)"),
        ("colour", "no such field"),
        ("size", "no such field"),
    }


def test_every_spelling_is_of_a_field_and_of_no_other() -> None:
    for kind, spellings in SPELLINGS.items():
        names = set(KINDS[kind].names)
        assert spellings.keys() <= names
        words = [word for text in spellings.values() for word in text.split()]
        assert len(words) == len(set(words)), kind
        assert not names & set(words), kind


def test_every_field_is_found_by_its_own_name_whatever_the_order(own: Register) -> None:
    for kind in IMPORTED:
        names = [name for name in KINDS[kind].names if name != "withdrawn"]
        for order in (names, names[::-1]):
            columns = ("id", "version", *(name.upper().replace("_", " ") for name in order))
            sheet = Sheet("x", columns, (), ())
            found = infer_columns(sheet, kind, own.library, FaultList())
            assert {one.field for one in found.read} == {"id", "version", *names}
            assert all(one.name in (one.field, one.field.upper().replace("_", " ")) for one in found.read)


@pytest.mark.parametrize("kind", IMPORTED)
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_template_is_understood_column_by_column(
    own: Register, read: Callable[..., Sheet], kind: str, form: str
) -> None:
    sheet = read(table_template(kind, form, own.library), f"t.{form}")
    found = infer_columns(sheet, kind, own.library, FaultList())
    assert {one.field for one in found.read} == set(KINDS[kind].names) - {"hub", "withdrawn"}
    assert not found.unused
    assert all(one.factor == 1 for one in found.read)


# ---------------------------------------------------------------- cells


@pytest.mark.parametrize(
    "text", ["NaN", "inf", "-Infinity", "1e999", "yes", "true", "1,5", "12 MW", "0x10", "１２"]
)
def test_what_is_no_number_is_a_fault(own: Register, read: Callable[..., Sheet], text: str) -> None:
    result = brought(own, read(GOOD.strip() + f',capacity\nA,One,cement,feed,abates,"{text}"\n'))
    assert what(result) == [(2, "capacity", "not a number")]


def test_a_truth_value_is_no_number_and_a_number_no_truth_value(
    own: Register, read: Callable[..., Sheet]
) -> None:
    head = ["project_id", "name", "sector", "stage", "role", "capacity", "private"]
    rows = [
        head,
        ["A", "One", "cement", "feed", "abates", True, 1],
        ["B", "Two", "cement", "feed", "abates", 5, False],
    ]
    result = brought(own, read(book(rows), "b.xlsx"))
    assert what(result) == [(2, "capacity", "not a number"), (2, "private", "not yes or no")]
    data = json.dumps(
        [
            {
                "project_id": "A",
                "name": "x",
                "sector": "cement",
                "stage": "feed",
                "role": "abates",
                "capacity": True,
            }
        ]
    )
    assert what(brought(own, read(data, "b.json"))) == [(1, "capacity", "not a number")]


def test_a_workbook_holds_numbers_dates_and_names_in_figures(
    own: Register, read: Callable[..., Sheet]
) -> None:
    head = ["Project ID", "Name", "Sector", "Stage", "Role", "Capacity", "Unit", "Online"]
    rows = [head, [12, "One", "cement", "feed", "abates", 1500.25, "t/yr", dt.date(2029, 6, 1)]]
    for more in ({}, {"default_date_format": "yyyy"}):
        sheet = read(book(rows, **more), "b.xlsx")
        assert sheet.rows[0][7] == dt.date(2029, 6, 1)
    with_1904 = read(book(rows, date_1904=True), "b.xlsx")
    assert with_1904.rows[0][7] == dt.date(2029, 6, 1)
    brought(own, sheet).raise_if_any()
    record = own.get("project", "california:12")
    assert (record["capacity"], record["online_year"]) == (1500.25, 2029)
    evidence = [
        ["project", "what", "date", "source", "confidence"],
        [12, "seen", dt.date(2026, 1, 2), "x", "seen"],
    ]
    brought(own, read(book(evidence), "e.xlsx"), "evidence").raise_if_any()
    assert own.find("evidence")[0]["date"] == "2026-01-02"


def test_a_named_sheet_is_read_and_others_are_named(read: Callable[..., Sheet]) -> None:
    data = book([["name"], ["One"]])
    assert read(data, "b.xlsx", sheet="projects").rows == (("One",),)
    with pytest.raises(InputError, match=r"no sheet 'third'; allowed projects, else"):
        read(data, "b.xlsx", sheet="third")


def test_of_a_formula_the_saved_value_counts_and_an_error_is_a_fault(
    own: Register, read: Callable[..., Sheet]
) -> None:
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out)
    sheet = made.add_worksheet()
    sheet.write_row(0, 0, ["project_id", "name", "sector", "stage", "role", "capacity"])
    sheet.write_row(1, 0, ["A", "One", "cement", "feed", "abates"])
    sheet.write_formula(1, 5, "=6*7", None, 42)
    sheet.write_row(2, 0, ["B", "Two", "cement", "feed", "abates"])
    sheet.write_formula(2, 5, "=1/0", None, "#DIV/0!")
    made.close()
    faults = FaultList()
    found = read(out.getvalue(), "f.xlsx", faults)
    assert found.rows[0][5] == 42.0
    result = brought(own, found, faults=faults)
    assert {row for row, _, _ in what(result)} == {3}
