"""Promises against paths: every metric by hand on small tables, what is not compared, the packaged rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cleanhub as ch
from cleanhub.core.errors import InputError
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.engine import run_pathway
from cleanhub.planning.commitments import (
    NO_GAP_ELSEWHERE,
    NO_GAP_MEMBER,
    _Reader,
    check_commitments,
    commitment_rows,
    commitments_table,
    path_tables_of,
)
from cleanhub.planning.targets import PathTables

SITE = "ghgrp-1006842"
YEAR = 2035
USUAL: dict[str, Any] = {
    "commitment_id": "one", "actor": "Someone", "platform": "", "sector": "cement", "metric": "emissions_cut",
    "base_year": 2020, "year": YEAR, "low": np.nan, "value": 50.0, "high": np.nan, "unit": "%",
    "asset_id": "", "source_id": "sb-596", "confidence": "seen", "note": "",
}  # fmt: skip
Found = Callable[..., pd.Series]


@pytest.fixture(scope="module")
def path(hub: Hub) -> Pathway:
    return run_pathway(hub, ch.load_scenario("net-zero-2045", hub))


@pytest.fixture(scope="module")
def path_tables(path: Pathway) -> PathTables:
    return path_tables_of(path)


def promising(hub: Hub, *rows: dict[str, Any], own: bool = True) -> Hub:
    """The hub with these promises alone, its own or the library's."""
    columns = hub.library.tables["commitments"].columns
    frame = pd.DataFrame([{**USUAL, **row} for row in rows], columns=columns)
    frame["base_year"] = frame["base_year"].astype("Int64")
    empty = hub.library.tables["commitments"].iloc[:0]
    library = replace(hub.library, tables={**hub.library.tables, "commitments": empty if own else frame})
    tables = {**hub.tables, "commitments": frame if own else empty}
    return replace(hub, tables=tables, library=library)


@pytest.fixture
def found(path: Pathway, path_tables: PathTables) -> Found:
    """The row of one promise, on the tables of the path or on others."""

    def one(
        row: dict[str, Any],
        own: bool = True,
        world: bool = False,
        tables: PathTables | None = None,
        at: int | None = None,
    ) -> pd.Series:
        hub = promising(path.hub, row, own=own)
        if world:
            hub = replace(hub, meta={**hub.meta, "covers": "world"})
        frame = commitments_table(replace(path, hub=hub), tables or path_tables, at)
        assert list(frame.columns) == PLAN_TABLES["commitments"].names
        assert len(frame) == 1
        return frame.iloc[0]

    return one


def small_tables(path_tables: PathTables) -> PathTables:
    """One site: 200 t of 100 units in 2020, 80 t of 80 units in 2035; cement as a whole 1000 to 300 t."""
    assets = pd.DataFrame(
        {
            "asset_id": SITE, "year": [2020, YEAR], "sector": "cement", "asset_kind": "site",
            "production": [100.0, 80.0], "co2e_t": [200.0, 80.0],
        }
    )  # fmt: skip
    emissions = pd.DataFrame(
        {
            "year": [2020, YEAR, YEAR], "sector": "cement", "scope": [1, 1, 2], "boundary": "included",
            "gas": "co2e", "hub_scope": True, "asset_kind": "site", "value": [1000.0, 300.0, 5000.0],
        }
    )  # fmt: skip
    return replace(path_tables, assets=assets, emissions=emissions)


# ---------------------------------------------------------------- each metric by hand


@pytest.mark.parametrize(
    ("row", "reached", "gap"),
    [
        ({"asset_id": SITE}, 60.0, -10.0),  # 200 to 80 t
        ({}, 70.0, -20.0),  # 1000 to 300 t: scope 2 is not in it
        ({"sector": "", "value": 90.0}, 70.0, 20.0),
        ({"metric": "net_zero", "value": 0.0, "unit": "t CO2e/yr"}, 300.0, 300.0),
        ({"metric": "net_zero", "value": 0.1, "unit": "kt CO2e/yr", "asset_id": SITE}, 0.08, -0.02),
        ({"metric": "intensity_cut", "value": 75.0}, 50.0, 25.0),  # 2 to 1 t per unit
        ({"metric": "intensity_cut", "value": 0.4, "unit": "1", "asset_id": SITE}, 0.5, -0.1),
    ],
)
def test_tonnes_and_intensities(
    found: Found, path_tables: PathTables, row: dict[str, Any], reached: float, gap: float
) -> None:
    one = found(row, tables=small_tables(path_tables))
    assert one["pathway"] == pytest.approx(reached)
    assert one["gap"] == pytest.approx(gap)
    assert np.isnan(one["share_of_target"])


def trucks(path_tables: PathTables) -> PathTables:
    fleet = pd.DataFrame(
        [
            (YEAR, "trucks-drayage", "electric", 30.0, 10.0), (YEAR, "trucks-drayage", "diesel", 70.0, 0.0),
            (YEAR, "trucks-class4-7", "electric", 20.0, 5.0), (YEAR, "trucks-class4-7", "diesel", 280.0, 9.0),
            (YEAR, "ferries", "electric", 5.0, 0.0),
        ],
        columns=["year", "class", "powertrain", "trucks", "purchases"],
    )  # fmt: skip
    return replace(path_tables, truck_fleet=fleet, zero_emission=frozenset({"electric"}))


def test_shares_and_numbers_of_trucks(found: Found, path_tables: PathTables) -> None:
    tables = trucks(path_tables)
    row = {"metric": "truck_share", "sector": "trucking", "value": 100.0, "base_year": pd.NA}
    assert found({**row, "asset_id": "trucks-drayage"}, tables=tables)["gap"] == pytest.approx(70.0)
    assert found(row, tables=tables)["pathway"] == pytest.approx(100 * 50 / 400)  # ferries are no trucks
    number = {**row, "metric": "trucks", "unit": "vehicle", "asset_id": "trucks-drayage", "value": 40.0}
    one = found(number, tables=tables)
    assert (one["pathway"], one["gap"], one["share_of_target"]) == (30.0, 10.0, 0.75)


def test_what_counts_is_what_the_breakthrough_counts(found: Found, path: Pathway) -> None:
    row = {"metric": "sales_share", "sector": "trucking", "value": 100.0}
    one = found(row)
    cleaner = np.array([name.endswith(("_battery", "_fuel_cell")) for name in path.tech.names])
    t = YEAR - int(path.years[0])
    bought = [
        (cls.bought[cleaner[cls.options], t].sum(), cls.bought[:, t].sum()) for cls in path.walked.vehicles
    ]
    part, whole = np.sum(bought, axis=0)
    assert one["pathway"] == pytest.approx(100.0 * part / whole)
    assert 0.0 < one["pathway"] < 100.0
    assert "trucking-sales-2030" in one["how"]


def test_the_path_has_no_port_equipment(found: Found) -> None:
    one = found({"metric": "equipment_share", "sector": "ports", "value": 100.0})
    assert np.isnan(one["pathway"])
    assert np.isnan(one["gap"])
    assert "no such equipment" in one["how"]


# ---------------------------------------------------------------- what is not compared


MILESTONE = {"metric": "plants", "sector": "", "value": 700.0, "unit": "1", "platform": "P", "actor": "P"}


def test_a_hub_is_a_part_of_the_world(found: Found) -> None:
    here = found(MILESTONE, own=False)
    assert here["pathway"] > 0
    assert np.isnan(here["gap"])
    assert here["share_of_target"] == pytest.approx(here["pathway"] / 700.0)
    assert here["how"].startswith(NO_GAP_ELSEWHERE)
    world = found(MILESTONE, own=False, world=True)
    assert world["gap"] == pytest.approx(700.0 - here["pathway"])
    assert world["share_of_target"] == here["share_of_target"]


def test_a_share_of_the_world_is_shown_beside_and_not_judged(found: Found) -> None:
    row = {"metric": "sales_share", "sector": "trucking", "value": 30.0}
    here, world = found(row, own=False), found(row, own=False, world=True)
    assert np.isnan(here["gap"])
    assert np.isnan(here["share_of_target"])
    assert world["gap"] == pytest.approx(30.0 - here["pathway"])


@pytest.mark.parametrize("world", [False, True])
def test_a_member_is_no_sector(found: Found, world: bool) -> None:
    one = found({**MILESTONE, "actor": "A company"}, own=False, world=world)
    assert one["pathway"] > 0
    assert np.isnan(one["gap"])
    assert np.isnan(one["share_of_target"])
    assert one["how"].startswith(NO_GAP_MEMBER)


def test_a_members_site_is_compared(found: Found, path_tables: PathTables) -> None:
    row = {"asset_id": SITE, "platform": "P", "actor": "A company"}
    assert found(row, tables=small_tables(path_tables))["gap"] == pytest.approx(-10.0)


def test_years_the_path_does_not_have(found: Found, path: Pathway, path_tables: PathTables) -> None:
    late = found({"year": path.scenario.end_year + 1})
    assert np.isnan(late["pathway"])
    assert "after the last year" in late["how"]
    early = found({"base_year": 1990}, tables=small_tables(path_tables))
    assert np.isnan(early["gap"])
    assert "1990" in early["how"]
    assert "before the first year" in found({"metric": "sales_share", "sector": "trucking"}, at=2010)["how"]
    nowhere = found({"metric": "ships", "sector": "shipping", "unit": "vehicle"})
    assert "no shipping" in nowhere["how"]
    unknown = found({"metric": "low_carbon_share", "sector": "glass"})
    assert "no breakthrough of glass" in unknown["how"]


def test_the_path_can_be_read_in_another_year(found: Found, path_tables: PathTables) -> None:
    tables = small_tables(path_tables)
    row = {"metric": "net_zero", "value": 0.0, "unit": "t CO2e/yr"}
    one = found(row, tables=tables, at=2020)
    assert (one["year"], one["pathway"], one["gap"]) == (YEAR, 1000.0, 1000.0)
    assert "as it stands in 2020" in one["how"]


# ---------------------------------------------------------------- rows


def test_a_row_of_the_hub_takes_the_librarys_place(hub: Hub) -> None:
    name = str(hub.library.tables["commitments"]["commitment_id"].iloc[0])
    own = promising(hub, {"commitment_id": name})
    both = replace(own, library=hub.library)
    rows = commitment_rows(both)
    assert not rows["commitment_id"].duplicated().any()
    assert rows.loc[rows["commitment_id"] == name, "own"].tolist() == [True]
    assert len(rows) == len(hub.library.tables["commitments"])


def test_every_fault_is_told_at_once(hub: Hub) -> None:
    bad = promising(
        hub,
        {"commitment_id": "a", "base_year": pd.NA},
        {"commitment_id": "b", "unit": "t"},
        {"commitment_id": "d", "metric": "sales_share", "sector": ""},
        {"commitment_id": "e", "base_year": 2040},
    )
    with pytest.raises(InputError) as error:
        check_commitments(bad)
    assert [fault.column for fault in error.value.faults] == [
        "base_year", "unit", "sector", "base_year",
    ]  # fmt: skip


def test_a_promise_about_a_site_that_is_not_there_is_not_judged(
    path: Pathway, path_tables: PathTables
) -> None:
    reader = _Reader(path, path_tables)
    rows = commitment_rows(path.hub)
    row = rows[rows["asset_id"] != ""].iloc[0].copy()
    row["asset_id"] = "nowhere"
    found = reader.reached(row, int(row["year"]))
    assert np.isnan(found.value)
    assert "no site or cohort nowhere" in found.why_not


def test_the_packaged_promises_of_california(path: Pathway, path_tables: PathTables) -> None:
    found = commitments_table(path, path_tables).set_index("commitment_id")
    assert set(found.loc[found["platform"] != "", "platform"]) >= {
        "Getting to Zero Coalition", "Clean Skies for Tomorrow", "Road Freight Zero",
        "Low-Carbon Emitting Technologies", "Net-Zero Steel Initiative", "Aluminium for Climate",
        "Clean Cement Coalition",
    }  # fmt: skip
    own = set(path.hub.tables["commitments"]["commitment_id"])
    assert set(found.index[found["gap"].notna()]) <= own
    assert found.loc["zero-emission-trucks-2030"]["share_of_target"] < 0.1
    fleet = path_tables.truck_fleet
    drayage = fleet[(fleet["class"] == "trucks-drayage") & (fleet["year"] == 2035)]
    zero = drayage.loc[drayage["powertrain"].isin(path_tables.zero_emission), "trucks"].sum()
    reached = 100.0 * zero / drayage["trucks"].sum()
    assert found.loc["caap-drayage-2035", "gap"] == pytest.approx(100.0 - reached)


def test_the_programmes_milestones_are_compared_on_the_world() -> None:
    world = ch.load_hub("global")
    found = commitments_table(run_pathway(world, ch.load_scenario("net-zero-2050", world)))
    found = found.set_index("commitment_id")
    for name, target in (
        ("zero-emission-fuel-2030", 5), ("zero-emission-ships-2030", 200),
        ("zero-emission-trucks-2030", 7e6), ("plants-2030", 700),
    ):  # fmt: skip
        row = found.loc[name]
        assert row["target"] == target
        assert row["gap"] == pytest.approx(target - row["pathway"])
