"""The year loop on California: limits, dates and allowed changes hold in every scenario."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import DriverChoice, LimitChoice
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.engine import run_pathway

PLANT_KINDS = ("retrofit", "rebuild")


def runs(path: Pathway) -> np.ndarray:
    """Technology of every reported site by year."""
    return path.walked.run[: len(path.sites.asset_id)]


def cumulative(run: Any, hub_only: bool) -> float:
    frame = run.included
    frame = frame[frame["year"].between(2025, 2045)]
    return float(frame.loc[frame["hub_scope"] | (not hub_only), "value"].sum())


def plant_switches(run: Any) -> pd.DataFrame:
    frame = run.switches
    listed = frame["asset_id"].isin(set(run.path.sites.asset_id))
    return frame[frame["kind"].isin(PLANT_KINDS) & listed]


# ---------------------------------------------------------------- rules that hold everywhere


def test_plants_change_only_along_allowed_switches(each: Any) -> None:
    table = each.hub.library.tables["switches"]
    allowed = {(r["from_technology"], r["to_technology"]): r["kind"] for _, r in table.iterrows()}
    frame = plant_switches(each)
    assert len(frame) > 10
    for _, row in frame.iterrows():
        assert allowed[row["from_technology"], row["to_technology"]] == row["kind"]


def test_plants_change_no_earlier_than_they_can(each: Any) -> None:
    earliest = each.hub.library.tables["technologies"].set_index("technology")["earliest_year"]
    first = each.scenario.as_of.year + each.scenario.decision.lead_time
    for _, row in plant_switches(each).iterrows():
        assert row["year"] >= max(first, earliest[row["to_technology"]]), row.to_dict()


def test_plants_change_only_when_equipment_falls_due_unless_owners_may_act_early(each: Any) -> None:
    path: Pathway = each.path
    position = {name: n for n, name in enumerate(path.sites.asset_id)}
    off_cycle = 0
    for _, row in plant_switches(each).iterrows():
        n = position[row["asset_id"]]
        cycle = path.tech.cycle[path.tech.find(row["from_technology"])]
        off_cycle += (row["year"] - path.sites.reinvestment_year[n]) % cycle != 0
    assert (off_cycle > 0) == each.scenario.decision.reinvest_early


def test_capture_is_not_offered_to_sites_below_its_smallest_size(each: Any) -> None:
    path: Pathway = each.path
    tech = path.tech
    for n, before in np.argwhere(runs(path)[:, 1:] != runs(path)[:, :-1]):
        old, new = runs(path)[n, before], runs(path)[n, before + 1]
        emitted = path.sites.production[n, before + 1] * tech.direct[old]
        assert emitted >= tech.minimum_site_t[new]


def test_only_open_sites_change(each: Any) -> None:
    path: Pathway = each.path
    closed = dict(zip(path.sites.asset_id, path.sites.closed_year, strict=True))
    for _, row in plant_switches(each).iterrows():
        assert row["year"] <= closed[row["asset_id"]]


def test_a_limit_is_exceeded_only_where_the_table_says_so(each: Any) -> None:
    frame = each.limits
    gap = (frame["used"] - frame["value"]) * np.where(frame["kind"] == "floor", -1.0, 1.0)
    over = gap.clip(lower=0)
    seen = over > 1e-6 * frame["value"].abs().clip(lower=1)
    np.testing.assert_allclose(frame["violation"], over.where(seen, 0.0))
    np.testing.assert_allclose(frame["slack"], (-gap).clip(lower=0))
    chosen = frame[~frame["limit"].str.contains(":")]
    assert set(chosen["limit"]) == set(each.hub.tables["limits"]["limit"])
    rows = each.hub.tables["limits"]
    hard = chosen["limit"].isin(set(rows.loc[rows["hard"].fillna(True).astype(bool), "limit"]))
    assert {"co2-storage", "plants-per-year"} <= set(chosen.loc[hard, "limit"])
    assert not chosen.loc[hard, "violation"].any()


def test_no_more_is_stored_than_the_stores_take(each: Any) -> None:
    captured = each.assets.groupby("year")["captured_t"].sum()
    limit = each.limits[each.limits["limit"] == "co2-storage"].set_index("year")
    for year, row in limit.iterrows():
        assert row["used"] == pytest.approx(captured.get(year, 0.0))
        assert row["used"] <= row["value"] + 1e-6
    rows = each.hub.tables["limits"]
    rows = rows[rows["limit"] == "co2-storage"]
    by_hand = np.interp(limit.index.astype(float), rows["year"].astype(float), rows["value"])
    np.testing.assert_allclose(limit["value"], by_hand)


def test_no_more_plants_change_in_a_year_than_the_limit_allows(each: Any) -> None:
    counted = plant_switches(each).groupby("year").size()
    limit = each.limits[each.limits["limit"] == "plants-per-year"].set_index("year")
    for year, row in limit.iterrows():
        assert row["used"] == counted.get(year, 0)
        assert row["used"] <= row["value"] == 6


def test_a_limit_has_a_price_only_in_years_when_it_refused(each: Any) -> None:
    frame = each.limits[each.limits["limit"] == "plants-per-year"]
    priced = frame[frame["shadow_price"] > 0]
    assert (priced["used"] == priced["value"]).all()


def test_captured_co2_is_what_the_technologies_capture(each: Any) -> None:
    path: Pathway = each.path
    assert (path.walked.captured >= 0).all()
    before = path.years < path.problem.first_choice
    assert not path.walked.captured[:, before].any()
    stored = each.limits[each.limits["limit"] == "co2-storage"].set_index("year")["used"]
    for t, year in enumerate(path.years):
        if year in stored.index:
            assert stored[year] == pytest.approx(path.walked.captured[:, t].sum())


def test_capital_is_spent_on_changes_and_renewals_alone(each: Any) -> None:
    path: Pathway = each.path
    assert (path.walked.capex[: len(path.sites.asset_id)] >= 0).all()
    spent = path.walked.capex[: len(path.sites.asset_id)] > 0
    assert not spent[:, path.years <= path.sites.last_year].any()
    changed_at = np.zeros_like(spent)
    changed_at[:, 1:] = runs(path)[:, 1:] != runs(path)[:, :-1]
    cycle = path.tech.cycle[np.maximum(runs(path)[:, :-1], 0)]
    due = (path.years[1:] - path.sites.reinvestment_year[:, None]) % cycle == 0
    assert (changed_at[:, 1:] | due)[spent[:, 1:]].all()
    if path.scenario.decision.rule == "least_cost":
        assert np.nanmin(path.walked.changes.saving) > 0, "nobody pays to change"


# ---------------------------------------------------------------- between scenarios


def test_without_support_more_is_emitted_and_less_changes(run: Callable[[str], Any]) -> None:
    supported, alone = run("baseline"), run("no-support")
    assert cumulative(alone, hub_only=False) >= cumulative(supported, hub_only=False)
    assert cumulative(alone, hub_only=True) > cumulative(supported, hub_only=True)
    with_it, without = (plant_switches(one).groupby("sector")["year"] for one in (supported, alone))
    counts = without.size().reindex(with_it.size().index, fill_value=0)
    later = without.mean().reindex(with_it.mean().index) > with_it.mean()
    assert ((counts < with_it.size()) | later).any()
    assert not alone.costs["item"].eq("credits").any()
    assert supported.costs["item"].eq("credits").any()


def test_the_faster_the_scenario_the_less_the_hub_emits(run: Callable[[str], Any]) -> None:
    fast, zero, base = (
        cumulative(run(name), hub_only=True) for name in ("fastest-abatement", "net-zero-2045", "baseline")
    )
    assert fast <= zero <= base


def test_the_same_hub_and_scenario_give_the_same_tables(run: Callable[[str], Any], run_of: Any) -> None:
    first = run("net-zero-2045")
    again = run_of(first.hub, first.scenario)
    for name, frame in first.tables().items():
        pd.testing.assert_frame_equal(frame, again.tables()[name], check_exact=True, obj=name)


def test_progress_counts_the_years(run: Callable[[str], Any]) -> None:
    told: list[tuple[int, int]] = []
    base = run("baseline")
    run_pathway(base.hub, base.scenario, lambda done, total: told.append((done, total)))
    assert told == [(n, 29) for n in range(1, 30)]


def test_a_higher_carbon_price_never_raises_covered_emissions_where_no_limit_binds(
    run: Callable[[str], Any],
) -> None:
    """Holds on California; no theorem, since a half measure taken early may lock a site in."""
    base = run("baseline")
    free = {name: LimitChoice(off=True) for name in set(base.hub.tables["limits"]["limit"])}
    before = None
    totals = []
    for scale in (0.5, 1.0, 3.0, 8.0, 20.0):
        drivers = {**base.scenario.drivers, "carbon_price_floor": DriverChoice(scale=scale)}
        path = run_pathway(base.hub, base.scenario.model_copy(update={"drivers": drivers, "limits": free}))
        assert not path.problem.limits
        sites = path.walked.emissions[: len(path.sites.asset_id)]
        emitted = sites[runs(path)[:, 0] >= 0].sum(axis=0)
        assert before is None or (emitted <= before + 1).all(), scale
        before = emitted
        totals.append(emitted.sum())
    assert totals[-1] < 0.9 * totals[0]


def test_what_a_store_refused_is_stored_where_it_is_larger(run: Callable[[str], Any]) -> None:
    tight = run("net-zero-2045")
    assert (tight.limits.loc[tight.limits["limit"] == "co2-storage", "shadow_price"] > 0).any()
    roomy = tight.scenario.model_copy(update={"limits": {"co2-storage": LimitChoice(scale=3.0)}})
    none = tight.scenario.model_copy(update={"limits": {"co2-storage": LimitChoice(scale=0.0)}})
    stored = [run_pathway(tight.hub, one).walked.captured.sum() for one in (none, tight.scenario, roomy)]
    assert stored[0] == 0
    assert 0 < stored[1] < stored[2]


def test_limits_of_a_scenario_apply_as_chosen(run: Callable[[str], Any]) -> None:
    base = run("net-zero-2045")
    choice = {"plants-per-year": LimitChoice(scale=0.5), "co2-storage": LimitChoice(off=True)}
    path = run_pathway(base.hub, base.scenario.model_copy(update={"limits": choice}))
    names = [limit.name for limit in path.problem.limits]
    assert "co2-storage" not in names
    q = names.index("plants-per-year")
    np.testing.assert_array_equal(path.problem.limits[q].value, 3.0)
    assert path.problem.limits[q].quantity == "switches_per_year"
    assert path.walked.used[q].max() == 3


def test_a_switch_removed_from_the_library_is_not_taken(
    run: Callable[[str], Any], run_of: Any, california: Hub
) -> None:
    from dataclasses import replace

    base = run("baseline")
    taken = plant_switches(base)["to_technology"].iloc[0]
    table = california.library.tables["switches"]
    library = replace(
        california.library,
        tables={**california.library.tables, "switches": table[table["to_technology"] != taken]},
    )
    without = run_of(replace(california, library=library), base.scenario)
    assert taken not in set(without.switches["to_technology"])
