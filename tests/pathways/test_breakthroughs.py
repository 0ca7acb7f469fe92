"""Milestones: every metric by hand on small paths, and how a row is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from problems import Fleet, Market, Plant, Tech, build_problem

from cleanhub.hub.library import load_library
from cleanhub.pathways.breakthroughs import (
    AT_MOST,
    OF_THE_WORLD,
    Measured,
    Meter,
    _row,
    _slack,
    milestone_rows,
)
from cleanhub.pathways.engine import walk
from cleanhub.pathways.problem import Learning, Path, Problem

YEARS = np.arange(2025, 2041)


@dataclass
class Fake:
    """What milestones need of a pathway: a problem, its path and a library."""

    problem: Problem
    path: Path
    covers: str = "world"
    lines: list[dict[str, Any]] = field(default_factory=list)

    @property
    def hub(self) -> Any:
        tables = {
            "technologies": pd.DataFrame({"classification": ["initial", "end_state"] * 8}).iloc[
                : len(self.problem.tech.names)
            ],
            "heating_values": pd.DataFrame({"carrier": ["ammonia"], "value": [18.0]}),
            "components": pd.DataFrame({"component": ["stack"], "unit": ["GW"]}),
            "breakthroughs": pd.DataFrame(self.lines),
        }
        return SimpleNamespace(library=SimpleNamespace(tables=tables), meta={"covers": self.covers})

    @property
    def walked(self) -> Path:
        return self.path

    @property
    def tech(self) -> Any:
        return self.problem.tech

    @property
    def years(self) -> np.ndarray:
        return self.problem.years


def line(metric: str, **more: Any) -> pd.Series:
    return pd.Series(
        {
            "breakthrough": "one", "name": "Goal", "sector": "steel", "product": "steel", "metric": metric,
            "classification": "", "technology": "", "carrier": "", "component": "", "year": 2030,
            "value": 10.0, "unit": "%", "source_id": "someone", "confidence": "seen", "note": "", **more,
        }
    )  # fmt: skip


def plants(**changes: Any) -> Fake:
    """Three plants of 2, 1 and 1; the second changes to clean in 2030, the third in 2035."""
    problem = build_problem(
        [
            Tech("old", variable=50.0, direct=2.0, cycle=10),
            Tech("clean", variable=40.0, direct=0.5, cycle=10),
        ],
        [
            Plant("old", 2.0, last_investment=1994),
            Plant("old", 1.0, last_investment=2020),
            Plant("old", 1.0, last_investment=2015),
        ],
        switches={("old", "clean"): "rebuild"},
        first_choice=2030,
        **changes,
    )
    path = walk(problem)
    for row, year in ((0, 9999), (1, 2030), (2, 2035)):
        path.run[row] = np.where(year <= YEARS, 1, 0)
    return Fake(problem, path)


def at(found: Measured, year: int) -> float:
    return float(found.values[year - 2025])


def test_share_of_production_by_name_and_by_class() -> None:
    meter = Meter(plants())
    for chosen in ({"technology": "clean"}, {"classification": "end_state;transition"}):
        found = meter.measure(line("production_share", **chosen))
        assert [at(found, year) for year in (2029, 2030, 2035)] == pytest.approx([0.0, 25.0, 50.0])
        assert found.unit == "%"


def test_plants_in_operation_of_one_sector_and_of_all() -> None:
    meter = Meter(plants())
    for sector, product in (("steel", "steel"), ("cross_sector", "")):
        found = meter.measure(line("plants", technology="clean", sector=sector, product=product, unit="1"))
        assert [at(found, year) for year in (2029, 2030, 2035)] == [0.0, 1.0, 2.0]


def test_change_of_intensity_against_the_first_year() -> None:
    found = Meter(plants()).measure(line("intensity_change"))
    assert at(found, 2025) == 0.0
    assert at(found, 2030) == pytest.approx((3 * 2.0 + 0.5) / (4 * 2.0) * 100 - 100)


def test_least_cost_of_a_new_plant() -> None:
    found = Meter(plants()).measure(line("cost", technology="clean", unit="USD/kg"))
    assert at(found, 2030) == pytest.approx(40.0)
    assert found.unit == "USD/(t)"


def test_cost_in_the_units_of_the_milestone() -> None:
    fake = plants()
    row = _row(fake, line("cost", technology="clean", unit="USD/kg", value=0.05), Meter(fake).measure(
        line("cost", technology="clean")
    ))  # fmt: skip
    assert row["value"] == pytest.approx(0.04)
    assert row["met"] == "yes"


def fleet() -> Fake:
    options = [
        Tech("oil", vehicle=True, direct=1.0, inputs={"oil": 2.0}, sector="shipping", product="cargo"),
        Tech("green", vehicle=True, inputs={"ammonia": 0.5}, sector="shipping", product="cargo"),
    ]
    problem = build_problem(options, fleets=[Fleet(("oil", "green"), 10.0)])
    problem.vehicles[0].sector = "shipping"
    path = walk(problem)
    cls = path.vehicles[0]
    share = np.clip((YEARS - 2028) / 10.0, 0.0, 1.0)
    cls.bought = np.vstack([1 - share, share]) * 4.0
    cls.vehicles = np.vstack([1 - share, share]) * 40.0
    cls.distance = np.vstack([1 - share, share]) * 10.0
    return Fake(problem, path)


def test_sales_vehicles_and_energy() -> None:
    meter = Meter(fleet())
    ships = {"sector": "shipping", "product": "cargo"}
    assert at(meter.measure(line("sales_share", technology="green", **ships)), 2030) == pytest.approx(20.0)
    assert at(meter.measure(line("vehicles", technology="green", **ships)), 2030) == pytest.approx(8.0)
    found = meter.measure(line("energy_share", carrier="ammonia", **ships))
    green, oil = 2.0 * 0.5 * 18.0, 8.0 * 2.0 * 3.6  # ammonia by its heating value, oil counted in MWh
    meter.tech.carrier_units[list(meter.tech.carriers).index("ammonia")] = "t"
    found = meter.measure(line("energy_share", carrier="ammonia", **ships))
    assert at(found, 2030) == pytest.approx(100.0 * green / (green + oil))


def test_capacity_of_a_component_in_use() -> None:
    fake = plants()
    learning = Learning(
        names=np.array(["stack"], dtype=object),
        share=np.zeros((2, 1)),
        amount=np.array([[0.0], [3.0]]),
        exponent=np.ones(1),
        least=np.zeros(1),
        world=np.ones((1, len(YEARS))),
        base=np.ones(1),
    )
    fake.problem = fake.path.problem = build_problem_with(fake.problem, learning)
    found = Meter(fake).measure(line("capacity", component="stack", product=""))
    assert [at(found, year) for year in (2029, 2030, 2035)] == [0.0, 3.0, 6.0]
    assert found.unit == "GW"


def build_problem_with(problem: Problem, learning: Learning) -> Problem:
    from dataclasses import replace

    return replace(problem, learning=learning)


@pytest.mark.parametrize("metric", ["production_share", "sales_share", "energy_share", "intensity_change"])
def test_what_the_hub_does_not_make_is_not_measured(metric: str) -> None:
    found = Meter(plants()).measure(line(metric, product="cargo", sector="shipping", carrier="x"))
    assert np.isnan(found.values).all()
    assert found.why_not


def test_an_unknown_component_is_not_measured() -> None:
    assert Meter(plants()).measure(line("capacity", component="none")).why_not


# ---------------------------------------------------------------- how a row is judged


def judged(
    values: Any, metric: str = "production_share", covers: str = "world", **more: Any
) -> dict[str, Any]:
    fake = plants()
    fake.covers = covers
    series = np.broadcast_to(np.asarray(values, dtype=float), YEARS.shape)
    return _row(fake, line(metric, **more), Measured(series, "%"))


def test_met_early_in_time_and_late() -> None:
    early = judged(np.where(YEARS >= 2028, 12.0, 0.0))
    assert (early["met"], early["year"], early["lasts"]) == ("yes", 2028, "yes")
    assert "2 years early" in early["note"]
    assert "in the year it is due" in judged(np.where(YEARS >= 2030, 12.0, 0.0))["note"]
    late = judged(np.where(YEARS >= 2031, 12.0, 0.0))
    assert (late["met"], late["year"]) == ("no", 2031)
    assert "1 year late" in late["note"]


def test_never_met_and_lost_again() -> None:
    never = judged(5.0)
    assert never["met"] == "no"
    assert never["year"] is pd.NA
    assert "not on this path" in never["note"]
    lost = judged(np.where(YEARS == 2030, 12.0, 0.0))
    assert (lost["met"], lost["lasts"]) == ("yes", "no")


def test_what_must_fall_is_met_from_above() -> None:
    for metric in AT_MOST:
        assert judged(-25.0, metric, value=-20.0)["met"] == "yes"
        assert judged(-15.0, metric, value=-20.0)["met"] == "no"


def test_a_figure_for_the_world_is_not_judged_on_a_part_of_it() -> None:
    for metric in OF_THE_WORLD:
        row = judged(50.0, metric, covers="state")
        assert row["met"] == ""
        assert row["year"] is pd.NA
        assert row["value"] == 50.0
        assert judged(50.0, metric)["met"] == "yes"


def test_a_year_outside_the_path_is_not_judged() -> None:
    row = judged(50.0, year=2060)
    assert row["met"] == ""
    assert np.isnan(row["value"])


def test_only_sectors_of_the_hub_have_rows() -> None:
    fake = plants()
    fake.lines = [
        dict(line("plants", unit="1")),
        dict(line("plants", sector="shipping", breakthrough="two", unit="1")),
    ]
    fake.lines.append(dict(line("plants", sector="cross_sector", product="", breakthrough="three", unit="1")))
    assert [row["milestone"] for row in milestone_rows(fake)] == ["one", "three"]


def test_slack_in_words() -> None:
    assert _slack(2030, None) == "not on this path"
    assert _slack(2030, 2029) == "reached 1 year early"


def test_every_metric_of_the_library_can_be_measured() -> None:
    fake = plants()
    meter = Meter(fake)
    for _, row in load_library().tables["breakthroughs"].iterrows():
        assert isinstance(meter.measure(row), Measured)


def test_a_market_runs_below_its_capacity() -> None:
    problem = build_problem(
        [Tech("old", capex=100.0)],
        [Plant("old", 2.0)],
        markets=[Market(demand=1.0, high=0.5, offered=["old"])],
    )
    fake = Fake(problem, walk(problem))
    found = Meter(fake).measure(line("cost", technology="old"))
    assert at(found, 2030) == pytest.approx(2.0 * float(problem.tech.capital_charge[0]))
