"""The pipeline of a hub inside a plan: values on grids, the simulation, and its tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cleanhub.core.aside import aside
from cleanhub.core.memory import remembered
from cleanhub.finance.valuations import (
    ProjectValue,
    counts,
    policy_answers_table,
    policy_wedge_table,
    valuations_table,
)
from cleanhub.hub.package import Hub
from cleanhub.hub.parameters import Parameters
from cleanhub.hub.scenario import Scenario
from cleanhub.pipeline.backtest import backtest_table
from cleanhub.pipeline.conflicts import conflicts_table
from cleanhub.pipeline.coordination import coordination_table
from cleanhub.pipeline.deadlines import policy_deadlines
from cleanhub.pipeline.financing import value_gates
from cleanhub.pipeline.graph import Dangling
from cleanhub.pipeline.missing import links_table
from cleanhub.pipeline.offtake import offtake_table
from cleanhub.pipeline.problem import Hurdle
from cleanhub.pipeline.results import gates_table, pipeline_years_table, stage_years_table
from cleanhub.pipeline.simulate import DRAWS, Run, simulate
from cleanhub.planning.announced import Announced
from cleanhub.planning.projects import projects_table
from cleanhub.planning.valued import Valued, valued_projects

__all__ = ["TABLES", "compute_announced", "run_pipeline", "simulated_tables", "valued_projects"]

TABLES = (
    "gates",
    "links",
    "stage_years",
    "pipeline_years",
    "coordination",
    "conflicts",
    "pipeline_backtest",
)
"""Tables that :func:`simulated_tables` makes."""


def run_pipeline(
    hub: Hub,
    scenario: Scenario,
    valued: Valued | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    hurdle: Hurdle = "revealed",
    without_evidence: bool = False,
    dangling: Dangling = "error",
) -> Run:
    """Simulate the projects of a hub with their valuations as judge of the finance gate.

    Parameters
    ----------
    valued
        The valued projects where they are at hand.
    draws, seed, hurdle, without_evidence, dangling
        As in :func:`cleanhub.pipeline.simulate.simulate`.
    """
    if without_evidence:
        return simulate(hub, scenario, draws, seed, hurdle, without_evidence=True, dangling=dangling)
    known = valued or valued_projects(hub, scenario)
    rows = Parameters(hub, "pipeline_parameters", price_year=scenario.price_year)
    judges = value_gates(known.projects, known.grids, rows)
    return simulate(hub, scenario, draws, seed, hurdle, judges, known.answers, dangling=dangling)


def simulated_tables(run: Run, scenario: Scenario, valued: Valued) -> dict[str, pd.DataFrame]:
    """The tables of :data:`TABLES`."""
    links = aside(lambda: links_table(run))  # about as long as all others
    deadlines = policy_deadlines(valued.projects, valued.book, scenario.as_of)
    tables = {
        "gates": gates_table(run),
        "stage_years": stage_years_table(run),
        "pipeline_years": pipeline_years_table(run),
        "conflicts": conflicts_table(valued.projects, valued.book, scenario.as_of, run.simulation),
        "pipeline_backtest": _backtest(run, scenario),
    }
    tables["links"] = links()
    tables["coordination"] = coordination_table(run, tables["links"], deadlines)
    return {name: tables[name] for name in TABLES}


def _backtest(run: Run, scenario: Scenario) -> pd.DataFrame:
    """The backtest, remembered: it rests on the base rates alone."""
    known, as_of = run.parameters, scenario.as_of.isoformat()
    asked = (run.world.setting, run.calibration, as_of, run.world.seed)
    return remembered(
        "backtest",
        (known.rows, known.end, known.price_year, known.index, *asked),
        lambda: backtest_table(known, *asked),
    )


# ---------------------------------------------------------------- inside a plan


def compute_announced(hub: Hub, scenario: Scenario, seed: int) -> Announced:
    """The announced projects valued and simulated, with the offers they have for what they make."""
    valued = valued_projects(hub, scenario)
    run = run_pipeline(hub, scenario, valued, seed=seed, dangling="note")
    tables = {
        "valuations": valuations_table(valued.projects),
        "policy_answers": policy_answers_table(valued.projects, scenario.end_year),
        "policy_wedge": policy_wedge_table(valued.projects, scenario.end_year),
        **simulated_tables(run, scenario, valued),
        "projects": projects_table(hub, scenario, run),
    }
    online = tables["projects"].set_index("project_id")["online_p50"].dropna()
    from_year = {str(name): float(year) for name, year in online.items()}
    offtake = offtake_table(hub, scenario, tables["valuations"], from_year)
    on_simulation = tuple(f"pipeline: {note}" for note in run.notes)
    return Announced(tables, offtake, tuple(_worth(valued.projects)), on_simulation)


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
