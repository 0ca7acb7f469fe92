"""A hub whose projects are those of a register in place of those of its package."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from cleanhub.core.errors import RunError
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario, load_scenario

META = "register"
"""Where the description of such a hub keeps what was read: ``{"events": ..., "hash": ...}``."""
ATTEMPTS = 5
"""How often the register is read anew when someone wrote to it meanwhile."""


def with_register(hub: Hub, register: str | Path, user: str | None = None) -> Hub:
    """The hub with the projects of a register in place of its package's.

    Parameters
    ----------
    hub
        The hub; its other tables stay as they are.
    register
        The register: a file, or the URL of a database.
    user
        The login whose eyes it is read with: private projects that are not for it are left out. Without
        one it is read as its owner reads it, private projects and all.

    Returns
    -------
    Hub
        Its description says under ``register`` how many events there were and the hash over all that the
        register held: never where the register is.

    Raises
    ------
    InputError
        A project names a technology or a source that is in neither package nor library.
    RunError
        The register is not there, of another schema, or was written to all the time.
    """
    # the database stands behind these imports: a plan of the package alone does without
    from cleanhub.register.backup import contents
    from cleanhub.register.hub_projects import with_register as with_records
    from cleanhub.register.store import Register

    with Register.open(register, library=hub.library) as opened:
        before = contents(opened)
        for _ in range(ATTEMPTS):
            found = with_records(hub, opened if user is None else opened.as_user(user))
            after = contents(opened)
            if after == before:
                read = {"events": str(after.rows["event"]), "hash": after.digest[:16]}
                return replace(found, meta={**hub.meta, META: read})
            before = after
    raise RunError("the register was written to while it was read: try again")


def register_hashes(hub: Hub) -> dict[str, str]:
    """What a plan keeps of the register its hub was read from, keyed ``register/...``; else nothing."""
    read: dict[str, Any] = hub.meta.get(META, {})
    return {f"register/{name}": str(value) for name, value in read.items()}


def loaded_hub(
    hub: str, scenario: str | None = None, register: str | None = None, user: str | None = None
) -> tuple[Hub, Scenario]:
    """The hub and scenario that a command names, with the projects of a register where one is named."""
    from cleanhub.hub.package import load_hub

    loaded = load_hub(hub)
    chosen = load_scenario(scenario or str(loaded.meta.get("default_scenario", "baseline")), loaded)
    return (loaded if register is None else with_register(loaded, register, user)), chosen
