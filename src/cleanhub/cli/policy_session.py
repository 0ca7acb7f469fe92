"""What the commands on policies share: options, the book they read, wrapped lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cleanhub.hub.package import Hub
    from cleanhub.hub.scenario import Scenario
    from cleanhub.policy.book import PolicyBook

HubOption = Annotated[str | None, typer.Option("--hub", help="a bundled hub's name, or a hub folder")]
AboutOption = Annotated[
    list[str] | None,
    typer.Option("--about", help="only those whose rows hold this word, as truck; may be repeated: any"),
]


def policy_book(
    hub: str | None, scenario: str | None, files: Sequence[Path] | None, *, default_scenario: bool = False
) -> tuple[PolicyBook, Hub | None, Scenario | None]:
    """The policies under a scenario's choices and with a user's files, and the hub and scenario if any."""
    from cleanhub.hub.library import load_library
    from cleanhub.hub.package import load_hub
    from cleanhub.hub.scenario import load_scenario
    from cleanhub.policy.book import load_book

    loaded = load_hub(hub) if hub is not None else None
    if default_scenario and scenario is None and loaded is not None:
        scenario = str(loaded.meta.get("default_scenario", "baseline"))
    chosen = load_scenario(scenario, loaded) if scenario is not None and loaded is not None else None
    library = loaded.library if loaded is not None else load_library()
    return load_book(library, loaded, chosen, files or ()), loaded, chosen
