"""Segments: what is compared with what."""

from __future__ import annotations

import numpy as np
from problems import Fleet, Market, Plant, Tech, build_problem

from cleanhub.pathways.segments import build_segments, reachable

OLD = Tech("old", direct=2.0)
BETTER = Tech("better", direct=1.5)
CLEAN = Tech("clean", direct=0.1)
DIRTY = Tech("dirty", direct=3.0)


def names(problem, positions) -> list[str]:
    return list(problem.tech.names[positions])


def test_options_are_reached_in_any_number_of_steps_and_only_cleaner_ones_count() -> None:
    problem = build_problem(
        [OLD, BETTER, CLEAN, DIRTY],
        [Plant("old")],
        switches={("old", "better"): "retrofit", ("better", "clean"): "rebuild", ("old", "dirty"): "rebuild"},
    )
    (one,) = build_segments(problem)
    assert problem.tech.names[one.incumbent] == "old"
    assert names(problem, one.options) == ["better", "clean"]
    assert not one.is_vehicles
    assert one.load == 1.0


def test_the_incumbent_holds_most_capacity_not_most_plants() -> None:
    problem = build_problem([OLD, DIRTY], [Plant("old", 1.0), Plant("old", 1.0), Plant("dirty", 5.0)])
    (one,) = build_segments(problem)
    assert problem.tech.names[one.incumbent] == "dirty"


def test_a_later_class_is_cleaner_though_it_emits_the_same_here() -> None:
    grid = Tech("grid", direct=1.0)
    contracted = Tech("contracted", direct=1.0)
    problem = build_problem([grid, contracted], [Plant("grid")], switches={("grid", "contracted"): "rebuild"})
    assert not len(build_segments(problem)[0].options)
    (one,) = build_segments(problem, np.array([0, 1]))
    assert names(problem, one.options) == ["contracted"]
    (none,) = build_segments(problem, np.array([1, 0]))
    assert not len(none.options)


def test_a_market_offers_what_no_switch_reaches_and_sets_the_load() -> None:
    problem = build_problem(
        [OLD, CLEAN], [Plant("old")], markets=[Market(demand=1.0, offered=["old", "clean"], high=0.9)]
    )
    (one,) = build_segments(problem)
    assert names(problem, one.options) == ["clean"]
    assert one.load == 0.9


def test_a_market_without_a_plant_and_without_a_usual_technology_has_no_incumbent() -> None:
    problem = build_problem([OLD, CLEAN], markets=[Market(demand=1.0, offered=["old", "clean"])])
    (one,) = build_segments(problem)
    assert one.incumbent == -1
    assert names(problem, one.options) == ["old", "clean"]


def test_regions_stand_apart() -> None:
    markets = [Market("steel", region=0), Market("steel-there", region=1)]
    problem = build_problem(
        [OLD, CLEAN],
        [Plant("old", market="steel"), Plant("clean", market="steel-there")],
        markets=markets,
        regions=("here", "there"),
    )
    assert [(s.sector, s.region) for s in build_segments(problem)] == [("steel", 0), ("steel-there", 1)]


def test_a_vehicle_class_is_a_segment_and_classes_of_one_incumbent_share_it() -> None:
    options = [
        Tech("diesel", vehicle=True, direct=1.0, sector="trucking", product="distance"),
        Tech("battery", vehicle=True, sector="trucking", product="distance"),
    ]
    fleets = [Fleet(("diesel", "battery"), 10.0, name=name) for name in ("port", "long haul")]
    problem = build_problem(options, fleets=fleets)
    (one,) = build_segments(problem)
    assert one.vehicles == (0, 1)
    assert one.is_vehicles
    assert names(problem, one.options) == ["battery"]


def test_a_plant_without_a_technology_is_in_no_segment() -> None:
    problem = build_problem([OLD], [Plant("", intensity=1.0)])
    assert build_segments(problem) == []


def test_nothing_at_all_has_no_segments() -> None:
    assert build_segments(build_problem([OLD], markets=[])) == []


def test_reach_stops_and_knows_circles() -> None:
    kinds = np.array([[0, 1, 0], [1, 0, 2], [0, 0, 0]])
    expected = np.array([[True, True, True], [True, True, True], [False, False, False]])
    np.testing.assert_array_equal(reachable(kinds), expected)
