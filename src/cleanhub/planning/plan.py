"""One plan: a hub under a scenario, as a set of declared tables."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cleanhub.core.errors import RunError
from cleanhub.core.memory import remembering
from cleanhub.finance.technologies import STORAGE_PRICE, missing_prices
from cleanhub.finance.valuations import (
    ProjectValue,
    counts,
    policy_answers_table,
    policy_wedge_table,
    valuations_table,
)
from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.plan_tables import PENDING
from cleanhub.hub.scenario import Scenario, load_scenario
from cleanhub.pathways import emissions, results
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.charging import Charging
from cleanhub.pathways.engine import run_pathway
from cleanhub.pathways.tables import path_tables
from cleanhub.pipeline.offtake import offtake_table
from cleanhub.planning.charging import TABLES as CHARGING_TABLES
from cleanhub.planning.charging import charging_tables, with_chargers
from cleanhub.planning.commitments import commitments_table
from cleanhub.planning.foresight import compare_with_optimum, with_marginal_values
from cleanhub.planning.identity import content, hashes, versions
from cleanhub.planning.need import expected_decisions, project_need_table, vehicles_bought
from cleanhub.planning.pipeline import run_pipeline, simulated_tables, valued_projects
from cleanhub.planning.projects import projects_table
from cleanhub.planning.provenance import provenance_table, source_groups
from cleanhub.planning.scorecard import ScorecardInputs, scorecard_table
from cleanhub.planning.targets import PathTables, budgets_table, milestones_table

if TYPE_CHECKING:
    from collections.abc import Iterator

Progress = Callable[[str, float], None]
STEPS = ("path", "freight", "tables", "optimum", "range", "projects", "pipeline", "scorecard")


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
    computed, ``recalled`` names the steps that were remembered.
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
    clock = _Clock()
    with remembering(fresh) as memory:
        if not isinstance(hub, Hub):
            hub = load_hub(hub)
        if scenario is None:
            scenario = str(hub.meta.get("default_scenario", "baseline"))
        chosen = scenario if isinstance(scenario, Scenario) else load_scenario(scenario, hub)
        with clock.step("plan"):
            inputs = (content(hub), chosen, seed)
            tables, notes = memory.value("plan", inputs, lambda: _made(hub, chosen, seed, tell, clock))
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
    )


def _made(
    hub: Hub, scenario: Scenario, seed: int, tell: Progress, clock: _Clock
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """The tables and notes of a plan, in the order they are written."""
    with clock.step("path"):
        path = run_pathway(hub, scenario, lambda done, total: tell("years", 0.5 * done / total), seed)
    with clock.step("freight"):
        coupled = with_chargers(path, seed)
        path = coupled.path
    tell("freight", 0.55)
    with clock.step("tables"):
        tables = {**path_tables(path), **charging_tables(coupled)}
        central = _measured(path, tables)
    tell("tables", 0.6)
    with clock.step("optimum"):
        foresight = compare_with_optimum(path)
        tables["limits"] = with_marginal_values(tables["limits"], path, foresight)
    tell("optimum", 0.65)
    with clock.step("range"):
        ends = tuple(_end(hub, scenario, end, coupled.charging) for end in ("low", "high"))
    tell("range", 0.8)
    with clock.step("projects"):
        valued = valued_projects(hub, scenario)
        tables["valuations"] = valuations_table(valued.projects)
        tables["policy_answers"] = policy_answers_table(valued.projects, scenario.end_year)
        tables["policy_wedge"] = policy_wedge_table(valued.projects, scenario.end_year)
        tables["milestones"] = milestones_table(hub, scenario, central)
        tables["budgets"] = budgets_table(hub, scenario, central)
    tell("projects", 0.85)
    with clock.step("pipeline"):
        run = run_pipeline(hub, scenario, valued, seed=seed, dangling="note")
        tables.update(simulated_tables(run, scenario, valued))
        tables["projects"] = projects_table(hub, scenario, run)
        tables.update(_expected(path, tables, central))
    tell("pipeline", 0.9)
    with clock.step("scorecard"):
        inputs = ScorecardInputs(
            hub,
            scenario,
            central,
            ends,
            tables["costs"],
            tables["sectors"],
            tables["project_need"],
            tables["valuations"],
            foresight,
            {name: tables[name] for name in CHARGING_TABLES},
            {name: tables[name] for name in ("projects", "links")},
            source_groups(hub),
        )
        scorecard = scorecard_table(inputs)
        tables["provenance"] = provenance_table(hub, scenario, scorecard, tables["emissions"])
    tell("scorecard", 1.0)
    notes = [
        *(note.line() for note in hub.notes),
        *_unpriced(path),
        *_worth(valued.projects),
        *coupled.notes,
        *(f"pipeline: {note}" for note in run.notes),
    ]
    return {"scorecard": scorecard, **tables}, notes


def _expected(path: Pathway, tables: dict[str, pd.DataFrame], central: PathTables) -> dict[str, pd.DataFrame]:
    """What the path needs and promises ask for, against what the pipeline is expected to bring."""
    hub, scenario, last = path.hub, path.scenario, path.sites.last_year
    decisions = expected_decisions(hub, tables["stage_years"], last)
    need = project_need_table(hub, scenario, tables["switches"], last, vehicles_bought(path), decisions)
    online = tables["projects"].set_index("project_id")["online_p50"].dropna()
    from_year = {str(name): float(year) for name, year in online.items()}
    return {
        "project_need": need,
        "commitments": commitments_table(path, central),
        "offtake": offtake_table(hub, scenario, tables["valuations"], from_year),
    }


def _unpriced(path: Pathway) -> list[str]:
    """One line for each thing that technologies would use and the hub has no price for."""
    gaps = missing_prices(path.tech, path.drivers)
    start = path.problem.plants.start
    wanted = (path.problem.kinds[np.unique(start[start >= 0])] > 0).any(axis=0)
    lines = []
    for c, name in enumerate([*path.tech.carriers, STORAGE_PRICE]):
        count = int((gaps[:, c] & wanted).sum())
        if count:
            lines.append(
                f"drivers.csv: no price of {name}: {count} technologies that need it are not offered"
            )
    return lines


def _worth(valued: list[ProjectValue]) -> list[str]:
    """A line that counts projects with a value and without, by reason; one more if none is taxed."""
    if not valued:
        return []
    parts = [f"{count} {status}" for status, count in counts(valued).items()]
    lines = [f"projects: {'; '.join(parts)}"]
    values = [one.value for one in valued if one.value is not None]
    if values and not any(np.any(value.sponsor.rules.federal_rate) for value in values):
        lines.append("projects: no tax law is known for this hub's jurisdictions: valued without income tax")
    return lines


def _measured(path: Pathway, tables: dict[str, pd.DataFrame]) -> PathTables:
    zero = frozenset(path.tech.names[path.tech.is_vehicle & (path.tech.direct <= 0)])
    return PathTables(
        tables["emissions"],
        tables["assets"],
        tables["switches"],
        tables["truck_fleet"],
        path.drivers,
        zero,
    )


def _end(hub: Hub, scenario: Scenario, end: str, charging: tuple[Charging, ...]) -> PathTables:
    """The path with drivers at one end of their ranges; chargers stay as they are sited."""
    path = run_pathway(hub, scenario.with_range("low" if end == "low" else "high"), charging=charging)
    tables = {
        "emissions": emissions.emissions_table(path),
        "assets": results.assets_table(path),
        "switches": results.switches_table(path),
        "truck_fleet": results.truck_fleet_table(path),
    }
    return _measured(path, tables)


class _Clock:
    """Wall and CPU time of each step; kept in run.json, outside the promise of equal bytes."""

    def __init__(self) -> None:
        self.timings: dict[str, dict[str, float]] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.timings[name] = {
            "wall_s": round(time.perf_counter() - wall, 4),
            "cpu_s": round(time.process_time() - cpu, 4),
        }
