"""A small saved plan with hand-made tables, its hub beside it, and a client that asks for its pages."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from cleanhub.core.tables import Table, conform
from cleanhub.hub.new import new_hub
from cleanhub.hub.package import load_hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import load_scenario
from cleanhub.hub.schema import PACKAGE_TABLES
from cleanhub.planning.identity import hub_hashes
from cleanhub.planning.plan import Plan
from cleanhub.web.app import create_app
from cleanhub.web.view import PlanView, open_plan

HOST = "http://127.0.0.1"
NASTY = """Ann & Bob's <b>"kiln"</b></script><script>alert('x')</script>"""
RING = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]


def frame(table: Table, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a declared frame; columns that are not named are blank."""
    raw = pd.DataFrame([{name: row.get(name) for name in table.names} for row in rows], columns=table.names)
    return conform(raw, table)


HUB_PROJECTS: list[dict[str, Any]] = [
    {"project_id": "P1", "name": NASTY, "developer": "=SUM(A1)", "sector": "cement", "city": "Here",
     "lat": 0.4, "lon": 0.6, "coord_precision": "city", "capacity": 5, "capacity_unit": "t/yr",
     "stage": "feed", "role": "abates", "co2e_t_per_year": 400000},
    {"project_id": "P2", "name": "Store", "sector": "co2_storage", "lat": 0.7, "lon": 0.3,
     "stage": "announced", "role": "stores"},
    {"project_id": "P3", "name": "Nowhere", "sector": "cement", "stage": "cancelled", "role": "abates"},
]  # fmt: skip


def plan_rows() -> dict[str, list[dict[str, Any]]]:
    """Rows of the tables of the full plan; the gates, links and so on of the pipeline among them."""
    emissions = [
        {"year": year, "inventory_sector": "Industry", "sector": "cement", "asset_kind": "site", "scope": 1,
         "gas": "co2e", "boundary": "included", "value": 8e5 - 1e4 * (year - 2022), "unit": "t CO2e/yr",
         "gwp": "AR4", "hub_scope": True, "status": "history" if year < 2023 else "projected",
         "confidence": "seen"}
        for year in range(2022, 2031)
    ]  # fmt: skip
    blank = {"stage_basis": "asserted", "p_fid_ever": 0.5, "p_fid_strict": 0.2, "p_from": "prior"}
    gate = {"project_id": "P1", "actor": "buyer", "action": "sign", "barrier": "policy", "rule": "r"}
    link = {
        "kind": "gate",
        "actor": "lender",
        "action": "lend",
        "barrier": "foak_capital",
        "p_closes": 0.5,
        "p50": 2029.7,
        "per_year_of_delay_t": 5e4,
        "projects_blocked": 1,
        "confidence": "assumed",
    }
    answer = {"project_id": "P1", "policy": "45q", "version": "a1", "confidence": "seen"}
    return {
        "scorecard": [
            {"order": 1, "metric": "need", "title": "Plants needed", "year": 2030, "value": 17.0, "low": 12.0,
             "high": 23.0, "unit": "plants", "recalled_share": 0.62, "illustrative": True,
             "source": "example", "note": NASTY},
            {"order": 2, "metric": "hub", "title": "CO2 of the hub", "year": 2030, "value": 4e5,
             "unit": "t CO2e/yr", "target": 2e5, "met": "no", "recalled_share": 0.1, "illustrative": False,
             "source": "example"},
        ],
        "emissions": emissions,
        "projects": [
            {**blank, **{k: v for k, v in row.items() if k in PLAN_TABLES["projects"].names},
             "p_fid_2030": p, "fid_p10": 2028.2, "fid_p50": 2029.9, "fid_p90": 2033.1, "online_p50": 2032.4,
             "confidence": "recalled", "source_id": "example"}
            for row, p in zip(HUB_PROJECTS, (0.25, 0.5, 0.0), strict=True)
        ],
        "valuations": [
            {"project_id": "P1", "case": "sponsor_p50", "status": "valued", "levelised_cost": 227.1,
             "unit": "USD/t", "npv_usd": -1.5e8, "price_gap": 55.0, "confidence": "assumed"},
            {"project_id": "P2", "case": "none", "status": "not valuable, because its capacity is unknown"},
        ],
        "policy_answers": [
            {**answer, "answer": "pays", "because": "it captures", "until": "2032-12-31", "year": year,
             "usd": 1e6} for year in (2030, 2031)
        ] + [
            {**answer, "policy": "45v", "answer": "no", "because": "it came too late",
             "becomes": "2031-01-01"},
            {**answer, "policy": "30c", "answer": "no", "because": "wrong place"},
        ],
        "chargers": [
            {"site_id": "c1", "name": "Charger", "lat": 0.2, "lon": 0.2, "kind": "depot", "status": "planned",
             "year_energised": 2029, "plugs": 4, "kw": 1400.0, "kwh_per_day": 5e3, "utilisation": 0.15,
             "substation": "S1", "capex_usd": 1e6, "disadvantaged": True, "confidence": "derived"},
        ],
        "provenance": [
            {"table": "drivers", "key": "a", "value": 1.0, "unit": "t", "source_id": "example",
             "confidence": confidence, "licence": "own"} for confidence in ("assumed",)
        ],
        "gates": [
            {**gate, "gate": "offtake", "status": "open", "p10": 2027.1, "p50": 2028.6, "p90": 2031.9,
             "p_pass": 0.72, "p_last": 0.4, "what": NASTY, "confidence": "assumed"},
            {**gate, "gate": "permit", "status": "done", "p_pass": 1.0, "what": "granted",
             "confidence": "seen"},
        ],
        "links": [
            {**link, "order": 0, "link_id": "store", "kind": "store", "description": "large one",
             "barrier": "permitting", "blocked_co2e_t": 4.2e6, "shapley_share": 0.6, "shapley_co2e_t": 3e6,
             "projects": "P1;P2;P9"},
            {**link, "order": 1, "link_id": "gate-P1-offtake", "description": "small one", "project_id": "P1",
             "blocked_co2e_t": 1e5, "shapley_share": 0.1, "shapley_co2e_t": 5e4, "projects": "P1"},
        ],
        "stage_years": [
            {"project_id": "P1", "year": year, "stage": stage, "probability": share}
            for year in (2026, 2027) for stage, share in (("feed", 0.75), ("cancelled", 0.25))
        ],
        "pipeline_years": [
            {"year": year, "metric": "co2e_t", "value": 2e5, "p10": 1e5, "p50": 2e5, "p90": 3e5,
             "unit": "t CO2e/yr"} for year in (2028, 2029, 2030)
        ],
        "coordination": [
            {"order": 0, "actor": "lender", "link_id": "store", "action": "lend", "projects": "P1",
             "decide_by": 2026.5, "needed_by": 2028.0, "expected": 2029.0, "late_years": late,
             "fits": late < 0, "because": word, "blocked_co2e_t": 1e5}
            for late, word in ((-1.0, "in time"),)
        ] + [
            {"order": 1, "actor": "utility", "link_id": "wire", "action": "build", "projects": "P1",
             "late_years": 1.2, "fits": False, "because": "too late", "blocked_co2e_t": 5e4},
        ],
        "conflicts": [
            {"conflict_id": "c", "kind": "deadline_before_link", "policy": "45v", "projects": "P1",
             "deadline": 2027.9, "expected": 2029.0, "p_missed": 0.8, "description": "does not fit",
             "confidence": "derived"},
        ],
    }  # fmt: skip


PIPELINE = ("gates", "links", "stage_years", "pipeline_years", "coordination", "conflicts")


def make_hub(folder: Path) -> Path:
    """A hub of one plant and three projects, two of them with a place."""
    hub = new_hub("valley", folder, "Green & Pleasant Valley")
    with (hub / "projects.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, PACKAGE_TABLES["projects"].names, restval="", lineterminator="\n")
        writer.writeheader()
        for row in HUB_PROJECTS:
            writer.writerow({**row, "source_id": "example", "confidence": "recalled"})
    shape = {
        "type": "Feature",
        "properties": {"county": "Vale"},
        "geometry": {"type": "Polygon", "coordinates": [RING]},
    }
    (hub / "counties.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [shape]}))
    return hub


def make_plan(hub_folder: Path, rows: dict[str, list[dict[str, Any]]], pending: dict[str, str]) -> Plan:
    """A plan of the hub that holds ``rows``."""
    hub = load_hub(hub_folder)
    return Plan(
        scenario=load_scenario("baseline", hub),
        seed=3,
        tables={name: frame(PLAN_TABLES[name], held) for name, held in rows.items()},
        hub_name=hub.name,
        hub_title=hub.title,
        hashes={**hub_hashes(hub), "library": "x"},
        versions={"cleanhub": "0.1.0"},
        pending=pending,
        notes=["a remark of the run"],
    )


@pytest.fixture(scope="session")
def hub_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hub; not to be changed, copy it first."""
    return make_hub(tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="session")
def plan_folder(hub_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved plan with the tables of the pipeline."""
    plan = make_plan(hub_folder, plan_rows(), {"corridors": "shipping"})
    return plan.save(tmp_path_factory.mktemp("plans") / "full")


@pytest.fixture(scope="session")
def old_folder(hub_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved plan without the tables of the pipeline, chargers or provenance."""
    rows = {name: held for name, held in plan_rows().items() if name not in PIPELINE}
    rows = {name: held for name, held in rows.items() if name not in ("chargers", "provenance")}
    plan = make_plan(hub_folder, rows, {"gates": "pipeline"})
    return plan.save(tmp_path_factory.mktemp("plans") / "old")


@pytest.fixture(scope="session")
def view(plan_folder: Path, hub_folder: Path) -> PlanView:
    """The full plan with its hub."""
    return open_plan(plan_folder, hub_folder)


@pytest.fixture(scope="session")
def client(view: PlanView) -> Iterator[TestClient]:
    """A client of the full plan."""
    with TestClient(create_app(view), base_url=HOST) as made:
        yield made


@pytest.fixture(scope="session")
def old_client(old_folder: Path, hub_folder: Path) -> Iterator[TestClient]:
    """A client of the plan without a pipeline."""
    with TestClient(create_app(open_plan(old_folder, hub_folder)), base_url=HOST) as made:
        yield made


@pytest.fixture(scope="session")
def lone_client(plan_folder: Path) -> Iterator[TestClient]:
    """A client of the full plan whose hub is not at hand."""
    with TestClient(create_app(open_plan(plan_folder)), base_url=HOST) as made:
        yield made


@pytest.fixture
def nasty() -> str:
    """A name that breaks out of HTML, attributes and scripts wherever it is not escaped."""
    return NASTY
