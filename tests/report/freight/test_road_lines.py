"""Roads as lines: merging, thinning, joining, and the box that is drawn."""

from __future__ import annotations

import itertools
import random
import re
from typing import Any

import pytest

from cleanhub.report import geo, palette, road_lines
from cleanhub.report.context import Context
from cleanhub.report.road_lines import Road


def row(
    arc: int, start: tuple[float, float], end: tuple[float, float], trucks: float, share: float
) -> dict[str, Any]:
    return {
        "arc_id": arc, "from_lon": start[0], "from_lat": start[1], "to_lon": end[0], "to_lat": end[1],
        "trucks_per_day": trucks, "ze_trucks_per_day": trucks * share, "licence": "ODbL-1.0",
    }  # fmt: skip


A, B, C = (-118.0, 34.0), (-118.0, 35.0), (-117.0, 34.0)


def test_both_directions_become_one_road() -> None:
    (road,) = road_lines.merged([row(0, A, B, 300.0, 0.5), row(1, B, A, 100.0, 0.1)])
    assert road.trucks == 400.0
    assert road.electric == pytest.approx(160.0)
    assert road.share_class == 2


def test_stretches_are_as_long_as_the_sphere_says() -> None:
    # pi/180 times the mean radius of 6371.0088 km; on a parallel it shrinks with the cosine
    along, across = road_lines.merged([row(0, A, B, 2.0, 0.0), row(1, A, C, 1.0, 0.0)])
    assert along.km == pytest.approx(111.195, abs=1e-3)
    assert across.km == pytest.approx(111.195 * 0.829038, rel=1e-4)


def test_empty_and_looping_arcs_are_left_out() -> None:
    rows = [row(0, A, A, 5.0, 0.0), row(1, A, B, 0.0, 0.0), row(2, A, C, 7.0, 0.0)]
    assert [road.trucks for road in road_lines.merged(rows)] == [7.0]


def test_order_of_the_rows_does_not_matter(freight: Context) -> None:
    rows = freight.rows("road_flow")
    assert road_lines.merged(rows) == road_lines.merged(rows[::-1])


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (0.19, 0), (0.2, 1), (0.99, 4), (1.0, 4)])
def test_shares_fall_into_five_equal_classes(share: float, expected: int) -> None:
    assert Road(A, B, 1.0, 100.0, 100.0 * share).share_class == expected


def test_wider_for_more_trucks() -> None:
    widths = [road_lines.width_of(trucks, 1000.0) for trucks in range(0, 1001, 10)]
    assert widths == sorted(widths)
    assert widths[-1] == 9.0
    assert road_lines.width_of(0.0, 0.0) == 0.5


def test_the_core_leaves_out_what_carries_little() -> None:
    near = [Road((x / 100, 0.0), ((x + 1) / 100, 0.0), 1.0, 100.0, 0.0) for x in range(100)]
    far = Road((50.0, 40.0), (51.0, 40.0), 1.0, 10.0, 0.0)
    (west, south), (east, north) = road_lines.core_points([*near, far], 0.03)
    assert 0.0 <= west < 0.05
    assert 0.95 < east <= 1.0
    assert south == north == 0.0
    assert road_lines.core_points([]) == []


def test_segments_in_a_row_become_one_run() -> None:
    points = [(float(i), float(i % 2)) for i in range(50)]
    segments = list(itertools.pairwise(points))
    random.Random(3).shuffle(segments)
    (run,) = road_lines.chains(segments)
    assert run in (points, points[::-1])


@pytest.mark.parametrize("seed", range(20))
def test_each_segment_is_drawn_once_and_no_other(seed: int) -> None:
    rng = random.Random(seed)
    found = set()
    for _ in range(rng.randint(1, 60)):
        start, end = ((float(rng.randint(0, 6)), float(rng.randint(0, 6))) for _ in range(2))
        if start != end:
            found.add(tuple(sorted((start, end))))
    runs = road_lines.chains(sorted(found))
    drawn = [tuple(sorted(pair)) for run in runs for pair in itertools.pairwise(run)]
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == found


def test_chains_do_not_depend_on_the_order() -> None:
    segments = [(((0.0, 0.0)), (1.0, 0.0)), ((1.0, 0.0), (1.0, 1.0)), ((1.0, 0.0), (2.0, 0.0))]
    assert road_lines.chains(segments) == road_lines.chains(segments[::-1])


def projection() -> geo.Projection:
    found = geo.fit([(-118.3, 33.7), (-117.5, 34.0)], 760.0)
    assert found is not None
    return found


def test_only_the_busiest_are_drawn_and_said(freight: Context) -> None:
    roads = road_lines.merged(freight.rows("road_flow"))
    every = road_lines.draw(roads, projection(), 10_000)
    few = road_lines.draw(roads, projection(), 40)
    assert every.known == few.known == len(roads) == 264
    assert few.drawn == 40
    assert every.drawn <= 264
    assert 0 < few.carried < every.carried <= 1.0
    top = sum(road.km * road.trucks for road in roads[:40]) / sum(road.km * road.trucks for road in roads)
    assert few.carried <= top + 1e-12
    assert len(few.svg) < len(every.svg)


def test_colours_and_widths_reach_the_paths(freight: Context) -> None:
    drawing = str(road_lines.draw(road_lines.merged(freight.rows("road_flow")), projection(), 500).svg)
    widths = {float(one) for one in re.findall(r"stroke-width:([\d.]+)", drawing)}
    assert max(widths) == 9.0
    assert palette.ELECTRIC[0].css in drawing
    assert palette.ELECTRIC[4].css in drawing
    assert "trucks a day, 0 to 20 % battery-electric" in drawing
    keys = re.findall(r"stroke:(var\([^)]*\));stroke-width:([\d.]+)", drawing)
    assert len(keys) == len(set(keys))  # one path for each colour and width


def test_nothing_is_drawn_of_nothing() -> None:
    lines = road_lines.draw([], projection(), 10)
    assert (str(lines.svg), lines.drawn, lines.known, lines.carried) == ("", 0, 0, 0.0)
