"""Announced projects from memory: what a change leaves as it was is remembered, and all is as if computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest

import cleanhub as ch
from cleanhub.core.memory import VARIABLE, Memory, remembering
from cleanhub.finance.valuations import valuations_table
from cleanhub.hub.library import Library
from cleanhub.hub.scenario import Scenario, load_scenario
from cleanhub.planning.announced import Announced, announced_projects
from cleanhub.planning.valued import CASE_LIBRARY, READING_LIBRARY, valued_projects

Change = Callable[[ch.Hub], ch.Hub]
PROJECTS = 24


@pytest.fixture(scope="module")
def few(hub: ch.Hub) -> ch.Hub:
    """The bundled hub with the first of its projects."""
    return replace(hub, tables={**hub.tables, "projects": hub.tables["projects"].head(PROJECTS)})


@pytest.fixture(scope="module")
def scenario(hub: ch.Hub) -> Scenario:
    return load_scenario("baseline", hub)


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """An empty memory for this test alone; how often each step was made, to be cleared between runs."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "memory"))
    made: Counter[str] = Counter()
    values = Memory.values

    def counted(
        self: Memory, step: str, inputs: Sequence[tuple[Any, ...]], make: Callable[[list[int]], list[Any]]
    ) -> list[Any]:
        def told_and_made(missing: list[int]) -> list[Any]:
            made[step] += len(missing)
            return make(missing)

        return values(self, step, inputs, told_and_made)

    with mock.patch.object(Memory, "values", counted):  # monkeypatch.setattr would turn the memory off
        yield made


def announced(hub: ch.Hub, scenario: Scenario) -> Announced:
    with remembering():
        return announced_projects(hub, scenario, 0)


def alone(hub: ch.Hub, scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> Announced:
    """The same without any memory."""
    with monkeypatch.context() as patch:
        patch.setenv(VARIABLE, "off")
        return announced(hub, scenario)


def assert_same(found: Announced, expected: Announced) -> None:
    for name, frame in {**expected.tables, "offtake": expected.offtake}.items():
        other = {**found.tables, "offtake": found.offtake}[name]
        pd.testing.assert_frame_equal(other, frame, check_exact=True)
        for column in frame.select_dtypes("float64"):
            assert frame[column].to_numpy().tobytes() == other[column].to_numpy().tobytes()
    assert (found.on_values, found.on_simulation) == (expected.on_values, expected.on_simulation)


def cell(table: str, column: str, factor: float, **where: str) -> Change:
    """The first number of a column of the hub's or the library's table times ``factor``."""

    def change(hub: ch.Hub) -> ch.Hub:
        mine = table in hub.tables and table not in hub.library.tables
        tables = dict(hub.tables if mine else hub.library.tables)
        frame = tables[table].copy()
        chosen = frame[column].notna()
        for name, value in where.items():
            chosen &= frame[name] == value
        row = frame.index[chosen][0]
        frame.loc[row, column] = float(frame.loc[row, column]) * factor
        tables[table] = frame
        if mine:
            return replace(hub, tables=tables)
        return replace(hub, library=Library(tables, hub.library.codelists, hub.library.units))

    return change


@pytest.mark.parametrize(
    ("change", "computed", "kept"),
    [
        (cell("projects", "capex_usd", 1.1, role="abates"), {"project": 1, "prices": 1}, {"calibration"}),
        (
            cell("policy_values", "value", 1.1, policy="45q", item="rate"),
            {"project": PROJECTS},
            {"calibration"},
        ),
        (cell("pipeline_parameters", "value", 1.1, parameter="fid_hazard"), {"calibration": 1}, {"project"}),
    ],
    ids=["capital of a project", "amount of a policy", "base rate"],
)
def test_after_a_change_only_what_it_touches_is_computed_and_all_is_as_without_memory(
    few: ch.Hub,
    scenario: Scenario,
    told: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
    change: Change,
    computed: dict[str, int],
    kept: set[str],
) -> None:
    before = announced(few, scenario)
    valued = int((before.tables["valuations"]["case"] == "sponsor_p50").sum())
    assert (told["project"], told["prices"], told["calibration"]) == (PROJECTS, valued, 1)
    assert valued > 3
    changed = change(few)
    told.clear()
    after = announced(changed, scenario)
    assert {name: told[name] for name in computed} == computed
    assert not kept & set(told)
    assert told["prices"] < valued
    assert_same(after, alone(changed, scenario, monkeypatch))
    tables = zip(before.tables.values(), after.tables.values(), strict=True)
    assert any(not frame.equals(other) for frame, other in tables)


def test_no_cost_of_a_technology_and_every_lifetime_counts(
    few: ch.Hub, scenario: Scenario, told: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is remembered whole, the second is not: projects live as long as their technology."""
    whole = announced(few, scenario)
    told.clear()
    dearer = cell("technology_parameters", "value", 1.1, parameter="capex")(few)
    assert_same(announced(dearer, scenario), whole)
    assert not told
    assert_same(whole, alone(dearer, scenario, monkeypatch))
    told.clear()
    used = str(next(name for name in few.tables["projects"]["technology"] if name))
    longer = cell("technology_parameters", "value", 1.5, parameter="lifetime", technology=used)(few)
    after = announced(longer, scenario)
    assert told["projects"] == 1
    assert not {"project", "prices"} & set(told)
    assert_same(after, alone(longer, scenario, monkeypatch))


def test_values_and_grids_from_memory_are_those_that_were_computed(
    few: ch.Hub, scenario: Scenario, told: Counter[str]
) -> None:
    first = valued_projects(few, scenario)
    told.clear()
    again = valued_projects(few, scenario)
    assert not told
    assert list(first.grids) == list(again.grids)
    for name, grid in first.grids.items():
        assert np.array_equal(grid.npv, again.grids[name].npv, equal_nan=True)
        assert grid.policies == again.grids[name].policies
    assert first.answers == again.answers


def test_prices_of_one_case_alone_are_those_found_beside_others(few: ch.Hub, scenario: Scenario) -> None:
    projects = valued_projects(few, scenario).projects
    beside = [replace(one, prices=None) for one in projects]
    pd.testing.assert_frame_equal(valuations_table(projects), valuations_table(beside), check_exact=True)


def test_a_remembered_case_holds_no_more_of_the_library_than_its_readings_ask(
    few: ch.Hub, scenario: Scenario
) -> None:
    libraries = [one.value.loaded.library for one in valued_projects(few, scenario).projects if one.value]
    assert libraries
    assert all(set(library.tables) == set(READING_LIBRARY) <= CASE_LIBRARY for library in libraries)
