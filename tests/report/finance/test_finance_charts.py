"""Charts: they stand alone, show what their table holds, and equal cases give equal bytes."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cleanhub.finance.case_value import CaseValue
from cleanhub.finance.risk import Distribution, monte_carlo
from cleanhub.finance.sensitivity import Bar, tornado
from cleanhub.report.finance.charts import (
    Chart,
    cash_flow_chart,
    cash_flow_parts,
    cover_chart,
    distribution_chart,
    tornado_chart,
    write_charts,
)

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ("cash-flow", "cover-ratio", "npv-distribution", "tornado")


@pytest.fixture(scope="module")
def drawn(plant: CaseValue) -> Distribution:
    return monte_carlo(plant.loaded, plant.setting, 400, 1)


@pytest.fixture(scope="module")
def bars(plant: CaseValue) -> list[Bar]:
    return tornado(plant.loaded, plant.setting)


@pytest.fixture(scope="module")
def every(plant: CaseValue, drawn: Distribution, bars: list[Bar]) -> dict[str, Chart]:
    made = (
        cash_flow_chart(plant),
        cover_chart(plant),
        tornado_chart(plant, bars),
        distribution_chart(plant, drawn),
    )
    return {chart.name: chart for chart in made}


def texts(chart: Chart) -> list[str]:
    return [one.text or "" for one in ET.fromstring(str(chart.drawing)).iter(f"{SVG}text")]


def rows(chart: Chart) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(chart.table())))


def test_files_stand_beside_their_data(
    plant: CaseValue, drawn: Distribution, bars: list[Bar], tmp_path: Path
) -> None:
    folder = write_charts(plant, tmp_path / "a" / "charts", drawn, bars)
    assert sorted(one.name for one in folder.iterdir()) == sorted(
        f"{name}.{end}" for name in NAMES for end in ("svg", "csv")
    )
    again = write_charts(plant, tmp_path / "b", drawn, bars)
    for one in folder.iterdir():
        assert one.read_bytes() == (again / one.name).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_chart_is_well_formed_and_named_and_stays_on_its_paper(name: str, every: dict[str, Chart]) -> None:
    root = ET.fromstring(str(every[name].drawing))
    width, height = (float(part) for part in str(root.get("viewBox")).split()[2:])
    assert root.find(f"{SVG}title") is not None
    assert root.get("role") == "img"
    for box in root.iter(f"{SVG}rect"):
        left, top = float(str(box.get("x"))), float(str(box.get("y")))
        assert -0.1 <= left <= left + float(str(box.get("width"))) <= width + 0.1
        assert -0.1 <= top <= top + float(str(box.get("height"))) <= height + 0.1
    for one in root.iter(f"{SVG}text"):
        assert 0 <= float(str(one.get("x"))) <= width
        assert 0 <= float(str(one.get("y"))) <= height
    assert not re.search(r"\b(nan|inf)\b", str(every[name].drawing), re.IGNORECASE)


@pytest.mark.parametrize("name", NAMES)
def test_a_title_with_signs_of_markup_is_escaped(name: str, every: dict[str, Chart]) -> None:
    assert "A plant <of> its kind & more" in " ".join(texts(every[name]))
    assert "<of>" not in str(every[name].drawing)


@pytest.mark.parametrize("name", NAMES)
def test_money_has_its_unit(name: str, every: dict[str, Chart]) -> None:
    if name != "cover-ratio":
        assert any("USD" in one for one in texts(every[name]))


# ---------------------------------------------------------------- cash flow


def test_the_parts_add_up_to_equity(make: Callable[..., CaseValue], plant: CaseValue) -> None:
    supported = make(
        {
            "support": {"grants": {"gift": {"amount": 1e7}}, "loans": {"soft": {"share": 0.1}}},
            "working_capital": {"receivable_days": 60.0},
            "capital": {"salvage": 0.05},
        }
    )
    for value in (plant, supported, make({"debt": {"kind": "none"}})):
        for view in value.views:
            total = sum(cash_flow_parts(view).values())
            assert total == pytest.approx(view.outcome.equity[:, 0], rel=1e-9, abs=1.0)


def test_the_rest_is_working_capital_reserves_fees_and_salvage(plant: CaseValue) -> None:
    parts = cash_flow_parts(plant.sponsor)
    rest = parts["working capital, reserves, fees, salvage"]
    assert not rest[:3].any(), "nothing is left over in construction"
    held = np.concatenate(
        [[plant.sponsor.outcome.uses["debt service reserve"][-1, 0]], plant.sponsor.outcome.reserve[:, 0]]
    )
    change = np.diff(plant.sponsor.lines.working_capital[:, 0], prepend=0.0)
    expected = -np.diff(held) - change - plant.sponsor.outcome.fees[:, 0]
    assert rest[3:] == pytest.approx(expected, abs=1.0)


def test_the_table_of_cash_flow_holds_every_year(plant: CaseValue, every: dict[str, Chart]) -> None:
    table = rows(every["cash-flow"])
    assert [int(row["year"]) for row in table] == list(range(2028, 2056))
    told = [float(row["equity [USD]"]) for row in table]
    assert told == plant.sponsor.outcome.equity[:, 0].tolist(), "numbers are written in full"


def test_a_case_without_debt_draws_no_debt(make: Callable[..., CaseValue]) -> None:
    assert "debt service" not in texts(cash_flow_chart(make({"debt": {"kind": "none"}})))


# ---------------------------------------------------------------- cover ratio


def test_cover_shows_both_views_and_what_is_asked(plant: CaseValue, every: dict[str, Chart]) -> None:
    shown = texts(every["cover-ratio"])
    assert "lenders ask 1.75x" in shown
    assert "service just paid, 1.00x" in shown
    table = rows(every["cover-ratio"])
    assert float(table[0]["sponsor P50 [1]"]) == plant.sponsor.cover[0]
    assert table[-1]["lender P90 [1]"] == "", "after the debt there is no ratio"


def test_cover_without_debt_says_so(make: Callable[..., CaseValue]) -> None:
    chart = cover_chart(make({"debt": {"kind": "none"}}))
    assert any("no debt" in one for one in texts(chart))


# ---------------------------------------------------------------- tornado


def test_the_widest_bar_comes_first(every: dict[str, Chart], bars: list[Bar]) -> None:
    shown = texts(every["tornado"])
    assert shown.index(bars[0].path) < shown.index(bars[1].path)
    assert len(rows(every["tornado"])) == len(bars)
    first = rows(every["tornado"])[0]
    assert float(first["npv at low [USD]"]) == bars[0].at_low


def test_no_range_at_all_is_told(plant: CaseValue) -> None:
    assert any("No figure" in one for one in texts(tornado_chart(plant, [])))


def test_bars_without_a_result_are_left_out_of_the_drawing(plant: CaseValue, bars: list[Bar]) -> None:
    broken = replace(bars[0], at_low=float("nan"))
    chart = tornado_chart(plant, [broken, *bars[1:4]])
    assert broken.path not in texts(chart)
    assert rows(chart)[0]["npv at low [USD]"] == ""


# ---------------------------------------------------------------- distribution


def test_the_columns_hold_every_draw(every: dict[str, Chart], drawn: Distribution) -> None:
    table = rows(every["npv-distribution"])
    assert sum(int(row["draws"]) for row in table) == drawn.samples
    assert sum(float(row["share"]) for row in table) == pytest.approx(1.0)


def test_zero_is_an_edge_so_that_no_column_is_both(every: dict[str, Chart]) -> None:
    table = rows(every["npv-distribution"])
    edges = [float(row["npv from [USD]"]) for row in table]
    if min(edges) < 0 < max(edges):
        assert min(abs(edge) for edge in edges) == pytest.approx(0.0, abs=1e-3)


def test_percentiles_are_written(every: dict[str, Chart]) -> None:
    shown = " ".join(texts(every["npv-distribution"]))
    for percent in (10, 50, 90):
        assert f"P{percent} " in shown
    assert "400 draws" in shown


def test_equal_draws_make_one_column(plant: CaseValue, drawn: Distribution) -> None:
    flat = replace(drawn, npv_usd=np.full(drawn.samples, 5e6))
    assert sum(int(row["draws"]) for row in rows(distribution_chart(plant, flat))) == drawn.samples
