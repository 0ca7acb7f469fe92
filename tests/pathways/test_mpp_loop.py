"""The faithful solver's years: dispatch, closing, switching, building, limits, and each defect kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cleanhub.core.errors import InputError, RunError
from cleanhub.hub.mpp_settings import MppSettings, sector_settings
from cleanhub.pathways.mpp_faithful import MppResult, run_faithful, write_result
from cleanhub.pathways.mpp_tables import build_tables

Tables = dict[str, pd.DataFrame]
GAS, CAPTURE, MIXED = (
    "Natural Gas SMR + ammonia synthesis",
    "Natural Gas SMR + CCS + ammonia synthesis",
    "Electrolyser + SMR + ammonia synthesis",
)
PLANT = 0.73


@pytest.fixture
def settings() -> MppSettings:
    """Ammonia's settings with one product and no regional cap, bans or shares: one rule at a time."""
    plain = sector_settings("ammonia")
    return plain.model_copy(
        update={
            "products": {"Ammonia": plain.products["Ammonia"]},
            "regional_cap": None,
            "regional_share": {},
            "bans": {},
            "no_initial_for": (),
        }
    )


def changed(settings: MppSettings, pathway: dict[str, Any] | None = None, **update: Any) -> MppSettings:
    """Settings with other values, and the pathway bau with other choices."""
    if pathway:
        bau = settings.pathways["bau"].model_copy(update=pathway)
        update["pathways"] = {**settings.pathways, "bau": bau}
    return settings.model_copy(update=update)


def run(tables: Tables, settings: MppSettings, seed: int = 0) -> MppResult:
    return run_faithful(build_tables(tables, settings), settings, "bau", seed)


def flat_demand(tables: Tables, **by_year: float) -> None:
    """Demand of the world as given (``y2021=...``), the last value held; no demand of regions."""
    values = {int(name[1:]): value for name, value in by_year.items()}
    years = range(2020, 2051)
    filled = pd.Series(values).reindex(years).ffill().to_numpy()
    tables["demand"] = pd.DataFrame(
        {"product": "Ammonia", "region": "Global", "year": years, "value": filled}
    )


def made(result: MppResult, year: int) -> float:
    return float(result.mix.loc[result.mix["year"] == year, "annual_production_volume_Mt"].sum())


def decided(result: MppResult, kind: str, year: int | None = None) -> pd.DataFrame:
    found = result.transitions[result.transitions["type"] == kind]
    return found if year is None else found[found["year_first_visible"] == year + 1]


def one_stack(tables: Tables, rows: list[dict[str, Any]]) -> None:
    plain = {"product": "Ammonia", "region": "India", "technology": GAS, "average_cuf": 0.9}
    plain |= {"annual_production_capacity": PLANT, "average_age": 15.0}
    tables["initial_asset_stack"] = pd.DataFrame([plain | row for row in rows])


# --- the first year ------------------------------------------------------------------------------


def test_capacity_is_rounded_up_to_whole_typical_plants(solver_tables: Tables, settings: MppSettings) -> None:
    one_stack(solver_tables, [{"annual_production_capacity": 2.0}, {"annual_production_capacity": PLANT}])
    flat_demand(solver_tables, y2020=4 * PLANT * 0.9)
    first = run(solver_tables, settings).mix.query("year == 2020")
    assert list(first["n_assets"]) == [4]  # 2.0 / 0.73 = 2.74, three plants, and one
    assert first["annual_production_capacity_Mt"].sum() == pytest.approx(4 * PLANT)
    assert made(run(solver_tables, settings), 2020) == pytest.approx(4 * PLANT * 0.9)


def test_dispatch_lowers_the_dearest_until_demand_is_not_exceeded(
    solver_tables: Tables, settings: MppSettings
) -> None:
    table = solver_tables["technology_transitions"]
    dear = (table["region"] == "China") & (table["switch_type"] == "greenfield")
    table.loc[dear, "marginal_cost"] = 999.0
    one_stack(solver_tables, [{}, {"region": "China"}, {"region": "China"}])
    flat_demand(solver_tables, y2020=3 * PLANT * 0.9 - 0.1)
    first = run(solver_tables, settings).mix_by_region.query("year == 2020").set_index("region")
    # one plant of China goes to 0.6 and overshoots the missing 0.1; the other and India stay
    assert first["annual_production_volume"]["China"] == pytest.approx(PLANT * (0.9 + 0.6))
    assert first["annual_production_volume"]["India"] == pytest.approx(PLANT * 0.9)


def test_dispatch_raises_the_cheapest_until_demand_is_met(
    solver_tables: Tables, settings: MppSettings
) -> None:
    table = solver_tables["technology_transitions"]
    cheap = (table["region"] == "China") & (table["switch_type"] == "greenfield")
    table.loc[cheap, "marginal_cost"] = 1.0
    one_stack(solver_tables, [{"average_cuf": 0.7}, {"region": "China", "average_cuf": 0.7}])
    flat_demand(solver_tables, y2020=2 * PLANT * 0.7 + 0.01)
    first = run(solver_tables, settings).mix_by_region.query("year == 2020").set_index("region")
    assert first["annual_production_volume"]["China"] == pytest.approx(PLANT * 0.95)
    assert first["annual_production_volume"]["India"] == pytest.approx(PLANT * 0.7)


def test_dispatch_never_moves_a_plant_against_its_direction(
    solver_tables: Tables, settings: MppSettings
) -> None:
    # a plant below 0.6 is not raised to it when too much is made, one above 0.95 not lowered when too little
    one_stack(solver_tables, [{"average_cuf": 0.5}, {"average_cuf": 0.97}])
    flat_demand(solver_tables, y2020=PLANT * 0.5)
    assert made(run(solver_tables, settings), 2020) == pytest.approx(PLANT * (0.5 + 0.6))
    flat_demand(solver_tables, y2020=99.0)
    assert made(run(solver_tables, settings), 2020) == pytest.approx(PLANT * (0.95 + 0.97))


# --- closing -------------------------------------------------------------------------------------


def test_ammonia_never_closes_a_plant_that_dispatch_holds_at_its_lower_bound(
    solver_tables: Tables, settings: MppSettings
) -> None:
    one_stack(solver_tables, [{"average_age": 30.0}] * 4)
    flat_demand(solver_tables, y2020=0.5)
    assert decided(run(solver_tables, settings), "decommission").empty  # 0.6 is above 0.5: a defect kept


def test_with_one_threshold_old_idle_plants_close_until_demand_is_met(
    solver_tables: Tables, settings: MppSettings
) -> None:
    one_stack(solver_tables, [{"average_age": 30.0}] * 4 + [{"average_age": 1.0}])
    flat_demand(solver_tables, y2020=2.5 * PLANT * 0.6)
    result = run(solver_tables, changed(settings, decommission_utilisation=0.6))
    assert len(decided(result, "decommission", 2020)) == 3  # 5 at 0.6 are made, 2.5 wanted
    # one new plant then makes up for the half that is missing, and runs at 0.6 like the others
    assert made(result, 2021) == pytest.approx(3 * PLANT * 0.6)


# --- switching -----------------------------------------------------------------------------------


def brownfield_only(tables: Tables, count: int, age: float, demand: float | None = None) -> None:
    """Plants of one place for which capture is far cheaper from 2025 on; demand as they make it."""
    table = tables["technology_transitions"]
    table.loc[table["technology_destination"] == CAPTURE, "lcox"] = 200.0
    one_stack(tables, [{"average_age": age}] * count)
    flat_demand(tables, y2020=demand or count * PLANT * 0.9)
    tables["co2_storage_constraint"]["value"] = 1e6


def test_a_switch_happens_once_a_year(solver_tables: Tables, settings: MppSettings) -> None:
    brownfield_only(solver_tables, 40, 30.0)
    result = run(solver_tables, settings)
    by_year = decided(result, "brownfield").groupby("year_first_visible").size()
    assert by_year.index.min() == 2026  # mature in 2025, seen a year later
    assert set(by_year) == {1}  # one region, one origin, one destination that is 5 % cheaper


def test_the_cap_lets_one_more_switch(solver_tables: Tables, settings: MppSettings) -> None:
    brownfield_only(solver_tables, 1, 30.0)
    places = [{"region": region, "average_age": 30.0} for region in ("India", "China", "Middle East")]
    one_stack(solver_tables, places * 10)
    flat_demand(solver_tables, y2020=30 * PLANT * 0.9)
    # 5 % of 30 plants rounded up is 2; the comparison is <=, so a third may switch
    assert len(decided(run(solver_tables, settings), "brownfield", 2025)) == 3
    none = changed(settings, renovation_share=0.0)
    assert len(decided(run(solver_tables, none), "brownfield", 2025)) == 1


def test_switches_must_lower_the_cost_by_five_percent(solver_tables: Tables, settings: MppSettings) -> None:
    brownfield_only(solver_tables, 10, 30.0)
    table = solver_tables["technology_transitions"]
    table.loc[table["technology_destination"] == CAPTURE, "lcox"] = 0.951 * 300.0
    assert decided(run(solver_tables, settings), "brownfield").empty
    table.loc[table["technology_destination"] == CAPTURE, "lcox"] = 0.949 * 300.0
    assert not decided(run(solver_tables, settings), "brownfield").empty
    table.loc[table["technology_destination"] == CAPTURE, "lcox"] = 900.0
    anyway = changed(settings, {"lcox_improvement": None})
    assert not decided(run(solver_tables, anyway), "brownfield").empty


def test_renovation_and_new_building_wait_for_their_first_years(
    solver_tables: Tables, settings: MppSettings
) -> None:
    brownfield_only(solver_tables, 10, 30.0)
    late = changed(settings, {"first_renovation": 2032})
    assert decided(run(solver_tables, late), "brownfield")["year_first_visible"].min() == 2033
    table = solver_tables["technology_transitions"]
    table["switch_type"] = table["switch_type"].replace("brownfield_renovation", "brownfield_newbuild")
    late = changed(settings, {"first_newbuild": 2040})
    assert decided(run(solver_tables, late), "brownfield")["year_first_visible"].min() == 2041


def test_a_renovated_plant_is_a_candidate_again_once_it_is_due(
    solver_tables: Tables, settings: MppSettings
) -> None:
    brownfield_only(solver_tables, 1, 5.0)
    table = solver_tables["technology_transitions"]
    table.loc[table["technology_destination"] == MIXED, "lcox"] = 250.0
    found = decided(run(solver_tables, settings), "brownfield").sort_values("year_first_visible")
    # renovated to the transition technology at once; 20 years old in 2035, and only then due for the next
    assert list(found["technology_destination"]) == [MIXED, CAPTURE]
    assert list(found["year_first_visible"]) == [2021, 2036]


def test_a_plant_listed_twice_can_switch_twice_in_a_year(
    solver_tables: Tables, settings: MppSettings
) -> None:
    brownfield_only(solver_tables, 1, 30.0)
    table = solver_tables["technology_transitions"]
    new = table["switch_type"] == "greenfield"
    to_mixed, to_capture = (table["technology_destination"] == name for name in (MIXED, CAPTURE))
    table.loc[new & to_mixed, "lcox"], table.loc[new & to_capture, "lcox"] = 190.0, 170.0
    # drawn in the order: old to transition, transition to capture, old to capture (too late then)
    table.loc[~new & to_mixed, "lcox"] = 100.0
    table.loc[~new & to_capture & (table["technology_origin"] == MIXED), "lcox"] = 150.0
    table.loc[~new & to_capture & (table["technology_origin"] == GAS), "lcox"] = 999.0
    late = changed(settings, {"first_renovation": 2030}, renovation_share=1.0)
    found = decided(run(solver_tables, late), "brownfield", 2030)
    assert set(found["technology_destination"]) == {MIXED, CAPTURE}


def test_bans_hold_in_their_region_alone(solver_tables: Tables, settings: MppSettings) -> None:
    brownfield_only(solver_tables, 1, 30.0)
    one_stack(solver_tables, [{"region": "India"}, {"region": "China"}])
    banned = changed(settings, bans={"China": (CAPTURE,)})
    found = decided(run(solver_tables, banned), "brownfield")
    assert set(found["region"]) == {"India"}


def test_storage_limits_switches_by_what_is_added_in_the_year(
    solver_tables: Tables, settings: MppSettings
) -> None:
    brownfield_only(solver_tables, 10, 30.0)
    solver_tables["co2_storage_constraint"]["value"] = PLANT * 0.9 * 1.8 * 0.99
    assert decided(run(solver_tables, settings), "brownfield").empty
    solver_tables["co2_storage_constraint"]["value"] = PLANT * 0.95 * 1.8 * 1.01
    assert len(decided(run(solver_tables, settings), "brownfield")) == 10


# --- building ------------------------------------------------------------------------------------


def test_new_plants_meet_next_years_demand(solver_tables: Tables, settings: MppSettings) -> None:
    one_stack(solver_tables, [{"average_cuf": 0.95}])
    flat_demand(solver_tables, y2020=PLANT * 0.95, y2021=PLANT * 0.95 * 2.5)
    result = run(solver_tables, settings)
    found = decided(result, "greenfield", 2020)
    assert list(found["technology_destination"]) == [GAS, GAS]
    assert result.shortfalls.empty


def test_aluminium_builds_for_the_demand_of_the_decision_year(
    solver_tables: Tables, settings: MppSettings
) -> None:
    one_stack(solver_tables, [{"average_cuf": 0.95}])
    flat_demand(solver_tables, y2020=PLANT * 0.95, y2021=PLANT * 0.95 * 2.5)
    late = changed(settings, demand_year_offset=0)
    assert decided(run(solver_tables, late), "greenfield", 2020).empty
    assert len(decided(run(solver_tables, late), "greenfield", 2021)) == 2


def test_a_product_without_initial_technologies_builds_the_next_best(
    solver_tables: Tables, settings: MppSettings
) -> None:
    one_stack(solver_tables, [{}])
    flat_demand(solver_tables, y2020=0.6, y2021=2.0)
    found = decided(run(solver_tables, changed(settings, no_initial_for=("Ammonia",))), "greenfield", 2020)
    assert set(found["technology_destination"]) == {MIXED}


def test_new_plants_ignore_the_storage_limit(solver_tables: Tables, settings: MppSettings) -> None:
    table = solver_tables["technology_transitions"]
    table.loc[table["technology_destination"] == CAPTURE, "lcox"] = 100.0
    one_stack(solver_tables, [{"technology": CAPTURE}])
    flat_demand(solver_tables, y2020=0.1, y2030=6.0)
    solver_tables["co2_storage_constraint"]["value"] = 0.01
    assert set(decided(run(solver_tables, settings), "greenfield")["technology_destination"]) == {CAPTURE}
    strict = changed(settings, new_plants_keep_co2_storage=True)
    assert CAPTURE not in set(decided(run(solver_tables, strict), "greenfield")["technology_destination"])


def pipeline(tables: Tables, rows: list[tuple[str, str, dict[str, float]]]) -> None:
    years = [str(year) for year in range(2020, 2051)]
    tables["project_pipeline"] = pd.DataFrame(
        [
            {"region": region, "product": "Ammonia", "technology": technology}
            | dict.fromkeys(years, 0.0)
            | capacity
            for region, technology, capacity in rows
        ]
    )


def test_of_two_announced_technologies_only_the_last_in_a_region_is_built(
    solver_tables: Tables, settings: MppSettings
) -> None:
    one_stack(solver_tables, [{}])
    flat_demand(solver_tables, y2020=0.1)
    pipeline(
        solver_tables,
        [
            ("India", CAPTURE, {"2022": 0.4, "2024": 0.3}),
            ("China", CAPTURE, {"2022": 0.2}),
            ("India", MIXED, {"2022": 0.5}),
        ],
    )
    found = decided(run(solver_tables, settings), "greenfield")
    built = set(zip(found["year_first_visible"], found["region"], found["capacity_Mt"], strict=True))
    assert built == {(2023, "India", 0.5), (2023, "China", 0.2), (2025, "India", 0.3)}


def test_regions_make_their_share_of_their_own_demand(solver_tables: Tables, settings: MppSettings) -> None:
    one_stack(solver_tables, [{"region": "China", "annual_production_capacity": 10.0}])
    flat_demand(solver_tables, y2020=8.0)
    india = solver_tables["demand"].assign(region="India", value=3.0)
    gulf = solver_tables["demand"].assign(region="Middle East", value=2.0)
    solver_tables["demand"] = pd.concat([solver_tables["demand"], india, gulf])
    shares = changed(settings, regional_share={"India": 0.4, "Middle East": 0.4})
    found = decided(run(solver_tables, shares), "greenfield", 2020)
    # India lacks 1.2 Mt: ceil(1.2 / 0.73) = 2; the Middle East, with its part Saudi Arabia, 0.8: 2
    parents = found["region"].replace("Saudi Arabia", "Middle East").value_counts()
    assert dict(parents) == {"India": 2, "Middle East": 2}


def test_a_region_short_of_less_than_ten_kilotonnes_is_left_alone(
    solver_tables: Tables, settings: MppSettings
) -> None:
    one_stack(solver_tables, [{"average_cuf": 0.9}, {"region": "China", "annual_production_capacity": 7.3}])
    flat_demand(solver_tables, y2020=1.0)  # so every plant runs at 0.6
    wanted = (PLANT * 0.6 + 0.002) / 0.4  # 0.438 made, 0.440 wanted: both 0.44
    india = solver_tables["demand"].assign(region="India", value=wanted)
    solver_tables["demand"] = pd.concat([solver_tables["demand"], india])
    shares = changed(settings, regional_share={"India": 0.4})
    assert decided(run(solver_tables, shares), "greenfield").empty


def test_no_region_gets_more_than_its_share_of_new_plants(
    solver_tables: Tables, settings: MppSettings
) -> None:
    table = solver_tables["technology_transitions"]
    table.loc[table["region"] == "India", "lcox"] *= 0.5
    one_stack(solver_tables, [{"average_cuf": 0.95}])
    flat_demand(solver_tables, y2020=0.6, y2021=0.6935 * 10.5)
    free = decided(run(solver_tables, settings), "greenfield", 2020)
    assert set(free["region"]) == {"India"}
    capped = decided(run(solver_tables, changed(settings, regional_cap=0.3)), "greenfield", 2020)
    # ceil(6.59 / 0.73) = 10 plants are missing: at most 3 in a region, its parts included
    parents = capped["region"].replace("Saudi Arabia", "Middle East").value_counts()
    assert dict(parents) == {"India": 3, "China": 3, "Middle East": 3}
    shortfalls = run(solver_tables, changed(settings, regional_cap=0.3)).shortfalls
    assert shortfalls["year"].iloc[0] == 2021  # the tenth has no room anywhere


def test_unmet_demand_is_a_number(solver_tables: Tables, settings: MppSettings) -> None:
    one_stack(solver_tables, [{"average_cuf": 0.95}])
    flat_demand(solver_tables, y2020=0.6, y2021=5.0)
    everything = (GAS, MIXED, CAPTURE)
    banned = dict.fromkeys(("India", "China", "Middle East", "Saudi Arabia"), everything)
    result = run(solver_tables, changed(settings, bans=banned))
    assert len(result.shortfalls) == 30
    assert result.shortfalls["shortfall_Mt"].iloc[0] == pytest.approx(5.0 - PLANT * 0.6)


# --- limits of single pathways -------------------------------------------------------------------


def electrolysers(tables: Tables) -> None:
    keys = [
        (region, year)
        for region in ("India", "China", "Middle East", "Saudi Arabia")
        for year in range(2020, 2051)
    ]
    place = pd.DataFrame(keys, columns=["region", "year"]).assign(product="Ammonia")
    using = place.assign(technology_destination=MIXED)
    tables["electrolyser_cfs"] = using.assign(electrolyser_capacity_factor=0.5)
    tables["electrolyser_proportions"] = using.assign(electrolyser_hydrogen_proportion=0.1)
    tables["electrolyser_efficiencies"] = place.assign(electrolyser_efficiency=50_000.0)
    limit = pd.DataFrame({"year": range(2020, 2051), "value": 1.0})
    tables["electrolysis_capacity_addition_constraint"] = limit


def test_electrolyser_power_by_hand(solver_tables: Tables, settings: MppSettings) -> None:
    electrolysers(solver_tables)
    tables = build_tables(solver_tables, settings)
    place = (0, tables.regions.index("India"), tables.technologies.index(MIXED), 5)
    # 1 Mt x 0.95 x 0.1 x 0.176471 t/t x 50 MWh/t = 838.2 GWh over 8760 h x 0.5
    assert tables.electrolyser_gw[place] == pytest.approx(0.95 * 0.1 * 0.176471 * 50_000 / 4380)
    assert tables.electrolyser_gw.sum() == pytest.approx(4 * 31 * tables.electrolyser_gw[place])


def test_before_the_first_electrolyser_stands_the_limit_stops_every_new_plant(
    solver_tables: Tables, settings: MppSettings
) -> None:
    electrolysers(solver_tables)
    one_stack(solver_tables, [{"average_cuf": 0.95}])
    flat_demand(solver_tables, y2020=0.6, y2021=3.0)
    limited = changed(settings, {"limits": ("electrolysers",)})
    assert decided(run(solver_tables, limited), "greenfield").empty
    one_stack(solver_tables, [{"average_cuf": 0.95, "technology": MIXED}])
    assert not decided(run(solver_tables, limited), "greenfield", 2020).empty


def test_the_electrolyser_limit_stops_what_uses_them_beyond_it(
    solver_tables: Tables, settings: MppSettings
) -> None:
    electrolysers(solver_tables)
    one_stack(solver_tables, [{"average_cuf": 0.95, "technology": MIXED}])
    flat_demand(solver_tables, y2020=0.6, y2021=4.0)
    limited = changed(settings, {"limits": ("electrolysers",)}, no_initial_for=("Ammonia",))
    solver_tables["electrolysis_capacity_addition_constraint"]["value"] = 0.32  # two plants of 0.14 GW
    found = decided(run(solver_tables, limited), "greenfield", 2020)
    assert list(found["technology_destination"]) == [MIXED, MIXED]
    free = decided(run(solver_tables, changed(limited, {"limits": ()})), "greenfield", 2020)
    assert len(free) == 6


def test_technologies_with_a_demand_share_stop_at_it_until_its_end(
    solver_tables: Tables, settings: MppSettings
) -> None:
    assert settings.demand_share is not None
    rule = settings.demand_share.model_copy(update={"technologies": (GAS,), "maximum": 0.5})
    limited = changed(settings, {"limits": ("demand_share",)}, demand_share=rule)
    one_stack(solver_tables, [{"average_cuf": 0.95, "technology": MIXED}] * 10)
    flat_demand(solver_tables, y2020=6.9, y2021=20.0)
    found = decided(run(solver_tables, limited), "greenfield")
    by_year = found.groupby(["year_first_visible", "technology_destination"]).size()
    assert by_year[2021, GAS] * PLANT * 0.95 <= 0.5 * 6.9
    assert (by_year[2021, GAS] + 1) * PLANT * 0.95 > 0.5 * 6.9
    assert by_year[2021, MIXED] > 0


def aluminium(tables: Tables, count: int) -> tuple[Tables, MppSettings]:
    """Aluminium's rules on the made-up tables: ``count`` plants of 1 Mt that emit 2.1 t per t."""
    settings = sector_settings("aluminium").model_copy(update={"regional_share": {}})
    tables = {
        name: frame.replace({"product": {"Ammonia": "Aluminium"}}) if "product" in frame else frame
        for name, frame in tables.items()
    }
    tables["initial_asset_stack"] = pd.DataFrame(
        {
            "product": ["Aluminium"] * count,
            "region": "India",
            "technology": GAS,
            "annual_production_capacity": 1.0,
            "year": 1990,
            "capacity_factor": 0.9,
            "ppa_allowed": True,
        }
    )
    flat_demand(tables, y2020=count * 0.9)
    tables["demand"] = tables["demand"].assign(product="Aluminium")
    tables["carbon_budget"] = pd.DataFrame({"year": range(2020, 2051), "annual_limit": 1.0})
    return tables, settings


def run_aluminium(tables: Tables, settings: MppSettings, name: str) -> MppResult:
    return run_faithful(build_tables(tables, settings), settings, name, 0)


def test_aluminium_does_no_more_than_the_budget_asks(solver_tables: Tables) -> None:
    tables, settings = aluminium(solver_tables, 20)
    result = run_aluminium(tables, settings, "lc")
    assert decided(result, "brownfield").empty  # 0.04 Gt against 1 Gt
    tables["carbon_budget"]["annual_limit"] = np.where(tables["carbon_budget"]["year"] < 2030, 0.04, 0.03)
    result = run_aluminium(tables, settings, "lc")
    found = decided(result, "brownfield")
    # 20 x 0.9 x 2.1 = 37.8 Mt is 0.04 Gt; below 35 Mt it rounds to 0.03, some 1.6 Mt a switch, and no more
    assert list(found["year_first_visible"].unique()) == [2030]
    assert 2 <= len(found) <= 3
    emitted = result.emissions.set_index("year")[["co2_scope1", "co2_scope2"]].sum(axis=1)
    assert emitted[2029] > 35.0 >= emitted[2030] > 32.0


def test_a_switch_that_breaks_the_ramp_up_happens_all_the_same(solver_tables: Tables) -> None:
    tables, settings = aluminium(solver_tables, 40)
    assert settings.rampup is not None
    tight = settings.rampup.model_copy(update={"assets": 1, "growth": 0.0, "years": 30})
    settings = settings.model_copy(update={"rampup": tight})
    table = tables["technology_transitions"]
    table.loc[table["technology_destination"] == MIXED, "tco"] = 9e9
    tables["initial_asset_stack"]["region"] = ["India", "China"] * 20
    found = decided(run_aluminium(tables, settings, "cc"), "brownfield", 2030)
    capture = found[found["technology_destination"] == CAPTURE]
    assert (
        len(capture) == 2
    )  # one is allowed; the second breaks the limit, is done, and stops the destination
    mended = settings.model_copy(update={"broken_switch_still_happens": False})
    found = decided(run_aluminium(tables, mended, "cc"), "brownfield", 2030)
    assert (found["technology_destination"] == CAPTURE).sum() == 1


def test_power_contracts_need_a_plant_that_may_sign_them(solver_tables: Tables) -> None:
    tables, settings = aluminium(solver_tables, 10)
    settings = settings.model_copy(update={"ppa_word": "CCS"})
    tables["initial_asset_stack"]["ppa_allowed"] = [True] + [False] * 9
    found = decided(run_aluminium(tables, settings, "fa"), "brownfield")
    assert (found["technology_destination"] == CAPTURE).sum() == 1


# --- results -------------------------------------------------------------------------------------


def test_emissions_are_production_by_factor(solver_tables: Tables) -> None:
    full = sector_settings("ammonia")
    result = run_faithful(build_tables(solver_tables, full), full, "bau", 0)
    factor = {GAS: 2.0, MIXED: 1.5, CAPTURE: 0.2}
    by_hand = (
        result.mix.assign(t=result.mix["annual_production_volume_Mt"] * result.mix["technology"].map(factor))
        .groupby(["product", "year"])["t"]
        .sum()
    )
    found = result.emissions.set_index(["product", "year"])["co2_scope1"]
    pd.testing.assert_series_equal(found, by_hand, check_names=False)


def test_the_stack_balances_with_the_decisions(solver_tables: Tables) -> None:
    full = sector_settings("ammonia")
    result = run_faithful(build_tables(solver_tables, full), full, "bau", 3)
    capacity = result.mix.groupby("year")["annual_production_capacity_Mt"].sum()
    built = decided(result, "greenfield").groupby("year_first_visible")["capacity_Mt"].sum()
    closed = decided(result, "decommission").groupby("year_first_visible")["capacity_Mt"].sum()
    change = built.reindex(capacity.index[1:], fill_value=0) - closed.reindex(
        capacity.index[1:], fill_value=0
    )
    np.testing.assert_allclose(capacity.diff().dropna(), change)
    assert sum(len(decided(result, kind)) for kind in ("brownfield", "greenfield", "decommission")) == len(
        result.transitions
    )


def test_a_seed_repeats_and_another_differs(solver_tables: Tables) -> None:
    full = sector_settings("ammonia")
    tables = build_tables(solver_tables, full)
    one, again, other = (run_faithful(tables, full, "bau", seed).transitions for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, again)
    assert not one.equals(other)


def test_results_have_the_solvers_columns(
    solver_tables: Tables, settings: MppSettings, tmp_path: Path
) -> None:
    flat_demand(solver_tables, y2020=1.0)
    files = write_result(run(solver_tables, settings), tmp_path / "new" / "folder")
    assert [path.name for path in files[:2]] == ["technology_mix_by_year.csv", "emissions_by_year_Mt.csv"]
    mix = pd.read_csv(files[0])
    assert list(mix.columns) == [
        *("product", "technology", "year", "annual_production_volume_Mt", "annual_production_capacity_Mt"),
        "n_assets",
    ]
    assert set(mix["year"]) == set(range(2020, 2051))
    assert list(pd.read_csv(files[1]).columns) == [
        *("product", "year", "co2_scope1", "co2_scope1_captured", "co2_scope2")
    ]


def test_a_folder_that_cannot_be_made_is_a_failure(
    solver_tables: Tables, settings: MppSettings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match="cannot write"):
        write_result(run(solver_tables, settings), tmp_path / "file" / "below")


def test_an_unknown_pathway_is_refused(solver_tables: Tables, settings: MppSettings) -> None:
    with pytest.raises(InputError, match="bau, lc, fa"):
        run_faithful(build_tables(solver_tables, settings), settings, "nz", 0)
