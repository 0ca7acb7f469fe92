"""The back-test: stock times years, windows, cohorts, and that what was derived from a window says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hand_graphs import setting
from scipy.stats import poisson

from cleanhub.hub.parameters import Parameters
from cleanhub.pipeline.backtest import Stock, _left, backtest_table, published
from cleanhub.pipeline.calibrate import Calibration

RULE = setting(drop_hazard=0.12)
FOUND = Calibration(0.1, 0.2001, 0.0299, 7)


@pytest.fixture(scope="module")
def rows(california):
    return Parameters(california, "pipeline_parameters")


@pytest.fixture(scope="module")
def table(rows):
    return backtest_table(rows, RULE, FOUND, "2026-06-01").set_index(["population", "metric", "date"])


def test_stock_times_years_is_the_area_under_straight_lines():
    stock = Stock(np.array([2024.0, 2026.0]), np.array([100.0, 200.0]))
    assert stock.years(2024.0, 2026.0) == pytest.approx(300.0)
    assert stock.years(2025.0, 2027.0) == pytest.approx(175.0 + 200.0)  # the last count is held
    assert stock.years(2020.0, 2021.0) == pytest.approx(100.0)
    assert stock.years(2024.5, 2024.5) == 0.0


def test_items_are_read_as_months_and_windows(rows):
    counts = {(one.population, one.metric, one.date): one for one in published(rows)}
    april = counts["", "announced", "2024-04-15"]
    assert april.end == pytest.approx(2024 + 3.5 / 12)
    window = counts["", "decisions", "2025-10-31"]
    assert (window.start, window.end) == (2025.0, pytest.approx(2025 + 10 / 12))
    assert ("hydrogen", "past_fid", "2025-09-30") in counts


def test_decisions_are_poisson_with_the_hazard_times_the_stock(table, rows):
    """First half of 2026: the stock of November 2025 is the last that is known."""
    found = table.xs(("decisions", "2026-06-30"), level=("metric", "date")).iloc[0]
    stock = rows.value("tracker", "announced:2025-11")
    mean = rows.value("fid_hazard", "", "1/yr") * stock * 0.5
    assert found["ours"] == pytest.approx(mean, rel=0.02)
    low, high = poisson(mean).ppf([0.05, 0.95])
    assert (found["low"], found["high"]) == (pytest.approx(low, abs=1), pytest.approx(high, abs=1))
    assert found["published"] == rows.value("tracker", "decisions:2026-01/2026-06")


def test_the_stock_past_the_decision_starts_at_the_first_count(table, rows):
    found = table.xs("past_fid", level="metric").xs("2025-06-15", level="date").iloc[0]
    first = rows.value("tracker", "operating:2024-04") + rows.value("tracker", "financed:2024-04")
    a, b = (rows.value("tracker", f"announced:{date}") for date in ("2024-04", "2025-06"))
    years = 14 / 12
    assert found["ours"] == pytest.approx(first + 0.03 * years * (a + b) / 2, abs=0.5)
    assert found["published"] == rows.value("tracker", "operating:2025-06") + rows.value(
        "tracker", "financed:2025-06"
    )


def test_the_tracker_stays_within_the_spread(table):
    """What the back-test shows: every count of the tracker is inside the 5th to 95th percentile."""
    tracker = table.loc["plants of seven sectors, world"]
    assert len(tracker) >= 6
    assert (tracker["published"] >= tracker["low"]).all()
    assert (tracker["published"] <= tracker["high"]).all()


def test_what_does_not_fit_is_shown(table):
    """Five hundred hydrogen projects past their decision are far more than the base rates give."""
    hydrogen = table.loc["low-emission hydrogen, world"].xs("past_fid").iloc[0]
    assert hydrogen["published"] > 3 * hydrogen["high"]


def test_a_window_that_the_hazard_was_derived_from_says_so(table):
    how = table.xs("decisions", level="metric").reset_index().set_index("date")["how"]
    assert "derived from these" in how["2025-10-31"]
    assert "derived" not in how["2026-06-30"]


def test_a_cohort_by_plain_steps():
    """Half a million small steps of one project announced a year for four years, leaving at 15 %."""
    years, steps = 4.0, 100_000
    there, left = 0.0, 0.0
    for _ in range(steps):
        gone = there * 0.15 * years / steps
        there += years / steps - gone
        left += gone
    assert _left(np.array([0.15]), years)[0] == pytest.approx(left, rel=1e-4)


def test_base_rates_of_the_reference_are_no_test_and_say_so(table):
    hub = table.loc["projects of the hub without evidence"]
    assert hub["ours"].tolist() == [0.2001, 0.0299]
    assert hub["how"].str.contains("no test").all()


def test_rows_that_are_missing_leave_rows_out(california, rows):
    library = california.library
    parameters = library.tables["pipeline_parameters"]
    kept = parameters[parameters["parameter"] != "tracker"]
    hub = replace(
        california, library=replace(library, tables={**library.tables, "pipeline_parameters": kept})
    )
    table = backtest_table(Parameters(hub, "pipeline_parameters"), RULE, FOUND, "2026-06-01")
    assert table["metric"].tolist() == ["fid_ever", "fid_hazard"]
    nothing = Calibration(0.0, float("nan"), float("nan"), 0)
    assert len(backtest_table(Parameters(hub, "pipeline_parameters"), RULE, nothing, "2026-06-01")) == 0


def test_the_same_seed_gives_the_same_table(rows):
    one, two = (backtest_table(rows, RULE, FOUND, "2026-06-01", seed=3) for _ in range(2))
    assert one.equals(two)
    assert not one.equals(backtest_table(rows, RULE, FOUND, "2026-06-01", seed=4))
