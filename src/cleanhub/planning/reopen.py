"""The hub behind a saved plan: found again, and checked to be the one that the plan was made from.

A plan folder holds results and the hash of every input, not the inputs. Whoever asks more of it than it
holds needs the same files again.
"""

from __future__ import annotations

from pathlib import Path

from cleanhub.core.errors import FaultList, InputError
from cleanhub.hub.package import Hub, list_hubs, load_hub
from cleanhub.planning.identity import hashes
from cleanhub.planning.plan import Plan

_NO_INPUT = "hub/scenarios/"  # the plan holds its scenario itself


def hub_behind(plan: Plan, folder: str | Path | None = None) -> Hub:
    """The hub that ``plan`` was made from: of ``folder``, or the bundled one of its name.

    Raises :class:`~cleanhub.core.errors.InputError` where there is none, or naming every file that is
    no longer what it was.
    """
    if plan.hub is not None:
        return plan.hub
    faults = FaultList()
    if any(name.startswith("register/") for name in plan.hashes):
        faults.add(f"plan {plan.id}", what="its projects are those of a register: plan again to ask this")
        raise InputError(f"the hub of plan {plan.id}", faults.faults)
    if folder is None and plan.hub_name not in list_hubs():
        faults.add(
            f"plan {plan.id}", what="its hub is not bundled", found=plan.hub_name, allowed="the hub's folder"
        )
        raise InputError(f"the hub of plan {plan.id}", faults.faults)
    hub = load_hub(folder if folder is not None else plan.hub_name)
    now, then = hashes(hub), plan.hashes
    for name in sorted({*now, *then}):
        if now.get(name) != then.get(name) and not name.startswith(_NO_INPUT):
            faults.add(
                name,
                what=f"not the file that plan {plan.id} was made from",
                found=now.get(name, "no such file"),
                allowed=f"{then.get(name, 'no such file')}: give the folder it was made from, or plan again",
            )
    faults.raise_if_any(f"the hub of plan {plan.id}")
    return hub
