"""What a lender holds: a CSV of commitments to projects of a saved plan, or to frozen cases.

:func:`read_holdings` turns the file into :class:`Holding` records with everything that is known of each
project, or says all that is wrong with it at once. A project of the plan brings its stage, chances and
both views of the plan; a frozen case brings its own views to the cent. Where a row names both, the
figures are the frozen case's and the stage and chances the plan's. What they add up to is
:mod:`cleanhub.planning.portfolio`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList, InputError
from cleanhub.core.tables import Column, Table, read_table
from cleanhub.finance.cases import load_archetype
from cleanhub.finance.frozen import FrozenCase, open_frozen
from cleanhub.hub.library import Library
from cleanhub.hub.schema import PAST_FID
from cleanhub.hub.series import weakest
from cleanhub.planning.plan import Plan

HOLDINGS = Table(
    "holdings",
    "Commitments of one lender.",
    (
        Column("project_id", "text", "project of the plan", blank=True, optional=True),
        Column("case", "text", "frozen case (.json), beside this file or a path", blank=True, optional=True),
        Column("commitment_usd", "number", "what is lent or promised to it", "USD", minimum=0),
    ),
)
VIEWS = ("sponsor_p50", "lender_p90")
METRICS = ("npv_usd", "irr", "min_dscr", "debt_usd", "price_gap")


@dataclass(frozen=True)
class Payment:
    """What one policy pays a project in all [nominal USD], and by when what it asks must have happened."""

    usd: float
    until: str


@dataclass(frozen=True)
class Holding:
    """One commitment and what is known of its project.

    Attributes
    ----------
    holding_id
        The project's id, or that of the frozen case.
    commitment_usd, capital_usd
        What is lent, and the project's capital as spent [nominal USD]; NaN where nobody states it.
    p_fid_2030, p_fid_ever
        Chance of an investment decision by the end of 2030, and by the plan's last year; NaN for a
        frozen case that names no project of the plan and is not past its decision.
    co2e_t_per_year
        Tonnes that the project itself says it cuts or removes [t CO2e/yr]; NaN where it says nothing.
    views
        Results by view, then by name in :data:`METRICS`; empty where it is not valued.
    policies
        What each policy pays it; empty where none does.
    basis
        ``plan``, ``frozen case ID``, or ``not valuable, because ...``.
    frozen
        The frozen case that its figures are from.
    """

    holding_id: str
    project_id: str
    name: str
    sector: str
    stage: str
    technology: str
    commitment_usd: float
    capital_usd: float
    p_fid_2030: float
    p_fid_ever: float
    co2e_t_per_year: float
    unit: str
    views: Mapping[str, Mapping[str, float]]
    policies: Mapping[str, Payment]
    basis: str
    confidence: str
    frozen: FrozenCase | None = None

    @property
    def attribution(self) -> float:
        """Share of the project's capital that the commitment is, at most 1; NaN where that is not known."""
        if not self.capital_usd > 0:
            return np.nan
        return min(self.commitment_usd / self.capital_usd, 1.0)


def read_holdings(path: Path, plan: Plan, library: Library) -> list[Holding]:
    """Read a file of holdings, in its order.

    Raises :class:`~cleanhub.core.errors.InputError` with every fault: file, row, column, found, allowed.
    """
    faults = FaultList()
    rows = read_table(path, HOLDINGS, faults, library.codelists, library.unit_ok)
    if rows.empty and not faults.faults:
        faults.add(path.name, what="holds no commitment", allowed="a row for each")
    known = {str(row["project_id"]): row for _, row in plan.table("projects").iterrows()}
    seen: dict[str, int] = {}
    found: list[Holding] = []
    for line, row in rows.iterrows():
        place = int(str(line))
        project, case = str(row["project_id"]), str(row["case"])
        if not project and not case:
            faults.add(path.name, place, "project_id", what="names nothing", allowed="a project_id or a case")
            continue
        if project and project not in known:
            allowed = f"a project of {plan.hub_name}: {', '.join(list(known)[:8])} ..."
            faults.add(path.name, place, "project_id", what="no such project", found=project, allowed=allowed)
            continue
        frozen = _frozen(path, place, case, faults) if case else None
        if case and frozen is None:
            continue
        identifier = project or (frozen.id if frozen else "")
        if identifier in seen:
            faults.add(
                path.name,
                place,
                "project_id" if project else "case",
                what=f"duplicate: stands in row {seen[identifier]} too",
                found=identifier,
                allowed="each project once: add its commitments up",
            )
            continue
        seen[identifier] = place
        usd = float(row["commitment_usd"])
        if frozen is None:
            found.append(_of_plan(plan, known[project], usd, library))
        else:
            found.append(_of_frozen(plan, known.get(project), frozen, identifier, usd))
    faults.raise_if_any(f"holdings {path.name}")
    return found


def _frozen(path: Path, line: int, case: str, faults: FaultList) -> FrozenCase | None:
    file = path.parent / case
    if file.suffix != ".json":
        allowed = "a frozen case (.json): cleanhub finance CASE --freeze FILE"
        faults.add(path.name, line, "case", what="not a frozen case", found=case, allowed=allowed)
        return None
    try:
        return open_frozen(file)
    except InputError as error:
        for fault in error.faults:
            faults.add(path.name, line, "case", what=fault.what, found=case)
    return None


# ---------------------------------------------------------------- a project of the plan


def _of_plan(plan: Plan, project: pd.Series, usd: float, library: Library) -> Holding:
    identifier = str(project["project_id"])
    table = plan.table("valuations")
    rows = table[table["project_id"] == identifier]
    views = {
        str(row["case"]): {name: _number(row[name]) for name in METRICS}
        for _, row in rows[rows["status"] == "valued"].iterrows()
    }
    row = rows[rows["case"] == VIEWS[0]].iloc[0] if views else rows.iloc[0]
    archetype = str(row["archetype"])
    return Holding(
        holding_id=identifier,
        project_id=identifier,
        name=str(project["name"]),
        sector=str(project["sector"]),
        stage=str(project["stage"]),
        technology=load_archetype(archetype, library).case.project.technology if archetype else "",
        commitment_usd=usd,
        capital_usd=_number(row["capital_usd"] if views else project["capex_usd"]),
        p_fid_2030=_number(project["p_fid_2030"]),
        p_fid_ever=_number(project["p_fid_ever"]),
        co2e_t_per_year=_number(row["co2e_t_per_year"]),
        unit=str(row["unit"]),
        views=views,
        policies=_paid_in_plan(plan, identifier),
        basis="plan" if views else str(row["status"]),
        confidence=str(row["confidence"] if views else project["confidence"]),
    )


def _paid_in_plan(plan: Plan, project_id: str) -> dict[str, Payment]:
    table = plan.table("policy_answers")
    rows = table[(table["project_id"] == project_id) & (table["answer"] == "pays") & table["usd"].notna()]
    return {
        str(policy): Payment(float(group["usd"].sum()), str(group["until"].iloc[0]))
        for policy, group in rows.groupby("policy", sort=True)
    }


# ---------------------------------------------------------------- a frozen case


def _of_frozen(
    plan: Plan, project: pd.Series | None, frozen: FrozenCase, identifier: str, usd: float
) -> Holding:
    stated: Mapping[str, Any] = frozen.data["project"]
    stage = str(stated["stage"] if project is None else project["stage"])
    certain = 1.0 if stage in PAST_FID else np.nan
    production = frozen.data["production"]
    return Holding(
        holding_id=identifier,
        project_id="" if project is None else str(project["project_id"]),
        name=str(frozen.data["title"]),
        sector=str(stated["sector"]),
        stage=stage,
        technology=str(stated.get("technology") or ""),
        commitment_usd=usd,
        capital_usd=float(frozen.sponsor.lines["use: capital"].values.sum()),
        p_fid_2030=certain if project is None else _number(project["p_fid_2030"]),
        p_fid_ever=certain if project is None else _number(project["p_fid_ever"]),
        co2e_t_per_year=_tonnes_of(frozen),
        unit=f"USD/{production['unit']}",
        views={name: _metrics_of(frozen, name) for name in VIEWS},
        policies=_paid_in_frozen(frozen),
        basis=f"frozen case {frozen.id}",
        confidence=weakest([str(figure["confidence"]) for figure in frozen.figures.values()]),
        frozen=frozen,
    )


def _metrics_of(frozen: FrozenCase, view: str) -> dict[str, float]:
    results = frozen.results
    price = results["price_at_return" if view == VIEWS[0] else "lender_price_at_return"]
    found = {name: float(frozen.views[view].metrics[name]) for name in METRICS[:-1]}
    return {**found, "price_gap": price - results["reference_price"]}


def _tonnes_of(frozen: FrozenCase) -> float:
    """Tonnes avoided in a mean year of operation, by what the case says a unit of its product avoids."""
    figure = frozen.figures.get("reference.emissions_avoided")
    if figure is None:
        return np.nan
    return float(figure["value"]) * float(frozen.sponsor.lines["product"].values.mean())


def _paid_in_frozen(frozen: FrozenCase) -> dict[str, Payment]:
    until = {one.policy: one.until.isoformat() if one.until else "" for one in frozen.setting.answers}
    paid = {
        name.removeprefix("policy: "): float(line.values.sum())
        for name, line in frozen.sponsor.lines.items()
        if name.startswith("policy: ")
    }
    return {name: Payment(usd, until.get(name, "")) for name, usd in sorted(paid.items()) if usd}


def _number(value: Any) -> float:
    return float(value) if pd.notna(value) else np.nan
