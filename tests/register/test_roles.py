"""Who may do what: denied unless granted, for every role, action and kind; private projects do not exist."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cleanhub.register.errors import NotFound, Refused
from cleanhub.register.events import Record
from cleanhub.register.models import KINDS
from cleanhub.register.roles import ACTIONS, ROLES, Permissions, View, allows
from cleanhub.register.store import Register

from .conftest import PROJECT
from .test_store import EXAMPLES, SIGNED, fill

# What is granted, written out a second time; a kind or action that is new is denied until it stands here.
SEEN_BY_ALL = {
    *(
        "project",
        "gate",
        "evidence",
        "commitment",
        "agreement",
        "agreement_step",
        "contested_number",
        "answer",
    ),
}
ADDED_BY_MEMBERS = {"project", "evidence", "pain_point", "contested_number"}
GRANTED = {
    *(("public", "read", kind) for kind in SEEN_BY_ALL),
    *(("member", "read", kind) for kind in KINDS if kind != "membership"),
    *(("member", "add", kind) for kind in ADDED_BY_MEMBERS),
    *(("editor", action, kind) for action in ACTIONS for kind in KINDS if kind != "membership"),
    *(("admin", action, kind) for action in ACTIONS for kind in KINDS),
}
Shared = tuple[Register, dict[str, Record], dict[str, Record]]
LOGINS = ("public", "member", "editor", "admin", "stranger", "elsewhere")


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Shared]:
    """One register with a public and a private project, all kinds of record, a login per role."""
    path = tmp_path_factory.mktemp("roles") / "register.db"
    with Register.open(path, create=True) as register:
        open_ = fill(register, dict(PROJECT))
        private = {
            "project": register.add("project", PROJECT | {"project_id": "P-1", "private": True}, **SIGNED)
        }
        for kind, fields in EXAMPLES.items():
            names = {column.name for column in KINDS[kind].columns} - fields.keys() - {"actor"}
            # an actor belongs to the hub as a whole, which members of one project do not see
            links = {name: record.id for name, record in private.items() if name in names}
            private[kind] = register.add(kind, {"hub": "california", **links, **fields}, **SIGNED)
        for role in ROLES:
            register.add("membership", {"hub": "california", "login": role, "role": role}, **SIGNED)
        register.add("membership", {"hub": "elsewhere", "login": "elsewhere", "role": "admin"}, **SIGNED)
        for role in ROLES:
            fields = {
                "hub": "california",
                "project": private["project"].id,
                "login": f"own_{role}",
                "role": role,
            }
            register.add("membership", fields, **SIGNED)
        yield register, open_, private


def attempt(view: View, action: str, record: Record) -> bool:
    """Whether the login can do the action; nothing but a refusal may stop it."""
    fields = dict(record.fields)
    number = next(_numbers)
    if record.kind in ("project", "gate", "membership"):
        key = {"project": "project_id", "gate": "gate", "membership": "login"}[record.kind]
        gates = sorted(view.register.library.codelists["gate"] - {"permit"})
        fields[key] = gates[number % len(gates)] if record.kind == "gate" else f"N-{number}"
    if record.kind == "project":
        fields["private"] = True
    try:
        if action == "read":
            view.get(record.kind, record.id)
        elif action == "add":
            made = view.add(record.kind, fields, "a reason")
            view.register.withdraw(made.kind, made.id, 1, "ann", "tidy")
        else:
            now = view.register.get(record.kind, record.id)
            change = {"withdrawn": True} if action == "withdraw" else {"note": f"note {number}"}
            if record.kind == "actor" and action == "edit":
                change = {"contact": f"note {number}"}
            after = view.edit(record.kind, record.id, now.version, change, "a reason")
            if action == "withdraw":
                view.register.edit(record.kind, record.id, after.version, {"withdrawn": False}, "ann", "back")
    except (Refused, NotFound):
        return False
    return True


_numbers = itertools.count()


@pytest.mark.parametrize("role", [*ROLES, "stranger", "nobody", "", None])
def test_the_table_of_grants_is_the_one_written_here(role: str | None) -> None:
    for action, kind in itertools.product([*ACTIONS, "delete", "everything"], [*KINDS, "event", "wish"]):
        assert allows(role, action, kind) == any(
            (one, action, kind) in GRANTED for one in ROLES[: ROLES.index(role) + 1 if role in ROLES else 0]
        )


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("login", LOGINS)
def test_matrix_on_what_is_public(shared: Shared, login: str, action: str) -> None:
    register, records, _ = shared
    role = login if login in ROLES else "public"
    view = register.as_user(login)
    done = {
        kind for kind, record in records.items() if _addable(kind, action) and attempt(view, action, record)
    }
    assert done == {kind for kind in KINDS if allows(role, action, kind) and _addable(kind, action)}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("login", [*LOGINS, "own_public", "own_member", "own_editor", "own_admin"])
def test_matrix_on_a_private_project(shared: Shared, login: str, action: str) -> None:
    register, _, records = shared
    about = {kind: record for kind, record in records.items() if record.project}
    role = login.removeprefix("own_") if login not in ("own_public", *LOGINS) else None
    role = "admin" if login == "admin" else role
    view = register.as_user(login)
    kinds = {kind for kind in about if _addable(kind, action) and not (kind == "project" and action == "add")}
    done = {kind for kind in kinds if attempt(view, action, about[kind])}
    assert done == {kind for kind in kinds if allows(role, action, kind)}
    assert len(kinds) >= 10


def _addable(kind: str, action: str) -> bool:
    """A gate is added through the gates that are left; there are fewer than attempts."""
    return not (kind == "gate" and action == "add")


def test_a_private_project_shows_nowhere(
    shared: Shared,
) -> None:
    register, _, private = shared
    for login in (None, "stranger", "member", "editor", "elsewhere", "own_public"):
        view = register.as_user(login)
        for kind in KINDS:
            assert not [
                one for one in view.find(kind, withdrawn=None) if one.project == private["project"].id
            ]
        for kind, record in private.items():
            if record.project:
                for read in (view.get, view.history):
                    with pytest.raises(NotFound) as stopped:
                        read(kind, record.id)
                    with pytest.raises(NotFound) as absent:
                        read(kind, "none")
                    assert str(stopped.value).replace(record.id, "none") == str(absent.value)
    assert register.as_user("own_member").get("gate", private["gate"].id)
    assert register.as_user("admin").find("gate", project=private["project"].id)


def test_a_visitor_reads_what_is_public_and_writes_nothing(
    shared: Shared,
) -> None:
    register, records, _ = shared
    view = register.as_user(None)
    assert {kind for kind in KINDS if view.find(kind)} == SEEN_BY_ALL
    with pytest.raises(Refused, match="sign in"):
        view.edit("project", records["project"].id, 1, {"city": "Colton"}, "a reason")


def test_a_refusal_says_who_is_what_where(
    shared: Shared,
) -> None:
    register, records, _ = shared
    with pytest.raises(Refused) as stopped:
        register.as_user("member").edit("project", records["project"].id, 1, {"city": "Colton"}, "a reason")
    assert stopped.value.because == (
        "member is member in project california:T-1, which may not edit records of kind project; "
        "editor and above may"
    )
    verdict = register.as_user("admin").permissions().verdict("edit", "project", "california", None)
    assert verdict
    assert "may edit" in verdict.because


@pytest.fixture
def own(ready_url: Callable[[str], str]) -> Iterator[Register]:
    with Register.open(ready_url("sqlite")) as register:
        for role in ("member", "editor"):
            register.add("membership", {"hub": "california", "login": role, "role": role}, **SIGNED)
        yield register


def test_a_member_adds_a_private_project_and_is_its_administrator(
    own: Register, project: dict[str, Any]
) -> None:
    del project["private"]
    view = own.as_user("member")
    with pytest.raises(Refused, match="private one only"):
        view.add("project", project | {"private": False}, "my project")
    made = view.add("project", project, "my project")
    assert made["private"] is True
    assert (made["owner"], own.history("project", made.id)[0].actor) == ("member", "member")
    assert view.advance(made.id, "feed", "contract signed")["stage"] == "feed"
    view.add(
        "membership", {"hub": "california", "project": made.id, "login": "bob", "role": "member"}, "a partner"
    )
    assert own.as_user("bob").get("project", made.id)["name"] == made["name"]
    assert own.as_user("editor").find("project") == []
    published = view.edit("project", made.id, 2, {"private": False}, "announced")
    assert own.as_user(None).find("project") == [published]
    for fields in ({"project": None}, {"hub": "elsewhere", "project": None}):
        grant = {"hub": "california", "login": "bob", "role": "admin", **fields}
        with pytest.raises(Refused):
            view.add("membership", grant, "more")


def test_only_its_administrators_make_a_project_private_or_another_s(
    own: Register, project: dict[str, Any]
) -> None:
    made = own.add("project", project, **SIGNED)
    view = own.as_user("editor")
    for change in ({"private": True}, {"owner": "editor"}, {"city": "Colton", "owner": "editor"}):
        with pytest.raises(Refused, match="only an administrator"):
            view.edit("project", made.id, 1, change, "mine now")
    assert view.edit("project", made.id, 1, {"city": "Colton"}, "moved").version == 2


def test_a_membership_that_is_withdrawn_no_longer_counts(own: Register, project: dict[str, Any]) -> None:
    made = own.add("project", project, **SIGNED)
    own.withdraw("membership", "california:editor", 1, "ann", "left")
    with pytest.raises(Refused):
        own.as_user("editor").edit("project", made.id, 1, {"city": "Colton"}, "moved")


def test_a_role_that_nobody_knows_is_none() -> None:
    permissions = Permissions("ann", {("california", None): "emperor"}, frozenset({"california:P-1"}))
    assert permissions.role("california", None) == "public"
    assert permissions.role("california", "california:P-1") is None
    assert not permissions.verdict("read", "actor", "california", None)
