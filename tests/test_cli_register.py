"""The commands on a register: a developer's ten minutes, conflicts, meetings, numbers, backup."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import cleanhub as ch
from cleanhub.cli import app
from cleanhub.core.errors import CleanhubError, InputError, RunError
from cleanhub.hub.new import new_hub
from cleanhub.planning.store import write_plan
from cleanhub.register.errors import Conflict, Refused
from cleanhub.register.store import Register
from cleanhub.register.table_import import ImportConflict

RUNNER = CliRunner()
SIGNED = ["--by", "ann", "--reason", "a letter came"]
Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and no register or name from outside."""
    monkeypatch.chdir(tmp_path)
    for name in ("REGISTER", "BY", "AS"):
        monkeypatch.delenv(f"CLEANHUB_{name}", raising=False)
    return tmp_path


def run(*words: str, fails: type[CleanhubError] | None = None) -> Result:
    done = RUNNER.invoke(app, list(words))
    if fails is None:
        assert done.exit_code == 0, (done.output, done.exception)
    else:
        assert isinstance(done.exception, fails), (done.output, done.exception)
    return done


def data(*words: str) -> Any:
    return json.loads(run(*words, "--json").stdout)


def faults(error: BaseException | None) -> list[str]:
    assert isinstance(error, InputError)
    return [fault.line() for fault in error.faults]


@pytest.fixture
def kiln() -> None:
    """A register with one project."""
    run("project", "add", "Trial kiln", "--sector", "cement", "--set", "capacity=120", *SIGNED)


# ---------------------------------------------------------------- a developer's ten minutes


def test_a_developer_adds_a_project_of_its_own(folder: Path) -> None:
    done = run("project", "add", "Dock Furnace", "--sector", "glass", "--set", "capex_usd=45e6", *SIGNED)
    assert "made a new register: cleanhub-register.sqlite" in done.stdout
    assert "california:dock-furnace added, private, version 1" in done.stdout
    shown = data("project", "show", "dock-furnace")["fields"]
    assert (shown["owner"], shown["private"], shown["capex_usd"]) == ("ann", True, 45e6)
    assert [one["id"] for one in data("project", "list")] == ["california:dock-furnace"]
    assert data("project", "list", "--as", "bob") == []
    run("project", "edit", "dock-furnace", "--set", "private=no", *SIGNED)
    assert len(data("project", "list", "--as", "bob")) == 1
    assert "Dock Furnace" in run("project", "list").stdout
    assert sorted(path.suffix for path in folder.iterdir() if "-" not in path.suffix) == [".sqlite"]


def test_a_write_is_signed_and_the_name_is_never_taken_from_the_system(
    kiln: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody")
    found = faults(run("project", "edit", "trial-kiln", "--set", "city=Lebec", fails=InputError).exception)
    assert [line.split(":")[0] for line in found] == ["--by", "--reason"]
    monkeypatch.setenv("CLEANHUB_BY", "zoe")
    run("project", "edit", "trial-kiln", "--set", "city=Lebec", "--reason", "moved")
    assert data("project", "history", "trial-kiln")[-1]["actor"] == "zoe"


def test_all_that_is_wrong_with_a_project_is_told_at_once() -> None:
    words = ("--set", "capacity=lots", "--set", "colour=red", "--set", "city")
    done = run(
        "project", "add", "X", "--sector", "cemnt", "--stage", "soon", *words, *SIGNED, fails=InputError
    )
    assert len(faults(done.exception)) == 3
    done = run("project", "add", "X", "--sector", "cemnt", "--stage", "soon", *SIGNED, fails=InputError)
    assert [line.split(";")[0] for line in faults(done.exception)] == [
        "project, column sector: unknown sector",
        "project, column stage: unknown stage",
    ]
    assert data("project", "list") == []
    done = run("project", "add", "X", "--sector", "cement", "--hub", "califronia", *SIGNED, fails=InputError)
    assert "no such hub" in faults(done.exception)[0]


def test_what_is_not_there_is_named(kiln: None) -> None:
    for words in (("show", "nope"), ("history", "nope"), ("advance", "nope", "feed", *SIGNED)):
        assert "no such project; found nope" in faults(run("project", *words, fails=InputError).exception)[0]
    run("project", "edit", "x", "--kind", "colour", *SIGNED, fails=InputError)
    assert (
        "no such follow up"
        in faults(run("project", "edit", "x", "--kind", "follow_up", *SIGNED, fails=InputError).exception)[0]
    )
    run("project", "list", "--register", "nothing.sqlite", fails=RunError)
    run("project", "add", "Y", "--sector", "cement", "--register", "other.sqlite", *SIGNED, fails=RunError)
    run("project", "add", "Y", "--sector", "cement", "--register", "other.sqlite", "--create", *SIGNED)
    assert len(data("project", "list", "--register", "other.sqlite")) == 1


# ---------------------------------------------------------------- versions


def test_a_stale_edit_shows_both_versions_field_by_field(kiln: None) -> None:
    run(
        "project",
        "edit",
        "trial-kiln",
        "--set",
        "city=Lebec",
        "--version",
        "1",
        "--by",
        "bob",
        "--reason",
        "map",
    )
    words = ("project", "edit", "trial-kiln", "--set", "city=Mojave", "--version", "1", *SIGNED)
    error = run(*words, fails=Conflict).exception
    assert isinstance(error, Conflict)
    assert error.exit_code == 1
    assert "was None, yours 'Mojave', theirs 'Lebec' (clash)" in str(error)
    done = RUNNER.invoke(app, [*words, "--json"])
    assert done.exit_code == 1
    (told,) = json.loads(done.stdout)["conflicts"]
    clash = {"field": "city", "was": None, "yours": "Mojave", "theirs": "Lebec", "clash": True}
    assert told["fields"] == [clash]
    assert (told["read_version"], told["current_version"]) == (1, 2)
    assert told["since"][0]["reason"] == "map"
    run("project", "edit", "trial-kiln", "--set", "city=Mojave", "--version", "2", *SIGNED)
    assert data("project", "show", "trial-kiln")["version"] == 3


def test_an_empty_value_clears_and_the_same_value_writes_nothing(kiln: None) -> None:
    done = run("project", "edit", "trial-kiln", "--set", "capacity=120", *SIGNED)
    assert "not changed" in done.stdout
    run("project", "edit", "trial-kiln", "--set", "capacity=", *SIGNED)
    shown = data("project", "show", "trial-kiln")
    assert (shown["version"], shown["fields"]["capacity"]) == (2, None)


def test_a_project_advances_and_is_withdrawn_and_comes_back(kiln: None) -> None:
    run("project", "advance", "trial-kiln", "feed", *SIGNED)
    done = run("project", "advance", "trial-kiln", "announced", *SIGNED, fails=InputError)
    assert "does not follow feed" in faults(done.exception)[0]
    run("project", "withdraw", "trial-kiln", *SIGNED)
    assert data("project", "list") == []
    assert len(data("project", "list", "--withdrawn")) == 1
    run("project", "withdraw", "trial-kiln", "--undo", *SIGNED)
    actions = [event["action"] for event in data("project", "history", "trial-kiln")]
    assert actions == ["added", "edited", "withdrawn", "restored"]
    text = run("project", "history", "trial-kiln").stdout
    assert "stage: concept -> feed" in text
    assert "ann: a letter came" in text
    assert [event["version"] for event in data("history", "--last", "2")] == [3, 4]
    assert "project california:trial-kiln version 4 restored" in run("history", "--last", "1").stdout


def test_evidence_sets_its_gate(kiln: None) -> None:
    run("project", "gate", "trial-kiln", "site", "--status", "blocked", "--owner", "the port", *SIGNED)
    words = ("--what", "permit issued", "--date", "2026-03-02", "--gate", "permit", "--status", "done")
    run("project", "evidence", "trial-kiln", *words, "--by", "ann", "--source", "docket 12")
    about = data("project", "show", "trial-kiln")["about"]
    assert {one["fields"]["gate"]: one["fields"]["status"] for one in about["gate"]} == {
        "permit": "done",
        "site": "blocked",
    }
    assert about["evidence"][0]["fields"]["gate"] == "california:trial-kiln:permit"
    with Register.open("cleanhub-register.sqlite") as register:
        assert register.get("gate", "california:trial-kiln:permit")["done_on"] == "2026-03-02"
        assert register.history("evidence", about["evidence"][0]["id"])[0].source == "docket 12"
    # all or nothing: a fault in the evidence leaves the gate as it was
    bad = ("--what", "x", "--date", "soon", "--gate", "site", "--status", "done", "--source", "y")
    run("project", "evidence", "trial-kiln", *bad, *SIGNED, fails=InputError)
    gates = data("project", "show", "trial-kiln")["about"]["gate"]
    assert {one["fields"]["status"] for one in gates} == {"done", "blocked"}
    run("project", "gate", "trial-kiln", "site", "--status", "open", *SIGNED)
    run("project", "gate", "trial-kiln", "site", "--begun-on", "2026-01-05", *SIGNED)
    assert "site; status open; begun_on 2026-01-05" in run("project", "show", "trial-kiln").stdout
    run("project", "gate", "trial-kiln", "permit", "--owner", "the district", *SIGNED)
    assert "permit; status done; owner the district" in run("project", "show", "trial-kiln").stdout


# ---------------------------------------------------------------- tables


def test_the_packaged_projects_are_taken_over_and_can_be_taken_out_again(folder: Path) -> None:
    done = run("project", "import", "--packaged", "california", "--by", "ann")
    assert "made a new register" in done.stdout
    again = data("project", "import", "--packaged", "california", "--by", "ann")
    assert (again["added"], len(again["kept"])) == ([], len(data("project", "list")))
    for form in ("csv", "xlsx", "json"):
        run("project", "export", f"all.{form}")
        told = data("project", "import", f"all.{form}", "--by", "ann")
        assert (told["added"], told["changed"], told["unchanged"]) == ([], [], len(again["kept"]))
    run("project", "export", "all.csv", fails=RunError)
    run("project", "export", "all.csv", "--overwrite")
    run("project", "export", "all.pdf", fails=InputError)
    assert run("replay").stdout.strip() == "every record is what its events make of it"


def test_an_import_shows_its_columns_runs_dry_and_lists_what_is_to_fix(folder: Path) -> None:
    Path("list.csv").write_text(
        "Project,Industry,Status,Capacity (ktpa),Colour\nKiln,Cement,FEED,12,red\nMill,Steel,soon,many,blue\n"
    )
    words = ("project", "import", "list.csv", "--set", "role=abates", "--by", "ann")
    Path("cleanhub-register.sqlite").unlink(missing_ok=True)
    run(*words, "--dry-run", fails=RunError)  # a dry run makes no register
    done = run(*words, fails=InputError)
    assert "Capacity (ktpa) -> capacity, in kt/yr" in done.stdout
    assert "Colour -> not used" in done.stdout
    assert "nothing was changed: 1 row to fix" in done.stdout
    assert len(faults(done.exception)) == 2
    fix = Path("list-to-fix.csv").read_text()
    assert fix.splitlines()[0] == "Project,Industry,Status,Capacity (ktpa),Colour,fault"
    assert len(fix.splitlines()) == 2
    assert data("project", "list") == []
    Path("list.csv").write_text(Path("list.csv").read_text().replace("soon,many", "FID,5"))
    dry = data(*words, "--dry-run")
    assert ([one["id"] for one in dry["added"]], dry["written"]) == (
        ["california:kiln", "california:mill"],
        False,
    )
    assert "row 2: california:kiln Kiln would be added" in run(*words, "--dry-run").stdout
    assert data("project", "list") == []
    assert data(*words)["written"] is True
    assert [one["fields"]["stage"] for one in data("project", "list")] == ["feed", "fid"]


def test_a_stale_import_is_a_conflict_with_both_versions(kiln: None) -> None:
    run("project", "export", "all.csv")
    run("project", "edit", "trial-kiln", "--set", "city=Lebec", *SIGNED)
    Path("all.csv").write_text(Path("all.csv").read_text().replace("Trial kiln", "New kiln"))
    words = ["project", "import", "all.csv", "--by", "bob"]
    error = run(*words, fails=ImportConflict).exception
    assert isinstance(error, ImportConflict)
    assert error.exit_code == 1
    assert "all-to-fix.csv" in str(error)
    done = RUNNER.invoke(app, [*words, "--json"])
    assert done.exit_code == 1
    (told,) = json.loads(done.stdout)["conflicts"]
    assert told["row"] == 2
    assert [one["field"] for one in told["fields"]] == ["name", "city"]


def test_a_template_is_filled_in_and_imported(folder: Path) -> None:
    run("project", "template", "t.csv")
    head = Path("t.csv").read_text().strip().split(",")
    row = {"name": "Mine", "sector": "cement", "stage": "concept", "role": "abates"}
    Path("t.csv").write_text(f"{','.join(head)}\n{','.join(row.get(name, '') for name in head)}\n")
    run("project", "import", "t.csv", "--by", "ann")
    shown = data("project", "show", "mine")["fields"]
    assert (shown["private"], shown["owner"]) == (True, "ann")
    run("project", "template", "t.xlsx", "--kind", "evidence")
    run("project", "template", "t.xlsx", fails=RunError)


def test_an_import_names_a_file_or_a_package() -> None:
    assert len(faults(run("project", "import", "--by", "ann", fails=InputError).exception)) == 1
    run("project", "import", "a.csv", "--packaged", "california", fails=InputError)
    run("project", "import", "a.csv", "--by", "ann", fails=InputError)
    done = run(
        "project", "import", "a.csv", "--column", "name", "--set", "x", "--by", "ann", fails=InputError
    )
    assert len(faults(done.exception)) == 2
    run("project", "import", "--packaged", "california", "--as", "bob", fails=InputError)


# ---------------------------------------------------------------- what people say and agree


def test_a_meeting_with_all_that_came_of_it(kiln: None) -> None:
    words = [
        "--date",
        "2026-03-01",
        "--participant",
        "A. Person; port",
        "--pain-point",
        "permitting; two wait",
    ]
    words += ["--decision", "share a pipe; the group", "--follow-up", "write; ann; 2026-04-01"]
    words += ["--project", "trial-kiln", "--by", "ann"]
    run("project", "gate", "trial-kiln", "permit", *SIGNED)
    run("project", "convening", "add", "Spring", *words, "--gate", "permit")
    (one,) = data("project", "convening", "list", "--project", "trial-kiln")
    assert [len(one[kind]) for kind in ("participant", "pain_point", "decision", "follow_up")] == [1, 1, 1, 1]
    task = one["follow_up"][0]
    assert task["fields"]["gate"] == "california:trial-kiln:permit"
    run("project", "edit", task["id"], "--kind", "follow_up", "--set", "status=done", *SIGNED)
    text = run("project", "convening", "list").stdout
    assert "done: write, ann by 2026-04-01" in text
    assert "A. Person (port)" in text
    # nothing of a meeting is kept when a part of it is wrong
    bad = [*words[:2], "--participant", "B; king", "--by", "ann"]
    run("project", "convening", "add", "Other", *bad, fails=InputError)
    assert len(data("project", "convening", "list")) == 1
    unclear = ["--follow-up", "write", "--decision", "x", "--gate", "permit", "--date", "2026-03-01", *SIGNED]
    assert len(faults(run("project", "convening", "add", "O", *unclear, fails=InputError).exception)) == 3


def test_an_agreement_with_its_steps(kiln: None) -> None:
    words = ["--kind", "community_benefits", "--community", "the town", "--project", "trial-kiln"]
    run("project", "agreement", "add", "Benefits", *words, "--step", "hearing; ann; 2026-05-01", *SIGNED)
    (one,) = data("project", "agreement", "list")
    assert one["steps"][0]["fields"]["status"] == "planned"
    assert "2026-05-01 hearing, ann: planned" in run("project", "agreement", "list").stdout
    shown = data("project", "show", "trial-kiln")["about"]
    assert {"agreement", "agreement_step"} <= shown.keys()


def test_a_number_is_contested_and_answered(kiln: None) -> None:
    words = [
        "--shown",
        "1 Mt",
        "--claim",
        "too low",
        "--key",
        "2030",
        "--by",
        "group",
        "--project",
        "trial-kiln",
    ]
    made = data("project", "contest", "emissions", *words)
    assert (made["fields"]["status"], made["fields"]["raised_by"]) == ("open", "group")
    assert len(data("project", "contested", "--open")) == 1
    answer = [
        "project",
        "answer",
        made["id"],
        "--what",
        "from the filing",
        "--date",
        "2026-05-02",
        "--by",
        "ann",
    ]
    assert "--changed or --stands" in faults(run(*answer, fails=InputError).exception)[0]
    run(*answer, "--stands")
    assert data("project", "contested", "--open") == []
    (one,) = data("project", "contested")
    assert (one["fields"]["status"], one["answers"][0]["fields"]["changed"]) == ("answered", False)
    text = run("project", "contested").stdout
    assert "group: too low" in text
    assert "2026-05-02 ann: from the filing" in text


def test_a_contested_number_is_answered_by_its_place(kiln: None) -> None:
    contest = ("project", "contest", "scorecard", "--key", "k", "--claim", "too low", "--by", "group")
    answer = ("project", "answer", "scorecard:k", "--what", "as filed", "--date", "2026-05-02", "--stands")
    run(*contest, "--shown", "1 Mt")
    run(*contest, "--shown", "2 Mt")
    assert (
        "2 open numbers are called so" in faults(run(*answer, "--by", "ann", fails=InputError).exception)[0]
    )
    run("project", "answer", data("project", "contested")[0]["id"], *answer[3:], "--by", "ann")
    run(*answer, "--by", "ann")
    assert run("project", "contested", "--open").stdout == "no contested number is open\n"
    assert "no such contested number" in faults(run(*answer, "--by", "ann", fails=InputError).exception)[0]


def test_a_number_is_read_in_the_plan_that_holds_it(kiln: None) -> None:
    hub = ch.load_hub(new_hub("valley", Path("hubs"), "Valley"))
    few_years = ch.load_scenario("baseline", hub).model_copy(update={"end_year": 2030})
    plan = ch.plan(hub, few_years)
    Path("plan").mkdir()
    write_plan(plan, Path("plan"))
    where = ("project", "contest", "scorecard", "--claim", "too low", "--by", "group", "--hub", plan.hub_name)
    key = plan.table("provenance").query("table == 'scorecard' and value.notna()")["key"].iloc[0]
    made = data(*where, "--plan", "plan", "--key", key)
    assert made["fields"]["shown"].endswith(f" (plan {plan.id})")
    wrong = faults(run(*where, "--plan", "plan", "--key", "nothing", fails=InputError).exception)[0]
    assert "no number of the plan has this key" in wrong
    assert "a plan of another hub" in str(
        run(*where[:-1], "global", "--plan", "plan", "--key", key, fails=InputError).exception
    )
    both = run(*where, "--plan", "plan", "--key", key, "--shown", "1 Mt", fails=InputError)
    assert "which number?" in str(both.exception)


def test_roles_bind_whoever_acts_as_a_login(kiln: None) -> None:
    run("project", "add", "Open kiln", "--sector", "cement", "--public", *SIGNED)
    run("project", "member", "add", "zoe", "--role", "member", "--project", "trial-kiln", *SIGNED)
    change = ("--set", "city=Lebec", "--reason", "moved", "--as", "zoe")
    done = run("project", "edit", "trial-kiln", *change, fails=Refused)
    assert "which may not edit records of kind project; editor and above may" in str(done.exception)
    run("project", "member", "add", "zoe", "--role", "editor", "--project", "trial-kiln", *SIGNED)
    run("project", "edit", "trial-kiln", *change)
    assert data("project", "history", "trial-kiln", "--as", "zoe")[-1]["actor"] == "zoe"
    run("project", "advance", "trial-kiln", "feed", "--reason", "begun", "--as", "zoe")
    run("project", "edit", "open-kiln", *change, fails=Refused)
    assert (
        "no such project"
        in faults(run("project", "show", "trial-kiln", "--as", "x", fails=InputError).exception)[0]
    )
    for form in ("csv", "json"):
        run("project", "export", f"x.{form}", "--as", "x")
        assert "trial-kiln" not in Path(f"x.{form}").read_text()
    assert len(data("project", "member", "list")) == 1
    assert "zoe: editor in california:trial-kiln" in run("project", "member", "list").stdout
    assert data("project", "member", "list", "--as", "zoe") == []
    assert {event["id"] for event in data("history", "--as", "x")} == {"california:open-kiln"}


# ---------------------------------------------------------------- the register as a whole


def test_backup_restore_migrate_and_replay(kiln: None) -> None:
    held = data("backup", "b.sqlite")
    assert held["rows"]["event"] == 1
    run("backup", "b.sqlite", fails=RunError)
    run("restore", "b.sqlite", fails=RunError)
    run("project", "edit", "trial-kiln", "--set", "city=Lebec", *SIGNED)
    assert data("restore", "b.sqlite", "--register", "again.sqlite")["digest"] == held["digest"]
    assert data("backup", "c.sqlite", "--register", "again.sqlite")["digest"] == held["digest"]
    run("restore", "b.sqlite", "--overwrite")
    assert data("project", "show", "trial-kiln")["version"] == 1
    told = data("migrate")
    assert told["before"] == told["after"]
    assert "already" in run("migrate").stdout
    assert data("replay") == []


def test_a_register_that_is_not_what_its_events_make_ends_with_exit_1(kiln: None) -> None:
    import sqlite3

    with sqlite3.connect("cleanhub-register.sqlite") as raw:
        triggers = raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            raw.execute(f'DROP TRIGGER "{name}"')
        raw.execute("UPDATE project SET city = 'elsewhere'")
    done = RUNNER.invoke(app, ["replay", "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)[0]["what"] == "city"
    assert "elsewhere" in RUNNER.invoke(app, ["replay"]).stdout


def test_exit_codes_as_a_shell_sees_them(kiln: None) -> None:
    def code(*words: str) -> int:
        return subprocess.run(
            [sys.executable, "-m", "cleanhub", *words], capture_output=True, check=False
        ).returncode

    run("project", "edit", "trial-kiln", "--set", "city=A", *SIGNED)
    assert code("project", "edit", "trial-kiln", "--set", "city=B", "--version", "1", *SIGNED) == 1
    assert code("project", "edit", "trial-kiln", "--set", "lat=95", *SIGNED) == 2
