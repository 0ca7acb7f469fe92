"""One table of every published figure we compared with, as Markdown for the page on validation.

Five parts: emissions (the base year against the inventory), pathways (rows of the library's
``published_figures``), freight and finance (``published_elsewhere.csv`` beside this file) and pipeline (plan
table ``pipeline_backtest``). Ours is measured on the bundled data and paths when the docs are made; a row
whose reason says *recorded* gives what a test or benchmark found, since the peer is not part of the project.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd

import doc_figures
import doc_published
from cleanhub.core.units import factor
from cleanhub.finance.case_value import CaseValue, value_case
from cleanhub.finance.cases import load_archetype
from cleanhub.finance.policy_setting import setting_of
from cleanhub.freight.case import FreightCase, prepare_freight
from cleanhub.freight.energy import group_diesel, group_energy, range_km
from cleanhub.freight.network import Network
from cleanhub.freight.roads import load_network
from cleanhub.freight.trips import truck_volume
from cleanhub.freight.zones import container_throughput
from cleanhub.hub.datadoc import markdown_table
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import load_scenario
from cleanhub.planning.plan import Plan
from cleanhub.planning.published import NOT_MEASURED, difference, shown, verdict
from cleanhub.policy.book import load_book

HEADER = ["part", "figure", "published", "ours", "difference", "inside", "why", "source"]
ELSEWHERE = Path(__file__).with_name("published_elsewhere.csv")
TERMINAL_ISLAND = (33.74, -118.26)
PLACES = {
    "vernon": (34.0, -118.21),
    "ontario": (34.03, -117.61),
    "mira_loma": (34.0, -117.52),
    "perris": (33.84, -117.23),
    "san_bernardino": (34.105, -117.29),
    "barstow": (34.898, -117.02),
    "otay_mesa": (32.553, -116.94),
    "bakersfield": (35.373, -119.018),
    "las_vegas": (36.17, -115.14),
    "phoenix": (33.448, -112.074),
    "oakland": (37.8, -122.3),
}
"""Places whose road distance from Terminal Island is compared: degrees north and east."""
RECORDED = {
    "pmed": 40.0,
    "cap": 2.0,
    "holmberg": 57.0,
    "refuelling": 15.0,
    "sam_debt": 1.0 + 1e-8,
    "sam_npv": 1.0 + 1e-8,
    "sam_irr": 1.0 + 1e-5,
    "closed_forms": 91.0,
    "tco_ratio": 0.90,
}
"""What a test or a benchmark found, whose peer is not part of the project."""
COUNTED = {
    "past_fid": "plants past their decision",
    "decisions": "decisions since the first count",
    "share_past_fid": "share past its decision",
    "cancelled": "projects cancelled",
    "share_failed": "share that failed",
    "fid_ever": "share that ever decides",
    "fid_per_year": "decisions a live project and year",
}
"""How the metrics of ``pipeline_backtest`` read."""


@dataclass(frozen=True)
class Ours:
    """What this package makes of the figures in ``published_elsewhere.csv``."""

    hub: Hub
    plan: Plan

    @cached_property
    def case(self) -> FreightCase:
        """The freight of the hub, before chargers."""
        scenario = load_scenario(self.plan.scenario.name, self.hub)
        made = prepare_freight(self.hub, scenario)
        if made is None:
            raise ValueError("the hub has no freight to compare")
        return made

    @cached_property
    def roads(self) -> Network:
        """The roads that come with the hub."""
        return load_network(self.hub)

    def miles(self, place: str) -> float:
        """Road distance from Terminal Island [mi]."""
        lat, lon = (np.array([degrees]) for degrees in PLACES[place])
        return float(self.roads.between(*TERMINAL_ISLAND, lat, lon).km[0, 0]) / factor("mi", "km")

    @cached_property
    def truck_days(self) -> tuple[np.ndarray, np.ndarray]:
        """Trucks a day (G,) and miles of each group's truck-day (G,) [mi]."""
        days = self.case.truck_days
        return days.trucks, days.km / factor("mi", "km")

    def per_mile(self, of_group: np.ndarray) -> float:
        """Mean of something of each group's truck-day over its miles."""
        trucks, miles = self.truck_days
        return float(trucks @ of_group / (trucks @ miles))

    def shift_miles(self) -> tuple[float, float]:
        """Mean distance of a shift, and of a truck-day of two shifts [mi]."""
        trucks, miles = self.truck_days
        shifts = self.case.truck_days.shifts
        two = shifts == 2
        return float(trucks @ miles / (trucks @ shifts)), float(trucks[two] @ miles[two] / trucks[two].sum())

    def drayage(self, year: int, clean: bool = False) -> float:
        """Drayage trucks on the road, all or those without diesel."""
        fleet = self.plan.table("truck_fleet")
        rows = fleet[(fleet["class"] == "trucks-drayage") & (fleet["year"] == year)]
        dirty = rows["powertrain"].astype(str).str.endswith("diesel")
        return float(rows.loc[~dirty if clean else slice(None), "trucks"].sum())

    def plugs_per_truck(self, year: int) -> float:
        """Plugs that stand over battery and fuel-cell drayage trucks."""
        chargers = self.plan.table("chargers")
        standing = chargers["year_energised"].astype(float) <= year
        return float(chargers.loc[standing, "plugs"].sum()) / self.drayage(year, clean=True)

    def shared_site(self) -> tuple[float, float]:
        """Cost of a full shared site [USD], and the part of it before the meter."""
        sites, figures = self.case.sites, self.case.figures
        shared = np.flatnonzero((sites.kind == "shared") & (sites.plugs_most > 0) & (sites.fixed_usd > 0))
        total = float(
            np.median(sites.fixed_usd[shared] + sites.usd_per_plug[shared] * sites.plugs_most[shared])
        )
        return total, float(figures.value("front_of_meter", unit="USD"))

    def value(self, archetype: str) -> CaseValue:
        """An archetype valued as it stands, with the policies of the plan's scenario."""
        scenario = load_scenario(self.plan.scenario.name, self.hub)
        loaded = load_archetype(archetype, self.hub.library)
        return value_case(loaded, setting_of(loaded, load_book(self.hub.library, self.hub, scenario)))

    @cached_property
    def biomass(self) -> tuple[float, float]:
        """Price at return of hydrogen from biomass with and without policies [USD/kg]."""
        value = self.value("biomass-hydrogen-storage")
        return value.price_at_return / 1e3, (value.price_gap_before_policy + value.reference_price) / 1e3

    def measures(self) -> dict[str, Callable[[], float]]:
        """One function for every row of the file."""
        case = self.case
        kwh = self.per_mile(group_energy(case.truck_days, case.figures))
        shared, front = self.shared_site()
        return {
            **{f"miles_{place}": partial(self.miles, place) for place in PLACES},
            **{key: partial(float, found) for key, found in RECORDED.items()},
            "battery_energy": lambda: kwh,
            "diesel_economy": lambda: 1.0 / self.per_mile(group_diesel(case.truck_days, case.figures)),
            "battery_range": lambda: float(
                range_km(case.figures, np.array([2024]), kwh * case.figures.value("charging_efficiency"))[0]
            ),
            "gate_moves": lambda: truck_volume(container_throughput(self.hub), case.figures).moves,
            "shift_miles": lambda: self.shift_miles()[0],
            "two_shift_miles": lambda: self.shift_miles()[1],
            "fleet_2035": lambda: self.drayage(2035),
            "battery_2025": lambda: self.drayage(2025, clean=True),
            "plugs_per_truck": lambda: self.plugs_per_truck(2035),
            "front_of_meter": lambda: 100 * front / shared,
            "depot_cost": lambda: shared / 1e6,
            "hydrogen_biomass_45q": lambda: self.biomass[0],
            "hydrogen_biomass": lambda: self.biomass[1],
            "credit_effect": lambda: self.biomass[1] - self.biomass[0],
            "hydrogen_gas_capture": lambda: self.value("smr-capture").sponsor.levelised_cost / 1e3,
        }


def compared(hub: Hub, plan: Plan) -> pd.DataFrame:
    """Every published figure beside ours: columns of :data:`HEADER`, as words."""
    parts = [_emissions(hub, plan), _pathways(), _elsewhere(hub, plan), _pipeline(plan)]
    order = ["Emissions", "Pathways", "Freight", "Finance", "Pipeline"]
    frame = pd.concat(parts, ignore_index=True)[HEADER]
    return frame.sort_values("part", key=lambda part: part.map(order.index), kind="stable", ignore_index=True)


def one_table(hub: Hub, plan: Plan) -> str:
    """The table of the page."""
    return markdown_table(HEADER, compared(hub, plan).to_numpy().tolist(), right=(2, 3, 4))


def counts(hub: Hub, plan: Plan) -> str:
    """How many figures are inside and outside what is published, by part."""
    frame = compared(hub, plan)
    inside = frame["inside"].str.startswith(("yes", "at"))
    none = frame["inside"] == ""
    of = pd.DataFrame({"inside": inside, "outside": ~inside & ~none, "no single figure": none}).groupby(
        frame["part"]
    )
    table = of.sum().reindex(frame["part"].unique())
    table.loc["**all**"] = table.sum()
    rows = [(str(part), *row, row.sum()) for part, row in zip(table.index, table.to_numpy(), strict=True)]
    return markdown_table(["part", *table.columns, "all"], rows, right=(1, 2, 3, 4))


def _emissions(hub: Hub, plan: Plan) -> pd.DataFrame:
    rows = doc_figures.validation_rows(hub, plan)
    frame = pd.DataFrame(rows, columns=["figure", "published", "ours", "difference", "why", "source"])
    away = pd.to_numeric(frame["difference"].str.extract(r"([-+]?[\d.]+)\s*%")[0])
    inside = np.where(away.isna(), "", np.where(away.abs() <= 10, "yes", "no"))
    return frame.assign(part="Emissions", inside=inside)


def _pathways() -> pd.DataFrame:
    found = doc_published.compared()
    frame = shown(found[found["inside"] != NOT_MEASURED]).sort_values("sector", kind="stable")
    titles = frame["sector"].str.replace("_", " ").str.capitalize()
    return frame.assign(
        part="Pathways",
        figure=titles + ": " + frame["figure"] + " (" + frame["path"] + ")",
        published=(frame["published"] + " " + frame["unit"]).str.strip(),
    )


def _elsewhere(hub: Hub, plan: Plan) -> pd.DataFrame:
    rows = pd.read_csv(ELSEWHERE, dtype={"low": float, "value": float, "high": float})
    measures = Ours(hub, plan).measures()
    unknown = set(rows["key"]) ^ set(measures)
    if unknown:
        raise ValueError(f"{ELSEWHERE.name} and its measures differ: {', '.join(sorted(unknown))}")
    found = [float(measures[key]()) for key in rows["key"]]
    ends = [(row["low"], row["value"], row["high"]) for _, row in rows.iterrows()]
    return rows.assign(
        published=[_stated(*end, unit) for end, unit in zip(ends, rows["unit"], strict=True)],
        ours=[_number(value) for value in found],
        difference=[_percent(difference(ours, *end)) for ours, end in zip(found, ends, strict=True)],
        inside=[verdict(ours, *end) for ours, end in zip(found, ends, strict=True)],
        source=rows["source"] + ", " + rows["confidence"],
    )


def _pipeline(plan: Plan) -> pd.DataFrame:
    rows = plan.table("pipeline_backtest")
    rows = rows[rows["published"].notna()]
    inside = (rows["published"] >= rows["low"]) & (rows["published"] <= rows["high"])
    edge = inside & ((rows["published"] == rows["low"]) | (rows["published"] == rows["high"]))
    sampled = rows["high"] > rows["low"]
    date = pd.to_datetime(rows["date"]).dt.strftime("%Y-%m-%d")
    away = rows["ours"] / rows["published"] - 1
    ours = [
        f"{_number(value)} ({_number(low)} to {_number(high)})" if many else _number(value)
        for value, low, high, many in zip(rows["ours"], rows["low"], rows["high"], sampled, strict=True)
    ]
    return pd.DataFrame(
        {
            "part": "Pipeline",
            "figure": rows["population"]
            + ": "
            + rows["metric"].map(COUNTED).fillna(rows["metric"])
            + ", "
            + date,
            "published": [_number(value) for value in rows["published"]],
            "ours": ours,
            "difference": [_percent(value) for value in away],
            "inside": np.where(
                sampled,
                np.where(edge, "at the edge", np.where(inside, "yes", "no")),
                np.where(away.abs() <= 0.1, "yes", "no"),
            ),
            "why": rows["how"],
            "source": rows["source_id"],
        }
    )


def _stated(low: float, value: float, high: float, unit: str) -> str:
    unit = "" if unit == "1" else f" {unit}"
    if np.isfinite(value):
        ends = f" ({_number(low)} to {_number(high)})" if np.isfinite(low) and np.isfinite(high) else ""
        return f"{_number(value)}{unit}{ends}"
    if np.isfinite(low) and np.isfinite(high):
        return f"{_number(low)} to {_number(high)}{unit}"
    return f"at least {_number(low)}{unit}" if np.isfinite(low) else f"at most {_number(high)}{unit}"


def _number(value: float) -> str:
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.01 else f"{value:.2g}"


def _percent(value: float) -> str:
    if not np.isfinite(value):
        return "-"
    return "0 %" if abs(value) < 5e-4 else f"{100 * value:+.1f} %"
