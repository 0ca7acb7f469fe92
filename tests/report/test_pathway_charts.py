"""Cost curves, heat maps and spans: what is drawn where, and that nothing breaks on little data."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from cleanhub.report.pathway_charts import Cell, RowName, Span, Step, cost_curve, heat_map, spans

SVG = "{http://www.w3.org/2000/svg}"
AXES = ("Mt cut", "USD per t")


def parsed(drawing: str) -> ET.Element:
    return ET.fromstring(str(drawing))


def bars(drawing: str) -> list[dict[str, float]]:
    """Rectangles that carry a tooltip."""
    return [
        {key: float(one.attrib[key]) for key in ("x", "y", "width", "height")}
        for one in parsed(drawing).iter(f"{SVG}rect")
        if one.find(f"{SVG}title") is not None
    ]


def words(drawing: str) -> list[str]:
    return [one.text or "" for one in parsed(drawing).iter(f"{SVG}text")]


def steps(*pairs: tuple[float, float]) -> list[Step]:
    return [Step(amount, cost, "#123456", str(i + 1), f"step {i}") for i, (amount, cost) in enumerate(pairs)]


# ---------------------------------------------------------------- cost curve


def test_bars_are_as_wide_as_their_amount_and_as_high_as_their_cost() -> None:
    drawing = cost_curve(760, "c", "t", "d", steps((1, -50), (3, 25), (6, 100)), AXES, low=-50, high=100)
    one, two, three = bars(drawing)
    assert two["width"] / one["width"] == pytest.approx(3, rel=0.02)
    assert three["width"] / one["width"] == pytest.approx(6, rel=0.02)
    assert two["x"] == pytest.approx(one["x"] + one["width"], abs=0.2)
    assert three["height"] / two["height"] == pytest.approx(4, rel=0.02)
    floor = two["y"] + two["height"]
    assert one["y"] == pytest.approx(floor, abs=0.2)  # what saves money hangs below zero
    assert one["height"] / two["height"] == pytest.approx(2, rel=0.02)


def test_a_bar_beyond_the_axis_ends_there_and_is_hatched() -> None:
    drawing = cost_curve(760, "c", "t", "d", steps((1, 50), (1, 5000)), AXES, low=0, high=100)
    one, two = bars(drawing)
    assert two["height"] == pytest.approx(2 * one["height"], rel=0.02)
    assert 'class="hatch"' in str(drawing)
    assert 'class="hatch"' not in str(cost_curve(760, "c", "t", "d", steps((1, 50)), AXES, low=0, high=100))


def test_numbers_stand_on_bars_that_can_hold_them() -> None:
    shown = words(cost_curve(760, "c", "t", "d", steps((100, 50), (0.01, 60)), AXES, low=0, high=100))
    assert "1" in shown
    assert "2" not in shown
    assert AXES[0] in shown
    assert AXES[1] in shown


@pytest.mark.parametrize("width", [360, 760])
def test_one_bar_and_no_cost_at_all_are_drawn(width: int) -> None:
    for one in (steps((5, 0.0)), steps((5, -3.0)), steps((0.0, 4.0)), []):
        drawing = cost_curve(width, "c", "t", "d", one, AXES, low=0, high=0)
        assert "NaN" not in str(drawing)
        assert "nan" not in str(drawing)


# ---------------------------------------------------------------- heat map


def test_earlier_is_stronger_and_every_row_has_its_place() -> None:
    cells = {(0, 0): Cell("2025", 1.0), (0, 1): Cell("2045", 0.1), (1, 1): Cell("–", None)}
    rows = [RowName("wind", "Power"), RowName("sun", "Power")]
    drawing = str(heat_map(760, "h", "t", "d", rows, ["North", "South"], cells, "#00f"))
    strengths = [float(one) for one in re.findall(r"fill-opacity:([0-9.]+)", drawing)]
    assert strengths[0] > strengths[1]
    assert words(drawing).count("Power") == 1
    assert {"wind", "sun", "North", "South", "2025", "2045", "–"} <= set(words(drawing))


def test_a_year_is_shortened_in_a_narrow_cell() -> None:
    columns = [f"region {n}" for n in range(13)]
    cells = {(0, n): Cell("2031", 0.5) for n in range(13)}
    narrow = words(heat_map(360, "h", "t", "d", [RowName("a")], columns, cells, "#00f"))
    assert narrow.count("\N{RIGHT SINGLE QUOTATION MARK}31") == 13
    wide = words(heat_map(900, "h", "t", "d", [RowName("a")], columns, cells, "#00f"))
    assert wide.count("2031") == 13


def test_what_does_not_last_is_hatched_and_told_in_words() -> None:
    cells = {(0, 0): Cell("2031", 0.5, hatched=True, about="lost in 2040")}
    drawing = str(heat_map(760, "h", "t", "d", [RowName("a")], ["x"], cells, "#00f"))
    assert 'class="hatch"' in drawing
    assert "<title>lost in 2040</title>" in drawing


def test_an_empty_map_is_a_drawing() -> None:
    assert parsed(heat_map(360, "h", "t", "d", [], [], {}, "#00f")).tag == f"{SVG}svg"


def test_awkward_names_are_escaped() -> None:
    drawing = str(heat_map(760, "h", "t", "d", [RowName("<b>", "a & b")], ["<i>"], {}, "#00f"))
    assert "<b>" not in drawing
    assert "a &amp; b" in drawing


# ---------------------------------------------------------------- spans


def test_a_span_runs_from_its_year_to_the_end() -> None:
    rows = [
        Span(RowName("early", "Steel"), 2025, None, "a"),
        Span(RowName("late", "Steel"), 2045, None, "b"),
        Span(RowName("lost", "Cement"), 2025, 2030, "c"),
        Span(RowName("never", "Cement"), None, None, "d"),
    ]
    drawing = spans(760, "s", "t", "d", (2025, 2049), rows, "#00f")
    early, late, lost = bars(drawing)
    assert early["width"] == pytest.approx(5 * late["width"], rel=0.02)
    assert early["x"] + early["width"] == pytest.approx(late["x"] + late["width"], abs=0.2)
    assert lost["width"] == pytest.approx(late["width"], rel=0.02)
    assert 'class="hatch"' in str(drawing)
    assert {"Steel", "Cement", "not on this path", "2025", "2045"} <= set(words(drawing))


@pytest.mark.parametrize("width", [360, 760])
def test_spans_without_rows_and_of_one_year(width: int) -> None:
    assert parsed(spans(width, "s", "t", "d", (2025, 2050), [], "#00f")).tag == f"{SVG}svg"
    one = spans(width, "s", "t", "d", (2030, 2030), [Span(RowName("a"), 2030, None, "a")], "#00f")
    assert len(bars(one)) == 1


def test_equal_input_gives_equal_bytes() -> None:
    rows = [Span(RowName("a", "b"), 2030, None, "c")]
    assert spans(360, "s", "t", "d", (2025, 2050), rows, "#00f") == spans(
        360, "s", "t", "d", (2025, 2050), rows, "#00f"
    )
