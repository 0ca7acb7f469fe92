"""The steps of a plan: path, freight, tables, optimum, targets, scorecard; projects and range beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from cleanhub.finance.technology_costs import STORAGE_PRICE, missing_prices
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.charging import Charging
from cleanhub.pathways.engine import run_pathway
from cleanhub.pathways.tables import path_tables
from cleanhub.planning.announced import Announced
from cleanhub.planning.charging import TABLES as CHARGING_TABLES
from cleanhub.planning.charging import charging_tables, with_chargers
from cleanhub.planning.commitments import commitments_table
from cleanhub.planning.foresight import compare_with_optimum, with_marginal_values
from cleanhub.planning.need import expected_decisions, project_need_table, vehicles_bought
from cleanhub.planning.provenance import provenance_table, source_groups
from cleanhub.planning.scorecard import ScorecardInputs, scorecard_table
from cleanhub.planning.targets import PathTables, budgets_table, milestones_table, tables_of

if TYPE_CHECKING:
    from cleanhub.planning.plan import Clock, Progress

ENDS: tuple[Literal["low", "high"], ...] = ("low", "high")
"""Ends of the drivers' ranges that a path is walked for."""
VALUATIONS = ("valuations", "policy_answers", "policy_wedge")
"""Tables that stand before those of targets; the others of the announced projects stand after them."""


def computed(
    hub: Hub,
    scenario: Scenario,
    seed: int,
    tell: Progress,
    clock: Clock,
    announced_projects: Callable[[], Announced],
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """The tables and notes of a plan, in the order they are written.

    ``announced_projects`` waits for the announced projects, which are computed beside the path.
    """
    with clock.step("path"):
        path = run_pathway(hub, scenario, lambda done, total: tell("years", 0.5 * done / total), seed)
    with clock.step("freight"):
        coupled = with_chargers(path, seed)
        path = coupled.path
    tell("freight", 0.55)
    ends = [clock.aside(f"range {end}", _at_end(path, end, coupled.charging)) for end in ENDS]
    optimum = clock.aside("optimum", lambda: compare_with_optimum(path))
    of_chargers = clock.aside("chargers", lambda: charging_tables(coupled))
    with clock.step("tables"):
        of_path = path_tables(path)
        central = tables_of(path, of_path)
        aims = {
            "milestones": milestones_table(hub, scenario, central),
            "budgets": budgets_table(hub, scenario, central),
        }
        commitments = commitments_table(path, central)
    tell("tables", 0.7)
    announced = announced_projects()
    tell("projects", 0.8)
    need = _need(path, announced.tables["stage_years"], of_path["switches"])
    foresight = optimum()
    of_path["limits"] = with_marginal_values(of_path["limits"], path, foresight)
    chargers = of_chargers()
    inputs = ScorecardInputs(
        hub,
        scenario,
        central,
        tuple(end() for end in ends),
        of_path["costs"],
        of_path["sectors"],
        need,
        announced.tables["valuations"],
        foresight,
        {name: chargers[name] for name in CHARGING_TABLES},
        {name: announced.tables[name] for name in ("projects", "links")},
        source_groups(hub),
    )
    with clock.step("scorecard"):
        scorecard = scorecard_table(inputs)
        provenance = provenance_table(hub, scenario, scorecard, of_path["emissions"])
    tell("scorecard", 1.0)
    tables = {
        "scorecard": scorecard,
        **of_path,
        **chargers,
        **{name: announced.tables[name] for name in VALUATIONS},
        **aims,
        **announced.tables,
        "project_need": need,
        "commitments": commitments,
        "offtake": announced.offtake,
        "provenance": provenance,
    }
    notes = [
        *(note.line() for note in hub.notes),
        *_unpriced(path),
        *announced.on_values,
        *coupled.notes,
        *announced.on_simulation,
    ]
    return tables, notes


def _need(path: Pathway, stage_years: pd.DataFrame, switches: pd.DataFrame) -> pd.DataFrame:
    """What the path needs, against what the pipeline is expected to bring."""
    decisions = expected_decisions(path.hub, stage_years, path.sites.last_year)
    return project_need_table(path.hub, path.scenario, switches, vehicles_bought(path), decisions)


def _unpriced(path: Pathway) -> list[str]:
    """One line for each thing that technologies would use and the hub has no price for."""
    gaps = missing_prices(path.tech, path.drivers)
    start = path.problem.plants.start
    wanted = (path.problem.kinds[np.unique(start[start >= 0])] > 0).any(axis=0)
    lines = []
    for c, name in enumerate([*path.tech.carriers, STORAGE_PRICE]):
        count = int((gaps[:, c] & wanted).sum())
        if count:
            who = "1 technology that needs it is" if count == 1 else f"{count} technologies that need it are"
            lines.append(f"drivers.csv: no price of {name}: {who} not offered")
    return lines


def _at_end(
    path: Pathway, end: Literal["low", "high"], charging: tuple[Charging, ...]
) -> Callable[[], PathTables]:
    """What walks the path with drivers at one end of their ranges; chargers stay as they are sited."""
    return lambda: tables_of(run_pathway(path.hub, path.scenario.with_range(end), charging=charging))
