"""A plan may take its projects from a register: the same numbers for the same projects, and it says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

import cleanhub as ch
from cleanhub.cli import app
from cleanhub.core.errors import InputError, RunError
from cleanhub.planning.compare import compare
from cleanhub.planning.plan import Plan
from cleanhub.planning.register_projects import loaded_hub, register_hashes, with_register
from cleanhub.planning.store import load_plan
from cleanhub.register.backup import contents
from cleanhub.register.hub_projects import load_packaged
from cleanhub.register.store import Register

OWN = {"hub": "california", "project_id": "T-1", "name": "Trial", "sector": "cement", "stage": "feed"}


@pytest.fixture
def path(tmp_path: Path, hub: ch.Hub) -> Path:
    """A register that holds the packaged projects."""
    where = tmp_path / "secret-place.db"
    with Register.open(where, create=True) as register:
        load_packaged(register, hub, "ann")
    return where


@pytest.fixture
def register(path: Path) -> Iterator[Register]:
    with Register.open(path) as opened:
        yield opened


def sorted_rows(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("project_id").reset_index(drop=True)


def test_the_packaged_projects_come_back_as_the_package_has_them(hub: ch.Hub, path: Path) -> None:
    found = with_register(hub, path)
    pd.testing.assert_frame_equal(sorted_rows(found.tables["projects"]), sorted_rows(hub.tables["projects"]))
    assert found.tables["facilities"] is hub.tables["facilities"]
    assert register_hashes(hub) == {}


def test_what_was_read_is_known_by_count_and_hash_and_not_by_place(
    hub: ch.Hub, path: Path, register: Register
) -> None:
    held = contents(register)
    found = with_register(hub, path)
    assert register_hashes(found) == {
        "register/events": str(held.rows["event"]),
        "register/hash": held.digest[:16],
    }
    assert "secret-place" not in json.dumps(found.meta)
    register.edit("project", "california:CA-001", 1, {"city": "Lebec"}, "ann", "moved")
    after = register_hashes(with_register(hub, path))
    assert after["register/events"] == str(held.rows["event"] + 1)
    assert after["register/hash"] != held.digest[:16]
    row = with_register(hub, path).tables["projects"].set_index("project_id").loc["CA-001"]
    assert row["city"] == "Lebec"


def test_private_projects_are_there_for_those_who_may_see_them(
    hub: ch.Hub, path: Path, register: Register
) -> None:
    made = register.add("project", OWN | {"role": "abates"}, "ann", "ours")
    member = {"hub": "california", "project": made.id, "login": "bea", "role": "member"}
    register.add("membership", member, "ann", "our engineer")

    def there(user: str | None) -> bool:
        return "T-1" in set(with_register(hub, path, user).tables["projects"]["project_id"])

    assert there(None)  # the owner of the register
    assert there("bea")
    assert not there("nobody")


def test_faults_name_the_project_and_a_register_must_be_there(
    hub: ch.Hub, path: Path, register: Register, tmp_path: Path
) -> None:
    register.edit("project", "california:CA-001", 1, {"source_id": "hearsay"}, "ann", "heard")
    register.add("project", OWN | {"role": "abates", "source_id": "rumour"}, "ann", "ours")
    with pytest.raises(InputError) as stopped:
        with_register(hub, path)
    assert sorted(fault.found for fault in stopped.value.faults) == ["hearsay", "rumour"]
    with pytest.raises(RunError, match="no register"):
        with_register(hub, tmp_path / "nothing.db")


def test_a_register_that_never_rests_is_told(
    hub: ch.Hub, path: Path, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cleanhub.register.hub_projects as room

    read, version = room.with_register, iter(range(1, 99))

    def write_meanwhile(hub: ch.Hub, reader: Any) -> ch.Hub:
        found = read(hub, reader)
        n = next(version)
        register.edit("project", "california:CA-001", n, {"city": f"town {n}"}, "bob", "moved")
        return found

    monkeypatch.setattr(room, "with_register", write_meanwhile)
    with pytest.raises(RunError, match="while it was read"):
        with_register(hub, path)


def test_hub_and_scenario_of_a_command(path: Path) -> None:
    hub, scenario = loaded_hub("california", None, str(path))
    assert register_hashes(hub)
    assert scenario.name == hub.meta["default_scenario"]
    assert register_hashes(loaded_hub("california", "baseline")[0]) == {}


SOON = "name: soon\ntitle: Fewer years\nextends: baseline\nas_of: 2026-06-01\nend_year: 2035\n"


def test_a_plan_of_the_register_has_the_numbers_of_the_package_and_says_where_they_are_from(
    port: Path, until_2035: Callable[..., Plan], tmp_path: Path
) -> None:
    out, path, soon = tmp_path / "plan", tmp_path / "secret-place.db", tmp_path / "soon.yaml"
    soon.write_text(SOON, encoding="utf-8")
    packaged = until_2035(port)
    with Register.open(path, create=True) as register:
        load_packaged(register, ch.load_hub(port), "ann")
        events = str(contents(register).rows["event"])
    words = ["plan", str(port), "-s", str(soon), "--register", str(path), "--out", str(out), "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.exception
    plan = load_plan(out)
    for name, frame in packaged.tables.items():
        if name != "provenance":
            pd.testing.assert_frame_equal(plan.tables[name], frame, obj=name)
    head = json.loads((out / "plan.json").read_text())
    assert head["hashes"]["register/events"] == events
    assert all("secret-place" not in file.read_text("utf-8", "ignore") for file in out.rglob("*.*"))
    traced = plan.table("provenance")
    (row,) = traced[traced["table"] == "register"].to_dict("records")
    assert (row["source_id"], row["value"]) == ("register", float(head["hashes"]["register/events"]))
    assert plan.id != packaged.id
    packaged.save(tmp_path / "packaged")
    inputs = compare(tmp_path / "packaged", out).inputs
    assert "register/hash" in inputs.to_string()


def test_a_plan_without_a_register_has_no_trace_of_one(baseline: Plan) -> None:
    assert not any(name.startswith("register") for name in baseline.hashes)
    assert "register" not in set(baseline.table("provenance")["table"])
