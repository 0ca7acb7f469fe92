"""First valuations of announced projects: cost per unit and per tonne, or why not.

A project is valued with the technology of the library that its row names. What the row
does not say (running cost, inputs, lifetime, sometimes capital) is filled from that
technology, and the fields filled are listed. Money is real, in the scenario's price year.
Cash flows with debt, tax and credits are not modelled here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cleanhub.core.tables import conform
from cleanhub.core.units import factor
from cleanhub.finance.annuity import capital_recovery_factor
from cleanhub.finance.technologies import Technologies, UnitCosts
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.series import Drivers, weakest

CASE = "first_estimate"


@dataclass
class _Case:
    """What one project's valuation came to, and what is missing for it."""

    levelised_cost: float = np.nan
    unit: str = ""
    yearly_cost: float = np.nan
    missing: list[str] = field(default_factory=list)
    filled: list[str] = field(default_factory=list)
    confidence: list[str] = field(default_factory=list)
    price_gap: float = np.nan

    @property
    def status(self) -> str:
        """``valued``, or ``not valuable, because ...`` naming everything that is missing."""
        return "valued" if not self.missing else "not valuable, because " + "; ".join(self.missing)


def valuations_table(
    hub: Hub, scenario: Scenario, tech: Technologies, costs: UnitCosts, drivers: Drivers
) -> pd.DataFrame:
    """Plan table ``valuations``: one row for every project of the hub."""
    year = scenario.as_of.year + scenario.decision.lead_time
    t = int(np.clip(year - drivers.years[0], 0, len(drivers.years) - 1))
    rows = []
    for _, row in hub.tables["projects"].iterrows():
        case = _value(row, hub, scenario, tech, costs, drivers, t)
        tonnes = _tonnes(row)
        valued = not case.missing
        rows.append(
            {
                "project_id": row["project_id"],
                "case": CASE,
                "levelised_cost": case.levelised_cost if valued else np.nan,
                "unit": case.unit if valued else "",
                "abatement_cost": case.yearly_cost / tonnes if valued and tonnes > 0 else np.nan,
                "co2e_t_per_year": tonnes if tonnes > 0 else np.nan,
                "npv_usd": np.nan,
                "irr": np.nan,
                "min_dscr": np.nan,
                "price_gap": case.price_gap if valued else np.nan,
                "status": case.status,
                "archetype_fields": ";".join(case.filled) if valued else "",
                "confidence": weakest(case.confidence) if valued else "",
            }
        )
    frame = pd.DataFrame(rows, columns=PLAN_TABLES["valuations"].names)
    return conform(frame, PLAN_TABLES["valuations"])


def _tonnes(row: pd.Series) -> float:
    abates = row["role"] == "abates" or row["role_secondary"] == "abates"
    return float(row["co2e_t_per_year"]) if abates and pd.notna(row["co2e_t_per_year"]) else 0.0


def _value(
    row: pd.Series,
    hub: Hub,
    scenario: Scenario,
    tech: Technologies,
    costs: UnitCosts,
    drivers: Drivers,
    t: int,
) -> _Case:
    case = _Case(confidence=[str(row["confidence"])])
    if row["role"] == "programme":
        case.missing.append("it is an umbrella over other projects")
        return case
    k = tech.find(str(row["technology"])) if row["technology"] else -1
    if k < 0:
        case.missing.append("the library has no technology that fits it")
    if pd.isna(row["capacity"]) or float(row["capacity"]) <= 0:
        case.missing.append("its capacity is not published")
    if case.missing:
        return case
    per_tonne = row["capacity_of"] == "co2" and tech.captured[k] > 0
    if not per_tonne and row["capacity_of"] != tech.product[k]:
        case.missing.append(
            f"its capacity counts {row['capacity_of'] or 'something else'}, "
            f"the technology makes {tech.product[k]}"
        )
        return case
    unit = "t" if per_tonne else str(tech.unit[k])
    found = _output(row, unit)
    if found is None:
        case.missing.append(
            f"its yearly output in {unit} does not follow from a capacity in {row['capacity_unit']}"
        )
        return case
    output, per = found
    case.confidence.append(str(tech.confidence[k]))
    capital = _capital(row, k, per_tonne, output, hub, scenario, tech, case)
    if not capital > 0:
        case.missing.append("no capital cost is published and the library has none")
        return case
    running = _running(k, per_tonne, tech, costs, t)
    recovery = float(capital_recovery_factor(scenario.decision.discount_rate, tech.lifetime[k]))
    case.filled += ["running cost", "inputs", "lifetime"]
    case.unit = "USD/t CO2 captured" if per_tonne else f"USD/({per})" if "/" in per else f"USD/{per}"
    case.levelised_cost = capital * recovery / output + running
    case.yearly_cost = case.levelised_cost * output
    case.price_gap = _price_gap(case.levelised_cost, k, per_tonne, tech, drivers, t)
    if np.isfinite(case.price_gap):
        case.yearly_cost = case.price_gap * output
    elif not per_tonne and tech.product[k] != "co2":
        case.yearly_cost = np.nan  # without a price of the product its cost is not all abatement
    return case


def _output(row: pd.Series, unit: str) -> tuple[float, str] | None:
    """Yearly output in ``unit`` and the unit its cost is given per; ``None`` if neither fits.

    Where the technology provides a capacity for a year (charging power), output is that
    capacity and its cost is per unit and year.
    """
    for target, per in ((f"{unit}/yr", unit), (unit, f"{unit}/yr")):
        try:
            return float(row["capacity"]) * factor(str(row["capacity_unit"]), target), per
        except ValueError:
            continue
    return None


def _capital(
    row: pd.Series,
    k: int,
    per_tonne: bool,
    output: float,
    hub: Hub,
    scenario: Scenario,
    tech: Technologies,
    case: _Case,
) -> float:
    if pd.notna(row["capex_usd"]) and float(row["capex_usd"]) > 0:
        year = int(row["capex_year"]) if pd.notna(row["capex_year"]) else scenario.price_year
        index = hub.library.price_index
        return float(row["capex_usd"]) * index.to_dollars("USD", year, scenario.price_year)
    case.filled.append("capital")
    per_unit = tech.capex_added[k] / tech.captured[k] if per_tonne else tech.capex[k]
    return float(per_unit * output)


def _running(k: int, per_tonne: bool, tech: Technologies, costs: UnitCosts, t: int) -> float:
    """Running cost per unit (or per tonne captured, above the base plant), without credits."""
    own = costs.running[k, t] + costs.credits[k, t]
    if not per_tonne:
        return float(own)
    base = int(tech.base[k])
    start = costs.running[base, t] + costs.credits[base, t] if base >= 0 else 0.0
    carbon_kept = (tech.direct[k] - (tech.direct[base] if base >= 0 else 0.0)) * costs.carbon_ahead[k, t]
    return float((own - start - carbon_kept) / tech.captured[k])


def _price_gap(
    levelised: float, k: int, per_tonne: bool, tech: Technologies, drivers: Drivers, t: int
) -> float:
    """Levelised cost less the price of the same product, where the hub prices it."""
    if per_tonne:
        return np.nan
    where = np.flatnonzero(tech.carriers == tech.product[k])
    if not len(where):
        return np.nan
    name = str(tech.price_drivers[where[0]])
    if not drivers.has(name):
        return np.nan
    return levelised - float(drivers.series(name, f"USD/({tech.unit[k]})").values[t])
