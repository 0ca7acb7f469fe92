"""The section of trucks and chargers: what it says, what it leaves out, and how large it gets."""

from __future__ import annotations

import csv
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cleanhub.report import charging, freight_map, labels, write
from cleanhub.report.blocks import Figure, Grid, Table
from cleanhub.report.context import Context
from cleanhub.report.sections import freight, freight_community, freight_grid, freight_sites, method

_SPEC = importlib.util.spec_from_file_location(
    "report_test_write", Path(__file__).parents[1] / "test_write.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
_WRITE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_WRITE)
Page = _WRITE.Page


def cells(table: Table, column: int) -> list[str]:
    return [re.sub(r"<[^>]*>", " ", str(row[column])).strip() for row in table.rows]


def test_no_section_where_nothing_is_said_of_charging(make_plan: Callable[..., Any]) -> None:
    plan = make_plan()
    assert freight.build(Context(plan)) is None
    text = write.render(plan)
    assert 'id="freight"' not in text
    assert "OpenStreetMap" not in text


def test_the_lead_says_share_bound_and_power(freight: Context) -> None:
    text = Page(write.render(freight.plan)).text
    assert (
        "In 2025, 100 of 1,000 drayage truck-days run on chargers (10 %); in 2035, 600 of 1,000 (60 %)."
        in text
    )
    assert (
        "What would keep more from it: grid in 5 years between 2025 and 2032; plugs in 2028, 2029; "
        "cost in 2031; range in 2033." in text
    )
    assert "The plan opens 12 charging sites with 78 MW of plugs, 2027 to 2035." in text


def test_weak_power_wears_the_badge(freight: Context, make_freight: Callable[..., Any]) -> None:
    # sites 7 to 12 are assumed: 57 of 81 MW with the open one
    badge = section_module().illustrative(freight)
    assert badge is not None
    assert "70\u00a0%" in badge
    firm = [{**row, "confidence": "seen"} for row in freight.rows("chargers")]
    assert section_module().illustrative(Context(make_freight(chargers=firm))) is None


def section_module() -> Any:
    from cleanhub.report.sections import freight as module

    return module


def test_nothing_binding_is_said_so() -> None:
    rows = [{"year": 2030, "binds": "nothing"}]
    assert section_module().binding_sentence(rows).startswith("Nothing binds")


def test_the_share_figure_holds_its_data(freight: Context) -> None:
    figure = section_module().share_figure(freight)
    assert figure.data is not None
    assert len(figure.data.rows) == 11
    assert figure.data.rows[0][1:7] == ("1,000", "160", "100", "250", "10 %", "grid")
    assert figure.data.rows[-1][8] == "22"  # MW: 2,000 kW times 11
    assert {str(key.label).split(":")[0] for key in figure.legend} >= {"Served; grid binds", "Wanted"}


def test_the_most_is_left_out_where_it_is_not_known(make_freight: Callable[..., Any]) -> None:
    rows = [{**row, "most": None} for row in Context(make_freight()).rows("truck_charging")]
    figure = section_module().share_figure(Context(make_freight(truck_charging=rows)))
    assert "stroke-width:3.2" not in str(figure.wide)
    assert not any("most" in str(key.label) for key in figure.legend)
    assert "Heavy bar" not in str(figure.note)


def test_lifting_is_told_as_a_difference_and_never_below_zero(make_freight: Callable[..., Any]) -> None:
    context = Context(make_freight())
    table = section_module().lifted_table(context)
    assert table.rows[0][4:] == ("0", "10", "40", "–")
    rows = [{**row, "without_grid": 1.0} for row in context.rows("truck_charging")]
    low = section_module().lifted_table(Context(make_freight(truck_charging=rows)))
    assert {row[6] for row in low.rows} == {"0"}


def test_phases_add_up(freight: Context) -> None:
    table = freight_sites.phase_table(freight)
    assert cells(table, 0) == [
        "Open already", "Phase 1, 2027 to 2029", "Phase 2, 2030 to 2032", "Phase 3, 2033 to 2035",
        "All that the plan opens",
    ]  # fmt: skip
    megawatts = [float(cell) for cell in cells(table, 3)]
    assert megawatts[-1] == 78.0 == sum(megawatts[1:-1])
    assert [int(cell) for cell in cells(table, 1)][-1] == 12
    assert float(cells(table, 5)[-1]) == 78.0


def test_the_table_of_sites_is_cut_and_says_so(freight: Context) -> None:
    whole = freight_sites.site_table(freight)
    assert len(whole.rows) == 13
    assert "more in" not in whole.note
    cut = freight_sites.site_table(freight, 5)
    assert len(cut.rows) == 5
    assert "8 more in the plan's table chargers." in str(cut.note)
    assert cells(whole, 2)[0] == "open"
    assert cells(whole, 9).count("Fixture neighbours") == 1
    assert "disadvantaged tract" in " ".join(cells(whole, 1))


def test_use_is_drawn_for_the_sites_that_deliver_most(
    freight: Context, make_freight: Callable[..., Any]
) -> None:
    figure = freight_sites.use_figure(freight)
    assert figure.year == "2035"
    assert figure.data is not None
    assert len(figure.data.rows) == 12
    assert figure.data.rows[0][3] == "90"  # hour 2
    many = [
        {"site_id": f"fixture-{i % 13}", "year": year, "hour": h, "kw": 1.0 * (i % 13), "utilisation": 0.1}
        for i in range(13) for h in range(24) for year in (2030, 2035)
    ]  # fmt: skip
    more = freight_sites.use_figure(Context(make_freight(site_use=many)))
    assert more.data is not None
    assert len(more.data.rows) == 13


def test_capital_by_payer_and_item_agree(freight: Context) -> None:
    figure, table = freight_sites.capital_figure(freight), freight_sites.capital_table(freight)
    assert figure.data is not None
    assert [row[-1] for row in figure.data.rows] == ["10"] * 9
    assert "$90\u00a0million in all" in str(figure.note)
    assert cells(table, 4) == ["18", "36", "36", "90"]
    assert [head.label for head in table.head[1:4]] == [
        "Owners of the sites", "The utility and its customers", "Grants and vouchers",
    ]  # fmt: skip


def test_loads_of_substations_by_year(freight: Context) -> None:
    table = freight_grid.load_table(freight)
    assert cells(table, 0) == ["Fixture North", "Fixture South", "Fixture east"]
    assert table.rows[0][1:] == ("3", "9", "12", "18", "24", "27", "33")
    assert "7 of 11 years shown" in str(table.note)
    cut = freight_grid.load_table(freight, 1)
    assert "2 smaller ones" in str(cut.note)


def test_day_shapes_show_the_room_where_works_state_it(freight: Context) -> None:
    grid = freight_grid.load_grid(freight)
    assert [figure.title for figure in grid.figures] == ["Fixture North", "Fixture South", "Fixture east"]
    dashed = ["dasharray" in str(figure.wide) for figure in grid.figures]
    assert dashed == [True, True, False]
    assert "In 2035 the peak is 33 MW at 2:00." in str(grid.figures[0].wide)
    assert len(freight_grid.load_grid(freight, 1).figures) == 1


def test_works_name_start_ready_and_confidence(freight: Context) -> None:
    table = freight_grid.works_table(freight)
    assert cells(table, 5) == ["2026", "2027", "2027"]
    assert cells(table, 8) == ["seen", "assumed", "assumed"]
    assert "3 pieces of works, 48 MW, $42\u00a0million" in str(table.note)


def test_assumptions_are_said(freight: Context) -> None:
    prose = " ".join(str(point) for point in section_module().assumptions(freight).points)
    for said in (
        "Headroom of the 2 substations with works: assumed 1, seen 1.",
        "follows from the voltage alone",
        "6 of 12 planned sites are chosen in at least half of the tests",
        "differ by at most 0.4\u00a0%",
        "© OpenStreetMap contributors, ODbL",
    ):
        assert said in prose


def test_areas_say_what_the_plan_does_there(freight: Context, make_freight: Callable[..., Any]) -> None:
    table = freight_community.area_table(freight)
    answers = dict(zip(cells(table, 0), cells(table, 4), strict=True))
    assert answers == {
        "Fixture harbour side": "1 site, 3 MW, the first in 2028",
        "Fixture school": "no site, as asked",
    }
    row = next(dict(r) for r in freight.rows("chargers") if r["site_id"] == "fixture-3")
    moved = Context(make_freight(chargers=[{**row, "lat": 33.0, "lon": -117.0}]))
    answers = dict(zip(cells(table, 0), cells(freight_community.area_table(moved), 4), strict=True))
    assert answers["Fixture school"].startswith("against what was asked: 1 site")
    assert answers["Fixture harbour side"] == "no site yet"


def test_the_method_no_longer_says_there_is_no_siting(freight: Context, filled_plan: Any) -> None:
    def told(context: Context) -> str:
        return " ".join(
            str(p) for block in method.build(context).blocks for p in getattr(block, "points", ())
        )

    assert "There is no siting yet" in told(Context(filled_plan))
    assert "There is no siting yet" not in told(freight)
    assert "candidates found by rule" in told(freight)


# ---------------------------------------------------------------- the page as a whole


def test_the_page_is_well_formed_and_safe(freight_plan: Any, nasty: str) -> None:
    for name in ("chargers", "grid_upgrades"):
        freight_plan.tables[name].loc[1, "name"] = nasty
    freight_plan.tables["chargers"].loc[2, "asked_by"] = nasty
    text = write.render(freight_plan)
    page = Page(text)
    assert not page.faults
    assert not page.open
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert nasty not in text
    assert text.count("<script") == 1


def test_row_order_does_not_matter(make_freight: Callable[..., Any]) -> None:
    shuffled = make_freight()
    for name, frame in shuffled.tables.items():
        shuffled.tables[name] = frame.iloc[::-1].reset_index(drop=True)
    assert write.render(shuffled) == write.render(make_freight())


@pytest.mark.parametrize("table", charging.TABLES)
def test_any_table_of_charging_may_be_empty(table: str, make_freight: Callable[..., Any]) -> None:
    page = Page(write.render(make_freight(**{table: []})))
    assert not page.faults
    assert "nan" not in page.text.lower().split()


@pytest.mark.parametrize("table", charging.TABLES)
def test_any_table_of_charging_may_stand_alone(table: str, make_freight: Callable[..., Any]) -> None:
    others = {name: [] for name in charging.TABLES if name != table}
    page = Page(write.render(make_freight(**others)))
    assert not page.faults
    assert "Trucks that can charge, and where" in page.text


def test_every_figure_says_unit_year_and_source_and_holds_data(freight: Context) -> None:
    section = section_module().build(freight)
    figures = [
        one for block in section.blocks for one in (block.figures if isinstance(block, Grid) else (block,))
    ]
    figures = [one for one in figures if isinstance(one, Figure)]
    assert len(figures) == 4 + 3
    for figure in figures:
        assert figure.unit, figure.title
        assert figure.year, figure.title
        assert figure.source, figure.title
        assert figure.data is not None, figure.title
        assert "<desc" in str(figure.wide)


# ---------------------------------------------------------------- maps


def test_the_map_carries_its_attribution_on_itself(freight: Context) -> None:
    figure = freight_map.figure(freight)
    assert "© OpenStreetMap contributors, ODbL" in str(figure.wide)
    narrow = re.sub(r"<[^>]*>", " ", str(figure.narrow))
    assert "OpenStreetMap" in re.sub(r"\s+", " ", narrow)
    assert "© OpenStreetMap contributors, ODbL" in str(figure.source)
    assert "of 264 stretches of road" in str(figure.note)


def test_sites_are_as_large_as_their_power(freight: Context) -> None:
    sites = charging.sites(freight)
    by_name = {str(site.row["site_id"]): site for site in sites}
    large = freight_map.site_radius(by_name["fixture-12"], sites, 15.0)
    small = freight_map.site_radius(by_name["fixture-3"], sites, 15.0)
    assert large == 15.0
    assert small == pytest.approx(7.5)
    colours = {freight_map.phase_colour(site) for site in sites}
    assert len(colours) == 4


def test_sites_far_off_are_left_off_the_port_map(make_freight: Callable[..., Any], freight: Context) -> None:
    rows = [dict(row) for row in freight.rows("chargers")]
    rows[3] |= {"lat": 40.0, "lon": -122.0}
    drawing = str(freight_map.figure(Context(make_freight(chargers=rows))).wide)
    assert drawing.count("<circle") == 12
    assert "12 charging sites" in drawing


def test_without_roads_sites_are_drawn_and_without_both_nothing(make_freight: Callable[..., Any]) -> None:
    alone = freight_map.figure(Context(make_freight(road_flow=[])))
    assert str(alone.wide).count("<circle") == 13
    assert "OpenStreetMap" not in str(alone.wide) + str(alone.source)
    assert freight_map.figure(Context(make_freight(road_flow=[], chargers=[]))).empty


def test_the_map_of_the_hub_has_both_layers(freight_plan: Any) -> None:
    freight_plan.hub.shapes = None  # the extent then is that of sites, projects and infrastructure
    freight_plan.hub.tables["infrastructure"].loc[0, "lat"] = 33.5
    text = write.render(freight_plan)
    drawing = text[text.index('<svg id="map-svg"') : text.index('<div class="tip"')]
    assert drawing.count('data-layer="flow"') == 1
    assert 'data-layer="charging"' in drawing
    assert "OpenStreetMap contributors" in re.sub(r"<[^>]*>", " ", drawing)
    assert 'value="flow"' in text
    assert 'value="charging"' in text


def test_a_large_network_stays_small(make_freight: Callable[..., Any], freight: Context) -> None:
    side = 60
    rows = [
        {"arc_id": n, "from_lat": 33.7 + 0.005 * i, "from_lon": -118.3 + 0.01 * j,
         "to_lat": 33.7 + 0.005 * (i + di), "to_lon": -118.3 + 0.01 * (j + dj),
         "trucks_per_day": 1.0 + (7 * i + 3 * j) % 50, "ze_trucks_per_day": (i + j) % 2, "licence": "ODbL"}
        for n, (i, j, di, dj) in enumerate(
            (i, j, di, dj) for i in range(side) for j in range(side) for di, dj in ((1, 0), (0, 1)))
    ]  # fmt: skip
    figure = freight_map.figure(Context(make_freight(road_flow=rows)))
    assert "the busiest 3,000 of 7,200 stretches" in str(figure.note)
    assert len(str(figure.wide)) < 120_000
    assert len(str(figure.narrow)) < 60_000


def test_every_code_of_the_vocabulary_has_words_and_a_colour(repo_root: Path) -> None:
    path = repo_root / "src" / "cleanhub" / "library" / "codelists.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    def codes(name: str) -> set[str]:
        return {row["code"] for row in rows if row["list"] == name}

    assert codes("charging_bound") == {word for word, _, _ in freight.BOUNDS}
    assert len({colour for _, colour, _ in freight.BOUNDS}) == len(freight.BOUNDS)
    for name, words in (
        ("charging_site_kind", labels.charging_site),
        ("charging_payer", labels.payer),
        ("charging_capital_item", labels.charging_item),
        ("grid_tier", labels.words),
    ):
        said = {words(code) for code in codes(name)}
        assert len(said) == len(codes(name)) > 0
        assert not any("_" in one for one in said)
