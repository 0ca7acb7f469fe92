"""Projects from a hub package into the register and back, and what is recorded on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pandas as pd
import pytest

from cleanhub.core.errors import InputError
from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.project_schema import COMMITMENTS, PROJECTS
from cleanhub.register.hub_projects import load_packaged, projects_of, with_register
from cleanhub.register.models import KINDS
from cleanhub.register.store import Register


@pytest.fixture(scope="module")
def hub() -> Hub:
    return load_hub("california")


@pytest.fixture
def filled(ready_url: Callable[[str], str], hub: Hub) -> Iterator[Register]:
    with Register.open(ready_url("sqlite")) as register:
        load_packaged(register, hub, "ann")
        yield register


def test_the_register_knows_every_column_of_the_hub_s_tables() -> None:
    assert set(PROJECTS.names) <= set(KINDS["project"].names)
    assert set(COMMITMENTS.names) - {"commitment_id"} <= set(KINDS["commitment"].names)


def test_packaged_projects_come_back_as_they_are(register: Register, hub: Hub) -> None:
    loaded = load_packaged(register, hub, "ann")
    assert (len(loaded.added), loaded.kept) == (len(hub.tables["projects"]), ())
    wanted = hub.tables["projects"].sort_values("project_id").reset_index(drop=True)
    found = projects_of(register, "california")
    pd.testing.assert_frame_equal(found.reset_index(drop=True), wanted)
    assert list(found.index) == list(range(2, len(wanted) + 2))
    again = load_packaged(register, hub, "ann")
    assert (again.added, len(again.kept)) == ((), len(wanted))
    assert register.replay() == []
    assert register.history("project", loaded.added[0])[0].source == wanted["source_id"][0]


def test_a_hub_that_is_not_in_the_register_has_no_projects(filled: Register) -> None:
    found = projects_of(filled, "elsewhere")
    assert (len(found), list(found.columns)) == (0, PROJECTS.names)


def test_gates_and_evidence_of_the_register_count(filled: Register, hub: Hub) -> None:
    table = hub.tables["projects"]
    rich = table[table["gates_done"] != ""].iloc[0]
    poor = table[table["gates_done"] == ""].iloc[0]
    for row, gate, status in (
        (rich, rich["gates_done"].split(";")[0].strip(), "open"),
        (poor, "site", "done"),
        (poor, "permit", "done"),
        (poor, "epc", "blocked"),
    ):
        fields = {
            "hub": "california",
            "project": f"california:{row['project_id']}",
            "gate": gate,
            "status": status,
        }
        filled.add("gate", fields, "ann", "seen")
    seen = {"what": "hearing held", "source": "docket", "confidence": "seen", "hub": "california"}
    gate = f"california:{poor['project_id']}:permit"
    filled.add("evidence", seen | {"gate": gate, "date": "2031-03-01"}, "ann", "seen")
    filled.add("evidence", seen | {"gate": gate, "date": "1999-03-01"}, "ann", "seen")
    found = projects_of(filled, "california").set_index("project_id")
    assert found["gates_done"][poor["project_id"]] == "permit;site"
    assert found["evidence_year"][poor["project_id"]] == 2031
    assert found["gates_done"][rich["project_id"]] == ";".join(
        part.strip() for part in rich["gates_done"].split(";")[1:]
    )


def test_open_gates_that_were_begun_are_under_way_in_a_plan(filled: Register, hub: Hub) -> None:
    project = str(hub.tables["projects"]["project_id"].iloc[0])
    about = {"hub": "california", "project": f"california:{project}"}
    for gate, status, day in (
        ("permit", "open", "2025-03-01"),
        ("site", "done", "2024-01-01"),
        ("epc", "blocked", "2024-01-01"),
        ("offtake", "open", None),
    ):
        filled.add("gate", about | {"gate": gate, "status": status, "begun_on": day}, "ann", "seen")
    begun = with_register(hub, filled).tables["gates_begun"]
    assert begun[["project_id", "gate", "begun_on", "source_id", "confidence"]].to_numpy().tolist() == [
        [project, "permit", "2025-03-01", "register", "assumed"]
    ]


def test_a_plan_may_read_the_register_in_place_of_the_package(filled: Register, hub: Hub) -> None:
    first = hub.tables["projects"]["project_id"].iloc[0]
    filled.withdraw("project", f"california:{first}", 1, "ann", "given up")
    fields = {"hub": "california", "project_id": "N-1", "name": "New", "sector": "cement", "stage": "feed"}
    made = filled.add("project", fields | {"role": "abates"}, "ann", "mine")
    changed = with_register(hub, filled)
    ids = list(changed.tables["projects"]["project_id"])
    assert first not in ids
    assert ids[-1] == "N-1"
    new = changed.tables["projects"].iloc[-1]
    assert (new["source_id"], new["confidence"]) == ("register", "assumed")
    assert "register" in set(changed.sources()["source_id"])
    assert changed.tables["sources"].dtypes.equals(hub.tables["sources"].dtypes)
    assert with_register(hub, filled.as_user(None)).tables["projects"]["project_id"].iloc[-1] != "N-1"
    filled.edit("project", made.id, 1, {"source_id": "hearsay"}, "ann", "heard")
    with pytest.raises(InputError, match="hearsay"):
        with_register(hub, filled)


def test_a_bad_packaged_project_stops_all(register: Register, hub: Hub) -> None:
    table = hub.tables["projects"].copy()
    table.loc[table.index[3], "stage"] = "soon"
    table.loc[table.index[5], "capacity_unit"] = "t/yt"
    with pytest.raises(InputError) as stopped:
        load_packaged(register, replace(hub, tables={**hub.tables, "projects": table}), "ann")
    places = [(fault.row, fault.column) for fault in stopped.value.faults]
    assert places == [(table.index[3], "stage"), (table.index[5], "capacity_unit")]
    assert register.find("project", withdrawn=None) == []


def test_a_number_that_nobody_answered_is_a_note_of_the_hub(filled: Register, hub: Hub) -> None:
    fields = {"hub": "california", "where_shown": "scorecard", "key": "hub_emissions_2045", "shown": "88 Mt",
              "claim": "too low", "raised_by": "Town Alliance"}  # fmt: skip
    made = filled.add("contested_number", fields, by="town", reason="too low")
    notes = [note.line() for note in with_register(hub, filled).notes]
    (told,) = (note for note in notes if "contests" in note)
    assert "Town Alliance contests scorecard hub_emissions_2045 (88 Mt), not answered yet: too low" in told
    filled.edit(
        "contested_number", made.id, made.version, {"status": "answered"}, by="ann", reason="said why"
    )
    assert not [n for n in with_register(hub, filled).notes if "contests" in n.line()]
