"""A project of a hub as policies see it, from nothing but its row in ``projects.csv``.

Dates follow from the announced year: in service on 1 January of it, construction ``lead_time``
years before. Quantities are those of full capacity. Facts are what a user states besides; what
is not stated is answered as such.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList, InputError
from cleanhub.core.units import factor
from cleanhub.hub.library import Library
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Decision, Scenario
from cleanhub.policy.applicant import Applicant, Fact
from cleanhub.policy.book import PolicyBook
from cleanhub.policy.lookup import Index

FloatArray = NDArray[np.float64]
COUNTED = {
    "hydrogen": ("hydrogen",),
    "renewable_fuel": ("fuel", "renewable_fuel_diesel"),
    "clinker": ("clinker",),
    "cement": ("cement",),
}
"""Policy quantities that a yearly capacity of a product gives."""


def applicant_of_project(
    hub: Hub,
    project: str,
    book: PolicyBook,
    scenario: Scenario | None = None,
    facts: Mapping[str, Fact] | None = None,
) -> Applicant:
    """The applicant of one project of ``hub``.

    Jurisdictions are the hub's (``jurisdictions`` of its datapackage, else its ``country``).
    Captured CO2 is stored where the technology captures it; other tonnes that the project
    abates count as emissions avoided. Raises :class:`~cleanhub.core.errors.InputError` when the
    hub has no such project.
    """
    table = hub.tables["projects"]
    rows = table[table["project_id"] == project]
    if rows.empty:
        faults = FaultList()
        known = ", ".join(table["project_id"]) or "there is none"
        faults.add("projects.csv", what="no such project", found=project, allowed=known)
        raise InputError(f"project {project}", faults.faults)
    row = rows.iloc[0]
    years, begins, service = _dates(row, hub.library, book, scenario)
    stated: dict[str, Fact] = {"stage": str(row["stage"])}
    return Applicant(
        name=project,
        jurisdictions=frozenset(hub.jurisdictions),
        sector=str(row["sector"]),
        technology=str(row["technology"]),
        product=str(row["capacity_of"]),
        construction_begins=begins,
        in_service=service,
        years=years,
        quantities=_quantities(row, hub.library, book, years),
        capital_usd=_capital(row, book, service),
        facts={**stated, **(facts or {})},
    )


def _dates(
    row: pd.Series, library: Library, book: PolicyBook, scenario: Scenario | None
) -> tuple[NDArray[np.int64], dt.date | None, dt.date | None]:
    if pd.isna(row["online_year"]):
        return np.zeros(0, dtype=np.int64), None, None
    first = int(row["online_year"])
    lead = (scenario.decision if scenario is not None else Decision()).lead_time
    life = _parameter(library, str(row["technology"]), "lifetime")
    size = round(book.settings["operating_years"] if life is None else life)
    years = np.arange(first, first + size, dtype=np.int64)
    return years, dt.date(first - lead, 1, 1), dt.date(first, 1, 1)


def _quantities(
    row: pd.Series, library: Library, book: PolicyBook, years: NDArray[np.int64]
) -> dict[str, FloatArray]:
    found: dict[str, float] = {}
    once: dict[str, float] = {}
    made, capacity, unit = str(row["capacity_of"]), row["capacity"], str(row["capacity_unit"])
    captures = any(
        _parameter(library, str(row["technology"]), name) is not None
        for name in ("capture_rate", "captured_biogenic")
    )
    if pd.notna(capacity):
        for quantity in COUNTED.get(made, ()):
            amount = _in_unit(float(capacity), unit, book.unit(quantity))
            if amount is not None:
                found[quantity] = amount
        if made == "vehicles":
            once["vehicles"] = float(capacity)
    tonnes = row["co2e_t_per_year"]
    if pd.notna(tonnes) and "abates" in (row["role"], row["role_secondary"]):
        if captures or made == "co2":
            found["co2_stored"] = float(tonnes)
        if row["role"] == "abates" and row["sector"] != "cdr":
            found["emissions_avoided"] = float(tonnes)
    size = len(years)
    yearly = {name: np.full(size, amount) for name, amount in found.items()}
    bought = {name: np.where(np.arange(size) == 0, amount, 0.0) for name, amount in once.items()}
    return {**yearly, **bought}


def _in_unit(amount: float, unit: str, wanted: str) -> float | None:
    """A yearly capacity in the unit a policy counts; ``None`` where it is a power or a stock."""
    try:
        return amount * factor(unit, f"{wanted}/yr")
    except ValueError:
        return None


def _parameter(library: Library, technology: str, name: str) -> float | None:
    """A parameter of a technology, or of the one it is built on."""
    technologies = library.tables["technologies"].set_index("technology")["built_on"]
    parameters = library.tables["technology_parameters"]
    while technology:
        mine = (parameters["technology"] == technology) & (parameters["parameter"] == name)
        if mine.any():
            return float(parameters.loc[mine, "value"].iloc[0])
        technology = str(technologies.get(technology, ""))
    return None


def _capital(row: pd.Series, book: PolicyBook, service: dt.date | None) -> float:
    """Announced capital moved from its price year to the year of service [nominal USD]."""
    if pd.isna(row["capex_usd"]):
        return 0.0
    base = row["capex_year"] if pd.notna(row["capex_year"]) else row["announced_year"]
    if service is None or pd.isna(base):
        return float(row["capex_usd"])
    index = Index(book.price_index, book.settings["inflation"])
    return float(row["capex_usd"]) * float(index.factor(np.array([service.year]), int(base))[0])
