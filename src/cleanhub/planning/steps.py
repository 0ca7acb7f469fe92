"""The steps of a plan: path, freight, tables, optimum, targets, scorecard; projects and range beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from cleanhub.core.aside import Partner
from cleanhub.finance.technology_costs import STORAGE_PRICE, missing_prices
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.pathways.assemble import Pathway, assemble
from cleanhub.pathways.charging import Charging
from cleanhub.pathways.engine import follow
from cleanhub.pathways.tables import path_tables
from cleanhub.planning.announced import Announced
from cleanhub.planning.charging import TABLES as CHARGING_TABLES
from cleanhub.planning.charging import begin_charging_tables, with_chargers
from cleanhub.planning.commitments import commitments_table
from cleanhub.planning.foresight import compare_with_optimum, with_marginal_values
from cleanhub.planning.freight_steps import FreightSteps
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
    freight = FreightSteps(hub, scenario, seed, beside=True) if scenario.freight.serve else None
    with clock.step("path"):
        path = assemble(hub, scenario, seed)
    tell("path", 0.2)
    at_ends = [_at_end(path, end) for end in ENDS]
    with clock.step("freight"):
        coupled = with_chargers(path, seed, freight)
        path = coupled.path
    tell("freight", 0.55)
    of_chargers = clock.told("chargers", begin_charging_tables(coupled))
    optimum = clock.aside("optimum", lambda: compare_with_optimum(path), last=True)
    of_ends = [
        clock.told(f"range {end}", walked.ask(coupled.charging))
        for end, walked in zip(ENDS, at_ends, strict=True)
    ]
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
        tuple(end() for end in of_ends),
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


def _at_end(path: Pathway, end: Literal["low", "high"]) -> Partner[Sequence[Charging], PathTables]:
    """A path with drivers at one end of their ranges, assembled beside and walked for chargers as sited."""

    def prepared() -> Callable[[Sequence[Charging]], PathTables]:
        other = assemble(path.hub, path.scenario.with_range(end), history=path.history)
        return lambda charging: tables_of(follow(other, charging=charging))

    return Partner(prepared, last=True)
