"""One plan: a hub under a scenario, as a set of declared tables."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from cleanhub.core.aside import Begun, aside
from cleanhub.core.errors import RunError
from cleanhub.core.fingerprint import fingerprint
from cleanhub.core.memory import remembering
from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.plan_tables import PENDING
from cleanhub.hub.scenario import Scenario, load_scenario
from cleanhub.planning.announced import announced_projects
from cleanhub.planning.identity import content, hashes, versions

if TYPE_CHECKING:
    from collections.abc import Iterator

Progress = Callable[[str, float], None]
T = TypeVar("T")


class MissingTableError(RunError, KeyError):
    """A table that a plan does not hold, as one of an earlier version may not."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass
class Plan:
    """The result of planning one hub under one scenario.

    ``tables`` holds one frame per table built so far (see
    :data:`cleanhub.hub.plan_tables.PLAN_TABLES`); ``pending`` names the tables of the
    design that are not built yet and the room that will build each; ``hub`` is ``None``
    for a plan that was loaded from its folder. ``timings`` are wall and CPU seconds of each step that was
    computed, ``recalled`` names the steps that were remembered. ``inputs`` is the fingerprint of all that
    the plan was made from; empty for one that was loaded or put together otherwise.
    """

    scenario: Scenario
    seed: int
    tables: dict[str, pd.DataFrame]
    hub_name: str
    hub_title: str
    hashes: dict[str, str]
    versions: dict[str, str]
    pending: dict[str, str]
    notes: list[str] = field(default_factory=list)
    timings: dict[str, dict[str, float]] = field(default_factory=dict)
    recalled: list[str] = field(default_factory=list)
    hub: Hub | None = None
    inputs: str = ""

    @property
    def id(self) -> str:
        """Short id: the same for the same hub, scenario, seed and versions."""
        text = json.dumps(
            [self.hashes, self.scenario_data(), self.seed, self.versions["cleanhub"]], sort_keys=True
        )
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def scorecard(self) -> pd.DataFrame:
        """The headlines, in reading order."""
        return self.tables["scorecard"]

    def table(self, name: str) -> pd.DataFrame:
        """One table by name.

        Raises :class:`MissingTableError` naming the tables there are; for a table that is part of the
        design but not built yet, it says so.
        """
        if name in self.tables:
            return self.tables[name]
        if name in self.pending:
            raise MissingTableError(f"table {name} is pending: room {self.pending[name]} is not built yet")
        raise MissingTableError(f"no table {name} in this plan; there are: {', '.join(self.tables)}")

    def scenario_data(self) -> dict[str, Any]:
        """The scenario as plain data."""
        data: dict[str, Any] = self.scenario.model_dump(mode="json")
        return data

    def save(self, folder: str | Path) -> Path:
        """Write plan.json, run.json and the tables to ``folder``, whole or not at all.

        Raises :class:`~cleanhub.core.errors.RunError` when the folder holds something
        else than a plan or cannot be written. Returns the folder.
        """
        from cleanhub.planning.store import save_plan

        return save_plan(self, Path(folder))


def plan(
    hub: Hub | str | Path,
    scenario: Scenario | str | Path | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    fresh: bool = False,
) -> Plan:
    """Plan ``hub`` under ``scenario`` (the hub's default scenario when none is named).

    Parameters
    ----------
    hub, scenario
        A loaded hub and scenario, or their names or paths.
    seed
        Seed of every draw; kept in the plan.
    progress
        Called with the step's name and the share done, 0 to 1.
    fresh
        Compute every step anew, also those remembered from an earlier plan of the same inputs
        (:mod:`cleanhub.core.memory`).

    Raises
    ------
    InputError
        The hub or the scenario has faults; all are listed.
    """
    tell = progress or (lambda step, share: None)
    clock = Clock()
    with remembering(fresh) as memory:
        if not isinstance(hub, Hub):
            hub = load_hub(hub)
        if scenario is None:
            scenario = str(hub.meta.get("default_scenario", "baseline"))
        chosen = scenario if isinstance(scenario, Scenario) else load_scenario(scenario, hub)
        with clock.step("plan"):
            inputs = fingerprint(content(hub), chosen, seed)
            tables, notes = memory.value("plan", (inputs,), lambda: _computed(hub, chosen, seed, tell, clock))
    tell("plan", 1.0)
    return Plan(
        scenario=chosen,
        seed=seed,
        tables=tables,
        hub_name=hub.name,
        hub_title=hub.title,
        hashes=hashes(hub),
        versions=versions(),
        pending=dict(PENDING),
        notes=notes,
        timings=clock.timings,
        recalled=memory.recalled,
        hub=hub,
        inputs=inputs,
    )


def _computed(
    hub: Hub, scenario: Scenario, seed: int, tell: Progress, clock: Clock
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    announced = clock.aside("projects", lambda: announced_projects(hub, scenario, seed), alone=False)
    from cleanhub.planning.steps import computed  # what computes is heavy: a remembered plan does without

    return computed(hub, scenario, seed, tell, clock, announced)


class Clock:
    """Wall and CPU time of each step; kept in run.json, outside the promise of equal bytes."""

    def __init__(self) -> None:
        self.timings: dict[str, dict[str, float]] = {}

    def aside(
        self, name: str, make: Callable[[], T], alone: bool = True, last: bool = False
    ) -> Callable[[], T]:
        """Begin the step ``name`` beside others (:func:`cleanhub.core.aside.aside`); what waits for it."""
        return self.told(name, aside(make, alone, last))

    def told(self, name: str, begun: Begun[T]) -> Callable[[], T]:
        """What waits for a value begun elsewhere, and keeps its time under ``name``."""

        def wait() -> T:
            value = begun()
            self.timings[name] = {"wall_s": round(begun.wall_s, 4), "cpu_s": round(begun.cpu_s, 4)}
            return value

        return wait

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Keep the time of the block under ``name``."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.timings[name] = {
            "wall_s": round(time.perf_counter() - wall, 4),
            "cpu_s": round(time.process_time() - cpu, 4),
        }
