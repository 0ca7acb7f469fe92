"""Published figures beside ours: what is measured, what counts as inside, and that nothing is left out."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cleanhub as ch
import doc_published
from cleanhub.core.errors import InputError
from cleanhub.core.units import factor
from cleanhub.hub.library import Library, load_library
from cleanhub.pathways.engine import run_pathway
from cleanhub.planning.charging import with_chargers
from cleanhub.planning.plan import Plan
from cleanhub.planning.published import (
    COLUMNS,
    EXACT,
    NOT_MEASURED,
    broken,
    check_figures,
    compare_published,
    difference,
    shown,
    verdict,
)
from cleanhub.planning.published_metrics import NOTHING, PathMetrics, listed

NAN = float("nan")
HUBS = Path(ch.__file__).parent / "hubs"
FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts"
BLANK: dict[str, object] = dict.fromkeys(
    ("sector", "product", "technology", "classification", "carrier", "region", "component", "asset_id"), ""
)


def figure(metric: str, **cells: object) -> pd.Series:
    """A row of the table with everything blank but what is given."""
    return pd.Series({**BLANK, "metric": metric, "year": 2030, "base_year": 2022, "unit": "1", **cells})


# ---------------------------------------------------------------- difference and verdict


@pytest.mark.parametrize(
    ("ours", "low", "value", "high", "expected"),
    [
        (11.0, NAN, 10.0, NAN, 0.1),
        (9.0, NAN, 10.0, NAN, -0.1),
        (11.0, 8.0, 10.0, 12.0, 0.1),  # from the value even where a range is given
        (9.0, 8.0, NAN, 12.0, 0.0),
        (6.0, 8.0, NAN, 12.0, -0.25),
        (15.0, 8.0, NAN, 12.0, 0.25),
        (15.0, 10.0, NAN, NAN, 0.0),
        (5.0, 10.0, NAN, NAN, -0.5),
        (5.0, NAN, NAN, 10.0, 0.0),
        (15.0, NAN, NAN, 10.0, 0.5),
        (-5.0, NAN, -20.0, NAN, 0.75),  # a smaller fall than published is above it
        (0.0, NAN, 0.0, NAN, 0.0),
    ],
)
def test_difference_is_relative_to_what_is_published(
    ours: float, low: float, value: float, high: float, expected: float
) -> None:
    assert difference(ours, low, value, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("ours", "low", "value", "high"),
    [(NAN, NAN, 1.0, NAN), (NAN, 1.0, NAN, 2.0), (1.0, NAN, NAN, NAN), (1.0, NAN, 0.0, NAN)],
)
def test_a_difference_that_means_nothing_is_not_a_number(
    ours: float, low: float, value: float, high: float
) -> None:
    assert math.isnan(difference(ours, low, value, high))


@pytest.mark.parametrize(
    ("ours", "low", "value", "high", "exact", "expected"),
    [
        (109.9, NAN, 100.0, NAN, False, "yes"),
        (110.1, NAN, 100.0, NAN, False, "no"),
        (100.4, NAN, 100.0, NAN, True, "yes"),
        (100.6, NAN, 100.0, NAN, True, "no"),
        (0.16, 0.09, 0.2, 0.21, True, "no"),  # exact: the value, not its range
        (0.16, 0.09, 0.2, 0.21, False, "yes"),
        (3.0, 3.0, NAN, NAN, False, "yes"),
        (2.9, 3.0, NAN, NAN, False, "no"),
        (3.1, NAN, NAN, 3.0, False, "no"),
        (-50.0, NAN, NAN, -40.0, False, "yes"),
        (0.0, NAN, 0.0, NAN, True, "yes"),
        (1.0, NAN, 0.0, NAN, True, "no"),
        (NAN, NAN, 1.0, NAN, True, NOT_MEASURED),
        (1.0, NAN, NAN, NAN, False, NOT_MEASURED),
    ],
)
def test_what_counts_as_inside(
    ours: float, low: float, value: float, high: float, exact: bool, expected: str
) -> None:
    assert verdict(ours, low, value, high, exact) == expected


# ---------------------------------------------------------------- metrics on tables made by hand


@pytest.fixture(scope="module")
def metrics() -> PathMetrics:
    """Metrics of California's path, its tables replaced by small ones."""
    hub = ch.load_hub("california")
    found = PathMetrics(run_pathway(hub, ch.load_scenario("baseline", hub)))
    kiln, clay, capture = "cement_dry_kiln", "cement_clay", "cement_amine_capture"
    made = [
        (2022, "cement", "clinker", "north", kiln, 100.0, 120.0, 2.0, "t/yr"),
        (2030, "cement", "clinker", "north", kiln, 60.0, 80.0, 1.0, "t/yr"),
        (2030, "cement", "clinker", "north", clay, 50.0, 60.0, 1.0, "t/yr"),
        (2030, "cement", "clinker", "south", capture, 40.0, 50.0, 0.5, "t/yr"),
        (2030, "lime", "lime", "south", "lime_kiln", 10.0, 10.0, 1.0, "t/yr"),
    ]
    names = ["year", "sector", "product", "region", "technology", "production", "capacity", "plants", "unit"]
    assets = [
        ("a", 2022, "cement", kiln, 100.0, "t/yr", 90.0, 0.0),
        ("a", 2030, "cement", kiln, 60.0, "t/yr", 54.0, 0.0),
        ("b", 2030, "cement", capture, 40.0, "t/yr", 6.0, 45.0),
        ("c", 2030, "cement", "", np.nan, "", 5.0, 0.0),
        ("d", 2030, "lime", "lime_kiln", 10.0, "t/yr", 12.0, 0.0),
    ]
    columns = ["asset_id", "year", "sector", "technology", "production", "unit", "co2e_t", "captured_t"]
    fleet = [
        (2022, "long", "truck_class8_sleeper_diesel", 300.0, 10.0, 2.0),
        (2022, "long", "truck_class8_sleeper_battery", 0.0, 0.0, 3.0),
        (2022, "short", "truck_class8_day_diesel", 100.0, 5.0, 2.0),
        (2022, "short", "truck_class8_day_battery", 0.0, 5.0, 1.0),
        (2030, "long", "truck_class8_sleeper_diesel", 200.0, 10.0, 2.0),
        (2030, "long", "truck_class8_sleeper_battery", 100.0, 30.0, 1.9),
    ]
    trucks = ["year", "class", "powertrain", "trucks", "purchases", "tco_usd_per_mile"]
    balances = [
        (2030, "hydrogen", "use", 2.0, "t/yr"),
        (2030, "hydrogen", "own supply", 9.0, "t/yr"),
        (2030, "ammonia", "use", 7.0, "t/yr"),
    ]
    inventory = pd.DataFrame(
        [(2030, "cement", "site", 60.0), (2030, "cement", "rest", 7.0), (2030, "lime", "site", 12.0)],
        columns=["year", "sector", "asset_kind", "value"],
    )
    costs = pd.DataFrame(
        [(2022, "cement", 99.0), (2023, "cement", 10.0), (2030, "cement", 30.0), (2031, "cement", 7.0)],
        columns=["year", "sector", "value_usd"],
    )
    found.__dict__ |= {
        "production": pd.DataFrame(made, columns=names),
        "assets": pd.DataFrame(assets, columns=columns),
        "truck_fleet": pd.DataFrame(fleet, columns=trucks),
        "balances": pd.DataFrame(balances, columns=["year", "carrier", "item", "value", "unit"]),
        "emissions": inventory,
        "costs": costs,
    }
    return found


@pytest.mark.parametrize(
    ("row", "expected", "unit"),
    [
        (figure("production", sector="cement", product="clinker"), 150.0, "t/yr"),
        (figure("production", sector="cement", region="south"), 40.0, "t/yr"),
        (figure("production", sector="cement", technology="cement_clay; cement_dry_kiln"), 110.0, "t/yr"),
        (figure("production", sector="cement", classification="end_state"), 40.0, "t/yr"),
        (figure("net_production", sector="cement", carrier="hydrogen;ammonia"), 141.0, "t/yr"),
        (figure("production_share", sector="cement", technology="cement_clay"), 100.0 / 3.0, "%"),
        (
            figure("production_share", sector="cement", technology="cement_clay", region="north"),
            100.0 * 50.0 / 110.0,
            "%",
        ),
        (figure("production_change", sector="cement"), 50.0, "%"),
        (figure("plants", sector="cement"), 2.5, "1"),
        (figure("plants", asset_id="long"), 300.0, "vehicle"),
        (figure("capacity", sector="cement", technology="cement_clay"), 60.0, "t/yr"),
        (figure("sector_emissions", sector="cement"), 67.0, "t CO2e/yr"),
        (figure("sector_emissions", sector="cross_sector"), 79.0, "t CO2e/yr"),
        (figure("asset_emissions", sector="cement"), 65.0, "t CO2e/yr"),
        (figure("asset_emissions", sector="cement", asset_id="b;d"), 18.0, "t CO2e/yr"),
        (figure("asset_emissions", sector="cement", product="clinker"), 60.0, "t CO2e/yr"),
        (figure("emission_cut", sector="cement"), 100.0 * (1 - 65.0 / 90.0), "%"),
        (figure("intensity", sector="cement"), 0.6, "t CO2e/(t)"),  # without the plant of no technology
        (figure("intensity_change", sector="cement"), 100.0 * (0.6 / 0.9 - 1.0), "%"),
        (figure("cumulative_emissions", sector="cement"), 155.0, "t CO2e"),
        (figure("captured", sector="cement"), 45.0, "t/yr"),
        (figure("capture_share", sector="cement", product="clinker"), 100.0 * 45.0 / 30.0, "%"),
        (figure("purchases"), 40.0, "vehicle/yr"),
        (figure("sales_share", technology="truck_class8_sleeper_battery"), 75.0, "%"),
        (figure("investment", sector="cement", base_year=2023), 40.0, "USD"),
        (figure("yearly_investment", sector="cement", base_year=2023), 5.0, "USD/yr"),
        (figure("learning_rate", component="battery"), 0.19, "1"),
    ],
)
def test_metrics_by_hand(metrics: PathMetrics, row: pd.Series, expected: float, unit: str) -> None:
    value, found = metrics.measure(row)
    assert value == pytest.approx(expected)
    assert found == unit


def test_parity_waits_for_classes_with_half_of_the_trucks(metrics: PathMetrics) -> None:
    batteries = "truck_class8_sleeper_battery;truck_class8_day_battery"
    assert metrics.measure(figure("parity_year", technology=batteries)) == (2030.0, "yr")
    assert metrics.measure(figure("parity_year", technology=batteries, asset_id="short")) == (2022.0, "yr")


def test_parity_that_never_comes_is_nothing(metrics: PathMetrics) -> None:
    value, unit = metrics.measure(figure("parity_year", technology="truck_class8_sleeper_diesel_none"))
    assert math.isnan(value)
    assert unit == ""


@pytest.mark.parametrize(
    "row",
    [
        figure("production", sector="glass"),
        figure("production_share", sector="glass"),
        figure("production_change", sector="lime"),
        figure("sector_emissions", sector="glass"),
        figure("asset_emissions", sector="glass"),
        figure("intensity", sector="glass"),
        figure("intensity_change", sector="lime"),
        figure("cumulative_emissions", sector="glass"),
        figure("sales_share", year=2050),
        figure("learning_rate", component="none"),
        figure("budget", sector="military"),
        figure("cost_premium", product="ammonia"),
    ],
)
def test_what_the_path_does_not_hold_is_nothing(metrics: PathMetrics, row: pd.Series) -> None:
    value, unit = metrics.measure(row)
    assert math.isnan(value)
    assert unit == NOTHING[1]


def test_energy_is_what_is_made_times_the_inputs(metrics: PathMetrics) -> None:
    tech = metrics.tech
    coal = list(tech.carriers).index("coal")
    rows = {"cement_dry_kiln": 60.0, "cement_clay": 50.0, "cement_amine_capture": 40.0}
    wanted = sum(amount * tech.inputs[tech.find(name), coal] for name, amount in rows.items())
    value, unit = metrics.measure(figure("energy", sector="cement", carrier="coal", unit="PJ/yr"))
    assert value == pytest.approx(wanted * 1e-6)
    assert unit == "PJ/yr"


def test_energy_in_a_unit_of_another_kind_is_refused(metrics: PathMetrics) -> None:
    with pytest.raises(ValueError, match="cannot convert"):
        metrics.measure(figure("energy", sector="cement", carrier="coal", unit="t/yr"))


def test_an_unknown_metric_is_refused(metrics: PathMetrics) -> None:
    with pytest.raises(KeyError, match="guess"):
        metrics.measure(figure("guess"))


def test_listed_cells_are_cut_at_semicolons() -> None:
    assert listed("a; b;;c ") == ["a", "b", "c"]
    assert listed("") == []


# ---------------------------------------------------------------- metrics against the plan's own tables


def test_metrics_read_what_the_plan_tables_say(baseline: Plan) -> None:
    hub = ch.load_hub("california")
    found = PathMetrics(with_chargers(run_pathway(hub, ch.load_scenario("baseline", hub))).path)
    year = 2035
    emissions = baseline.table("emissions").query("scope == 1 and boundary == 'included' and gas == 'co2e'")
    expected = emissions[(emissions["year"] == year) & (emissions["sector"] == "cement")]["value"].sum()
    value, _ = found.measure(figure("sector_emissions", sector="cement", year=year))
    assert value == pytest.approx(expected, rel=1e-12)
    assets = baseline.table("assets")
    expected = assets[(assets["year"] == year) & (assets["sector"] == "cement")]["co2e_t"].sum()
    value, _ = found.measure(figure("asset_emissions", sector="cement", year=year))
    assert value == pytest.approx(expected, rel=1e-12)
    energy = baseline.table("energy")
    rows = energy[(energy["year"] == year) & (energy["sector"] == "trucking")]
    for carrier, unit in (("diesel", "gal/yr"), ("electricity", "MWh/yr")):
        expected = rows[rows["carrier"] == carrier]["value"].sum()
        value, _ = found.measure(figure("energy", sector="trucking", carrier=carrier, year=year, unit=unit))
        assert value == pytest.approx(expected, rel=1e-9), carrier
    budgets = baseline.table("budgets").set_index("sector")["budget"]
    value, _ = found.measure(figure("budget", sector="cement"))
    assert value == pytest.approx(budgets["cement"], rel=1e-12)


# ---------------------------------------------------------------- faults of the table


def changed(library: Library, change: Callable[[pd.DataFrame], None]) -> Library:
    frame = library.tables["published_figures"].copy()
    change(frame)
    return replace(library, tables={**library.tables, "published_figures": frame})


def test_all_faults_are_one_error() -> None:
    frame = load_library().tables["published_figures"]
    frame = frame[frame["metric"] == "emission_cut"].head(1)
    rows = pd.concat([frame] * 6, ignore_index=True)
    rows.index = pd.Index(range(2, 8))
    rows.loc[2, "hub"] = "atlantis"
    rows.loc[3, "scenario"] = "wishes"
    rows.loc[4, "year"] = pd.NA
    rows.loc[5, "base_year"] = pd.NA
    rows.loc[6, ["low", "value", "high"]] = [NAN, NAN, NAN]
    rows.loc[7, ["low", "value", "high"]] = [3.0, 2.0, 4.0]
    with pytest.raises(InputError) as caught:
        check_figures(rows)
    faults = [(fault.row, fault.column, fault.what) for fault in caught.value.faults]
    assert faults == [
        (2, "hub", "unknown hub"),
        (3, "scenario", "unknown scenario"),
        (4, "year", "missing year"),
        (5, "base_year", "missing year"),
        (6, "value", "nothing to compare with"),
        (7, "low+value+high", "range does not hold its value"),
    ]
    assert "baseline, net-zero-2050" in caught.value.faults[1].line()


def test_a_figure_that_is_not_measured_needs_neither_hub_nor_number() -> None:
    frame = load_library().tables["published_figures"]
    check_figures(frame[frame["metric"] == ""])


def test_hubs_that_are_not_bundled_are_one_error() -> None:
    with pytest.raises(InputError, match="2 faults"):
        compare_published(["atlantis", "california", "lemuria"])


# ---------------------------------------------------------------- California, measured


@pytest.fixture(scope="module")
def california() -> pd.DataFrame:
    return compare_published(["california"])


def test_one_hub_alone_gives_its_figures_alone(california: pd.DataFrame) -> None:
    assert tuple(california.columns) == COLUMNS
    assert set(california["hub"]) == {"california"}
    assert len(california) >= 15


def test_reports_of_plants_are_equal(california: pd.DataFrame) -> None:
    rows = california[california["source"] == "epa-ghgrp-2023"]
    assert len(rows) >= 11
    assert (rows["exact"] & (rows["difference"] == 0.0)).all()
    plants = rows[
        rows["figure"].str.startswith("california-cement") & (rows["figure"] != "california-cement-2022")
    ]
    total = rows.set_index("figure").loc["california-cement-2022", "ours"]
    assert plants["ours"].sum() + 15 == total  # the closed kiln at Cupertino reported 15 t


def test_a_wrong_published_figure_shows() -> None:
    def change(frame: pd.DataFrame) -> None:
        frame.loc[frame["figure"] == "california-cement-mojave", "value"] *= 1 + 2 * EXACT

    found = compare_published(["california"], changed(load_library(), change))
    assert list(broken(found)["figure"]) == ["california-cement-mojave"]
    row = found.set_index("figure").loc["california-cement-mojave"]
    assert row["inside"] == "no"
    assert row["difference"] == pytest.approx(1 / (1 + 2 * EXACT) - 1)


def test_an_exact_figure_that_cannot_be_measured_is_broken() -> None:
    def change(frame: pd.DataFrame) -> None:
        frame.loc[frame["figure"] == "california-cement-mojave", "asset_id"] = "ghgrp-nobody"

    found = compare_published(["california"], changed(load_library(), change))
    assert list(broken(found)["figure"]) == ["california-cement-mojave"]


# ---------------------------------------------------------------- all figures


@pytest.fixture
def everything(published_figures: pd.DataFrame) -> pd.DataFrame:
    return published_figures


def test_enough_is_compared_and_every_gap_says_why(everything: pd.DataFrame) -> None:
    assert (everything["inside"] != NOT_MEASURED).sum() >= 60
    assert set(everything["inside"]) == {"yes", "no", NOT_MEASURED}
    gaps = everything[everything["inside"] == NOT_MEASURED]
    assert (gaps["metric"] == "").all(), "a figure with a metric must be measured"
    assert everything["why"].str.endswith(".").all()
    assert everything["why"].str.len().min() > 15


def test_what_ours_must_equal_is_equal(everything: pd.DataFrame) -> None:
    assert list(broken(everything)["figure"]) == []
    assert everything["exact"].sum() >= 30


def test_every_metric_of_the_codelist_is_used(everything: pd.DataFrame) -> None:
    assert set(everything["metric"]) - {""} == load_library().codelists["published_metric"]


def test_all_seven_sectors_have_the_budget_of_the_hubs_limits(everything: pd.DataFrame) -> None:
    exact = everything[everything["exact"]]
    budgets = exact[exact["metric"] == "budget"].set_index("sector")
    assert set(budgets.index) == {
        "aluminium", "aviation", "cement", "chemicals", "shipping", "steel", "trucking"
    }  # fmt: skip
    limits = pd.read_csv(HUBS / "global" / "limits.csv").query("year == 2050").set_index("limit")
    for sector, row in budgets.iterrows():
        limit = limits.loc[f"budget-{sector}"]
        assert row["ours"] == pytest.approx(limit["value"] * factor(limit["unit"], "Gt")), sector


@pytest.mark.parametrize(
    ("driver", "year", "name"),
    [
        ("demand_steel_net_zero", 2030, "steel-2030-nze"),
        ("demand_steel_net_zero", 2050, "steel-2050-nze"),
        ("demand_cement", 2020, "cement-clinker-2020"),
        ("demand_cement_net_zero", 2050, "cement-clinker-2050-gcca"),
        ("demand_aluminium", 2050, "aluminium-2050-bau"),
        ("demand_aluminium_net_zero", 2050, "aluminium-2050-fa"),
        ("demand_ammonia", 2020, "ammonia-2020"),
        ("demand_methanol", 2020, "methanol-chemical-2020"),
        ("demand_olefins", 2050, "olefins-2050"),
    ],
)
def test_what_is_made_is_the_demand_of_all_regions(
    everything: pd.DataFrame, driver: str, year: int, name: str
) -> None:
    drivers = pd.read_csv(HUBS / "global" / "drivers.csv")
    rows = drivers[(drivers["driver"] == driver) & drivers["region"].notna() & (drivers["year"] == year)]
    assert len(rows) == 8
    wanted = (rows["value"] * [factor(unit, "Mt/yr") for unit in rows["unit"]]).sum()
    assert everything.set_index("figure").loc[name, "ours"] == pytest.approx(wanted, rel=1e-4)


def test_every_figure_has_a_known_source_and_no_key_twice() -> None:
    tables = load_library().tables
    frame = tables["published_figures"]
    assert frame["figure"].is_unique
    assert set(frame["source_id"]) <= set(tables["sources"]["source_id"])
    assert not (frame["exact"].astype(bool) & (frame["metric"] == "")).any()


# ---------------------------------------------------------------- coverage of the collected figures

SECTOR = {"all": "cross_sector", "ammonia": "chemicals"}
STATED_OTHERWISE = {  # sector, metric: the row that holds it in another unit, year or sector
    ("trucking", "demand growth in CN/EU/IN/US"): "truck-demand-four-markets",
    ("steel", "investment"): "steel-investment",
    ("aluminium", "investment"): "aluminium-investment",
    ("ammonia", "cost increase of low-emission routes"): "ammonia-premium",
    ("ammonia", "investment"): "ammonia-investment",
    ("aviation", "emissions 2019 WTW"): "aviation-emissions-2019",
    ("aviation", "SAF volume"): "aviation-saf-volume-2030",
    ("aviation", "investment"): "aviation-investment",
    ("aviation", "US goal, SAF volume"): "aviation-us-saf-2030",
    ("shipping", "investment full decarbonisation"): "shipping-investment",
}


def numbers(cells: list[object]) -> frozenset[float]:
    return frozenset(round(float(str(cell)), 6) for cell in cells if str(cell) not in ("", "nan", "<NA>"))


def test_every_collected_target_is_compared_or_explained() -> None:
    file = FACTS / "sector_validation_targets.csv"
    if not file.is_file():
        pytest.skip("the collected facts are not beside this checkout")
    frame = load_library().tables["published_figures"]
    held: dict[tuple[str, int], set[frozenset[float]]] = {}
    for _, row in frame.iterrows():
        stated = numbers([row["low"], row["value"], row["high"]])
        held.setdefault((str(row["sector"]), int(row["year"])), set()).add(stated)
    missing = []
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            sector = SECTOR.get(row["sector"], row["sector"])
            year = int((row["period"] or row["year"]).split("-")[-1])
            stated = numbers([row[name].lstrip("+") for name in ("low", "value", "high")])
            named = STATED_OTHERWISE.get((row["sector"], row["metric"]), "")
            if "Shipping driver in LC folder" in row["metric"]:
                named = "ammonia-ships-2050-mpp"
            if stated not in held.get((sector, year), set()) and named not in set(frame["figure"]):
                missing.append((row["sector"], row["metric"], row["period"]))
    assert missing == []


# ---------------------------------------------------------------- for people


def test_figures_are_shown_with_bounds_and_without_noise() -> None:
    row = dict.fromkeys(COLUMNS, "")
    row |= {"title": "It", "sector": "steel", "hub": "h", "scenario": "s", "unit": "1", "why": "So."}
    rows = [
        {"ours": 12345.6, "published": 12000.0, "low": NAN, "high": NAN, "difference": 0.0288},
        {"ours": 0.2, "published": NAN, "low": 0.1, "high": 0.3, "difference": 0.0},
        {"ours": 1e10, "published": NAN, "low": 2e10, "high": NAN, "difference": -0.5},
        {"ours": 7.0, "published": NAN, "low": NAN, "high": 6.0, "difference": NAN},
        {"ours": NAN, "published": 5.0, "low": 4.0, "high": 6.0, "difference": NAN},
        {"ours": 2028.0, "published": NAN, "low": 2022.0, "high": 2033.0, "difference": 0.0, "unit": "yr"},
    ]
    frame = pd.DataFrame([{**row, "year": 2030, "base_year": pd.NA, "exact": False, **one} for one in rows])
    frame.loc[0, ["base_year", "exact"]] = [2020, True]
    table = shown(frame)
    assert list(table["ours"]) == ["12,300", "0.2", "10 billion", "7", "", "2028"]
    assert list(table["published"]) == [
        "12,000", "0.1 to 0.3", "at least 20 billion", "at most 6", "5 (4 to 6)", "2022 to 2033"
    ]  # fmt: skip
    assert list(table["difference"]) == ["+2.9 %", "0 %", "-50.0 %", "", "", "0 %"]
    assert table["figure"].tolist()[:2] == ["It, 2020 to 2030", "It, 2030"]
    assert table["inside"].iloc[0].endswith("(exact)")
    assert (table["path"] == "h s").all()


def test_the_page_counts_every_figure_and_lists_what_is_not_measured(everything: pd.DataFrame) -> None:
    page = doc_published.published_gaps()
    lines = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    assert len(lines) == (everything["inside"] == NOT_MEASURED).sum() + 1
    counts = doc_published.published_counts()
    assert counts.splitlines()[-1].count("|") == 5
    assert f"| {(everything['inside'] == 'yes').sum()} |" in counts
