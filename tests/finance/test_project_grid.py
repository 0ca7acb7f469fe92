"""The grid against direct valuations, at the days on which credits end, and where it must rise and fall."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

import cleanhub as ch
from cleanhub.finance.case_value import LENDER, SPONSOR, CaseValue, View, value_case
from cleanhub.finance.cases import LoadedCase
from cleanhub.finance.policy_setting import setting_of
from cleanhub.finance.project_grid import VIEWS, ValueGrid, delayed, value_grid, value_grids
from cleanhub.finance.valuations import ProjectValue, value_projects
from cleanhub.hub.scenario import load_scenario
from cleanhub.policy.book import BOOK_TABLES, PolicyBook, book_from_tables, load_book

CHOSEN = ("CA-001", "CA-003", "CA-031", "CA-039", "CA-041", "CA-056", "CA-068", "CA-085")
YEAR = 365.25


@pytest.fixture(scope="module")
def hub() -> ch.Hub:
    whole = ch.load_hub("california")
    table = whole.tables["projects"]
    return replace(whole, tables={**whole.tables, "projects": table[table["project_id"].isin(CHOSEN)]})


@pytest.fixture(scope="module")
def book(hub: ch.Hub) -> PolicyBook:
    return load_book(hub.library, hub, load_scenario("baseline", hub))


@pytest.fixture(scope="module")
def valued(hub: ch.Hub, book: PolicyBook) -> list[ProjectValue]:
    return value_projects(hub, load_scenario("baseline", hub), book)


@pytest.fixture(scope="module")
def grids(valued: list[ProjectValue], book: PolicyBook) -> dict[str, ValueGrid]:
    return value_grids(valued, book)


def loaded_of(valued: Sequence[ProjectValue], project: str) -> LoadedCase:
    (one,) = (one for one in valued if one.project.project_id == project)
    assert one.project.loaded is not None
    return one.project.loaded


def direct(
    loaded: LoadedCase, book: PolicyBook, days: int, capital: float, price: float, lost: Sequence[str]
) -> CaseValue:
    """The case with its dates and figures changed, valued by itself."""
    figures = dict(loaded.figures)
    streams = [name for name, stream in loaded.case.revenue.items() if stream.quantity == "product"]
    for path, factor in [("capital.cost", capital), *((f"revenue.{name}.price", price) for name in streams)]:
        one = figures[path]
        figures[path] = replace(one, value=one.value * factor, low=one.low * factor, high=one.high * factor)
    later = dt.timedelta(days=days)
    project = loaded.case.project.model_copy(
        update={
            "construction_begins": loaded.case.project.construction_begins + later,
            "in_service": loaded.case.project.in_service + later,
        }
    )
    moved = replace(loaded, figures=figures, case=loaded.case.model_copy(update={"project": project}))
    answered = replace(loaded, case=moved.case)  # policies are told the central quantities
    return value_case(moved, setting_of(answered, book, lost))


def over_capital(view: View) -> float:
    return view.npv_usd / float(view.lines.spending.sum())


def lost_in(grid: ValueGrid, state: int) -> list[str]:
    return [policy for k, policy in enumerate(grid.policies) if state >> k & 1]


@pytest.mark.parametrize("project", ["CA-001", "CA-003", "CA-031", "CA-068"])
def test_the_grid_is_exact_at_its_nodes(
    project: str, valued: list[ProjectValue], book: PolicyBook, grids: dict[str, ValueGrid]
) -> None:
    grid, loaded = grids[project], loaded_of(valued, project)
    random = np.random.default_rng(3)
    nodes = [(0, 0.0, 1.0, 1.0)] + [
        tuple(
            random.choice(axis)
            for axis in (np.arange(grid.npv.shape[1]), grid.delays, grid.capital, grid.prices)
        )
        for _ in range(10)
    ]
    for state, delay, capital, price in nodes:
        found = direct(loaded, book, round(delay * YEAR), capital, price, lost_in(grid, int(state)))
        for view in found.views:
            got = float(grid.at(view.name, int(state), delay, capital, price))
            assert got == pytest.approx(over_capital(view), rel=1e-9), (
                view.name,
                state,
                delay,
                capital,
                price,
            )


@pytest.mark.parametrize("project", ["CA-001", "CA-003", "CA-031", "CA-039", "CA-068"])
def test_between_nodes_it_is_near_a_direct_valuation(
    project: str, valued: list[ProjectValue], book: PolicyBook, grids: dict[str, ValueGrid]
) -> None:
    grid, loaded = grids[project], loaded_of(valued, project)
    random = np.random.default_rng(11)
    errors = []
    for _ in range(12):
        days = int(random.integers(0, 3650))
        capital, price = random.uniform(0.7, 1.9), random.uniform(0.65, 1.5)
        state = int(random.integers(0, grid.npv.shape[1]))
        found = direct(loaded, book, days, capital, price, lost_in(grid, state))
        errors += [
            abs(float(grid.at(view.name, state, days / YEAR, capital, price)) - over_capital(view))
            for view in found.views
        ]
    assert np.mean(errors) < 0.01  # of capital
    assert max(errors) < 0.04


def test_a_credit_is_lost_the_day_after_its_last_day(grids: dict[str, ValueGrid]) -> None:
    """45V: begun by 31 December 2027; 45Q: begun before 2033. Golden dates of the law."""
    mote, lebec = grids["CA-001"], grids["CA-003"]
    assert (mote.begins, lebec.begins) == (dt.date(2027, 1, 1), dt.date(2028, 1, 1))
    for grid, credit, last in (
        (mote, "45v", dt.date(2027, 12, 31)),
        (mote, "45q", dt.date(2032, 12, 31)),
        (lebec, "45q", dt.date(2032, 12, 31)),
    ):
        others = sum(1 << k for k, policy in enumerate(grid.policies) if policy != credit)
        day = (last - grid.begins).days
        on, after = (float(grid.at(SPONSOR, others, days / YEAR, 1, 1)) for days in (day, day + 1))
        before = float(grid.at(SPONSOR, others, (day - 1) / YEAR, 1, 1))
        gone = float(grid.at(SPONSOR, others | 1 << grid.policies.index(credit), (day + 1) / YEAR, 1, 1))
        assert on - after > 0.1
        assert abs(before - on) < 0.02
        assert after == pytest.approx(gone, rel=1e-12)


def test_another_credit_takes_the_place_of_one_that_excludes_it(grids: dict[str, ValueGrid]) -> None:
    mote = grids["CA-001"]
    assert set(mote.policies) == {"45v", "45q"}
    state = {policy: 1 << k for k, policy in enumerate(mote.policies)}
    value = {
        lost: float(mote.at(SPONSOR, bits, 0, 1, 1)) for lost, bits in {**state, "none": 0, "both": 3}.items()
    }
    assert value["none"] > value["45v"] > value["both"]
    assert value["none"] == pytest.approx(value["45q"], rel=1e-12)  # 45V is the one it would claim


def test_what_no_policy_pays_is_what_is_left(
    valued: list[ProjectValue], book: PolicyBook, grids: dict[str, ValueGrid]
) -> None:
    grid, loaded = grids["CA-031"], loaded_of(valued, "CA-031")
    assert len(grid.policies) == 3
    bare = direct(loaded, book, 0, 1.0, 1.0, grid.policies)
    assert not bare.sponsor.reading.policy_lines()
    assert float(grid.at(SPONSOR, 7, 0, 1, 1)) == pytest.approx(over_capital(bare.sponsor), rel=1e-9)


@pytest.mark.parametrize("view", VIEWS)
def test_value_rises_with_price_and_falls_with_capital(view: str, grids: dict[str, ValueGrid]) -> None:
    row = VIEWS.index(view)
    for grid in grids.values():
        assert np.all(np.diff(grid.npv[row], axis=2) < 0)
        assert np.all(np.diff(grid.npv[row], axis=3) >= 0)
    sells = grids["CA-039"]
    assert np.all(np.diff(sells.npv[VIEWS.index(SPONSOR)], axis=3) > 0)
    assert len(grids["CA-003"].prices) == 1  # it sells nothing: its price moves nothing


def test_losing_a_policy_never_adds_value(grids: dict[str, ValueGrid]) -> None:
    for grid in grids.values():
        for k in range(len(grid.policies)):
            for state in range(grid.npv.shape[1]):
                if not state >> k & 1:
                    assert np.all(grid.npv[0, state] >= grid.npv[0, state | 1 << k] - 1e-6)


def test_ends_hold_and_draws_are_read_side_by_side(grids: dict[str, ValueGrid]) -> None:
    grid = grids["CA-039"]
    assert grid.at(SPONSOR, 0, -3, 1, 1) == grid.at(SPONSOR, 0, 0, 1, 1)
    assert grid.at(SPONSOR, 0, 99, 9, 9) == grid.at(
        SPONSOR, 0, grid.delays[-1], grid.capital[-1], grid.prices[-1]
    )
    random = np.random.default_rng(1)
    state, delay = random.integers(0, 2, 50), random.uniform(-1, 12, 50)
    capital, price = random.uniform(0.4, 2.5, (2, 50))
    many = grid.at(LENDER, state, delay, capital, price)
    one_by_one = [float(grid.at(LENDER, *each)) for each in zip(state, delay, capital, price, strict=True)]
    assert many == pytest.approx(one_by_one, rel=1e-14)
    npv, spent = grid.along_delay(LENDER, state, capital, price)
    for k, node in enumerate(grid.delays):
        assert npv[k] / spent[k] == pytest.approx(grid.at(LENDER, state, node, capital, price), rel=1e-12)


def test_states_are_read_from_what_is_lost(grids: dict[str, ValueGrid]) -> None:
    grid = grids["CA-001"]
    first, second = grid.policies
    lost = {first: np.array([True, False, True]), second: np.array([False, False, True]), "other": True}
    assert list(grid.state(lost)) == [1, 0, 3]
    assert grid.state({}) == 0


def test_grids_are_for_projects_whose_decision_is_to_come(grids: dict[str, ValueGrid]) -> None:
    assert set(grids) == {"CA-001", "CA-003", "CA-031", "CA-039", "CA-068"}  # not cancelled, built, no case


def test_neighbours_on_the_grid_change_nothing(valued: list[ProjectValue], book: PolicyBook) -> None:
    loaded = loaded_of(valued, "CA-039")
    wide = value_grid(loaded, book, [0, 4], [0.5, 1.0, 2.0], [1.0, 2.0])
    narrow = value_grid(loaded, book, [0, 4], [1.0], [1.0])
    for view in VIEWS:
        assert narrow.at(view, 0, 4, 1, 1) == pytest.approx(wide.at(view, 0, 4, 1, 1), rel=1e-12)


def test_deleting_a_policy_changes_the_grid(
    hub: ch.Hub, valued: list[ProjectValue], grids: dict[str, ValueGrid]
) -> None:
    tables = {name: hub.library.tables[name] for name in BOOK_TABLES}
    for name in ("policies", "policy_values", "policy_conditions"):
        tables[name] = tables[name][tables[name]["policy"] != "45v"]
    pairs = tables["policy_exclusions"]
    tables["policy_exclusions"] = pairs[(pairs["policy"] != "45v") & (pairs["excludes"] != "45v")]
    cut = book_from_tables(tables, hub.library, load_scenario("baseline", hub))
    grid = value_grid(loaded_of(valued, "CA-001"), cut)
    whole = grids["CA-001"]
    assert grid.policies == ("45q",)
    assert float(grid.at(SPONSOR, 0, 0, 1, 1)) == pytest.approx(
        float(whole.at(SPONSOR, 1 << whole.policies.index("45v"), 0, 1, 1)), rel=1e-9
    )
    assert float(grid.at(SPONSOR, 0, 0, 1, 1)) < float(whole.at(SPONSOR, 0, 0, 1, 1)) - 0.01


def test_policies_can_be_named(valued: list[ProjectValue], book: PolicyBook) -> None:
    grid = value_grid(loaded_of(valued, "CA-031"), book, [0], [1.0], [1.0], policies=["lcfs"])
    assert grid.policies == ("lcfs",)
    assert grid.npv.shape == (2, 2, 1, 1, 1)


def test_a_delayed_case_keeps_the_time_it_takes_to_build(valued: list[ProjectValue]) -> None:
    loaded = loaded_of(valued, "CA-003")
    moved = delayed(loaded, 100).case.project
    before = loaded.case.project
    assert moved.in_service - moved.construction_begins == before.in_service - before.construction_begins
    assert (moved.in_service - before.in_service).days == 100
    assert delayed(loaded, 0).case == loaded.case


@pytest.mark.parametrize(
    ("axis", "nodes"),
    [("delays", [2, 1]), ("delays", []), ("capital", [1.0, 1.0]), ("prices", [-1.0, 1.0])],
)
def test_nodes_that_do_not_rise_are_refused(
    axis: str, nodes: list[float], valued: list[ProjectValue], book: PolicyBook
) -> None:
    with pytest.raises(ValueError, match=axis):
        value_grid(loaded_of(valued, "CA-003"), book, **{axis: nodes})


def test_an_unknown_view_is_refused(grids: dict[str, ValueGrid]) -> None:
    with pytest.raises(ValueError, match="owner"):
        grids["CA-003"].at("owner", 0, 0, 1, 1)
