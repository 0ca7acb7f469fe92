"""Synthetic plans of the declared tables: one full of awkward text, one with nothing in it."""

from __future__ import annotations

import datetime as dt
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest

from cleanhub.core.tables import Table, conform, empty
from cleanhub.hub.plan_tables import PENDING, PLAN_TABLES
from cleanhub.hub.schema import PACKAGE_TABLES

NASTY = """Ann & Bob's <b>"kiln"</b></script><script>alert('x')</script>"""
BASE, END = 2022, 2030
YEARS = range(2023, END + 1)


@dataclass
class FakeHub:
    """A hub of frames."""

    tables: dict[str, pd.DataFrame]
    shapes: dict[str, Any] | None = None
    name: str = "testland"
    title: str = "Testland hub"
    meta: dict[str, Any] = field(default_factory=lambda: {"gwp": "AR4", "base_year": BASE})

    def counties_geojson(self) -> dict[str, Any] | None:
        return self.shapes


@dataclass
class FakeScenario:
    """A scenario that only has a name."""

    name: str = "steady"
    title: str = "Steady as she goes"
    description: str = "Everything stays."
    as_of: dt.date = dt.date(2026, 1, 15)
    end_year: int = END
    price_year: int = 2024


@dataclass
class FakePlan:
    """A plan of frames."""

    tables: dict[str, pd.DataFrame]
    hub: FakeHub | None
    scenario: FakeScenario = field(default_factory=FakeScenario)
    seed: int = 7
    pending: dict[str, str] = field(default_factory=lambda: dict(PENDING))
    notes: list[str] = field(default_factory=list)
    id: str = "abc123def456"
    versions: dict[str, str] = field(default_factory=lambda: {"cleanhub": "0.1.0"})


_FRAMES: dict[tuple[int, bytes], pd.DataFrame] = {}


def frame(table: Table, *rows: dict[str, Any]) -> pd.DataFrame:
    """Rows as a declared frame of the caller's own; columns that are not named are blank.

    The same rows of a table are checked once: nearly every test of the report asks for them.
    """
    key = id(table), pickle.dumps(rows)
    if key not in _FRAMES:
        raw = pd.DataFrame(
            [{name: row.get(name) for name in table.names} for row in rows], columns=table.names
        )
        _FRAMES[key] = conform(raw, table) if rows else empty(table)
    return _FRAMES[key].copy()


def package(**given: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    """Package tables with the rows of ``given``; ids, sources and confidence filled in where not named."""
    found = {}
    for name, table in PACKAGE_TABLES.items():
        rows = [{"source_id": "src-a", "confidence": "seen", **row} for row in given.get(name, [])]
        found[name] = frame(table, *rows)
    return found


def emission(year: int, sector: str, kind: str, value: float, scope: bool, **more: Any) -> dict[str, Any]:
    return {
        "year": year,
        "inventory_sector": "Industrial",
        "sector": sector,
        "asset_kind": kind,
        "scope": 1,
        "gas": "co2e",
        "boundary": "included",
        "value": value,
        "unit": "t CO2e/yr",
        "gwp": "AR4",
        "hub_scope": scope,
        "status": "history" if year <= BASE else "projected",
        "confidence": "seen",
        **more,
    }


def hub_tables() -> dict[str, pd.DataFrame]:
    site = {
        "lat": 35.0,
        "lon": -119.0,
        "sector": "cement",
        "inventory_sector": "Industrial",
        "county": "Kern",
    }
    return package(
        sources=[
            {"source_id": "src-a", "title": NASTY, "publisher": "A & Co", "year": 2024,
             "licence": "CC-BY-4.0", "address": "https://example.org/a?b=1&c=2",
             "read_through_copyleft": False},
            {"source_id": "src-b", "title": "Trap", "publisher": "B", "licence": "none",
             "address": "javascript:alert(1)", "read_through_copyleft": False},
        ],
        facilities=[
            {"asset_id": "K1", "name": NASTY, **site},
            {"asset_id": "K2", "name": "Second kiln", **site, "lat": 36.0},
            {"asset_id": "OLD", "name": "Closed long ago", **site, "lat": 36.5},
        ],
        facility_emissions=[
            {"asset_id": "K1", "year": BASE, "co2e_t": 1_234_567.0},
            {"asset_id": "K2", "year": BASE, "co2e_t": 45_000.0},
            {"asset_id": "OLD", "year": 2012, "co2e_t": 9e6},
        ],
        projects=[
            {"project_id": "P1", "name": NASTY, "sector": "cement", "stage": "feed", "role": "abates",
             "lat": 35.1, "lon": -119.1, "co2e_t_per_year": 4e5, "source_id": "src-b"},
        ],
        infrastructure=[
            {"infrastructure_id": "I1", "kind": "port", "name": "Port <A>", "lat": 34.0, "lon": -118.0,
             "value": 5.0, "unit": "TEU", "value_year": 2023},
        ],
        inventory=[
            {"year": BASE, "inventory_sector": "Industrial", "sector": "cement", "category": "kilns",
             "gas": "co2", "boundary": "included", "co2e_t": 2e6},
        ],
        targets=[
            {"target": "hub-2030", "name": "Half by 2030", "metric": "hub_emissions", "year": 2030,
             "value": 1e6, "unit": "t CO2e/yr"},
        ],
        programme_facts=[{"fact": "announced", "value": 60.0, "unit": "1", "statement": "over 60 announced"}],
    )  # fmt: skip


def link(one: str, kind: str, blocked: float, projects: str, **more: Any) -> dict[str, Any]:
    return {
        "link_id": one, "kind": kind, "description": f"{NASTY}: {one}", "actor": "utility",
        "action": "agree <now>", "barrier": "permitting", "project_id": "", "p_closes": 0.5, "p50": 2028.4,
        "blocked_co2e_t": blocked, "per_year_of_delay_t": blocked / 10, "shapley_share": 0.25,
        "shapley_co2e_t": 2.5e5, "projects_blocked": len([x for x in projects.split(";") if x]),
        "projects": projects, "confidence": "assumed", **more,
    }  # fmt: skip


def ordered(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"order": place, **row} for place, row in enumerate(rows)]


def pipeline_rows() -> dict[str, list[dict[str, Any]]]:
    """Two gates of P1, a store that both projects wait for, and a port that counts no tonnes."""
    gate = {"project_id": "P1", "what": NASTY, "actor": "city", "action": "decide", "barrier": "permitting",
            "rule": "r1", "confidence": "assumed"}  # fmt: skip
    own = {"project_id": "P1", "barrier": "foak_capital"}
    years = {
        "decisions": (0.6, 0.0, 1.0, 1.0, "project"), "in_service": (1.5, 1.0, 1.0, 2.0, "project"),
        "co2e_t": (4e5, 1e4, 1e5, 1.6e6, "t CO2e"), "capital_usd": (3e8, 0.0, 0.0, 9e8, "USD"),
        "public_usd": (1e8, 0.0, 0.0, 4e8, "USD"), "private_usd": (2e8, 0.0, 0.0, 5e8, "USD"),
        "job_years": (2e3, 0.0, 0.0, 5e3, "job-year"),
    }  # fmt: skip
    moment = {"action": "agree", "blocked_co2e_t": 1e6, "projects": "P1", "fits": False, "late_years": 2.5}
    promise = {"actor": NASTY, "sector": "cement", "metric": "net_zero", "year": 2030, "target": 0.0,
               "unit": "t CO2e/yr", "how": "compared with scope 1 emissions of K2; <b>put to it",
               "confidence": "recalled", "source_id": "src-a"}  # fmt: skip
    buyer = {"offtaker_id": "b1", "name": NASTY, "kind": "fleet", "product": "hydrogen", "volume": 230.0,
             "unit": "t/yr", "premium_unit": "USD/t", "confidence": "assumed"}  # fmt: skip
    test = {"population": NASTY, "unit": "plant", "date": dt.date(2025, 6, 30), "how": "given: <all>",
            "source_id": "src-a", "confidence": "seen"}  # fmt: skip
    rate = {**test, "population": "hub", "how": "calibrated to it: no test"}
    return {
        "gates": [
            {**gate, "gate": "permit", "status": "open", "p10": 2027.1, "p50": 2028.2, "p90": 2030.0,
             "p_pass": 0.6, "p_last": 0.8},
            {**gate, "gate": "offtake", "status": "open", "p_pass": 0.7, "p_last": 0.2},
            {**gate, "gate": "site", "status": "done", "p_pass": 1.0},
        ],
        "links": ordered(
            link("store:S", "store", 2e6, "P1;P2", cost_usd=8.3e7),
            link("gate:P1:permit", "gate", 1e6, "P1", **{**own, "barrier": "permitting"}),
            link("gate:P1:offtake", "gate", 1e6, "P1", **own, per_year_of_delay_t=3e5, actor="buyer"),
            link("port_power:x", "port_power", 0.0, "P2", actor="port", shapley_share=0.0),
            link("policy:45q", "policy", 5e5, "", barrier="policy", actor="legislature"),
        ),
        "stage_years": [
            {"project_id": one, "year": year, "stage": stage, "probability": chance}
            for one in ("P1", "P2") for year in (2026, 2030)
            for stage, chance in (("feed", 0.25), ("operating", 0.25), ("shelved", 0.5))
        ],
        "pipeline_years": [
            {"year": year, "metric": name, "value": given[0], "p10": given[1], "p50": given[2],
             "p90": given[3], "unit": given[4]}
            for year in (2027, 2028, 2030) for name, given in years.items()
        ],
        "coordination": ordered(
            {**moment, "actor": "city", "link_id": "gate:P1:permit", "decide_by": 2022.0, "needed_by": 2025.0,
             "expected": 2028.2, "because": "P1 is to be in service in 2029; it comes 3 years late"},
            {**moment, "actor": "store_operator", "link_id": "store:S", "decide_by": 2027.0,
             "needed_by": 2029.0, "expected": 2028.0, "late_years": -1.0, "fits": True, "because": NASTY},
            {**moment, "actor": "port", "link_id": "port_power:x", "late_years": None, "fits": None,
             "because": "nobody who waits has published a date"},
        ),
        "conflicts": [
            {"conflict_id": "c1", "kind": "deadline_before_link", "policy": "45q", "projects": "P1",
             "deadline": 2033.0, "expected": 2034.6, "late_years": 1.6, "p_missed": 0.4, "usd": 5.7e8,
             "co2e_t_per_year": 3.5e5, "description": f"{NASTY}: CO2 too late", "confidence": "assumed"},
        ],
        "commitments": [
            {**promise, "commitment_id": "short", "pathway": 4.5e4, "gap": 4.5e4},
            {**promise, "commitment_id": "kept", "metric": "truck_share", "target": 30.0, "pathway": 40.5,
             "gap": -10.5, "unit": "%"},
            {**promise, "commitment_id": "world", "pathway": 8.0, "target": 700.0, "unit": "1",
             "share_of_target": 8 / 700, "metric": "plants", "sector": ""},
            {**promise, "commitment_id": "blind"},
        ],
        "offtake": [
            {**buyer, "project_id": "P1", "status": "too_little", "share_of_output": 0.011,
             "needed_premium": 3460.0, "because": "it would take 1% of the output; 29 trucks"},
            {**buyer, "project_id": "P2", "status": "too_little", "share_of_output": 0.021,
             "because": "it would take 2% of the output; 29 trucks"},
            {**buyer, "offtaker_id": "b2", "project_id": "", "status": "no_project", "because": NASTY},
        ],
        "pipeline_backtest": [
            {**test, "metric": "decisions", "ours": 9.8, "low": 5.0, "high": 15.0, "published": 8.0},
            {**test, "metric": "past_fid", "ours": 112.0, "low": 92.0, "high": 133.0, "published": 510.0},
            {**rate, "metric": "fid_ever", "ours": 0.2, "low": 0.2, "high": 0.2, "published": 0.2,
             "unit": "1"},
            {**rate, "metric": "fid_hazard", "ours": 0.03, "low": 0.03, "high": 0.03, "published": 0.03,
             "unit": "1/yr"},
        ],
    }  # fmt: skip


def plan_rows() -> dict[str, list[dict[str, Any]]]:
    emissions = [
        emission(year, "cement", "site", 1.3e6 - 1e5 * (year - BASE), True) for year in (BASE, *YEARS)
    ]
    emissions += [emission(year, "buildings", "rest", 5e6, False) for year in (BASE, *YEARS)]
    emissions.append(emission(BASE, "shipping", "rest", 7e5, False, boundary="excluded"))
    assets = [
        {"asset_id": "K1", "year": year, "sector": "cement", "asset_kind": "site",
         "technology": "old_kiln" if year < 2027 else "kiln_ccs", "production": 1e6, "capacity": 1e6,
         "unit": "t/yr", "co2e_t": 1e6, "captured_t": 0.0}
        for year in (BASE, *YEARS)
    ]  # fmt: skip
    trucks = [
        {"year": year, "class": name, "powertrain": f"{name}_{kind}", "trucks": 900.0, "purchases": 90.0,
         "tco_usd_per_mile": 2.0}
        for year in (BASE, *YEARS) for name in ("rigid", "day_cab") for kind in ("diesel", "fuel_cell")
    ]  # fmt: skip
    limits = [
        {"limit": "co2-storage", "year": year, "value": 2e6, "used": 1e6 * (year - 2022),
         "slack": 0.0, "violation": max(1e6 * (year - 2024), 0.0), "shadow_price": 12.5, "unit": "t/yr",
         "kind": "cap"}
        for year in YEARS
    ]  # fmt: skip
    production = [
        {"year": year, "sector": "cement", "product": "clinker", "region": "", "technology": name,
         "production": 1e6 if (name == "old_kiln") == (year < 2027) else 0.0, "capacity": 1e6, "plants": 1.0,
         "unit": "t/yr"}
        for year in (BASE, *YEARS) for name in ("old_kiln", "kiln_ccs")
    ]  # fmt: skip
    against = {"sector": "cement", "product": "clinker", "against": "old_kiln", "source": "src-a",
               "confidence": "recalled"}  # fmt: skip
    tipping = [
        {**against, "technology": "kiln_ccs", "kind": "cost_parity", "year": 2026, "lasts": "no",
         "value": 90.0, "threshold": 95.0, "unit": "USD/t", "note": "lost again in 2029"},
        {**against, "technology": NASTY, "kind": "cost_parity", "value": 190.0, "threshold": 95.0,
         "unit": "USD/t", "note": "not on this path"},
        {**against, "technology": "kiln_ccs", "kind": "retrofit_parity", "year": 2025, "lasts": "yes",
         "value": 80.0, "threshold": 95.0, "unit": "USD/t"},
        {**against, "technology": "", "kind": "adoption", "year": 2027, "lasts": "yes", "value": 100.0,
         "threshold": 5.0, "unit": "%"},
        {**against, "technology": "", "kind": "adoption", "value": 9.0, "threshold": 10.0, "unit": "%"},
        {**against, "against": "", "technology": "", "kind": "milestone", "milestone": "goal", "due": 2030,
         "met": "yes", "year": 2028, "lasts": "yes", "value": 12.0, "threshold": 10.0, "unit": "%",
         "note": NASTY + "; reached 2 years early"},
    ]  # fmt: skip
    abatement = [
        {"measure": f"{name} | cement", "year": 2030, "sector": "cement", "technology": name,
         "co2e_t": tonnes, "usd_per_t": cost, "usd_per_t_with_policy": cost and cost - 80.0,
         "cumulative_t": cumulative, "note": note}
        for name, tonnes, cost, cumulative, note in (
            ("efficiency", 1e5, -20.0, 1e5, ""), ("kiln_ccs", 9e5, 120.0, 1e6, ""),
            (NASTY, 5e4, 90.0, 1.5e5, ""),
            ("", -2e4, None, None, "not the amount of the frozen path"),
        )
    ]  # fmt: skip
    return {
        **pipeline_rows(),
        "scorecard": [
            {"order": 1, "metric": "project_need", "title": "Plants needed", "year": 2030, "value": 17.0,
             "low": 12.0, "high": 23.0, "unit": "plants", "recalled_share": 0.62, "illustrative": True,
             "source": "src-a;src-b", "note": NASTY},
            {"order": 2, "metric": "hub", "title": "CO2 of the hub", "year": 2030, "value": 4.12e7,
             "unit": "t CO2e/yr", "target": 2.4e7, "met": "no", "recalled_share": 0.1,
             "illustrative": False, "source": "src-a"},
            {"order": 3, "metric": "capital", "title": "Capital", "year": 2030, "value": 2.145e11,
             "unit": "USD of 2024", "illustrative": False, "source": "src-a"},
        ],
        "emissions": emissions,
        "assets": assets,
        "switches": [
            {"year": 2027, "asset_id": "K1", "sector": "cement", "from_technology": "old_kiln",
             "to_technology": "kiln_ccs", "kind": "retrofit", "capex_usd": 4e8, "abated_t_per_year": 9e5},
            {"year": 2028, "asset_id": "K2", "sector": "cement", "from_technology": "old_kiln",
             "kind": "closure", "capex_usd": 0.0, "abated_t_per_year": 45_000.0},
            {"year": 2028, "asset_id": "rigid", "sector": "trucking", "from_technology": "rigid_diesel",
             "to_technology": "rigid_fuel_cell", "kind": "purchase", "capex_usd": 1e6,
             "abated_t_per_year": 77.0},
        ],
        "energy": [
            {"year": year, "sector": "cement", "carrier": carrier, "value": 3e6, "unit": unit}
            for year in YEARS for carrier, unit in (("coal", "GJ/yr"), ("electricity", "MWh/yr"))
        ],
        "costs": [
            {"year": year, "sector": "cement", "item": item, "value_usd": value}
            for year in YEARS for item, value in (("capital", 4e8), ("credits", -1e8))
        ],
        "limits": limits,
        "budgets": [
            {"sector": "cement", "budget": 1e7, "used": 1.2e7, "unit": "t CO2e", "first_year": 2026,
             "last_year": 2030, "source": "straight line", "confidence": "assumed"},
        ],
        "production": production,
        "tipping_points": tipping,
        "abatement_cost": abatement,
        "stranded": [
            {"year": 2028, "sector": "cement", "technology": "old_kiln", "why": "replaced early",
             "plants": 1.0, "capital_usd": 2.5e8},
        ],
        "truck_fleet": trucks,
        "sectors": [
            {"sector": "waste", "sites": 3, "site_co2e_t": 7e5, "covered_co2e_t": 0.0, "options": 0,
             "note": "no option in the library"},
        ],
        "projects": [
            {"project_id": "P1", "name": NASTY, "sector": "cement", "stage": "feed", "role": "abates",
             "stage_basis": "asserted", "p_fid_2030": 0.12, "p_fid_ever": 0.4, "p_fid_strict": 0.01,
             "fid_p10": 2027.5, "fid_p50": 2028.2, "fid_p90": 2031.0, "online_p50": 2032.4,
             "online_year": 2029, "p_from": "valuation",
             "co2e_t_per_year": 4e5, "confidence": "recalled", "source_id": "src-b"},
            {"project_id": "P2", "name": "Store", "sector": "co2_storage", "stage": "cancelled",
             "role": "stores", "part_of": "P1", "stage_basis": "inferred", "p_fid_2030": 0.0,
             "p_fid_ever": 0.0, "p_fid_strict": 0.0, "p_from": "stage",
             "confidence": "seen", "source_id": "src-a"},
        ],
        "valuations": [
            {"project_id": "P1", "case": "first_estimate", "levelised_cost": 227.1, "unit": "USD/t",
             "abatement_cost": 98.2, "status": "valued"},
            {"project_id": "P2", "case": "first_estimate",
             "status": "not valuable, because its capacity is not published"},
        ],
        "project_need": [
            {"sector": "cement", "year": year, "unit": "plants", "plants_needed": 5.0,
             "fid_expected": 1.2, "gap": 3.8,
             "capital_gap_usd": 2.4e9, "source": "counted by hand"} for year in (2030, 2035)
        ],
        "milestones": [
            {"milestone": "hub-2030", "name": "Half by 2030", "year": 2030, "value": 1.1e6, "target": 1e6,
             "unit": "t CO2e/yr", "met": "no", "source": "src-a", "confidence": "seen"},
            {"milestone": "later", "name": "Not yet", "year": 2040, "target": 5.0, "unit": "%",
             "source": "src-zzz", "confidence": "assumed"},
        ],
        "provenance": [
            {"table": "drivers", "key": "a", "value": 1.0, "unit": "t", "source_id": "src-a",
             "confidence": "seen", "licence": "CC-BY-4.0"},
            {"table": "drivers", "key": "b", "value": 1.0, "unit": "t", "source_id": "src-b",
             "confidence": "assumed", "licence": "none"},
        ],
    }  # fmt: skip


RING = [[-120, 33], [-117, 33], [-117, 37], [-120, 37], [-120, 33]]
SQUARE = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "Kern <county>"},
            "geometry": {"type": "Polygon", "coordinates": [RING]},
        },
        {"type": "Feature", "properties": None, "geometry": None},
    ],
}  # fmt: skip


@pytest.fixture
def make_plan() -> Callable[..., FakePlan]:
    """Makes a filled plan; keyword arguments replace the rows of plan tables."""

    def make(**replaced: list[dict[str, Any]]) -> FakePlan:
        rows = {**plan_rows(), **replaced}
        tables = {name: frame(table, *rows.get(name, ())) for name, table in PLAN_TABLES.items()}
        return FakePlan(tables, FakeHub(hub_tables(), SQUARE), notes=[NASTY])

    return make


@pytest.fixture
def filled_plan(make_plan: Callable[..., FakePlan]) -> FakePlan:
    """A plan in which every table has rows."""
    return make_plan()


@pytest.fixture
def empty_plan() -> FakePlan:
    """A plan whose every table, of hub and plan, is empty."""
    tables = {name: frame(table) for name, table in PLAN_TABLES.items()}
    return FakePlan(tables, FakeHub(package()), pending={})


@pytest.fixture
def nasty() -> str:
    """A name that breaks out of HTML, attributes and scripts wherever it is not escaped."""
    return NASTY
