"""The options that the commands on a register share: which register and hub, who asks, who writes and why.

A command decorated with :data:`reads`, :data:`writes` or :data:`makes` gets what they say as its first
argument, an :class:`Asked`, and declares only what is its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from functools import wraps
from typing import Annotated, Any, Concatenate, ParamSpec, get_type_hints

import typer

from cleanhub.cli.output import JsonOption
from cleanhub.cli.register_session import DEFAULT_REGISTER, Session, session

RegisterOption = Annotated[
    str | None,
    typer.Option(
        "--register",
        envvar="CLEANHUB_REGISTER",
        help=f"the register: a file, or postgresql://host/database (default: {DEFAULT_REGISTER} here)",
    ),
]
HubOption = Annotated[str, typer.Option("--hub", help="name of the hub, or the folder of its package")]
AsOption = Annotated[
    str | None,
    typer.Option(
        "--as", envvar="CLEANHUB_AS", help="act as this login: its role decides (default: as the owner)"
    ),
]
ByOption = Annotated[
    str,
    typer.Option(
        "--by", envvar="CLEANHUB_BY", help="who writes; never taken from the system (--as takes its place)"
    ),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="why: kept with the change for good")]
SourceOption = Annotated[str, typer.Option("--source", help="where it was seen: title and date, or address")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="FIELD=VALUE, may be repeated; an empty value clears")
]
CreateOption = Annotated[bool, typer.Option("--create", help="make the register if it is not there")]
VersionOption = Annotated[
    int | None,
    typer.Option("--version", help="the version you looked at: refused if somebody was faster", min=1),
]

Own = ParamSpec("Own")


@dataclass(frozen=True)
class Asked:
    """What the shared options of a command say; those that the command does not have keep their default."""

    hub: HubOption = "california"
    by: ByOption = ""
    reason: ReasonOption = ""
    source: SourceOption = ""
    create: CreateOption = False
    register: RegisterOption = None
    user: AsOption = None
    as_json: JsonOption = False

    def session(self, hub: str | None = None, make_default: bool = False) -> AbstractContextManager[Session]:
        """The register, opened at ``hub`` if one is named; see :mod:`cleanhub.cli.register_session`."""
        return session(self.register, hub or self.hub, self.user, self.as_json, self.create, make_default)


def _offering(*without: str) -> Callable[[Callable[Concatenate[Asked, Own], None]], Callable[..., None]]:
    """A decorator that adds the options of :class:`Asked` to a command, but for those in ``without``."""
    kinds = get_type_hints(Asked, include_extras=True)
    shared = [
        inspect.Parameter(
            one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=kinds[one.name]
        )
        for one in fields(Asked)
        if one.name not in without
    ]

    def decorate(command: Callable[Concatenate[Asked, Own], None]) -> Callable[..., None]:
        own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]

        @wraps(command)
        def called(**given: Any) -> None:
            asked = Asked(**{one.name: given.pop(one.name) for one in shared})
            command(asked, **given)  # type: ignore[call-arg]  # typer gives what the command declares

        every = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*own, *shared)]
        called.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
        called.__annotations__ = {one.name: one.annotation for one in every}
        return called

    return decorate


reads = _offering("by", "reason", "source", "create")
"""For commands that only look: --hub, --register, --as, --json."""
writes = _offering("create")
"""For commands that change records: those of :data:`reads`, and --by, --reason, --source."""
makes = _offering()
"""For commands that may begin a register: those of :data:`writes`, and --create."""
