"""What a plan promises: declared tables, honest totals, traced numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from small_hub import edit, read

import cleanhub as ch
from cleanhub.core.tables import conform
from cleanhub.hub.plan_tables import PENDING, PLAN_TABLES
from cleanhub.hub.schema import ENDED, PAST_FID
from cleanhub.planning.plan import Plan

Few = Callable[..., Plan]
PUBLISHED_2022 = {
    "Industrial": 83.55,
    "Electricity Generation (In State)": 41.99,
    "Electricity Generation (Imports)": 17.55,
    "Transportation": 143.60,
    "Commercial": 25.02,
    "Residential": 30.66,
    "Agriculture": 29.83,
}


def included(plan: Plan) -> pd.DataFrame:
    rows = plan.table("emissions")
    return rows[(rows["scope"] == 1) & (rows["boundary"] == "included") & (rows["gas"] == "co2e")]


def test_every_table_is_declared_and_as_declared(baseline: Plan) -> None:
    assert set(baseline.tables) == set(PLAN_TABLES)
    for name, frame in baseline.tables.items():
        pd.testing.assert_frame_equal(frame, conform(frame, PLAN_TABLES[name]))


def test_pending_tables_are_named_and_never_faked(baseline: Plan) -> None:
    assert baseline.pending == PENDING
    assert not set(PENDING) & set(baseline.tables)
    with pytest.raises(KeyError, match="pending: room shipping"):
        baseline.table("corridors")
    with pytest.raises(KeyError, match="no table"):
        baseline.table("unheard_of")


def test_emissions_of_the_base_year_are_the_published_inventory(baseline: Plan) -> None:
    rows = included(baseline)
    totals = rows[rows["year"] == 2022].groupby("inventory_sector")["value"].sum() / 1e6
    assert set(totals.index) == set(PUBLISHED_2022)
    for sector, published in PUBLISHED_2022.items():
        assert totals[sector] == pytest.approx(published, rel=0.005)


def test_the_four_exclusions_stand_beside_the_total(baseline: Plan) -> None:
    rows = baseline.table("emissions")
    rows = rows[(rows["year"] == 2022) & (rows["boundary"] == "excluded")]
    by_sector = rows.groupby("sector")["value"].sum() / 1e6
    assert by_sector["aviation"] == pytest.approx(28.1, abs=0.05)
    assert by_sector["shipping"] == pytest.approx(9.6, abs=0.06)
    assert by_sector["military"] == pytest.approx(2.3, abs=0.05)


def test_sites_are_their_reported_tonnes_unscaled(baseline: Plan, hub: ch.Hub) -> None:
    reported = hub.tables["facility_emissions"].set_index(["asset_id", "year"])["co2e_t"]
    assets = baseline.table("assets")
    sites = assets[(assets["asset_kind"] == "site") & (assets["year"] <= 2023)]
    sites = sites[sites["asset_id"].isin(set(hub.tables["facilities"]["asset_id"]))]
    ours = sites.set_index(["asset_id", "year"])["co2e_t"]
    assert len(ours) > 5_000
    there = [reported.get(key) for key in ours.index]
    assert ours.to_list() == pytest.approx(there, rel=1e-12)


def test_project_need_is_the_first_line(baseline: Plan) -> None:
    first = baseline.scorecard.iloc[0]
    assert first["metric"] == "project_need"
    need = baseline.table("project_need")
    need = need[need["unit"] == "plants"]
    assert first["value"] == pytest.approx(need.loc[need["year"] == 2045, "gap"].sum())


def test_need_counts_the_plants_that_switch(baseline: Plan) -> None:
    switches = baseline.table("switches")
    plants = switches[switches["kind"].isin(["retrofit", "rebuild"]) & (switches["year"] <= 2045)]
    need = baseline.table("project_need")
    need = need[need["unit"] == "plants"]
    counted = need[need["year"] == 2045].set_index("sector")["plants_needed"]
    for sector, rows in plants.groupby("sector"):
        assert counted[sector] == rows["asset_id"].nunique()


def test_headlines_that_rest_on_weak_inputs_are_illustrative(baseline: Plan) -> None:
    card = baseline.scorecard
    assert (card["illustrative"] == (card["recalled_share"] > 0.3)).all()
    past = card.set_index("metric").loc["hub_emissions_2022"]
    assert not past["illustrative"]
    future = card.set_index("metric").loc["hub_emissions_2045"]
    assert future["illustrative"]


def test_ranges_hold_their_values(baseline: Plan) -> None:
    card = baseline.scorecard.dropna(subset=["low"])
    assert len(card) >= 5
    assert (card["low"] <= card["value"]).all()
    assert (card["value"] <= card["high"]).all()
    assert (card["low"] < card["high"]).any()


def test_every_headline_reaches_its_sources(baseline: Plan, hub: ch.Hub) -> None:
    known = set(hub.sources()["source_id"])
    traced = baseline.table("provenance")
    assert set(traced["source_id"]) <= known
    for _, line in baseline.scorecard.iterrows():
        rows = traced[(traced["table"] == "scorecard") & (traced["key"] == line["metric"])]
        assert set(rows["source_id"]) == set(line["source"].split(";")) & known
        assert len(rows)


def test_every_credit_reaches_the_law_and_what_it_assumes(baseline: Plan, hub: ch.Hub) -> None:
    table = baseline.table("provenance")
    traced = {(row["table"], row["key"]): row for _, row in table.iterrows()}
    for _, row in hub.tables["credits"].iterrows():
        assert ("policies", row["policy"]) in traced
        assert traced["credits", row["credit"]]["source_id"] == row["source_id"]
        for fact in row["facts"].split(";"):
            assert ("credits", f"{row['credit']}/{fact.partition('=')[0]}") in traced
    rate = traced["policy_values", "45q/rate/co2_stored"]
    assert (rate["value"], rate["unit"], rate["source_id"]) == (85, "USD/t", "usc-26-45q")
    assert traced["policy_values", "lcfs/benchmark/diesel@2030"]["value"] == 74.03
    assert traced["policy_conditions", "45q/45q-minimum-industrial"]["value"] == 12500
    assert traced["policy_settings", "inflation"]["confidence"] == "assumed"
    behind = baseline.scorecard.set_index("metric").loc["credits_received", "source"].split(";")
    assert {"usc-26-45q", "carb-lcfs"} <= set(behind)


def test_every_project_is_valued_or_says_why_not(baseline: Plan, hub: ch.Hub) -> None:
    values = baseline.table("valuations")
    assert set(values["project_id"]) == set(hub.tables["projects"]["project_id"])
    for _, row in values.iterrows():
        if row["status"] == "valued":
            assert row["levelised_cost"] > 0
            assert row["unit"]
        else:
            assert re.match(r"not valuable, because \w", row["status"])
            assert pd.isna(row["levelised_cost"])


def test_chances_of_projects_are_simulated_and_never_blank(baseline: Plan, hub: ch.Hub) -> None:
    projects = baseline.table("projects").set_index("project_id")
    chances = projects[["p_fid_2030", "p_fid_ever", "p_fid_strict"]]
    assert chances.notna().all().all()
    assert (chances["p_fid_strict"] <= chances["p_fid_2030"]).all()
    assert (chances["p_fid_2030"] <= chances["p_fid_ever"]).all()
    past, ended = projects["stage"].isin(PAST_FID), projects["stage"].isin(ENDED)
    assert (chances[past] == 1).all().all()
    assert (chances[ended] == 0).all().all()
    live = projects[~past & ~ended & (projects["p_fid_ever"] > 0.01)]
    assert (live["p_fid_ever"] < 1).all()
    assert live["fid_p10"].le(live["fid_p50"]).all()
    assert live["fid_p50"].le(live["fid_p90"]).all()
    assert live["online_p50"].gt(live["fid_p10"]).all()
    assert not any("p_fid" in name for name in hub.tables["projects"].columns)  # none stands in the data


def test_expected_decisions_are_what_the_need_is_set_against(baseline: Plan) -> None:
    stages, need = baseline.table("stage_years"), baseline.table("project_need")
    assert stages.groupby(["project_id", "year"])["probability"].sum().to_numpy() == pytest.approx(1.0)
    row = need[(need["sector"] == "cement") & (need["year"] == 2030) & (need["unit"] == "plants")]
    past = stages[(stages["year"] == 2030) & stages["stage"].isin(PAST_FID)]
    projects = baseline.table("projects").set_index("project_id")
    mine = past[past["project_id"].map(projects["sector"]) == "cement"]
    counted = mine[mine["project_id"].map(projects["role"]).isin(["abates", "supplies"])]
    before = projects[(projects["stage"] == "operating") & (projects["online_year"] <= 2022)].index
    expected = counted[~counted["project_id"].isin(before)]["probability"].sum()
    assert float(row["fid_expected"].iloc[0]) == pytest.approx(float(expected), rel=1e-9)


def test_links_are_in_order_of_what_waits_for_them(baseline: Plan) -> None:
    links, timeline = baseline.table("links"), baseline.table("coordination")
    assert links["blocked_co2e_t"].is_monotonic_decreasing
    assert links["shapley_share"].sum() == pytest.approx(1.0)
    assert set(timeline["link_id"]) == set(links["link_id"])
    assert timeline["actor"].is_monotonic_increasing


def test_only_abating_projects_carry_tonnes(baseline: Plan, hub: ch.Hub) -> None:
    projects = baseline.table("projects").set_index("project_id")
    table = hub.tables["projects"].set_index("project_id")
    abates = (table["role"] == "abates") | (table["role_secondary"] == "abates")
    silent = projects.loc[~abates.reindex(projects.index), "co2e_t_per_year"]
    assert silent.isna().all()
    assert projects["co2e_t_per_year"].notna().any()


def test_budgets_are_straight_lines_to_the_target(baseline: Plan) -> None:
    budgets = baseline.table("budgets").set_index("sector")
    rows = included(baseline)
    start = rows[(rows["year"] == 2022) & (rows["sector"] == "refining")]["value"].sum()
    share = 20_580_000 / rows[(rows["year"] == 2022) & rows["hub_scope"].astype(bool)]["value"].sum()
    by_hand = sum(start * (1 + (share - 1) * (year - 2022) / 23) for year in range(2026, 2046))
    assert budgets.loc["refining", "budget"] == pytest.approx(by_hand, rel=1e-9)


def test_support_never_raises_emissions(hub: ch.Hub, baseline: Plan) -> None:
    alone = ch.plan(hub, "no-support")

    def total(plan: Plan) -> float:
        rows = included(plan)
        return float(rows[rows["year"].between(2025, 2045)]["value"].sum())

    def changes(plan: Plan) -> pd.Series[int]:
        rows = plan.table("switches")
        return rows[rows["kind"] != "closure"].groupby("sector").size()

    assert total(alone) >= total(baseline)
    fewer = changes(alone).reindex(changes(baseline).index).fillna(0) < changes(baseline)
    assert fewer.any()


# --- other hubs: California cut down to a port with its hinterland, and fewer years -----------------


def test_a_plan_is_the_same_twice(port: Path, until_2035: Few) -> None:
    """So is California's, with its report: ``test_cli.py`` compares bytes."""
    once, again = until_2035(port, "baseline"), until_2035(port, "baseline", fresh=True)
    assert "plan" not in again.recalled
    assert again.id == once.id
    for name, frame in once.tables.items():
        pd.testing.assert_frame_equal(frame, again.tables[name])


def test_removing_a_plant_moves_its_tonnes_to_the_rest(port: Path, changed: Path, until_2035: Few) -> None:
    plan = until_2035(port, "baseline")
    sites = plan.table("assets").query("asset_kind == 'site' and year == 2022")
    sites = sites.set_index("asset_id")["co2e_t"]
    plant, tonnes = str(sites.idxmax()), float(sites.max())
    for table in ("facilities", "facility_emissions"):
        edit(changed, table, lambda frame: frame[frame["asset_id"] != plant])
    less = until_2035(changed, "baseline")
    assert tonnes > 700_000
    assert plant not in set(less.table("assets")["asset_id"])

    def rest(plan: Plan) -> float:
        rows = included(plan)
        return float(rows[(rows["year"] == 2022) & (rows["asset_kind"] == "rest")]["value"].sum())

    assert rest(less) - rest(plan) == pytest.approx(tonnes, rel=1e-9)
    before, after = included(plan), included(less)
    for frame in (before, after):
        assert frame[frame["year"] == 2022]["value"].sum() == pytest.approx(372.197e6, rel=1e-4)


def test_a_hub_under_another_name_with_half_its_sites_plans(changed: Path, until_2035: Few) -> None:
    edit(changed, "facilities", lambda frame: frame.iloc[::2])
    meta = (changed / "datapackage.json").read_text(encoding="utf-8")
    (changed / "datapackage.json").write_text(
        meta.replace('"name": "california"', '"name": "half"', 1), encoding="utf-8"
    )
    plan = until_2035(changed, "net-zero-2045")
    assert plan.hub_name == "half"
    assert plan.notes, "rows of the missing sites are told, not refused"
    totals = included(plan).query("year == 2022").groupby("inventory_sector")["value"].sum() / 1e6
    assert totals["Industrial"] == pytest.approx(83.55, rel=0.005)


WITHOUT = ("projects", "facilities", "credits", "limits", "targets")
WITHOUT_OF_FREIGHT = ("cohorts", "warehouse_clusters", "tracts", "freight_places")


@pytest.mark.parametrize("table", [*WITHOUT, *WITHOUT_OF_FREIGHT])
def test_a_hub_without_one_kind_of_thing_plans(changed: Path, until_2035: Few, table: str) -> None:
    assert len(read(changed, table)), "nothing to take away"
    edit(changed, table, lambda frame: frame.iloc[:0])
    for scenario in (changed / "scenarios").glob("*.yaml"):
        if table == "credits":
            text = re.sub(r"(?m)^credits:.*$", "credits: []", scenario.read_text(encoding="utf-8"))
            scenario.write_text(text, encoding="utf-8")
    plan = until_2035(changed, "baseline")
    assert len(plan.scorecard)
    assert included(plan).query("year == 2022")["value"].sum() == pytest.approx(372.197e6, rel=1e-4)
