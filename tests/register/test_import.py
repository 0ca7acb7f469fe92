"""Tables into a register and out of it: what is understood, what is refused, nothing half done."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleanhub.core.errors import FaultList, InputError, RunError
from cleanhub.core.tables import Column, bounds
from cleanhub.hub.library import load_library
from cleanhub.hub.package import load_hub
from cleanhub.register import sheets, workbook
from cleanhub.register.hub_projects import load_packaged
from cleanhub.register.import_columns import IMPORTED, SPELLINGS, infer_columns, plain_unit
from cleanhub.register.models import KINDS
from cleanhub.register.roles import Refused
from cleanhub.register.sheets import Sheet, cell_text, csv_text, escaped, read_sheet, write_whole
from cleanhub.register.store import Register
from cleanhub.register.table_export import FORMATS, export_table, read_json, table_template
from cleanhub.register.table_import import ImportConflict, ImportResult, import_table
from cleanhub.register.writing import Signature, latest_events, writing

SIGNED = Signature("ann", "a list came", "list of 2 March")
FEW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
GOOD = "project_id,name,sector,stage,role\n"


@pytest.fixture
def own(ready_url: Callable[[str], str]) -> Iterator[Register]:
    """An empty register in a file, for what does not depend on the database."""
    with Register.open(ready_url("sqlite")) as made:
        yield made


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Sheet]:
    """Writes text or bytes to a file and reads it as a sheet; faults go to ``faults``."""

    def make(
        data: str | bytes, name: str = "list.csv", faults: FaultList | None = None, **more: Any
    ) -> Sheet:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        gathered = FaultList() if faults is None else faults
        return read_json(path, gathered) if name.endswith(".json") else read_sheet(path, gathered, **more)

    return make


def book(rows: list[list[Any]], **more: Any) -> bytes:
    """A workbook as a spreadsheet writes it; dates get a date's format."""
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out, {"in_memory": True, **more})
    sheet = made.add_worksheet("projects")
    made.add_worksheet("else").write(0, 0, "name")
    day = made.add_format({"num_format": 'dd/mm/yyyy "day"'})
    for line, row in enumerate(rows):
        for at, cell in enumerate(row):
            if isinstance(cell, dt.date):
                sheet.write_datetime(line, at, dt.datetime(cell.year, cell.month, cell.day), day)
            elif cell is not None:
                sheet.write(line, at, cell)
    made.close()
    return out.getvalue()


def rezipped(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook with one of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            part = old.read(info)
            new.writestr(info.filename, change(part) if info.filename == name else part)
    return out.getvalue()


def brought(register: Register, sheet: Sheet, kind: str = "project", **more: Any) -> ImportResult:
    return import_table(register, sheet, kind, "california", more.pop("signature", SIGNED), **more)


def counts(result: ImportResult) -> tuple[int, int, int]:
    return len(result.added), len(result.changed), result.unchanged


def what(result: ImportResult) -> list[tuple[int | None, str | None, str]]:
    return [(fault.row, fault.column, fault.what) for fault in result.faults]


# ---------------------------------------------------------------- all or nothing


def thousand(bad: set[int]) -> str:
    """1,000 projects; every bad one is wrong in one of five ways."""
    lines = ["Project ID,Name,Sector,Stage,Role,Capacity (kt/yr),Online year"]
    for n in range(1000):
        cells = [f"P-{n}", f"Project {n}", "cement", "FEED", "abates", str(n), "2030"]
        if n in bad:
            at, wrong = [(2, "cemnt"), (3, "soon"), (5, "many"), (6, "30"), (1, "")][n % 5]
            cells[at] = wrong
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def test_fifty_bad_rows_of_a_thousand_change_nothing_and_are_listed(
    own: Register, read: Callable[..., Sheet], tmp_path: Path
) -> None:
    bad = set(range(7, 1000, 20))
    assert len(bad) == 50
    own.add(
        "project",
        {"hub": "california", "project_id": "P-1", "name": "x", "sector": "cement", "stage": "feed"}
        | {"role": "abates"},
        "ann",
        "here before",
    )
    result = brought(own, read(thousand(bad)))
    assert not result.written
    assert result.bad_rows == [n + 2 for n in sorted(bad)]
    assert len(result.faults) == 50
    names = ["Sector", "Stage", "Capacity (kt/yr)", "Online year", "Name"]
    assert [(f.row, f.column) for f in result.faults] == [(n + 2, names[n % 5]) for n in sorted(bad)]
    assert [record.id for record in own.find("project")] == ["california:P-1"]
    assert len(latest_events(own, 10)) == 1
    with pytest.raises(InputError, match="50 bad rows: 50 faults"):
        result.raise_if_any()

    # the file of rows to fix: the same columns and what is wrong; mended, it can be imported
    found = list(csv.DictReader(io.StringIO(result.rows_to_fix())))
    assert list(found[0]) == [*result.sheet.columns, "fault"]
    assert [row["Project ID"] for row in found] == [f"P-{n}" for n in sorted(bad)]
    assert found[0]["fault"].startswith("Capacity (kt/yr): not a number (allowed")
    for row in found:
        number = row["Project ID"].removeprefix("P-")
        row |= {"Sector": "cement", "Stage": "feed", "Capacity (kt/yr)": number, "Online year": "2030"}
        row |= {"Name": f"Project {number}"}
    mended = csv_text(list(found[0]), [list(row.values()) for row in found])
    again = brought(own, read(mended, "fixed.csv"))
    again.raise_if_any()
    assert counts(again) == (50, 0, 0)
    assert again.columns.unused == ("fault",)

    whole = brought(own, read(thousand(set())))
    whole.raise_if_any()
    assert counts(whole) == (949, 1, 50)
    assert own.get("project", "california:P-7")["capacity"] == 7
    assert own.get("project", "california:P-7")["capacity_unit"] == "kt/yr"
    assert own.replay() == []


def test_a_dry_run_says_what_the_import_does_and_leaves_nothing(
    own: Register, read: Callable[..., Sheet]
) -> None:
    brought(own, read(GOOD + "A,Old,cement,feed,abates\nB,Same,glass,fid,abates\n"))
    sheet = read(GOOD + "A,New,cement,feed,abates\nB,Same,glass,fid,abates\nC,Third,steel,feed,abates\n")
    before = own.history("project", "california:A")
    dry = brought(own, sheet, dry_run=True)
    assert not dry.written
    assert own.history("project", "california:A") == before
    wet = brought(own, sheet)
    assert wet.written
    assert (dry.added, dry.changed, dry.unchanged) == (wet.added, wet.changed, wet.unchanged)
    assert [change.id for change in wet.added] == ["california:C"]
    assert wet.changed[0].fields == {"name": ("Old", "New")}
    assert own.get("project", "california:A").version == 2
    assert own.get("project", "california:A")["private"] is True


def test_rows_that_are_already_so_write_no_event(own: Register, read: Callable[..., Sheet]) -> None:
    sheet = read(GOOD + "A,One,cement,feed,abates\n")
    assert brought(own, sheet).written
    again = brought(own, sheet)
    assert (counts(again), again.written) == ((0, 0, 1), False)
    assert len(own.history("project", "california:A")) == 1


def test_the_same_project_twice_is_a_fault_at_the_second(own: Register, read: Callable[..., Sheet]) -> None:
    result = brought(own, read(GOOD + "A,One,cement,feed,abates\nA,Two,cement,feed,abates\n"))
    assert what(result) == [(3, None, "duplicate: the same record as an earlier row")]
    assert own.find("project") == []


def test_a_missing_column_is_one_fault_and_may_be_given_for_all_rows(
    own: Register, read: Callable[..., Sheet]
) -> None:
    sheet = read("name,stage\n" + "".join(f"Project {n},feed\n" for n in range(30)))
    result = brought(own, sheet)
    assert [(row, column) for row, column, _ in what(result)] == [(1, "role"), (1, "sector")]
    given = brought(own, sheet, constants={"role": "abates", "sector": "steel"})
    given.raise_if_any()
    assert own.get("project", "california:project-29")["sector"] == "steel"


def test_only_the_columns_of_the_file_change(own: Register, read: Callable[..., Sheet]) -> None:
    brought(own, read(GOOD.strip() + ",city\nA,One,cement,feed,abates,Lebec\n"))
    brought(own, read("id,county\ncalifornia:A,Kern\n")).raise_if_any()
    record = own.get("project", "california:A")
    assert (record["name"], record["city"], record["county"]) == ("One", "Lebec", "Kern")
    brought(own, read("project_id,city\nA,\n")).raise_if_any()
    assert own.get("project", "california:A")["city"] is None


# ---------------------------------------------------------------- stale versions


def test_a_stale_version_is_a_conflict_shown_with_both_sides(
    register: Register, read: Callable[..., Sheet]
) -> None:
    sheet = read(GOOD + "A,One,cement,feed,abates\nB,Two,glass,feed,abates\n")
    brought(register, sheet)
    out = export_table(register, "project", "california", "csv").decode()
    register.edit("project", "california:A", 1, {"city": "Lebec"}, "bob", "moved")
    # an old export without changes says nothing new, and takes nothing back
    old = brought(register, read(out))
    old.raise_if_any()
    assert (counts(old), old.behind) == ((0, 0, 1), 1)
    assert register.get("project", "california:A")["city"] == "Lebec"
    # changed, it does; the row that could have been changed is not, either
    changed = out.replace("One", "Uno").replace("Two", "Due")
    result = brought(register, read(changed))
    assert not result.written
    assert register.get("project", "california:B")["name"] == "Two"
    with pytest.raises(ImportConflict) as stopped:
        result.raise_if_any()
    ((row, conflict),) = stopped.value.conflicts
    assert row == 2
    assert stopped.value.exit_code == 1
    fields = {one.field: (one.base, one.yours, one.theirs) for one in conflict.fields}
    assert fields == {"name": ("One", "Uno", "One"), "city": (None, None, "Lebec")}
    assert (conflict.read, conflict.theirs.version) == (1, 2)
    assert "now at version 2" in result.rows_to_fix()
    # looked at and made from the latest version, it goes in
    newest = changed.replace("california:A,1", "california:A,2").replace("feed,,", "feed,,", 1)
    done = brought(register, read(newest.replace("cement,,,,,,", "cement,,,,Lebec,,", 1)))
    done.raise_if_any()
    assert register.get("project", "california:A")["name"] == "Uno"
    assert register.get("project", "california:A")["city"] == "Lebec"


def test_a_version_that_was_never_is_a_fault(own: Register, read: Callable[..., Sheet]) -> None:
    brought(own, read(GOOD + "A,One,cement,feed,abates\n"))
    result = brought(own, read("project_id,version,name\nA,4,Uno\n"))
    assert what(result) == [(2, "version", "no such version")]


def test_an_id_must_be_that_of_its_row(own: Register, read: Callable[..., Sheet]) -> None:
    brought(own, read(GOOD + "A,One,cement,feed,abates\n"))
    result = brought(
        own, read("id,project_id,name,sector,stage,role\ncalifornia:A,B,One,cement,feed,abates\n")
    )
    assert what(result) == [(2, "id", "is not the id of hub and project_id of the row")]


def test_a_withdrawn_record_is_not_changed(own: Register, read: Callable[..., Sheet]) -> None:
    sheet = read(GOOD + "A,One,cement,feed,abates\n")
    brought(own, sheet)
    own.withdraw("project", "california:A", 1, "ann", "given up")
    assert what(brought(own, sheet)) == [(2, None, "the record was withdrawn")]


# ---------------------------------------------------------------- round trips


@pytest.mark.parametrize("form", FORMATS)
def test_the_packaged_projects_go_out_and_in_again_unchanged(
    register: Register, read: Callable[..., Sheet], form: str
) -> None:
    load_packaged(register, load_hub("california"), "ann")
    events = len(latest_events(register, 1000))
    data = export_table(register, "project", "california", form)
    assert data == export_table(register, "project", "california", form)
    result = brought(register, read(data, f"projects.{form}"))
    result.raise_if_any()
    assert counts(result) == (0, 0, len(register.find("project")))
    assert len(latest_events(register, 1000)) == events
    # and into an empty register the same projects come
    records = {one.id: one.fields for one in register.find("project")}
    for name in records:
        register.withdraw("project", name, 1, "ann", "elsewhere")
    assert export_table(register, "project", "california", "json").count(b'"id"') == 0


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=30
) | st.sampled_from(
    ["=1+1", "'=1", "''@x", "+5", "-3", "@a", "'", "a,b", 'say "x"', "a\nb", "a\r\nb", "_x000D_"]
)


def value_of(column: Column) -> st.SearchStrategy[Any]:
    """Values that the column may hold, blank included."""
    library = load_library()
    if column.codes:
        value: st.SearchStrategy[Any] = st.sampled_from(sorted(library.codelists[column.codes]))
    elif column.refers == "technologies.technology":
        value = st.sampled_from(sorted(library.codelists["technology"]))
    elif column.unit_column:
        value = st.sampled_from(["t/yr", "Mt CO2e/yr", "MW", "1"])
    elif column.kind in ("year", "integer"):
        value = st.integers(1900, 2100)
    elif column.kind == "number":
        low, high = bounds(column)
        value = st.floats(low, high, allow_nan=False, allow_infinity=False)
    elif column.kind == "yes_no":
        value = st.booleans()
    else:
        value = TEXT
    return (value | st.none()) if column.blank else value


FREE = [
    column for column in KINDS["project"].columns if column.name not in ("hub", "project_id", "withdrawn")
]


@given(st.fixed_dictionaries({column.name: value_of(column) for column in FREE}), st.sampled_from(FORMATS))
@FEW
def test_any_project_goes_out_and_in_again_unchanged(
    own: Register, read: Callable[..., Sheet], fields: dict[str, Any], form: str
) -> None:
    needed = {name: value for name, value in fields.items() if not isinstance(value, str) or value.strip()}
    name = f"Q-{len(own.find('project', withdrawn=None))}"
    made = own.add("project", {"hub": "california", "name": "x", "project_id": name, **needed}, "ann", "new")
    result = brought(own, read(export_table(own, "project", "california", form), f"p.{form}"))
    result.raise_if_any()
    assert counts(result) == (0, 0, len(own.find("project")))
    assert own.get("project", made.id) == made


@given(TEXT)
def test_what_a_spreadsheet_takes_for_a_formula_is_written_as_text_and_read_back(text: str) -> None:
    written = escaped(text)
    assert written[0] not in "=+-@\t\r"
    assert sheets._unescaped(written) == text
    assert sheets._unescaped(cell_text(text)) == text


def test_no_cell_of_an_export_begins_as_a_formula(own: Register, tmp_path: Path) -> None:
    fields = {
        "hub": "california",
        "project_id": "A",
        "name": "=HYPERLINK(1)",
        "sector": "cement",
        "stage": "feed",
    }
    own.add("project", fields | {"role": "abates", "note": "@sum", "lon": -118.2, "city": "-x"}, "ann", "new")
    (row,) = csv.DictReader(io.StringIO(export_table(own, "project", "california", "csv").decode()))
    assert (row["name"], row["note"], row["city"], row["lon"]) == ("'=HYPERLINK(1)", "'@sum", "'-x", "-118.2")
    with zipfile.ZipFile(io.BytesIO(export_table(own, "project", "california", "xlsx"))) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", [kind for kind in IMPORTED if kind != "project"])
def test_other_kinds_go_out_and_in_again_unchanged(
    own: Register, read: Callable[..., Sheet], kind: str, form: str
) -> None:
    brought(own, read(GOOD + "A,One,cement,feed,abates\n"))
    text = {
        "gate": "Project,Gate,State,Deadline\nA,Permits,open,2027-01-31\nA,site,done,\n",
        "evidence": "project,what,date,source,confidence\nA,permit issued,2026-01-02,docket,seen\n"
        ",a law passed,2026-01-03,gazette,seen\n",
        "commitment": "Company,Metric,Target year,Value (%)\nAcme,net_zero,2045,100\n",
        "agreement": "Name,Type,With,Status,Project\nBenefits,community benefits,the town,in talks,A\n",
    }[kind]
    first = brought(own, read(text), kind)
    first.raise_if_any()
    assert counts(first) == (text.count("\n") - 1, 0, 0)
    again = brought(own, read(text), kind)  # without ids: what is there already is not added twice
    again.raise_if_any()
    assert counts(again) == (0, 0, len(first.added))
    out = brought(own, read(export_table(own, kind, "california", form), f"e.{form}"), kind)
    out.raise_if_any()
    assert counts(out) == (0, 0, len(first.added))


def test_evidence_finds_its_gate_by_the_gates_name(own: Register, read: Callable[..., Sheet]) -> None:
    brought(own, read(GOOD + "A,One,cement,feed,abates\n"))
    text = "project,gate,what,date,source,confidence\nA,permit,issued,2026-01-02,docket,seen\n"
    assert what(brought(own, read(text), "evidence")) == [(2, "gate", "no such gate")]
    brought(own, read("project,gate,status\nA,permit,open\n"), "gate").raise_if_any()
    result = brought(own, read(text), "evidence")
    result.raise_if_any()
    assert own.find("evidence")[0]["gate"] == "california:A:permit"
    twice = (
        text
        + text.split("\n")[1].replace("issued", "again")
        + "\n"
        + text.split("\n")[1].replace("issued", "again")
    )
    assert what(brought(own, read(twice), "evidence"))[0][0] == 4
    unknown = "id,what\nnope,x\n"
    assert (2, "id", "no such evidence") in what(brought(own, read(unknown), "evidence"))


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


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_encodings_and_separators(read: Callable[..., Sheet], coding: str, sign: str) -> None:
    text = f'name{sign}city\r\n"Café{sign} \u201ax\u2018"{sign}San José\rA{sign}B\n\n'
    text += f'"two\r\nlines"{sign}"say ""x"""\n'
    sheet = read(text.encode(coding))
    assert sheet.columns == ("name", "city")
    assert sheet.rows == (
        (f"Café{sign} \u201ax\u2018", "San José"),
        ("A", "B"),
        ("two\r\nlines", 'say "x"'),
    )
    assert sheet.lines == (2, 3, 5)
    assert bool(sheet.remark) == (coding == "cp1252")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty file"),
        (b"\n  \n,,\n", "empty file"),
        (b'name\n"open', "not CSV from here on"),
        (b"name\nA\x00B\n", "not text"),
        (b"\x81\x8d\x90", "not text"),
        (b"PK\x03\x04 but no zip", "not a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "an old or locked workbook"),
    ],
)
def test_what_is_no_table_is_refused(read: Callable[..., Sheet], data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(data)


def test_limits_of_size(read: Callable[..., Sheet], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    assert len(read("name\nA\nB\nC\n").rows) == 3
    with pytest.raises(InputError, match="4 rows"):
        read("name\nA\nB\nC\nD\n")
    monkeypatch.setattr(sheets, "MOST_COLUMNS", 2)
    with pytest.raises(InputError, match="3 columns"):
        read("a,b,c\n1,2,3\n")
    monkeypatch.setattr(sheets, "MOST_BYTES", 10)
    with pytest.raises(InputError, match="too large"):
        read("name\nABCDEFG\n")


def test_a_zip_bomb_is_measured_before_it_is_unpacked(
    read: Callable[..., Sheet], monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = rezipped(book([["name"], ["A"]]), "xl/worksheets/sheet1.xml", lambda part: part + b" " * 5_000_000)
    assert len(bomb) < 50_000
    monkeypatch.setattr(workbook, "MOST_UNPACKED", 1_000_000)
    monkeypatch.setattr(workbook, "_part", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(InputError, match="unpacks to too much"):
        read(bomb, "b.xlsx")


def test_a_document_type_is_refused(read: Callable[..., Sheet]) -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    for part in ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"):
        data = rezipped(book([["name"], ["A"]]), part, lambda old: old.replace(b"?>", b"?>" + laughs, 1))
        with pytest.raises(InputError, match="document type"):
            read(data, "b.xlsx")


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"]
)
@pytest.mark.parametrize("change", [lambda old: old[:-20], lambda _: b"<x/>", lambda _: b""])
def test_a_damaged_workbook_is_one_clear_error_or_no_rows(
    read: Callable[..., Sheet], part: str, change: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(InputError):
        read(rezipped(book([["name"], ["A"]]), part, change), "b.xlsx")


@given(st.binary(max_size=300), st.integers(0, 2000))
@FEW
def test_no_bytes_break_the_reader(read: Callable[..., Sheet], noise: bytes, at: int) -> None:
    whole = book([["name", "city"], ["A", 5]])
    for data in (noise, whole[:at] + noise + whole[at + len(noise) :]):
        with contextlib.suppress(InputError):
            assert read(data, "n.xlsx").columns


def test_far_cells_do_not_fill_the_memory(read: Callable[..., Sheet]) -> None:
    def far(part: bytes) -> bytes:
        return part.replace(b'r="A2"', b'r="XFD2"')

    with pytest.raises(InputError, match="at most"):
        read(rezipped(book([["name"], ["A"]]), "xl/worksheets/sheet1.xml", far), "b.xlsx")


def test_rows_with_a_wrong_number_of_cells_and_double_columns_are_faults(
    own: Register, read: Callable[..., Sheet]
) -> None:
    faults = FaultList()
    sheet = read(
        GOOD + "A,One,cement,feed\nB,Two,cement,feed,abates,more\nC,Three,cement,feed,abates,\n",
        faults=faults,
    )
    result = brought(own, sheet, faults=faults)
    assert {(row, text) for row, _, text in what(result)} >= {
        (2, "wrong number of cells"),
        (3, "wrong number of cells"),
    }
    assert 4 not in result.bad_rows
    doubled = FaultList()
    read("name,name\nA,B\n", faults=doubled)
    assert [fault.what for fault in doubled.faults] == ["duplicate column"]


@pytest.mark.parametrize(
    "text",
    ["", "[1]", '{"a": 1}', '[{"name": NaN}]', '{"records": 5}', "[" * 100_000, '[{"name": Infinity}]'],
)
def test_what_is_no_json_export_is_refused(read: Callable[..., Sheet], text: str) -> None:
    with pytest.raises(InputError, match="not a JSON export"):
        read(text, "x.json")


def test_json_values_that_are_none_are_faults(own: Register, read: Callable[..., Sheet]) -> None:
    faults = FaultList()
    row = {"project_id": "A", "name": {"x": 1}, "sector": "cement", "stage": "feed", "role": "abates"}
    read(json.dumps([row, {"capacity": 10**400}]), "x.json", faults)
    assert [(fault.row, fault.column) for fault in faults.faults] == [(1, "name"), (2, "capacity")]


def test_a_file_is_written_whole_and_not_over_another(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_whole(path, b"one", False)
    with pytest.raises(RunError, match="is there already"):
        write_whole(path, b"two", False)
    assert path.read_bytes() == b"one"
    write_whole(path, b"two", True)
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]
    with pytest.raises(RunError, match="cannot be written"):
        write_whole(tmp_path / "no" / "out.csv", b"x", False)


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


def test_unknown_kinds_and_formats_are_refused(own: Register, read: Callable[..., Sheet]) -> None:
    with pytest.raises(InputError, match="not imported"):
        brought(own, read("login,role\nx,admin\n"), "membership")
    with pytest.raises(InputError, match="not exported"):
        export_table(own, "membership", "california", "csv")
    with pytest.raises(InputError, match="no such format"):
        export_table(own, "project", "california", "pdf")


# ---------------------------------------------------------------- roles


@pytest.fixture
def shared(own: Register, read: Callable[..., Sheet]) -> Register:
    """One public project (A), one private (B), an editor, a member and somebody of project B."""
    text = GOOD.strip() + ",private\nA,One,cement,feed,abates,no\nB,Two,cement,feed,abates,yes\n"
    brought(own, read(text)).raise_if_any()
    for login, role, project in (("ed", "editor", None), ("mem", "member", None), ("bea", "admin", "B")):
        about = {"project": f"california:{project}"} if project else {}
        own.add("membership", {"hub": "california", "login": login, "role": role, **about}, "ann", "team")
    return own


def as_login(login: str) -> Signature:
    return Signature("", "a list came", user=login)


def test_an_export_holds_what_its_reader_may_see(shared: Register) -> None:
    for login, seen in ((None, "A"), ("ed", "A"), ("nobody", "A"), ("bea", "AB")):
        for form in ("csv", "json"):
            data = export_table(shared.as_user(login), "project", "california", form).decode()
            assert {one for one in "AB" if f"california:{one}" in data} == set(seen)
    assert b"california:B" in export_table(shared, "project", "california", "csv")


def test_an_import_does_what_the_role_allows_all_or_nothing(
    shared: Register, read: Callable[..., Sheet]
) -> None:
    change = read("project_id,city\nA,Lebec\n")
    new = read(GOOD + "C,Three,cement,feed,abates\n")
    both = read(GOOD.strip() + ",private\nA,Uno,cement,feed,abates,no\nC,Three,cement,feed,abates,yes\n")
    refused = brought(shared, change, signature=as_login("mem"))
    assert [(row, "may not edit" in text) for row, _, text in what(refused)] == [(2, True)]
    assert not brought(shared, both, signature=as_login("mem")).written
    assert shared.find("project", project_id="C") == []
    with pytest.raises(Refused):
        brought(shared, new, signature=Signature("x", "y", user=""))
    mine = brought(shared, new, signature=as_login("mem"))
    assert mine.written
    assert shared.get("project", "california:C")["owner"] == "mem"
    assert shared.as_user("mem").get("project", "california:C")
    assert brought(shared, change, signature=as_login("ed")).written
    assert shared.history("project", "california:A")[-1].actor == "ed"
    hidden = brought(shared, read("project_id,city\nB,Lebec\n"), signature=as_login("ed"))
    assert not hidden.written
    assert [text for _, _, text in what(hidden)] == ["there is no project california:B"]


def test_latest_events_are_those_one_may_see(shared: Register) -> None:
    shared.edit("project", "california:B", 1, {"city": "x"}, "ann", "moved")
    assert [event.id for event in latest_events(shared, 1)] == ["california:B"]
    assert [event.id for event in latest_events(shared, 9, "ed")] == ["california:A"]
    assert {event.id for event in latest_events(shared, 9, "bea")} >= {"california:A", "california:B"}


def test_several_writes_are_committed_together_or_not_at_all(shared: Register) -> None:
    def write() -> None:
        with writing(shared, as_login("ed")) as writer:
            writer.edit("project", "california:A", 1, {"city": "Lebec"}, "moved")
            writer.add("membership", {"hub": "california", "login": "ed", "role": "admin"}, "me")

    with pytest.raises(Refused):
        write()
    assert shared.get("project", "california:A").version == 1
