"""The words on roads, one by one, as OpenStreetMap's wiki defines them."""

from __future__ import annotations

import pytest

from cleanhub.freight.road_tags import directions, free_speed, road_class, speed_limit, trucks_allowed, words

SPEEDS = {"motorway": 88.0, "primary": 65.0, "residential": 30.0}


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        (None, []),
        (float("nan"), []),
        ("", []),
        ("motorway", ["motorway"]),
        (["motorway", "trunk"], ["motorway", "trunk"]),
        ("['motorway', 'trunk']", ["motorway", "trunk"]),
        ("[broken", ["[broken"]),
        ("[not python]", ["[not python]"]),
        ("50; 60", ["50", "60"]),
        (True, ["True"]),
    ],
)
def test_cells_hold_words(cell: object, found: list[str]) -> None:
    assert words(cell) == found


@pytest.mark.parametrize(
    ("cell", "kmh"),
    [
        ("80", 80.0),
        (80.0, 80.0),
        ("55 mph", 88.51392),
        ("55mph", 88.51392),
        ("50 km/h", 50.0),
        ("['50', '65 mph']", 50.0),
        ("60;40", 40.0),
        ("signals", None),
        ("none", None),
        ("RU:urban", None),
        ("0", None),
        ("-5", None),
        (None, None),
    ],
)
def test_speed_limits(cell: object, kmh: float | None) -> None:
    assert speed_limit(cell) == (None if kmh is None else pytest.approx(kmh))


def test_classes_lose_their_link() -> None:
    assert road_class("motorway_link") == "motorway"
    assert road_class(["primary", "secondary"]) == "primary"
    assert road_class(None) == ""


@pytest.mark.parametrize(
    ("tags", "kmh"),
    [
        ({"highway": "primary"}, 65.0),
        ({"highway": "primary", "maxspeed": "40"}, 40.0),
        ({"highway": "primary", "maxspeed": "40", "maxspeed:hgv": "30"}, 30.0),
        ({"highway": "motorway", "maxspeed": "120"}, 88.0),  # no truck goes faster than the fastest class
        ({"highway": "motorway", "maxspeed": "none"}, 88.0),
        ({"highway": "primary", "speed_kph": "47.5"}, 47.5),
        ({"highway": "goat_track"}, 70.0),
        ({}, 70.0),
    ],
)
def test_free_speed(tags: dict[str, object], kmh: float) -> None:
    assert free_speed(tags, SPEEDS, 70.0) == kmh


@pytest.mark.parametrize(
    ("tags", "allowed"),
    [
        ({}, True),
        ({"hgv": "no"}, False),
        ({"hgv": "designated", "access": "no"}, True),  # the more specific tag decides
        ({"hgv": "destination"}, True),
        ({"hgv": "yes", "motor_vehicle": "no"}, True),
        ({"motor_vehicle": "private"}, False),
        ({"vehicle": "no"}, False),
        ({"access": "private"}, False),
        ({"access": "yes"}, True),
        ({"access": "['yes', 'no']"}, False),
        ({"hgv": "NO"}, False),
        ({"hgv": None, "access": "no"}, False),
    ],
)
def test_who_may_use_a_road(tags: dict[str, object], allowed: bool) -> None:
    assert trucks_allowed(tags) is allowed


@pytest.mark.parametrize(
    ("tags", "ways"),
    [
        ({}, (True, True)),
        ({"oneway": "yes"}, (True, False)),
        ({"oneway": "True"}, (True, False)),
        ({"oneway": True}, (True, False)),
        ({"oneway": "1"}, (True, False)),
        ({"oneway": "-1"}, (False, True)),
        ({"oneway": "reverse"}, (False, True)),
        ({"oneway": "no"}, (True, True)),
        ({"highway": "motorway"}, (True, False)),  # implied
        ({"highway": "motorway", "oneway": "no"}, (True, True)),
        ({"highway": "motorway_link"}, (True, True)),  # not implied: tagged where it is
        ({"junction": "roundabout"}, (True, False)),
        ({"oneway": "alternating"}, (True, True)),
    ],
)
def test_directions(tags: dict[str, object], ways: tuple[bool, bool]) -> None:
    assert directions(tags) == ways
