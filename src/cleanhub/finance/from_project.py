"""A case for every project of a hub: what the project says, laid on the archetype that fits it.

The archetype is the one of the project's technology, or of its sector and product. What the
project publishes (capacity, capital with its price year, dates, stage, tonnes) replaces the
archetype's; what is left is listed as filled. Where a project has no price of its own, the
archetype's capital is scaled to its capacity. A project that cannot be valued says why.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from cleanhub.core.errors import FaultList, InputError
from cleanhub.core.units import factor
from cleanhub.finance.capital import capital_factor
from cleanhub.finance.cases import ARCHETYPES, LoadedCase, case_of, list_archetypes, load_archetype
from cleanhub.hub.library import Library, load_library
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario

_NOT_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_HEAD = re.compile(r"^  (sector|technology|product): (\w*)", re.MULTILINE)
_STORED = {"co2": "co2_stored"}
BEGUN = frozenset({"construction", "operating", "closed"})


@dataclass(frozen=True)
class ProjectCase:
    """A project's case, or why it has none.

    ``because`` is empty where ``loaded`` is there; ``archetype`` names what filled it.
    """

    project_id: str
    loaded: LoadedCase | None
    because: str = ""
    archetype: str = ""


def case_of_project(hub: Hub, scenario: Scenario, project_id: str) -> LoadedCase:
    """The case of one project.

    Raises :class:`~cleanhub.core.errors.InputError` when the hub has no such project, or it
    is not valuable, because ...
    """
    table = hub.tables["projects"]
    rows = table[table["project_id"] == project_id]
    faults = FaultList()
    if rows.empty:
        known = ", ".join(table["project_id"].head(12)) + (" ..." if len(table) > 12 else "")
        faults.add("projects.csv", what="no such project", found=project_id, allowed=known or "there is none")
        raise InputError(f"project {project_id}", faults.faults)
    found = project_case(rows.iloc[0], hub, scenario)
    if found.loaded is None:
        line = int(str(rows.index[0]))
        faults.add("projects.csv", line, what=f"{project_id} is not valuable, because {found.because}")
        raise InputError(f"project {project_id}", faults.faults)
    return found.loaded


def project_cases(hub: Hub, scenario: Scenario) -> list[ProjectCase]:
    """The case of every project of the hub, in its order."""
    return [project_case(row, hub, scenario) for _, row in hub.tables["projects"].iterrows()]


def project_case(row: pd.Series, hub: Hub, scenario: Scenario) -> ProjectCase:
    """The case of one row of ``projects``, or why there is none."""
    project_id = str(row["project_id"])
    if row["role"] == "programme":
        return ProjectCase(project_id, None, "it is an umbrella over other projects")
    name = _archetype_of(row)
    if not name:
        kind = str(row["technology_text"]) or "its technology is not stated"
        return ProjectCase(project_id, None, f"no archetype fits it ({kind})")
    if pd.isna(row["capacity"]) or float(row["capacity"]) <= 0:
        return ProjectCase(project_id, None, "its capacity is not published", name)
    base = _archetype(name)
    unit = base.case.production.unit
    yearly = _yearly(row, base)
    if yearly is None:
        counted = f"{row['capacity_unit']} of {row['capacity_of'] or 'something else'}"
        words = f"its published capacity gives no yearly output ({counted}, not {unit})"
        return ProjectCase(project_id, None, words, name)
    published = pd.notna(row["capex_usd"]) and float(row["capex_usd"]) > 0
    limits = capital_factor(hub.library, "scale_range")
    ratio = yearly / base.figures["production.capacity"].value
    if (
        not published
        and "/" not in base.figures["capital.cost"].unit
        and not limits.low <= ratio <= limits.high
    ):
        words = (
            f"it publishes no cost and is too far from the archetype's size to scale one ({ratio:.3g} times)"
        )
        return ProjectCase(project_id, None, words, name)
    data = _data(row, hub, scenario, base, name, yearly)
    try:
        return ProjectCase(project_id, case_of(data, hub.library), archetype=name)
    except InputError as error:  # a row may be valid in its table and still make no case
        first = error.faults[0]
        words = f"its row makes no case ({first.column}: {first.what}, found {first.found})"
        return ProjectCase(project_id, None, words, name)


@cache
def _archetype(name: str) -> LoadedCase:
    return load_archetype(name, load_library())


@cache
def _index() -> Mapping[tuple[str, str], str]:
    """Archetype by technology, and by sector and product where one alone has both.

    Read from the lines of the files: parsing all of them takes seconds.
    """
    found: dict[tuple[str, str], str] = {}
    doubled: set[tuple[str, str]] = set()
    for name in list_archetypes():
        text = (ARCHETYPES / f"{name}.yaml").read_text(encoding="utf-8")
        stated = {str(key): str(value) for key, value in _HEAD.findall(text)}
        keys = [(stated["sector"], stated["product"])]
        if stated.get("technology"):
            keys.append(("technology", stated["technology"]))
        for key in keys:
            if key in found:
                doubled.add(key)
            found.setdefault(key, name)
    return {key: name for key, name in found.items() if key not in doubled}


def _archetype_of(row: pd.Series) -> str:
    index = _index()
    technology = str(row["technology"] or "")
    if technology and ("technology", technology) in index:
        return index[("technology", technology)]
    return index.get((str(row["sector"]), str(row["capacity_of"] or "")), "")


def _yearly(row: pd.Series, base: LoadedCase) -> float | None:
    """Yearly capacity in the unit of the archetype; ``None`` where the published one does not give it.

    The archetype says what other measures come to (``capacity_from``: heat per unit of heat
    storage). A capacity of what comes with the product (CO2 of a hydrogen plant) is turned
    back by its yield; power becomes energy of a year.
    """
    counted = str(row["capacity_of"] or "")
    production = base.case.production
    given, unit = float(row["capacity"]), str(row["capacity_unit"])
    target, ratio = f"({production.unit})/yr", 1.0
    if counted in production.capacity_from:
        figure = base.figures[f"production.capacity_from.{counted}"]
        target, ratio = figure.unit.rsplit("/", 1)[1], 1.0 / figure.value
    elif counted != production.product:
        path = f"production.by_products.{_STORED.get(counted, counted)}"
        if path not in base.figures:
            return None
        ratio = base.figures[path].value
        target = f"({base.unit_of(_STORED.get(counted, counted))})/yr"
    for stated in (unit, f"({unit})/yr"):
        try:
            return given * factor(stated, target) / ratio
        except ValueError:
            continue
    return None


def _data(
    row: pd.Series, hub: Hub, scenario: Scenario, base: LoadedCase, name: str, yearly: float
) -> dict[str, Any]:
    unit = base.case.production.unit
    source = f"{hub.name}: {row['source_id']}"
    stated = {"source": source, "confidence": str(row["confidence"])}
    begins, service = _dates(row, base, scenario)
    known = hub.library.codelists["jurisdiction"]
    project: dict[str, Any] = {
        "sector": str(row["sector"]),
        "stage": str(row["stage"]),
        "jurisdictions": [place for place in hub.jurisdictions if place in known],
        "construction_begins": begins,
        "in_service": service,
    }
    if row["technology"]:
        project["technology"] = str(row["technology"])
    data: dict[str, Any] = {
        "based_on": name,
        "name": _NOT_A_NAME.sub("-", str(row["project_id"]))[:80].lstrip("._-") or "project",
        "title": str(row["name"])[:200],
        "private": False,
        "price_year": scenario.price_year,
        "project": project,
        "production": {"capacity": {"value": yearly, "unit": f"({unit})/yr", **stated}},
        "capital": {"cost": _capital(row, base, yearly, hub.library, stated)},
    }
    if base.case.production.bought:
        ratio = yearly / base.figures["production.capacity"].value
        data["production"]["bought"] = {
            code: {
                "value": base.figures[f"production.bought.{code}"].value * ratio,
                "unit": figure.unit,
                **stated,
            }
            for code, figure in base.case.production.bought.items()
        }
    tonnes = row["co2e_t_per_year"]
    abates = "abates" in (row["role"], row["role_secondary"])
    if abates and pd.notna(tonnes) and float(tonnes) > 0 and base.case.production.product != "co2":
        made = yearly * base.figures["production.utilisation"].value
        avoided = {"value": float(tonnes) / made, "unit": f"t/({unit})", **stated}
        data["reference"] = {"emissions_avoided": avoided}
    return data


def _dates(row: pd.Series, base: LoadedCase, scenario: Scenario) -> tuple[dt.date, dt.date]:
    """Construction and service: published where it can still be kept, else from the as-of date on."""
    years = len(base.case.capital.spending)
    published = int(row["online_year"]) if pd.notna(row["online_year"]) else None
    if str(row["stage"]) in BEGUN:
        service = published or scenario.as_of.year
        return dt.date(service - years, 1, 1), dt.date(service, 1, 1)
    earliest = scenario.as_of.year + 1
    service = max(published or 0, earliest + years)
    return dt.date(service - years, 1, 1), dt.date(service, 1, 1)


def _capital(
    row: pd.Series, base: LoadedCase, yearly: float, library: Library, stated: dict[str, str]
) -> dict[str, Any]:
    if pd.notna(row["capex_usd"]) and float(row["capex_usd"]) > 0:
        year = int(row["capex_year"]) if pd.notna(row["capex_year"]) else base.case.price_year
        return {"value": float(row["capex_usd"]), "unit": "USD", "currency_year": year, **stated}
    cost = base.figures["capital.cost"]
    keep = {
        "source": cost.figure.source,
        "confidence": cost.figure.confidence,
        "currency_year": base.case.price_year,
    }
    if "/" in cost.unit:
        return {"value": cost.value, "low": cost.low, "high": cost.high, "unit": cost.unit, **keep}
    own = base.case.capital.scale_exponent
    exponent = capital_factor(library, "scale_exponent").value if own is None else own
    scale = (yearly / base.figures["production.capacity"].value) ** exponent
    return {
        "value": cost.value * scale,
        "low": cost.low * scale,
        "high": cost.high * scale,
        "unit": "USD",
        **keep,
        "note": f"scaled from the archetype by capacity to the power {exponent:g}",
    }
