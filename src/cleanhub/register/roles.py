"""Who may do what: an action on a kind of record, in a hub or in one project of it. The rest is denied.

A login has the role of its memberships: one in a hub holds for the whole hub, one in a project for that
project. Nobody (and a login without membership) has the role ``public``. A private project, with all that
is about it, is there for its own members and the administrators of its hub only; for everybody else it
does not exist, so that no answer gives it away. Roles bind whoever comes through :class:`View` (the API,
the web). They do not bind whoever holds the SQLite file or the password of the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cleanhub.register.checks import kind_table
from cleanhub.register.errors import NotFound, Refused
from cleanhub.register.events import Event, Record
from cleanhub.register.models import KINDS, PARENTS
from cleanhub.register.transaction import Transaction

if TYPE_CHECKING:
    from cleanhub.register.store import Register

ACTIONS = ("read", "add", "edit", "withdraw")
ROLES = ("public", "member", "editor", "admin")
"""From least to most: each may do what those before it may."""

_PUBLIC_KINDS = frozenset(
    {"project", "gate", "evidence", "commitment", "agreement", "agreement_step", "contested_number", "answer"}
)
_WORKING_KINDS = frozenset(KINDS) - {"membership"}
_GRANTS: dict[str, dict[str, frozenset[str]]] = {
    "public": {"read": _PUBLIC_KINDS},
    "member": {
        "read": _WORKING_KINDS,
        "add": frozenset({"project", "evidence", "pain_point", "contested_number"}),
    },
    "editor": dict.fromkeys(ACTIONS, _WORKING_KINDS),
    "admin": {action: frozenset(KINDS) for action in ACTIONS},
}
OWNED = frozenset({"private", "owner"})
"""Fields of a project that only its administrators change."""


@dataclass(frozen=True)
class Verdict:
    """Whether something is allowed, and why or why not."""

    allowed: bool
    because: str

    def __bool__(self) -> bool:
        return self.allowed


def allows(role: str | None, action: str, kind: str) -> bool:
    """Whether a role may do ``action`` on records of ``kind``; what is not granted is denied."""
    if role not in ROLES:
        return False
    roles = ROLES[: ROLES.index(role) + 1]
    return any(kind in _GRANTS[one].get(action, frozenset()) for one in roles)


@dataclass(frozen=True)
class Permissions:
    """What one login may do, at one moment.

    Attributes
    ----------
    login
        ``None`` for a visitor.
    roles
        Its role by (hub, project); project ``None`` for the hub as a whole.
    private
        The identifiers of all private projects.
    """

    login: str | None
    roles: Mapping[tuple[str, str | None], str]
    private: frozenset[str]

    @classmethod
    def read(cls, now: Transaction, login: str | None) -> Permissions:
        """The permissions of ``login`` as the register stands."""
        found = now.find("membership", login=login) if login else []
        roles = {(record.hub, record["project"]): str(record["role"]) for record in found}
        private = frozenset(record.id for record in now.find("project", private=True, withdrawn=None))
        return cls(login, roles, private)

    def role(self, hub: str, project: str | None) -> str | None:
        """The role in a project, or in the hub as a whole; ``None``: it is not there for this login."""
        in_hub = self.roles.get((hub, None))
        in_project = self.roles.get((hub, project)) if project else None
        if project in self.private:
            if in_hub == "admin":
                return "admin"
            return None if in_project in (None, "public") else in_project
        return max((in_hub or "public", in_project or "public"), key=_rank)

    def verdict(self, action: str, kind: str, hub: str, project: str | None) -> Verdict:
        """Whether ``action`` on records of ``kind`` is allowed there, and why."""
        role = self.role(hub, project)
        who = self.login or "a visitor"
        place = f"project {project}" if project else f"hub {hub}"
        if role is None:
            return Verdict(False, f"{who} is no member of {place}, which is private")
        verb = "may" if allows(role, action, kind) else "may not"
        least = next(one for one in ROLES if allows(one, action, kind))
        others = "" if verb == "may" else f"; {least} and above may"
        because = f"{who} is {role} in {place}, which {verb} {action} records of kind {kind}{others}"
        return Verdict(verb == "may", because)

    def sees(self, record: Record) -> bool:
        """Whether the record is there for this login."""
        return bool(self.verdict("read", record.kind, record.hub, record.project))


def _rank(role: str) -> int:
    return ROLES.index(role) if role in ROLES else -1


class View:
    """The register as one login may see and change it. Made by ``Register.as_user``.

    Reading leaves out what is not for it. Writing raises :class:`~cleanhub.register.errors.Refused` with
    the reason, or :class:`~cleanhub.register.errors.NotFound` where the login may not even know that the
    record is there. The methods are those of the register without ``by``: that is the login.
    """

    def __init__(self, register: Register, login: str | None) -> None:
        self.register = register
        self.login = login

    def permissions(self) -> Permissions:
        """What the login may do now."""
        with self.register.transaction("read") as now:
            return Permissions.read(now, self.login)

    # ------------------------------------------------------------ reading

    def get(self, kind: str, id: str) -> Record:
        """The record as it stands. Raises :class:`NotFound`, also where it is not for this login."""
        with self.register.transaction("read") as now:
            return _visible(now, Permissions.read(now, self.login), kind, id)

    def find(self, kind: str, /, *, withdrawn: bool | None = False, **equal: Any) -> list[Record]:
        """Records of a kind that are there for this login; see ``Transaction.find``."""
        with self.register.transaction("read") as now:
            permissions = Permissions.read(now, self.login)
            found = now.find(kind, withdrawn=withdrawn, **equal)
            return [record for record in found if permissions.sees(record)]

    def history(self, kind: str, id: str) -> list[Event]:
        """The events of a record that is there for this login."""
        with self.register.transaction("read") as now:
            _visible(now, Permissions.read(now, self.login), kind, id)
            return now.history(kind, id)

    # ------------------------------------------------------------ writing

    @contextmanager
    def transaction(self) -> Iterator[Signed]:
        """Several writes of this login that are committed together, or not at all."""
        if not self.login:
            raise Refused("a visitor may not write: sign in")
        with self.register.transaction() as now:
            yield Signed(now, Permissions.read(now, self.login), self.login)

    def add(
        self, kind: str, fields: Mapping[str, Any], reason: str, source: str = "", basis: str = "asserted"
    ) -> Record:
        """Add a record. A member may add a project of its own, as long as it is private.

        Whoever adds a private project becomes its administrator.
        """
        with self.transaction() as mine:
            return mine.add(kind, fields, reason, source, basis)

    def edit(
        self,
        kind: str,
        id: str,
        version: int,
        changes: Mapping[str, Any],
        reason: str,
        source: str = "",
        basis: str = "asserted",
    ) -> Record:
        """Change fields of the record that was read at ``version``; see ``Transaction.edit``."""
        with self.transaction() as mine:
            return mine.edit(kind, id, version, changes, reason, source, basis)

    def withdraw(self, kind: str, id: str, version: int, reason: str, source: str = "") -> Record:
        """Set a record aside; see ``Transaction.withdraw``."""
        return self.edit(kind, id, version, {"withdrawn": True}, reason, source)

    def advance(
        self,
        project: str,
        stage: str,
        reason: str,
        source: str = "",
        basis: str = "asserted",
        version: int | None = None,
    ) -> Record:
        """Move a project on to a later stage; see ``Transaction.advance``."""
        with self.transaction() as mine:
            record = _visible(mine.now, mine.permissions, "project", project)
            _refuse_unless(mine.permissions.verdict("edit", "project", record.hub, record.id))
            return mine.now.advance(project, stage, mine.login, reason, source, basis, version)


class Signed:
    """The writes of one login within one transaction. Made by :meth:`View.transaction`."""

    def __init__(self, now: Transaction, permissions: Permissions, login: str) -> None:
        self.now, self.permissions, self.login = now, permissions, login

    def add(
        self, kind: str, fields: Mapping[str, Any], reason: str, source: str = "", basis: str = "asserted"
    ) -> Record:
        """See :meth:`View.add`."""
        self._may_add(kind, fields)
        record = self.now.add(kind, fields, self.login, reason, source, basis)
        if kind == "project" and record["private"]:
            member = {"hub": record.hub, "project": record.id, "login": self.login, "role": "admin"}
            self.now.add("membership", member, self.login, "added the project")
            self.permissions = replace(
                self.permissions,
                roles={**self.permissions.roles, (record.hub, record.id): "admin"},
                private=self.permissions.private | {record.id},
            )
        return record

    def edit(
        self,
        kind: str,
        id: str,
        version: int,
        changes: Mapping[str, Any],
        reason: str,
        source: str = "",
        basis: str = "asserted",
    ) -> Record:
        """See :meth:`View.edit`."""
        record = _visible(self.now, self.permissions, kind, id)
        action = "withdraw" if "withdrawn" in changes else "edit"
        _refuse_unless(self.permissions.verdict(action, kind, record.hub, record.project))
        if set(changes) - {"withdrawn"}:
            _refuse_unless(self.permissions.verdict("edit", kind, record.hub, record.project))
        owned = sorted(OWNED & set(changes)) if kind == "project" else []
        if owned and self.permissions.role(record.hub, record.project) != "admin":
            raise Refused(f"only an administrator of project {id} changes {', '.join(owned)}")
        for name in PARENTS[kind]:
            if changes.get(name) is not None:
                _visible(self.now, self.permissions, name, str(changes[name]))
        return self.now.edit(kind, id, version, changes, self.login, reason, source, basis)

    def _may_add(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Judge by what the record would be under, before anything is said about what else is there."""
        kind_table(kind)
        hub, project = str(fields.get("hub") or ""), fields.get("project") or None
        for name in PARENTS[kind]:
            if fields.get(name):
                parent = _visible(self.now, self.permissions, name, str(fields[name]))
                project = project or (parent.project if name != "actor" else None)
        _refuse_unless(self.permissions.verdict("add", kind, hub, str(project) if project else None))
        if kind != "project":
            return
        if (
            not allows(self.permissions.role(hub, None), "edit", "project")
            and fields.get("private", True) is not True
        ):
            raise Refused(f"{self.login} may add a project of its own to hub {hub}, but a private one only")


def _visible(now: Transaction, permissions: Permissions, kind: str, id: str) -> Record:
    record = now.get(kind, id)
    if not permissions.sees(record):
        raise NotFound(kind, id)
    return record


def _refuse_unless(verdict: Verdict) -> None:
    if not verdict:
        raise Refused(verdict.because)
