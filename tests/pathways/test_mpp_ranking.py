"""Forcing and ranking of the faithful solver, worked by hand on a handful of switches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.finance.levelised import discount_sum
from cleanhub.hub.mpp_settings import MppSettings, sector_settings
from cleanhub.pathways.mpp_ranking import (
    bin_ranks,
    emission_deltas,
    force,
    histogram_ranks,
    rank_switches,
    sorted_ranks,
)
from cleanhub.pathways.mpp_tables import MppTables, build_tables

Tables = dict[str, pd.DataFrame]
GAS, CAPTURE, MIXED = (
    "Natural Gas SMR + ammonia synthesis",
    "Natural Gas SMR + CCS + ammonia synthesis",
    "Electrolyser + SMR + ammonia synthesis",
)


@pytest.fixture
def settings() -> MppSettings:
    return sector_settings("ammonia")


def kept(tables: MppTables, settings: MppSettings, name: str = "bau") -> pd.DataFrame:
    """The switches that may happen, by name."""
    return tables.named(tables.switches)[force(tables, settings, settings.pathways[name])]


# --- bins ----------------------------------------------------------------------------------------


def test_bins_by_hand() -> None:
    # 100 to 120 in steps of 5 % of 100: four bins of 5; 120 alone is one further
    cost = np.array([100.0, 104.9, 105.1, 112.0, 119.9, 120.0])
    np.testing.assert_array_equal(bin_ranks(cost, np.zeros(6), (1.0, 0.0), 0.05), [1, 1, 2, 3, 4, 5])


def test_number_of_bins_is_cut_not_rounded() -> None:
    # (119 - 100) / 5 = 3.8: three bins of 6.33
    cost = np.array([100.0, 106.0, 107.0, 113.0, 119.0])
    np.testing.assert_array_equal(bin_ranks(cost, np.zeros(5), (1.0, 0.0), 0.05), [1, 1, 2, 3, 4])


def test_there_is_at_least_one_bin() -> None:
    np.testing.assert_array_equal(
        bin_ranks(np.array([100.0, 101.0, 102.0]), np.zeros(3), (1.0, 0.0), 0.05), [1, 1, 2]
    )


def test_costs_below_zero_are_shifted_by_twice_the_lowest() -> None:
    # -10 to 30 becomes 10 to 50: 40 / 0.5 = 80 bins; the middle falls in bin 41
    ranks = bin_ranks(np.array([-10.0, 10.0, 30.0]), np.zeros(3), (1.0, 0.0), 0.05)
    np.testing.assert_array_equal(ranks, [1, 41, 81])


def test_without_a_range_the_raw_sum_is_the_rank() -> None:
    np.testing.assert_array_equal(bin_ranks(np.zeros(4), np.zeros(4), (1.0, 0.0), 0.05), np.zeros(4))
    np.testing.assert_array_equal(
        bin_ranks(np.full(2, 7.0), np.array([1.0, 3.0]), (0.5, 0.5), 0.05), [0.5, 0.0]
    )


def test_the_larger_reduction_ranks_first_among_equal_costs() -> None:
    cost, delta = np.array([100.0, 100.0, 200.0]), np.array([0.0, 2.0, 2.0])
    ranks = bin_ranks(cost, delta, (0.8, 0.2), 0.05)
    assert ranks[1] < ranks[0] < ranks[2]
    # raw = 0.2, 0, 0.8 cut in 20 bins of 0.04: edges may fall either side of 0.2
    np.testing.assert_array_equal(ranks[[1, 2]], [1, 21])
    assert ranks[0] in (5, 6)


@given(st.lists(st.floats(1, 1000), min_size=2, max_size=30), st.floats(0.01, 10))
def test_bins_do_not_depend_on_the_currency(costs: list[float], rate: float) -> None:
    cost = np.array(costs)
    if np.ptp(cost) < 1e-3:
        return
    ranks = bin_ranks(cost, np.zeros(len(cost)), (1.0, 0.0), 0.05)
    assert ranks.min() == 1
    assert (np.diff(ranks[np.argsort(cost)]) >= 0).all()
    again = bin_ranks(cost * rate, np.zeros(len(cost)), (1.0, 0.0), 0.05)
    assert np.abs(ranks - again).max() <= max(1.0, 0.01 * ranks.max())


def test_sorted_ranks_are_positions_without_ties() -> None:
    ranks = sorted_ranks(np.array([300.0, 100.0, 100.0]), np.array([1.0, 0.0, 2.0]), (0.01, 0.99))
    np.testing.assert_array_equal(ranks, [1, 2, 0])


def test_histogram_ranks_by_cost_and_by_abatement() -> None:
    settings = sector_settings("aluminium")
    cost, delta = np.array([10.0, 20.0, 30.0]), np.array([0.5, 2.0, 5.0])
    assert list(np.argsort(histogram_ranks(cost, delta, settings.pathways["bau"]))) == [0, 1, 2]
    assert list(np.argsort(histogram_ranks(cost, delta, settings.pathways["fa"]))) == [2, 1, 0]


def test_cost_per_tonne_by_hand() -> None:
    pathway = sector_settings("aluminium").pathways["lc"]
    # 10/0.5 = 20, 20/2 = 10, 30/5 = 6: stretched over 0 to 1
    ranks = histogram_ranks(np.array([10.0, 20.0, 30.0]), np.array([0.5, 2.0, 5.0]), pathway)
    np.testing.assert_allclose(ranks, [1.0, 4 / 14, 0.0])


def test_deltas_at_and_below_zero_count_as_two_constants() -> None:
    pathway = sector_settings("aluminium").pathways["lc"]
    # defect: -1 and -16 t/t are the same, and zero is a hundredth
    ranks = histogram_ranks(np.array([1.0, 1.0, 1.0, 1.0]), np.array([-1.0, -16.0, 0.0, 1.0]), pathway)
    assert ranks[0] == ranks[1] == 1.0
    np.testing.assert_allclose(ranks[2:], [99 / 999_999, 0.0])


# --- forcing -------------------------------------------------------------------------------------


def test_no_switch_goes_back_to_a_lower_class(solver_tables: Tables, settings: MppSettings) -> None:
    found = kept(build_tables(solver_tables, settings), settings)
    pairs = set(zip(found["technology_origin"], found["technology_destination"], strict=True))
    assert (GAS, CAPTURE) in pairs
    assert (MIXED, CAPTURE) in pairs
    assert (CAPTURE, GAS) not in pairs


def test_destinations_must_be_mature(solver_tables: Tables, settings: MppSettings) -> None:
    found = kept(build_tables(solver_tables, settings), settings)
    assert found.loc[found["technology_destination"] == CAPTURE, "year"].min() == 2025
    assert found.loc[found["technology_destination"] == MIXED, "year"].min() == 2020


def test_closing_is_never_forced_out(solver_tables: Tables, settings: MppSettings) -> None:
    found = kept(build_tables(solver_tables, settings), settings)
    assert (found["switch_type"] == "decommission").sum() == 3 * 4 * 3 * 31


def test_end_state_to_end_state_is_banned_only_where_the_sector_says_so(
    solver_tables: Tables, settings: MppSettings
) -> None:
    table = solver_tables["technology_characteristics"]
    table.loc[table["technology"] == MIXED, "technology_classification"] = "end-state"
    tables = build_tables(solver_tables, settings)
    assert (
        not (kept(tables, settings)["technology_origin"] == MIXED)
        .loc[lambda x: x]
        .index.isin(kept(tables, settings).query("switch_type == 'brownfield_renovation'").index)
        .any()
    )
    lax = settings.model_copy(
        update={"forcing": settings.forcing.model_copy(update={"no_end_state_to_end_state": False})}
    )
    found = kept(tables, lax)
    assert ((found["technology_origin"] == MIXED) & (found["technology_destination"] == CAPTURE)).any()


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        ({"dropped_technologies": (MIXED,)}, {MIXED}),
        ({"restricted_origin": {"CCS": "Electrolyser"}}, set()),
        ({"dropped_renovations": (CAPTURE,)}, set()),
    ],
)
def test_what_the_settings_take_out(
    solver_tables: Tables, settings: MppSettings, change: dict[str, Any], gone: set[str]
) -> None:
    settings = settings.model_copy(update={"forcing": settings.forcing.model_copy(update=change)})
    found = kept(build_tables(solver_tables, settings), settings)
    assert not gone & {*found["technology_origin"], *found["technology_destination"]}
    to_capture = found[found["technology_destination"] == CAPTURE]
    if "restricted_origin" in change:  # new plants have no origin, so they go too
        assert set(to_capture["technology_origin"]) == {MIXED}
    if "dropped_renovations" in change:
        assert set(to_capture["switch_type"]) == {"greenfield"}


def test_moratorium_ends_initial_then_transitional_technologies(
    solver_tables: Tables, settings: MppSettings
) -> None:
    forcing = settings.forcing.model_copy(update={"moratorium_year": 2030, "transitional_years": 10})
    settings = settings.model_copy(update={"forcing": forcing})
    tables = build_tables(solver_tables, settings)
    found = kept(tables, settings, "lc")
    assert found.loc[found["technology_destination"] == GAS, "year"].max() == 2029
    assert found.loc[found["technology_destination"] == MIXED, "year"].max() == 2039
    assert found.loc[found["technology_destination"] == CAPTURE, "year"].max() == 2050
    assert kept(tables, settings, "bau").query("technology_destination == @GAS")["year"].max() == 2050


def test_deltas_are_origin_less_destination_and_nothing_emits_nothing(
    solver_tables: Tables, settings: MppSettings
) -> None:
    tables = build_tables(solver_tables, settings)
    found = tables.named(tables.switches).assign(
        delta=emission_deltas(tables, tables.switches, settings.ranking.emissions)
    )
    means = found.groupby(["technology_origin", "technology_destination"])["delta"].first()
    assert means[GAS, CAPTURE] == pytest.approx(2.1 - 0.3)
    assert means["", GAS] == pytest.approx(-2.1)
    assert means[GAS, ""] == pytest.approx(2.1)


def test_ranks_are_taken_within_each_year_over_all_products_and_regions(
    solver_tables: Tables, settings: MppSettings
) -> None:
    ranked = rank_switches(build_tables(solver_tables, settings), settings, settings.pathways["bau"])
    table = ranked["greenfield"]
    for year in (0, 10):
        now = table.rank[table.of_year(year)]
        assert now.min() == 1
        # 300 to 320 before capture matures: one bin; 300 to 330 afterwards: two of 15
        assert set(now) == ({1.0, 2.0} if year == 0 else {1.0, 2.0, 3.0})
    assert set(ranked["decommission"].rank) == {0.0}


def test_rows_of_ranked_switches_are_rows_of_the_file(solver_tables: Tables, settings: MppSettings) -> None:
    ranked = rank_switches(build_tables(solver_tables, settings), settings, settings.pathways["bau"])
    rows = solver_tables["technology_transitions"].iloc[ranked["brownfield"].rows]
    assert set(rows["switch_type"]) == {"brownfield_renovation"}
    assert (ranked["brownfield"].switches.lcox == rows["lcox"].to_numpy()).all()


def test_carbon_cost_adds_its_closed_form_and_leaves_dispatch_alone(
    solver_tables: Tables, settings: MppSettings
) -> None:
    plain = build_tables(solver_tables, settings)
    cost = settings.carbon_cost.model_copy(update={"final": 100.0})
    dear = build_tables(solver_tables, settings.model_copy(update={"carbon_cost": cost}))
    added = dear.switches.lcox - plain.switches.lcox
    named = plain.named(plain.switches)
    # from 2035 the cost is flat at 100 USD/t: 2.1 t/t x 100 / 0.95 whatever the discount rate
    late = (named["technology_destination"] == GAS) & (named["year"] >= 2035)
    np.testing.assert_allclose(added[late], 2.1 * 100 / 0.95)
    early = (named["technology_destination"] == CAPTURE) & (named["year"] == 2025)
    paid = sum(0.3 * 10 * min(k, 10) / 1.08**k for k in range(31))
    np.testing.assert_allclose(added[early], paid / (0.95 * discount_sum(0.08, 30)))
    assert (added[named["switch_type"] == "decommission"] == 0).all()
    np.testing.assert_allclose(
        (dear.switches.tco - plain.switches.tco)[late], 2.1 * 100 * discount_sum(0.08, 30) / (30 * 0.95)
    )
    np.testing.assert_array_equal(plain.dispatch_cost, dear.dispatch_cost)
    np.testing.assert_allclose((dear.newbuild_lcox - plain.newbuild_lcox)[..., -1].max(), 2.1 * 100 / 0.95)
