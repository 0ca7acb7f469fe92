"""The headlines of a plan, each with its range, target, sources and share of weak inputs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cleanhub.core.tables import conform
from cleanhub.core.units import factor
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.schema import ENDED, PAST_FID
from cleanhub.planning.foresight import Foresight
from cleanhub.planning.need import PLANTS
from cleanhub.planning.targets import PathTables, measure

WEAK = ("recalled", "assumed")
ILLUSTRATIVE = 0.3
CHARGING_YEAR = 2035
DECISION_YEAR = 2030


@dataclass
class _Line:
    metric: str
    title: str
    year: int | None
    value: float
    unit: str
    source: str
    recalled_share: float
    low: float = np.nan
    high: float = np.nan
    target: float = np.nan
    met: str = ""
    note: str = ""


@dataclass(frozen=True)
class ScorecardInputs:
    """Everything the headlines are read from: the central run, the two ends, the tables."""

    hub: Hub
    scenario: Scenario
    central: PathTables
    ends: tuple[PathTables, ...]
    costs: pd.DataFrame
    sectors: pd.DataFrame
    need: pd.DataFrame
    valuations: pd.DataFrame
    foresight: Foresight
    freight: dict[str, pd.DataFrame] = field(default_factory=dict)
    pipeline: dict[str, pd.DataFrame] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)


def scorecard_table(inputs: ScorecardInputs) -> pd.DataFrame:
    """Plan table ``scorecard``; ``project_need`` is its first line."""
    year = min(2045, inputs.scenario.end_year)
    lines = [
        _need_line(inputs, year),
        *_emission_lines(inputs),
        _cumulative_line(inputs, year),
        *_change_lines(inputs, year),
        *_freight_lines(inputs),
        *_money_lines(inputs, year),
        *_foresight_lines(inputs),
        *_coverage_lines(inputs),
        *_project_lines(inputs),
        *_pipeline_lines(inputs),
    ]
    rows = [
        {
            "order": order,
            "metric": line.metric,
            "title": line.title,
            "year": line.year,
            "value": line.value,
            "low": min(line.low, line.high, line.value) if np.isfinite(line.low) else np.nan,
            "high": max(line.low, line.high, line.value) if np.isfinite(line.low) else np.nan,
            "unit": line.unit,
            "target": line.target,
            "met": line.met,
            "recalled_share": line.recalled_share,
            "illustrative": line.recalled_share > ILLUSTRATIVE,
            "source": line.source,
            "note": line.note,
        }
        for order, line in enumerate(lines)
    ]
    frame = pd.DataFrame(rows, columns=PLAN_TABLES["scorecard"].names)
    return conform(frame, PLAN_TABLES["scorecard"])


def weak_share(rows: pd.DataFrame, weight: str = "value") -> float:
    """Share of ``weight`` in rows whose confidence is recalled or assumed (0 when empty)."""
    total = float(rows[weight].abs().sum())
    weak = float(rows.loc[rows["confidence"].isin(WEAK), weight].abs().sum())
    return min(weak / total, 1.0) if total > 0 else 0.0


def _included_rows(tables: PathTables, year: int, hub_scope: bool) -> pd.DataFrame:
    rows = tables.counted
    mine = (rows["year"] == year).to_numpy(bool) & (rows["hub_scope"].to_numpy(bool) | (not hub_scope))
    return rows[["value", "confidence"]][mine]


def _pair(ends: list[float]) -> tuple[float, float]:
    return (ends[0], ends[1]) if len(ends) == 2 else (float("nan"), float("nan"))


def _source(inputs: ScorecardInputs, *names: str) -> str:
    found: list[str] = []
    for name in names:
        found += [one for one in inputs.sources.get(name, "").split(";") if one and one not in found]
    return ";".join(found) or "cleanhub"


def _freight_lines(inputs: ScorecardInputs) -> list[_Line]:
    """What the charging of drayage comes to in the decided year nearest to 2035."""
    charging = inputs.freight.get("truck_charging")
    if charging is None or charging.empty:
        return []
    row = charging.iloc[int((charging["year"] - CHARGING_YEAR).abs().argmin())]
    year = int(row["year"])
    sites, capital = inputs.freight["chargers"], inputs.freight["charging_capital"]
    planned = sites[(sites["status"] == "planned") & (sites["year_energised"] <= year)]
    source = _source(inputs, "freight_parameters", "infrastructure", "warehouse_clusters")
    spent = float(capital.loc[capital["year"] <= year, "value_usd"].sum())
    trucks = max(float(row["trucks"]), 1e-9)
    binds = "" if row["binds"] == "nothing" else f"; what keeps more from it: {row['binds']}"
    could = f"if all wanted it, {100.0 * float(row['most']) / trucks:.0f} % could{binds}"
    found = [
        (
            "drayage_charged",
            "Drayage that runs on chargers",
            100.0 * float(row["served"]) / trucks,
            "%",
            could,
        ),
        ("charging_sites", "Charging sites opened for it", float(len(planned)), "sites", ""),
        ("charging_peak", "Peak load of charging", float(row["peak_kw"]) / 1e3, "MW", ""),
        ("charging_capital", "Capital for charging sites and their grid", spent, "USD", ""),
    ]
    return [
        _Line(metric, title, year, value, unit, source, 1.0, note=note)
        for metric, title, value, unit, note in found
    ]


def _need_line(inputs: ScorecardInputs, year: int) -> _Line:
    plants_only = inputs.need[inputs.need["unit"] == PLANTS]
    rows = plants_only[plants_only["year"] == year]
    if rows.empty and len(plants_only):
        year = int(plants_only["year"].max())
        rows = plants_only[plants_only["year"] == year]
    needed, have = float(rows["plants_needed"].sum()), float(rows["fid_expected"].sum())
    plants = inputs.central.switches
    plants = plants[plants["kind"].isin(["retrofit", "rebuild"])]
    return _Line(
        "project_need",
        "Plants needed beyond the pipeline",
        year,
        float(rows["gap"].sum()),
        "plants",
        _source(inputs, "library", "projects", "programme_facts"),
        1.0 if len(plants) else 0.0,
        note=(
            f"the path changes or builds {needed:.0f} plants; the pipeline is expected to bring {have:.1f}, "
            "some of them in other sectors"
        ),
    )


def _emission_lines(inputs: ScorecardInputs) -> list[_Line]:
    hub, end = inputs.hub, inputs.scenario.end_year
    base = hub.base_year
    lines = []
    for scope, title, metric in (
        (True, "Emissions the hub covers", "hub_emissions"),
        (False, "All emissions of the inventory", "state_emissions"),
    ):
        for year in sorted({base, *(y for y in (2030, 2045) if y <= end)}):
            value = float(inputs.central.tonnes_in(year, scope).sum())
            ends = [float(one.tonnes_in(year, scope).sum()) for one in inputs.ends]
            low, high = _pair(ends if year > base else [])
            target, met = _target(inputs, metric, year, value)
            names = (
                ("inventory", "facilities")
                if year <= base
                else ("inventory", "facilities", "drivers", "library")
            )
            lines.append(
                _Line(
                    f"{metric}_{year}",
                    title,
                    year,
                    value,
                    "t CO2e/yr",
                    _source(inputs, *names),
                    weak_share(_included_rows(inputs.central, year, scope)),
                    low,
                    high,
                    target=target,
                    met=met,
                )
            )
    state = float(inputs.central.tonnes_in(base, False).sum())
    if state > 0:
        share = float(inputs.central.tonnes_in(base, True).sum()) / state * 100
        lines.insert(
            1,
            _Line(
                "hub_share",
                "Share of the inventory that the hub covers",
                base,
                share,
                "%",
                _source(inputs, "inventory"),
                0.0,
            ),
        )
    return lines


def _target(inputs: ScorecardInputs, metric: str, year: int, value: float) -> tuple[float, str]:
    rows = inputs.hub.tables["targets"]
    rows = rows[(rows["metric"] == metric) & (rows["year"] == year) & (rows["sector"] == "")]
    if rows.empty:
        return float("nan"), ""
    wanted = [float(row["value"]) * factor(str(row["unit"]), "t CO2e/yr") for _, row in rows.iterrows()]
    target = min(wanted)
    return target, "yes" if value <= target else "no"


def _cumulative_line(inputs: ScorecardInputs, year: int) -> _Line:
    first = inputs.scenario.as_of.year

    def total(tables: PathTables) -> float:
        path = tables.included(True)
        return float(path[(path.index >= first) & (path.index <= year)].sum())

    ends = [total(one) for one in inputs.ends]
    rows = inputs.central.counted
    mine = rows["hub_scope"].to_numpy(bool) & rows["year"].between(first, year).to_numpy(bool)
    rows = rows[["value", "confidence"]][mine]
    return _Line(
        "hub_emissions_cumulative",
        f"Emissions the hub covers, summed from {first} to {year}",
        None,
        total(inputs.central),
        "t CO2e",
        _source(inputs, "inventory", "facilities", "drivers", "library"),
        weak_share(rows),
        *_pair(ends),
    )


def _change_lines(inputs: ScorecardInputs, year: int) -> list[_Line]:
    lines = []
    for metric, title, shown in (
        ("plants_changed", "Plants that have changed", "plants"),
        ("zero_emission_trucks", "Zero-emission trucks on the road", "trucks"),
        ("zero_emission_sales_share", "Zero-emission share of new trucks", "%"),
        ("co2_captured", "CO2 captured for storage", "t CO2/yr"),
    ):
        value, found = measure(inputs.central, metric, "", year, None)
        if not found or not np.isfinite(value):
            continue
        ends = [measure(one, metric, "", year, None)[0] for one in inputs.ends]
        lines.append(
            _Line(
                metric,
                title,
                year,
                value,
                shown,
                _source(inputs, "library", "drivers", "cohorts"),
                1.0 if value > 0 else 0.0,
                *_pair(ends),
            )
        )
    return lines


def _money_lines(inputs: ScorecardInputs, year: int) -> list[_Line]:
    costs = inputs.costs[inputs.costs["year"] <= year]
    unit = f"USD of {inputs.scenario.price_year}"
    lines = []
    for item, metric, title, sign, behind in (
        ("capital", "capital_spent", "Capital spent on plants and trucks", 1.0, ("library", "drivers")),
        ("credits", "credits_received", "Credits and vouchers received", -1.0, ("credits", "policies")),
    ):
        rows = costs[costs["item"] == item]
        value = sign * float(rows["value_usd"].sum())
        lines.append(
            _Line(
                metric,
                f"{title}, summed to {year}",
                None,
                value + 0.0,
                unit,
                _source(inputs, *behind),
                1.0 if value else 0.0,
            )
        )
    return lines


def _foresight_lines(inputs: ScorecardInputs) -> list[_Line]:
    """What deciding year by year costs above the optimum; without one, why there is none."""
    found = inputs.foresight
    note = found.note
    if np.isfinite(found.excess_usd):
        note = f"{found.excess_usd / 1e9:,.1f} billion USD above {found.least_usd / 1e9:,.1f}; {note}"
    return [
        _Line(
            "foresight_excess",
            "What deciding year by year costs above the best path",
            None,
            found.excess_percent,
            "%",
            _source(inputs, "drivers", "technologies"),
            1.0,
            note=note,
        )
    ]


def _coverage_lines(inputs: ScorecardInputs) -> list[_Line]:
    sectors = inputs.sectors
    total = float(sectors["site_co2e_t"].sum())
    if total <= 0:
        return []
    share = float(sectors["covered_co2e_t"].sum()) / total * 100
    without = sectors.loc[sectors["note"] != "", "sector"]
    return [
        _Line(
            "site_tonnes_with_option",
            "Site emissions with a costed option",
            None,
            share,
            "%",
            _source(inputs, "facilities", "library"),
            0.0,
            note=f"no option in the library: {', '.join(without)}" if len(without) else "",
        )
    ]


def _project_lines(inputs: ScorecardInputs) -> list[_Line]:
    projects = inputs.hub.tables["projects"]
    if projects.empty:
        return []
    recalled = float(projects["confidence"].isin(WEAK).mean())
    past = projects["stage"].isin(PAST_FID)
    source = _source(inputs, "projects")
    valued = int(inputs.valuations.loc[inputs.valuations["status"] == "valued", "project_id"].nunique())
    return [
        _Line(
            "projects_listed",
            "Announced projects listed",
            None,
            float(len(projects)),
            "projects",
            source,
            recalled,
        ),
        _Line(
            "projects_past_fid",
            "Projects past their final investment decision",
            None,
            float(past.sum()),
            "projects",
            source,
            recalled,
        ),
        _Line(
            "projects_valued",
            "Projects that can be valued",
            None,
            float(valued),
            "projects",
            _source(inputs, "projects", "library"),
            recalled,
            note="the others say why not in the table valuations",
        ),
    ]


def _pipeline_lines(inputs: ScorecardInputs) -> list[_Line]:
    """Decisions and tonnes that the simulation expects, and the link that most of them wait for."""
    projects, links = inputs.pipeline.get("projects"), inputs.pipeline.get("links")
    if projects is None or links is None or projects.empty:
        return []
    live = (projects["p_fid_2030"] < 1) & ~projects["stage"].isin((*ENDED, *PAST_FID))
    own = projects[live & (projects["role"] != "programme")]
    source = _source(inputs, "projects", "gate_rules", "pipeline_parameters")
    strict = f"{own['p_fid_strict'].sum():.1f} if a value below nothing in our valuation forbids it"
    lines = [
        _Line(
            "decisions_expected",
            "Investment decisions expected among projects still to decide",
            DECISION_YEAR,
            float(own["p_fid_2030"].sum()),
            "projects",
            source,
            1.0,
            note=f"of {len(own)} projects; {strict}",
        )
    ]
    if len(links) and links["blocked_co2e_t"].iloc[0] > 0:
        first = links.iloc[0]
        lines.append(
            _Line(
                "first_missing_link",
                "Expected tonnes that wait for the first missing link",
                None,
                float(first["blocked_co2e_t"]),
                "t CO2e",
                source,
                1.0,
                note=f"{first['description']}; {first['action']}",
            )
        )
    return lines
