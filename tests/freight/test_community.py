"""What people asked for: forbidden, first, by whom, and what a plan makes of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cleanhub.core.errors import FaultList, InputError
from cleanhub.freight.community import asked_of_sites, community_report
from cleanhub.freight.figures import Figures
from cleanhub.freight.problem import Grid, Sites, SitingPlan, SitingProblem
from cleanhub.hub.package import Hub

AS_OF = dt.date(2026, 6, 1)
LAT = np.array([34.0, 34.0, 34.0, 34.0])
LON = np.array([-118.0, -117.9, -117.5, -117.0])


def area(
    name: str, kind: str, lon: float, km: float = 12.0, who: str = "Town", **more: Any
) -> dict[str, Any]:
    about = {"area_id": name, "name": name.title(), "kind": kind, "lat": 34.0, "lon": lon, "radius_km": km}
    return about | {"asked_by": who, "source_id": "x", "confidence": "seen"} | more


@pytest.fixture
def figures(california: Hub) -> Figures:
    return Figures(california)


def plan_of(
    forbidden: list[bool], standing: list[float], opened: list[int], plugs: list[float]
) -> SitingPlan:
    """A plan of four sites and two years, with only what the report reads."""
    text, ones, whole = np.array(list("abcd"), dtype=object), np.ones(4), np.zeros(4, dtype=np.int64)
    sites = Sites(
        name=text,
        title=text,
        kind=text,
        lat=LAT,
        lon=LON,
        substation=whole,
        plug_kw=ones,
        plugs_most=ones,
        kwh_per_plug=ones,
        least_use=ones,
        open_plugs=np.array(standing),
        open_year=whole,
        earliest=whole,
        fixed_usd=ones,
        usd_per_plug=ones,
        usd_per_kwh=ones,
        yearly_share=ones,
        forbidden=np.array(forbidden),
        priority=ones,
        asked_by=text,
        disadvantaged=np.zeros(4, dtype=bool),
    )
    none, no = np.zeros(0), np.zeros(0, dtype=np.int64)
    table = np.zeros((0, 0))
    grid = Grid(text[:0], text[:0], none, none, none, text[:0], text[:0], table, table, no.reshape(0, 0))
    problem = SitingProblem(
        years=np.array([2028, 2030]),
        span=np.ones(2),
        trucks=np.zeros((0, 2)),
        wanted=np.zeros(2),
        kwh=none,
        km=none,
        co2e_t=none,
        pm_people=none,
        battery_kwh=np.ones(2),
        pair_group=no,
        pair_site=no,
        pair_kind=no,
        pair_extra_kwh=none,
        sites=sites,
        grid=grid,
        budget_usd=np.full(2, np.inf),
    )
    last = np.array(plugs)
    return SitingPlan(
        problem=problem,
        plugs=np.stack([np.array(standing), last], axis=1),
        opened=np.array(opened),
        tiers=np.zeros((0, 0), dtype=np.int64),
        delivered=np.zeros((0, 2)),
        served=np.zeros((0, 2)),
        capex_usd=np.zeros(2),
        grid_usd=np.zeros(2),
        objective=0.0,
        bound=0.0,
        gap=0.0,
        status="optimal",
    )


def test_areas_reach_the_sites_inside_them(hub_with: Callable[..., Hub], figures: Figures) -> None:
    hub = hub_with(
        community_areas=[area("first", "priority", -117.95, who="School"), area("never", "no_go", -117.0)]
    )
    asked = asked_of_sites(hub, figures, LAT, LON)
    factor = figures.value("community_priority")
    assert factor > 1
    assert asked.forbidden.tolist() == [False, False, False, True]
    assert asked.priority.tolist() == [factor, factor, 1.0, 1.0]
    assert asked.asked_by.tolist() == ["School", "School", "", "Town"]


def test_the_radius_decides(hub_with: Callable[..., Hub], figures: Figures) -> None:
    for km, inside in ((9.1, 0), (9.3, 1), (60.0, 3)):  # the sites lie 9.22 and 46.1 km from each other
        hub = hub_with(community_areas=[area("a", "no_go", -118.0, km)])
        assert asked_of_sites(hub, figures, LAT, LON).forbidden.sum() == 1 + inside - (inside == 3)


def test_a_no_go_area_wins_and_that_is_told(hub_with: Callable[..., Hub], figures: Figures) -> None:
    hub = hub_with(
        community_areas=[
            area("want", "priority", -118.0, who="Port"),
            area("not", "no_go", -118.0, 5.0, who="Neighbours"),
        ]
    )
    told = FaultList()
    asked = asked_of_sites(hub, figures, LAT, LON, AS_OF, told)
    assert asked.forbidden.tolist() == [True, False, False, False]
    assert asked.priority[0] == 1.0
    assert asked.asked_by[0] == "Neighbours"
    assert asked.asked_by[1] == "Port"
    assert any("priority and a no-go area" in note.what for note in told.notes)


def test_all_who_asked_are_named_once(hub_with: Callable[..., Hub], figures: Figures) -> None:
    rows = [area(name, "priority", -118.0, 1.0, who) for name, who in (("a", "X"), ("b", "Y"), ("c", "X"))]
    assert asked_of_sites(hub_with(community_areas=rows), figures, LAT, LON).asked_by[0] == "X; Y"


def test_what_is_asked_later_does_not_count_yet(hub_with: Callable[..., Hub], figures: Figures) -> None:
    rows = [area("later", "no_go", -118.0, asked_on=dt.date(2026, 6, 2))]
    rows.append(area("then", "no_go", -117.0, asked_on=dt.date(2026, 6, 1)))
    told = FaultList()
    asked = asked_of_sites(hub_with(community_areas=rows), figures, LAT, LON, AS_OF, told)
    assert asked.forbidden.tolist() == [False, False, False, True]
    assert [note.row for note in told.notes] == [2]
    assert asked_of_sites(hub_with(community_areas=rows), figures, LAT, LON).forbidden.sum() == 3


def test_an_area_without_sites_is_told(hub_with: Callable[..., Hub], figures: Figures) -> None:
    told = FaultList()
    asked = asked_of_sites(
        hub_with(community_areas=[area("sea", "no_go", -120.0)]), figures, LAT, LON, None, told
    )
    assert not asked.forbidden.any()
    assert "holds no candidate site" in told.notes[0].what


def test_every_bad_area_is_listed(hub_with: Callable[..., Hub], figures: Figures) -> None:
    rows = [area("a", "no_go", -118.0, 0.0), area("b", "priority", -118.0, who=" ")]
    with pytest.raises(InputError) as caught:
        asked_of_sites(hub_with(community_areas=rows), figures, LAT, LON)
    assert {(fault.row, fault.column) for fault in caught.value.faults} == {(2, "radius_km"), (3, "asked_by")}


def test_nobody_asked_anything(california: Hub, figures: Figures, hub_with: Callable[..., Hub]) -> None:
    asked = asked_of_sites(hub_with(community_areas=[]), figures, LAT, LON)
    assert not asked.forbidden.any()
    assert (asked.priority == 1).all()
    assert asked.asked_by.tolist() == [""] * 4
    empty = asked_of_sites(california, figures, [], [])
    assert empty.forbidden.shape == (0,)


def test_the_report_counts_what_the_plan_does(hub_with: Callable[..., Hub]) -> None:
    hub = hub_with(
        community_areas=[
            area("first", "priority", -117.95, who="School"),
            area("never", "no_go", -117.25, 25.0),
            area("sea", "priority", -121.0),
        ]
    )
    plan = plan_of(
        [False, False, True, True], [0.0, 4.0, 0.0, 6.0], [2030, 2028, 0, 0], [10.0, 9.0, 0.0, 6.0]
    )
    frame = community_report(hub, plan).set_index("area_id")
    assert frame.loc["first", ["sites", "standing", "opened", "refused"]].tolist() == [2, 1, 2, 0]
    assert frame.loc["first", "plugs"] == 10.0 + 5.0
    assert frame.loc["first", "first_year"] == 2028
    assert frame.loc["never", ["sites", "standing", "opened", "refused"]].tolist() == [2, 1, 0, 1]
    assert frame.loc["never", "first_year"] == 0
    assert frame.loc["sea", "sites"] == 0
    assert frame["asked_by"].tolist() == ["School", "Town", "Town"]


def test_the_report_of_no_areas_is_empty(hub_with: Callable[..., Hub]) -> None:
    frame = community_report(
        hub_with(community_areas=[]), plan_of([False] * 4, [0.0] * 4, [0] * 4, [0.0] * 4)
    )
    assert len(frame) == 0
    assert "refused" in frame.columns
