"""The SVG writer, the charts, the projection and the palette."""

from __future__ import annotations

import itertools
import math
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.report import charts, geo, palette, svg
from cleanhub.report.charts import Bar, Bubble, Marker, Series

NAME = "{http://www.w3.org/2000/svg}"


def boxes(drawing: str) -> list[dict[str, str]]:
    return [dict(node.attrib) for node in ET.fromstring(drawing).iter(f"{NAME}rect")]


def test_text_and_attributes_are_escaped() -> None:
    assert svg.tag("text", "<&", data_x='"') == '<text data-x="&#34;">&lt;&amp;</text>'


def test_elements_nest_without_being_escaped_twice() -> None:
    assert svg.tag("g", svg.tag("path", d="M0 0")) == '<g><path d="M0 0"/></g>'


@pytest.mark.parametrize(("value", "shown"), [(1.0, "1"), (1.25, "1.2"), (-0.01, "0"), (10.06, "10.1")])
def test_coordinates_have_one_decimal(value: float, shown: str) -> None:
    assert svg.fixed(value) == shown


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_hold_the_range_and_rise(low: float, span: float) -> None:
    span = max(span, abs(low) * 1e-6)  # nearer to each other than doubles can tell is no range
    high = low + span
    found = svg.ticks(low, high)
    if high > low:
        assert found[0] <= low + span * 1e-6
        assert found[-1] >= high - span * 1e-6
    assert all(a < b for a, b in itertools.pairwise(found))
    assert len(found) <= 9


def test_ticks_of_nothing() -> None:
    assert svg.ticks(3, 3) == [3, 4]


@given(st.integers(1990, 2030), st.integers(0, 60), st.floats(50, 800))
def test_year_ticks_fit_their_room(first: int, more: int, room: float) -> None:
    found = svg.year_ticks(first, first + more, room)
    assert found
    assert len(found) * 44 <= room or len(found) == 1


def test_labels_wrap_and_are_cut() -> None:
    assert svg.wrap("one two three", 7) == ["one two", "three"]
    assert svg.wrap("x" * 40, 10, 1)[0].endswith("…")


def test_stack_of_columns_adds_up() -> None:
    series = [Series("a", (1.0, 2.0), "red"), Series("b", (3.0, -1.0), "blue")]
    drawing = charts.stacked_columns(400, "f", "t", "d", [2020, 2021], series)
    first_a, _, first_b, second_b = boxes(drawing)
    assert float(first_b["height"]) == pytest.approx(3 * float(first_a["height"]), abs=0.2)
    assert float(first_b["y"]) + float(first_b["height"]) == pytest.approx(float(first_a["y"]), abs=0.2)
    assert float(second_b["y"]) == pytest.approx(float(first_a["y"]) + float(first_a["height"]), abs=0.2)


def test_areas_draw_negative_parts_below_zero() -> None:
    series = [Series("up", (2.0, 2.0), "red"), Series("down", (-1.0, -1.0), "blue", hatched=True)]
    drawing = charts.stacked_areas(400, "f", "t", "d", [2020, 2030], series, divide=2020)
    assert "−1" in drawing
    assert 'fill="url(#f-hatch)"' in drawing
    assert 'id="f-hatch"' in drawing


def test_one_year_is_drawn_as_a_column() -> None:
    drawing = charts.stacked_areas(400, "f", "t", "d", [2022], [Series("a", (5.0,), "red")])
    assert len(boxes(drawing)) == 1


def test_markers_widen_the_scale_and_carry_their_letter() -> None:
    series = [Series("a", (5.0, 5.0), "red")]
    drawing = charts.stacked_areas(
        400,
        "f",
        "t",
        "d",
        [2020, 2030],
        series,
        markers=[Marker("A", 2030, 90.0), Marker("B", 2020, 1.0, True)],
    )
    texts = [node.text for node in ET.fromstring(drawing).iter(f"{NAME}text")]
    assert {"A", "B", "100"} <= set(texts)


@pytest.mark.parametrize("width", [charts.WIDE, charts.NARROW])
def test_horizontal_bars_stay_inside(width: int) -> None:
    bars = [
        Bar("A very long label indeed for a sector", "9 Mt", ((9.0, "red", ""), (0.0, "red", "hatch"))),
        Bar("B", "3 Mt", ((1.0, "red", "hatch"), (2.0, "red", "light")), mark=8.0),
    ]
    drawing = charts.horizontal_bars(width, "f", "t", "d", bars)
    for box in boxes(drawing):
        assert float(box["x"]) + float(box["width"]) <= width


def test_bars_of_zero_do_not_fail() -> None:
    drawing = charts.horizontal_bars(400, "f", "t", "d", [Bar("a", "0", ((0.0, "red", ""),))])
    assert not boxes(drawing)


def test_the_area_of_a_bubble_is_its_value() -> None:
    dots = [Bubble("r", 2020, 4.0, "1", "red", "x"), Bubble("r", 2025, 1.0, "1", "red", "x")]
    drawing = charts.bubbles(760, "f", "t", "d", ["r"], (2019, 2030), dots)
    large, small = [float(node.attrib["r"]) for node in ET.fromstring(drawing).iter(f"{NAME}circle")]
    assert (large / small) ** 2 == pytest.approx(4, rel=0.05)


def test_a_broken_limit_is_hatched_and_a_missing_one_leaves_a_gap() -> None:
    drawing = charts.limit_panel(
        300,
        "f",
        "t",
        "d",
        [2020, 2021, 2022],
        [1.0, None, 2.0],
        [0.5, 0.4, 3.0],
        [0, 0, 1.0],
        ("blue", "red"),
    )
    step = next(n.attrib["d"] for n in ET.fromstring(drawing).iter(f"{NAME}path") if "H" in n.attrib["d"])
    assert step.count("M") == 2
    assert 'class="hatch"' in drawing


def test_every_drawing_names_itself() -> None:
    root = ET.fromstring(
        charts.stacked_columns(400, "f", "A <title>", "d", [2020], [Series("a", (1.0,), "red")])
    )
    ids = {node.attrib["id"]: node.text for node in root if "id" in node.attrib}
    assert [ids[one] for one in root.attrib["aria-labelledby"].split()] == ["A <title>", "d"]


def test_the_projection_keeps_shape_at_mid_latitude() -> None:
    projection = geo.fit([(-120.0, 34.0), (-118.0, 38.0)], 800)
    assert projection is not None
    x0, y0 = projection(-119.0, 36.0)
    x1, _ = projection(-118.0, 36.0)
    _, y1 = projection(-119.0, 37.0)
    assert (x1 - x0) / (y0 - y1) == pytest.approx(math.cos(math.radians(36)), rel=1e-6)
    assert projection.holds(-120, 38)
    assert not projection.holds(-130, 36)


def test_one_point_alone_can_be_mapped() -> None:
    projection = geo.fit([(10.0, 50.0)], 800)
    assert projection is not None
    assert projection.holds(10, 50)
    assert projection.height > 0


def test_no_point_no_map() -> None:
    assert geo.fit([], 800) is None


def test_shapes_other_than_polygons_are_left_out() -> None:
    assert geo.rings({"type": "Point", "coordinates": [1, 2]}) == []


def test_every_sector_of_the_codelist_has_a_colour_of_its_own_group() -> None:
    named = [sector for group in palette.GROUPS for sector in group.sectors]
    assert len(named) == len(set(named))
    assert palette.group_of("something new").key == "other"


def test_colours_are_distinct_and_defined_for_both_papers() -> None:
    for dark in (False, True):
        shown = palette.css_variables(dark=dark).split(";")[:-1]
        assert len({one.split(":")[0] for one in shown}) == len(shown)
    lights = [group.colour.light for group in palette.GROUPS]
    assert len(set(lights)) == len(lights)


def test_the_incumbent_is_grey_and_others_keep_their_order() -> None:
    found = palette.category_colours(["b", "a", "c"], "a")
    assert found["a"] == palette.INCUMBENT
    assert found["b"] == palette.CATEGORIES[0]
    assert found["c"] == palette.CATEGORIES[1]


def test_a_hatch_is_lines_inside_its_rectangle_that_join_those_of_its_neighbour() -> None:
    def ends(drawn: str) -> list[tuple[float, float]]:
        return [(float(x), float(y)) for x, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", str(drawn))]

    left, right = ends(svg.hatched(3, 5, 20, 11)), ends(svg.hatched(23, 5, 20, 11))
    for points, low in ((left, 3), (right, 23)):
        assert all(low <= x <= low + 20 for x, _ in points)
        assert all(5 <= y <= 16 for _, y in points)
        assert all(abs((x + y) / 6 - round((x + y) / 6)) < 1e-6 for x, y in points)
    assert {point for point in left if point[0] == 23} == {point for point in right if point[0] == 23}
    assert len(left) == 2 * 5  # x + y = 12, 18, 24, 30, 36
    assert svg.hatched(0.5, 0.5, 1, 1) == ""
