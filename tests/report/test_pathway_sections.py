"""Sections of the pathway: technologies, tipping points, abatement, limits and budgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from cleanhub.report.blocks import Figure, Grid, Prose, Table
from cleanhub.report.context import Context
from cleanhub.report.labels import region
from cleanhub.report.sections import abatement, binding, technologies, tipping

YEARS = range(2023, 2031)


def block(section: Any, title: str) -> Any:
    """The block of a section whose title starts so."""
    (found,) = [one for one in section.blocks if getattr(one, "title", "").startswith(title)]
    return found


def prose(section: Any) -> str:
    return " ".join(
        str(part)
        for one in section.blocks
        if isinstance(one, Prose)
        for part in (*one.paragraphs, *one.points)
    )


@pytest.fixture
def full(filled_plan: Any) -> Context:
    return Context(filled_plan)


@pytest.fixture
def bare(empty_plan: Any) -> Context:
    return Context(empty_plan)


@pytest.mark.parametrize("build", [tipping.build, abatement.build, binding.build])
def test_empty_plans_say_so(build: Callable[[Context], Any], bare: Context) -> None:
    section = build(bare)
    for one in section.blocks:
        if isinstance(one, Figure | Grid):
            assert one.empty
            assert not getattr(one, "figures", ())
        elif isinstance(one, Table):
            assert not one.rows


# ---------------------------------------------------------------- technologies


def test_a_panel_for_each_product_that_changes(full: Context) -> None:
    grid = technologies.grid(full)
    (figure,) = grid.figures
    assert figure.title == "Cement: clinker"
    assert figure.unit == "Mt per year"
    assert figure.data is not None
    last = figure.data.rows[-1]
    assert last[0] == "2030"
    assert last[-1] == "1"  # 1e6 t/yr in all


def test_one_technology_throughout_is_told_and_not_drawn(make_plan: Callable[..., Any]) -> None:
    rows = [
        {"year": year, "sector": "lime", "product": "lime", "region": "", "technology": "kiln",
         "production": 5.0, "capacity": 6.0, "plants": 1.0, "unit": "t/yr"} for year in YEARS
    ]  # fmt: skip
    grid = technologies.grid(Context(make_plan(production=rows)))
    assert not grid.figures
    assert "Lime" in str(grid.note)


def with_library(plan: Any, classes: dict[str, str], inputs: dict[str, tuple[str, str, float]]) -> Context:
    technology = pd.DataFrame(
        {"technology": list(classes), "name": list(classes), "classification": list(classes.values())}
    )
    parameters = [
        {"technology": name, "parameter": "input", "carrier": carrier, "value": value, "unit": unit}
        for name, (carrier, unit, value) in inputs.items()
    ]
    parameters += [
        {"technology": name, "parameter": "capex", "carrier": "", "value": 1.0, "unit": "USD/vehicle"}
        for name in inputs
    ]
    tables = {
        "technologies": technology,
        "technology_parameters": pd.DataFrame(parameters),
        "carriers": pd.DataFrame({"carrier": ["oil", "ammonia"], "unit": ["GJ", "t"]}),
        "heating_values": pd.DataFrame({"carrier": ["ammonia"], "value": [18.6]}),
    }
    plan.hub.library = SimpleNamespace(tables=tables)
    return Context(plan)


def test_many_vehicles_are_grouped_by_what_they_run_on(make_plan: Callable[..., Any]) -> None:
    names = {f"ship_{n}_{fuel}": fuel for n in range(5) for fuel in ("oil", "ammonia")}
    rows = [
        {"year": year, "sector": "shipping", "product": "cargo_distance", "region": "", "technology": name,
         "production": 2.0, "capacity": None, "plants": 3.0, "unit": "kt km/yr"}
        for year in YEARS for name in names
    ]  # fmt: skip
    classes = {name: "initial" if fuel == "oil" else "end_state" for name, fuel in names.items()}
    inputs = {
        name: (fuel, "GJ/(kt km)" if fuel == "oil" else "t/(kt km)", 0.5) for name, fuel in names.items()
    }
    context = with_library(make_plan(production=rows), classes, inputs)
    (figure,) = technologies.grid(context).figures
    assert [key.label for key in figure.legend] == ["Ammonia", "Oil"]
    assert technologies.main_carriers(context)["ship_0_ammonia"] == "ammonia"


def test_many_plants_are_folded_and_keep_their_sum(make_plan: Callable[..., Any]) -> None:
    rows = [
        {"year": year, "sector": "steel", "product": "steel", "region": place,
         "technology": f"furnace_{n:02d}",
         "production": float(n + 1), "capacity": 20.0, "plants": 1.0, "unit": "t/yr"}
        for year in YEARS for n in range(12) for place in ("north", "south")
    ]  # fmt: skip
    classes = {f"furnace_{n:02d}": "initial" if n < 4 else "end_state" for n in range(12)}
    context = with_library(make_plan(production=rows), classes, {})
    (figure,) = technologies.grid(context).figures
    labels = [str(key.label) for key in figure.legend]
    assert len(labels) <= technologies.SHOWN + 1
    assert "Conventional" in labels
    assert "Other" in labels
    assert figure.data is not None
    assert float(figure.data.rows[0][-1]) == pytest.approx(2 * sum(range(1, 13)))


@pytest.mark.parametrize(
    ("top", "unit", "expected"),
    [
        (3e6, "t/yr", (1e6, "Mt per year")),
        (2e9, "MWh/yr", (1e9, "billion MWh per year")),
        (5.0, "bbl/yr", (1.0, "bbl per year")),
    ],
)
def test_units_of_products(top: float, unit: str, expected: tuple[float, str]) -> None:
    assert technologies.product_scale(top, unit) == expected


# ---------------------------------------------------------------- tipping points


def test_parity_is_counted_and_told(full: Context) -> None:
    section = tipping.build(full)
    assert "1 reach cost parity on this path, 0 of them for good" in str(section.lead[0])
    figure = block(section, "Year of cost parity")
    assert 'class="hatch"' in str(figure.wide)  # it is lost again
    assert "not on this path" in str(figure.wide)
    assert figure.data is not None
    assert len(figure.data.rows) == 2


def test_regions_make_a_heat_map(make_plan: Callable[..., Any]) -> None:
    row = {"sector": "steel", "product": "steel", "against": "old", "source": "src-a", "confidence": "seen",
           "kind": "cost_parity", "unit": "USD/t"}  # fmt: skip
    rows = [
        {
            **row,
            "technology": "new",
            "region": "north-america",
            "year": 2027,
            "lasts": "yes",
            "value": 1.0,
            "threshold": 2.0,
        },
        {**row, "technology": "new", "region": "cis", "value": 3.0, "threshold": 2.0},
        {**row, "technology": "other", "region": "cis"},
    ]
    figure = block(tipping.build(Context(make_plan(tipping_points=rows))), "Year of cost parity")
    drawing = str(figure.wide)
    for word in ("CIS", "2027", ">?<", "\N{EN DASH}"):
        assert word in drawing


def test_many_technologies_of_one_product_are_cut_but_stand_in_the_data(
    make_plan: Callable[..., Any],
) -> None:
    row = {"sector": "steel", "product": "steel", "against": "old", "source": "src-a", "confidence": "seen",
           "kind": "cost_parity", "unit": "USD/t", "value": 3.0, "threshold": 2.0}  # fmt: skip
    rows = [{**row, "technology": f"t{n:02d}"} for n in range(20)]
    figure = block(tipping.build(Context(make_plan(tipping_points=rows))), "Year of cost parity")
    assert str(figure.wide).count(">not on this path<") == tipping.MOST_IN_GROUP
    assert "12 technologies more" in str(figure.note)
    assert figure.data is not None
    assert len(figure.data.rows) == 20


def test_adoption_and_milestones(full: Context) -> None:
    section = tipping.build(full)
    adoption = block(section, "Adoption")
    assert [head.label for head in adoption.head[-2:]] == ["5\N{NO-BREAK SPACE}%", "10\N{NO-BREAK SPACE}%"]
    assert adoption.rows[0][-2:] == ("2027", "\N{EN DASH}")
    milestones = block(section, "Milestones")
    assert milestones.rows[0][2] == "2030"
    assert "2028" in milestones.rows[0]
    assert "1 are met" in str(section.lead[1])
    retrofits = block(section, "Retrofits")
    assert retrofits.rows[0][3:] == ("2025", "1 of 1")


# ---------------------------------------------------------------- abatement


def test_the_curve_is_ordered_and_sums(full: Context) -> None:
    section = abatement.build(full)
    figure = block(section, "Abatement cost curve, 2030")
    assert figure.data is not None
    assert [row[0] for row in figure.data.rows] == ["1", "2", "3", "\N{EN DASH}"]
    assert [row[5] for row in figure.data.rows[:3]] == ["\N{MINUS SIGN}20", "90", "120"]
    assert "1.03" in str(figure.data.note)  # 1.03 Mt: the line without technology counts
    assert "100\N{NO-BREAK SPACE}kt of that costs nothing" in str(section.lead[0])


def test_dear_tonnes_do_not_flatten_the_rest() -> None:
    rows = [{"co2e_t": 1e6, "usd_per_t": cost} for cost in (-10.0, 50.0)]
    rows.append({"co2e_t": 1e2, "usd_per_t": 9000.0})
    assert abatement._range(rows, sum(row["co2e_t"] for row in rows)) == (-10.0, 50.0)


def test_stranded_capital_in_words(full: Context, bare: Context) -> None:
    assert "$250\N{NO-BREAK SPACE}million" in prose(abatement.build(full))
    assert "No plant is given up" in prose(abatement.build(bare))


# ---------------------------------------------------------------- limits and budgets


def limit(
    name: str, year: int, value: float, used: float, shadow: float = 0.0, floor: bool = False
) -> dict[str, Any]:
    over = max(value - used, 0.0) if floor else max(used - value, 0.0)
    return {"limit": name, "year": year, "value": value, "used": used, "slack": 0.0, "violation": over,
            "shadow_price": shadow, "unit": "t/yr", "kind": "floor" if floor else "cap"}  # fmt: skip


def test_every_limit_has_a_strip_and_demand_that_is_met_has_none(make_plan: Callable[..., Any]) -> None:
    rows = [limit("store", y, 5.0, 5.0, 12.5 if y == 2025 else 0.0) for y in YEARS]
    rows += [limit("demand: steel", y, 5.0, 5.0, floor=True) for y in YEARS]
    section = binding.build(Context(make_plan(limits=rows)))
    assert "1 limit holds this path" in str(section.lead[0])
    figure = block(section, "Limits that bind")
    assert "Store" in str(figure.wide)
    assert "steel" not in str(figure.wide)
    assert figure.data is not None
    ((name, year, *_, worth),) = figure.data.rows
    assert (name, year) == ("Store", "2025")
    assert worth == "12.5 per t per year"
    assert "meets its demand in every year" in prose(section)


def test_unmet_demand_is_told_with_its_worst_year(make_plan: Callable[..., Any]) -> None:
    rows = [limit("demand: steel", y, 100.0, 100.0 - (y - 2023), floor=True) for y in YEARS]
    section = binding.build(Context(make_plan(limits=rows)))
    assert (
        "Steel: demand is not met in 7 years (2024 to 2030), at most by 7\N{NO-BREAK SPACE}t per year (7"
        in prose(section)
    )


def test_budgets_add_up_by_year(full: Context) -> None:
    grid = block(binding.build(full), "Emissions against budget")
    (figure,) = grid.figures
    assert figure.data is not None
    first = 1.3e6 - 1e5 * (2026 - 2022)
    assert float(figure.data.rows[0][1]) == pytest.approx(first / 1e6)
    assert float(figure.data.rows[-1][1]) == pytest.approx(sum(first - 1e5 * n for n in range(5)) / 1e6)


def test_a_declared_budget_leaves_out_the_rest_and_is_drawn_once(make_plan: Callable[..., Any]) -> None:
    budget = {"sector": "buildings", "budget": 1e7, "used": 0.0, "unit": "t CO2e", "first_year": 2026,
              "last_year": 2030, "source": "limit store (x)", "confidence": "seen"}  # fmt: skip
    rows = [limit("store", y, 5.0, 5.0) for y in YEARS]
    section = binding.build(Context(make_plan(budgets=[budget], limits=rows)))
    assert not block(section, "Emissions against budget").figures  # buildings are all rest
    assert not block(section, "Limits by year").figures


def test_regions_in_words() -> None:
    assert region("north-america") == "North America"
    assert region("cis") == "CIS"


def test_sections_do_not_change_what_they_read(make_plan: Callable[..., Any]) -> None:
    plan = make_plan()
    before = {name: frame.copy() for name, frame in plan.tables.items()}
    context = Context(replace(plan))
    for build in (tipping.build, abatement.build, binding.build):
        build(context)
    for name, frame in plan.tables.items():
        pd.testing.assert_frame_equal(frame, before[name])
