"""Chart forms of trucks and chargers: what stands where, and well-formed drawings."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree as ET

import pytest

from cleanhub.report.freight_charts import DayLine, ShareColumn, day_lines, share_columns

SVG = "{http://www.w3.org/2000/svg}"
COLUMNS = [
    ShareColumn(2025, 10.0, 20.0, 30.0, "grid", "red"),
    ShareColumn(2030, 40.0, 40.0, None, "nothing", "green"),
    ShareColumn(2035, 80.0, 90.0, 100.0, "range", "blue"),
]


def drawn(width: int, columns: list[ShareColumn]) -> ET.Element:
    return ET.fromstring(str(share_columns(width, "x", "Title & <more>", "About", columns)))


def height(rect: ET.Element) -> float:
    return float(rect.get("height", "nan"))


@pytest.mark.parametrize("width", [360, 760])
def test_columns_are_as_high_as_their_shares(width: int) -> None:
    root = drawn(width, COLUMNS)
    filled = [r for r in root.iter(f"{SVG}rect") if "fill:none" not in r.get("style", "")]
    framed = [r for r in root.iter(f"{SVG}rect") if "fill:none" in r.get("style", "")]
    assert [height(r) / height(filled[0]) for r in filled] == pytest.approx([1, 4, 8], rel=0.02)
    assert [height(r) / height(filled[0]) for r in framed] == pytest.approx([2, 4, 9], rel=0.02)


def test_the_most_is_a_bar_where_it_is_known() -> None:
    bars = [p for p in drawn(760, COLUMNS).iter(f"{SVG}path") if "stroke-width:3.2" in p.get("style", "")]
    assert len(bars) == 2


def test_words_where_there_is_room_else_letters() -> None:
    def said(width: int, columns: list[ShareColumn]) -> list[str]:
        return [
            t.text or "" for t in drawn(width, columns).iter(f"{SVG}text") if t.get("font-weight") == "600"
        ]

    assert said(760, COLUMNS) == ["grid", "nothing", "range"]
    many = [ShareColumn(2025 + i, 1.0, 2.0, None, "plugs", "red") for i in range(21)]
    assert said(360, many) == ["P"] * 21


@pytest.mark.parametrize("n", [1, 3, 11, 21, 40])
@pytest.mark.parametrize("width", [360, 760])
def test_years_never_overlap(n: int, width: int) -> None:
    columns = [ShareColumn(2020 + i, 1.0, 2.0, 3.0, "grid", "red") for i in range(n)]
    at = [
        float(t.get("x", "nan")) for t in drawn(width, columns).iter(f"{SVG}text")
        if re.fullmatch(r"20\d\d", t.text or "")
    ]  # fmt: skip
    assert at
    assert all(b - a >= 24 for a, b in itertools.pairwise(at))


def test_all_shares_zero_still_draw() -> None:
    root = drawn(360, [ShareColumn(2025, 0.0, 0.0, None, "cost", "red")])
    assert "NaN" not in ET.tostring(root, encoding="unicode")


def test_tooltips_say_every_number() -> None:
    text = str(share_columns(760, "x", "t", "d", COLUMNS))
    assert "2025: 10 % served, 20 % wanted, 30 % at most; binds: grid" in text


def test_day_lines_step_through_every_hour() -> None:
    line = DayLine("2035", tuple(float(h) for h in range(24)), "blue")
    root = ET.fromstring(str(day_lines(300, "y", "t", "d", [line], 12.0)))
    (path,) = [p for p in root.iter(f"{SVG}path") if "stroke:blue" in p.get("style", "")]
    steps = re.findall(r"V([\d.]+)H([\d.]+)", path.get("d", ""))
    assert len(steps) == 24
    ys = [float(y) for y, _ in steps]
    assert ys == sorted(ys, reverse=True)
    (level,) = [p for p in root.iter(f"{SVG}path") if "dasharray" in p.get("style", "")]
    found = re.match(r"M[\d.]+ ([\d.]+)H", level.get("d", ""))
    assert found is not None
    assert float(found[1]) == pytest.approx(ys[12], abs=0.11)


def test_no_level_no_dashes() -> None:
    text = str(day_lines(300, "y", "t", "d", [DayLine("a", (0.0,) * 24, "blue")]))
    assert "dasharray" not in text
    assert [label for label in ("0", "6", "12", "18", "24") if f">{label}</text>" not in text] == []
