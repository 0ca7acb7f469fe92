"""A made-up plan of charging sites around two made-up ports, in the declared plan tables.

No number here is of a real place: the figures are chosen so that sums can be checked by hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from cleanhub.core.tables import conform
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.schema import PACKAGE_TABLES
from cleanhub.report.context import Context

YEARS = tuple(range(2025, 2036))
BINDS = ("grid", "grid", "grid", "plugs", "plugs", "grid", "cost", "grid", "range", "nothing", "nothing")
STATIONS = ("fixture-north", "fixture-south", "fixture-east")
LICENCE = "ODbL-1.0"


def charging_rows() -> list[dict[str, Any]]:
    """1,000 truck-days a year; served grows by 50 a year from 100, wanted is 60 more until it is met."""
    rows = []
    for i, (year, binds) in enumerate(zip(YEARS, BINDS, strict=True)):
        served = 100.0 + 50.0 * i
        wanted = served if binds == "nothing" else served + 60.0
        rows.append(
            {"year": year, "trucks": 1000.0, "wanted": wanted, "served": served, "most": served + 150.0,
             "binds": binds, "without_range": served + 150.0, "without_plugs": served + 160.0,
             "without_grid": served + 190.0, "without_cost": None, "usd_per_kwh": 0.31,
             "peak_kw": 2000.0 * (i + 1), "residual": 0.004}
        )  # fmt: skip
    return rows


def site_rows() -> list[dict[str, Any]]:
    """One site that is open, and twelve that open in 2027 to 2035 with 1 to 12 MW."""
    common = {"kwh_per_day": 9000.0, "utilisation": 0.42, "usd_per_kwh": 0.3, "disadvantaged": False}
    rows = [
        {**common, "site_id": "fixture-0", "name": "Fixture yard that stands", "lat": 33.77, "lon": -118.2,
         "kind": "depot", "status": "open", "year_energised": 2024, "plugs": 20.0, "kw": 3000.0,
         "substation": STATIONS[0], "grid_tier": "", "capex_usd": 0.0, "survival": None, "asked_by": "",
         "confidence": "seen"}
    ]  # fmt: skip
    rows += [
        {**common, "site_id": f"fixture-{i}", "name": f"Fixture site {i}", "lat": 33.75 + 0.03 * (i % 5),
         "lon": -118.25 + 0.05 * i, "kind": ("depot", "shared", "public")[i % 3], "status": "planned",
         "year_energised": 2027 + (i - 1) * 8 // 11, "plugs": 10.0 * i, "kw": 1000.0 * i,
         "substation": STATIONS[i % 3], "grid_tier": "feeder" if i > 4 else "", "capex_usd": 1e6 * i,
         "survival": 1.0 if i % 2 else 0.25, "disadvantaged": i % 4 == 0,
         "asked_by": "Fixture neighbours" if i == 3 else "",
         "confidence": "assumed" if i > 6 else "derived"}
        for i in range(1, 13)
    ]  # fmt: skip
    return rows


def flow_rows(side: int = 12) -> list[dict[str, Any]]:
    """A grid of roads of ``side`` x ``side`` places, both directions, busiest at the south-west corner."""
    rows: list[dict[str, Any]] = []
    for i in range(side):
        for j in range(side):
            for di, dj in ((1, 0), (0, 1)):
                if i + di >= side or j + dj >= side:
                    continue
                ends = [(33.74 + 0.02 * i, -118.27 + 0.06 * j)]
                ends.append((33.74 + 0.02 * (i + di), -118.27 + 0.06 * (j + dj)))
                trucks = 4000.0 / (1 + i + j)
                for start, end in (ends, ends[::-1]):
                    rows.append(
                        {"arc_id": len(rows), "from_lat": start[0], "from_lon": start[1], "to_lat": end[0],
                         "to_lon": end[1], "trucks_per_day": trucks,
                         "ze_trucks_per_day": trucks * j / side, "licence": LICENCE}
                    )  # fmt: skip
    return rows


def hour_shape(hour: int) -> float:
    """Between 0 and 1, fullest at 2 o'clock."""
    return 0.5 + 0.5 * math.cos((hour - 2) / 24 * 2 * math.pi)


def freight_tables() -> dict[str, list[dict[str, Any]]]:
    """Rows of every table of trucks and their charging."""
    works = [
        {"substation": name, "name": f"Fixture {name.removeprefix('fixture-').title()}",
         "utility": "Fixture Edison" if i else "", "tier": tier, "kw": kw, "cost_usd": cost,
         "start": start, "ready": ready, "headroom_kw": 5000.0,
         "headroom_confidence": "assumed" if i else "seen"}
        for i, (name, tier, kw, cost, start, ready) in enumerate(
            [(STATIONS[0], "feeder", 10_000.0, 6e6, 2026, 2028),
             (STATIONS[1], "feeder", 10_000.0, 6e6, 2027, 2029),
             (STATIONS[1], "transformer", 28_000.0, 30e6, 2027, 2032)]
        )
    ]  # fmt: skip
    return {
        "truck_charging": charging_rows(),
        "chargers": site_rows(),
        "road_flow": flow_rows(),
        "site_load": [
            {"substation": name, "year": year, "hour": hour,
             "kw": 1000.0 * (3 - n) * (year - 2024) * hour_shape(hour)}
            for n, name in enumerate(STATIONS) for year in YEARS for hour in range(24)
        ],
        "site_use": [
            {"site_id": f"fixture-{i}", "year": 2035, "hour": hour, "kw": 900.0 * i * hour_shape(hour),
             "utilisation": 0.9 * hour_shape(hour)}
            for i in range(1, 13) for hour in range(24)
        ],
        "grid_upgrades": works,
        "charging_capital": [
            {"year": year, "item": item, "payer": payer, "value_usd": value}
            for year in YEARS[2:]
            for item, payer, value in (("sites", "site_owner", 2e6), ("plugs", "site_owner", 3e6),
                                       ("plugs", "public", 1e6), ("grid", "utility", 4e6))
        ],
    }  # fmt: skip


COMMUNITY = (
    {"area_id": "a1", "name": "Fixture harbour side", "kind": "priority", "lat": 33.84, "lon": -118.1,
     "radius_km": 3.0, "asked_by": "Fixture neighbours", "asked_on": "2025-06-01"},
    {"area_id": "a2", "name": "Fixture school", "kind": "no_go", "lat": 33.0, "lon": -117.0,
     "radius_km": 1.0, "asked_by": "Fixture <parents> & co", "asked_on": None},
)  # fmt: skip


@pytest.fixture
def make_freight(make_plan: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a plan with charging; keyword arguments replace the rows of plan tables."""

    def make(**replaced: list[dict[str, Any]]) -> Any:
        plan = make_plan(**{**freight_tables(), **replaced})
        table = PACKAGE_TABLES["community_areas"]
        rows = [{**row, "source_id": "src-a", "confidence": "seen"} for row in COMMUNITY]
        raw = pd.DataFrame([{name: row.get(name) for name in table.names} for row in rows])
        plan.hub.tables["community_areas"] = conform(raw, table)
        return plan

    return make


@pytest.fixture
def freight_plan(make_freight: Callable[..., Any]) -> Any:
    """A plan in which every table of charging has rows."""
    return make_freight()


@pytest.fixture
def freight(freight_plan: Any) -> Context:
    """That plan, read."""
    return Context(freight_plan)


@pytest.fixture
def declared() -> tuple[str, ...]:
    """The plan tables of trucks and their charging, as declared."""
    return tuple(name for name in PLAN_TABLES if name in freight_tables())
