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
    ends = clock.aside("range", lambda: [_end(hub, scenario, end, coupled.charging) for end in ENDS])
    optimum = clock.aside("optimum", lambda: compare_with_optimum(path))
    with clock.step("tables"):
        tables = {**path_tables(path), **charging_tables(coupled)}
        central = tables_of(path, tables)
    tell("tables", 0.7)
    announced = announced_projects()
    tell("projects", 0.8)
    with clock.step("targets"):
        tables.update({name: announced.tables[name] for name in VALUATIONS})
        tables["milestones"] = milestones_table(hub, scenario, central)
        tables["budgets"] = budgets_table(hub, scenario, central)
        tables.update(announced.tables)
        tables.update({**_expected(path, tables, central), "offtake": announced.offtake})
    tell("targets", 0.9)
    foresight = optimum()
    with clock.step("scorecard"):
        tables["limits"] = with_marginal_values(tables["limits"], path, foresight)
        inputs = ScorecardInputs(
            hub,
            scenario,
            central,
            tuple(ends()),
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
        *announced.on_values,
        *coupled.notes,
        *announced.on_simulation,
    ]
    return {"scorecard": scorecard, **tables}, notes


def _expected(path: Pathway, tables: dict[str, pd.DataFrame], central: PathTables) -> dict[str, pd.DataFrame]:
    """What the path needs and promises ask for, against what the pipeline is expected to bring."""
    hub, scenario, last = path.hub, path.scenario, path.sites.last_year
    decisions = expected_decisions(hub, tables["stage_years"], last)
    need = project_need_table(hub, scenario, tables["switches"], vehicles_bought(path), decisions)
    return {
        "project_need": need,
        "commitments": commitments_table(path, central),
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


def _end(
    hub: Hub, scenario: Scenario, end: Literal["low", "high"], charging: tuple[Charging, ...]
) -> PathTables:
    """The path with drivers at one end of their ranges; chargers stay as they are sited."""
    path = run_pathway(hub, scenario.with_range(end), charging=charging)
    return tables_of(path)
