"""Tables into a register and out of it: all or nothing, nobody overwritten, nothing lost on the way."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.core.errors import InputError
from cleanhub.core.tables import Column, bounds
from cleanhub.hub.library import load_library
from cleanhub.hub.package import load_hub
from cleanhub.register import sheets
from cleanhub.register.hub_projects import load_packaged
from cleanhub.register.import_columns import IMPORTED
from cleanhub.register.models import KINDS
from cleanhub.register.roles import Refused
from cleanhub.register.sheets import Sheet, cell_text, csv_text, escaped
from cleanhub.register.store import Register
from cleanhub.register.table_export import FORMATS, export_table
from cleanhub.register.table_import import ImportConflict
from cleanhub.register.writing import Signature, latest_events, writing

from .tables import FEW, GOOD, brought, counts, what

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


def test_unknown_kinds_and_formats_are_refused(own: Register, read: Callable[..., Sheet]) -> None:
    with pytest.raises(InputError, match="not imported"):
        brought(own, read("login,role\nx,admin\n"), "membership")
    with pytest.raises(InputError, match="not exported"):
        export_table(own, "membership", "california", "csv")
    with pytest.raises(InputError, match="no such format"):
        export_table(own, "project", "california", "pdf")


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
