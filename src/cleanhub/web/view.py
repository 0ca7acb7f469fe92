"""What every page reads: a saved plan, the hub it was made of, and how its numbers are cited."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from cleanhub.core.errors import InputError
from cleanhub.core.tables import Table
from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario
from cleanhub.planning.identity import hub_hashes
from cleanhub.planning.plan import Plan
from cleanhub.planning.store import load_plan
from cleanhub.report.citations import Citations
from cleanhub.report.context import Context, Row, as_rows
from cleanhub.report.contract import HubLike

SOURCES_PAGE = "/data/sources"


@dataclass(frozen=True)
class AbsentHub:
    """Stands for a hub that is not at hand: its name is known, its tables are not."""

    name: str
    title: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def counties_geojson(self) -> dict[str, Any] | None:
        """No shapes."""
        return None


@dataclass(frozen=True)
class HostedPlan:
    """A plan with the hub beside it, as :class:`~cleanhub.report.contract.PlanLike` asks."""

    plan: Plan
    hub: HubLike

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Tables of the plan."""
        return self.plan.tables

    @property
    def scenario(self) -> Scenario:
        """Scenario of the plan."""
        return self.plan.scenario

    @property
    def seed(self) -> int:
        """Seed of every draw."""
        return self.plan.seed

    @property
    def pending(self) -> Mapping[str, str]:
        """Tables of the design that cleanhub does not make yet, and the room that will."""
        return self.plan.pending

    @property
    def notes(self) -> Sequence[str]:
        """Remarks of the run."""
        return self.plan.notes

    @property
    def id(self) -> str:
        """Identifier of the plan."""
        return self.plan.id

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of the software that made it."""
        return self.plan.versions


class PlanView:
    """One plan, ready to be shown.

    ``hub`` is ``None`` where it is not at hand: pages then show what the plan alone holds.
    ``remark`` says in one sentence what a reader must know of the hub (empty: nothing).
    """

    def __init__(self, plan: Plan, hub: Hub | None, remark: str = "") -> None:
        self.plan = plan
        self.hub = hub
        self.remark = remark
        held: HubLike = hub or AbsentHub(plan.hub_name, plan.hub_title)
        self.context = Context(HostedPlan(plan, held))
        self.context.cite = Citations(self.sources, SOURCES_PAGE)
        self.context.cite.add(*(row["source_id"] for row in self.sources))

    def rows(self, table: str) -> list[Row]:
        """Rows of a plan table (empty when the plan does not hold it)."""
        return self.context.rows(table)

    def has(self, table: str) -> bool:
        """Whether the plan holds ``table`` (it may be empty)."""
        return table in self.plan.tables

    @cached_property
    def sources(self) -> list[Row]:
        """Sources of hub and library (empty without the hub)."""
        return as_rows(self.hub.sources()) if self.hub is not None else []

    def absence(self, table: str) -> str:
        """A sentence that says why the plan does not hold ``table``."""
        room = self.plan.pending.get(table)
        more = f" It is not yet in cleanhub ({room})." if room else ""
        return f"There is no table {table} in this plan.{more}"

    @property
    def as_of(self) -> dt.date:
        """The date that the plan knows the world at."""
        return self.plan.scenario.as_of

    @property
    def end_year(self) -> int:
        """Last year of the path."""
        return int(self.plan.scenario.end_year)

    @cached_property
    def project_names(self) -> dict[str, str]:
        """Project id to name, of the plan's projects."""
        return {str(row["project_id"]): str(row["name"]) for row in self.rows("projects")}

    @cached_property
    def meanings(self) -> dict[str, dict[str, str]]:
        """Codelist to code to meaning (empty without the hub)."""
        found: dict[str, dict[str, str]] = {}
        if self.hub is not None:
            frame = self.hub.library.tables["codelists"]
            for name, code, meaning in zip(frame["list"], frame["code"], frame["meaning"], strict=True):
                found.setdefault(str(name), {})[str(code)] = str(meaning)
        return found

    @cached_property
    def declared(self) -> dict[str, Table]:
        """Declarations of the plan's tables, in the order in which they are declared."""
        return {name: table for name, table in PLAN_TABLES.items() if name in self.plan.tables}


def open_plan(folder: Path, hub: str | Path | None = None) -> PlanView:
    """Read the plan in ``folder`` and the hub it was made of.

    A bundled hub is found by the name in the plan; any other must be given as ``hub`` (name
    or folder), else its places, project descriptions and sources are missing from the pages.
    Raises :class:`~cleanhub.core.errors.InputError` for a folder that holds no plan, and for
    a ``hub`` that was given and has faults or is not the hub of the plan.
    """
    plan = load_plan(folder)
    try:
        found = load_hub(hub if hub is not None else plan.hub_name)
    except InputError as error:
        if hub is not None:
            raise
        remark = (
            f"The hub {plan.hub_name} is not at hand ({error.what}), so places, sources and descriptions of "
            "projects are missing here; name its folder with --hub."
        )
        return PlanView(plan, None, remark)
    if found.name != plan.hub_name:
        raise InputError(f"hub {found.name} is not the hub of the plan in {folder}: that is {plan.hub_name}")
    mine = {key: value for key, value in plan.hashes.items() if key.startswith("hub/")}
    remark = ""
    if hub_hashes(found) != mine:
        remark = (
            "The files of the hub have changed since this plan was made: places and sources are those of "
            "today, numbers are those of the plan. Plan again to bring them together."
        )
    if any(key.startswith("register/") for key in plan.hashes):
        said = (
            "The projects of this plan came from a register; places and descriptions are those of the hub, "
            "where it lists them."
        )
        remark = f"{remark} {said}".strip()
    return PlanView(plan, found, remark)
