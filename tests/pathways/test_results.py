"""Plan tables of a path: they add up among themselves and to the published inventory."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cleanhub.hub.package import BUNDLED, Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import DriverChoice
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.emissions import counted_emissions
from cleanhub.pathways.results import assets_table


def published(boundary: str) -> dict[tuple[int, str], float]:
    """Tonnes by year and top-level sector, straight from inventory.csv."""
    totals: dict[tuple[int, str], float] = defaultdict(float)
    with (BUNDLED / "california" / "inventory.csv").open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            if row["boundary"] == boundary:
                totals[int(row["year"]), row["inventory_sector"]] += float(row["co2e_t"])
    return dict(totals)


def sector_driver(hub: Hub, inventory_sector: str, sector: str) -> str:
    rows = hub.tables["branches"]
    rows = rows[(rows["inventory_sector"] == inventory_sector) & (rows["sector"] == sector)]
    return str(rows["driver"].iloc[0]) if len(rows) else ""


# ---------------------------------------------------------------- emissions


def test_past_years_sum_to_the_published_inventory_by_sector(each: Any) -> None:
    frame = each.included
    past = frame[frame["year"] <= 2022]
    got = past.groupby(["year", "inventory_sector"])["value"].sum()
    wanted = {key: value for key, value in published("included").items() if key[0] <= 2022}
    assert set(got.index) == set(wanted)
    assert {year for year, _ in wanted} == set(range(2000, 2023))
    for key, value in wanted.items():
        assert got[key] == pytest.approx(value, rel=1e-9), key
    assert set(past["status"]) == {"history"}
    assert set(frame.loc[frame["year"] > 2022, "status"]) == {"projected"}


def test_what_the_inventory_keeps_outside_its_total_stays_outside(each: Any) -> None:
    for boundary in ("excluded", "biogenic"):
        wanted = published(boundary)
        rows = each.emissions[(each.emissions["boundary"] == boundary) & (each.emissions["year"] <= 2022)]
        got = rows.groupby(["year", "inventory_sector"])["value"].sum()
        for key, value in wanted.items():
            assert got.get(key, 0.0) == pytest.approx(value, rel=1e-9), (boundary, key)
        assert bool(len(rows)) == bool(wanted)


def test_nothing_is_negative_and_no_rest_is(each: Any) -> None:
    assert (each.emissions["value"] > 0).all()
    assert set(each.emissions["asset_kind"]) == {"site", "cohort", "rest"}


@pytest.mark.parametrize(("boundary", "branches"), [("included", 10), ("excluded", 2)])
def test_the_rest_follows_its_driver_from_the_base_year(
    each: Any, california: Hub, boundary: str, branches: int
) -> None:
    frame = each.emissions[(each.emissions["scope"] == 1) & (each.emissions["boundary"] == boundary)]
    frame = frame[frame["gas"] == "co2e"]
    rest = frame[frame["asset_kind"] == "rest"]
    keys = ["inventory_sector", "sector"]
    base = rest[rest["year"] == 2022].set_index(keys)["value"]
    drivers = california.tables["drivers"]
    years = np.arange(2023, 2051)
    assert len(base) >= branches
    for key, tonnes in base.items():
        name = sector_driver(california, *key)
        use = each.scenario.driver_choice(name).use or name
        rows = drivers[drivers["driver"] == use].sort_values("year")
        index = np.ones(len(years))
        if len(rows):
            at, value = rows["year"].to_numpy(float), rows["value"].to_numpy(float)
            index = np.interp(years, at, value) / np.interp(2022, at, value)
        got = rest.set_index([*keys, "year"])["value"].reindex([(*key, year) for year in years]).fillna(0.0)
        np.testing.assert_allclose(got, tonnes * index, rtol=1e-9, err_msg=str(key))


@pytest.mark.parametrize("kind", ["site", "cohort"])
def test_emissions_of_assets_are_the_sum_of_the_assets(each: Any, kind: str) -> None:
    later = each.included[(each.included["asset_kind"] == kind) & (each.included["year"] > 2022)]
    got = later.groupby(["year", "sector"])["value"].sum()
    assets = each.assets[(each.assets["asset_kind"] == kind) & (each.assets["year"] > 2022)]
    wanted = assets.groupby(["year", "sector"])["co2e_t"].sum()
    wanted = wanted[wanted > 0]
    pd.testing.assert_series_equal(got, wanted, check_names=False, rtol=1e-9)


def test_sites_keep_their_reported_tonnes(each: Any, california: Hub) -> None:
    known = set(california.tables["facilities"]["asset_id"])
    reported = california.tables["facility_emissions"]
    reported = reported[reported["asset_id"].isin(known)].groupby(["asset_id", "year"])["co2e_t"].sum()
    got = each.assets[(each.assets["asset_kind"] == "site") & (each.assets["year"] <= 2023)]
    got = got.set_index(["asset_id", "year"])["co2e_t"]
    for key, tonnes in reported[reported > 0].items():
        assert got[key] == pytest.approx(tonnes, rel=1e-12), key


def test_emissions_bought_with_power_are_scope_2_and_never_in_scope_1(
    each: Any, run_of: Any, run: Callable[[str], Any]
) -> None:
    """Fuel credits, the one thing a dirtier grid should move in scope 1, are left out on both sides."""
    others = tuple(name for name in each.scenario.credits if name != "lcfs-electricity")
    plain = each.scenario.model_copy(update={"credits": others})
    one = run_of(each.hub, plain)
    dirty = {**plain.drivers, "grid_emission_factor": DriverChoice(scale=2.0)}
    other = run_of(each.hub, plain.model_copy(update={"drivers": dirty}))
    scope_1, scope_2 = (one.emissions[one.emissions["scope"] == n] for n in (1, 2))
    scope_3 = one.emissions[one.emissions["scope"] == 3]
    assert len(scope_1) + len(scope_2) + len(scope_3) == len(one.emissions)
    pd.testing.assert_frame_equal(scope_1, other.emissions[other.emissions["scope"] == 1], check_exact=True)
    twice = other.emissions[other.emissions["scope"] == 2]
    np.testing.assert_allclose(twice["value"], 2 * scope_2["value"])
    assert len(scope_2) > 0
    assert (scope_2["year"] > 2022).all()


def test_a_dirtier_grid_earns_trucks_fewer_fuel_credits(each: Any, run_of: Any) -> None:
    dirty = {**each.scenario.drivers, "grid_emission_factor": DriverChoice(scale=2.0)}
    other = run_of(each.hub, each.scenario.model_copy(update={"drivers": dirty}))
    clean_trucks, dirty_trucks = (
        one.emissions[(one.emissions["scope"] == 1) & (one.emissions["sector"] == "trucking")]["value"].sum()
        for one in (each, other)
    )
    counts = "lcfs-electricity" in each.scenario.credits and each.scenario.decision.rule == "least_cost"
    assert dirty_trucks > clean_trucks if counts else dirty_trucks == clean_trucks


def test_scope_2_is_power_used_times_the_grids_factor(each: Any) -> None:
    power = each.energy[(each.energy["carrier"] == "electricity") & (each.energy["year"] > 2022)]
    assert set(power["unit"]) == {"MWh/yr"}
    used = power.groupby(["year", "sector"])["value"].sum()
    rows = each.hub.tables["drivers"]
    rows = rows[rows["driver"] == "grid_emission_factor"].sort_values("year")
    per_mwh = {"t CO2e/MWh": 1.0, "kg CO2e/MWh": 1e-3}[rows["unit"].iloc[0]]
    years = used.index.get_level_values("year").astype(float)
    factor = np.interp(years, rows["year"].astype(float), rows["value"]) * per_mwh
    scope_2 = each.emissions[each.emissions["scope"] == 2].groupby(["year", "sector"])["value"].sum()
    wanted = used * factor
    pd.testing.assert_series_equal(scope_2, wanted[wanted > 0], check_names=False, rtol=1e-9)


def test_the_hubs_programme_covers_the_branches_that_say_so(each: Any, california: Hub) -> None:
    rows = california.tables["branches"]
    inside = {(r["inventory_sector"], r["sector"]) for _, r in rows.iterrows() if r["hub_scope"]}
    pairs = zip(each.emissions["inventory_sector"], each.emissions["sector"], strict=True)
    np.testing.assert_array_equal(
        each.emissions["hub_scope"].astype(bool), [pair in inside for pair in pairs]
    )


# ---------------------------------------------------------------- assets


def test_a_site_emits_what_it_makes_times_the_intensity_less_what_projects_cut(each: Any) -> None:
    path: Pathway = each.path
    assets = each.assets
    plants = assets[(assets["asset_kind"] == "site") & (assets["year"] > 2023) & (assets["technology"] != "")]
    plants = plants[plants["asset_id"].isin(set(path.sites.asset_id))]
    direct = dict(zip(path.tech.names, path.tech.direct, strict=True))
    held = dict(zip(path.tech.names, path.tech.captured, strict=True))
    site = {name: n for n, name in enumerate(path.sites.asset_id)}
    cut = path.sites.committed_t[plants["asset_id"].map(site), plants["year"].to_numpy(int) - 2022]
    started = path.tech.names[path.sites.start[plants["asset_id"].map(site)]]
    cut = np.where(plants["technology"] == started, cut, 0.0)  # the site's own change stands for the project
    emitted = plants["production"] * plants["technology"].map(direct) - cut
    np.testing.assert_allclose(plants["co2e_t"], emitted.clip(lower=0), rtol=1e-9, atol=1e-6)
    stored = plants["production"] * plants["technology"].map(held)
    np.testing.assert_allclose(plants["captured_t"], stored, rtol=1e-9, atol=1e-6)
    assert (plants["production"] <= plants["capacity"] * (1 + 1e-9)).all()


def test_product_does_not_change_with_the_technology(run: Callable[[str], Any]) -> None:
    """A site that changes how it makes its product goes on making as much of it."""
    made = {}
    for name in ("net-zero-2045", "fastest-abatement"):
        frame = run(name).assets
        frame = frame[(frame["asset_kind"] == "site") & frame["production"].notna()]
        frame = frame[frame["asset_id"].isin(set(run(name).path.sites.asset_id))]
        made[name] = frame.set_index(["asset_id", "year"])["production"].sort_index()
    pd.testing.assert_series_equal(made["net-zero-2045"], made["fastest-abatement"], rtol=1e-12)
    one, other = (run(name).assets["technology"].value_counts().to_dict() for name in made)
    assert one != other


def test_every_site_has_one_row_a_year(each: Any) -> None:
    later = each.assets[(each.assets["asset_kind"] == "site") & (each.assets["year"] > 2023)]
    later = later[later["asset_id"].isin(set(each.path.sites.asset_id))]
    counts = later.groupby("asset_id").size()
    assert set(counts) == {2050 - 2023}
    assert set(counts.index) == set(each.path.sites.asset_id)


# ---------------------------------------------------------------- switches


def test_what_a_switch_cuts_is_the_difference_it_makes(each: Any) -> None:
    path: Pathway = each.path
    direct = dict(zip(path.tech.names, path.tech.direct, strict=True))
    rows = each.switches[each.switches["kind"].isin(["retrofit", "rebuild"])]
    rows = rows[rows["asset_id"].isin(set(path.sites.asset_id))]
    made = each.assets.set_index(["asset_id", "year", "technology"])["production"]
    for _, row in rows.iterrows():
        size = made[row["asset_id"], row["year"], row["to_technology"]]
        cut = size * (direct[row["from_technology"]] - direct[row["to_technology"]])
        assert row["abated_t_per_year"] == pytest.approx(cut)
        assert row["capex_usd"] > 0


def test_closures_stand_in_the_year_after_the_last_one(each: Any, california: Hub) -> None:
    rows = california.tables["facilities"]
    reporting = set(each.path.sites.asset_id)
    known = rows[rows["closed_year"].notna() & rows["asset_id"].isin(reporting)]
    wanted = {(r["asset_id"], int(r["closed_year"]) + 1) for _, r in known.iterrows()}
    wanted = {(name, year) for name, year in wanted if 2022 < year <= 2050}
    got = each.switches[each.switches["kind"] == "closure"]
    assert {(r["asset_id"], r["year"]) for _, r in got.iterrows()} == wanted
    assert wanted
    assert (got["to_technology"] == "").all()


def test_projects_of_the_programme_stand_among_the_switches_where_it_is_built(
    run: Callable[[str], Any],
) -> None:
    built = run("baseline").switches
    assert (built["kind"] == "project").sum() >= 1
    assert not (run("no-support").switches["kind"] == "project").any()


# ---------------------------------------------------------------- energy, costs, trucks, sectors


def test_energy_is_what_the_technologies_use(each: Any) -> None:
    path: Pathway = each.path
    assets = each.assets[(each.assets["year"] > 2023) & (each.assets["technology"] != "")]
    where = [path.tech.find(name) for name in assets["technology"]]
    used = assets["production"].to_numpy()[:, None] * path.tech.inputs[where]
    wanted = pd.DataFrame(used, columns=list(path.tech.carriers))
    wanted = wanted.groupby([assets["year"].to_numpy(), assets["sector"].to_numpy()]).sum().stack()
    got = each.energy[each.energy["year"] > 2023].set_index(["year", "sector", "carrier"])["value"]
    wanted = wanted[wanted > 0]
    assert set(got.index) == set(wanted.index)
    np.testing.assert_allclose(got, wanted.loc[got.index], rtol=1e-9)


def test_allowances_and_storage_are_paid_by_the_tonne(each: Any) -> None:
    path: Pathway = each.path
    paid = each.costs.pivot_table(index="year", columns="item", values="value_usd", aggfunc="sum")
    covered = each.assets[(each.assets["technology"] != "") & (each.assets["year"] > 2023)]
    by_year = covered.groupby("year")[["co2e_t", "captured_t"]].sum()
    t = by_year.index.to_numpy(int) - 2022
    carbon = by_year["co2e_t"] * path.problem.costs.carbon_price[0, t]
    np.testing.assert_allclose(paid.loc[by_year.index, "carbon"], carbon, rtol=1e-9)
    if by_year["captured_t"].any():
        stored = by_year["captured_t"] * path.problem.costs.storage_price[0, t]
        got = paid["co2_transport_storage"].reindex(by_year.index).fillna(0.0)
        np.testing.assert_allclose(got, stored, rtol=1e-9)
    assert (paid.drop(columns="credits", errors="ignore").fillna(0.0) >= 0).all(axis=None)
    if "credits" in paid:
        assert (paid["credits"].fillna(0.0) <= 0).all(), "payments received are negative"


def test_trucks_on_the_road_drive_what_the_assets_table_says(each: Any) -> None:
    trucks = each.trucks
    assert (trucks["trucks"] >= 0).all()
    first = trucks[trucks["year"] == 2022].groupby("class")["trucks"].sum()
    counted = each.hub.tables["cohorts"].set_index("asset_id")["vehicles"].dropna()
    assert first.to_dict() == pytest.approx(counted.to_dict())
    bought = trucks[trucks["year"] >= each.scenario.as_of.year]
    assert bought["tco_usd_per_mile"].between(0.3, 10).all()
    listed = each.switches[each.switches["kind"] == "purchase"]
    assert (listed["year"] >= each.scenario.as_of.year).all()


def test_what_the_library_offers_each_sector_is_counted(each: Any) -> None:
    frame = each.sectors.set_index("sector")
    assert (frame["covered_co2e_t"] <= frame["site_co2e_t"] * (1 + 1e-12)).all()
    assert frame["sites"].sum() == len(each.path.problem.plants.asset_id)
    without = frame["options"] == 0
    assert (frame.loc[without, "note"] == "no option in the library").all()
    assert not frame.loc[without, "covered_co2e_t"].any()
    assert frame.loc["cement", "options"] >= 5
    changed = set(each.switches.loc[each.switches["kind"].isin(["retrofit", "rebuild"]), "sector"])
    assert not changed & set(frame.index[without])


def test_all_tables_keep_their_declared_layout(each: Any) -> None:
    for name, frame in each.tables().items():
        table = PLAN_TABLES[{"trucks": "truck_fleet"}.get(name, name)]
        assert list(frame.columns) == list(table.names)
        assert not frame.duplicated(list(table.key)).any()


def test_a_part_of_a_table_is_that_part_of_the_whole(run: Callable[[str], Any]) -> None:
    one = run("baseline")
    pd.testing.assert_frame_equal(
        counted_emissions(one.path), one.included.reset_index(drop=True), check_exact=True
    )
    for year in (2015, 2022, 2045):
        rows = one.assets[one.assets["year"] == year].reset_index(drop=True)
        assert len(rows)
        pd.testing.assert_frame_equal(assets_table(one.path, year), rows, check_exact=True)
